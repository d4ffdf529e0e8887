//! EXPLAIN ANALYZE: each statement was really run by the application, then triaged, then run by its action. The server's state before
//! and after is the proof; application and gateway are superusers, so that only the gate is in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, argv};

use crate::range::{State, analyzed, config, lab, logged, next_lab, offered, run, server, server_of, triage};
use crate::statements::{BENIGN, COMMON, Expect, HOSTILE, Row, claimed};

/// A refusal takes a connection or two and some questions; nothing of the statement's time is in it. Processor time of the command and
/// the server, because a machine can be starved; a refusal that had to wait would be a timeout.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);

/// What the server's processes may hold together while hostile statements are judged; `repeat` alone would take a gigabyte.
const MEMORY_BYTES: u64 = 400 << 20;

/// Prepares and runs one row; what is wrong with what came of it.
fn attack(cluster: &Cluster, lab: &Lab, config: &str, state: &mut State, row: &Row) -> Result<(), String> {
    let setup = |sql: &str| match cluster.psql_as("app", "shop", sql) {
        Ok(_) => Ok(()),
        Err(e) => Err(format!("the setup is wrong: {e}")),
    };
    if !row.setup.is_empty() {
        setup(row.setup)?;
    }
    let (from, to) = row.claims.unwrap_or_default();
    let to = claimed(to);
    let logged = logged(cluster, lab, row.statement, |text| match from {
        "" => text,
        from => text.replace(from, &to),
    });
    if row.claims.is_some() && !logged.text.contains(&to) {
        return Err(format!("the log does not claim it: {}", logged.text));
    }
    let report = triage(lab, config, &logged);
    // What the application itself did to listeners does not count.
    state.drain();
    let before = state.digest(cluster);
    let result = judge(cluster, lab, &report, row);
    let after = state.digest(cluster);
    if !row.undo.is_empty() {
        setup(row.undo)?;
    }
    if before != after {
        return Err(format!("the server changed:\n{before}\n--\n{after}"));
    }
    result
}

fn judge(cluster: &Cluster, lab: &Lab, report: &serde_json::Value, row: &Row) -> Result<(), String> {
    let Some(action) = offered(report) else {
        return match row.expect {
            Expect::NotOffered => Ok(()),
            _ => Err(format!("it is not offered: {:#}", report["next_actions"])),
        };
    };
    let before = processor_time(cluster);
    let ran = run(lab, action);
    let took = processor_time(cluster).saturating_sub(before);
    let outcome = ran.json()["outcome"].clone();
    let (status, detail) = (
        outcome["status"].as_str(),
        outcome["detail"].as_str().unwrap_or("it ran"),
    );
    match row.expect {
        Expect::NotOffered => Err(format!("it is offered, and came to: {status:?} {detail}")),
        Expect::Runs if status == Some("ok") => Ok(()),
        Expect::Runs => Err(format!("it does not run: {status:?} {detail}")),
        Expect::Refused(words) if status != Some("unavailable") || !detail.contains(words) => {
            Err(format!("expected `{words}`, not: {status:?} {detail}"))
        }
        Expect::Refused(_) if !outcome["plan"].as_array().is_none_or(Vec::is_empty) => {
            Err("it shows a plan".to_owned())
        }
        Expect::Refused(_) if took > REFUSED_WITHIN => Err(format!("the refusal took {took:?}")),
        Expect::Refused(_) => Ok(()),
    }
}

/// What the commands of this test and the server's processes computed so far, as Linux counts it in hundredths of a second: user and
/// system, of those that ended and of those that run. It falls a little when a process ends and was not yet counted by its parent.
fn processor_time(cluster: &Cluster) -> Duration {
    let ticks = |pid: &str, fields: std::ops::Range<usize>| -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name of the program, in brackets, may hold anything.
        let fields_behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let wanted = fields_behind.split_whitespace().skip(fields.start).take(fields.len());
        wanted.filter_map(|n| n.parse::<u64>().ok()).sum()
    };
    // Of proc(5)'s fields those from the third on: 14 and 15 of the process, 16 and 17 of its children that ended.
    let (own, ended) = (11..13, 13..15);
    let server = postmaster(cluster);
    let running: u64 = children(&server)
        .split_whitespace()
        .map(|pid| ticks(pid, own.clone()))
        .sum();
    Duration::from_millis(10 * (ticks("self", ended.clone()) + ticks(&server, ended) + running))
}

fn postmaster(cluster: &Cluster) -> String {
    let pid = std::fs::read_to_string(cluster.data_dir().join("postmaster.pid")).unwrap();
    pid.lines().next().unwrap().to_owned()
}

fn children(parent: &str) -> String {
    std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default()
}

