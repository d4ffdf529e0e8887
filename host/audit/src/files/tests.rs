use cap_std::ambient_authority;
use cap_std::fs::Dir;

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
