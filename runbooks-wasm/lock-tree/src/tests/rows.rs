//! What the other actions return.

use pg_logstats_sdk::testkit::{SessionRow, session_row};
use pg_logstats_sdk::{Recommendation, Setting};

use super::*;

const PREPARED: &str = "prepared_transaction.pg_prepared_xacts.open";
const SETTINGS: &str = "lock_wait.pg_settings.relevant";
const SESSION: &str = "running_query.pg_stat_activity.by_pid";

fn prepared(age_us: i64, xid_age: i64) -> Report {
    let row = [("age", Cell::DurationUs(age_us)), ("xid_age", Cell::Int(xid_age))];
    interpret(&testkit::outcome(PREPARED).row(&row).build())
}

#[test]
fn a_prepared_transaction_counts_when_nobody_ends_it() {
    let report = prepared(3_600_000_000, 5);
    assert_eq!(report.titles(), ["prepared transactions that are open: 1"]);
    assert_eq!(
        report.findings[0].reason,
        "the oldest was prepared 60.0 min ago, and has no session to end it"
    );
    assert!(report.findings[0].score > 0.9);
    assert_eq!(report.next_actions[0].step, ReportedStep::PromptUser);
    assert_eq!(
        prepared(5_000_000, 10_000_000).findings[0].score,
        0.5,
        "by what it holds back"
    );
    prepared(2_000_000, 100).assert_calm();
}

fn settings(rows: &[(&str, &str)]) -> Report {
    let outcome = rows
        .iter()
        .fold(testkit::outcome(SETTINGS), |outcome, (name, setting)| {
            outcome.row(&[("name", text(name)), ("setting", text(setting))])
        });
    interpret(&outcome.build())
}

#[test]
fn blind_logs_come_with_advice_and_other_settings_with_a_word() {
    let report = settings(&[
        ("idle_in_transaction_session_timeout", "0"),
        ("lock_timeout", "0"),
        ("log_lock_waits", "off"),
    ]);
    assert_eq!(
        report.insight_ids(),
        ["lock_waits_not_logged", "no_idle_limit", "no_lock_timeout"]
    );
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::parameter(Setting::LogLockWaits, 1))
    );
    assert_eq!(report.recommendations(), 1);
    assert!(report.findings.iter().all(|finding| finding.score == 0.0));
}

#[test]
fn settings_that_are_set_are_no_word_worth() {
    let report = settings(&[
        ("idle_in_transaction_session_timeout", "60000"),
        ("lock_timeout", "5000"),
        ("log_lock_waits", "on"),
    ]);
    assert!(report.insights.is_empty());
    report.assert_calm();
}

#[test]
fn a_session_is_told_with_what_it_does() {
    let reason = |row: SessionRow| {
        interpret(&testkit::outcome(SESSION).session(row).build()).insights[0]
            .reason
            .clone()
    };
    assert_eq!(reason(session_row(9)), "its statement has been running for 2.00 s");
    let idle = SessionRow {
        state: Some("idle in transaction"),
        query_age_us: None,
        ..session_row(9)
    };
    assert_eq!(reason(idle), "it has been idle in its transaction for 2.00 s");
    let hidden = SessionRow {
        state: None,
        is_hidden: true,
        ..session_row(9)
    };
    assert_eq!(
        reason(hidden),
        "it runs nothing and has no transaction open, or the server does not show what it does"
    );
    let gone = interpret(&testkit::outcome(SESSION).build());
    assert_eq!(gone.insight_ids(), ["session_gone"]);
    assert_eq!(gone.requested("lock_wait.pg_locks.tree").count(), 1);
}

#[test]
fn lock_waits_in_the_logs_are_left_to_the_runbook_for_them() {
    let evidence = testkit::evidence().lock_wait(testkit::lock_wait(1, 7, &[8])).build();
    let report = testkit::triage(&LockTree, &evidence).unwrap();
    assert_eq!(report.workflows(), ["locks"]);
    let none = testkit::triage(&LockTree, &testkit::evidence().build()).unwrap();
    assert!(none.workflows().is_empty());
}

#[test]
fn a_truncated_outcome_is_judged_and_said_to_be_one() {
    let row = [("age", Cell::DurationUs(3_600_000_000))];
    let outcome = testkit::outcome(PREPARED)
        .row(&row)
        .status(OutcomeStatus::Truncated)
        .build();
    let report = interpret(&outcome);
    assert_eq!(report.insight_ids(), ["prepared_transactions_open"]);
    assert_eq!(
        report.limitations,
        ["there was more than the action may return, so counts are lower bounds; rows that were judged: 1"]
    );
}

#[test]
fn a_forgotten_prepared_transaction_gets_its_sql_and_one_in_flight_does_not() {
    let row = |age_us| [("age", Cell::DurationUs(age_us)), ("xid_age", Cell::Int(5))];
    let outcome = testkit::outcome(PREPARED)
        .object(1, &row(3_600_000_000))
        .object(2, &row(2_000_000))
        .build();
    let report = interpret(&outcome);
    let insights = report.insights.iter();
    let advised: Vec<_> = insights.filter_map(|insight| insight.recommendation.clone()).collect();
    assert_eq!(advised, [Recommendation::RollbackPrepared("pt_1".to_owned())]);
    assert_eq!(report.prompts().len(), 1);
}
