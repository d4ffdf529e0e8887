//! Proofs from the tiles of a log at one checkpoint.
//!
//! **In**: a [`Snapshot`] and sizes. **Out**: proofs that verify against its signed root. **Trusted**: that root. **Can fail**:
//! [`AuditError`]: a proof that the tiles give is checked before anybody gets it.

use std::time::Duration;

use super::{Snapshot, TileCache, Tiles, read_checkpoint, without_checkpoint};
use crate::digest::Digest;
use crate::error::AuditError;
use crate::files::FileLayer;
use crate::keys::TrustedKeys;
use crate::layout;
use crate::merkle::root;
use crate::note::Checkpoint;
use crate::proof::{ConsistencyProof, InclusionProof};

/// A proof with the root of the earlier tree, which follows from the tiles.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) proof: ConsistencyProof,
    pub(crate) old_root: Digest,
}

/// How often the edge of a growing log is read again.
const ATTEMPTS: u32 = 50;

impl Snapshot {
    /// The log at its newest checkpoint, for who has no [`crate::Log`] and so no lock: read again when an append came between.
    pub(crate) fn newest(files: &dyn FileLayer, keys: &TrustedKeys, origin: &str) -> Result<Self, AuditError> {
        let mut attempt = 0;
        loop {
            let Some(checkpoint) = read_checkpoint(files, origin, keys)? else {
                return Err(without_checkpoint(files)?);
            };
            let loaded = Self::load(files, checkpoint.clone());
            if loaded.is_ok()
                || attempt == ATTEMPTS
                || read_checkpoint(files, origin, keys)?.as_ref() == Some(&checkpoint)
            {
                return loaded;
            }
            attempt += 1;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// That the leaf stands at `index` of the tree that `checkpoint` states: this snapshot's, or an earlier one of this log.
    pub(crate) fn inclusion(
        &self,
        files: &dyn FileLayer,
        leaf_hash: &Digest,
        index: u64,
        checkpoint: &Checkpoint,
    ) -> Result<InclusionProof, AuditError> {
        self.reaches(checkpoint.size)?;
        let mut cache = TileCache::default();
        let proof = InclusionProof::from_tiles(&mut self.tiles(files, &mut cache), index, checkpoint.size)?;
        let checked = proof.verify(leaf_hash, &checkpoint.root);
        checked.map_err(|error| tampered(&error.to_string()))?;
        Ok(proof)
    }

    /// That the tree of the first `old_size` leaves is the beginning of this snapshot's, and which root that tree has.
    pub(crate) fn grown_from(&self, files: &dyn FileLayer, old_size: u64) -> Result<Grown, AuditError> {
        self.grown(files, old_size, &self.checkpoint)
    }

    /// The same for the tree that `checkpoint` states: this snapshot's, or an earlier one of this log.
    pub(crate) fn grown(
        &self,
        files: &dyn FileLayer,
        old_size: u64,
        checkpoint: &Checkpoint,
    ) -> Result<Grown, AuditError> {
        self.reaches(checkpoint.size)?;
        if old_size > checkpoint.size {
            return Err(AuditError::Beyond {
                asked: old_size,
                size: checkpoint.size,
            });
        }
        let mut cache = TileCache::default();
        let mut tiles = self.tiles(files, &mut cache);
        let proof = ConsistencyProof::from_tiles(&mut tiles, old_size, checkpoint.size)?;
        let old_root = root(&mut tiles, old_size)?;
        let checked = proof.verify(&old_root, &checkpoint.root);
        checked.map_err(|error| tampered(&error.to_string()))?;
        Ok(Grown { proof, old_root })
    }

    /// Tiles of a larger tree have all hashes of a smaller one, and those of a smaller one lack some.
    fn reaches(&self, size: u64) -> Result<(), AuditError> {
        if size > self.checkpoint.size {
            return Err(AuditError::Beyond {
                asked: size,
                size: self.checkpoint.size,
            });
        }
        Ok(())
    }

    fn tiles<'a>(&'a self, files: &'a dyn FileLayer, cache: &'a mut TileCache) -> Tiles<'a> {
        Tiles {
            files,
            edge: &self.edge,
            cache,
        }
    }
}

fn tampered(what: &str) -> AuditError {
    AuditError::Tampered {
        path: layout::TILES.to_owned(),
        what: format!("the hash tiles do not lead to the signed root: {what}"),
    }
}
