//! Merkle proofs: that an entry stands in a tree, and that one tree is the beginning of another (RFC 9162, sections 2.1.3 and
//! 2.1.4, which are RFC 6962's of section 2.1).
//!
//! **In**: hash tiles to make a proof from; or a proof, sizes and roots to check it with. **Out**: the hashes of the proof; or
//! whether it holds. **Trusted**: nothing. The checks are pure functions of what is handed in, and a caller that wants to
//! know anything about a log hands in roots that stand in signed checkpoints. **Can fail**: [`ProofError`].
//!
//! A proof has at most 64 hashes for an entry and 65 for two trees, whatever the sizes: the loops end after one bit of the
//! size each.

use crate::digest::Digest;
use crate::merkle::{TileSource, empty_root, node, node_hash, split};

mod text;

pub use text::{MAX_PROOF_BYTES, ProvenEntry, TlogProof, UnprovenError};

/// Most hashes a proof can need: one per level of a tree of 2^64 leaves.
pub(crate) const MAX_HASHES: usize = 64;

/// That the leaf at `index` stands in the tree of `tree_size` leaves. Nobody has checked it: see [`InclusionProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The place of the leaf, from 0.
    pub index: u64,
    /// Leaves of the tree.
    pub tree_size: u64,
    /// The hashes beside the way from the leaf to the root, the leaf's sibling first.
    pub hashes: Vec<Digest>,
}

/// That the tree of `old_size` leaves is the beginning of the one of `new_size`. Nobody has checked it: see
/// [`ConsistencyProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// Leaves of the earlier tree.
    pub old_size: u64,
    /// Leaves of the later tree.
    pub new_size: u64,
    /// The hashes, in the order of RFC 9162. None when the sizes are equal or the earlier tree is empty.
    pub hashes: Vec<Digest>,
}

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf would stand outside of the tree.
    #[error("entry {index} does not exist in a log of {tree_size} entries")]
    OutOfTree {
        /// The index.
        index: u64,
        /// The size of the tree.
        tree_size: u64,
    },
    /// The later tree is smaller than the earlier one.
    #[error("a log of {new_size} entries cannot have grown from one of {old_size}: it was cut or rolled back")]
    Shrunk {
        /// Size of the earlier tree.
        old_size: u64,
        /// Size of the later tree.
        new_size: u64,
    },
    /// More or fewer hashes than the sizes need.
    #[error("the proof has {found} hashes, which is not what the sizes need")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// The hashes do not lead to the root of the tree.
    #[error("the hashes of the proof lead to the root {computed}, and the log has {stated}")]
    Root {
        /// Where they lead.
        computed: Digest,
        /// Where they should.
        stated: Digest,
    },
    /// The hashes do not lead to the root of the earlier tree: its entries are not all there any more, or the proof is wrong.
    #[error(
        "the hashes of the proof lead to the earlier root {computed}, and {stated} was signed: the log was rewritten, or the proof was changed"
    )]
    OldRoot {
        /// Where they lead.
        computed: Digest,
        /// Where they should.
        stated: Digest,
    },
}

impl InclusionProof {
    /// Makes the proof from hash tiles of a tree that has at least `tree_size` leaves (RFC 9162, section 2.1.3.1). `index`
    /// must be below `tree_size`; for another one the proof has no hashes and does not verify.
    pub(crate) fn from_tiles<S: TileSource>(source: &mut S, index: u64, tree_size: u64) -> Result<Self, S::Error> {
        let mut hashes = Vec::new();
        if index < tree_size {
            let (mut start, mut end) = (0, tree_size);
            while end - start > 1 {
                let middle = start + split(end - start);
                if index < middle {
                    hashes.push(node(source, middle, end)?);
                    end = middle;
                } else {
                    hashes.push(node(source, start, middle)?);
                    start = middle;
                }
            }
            hashes.reverse();
        }
        Ok(Self {
            index,
            tree_size,
            hashes,
        })
    }

    /// The root to which the proof leads from the hash of the leaf (RFC 9162, section 2.1.3.2).
    pub fn root(&self, leaf_hash: &Digest) -> Result<Digest, ProofError> {
        let (index, tree_size) = (self.index, self.tree_size);
        let Some(last) = tree_size.checked_sub(1).filter(|last| index <= *last) else {
            return Err(ProofError::OutOfTree { index, tree_size });
        };
        let mut at = Position { node: index, last };
        let mut hash = *leaf_hash;
        for beside in &self.hashes {
            hash = match at.climb().ok_or(self.wrong_length())? {
                Side::Left => node_hash(beside, &hash),
                Side::Right => node_hash(&hash, beside),
            };
        }
        at.is_root().then_some(hash).ok_or(self.wrong_length())
    }

