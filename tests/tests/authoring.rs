//! What an author of a runbook does: a new project, its tests, mistakes, a look at the component, a replay.
//!
//! Compiling is slow, so all projects share one target folder, which stays from run to run: `std`, the SDK and its macros are
//! compiled once. Nothing is fetched: the projects begin with the versions of this workspace's `Cargo.lock`.

use std::path::{Path, PathBuf};
use std::process::Command;

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, Ran, action, argv, fixture, guest, logging, make_shop, schema};
use serde_json::Value;

/// A project in a laboratory of its own.
struct Author {
    lab: Lab,
    project: PathBuf,
}

impl Author {
    /// A new project called `name`; no two tests may use one name at the same time, as they share a target folder.
    fn new(name: &str) -> Self {
        let author = Self::of(Lab::new(), name);
        let made = author.done(&["new", name, "--path", author.path()]);
        schema::check("runbook-project", &made);
        author
    }

    fn of(lab: Lab, name: &str) -> Self {
        let project = lab.path().join(name);
        Self { lab, project }
    }

    fn path(&self) -> &str {
        self.project.to_str().unwrap()
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut with_tools(self.lab.command(&[&["runbook"], args].concat())))
    }

    /// Runs a verb that must succeed; its JSON.
    #[track_caller]
    fn done(&self, args: &[&str]) -> Value {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.json()
    }

    /// A test that must fail; the codes of its problems, and all of it.
    #[track_caller]
    fn fails(&self) -> (Vec<String>, Value) {
        // The project's own tests may panic; what the host says of it is on stdout.
        let output = with_tools(self.lab.command(&["runbook", "test", self.path()]))
            .output()
            .unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
        let test = ran.json();
        schema::check("runbook-test", &test);
        assert_eq!(test["passed"], false);
        let problems = test["problems"].as_array().unwrap();
        let mut codes: Vec<String> = problems
            .iter()
            .map(|it| it["code"].as_str().unwrap().to_owned())
            .collect();
        codes.dedup();
        (codes, test)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.project.join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.project.join(file), text).unwrap();
    }

    /// Replaces `from`, which must be there, in `file`.
    #[track_caller]
    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no {from:?}");
        self.write(file, &text.replace(from, to));
    }
}

/// With the author's Rust, without the network.
fn with_tools(mut command: Command) -> Command {
    let home = |variable: &str, below: &str| {
        let named = std::env::var_os(variable).map(PathBuf::from);
        named.unwrap_or_else(|| std::env::home_dir().unwrap().join(below))
    };
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("CARGO_HOME", home("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", home("RUSTUP_HOME", ".rustup"))
        .env("CARGO_NET_OFFLINE", "true")
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring"),
        );
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    command
}

/// The component of the built-in runbook `name`, in a file of the laboratory.
fn builtin(lab: &Lab, name: &str) -> String {
    let found = pg_logstats_builtin::all().iter().find(|it| it.name == name).unwrap();
    lab.file(&format!("{name}.wasm"), found.component)
}

