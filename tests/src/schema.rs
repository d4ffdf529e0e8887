//! The JSON Schemas in `docs/schema/`, generated from the types and checked against everything the tests print.

use std::path::{Path, PathBuf};

use pg_logstats_gateway::approval::ApprovalRequest;
use pg_logstats_gateway::approvals::ApprovalView;
use pg_logstats_gateway::audit::log_key::LogKeyChange;
use pg_logstats_gateway::audit::witness::Cosigned;
use pg_logstats_gateway::audit::{AuditExport, Erasure, ExportVerification, ProvenRecord, TimelineEvent, Verification};
use pg_logstats_gateway::author::{
    RunbookBuild, RunbookExplanation, RunbookProject, RunbookRecording, RunbookReplay, RunbookTest,
};
use pg_logstats_gateway::catalogue::view::{ActionView, CatalogList};
use pg_logstats_gateway::keys::KeyView;
use pg_logstats_gateway::packs::PackView;
use pg_logstats_gateway::report::{Refusal, Report};
use pg_logstats_gateway::runbooks::{RevocationView, RunbookView, TrustedRunbook};
use pg_logstats_gateway::trust::keyring::TrustedKeyView;
use pg_logstats_gateway::{HealthReport, Inspection, PolicyCheck, RunbookUsageList};
use serde_json::Value;

/// Every document that the command prints, by name.
pub fn all() -> Vec<(&'static str, Value)> {
    fn of<T: schemars::JsonSchema>() -> Value {
        schemars::schema_for!(T).to_value()
    }
    vec![
        ("report", of::<Report>()),
        ("refusal", of::<Refusal>()),
        ("inspection", of::<Inspection>()),
        ("health", of::<HealthReport>()),
        ("verification", of::<Verification>()),
        ("timeline-event", of::<TimelineEvent>()),
        ("erasure", of::<Erasure>()),
        ("log-key-change", of::<LogKeyChange>()),
        ("proven-record", of::<ProvenRecord>()),
        ("handoff", of::<pg_logstats_handoff::Packet>()),
        ("audit-export", of::<AuditExport>()),
        ("export-verification", of::<ExportVerification>()),
        ("cosigned", of::<Cosigned>()),
        ("catalog", of::<CatalogList>()),
        ("action", of::<ActionView>()),
        ("policy", of::<PolicyCheck>()),
        ("approval-request", of::<ApprovalRequest>()),
        ("approval", of::<ApprovalView>()),
        ("key", of::<KeyView>()),
        ("pack", of::<PackView>()),
        ("runbook", of::<RunbookView>()),
        ("trusted-runbook", of::<TrustedRunbook>()),
        ("trusted-key", of::<TrustedKeyView>()),
        ("revocation", of::<RevocationView>()),
        ("runbook-project", of::<RunbookProject>()),
        ("runbook-build", of::<RunbookBuild>()),
        ("runbook-test", of::<RunbookTest>()),
        ("runbook-explanation", of::<RunbookExplanation>()),
        ("runbook-recording", of::<RunbookRecording>()),
        ("runbook-replay", of::<RunbookReplay>()),
        ("runbook-usage", of::<RunbookUsageList>()),
    ]
}

/// Where the schema `name` is kept.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/schema")
        .join(format!("{name}.v1.json"))
}

/// Asserts that `value` follows the schema `name` as it is kept.
#[track_caller]
pub fn check(name: &str, value: &Value) {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("schema `{name}`: {e}"));
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|e| format!("{} at {}", e, e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}
