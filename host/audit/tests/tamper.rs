//! Whatever is changed in a trail is noticed and named.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{ORIGIN, Workspace, append, dir};
use pg_logstats_audit::{AuditError, Problem, TrustedKeys, VerifyReport, verify};

/// A trail of `size` records.
fn trail(size: u64) -> Workspace {
    let workspace = Workspace::new();
    let log = workspace.log();
    for n in 0..size {
        append(&log, &format!("rp_{n}")).unwrap();
    }
    workspace
}

/// Every file below a folder with its path relative to it.
fn files(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), path);
            }
        }
    }
    found
}

/// Replaces a file as somebody with the rights of the owner can.
fn replace(path: &Path, bytes: &[u8]) {
    let mode = std::fs::metadata(path).unwrap().permissions();
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, mode).unwrap();
}

fn record(workspace: &Workspace, id: &str) -> PathBuf {
    let found = files(&workspace.audit());
    let (_, path) = found
        .iter()
        .find(|(name, _)| name.contains(&format!("/{id}.")))
        .unwrap();
    path.clone()
}

fn problems(workspace: &Workspace) -> Vec<Problem> {
    let report = workspace.verify().unwrap();
    assert!(!report.is_verified());
    assert!(!report.problems.is_empty());
    report.problems
}

/// Whether a problem is about this file: by its name, or by the index of its record.
fn names(report: &VerifyReport, file: &str) -> bool {
    report.problems.iter().any(|problem| problem.file == file)
}

#[test]
fn every_byte_of_every_file_counts() {
    let workspace = trail(3);
    let keys = workspace.trusted();
    let audit = dir(&workspace.audit());
    let mut changed = 0;
    for (name, path) in files(&workspace.audit()) {
        if ["lock", "queue", "journal"].contains(&name.as_str()) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1 << (at % 8);
            replace(&path, &other);
            match verify(&audit, &keys, ORIGIN) {
                Ok(report) => {
                    assert!(!report.is_verified(), "{name}, byte {at}: not noticed");
                    assert!(names(&report, &name), "{name}, byte {at}: {:#?}", report.problems);
                    if name.starts_with("records/") {
                        let id = name.rsplit('/').next().unwrap().split('.').next();
                        assert!(
                            report.problems.iter().any(|problem| problem.id.as_deref() == id),
                            "{name}"
                        );
                    }
                }
                Err(AuditError::OriginMismatch { .. }) => assert_eq!(name, "checkpoint"),
                Err(error) => panic!("{name}, byte {at}: {error}"),
            }
            changed += 1;
        }
        replace(&path, &bytes);
    }
    assert!(changed > 1_800, "only {changed} bytes were changed");
    workspace.assert_verified();
}

#[test]
fn every_file_cut_short_lengthened_emptied_or_removed_is_noticed() {
    let workspace = trail(258);
    for (name, path) in files(&workspace.audit()) {
        // One record stands for all of them. The edge at which the journal begins is there for the start after a power loss
        // alone, which compares it with the root that was signed.
        if name.contains(".p/254")
            || ["lock", "queue", "journal"].contains(&name.as_str())
            || (name.starts_with("records/") && !name.contains("/rp_7."))
        {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let mut longer = bytes.clone();
        longer.push(b'x');
        for other in [&bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2], &[], &longer] {
            replace(&path, other);
            let report = workspace.verify().unwrap();
            assert!(
                names(&report, &name),
                "{name} with {} bytes: {:#?}",
                other.len(),
                report.problems
            );
        }
        let mode = std::fs::metadata(&path).unwrap().permissions();
        std::fs::remove_file(&path).unwrap();
        match workspace.verify() {
            Ok(report) => assert!(names(&report, &name), "{name} removed: {:#?}", report.problems),
            Err(AuditError::CheckpointMissing { .. }) => assert_eq!(name, "checkpoint"),
            Err(error) => panic!("{name}: {error}"),
        }
        std::fs::write(&path, &bytes).unwrap();
        std::fs::set_permissions(&path, mode).unwrap();
    }
    workspace.assert_verified();
}

