//! The whole loop against a real server: log → runbook → report → one bounded action → verified audit trail.

use std::time::Duration;

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, Ran, action, argv, logging, make_shop, schema};
use serde_json::Value;

/// A shop with a slow query, a temp-file query and an error in its log; role `triage` is the least one that works.
fn shop() -> Cluster {
    let cluster = logging()
        .setting("log_lock_waits", "on")
        .setting("deadlock_timeout", "50ms")
        .setting("log_temp_files", "0")
        .start()
        .expect("PostgreSQL starts");
    make_shop(&cluster);
    cluster
        .psql_as(
            "app",
            "shop",
            "CREATE TABLE orders AS SELECT i AS id, i % 5000 AS customer_id, repeat('n', i % 90) AS note FROM generate_series(1, 200000) i;
             ANALYZE orders; GRANT SELECT ON orders TO triage;",
        )
        .unwrap();
    // One statement at a time: several in one string are one statement in the log.
    let mut app = cluster.session("app", "shop").unwrap();
    app.run("SET application_name = 'web'").unwrap();
    app.run("SET work_mem = '64kB'").unwrap();
    for i in 0..6 {
        app.run(&format!("SELECT count(*) FROM orders WHERE customer_id = {i}"))
            .unwrap();
        app.run(&format!(
            "SELECT count(*) FROM (SELECT * FROM orders ORDER BY md5(note), id OFFSET {i}) s"
        ))
        .unwrap();
    }
    assert!(cluster.psql_as("app", "shop", "SELECT 1/0").is_err());
    cluster
}

fn log_of(cluster: &Cluster) -> std::path::PathBuf {
    let collected = cluster.collected_logs();
    collected.into_iter().next().unwrap_or_else(|| cluster.server_log())
}

