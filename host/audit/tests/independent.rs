//! The trail as implementations that are not ours see it: `tlog_tiles`, `signed_note`, OpenSSL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{ORIGIN, Workspace, append};
use pg_logstats_audit::Signer as _;
use proptest::prelude::{ProptestConfig, proptest};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Hash, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree, record_hash,
};

/// Reads our tiles for their reader, which compares what it uses with the root.
struct OurTiles(PathBuf);

impl TileReader for OurTiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            // Their paths name the height, C2SP's do not.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            std::fs::read(self.0.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// The leaves, from the bundles, read by the letter of the specification.
fn leaves(audit: &Path, size: u64) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for n in 0..size.div_ceil(256) {
        let width = (size - n * 256).min(256);
        let partial = if width < 256 {
            format!(".p/{width}")
        } else {
            String::new()
        };
        let bundle = std::fs::read(audit.join(format!("tile/entries/{n:03}{partial}"))).unwrap();
        let mut rest = bundle.as_slice();
        while let [high, low, after @ ..] = rest {
            let (leaf, after) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            leaves.push(leaf.to_vec());
            rest = after;
        }
    }
    assert_eq!(leaves.len() as u64, size);
    leaves
}

/// The checkpoint, its signature verified by `signed_note` and its text read by `tlog_tiles`.
fn checkpoint(workspace: &Workspace) -> Checkpoint {
    let note = std::fs::read(workspace.audit().join("checkpoint")).unwrap();
    let vkey = common::key(workspace.root.path()).public().vkey(ORIGIN);
    let verifiers = VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).unwrap())]);
    let note = Note::from_bytes(&note).unwrap();
    let (verified, unknown) = note.verify(&verifiers).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 0));
    let checkpoint = Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(checkpoint.origin(), ORIGIN);
    checkpoint
}

#[test]
fn every_checkpoint_and_every_inclusion_holds_for_another_implementation() {
    let workspace = Workspace::new();
    let log = workspace.log();
    let mut earlier: Vec<(u64, Hash)> = Vec::new();
    for n in 0..523u64 {
        append(&log, &format!("rp_{n}")).unwrap();
        if ![0, 1, 6, 254, 255, 256, 257, 511, 512, 522].contains(&n) {
            continue;
        }
        let checkpoint = checkpoint(&workspace);
        assert_eq!(checkpoint.size(), n + 1);
        check_inclusions(&workspace, &checkpoint);
        let tiles = OurTiles(workspace.audit());
        let reader = TileHashReader::new(checkpoint.size(), *checkpoint.hash(), &tiles);
        for (size, hash) in &earlier {
            let proof = prove_tree(checkpoint.size(), *size, &reader).unwrap();
            check_tree(&proof, checkpoint.size(), *checkpoint.hash(), *size, *hash).unwrap();
        }
        earlier.push((checkpoint.size(), *checkpoint.hash()));
    }
}

