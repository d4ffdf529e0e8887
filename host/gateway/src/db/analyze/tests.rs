mod functions;
mod hidden;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pg_logstats_logs::evidence::Sample;
use pg_logstats_test_cluster::{Cluster, SUPERUSER};

use crate::catalogue::{BoundParameter, BoundValue};
use crate::db::test_server::{action, block_on, queryid, run, target_of};
use crate::db::{ExecutionGuard, execute};
use crate::gate::{ApprovedAction, DurableIntent};
use crate::health::Limit;
use crate::outcome::ActionOutcome;
use crate::words::{OutcomeStatus, VerdictLevel};

const ANALYZE: &str = "query_family.explain_analyze";

/// Things that a hostile statement could reach. `canary` counts what was executed, as far as a table can tell; a sequence tells even
/// what was rolled back.
const SETUP: &str = r#"
CREATE EXTENSION pg_stat_statements; CREATE EXTENSION dblink; CREATE EXTENSION file_fdw;
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric, sold timestamptz);
INSERT INTO item SELECT n, 'name ' || n, n, '2024-01-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, 5000) AS n;
CREATE SEQUENCE canary; CREATE TABLE victim (id int); INSERT INTO victim VALUES (1);
CREATE FUNCTION lies_sql() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT nextval(''public.canary'')';
CREATE FUNCTION lies_plpgsql(int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''public.canary''); END';
CREATE FUNCTION honest(int) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT nextval(''public.canary'')';
CREATE FUNCTION lower(item) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT nextval(''public.canary'')';
CREATE FUNCTION field_call(item) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT nextval(''public.canary'')';
"#;

const SETUP_OBJECTS: &str = r#"
CREATE FUNCTION op_lies(int, int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN nextval(''public.canary'') > 0; END';
CREATE OPERATOR @#@ (LEFTARG = int, RIGHTARG = int, FUNCTION = op_lies);
CREATE FUNCTION check_lies(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''public.canary'') > 0; END';
CREATE DOMAIN lying AS int CHECK (check_lies(VALUE));
CREATE DOMAIN random_domain AS int CHECK (random() >= 0 AND VALUE > 0);
CREATE DOMAIN good_domain AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE holds_lying AS (a int, b lying);
CREATE FUNCTION agg_step(bigint, int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''public.canary''); END';
CREATE AGGREGATE lying_sum(int) (SFUNC = agg_step, STYPE = bigint);
CREATE VIEW calm_view AS SELECT id, name FROM item WHERE price > 10;
CREATE VIEW random_view AS SELECT id, random() AS r FROM item;
CREATE VIEW deep_view AS SELECT v.id FROM (SELECT * FROM random_view) AS v;
CREATE VIEW lying_view AS SELECT id, lies_plpgsql(id) AS n FROM item;
CREATE VIEW op_view AS SELECT id FROM item WHERE id @#@ 3;
CREATE VIEW locking_view AS SELECT id FROM item WHERE id < 3 FOR UPDATE;
CREATE VIEW agg_view AS SELECT lying_sum(id) FROM item;
CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1), (2); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY lie ON guarded USING (lies_plpgsql(id) > 0);
CREATE TABLE guarded_well (id int); INSERT INTO guarded_well VALUES (1), (2); ALTER TABLE guarded_well ENABLE ROW LEVEL SECURITY;
CREATE POLICY fine ON guarded_well USING (id > 0);
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE outside (line text) SERVER files OPTIONS (filename '/etc/hostname');
CREATE TABLE parted (id int, line text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20) SERVER files OPTIONS (filename '/dev/null');
CREATE VIEW outside_view AS SELECT count(*) FROM outside;
CREATE TABLE typed (id int, m mood, d good_domain, l lying); INSERT INTO typed (id, m, d) VALUES (1, 'sad', 3);
CREATE TABLE typed_well (id int, m mood, d good_domain); INSERT INTO typed_well VALUES (1, 'sad', 3);
CREATE SCHEMA other; CREATE TABLE other.item (id int, secret text); INSERT INTO other.item VALUES (1, 'top secret');
CREATE ROLE diagnosis LOGIN IN ROLE pg_read_all_stats, pg_read_all_data;
GRANT USAGE ON FOREIGN SERVER files TO diagnosis;
ANALYZE;
"#;

