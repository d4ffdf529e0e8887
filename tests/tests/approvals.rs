//! Approvals against a real server: asked for, signed by a person, used once.

use std::path::PathBuf;
use std::process::Stdio;

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{KEEP_VALUES, Lab, Ran, action, argv, logging, make_shop, schema};
use serde_json::Value;

const TARGET: &str = "query_family.pg_stat_statements.by_queryid";
const ANALYZE: &str = "query_family.explain_analyze";

fn shop() -> Cluster {
    let cluster = logging().start().expect("PostgreSQL starts");
    make_shop(&cluster);
    let orders =
        "CREATE TABLE orders AS SELECT i AS id, i % 50 AS customer_id FROM generate_series(1, 2000) i; ANALYZE orders;
                  GRANT SELECT ON orders TO triage;";
    cluster.psql_as("app", "shop", orders).unwrap();
    let mut app = cluster.session("app", "shop").unwrap();
    for i in 0..4 {
        app.run(&format!("SELECT count(*) FROM orders WHERE customer_id = {i}"))
            .unwrap();
    }
    cluster
}

/// A laboratory whose operator trusts the approver `alice`, and asks for approvals.
struct Office {
    lab: Lab,
    log: PathBuf,
    key: String,
}

impl Office {
    fn new(cluster: &Cluster) -> Self {
        let lab = Lab::with_database(&cluster.dsn("triage", "shop"));
        let key = lab.path().join("alice.pem").to_str().unwrap().to_owned();
        let made = lab.json(&["keys", "generate", "--output", &key]);
        schema::check("key", &made);
        assert_eq!(lab.json(&["keys", "show", &key]), made);
        let office = Self {
            log: cluster
                .collected_logs()
                .into_iter()
                .next()
                .unwrap_or_else(|| cluster.server_log()),
            lab,
            key,
        };
        office.trust(made["public_key"].as_str().unwrap(), "\"approver\"");
        office.operators(
            "config.toml",
            &format!("{KEEP_VALUES}[policy]\nrequire_approval = [\"{TARGET}\", \"{ANALYZE}\"]\n"),
        );
        office
    }

    fn operators(&self, name: &str, text: &str) {
        self.lab.operators(name, text);
    }

    fn trust(&self, pem: &str, roles: &str) {
        let text = format!("[[keys]]\nname = \"alice\"\nroles = [{roles}]\npublic_key = \"\"\"\n{pem}\"\"\"\n");
        self.operators("trust.toml", &text);
    }

    fn triage(&self) -> Value {
        self.lab.triage("query-families", &self.log)
    }

    fn run(&self, action: &Value, more: &[&str]) -> Ran {
        let argv = argv(action);
        let mut args: Vec<&str> = argv.iter().map(String::as_str).collect();
        args.extend(more);
        self.lab.run(&args)
    }

    /// Asks, and returns the file with the refusal.
    fn ask(&self, action: &Value) -> String {
        let refused = self.run(action, &[]);
        refused.fails(3, &["signed approval"]);
        let refusal = refused.json();
        schema::check("refusal", &refusal);
        assert_eq!(refusal["code"], "approval_required");
        assert_eq!(refusal["status"], "blocked_by_policy");
        let request = &refusal["approval_request"];
        schema::check("approval-request", request);
        assert_eq!(request["request_id"], refusal["refusal_id"]);
        self.lab.file("request.json", &refused.stdout)
    }

    fn approve(&self, request: &str, more: &[&str]) -> Value {
        let mut args = vec!["approve", request, "--key", &self.key];
        args.extend(more);
        let view = self.lab.json(&args);
        schema::check("approval", &view);
        view
    }