#[test]
fn a_new_project_builds_and_passes_its_tests_as_it_is() {
    let author = Author::new("night-watch");
    let test = author.done(&["test", author.path()]);
    schema::check("runbook-test", &test);
    assert_eq!(test["problems"], serde_json::json!([]), "{test:#}");
    let results: Vec<(&str, &str, &str)> = test["fixtures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let word = |name: &str| it[name].as_str().unwrap();
            (word("name"), word("phase"), word("snapshot"))
        })
        .collect();
    assert_eq!(
        results,
        [
            ("counted", "interpret", "matches"),
            ("quiet", "triage", "matches"),
            ("statements", "triage", "matches")
        ]
    );

    let built = author.done(&["build", author.path()]);
    schema::check("runbook-build", &built);
    assert_eq!(built, test["component"], "the same sources give the same bytes");
    assert_eq!(
        (&built["name"], &built["workflow"]),
        (&"night-watch".into(), &"night-watch".into())
    );
    let component = built["file"].as_str().unwrap();
    assert_eq!(
        std::fs::metadata(component).unwrap().len(),
        built["bytes"].as_u64().unwrap()
    );

    // All that it can ask for, with the SQL for each version; only `describe` is called for it.
    let explained = author.done(&["explain", component]);
    schema::check("runbook-explanation", &explained);
    assert_eq!(explained["digest"], built["digest"]);
    assert_eq!(explained["wit_version"], "0.2.0");
    assert_eq!(explained["actions"].as_array().unwrap().len(), 1);
    let catalogue = &explained["actions"][0]["catalogue"];
    assert_eq!(
        catalogue,
        &author
            .lab
            .json(&["catalog", "show", "query_family.pg_stat_statements.by_queryid"])
    );
    assert!(
        catalogue["statements"][0]["sql"]
            .as_str()
            .unwrap()
            .contains("pg_stat_statements")
    );
    let said = explained["messages"].to_string();
    assert!(said.contains("{subject} took {ratio} of all statement time"), "{said}");
    assert_eq!(explained["unverified_signers"], serde_json::json!([]));

    // The same project elsewhere is the same component: nothing of the folder is in it.
    let other = author.lab.path().join("elsewhere/night-watch");
    author.done(&["new", "night-watch", "--path", other.to_str().unwrap()]);
    assert_eq!(
        author.done(&["build", other.to_str().unwrap()])["digest"],
        built["digest"]
    );

    // Nobody vouches for it yet, so it runs on no incident.
    let log = fixture("shop.log");
    let refused = author
        .lab
        .run(&["triage", "--runbook", component, log.to_str().unwrap()]);
    refused.fails(3, &["nobody vouches"]);
}

