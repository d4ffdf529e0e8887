//! The workspace: the folder that holds the audit log, the key, the evidence and the compiled runbooks.
//!
//! **In**: a folder, opened once. **Out**: typed access to its parts; nothing here follows a link out of it. **Trusted**: nothing in it
//! without a signature (audit log, approvals), a digest in a verified record (evidence) or an authentication code (compiled code).
//! **Can fail**: with [`WorkspaceError`], which says what to do.
//!
//! ```text
//! audit/      the transparency log and its records        keys/    the signing key, the cache key (0600)
//! evidence/   <sha256>.json.zst, content-addressed        cache/   compiled runbooks, verdicts of the last seconds
//! locks/      one file per database and incident, locked while an action runs; one per verdict, while it is taken
//! approvals/  what people have approved, one DSSE file each
//! ```

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};
use pg_logstats_audit::keys::{KeyError, PRIVATE_KEY_FILE, PUBLIC_KEY_FILE};
use pg_logstats_audit::{AuditError, FileKey, Log, LogOptions, PublicKey, Signer, TrustedKeys};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::ambient::{self, OpenError};
use crate::outcome::{OUTCOME_VERSION, RecordedOutcome};
use crate::snapshot::{EvidenceSnapshot, SNAPSHOT_VERSION};

/// Name of every pg-logstats audit log, in its checkpoints.
pub const AUDIT_ORIGIN: &str = "pg-logstats/audit";

/// Largest stored evidence, before compression. A snapshot holds the top of each kind; samples are capped at 64 KiB each.
const EVIDENCE_BYTES: u64 = 64 << 20;

/// Folder of earlier public keys, within `keys`.
const EARLIER_KEYS: &str = "earlier";
/// Folder of the key that is to take the place of the workspace's own, within `keys`.
const NEXT_KEY: &str = "next";

const CACHE_KEY_FILE: &str = "cache.key";

/// Why the workspace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The folder cannot be opened.
    #[error("{0}; name another workspace with --workspace or PG_LOGSTATS_WORKSPACE")]
    Open(#[from] OpenError),
    /// No home to put it in.
    #[error("there is no home directory for the workspace; name one with --workspace or PG_LOGSTATS_WORKSPACE")]
    NoHome,
    /// The disk is full.
    #[error("no space left to write `{file}` in the workspace `{workspace}`; free some and run again")]
    NoSpace {
        /// The file.
        file: String,
        /// The folder.
        workspace: String,
    },
    /// Not allowed.
    #[error(
        "no permission to {doing} `{file}` in the workspace `{workspace}`; run as its owner or name another with --workspace"
    )]
    Permission {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        file: String,
        /// The folder.
        workspace: String,
    },
    /// Anything else of the operating system.
    #[error("cannot {doing} `{file}` in the workspace `{workspace}`: {source}")]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        file: String,
        /// The folder.
        workspace: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The audit log does not stand under the workspace's key, or that is of two halves or a program's, and another one waits to take its place.
    #[error(
        "{source}; a key waits in `keys/next/`, so a change of the log's key may have been cut short: `pg-logstats audit rotate-key` \
         ends it"
    )]
    KeyChangeBegun {
        /// What is wrong with log or key.
        source: Box<WorkspaceError>,
    },
    /// The audit log does not stand under the signer's key, and the workspace has the public half of another one.
    #[error(
        "{source}; who is to sign has another key than `keys/public-key.pem`: `pg-logstats audit rotate-key` gives the log the one that \
         `audit.signer` names"
    )]
    AnotherSigner {
        /// What is wrong with the log.
        source: Box<WorkspaceError>,
    },
    /// Stored evidence is not what the record says.
    #[error(
        "the evidence `{digest}` does not match its record: {what}; the report that needs it cannot be followed, so run a new triage"
    )]
    Evidence {
        /// Its SHA-256.
        digest: String,
        /// What is wrong.
        what: String,
    },
    /// The operator had it erased.
    #[error(
        "the evidence `{digest}` was erased (record `{record}`), so its report cannot be followed; run a new triage"
    )]
    Erased {
        /// Its SHA-256.
        digest: String,
        /// The record of the erasure.
        record: String,
    },
    /// Stored evidence is what the record says, and another version of pg-logstats stored it.
    #[error(
        "the evidence `{digest}` is stored in version {version}, and this pg-logstats reads version {}; follow its report with the one \
         that made it, or run a new triage",
        SNAPSHOT_VERSION
    )]
    EvidenceVersion {
        /// Its SHA-256.
        digest: String,
        /// The version that it is stored in.
        version: u32,
    },
}