/// The server of each version that was asked for; 0 is the one that is installed. They last as long as the tests.
static CLUSTERS: Mutex<BTreeMap<u32, &'static Cluster>> = Mutex::new(BTreeMap::new());
/// The version that the test which is [`alone`] is about.
static VERSION: AtomicU32 = AtomicU32::new(0);

fn cluster() -> &'static Cluster {
    let major = VERSION.load(Ordering::Relaxed);
    let mut clusters = CLUSTERS.lock().unwrap_or_else(PoisonError::into_inner);
    clusters
        .entry(major)
        .or_insert_with(|| Box::leak(Box::new(start(major))))
}

fn start(major: u32) -> Cluster {
    let mut builder = Cluster::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.track_planning", "off")
        .setting("autovacuum", "off");
    if major > 0 {
        builder = builder.version(major);
    }
    let cluster = builder.start().unwrap();
    cluster.psql(SETUP).unwrap();
    cluster.psql(SETUP_OBJECTS).unwrap();
    cluster
}

/// The tests look at what the server holds, so one at a time.
fn alone() -> MutexGuard<'static, ()> {
    alone_on(0)
}

/// The same, on a server of this version.
fn alone_on(major: u32) -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    VERSION.store(major, Ordering::Relaxed);
    alone
}

fn server(sql: &str) -> String {
    cluster().psql(sql).unwrap()
}

