use proptest::prelude::{any, proptest};

use super::{ConsistencyProof, InclusionProof, ProofError};
use crate::digest::Digest;
use crate::merkle::tests::{LEAVES, Tiles, leaves, mth, unhex};
use crate::merkle::{empty_root, leaf_hash};

fn inclusion(hashes: &[Digest], index: u64) -> InclusionProof {
    InclusionProof::from_tiles(&mut Tiles::of(hashes), index, hashes.len() as u64).unwrap()
}

fn consistency(hashes: &[Digest], old_size: u64) -> ConsistencyProof {
    ConsistencyProof::from_tiles(&mut Tiles::of(hashes), old_size, hashes.len() as u64).unwrap()
}

fn hex(hashes: &[Digest]) -> Vec<String> {
    hashes.iter().map(Digest::to_string).collect()
}

/// The proofs that Certificate Transparency's reference implementations publish for these leaves.
#[test]
fn published_proofs() {
    let hashes: Vec<Digest> = LEAVES.iter().map(|leaf| leaf_hash(&unhex(leaf))).collect();
    let [n1, n23, n4567] = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    let [n4, n67, n0123] = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    let n45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
    let none: [&str; 0] = [];
    assert_eq!(hex(&inclusion(&hashes[..1], 0).hashes), none);
    assert_eq!(hex(&inclusion(&hashes, 0).hashes), [n1, n23, n4567]);
    assert_eq!(hex(&inclusion(&hashes, 5).hashes), [n4, n67, n0123]);
    assert_eq!(hex(&consistency(&hashes, 1).hashes), [n1, n23, n4567]);
    assert_eq!(hex(&consistency(&hashes, 6).hashes), [n45, n67, n0123]);
    assert_eq!(hex(&consistency(&hashes[..5], 2).hashes), [n23, n4]);
    assert_eq!(hex(&consistency(&hashes, 8).hashes), none);
}

/// Every leaf and every pair of sizes, in every small tree.
#[test]
fn every_small_proof_holds() {
    let all = leaves(33);
    for size in 1..=all.len() {
        let hashes = &all[..size];
        let root = mth(hashes);
        for (index, leaf) in (0..).zip(hashes) {
            inclusion(hashes, index).verify(leaf, &root).unwrap();
        }
        for old_size in 0..=size {
            let old_root = mth(&hashes[..old_size]);
            let proof = consistency(hashes, old_size as u64);
            proof
                .verify(&old_root, &root)
                .unwrap_or_else(|error| panic!("{old_size} to {size}: {error}"));
        }
    }
}

#[test]
fn sizes_that_make_no_sense_are_told() {
    let hashes = leaves(5);
    let root = mth(&hashes);
    let outside = inclusion(&hashes, 5).verify(&hashes[0], &root);
    assert!(matches!(outside, Err(ProofError::OutOfTree { index: 5, tree_size: 5 })));
    let nowhere = InclusionProof {
        index: 0,
        tree_size: 0,
        hashes: Vec::new(),
    };
    assert!(matches!(nowhere.root(&root), Err(ProofError::OutOfTree { .. })));
    let shrunk = consistency(&hashes, 6).verify(&root, &root);
    assert!(matches!(
        shrunk,
        Err(ProofError::Shrunk {
            old_size: 6,
            new_size: 5
        })
    ));
    // The largest sizes there are.
    let proof = ConsistencyProof {
        old_size: u64::MAX - 1,
        new_size: u64::MAX,
        hashes: vec![root; 64],
    };
    assert!(proof.verify(&root, &root).is_err());
    let proof = InclusionProof {
        index: u64::MAX - 1,
        tree_size: u64::MAX,
        hashes: vec![root; 64],
    };
    assert!(proof.verify(&root, &root).is_err());
}

