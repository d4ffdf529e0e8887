//! Agent mode: everything comes from the operator's files, whatever is typed or stands in the environment.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pg_logstats_tests::{Lab, Ran, action, argv, fixture, logging, schema};
use serde_json::Value;

/// An operator's home: configuration, workspace, and a folder of logs.
struct House {
    lab: Lab,
    logs: PathBuf,
}

impl House {
    /// `more` goes below `[agent]`.
    fn new(more: &str) -> Self {
        let lab = Lab::new();
        let root = lab.path().canonicalize().unwrap();
        let logs = root.join("logs");
        std::fs::create_dir_all(root.join(".config/pg-logstats")).unwrap();
        std::fs::create_dir_all(root.join("out")).unwrap();
        std::fs::create_dir_all(&logs).unwrap();
        std::fs::copy(fixture("shop.log"), logs.join("shop.log")).unwrap();
        let house = Self { lab, logs };
        house.configure(more);
        house
    }

    fn root(&self) -> PathBuf {
        self.lab.path().canonicalize().unwrap()
    }

    fn configure(&self, more: &str) {
        let root = self.root();
        let text = format!(
            "[agent]\nworkspace = \"{root}/operators\"\nlog_folders = [\"{root}/logs\"]\noutput_folders = [\"{root}/out\"]\n{more}",
            root = root.display()
        );
        let file = root.join(".config/pg-logstats/config.toml");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    }

    fn log(&self) -> String {
        self.logs.join("shop.log").to_str().unwrap().to_owned()
    }

    fn agent(&self, args: &[&str]) -> Ran {
        self.lab.run(&[&["--agent"], args].concat())
    }

    fn kinds(&self) -> Vec<String> {
        let list = self.agent(&["audit", "list"]).json();
        let kinds = list
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["kind"].as_str().unwrap().to_owned());
        kinds.collect()
    }

    /// Asserts that the refusal is one of agent mode, and recorded in the operator's workspace.
    #[track_caller]
    fn refuses(&self, args: &[&str], words: &[&str]) {
        let before = self.kinds().len();
        let ran = self.agent(args);
        ran.fails(3, words);
        let refusal = ran.json();
        schema::check("refusal", &refusal);
        assert_eq!(refusal["code"], "agent_mode", "{refusal:#}");
        let kinds = self.kinds();
        assert_eq!(kinds.len(), before + 1, "{args:?}: {kinds:?}");
        assert_eq!(kinds.last().unwrap(), "refusal");
    }
}

#[test]
fn the_environment_does_not_choose_where_budgets_are_counted() {
    let house = House::new("");
    let file = house.root().join(".config/pg-logstats/config.toml");
    let configured = std::fs::read_to_string(&file).unwrap();
    let (workspace, others): (Vec<&str>, Vec<&str>) =
        configured.lines().partition(|line| line.starts_with("workspace"));
    assert_eq!(workspace.len(), 1, "{configured}");
    std::fs::write(&file, others.join("\n")).unwrap();
    for args in [&["triage", "locks", &house.log()][..], &["audit", "list"]] {
        house.agent(args).fails(2, &["`workspace`", "[agent]"]);
    }
    assert!(!house.root().join(".local/share/pg-logstats").exists());
    assert!(!house.root().join("operators").exists());
}

/// The driver reads these by itself: a certificate that an agent chose would have it give the operator's password to anybody.
#[test]
fn the_environment_says_nothing_about_the_connection() {
    let house = House::new("");
    house.configure("\n[databases.shop]\nurl = \"postgresql://triage:hunter2@127.0.0.1:1/shop?sslmode=verify-full\"\n");
    for variable in [
        "PGOPTIONS",
        "PGSSLROOTCERT",
        "PGSSLCERT",
        "PGSSLKEY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        let mut health = house.lab.command(&["--agent", "health", "--database", "shop"]);
        let ran = Ran::of(health.env(variable, "/etc/hostname"));
        ran.fails(3, &[variable]);
        assert_eq!(ran.json()["code"], "agent_mode");
        assert!(!ran.stderr.contains("hunter2") && !ran.stdout.contains("hunter2"));
    }
    assert_eq!(house.kinds(), ["refusal"; 6]);
    // Nothing of it set: it gets as far as the connection.
    let verdict = house.agent(&["health", "--database", "shop"]).json();
    assert_eq!(verdict["health"]["reasons"][0]["code"], "unreachable", "{verdict:#}");
}

