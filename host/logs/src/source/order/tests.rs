use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::evidence::Evidence;
use crate::{LogError, Options, Redaction, analyse};

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
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
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
    symlink("pg-1.log", dir.path().join("current.log")).unwrap();
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
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("pipe"), rustix::fs::Mode::RWXU).unwrap();
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

/// What `tar` makes of the folder `log`, its files in the order given.
fn archive(dir: &Path, flag: &str, files: &[&str]) -> Vec<u8> {
    let made = std::process::Command::new("tar")
        .args([flag, "-"])
        .args(files)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(made.status.success());
    made.stdout
}

/// The archive as a file, which can be read at any place.
fn in_file(bytes: &[u8]) -> Source {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    Source::file("a.tar".to_owned(), file)
}

/// The archive as it comes through a pipe.
fn piped(bytes: &[u8]) -> Source {
    Source::stream("a.tar".to_owned(), Box::new(std::io::Cursor::new(bytes.to_vec())))
}

fn of_sources(sources: Vec<Source>) -> Evidence {
    let whole = crate::analysis::reduce(sources, &Options::default(), &|_| {}).unwrap();
    whole.evidence(&Redaction::least())
}

/// A log of so many bytes at least, which begins at that minute, and how many executions are in it.
fn long_log(minute: u32, bytes: usize) -> (String, u64) {
    let line = format!("duration: 1.000 ms  statement: SELECT '{}'", "x".repeat(60_000));
    let line = stderr(minute + 8, 9, &line);
    let times = bytes / line.len() + 1;
    let beginning = statements(stderr, minute..minute + 8);
    (format!("{beginning}{}", line.repeat(times)), times as u64 + 8)
}

#[test]
fn an_archive_is_ordered_as_a_folder_wherever_it_can_be() {
    let dir = folder(&[
        ("log/pg-1.log", stderr(1, 7, "statement: SELECT 42").as_bytes()),
        ("log/pg-2.log.gz", &gzip(&stderr(9, 7, "duration: 5.000 ms"))),
        ("log/pg-3.log", statements(stderr, 20..40).as_bytes()),
        ("log/pg-3.json", statements(json, 20..40).as_bytes()),
        ("log/pg-3.csv", statements(csv, 20..40).as_bytes()),
        ("log/pg-4.log", statements(stderr, 20..35).as_bytes()),
        ("log/empty.log", b""),
    ]);
    let files = [
        "log/pg-4.log",
        "log/empty.log",
        "log/pg-2.log.gz",
        "log/pg-3.csv",
        "log/pg-3.log",
        "log/pg-3.json",
        "log/pg-1.log",
    ];
    let whole = of_sources(
        Source::in_dir(
            "a.tar",
            &cap_std::fs::Dir::open_ambient_dir(dir.path(), cap_std::ambient_authority()).unwrap(),
        )
        .unwrap(),
    );
    for flag in ["-cf", "-czf", "-cJf"] {
        let bytes = archive(dir.path(), flag, &files);
        for source in [in_file(&bytes), piped(&bytes)] {
            let mut evidence = of_sources(vec![source]);
            assert_eq!(
                names(&evidence),
                [
                    "a.tar!log/empty.log",
                    "a.tar!log/pg-1.log",
                    "a.tar!log/pg-2.log.gz",
                    "a.tar!log/pg-3.json"
                ]
            );
            // The duration of `a` belongs to the statement of `b`, and nothing is told twice.
            assert_eq!(
                (evidence.total_executions, limitation(&evidence, "bare_duration")),
                (21, 0)
            );
            assert_eq!(limitation(&evidence, "duplicate_destination"), 2);
            assert_eq!(limitation(&evidence, "duplicate_file"), 1);
            for file in &mut evidence.source.files {
                file.path = file.path.replace('!', "/");
            }
            assert_eq!(evidence, whole);
        }
    }
}

