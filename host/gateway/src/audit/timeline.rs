//! Who did what when, for people: one line for each record.
//!
//! **In**: verified records. **Out**: sentences made of words of ours and of ids, names and numbers that records hold in fields of their
//! own; of text from logs and databases there is none. **Can fail**: when the log does not verify.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Selection;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::record::{RecordBody, SealedRecord, TrustChange};
use crate::report::word;
use crate::time::rfc3339;
use crate::untrusted::escape_control;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineEvent {
    /// RFC 3339, UTC, by the clock of the host that wrote it.
    pub at: String,
    /// Index in the log.
    pub index: u64,
    /// The record.
    pub record_id: String,
    /// Its kind.
    pub kind: String,
    /// Its incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<String>,
    /// Who: a runbook with its version, the host, an operator, an approver.
    pub who: String,
    /// What was done.
    pub what: String,
}

impl Gateway {
    /// The records of `selection` as a time line.
    ///
    /// # Errors
    /// When the log cannot be read or does not verify, or a record is of another version.
    pub fn timeline(&self, selection: Selection<'_>) -> Result<Vec<TimelineEvent>, GatewayError> {
        let mut events = Vec::new();
        for indexed in self.log.entries()? {
            let indexed = indexed?;
            let entry = indexed.entry;
            if !selection.has(&entry) {
                continue;
            }
            let record = self.log.read(&entry.id)?;
            // A record of another version is there, and is told as what its entry says.
            let (who, what) = match serde_json::from_slice::<SealedRecord>(&record.payload) {
                Ok(sealed) => told(&sealed),
                Err(_) => (
                    "host".to_owned(),
                    "a record of another version of pg-logstats".to_owned(),
                ),
            };
            events.push(TimelineEvent {
                at: rfc3339(entry.created_us),
                index: indexed.index,
                record_id: entry.id,
                kind: entry.kind,
                incident_id: entry.incident,
                who: escape_control(&who).into_owned(),
                what: escape_control(&what).into_owned(),
            });
        }
        Ok(events)
    }
}

fn told(record: &SealedRecord) -> (String, String) {
    let host = || "host".to_owned();
    let operator = || "operator".to_owned();
    let (who, mut what) = match &record.body {
        RecordBody::Triage(it) => {
            let report = &it.report;
            let what = match &report.runbook.failure {
                Some(failure) => format!("triage {}: the runbook failed ({})", report.workflow, failure.code),
                None => format!(
                    "triage {}: {} findings, {} next actions, verdict {}",
                    report.workflow,
                    report.findings.len(),
                    report.next_actions.len(),
                    word(&report.verdict)
                ),
            };
            (runbook(report), what)
        }
        RecordBody::Intent(it) => (
            it.approver.clone(),
            format!(
                "allows {} (risk {}) on {} while the verdict is {}, offered as {} by {}",
                it.target_id,
                word(&it.risk),
                it.database,
                word(&it.verdict.level),
                it.action_id,
                it.parent_report_id
            ),
        ),
        RecordBody::Outcome(it) => {
            let report = &it.result.report;
            let status = report.outcome.as_ref().map_or_else(String::new, |outcome| {
                format!("{} {}, ", outcome.target_id, word(&outcome.status))
            });
            let what = format!(
                "outcome of {}: {status}{} ms, {} bytes; {} findings, {} next actions",
                it.intent_record_id,
                it.duration_us / 1_000,
                it.bytes,
                report.findings.len(),
                report.next_actions.len()
            );
            (runbook(report), what)
        }
        RecordBody::Refusal(it) => {
            let target = it
                .target_id
                .as_ref()
                .map_or_else(String::new, |target| format!(" of {target}"));
            (host(), format!("refuses{target}: {}", it.code))
        }
        RecordBody::Failure(it) => (host(), format!("{} failed", it.verb)),
        RecordBody::Trust(change) => (operator(), trust(change)),
        RecordBody::LogKey(change) => (operator(), change.to_string()),
        RecordBody::Erasure(it) => (
            operator(),
            format!("erases the evidence {}: {}", it.evidence_digest, it.reason),
        ),
        RecordBody::Recovery(it) => (
            host(),
            format!(
                "found {} records of appends that were cut short",
                it.unacknowledged.len()
            ),
        ),
    };
    if let Some(step) = &record.clock_step {
        what.push_str(&format!("; the clock was set by {} ms before", step.step_us / 1_000));
    }
    (who, what)
}

fn runbook(report: &crate::report::Report) -> String {
    format!("runbook {} {}", report.runbook.name, report.runbook.version)
}

fn trust(change: &TrustChange) -> String {
    match change {
        TrustChange::RunbookInstalled {
            name, version, signers, ..
        } => format!(
            "installs the runbook {name} {version}, signed by {}",
            signers.join(", ")
        ),
        TrustChange::RunbookRemoved { name, .. } => format!("removes the runbook {name}"),
        TrustChange::RunbookRevoked { sha256, .. } => format!("revokes the component sha256:{sha256}"),
        TrustChange::PackInstalled {
            name, version, signer, ..
        } => format!("installs the pack {name} {version}, signed by {signer}"),
        TrustChange::PackRemoved { name, .. } => format!("removes the pack {name}"),
        TrustChange::KeyTrusted { name, key_id, roles } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            format!("trusts the key {key_id} of {name} as {}", roles.join(", "))
        }
        TrustChange::KeyRotated {
            name,
            key_id,
            successor,
            ..
        } => format!("replaces the key {key_id} of {name} by {successor}"),
        TrustChange::KeyRevoked { name, key_id, reason } => format!("revokes the key {key_id} of {name}: {reason}"),
    }
}
