use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{COSIGNED, Collected, Log};
use crate::error::AuditError;
use crate::keys::Signer as _;
use crate::keys::tests::MemoryKey;
use crate::log::tests::append;
use crate::policy::{Policy, WitnessedError};
use crate::vkey::{LogKey, WitnessKey};
use crate::witness::{SubmitError, Witness};

const ORIGIN: &str = "example.com/log";

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn log(path: &Path) -> Log {
    Log::open(dir(path), Box::new(MemoryKey::new(3)), ORIGIN).unwrap()
}

fn log_key() -> LogKey {
    LogKey::new(ORIGIN, MemoryKey::new(3).public().clone()).unwrap()
}

/// Three witnesses, each with its folder, and a policy of two of them.
struct Witnesses {
    witnesses: Vec<(tempfile::TempDir, Witness)>,
    policy: Policy,
}

impl Witnesses {
    fn new() -> Self {
        let mut text = format!("log {}\n", log_key());
        let witnesses = (11..14)
            .map(|seed| {
                let folder = tempfile::tempdir().unwrap();
                let name = format!("w{seed}.example");
                let witness =
                    Witness::open(dir(folder.path()), Box::new(MemoryKey::new(seed)), &name, [log_key()]).unwrap();
                text.push_str(&format!("witness w{seed} {} https://{name}/\n", witness.key()));
                (folder, witness)
            })
            .collect();
        text.push_str("group two 2 w11 w12 w13\nquorum two\n");
        Self {
            witnesses,
            policy: Policy::parse(text.as_bytes()).unwrap(),
        }
    }

    /// A round in which the witnesses in `down` do not answer. Counts the requests.
    fn round(&self, log: &Log, down: &[&str], now_s: u64) -> (Collected, usize) {
        let mut requests = 0;
        let collected = log.collect_cosignatures(&self.policy, |witness, body| {
            requests += 1;
            if down.contains(&witness.name.as_str()) {
                return Err("connection refused".to_owned());
            }
            let (_, served) = self
                .witnesses
                .iter()
                .find(|(_, served)| *served.key() == witness.key)
                .unwrap();
            let answer = served.add_checkpoint(body, || now_s);
            Ok((answer.status(), answer.body().into_bytes()))
        });
        (collected.unwrap(), requests)
    }
}

#[test]
fn a_round_keeps_the_checkpoint_that_reaches_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let (log, witnesses) = (log(folder.path()), Witnesses::new());
    append(&log, "rp_1").unwrap();
    assert_eq!(log.cosigned(&witnesses.policy).unwrap(), None);
    let (collected, requests) = witnesses.round(&log, &["w12"], 1_700_000_000);
    collected.quorum.unwrap();
    assert_eq!((collected.cosignatures.len(), requests), (2, 3));
    assert!(matches!(collected.failed.as_slice(), [(name, SubmitError::Transport { .. })] if name == "w12"));
    let kept = log.cosigned(&witnesses.policy).unwrap().unwrap();
    assert_eq!(
        (kept.checkpoint().size, kept.checkpoint().note.as_str()),
        (1, collected.note.as_str())
    );
    // The newest checkpoint goes on alone, and the proof for the policy is under the cosigned one.
    append(&log, "rp_2").unwrap();
    assert_eq!(log.checkpoint().unwrap().size, 2);
    let keys = log.trusted_keys();
    let proof = log.prove_at("rp_1", kept.checkpoint()).unwrap();
    let proven = proof.verify(ORIGIN, keys, Some(&witnesses.policy)).unwrap();
    assert_eq!((proven.index, proven.cosignatures.len()), (0, 2));
    let error = log
        .prove("rp_1")
        .unwrap()
        .verify(ORIGIN, keys, Some(&witnesses.policy))
        .unwrap_err();
    assert!(error.to_string().contains("`two` has 0 of the 2 it needs"), "{error}");
    assert!(matches!(
        log.prove_at("rp_2", kept.checkpoint()),
        Err(AuditError::NotYetIn { index: 1, size: 1, .. })
    ));

    // Next round: who cosigned is asked from there on, who was down from where its answer says.
    let (collected, requests) = witnesses.round(&log, &[], 1_700_000_100);
    assert_eq!((collected.cosignatures.len(), requests), (3, 3));
    assert_eq!(log.cosigned(&witnesses.policy).unwrap().unwrap().checkpoint().size, 2);
    std::fs::remove_file(folder.path().join(COSIGNED)).unwrap();
    append(&log, "rp_3").unwrap();
    // Without the file every witness is asked twice: once to be told the size.
    let (collected, requests) = witnesses.round(&log, &["w11"], 1_700_000_200);
    assert_eq!((collected.cosignatures.len(), requests), (2, 5));
}

