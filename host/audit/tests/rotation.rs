//! A record that gave the log another key, spoiled: whichever key an auditor has, the report says which record it is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{ORIGIN, append, dir};
use pg_logstats_audit::verify::MAX_LISTED;
use pg_logstats_audit::{
    KeyChange, Log, LogOptions, PrivateKey, PublicKey, Signer as _, TrustedKeys, VerifyReport, verify,
};

/// A log with three keys in turn, and where it lies.
struct Rotated {
    root: tempfile::TempDir,
    keys: Vec<PublicKey>,
    /// Places of the two rotations.
    at: [u64; 2],
    size: u64,
}

impl Rotated {
    /// So many records under each of the keys, the rotations besides.
    fn new(records: [usize; 3]) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("audit")).unwrap();
        let made: Vec<PrivateKey> = (0..3).map(|_| PrivateKey::generate().unwrap()).collect();
        let pem: Vec<String> = made.iter().map(|key| key.to_pem().unwrap().clone()).collect();
        let again = |n: usize| PrivateKey::from_pem(&pem[n]).unwrap();
        let keys: Vec<PublicKey> = made.iter().map(|key| key.public().clone()).collect();
        let (mut at, mut size) = ([0; 2], 0);
        for n in 0..3 {
            let options = LogOptions {
                also_trusted: TrustedKeys::new(keys.iter().cloned()),
                ..LogOptions::default()
            };
            let audit = dir(&root.path().join("audit"));
            let log = Log::open_with(audit, Box::new(again(n)), ORIGIN, options).unwrap();
            for _ in 0..records[n] {
                size = append(&log, &format!("rp_{size}")).unwrap().tree_size;
            }
            if n < 2 {
                at[n] = rotate(&log, &keys[n], &again(n + 1), &format!("lk_{size}"));
                size = at[n] + 1;
            }
        }
        Self { root, keys, at, size }
    }

    fn audit(&self) -> PathBuf {
        self.root.path().join("audit")
    }

    fn verify(&self, key: usize) -> VerifyReport {
        verify(&dir(&self.audit()), &self.keys[key].clone().into(), ORIGIN).unwrap()
    }

    /// The file of the record at `index`, relative to the log and as a path.
    fn record(&self, index: u64) -> (String, PathBuf) {
        let audit = self.audit();
        for shard in std::fs::read_dir(audit.join("records")).unwrap() {
            for file in std::fs::read_dir(shard.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                if path.to_str().unwrap().ends_with(&format!(".{index}.json")) {
                    let name = path.strip_prefix(&audit).unwrap().to_str().unwrap().to_owned();
                    return (name, path);
                }
            }
        }
        panic!("no record {index}")
    }

    /// The file with the entry, or else with the hash, of `index`; and the place of that in it.
    fn item(&self, index: u64, kind: &str) -> (String, PathBuf, std::ops::Range<usize>) {
        let width = match (self.size - index / 256 * 256).min(256) {
            256 => String::new(),
            width => format!(".p/{width}"),
        };
        let name = format!("tile/{kind}/{:03}{width}", index / 256);
        let path = self.audit().join(&name);
        let bytes = std::fs::read(&path).unwrap();
        let mut start = 0;
        for at in 0.. {
            let length = match kind {
                "entries" => 2 + usize::from(u16::from_be_bytes([bytes[start], bytes[start + 1]])),
                _ => 32,
            };
            if at == index % 256 {
                return (name, path, start..start + length);
            }
            start += length;
        }
        unreachable!()
    }

    /// What is said to an auditor with each of the keys while the records at `spoiled` are; `file` is what was changed.
    fn assert_named(&self, spoiled: &[u64], file: &str, what: &str) {
        for key in 0..3 {
            let report = self.verify(key);
            let context = format!("{what}, key {key}: {report:#?}");
            assert!(!report.is_verified(), "{context}");
            let named: BTreeSet<u64> = report.problems.iter().filter_map(|it| it.index).collect();
            assert_eq!(named, spoiled.iter().copied().collect(), "{context}");
            assert!(report.problems.iter().any(|it| it.file == file), "{context}");
            // Nothing is believed that lies behind a change of the key that is spoiled.
            let reaches = self.at[key..].iter().all(|at| !spoiled.contains(at));
            assert_eq!(report.checkpoint.is_some(), reaches, "{context}");
            let told = report
                .problems
                .iter()
                .any(|it| it.what.contains("so nothing in this trail is proven"));
            assert_eq!(told, !reaches, "{context}");
            if !reaches {
                assert_eq!((report.entries, report.records), (0, 0), "{context}");
                assert!(report.keys.is_empty() && report.records_by_key.is_empty(), "{context}");
                assert_eq!(report.key_chain, Default::default(), "{context}");
            }
        }
    }

    fn assert_verified(&self) {
        for key in 0..3 {
            let report = self.verify(key);
            assert!(report.is_verified() && report.keys.len() == 3, "key {key}: {report:#?}");
        }
    }
}

