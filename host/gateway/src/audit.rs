//! `audit`: verification with a public key alone, and what is in the log.

use std::collections::BTreeMap;
use std::path::Path;

use pg_logstats_audit::{PublicKey, TrustedKeys};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::report::SCHEMA_VERSION;
use crate::time::rfc3339;
use crate::untrusted::escape_control;
use crate::workspace::AUDIT_ORIGIN;

/// Largest public key file.
const PUBLIC_KEY_BYTES: u64 = 64 << 10;

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
    /// What does not verify, and how; the first of them.
    pub problems: Vec<String>,
    /// How many there are in all.
    pub problem_count: u64,
    /// What is odd and breaks nothing.
    pub notes: Vec<String>,
}

/// One record in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Index in the log.
    pub index: u64,
    /// Its id.
    pub record_id: String,
    /// `triage`, `intent`, `outcome`, `refusal`, `failure` or `recovery`.
    pub kind: String,
    /// Its incident.
    pub incident_id: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
}

/// Verifies the audit log of the workspace at `workspace` with the key in the file `public_key`, or with the workspace's own. Writes
/// nothing; the private key is not needed.
///
/// # Errors
/// When there is no log or the key cannot be read. A log that does not verify is no error but an answer.
pub fn verify(workspace: Option<&Path>, public_key: Option<&Path>) -> Result<Verification, GatewayError> {
    let folder = match workspace {
        Some(path) => path.to_path_buf(),
        None => ambient::default_workspace().ok_or_else(|| {
            GatewayError::Usage("there is no home directory; name the workspace with --workspace".to_owned())
        })?,
    };
    let own_key = folder.join("keys").join(pg_logstats_audit::keys::PUBLIC_KEY_FILE);
    let key_file = public_key.unwrap_or(&own_key);
    let pem = ambient::read_file(key_file, "public key", PUBLIC_KEY_BYTES)?;
    let key = PublicKey::from_pem(&String::from_utf8_lossy(&pem))
        .map_err(|e| GatewayError::Usage(format!("public key `{}`: {e}", key_file.display())))?;
    let audit = ambient::open_folder(&folder.join("audit"), "audit log")?;
    let report = pg_logstats_audit::verify(&audit, &TrustedKeys::new([key]), AUDIT_ORIGIN)?;
    Ok(Verification {
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
        problems: report.problems.iter().map(problem).collect(),
        problem_count: report.problem_count,
        notes: report
            .notes
            .iter()
            .map(|n| plain(&format!("`{}`: {}", n.file, n.what)))
            .collect(),
    })
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

impl Gateway {
    /// The records of the log in order, those of `incident` alone when it is given.
    ///
    /// # Errors
    /// When the log cannot be read or does not verify.
    pub fn audit_list(&self, incident: Option<&str>) -> Result<Vec<AuditEntry>, GatewayError> {
        let mut list = Vec::new();
        for indexed in self.log.entries()? {
            let indexed = indexed?;
            let entry = indexed.entry;
            if incident.is_none_or(|wanted| entry.incident.as_deref() == Some(wanted)) {
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
