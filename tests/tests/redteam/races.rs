//! What changes between the report and the run, and between the check and the run.

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, Ran, argv};
use serde_json::Value;

use crate::faults::reached;
use crate::proxy::{MEASURED, OPENING, Point, Proxy, Then};
use crate::range::{EVENTUALLY, Slow, config, lab, logged, looks, offered, run, server, triage, wait_until};
use crate::watchdog::is_stopped;

/// The plain EXPLAIN that stands between the checks and the run.
const ESTIMATE: &str = "EXPLAIN (FORMAT JSON, VERBOSE)";

fn offer(cluster: &Cluster, lab: &Lab, config: &str, statement: &str) -> Value {
    let logged = logged(cluster, lab, statement, |text| text);
    offered(&triage(lab, config, &logged)).expect("it is offered").clone()
}

fn outcome(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()["outcome"].clone()
}

#[test]
fn a_stricter_configuration_counts_from_the_moment_it_is_written() {
    let cluster = server();
    let (lab, path) = lab(&cluster, "root_triage");
    let action = offer(&cluster, &lab, &path, "SELECT count(*) FROM item WHERE id < 10");
    let dsn = cluster.dsn("root_triage", "shop");
    for (rules, status) in [
        ("[policy]\nexplain_analyze = false", "blocked_by_config"),
        (
            "[policy]\ndisabled_actions = [\"query_family.explain_analyze\"]",
            "blocked_by_config",
        ),
        ("[policy]\nmax_risk = \"safe\"", "blocked_by_policy"),
        ("[health.limits.connections_ratio]\nbusy = 0.0", "blocked_by_verdict"),
    ] {
        config(&lab, &dsn, rules);
        let argv = argv(&action);
        let ran = lab.run(&argv.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ran.code, 3, "{rules}: {ran:?}");
        let now = ran.json()["status"].as_str().unwrap().to_owned();
        assert_eq!(now, status, "{rules}");
    }
    config(&lab, &dsn, "[policy]\nexplain_analyze_max_cost = 1");
    let outcome = outcome(&run(&lab, &action));
    assert!(
        outcome["detail"].as_str().unwrap().contains("over the limit of 1"),
        "{outcome:#}"
    );
    // One intent: of the last, which the server's estimate stopped.
    assert_eq!(lab.record_kinds().iter().filter(|kind| *kind == "intent").count(), 1);
}

#[test]
fn what_was_replaced_after_the_report_is_what_is_judged() {
    let cluster = server();
    let (lab, config) = lab(&cluster, "root_triage");
    let app = |sql: &str| cluster.psql_as("app", "shop", sql).unwrap();
    app("CREATE VIEW shown AS SELECT id FROM item;
         CREATE FUNCTION twice(int) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4abs';
         CREATE DOMAIN small AS int; CREATE TABLE sized (s small)");
    let view = offer(&cluster, &lab, &config, "SELECT id FROM shown WHERE id = 1");
    let function = offer(&cluster, &lab, &config, "SELECT twice(id) FROM item WHERE id = 1");
    let domain = offer(&cluster, &lab, &config, "SELECT s FROM sized");
    for action in [&view, &function, &domain] {
        assert_eq!(outcome(&run(&lab, action))["status"], "ok");
    }
    app("CREATE OR REPLACE VIEW shown AS SELECT (id + random())::int AS id FROM item;
         CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$;
         CREATE FUNCTION fits(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN true; END$$;
         ALTER DOMAIN small ADD CHECK (fits(VALUE))");
    for (action, words) in [(&view, "a view"), (&function, "a function"), (&domain, "domain check")] {
        let outcome = outcome(&run(&lab, action));
        assert_eq!(outcome["status"], "unavailable", "{outcome:#}");
        assert!(outcome["detail"].as_str().unwrap().contains(words), "{outcome:#}");
    }
}

#[test]
fn between_check_and_run_relations_are_locked_and_functions_are_found_out() {
    let cluster = server();
    let (lab, direct) = lab(&cluster, "root_triage");
    let app = |sql: &str| cluster.psql_as("app", "shop", sql);
    app("CREATE VIEW shown AS SELECT id FROM item; CREATE FUNCTION twice(int) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4abs'").unwrap();
    let action = offer(&cluster, &lab, &direct, "SELECT twice(id) FROM shown WHERE id = 1");

    // A view and its tables are held by locks from the analysis on.
    let proxy = Proxy::start(cluster.socket_dir(), Point::Sent(ESTIMATE), Then::Hold);
    config(&lab, &proxy.dsn("root_triage"), "");
    let ran = reached(&lab, &action, &proxy, || {
        for change in [
            "CREATE OR REPLACE VIEW shown AS SELECT (id + random())::int AS id FROM item",
            "ALTER TABLE item ADD COLUMN extra int DEFAULT 1",
            "ALTER TABLE item ENABLE ROW LEVEL SECURITY",
            "DROP VIEW shown",
        ] {
            let refused = app(&format!("SET lock_timeout = '100ms'; {change}"))
                .unwrap_err()
                .to_string();
            assert!(refused.contains("lock timeout"), "{change}: {refused}");
        }
        proxy.go_on();
    });
    let told = outcome(&ran);
    assert!(
        ["ok", "cancelled"].contains(&told["status"].as_str().unwrap()),
        "{told:#}"
    );

    // A function has no lock. It runs, and the outcome says that it may not be what was checked, and shows nothing of it.
    let proxy = Proxy::start(cluster.socket_dir(), Point::Sent(MEASURED), Then::Hold);
    config(&lab, &proxy.dsn("root_triage"), "");
    let ran = reached(&lab, &action, &proxy, || {
        app("CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN $1; END$$")
            .unwrap();
        app("CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4abs'").unwrap();
        proxy.go_on();
    });
    let told = outcome(&ran);
    assert_eq!(
        told["status"], "failed",
        "put back before the last look, and found out: {told:#}"
    );
    assert!(
        told["detail"].as_str().unwrap().contains("was changed meanwhile"),
        "{told:#}"
    );
    assert!(told["plan"].as_array().is_none_or(Vec::is_empty));
    lab.verified_records();
}

#[test]
fn a_verdict_that_turns_after_the_gate_stops_the_statement() {
    let cluster = server();
    let (lab, direct) = lab(&cluster, "root_triage");
    let slow = Slow::offered(&cluster, &lab, &direct);
    let proxy = Proxy::start(cluster.socket_dir(), Point::Sent(OPENING), Then::Hold);
    config(&lab, &proxy.dsn("root_triage"), "");
    let mut holder = cluster.session("app", "shop").unwrap();
    let mut waiters: Vec<_> = (0..4).map(|_| cluster.session("app", "shop").unwrap()).collect();
    let mut before = 0;
    let ran = reached(&lab, &slow, &proxy, || {
        holder.run("BEGIN; LOCK TABLE victim").unwrap();
        for waiter in &mut waiters {
            waiter.start("SELECT * FROM victim").unwrap();
        }
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        wait_until("the pile-up", EVENTUALLY, || {
            cluster.psql(waiting).unwrap().parse::<usize>().unwrap() >= 2
        });
        before = looks(&cluster);
        proxy.go_on();
    });
    is_stopped(&cluster, "the verdict", before);
    let told = outcome(&ran);
    assert_eq!(told["status"], "cancelled", "{told:#}");
    assert!(
        told["detail"].as_str().unwrap().contains("the verdict became"),
        "{told:#}"
    );
}
