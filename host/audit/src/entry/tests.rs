use proptest::option;
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{Entry, is_id, is_kind, payload_type, push_to_bundle, split_bundle};
use crate::digest::Digest;

fn entry() -> Entry {
    Entry {
        kind: "run_sql_intent".to_owned(),
        id: "in_7k2m".to_owned(),
        incident: None,
        created_us: -5,
        payload_type: payload_type("run_sql_intent"),
        digest: Digest::of(b""),
    }
}

#[test]
fn the_documented_form() {
    let expected = "pg-logstats audit entry v1\nkind run_sql_intent\nid in_7k2m\nincident -\ncreated_us -5\n\
        payload_type application/vnd.pg-logstats.run_sql_intent+json\n\
        sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n";
    assert_eq!(entry().to_text(), expected);
    assert_eq!(Entry::parse(expected.as_bytes()), Some(entry()));
}

#[test]
fn only_the_canonical_spelling_is_read() {
    let text = entry().to_text();
    for (from, to) in [
        ("entry v1", "entry v2"),
        ("created_us -5", "created_us -05"),
        ("created_us -5", "created_us +5"),
        ("incident -", "incident"),
        ("incident -", "incident ../x"),
        ("id in_7k2m", "id ../7k2m"),
        ("e3b0c", "E3B0C"),
        ("+json", "+cbor"),
        ("kind run_sql_intent", "kind  run_sql_intent"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert_eq!(Entry::parse(changed.as_bytes()), None, "{to}");
    }
    assert_eq!(Entry::parse(format!("{text}\n").as_bytes()), None);
    assert_eq!(Entry::parse(text.trim_end().as_bytes()), None);
    assert_eq!(Entry::parse(&[0xff; 10]), None);
}

#[test]
fn ids_and_kinds() {
    for id in ["rp_0", "inc_04d1", "abcd_zz9"] {
        assert!(is_id(id), "{id}");
    }
    let long = format!("rp_{}", "a".repeat(41));
    for bad in [
        "",
        "rp_",
        "r_1",
        "abcde_1",
        "RP_1",
        "rp_A",
        "rp-1",
        "../rp_1",
        "rp_1/..",
        "rp_1.json",
        "rp_1_2",
        "rp_é",
        &long,
    ] {
        assert!(!is_id(bad), "{bad}");
    }
    assert!(is_kind("triage_report"));
    for bad in ["", "_x", "1x", "Triage", "a b", "a-b", &"k".repeat(41)] {
        assert!(!is_kind(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        kind in "[a-z][a-z0-9_]{0,39}",
        id in "[a-z]{2,4}_[0-9a-z]{1,40}",
        incident in option::of("[a-z]{2,4}_[0-9a-z]{1,40}"),
        created_us in any::<i64>(),
        digest in any::<[u8; 32]>(),
    ) {
        let payload_type = payload_type(&kind);
        let entry = Entry { kind, id, incident, created_us, payload_type, digest: Digest(digest) };
        prop_assert_eq!(Entry::parse(entry.to_text().as_bytes()), Some(entry));
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in any::<Vec<u8>>()) {
        let _whatever = Entry::parse(&bytes);
        let leaves: Vec<_> = split_bundle(&bytes).collect();
        // Only the last one can be cut short.
        assert!(leaves.iter().rev().skip(1).all(Option::is_some));
    }

    #[test]
    fn a_bundle_is_split_where_it_was_joined(leaves in proptest::collection::vec("[a-z\n]{0,300}", 0..20)) {
        let mut bundle = Vec::new();
        for leaf in &leaves {
            assert!(push_to_bundle(&mut bundle, leaf));
        }
        let split: Vec<_> = split_bundle(&bundle).map(|leaf| leaf.unwrap().to_vec()).collect();
        prop_assert_eq!(split, leaves.into_iter().map(String::into_bytes).collect::<Vec<_>>());
    }
}

#[test]
fn an_entry_longer_than_its_length_field_is_refused() {
    assert!(!push_to_bundle(&mut Vec::new(), &"x".repeat(65_536)));
}
