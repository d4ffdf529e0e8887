//! The tree.

use pg_logstats_sdk::testkit::{SessionRow, session_row};
use pg_logstats_sdk::{Confidence, Recommendation};

use super::*;

const TREE: &str = "lock_wait.pg_locks.tree";
const SESSION: &str = "running_query.pg_stat_activity.by_pid";
const PREPARED: &str = "prepared_transaction.pg_prepared_xacts.open";
const SECOND: i64 = 1_000_000;

/// One row of the tree: `blocked` waits for `pid`.
#[derive(Clone, Copy)]
struct Edge {
    pid: i32,
    blocked: i64,
    depth: Option<i64>,
    state: &'static str,
    state_age: i64,
    kind: &'static str,
    requested: &'static str,
    held: Option<&'static str>,
    waited: Option<i64>,
    is_hidden: bool,
}

/// A row's lock, for half a minute, behind a session that works.
fn edge(pid: i32, blocked: i64) -> Edge {
    Edge {
        pid,
        blocked,
        depth: Some(1),
        state: "active",
        state_age: 40 * SECOND,
        kind: "transactionid",
        requested: "ShareLock",
        held: Some("ExclusiveLock"),
        waited: Some(30 * SECOND),
        is_hidden: false,
    }
}

fn idle(pid: i32, blocked: i64, idle: i64) -> Edge {
    Edge {
        state: "idle in transaction",
        state_age: idle,
        ..edge(pid, blocked)
    }
}

fn tree(edges: &[Edge]) -> Report {
    let int = |n: Option<i64>| n.map_or(Cell::Null, Cell::Int);
    let mut outcome = testkit::outcome(TREE);
    for edge in edges {
        let state = if edge.is_hidden { Cell::Null } else { text(edge.state) };
        outcome = outcome.row(&[
            ("pid", Cell::Int(i64::from(edge.pid))),
            ("state", state),
            ("state_age", Cell::DurationUs(edge.state_age)),
            ("blocked_pid", Cell::Int(edge.blocked)),
            ("depth", int(edge.depth)),
            ("lock_type", text(edge.kind)),
            ("requested_mode", text(edge.requested)),
            ("held_mode", edge.held.map_or(Cell::Null, text)),
            ("waited", edge.waited.map_or(Cell::Null, Cell::DurationUs)),
            ("is_hidden", Cell::Boolean(edge.is_hidden)),
        ]);
    }
    let mut outcome = outcome.build();
    for (row, edge) in outcome.rows.iter_mut().zip(edges) {
        row.subject = (!edge.is_hidden && edge.pid != 0).then(|| testkit::session(edge.pid));
    }
    interpret(&outcome)
}

