//! Several processes on one trail: at once, killed, without space, without permission.
//!
//! The processes are this test binary again, running the test `child` with its task in the environment.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a test may panic"
)]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use common::{Workspace, append, open, open_with};
use pg_logstats_audit::{AuditError, Log, LogOptions, NewRecord};

const TASK: &str = "PG_LOGSTATS_AUDIT_TEST_TASK";
const ROOT: &str = "PG_LOGSTATS_AUDIT_TEST_ROOT";
const NOBODY: u32 = 65534;
/// With this in the environment, the counts are those of the issue: 10,000 records, thousands of kills.
const AT_LENGTH: &str = "PG_LOGSTATS_AUDIT_TEST_AT_LENGTH";

/// One count for every day, another one for when somebody asks.
fn count(ordinary: u64, at_length: u64) -> u64 {
    if std::env::var_os(AT_LENGTH).is_some() {
        at_length
    } else {
        ordinary
    }
}

/// What a child does; without a task it does nothing.
#[test]
#[ignore = "run by the other tests in processes of its own"]
fn child() {
    let (Ok(task), Ok(root)) = (std::env::var(TASK), std::env::var(ROOT)) else {
        return;
    };
    let root = PathBuf::from(root);
    let words: Vec<&str> = task.split(' ').collect();
    match words.as_slice() {
        ["append", name, count] => append_and_tell(&open(&root).unwrap(), name, count.parse().unwrap()),
        ["large", bytes] => append_large(&root, bytes.parse().unwrap()),
        ["open"] => {
            let error = open(&root).map(drop).unwrap_err();
            say(&format!("error {error}"));
            assert!(matches!(error, AuditError::Permission { .. }), "{error:?}");
        }
        ["read"] => say(&format!("read {}", open(&root).unwrap().read("rp_1").unwrap().index)),
        _ => panic!("no task `{task}`"),
    }
}

/// Appends and says which record is durable, as the process that would act on it.
fn append_and_tell(log: &Log, name: &str, count: u64) {
    for n in 0..count {
        let id = format!("rp_{name}x{n}");
        let sealed = append(log, &id).unwrap();
        say(&format!("ack {id} {}", sealed.index));
    }
}

fn append_large(root: &Path, bytes: usize) {
    let log = open(root).unwrap();
    let payload = format!("\"{}\"", "x".repeat(bytes));
    let record = NewRecord {
        id: "rp_large",
        kind: "outcome",
        incident: None,
        created_us: 1,
        payload: payload.as_bytes(),
    };
    let error = log.append(&record).unwrap_err();
    say(&format!("error {error}"));
    assert!(matches!(error, AuditError::NoSpace { .. }), "{error:?}");
    // The log goes on with what fits.
    say(&format!("ack rp_small {}", append(&log, "rp_small").unwrap().index));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

fn child_command(program: &Path, root: &Path, task: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["--ignored", "--exact", "child", "--nocapture", "--test-threads=1"]);
    command.env(TASK, task).env(ROOT, root).stdout(Stdio::piped());
    command
}

fn spawn(root: &Path, task: &str) -> Child {
    child_command(&std::env::current_exe().unwrap(), root, task)
        .spawn()
        .unwrap()
}

/// What the child says until it ends.
fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
}

/// The records that a child was told are durable.
fn acknowledged(lines: impl Iterator<Item = String>) -> Vec<(String, u64)> {
    let acks = lines.filter_map(|line| {
        let (id, index) = line.strip_prefix("ack ")?.split_once(' ')?;
        Some((id.to_owned(), index.parse().ok()?))
    });
    acks.collect()
}

