use pg_logstats_sdk::testkit::{self, ReportedStep, SessionRow, session_row};
use pg_logstats_sdk::{Cell, Outcome, OutcomeStatus};

use super::{evidence, interpret};

const SESSIONS: &str = "query_family.pg_stat_activity.by_dimensions";
const BLOCKING: &str = "running_query.blocking.by_pid";

fn sessions(rows: &[SessionRow]) -> Outcome {
    let outcome = testkit::outcome(SESSIONS).about(&evidence().families[0]);
    rows.iter().fold(outcome, |outcome, row| outcome.session(*row)).build()
}

#[test]
fn no_session_is_an_answer() {
    let report = interpret(&sessions(&[]));
    assert_eq!(report.insight_ids(), ["no_live_match_found"]);
    assert_eq!(report.findings[0].kind, pg_logstats_sdk::FindingKind::NothingFound);
    assert_eq!(report.findings[0].title, "no session matches now");
    // What else is known about the family.
    assert_eq!(report.offered("query_family.explain").count(), 1);
    assert_eq!(report.offered("query_family.pg_stat_statements.by_queryid").count(), 1);
    assert_eq!(report.offered(SESSIONS).count(), 0);
}

#[test]
fn one_active_session_is_told_by_its_subject() {
    let report = interpret(&sessions(&[session_row(7)]));
    assert_eq!(report.insight_ids(), ["live_match_found", "active_session_present"]);
    assert_eq!(report.insights[0].title, "one session matches: se_7");
    assert_eq!(
        report.insights[1].reason,
        "the longest statement has been running for 2.00 s"
    );
    assert_eq!(report.insights[1].evidence, ["se_7"]);
}

#[test]
fn waits_are_told_by_their_kind_and_a_lock_wait_leads_to_its_blockers() {
    let report = interpret(&sessions(&[
        SessionRow {
            wait: Some(("Lock", "transactionid")),
            ..session_row(1)
        },
        SessionRow {
            wait: Some(("Lock", "relation")),
            ..session_row(2)
        },
        SessionRow {
            wait: Some(("IO", "DataFileRead")),
            ..session_row(3)
        },
        SessionRow {
            wait: Some(("Client", "ClientWrite")),
            ..session_row(4)
        },
        SessionRow {
            wait: Some(("LWLock", "WALWrite")),
            ..session_row(5)
        },
    ]));
    assert_eq!(
        report.insight_ids(),
        [
            "multiple_matching_sessions",
            "active_session_present",
            "transactionid_lock_wait",
            "lock_wait_detected",
            "io_wait_detected",
            "client_wait_detected"
        ]
    );
    assert_eq!(report.insight("transactionid_lock_wait").unwrap().evidence, ["se_1"]);
    assert_eq!(report.insight("lock_wait_detected").unwrap().evidence, ["se_2"]);
    let bound: Vec<_> = report
        .requested(BLOCKING)
        .map(|request| request.bound("pid").unwrap())
        .collect();
    assert_eq!(bound, ["se_1", "se_2"]);
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.step == ReportedStep::RunWorkflow("locks".to_owned()))
    );
    assert!(
        report.insights.iter().all(|insight| insight.recommendation.is_none()),
        "no setting helps against a lock"
    );
}

#[test]
fn an_age_that_the_server_hides_is_not_taken_for_zero() {
    let ageless = |state, wait| SessionRow {
        state: Some(state),
        wait,
        state_age_us: None,
        query_age_us: None,
        ..session_row(1)
    };
    let report = interpret(&sessions(&[
        ageless("active", Some(("Lock", "transactionid"))),
        ageless("active", Some(("Lock", "tuple"))),
        ageless("idle in transaction", None),
    ]));
    let zero = |insight: &&testkit::ReportedInsight| insight.reason.contains("0 µs");
    assert_eq!(report.insights.iter().find(zero), None);
    assert_eq!(report.insights.len(), 5);
}

#[test]
fn an_idle_client_is_no_wait() {
    let idle = SessionRow {
        state: Some("idle"),
        wait: Some(("Client", "ClientRead")),
        ..session_row(1)
    };
    assert_eq!(interpret(&sessions(&[idle])).insight_ids(), ["live_match_found"]);
    let in_transaction = SessionRow {
        state: Some("idle in transaction"),
        wait: Some(("Client", "ClientRead")),
        query_age_us: None,
        ..session_row(1)
    };
    let report = interpret(&sessions(&[in_transaction]));
    assert_eq!(
        report.insight_ids(),
        [
            "live_match_found",
            "client_wait_detected",
            "idle_in_transaction_session"
        ]
    );
    assert_eq!(
        report.insights[2].reason,
        "the longest has done nothing for 2.00 s, and keeps its locks and its snapshot"
    );
}

