//! Publishing: what is durable in the journal becomes records, tiles and the checkpoint. Step J5 of [`crate::log`].
//!
//! **In**: the published snapshot and the frames behind it. **Out**: their files, which are not durable by themselves yet, and
//! last the checkpoint that states them. **Trusted**: nothing; a frame's record must match its entry. **Can fail**:
//! [`AuditError`], with the checkpoint as it was.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::lock::Access;
use super::tip::{Tip, wrong};
use super::{Locked, Log};
use crate::digest::Digest;
use crate::edge::{TreeFile, edge_paths};
use crate::error::AuditError;
use crate::files::{FileLayer, SECTOR_BYTES};
use crate::journal::{self, Found};
use crate::layout::{self, RECORD_MODE, TREE_MODE};
use crate::merkle::{TILE_WIDTH, TileId};
use crate::note::Checkpoint;
use crate::snapshot::{MAX_RECORD_BYTES, Snapshot};

/// What to do with a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Present {
    /// Leave it if it holds the right bytes.
    Compare,
    /// Write it anew whatever it holds: that it can be read does not say that it is on the disk.
    Replace,
}

impl Log {
    /// Publishes the log up to `size` unless somebody did meanwhile.
    pub(super) fn publish_written(&self, size: u64) -> Result<(), AuditError> {
        let mut state = self.state();
        let locked = self.lock(&mut state, Access::Alone)?;
        let published = self.current(&mut state)?;
        if published.checkpoint.size >= size {
            return Ok(());
        }
        let mut tip = match state.tip.take() {
            Some(tip) if tip.pending.back().is_some_and(|frame| frame.index >= size - 1) => tip,
            tip => {
                state.tip = tip;
                self.catch_up(&mut state, &locked)?.1
            }
        };
        // Others of this process may wait for the lock with the same: one of them does it for all.
        let durable = self.durable.load(Ordering::Acquire).min(tip.edge.size()).max(size);
        let result = self.publish(&published, &mut tip, durable, &locked);
        state.tip = Some(tip);
        state.snapshot = Some(result?);
        Ok(())
    }

    /// J5: writes what the frames hold up to `size`, all of which must be durable in the journal.
    pub(super) fn publish(
        &self,
        published: &Snapshot,
        tip: &mut Tip,
        size: u64,
        locked: &Locked,
    ) -> Result<Arc<Snapshot>, AuditError> {
        self.publish_as(published, tip, size, Present::Compare, locked)
    }

    pub(super) fn publish_as(
        &self,
        published: &Snapshot,
        tip: &mut Tip,
        size: u64,
        present: Present,
        _locked: &Locked,
    ) -> Result<Arc<Snapshot>, AuditError> {
        let files = self.files.as_ref();
        let mut edge = published.edge.clone();
        let mut written = Vec::new();
        let mut newest = None;
        for frame in tip.pending.iter().filter(|frame| frame.index < size) {
            let found = journal::read_frame(files, &tip.file, frame.place)
                .map_err(|error| AuditError::io("read", layout::JOURNAL, error))?;
            let Found::Frame(read, _) = found else {
                return Err(wrong(format!(
                    "its frame for entry {} is not whole any more",
                    frame.index
                )));
            };
            let leaf = frame.entry.to_text();
            if frame.index != edge.size() || leaf != read.leaf || Digest::of(&read.record) != frame.entry.digest {
                return Err(wrong(format!("its frame for entry {} was changed", frame.index)));
            }
            let path = layout::record(&frame.entry.id, frame.index);
            put(files, &path, layout::STAGED_RECORD, &read.record, RECORD_MODE, present)?;
            written.extend(edge.push(&leaf).unwrap_or_default());
            newest = Some((frame.own.clone(), read.note));
        }
        let checkpoint = match newest {
            Some((Some(own), _)) => own,
            Some((None, note)) => self
                .open_note(note.as_bytes())
                .map_err(|error| wrong(format!("a checkpoint in it does not verify: {error}")))?,
            None => return Err(wrong(format!("it does not hold the entries up to {size}"))),
        };
        if edge.size() != size || checkpoint.size != size || checkpoint.root != edge.root() {
            return Err(wrong(format!(
                "its entries up to {size} are not those of their checkpoint"
            )));
        }
        // What the checkpoint states that is there already has its file.
        let stated = match present {
            Present::Compare => edge_paths(published.checkpoint.size),
            Present::Replace => Vec::new(),
        };
        written.extend(edge.files().into_iter().filter(|file| !stated.contains(&file.path)));
        let spares = Spares::at(published.checkpoint.size);
        if !spares.are_of(size) {
            remove_spares(files, &[layout::SPARE_BUNDLE, layout::SPARE_TILE])?;
        }
        for TreeFile { path, bytes } in &written {
            match spares.of(path) {
                Some(spare) if present == Present::Compare => put_over(files, path, spare, bytes)?,
                _ => put(files, path, layout::STAGED_TILE, bytes, TREE_MODE, present)?,
            }
        }
        publish_checkpoint(files, &checkpoint)?;
        self.published.fetch_max(size, Ordering::AcqRel);

        // The edge of the base stays: recovery begins with it.
        let keep = [edge_paths(size), edge_paths(tip.base)].concat();
        for path in edge_paths(published.checkpoint.size) {
            if !keep.contains(&path) {
                match spares.of(&path) {
                    Some(spare) if spares.are_of(size) && files.rename(&path, spare).is_ok() => {}
                    _ => remove_partial(files, &path, &keep),
                }
            }
        }
        tip.forget(size);
        Ok(Arc::new(Snapshot { checkpoint, edge }))
    }
}

