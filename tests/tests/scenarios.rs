//! Incidents on real servers, from their beginning to the remedy; `tests/scenarios/README.md` says how they are written.

#[path = "scenarios/healthy.rs"]
mod healthy;
#[path = "scenarios/safety.rs"]
mod safety;
#[path = "scenarios/servers.rs"]
mod servers;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::words::ActionType;
use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, argv, schema};
use serde::Deserialize;
use serde_json::Value;

use safety::Recorded;
use servers::Servers;

/// Commands that the agent runs at most, and of these the ones that ask the server; the rate that a budget allows is 30 a minute.
const COMMANDS: usize = 60;
const ACTIONS: usize = 28;

/// How long the symptom may take to go: what a remedy sets off (a run of autovacuum, a standby that catches up) takes its time.
const HEALING: Duration = Duration::from_secs(300);

type Settings = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    cause: Cause,
    remedy: Remedy,
    improves: f64,
    symptom: Option<String>,
    /// Further symptoms, and how many times less each has to be.
    #[serde(default)]
    also: BTreeMap<String, f64>,
    /// For how many seconds the symptom does not go by itself; with the remedy it has to go in that time.
    stays: Option<u64>,
    settings: Settings,
    /// Settings of a standby; the incident is then one of the standby's.
    standby: Option<Settings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cause {
    /// One of these kinds.
    finding: Vec<String>,
    insight: Option<String>,
    /// What the log, or the server, says of the first finding's subject contains this.
    about: Option<String>,
    /// One of these reason codes.
    #[serde(default)]
    reason: Vec<String>,
}

