//! Recovery: what a start does with what the processes before it left. Steps R1 to R4 of [`crate::log`].
//!
//! **In**: a folder in any state that the protocol can leave. **Out**: a log that is published as far as its journal goes, and
//! the records of appends that never finished, which are kept. **Trusted**: nothing that is not verified. **Can fail**:
//! [`AuditError`]; each step can be cut short anywhere, and the next start begins again.

use std::io;
use std::sync::Arc;

use serde::Serialize;

use super::publish::{Present, remove_if_there, remove_partial, remove_spares};
use super::tip::{Tip, rolled_back};
use super::trim::block_of;
use super::{Locked, Log, State};
use crate::dsse::Envelope;
use crate::edge::edge_paths;
use crate::error::AuditError;
use crate::files::{FileLayer, Listed};
use crate::journal::{self, Found, Torn, is_suspect};
use crate::layout;
use crate::merkle::{MAX_TILE_LEVEL, TILE_WIDTH, TileId, nodes_at};
use crate::note::{Checkpoint, NoteError};
use crate::snapshot::{MAX_RECORD_BYTES, Snapshot, read_checkpoint, without_checkpoint};

/// Mode of what is kept of a torn frame.
const KEPT_MODE: u32 = 0o444;

/// A record whose append never finished, now in `unacknowledged/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// The id it was to have; empty when even that was cut off.
    pub id: String,
    /// The index it was to have; another record has it now, or will.
    pub index: u64,
    /// Its file, relative to the folder of the log.
    pub file: String,
    /// Whether the file was written to its end.
    pub complete: bool,
}

impl Log {
    /// R1 to R4.
    pub(super) fn recover(&self, state: &mut State, locked: &Locked) -> Result<(), AuditError> {
        let files = self.files.as_ref();
        match files.stat(layout::JOURNAL) {
            // A log of a build that had none, which made each file durable by itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let published = self.current(state)?;
                self.clear_staging(state, &published, locked)?;
                let checkpoint = &published.checkpoint;
                // It wrote the tiles before the checkpoint. A publication that goes further at once would leave them beside its
                // own, and they may have an entry that was never recorded.
                let size = checkpoint.size;
                remove_superfluous(files, size, size.saturating_add(1), &[size]);
                self.make_journal(checkpoint.size, &checkpoint.root, locked)?;
            }
            _ => {}
        }
        let (_, header, _) = self.open_journal(None)?;
        if is_suspect(files, &header) {
            self.restore(state, locked)?;
        }
        // R3
        let (published, mut tip) = self.catch_up(state, locked)?;
        let mut now = Arc::clone(&published);
        let (size, stated) = (tip.edge.size(), published.checkpoint.size);
        // What is published was made durable by somebody, and with it the header; what is not may be lost though it can be
        // read, after a failed sync that only a process that has ended was told of.
        if size > stated || stated == tip.base {
            self.adopt(&tip)?;
        }
        if size > stated {
            now = self.publish(&published, &mut tip, size, locked)?;
            state.snapshot = Some(Arc::clone(&now));
        }
        // R4
        if self.clear_staging(state, &now, locked)? {
            let size = now.checkpoint.size;
            remove_superfluous(files, tip.base, size, &[tip.base, size]);
        }
        state.tip = Some(tip);
        Ok(())
    }

    /// R2: after the machine lost its memory, or a file could not be made durable, everything that the journal covers is
    /// written anew. What stands in the files is not asked, except for a checkpoint that the journal does not know.
    fn restore(&self, state: &mut State, locked: &Locked) -> Result<(), AuditError> {
        let files = self.files.as_ref();
        // What the disk has of them is not known.
        remove_spares(files, &layout::SPARES)?;
        let (_, header, _) = self.open_journal(None)?;
        let base = self.open_base(&header)?;
        let published = match self.published() {
            Ok(published) => published,
            // A power loss leaves the name of a file without its bytes.
            Err(AuditError::Checkpoint(NoteError::Malformed { .. })) => base.clone(),
            Err(error) => return Err(error),
        };
        if published.size < base.size {
            return Err(rolled_back(published.size, base.size));
        }
        let from = Snapshot::load(files, base.clone())?;
        let mut tip = self.load_tip(&base, [from.edge.clone()], None)?;
        self.read_on(&mut tip, &published, &mut state.recovered, locked)?;
        self.adopt(&tip)?;
        let size = tip.edge.size();
        let now = if size > base.size && size >= published.size {
            self.publish_as(&Arc::new(from), &mut tip, size, Present::Replace, locked)?
        } else {
            // No frame: nothing was written. Or what the journal does not hold was written by a build that had none.
            self.current(state)?
        };
        state.snapshot = Some(Arc::clone(&now));
        self.start_anew(&now, &mut tip, locked)?;
        remove_if_there(files, layout::SUSPECT).map_err(|error| AuditError::io("remove", layout::SUSPECT, error))
    }

    /// The checkpoint as it stands in its file, verified; its tiles may not be there.
    fn published(&self) -> Result<Checkpoint, AuditError> {
        match read_checkpoint(self.files.as_ref(), &self.origin, &self.trusted)? {
            Some(checkpoint) => Ok(checkpoint),
            None => Err(without_checkpoint(self.files.as_ref())?),
        }
    }

    /// Makes the header and the frames that are not published durable, whoever wrote them. They are written once more,
    /// because the operating system may hold them for clean after it failed to write them; a frame of a process that lives
    /// stays what it is.
    fn adopt(&self, tip: &Tip) -> Result<(), AuditError> {
        let files = self.files.as_ref();
        let failed = |error| AuditError::io("write", layout::JOURNAL, error);
        let block = block_of(&tip.header)?;
        files.write_at(&tip.file, tip.header.offset(), &block).map_err(failed)?;
        for frame in &tip.pending {
            if let Found::Frame(read, _) = journal::read_frame(files, &tip.file, frame.place).map_err(failed)? {
                journal::write_frame(files, &tip.file, frame.place, &read).map_err(failed)?;
            }
        }
        self.make_durable(&tip.file, tip.edge.size())
    }

    /// Clears away what publications and appends of builds without a journal left in `staging/`; says whether anything was there.
    fn clear_staging(
        &self,
        state: &mut State,
        published: &Arc<Snapshot>,
        _locked: &Locked,
    ) -> Result<bool, AuditError> {
        let files = self.files.as_ref();
        let mut listed = files
            .list(layout::STAGING)
            .map_err(|error| AuditError::io("list", layout::STAGING, error))?;
        let is_spare = |file: &Listed| layout::SPARES.iter().any(|spare| layout::name(spare) == file.name);
        listed.retain(|file| !is_spare(file));
        for file in &listed {
            let staged = format!("{}/{}", layout::STAGING, file.name);
            let cleared = match layout::parse_record_name(&file.name) {
                // An earlier build staged each record; the checkpoint does not state this one.
                Some((id, index)) if !published.has(files, id, index)? => {
                    move_aside(files, &staged, id, index).map(|moved| state.recovered.push(moved))
                }
                Some(_) => files.remove(&staged),
                None if layout::STAGED.contains(&staged.as_str()) => files.remove(&staged),
                // Not ours: `verify` mentions it.
                None => Ok(()),
            };
            cleared.map_err(|error| AuditError::io("recover", &staged, error))?;
        }
        Ok(!listed.is_empty())
    }
}

