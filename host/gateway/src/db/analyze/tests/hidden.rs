//! Ways to other people's code that a statement's names do not show: each was found by someone who tried to get in.

use super::{
    OutcomeStatus, alone, alone_on, analyze, analyze_logged, block_on, cluster, logged, refuses_each, sample, server,
    target_of,
};
use crate::db::analyze::reachable::Watch;
use crate::db::explain;
use crate::db::session::{Session, Timeouts};
use crate::db::statement::Statement;

/// What each needs, and a statement that would come to it.
const HIDDEN: &[(&str, &str, &str)] = &[
    (
        "a field of a value that is no row is a call",
        "CREATE FUNCTION field_of_int(int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''public.canary''); END'",
        "SELECT (i.id).field_of_int FROM item AS i LIMIT 1",
    ),
    (
        "so is one of an alias that is a value itself",
        "",
        "SELECT g.lies_plpgsql FROM generate_series(1, 2) AS g",
    ),
    ("and it may be of a built-in function", "", "SELECT (0.0).pg_sleep"),
    ("whose other parameters have defaults", "", "SELECT (0).pg_terminate_backend"),
    (
        "a field is a cast to a domain",
        "",
        "SELECT (7).lying",
    ),
    ("of an alias, too", "", "SELECT g.lying FROM generate_series(1, 2) AS g"),
    (
        "and one over rows",
        "CREATE FUNCTION row_lies(item) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''public.canary'') > 0; END';
         CREATE DOMAIN row_domain AS item CHECK (row_lies(VALUE))",
        "SELECT i.row_domain FROM item AS i LIMIT 1",
    ),
    (
        "a field is an aggregate",
        "CREATE FUNCTION any_step(bigint, anyelement) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''public.canary''); END';
         CREATE AGGREGATE field_agg(anyelement) (SFUNC = any_step, STYPE = bigint, INITCOND = '0')",
        "SELECT (i.id).field_agg FROM item AS i",
    ),
    (
        "NOT makes of an operator its negator",
        "CREATE OPERATOR =% (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq, NEGATOR = <>%);
         CREATE OPERATOR <>% (LEFTARG = int, RIGHTARG = int, FUNCTION = op_lies, NEGATOR = =%)",
        "SELECT id FROM item WHERE NOT (id OPERATOR(public.=%) 3) LIMIT 1",
    ),
    (
        "in a view, too",
        "CREATE VIEW negated AS SELECT id FROM item WHERE NOT (id OPERATOR(public.=%) 3)",
        "SELECT id FROM negated LIMIT 1",
    ),
    (
        "and in a superuser's function that only computes",
        "CREATE FUNCTION negates(i int) RETURNS boolean LANGUAGE sql STABLE RETURN NOT (i OPERATOR(public.=%) 3)",
        "SELECT negates(4)",
    ),
    (
        "an operator with its sides changed is its commutator",
        "CREATE OPERATOR <% (LEFTARG = int, RIGHTARG = int, FUNCTION = int4lt, COMMUTATOR = >%, RESTRICT = scalarltsel);
         CREATE OPERATOR >% (LEFTARG = int, RIGHTARG = int, FUNCTION = op_lies, COMMUTATOR = <%, RESTRICT = scalargtsel)",
        "SELECT name FROM item WHERE 3 OPERATOR(public.<%) id",
    ),
    (
        "which may be two steps away",
        "CREATE OPERATOR <=% (LEFTARG = int, RIGHTARG = int, FUNCTION = int4le, COMMUTATOR = >=%);
         CREATE OPERATOR >=% (LEFTARG = int, RIGHTARG = int, FUNCTION = int4ge, COMMUTATOR = <=%, NEGATOR = <<%);
         CREATE OPERATOR <<% (LEFTARG = int, RIGHTARG = int, FUNCTION = op_lies, NEGATOR = >=%)",
        "SELECT id FROM item WHERE NOT (4 OPERATOR(public.<=%) id)",
    ),
    (
        "a domain's check names a domain",
        "CREATE DOMAIN over_lying AS int CHECK ((VALUE::lying)::int > 0)",
        "SELECT 7::over_lying",
    ),
    (
        "or a row that has one",
        "CREATE DOMAIN over_row AS text CHECK (json_populate_record(NULL::holds_lying, '{\"a\": 1, \"b\": 5}') IS NOT NULL)",
        "SELECT 'x'::over_row",
    ),
    (
        "a view has a list of columns with types",
        "CREATE VIEW listed AS SELECT t.b FROM json_to_record('{\"a\": 5, \"b\": 1}') AS t (a lying, b int)",
        "SELECT b FROM listed",
    ),
    (
        "or several functions with such lists",
        "CREATE VIEW listed_rows AS SELECT x.b FROM ROWS FROM (json_to_recordset('[{\"a\": 5, \"b\": 1}]') AS (a lying, b int)) AS x",
        "SELECT b FROM listed_rows",
    ),
    (
        "a policy, too",
        "CREATE TABLE listed_policy (id int); INSERT INTO listed_policy VALUES (1); ALTER TABLE listed_policy ENABLE ROW LEVEL SECURITY;
         CREATE POLICY p ON listed_policy USING (EXISTS (SELECT b FROM json_to_record('{\"a\": 5, \"b\": 1}') AS t (a lying, b int)))",
        "SELECT id FROM listed_policy",
    ),
    (
        "an aggregate reads its first state",
        "CREATE AGGREGATE starts_lying(json, boolean) (SFUNC = json_populate_record, STYPE = holds_lying, INITCOND = '(1,5)', FINALFUNC = row_to_json)",
        "SELECT starts_lying('{}'::json, true)",
    ),
    (
        "behind a view, too",
        "CREATE VIEW starting AS SELECT starts_lying('{}'::json, true)",
        "SELECT * FROM starting",
    ),
    (
        "a volatile function in SQL in an index is replaced by its body, and that computed",
        "CREATE FUNCTION inlined(int) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT $1 + public.lies_plpgsql(5)';
         CREATE TABLE indexed_so (id int, x int); CREATE INDEX ON indexed_so (inlined(id))",
        "SELECT x FROM indexed_so WHERE id = 3",
    ),
    (
        "or in a child's constraint",
        "CREATE TABLE parent_so (id int); CREATE TABLE child_so (CHECK (inlined(5) > id - 1000)) INHERITS (parent_so)",
        "SELECT id FROM parent_so WHERE id = 3",
    ),
    (
        "a function's validator analyses its body",
        "SET check_function_bodies = off; CREATE FUNCTION casts() RETURNS lying[] LANGUAGE sql AS $$SELECT '{5}'::lying[]$$",
        "SELECT fmgr_sql_validator('casts'::regproc)",
    ),
    (
        "a partition's bounds are computed to be shown",
        "CREATE TABLE ranged (id int) PARTITION BY RANGE ((id + lies_plpgsql(5))); CREATE TABLE ranged_1 PARTITION OF ranged FOR VALUES FROM (1) TO (100)",
        "SELECT pg_get_partition_constraintdef('ranged_1'::regclass)",
    ),
    (
        "and to see whether a hash belongs to it",
        "CREATE TABLE hashed (id int) PARTITION BY HASH ((id + lies_plpgsql(5)))",
        "SELECT satisfies_hash_partition('hashed'::regclass, 4, 0, 3::bigint)",
    ),
    (
        "an operator makes a value of any size",
        "CREATE OPERATOR ~*~ (LEFTARG = text, RIGHTARG = int, FUNCTION = repeat)",
        "SELECT length('x' OPERATOR(public.~*~) 5)",
    ),
    (
        "an aggregate does, row by row",
        "CREATE AGGREGATE repeated(int) (SFUNC = repeat, STYPE = text, INITCOND = 'x')",
        "SELECT length(repeated(1)) FROM item WHERE id < 3",
    ),
    (
        "and a superuser's function that only computes",
        "CREATE FUNCTION repeats(n int) RETURNS int LANGUAGE sql IMMUTABLE RETURN length(repeat('x', n))",
        "SELECT repeats(5)",
    ),
    ("a library that heeds no timeout", "", "SELECT xpath('/a', '<a/>'::xml)"),
    ("by its grammar, too", "", "SELECT xmlexists('/a' PASSING BY VALUE ('<a/>'::xml))"),
];

