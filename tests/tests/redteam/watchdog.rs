//! A bounded action is stopped on the server within a few looks of its watchdog, which are less than a second: when the verdict leaves
//! `clear`, when the command is told to end, when it is killed, and when its watchdog sees nothing any more.

use std::process::{Child, Stdio};

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, argv, schema};
use serde_json::Value;

use crate::range::{EVENTUALLY, Slow, lab, looks, running, server, timed_out, wait_until};

/// The promise: a verdict needs two looks of three, one may have begun before, and one may begin before the statement has ended. In time
/// that is about half a second, on a machine that is not starved.
const LOOKS: usize = 4;

/// Waits until no statement runs, and holds that to the promise; `before` is how often the server had been looked at when there was a
/// reason to stop.
#[track_caller]
pub(crate) fn is_stopped(cluster: &Cluster, what: &str, before: usize) {
    wait_until(what, EVENTUALLY, || running(cluster) == 0);
    let took = looks(cluster) - before;
    assert!(took <= LOOKS, "{what}: only after {took} looks");
    assert!(!timed_out(cluster), "{what}: the statement's own timeout did it");
}

/// Starts the action and waits until the server runs its statement.
pub(crate) fn start(cluster: &Cluster, lab: &Lab, action: &Value) -> Child {
    let argv = argv(action);
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    for _ in 0..20 {
        let mut child = lab
            .command(&argv)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A verdict that was not clear ends it before it begins.
        loop {
            if running(cluster) == 1 {
                return child;
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
    panic!("the action never began");
}

/// Its outcome: the command ends by itself, seals, and prints.
fn finish(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{:?} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    schema::check("report", &report);
    report["outcome"].clone()
}

pub(crate) fn signal(child: &Child, signal: &str) {
    let kill = format!("kill -{signal} {}", child.id());
    let sent = std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_signal_cancels_the_statement_and_the_outcome_says_so() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let mut outcomes = 0;
    for name in ["INT", "TERM", "HUP"] {
        let child = start(&cluster, &lab, &slow);
        let before = looks(&cluster);
        signal(&child, name);
        is_stopped(&cluster, &format!("SIG{name}"), before);
        let outcome = finish(child);
        assert_eq!(outcome["status"], "cancelled", "SIG{name}: {outcome:#}");
        assert!(
            outcome["detail"].as_str().unwrap().contains("interrupted"),
            "{outcome:#}"
        );
        outcomes += 1;
        let kinds = lab.record_kinds();
        assert_eq!(kinds.iter().filter(|k| *k == "outcome").count(), outcomes);
    }
    lab.verified_records();
}

#[test]
fn a_hangup_that_was_to_be_ignored_is_ignored() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let argv = argv(&slow);
    let mut nohup = std::process::Command::new("sh");
    let command = lab.command(&argv.iter().map(String::as_str).collect::<Vec<_>>());
    nohup
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = nohup.spawn().unwrap();
    wait_until("the action runs", EVENTUALLY, || running(&cluster) == 1);
    let before = looks(&cluster);
    signal(&child, "HUP");
    wait_until("it is looked at as before", EVENTUALLY, || {
        looks(&cluster) > before + LOOKS || running(&cluster) == 0
    });
    assert_eq!(running(&cluster), 1, "a hangup stopped it");
    signal(&child, "TERM");
    assert_eq!(finish(child)["status"], "cancelled");
}

#[test]
fn a_lock_pile_up_cancels_the_statement_and_the_outcome_says_so() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let mut holder = cluster.session("app", "shop").unwrap();
    let mut waiters: Vec<_> = (0..4).map(|_| cluster.session("app", "shop").unwrap()).collect();
    let child = start(&cluster, &lab, &slow);
    holder.run("BEGIN; LOCK TABLE victim").unwrap();
    for waiter in &mut waiters {
        waiter.start("SELECT * FROM victim").unwrap();
    }
    let piled_up = || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        cluster.psql(waiting).unwrap().parse::<usize>().unwrap() >= 2
    };
    wait_until("the pile-up", EVENTUALLY, piled_up);
    is_stopped(&cluster, "the verdict", looks(&cluster));
    let outcome = finish(child);
    assert_eq!(outcome["status"], "cancelled", "{outcome:#}");
    let detail = outcome["detail"].as_str().unwrap();
    assert!(
        detail.contains("because the verdict became `busy` while it ran"),
        "{detail}"
    );
    lab.verified_records();
}