#[test]
fn what_is_wrong_with_a_runbook_is_told() {
    let author = Author::new("broken-watch");
    let lib = author.read("src/lib.rs");

    // 1. A native test: nothing is built then.
    author.edit("src/tests.rs", "the server counted 42", "the server counted 43");
    let (codes, test) = author.fails();
    assert_eq!(codes, ["native_tests_failed"]);
    assert_eq!(test["component"], Value::Null);
    // What follows is for the component to show.
    author.write("src/tests.rs", "");

    // 2. A snapshot that says something else, and one that is gone.
    author.edit("snapshots/statements.json", "took 87.3 %", "took 99.9 %");
    std::fs::remove_file(author.project.join("snapshots/quiet.json")).unwrap();
    author.write("snapshots/forgotten.json", "{}");
    let (codes, test) = author.fails();
    assert_eq!(
        codes,
        ["snapshot_missing", "snapshot_differs", "snapshot_without_fixture"]
    );
    let differences = &test["fixtures"][2]["differences"];
    assert_eq!(differences.as_array().unwrap().len(), 1, "{differences:#}");
    assert_eq!(differences[0]["change"], "changed");
    assert_eq!(
        differences[0]["after"],
        serde_json::json!({"title": "qf_0dfe6687d478bfb6 took 87.3 % of all statement time"})
    );
    std::fs::remove_file(author.project.join("snapshots/forgotten.json")).unwrap();
    author.done(&["test", author.path(), "--bless"]);
    author.done(&["test", author.path()]);

    // 3. Words that are declared and never used: a permission that nobody needs, a sentence that nobody has read.
    let declared = lib
        .replace("why() =>", "unsaid() => \"nobody says this\";\n        why() =>")
        .replace(
            "pg_logstats_sdk::actions! {",
            "pg_logstats_sdk::actions! { EXPLAIN = \"query_family.explain\"; MADE_UP = \"query_family.made_up\";",
        )
        .replace(
            "NO_DURATIONS = \"no_durations\";",
            "NO_DURATIONS = \"no_durations\"; UNUSED = \"unused\";",
        );
    author.write("src/lib.rs", &declared);
    let (codes, _) = author.fails();
    assert_eq!(
        codes,
        [
            "action_never_requested",
            "unknown_action",
            "message_never_used",
            "reason_code_never_used"
        ]
    );

    // 4. A request of what the descriptor does not list.
    author.write("src/lib.rs", &lib.replace(".actions(ACTIONS)", ".actions(&[])"));
    let (codes, test) = author.fails();
    assert!(codes.contains(&"request_refused".to_owned()), "{codes:?}");
    assert!(test["problems"].to_string().contains("undeclared_action"), "{test:#}");

    // 5. A finding that says nothing of why.
    author.write(
        "src/lib.rs",
        &lib.replace(
            "\"the server has no statistics of it\"",
            "\"pg_stat_statements counts since it was last reset\"",
        ),
    );
    let (codes, _) = author.fails();
    assert_eq!(codes, ["no_reason"]);

    // 6. A panic, which ends the run: what it would have used is not known.
    author.write("src/lib.rs", &lib.replace("let mut assessment = Assessment::new();", "let mut assessment = Assessment::new();\n        let _ = [0][evidence_of_nothing()];", ).replace("struct ThisRunbook;", "struct ThisRunbook;\n\n#[allow(clippy::indexing_slicing, reason = \"on purpose\")]\nfn evidence_of_nothing() -> usize {\n    std::hint::black_box(1)\n}\n"));
    let (codes, test) = author.fails();
    assert!(codes.contains(&"runbook_failed".to_owned()), "{codes:?}");
    assert!(!codes.contains(&"message_never_used".to_owned()), "{codes:?}");
    assert!(
        test["problems"].to_string().contains("trapped: the runbook trapped"),
        "{test:#}"
    );
    assert_eq!(test["fixtures"][0]["snapshot"], "failed");

    // 7. It does not compile.
    author.write("src/lib.rs", &lib.replace("fn triage(", "fn triaged("));
    let (codes, _) = author.fails();
    assert_eq!(codes, ["native_tests_failed"]);
    let ran = author.run(&["build", author.path()]);
    ran.fails(
        1,
        &[
            "cannot compile `broken-watch` for WebAssembly",
            "not all trait items implemented",
        ],
    );
    assert_eq!(ran.stdout, "");

    // 8. Fixtures that are none, and none at all.
    author.write("src/lib.rs", &lib);
    author.write(
        "fixtures/counted.json",
        "{\"format\": \"pg-logstats recorded run\",\n\"version\": }",
    );
    author
        .run(&["test", author.path()])
        .fails(1, &["fixtures/counted.json", "line 2 column"]);
    std::fs::remove_dir_all(author.project.join("fixtures")).unwrap();
    author
        .run(&["test", author.path()])
        .fails(2, &["no fixture", "evidence export", "runbook record"]);
}