async fn session() -> Session {
    let timeouts = Timeouts {
        statement_ms: 10_000,
        lock_ms: 10_000,
        idle_in_transaction_ms: 60_000,
    };
    let target = target_of(&cluster().dsn("diagnosis", "postgres"));
    Session::open(&target, timeouts).await.unwrap()
}

pg_logstats_test_cluster::on_each_version!(what_names_do_not_show_is_refused);

fn what_names_do_not_show_is_refused(major: u32) {
    let _alone = alone_on(major);
    refuses_each(HIDDEN);
    // And it has taken nothing from those who do without.
    for statement in [
        "SELECT i.price, i.id FROM item AS i WHERE NOT (i.id = 3) AND 4 <= i.id",
        "SELECT t.a FROM json_to_record('{\"a\": 5}') AS t (a good_domain)",
    ] {
        let outcome = analyze_logged(statement);
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{statement}: {:?}", outcome.detail);
    }
}

#[test]
fn where_computing_costs_nothing_the_limit_of_the_cost_is_none() {
    let _alone = alone();
    let statement = "SELECT count(*) FROM item WHERE id < 77";
    let id = logged(statement);
    server("ALTER ROLE diagnosis SET cpu_operator_cost = 0.0001");
    let outcome = analyze(id, sample(statement, &[]));
    server("ALTER ROLE diagnosis RESET cpu_operator_cost");
    assert_eq!(outcome.status, OutcomeStatus::Unavailable);
    assert!(outcome.detail.unwrap().contains("computing costs nearly nothing"));
    assert_eq!(analyze(id, sample(statement, &[])).status, OutcomeStatus::Ok);
}

