//! Incidents go on from report to report.

use pg_logstats_tests::{Lab, action, argv, fixture};

#[test]
fn a_workflow_action_judges_the_sealed_evidence_as_it_stands() {
    let lab = Lab::new();
    let log = lab.path().join("rotated.log");
    std::fs::copy(fixture("shop.log"), &log).unwrap();
    let first = lab.triage("query-families", &log);
    std::fs::remove_file(&log).unwrap();
    let next = action(&first, "locks");
    assert_eq!(next["action_type"], "run_workflow");
    let argv = argv(next);
    let second = lab.json(&argv.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(second["incident_id"], first["incident_id"]);
    assert_eq!(second["parent_report_id"], first["report_id"]);
    assert_eq!(second["workflow"], "locks");
    assert_eq!(second["source_summary"]["kind"], "parent_report");
    assert_eq!(second["source_summary"]["events"], first["source_summary"]["events"]);
    let direct = lab.triage("locks", &fixture("shop.log"));
    assert_eq!(
        second["findings"], direct["findings"],
        "the same evidence, the same findings"
    );
    assert_ne!(
        direct["incident_id"], first["incident_id"],
        "a triage without a parent starts an incident"
    );
}

#[test]
fn commands_name_a_workspace_that_is_not_the_default_one() {
    let lab = Lab::new();
    let report = lab.triage("query-families", &fixture("shop.log"));
    let argv = argv(action(&report, "locks"));
    let at = argv
        .iter()
        .position(|a| a == "--workspace")
        .expect("the workspace is named");
    assert_eq!(argv[at + 1], lab.workspace().to_str().unwrap());
}

#[test]
fn the_lock_runbook_names_who_waited_for_whom() {
    let lab = Lab::new();
    let report = lab.triage("locks", &fixture("shop.log"));
    let findings = report["findings"].as_array().unwrap();
    // The fixture: three sessions behind one, and one deadlock of two.
    let waits: Vec<_> = findings.iter().filter(|f| f["kind"] == "lock_wait").collect();
    assert!(!waits.is_empty());
    let wait = &waits[0]["lock_wait"];
    assert!(wait["waiter"]["pid"].as_i64().unwrap() > 0);
    assert!(!wait["holders"].as_array().unwrap().is_empty());
    assert!(waits[0]["metrics"]["waited_ms"].as_f64().unwrap() > 100.0);
    let deadlocks: Vec<_> = findings.iter().filter(|f| f["kind"] == "deadlock").collect();
    assert_eq!(deadlocks.len(), 1);
    assert_eq!(deadlocks[0]["deadlock"]["edges"].as_array().unwrap().len(), 2);
}

#[test]
fn planted_text_makes_no_event() {
    let lab = Lab::new();
    let report = lab.triage("query-families", &fixture("shop.log"));
    // The fixture plants `duration: 999999.999 ms` in a statement's text.
    let total = report["source_summary"]["durations"]["statement"]["total_ms"]
        .as_f64()
        .unwrap();
    assert!(total < 999_999.0, "{total}");
    assert!(!report.to_string().contains("evil"), "no forged user");
}
