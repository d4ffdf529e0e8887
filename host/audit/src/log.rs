//! The log: append records, read them back verified. One folder, any number of processes.
//!
//! **In**: a folder handle, a signer, the name (origin) of the log, and records as JSON. **Out**: receipts, verified records
//! and entries. **Trusted**: the signer's key, and further keys named in [`LogOptions`]; nothing that lies in the folder.
//! **Can fail**: [`AuditError`]; an append that fails has recorded nothing that anybody was told of.
//!
//! # How an append becomes durable
//!
//! All steps happen under an exclusive lock on the file `lock`, which the operating system releases when its holder dies.
//! *Durable* means: the file was fsynced, and then the folder that names it.
//!
//! | step | what is done | after a crash right then, recovery |
//! |---|---|---|
//! | A1 | take the lock; when `staging/` is not empty, recover first | finds the same state again |
//! | A2 | verify `checkpoint` and the right edge of the tree; they are what the next signature stands on | nothing to do |
//! | A3 | `staging/<id>.<index>.json`: the sealed record, mode 0444, durable. From here to A8 it marks the append | moves it to `unacknowledged/` |
//! | A4 | link it to `records/<shard>/`, which never replaces a file; durable | moves it to `unacknowledged/`, takes the link away |
//! | A5 | write the wider entry bundle and hash tiles, each to `staging/tile` and then renamed; durable | as A4; the tiles are beyond the checkpoint, nobody reads them, and the next append replaces them |
//! | A6 | sign the new checkpoint and write it to `staging/checkpoint`; durable | as A4, and removes that file |
//! | A7 | rename it to `checkpoint`; durable. **This is the commit**: the caller may be told | if the rename survived, the record counts; if not, as A4 |
//! | A8 | remove the mark in `staging/` and the narrower tiles | removes what is left of them |
//!
//! So the checkpoint never states an entry whose record, bundle or tiles are not durable, and a record without a checkpoint
//! is never acknowledged. Recovery deletes no record: what it finds goes to `unacknowledged/`, and
//! [`Log::take_recovered`] tells the caller, who notes the gap in a record of its own. Recovery itself may be cut short at
//! any point: it links the record to `unacknowledged/` (R1, durable), removes it from `records/` (R2, durable), and only
//! then removes the mark (R3), so that it starts again with the same step.
//!
//! When a step fails and the process lives (no space, for example), the same recovery runs at once.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cap_std::fs::Dir;

use crate::digest::Digest;
use crate::entry::is_id;
use crate::error::AuditError;
use crate::files::{DirFiles, FileLayer};
use crate::journal::JOURNAL_BYTES;
use crate::keys::{Signer, TrustedKeys};
use crate::layout;
use crate::merkle::empty_root;
use crate::note::{Checkpoint, MAX_CHECKPOINT_BYTES, is_origin, open_checkpoint, sign_checkpoint};
use crate::snapshot::{Entries, Snapshot, VerifiedRecord, without_checkpoint};
use lock::{Access, LockFiles, Locked};
use publish::{TREE_MODE, remove_if_there};
use tip::{Tip, rolled_back, wrong};

mod append;
mod lock;
mod publish;
mod recovery;
mod tip;
mod trim;

pub use append::{NewRecord, Placement, Sealed};
pub use recovery::Recovered;

/// How long an append waits for the lock unless told otherwise.
pub const DEFAULT_LOCK_TIMEOUT_MS: u64 = 10_000;

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Keys besides the signer's own whose checkpoints and records count, earlier keys of this log for example.
    pub also_trusted: TrustedKeys,
    /// How long to wait for the lock.
    pub lock_timeout_ms: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            also_trusted: TrustedKeys::default(),
            lock_timeout_ms: DEFAULT_LOCK_TIMEOUT_MS,
        }
    }
}

/// An audit log in a folder.
pub struct Log {
    files: Box<dyn FileLayer>,
    signer: Box<dyn Signer>,
    origin: String,
    trusted: TrustedKeys,
    lock_timeout: Duration,
    /// Length of the journal.
    journal_bytes: u64,
    state: Mutex<State>,
    synced: Mutex<Synced>,
    /// Entries up to and with the newest frame that this process wrote.
    written: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The published log when this process last looked.
    snapshot: Option<Arc<Snapshot>>,
    /// The journal when this process last looked.
    tip: Option<Tip>,
    recovered: Vec<Recovered>,
    locks: Option<LockFiles>,
}