/// What every version of stored evidence has.
#[derive(serde::Deserialize)]
struct StoredVersion {
    snapshot_version: u32,
}

impl WorkspaceError {
    /// Whether it means that something was changed behind our back.
    pub fn is_tampering(&self) -> bool {
        match self {
            Self::Evidence { .. } => true,
            Self::KeyChangeBegun { source } | Self::AnotherSigner { source } => source.is_tampering(),
            Self::Audit(error) => matches!(
                error,
                AuditError::Tampered { .. }
                    | AuditError::RecordTampered { .. }
                    | AuditError::Checkpoint(_)
                    | AuditError::CheckpointMissing { .. }
                    | AuditError::OriginMismatch { .. }
                    | AuditError::Fork { .. }
                    | AuditError::Cosigned(_)
            ),
            _ => false,
        }
    }
}

/// An opened workspace.
#[derive(Debug)]
pub struct Workspace {
    dir: Dir,
    path: PathBuf,
    is_default: bool,
}

impl Workspace {
    /// Opens the workspace at `path`, or at its default place, and makes it when it is missing.
    ///
    /// # Errors
    /// When it cannot be opened or made.
    pub fn open(path: Option<&Path>) -> Result<Self, WorkspaceError> {
        let default = ambient::default_workspace();
        let is_default = path.is_none() || path == default.as_deref();
        let path = path.map(Path::to_path_buf).or(default).ok_or(WorkspaceError::NoHome)?;
        let dir = ambient::open_or_create_folder(&path, "workspace")?;
        // Commands in reports name the workspace; they must work from any folder.
        let path = std::path::absolute(&path).unwrap_or(path);
        Ok(Self { dir, path, is_default })
    }

    /// Opens the workspace at `path`, or at its default place, if it is there.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub fn open_existing(path: Option<&Path>) -> Result<Option<Self>, WorkspaceError> {
        let path = path.map(Path::to_path_buf).or_else(ambient::default_workspace);
        match path {
            Some(path) if path.is_dir() => Self::open(Some(&path)).map(Some),
            _ => Ok(None),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether commands find it without being told.
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// The workspace's own key, made on first use.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn file_key(&self) -> Result<FileKey, WorkspaceError> {
        let key = FileKey::load_or_create(&self.folder("keys")?);
        key.map_err(|error| self.in_terms_of_key_changes(error.into()))
    }

    /// The audit log under `signer`'s key, made on first use. What stands under the keys before it is read, too.
    ///
    /// # Errors
    /// When keys or log cannot be used.
    pub fn audit_log(&self, signer: Box<dyn Signer>) -> Result<Log, WorkspaceError> {
        let keys = self.folder("keys")?;
        if keys.symlink_metadata(PUBLIC_KEY_FILE).is_err() {
            // Of a signer in another process: `audit verify` looks for it there.
            self.put_key(&keys, "keys", PUBLIC_KEY_FILE, signer.public())?;
        }
        let public = signer.public().clone();
        self.open_log(signer, self.earlier_keys()?).map_err(|error| {
            let own = keys.read_to_string(PUBLIC_KEY_FILE).ok();
            let own = own.and_then(|pem| PublicKey::from_pem(&pem).ok());
            match self.in_terms_of_key_changes(error) {
                error @ WorkspaceError::Audit(AuditError::Checkpoint(_)) if own.is_some_and(|own| own != public) => {
                    WorkspaceError::AnotherSigner {
                        source: Box::new(error),
                    }
                }
                other => other,
            }
        })
    }

    /// The same, with these keys beside `signer`'s.
    pub(crate) fn open_log(&self, signer: Box<dyn Signer>, also_trusted: TrustedKeys) -> Result<Log, WorkspaceError> {
        let options = LogOptions {
            also_trusted,
            ..LogOptions::default()
        };
        Ok(Log::open_with(self.folder("audit")?, signer, AUDIT_ORIGIN, options)?)
    }