#[test]
fn the_level_above_tells_whether_an_entry_or_its_hash_was_changed() {
    let workspace = trail(258);
    for (file, expected) in [
        ("tile/entries/000", "entry 1 was changed"),
        ("tile/0/000", "the hash of entry 1 in the tile was changed"),
        ("tile/entries/001.p/2", "entry 256 was changed"),
        ("tile/0/001.p/2", "the hash of entry 256 in the tile was changed"),
        ("tile/1/000.p/1", "hash 0 of the tile was changed"),
    ] {
        let path = workspace.audit().join(file);
        let bytes = std::fs::read(&path).unwrap();
        let mut other = bytes.clone();
        // In the first entry, or in the second of a full bundle or tile.
        let at = match file {
            "tile/entries/000" => 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) + 60,
            "tile/0/000" => 40,
            _ => 20,
        };
        other[at] ^= 1;
        replace(&path, &other);
        let found = problems(&workspace);
        // A record whose entry was changed has no entry any more, and is named too.
        let expected_count = if file.contains("entries") { 2 } else { 1 };
        assert_eq!(found.len(), expected_count, "{file}: {found:#?}");
        assert_eq!(found[0].file, file);
        assert!(found[0].what.starts_with(expected), "{file}: {}", found[0].what);
        replace(&path, &bytes);
    }
    workspace.assert_verified();
}

#[test]
fn a_removed_record_is_named_and_never_read() {
    let workspace = trail(3);
    std::fs::remove_file(record(&workspace, "rp_1")).unwrap();
    let found = problems(&workspace);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].index, found[0].id.as_deref()), (Some(1), Some("rp_1")));
    assert!(found[0].what.contains("missing"), "{}", found[0].what);
    let error = workspace.log().read("rp_1").unwrap_err();
    assert!(matches!(&error, AuditError::RecordTampered { index: 1, .. }), "{error}");
}

#[test]
fn swapped_records_are_both_named() {
    let workspace = trail(3);
    let (first, second) = (record(&workspace, "rp_0"), record(&workspace, "rp_2"));
    let (a, b) = (std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    replace(&first, &b);
    replace(&second, &a);
    let ids: Vec<_> = problems(&workspace)
        .into_iter()
        .filter_map(|problem| problem.id)
        .collect();
    assert_eq!(ids, ["rp_0", "rp_2"]);
    assert!(matches!(
        workspace.log().read("rp_0"),
        Err(AuditError::RecordTampered { index: 0, .. })
    ));
}

#[test]
fn copied_and_added_records_are_named() {
    let workspace = trail(3);
    let original = record(&workspace, "rp_0");
    // The same record again under another index, and under an id that nobody recorded.
    std::fs::copy(&original, original.with_file_name("rp_0.2.json")).unwrap();
    let stray = workspace.audit().join("records/000/rp_0.1.json");
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::copy(&original, &stray).unwrap();
    std::fs::write(original.with_file_name("notes.txt"), "x").unwrap();
    let found = problems(&workspace);
    let about = |end: &str| found.iter().filter(|problem| problem.file.ends_with(end)).count();
    assert!(
        about("rp_0.2.json") >= 1 && about("000/rp_0.1.json") >= 1 && about("notes.txt") == 1,
        "{found:#?}"
    );
    // The genuine one can still be read.
    assert_eq!(workspace.log().read("rp_0").unwrap().index, 0);
}

#[test]
fn a_record_resealed_by_another_key_is_named() {
    let (workspace, other) = (trail(2), trail(2));
    replace(
        &record(&workspace, "rp_1"),
        &std::fs::read(record(&other, "rp_1")).unwrap(),
    );
    let found = problems(&workspace);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id.as_deref(), Some("rp_1"));
}

#[test]
fn a_whole_trail_by_another_key_is_refused_with_the_keys_named() {
    let (workspace, other) = (trail(2), trail(2));
    let report = verify(&dir(&other.audit()), &workspace.trusted(), ORIGIN).unwrap();
    assert!(!report.is_verified() && report.checkpoint.is_none());
    assert!(
        report.problems[0].what.contains("no signature by a trusted key"),
        "{}",
        report.problems[0].what
    );
    // Under both keys it stands.
    let both = TrustedKeys::new(workspace.trusted().iter().chain(other.trusted().iter()).cloned());
    assert!(verify(&dir(&other.audit()), &both, ORIGIN).unwrap().is_verified());
    let opened = common::open_with(workspace.root.path(), Default::default());
    assert!(opened.is_ok());
    std::fs::remove_file(workspace.audit().join("checkpoint")).unwrap();
    std::fs::copy(other.audit().join("checkpoint"), workspace.audit().join("checkpoint")).unwrap();
    assert!(matches!(
        common::open(workspace.root.path()),
        Err(AuditError::Checkpoint(_))
    ));
}

