//! Incidents on real servers, from their beginning to the remedy; `tests/scenarios/README.md` says how they are written.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, argv, make_shop, schema};
use serde::Deserialize;
use serde_json::Value;

/// Commands that the agent runs at most, and of these the ones that ask the server; the rate that a budget allows is 30 a minute.
const COMMANDS: usize = 60;
const ACTIONS: usize = 28;

/// What `incident.sh` can use.
const PRELUDE: &str = r#"
set -euo pipefail
psql() { command psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" >/dev/null; }
background() { PGAPPNAME=$1 command psql -X -q -A -t -c "$2" >/dev/null 2>&1 </dev/null & echo $! >>"$PIDS"; }
hold() { (echo "$2"; exec sleep 600) | PGAPPNAME=$1 command psql -X -q -A -t >/dev/null 2>&1 & echo $! >>"$PIDS"; sleep 0.3; }
release() { pkill -P $$ >/dev/null 2>&1 || true; }
turn() { sleep 0.1; date -u +%Y-%m-%dT%H:%M:%S.%3NZ >"$TURN"; sleep 0.1; }
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    cause: Cause,
    remedy: String,
    improves: Option<f64>,
    symptom: Option<String>,
    /// Further symptoms, and how many times less each has to be.
    #[serde(default)]
    also: BTreeMap<String, f64>,
    settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cause {
    /// One of these kinds.
    finding: Vec<String>,
    insight: Option<String>,
    /// What the text of the first finding's subject contains.
    about: Option<String>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn text(name: &str, file: &str) -> String {
    let path = folder(name).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The processes of an incident; they end with it.
struct Incident {
    pids: PathBuf,
    /// When it began, where the logs before that are those of a better time.
    turn: Option<String>,
}

impl Incident {
    fn begin(cluster: &Cluster, lab: &Lab, script: &str) -> Self {
        let (pids, turn) = (lab.path().join("pids"), lab.path().join("turn"));
        let client = cluster.client("psql", "app", "shop");
        let mut bash = std::process::Command::new("bash");
        for (name, value) in client.get_envs() {
            match value {
                Some(value) => bash.env(name, value),
                None => bash.env_remove(name),
            };
        }
        let status = bash
            .args(["-c", &format!("{PRELUDE}\n{script}")])
            .env("PIDS", &pids)
            .env("TURN", &turn)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "incident.sh: {status}");
        let turn = std::fs::read_to_string(turn).ok();
        let turn = turn.map(|at| at.trim().to_owned());
        Self { pids, turn }
    }
}

impl Drop for Incident {
    fn drop(&mut self) {
        for pid in std::fs::read_to_string(&self.pids).unwrap_or_default().lines() {
            let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
    }
}

/// Reads nothing but `next_actions`: required ones first, then recommended, then optional ones, and none that is about the same as one before. The
/// incident's id.
fn walk(lab: &Lab, log: &Path, turn: Option<&str>) -> String {
    // Required, recommended, optional.
    let mut open: [VecDeque<(bool, Vec<String>)>; 3] = Default::default();
    let log = log.to_str().unwrap();
    let mut first = vec!["triage", log];
    if let Some(turn) = turn {
        first.extend(["--since", turn, "--baseline", log, "--baseline-until", turn]);
    }
    open[0].push_back((false, first.into_iter().map(str::to_owned).collect()));
    let mut seen: Vec<String> = Vec::new();
    let (mut incident, mut commands, mut actions) = (None, 0, 0);
    while let Some((is_action, command)) = open.iter_mut().find_map(VecDeque::pop_front) {
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
            if offered["status"] != "allowed" || offered["command"].is_null() || seen.contains(&about) {
                continue;
            }
            seen.push(about);
            let rank = match offered["priority"].as_str().unwrap() {
                "required" => 0,
                "recommended" => 1,
                _ => 2,
            };
            open[rank].push_back((offered["action_type"] == "run_sql", argv(offered)));
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

fn measured(cluster: &Cluster, what: &str, sql: &str) -> f64 {
    let number = |sql: &str| -> f64 {
        cluster
            .psql_as("postgres", "shop", sql)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    };
    let run = || cluster.psql_as("app", "shop", sql).unwrap();
    let plan = || -> Value {
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}");
        let mut plans: Value = serde_json::from_str(&cluster.psql_as("app", "shop", &explain).unwrap()).unwrap();
        plans[0]["Plan"].take()
    };
    match what {
        "value" => number(sql),
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
    let mut builder = Cluster::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("compute_query_id", "on")
        .setting("log_line_prefix", "%m [%p] %q%u@%d %a %e %Q: ");
    for (setting, value) in &scenario.settings {
        builder = builder.setting(setting, value);
    }
    let cluster = builder.start().expect("PostgreSQL starts");
    make_shop(&cluster);
    cluster.psql_as("app", "shop", &text(name, "setup.sql")).unwrap();
    cluster
        .psql_as(
            "app",
            "shop",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO triage; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO triage;",
        )
        .unwrap();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop")).keeping_values();
    let incident = Incident::begin(&cluster, &lab, &text(name, "incident.sh"));
    let log = cluster
        .collected_logs()
        .into_iter()
        .next()
        .unwrap_or_else(|| cluster.server_log());
    let before = written(&cluster);

    let id = walk(&lab, &log, incident.turn.as_deref());
    assert_eq!(written(&cluster), before, "the agent changed something");
    lab.verified_records();
    let packet = lab.json(&["handoff", &id, "--form", "json"]);
    schema::check("handoff", &packet);
    let said = serde_json::json!({
        "headline": packet["headline"], "steps": packet["steps"].as_array().unwrap().iter().map(|it| (&it["title"], &it["status"])).collect::<Vec<_>>(),
        "findings": packet["findings"].as_array().unwrap().iter().map(|it| (&it["kind"], &it["title"], &it["score"])).collect::<Vec<_>>(),
        "insights": packet["insights"].as_array().unwrap().iter().map(|it| (&it["id"], &it["title"], &it["recommendation"]["sql"]["text"])).collect::<Vec<_>>(),
    });
    let kind = packet["findings"][0]["kind"].as_str().unwrap().to_owned();
    assert!(scenario.cause.finding.contains(&kind), "{name}: {said:#}");
    assert_ne!(packet["headline"]["severity"], "low", "{name}: {said:#}");
    if let Some(about) = &scenario.cause.about {
        let text = packet["findings"][0]["subject"]["text"]["text"].as_str();
        assert!(
            text.is_some_and(|text| text.contains(about.as_str())),
            "{name}: {packet:#}"
        );
    }
    let advice = packet["insights"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| !it["recommendation"].is_null());
    if let Some(insight) = &scenario.cause.insight {
        let advice = advice.unwrap_or_else(|| panic!("{name}: no advice: {said:#}"));
        assert_eq!(advice["id"], insight.as_str(), "{name}: {said:#}");
        assert_eq!(
            advice["recommendation"]["kind"],
            scenario.remedy.as_str(),
            "{name}: {said:#}"
        );
        assert_eq!(packet["next"][0]["insight"], 0, "{name}: {said:#}");
    } else {
        assert!(
            !packet["next"].as_array().unwrap().is_empty(),
            "{name}: nobody is told what to do: {said:#}"
        );
    }
    if let (Some(improves), Some(advice)) = (scenario.improves, advice) {
        let sql = text(name, "symptom.sql");
        let mut symptoms = scenario.also.clone();
        symptoms.insert(scenario.symptom.clone().unwrap_or_else(|| "time".to_owned()), improves);
        let before: Vec<f64> = symptoms.keys().map(|what| measured(&cluster, what, &sql)).collect();
        for statement in advice["recommendation"]["sql"]["text"]
            .as_str()
            .unwrap()
            .split_inclusive(';')
        {
            cluster
                .psql_as("postgres", "shop", statement)
                .unwrap_or_else(|e| panic!("{name}: {statement}: {e}"));
        }
        std::thread::sleep(Duration::from_millis(500));
        for ((what, improves), before) in symptoms.iter().zip(before) {
            let after = measured(&cluster, what, &sql);
            assert!(
                before > 0.0 && after * improves <= before,
                "{name}: {what}: {before} before, {after} after the remedy"
            );
        }
    }
    drop(incident);
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
    wal_forces_checkpoints = "checkpoint-storm";
    there_are_no_connections_left = "connection-storm";
    columns_are_correlated = "correlated-columns";
    two_jobs_deadlock_again_and_again = "deadlock-loop";
    a_deploy_brings_errors = "error-burst";
    an_index_is_missing = "missing-index";
    analyze_flips_a_plan = "plan-flip";
    a_query_runs_away = "runaway-query";
    a_sequence_has_no_values_left = "sequence-exhausted";
    a_sequence_is_near_its_end = "sequence-near-end";
    a_report_spills_to_disk = "temp-file-spill";
}
