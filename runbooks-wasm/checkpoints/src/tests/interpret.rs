//! What the server shows.

use pg_logstats_sdk::testkit::{self, OutcomeBuilder, Report};
use pg_logstats_sdk::{
    Cell, Checkpoint, CheckpointCause, Evidence, FindingKind, Outcome, OutcomeStatus, Recommendation, Runbook, Setting,
};

use crate::Checkpoints;

const COUNTERS: &str = "checkpoint.pg_stat_checkpointer.counters";
const WAL: &str = "checkpoint.pg_stat_wal.counters";
const IO: &str = "checkpoint.pg_stat_io.counters";
const SETTINGS: &str = "checkpoint.pg_settings.relevant";
pub(super) const GIB: u64 = 1 << 30;

pub(super) fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&Checkpoints, &testkit::evidence().build(), outcome).unwrap()
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

/// One checkpoint each minute because of WAL, one GiB apart.
pub(super) fn busy(n: u64) -> Evidence {
    let evidence = (0..n).fold(testkit::evidence(), |evidence, n| {
        let usual = testkit::checkpoint(n);
        evidence.checkpoint(Checkpoint {
            causes: vec![CheckpointCause::Wal],
            at: usual.at + i64::try_from(n).unwrap() * 60_000_000,
            distance_bytes: GIB,
            ..usual
        })
    });
    evidence.build()
}

pub(super) fn settings(values: &[(&str, &str, &str)]) -> Outcome {
    let row = |outcome: OutcomeBuilder, (name, value, unit): &(&str, &str, &str)| {
        let unit = if unit.is_empty() { Cell::Null } else { text(unit) };
        outcome.row(&[("name", text(name)), ("setting", text(value)), ("unit", unit)])
    };
    values.iter().fold(testkit::outcome(SETTINGS), row).build()
}

pub(super) fn defaults() -> Outcome {
    settings(&[
        ("checkpoint_completion_target", "0.9", ""),
        ("checkpoint_timeout", "300", "s"),
        ("fsync", "on", ""),
        ("full_page_writes", "on", ""),
        ("log_checkpoints", "on", ""),
        ("max_wal_size", "1024", "MB"),
    ])
}

fn counters(timed: i64, requested: i64, more: &[(&str, Cell)]) -> Outcome {
    let mut cells = vec![
        ("checkpoints_timed", Cell::Int(timed)),
        ("checkpoints_requested", Cell::Int(requested)),
    ];
    cells.extend(more.iter().cloned());
    testkit::outcome(COUNTERS).row(&cells).build()
}

