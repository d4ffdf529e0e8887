//! Sessions, and who blocks one.

use pg_logstats_sdk::testkit::{SessionRow, session_row};
use pg_logstats_sdk::{Confidence, OutcomeStatus, Recommendation};

use super::*;

const SESSIONS: &str = "query_family.pg_stat_activity.by_dimensions";
const SESSION: &str = "running_query.pg_stat_activity.by_pid";
const BLOCKING: &str = "running_query.blocking.by_pid";
const OLDEST_XMIN: &str = "wraparound.pg_stat_activity.oldest_xmin";
const MINUTE: i64 = 60_000_000;

fn running(pid: i32, us: i64) -> SessionRow {
    SessionRow {
        state_age_us: Some(us),
        query_age_us: Some(us),
        ..session_row(pid)
    }
}

fn idle(pid: i32, us: i64) -> SessionRow {
    SessionRow {
        state: Some("idle in transaction"),
        state_age_us: Some(us),
        query_age_us: None,
        ..session_row(pid)
    }
}

fn rows(action: &str, rows: &[SessionRow]) -> Report {
    let outcome = testkit::outcome(action);
    interpret(&rows.iter().fold(outcome, |outcome, row| outcome.session(*row)).build())
}

#[test]
fn sessions_at_everyday_work_are_calm() {
    let report = rows(SESSIONS, &[session_row(7), running(8, MINUTE), idle(9, 1_000_000)]);
    report.assert_calm();
    assert_eq!(report.insight_ids(), ["sessions_found", "waits_by_type"]);
    assert_eq!(report.insights[0].evidence, ["se_7", "se_8", "se_9"]);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn waits_are_told_by_type() {
    let waits = |pid, wait| SessionRow {
        wait: Some(wait),
        ..session_row(pid)
    };
    let report = rows(
        SESSIONS,
        &[
            session_row(1),
            waits(2, ("Lock", "transactionid")),
            waits(3, ("Lock", "relation")),
            waits(4, ("IO", "DataFileRead")),
            waits(5, ("Client", "ClientWrite")),
            waits(6, ("LWLock", "WALWrite")),
        ],
    );
    assert_eq!(
        report.insights[1].reason,
        "at work: 1; waiting for locks: 2, for files: 1, for their client: 1, for others: 1"
    );
}

/// What `longest` returns of a session that runs for so long, where the logs have so many executions, the longest of a second.
fn longest(us: i64, executions: u64, is_query: bool, wait: Option<(&'static str, &'static str)>) -> Report {
    let family = pg_logstats_sdk::QueryFamily {
        execution_count: executions,
        max_duration_us: 1_000_000,
        ..testkit::family(1)
    };
    let evidence = testkit::evidence().family(family).build();
    let row = SessionRow { wait, ..running(7, us) };
    let mut outcome = testkit::outcome("running_query.pg_stat_activity.longest")
        .session(row)
        .build();
    let at = outcome.columns.iter().position(|column| column == "is_query").unwrap();
    outcome.rows[0].cells[at] = pg_logstats_sdk::Cell::Boolean(is_query);
    // The server looks at the clock again for the age of the transaction, which began with the statement.
    let at = outcome
        .columns
        .iter()
        .position(|column| column == "transaction_age")
        .unwrap();
    outcome.rows[0].cells[at] = pg_logstats_sdk::Cell::DurationUs(us + 3);
    testkit::interpret(&RunningQueries, &evidence, &outcome).unwrap()
}

#[test]
fn what_only_reads_and_runs_far_beyond_all_in_the_logs_may_be_ended() {
    let report = longest(2 * MINUTE, 1_000, true, None);
    let insight = report.insight("runaway_statement").unwrap();
    assert_eq!(
        insight.title,
        "se_7 has been reading for 2.0 min, far beyond what is usual here"
    );
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::EndSession("se_7".to_owned()))
    );
    assert_eq!(insight.confidence, Confidence::High);
    assert!(
        (0.28..0.29).contains(&report.findings[0].score),
        "{}",
        report.findings[0].score
    );
    for (report, why) in [
        (
            longest(2 * MINUTE, 99, true, None),
            "too few executions tell what is usual",
        ),
        (longest(MINUTE, 1_000, true, None), "not long enough for anybody to act"),
        (
            longest(5 * MINUTE, 1_000, false, None),
            "it may write, or be maintenance",
        ),
        (
            longest(5 * MINUTE, 1_000, true, Some(("Lock", "relation"))),
            "it waits for another",
        ),
        (
            longest(5 * MINUTE, 1_000, true, Some(("Client", "ClientWrite"))),
            "it waits for its client",
        ),
    ] {
        assert_eq!(report.recommendations(), 0, "{why}: {report:#?}");
    }
}

