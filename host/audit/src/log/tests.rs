//! An append that is cut short at every operation it makes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{Log, LogOptions, NewRecord};
use crate::error::AuditError;
use crate::files::fault::{Fault, FaultyFiles};
use crate::files::forward::forward;
use crate::files::{DirFiles, FileLayer};
use crate::keys::tests::MemoryKey;
use crate::keys::{FileKey, PublicKey, SignError, Signer};
use crate::layout;
use crate::merkle::{TILE_WIDTH, TileId};
use crate::verify::{verify, verify_layer};

pub(crate) const ORIGIN: &str = "test.example/log";
/// More operations than any append makes.
const ENOUGH: u64 = 300;
/// Room for five small frames, so that some appends trim.
pub(crate) const JOURNAL_BYTES: u64 = 7 * 4096;

/// The layer under test, shared with the test so that it can be asked whether the fault was reached.
pub(crate) struct Shared(pub(crate) Arc<FaultyFiles>);

impl Shared {
    fn to(&self, _operation: &'static str) -> &dyn FileLayer {
        self.0.as_ref()
    }
}

forward!(Shared);

/// A folder in memory where there is one: durability is modelled here by the layer, and the disk only costs time.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

pub(crate) fn key(root: &Path) -> Box<FileKey> {
    let keys = root.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    Box::new(FileKey::load_or_create(&dir(&keys)).unwrap())
}

pub(crate) fn audit(root: &Path) -> Dir {
    let audit = root.join("audit");
    std::fs::create_dir_all(&audit).unwrap();
    dir(&audit)
}

pub(crate) fn open(root: &Path) -> Result<Log, AuditError> {
    let layer = Box::new(DirFiles::new(audit(root)));
    Log::open_layer(layer, key(root), ORIGIN, LogOptions::default(), JOURNAL_BYTES)
}

/// Opens the log after a fault: as the next process does, or as the first one after the machine was started anew.
fn open_after(root: &Path, fault: Fault) -> Result<Log, AuditError> {
    open_through(root, &Arc::new(after_a_fault(root, fault)))
}

fn after_a_fault(root: &Path, fault: Fault) -> FaultyFiles {
    let layer = FaultyFiles::new(audit(root), Fault::Kill, u64::MAX - 1);
    if matches!(fault, Fault::PowerLoss(_)) {
        layer.after_a_start()
    } else {
        layer
    }
}

pub(crate) fn open_through(root: &Path, layer: &Arc<FaultyFiles>) -> Result<Log, AuditError> {
    let layer = Box::new(Shared(Arc::clone(layer)));
    Log::open_layer(layer, key(root), ORIGIN, LogOptions::default(), JOURNAL_BYTES)
}

