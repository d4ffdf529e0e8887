//! The main job: append, read back, verify; and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::path::Path;

use common::{ORIGIN, Workspace, append, dir};
use pg_logstats_audit::{prove, verify};

#[test]
fn what_is_appended_is_read_back_and_verifies() {
    let workspace = Workspace::new();
    let log = workspace.log();
    for n in 0..600u64 {
        let sealed = append(&log, &format!("rp_{n}")).unwrap();
        assert_eq!((sealed.index, sealed.tree_size), (n, n + 1));
    }
    let record = log.read("rp_300").unwrap();
    assert_eq!(record.index, 300);
    assert_eq!(record.payload, br#"{"id":"rp_300"}"#);
    let ids: Vec<String> = workspace
        .log()
        .entries()
        .unwrap()
        .map(|found| found.unwrap().entry.id)
        .collect();
    assert_eq!(ids, (0..600).map(|n| format!("rp_{n}")).collect::<Vec<_>>());

    let report = workspace.assert_verified();
    assert_eq!((report.entries, report.records), (600, 600));
    assert_eq!(report.notes, []);
}

/// Appends write over the files of earlier ones, which whoever takes no lock may be reading.
#[test]
fn who_reads_without_a_lock_while_it_grows_finds_it_whole() {
    const APPENDS: u64 = 1_500;
    let workspace = Workspace::new();
    let log = workspace.log();
    append(&log, "rp_first").unwrap();
    let (mut verified, mut newest) = (0u64, 0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..APPENDS {
                append(&log, &format!("rp_{n}")).unwrap();
            }
        });
        while !writer.is_finished() {
            let proof = prove(&dir(&workspace.audit()), &workspace.trusted(), ORIGIN, "rp_first", None).unwrap();
            assert_eq!(proof.verify(ORIGIN, &workspace.trusted(), None).unwrap().index, 0);
            let report = workspace.assert_verified();
            assert!(report.entries >= newest);
            (verified, newest) = (verified + 1, report.entries);
        }
    });
    assert!(verified > 3, "{verified}");
}

fn link_all(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => link_all(&entry.path(), &to),
            false if entry.file_name() == "journal" => drop(std::fs::copy(entry.path(), to).unwrap()),
            false => std::fs::hard_link(entry.path(), to).unwrap(),
        }
    }
}

/// As backup programs make them, that give a file which did not change a second name.
#[test]
fn a_copy_of_hard_links_stays_what_it_was_while_the_log_goes_on() {
    let workspace = Workspace::new();
    let log = workspace.log();
    let append_some = |names: std::ops::Range<u32>| {
        for n in names {
            append(&log, &format!("rp_{n}")).unwrap();
        }
    };
    append_some(0..7);
    let copy = workspace.root.path().join("copy");
    link_all(&workspace.audit(), &copy);
    append_some(7..12);
    let report = verify(&dir(&copy), &workspace.trusted(), ORIGIN).unwrap();
    assert!(report.is_verified() && report.entries == 7, "{:#?}", report.problems);
    assert_eq!(workspace.assert_verified().entries, 12);
}
