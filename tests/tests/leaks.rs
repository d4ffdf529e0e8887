//! The leak corpus: secrets of every class are planted in the log of a real server, and must be in nothing that the command writes or prints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{KEEP_VALUES, Lab, action, argv, make_shop};
use serde_json::Value;

/// What is planted: the class, and SQL with `@` for the secret. Each statement that fails is meant to.
const PLANTED: &[(&str, &str)] = &[
    ("credential", "CREATE ROLE planted_a PASSWORD '@'"),
    ("credential", "ALTER ROLE app PASSWORD $pw$@$pw$"),
    (
        "credential",
        "CREATE USER MAPPING FOR app SERVER elsewhere OPTIONS (user 'x', password '@')",
    ),
    (
        "credential",
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1 password=@' PUBLICATION p",
    ),
    ("credential", "SELECT set_config('app.token', '@', false)"),
    ("credential", "SET app.token = '@'"),
    (
        "credential",
        "SELECT * FROM dblink('host=127.0.0.1 port=1 password=@', 'SELECT 1') AS t(a int)",
    ),
    ("credential", "ALTER ROLE nobody_there PASSWORD '@'"),
    ("parsing_error", "@"),
    ("parsing_error", "SELEC @ FROM orders"),
    ("parsing_error", "SELECT @ @ @ @ FROM FROM orders"),
    ("parsing_error", "SELECT id FROM orders WHERE note = '@"),
    ("parsing_error", "SELECT '@'::integer"),
    ("parsing_error", "SELECT '{\"a\": @'::json"),
    ("parsing_error", "SELECT '@'::timestamptz"),
    ("parsing_error", "SELECT * FROM orders WHERE note = E'\\xzz@'"),
    ("statement_parameter", "SELECT count(*) FROM orders WHERE note = '@'"),
    (
        "statement_parameter",
        "SELECT count(*) FROM orders WHERE note IN ('@', 'b') /* @ */ -- @",
    ),
    ("statement_parameter", "SELECT count(*), $x$@$x$ FROM orders"),
    (
        "statement_parameter",
        "PREPARE looked AS SELECT count(*) FROM orders WHERE note = $1; EXECUTE looked('@')",
    ),
    (
        "statement_parameter",
        "INSERT INTO orders (id, note) VALUES (1000001, '@')",
    ),
    ("statement_parameter", "UPDATE orders SET note = '@' WHERE id = 7"),
    (
        "statement_parameter",
        "SELECT count(*) FROM orders a, orders b WHERE a.note = '@' ORDER BY count(*)",
    ),
    ("statement_parameter", "DO $do$ BEGIN PERFORM '@'; END $do$"),
    ("table_data", "INSERT INTO people VALUES ('@'), ('@')"),
    (
        "table_data",
        "INSERT INTO people VALUES (repeat('@', 3) || 'too long for the check')",
    ),
    ("table_data", "COPY orders (id) FROM STDIN;\n@\n\\."),
    ("table_data", "CREATE UNIQUE INDEX ON twice (note) -- @"),
    ("table_data", "ALTER TABLE twice ADD CHECK (note = '@')"),
    (
        "table_data",
        "DELETE FROM people WHERE email = '@'; INSERT INTO likes VALUES ('@')",
    ),
    (
        "unidentified",
        "DO $$ BEGIN RAISE EXCEPTION 'no more credit for @ today'; END $$",
    ),
    (
        "unidentified",
        "DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = '@ is blocked', DETAIL = '@', HINT = 'ask @'; END $$",
    ),
    ("unidentified", "DO $$ BEGIN RAISE EXCEPTION 'token:@'; END $$"),
    (
        "unidentified",
        "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '42501' USING MESSAGE = 'permission denied for @ of @'; END $$",
    ),
    ("unidentified", "DO $$ BEGIN RAISE WARNING 'slow call of @'; END $$"),
    ("unidentified", "SELECT raises('@')"),
];

/// Letters only, so that nothing removes it for being a number, and no word of anything.
fn secret(position: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("qzx{}{}jvk", letter(position / 26), letter(position))
}

