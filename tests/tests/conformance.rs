//! The conformance corpus: one small runbook, built for each version of the contract, judged by one host.
//!
//! The runbook says back what it was given (see `conformance/guest.rs`), so its golden assessment changes when anything of the
//! evidence does. The golden of a version that was released is a promise: `docs/compatibility.md`.

use std::path::Path;

use pg_logstats_conformance::component;
use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::request::{BaselineChoice, DatabaseChoice, LogChoice, RunbookChoice, TriageRequest};
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{Gateway, OpenOptions};
use pg_logstats_tests::{Lab, fixture, golden, regressed, schema};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A gateway that trusts `component` too.
fn gateway(lab: &Lab, component: &[u8]) -> Gateway {
    let digest = Sha256::digest(component).into();
    let options = OpenOptions {
        workspace: Some(lab.workspace()),
        operator: Some(lab.path().join(".config/pg-logstats")),
        ..OpenOptions::default()
    };
    Gateway::open(&options, Trust::builtin().with_pinned(digest, "test")).unwrap()
}

fn logs(log: &str) -> LogChoice {
    LogChoice {
        logs: vec![log.to_owned()],
        threads: 1,
        ..LogChoice::default()
    }
}

fn request(runbook: String, input: LogChoice, baseline: Option<&str>) -> TriageRequest {
    TriageRequest {
        alert: None,
        runbook: RunbookChoice::File(runbook),
        input,
        baseline: baseline.map(|log| BaselineChoice {
            logs: vec![log.to_owned()],
            since: None,
            until: None,
        }),
        parent_report: None,
        limit: 20,
        database: DatabaseChoice::default(),
    }
}

fn triage(lab: &Lab, version: &str, log: &str, baseline: Option<&str>) -> Report {
    let runbook = lab.file(&format!("{version}.wasm"), component(version));
    judged(lab, version, &request(runbook, logs(log), baseline))
}

fn judged(lab: &Lab, version: &str, request: &TriageRequest) -> Report {
    let report = gateway(lab, component(version)).triage(request, &|_| ()).unwrap();
    schema::check("report", &serde_json::to_value(&report).unwrap());
    report
}

/// What the runbook said and asked for, as it was sealed. Tickets follow from the component's bytes, so their order stands for them.
fn sealed(lab: &Lab, report: &Report) -> Value {
    assert_eq!(report.runbook.failure, None);
    let sealed = lab.json(&["audit", "show", &report.report_id]);
    let detail = &sealed["body"]["detail"];
    let mut said = json!({ "assessment": detail["assessment"], "requests": detail["requests"] });
    let tickets: Vec<String> = detail["requests"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["answer"]["ticket"].as_str().map(str::to_owned))
        .collect();
    number_tickets(&mut said, &tickets);
    said
}

fn number_tickets(value: &mut Value, tickets: &[String]) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value.as_str()) {
                    ("ticket", Some(ticket)) => {
                        let position = tickets.iter().position(|known| known == ticket).unwrap();
                        *value = json!(format!("<ticket {position}>"));
                    }
                    _ => number_tickets(value, tickets),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| number_tickets(value, tickets)),
        _ => {}
    }
}

