use pg_logstats_sdk::testkit::{self, Report, ReportedStep, SessionRow, session_row};
use pg_logstats_sdk::{Confidence, Evidence, FindingKind, Outcome, OutcomeStatus, Priority, Recommendation};

use crate::Locks;

const BLOCKING: &str = "running_query.blocking.by_pid";
const SESSION: &str = "running_query.pg_stat_activity.by_pid";
const SESSIONS: &str = "query_family.pg_stat_activity.by_dimensions";

fn evidence() -> Evidence {
    testkit::evidence()
        .family(testkit::family(1))
        .lock_wait(testkit::lock_wait(1, 7, &[8]))
        .build()
}

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&Locks, &evidence(), outcome).unwrap()
}

fn edge(pid: i32, blocked_pid: i64, depth: i64) -> SessionRow {
    SessionRow {
        blocked_pid: Some(blocked_pid),
        depth: Some(depth),
        ..session_row(pid)
    }
}

fn tree(rows: &[SessionRow]) -> Report {
    let outcome = testkit::outcome(BLOCKING).about(&evidence().lock_waits[0].waiter);
    interpret(&rows.iter().fold(outcome, |outcome, row| outcome.session(*row)).build())
}

fn recommends_to_end(report: &Report) -> bool {
    report
        .insights
        .iter()
        .any(|insight| matches!(insight.recommendation, Some(Recommendation::EndSession(_))))
}

#[test]
fn an_idle_holder_may_be_ended_by_a_persons_decision() {
    let head = SessionRow {
        state: Some("idle in transaction"),
        state_age_us: Some(300_000_000),
        query_age_us: None,
        ..edge(9, 8, 2)
    };
    let waiting = SessionRow {
        wait: Some(("Lock", "transactionid")),
        ..edge(8, 7, 1)
    };
    let report = tree(&[waiting, head]);
    assert_eq!(
        report.insight_ids(),
        ["lock_queue_head", "idle_in_transaction_holder", "lock_chain"]
    );
    assert_eq!(
        report.insights[0].title,
        "se_9 is at the head of the lock queue; sessions that wait: 2"
    );
    assert_eq!(
        report.insights[1].recommendation,
        Some(Recommendation::EndSession("se_9".to_owned()))
    );
    assert_eq!(report.insights[2].title, "the chain of waits is 2 deep");
    let decide = &report.next_actions[0];
    assert_eq!(
        (decide.step.clone(), decide.judgement_required),
        (ReportedStep::PromptUser, true)
    );
    assert_eq!(decide.priority, Priority::Required);
    assert_eq!(
        decide.reason,
        "it has been idle in its transaction for 5.0 min; ending it rolls its work back and lets the others go on"
    );
    assert_eq!(report.requested(SESSION).count(), 0, "the tree has shown all of it");
}

#[test]
fn an_age_that_the_server_hides_is_not_taken_for_zero() {
    let head = SessionRow {
        state: Some("idle in transaction"),
        state_age_us: None,
        query_age_us: None,
        ..edge(9, 7, 1)
    };
    let report = tree(&[head]);
    assert!(recommends_to_end(&report));
    assert_eq!(
        report.next_actions[0].reason,
        "it is idle in its transaction; ending it rolls its work back and lets the others go on"
    );
    assert!(report.insights.iter().all(|insight| !insight.reason.contains("0 µs")));
}

#[test]
fn a_holder_that_works_is_not_to_be_ended() {
    let report = tree(&[edge(9, 7, 1)]);
    assert_eq!(report.insight_ids(), ["lock_queue_head", "active_holder"]);
    assert!(!recommends_to_end(&report));
    assert_eq!(report.insights[1].reason, "its statement has been running for 2.00 s");
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.label == "let a person decide what to do about se_9")
    );
}

#[test]
fn several_heads_are_told_each_once() {
    let report = tree(&[edge(9, 7, 1), edge(10, 7, 1), edge(10, 6, 1)]);
    let heads: Vec<_> = report
        .insights
        .iter()
        .filter(|i| i.id == "lock_queue_head")
        .map(|i| i.evidence[0].as_str())
        .collect();
    assert_eq!(heads, ["se_9", "se_10"]);
}

#[test]
fn a_circle_has_no_head() {
    let report = tree(&[edge(8, 7, 1), edge(7, 8, 2)]);
    assert_eq!(report.insight_ids(), ["lock_chain", "lock_cycle"]);
    assert_eq!(report.insights[1].evidence, ["se_8", "se_7"]);
    assert!(!recommends_to_end(&report));
}

#[test]
fn a_prepared_transaction_and_a_hidden_session_are_for_a_person() {
    let prepared = SessionRow {
        is_hidden: true,
        state: None,
        ..edge(0, 7, 1)
    };
    let report = tree(&[prepared]);
    assert_eq!(report.insight_ids(), ["prepared_transaction_holder"]);
    assert_eq!(
        report.next_actions[0].label,
        "let a person commit or roll back the prepared transaction"
    );
    let hidden = SessionRow {
        is_hidden: true,
        state: None,
        ..edge(9, 7, 1)
    };
    let report = tree(&[hidden]);
    assert_eq!(
        report.next_actions[0].label,
        "let a person look at the session at the head of the queue"
    );
    assert!(!recommends_to_end(&report));
}

