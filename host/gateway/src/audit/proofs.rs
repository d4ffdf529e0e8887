//! Proofs that one record stands in the log, made here and verified anywhere.
//!
//! **In**: a record's id; or a `.tlog-proof` with public keys, and what else the auditor has: the record's file, a witness policy. **Out**:
//! the proof's text; or what it proves. **Trusted**: the keys and the policy that the caller names. **Can fail**: a proof that proves
//! nothing is exit code 4.

use std::path::{Path, PathBuf};

use pg_logstats_audit::policy::MAX_POLICY_BYTES;
use pg_logstats_audit::proof::MAX_PROOF_BYTES;
use pg_logstats_audit::{Checkpoint, Policy, TlogProof};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::public_keys_in;
use crate::ambient;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::report::SCHEMA_VERSION;
use crate::time::rfc3339;
use crate::workspace::AUDIT_ORIGIN;

/// Largest record file: the payload in base64, and the rest of the envelope.
pub(super) const RECORD_BYTES: u64 = pg_logstats_audit::MAX_PAYLOAD_BYTES / 3 * 4 + (64 << 10);

/// A record that a proof shows to stand in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenRecord {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Its place in the log.
    pub index: u64,
    /// Its id.
    pub record_id: String,
    /// Its kind.
    pub kind: String,
    /// Its incident.
    pub incident_id: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// SHA-256 of the record's file, in hex.
    pub sha256: String,
    /// Entries of the log at the checkpoint of the proof.
    pub tree_size: u64,
    /// Root of the log at that checkpoint, in hex.
    pub root: String,
    /// The keys that signed that checkpoint.
    pub checkpoint_keys: Vec<String>,
    /// The witnesses of the policy that cosigned it.
    pub witnesses: Vec<String>,
    /// The keys that signed the record, if its file was given and is the one that is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_keys: Option<Vec<String>>,
}

/// What a proof is verified with.
#[derive(Debug, Clone, Copy)]
pub struct ProofRequest<'a> {
    /// The `.tlog-proof`.
    pub proof: &'a Path,
    /// The keys to trust.
    pub public_keys: &'a [PathBuf],
    /// The record's file, if the auditor has it.
    pub record: Option<&'a Path>,
    /// Which witnesses must have cosigned.
    pub policy: Option<&'a Path>,
}

/// The witness policy in `file`.
pub(crate) fn policy_in(file: &Path) -> Result<Policy, GatewayError> {
    let bytes = ambient::read_file(file, "witness policy", MAX_POLICY_BYTES)?;
    Policy::parse(&bytes).map_err(|error| GatewayError::Usage(format!("`{}`: {error}", file.display())))
}

/// Verifies a proof with nothing but public keys.
///
/// # Errors
/// [`GatewayError::Unproven`] when it proves nothing; else when a file cannot be read.
pub fn verify_proof(request: ProofRequest<'_>) -> Result<ProvenRecord, GatewayError> {
    let keys = public_keys_in(request.public_keys)?;
    let policy = request.policy.map(policy_in).transpose()?;
    let unproven = |error: pg_logstats_audit::proof::UnprovenError| {
        GatewayError::Unproven(format!("`{}`: {error}", request.proof.display()))
    };
    let proof = ambient::read_file(request.proof, "proof", MAX_PROOF_BYTES)?;
    let proof = TlogProof::parse(&proof).map_err(unproven)?;
    let proven = proof.verify(AUDIT_ORIGIN, &keys, policy.as_ref()).map_err(unproven)?;
    let record_keys = match request.record {
        None => None,
        Some(file) => {
            let bytes = ambient::read_file(file, "record", RECORD_BYTES)?;
            let (_, signers) = proven.open_record(&bytes, &keys).map_err(unproven)?;
            Some(signers.iter().map(ToString::to_string).collect())
        }
    };
    let entry = proven.entry;
    Ok(ProvenRecord {
        schema_version: SCHEMA_VERSION,
        index: proven.index,
        record_id: entry.id,
        kind: entry.kind,
        incident_id: entry.incident,
        created_at: rfc3339(entry.created_us),
        sha256: entry.digest.to_string(),
        tree_size: proven.checkpoint.size,
        root: proven.checkpoint.root.to_string(),
        checkpoint_keys: proven.checkpoint.signers.iter().map(ToString::to_string).collect(),
        witnesses: proven.cosignatures.iter().map(|it| it.witness.clone()).collect(),
        record_keys,
    })
}

impl Gateway {
    /// The proof that the record `id` stands in the log, under the newest checkpoint; or under the newest that the witnesses of the policy
    /// in `policy` have cosigned.
    ///
    /// # Errors
    /// When there is no such record, it does not verify, or the witnesses have not seen it yet.
    pub fn prove(&self, id: &str, policy: Option<&Path>) -> Result<String, GatewayError> {
        match policy {
            None => Ok(self.log.prove(id)?.to_text()),
            Some(file) => Ok(self.log.prove_at(id, &self.cosigned_checkpoint(file)?)?.to_text()),
        }
    }

    /// The newest checkpoint that the witnesses of the policy in `file` have cosigned.
    pub(super) fn cosigned_checkpoint(&self, file: &Path) -> Result<Checkpoint, GatewayError> {
        self.not_for_agents("--policy", "it reads files of the caller's choice")?;
        let witnessed = self.log.cosigned(&policy_in(file)?)?;
        let witnessed = witnessed.ok_or_else(|| {
            GatewayError::Usage(
                "no checkpoint was cosigned yet; `pg-logstats audit cosign` asks the witnesses".to_owned(),
            )
        })?;
        Ok(witnessed.checkpoint().clone())
    }

    /// [`Self::prove`], into the new file `output`.
    ///
    /// # Errors
    /// Also when the file is there already, or an agent may not make it.
    pub fn prove_to(&self, id: &str, policy: Option<&Path>, output: &Path) -> Result<(), GatewayError> {
        let place = self.output_path(output)?;
        let proof = self.prove(id, policy)?;
        Ok(ambient::write_new_file(&place, "proof", proof.as_bytes())?)
    }
}
