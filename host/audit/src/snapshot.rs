//! A log at one checkpoint: reads entries and records, and returns nothing that the checkpoint's signature does not cover.
//!
//! **In**: the file layer, the origin and the trusted keys. **Out**: verified entries and records. **Trusted**: the keys.
//! **Can fail**: [`AuditError`]. Full tiles and bundles never change, and the edge is held in memory, so a snapshot stays
//! readable while the log grows.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::Serialize;

use crate::digest::Digest;
use crate::dsse::{self, DsseError, Envelope};
use crate::edge::{Edge, EdgeError, RawEdge, TILE_BYTES, split_tile, subtree_root};
use crate::entry::{Entry, MAX_BUNDLE_BYTES, split_bundle};
use crate::error::AuditError;
use crate::files::FileLayer;
use crate::keys::{KeyId, TrustedKeys, Verifier};
use crate::layout;
use crate::merkle::{Known, TILE_WIDTH, TileId, TileSource, leaf_hash, root_with};
use crate::note::{Checkpoint, MAX_CHECKPOINT_BYTES, open_checkpoint};

mod prove;

/// Largest payload of a record.
pub const MAX_PAYLOAD_BYTES: u64 = 64 * 1024 * 1024;
/// Largest record file: the payload in base64, and the rest of the envelope.
pub(crate) const MAX_RECORD_BYTES: u64 = MAX_PAYLOAD_BYTES / 3 * 4 + 64 * 1024;
/// Full tiles kept while reading, 8 KB each.
const CACHED_TILES: usize = 64;

/// A record whose signature, digest and place in the signed log were all checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRecord {
    /// Its place in the log.
    pub index: u64,
    /// What its entry says.
    pub entry: Entry,
    /// Its file as it lies in the log: the DSSE envelope.
    pub file: Vec<u8>,
    /// The JSON that was sealed.
    pub payload: Vec<u8>,
    /// The trusted keys that signed it. Never empty.
    pub signers: Vec<KeyId>,
    /// Size of the log at the checkpoint that vouches for it.
    pub tree_size: u64,
    /// Root of the log at that checkpoint.
    pub root: Digest,
}

/// An entry and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexedEntry {
    /// Its place in the log.
    pub index: u64,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
}

/// A log at one checkpoint, its edge compared with it.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) edge: Edge,
}

impl Snapshot {
    /// Reads and verifies the edge that belongs to a verified checkpoint.
    pub(crate) fn load(files: &dyn FileLayer, checkpoint: Checkpoint) -> Result<Self, AuditError> {
        let raw = RawEdge::read(files, checkpoint.size);
        let edge = raw.into_edge(&checkpoint.root);
        let edge = edge.map_err(|EdgeError { path, what }| AuditError::Tampered { path, what })?;
        Ok(Self { checkpoint, edge })
    }

    /// The leaves of bundle `n`, after comparing them with the checkpoint's root.
    fn bundle(&self, files: &dyn FileLayer, cache: &mut TileCache, n: u64) -> Result<Vec<Vec<u8>>, AuditError> {
        let size = self.checkpoint.size;
        if n == size / TILE_WIDTH {
            // `RawEdge::into_edge` compared these.
            return Ok(split_bundle(self.edge.bundle()).flatten().map(<[u8]>::to_vec).collect());
        }
        let path = layout::bundle(n, TILE_WIDTH);
        let bytes = files
            .read(&path, MAX_BUNDLE_BYTES)
            .map_err(|error| missing_or_io("read", &path, error))?;
        let leaves: Option<Vec<Vec<u8>>> = split_bundle(&bytes).map(|leaf| leaf.map(<[u8]>::to_vec)).collect();
        let leaves = leaves
            .filter(|leaves| leaves.len() as u64 == TILE_WIDTH)
            .ok_or_else(|| AuditError::Tampered {
                path: path.clone(),
                what: format!("the bundle does not hold {TILE_WIDTH} entries"),
            })?;
        let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let start = n * TILE_WIDTH;
        let known = Known {
            start,
            end: start + TILE_WIDTH,
            hash: subtree_root(&hashes),
        };
        let mut tiles = Tiles {
            files,
            edge: &self.edge,
            cache,
        };
        if root_with(&mut tiles, size, known)? != self.checkpoint.root {
            let what = format!(
                "the entries {start} to {} or the tiles above them do not lead to the signed root",
                start + TILE_WIDTH - 1
            );
            return Err(AuditError::Tampered { path, what });
        }
        Ok(leaves)
    }

    /// The entry at `index`, which must be below the size.
    fn entry(&self, files: &dyn FileLayer, index: u64) -> Result<Entry, AuditError> {
        let n = index / TILE_WIDTH;
        let leaves = self.bundle(files, &mut TileCache::default(), n)?;
        let leaf = usize::try_from(index % TILE_WIDTH).ok().and_then(|at| leaves.get(at));
        leaf.and_then(|leaf| Entry::parse(leaf))
            .ok_or_else(|| unreadable_entry(n, index))
    }

