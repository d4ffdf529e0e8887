use super::*;
use crate::keys::Signer;
use crate::keys::tests::MemoryKey;

fn public(n: u8) -> PublicKey {
    MemoryKey::new(n).public().clone()
}

fn keys(numbers: &[u8]) -> TrustedKeys {
    TrustedKeys::new(numbers.iter().map(|n| public(*n)))
}

fn found(index: u64, change: KeyChange, signers: &[u8]) -> FoundChange {
    let payload = serde_json::json!({ "record_id": "lk_1", "body": { "kind": KIND, "detail": change } }).to_string();
    assert_eq!(KeyChange::of_payload(payload.as_bytes()), Some(change.clone()));
    let (first, others) = signers.split_first().unwrap();
    let mut envelope = dsse::seal(&MemoryKey::new(*first), "application/json", payload.as_bytes()).unwrap();
    for other in others {
        dsse::countersign(&mut envelope, &MemoryKey::new(*other)).unwrap();
    }
    FoundChange {
        index,
        change,
        envelope,
    }
}

fn rotated(from: u8, to: u8) -> KeyChange {
    KeyChange::Rotated {
        from: public(from).key_id().to_string(),
        from_public_key: public(from).to_pem().unwrap(),
        to: public(to).key_id().to_string(),
        to_public_key: public(to).to_pem().unwrap(),
        reason: "yearly".to_owned(),
    }
}

fn rotation(index: u64, from: u8, to: u8) -> FoundChange {
    found(index, rotated(from, to), &[from, to])
}

fn compromised(index: u64, key: u8, since_index: u64, signer: u8) -> FoundChange {
    let change = KeyChange::Compromised {
        key_id: public(key).key_id().to_string(),
        since_index,
        reason: "a laptop is gone".to_owned(),
    };
    found(index, change, &[signer])
}

#[test]
fn any_key_of_the_chain_gives_the_whole() {
    let changes = [rotation(10, 1, 2), rotation(20, 2, 3)];
    for trusted in [1, 2, 3] {
        let chain = KeyChain::new(&keys(&[trusted]), &changes);
        let at = [0, 10, 11, 20, 21, u64::MAX].map(|index| chain.at(index).clone());
        assert_eq!(at, [1, 1, 2, 2, 3, 3].map(|n| keys(&[n])), "{trusted}");
        assert_eq!(*chain.newest(), keys(&[3]));
        let newest = public(3).key_id().clone();
        let periods: Vec<_> = chain
            .periods(&[newest])
            .iter()
            .map(|it| (it.first_index, it.last_index))
            .collect();
        assert_eq!(periods, [(0, Some(10)), (11, Some(20)), (21, None)]);
    }
}

#[test]
fn without_a_rotation_the_readers_keys_count_everywhere() {
    let chain = KeyChain::new(&keys(&[1, 2]), &[]);
    assert_eq!((chain.at(0), chain.newest()), (&keys(&[1, 2]), &keys(&[1, 2])));
    let strangers = KeyChain::new(&keys(&[9]), &[rotation(10, 1, 2)]);
    assert_eq!((strangers.at(0), strangers.newest()), (&keys(&[9]), &keys(&[9])));
}

#[test]
fn a_rotation_takes_both_signatures_and_the_keys_that_it_names() {
    let mut other_pem = rotated(1, 2);
    if let KeyChange::Rotated { to_public_key, .. } = &mut other_pem {
        *to_public_key = public(3).to_pem().unwrap();
    }
    let same = rotated(1, 1);
    for forged in [
        found(10, rotated(1, 2), &[1]),
        found(10, rotated(1, 2), &[2]),
        found(10, rotated(1, 2), &[1, 3]),
        found(10, other_pem, &[1, 3]),
        found(10, same, &[1]),
    ] {
        for trusted in [1, 2] {
            let chain = KeyChain::new(&keys(&[trusted]), std::slice::from_ref(&forged));
            assert_eq!(*chain.newest(), keys(&[trusted]), "{:?}", forged.change);
        }
    }
}

#[test]
fn what_does_not_link_up_is_no_part_of_the_chain() {
    // The old key once more, after it was replaced; and a pair of strangers.
    let changes = [
        rotation(10, 1, 2),
        rotation(15, 1, 9),
        rotation(16, 7, 8),
        rotation(20, 2, 3),
    ];
    for trusted in [1, 2, 3] {
        let chain = KeyChain::new(&keys(&[trusted]), &changes);
        assert_eq!((chain.newest(), chain.at(17)), (&keys(&[3]), &keys(&[2])), "{trusted}");
    }
}

#[test]
fn a_compromise_is_declared_under_a_later_key() {
    let rotation = rotation(10, 1, 2);
    let of = |declared: FoundChange| {
        let chain = KeyChain::new(&keys(&[1]), &[rotation.clone(), declared]);
        [1, 2].map(|n| chain.compromised_since(public(n).key_id()))
    };
    assert_eq!(of(compromised(12, 1, 5, 2)), [Some(5), None]);
    for (what, declared) in [
        ("by the key itself, before it was replaced", compromised(8, 1, 5, 1)),
        ("by the key in force, of itself", compromised(12, 2, 11, 2)),
        ("by the old key, of the new one", compromised(12, 2, 11, 1)),
        ("by a stranger", compromised(12, 1, 5, 9)),
        ("of a stranger", compromised(12, 9, 5, 2)),
    ] {
        assert_eq!(of(declared), [None, None], "{what}");
    }
    let twice = [rotation.clone(), compromised(12, 1, 5, 2), compromised(13, 1, 7, 2)];
    let chain = KeyChain::new(&keys(&[2]), &twice);
    assert_eq!(
        chain.compromised_since(public(1).key_id()),
        Some(5),
        "the earlier of the two"
    );
}
