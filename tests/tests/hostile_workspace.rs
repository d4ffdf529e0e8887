//! A workspace that somebody else wrote into: poisoned code, and links out of it. Nothing of theirs is run or followed, and nothing is
//! written where a link leads.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use pg_logstats_tests::{Lab, copy_folder, fixture, host};

/// Compiled code in the workspace's cache, by file name.
fn compiled(lab: &Lab) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(lab.workspace().join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cwasm"))
        .collect();
    files.sort();
    files
}

/// Runs the runbook, and asserts that it answers as ever and that the cache has `genuine` again.
#[track_caller]
fn is_replaced(lab: &Lab, file: &Path, genuine: &[u8], how: &str) {
    let report = host::triage_builtin(lab, "query-families").unwrap();
    assert_eq!(report.runbook.failure, None, "{how}");
    assert!(!report.findings.is_empty(), "{how}");
    assert!(fs::symlink_metadata(file).unwrap().is_file(), "{how}");
    assert_eq!(
        fs::read(file).unwrap(),
        genuine,
        "{how}: compiled anew, to the same bytes"
    );
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{how}");
}

#[test]
fn poisoned_code_is_not_run() {
    let lab = Lab::new();
    host::triage_builtin(&lab, "query-families").unwrap();
    let file = compiled(&lab).pop().unwrap();
    let genuine = fs::read(&file).unwrap();

    // One bit: of the authentication code, of the ELF header, and all through the machine code.
    let step = genuine.len() / 12;
    for at in [0, 31, 32, 40].into_iter().chain((100..genuine.len()).step_by(step)) {
        let mut flipped = genuine.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&file, flipped).unwrap();
        is_replaced(&lab, &file, &genuine, &format!("a flipped bit in byte {at}"));
    }
    for (bytes, how) in [
        (Vec::new(), "empty"),
        (genuine[..31].to_vec(), "shorter than its authentication code"),
        (genuine[..genuine.len() - 1].to_vec(), "cut"),
        ([&genuine[..], b"x"].concat(), "longer"),
        (genuine[32..].to_vec(), "without an authentication code"),
    ] {
        fs::write(&file, bytes).unwrap();
        is_replaced(&lab, &file, &genuine, how);
    }
}

#[test]
fn code_of_another_component_another_engine_or_another_host_is_not_run() {
    let lab = Lab::new();
    host::triage_builtin(&lab, "query-families").unwrap();
    let file = compiled(&lab).pop().unwrap();
    let genuine = fs::read(&file).unwrap();
    host::triage_builtin(&lab, "locks").unwrap();
    let other = compiled(&lab).into_iter().find(|path| *path != file).unwrap();
    let others = fs::read(&other).unwrap();

    fs::write(&file, &others).unwrap();
    fs::write(&other, &genuine).unwrap();
    is_replaced(&lab, &file, &genuine, "swapped with another component's");
    host::triage_builtin(&lab, "locks").unwrap();
    assert_eq!(fs::read(&other).unwrap(), others);

    // The name ends with the engine's identity: code of an older engine lies under another name.
    let old = file.with_file_name(
        file.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .replace(|c: char| c.is_ascii_digit(), "0"),
    );
    fs::rename(&file, &old).unwrap();
    is_replaced(&lab, &file, &genuine, "only an older engine's is there");

    let elsewhere = Lab::new();
    host::triage_builtin(&elsewhere, "query-families").unwrap();
    let foreign = fs::read(compiled(&elsewhere).pop().unwrap()).unwrap();
    assert_ne!(foreign, genuine, "another key");
    fs::write(&file, foreign).unwrap();
    is_replaced(&lab, &file, &genuine, "of another workspace");
}

#[test]
fn code_behind_a_link_or_writable_by_all_is_not_trusted_for_that() {
    let lab = Lab::new();
    host::triage_builtin(&lab, "query-families").unwrap();
    let file = compiled(&lab).pop().unwrap();
    let genuine = fs::read(&file).unwrap();

    let outside = lab.path().join("outside.cwasm");
    let mut poisoned = genuine.clone();
    let last = poisoned.len() - 1;
    poisoned[last] ^= 1;
    fs::write(&outside, &poisoned).unwrap();
    fs::remove_file(&file).unwrap();
    symlink(&outside, &file).unwrap();
    is_replaced(&lab, &file, &genuine, "a link out of the workspace");
    assert_eq!(fs::read(&outside).unwrap(), poisoned, "nothing was written there");

    fs::write(&file, &poisoned).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    is_replaced(&lab, &file, &genuine, "writable by all, and written to");
    fs::set_permissions(file.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(&file, &poisoned).unwrap();
    is_replaced(&lab, &file, &genuine, "in a folder that is writable by all");
}

/// What lies below `folder`, with the bytes of files.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                found.push((path.clone(), Vec::new()));
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap_or_default();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

/// Each folder and each file of a used workspace in turn becomes a link to a copy of itself elsewhere, as somebody would make it who
/// wants the host to read or write there.
#[test]
fn no_link_leads_out_of_the_workspace() {
    let model = Lab::new();
    model.triage("query-families", &fixture("shop.log"));
    let parts = tree(&model.workspace());
    assert!(parts.len() > 10, "{parts:?}");
    for folder in ["audit", "cache", "evidence", "keys"] {
        assert!(
            parts.iter().any(|(path, _)| *path == model.workspace().join(folder)),
            "{folder}"
        );
    }
    for (path, _) in &parts {
        let part = path.strip_prefix(model.workspace()).unwrap();
        let lab = Lab::new();
        copy_folder(&model.workspace(), &lab.workspace());
        let outside = lab.path().join("outside");
        fs::rename(lab.workspace().join(part), &outside).unwrap();
        symlink(&outside, lab.workspace().join(part)).unwrap();
        let before = if outside.is_dir() {
            tree(&outside)
        } else {
            vec![(outside.clone(), fs::read(&outside).unwrap())]
        };

        let ran = lab.run(&["triage", "locks", fixture("shop.log").to_str().unwrap()]);
        let after = if outside.is_dir() {
            tree(&outside)
        } else {
            vec![(outside.clone(), fs::read(&outside).unwrap())]
        };
        assert_eq!(
            before,
            after,
            "{}: nothing is written where the link leads",
            part.display()
        );
        // What can be lost is not missed (`audit/sync` only saves work, and the next append makes anew what it would have written over);
        // anything else ends the command, and nothing is answered.
        let may_be_lost = [
            "cache",
            "locks",
            "keys/cache.key",
            "audit/sync",
            "audit/staging/checkpoint",
            "audit/staging/spare-bundle",
            "audit/staging/spare-tile",
        ];
        let may_be_lost = may_be_lost.iter().any(|lost| part.starts_with(lost));
        // The record or evidence of another run, and the key that auditors read, are not needed for this run.
        let not_needed = ["evidence", "audit/records", "keys/public-key.pem"]
            .iter()
            .any(|other| {
                part.starts_with(other) && part != Path::new("evidence") && part != Path::new("audit/records")
            });
        match ran.code {
            0 => assert!(may_be_lost || not_needed, "{} was followed", part.display()),
            1 | 4 => assert!(!may_be_lost && ran.stdout.is_empty(), "{}: {ran:?}", part.display()),
            _ => panic!("{}: {ran:?}", part.display()),
        }
    }
}