#[test]
fn sixteen_processes_append_at_once_and_nothing_is_lost_or_double() {
    let workspace = Workspace::new();
    let root = workspace.root.path();
    let each = count(40, 625);
    let start = Instant::now();
    let mut children: Vec<Child> = (0..16).map(|n| spawn(root, &format!("append p{n} {each}"))).collect();
    // An auditor looks on meanwhile: whatever the moment, the trail verifies.
    while !workspace.audit().join("checkpoint").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let readers: Vec<_> = children
        .iter_mut()
        .map(|child| {
            let lines = lines(child);
            std::thread::spawn(move || acknowledged(lines))
        })
        .collect();
    let mut looks = 0;
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        workspace.assert_verified();
        looks += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = start.elapsed();
    assert!(looks > 3, "only {looks} verifications ran meanwhile");

    let mut indexes = Vec::new();
    let log = workspace.log();
    for (mut child, reader) in children.into_iter().zip(readers) {
        let acks = reader.join().unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(acks.len() as u64, each);
        for (id, index) in acks {
            assert_eq!(log.read(&id).unwrap().index, index);
            indexes.push(index);
        }
    }
    indexes.sort_unstable();
    assert_eq!(indexes, (0..16 * each).collect::<Vec<_>>());
    assert_eq!(workspace.assert_verified().records, 16 * each);
    assert_eq!(log.take_recovered(), []);
    println!(
        "{} records by 16 processes in {took:?}, verified {looks} times meanwhile",
        16 * each
    );
}

/// Entries in the log, as the second line of the checkpoint has it; 0 as long as there is none.
fn size(workspace: &Workspace) -> u64 {
    let note = std::fs::read_to_string(workspace.audit().join("checkpoint")).unwrap_or_default();
    note.lines().nth(1).map_or(0, |size| size.parse().unwrap())
}

#[test]
fn processes_are_killed_while_they_append_and_no_acknowledged_record_is_lost() {
    let workspace = Workspace::new();
    let root = workspace.root.path();
    let (mut acks, mut recovered, mut unasked) = (Vec::new(), 0, 0);
    let rounds = count(100, 1_000);
    for round in 0..rounds {
        let mut children = ["a", "b", "c"].map(|name| spawn(root, &format!("append {name}{round} 100000")));
        let readers = children.each_mut().map(|child| {
            let lines = lines(child);
            std::thread::spawn(move || acknowledged(lines))
        });
        // Another moment of the append in each round.
        let before = size(&workspace);
        while size(&workspace) < before + 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(round * 397 % 7_000));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let told: Vec<_> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();

        let log = workspace.log();
        recovered += log.take_recovered().len();
        for (id, index) in &told {
            assert_eq!(log.read(id).unwrap().index, *index, "round {round}");
        }
        acks.extend(told);
        append(&log, &format!("rp_r{round}")).unwrap();
        unasked += 1;
    }
    let report = workspace.assert_verified();
    assert_eq!(report.entries, report.records);
    assert!(report.records >= acks.len() as u64 + unasked);
    // A killed process may have committed one record it could not tell of any more.
    assert!(
        report.records <= acks.len() as u64 + unasked + 3 * rounds,
        "{} of {}",
        acks.len(),
        report.records
    );
    let mut indexes: Vec<u64> = acks.iter().map(|(_, index)| *index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    assert_eq!(indexes.len(), acks.len(), "one index was given twice");
    println!(
        "{} kills, {} acknowledged, {recovered} recovered by the test, {} in all",
        3 * rounds,
        acks.len(),
        report.records
    );
}

#[test]
fn without_space_nothing_is_recorded_and_the_log_goes_on() {
    // The operating system's own limit on the size of a file stands in for a full disk: no root is needed, and `write`
    // really comes back short. The signal is ignored, so that the process gets the error.
    let workspace = Workspace::new();
    append(&workspace.log(), "rp_1").unwrap();
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"])
        .arg(exe);
    command.args(["--ignored", "--exact", "child", "--nocapture"]);
    let task = "large 1000000";
    let output = command
        .env(TASK, task)
        .env(ROOT, workspace.root.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("error no space left to write `journal`"), "{text}");
    assert!(text.contains("ack rp_small 1"), "{text}");
    let report = workspace.assert_verified();
    assert_eq!((report.records, report.note_count), (2, 0), "{:#?}", report.notes);
    assert!(matches!(
        workspace.log().read("rp_large"),
        Err(AuditError::UnknownId { .. })
    ));
}

