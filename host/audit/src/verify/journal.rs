//! The journal as an auditor sees it, who takes no lock and writes nothing.
//!
//! **In**: the file layer, the reader's keys, the changes of the log's key that its files state. **Out**: a note about entries that the next start will write to their files and about a frame that is not whole, a problem when
//! it will refuse to or the journal has less than the checkpoint states, and, after a power loss, the files as that start will write them. **Trusted**: the keys. **Can fail**:
//! never; what is wrong is in the report.
//!
//! After a process died, the files are as it left them. After a power loss, files since the last trim may be cut off, hold zeros
//! or be missing, and only these are read out of the journal: a file that says something else was changed by somebody.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use super::VerifyReport;
use crate::digest::Digest;
use crate::edge::{Edge, TreeFile};
use crate::entry::Entry;
use crate::error::AuditError;
use crate::files::{FileLayer, Listed, SECTOR_BYTES, Stat};
use crate::journal::{Found, Frame, Header, is_suspect, read_frame, read_header};
use crate::keychange::{FoundChange, KeyChain, change_in};
use crate::keys::TrustedKeys;
use crate::layout::{self, RECORD_MODE, TREE_MODE};
use crate::note::{Checkpoint, claimed_size, open_checkpoint};
use crate::snapshot::{Snapshot, read_note};

/// How often a journal that is being written is read again before it counts as wrong.
const ATTEMPTS: u32 = 10;

/// The journal, verified as the next start does it.
struct Replayed {
    header: Header,
    /// Every key of the log, as far as it follows from the reader's, the files and the frames.
    keys: TrustedKeys,
    /// Its newest checkpoint.
    tip: Checkpoint,
    /// Roots by size, from the base on.
    roots: BTreeMap<u64, Digest>,
    /// The files that its frames stand for, the checkpoint among them.
    files: BTreeMap<String, Vec<u8>>,
    /// The checkpoint of the base and of each frame.
    notes: Vec<String>,
    /// Whether something follows that was not written to its end.
    is_torn: bool,
}

/// Reads the journal. The layer that comes back shows the files as the next start will write them.
pub(super) fn look<'a>(
    files: &'a dyn FileLayer,
    trusted: &TrustedKeys,
    changes: Vec<FoundChange>,
    origin: &str,
    report: &mut VerifyReport,
) -> Option<Restored<'a>> {
    let is_absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    if files.stat(layout::JOURNAL).as_ref().err().is_some_and(is_absent) {
        let what = "the file is missing: an earlier build made none, or it was removed; the next start makes it";
        report.note(layout::JOURNAL, what);
        return None;
    }
    // Without a checkpoint, the next start refuses the log whatever is in the journal. It is read before the journal, which never has less.
    let note = read_note(files).ok()?;
    let (mut before, mut attempt) = (None, 1);
    let (replayed, stated) = loop {
        match compare(files, trusted, &changes, origin, &note) {
            Ok(found) => break found,
            // Who begins it anew meanwhile makes it look wrong, but not twice in the same way.
            Err(what) if attempt < ATTEMPTS && before.as_ref() != Some(&what) => before = Some(what),
            Err(what) => {
                report.problem(None, layout::JOURNAL, what);
                return None;
            }
        }
        attempt += 1;
    };
    let size = replayed.tip.size;
    let suspect = is_suspect(files, &replayed.header);
    if let Some(stated) = stated.filter(|stated| *stated < size) {
        let what = format!(
            "entries {stated} to {} are in the journal and not in the checkpoint: an append is under way, or the next start completes it",
            size - 1
        );
        report.note(layout::JOURNAL, what);
    }
    if replayed.is_torn {
        let what = format!(
            "its frame for entry {size} is not whole: an append is under way, or was cut short and nobody was told that it was recorded"
        );
        report.note(layout::JOURNAL, what);
    }
    if !suspect || replayed.files.is_empty() {
        return None;
    }
    report.note(
        layout::JOURNAL,
        "the machine was started anew, or this is a copy from another one: files that are missing or cut off are read from the journal, as the next start writes them",
    );
    let Replayed {
        files: mut held, notes, ..
    } = replayed;
    // Whatever whole checkpoint of the journal stands there, the newest one is what the next start publishes; another one is
    // somebody's, and it is looked at as it stands.
    if !notes.iter().any(|ours| could_be_left_of(&note, ours.as_bytes())) {
        held.remove(layout::CHECKPOINT);
    }
    Some(Restored { files, held })
}

