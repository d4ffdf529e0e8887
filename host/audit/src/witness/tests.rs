use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::{any, proptest};

use super::{Accepted, AddCheckpoint, Answer, SubmitError, Witness, WitnessError};
use crate::cosignature::verify_cosignatures;
use crate::digest::Digest;
use crate::files::fault::{Fault, FaultyFiles};
use crate::keys::Signer as _;
use crate::keys::tests::MemoryKey;
use crate::log::Log;
use crate::log::tests::append;
use crate::merkle::tests::{Tiles, leaves, mth};
use crate::note::sign_checkpoint;
use crate::proof::ConsistencyProof;
use crate::vkey::LogKey;

const ORIGIN: &str = "example.com/log";
const NOW_S: u64 = 1_700_000_000;

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn log_key(seed: u8) -> LogKey {
    LogKey::new(ORIGIN, MemoryKey::new(seed).public().clone()).unwrap()
}

fn witness(folder: &Path) -> Witness {
    Witness::open(dir(folder), Box::new(MemoryKey::new(5)), "w.example", [log_key(3)]).unwrap()
}

/// The request of a log of `size` leaves to a witness that has seen `old_size` of them. `fork` makes other leaves.
fn request(old_size: u64, size: u64, fork: u8) -> AddCheckpoint {
    let mut hashes = leaves(usize::try_from(size.max(old_size)).unwrap());
    if fork > 0 {
        hashes[0] = Digest::of(&[fork]);
    }
    let proof = ConsistencyProof::from_tiles(&mut Tiles::of(&hashes), old_size, size).unwrap();
    let root = mth(&hashes[..usize::try_from(size).unwrap()]);
    AddCheckpoint::new(
        proof,
        &sign_checkpoint(&MemoryKey::new(3), ORIGIN, size, &root).unwrap(),
    )
}

fn ask(witness: &Witness, old_size: u64, size: u64) -> Answer {
    witness.add_checkpoint(&request(old_size, size, 0).to_bytes(), || NOW_S)
}

#[test]
fn a_log_that_grows_is_cosigned_and_each_answer_has_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let witness = witness(folder.path());
    let (key, name) = (witness.key().clone(), "w.example");
    for (old_size, size) in [(0, 1), (1, 5), (5, 5), (5, 300), (300, 513)] {
        let request = request(old_size, size, 0);
        let answer = witness.add_checkpoint(&request.to_bytes(), || NOW_S);
        assert_eq!(
            (answer.status(), answer.content_type()),
            (200, "text/plain; charset=utf-8"),
            "{answer:?}"
        );
        let Accepted::Cosigned { note, cosignature } = request
            .accept(&request.note, &key, answer.status(), answer.body().as_bytes())
            .unwrap()
        else {
            panic!("{answer:?}");
        };
        assert_eq!((cosignature.witness.as_str(), cosignature.timestamp_s), (name, NOW_S));
        assert_eq!(verify_cosignatures(note.as_bytes(), [&key]).unwrap(), [cosignature]);
    }
    assert_eq!(witness.latest(ORIGIN).unwrap().unwrap().size, 513);

    // What it knows, for who does not know it; then the log asks again from there.
    let conflict = ask(&witness, 0, 600);
    assert_eq!((conflict.status(), conflict.content_type()), (409, "text/x.tlog.size"));
    let request_0 = request(0, 600, 0);
    let accepted = request_0.accept(&request_0.note, &key, 409, conflict.body().as_bytes());
    assert_eq!(accepted.unwrap(), Accepted::Knows { size: 513 });
    assert_eq!(ask(&witness, 513, 600).status(), 200);

    // Another log under the same name and key: of the same size, larger, and smaller.
    let fork = witness.add_checkpoint(&request(600, 600, 1).to_bytes(), || NOW_S);
    assert!(
        matches!(fork, Answer::Fork { size: 600 }) && fork.status() == 409,
        "{fork:?}"
    );
    assert_eq!(fork.content_type(), "text/plain; charset=utf-8");
    let refused = request(600, 600, 1).accept("", &key, 409, fork.body().as_bytes());
    assert!(matches!(refused, Err(SubmitError::Refused { status: 409, .. })));
    let fork = witness.add_checkpoint(&request(600, 700, 1).to_bytes(), || NOW_S);
    assert!(matches!(fork, Answer::Unproven(_)) && fork.status() == 422, "{fork:?}");
    let fork = witness.add_checkpoint(&request(300, 400, 1).to_bytes(), || NOW_S);
    assert!(matches!(fork, Answer::Conflict(600)), "{fork:?}");
    let back = ask(&witness, 600, 599);
    assert!(
        matches!(back, Answer::BadRequest(_)) && back.status() == 400,
        "{back:?}"
    );
    assert_eq!(witness.latest(ORIGIN).unwrap().unwrap().size, 600);

    // A log it does not know, and a key it does not trust.
    let other = Witness::open(dir(folder.path()), Box::new(MemoryKey::new(5)), name, [log_key(4)]).unwrap();
    assert_eq!(ask(&other, 0, 1).status(), 403);
    let other = Witness::open(dir(folder.path()), Box::new(MemoryKey::new(5)), name, []).unwrap();
    assert_eq!(ask(&other, 0, 1).status(), 404);
    assert!(other.latest(ORIGIN).unwrap().is_none());
}