fn rotate(log: &Log, from: &PublicKey, to: &PrivateKey, id: &str) -> u64 {
    let change = KeyChange::Rotated {
        from: from.key_id().to_string(),
        from_public_key: from.to_pem().unwrap(),
        to: to.key_id().to_string(),
        to_public_key: to.public().to_pem().unwrap(),
        reason: "yearly".to_owned(),
    };
    let payload = serde_json::json!({ "record_id": id, "body": { "kind": "log_key", "detail": change } });
    log.rotate(to, id, 1, |_| serde_json::to_vec(&payload)).unwrap().index
}

fn put(path: &Path, bytes: &[u8]) {
    let mode = std::fs::metadata(path).unwrap().permissions();
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, mode).unwrap();
}

/// Flips a bit of each byte in a part of a file.
fn each_flipped(path: &Path, part: std::ops::Range<usize>, mut look: impl FnMut(usize)) {
    let bytes = std::fs::read(path).unwrap();
    for at in part {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        put(path, &other);
        look(at);
    }
    put(path, &bytes);
}

#[test]
fn a_spoiled_record_of_a_rotation_is_named_whichever_key_an_auditor_has() {
    let log = Rotated::new([2; 3]);
    assert_eq!(log.at, [2, 5]);
    for index in log.at {
        let (name, path) = log.record(index);
        let length = std::fs::read(&path).unwrap().len();
        each_flipped(&path, 0..length, |at| {
            log.assert_named(&[index], &name, &format!("{name}, byte {at}"))
        });
        let bytes = std::fs::read(&path).unwrap();
        let (_, other) = log.record(7 - index);
        let other = std::fs::read(other).unwrap();
        for (what, content) in [
            ("cut", &bytes[..bytes.len() - 1]),
            ("emptied", &[]),
            ("doubled", &[&bytes[..], &bytes[..]].concat()),
            ("the other one", &other),
        ] {
            put(&path, content);
            log.assert_named(&[index], &name, &format!("{name} {what}"));
        }
        let aside = log.root.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        log.assert_named(&[index], &name, &format!("{name} removed"));
        std::os::unix::fs::symlink(&aside, &path).unwrap();
        log.assert_named(&[index], &name, &format!("{name} a link"));
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        put(&path, &bytes);
    }
    log.assert_verified();
}

#[test]
fn both_rotations_spoiled_are_both_named() {
    let log = Rotated::new([2; 3]);
    let [(first, first_path), (_, second_path)] = log.at.map(|index| log.record(index));
    for at in [0, 400, 900] {
        each_flipped(&first_path, at..at + 1, |_| {
            each_flipped(&second_path, at..at + 1, |_| {
                log.assert_named(&log.at, &first, &format!("byte {at}"))
            });
        });
    }
    let [first_bytes, second_bytes] = [&first_path, &second_path].map(|path| std::fs::read(path).unwrap());
    put(&first_path, &second_bytes);
    put(&second_path, &first_bytes);
    log.assert_named(&log.at, &first, "swapped");
    put(&first_path, &first_bytes);
    put(&second_path, &second_bytes);
    log.assert_verified();
}

