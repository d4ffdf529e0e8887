//! `runbook record`: a sealed report to a fixture.
//!
//! **In**: the id of a report of this workspace. **Out**: a new file with what its runbook was given: the evidence, and for a `run-sql`
//! report what the action returned. **Trusted**: the verified record, and what its digests vouch for. **Can fail**: when the report is
//! not there, or not all that its runbook was given is kept.
//!
//! The file holds names and statements of a real server. Values of statements are left out, unless they are asked for.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AuthorError;
use super::fixtures::RecordedRun;
use super::replay::SealedRun;
use crate::ambient;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::report::SCHEMA_VERSION;

/// Make a fixture of a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRequest {
    /// The report.
    pub report_id: String,
    /// The new file.
    pub output: PathBuf,
    /// Keep one statement with its values for each family.
    pub samples: bool,
}

/// A fixture that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookRecording {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The report.
    pub report_id: String,
    /// The action whose outcome is in the file; none for a triage.
    pub target_id: Option<String>,
    /// The new file.
    pub file: String,
}

impl Gateway {
    /// Writes what the runbook of a sealed report was given to a new file.
    ///
    /// # Errors
    /// When the report is not there, what it needs is not kept, or the file cannot be made.
    pub fn record(&self, request: &RecordRequest) -> Result<RunbookRecording, GatewayError> {
        let SealedRun {
            mut snapshot, outcome, ..
        } = SealedRun::read(self, &request.report_id)?;
        if let Some(log) = snapshot.log.as_mut().filter(|_| !request.samples) {
            log.families.iter_mut().for_each(|family| family.sample = None);
        }
        let target_id = outcome.as_ref().map(|it| it.target_id.clone());
        let run = RecordedRun::new(snapshot, outcome);
        let mut json = serde_json::to_vec(&run).map_err(|e| GatewayError::Internal(e.to_string()))?;
        json.push(b'\n');
        let output = &request.output;
        if super::fixtures::name(output).is_none() {
            return Err(AuthorError::Usage(format!(
                "`{}` is no name of a fixture; end it in `.json` or `.json.zst`",
                output.display()
            ))
            .into());
        }
        if output.extension().is_some_and(|extension| extension == "zst") {
            json = zstd::bulk::compress(&json, 3).map_err(AuthorError::io("compress", output))?;
        }
        ambient::write_new_file(output, "fixture", &json)?;
        Ok(RunbookRecording {
            schema_version: SCHEMA_VERSION,
            report_id: request.report_id.clone(),
            target_id,
            file: output.display().to_string(),
        })
    }
}
