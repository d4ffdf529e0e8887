//! `runbook list --usage`: what the audit log tells of runs, and of a log that was changed.

use pg_logstats_tests::{Lab, fixture, guest, host, schema};

#[test]
fn the_runs_of_the_log_are_added_up() {
    let lab = Lab::new();
    assert_eq!(
        lab.json(&["runbook", "list", "--usage"])["runbooks"],
        serde_json::json!([])
    );
    for _ in 0..3 {
        lab.triage("query-families", &fixture("shop.log"));
    }
    lab.triage("locks", &fixture("shop.log"));
    let failed = host::triage(&lab, &guest("memory-small-steps")).unwrap();
    // It never comes to run, so it has no figures.
    host::triage(&lab, &guest("imports-wasi")).unwrap();
    lab.run(&["triage", "locks", "/no/such.log"]).fails(1, &["no such log"]);

    let list = lab.json(&["runbook", "list", "--usage"]);
    schema::check("runbook-usage", &list);
    let runbooks = list["runbooks"].as_array().unwrap();
    let names: Vec<&str> = runbooks.iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hostile", "locks", "query-families", "unknown"]);
    let [hostile, locks, families, unknown] = runbooks.as_slice() else {
        panic!("{list:#}");
    };
    assert_eq!((&families["runs"], &locks["runs"]), (&3.into(), &1.into()));
    assert_eq!(families["failures"], serde_json::json!({}));
    assert_eq!(families["requests"], serde_json::json!({"median": 47, "max": 47}));
    let fuel = families["fuel"]["max"].as_u64().unwrap();
    let median = families["fuel"]["median"].as_u64().unwrap();
    assert!(median.abs_diff(fuel) <= fuel / 100, "three equal runs: {families:#}");
    assert_eq!(hostile["failures"], serde_json::json!({"out_of_memory": 1}));
    assert_eq!(
        hostile["peak_memory_bytes"]["max"],
        failed.runbook.usage.peak_memory_bytes
    );
    assert_eq!(unknown["failures"], serde_json::json!({"forbidden_import": 1}));
    assert_eq!(unknown["fuel"], serde_json::json!({"median": 0, "max": 0}));

    let text = lab.run(&["runbook", "list", "--usage", "--format", "text"]).stdout;
    assert!(
        text.contains("runs               1, of which failed 1: out_of_memory 1"),
        "{text}"
    );
    assert!(text.contains("requests           median 47, at most 47"), "{text}");
    assert_eq!(lab.record_kinds().len(), 7, "looking is no record");
}

#[test]
fn a_record_that_was_changed_is_not_added_up() {
    let lab = Lab::new();
    let report = lab.triage("locks", &fixture("shop.log"));
    let id = report["report_id"].as_str().unwrap();
    let records = lab.workspace().join("audit/records");
    let record = walk(&records)
        .into_iter()
        .find(|path| path.to_str().unwrap().contains(id))
        .unwrap();
    let mut bytes = std::fs::read(&record).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    std::fs::remove_file(&record).unwrap();
    std::fs::write(&record, bytes).unwrap();
    let ran = lab.run(&["runbook", "list", "--usage"]);
    ran.fails(4, &[id]);
    assert!(ran.stdout.is_empty());
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}
