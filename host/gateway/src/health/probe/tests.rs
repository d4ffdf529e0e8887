use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pg_logstats_test_cluster::{Cluster, SUPERUSER};

use super::look::{MAX_BLOCKED_DEPTH, blocked_depth};
use super::*;
use crate::db::test_server::{block_on, target_of};
use crate::health::Limit;
use crate::words::VerdictLevel;

/// A server that nobody else uses, because its load is what is judged. The machine may be busy, so latency does not count here.
fn quiet_server(settings: &[(&str, &str)]) -> (Cluster, Target, Thresholds) {
    let builder = settings
        .iter()
        .fold(Cluster::builder(), |b, (name, value)| b.setting(name, value));
    let cluster = builder.start().unwrap();
    cluster.psql("CREATE ROLE diagnosis LOGIN IN ROLE pg_read_all_stats; CREATE ROLE blind LOGIN; CREATE TABLE pile (id int)").unwrap();
    let target = target_of(&cluster.dsn("diagnosis", "postgres"));
    let mut thresholds = Thresholds::default();
    thresholds.limits.insert(
        Input::ProbeLatencyMs,
        Limit {
            busy: 60_000.0,
            saturated: None,
        },
    );
    (cluster, target, thresholds)
}

fn verdict_when(target: &Target, thresholds: &Thresholds, done: impl Fn(&Verdict) -> bool) -> Verdict {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let verdict = block_on(probe(target, thresholds));
        if done(&verdict) || Instant::now() > deadline {
            return verdict;
        }
    }
}

fn codes(verdict: &Verdict) -> BTreeMap<Input, VerdictLevel> {
    verdict
        .reasons
        .iter()
        .filter_map(|r| Some((r.input?, r.level)))
        .collect()
}

#[test]
fn an_idle_server_is_clear_and_we_are_not_on_it() {
    let (cluster, target, thresholds) = quiet_server(&[]);
    let idle = cluster.session(SUPERUSER, "postgres").unwrap();
    let verdict = verdict_when(&target, &thresholds, |v| {
        v.samples.first().is_some_and(|s| s.connections == 1)
    });
    assert_eq!(verdict.level, VerdictLevel::Clear, "{:?}", verdict.reasons);
    assert_eq!(verdict.samples.len(), 3);
    for sample in &verdict.samples {
        // The idle session counts as a connection and as nothing else; the probe and the background processes count as nothing.
        let expected = Sample {
            connections: 1,
            max_connections: 60,
            reserved_connections: 3,
            latency_us: sample.latency_us,
            ..Sample::default()
        };
        assert_eq!(*sample, expected);
    }
    assert!(verdict.is_answered() && verdict.is_fresh(now_us()));
    drop(idle);
}

#[test]
fn a_lock_pile_up_is_busy_and_then_saturated() {
    let (cluster, target, thresholds) = quiet_server(&[]);
    let mut holder = cluster.session(SUPERUSER, "postgres").unwrap();
    holder.run("BEGIN; LOCK TABLE pile").unwrap();
    let mut waiters = Vec::new();
    let mut pile_up = |count: u32| {
        while waiters.len() < count as usize {
            let mut waiter = cluster.session(SUPERUSER, "postgres").unwrap();
            waiter.start("BEGIN; LOCK TABLE pile").unwrap();
            waiters.push(waiter);
        }
        verdict_when(&target, &thresholds, |v| {
            v.samples.iter().all(|s| s.lock_waiters == count)
        })
    };
    let one = pile_up(1);
    assert_eq!(
        (one.level, one.samples[0].blocked_depth),
        (VerdictLevel::Clear, 1),
        "{:?}",
        one.reasons
    );
    let two = pile_up(2);
    assert_eq!(
        (two.level, two.samples[0].blocked_depth),
        (VerdictLevel::Busy, 2),
        "{:?}",
        two.reasons
    );
    assert!(codes(&two).contains_key(&Input::LockWaiters));
    let many = pile_up(12);
    assert_eq!(many.level, VerdictLevel::Saturated);
    assert_eq!(codes(&many).get(&Input::LockWaiters), Some(&VerdictLevel::Saturated));
    assert_eq!(codes(&many).get(&Input::BlockedDepth), Some(&VerdictLevel::Saturated));
    assert_eq!(many.samples[0].idle_in_transaction, 1, "the holder");
}

