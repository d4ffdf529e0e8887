//! What the logs tell.

use pg_logstats_sdk::testkit::{self, EvidenceBuilder, Report, ReportedFinding, ReportedStep};
use pg_logstats_sdk::{
    Checkpoint, CheckpointCause, CheckpointKind, Confidence, Evidence, FindingKind, Priority, QueryFamily,
    Recommendation, Setting, StatementKind,
};

use crate::Checkpoints;

const MINUTE_US: i64 = 60_000_000;

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&Checkpoints, evidence).unwrap()
}

/// Checkpoint `n`, after `n` minutes, for `cause`.
fn checkpoint(n: u64, cause: CheckpointCause) -> Checkpoint {
    let usual = testkit::checkpoint(n);
    Checkpoint {
        causes: vec![cause],
        at: usual.at + i64::try_from(n).unwrap() * MINUTE_US,
        ..usual
    }
}

fn all(numbers: std::ops::Range<u64>, cause: CheckpointCause) -> EvidenceBuilder {
    numbers.fold(testkit::evidence(), |evidence, n| {
        evidence.checkpoint(checkpoint(n, cause))
    })
}

fn with_code<'a>(report: &'a Report, code: &str) -> Option<&'a ReportedFinding> {
    let is_coded = |finding: &&ReportedFinding| finding.reason_codes.iter().any(|known| known == code);
    report.findings.iter().find(is_coded)
}

fn score(evidence: &Evidence, code: &str) -> f64 {
    with_code(&triage(evidence), code).map_or(0.0, |finding| finding.score)
}

#[test]
fn a_healthy_server_raises_no_alarm() {
    let usual = (0..12).fold(testkit::evidence(), |evidence, n| {
        evidence.checkpoint(Checkpoint {
            wal_files_added: 1,
            longest_sync_us: 900_000,
            ..checkpoint(n, CheckpointCause::Time)
        })
    });
    let usual = usual
        .checkpoint(checkpoint(12, CheckpointCause::Wal))
        .checkpoint(checkpoint(13, CheckpointCause::Immediate));
    for evidence in [testkit::evidence().build(), usual.build()] {
        let report = triage(&evidence);
        assert!(
            report.findings.iter().all(|finding| finding.score <= 0.2),
            "{report:#?}"
        );
        assert!(report.next_actions.iter().any(|next| next.step == ReportedStep::Stop));
        assert!(
            report
                .next_actions
                .iter()
                .all(|next| next.priority != Priority::Required)
        );
    }
}

#[test]
fn nothing_is_a_finding_and_what_was_not_logged_is_said() {
    let report = triage(&testkit::evidence().build());
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(
        (report.findings[0].score, report.findings[0].confidence),
        (0.0, Confidence::Medium)
    );
    assert!(report.limitations[0].contains("log_checkpoints is off"));
    assert!(report.insights.is_empty(), "an idle server makes no checkpoint");
    let writes = QueryFamily {
        kind: StatementKind::Update,
        ..testkit::family(1)
    };
    let report = triage(&testkit::evidence().family(writes).build());
    let insight = report.insight("checkpoints_not_logged").unwrap();
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::parameter(Setting::LogCheckpoints, 1))
    );
    let report = triage(&all(0..12, CheckpointCause::Time).build());
    assert_eq!(report.findings[0].confidence, Confidence::High);
    assert!(report.limitations.is_empty());
}

#[test]
fn without_logs_the_server_is_looked_at() {
    let evidence = Evidence {
        window: None,
        ..testkit::evidence().build()
    };
    let report = triage(&evidence);
    for action in [
        "checkpoint.pg_settings.relevant",
        "checkpoint.pg_stat_checkpointer.counters",
    ] {
        assert_eq!(
            report.offered(action).next().unwrap().priority,
            Priority::Required,
            "{action}"
        );
    }
    assert!(report.next_actions.iter().all(|next| next.step != ReportedStep::Stop));
}

#[test]
fn checkpoints_that_wal_begins_are_too_frequent() {
    let evidence = all(0..60, CheckpointCause::Wal)
        .family(testkit::family(1))
        .checkpoints_too_frequent(12_000_000)
        .build();
    let report = triage(&evidence);
    let top = &report.findings[0];
    assert_eq!(top.kind, FindingKind::Checkpoint);
    assert_eq!(top.subject.as_deref(), Some("cp_0"));
    assert_eq!(
        top.title,
        "checkpoints that began because of `wal`, before their time: 60 of 60"
    );
    assert_eq!(top.reason_codes, ["requested_by_wal", "too_frequent_warning"]);
    assert_eq!(top.confidence, Confidence::High);
    assert!((0.8..0.9).contains(&top.score), "{}", top.score);
    assert!(top.reason.contains("12.00 s"), "{}", top.reason);
    let first = &report.next_actions[0];
    assert!(
        matches!(&first.step, ReportedStep::RunSql(request) if request.action == "checkpoint.pg_settings.relevant")
    );
    assert_eq!(
        (first.priority, first.findings.as_slice()),
        (Priority::Required, &[0][..])
    );
    for action in [
        "checkpoint.pg_stat_checkpointer.counters",
        "checkpoint.pg_stat_wal.counters",
    ] {
        assert_eq!(report.offered(action).count(), 1, "{action}");
    }
    assert_eq!(report.offered("checkpoint.pg_stat_io.counters").count(), 0);
    let step = ReportedStep::RunWorkflow("query-families".to_owned());
    assert!(report.next_actions.iter().any(|next| next.step == step));
}