#[test]
fn many_connections_cancel_the_statement_and_the_outcome_says_so() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let child = start(&cluster, &lab, &slow);
    // 80 % of 57 connections.
    let crowd: Vec<_> = (0..48).map(|_| cluster.session("app", "shop").unwrap()).collect();
    let arrived = || {
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'";
        cluster.psql(sessions).unwrap().parse::<usize>().unwrap() >= 46 || running(&cluster) == 0
    };
    wait_until("the crowd", EVENTUALLY, arrived);
    is_stopped(&cluster, "the verdict", looks(&cluster));
    let outcome = finish(child);
    let detail = outcome["detail"].as_str().unwrap();
    assert!(detail.contains("because the verdict became"), "{detail}");
    drop(crowd);
}

/// The backend of the watchdog of the action that runs.
fn watchdog_pid(cluster: &Cluster) -> String {
    let pids = cluster
        .psql(
            "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity
              WHERE application_name = 'pg-logstats' AND query NOT LIKE 'EXPLAIN (ANALYZE%'",
        )
        .unwrap();
    assert!(
        pids.parse::<u32>().is_ok(),
        "one session besides the action's: {pids:?}"
    );
    pids
}

/// The outcome of an action that nobody could see.
#[track_caller]
fn was_not_seen(outcome: &Value, either: &[&str]) {
    assert_eq!(outcome["status"], "cancelled", "{outcome:#}");
    let detail = outcome["detail"].as_str().unwrap();
    assert!(
        detail.contains("because the verdict could not be taken") && either.iter().any(|why| detail.contains(why)),
        "{detail}"
    );
}

#[test]
fn a_watchdog_that_loses_its_connection_cancels_the_statement() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let child = start(&cluster, &lab, &slow);
    let pid = watchdog_pid(&cluster);
    let before = looks(&cluster);
    let ended = cluster.psql(&format!("SELECT pg_terminate_backend({pid})")).unwrap();
    assert_eq!(ended, "t");
    is_stopped(&cluster, "a lost watchdog", before);
    // It is told why, or finds the connection closed, as the end of its session meets it.
    let either = ["the connection to the server broke", "the server ended the session"];
    was_not_seen(&finish(child), &either);
    lab.verified_records();
}

/// A process that stands still, and goes on when this is dropped.
struct Stopped(String);

impl Stopped {
    fn new(pid: String) -> Self {
        let stopped = Self(pid);
        stopped.send("STOP");
        stopped
    }

    fn send(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.0);
        let sent = std::process::Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{kill}");
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.send("CONT");
    }
}

#[test]
fn a_watchdog_that_gets_no_answer_cancels_the_statement() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let child = start(&cluster, &lab, &slow);
    let stopped = Stopped::new(watchdog_pid(&cluster));
    let since = looks(&cluster);
    // Its own connection is silent, so the cancellation comes over another one.
    is_stopped(&cluster, "a silent watchdog", since);
    drop(stopped);
    was_not_seen(&finish(child), &["got no answer within 500 ms"]);
    let log = std::fs::read_to_string(cluster.server_log()).unwrap();
    assert!(
        log.contains("canceling statement due to user request"),
        "not for a closed connection: {log}"
    );
    lab.verified_records();
}

#[test]
fn a_killed_command_leaves_no_statement_behind_and_the_next_one_says_so() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let mut child = start(&cluster, &lab, &slow);
    let before = looks(&cluster);
    child.kill().unwrap();
    child.wait().unwrap();
    is_stopped(&cluster, "the server", before);
    // It asks four times a second whether its client is still there.
    let log = std::fs::read_to_string(cluster.server_log()).unwrap();
    assert!(log.contains("connection to client lost"), "{log}");
    let ran = lab.run(&["audit", "list"]);
    ran.fails(0, &["has no outcome", "its statement may have run"]);
    lab.verified_records();
}
