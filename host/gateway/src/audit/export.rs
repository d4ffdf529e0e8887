//! A trail, or a part of it, in one file for an auditor: records, a proof for each, keys, and what runbooks they name.
//!
//! **In**: which records. **Out**: a new tar archive, compressed where its name ends in `.zst`. **Trusted**: the log, each record of which is
//! verified as it is taken. **Can fail**: when a record does not verify, or the file cannot be made; nothing is left then.
//!
//! ```text
//! checkpoint                          one checkpoint, under which all proofs stand
//! keys/<key id>.pem                   the keys of the log; for reading, an auditor has one from elsewhere
//! records/<id>.<index>.json           the record as it lies in the log, and at once behind it
//! proofs/<id>.<index>.tlog-proof      that it stands there
//! manifest.json                       what is in the archive; nothing in it has to be believed
//! ```
//! Records that change the log's key come first, whatever was chosen, because the rest is verified with what follows from them.

mod verify;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use pg_logstats_audit::keychange::KIND;
use pg_logstats_audit::{Checkpoint, Digest, VerifiedRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Selection;
use crate::ambient::NewFile;
use crate::error::GatewayError;
use crate::gateway::Gateway;
use crate::keys::pem;
use crate::record::{RecordBody, SealedRecord, TrustChange};
use crate::report::SCHEMA_VERSION;
use crate::time::{now_us, rfc3339};
use crate::workspace::AUDIT_ORIGIN;

pub use verify::{ExportVerification, verify};

/// `format` of the manifest.
const FORMAT: &str = "pg-logstats audit export";
/// `version` of the manifest.
const VERSION: u32 = 1;
/// Most records of one archive: what a manifest of some 30 MB names.
const MAX_RECORDS: usize = 100_000;
/// Largest manifest that is read.
const MANIFEST_BYTES: u64 = 128 << 20;
const CHECKPOINT: &str = "checkpoint";
const MANIFEST: &str = "manifest.json";
const WHAT: &str = "export";

/// An archive that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditExport {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The new file.
    pub file: String,
    /// Records in it.
    pub records: u64,
    /// Whether these are all records of the log at the checkpoint.
    pub complete: bool,
    /// Entries of the log at the checkpoint.
    pub tree_size: u64,
    /// Root of the log at the checkpoint, in hex.
    pub root: String,
    /// The runbooks that the records name.
    pub runbooks: Vec<NamedRunbook>,
}

/// A runbook that records name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRunbook {
    /// SHA-256 of the component, in hex.
    pub sha256: String,
    /// Its name; none where no record says it.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Records that name it.
    pub records: u64,
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    version: u32,
    created_at: String,
    host_version: String,
    origin: String,
    tree_size: u64,
    root: String,
    selection: Chosen,
    complete: bool,
    runbooks: Vec<NamedRunbook>,
    /// All others, in the order of the archive.
    files: Vec<ArchivedFile>,
}

/// What was chosen, as who made the archive says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Records of this incident.
    pub incident_id: Option<String>,
    /// Records from this time on, RFC 3339.
    pub since: Option<String>,
    /// Refusals alone.
    pub denied: bool,
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchivedFile {
    path: String,
    bytes: u64,
    sha256: String,
}

impl ArchivedFile {
    fn new(path: &str, content: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            bytes: content.len() as u64,
            sha256: Digest::of(content).to_string(),
        }
    }
}

/// The name that a record and its proof have in an archive.
fn stem(id: &str, index: u64) -> String {
    format!("{id}.{index}")
}

/// The runbooks of some records.
#[derive(Debug, Default)]
struct Runbooks(BTreeMap<String, NamedRunbook>);

impl Runbooks {
    /// Counts the runbooks that the record with this payload names. A record of a later version names none that are known.
    fn count(&mut self, payload: &[u8]) {
        let Ok(record) = serde_json::from_slice::<SealedRecord>(payload) else {
            return;
        };
        let of_report = |report: &crate::report::Report| {
            let info = &report.runbook;
            (info.digest.clone(), Some((info.name.clone(), info.version.clone())))
        };
        let (digest, named) = match &record.body {
            RecordBody::Triage(record) => of_report(&record.report),
            RecordBody::Outcome(record) => of_report(&record.result.report),
            RecordBody::Intent(intent) => (intent.runbook_digest.clone(), None),
            RecordBody::Trust(change) => match change.as_ref() {
                TrustChange::RunbookInstalled {
                    name, version, sha256, ..
                } => (sha256.clone(), Some((name.clone(), version.clone()))),
                TrustChange::RunbookRemoved { sha256, .. } | TrustChange::RunbookRevoked { sha256, .. } => {
                    (sha256.clone(), None)
                }
                _ => return,
            },
            _ => return,
        };
        let sha256 = digest.trim_start_matches("sha256:").to_owned();
        let known = self.0.entry(sha256.clone()).or_insert(NamedRunbook {
            sha256,
            name: None,
            version: None,
            records: 0,
        });
        known.records += 1;
        if let (None, Some((name, version))) = (&known.name, named) {
            (known.name, known.version) = (Some(name), Some(version));
        }
    }

    fn list(self) -> Vec<NamedRunbook> {
        self.0.into_values().collect()
    }
}

/// The archive as it is written.
struct Archive<W: Write> {
    tar: tar::Builder<W>,
    files: Vec<ArchivedFile>,
}

