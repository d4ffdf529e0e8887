//! Cosignatures of a log's checkpoints: asked of witnesses, and kept.
//!
//! **In**: a policy, and a way to reach its witnesses. **Out**: the newest checkpoint that reached the policy, in the file
//! `cosigned`. **Trusted**: the keys of the log and the policy; not the file, which is verified whenever it is read. **Can
//! fail**: [`AuditError`]; a witness that does not answer, or not as it should, is in [`Collected::failed`].
//!
//! # Why a file of its own
//!
//! Each append replaces `checkpoint`, and witnesses are asked now and then, so a cosigned checkpoint is nearly always an
//! earlier one than the newest. The two answer different questions: what the log is now, and up to where somebody else has
//! seen it. `cosigned` is replaced whole (written beside, made durable, renamed) under the lock of the log, and only by a
//! checkpoint that reaches the policy and is not smaller. An append neither reads nor waits for it. Losing it loses no
//! record: the witnesses are asked again.

use std::io;

use super::Log;
use super::lock::Access;
use crate::cosignature::{Cosignature, verify_cosignatures};
use crate::error::AuditError;
use crate::note::{Checkpoint, MAX_CHECKPOINT_BYTES};
use crate::policy::{Policy, PolicyWitness, QuorumError, Witnessed};
use crate::vkey::WitnessKey;
use crate::witness::{Accepted, AddCheckpoint, SubmitError};

/// The newest checkpoint that reached the policy.
pub(crate) const COSIGNED: &str = "cosigned";
/// Where it is written before it is renamed.
pub(crate) const COSIGNED_NEW: &str = "cosigned.new";
/// Mode of the file: like the checkpoint, for everybody to read.
const COSIGNED_MODE: u32 = 0o644;
/// Requests to one witness in a round: one that guesses what it saw last, one that knows, and one for a witness that another
/// process asks at the same time.
const ATTEMPTS: u32 = 3;

/// What a round of asking witnesses gave.
#[derive(Debug)]
pub struct Collected {
    /// Entries that the checkpoint states.
    pub size: u64,
    /// The checkpoint with the cosignatures that came.
    pub note: String,
    /// These cosignatures, verified.
    pub cosignatures: Vec<Cosignature>,
    /// The witnesses that did not cosign, by their names in the policy, and why.
    pub failed: Vec<(String, SubmitError)>,
    /// Whether the policy is reached; then the note is in the file `cosigned`, unless the policy asks for no witness.
    pub quorum: Result<(), QuorumError>,
}

impl Log {
    /// Asks the witnesses of a policy to cosign the newest checkpoint, and keeps it in the file `cosigned` if they reach the
    /// quorum. `post` sends the body of a request to `<submission prefix>/add-checkpoint` of a witness and gives the status
    /// and the body of its answer, or why there is none. No lock is held meanwhile.
    pub fn collect_cosignatures(
        &self,
        policy: &Policy,
        mut post: impl FnMut(&PolicyWitness, &[u8]) -> Result<(u16, Vec<u8>), String>,
    ) -> Result<Collected, AuditError> {
        let checkpoint = self.checkpoint()?;
        let mut note = checkpoint.note.clone();
        let mut failed = Vec::new();
        for witness in policy.witnesses() {
            match self.ask(&checkpoint, &note, witness, &mut post)? {
                Ok(joined) => note = joined,
                Err(error) => failed.push((witness.name.clone(), error)),
            }
        }
        let keys = policy.witnesses().iter().map(|witness| &witness.key);
        let cosignatures =
            verify_cosignatures(note.as_bytes(), keys).map_err(|error| AuditError::Cosigned(error.into()))?;
        let quorum = policy.evaluate(&cosignatures);
        // A policy that asks for nobody has nothing to keep.
        if quorum.is_ok() && policy.wants_witnesses() {
            self.keep_cosigned(note.as_bytes(), policy)?;
        }
        Ok(Collected {
            size: checkpoint.size,
            note,
            cosignatures,
            failed,
            quorum,
        })
    }

    /// The request to a witness that cosigned this log at `old_size` entries before: 0 if never, or what its answer 409 says.
    /// `checkpoint` is the newest or an earlier one of this log.
    pub fn witness_request(&self, checkpoint: &Checkpoint, old_size: u64) -> Result<AddCheckpoint, AuditError> {
        let grown = self.snapshot()?.grown(self.files.as_ref(), old_size, checkpoint)?;
        Ok(AddCheckpoint::new(grown.proof, &checkpoint.note))
    }