#[test]
fn connections_running_out_saturate_and_none_left_is_unknown() {
    let (cluster, target, thresholds) = quiet_server(&[("max_connections", "13")]);
    let mut open: Vec<_> = (0..9).map(|_| cluster.session("blind", "postgres").unwrap()).collect();
    for session in &mut open {
        session.pid().unwrap();
    }
    let verdict = verdict_when(&target, &thresholds, |v| v.samples.iter().all(|s| s.connections == 9));
    assert_eq!(
        codes(&verdict).get(&Input::ConnectionsRatio),
        Some(&VerdictLevel::Busy),
        "9 of 10: {:?}",
        verdict.reasons
    );
    open.push(cluster.session("blind", "postgres").unwrap());
    open.last_mut().unwrap().pid().unwrap();
    let verdict = verdict_when(&target, &thresholds, |v| v.level == VerdictLevel::Unknown);
    assert_eq!(verdict.level, VerdictLevel::Unknown);
    assert_eq!(verdict.reasons[0].code, ReasonCode::NoConnectionLeft);
    assert!(verdict.reasons[0].to_string().contains("no connection left"));
}

#[test]
fn old_transactions_and_long_statements_are_seen() {
    let (cluster, target, mut thresholds) = quiet_server(&[]);
    for (input, busy) in [
        (Input::LongestStatementMs, 300.0),
        (Input::LongestTransactionMs, 300.0),
        (Input::IdleInTransactionMs, 300.0),
    ] {
        thresholds.limits.insert(input, Limit { busy, saturated: None });
    }
    let mut idle = cluster.session(SUPERUSER, "postgres").unwrap();
    idle.run("BEGIN; SELECT 1").unwrap();
    let mut long = cluster.session(SUPERUSER, "postgres").unwrap();
    long.start("SELECT pg_sleep(20)").unwrap();
    let verdict = verdict_when(&target, &thresholds, |v| v.reasons.len() == 3);
    let expected = [
        Input::LongestStatementMs,
        Input::LongestTransactionMs,
        Input::IdleInTransactionMs,
    ];
    assert_eq!(codes(&verdict), expected.map(|i| (i, VerdictLevel::Busy)).into());
}

#[test]
fn sessions_idle_in_transaction_are_counted() {
    let (cluster, target, thresholds) = quiet_server(&[]);
    let mut idle = Vec::new();
    let mut leave_open = |count: u32| {
        while idle.len() < count as usize {
            let mut session = cluster.session(SUPERUSER, "postgres").unwrap();
            session.run("BEGIN; SELECT 1").unwrap();
            idle.push(session);
        }
        verdict_when(&target, &thresholds, |v| {
            v.samples.iter().all(|s| s.idle_in_transaction == count)
        })
    };
    assert_eq!(leave_open(9).level, VerdictLevel::Clear);
    let ten = leave_open(10);
    assert_eq!(codes(&ten), [(Input::IdleInTransaction, VerdictLevel::Busy)].into());
    let forty = leave_open(40);
    assert_eq!(forty.level, VerdictLevel::Saturated, "{:?}", forty.reasons);
    assert_eq!(
        codes(&forty).get(&Input::IdleInTransaction),
        Some(&VerdictLevel::Saturated)
    );
    // They end their transactions, and it is well again.
    idle.iter_mut().for_each(|session| drop(session.run("COMMIT").unwrap()));
    let after = verdict_when(&target, &thresholds, |v| {
        v.samples.iter().all(|s| s.idle_in_transaction == 0)
    });
    assert!(
        !codes(&after).contains_key(&Input::IdleInTransaction),
        "{:?}",
        after.reasons
    );
}