#[test]
fn without_a_quorum_the_earlier_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (log, witnesses) = (log(folder.path()), Witnesses::new());
    append(&log, "rp_1").unwrap();
    witnesses.round(&log, &[], 1).0.quorum.unwrap();
    append(&log, "rp_2").unwrap();
    let (collected, _) = witnesses.round(&log, &["w11", "w13"], 2);
    assert_eq!(collected.quorum.unwrap_err().missing, ["`w11`", "`w13`"]);
    assert_eq!(log.cosigned(&witnesses.policy).unwrap().unwrap().checkpoint().size, 1);
    let error = log
        .keep_cosigned(collected.note.as_bytes(), &witnesses.policy)
        .unwrap_err();
    assert!(
        matches!(error, AuditError::Cosigned(WitnessedError::Quorum(_))),
        "{error}"
    );
}

#[test]
fn the_kept_checkpoint_is_never_replaced_by_a_smaller_one_nor_by_one_of_a_fork() {
    let folder = tempfile::tempdir().unwrap();
    let (here, witnesses) = (log(folder.path()), Witnesses::new());
    append(&here, "rp_1").unwrap();
    let small = witnesses.round(&here, &[], 1).0.note;
    append(&here, "rp_2").unwrap();
    let large = witnesses.round(&here, &[], 2).0.note;
    let kept = here.keep_cosigned(small.as_bytes(), &witnesses.policy).unwrap();
    assert_eq!(kept.checkpoint().note, large);
    assert_eq!(std::fs::read_to_string(folder.path().join(COSIGNED)).unwrap(), large);

    // The same key, another folder, other witnesses of the same keys who saw only that one.
    let (elsewhere, deceived) = (tempfile::tempdir().unwrap(), Witnesses::new());
    let fork = log(elsewhere.path());
    append(&fork, "rp_9").unwrap();
    append(&fork, "rp_8").unwrap();
    let forked = deceived.round(&fork, &[], 3).0.note;
    let error = here.keep_cosigned(forked.as_bytes(), &witnesses.policy).unwrap_err();
    assert!(matches!(error, AuditError::Fork { size: 2, .. }), "{error}");
    append(&fork, "rp_7").unwrap();
    let larger = deceived.round(&fork, &[], 3).0.note;
    let error = here.keep_cosigned(larger.as_bytes(), &witnesses.policy).unwrap_err();
    assert!(matches!(error, AuditError::Beyond { asked: 3, size: 2 }), "{error}");
    // And the witnesses that saw the first do not cosign the second.
    for (name, error) in witnesses.round(&fork, &[], 4).0.failed {
        assert!(
            matches!(error, SubmitError::Refused { status: 422, .. }),
            "{name}: {error}"
        );
    }
    assert_eq!(std::fs::read_to_string(folder.path().join(COSIGNED)).unwrap(), large);
}

#[test]
fn a_log_that_was_rolled_back_is_told_by_its_witnesses() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let witnesses = Witnesses::new();
    let (old, grown) = (log(before.path()), log(after.path()));
    append(&old, "rp_1").unwrap();
    append(&grown, "rp_1").unwrap();
    append(&grown, "rp_2").unwrap();
    witnesses.round(&grown, &[], 1).0.quorum.unwrap();
    let (collected, _) = witnesses.round(&old, &[], 2);
    assert_eq!(collected.failed.len(), 3);
    for (_, error) in collected.failed {
        assert!(matches!(error, SubmitError::Ahead { size: 2, ours: 1 }), "{error}");
    }
}

#[test]
fn a_changed_file_is_not_believed_and_does_not_stop_the_next_round() {
    let folder = tempfile::tempdir().unwrap();
    let (log, witnesses) = (log(folder.path()), Witnesses::new());
    append(&log, "rp_1").unwrap();
    let note = witnesses.round(&log, &[], 1).0.note;
    let path = folder.path().join(COSIGNED);
    for at in (0..note.len()).step_by(5) {
        let mut changed = note.clone().into_bytes();
        changed[at] ^= 1;
        std::fs::write(&path, changed).unwrap();
        match log.cosigned(&witnesses.policy) {
            // Two are enough, so the line of one of the three may be spoiled into one of somebody unknown.
            Ok(Some(kept)) => assert_eq!(kept.cosignatures().len(), 2, "byte {at}"),
            Ok(None) => panic!("byte {at}"),
            Err(error) => assert!(matches!(error, AuditError::Cosigned(_)), "byte {at}: {error}"),
        }
    }
    append(&log, "rp_2").unwrap();
    witnesses.round(&log, &[], 2).0.quorum.unwrap();
    assert_eq!(log.cosigned(&witnesses.policy).unwrap().unwrap().checkpoint().size, 2);
    // A witness that is not in the file begins at 0.
    let stranger = WitnessKey::new("w.example", MemoryKey::new(99).public().clone()).unwrap();
    assert_eq!(log.last_cosigned(&stranger).unwrap(), 0);
    assert_eq!(log.last_cosigned(&witnesses.policy.witnesses()[0].key).unwrap(), 2);
}
