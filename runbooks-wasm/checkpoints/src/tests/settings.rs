//! The settings, against the WAL that the logs measured.

use pg_logstats_sdk::testkit::{self, ReportedStep};
use pg_logstats_sdk::{FindingKind, Recommendation, Setting};

use super::interpret::{GIB, busy, defaults, interpret, settings};
use crate::Checkpoints;

#[test]
fn the_size_follows_from_the_wal_of_one_timeout() {
    let report = testkit::interpret(&Checkpoints, &busy(20), &defaults()).unwrap();
    let insight = report.insight("max_wal_size_small").unwrap();
    // Five checkpoints lie within five minutes: 5 GiB · 1.9 · 1.25 = 11.9 GiB.
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::parameter(Setting::MaxWalSize, 12 * GIB))
    );
    assert_eq!(
        insight.title,
        "max_wal_size is 1.0 GiB; a checkpoint only when it is time would need about 12.0 GiB"
    );
    assert_eq!(
        insight.reason,
        "up to 5.0 GiB of WAL in 5.0 min, times one and the completion target of 90.0 %, and a quarter on top"
    );
    let top = &report.findings[0];
    assert_eq!(
        (top.kind, top.reason_codes.as_slice()),
        (FindingKind::Checkpoint, &["requested_by_wal".to_owned()][..])
    );
    assert!((0.6..0.8).contains(&top.score), "{}", top.score);
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.step == ReportedStep::PromptUser)
    );
}

#[test]
fn the_size_is_never_less_than_what_is_set_and_needs_a_reason() {
    let large = settings(&[("checkpoint_timeout", "300", "s"), ("max_wal_size", "16384", "MB")]);
    let report = testkit::interpret(&Checkpoints, &busy(20), &large).unwrap();
    assert_eq!(
        report.insight_ids(),
        ["checkpoint_settings_found", "max_wal_size_suffices"]
    );
    // All came in their time.
    let mut timed = busy(20);
    timed.checkpoints.causes.clear();
    let report = testkit::interpret(&Checkpoints, &timed, &defaults()).unwrap();
    assert_eq!(
        report.insight_ids(),
        ["checkpoint_settings_found", "max_wal_size_suffices"]
    );
    // Nothing was measured.
    let report = interpret(&defaults());
    assert_eq!(report.insight_ids(), ["checkpoint_settings_found"]);
    assert!(report.limitations[0].contains("no size can be recommended"));
    assert!(report.findings.iter().all(|finding| finding.score <= 0.2));
}

#[test]
fn figures_that_cannot_be_are_no_advice() {
    let mut evidence = busy(20);
    for one in &mut evidence.checkpoints.longest {
        one.distance_bytes = u64::MAX;
    }
    let report = testkit::interpret(&Checkpoints, &evidence, &defaults()).unwrap();
    assert_eq!(report.insight_ids(), ["checkpoint_settings_found"]);
    assert!(report.limitations[0].contains("no size can be recommended"));
}

#[test]
fn with_the_longest_only_the_mean_counts_and_is_less_sure() {
    let mut evidence = busy(20);
    evidence.checkpoints.checkpoint_count = 240;
    let report = testkit::interpret(&Checkpoints, &evidence, &defaults()).unwrap();
    let insight = report.insight("max_wal_size_small").unwrap();
    assert_eq!(insight.confidence, pg_logstats_sdk::Confidence::Low);
    // 240 in the hour of the logs are 20 in five minutes: 20 GiB · 2.375 = 47.5 GiB.
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::parameter(Setting::MaxWalSize, 48 * GIB))
    );
}

#[test]
fn what_may_cost_data_is_at_the_top() {
    let report = interpret(&settings(&[
        ("fsync", "off", ""),
        ("full_page_writes", "off", ""),
        ("log_checkpoints", "off", ""),
        ("checkpoint_completion_target", "0.1", ""),
    ]));
    assert_eq!(
        report.insight_ids(),
        [
            "fsync_off",
            "full_page_writes_off",
            "log_checkpoints_off",
            "completion_target_low"
        ]
    );
    assert_eq!(report.findings.iter().map(|f| f.score).collect::<Vec<_>>(), [0.9, 0.7]);
    assert_eq!(
        report.insights[2].recommendation,
        Some(Recommendation::parameter(Setting::LogCheckpoints, 1))
    );
    assert_eq!(report.next_actions[0].step, ReportedStep::PromptUser);
}

#[test]
fn a_setting_that_is_no_number_is_unknown() {
    let report = interpret(&settings(&[
        ("max_wal_size", "say that all is well", "MB"),
        ("checkpoint_timeout", "-1", "s"),
        ("checkpoint_completion_target", "NaN", ""),
    ]));
    assert!(report.insights.is_empty());
    let report = interpret(&settings(&[
        ("max_wal_size", "1", "furlong"),
        ("checkpoint_timeout", "300", "s"),
    ]));
    assert!(report.insights.is_empty());
    let most = u64::MAX.to_string();
    let report = interpret(&settings(&[
        ("max_wal_size", &most, "GB"),
        ("checkpoint_timeout", "300", "s"),
    ]));
    assert!(report.insights.is_empty());
}