    /// A checkpoint under a strange key, a key of two halves, or none, where another one waits.
    fn in_terms_of_key_changes(&self, error: WorkspaceError) -> WorkspaceError {
        let waits = || {
            let next = self.dir.open_dir("keys").and_then(|keys| keys.open_dir(NEXT_KEY));
            next.and_then(|next| next.symlink_metadata(PRIVATE_KEY_FILE)).is_ok()
        };
        match error {
            WorkspaceError::Audit(AuditError::Checkpoint(_))
            | WorkspaceError::Key(KeyError::Mismatch | KeyError::Missing)
                if waits() =>
            {
                WorkspaceError::KeyChangeBegun {
                    source: Box::new(error),
                }
            }
            other => other,
        }
    }

    /// Writes `key` as the file `name` of `folder`, which is `path` below the workspace.
    fn put_key(&self, folder: &Dir, path: &str, name: &str, key: &PublicKey) -> Result<(), WorkspaceError> {
        let failed = |e| self.error("write", &format!("{path}/{name}"), e);
        let pem = key.to_pem().map_err(|e| failed(std::io::Error::other(e.to_string())))?;
        write_durably_for_all(folder, name, pem.as_bytes()).map_err(failed)
    }

    /// Whether there is an audit log already.
    ///
    /// # Errors
    /// When its folder cannot be opened.
    pub(crate) fn has_log(&self) -> Result<bool, WorkspaceError> {
        Ok(self.folder("audit")?.symlink_metadata("checkpoint").is_ok())
    }