/// What makes the symptom go.
#[derive(Deserialize)]
#[serde(untagged)]
enum Remedy {
    /// A recommendation of this kind; its SQL is run.
    Advice(String),
    /// Somebody has to act elsewhere, as `remedy.sh` does.
    Person {
        /// What the packet asks them to do first, with the id of what it is about as `{}`.
        step: String,
        priority: String,
    },
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn text(name: &str, file: &str) -> String {
    read(&folder(name).join(file))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The processes of an incident; they end with it.
struct Incident {
    group: u32,
    /// When it began, where the logs before that are those of a better time.
    turn: Option<String>,
}

impl Incident {
    fn begin(servers: &Servers, lab: &Lab, script: &str) -> Self {
        let turn = lab.path().join("turn");
        let mut script = servers
            .bash(script)
            .env("TURN", &turn)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let group = script.id();
        let status = script.wait().unwrap();
        assert!(status.success(), "incident.sh: {status}");
        let turn = std::fs::read_to_string(turn).ok();
        let turn = turn.map(|at| at.trim().to_owned());
        Self { group, turn }
    }
}

impl Drop for Incident {
    fn drop(&mut self) {
        let group = i32::try_from(self.group).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
    }
}

/// Reads nothing but `next_actions`: required ones first, then recommended, then optional ones, and none that is about the same as one before. Only
/// those of the runbook that it begins with, unless the walk is `wide`. The incident's id.
fn walk(lab: &Lab, first: &[&str], wide: bool) -> String {
    // Required, recommended, optional.
    let mut open: [VecDeque<(bool, String, Vec<String>)>; 3] = Default::default();
    let first = first.iter().map(|&arg| arg.to_owned()).collect();
    open[0].push_back((false, String::new(), first));
    // How pressing an offer was at most; what is offered again as more pressing goes before.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut done: Vec<String> = Vec::new();
    let (mut incident, mut commands, mut actions) = (None, 0, 0);
    // Of equals an action goes before another runbook: what was begun is brought to its end.
    let next = |queue: &mut VecDeque<(bool, String, Vec<String>)>| {
        let action = queue.iter().position(|(is_action, ..)| *is_action);
        queue.remove(action.unwrap_or(0))
    };
    while let Some((is_action, about, command)) = open.iter_mut().find_map(next) {
        if done.contains(&about) {
            continue;
        }
        done.push(about);
        if commands >= COMMANDS || (is_action && actions >= ACTIONS) {
            continue;
        }
        commands += 1;
        actions += usize::from(is_action);
        let ran = lab.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
        // A refusal is an answer, too.
        assert!(matches!(ran.code, 0 | 3), "{ran:?}");
        if ran.code == 3 {
            continue;
        }
        let report = ran.json();
        schema::check("report", &report);
        assert_eq!(report["runbook"]["failure"], Value::Null, "{report:#}");
        let id = report["incident_id"].as_str().unwrap();
        assert_eq!(incident.get_or_insert_with(|| id.to_owned()), id);
        for offered in report["next_actions"].as_array().unwrap() {
            let about = format!("{} {}", offered["target_id"], offered["parameters"]);
            if offered["status"] != "allowed" || offered["command"].is_null() {
                continue;
            }
            let is_action = offered["action_type"] == "run_sql";
            if !is_action && !wide {
                continue;
            }
            let rank = match offered["priority"].as_str().unwrap() {
                "required" => 0,
                "recommended" => 1,
                _ => 2,
            };
            if seen.get(&about).is_none_or(|&known| rank < known) {
                seen.insert(about.clone(), rank);
                open[rank].push_back((is_action, about, argv(offered)));
            }
        }
    }
    incident.unwrap()
}

/// Rows that anybody wrote so far.
fn written(cluster: &Cluster) -> String {
    let sum = "SELECT pg_stat_force_next_flush()";
    let _ = cluster.psql_as("postgres", "shop", sum);
    let sum = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables";
    cluster.psql_as("postgres", "shop", sum).unwrap()
}

/// What the last statement of `sql` gives.
fn number(cluster: &Cluster, sql: &str) -> f64 {
    let statements = sql
        .split_inclusive(';')
        .filter(|statement| !statement.trim().is_empty());
    let run = |_, statement: &str| cluster.psql_as("postgres", "shop", statement).unwrap();
    statements.fold(String::new(), run).trim().parse().unwrap()
}

/// How much each number grows while the incident's script runs once more, behind what was `mended` in it.
fn grown<const N: usize>(
    servers: &Servers,
    lab: &Lab,
    name: &str,
    mended: &str,
    numbers: impl Fn() -> [f64; N],
) -> [f64; N] {
    // Counters get to the views when sessions end.
    let settled = || {
        std::thread::sleep(Duration::from_millis(1_000));
        numbers()
    };
    let before = settled();
    let incident = Incident::begin(servers, lab, &format!("{mended}\n{}", text(name, "incident.sh")));
    drop(incident);
    let after = settled();
    std::array::from_fn(|n| after[n] - before[n])
}

/// Entries of the log with that SQLSTATE that end a statement or a session.
fn logged(servers: &Servers, sqlstate: &str) -> f64 {
    let log = String::from_utf8_lossy(&std::fs::read(servers.log()).unwrap()).into_owned();
    let is_error = |line: &&str| {
        let head = line.split_once(":  ").map(|(head, _)| head);
        head.is_some_and(|head| {
            head.contains(&format!(" {sqlstate} ")) && (head.ends_with("ERROR") || head.ends_with("FATAL"))
        })
    };
    log.lines().filter(is_error).count() as f64
}

/// The symptom of the scenario `name`, as a number.
fn measured(servers: &Servers, lab: &Lab, name: &str, what: &str) -> f64 {
    let (cluster, sql) = (servers.troubled(), text(name, "symptom.sql"));
    let number = |sql: &str| number(cluster, sql);
    let run = || cluster.psql_as("app", "shop", &sql).unwrap();
    let plan = || -> Value {
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}");
        let mut plans: Value = serde_json::from_str(&cluster.psql_as("app", "shop", &explain).unwrap()).unwrap();
        plans[0]["Plan"].take()
    };
    match what {
        "value" => number(&sql),
        "again" => {
            let [grown] = grown(servers, lab, name, "", || [number(&sql)]);
            grown
        }
        "temp_bytes" => {
            let bytes = || {
                std::thread::sleep(Duration::from_millis(1_500));
                number("SELECT temp_bytes FROM pg_stat_database WHERE datname = 'shop'")
            };
            let before = bytes();
            run();
            bytes() - before
        }
        "time" => {
            let once = || {
                let began = Instant::now();
                run();
                began.elapsed().as_secs_f64() * 1_000.0
            };
            (0..5).map(|_| once()).fold(f64::MAX, f64::min)
        }
        "blocks" => {
            let plan = plan();
            let blocks = |key: &str| plan[key].as_f64().unwrap();
            blocks("Shared Hit Blocks") + blocks("Shared Read Blocks")
        }
        "misestimate" => misestimate(&plan()),
        other => panic!("no symptom `{other}`"),
    }
}

/// How many times as many rows as the planner thought came out of a node, or the other way round: the worst of a plan.
fn misestimate(node: &Value) -> f64 {
    let rows = |key: &str| node[key].as_f64().unwrap().max(1.0);
    let (planned, actual) = (rows("Plan Rows"), rows("Actual Rows"));
    let own = (planned / actual).max(actual / planned);
    let below = node["Plans"].as_array().into_iter().flatten().map(misestimate);
    below.fold(own, f64::max)
}

fn play(name: &str) {
    let scenario: Scenario = toml::from_str(&text(name, "scenario.toml")).unwrap();
    let servers = Servers::start(&scenario.settings, scenario.standby.as_ref());
    let cluster = &servers.primary;
    cluster.psql_as("app", "shop", &text(name, "setup.sql")).unwrap();
    cluster
        .psql_as(
            "app",
            "shop",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO triage; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO triage;",
        )
        .unwrap();
    let lab = Lab::with_database(&servers.troubled().dsn("triage", "shop")).keeping_values();
    let incident = Incident::begin(&servers, &lab, &text(name, "incident.sh"));
    let log = servers.log();
    let before = written(cluster);

    let log = log.to_str().unwrap();
    let mut first = vec!["triage", log];
    if let Some(turn) = incident.turn.as_deref() {
        first.extend(["--since", turn, "--baseline", log, "--baseline-until", turn]);
    }
    let id = walk(&lab, &first, true);
    assert_eq!(written(cluster), before, "the agent changed something");
    let mut recorded = Recorded::default();
    let reports = recorded.add(&lab);
    safety::of_servers(&servers, &recorded);
    let packet = lab.json(&["handoff", &id, "--form", "json"]);
    schema::check("handoff", &packet);
    names_the_cause(name, &scenario.cause, &reports, &packet);
    match &scenario.remedy {
        Remedy::Advice(kind) => {
            let insight = scenario.cause.insight.as_deref().unwrap();
            let advice = first_advice(name, insight, kind, &packet);
            advice_mends(name, &scenario, &servers, &lab, advice);
        }
        Remedy::Person { step, priority } => {
            // Nothing of it goes on while it is played again.
            drop(incident);
            act_mends(name, &scenario, &servers, &lab);
            asks_a_person(name, step, priority, &reports, &packet);
        }
    }
}

/// The packet in few words, for whoever reads why a test failed.
fn said(packet: &Value) -> Value {
    let all = |list: &str, keys: &[&str]| -> Vec<Vec<Value>> {
        let items = packet[list].as_array().unwrap().iter();
        items
            .map(|it| {
                keys.iter()
                    .map(|key| it.pointer(key).cloned().unwrap_or_default())
                    .collect()
            })
            .collect()
    };
    serde_json::json!({
        "headline": packet["headline"],
        "steps": all("steps", &["/title", "/status"]),
        "findings": all("findings", &["/kind", "/title", "/score", "/subject/text/text"]),
        "insights": all("insights", &["/id", "/title", "/recommendation/sql/text"]),
        "next": all("next", &["/label", "/priority", "/insight"]),
    })
}

/// That the first finding is the planted cause: of its kind, about what was planted, and for that reason.
fn names_the_cause(name: &str, cause: &Cause, reports: &BTreeMap<String, Report>, packet: &Value) {
    let said = said(packet);
    let first = &packet["findings"][0];
    let kind = first["kind"].as_str().unwrap().to_owned();
    assert!(cause.finding.contains(&kind), "{name}: {said:#}");
    assert_ne!(packet["headline"]["severity"], "low", "{name}: {said:#}");
    // The packet shows a finding's subject in short; the record that it names has all of it.
    let position = usize::try_from(first["record"].as_u64().unwrap()).unwrap();
    let record = packet["records"][position]["record_id"].as_str().unwrap();
    let found = reports[record]
        .findings
        .iter()
        .find(|it| it.title == first["title"].as_str().unwrap());
    let found = found.unwrap_or_else(|| panic!("{name}: the finding is not in its record: {said:#}"));
    let texts = outside(&serde_json::to_value(found).unwrap());
    if let Some(about) = &cause.about {
        assert!(
            texts.iter().any(|text| text.contains(about.as_str())),
            "{name}: {texts:#?}"
        );
    }
    let has = |reason: &String| found.reason_codes.contains(reason);
    assert!(
        cause.reason.is_empty() || cause.reason.iter().any(has),
        "{name}: {found:#?}"
    );
}

/// All texts of the log or the server in `value`.
fn outside(value: &Value) -> Vec<String> {
    match value {
        Value::Object(it) if it.get("untrusted") == Some(&Value::Bool(true)) => {
            vec![it["text"].as_str().unwrap().to_owned()]
        }
        Value::Object(it) => it.values().flat_map(outside).collect(),
        Value::Array(it) => it.iter().flat_map(outside).collect(),
        _ => Vec::new(),
    }
}

/// The first recommendation, which is the right one, and the first thing that a person is told to do.
fn first_advice<'p>(name: &str, insight: &str, kind: &str, packet: &'p Value) -> &'p Value {
    let said = said(packet);
    let insights = packet["insights"].as_array().unwrap();
    let advice = insights.iter().find(|it| !it["recommendation"].is_null());
    let advice = advice.unwrap_or_else(|| panic!("{name}: no advice: {said:#}"));
    assert_eq!(advice["id"], insight, "{name}: {said:#}");
    assert_eq!(advice["recommendation"]["kind"], kind, "{name}: {said:#}");
    assert_eq!(packet["next"][0]["insight"], 0, "{name}: {said:#}");
    &advice["recommendation"]
}