/// A server whose application has told its log all of it, in the three formats.
fn server() -> Cluster {
    let cluster = Cluster::builder()
        .setting("shared_preload_libraries", "pg_stat_statements, auto_explain")
        .setting("compute_query_id", "on")
        .setting("logging_collector", "on")
        .setting("log_destination", "stderr,csvlog,jsonlog")
        .setting("log_line_prefix", "%m [%p] %q%u@%d %a %e %Q: ")
        .setting("log_min_duration_statement", "0")
        .setting("log_connections", "on")
        .setting("log_disconnections", "on")
        .setting("log_error_verbosity", "verbose")
        .setting("log_temp_files", "0")
        .setting("work_mem", "64kB")
        .setting("auto_explain.log_min_duration", "0")
        .setting("auto_explain.log_analyze", "on")
        .start()
        .expect("PostgreSQL starts");
    make_shop(&cluster);
    let superuser = |sql: &str| cluster.psql_as("postgres", "shop", sql).unwrap();
    superuser("ALTER ROLE app SUPERUSER; CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw");
    superuser("CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw");
    let tables = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);
        INSERT INTO orders SELECT i, repeat('n', (i % 90)::int) FROM generate_series(1, 20000) i;
        CREATE TABLE people (email text PRIMARY KEY CHECK (length(email) < 20));
        CREATE TABLE likes (email text REFERENCES people);
        CREATE TABLE twice AS SELECT 'same' AS note FROM generate_series(1, 2);
        CREATE FUNCTION raises(what text) RETURNS int LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'this customer is not to be served: %', what; END $$;
        GRANT SELECT ON orders TO triage; ANALYZE";
    cluster.psql_as("app", "shop", tables).unwrap();
    for (position, (_, sql)) in PLANTED.iter().enumerate() {
        // Whether it fails does not matter: it is in the log.
        let _ = cluster.psql_as("app", "shop", &sql.replace('@', &secret(position)));
    }
    let mut app = cluster.session("app", "shop").unwrap();
    for _ in 0..3 {
        app.run("SELECT count(*) FROM (SELECT * FROM orders ORDER BY md5(note), id) s")
            .unwrap();
    }
    cluster
}

/// All that was written below `folder` and printed, as text: compressed files unpacked, payloads of envelopes decoded.
fn everything(folder: &Path, printed: &[String]) -> BTreeMap<PathBuf, String> {
    let mut found: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = std::fs::read(&path).unwrap();
            if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
                bytes = zstd::decode_all(bytes.as_slice()).unwrap();
            }
            // A name tells as much as what is in it.
            found.insert(
                path.clone(),
                format!("{}\n{}", path.display(), String::from_utf8_lossy(&bytes)),
            );
        }
    }
    for (position, text) in printed.iter().enumerate() {
        found.insert(PathBuf::from(format!("printed {position}")), text.clone());
    }
    for text in found.values_mut() {
        // An archive holds envelopes, and their payloads hold others.
        let mut inner = decoded(text);
        for _ in 0..3 {
            let innermost = decoded(&inner);
            text.push_str(&inner);
            inner = innermost;
        }
        assert!(inner.is_empty(), "base64 in base64 in base64");
    }
    found
}

/// Whatever in a text is base64 of a length that matters.
fn decoded(text: &str) -> String {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');
    let mut out = String::new();
    for word in text.split(|c| !is_base64(c)).filter(|word| word.len() >= 24) {
        let word = word.trim_end_matches('=').replace('-', "+").replace('_', "/");
        if let Ok(bytes) = base64::engine::general_purpose::STANDARD_NO_PAD.decode(word.as_bytes()) {
            out.push_str(&String::from_utf8_lossy(&bytes));
            out.push('\n');
        }
    }
    out
}