    /// Removes the workspace's own private key, which signs no more, and leaves `key` as the log's public one.
    ///
    /// # Errors
    /// When a file cannot be replaced; then this can be done again.
    pub(crate) fn retire_file_key(&self, key: &PublicKey) -> Result<(), WorkspaceError> {
        let keys = self.folder("keys")?;
        match keys.remove_file(PRIVATE_KEY_FILE) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(self.error("write", &format!("keys/{PRIVATE_KEY_FILE}"), e));
            }
            _ => {}
        }
        self.put_key(&keys, "keys", PUBLIC_KEY_FILE, key)
    }

    /// Keeps `key` as one under which the log stood. Durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn keep_earlier_key(&self, key: &PublicKey) -> Result<(), WorkspaceError> {
        let keys = self.folder("keys")?;
        let folder = self.folder("keys/earlier")?;
        self.put_key(&folder, "keys/earlier", &format!("{}.pem", key.key_id()), key)?;
        self.sync_keys(&keys)
    }

    /// Makes the names in `keys/` durable, those of its folders too: a record must not outlive the only key that can go on from it.
    fn sync_keys(&self, keys: &Dir) -> Result<(), WorkspaceError> {
        let synced = keys.open(".").and_then(|it| it.sync_all());
        synced.map_err(|e| self.error("write", "keys", e))
    }

    /// A key file that is to take the place of the workspace's own: `keys/next/`, made on first use.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(crate) fn next_key(&self) -> Result<FileKey, WorkspaceError> {
        let keys = self.folder("keys")?;
        let key = FileKey::load_or_create(&self.folder("keys/next")?)?;
        self.sync_keys(&keys)?;
        Ok(key)
    }

    /// Puts the key file of `keys/next/`, if there is one, in place of the workspace's own.
    ///
    /// # Errors
    /// When it cannot be moved; then this can be done again.
    pub(crate) fn use_next_key(&self) -> Result<(), WorkspaceError> {
        let keys = self.folder("keys")?;
        let next = match keys.open_dir(NEXT_KEY) {
            Ok(next) => next,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(self.error("read", "keys/next", e)),
        };
        let failed = |e| self.error("write", &format!("keys/{PRIVATE_KEY_FILE}"), e);
        if next.symlink_metadata(PRIVATE_KEY_FILE).is_ok() {
            // In place of the old ones; the private half last, because as long as it is here the move is not done.
            for file in [PUBLIC_KEY_FILE, PRIVATE_KEY_FILE] {
                next.rename(file, &keys, file).map_err(failed)?;
            }
            self.sync_keys(&keys)?;
        }
        // What is left is of a command that was cut short while it made the key, and may be a part of one.
        let failed = |e| self.error("write", "keys/next", e);
        for left in next.entries().map_err(failed)? {
            next.remove_file(left.map_err(failed)?.file_name()).map_err(failed)?;
        }
        keys.remove_dir(NEXT_KEY).map_err(failed)
    }

    /// The public keys that signed the log before it was given another one: `keys/earlier/`.
    pub(crate) fn earlier_keys(&self) -> Result<TrustedKeys, WorkspaceError> {
        let mut keys = TrustedKeys::default();
        let folder = match self.folder("keys")?.open_dir(EARLIER_KEYS) {
            Ok(folder) => folder,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(keys),
            Err(e) => return Err(self.error("read", "keys/earlier", e)),
        };
        for entry in folder.entries().map_err(|e| self.error("read", "keys/earlier", e))? {
            let name = entry.map_err(|e| self.error("read", "keys/earlier", e))?.file_name();
            let file = format!("keys/earlier/{}", name.display());
            let pem = folder.read_to_string(&name).map_err(|e| self.error("read", &file, e))?;
            let key = PublicKey::from_pem(&pem);
            keys.insert(key.map_err(|e| self.error("read", &file, std::io::Error::other(e.to_string())))?);
        }
        Ok(keys)
    }

    /// Stores `snapshot` under its digest, which is returned in hex. Durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_evidence(&self, snapshot: &EvidenceSnapshot) -> Result<String, WorkspaceError> {
        self.put(snapshot)
    }

    /// The evidence with `digest`, checked against it.
    ///
    /// # Errors
    /// When it is missing, or is not what the digest says.
    pub fn evidence(&self, digest: &str) -> Result<EvidenceSnapshot, WorkspaceError> {
        let json = self.stored(digest)?;
        let broken = |e: serde_json::Error| broken_evidence(digest, &e.to_string());
        let read: Result<EvidenceSnapshot, _> = serde_json::from_slice(&json);
        if read.as_ref().is_ok_and(|it| it.snapshot_version == SNAPSHOT_VERSION) {
            return read.map_err(broken);
        }
        // Another version may have any form; that it is one is what has to be said.
        let stored: StoredVersion = serde_json::from_slice(&json).map_err(broken)?;
        if stored.snapshot_version != SNAPSHOT_VERSION {
            return Err(WorkspaceError::EvidenceVersion {
                digest: digest.to_owned(),
                version: stored.snapshot_version,
            });
        }
        read.map_err(broken)
    }

    /// Stores what an action returned beside the evidence, under its digest, which is returned in hex. Durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_outcome(&self, outcome: &RecordedOutcome) -> Result<String, WorkspaceError> {
        self.put(outcome)
    }

    /// The outcome with `digest`, checked against it.
    ///
    /// # Errors
    /// When it is missing, or is not what the digest says.
    pub fn outcome(&self, digest: &str) -> Result<RecordedOutcome, WorkspaceError> {
        let outcome: RecordedOutcome =
            serde_json::from_slice(&self.stored(digest)?).map_err(|e| broken_evidence(digest, &e.to_string()))?;
        if outcome.outcome_version != OUTCOME_VERSION {
            return Err(broken_evidence(digest, "it is of another version"));
        }
        Ok(outcome)
    }

    fn put<T: Serialize>(&self, value: &T) -> Result<String, WorkspaceError> {
        let json = serde_json::to_vec(value)
            .map_err(|e| self.error("write", "evidence", std::io::Error::other(e.to_string())))?;
        let digest = crate::hex(&Sha256::digest(&json));
        let name = evidence_name(&digest);
        let folder = self.folder("evidence")?;
        if folder.symlink_metadata(&name).is_err() {
            let packed = zstd::bulk::compress(&json, 1).map_err(|e| self.error("write", &name, e))?;
            write_durably(&folder, &name, &packed).map_err(|e| self.error("write", &format!("evidence/{name}"), e))?;
        }
        Ok(digest)
    }

    /// Whether there is evidence or an outcome under `digest`, which must be a SHA-256 in hex.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn has_evidence(&self, digest: &str) -> Result<bool, WorkspaceError> {
        Ok(self.folder("evidence")?.symlink_metadata(evidence_name(digest)).is_ok())
    }

    /// Erases what is stored under `digest`, which must be a SHA-256 in hex, and leaves the id of the record that says so. Durable when
    /// this returns.
    ///
    /// # Errors
    /// When it cannot be erased.
    pub(crate) fn erase_evidence(&self, digest: &str, record: &str) -> Result<(), WorkspaceError> {
        let name = evidence_name(digest);
        let failed = |e| self.error("write", &format!("evidence/{name}"), e);
        let folder = self.folder("evidence")?;
        write_durably(&folder, &erased_name(digest), record.as_bytes()).map_err(failed)?;
        folder.remove_file(&name).map_err(failed)?;
        // As in [`write`].
        folder.open(".").and_then(|it| it.sync_all()).map_err(failed)
    }

    /// The JSON with `digest`, checked against it.
    fn stored(&self, digest: &str) -> Result<Vec<u8>, WorkspaceError> {
        let broken = |what: &str| broken_evidence(digest, what);
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_digest {
            return Err(broken("its name is no SHA-256"));
        }
        let folder = self.folder("evidence")?;
        let file = match folder.open(evidence_name(digest)) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(match folder.read_to_string(erased_name(digest)) {
                    Ok(record) => WorkspaceError::Erased {
                        digest: digest.to_owned(),
                        record: crate::untrusted::escape_control(record.trim())
                            .chars()
                            .take(60)
                            .collect(),
                    },
                    Err(_) => broken("the file is missing"),
                });
            }
            Err(e) => return Err(self.error("read", &evidence_name(digest), e)),
        };
        let decoder = zstd::stream::read::Decoder::new(file).map_err(|e| broken(&e.to_string()))?;
        let mut json = Vec::new();
        decoder
            .take(EVIDENCE_BYTES)
            .read_to_end(&mut json)
            .map_err(|e| broken(&e.to_string()))?;
        if crate::hex(&Sha256::digest(&json)) != digest {
            return Err(broken("the file was changed"));
        }
        Ok(json)
    }

    /// Locks the database `target_id` for one action; none when another process has it. The lock ends with what is returned.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock_database(&self, target_id: &str) -> Result<Option<Lock>, WorkspaceError> {
        self.lock(target_id)
    }

    /// Locks the incident for one action, so that actions on two databases do not both take the last of its budget.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock_incident(&self, incident_id: &str) -> Result<Option<Lock>, WorkspaceError> {
        self.lock(incident_id)
    }

    /// Locks the taking of the verdict `name`; none when another process takes it. The lock ends with what is returned.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock_verdict(&self, name: &str) -> Result<Option<Lock>, WorkspaceError> {
        self.lock(name)
    }

    fn lock(&self, what: &str) -> Result<Option<Lock>, WorkspaceError> {
        let name = format!("{}.lock", crate::hex(&Sha256::digest(what.as_bytes())));
        let folder = self.folder("locks")?;
        let mut options = OpenOptions::new();
        options.create(true).write(true).mode(0o600);
        let file = folder
            .open_with(&name, &options)
            .map_err(|e| self.error("write", &format!("locks/{name}"), e))?
            .into_std();
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(e)) => Err(self.error("write", &format!("locks/{name}"), e)),
        }
    }

    /// Keeps the approval `id`. Durable when this returns; an approval that is there already is not replaced.
    ///
    /// # Errors
    /// When it cannot be written, or is there already.
    pub fn put_approval(&self, id: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let name = approval_name(id);
        let folder = self.folder("approvals")?;
        if folder.symlink_metadata(&name).is_ok() {
            let there = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(self.error("write", &format!("approvals/{name}"), there));
        }
        write_durably(&folder, &name, bytes).map_err(|e| self.error("write", &format!("approvals/{name}"), e))
    }

    /// The approval kept under `id`, which has to have the form of one; none when there is none. Nothing of it is verified here.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn approval(&self, id: &str) -> Result<Option<Vec<u8>>, WorkspaceError> {
        let name = approval_name(id);
        let failed = |e| self.error("read", &format!("approvals/{name}"), e);
        let file = match self.folder("approvals")?.open(&name) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e)),
        };
        let mut bytes = Vec::new();
        file.take(crate::approval::DOCUMENT_BYTES)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        Ok(Some(bytes))
    }

    /// The ids of the approvals that are kept, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn approval_ids(&self) -> Result<Vec<String>, WorkspaceError> {
        let failed = |e| self.error("read", "approvals", e);
        let mut ids = Vec::new();
        for entry in self.folder("approvals")?.entries().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(APPROVAL_SUFFIX));
            ids.extend(
                id.filter(|id| crate::ids::unique_part("ap", id).is_some())
                    .map(str::to_owned),
            );
        }
        ids.sort();
        Ok(ids)
    }

    /// A file of the cache, if it is there.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn read_cache(&self, name: &str) -> Result<Option<Vec<u8>>, WorkspaceError> {
        Ok(self.folder("cache")?.read(name).ok())
    }

    /// Writes a file of the cache, owner-only, replacing the old one in one step. It may be lost or torn by a power cut: whoever
    /// reads it has to know its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_cache(&self, name: &str, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let folder = self.folder("cache")?;
        write(&folder, name, bytes, Durability::None, 0o600)
            .map_err(|e| self.error("write", &format!("cache/{name}"), e))
    }

    /// Removes a file of the cache, if it is there.
    pub fn forget_cache(&self, name: &str) {
        // What cannot be removed cannot be opened either, or is gone.
        let _ = self.folder("cache").map(|folder| folder.remove_file(name));
    }

    /// The key that authenticates the cache, made on first use.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn cache_key(&self) -> Result<[u8; 32], WorkspaceError> {
        let keys = self.folder("keys")?;
        if keys.symlink_metadata(CACHE_KEY_FILE).is_err() {
            let mut key = [0u8; 32];
            getrandom::fill(&mut key)
                .map_err(|e| self.error("write", CACHE_KEY_FILE, std::io::Error::other(e.to_string())))?;
            // Another process may have made one meanwhile; what is read below is the one that stands.
            let _ = write_durably(&keys, CACHE_KEY_FILE, &key);
        }
        let bytes = keys
            .read(CACHE_KEY_FILE)
            .map_err(|e| self.error("read", CACHE_KEY_FILE, e))?;
        bytes.try_into().map_err(|_| {
            let reason = std::io::Error::other("it does not have 32 bytes; delete it, and it is made anew");
            self.error("read", CACHE_KEY_FILE, reason)
        })
    }

    fn folder(&self, name: &str) -> Result<Dir, WorkspaceError> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        match self.dir.create_dir_with(name, &builder) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(self.error("write", name, e)),
        }
        self.dir.open_dir(name).map_err(|e| self.error("read", name, e))
    }

    fn error(&self, doing: &'static str, file: &str, source: std::io::Error) -> WorkspaceError {
        let (file, workspace) = (file.to_owned(), self.path.display().to_string());
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                WorkspaceError::NoSpace { file, workspace }
            }
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                WorkspaceError::Permission { doing, file, workspace }
            }
            _ => WorkspaceError::Io {
                doing,
                file,
                workspace,
                source,
            },
        }
    }
}

