//! Proofs of a log: for one record, and that the log only grew.
//!
//! **In**: a record's id, or an earlier size. **Out**: a [`TlogProof`] or a [`ConsistencyProof`]. **Trusted**: the keys of the log.
//! **Can fail**: [`AuditError`]. Reading takes a few tiles whatever the size of the log, and holds the lock only while the
//! checkpoint is read.

use std::sync::Arc;

use cap_std::fs::Dir;

use super::{Log, is_id};
use crate::error::AuditError;
use crate::files::{DirFiles, FileLayer};
use crate::keys::TrustedKeys;
use crate::merkle::leaf_hash;
use crate::note::Checkpoint;
use crate::proof::{ConsistencyProof, TlogProof};
use crate::snapshot::{Snapshot, VerifiedRecord};

impl Log {
    /// Proves that the record of this id stands in the log, under its newest checkpoint. The record is verified first, so
    /// there is no proof about a record that was changed or taken away.
    pub fn prove(&self, id: &str) -> Result<TlogProof, AuditError> {
        self.prove_under(id, None)
    }

    /// [`Log::prove`] under an earlier checkpoint of this log, one with cosignatures for example ([`Log::cosigned`]).
    pub fn prove_at(&self, id: &str, checkpoint: &Checkpoint) -> Result<TlogProof, AuditError> {
        self.prove_under(id, Some(checkpoint))
    }

    /// [`Log::read`] and [`Log::prove_at`] at once: the record is read and verified one time for both.
    pub fn read_and_prove_at(
        &self,
        id: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(VerifiedRecord, TlogProof), AuditError> {
        self.read_and_prove(id, Some(checkpoint))
    }

    fn prove_under(&self, id: &str, checkpoint: Option<&Checkpoint>) -> Result<TlogProof, AuditError> {
        self.read_and_prove(id, checkpoint).map(|(_, proof)| proof)
    }

    fn read_and_prove(
        &self,
        id: &str,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(VerifiedRecord, TlogProof), AuditError> {
        prove_in(&self.snapshot()?, self.files.as_ref(), &self.trusted, id, checkpoint)
    }

    /// Proves that the log only grew since it had `old_size` entries: that the tree it was then is the beginning of the tree
    /// of the newest checkpoint. Verify it with the root of the earlier checkpoint: [`ConsistencyProof::verify`].
    pub fn consistency(&self, old_size: u64) -> Result<ConsistencyProof, AuditError> {
        Ok(self.snapshot()?.grown_from(self.files.as_ref(), old_size)?.proof)
    }
}

/// [`Log::prove_at`] for who has the folder and the public key, and cannot or must not write: an auditor with a copy of the
/// trail. Takes no lock, changes nothing. Without a checkpoint, the proof is under the newest one.
pub fn prove(
    dir: &Dir,
    keys: &TrustedKeys,
    origin: &str,
    id: &str,
    checkpoint: Option<&Checkpoint>,
) -> Result<TlogProof, AuditError> {
    let dir = dir.try_clone().map_err(|error| AuditError::io("open", ".", error))?;
    let files = DirFiles::new(dir);
    let snapshot = Arc::new(Snapshot::newest(&files, keys, origin)?);
    prove_in(&snapshot, &files, keys, id, checkpoint).map(|(_, proof)| proof)
}

/// A record of a snapshot, and the proof for it under the snapshot's checkpoint or an earlier one.
fn prove_in(
    snapshot: &Arc<Snapshot>,
    files: &dyn FileLayer,
    trusted: &TrustedKeys,
    id: &str,
    checkpoint: Option<&Checkpoint>,
) -> Result<(VerifiedRecord, TlogProof), AuditError> {
    if !is_id(id) {
        return Err(AuditError::BadId { id: id.to_owned() });
    }
    let record = snapshot.record(files, trusted, id)?;
    let checkpoint = checkpoint.unwrap_or(&snapshot.checkpoint);
    if record.index >= checkpoint.size {
        return Err(AuditError::NotYetIn {
            id: id.to_owned(),
            index: record.index,
            size: checkpoint.size,
        });
    }
    let leaf = leaf_hash(record.entry.to_text().as_bytes());
    let inclusion = snapshot.inclusion(files, &leaf, record.index, checkpoint)?;
    let proof = TlogProof::new(&record.entry, inclusion, checkpoint);
    Ok((record, proof))
}

#[cfg(test)]
mod tests;
