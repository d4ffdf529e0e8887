use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::fault::{Fault, FaultyFiles};
use super::{DirFiles, FileLayer as _, LISTING_BYTES};

fn files(folder: &tempfile::TempDir) -> DirFiles {
    DirFiles::new(Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap())
}

#[test]
fn names_that_begin_so_are_found_in_a_folder_larger_than_one_reading() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder);
    assert!(files.names("absent", "rp_1.").unwrap().is_empty());
    let long = "x".repeat(200);
    let count = LISTING_BYTES / 200 * 2;
    std::fs::create_dir(folder.path().join("some")).unwrap();
    let wanted: Vec<String> = [0, count / 2, count].iter().map(|n| format!("rp_1.{n}.json")).collect();
    for n in 0..=count {
        std::fs::write(folder.path().join(format!("some/rp_1{n}.{long}")), []).unwrap();
        if let Some(name) = wanted.iter().find(|name| **name == format!("rp_1.{n}.json")) {
            std::fs::write(folder.path().join("some").join(name), []).unwrap();
        }
    }
    let mut found = files.names("some", "rp_1.").unwrap();
    found.sort_unstable_by_key(|name| wanted.iter().position(|other| other == name));
    assert_eq!(found, wanted);
    assert_eq!(files.names("some", "rp_1").unwrap().len(), count + 1 + wanted.len());
    assert!(files.names("some/rp_1.0.json", "rp_1").is_err());
}

#[test]
fn a_file_takes_the_place_of_another_or_of_none_and_of_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder);
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).unwrap();
    std::fs::create_dir(folder.path().join("staging")).unwrap();
    for content in ["first", "second", "third"] {
        files.write_new("staging/new", content.as_bytes(), 0o644).unwrap();
        files.replace("staging/new", "there").unwrap();
        assert_eq!(read("there"), content);
        assert!(!folder.path().join("staging/new").exists());
    }
    std::fs::create_dir(folder.path().join("taken")).unwrap();
    files.write_new("staging/new", b"fourth", 0o644).unwrap();
    files.replace("staging/new", "taken").unwrap_err();
    assert!(folder.path().join("taken").is_dir());
    assert_eq!(read("staging/new"), "fourth");
    files.replace("staging/absent", "there").unwrap_err();
    assert_eq!(read("there"), "third");
}

#[test]
fn only_a_file_of_the_tree_that_nobody_else_keeps_is_written_over() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder);
    let path = |name: &str| folder.path().join(name);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    files.write_new("there", b"older", 0o644).unwrap();
    assert!(files.overwrite("there", b"newer", 5).unwrap());
    assert_eq!(read("there"), "newer");
    assert!(files.overwrite("there", b"newer and longer", 0).unwrap());
    assert_eq!(read("there"), "newer and longer");
    for (bytes, least_bytes) in [(&b"shorter"[..], 0), (b"newer and longer yet", 20)] {
        assert!(!files.overwrite("there", bytes, least_bytes).unwrap());
    }
    std::fs::hard_link(path("there"), path("kept")).unwrap();
    symlink(path("there"), path("link")).unwrap();
    files.write_new("of another mode", b"", 0o600).unwrap();
    std::fs::set_permissions(path("of another mode"), std::fs::Permissions::from_mode(0o444)).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    for name in [
        "there",
        "kept",
        "link",
        "of another mode",
        "folder",
        "absent",
        "absent/file",
    ] {
        assert!(!files.overwrite(name, &[b'x'; 40], 0).unwrap(), "{name}");
    }
    assert_eq!(
        (read("kept").as_str(), read("of another mode").as_str()),
        ("newer and longer", "")
    );
    std::fs::remove_file(path("kept")).unwrap();
    assert!(files.overwrite("there", &[b'x'; 40], 0).unwrap());
}

/// What the two names hold after a fault at operation `at` of a replacement.
fn replaced(fault: Fault, at: u64, is_durable: bool) -> (Option<String>, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).ok();
    let dir = || Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    DirFiles::new(dir()).write_new("there", b"older", 0o644).unwrap();
    let layer = FaultyFiles::new(dir(), fault, at);
    layer.write_new("new", b"newer", 0o644).unwrap();
    if is_durable {
        layer.sync_files(&["new".to_owned()]).unwrap();
        layer.sync_dir("").unwrap();
    }
    let result = layer.replace("new", "there");
    assert_eq!(
        result.is_err(),
        layer.fired() && fault != Fault::FailOnce,
        "{fault:?} at {at}"
    );
    (read("there"), read("new"))
}

#[test]
fn a_replacement_is_two_operations_and_the_name_always_has_one_of_the_two_files() {
    let some = |text: &str| Some(text.to_owned());
    // Writing and making durable are operations too.
    for (is_durable, first) in [(true, 3), (false, 1)] {
        let killed = [first, first + 1, first + 2].map(|at| replaced(Fault::Kill, at, is_durable));
        let [before, between, after] = killed;
        assert_eq!(before, (some("older"), some("newer")));
        assert_eq!(between, (some("newer"), some("older")));
        assert_eq!(after, (some("newer"), None));
    }
    let mut left = std::collections::BTreeSet::new();
    for at in [3, 4] {
        for mask in 0..8 {
            left.insert(replaced(Fault::PowerLoss(mask), at, true));
        }
    }
    let expected =
        [("newer", Some("older")), ("older", Some("newer"))].map(|(there, new)| (some(there), new.map(str::to_owned)));
    assert_eq!(left.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_power_loss_takes_the_bytes_of_the_file_that_was_not_durable_and_never_those_of_the_other() {
    let mut spoiled = 0;
    for mask in 0..64 {
        let (there, new) = replaced(Fault::PowerLoss(mask), 2, false);
        let held = [&there, &new].map(|held| held.as_deref() == Some("older"));
        assert!(held.contains(&true), "{mask:b}: {there:?} {new:?}");
        spoiled += u32::from(
            there
                .as_deref()
                .is_some_and(|there| !["older", "newer"].contains(&there)),
        );
    }
    assert!(spoiled > 8, "{spoiled}");
}
