//! What a process that keeps the journal open does when others change the file between two of its appends.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::AuditError;
use crate::files::DirFiles;
use crate::files::forward::Counted;
use crate::journal::FRAMES_START;
use crate::keys::Signer as _;
use crate::log::tests::{JOURNAL_BYTES, ORIGIN, append, audit, filled, folder, key, open};
use crate::log::{Log, LogOptions};
use crate::verify::verify;

/// A process with the log open that has appended, and so keeps the journal.
struct Process {
    log: Log,
    layer: Counted,
}

impl Process {
    fn that_appended(root: &Path, id: &str) -> Self {
        let layer = Counted::new(DirFiles::new(audit(root)));
        let options = LogOptions::default();
        let log = Log::open_layer(Box::new(layer.clone()), key(root), ORIGIN, options, JOURNAL_BYTES).unwrap();
        append(&log, id).unwrap();
        layer.take();
        Self { log, layer }
    }

    /// How often it opened the journal since it was last asked.
    fn opened(&self) -> u64 {
        self.layer.take().get("open_existing").copied().unwrap_or_default()
    }
}

fn journal(root: &Path) -> PathBuf {
    root.join("audit/journal")
}

/// Puts a file with these bytes into the place of the journal.
fn replace_journal(root: &Path, bytes: &[u8]) {
    let new = root.join("new");
    std::fs::write(&new, bytes).unwrap();
    std::fs::rename(new, journal(root)).unwrap();
}

fn assert_whole(root: &Path, records: u64) {
    let report = verify(&audit(root), &key(root).public().clone().into(), ORIGIN).unwrap();
    assert!(report.is_verified(), "{:#?}", report.problems);
    assert_eq!((report.entries, report.records), (records, records));
}

/// That nothing is wrong with the log but its journal.
fn assert_only_the_journal_is_wrong(root: &Path, records: u64) {
    let report = verify(&audit(root), &key(root).public().clone().into(), ORIGIN).unwrap();
    let wrong: Vec<&str> = report.problems.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(wrong, ["journal"]);
    assert_eq!((report.entries, report.records), (records, records));
}

#[test]
fn others_append_and_trim_between_and_the_journal_stays_open() {
    let root = filled(1);
    let first = Process::that_appended(root.path(), "rc_a0");
    let inode = std::fs::metadata(journal(root.path())).unwrap().ino();
    let mut size = 2;
    // Each round is one generation longer than the one before: some end in a trim by the other process, some in one by this.
    for round in 1..8u64 {
        let second = open(root.path()).unwrap();
        for n in 0..round {
            assert_eq!(append(&second, &format!("rc_b{round}x{n}")).unwrap(), size);
            size += 1;
        }
        assert_eq!(append(&first.log, &format!("rc_a{round}")).unwrap(), size);
        size += 1;
        assert_eq!(append(&second, &format!("rc_c{round}")).unwrap(), size);
        size += 1;
    }
    assert_eq!(first.opened(), 0, "it is the same file, which was open");
    assert_eq!(std::fs::metadata(journal(root.path())).unwrap().ino(), inode);
    assert_whole(root.path(), size);
}

#[test]
fn a_journal_that_was_replaced_is_opened_and_the_one_that_was_open_is_not_written() {
    let root = filled(1);
    let first = Process::that_appended(root.path(), "rc_a");
    let before = std::fs::read(journal(root.path())).unwrap();
    let old = root.path().join("old");
    std::fs::hard_link(journal(root.path()), &old).unwrap();
    replace_journal(root.path(), &before);
    assert_eq!(append(&first.log, "rc_b").unwrap(), 2);
    assert_eq!(first.opened(), 1);
    assert_eq!(
        std::fs::read(old).unwrap(),
        before,
        "a frame went into the file without a name"
    );
    assert_ne!(std::fs::read(journal(root.path())).unwrap(), before);
    assert_eq!(append(&open(root.path()).unwrap(), "rc_c").unwrap(), 3);
    assert_eq!(append(&first.log, "rc_d").unwrap(), 4);
    assert_eq!(first.opened(), 0);
    assert_whole(root.path(), 5);
}