/// What this process knows to be durable. One thread at a time makes the journal durable, for all that wrote before it began.
#[derive(Default)]
struct Synced {
    /// Entries that are.
    durable: u64,
    /// The operating system once failed to. It tells each open file only once, and a second try succeeds without having
    /// written what was lost; so this is for good.
    failed: bool,
}

impl Log {
    /// Opens the log of a folder, makes it if the folder is empty, and recovers it if an append was cut short.
    pub fn open(dir: Dir, signer: Box<dyn Signer>, origin: &str) -> Result<Self, AuditError> {
        Self::open_with(dir, signer, origin, LogOptions::default())
    }

    /// [`Log::open`] with options.
    pub fn open_with(dir: Dir, signer: Box<dyn Signer>, origin: &str, options: LogOptions) -> Result<Self, AuditError> {
        Self::open_layer(Box::new(DirFiles::new(dir)), signer, origin, options, JOURNAL_BYTES)
    }

    pub(crate) fn open_layer(
        files: Box<dyn FileLayer>,
        signer: Box<dyn Signer>,
        origin: &str,
        options: LogOptions,
        journal_bytes: u64,
    ) -> Result<Self, AuditError> {
        if !is_origin(origin) {
            return Err(AuditError::BadOrigin {
                origin: origin.to_owned(),
            });
        }
        let mut trusted = options.also_trusted;
        trusted.insert(signer.public().clone());
        let lock_timeout = Duration::from_millis(options.lock_timeout_ms);
        let log = Self {
            files,
            signer,
            origin: origin.to_owned(),
            trusted,
            lock_timeout,
            journal_bytes,
            state: Mutex::default(),
            synced: Mutex::default(),
            written: AtomicU64::new(0),
        };
        {
            let mut state = log.state();
            let locked = log.lock(&mut state, Access::Alone)?;
            log.create_if_new(&locked)?;
            log.recover(&mut state, &locked)?;
        }
        Ok(log)
    }

    /// The record of this id, after checking its signature, its digest and its place in the signed log.
    pub fn read(&self, id: &str) -> Result<VerifiedRecord, AuditError> {
        if !is_id(id) {
            return Err(AuditError::BadId { id: id.to_owned() });
        }
        self.snapshot()?.record(self.files.as_ref(), &self.trusted, id)
    }