/// Uses every verb that writes or prints something of a log; all that came of it.
fn used(cluster: &Cluster, lab: &Lab) -> BTreeMap<PathBuf, String> {
    let mut printed = Vec::new();
    let mut run = |args: &[&str]| {
        let ran = lab.run(args);
        printed.push(format!("{args:?}\n{}\n{}", ran.stdout, ran.stderr));
        ran
    };
    let formats = ["log", "csv", "json"];
    let logs = formats.map(|ending| {
        let found = cluster.collected_logs().into_iter();
        let folder = cluster.data_dir().join("log");
        let in_folder = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|it| it.path());
        let mut all = found.chain(in_folder);
        let log = all.find(|path| path.extension().is_some_and(|it| it == ending));
        log.unwrap_or_else(|| panic!("no .{ending} log"))
            .to_str()
            .unwrap()
            .to_owned()
    });
    let mut reports = Vec::new();
    let listed = run(&["runbook", "list", "--format", "json"]).json();
    let workflows: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["workflow"].as_str().unwrap())
        .collect();
    assert!(workflows.len() > 15 && workflows.contains(&"errors"), "{workflows:?}");
    for (log, format) in logs.iter().zip(formats) {
        for workflow in &workflows {
            for shown in ["json", "text"] {
                let ran = run(&["triage", workflow, log, "--format", shown]);
                assert_eq!(ran.code, 0, "{ran:?}");
                if shown == "json" {
                    reports.push(ran.json());
                }
            }
        }
        let until = ["--baseline", log, "--baseline-until", "1h", "--since", "1h"];
        run(&[&["triage", "slow-queries", log][..], &until].concat());
        let output = lab.workspace().join(format!("{format}.json.zst"));
        assert_eq!(
            run(&["evidence", "export", log, "--output", output.to_str().unwrap()]).code,
            0
        );
        assert_eq!(run(&["evidence", "export", log]).code, 0);
        assert_eq!(run(&["evidence", "merge", output.to_str().unwrap()]).code, 0);
        assert_ne!(
            run(&["--agent", "triage", "errors", log]).code,
            0,
            "no folder is the agent's"
        );
        let merged = run(&["triage", "query-families", output.to_str().unwrap()]);
        assert_eq!(merged.code, 0, "{merged:?}");
        run(&["inspect", log]);
    }
    run(&["inspect", &logs[0], "--format", "text"]);
    let report = reports.iter().find(|it| it["workflow"] == "query-families").unwrap();
    let mut ran_actions = 0;
    for offered in report["next_actions"].as_array().unwrap() {
        if offered["status"] == "allowed" && offered["action_type"] == "run_sql" {
            let argv = argv(offered);
            let ran = run(&argv.iter().map(String::as_str).collect::<Vec<_>>());
            ran_actions += usize::from(ran.code == 0);
        }
    }
    assert!(
        ran_actions > 3,
        "{ran_actions} actions ran of {:#}",
        report["next_actions"]
    );
    for record in lab.json(&["audit", "list"]).as_array().unwrap() {
        let id = record["record_id"].as_str().unwrap();
        run(&["audit", "show", id]);
        run(&["audit", "show", id, "--format", "text"]);
    }
    run(&["audit", "timeline"]);
    run(&["audit", "timeline", "--format", "text"]);
    let fixture = lab.workspace().join("recorded.json");
    let id = report["report_id"].as_str().unwrap();
    assert_eq!(
        run(&["runbook", "record", id, "--output", fixture.to_str().unwrap()]).code,
        0
    );
    let archive = lab.workspace().join("archive.tar");
    assert_eq!(run(&["audit", "export", "--output", archive.to_str().unwrap()]).code, 0);
    for report in &reports {
        for form in ["json", "markdown", "html"] {
            let ran = run(&["handoff", report["report_id"].as_str().unwrap(), "--form", form]);
            assert_eq!(ran.code, 0, "{ran:?}");
        }
    }
    run(&["health", "--format", "text"]);
    run(&["policy", "check"]);
    lab.verified_records();
    everything(&lab.workspace(), &printed)
}

/// Where secrets of the classes for which `is_looked_for` were found.
fn found(everything: &BTreeMap<PathBuf, String>, is_looked_for: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (position, (class, sql)) in PLANTED.iter().enumerate() {
        let secret = secret(position);
        for (path, text) in everything.iter().filter(|_| is_looked_for(class)) {
            if let Some(at) = text.find(&secret) {
                let around: String = text[..at]
                    .chars()
                    .rev()
                    .take(60)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .collect();
                found.push(format!("{class} `{sql}` in {}: …{around}{secret}", path.display()));
            }
        }
    }
    found
}