#[test]
fn flags_that_would_change_the_operators_rules_are_refused_and_recorded() {
    let house = House::new("");
    let log = house.log();
    let loose = house.lab.file("loose.toml", "");
    let own = house.lab.path().join("own");
    let key = house.root().join("operators/keys/public-key.pem");
    for (args, words) in [
        (
            &["triage", "locks", &log, "--dsn", "postgresql://u:hunter2@h/d"][..],
            &["--dsn", "--database"][..],
        ),
        (&["health", "--dsn", "host=h user=u"], &["--dsn"]),
        (
            &["triage", "locks", &log, "--config", &loose],
            &["--config", "operator"],
        ),
        (
            &["--workspace", own.to_str().unwrap(), "triage", "locks", &log],
            &["--workspace", "operator"],
        ),
        (&["triage", "locks", &log, "--threads", "4096"], &["--threads"]),
        (&["triage", "--runbook", "/etc/hostname", &log], &["--runbook"]),
        (&["evidence", "export", &log, "--samples"], &["--samples"]),
        (&["evidence", "export", &log, "--threads", "9"], &["--threads"]),
        (
            &["audit", "verify", "--public-key", key.to_str().unwrap()],
            &["--public-key"],
        ),
        (
            &["audit", "verify", "--workspace", own.to_str().unwrap()],
            &["--workspace"],
        ),
    ] {
        house.refuses(args, words);
    }
    assert!(!own.exists(), "nothing is made where an agent points");
    let audit = house.agent(&["audit", "list"]).stdout;
    assert!(!audit.contains("hunter2"));
    assert_eq!(house.agent(&["audit", "verify"]).json()["verified"], true);
}

#[test]
fn logs_are_read_in_the_operators_folders_only() {
    let house = House::new("");
    let secret = house
        .lab
        .file("secret.log", std::fs::read(fixture("shop.log")).unwrap());
    std::os::unix::fs::symlink(&secret, house.logs.join("link.log")).unwrap();
    std::os::unix::fs::symlink("..", house.logs.join("up")).unwrap();
    let path = |rest: &str| house.logs.join(rest).to_str().unwrap().to_owned();
    let log = house.log();
    for name in [
        secret.clone(),
        "-".to_owned(),
        "/etc/passwd".to_owned(),
        "/no/such/file.log".to_owned(),
        path("link.log"),
        path("../secret.log"),
        path("up/secret.log"),
    ] {
        let says = ["in no folder that the operator opened", house.logs.to_str().unwrap()];
        house.refuses(&["triage", "locks", &name], &says);
        house.refuses(&["triage", "locks", &log, "--baseline", &name], &says);
        house.refuses(&["inspect", &name], &says);
        house.refuses(&["evidence", "export", &name], &says);
        house.refuses(&["evidence", "merge", &name], &says);
    }
    // A link in a folder leads nowhere else either: the file behind it is not among those that were read.
    let report = house.agent(&["triage", "locks", house.logs.to_str().unwrap()]).json();
    assert_eq!(
        report["source_summary"]["files"].as_array().unwrap().len(),
        1,
        "{:#}",
        report["source_summary"]["files"]
    );
    house
        .agent(&["triage", "locks", &path("none.log")])
        .fails(1, &["no such log"]);
}

#[test]
fn evidence_goes_to_the_operators_folders_only() {
    let house = House::new("");
    let (log, root) = (house.log(), house.root());
    for place in ["evil.json", "logs/evil.json", "out/../evil.json", "out/deep/evil.json"] {
        let path = root.join(place);
        house.refuses(
            &["evidence", "export", &log, "--output", path.to_str().unwrap()],
            &["new file", "out"],
        );
        assert!(!path.exists());
    }
    let good = root.join("out/good.json.zst");
    assert_eq!(
        house
            .agent(&["evidence", "export", &log, "--output", good.to_str().unwrap()])
            .code,
        0
    );
    assert!(good.exists());
    assert_eq!(
        house.agent(&["evidence", "export", &log]).code,
        0,
        "standard output is no folder"
    );
}

