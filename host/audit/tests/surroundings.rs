//! Hostile surroundings, the real ones: a file system that becomes read-only, a disk that is full, permissions that are taken away,
//! and what a writer left that was killed while it published.
//!
//! In each, what was acknowledged is there afterwards, the error names the file, and the next start goes on. File systems are
//! mounted in a namespace of the child alone, which takes root and `unshare`; without them a test says that it is skipped.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{ORIGIN, Workspace, append, dir, key, open};
use pg_logstats_audit::{AuditError, Log, Signer as _, VerifyReport, verify};

const TASK: &str = "PG_LOGSTATS_AUDIT_TEST_TASK";
const ROOT: &str = "PG_LOGSTATS_AUDIT_TEST_ROOT";
/// A user without rights.
const NOBODY: u32 = 65534;

/// What a child does; without a task it does nothing.
#[test]
#[ignore = "run by the other tests in processes of its own"]
fn child() {
    let (Ok(task), Ok(root)) = (std::env::var(TASK), std::env::var(ROOT)) else {
        return;
    };
    let root = PathBuf::from(root);
    match task.as_str() {
        "read-only" => read_only(&root),
        "remounted" => remounted(&root),
        "full" => full(&root),
        "permissions" => permissions(&root),
        "write" => write(&root),
        _ => panic!("no task `{task}`"),
    }
    println!("\ndone");
}

fn child_command(program: &str, arguments: &[&str], task: &str, root: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command.args(["--ignored", "--exact", "child", "--nocapture", "--test-threads=1"]);
    command.env(TASK, task).env(ROOT, root);
    command
}

