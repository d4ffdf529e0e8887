use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::{any, proptest};

use super::{prove, prove_in};
use crate::digest::Digest;
use crate::dsse::seal;
use crate::edge::Edge;
use crate::entry::{Entry, payload_type, push_to_bundle};
use crate::error::AuditError;
use crate::files::DirFiles;
use crate::keys::tests::MemoryKey;
use crate::keys::{Signer as _, TrustedKeys};
use crate::layout;
use crate::log::tests::append;
use crate::log::{Log, NewRecord};
use crate::merkle::{TILE_WIDTH, leaf_hash};
use crate::note::sign_checkpoint;
use crate::proof::{ProofError, TlogProof, UnprovenError};
use crate::snapshot::{Snapshot, read_checkpoint};

const ORIGIN: &str = "example.com/log";

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn open(path: &Path) -> Log {
    Log::open(dir(path), Box::new(MemoryKey::new(3)), ORIGIN).unwrap()
}

fn keys() -> TrustedKeys {
    MemoryKey::new(3).public().clone().into()
}

fn filled(path: &Path, size: u64) -> Log {
    let log = open(path);
    for n in 0..size {
        let id = format!("rp_{n}");
        let payload = format!("\"{id}\"");
        let record = NewRecord {
            id: &id,
            kind: "note",
            incident: None,
            created_us: 1,
            payload: payload.as_bytes(),
        };
        log.append(&record).unwrap();
    }
    log
}

#[test]
fn a_proof_verifies_alone_and_with_the_record_it_is_about() {
    let folder = folder();
    let log = filled(folder.path(), 300);
    for index in [0, 1, 2, 255, 256, 257, 298, 299] {
        let id = format!("rp_{index}");
        let text = log.prove(&id).unwrap().to_text();
        let proof = TlogProof::parse(text.as_bytes()).unwrap();
        assert_eq!(proof.to_text(), text);
        let (read, proof_with_it) = log.read_and_prove_at(&id, &log.checkpoint().unwrap()).unwrap();
        assert_eq!((&read, &proof_with_it), (&log.read(&id).unwrap(), &proof));
        let proven = proof.verify(ORIGIN, &keys(), None).unwrap();
        assert_eq!(
            (proven.index, proven.entry.id.as_str(), proven.checkpoint.size),
            (index, id.as_str(), 300)
        );
        let path = |index| folder.path().join(layout::record(&format!("rp_{index}"), index));
        let record = std::fs::read(path(index)).unwrap();
        let (payload, signers) = proven.open_record(&record, &keys()).unwrap();
        assert_eq!((payload.as_slice(), signers.len()), (format!("\"{id}\"").as_bytes(), 1));
        // Another record, and this one changed.
        let other = std::fs::read(path((index + 1) % 300)).unwrap();
        for record in [other, [record.as_slice(), b"\n"].concat(), Vec::new()] {
            let error = proven.open_record(&record, &keys()).unwrap_err();
            assert!(matches!(error, UnprovenError::Record { .. }), "{error}");
        }
        let stranger = MemoryKey::new(4).public().clone().into();
        assert!(matches!(
            proof.verify(ORIGIN, &stranger, None),
            Err(UnprovenError::Checkpoint(_))
        ));
        assert!(proof.verify("example.com/other", &keys(), None).is_err());
    }
    // The same from the folder alone, with the public key and no lock.
    let offline = |id| prove(&dir(folder.path()), &keys(), ORIGIN, id, None);
    assert_eq!(offline("rp_257").unwrap(), log.prove("rp_257").unwrap());
    assert!(matches!(offline("rp_300"), Err(AuditError::UnknownId { .. })));
    assert!(matches!(offline("../rp_1"), Err(AuditError::BadId { .. })));
    assert!(matches!(log.prove("rp_300"), Err(AuditError::UnknownId { .. })));
    assert!(matches!(log.prove("../rp_1"), Err(AuditError::BadId { .. })));
}

#[test]
fn every_changed_byte_of_a_proof_is_noticed() {
    let folder = folder();
    let text = filled(folder.path(), 21).prove("rp_19").unwrap().to_text().into_bytes();
    let verify = |bytes: &[u8]| TlogProof::parse(bytes).and_then(|proof| proof.verify(ORIGIN, &keys(), None));
    verify(&text).unwrap();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone();
            changed[at] ^= 1 << bit;
            assert!(verify(&changed).is_err(), "byte {at}, bit {bit}");
        }
        assert!(verify(&text[..at]).is_err(), "cut at {at}");
    }
    let lines: Vec<&str> = std::str::from_utf8(&text).unwrap().split_inclusive('\n').collect();
    for at in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(at);
        assert!(verify(without.concat().as_bytes()).is_err(), "without line {at}");
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        assert!(verify(twice.concat().as_bytes()).is_err(), "line {at} twice");
        if at > 0 && lines[at] != lines[at - 1] {
            let mut swapped = lines.clone();
            swapped.swap(at, at - 1);
            assert!(verify(swapped.concat().as_bytes()).is_err(), "lines {at} and before");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        lines in proptest::collection::vec("(extra |index |c2sp.org/tlog-proof@v1|old |\u{2014} )?[A-Za-z0-9+/=]{0,60}", 0..12),
    ) {
        let text = lines.join("\n");
        for bytes in [bytes.as_slice(), text.as_bytes(), format!("c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n{text}").as_bytes()] {
            let verified = TlogProof::parse(bytes).and_then(|proof| proof.verify(ORIGIN, &keys(), None));
            assert!(verified.is_err());
        }
    }
}

