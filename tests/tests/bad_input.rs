//! Bad input: each sort gets its own message and exit code, nothing panics, no record is lost.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use pg_logstats_tests::{Lab, Ran, fixture};

const ENTRY: &str =
    "2026-11-23 06:00:00.000 UTC [7] shop@shop web 00000 1: LOG:  duration: 12.500 ms  statement: SELECT 1\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_missing_file_is_named_and_the_attempt_recorded() {
    let lab = Lab::new();
    lab.run(&["triage", "query-families", "/no/such.log"])
        .fails(1, &["no such log", "/no/such.log"]);
    assert_eq!(lab.record_kinds(), ["failure"]);
    assert_eq!(lab.verified_records(), 1);
}

#[test]
fn an_unreadable_file_is_named() {
    let lab = Lab::new();
    let path = lab.file("secret.log", ENTRY);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        // Root reads everything; a folder that was removed under a descriptor is as unreadable. Use a file of /proc that even root
        // may not read.
        lab.run(&["triage", "query-families", "/proc/self/mem"])
            .fails(1, &["/proc/self/mem"]);
        return;
    }
    lab.run(&["triage", "query-families", &path])
        .fails(1, &["no permission", "secret.log"]);
}

#[test]
fn an_empty_file_and_a_binary_file_say_what_they_are() {
    let lab = Lab::new();
    let empty = lab.file("empty.log", "");
    let report = lab.json(&["triage", "query-families", &empty]);
    assert_eq!(report["source_summary"]["entries_scanned"], 0);
    assert!(
        !report["limitations"].as_array().unwrap().is_empty(),
        "it says that the file is empty"
    );

    let noise: Vec<u8> = (0..100_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let binary = lab.file("binary.log", noise);
    lab.run(&["triage", "query-families", &binary])
        .fails(1, &["binary.log"]);
}

#[test]
fn a_truncated_gzip_gives_what_was_readable_and_says_so() {
    let lab = Lab::new();
    let log = std::fs::read(fixture("shop.log")).unwrap();
    let whole = gzip(&log);
    let path = lab.file("cut.log.gz", &whole[..whole.len() / 2]);
    let report = lab.json(&["triage", "query-families", &path]);
    assert!(report["source_summary"]["entries_scanned"].as_u64().unwrap() > 10);
    assert!(report["source_summary"]["entries_unparsed"].as_u64().unwrap() > 0);
    assert!(
        report["limitations"].to_string().contains("trunc"),
        "{}",
        report["limitations"]
    );
}

#[test]
fn compressed_logs_and_standard_input_give_the_same_families() {
    let lab = Lab::new();
    let log = std::fs::read(fixture("shop.log")).unwrap();
    let plain = lab.triage("query-families", &fixture("shop.log"));
    let gz = lab.file("shop.log.gz", gzip(&log));
    let zst = lab.file("shop.log.zst", zstd::bulk::compress(&log, 3).unwrap());
    for path in [&gz, &zst] {
        let report = lab.json(&["triage", "query-families", path]);
        assert_eq!(report["findings"], plain["findings"]);
    }
    let mut command = lab.command(&["triage", "query-families", "-"]);
    command.stdin(Stdio::from(std::fs::File::open(fixture("shop.log")).unwrap()));
    assert_eq!(Ran::of(&mut command).json()["findings"], plain["findings"]);
}

#[test]
fn a_csv_cut_inside_a_quoted_field_keeps_the_records_before() {
    let lab = Lab::new();
    let record = |n: u32, message: &str| {
        format!(
            "2026-11-23 06:00:0{n}.000 UTC,\"shop\",\"shop\",7,\"[local]\",67416f50.7,{n},\"SELECT\",2026-11-23 05:59:00 UTC,3/4,0,LOG,\
             00000,\"{message}\",,,,,,,,,\"web\",\"client backend\",,1\n"
        )
    };
    let mut csv =
        record(1, "duration: 1.500 ms  statement: SELECT 1") + &record(2, "duration: 2.500 ms  statement: SELECT 2");
    csv.push_str(&record(3, "duration: 9.000 ms  statement: SELECT 'cut here")[..150]);
    let path = lab.file("cut.csv", &csv);
    let report = lab.json(&["triage", "query-families", &path]);
    assert_eq!(report["source_summary"]["durations"]["statement"]["count"], 2);
    assert_eq!(report["source_summary"]["durations"]["statement"]["total_ms"], 4.0);
    assert_eq!(report["source_summary"]["entries_unparsed"], 1);
}

#[test]
fn invalid_utf8_and_nul_bytes_survive() {
    let lab = Lab::new();
    let mut log = ENTRY.as_bytes().to_vec();
    log.extend_from_slice(b"2026-11-23 06:00:01.000 UTC [7] shop@shop web 00000 1: LOG:  duration: 3.000 ms  statement: SELECT '\xff\xfe\0'\n");
    let path = lab.file("odd.log", log);
    let report = lab.json(&["triage", "query-families", &path]);
    assert_eq!(report["source_summary"]["durations"]["statement"]["count"], 2);
}

#[test]
fn a_single_line_of_200_mb_is_bounded() {
    let lab = Lab::new();
    let path = lab.path().join("line.log");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(ENTRY.as_bytes()).unwrap();
    file.write_all(ENTRY.trim_end().as_bytes()).unwrap();
    let block = vec![b'x'; 1 << 20];
    for _ in 0..200 {
        file.write_all(&block).unwrap();
    }
    file.write_all(b"\n").unwrap();
    file.write_all(ENTRY.as_bytes()).unwrap();
    drop(file);
    // 700 MB of address space for a process whose stacks and runtime take some hundred: the line cannot be held many times over.
    let mut command = lab.command(&["triage", "query-families", path.to_str().unwrap()]);
    limit_memory(&mut command, 700 << 20);
    let ran = Ran::of(&mut command);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.json()["source_summary"]["durations"]["statement"]["count"]
            .as_u64()
            .unwrap()
            >= 2
    );
}