/// Runs a task in a mount namespace of its own; skipped where there can be none.
fn with_mounts(task: &str) {
    let allowed = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
        .output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        println!("skipped: mounting takes root and `unshare` (Debian package `util-linux`)");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let exe = std::env::current_exe().unwrap();
    let output = child_command("unshare", &["--mount", exe.to_str().unwrap()], task, root.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("\ndone"), "{text}\n{errors}");
    text.lines()
        .filter(|line| line.starts_with("skipped"))
        .for_each(|line| println!("{line}"));
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn make_folders(root: &Path) {
    std::fs::create_dir(root.join("keys")).unwrap();
    std::fs::create_dir(root.join("audit")).unwrap();
}

fn verified(root: &Path) -> VerifyReport {
    let report = verify(&dir(&root.join("audit")), &key(root).public().clone().into(), ORIGIN).unwrap();
    assert!(report.is_verified(), "{:#?}", report.problems);
    report
}

/// Appends until it fails: the ids that were acknowledged, and the error.
fn append_until_it_fails(log: &Log, name: &str) -> (Vec<String>, AuditError) {
    let mut acknowledged = Vec::new();
    for n in 0..100_000 {
        let id = format!("rp_{name}{n}");
        match append(log, &id) {
            Ok(_) => acknowledged.push(id),
            Err(error) => return (acknowledged, error),
        }
    }
    panic!("nothing failed");
}

/// The next start: what was acknowledged is there, and the log goes on.
fn goes_on(root: &Path, acknowledged: &[String], next: &str) {
    let log = open(root).unwrap();
    for id in acknowledged {
        log.read(id).unwrap();
    }
    append(&log, next).unwrap();
    let report = verified(root);
    assert!(report.records > acknowledged.len() as u64, "{report:#?}");
    // What the next append writes over stays, and nothing else does.
    let staged = std::fs::read_dir(root.join("audit/staging")).unwrap();
    let staged: Vec<_> = staged.map(|file| file.unwrap().file_name()).collect();
    let spares = ["checkpoint", "spare-bundle", "spare-tile"];
    assert!(
        staged.iter().all(|name| spares.iter().any(|spare| name == spare)),
        "{staged:?}"
    );
}

/// The error of an append names a file of the log, and says what the operating system says.
fn assert_clear(error: &AuditError, reason: &str) {
    let text = error.to_string();
    let names = ["`journal`", "`records/", "`tile/", "`checkpoint`", "`queue`", "`lock`"];
    assert!(names.iter().any(|name| text.contains(name)), "{text}");
    assert!(text.contains(reason), "{text}");
}

/// What ext4 does after an error of the disk: read-only in the middle, for files that are open as well. `abort` is its own
/// way to try that.
fn read_only(root: &Path) {
    let image = root.with_extension("image");
    std::fs::File::create(&image).unwrap().set_len(32 << 20).unwrap();
    let (image, mounted) = (image.to_str().unwrap(), root.to_str().unwrap());
    let made = Command::new("mkfs.ext4").args(["-q", "-F", image]).output();
    let mount = || Command::new("mount").args(["-o", "loop", image, mounted]).output();
    if !made.is_ok_and(|output| output.status.success()) || !mount().is_ok_and(|output| output.status.success()) {
        println!("\nskipped: no loop device or no `mkfs.ext4`");
        std::fs::remove_file(image).unwrap();
        return;
    }
    make_folders(root);
    let log = open(root).unwrap();
    let acknowledged: Vec<String> = (0..20).map(|n| format!("rp_{n}")).collect();
    for id in &acknowledged {
        append(&log, id).unwrap();
    }
    run("mount", &["-o", "remount,abort", mounted]);
    assert_clear(&append(&log, "rp_lost").unwrap_err(), "Read-only file system");
    append(&log, "rp_lost").unwrap_err();
    // Who only reads is not disturbed.
    assert_eq!(verified(root).records, 20);
    drop(log);
    assert_clear(&open(root).map(drop).unwrap_err(), "Read-only file system");
    run("umount", &[mounted]);
    assert!(mount().unwrap().status.success());
    goes_on(root, &acknowledged, "rp_next");
    run("umount", &[mounted]);
    std::fs::remove_file(image).unwrap();
}

/// Somebody mounts the file system read-only between two processes.
fn remounted(root: &Path) {
    let mounted = root.to_str().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "size=16m", "none", mounted]);
    make_folders(root);
    append(&open(root).unwrap(), "rp_1").unwrap();
    run("mount", &["-o", "remount,ro", mounted]);
    let error = open(root).map(drop).unwrap_err();
    assert!(matches!(error, AuditError::Permission { .. }), "{error:?}");
    assert_clear(&error, "Read-only file system");
    assert_eq!(verified(root).records, 1);
    run("mount", &["-o", "remount,rw", mounted]);
    goes_on(root, &["rp_1".to_owned()], "rp_2");
}

/// The disk is full, at another moment of an append each time: in the journal, or while its files are written.
fn full(root: &Path) {
    let mounted = root.to_str().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "size=4m", "none", mounted]);
    make_folders(root);
    let filler = root.join("filler");
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let log = open(root).unwrap();
        let before = log.checkpoint().unwrap().size;
        // Some sixty pages are left: the disk is full in the middle of an append.
        let filled = free_bytes(root).saturating_sub((60 + round) * 4096);
        std::fs::write(&filler, vec![0; usize::try_from(filled).unwrap()]).unwrap();
        let (told, error) = append_until_it_fails(&log, &format!("{round}x"));
        assert_clear(&error, "No space left on device");
        let waits = matches!(error, AuditError::Unpublished { .. });
        assert!(waits || matches!(error, AuditError::NoSpace { .. }), "{error:?}");
        assert!(!told.is_empty());
        let published = before + told.len() as u64;
        if waits {
            append(&log, "rp_more").unwrap_err();
        }
        assert_eq!(verified(root).entries, published);
        drop(log);
        std::fs::remove_file(&filler).unwrap();
        // What waited in the journal is in the log now, once, and nothing else.
        let size = open(root).unwrap().checkpoint().unwrap().size;
        assert_eq!(size, published + u64::from(waits));
        acknowledged.extend(told);
        let next = format!("rp_next{round}");
        goes_on(root, &acknowledged, &next);
        acknowledged.push(next);
    }
}

