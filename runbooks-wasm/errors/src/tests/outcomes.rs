use pg_logstats_sdk::testkit::{self, Report, ReportedStep, SessionRow, session_row};
use pg_logstats_sdk::{Evidence, FindingKind, Outcome, OutcomeStatus};

use super::{SESSIONS, class, has_workflow};
use crate::Errors;

fn evidence() -> Evidence {
    testkit::evidence()
        .family(testkit::family(1))
        .error_class(class("55P03", 10))
        .build()
}

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&Errors, &evidence(), outcome).unwrap()
}

fn sessions(rows: impl IntoIterator<Item = SessionRow>) -> Report {
    let outcome = testkit::outcome(SESSIONS).about(&evidence().errors[0]);
    interpret(
        &rows
            .into_iter()
            .fold(outcome, |outcome, row| outcome.session(row))
            .build(),
    )
}

#[test]
fn nobody_connected_is_nothing_found() {
    let report = sessions([]);
    assert_eq!(report.insight_ids(), ["no_live_match_found"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn who_waits_for_a_lock_is_handed_on() {
    let waits = SessionRow {
        wait: Some(("Lock", "transactionid")),
        ..session_row(31)
    };
    let report = sessions([session_row(30), waits]);
    assert_eq!(
        report.insight_ids(),
        [
            "multiple_matching_sessions",
            "active_session_present",
            "transactionid_lock_wait"
        ]
    );
    assert_eq!(report.offered("running_query.blocking.by_pid").count(), 1);
    assert!(has_workflow(&report, "locks"));
    // Working sessions are no alarm.
    let working = sessions([session_row(30)]);
    assert_eq!(working.insight_ids(), ["live_match_found", "active_session_present"]);
    assert_eq!(working.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn an_action_that_gave_no_answer_says_why_and_who_can_help() {
    let evidence = evidence();
    testkit::check_failures(&Errors, &evidence, &[&evidence.families[0]], |outcome, report| {
        report.assert_not_offered_again(&outcome.action);
    })
    .unwrap();
}

#[test]
fn a_truncated_outcome_is_judged_and_said_to_be_one() {
    let outcome = testkit::outcome(SESSIONS)
        .session(session_row(30))
        .status(OutcomeStatus::Truncated);
    let report = interpret(&outcome.build());
    assert_eq!(report.insights[0].id, "live_match_found");
    assert_eq!(
        report.limitations,
        ["there was more than the action may return, so counts are lower bounds; rows that were judged: 1"]
    );
}

#[test]
fn the_statement_that_failed_is_looked_into_further() {
    let outcome = testkit::outcome("query_family.pg_stat_statements.by_queryid").about(&evidence().families[0]);
    let report = interpret(&outcome.build());
    assert_eq!(report.insight_ids(), ["no_statistics_found"]);
    assert_eq!(report.offered("query_family.explain").count(), 1);
}
