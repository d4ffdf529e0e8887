use std::path::Path;

use super::*;
use crate::evidence::Evidence;
use crate::{LogError, Options, analyse};

fn stderr(minute: u32, pid: u32, message: &str) -> String {
    format!("2026-11-23 05:{minute:02}:00.000 UTC [{pid}] bob@shop web: LOG:  {message}\n")
}

fn csv(minute: u32, pid: u32, message: &str) -> String {
    format!(
        "2026-11-23 05:{minute:02}:00.000 UTC,\"bob\",\"shop\",{pid},\"[local]\",6b03c95f.{pid:x},1,\"SELECT\",\
         2026-11-23 05:00:00 UTC,3/0,0,LOG,00000,\"{message}\",,,,,,,,,\"web\",\"client backend\",,0\n"
    )
}

fn json(minute: u32, pid: u32, message: &str) -> String {
    format!(
        "{{\"timestamp\":\"2026-11-23 05:{minute:02}:00.000 UTC\",\"user\":\"bob\",\"dbname\":\"shop\",\"pid\":{pid},\
         \"error_severity\":\"LOG\",\"message\":\"{message}\",\"application_name\":\"web\"}}\n"
    )
}

fn statements(render: fn(u32, u32, &str) -> String, minutes: std::ops::Range<u32>) -> String {
    minutes
        .map(|minute| render(minute, 7, "duration: 1.000 ms  statement: SELECT 1"))
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn run(dir: &Path) -> Result<Evidence, LogError> {
    let opened = cap_std::fs::Dir::open_ambient_dir(dir, cap_std::ambient_authority()).unwrap();
    analyse(Source::in_dir("log", &opened)?, &Options::default(), &|_| {})
}

fn names(evidence: &Evidence) -> Vec<&str> {
    evidence.source.files.iter().map(|file| file.path.as_str()).collect()
}

fn streams(evidence: &Evidence) -> Vec<Option<usize>> {
    evidence.source.files.iter().map(|file| file.stream).collect()
}

fn limitation(evidence: &Evidence, code: &str) -> u64 {
    let found = evidence.limitations.iter().find(|limitation| limitation.code == code);
    assert!(found.is_none_or(|found| !found.message.is_empty()));
    found.map_or(0, |found| found.count)
}

#[test]
fn rotated_files_are_one_log_in_order_of_time() {
    // Weekdays and logrotate's numbers: the order of names is not that of time.
    let dir = folder(&[
        ("postgresql-Wed.log", stderr(0, 7, "statement: SELECT 42").as_bytes()),
        ("postgresql-Mon.log", stderr(20, 7, "duration: 5.000 ms").as_bytes()),
        (
            "postgresql-Tue.log.gz",
            &gzip(&stderr(10, 8, "duration: 1.000 ms  statement: SELECT 1")),
        ),
    ]);
    let evidence = run(dir.path()).unwrap();
    assert_eq!(
        names(&evidence),
        [
            "log/postgresql-Wed.log",
            "log/postgresql-Tue.log.gz",
            "log/postgresql-Mon.log"
        ]
    );
    assert_eq!(streams(&evidence), [Some(0); 3]);
    // The statement of the first file got its duration from the last one.
    assert_eq!(
        (evidence.total_executions, limitation(&evidence, "bare_duration")),
        (2, 0)
    );
}

#[test]
fn an_open_lock_wait_goes_on_in_the_next_file() {
    let waiting = "process 7 still waiting for ShareLock on transaction 9 after 1000.000 ms";
    let acquired = "process 7 acquired ShareLock on transaction 9 after 90000.000 ms";
    let dir = folder(&[
        ("b.log.1", stderr(1, 7, waiting).as_bytes()),
        ("b.log", stderr(2, 7, acquired).as_bytes()),
    ]);
    let evidence = run(dir.path()).unwrap();
    assert_eq!(names(&evidence), ["log/b.log.1", "log/b.log"]);
    assert_eq!(evidence.lock_waits.len(), 1);
    assert!(evidence.lock_waits[0].acquired);
}

#[test]
fn one_destination_is_taken() {
    let one = |files: &[(&str, &[u8])]| {
        let evidence = run(folder(files).path()).unwrap();
        assert_eq!(evidence.total_executions, 10);
        (
            names(&evidence).join(" "),
            limitation(&evidence, "duplicate_destination"),
        )
    };
    let (log, csv, json) = (
        statements(stderr, 0..10),
        statements(csv, 0..10),
        statements(json, 0..10),
    );
    let (log, csv, json) = (log.as_bytes(), csv.as_bytes(), json.as_bytes());
    assert_eq!(
        one(&[("pg-1.log", log), ("pg-1.csv", csv), ("pg-1.json", json)]),
        ("log/pg-1.json".to_owned(), 2)
    );
    assert_eq!(one(&[("pg.log", log), ("pg.csv", csv)]), ("log/pg.csv".to_owned(), 1));
    let (log_gz, csv_gz) = (
        gzip(std::str::from_utf8(log).unwrap()),
        gzip(std::str::from_utf8(csv).unwrap()),
    );
    assert_eq!(
        one(&[("pg.log.1.gz", &log_gz), ("pg.csv.1.gz", &csv_gz)]),
        ("log/pg.csv.1.gz".to_owned(), 1)
    );
}

#[test]
fn what_only_the_other_destination_tells_is_kept() {
    // The setting was changed in the middle of the day; and last week's file of that weekday.
    let log = statements(stderr, 0..10);
    let csv = statements(csv, 10..20);
    let dir = folder(&[("pg-Mon.log", log.as_bytes()), ("pg-Mon.csv", csv.as_bytes())]);
    let evidence = run(dir.path()).unwrap();
    assert_eq!(
        (evidence.total_executions, names(&evidence)),
        (20, vec!["log/pg-Mon.log", "log/pg-Mon.csv"])
    );
    assert_eq!(streams(&evidence), [Some(0), Some(1)]);
}

#[test]
fn copies_are_read_once() {
    let log = statements(stderr, 0..40);
    let longer = statements(stderr, 0..50);
    let dir = folder(&[
        ("pg-1.log", longer.as_bytes()),
        ("pg-1.log.gz", &gzip(&log)),
        ("kept.log", log.as_bytes()),
    ]);
    std::os::unix::fs::symlink("pg-1.log", dir.path().join("current.log")).unwrap();
    let evidence = run(dir.path()).unwrap();
    assert_eq!(
        (evidence.total_executions, limitation(&evidence, "duplicate_file")),
        (50, 3)
    );
    assert_eq!(evidence.source.files.len(), 1);
}

#[test]
fn logs_of_the_same_time_are_those_of_several_servers() {
    let dir = folder(&[
        ("node-1.log", statements(stderr, 0..10).as_bytes()),
        ("node-2.log", statements(stderr, 5..20).as_bytes()),
        ("node-3.log", statements(stderr, 21..30).as_bytes()),
        ("other.log", statements(stderr, 30..31).as_bytes()),
    ]);
    assert_eq!(streams(&run(dir.path()).unwrap()), [Some(0), Some(1), Some(0), Some(2)]);
}

#[test]
fn what_else_lies_in_a_log_directory_is_set_aside() {
    let dir = folder(&[
        ("postgresql.log", statements(stderr, 0..10).as_bytes()),
        ("current_logfiles", b"stderr log/postgresql.log\n"),
        ("empty.log", b""),
        (
            "000000010000000000000003.00000028.backup",
            b"START WAL LOCATION: 0/3000028 (file 000000010000000000000003)\nSTOP WAL LOCATION: 0/3000100\n",
        ),
        ("core", &[0; 5000]),
    ]);
    std::fs::create_dir(dir.path().join("archive")).unwrap();
    let evidence = run(dir.path()).unwrap();
    assert_eq!(evidence.total_executions, 10);
    assert_eq!(
        (limitation(&evidence, "not_a_log"), limitation(&evidence, "empty_file")),
        (2, 1)
    );
}

#[test]
fn files_named_one_by_one_are_ordered_within_their_folder() {
    let dir = folder(&[
        ("a.log", stderr(9, 7, "duration: 5.000 ms").as_bytes()),
        ("b.log", stderr(1, 7, "statement: SELECT 42").as_bytes()),
        ("a.csv", csv(9, 7, "duration: 5.000 ms").as_bytes()),
    ]);
    let source = |name: &str| {
        Source::file(
            dir.path().join(name).to_str().unwrap().to_owned(),
            File::open(dir.path().join(name)).unwrap(),
        )
    };
    let options = Options::default();
    let evidence = analyse(
        vec![source("a.log"), source("a.csv"), source("b.log")],
        &options,
        &|_| {},
    )
    .unwrap();
    assert_eq!(evidence.source.entries_scanned, 2);
    assert_eq!(limitation(&evidence, "duplicate_destination"), 1);
    // A stream cannot be looked at, and keeps its bytes.
    let stream = Source::stream("-".to_owned(), Box::new(File::open(dir.path().join("a.log")).unwrap()));
    let evidence = analyse(vec![stream, source("b.log")], &options, &|_| {}).unwrap();
    assert_eq!(
        (evidence.source.entries_scanned, streams(&evidence)),
        (2, vec![Some(0), Some(1)])
    );
}

#[test]
fn an_archive_is_its_members() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    std::fs::create_dir(&log).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(log.join(name), bytes).unwrap();
    write("pg-1.csv", statements(csv, 0..10).as_bytes());
    write("pg-1.log", statements(stderr, 0..10).as_bytes());
    write("pg-2.csv.gz", &gzip(&csv(20, 7, "statement: SELECT 42")));
    write("pg-3.csv", csv(30, 7, "duration: 5.000 ms").as_bytes());
    write("README", b"nothing\n");
    let archive = |flag: &str| {
        let made = std::process::Command::new("tar")
            .args(["--sort=name", flag, "-", "log"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(made.status.success());
        made.stdout
    };
    for flag in ["-cf", "-czf", "-cJf", "-cjf"] {
        for block_bytes in [1, 100, crate::reader::BLOCK_BYTES] {
            let source = Source::stream("a.tar".to_owned(), Box::new(std::io::Cursor::new(archive(flag))));
            let options = Options::default();
            let evidence = crate::analysis::reduce_in_blocks(vec![source], &options, &|_| {}, block_bytes)
                .unwrap()
                .evidence();
            assert_eq!(
                names(&evidence),
                ["a.tar!log/pg-1.csv", "a.tar!log/pg-2.csv.gz", "a.tar!log/pg-3.csv"]
            );
            assert_eq!(streams(&evidence), [Some(0); 3]);
            assert_eq!(evidence.total_executions, 11);
            assert_eq!(
                (
                    limitation(&evidence, "duplicate_destination"),
                    limitation(&evidence, "not_a_log")
                ),
                (1, 1)
            );
        }
    }
    // Cut in the middle: what came before is there, and it is said.
    let mut cut = archive("-cf");
    cut.truncate(cut.len() / 3);
    let source = Source::stream("a.tar".to_owned(), Box::new(std::io::Cursor::new(cut)));
    let evidence = analyse(vec![source], &Options::default(), &|_| {}).unwrap();
    assert_eq!(limitation(&evidence, "truncated_archive"), 1);
    assert_eq!(evidence.source.unparsed["truncated_archive"].count, 1);
    std::fs::remove_dir_all(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let source = Source::stream("a.tar".to_owned(), Box::new(std::io::Cursor::new(archive("-cf"))));
    let error = analyse(vec![source], &Options::default(), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("archive `a.tar`"), "{error}");
}

#[test]
fn names_tell_their_stem_and_their_words() {
    let stem = |name| Name::of(name).stem();
    assert_eq!(stem("log/pg-2026-11-23.log"), ("pg-2026-11-23", ""));
    assert_eq!(stem("pg.csv.12.gz"), ("pg", "12"));
    assert_eq!(stem("pg.log-20261123.xz"), ("pg", "20261123"));
    assert_eq!(stem("pg-2026-11-23"), ("pg-2026-11-23", ""));
    let words = |name| Name::of(name).words();
    assert_eq!(words("postgresql-Mon.log"), words("postgresql-2026-11-23_000000.csv"));
    assert_ne!(words("nodeA-1.log"), words("nodeB-1.log"));
}