/// Limits the resident memory of the child through its data segment.
fn limit_memory(command: &mut std::process::Command, bytes: u64) {
    let args: Vec<std::ffi::OsString> = command.get_args().map(Into::into).collect();
    let envs: Vec<_> = command
        .get_envs()
        .map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned)))
        .collect();
    let program = command.get_program().to_owned();
    let mut limited = std::process::Command::new("prlimit");
    limited
        .arg(format!("--data={bytes}"))
        .arg(program)
        .args(args)
        .env_clear()
        .stdin(Stdio::null());
    for (key, value) in envs {
        if let Some(value) = value {
            limited.env(key, value);
        }
    }
    *command = limited;
}

#[test]
fn a_prefix_that_does_not_match_shows_the_line_and_what_would() {
    let lab = Lab::new();
    let log = fixture("shop.log");
    let ran = lab.run(&[
        "triage",
        "query-families",
        log.to_str().unwrap(),
        "--log-line-prefix",
        "%t:%r:%u@%d:[%p]: ",
    ]);
    ran.fails(1, &["%t:%r:%u@%d:[%p]:", "shop.log"]);
}

#[test]
fn windows_are_checked() {
    let lab = Lab::new();
    let log = fixture("shop.log");
    let log = log.to_str().unwrap();
    lab.run(&["triage", "query-families", log, "--since", "yesterday-ish"])
        .fails(2, &["--since", "yesterday-ish"]);
    lab.run(&[
        "triage",
        "query-families",
        log,
        "--since",
        "2026-11-23T07:00:00Z",
        "--until",
        "2026-11-23T06:00:00Z",
    ])
    .fails(2, &["--since", "after", "--until"]);
    let all = lab.json(&["triage", "query-families", log]);
    let last = all["analysis_window"]["until"].as_str().unwrap();
    let one = lab.json(&["triage", "query-families", log, "--since", last]);
    let (all, one) = (&all["source_summary"], &one["source_summary"]);
    assert_eq!(one["entries_scanned"], all["entries_scanned"]);
    assert!(one["entries_outside_window"].as_u64().unwrap() > 300);
}

