//! The right edge of the tree: the partial tiles and the partial bundle, which is all that an append needs and changes.
//!
//! **In**: the files of the edge, or leaves one after the other. **Out**: the root, and the files that a further leaf
//! writes. **Trusted**: an [`Edge`] read from disk only after its root was compared with a verified checkpoint.
//! **Can fail**: reading, and [`EdgeError`] where the files contradict each other.

use std::io;

use crate::digest::Digest;
use crate::entry::{MAX_BUNDLE_BYTES, push_to_bundle, split_bundle};
use crate::files::FileLayer;
use crate::layout;
use crate::merkle::{Frontier, MAX_TILE_LEVEL, TILE_WIDTH, TileId, TileSource, leaf_hash, nodes_at, partial_tiles};

/// Bytes of a full hash tile.
pub(crate) const TILE_BYTES: u64 = TILE_WIDTH * 32;

/// The files of the edge as they were read, believed or not.
#[derive(Debug)]
pub(crate) struct RawEdge {
    pub(crate) size: u64,
    /// The partial bundle; `None` when the last bundle is full.
    pub(crate) bundle: Option<io::Result<Vec<u8>>>,
    /// The partial tiles.
    pub(crate) tiles: Vec<(TileId, io::Result<Vec<u8>>)>,
}

/// A file of the edge that contradicts the checkpoint or the others.
#[derive(Debug)]
pub(crate) struct EdgeError {
    pub(crate) path: String,
    pub(crate) what: String,
}

/// The right edge of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    size: u64,
    /// Bytes of the partial bundle, empty when the last one is full.
    bundle: Vec<u8>,
    /// Hashes of the partial tile of each level.
    tiles: [Vec<Digest>; MAX_TILE_LEVEL as usize + 1],
    /// The complete subtrees, from which the root takes a handful of hashes.
    frontier: Frontier,
}

/// A file of the tree that an append writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TreeFile {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl RawEdge {
    /// Reads the files of the edge of a tree of `size` leaves.
    pub(crate) fn read(files: &dyn FileLayer, size: u64) -> Self {
        let width = size % TILE_WIDTH;
        let bundle = (width > 0).then(|| files.read(&layout::bundle(size / TILE_WIDTH, width), MAX_BUNDLE_BYTES));
        let tiles = partial_tiles(size)
            .map(|id| (id, files.read(&layout::tile(id, id.width(size)), TILE_BYTES)))
            .collect();
        Self { size, bundle, tiles }
    }

    /// Whether each file is there and has as many items as its name says. If not, the log may have grown between the checkpoint and
    /// these reads: a file that it needs no more is taken away, and written over with what it has and what comes behind that.
    pub(crate) fn is_whole(&self) -> bool {
        let width = self.size % TILE_WIDTH;
        let has_its_hashes = |(id, read): &(TileId, io::Result<Vec<u8>>)| {
            read.as_ref()
                .is_ok_and(|bytes| split_tile(bytes, id.width(self.size)).is_some())
        };
        let has_its_entries = |read: &io::Result<Vec<u8>>| {
            let entries: Option<Vec<_>> = read.as_ref().ok().and_then(|bytes| split_bundle(bytes).collect());
            entries.is_some_and(|entries| entries.len() as u64 == width)
        };
        self.bundle.as_ref().is_none_or(has_its_entries) && self.tiles.iter().all(has_its_hashes)
    }

    /// The edge, if its files agree with each other and have this root.
    pub(crate) fn into_edge(self, expected: &Digest) -> Result<Edge, EdgeError> {
        let size = self.size;
        let mut edge = Edge {
            size,
            ..Edge::default()
        };
        for (id, read) in self.tiles {
            let path = layout::tile(id, id.width(size));
            let bytes = read.map_err(|error| unreadable(&path, &error))?;
            let Some(hashes) = split_tile(&bytes, id.width(size)) else {
                return Err(EdgeError {
                    path,
                    what: "the hash tile has a wrong length".to_owned(),
                });
            };
            if let Some(tile) = edge.tiles.get_mut(usize::from(id.level)) {
                *tile = hashes;
            }
        }
        let path = layout::bundle(size / TILE_WIDTH, size % TILE_WIDTH);
        if let Some(read) = self.bundle {
            edge.bundle = read.map_err(|error| unreadable(&path, &error))?;
        }
        edge.frontier = Frontier::of_tiles(&edge.tiles, size);
        if edge.root() != *expected {
            return Err(EdgeError {
                path: layout::CHECKPOINT.to_owned(),
                what: "the hash tiles do not have the root that the checkpoint states".to_owned(),
            });
        }
        let leaves: Vec<_> = split_bundle(&edge.bundle).map(|leaf| leaf.map(leaf_hash)).collect();
        let [level0, ..] = &edge.tiles;
        if leaves.len() != level0.len()
            || leaves
                .iter()
                .zip(level0)
                .any(|(leaf, hash)| leaf.as_ref() != Some(hash))
        {
            return Err(EdgeError {
                path,
                what: "its entries are not those of the hash tiles".to_owned(),
            });
        }
        Ok(edge)
    }
}

