use pg_logstats_sdk::testkit::{self, Report};
use pg_logstats_sdk::{CancelReason, Evidence, Outcome, Recommendation, Setting};

use super::{SETTINGS, SLOTS, interpret, rows, text};
use crate::ReplicationLag;

fn settings(changes: &[(&str, &str)]) -> Outcome {
    let defaults = [
        ("hot_standby_feedback", "off", ""),
        ("max_slot_wal_keep_size", "-1", "MB"),
        ("max_standby_streaming_delay", "30000", "ms"),
        ("recovery_min_apply_delay", "0", "ms"),
    ];
    let all = defaults.map(|(name, value, unit)| {
        let changed = changes.iter().find(|(changed, _)| *changed == name);
        let value = changed.map_or(value, |(_, value)| *value);
        vec![("name", text(name)), ("setting", text(value)), ("unit", text(unit))]
    });
    rows(SETTINGS, &all)
}

fn with(evidence: &Evidence, changes: &[(&str, &str)]) -> Report {
    testkit::interpret(&ReplicationLag, evidence, &settings(changes)).unwrap()
}

fn cancelled(reason: CancelReason) -> Evidence {
    testkit::evidence()
        .cancellation(testkit::cancellation(1, reason))
        .build()
}

#[test]
fn the_default_settings_are_well() {
    let report = interpret(&settings(&[]));
    report.assert_well("settings_unremarkable");
    assert_eq!(
        report.offered(SLOTS).count(),
        1,
        "whether a bound is needed, the slots show"
    );
    assert!(
        interpret(&rows(SETTINGS, &[])).insights.is_empty(),
        "no rows are no good news"
    );
}

#[test]
fn a_delay_that_was_asked_for_is_told() {
    let report = interpret(&settings(&[("recovery_min_apply_delay", "3600000")]));
    assert_eq!(report.insight_ids(), ["delayed_on_purpose"]);
    assert_eq!(report.insights[0].title, "replay is delayed on purpose by 60.0 min");
}

#[test]
fn replay_that_may_wait_forever_gets_a_bound() {
    let report = interpret(&settings(&[("max_standby_streaming_delay", "-1")]));
    assert_eq!(report.insight_ids(), ["replay_waits_forever"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::parameter(
            Setting::MaxStandbyStreamingDelay,
            300_000_000
        ))
    );
    assert_eq!(
        report.prompts(),
        ["let a person decide on a max_standby_streaming_delay of 5.0 min"]
    );
}

#[test]
fn feedback_is_recommended_only_for_conflicts_that_it_prevents() {
    let snapshot = cancelled(CancelReason::ConflictSnapshot);
    let report = with(&snapshot, &[]);
    assert_eq!(report.insight_ids(), ["feedback_is_off"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::parameter(Setting::HotStandbyFeedback, 1))
    );
    with(&snapshot, &[("hot_standby_feedback", "on")]).assert_well("settings_unremarkable");
    let report = with(&cancelled(CancelReason::ConflictLock), &[]);
    assert_eq!(report.insight_ids(), ["replay_cancels_soon"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::parameter(
            Setting::MaxStandbyStreamingDelay,
            300_000_000
        ))
    );
    let longer = with(
        &cancelled(CancelReason::ConflictBufferPin),
        &[("max_standby_streaming_delay", "600000")],
    );
    longer.assert_well("settings_unremarkable");
    with(&cancelled(CancelReason::StatementTimeout), &[]).assert_well("settings_unremarkable");
}