/// Held while an action runs on a database, or its verdict is taken.
#[derive(Debug)]
pub struct Lock {
    _file: std::fs::File,
}

const APPROVAL_SUFFIX: &str = ".dsse.json";

fn approval_name(id: &str) -> String {
    format!("{id}{APPROVAL_SUFFIX}")
}

fn broken_evidence(digest: &str, what: &str) -> WorkspaceError {
    WorkspaceError::Evidence {
        digest: digest.to_owned(),
        what: what.to_owned(),
    }
}

fn evidence_name(digest: &str) -> String {
    format!("{digest}.json.zst")
}

/// What is left of erased evidence: the id of the record that says so.
fn erased_name(digest: &str) -> String {
    format!("{digest}.erased")
}

/// As [`write`], and outlives a power cut.
pub(crate) fn write_durably(folder: &Dir, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    write(folder, name, bytes, Durability::Synced, 0o600)
}

/// The same, of what everybody may read.
pub(crate) fn write_durably_for_all(folder: &Dir, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    write(folder, name, bytes, Durability::Synced, 0o644)
}

/// Whether what was written outlives a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    Synced,
    None,
}

/// Writes under a temporary name, syncs, renames, syncs the folder: readers see the old file or the whole new one.
fn write(folder: &Dir, name: &str, bytes: &[u8], durability: Durability, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // Threads of one process write, too.
    let temporary = format!("{name}.{}.{:?}.tmp", std::process::id(), std::thread::current().id());
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(mode);
    let written = (|| {
        let mut file = folder.open_with(&temporary, &options)?.into_std();
        // Whatever the umask says: what is for all has to be readable for all.
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        file.write_all(bytes)?;
        if durability == Durability::Synced {
            file.sync_all()?;
        }
        folder.rename(&temporary, folder, name)?;
        if durability == Durability::Synced {
            // A capability directory is opened for its path alone; syncing needs one opened for reading.
            folder.open(".")?.sync_all()?;
        }
        Ok(())
    })();
    if written.is_err() {
        let _ = folder.remove_file(&temporary);
    }
    written
}
