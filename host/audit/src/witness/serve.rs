//! The witness itself: what it saw last of each log, under a lock, durable before it signs.
//!
//! **In**: a folder of its own, a signer, the keys of the logs it witnesses, and requests. **Out**: [`Answer`]s. **Trusted**: the
//! folder. **Can fail**: [`WitnessError`] where the folder does not do; then the answer is 500, and nothing is signed.
//!
//! A witness promises that it never cosigns two checkpoints of one log that contradict each other, so all hangs on what it
//! remembers. The order under the lock is: read what was cosigned last, compare, **store durably, then sign**. A crash
//! between the two leaves a checkpoint stored that was never cosigned, and the log gets its cosignature by asking again.
//!
//! The folder must never be put back from a copy: a witness that forgot may cosign a fork. One whose folder is lost starts
//! again with a new key.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cap_std::fs::Dir;

use super::{AddCheckpoint, SIZE_TYPE};
use crate::cosignature::{CosignatureError, cosign};
use crate::digest::Digest;
use crate::files::{DirFiles, FileLayer};
use crate::keys::{Signer, TrustedKeys};
use crate::note::{Checkpoint, MAX_CHECKPOINT_BYTES, NoteError, RawNote, open_checkpoint};
use crate::proof::ProofError;
use crate::vkey::{LogKey, VkeyError, WitnessKey};

/// Held from reading what was cosigned last until the new state is durable.
const LOCK: &str = "lock";
/// Where a state is written before it is renamed.
const NEW: &str = "new";
/// Mode of the states: nothing in them is secret.
const STATE_MODE: u32 = 0o644;
/// How long a request waits for the lock.
const LOCK_TIMEOUT_MS: u64 = 10_000;

/// A witness with its folder.
pub struct Witness {
    files: Box<dyn FileLayer>,
    signer: Box<dyn Signer>,
    key: WitnessKey,
    logs: BTreeMap<String, TrustedKeys>,
    /// What this process has seen in the folder: it must not go back behind that.
    seen: Mutex<BTreeMap<String, (u64, Digest)>>,
    lock_timeout: Duration,
}

/// What the witness answers (C2SP tlog-witness, "add-checkpoint").
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// 200: it cosigned. The signature line, with its line feed.
    Cosigned(String),
    /// 400: the request has not the form, or its sizes go backwards.
    BadRequest(String),
    /// 403: no signature of the checkpoint is by a key trusted for this log, or one that says so does not verify.
    Untrusted(NoteError),
    /// 404: a log it was not told to witness.
    UnknownLog,
    /// 409: it cosigned last at this size, and the request begins at another one.
    Conflict(u64),
    /// 409: it has cosigned another root at this very size. The log has forked.
    Fork {
        /// The size.
        size: u64,
    },
    /// 422: the proof does not lead from what it cosigned last to this checkpoint.
    Unproven(ProofError),
    /// 500: it cannot do its work; nothing was signed.
    Failed(WitnessError),
}

/// Why a witness cannot do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// A file operation in its folder failed.
    #[error("cannot {doing} `{path}` in the folder of the witness: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another process held the lock for too long.
    #[error("the file `{LOCK}` in the folder of the witness was held by another process for {waited_ms} ms: try again")]
    LockTimeout {
        /// How long we waited.
        waited_ms: u64,
    },
    /// What it stored of a log is not believed any more.
    #[error(
        "what the witness stored of the log `{origin}` (file `{path}`) does not verify: {source}; if the log changed its key, keep the earlier one in the list too"
    )]
    State {
        /// The log.
        origin: String,
        /// The file.
        path: String,
        /// What is wrong.
        source: NoteError,
    },
    /// What it stored is older than what this process has seen.
    #[error(
        "what the witness stored of the log `{origin}` went back to {found} entries, and this process has seen {seen}: the folder was replaced by an older copy; retire the key of this witness"
    )]
    RolledBack {
        /// The log.
        origin: String,
        /// What is stored now.
        found: u64,
        /// What was there.
        seen: u64,
    },
    /// Its name cannot be that of a key.
    #[error(transparent)]
    Key(#[from] VkeyError),
    /// It could not sign.
    #[error(transparent)]
    Cosign(#[from] CosignatureError),
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::BadRequest(_) => 400,
            Self::Untrusted(_) => 403,
            Self::UnknownLog => 404,
            Self::Conflict(_) | Self::Fork { .. } => 409,
            Self::Unproven(_) => 422,
            Self::Failed(_) => 500,
        }
    }

    /// The content type of the body.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Conflict(_) => SIZE_TYPE,
            _ => "text/plain; charset=utf-8",
        }
    }

    /// The body. What went wrong inside the witness is for its operator and not in it.
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned(line) => line.clone(),
            Self::BadRequest(reason) => format!("{reason}\n"),
            Self::Untrusted(error) => format!("the checkpoint is not believed: {error}\n"),
            Self::UnknownLog => "this witness does not know the log\n".to_owned(),
            Self::Conflict(size) => format!("{size}\n"),
            Self::Fork { size } => format!("this witness has cosigned another root at {size} entries\n"),
            Self::Unproven(error) => format!("the consistency proof does not hold: {error}\n"),
            Self::Failed(_) => "the witness cannot do its work now; its operator can see why\n".to_owned(),
        }
    }
}