#[test]
fn the_head_of_a_queue_is_told_and_the_rest_left_to_the_locks_runbook() {
    let edge = |pid, blocked: i64, depth: i64| SessionRow {
        blocked_pid: Some(blocked),
        depth: Some(depth),
        ..session_row(pid)
    };
    let head = SessionRow {
        state: Some("idle in transaction"),
        query_age_us: None,
        ..edge(9, 8, 2)
    };
    let outcome = testkit::outcome(BLOCKING).session(edge(8, 7, 1)).session(head).build();
    let report = interpret(&outcome);
    assert_eq!(report.insight_ids(), ["lock_queue_head", "idle_in_transaction_session"]);
    assert_eq!(
        report.insights[0].title,
        "se_9 is at the head of the lock queue; sessions that wait: 2"
    );
    assert_eq!(
        report.insights[0].reason,
        "it waits for nobody; depth of the chain of waits: 2"
    );
    let bound: Vec<_> = report
        .requested("running_query.pg_stat_activity.by_pid")
        .map(|r| r.bound("pid").unwrap())
        .collect();
    assert_eq!(bound, ["se_9"]);
    assert_eq!(
        interpret(&testkit::outcome(BLOCKING).build()).insight_ids(),
        ["no_blocker_found"]
    );
}

#[test]
fn where_the_rows_were_cut_before_the_head_of_the_queue_its_end_is_asked_about() {
    let last = SessionRow {
        wait: Some(("Lock", "transactionid")),
        blocked_pid: Some(7),
        depth: Some(1),
        ..session_row(8)
    };
    let outcome = testkit::outcome(BLOCKING)
        .session(last)
        .status(OutcomeStatus::Truncated)
        .build();
    let report = interpret(&outcome);
    assert_eq!(report.insight_ids(), ["lock_queue_cut"]);
    assert_eq!(
        report.insights[0].title,
        "se_8 holds others up and waits itself; sessions that wait: 1"
    );
    let bound: Vec<_> = report.requested(BLOCKING).map(|it| it.bound("pid").unwrap()).collect();
    assert_eq!(bound, ["se_8"]);
}

#[test]
fn statistics_of_all_roles_are_added_up() {
    let row = |calls, total: f64, max: f64, hit, read, written| {
        [
            ("calls", Cell::Int(calls)),
            ("total_exec_ms", Cell::Float(total)),
            ("max_exec_ms", Cell::Float(max)),
            ("rows", Cell::Int(5)),
            ("shared_blks_hit", Cell::Int(hit)),
            ("shared_blks_read", Cell::Int(read)),
            ("temp_blks_written", Cell::Int(written)),
        ]
    };
    let outcome = testkit::outcome("query_family.pg_stat_statements.by_queryid")
        .about(&evidence().families[0])
        .row(&row(10, 100.0, 20.0, 600, 100, 0))
        .row(&row(10, 100.0, 2_000.0, 300, 200, 7))
        .build();
    let report = interpret(&outcome);
    assert_eq!(
        report.insight_ids(),
        [
            "statistics_found",
            "uneven_execution_time",
            "blocks_read_from_outside_cache",
            "statements_writing_temp_blocks"
        ]
    );
    let family = evidence().families[0].id.clone();
    for insight in &report.insights {
        assert_eq!(insight.evidence, [family.as_str()], "{}", insight.id);
    }
    assert_eq!(
        report.insights[0].title,
        "the server counted 200.0 ms in all; executions: 20"
    );
    assert_eq!(
        report.insights[0].reason,
        "10.0 ms on average, 2.00 s at most; rows returned or changed: 10"
    );
    assert_eq!(
        report.insights[2].title,
        "25.0 % of the blocks it touched were not in shared buffers"
    );
    let partly = testkit::outcome("query_family.pg_stat_statements.by_queryid")
        .row(&[("calls", Cell::Int(3))])
        .build();
    assert!(
        interpret(&partly).insight_ids().is_empty(),
        "what is missing is not taken for zero"
    );
    let none = testkit::outcome("query_family.pg_stat_statements.by_queryid").build();
    assert_eq!(interpret(&none).insight_ids(), ["no_statistics_found"]);
}

#[test]
fn counters_of_temporary_files_are_read() {
    let counters = |files, bytes| {
        testkit::outcome("temp_file.pg_stat_database.temp_counters")
            .about(&evidence().temp_files[0])
            .row(&[
                ("temp_files", Cell::Int(files)),
                ("temp_bytes", Cell::Int(bytes)),
                ("stats_reset", Cell::At(0)),
            ])
            .build()
    };
    let report = interpret(&counters(3, 3 << 20));
    assert_eq!(report.insight_ids(), ["temp_files_volume_detected"]);
    assert_eq!(
        report.insights[0].title,
        "the database wrote 3.0 MiB of temporary files"
    );
    assert_eq!(
        report.insights[0].reason,
        "since 1970-01-01T00:00:00Z; number of files: 3"
    );
    assert_eq!(report.insights[0].evidence, [evidence().temp_files[0].id.as_str()]);
    assert_eq!(report.offered("temp_file.pg_stat_statements.temp_blocks").count(), 1);
    assert_eq!(interpret(&counters(0, 0)).insight_ids(), ["no_temp_files_found"]);
    let renamed = testkit::outcome("temp_file.pg_stat_database.temp_counters")
        .row(&[("files", Cell::Int(3))])
        .build();
    assert_eq!(
        interpret(&renamed).limitations,
        ["the result had not the columns that this runbook reads; a newer runbook may be needed"]
    );
}
