//! The trail as implementations that are not ours see it: `tlog_tiles`, `signed_note`, OpenSSL, and `verifiers/tlog.py`, which is
//! written from the specifications alone.
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
use common::{ORIGIN, Workspace, append, dir, python};
use pg_logstats_audit::{Log, LogKey, Policy, PrivateKey, Signer as _, TlogProof, Witness};
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

/// Our proofs, checked by `tlog_tiles`.
#[test]
fn our_proofs_hold_for_another_implementation() {
    let workspace = Workspace::new();
    let log = workspace.log();
    let mut earlier = Vec::new();
    for n in 0..300u64 {
        append(&log, &format!("rp_{n}")).unwrap();
        if [0, 1, 2, 6, 127, 254, 255, 256, 298].contains(&n) {
            earlier.push(log.checkpoint().unwrap());
        }
    }
    let now = log.checkpoint().unwrap();
    let root = Hash(*now.root.as_bytes());
    let theirs =
        |hashes: &[pg_logstats_audit::Digest]| hashes.iter().map(|hash| Hash(*hash.as_bytes())).collect::<Vec<_>>();
    for (index, leaf) in (0..).zip(leaves(&workspace.audit(), now.size)).step_by(7) {
        let text = log.prove(&format!("rp_{index}")).unwrap().to_text();
        // By the letter of the specification: the hashes are the lines from the fourth to the first empty one.
        let hashes = text.lines().skip(3).take_while(|line| !line.is_empty());
        let hashes: Vec<Hash> = hashes
            .map(|line| Hash(STANDARD.decode(line).unwrap().try_into().unwrap()))
            .collect();
        check_record(&hashes, now.size, root, index, record_hash(&leaf)).unwrap();
    }
    for old in earlier {
        let proof = log.consistency(old.size).unwrap();
        let old_root = Hash(*old.root.as_bytes());
        check_tree(&theirs(&proof.hashes), now.size, root, old.size, old_root).unwrap();
        assert!(check_tree(&theirs(&proof.hashes), now.size, root, old.size, root).is_err());
    }
}

/// Runs `tlog.py` for a trail, and says whether it verified and what it said.
fn tlog(workspace: &Workspace, verb: &str, arguments: &[&str]) -> (bool, String) {
    let key = workspace.root.path().join("keys/public-key.pem");
    let mut all = vec![verb, "--origin", ORIGIN, "--key", key.to_str().unwrap()];
    all.extend_from_slice(arguments);
    let output = python("tlog.py", all.iter().map(|argument| argument.as_ref()));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    match output.status.code() {
        Some(0) => (true, said),
        Some(1) if said.starts_with("NOT VERIFIED") => (false, said),
        _ => panic!("{said}"),
    }
}