impl From<WitnessError> for Answer {
    fn from(error: WitnessError) -> Self {
        Self::Failed(error)
    }
}

impl Witness {
    /// A witness of this name, with this key and a folder of its own. Several keys of one log may be given, one per line.
    pub fn open(
        dir: Dir,
        signer: Box<dyn Signer>,
        name: &str,
        logs: impl IntoIterator<Item = LogKey>,
    ) -> Result<Self, WitnessError> {
        Self::open_layer(Box::new(DirFiles::new(dir)), signer, name, logs)
    }

    pub(crate) fn open_layer(
        files: Box<dyn FileLayer>,
        signer: Box<dyn Signer>,
        name: &str,
        logs: impl IntoIterator<Item = LogKey>,
    ) -> Result<Self, WitnessError> {
        let key = WitnessKey::new(name, signer.public().clone())?;
        let mut known: BTreeMap<String, TrustedKeys> = BTreeMap::new();
        for log in logs {
            known
                .entry(log.origin().to_owned())
                .or_default()
                .insert(log.public().clone());
        }
        Ok(Self {
            files,
            signer,
            key,
            logs: known,
            seen: Mutex::default(),
            lock_timeout: Duration::from_millis(LOCK_TIMEOUT_MS),
        })
    }

    /// The key under which it cosigns; its text form is what logs put into their policies.
    pub fn key(&self) -> &WitnessKey {
        &self.key
    }

    /// Answers a request. `now_s` is the clock, in seconds since the Unix epoch: it is read under the lock, so that the times
    /// of cosignatures have the order of the sizes.
    pub fn add_checkpoint(&self, body: &[u8], now_s: impl FnOnce() -> u64) -> Answer {
        self.answer(body, now_s).unwrap_or_else(|refusal| refusal)
    }

    /// What it cosigned last of a log, if anything.
    pub fn latest(&self, origin: &str) -> Result<Option<Checkpoint>, WitnessError> {
        let Some(keys) = self.logs.get(origin) else {
            return Ok(None);
        };
        let mut seen = self.seen();
        let _locked = self.lock()?;
        self.read_state(origin, keys, &mut seen)
    }

