//! Servers that do their work: whatever a healthy server has of slow statements, errors and waits, no runbook says more of it than `low`, and
//! nobody is advised to change anything, but for what the log tells.

use std::path::{Path, PathBuf};

use pg_logstats_tests::Lab;
use serde_json::Value;

use super::safety::{self, Recorded};
use super::servers::Servers;
use super::{Settings, read, walk};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("healthy").join(name)
}

/// A server with the workload `name` behind it.
fn at_work(name: &str) -> Servers {
    let settings: Settings = toml::from_str(&read(&folder(name).join("settings.toml"))).unwrap();
    let servers = Servers::start(&settings, None);
    let setup = read(&folder(name).join("setup.sql"));
    servers.primary.psql_as("app", "shop", &setup).unwrap();
    let readable = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO triage; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO triage";
    servers.primary.psql_as("app", "shop", readable).unwrap();
    let work = read(&folder(name).join("work.sh"));
    let worked = servers.bash(&work).current_dir(folder(name)).output().unwrap();
    assert!(worked.status.success(), "{name}: work.sh: {worked:?}");
    servers
}

/// Whether advice only lets the server tell more.
pub(super) fn only_tells_more(advice: &Value) -> bool {
    let sql = advice["sql"]["text"].as_str().unwrap();
    advice["kind"] == "set_parameter"
        && ["log_", "track_"]
            .iter()
            .any(|setting| sql.starts_with(&format!("ALTER SYSTEM SET {setting}")))
}

/// That nothing in the packet of an incident is more than `low`, and that nothing is advised; how many actions it stands on.
fn is_low(lab: &Lab, about: &str, incident: &str) -> usize {
    let packet = lab.json(&["handoff", incident, "--form", "json"]);
    let findings = packet["findings"].as_array().unwrap();
    assert!(!findings.is_empty(), "{about}: {packet:#}");
    let loud: Vec<Value> = findings
        .iter()
        .filter(|finding| finding["severity"] != "low")
        .map(|finding| serde_json::json!([finding["kind"], finding["title"], finding["reason"], finding["score"]]))
        .collect();
    assert!(loud.is_empty(), "{about}: {loud:#?}");
    assert_eq!(packet["headline"]["severity"], "low", "{about}");
    let insights = packet["insights"].as_array().unwrap();
    let advised: Vec<&Value> = insights
        .iter()
        .filter(|it| !it["recommendation"].is_null() && !only_tells_more(&it["recommendation"]))
        .collect();
    assert!(advised.is_empty(), "{about}: {advised:#?}");
    let steps = packet["steps"].as_array().unwrap();
    steps.iter().filter(|step| step["kind"] == "outcome").count()
}

/// The walk over all that a first look offers, and every runbook by itself with all that it offers, each with a budget of its own.
fn raises_no_alarm(name: &str) {
    let servers = at_work(name);
    let log = servers.log();
    let log = log.to_str().unwrap();
    let lab = || Lab::with_database(&servers.primary.dsn("triage", "shop")).keeping_values();
    let first = lab();
    let incident = walk(&first, &["triage", log], true);
    let ran = is_low(&first, &format!("{name}: first look"), &incident);
    let mut recorded = Recorded::default();
    recorded.add(&first);
    assert!(ran >= 10, "{name}: the walk ran {ran} actions");
    let runbooks = first.json(&["runbook", "list"]);
    let runbooks = runbooks.as_array().unwrap();
    assert_eq!(runbooks.len(), 17, "{runbooks:#?}");
    for runbook in runbooks {
        let (lab, workflow) = (lab(), runbook["workflow"].as_str().unwrap());
        let incident = walk(&lab, &["triage", workflow, log], false);
        is_low(&lab, &format!("{name}: {workflow}"), &incident);
        recorded.add(&lab);
    }
    safety::of_servers(&servers, &recorded);
}

#[test]
fn many_short_transactions_raise_no_alarm() {
    raises_no_alarm("oltp");
}

#[test]
fn reports_raise_no_alarm() {
    raises_no_alarm("reporting");
}

#[test]
fn a_job_queue_raises_no_alarm() {
    raises_no_alarm("queue");
}
