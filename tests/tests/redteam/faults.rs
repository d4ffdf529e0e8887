//! Faults at each step of an action: a cut connection, a server that restarts, a full disk, a killed command. Whatever happens, the
//! audit log verifies, nothing ran without its intent, nothing runs on, and the next command says what happened.

use std::process::{Command, Stdio};
use std::time::Duration;

use pg_logstats_test_cluster::{Cluster, Shutdown};
use pg_logstats_tests::{Lab, Ran, argv};
use serde_json::Value;

use crate::proxy::{MEASURED, OPENING, Point, Proxy, Then};
use crate::range::{
    EVENTUALLY, Slow, config, lab, logged, offered, run, running, server, timed_out, triage, wait_until,
};
use crate::watchdog::start;

/// Kills of a command, the last ones after its end.
const KILLS: u32 = 24;
/// After so many the incident's budget might be used up.
const KILLS_OF_A_BUDGET: u32 = 8;

/// An action that takes no time.
fn quick(cluster: &Cluster, lab: &Lab, config: &str) -> Value {
    let logged = logged(cluster, lab, "SELECT count(*) FROM item WHERE id < 100", |text| text);
    offered(&triage(lab, config, &logged)).expect("it is offered").clone()
}

fn command(lab: &Lab, action: &Value) -> Command {
    let argv = argv(action);
    lab.command(&argv.iter().map(String::as_str).collect::<Vec<_>>())
}

fn count(lab: &Lab, kind: &str) -> usize {
    lab.record_kinds().iter().filter(|k| *k == kind).count()
}

/// How often the server was told to measure a plan, by its own log, which has ended statements only; those that failed too.
fn measured(cluster: &Cluster) -> usize {
    let log = std::fs::read_to_string(cluster.server_log()).unwrap();
    log.lines()
        .filter(|line| line.contains("root_triage@shop") && line.contains(MEASURED))
        .filter(|line| line.contains("execute") || line.contains("STATEMENT:"))
        .count()
}

/// What must hold after any fault.
#[track_caller]
fn check(cluster: &Cluster, lab: &Lab) {
    wait_until("nothing runs on", EVENTUALLY, || running(cluster) == 0);
    lab.verified_records();
    assert!(
        measured(cluster) <= count(lab, "intent"),
        "a statement ran without an intent"
    );
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg-logstats'";
    wait_until("no session is left", EVENTUALLY, || cluster.psql(left).unwrap() == "0");
    assert!(!timed_out(cluster), "it went on until its own timeout");
}

/// Repeats a command of a fault until the machine was calm enough for it to get there.
fn until_reached(lab: &Lab, action: &Value, proxy: &Proxy, mut after: impl FnMut(&mut std::process::Child)) -> Ran {
    for _ in 0..20 {
        let mut child = command(lab, action)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut is_reached = false;
        while !is_reached && child.try_wait().unwrap().is_none() {
            is_reached = proxy.is_reached_within(Duration::from_millis(50));
        }
        if is_reached || proxy.is_reached_within(Duration::ZERO) {
            after(&mut child);
            let output = child.wait_with_output().unwrap();
            return Ran {
                code: output.status.code().unwrap_or(-1),
                stdout: String::from_utf8(output.stdout).unwrap(),
                stderr: String::from_utf8(output.stderr).unwrap(),
            };
        }
    }
    panic!("the point is never reached");
}

#[test]
fn a_connection_cut_at_any_step_is_an_outcome() {
    let cluster = server();
    let (lab, direct) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &direct);
    let cases = [
        ("while the session opens", Point::Sent(OPENING)),
        ("before the statement", Point::Sent(MEASURED)),
        ("during the statement", Point::Runs(MEASURED)),
    ];
    for (number, (when, point)) in cases.into_iter().enumerate() {
        let proxy = Proxy::start(cluster.socket_dir(), point, Then::Cut);
        config(&lab, &proxy.dsn("root_triage"), "");
        let ran = until_reached(&lab, &slow, &proxy, |_| ());
        assert_eq!(ran.code, 0, "{when}: an outcome was sealed: {ran:?}");
        let outcome = &ran.json()["outcome"];
        assert_eq!(outcome["status"], "failed", "{when}: {outcome:#}");
        assert!(
            outcome["detail"]
                .as_str()
                .unwrap()
                .contains("the connection to the server broke"),
            "{when}: {outcome:#}"
        );
        check(&cluster, &lab);
        assert_eq!(
            (count(&lab, "intent"), count(&lab, "outcome")),
            (number + 1, number + 1),
            "{when}"
        );
    }
    config(&lab, &cluster.dsn("root_triage", "shop"), "");
    let quick = quick(&cluster, &lab, &direct);
    let proxy = Proxy::start(cluster.socket_dir(), Point::Answered(MEASURED), Then::Cut);
    config(&lab, &proxy.dsn("root_triage"), "");
    let ran = until_reached(&lab, &quick, &proxy, |_| ());
    assert_eq!(
        ran.json()["outcome"]["status"],
        "failed",
        "after the statement: {ran:?}"
    );
    assert!(ran.json()["outcome"]["plan"].as_array().is_none_or(Vec::is_empty));
    check(&cluster, &lab);
    assert_eq!(count(&lab, "intent"), count(&lab, "outcome"));
}

