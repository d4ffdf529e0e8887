//! The statements: hostile ones that must be refused or come to nothing, and harmless ones that must run.

/// What must become of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// It is offered, and `run-sql` refuses it with these words.
    Refused(&'static str),
    /// The report offers nothing that would run it.
    NotOffered,
    /// It runs.
    Runs,
}

/// A statement of the application.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What the application or its owner made before.
    pub(crate) setup: &'static str,
    pub(crate) statement: &'static str,
    /// What stands in the log in place of a part of the statement: anyone can write log lines, and values are not compared.
    pub(crate) claims: Option<(&'static str, &'static str)>,
    /// What takes away again a setup that would refuse everything else.
    pub(crate) undo: &'static str,
    pub(crate) expect: Expect,
    pub(crate) why: &'static str,
}

const fn row(name: &'static str, statement: &'static str, expect: Expect, why: &'static str) -> Row {
    Row {
        name,
        setup: "",
        statement,
        claims: None,
        undo: "",
        expect,
        why,
    }
}

impl Row {
    const fn setup(mut self, setup: &'static str) -> Self {
        self.setup = setup;
        self
    }

    const fn undo(mut self, undo: &'static str) -> Self {
        self.undo = undo;
        self
    }

    const fn claims(mut self, from: &'static str, to: &'static str) -> Self {
        self.claims = Some((from, to));
        self
    }
}

