//! The conformance corpus: one small runbook, built for each version of the contract, judged by one host.
//!
//! The runbook says back what it was given (see `conformance/guest.rs`), so its golden assessment changes when anything of the
//! evidence does. The golden of a version that was released is a promise: `docs/compatibility.md`.

use std::path::Path;

use pg_logstats_gateway::report::Report;
use pg_logstats_gateway::request::{BaselineChoice, DatabaseChoice, LogChoice, RunbookChoice, TriageRequest};
use pg_logstats_gateway::trust::Trust;
use pg_logstats_gateway::{Gateway, OpenOptions};
use pg_logstats_tests::{Lab, conformance, fixture, golden, regressed, schema};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A gateway that trusts `component` too.
fn gateway(lab: &Lab, component: &Path) -> Gateway {
    let digest = Sha256::digest(std::fs::read(component).unwrap()).into();
    let options = OpenOptions {
        workspace: Some(lab.workspace()),
        operator: Some(lab.path().to_owned()),
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

fn request(component: &Path, log: &str, baseline: Option<&str>) -> TriageRequest {
    TriageRequest {
        runbook: RunbookChoice::File(component.to_str().unwrap().to_owned()),
        input: logs(log),
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
    let component = conformance(version);
    let report = gateway(lab, &component).triage(&request(&component, log, baseline), &|_| ());
    let report = report.unwrap();
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
    let lab = Lab::new();
    for (name, log, baseline) in cases(&lab) {
        let report = triage(&lab, "v0-1-0", &log, baseline.as_deref());
        let said = sealed(&lab, &report);
        golden::check(&format!("conformance/v0-1-0-{name}.json"), &format!("{said:#}\n"));
    }
}