#[test]
fn nobody_waiting_any_more_ends_the_search() {
    let report = tree(&[]);
    assert_eq!(report.insight_ids(), ["nobody_waits"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.next_actions.len(), 1);
    assert_eq!(report.next_actions[0].reason, "nobody waits for a lock any more");
}

#[test]
fn an_idle_session_alone_is_not_to_be_ended_before_the_tree_shows_that_it_holds() {
    let idle = SessionRow {
        state: Some("idle in transaction"),
        query_age_us: None,
        ..session_row(8)
    };
    let holder = evidence().lock_waits[0].holders[0].clone();
    let report = interpret(&testkit::outcome(SESSION).about(&holder).session(idle).build());
    assert_eq!(
        report.insight_ids(),
        ["live_match_found", "idle_in_transaction_session"]
    );
    assert!(!recommends_to_end(&report));
    assert_eq!(
        report.insights[1].reason,
        "it held others up in the log, has done nothing for 2.00 s, and keeps its locks"
    );
    let asked: Vec<_> = report
        .requested(BLOCKING)
        .map(|request| request.bound("pid").unwrap())
        .collect();
    assert_eq!(asked, ["se_7"]);
}

#[test]
fn an_idle_session_that_the_log_does_not_know_leads_to_the_other_live_sessions() {
    let idle = SessionRow {
        state: Some("idle in transaction"),
        query_age_us: None,
        ..session_row(21)
    };
    let evidence = testkit::evidence()
        .live_session(20)
        .live_session(21)
        .live_session(22)
        .build();
    let outcome = testkit::outcome(SESSION)
        .about(&testkit::session(21))
        .session(idle)
        .build();
    let report = testkit::interpret(&Locks, &evidence, &outcome).unwrap();
    assert_eq!(
        report.insight_ids(),
        ["live_match_found", "idle_in_transaction_session"]
    );
    let asked: Vec<_> = report
        .requested(BLOCKING)
        .map(|request| request.bound("pid").unwrap())
        .collect();
    assert_eq!(asked, ["se_22", "se_20"]);
}

#[test]
fn a_holder_that_works_leads_to_those_who_waited_for_it() {
    let holder = evidence().lock_waits[0].holders[0].clone();
    let report = interpret(&testkit::outcome(SESSION).about(&holder).session(session_row(8)).build());
    assert_eq!(report.insight_ids(), ["live_match_found", "active_session_present"]);
    let asked = report.offered(BLOCKING).next().unwrap();
    assert_eq!(asked.reason, "it waited for se_8; the tree shows whether it still does");
    let gone = interpret(&testkit::outcome(SESSION).about(&holder).build());
    assert_eq!(gone.insight_ids(), ["no_live_match_found"]);
    assert_eq!(gone.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn a_waiting_session_leads_to_its_blockers() {
    let waiting = |pid, event| SessionRow {
        wait: Some(("Lock", event)),
        ..session_row(pid)
    };
    let outcome = testkit::outcome(SESSIONS)
        .about(&evidence().families[0])
        .session(waiting(21, "transactionid"))
        .session(waiting(22, "relation"))
        .build();
    let report = interpret(&outcome);
    assert_eq!(
        report.insight_ids(),
        [
            "multiple_matching_sessions",
            "active_session_present",
            "transactionid_lock_wait",
            "lock_wait_detected"
        ]
    );
    let asked: Vec<_> = report
        .requested(BLOCKING)
        .map(|request| request.bound("pid").unwrap())
        .collect();
    assert_eq!(asked, ["se_21", "se_22"]);
    assert!(report.offered(BLOCKING).all(|next| next.priority == Priority::Required));
}

#[test]
fn a_session_that_is_gone_is_told() {
    let report = interpret(
        &testkit::outcome(SESSION)
            .about(&evidence().lock_waits[0].waiter)
            .build(),
    );
    assert_eq!(report.insight_ids(), ["no_live_match_found"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn an_action_that_gave_no_answer_says_why() {
    let evidence = evidence();
    testkit::check_failures(&Locks, &evidence, &[], |_, report| {
        report.assert_left_to_a_person_or_stopped();
    })
    .unwrap();
}

#[test]
fn of_a_truncated_outcome_counts_are_lower_bounds_and_nobody_waits_less_surely() {
    let outcome = testkit::outcome(SESSIONS)
        .about(&evidence().families[0])
        .session(session_row(21))
        .session(session_row(22));
    let whole = interpret(&outcome.clone().build());
    assert_eq!(whole.insight("nobody_waits").unwrap().confidence, Confidence::Medium);
    let cut = interpret(&outcome.status(OutcomeStatus::Truncated).build());
    assert_eq!(cut.insight_ids(), whole.insight_ids());
    assert_eq!(cut.insight("nobody_waits").unwrap().confidence, Confidence::Low);
    assert_eq!(cut.findings[0].confidence, Confidence::Low);
    assert_eq!(
        cut.limitations,
        ["there was more than the action may return, so counts are lower bounds; rows that were judged: 2"]
    );
}

#[test]
fn a_tree_that_is_cut_before_the_head_of_the_queue_leads_to_the_rest_of_it() {
    let last = SessionRow {
        wait: Some(("Lock", "transactionid")),
        ..edge(9, 8, 2)
    };
    let outcome = testkit::outcome(BLOCKING)
        .about(&evidence().lock_waits[0].waiter)
        .session(edge(8, 7, 1))
        .session(last)
        .status(OutcomeStatus::Truncated);
    let report = interpret(&outcome.build());
    assert_eq!(report.insight_ids(), ["lock_queue_cut", "lock_chain"]);
    assert_eq!(report.insights[0].evidence, ["se_9"]);
    let asked = report.offered(BLOCKING).next().unwrap();
    assert_eq!(
        (asked.label.as_str(), asked.priority),
        ("look at who blocks the session se_9", Priority::Required)
    );
    assert_eq!(report.limitations.len(), 1);
}

#[test]
fn an_outcome_of_a_foreign_action_is_a_limitation() {
    let report = interpret(&testkit::outcome("query_family.explain").build());
    assert_eq!(
        report.limitations,
        ["this runbook does not know how to judge that action"]
    );
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
}