impl<W: Write> Archive<W> {
    fn add(&mut self, path: &str, content: &[u8], created_us: i64) -> std::io::Result<()> {
        self.files.push(ArchivedFile::new(path, content));
        self.put(path, content, created_us)
    }

    fn put(&mut self, path: &str, content: &[u8], created_us: i64) -> std::io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o444);
        header.set_mtime(u64::try_from(created_us / 1_000_000).unwrap_or(0));
        self.tar.append_data(&mut header, path, content)
    }
}

impl Gateway {
    /// Writes the records of `selection`, with proofs under the newest checkpoint or under the newest that the witnesses of `policy` cosigned,
    /// to the new file `output`.
    ///
    /// # Errors
    /// When there are too many, one does not verify, the witnesses have seen nothing yet, or the file cannot be made.
    pub fn audit_export(
        &self,
        selection: Selection<'_>,
        policy: Option<&Path>,
        output: &Path,
    ) -> Result<AuditExport, GatewayError> {
        let place = self.output_path(output)?;
        let checkpoint = match policy {
            Some(file) => self.cosigned_checkpoint(file)?,
            None => self.log.checkpoint()?,
        };
        let chosen = self.chosen(selection, &checkpoint)?;
        let new = NewFile::begin(&place, WHAT)?;
        let is_compressed = place.extension().is_some_and(|extension| extension == "zst");
        let failed = |error: std::io::Error| GatewayError::Usage(format!("cannot write the export: {error}"));
        let out = BufWriter::new(new.file());
        let manifest = if is_compressed {
            let mut encoder = zstd::Encoder::new(out, 3).map_err(failed)?;
            let manifest = self.write_export(&mut encoder, &chosen, selection, &checkpoint)?;
            encoder.finish().and_then(|mut out| out.flush()).map_err(failed)?;
            manifest
        } else {
            let mut out = out;
            let manifest = self.write_export(&mut out, &chosen, selection, &checkpoint)?;
            out.flush().map_err(failed)?;
            manifest
        };
        new.name()?;
        Ok(AuditExport {
            schema_version: SCHEMA_VERSION,
            file: place.display().to_string(),
            records: chosen.len() as u64,
            complete: manifest.complete,
            tree_size: checkpoint.size,
            root: checkpoint.root.to_string(),
            runbooks: manifest.runbooks,
        })
    }

    /// Ids of the records of `selection` below the checkpoint, those that change the log's key first.
    fn chosen(&self, selection: Selection<'_>, checkpoint: &Checkpoint) -> Result<Vec<String>, GatewayError> {
        let (mut changes, mut others) = (Vec::new(), Vec::new());
        for indexed in self.log.entries()? {
            let indexed = indexed?;
            if indexed.index >= checkpoint.size {
                break;
            }
            if indexed.entry.kind == KIND {
                changes.push(indexed.entry.id);
            } else if selection.has(&indexed.entry) {
                others.push(indexed.entry.id);
            }
            if changes.len() + others.len() > MAX_RECORDS {
                return Err(GatewayError::Usage(format!(
                    "there are more than {MAX_RECORDS} records, the most of one export; choose fewer with --incident, --since or --denied"
                )));
            }
        }
        changes.append(&mut others);
        Ok(changes)
    }

    fn write_export(
        &self,
        out: &mut dyn Write,
        chosen: &[String],
        selection: Selection<'_>,
        checkpoint: &Checkpoint,
    ) -> Result<Manifest, GatewayError> {
        let failed = |error: std::io::Error| GatewayError::Usage(format!("cannot write the export: {error}"));
        let made_us = now_us();
        let mut archive = Archive {
            tar: tar::Builder::new(out),
            files: Vec::new(),
        };
        archive
            .add(CHECKPOINT, checkpoint.note.as_bytes(), made_us)
            .map_err(failed)?;
        for key in self.log.trusted_keys().iter() {
            let path = format!("keys/{}.pem", key.key_id());
            archive.add(&path, pem(key)?.as_bytes(), made_us).map_err(failed)?;
        }
        let mut runbooks = Runbooks::default();
        for id in chosen {
            let (record, proof) = self.log.read_and_prove_at(id, checkpoint)?;
            let VerifiedRecord {
                index,
                entry,
                file,
                payload,
                ..
            } = record;
            let proof = proof.to_text();
            runbooks.count(&payload);
            let stem = stem(id, index);
            let created_us = entry.created_us;
            let added = archive
                .add(&format!("records/{stem}.json"), &file, created_us)
                .and_then(|()| archive.add(&format!("proofs/{stem}.tlog-proof"), proof.as_bytes(), created_us));
            added.map_err(failed)?;
        }
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            created_at: rfc3339(made_us),
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            origin: AUDIT_ORIGIN.to_owned(),
            tree_size: checkpoint.size,
            root: checkpoint.root.to_string(),
            selection: Chosen {
                incident_id: selection.incident.map(str::to_owned),
                since: selection.since.map(|since| since.to_string()),
                denied: selection.denied,
            },
            complete: chosen.len() as u64 == checkpoint.size,
            runbooks: runbooks.list(),
            files: std::mem::take(&mut archive.files),
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(|e| GatewayError::Internal(e.to_string()))?;
        archive
            .put(MANIFEST, &text, made_us)
            .and_then(|()| archive.tar.finish())
            .map_err(failed)?;
        Ok(manifest)
    }
}
