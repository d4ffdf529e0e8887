//! Logs reduced on several hosts and triaged on one: the same findings as from the logs together.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pg_logstats_tests::{Lab, Ran, fixture, golden, schema};
use serde_json::Value;

/// The demo's log as three hosts would have it: cut where entries begin, so that no entry is lost.
fn three_logs(lab: &Lab) -> Vec<String> {
    let text = std::fs::read_to_string(fixture("shop.log")).unwrap();
    let mut parts = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let is_head = line.starts_with("20")
            && ["LOG:  ", "ERROR:  ", "FATAL:  "]
                .iter()
                .any(|label| line.contains(label));
        if is_head && parts.len() < 3 && parts.last().unwrap().len() > text.len() / 3 {
            parts.push(String::new());
        }
        parts.last_mut().unwrap().push_str(line);
    }
    assert_eq!(parts.len(), 3);
    // Each in a folder of its own: files of one folder are taken for one server's log.
    let write = |(number, part): (usize, &String)| {
        std::fs::create_dir(lab.path().join(format!("host{number}"))).unwrap();
        lab.file(&format!("host{number}/shop.log"), part)
    };
    parts.iter().enumerate().map(write).collect()
}

/// What a report says, without what differs in every run.
fn said(mut report: Value) -> Value {
    golden::settle(&mut report, &[]);
    serde_json::json!({
        "findings": report["findings"],
        "next_actions": report["next_actions"],
        "source_summary": report["source_summary"],
        "analysis_window": report["analysis_window"],
    })
}