    /// Whether the entry at `index` is there and is of record `id`.
    pub(crate) fn has(&self, files: &dyn FileLayer, id: &str, index: u64) -> Result<bool, AuditError> {
        Ok(index < self.checkpoint.size && self.entry(files, index)?.id == id)
    }

    /// The record `id`, verified.
    pub(crate) fn record(
        self: &Arc<Self>,
        files: &dyn FileLayer,
        keys: &TrustedKeys,
        id: &str,
    ) -> Result<VerifiedRecord, AuditError> {
        for index in record_indexes(files, id)? {
            if index >= self.checkpoint.size {
                continue;
            }
            let entry = self.entry(files, index)?;
            if entry.id == id {
                let OpenedRecord { file, payload, signers } = open_record(files, keys, &entry, index)?;
                let Checkpoint {
                    size: tree_size, root, ..
                } = self.checkpoint;
                return Ok(VerifiedRecord {
                    index,
                    entry,
                    file,
                    payload,
                    signers,
                    tree_size,
                    root,
                });
            }
        }
        // No file: a record that the log knows was taken away, or there never was one.
        for found in self.entries(files, 0) {
            let found = found?;
            if found.entry.id == id {
                return Err(AuditError::RecordTampered {
                    id: id.to_owned(),
                    index: found.index,
                    what: format!("its file `{}` is missing", layout::record(id, found.index)),
                });
            }
        }
        Err(AuditError::UnknownId { id: id.to_owned() })
    }

    /// The entries from `first` on.
    pub(crate) fn entries<'a>(self: &Arc<Self>, files: &'a dyn FileLayer, first: u64) -> Entries<'a> {
        let (snapshot, cache) = (Arc::clone(self), TileCache::default());
        Entries {
            snapshot,
            files,
            cache,
            next: first,
            bundle: Vec::new(),
            bundle_n: None,
        }
    }
}

/// Entries in order, each compared with the signed root before it is returned; ends after the first error.
pub struct Entries<'a> {
    snapshot: Arc<Snapshot>,
    files: &'a dyn FileLayer,
    cache: TileCache,
    next: u64,
    bundle: Vec<Vec<u8>>,
    bundle_n: Option<u64>,
}

impl Iterator for Entries<'_> {
    type Item = Result<IndexedEntry, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next;
        if index >= self.snapshot.checkpoint.size {
            return None;
        }
        let n = index / TILE_WIDTH;
        if self.bundle_n != Some(n) {
            match self.snapshot.bundle(self.files, &mut self.cache, n) {
                Ok(bundle) => self.bundle = bundle,
                Err(error) => {
                    self.next = u64::MAX;
                    return Some(Err(error));
                }
            }
            self.bundle_n = Some(n);
        }
        self.next += 1;
        let leaf = usize::try_from(index % TILE_WIDTH)
            .ok()
            .and_then(|at| self.bundle.get(at));
        let Some(entry) = leaf.and_then(|leaf| Entry::parse(leaf)) else {
            self.next = u64::MAX;
            return Some(Err(unreadable_entry(n, index)));
        };
        Some(Ok(IndexedEntry { index, entry }))
    }
}

/// Full tiles that were read already.
type TileCache = BTreeMap<TileId, Vec<Digest>>;

/// Hash tiles: full ones from the disk, partial ones from the edge.
struct Tiles<'a> {
    files: &'a dyn FileLayer,
    edge: &'a Edge,
    cache: &'a mut TileCache,
}

impl TileSource for Tiles<'_> {
    type Error = AuditError;

    fn hash(&mut self, id: TileId, position: u64) -> Result<Digest, AuditError> {
        let path = layout::tile(id, TILE_WIDTH);
        let wrong = || AuditError::Tampered {
            path: path.clone(),
            what: "the hash tile has a wrong length".to_owned(),
        };
        if id.width(self.edge.size()) < TILE_WIDTH {
            let mut edge = self.edge;
            return edge.hash(id, position).map_err(|()| wrong());
        }
        if !self.cache.contains_key(&id) {
            let bytes = self
                .files
                .read(&path, TILE_BYTES)
                .map_err(|error| missing_or_io("read", &path, error))?;
            if self.cache.len() >= CACHED_TILES {
                self.cache.clear();
            }
            self.cache.insert(id, split_tile(&bytes, TILE_WIDTH).ok_or_else(wrong)?);
        }
        let tile = self.cache.get(&id).ok_or_else(wrong)?;
        usize::try_from(position)
            .ok()
            .and_then(|position| tile.get(position))
            .copied()
            .ok_or_else(wrong)
    }
}

/// How often a checkpoint that is being written over is read again.
const NOTE_ATTEMPTS: u32 = 50;

/// The bytes of the checkpoint file, for who has no lock: an append writes over the file of an earlier one, which may be the one that
/// was opened here, so they count once they were read twice.
pub(crate) fn read_note(files: &dyn FileLayer) -> io::Result<Vec<u8>> {
    let read = || files.read(layout::CHECKPOINT, MAX_CHECKPOINT_BYTES);
    let mut note = read()?;
    for _ in 0..NOTE_ATTEMPTS {
        let again = read()?;
        if again == note {
            break;
        }
        note = again;
    }
    Ok(note)
}