/// R1: keeps what is left of a frame that was not written to its end.
pub(super) fn keep_torn(files: &dyn FileLayer, index: u64, torn: &Torn) -> Result<Recovered, AuditError> {
    let id = torn.entry.as_ref().map_or("", |entry| entry.id.as_str());
    let name = if id.is_empty() {
        format!("frame.{index}")
    } else {
        layout::record_name(id, index)
    };
    let kept = keep(files, &name, &torn.record, |file| {
        files.create(file, &torn.record, KEPT_MODE)
    });
    let file = kept.map_err(|error| AuditError::io("write", layout::UNACKNOWLEDGED, error))?;
    Ok(Recovered {
        id: id.to_owned(),
        index,
        file,
        complete: Envelope::parse(&torn.record).is_ok(),
    })
}

/// Moves a record that an earlier build staged. Steps that can be cut short: it is linked, durably; it is removed from
/// `records/`, durably; it is removed from `staging/`.
fn move_aside(files: &dyn FileLayer, staged: &str, id: &str, index: u64) -> io::Result<Recovered> {
    let bytes = files.read(staged, MAX_RECORD_BYTES)?;
    let name = layout::record_name(id, index);
    let file = keep(files, &name, &bytes, |file| files.link(staged, file))?;

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

/// Puts bytes into `unacknowledged/`, durably, under a name that is free, or that an earlier attempt gave them.
fn keep(files: &dyn FileLayer, name: &str, bytes: &[u8], put: impl Fn(&str) -> io::Result<()>) -> io::Result<String> {
    files.make_dir(layout::UNACKNOWLEDGED)?;
    let mut attempt = 1u32;
    loop {
        let suffix = if attempt == 1 {
            String::new()
        } else {
            format!(".{attempt}")
        };
        let file = format!("{}/{name}{suffix}", layout::UNACKNOWLEDGED);
        match put(&file) {
            Ok(()) => {}
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if files.read(&file, MAX_RECORD_BYTES).is_ok_and(|there| there == bytes) => {}
            Err(error) => {
                attempt = attempt.checked_add(1).ok_or(error)?;
                continue;
            }
        }
        files.sync_dir(layout::UNACKNOWLEDGED)?;
        return Ok(file);
    }
}

/// Removes partial tiles and bundles between two sizes that neither of the sizes to `keep` needs.
pub(super) fn remove_superfluous(files: &dyn FileLayer, from: u64, to: u64, keep: &[u64]) {
    let kept: Vec<String> = keep.iter().flat_map(|size| edge_paths(*size)).collect();
    let between = |level| nodes_at(level, from) / TILE_WIDTH..=nodes_at(level, to) / TILE_WIDTH;
    let bundles = between(0).map(|n| layout::bundle(n, 1));
    let tiles = (0..=MAX_TILE_LEVEL)
        .filter(|level| nodes_at(*level, to) > 0)
        .flat_map(|level| between(level).map(move |n| layout::tile(TileId { level, n }, 1)));
    for first in bundles.chain(tiles) {
        let folder = layout::parent(&first);
        for file in files.list(folder).unwrap_or_default() {
            let path = format!("{folder}/{}", file.name);
            if !kept.contains(&path) {
                remove_partial(files, &path, &kept);
            }
        }
    }
}
