//! `runbook replay`: a component on what the runbook of a sealed report was given.
//!
//! **In**: the id of a report of this workspace, and a component, which nobody has to vouch for: nothing of it is sealed. **Out**: whether
//! it says to the byte what the record has, and else how it differs. **Trusted**: the verified record, and what its digests vouch for.
//! **Can fail**: when the report is not there, or not all that its runbook was given is kept.
//!
//! A component with the recorded digest has to say the same to the byte. If it does not, either this host gives runbooks something else
//! than the host that sealed the report did (another version, other packs in the catalogue), or an engine is not deterministic.

use std::path::PathBuf;

use pg_logstats_audit::AuditError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::phase;
use super::difference::{Difference, differences};
use super::explain::{load, read_component};
use super::{AuthorError, Said};
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::ids::is_report_id;
use crate::outcome::RecordedOutcome;
use crate::record::{RecordBody, ReportRecord, SealedRecord};
use crate::report::SCHEMA_VERSION;
use crate::snapshot::EvidenceSnapshot;

/// Replay a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// The report.
    pub report_id: String,
    /// The component.
    pub component: PathBuf,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookReplay {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The report.
    pub report_id: String,
    /// `triage`, or `interpret` for a `run-sql` report.
    pub phase: String,
    /// The component that made the report.
    pub recorded_digest: String,
    /// Version of the host that sealed it.
    pub recorded_host_version: String,
    /// The component that was replayed.
    pub digest: String,
    /// Whether it is the one that made the report.
    pub same_component: bool,
    /// Whether assessment and requests are those of the record, to the byte. Tickets follow from the component's digest, so for another
    /// component with any `run_sql` they are not, whatever it says.
    pub identical: bool,
    /// How what it said differs from the record; tickets are not compared.
    pub differences: Vec<Difference>,
}

impl RunbookReplay {
    /// Whether the same component came to something else: a fault.
    pub fn is_broken(&self) -> bool {
        self.same_component && !self.identical
    }
}

/// What the runbook of a sealed report was given, and what it said.
pub(super) struct SealedRun {
    pub(super) snapshot: EvidenceSnapshot,
    pub(super) outcome: Option<RecordedOutcome>,
    record: ReportRecord,
    host_version: String,
    /// The record's bytes.
    payload: Vec<u8>,
}

impl SealedRun {
    pub(super) fn read(gateway: &Gateway, report_id: &str) -> Result<Self, GatewayError> {
        if !is_report_id(report_id) {
            return Err(
                AuthorError::Usage("a report is named by its id (`rp_…`), as its `report_id` says".to_owned()).into(),
            );
        }
        let record = gateway.log.read(report_id).map_err(|error| match error {
            AuditError::UnknownId { .. } => GatewayError::from(AuthorError::Usage(
                "no such report in this workspace's audit log; `pg-logstats audit list` shows what there is".to_owned(),
            )),
            error => error.into(),
        })?;
        let lacks = |lacks: String| AuthorError::NotRecorded {
            report_id: report_id.to_owned(),
            lacks,
        };
        let sealed: SealedRecord = serde_json::from_slice(&record.payload)
            .map_err(|e| lacks(format!("it was sealed by another version of pg-logstats ({e})")))?;
        let (report, outcome) = match sealed.body {
            RecordBody::Triage(report) => (*report, None),
            RecordBody::Outcome(outcome) => {
                let digest = outcome.outcome_digest.as_ref().ok_or_else(|| {
                    lacks(
                        "its record has no digest of what the action returned, because an earlier build of pg-logstats sealed it; \
                         only the evidence and a cut form of the rows are kept"
                            .to_owned(),
                    )
                })?;
                let kept = gateway.workspace.outcome(digest)?;
                (outcome.result, Some(kept))
            }
            _ => return Err(lacks("the record of that id is no report".to_owned()).into()),
        };
        Ok(Self {
            snapshot: gateway.workspace.evidence(&report.evidence_digest)?,
            outcome,
            record: report,
            host_version: sealed.host_version,
            payload: record.payload,
        })
    }
}

impl Gateway {
    /// Runs a component on what the runbook of a sealed report was given, and compares. Nothing is recorded.
    ///
    /// # Errors
    /// When the report is not there, what it needs is not kept, or the file is no runbook.
    pub fn replay(&self, request: &ReplayRequest) -> Result<RunbookReplay, GatewayError> {
        let sealed = SealedRun::read(self, &request.report_id)?;
        let bytes = read_component(&request.component)?;
        let bench = load(&request.component, &bytes)?;
        let record = &sealed.record;
        let ran = bench.run(
            &self.catalogue,
            &sealed.snapshot,
            &record.evidence_digest,
            sealed.outcome.as_ref(),
        );
        let said = ran.conclusion.as_ref().ok();
        let failure = ran.conclusion.as_ref().err().map(ToString::to_string);
        let recorded_failure = record.report.runbook.failure.as_ref().map(|it| it.message.clone());
        // As the host wrote it: the fields follow one another in the record.
        let written =
            json(&said).and_then(|said| Ok(format!("\"assessment\":{said},\"requests\":{},", json(&ran.requests)?)))?;
        let identical = failure == recorded_failure && contains(&sealed.payload, written.as_bytes());

        let mut found = Vec::new();
        if failure != recorded_failure {
            found.push(Difference::of_failure("the runbook failed", recorded_failure, failure));
        }
        let before = record.assessment.as_ref().map(|it| Said::new(it, &record.requests));
        let after = said.map(|it| Said::new(it, &ran.requests));
        found.extend(differences(&before.unwrap_or_default(), &after.unwrap_or_default()));
        let digest = bench.digest();
        Ok(RunbookReplay {
            schema_version: SCHEMA_VERSION,
            report_id: request.report_id.clone(),
            phase: phase(sealed.outcome.as_ref()),
            recorded_digest: record.report.runbook.digest.clone(),
            recorded_host_version: sealed.host_version.clone(),
            same_component: digest == record.report.runbook.digest,
            digest,
            identical,
            differences: found,
        })
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, GatewayError> {
    serde_json::to_string(value).map_err(|e| GatewayError::Internal(e.to_string()))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