/// That a person is asked for the one thing that helps, by a report and then by the packet before all else, and that nobody is advised to change
/// the database instead.
fn asks_a_person(name: &str, step: &str, priority: &str, reports: &BTreeMap<String, Report>, packet: &Value) {
    let said = said(packet);
    let insights = packet["insights"].as_array().unwrap().iter();
    let mut advice = insights.map(|it| &it["recommendation"]).filter(|it| !it.is_null());
    assert!(advice.all(healthy::only_tells_more), "{name}: {said:#}");
    // By the beginning and the end of its words: between them stands the id of what it is about.
    let (head, tail) = step.split_once("{}").unwrap_or((step, ""));
    let is_asked =
        |label: &str, pressing: &str| label.starts_with(head) && label.ends_with(tail) && pressing == priority;
    let mut offered = reports.values().flat_map(|report| &report.next_actions);
    let is_offered =
        offered.any(|it| it.action_type == ActionType::PromptUser && is_asked(&it.label, it.priority.as_str()));
    assert!(is_offered, "{name}: nobody is asked: {said:#}");
    let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    let first = packet["next"].as_array().unwrap().iter().find(|step| {
        let advice = step["insight"]
            .as_u64()
            .map(|it| &packet["insights"][usize::try_from(it).unwrap()]);
        // What only lets the server tell more mends nothing, and may stand before it.
        advice.is_none_or(|it| !healthy::only_tells_more(&it["recommendation"]))
    });
    let first = first.unwrap_or_else(|| panic!("{name}: nobody is told what to do: {said:#}"));
    assert!(
        is_asked(&word(first, "label"), &word(first, "priority")),
        "{name}: something else comes first: {said:#}"
    );
}