/// The evidence that the corpus is judged on: a log with something of every kind, the demo's, and one with a baseline.
fn cases(lab: &Lab) -> [(&'static str, String, Option<String>); 3] {
    let path = |name| fixture(name).to_str().unwrap().to_owned();
    let (then, now) = regressed::logs(lab);
    [
        ("contract", path("contract.log"), None),
        ("shop", path("shop.log"), None),
        ("regressed", now, Some(then)),
    ]
}

#[test]
fn a_component_of_0_1_0_says_what_it_said_when_there_was_no_other_version() {
    let lab = Lab::new().keeping_values();
    for (name, log, baseline) in cases(&lab) {
        let report = triage(&lab, "0.1.0", &log, baseline.as_deref());
        let said = sealed(&lab, &report);
        golden::check(&format!("conformance/0.1.0-{name}.json"), &format!("{said:#}\n"));
    }
}

#[test]
fn a_component_of_0_2_0_is_given_all_that_0_2_0_has() {
    let lab = Lab::new().keeping_values();
    for (name, log, baseline) in cases(&lab) {
        let report = triage(&lab, "0.2.0", &log, baseline.as_deref());
        let said = sealed(&lab, &report);
        golden::check(&format!("conformance/0.2.0-{name}.json"), &format!("{said:#}\n"));
        // What a person sees of the subjects that the version added.
        if name == "contract" {
            let mut findings = serde_json::to_value(&report.findings).unwrap();
            golden::settle(&mut findings, &[]);
            golden::check("conformance/0.2.0-findings.json", &format!("{findings:#}\n"));
        }
    }
}

#[test]
fn the_evidence_of_a_report_is_judged_again_as_it_was() {
    let lab = Lab::new().keeping_values();
    for version in ["0.1.0", "0.2.0"] {
        let first = triage(&lab, version, fixture("contract.log").to_str().unwrap(), None);
        let again = TriageRequest {
            parent_report: Some(first.report_id.clone()),
            ..request(
                lab.path().join(format!("{version}.wasm")).to_str().unwrap().to_owned(),
                LogChoice::default(),
                None,
            )
        };
        let again = judged(&lab, version, &again);
        assert_eq!(again.source_summary.kind, "parent_report");
        assert_eq!(sealed(&lab, &again), sealed(&lab, &first), "{version}");
    }
}

#[test]
fn versions_take_turns_in_one_process_and_disturb_nobody() {
    let lab = Lab::new().keeping_values();
    let (_, log, _) = cases(&lab).into_iter().next().unwrap();
    let versions = ["0.1.0", "0.2.0", "0.1.0", "0.2.0"];
    let said = versions.map(|version| {
        let report = triage(&lab, version, &log, None);
        assert_eq!(report.runbook.wit_version.as_deref(), Some(version));
        sealed(&lab, &report)
    });
    assert_eq!((&said[0], &said[1]), (&said[2], &said[3]));
    assert_ne!(said[0], said[1]);
    // What both versions have, both were given: the same things, in the same order.
    for list in ["families", "lock_waits", "deadlocks", "errors", "temp_files", "events"] {
        let of = |said: &Value| {
            let findings = said["assessment"]["findings"].as_array().unwrap();
            let found = findings.iter().find(|finding| finding["reason_codes"][0] == list);
            found.unwrap()["evidence"].clone()
        };
        assert_eq!(of(&said[0]), of(&said[1]), "{list}");
    }
    assert_eq!(
        said[0]["requests"], said[1]["requests"],
        "a request is the same in every version"
    );
    assert_eq!(lab.verified_records(), 4);
}

#[test]
fn a_version_that_is_not_served_is_refused_with_those_that_are() {
    let lab = Lab::new().keeping_values();
    let report = triage(&lab, "0.3.0", fixture("contract.log").to_str().unwrap(), None);
    let failure = report.runbook.failure.unwrap();
    assert_eq!(
        (failure.code.as_str(), report.runbook.wit_version),
        ("wrong_interface", None)
    );
    let both = "built for pg-logstats:runbook@0.3.0; this host serves 0.1.0 and 0.2.0";
    assert!(failure.message.contains(both), "{failure:?}");
    assert!(report.findings.is_empty() && report.next_actions.is_empty());
    // The host goes on.
    let report = triage(&lab, "0.2.0", fixture("contract.log").to_str().unwrap(), None);
    assert_eq!(report.runbook.failure, None);
}

#[test]
fn the_wit_of_a_released_version_is_frozen() {
    for (file, digest) in [
        (
            "0.1.0/types.wit",
            "b3294ead109689422c37e4206affa9536f5f8c3dc4b0aa643eee3e9ac123fa78",
        ),
        (
            "0.1.0/runbook.wit",
            "813131161c95364dba4a30399f6276c4cf731a0ca73690d9a1592ed955c8d810",
        ),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit").join(file);
        let found: String = Sha256::digest(std::fs::read(&path).unwrap())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            found, digest,
            "wit/{file} is a promise; what changes belongs into another version"
        );
    }
}
