/// The side, two statements in alphabetical order, and the reason.
const SPELL: &str = "another spelling of one statement: optional words and synonyms are kept as written, because a lexer does not know where they are optional";
const IN: &str =
    "libpg_query hides whether a comparison was written with IN or an operator; the plans differ, so we show it";
const PAREN: &str = "brackets are kept as written, because a lexer does not know which of them change nothing";
const TYPE: &str = "a cast of a constant vanishes in a fingerprint; we keep the type, which decides the plan";
const CONST: &str = "NULL, TRUE, FALSE, DEFAULT and NONE are no values to compare by, but change what a statement does";
const QUOTED: &str = "a schema in front of a table makes it another table; libpg_query leaves out `public`";
const ORDER: &str = "the order of columns does not count in a fingerprint; a client that writes another order is another place in a program";
const LIMIT: &str = "LIMIT and OFFSET vanish in a fingerprint; they decide the plan, so we keep that they are there";
const ARGS: &str =
    "the number of arguments or columns vanishes in a fingerprint of lists; another number is another function or row";
const NAME: &str =
    "libpg_query leaves out names of savepoints, roles, cursors and channels; they are names, and not values, to us";
const LIST: &str =
    "libpg_query makes one of lists of different lengths in every place; we do so in IN, VALUES, ARRAY only";