/// Runs the SQL of the advice; whatever was there before has to go.
fn advice_mends(name: &str, scenario: &Scenario, servers: &Servers, lab: &Lab, advice: &Value) {
    let mut symptoms = scenario.also.clone();
    symptoms.insert(
        scenario.symptom.clone().unwrap_or_else(|| "time".to_owned()),
        scenario.improves,
    );
    let measured = |what: &str| measured(servers, lab, name, what);
    let before: Vec<f64> = symptoms.keys().map(|what| measured(what)).collect();
    assert!(
        before.iter().all(|&before| before > 0.0),
        "{name}: there is no symptom: {before:?}"
    );
    let mut healing = HEALING;
    if let Some(stays) = scenario.stays {
        healing = Duration::from_secs(stays);
        let began = Instant::now();
        while began.elapsed() < healing {
            std::thread::sleep(Duration::from_secs(1));
            for ((what, improves), before) in symptoms.iter().zip(&before) {
                let now = measured(what);
                assert!(
                    now * improves > *before,
                    "{name}: {what} goes by itself: {before} before, then {now}"
                );
            }
        }
    }
    for statement in advice["sql"]["text"].as_str().unwrap().split_inclusive(';') {
        servers
            .troubled()
            .psql_as("postgres", "shop", statement)
            .unwrap_or_else(|e| panic!("{name}: {statement}: {e}"));
    }
    let applied = Instant::now();
    for ((what, improves), before) in symptoms.iter().zip(before) {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let after = measured(what);
            if after * improves <= before {
                eprintln!("{name}: {what}: {before} before, {after} after {:?}", applied.elapsed());
                break;
            }
            assert!(
                applied.elapsed() < healing,
                "{name}: {what}: {before} before, {after} after the remedy"
            );
        }
    }
}