#[test]
fn an_older_state_of_the_journal_loses_nothing_that_is_published() {
    let root = filled(1);
    let first = Process::that_appended(root.path(), "rc_a");
    let older = std::fs::read(journal(root.path())).unwrap();
    assert_eq!(append(&first.log, "rc_b").unwrap(), 2);
    replace_journal(root.path(), &older);
    assert_eq!(append(&first.log, "rc_c").unwrap(), 3);
    // Also in place, where nobody opens it anew.
    std::fs::write(journal(root.path()), &older).unwrap();
    assert_eq!(append(&first.log, "rc_d").unwrap(), 4);
    assert_eq!(first.log.read("rc_b").unwrap().index, 2);
    assert_whole(root.path(), 5);
    assert_eq!(append(&open(root.path()).unwrap(), "rc_e").unwrap(), 5);
}

#[test]
fn without_a_journal_nothing_is_recorded_until_a_start_makes_one() {
    let root = filled(1);
    let first = Process::that_appended(root.path(), "rc_a");
    std::fs::remove_file(journal(root.path())).unwrap();
    for id in ["rc_b", "rc_c"] {
        let error = append(&first.log, id).unwrap_err();
        assert!(
            matches!(&error, AuditError::Tampered { path, what } if path == "journal" && what.contains("missing")),
            "{error}"
        );
    }
    assert_eq!(first.log.checkpoint().unwrap().size, 2);
    assert_whole(root.path(), 2);
    assert_eq!(append(&open(root.path()).unwrap(), "rc_b").unwrap(), 2);
    // The process that kept the one without a name goes on with the new one.
    first.layer.take();
    assert_eq!(append(&first.log, "rc_c").unwrap(), 3);
    assert_eq!(first.opened(), 1);
    assert_whole(root.path(), 4);
}

#[test]
fn a_journal_that_was_cut_is_refused_or_costs_nothing_that_is_published() {
    let cut = |root: &Path, length: u64| {
        let file = std::fs::File::options().write(true).open(journal(root)).unwrap();
        file.set_len(length).unwrap();
    };
    for length in [0, 10, FRAMES_START / 2 - 1] {
        let root = filled(1);
        let first = Process::that_appended(root.path(), "rc_a");
        cut(root.path(), length);
        let error = append(&first.log, "rc_b").unwrap_err();
        assert!(
            matches!(&error, AuditError::Tampered { path, .. } if path == "journal"),
            "{length}: {error}"
        );
        assert_eq!(first.log.checkpoint().unwrap().size, 2, "{length}");
        assert!(open(root.path()).is_err(), "{length}");
        assert_only_the_journal_is_wrong(root.path(), 2);
    }
    for length in [FRAMES_START, FRAMES_START + 100, FRAMES_START + 4096] {
        let root = filled(1);
        let first = Process::that_appended(root.path(), "rc_a");
        cut(root.path(), length);
        assert_eq!(append(&first.log, "rc_b").unwrap(), 2, "{length}");
        assert_eq!(append(&open(root.path()).unwrap(), "rc_c").unwrap(), 3, "{length}");
        assert_eq!(append(&first.log, "rc_d").unwrap(), 4, "{length}");
        assert_whole(root.path(), 5);
    }
}

#[test]
fn the_journal_of_another_log_is_refused() {
    let (root, other) = (filled(1), folder());
    drop(open(other.path()).unwrap());
    let first = Process::that_appended(root.path(), "rc_a");
    replace_journal(root.path(), &std::fs::read(journal(other.path())).unwrap());
    let error = append(&first.log, "rc_b").unwrap_err();
    assert!(
        matches!(&error, AuditError::Tampered { path, .. } if path == "journal"),
        "{error}"
    );
    assert_eq!(first.log.checkpoint().unwrap().size, 2);
    assert!(open(root.path()).is_err());
    assert_only_the_journal_is_wrong(root.path(), 2);
}