#[test]
fn evidence_of_three_hosts_is_that_of_their_logs_together() {
    let lab = Lab::new();
    let logs = three_logs(&lab);
    let path = |name: &str| lab.path().join(name).to_str().unwrap().to_owned();
    let files = ["one.json", "two.json.zst", "three.json"].map(path);
    for (log, file) in logs.iter().zip(&files).take(2) {
        let ran = lab.run(&["evidence", "export", log, "--samples", "--output", file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The third through standard output.
    let ran = lab.run(&["evidence", "export", &logs[2], "--samples"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::write(&files[2], &ran.stdout).unwrap();
    let zstd = std::fs::read(&files[1]).unwrap();
    assert!(zstd.starts_with(b"\x28\xb5\x2f\xfd"), "compressed by its name");
    assert!(
        !lab.workspace().exists(),
        "an export needs no workspace, and makes none"
    );

    let merged = path("merged.json");
    let mut merge = vec!["evidence", "merge", "--samples", "--output", &merged];
    merge.extend(files.iter().map(String::as_str));
    assert_eq!(lab.run(&merge).code, 0);

    let triage = |inputs: &[String]| {
        let mut args = vec!["triage", "query-families"];
        args.extend(inputs.iter().map(String::as_str));
        let report = lab.json(&args);
        schema::check("report", &report);
        said(report)
    };
    let together = triage(&logs);
    assert!(together["findings"].as_array().unwrap().len() > 5);
    let same = |one: Value, what: &str| {
        let (one, other) = (format!("{one:#}"), format!("{together:#}"));
        let differing = one
            .lines()
            .zip(other.lines())
            .enumerate()
            .find(|(_, (one, other))| one != other);
        assert_eq!((differing, one.len()), (None, other.len()), "{what}");
    };
    same(triage(&files), "evidence files");
    same(triage(&[merged]), "the merged file");
    // Mixed: the log is read first.
    let mixed = triage(&[files[1].clone(), logs[0].clone(), files[2].clone()]);
    same(mixed, "a log and evidence files");
}

#[test]
fn values_of_statements_stay_where_they_are_unless_asked_for() {
    let lab = Lab::new();
    let log = lab.file(
        "secret.log",
        "2026-11-23 06:00:00.000 UTC [7] shop@shop web LOG:  duration: 12.500 ms  statement: SELECT * FROM t WHERE card = '4111-1111'\n",
    );
    let ran = lab.run(&["evidence", "export", &log]);
    assert!(
        ran.stdout.contains("card = ?") && !ran.stdout.contains("4111"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("--samples"), "{ran:?}");
    let ran = lab.run(&["evidence", "export", "--samples", &log]);
    assert!(ran.stdout.contains("4111-1111"), "{ran:?}");
}

#[test]
fn what_is_no_evidence_file_or_was_changed_is_refused_by_its_name() {
    let lab = Lab::new();
    let log = fixture("shop.log").to_str().unwrap().to_owned();
    let exported = lab.run(&["evidence", "export", &log]).stdout;
    let triage = |name: &str, text: &str| {
        let file = lab.file(name, text);
        lab.run(&["triage", "query-families", &file])
    };
    triage(
        "fewer.json",
        &exported.replacen("\"execution_count\":1,", "\"execution_count\":2,", 1),
    )
    .fails(1, &["fewer.json", "families["]);
    triage("newer.json", &exported.replacen("\"version\":1", "\"version\":2", 1))
        .fails(1, &["newer.json", "version 2"]);
    triage("cut.json", &exported[..exported.len() / 2]).fails(1, &["cut.json", "line 1"]);
    let whole = lab.file("whole.json", &exported);
    lab.run(&["triage", "query-families", &whole, "--since", "1h"])
        .fails(2, &["--since", "evidence export"]);
    lab.run(&["evidence", "export", &log, "--output", &whole])
        .fails(1, &["whole.json", "not overwritten"]);
    assert_eq!(std::fs::read_to_string(&whole).unwrap(), exported);
    let begun = lab.path().join("begun.json");
    lab.run(&[
        "evidence",
        "export",
        "/no/such.log",
        "--output",
        begun.to_str().unwrap(),
    ])
    .fails(1, &["no such log"]);
    assert!(
        !begun.exists() && partial(&begun).is_none(),
        "nothing is left of an export that failed"
    );
    let missing = lab.path().join("missing/out.json");
    lab.run(&["evidence", "export", &log, "--output", missing.to_str().unwrap()])
        .fails(1, &["no such folder"]);
    lab.run(&["evidence", "merge"]).fails(2, &["FILE"]);
}

/// The hidden file that an export writes to, if it is there.
fn partial(output: &Path) -> Option<u64> {
    let name = format!(".{}.partial", output.file_name().unwrap().to_str().unwrap());
    let metadata = output.with_file_name(name).metadata().ok()?;
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    Some(metadata.len())
}

/// Entries of a server, one for each second from the first to the last.
fn seconds(pid: u32, seconds: std::ops::Range<u32>) -> String {
    let entry = |second: u32| {
        format!(
            "2026-11-23 06:{:02}:{:02}.{pid:03} UTC [{pid}] shop@shop web LOG:  duration: 1.000 ms  statement: SELECT 1\n",
            second / 60,
            second % 60
        )
    };
    seconds.map(entry).collect()
}

fn export(lab: &Lab, input: &str, output: &str) -> String {
    let output = lab.path().join(output).to_str().unwrap().to_owned();
    let ran = lab.run(&["evidence", "export", input, "--output", &output]);
    assert_eq!(ran.code, 0, "{ran:?}");
    output
}

fn limitations(report: &Value) -> Vec<&str> {
    let limitations = report["limitations"].as_array().unwrap();
    limitations
        .iter()
        .map(|limitation| limitation["code"].as_str().unwrap())
        .collect()
}

#[test]
fn hosts_that_logged_the_same_little_are_merged() {
    let lab = Lab::new();
    let reload = "2026-11-23 00:00:00 UTC [1] LOG:  received SIGHUP, reloading configuration files\n";
    for (round, log) in ["", reload].into_iter().enumerate() {
        let path = lab.file("postgresql.log", log);
        let files = ["one", "two"].map(|name| export(&lab, &path, &format!("{name}{round}.json")));
        let ran = lab.run(&["evidence", "merge", &files[0], &files[1]]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.stdout.contains("\"files\":1},{\"id\":\"ex_"),
            "both exports are in it: {}",
            ran.stdout
        );
    }
}

#[test]
fn the_same_entries_are_not_counted_twice_unless_asked_for() {
    let lab = Lab::new();
    let log = lab.file("shop.log", seconds(7, 0..100));
    let a = export(&lab, &log, "a.json.zst");
    let again = export(&lab, &log, "again.json");
    let other = export(&lab, &lab.file("other.log", seconds(8, 0..100)), "other.json");
    // The same export, by another name and in a merged file.
    let copy = lab.file("copy.json.zst", std::fs::read(&a).unwrap());
    lab.run(&["evidence", "merge", &a, &copy])
        .fails(2, &["shop.log", "a.json.zst", "copy.json.zst", "twice"]);
    let merged = lab.path().join("merged.json").to_str().unwrap().to_owned();
    assert_eq!(lab.run(&["evidence", "merge", &a, &other, "--output", &merged]).code, 0);
    lab.run(&["triage", "query-families", &merged, &a])
        .fails(2, &["merged.json", "a.json.zst", "same export", "shop.log"]);
    // Another export of the same log, the log beside its export, and a copy of the log.
    let unpacked = lab.path().join("elsewhere");
    std::fs::create_dir(&unpacked).unwrap();
    std::fs::write(unpacked.join("copy.log"), seconds(7, 0..120)).unwrap();
    let elsewhere = unpacked.to_str().unwrap();
    for [one, two] in [
        [&a, &again],
        [&log, &a],
        [&log, &elsewhere.to_owned()],
        [&merged, &again],
    ] {
        lab.run(&["triage", "query-families", one, two]).fails(
            2,
            &[
                "same entries",
                "shop.log",
                "2026-11-23T06:00:00.007Z",
                "--allow-overlap",
                "--since",
            ],
        );
        let report = lab.json(&["triage", "query-families", one, two, "--allow-overlap"]);
        assert!(limitations(&report).contains(&"sources_overlap"), "{report:#}");
        assert!(report["source_summary"]["entries_scanned"].as_u64().unwrap() >= 200);
    }
    // What was allowed once is said from then on, and does not have to be allowed again.
    let both = lab.path().join("both.json").to_str().unwrap().to_owned();
    assert_eq!(
        lab.run(&["evidence", "merge", &a, &again, "--allow-overlap", "--output", &both])
            .code,
        0
    );
    let report = lab.json(&["triage", "query-families", &both]);
    assert!(limitations(&report).contains(&"sources_overlap"));
}

#[test]
fn exports_of_one_log_window_by_window_add_up() {
    let lab = Lab::new();
    let log = lab.file("shop.log", seconds(0, 0..300));
    let window = |since: &str, until: &str, name: &str| {
        let output = lab.path().join(name).to_str().unwrap().to_owned();
        let at = |time: &str| format!("2026-11-23T06:{time}Z");
        let (since, until) = (at(since), at(until));
        let args = [
            "evidence", "export", &log, "--since", &since, "--until", &until, "--output", &output,
        ];
        assert_eq!(lab.run(&args).code, 0);
        output
    };
    let files = [
        window("00:00", "01:59.5", "1.json"),
        window("01:59.5", "03:00", "2.json"),
        window("03:00", "04:59", "3.json"),
    ];
    let report = lab.json(&["triage", "query-families", &files[0], &files[1]]);
    assert_eq!(report["source_summary"]["durations"]["statement"]["count"], 181);
    assert!(!limitations(&report).contains(&"sources_overlap"));
    // Where windows touch, an instant is in both: said, and no reason to refuse.
    let report = lab.json(&["triage", "query-families", &files[0], &files[1], &files[2]]);
    assert_eq!(report["source_summary"]["durations"]["statement"]["count"], 301);
    assert!(limitations(&report).contains(&"sources_overlap"));
}

/// An export that waits for its input: it has begun its file, and read what is written to the pipe.
struct Paused {
    child: Child,
    _pipe: std::fs::File,
}

impl Paused {
    fn export(lab: &Lab, output: &Path) -> Self {
        let pipe = lab.path().join("pipe");
        if !pipe.exists() {
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        }
        let args = [
            "evidence",
            "export",
            pipe.to_str().unwrap(),
            "--output",
            output.to_str().unwrap(),
        ];
        let child = lab.command(&args).stderr(Stdio::null()).spawn().unwrap();
        // Opens when the other end does, which is after the output was begun.
        let mut pipe = std::fs::File::options().write(true).open(&pipe).unwrap();
        pipe.write_all(seconds(7, 0..10).as_bytes()).unwrap();
        Self { child, _pipe: pipe }
    }

    fn signal(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

#[test]
fn an_export_that_is_killed_leaves_nothing_in_the_way() {
    let lab = Lab::new();
    let folder = lab.path().join("export");
    std::fs::create_dir(&folder).unwrap();
    let output = folder.join("out.json.zst");
    let export = |input: &str| lab.run(&["evidence", "export", input, "--output", output.to_str().unwrap()]);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let paused = Paused::export(&lab, &output);
        assert!(partial(&output).is_some() && !output.exists());
        assert_eq!(paused.signal(signal), Some(code));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "after {signal}");
    }
    // As a power cut would leave it, and longer than what will be there.
    assert_eq!(Paused::export(&lab, &output).signal("-KILL"), None);
    assert!(partial(&output).is_some() && !output.exists());
    std::fs::write(
        folder.join(".out.json.zst.partial"),
        "{\"format\":\"pg-logstats evidence part\",".repeat(1000),
    )
    .unwrap();
    // It is no evidence and no log, and the next export takes its place.
    std::fs::write(folder.join("shop.log"), seconds(7, 0..100)).unwrap();
    let ran = export(folder.to_str().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(output.exists() && partial(&output).is_none());
    let report = lab.json(&["triage", "query-families", output.to_str().unwrap()]);
    assert_eq!(report["source_summary"]["entries_scanned"], 100);
    export("-").fails(1, &["out.json.zst", "not overwritten"]);
}

#[test]
fn two_exports_to_one_file_do_not_meet() {
    let lab = Lab::new();
    let output = lab.path().join("out.json");
    let log = lab.file("shop.log", seconds(7, 0..100));
    let paused = Paused::export(&lab, &output);
    lab.run(&["evidence", "export", &log, "--output", output.to_str().unwrap()])
        .fails(1, &["out.json", "another command"]);
    // A file that gets the name meanwhile is not replaced.
    std::fs::write(&output, "theirs").unwrap();
    let Paused { child, _pipe } = paused;
    drop(_pipe);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(
        (std::fs::read_to_string(&output).unwrap().as_str(), partial(&output)),
        ("theirs", None)
    );
}

#[test]
fn folders_and_archives_are_read_alike_and_say_what_they_left_out() {
    let lab = Lab::new();
    let logs = lab.path().join("logs");
    for (name, text) in [
        ("2026-11-24/00/pg.log", seconds(7, 200..300)),
        ("2026-11-23/pg.log", seconds(7, 100..200)),
        ("pg.log.1", seconds(7, 0..100)),
        ("copy/pg.log.1", seconds(7, 0..100)),
        ("README", "not a log\n".to_owned()),
    ] {
        let path = logs.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let tar = |flag: &str, name: &str| {
        let archive = lab.path().join(name);
        let made = Command::new("tar")
            .args([flag])
            .arg(&archive)
            .args(["-C", logs.to_str().unwrap(), "."])
            .status();
        assert!(made.unwrap().success());
        archive.to_str().unwrap().to_owned()
    };
    let piped = |path: &str| {
        let mut command = lab.command(&["triage", "query-families", "-"]);
        command.stdin(Stdio::from(std::fs::File::open(path).unwrap()));
        Ran::of(&mut command).json()
    };
    let (plain, gzip) = (tar("-cf", "logs.tar"), tar("-czf", "logs.tar.gz"));
    let triage = |input: &str| lab.json(&["triage", "query-families", input]);
    for report in [
        triage(logs.to_str().unwrap()),
        triage(&plain),
        triage(&gzip),
        piped(&plain),
        piped(&gzip),
    ] {
        let files = report["source_summary"]["files"].as_array().unwrap();
        let entries: Vec<u64> = files.iter().map(|file| file["entries"].as_u64().unwrap()).collect();
        assert_eq!(entries, [100; 3], "{files:#?}");
        assert!(files.iter().all(|file| file["stream"] == 0));
        assert!(
            files[2]["path"].as_str().unwrap().ends_with("2026-11-24/00/pg.log"),
            "{files:#?}"
        );
        let told = limitations(&report);
        assert!(
            told.contains(&"duplicate_file") && told.contains(&"not_a_log"),
            "{told:?}"
        );
    }
}
