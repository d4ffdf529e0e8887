//! Connections by what they do, and maintenance.

use super::*;

const COUNTS: &str = "connection_pressure.pg_stat_activity.counts";
const OLDEST_XMIN: &str = "wraparound.pg_stat_activity.oldest_xmin";
const VACUUMS: &str = "progress.pg_stat_progress_vacuum.running";
const MINUTE: i64 = 60_000_000;

fn row(state: &str, longest_us: i64, transaction_us: i64, waiting: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("user", text("app")),
        ("state", text(state)),
        ("connections", Cell::Int(4)),
        ("waiting_for_locks", Cell::Int(waiting)),
        ("longest_in_state", Cell::DurationUs(longest_us)),
        ("longest_transaction", Cell::DurationUs(transaction_us)),
    ]
}

fn counts(rows: &[Vec<(&'static str, Cell)>]) -> Report {
    let outcome = rows
        .iter()
        .fold(testkit::outcome(COUNTS), |outcome, row| outcome.row(row));
    interpret(&outcome.build())
}

#[test]
fn short_statements_and_long_idle_connections_are_calm() {
    let report = counts(&[
        row("active", 2_000_000, 2_000_000, 0),
        row("idle", 600 * MINUTE, 0, 0),
        row("idle in transaction", 1_000_000, 3_000_000, 0),
    ]);
    report.assert_calm();
    assert_eq!(
        report.insight_ids(),
        ["connections_by_state", "idle_in_transaction_session"]
    );
    assert_eq!(
        report.insights[0].reason,
        "running: 4, idle: 4, idle in a transaction: 4; waiting for a lock: 0"
    );
    assert_eq!(report.requested(OLDEST_XMIN).count(), 1);
}

#[test]
fn the_longest_statement_and_an_older_transaction_are_findings() {
    let report = counts(&[row("active", 30 * MINUTE, 90 * MINUTE, 0)]);
    assert_eq!(
        report.titles(),
        [
            "a transaction has been open for 90.0 min",
            "a statement has been running for 30.0 min"
        ]
    );
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.score, f.reason_codes[0].as_str()))
        .collect();
    assert_eq!(found, [(0.75, "long_transaction"), (0.5, "long_statement")]);
    let one = counts(&[row("active", 30 * MINUTE, 30 * MINUTE, 0)]);
    assert_eq!(one.findings.len(), 1, "the transaction is the statement's");
}

#[test]
fn those_who_wait_lead_to_the_tree() {
    let report = counts(&[row("active", 20_000_000, 20_000_000, 5)]);
    assert_eq!(report.findings[0].reason_codes, ["waiting_for_locks"]);
    assert_eq!(report.findings[0].score, 0.5);
    assert_eq!(report.workflows(), ["lock-tree"]);
}

#[test]
fn longer_never_scores_less() {
    let mut last = 0.0;
    for minutes in 0..300 {
        let score = counts(&[row("active", minutes * MINUTE, 0, 0)]).findings[0].score;
        assert!(score >= last, "{minutes}");
        last = score;
    }
    assert!(last > 0.8);
}

#[test]
fn maintenance_is_told_and_no_finding() {
    let running = [("running", Cell::DurationUs(120 * MINUTE))];
    let report = interpret(&testkit::outcome(VACUUMS).row(&running).build());
    assert_eq!(report.insight_ids(), ["maintenance_running"]);
    assert_eq!(
        report.insights[0].reason,
        "the longest has been running for 2.0 h; it makes progress that the rows show"
    );
    report.assert_calm();
    let none = interpret(&testkit::outcome(VACUUMS).build());
    assert_eq!(none.insight_ids(), ["no_maintenance_running"]);
}
