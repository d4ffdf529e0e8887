//! The tip: how far the journal goes, as this process last read it. Step J2 of [`crate::log`].
//!
//! **In**: the journal, and the published snapshot to hold it against. **Out**: the edge on which the next record is sealed,
//! and the frames that are not published yet. **Trusted**: nothing in the journal; its newest checkpoint is verified and its
//! root compared with the entries, which every frame's record must match. **Can fail**: [`AuditError::Tampered`], and reading.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::recovery::{Recovered, keep_torn};
use super::{Locked, Log, State};
use crate::digest::Digest;
use crate::edge::Edge;
use crate::entry::Entry;
use crate::error::AuditError;
use crate::files::FileLayer;
use crate::journal::{self, Found, Frame, Header, Place};
use crate::layout;
use crate::note::{Checkpoint, open_checkpoint};
use crate::snapshot::Snapshot;

/// What this process knows of the journal.
pub(super) struct Tip {
    pub(super) file: Arc<File>,
    pub(super) header: Header,
    /// The bytes of both headers.
    pub(super) headers: Vec<u8>,
    /// Entries at the base of the generation: everything before is durable in files of its own.
    pub(super) base: u64,
    /// The checkpoint of the newest frame, or of the base.
    pub(super) checkpoint: Checkpoint,
    /// The edge of the tree with the newest frame.
    pub(super) edge: Edge,
    /// Where the next frame stands.
    pub(super) place: Place,
    /// The frames that are not published, oldest first, without a gap up to the tip.
    pub(super) pending: VecDeque<Pending>,
}

/// A frame that is not published as far as this process knows.
pub(super) struct Pending {
    pub(super) index: u64,
    pub(super) entry: Entry,
    /// Root of the tree with it.
    pub(super) root: Digest,
    /// Its checkpoint, if this process made it.
    pub(super) own: Option<Checkpoint>,
    /// Where it stands in the journal.
    pub(super) place: Place,
}

impl Tip {
    /// What stands behind the newest frame.
    pub(super) fn next_frame(&self, files: &dyn FileLayer) -> io::Result<Found> {
        journal::read_frame(files, &self.file, self.place)
    }

    /// Takes one frame in, without looking at its checkpoint.
    fn push(&mut self, frame: &Frame, after: Place) -> Result<(), AuditError> {
        let index = self.edge.size();
        let (entry, _) = frame.join(&mut self.edge).map_err(wrong)?;
        let place = std::mem::replace(&mut self.place, after);
        self.pending.push_back(Pending {
            index,
            entry,
            root: self.edge.root(),
            own: None,
            place,
        });
        Ok(())
    }

    /// The edge of the published log after it grew from `edge` to `size`; `None` when that is not to be told from here.
    pub(super) fn grown(&self, edge: &Edge, size: u64) -> Option<Edge> {
        let mut grown = edge.clone();
        for frame in self.pending.iter().filter(|frame| frame.index < size) {
            if frame.index != grown.size() {
                return None;
            }
            grown.push(&frame.entry.to_text())?;
        }
        (grown.size() == size).then_some(grown)
    }

    /// Root of the tree of this size, if its last entry is of a frame that is not published as far as this process knows.
    fn root_at(&self, size: u64) -> Option<Digest> {
        let first = self.pending.front()?.index;
        let at = size.checked_sub(1)?.checked_sub(first)?;
        let frame = self.pending.get(usize::try_from(at).ok()?)?;
        (frame.index + 1 == size).then_some(frame.root)
    }

    /// Forgets frames that are published.
    pub(super) fn forget(&mut self, published: u64) {
        while self.pending.front().is_some_and(|frame| frame.index < published) {
            self.pending.pop_front();
        }
    }
}

impl Log {
    /// J2, and the published log as its checkpoint now is.
    pub(super) fn catch_up(&self, state: &mut State, locked: &Locked) -> Result<(Arc<Snapshot>, Tip), AuditError> {
        let (_, mut tip) = self.follow(state, locked)?;
        let published = self.current_with(state, Some(&mut tip))?;
        Ok((published, tip))
    }

    /// J2: reads what others appended since this process last looked. The published log must be a beginning of the
    /// journal's. The checkpoint is the published one. The tip is the caller's until it is put back; without one, everything is
    /// read afresh.
    pub(super) fn follow(&self, state: &mut State, locked: &Locked) -> Result<(Checkpoint, Tip), AuditError> {
        let published = self.published_now(state)?;
        let mut tip = match self.still_valid(state.tip.take())? {
            Ok(tip) => tip,
            Err(left) => {
                let known = self.current_at(state, None, published.clone())?;
                // The file stays open: what the operating system owes it is told to nobody who opens it now.
                let file = state.journal.take();
                self.load_tip(&published, left.into_iter().chain([known.edge.clone()]), file)?
            }
        };
        state.journal = Some(Arc::clone(&tip.file));
        self.read_on(&mut tip, &published, &mut state.recovered, locked)?;
        let root = tip.root_at(published.size);
        if tip.edge.size() < published.size {
            // Somebody without a journal appended, an earlier build for example, or the journal was damaged.
            let known = self.current_at(state, None, published.clone())?;
            self.trim(&known, &mut tip, locked)?;
        } else if let Some(root) = root {
            if root != published.root {
                return Err(contradicts(&published));
            }
        } else {
            // It says no more than this process knew already, or else that is seen here.
            self.current_at(state, Some(&mut tip), published.clone())?;
        }
        Ok((published, tip))
    }