    /// The checks in the order of the specification; the error is the refusal.
    fn answer(&self, body: &[u8], now_s: impl FnOnce() -> u64) -> Result<Answer, Answer> {
        let bad_request = |error: NoteError| Answer::BadRequest(format!("the request is not believed: {error}"));
        let request = AddCheckpoint::parse(body).map_err(bad_request)?;
        let raw = RawNote::parse(request.note.as_bytes()).map_err(bad_request)?;
        let origin = raw.body().map_err(bad_request)?.origin;
        let keys = self.logs.get(origin).ok_or(Answer::UnknownLog)?;
        let checkpoint = open_checkpoint(request.note.as_bytes(), origin, keys).map_err(Answer::Untrusted)?;
        let old_size = request.old_size();
        if old_size > checkpoint.size {
            return Err(Answer::BadRequest(format!(
                "the old size {old_size} is larger than that of the checkpoint, {}",
                checkpoint.size
            )));
        }

        // From here on nobody else changes what is stored: a check outside of the lock would be out of date when it counts.
        let mut seen = self.seen();
        let _locked = self.lock()?;
        let stored = self.read_state(origin, keys, &mut seen)?;
        let (stored_size, stored_root) =
            stored.map_or((0, crate::merkle::empty_root()), |stored| (stored.size, stored.root));
        if old_size != stored_size {
            return Err(Answer::Conflict(stored_size));
        }
        if checkpoint.size == stored_size && stored_size > 0 && checkpoint.root != stored_root {
            return Err(Answer::Fork { size: stored_size });
        }
        let proven = request.proof.verify(&stored_root, &checkpoint.root);
        proven.map_err(Answer::Unproven)?;
        self.store(&checkpoint)?;
        seen.insert(origin.to_owned(), (checkpoint.size, checkpoint.root));
        let line = cosign(self.signer.as_ref(), &self.key, &raw, now_s()).map_err(WitnessError::from)?;
        Ok(Answer::Cosigned(line))
    }

    /// What is stored of a log; `None` if it was never cosigned.
    fn read_state(
        &self,
        origin: &str,
        keys: &TrustedKeys,
        seen: &mut BTreeMap<String, (u64, Digest)>,
    ) -> Result<Option<Checkpoint>, WitnessError> {
        let path = state_path(origin);
        let stored = match self.files.read(&path, MAX_CHECKPOINT_BYTES) {
            Ok(note) => Some(
                open_checkpoint(&note, origin, keys).map_err(|source| WitnessError::State {
                    origin: origin.to_owned(),
                    path,
                    source,
                })?,
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => {
                return Err(WitnessError::Io {
                    doing: "read",
                    path,
                    source,
                });
            }
        };
        let found = stored
            .as_ref()
            .map_or((0, crate::merkle::empty_root()), |stored| (stored.size, stored.root));
        if let Some(before) = seen.get(origin)
            && (found.0 < before.0 || (found.0 == before.0 && found.1 != before.1))
        {
            return Err(WitnessError::RolledBack {
                origin: origin.to_owned(),
                found: found.0,
                seen: before.0,
            });
        }
        seen.insert(origin.to_owned(), found);
        Ok(stored)
    }

    /// Replaces what is stored of a log. Durable when it returns.
    fn store(&self, checkpoint: &Checkpoint) -> Result<(), WitnessError> {
        let path = state_path(&checkpoint.origin);
        match self.files.remove(NEW) {
            // Left by a process that died right here.
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(WitnessError::Io {
                    doing: "remove",
                    path: NEW.to_owned(),
                    source,
                });
            }
            _ => {}
        }
        self.files
            .create(NEW, checkpoint.note.as_bytes(), STATE_MODE)
            .and_then(|()| self.files.rename(NEW, &path))
            .and_then(|()| self.files.sync_dir(""))
            .map_err(|source| WitnessError::Io {
                doing: "write",
                path,
                source,
            })
    }

    /// Takes the lock, which the operating system releases when its holder dies.
    fn lock(&self) -> Result<File, WitnessError> {
        let failed = |source| WitnessError::Io {
            doing: "lock",
            path: LOCK.to_owned(),
            source,
        };
        let start = Instant::now();
        loop {
            let file = self.files.open_lock(LOCK).map_err(failed)?;
            match file.try_lock() {
                // A lock on a file that was replaced meanwhile protects nothing.
                Ok(()) if self.files.is_same_file(LOCK, &file).map_err(failed)? => return Ok(file),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            let waited = start.elapsed();
            if waited >= self.lock_timeout {
                return Err(WitnessError::LockTimeout {
                    waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
                });
            }
            std::thread::sleep(Duration::from_micros(500 + u64::from(waited.subsec_nanos()) % 1_500));
        }
    }

    /// A panic elsewhere cannot leave it half-changed: each value is replaced whole.
    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, (u64, Digest)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness")
            .field("key", &self.key.to_string())
            .field("logs", &self.logs.keys())
            .finish_non_exhaustive()
    }
}

/// Where the state of a log lies: origins may have any letters, so their digest names the file.
fn state_path(origin: &str) -> String {
    format!("{}.checkpoint", Digest::of(origin.as_bytes()))
}