/// Functions that lie about themselves: each says `CANARY` in the server's log when it is called. `is_lying` has no expression, which
/// would give the statement that is being analysed its own query id in the log.
pub(crate) const COMMON: &str = r"
CREATE EXTENSION dblink; CREATE EXTENSION file_fdw; CREATE EXTENSION postgres_fdw; CREATE EXTENSION tablefunc;
CREATE FUNCTION lies(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN $1; END$$;
CREATE FUNCTION lies2(int, int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN true; END$$;
CREATE FUNCTION lies_step(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$;
CREATE FUNCTION is_lying(int, OUT boolean) LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; END$$;
CREATE FUNCTION definer(int) RETURNS int LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$BEGIN RAISE LOG 'CANARY'; RETURN $1; END$$;
CREATE FUNCTION wrapper(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT public.lies($1)';
CREATE FUNCTION anything(anyelement) RETURNS anyelement LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN $1; END$$;
CREATE OPERATOR @#@ (LEFTARG = int, RIGHTARG = int, FUNCTION = lies2);
CREATE DOMAIN lying AS int CHECK (is_lying(VALUE)); CREATE TYPE holds_lying AS (a int, b lying);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE outside (line text) SERVER files OPTIONS (filename '/etc/hostname');
";

const VOLATILE: Expect = Expect::Refused("a function with a name that it uses is volatile");
const CODE: Expect = Expect::Refused("a function with a name that it uses");
const FIELD: Expect = Expect::Refused("a column that it names could be a call");
const OPERATOR: Expect = Expect::Refused("an operator that it uses");
const TREE: Expect = Expect::Refused("a view, row security policy or domain check behind it");
const FOREIGN: Expect = Expect::Refused("a foreign table");
const PLANNED: Expect = Expect::Refused("which the planner may call");
const LARGE: Expect = Expect::Refused("unknown or great size");
const RECURSIVE: Expect = Expect::Refused("recursive (WITH RECURSIVE)");
const UNKNOWN: Expect = Expect::Refused("not known to be harmless");
const LOCKS: Expect = Expect::Refused("locks rows");
const WRITES: Expect = Expect::Refused("a common table expression that writes");
const COST: Expect = Expect::Refused("over the limit");

pub(crate) const HOSTILE: &[Row] = &[
    // Spellings.
    row("stacked", "SELECT id FROM item WHERE id = 1; DROP TABLE IF EXISTS nothing", Expect::NotOffered, "two statements are no sample"),
    row("stacked in the log only", "SELECT id FROM item WHERE id = 2", Expect::NotOffered, "the log claims a second statement")
        .claims("id = 2", "id = 2; DROP TABLE victim"),
    row("commit first", "SELECT id FROM item WHERE id = 3", Expect::NotOffered, "ends the read-only transaction")
        .claims("SELECT id FROM item", "COMMIT; DELETE FROM victim; SELECT id FROM item"),
    row("nested comment", "SELECT /* a /* b */ c */ pg_sleep(0), 1", VOLATILE, "comments hide a call from a scanner"),
    row("line comment", "SELECT 1, -- pg_catalog.abs(\n pg_sleep(0)", VOLATILE, "a line end ends the comment"),
    row("dollar quotes", "SELECT $a$ it's $a$, pg_sleep(0), $$;$$", VOLATILE, "quotes that a scanner does not know"),
    row("unicode identifier", "SELECT U&\"\\0070g_sleep\"(0), 'u'", VOLATILE, "the name is not in the text"),
    row("unicode with own escape", "SELECT U&\"!0070g_sleep\" UESCAPE '!' (0), 'v'", VOLATILE, "nor with another escape"),
    row("quoted and qualified", "SELECT \"pg_catalog\".\"pg_sleep\"(0), 1, 2, 3", VOLATILE, "the name in quotes"),
    row("look-alike letters", "SELECT pg_ѕleep(0)", CODE, "a Cyrillic letter names another function, of the application")
        .setup("CREATE FUNCTION pg_ѕleep(int) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$"),
    row("multi-byte before a quote", "SELECT 'é\u{a5}\\' AS a, pg_sleep(0) AS b", Expect::NotOffered, "a backslash before a quote leaves the rest in doubt, so the log gives no sample"),
    // Calls that do something by themselves.
    row("sleep", "SELECT pg_sleep(0)", VOLATILE, "holds a session"),
    row("sleep for", "SELECT pg_sleep_for('0 seconds')", VOLATILE, "written in SQL by the server itself"),
    row("sleep until", "SELECT pg_sleep_until('2000-01-01')", VOLATILE, "the same"),
    row("in FROM", "SELECT * FROM pg_read_file('PG_VERSION') AS f", VOLATILE, "a function in FROM is no call expression"),
    row("in LATERAL", "SELECT id FROM item, LATERAL pg_sleep(0) AS s WHERE id < 2", VOLATILE, "nor here"),
    row("in ROWS FROM", "SELECT * FROM ROWS FROM (generate_series(1, 2), pg_ls_dir('.')) AS t LIMIT 1", VOLATILE, "nor here"),
    row("in ORDER BY", "SELECT id FROM item WHERE id < 3 ORDER BY random()", VOLATILE, "random order"),
    row("in FILTER", "SELECT count(*) FILTER (WHERE random() > 2) FROM item", VOLATILE, "inside an aggregate"),
    row("in a window", "SELECT sum(id) OVER (ORDER BY random()) FROM item WHERE id < 3", VOLATILE, "inside a window"),
    row("in LIMIT", "SELECT id FROM item LIMIT (SELECT 1 FROM pg_sleep(0))", VOLATILE, "inside LIMIT"),
    row("in a CTE nobody reads", "WITH s AS MATERIALIZED (SELECT pg_sleep(0)) SELECT id FROM item WHERE id = 1", VOLATILE, "may never run, and may"),
    row("behind WHERE false", "SELECT lo_create(0) WHERE false", VOLATILE, "what does not run today may tomorrow"),
    row("advisory lock", "SELECT pg_advisory_lock(42), pg_advisory_unlock(42)", VOLATILE, "READ ONLY does not stop it"),
    row("advisory lock in a transaction", "SELECT pg_try_advisory_xact_lock(43)", VOLATILE, "nor this"),
    row("setting", "SELECT set_config('work_mem', '64MB', false)", VOLATILE, "nor SET"),
    row("terminate", "SELECT pg_terminate_backend(0) WHERE false", VOLATILE, "ends others' sessions"),
    row("terminate all", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE false", VOLATILE, "by a view of the server"),
    row("cancel", "SELECT pg_cancel_backend(0) WHERE false", VOLATILE, "ends others' statements"),
    row("reload", "SELECT pg_reload_conf() WHERE false", VOLATILE, "reloads the server"),
    row("rotate", "SELECT pg_rotate_logfile() WHERE false", VOLATILE, "rotates its log"),
    row("switch WAL", "SELECT pg_switch_wal() WHERE false", VOLATILE, "switches WAL"),
    row("read binary file", "SELECT pg_read_binary_file('PG_VERSION')", VOLATILE, "reads a file"),
    row("stat file", "SELECT (pg_stat_file('PG_VERSION')).size", VOLATILE, "looks at a file"),
    row("import large object", "SELECT lo_import('PG_VERSION') WHERE false", VOLATILE, "reads a file into the database"),
    row("get large object", "SELECT lo_get(1) WHERE false", VOLATILE, "reads a large object"),
    row("next value", "SELECT nextval('counter')", VOLATILE, "changes a sequence"),
    row("set value", "SELECT setval('counter', 1)", VOLATILE, "sets a sequence"),
    row("current value", "SELECT currval('counter') WHERE false", VOLATILE, "belongs to the session"),
    row("notify", "SELECT pg_notify('canary', 'sung')", VOLATILE, "reaches listeners"),
    row("WAL message", "SELECT pg_logical_emit_message(false, 'a', 'b')", VOLATILE, "writes WAL at once"),
    row("transaction id", "SELECT txid_current()", VOLATILE, "declared stable, and assigns one"),
    row("transaction id, new name", "SELECT pg_current_xact_id()", VOLATILE, "the same"),
    row("export snapshot", "SELECT pg_export_snapshot()", VOLATILE, "writes a file"),
    row("random", "SELECT random() < 2", VOLATILE, "volatile and harmless, and refused"),
    row("clock", "SELECT clock_timestamp() > now()", VOLATILE, "volatile"),
    row("reset statistics", "SELECT pg_stat_reset() WHERE false", VOLATILE, "forgets statistics"),
    row("replication slot", "SELECT pg_create_physical_replication_slot('s') WHERE false", VOLATILE, "makes a slot"),
    row("dblink", "SELECT * FROM dblink('dbname=none', 'DROP TABLE victim') AS t (a int) WHERE false LIMIT 0", VOLATILE, "a connection of its own is not read only"),
    row("query_to_xml", "SELECT query_to_xml('SELECT pg_sleep(0)', true, false, '')", VOLATILE, "runs SQL out of a value"),
    row("table_to_xml", "SELECT table_to_xml('victim', true, false, '')", VOLATILE, "reads a table out of a value"),
    row("ts_stat", "SELECT * FROM ts_stat('SELECT ''a''::tsvector')", VOLATILE, "runs SQL out of a value"),
    row("crosstab", "SELECT * FROM crosstab('SELECT 1, 1, lies(1)') AS t (a int, b int)", CODE, "declared stable, in C, and runs SQL out of a value"),
    row("connectby", "SELECT * FROM connectby('item', 'id', 'id', '1', 1) AS t (a int, b int, l int)", CODE, "builds SQL out of values"),
    row("input function of a domain", "SELECT record_in('(1,2)'::cstring, 'holds_lying'::regtype, -1)", VOLATILE, "a type by its oid runs its checks"),
    row("input function of an array", "SELECT array_in('{1}'::cstring, 'lying'::regtype, -1)", VOLATILE, "the same"),
    // Code of the application behind something that does not look like code.
    row("volatile function", "SELECT honest(1)", CODE, "a volatile function")
        .setup("CREATE FUNCTION honest(int) RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$"),
    row("function that lies", "SELECT lies(id) FROM item WHERE id < 2", CODE, "declared immutable"),
    row("function that lies, folded", "SELECT id FROM item WHERE id = lies(1)", CODE, "the planner itself would call it"),
    row("SECURITY DEFINER", "SELECT definer(1)", CODE, "runs with its owner's rights"),
    row("SQL wrapper", "SELECT wrapper(1)", CODE, "the planner inlines it"),
    row("SQL body", "SELECT atomic(1)", CODE, "with a parsed body")
        .setup("CREATE FUNCTION atomic(i int) RETURNS int LANGUAGE sql STABLE RETURN lies(i)"),
    row("SQL body, two deep", "SELECT atomic_deep(1)", CODE, "what it calls is not looked at by name")
        .setup("CREATE FUNCTION atomic_inner(i int) RETURNS int LANGUAGE sql STABLE RETURN lies(i) + 1;
                CREATE FUNCTION atomic_deep(i int) RETURNS int LANGUAGE sql STABLE RETURN atomic_inner(i) + 1"),
    row("SQL body that calls itself", "SELECT atomic_again(3)", CODE, "twice as often at each call")
        .setup("CREATE FUNCTION atomic_again(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i;
                CREATE OR REPLACE FUNCTION atomic_again(i int) RETURNS int LANGUAGE sql IMMUTABLE
                  RETURN CASE WHEN i < 1 THEN 1 ELSE atomic_again(i - 1) + atomic_again(i - 1) END"),
    row("SQL body that writes", "SELECT atomic_write() WHERE false", CODE, "declared stable")
        .setup("CREATE FUNCTION atomic_write() RETURNS int LANGUAGE sql STABLE BEGIN ATOMIC UPDATE victim SET note = note; SELECT 1; END"),
    row("SQL body that reads", "SELECT atomic_read(1)", CODE, "the planner does not estimate it")
        .setup("CREATE FUNCTION atomic_read(i int) RETURNS bigint LANGUAGE sql STABLE RETURN (SELECT count(*) FROM item)"),
    row("SQL body of a definer", "SELECT atomic_definer(1)", CODE, "runs with its owner's rights")
        .setup("CREATE FUNCTION atomic_definer(i int) RETURNS int LANGUAGE sql STABLE SECURITY DEFINER RETURN i"),
    row("SQL body of somebody else", "SELECT atomic_theirs(1)", CODE, "who may give it another body before it runs")
        .setup("CREATE ROLE somebody; CREATE FUNCTION atomic_theirs(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN i;
                ALTER FUNCTION atomic_theirs OWNER TO somebody"),
    row("SQL body of a superuser that only computes", "SELECT atomic_honest(id) FROM item WHERE id < 3", Expect::Runs, "is looked through")
        .setup("CREATE FUNCTION atomic_honest(i int) RETURNS int LANGUAGE sql IMMUTABLE RETURN abs(i) * 2"),
    row("polymorphic", "SELECT anything(1)", CODE, "takes any type"),
    row("variadic", "SELECT many(1, 2, 3)", CODE, "takes any number")
        .setup("CREATE FUNCTION many(VARIADIC int[]) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$"),
    row("shadowed built-in", "SELECT abs(i) FROM item AS i WHERE id = 1", CODE, "a better match for the argument's type")
        .setup("CREATE FUNCTION abs(item) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$")
        .undo("DROP FUNCTION abs(item)"),
    row("shadowed by search_path", "SELECT upper(name) FROM item WHERE id = 1", CODE, "the application's path has its schema first")
        .setup("CREATE SCHEMA evil; CREATE FUNCTION evil.upper(text) RETURNS text LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 'x'; END$$;
                ALTER ROLE app SET search_path = evil, public, pg_catalog")
        .undo("DROP SCHEMA evil CASCADE; ALTER ROLE app RESET search_path"),
    row("another name for a volatile C function", "SELECT dozes(0)", CODE, "the library tells, not the name")
        .setup("CREATE FUNCTION dozes(float8) RETURNS void LANGUAGE internal IMMUTABLE AS 'pg_sleep'"),
    row("default of a parameter", "SELECT adds(1)", CODE, "the default is computed at the call")
        .setup("CREATE FUNCTION adds(int, int DEFAULT lies(1)) RETURNS int LANGUAGE internal IMMUTABLE AS 'int4pl'"),
    row("field that is a call", "SELECT i.tells FROM item AS i WHERE id = 1", FIELD, "t.f may be f(t)")
        .setup("CREATE FUNCTION tells(item) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$"),
    row("field that is a call, in brackets", "SELECT (i).tells, 1 FROM item AS i WHERE id = 1", FIELD, "the same"),
    row("field that is a variadic call", "SELECT i.shouts FROM item AS i WHERE id = 1", FIELD, "t.f may be f(VARIADIC t[])")
        .setup("CREATE FUNCTION shouts(VARIADIC item[]) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$"),
    row("field that is a call by a domain", "SELECT i.hums FROM item AS i WHERE id = 1", FIELD, "a domain over the row's type")
        .setup("CREATE DOMAIN some_item AS item;
                CREATE FUNCTION hums(some_item) RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 1; END$$"),
    row("operator", "SELECT id FROM item WHERE id @#@ 3 AND id < 3", OPERATOR, "an operator's function"),
    row("operator, qualified", "SELECT 3 OPERATOR(public.@#@) ANY (SELECT id FROM item WHERE id < 3)", OPERATOR, "with ANY"),
    row("BETWEEN", "SELECT id FROM item WHERE id BETWEEN 1 AND 2", OPERATOR, "implies >= and <= of the search path")
        .setup(EVIL_COMPARISON).undo(NO_EVIL),
    row("IN a sub-select", "SELECT id FROM item WHERE id IN (SELECT 1)", OPERATOR, "implies =").setup(EVIL_COMPARISON).undo(NO_EVIL),
    row("CASE with a value", "SELECT CASE id WHEN 1 THEN 2 END FROM item LIMIT 2", OPERATOR, "implies =").setup(EVIL_COMPARISON).undo(NO_EVIL),
    row("USING", "SELECT 1 FROM item AS a JOIN victim AS b USING (id)", OPERATOR, "implies =").setup(EVIL_COMPARISON).undo(NO_EVIL),
    row("NATURAL", "SELECT 1 FROM item AS a NATURAL JOIN victim AS b", OPERATOR, "implies =").setup(EVIL_COMPARISON).undo(NO_EVIL),
    row("NULLIF", "SELECT nullif(id, 3) FROM item LIMIT 2", OPERATOR, "implies =").setup(EVIL_COMPARISON).undo(NO_EVIL),
    row("DISTINCT FROM", "SELECT id IS DISTINCT FROM 3 FROM item LIMIT 2", OPERATOR, "implies =").setup(EVIL_COMPARISON).undo(NO_EVIL),
    row("aggregate", "SELECT lying_sum(id) FROM item WHERE id < 3", Expect::Refused("an aggregate with a name that it uses"), "its step is code")
        .setup("CREATE AGGREGATE lying_sum(int) (SFUNC = lies_step, STYPE = int)"),
    row("aggregate as a window", "SELECT lying_sum(id) OVER () FROM item WHERE id < 3", Expect::Refused("an aggregate with a name that it uses"), "the same"),
    row("cast", "SELECT id FROM item WHERE id = 1 AND id::int4 < 5", Expect::Refused("has a cast"), "casts apply by themselves")
        .setup("CREATE FUNCTION as_point(int) RETURNS point LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN '(1,1)'; END$$;
                CREATE CAST (int AS point) WITH FUNCTION as_point(int) AS IMPLICIT")
        .undo("DROP CAST (int AS point)"),
    row("operator class", "SELECT DISTINCT p FROM (VALUES (point(1, 1)), (point(2, 2))) AS v (p)", Expect::Refused("has an operator class"), "DISTINCT compares with it")
        .setup("CREATE FUNCTION point_cmp(point, point) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE LOG 'CANARY'; RETURN 0; END$$;
                CREATE FUNCTION point_lt(point, point) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN false; END$$;
                CREATE FUNCTION point_eq(point, point) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN true; END$$;
                CREATE OPERATOR <# (LEFTARG = point, RIGHTARG = point, FUNCTION = point_lt);
                CREATE OPERATOR =# (LEFTARG = point, RIGHTARG = point, FUNCTION = point_eq);
                CREATE OPERATOR CLASS point_lies DEFAULT FOR TYPE point USING btree AS OPERATOR 1 <#, OPERATOR 3 =#, FUNCTION 1 point_cmp(point, point)")
        .undo("DROP OPERATOR FAMILY point_lies USING btree CASCADE; DROP OPERATOR CLASS IF EXISTS point_lies USING btree CASCADE"),
    row("domain", "SELECT 7::lying", TREE, "a domain's check is code"),
    row("array of a domain, as a text", "SELECT '{1,2}'::lying[]", TREE, "analysing it already runs the check"),
    row("row with a domain, as a text", "SELECT '(1,2)'::holds_lying", TREE, "the same"),
    row("row with a domain", "SELECT ROW(1, 2)::holds_lying", TREE, "a field's check"),
    row("range over a domain", "SELECT '[1,2]'::lying_range", TREE, "its bounds' checks").setup("CREATE TYPE lying_range AS RANGE (SUBTYPE = lying)"),
    row("record of a domain", "SELECT * FROM jsonb_to_record('{\"a\": 1}') AS r (a lying)", TREE, "a column definition"),
    row("column of a domain", "SELECT id FROM typed", TREE, "comparing or reading it may run the check").setup("CREATE TABLE typed (id int, l lying)"),
    row("literal for a domain's column", "SELECT id FROM arrays WHERE l = '{5}'", TREE, "the literal takes the column's type").setup("CREATE TABLE arrays (id int, l lying[])"),
    row("argument of a domain", "SELECT takes('{1}')", TREE, "the literal takes the argument's type")
        .setup("CREATE FUNCTION takes(lying[]) RETURNS int LANGUAGE internal IMMUTABLE AS 'array_ndims'"),
    // Relations.
    row("view of a volatile", "SELECT id FROM random_view WHERE id = 1", TREE, "a view").setup("CREATE VIEW random_view AS SELECT id, random() AS r FROM item"),
    row("view of a view", "SELECT id FROM deep_view WHERE id = 1", TREE, "two deep").setup("CREATE VIEW deep_view AS SELECT id FROM random_view"),
    row("view of a function that lies", "SELECT id FROM lying_view WHERE id = 1", TREE, "a view").setup("CREATE VIEW lying_view AS SELECT id, lies(id) AS n FROM item"),
    row("view of an operator", "SELECT id FROM operator_view WHERE id = 1", TREE, "a view").setup("CREATE VIEW operator_view AS SELECT id FROM item WHERE id @#@ 1"),
    row("view that locks", "SELECT id FROM locking_view", TREE, "a view").setup("CREATE VIEW locking_view AS SELECT id FROM item WHERE id < 3 FOR UPDATE"),
    row("view by a rule", "SELECT id FROM ruled", TREE, "a rule makes a view")
        .setup("CREATE VIEW ruled AS SELECT id FROM item; CREATE OR REPLACE RULE \"_RETURN\" AS ON SELECT TO ruled DO INSTEAD SELECT lies(id) AS id FROM item WHERE id < 3"),
    row("view of a sub-select", "SELECT id FROM sub_view", TREE, "a sub-select in a view")
        .setup("CREATE VIEW sub_view AS SELECT id FROM item WHERE id = (SELECT lies(1))"),
    row("view of a sequence", "SELECT * FROM sequence_view", FOREIGN, "a sequence").setup("CREATE VIEW sequence_view AS SELECT last_value FROM counter"),
    row("policy", "SELECT id FROM guarded", TREE, "a row security policy")
        .setup("CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                CREATE POLICY lie ON guarded USING (lies(id) > 0)"),
    row("policy of a volatile", "SELECT id FROM guarded_randomly", TREE, "a row security policy")
        .setup("CREATE TABLE guarded_randomly (id int); ALTER TABLE guarded_randomly ENABLE ROW LEVEL SECURITY;
                CREATE POLICY lie ON guarded_randomly USING (random() > 0)"),
    row("foreign table of a file", "SELECT line FROM outside", FOREIGN, "reads a file"),
    row("foreign table of a server", "SELECT a FROM remote WHERE false", FOREIGN, "opens a connection")
        .setup("CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'none'); CREATE FOREIGN TABLE remote (a int) SERVER other"),
    row("foreign partition", "SELECT line FROM parted WHERE id = 1", FOREIGN, "a partition of it")
        .setup("CREATE TABLE parted (id int, line text) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
                CREATE FOREIGN TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20) SERVER files OPTIONS (filename '/dev/null')"),
    row("foreign child", "SELECT line FROM parent", FOREIGN, "a child of it")
        .setup("CREATE TABLE parent (line text); CREATE FOREIGN TABLE child () INHERITS (parent) SERVER files OPTIONS (filename '/dev/null')"),
    row("index predicate", "SELECT id FROM partly", PLANNED, "the planner computes its constant part").setup("CREATE TABLE partly (id int); CREATE INDEX ON partly (id) WHERE is_lying(7)"),
    row("index expression", "SELECT id FROM indexed", PLANNED, "the same").setup("CREATE TABLE indexed (id int); CREATE INDEX ON indexed ((id + lies(7)))"),
    row("check constraint", "SELECT id FROM checked", PLANNED, "constraint exclusion computes it")
        .setup("CREATE TABLE checked (id int CHECK (is_lying(3))); CREATE TABLE checked_child () INHERITS (checked)"),
    row("statistics object", "SELECT id FROM measured", PLANNED, "the same").setup("CREATE TABLE measured (id int); CREATE STATISTICS m ON (lies(5)), id FROM measured"),
    row("partition key", "SELECT id FROM keyed", PLANNED, "the same").setup("CREATE TABLE keyed (id int) PARTITION BY RANGE ((id + lies(1)))"),
    row("TABLESAMPLE", "SELECT id FROM item TABLESAMPLE bernoulli (random() * 100)", Expect::Refused("not known to be harmless"), "its argument is computed first"),
    row("XMLTABLE", "SELECT x.a FROM xmltable('/r' PASSING ('<r/>'::xml) COLUMNS a text PATH 'a' DEFAULT lies(1)::text) AS x", UNKNOWN, "a grammar of its own"),
    // Locks and writes.
    row("FOR UPDATE", "SELECT id FROM item WHERE id = 1 FOR UPDATE", LOCKS, "locks rows"),
    row("FOR SHARE in a sub-select", "SELECT 1 FROM (SELECT id FROM item WHERE id = 1 FOR SHARE) AS s", LOCKS, "locks rows"),
    row("FOR KEY SHARE in a CTE", "WITH k AS (SELECT id FROM item WHERE id = 1 FOR KEY SHARE) SELECT id FROM k", LOCKS, "locks rows"),
    row("INSERT in a CTE", "WITH w AS (INSERT INTO victim VALUES (2, 'x') ON CONFLICT DO NOTHING RETURNING id) SELECT id FROM w WHERE false", WRITES, "writes"),
    row("DELETE in a CTE", "WITH w AS (DELETE FROM victim WHERE false RETURNING id) SELECT id FROM w", WRITES, "writes"),
    row("UPDATE in a CTE", "WITH w AS (UPDATE victim SET note = 'w' WHERE false RETURNING id) SELECT id FROM w", WRITES, "writes"),
    row("SELECT INTO", "SELECT id INTO TEMP TABLE copied FROM item WHERE id < 2", Expect::Refused("none that EXPLAIN can plan"), "creates a table"),
    row("CREATE TABLE AS", "CREATE TEMP TABLE copied_too AS SELECT id FROM item WHERE id < 2", Expect::NotOffered, "creates a table"),
    row("INSERT RETURNING", "INSERT INTO victim VALUES (3, 'y') ON CONFLICT DO NOTHING RETURNING id", Expect::NotOffered, "writes"),
    row("UPDATE RETURNING", "UPDATE victim SET note = note WHERE false RETURNING id", Expect::NotOffered, "writes"),
    row("DELETE RETURNING", "DELETE FROM victim WHERE false RETURNING id", Expect::NotOffered, "writes"),
    row("MERGE", "MERGE INTO victim AS v USING item AS i ON v.id = i.id AND false WHEN MATCHED THEN DELETE", Expect::NotOffered, "writes"),
    row("trigger", "UPDATE watched SET id = id", Expect::NotOffered, "a trigger runs at a write only")
        .setup("CREATE TABLE watched (id int); CREATE FUNCTION on_write() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE LOG 'CANARY'; RETURN NEW; END$$;
                CREATE TRIGGER t BEFORE UPDATE ON watched EXECUTE FUNCTION on_write()"),
    row("COPY TO PROGRAM", "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null'", Expect::NotOffered, "runs a program"),
    row("COPY TO STDOUT", "COPY (SELECT 1) TO STDOUT", Expect::NotOffered, "no SELECT"),
    row("DO", "DO $$BEGIN PERFORM 1; END$$", Expect::NotOffered, "runs code"),
    row("PREPARE", "PREPARE p AS SELECT id FROM item WHERE id = 1", Expect::NotOffered, "no SELECT"),
    row("EXPLAIN itself", "EXPLAIN (ANALYZE) DELETE FROM victim WHERE false", Expect::NotOffered, "no SELECT"),
    row("SHOW", "SHOW work_mem", Expect::NotOffered, "no SELECT"),
    row("SET", "SET work_mem = '8MB'", Expect::NotOffered, "no SELECT"),
    row("LOCK", "BEGIN; LOCK TABLE victim; COMMIT", Expect::NotOffered, "locks"),
    row("LISTEN", "LISTEN somewhere", Expect::NotOffered, "no SELECT"),
    row("VALUES of a volatile", "VALUES (nextval('counter'))", VOLATILE, "VALUES computes, too"),
    // Bombs: the application ran a small one, the log claims a great one.
    row("cross join", "SELECT a.id FROM item AS a, item AS b, item AS c LIMIT 7", COST, "eight thousand million rows")
        .claims("LIMIT 7", "LIMIT 2000000000"),
    row("series", "SELECT count(*) FROM generate_series(1, 10) AS g", COST, "ten thousand million rows").claims("(1, 10)", "(1, 2000000000)"),
    row("series of series", "SELECT count(*) FROM generate_series(1, 10) AS a, generate_series(1, 10) AS b", COST, "a product")
        .claims("(1, 10) AS a, generate_series(1, 10)", "(1, 1000000) AS a, generate_series(1, 1000000)"),
    row("recursion without end", "WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 50) SELECT sum(n) FROM r", RECURSIVE, "the planner takes ten times the first rows")
        .claims("n < 50", "n > 0"),
    row("a text that doubles", "WITH RECURSIVE r (t) AS (VALUES ('x') UNION ALL SELECT t || t FROM r WHERE length(t) < 9) SELECT count(*) FROM r", RECURSIVE, "a gigabyte after thirty rows")
        .claims("< 9", "< 900000000"),
    row("recursion in a sub-select", "SELECT id FROM item WHERE id = (WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT max(n) FROM r)", RECURSIVE, ""),
    row("a cycle that is looked for", "WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n % 9 + 1 FROM r) CYCLE n SET seen USING path SELECT count(*) FROM r", RECURSIVE, ""),
    row("recursion in a view", "SELECT count(*) FROM counted", RECURSIVE, "the view's tree says so")
        .setup("CREATE VIEW counted AS WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 50) SELECT n FROM r"),
    row("recursion in a policy", "SELECT id FROM ladders WHERE id > 0", RECURSIVE, "the policy's tree says so")
        .setup("CREATE TABLE ladders (id int); ALTER TABLE ladders ENABLE ROW LEVEL SECURITY;
                CREATE POLICY bounded ON ladders USING (id IN (WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 50) SELECT n FROM r))"),
    row("repeat", "SELECT length(repeat('x', 10))", LARGE, "a gigabyte for the price of nothing").claims("'x', 10)", "'x', 1000000000)"),
    row("repeat in repeat", "SELECT length(repeat(repeat('x', 10), 10))", LARGE, "a product"),
    row("repeat by a column", "SELECT max(length(repeat(name, id))) FROM item", LARGE, "by a value of the data"),
    row("lpad", "SELECT length(lpad('x', 10))", LARGE, "the same").claims("'x', 10)", "'x', 1000000000)"),
    row("array_fill", "SELECT array_fill(1, ARRAY[10])", LARGE, "the same").claims("[10]", "[100000000]"),
    row("very long", "SELECT 1 + 1", Expect::NotOffered, "longer than a sample may be").claims("1 + 1", LONG),
    row("very deep", "SELECT 1 * 1", Expect::Refused("does not parse"), "more brackets than a stack holds").claims("1 * 1", DEEP),
];

const EVIL_COMPARISON: &str = "CREATE SCHEMA evil;
CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = public.lies2);
CREATE OPERATOR evil.>= (LEFTARG = int, RIGHTARG = int, FUNCTION = public.lies2);
CREATE OPERATOR evil.<= (LEFTARG = int, RIGHTARG = int, FUNCTION = public.lies2);
ALTER ROLE app SET search_path = evil, public, pg_catalog";
const NO_EVIL: &str = "DROP SCHEMA evil CASCADE; ALTER ROLE app RESET search_path";

/// Stands for a sum of over 64 KiB.
const LONG: &str = "<long>";

/// Stands for twenty thousand brackets.
const DEEP: &str = "<deep>";

/// What stands in the log for what a row claims.
pub(crate) fn claimed(claims: &str) -> String {
    match claims {
        LONG => format!("1{}", "+1".repeat(35_000)),
        DEEP => format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        other => other.to_owned(),
    }
}

/// Statements that must run, or the gate is of no use; by the least role.
pub(crate) const BENIGN: &[Row] = &[
    row("filter and sort", "SELECT name FROM item WHERE price BETWEEN 10 AND 400 AND name LIKE 'name 1%' ORDER BY name", Expect::Runs, ""),
    row("aggregate", "SELECT count(*), max(sold), avg(price) FROM item AS i WHERE i.sold > '2024-01-01 05:00' AND id IN (1, 2, 3)", Expect::Runs, ""),
    row("join", "SELECT a.id FROM item AS a LEFT JOIN item AS b ON b.id = a.id + 1 WHERE a.id < 50", Expect::Runs, ""),
    row("join by name", "SELECT note FROM item JOIN victim USING (id)", Expect::Runs, ""),
    row("window", "SELECT id, rank() OVER (PARTITION BY id % 7 ORDER BY price DESC) FROM item WHERE abs(id) < 90 LIMIT 5", Expect::Runs, ""),
    row("grouping sets", "SELECT id % 3, count(*) FROM item GROUP BY ROLLUP (id % 3)", Expect::Runs, ""),
    row("stable functions", "SELECT id FROM item WHERE sold < now() - interval '3 days' AND sold < current_date LIMIT 3", Expect::Runs, ""),
    row("built-in in SQL", "SELECT lpad(name, 12), bit_length(name), round(price) FROM item WHERE id < 9", Expect::Runs, "functions that the server wrote in SQL"),
    row("sub-selects", "SELECT id FROM item AS i WHERE EXISTS (SELECT FROM victim AS v WHERE v.id = i.id) AND id IN (SELECT id FROM victim)", Expect::Runs, ""),
    row("CASE", "SELECT CASE id WHEN 1 THEN 'one' ELSE coalesce(name, '-') END FROM item LIMIT 3", Expect::Runs, ""),
    row("json", "SELECT jsonb_build_object('id', id) ->> 'id' FROM item WHERE id < 4", Expect::Runs, ""),
    row("view", "SELECT id FROM cheap WHERE id < 40", Expect::Runs, "").setup("CREATE VIEW cheap AS SELECT id, name FROM item WHERE price < 100"),
    row("partitions", "SELECT count(*) FROM sales WHERE day >= '2024-02-01' AND day < '2024-03-01'", Expect::Runs, "")
        .setup("CREATE TABLE sales (day date, amount numeric) PARTITION BY RANGE (day);
                CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
                CREATE TABLE sales_2 PARTITION OF sales FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')"),
    row("enum and domain", "SELECT m FROM moods WHERE m = 'sad' AND d > 1", Expect::Runs, "")
        .setup("CREATE TYPE feeling AS ENUM ('sad', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
                CREATE TABLE moods (m feeling, d positive); INSERT INTO moods VALUES ('sad', 3)"),
    row("row security", "SELECT id FROM owned WHERE id > 0", Expect::Runs, "a policy of operators and stable functions")
        .setup("CREATE TABLE owned (id int, owner name); INSERT INTO owned VALUES (1, 'triage'); ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
                CREATE POLICY own ON owned USING (owner = current_user)"),
    row("materialised view", "SELECT id FROM kept WHERE id < 5", Expect::Runs, "what it was made from does not run again")
        .setup("CREATE MATERIALIZED VIEW kept AS SELECT id, random() AS r FROM item"),
    row("index on an expression", "SELECT id FROM item_names WHERE lower(name) = 'a'", Expect::Runs, "of built-in functions")
        .setup("CREATE TABLE item_names (id int, name text CHECK (length(name) < 99)); CREATE INDEX ON item_names (lower(name)) WHERE id > 0"),
    row("extension types", "SELECT c FROM texts WHERE c = 'Abc' ORDER BY c", Expect::Runs, "citext: functions in C, and other names for built-in ones")
        .setup("CREATE EXTENSION citext; CREATE TABLE texts (c citext); INSERT INTO texts VALUES ('abc')"),
];