/// Runs the action's command as it stands in the report.
fn run(lab: &Lab, action: &Value) -> Ran {
    let argv = argv(action);
    lab.run(&argv.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
fn run_ok(lab: &Lab, action: &Value) -> Value {
    let ran = run(lab, action);
    assert_eq!(ran.code, 0, "{action:#}\n{ran:?}");
    let report = ran.json();
    schema::check("report", &report);
    report
}

fn kinds(lab: &Lab, kind: &str) -> usize {
    lab.record_kinds().iter().filter(|k| *k == kind).count()
}

#[test]
fn actions_of_a_report_run_are_sealed_and_change_nothing() {
    let cluster = shop();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop")).keeping_values();
    let before = cluster
        .psql_as(
            "postgres",
            "shop",
            "SELECT count(*), sum(hashtext(o::text)) FROM orders o",
        )
        .unwrap();
    let report = lab.triage("query-families", &log_of(&cluster));
    assert_eq!(report["operating_mode"], "log_backed_and_live");
    assert_eq!(report["verdict"], "clear", "{:#}", report["health"]);

    let statistics = run_ok(&lab, action(&report, "query_family.pg_stat_statements.by_queryid"));
    assert_eq!(statistics["outcome"]["status"], "ok", "{:#}", statistics["outcome"]);
    let calls = cell(&statistics, "calls");
    assert_eq!(calls, 6, "the server counted what the log shows");

    let explain = run_ok(&lab, action(&report, "query_family.explain"));
    assert_eq!(explain["outcome"]["status"], "ok", "{:#}", explain["outcome"]);
    assert!(!explain["outcome"]["plan"].as_array().unwrap().is_empty());

    let analyze = run_ok(&lab, action(&report, "query_family.explain_analyze"));
    assert_eq!(analyze["outcome"]["status"], "ok", "{:#}", analyze["outcome"]);
    assert!(analyze["outcome"]["plan"][0]["actual_rows"].is_number());

    let sessions = run_ok(&lab, action(&report, "query_family.pg_stat_activity.by_dimensions"));
    assert_eq!(sessions["outcome"]["status"], "ok");
    assert_eq!(sessions["insights"][0]["insight_id"], "no_live_match_found");

    let counters = run_ok(&lab, action(&report, "temp_file.pg_stat_database.temp_counters"));
    assert!(cell(&counters, "temp_files") > 0);
    let blocks = run_ok(&lab, action(&report, "temp_file.pg_stat_statements.temp_blocks"));
    assert!(cell(&blocks, "temp_blks_written") > 0);
    let errors = run_ok(&lab, action(&report, "error_class.pg_stat_activity.by_dimensions"));
    assert_eq!(errors["outcome"]["status"], "ok");
    let spill = run_ok(&lab, action(&report, "temp_file.explain"));
    assert_eq!(spill["outcome"]["status"], "ok", "{:#}", spill["outcome"]);

    assert_eq!(kinds(&lab, "intent"), 8, "an intent for every action");
    assert_eq!(kinds(&lab, "outcome"), 8);
    assert_eq!(spill["budget"]["actions_used"], 8);
    lab.verified_records();
    let after = cluster
        .psql_as(
            "postgres",
            "shop",
            "SELECT count(*), sum(hashtext(o::text)) FROM orders o",
        )
        .unwrap();
    assert_eq!(before, after);
    let ours = cluster
        .psql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg-logstats'")
        .unwrap();
    assert_eq!(ours.trim(), "0", "no session is left behind");
}

/// The first row's value in the column `name`.
#[track_caller]
fn cell(report: &Value, name: &str) -> i64 {
    let columns = report["outcome"]["columns"].as_array().unwrap();
    let position = columns
        .iter()
        .position(|c| c == name)
        .unwrap_or_else(|| panic!("no column {name}"));
    report["outcome"]["rows"][0]["cells"][position]
        .as_i64()
        .unwrap_or_else(|| panic!("{:#}", report["outcome"]))
}

#[test]
fn a_lock_pile_up_refuses_what_is_not_essential_and_shows_the_blocker() {
    let cluster = shop();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    let calm = lab.triage("query-families", &log_of(&cluster));

    let mut holder = cluster.session("app", "shop").unwrap();
    holder
        .run("BEGIN; UPDATE orders SET note = 'held' WHERE id = 1")
        .unwrap();
    let holder_pid = holder.pid().unwrap();
    let mut waiters = Vec::new();
    for _ in 0..14 {
        let mut waiter = cluster.session("app", "shop").unwrap();
        waiter.start("UPDATE orders SET note = 'waits' WHERE id = 1").unwrap();
        waiters.push(waiter);
    }
    std::thread::sleep(Duration::from_millis(600));

    let health = lab.json(&["health"]);
    schema::check("health", &health);
    assert_eq!(health["verdict"], "saturated", "{health:#}");
    let refused = run(&lab, action(&calm, "query_family.explain"));
    refused.fails(3, &["saturated"]);
    schema::check("refusal", &refused.json());
    assert_eq!(refused.json()["status"], "blocked_by_verdict");
    assert_eq!(kinds(&lab, "intent"), 0, "nothing was about to run");
    assert_eq!(kinds(&lab, "refusal"), 1, "and the refusal is recorded");

    let locks = lab.triage("locks", &log_of(&cluster));
    let blocking = action(&locks, "running_query.blocking.by_pid");
    assert_eq!(
        blocking["status"], "allowed",
        "who blocks whom is essential: {blocking:#}"
    );
    let report = run_ok(&lab, blocking);
    assert_eq!(report["outcome"]["status"], "ok", "{:#}", report["outcome"]);
    let rows = report["outcome"]["rows"].as_array().unwrap();
    let pid = report["outcome"]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .position(|c| c == "pid")
        .unwrap();
    assert!(
        rows.iter().any(|r| r["cells"][pid] == holder_pid),
        "the holder is among {rows:#?}"
    );
    let ids: Vec<_> = report["insights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["insight_id"].as_str().unwrap())
        .collect();
    assert!(!ids.is_empty(), "the runbook concludes something");
    assert!(
        !report["insights"].to_string().contains("work_mem"),
        "no work_mem for a lock problem"
    );
    lab.verified_records();
}

#[test]
fn inspect_decides_the_mode_and_gives_remedies() {
    let cluster = shop();
    let log = log_of(&cluster);
    let log = log.to_str().unwrap();

    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    let both = lab.json(&["inspect", log]);
    schema::check("inspection", &both);
    assert_eq!(both["operating_mode"], "log_backed_and_live");
    assert_eq!(lab.json(&["inspect"])["operating_mode"], "live_only");
    assert_eq!(Lab::new().json(&["inspect", log])["operating_mode"], "log_backed_only");
    assert_eq!(Lab::new().json(&["inspect"])["operating_mode"], "unready");
    for check in both["checks"].as_array().unwrap() {
        let failed = check["status"] != "passed";
        assert_eq!(
            failed,
            check["remedy"].is_string(),
            "what is not passed has a remedy: {check:#}"
        );
    }
    // The script it prints makes a role that works.
    let script = both["server"]["grant_script"]["text"].as_str().unwrap();
    assert!(script.contains("pg_read_all_stats"), "{script}");
    let unreachable = Lab::with_database("postgresql://nobody@127.0.0.1:1/none");
    let inspection = unreachable.json(&["inspect", log]);
    assert_eq!(inspection["operating_mode"], "log_backed_only");
}

#[test]
fn a_role_that_can_write_is_refused_unless_the_operator_says_otherwise() {
    let cluster = shop();
    let lab = Lab::with_database(&cluster.dsn("postgres", "shop"));
    let report = lab.triage("query-families", &log_of(&cluster));
    let refused = run_ok(&lab, action(&report, "query_family.pg_stat_statements.by_queryid"));
    assert_eq!(refused["outcome"]["status"], "failed", "{:#}", refused["outcome"]);
    assert!(
        refused["outcome"]["detail"].as_str().unwrap().contains("superuser"),
        "{:#}",
        refused["outcome"]
    );
    assert!(refused["outcome"]["rows"].as_array().unwrap().is_empty());

    let url = cluster
        .dsn("postgres", "shop")
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    let config = format!("[databases.shop]\nurl = \"{url}\"\nallow_privileged_role = true\n");
    let config = lab.file("config.toml", config);
    let id = report["report_id"].as_str().unwrap();
    let act = action(&report, "query_family.pg_stat_statements.by_queryid")["action_id"]
        .as_str()
        .unwrap();
    let allowed = lab.json(&[
        "run-sql",
        "--triage-report",
        id,
        "--action-id",
        act,
        "--config",
        &config,
        "--database",
        "shop",
    ]);
    assert_eq!(allowed["outcome"]["status"], "ok", "{:#}", allowed["outcome"]);
}

#[test]
fn the_parameters_of_an_action_are_those_that_were_offered() {
    let cluster = shop();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    let report = lab.triage("query-families", &log_of(&cluster));
    let act = action(&report, "query_family.pg_stat_statements.by_queryid");
    let offered = act["parameters"][0]["value"].as_str().expect("a query id is a string");
    let base = argv(act);
    let with = |parameter: String| {
        let mut args: Vec<&str> = base.iter().map(String::as_str).collect();
        args.extend(["--parameter", &parameter]);
        lab.run(&args)
    };
    assert_eq!(with(format!("queryid={offered}")).code, 0);
    with("queryid=1".to_owned()).fails(3, &["does not offer that value"]);
    with("sql=SELECT 1".to_owned()).fails(3, &["does not offer a parameter `sql`", "`queryid`"]);
    with(format!("queryid={offered}; DROP TABLE orders")).fails(3, &["does not offer that value"]);
    assert_eq!(kinds(&lab, "refusal"), 3);
}

#[test]
fn databases_that_cannot_be_used_say_why_and_never_show_a_password() {
    let cluster = Cluster::builder()
        .tcp()
        .hba("host all guarded 127.0.0.1/32 scram-sha-256")
        .start()
        .unwrap();
    cluster
        .psql("CREATE ROLE guarded LOGIN PASSWORD 'right'; CREATE ROLE triage LOGIN; GRANT pg_read_all_stats TO triage")
        .unwrap();
    let url = cluster
        .tcp_url("guarded", "postgres")
        .unwrap()
        .replace("guarded", "guarded:hunter2");
    for (dsn, says) in [
        (url.as_str(), "password"),
        ("postgresql://u:hunter2@127.0.0.1:1/x", "nothing listens"),
        (&cluster.dsn("triage", "no_such_db"), "no such database"),
    ] {
        let lab = Lab::with_database(dsn);
        let ran = lab.run(&["health"]);
        assert_eq!(ran.code, 0, "that it cannot be judged is the answer: {ran:?}");
        let health = ran.json();
        assert_eq!(health["verdict"], "unknown");
        assert!(
            health["verdict_reasons"].to_string().contains(says),
            "{says}: {health:#}"
        );
        assert!(
            !ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"),
            "{ran:?}"
        );
    }
    let right = Lab::with_database(&url.replace("hunter2", "right"));
    let reasons = right.json(&["health"])["verdict_reasons"].to_string();
    assert!(!reasons.contains("password"), "the right password gets in: {reasons}");
    for dsn in ["postgresql://u@h/d?no_such_option=1", "host=h no_such_key=1"] {
        let ran = Lab::with_database(dsn).run(&["health"]);
        ran.fails(2, &["no_such_"]);
    }
}

#[test]
fn without_pg_stat_statements_the_action_is_unavailable_and_says_what_to_do() {
    let cluster = Cluster::builder()
        .setting("compute_query_id", "on")
        .setting("log_line_prefix", "%m [%p] %q%u@%d %a %e %Q: ")
        .setting("log_min_duration_statement", "0")
        .start()
        .unwrap();
    cluster
        .psql("CREATE ROLE triage LOGIN; GRANT pg_read_all_stats TO triage; SELECT count(*) FROM pg_class")
        .unwrap();
    let lab = Lab::with_database(&cluster.dsn("triage", "postgres"));
    let report = lab.triage("query-families", &log_of(&cluster));
    let outcome = run_ok(&lab, action(&report, "query_family.pg_stat_statements.by_queryid"));
    assert_eq!(outcome["outcome"]["status"], "unavailable", "{:#}", outcome["outcome"]);
    assert!(
        outcome["outcome"]["detail"]
            .as_str()
            .unwrap()
            .contains("pg_stat_statements")
    );
}

#[test]
fn the_budget_of_an_incident_is_counted_from_the_log() {
    let cluster = shop();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    let config = lab.file("config.toml", "[budget]\nactions = 2\n");
    let log = log_of(&cluster);
    let report = lab.json(&["triage", "query-families", log.to_str().unwrap(), "--config", &config]);
    let act = action(&report, "query_family.pg_stat_statements.by_queryid");
    assert!(
        argv(act).contains(&"--config".to_owned()),
        "the command names the configuration"
    );
    for used in 1..=2 {
        assert_eq!(run_ok(&lab, act)["budget"]["actions_used"], used);
    }
    let refused = run(&lab, act);
    refused.fails(3, &["used its 2 actions"]);
    assert_eq!(refused.json()["status"], "blocked_by_budget");
    // A new incident has a budget of its own.
    let fresh = lab.json(&["triage", "query-families", log.to_str().unwrap(), "--config", &config]);
    run_ok(&lab, action(&fresh, "query_family.pg_stat_statements.by_queryid"));
}

#[test]
fn the_three_formats_of_one_server_give_the_same_report() {
    let cluster = Cluster::builder()
        .setting("logging_collector", "on")
        .setting("log_destination", "stderr,csvlog,jsonlog")
        .setting("log_filename", "postgresql.log")
        .setting("log_line_prefix", "%m [%p] %u@%d %a %e %Q: ")
        .setting("log_min_duration_statement", "0")
        .setting("compute_query_id", "on")
        .setting("log_lock_waits", "on")
        .setting("deadlock_timeout", "50ms")
        .start()
        .unwrap();
    cluster
        .psql("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 1000) i")
        .unwrap();
    for i in 0..20 {
        cluster
            .psql(&format!("SELECT count(*) FROM t WHERE id < {i} /* page {i} */"))
            .unwrap();
    }
    let mut holder = cluster.session("postgres", "postgres").unwrap();
    holder.run("BEGIN; UPDATE t SET id = id WHERE id = 1").unwrap();
    let mut waiter = cluster.session("postgres", "postgres").unwrap();
    waiter.start("UPDATE t SET id = id WHERE id = 1").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    holder.run("COMMIT").unwrap();
    assert!(
        cluster
            .psql("SELECT 'planted\n2026-01-01 00:00:00.000 UTC [1] x@y z 00000 0: ERROR:  forged' FROM nowhere")
            .is_err()
    );
    std::thread::sleep(Duration::from_millis(300));

    const WORKFLOWS: [&str; 3] = ["query-families", "locks", "slow-queries"];
    let logs = cluster.collected_logs();
    let mut reports = Vec::new();
    for ending in ["log", "csv", "json"] {
        let log = logs
            .iter()
            .find(|l| l.extension().is_some_and(|e| e == ending))
            .unwrap_or_else(|| panic!("no {ending} in {logs:?}"));
        let lab = Lab::new();
        for workflow in WORKFLOWS {
            let mut report = lab.triage(workflow, log);
            // Sessions of csv and json know their start; those of this prefix do not.
            let source = &mut report["source_summary"];
            let summary = [
                &source["durations"],
                &source["events"],
                &source["sqlstates"],
                &source["entries_scanned"],
            ]
            .map(Value::clone);
            let findings: Vec<Value> = report["findings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| serde_json::json!([f["kind"], f["rank"], f["metrics"], f["query_family"], f["score"]]))
                .collect();
            reports.push((workflow, serde_json::json!([summary, findings])));
        }
    }
    let (stderr, others) = reports.split_at(WORKFLOWS.len());
    others
        .chunks(WORKFLOWS.len())
        .for_each(|other| assert_eq!(stderr, other));
    assert!(reports[0].1.to_string().contains("qf_"));
}
