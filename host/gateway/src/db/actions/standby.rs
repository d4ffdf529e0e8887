//! A real standby: its lag, known while it replays, and not known when nothing is left to replay; and what its replay waits for.

use std::time::{Duration, Instant};

use pg_logstats_test_cluster::{Cluster, SUPERUSER};

use crate::db::test_server::{run, target_of, wait_until};
use crate::outcome::{ActionOutcome, Cell};
use crate::words::OutcomeStatus;

/// Waits until the standby's lag in time is as `is` says, doing `meanwhile` between the looks.
fn wait_for_lag(primary: &Cluster, meanwhile: impl Fn(), is: impl Fn(&Cell) -> bool) {
    let target = target_of(&primary.dsn("diagnosis", "postgres"));
    let deadline = Instant::now() + LIMIT;
    loop {
        meanwhile();
        let outcome = run(&target, "replication.pg_stat_replication.lag", Vec::new(), None);
        let lag = outcome
            .columns
            .iter()
            .position(|column| column == "replay_lag")
            .unwrap();
        if outcome.rows.iter().any(|row| is(&row.cells[lag])) {
            return;
        }
        assert!(Instant::now() < deadline, "{outcome:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_lag_is_a_time_while_something_is_replayed_and_then_not_known() {
    let primary = Cluster::builder().start().unwrap();
    primary
        .psql("CREATE ROLE diagnosis LOGIN IN ROLE pg_read_all_stats; CREATE TABLE written (id int)")
        .unwrap();
    let _standby = Cluster::builder()
        .standby_of(&primary)
        .setting("recovery_min_apply_delay", "50ms")
        .setting("wal_receiver_status_interval", "1s")
        .start()
        .unwrap();
    let write = || {
        drop(
            primary
                .psql_as(SUPERUSER, "postgres", "INSERT INTO written VALUES (1)")
                .unwrap(),
        )
    };
    wait_for_lag(&primary, write, |lag| matches!(lag, Cell::DurationUs(us) if *us > 0));
    // The server forgets it when the standby says twice that it has everything.
    wait_for_lag(&primary, || (), |lag| *lag == Cell::Null);
}

/// How long the standby may take.
const LIMIT: Duration = Duration::from_secs(120);
const HOLDERS: &str = "replication.pg_stat_activity.replay_holders";

#[test]
fn what_replay_waits_for_is_told() {
    let primary = Cluster::builder().setting("autovacuum", "off").start().unwrap();
    let on_primary = |sql: &str| drop(primary.psql(sql).unwrap());
    on_primary("CREATE ROLE diagnosis LOGIN IN ROLE pg_read_all_stats; CREATE ROLE bare LOGIN");
    on_primary("CREATE TABLE seen (id int); INSERT INTO seen SELECT generate_series(1, 100); CREATE TABLE locked ()");
    let standby = Cluster::builder()
        .standby_of(&primary)
        .setting("max_standby_streaming_delay", "-1")
        .start()
        .unwrap();
    let seen = |sql: &str| standby.psql(sql).unwrap();
    wait_until("the standby follows", LIMIT, || {
        seen("SELECT to_regclass('locked') IS NOT NULL") == "t"
    });
    let waits_for = |what: Option<&str>| {
        let mut found = None;
        wait_until("replay waits as it should", LIMIT, || {
            let outcome = run(
                &target_of(&standby.dsn("diagnosis", "postgres")),
                HOLDERS,
                Vec::new(),
                None,
            );
            let expected = what.map_or(Cell::Null, |what| Cell::Text(what.to_owned()));
            let is_there = cell(&outcome, 0, "replay_waits_for") == expected;
            found = Some(outcome);
            is_there
        });
        found.unwrap()
    };
    let free = waits_for(None);
    assert_eq!((free.rows.len(), cell(&free, 0, "pid")), (1, Cell::Null));
    assert_eq!(cell(&free, 0, "is_paused"), Cell::Boolean(false));
    assert!(free.rows[0].session.is_none());

    // To a role that may not see it, it is hidden, and not as if nothing waited.
    let bare = run(&target_of(&standby.dsn("bare", "postgres")), HOLDERS, Vec::new(), None);
    assert_eq!(bare.status, OutcomeStatus::InsufficientPrivilege, "{bare:?}");

    let mut reader = standby.session(SUPERUSER, "postgres").unwrap();
    let pid = |text: String| Cell::Int(text.trim().parse().unwrap());
    let reader_pid = pid(reader.run("SELECT pg_backend_pid()").unwrap());
    reader.run("BEGIN; SELECT FROM locked").unwrap();
    on_primary("TRUNCATE locked");
    let lock = waits_for(Some("lock"));
    assert_eq!((lock.rows.len(), cell(&lock, 0, "pid")), (1, reader_pid));
    assert!(lock.rows[0].session.is_some());
    reader.run("COMMIT").unwrap();
    waits_for(None);

    // The one that began first sees the oldest rows, and no other is named before it.
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let mut session = standby.session(SUPERUSER, "postgres").unwrap();
        let own = pid(session.run("SELECT pg_backend_pid()").unwrap());
        session
            .run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM seen")
            .unwrap();
        sessions.push((session, own));
        on_primary("UPDATE seen SET id = id + 1");
        let written = primary.psql("SELECT pg_current_wal_lsn()").unwrap();
        wait_until("the standby follows", LIMIT, || {
            seen(&format!("SELECT pg_last_wal_replay_lsn() >= '{written}'")) == "t"
        });
    }
    on_primary("VACUUM seen");
    let snapshot = waits_for(Some("snapshot"));
    assert_eq!(
        (cell(&snapshot, 0, "pid"), cell(&snapshot, 1, "pid")),
        (sessions[0].1.clone(), sessions[1].1.clone())
    );
    assert_eq!(cell(&snapshot, 0, "is_one_database"), Cell::Boolean(true));
    assert!(snapshot.rows.iter().all(|row| row.session.is_some()));
    drop(sessions);
    waits_for(None);

    seen("SELECT pg_wal_replay_pause()");
    let mut is_paused = Cell::Null;
    wait_until("replay is paused", LIMIT, || {
        is_paused = cell(&waits_for(None), 0, "is_paused");
        is_paused == Cell::Boolean(true)
    });
}

fn cell(outcome: &ActionOutcome, row: usize, column: &str) -> Cell {
    let at = outcome.columns.iter().position(|name| name == column);
    let cells = outcome.rows.get(row).map(|row| &row.cells);
    at.and_then(|at| cells?.get(at))
        .cloned()
        .unwrap_or_else(|| panic!("{column}: {outcome:?}"))
}
