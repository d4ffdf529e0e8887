//! Functions in SQL: which are looked through, and which are not.

use super::{OutcomeStatus, alone_on, analyze_logged, refuses_each, server};

/// What a DBA may have written, and what uses it. All of it only computes.
const HONEST: &str = "
CREATE FUNCTION net(gross numeric) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN round(gross / 1.19, 2);
CREATE FUNCTION gross_again(gross numeric, rate numeric DEFAULT 1.19) RETURNS numeric LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT CASE WHEN gross > 0 THEN net(gross) * rate ELSE 0 END; END;
CREATE FUNCTION about(numeric, numeric) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN abs($1 - $2) < 1;
CREATE OPERATOR @~@ (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = about);
CREATE VIEW net_view AS SELECT id, net(price) AS net FROM item WHERE price @~@ 3;
CREATE DOMAIN net_domain AS numeric CHECK (net(VALUE) > 0);
CREATE TABLE guarded_by_net (price numeric); INSERT INTO guarded_by_net VALUES (1), (2);
ALTER TABLE guarded_by_net ENABLE ROW LEVEL SECURITY; CREATE POLICY by_net ON guarded_by_net USING (net(price) > 0);
CREATE TABLE indexed_by_net (price numeric); CREATE INDEX ON indexed_by_net (net(price));
";

/// Everything that keeps one from being looked through, each in one function, and what to call.
const HOSTILE: &[(&str, &str, &str)] = &[
    (
        "text",
        "CREATE FUNCTION in_quotes(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
        "SELECT in_quotes(1)",
    ),
    (
        "theirs",
        "CREATE ROLE author; CREATE FUNCTION theirs(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1; ALTER FUNCTION theirs OWNER TO author",
        "SELECT theirs(1)",
    ),
    (
        "definer",
        "CREATE FUNCTION definer(int) RETURNS int LANGUAGE sql STABLE SECURITY DEFINER RETURN $1",
        "SELECT definer(1)",
    ),
    (
        "settings",
        "CREATE FUNCTION settings(int) RETURNS int LANGUAGE sql STABLE SET work_mem = '1GB' RETURN $1",
        "SELECT settings(1)",
    ),
    (
        "volatile by itself",
        "CREATE FUNCTION undeclared(int) RETURNS int LANGUAGE sql RETURN $1",
        "SELECT undeclared(1)",
    ),
    (
        "reads",
        "CREATE FUNCTION reads(int) RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT count(*) FROM item AS a, item AS b)",
        "SELECT reads(1)",
    ),
    (
        "reads in a body",
        "CREATE FUNCTION reads_too(int) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM item; END",
        "SELECT reads_too(1)",
    ),
    (
        "makes rows",
        "CREATE FUNCTION makes_rows() RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT count(*) FROM generate_series(1, 9))",
        "SELECT makes_rows()",
    ),
    (
        "returns a set",
        "CREATE FUNCTION sets() RETURNS SETOF int LANGUAGE sql STABLE BEGIN ATOMIC SELECT 1; END",
        "SELECT sets()",
    ),
    (
        "makes rows that are thrown away",
        "CREATE FUNCTION spins() RETURNS int LANGUAGE sql STABLE BEGIN ATOMIC SELECT generate_series(1, 5); SELECT 1; END",
        "SELECT spins()",
    ),
    (
        "writes",
        "CREATE FUNCTION writes() RETURNS int LANGUAGE sql STABLE BEGIN ATOMIC INSERT INTO victim VALUES (9); SELECT 1; END",
        "SELECT writes() WHERE false",
    ),
    (
        "calls a volatile one",
        "CREATE FUNCTION calls_volatile() RETURNS bigint LANGUAGE sql STABLE RETURN nextval('public.canary') + 1",
        "SELECT calls_volatile()",
    ),
    (
        "calls one that does more",
        "CREATE FUNCTION calls_more() RETURNS xml LANGUAGE sql STABLE RETURN query_to_xml('SELECT nextval(''public.canary'')', true, false, '')",
        "SELECT calls_more()",
    ),
    (
        "calls code, two deep",
        "CREATE FUNCTION deep_1(i int) RETURNS bigint LANGUAGE sql STABLE RETURN lies_plpgsql(i);
         CREATE FUNCTION deep_2(i int) RETURNS bigint LANGUAGE sql STABLE RETURN deep_1(i) + 1",
        "SELECT deep_2(1)",
    ),
    (
        "calls code by an operator",
        "CREATE FUNCTION by_operator(i int) RETURNS boolean LANGUAGE sql STABLE RETURN i @#@ 3",
        "SELECT by_operator(1)",
    ),
    (
        "calls code by a domain",
        "CREATE FUNCTION by_domain(i int) RETURNS int LANGUAGE sql STABLE RETURN i::lying::int",
        "SELECT by_domain(1)",
    ),
    (
        "takes a domain",
        "CREATE FUNCTION takes_domain(i lying) RETURNS int LANGUAGE sql STABLE RETURN 1",
        "SELECT takes_domain('1')",
    ),
    (
        "computes a default",
        "CREATE FUNCTION defaults(i int, j bigint DEFAULT lies_plpgsql(1)) RETURNS int LANGUAGE sql STABLE RETURN i",
        "SELECT defaults(1)",
    ),
    (
        "calls itself",
        "CREATE FUNCTION again(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i;
         CREATE OR REPLACE FUNCTION again(i int) RETURNS int LANGUAGE sql IMMUTABLE
           RETURN CASE WHEN i < 1 THEN 1 ELSE again(i - 1) + again(i - 1) END",
        "SELECT again(2)",
    ),
    (
        "calls those that call each other",
        "CREATE FUNCTION ping(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i;
         CREATE FUNCTION pong(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN ping(i);
         CREATE OR REPLACE FUNCTION ping(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN CASE WHEN i < 1 THEN 1 ELSE pong(i - 1) END;
         CREATE FUNCTION plays(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN ping(i)",
        "SELECT plays(2)",
    ),
    (
        "one of its name",
        "CREATE FUNCTION named(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i;
         CREATE FUNCTION named(i text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN nextval(''public.canary''); END'",
        "SELECT named(1)",
    ),
];

pg_logstats_test_cluster::on_each_version!(a_superusers_function_that_only_computes_is_looked_through);

fn a_superusers_function_that_only_computes_is_looked_through(major: u32) {
    let _alone = alone_on(major);
    server(HONEST);
    for statement in [
        "SELECT net(price), public.gross_again(price) FROM item WHERE id < 9",
        "SELECT id FROM item WHERE price @~@ 4711 AND net(price) > 2",
        "SELECT net FROM net_view WHERE id < 99",
        "SELECT 3::net_domain",
        "SELECT price FROM guarded_by_net",
        "SELECT price FROM indexed_by_net WHERE net(price) = 3",
    ] {
        let outcome = analyze_logged(statement);
        assert_eq!(outcome.status, OutcomeStatus::Ok, "{statement}: {:?}", outcome.detail);
        assert!(outcome.plan[0].actual_rows.is_some(), "{statement}");
    }
    // The trees of functions that nothing reaches are nobody's business, so what comes now is judged by itself.
    refuses_each(HOSTILE);
    // And they have taken nothing from the honest ones.
    let outcome = analyze_logged("SELECT net(price) FROM item WHERE id < 8");
    assert_eq!(outcome.status, OutcomeStatus::Ok, "{:?}", outcome.detail);
}
