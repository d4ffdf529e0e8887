//! Whether a trail continues an earlier checkpoint of it: what one signed note kept elsewhere is worth.
//!
//! **In**: an earlier checkpoint, and the trail. **Out**: a [`Growth`]. **Trusted**: the keys, and with them both checkpoints;
//! nothing else in the folder. **Can fail**: [`SinceError`]: the end was cut off, an older copy was put back, or the history was
//! written anew, each of which leaves a trail that verifies by itself.
//!
//! It is proven from a few hash tiles (RFC 9162, section 2.1.4), and quick whatever the size; the tests hold it to a walk over all entries.

use cap_std::fs::Dir;
use serde::Serialize;

use crate::digest::Digest;
use crate::error::AuditError;
use crate::files::DirFiles;
use crate::keys::TrustedKeys;
use crate::note::{Checkpoint, NoteError, open_checkpoint};
use crate::snapshot::Snapshot;

/// The trail continues the earlier checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// The earlier checkpoint.
    pub earlier: Checkpoint,
    /// The checkpoint of the trail.
    pub now: Checkpoint,
}

/// Why a trail does not continue an earlier checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinceError {
    /// The earlier checkpoint itself is not believed.
    #[error("the earlier checkpoint does not verify: {0}")]
    Earlier(#[from] NoteError),
    /// There are fewer entries than there were.
    #[error(
        "the trail has {now} entries and the earlier checkpoint states {earlier}: its end was cut off, or an older copy of the folder was put back"
    )]
    Cut {
        /// Entries at the earlier checkpoint.
        earlier: u64,
        /// Entries now.
        now: u64,
    },
    /// The entries of then are not the entries of now.
    #[error(
        "the first {size} entries have the root {computed} and the earlier checkpoint states {stated}: entries were changed, removed, added or reordered since, and the log was signed anew by who has the private key"
    )]
    Rewritten {
        /// Entries at the earlier checkpoint.
        size: u64,
        /// The root of as many entries now.
        computed: Digest,
        /// The root that the earlier checkpoint states.
        stated: Digest,
    },
    /// The trail does not lead to its own signed root, so nothing can be said.
    #[error(transparent)]
    Trail(#[from] AuditError),
}

/// Proves that the trail in a folder continues `earlier`, a checkpoint of it that was kept elsewhere. Says nothing about the
/// records: that is [`crate::verify()`]'s part.
pub fn verify_since(dir: &Dir, keys: &TrustedKeys, origin: &str, earlier: &[u8]) -> Result<Growth, SinceError> {
    let earlier = open_checkpoint(earlier, origin, keys)?;
    let dir = dir.try_clone().map_err(|error| AuditError::io("open", ".", error))?;
    let files = DirFiles::new(dir);
    let snapshot = Snapshot::newest(&files, keys, origin)?;
    let now = snapshot.checkpoint.clone();
    if now.size < earlier.size {
        return Err(SinceError::Cut {
            earlier: earlier.size,
            now: now.size,
        });
    }
    // The tiles give this root, and it is proven to be that of a beginning of the signed tree before it is compared.
    let grown = snapshot.grown_from(&files, earlier.size)?;
    compare(&earlier, grown.old_root)?;
    Ok(Growth { earlier, now })
}

fn compare(earlier: &Checkpoint, computed: Digest) -> Result<(), SinceError> {
    if computed == earlier.root {
        return Ok(());
    }
    Err(SinceError::Rewritten {
        size: earlier.size,
        computed,
        stated: earlier.root,
    })
}

#[cfg(test)]
mod tests;
