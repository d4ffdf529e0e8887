//! The main job: append, read back, verify; and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use common::{Workspace, append};

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
