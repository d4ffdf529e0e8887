//! Hostile runbooks: each ends in a sealed "runbook failed" report or in refused requests, and the host goes on.

use std::collections::BTreeSet;
use std::path::Path;

use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::request::{DatabaseChoice, LogChoice, RunbookChoice, TriageRequest};
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{Gateway, OpenOptions};
use pg_logstats_tests::{GUESTS, Lab, fixture, guest, schema};
use sha2::{Digest as _, Sha256};

/// What a guest must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A sealed report of a failed runbook with this code.
    Fails(&'static str),
    /// A report in which the host says that it refused this request, and offers no action for it.
    Refused(&'static str),
}

/// Every guest and its end. A guest without a line here fails the first test below.
const ENDS: &[(&str, End)] = &[
    ("endless-loop", End::Fails("out_of_time")),
    ("memory-hog", End::Fails("out_of_memory")),
    ("deep-recursion", End::Fails("out_of_memory")),
    ("giant-output", End::Fails("output_too_large")),
    ("unknown-action", End::Refused("unknown_action")),
    ("undeclared-action", End::Refused("undeclared_action")),
    ("foreign-binding", End::Refused("unknown_subject")),
    ("smuggle-title", End::Fails("bad_output")),
    ("smuggle-subject", End::Fails("bad_output")),
    ("smuggle-reason-code", End::Fails("bad_output")),
    ("imports-wasi", End::Fails("forbidden_import")),
    ("trapping", End::Fails("trapped")),
    ("too-many-requests", End::Refused("too_many_requests")),
    ("forged-ticket", End::Fails("bad_output")),
    ("changing-descriptor", End::Fails("bad_output")),
    ("gives-up", End::Fails("gave_up")),
];

fn triage(lab: &Lab, component: &Path) -> Report {
    let digest = Sha256::digest(std::fs::read(component).unwrap()).into();
    let options = OpenOptions {
        workspace: Some(lab.workspace()),
        operator: Some(lab.path().to_owned()),
        ..OpenOptions::default()
    };
    let gateway = Gateway::open(&options, Trust::builtin().with_pinned(digest, "test")).unwrap();
    let request = TriageRequest {
        runbook: RunbookChoice::File(component.to_str().unwrap().to_owned()),
        input: LogChoice {
            logs: vec![fixture("shop.log").to_str().unwrap().to_owned()],
            threads: 1,
            ..LogChoice::default()
        },
        baseline: None,
        parent_report: None,
        limit: 10,
        database: DatabaseChoice::default(),
    };
    gateway.triage(&request, &|_| ()).unwrap()
}

#[test]
fn every_guest_has_its_end_written_down() {
    let built: BTreeSet<&str> = GUESTS.iter().map(|(name, _)| *name).collect();
    let expected: BTreeSet<&str> = ENDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(built, expected);
}

#[test]
fn every_guest_comes_to_its_end_and_the_host_goes_on() {
    for (name, end) in ENDS {
        let lab = Lab::new();
        let report = triage(&lab, &guest(name));
        schema::check("report", &serde_json::to_value(&report).unwrap());
        match end {
            End::Fails(code) => {
                let failure = report
                    .runbook
                    .failure
                    .as_ref()
                    .unwrap_or_else(|| panic!("`{name}` did not fail"));
                assert_eq!(failure.code, *code, "{name}: {failure:?}");
                assert!(
                    report.findings.is_empty() && report.next_actions.is_empty(),
                    "{name}: nothing of it is shown"
                );
            }
            End::Refused(denial) => {
                assert_eq!(report.runbook.failure, None, "{name}");
                let sealed = lab.json(&["audit", "show", &report.report_id]);
                let entries = sealed["body"]["detail"]["requests"]["entries"].as_array().unwrap();
                if *denial == "too_many_requests" {
                    assert_eq!(
                        entries.len(),
                        pg_logstats_gateway::runbook::limits::REQUESTS,
                        "{name}: the log is bounded"
                    );
                } else {
                    assert!(
                        entries.iter().any(|e| e["answer"]["denial"] == *denial),
                        "{name}: {entries:#?}"
                    );
                    let said = report
                        .limitations
                        .iter()
                        .any(|l| l.code == "request_refused" && l.message.contains(denial));
                    assert!(said, "{name}: {:?}", report.limitations);
                }
            }
        }
        // The host goes on: a decent runbook in the same workspace, and a log that verifies.
        lab.triage("query-families", &fixture("shop.log"));
        assert_eq!(lab.verified_records(), 2, "{name}: both reports are sealed");
    }
}

#[test]
fn no_text_of_a_log_reaches_an_instruction_field() {
    for name in ["smuggle-title", "smuggle-subject", "smuggle-reason-code"] {
        let lab = Lab::new();
        let report = serde_json::to_value(triage(&lab, &guest(name))).unwrap();
        for (path, text) in instruction_texts(&report, "") {
            assert!(!text.to_lowercase().contains("select"), "{name}: {path} says {text:?}");
        }
    }
}

/// The strings of fields that an agent may take as instructions, with where they are.
fn instruction_texts(value: &serde_json::Value, path: &str) -> Vec<(String, String)> {
    match value {
        serde_json::Value::Object(map) if map.get("untrusted") == Some(&serde_json::Value::Bool(true)) => vec![],
        serde_json::Value::Object(map) => map
            .iter()
            .flat_map(|(k, v)| instruction_texts(v, &format!("{path}/{k}")))
            .collect(),
        serde_json::Value::Array(list) => list
            .iter()
            .enumerate()
            .flat_map(|(i, v)| instruction_texts(v, &format!("{path}/{i}")))
            .collect(),
        serde_json::Value::String(text) if !path.ends_with("/message") || !text.contains('`') => {
            vec![(path.to_owned(), text.clone())]
        }
        _ => vec![],
    }
}

#[test]
fn an_unknown_component_is_refused_by_the_command() {
    let lab = Lab::new();
    let component = guest("gives-up");
    let log = fixture("shop.log");
    let ran = lab.run(&[
        "triage",
        "--runbook",
        component.to_str().unwrap(),
        log.to_str().unwrap(),
    ]);
    ran.fails(3, &["refused", "nobody vouches"]);
    schema::check("refusal", &ran.json());
    assert_eq!(ran.json()["code"], "untrusted_runbook");
    assert_eq!(lab.record_kinds(), ["refusal"]);
}
