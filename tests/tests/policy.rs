//! The operator's rules against a real server: each word is enforced, budgets go over incidents, and what was allowed once is decided again.

use std::process::Stdio;

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{KEEP_VALUES, Lab, Ran, action, argv, logging, schema};
use serde_json::Value;

const STATISTICS: &str = "query_family.pg_stat_statements.by_queryid";
const EXPLAIN: &str = "query_family.explain";
const ANALYZE: &str = "query_family.explain_analyze";

/// A server with one family in its log, and the roles `triage` and `other`.
fn server() -> Cluster {
    let cluster = logging().start().expect("PostgreSQL starts");
    cluster
        .psql(
            "CREATE ROLE app LOGIN; CREATE ROLE triage LOGIN IN ROLE pg_read_all_stats; CREATE ROLE other LOGIN IN ROLE pg_read_all_stats;",
        )
        .unwrap();
    cluster.psql("CREATE DATABASE shop OWNER app").unwrap();
    cluster
        .psql_as("postgres", "shop", "CREATE EXTENSION pg_stat_statements")
        .unwrap();
    let mut app = cluster.session("app", "shop").unwrap();
    app.run("SET application_name = 'web'").unwrap();
    app.run("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 200000) i")
        .unwrap();
    app.run("GRANT SELECT ON orders TO triage, other").unwrap();
    for i in 0..20 {
        app.run(&format!("SELECT count(*) FROM orders WHERE id % 7 <> {i}"))
            .unwrap();
    }
    cluster
}

/// Takes a second or two, and the planner thinks that it is cheap.
const SLOW: &str = "SELECT count(*) FROM (SELECT generate_series(1, (SELECT 20000000)) AS g) AS s WHERE g > (SELECT min(id) FROM orders)";

/// A laboratory whose configuration can be written again and again.
struct Operator {
    lab: Lab,
    cluster: Cluster,
    config: String,
}

impl Operator {
    fn new() -> Self {
        let (lab, cluster) = (Lab::new(), server());
        let config = lab.file("config.toml", "");
        Self { lab, cluster, config }
    }