    /// The tip, if the journal is still the same file in the same generation; else what is left to begin with.
    fn still_valid(&self, known: Option<Tip>) -> Result<Result<Tip, Option<Edge>>, AuditError> {
        let Some(tip) = known else { return Ok(Err(None)) };
        let files = self.files.as_ref();
        let failed = |error| AuditError::io("read", layout::JOURNAL, error);
        let same_file = files.is_same_file(layout::JOURNAL, &tip.file).map_err(failed)?;
        let same = same_file && journal::read_headers(files, &tip.file).map_err(failed)? == tip.headers;
        Ok(if same { Ok(tip) } else { Err(Some(tip.edge)) })
    }

    /// The journal from its base on, none of its frames read yet. `held` are edges of which one may be that of the base, `open`
    /// is a journal that is open.
    pub(super) fn load_tip(
        &self,
        published: &Checkpoint,
        held: impl IntoIterator<Item = Edge>,
        open: Option<Arc<File>>,
    ) -> Result<Tip, AuditError> {
        let (file, header, headers) = self.open_journal(open)?;
        let base = self.open_base(&header)?;
        if published.size < base.size {
            return Err(rolled_back(published.size, base.size));
        }
        let edge = held
            .into_iter()
            .find(|edge| edge.size() == base.size && edge.root() == base.root);
        let edge = match edge {
            Some(edge) => edge,
            None => Snapshot::load(self.files.as_ref(), base.clone())?.edge,
        };
        Ok(Tip {
            file,
            base: base.size,
            checkpoint: base,
            edge,
            place: header.first(),
            header,
            headers,
            pending: VecDeque::new(),
        })
    }

    /// The journal, newly opened unless it is the one that is open, with its newest header and the bytes of both.
    pub(super) fn open_journal(&self, open: Option<Arc<File>>) -> Result<(Arc<File>, Header, Vec<u8>), AuditError> {
        let files = self.files.as_ref();
        let failed = |error| AuditError::io("open", layout::JOURNAL, error);
        let open = open.filter(|open| files.is_same_file(layout::JOURNAL, open).is_ok_and(|same| same));
        let file = match open.map_or_else(|| files.open_existing(layout::JOURNAL).map(Arc::new), Ok) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(wrong("the file is missing".to_owned()));
            }
            other => other.map_err(failed)?,
        };
        let headers = journal::read_headers(files, &file).map_err(failed)?;
        let header = Header::newest(&headers).ok_or_else(|| wrong("neither of its headers is whole".to_owned()))?;
        Ok((file, header, headers))
    }

    /// The checkpoint at which a generation begins, verified.
    pub(super) fn open_base(&self, header: &Header) -> Result<Checkpoint, AuditError> {
        open_checkpoint(header.base.as_bytes(), &self.origin, &self.trusted)
            .map_err(|error| wrong(format!("the checkpoint in its header does not verify: {error}")))
    }

    /// Reads frames to the end of the journal.
    pub(super) fn read_on(
        &self,
        tip: &mut Tip,
        published: &Checkpoint,
        recovered: &mut Vec<Recovered>,
        _locked: &Locked,
    ) -> Result<(), AuditError> {
        let files = self.files.as_ref();
        let failed = |error| AuditError::io("read", layout::JOURNAL, error);
        let mut newest = None;
        loop {
            if tip.edge.size() == published.size && tip.edge.root() != published.root {
                return Err(contradicts(published));
            }
            match tip.next_frame(files).map_err(failed)? {
                Found::Frame(frame, after) => {
                    tip.push(&frame, after)?;
                    newest = Some(frame.note);
                }
                Found::Torn(torn) => {
                    // An entry that the checkpoint states was whole once: its files are there, and the journal starts anew.
                    if tip.edge.size() >= published.size {
                        recovered.push(keep_torn(files, tip.edge.size(), &torn)?);
                    }
                    let erased = journal::erase(files, &tip.file, tip.place);
                    erased.map_err(|error| AuditError::io("write", layout::JOURNAL, error))?;
                    break;
                }
                Found::End => break,
            }
        }
        if let Some(note) = newest {
            let checkpoint = self
                .open_note(note.as_bytes())
                .map_err(|error| wrong(format!("its newest checkpoint does not verify: {error}")))?;
            if checkpoint.size != tip.edge.size() || checkpoint.root != tip.edge.root() {
                return Err(wrong("its newest checkpoint is not that of its entries".to_owned()));
            }
            tip.checkpoint = checkpoint;
        }
        Ok(())
    }
}

/// A journal that cannot be what this log wrote.
pub(super) fn wrong(what: String) -> AuditError {
    AuditError::Tampered {
        path: layout::JOURNAL.to_owned(),
        what,
    }
}

/// A journal that is not that of a published checkpoint.
pub(super) fn contradicts(published: &Checkpoint) -> AuditError {
    wrong(format!("it contradicts the checkpoint with {} entries", published.size))
}

/// A checkpoint older than one that was seen.
pub(super) fn rolled_back(found: u64, known: u64) -> AuditError {
    AuditError::Tampered {
        path: layout::CHECKPOINT.to_owned(),
        what: format!(
            "the checkpoint states {found} entries, and there was another one with {known}: the log was rolled back"
        ),
    }
}

#[cfg(test)]
mod tests;