#[test]
fn planted_secrets_are_in_no_file_and_in_no_output() {
    let cluster = server();
    let raw: String = std::fs::read_dir(cluster.data_dir().join("log"))
        .unwrap()
        .flatten()
        .map(|it| String::from_utf8_lossy(&std::fs::read(it.path()).unwrap()).into_owned())
        .collect();
    for (position, (class, sql)) in PLANTED.iter().enumerate() {
        assert!(raw.contains(&secret(position)), "not planted: {class} {sql}");
    }
    let dsn = cluster.dsn("triage", "shop");

    let lab = Lab::with_database(&dsn);
    let leaks = found(&used(&cluster, &lab), |_| true);
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());

    // The test can fail: where the operator keeps values, they are in the stored evidence, and only there.
    let values = Lab::with_database(&dsn);
    values.operators("config.toml", KEEP_VALUES);
    let kept = used(&cluster, &values);
    let evidence = |path: &Path| path.starts_with(values.workspace().join("evidence"));
    assert!(!found(&kept, |class| class == "statement_parameter").is_empty());
    let outside = kept.into_iter().filter(|(path, _)| !evidence(path)).collect();
    let leaks = found(&outside, |_| true);
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
}

#[test]
fn what_may_be_kept_goes_where_the_operator_keeps_nothing() {
    let cluster = server();
    let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
    lab.operators("config.toml", "[redaction]\nkeep = []\n");
    let log = cluster
        .collected_logs()
        .into_iter()
        .find(|it| it.extension().is_some_and(|it| it == "log"))
        .unwrap();
    let copy = lab.path().join("umbra.log");
    std::fs::copy(&log, &copy).unwrap();
    let report = lab.triage("query-families", &copy);
    let classes: Vec<&str> = report["source_summary"]["redacted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert_eq!(classes.len(), 7, "{classes:?}");
    let statistics = argv(action(&report, "query_family.pg_stat_statements.by_queryid"));
    let ran = lab.json(&statistics.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran["outcome"]["status"], "ok", "{ran:#}");
    let all = everything(&lab.workspace(), &[report.to_string(), ran.to_string()]);
    for (path, text) in &all {
        for word in ["umbra.log", "select count(*) from orders", "127.0.0.1"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
    let leaks = found(&all, |_| true);
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn every_record_says_what_was_not_kept() {
    let digest_of = |lab: &Lab| -> Vec<Value> {
        lab.json(&[
            "triage",
            "query-families",
            pg_logstats_tests::fixture("shop.log").to_str().unwrap(),
        ]);
        lab.run(&["run-sql", "--triage-report", "rp_0", "--action-id", "na_1"]);
        let list = lab.json(&["audit", "list"]);
        let ids = list
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["record_id"].as_str().unwrap());
        ids.map(|id| lab.json(&["audit", "show", id])["redaction_digest"].clone())
            .collect()
    };
    let (default, values) = (Lab::new(), Lab::new().keeping_values());
    for lab in [&default, &values] {
        let said = lab.json(&["policy", "check"])["redaction"].clone();
        let records = digest_of(lab);
        assert_eq!(records.len(), 2);
        assert!(
            records.iter().all(|digest| *digest == said["digest"]),
            "{records:?} {said:#}"
        );
    }
    assert_ne!(
        default.json(&["policy", "check"])["redaction"]["digest"],
        values.json(&["policy", "check"])["redaction"]["digest"]
    );
    default.operators(
        "config.toml",
        "[redaction]\nkeep = [\"statement_text\",\n  \"table_data\"]\n",
    );
    default
        .run(&["policy", "check"])
        .fails(2, &["config.toml", "line 3", "`table_data` is never kept", "`ops`"]);
}

#[test]
fn values_leave_in_evidence_files_only_where_the_operator_keeps_them() {
    let log = pg_logstats_tests::fixture("shop.log");
    let log = log.to_str().unwrap();
    let export = |lab: &Lab| lab.run(&["evidence", "export", log, "--samples"]);
    let nothing_said = Lab::new();
    assert_eq!(export(&nothing_said).code, 0);
    let kept = Lab::new().keeping_values();
    assert_eq!(
        export(&kept).stdout.contains("\"sample\":{"),
        export(&nothing_said).stdout.contains("\"sample\":{")
    );
    let not_kept = Lab::new();
    not_kept.operators("config.toml", "[redaction]\nkeep = [\"statement_text\"]\n");
    export(&not_kept).fails(2, &["--samples", "statement_parameter", "redaction.keep"]);
    assert_eq!(not_kept.run(&["evidence", "export", log]).code, 0);
}