    /// Whether the leaf of this hash stands at the index of the tree with this root.
    pub fn verify(&self, leaf_hash: &Digest, root: &Digest) -> Result<(), ProofError> {
        let computed = self.root(leaf_hash)?;
        if computed != *root {
            return Err(ProofError::Root {
                computed,
                stated: *root,
            });
        }
        Ok(())
    }

    fn wrong_length(&self) -> ProofError {
        ProofError::Length {
            found: self.hashes.len(),
        }
    }
}

impl ConsistencyProof {
    /// Makes the proof from hash tiles of a tree that has at least `new_size` leaves (RFC 9162, section 2.1.4.1). `old_size`
    /// must be at most `new_size`; for another one the proof has no hashes and does not verify.
    pub(crate) fn from_tiles<S: TileSource>(source: &mut S, old_size: u64, new_size: u64) -> Result<Self, S::Error> {
        let mut hashes = Vec::new();
        if 0 < old_size && old_size < new_size {
            // SUBPROOF(m, D[start:end], whole), from the outside in: the order of the RFC is the reverse.
            let (mut start, mut end, mut whole) = (0, new_size, true);
            while end != old_size {
                let middle = start + split(end - start);
                if old_size <= middle {
                    hashes.push(node(source, middle, end)?);
                    end = middle;
                } else {
                    hashes.push(node(source, start, middle)?);
                    start = middle;
                    whole = false;
                }
            }
            if !whole {
                hashes.push(node(source, start, end)?);
            }
            hashes.reverse();
        }
        Ok(Self {
            old_size,
            new_size,
            hashes,
        })
    }

    /// Whether the tree with `old_root` is the beginning of the one with `new_root` (RFC 9162, section 2.1.4.2).
    pub fn verify(&self, old_root: &Digest, new_root: &Digest) -> Result<(), ProofError> {
        let (old_size, new_size) = (self.old_size, self.new_size);
        if old_size > new_size {
            return Err(ProofError::Shrunk { old_size, new_size });
        }
        if old_size == 0 || old_size == new_size {
            // Nothing to compute: the empty tree begins every tree, and a tree itself.
            if !self.hashes.is_empty() {
                return Err(self.wrong_length());
            }
            let stated_twice = if old_size == 0 { empty_root() } else { *new_root };
            return same_old(stated_twice, old_root).and(if new_size == 0 {
                same_new(empty_root(), new_root)
            } else {
                Ok(())
            });
        }
        // A complete earlier tree is itself a node of the later one, and not in the proof.
        let complete = old_size.is_power_of_two().then_some(old_root);
        let mut hashes = complete.into_iter().chain(&self.hashes);
        let mut at = Position {
            node: old_size - 1,
            last: new_size - 1,
        };
        at.skip_right_children();
        let first = *hashes.next().ok_or(self.wrong_length())?;
        let (mut old, mut new) = (first, first);
        for beside in hashes {
            match at.climb().ok_or(self.wrong_length())? {
                Side::Left => {
                    old = node_hash(beside, &old);
                    new = node_hash(beside, &new);
                }
                Side::Right => new = node_hash(&new, beside),
            }
        }
        if !at.is_root() {
            return Err(self.wrong_length());
        }
        same_old(old, old_root)?;
        same_new(new, new_root)
    }

    fn wrong_length(&self) -> ProofError {
        ProofError::Length {
            found: self.hashes.len(),
        }
    }
}

/// On which side of the node the next hash of a proof stands.
enum Side {
    Left,
    Right,
}

/// A node on the way to the root, and the last node of its level: `fn` and `sn` of RFC 9162.
struct Position {
    node: u64,
    last: u64,
}

impl Position {
    /// Goes to the parent, and says on which side the sibling stands; `None` at the root, which has none.
    fn climb(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last node of a level may be without sibling there; its parent is the same hash.
            while self.node & 1 == 0 && self.node != 0 {
                self.shift();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.shift();
        Some(side)
    }

    /// Goes up while the node is a right child: the start of a consistency proof.
    fn skip_right_children(&mut self) {
        while self.node & 1 == 1 {
            self.shift();
        }
    }

    fn shift(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    fn is_root(&self) -> bool {
        self.last == 0
    }
}

fn same_old(computed: Digest, stated: &Digest) -> Result<(), ProofError> {
    if computed == *stated {
        return Ok(());
    }
    Err(ProofError::OldRoot {
        computed,
        stated: *stated,
    })
}

fn same_new(computed: Digest, stated: &Digest) -> Result<(), ProofError> {
    if computed == *stated {
        return Ok(());
    }
    Err(ProofError::Root {
        computed,
        stated: *stated,
    })
}

#[cfg(test)]
mod tests;