/// Reads the checkpoint file; `None` if it is absent.
pub(crate) fn read_checkpoint(
    files: &dyn FileLayer,
    origin: &str,
    keys: &TrustedKeys,
) -> Result<Option<Checkpoint>, AuditError> {
    match read_note(files) {
        Ok(note) => Ok(Some(open_checkpoint(&note, origin, keys)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AuditError::io("read", layout::CHECKPOINT, error)),
    }
}

/// A log without a checkpoint: a new one, or one whose checkpoint was taken away.
pub(crate) fn without_checkpoint(files: &dyn FileLayer) -> Result<AuditError, AuditError> {
    for folder in [layout::RECORDS, layout::TILES, layout::UNACKNOWLEDGED] {
        let listed = files
            .list(folder)
            .map_err(|error| AuditError::io("list", folder, error))?;
        if let Some(first) = listed.first() {
            return Ok(AuditError::CheckpointMissing {
                found: format!("{folder}/{}", first.name),
            });
        }
    }
    Ok(AuditError::NoLog)
}

/// The indexes under which files of record `id` lie, believed or not.
pub(crate) fn record_indexes(files: &dyn FileLayer, id: &str) -> Result<Vec<u64>, AuditError> {
    let shard = layout::shard(id);
    let names = files
        .names(&shard, &layout::record_beginning(id))
        .map_err(|error| AuditError::io("list", &shard, error))?;
    let mut indexes: Vec<u64> = names
        .iter()
        .filter_map(|name| layout::parse_record_name(name))
        .filter(|(found, _)| *found == id)
        .map(|(_, index)| index)
        .collect();
    indexes.sort_unstable();
    Ok(indexes)
}

/// A record's file, and what it holds.
struct OpenedRecord {
    file: Vec<u8>,
    payload: Vec<u8>,
    signers: Vec<KeyId>,
}

/// The payload of the record that a verified entry stands for.
fn open_record(
    files: &dyn FileLayer,
    keys: &TrustedKeys,
    entry: &Entry,
    index: u64,
) -> Result<OpenedRecord, AuditError> {
    let path = layout::record(&entry.id, index);
    let bytes = files
        .read(&path, MAX_RECORD_BYTES)
        .map_err(|error| AuditError::io("read", &path, error))?;
    match check_record(&bytes, entry, keys) {
        Ok((payload, signers)) => Ok(OpenedRecord {
            file: bytes,
            payload,
            signers,
        }),
        Err(what) => Err(AuditError::RecordTampered {
            id: entry.id.clone(),
            index,
            what,
        }),
    }
}

/// Compares the bytes of a record file with its entry, and verifies its signatures.
pub(crate) fn check_record(bytes: &[u8], entry: &Entry, keys: &TrustedKeys) -> Result<(Vec<u8>, Vec<KeyId>), String> {
    check_one_of_many(bytes, entry, keys, &mut Verifier::default()).map_err(|error| error.to_string())
}

/// Why a record is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// It is not what its entry says, or a signature that names a trusted key is not by that key.
    #[error("{0}")]
    Changed(String),
    /// It is what its entry says, and no trusted key signed it.
    #[error(transparent)]
    Untrusted(DsseError),
}

/// [`check_record`] for who checks many.
pub(crate) fn check_one_of_many(
    bytes: &[u8],
    entry: &Entry,
    keys: &TrustedKeys,
    verifier: &mut Verifier,
) -> Result<(Vec<u8>, Vec<KeyId>), RecordError> {
    let digest = Digest::of(bytes);
    if digest != entry.digest {
        let what = format!(
            "the SHA-256 of its file is {digest} and its entry says {}",
            entry.digest
        );
        return Err(RecordError::Changed(what));
    }
    let opened = Envelope::parse(bytes).and_then(|envelope| dsse::open_one_of_many(&envelope, keys, verifier));
    let opened = opened.map_err(|error| match error {
        DsseError::Untrusted { .. } => RecordError::Untrusted(error),
        other => RecordError::Changed(other.to_string()),
    })?;
    if opened.payload_type != entry.payload_type {
        let what = format!("its payload type is not `{}` as its entry says", entry.payload_type);
        return Err(RecordError::Changed(what));
    }
    Ok((opened.payload, opened.signers))
}

fn unreadable_entry(n: u64, index: u64) -> AuditError {
    AuditError::Tampered {
        path: layout::bundle(n, TILE_WIDTH),
        what: format!(
            "entry {index} is not an entry of version `{}`",
            crate::entry::ENTRY_VERSION
        ),
    }
}

fn missing_or_io(doing: &'static str, path: &str, error: io::Error) -> AuditError {
    if error.kind() == io::ErrorKind::NotFound {
        return AuditError::Tampered {
            path: path.to_owned(),
            what: "the file is missing".to_owned(),
        };
    }
    AuditError::io(doing, path, error)
}

#[cfg(test)]
mod tests;
