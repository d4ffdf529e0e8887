use std::time::{Duration, Instant};

use pg_logstats_test_cluster::SUPERUSER;

use super::*;
use crate::catalogue::{BoundParameter, Catalogue};
use crate::db::test_server::{action, block_on, cluster, queryid, run, session, shop, target, target_of, text};
use crate::outcome::Cell;

const BY_DIMENSIONS: &str = "query_family.pg_stat_activity.by_dimensions";
const BY_PID: &str = "running_query.pg_stat_activity.by_pid";
const BLOCKING: &str = "running_query.blocking.by_pid";
const BY_QUERYID: &str = "query_family.pg_stat_statements.by_queryid";
const TEMP_BLOCKS: &str = "temp_file.pg_stat_statements.temp_blocks";
const TEMP_COUNTERS: &str = "temp_file.pg_stat_database.temp_counters";

fn column(outcome: &ActionOutcome, row: usize, name: &str) -> Cell {
    let at = outcome
        .columns
        .iter()
        .position(|c| c == name)
        .unwrap_or_else(|| panic!("no column {name}"));
    outcome.rows[row].cells[at].clone()
}

fn queryid_of(part_of_text: &str) -> i64 {
    shop(&format!(
        "SELECT queryid FROM pg_stat_statements WHERE query LIKE '%{part_of_text}%' AND query NOT LIKE '%pg_stat_statements%' LIMIT 1"
    ))
    .parse()
    .unwrap()
}

#[test]
fn every_query_action_gives_the_columns_and_types_of_the_catalogue() {
    let me = target("diagnosis", "shop");
    let mut open = cluster().session("bystander", "shop").unwrap();
    let pid = open.pid().unwrap();
    open.run("SET application_name = 'typed'; BEGIN; SELECT 1").unwrap();
    shop("SET work_mem = '64kB'; SELECT count(*) FROM (SELECT name FROM item ORDER BY name) AS sorted_once");
    let sorted = queryid_of("sorted_once");
    for action in Catalogue::builtin()
        .unwrap()
        .iter()
        .filter(|a| a.kind == ActionKind::Query)
    {
        let bound = action
            .parameters
            .iter()
            .filter_map(|p| match p.name.as_str() {
                "queryid" => Some(queryid(sorted)),
                "session" => Some(session(pid, None)),
                "database" => Some(text("database", "shop")),
                "application_name" => Some(text("application_name", "typed")),
                _ => None,
            })
            .collect();
        let outcome = run(&me, &action.id, bound, None);
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{}: {:?}", action.id, outcome.detail);
        assert_eq!(outcome.columns.len(), action.columns.len());
        assert!(
            action.id == BLOCKING || !outcome.rows.is_empty(),
            "{} gives no row",
            action.id
        );
        assert!(action.id == BLOCKING || outcome.duration_us > 0 && outcome.bytes > 0);
    }
}

#[test]
fn sessions_are_found_by_any_dimension_with_their_identity_and_without_statement_text() {
    let mut open = cluster().session("bystander", "bare").unwrap();
    let pid = i64::from(open.pid().unwrap());
    open.run("SET application_name = 'dims'; BEGIN; SELECT 'the secret text'")
        .unwrap();
    let me = target("diagnosis", "shop");
    for bound in [
        text("application_name", "dims"),
        text("database", "bare"),
        text("user", "bystander"),
    ] {
        let outcome = run(&me, BY_DIMENSIONS, vec![bound], None);
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
        let row = (0..outcome.rows.len())
            .find(|r| column(&outcome, *r, "pid") == Cell::Int(pid))
            .unwrap();
        assert_eq!(
            column(&outcome, row, "state"),
            Cell::Text("idle in transaction".to_owned())
        );
        assert_eq!(column(&outcome, row, "database"), Cell::Text("bare".to_owned()));
        assert!(matches!(column(&outcome, row, "state_age"), Cell::DurationUs(us) if us >= 0));
        let session = outcome.rows[row].session.unwrap();
        assert_eq!(i64::from(session.pid), pid);
        assert_eq!(
            column(&outcome, row, "backend_start"),
            Cell::At(session.backend_start_us)
        );
        assert!(!format!("{outcome:?}").contains("secret"));
    }
    let nobody = run(
        &me,
        BY_DIMENSIONS,
        vec![text("application_name", "dims"), text("database", "shop")],
        None,
    );
    assert_eq!((nobody.status, nobody.rows.len()), (OutcomeStatus::Ok, 0));
}

#[test]
fn a_session_with_another_start_is_another_session() {
    let mut open = cluster().session("bystander", "shop").unwrap();
    let pid = open.pid().unwrap();
    let me = target("diagnosis", "shop");
    let found = run(&me, BY_PID, vec![session(pid, None)], None);
    let start = found.rows[0].session.unwrap().backend_start_us;
    let rows = |start| run(&me, BY_PID, vec![session(pid, Some(start))], None).rows.len();
    assert_eq!(rows(start), 1, "the exact start");
    assert_eq!(
        rows(start.div_euclid(1_000_000) * 1_000_000),
        1,
        "the start as a log has it, to the second"
    );
    assert_eq!(rows(start + 1), 0, "a microsecond later");
    assert_eq!(
        rows((start.div_euclid(1_000_000) - 1) * 1_000_000),
        0,
        "a second earlier"
    );
    assert_eq!(rows(i64::MIN), 0);
    assert_eq!(rows(i64::MAX), 0);
}

