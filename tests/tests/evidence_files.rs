//! Logs reduced on several hosts and triaged on one: the same findings as from the logs together.

use std::os::unix::fs::PermissionsExt as _;

use pg_logstats_tests::{Lab, fixture, golden, schema};
use serde_json::Value;

/// The demo's log as three hosts would have it: cut where entries begin, so that no entry is lost.
fn three_logs(lab: &Lab) -> Vec<String> {
    let text = std::fs::read_to_string(fixture("shop.log")).unwrap();
    let mut parts = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let is_head = line.starts_with("20")
            && ["LOG:  ", "ERROR:  ", "FATAL:  "]
                .iter()
                .any(|label| line.contains(label));
        if is_head && parts.len() < 3 && parts.last().unwrap().len() > text.len() / 3 {
            parts.push(String::new());
        }
        parts.last_mut().unwrap().push_str(line);
    }
    assert_eq!(parts.len(), 3);
    // Each in a folder of its own: files of one folder are taken for one server's log.
    let write = |(number, part): (usize, &String)| {
        std::fs::create_dir(lab.path().join(format!("host{number}"))).unwrap();
        lab.file(&format!("host{number}/shop.log"), part)
    };
    parts.iter().enumerate().map(write).collect()
}

/// What a report says, without what differs in every run.
fn said(mut report: Value) -> Value {
    golden::settle(&mut report, &[]);
    serde_json::json!({
        "findings": report["findings"],
        "next_actions": report["next_actions"],
        "source_summary": report["source_summary"],
        "analysis_window": report["analysis_window"],
    })
}

#[test]
fn evidence_of_three_hosts_is_that_of_their_logs_together() {
    let lab = Lab::new();
    let logs = three_logs(&lab);
    let path = |name: &str| lab.path().join(name).to_str().unwrap().to_owned();
    let files = ["one.json", "two.json.zst", "three.json"].map(path);
    for (log, file) in logs.iter().zip(&files).take(2) {
        let ran = lab.run(&["evidence", "export", log, "--samples", "--output", file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The third through standard output.
    let ran = lab.run(&["evidence", "export", &logs[2], "--samples"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::write(&files[2], &ran.stdout).unwrap();
    let zstd = std::fs::read(&files[1]).unwrap();
    assert!(zstd.starts_with(b"\x28\xb5\x2f\xfd"), "compressed by its name");
    assert!(
        !lab.workspace().exists(),
        "an export needs no workspace, and makes none"
    );

    let merged = path("merged.json");
    let mut merge = vec!["evidence", "merge", "--samples", "--output", &merged];
    merge.extend(files.iter().map(String::as_str));
    assert_eq!(lab.run(&merge).code, 0);

    let triage = |inputs: &[String]| {
        let mut args = vec!["triage", "query-families"];
        args.extend(inputs.iter().map(String::as_str));
        let report = lab.json(&args);
        schema::check("report", &report);
        said(report)
    };
    let together = triage(&logs);
    assert!(together["findings"].as_array().unwrap().len() > 5);
    let same = |one: Value, what: &str| {
        let (one, other) = (format!("{one:#}"), format!("{together:#}"));
        let differing = one
            .lines()
            .zip(other.lines())
            .enumerate()
            .find(|(_, (one, other))| one != other);
        assert_eq!((differing, one.len()), (None, other.len()), "{what}");
    };
    same(triage(&files), "evidence files");
    same(triage(&[merged]), "the merged file");
    // Mixed: the log is read first.
    let mixed = triage(&[files[1].clone(), logs[0].clone(), files[2].clone()]);
    same(mixed, "a log and evidence files");
}

#[test]
fn values_of_statements_stay_where_they_are_unless_asked_for() {
    let lab = Lab::new();
    let log = lab.file(
        "secret.log",
        "2026-11-23 06:00:00.000 UTC [7] shop@shop web LOG:  duration: 12.500 ms  statement: SELECT * FROM t WHERE card = '4111-1111'\n",
    );
    let ran = lab.run(&["evidence", "export", &log]);
    assert!(
        ran.stdout.contains("card = ?") && !ran.stdout.contains("4111"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("--samples"), "{ran:?}");
    let ran = lab.run(&["evidence", "export", "--samples", &log]);
    assert!(ran.stdout.contains("4111-1111"), "{ran:?}");
}

#[test]
fn what_is_no_evidence_file_or_was_changed_is_refused_by_its_name() {
    let lab = Lab::new();
    let log = fixture("shop.log").to_str().unwrap().to_owned();
    let exported = lab.run(&["evidence", "export", &log]).stdout;
    let triage = |name: &str, text: &str| {
        let file = lab.file(name, text);
        lab.run(&["triage", "query-families", &file])
    };
    triage(
        "fewer.json",
        &exported.replacen("\"execution_count\":1,", "\"execution_count\":2,", 1),
    )
    .fails(1, &["fewer.json", "families["]);
    triage("newer.json", &exported.replacen("\"version\":1", "\"version\":2", 1))
        .fails(1, &["newer.json", "version 2"]);
    triage("cut.json", &exported[..exported.len() / 2]).fails(1, &["cut.json", "line 1"]);
    let whole = lab.file("whole.json", &exported);
    lab.run(&["triage", "query-families", &whole, "--since", "1h"])
        .fails(2, &["--since", "evidence export"]);
    let copy = lab.file("copy.json", &exported);
    lab.run(&["evidence", "merge", &whole, &copy])
        .fails(2, &["whole.json", "copy.json", "twice"]);
    lab.run(&["evidence", "export", &log, "--output", &whole])
        .fails(1, &["whole.json", "not overwritten"]);
    assert_eq!(std::fs::read_to_string(&whole).unwrap(), exported);
    let begun = lab.path().join("begun.json");
    lab.run(&[
        "evidence",
        "export",
        "/no/such.log",
        "--output",
        begun.to_str().unwrap(),
    ])
    .fails(1, &["no such log"]);
    assert!(!begun.exists(), "nothing is left of an export that failed");
    let missing = lab.path().join("missing/out.json");
    lab.run(&["evidence", "export", &log, "--output", missing.to_str().unwrap()])
        .fails(1, &["no such folder"]);
    lab.run(&["evidence", "merge"]).fails(2, &["FILE"]);
}