/// Plays the incident again as it was, and again behind what a person changes: the symptom has to go, and more of the work to be done.
fn act_mends(name: &str, scenario: &Scenario, servers: &Servers, lab: &Lab) {
    let (cluster, work) = (servers.troubled(), text(name, "work.sql"));
    let what = scenario.symptom.as_deref().unwrap();
    let symptom = || match what.strip_prefix("sqlstate ") {
        Some(sqlstate) => logged(servers, sqlstate),
        None => number(cluster, &text(name, "symptom.sql")),
    };
    let numbers = || [symptom(), number(cluster, &work)];
    let [before, done_before] = grown(servers, lab, name, "", numbers);
    assert!(before > 0.0, "{name}: there is no symptom");
    let [after, done] = grown(servers, lab, name, &text(name, "remedy.sh"), numbers);
    eprintln!("{name}: {what}: {before} before, {after} after; work done: {done_before} before, {done} after");
    assert!(
        after * scenario.improves <= before,
        "{name}: {what}: {before} before, {after} after the remedy"
    );
    // No load has no trouble, either.
    assert!(
        done > done_before,
        "{name}: work done: {done_before} before, {done} after the remedy"
    );
}

macro_rules! scenarios {
    ($($test:ident = $folder:literal;)*) => {
        $(
            #[test]
            fn $test() {
                play($folder);
            }
        )*

        #[test]
        fn every_folder_is_played() {
            let mut folders: Vec<String> = std::fs::read_dir(folder("."))
                .unwrap()
                .map(|it| it.unwrap())
                .filter(|it| it.path().is_dir())
                .map(|it| it.file_name().into_string().unwrap())
                .collect();
            folders.sort();
            assert_eq!(folders, [$($folder),*]);
        }
    };
}

scenarios! {
    a_migration_queues_everybody_up = "alter-table-queue";
    the_archive_is_not_there = "archive-failure";
    wal_forces_checkpoints = "checkpoint-storm";
    there_are_no_connections_left = "connection-storm";
    columns_are_correlated = "correlated-columns";
    two_jobs_deadlock_again_and_again = "deadlock-loop";
    a_deploy_brings_errors = "error-burst";
    an_index_was_never_finished = "invalid-index";
    auto_explain_logs_what_is_slow = "logged-plan";
    workers_are_killed_in_their_transactions = "lost-clients";
    an_index_is_missing = "missing-index";
    analyze_flips_a_plan = "plan-flip";
    replay_cancels_reports = "replica-conflict";
    a_query_runs_away = "runaway-query";
    a_sequence_has_no_values_left = "sequence-exhausted";
    a_sequence_is_near_its_end = "sequence-near-end";
    a_slot_lost_what_its_consumer_needs = "slot-lost";
    a_report_holds_replay_up = "standby-behind";
    a_report_spills_to_disk = "temp-file-spill";
    a_forgotten_session_holds_vacuum_back = "vacuum-held-back";
    ids_age_faster_than_autovacuum_freezes = "wraparound-danger";
}