#[test]
fn growth_is_proven_and_a_larger_past_is_not() {
    let folder = folder();
    let log = open(folder.path());
    let mut roots = vec![log.checkpoint().unwrap().root];
    drop(log);
    let log = open(folder.path());
    for n in 0..270 {
        let id = format!("rp_{n}");
        append(&log, &id).unwrap();
        roots.push(log.checkpoint().unwrap().root);
    }
    let now = log.checkpoint().unwrap();
    for (old_size, old_root) in (0..).zip(&roots) {
        log.consistency(old_size).unwrap().verify(old_root, &now.root).unwrap();
    }
    let wrong = log.consistency(100).unwrap().verify(&roots[99], &now.root);
    assert!(matches!(wrong, Err(ProofError::OldRoot { .. })));
    assert!(matches!(
        log.consistency(271),
        Err(AuditError::Beyond { asked: 271, size: 270 })
    ));
}

#[test]
fn nothing_is_proven_from_a_tampered_tile_or_about_a_tampered_record() {
    let folder = folder();
    let log = filled(folder.path(), 300);
    let path = folder.path().join("tile/0/000");
    let bytes = std::fs::read(&path).unwrap();
    let mut changed = bytes.clone();
    changed[40] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    assert!(matches!(log.prove("rp_0"), Err(AuditError::Tampered { .. })));
    assert!(matches!(log.consistency(3), Err(AuditError::Tampered { .. })));
    std::fs::write(&path, &bytes).unwrap();
    log.prove("rp_0").unwrap();
    std::fs::remove_file(folder.path().join(layout::record("rp_0", 0))).unwrap();
    assert!(matches!(log.prove("rp_0"), Err(AuditError::RecordTampered { .. })));
}

/// A log of a million entries, of which one has its record: what a proof needs is there, made as an append makes it. Timed is
/// all that a process does that has just started, from reading and verifying the checkpoint on.
#[test]
fn a_proof_takes_less_than_five_milliseconds_at_a_million_records() {
    const SIZE: u64 = 1_000_000;
    const INDEX: u64 = 637_123;
    let folder = folder();
    let key = MemoryKey::new(3);
    let record = seal(&key, &payload_type("note"), b"{}").unwrap().to_bytes().unwrap();
    let entry = |n: u64| Entry {
        kind: "note".to_owned(),
        id: format!("rp_{n}"),
        incident: None,
        created_us: 1,
        payload_type: payload_type("note"),
        digest: if n == INDEX {
            Digest::of(&record)
        } else {
            Digest::of(&n.to_be_bytes())
        },
    };
    let tile = |hashes: &[Digest]| hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>();
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let mut edge = Edge::default();
    // Every tile, and of the bundles the two that are read.
    let (mut bundle, mut last_bundle) = (Vec::new(), Vec::new());
    for n in 0..SIZE {
        let leaf = entry(n).to_text();
        if n / TILE_WIDTH == INDEX / TILE_WIDTH {
            assert!(push_to_bundle(&mut bundle, &leaf));
        }
        if n / TILE_WIDTH == SIZE / TILE_WIDTH {
            assert!(push_to_bundle(&mut last_bundle, &leaf));
        }
        edge.push_hash(leaf_hash(leaf.as_bytes()), |id, hashes| {
            write(&layout::tile(id, TILE_WIDTH), &tile(hashes));
        });
    }
    for (id, hashes) in edge.partial() {
        write(&layout::tile(id, id.width(SIZE)), &tile(hashes));
    }
    write(&layout::bundle(INDEX / TILE_WIDTH, TILE_WIDTH), &bundle);
    write(&layout::bundle(SIZE / TILE_WIDTH, SIZE % TILE_WIDTH), &last_bundle);
    write(&layout::record(&format!("rp_{INDEX}"), INDEX), &record);
    let note = sign_checkpoint(&key, ORIGIN, SIZE, &edge.root()).unwrap();
    write("checkpoint", note.as_bytes());

    let files = DirFiles::new(dir(folder.path()));
    let load = || Arc::new(Snapshot::load(&files, read_checkpoint(&files, ORIGIN, &keys()).unwrap().unwrap()).unwrap());
    let id = format!("rp_{INDEX}");
    let mut times: Vec<Duration> = (0..51)
        .map(|_| {
            let start = Instant::now();
            let (_, proof) = prove_in(&load(), &files, &keys(), &id, None).unwrap();
            let time = start.elapsed();
            assert_eq!(proof.verify(ORIGIN, &keys(), None).unwrap().index, INDEX);
            time
        })
        .collect();
    times.sort();
    let median = times[times.len() / 2];
    eprintln!(
        "a proof at {SIZE} records: median {median:?}, slowest {:?}",
        times[times.len() - 1]
    );
    assert!(median <= Duration::from_millis(5), "{median:?}");
    let start = Instant::now();
    load().grown_from(&files, 999_937).unwrap();
    eprintln!("consistency: {:?}", start.elapsed());
}