/// The empty tree begins every tree, a tree begins itself, and neither of them whatever roots are stated.
#[test]
fn equal_sizes_and_the_empty_tree_need_equal_roots() {
    let (one, other) = (leaf_hash(b"one"), leaf_hash(b"other"));
    let proof = |old_size, new_size, hashes| ConsistencyProof {
        old_size,
        new_size,
        hashes,
    };
    proof(0, 0, vec![]).verify(&empty_root(), &empty_root()).unwrap();
    proof(0, 7, vec![]).verify(&empty_root(), &one).unwrap();
    proof(7, 7, vec![]).verify(&one, &one).unwrap();
    for (case, old_root, new_root) in [
        (proof(0, 0, vec![]), empty_root(), one),
        (proof(0, 0, vec![]), one, empty_root()),
        (proof(0, 0, vec![]), one, one),
        (proof(0, 7, vec![]), one, other),
        (proof(0, 7, vec![one]), empty_root(), one),
        (proof(7, 7, vec![]), one, other),
        (proof(7, 7, vec![one]), one, one),
        (proof(4, 7, vec![]), one, one),
        (proof(3, 7, vec![]), one, one),
    ] {
        assert!(case.verify(&old_root, &new_root).is_err(), "{case:?}");
    }
}

proptest! {
    #[test]
    fn proofs_hold_and_changed_ones_do_not(size in 1usize..1500, pick in any::<u64>(), at in any::<proptest::sample::Index>()) {
        let hashes = leaves(size);
        let root = mth(&hashes);
        let index = pick % size as u64;
        let leaf = hashes[index as usize];
        let proof = inclusion(&hashes, index);
        proof.verify(&leaf, &root).unwrap();
        let wrong = |changed: InclusionProof| changed.verify(&leaf, &root).is_err();
        assert!(proof.verify(&leaf_hash(b"forged"), &root).is_err());
        assert!(proof.verify(&leaf, &leaf_hash(b"forged")).is_err());
        for other in [index.wrapping_sub(1), index + 1, index ^ 2, size as u64] {
            assert!(wrong(InclusionProof { index: other, ..proof.clone() }), "index {other}");
        }
        let mut longer = proof.clone();
        longer.hashes.push(root);
        assert!(wrong(longer));
        if !proof.hashes.is_empty() {
            let at = at.index(proof.hashes.len());
            for change in [|hash: &mut Digest| hash.0[31] ^= 1, |hash: &mut Digest| hash.0 = [0; 32]] {
                let mut changed = proof.clone();
                change(&mut changed.hashes[at]);
                assert!(wrong(changed));
            }
            let mut shorter = proof.clone();
            shorter.hashes.remove(at);
            assert!(wrong(shorter));
        }
    }

    #[test]
    fn a_log_is_continued_by_itself_and_by_no_other(size in 2usize..1500, pick in any::<u64>(), at in any::<proptest::sample::Index>()) {
        let hashes = leaves(size);
        let root = mth(&hashes);
        let old_size = 1 + pick % (size as u64 - 1);
        let old_root = mth(&hashes[..old_size as usize]);
        let proof = consistency(&hashes, old_size);
        proof.verify(&old_root, &root).unwrap();
        // A fork: one of the old entries is another one.
        let mut forked = hashes.clone();
        forked[at.index(old_size as usize)] = leaf_hash(b"another entry");
        let fork_root = mth(&forked[..old_size as usize]);
        assert!(proof.verify(&fork_root, &root).is_err());
        assert!(consistency(&forked, old_size).verify(&old_root, &mth(&forked)).is_err());
        // The same roots under other sizes; equal ones need no proof, and have two roots here.
        for other in [old_size - 1, old_size + 1] {
            let changed = ConsistencyProof { old_size: other, ..proof.clone() };
            assert!(changed.verify(&old_root, &root).is_err(), "old size {other}");
        }
        for at in 0..proof.hashes.len() {
            let mut changed = proof.clone();
            changed.hashes[at].0[0] ^= 0x80;
            assert!(changed.verify(&old_root, &root).is_err());
            let mut shorter = proof.clone();
            shorter.hashes.remove(at);
            assert!(shorter.verify(&old_root, &root).is_err());
        }
        let mut longer = proof;
        longer.hashes.push(root);
        assert!(longer.verify(&old_root, &root).is_err());
    }
}