#[test]
fn the_whole_chain_of_blockers_is_told_with_depth() {
    shop(
        "CREATE TABLE IF NOT EXISTS chain (id int PRIMARY KEY); INSERT INTO chain VALUES (1), (2), (3) ON CONFLICT DO NOTHING",
    );
    let mut sessions: Vec<_> = (0..3).map(|_| cluster().session(SUPERUSER, "shop").unwrap()).collect();
    let pids: Vec<i32> = sessions.iter_mut().map(|s| s.pid().unwrap()).collect();
    for (index, session) in sessions.iter_mut().enumerate() {
        session
            .run(&format!("BEGIN; UPDATE chain SET id = id WHERE id = {}", index + 1))
            .unwrap();
    }
    // 1 waits for 0, 2 waits for 1.
    sessions[1].start("UPDATE chain SET id = id WHERE id = 1").unwrap();
    sessions[2].start("UPDATE chain SET id = id WHERE id = 2").unwrap();
    let me = target("diagnosis", "shop");
    let deadline = Instant::now() + Duration::from_secs(10);
    let outcome = loop {
        let outcome = run(&me, BLOCKING, vec![session(pids[2], None)], None);
        if outcome.rows.len() >= 2 || Instant::now() > deadline {
            break outcome;
        }
    };
    let edges: Vec<(Cell, Cell, Cell)> = (0..outcome.rows.len())
        .map(|r| {
            (
                column(&outcome, r, "blocked_pid"),
                column(&outcome, r, "pid"),
                column(&outcome, r, "depth"),
            )
        })
        .collect();
    let edge =
        |blocked: i32, blocker: i32, depth| (Cell::Int(blocked.into()), Cell::Int(blocker.into()), Cell::Int(depth));
    assert_eq!(
        edges,
        [edge(pids[2], pids[1], 1), edge(pids[1], pids[0], 2)],
        "{:?}",
        outcome.detail
    );
    assert_eq!(outcome.rows[1].session.unwrap().pid, pids[0]);
}

#[test]
fn statistics_are_those_of_the_current_database() {
    shop("SELECT count(*) FROM item WHERE id = 42 /* once */");
    let id = queryid_of("FROM item WHERE id = $1");
    let outcome = run(&target("diagnosis", "shop"), BY_QUERYID, vec![queryid(id)], None);
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    assert_eq!(column(&outcome, 0, "queryid"), Cell::Text(id.to_string()));
    assert!(matches!(column(&outcome, 0, "calls"), Cell::Int(calls) if calls >= 1));
    assert!(matches!(column(&outcome, 0, "total_exec_ms"), Cell::Float(ms) if ms > 0.0));
    let nothing = run(&target("diagnosis", "shop"), BY_QUERYID, vec![queryid(i64::MIN)], None);
    assert_eq!((nothing.status, nothing.rows.len()), (OutcomeStatus::Ok, 0));
}

#[test]
fn without_the_extension_the_action_is_unavailable_and_says_what_to_do() {
    let outcome = run(&target("diagnosis", "bare"), TEMP_BLOCKS, vec![], None);
    assert_eq!(outcome.status, OutcomeStatus::Unavailable);
    assert!(
        outcome
            .detail
            .unwrap()
            .contains("has not the extension pg_stat_statements; `inspect` prints")
    );
}

#[test]
fn what_the_server_hides_is_said_to_be_hidden_and_not_shown_as_nothing() {
    let mut open = cluster().session(SUPERUSER, "shop").unwrap();
    open.run("SET application_name = 'hidden'; BEGIN; SELECT 1").unwrap();
    let blind = target("bystander", "shop");
    let outcome = run(&blind, BY_DIMENSIONS, vec![text("application_name", "hidden")], None);
    assert_eq!(
        (outcome.status, outcome.rows.len()),
        (OutcomeStatus::InsufficientPrivilege, 0)
    );
    assert!(outcome.detail.unwrap().contains("grant it pg_read_all_stats"));

    let mut own = cluster().session("bystander", "shop").unwrap();
    own.run("SET application_name = 'hidden'; BEGIN; SELECT 1").unwrap();
    let outcome = run(&blind, BY_DIMENSIONS, vec![text("application_name", "hidden")], None);
    assert_eq!((outcome.status, outcome.rows.len()), (OutcomeStatus::Ok, 1));
    assert!(outcome.detail.unwrap().contains("only this role's own"));

    shop("SELECT count(*) AS hidden_statement FROM item");
    let outcome = run(&blind, BY_QUERYID, vec![queryid(queryid_of("hidden_statement"))], None);
    assert_eq!(outcome.status, OutcomeStatus::InsufficientPrivilege);
}