#[test]
fn the_environment_chooses_neither_database_nor_workspace_nor_rules() {
    let house = House::new("");
    let loose = house
        .lab
        .file("loose.toml", "[databases.evil]\nurl = \"host=/nowhere user=evil\"\n");
    let log = house.log();
    let mut command = house.lab.command(&["--agent", "triage", "locks", &log]);
    command
        .env("PG_LOGSTATS_CONFIG", &loose)
        .env("PG_LOGSTATS_WORKSPACE", house.lab.path().join("elsewhere"))
        .env("PG_LOGSTATS_DATABASE_URL", "postgresql://evil:hunter2@127.0.0.1:1/evil")
        .env("PGHOST", "127.0.0.1")
        .env("PGSERVICE", "evil");
    let ran = Ran::of(&mut command);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    assert_eq!(report["operating_mode"], "log_backed_only");
    assert!(
        report["health"].is_null(),
        "no server was asked: {:#}",
        report["health"]
    );
    assert!(!house.lab.path().join("elsewhere").exists() && !house.lab.workspace().exists());
    assert!(house.root().join("operators/audit").exists());
    house
        .agent(&["triage", "locks", &log, "--database", "evil"])
        .fails(2, &["no database `evil`"]);
}

#[test]
fn the_variable_cannot_be_taken_back_by_a_flag() {
    let house = House::new("");
    let secret = house
        .lab
        .file("secret.log", std::fs::read(fixture("shop.log")).unwrap());
    let run = |value: &str, args: &[&str]| {
        let mut command = house.lab.command(args);
        command.env("PG_LOGSTATS_AGENT", value);
        Ran::of(&mut command)
    };
    for value in ["1", "true", "no", "off", "00", " "] {
        run(value, &["triage", "locks", &secret]).fails(3, &["in no folder that the operator opened"]);
    }
    for flag in ["--agent=false", "--no-agent", "--agent=0"] {
        run("1", &[flag, "triage", "locks", &secret]).fails(2, &["--"]);
    }
    run("1", &["triage", "locks", &secret, "--config", &secret]).fails(3, &["--config"]);
    for value in ["", "0"] {
        assert_eq!(run(value, &["triage", "locks", &secret]).code, 0);
    }
}

#[test]
fn without_a_configuration_that_is_the_operators_no_agent_runs() {
    if Path::new("/etc/pg-logstats/config.toml").exists() {
        return;
    }
    let lab = Lab::new();
    lab.run(&["--agent", "policy", "check"])
        .fails(2, &["/etc/pg-logstats/config.toml", ".config/pg-logstats/config.toml"]);
    let house = House::new("");
    let config = house.root().join(".config/pg-logstats/config.toml");
    for mode in [0o666, 0o660, 0o602] {
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(mode)).unwrap();
        house
            .agent(&["policy", "check"])
            .fails(1, &["can be changed by others", "chmod go-w"]);
    }
    house.configure("[policy]\nmax_risk = \"high\"\n");
    house
        .agent(&["policy", "check"])
        .fails(2, &["config.toml", "line 6", "high", "bounded"]);
}

