//! What the other actions return, and what the logs add to the offers.

use pg_logstats_sdk::testkit::{SessionRow, session_row};

use super::*;

const SETTINGS: &str = "connection_pressure.pg_settings.relevant";
const SESSIONS: &str = "error_class.pg_stat_activity.by_dimensions";

fn settings(rows: &[(&str, &str, bool)]) -> Report {
    let outcome = rows.iter().fold(testkit::outcome(SETTINGS), |outcome, row| {
        outcome.row(&[
            ("name", text(row.0)),
            ("setting", text(row.1)),
            ("is_pending_restart", Cell::Boolean(row.2)),
        ])
    });
    interpret(&outcome.build())
}

#[test]
fn reserved_slots_are_counted() {
    let usual = settings(&[
        ("max_connections", "100", false),
        ("superuser_reserved_connections", "3", false),
        ("idle_in_transaction_session_timeout", "60000", false),
    ]);
    assert_eq!(usual.insight_ids(), ["reserved_slots"]);
    assert_eq!(usual.insights[0].title, "slots that are reserved: 3 of 100");
    assert_eq!(
        usual.insights[0].reason,
        "for superusers: 3; for roles of pg_use_reserved_connections: 0; all others are refused before"
    );
    usual.assert_calm();
    let many = settings(&[
        ("max_connections", "50", false),
        ("superuser_reserved_connections", "3", false),
        ("reserved_connections", "10", false),
    ]);
    assert_eq!(
        many.insights[0].reason,
        "26.0 % of all slots is more than administration needs: others are refused that early"
    );
}

#[test]
fn what_waits_for_a_restart_and_what_nothing_ends_is_told() {
    let report = settings(&[
        ("max_connections", "100", true),
        ("idle_in_transaction_session_timeout", "0", false),
    ]);
    assert_eq!(
        report.insight_ids(),
        ["reserved_slots", "setting_needs_restart", "no_idle_limit"]
    );
    report.assert_calm();
    assert!(settings(&[("max_connections", "many", false)]).insights.is_empty());
}

fn sessions(rows: &[SessionRow]) -> Report {
    let outcome = rows
        .iter()
        .fold(testkit::outcome(SESSIONS), |outcome, row| outcome.session(*row));
    interpret(&outcome.build())
}

#[test]
fn sessions_that_work_are_calm_and_a_forgotten_one_is_a_finding() {
    let report = sessions(&[session_row(7), session_row(8)]);
    report.assert_calm();
    assert_eq!(report.insights[0].reason, "running: 2; idle in a transaction: 0");
    let idle = SessionRow {
        state: Some("idle in transaction"),
        state_age_us: Some(300_000_000),
        query_age_us: None,
        ..session_row(9)
    };
    let report = sessions(&[session_row(7), idle]);
    assert_eq!(
        report.titles(),
        ["sessions that match and are idle in a transaction: 1"]
    );
    assert_eq!(report.findings[0].score, 0.5);
    assert_eq!(report.insights[1].evidence, ["se_9"]);
    assert_eq!(report.workflows(), ["running-queries"]);
    assert_eq!(report.recommendations(), 0, "whether it harms anyone is not seen here");
}

#[test]
fn sessions_that_wait_for_locks_lead_to_the_tree() {
    let waiting = SessionRow {
        wait: Some(("Lock", "relation")),
        ..session_row(9)
    };
    let report = sessions(&[waiting]);
    assert_eq!(report.findings[0].reason_codes, ["waiting_for_locks"]);
    assert_eq!(report.workflows(), ["lock-tree"]);
}

#[test]
fn groups_of_the_logs_are_looked_up_and_the_logs_left_to_their_runbook() {
    let evidence = testkit::evidence()
        .connection(testkit::connection(1))
        .connection(testkit::connection(2))
        .connection(testkit::connection(3))
        .build();
    let report = testkit::triage(&ConnectionPressure, &evidence).unwrap();
    let bound: Vec<_> = report
        .requested(SESSIONS)
        .filter_map(|request| request.bound("user"))
        .collect();
    assert_eq!(bound, ["cn_0000000000000001", "cn_0000000000000002"]);
    assert_eq!(report.workflows(), ["connections"]);
}
