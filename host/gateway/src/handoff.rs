//! `handoff`: the packet of an incident, for the person who takes over.
//!
//! **In**: an incident's id. **Out**: a [`Packet`] of all that was recorded of it. **Trusted**: the log, each record of which is verified as it is read; of
//! what is in the records, sentences of the host and of runbooks stay what they are, and everything else is marked as untrusted. **Can fail**: when there is
//! no such incident, or a record does not verify.

mod charts;
mod conclusions;
mod steps;

use std::path::{Path, PathBuf};

use pg_logstats_handoff::{
    Alert, Finding, Headline, Insight, Label, Limitation, PACKET_VERSION, Packet, Record, Severity, Sources, Untrusted,
    Window,
};
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::record::{RecordBody, ReportRecord, SealedRecord};
use crate::report::word;
use crate::snapshot::EvidenceSnapshot;
use crate::time::{now_us, rfc3339};
use crate::untrusted;

/// Most records of an incident that a packet has: the first, and the newest.
const MAX_RECORDS: usize = 400;

/// How a packet is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffForm {
    /// The packet itself.
    Json,
    /// For a ticket.
    Markdown,
    /// One page that needs nothing else.
    Html,
}

/// Hand an incident over.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoffRequest {
    /// The incident, or a report of it.
    pub incident: String,
    /// In which form.
    pub form: HandoffForm,
    /// A new file; none for standard output.
    pub output: Option<PathBuf>,
}

/// A record of the incident with its place among the packet's records.
struct Found {
    position: usize,
    sealed: SealedRecord,
}

/// A report of the incident.
struct FoundReport<'r> {
    position: usize,
    record: &'r ReportRecord,
    /// It is of an action's outcome.
    is_outcome: bool,
}

/// Text of a report as a packet has it.
fn untrusted(text: &untrusted::Untrusted) -> Untrusted {
    Untrusted::new(text.text())
}

impl Gateway {
    /// The packet of an incident, which is named by its id or by that of a report of it.
    ///
    /// # Errors
    /// When there is none, or the log does not verify.
    pub fn handoff(&self, incident: &str) -> Result<Packet, GatewayError> {
        let incident = self.incident_of(incident)?;
        let checkpoint = self.log.checkpoint()?;
        let mut ids = Vec::new();
        for indexed in self.log.entries()? {
            let indexed = indexed?;
            if indexed.index < checkpoint.size && indexed.entry.incident.as_deref() == Some(&incident) {
                ids.push(indexed.entry.id);
            }
        }
        let left_out = ids.len().saturating_sub(MAX_RECORDS);
        if left_out > 0 {
            ids.drain(MAX_RECORDS / 2..MAX_RECORDS / 2 + left_out);
        }
        let (mut records, mut found) = (Vec::new(), Vec::new());
        for id in ids {
            let (read, proof) = self.log.read_and_prove_at(&id, &checkpoint)?;
            // A record of another version is there, and says nothing that could be read.
            if let Ok(sealed) = serde_json::from_slice(&read.payload) {
                let position = records.len();
                found.push(Found { position, sealed });
            }
            records.push(Record {
                record_id: id,
                index: read.index,
                kind: read.entry.kind,
                created_at: rfc3339(read.entry.created_us),
                sha256: read.entry.digest.to_string(),
                proof: proof.to_text(),
            });
        }
        if records.is_empty() {
            return Err(unknown(&incident));
        }
        let mut packet = self.told(&incident, &found, checkpoint.note);
        if left_out > 0 {
            packet.limitations.push(Limitation {
                text: format!("records of the incident that are not in this packet: {left_out}"),
                record: None,
            });
        }
        packet.records = records;
        Ok(packet)
    }

    /// The packet of `request` in its form, to a new file; for an agent, directly in one of the operator's folders. None was written when the text is
    /// returned.
    ///
    /// # Errors
    /// As [`Self::handoff`]; when the file cannot be made.
    pub fn write_handoff(&self, request: &HandoffRequest) -> Result<Option<String>, GatewayError> {
        let place = match &request.output {
            Some(output) => Some(self.output_path(output)?),
            None => None,
        };
        let packet = self.handoff(&request.incident)?;
        let text = match request.form {
            HandoffForm::Json => {
                serde_json::to_string_pretty(&packet).map_err(|e| GatewayError::Internal(e.to_string()))? + "\n"
            }
            HandoffForm::Markdown => pg_logstats_handoff::markdown(&packet),
            HandoffForm::Html => pg_logstats_handoff::html(&packet),
        };
        let Some(place) = place else { return Ok(Some(text)) };
        ambient::write_new_file(Path::new(&place), "handoff", text.as_bytes())?;
        Ok(None)
    }

    /// The incident that an id names: its own, or that of a report.
    fn incident_of(&self, id: &str) -> Result<String, GatewayError> {
        if id.starts_with("rp_") {
            return match self.parent(id) {
                Ok(record) => Ok(record.report.incident_id),
                Err(_) => Err(unknown(id)),
            };
        }
        Ok(id.to_owned())
    }