#[test]
fn scans_that_wait_for_io_are_seen() {
    // Sixteen buffers and rows of a page each: a scan does little but read.
    let settings = [("shared_buffers", "128kB"), ("max_parallel_workers_per_gather", "0")];
    let (cluster, target, mut thresholds) = quiet_server(&settings);
    cluster
        .psql(
            "CREATE TABLE wide (id int, filler text); ALTER TABLE wide ALTER filler SET STORAGE PLAIN;
             INSERT INTO wide SELECT i, repeat('x', 7000) FROM generate_series(1, 4000) i",
        )
        .unwrap();
    thresholds.cores = 1;
    let calm = block_on(probe(&target, &thresholds));
    assert!(
        !codes(&calm).contains_key(&Input::IoWaitersPerCore),
        "{:?}",
        calm.reasons
    );
    let mut readers: Vec<_> = (0..8)
        .map(|_| cluster.session(SUPERUSER, "postgres").unwrap())
        .collect();
    for reader in &mut readers {
        reader
            .start("DO $$ BEGIN LOOP PERFORM count(id) FROM wide; END LOOP; END $$")
            .unwrap();
    }
    let verdict = verdict_when(&target, &thresholds, |v| {
        codes(v).contains_key(&Input::IoWaitersPerCore)
    });
    assert!(
        codes(&verdict).contains_key(&Input::IoWaitersPerCore),
        "{:?} {:?}",
        verdict.reasons,
        verdict.samples
    );
}

#[test]
fn a_standby_that_lags_is_seen_from_both_sides() {
    let (primary, target, mut thresholds) = quiet_server(&[]);
    let limit = Limit {
        busy: 400.0,
        saturated: Some(60_000.0),
    };
    thresholds.limits.insert(Input::ReplicationLagMs, limit);
    let alone = block_on(probe(&target, &thresholds));
    assert_eq!(alone.inputs.get(&Input::ReplicationLagMs), None, "no standby, no lag");
    let standby = Cluster::builder()
        .standby_of(&primary)
        .setting("recovery_min_apply_delay", "2s")
        .setting("wal_receiver_status_interval", "1s")
        .start()
        .unwrap();
    // Commits go on, so there is always something that the standby has and has not replayed.
    let mut writer = primary.session(SUPERUSER, "postgres").unwrap();
    writer
        .start("DO $$ BEGIN LOOP INSERT INTO pile VALUES (1); COMMIT; PERFORM pg_sleep(0.05); END LOOP; END $$")
        .unwrap();
    let lagging = |v: &Verdict| codes(v).contains_key(&Input::ReplicationLagMs);
    for (side, target) in [
        ("the primary", target),
        ("the standby", target_of(&standby.dsn("diagnosis", "postgres"))),
    ] {
        let verdict = verdict_when(&target, &thresholds, lagging);
        assert_eq!(verdict.level, VerdictLevel::Busy, "{side}: {:?}", verdict.reasons);
        assert!(lagging(&verdict), "{side}: {:?}", verdict.inputs);
        let lag = verdict.inputs[&Input::ReplicationLagMs];
        assert!((400.0..60_000.0).contains(&lag), "{side}: {lag}");
    }
}