#[test]
fn a_watch_tests_and_waits_for_a_change() {
    let author = Author::new("patient-watch");
    let ran = author.run(&["watch", author.path(), "--count", "1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout.lines().count(), 1, "one line for each test");
    assert_eq!(ran.json()["passed"], true);

    // Wrong while it begins, mended while it waits.
    author.edit("snapshots/quiet.json", "no_durations", "no_duration");
    let mut command = with_tools(author.lab.command(&["runbook", "watch", author.path(), "--count", "2"]));
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut watch = command.spawn().unwrap();
    let mut said = std::io::BufReader::new(watch.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["passed"], false, "{line}");
    // Whether the look at the files or the change comes first, the change is seen.
    author.edit("snapshots/quiet.json", "no_duration\"", "no_durations\"");
    line.clear();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["passed"], true, "{line}");
    assert!(watch.wait().unwrap().success());
}

#[test]
fn what_makes_no_sense_is_wrong_usage_and_leaves_nothing() {
    let author = Author::of(Lab::new(), "mine");
    let lab = &author.lab;
    let path = author.path();
    for (args, says) in [
        (&["new", "Mine"][..], "lower-case words joined by `-`"),
        (&["new", "fn", "--path", path], "has a meaning in Rust"),
        (&["new", "mine", "--path", path, "--sdk", "/nowhere"], "--sdk"),
        (&["new", "mine", "--path", path, "--lang", "cobol"], "possible values"),
        (&["new", "mine", "--path", path, "--lang", "python"], "core instances"),
        (
            &["new", "mine", "--path", path, "--lang", "js", "--sdk", path],
            "--sdk is for Rust",
        ),
        (&["build", path], "cannot open the folder"),
        (&["replay", "../x", "y.wasm"], "a report is named by its id"),
    ] {
        let ran = author.run(args);
        let expected = if args[0] == "build" { 1 } else { 2 };
        ran.fails(expected, &[says]);
        assert_eq!(ran.stdout, "");
        assert!(!author.project.exists(), "{args:?}");
    }
    let file = lab.file("kept.txt", "x");
    author
        .run(&["new", "mine", "--path", &file])
        .fails(2, &["is not empty", "--path"]);
    std::fs::create_dir(&author.project).unwrap();
    author
        .run(&["test", path])
        .fails(2, &["no `Cargo.toml`", "runbook new"]);
    author
        .run(&["explain", &file])
        .fails(1, &["kept.txt", "not a WebAssembly component"]);
    let wasi = guest("imports-wasi");
    author
        .run(&["explain", wasi.to_str().unwrap()])
        .fails(1, &["imports `wasi:", "nothing else"]);
    author
        .run(&["explain", "missing.wasm"])
        .fails(1, &["no such runbook", "missing.wasm"]);
}

#[test]
fn an_agent_is_refused_all_of_it() {
    let lab = Lab::new();
    let root = lab.path().canonicalize().unwrap();
    std::fs::create_dir_all(root.join(".config/pg-logstats")).unwrap();
    let config = format!("[agent]\nworkspace = \"{}/operators\"\n", root.display());
    lab.file(".config/pg-logstats/config.toml", config);
    let component = builtin(&lab, "locks");
    let verbs: [&[&str]; 7] = [
        &["new", "mine"],
        &["build"],
        &["test"],
        &["watch", "--count", "1"],
        &["explain", &component],
        &["record", "rp_00000000000000000000000000", "-o", "x.json"],
        &["replay", "rp_00000000000000000000000000", &component],
    ];
    for verb in verbs {
        let ran = lab.run(&[&["--agent", "runbook"], verb].concat());
        ran.fails(3, &["not for agents"]);
        assert_eq!(ran.json()["code"], "agent_mode", "{verb:?}");
    }
    let kinds = lab.run(&["--agent", "audit", "list"]).json();
    assert_eq!(kinds.as_array().unwrap().len(), verbs.len(), "each refusal is sealed");
}

#[test]
fn a_report_is_replayed_to_the_byte_and_another_component_is_compared_with_it() {
    let lab = Lab::new();
    let author = Author::of(lab, "none");
    let report = author.lab.triage("query-families", &fixture("shop.log"));
    let id = report["report_id"].as_str().unwrap();
    let component = builtin(&author.lab, "query-families");
    let before = author.lab.verified_records();

    let replayed = author.done(&["replay", id, &component]);
    schema::check("runbook-replay", &replayed);
    assert_eq!(
        (&replayed["same_component"], &replayed["identical"]),
        (&true.into(), &true.into()),
        "{replayed:#}"
    );
    assert_eq!(replayed["differences"], serde_json::json!([]));
    assert_eq!(replayed["digest"], report["runbook"]["digest"]);

    let other = author.done(&["replay", id, &builtin(&author.lab, "locks")]);
    assert_eq!(
        (&other["same_component"], &other["identical"]),
        (&false.into(), &false.into())
    );
    let differences = other["differences"].as_array().unwrap();
    let removed = |it: &&Value| it["part"] == "findings" && it["change"] == "removed";
    // The report shows the first ten of them, the record has all.
    let shown = report["findings"].as_array().unwrap().len();
    assert!(
        shown > 0 && differences.iter().filter(removed).count() >= shown,
        "{differences:#?}"
    );
    let trapping = guest("trapping");
    let failing = author.done(&["replay", id, trapping.to_str().unwrap()]);
    assert_eq!(failing["differences"][0]["part"], "failure");
    assert_eq!(author.lab.verified_records(), before, "nothing is sealed");

    // Without the evidence there is nothing to replay, and the error says what is missing.
    std::fs::remove_dir_all(author.lab.workspace().join("evidence")).unwrap();
    author
        .run(&["replay", id, &component])
        .fails(4, &["evidence", "missing"]);
    let unknown = ["replay", "rp_00000000000000000000000000", &component];
    author.run(&unknown).fails(2, &["no such report", "audit list"]);
}

/// A shop whose statements the server counts and logs.
fn shop() -> Cluster {
    let cluster = logging().start().expect("PostgreSQL starts");
    make_shop(&cluster);
    let app = |sql: &str| cluster.psql_as("app", "shop", sql).unwrap();
    app(
        "CREATE TABLE orders AS SELECT i AS id, i % 500 AS customer_id FROM generate_series(1, 20000) i;
         ANALYZE orders; GRANT SELECT ON orders TO triage;",
    );
    for customer in 0..4 {
        app(&format!("SELECT count(*) FROM orders WHERE customer_id = {customer}"));
    }
    cluster
}

#[test]
fn what_an_action_returned_is_replayed_and_becomes_a_fixture() {
    let cluster = shop();
    let author = Author::of(
        Lab::with_database(&cluster.dsn("triage", "shop")).keeping_values(),
        "live-watch",
    );
    let collected = cluster.collected_logs();
    let log = collected.into_iter().next().unwrap_or_else(|| cluster.server_log());
    let report = author.lab.triage("query-families", &log);
    let component = builtin(&author.lab, "query-families");
    let queryid = cluster
        .psql_as(
            "postgres",
            "shop",
            "SELECT queryid FROM pg_stat_statements WHERE query LIKE 'SELECT count(*) FROM orders%'",
        )
        .unwrap();
    let queryid = queryid.trim().to_owned();
    let mut reports = Vec::new();
    for target in [
        "query_family.pg_stat_statements.by_queryid",
        "query_family.explain_analyze",
    ] {
        // Of the statement itself: a string of several statements is one in the log and none of those that the server counts.
        let mut offered = report["next_actions"].as_array().unwrap().iter();
        let of_it = |it: &&Value| it["target_id"] == target && it["parameters"].to_string().contains(&queryid);
        let argv = argv(offered.find(of_it).unwrap_or_else(|| action(&report, target)));
        let ran = author.lab.json(&argv.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ran["outcome"]["status"], "ok", "{ran:#}");
        let id = ran["report_id"].as_str().unwrap().to_owned();
        // Rows and plans have numbers with all their digits, and durations that differ each time.
        let replayed = author.done(&["replay", &id, &component]);
        assert_eq!(
            (&replayed["phase"], &replayed["identical"]),
            (&"interpret".into(), &true.into()),
            "{replayed:#}"
        );
        reports.push(id);
    }

    author.done(&["new", "live-watch", "--path", author.path()]);
    let file = author.project.join("fixtures/live.json.zst");
    let recorded = author.done(&["record", &reports[0], "-o", file.to_str().unwrap()]);
    schema::check("runbook-recording", &recorded);
    assert_eq!(recorded["target_id"], "query_family.pg_stat_statements.by_queryid");
    author
        .run(&["record", &reports[0], "-o", file.to_str().unwrap()])
        .fails(1, &["there already"]);
    author
        .run(&["record", &reports[0], "-o", "x.txt"])
        .fails(2, &["end it in `.json`"]);
    let unpacked = zstd::decode_all(std::fs::File::open(&file).unwrap()).unwrap();
    let unpacked = String::from_utf8(unpacked).unwrap();
    assert!(
        !unpacked.contains("customer_id = 1"),
        "no values of statements: {unpacked}"
    );

    let tested = author.done(&["test", author.path(), "--bless"]);
    let live = &tested["fixtures"][1];
    assert_eq!(
        (&live["name"], &live["phase"]),
        (&"live".into(), &"interpret".into()),
        "{tested:#}"
    );
    let snapshot = author.read("snapshots/live.json");
    assert!(snapshot.contains("the server counted 4 executions"), "{snapshot}");
}

#[test]
fn without_its_tools_a_javascript_project_says_what_to_install() {
    let author = Author::of(Lab::new(), "js-watch");
    author.done(&["new", "js-watch", "--lang", "js", "--path", author.path()]);
    let mut command = author.lab.command(&["runbook", "build", author.path()]);
    let empty = author.lab.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    command.env("PATH", &empty);
    Ran::of(&mut command).fails(1, &["cannot run `node`", "install Node.js"]);
}

#[test]
#[cfg_attr(
    no_componentize_js,
    ignore = "componentize-js is not here; scripts/componentize-js.sh fetches it"
)]
fn a_new_javascript_project_builds_and_passes_its_tests_as_it_is() {
    let author = Author::of(Lab::new(), "js-watch");
    author.done(&["new", "js-watch", "--lang", "js", "--path", author.path()]);
    author.run(&["build", author.path()]).fails(2, &["npm install"]);
    std::os::unix::fs::symlink(env!("COMPONENTIZE_JS"), author.project.join("node_modules")).unwrap();
    let test = author.done(&["test", author.path()]);
    schema::check("runbook-test", &test);
    assert_eq!(test["problems"], serde_json::json!([]), "{test:#}");
    let imports = test["component"]["imports"].as_array().unwrap();
    assert!(
        imports
            .iter()
            .all(|it| it.as_str().unwrap().starts_with("pg-logstats:runbook/")),
        "{imports:?}"
    );
}