/// While the server analyses the sample the name means a view that does more, and before and after it means a table.
#[test]
fn a_name_that_means_something_else_only_meanwhile_is_found_out() {
    let _alone = alone();
    server(
        "CREATE SCHEMA near; CREATE SCHEMA far; CREATE TABLE near.thing (id bigint);
         CREATE VIEW far.thing AS SELECT lies_plpgsql(1) AS id;
         GRANT USAGE ON SCHEMA near, far TO diagnosis",
    );
    let statement = Statement::parse("SELECT id FROM thing").unwrap();
    let facts = statement.facts();
    for is_swapped in [false, true] {
        block_on(async {
            let mut session = session().await;
            let connection = &mut session.connection;
            let (mut watch, first) = Watch::begin(connection, &facts, "near, far").await.unwrap();
            if is_swapped {
                server("ALTER TABLE near.thing RENAME TO away");
            }
            explain::prepare(connection, &statement).await.unwrap();
            if is_swapped {
                server("ALTER TABLE near.away RENAME TO thing");
            }
            let second = watch.again(connection).await;
            if is_swapped {
                let detail = second.unwrap_err().detail;
                assert!(detail.contains("a view"), "{detail}");
            } else {
                assert_eq!(second.unwrap(), first);
                assert_eq!(watch.once_more(connection).await.unwrap(), first);
            }
        });
    }
}

/// The planner would compile the largest question of ours, and take longer for it than for the answer.
#[test]
fn the_setting_of_the_jit_compiler_is_as_it_was() {
    let _alone = alone();
    let statement = Statement::parse("SELECT id FROM item").unwrap();
    let facts = statement.facts();
    server("ALTER ROLE diagnosis SET jit = on");
    block_on(async {
        let mut session = session().await;
        let (mut watch, _) = Watch::begin(&mut session.connection, &facts, "public").await.unwrap();
        watch.again(&mut session.connection).await.unwrap();
        let settings: (String, String) =
            sqlx::query_as("SELECT pg_catalog.current_setting('jit'), pg_catalog.current_setting('search_path')")
                .fetch_one(&mut session.connection)
                .await
                .unwrap();
        assert_eq!(settings, ("on".to_owned(), "public".to_owned()));
    });
    server("ALTER ROLE diagnosis RESET jit");
}
