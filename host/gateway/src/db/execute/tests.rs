use std::time::{Duration, Instant};

use pg_logstats_test_cluster::SUPERUSER;

use super::*;
use crate::catalogue::{BoundParameter, BoundValue};
use crate::db::test_server::{
    action, block_on, cluster, queryid, run, session, shop, target, target_of, text, wait_until,
};
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
fn a_table_that_a_log_names_is_looked_up_in_its_own_database_only() {
    shop("CREATE TABLE IF NOT EXISTS logged_table (id int); GRANT SELECT ON logged_table TO PUBLIC");
    let me = target("diagnosis", "shop");
    let ask = |database: &str| {
        let relation = BoundParameter {
            name: "relation".to_owned(),
            value: BoundValue::RelationName {
                database: Some(database.to_owned()),
                schema: "public".to_owned(),
                name: "logged_table".to_owned(),
            },
        };
        run(&me, "relation.pg_stats.columns", vec![relation], None)
    };
    let here = ask("shop");
    assert_eq!(
        (here.status, here.rows.len()),
        (OutcomeStatus::Ok, 1),
        "{:?}",
        here.detail
    );
    let elsewhere = ask("bare");
    assert_eq!(
        (elsewhere.status, elsewhere.rows.len()),
        (OutcomeStatus::Unavailable, 0)
    );
    assert!(elsewhere.detail.unwrap().contains("another database"));
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

    shop("CREATE TABLE IF NOT EXISTS hidden_statements (id int)");
    shop("SELECT count(*) FROM hidden_statements");
    let outcome = run(
        &blind,
        BY_QUERYID,
        vec![queryid(queryid_of("FROM hidden_statements"))],
        None,
    );
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

/// Backends of the role `diagnosis` that run something with this marker.
fn running(marker: &str) -> usize {
    shop(&format!(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'diagnosis' AND state = 'active' AND query LIKE '%{marker}%'"
    ))
    .parse()
    .unwrap()
}

/// An action that takes long, with a marker to find it by.
fn slow(marker: &str, risk: Risk) -> ApprovedAction {
    let sql = format!("SELECT 1::int8 AS pid /* {marker} */ FROM (SELECT pg_sleep(30)) AS s");
    let mut action = action(TEMP_COUNTERS).with_sql_for_test(&sql, risk);
    action.parameters.clear();
    action.caps.statement_timeout_ms = 30_000;
    ApprovedAction::for_test(std::sync::Arc::new(action), vec![], None)
}

/// Runs the action on another thread, as the binary does on its own.
fn in_background(approved: ApprovedAction, guard: ExecutionGuard) -> std::thread::JoinHandle<ActionOutcome> {
    let target = target("diagnosis", "shop");
    std::thread::spawn(move || block_on(execute(&target, approved, DurableIntent::for_test(), &guard)))
}

#[test]
fn a_bounded_action_is_cancelled_on_the_server_when_the_verdict_leaves_clear() {
    let mut guard = ExecutionGuard::new(VerdictLevel::Clear);
    // Only this input, so that other tests' sessions do not matter: nine sessions with a marker of their own are no load.
    for (input, limit) in &mut guard.thresholds.limits {
        *limit = crate::health::Limit {
            busy: f64::MAX,
            saturated: None,
        };
        if *input == crate::health::Input::LockWaiters {
            limit.busy = 8.0;
        }
    }
    shop("CREATE TABLE IF NOT EXISTS pile (id int)");
    let marker = "watched_sleep";
    let action = in_background(slow(marker, Risk::Bounded), guard);
    wait_until("the action runs", Duration::from_secs(10), || running(marker) == 1);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(running(marker), 1, "cancelled under a clear verdict");

    let mut holder = cluster().session(SUPERUSER, "shop").unwrap();
    holder.run("BEGIN; LOCK TABLE pile").unwrap();
    let mut waiters: Vec<_> = (0..10)
        .map(|_| cluster().session("bystander", "shop").unwrap())
        .collect();
    shop("GRANT SELECT ON pile TO bystander");
    for waiter in &mut waiters {
        waiter.start("SELECT * FROM pile").unwrap();
    }
    let waiting = || {
        shop("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            .parse::<usize>()
            .unwrap()
            >= 8
    };
    wait_until("the pile-up", Duration::from_secs(10), waiting);
    wait_until("the query is gone from the server", Duration::from_secs(1), || {
        running(marker) == 0
    });
    let outcome = action.join().unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Cancelled);
    let detail = outcome.detail.unwrap();
    assert!(
        detail.contains("the verdict became `busy` while it ran: lock_waiters is"),
        "{detail}"
    );
}

/// Functions of others can run in a session of ours while the planner computes, and trap what cancels it.
#[test]
fn what_heeds_no_cancellation_is_ended() {
    shop(
        "CREATE FUNCTION stubborn() RETURNS int8 LANGUAGE plpgsql AS $$ BEGIN LOOP
           BEGIN PERFORM pg_sleep(0.1); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$",
    );
    let marker = "stubborn_action";
    let sql = format!("SELECT public.stubborn() AS pid /* {marker} */");
    let mut stubborn = action(TEMP_COUNTERS).with_sql_for_test(&sql, Risk::Safe);
    stubborn.parameters.clear();
    stubborn.caps.statement_timeout_ms = 300;
    let approved = ApprovedAction::for_test(std::sync::Arc::new(stubborn), vec![], None);
    let outcome = in_background(approved, ExecutionGuard::new(VerdictLevel::Clear))
        .join()
        .unwrap();
    assert_eq!(running(marker), 0, "{outcome:?}");
    assert_eq!(outcome.status, OutcomeStatus::TimedOut, "{outcome:?}");
    assert!(!outcome.detail.unwrap().contains("may still run"));
}

#[test]
fn a_token_cancels_any_action_on_the_server() {
    let guard = ExecutionGuard::new(VerdictLevel::Clear);
    let token = guard.cancel.clone();
    let action = in_background(slow("by_token", Risk::Safe), guard);
    wait_until("the action runs", Duration::from_secs(10), || running("by_token") == 1);
    token.cancel();
    wait_until("the query is gone from the server", Duration::from_secs(1), || {
        running("by_token") == 0
    });
    let outcome = action.join().unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Cancelled);
    assert!(outcome.detail.unwrap().contains("was interrupted"));
}