#[test]
fn a_signature_that_claims_a_trusted_key_must_be_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let body = request(0, 7, 0).to_bytes();
    let text = String::from_utf8(body).unwrap();
    let changed = text.replace("\n7\n", "\n8\n");
    let answer = witness(folder.path()).add_checkpoint(changed.as_bytes(), || NOW_S);
    assert!(
        matches!(answer, Answer::Untrusted(_)) && answer.status() == 403,
        "{answer:?}"
    );
    assert!(witness(folder.path()).latest(ORIGIN).unwrap().is_none());
}

#[test]
fn requests_are_read_strictly() {
    let good = request(5, 300, 0);
    assert_eq!(AddCheckpoint::parse(&good.to_bytes()).unwrap(), good);
    let text = String::from_utf8(good.to_bytes()).unwrap();
    let first_hash = text.lines().nth(1).unwrap();
    for (bad, why) in [
        (text.replace("old 5", "old 05"), "leading zero"),
        (text.replace("old 5", "old +5"), "sign"),
        (text.replace("old 5", "old  5"), "two spaces"),
        (text.replace("old 5\n", "old 5 \n"), "space at the end"),
        (text.replace("old 5", "OLD 5"), "capitals"),
        (text.replace("old 5", "old 18446744073709551616"), "too large"),
        (text.replace("old 5\n", ""), "no old size"),
        (text.replacen(first_hash, &first_hash[..43], 1), "no padding"),
        (
            text.replacen(first_hash, &format!("{first_hash}\r"), 1),
            "carriage return",
        ),
        (text.replacen(first_hash, "AAAA", 1), "short hash"),
        (text.replacen("\n\n", "\n", 1), "no blank line"),
        (
            text.replacen(
                "old 5\n",
                &format!("old 5\n{}", format!("{first_hash}\n").repeat(63)),
                1,
            ),
            "too many lines",
        ),
        (text.trim_end().to_owned(), "cut line"),
        (text.replace("\n300\n", "\n0300\n"), "size of the checkpoint"),
        (String::new(), "empty"),
        (format!("{text}{}", "x".repeat(200_000)), "too large"),
    ] {
        assert!(AddCheckpoint::parse(bad.as_bytes()).is_err(), "{why}");
        let folder = tempfile::tempdir().unwrap();
        let answer = witness(folder.path()).add_checkpoint(bad.as_bytes(), || NOW_S);
        assert_eq!(answer.status(), 400, "{why}: {answer:?}");
    }
}

#[test]
fn an_answer_is_believed_only_as_far_as_it_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let witness = witness(folder.path());
    let request = request(0, 7, 0);
    let line = witness.add_checkpoint(&request.to_bytes(), || NOW_S).body();
    let accept = |status, body: &str| request.accept(&request.note, witness.key(), status, body.as_bytes());
    assert!(matches!(accept(200, &line), Ok(Accepted::Cosigned { .. })));
    assert!(matches!(accept(200, ""), Err(SubmitError::Cosignature(_))));
    assert!(matches!(accept(200, line.trim_end()), Err(SubmitError::Cosignature(_))));
    // Somebody else's line, and the line of the log itself.
    let stranger = request.note.lines().last().unwrap();
    assert!(matches!(
        accept(200, &format!("{stranger}\n")),
        Err(SubmitError::OtherKey { .. })
    ));
    assert!(matches!(
        accept(200, &format!("{stranger}\n{line}")),
        Ok(Accepted::Cosigned { .. })
    ));
    // The cosignature of another checkpoint.
    let other = self::request(7, 8, 0);
    let other_line = witness.add_checkpoint(&other.to_bytes(), || NOW_S).body();
    assert!(matches!(accept(200, &other_line), Err(SubmitError::Cosignature(_))));
    for (body, size) in [
        ("12\n", Some(12)),
        ("012\n", None),
        ("12", None),
        ("12\n\n", None),
        ("0\n", None),
        ("x\n", None),
    ] {
        match (accept(409, body), size) {
            (Ok(Accepted::Knows { size }), Some(expected)) => assert_eq!(size, expected),
            (Err(SubmitError::Refused { status: 409, .. }), None) => {}
            (other, _) => panic!("{body:?}: {other:?}"),
        }
    }
    let error = accept(404, "\u{1b}[31mno\n").unwrap_err().to_string();
    assert!(
        error.contains("does not know this log") && !error.contains('\u{1b}'),
        "{error}"
    );
}

