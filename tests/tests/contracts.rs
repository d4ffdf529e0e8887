//! The printed contracts: schemas, golden reports, help.

use pg_logstats_tests::{Lab, fixture, golden, regressed, schema};
use serde_json::Value;

#[test]
fn the_schemas_in_docs_are_those_of_the_types() {
    for (name, schema) in schema::all() {
        golden::compare(&schema::path(name), &format!("{schema:#}\n"));
    }
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
