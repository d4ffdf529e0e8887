//! `audit`: verification with public keys alone, what is in the log, and what becomes of its checkpoints and evidence.
//!
//! **In**: a workspace; for verification its folder and public keys. **Out**: answers for auditors and people. **Trusted**: the keys that
//! the caller names. **Can fail**: when there is no log, or it does not verify where that is no answer.

pub mod checkpoints;
pub(crate) mod clock;
mod erase;
pub mod export;
pub mod log_key;
pub mod proofs;
mod timeline;
pub mod witness;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pg_logstats_audit::since::verify_since;
use pg_logstats_audit::{KeyPeriod, TrustedKeys, VerifyReport};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::report::SCHEMA_VERSION;
use crate::time::rfc3339;
use crate::untrusted::escape_control;
use crate::workspace::AUDIT_ORIGIN;

pub use erase::Erasure;
pub use export::{AuditExport, ExportVerification};
pub use proofs::ProvenRecord;
pub use timeline::TimelineEvent;

/// Largest checkpoint that is read.
const CHECKPOINT_BYTES: u64 = 64 << 10;

/// Whether the log is whole and signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The answer.
    pub verified: bool,
    /// Records that were checked.
    pub records: u64,
    /// Entries that were checked.
    pub entries: u64,
    /// Root of the signed checkpoint, in hex.
    pub root: Option<String>,
    /// The signed checkpoint, to be kept elsewhere.
    pub checkpoint: Option<String>,
    /// Records by the id of the key that signed them.
    pub records_by_key: BTreeMap<String, u64>,
    /// The keys of the log, one after the other; more than one after a rotation.
    pub keys: Vec<KeyPeriodView>,
    /// The earlier checkpoint that it continues, as it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<SinceView>,
    /// What does not verify, and how; the first of them.
    pub problems: Vec<String>,
    /// How many there are in all.
    pub problem_count: u64,
    /// What is odd and breaks nothing.
    pub notes: Vec<String>,
}

/// An earlier checkpoint, kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinceView {
    /// Entries that it states.
    pub size: u64,
    /// The root that it states, in hex.
    pub root: String,
    /// Records that were added since.
    pub added: u64,
}

/// When a key of the log was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyPeriodView {
    /// The key.
    pub key_id: String,
    /// The first entry under it.
    pub first_index: u64,
    /// The last entry under it, the record of its rotation; none for the key in force.
    pub last_index: Option<u64>,
    /// The first entry under it that proves nothing, if it was declared compromised.
    pub compromised_since: Option<u64>,
}

impl From<&KeyPeriod> for KeyPeriodView {
    fn from(period: &KeyPeriod) -> Self {
        Self {
            key_id: period.key_id.to_string(),
            first_index: period.first_index,
            last_index: period.last_index,
            compromised_since: period.compromised_since,
        }
    }
}

/// One record in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Index in the log.
    pub index: u64,
    /// Its id.
    pub record_id: String,
    /// One of [`crate::record::RecordBody::KINDS`].
    pub kind: String,
    /// Its incident.
    pub incident_id: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
}

/// Verifies the audit log of the workspace at `workspace` with the keys in the files `public_keys`, or with the workspace's own when there
/// are none; and, where there is one, that it continues the earlier checkpoint in the file `since`. Writes nothing; no private key is
/// needed.
///
/// # Errors
/// When there is no log, or a key or the checkpoint cannot be read. A log that does not verify is no error but an answer.
pub fn verify(
    workspace: Option<&Path>,
    public_keys: &[PathBuf],
    since: Option<&Path>,
) -> Result<Verification, GatewayError> {
    let folder = folder(workspace)?;
    let own_key = [folder.join("keys").join(pg_logstats_audit::keys::PUBLIC_KEY_FILE)];
    let files = if public_keys.is_empty() {
        &own_key[..]
    } else {
        public_keys
    };
    let keys = public_keys_in(files)?;
    let audit = ambient::open_folder(&folder.join("audit"), "audit log")?;
    let report = pg_logstats_audit::verify(&audit, &keys, AUDIT_ORIGIN)?;
    let mut verification = view(&report);
    if let Some(file) = since {
        let earlier = ambient::read_file(file, "checkpoint", CHECKPOINT_BYTES)?;
        match verify_since(&audit, &report.key_chain, AUDIT_ORIGIN, &earlier) {
            Ok(growth) => {
                verification.since = Some(SinceView {
                    size: growth.earlier.size,
                    root: growth.earlier.root.to_string(),
                    added: growth.now.size - growth.earlier.size,
                });
            }
            Err(error) => {
                verification.verified = false;
                verification.problem_count += 1;
                verification
                    .problems
                    .push(plain(&format!("--since `{}`: {error}", file.display())));
            }
        }
    }
    Ok(verification)
}

