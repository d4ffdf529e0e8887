//! The log: append records, read them back verified. One folder, any number of processes.
//!
//! **In**: a folder handle, a signer, the name (origin) of the log, and records as JSON. **Out**: receipts, verified records
//! and entries. **Trusted**: the signer's key, and further keys named in [`LogOptions`]; nothing that lies in the folder.
//! **Can fail**: [`AuditError`]; an append that fails has recorded nothing that anybody was told of.
//!
//! # How an append becomes durable
//!
//! Everything that changes the folder happens under an exclusive lock (`log/lock.rs`), which the operating system releases when
//! its holder dies, with one exception: an append waits for the disk *without* the lock. It waits once, for one file, the
//! `journal` (`journal.rs`), and it waits together with the writers of all threads and processes: one of them leads, for all
//! that wrote before it looked (`log/commit.rs`).
//!
//! | step | what is done | after a crash right then, the next start |
//! |---|---|---|
//! | J1 | seal the record, unless it says where it stands; take the lock | finds the same state again |
//! | J2 | read what others added to the journal, verify its newest checkpoint; the next signature stands on it | as J1 |
//! | J3 | seal the record if it is not sealed yet, sign the checkpoint with it, write both as one frame behind the newest; release the lock | keeps a torn frame in `unacknowledged/`; a whole one counts |
//! | J4 | whoever has the file `sync`: take the lock, look how far the journal goes, release the lock, `fdatasync` the journal. **This is the commit**: every frame up to there is durable | as J3, and the frames are there |
//! | J5 | it takes the lock; writes records, tiles and bundles of these frames, then exchanges `checkpoint` for the new one; releases the lock and `sync`. Who waited for it reads that the checkpoint has its frame, or leads next; the caller is told | writes them again |
//!
//! A frame may stand on frames that are not durable yet; its own J4 makes those durable too, so what is acknowledged never
//! stands on what can be lost. Nothing outside the journal states an entry before its frame is durable: readers and exporters
//! see the checkpoint only, and no checkpoint that a power loss takes back was ever to be seen, which would have let the log
//! sign two histories. So *whole* (counts after a crash), *durable*, *published* (seen) and *acknowledged* follow each other in
//! this order, and a whole frame without an acknowledgement counts as appended.
//!
//! Therefore the checkpoint is all that a leader has to tell the others: what it states is durable, whoever wrote it, and no
//! note beside it could be out of date or outlive a power loss. `sync` protects nothing. Two who lead at once, because one had
//! hung for too long or could not have the file, both do what each would do alone.
//!
//! What J5 writes is not durable by itself; the journal stands for it. When the journal is full, it is trimmed, under the lock:
//!
//! | step | what is done | after a crash right then, the next start |
//! |---|---|---|
//! | T1 | make the journal durable and publish all of it | goes on with J5 |
//! | T2 | remove the file of the older checkpoint; `fsync` every file that the frames stand for, and the folders of their names, a few at once | has the journal still |
//! | T3 | write the header of the next generation, in the slot of the one before the last, and make it durable. **This begins the journal anew** | finds the one or the other, and all files durable |
//! | T4 | remove the partial tiles of the earlier base | the next trim removes them |
//!
//! **Files are written over.** Every J5 takes the older checkpoint out of use, and a partial tile and a partial bundle with it. They are
//! kept in `staging/` as *spares*, and the next J5 writes over them before they get their names, so that an append makes one file,
//! that of its record. What a power loss leaves of them must be what it could leave of a new file:
//!
//! - A spare tile or bundle is of the place in which the log ends, so it is how the newer one begins; at the end of the place both go.
//! - A checkpoint is written over one of the same length in one sector, which the disk has whole, the one or the other. Neither may be
//!   from before the base, or it would look like a log that was rolled back: hence T2.
//! - A file that has a second name, which somebody's backup may have given it, is left alone.
//!
//! Who reads without the lock may have opened a file before it is written over. It finds more in a tile or a bundle than the name says,
//! and a checkpoint that is different when it is read once more; then the checkpoint has moved on, and it begins again.
//!
//! The edge of the tree at the base of the journal is kept until T4, because recovery begins there:
//!
//! | step | what is done |
//! |---|---|
//! | R1 | whoever finds a torn frame puts what is left of it into `unacknowledged/`, durably, and erases it; [`Log::take_recovered`] tells the caller, who notes the gap in a record of its own |
//! | R2 | after the machine was started anew, as the kernel's boot id in the header tells: remove the spares, write every file of the journal's frames anew, whatever stands there, and trim |
//! | R3 | otherwise the files are as the dead process left them: make frames that are not published durable, once more and by writing them again, and publish them |
//! | R4 | clear `staging/` but for the spares, in which builds before the journal left records of appends that were cut short: these go to `unacknowledged/` |
//!
//! Each of these can be cut short at any point, and is begun again from the start. When an append fails, it was not
//! acknowledged; in J3 it left nothing, after J4 its record is in the log ([`AuditError::Unpublished`]), and no other append
//! of this process begins before that is published.
//!
//! **A failed `fdatasync` is for good.** The operating system tells it once to each open file and then holds the lost bytes for
//! clean. So this process records nothing more ([`AuditError::NotDurable`]); a process that had the journal open is told by its
//! own next `fdatasync`; one that opens it later writes again whatever is not published, and the header if nothing is, before
//! it builds on it (R3); and after a failure in T2 or T3 it finds a mark and does R2.
//!
//! `tests/protocol.rs` is a model of these steps, under these names, which explores all interleavings up to a bound;
//! `log/tests.rs` cuts every operation short.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cap_std::fs::Dir;

