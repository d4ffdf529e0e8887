use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::*;
use crate::files::fault::{Fault, FaultyFiles};
use crate::keychange::{KIND, KeyChange};
use crate::keys::tests::MemoryKey;
use crate::keys::{PublicKey, Signer as _};
use crate::log::tests::Shared;
use crate::log::{Log, LogOptions, NewRecord};

const ORIGIN: &str = "test.example/log";
const JOURNAL_BYTES: u64 = 7 * 4096;
/// More operations than a rotation makes.
const ENOUGH: u64 = 300;

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

/// A folder in memory where there is one: what is durable is up to the layer.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn public(n: u8) -> PublicKey {
    MemoryKey::new(n).public().clone()
}

/// The log under key `n`, to which `also` counts.
fn open(layer: Box<dyn FileLayer>, n: u8, also: u8) -> Result<Log, AuditError> {
    let options = LogOptions {
        also_trusted: public(also).into(),
        ..LogOptions::default()
    };
    Log::open_layer(layer, Box::new(MemoryKey::new(n)), ORIGIN, options, JOURNAL_BYTES)
}

fn append(log: &Log, id: &str) -> Result<u64, AuditError> {
    let record = NewRecord {
        id,
        kind: "intent",
        incident: None,
        created_us: 1,
        payload: b"{}",
    };
    log.append(&record).map(|sealed| sealed.index)
}

/// Key 1 gives the log to key 2.
fn rotate(log: &Log) -> Result<u64, AuditError> {
    let change = KeyChange::Rotated {
        from: public(1).key_id().to_string(),
        from_public_key: public(1).to_pem().unwrap(),
        to: public(2).key_id().to_string(),
        to_public_key: public(2).to_pem().unwrap(),
        reason: "yearly".to_owned(),
    };
    let payload = serde_json::json!({ "record_id": "lk_1", "body": { "kind": KIND, "detail": change } });
    let sealed = log.rotate(&MemoryKey::new(2), "lk_1", 1, |_| serde_json::to_vec(&payload));
    sealed.map(|sealed| sealed.index)
}

/// The files after a fault; after a power loss, those of a machine that was started anew.
fn after(root: &Path, fault: Fault) -> FaultyFiles {
    let layer = FaultyFiles::new(dir(root), Fault::Kill, u64::MAX - 1);
    match fault {
        Fault::PowerLoss(_) => layer.after_a_start(),
        _ => layer,
    }
}

/// What an auditor finds who has key `n` alone, before anybody started the log again.
fn audit(root: &Path, n: u8, fault: Fault) -> VerifyReport {
    verify_layer(&after(root, fault), &public(n).into(), ORIGIN).unwrap()
}

/// A rotation that is cut short, after so many entries, and what the auditor says of each state that it can leave.
fn at_every_operation(size: u64, fault: impl Fn(u64) -> Fault) {
    let mut in_journal_alone = 0;
    for at in 0..ENOUGH {
        let (root, fault) = (folder(), fault(at));
        let log = open(Box::new(DirFiles::new(dir(root.path()))), 1, 2).unwrap();
        for n in 0..size {
            append(&log, &format!("rp_{n}")).unwrap();
        }
        drop(log);
        let layer = FaultyFiles::new(dir(root.path()), fault, at);
        let layer = Arc::new(layer);
        let result = open(Box::new(Shared(Arc::clone(&layer))), 1, 2).and_then(|log| rotate(&log));
        if !layer.fired() {
            assert!(at > 8 && in_journal_alone > 0, "{at} operations, {in_journal_alone}");
            return;
        }
        let context = format!("{fault:?} at operation {at}, {size} records before");
        for n in [1, 2] {
            let report = audit(root.path(), n, fault);
            // Before the rotation nothing is known of key 2.
            let unknown = n == 2 && report.checkpoint.is_none();
            assert!(
                report.is_verified() || unknown,
                "{context}, key {n}: {:#?}",
                report.problems
            );
            let told = |it: &Note| it.file == layout::JOURNAL && it.what.contains("not in the checkpoint");
            in_journal_alone += u32::from(report.notes.iter().any(told));
            assert!(
                result.is_err() || (!unknown && report.records == size + 1),
                "{context}, key {n}"
            );
        }
        // The next start goes on with what is there, under the key that is then in force.
        let log = open(Box::new(after(root.path(), fault)), 1, 2).unwrap();
        let rotated = log.checkpoint().unwrap().size > size;
        drop(log);
        let log = open(Box::new(DirFiles::new(dir(root.path()))), 1 + u8::from(rotated), 1).unwrap();
        append(&log, "rp_new").unwrap();
        assert!(audit(root.path(), 1, Fault::Kill).is_verified(), "{context}");
    }
    panic!("a rotation of more than {ENOUGH} operations");
}

#[test]
fn a_rotation_that_is_in_the_journal_alone_is_followed() {
    at_every_operation(2, |_| Fault::Kill);
    at_every_operation(255, |_| Fault::Kill);
}

#[test]
fn a_rotation_that_a_power_loss_left_in_the_journal_alone_is_followed() {
    at_every_operation(2, |_| Fault::PowerLoss(u64::MAX));
    at_every_operation(255, |_| Fault::PowerLoss(u64::MAX));
    at_every_operation(2, |at| Fault::PowerLoss((at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
}

/// A number that anybody can write.
#[test]
fn a_size_that_nobody_signed_is_told_and_harmless() {
    let root = folder();
    let log = open(Box::new(DirFiles::new(dir(root.path()))), 1, 1).unwrap();
    append(&log, "rp_1").unwrap();
    drop(log);
    let size = u64::MAX;
    let note = std::fs::read_to_string(root.path().join(layout::CHECKPOINT)).unwrap();
    std::fs::write(
        root.path().join(layout::CHECKPOINT),
        note.replacen("\n1\n", &format!("\n{size}\n"), 1),
    )
    .unwrap();
    let bundle = root.path().join(layout::bundle(size / 256, size % 256));
    std::fs::create_dir_all(bundle.parent().unwrap()).unwrap();
    std::fs::write(bundle, [0u8, 1, b'x'].repeat(300)).unwrap();
    let report = verify(&dir(root.path()), &public(1).into(), ORIGIN).unwrap();
    assert!(!report.is_verified());
    assert!(
        report.problems.iter().any(|it| it.file == layout::CHECKPOINT),
        "{report:#?}"
    );
}