#[test]
fn a_command_killed_at_any_step_leaves_a_log_that_verifies() {
    let cluster = server();
    let (lab, direct) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &direct);
    let quick = quick(&cluster, &lab, &direct);
    // The step, and whether there is an intent by then.
    let cases = [
        (
            "while the verdict is taken",
            &slow,
            Point::Sent("pg_stat_clear_snapshot"),
            false,
        ),
        ("while the session opens", &slow, Point::Sent(OPENING), true),
        ("before the statement", &slow, Point::Sent(MEASURED), true),
        ("during the statement", &slow, Point::Runs(MEASURED), true),
        ("before the answer", &quick, Point::Answered(MEASURED), true),
        ("while the session closes", &quick, Point::Sent("ROLLBACK"), true),
    ];
    for (when, action, point, has_intent) in cases {
        let (intents, outcomes, sent) = (count(&lab, "intent"), count(&lab, "outcome"), measured(&cluster));
        let proxy = Proxy::start(cluster.socket_dir(), point, Then::Hold);
        config(&lab, &proxy.dsn("root_triage"), "");
        let _ = until_reached(&lab, action, &proxy, |child| child.kill().unwrap());
        drop(proxy);
        config(&lab, &cluster.dsn("root_triage", "shop"), "");
        check(&cluster, &lab);
        assert_eq!(count(&lab, "intent") - intents, usize::from(has_intent), "{when}");
        assert_eq!(count(&lab, "outcome"), outcomes, "{when}");
        if matches!(point, Point::Sent(_)) && std::ptr::eq(action, &slow) {
            assert_eq!(measured(&cluster), sent, "{when}: the statement reached the server");
        }
        if has_intent {
            let ran = lab.run(&["audit", "list"]);
            assert!(ran.stderr.contains("has no outcome"), "{when}: {ran:?}");
        }
    }
    // The workspace goes on working, and a report of the incident says what it does not know.
    let ran = run(&lab, &quick);
    assert_eq!(ran.json()["outcome"]["status"], "ok", "{ran:?}");
    let limitations = ran.json()["limitations"].to_string();
    assert!(limitations.contains("action_without_outcome"), "{limitations}");
    check(&cluster, &lab);
}

/// Beside the steps that the server sees: kept evidence, the runbook, the seal, the printing. A kill comes after a part of the time that the command
/// takes here, so wherever it falls, on a fast machine or a slow one.
#[test]
fn a_command_killed_at_any_time_has_sent_nothing_without_an_intent_and_the_next_one_says_what_happened() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let mut action = quick(&cluster, &lab, &config);
    assert_eq!(run(&lab, &action).json()["outcome"]["status"], "ok");
    let started = std::time::Instant::now();
    assert_eq!(run(&lab, &action).json()["outcome"]["status"], "ok");
    let whole = started.elapsed();
    let (mut unfinished, mut acted) = (0, 0);
    for part in 1..=KILLS {
        if part % KILLS_OF_A_BUDGET == 0 {
            action = quick(&cluster, &lab, &config);
        }
        let (intents, outcomes, sent) = (count(&lab, "intent"), count(&lab, "outcome"), measured(&cluster));
        let mut command = command(&lab, &action);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * part / (KILLS - 4));
        let _ = child.kill();
        child.wait().unwrap();
        check(&cluster, &lab);
        let (intents, outcomes) = (count(&lab, "intent") - intents, count(&lab, "outcome") - outcomes);
        assert!(
            outcomes <= intents && intents <= 1,
            "{part}: {intents} intents, {outcomes} outcomes"
        );
        assert!(measured(&cluster) - sent <= intents, "{part}: sent without an intent");
        unfinished += intents - outcomes;
        acted += intents;
        let said = lab.run(&["audit", "list"]).stderr;
        assert_eq!(said.contains("has no outcome"), unfinished > 0, "{part}: {said}");
    }
    assert!(acted > 0, "each kill came before the intent");
}

#[test]
fn a_server_that_restarts_under_the_statement_is_an_outcome() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &config);
    let mut bystander = cluster.session("app", "shop").unwrap();
    let pid = bystander.pid().unwrap();
    let child = start(&cluster, &lab, &slow);
    // The server ends all sessions at once when one of its processes is killed, and recovers as after an immediate shutdown.
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -KILL {pid}")])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        ["failed", "cancelled"].contains(&report["outcome"]["status"].as_str().unwrap()),
        "{:#}",
        report["outcome"]
    );
    wait_until("the server is back", EVENTUALLY, || cluster.psql("SELECT 1").is_ok());
    check(&cluster, &lab);
    assert_eq!((count(&lab, "intent"), count(&lab, "outcome")), (1, 1));
    let quick = quick(&cluster, &lab, &config);
    assert_eq!(run(&lab, &quick).json()["outcome"]["status"], "ok");
}