/// What the statements could have changed.
fn state() -> String {
    server(
        "SELECT (SELECT last_value || ':' || is_called FROM canary), (SELECT count(*) FROM victim), (SELECT count(*) FROM item),
                (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
                (SELECT string_agg(relname || ':' || relfilenode, ',' ORDER BY oid) FROM pg_class WHERE oid >= 16384),
                (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_roles), (SELECT sum(xmin::text::int8) FROM victim)",
    )
}

/// The query id that the server gives a text, as it was run by the application.
fn query_id(part: &str) -> i64 {
    let found = server(&format!(
        "SELECT queryid FROM pg_stat_statements WHERE strpos(query, $part${part}$part$) > 0 AND query NOT LIKE '%strpos%' ORDER BY calls DESC LIMIT 1"
    ));
    found
        .parse()
        .unwrap_or_else(|_| panic!("the server does not hold `{part}`"))
}

fn sample(statement: &str, parameters: &[Option<&str>]) -> Sample {
    Sample {
        statement: statement.to_owned(),
        parameters: parameters.iter().map(|p| p.map(str::to_owned)).collect(),
    }
}

/// Both parameters, as the gate binds them.
fn bound(id: i64) -> Vec<BoundParameter> {
    let sample = BoundParameter {
        name: "sample".to_owned(),
        value: BoundValue::Sample { sha256: "0".repeat(64) },
    };
    vec![queryid(id), sample]
}

fn analyze(id: i64, sample: Sample) -> ActionOutcome {
    let mut guard = ExecutionGuard::new(VerdictLevel::Clear);
    // Tests share two noisy cores: only what the statement does is judged here.
    for limit in guard.thresholds.limits.values_mut() {
        *limit = Limit {
            busy: f64::MAX,
            saturated: None,
        };
    }
    let approved = ApprovedAction::for_test(action(ANALYZE), bound(id), Some(sample));
    let target = target_of(&cluster().dsn("diagnosis", "postgres"));
    block_on(execute(&target, approved, DurableIntent::for_test(), &guard))
}

/// The query id of `statement`, which the application has run.
fn logged(statement: &str) -> i64 {
    // `EXPLAIN` gives the id without running it a first time.
    let plan = server(&format!(
        "SET compute_query_id = on; EXPLAIN (VERBOSE, FORMAT JSON) {statement}"
    ));
    let json: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let id = json[0]["Query Identifier"].as_i64().unwrap();
    let _ = cluster().psql_as(SUPERUSER, "postgres", statement);
    id
}

/// The application has run `statement`; the log has it as it stands.
fn analyze_logged(statement: &str) -> ActionOutcome {
    analyze(logged(statement), sample(statement, &[]))
}

/// Of each: its name, what is there before, and a statement that was run and is not run again.
fn refuses_each(cases: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (name, setup, statement) in cases {
        if !setup.is_empty() {
            server(setup);
        }
        let id = logged(statement);
        let before = state();
        let outcome = analyze(id, sample(statement, &[]));
        let detail = outcome.detail.unwrap_or_else(|| "it ran".to_owned());
        let is_refused = outcome.status == OutcomeStatus::Unavailable && outcome.plan.is_empty();
        if !is_refused || !detail.contains("the sample may not be run") {
            wrong.push(format!("{name}: {}: {detail}", outcome.status));
        }
        assert_eq!(state(), before, "{name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn honest_statements_run_and_show_what_happened() {
    let _alone = alone();
    let mut wrong = Vec::new();
    for statement in [
        "SELECT name FROM item WHERE price BETWEEN 10 AND 4711 AND name LIKE 'name 1%' ORDER BY name",
        "SELECT count(*), max(sold) FROM item AS i WHERE i.sold > '2024-01-02' AND id IN (1, 2, 3)",
        "WITH r (n) AS (VALUES (1), (2)) SELECT sum(n) FROM r",
        "SELECT id, rank() OVER (PARTITION BY id % 7 ORDER BY price DESC) FROM item WHERE abs(id) < 90 LIMIT 5",
        "SELECT * FROM calm_view AS v WHERE v.id < 40",
        "SELECT m, d FROM typed_well WHERE m = 'sad'::mood AND d > 1",
        "SELECT a.id FROM item AS a LEFT JOIN item AS b ON b.id = a.id + 1 WHERE EXISTS (SELECT 1 FROM victim AS c WHERE c.id = a.id)",
        "SELECT coalesce(name, 'x') || upper(name), CASE WHEN id > 3 THEN now() ELSE NULL END FROM item WHERE id = ANY (ARRAY[1, 2])",
        "SELECT id FROM guarded_well",
        "SELECT g, jsonb_build_object('a', g) FROM generate_series(1, 10) AS g GROUP BY ROLLUP (g)",
        "SELECT relname FROM pg_class WHERE relkind = 'r'",
    ] {
        let outcome = analyze_logged(statement);
        if outcome.status != OutcomeStatus::Ok {
            wrong.push(format!("{statement}: {:?}", outcome.detail));
            continue;
        }
        let root = &outcome.plan[0];
        assert!(
            root.actual_rows.is_some() && root.loops == Some(1) && root.total_us.is_some(),
            "{statement}"
        );
        assert!(
            outcome.plan.iter().any(|n| n.shared_hit_blocks.is_some()),
            "{statement}"
        );
        let shown = format!("{:?}", outcome.plan);
        assert!(!shown.contains("4711") && !shown.contains("name 1"), "{shown}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn bind_values_of_the_log_are_used_as_values_whatever_they_hold() {
    let _alone = alone();
    let text = "SELECT count(*) FROM item WHERE name = $1 AND id > $2";
    server(&format!("PREPARE p (text, int) AS {text}; EXECUTE p('a', 1)"));
    let id = query_id("FROM item WHERE name = $1 AND id > $2");
    for value in [
        "name 7",
        "'); DROP TABLE victim; --",
        "\\'; DROP TABLE victim; --",
        "$$",
        "é\u{202e}",
        "",
    ] {
        let before = state();
        let outcome = analyze(id, sample(text, &[Some(value), Some("3")]));
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{value}: {:?}", outcome.detail);
        assert_eq!(state(), before);
    }
    assert_eq!(
        analyze(id, sample(text, &[None, Some("3")])).status,
        OutcomeStatus::Ok,
        "NULL is a value"
    );
    for parameters in [&[][..], &[Some("a")], &[Some("a"), Some("1"), Some("2")]] {
        let outcome = analyze(id, sample(text, parameters));
        assert!(
            outcome.detail.unwrap().contains("not hold the values of all"),
            "{parameters:?}"
        );
    }
    let outcome = analyze(id, sample(text, &[Some("a"), Some("1 OR true")]));
    assert_eq!(
        (outcome.status, outcome.sqlstate.as_deref()),
        (OutcomeStatus::Failed, Some("22P02"))
    );
}

/// Hostile statements that an attacker really ran once, so that the server holds them, with the words of the refusal.
const HOSTILE: &[(&str, &str)] = &[
    ("SELECT pg_sleep(0)", "is volatile"),
    ("SELECT PG_CATALOG.\"pg_sleep\"(0), 1", "is volatile"),
    ("SELECT U&\"\\0070g_sleep\"(0), 2, 3", "is volatile"),
    ("SELECT * FROM pg_sleep(0)", "is volatile"),
    (
        "SELECT id FROM item, LATERAL pg_sleep(0) AS s WHERE id < 2",
        "is volatile",
    ),
    ("SELECT nextval('canary')", "is volatile"),
    ("SELECT setval('canary', 1, false)", "is volatile"),
    ("SELECT random(), id FROM item LIMIT 1", "is volatile"),
    ("SELECT id FROM item WHERE id = 1 ORDER BY random()", "is volatile"),
    ("SELECT count(*) FILTER (WHERE random() > 2) FROM item", "is volatile"),
    (
        "SELECT (SELECT max(id) FROM item WHERE id < (SELECT pg_advisory_lock_shared(1)::text::int8 WHERE false))",
        "is volatile",
    ),
    ("SELECT pg_advisory_lock(42), pg_advisory_unlock(42)", "is volatile"),
    ("SELECT set_config('work_mem', '1GB', true)", "is volatile"),
    ("SELECT pg_terminate_backend(0)", "is volatile"),
    ("SELECT pg_cancel_backend(0)", "is volatile"),
    ("SELECT pg_read_file('/etc/hostname') AS f", "is volatile"),
    ("SELECT * FROM pg_ls_dir('/tmp') AS d LIMIT 0", "is volatile"),
    ("SELECT lo_create(0) WHERE false", "is volatile"),
    (
        "SELECT * FROM dblink('dbname=nowhere', 'DROP TABLE victim') AS t (a int) WHERE false LIMIT 0",
        "is volatile",
    ),
    ("SELECT pg_notify('a', 'b')", "is volatile"),
    ("SELECT pg_stat_reset_shared('bgwriter')", "is volatile"),
    ("SELECT txid_current()", "is volatile"),
    (
        "SELECT table_to_xml('victim'::regclass, true, false, '')",
        "is volatile",
    ),
    (
        "SELECT query_to_xml('SELECT nextval(''canary'')', true, false, '')",
        "is volatile",
    ),
    ("SELECT lies_sql()", "written in SQL or a procedural language"),
    (
        "SELECT lies_plpgsql(id) FROM item LIMIT 1",
        "written in SQL or a procedural language",
    ),
    ("SELECT public.honest(3)", "is volatile"),
    (
        "SELECT lower(i) FROM item AS i LIMIT 1",
        "written in SQL or a procedural language",
    ),
    (
        "SELECT i.field_call FROM item AS i LIMIT 1",
        "could be a call of a function",
    ),
    (
        "SELECT (i).field_call, 1 FROM item AS i LIMIT 1",
        "could be a call of a function",
    ),
    ("SELECT id FROM item WHERE id @#@ 5 LIMIT 1", "an operator that it uses"),
    (
        "SELECT 3 OPERATOR(public.@#@) ANY (SELECT id FROM item LIMIT 1)",
        "an operator that it uses",
    ),
    ("SELECT 7::lying", "domain check"),
    (
        "SELECT CAST(id AS public.random_domain) FROM item LIMIT 1",
        "domain check",
    ),
    ("SELECT ARRAY[1]::lying[]", "domain check"),
    ("SELECT ROW(1, 2)::holds_lying", "domain check"),
    ("SELECT id FROM typed", "domain check"),
    ("SELECT lying_sum(id) FROM item", "aggregate"),
    ("SELECT id FROM random_view LIMIT 1", "a view"),
    ("SELECT id FROM deep_view LIMIT 1", "a view"),
    ("SELECT id FROM lying_view LIMIT 1", "a view"),
    ("SELECT id FROM op_view LIMIT 1", "a view"),
    ("SELECT * FROM agg_view", "a view"),
    ("SELECT id FROM locking_view", "a view"),
    ("SELECT id FROM guarded", "row security policy"),
    ("SELECT line FROM outside", "foreign table"),
    ("SELECT line FROM parted", "foreign table"),
    ("SELECT * FROM outside_view", "foreign table"),
    ("SELECT last_value FROM canary", "a sequence"),
    ("SELECT id FROM item WHERE id = 1 FOR UPDATE", "locks rows"),
    (
        "SELECT 1 FROM (SELECT id FROM item WHERE id = 1 FOR KEY SHARE) AS s",
        "locks rows",
    ),
    (
        "WITH w AS (INSERT INTO victim VALUES (2) RETURNING id) SELECT * FROM w WHERE false",
        "writes",
    ),
    (
        "WITH w AS (DELETE FROM victim WHERE false RETURNING id) SELECT * FROM item, w",
        "writes",
    ),
    ("SELECT id FROM item TABLESAMPLE system (1)", "not known to be harmless"),
    (
        "SELECT x.a FROM xmltable('/r' PASSING ('<r/>'::xml) COLUMNS a text PATH 'a') AS x",
        "not known to be harmless",
    ),
    ("SELECT a.id FROM item AS a, item AS b, item AS c", "over the limit"),
];

#[test]
fn hostile_statements_are_refused_and_change_nothing() {
    let _alone = alone();
    assert!(HOSTILE.len() >= 30);
    let mut wrong = Vec::new();
    for (statement, words) in HOSTILE {
        // The costly one must not really run, not even once.
        let outcome = if *words == "over the limit" {
            let limited = format!("{statement} LIMIT 7");
            server(&limited);
            analyze(
                query_id("FROM item AS a, item AS b, item AS c"),
                sample(&limited.replace("LIMIT 7", "LIMIT 2000000000"), &[]),
            )
        } else {
            let id = logged(statement);
            let before = state();
            let outcome = analyze(id, sample(statement, &[]));
            assert_eq!(state(), before, "{statement}");
            outcome
        };
        let detail = outcome.detail.unwrap_or_else(|| "it ran".to_owned());
        if outcome.status != OutcomeStatus::Unavailable || !detail.contains(words) || !outcome.plan.is_empty() {
            wrong.push(format!(
                "{statement}: expected `{words}` in: {} {detail}",
                outcome.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_what_the_server_holds_under_that_id_may_run() {
    let _alone = alone();
    server("SELECT name FROM item AS x WHERE id = 5");
    let id = query_id("FROM item AS x WHERE id = $1");
    assert_eq!(
        analyze(id, sample("SELECT name FROM item AS x WHERE id = 77", &[])).status,
        OutcomeStatus::Ok
    );
    for (statement, words) in [
        (
            "SELECT secret FROM other.item AS x WHERE id = 5",
            "not the statement that the server holds",
        ),
        (
            "SELECT name FROM other.item AS x WHERE id = 5",
            "not the statement that the server holds",
        ),
        (
            "SELECT name FROM victim AS x WHERE id = 5",
            "not the statement that the server holds",
        ),
        (
            "SELECT name FROM item AS x WHERE id = 5 OR true",
            "not the statement that the server holds",
        ),
        (
            "SELECT name FROM item AS x WHERE id = 5; DROP TABLE victim",
            "2 statements, not one",
        ),
        ("COMMIT; DROP TABLE victim", "2 statements, not one"),
        ("DROP TABLE victim", "none that EXPLAIN can plan"),
        (
            "SELECT name INTO stolen FROM item AS x WHERE id = 5",
            "none that EXPLAIN can plan",
        ),
        (
            "COPY (SELECT 1) TO PROGRAM 'touch /tmp/pwned'",
            "none that EXPLAIN can plan",
        ),
        ("EXPLAIN ANALYZE DELETE FROM victim", "none that EXPLAIN can plan"),
        ("DELETE FROM victim", "is no SELECT"),
        ("SELECT name FROM item AS x WHERE id =", "does not parse"),
        ("", "0 statements"),
    ] {
        let before = state();
        let outcome = analyze(id, sample(statement, &[]));
        assert_eq!(outcome.status, OutcomeStatus::Unavailable, "{statement}");
        let detail = outcome.detail.unwrap();
        assert!(detail.contains(words), "{statement}: expected `{words}` in: {detail}");
        assert_eq!(state(), before, "{statement}");
    }
    // The same text means another table for a role with another search path: the server's query id tells.
    server("SET search_path = other; SELECT secret FROM item WHERE id = 1");
    let other = query_id("SELECT secret FROM item WHERE id = $1");
    let outcome = analyze(other, sample("SELECT secret FROM item WHERE id = 1", &[]));
    assert_eq!(outcome.status, OutcomeStatus::Unavailable, "{:?}", outcome.detail);
    server("SET search_path = other; SELECT id FROM item WHERE id = 1 AND id < 17");
    let other = query_id("SELECT id FROM item WHERE id = $1 AND id < $2");
    let outcome = analyze(other, sample("SELECT id FROM item WHERE id = 1 AND id < 17", &[]));
    assert!(outcome.detail.unwrap().contains("another query id"));
}

#[test]
fn a_lying_cast_anywhere_in_the_database_refuses_all() {
    let _alone = alone();
    cluster().psql("CREATE DATABASE casting").unwrap();
    let casting = |sql: &str| cluster().psql_as(SUPERUSER, "casting", sql).unwrap();
    casting(
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE t (id int); INSERT INTO t VALUES (1);
         CREATE FUNCTION cast_lies(int) RETURNS point LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN ''(1,1)''; END';
         CREATE CAST (int AS point) WITH FUNCTION cast_lies(int) AS IMPLICIT",
    );
    casting("SELECT id FROM t WHERE id > 3");
    let id = casting(
        "SELECT queryid FROM pg_stat_statements WHERE query LIKE 'SELECT id FROM t%' AND dbid = (SELECT oid FROM pg_database WHERE datname = 'casting')",
    );
    let target = target_of(&cluster().dsn("diagnosis", "casting"));
    let outcome = run(
        &target,
        ANALYZE,
        bound(id.parse().unwrap()),
        Some(sample("SELECT id FROM t WHERE id > 3", &[])),
    );
    assert!(
        outcome.status == OutcomeStatus::Cancelled || outcome.detail.as_ref().unwrap().contains("has a cast"),
        "{:?}",
        outcome.detail
    );
}

#[test]
fn literals_are_quoted() {
    assert_eq!(super::arguments(&[]), "");
    assert_eq!(
        super::arguments(&[Some("it's".to_owned()), None, Some("\\".to_owned())]),
        "('it''s', NULL, '\\')"
    );
}