#[test]
fn wrong_usage_says_what_there_is() {
    let lab = Lab::new();
    lab.run(&["triage", "no-such-workflow", "x.log"])
        .fails(2, &["no-such-workflow", "`query-families`", "`locks`"]);
    lab.run(&["triage", "query-families"]).fails(2, &["nothing to judge"]);
    lab.run(&["triage"]).fails(2, &[]);
    lab.run(&[
        "run-sql",
        "--triage-report",
        "x",
        "--action-id",
        "y",
        "--parameter",
        "novalue",
    ])
    .fails(2, &["NAME=VALUE"]);
    let log = fixture("shop.log");
    let log = log.to_str().unwrap();
    lab.run(&["triage", "query-families", log, log])
        .fails(2, &["named twice"]);
    lab.run(&["health"])
        .fails(2, &["no database", "PG_LOGSTATS_DATABASE_URL"]);
}

#[test]
fn a_configuration_that_does_not_load_stops_everything() {
    let lab = Lab::new();
    let log = fixture("shop.log");
    for (text, says) in [
        ("[policy]\nmax_risc = 'safe'\n", "max_risc"),
        ("[policy]\nmax_risk = 'expensive'\n", "max_risk"),
        ("[policy]\ndisabled_actions = ['no.such.action']\n", "no.such.action"),
        ("[budget]\nactions = 100000\n", "budget.actions"),
        ("default_database = 'x'\n", "default_database"),
        ("not toml at all", "line 1"),
    ] {
        let config = lab.file("config.toml", text);
        let ran = lab.run(&["triage", "query-families", log.to_str().unwrap(), "--config", &config]);
        ran.fails(2, &["config.toml", says]);
        assert_eq!(ran.stdout, "");
    }
    let config = lab.file(
        "config.toml",
        "[databases.a]\nurl = 'postgresql://u:hunter2@h/d?no_such_option=1'\n[policy]\nx=1\n",
    );
    let ran = lab.run(&["health", "--database", "a", "--config", &config]);
    assert!(!ran.stderr.contains("hunter2"), "no password in an error: {ran:?}");
}

#[test]
fn a_workspace_that_cannot_be_written_is_named() {
    let lab = Lab::new();
    let file = lab.file("plain-file", "x");
    let log = fixture("shop.log");
    let ran = lab.run(&[
        "triage",
        "query-families",
        log.to_str().unwrap(),
        "--workspace",
        &format!("{file}/ws"),
    ]);
    ran.fails(1, &["workspace", "--workspace"]);
    // A folder in which not even root may write.
    lab.run(&[
        "triage",
        "query-families",
        log.to_str().unwrap(),
        "--workspace",
        "/proc/pg-logstats",
    ])
    .fails(1, &["/proc/pg-logstats"]);
}

#[test]
fn a_full_disk_loses_no_record_and_prints_no_report() {
    let lab = Lab::new();
    std::fs::create_dir(lab.workspace()).unwrap();
    // A small disk of its own, in a mount namespace that ends with the script.
    let script = r#"
        set -eu
        mount -t tmpfs -o size=8m none "$PG_LOGSTATS_WORKSPACE"
        "$0" triage query-families "$1" >/dev/null
        dd if=/dev/zero of="$PG_LOGSTATS_WORKSPACE/filler" bs=1k 2>/dev/null || true
        code=0
        printed=$("$0" triage query-families "$1" 2>said) || code=$?
        echo "code=$code printed=${#printed} $(cat said)"
        rm "$PG_LOGSTATS_WORKSPACE/filler"
        "$0" audit verify --format text
        "$0" triage query-families "$1" >/dev/null
        "$0" audit verify --format text
    "#;
    let user = std::process::Command::new("id").arg("-u").output().unwrap();
    let namespaces: &[&str] = if user.stdout == b"0\n" {
        &["--mount"]
    } else {
        &["--mount", "--map-root-user"]
    };
    let mut command = std::process::Command::new("unshare");
    command
        .args(namespaces)
        .args(["sh", "-c", script])
        .arg(pg_logstats_tests::binary())
        .arg(fixture("shop.log"));
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", lab.path())
        .current_dir(lab.path());
    command.env("PG_LOGSTATS_WORKSPACE", lab.workspace());
    let ran = Ran::of(&mut command);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(
        lines[0].starts_with("code=1 printed=0 "),
        "a report that is not sealed is not printed: {ran:?}"
    );
    assert!(lines[0].contains("no space left"), "{ran:?}");
    let verified: Vec<&&str> = lines
        .iter()
        .filter(|l| l.contains("VERIFIED") || l.contains("records  "))
        .collect();
    assert_eq!(
        verified,
        [&"VERIFIED", &"  records   1", &"VERIFIED", &"  records   3"],
        "the log stands as it was, and goes on with the record that was durable in its journal"
    );
}

