//! `health --watch`, and the verdict that concurrent commands share.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, schema};
use serde_json::Value;

/// A server that says who connects, and a role that may look.
fn server() -> Cluster {
    let cluster = Cluster::builder().setting("log_connections", "on").start().unwrap();
    cluster
        .psql("CREATE ROLE triage LOGIN IN ROLE pg_read_all_stats; CREATE TABLE pile (id int)")
        .unwrap();
    cluster
}

#[test]
fn a_watch_gives_a_line_for_each_verdict_and_sees_it_change() {
    let cluster = server();
    let lab = Lab::with_database(&cluster.dsn("triage", "postgres"));
    let mut watching = lab
        .command(&["health", "--watch", "--interval", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || -> Value {
        let line = lines.next().unwrap().unwrap();
        let verdict = serde_json::from_str(&line).unwrap();
        schema::check("health", &verdict);
        verdict
    };
    let is_behind_locks = |verdict: &Value| verdict["verdict_reasons"].to_string().contains("lock_waiters");
    assert!(!is_behind_locks(&next()));
    let mut holder = cluster.session("postgres", "postgres").unwrap();
    holder.run("BEGIN; LOCK TABLE pile").unwrap();
    let mut waiters: Vec<_> = (0..3)
        .map(|_| cluster.session("postgres", "postgres").unwrap())
        .collect();
    waiters
        .iter_mut()
        .for_each(|waiter| waiter.start("BEGIN; LOCK TABLE pile").unwrap());
    assert!((0..20).any(|_| is_behind_locks(&next())), "the pile-up is seen");
    // The first gets the lock when the holder ends, and so on.
    holder.run("COMMIT").unwrap();
    drop(waiters);
    assert!((0..20).any(|_| !is_behind_locks(&next())), "and that it is over");
    // Whoever stops reading ends it, without a word.
    drop(lines);
    assert!(watching.wait().unwrap().success());
    let mut said = String::new();
    watching.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn a_watch_ends_after_so_many_and_its_flags_go_with_it() {
    let cluster = server();
    let lab = Lab::with_database(&cluster.dsn("triage", "postgres"));
    let ran = lab.run(&[
        "health",
        "--watch",
        "--interval",
        "1",
        "--count",
        "2",
        "--format",
        "text",
    ]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 2), "{ran:?}");
    assert!(ran.stdout.lines().all(|line| line.contains("connections ")), "{ran:?}");
    for alone in [["--interval", "1"], ["--count", "1"]] {
        lab.run(&[&["health"][..], &alone].concat()).fails(2, &["--watch"]);
    }
    lab.run(&["health", "--watch", "--interval", "0"])
        .fails(2, &["--interval"]);
    // A server that is not there is a verdict like any other.
    let nowhere = Lab::with_database("host=127.0.0.1 port=1 user=u");
    let ran = nowhere.run(&["health", "--watch", "--count", "1", "--format", "text"]);
    assert!(ran.code == 0 && ran.stdout.contains("unknown"), "{ran:?}");
}

#[test]
fn commands_that_ask_at_once_look_once() {
    const ASKING: usize = 12;
    let cluster = server();
    let lab = Lab::with_database(&cluster.dsn("triage", "postgres"));
    let looks = || {
        let log = std::fs::read_to_string(cluster.server_log()).unwrap();
        log.matches("connection authorized: user=triage").count()
    };
    // The workspace and its key are made first, so that all begin alike.
    lab.json(&["health"]);
    assert_eq!(looks(), 1);
    let asked: Vec<_> = (0..ASKING)
        .map(|_| lab.command(&["health"]).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    let verdicts: Vec<Value> = asked
        .into_iter()
        .map(|child| serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let taken: std::collections::BTreeSet<i64> = verdicts
        .iter()
        .map(|it| it["health"]["taken_at_us"].as_i64().unwrap())
        .collect();
    assert_eq!(looks() - 1, taken.len(), "each look is one verdict");
    assert!(taken.len() < ASKING, "nobody shared");
}