#[test]
fn requested_checkpoints_are_told_from_timed_ones() {
    let report = interpret(&counters(1_000, 20, &[]));
    assert_eq!(report.insight_ids(), ["checkpoints_mostly_timed"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    let report = interpret(&counters(100, 900, &[]));
    assert_eq!(
        report.insights[0].title,
        "90.0 % of the checkpoints were requested: 900"
    );
    assert!((0.5..0.7).contains(&report.findings[0].score));
    assert_eq!(report.offered(SETTINGS).count(), 1);
    assert_eq!(report.offered(WAL).count(), 1);
    // A new server has had a few at its making.
    let report = interpret(&counters(1, 3, &[]));
    assert!(report.findings.iter().all(|finding| finding.score <= 0.2));
    // A standby has restartpoints.
    let standby = [
        ("restartpoints_timed", Cell::Int(10)),
        ("restartpoints_requested", Cell::Int(90)),
    ];
    assert_eq!(
        interpret(&counters(0, 0, &standby)).insight_ids(),
        ["checkpoints_mostly_requested"]
    );
}

#[test]
fn what_sessions_write_and_sync_is_told() {
    let cells = [
        ("buffers_checkpoint", Cell::Int(10_000)),
        ("buffers_clean", Cell::Int(0)),
        ("buffers_backend", Cell::Int(90_000)),
        ("buffers_backend_fsync", Cell::Int(50)),
        ("sync_ms", Cell::Float(1e6)),
        ("write_ms", Cell::Float(1e6)),
    ];
    let report = interpret(&counters(100, 0, &cells));
    assert_eq!(
        report.insight_ids(),
        [
            "checkpoints_mostly_timed",
            "checkpoint_sync_slow",
            "backends_sync_files",
            "backends_write_buffers"
        ]
    );
    let scores: Vec<f64> = report.findings.iter().map(|finding| finding.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert_eq!(report.findings.len(), 3);
    let healthy = [
        ("buffers_checkpoint", Cell::Int(90_000)),
        ("buffers_backend", Cell::Int(10_000)),
        ("buffers_backend_fsync", Cell::Int(0)),
        ("sync_ms", Cell::Float(500.0)),
    ];
    let report = interpret(&counters(100, 0, &healthy));
    assert_eq!(
        report.insight_ids(),
        ["checkpoints_mostly_timed", "writes_left_to_checkpointer"]
    );
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
}

#[test]
fn wal_of_full_pages_is_told() {
    let wal = |images: i64, bytes: i64| {
        testkit::outcome(WAL)
            .row(&[
                ("records", Cell::Int(1_000_000)),
                ("full_page_images", Cell::Int(images)),
                ("bytes", Cell::Int(bytes)),
                ("buffers_full", Cell::Int(0)),
                ("writes", Cell::Int(10_000)),
                ("syncs", Cell::Int(10_000)),
                ("sync_ms", Cell::Float(10_000.0)),
            ])
            .build()
    };
    let report = interpret(&wal(1_000_000, 10 << 30));
    assert_eq!(report.insight_ids(), ["full_page_images_dominate"]);
    assert!((0.2..0.5).contains(&report.findings[0].score));
    assert_eq!(report.offered(SETTINGS).count(), 1);
    let report = interpret(&wal(100_000, 10 << 30));
    assert_eq!(report.insight_ids(), ["wal_counted"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
}

#[test]
fn slow_syncs_of_wal_and_full_buffers_are_told() {
    let outcome = testkit::outcome(WAL)
        .row(&[
            ("bytes", Cell::Int(1 << 40)),
            ("buffers_full", Cell::Int(5_000)),
            ("writes", Cell::Int(10_000)),
            ("syncs", Cell::Int(10_000)),
            ("sync_ms", Cell::Float(500_000.0)),
        ])
        .build();
    let report = interpret(&outcome);
    assert_eq!(
        report.insight_ids(),
        ["wal_buffers_full", "wal_sync_slow", "wal_counted"]
    );
    assert!((0.45..0.55).contains(&report.findings[0].score));
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.label.contains("wal_buffers"))
    );
}

fn io(rows: &[(&str, &str, i64, i64, f64)]) -> Outcome {
    let row = |outcome: OutcomeBuilder, row: &(&str, &str, i64, i64, f64)| {
        outcome.row(&[
            ("backend_type", text(row.0)),
            ("object", text("relation")),
            ("context", text(row.1)),
            ("writes", Cell::Int(row.2)),
            ("fsyncs", Cell::Int(row.3)),
            ("fsync_ms", Cell::Float(row.4)),
        ])
    };
    rows.iter().fold(testkit::outcome(IO), row).build()
}

#[test]
fn a_few_buffers_that_sessions_wrote_are_no_habit() {
    let cells = [
        ("buffers_checkpoint", Cell::Int(1_519)),
        ("buffers_backend", Cell::Int(2_272)),
        ("buffers_backend_fsync", Cell::Int(0)),
        ("sync_ms", Cell::Float(10.0)),
    ];
    interpret(&counters(3, 0, &cells)).assert_calm();
}

#[test]
fn who_writes_is_told() {
    let report = interpret(&io(&[
        ("checkpointer", "normal", 90_000, 1_000, 5_000.0),
        ("client backend", "normal", 10_000, 0, 0.0),
        ("client backend", "bulkwrite", 900_000, 0, 0.0),
    ]));
    assert_eq!(report.insight_ids(), ["writes_left_to_checkpointer"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    let report = interpret(&io(&[
        ("checkpointer", "normal", 10_000, 1_000, 500_000.0),
        ("client backend", "normal", 90_000, 3, 0.0),
    ]));
    assert_eq!(
        report.insight_ids(),
        ["backends_sync_files", "checkpoint_sync_slow", "backends_write_buffers"]
    );
    let codes: Vec<&str> = report.findings.iter().map(|f| f.reason_codes[0].as_str()).collect();
    assert_eq!(codes, ["backends_write", "long_sync", "backends_sync"]);
}

#[test]
fn times_are_asked_for_where_a_long_sync_wants_them() {
    let outcome = io(&[("checkpointer", "normal", 90_000, 1_000, 0.0)]);
    let report = interpret(&outcome);
    assert_eq!(report.insight("io_timing_off").unwrap().recommendation, None);
    let mut evidence = busy(1);
    evidence.checkpoints.longest_sync_us = 5_000_000;
    let report = testkit::interpret(&Checkpoints, &evidence, &outcome).unwrap();
    assert_eq!(
        report.insight("io_timing_off").unwrap().recommendation,
        Some(Recommendation::parameter(Setting::TrackIoTiming, 1))
    );
}

#[test]
fn without_rows_nothing_is_made_up() {
    for action in Checkpoints.describe().actions {
        let report = interpret(&testkit::outcome(&action).build());
        assert!(report.insights.is_empty(), "{action}");
        assert_eq!(report.findings[0].kind, FindingKind::NothingFound, "{action}");
        let report = interpret(&testkit::outcome(&action).status(OutcomeStatus::Truncated).build());
        assert_eq!(report.limitations.len(), 1, "{action}");
    }
}

#[test]
fn an_action_that_gave_no_answer_says_why_and_who_can_help() {
    let evidence = testkit::evidence().build();
    testkit::check_failures(&Checkpoints, &evidence, &[], |_, report| {
        assert_eq!(report.requests, [])
    })
    .unwrap();
}

#[test]
fn worse_figures_never_lower_a_score() {
    let grows = |outcome: &dyn Fn(i64) -> Outcome, code: &str| {
        let mut before = 0.0;
        for exponent in 0..40 {
            let report = interpret(&outcome(1 << exponent));
            let coded = report.findings.iter().find(|finding| finding.reason_codes[0] == code);
            let now = coded.map_or(0.0, |finding| finding.score);
            assert!((before..=1.0).contains(&now), "{code} {exponent}");
            before = now;
        }
        assert!(before > 0.3, "{code}");
    };
    grows(&|n| counters(10, n, &[]), "requested_by_wal");
    grows(&|n| counters(10, 0, &[("sync_ms", Cell::Float(n as f64))]), "long_sync");
    grows(
        &|n| counters(10, 0, &[("buffers_backend_fsync", Cell::Int(n))]),
        "backends_sync",
    );
    let backend = |n| {
        [
            ("buffers_checkpoint", Cell::Int(10_000)),
            ("buffers_backend", Cell::Int(n)),
        ]
    };
    grows(&|n| counters(10, 0, &backend(n)), "backends_write");
    let pages = |n| testkit::outcome(WAL).row(&[("full_page_images", Cell::Int(n)), ("bytes", Cell::Int(1 << 40))]);
    grows(&|n| pages(n).build(), "full_pages");
    grows(&|n| io(&[("checkpointer", "normal", 1, 1_000, n as f64)]), "long_sync");
    let mut size = 0.0;
    for n in 1..60 {
        let mut evidence = busy(10);
        for one in &mut evidence.checkpoints.longest {
            one.distance_bytes = n * GIB / 4;
        }
        let report = testkit::interpret(&Checkpoints, &evidence, &defaults()).unwrap();
        let now = report.findings[0].score;
        assert!(now >= size, "{n}");
        size = now;
    }
    assert!(size > 0.7);
}
