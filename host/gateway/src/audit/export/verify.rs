//! Verification of an export with nothing but public keys.
//!
//! **In**: an archive, hostile, and the keys that the caller trusts. **Out**: what it proves, and everything in it that does not hold. **Trusted**: the
//! keys and the witness policy. **Can fail**: when the file or a key cannot be read; an archive that proves nothing is an answer.
//!
//! It is read once, from the first file to the last, and nothing of it is unpacked: memory holds one record, its proof, and what the manifest is
//! compared with.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use pg_logstats_audit::proof::MAX_PROOF_BYTES;
use pg_logstats_audit::{Checkpoint, KeyHistory, Policy, TlogProof, TrustedKeys};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ArchivedFile, CHECKPOINT, Chosen, FORMAT, MANIFEST, MANIFEST_BYTES, MAX_RECORDS, Manifest, NamedRunbook, Runbooks,
    VERSION, WHAT, stem,
};
use crate::audit::proofs::{RECORD_BYTES, policy_in};
use crate::audit::{CHECKPOINT_BYTES, plain, public_keys_in};
use crate::error::GatewayError;
use crate::report::SCHEMA_VERSION;
use crate::workspace::AUDIT_ORIGIN;

/// Most problems that are told.
const MAX_PROBLEMS: usize = 100;
/// Largest key file.
const KEY_BYTES: u64 = 16 << 10;
/// Most keys in an archive.
const MAX_KEYS: usize = 1_000;

/// What an archive proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportVerification {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Whether everything in it holds.
    pub verified: bool,
    /// Records whose signature and place in the log hold.
    pub records: u64,
    /// Whether these are all records that the log had at the checkpoint.
    pub complete: bool,
    /// Entries of the log at the checkpoint.
    pub tree_size: Option<u64>,
    /// Root of the log at the checkpoint, in hex.
    pub root: Option<String>,
    /// The witnesses of the policy that cosigned the checkpoint.
    pub witnesses: Vec<String>,
    /// Records by the id of the key that signed them.
    pub records_by_key: BTreeMap<String, u64>,
    /// The runbooks that the records name.
    pub runbooks: Vec<NamedRunbook>,
    /// What was chosen, as who made the archive says. Whether records were left out of that, only a complete archive shows.
    pub selection: Option<Chosen>,
    /// What does not hold; the first of them.
    pub problems: Vec<String>,
    /// How many there are in all.
    pub problem_count: u64,
}

/// Verifies the archive `file` with the keys in the files `public_keys`, one of which must be one of the log's; all others follow from it.
///
/// # Errors
/// When the archive, a key or the policy cannot be read.
pub fn verify(file: &Path, public_keys: &[PathBuf], policy: Option<&Path>) -> Result<ExportVerification, GatewayError> {
    let keys = public_keys_in(public_keys)?;
    let policy = policy.map(policy_in).transpose()?;
    let unreadable = |error: std::io::Error| crate::ambient::OpenError::new(WHAT, file, error);
    let mut reader = BufReader::new(File::open(file).map_err(unreadable)?);
    let is_compressed = reader
        .fill_buf()
        .map_err(unreadable)?
        .starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    let mut verifier = Verifier::new(keys, policy);
    let read = if is_compressed {
        zstd::Decoder::new(reader).and_then(|decoder| verifier.read(decoder))
    } else {
        verifier.read(reader)
    };
    if let Err(error) = read {
        verifier.problem(format!("the archive cannot be read to its end: {error}"));
    }
    Ok(verifier.finish())
}

/// A record on its way to its proof.
struct Pending {
    stem: String,
    file: Vec<u8>,
}

/// What an archive came to so far.
struct Verifier {
    trusted: TrustedKeys,
    policy: Option<Policy>,
    /// Known once all changes of the log's key were read.
    history: Option<KeyHistory>,
    /// Changes of the log's key with their proofs.
    changes: Vec<(Pending, Vec<u8>)>,
    pending: Option<Pending>,
    note: Option<String>,
    checkpoint: Option<Checkpoint>,
    witnesses: Vec<String>,
    /// The index of each record that holds.
    indexes: Vec<u64>,
    records_by_key: BTreeMap<String, u64>,
    runbooks: Runbooks,
    files: Vec<ArchivedFile>,
    manifest: Option<Manifest>,
    problems: Vec<String>,
    problem_count: u64,
}

