//! Recovery: what a dead process left half-done is undone, and no record is deleted. Steps R1 to R3 of [`crate::log`].

use std::io;

use serde::Serialize;

use super::Locked;
use crate::dsse::Envelope;
use crate::error::AuditError;
use crate::files::FileLayer;
use crate::layout;
use crate::merkle::{TILE_WIDTH, TileId, partial_tiles};
use crate::snapshot::{MAX_RECORD_BYTES, Snapshot};

/// A record whose append never finished, now in `unacknowledged/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// The id it was to have.
    pub id: String,
    /// The index it was to have; another record has it now, or will.
    pub index: u64,
    /// Its file, relative to the folder of the log.
    pub file: String,
    /// Whether the file was written to its end.
    pub complete: bool,
}

/// Undoes what is left in `staging/`. Nothing is there after an append that ended, so this is one look into a folder.
pub(super) fn recover(
    files: &dyn FileLayer,
    snapshot: &Snapshot,
    _locked: &Locked,
) -> Result<Vec<Recovered>, AuditError> {
    let listed = files
        .list(layout::STAGING)
        .map_err(|error| AuditError::io("list", layout::STAGING, error))?;
    let mut recovered = Vec::new();
    for file in &listed {
        let staged = format!("{}/{}", layout::STAGING, file.name);
        let undone = match layout::parse_record_name(&file.name) {
            Some((id, index)) if !snapshot.has(files, id, index)? => {
                move_aside(files, &staged, id, index).map(|moved| recovered.push(moved))
            }
            // A8 was cut short.
            Some(_) => files.remove(&staged),
            None if staged == layout::STAGED_TILE || staged == layout::STAGED_CHECKPOINT => files.remove(&staged),
            // Not ours: `verify` mentions it.
            None => Ok(()),
        };
        undone.map_err(|error| AuditError::io("recover", &staged, error))?;
    }
    if !listed.is_empty() {
        remove_narrower(files, snapshot.checkpoint.size);
    }
    Ok(recovered)
}

/// R1 to R3.
fn move_aside(files: &dyn FileLayer, staged: &str, id: &str, index: u64) -> io::Result<Recovered> {
    let bytes = files.read(staged, MAX_RECORD_BYTES)?;
    let file = link_aside(files, staged, &bytes, &layout::record_name(id, index))?;
    files.sync_dir(layout::UNACKNOWLEDGED)?;

    let record = layout::record(id, index);
    match files.remove(&record) {
        Ok(()) => files.sync_dir(layout::parent(&record))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }

    files.remove(staged)?;
    let complete = Envelope::parse(&bytes).is_ok();
    Ok(Recovered {
        id: id.to_owned(),
        index,
        file,
        complete,
    })
}

/// Links a staged record into `unacknowledged/` under a name that is free, or that an earlier attempt gave it.
fn link_aside(files: &dyn FileLayer, staged: &str, bytes: &[u8], name: &str) -> io::Result<String> {
    files.make_dir(layout::UNACKNOWLEDGED)?;
    let mut attempt = 1u32;
    loop {
        let suffix = if attempt == 1 {
            String::new()
        } else {
            format!(".{attempt}")
        };
        let file = format!("{}/{name}{suffix}", layout::UNACKNOWLEDGED);
        match files.link(staged, &file) {
            Ok(()) => return Ok(file),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if files.read(&file, MAX_RECORD_BYTES).is_ok_and(|there| there == bytes) => return Ok(file),
            Err(error) => attempt = attempt.checked_add(1).ok_or(error)?,
        }
    }
}

/// Partial tiles and bundles of other widths than the checkpoint's: superfluous since A7, or of an append that was undone.
/// They harm nobody, so what cannot be removed stays.
fn remove_narrower(files: &dyn FileLayer, size: u64) {
    let mut keep: Vec<String> = partial_tiles(size).map(|id| layout::tile(id, id.width(size))).collect();
    let (n, width) = (size / TILE_WIDTH, size % TILE_WIDTH);
    keep.push(layout::bundle(n, width));
    let before = n.checked_sub(1);
    let bundles = before.into_iter().chain([n]).map(|n| layout::bundle(n, 1));
    let tiles = before
        .into_iter()
        .chain([n])
        .map(|n| layout::tile(TileId { level: 0, n }, 1));
    let higher = partial_tiles(size).map(|id| layout::tile(id, 1));
    for first in bundles.chain(tiles).chain(higher) {
        let folder = layout::parent(&first);
        for file in files.list(folder).unwrap_or_default() {
            let path = format!("{folder}/{}", file.name);
            if !keep.contains(&path) {
                let _harmless = files.remove(&path);
            }
        }
        let _not_empty = files.remove_dir(folder);
    }
}