#[test]
fn an_archive_that_is_too_long_to_keep_is_read_as_it_comes_and_says_what_that_costs() {
    let (long, executions) = long_log(50, 65 * 1024 * 1024);
    let dir = folder(&[
        ("log/pg-1.log", long.as_bytes()),
        ("log/pg-2.log", stderr(9, 7, "duration: 5.000 ms").as_bytes()),
        ("log/pg-3.log", stderr(1, 7, "statement: SELECT 42").as_bytes()),
        ("log/zcopy.log", long.as_bytes()),
        // The collector's first lines are in its stderr file, whatever the destination.
        ("log/x-1.log", statements(stderr, 10..12).as_bytes()),
        ("log/x-1.csv", statements(csv, 13..30).as_bytes()),
        ("log/x-1.json", statements(json, 13..30).as_bytes()),
    ]);
    let files = [
        "log/pg-1.log",
        "log/pg-2.log",
        "log/pg-3.log",
        "log/zcopy.log",
        "log/x-1.log",
        "log/x-1.csv",
        "log/x-1.json",
    ];
    for (flag, source) in [
        ("-cf", piped as fn(&[u8]) -> Source),
        ("-czf", piped),
        ("-czf", in_file),
    ] {
        let evidence = of_sources(vec![source(&archive(dir.path(), flag, &files))]);
        assert_eq!(evidence.source.files.len(), 5, "{:?}", names(&evidence));
        assert_eq!(evidence.total_executions, executions + 2 + 17);
        let told = [
            "archive_out_of_order",
            "bare_duration",
            "duplicate_file",
            "duplicate_destination",
        ];
        assert_eq!(told.map(|code| limitation(&evidence, code)), [2, 1, 1, 1]);
    }
    // The same where it can be read at any place: all in order, json before csv.
    let evidence = of_sources(vec![in_file(&archive(dir.path(), "-cf", &files))]);
    assert_eq!(
        names(&evidence),
        [
            "a.tar!log/pg-3.log",
            "a.tar!log/pg-2.log",
            "a.tar!log/x-1.log",
            "a.tar!log/x-1.json",
            "a.tar!log/pg-1.log"
        ]
    );
    assert_eq!(evidence.total_executions, executions + 1 + 2 + 17);
    assert_eq!(
        (
            limitation(&evidence, "archive_out_of_order"),
            limitation(&evidence, "bare_duration")
        ),
        (0, 0)
    );
}

