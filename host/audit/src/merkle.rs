//! The Merkle tree of RFC 6962, kept in tiles of 256 hashes (C2SP tlog-tiles).
//!
//! **In**: leaf data, and a source of hash tiles. **Out**: hashes of nodes, of whole trees, and of trees in
//! which one aligned part was replaced by what the caller holds. **Trusted**: nothing that a source returns; a caller
//! compares the resulting root with a signed one. **Can fail**: only the source.
//!
//! A leaf is `SHA-256(0x00 ‖ data)`, an inner node `SHA-256(0x01 ‖ left ‖ right)`, the empty tree `SHA-256("")`. Tile
//! `(level, n)` holds the hashes of the nodes `n·256 …` at height `8·level`; the rightmost tile of a level may be partial.

use crate::digest::Digest;

/// Hashes in a full tile, and entries in a full bundle.
pub(crate) const TILE_WIDTH: u64 = 256;
/// Tile height in tree levels: 256 = 2^8.
const TILE_HEIGHT: u32 = 8;
/// Tile levels of a tree of up to 2^63 leaves.
pub(crate) const MAX_TILE_LEVEL: u8 = 7;

/// Hash of a leaf.
pub fn leaf_hash(data: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], data])
}

/// Hash of an inner node.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], &left.0, &right.0])
}

/// Root of the tree without leaves.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// Place of a hash tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TileId {
    /// 0 for leaf hashes; one step is eight levels of the tree.
    pub(crate) level: u8,
    /// Number of the tile within its level.
    pub(crate) n: u64,
}

impl TileId {
    /// Hashes this tile has in a tree of `size` leaves: 0 (absent) to 256.
    pub(crate) fn width(self, size: u64) -> u64 {
        let nodes = nodes_at(self.level, size);
        nodes.saturating_sub(self.n.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH)
    }
}

/// Complete subtrees of height `8·level` in a tree of `size` leaves.
pub(crate) fn nodes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(TILE_HEIGHT * u32::from(level)).unwrap_or(0)
}

/// The rightmost tile of each level that is partial in a tree of `size` leaves.
pub(crate) fn partial_tiles(size: u64) -> impl Iterator<Item = TileId> {
    (0..=MAX_TILE_LEVEL).filter_map(move |level| {
        let nodes = nodes_at(level, size);
        (!nodes.is_multiple_of(TILE_WIDTH)).then_some(TileId {
            level,
            n: nodes / TILE_WIDTH,
        })
    })
}

/// Where hash tiles come from.
pub(crate) trait TileSource {
    /// Why a tile cannot be had.
    type Error;

    /// The hash at `position` (below the tile's width) of tile `id`.
    fn hash(&mut self, id: TileId, position: u64) -> Result<Digest, Self::Error>;
}

/// A part of the tree whose hash the caller already holds: leaves `start..end`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) hash: Digest,
}

/// Root of the tree of `size` leaves, from tiles alone.
pub(crate) fn root<S: TileSource>(source: &mut S, size: u64) -> Result<Digest, S::Error> {
    node(source, 0, size)
}

/// Hash of the node over leaves `start..end`, which must be a node of some tree in the source: `start` is a multiple of the
/// power of two that is at least `end - start`. Without leaves, the empty root.
pub(crate) fn node<S: TileSource>(source: &mut S, start: u64, end: u64) -> Result<Digest, S::Error> {
    if end <= start {
        return Ok(empty_root());
    }
    range_hash(source, start, end, None)
}

/// Root of the tree of `size` leaves in which `known` stands in place of what the tiles say about these leaves: equal to
/// the signed root only if `known` is in that tree. `known` must be a node of the tree, as a single leaf or an entry
/// bundle is.
pub(crate) fn root_with<S: TileSource>(source: &mut S, size: u64, known: Known) -> Result<Digest, S::Error> {
    range_hash(source, 0, size, Some(known))
}

/// RFC 6962's MTH over leaves `start..end`, which must not be empty.
fn range_hash<S: TileSource>(source: &mut S, start: u64, end: u64, known: Option<Known>) -> Result<Digest, S::Error> {
    let known = known.filter(|known| known.start < end && start < known.end);
    if let Some(known) = known.filter(|known| known.start == start && known.end == end) {
        return Ok(known.hash);
    }
    let leaves = end - start;
    // A complete subtree whose height is a multiple of eight stands in a tile as one hash.
    if known.is_none() && leaves.is_power_of_two() && leaves.trailing_zeros().is_multiple_of(TILE_HEIGHT) {
        let level = (leaves.trailing_zeros() / TILE_HEIGHT) as u8;
        let node = start / leaves;
        return source.hash(
            TileId {
                level,
                n: node / TILE_WIDTH,
            },
            node % TILE_WIDTH,
        );
    }
    let middle = start + split(leaves);
    let left = range_hash(source, start, middle, known)?;
    let right = range_hash(source, middle, end, known)?;
    Ok(node_hash(&left, &right))
}

/// The largest power of two below `leaves`, which is at least 2.
pub(crate) fn split(leaves: u64) -> u64 {
    1 << (u64::BITS - 1 - (leaves - 1).leading_zeros())
}

/// Computes the root of leaves that come one after the other, in memory that grows with the logarithm of their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    /// Roots of complete subtrees, highest first, as the binary digits of `size` say.
    subtrees: Vec<Digest>,
    size: u64,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves, from the partial tile of each level, lowest first: each has the nodes that eight
    /// binary digits of `size` stand for.
    pub(crate) fn of_tiles(tiles: &[Vec<Digest>], size: u64) -> Self {
        let mut subtrees = Vec::new();
        for tile in tiles.iter().rev() {
            let mut level = Self::default();
            tile.iter().for_each(|hash| level.push(*hash));
            subtrees.append(&mut level.subtrees);
        }
        Self { subtrees, size }
    }

    /// Adds the next leaf hash.
    pub(crate) fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// Root over all leaves so far.
    pub(crate) fn root(&self) -> Digest {
        let folded = self
            .subtrees
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(empty_root)
    }
}

#[cfg(test)]
pub(crate) mod tests;