/// The counters of one statement, as a DBA wants them shown. The file in `docs/packs.md` is another example.
const PACK_ACTION: &str = r#"# One statement's calls of the server's own counters.
id = "acme.calls"
title = "how often the server ran it"
risk = "safe"
class = "stats_view_reads"
essential = false
kind = "query"

[privileges]
roles = ["pg_read_all_stats"]
extensions = ["pg_stat_statements"]

[[parameters]]
name = "queryid"
facet = "query_id"
required = true
description = "the statement"

[[columns]]
name = "calls"
type = "int"

[[statements]]
min_version = 140000
sql = """
SELECT s.calls AS calls
  FROM {pg_stat_statements}.pg_stat_statements AS s
 WHERE s.queryid = $1::int8
 LIMIT 11
"""

[caps]
max_rows = 10
max_bytes = 4096
statement_timeout_ms = 1000
lock_timeout_ms = 200
idle_in_transaction_session_timeout_ms = 3000

[caps.saturated]
statement_timeout_ms = 500
lock_timeout_ms = 100
"#;

/// A key of `role` that the operator trusts; its private file.
fn trusted_key(lab: &Lab, role: &str) -> String {
    let file = lab.path().join(role).to_str().unwrap().to_owned();
    let made = lab.json(&["key", "generate", "--output", &file]);
    let public = lab.file(&format!("{role}.pub"), made["public_key"].as_str().unwrap());
    lab.json(&["key", "trust", &public, "--name", role, "--role", role]);
    file
}

