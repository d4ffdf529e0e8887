//! The published vectors hold for our code and for a verifier that is not ours, and are what the script makes of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{dir, python};
use pg_logstats_audit::cosignature::verify_cosignatures;
use pg_logstats_audit::dsse::{self, Envelope};
use pg_logstats_audit::note::open_checkpoint;
use pg_logstats_audit::policy::WitnessedError;
use pg_logstats_audit::{
    ConsistencyProof, Digest, Entry, InclusionProof, KeyHistory, LogKey, Policy, PrivateKey, PublicKey, TlogProof,
    TrustedKeys, Witness, WitnessKey,
};
use serde_json::{Value, json};

/// What a valid case gives, to be compared with what stands in it; or why a case is refused.
type Outcome = Result<Value, String>;

struct Case<'a>(&'a Value);

impl Case<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some() || self.0.get(format!("{name}_base64")).is_some()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        match self.0.get(name) {
            Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
            None => STANDARD
                .decode(self.0[format!("{name}_base64")].as_str().unwrap())
                .unwrap(),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        let texts = self.0[name].as_array().unwrap();
        texts.iter().map(|text| text.as_str().unwrap()).collect()
    }

    fn hashes(&self, name: &str) -> Vec<Digest> {
        self.texts(name).into_iter().map(hash).collect()
    }

    fn log_keys(&self, name: &str) -> Result<Vec<LogKey>, String> {
        let keys = self.texts(name).into_iter().map(str::parse::<LogKey>);
        keys.collect::<Result<_, _>>().map_err(text)
    }

    /// Keys that are their 32 bytes.
    fn raw_keys(&self) -> TrustedKeys {
        let keys = self.texts("keys").into_iter().map(|key| {
            let key = ed25519_dalek::VerifyingKey::from_bytes(hash(key).as_bytes()).unwrap();
            PublicKey::new(key).unwrap()
        });
        TrustedKeys::new(keys)
    }

    fn keys(&self) -> Result<TrustedKeys, String> {
        let keys = self.log_keys("keys")?;
        Ok(TrustedKeys::new(keys.iter().map(|key| key.public().clone())))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn hash(base64: &str) -> Digest {
    Digest(STANDARD.decode(base64).unwrap().try_into().unwrap())
}

fn base64(hash: &Digest) -> String {
    STANDARD.encode(hash.as_bytes())
}

fn checkpoint(case: &Case<'_>) -> Outcome {
    let checkpoint = open_checkpoint(&case.bytes("note"), case.text("origin"), &case.keys()?).map_err(text)?;
    Ok(json!({"size": checkpoint.size, "root": base64(&checkpoint.root)}))
}

fn cosignature(case: &Case<'_>) -> Outcome {
    let witnesses: Vec<WitnessKey> = case
        .texts("witnesses")
        .iter()
        .map(|vkey| vkey.parse().unwrap())
        .collect();
    let found = verify_cosignatures(&case.bytes("note"), &witnesses).map_err(text)?;
    let times = found
        .into_iter()
        .map(|cosignature| (cosignature.witness, json!(cosignature.timestamp_s)))
        .collect();
    Ok(json!({"cosigned": Value::Object(times)}))
}

fn policy(case: &Case<'_>) -> Outcome {
    Policy::parse(&case.bytes("policy")).map_err(|error| {
        assert_eq!(error.line as u64, case.number("line"), "{}: {error}", case.text("name"));
        text(error)
    })?;
    Ok(json!({}))
}

fn witnessed(case: &Case<'_>) -> Outcome {
    let policy = Policy::parse(&case.bytes("policy")).unwrap();
    let opened = policy.open(&case.bytes("note"), case.text("origin"), &case.keys()?);
    opened.map(|_| json!({})).map_err(|error| {
        let missing = match &error {
            WitnessedError::Quorum(short) => short.missing.clone(),
            _ => Vec::new(),
        };
        let expected: Vec<String> = case.texts("missing").iter().map(|name| format!("`{name}`")).collect();
        assert_eq!(missing, expected, "{}: {error}", case.text("name"));
        text(error)
    })
}

fn inclusion(case: &Case<'_>) -> Outcome {
    let proof = InclusionProof {
        index: case.number("index"),
        tree_size: case.number("tree_size"),
        hashes: case.hashes("proof"),
    };
    let held = proof.verify(&hash(case.text("leaf_hash")), &hash(case.text("root")));
    held.map(|()| json!({})).map_err(text)
}

fn consistency(case: &Case<'_>) -> Outcome {
    let proof = ConsistencyProof {
        old_size: case.number("old_size"),
        new_size: case.number("new_size"),
        hashes: case.hashes("proof"),
    };
    let held = proof.verify(&hash(case.text("old_root")), &hash(case.text("new_root")));
    held.map(|()| json!({})).map_err(text)
}

fn proof(case: &Case<'_>) -> Outcome {
    let policy = case
        .has("policy")
        .then(|| Policy::parse(&case.bytes("policy")).unwrap());
    let keys = case.keys()?;
    let proof = TlogProof::parse(&case.bytes("proof")).map_err(text)?;
    let proven = proof
        .verify(case.text("origin"), &keys, policy.as_ref())
        .map_err(text)?;
    if case.has("record") {
        proven.open_record(&case.bytes("record"), &keys).map_err(text)?;
    }
    Ok(json!({"index": proven.index, "id": proven.entry.id}))
}

fn envelope(case: &Case<'_>) -> Outcome {
    let envelope = Envelope::parse(&case.bytes("envelope")).map_err(text)?;
    let opened = dsse::open(&envelope, &case.raw_keys()).map_err(text)?;
    Ok(json!({"payload": String::from_utf8(opened.payload).unwrap()}))
}

fn keychain(case: &Case<'_>) -> Outcome {
    let changes = case.0["changes"].as_array().unwrap().iter().map(|change| {
        let file = change["record"].as_str().unwrap().as_bytes();
        (change["index"].as_u64().unwrap(), file)
    });
    let history = KeyHistory::new(&case.raw_keys(), changes);
    let index = case.number("index");
    let envelope = Envelope::parse(&case.bytes("record")).map_err(text)?;
    let opened = dsse::open(&envelope, history.at(index)).map_err(text)?;
    let since = |key| history.compromised_since(key).is_some_and(|since| index >= since);
    if opened.signers.iter().any(since) {
        return Err("it stands under a key that was declared compromised".to_owned());
    }
    let newest: Vec<String> = history
        .newest()
        .iter()
        .map(|key| STANDARD.encode(key.as_bytes()))
        .collect();
    Ok(json!({"payload": String::from_utf8(opened.payload).unwrap(), "newest": newest}))
}

fn entry(case: &Case<'_>) -> Outcome {
    let entry = Entry::parse(&case.bytes("entry")).ok_or("no entry")?;
    Ok(json!({"id": entry.id}))
}

fn request(case: &Case<'_>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let key = Box::new(PrivateKey::generate().unwrap());
    let witness = Witness::open(dir(folder.path()), key, "w.example", case.log_keys("logs")?).unwrap();
    if case.has("stored") {
        let first = [b"old 0\n\n".as_slice(), &case.bytes("stored")].concat();
        assert_eq!(witness.add_checkpoint(&first, || 1).status(), 200);
    }
    let answer = witness.add_checkpoint(&case.bytes("body"), || 1_700_000_000);
    Ok(json!({"status": answer.status()}))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// Holds our code to every case of a file.
fn check(kind: &str, run: fn(&Case<'_>) -> Outcome) {
    let path = folder().join(format!("{kind}.json"));
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(vectors["kind"], kind);
    let cases = vectors["cases"].as_array().unwrap();
    for (valid, fewest) in [(true, 3), (false, 4)] {
        let count = cases.iter().filter(|case| case["valid"] == valid).count();
        assert!(
            kind == "request" || count >= fewest,
            "{kind}: {count} cases are {valid}"
        );
    }
    for case in cases {
        let (name, reason) = (case["name"].as_str().unwrap(), case["reason"].as_str().unwrap());
        match run(&Case(case)) {
            Ok(found) => {
                assert!(case["valid"] == true, "{kind}: {name}: accepted, though {reason}");
                for (field, value) in found.as_object().unwrap() {
                    assert_eq!(*value, case[field], "{kind}: {name}: {field}");
                }
            }
            Err(error) => assert!(case["valid"] == false, "{kind}: {name}: {error}, though {reason}"),
        }
    }
}

/// A test of its own for each kind, so that each is named when it fails; and one that none is forgotten.
macro_rules! kinds {
    ($($kind:ident),*) => {
        mod holds {
            $(#[test] fn $kind() { super::check(stringify!($kind), super::$kind); })*
        }
        const KINDS: &[&str] = &[$(stringify!($kind)),*];
    };
}
kinds!(
    checkpoint,
    cosignature,
    policy,
    witnessed,
    inclusion,
    consistency,
    proof,
    envelope,
    keychain,
    entry,
    request
);

#[test]
fn there_is_no_file_that_nobody_reads() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    found.sort();
    let mut kinds = KINDS.to_vec();
    kinds.sort_unstable();
    assert_eq!(found, kinds);
}

#[test]
fn the_vectors_are_those_that_the_script_makes() {
    let output = python("make_vectors.py", ["--check".as_ref(), folder().as_os_str()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn they_hold_for_the_verifier_that_is_not_ours() {
    let output = python("tlog.py", ["vectors".as_ref(), folder().as_os_str()]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let count: usize = said.split(' ').next().unwrap().parse().unwrap();
    assert!(count > 250, "{said}");
    // A case that is wrong is noticed: the check itself can fail.
    let spoiled = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(folder().join("entry.json")).unwrap();
    for (from, to) in [
        (r#""valid": false"#, r#""valid": true"#),
        (r#""valid": true"#, r#""valid": false"#),
    ] {
        std::fs::write(spoiled.path().join("entry.json"), text.replacen(from, to, 1)).unwrap();
        let output = python("tlog.py", ["vectors".as_ref(), spoiled.path().as_os_str()]);
        assert!(!output.status.success(), "{from}");
    }
}