    /// The entries in order, without their records. Each was compared with the signed root before it is returned; the
    /// iterator ends after an error.
    pub fn entries(&self) -> Result<Entries<'_>, AuditError> {
        self.entries_from(0)
    }

    /// [`Log::entries`] from an index on.
    pub fn entries_from(&self, first: u64) -> Result<Entries<'_>, AuditError> {
        Ok(self.snapshot()?.entries(self.files.as_ref(), first))
    }

    /// The newest checkpoint, verified.
    pub fn checkpoint(&self) -> Result<Checkpoint, AuditError> {
        Ok(self.snapshot()?.checkpoint.clone())
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The keys whose signatures count.
    pub fn trusted_keys(&self) -> &TrustedKeys {
        &self.trusted
    }

    /// The records of appends that never finished and that this `Log` moved to `unacknowledged/` since it was last asked.
    /// The caller notes the gap.
    pub fn take_recovered(&self) -> Vec<Recovered> {
        std::mem::take(&mut self.state().recovered)
    }

    fn snapshot(&self) -> Result<Arc<Snapshot>, AuditError> {
        let mut state = self.state();
        let _locked = self.lock(&mut state, Access::Shared)?;
        self.current(&mut state)
    }

    /// The published log as its checkpoint now is. Called under the lock.
    fn current(&self, state: &mut State) -> Result<Arc<Snapshot>, AuditError> {
        let files = self.files.as_ref();
        let note = match files.read(layout::CHECKPOINT, MAX_CHECKPOINT_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(without_checkpoint(files)?),
            other => other.map_err(|error| AuditError::io("read", layout::CHECKPOINT, error))?,
        };
        let known = state.snapshot.as_ref();
        if let Some(known) = known.filter(|known| known.checkpoint.note.as_bytes() == note) {
            return Ok(Arc::clone(known));
        }
        let checkpoint = open_checkpoint(&note, &self.origin, &self.trusted)?;
        let mut grown = None;
        if let Some(Snapshot {
            checkpoint: known,
            edge,
        }) = known.map(Arc::as_ref)
        {
            if checkpoint.size < known.size || (checkpoint.size == known.size && checkpoint.root != known.root) {
                return Err(rolled_back(checkpoint.size, known.size));
            }
            grown = state.tip.as_ref().and_then(|tip| tip.grown(edge, checkpoint.size));
        }
        let snapshot = match grown {
            Some(edge) if edge.root() != checkpoint.root => {
                return Err(wrong(format!(
                    "it contradicts the checkpoint with {} entries",
                    checkpoint.size
                )));
            }
            Some(edge) => Snapshot { checkpoint, edge },
            None => Snapshot::load(files, checkpoint)?,
        };
        if let Some(tip) = &mut state.tip {
            tip.forget(snapshot.checkpoint.size);
        }
        let snapshot = Arc::new(snapshot);
        state.snapshot = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Makes the folders, the journal and the checkpoint of an empty log. The checkpoint comes last: without it, and without
    /// any content, a log counts as new.
    fn create_if_new(&self, locked: &Locked) -> Result<(), AuditError> {
        let files = self.files.as_ref();
        let is_new = match files.stat(layout::CHECKPOINT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            // Whatever else is wrong with it, reading it says so.
            _ => false,
        };
        if is_new {
            match without_checkpoint(files)? {
                AuditError::NoLog => {}
                missing => return Err(missing),
            }
        }
        // Also for a log that was copied without its empty folders.
        for folder in [layout::RECORDS, layout::TILES, layout::UNACKNOWLEDGED, layout::STAGING] {
            files
                .make_dir(folder)
                .map_err(|error| AuditError::io("create", folder, error))?;
        }
        if !is_new {
            return Ok(());
        }
        self.make_journal(0, &empty_root(), locked)?;
        let note = self.sign_checkpoint(0, &empty_root())?.note;
        remove_if_there(files, layout::STAGED_CHECKPOINT)
            .and_then(|()| files.create(layout::STAGED_CHECKPOINT, note.as_bytes(), TREE_MODE))
            .and_then(|()| files.rename(layout::STAGED_CHECKPOINT, layout::CHECKPOINT))
            .and_then(|()| files.sync_dir(""))
            .map_err(|error| AuditError::io("write", layout::CHECKPOINT, error))
    }

    /// A checkpoint of this log. A signature that does not verify must never be published, whatever the signer is.
    fn sign_checkpoint(&self, size: u64, root: &Digest) -> Result<Checkpoint, AuditError> {
        let note = sign_checkpoint(self.signer.as_ref(), &self.origin, size, root)?;
        Ok(open_checkpoint(note.as_bytes(), &self.origin, &self.trusted)?)
    }

    /// J4: makes the journal durable up to a size that was written, unless that is known to be. Called without the lock, so
    /// that others write meanwhile; the kernel then serves several processes with one flush of the disk.
    fn make_durable(&self, journal: &File, size: u64) -> Result<(), AuditError> {
        let mut synced = self.synced();
        refuse_after_failure(&synced)?;
        if synced.durable >= size {
            return Ok(());
        }
        let written = self.written.load(Ordering::Acquire).max(size);
        if let Err(error) = self.files.sync_data(journal) {
            synced.failed = true;
            return Err(AuditError::NotDurable {
                reason: error.to_string(),
            });
        }
        synced.durable = written;
        Ok(())
    }

    /// A panic elsewhere cannot leave the state half-changed: it is only ever replaced whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn synced(&self) -> MutexGuard<'_, Synced> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse_after_failure(synced: &Synced) -> Result<(), AuditError> {
    if synced.failed {
        return Err(AuditError::NotDurable {
            reason: "an earlier attempt of this process failed".to_owned(),
        });
    }
    Ok(())
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("origin", &self.origin)
            .field("key", self.signer.key_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