#[test]
fn a_long_statement_is_for_a_person_to_weigh_up_and_not_to_be_ended() {
    let report = rows(SESSION, &[running(9, 30 * MINUTE)]);
    assert_eq!(report.titles(), ["the statement of se_9 has been running for 30.0 min"]);
    let finding = &report.findings[0];
    assert_eq!((finding.kind, finding.score), (FindingKind::QueryFamily, 0.5));
    assert_eq!(finding.subject.as_deref(), Some("se_9"));
    assert_eq!(finding.reason, "it waits for nothing, so it is at work");
    assert_eq!(report.recommendations(), 0);
    assert_eq!(report.labels()[0], "let a person decide whether se_9 should go on");
    assert_eq!(report.workflows(), ["lock-tree"]);
    assert_eq!(report.requested(OLDEST_XMIN).count(), 1);
    assert_eq!(
        report.insight_ids(),
        ["sessions_found", "waits_by_type", "long_running"]
    );
}

#[test]
fn a_transaction_older_than_its_statement_is_told_by_its_age() {
    let mut outcome = testkit::outcome(SESSION).session(running(9, MINUTE)).build();
    let columns = outcome.columns.clone();
    for (column, cell) in columns.iter().zip(&mut outcome.rows[0].cells) {
        match column.as_str() {
            "xact_start" => *cell = Cell::At(0),
            "query_start" => *cell = Cell::At(29 * MINUTE),
            _ => {}
        }
    }
    let report = interpret(&outcome);
    assert_eq!(report.titles(), ["the transaction of se_9 has been open for 30.0 min"]);
    assert_eq!(report.findings[0].reason_codes, ["long_transaction"]);
    assert!(
        !report.insight_ids().contains(&"long_running"),
        "the statement is short"
    );
}

#[test]
fn an_idle_transaction_is_not_to_be_ended_before_it_is_seen_to_harm() {
    let report = rows(SESSION, &[idle(9, 20 * MINUTE)]);
    assert_eq!(report.titles(), ["se_9 has been idle in its transaction for 20.0 min"]);
    assert_eq!(report.findings[0].reason_codes, ["idle_in_transaction"]);
    assert!((report.findings[0].score - 0.8).abs() < 1e-9);
    assert_eq!(report.recommendations(), 0);
    assert_eq!(report.workflows(), ["lock-tree"]);
}

#[test]
fn one_that_waits_for_a_lock_leads_to_who_holds_it() {
    let waiting = SessionRow {
        wait: Some(("Lock", "tuple")),
        ..running(9, MINUTE)
    };
    let report = rows(SESSIONS, &[waiting]);
    let finding = &report.findings[0];
    assert_eq!(
        (finding.kind, finding.score, finding.confidence),
        (FindingKind::LockWait, 0.5, Confidence::Medium)
    );
    let offer = report.offered(BLOCKING).next().unwrap();
    assert_eq!(
        (offer.priority, offer.findings.as_slice()),
        (Priority::Required, [0].as_slice())
    );
    let hidden = rows(
        SESSIONS,
        &[SessionRow {
            is_hidden: true,
            ..waiting
        }],
    );
    assert_eq!(hidden.findings[0].reason_codes, ["waiting_for_locks", "hidden_session"]);
    assert_eq!(hidden.workflows(), ["lock-tree"]);
}

#[test]
fn the_worst_sessions_come_first_and_only_some() {
    let all: Vec<SessionRow> = (1..=20).map(|n| running(n, i64::from(n) * 10 * MINUTE)).collect();
    let report = rows(SESSIONS, &all);
    assert_eq!(report.findings.len(), 5);
    assert_eq!(report.findings[0].subject.as_deref(), Some("se_20"));
    assert!(report.next_actions.len() <= 20);
}

#[test]
fn longer_never_scores_less() {
    for make in [running as fn(i32, i64) -> SessionRow, idle] {
        let mut last = 0.0;
        for minutes in 0..200 {
            let score = rows(SESSION, &[make(9, minutes * MINUTE)]).findings[0].score;
            assert!(score >= last, "{minutes}");
            last = score;
        }
        assert!(last > 0.8);
    }
}