#[test]
fn a_folder_without_write_permission_has_its_own_message() {
    let workspace = Workspace::new();
    append(&workspace.log(), "rp_1").unwrap();
    let root = workspace.root.path();
    let set_mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    // Root may do everything, so as root the child runs as nobody, with a copy of this program that nobody can read.
    let as_root = rustix::process::geteuid().is_root();
    let program = root.join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = child_command(&program, root, "open");
    if as_root {
        set_mode(root, 0o755);
        let nobody = Some(rustix::fs::Uid::from_raw(NOBODY));
        for path in ["keys", "keys/signing-key.pem"] {
            rustix::fs::chown(root.join(path), nobody, None).unwrap();
        }
        command.uid(NOBODY);
    } else {
        set_mode(&workspace.audit().join("queue"), 0o400);
        set_mode(&workspace.audit(), 0o555);
    }
    let output = command.output().unwrap();
    set_mode(&workspace.audit(), 0o755);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("error no permission to lock `queue` in the audit log"),
        "{text}"
    );
}

#[test]
fn a_lock_held_too_long_names_the_lock_file_and_a_dead_holder_frees_it() {
    let workspace = Workspace::new();
    let root = workspace.root.path();
    let log = open_with(
        root,
        LogOptions {
            lock_timeout_ms: 100,
            ..LogOptions::default()
        },
    )
    .unwrap();
    append(&log, "rp_1").unwrap();

    // `flock` holds it, another program altogether.
    let mut holder = Command::new("flock")
        .arg("--no-fork")
        .arg(workspace.audit().join("lock"))
        .args(["sh", "-c", "echo held; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`flock` is needed for this test (Debian package `util-linux`): {error}"));
    assert_eq!(lines(&mut holder).next().as_deref(), Some("held"));
    let start = Instant::now();
    let error = append(&log, "rp_2").unwrap_err();
    assert!(
        matches!(error, AuditError::LockTimeout { waited_ms: 100.., .. }),
        "{error}"
    );
    assert!(error.to_string().contains("lock file `lock`"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));

    holder.kill().unwrap();
    holder.wait().unwrap();
    append(&log, "rp_2").unwrap();
    assert_eq!(workspace.assert_verified().records, 2);
}

#[test]
fn a_lock_file_that_is_removed_while_it_is_waited_for_is_made_again() {
    let workspace = Workspace::new();
    let log = workspace.log();
    let lock = workspace.audit().join("lock");
    let holder = std::fs::File::open(&lock).unwrap();
    holder.lock().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| append(&log, "rp_1"));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        std::fs::remove_file(&lock).unwrap();
        waiting.join().unwrap().unwrap();
    });
    let mut child = spawn(workspace.root.path(), "read");
    let said: Vec<String> = lines(&mut child).collect();
    assert!(child.wait().unwrap().success());
    assert!(said.iter().any(|line| line == "read 0"), "{said:?}");
}

#[test]
fn a_journal_that_is_a_link_or_of_another_log_is_refused() {
    let workspace = Workspace::new();
    append(&workspace.log(), "rp_1").unwrap();
    let journal = workspace.audit().join("journal");
    let elsewhere = workspace.root.path().join("elsewhere");
    std::fs::rename(&journal, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &journal).unwrap();
    let error = open(workspace.root.path()).unwrap_err();
    assert!(matches!(error, AuditError::NotPlain { .. }), "{error}");

    let other = Workspace::new();
    append(&other.log(), "rp_1").unwrap();
    std::fs::remove_file(&journal).unwrap();
    std::fs::copy(other.audit().join("journal"), &journal).unwrap();
    let error = open(workspace.root.path()).unwrap_err();
    assert!(error.to_string().contains("does not verify"), "{error}");
    assert!(!workspace.verify().unwrap().is_verified());

    // The original goes on; so does a log of a build that had no journal.
    std::fs::remove_file(&journal).unwrap();
    std::fs::rename(&elsewhere, &journal).unwrap();
    append(&workspace.log(), "rp_2").unwrap();
    std::fs::remove_file(&journal).unwrap();
    append(&workspace.log(), "rp_3").unwrap();
    assert_eq!(workspace.assert_verified().records, 3);
}

