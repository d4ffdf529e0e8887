//! The commands of the guide for auditors work as they stand there, and fail on a tampered trail.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::process::{Command, Output};

use common::{ORIGIN, Workspace, append, dir};
use pg_logstats_audit::{Log, LogKey, Policy, PrivateKey, Signer as _, Witness};

const GUIDE: &str = include_str!("../../../docs/auditors.md");

/// The shell commands of the guide: the helpers first, then the steps in order.
fn script() -> String {
    let (mut helpers, mut steps) = (String::new(), String::new());
    let mut block: Option<&mut String> = None;
    for line in GUIDE.lines() {
        match (line.trim_start(), &mut block) {
            ("```sh", None) => block = Some(&mut steps),
            ("```sh helpers", None) => block = Some(&mut helpers),
            ("```", Some(_)) => block = None,
            (_, Some(into)) => {
                into.push_str(line);
                into.push('\n');
            }
            _ => {}
        }
    }
    format!("set -euo pipefail\n{helpers}{steps}")
}

fn run(workspace: &Workspace, id: &str) -> Output {
    let root = workspace.root.path();
    Command::new("bash")
        .args(["-c", &script()])
        .current_dir(workspace.audit())
        .env("KEY", root.join("keys/public-key.pem"))
        .env("SCRATCH", root.join("scratch"))
        .env("EARLIER", root.join("earlier"))
        .env("PROOF", root.join(format!("{id}.tlog-proof")))
        .env("WITNESS", std::fs::read_to_string(root.join("witness")).unwrap())
        .env(
            "VERIFIER",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/tlog.py"),
        )
        .env("ID", id)
        .output()
        .unwrap()
}

/// Has the log cosigned by a witness, and keeps the key of that witness.
fn cosign(workspace: &Workspace, log: &Log) -> Policy {
    let root = workspace.root.path();
    std::fs::create_dir(root.join("state")).unwrap();
    let log_key = LogKey::new(ORIGIN, common::key(root).public().clone()).unwrap();
    let key = Box::new(PrivateKey::generate().unwrap());
    let witness = Witness::open(dir(&root.join("state")), key, "witness.example/1", [log_key]).unwrap();
    std::fs::write(root.join("witness"), witness.key().to_string()).unwrap();
    let policy = Policy::parse(format!("witness w {}\nquorum w\n", witness.key()).as_bytes()).unwrap();
    let collected = log.collect_cosignatures(&policy, |_, body| {
        let answer = witness.add_checkpoint(body, || 1_700_000_000);
        Ok((answer.status(), answer.body().into_bytes()))
    });
    collected.unwrap().quorum.unwrap();
    policy
}

#[test]
fn the_commands_of_the_guide_verify_a_trail_and_notice_a_changed_one() {
    let workspace = Workspace::new();
    let root = workspace.root.path();
    std::fs::create_dir(root.join("scratch")).unwrap();
    let log = workspace.log();
    for n in 0..260 {
        append(&log, &format!("rp_{n}")).unwrap();
        if n == 100 {
            std::fs::copy(workspace.audit().join("checkpoint"), root.join("earlier")).unwrap();
        }
    }
    let policy = cosign(&workspace, &log);
    let cosigned = log.cosigned(&policy).unwrap().unwrap();
    for id in ["rp_255", "rp_256", "rp_259"] {
        let proof = log.prove_at(id, cosigned.checkpoint()).unwrap();
        std::fs::write(root.join(format!("{id}.tlog-proof")), proof.to_text()).unwrap();
    }
    let id = "rp_255";
    let output = run(&workspace, id);
    let (said, failed) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{failed}");
    assert_eq!(said.matches("Signature Verified Successfully").count(), 4, "{said}");
    assert!(
        said.contains(&format!("record {id} is entry {} of the signed log", &id[3..])),
        "{said}"
    );
    assert!(said.contains("nothing of the first 101 entries was changed"), "{said}");
    for expected in [
        "the proof is about the record rp_255 and holds",
        "witness.example/1 had seen 260 entries on 2023-11-14",
        "260 entries and records verify",
        "record rp_255 is entry 255 of the signed log of 260",
        "the log has 260 entries",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let key_id = common::key(root).key_id().to_string();
    assert!(
        said.contains(&key_id),
        "the fingerprint is not the key id {key_id}: {said}"
    );

    for (file, at) in [
        ("tile/0/000", 5000),
        ("tile/0/001.p/4", 97),
        ("tile/entries/001.p/4", 900),
        ("checkpoint", 30),
        ("cosigned", 30),
        ("../rp_259.tlog-proof", 460),
    ] {
        let path = workspace.audit().join(file);
        let bytes = std::fs::read(&path).unwrap();
        let mut other = bytes.clone();
        other[at] ^= 1;
        std::fs::write(&path, &other).unwrap();
        let output = run(&workspace, "rp_259");
        assert!(
            !output.status.success(),
            "{file}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        std::fs::write(&path, &bytes).unwrap();
    }
    assert!(run(&workspace, "rp_256").status.success());
}