#[test]
fn a_dropped_future_leaves_no_query_on_the_server() {
    let target = target("diagnosis", "shop");
    block_on(async {
        let guard = ExecutionGuard::new(VerdictLevel::Clear);
        let running_action = execute(&target, slow("dropped", Risk::Safe), DurableIntent::for_test(), &guard);
        let seen = async {
            while running("dropped") == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // Seeing it run drops it.
        tokio::select! {
            outcome = running_action => panic!("it ended by itself: {outcome:?}"),
            () = seen => {}
        }
    });
    wait_until("the query is gone from the server", Duration::from_secs(1), || {
        running("dropped") == 0
    });
}

#[test]
fn the_server_ends_a_statement_that_takes_too_long_or_waits_for_a_lock() {
    let mut action = action(TEMP_COUNTERS).with_sql_for_test("SELECT pg_sleep(20)::text AS database", Risk::Safe);
    action.parameters.clear();
    action.caps.statement_timeout_ms = 300;
    let guard = ExecutionGuard::new(VerdictLevel::Clear);
    let me = target("diagnosis", "shop");
    let approved = ApprovedAction::for_test(std::sync::Arc::new(action.clone()), vec![], None);
    let outcome = block_on(execute(&me, approved, DurableIntent::for_test(), &guard));
    assert_eq!(
        (outcome.status, outcome.sqlstate.as_deref()),
        (OutcomeStatus::TimedOut, Some("57014"))
    );
    assert!(outcome.detail.unwrap().contains("statement_timeout of 300 ms"));
    assert!((300_000..2_000_000).contains(&outcome.duration_us));

    shop("CREATE TABLE IF NOT EXISTS held (id int); GRANT SELECT ON held TO diagnosis");
    let mut holder = cluster().session(SUPERUSER, "shop").unwrap();
    holder.run("BEGIN; LOCK TABLE held").unwrap();
    let mut action = action.with_sql_for_test("SELECT id::text AS database FROM public.held", Risk::Safe);
    action.caps.statement_timeout_ms = 5_000;
    let approved = ApprovedAction::for_test(std::sync::Arc::new(action), vec![], None);
    let outcome = block_on(execute(&me, approved, DurableIntent::for_test(), &guard));
    assert_eq!(
        (outcome.status, outcome.sqlstate.as_deref()),
        (OutcomeStatus::TimedOut, Some("55P03"))
    );
}

#[test]
fn the_session_cannot_write_even_with_a_role_that_could() {
    let sql = "SELECT set_config('transaction_read_only', 'off', false) AS database";
    let mut guard = ExecutionGuard::new(VerdictLevel::Clear);
    guard.allow_privileged_role = true;
    for (sql, sqlstate) in [
        (sql, "25001"),
        (
            "WITH w AS (DELETE FROM public.item RETURNING 1) SELECT '' AS database",
            "25006",
        ),
    ] {
        let mut action = action(TEMP_COUNTERS).with_sql_for_test(sql, Risk::Safe);
        action.parameters.clear();
        let approved = ApprovedAction::for_test(std::sync::Arc::new(action), vec![], None);
        let outcome = block_on(execute(
            &target(SUPERUSER, "shop"),
            approved,
            DurableIntent::for_test(),
            &guard,
        ));
        assert_eq!(outcome.sqlstate.as_deref(), Some(sqlstate), "{sql}");
    }
    assert_eq!(shop("SELECT count(*) FROM item"), "10000");
}

#[test]
fn a_wrong_type_from_the_server_is_an_error_and_not_a_guess() {
    let mut action = action(TEMP_COUNTERS).with_sql_for_test(
        "SELECT 1 AS database, 2::int8 AS temp_files, 3::int8 AS temp_bytes, now() AS stats_reset",
        Risk::Safe,
    );
    action.parameters.clear();
    let approved = ApprovedAction::for_test(std::sync::Arc::new(action), vec![], None);
    let guard = ExecutionGuard::new(VerdictLevel::Clear);
    let outcome = block_on(execute(
        &target("diagnosis", "shop"),
        approved,
        DurableIntent::for_test(),
        &guard,
    ));
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    assert!(
        outcome
            .detail
            .unwrap()
            .contains("column `database` is not of the catalogue's type")
    );
}

#[test]
fn the_session_has_the_role_that_the_policy_requires_or_nothing_runs() {
    let run_as = |required: &str| {
        let mut guard = ExecutionGuard::new(VerdictLevel::Clear);
        guard.required_role = Some(required.to_owned());
        block_on(execute(
            &target("diagnosis", "shop"),
            ApprovedAction::for_test(action(TEMP_COUNTERS), vec![text("database", "shop")], None),
            DurableIntent::for_test(),
            &guard,
        ))
    };
    let refused = run_as("bystander");
    assert_eq!(refused.status, OutcomeStatus::Failed);
    assert!(refused.rows.is_empty());
    assert!(refused.detail.unwrap().contains("policy.role"));
    // What the role was set to become does not count: the session goes back to the login role.
    shop("GRANT bystander TO diagnosis; ALTER ROLE diagnosis IN DATABASE shop SET role = 'bystander'");
    let ran = run_as("diagnosis");
    shop("ALTER ROLE diagnosis IN DATABASE shop RESET role; REVOKE bystander FROM diagnosis");
    assert_eq!(ran.status, OutcomeStatus::Ok, "{:?}", ran.detail);
}