    /// Approves, and returns the approval's id.
    fn approval(&self, request: &str) -> String {
        self.approve(request, &[])["approval_id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn refused(&self, action: &Value, approval: &str, exit: i32, code: &str) {
        let ran = self.run(action, &["--approval", approval]);
        assert_eq!(ran.code, exit, "{ran:?}");
        let refusal = ran.json();
        schema::check("refusal", &refusal);
        assert_eq!(refusal["code"], code, "{refusal:#}");
    }

    fn kinds(&self, kind: &str) -> usize {
        self.lab.record_kinds().iter().filter(|k| *k == kind).count()
    }
}

#[test]
fn an_approved_action_runs_once_and_the_trail_says_who_approved() {
    let cluster = shop();
    let office = Office::new(&cluster);
    let report = office.triage();
    let act = action(&report, TARGET);
    assert_eq!(act["status"], "blocked_by_policy");
    assert!(act["status_reason"].as_str().unwrap().contains("`pg-logstats approve`"));

    let request = office.ask(act);
    let asked: Value = serde_json::from_str(&std::fs::read_to_string(&request).unwrap()).unwrap();
    let queryid = act["parameters"][0]["value"].as_str().unwrap();
    assert_eq!(
        asked["approval_request"]["scope"]["parameters"][0]["shown"]["text"],
        queryid
    );

    // What the person sees, on stderr.
    let shown = office.lab.run(&["approve", &request, "--key", &office.key, "--quiet"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    for words in [
        TARGET,
        queryid,
        "database `shop`",
        "pg_stat_statements",
        "15m",
        "ONE run",
    ] {
        assert!(shown.stderr.contains(words), "{words}: {}", shown.stderr);
    }
    assert!(!shown.stdout.contains("PRIVATE") && !shown.stderr.contains("PRIVATE"));
    let approval = shown.json()["approval_id"].as_str().unwrap().to_owned();
    assert_eq!(shown.json()["status"], "usable");

    let ran = office.run(act, &["--approval", &approval]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["outcome"]["status"], "ok");
    let intent = office.lab.json(&["audit", "show", &format!("it_{}", &approval[3..])]);
    let key_id = office.lab.json(&["keys", "show", &office.key])["key_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let intent = intent.to_string();
    assert!(
        intent.contains(&format!("approval {approval} by key {key_id}")),
        "{intent}"
    );
    assert!(
        intent.contains("application/vnd.pg-logstats.approval+json"),
        "the signed approval itself"
    );

    // Once.
    office.refused(act, &approval, 3, "approval_used");
    let listed = office.lab.json(&["approvals", "list"]);
    assert_eq!(listed[0]["status"], "used");
    assert_eq!(office.kinds("intent"), 1);
    assert_eq!(office.kinds("refusal"), 2);
    office.lab.verified_records();
}

#[test]
fn an_approval_is_for_one_run_of_one_action_of_one_report_on_one_database() {
    let cluster = shop();
    let office = Office::new(&cluster);
    let report = office.triage();
    let act = action(&report, TARGET);
    let request = office.ask(act);
    let approval = office.approval(&request);

    // Another report of the same log, another action, another database, another role.
    let other = office.triage();
    office.refused(action(&other, TARGET), &approval, 3, "approval_scope");
    office.refused(action(&report, ANALYZE), &approval, 3, "approval_scope");
    cluster
        .psql("CREATE ROLE other LOGIN; GRANT pg_read_all_stats TO other")
        .unwrap();
    for dsn in [cluster.dsn("triage", "postgres"), cluster.dsn("other", "shop")] {
        let ran = office.run(act, &["--approval", &approval, "--dsn", &dsn]);
        assert_eq!(ran.json()["code"], "approval_scope", "{ran:?}");
        assert!(ran.stderr.contains("`database"), "{ran:?}");
    }
    // What needs none takes none; what is none is none.
    let free = action(&report, "query_family.explain");
    office.refused(free, &approval, 3, "approval_not_needed");
    for unknown in ["ap_01hf0000000000000000000000", "../../keys/signing-key", "", "rp_1"] {
        office.refused(act, unknown, 3, "approval_unknown");
    }
    // A configuration that the agent names does not get rid of the operator's rules.
    let lax = office.lab.file("lax.toml", "");
    office.run(act, &["--config", &lax]).fails(3, &["signed approval"]);
    assert_eq!(office.kinds("intent"), 0, "nothing was about to run");

    // It is still good for what it is for.
    assert_eq!(office.run(act, &["--approval", &approval]).code, 0);
    office.lab.verified_records();
}

#[test]
fn signatures_keys_roles_and_times_are_checked_when_it_is_used() {
    let cluster = shop();
    let office = Office::new(&cluster);
    let report = office.triage();
    let act = action(&report, TARGET);
    let request = office.ask(act);
    let pem = office.lab.json(&["keys", "show", &office.key])["public_key"]
        .as_str()
        .unwrap()
        .to_owned();
    let approval = office.approval(&request);
    let kept = office
        .lab
        .workspace()
        .join("approvals")
        .join(format!("{approval}.dsse.json"));
    let good = std::fs::read_to_string(&kept).unwrap();

    office.trust(&pem, "\"catalogue\"");
    office.refused(act, &approval, 3, "approval_key_role");
    office.operators("trust.toml", "");
    office.refused(act, &approval, 3, "approval_unknown_key");
    office.trust(&pem, "\"approver\"");
    let payload = good.find("\"payload\":\"").unwrap() + 30;
    let mut tampered = good.clone();
    let changed = if &good[payload..=payload] == "A" { "B" } else { "A" };
    tampered.replace_range(payload..=payload, changed);
    std::fs::write(&kept, &tampered).unwrap();
    office.refused(act, &approval, 4, "approval_unverified");
    std::fs::write(&kept, "{}").unwrap();
    office.refused(act, &approval, 3, "approval_malformed");
    std::fs::write(&kept, &good).unwrap();

    // One that is signed by somebody else does not get in.
    let mallory = office.lab.path().join("mallory.pem").to_str().unwrap().to_owned();
    office.lab.json(&["keys", "generate", "--output", &mallory]);
    let file = office.lab.path().join("forged.json").to_str().unwrap().to_owned();
    office
        .lab
        .json(&["approve", &request, "--key", &mallory, "--output", &file]);
    office
        .lab
        .run(&["approvals", "add", &file])
        .fails(3, &["no signature by a trusted key", "trust.toml"]);

    // Made elsewhere, brought here, and too late.
    let file = office.lab.path().join("short.json").to_str().unwrap().to_owned();
    let short = office.approve(&request, &["--valid-for", "1s", "--output", &file]);
    assert_eq!(short["status"], "signed");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let short = office.lab.json(&["approvals", "add", &file]);
    assert_eq!(short["status"], "expired");
    office.refused(act, short["approval_id"].as_str().unwrap(), 3, "approval_expired");
    office.lab.run(&["approvals", "add", &file]).fails(1, &["approvals/"]);
    office
        .lab
        .run(&["approve", &request, "--key", &office.key, "--valid-for", "25h"])
        .fails(2, &["at most 24h"]);

    // Trust that does not load stops everything but the check of the trail.
    office.operators("trust.toml", "[[keys]]\nname = \"alice\"\n");
    office
        .run(act, &["--approval", &approval])
        .fails(2, &["trust.toml", "missing field"]);
    office.trust(&pem, "\"approver\"");
    assert_eq!(office.kinds("intent"), 0);
    assert_eq!(office.run(act, &["--approval", &approval]).code, 0);
    office.lab.verified_records();
}

#[test]
fn of_many_processes_with_one_approval_one_runs() {
    let cluster = shop();
    let office = Office::new(&cluster);
    let report = office.triage();
    let act = action(&report, TARGET);
    let request = office.ask(act);
    let approval = office.approval(&request);
    let argv = argv(act);
    let mut args: Vec<&str> = argv.iter().map(String::as_str).collect();
    args.extend(["--approval", &approval]);
    // All have one database, so its lock keeps most of them apart, and the audit log those that come later.
    let children: Vec<_> = (0..6)
        .map(|_| {
            office
                .lab
                .command(&args)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut done = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        match output.status.code() {
            Some(0) => done += 1,
            Some(3) => assert!(json["code"] == "approval_used" || json["code"] == "busy", "{json:#}"),
            other => panic!("{other:?}: {json:#}"),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(office.kinds("intent"), 1);
    office.lab.verified_records();
}

/// Sessions that wait for one lock, until they are dropped.
fn lock_queue(cluster: &Cluster) -> Vec<pg_logstats_test_cluster::Session> {
    let mut sessions = Vec::new();
    let mut holder = cluster.session("app", "shop").unwrap();
    holder
        .run("BEGIN; UPDATE orders SET customer_id = 0 WHERE id = 1")
        .unwrap();
    sessions.push(holder);
    for _ in 0..14 {
        let mut waiter = cluster.session("app", "shop").unwrap();
        waiter.start("UPDATE orders SET customer_id = 1 WHERE id = 1").unwrap();
        sessions.push(waiter);
    }
    std::thread::sleep(std::time::Duration::from_millis(600));
    sessions
}

#[test]
fn a_run_that_failed_has_used_its_approval_and_a_refused_one_has_not() {
    let cluster = shop();
    let office = Office::new(&cluster);
    let report = office.triage();
    let act = action(&report, TARGET);
    let request = office.ask(act);
    let approval = office.approval(&request);
    // An approval lifts neither what the operator switched off nor the verdict.
    let asking = format!("[policy]\nrequire_approval = [\"{TARGET}\"]\n");
    office.operators("config.toml", &format!("{asking}disabled_actions = [\"{TARGET}\"]\n"));
    let off = office.run(act, &["--approval", &approval]);
    off.fails(3, &["switched this action off"]);
    assert_eq!(off.json()["status"], "blocked_by_config");
    office.operators("config.toml", &asking);
    let waiting = lock_queue(&cluster);
    let saturated = office.run(act, &["--approval", &approval]);
    saturated.fails(3, &["saturated"]);
    assert_eq!(saturated.json()["status"], "blocked_by_verdict");
    drop(waiting);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(office.kinds("intent"), 0, "nothing was about to run");
    // The extension is gone: the action cannot give anything, and the approval is used up all the same.
    cluster
        .psql_as("postgres", "shop", "DROP EXTENSION pg_stat_statements")
        .unwrap();
    let failed = office.run(act, &["--approval", &approval]);
    assert_eq!(failed.json()["outcome"]["status"], "unavailable", "{failed:?}");
    office.refused(act, &approval, 3, "approval_used");
}

#[test]
fn a_person_who_approves_a_logged_statement_sees_it_with_its_values() {
    let cluster = shop();
    let office = Office::new(&cluster);
    let report = office.triage();
    let act = report["next_actions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["target_id"] == ANALYZE && a["command"].is_object())
        .expect("EXPLAIN ANALYZE is offered");
    let request = office.ask(act);
    let text = std::fs::read_to_string(&request).unwrap();
    let statement = office.approve(
        &request,
        &["--output", office.lab.path().join("a.json").to_str().unwrap()],
    );
    assert_eq!(statement["status"], "signed");
    let shown = office.lab.run(&["approve", &request, "--key", &office.key]);
    assert!(shown.stderr.contains("with its values"), "{}", shown.stderr);
    // The request itself, which the agent sees and the log keeps, has none of them.
    assert!(
        text.contains("sample_of") && !text.contains("customer_id = 0"),
        "{text}"
    );
    let nowhere = office.lab.path().join("nowhere");
    let blind = [
        "approve",
        &request,
        "--key",
        &office.key,
        "--workspace",
        nowhere.to_str().unwrap(),
    ];
    office.lab.run(&blind).fails(2, &["--unseen-sample"]);
    assert!(!nowhere.exists());
    let approval = shown.json()["approval_id"].as_str().unwrap().to_owned();
    let ran = office.run(act, &["--approval", &approval]);
    assert_eq!(ran.json()["outcome"]["status"], "ok", "{ran:?}");
}