#[test]
fn an_action_of_a_pack_runs_for_a_runbook_that_requests_it() {
    let cluster = shop();
    let author = Author::of(
        Lab::with_database(&cluster.dsn("triage", "shop")).keeping_values(),
        "pack-watch",
    );
    let lab = &author.lab;
    let log = cluster.collected_logs().into_iter().next();
    let log = log.unwrap_or_else(|| cluster.server_log());
    let log = log.to_str().unwrap();

    // The DBA's pack, signed, then installed by the operator.
    std::fs::create_dir(lab.path().join("acme")).unwrap();
    lab.file(
        "acme/pack.toml",
        "name = \"acme\"\nversion = \"1.0.0\"\nminimum_host_version = \"0.1.0\"\n",
    );
    lab.file("acme/acme.calls.toml", PACK_ACTION);
    let pack = lab.path().join("acme");
    let pack = pack.to_str().unwrap();
    let catalogue_key = trusted_key(lab, "catalogue");
    lab.run(&["catalog", "install", pack]).fails(2, &["pack.dsse.json"]);
    let signed = lab.json(&["catalog", "sign", pack, "--key", &catalogue_key]);
    schema::check("pack", &signed);

    // A runbook that requests it: unknown until the pack is installed.
    author.done(&["new", "pack-watch", "--path", author.path()]);
    author.edit("src/lib.rs", "query_family.pg_stat_statements.by_queryid", "acme.calls");
    let built = author.done(&["build", author.path()]);
    let component = built["file"].as_str().unwrap();
    let folder = lab.path().join(".config/pg-logstats");
    std::fs::write(
        folder.join("trust.toml"),
        std::fs::read_to_string(folder.join("trust.toml")).unwrap()
            + "\n[[rules]]\nrunbook = \"pack-watch\"\nneeds = \"author\"\n",
    )
    .unwrap();
    let author_key = trusted_key(lab, "author");
    // The shared target folder stays from run to run, and with it what an earlier run signed.
    let _not_there_the_first_time = std::fs::remove_file(format!("{component}.dsse"));
    let sign = ["runbook", "sign", component, "--key", &author_key];
    lab.run(&sign).fails(3, &["acme.calls", "install the pack"]);
    let installed = lab.json(&["catalog", "install", pack]);
    schema::check("pack", &installed);
    let shown = lab.json(&["catalog", "show", "acme.calls"]);
    assert!(
        shown["statements"][0]["sql"]
            .as_str()
            .unwrap()
            .contains("s.queryid = $1::int8")
    );
    let explained = author.done(&["explain", component]);
    assert_eq!(explained["actions"][0]["catalogue"], shown, "what a reviewer signs for");
    lab.json(&sign);
    lab.json(&["runbook", "install", component]);

    // The agent: from the log to the rows.
    let report = lab.json(&["triage", "pack-watch", log]);
    let offered = action(&report, "acme.calls");
    assert_eq!(offered["status"], "allowed", "{offered:#}");
    let argv = argv(offered);
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let ran = lab.json(&argv);
    schema::check("report", &ran);
    assert_eq!(ran["outcome"]["status"], "ok", "{ran:#}");
    assert_eq!(ran["outcome"]["columns"], serde_json::json!(["calls"]));
    let calls = ran["outcome"]["rows"][0].to_string();
    assert!(calls.chars().any(|c| ('1'..='9').contains(&c)), "{calls}");
    assert!(ran["insights"].to_string().contains("executions_counted"), "{ran:#}");

    // A step back is the operator's to allow.
    lab.file(
        "acme/pack.toml",
        "name = \"acme\"\nversion = \"0.9.0\"\nminimum_host_version = \"0.1.0\"\n",
    );
    lab.json(&["catalog", "sign", pack, "--key", &catalogue_key]);
    lab.run(&["catalog", "install", pack])
        .fails(3, &["0.9.0 is older than 1.0.0", "--allow-downgrade"]);
    lab.json(&["catalog", "install", pack, "--allow-downgrade"]);

    // Without the pack its actions are gone, also those that a report offers already.
    lab.json(&["catalog", "remove", "acme"]);
    let refused = lab.run(&argv);
    assert_eq!(refused.code, 3, "{refused:?}");
    let timeline = lab.run(&["audit", "timeline", "--format", "text"]).stdout;
    for told in [
        "installs the pack acme 1.0.0",
        "installs the pack acme 0.9.0",
        "removes the pack acme",
    ] {
        assert!(timeline.contains(told), "{told}: {timeline}");
    }
    lab.verified_records();
}