/// The files of the edge that a publication took out of use, for the next to write over. An append would make and remove three
/// files else, and where ext4 has no journal, the kernel looks for an inode that was not removed within the last minutes.
///
/// They are of the place in which the log ends, so what they hold is how a file that is written over them begins. Whoever reads them
/// meanwhile, and whatever a power loss leaves of them, has a beginning of that file or all of it.
struct Spares {
    bundle_folder: String,
    tile_folder: String,
    place: u64,
}

impl Spares {
    /// Those of a log of this size.
    fn at(size: u64) -> Self {
        let place = size / TILE_WIDTH;
        let folder = |path: String| layout::parent(&path).to_owned();
        Self {
            bundle_folder: folder(layout::bundle(place, 1)),
            tile_folder: folder(layout::tile(TileId { level: 0, n: place }, 1)),
            place,
        }
    }

    /// Whether a log of this size ends in the same place.
    fn are_of(&self, size: u64) -> bool {
        size / TILE_WIDTH == self.place
    }

    /// The spare of a partial tile or bundle.
    fn of(&self, path: &str) -> Option<&'static str> {
        match layout::parent(path) {
            folder if folder == self.bundle_folder => Some(layout::SPARE_BUNDLE),
            folder if folder == self.tile_folder => Some(layout::SPARE_TILE),
            _ => None,
        }
    }
}

/// Takes away what the next publication would write over.
pub(super) fn remove_spares(files: &dyn FileLayer, spares: &[&str]) -> Result<(), AuditError> {
    spares
        .iter()
        .try_for_each(|spare| remove_if_there(files, spare).map_err(|error| AuditError::io("remove", spare, error)))
}

/// The signed note is whole under another name before it becomes the checkpoint, and that name has the older one then. It is written
/// over that one if the disk takes both whole or not at all, so that a power loss leaves the one or the other.
fn publish_checkpoint(files: &dyn FileLayer, checkpoint: &Checkpoint) -> Result<(), AuditError> {
    let note = checkpoint.note.as_bytes();
    let write = || {
        let is_one_sector = note.len() <= SECTOR_BYTES;
        if !is_one_sector || !files.overwrite(layout::STAGED_CHECKPOINT, note, note.len() as u64)? {
            stage(files, layout::STAGED_CHECKPOINT, note, TREE_MODE)?;
        }
        files
            .exchange(layout::STAGED_CHECKPOINT, layout::CHECKPOINT)
            // There is none, or the file system cannot.
            .or_else(|_| files.rename(layout::STAGED_CHECKPOINT, layout::CHECKPOINT))
    };
    write().map_err(|error| AuditError::io("write", layout::CHECKPOINT, error))
}

/// [`put`] of a partial tile or bundle, over its spare if there is one.
fn put_over(files: &dyn FileLayer, path: &str, spare: &str, bytes: &[u8]) -> Result<(), AuditError> {
    let failed = |error| AuditError::io("write", path, error);
    if !files.overwrite(spare, bytes, 0).map_err(failed)? {
        return put(files, path, layout::STAGED_TILE, bytes, TREE_MODE, Present::Compare);
    }
    // What has the name is of a publication that was cut short, and no checkpoint states it.
    with_parents(files, path, || files.rename(spare, path)).map_err(failed)
}

/// Writes a file that no published checkpoint states yet, or that is to be written anew.
fn put(
    files: &dyn FileLayer,
    path: &str,
    staged: &str,
    bytes: &[u8],
    mode: u32,
    present: Present,
) -> Result<(), AuditError> {
    let put = match present {
        Present::Compare => with_parents(files, path, || files.write_new(path, bytes, mode)),
        Present::Replace => Err(io::ErrorKind::AlreadyExists.into()),
    };
    let put = match put {
        // Of a publication that was cut short; no checkpoint states it, so it may be replaced.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let right =
                present == Present::Compare && files.read(path, MAX_RECORD_BYTES).is_ok_and(|there| there == bytes);
            if right {
                Ok(())
            } else {
                replace(files, path, staged, bytes, mode)
            }
        }
        Err(error) => {
            let _next_time_it_is_replaced = files.remove(path);
            Err(error)
        }
        Ok(()) => Ok(()),
    };
    put.map_err(|error| AuditError::io("write", path, error))
}

/// Writes a file under another name and puts it in the place of what is there.
fn replace(files: &dyn FileLayer, path: &str, staged: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    stage(files, staged, bytes, mode)?;
    with_parents(files, path, || files.replace(staged, path))
}

/// Writes a new file under a name in `staging/`, which may be taken by one of a process that died, or that could not be written over.
fn stage(files: &dyn FileLayer, staged: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    match files.write_new(staged, bytes, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            files.remove(staged)?;
            files.write_new(staged, bytes, mode)
        }
        other => other,
    }
}

/// Gives a file the name `path`, and makes the folders above it if they are missing.
fn with_parents(files: &dyn FileLayer, path: &str, give: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match give() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            layout::parents(path).try_for_each(|folder| files.make_dir(folder).map(|_| ()))?;
            give()
        }
        other => other,
    }
}

/// Removes a partial tile or bundle that a wider one stands for, and its folder with the last one. It harms nobody, so what
/// cannot be removed stays; the next trim looks again.
pub(super) fn remove_partial(files: &dyn FileLayer, path: &str, kept: &[String]) {
    let _harmless = files.remove(path);
    let folder = layout::parent(path);
    if !kept.iter().any(|other| layout::parent(other) == folder) {
        let _not_empty = files.remove_dir(folder);
    }
}

pub(super) fn remove_if_there(files: &dyn FileLayer, path: &str) -> io::Result<()> {
    match files.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