#[test]
fn a_restart_of_the_server_at_any_step_is_an_outcome() {
    let cluster = server();
    let (lab, direct) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &direct);
    let quick = quick(&cluster, &lab, &direct);
    // The step, and whether the server was told to measure the plan by then.
    let cases = [
        ("while the session opens", &slow, Point::Sent(OPENING)),
        ("before the statement", &slow, Point::Sent(MEASURED)),
        ("during the statement", &slow, Point::Runs(MEASURED)),
        ("before the answer", &quick, Point::Answered(MEASURED)),
    ];
    for shutdown in [Shutdown::Fast, Shutdown::Immediate] {
        for (when, action, point) in cases {
            let when = format!("{shutdown:?}, {when}");
            let (intents, outcomes) = (count(&lab, "intent"), count(&lab, "outcome"));
            let proxy = Proxy::start(cluster.socket_dir(), point, Then::Hold);
            config(&lab, &proxy.dsn("root_triage"), "");
            let ran = until_reached(&lab, action, &proxy, |_| {
                cluster.restart(shutdown).unwrap();
                proxy.go_on();
            });
            assert_eq!(ran.code, 0, "{when}: an outcome was sealed: {ran:?}");
            let outcome = &ran.json()["outcome"];
            let status = outcome["status"].as_str().unwrap();
            assert!(["failed", "cancelled"].contains(&status), "{when}: {outcome:#}");
            assert!(
                outcome["plan"].as_array().is_none_or(Vec::is_empty),
                "{when}: {outcome:#}"
            );
            check(&cluster, &lab);
            assert_eq!(
                (count(&lab, "intent") - intents, count(&lab, "outcome") - outcomes),
                (1, 1),
                "{when}"
            );
        }
        // The command ends with the server: the next one says what it cannot know.
        let outcomes = count(&lab, "outcome");
        let proxy = Proxy::start(cluster.socket_dir(), Point::Runs(MEASURED), Then::Hold);
        config(&lab, &proxy.dsn("root_triage"), "");
        let _ = until_reached(&lab, &slow, &proxy, |child| {
            child.kill().unwrap();
            cluster.restart(shutdown).unwrap();
        });
        drop(proxy);
        config(&lab, &cluster.dsn("root_triage", "shop"), "");
        check(&cluster, &lab);
        assert_eq!(count(&lab, "outcome"), outcomes, "{shutdown:?}");
        let ran = run(&lab, &quick);
        assert_eq!(ran.json()["outcome"]["status"], "ok", "{shutdown:?}: {ran:?}");
        // Not in its report, which is of another incident.
        assert!(ran.stderr.contains("has no outcome"), "{shutdown:?}: {ran:?}");
        check(&cluster, &lab);
    }
}

/// The command with no file longer than `blocks` of 512 bytes: a full disk that needs no disk, no mount and no rights.
fn on_a_full_disk(lab: &Lab, action: &Value, blocks: u32) -> Ran {
    let command = command(lab, action);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks} && exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .stdin(Stdio::null());
    Ran::of(&mut shell)
}

#[test]
fn a_full_disk_at_the_intent_lets_nothing_run_and_at_the_outcome_is_told_next_time() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let quick = quick(&cluster, &lab, &config);
    let before = (count(&lab, "intent"), count(&lab, "outcome"));

    let ran = on_a_full_disk(&lab, &quick, 1);
    ran.fails(1, &["space"]);
    assert_eq!(measured(&cluster), 0, "it ran without an intent");
    check(&cluster, &lab);
    assert_eq!((count(&lab, "intent"), count(&lab, "outcome")), before);

    // The intent is shorter than the outcome, which holds a report: some limit lies between them.
    let between = (4..200).step_by(4).find(|blocks| {
        let ran = on_a_full_disk(&lab, &quick, *blocks);
        let answered = serde_json::from_str::<Value>(&ran.stdout).unwrap_or(Value::Null);
        assert!(answered["outcome"].is_null() || ran.code == 0, "{ran:?}");
        check(&cluster, &lab);
        count(&lab, "intent") > count(&lab, "outcome") || ran.code == 0
    });
    assert!(between.is_some(), "the disk never was full enough");
    let lost = count(&lab, "intent") - count(&lab, "outcome");
    assert_eq!(lost, 1, "the outcome could not be written at {between:?} blocks");
    assert_eq!(measured(&cluster), 1, "it ran, once");
    let ran = lab.run(&["audit", "list"]);
    ran.fails(
        0,
        &[
            "has no outcome",
            "its statement may have run",
            "counts against the budget",
        ],
    );

    let ran = run(&lab, &quick);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("has no outcome"), "{ran:?}");
    assert!(ran.json()["limitations"].to_string().contains("action_without_outcome"));
    assert_eq!(ran.json()["budget"]["actions_used"], 2);
    check(&cluster, &lab);
}

/// Runs `action` until `proxy`'s point is reached, then does `change` and waits for the end.
pub(crate) fn reached(lab: &Lab, action: &Value, proxy: &Proxy, mut change: impl FnMut()) -> Ran {
    until_reached(lab, action, proxy, |_| change())
}
