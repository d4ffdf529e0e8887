use sqlx::Row as _;

use super::*;
use crate::db::test_server::{block_on, cluster, shop, target};

const TABLES: &str = "SELECT s.schemaname::text AS schema, s.relname::text AS relation, s.n_dead_tup AS dead
  FROM pg_catalog.pg_stat_user_tables AS s ORDER BY s.n_dead_tup DESC LIMIT 20";

fn checked(sql: &str, arguments: &[&str], columns: usize) -> Result<Cost, String> {
    let expected = Expected {
        arguments,
        columns,
        max_rows: 20,
    };
    check(sql, expected)
}

#[test]
fn reads_of_what_the_server_tells_about_itself_pass() {
    assert_eq!(checked(TABLES, &[], 3), Ok(Cost::AsRead));
    for (sql, arguments, columns, cost) in [
        (
            "SELECT s.pid, clock_timestamp() - s.xact_start AS age FROM pg_catalog.pg_stat_activity AS s WHERE s.pid = $1::int4
                AND ($2::timestamptz IS NULL OR s.backend_start = $2::timestamptz) LIMIT 2",
            &["int4", "timestamptz"][..],
            2,
            Cost::AsRead,
        ),
        (
            "SELECT s.calls FROM {pg_stat_statements}.pg_stat_statements AS s WHERE s.queryid = $1::bigint LIMIT 21",
            &["int8"],
            1,
            Cost::AsRead,
        ),
        (
            "WITH c AS (SELECT k.oid, k.relname FROM pg_catalog.pg_class AS k)
             SELECT c.relname::text, pg_catalog.pg_total_relation_size(c.oid) FROM c ORDER BY 2 DESC LIMIT 5",
            &[],
            2,
            Cost::OpenEnded,
        ),
        (
            "SELECT d.datname::text FROM pg_catalog.pg_database AS d WHERE d.datname::text = $1::text
             UNION ALL SELECT r.rolname::text FROM pg_catalog.pg_roles AS r LIMIT 3",
            &["text"],
            1,
            Cost::AsRead,
        ),
        ("SELECT count(*) FROM pg_catalog.pg_locks AS l WHERE NOT l.granted LIMIT 1", &[], 1, Cost::AsRead),
        (
            "WITH RECURSIVE t AS (SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i) SELECT t.inhrelid FROM t LIMIT 9",
            &[],
            1,
            Cost::OpenEnded,
        ),
    ] {
        assert_eq!(checked(sql, arguments, columns), Ok(cost), "{sql}");
    }
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    for (sql, says) in [
        ("DELETE FROM pg_catalog.pg_class", "is no SELECT"),
        ("SELECT 1 LIMIT 1; SELECT 2 LIMIT 1", "2 statements"),
        ("SELECT 1 AS a INTO t LIMIT 1", "EXPLAIN can plan"),
        (
            "SELECT l.pid FROM pg_catalog.pg_locks AS l LIMIT 1 FOR UPDATE",
            "locks rows",
        ),
        (
            "WITH w AS (DELETE FROM pg_catalog.pg_class RETURNING 1 AS a) SELECT w.a FROM w LIMIT 1",
            "writes",
        ),
        ("SELECT pg_catalog.pg_sleep(1) LIMIT 1", "`pg_sleep`"),
        ("SELECT pg_terminate_backend(1) LIMIT 1", "`pg_terminate_backend`"),
        ("SELECT pg_read_file('x') LIMIT 1", "`pg_read_file`"),
        ("SELECT f.a FROM pg_catalog.pg_ls_dir('/') AS f LIMIT 1", "`pg_ls_dir`"),
        ("SELECT set_config('a.b', 'c', false) LIMIT 1", "`set_config`"),
        ("SELECT current_setting('x') LIMIT 1", "`current_setting`"),
        (
            "SELECT query_to_xml('SELECT 1', true, true, '') LIMIT 1",
            "`query_to_xml`",
        ),
        ("SELECT pg_advisory_lock(1) LIMIT 1", "`pg_advisory_lock`"),
        ("SELECT txid_current() LIMIT 1", "`txid_current`"),
        ("SELECT nextval('s') LIMIT 1", "`nextval`"),
        ("SELECT evil.lower('x') LIMIT 1", "`lower`"),
        (
            "SELECT pg_stat_get_backend_activity(1) LIMIT 1",
            "`pg_stat_get_backend_activity`",
        ),
        ("SELECT 1 OPERATOR(evil.+) 1 LIMIT 1", "operator `+`"),
        ("SELECT 'x'::evil.t LIMIT 1", "type `t`"),
        ("SELECT o.id FROM public.orders AS o LIMIT 1", "`orders`"),
        ("SELECT o.id FROM orders AS o LIMIT 1", "`orders`"),
        ("SELECT c.oid FROM pg_class AS c LIMIT 1", "written with their schema"),
        (
            "SELECT a.rolname::text FROM pg_catalog.pg_authid AS a LIMIT 1",
            "`pg_authid`",
        ),
        (
            "SELECT s.most_common_vals::text FROM pg_catalog.pg_stats AS s LIMIT 1",
            "`pg_stats`",
        ),
        (
            "SELECT s.query FROM pg_catalog.pg_stat_activity AS s LIMIT 1",
            "column `query`",
        ),
        (
            "SELECT (s).query FROM pg_catalog.pg_stat_activity AS s LIMIT 1",
            "column `query`",
        ),
        ("SELECT s.* FROM pg_catalog.pg_stat_activity AS s LIMIT 1", "`*`"),
        (
            "SELECT s::text FROM pg_catalog.pg_stat_activity AS s LIMIT 1",
            "whole row `s`",
        ),
        (
            "SELECT pg_stat_activity::text FROM pg_catalog.pg_stat_activity LIMIT 1",
            "whole row `pg_stat_activity`",
        ),
        (
            "SELECT s.t20 FROM pg_catalog.pg_stat_activity AS s (t1, t2, t3, t4, t20) LIMIT 1",
            "other names",
        ),
        ("TABLE pg_catalog.pg_stat_activity", "`*`"),
        ("SELECT l.pid FROM pg_catalog.pg_locks AS l", "needs a LIMIT"),
        ("SELECT l.pid FROM pg_catalog.pg_locks AS l LIMIT 22", "at most 21"),
        ("SELECT l.pid FROM pg_catalog.pg_locks AS l LIMIT ALL", "needs a LIMIT"),
        (
            "SELECT l.pid, l.mode FROM pg_catalog.pg_locks AS l LIMIT 1",
            "selects 2 columns",
        ),
        (
            "SELECT l.pid FROM pg_catalog.pg_locks AS l TABLESAMPLE system (1) LIMIT 1",
            "may not use",
        ),
        ("SELECT l.pid FROM", "does not parse"),
    ] {
        let error = checked(sql, &[], 1).expect_err(sql);
        assert!(error.contains(says), "{sql}\nexpected {says:?} in: {error}");
    }
}