#[test]
fn a_missing_checkpoint_never_starts_a_new_log() {
    let workspace = trail(1);
    std::fs::remove_file(workspace.audit().join("checkpoint")).unwrap();
    let error = common::open(workspace.root.path()).unwrap_err();
    assert!(matches!(&error, AuditError::CheckpointMissing { .. }), "{error}");
    assert!(matches!(workspace.verify(), Err(AuditError::CheckpointMissing { .. })));
    assert!(matches!(Workspace::new().verify(), Err(AuditError::NoLog)));
}

#[test]
fn a_log_that_is_rolled_back_under_a_running_process_is_noticed() {
    let workspace = trail(2);
    let old = std::fs::read(workspace.audit().join("checkpoint")).unwrap();
    let log = workspace.log();
    append(&log, "rp_new").unwrap();
    replace(&workspace.audit().join("checkpoint"), &old);
    let error = append(&log, "rp_newer").unwrap_err();
    assert!(error.to_string().contains("rolled back"), "{error}");
}

#[test]
fn nothing_is_signed_on_top_of_a_tampered_edge() {
    for file in ["tile/0/000.p/3", "tile/entries/000.p/3"] {
        let workspace = trail(3);
        let path = workspace.audit().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[10] ^= 1;
        replace(&path, &bytes);
        let error = common::open(workspace.root.path()).unwrap_err();
        assert!(matches!(&error, AuditError::Tampered { .. }), "{error}");
        assert_eq!(files(&workspace.audit()).len(), 9, "something was written");
    }
}

#[test]
fn entries_of_a_changed_bundle_are_not_returned() {
    let workspace = trail(300);
    let path = workspace.audit().join("tile/entries/000");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60] ^= 1;
    replace(&path, &bytes);
    let log = workspace.log();
    let read: Vec<_> = log.entries().unwrap().collect();
    assert!(
        matches!(read.as_slice(), [Err(AuditError::Tampered { .. })]),
        "{} items",
        read.len()
    );
    assert_eq!(log.entries_from(256).unwrap().filter(Result::is_ok).count(), 44);
    assert!(matches!(log.read("rp_3"), Err(AuditError::Tampered { .. })));
}

#[test]
fn a_link_in_place_of_a_file_is_named_and_not_followed() {
    let workspace = trail(3);
    let path = record(&workspace, "rp_1");
    let elsewhere = workspace.root.path().join("elsewhere.json");
    std::fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let found = problems(&workspace);
    assert_eq!(found.len(), 1);
    assert!(found[0].what.contains("link"), "{}", found[0].what);
    assert!(matches!(workspace.log().read("rp_1"), Err(AuditError::NotPlain { .. })));
    // Also when the target lies in the trail itself.
    std::fs::remove_file(&path).unwrap();
    let inside = workspace.audit().join("copy.json");
    std::fs::rename(&elsewhere, &inside).unwrap();
    std::os::unix::fs::symlink(&inside, &path).unwrap();
    assert_eq!(problems(&workspace).len(), 1);

    for file in ["lock", "checkpoint", "tile/0/000.p/3"] {
        let workspace = trail(3);
        let path = workspace.audit().join(file);
        let elsewhere = workspace.root.path().join("elsewhere");
        std::fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(common::open(workspace.root.path()).is_err(), "{file}");
    }
}

#[test]
fn modes_and_leftovers_are_notes() {
    let workspace = trail(3);
    let path = record(&workspace, "rp_1");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o444);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(workspace.audit().join("staging/tile"), "x").unwrap();
    std::fs::write(workspace.audit().join("unacknowledged/rp_9.3.json"), "x").unwrap();
    std::fs::copy(&path, record(&workspace, "rp_0").with_file_name("rp_0.17.json")).unwrap();
    let report = workspace.assert_verified();
    assert_eq!(report.note_count, 4, "{:#?}", report.notes);
    let about = |text: &str| {
        report
            .notes
            .iter()
            .any(|note| note.what.contains(text) || note.file.contains(text))
    };
    assert!(about("0644") && about("staging/tile") && about("unacknowledged/rp_9") && about("rp_0.17.json"));
}
