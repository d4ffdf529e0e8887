//! `--baseline`: what it takes, what it refuses, and a real regression of a real server.

use pg_logstats_test_cluster::{Cluster, Session};
use pg_logstats_tests::{Lab, action, argv, fixture, logging, make_shop, regressed, schema};
use serde_json::Value;

/// What was found, in the order of the report.
fn found(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            (
                finding["kind"].as_str().unwrap(),
                finding["query_family"]["statement"]["text"]
                    .as_str()
                    .unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn whatever_logs_may_be_a_baseline_may_be() {
    let lab = Lab::new();
    let (then, now) = regressed::logs(&lab);
    let findings = |baseline: &[&str]| {
        let mut args = vec!["triage", "slow-queries", &now];
        baseline.iter().for_each(|it| args.extend(["--baseline", it]));
        let report = lab.json(&args);
        schema::check("report", &report);
        assert_eq!(report["baseline"]["execution_count"], 480);
        report["findings"].clone()
    };
    let direct = findings(&[&then]);
    assert_eq!(direct[0]["kind"], "slow_query_regression");
    let exported = lab.path().join("then.json.zst").to_str().unwrap().to_owned();
    assert_eq!(lab.run(&["evidence", "export", &then, "--output", &exported]).code, 0);
    assert_eq!(findings(&[&exported]), direct);
    let folder = lab.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&then, folder.join("postgresql.log")).unwrap();
    assert_eq!(findings(&[folder.to_str().unwrap()]), direct);
    // In two pieces, each given by its own flag.
    let text = std::fs::read_to_string(&then).unwrap();
    let half = text[..text.len() / 2].rfind('\n').unwrap() + 1;
    let pieces = [lab.file("a.log", &text[..half]), lab.file("b.log", &text[half..])];
    assert_eq!(findings(&[&pieces[0], &pieces[1]]), direct);
}

#[test]
fn one_log_is_compared_with_itself_of_another_time() {
    let lab = Lab::new();
    let (then, now) = regressed::logs(&lab);
    let both = [then, now].map(|path| std::fs::read_to_string(path).unwrap()).concat();
    let log = lab.file("both.log", both);
    let (midnight, end) = ("2026-11-23T00:00:00Z", "2026-11-22T23:59:59Z");
    let windows = ["--since", midnight, "--baseline-until", end];
    let report = lab.json(&[&["triage", "slow-queries", &log, "--baseline", &log][..], &windows].concat());
    assert_eq!(report["analysis_window"]["since"], "2026-11-23T05:00:00Z");
    assert_eq!(report["baseline"]["analysis_window"]["until"], "2026-11-22T05:59:46Z");
    let both_sides = [
        ("slow_query_regression", "select * from orders where customer_id = ?"),
        ("slow_query_regression", "select * from vouchers where code = ?"),
    ];
    assert_eq!(found(&report), both_sides);
    lab.run(&["triage", "slow-queries", &log, "--baseline", &log])
        .fails(2, &["both.log", "--baseline-since"]);
    // Without a window of its own the baseline holds the target too.
    let report = lab.json(&["triage", "slow-queries", &log, "--baseline", &log, "--since", midnight]);
    assert!(report["limitations"].to_string().contains("baseline_overlaps"));
}

#[test]
fn a_baseline_that_makes_no_sense_is_refused_by_its_flags() {
    let lab = Lab::new();
    let (then, now) = regressed::logs(&lab);
    let triage = |more: &[&str]| lab.run(&[&["triage", "slow-queries", now.as_str()], more].concat());
    triage(&["--baseline-since", "2h"]).fails(2, &["--baseline <LOG>"]);
    triage(&["--baseline", "/nowhere.log"]).fails(1, &["/nowhere.log", "check the spelling"]);
    triage(&["--baseline", &then, "--baseline-since", "yesterday"]).fails(2, &["--baseline-since", "yesterday"]);
    triage(&["--baseline", &then, "--baseline-since", "1h", "--baseline-until", "2h"])
        .fails(2, &["--baseline-since", "--baseline-until", "empty"]);
    triage(&["--baseline", &then, "--baseline", &then]).fails(2, &["then.log", "twice"]);
    let report = lab.triage("query-families", &fixture("shop.log"));
    let id = report["report_id"].as_str().unwrap();
    lab.run(&["triage", "slow-queries", "--parent-report", id, "--baseline", &then])
        .fails(2, &["--baseline", "none are named"]);
    let report = triage(&["--baseline", fixture("shop.log").to_str().unwrap()]).json();
    let codes = report["limitations"].to_string();
    assert!(codes.contains("baseline_nothing_in_common"), "{codes}");
}

#[test]
fn the_comparison_stays_with_the_incident() {
    let lab = Lab::new();
    let (then, now) = regressed::logs(&lab);
    let first = lab.json(&["triage", "query-families", &now, "--baseline", &then]);
    assert_eq!(first["baseline"]["regressions"], 2, "whatever the runbook makes of it");
    assert!(
        first["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["regression"].is_null())
    );
    [then, now].iter().for_each(|log| std::fs::remove_file(log).unwrap());
    let id = first["report_id"].as_str().unwrap();
    let second = lab.json(&["triage", "slow-queries", "--parent-report", id]);
    schema::check("report", &second);
    assert_eq!(second["findings"][0]["kind"], "slow_query_regression");
    assert_eq!(second["baseline"]["source_summary"]["kind"], "parent_report");
    let back = argv(action(&second, "query-families"));
    let third = lab.json(&back.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(third["findings"], first["findings"]);
}

/// A shop with an index that matters. Role `triage` may read.
fn shop() -> Cluster {
    let cluster = logging()
        .setting("autovacuum", "off")
        .setting("max_parallel_workers_per_gather", "0")
        .start()
        .expect("PostgreSQL starts");
    make_shop(&cluster);
    let tables = "CREATE TABLE orders AS SELECT i AS id, i % 50000 AS customer_id, repeat('n', 60) AS note FROM generate_series(1, 200000) i;
         CREATE INDEX by_customer ON orders (customer_id);
         CREATE TABLE stock AS SELECT i AS item, 10 AS count FROM generate_series(1, 2000) i;
         GRANT SELECT ON orders, stock TO triage; ANALYZE";
    cluster.psql_as("app", "shop", tables).unwrap();
    cluster
}

/// What the application does in a while: it looks up orders, and sums the stock.
fn work(app: &mut Session, round: u32) {
    for i in 0..6 {
        let customer = round * 6 + i;
        app.run(&format!(
            "SELECT count(note) FROM orders WHERE customer_id = {customer}"
        ))
        .unwrap();
        app.run(&format!("SELECT sum(count) FROM stock WHERE item > {i}"))
            .unwrap();
    }
}

/// What the server logged in `rounds`, every round by turns in one of as many logs. So whatever else the machine does, it does to all.
fn logged<const LOGS: usize>(cluster: &Cluster, app: &mut Session, rounds: u32) -> [Vec<u8>; LOGS] {
    let mut logs = [const { Vec::new() }; LOGS];
    let mut seen = std::fs::read(cluster.server_log()).unwrap().len();
    for round in 0..rounds {
        for log in &mut logs {
            work(app, round);
            let all = std::fs::read(cluster.server_log()).unwrap();
            log.extend_from_slice(&all[seen..]);
            seen = all.len();
        }
    }
    logs
}

#[test]
fn a_lost_index_is_found_and_a_workload_that_did_not_change_is_no_regression() {
    let cluster = shop();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop")).keeping_values();
    let mut app = cluster.session("app", "shop").unwrap();
    app.run("SET application_name = 'web'").unwrap();
    work(&mut app, 0);
    let [then, same] = logged(&cluster, &mut app, 20);
    cluster.psql_as("app", "shop", "DROP INDEX by_customer").unwrap();
    let [now] = logged(&cluster, &mut app, 20);
    let [then, same, now] =
        [("then.log", then), ("same.log", same), ("now.log", now)].map(|(name, bytes)| lab.file(name, bytes));

    let calm = lab.json(&["triage", "slow-queries", &same, "--baseline", &then]);
    schema::check("report", &calm);
    assert_eq!(found(&calm), [("nothing_found", "")], "{:#}", calm["findings"]);
    assert_eq!(calm["findings"][0]["title"], "nothing got worse since the baseline");
    assert_eq!(calm["baseline"]["common_families"], 2);

    let report = lab.json(&["triage", "slow-queries", &now, "--baseline", &then]);
    schema::check("report", &report);
    let first = &report["findings"][0];
    let lookup = "select count(note) from orders where customer_id = ?";
    assert_eq!(
        found(&report)[0],
        ("slow_query_regression", lookup),
        "{:#}",
        report["findings"]
    );
    assert!(first["reason_codes"].to_string().contains("p95_regressed"), "{first:#}");
    let metric = |name: &str| first["metrics"][name].as_f64().unwrap();
    assert!(metric("p95_ratio") > 1.5 && metric("p_value") < 1e-6, "{first:#}");
    assert_eq!(
        (metric("execution_count"), metric("baseline_execution_count")),
        (120.0, 120.0)
    );

    // And why: the plan that the report offers shows the scan, and what a person could do.
    let analyze = argv(action(&report, "query_family.explain_analyze"));
    let analyzed = lab.json(&analyze.iter().map(String::as_str).collect::<Vec<_>>());
    schema::check("report", &analyzed);
    assert_eq!(analyzed["outcome"]["status"], "ok", "{:#}", analyzed["outcome"]);
    let insights = analyzed["insights"].as_array().unwrap();
    let scan = insights
        .iter()
        .find(|it| it["insight_id"] == "selective_sequential_scan");
    let advice = &scan.unwrap_or_else(|| panic!("{insights:#?}"))["recommendation"];
    assert_eq!(advice["kind"], "create_index");
    assert!(
        advice["sql"]["text"].as_str().unwrap().contains("customer_id"),
        "{advice:#}"
    );
    assert!(analyzed["baseline"].is_object());
    lab.verified_records();
}