/// Measures the memory of the server's processes until it is dropped.
struct Memory {
    stop: Arc<AtomicBool>,
    most: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Memory {
    fn of(cluster: &Cluster) -> Self {
        let postmaster = postmaster(cluster);
        let (stop, most) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, highest) = (Arc::clone(&stop), Arc::clone(&most));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                highest.fetch_max(anonymous_bytes(&postmaster), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Self {
            stop,
            most,
            thread: Some(thread),
        }
    }

    fn most(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        self.most.load(Ordering::Relaxed)
    }
}

/// What the children of a process hold that is theirs alone.
fn anonymous_bytes(parent: &str) -> u64 {
    let children = children(parent);
    let of = |pid: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kb = status.lines().find_map(|l| l.strip_prefix("RssAnon:"))?;
        kb.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    children.split_whitespace().filter_map(of).sum::<u64>() * 1024
}

#[test]
fn hostile_spellings_and_calls_are_refused_and_the_server_is_as_before() {
    assert!(HOSTILE.len() >= 60, "{}", HOSTILE.len());
    refuses(&server(), &HOSTILE[..HOSTILE.len() / 2]);
}

/// A database may have 50 EXPLAIN ANALYZE a day, and 30 actions a minute.
const ROWS_OF_A_BUDGET: usize = 12;

fn refuses(cluster: &Cluster, rows: &[Row]) {
    cluster.psql_as("app", "shop", COMMON).unwrap();
    let (mut lab, mut config) = lab(cluster, "root_triage");
    let mut state = State::watch(cluster);
    let memory = Memory::of(cluster);
    let mut wrong = Vec::new();
    for rows in rows.chunks(ROWS_OF_A_BUDGET) {
        for row in rows {
            if let Err(what) = attack(cluster, &lab, &config, &mut state, row) {
                let what = format!("{} ({}): {what}", row.name, row.why);
                wrong.push(what);
            }
        }
        each_is_a_record(&lab);
        (lab, config) = next_lab(cluster, "root_triage", &lab);
    }
    let most = memory.most();
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        most > 0 && most < MEMORY_BYTES,
        "the server's processes held {most} bytes"
    );
}

/// Each attempt is a record, and each was told from the others.
fn each_is_a_record(lab: &Lab) {
    lab.verified_records();
    let kinds = lab.record_kinds();
    let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    assert_eq!(count("intent"), count("outcome"));
}

/// What stored trees say, and which functions a server has, differs between versions; how a statement is spelled does not.
mod versions {
    pg_logstats_test_cluster::on_each_version!(super::what_is_refused_and_what_runs);
}

fn what_is_refused_and_what_runs(major: u32) {
    useful_statements_run(&server_of(major));
    refuses(&server_of(major), &HOSTILE[HOSTILE.len() / 2..]);
}

fn useful_statements_run(cluster: &Cluster) {
    let lab = Lab::new();
    let config = config(&lab, &cluster.dsn("triage", "shop"), "");
    let mut state = State::watch(cluster);
    let mut wrong = Vec::new();
    for row in BENIGN {
        if !row.setup.is_empty() {
            cluster.psql_as("app", "shop", row.setup).unwrap();
            let grant = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO triage; ANALYZE";
            cluster.psql_as("app", "shop", grant).unwrap();
        }
        let before = state.digest(cluster);
        let outcome = analyzed(cluster, &lab, &config, row.statement);
        if outcome["status"] != "ok" || !outcome["plan"][0]["actual_rows"].is_number() {
            wrong.push(format!(
                "{} ({}): {:?} {}",
                row.name, row.why, outcome["status"], outcome["detail"]
            ));
        }
        assert_eq!(state.digest(cluster), before, "{}", row.name);
    }
    assert!(BENIGN.len() >= 10 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_agent_has_no_word_of_its_own_in_any_of_it() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let logged = logged(&cluster, &lab, "SELECT id FROM item WHERE id = 1", |text| text);
    let report = triage(&lab, &config, &logged);
    let action = offered(&report).expect("a plain statement is offered");
    let base = argv(action);
    for parameter in [
        "sql=SELECT 1",
        "sample=SELECT pg_sleep(1)",
        "queryid=1",
        "queryid=1; DROP TABLE victim",
    ] {
        let mut args: Vec<&str> = base.iter().map(String::as_str).collect();
        args.extend(["--parameter", parameter]);
        let ran = lab.run(&args);
        assert_eq!(ran.code, 3, "{parameter}: {ran:?}");
    }
    assert!(!lab.record_kinds().iter().any(|kind| kind == "intent"));
}

/// Rows whose number nobody can estimate go to temporary files. The limit is the one that the script of `inspect` gives the role, here a small one.
#[test]
fn temporary_files_end_at_the_limit_of_the_role() {
    let cluster = server();
    cluster
        .psql("ALTER ROLE root_triage SET temp_file_limit = '2MB'")
        .unwrap();
    let (lab, config) = lab(&cluster, "root_triage");
    let logged = logged(
        &cluster,
        &lab,
        "SELECT count(*) FROM generate_series(1, (SELECT 17)) AS g",
        |text| text.replace("SELECT 17", "SELECT 2000000000"),
    );
    let report = triage(&lab, &config, &logged);
    let ran = run(&lab, offered(&report).expect("its cost says nothing"));
    let outcome = &ran.json()["outcome"];
    assert_eq!(
        (outcome["status"].as_str(), outcome["sqlstate"].as_str()),
        (Some("failed"), Some("53400")),
        "{outcome:#}"
    );
    let left = cluster.psql("SELECT count(*) FROM pg_ls_tmpdir()").unwrap();
    assert_eq!(left, "0");
    lab.verified_records();
}