use crate::digest::Digest;
use crate::entry::is_id;
use crate::error::AuditError;
use crate::files::{DirFiles, FileLayer};
use crate::journal::JOURNAL_BYTES;
use crate::keys::{PublicKey, Signer, TrustedKeys, Verifier};
use crate::layout::{self, TREE_MODE};
use crate::merkle::empty_root;
use crate::note::{Checkpoint, MAX_CHECKPOINT_BYTES, is_origin, sign_checkpoint};
use crate::snapshot::{Entries, Snapshot, VerifiedRecord, without_checkpoint};
use lock::{Access, LockFiles, Locked};
use publish::remove_if_there;
use threads::Threads;
use tip::{Tip, contradicts, rolled_back};

mod append;
mod commit;
mod cosigned;
mod lock;
mod prove;
mod publish;
mod recovery;
mod threads;
mod tip;
mod trim;

pub use append::{NewRecord, Placement, Sealed};
pub use cosigned::Collected;
pub(crate) use cosigned::{COSIGNED, COSIGNED_NEW};
pub use prove::prove;
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
    /// Which thread commits for all of this process. Asked before anything is held.
    threads: Threads,
    /// Held while the operating system makes the journal durable, after everything else.
    syncing: Mutex<()>,
    /// Checkpoints that verified, newest first.
    verified: Mutex<VecDeque<Checkpoint>>,
    /// Verifies what is signed for this log, by keys that sign again and again.
    verifier: Mutex<Verifier>,
    /// Entries up to and with the newest frame that this process wrote.
    written: AtomicU64,
    /// Entries that this process knows to be durable.
    durable: AtomicU64,
    /// Entries that some checkpoint in the folder stated.
    published: AtomicU64,
    /// The operating system once failed to make them so. It tells each open file only once, and a second try succeeds without
    /// having written what was lost; so this is for good.
    failed: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The published log when this process last looked.
    snapshot: Option<Arc<Snapshot>>,
    /// The journal when this process last looked.
    tip: Option<Tip>,
    /// The journal, open as long as it is the same file.
    journal: Option<Arc<File>>,
    recovered: Vec<Recovered>,
    locks: Option<LockFiles>,
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
            threads: Threads::default(),
            syncing: Mutex::default(),
            verified: Mutex::default(),
            verifier: Mutex::default(),
            written: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            published: AtomicU64::new(0),
            failed: AtomicBool::new(false),
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

    /// The key that signs.
    pub fn public_key(&self) -> &PublicKey {
        self.signer.public()
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
        let mut tip = state.tip.take();
        let current = self.current_with(state, tip.as_mut());
        state.tip = tip;
        current
    }

    /// [`Log::current`] while the tip is not in its place. The tip forgets what is published.
    fn current_with(&self, state: &mut State, tip: Option<&mut Tip>) -> Result<Arc<Snapshot>, AuditError> {
        let checkpoint = self.published_now(state)?;
        self.current_at(state, tip, checkpoint)
    }

    /// [`Log::current_with`] for who has read the checkpoint under this lock.
    fn current_at(
        &self,
        state: &mut State,
        tip: Option<&mut Tip>,
        checkpoint: Checkpoint,
    ) -> Result<Arc<Snapshot>, AuditError> {
        let size = checkpoint.size;
        let snapshot = match state.snapshot.clone() {
            Some(known) if known.checkpoint.note == checkpoint.note => known,
            known => {
                let grown = known.zip(tip.as_deref());
                let grown = grown.and_then(|(known, tip)| tip.grown(&known.edge, size));
                Arc::new(match grown {
                    Some(edge) if edge.root() != checkpoint.root => return Err(contradicts(&checkpoint)),
                    Some(edge) => Snapshot { checkpoint, edge },
                    None => Snapshot::load(self.files.as_ref(), checkpoint)?,
                })
            }
        };
        state.snapshot = Some(Arc::clone(&snapshot));
        if let Some(tip) = tip {
            tip.forget(size);
        }
        Ok(snapshot)
    }

    /// The checkpoint in the folder, verified, and not older than one that was seen. Called under the lock.
    fn published_now(&self, state: &State) -> Result<Checkpoint, AuditError> {
        let files = self.files.as_ref();
        // Before reading: another thread may see a newer one right after.
        let stated = self.published.load(Ordering::Acquire);
        let note = match files.read(layout::CHECKPOINT, MAX_CHECKPOINT_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(without_checkpoint(files)?),
            other => other.map_err(|error| AuditError::io("read", layout::CHECKPOINT, error))?,
        };
        let checkpoint = self.open_note(&note)?;
        let known = state.snapshot.as_ref().map(|known| &known.checkpoint);
        let other = known.is_some_and(|known| checkpoint.size == known.size && checkpoint.root != known.root);
        let known = known.map_or(0, |known| known.size).max(stated);
        if checkpoint.size < known || other {
            return Err(rolled_back(checkpoint.size, known));
        }
        Ok(checkpoint)
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
        let note = self.sign_checkpoint(self.signer.as_ref(), 0, &empty_root())?.note;
        remove_if_there(files, layout::STAGED_CHECKPOINT)
            .and_then(|()| files.create(layout::STAGED_CHECKPOINT, note.as_bytes(), TREE_MODE))
            .and_then(|()| files.rename(layout::STAGED_CHECKPOINT, layout::CHECKPOINT))
            .and_then(|()| files.sync_dir(""))
            .map_err(|error| AuditError::io("write", layout::CHECKPOINT, error))
    }

    /// A checkpoint of this log. A signature that does not verify must never be published, whatever the signer is.
    fn sign_checkpoint(&self, signer: &dyn Signer, size: u64, root: &Digest) -> Result<Checkpoint, AuditError> {
        let note = sign_checkpoint(signer, &self.origin, size, root)?;
        Ok(self.open_note(note.as_bytes())?)
    }

    fn verifier(&self) -> MutexGuard<'_, Verifier> {
        self.verifier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic elsewhere cannot leave the state half-changed: it is only ever replaced whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
pub(crate) mod tests;