    fn told(&self, incident: &str, found: &[Found], checkpoint: String) -> Packet {
        let reports: Vec<FoundReport<'_>> = found.iter().filter_map(Found::report).collect();
        let snapshots: Vec<(usize, EvidenceSnapshot)> = self.snapshots(&reports);
        let newest = reports.last().map(|it| &it.record.report);
        let findings = conclusions::findings(&reports);
        let insights = conclusions::insights(&reports, &findings);
        let next = conclusions::next(&reports, &findings, &insights);
        let mut limitations: Vec<Limitation> = Vec::new();
        for report in &reports {
            for limitation in &report.record.report.limitations {
                if limitations.iter().all(|known| known.text != limitation.message) {
                    limitations.push(Limitation {
                        text: limitation.message.clone(),
                        record: Some(report.position),
                    });
                }
            }
        }
        if snapshots.is_empty() && !reports.is_empty() {
            limitations.push(Limitation {
                text: "the evidence of the incident is not kept any more, so there are no charts of it".to_owned(),
                record: None,
            });
        }
        let mut databases: Vec<String> = Vec::new();
        for found in found {
            if let RecordBody::Intent(intent) = &found.sealed.body
                && !databases.contains(&intent.database)
            {
                databases.push(intent.database.clone());
            }
        }
        let windows = reports
            .iter()
            .filter_map(|it| it.record.report.analysis_window.as_ref());
        let (latencies, of_latencies) = charts::latencies(&snapshots);
        let (lock_tree, of_lock_tree) = charts::lock_tree(&reports, &snapshots);
        let (plan, of_plan) = charts::plan(&reports, &insights);
        Packet {
            schema_version: PACKET_VERSION,
            incident_id: incident.to_owned(),
            created_at: rfc3339(now_us()),
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            databases,
            window: windows
                .map(|it| Window {
                    since: it.since.clone(),
                    until: it.until.clone(),
                })
                .next(),
            alert: newest.and_then(|report| report.alert.as_ref()).map(alert),
            verdict: newest.map_or_else(|| "unknown".to_owned(), |report| word(&report.verdict)),
            headline: headline(&findings, &insights),
            marks: charts::marks(found, &snapshots),
            latencies,
            lock_tree,
            plan,
            sources: Sources {
                latencies: of_latencies,
                lock_tree: of_lock_tree,
                plan: of_plan,
            },
            steps: found.iter().filter_map(steps::step).collect(),
            findings,
            insights,
            next,
            limitations,
            records: Vec::new(),
            checkpoint,
            key_id: self.log.public_key().key_id().to_string(),
        }
    }

    /// The evidence that reports were made from, each once, with the report's record; what was erased is not there.
    fn snapshots(&self, reports: &[FoundReport<'_>]) -> Vec<(usize, EvidenceSnapshot)> {
        let mut known: Vec<&str> = Vec::new();
        let mut snapshots = Vec::new();
        for report in reports.iter().filter(|it| !it.is_outcome) {
            let digest = report.record.evidence_digest.as_str();
            if known.contains(&digest) {
                continue;
            }
            known.push(digest);
            if let Ok(snapshot) = self.workspace.evidence(digest) {
                snapshots.push((report.position, snapshot));
            }
        }
        snapshots
    }
}

impl Found {
    fn report(&self) -> Option<FoundReport<'_>> {
        let (record, is_outcome) = match &self.sealed.body {
            RecordBody::Triage(record) => (record.as_ref(), false),
            RecordBody::Outcome(outcome) => (&outcome.result, true),
            _ => return None,
        };
        Some(FoundReport {
            position: self.position,
            record,
            is_outcome,
        })
    }
}

fn unknown(id: &str) -> GatewayError {
    GatewayError::Usage(format!(
        "no incident `{}` in this workspace's audit log; `pg-logstats audit list` shows what there is",
        untrusted::escape_control(id)
    ))
}

/// The worst finding, with the conclusion that explains it where there is one.
fn headline(findings: &[Finding], insights: &[Insight]) -> Headline {
    let worst = findings.first();
    let severity = worst.map_or(Severity::Low, |finding| finding.severity);
    let cause = insights
        .iter()
        .find(|it| it.recommendation.is_some() && it.confidence != "low");
    let text = match (worst, cause) {
        (Some(finding), Some(cause)) => format!("{}: {}", finding.title, cause.title),
        (Some(finding), None) => finding.title.clone(),
        (None, Some(cause)) => cause.title.clone(),
        (None, None) => "nothing was found".to_owned(),
    };
    Headline {
        text,
        severity,
        record: worst.map(|it| it.record).or(cause.map(|it| it.record)),
    }
}

fn alert(view: &crate::alert::AlertView) -> Alert {
    Alert {
        name: untrusted(&view.name),
        starts_at: view.starts_at.clone(),
        labels: view
            .labels
            .iter()
            .map(|label| Label {
                name: untrusted(&label.name),
                value: untrusted(&label.value),
            })
            .collect(),
    }
}