impl Verifier {
    fn new(trusted: TrustedKeys, policy: Option<Policy>) -> Self {
        Self {
            trusted,
            policy,
            history: None,
            changes: Vec::new(),
            pending: None,
            note: None,
            checkpoint: None,
            witnesses: Vec::new(),
            indexes: Vec::new(),
            records_by_key: BTreeMap::new(),
            runbooks: Runbooks::default(),
            files: Vec::new(),
            manifest: None,
            problems: Vec::new(),
            problem_count: 0,
        }
    }

    fn problem(&mut self, what: impl AsRef<str>) {
        self.problem_count += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(plain(what.as_ref()));
        }
    }

    fn read(&mut self, archive: impl Read) -> std::io::Result<()> {
        let mut archive = tar::Archive::new(archive);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if entry.header().entry_type() != tar::EntryType::Regular {
                self.problem(format!("`{path}` is no file; an export has nothing else"));
                continue;
            }
            if self.files.len() > 2 * MAX_RECORDS + MAX_KEYS {
                self.problem("there are more files than an export has");
                return Ok(());
            }
            let limit = match path.split('/').next().unwrap_or_default() {
                "records" => RECORD_BYTES,
                "proofs" => MAX_PROOF_BYTES,
                "keys" => KEY_BYTES,
                MANIFEST => MANIFEST_BYTES,
                _ => CHECKPOINT_BYTES,
            };
            let size = entry.size();
            if size > limit {
                self.problem(format!("`{path}` has {size} bytes, more than any of its kind"));
                continue;
            }
            let mut content = Vec::new();
            entry.by_ref().take(limit).read_to_end(&mut content)?;
            self.file(&path, content);
        }
        Ok(())
    }

    fn file(&mut self, path: &str, content: Vec<u8>) {
        if self.manifest.is_some() {
            self.problem(format!("`{path}` comes behind the manifest, which is the last file"));
        }
        if path == MANIFEST {
            match serde_json::from_slice::<Manifest>(&content) {
                Ok(manifest) => self.manifest = Some(manifest),
                Err(error) => self.problem(format!("`{MANIFEST}`: {error}")),
            }
            return;
        }
        self.files.push(ArchivedFile::new(path, &content));
        let inner = |folder: &str, ending: &str| {
            let name = path.strip_prefix(folder)?.strip_suffix(ending)?;
            Some(name.to_owned())
        };
        if path == CHECKPOINT {
            match String::from_utf8(content) {
                Ok(note) if self.note.is_none() => self.note = Some(note),
                _ => self.problem(format!("`{CHECKPOINT}` is no text, or is there twice")),
            }
        } else if let Some(stem) = inner("records/", ".json") {
            self.orphan();
            self.pending = Some(Pending { stem, file: content });
        } else if let Some(stem) = inner("proofs/", ".tlog-proof") {
            match self.pending.take() {
                Some(record) if record.stem == stem => self.pair(record, content),
                record => {
                    self.pending = record;
                    self.orphan();
                    self.problem(format!("`{path}` does not stand behind its record"));
                }
            }
        } else if inner("keys/", ".pem").is_none() {
            self.problem(format!("`{path}` is none of the files of an export"));
        }
    }

    /// A record without a proof behind it.
    fn orphan(&mut self) {
        if let Some(record) = self.pending.take() {
            self.problem(format!("`records/{}.json` has no proof behind it", record.stem));
        }
    }

    fn pair(&mut self, record: Pending, proof: Vec<u8>) {
        if self.history.is_none() && KeyHistory::is_change(&record.file) && self.changes.len() < MAX_KEYS {
            self.changes.push((record, proof));
            return;
        }
        self.learn_keys();
        self.record(&record, &proof);
    }

    /// The keys that follow from the changes read; from here on no others do.
    fn learn_keys(&mut self) {
        if self.history.is_some() {
            return;
        }
        let changes = std::mem::take(&mut self.changes);
        let index_of = |stem: &str| stem.rsplit_once('.').and_then(|(_, index)| index.parse().ok());
        let files = changes
            .iter()
            .filter_map(|(record, _)| Some((index_of(&record.stem)?, record.file.as_slice())));
        self.history = Some(KeyHistory::new(&self.trusted, files));
        for (record, proof) in &changes {
            self.record(record, proof);
        }
    }

    /// One record with its proof.
    fn record(&mut self, record: &Pending, proof: &[u8]) {
        if let Err(what) = self.check(record, proof) {
            self.problem(format!("record `{}`: {what}", record.stem));
        }
    }

    fn check(&mut self, record: &Pending, proof: &[u8]) -> Result<(), String> {
        let told = |error: pg_logstats_audit::proof::UnprovenError| error.to_string();
        let history = self.history.as_ref().ok_or("its key is not known")?;
        let proof = TlogProof::parse(proof).map_err(told)?;
        let proven = proof
            .verify(AUDIT_ORIGIN, history.newest(), self.policy.as_ref())
            .map_err(told)?;
        if stem(&proven.entry.id, proven.index) != record.stem {
            return Err(format!(
                "its proof is about record `{}` at index {}",
                proven.entry.id, proven.index
            ));
        }
        if self.note.as_deref() != Some(proven.checkpoint.note.as_str()) {
            return Err("its proof stands under another checkpoint than the one in the archive".to_owned());
        }
        let (payload, signers) = proven
            .open_record(&record.file, history.at(proven.index))
            .map_err(told)?;
        for signer in &signers {
            if let Some(since) = history.compromised_since(signer).filter(|since| *since <= proven.index) {
                return Err(format!(
                    "its key {signer} was declared compromised from index {since} on"
                ));
            }
        }
        for signer in signers {
            *self.records_by_key.entry(signer.to_string()).or_default() += 1;
        }
        self.indexes.push(proven.index);
        self.runbooks.count(&payload);
        self.witnesses = proven.cosignatures.iter().map(|it| it.witness.clone()).collect();
        self.checkpoint = Some(proven.checkpoint);
        Ok(())
    }

    fn finish(mut self) -> ExportVerification {
        self.orphan();
        self.learn_keys();
        if self.indexes.is_empty() {
            self.problem("no record in it holds");
        }
        self.indexes.sort_unstable();
        let before = self.indexes.len();
        self.indexes.dedup();
        if before != self.indexes.len() {
            self.problem("a record is there twice");
        }
        let complete = self
            .checkpoint
            .as_ref()
            .is_some_and(|it| self.indexes.len() as u64 == it.size && self.problem_count == 0);
        let runbooks = std::mem::take(&mut self.runbooks).list();
        let files = std::mem::take(&mut self.files);
        let manifest = self.manifest.take();
        match &manifest {
            None => {
                self.problem("the manifest is missing: the archive was cut, or is none of `pg-logstats audit export`")
            }
            Some(manifest) => {
                for (field, holds) in [
                    ("format", manifest.format == FORMAT && manifest.version == VERSION),
                    ("origin", manifest.origin == AUDIT_ORIGIN),
                    ("files", manifest.files == files),
                    ("runbooks", manifest.runbooks == runbooks),
                    (
                        "tree_size",
                        self.checkpoint.as_ref().is_none_or(|it| it.size == manifest.tree_size),
                    ),
                    (
                        "root",
                        self.checkpoint
                            .as_ref()
                            .is_none_or(|it| it.root.to_string() == manifest.root),
                    ),
                    ("complete", manifest.complete == complete || self.problem_count > 0),
                ] {
                    if !holds {
                        self.problem(format!("`{MANIFEST}`: `{field}` is not what is in the archive"));
                    }
                }
            }
        }
        ExportVerification {
            schema_version: SCHEMA_VERSION,
            verified: self.problem_count == 0,
            records: self.indexes.len() as u64,
            complete: complete && self.problem_count == 0,
            tree_size: self.checkpoint.as_ref().map(|it| it.size),
            root: self.checkpoint.as_ref().map(|it| it.root.to_string()),
            witnesses: self.witnesses,
            records_by_key: self.records_by_key,
            runbooks,
            selection: manifest.map(|it| Chosen {
                incident_id: it.selection.incident_id.as_deref().map(plain),
                since: it.selection.since.as_deref().map(plain),
                denied: it.selection.denied,
            }),
            problems: self.problems,
            problem_count: self.problem_count,
        }
    }
}