#[test]
fn a_warning_alone_is_a_finding_and_is_less_sure() {
    let evidence = (0..20).fold(testkit::evidence(), |e, _| e.checkpoints_too_frequent(8_000_000));
    let report = triage(&evidence.build());
    let top = &report.findings[0];
    assert_eq!(top.reason_codes, ["too_frequent_warning"]);
    assert_eq!(top.subject, None);
    assert!((0.4..0.5).contains(&top.score), "{}", top.score);
    assert!(top.title.ends_with("20 times"));
}

#[test]
fn the_rate_counts_and_not_the_number_alone() {
    let hour = all(0..12, CheckpointCause::Wal).build();
    let (start, end) = hour.window.unwrap();
    let day = Evidence {
        window: Some((start, start + 24 * (end - start))),
        ..hour.clone()
    };
    assert!(score(&hour, "requested_by_wal") >= 0.5);
    assert!(score(&day, "requested_by_wal") < 0.2);
}

#[test]
fn a_long_fsync_leads_to_the_storage() {
    let evidence = testkit::evidence()
        .checkpoint(checkpoint(1, CheckpointCause::Time))
        .checkpoint(Checkpoint {
            sync_us: 60_000_000,
            longest_sync_us: 40_000_000,
            write_us: 100_000_000,
            ..checkpoint(2, CheckpointCause::Time)
        })
        .build();
    let report = triage(&evidence);
    let top = &report.findings[0];
    assert_eq!(
        (top.subject.as_deref(), top.evidence.as_slice()),
        (Some("cp_2"), &["cp_1".to_owned()][..])
    );
    assert_eq!(top.reason_codes, ["long_sync"]);
    assert!((0.8..0.9).contains(&top.score), "{}", top.score);
    assert_eq!(report.offered("checkpoint.pg_stat_io.counters").count(), 1);
    assert!(report.next_actions.iter().any(|next| next.label.contains("storage")));
}

#[test]
fn wal_that_grows_is_told() {
    let evidence = (0..5).fold(testkit::evidence(), |evidence, n| {
        evidence.checkpoint(Checkpoint {
            wal_files_added: 200 + n,
            wal_files_recycled: 10,
            ..checkpoint(n, CheckpointCause::Time)
        })
    });
    let report = triage(&evidence.build());
    let top = &report.findings[0];
    assert_eq!(top.reason_codes, ["wal_grows", "distance_at_estimate"]);
    assert_eq!(top.subject.as_deref(), Some("cp_4"), "most files first");
    assert!((0.5..0.7).contains(&top.score), "{}", top.score);
    assert!(top.reason.ends_with("256.0 MiB"), "{}", top.reason);
}

#[test]
fn checkpoints_that_somebody_asks_for_are_told_and_backups_explain_them() {
    let asked = || all(0..60, CheckpointCause::Immediate);
    let report = triage(&asked().build());
    let finding = with_code(&report, "asked_for").unwrap();
    assert!((0.5..0.6).contains(&finding.score), "{}", finding.score);
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.label.contains("asks for checkpoints"))
    );
    let report = triage(&asked().event("wal_base_backup_complete", 60).build());
    let backups = with_code(&report, "base_backups").unwrap();
    assert!(backups.score < finding.score && backups.reason.contains("60"));
}

#[test]
fn starting_and_stopping_is_nobodys_wish() {
    let stop = |n| Checkpoint {
        causes: vec![CheckpointCause::Shutdown, CheckpointCause::Immediate],
        ..checkpoint(n, CheckpointCause::Shutdown)
    };
    let evidence = (0..60).fold(testkit::evidence(), |evidence, n| evidence.checkpoint(stop(n)));
    assert!(with_code(&triage(&evidence.build()), "asked_for").is_none());
}

#[test]
fn a_standby_is_said_to_be_one() {
    let evidence = (0..60).fold(testkit::evidence(), |evidence, n| {
        evidence.checkpoint(Checkpoint {
            kind: CheckpointKind::Restartpoint,
            ..checkpoint(n, CheckpointCause::Wal)
        })
    });
    let report = triage(&evidence.build());
    assert!(report.findings[0].reason_codes.contains(&"restartpoints".to_owned()));
    assert!(report.findings[0].title.starts_with("restartpoints of a standby"));
    assert_eq!(
        report.limitations,
        ["the logs have restartpoints of a standby only: how much WAL there is the primary decides"]
    );
}

#[test]
fn worse_figures_never_lower_a_score() {
    let change = |worsen: &dyn Fn(&mut Evidence, u64), code: &str| {
        let mut before = 0.0;
        for exponent in 0..50 {
            let mut evidence = all(0..12, CheckpointCause::Time).build();
            worsen(&mut evidence, 1 << exponent);
            let now = score(&evidence, code);
            assert!((before..=1.0).contains(&now), "{code} {exponent}");
            before = now;
        }
        assert!(before > 0.5, "{code}");
    };
    let cause = |evidence: &mut Evidence, cause, count| {
        evidence
            .checkpoints
            .causes
            .push(pg_logstats_sdk::CauseCount { cause, count });
    };
    change(&|e, n| cause(e, CheckpointCause::Wal, n), "requested_by_wal");
    change(&|e, n| cause(e, CheckpointCause::Immediate, n), "asked_for");
    change(
        &|e, n| {
            e.checkpoints.too_frequent_count = n;
            e.checkpoints.shortest_interval_us = Some(5_000_000);
        },
        "too_frequent_warning",
    );
    change(
        &|e, n| {
            e.checkpoints.too_frequent_count = 50;
            e.checkpoints.shortest_interval_us = Some((1 << 50) / n);
        },
        "too_frequent_warning",
    );
    change(&|e, n| e.checkpoints.longest_sync_us = n, "long_sync");
    change(&|e, n| e.checkpoints.wal_files_added = n, "wal_grows");
}