#[test]
fn what_an_archive_that_is_read_as_it_comes_tells_does_not_depend_on_blocks() {
    let (long, _) = long_log(1, 65 * 1024 * 1024);
    let dir = folder(&[
        ("log/a.log", long.as_bytes()),
        (
            "log/pg-1.log",
            format!("{}foreign\n", statements(stderr, 10..12)).as_bytes(),
        ),
        ("log/pg-1.csv", statements(csv, 11..30).as_bytes()),
    ]);
    let bytes = archive(dir.path(), "-cf", &["log/a.log", "log/pg-1.log", "log/pg-1.csv"]);
    let run = |block_bytes| {
        let options = Options::default();
        crate::analysis::reduce_in_blocks(vec![piped(&bytes)], &options, &|_| {}, block_bytes)
            .unwrap()
            .evidence(&Redaction::least())
    };
    let evidence = run(crate::reader::BLOCK_BYTES);
    assert_eq!(evidence.source.files.len(), 2, "the csv tells the same time");
    assert_eq!(run(70_000), evidence);
    assert_eq!(run(200_000), evidence);
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
    let archive = |flag: &str| archive(dir.path(), flag, &["--sort=name", "log"]);
    for flag in ["-cf", "-czf", "-cJf", "-cjf"] {
        for block_bytes in [1, 100, crate::reader::BLOCK_BYTES] {
            let source = piped(&archive(flag));
            let options = Options::default();
            let evidence = crate::analysis::reduce_in_blocks(vec![source], &options, &|_| {}, block_bytes)
                .unwrap()
                .evidence(&Redaction::least());
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
    let cut = archive("-cf");
    for source in [piped(&cut[..cut.len() / 3]), in_file(&cut[..cut.len() / 3])] {
        let evidence = of_sources(vec![source]);
        assert_eq!(limitation(&evidence, "truncated_archive"), 1);
        assert_eq!(evidence.source.unparsed["truncated_archive"].count, 1);
    }
    let cut = archive("-czf");
    let evidence = of_sources(vec![in_file(&cut[..cut.len() - 20])]);
    let told = ["truncated_archive", "truncated_compressed_stream"];
    assert_eq!(told.map(|code| limitation(&evidence, code)), [0, 1]);
    std::fs::remove_dir_all(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    for source in [piped(&archive("-cf")), in_file(&archive("-cf"))] {
        let error = analyse(vec![source], &Options::default(), &|_| {}).unwrap_err();
        assert!(error.to_string().contains("archive `a.tar`"), "{error}");
    }
}

#[test]
fn folders_in_a_folder_are_read_and_those_of_days_are_one_server() {
    let dir = folder(&[
        ("2026-11-24/00/pg.log", stderr(20, 7, "duration: 5.000 ms").as_bytes()),
        ("2026-11-23/pg.log", stderr(1, 7, "statement: SELECT 42").as_bytes()),
        ("archive/pg.log.2.gz", &gzip(&statements(stderr, 0..1))),
        ("pg.log", statements(stderr, 30..40).as_bytes()),
        ("pod-1/pg.log", statements(stderr, 50..51).as_bytes()),
        ("pod-2/pg.log", statements(stderr, 52..53).as_bytes()),
        (".snapshot/pg.log", statements(stderr, 30..40).as_bytes()),
        (".pg.log.partial", b"half of an evidence file"),
    ]);
    let evidence = run(dir.path()).unwrap();
    assert_eq!(
        names(&evidence),
        [
            "log/archive/pg.log.2.gz",
            "log/2026-11-23/pg.log",
            "log/2026-11-24/00/pg.log",
            "log/pg.log",
            "log/pod-1/pg.log",
            "log/pod-2/pg.log"
        ]
    );
    assert_eq!(streams(&evidence), [0, 0, 0, 0, 1, 2].map(Some));
    assert_eq!(
        (evidence.total_executions, evidence.limitations.len()),
        (14, 0),
        "{:?}",
        evidence.limitations
    );
}

#[test]
fn what_is_too_deep_or_leads_out_is_said() {
    let deep = "d/".repeat(9);
    let dir = folder(&[
        ("pg.log", statements(stderr, 0..1).as_bytes()),
        (&format!("{}x.log", "d/".repeat(8)), statements(stderr, 2..3).as_bytes()),
        (&format!("{deep}x.log"), statements(stderr, 4..5).as_bytes()),
        ("lost+found/x.log", statements(stderr, 6..7).as_bytes()),
    ]);
    symlink("/nowhere", dir.path().join("dangling.log")).unwrap();
    symlink("/etc/hostname", dir.path().join("out.log")).unwrap();
    // One that leads to a folder inside is not followed, and nothing is missed.
    symlink("d", dir.path().join("inside")).unwrap();
    let evidence = run(dir.path()).unwrap();
    assert_eq!(evidence.total_executions, 2);
    let told = ["link_not_followed", "folder_too_deep"].map(|code| limitation(&evidence, code));
    assert_eq!(
        (told, evidence.limitations.len()),
        ([2, 1], 2),
        "{:?}",
        evidence.limitations
    );
}

#[test]
fn of_a_data_directory_the_logs_are_read_and_no_tables() {
    let dir = folder(&[
        ("PG_VERSION", b"18\n"),
        ("log/pg.log", statements(stderr, 0..3).as_bytes()),
        ("server.log", statements(stderr, 10..12).as_bytes()),
        ("base/5/1259", statements(stderr, 20..21).as_bytes()),
    ]);
    let evidence = run(dir.path()).unwrap();
    assert_eq!((names(&evidence).len(), evidence.total_executions), (2, 5));
}

#[test]
fn logs_that_were_taken_over_to_another_server_are_no_copies() {
    // A data directory was copied with the logs in it, and both servers went on.
    let common = statements(stderr, 0..40);
    let (one, other) = (
        statements(stderr, 40..50),
        stderr(45, 8, "duration: 1.000 ms  statement: SELECT 1"),
    );
    let dir = folder(&[
        ("primary/pg.log", format!("{common}{one}").as_bytes()),
        ("standby/pg.log", format!("{common}{other}").as_bytes()),
        ("standby/copied.log", common.as_bytes()),
    ]);
    let part = crate::analysis::reduce(
        Source::in_dir(
            "log",
            &cap_std::fs::Dir::open_ambient_dir(dir.path(), cap_std::ambient_authority()).unwrap(),
        )
        .unwrap(),
        &Options::default(),
        &|_| {},
    )
    .unwrap();
    let overlaps = crate::Counted::default().logs(&part);
    assert!(matches!(
        &overlaps[..],
        [crate::Overlap {
            common: crate::Common::Log { is_touch: false, .. },
            ..
        }]
    ));
    let evidence = part.evidence(&Redaction::least());
    assert_eq!(
        (limitation(&evidence, "duplicate_file"), evidence.source.files.len()),
        (1, 2)
    );
}

#[test]
fn a_file_by_two_names_is_read_once() {
    let dir = folder(&[(
        "log/pg.log",
        stderr(0, 7, "duration: 1.000 ms  statement: SELECT 1").as_bytes(),
    )]);
    let path = dir.path().join("log/pg.log");
    std::fs::hard_link(&path, dir.path().join("other.log")).unwrap();
    symlink("pg.log", dir.path().join("log/current")).unwrap();
    let source = |path: &Path| Source::file(path.to_str().unwrap().to_owned(), File::open(path).unwrap());
    let opened = cap_std::fs::Dir::open_ambient_dir(dir.path().join("log"), cap_std::ambient_authority()).unwrap();
    let mut sources = Source::in_dir("log", &opened).unwrap();
    sources.push(source(&path));
    sources.push(source(&dir.path().join("other.log")));
    let evidence = of_sources(sources);
    assert_eq!(
        (evidence.total_executions, limitation(&evidence, "duplicate_file")),
        (1, 3)
    );
    assert_eq!(
        names(&evidence),
        ["log/pg.log"],
        "what a link leads to, and not the link"
    );
}

/// Reads from a file until `after` bytes are gone, and then does something to the folder.
struct Meddling<F>(File, usize, Option<F>);

impl<F: FnOnce()> std::io::Read for Meddling<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1 = self.1.saturating_sub(count);
        if self.1 == 0
            && let Some(meddle) = self.2.take()
        {
            meddle();
        }
        Ok(count)
    }
}

#[test]
fn a_folder_that_is_rotated_while_it_is_read_says_what_was_missed() {
    let dir = folder(&[
        ("a.log", statements(stderr, 0..1).as_bytes()),
        ("pg.log", statements(stderr, 10..20).as_bytes()),
        ("pg.log.1", statements(stderr, 5..10).as_bytes()),
    ]);
    let path = dir.path().to_owned();
    let opened = cap_std::fs::Dir::open_ambient_dir(dir.path(), cap_std::ambient_authority()).unwrap();
    let mut sources = Source::in_dir("log", &opened).unwrap();
    // Read first, because it cannot be looked at; by then all has been listed.
    let first = Meddling(
        File::open(path.join("a.log")).unwrap(),
        1,
        Some(move || {
            std::fs::rename(path.join("pg.log.1"), path.join("pg.log.2")).unwrap();
            std::fs::rename(path.join("pg.log"), path.join("pg.log.1")).unwrap();
            std::fs::write(path.join("pg.log"), statements(stderr, 30..31)).unwrap();
        }),
    );
    sources.insert(0, Source::stream("-".to_owned(), Box::new(first)));
    let evidence = of_sources(sources);
    // Under both names there are other files now: neither is read in place of the one that was listed.
    assert_eq!(
        (names(&evidence), limitation(&evidence, "file_vanished")),
        (vec!["-", "log/a.log"], 2)
    );
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_said() {
    let dir = folder(&[("pg.log", long_log(1, 3 * 1024 * 1024).0.as_bytes())]);
    let path = dir.path().join("pg.log");
    let cut = || {
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(10).unwrap();
    };
    let source = || Source::file("pg.log".to_owned(), File::open(&path).unwrap());
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    // A log that grows is read to its end.
    let grown = |progress: crate::Progress| {
        if progress.bytes_read < 2 * 1024 * 1024 {
            let mut file = File::options().append(true).open(&path).unwrap();
            std::io::Write::write_all(&mut file, statements(stderr, 2..3).as_bytes()).unwrap();
        }
    };
    let evidence = analyse(vec![source()], &options, &grown).unwrap();
    assert_eq!(evidence.source.bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(limitation(&evidence, "cut_while_read"), 0);
    let evidence = analyse(vec![source()], &options, &|_| cut()).unwrap();
    assert_eq!(limitation(&evidence, "cut_while_read"), 1);
}
