//! Erasing evidence: the snapshot or outcome goes, every record and every proof stays.

use pg_logstats_audit::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::keys::one_line;
use crate::record::{ErasureRecord, RecordBody};
use crate::report::{AuditRef, SCHEMA_VERSION};

/// Evidence that was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The record that says so.
    pub record_id: String,
    /// SHA-256 of what was erased, in hex.
    pub evidence_digest: String,
    /// Why, for people.
    pub reason: String,
    /// Where the record stands.
    pub audit: AuditRef,
}

impl Gateway {
    /// Erases the evidence snapshot or recorded outcome with `digest` (SHA-256, in hex), which reports name as `evidence_digest`. The
    /// record of it is durable before anything is erased; when erasing fails, the same command can be given again.
    ///
    /// # Errors
    /// When there is none, or it cannot be recorded or erased.
    pub fn erase_evidence(&self, digest: &str, reason: &str) -> Result<Erasure, GatewayError> {
        self.not_for_agents(
            "audit erase",
            "what is kept and what is erased is the operator's decision",
        )?;
        let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
        if Digest::from_hex(hex).is_none() {
            return Err(GatewayError::Usage(
                "--evidence takes the 64 small hex digits of an `evidence_digest` (`pg-logstats audit show RECORD_ID` has it)".to_owned(),
            ));
        }
        let reason = one_line(reason)?;
        if !self.workspace.has_evidence(hex)? {
            return Err(GatewayError::Usage(format!(
                "there is no evidence `{hex}` in this workspace; it was erased before, or belongs to another one"
            )));
        }
        let record_id = Self::new_id("er")?;
        let sealed = self.seal(&record_id, "erasure", None, |_| {
            RecordBody::Erasure(ErasureRecord {
                evidence_digest: hex.to_owned(),
                reason: reason.to_owned(),
            })
        })?;
        self.workspace.erase_evidence(hex, &record_id)?;
        Ok(Erasure {
            schema_version: SCHEMA_VERSION,
            record_id,
            evidence_digest: hex.to_owned(),
            reason: reason.to_owned(),
            audit: AuditRef {
                index: sealed.index,
                root: sealed.root.to_string(),
            },
        })
    }
}