#[test]
fn nobody_waiting_ends_the_search() {
    let report = interpret(&testkit::outcome(TREE).build());
    assert_eq!(report.insight_ids(), ["nobody_waits"]);
    report.assert_calm();
    assert_eq!(report.findings[0].title, "nobody waits for a lock");
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn one_that_waits_itself_is_no_head_where_the_rows_end_with_it() {
    let last = SessionRow {
        wait: Some(("Lock", "relation")),
        blocked_pid: Some(8),
        depth: Some(1),
        ..session_row(9)
    };
    let report = interpret(&testkit::outcome(TREE).session(last).build());
    let ids = report.insight_ids();
    assert!(
        ids.contains(&"lock_queue_cut") && !ids.contains(&"lock_queue_head"),
        "{ids:?}"
    );
    let codes = &report.findings[0].reason_codes;
    assert!(!codes.contains(&"queue_head".to_owned()), "{codes:?}");
    assert_eq!(report.offered(SESSION).count(), 1);
}

#[test]
fn the_head_behind_whom_most_is_waited_comes_first_with_all_behind_it() {
    // 9 holds up 8, which holds up 7; 5 holds up 4.
    let second = Edge {
        depth: Some(2),
        waited: Some(10 * SECOND),
        ..edge(8, 7)
    };
    let report = tree(&[edge(5, 4), edge(9, 8), second]);
    assert_eq!(
        report.titles(),
        [
            "se_9 holds others up; sessions that wait behind it: 2",
            "se_5 holds others up; sessions that wait behind it: 1"
        ]
    );
    let head = &report.findings[0];
    assert_eq!(
        head.reason,
        "they have waited 40.00 s in all, the longest of them 30.00 s"
    );
    assert_eq!((head.score, head.confidence), (0.4, Confidence::High));
    assert_eq!(head.kind, FindingKind::LockWait);
    assert_eq!(head.subject.as_deref(), Some("se_9"));
    assert_eq!(
        report.insight_ids(),
        [
            "lock_queue_head",
            "active_holder",
            "lock_queue_head",
            "active_holder",
            "lock_chain",
            "waits_by_kind_of_lock"
        ]
    );
    assert_eq!(
        report.insights[5].reason,
        "for rows: 3; for tables: 0; for advisory locks, which applications take by themselves: 0; for others: 0"
    );
    assert_eq!(report.recommendations(), 0, "what works is not to be ended");
    assert_eq!(report.next_actions[0].findings, [0]);
    assert_eq!(report.workflows(), ["running-queries"]);
    assert_eq!(report.requested(SESSION).count(), 2);
}

#[test]
fn an_idle_head_may_be_ended_by_a_persons_decision_and_not_for_a_moments_wait() {
    let report = tree(&[idle(9, 8, 300 * SECOND)]);
    assert_eq!(report.findings[0].reason_codes, ["queue_head", "idle_in_transaction"]);
    let end = Some(Recommendation::EndSession("se_9".to_owned()));
    assert!(report.insights.iter().any(|insight| insight.recommendation == end));
    let decide = &report.next_actions[0];
    assert_eq!(decide.label, "let a person decide whether to end se_9");
    assert_eq!((decide.priority, decide.judgement_required), (Priority::Required, true));

    let moment = Edge {
        waited: Some(SECOND),
        ..idle(9, 8, SECOND)
    };
    let report = tree(&[moment]);
    assert_eq!(report.recommendations(), 0);
    assert!(report.findings[0].score < 0.1);
    assert!(
        report
            .next_actions
            .iter()
            .all(|next| next.step != ReportedStep::PromptUser)
    );
    assert_eq!(report.requested(SESSION).count(), 1, "it is looked at again");
}

#[test]
fn a_prepared_transaction_at_the_head_is_looked_up_and_decided_by_a_person() {
    let report = tree(&[Edge {
        is_hidden: false,
        state: "",
        ..edge(0, 8)
    }]);
    assert_eq!(
        report.titles(),
        ["a prepared transaction holds others up; sessions that wait behind it: 1"]
    );
    assert_eq!(report.findings[0].reason_codes, ["queue_head", "prepared_transaction"]);
    assert_eq!(report.offered(PREPARED).next().unwrap().priority, Priority::Required);
    assert_eq!(
        report.labels()[0],
        "let a person commit or roll back the prepared transaction"
    );
}

#[test]
fn a_hidden_head_is_for_a_person() {
    let report = tree(&[Edge {
        is_hidden: true,
        ..edge(9, 8)
    }]);
    assert_eq!(report.findings[0].reason_codes, ["queue_head", "hidden_session"]);
    assert_eq!(
        report.labels()[0],
        "let a person look at the session at the head of the queue"
    );
    assert_eq!(report.recommendations(), 0);
}

/// `ALTER TABLE` of 8 behind the `SELECT` of 9, and readers 7 and 6 behind it.
fn behind_a_reader(held: &'static str) -> [Edge; 3] {
    let table = Edge {
        kind: "relation",
        ..edge(9, 8)
    };
    let queued = |blocked| Edge {
        requested: "AccessShareLock",
        held: None,
        depth: Some(2),
        ..Edge {
            pid: 8,
            blocked,
            ..table
        }
    };
    let alter = Edge {
        requested: "AccessExclusiveLock",
        held: Some(held),
        ..table
    };
    [alter, queued(7), queued(6)]
}

#[test]
fn an_alter_table_behind_a_reader_is_what_stands_in_the_way() {
    let report = tree(&behind_a_reader("AccessShareLock"));
    assert_eq!(
        report.titles(),
        [
            "se_9 holds others up; sessions that wait behind it: 3",
            "se_8 waits for AccessExclusiveLock and others stand behind it; sessions that wait for nothing but its turn: 2"
        ]
    );
    assert_eq!(
        report.findings[1].reason,
        "what is held is AccessShareLock, which none of them conflicts with; they have waited 60.00 s in all"
    );
    assert_eq!(
        (report.findings[1].score, report.findings[1].reason_codes.as_slice()),
        (0.5, ["strong_lock_queue".to_owned()].as_slice())
    );
    let strong = report
        .insights
        .iter()
        .find(|insight| insight.id == "strong_lock_waits")
        .unwrap();
    assert_eq!(
        strong.recommendation,
        Some(Recommendation::EndSession("se_8".to_owned()))
    );
    assert!(
        report
            .labels()
            .contains(&"let a person decide whether to end se_8 for now")
    );
}

/// What PostgreSQL 15 showed of two that read, an `ALTER TABLE` (16), two readers, another `ALTER TABLE` (92) and one more reader.
fn two_in_line() -> Vec<Edge> {
    let want = |pid, blocked, requested, held, depth, waited| Edge {
        kind: "relation",
        requested,
        held,
        depth: Some(depth),
        waited: Some(waited),
        ..edge(pid, blocked)
    };
    let strong = |pid, blocked, held, waited| want(pid, blocked, "AccessExclusiveLock", held, 1, waited);
    let reader = |pid, blocked, waited| want(pid, blocked, "AccessShareLock", None, 2, waited);
    let held = Some("AccessShareLock");
    let idles = |edge: Edge| Edge {
        state: "idle in transaction",
        state_age: 5_632_499,
        ..edge
    };
    vec![
        strong(95, 16, held, 4_703_291),
        idles(strong(3, 16, held, 4_703_311)),
        strong(95, 92, held, 1_960_040),
        idles(strong(3, 92, held, 1_960_041)),
        strong(16, 92, None, 1_960_043),
        strong(32, 92, None, 1_960_044),
        strong(42, 92, None, 1_960_046),
        reader(16, 32, 3_677_437),
        reader(16, 42, 3_237_842),
        reader(16, 15, 1_172_648),
        reader(92, 15, 1_172_650),
    ]
}

#[test]
fn of_two_alter_tables_neither_is_to_be_ended_alone() {
    let report = tree(&two_in_line());
    assert_eq!(
        report.titles(),
        [
            "se_95 holds others up; sessions that wait behind it: 5",
            "se_3 holds others up; sessions that wait behind it: 5",
            "se_16 waits for AccessExclusiveLock and others stand behind it; sessions that wait for nothing but its turn: 3"
        ]
    );
    assert_eq!(report.recommendations(), 0);
    let long: Vec<Edge> = two_in_line()
        .into_iter()
        .map(|edge| Edge {
            waited: edge.waited.map(|us| 10 * us),
            ..edge
        })
        .collect();
    let report = tree(&long);
    assert_eq!(report.recommendations(), 1, "only the one that does nothing");
    let decide = report
        .next_actions
        .iter()
        .find(|next| next.label.ends_with("se_16 for now"))
        .unwrap();
    assert_eq!(
        decide.reason,
        "it is the first in line, and others behind it want as much: 1; the rest go on only when none of these is left"
    );
}

#[test]
fn those_who_conflict_with_the_holder_would_wait_without_the_alter_table_too() {
    let report = tree(&behind_a_reader("AccessExclusiveLock"));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(
        report.findings[0].reason_codes,
        ["queue_head", "access_exclusive", "long_queue"]
    );
    assert_eq!(report.recommendations(), 0);
}

#[test]
fn a_circle_is_told_and_left_to_the_server() {
    let within = |pid, blocked| Edge {
        depth: None,
        ..edge(pid, blocked)
    };
    let report = tree(&[within(8, 7), within(7, 8)]);
    assert_eq!(report.findings[0].kind, FindingKind::Deadlock);
    assert_eq!(
        report.titles(),
        ["sessions wait for each other in a circle; sessions in it: 2"]
    );
    assert_eq!(report.insight_ids(), ["lock_cycle", "waits_by_kind_of_lock"]);
    assert_eq!(report.insights[0].evidence, ["se_8", "se_7"]);
    assert_eq!(report.recommendations(), 0);
}

#[test]
fn without_times_the_number_of_those_who_wait_counts() {
    let unknown = |blocked| Edge {
        waited: None,
        ..edge(9, blocked)
    };
    let report = tree(&[unknown(1), unknown(2), unknown(3), unknown(4), unknown(5)]);
    let head = &report.findings[0];
    assert_eq!((head.score, head.confidence), (0.5, Confidence::Medium));
    assert_eq!(head.reason, "the server does not show for how long they have waited");
}

#[test]
fn longer_waits_of_more_sessions_never_score_less() {
    let mut last = 0.0;
    for n in 1..30_i32 {
        let waits: Vec<Edge> = (0..n)
            .map(|i| Edge {
                waited: Some(i64::from(n) * SECOND),
                ..edge(99, i64::from(i) + 1)
            })
            .collect();
        let score = tree(&waits).findings[0].score;
        assert!(score >= last, "{n}: {score} after {last}");
        last = score;
    }
    assert!(last > 0.8);
}

#[test]
fn many_heads_are_cut_to_those_that_matter() {
    let heads: Vec<Edge> = (1..=30)
        .map(|n| Edge {
            waited: Some(i64::from(n) * SECOND),
            ..edge(n, 100 + i64::from(n))
        })
        .collect();
    let report = tree(&heads);
    assert_eq!(report.findings.len(), 6);
    assert_eq!(report.findings[0].subject.as_deref(), Some("se_30"));
    assert!(report.next_actions.len() <= 20);
}