/// The journal, and the size that the checkpoint `note` states, if the keys vouch for that.
fn compare(
    files: &dyn FileLayer,
    trusted: &TrustedKeys,
    changes: &[FoundChange],
    origin: &str,
    note: &[u8],
) -> Result<(Replayed, Option<u64>), String> {
    let replayed = replay(files, trusted, changes, origin)?;
    let Ok(stated) = open_checkpoint(note, origin, &replayed.keys) else {
        return Ok((replayed, None));
    };
    let size = replayed.tip.size;
    if replayed
        .roots
        .get(&stated.size)
        .is_some_and(|root| *root != stated.root)
    {
        return Err(format!("it contradicts the checkpoint with {} entries", stated.size));
    }
    if stated.size > size {
        return Err(format!(
            "it ends before entry {size}, and the checkpoint states {} entries: a frame or its header was changed or cut off; the log's own files \
             have these entries, and the next append begins it anew",
            stated.size
        ));
    }
    Ok((replayed, Some(stated.size)))
}

fn replay(
    files: &dyn FileLayer,
    trusted: &TrustedKeys,
    changes: &[FoundChange],
    origin: &str,
) -> Result<Replayed, String> {
    let unreadable = |error: io::Error| format!("the journal cannot be read: {error}");
    let file: File = files.open_to_read(layout::JOURNAL).map_err(unreadable)?;
    let header = read_header(files, &file).map_err(unreadable)?;
    let header = header.ok_or("neither of its headers is whole")?;
    let (frames, is_torn) = whole_frames(files, &file, &header).map_err(unreadable)?;
    let keys = keys_of(trusted, changes, &header, &frames);
    let verified = |note: &str| {
        let opened = open_checkpoint(note.as_bytes(), origin, &keys);
        opened.map_err(|error| format!("a checkpoint in it does not verify: {error}"))
    };
    let base = verified(&header.base)?;
    let mut replayed = Replayed {
        tip: base.clone(),
        roots: BTreeMap::from([(base.size, base.root)]),
        files: BTreeMap::new(),
        notes: vec![header.base.clone()],
        header,
        keys: keys.clone(),
        is_torn,
    };
    if frames.is_empty() {
        return Ok(replayed);
    }
    let mut edge = base_edge(files, &base)?;
    for frame in frames {
        replayed.take_in(frame, &mut edge)?;
    }
    let note = replayed.notes.last().ok_or("it has no checkpoint")?;
    let tip = verified(note)?;
    if tip.size != edge.size() || tip.root != edge.root() {
        return Err("its newest checkpoint is not that of its entries".to_owned());
    }
    replayed
        .files
        .insert(layout::CHECKPOINT.to_owned(), note.clone().into_bytes());
    let partial = edge.files().into_iter();
    replayed
        .files
        .extend(partial.map(|TreeFile { path, bytes }| (path, bytes)));
    replayed.tip = tip;
    Ok(replayed)
}

/// The frames of the journal, and whether a torn one follows.
fn whole_frames(files: &dyn FileLayer, file: &File, header: &Header) -> io::Result<(Vec<Frame>, bool)> {
    let (mut frames, mut place) = (Vec::new(), header.first());
    loop {
        match read_frame(files, file, place)? {
            Found::Frame(frame, after) => {
                frames.push(frame);
                place = after;
            }
            Found::Torn(_) => return Ok((frames, true)),
            Found::End => return Ok((frames, false)),
        }
    }
}

/// A rotation may be in the journal alone, and what follows it is signed by a key that no file tells of. As in the files, it
/// counts by the signatures of both keys, before the tree that it stands in is compared with any root.
fn keys_of(trusted: &TrustedKeys, changes: &[FoundChange], header: &Header, frames: &[Frame]) -> TrustedKeys {
    let start = claimed_size(header.base.as_bytes()).unwrap_or(0);
    let in_frames = frames.iter().zip(0..).filter_map(|(frame, at)| {
        let entry = Entry::parse(frame.leaf.as_bytes())?;
        change_in(&entry, start.checked_add(at)?, &frame.record)
    });
    let mut all: Vec<FoundChange> = changes.iter().cloned().chain(in_frames).collect();
    all.sort_by_key(FoundChange::index);
    // Those that are published stand in the files and in their frames.
    all.dedup_by_key(|change| change.index());
    KeyChain::new(trusted, &all).every_key()
}

fn base_edge(files: &dyn FileLayer, base: &Checkpoint) -> Result<Edge, String> {
    match Snapshot::load(files, base.clone()) {
        Ok(snapshot) => Ok(snapshot.edge),
        Err(AuditError::Tampered { path, what }) => Err(format!("the log before it is not whole: {what} (`{path}`)")),
        Err(error) => Err(error.to_string()),
    }
}