fn write(workspace: &Workspace, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = workspace.root.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A trail of some tiles, with its checkpoint after 200 records.
fn grown(workspace: &Workspace, salt: &str) -> (Log, String) {
    let log = workspace.log();
    let mut earlier = String::new();
    for n in 0..260 {
        append(&log, &format!("rp_{n}{salt}")).unwrap();
        if n == 199 {
            earlier = log.checkpoint().unwrap().note;
        }
    }
    (log, earlier)
}

#[test]
fn a_verifier_from_the_specifications_verifies_a_trail_and_notices_what_is_changed() {
    let workspace = Workspace::new();
    let (log, earlier) = grown(&workspace, "");
    let audit = workspace.audit();
    let (folder, since) = (audit.to_str().unwrap(), write(&workspace, "earlier", &earlier));
    let (verified, said) = tlog(&workspace, "trail", &[folder, "--since", &since]);
    assert!(verified && said.starts_with("260 entries and records verify"), "{said}");

    let shard = |id: &str| pg_logstats_audit::Digest::of(id.as_bytes()).to_string()[..3].to_owned();
    let record = format!("records/{}/rp_9.9.json", shard("rp_9"));
    for (file, at) in [
        ("checkpoint", 30),
        ("tile/entries/000", 5_000),
        ("tile/entries/001.p/4", 20),
        ("tile/0/000", 77),
        ("tile/0/001.p/4", 77),
        ("tile/1/000.p/1", 7),
        (record.as_str(), 60),
    ] {
        let path = audit.join(file);
        let bytes = std::fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        std::fs::remove_file(&path).unwrap();
        assert!(!tlog(&workspace, "trail", &[folder]).0, "{file} removed");
        std::fs::write(&path, &changed).unwrap();
        let (verified, said) = tlog(&workspace, "trail", &[folder]);
        assert!(!verified, "{file}: {said}");
        std::fs::write(&path, &bytes).unwrap();
    }
    let stray = audit.join(record).with_file_name("rp_9.10.json");
    std::fs::write(&stray, "{}").unwrap();
    assert!(!tlog(&workspace, "trail", &[folder]).0, "a stray record");
    std::fs::remove_file(&stray).unwrap();

    // The history written anew by who has the key: it verifies, and not against what was seen before.
    let anew = Workspace::new();
    for file in ["signing-key.pem", "public-key.pem"] {
        let keys = |workspace: &Workspace| workspace.root.path().join("keys").join(file);
        std::fs::copy(keys(&workspace), keys(&anew)).unwrap();
    }
    grown(&anew, "x");
    let audit = anew.audit();
    let folder = audit.to_str().unwrap();
    assert!(tlog(&anew, "trail", &[folder]).0);
    let (verified, said) = tlog(&anew, "trail", &[folder, "--since", &since]);
    assert!(
        !verified && said.contains("not those of the earlier checkpoint"),
        "{said}"
    );
    // And an older copy.
    let newest = write(&workspace, "newest", log.checkpoint().unwrap().note);
    append(&log, "rp_new").unwrap();
    let newer = write(&workspace, "newer", log.checkpoint().unwrap().note);
    assert!(
        tlog(
            &workspace,
            "trail",
            &[workspace.audit().to_str().unwrap(), "--since", &newest]
        )
        .0
    );
    let (verified, said) = tlog(&anew, "trail", &[folder, "--since", &newer]);
    assert!(!verified && said.contains("cut or put back"), "{said}");
}

#[test]
fn a_verifier_from_the_specifications_verifies_proofs_and_cosignatures() {
    let workspace = Workspace::new();
    let (log, earlier) = grown(&workspace, "");
    let log_key = LogKey::new(ORIGIN, common::key(workspace.root.path()).public().clone()).unwrap();
    let mut text = format!("log {log_key}\n");
    let witnesses: Vec<(tempfile::TempDir, Witness)> = ["w1", "w2", "w3"]
        .into_iter()
        .map(|name| {
            let state = tempfile::tempdir().unwrap();
            let key = Box::new(PrivateKey::generate().unwrap());
            let witness = Witness::open(dir(state.path()), key, &format!("{name}.example"), [log_key.clone()]).unwrap();
            text.push_str(&format!("witness {name} {}\n", witness.key()));
            (state, witness)
        })
        .collect();
    text.push_str("group two 2 w1 w2 w3\nquorum two\n");
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let collected = log
        .collect_cosignatures(&policy, |asked, body| {
            let (_, witness) = witnesses
                .iter()
                .find(|(_, witness)| *witness.key() == asked.key)
                .unwrap();
            if asked.name == "w2" {
                return Err("down".to_owned());
            }
            let answer = witness.add_checkpoint(body, || 1_700_000_000);
            Ok((answer.status(), answer.body().into_bytes()))
        })
        .unwrap();
    collected.quorum.unwrap();

    // `signed_note` reads the note with the lines of the witnesses in it.
    let verifiers = VerifierList::new(vec![Box::new(StandardVerifier::new(&log_key.to_string()).unwrap())]);
    let note = Note::from_bytes(collected.note.as_bytes()).unwrap();
    let (verified, unknown) = note.verify(&verifiers).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 2));

    let policy_file = write(&workspace, "policy", &text);
    let cosigned = workspace.audit().join("cosigned");
    let cosigned = cosigned.to_str().unwrap();
    let [w1, w2] = [&witnesses[0].1, &witnesses[1].1].map(|witness| witness.key().to_string());
    assert!(
        tlog(
            &workspace,
            "checkpoint",
            &[cosigned, "--policy", &policy_file, "--witness", &w1]
        )
        .0
    );
    assert!(!tlog(&workspace, "checkpoint", &[cosigned, "--witness", &w2]).0);
    let plain = workspace.audit().join("checkpoint");
    assert!(
        !tlog(
            &workspace,
            "checkpoint",
            &[plain.to_str().unwrap(), "--policy", &policy_file]
        )
        .0
    );

    let kept = log.cosigned(&policy).unwrap().unwrap();
    for index in [3, 255, 259] {
        let id = format!("rp_{index}");
        let proof = log.prove_at(&id, kept.checkpoint()).unwrap().to_text();
        let file = write(&workspace, "a.tlog-proof", &proof);
        let record = |index: u64| {
            let id = format!("rp_{index}");
            let shard = pg_logstats_audit::Digest::of(id.as_bytes()).to_string()[..3].to_owned();
            workspace.audit().join(format!("records/{shard}/{id}.{index}.json"))
        };
        let (own, other) = (record(index), record(index ^ 1));
        let arguments = [&file, "--policy", &policy_file, "--record"];
        let (verified, said) = tlog(
            &workspace,
            "proof",
            &[&arguments[..], &[own.to_str().unwrap()]].concat(),
        );
        assert!(verified, "{said}");
        assert!(
            said.contains(&format!("record {id} is entry {index} of the signed log of 260")),
            "{said}"
        );
        assert!(
            !tlog(
                &workspace,
                "proof",
                &[&arguments[..], &[other.to_str().unwrap()]].concat()
            )
            .0
        );
        // Where it and ours must agree that there is nothing to believe.
        let proof = proof.into_bytes();
        for at in (0..proof.len()).step_by(173) {
            let mut changed = proof.clone();
            changed[at] ^= 4;
            let ours =
                TlogProof::parse(&changed).and_then(|proof| proof.verify(ORIGIN, log.trusted_keys(), Some(&policy)));
            let file = write(&workspace, "b.tlog-proof", &changed);
            let (theirs, said) = tlog(&workspace, "proof", &[&file, "--policy", &policy_file]);
            assert_eq!(ours.is_ok(), theirs, "byte {at}: {said}");
        }
    }

    let now = log.checkpoint().unwrap();
    let proof = log.consistency(200).unwrap();
    let lines: String = proof
        .hashes
        .iter()
        .map(|hash| format!("{}\n", STANDARD.encode(hash.as_bytes())))
        .collect();
    let (old, new) = (write(&workspace, "old", earlier), write(&workspace, "new", now.note));
    assert!(
        tlog(
            &workspace,
            "consistency",
            &[&old, &new, &write(&workspace, "consistency", &lines)]
        )
        .0
    );
    assert!(
        !tlog(
            &workspace,
            "consistency",
            &[&new, &old, &write(&workspace, "consistency", &lines)]
        )
        .0
    );
    let cut = write(&workspace, "consistency", &lines[45..]);
    assert!(!tlog(&workspace, "consistency", &[&old, &new, &cut]).0);
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