#[test]
fn a_spoiled_entry_of_a_rotation_is_named_and_so_is_its_hash() {
    let log = Rotated::new([2; 3]);
    for index in log.at {
        let (name, path, place) = log.item(index, "entries");
        // The first two bytes are its length, on which the entries behind it hang, too.
        each_flipped(&path, place.start + 2..place.end, |at| {
            log.assert_named(&[index], &name, &format!("{name}, byte {at}"));
        });
        let (name, path, place) = log.item(index, "0");
        each_flipped(&path, place, |at| {
            for key in 0..3 {
                let report = log.verify(key);
                let named: Vec<_> = report.problems.iter().map(|it| (it.index, it.file.as_str())).collect();
                assert_eq!(
                    named,
                    [(Some(index), name.as_str())],
                    "byte {at}, key {key}: {report:#?}"
                );
            }
        });
    }
    log.assert_verified();
}

/// Who has no key can change record, entry and hash alike, and is left with the root: the record does not verify either.
#[test]
fn a_rotation_that_was_forged_throughout_is_named() {
    let log = Rotated::new([2; 3]);
    for index in log.at {
        let (name, path) = log.record(index);
        let record = std::fs::read_to_string(&path).unwrap();
        // The first signature gets another first letter.
        let at = record.find("\"sig\":\"").unwrap() + 7;
        let letter = if record.as_bytes()[at] == b'A' { "B" } else { "A" };
        let forged = format!("{}{letter}{}", &record[..at], &record[at + 1..]);
        let digest = |text: &str| pg_logstats_audit::Digest::of(text.as_bytes()).to_string();
        let (_, bundle, place) = log.item(index, "entries");
        let (_, tile, hash) = log.item(index, "0");
        let (whole_bundle, whole_tile) = (std::fs::read(&bundle).unwrap(), std::fs::read(&tile).unwrap());
        let leaf = String::from_utf8(whole_bundle[place.start + 2..place.end].to_vec()).unwrap();
        let leaf = leaf.replace(&digest(&record), &digest(&forged));
        let (mut other_bundle, mut other_tile) = (whole_bundle.clone(), whole_tile.clone());
        other_bundle[place.start + 2..place.end].copy_from_slice(leaf.as_bytes());
        other_tile[hash].copy_from_slice(&pg_logstats_audit::merkle::leaf_hash(leaf.as_bytes()).0);
        put(&path, forged.as_bytes());
        put(&bundle, &other_bundle);
        put(&tile, &other_tile);
        for key in 0..3 {
            let report = log.verify(key);
            let named = |file: &str| report.problems.iter().any(|it| it.file == file);
            assert!(named(&name) && named("checkpoint"), "key {key}: {report:#?}");
            let indexes: BTreeSet<u64> = report.problems.iter().filter_map(|it| it.index).collect();
            assert_eq!(indexes, BTreeSet::from([index]), "key {key}: {report:#?}");
        }
        put(&path, record.as_bytes());
        put(&bundle, &whole_bundle);
        put(&tile, &whole_tile);
    }
    log.assert_verified();
}

/// More records than a report lists stand under the first key: where a key does not lead to it, they are one problem.
#[test]
fn a_spoiled_rotation_of_a_long_log_is_not_lost_among_the_records_that_hang_on_it() {
    let log = Rotated::new([MAX_LISTED + 10, 2, 2]);
    for index in log.at {
        let (name, path) = log.record(index);
        each_flipped(&path, 300..301, |_| log.assert_named(&[index], &name, &name));
        let (name, path, place) = log.item(index, "entries");
        each_flipped(&path, place.end - 20..place.end - 19, |_| {
            log.assert_named(&[index], &name, &name)
        });
    }
    log.assert_verified();
}

/// A checkpoint of a stranger states whatever size it likes.
#[test]
fn a_size_that_a_stranger_signed_is_told_and_harmless() {
    let log = Rotated::new([1; 3]);
    let note = log.audit().join("checkpoint");
    let text = std::fs::read_to_string(&note).unwrap();
    let stranger = PrivateKey::generate().unwrap();
    for size in [0, 1, 4, 6, 255, 256, 300_000, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        put(&note, text.replacen("\n5\n", &format!("\n{size}\n"), 1).as_bytes());
        let report = verify(&dir(&log.audit()), &stranger.public().clone().into(), ORIGIN).unwrap();
        assert!(
            !report.is_verified() && report.checkpoint.is_none(),
            "{size}: {report:#?}"
        );
        assert!(
            report.problems.iter().any(|it| it.file == "checkpoint"),
            "{size}: {report:#?}"
        );
    }
}
