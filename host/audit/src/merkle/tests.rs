use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::{any, proptest};

use super::{Frontier, Known, TILE_WIDTH, TileId, TileSource, leaf_hash, node_hash, partial_tiles, root, root_with};
use crate::digest::Digest;

/// The eight leaves and the roots that Certificate Transparency's reference implementations publish.
pub(crate) const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// RFC 6962, section 2.1, word for word.
pub(crate) fn mth(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

/// Tiles made from the definition: every complete subtree of 256^level leaves.
pub(crate) struct Tiles(BTreeMap<(u8, u64), Digest>);

impl Tiles {
    pub(crate) fn of(leaves: &[Digest]) -> Self {
        let mut nodes = BTreeMap::new();
        for level in 0..3u8 {
            let span = (TILE_WIDTH as usize).pow(u32::from(level));
            for (n, subtree) in leaves.chunks_exact(span).enumerate() {
                nodes.insert((level, n as u64), mth(subtree));
            }
        }
        Self(nodes)
    }
}

impl TileSource for Tiles {
    type Error = Infallible;

    fn hash(&mut self, id: TileId, position: u64) -> Result<Digest, Infallible> {
        Ok(self.0[&(id.level, id.n * TILE_WIDTH + position)])
    }
}

pub(crate) fn leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|at| leaf_hash(&at.to_le_bytes())).collect()
}

#[test]
fn published_roots() {
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root().to_string(), ROOTS[0]);
    let mut hashes = Vec::new();
    for (leaf, expected) in LEAVES.iter().zip(&ROOTS[1..]) {
        let hash = leaf_hash(&unhex(leaf));
        frontier.push(hash);
        hashes.push(hash);
        assert_eq!(frontier.root().to_string(), *expected);
        assert_eq!(
            root(&mut Tiles::of(&hashes), hashes.len() as u64).unwrap().to_string(),
            *expected
        );
    }
}

#[test]
fn the_frontier_the_tiles_and_the_definition_agree_around_every_boundary() {
    for size in [
        1, 2, 3, 255, 256, 257, 511, 512, 513, 1000, 65_535, 65_536, 65_537, 65_793,
    ] {
        let hashes = leaves(size);
        let expected = mth(&hashes);
        let mut frontier = Frontier::default();
        hashes.iter().for_each(|hash| frontier.push(*hash));
        assert_eq!(frontier.root(), expected, "frontier of {size}");
        assert_eq!(
            root(&mut Tiles::of(&hashes), size as u64).unwrap(),
            expected,
            "tiles of {size}"
        );
    }
}

#[test]
fn widths_of_tiles() {
    assert_eq!(TileId { level: 0, n: 0 }.width(0), 0);
    assert_eq!(TileId { level: 0, n: 0 }.width(255), 255);
    assert_eq!(TileId { level: 0, n: 0 }.width(256), 256);
    assert_eq!(TileId { level: 0, n: 1 }.width(256), 0);
    assert_eq!(TileId { level: 1, n: 0 }.width(257), 1);
    assert_eq!(TileId { level: 7, n: 0 }.width(u64::MAX), 255);
    let partial: Vec<_> = partial_tiles(256 * 256 + 5).collect();
    assert_eq!(partial, [TileId { level: 0, n: 256 }, TileId { level: 2, n: 0 }]);
}

proptest! {
    #[test]
    fn a_known_leaf_or_bundle_gives_the_root_and_another_one_does_not(size in 1usize..1500, pick in any::<u64>()) {
        let hashes = leaves(size);
        let expected = mth(&hashes);
        let mut tiles = Tiles::of(&hashes);
        let size = size as u64;
        let index = pick % size;

        let leaf = Known { start: index, end: index + 1, hash: hashes[index as usize] };
        assert_eq!(root_with(&mut tiles, size, leaf).unwrap(), expected);
        let forged = Known { hash: leaf_hash(b"forged"), ..leaf };
        assert_ne!(root_with(&mut tiles, size, forged).unwrap(), expected);

        let start = index / TILE_WIDTH * TILE_WIDTH;
        let end = (start + TILE_WIDTH).min(size);
        let bundle = Known { start, end, hash: mth(&hashes[start as usize..end as usize]) };
        assert_eq!(root_with(&mut tiles, size, bundle).unwrap(), expected);
        let forged = Known { hash: leaf_hash(b"forged"), ..bundle };
        assert_ne!(root_with(&mut tiles, size, forged).unwrap(), expected);
    }
}
