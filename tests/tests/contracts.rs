//! The printed contracts: schemas, golden reports, help.

use pg_logstats_tests::{Lab, catalogue_page, fixture, golden, regressed, schema};
use serde_json::Value;

#[test]
fn the_schemas_in_docs_are_those_of_the_types() {
    for (name, schema) in schema::all() {
        golden::compare(&schema::path(name), &format!("{schema:#}\n"));
    }
}

#[test]
fn the_page_of_the_catalogue_is_that_of_its_files() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/catalogue.md");
    golden::compare(&page, &catalogue_page::page());
}

#[test]
fn the_catalogue_can_be_reviewed_without_a_workspace() {
    let lab = Lab::new();
    let list = lab.json(&["catalog", "list"]);
    schema::check("catalog", &list);
    let ids: Vec<&str> = list["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 47);
    for id in ids {
        let action = lab.json(&["catalog", "show", id]);
        schema::check("action", &action);
        assert!(
            action["statements"][0]["sql"].as_str().unwrap().contains("SELECT"),
            "{id}"
        );
    }
    assert!(!lab.workspace().exists(), "nothing is written to look at the catalogue");
    let text = lab.run(&[
        "catalog",
        "show",
        "checkpoint.pg_stat_checkpointer.counters",
        "--format",
        "text",
    ]);
    golden::check("catalog-show.txt", &text.stdout);
    let text = lab.run(&["catalog", "list", "--format", "text"]);
    golden::check("catalog-list.txt", &text.stdout);
}

#[test]
fn an_action_that_is_not_there_is_wrong_usage() {
    let lab = Lab::new();
    let ran = lab.run(&["catalog", "show", "no.such\u{1b}[31m.action"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("the catalogue has no action `no.such"), "{ran:?}");
    assert!(
        ran.stderr.contains("`pg-logstats catalog list`") && !ran.stderr.contains('\u{1b}'),
        "{ran:?}"
    );
}

fn settled(lab: &Lab, mut report: Value) -> String {
    golden::settle(
        &mut report,
        &[(lab.path(), "<lab>"), (fixture("").parent().unwrap(), "<tests>")],
    );
    format!("{report:#}\n")
}

#[test]
fn the_report_of_the_bundled_log_is_the_golden_one() {
    for workflow in ["query-families", "locks", "slow-queries"] {
        let lab = Lab::new();
        let report = lab.triage(workflow, &fixture("shop.log"));
        golden::check(&format!("{workflow}.json"), &settled(&lab, report));
    }
}

#[test]
fn the_same_report_as_text_is_the_golden_one() {
    for workflow in ["query-families", "locks", "slow-queries"] {
        let lab = Lab::new();
        let ran = lab.run(&[
            "triage",
            workflow,
            fixture("shop.log").to_str().unwrap(),
            "--format",
            "text",
        ]);
        assert_eq!(ran.code, 0, "{ran:?}");
        golden::check(&format!("{workflow}.txt"), &settled_text(&lab, &ran.stdout));
    }
}

fn settled_text(lab: &Lab, text: &str) -> String {
    let text = golden::settle_text(text, &[(lab.path(), "<lab>")]);
    let same_in_every_run = text.lines().filter(|l| !l.starts_with("audit "));
    same_in_every_run.map(|l| format!("{l}\n")).collect()
}

#[test]
fn the_report_against_a_baseline_is_the_golden_one() {
    let compare = |more: &[&str]| {
        let lab = Lab::new();
        let (then, now) = regressed::logs(&lab);
        let ran = lab.run(&[&["triage", "slow-queries", &now, "--baseline", &then], more].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        (lab, ran)
    };
    for threads in ["1", "2", "7"] {
        let (lab, ran) = compare(&["--threads", threads]);
        let report = ran.json();
        schema::check("report", &report);
        golden::check("slow-queries-baseline.json", &settled(&lab, report));
    }
    let (lab, ran) = compare(&["--format", "text"]);
    golden::check("slow-queries-baseline.txt", &settled_text(&lab, &ran.stdout));
}

#[test]
fn a_report_is_the_same_at_every_run_and_thread_count() {
    let run = |threads: &str| {
        let lab = Lab::new();
        let log = fixture("shop.log");
        let report = lab.json(&["triage", "query-families", log.to_str().unwrap(), "--threads", threads]);
        settled(&lab, report)
    };
    let first = run("1");
    assert_eq!(first, run("1"));
    assert_eq!(first, run("2"));
    assert_eq!(first, run("7"));
}

#[test]
fn help_is_the_golden_one() {
    let lab = Lab::new();
    let mut text = String::new();
    for args in [
        &["--help"][..],
        &["triage", "--help"],
        &["run-sql", "--help"],
        &["evidence", "export", "--help"],
        &["evidence", "merge", "--help"],
        &["audit", "--help"],
        &["catalog", "--help"],
        &["runbook", "--help"],
        &["runbook", "new", "--help"],
        &["runbook", "test", "--help"],
        &["policy", "check", "--help"],
    ] {
        let ran = lab.run(args);
        assert_eq!(ran.code, 0);
        text.push_str(&ran.stdout.replace(lab.workspace().to_str().unwrap(), "<workspace>"));
    }
    golden::check("help.txt", &text);
}

#[test]
fn stdout_is_data_and_nothing_else() {
    let lab = Lab::new();
    let ran = lab.run(&["triage", "query-families", fixture("shop.log").to_str().unwrap()]);
    assert!(ran.json().is_object(), "one JSON document and no other line");
    let quiet = lab.run(&[
        "--quiet",
        "triage",
        "query-families",
        fixture("shop.log").to_str().unwrap(),
    ]);
    assert_eq!(quiet.stderr, "");
}