#[test]
fn who_cannot_be_asked_or_cannot_see_is_unknown_with_the_reason() {
    let (cluster, _, thresholds) = quiet_server(&[]);
    let unknown = |dsn: &str, code, words: &str| {
        let verdict = block_on(probe(&target_of(dsn), &thresholds));
        assert_eq!(
            (verdict.level, verdict.reasons[0].code),
            (VerdictLevel::Unknown, code),
            "{words}"
        );
        let said = verdict.reasons[0].to_string();
        assert!(said.contains(words) && !said.contains("hunter2"), "{said}");
    };
    unknown(
        &cluster.dsn("blind", "postgres"),
        ReasonCode::ActivityHidden,
        "pg_read_all_stats",
    );
    unknown(
        "host=127.0.0.1 port=1 user=u password=hunter2",
        ReasonCode::Unreachable,
        "nothing listens",
    );
    unknown(
        &cluster.dsn("nobody", "postgres"),
        ReasonCode::Unreachable,
        "check that the role exists",
    );

    // A server that accepts the connection and then says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let started = Instant::now();
    unknown(
        &format!("host=127.0.0.1 port={port} user=u password=hunter2 connect_timeout=1"),
        ReasonCode::Unreachable,
        "no answer within 1000 ms",
    );
    assert!(started.elapsed() < Duration::from_secs(5));

    cluster.psql("ALTER SYSTEM SET track_activities = off").unwrap();
    cluster.psql("SELECT pg_reload_conf()").unwrap();
    let mut untracked = cluster.session(SUPERUSER, "postgres").unwrap();
    untracked.run("SELECT 1").unwrap();
    let target = target_of(&cluster.dsn("diagnosis", "postgres"));
    let verdict = verdict_when(&target, &thresholds, |v| v.level == VerdictLevel::Unknown);
    assert_eq!(verdict.reasons[0].code, ReasonCode::ActivityNotTracked);
}

#[test]
fn a_verdict_is_three_round_trips_and_asks_nothing_else() {
    let (cluster, target, thresholds) =
        quiet_server(&[("log_min_duration_statement", "0"), ("log_line_prefix", "%u: ")]);
    let verdict = block_on(probe(&target, &thresholds));
    assert_eq!(verdict.samples.len(), 3);
    let log = std::fs::read_to_string(cluster.server_log()).unwrap();
    let counted = |text: &str| log.matches(text).count();
    assert_eq!(counted("diagnosis: LOG:  duration"), 3, "{log}");
    assert_eq!(counted("FROM pg_stat_get_activity"), 3, "{log}");
    assert_eq!(counted("pg_stat_clear_snapshot"), 2, "{log}");
}

#[test]
fn the_longest_chain_of_blocked_sessions_counts() {
    // A word for each session that waits: its pid, and the pids that it waits for.
    let depth_of = |waiting: &str| {
        let pids = |word: &str| word.split(',').map(|pid| pid.parse().unwrap()).collect::<Vec<i32>>();
        let split = |pids: Vec<i32>| (pids[0], pids[1..].to_vec());
        blocked_depth(
            waiting
                .split(' ')
                .filter(|w| !w.is_empty())
                .map(|w| split(pids(w)))
                .collect(),
        )
    };
    for (waiting, depth) in [
        ("", 0),
        // It waits no more.
        ("7", 0),
        ("7,1", 1),
        ("7,0", 1),
        ("7,1 8,7 9,1", 2),
        ("9,8,1 8,7 7,1", 3),
        ("1,2 2,1", MAX_BLOCKED_DEPTH),
    ] {
        assert_eq!(depth_of(waiting), depth, "{waiting}");
    }
    let queue: Vec<String> = (1..40).map(|pid| format!("{},{pid}", pid + 1)).collect();
    assert_eq!(depth_of(&queue.join(" ")), MAX_BLOCKED_DEPTH);
}

#[test]
fn an_answer_that_is_not_understood_is_no_sample() {
    let (_cluster, target, _) = quiet_server(&[]);
    let answers = |sql: &str| {
        block_on(async {
            let mut connection = session::connect(&target).await.unwrap();
            let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            look::read(&rows, &[], 0).is_some()
        })
    };
    assert!(answers(look::LOOK));
    for (what, instead) in [
        // No server, no time, a setting that is no number, a time that is none.
        ("AS server,", "AS something,"),
        ("date_part('epoch', clock_timestamp())", "NULL::float8"),
        ("current_setting('max_connections')", "'many'"),
        ("date_part('epoch', a.xact_start)", "a.xact_start"),
    ] {
        assert!(look::LOOK.contains(what));
        assert!(!answers(&look::LOOK.replace(what, instead)), "{instead}");
    }
}