#[test]
fn commands_of_a_report_run_as_they_stand() {
    let cluster = logging().start().unwrap();
    cluster
        .psql("CREATE ROLE triage LOGIN IN ROLE pg_read_all_stats; CREATE EXTENSION pg_stat_statements")
        .unwrap();
    let mut app = cluster.session("postgres", "postgres").unwrap();
    for i in 0..10 {
        app.run(&format!(
            "SELECT count(*) FROM generate_series(1, 200000) g WHERE g % 7 <> {i}"
        ))
        .unwrap();
    }
    let url = cluster
        .dsn("triage", "postgres")
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    let house = House::new(&format!(
        "[databases.main]\nurl = \"{url}\"\n[databases.main.policy]\nrole = \"triage\"\n"
    ));
    let log = house.logs.join("server.log");
    std::fs::copy(cluster.server_log(), &log).unwrap();
    let ran = house.agent(&["triage", "query-families", log.to_str().unwrap(), "--database", "main"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    schema::check("report", &report);
    let run = |action: &Value| {
        let args = argv(action);
        assert_eq!(args[0], "--agent", "{args:?}");
        assert!(!args.iter().any(|a| a == "--workspace" || a == "--config"), "{args:?}");
        house.lab.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let statistics = run(action(&report, "query_family.pg_stat_statements.by_queryid"));
    assert_eq!(statistics.code, 0, "{statistics:?}");
    assert_eq!(statistics.json()["outcome"]["status"], "ok");
    assert_eq!(statistics.json()["budget"]["day"]["actions_used"], 1);
    let other = house.agent(&["triage", "query-families", &house.log()]).json();
    let locks = run(action(&other, "locks"));
    assert_eq!(locks.code, 0, "{locks:?}");
    assert_eq!(locks.json()["parent_report_id"], other["report_id"]);
    let check = house.agent(&["policy", "check", "--database", "main"]).json();
    schema::check("policy", &check);
    assert_eq!(check["agent_mode"], true);
    assert_eq!(check["log_folders"][0], house.logs.to_str().unwrap());
    assert_eq!(check["budget"]["day"]["actions_used"], 1);
}

#[test]
fn the_trail_is_looked_at_and_its_keys_witnesses_and_evidence_are_the_operators() {
    let house = House::new("");
    assert_eq!(house.agent(&["triage", "query-families", &house.log()]).code, 0);
    let refused: [&[&str]; 7] = [
        &["erase", "--evidence", "00", "--reason", "x"],
        &["rotate-key", "--reason", "x"],
        &["declare-compromised", "00", "--since-index", "0", "--reason", "x"],
        &["cosign", "--policy", "p"],
        &["witness", "--state", "s", "--key", "k", "--name", "n", "--log", "l"],
        &["signer", "--key", "k", "--socket", "s"],
        &["verify-proof", "p", "--public-key", "k"],
    ];
    for args in refused {
        house
            .agent(&[&["audit"], args].concat())
            .fails(3, &["not for agents", args[0]]);
    }
    let kinds = house.kinds();
    assert_eq!((kinds.len(), kinds[0].as_str()), (8, "triage"));
    assert!(kinds[1..].iter().all(|kind| kind == "refusal"), "{kinds:?}");
    for args in [
        &["timeline"][..],
        &["checkpoint"],
        &["public-key", "--vkey"],
        &["list", "--denied"],
    ] {
        assert_eq!(house.agent(&[&["audit"], args].concat()).code, 0, "{args:?}");
    }
    let id = house.agent(&["audit", "list"]).json()[0]["record_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let place = |folder: &str| house.root().join(folder).join("proof").to_str().unwrap().to_owned();
    assert_eq!(house.agent(&["audit", "prove", &id, "--output", &place("out")]).code, 0);
    house
        .agent(&["audit", "prove", &id, "--output", &place("logs")])
        .fails(3, &["in no folder that the operator opened to agents"]);
}

/// A message about a file that is none of its kind may quote it, and tells whether it is there.
#[test]
fn no_verb_reads_a_file_of_an_agents_choice() {
    let house = House::new("");
    assert_eq!(house.agent(&["triage", "query-families", &house.log()]).code, 0);
    let secret = house.lab.file("pgpass", "db.internal:5432:app:diag:hunter2\n");
    let archive = house.root().join("out/trail.tar");
    let attempts: [&[&str]; 6] = [
        &["audit", "prove", "rp_x", "--policy", &secret],
        &[
            "audit",
            "export",
            "--output",
            archive.to_str().unwrap(),
            "--policy",
            &secret,
        ],
        &["audit", "verify", "--since", &secret],
        &["audit", "verify", "--public-key", &secret],
        &["runbook", "verify", &secret],
        &["triage", "query-families", &house.log(), "--alert", &secret],
    ];
    for args in attempts {
        let ran = house.agent(args);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"), "{args:?}");
        ran.fails(3, &["not for agents"]);
    }
    // Who gives a permission is no agent, and has another verb.
    let added = house.agent(&["approvals", "add", &secret]);
    assert!(!format!("{}{}", added.stdout, added.stderr).contains("hunter2"));
    assert_eq!(added.code, 2, "{}", added.stderr);
}

/// Names of files come from anywhere, and a terminal obeys what stands in them.
#[test]
fn what_is_said_of_a_file_has_no_control_characters() {
    let lab = Lab::new();
    let ran = lab.run(&["triage", "locks", "no\u{1b}]0;owned\u{7}\u{202e}.log"]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("\\u{1b}]0;owned\\u{7}\\u{202e}.log"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}']));
}