fn check_inclusions(workspace: &Workspace, checkpoint: &Checkpoint) {
    let tiles = OurTiles(workspace.audit());
    let reader = TileHashReader::new(checkpoint.size(), *checkpoint.hash(), &tiles);
    for (index, leaf) in (0..).zip(leaves(&workspace.audit(), checkpoint.size())) {
        let proof = prove_record(checkpoint.size(), index, &reader).unwrap();
        check_record(&proof, checkpoint.size(), *checkpoint.hash(), index, record_hash(&leaf)).unwrap();
        let forged = check_record(
            &proof,
            checkpoint.size(),
            *checkpoint.hash(),
            index,
            record_hash(b"forged"),
        );
        assert!(forged.is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_appends_verifies(
        records in proptest::collection::vec(("[a-z][a-z0-9_]{0,12}", proptest::option::of("[a-z]{3}_[0-9a-z]{1,8}"), proptest::num::i64::ANY, ".{0,200}", proptest::bool::ANY), 1..20),
    ) {
        let workspace = Workspace::new();
        let mut log = workspace.log();
        for (n, (kind, incident, created_us, text, reopen)) in records.iter().enumerate() {
            let payload = serde_json::to_vec(text).unwrap();
            let id = format!("rp_{n}");
            let sealed = log
                .append_with(kind, &id, incident.as_deref(), *created_us, |placement| {
                    assert_eq!(placement.index, n as u64);
                    Ok(payload.clone())
                })
                .unwrap();
            let record = log.read(&id).unwrap();
            assert_eq!(record.payload, payload);
            assert_eq!((record.root, record.tree_size), (sealed.root, sealed.tree_size));
            assert_eq!((&record.entry.kind, &record.entry.incident), (kind, incident));
            assert_eq!(record.entry.digest, sealed.record_digest);
            if *reopen {
                log = workspace.log();
            }
        }
        let report = workspace.assert_verified();
        assert_eq!(report.records, records.len() as u64);
        let checkpoint = checkpoint(&workspace);
        assert_eq!(checkpoint.size(), records.len() as u64);
        check_inclusions(&workspace, &checkpoint);
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output();
    output.unwrap_or_else(|error| panic!("`openssl` is needed for this test (Debian package `openssl`): {error}"))
}

#[test]
fn openssl_verifies_a_record_with_the_public_key() {
    let workspace = Workspace::new();
    let sealed = append(&workspace.log(), "rp_1").unwrap();
    let shard = &Command::new("sh")
        .args(["-c", "printf %s rp_1 | sha256sum | cut -c1-3"])
        .output()
        .unwrap()
        .stdout;
    let shard = std::str::from_utf8(shard).unwrap().trim();
    let record = workspace.audit().join(format!("records/{shard}/rp_1.0.json"));
    let envelope: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    assert_eq!(
        sealed.record_digest,
        pg_logstats_audit::Digest::of(&std::fs::read(&record).unwrap())
    );

    let payload_type = envelope["payloadType"].as_str().unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let mut pae = format!("DSSEv1 {} {} {} ", payload_type.len(), payload_type, payload.len()).into_bytes();
    pae.extend_from_slice(&payload);
    let signature = STANDARD
        .decode(envelope["signatures"][0]["sig"].as_str().unwrap())
        .unwrap();

    let folder = workspace.root.path();
    std::fs::write(folder.join("pae"), &pae).unwrap();
    std::fs::write(folder.join("sig"), signature).unwrap();
    let verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "keys/public-key.pem",
        "-rawin",
        "-in",
        "pae",
        "-sigfile",
        "sig",
    ];
    let output = openssl(folder, &verify);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    pae.push(b' ');
    std::fs::write(folder.join("pae"), &pae).unwrap();
    assert!(
        !openssl(folder, &verify).status.success(),
        "openssl accepted a changed payload"
    );
}

#[test]
fn openssl_reads_our_key_and_we_read_openssls() {
    let workspace = Workspace::new();
    let key = common::key(workspace.root.path());
    let keys = workspace.root.path().join("keys");
    let public = openssl(&keys, &["pkey", "-in", "signing-key.pem", "-pubout"]);
    assert!(public.status.success(), "{}", String::from_utf8_lossy(&public.stderr));
    assert_eq!(public.stdout, std::fs::read(keys.join("public-key.pem")).unwrap());
    let der = openssl(&keys, &["pkey", "-pubin", "-in", "public-key.pem", "-outform", "DER"]).stdout;
    assert_eq!(key.key_id().as_str(), pg_logstats_audit::Digest::of(&der).to_string());

    let other = Workspace::new();
    let keys = other.root.path().join("keys");
    let made = openssl(&keys, &["genpkey", "-algorithm", "ed25519", "-out", "signing-key.pem"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    append(&other.log(), "rp_1").unwrap();
    assert_eq!(other.assert_verified().records, 1);
}