/// The race of the specification: A is checked, B is checked and stored, A is stored over B. Here B is stored while A waits
/// for the lock, so A sees it only if it looks under the lock.
#[test]
fn what_was_cosigned_last_is_looked_at_under_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let slow = witness(folder.path());
    assert_eq!(ask(&slow, 0, 10).status(), 200);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = witness(elsewhere.path());
    assert_eq!(ask(&other, 0, 10).status(), 200);
    assert_eq!(ask(&other, 10, 50).status(), 200);

    let lock = std::fs::File::open(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&slow, 10, 20));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished(), "it did not wait for the lock");
        // What the process with the lock stores.
        for entry in std::fs::read_dir(elsewhere.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some() {
                std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        lock.unlock().unwrap();
        let answer = waiting.join().unwrap();
        assert!(matches!(answer, Answer::Conflict(50)), "{answer:?}");
    });
    assert_eq!(
        slow.latest(ORIGIN).unwrap().unwrap().size,
        50,
        "the state was rolled back"
    );
}

/// Many requests at once, to two processes with one folder: no size is cosigned after a larger one, and the clock agrees.
#[test]
fn requests_at_once_never_roll_back() {
    let folder = tempfile::tempdir().unwrap();
    let clock = AtomicU64::new(1);
    let cosigned = std::sync::Mutex::new(BTreeMap::new());
    let witnesses = [witness(folder.path()), witness(folder.path())];
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (witness, clock, cosigned) = (&witnesses[thread as usize % 2], &clock, &cosigned);
            scope.spawn(move || {
                let mut old_size = 0;
                for step in 1..=12 {
                    let size = step * 8 + thread;
                    if old_size > size {
                        continue;
                    }
                    let mut at = 0;
                    let now = || {
                        at = clock.fetch_add(1, Ordering::SeqCst);
                        at
                    };
                    match witness.add_checkpoint(&request(old_size, size, 0).to_bytes(), now) {
                        Answer::Cosigned(_) => {
                            cosigned.lock().unwrap().insert(at, size);
                            old_size = size;
                        }
                        Answer::Conflict(known) => old_size = known,
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    let sizes: Vec<u64> = cosigned.into_inner().unwrap().into_values().collect();
    assert!(sizes.len() > 3, "{sizes:?}");
    assert!(
        sizes.is_sorted(),
        "a smaller tree was cosigned after a larger one: {sizes:?}"
    );
    assert_eq!(
        witnesses[0].latest(ORIGIN).unwrap().unwrap().size,
        *sizes.last().unwrap()
    );
}

/// Whatever operation fails, the power included: what was cosigned is remembered, and the witness goes on. Each request makes
/// four operations; a loss of power at the first of the second request takes whatever the first left not durable.
#[test]
fn nothing_is_cosigned_that_a_crash_could_forget() {
    for fault in [
        Fault::Kill,
        Fault::Tear,
        Fault::PowerLoss(u64::MAX),
        Fault::PowerLoss(1),
        Fault::DiskFull,
        Fault::FailOnce,
    ] {
        let mut failed = 0;
        for at in 0..8 {
            let folder = tempfile::tempdir().unwrap();
            assert_eq!(ask(&witness(folder.path()), 0, 10).status(), 200);
            let files = Box::new(FaultyFiles::new(dir(folder.path()), fault, at));
            let faulty = Witness::open_layer(files, Box::new(MemoryKey::new(5)), "w.example", [log_key(3)]).unwrap();
            let mut cosigned = 10;
            for (old_size, size) in [(10, 20), (20, 30)] {
                match ask(&faulty, old_size, size) {
                    Answer::Cosigned(_) => cosigned = size,
                    Answer::Failed(WitnessError::Io { .. }) => failed += 1,
                    // The one before failed, or was stored and not answered.
                    Answer::Conflict(_) => {}
                    other => panic!("{fault:?} at {at}: {other:?}"),
                }
            }
            let after = witness(folder.path());
            let known = after.latest(ORIGIN).unwrap().unwrap().size;
            assert!(
                known >= cosigned,
                "{fault:?} at {at}: {cosigned} cosigned, {known} remembered"
            );
            assert_eq!(ask(&after, known, 40).status(), 200, "{fault:?} at {at}");
        }
        assert!(failed >= 4, "{fault:?}: only {failed} requests failed");
    }
}

#[test]
fn a_folder_that_was_put_back_is_noticed_by_the_process_that_saw_more() {
    let folder = tempfile::tempdir().unwrap();
    let running = witness(folder.path());
    assert_eq!(ask(&running, 0, 10).status(), 200);
    let path = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some())
        .unwrap();
    let old = std::fs::read(&path).unwrap();
    assert_eq!(ask(&running, 10, 20).status(), 200);
    std::fs::write(&path, &old).unwrap();
    let answer = ask(&running, 10, 15);
    assert!(
        matches!(
            &answer,
            Answer::Failed(WitnessError::RolledBack {
                found: 10,
                seen: 20,
                ..
            })
        ),
        "{answer:?}"
    );
    assert!(answer.status() == 500 && !answer.body().contains("20"));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        ask(&running, 0, 15),
        Answer::Failed(WitnessError::RolledBack { found: 0, .. })
    ));
    // A state that does not verify is not taken for none.
    let mut bytes = old;
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    for witness in [running, witness(folder.path())] {
        assert!(matches!(
            ask(&witness, 0, 15),
            Answer::Failed(WitnessError::State { .. })
        ));
    }
}

/// A key of the log that took the place of another: both are listed, and the state signed with the earlier one counts.
#[test]
fn a_log_may_change_its_key() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ask(&witness(folder.path()), 0, 10).status(), 200);
    let both = Witness::open(
        dir(folder.path()),
        Box::new(MemoryKey::new(5)),
        "w.example",
        [log_key(3), log_key(4)],
    );
    let hashes = leaves(20);
    let proof = ConsistencyProof::from_tiles(&mut Tiles::of(&hashes), 10, 20).unwrap();
    let note = sign_checkpoint(&MemoryKey::new(4), ORIGIN, 20, &mth(&hashes)).unwrap();
    let answer = both
        .unwrap()
        .add_checkpoint(&AddCheckpoint::new(proof, &note).to_bytes(), || NOW_S);
    assert_eq!(answer.status(), 200, "{answer:?}");
    // Who forgets the earlier key is told, and cosigns nothing.
    let new_only = Witness::open(
        dir(folder.path()),
        Box::new(MemoryKey::new(5)),
        "w.example",
        [log_key(3)],
    )
    .unwrap();
    assert!(matches!(new_only.latest(ORIGIN), Err(WitnessError::State { .. })));
}