impl Replayed {
    fn take_in(&mut self, frame: Frame, edge: &mut Edge) -> Result<(), String> {
        let index = edge.size();
        let (entry, full) = frame.join(edge)?;
        self.roots.insert(edge.size(), edge.root());
        self.files
            .extend(full.into_iter().map(|TreeFile { path, bytes }| (path, bytes)));
        self.files.insert(layout::record(&entry.id, index), frame.record);
        self.notes.push(frame.note);
        Ok(())
    }
}

/// Whether a power loss can leave these bytes of a file: a beginning of it, with some sectors never written, or written when the file
/// was shorter.
pub(super) fn could_be_left_of(found: &[u8], whole: &[u8]) -> bool {
    let sectors = found.chunks(SECTOR_BYTES).zip(whole.chunks(SECTOR_BYTES));
    let mut left = sectors.map(|(found, whole)| {
        let written = found.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        whole.starts_with(found) || found.get(..written).is_some_and(|written| whole.starts_with(written))
    });
    found.len() <= whole.len() && left.all(|left| left)
}

/// The files of a log as the start after a power loss will write them.
pub(super) struct Restored<'a> {
    files: &'a dyn FileLayer,
    held: BTreeMap<String, Vec<u8>>,
}

impl Restored<'_> {
    /// What stands in for a file.
    fn instead(&self, path: &str) -> Option<&Vec<u8>> {
        let held = self.held.get(path)?;
        if path == layout::CHECKPOINT {
            return Some(held);
        }
        match self.files.read(path, held.len() as u64) {
            Ok(found) => (found != *held && could_be_left_of(&found, held)).then_some(held),
            Err(error) => (error.kind() == io::ErrorKind::NotFound).then_some(held),
        }
    }
}

/// Nothing is written through this layer.
fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl FileLayer for Restored<'_> {
    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Vec<u8>> {
        match self.instead(path) {
            Some(held) => Ok(held.clone()),
            None => self.files.read(path, limit_bytes),
        }
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        let mode = if path.starts_with(layout::RECORDS) {
            RECORD_MODE
        } else {
            TREE_MODE
        };
        match self.instead(path) {
            Some(_) => Ok(Stat { mode }),
            None => self.files.stat(path),
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<Listed>> {
        let mut listed = self.files.list(path)?;
        let inside = |held: &String| {
            let (name, rest) = match held.strip_prefix(path)?.strip_prefix('/')?.split_once('/') {
                Some((name, _)) => (name, true),
                None => (held.strip_prefix(path)?.strip_prefix('/')?, false),
            };
            Some(Listed {
                name: name.to_owned(),
                is_dir: rest,
            })
        };
        for restored in self.held.keys().filter_map(inside) {
            if !listed.iter().any(|there| there.name == restored.name) {
                listed.push(restored);
            }
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    fn create(&self, _: &str, _: &[u8], _: u32) -> io::Result<()> {
        refused()
    }

    fn write_new(&self, _: &str, _: &[u8], _: u32) -> io::Result<()> {
        refused()
    }

    fn overwrite(&self, _: &str, _: &[u8], _: u64) -> io::Result<bool> {
        refused()
    }

    fn sync_files(&self, _: &[String]) -> io::Result<()> {
        refused()
    }

    fn link(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn exchange(&self, _: &str, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn remove_dir(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn make_dir(&self, _: &str) -> io::Result<bool> {
        refused()
    }

    fn sync_dir(&self, _: &str) -> io::Result<()> {
        refused()
    }

    fn sync_dirs(&self, _: &[String]) -> io::Result<()> {
        refused()
    }

    fn open_lock(&self, _: &str) -> io::Result<File> {
        refused()
    }

    fn open_existing(&self, _: &str) -> io::Result<File> {
        refused()
    }

    fn open_to_read(&self, path: &str) -> io::Result<File> {
        self.files.open_to_read(path)
    }

    fn read_at(&self, file: &File, offset: u64, limit_bytes: usize) -> io::Result<Vec<u8>> {
        self.files.read_at(file, offset, limit_bytes)
    }

    fn write_at(&self, _: &File, _: u64, _: &[u8]) -> io::Result<()> {
        refused()
    }

    fn sync_data(&self, _: &File) -> io::Result<()> {
        refused()
    }

    fn truncate(&self, _: &File, _: u64) -> io::Result<()> {
        refused()
    }

    fn is_same_file(&self, path: &str, file: &File) -> io::Result<bool> {
        self.files.is_same_file(path, file)
    }

    fn boot_id(&self) -> Option<String> {
        self.files.boot_id()
    }
}