#[test]
fn reports_are_named_by_id_and_unknown_ones_refused_and_recorded() {
    let lab = Lab::new();
    lab.triage("query-families", &fixture("shop.log"));
    let forged = lab.file(
        "report.json",
        r#"{"report_id":"rp_x","next_actions":[{"action_id":"act_01","status":"allowed"}]}"#,
    );
    for id in [
        forged.as_str(),
        "rp_00000000000000000000000000",
        "../../etc/passwd",
        "in_00000000000000000000000000",
    ] {
        let ran = lab.run(&["run-sql", "--triage-report", id, "--action-id", "act_01"]);
        ran.fails(3, &["refused"]);
        pg_logstats_tests::schema::check("refusal", &ran.json());
        assert_eq!(ran.json()["code"], "unknown_report");
    }
    assert_eq!(
        lab.record_kinds(),
        ["triage", "refusal", "refusal", "refusal", "refusal"]
    );
}

#[test]
fn without_a_database_actions_are_blocked_by_mode() {
    let lab = Lab::new();
    let report = lab.triage("query-families", &fixture("shop.log"));
    assert_eq!(report["operating_mode"], "log_backed_only");
    assert_eq!(report["verdict"], "unknown");
    let actions = report["next_actions"].as_array().unwrap();
    let action = actions
        .iter()
        .find(|a| a["action_type"] == "run_sql" && a["status"] == "blocked_by_mode")
        .expect("blocked, and there");
    let id = action["action_id"].as_str().unwrap();
    let ran = lab.run(&[
        "run-sql",
        "--triage-report",
        report["report_id"].as_str().unwrap(),
        "--action-id",
        id,
    ]);
    ran.fails(3, &["no database is configured"]);
    assert_eq!(ran.json()["status"], "blocked_by_mode");
    let unknown = lab.run(&[
        "run-sql",
        "--triage-report",
        report["report_id"].as_str().unwrap(),
        "--action-id",
        "act_99",
    ]);
    unknown.fails(3, &["no action of that id"]);
}

#[test]
fn a_tampered_report_is_found_out() {
    let lab = Lab::new();
    let report = lab.triage("query-families", &fixture("shop.log"));
    let id = report["report_id"].as_str().unwrap();
    let record = find(&lab.workspace().join("audit"), id);
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::set_permissions(&record, std::fs::Permissions::from_mode(0o644)).unwrap();
    // One character of the payload.
    let at = text.find("payload\"").unwrap() + 60;
    let mut bytes = text.into_bytes();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    std::fs::write(&record, bytes).unwrap();
    std::fs::set_permissions(&record, std::fs::Permissions::from_mode(0o444)).unwrap();

    let ran = lab.run(&["run-sql", "--triage-report", id, "--action-id", "act_01"]);
    ran.fails(4, &[id, "changed"]);
    let verify = lab.run(&["audit", "verify"]);
    assert_eq!(verify.code, 4);
    assert!(
        verify.json()["problems"].to_string().contains(id),
        "it names the record: {verify:?}"
    );
}

#[test]
fn tampered_evidence_is_found_out() {
    let lab = Lab::new();
    let report = lab.triage("query-families", &fixture("shop.log"));
    let folder = std::fs::read_dir(lab.workspace().join("evidence")).unwrap();
    let file = folder.map(|e| e.unwrap().path()).next().unwrap();
    let mut json = zstd::stream::decode_all(std::fs::File::open(&file).unwrap()).unwrap();
    let at = json.len() / 2;
    json[at] ^= 1;
    std::fs::write(&file, zstd::bulk::compress(&json, 1).unwrap()).unwrap();
    let id = report["report_id"].as_str().unwrap();
    lab.run(&["triage", "locks", "--parent-report", id])
        .fails(4, &["evidence", "changed"]);
}

/// The file below `folder` whose name holds `id`.
fn find(folder: &std::path::Path, id: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().contains(id) {
                return entry.path();
            }
        }
    }
    panic!("no file for {id}")
}