const VALUE: &str = "libpg_query keeps the values of options of utility statements; no value survives here, because any may be a secret";
const SIGN: &str = "a sign in front of a number is a part of the number to us";
const ALIAS: &str = "libpg_query leaves out aliases of functions and columns; we keep them as written";
const CLAUSE: &str = "libpg_query leaves out the clauses of a function that are no body; a setting of its own makes it another one";
const DIFFERENCES: &[(Side, &str, &str, &str)] = &[
    (
        Side::WeSplit,
        "(select 1) union (select 2)",
        "select 1 union select 2",
        PAREN,
    ),
    (Side::WeSplit, "abort", "rollback", SPELL),
    (
        Side::WeSplit,
        "alter table t add a int",
        "alter table t add column a int",
        SPELL,
    ),
    (Side::WeSplit, "begin", "begin transaction", SPELL),
    (Side::WeSplit, "call p(1)", "call p(1, 2)", ARGS),
    (Side::WeSplit, "close all", "close c", NAME),
    (Side::WeSplit, "commit", "commit work", SPELL),
    (Side::WeSplit, "commit", "end", SPELL),
    (
        Side::WeSplit,
        "create role bob password 'x'",
        "create role bob with encrypted password 'x'",
        SPELL,
    ),
    (
        Side::WeSplit,
        "create table t (id int)",
        "create table t (id integer)",
        SPELL,
    ),
    (
        Side::WeSplit,
        "create temp table t (id int)",
        "create temporary table t (id int)",
        SPELL,
    ),
    (
        Side::WeSplit,
        "delete from orders where id = 1",
        "delete from orders where id in (1, 2)",
        IN,
    ),
    (Side::WeSplit, "drop role bob", "drop user bob", SPELL),
    (Side::WeSplit, "execute p", "execute p(1)", ARGS),
    (Side::WeSplit, "execute p", "execute p(1, 2)", ARGS),
    (
        Side::WeSplit,
        "explain (analyze) select 1",
        "explain analyze select 1",
        SPELL,
    ),
    (
        Side::WeSplit,
        "grant select on t to alice",
        "grant select on t to bob",
        NAME,
    ),
    (
        Side::WeSplit,
        "insert into orders (id, name) values (1, 'a')",
        "insert into orders (id, name) values (1, default)",
        CONST,
    ),
    (
        Side::WeSplit,
        "insert into orders (id, name) values (1, 'a')",
        "insert into orders (id, name) values (default, 'a')",
        CONST,
    ),
    (
        Side::WeSplit,
        "lock orders",
        "lock table orders in access exclusive mode",
        SPELL,
    ),
    (Side::WeSplit, "notify c", "notify c, 'payload'", NAME),
    (Side::WeSplit, "release a", "release savepoint a", SPELL),
    (Side::WeSplit, "savepoint a", "savepoint b", NAME),
    (
        Side::WeSplit,
        "select * from (values (1), (2)) v",
        "select * from (values (1, 'a'), (2, 'b')) as v(a, b)",
        ARGS,
    ),
    (
        Side::WeSplit,
        "select * from generate_series(1, 10)",
        "select * from generate_series(1, 10) as g(i)",
        ALIAS,
    ),
    (
        Side::WeSplit,
        "select * from generate_series(1, 10)",
        "select * from generate_series(1, 10) g",
        ALIAS,
    ),
    (
        Side::WeSplit,
        "select * from orders",
        "select * from public.orders",
        QUOTED,
    ),
    (Side::WeSplit, "select * from orders", "table orders", SPELL),
    (
        Side::WeSplit,
        "select * from orders inner join items on items.order_id = orders.id",
        "select * from orders join items on items.order_id = orders.id",
        SPELL,
    ),
    (
        Side::WeSplit,
        "select * from orders left join items on items.order_id = orders.id",
        "select * from orders left outer join items on items.order_id = orders.id",
        SPELL,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id = 1",
        PAREN,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id = 1::int",
        TYPE,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id = any($1)",
        IN,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id = any('{1,2}'::int[])",
        IN,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id = cast('1' as int)",
        TYPE,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id = cast(1 as integer)",
        TYPE,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id = int '1'",
        TYPE,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id = 1)",
        "select * from orders where id in (1)",
        IN,
    ),
    (
        Side::WeSplit,
        "select * from orders where (id, name) = (1, 'x')",
        "select * from orders where (id, name) in ((1, 'x'), (2, 'y'))",
        IN,
    ),
    (
        Side::WeSplit,
        "select * from orders where id != 1",
        "select * from orders where id not in (1, 2)",
        IN,
    ),
    (
        Side::WeSplit,
        "select * from orders where placed_at > now() - '1 day'::interval",
        "select * from orders where placed_at > now() - interval '1 day'",
        TYPE,
    ),
    (
        Side::WeSplit,
        "select * from orders where placed_at >= '2026-01-01'::date",
        "select * from orders where placed_at >= date '2026-01-01'",
        TYPE,
    ),
    (Side::WeSplit, "select 1", "select null", CONST),
    (Side::WeSplit, "select 1", "select true", CONST),
    (
        Side::WeSplit,
        "select case id when 1 then 'a' end from orders",
        "select case id when 1 then 'a' when 2 then 'b' end from orders",
        LIST,
    ),
    (
        Side::WeSplit,
        "select cast(id as text) from orders",
        "select id::text from orders",
        SPELL,
    ),
    (
        Side::WeSplit,
        "select id a from orders",
        "select id as a from orders",
        SPELL,
    ),
    (
        Side::WeSplit,
        "select id from orders fetch first 5 rows only",
        "select id from orders limit 1",
        LIMIT,
    ),
    (
        Side::WeSplit,
        "select id from orders fetch first 5 rows only",
        "select id from orders limit 10 offset 20",
        LIMIT,
    ),
    (
        Side::WeSplit,
        "select id from orders fetch first 5 rows only",
        "select id from orders limit all",
        LIMIT,
    ),
    (
        Side::WeSplit,
        "select id from orders fetch first 5 rows only",
        "select id from orders offset 5",
        LIMIT,
    ),
    (
        Side::WeSplit,
        "select id, name from orders",
        "select name, id from orders",
        ORDER,
    ),
    (
        Side::WeSplit,
        "select o.id from orders as o",
        "select o.id from orders o",
        SPELL,
    ),
    (Side::WeSplit, "set search_path = a, b", "set search_path to a", SPELL),
    (
        Side::WeSplit,
        "set session work_mem = '64MB'",
        "set work_mem = '64MB'",
        SPELL,
    ),
    (
        Side::WeSplit,
        "set session work_mem = '64MB'",
        "set work_mem to 1000",
        SPELL,
    ),
    (Side::WeSplit, "set time zone 'UTC'", "set timezone = 'UTC'", SPELL),
    (Side::WeSplit, "truncate orders", "truncate table orders", SPELL),
    (
        Side::WeSplit,
        "update orders set name = 'a' where id = 1",
        "update orders set name = default where id = 1",
        CONST,
    ),
    (
        Side::WeSplit,
        "update orders set total = total + 1 where id = 1",
        "update orders set total = total + 2 where id in (1,2)",
        IN,
    ),
    (Side::WeSplit, "vacuum (analyze) orders", "vacuum analyze orders", SPELL),
    (Side::WeSplit, "vacuum (full) orders", "vacuum full orders", SPELL),
    (Side::WeSplit, "values (1)", "values (1, 2)", ARGS),
    (
        Side::WeJoin,
        "comment on table t is 'x'",
        "comment on table t is 'y'",
        VALUE,
    ),
    (
        Side::WeJoin,
        "copy orders to '/tmp/x'",
        "copy orders to '/tmp/y'",
        VALUE,
    ),
    (
        Side::WeJoin,
        "create role bob password 'x'",
        "create role bob password 'y'",
        VALUE,
    ),
    (
        Side::WeJoin,
        "create sequence q start 1",
        "create sequence q start 5",
        VALUE,
    ),
    (
        Side::WeJoin,
        "create server s foreign data wrapper w options (host 'x')",
        "create server s foreign data wrapper w options (host 'y')",
        VALUE,
    ),
    (
        Side::WeJoin,
        "create subscription s connection 'host=x' publication p",
        "create subscription s connection 'host=y' publication p",
        VALUE,
    ),
    (
        Side::WeJoin,
        "create table t (id int) with (fillfactor = 70)",
        "create table t (id int) with (fillfactor = 80)",
        VALUE,
    ),
    (Side::WeJoin, "fetch 10 from c", "fetch 20 from c", VALUE),
    (Side::WeJoin, "select +1", "select 1", SIGN),
    (
        Side::WeSplit,
        "create function f() returns int language sql as 'select 1'",
        "create function f() returns int language sql set search_path = a as 'select 1'",
        CLAUSE,
    ),
    (
        Side::WeSplit,
        "do $$begin null; end$$",
        "do language plpgsql 'begin end'",
        SPELL,
    ),
    (
        Side::WeSplit,
        "set role bob",
        "set role none",
        CONST,
    ),
    (
        Side::WeJoin,
        "alter server s options (add password 'x', set host 'y', drop port)",
        "alter server s options (add password 'y', set host 'x', drop port)",
        VALUE,
    ),
    (
        Side::WeJoin,
        "alter subscription s set (slot_name = a)",
        "alter subscription s set (slot_name = b)",
        VALUE,
    ),
    (
        Side::WeJoin,
        "alter table t set (autovacuum_enabled = off)",
        "alter table t set (autovacuum_enabled = on)",
        VALUE,
    ),
    (
        Side::WeJoin,
        "create index i on t (a) with (buffering = auto)",
        "create index i on t (a) with (buffering = off)",
        VALUE,
    ),
    (
        Side::WeJoin,
        "load 'x'",
        "load 'y'",
        VALUE,
    ),
];