pub(crate) fn append(log: &Log, id: &str) -> Result<u64, AuditError> {
    let record = NewRecord {
        id,
        kind: "intent",
        incident: None,
        created_us: 1,
        payload: b"{}",
    };
    log.append(&record).map(|sealed| sealed.index)
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else if entry.path().extension().is_some_and(|extension| extension == "json") {
            // A record is never changed in place, so a second name is as good as a copy.
            std::fs::hard_link(entry.path(), to).unwrap();
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Ids that share sixteen shards, so that a workspace has few folders to copy.
fn ids() -> impl Iterator<Item = String> {
    (0u32..)
        .map(|n| format!("rc_{n}"))
        .filter(|id| crate::layout::shard(id).starts_with("records/00"))
}

/// A workspace whose log has `size` records.
pub(crate) fn filled(size: u64) -> tempfile::TempDir {
    let root = folder();
    let log = open(root.path()).unwrap();
    for (_, id) in (0..size).zip(ids()) {
        append(&log, &id).unwrap();
    }
    root
}

/// Appends to a copy of `template` with a fault at operation `at`. `None` when the append has fewer operations.
fn interrupted(template: &Path, fault: Fault, at: u64) -> Option<(tempfile::TempDir, Result<u64, AuditError>)> {
    let root = folder();
    copy(template, root.path());
    let layer = Arc::new(FaultyFiles::new(audit(root.path()), fault, at));
    let log = open_through(root.path(), &layer);
    let result = log.and_then(|log| append(&log, "rc_new"));
    layer.fired().then_some((root, result))
}

/// What must hold after any interruption: everything acknowledged is there, the new record is there once or not at all,
/// and the log goes on.
fn check_recovery(root: &Path, size: u64, fault: Fault, result: &Result<u64, AuditError>, context: &str) {
    let untouched = folder();
    copy(root, untouched.path());
    let layer = after_a_fault(untouched.path(), fault);
    // A log that is only being made may not be one yet; the next start makes it.
    if let Ok(report) = verify_layer(&layer, &key(root).public().clone().into(), ORIGIN) {
        assert!(
            report.is_verified(),
            "{context}, not opened again: {:#?}",
            report.problems
        );
    }
    let log = open_after(root, fault).unwrap_or_else(|error| panic!("{context}: {error}"));
    let recovered = log.take_recovered();
    let now = log.checkpoint().unwrap().size;
    assert!(now == size || now == size + 1, "{context}: {now} entries");
    if let Ok(index) = result {
        assert_eq!(
            (now, *index),
            (size + 1, size),
            "{context}: an acknowledged record is lost"
        );
    }
    for (index, id) in (0..size).zip(ids()).step_by(64) {
        assert_eq!(log.read(&id).unwrap().index, index, "{context}");
    }
    for moved in &recovered {
        assert_eq!((moved.id.as_str(), moved.index), ("rc_new", size), "{context}");
        assert!(
            root.join("audit").join(&moved.file).is_file(),
            "{context}: recovery lost a record"
        );
        assert_eq!(now, size, "{context}: a committed record was moved aside");
    }
    match append(&log, "rc_new") {
        Ok(index) => assert_eq!((index, now), (size, size), "{context}"),
        Err(AuditError::DuplicateId { index, .. }) => assert_eq!((index, now), (size, size + 1), "{context}"),
        Err(error) => panic!("{context}: {error}"),
    }
    let report = verify(&audit(root), &key(root).public().clone().into(), ORIGIN).unwrap();
    assert!(report.is_verified(), "{context}: {:#?}", report.problems);
    assert_eq!((report.entries, report.records), (size + 1, size + 1), "{context}");
    for staged in std::fs::read_dir(root.join("audit/staging")).unwrap() {
        let staged = format!("staging/{}", staged.unwrap().file_name().display());
        assert!(layout::SPARES.contains(&staged.as_str()), "{context}: {staged} is left");
    }
}

/// Every operation of an append at sizes where no, one and two levels of tiles change.
fn at_every_operation(size: u64, fault: impl Fn(u64) -> Fault) -> u64 {
    let template = filled(size);
    for at in 0..ENOUGH {
        let fault = fault(at);
        let Some((root, result)) = interrupted(template.path(), fault, at) else {
            return at;
        };
        check_recovery(
            root.path(),
            size,
            fault,
            &result,
            &format!("{fault:?} at operation {at}, {size} records before"),
        );
    }
    panic!("an append of more than {ENOUGH} operations");
}

#[test]
fn the_process_is_killed_at_every_operation() {
    for size in [1, 5, 255, 256] {
        let operations = at_every_operation(size, |_| Fault::Kill);
        assert!(operations > 8, "only {operations} operations were interrupted");
    }
    for size in [1, 255] {
        at_every_operation(size, |_| Fault::Tear);
    }
}

#[test]
fn power_is_lost_at_every_operation() {
    for size in [1, 255] {
        at_every_operation(size, |_| Fault::PowerLoss(u64::MAX));
        for seed in [1u64, 2] {
            at_every_operation(size, |at| {
                Fault::PowerLoss((at + 1).wrapping_mul(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            });
        }
    }
}

/// Publications one after the other, none of which is durable: the checkpoint that a power loss brings back may be one whose bytes
/// are lost too.
#[test]
fn power_is_lost_at_every_operation_of_appends_that_publish_one_after_the_other() {
    const APPENDS: usize = 3;
    // The second gets a longer checkpoint, whose bytes and length survive one without the other only now and then.
    for (size, seeds) in [(1, 1), (8, 16), (254, 1u64)] {
        let template = filled(size);
        let new: Vec<String> = ids().skip(300).take(APPENDS + 1).collect();
        let mut operations = 0;
        for at in 0..ENOUGH {
            let mut fired = false;
            let random = (1..=seeds).map(|seed| (at + 1).wrapping_mul(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            for mask in [u64::MAX, SOME, !SOME].into_iter().chain(random) {
                let context = format!("{mask:x} at operation {at}, {size} records before");
                let root = folder();
                copy(template.path(), root.path());
                let fault = Fault::PowerLoss(mask);
                let layer = Arc::new(FaultyFiles::new(audit(root.path()), fault, at));
                let log = open_through(root.path(), &layer).ok();
                let acknowledged = log.map_or(0, |log| {
                    let appended = new[..APPENDS].iter().map_while(|id| append(&log, id).ok());
                    appended.count()
                });
                if !layer.fired() {
                    continue;
                }
                fired = true;
                let report = verify_layer(
                    &after_a_fault(root.path(), fault),
                    &key(root.path()).public().clone().into(),
                    ORIGIN,
                );
                let report = report.unwrap_or_else(|error| panic!("{context}: {error}"));
                assert!(report.is_verified(), "{context}: {:#?}", report.problems);
                let log = open_after(root.path(), fault).unwrap_or_else(|error| panic!("{context}: {error}"));
                for (index, id) in (size..).zip(&new[..acknowledged]) {
                    assert_eq!(log.read(id).unwrap().index, index, "{context}");
                }
                let now = log.checkpoint().unwrap().size;
                assert!((acknowledged..=acknowledged + 1).contains(&usize::try_from(now - size).unwrap()));
                assert_eq!(append(&log, &new[APPENDS]).unwrap(), now, "{context}");
                let report = verify(&audit(root.path()), &key(root.path()).public().clone().into(), ORIGIN).unwrap();
                assert!(report.is_verified(), "{context}: {:#?}", report.problems);
            }
            if !fired {
                operations = at;
                break;
            }
        }
        assert!(operations > 24, "only {operations} operations");
    }
}

/// What a publication that was cut short leaves beside the files of those who go on: nobody's failure, and the next trim's.
#[test]
fn tiles_of_a_dead_process_beside_those_of_the_living_are_no_failure() {
    let template = filled(1);
    let new: Vec<String> = ids().skip(300).take(3).collect();
    let mut beside = 0;
    for fault in [Fault::Kill, Fault::Tear] {
        for at in 0..ENOUGH {
            let context = format!("{fault:?} at operation {at}");
            let root = folder();
            copy(template.path(), root.path());
            let living = open(root.path()).unwrap();
            let layer = Arc::new(FaultyFiles::new(audit(root.path()), fault, at));
            let dead = open_through(root.path(), &layer).and_then(|log| append(&log, &new[0]));
            if !layer.fired() {
                assert!(at > 8 && dead.is_ok(), "{context}");
                break;
            }
            for id in &new[1..] {
                append(&living, id).unwrap_or_else(|error| panic!("{context}: {error}"));
                let report = verify(&audit(root.path()), &key(root.path()).public().clone().into(), ORIGIN).unwrap();
                assert!(report.is_verified(), "{context}: {:#?}", report.problems);
                let size = usize::try_from(report.entries).unwrap();
                let partial = std::fs::read_dir(root.path().join("audit/tile/0/000.p")).unwrap();
                let narrower = partial
                    .map(|file| file.unwrap().file_name().into_string().unwrap())
                    .filter(|name| (2..size).contains(&name.parse().unwrap()));
                beside += narrower.count();
            }
        }
    }
    assert!(beside > 0, "no publication left anything beside that of the next");
}

#[test]
fn tiles_that_a_build_without_a_journal_left_ahead_of_its_checkpoint_are_taken_away() {
    let (root, other) = (filled(3), folder());
    copy(root.path(), other.path());
    append(&open(other.path()).unwrap(), "rc_other").unwrap();
    std::fs::remove_file(root.path().join("audit/journal")).unwrap();
    for file in ["tile/0/000.p/4", "tile/entries/000.p/4"] {
        std::fs::copy(
            other.path().join("audit").join(file),
            root.path().join("audit").join(file),
        )
        .unwrap();
    }
    let check = || {
        let report = verify(&audit(root.path()), &key(root.path()).public().clone().into(), ORIGIN).unwrap();
        assert!(report.is_verified(), "{:#?}", report.problems);
        report.note_count
    };
    assert_eq!(check(), 3, "both, and that there is no journal");
    let log = open(root.path()).unwrap();
    assert_eq!(check(), 0);
    assert!(!root.path().join("audit/tile/0/000.p/4").exists());
    assert_eq!(append(&log, "rc_new").unwrap(), 3);
    assert_eq!(check(), 0);
}

#[test]
fn the_disk_is_full_or_one_operation_fails_and_the_log_goes_on() {
    for fault in [Fault::DiskFull, Fault::FailOnce] {
        for size in [1, 255] {
            at_every_operation(size, |_| fault);
        }
    }
}

#[test]
fn without_space_to_publish_one_record_waits_in_the_journal_and_the_next_is_refused() {
    let root = filled(1);
    let layer = Arc::new(FaultyFiles::new(audit(root.path()), Fault::DiskFull, 0));
    let log = open_through(root.path(), &layer).unwrap();
    let error = append(&log, "rc_new").unwrap_err();
    assert!(matches!(error, AuditError::Unpublished { index: 1, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("no space left to write `records/"), "{message}");
    assert!(!message.contains("nothing was recorded"), "{message}");
    let error = append(&log, "rc_newer").unwrap_err();
    assert!(matches!(error, AuditError::NoSpace { .. }), "{error}");
    let log = open(root.path()).unwrap();
    assert_eq!(log.read("rc_new").unwrap().index, 1);
    assert_eq!(append(&log, "rc_newer").unwrap(), 2);
}

#[test]
fn after_a_failed_sync_this_process_records_nothing_more_and_the_next_one_goes_on() {
    let root = filled(1);
    // The first operation of an append writes the frame, the second makes it durable.
    let layer = Arc::new(FaultyFiles::new(audit(root.path()), Fault::FailOnce, 1));
    let log = open_through(root.path(), &layer).unwrap();
    for id in ["rc_new", "rc_newer"] {
        let error = append(&log, id).unwrap_err();
        assert!(matches!(error, AuditError::NotDurable { .. }), "{error}");
    }
    assert_eq!(log.checkpoint().unwrap().size, 1, "what may be lost was published");
    // The frame is whole, so it counts; nobody was told so.
    let log = open(root.path()).unwrap();
    assert_eq!(log.checkpoint().unwrap().size, 2);
    assert_eq!(append(&log, "rc_newer").unwrap(), 2);
}

#[test]
fn a_log_that_is_just_being_made_is_made_by_the_next_one() {
    for fault in [Fault::Kill, Fault::Tear, Fault::PowerLoss(u64::MAX), Fault::DiskFull] {
        at_every_operation(0, |_| fault);
        let mut at = 0;
        loop {
            let root = folder();
            let layer = Arc::new(FaultyFiles::new(audit(root.path()), fault, at));
            let log = open_through(root.path(), &layer);
            let result = log.and_then(|log| append(&log, "rc_new"));
            if !layer.fired() {
                break;
            }
            check_recovery(
                root.path(),
                0,
                fault,
                &result,
                &format!("{fault:?} at operation {at} of a new log"),
            );
            at += 1;
        }
        assert!(at > 15, "only {at} operations");
    }
}

#[test]
fn recovery_is_killed_at_every_operation_and_starts_again() {
    for (size, first) in [
        (1, Fault::Kill),
        (1, Fault::Tear),
        (5, Fault::Kill),
        (4, Fault::PowerLoss(SOME)),
    ] {
        at_every_operation_of_recovery(size, first, &[Fault::Kill]);
    }
}

/// About half of what was not made durable is lost.
const SOME: u64 = 0x5a3c_96e1_0ff0_d24b;

#[test]
fn power_is_lost_at_every_operation_of_recovery() {
    // All is lost that was not made durable, or about half of it.
    let losses = [u64::MAX, SOME].map(Fault::PowerLoss);
    for (size, first) in [
        (1, Fault::Kill),
        (1, Fault::PowerLoss(SOME)),
        (5, Fault::PowerLoss(!0b1)),
    ] {
        at_every_operation_of_recovery(size, first, &losses);
    }
}

/// Cuts an append short at every operation, and then the recovery from that at every operation.
fn at_every_operation_of_recovery(size: u64, first: Fault, faults: &[Fault]) {
    let template = filled(size);
    for at in 0..ENOUGH {
        let Some((root, result)) = interrupted(template.path(), first, at) else {
            return;
        };
        for fault in faults {
            for during in 0..ENOUGH {
                let again = folder();
                copy(root.path(), again.path());
                let mut layer = FaultyFiles::new(audit(again.path()), *fault, during);
                if matches!(first, Fault::PowerLoss(_)) {
                    layer = layer.after_a_start();
                }
                let layer = Arc::new(layer);
                let opened = open_through(again.path(), &layer);
                if let Fault::PowerLoss(mask) = fault {
                    layer.lose_power(*mask);
                }
                drop(opened);
                let context =
                    format!("{first:?} at operation {at} of an append, then {fault:?} at {during} of recovery");
                // Who opens it next is on a machine that was started anew if either fault did that.
                let after = if matches!(first, Fault::PowerLoss(_)) {
                    first
                } else {
                    *fault
                };
                check_recovery(again.path(), size, after, &result, &context);
                if !layer.fired() {
                    break;
                }
            }
        }
    }
}

/// A signer whose signatures are by another key from some moment on.
struct Lying {
    named: MemoryKey,
    other: MemoryKey,
    honest: AtomicU32,
}

impl Signer for Lying {
    fn public(&self) -> &PublicKey {
        self.named.public()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let honest = self.honest.load(std::sync::atomic::Ordering::Relaxed);
        if honest == 0 {
            return self.other.sign(message);
        }
        self.honest.store(honest - 1, std::sync::atomic::Ordering::Relaxed);
        self.named.sign(message)
    }
}

#[test]
fn a_signature_that_does_not_verify_is_never_published() {
    // The base of the journal and the checkpoint of the new log, and two per record, are honest, then the record's or the checkpoint's is not.
    for honest in [0, 4, 5] {
        let root = folder();
        let signer = |honest| Lying {
            named: MemoryKey::new(1),
            other: MemoryKey::new(2),
            honest: AtomicU32::new(honest),
        };
        let keys = signer(0).named.public().clone().into();
        let result = Log::open(audit(root.path()), Box::new(signer(honest)), ORIGIN)
            .and_then(|log| append(&log, "rc_1").and_then(|_| append(&log, "rc_2")));
        assert!(
            matches!(result, Err(AuditError::Seal(_) | AuditError::Checkpoint(_))),
            "{honest}: {result:?}"
        );
        match verify(&audit(root.path()), &keys, ORIGIN) {
            Ok(report) => assert!(
                report.is_verified() && report.records == 1,
                "{honest}: {:#?}",
                report.problems
            ),
            Err(error) => assert!(honest == 0 && matches!(error, AuditError::NoLog), "{error}"),
        }
    }
}

#[test]
fn whatever_a_dead_process_left_to_be_written_over_is_in_nobodys_way() {
    let root = filled(1);
    let log = open(root.path()).unwrap();
    let audit_folder = root.path().join("audit");
    let older = std::fs::read(audit_folder.join("checkpoint")).unwrap();
    let long = vec![b'x'; 100_000];
    for (index, opens_again, left) in [
        (1, false, older.as_slice()),
        (2, true, older.as_slice()),
        (3, false, b"".as_slice()),
        (4, true, b"torn".as_slice()),
        (5, false, long.as_slice()),
    ] {
        for spare in layout::SPARES {
            std::fs::write(audit_folder.join(spare), left).unwrap();
        }
        let anew = opens_again.then(|| open(root.path()).unwrap());
        assert_eq!(
            append(anew.as_ref().unwrap_or(&log), &format!("rc_{index}x")).unwrap(),
            index
        );
        let report = verify(&audit(root.path()), &key(root.path()).public().clone().into(), ORIGIN).unwrap();
        assert!(
            report.is_verified() && report.entries == index + 1,
            "{:#?}",
            report.problems
        );
    }
}

/// So a power loss, which may leave what it held before, leaves a beginning of the file that was written over it.
#[test]
fn a_spare_is_how_the_tile_or_bundle_begins_in_which_the_log_ends() {
    let root = filled(250);
    let log = open(root.path()).unwrap();
    let read = |path: &str| std::fs::read(root.path().join("audit").join(path)).ok();
    let mut compared = 0;
    for (size, id) in (251..=262u64).zip(ids().skip(300)) {
        append(&log, &id).unwrap();
        let (place, width) = (size / TILE_WIDTH, size % TILE_WIDTH);
        let tile = layout::tile(TileId { level: 0, n: place }, width);
        for (spare, partial) in [
            (layout::SPARE_BUNDLE, layout::bundle(place, width)),
            (layout::SPARE_TILE, tile),
        ] {
            let Some(spare) = read(spare) else { continue };
            assert_ne!(width, 0, "nothing is written over the spares of a place that is full");
            let newer = read(&partial).unwrap();
            assert!(newer.starts_with(&spare) && newer.len() > spare.len(), "at {size}");
            compared += 1;
        }
    }
    assert!(compared > 8, "{compared}");
}

#[test]
fn a_log_is_shared_by_threads() {
    let root = filled(1);
    let log = open(root.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let log = &log;
            scope.spawn(move || (0..5).for_each(|n| assert!(append(log, &format!("th_{thread}x{n}")).is_ok())));
        }
    });
    assert_eq!(log.checkpoint().unwrap().size, 21);
    let report = verify(&audit(root.path()), &key(root.path()).public().clone().into(), ORIGIN).unwrap();
    assert!(report.is_verified() && report.records == 21, "{:#?}", report.problems);
}