    /// `rules` go below the two databases, of which `shop` is the default.
    fn configure(&self, rules: &str) {
        let url = |role: &str, database: &str| toml_text(&self.cluster.dsn(role, database));
        let (shop, bare) = (url("triage", "shop"), url("triage", "postgres"));
        let text = format!(
            "default_database = \"shop\"\n{KEEP_VALUES}[databases.shop]\nurl = {shop}\n[databases.bare]\nurl = {bare}\n{rules}"
        );
        std::fs::write(&self.config, text).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.lab.run(&[args, &["--config", &self.config]].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{ran:?}");
        ran.json()
    }

    fn triage(&self) -> Value {
        let log = log_of(&self.cluster);
        let report = self.json(&["triage", "query-families", log.to_str().unwrap()]);
        schema::check("report", &report);
        report
    }

    /// Runs an action of `report` by its command.
    fn act(&self, report: &Value, target: &str) -> Ran {
        let argv = argv(action(report, target));
        self.lab.run(&argv.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[track_caller]
    fn act_ok(&self, report: &Value, target: &str) -> Value {
        let ran = self.act(report, target);
        assert_eq!(ran.code, 0, "{ran:?}");
        let report = ran.json();
        schema::check("report", &report);
        report
    }

    /// Asserts that the action is refused with that status, for reasons that name `words`; that the report says so beforehand when
    /// it is made under the same rules; and that nothing was about to run.
    #[track_caller]
    fn refuses(&self, report: &Value, target: &str, status: &str, words: &[&str]) {
        let intents = self.intents();
        let refused = self.act(report, target);
        refused.fails(3, words);
        let refusal = refused.json();
        schema::check("refusal", &refusal);
        assert_eq!(refusal["status"], status, "{refusal:#}");
        assert_eq!(self.intents(), intents, "nothing was about to run");
        let fresh = self.triage();
        assert_eq!(action(&fresh, target)["status"], status, "{:#}", action(&fresh, target));
        let check = self.check(None);
        let told = told(&check, target);
        assert_eq!(told["status"], status, "policy check: {told:#}");
    }

    fn check(&self, database: Option<&str>) -> Value {
        let mut args = vec!["policy", "check"];
        args.extend(database.iter().flat_map(|name| ["--database", name]));
        let check = self.json(&args);
        schema::check("policy", &check);
        check
    }

    fn intents(&self) -> usize {
        self.lab.record_kinds().iter().filter(|kind| *kind == "intent").count()
    }
}

fn log_of(cluster: &Cluster) -> std::path::PathBuf {
    let collected = cluster.collected_logs();
    collected.into_iter().next().unwrap_or_else(|| cluster.server_log())
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[track_caller]
fn told<'a>(check: &'a Value, target: &str) -> &'a Value {
    let actions = check["actions"].as_array().unwrap();
    actions.iter().find(|a| a["target_id"] == target).unwrap()
}

#[test]
fn every_word_of_the_policy_is_enforced_though_the_report_says_allowed() {
    let operator = Operator::new();
    operator.configure("");
    // Made without rules: everything in it is `allowed`, and stays so in what is sealed.
    let report = operator.triage();
    for target in [STATISTICS, EXPLAIN, ANALYZE] {
        assert_eq!(action(&report, target)["status"], "allowed");
    }
    for (rules, target, status, words) in [
        (
            "[policy]\nmax_risk = \"safe\"\n",
            ANALYZE,
            "blocked_by_policy",
            &["policy.max_risk"][..],
        ),
        (
            "[policy]\ndisabled_actions = [\"query_family.explain\"]\n",
            EXPLAIN,
            "blocked_by_config",
            &["policy.disabled_actions"],
        ),
        (
            "[databases.shop.policy]\nenabled_actions = [\"query_family.explain\"]\n",
            STATISTICS,
            "blocked_by_config",
            &["policy.enabled_actions"],
        ),
        (
            "[databases.shop.policy]\nexplain_analyze = false\n",
            ANALYZE,
            "blocked_by_config",
            &["policy.explain_analyze"],
        ),
        (
            "[databases.shop.policy]\nrole = \"other\"\n",
            STATISTICS,
            "blocked_by_policy",
            &["policy.role"],
        ),
        (
            &format!(
                "[databases.shop.policy.hours]\ntime_zone = \"UTC\"\nwindows = [{:?}]\n",
                not_today()
            ),
            STATISTICS,
            "blocked_by_policy",
            &["policy.hours", "they open at 20"],
        ),
        (
            "[budget]\nactions = 0\n",
            STATISTICS,
            "blocked_by_budget",
            &["`budget.actions`"],
        ),
        (
            "[budget]\nexplain_analyze = 0\n",
            ANALYZE,
            "blocked_by_budget",
            &["`budget.explain_analyze`"],
        ),
        (
            "[budget]\ndatabase_ms = 3000\n",
            STATISTICS,
            "blocked_by_budget",
            &["`budget.database_ms`", "may cost 3500"],
        ),
        (
            "[budget]\nbytes = 1000\n",
            STATISTICS,
            "blocked_by_budget",
            &["`budget.bytes`", "may cost 65536"],
        ),
        (
            "[budget]\nactions_per_minute = 0\n",
            STATISTICS,
            "blocked_by_budget",
            &["`budget.actions_per_minute`"],
        ),
        (
            "[databases.shop.budget.day]\nactions = 0\n",
            STATISTICS,
            "blocked_by_budget",
            &["`budget.day.actions`", "frees up at 20"],
        ),
        (
            "[budget.day]\nexplain_analyze = 0\n",
            ANALYZE,
            "blocked_by_budget",
            &["`budget.day.explain_analyze`"],
        ),
        (
            "[budget.day]\ndatabase_ms = 3000\n",
            STATISTICS,
            "blocked_by_budget",
            &["`budget.day.database_ms`"],
        ),
        (
            "[budget.day]\nbytes = 1000\n",
            STATISTICS,
            "blocked_by_budget",
            &["`budget.day.bytes`"],
        ),
    ] {
        operator.configure(rules);
        operator.refuses(&report, target, status, words);
    }
    // The rules of one database are not those of another.
    operator.configure(
        "[databases.bare.policy]\nexplain_analyze = false\nrole = \"other\"\n[databases.bare.budget]\nactions = 0\n",
    );
    operator.act_ok(&report, STATISTICS);
    let (shop, bare) = (operator.check(None), operator.check(Some("bare")));
    assert_eq!(told(&shop, STATISTICS)["status"], "allowed");
    assert_eq!(told(&bare, STATISTICS)["status"], "blocked_by_policy");
    assert_eq!(bare["role_matches"], false);
    assert_ne!(shop["policy_digest"], bare["policy_digest"]);
    // A configuration that does not load stops everything.
    operator.configure("[policy]\nmax_risk = \"safe\"\nexplain = true\n");
    operator
        .act(&report, STATISTICS)
        .fails(2, &["config.toml", "line 10", "explain", "max_risk"]);
}

/// A window of the day after tomorrow.
fn not_today() -> String {
    let today = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        / 86_400;
    let day = usize::try_from((today + 3 + 2) % 7).unwrap();
    format!("{} 00:00-24:00", ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day])
}

#[test]
fn caps_of_the_policy_are_those_the_server_and_the_stream_get() {
    let operator = Operator::new();
    operator.configure("[policy.caps]\nmax_bytes = 10\n");
    let report = operator.triage();
    let cut = operator.act_ok(&report, STATISTICS);
    assert_eq!(cut["outcome"]["status"], "truncated", "{:#}", cut["outcome"]);
    assert!(
        cut["outcome"]["detail"].as_str().unwrap().contains("cap of 10"),
        "{:#}",
        cut["outcome"]
    );

    operator.configure("[policy.action_caps.\"query_family.pg_stat_activity.by_dimensions\"]\nmax_rows = 1\n");
    let mut sessions: Vec<_> = (0..3)
        .map(|_| operator.cluster.session("app", "shop").unwrap())
        .collect();
    for session in &mut sessions {
        session.run("SET application_name = 'web'").unwrap();
        session.run("BEGIN").unwrap();
    }
    // The search for the sessions of the application that the three are of.
    let mut report = operator.triage();
    let actions = report["next_actions"].as_array_mut().unwrap();
    actions.retain(|a| a["parameters"].to_string().contains("\"web\""));
    let cut = operator.act_ok(&report, "query_family.pg_stat_activity.by_dimensions");
    assert_eq!(cut["outcome"]["status"], "truncated", "{:#}", cut["outcome"]);
    assert_eq!(cut["outcome"]["rows"].as_array().unwrap().len(), 1);
    drop(sessions);

    let rules = "[databases.shop.policy.action_caps.\"query_family.explain_analyze\"]\nstatement_timeout_ms = 600\n";
    operator.configure(rules);
    let mut app = operator.cluster.session("app", "shop").unwrap();
    app.run(SLOW).unwrap();
    let slow = operator.act_ok(&operator.triage(), ANALYZE);
    assert_eq!(slow["outcome"]["status"], "timed_out", "{:#}", slow["outcome"]);
    let detail = slow["outcome"]["detail"].as_str().unwrap();
    assert!(detail.contains("statement_timeout of 600 ms"), "{detail}");
}

#[test]
fn the_role_that_the_server_gives_has_to_be_the_one_of_the_policy() {
    let operator = Operator::new();
    operator.configure("[databases.shop.policy]\nrole = \"triage\"\n");
    let report = operator.triage();
    operator.act_ok(&report, STATISTICS);
    let check = operator.check(None);
    assert_eq!(
        (&check["required_role"], &check["role_matches"]),
        (&"triage".into(), &true.into())
    );
    // `--dsn` of the same database is under the same rules.
    let dsn = operator.cluster.dsn("other", "shop");
    let mut args = argv(action(&report, STATISTICS));
    args.extend(["--dsn".to_owned(), dsn]);
    let refused = operator.lab.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    refused.fails(3, &["policy.role"]);
    assert_eq!(refused.json()["status"], "blocked_by_policy");
}

#[test]
fn a_new_incident_does_not_reset_the_day() {
    let operator = Operator::new();
    operator.configure("[budget.day]\nactions = 3\nexplain_analyze = 1\n");
    let first = operator.triage();
    assert_eq!(
        operator.act_ok(&first, ANALYZE)["budget"]["day"]["explain_analyze_used"],
        1
    );
    operator
        .act(&first, ANALYZE)
        .fails(3, &["`budget.day.explain_analyze`", "1 of 1", "frees up at 20"]);
    operator.act_ok(&first, STATISTICS);
    let second = operator.triage();
    assert_ne!(first["incident_id"], second["incident_id"]);
    assert_eq!(second["budget"]["actions_used"], 0);
    assert_eq!(second["budget"]["day"]["actions_used"], 2);
    assert_eq!(operator.act_ok(&second, STATISTICS)["budget"]["day"]["actions_used"], 3);
    let third = operator.triage();
    assert_eq!(action(&third, STATISTICS)["status"], "blocked_by_budget");
    operator.refuses(
        &third,
        STATISTICS,
        "blocked_by_budget",
        &["`budget.day.actions`", "3 of 3"],
    );
    // Another database has a day of its own; the same one by its DSN has not.
    assert_eq!(told(&operator.check(Some("bare")), STATISTICS)["status"], "allowed");
    let mut args = argv(action(&third, STATISTICS));
    args.extend(["--dsn".to_owned(), operator.cluster.dsn("other", "shop")]);
    let refused = operator.lab.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    refused.fails(3, &["`budget.day.actions`"]);
    operator.lab.verified_records();
}

#[test]
fn the_rate_is_counted_over_incidents_and_says_when_it_frees_up() {
    let operator = Operator::new();
    operator.configure("[budget]\nactions_per_minute = 2\n");
    operator.act_ok(&operator.triage(), STATISTICS);
    let report = operator.act_ok(&operator.triage(), STATISTICS);
    assert_eq!(report["budget"]["rate"]["actions_last_minute"], 2);
    let frees_up = report["budget"]["rate"]["frees_up_at"].as_str().expect("it is used up");
    let refused = operator.act(&operator.triage(), STATISTICS);
    refused.fails(3, &["2 of 2", "`budget.actions_per_minute`", frees_up]);
}

#[test]
fn an_action_whose_process_died_counts_at_its_most() {
    let operator = Operator::new();
    operator.configure("");
    let mut app = operator.cluster.session("app", "shop").unwrap();
    app.run(SLOW).unwrap();
    let report = operator.triage();
    let args = argv(action(&report, ANALYZE));
    let mut child = operator
        .lab
        .command(&args.iter().map(String::as_str).collect::<Vec<_>>())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let is_begun = (0..400).any(|_| operator.intents() > 0);
    let _ = child.kill();
    child.wait().unwrap();
    assert!(is_begun, "the intent is written before anything is sent");
    let kinds = operator.lab.record_kinds();
    assert!(
        !kinds.iter().any(|kind| kind == "outcome"),
        "killed too late: {kinds:?}"
    );
    // What the catalogue allows the action, and how late the server may be; not what it ran.
    let budget = &operator.check(None)["budget"];
    let day = &budget["day"];
    assert_eq!(
        (&day["actions_used"], &day["explain_analyze_used"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        (&day["database_ms_used"], &day["bytes_used"]),
        (&61_500.into(), &1_048_576.into()),
        "{day:#}"
    );
    assert_eq!(operator.triage()["budget"]["actions_used"], 0);
    let again = operator.act(&report, ANALYZE);
    again.fails(3, &["`budget.database_ms`", "may cost 61500", "61500 of 120000 used"]);
}

#[test]
fn two_processes_run_one_action_at_a_time_on_a_database() {
    let operator = Operator::new();
    operator.configure("");
    let report = operator.triage();
    let args = argv(action(&report, EXPLAIN));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // Two of the same incident: where they meet, one is refused, and the log has one intent for each that ran.
    let mut busy = 0;
    let mut done = 0;
    for _ in 0..6 {
        let children: Vec<_> = (0..2)
            .map(|_| {
                let mut command = operator.lab.command(&args);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let json: Value = serde_json::from_str(&text).unwrap();
            match output.status.code() {
                Some(0) => done += 1,
                Some(3) => {
                    assert_eq!(
                        (&json["code"], &json["status"]),
                        (&"busy".into(), &"blocked_by_budget".into())
                    );
                    schema::check("refusal", &json);
                    busy += 1;
                }
                other => panic!("{other:?}: {json:#}"),
            }
        }
    }
    assert!(busy > 0, "of twelve processes in six pairs, no two met");
    assert_eq!(operator.intents(), done);
    assert_eq!(operator.check(None)["budget"]["day"]["actions_used"], done);
    operator.lab.verified_records();
}

#[test]
fn policy_check_needs_no_server_and_accounts_for_every_action() {
    let lab = Lab::new();
    let config = lab.file(
        "config.toml",
        "[databases.shop]\nurl = \"postgresql://triage:hunter2@127.0.0.1:1/shop\"\n\
         [policy]\nmax_risk = \"safe\"\n[policy.caps]\nstatement_timeout_ms = 900\n[policy.hours]\ntime_zone = \"+01:00\"\n\
         windows = [\"daily 00:00-24:00\"]\n",
    );
    let args = ["policy", "check", "--database", "shop", "--config", &config];
    let check = lab.json(&args);
    schema::check("policy", &check);
    assert_eq!(check["hours"]["open"], true);
    for action in check["actions"].as_array().unwrap() {
        assert!(
            action["caps"]["statement_timeout_ms"].as_u64().unwrap() <= 900,
            "{action:#}"
        );
        let blocked = action["risk"] != "safe";
        assert_eq!(action["status"] == "blocked_by_policy", blocked, "{action:#}");
        assert_eq!(action["allowed_up_to"].is_null(), blocked, "{action:#}");
    }
    assert_eq!(
        told(&check, "running_query.blocking.by_pid")["allowed_up_to"],
        "saturated"
    );
    assert_eq!(told(&check, EXPLAIN)["allowed_up_to"], "busy");
    let narrowed = &told(&check, "query_family.pg_stat_activity.by_dimensions")["narrowed"];
    assert_eq!(
        (&narrowed["risk"], &narrowed["status"]),
        (&"safe".into(), &"allowed".into())
    );
    let text = lab.run(&[&args[..], &["--format", "text"]].concat());
    assert_eq!(text.code, 0);
    for word in [
        "query_family.explain_analyze",
        "policy.max_risk",
        "statement 900 ms",
        "open now",
        "up to `saturated`",
    ] {
        assert!(text.stdout.contains(word), "{word}: {}", text.stdout);
    }
    assert!(!text.stdout.contains("hunter2") && !check.to_string().contains("hunter2"));
    lab.run(&["policy", "check", "--database", "none", "--config", &config])
        .fails(2, &["no database `none`", "`shop`"]);
    let bare = Lab::new().json(&["policy", "check"]);
    schema::check("policy", &bare);
    assert!(bare["database"].is_null());
    assert!(bare["actions"].as_array().unwrap().len() > 5);
}

#[test]
fn the_operators_own_rules_hold_under_a_configuration_that_is_named() {
    let operator = Operator::new();
    operator.configure("");
    assert_eq!(told(&operator.check(None), STATISTICS)["status"], "allowed");
    // For this database alone, under a name that the other configuration does not know.
    let url = toml_text(&operator.cluster.dsn("triage", "shop"));
    let folder = operator.lab.path().join(".config/pg-logstats");
    std::fs::create_dir_all(&folder).unwrap();
    let own =
        format!("[databases.mine]\nurl = {url}\n[databases.mine.policy]\ndisabled_actions = [\"{STATISTICS}\"]\n");
    std::fs::write(folder.join("config.toml"), own).unwrap();
    assert_eq!(told(&operator.check(None), STATISTICS)["status"], "blocked_by_config");
    assert_eq!(told(&operator.check(Some("bare")), STATISTICS)["status"], "allowed");
    operator.refuses(
        &operator.triage(),
        STATISTICS,
        "blocked_by_config",
        &["policy.disabled_actions"],
    );
}
