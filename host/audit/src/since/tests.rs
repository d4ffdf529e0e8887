use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{Growth, SinceError, compare, verify_since};
use crate::digest::Digest;
use crate::error::AuditError;
use crate::keys::tests::MemoryKey;
use crate::keys::{Signer as _, TrustedKeys};
use crate::log::Log;
use crate::log::tests::append;
use crate::merkle::{Frontier, leaf_hash};
use crate::note::{Checkpoint, NoteError, open_checkpoint};

const ORIGIN: &str = "example.com/log";
/// Around every boundary of a tile.
const SIZES: [u64; 9] = [0, 1, 2, 3, 255, 256, 257, 300, 513];

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn keys() -> TrustedKeys {
    MemoryKey::new(3).public().clone().into()
}

/// A log of `size` entries in a folder in memory where there is one, and its checkpoint at each of [`SIZES`]. `salt` makes
/// other records; without it, the records are always the same.
fn grow(salt: &str, size: u64) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let log = Log::open(dir(folder.path()), Box::new(MemoryKey::new(3)), ORIGIN).unwrap();
    let mut notes = Vec::new();
    for n in 0..=size {
        if SIZES.contains(&n) {
            notes.push(log.checkpoint().unwrap().note);
        }
        let id = format!("rp_{n}{salt}");
        if n < size {
            append(&log, &id).unwrap();
        }
    }
    (folder, notes)
}

/// An earlier checkpoint, during a walk over the entries of a trail: the other way to find out, which looks at the root at the right moment.
struct Since {
    earlier: Checkpoint,
    /// The root of as many entries, once the walk was there.
    found: Option<Digest>,
}

impl Since {
    /// Takes an earlier checkpoint, verified.
    fn new(earlier: &[u8], origin: &str, keys: &TrustedKeys) -> Result<Self, NoteError> {
        let earlier = open_checkpoint(earlier, origin, keys)?;
        // The walk begins after the empty tree.
        let found = (earlier.size == 0).then(crate::merkle::empty_root);
        Ok(Self { earlier, found })
    }

    /// To be called after each entry, with the number of entries so far and their root, which is computed only where it
    /// counts.
    fn after(&mut self, entries: u64, root: impl FnOnce() -> Digest) {
        if entries == self.earlier.size {
            self.found = Some(root());
        }
    }

    /// The verdict, after all entries.
    fn finish(self, now: &Checkpoint) -> Result<Growth, SinceError> {
        let Some(found) = self.found else {
            return Err(SinceError::Cut {
                earlier: self.earlier.size,
                now: now.size,
            });
        };
        compare(&self.earlier, found)?;
        Ok(Growth {
            earlier: self.earlier,
            now: now.clone(),
        })
    }
}

/// The second way: over all entries, as `verify` walks.
fn walk(folder: &Path, note: &str) -> Result<u64, SinceError> {
    let log = Log::open(dir(folder), Box::new(MemoryKey::new(3)), ORIGIN).unwrap();
    let mut since = Since::new(note.as_bytes(), ORIGIN, &keys())?;
    let mut frontier = Frontier::default();
    for (count, entry) in (1..).zip(log.entries().unwrap()) {
        frontier.push(leaf_hash(entry.unwrap().entry.to_text().as_bytes()));
        since.after(count, || frontier.root());
    }
    Ok(since.finish(&log.checkpoint().unwrap())?.earlier.size)
}

#[test]
fn a_trail_continues_its_own_checkpoints_and_those_of_no_other() {
    let (folder, notes) = grow("", 513);
    let (_, forked) = grow("x", 513);
    for ((size, note), fork) in SIZES.into_iter().zip(&notes).zip(&forked) {
        let growth = verify_since(&dir(folder.path()), &keys(), ORIGIN, note.as_bytes()).unwrap();
        assert_eq!((growth.earlier.size, growth.now.size), (size, 513));
        assert_eq!(walk(folder.path(), note).unwrap(), size);
        // The same key signed another history; that of the empty log is the same.
        for result in [
            verify_since(&dir(folder.path()), &keys(), ORIGIN, fork.as_bytes()).map(|growth| growth.earlier.size),
            walk(folder.path(), fork),
        ] {
            match result {
                Ok(0) => assert_eq!(size, 0),
                Err(SinceError::Rewritten { size: told, .. }) => assert_eq!(told, size),
                other => panic!("{size}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_trail_that_was_cut_or_put_back_is_noticed() {
    let (_, notes) = grow("", 513);
    let newest = notes.last().unwrap();
    // The whole log as it was: it verifies by itself.
    let (earlier, _) = grow("", 300);
    let now = verify_since(&dir(earlier.path()), &keys(), ORIGIN, notes[6].as_bytes())
        .unwrap()
        .now;
    assert_eq!(now.size, 300);
    let error = verify_since(&dir(earlier.path()), &keys(), ORIGIN, newest.as_bytes()).unwrap_err();
    assert!(matches!(error, SinceError::Cut { earlier: 513, now: 300 }), "{error}");
    let error = walk(earlier.path(), newest).unwrap_err();
    assert!(matches!(error, SinceError::Cut { earlier: 513, now: 300 }), "{error}");
}

#[test]
fn what_is_no_checkpoint_and_no_trail_is_told_apart_from_a_fork() {
    let (folder, notes) = grow("", 513);
    let trail = dir(folder.path());
    let error = verify_since(&trail, &keys(), ORIGIN, b"notes").unwrap_err();
    assert!(matches!(error, SinceError::Earlier(_)), "{error}");
    let error = verify_since(&trail, &keys(), "example.com/other", notes[3].as_bytes()).unwrap_err();
    assert!(matches!(error, SinceError::Earlier(_)), "{error}");
    // A changed tile below the root is not the log's doing. It is needed for the proof from 257 on.
    let path = folder.path().join("tile/1/000.p/2");
    let bytes = std::fs::read(&path).unwrap();
    let mut changed = bytes.clone();
    changed[3] ^= 1;
    std::fs::write(&path, changed).unwrap();
    let error = verify_since(&trail, &keys(), ORIGIN, notes[6].as_bytes()).unwrap_err();
    assert!(
        matches!(error, SinceError::Trail(AuditError::Tampered { .. })),
        "{error}"
    );
    std::fs::write(&path, bytes).unwrap();
    let path = folder.path().join("tile/0/000");
    let mut changed = std::fs::read(&path).unwrap();
    changed[3] ^= 1;
    std::fs::write(&path, changed).unwrap();
    let error = verify_since(&trail, &keys(), ORIGIN, notes[4].as_bytes()).unwrap_err();
    assert!(
        matches!(error, SinceError::Trail(AuditError::Tampered { .. })),
        "{error}"
    );
    // One that is not needed is not read: that is the part of the whole verification.
    verify_since(&trail, &keys(), ORIGIN, notes[5].as_bytes()).unwrap();
}