    /// How large the log was when this witness cosigned it last, as far as the file `cosigned` knows; else 0.
    pub fn last_cosigned(&self, witness: &WitnessKey) -> Result<u64, AuditError> {
        let Some(note) = self.read_cosigned()? else {
            return Ok(0);
        };
        let checkpoint = crate::note::open_checkpoint(&note, &self.origin, &self.trusted)
            .map_err(|error| AuditError::Cosigned(error.into()))?;
        let found = verify_cosignatures(&note, [witness]).map_err(|error| AuditError::Cosigned(error.into()))?;
        Ok(if found.is_empty() { 0 } else { checkpoint.size })
    }

    /// The checkpoint in the file `cosigned`, verified; `None` if no checkpoint reached a policy yet.
    pub fn cosigned(&self, policy: &Policy) -> Result<Option<Witnessed>, AuditError> {
        let Some(note) = self.read_cosigned()? else {
            return Ok(None);
        };
        let witnessed = policy.open(&note, &self.origin, &self.trusted);
        witnessed.map(Some).map_err(AuditError::Cosigned)
    }

    /// Keeps a cosigned checkpoint of this log in the file `cosigned`, if it reaches the policy and no larger one is there.
    pub fn keep_cosigned(&self, note: &[u8], policy: &Policy) -> Result<Witnessed, AuditError> {
        let witnessed = policy
            .open(note, &self.origin, &self.trusted)
            .map_err(AuditError::Cosigned)?;
        // Signed by our key is not yet of this log: one that forked off before must not be kept as if it were.
        let checkpoint = witnessed.checkpoint();
        let grown = self.snapshot()?.grown_from(self.files.as_ref(), checkpoint.size)?;
        if grown.old_root != checkpoint.root {
            return Err(AuditError::Fork {
                size: checkpoint.size,
                computed: grown.old_root,
                stated: checkpoint.root,
            });
        }
        let mut state = self.state();
        let _locked = self.lock(&mut state, Access::Alone)?;
        // One that does not reach the policy, an earlier policy's for example, is worth less whatever its size.
        let kept = self.cosigned(policy).ok().flatten();
        if let Some(kept) = kept.filter(|kept| kept.checkpoint().size > checkpoint.size) {
            return Ok(kept);
        }
        let files = self.files.as_ref();
        match files.remove(COSIGNED_NEW) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(AuditError::io("remove", COSIGNED_NEW, error));
            }
            _ => {}
        }
        files
            .create(COSIGNED_NEW, note, COSIGNED_MODE)
            .and_then(|()| files.rename(COSIGNED_NEW, COSIGNED))
            .and_then(|()| files.sync_dir(""))
            .map_err(|error| AuditError::io("write", COSIGNED, error))?;
        Ok(witnessed)
    }

    /// One witness's turn. The outer error is ours, the inner one the witness's.
    fn ask(
        &self,
        checkpoint: &Checkpoint,
        note: &str,
        witness: &PolicyWitness,
        post: &mut impl FnMut(&PolicyWitness, &[u8]) -> Result<(u16, Vec<u8>), String>,
    ) -> Result<Result<String, SubmitError>, AuditError> {
        // A file that does not verify costs one more request, and is told when it is read for its own sake.
        let mut old_size = self.last_cosigned(&witness.key).unwrap_or(0).min(checkpoint.size);
        for _ in 0..ATTEMPTS {
            let request = self.witness_request(checkpoint, old_size)?;
            let (status, body) = match post(witness, &request.to_bytes()) {
                Ok(answer) => answer,
                Err(reason) => return Ok(Err(SubmitError::Transport { reason })),
            };
            match request.accept(note, &witness.key, status, &body) {
                Ok(Accepted::Cosigned { note, .. }) => return Ok(Ok(note)),
                Ok(Accepted::Knows { size }) if size > checkpoint.size => {
                    return Ok(Err(SubmitError::Ahead {
                        size,
                        ours: checkpoint.size,
                    }));
                }
                Ok(Accepted::Knows { size }) => old_size = size,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Err(SubmitError::Moving { attempts: ATTEMPTS }))
    }

    fn read_cosigned(&self) -> Result<Option<Vec<u8>>, AuditError> {
        match self.files.read(COSIGNED, MAX_CHECKPOINT_BYTES) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AuditError::io("read", COSIGNED, error)),
        }
    }
}

#[cfg(test)]
mod tests;