#[test]
fn arguments_are_cast_to_the_types_of_their_parameters_and_all_used() {
    let sql = |condition: &str| format!("SELECT l.pid FROM pg_catalog.pg_locks AS l WHERE {condition} LIMIT 1");
    for (condition, says) in [
        ("l.pid = $1", "`$1::int4` everywhere"),
        ("l.pid = $1::int4 OR l.pid = $1", "`$1::int4` everywhere"),
        ("l.pid = $1::text::int4", "`$1::int4` everywhere"),
        ("l.pid = ANY ($1::int4[])", "`$1::int4` everywhere"),
        ("l.pid = $2::int4", "`$2`, which no parameter fills"),
        ("l.pid = $0::int4", "could not be written out"),
        ("true", "does not use `$1`"),
    ] {
        let error = checked(&sql(condition), &["int4"], 1).expect_err(condition);
        assert!(error.contains(says), "{condition}: {error}");
    }
    assert!(checked(&sql("l.pid = CAST($1 AS integer)"), &["int4"], 1).is_ok());
}

/// Runs `check_on_server` in `shop` as the role that `inspect` would make.
fn on_server(sql: &str) -> Result<(), String> {
    block_on(async {
        let timeouts = crate::db::session::Timeouts {
            statement_ms: 5_000,
            lock_ms: 500,
            idle_in_transaction_ms: 5_000,
        };
        let mut session = crate::db::session::Session::open(&target("diagnosis", "shop"), timeouts)
            .await
            .unwrap();
        let result = check_on_server(&mut session.connection, sql).await;
        session.close().await;
        result.map_err(|e| e.detail)
    })
}

#[test]
fn the_server_has_to_agree() {
    cluster();
    assert_eq!(on_server(TABLES), Ok(()));
    assert_eq!(
        on_server("SELECT clock_timestamp(), pg_relation_size(1::regclass) LIMIT 1"),
        Ok(())
    );
    let error = on_server("SELECT pg_sleep(1) LIMIT 1").unwrap_err();
    assert!(error.contains("volatile on this server"), "{error}");
    // What a superuser planted under a name that is listed.
    shop(
        "SET allow_system_table_mods = on; CREATE FUNCTION pg_catalog.sign(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
    );
    let error = on_server("SELECT sign('x'::text) LIMIT 1").unwrap_err();
    shop("SET allow_system_table_mods = on; DROP FUNCTION pg_catalog.sign(text)");
    assert!(error.contains("into pg_catalog"), "{error}");
    assert_eq!(on_server("SELECT sign(1) LIMIT 1"), Ok(()));
}

#[test]
fn the_lists_say_what_the_server_says() {
    cluster();
    let listed: Vec<&str> = FUNCTIONS.to_vec();
    let volatile = block_on(async {
        let timeouts = crate::db::session::Timeouts {
            statement_ms: 5_000,
            lock_ms: 500,
            idle_in_transaction_ms: 5_000,
        };
        let mut session = crate::db::session::Session::open(&target("diagnosis", "shop"), timeouts)
            .await
            .unwrap();
        let rows = sqlx::query(
            "SELECT DISTINCT n.name, p.provolatile = 'v' AS is_volatile, p.proname IS NULL AS is_missing
               FROM pg_catalog.unnest($1::text[]) AS n (name)
               LEFT JOIN pg_catalog.pg_proc AS p ON p.proname = n.name AND p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace",
        )
        .bind(listed)
        .fetch_all(&mut session.connection)
        .await
        .unwrap();
        session.close().await;
        rows.iter()
            .filter(|row| row.get::<Option<bool>, _>("is_volatile") == Some(true) || row.get::<bool, _>("is_missing"))
            .map(|row| row.get::<String, _>("name"))
            .collect::<Vec<_>>()
    });
    assert_eq!(
        volatile,
        Vec::<String>::new(),
        "listed as not volatile, and the server says otherwise or has no such function"
    );
}