#[test]
fn a_live_process_notices_that_its_journal_was_put_back() {
    let workspace = Workspace::new();
    let log = workspace.log();
    append(&log, "rp_1").unwrap();
    let journal = workspace.audit().join("journal");
    let earlier = std::fs::read(&journal).unwrap();
    append(&log, "rp_2").unwrap();
    std::fs::remove_file(&journal).unwrap();
    std::fs::write(&journal, &earlier).unwrap();
    // The checkpoint states more than this journal holds: it is begun anew behind the checkpoint.
    assert_eq!(append(&log, "rp_3").unwrap().index, 2);
    assert_eq!(workspace.assert_verified().records, 3);
}

#[test]
fn two_busy_processes_take_turns() {
    let workspace = Workspace::new();
    let root = workspace.root.path();
    let mut busy = spawn(root, "append busy 100000");
    let mut said = lines(&mut busy);
    assert!(said.any(|line| line.starts_with("ack ")));
    let reader = std::thread::spawn(move || acknowledged(said).len());
    let log = workspace.log();
    let (before, turns) = (size(&workspace), 40);
    for n in 0..turns {
        append(&log, &format!("rp_{n}")).unwrap();
    }
    let others = size(&workspace) - before - turns;
    busy.kill().unwrap();
    busy.wait().unwrap();
    reader.join().unwrap();
    // Two who append all the time take turns; without the queue one of the two gets next to nothing.
    assert!(
        (turns / 4..=turns * 4).contains(&others),
        "the other process appended {others} records while this one appended {turns}"
    );
}

#[test]
fn what_is_no_record_is_refused() {
    let workspace = Workspace::new();
    let log = workspace.log();
    append(&log, "rp_1").unwrap();
    assert!(matches!(
        append(&log, "rp_1"),
        Err(AuditError::DuplicateId { index: 0, .. })
    ));
    for path in ["../../etc/passwd", "rp_1.0.json", "/rp_1", "", "rp_1\n"] {
        assert!(matches!(log.read(path), Err(AuditError::BadId { .. })), "{path}");
        assert!(matches!(append(&log, path), Err(AuditError::BadId { .. })), "{path}");
    }
    let error = log.read("rp_2").unwrap_err();
    assert!(error.to_string().contains("`pg-logstats audit list`"), "{error}");
    let good = NewRecord {
        id: "rp_2",
        kind: "intent",
        incident: None,
        created_us: 1,
        payload: b"{}",
    };
    for bad in [
        NewRecord {
            kind: "../intent",
            ..good
        },
        NewRecord { payload: b"{", ..good },
        NewRecord { payload: b"", ..good },
        NewRecord {
            payload: &[0xff],
            ..good
        },
    ] {
        assert!(matches!(log.append(&bad), Err(AuditError::BadRecord { .. })), "{bad:?}");
    }
    assert!(matches!(
        log.append(&NewRecord {
            incident: Some("a/b"),
            ..good
        }),
        Err(AuditError::BadId { .. })
    ));
    let key = Box::new(common::key(workspace.root.path()));
    let audit = Dir::open_ambient_dir(workspace.audit(), ambient_authority()).unwrap();
    assert!(matches!(
        Log::open(audit.try_clone().unwrap(), key, "another/log"),
        Err(AuditError::OriginMismatch { .. })
    ));
    let key = Box::new(common::key(workspace.root.path()));
    assert!(matches!(
        Log::open(audit, key, "not an origin"),
        Err(AuditError::BadOrigin { .. })
    ));
    assert_eq!(workspace.assert_verified().records, 1);
}