/// The public keys in `files`.
fn public_keys_in(files: &[PathBuf]) -> Result<TrustedKeys, GatewayError> {
    let keys = files.iter().map(|file| crate::keys::public(file));
    Ok(TrustedKeys::new(keys.collect::<Result<Vec<_>, _>>()?))
}

fn view(report: &VerifyReport) -> Verification {
    Verification {
        schema_version: SCHEMA_VERSION,
        verified: report.is_verified(),
        records: report.records,
        entries: report.entries,
        root: report.checkpoint.as_ref().map(|c| c.root.to_string()),
        checkpoint: report.checkpoint.as_ref().map(|c| c.note.clone()),
        records_by_key: report
            .records_by_key
            .iter()
            .map(|(key, n)| (key.to_string(), *n))
            .collect(),
        keys: report.keys.iter().map(KeyPeriodView::from).collect(),
        problems: report.problems.iter().map(problem).collect(),
        problem_count: report.problem_count,
        notes: report
            .notes
            .iter()
            .map(|n| plain(&format!("`{}`: {}", n.file, n.what)))
            .collect(),
        since: None,
    }
}

/// The workspace that is named, or the default one.
fn folder(workspace: Option<&Path>) -> Result<PathBuf, GatewayError> {
    match workspace {
        Some(path) => Ok(path.to_path_buf()),
        None => ambient::default_workspace().ok_or_else(|| {
            GatewayError::Usage("there is no home directory; name the workspace with --workspace".to_owned())
        }),
    }
}

/// Names in a log that was changed may be anybody's text.
fn plain(text: &str) -> String {
    escape_control(text).replace(['\n', '\t'], " ")
}

fn problem(p: &pg_logstats_audit::Problem) -> String {
    let record = match (&p.id, p.index) {
        (Some(id), Some(index)) => format!("record `{id}` (index {index}), "),
        (Some(id), None) => format!("record `{id}`, "),
        (None, Some(index)) => format!("index {index}, "),
        (None, None) => String::new(),
    };
    plain(&format!("{record}file `{}`: {}", p.file, p.what))
}

/// Which records to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection<'a> {
    /// Those of this incident alone.
    pub incident: Option<&'a str>,
    /// Those from this instant on, by the clock of the host that wrote them.
    pub since: Option<Timestamp>,
    /// Refusals alone.
    pub denied: bool,
}

impl Selection<'_> {
    fn has(&self, entry: &pg_logstats_audit::Entry) -> bool {
        self.incident
            .is_none_or(|wanted| entry.incident.as_deref() == Some(wanted))
            && self
                .since
                .is_none_or(|since| entry.created_us >= since.as_microsecond())
            && (!self.denied || entry.kind == "refusal")
    }
}

impl Gateway {
    /// The records of the log in order, those of `selection` alone.
    ///
    /// # Errors
    /// When the log cannot be read or does not verify.
    pub fn audit_list(&self, selection: Selection<'_>) -> Result<Vec<AuditEntry>, GatewayError> {
        let mut list = Vec::new();
        for indexed in self.log.entries()? {
            let indexed = indexed?;
            let entry = indexed.entry;
            if selection.has(&entry) {
                list.push(AuditEntry {
                    index: indexed.index,
                    record_id: entry.id,
                    kind: entry.kind,
                    incident_id: entry.incident,
                    created_at: rfc3339(entry.created_us),
                });
            }
        }
        Ok(list)
    }

    /// The newest checkpoint of the log, verified: a few lines to mail, print or keep, which whoever has them can hold the log to later.
    ///
    /// # Errors
    /// When the log cannot be read or does not verify.
    pub fn checkpoint(&self) -> Result<String, GatewayError> {
        Ok(self.log.checkpoint()?.note)
    }

    /// The payload of the record `id`, its signature and place verified.
    ///
    /// # Errors
    /// When there is no such record or it does not verify.
    pub fn audit_show(&self, id: &str) -> Result<serde_json::Value, GatewayError> {
        let record = self.log.read(id)?;
        serde_json::from_slice(&record.payload)
            .map_err(|e| GatewayError::Internal(format!("the payload of record `{id}` is no JSON: {e}")))
    }
}