/// A real log and its own requests.
#[test]
fn a_real_log_makes_requests_that_hold() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = Log::open(dir(folder.path()), Box::new(MemoryKey::new(3)), ORIGIN).unwrap();
    let witness = witness(state.path());
    let mut old_size = 0;
    for n in 0..70 {
        let id = format!("rp_{n}");
        append(&log, &id).unwrap();
        if n % 7 == 0 {
            let checkpoint = log.checkpoint().unwrap();
            let request = log.witness_request(&checkpoint, old_size).unwrap();
            assert_eq!(AddCheckpoint::parse(&request.to_bytes()).unwrap(), request);
            assert_eq!(witness.add_checkpoint(&request.to_bytes(), || NOW_S).status(), 200);
            old_size = checkpoint.size;
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_witness_panic_or_sign(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in any::<proptest::sample::Index>(), bit in 0u8..8) {
        let folder = tempfile::tempdir().unwrap();
        let witness = witness(folder.path());
        assert_eq!(witness.add_checkpoint(&bytes, || NOW_S).status(), 400);
        let mut body = request(0, 7, 0).to_bytes();
        let at = at.index(body.len());
        body[at] ^= 1 << bit;
        assert_ne!(witness.add_checkpoint(&body, || NOW_S).status(), 200);
        assert!(witness.latest(ORIGIN).unwrap().is_none());
    }
}

#[test]
fn the_state_is_a_checkpoint_that_anybody_can_read() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ask(&witness(folder.path()), 0, 10).status(), 200);
    let name = format!("{}.checkpoint", Digest::of(ORIGIN.as_bytes()));
    let stored = std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(stored, request(0, 10, 0).note);
}