#[test]
fn connection_failures_each_have_their_own_words_and_no_secret() {
    let socket = cluster().dsn("diagnosis", "shop");
    let cases = [
        (
            format!("{} password=hunter2wrong", cluster().dsn("needs_password", "shop")),
            Some("28P01"),
            "did not accept the password",
        ),
        (cluster().dsn("shut_out", "shop"), Some("28000"), "pg_hba.conf"),
        (
            cluster().dsn("nobody_at_all", "shop"),
            Some("28000"),
            "check that the role exists",
        ),
        (cluster().dsn("diagnosis", "no_such"), Some("3D000"), "no such database"),
        (
            socket.replace("host=/tmp", "host=/nowhere"),
            None,
            "there is no server's socket in that folder",
        ),
        (
            "host=127.0.0.1 port=1 user=a dbname=b password=hunter2wrong".to_owned(),
            None,
            "nothing listens",
        ),
        (
            "host=no.such.host.invalid user=a dbname=b".to_owned(),
            None,
            "host's name is not known",
        ),
        (
            format!("{socket} sslrootcert=/no/such.pem"),
            None,
            "`sslrootcert` cannot be read",
        ),
    ];
    for (dsn, sqlstate, words) in cases {
        let outcome = run(&target_of(&dsn), TEMP_COUNTERS, vec![text("database", "shop")], None);
        assert_eq!(outcome.status, OutcomeStatus::Failed, "{words}");
        assert_eq!(outcome.sqlstate.as_deref(), sqlstate, "{words}");
        let detail = outcome.detail.unwrap();
        assert!(detail.contains(words), "expected `{words}` in: {detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
    }
}

#[test]
fn roles_that_could_write_are_refused_unless_the_operator_allows_them() {
    let bound = || vec![text("database", "shop")];
    for (role, words) in [(SUPERUSER, "superuser"), ("writer", "predefined role that writes")] {
        let outcome = run(&target(role, "shop"), TEMP_COUNTERS, bound(), None);
        assert_eq!(outcome.status, OutcomeStatus::Failed);
        assert!(outcome.detail.as_ref().unwrap().contains(words), "{:?}", outcome.detail);
        assert!(outcome.detail.unwrap().contains("allow_privileged_role"));
        let mut guard = ExecutionGuard::new(VerdictLevel::Clear);
        guard.allow_privileged_role = true;
        let approved = ApprovedAction::for_test(action(TEMP_COUNTERS), bound(), None);
        let outcome = block_on(execute(
            &target(role, "shop"),
            approved,
            DurableIntent::for_test(),
            &guard,
        ));
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
    }
}

#[test]
fn the_verdict_is_checked_again_and_a_required_parameter_is_never_null() {
    for (level, id, allowed) in [
        (VerdictLevel::Unknown, BY_PID, false),
        (VerdictLevel::Saturated, TEMP_COUNTERS, false),
        (VerdictLevel::Saturated, BY_PID, true),
        (VerdictLevel::Busy, BY_DIMENSIONS, false),
        (VerdictLevel::Busy, TEMP_COUNTERS, true),
    ] {
        let bound: Vec<BoundParameter> = match id {
            BY_PID => vec![session(1, None)],
            _ => vec![text("database", "shop")],
        };
        let approved = ApprovedAction::for_test(action(id), bound, None);
        let guard = ExecutionGuard::new(level);
        let outcome = block_on(execute(
            &target("diagnosis", "shop"),
            approved,
            DurableIntent::for_test(),
            &guard,
        ));
        assert_eq!(
            outcome.status == OutcomeStatus::Ok,
            allowed,
            "{id} under {level}: {:?}",
            outcome.detail
        );
    }
    let outcome = run(&target("diagnosis", "shop"), TEMP_COUNTERS, vec![], None);
    assert!(
        outcome
            .detail
            .unwrap()
            .contains("the parameter `database` is not bound")
    );
}

#[test]
fn rows_over_the_cap_are_cut_and_said_to_be_cut() {
    let open: Vec<_> = (0..22)
        .map(|_| {
            let mut session = cluster().session("bystander", "shop").unwrap();
            session.run("SET application_name = 'crowd'; BEGIN; SELECT 1").unwrap();
            session
        })
        .collect();
    let outcome = run(
        &target("diagnosis", "shop"),
        BY_DIMENSIONS,
        vec![text("application_name", "crowd")],
        None,
    );
    assert_eq!((outcome.status, outcome.rows.len()), (OutcomeStatus::Truncated, 20));
    assert!(outcome.detail.unwrap().contains("cap of 20"));
    let mut small = Action::clone(&action(BY_DIMENSIONS));
    small.caps.max_bytes = 300;
    let approved = ApprovedAction::for_test(
        std::sync::Arc::new(small),
        vec![text("application_name", "crowd")],
        None,
    );
    let guard = ExecutionGuard::new(VerdictLevel::Clear);
    let outcome = block_on(execute(
        &target("diagnosis", "shop"),
        approved,
        DurableIntent::for_test(),
        &guard,
    ));
    assert_eq!(outcome.status, OutcomeStatus::Truncated);
    assert!(outcome.rows.len() < 20 && outcome.bytes > 300);
    drop(open);
}