fn free_bytes(root: &Path) -> u64 {
    let found = rustix::fs::statvfs(root).unwrap();
    found.f_bfree * found.f_frsize
}

/// The owner's right to write is taken away in the middle, and given back.
fn permissions(root: &Path) {
    let log = open(root).unwrap();
    let acknowledged: Vec<String> = (0..5).map(|n| format!("rp_{n}")).collect();
    for id in &acknowledged {
        append(&log, id).unwrap();
    }
    let set_mode = |mode| {
        for folder in ["records", "tile/entries", "tile/0", ""] {
            let path = root.join("audit").join(folder);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set_mode(0o555);
    assert_clear(&append(&log, "rp_waits").unwrap_err(), "no permission");
    append(&log, "rp_more").unwrap_err();
    assert_eq!(verified(root).entries, 5);
    drop(log);
    assert_clear(&open(root).map(drop).unwrap_err(), "no permission");
    set_mode(0o755);
    goes_on(root, &acknowledged, "rp_next");
}

/// Appends, and says so, until it is killed.
fn write(root: &Path) {
    let log = open(root).unwrap();
    for n in 0.. {
        let id = format!("rp_{}x{n}", std::process::id());
        append(&log, &id).unwrap();
        println!("\nack {id}");
    }
}

#[test]
fn the_file_system_becomes_read_only_in_the_middle() {
    with_mounts("read-only");
}

#[test]
fn the_file_system_is_mounted_read_only_between_two_processes() {
    with_mounts("remounted");
}

#[test]
fn the_disk_is_full() {
    with_mounts("full");
}

#[test]
fn the_right_to_write_is_taken_away_and_given_back() {
    let workspace = Workspace::new();
    let root = workspace.root.path();
    // Root may do everything, so as root the child is somebody else, who owns the folders.
    let program = root.join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = child_command(program.to_str().unwrap(), &[], "permissions", root);
    if rustix::process::geteuid().is_root() {
        std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).unwrap();
        for folder in ["keys", "audit"] {
            rustix::fs::chown(root.join(folder), Some(rustix::fs::Uid::from_raw(NOBODY)), None).unwrap();
        }
        command.uid(NOBODY);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("\ndone"), "{text}\n{errors}");
}

/// A writer is killed until it leaves a partial tile that its checkpoint does not state yet.
#[test]
fn what_a_writer_left_that_was_killed_while_it_published_is_in_nobodys_way() {
    let workspace = Workspace::new();
    let root = workspace.root.path();
    let exe = std::env::current_exe().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..1_000u64 {
        let mut child = child_command(exe.to_str().unwrap(), &[], "write", root)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("ack ") {
            assert!(lines.read_line(&mut text).unwrap() > 0, "the writer ended: {text}");
        }
        std::thread::sleep(Duration::from_micros(round * 397 % 3_000));
        child.kill().unwrap();
        child.wait().unwrap();
        lines.read_to_string(&mut text).unwrap();
        acknowledged.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("ack "))
                .map(str::to_owned),
        );
        let note = std::fs::read_to_string(root.join("audit/checkpoint")).unwrap();
        let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
        let (place, next) = (size / 256, size % 256 + 1);
        if !root.join(format!("audit/tile/0/{place:03}.p/{next}")).exists() {
            continue;
        }
        let report = verified(root);
        assert!(
            report.notes.iter().any(|note| note.file.starts_with("tile/0/")),
            "{report:#?}"
        );
        goes_on(root, &acknowledged, "rp_next");
        println!(
            "left after {} kills, {} records acknowledged",
            round + 1,
            acknowledged.len()
        );
        return;
    }
    panic!("a thousand kills left no tile ahead of its checkpoint");
}