fn edge(row: SessionRow, blocked: i64) -> SessionRow {
    SessionRow {
        blocked_pid: Some(blocked),
        depth: Some(1),
        ..row
    }
}

#[test]
fn an_idle_holder_may_be_ended_and_one_that_works_may_not() {
    let report = rows(BLOCKING, &[edge(idle(9, 5 * MINUTE), 8)]);
    assert_eq!(report.titles(), ["se_9 holds others up; sessions that wait: 1"]);
    assert_eq!(report.findings[0].score, 0.5);
    assert_eq!(report.findings[0].reason_codes, ["queue_head", "idle_in_transaction"]);
    let end = Some(Recommendation::EndSession("se_9".to_owned()));
    assert_eq!(report.insights[1].recommendation, end);
    assert_eq!(report.next_actions[0].findings, [0]);
    assert_eq!(report.workflows(), ["lock-tree"]);

    let pause = rows(BLOCKING, &[edge(idle(9, 1_000_000), 8)]);
    assert_eq!(pause.insight_ids(), ["lock_queue_head", "idle_in_transaction_holder"]);
    assert_eq!(pause.recommendations(), 0, "it may go on the next moment");
    assert!(pause.findings[0].score < 0.2);

    let works = rows(BLOCKING, &[edge(running(9, 5 * MINUTE), 8)]);
    assert_eq!(works.insight_ids(), ["lock_queue_head", "active_holder"]);
    assert_eq!(works.recommendations(), 0);
}

#[test]
fn prepared_transactions_hidden_sessions_and_circles_are_told() {
    let prepared = rows(
        BLOCKING,
        &[edge(
            SessionRow {
                is_hidden: true,
                state: None,
                ..session_row(0)
            },
            8,
        )],
    );
    assert_eq!(
        prepared.findings[0].reason_codes,
        ["queue_head", "prepared_transaction"]
    );
    let hidden = rows(
        BLOCKING,
        &[edge(
            SessionRow {
                is_hidden: true,
                state: None,
                ..session_row(9)
            },
            8,
        )],
    );
    assert_eq!(hidden.findings[0].reason_codes, ["queue_head", "hidden_session"]);
    let circle = rows(BLOCKING, &[edge(session_row(8), 7), edge(session_row(7), 8)]);
    assert_eq!(circle.findings[0].kind, FindingKind::Deadlock);
    assert_eq!(circle.insight_ids(), ["lock_cycle"]);
    let nobody = rows(BLOCKING, &[]);
    assert_eq!(nobody.insight_ids(), ["nobody_waits"]);
    nobody.assert_calm();
}

#[test]
fn of_a_truncated_outcome_counts_are_lower_bounds_and_calm_is_less_sure() {
    let outcome = testkit::outcome(SESSIONS)
        .session(session_row(7))
        .session(session_row(8));
    let whole = interpret(&outcome.clone().build());
    assert_eq!(whole.findings[0].confidence, Confidence::Medium);
    let cut = interpret(&outcome.status(OutcomeStatus::Truncated).build());
    cut.assert_calm();
    assert_eq!(cut.insights[0].title, whole.insights[0].title);
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
        ..edge(running(9, 5 * MINUTE), 8)
    };
    let outcome = testkit::outcome(BLOCKING)
        .session(last)
        .status(OutcomeStatus::Truncated);
    let report = interpret(&outcome.build());
    assert_eq!(report.insight_ids(), ["lock_queue_cut"]);
    assert_eq!(report.titles(), ["se_9 holds others up; sessions that wait: 1"]);
    assert_eq!(
        report.findings[0].reason,
        "the rows do not tell whom it waits for, so the head of the queue is behind it"
    );
    assert_eq!(report.findings[0].reason_codes, [""; 0]);
    let asked = report.offered(BLOCKING).next().unwrap();
    assert_eq!(
        (asked.priority, asked.findings.as_slice()),
        (Priority::Required, [0].as_slice())
    );
}

#[test]
fn what_the_evidence_knows_is_looked_up() {
    let evidence = testkit::evidence()
        .family(testkit::family(1))
        .live_session(21)
        .live_session(22)
        .build();
    let report = testkit::triage(&RunningQueries, &evidence).unwrap();
    let pids: Vec<_> = report
        .requested(SESSION)
        .filter_map(|request| request.bound("pid"))
        .collect();
    assert_eq!(pids, ["se_22", "se_21"]);
    assert_eq!(report.requested(SESSIONS).count(), 1);
}
