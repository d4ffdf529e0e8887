//! The entries and the tiles above them, block by block of 256 leaves.

use std::io;

use super::records::{Present, Records};
use super::{Stated, VerifyReport, differs};
use crate::digest::Digest;
use crate::edge::{Edge, RawEdge, TILE_BYTES, split_tile, subtree_root};
use crate::entry::{Entry, MAX_BUNDLE_BYTES, split_bundle};
use crate::files::FileLayer;
use crate::keychange::KeyChain;
use crate::layout;
use crate::merkle::{TILE_WIDTH, TileId, leaf_hash};

/// Blocks in a row that may be missing before the walk ends: a size is a number that anybody can write.
const MISSING_BLOCKS: u32 = 1_000;

/// One bundle and the hash tile over it, as they were read.
struct Block {
    start: u64,
    bundle_path: String,
    tile_path: String,
    /// The leaves of the bundle; `None` for one that is not there.
    leaves: Vec<Option<Vec<u8>>>,
    /// What the bundle says the leaf hashes are.
    from_entries: Vec<Option<Digest>>,
    /// What the tile says they are; empty without a readable tile.
    from_tile: Vec<Digest>,
}

/// Which of the two accounts of a block is right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    Both,
    Entries,
    Tile,
    Unknown,
}

/// Walks over the whole tree, and checks the records on the way.
pub(super) fn check(
    files: &dyn FileLayer,
    chain: &KeyChain,
    stated: &Stated,
    edge: &RawEdge,
    report: &mut VerifyReport,
) -> Present {
    let Stated { size, root } = *stated;
    let mut records = Records::new(files, chain);
    let mut built = Edge::default();
    let mut above = Above {
        files,
        size,
        edge,
        cached: None,
    };
    let (mut start, mut missing) = (0, 0);
    while start < size {
        let block = Block::read(files, edge, start, report);
        missing = if block.is_missing() { missing + 1 } else { 0 };
        if missing == MISSING_BLOCKS {
            let what =
                format!("{missing} bundles and tiles in a row are missing: nothing behind entry {start} was looked at");
            report.problem(None, layout::TILES, what);
            return records.end(edge, report);
        }
        let width = block.from_entries.len();
        let truth = if width as u64 == TILE_WIDTH {
            block.judge_by(|hashes| {
                above
                    .subtree(start / TILE_WIDTH)
                    .is_none_or(|said| subtree_root(hashes) == said)
            })
        } else {
            let before = built.clone();
            block.judge_by(|hashes| {
                let mut whole = before.clone();
                hashes.iter().for_each(|hash| whole.push_hash(*hash, |_, _| {}));
                whole.root() == root
            })
        };
        block.report_disagreement(truth, report);
        for hash in block.hashes(truth) {
            let mut completed = Vec::new();
            built.push_hash(hash, |id, hashes| completed.push((id, hashes.to_vec())));
            for (id, hashes) in completed.iter().filter(|(id, _)| id.level > 0) {
                above.compare(*id, hashes, report);
            }
        }
        block.check_records(truth, &mut records, report);
        start += TILE_WIDTH;
    }
    for (id, hashes) in built.partial().filter(|(id, _)| id.level > 0) {
        above.compare(id, hashes, report);
    }
    if built.root() != root {
        let what = format!("the entries lead to another root: {}", differs(&built.root(), &root));
        report.problem(None, layout::CHECKPOINT, what);
    }
    records.end(edge, report)
}

impl Block {
    fn read(files: &dyn FileLayer, edge: &RawEdge, start: u64, report: &mut VerifyReport) -> Self {
        let n = start / TILE_WIDTH;
        let width = (edge.size - start).min(TILE_WIDTH);
        let id = TileId { level: 0, n };
        let (bundle_path, tile_path) = (layout::bundle(n, width), layout::tile(id, width));
        let (bundle, tile) = if width < TILE_WIDTH {
            let tile = edge
                .tiles
                .iter()
                .find(|(found, _)| *found == id)
                .map(|(_, read)| borrowed(read));
            (
                edge.bundle
                    .as_ref()
                    .map_or(Err("the file is missing".to_owned()), borrowed),
                tile.unwrap_or_else(|| Ok(Vec::new())),
            )
        } else {
            (
                borrowed(&files.read(&bundle_path, MAX_BUNDLE_BYTES)),
                borrowed(&files.read(&tile_path, TILE_BYTES)),
            )
        };
        let tile = tile.and_then(|bytes| {
            split_tile(&bytes, width).ok_or_else(|| format!("the hash tile does not hold {width} hashes"))
        });
        let from_tile = tile.unwrap_or_else(|what| {
            report.problem(None, &tile_path, what);
            Vec::new()
        });
        let bundle = bundle.unwrap_or_else(|what| {
            report.problem(
                None,
                &bundle_path,
                format!("the entries {start} to {} are not there: {what}", start + width - 1),
            );
            Vec::new()
        });
        let mut leaves: Vec<Option<Vec<u8>>> = split_bundle(&bundle).map(|leaf| leaf.map(<[u8]>::to_vec)).collect();
        if leaves.len() as u64 > width {
            report.problem(
                None,
                &bundle_path,
                format!("the bundle holds more than its {width} entries"),
            );
        }
        leaves.resize(usize::try_from(width).unwrap_or(0), None);
        let from_entries = leaves.iter().map(|leaf| leaf.as_deref().map(leaf_hash)).collect();
        Self {
            start,
            bundle_path,
            tile_path,
            leaves,
            from_entries,
            from_tile,
        }
    }

    /// Whether there is nothing of it.
    fn is_missing(&self) -> bool {
        self.from_tile.is_empty() && self.leaves.iter().all(Option::is_none)
    }