impl Edge {
    /// Number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of the partial bundle.
    pub(crate) fn bundle(&self) -> &[u8] {
        &self.bundle
    }

    /// Root of the whole tree.
    pub(crate) fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// Adds a leaf hash. `completed` gets each tile that this leaf fills.
    pub(crate) fn push_hash(&mut self, leaf: Digest, mut completed: impl FnMut(TileId, &[Digest])) {
        self.size += 1;
        self.frontier.push(leaf);
        let mut hash = leaf;
        for (level, tile) in (0..).zip(&mut self.tiles) {
            tile.push(hash);
            if (tile.len() as u64) < TILE_WIDTH {
                return;
            }
            completed(
                TileId {
                    level,
                    n: nodes_at(level, self.size) / TILE_WIDTH - 1,
                },
                tile,
            );
            hash = subtree_root(tile);
            tile.clear();
        }
    }

    /// Adds an entry, and says which files it fills, which never change again; `None` for an entry too long for a bundle.
    pub(crate) fn push(&mut self, leaf: &str) -> Option<Vec<TreeFile>> {
        let mut full = Vec::new();
        if !push_to_bundle(&mut self.bundle, leaf) {
            return None;
        }
        if self.size % TILE_WIDTH == TILE_WIDTH - 1 {
            full.push(TreeFile {
                path: layout::bundle(self.size / TILE_WIDTH, TILE_WIDTH),
                bytes: std::mem::take(&mut self.bundle),
            });
        }
        self.push_hash(leaf_hash(leaf.as_bytes()), |id, hashes| {
            full.push(tile_file(id, hashes))
        });
        Some(full)
    }

    /// The files of the edge itself: the partial bundle and the partial tiles.
    pub(crate) fn files(&self) -> Vec<TreeFile> {
        let (n, width) = (self.size / TILE_WIDTH, self.size % TILE_WIDTH);
        let bundle = (width > 0).then(|| TreeFile {
            path: layout::bundle(n, width),
            bytes: self.bundle.clone(),
        });
        let tiles = self.partial().map(|(id, hashes)| tile_file(id, hashes));
        bundle.into_iter().chain(tiles).collect()
    }

    /// The hashes of the partial tile of each level that has one.
    pub(crate) fn partial(&self) -> impl Iterator<Item = (TileId, &[Digest])> {
        partial_tiles(self.size).filter_map(|id| {
            self.tiles
                .get(usize::from(id.level))
                .map(|hashes| (id, hashes.as_slice()))
        })
    }
}

impl TileSource for &Edge {
    type Error = ();

    fn hash(&mut self, id: TileId, position: u64) -> Result<Digest, ()> {
        if nodes_at(id.level, self.size) / TILE_WIDTH != id.n {
            return Err(());
        }
        let tile = self.tiles.get(usize::from(id.level)).ok_or(())?;
        usize::try_from(position)
            .ok()
            .and_then(|position| tile.get(position))
            .copied()
            .ok_or(())
    }
}

/// Root over the hashes of one tile.
pub(crate) fn subtree_root(hashes: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    hashes.iter().for_each(|hash| frontier.push(*hash));
    frontier.root()
}

/// The hashes of a tile file, if it has exactly `width` of them.
pub(crate) fn split_tile(bytes: &[u8], width: u64) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() as u64 == width).then(|| hashes.iter().copied().map(Digest).collect())
}

fn tile_file(id: TileId, hashes: &[Digest]) -> TreeFile {
    TreeFile {
        path: layout::tile(id, hashes.len() as u64),
        bytes: hashes.iter().flat_map(|hash| hash.0).collect(),
    }
}

/// Paths of the files of the edge of a tree of `size` leaves, as [`Edge::files`] has them.
pub(crate) fn edge_paths(size: u64) -> Vec<String> {
    let width = size % TILE_WIDTH;
    let bundle = (width > 0).then(|| layout::bundle(size / TILE_WIDTH, width));
    let tiles = partial_tiles(size).map(|id| layout::tile(id, id.width(size)));
    bundle.into_iter().chain(tiles).collect()
}

/// Paths of the files that leaves `from..to` filled.
pub(crate) fn full_paths(from: u64, to: u64) -> Vec<String> {
    let mut paths: Vec<String> = (from / TILE_WIDTH..to / TILE_WIDTH)
        .map(|n| layout::bundle(n, TILE_WIDTH))
        .collect();
    for level in 0..=MAX_TILE_LEVEL {
        let (first, end) = (nodes_at(level, from) / TILE_WIDTH, nodes_at(level, to) / TILE_WIDTH);
        paths.extend((first..end).map(|n| layout::tile(TileId { level, n }, TILE_WIDTH)));
    }
    paths
}

fn unreadable(path: &str, error: &io::Error) -> EdgeError {
    let what = match error.kind() {
        io::ErrorKind::NotFound => "the file is missing".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    EdgeError {
        path: path.to_owned(),
        what,
    }
}