    /// Compares both accounts; where they disagree, `leads_up` says which hashes the level above knows.
    fn judge_by(&self, mut leads_up: impl FnMut(&[Digest]) -> bool) -> Truth {
        let entries: Option<Vec<Digest>> = self.from_entries.iter().copied().collect();
        let tile = (!self.from_tile.is_empty()).then_some(&self.from_tile);
        match (entries, tile) {
            (Some(entries), Some(tile)) if entries == *tile => Truth::Both,
            (Some(entries), None) if leads_up(&entries) => Truth::Entries,
            (None, Some(tile)) if leads_up(tile) => Truth::Tile,
            (Some(entries), Some(tile)) => match (leads_up(&entries), leads_up(tile)) {
                (true, false) => Truth::Entries,
                (false, true) => Truth::Tile,
                _ => Truth::Unknown,
            },
            _ => Truth::Unknown,
        }
    }

    /// The leaf hashes to go on with.
    fn hashes(&self, truth: Truth) -> Vec<Digest> {
        let from_entries =
            self.from_entries
                .iter()
                .enumerate()
                .map(|(at, hash)| match (hash, self.from_tile.get(at)) {
                    (_, Some(said)) if truth == Truth::Tile => *said,
                    (Some(hash), _) => *hash,
                    (None, Some(said)) => *said,
                    (None, None) => Digest([0; 32]),
                });
        from_entries.collect()
    }

    fn report_disagreement(&self, truth: Truth, report: &mut VerifyReport) {
        if truth == Truth::Both {
            return;
        }
        for (((index, hash), said), leaf) in (self.start..)
            .zip(&self.from_entries)
            .zip(&self.from_tile)
            .zip(&self.leaves)
        {
            let id = leaf.as_deref().and_then(Entry::parse).map(|entry| entry.id);
            let at = Some((index, id.as_deref()));
            let Some(hash) = hash else {
                report.problem(at, &self.bundle_path, format!("entry {index} is cut off or missing"));
                continue;
            };
            if hash == said {
                continue;
            }
            match truth {
                Truth::Tile => report.problem(at, &self.bundle_path, format!("entry {index} was changed")),
                Truth::Entries => {
                    report.problem(
                        at,
                        &self.tile_path,
                        format!("the hash of entry {index} in the tile was changed"),
                    );
                }
                _ => report.problem(
                    at,
                    &self.bundle_path,
                    format!("entry {index} or its hash in `{}` was changed", self.tile_path),
                ),
            }
        }
    }

    /// An entry that the tile contradicts is reported already, and says nothing about a record.
    fn check_records(&self, truth: Truth, records: &mut Records<'_>, report: &mut VerifyReport) {
        for (at, (index, leaf)) in (self.start..).zip(&self.leaves).enumerate() {
            let Some(leaf) = leaf else { continue };
            let contradicted = self.from_tile.get(at).is_some_and(|said| *said != leaf_hash(leaf));
            let Some(entry) = Entry::parse(leaf) else {
                if !contradicted {
                    report.problem(
                        Some((index, None)),
                        &self.bundle_path,
                        format!("entry {index} has an unknown form"),
                    );
                }
                continue;
            };
            if contradicted && matches!(truth, Truth::Tile | Truth::Unknown) {
                continue;
            }
            records.check(index, &entry, report);
        }
    }
}

/// The tiles of the levels above the leaves.
struct Above<'a> {
    files: &'a dyn FileLayer,
    size: u64,
    edge: &'a RawEdge,
    /// The level-1 tile that was read last.
    cached: Option<(u64, Vec<Digest>)>,
}

impl Above<'_> {
    /// What the tile of level 1 says about block `n`.
    fn subtree(&mut self, n: u64) -> Option<Digest> {
        let id = TileId {
            level: 1,
            n: n / TILE_WIDTH,
        };
        if self.cached.as_ref().is_none_or(|(cached, _)| *cached != id.n) {
            self.cached = Some((id.n, self.read(id).ok()?));
        }
        let (_, hashes) = self.cached.as_ref()?;
        hashes.get(usize::try_from(n % TILE_WIDTH).ok()?).copied()
    }

    fn read(&self, id: TileId) -> Result<Vec<Digest>, String> {
        let width = id.width(self.size);
        let bytes = if width < TILE_WIDTH {
            let read = self
                .edge
                .tiles
                .iter()
                .find(|(found, _)| *found == id)
                .map(|(_, read)| borrowed(read));
            read.unwrap_or_else(|| Err("the file is missing".to_owned()))?
        } else {
            borrowed(&self.files.read(&layout::tile(id, width), TILE_BYTES))?
        };
        split_tile(&bytes, width).ok_or_else(|| format!("the hash tile does not hold {width} hashes"))
    }

    /// Compares a tile with what the levels below give.
    fn compare(&self, id: TileId, hashes: &[Digest], report: &mut VerifyReport) {
        let path = layout::tile(id, id.width(self.size));
        match self.read(id) {
            Err(what) => report.problem(None, &path, what),
            Ok(said) => {
                for (at, (said, hash)) in said
                    .iter()
                    .zip(hashes)
                    .enumerate()
                    .filter(|(_, (said, hash))| said != hash)
                {
                    report.problem(
                        None,
                        &path,
                        format!("hash {at} of the tile was changed: {}", differs(said, hash)),
                    );
                }
            }
        }
    }
}

/// The bytes, or why they cannot be had.
fn borrowed(read: &io::Result<Vec<u8>>) -> Result<Vec<u8>, String> {
    match read {
        Ok(bytes) => Ok(bytes.clone()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err("the file is missing".to_owned()),
        Err(error) => Err(format!("the file cannot be read: {error}")),
    }
}
