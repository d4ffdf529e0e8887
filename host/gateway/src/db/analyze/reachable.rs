//! What the sample can reach on the server, by the server's own catalogue.
//!
//! **In**: the names in the sample's tree, and the search path of whoever ran it. **Out**: what it reaches, as a digest, when all that
//! they can mean is harmless. **Trusted**: the system catalogues, and built-in functions that they say are not volatile, but for
//! those in [`BUILTINS_THAT_DO_MORE`]. **Can fail**: with the first finding, in our words.
//!
//! A name is not resolved the way the server does it; that would be a second parser's opinion. Everything that it *could* mean has to
//! be harmless: every function, aggregate, operator and type of that name in any schema. Operators that the grammar implies
//! (`BETWEEN`, `IN`, `USING`, `CASE x WHEN`) count as named. Views, row security policies and domain checks are resolved by oid, out of
//! the trees that the server stores, down to the tables. So it refuses more than it must.
//!
//! `a.b` may be a column, a call of a function or aggregate `b` with `a`, or a cast to a domain `b`, whatever `a` is. The planner puts an
//! operator's negator or commutator in its place, so an operator stands for those, and theirs. What a column definition list, a state of an
//! aggregate or a domain's check names as a type is a type behind it, too.
//!
//! Harmless is a function that is not declared volatile, and that is built in or written in C: what a SQL or PL function does, its
//! declaration does not tell. Nor is another name for a C function that is volatile under its own harmless, nor one that runs SQL
//! that it is given, or heeds no timeout. Triggers do not fire on SELECT.
//!
//! A function in SQL is looked through where the server itself holds what its names mean: a body in standard form (`RETURN …`,
//! `BEGIN ATOMIC`) is stored as a tree with oids, as a view is, and one in quotes is text whose names mean something when it runs.
//! PostgreSQL has no lock on functions, so it has to be a superuser's, as one in C is: nobody else can give it another body. (Who owns its
//! schema can drop it and make another one, as with one in C: the next look finds that, see [`super`].) And it only computes, since the
//! planner does not estimate what a body reads; it is called with the caller's rights and settings, not defined over users' types; all
//! that it calls is harmless, functions of its kind included; and it does not call itself.
//!
//! Further: no foreign table, not as a partition or child either; no sequence; no user-defined type whose input or output functions are
//! not harmless; no user-defined cast or operator class with such a function anywhere in the database, because these apply by
//! themselves; no such function in an index, constraint, partition key or statistics object of a table behind it, because the planner
//! computes constant parts of these.
//!
//! The questions are asked with a pinned search path. With the statement's own, whoever wrote the statement could have chosen what `=`
//! means in them.

use std::collections::BTreeSet;

use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use sqlx::postgres::types::Oid;

use crate::db::explain;
use crate::db::failure::Failure;
use crate::db::session::SEARCH_PATH;
use crate::db::statement::{Name, SIZED_FUNCTIONS, TreeFacts};
use crate::outcome::qualified;
use crate::words::OutcomeStatus;

/// Built-in functions that are not volatile and yet read tables by name, run a type's input function by name or oid, evaluate expressions of an
/// object that they are given the oid of, assign a transaction id, or compute in a library that heeds no timeout and no cancellation.
const BUILTINS_THAT_DO_MORE: [&str; 36] = [
    "table_to_xml",
    "table_to_xmlschema",
    "table_to_xml_and_xmlschema",
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "cursor_to_xml",
    "cursor_to_xmlschema",
    "schema_to_xml",
    "schema_to_xmlschema",
    "schema_to_xml_and_xmlschema",
    "database_to_xml",
    "database_to_xmlschema",
    "database_to_xml_and_xmlschema",
    "txid_current",
    "pg_current_xact_id",
    "pg_input_is_valid",
    "pg_input_error_info",
    "domain_in",
    "domain_recv",
    "record_in",
    "record_recv",
    "array_in",
    "array_recv",
    "range_in",
    "range_recv",
    "multirange_in",
    "multirange_recv",
    "fmgr_sql_validator",
    "pg_get_partition_constraintdef",
    "satisfies_hash_partition",
    "fmgr_c_validator",
    "fmgr_internal_validator",
    "xpath",
    "xpath_exists",
    "xmlexists",
];

/// Functions in C of extensions (tablefunc, xml2, PostGIS's address_standardizer) that are not declared volatile and run SQL that they are given,
/// or compute in a library that heeds no timeout. By their names in the library, which are the same under any name in the database.
const EXTENSIONS_THAT_DO_MORE: [&str; 14] = [
    "crosstab",
    "crosstab_hash",
    "connectby_text",
    "connectby_text_serial",
    "xpath_table",
    "xpath_nodeset",
    "xpath_list",
    "xpath_string",
    "xpath_number",
    "xpath_bool",
    "xslt_process",
    "standardize_address",
    "standardize_address1",
    "debug_standardize_address",
];

/// What a sample reaches: changes when one of the functions, operators or types that its names can mean is replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reached {
    digest: String,
}

/// Relations that this transaction has locked.
type Locked = BTreeSet<u32>;

/// Looks again and again at what one sample reaches.
pub(super) struct Watch<'a> {
    facts: &'a TreeFacts,
    path: &'a str,
    /// The session's setting of `jit`.
    jit: String,
    /// What is locked for questions of ours, before the server has analysed the sample.
    ours: Locked,
    /// What is locked for the sample.
    theirs: Locked,
}

impl<'a> Watch<'a> {
    /// The first look. Refuses when something is reachable that is not harmless. The session's search path is `path` afterwards.
    pub(super) async fn begin(
        connection: &mut PgConnection,
        facts: &'a TreeFacts,
        path: &'a str,
    ) -> Result<(Self, Reached), Failure> {
        let mut watch = Self {
            facts,
            path,
            jit: setting_of_jit(connection).await?,
            ours: Locked::new(),
            theirs: Locked::new(),
        };
        let reached = watch.once_more(connection).await?;
        watch.ours = locked(connection).await?;
        explain::use_search_path(connection, path).await?;
        Ok((watch, reached))
    }

    /// The same, once the server has analysed the sample. Names that mean other relations now than while it did cannot hide these: it has
    /// locked them.
    pub(super) async fn again(&mut self, connection: &mut PgConnection) -> Result<Reached, Failure> {
        let locked = locked(connection).await?;
        self.theirs = locked.difference(&self.ours).copied().collect();
        self.once_more(connection).await
    }

    /// The same after further questions of ours, which have locks of their own.
    pub(super) async fn once_more(&self, connection: &mut PgConnection) -> Result<Reached, Failure> {
        explain::use_search_path(connection, self.path).await?;
        let mut relations = relations(connection, self.facts).await?;
        relations.extend(self.theirs.iter().copied().map(Oid));
        set(connection, SEARCH_PATH, "off").await?;
        let reached = ask(connection, self.facts, relations).await?;
        set(connection, self.path, &self.jit).await?;
        Ok(reached)
    }
}

async fn setting_of_jit(connection: &mut PgConnection) -> Result<String, Failure> {
    sqlx::query_scalar("SELECT pg_catalog.current_setting('jit')")
        .fetch_one(connection)
        .await
        .map_err(|e| Failure::running(&e))
}

/// What questions are asked with. The planner thinks the largest of ours dear enough to compile, which takes several times as long as to
/// answer it.
async fn set(connection: &mut PgConnection, path: &str, jit: &str) -> Result<(), Failure> {
    sqlx::query("SELECT pg_catalog.set_config('search_path', $1, true), pg_catalog.set_config('jit', $2, true)")
        .bind(path)
        .bind(jit)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|e| Failure::running(&e))
}

/// Tables and views: indexes and what is toasted go with their tables. The search path is ours afterwards.
async fn locked(connection: &mut PgConnection) -> Result<Locked, Failure> {
    explain::use_search_path(connection, SEARCH_PATH).await?;
    let found: Vec<Oid> = sqlx::query_scalar(LOCKED)
        .fetch_all(connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    Ok(found.into_iter().map(|oid| oid.0).collect())
}

const LOCKED: &str = "
SELECT l.relation
  FROM pg_catalog.pg_lock_status() AS l
  JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
  JOIN pg_catalog.pg_database AS d ON d.oid = l.database
 WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND d.datname = pg_catalog.current_database()
   AND c.relkind NOT IN ('i', 'I', 't')";

/// The relations that the names mean under the search path in force. A name that means none is a common table expression.
async fn relations(connection: &mut PgConnection, facts: &TreeFacts) -> Result<Vec<Oid>, Failure> {
    let quoted = |name: &Name| qualified(name.schema.as_deref(), &name.name);
    let names: Vec<String> = facts.relations.iter().map(quoted).collect();
    let found: Vec<Option<Oid>> = sqlx::query_scalar(
        "SELECT pg_catalog.to_regclass(n.name)::pg_catalog.oid FROM pg_catalog.unnest($1::pg_catalog.text[]) AS n (name)",
    )
    .bind(names)
    .fetch_all(connection)
    .await
    .map_err(|e| Failure::running(&e))?;
    Ok(found.into_iter().flatten().collect())
}

async fn ask(connection: &mut PgConnection, facts: &TreeFacts, relations: Vec<Oid>) -> Result<Reached, Failure> {
    let names = |set: &BTreeSet<Name>| set.iter().map(|n| n.name.clone()).collect::<Vec<_>>();
    let fields: Vec<String> = facts.fields.iter().cloned().collect();
    let row = sqlx::query(REACHABLE)
        .bind(names(&facts.functions))
        .bind(names(&facts.operators))
        .bind(names(&facts.types))
        .bind(fields)
        .bind(relations)
        .bind(&BUILTINS_THAT_DO_MORE[..])
        .bind(&EXTENSIONS_THAT_DO_MORE[..])
        .bind(&SIZED_FUNCTIONS[..])
        .fetch_one(connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    for (column, what) in FINDINGS {
        // A finding that cannot be read counts as one.
        if row.try_get::<bool, _>(column).unwrap_or(true) {
            return Err(Failure::new(
                OutcomeStatus::Unavailable,
                format!("the sample may not be run: {what}"),
            ));
        }
    }
    let digest = row.try_get("digest").map_err(|_| {
        Failure::new(
            OutcomeStatus::Failed,
            "the server's answer about the sample is not understood",
        )
    })?;
    Ok(Reached { digest })
}

/// Columns of [`REACHABLE`], with what they mean.
const FINDINGS: [(&str, &str); 13] = [
    (
        "bad_function",
        "a function with a name that it uses is volatile, or is written in SQL or a procedural language and cannot be looked through",
    ),
    (
        "bad_field",
        "a column that it names could be a call of a function that is volatile or written in SQL or a procedural language and cannot be looked through",
    ),
    (
        "bad_aggregate",
        "an aggregate with a name that it uses has a function that is volatile, makes values of any size, or is written in SQL or a procedural \
         language and cannot be looked through",
    ),
    (
        "bad_operator",
        "an operator that it uses, or one that the planner may put in its place, has a function that is volatile, makes values of any size, or \
         is written in SQL or a procedural language and cannot be looked through",
    ),
    (
        "bad_relation",
        "it reads a foreign table or a sequence, or a table that has a foreign table as a partition or child",
    ),
    (
        "bad_tree",
        "a view, row security policy or domain check behind it uses something that is volatile, locks rows, or is written in SQL or a procedural language and cannot be looked through",
    ),
    (
        "recurses",
        "a view or row security policy behind it is recursive (WITH RECURSIVE), so neither its rows nor what they take can be estimated",
    ),
    (
        "bad_type",
        "a type behind it has functions that are volatile or written in SQL or a procedural language and cannot be looked through",
    ),
    (
        "bad_cast",
        "the database has a cast whose function is volatile or written in SQL or a procedural language and cannot be looked through",
    ),
    (
        "bad_opclass",
        "the database has an operator class whose function is written in SQL or a procedural language and cannot be looked through",
    ),
    (
        "bad_planned",
        "an index, constraint, partition key or statistics object of a table behind it has a function in SQL or a procedural language \
         that cannot be looked through, which the planner may call",
    ),
    (
        "is_free",
        "the server is told that computing costs nearly nothing (cpu_tuple_cost, cpu_index_tuple_cost or cpu_operator_cost is less than a tenth \
         of its default), so the limit of the cost bounds nothing",
    ),
    ("too_many", "more than 2,000 relations or types are behind it"),
];

/// $1 functions, $2 operators, $3 types, $4 fields, $5 relations, $6 built-in functions that do more, $7 C functions of extensions that do
/// more, $8 built-in functions that make a value as large as they are told: where the sample names them, what it tells them is looked at.
///
/// 12 and 13 are the languages `internal` and `c`; 16384 is the first oid of an object that a user made. A stored tree is searched as
/// text: what looks like a reference and is none makes a refusal more, and a string in it cannot hide one. `opfuncid` is left out
/// because the server does not trust it either: it looks `opno` up. A default of a parameter that is no constant counts as unknown.
/// `is_code` leaves out C functions that are volatile for want of a word: support functions of extensions often are. What a
/// materialised view was made from is not read with it. 14 is the language `sql`. `body` are the functions in SQL that may be looked
/// through as far as they themselves go, `looked_through` those whose calls, to any depth, allow it, too. `becomes` has for each operator
/// those that the planner may put in its place, itself among them, `operator_code` their functions. A function that takes a value of type
/// `internal` cannot be called in SQL. Volatile functions in an index or a constraint are not computed while planning, unless they are in SQL
/// and are replaced by their body.
const REACHABLE: &str = r#"
WITH RECURSIVE becomes (oid, other) AS (
SELECT o.oid, o.oid FROM pg_catalog.pg_operator AS o
 UNION
SELECT b.oid, n.other
  FROM becomes AS b JOIN pg_catalog.pg_operator AS o ON o.oid = b.other
 CROSS JOIN LATERAL (VALUES (o.oprnegate), (o.oprcom)) AS n (other)
 WHERE n.other <> 0
), operator_code (oid, code) AS MATERIALIZED (
SELECT b.oid, o.oprcode::oid FROM becomes AS b JOIN pg_catalog.pg_operator AS o ON o.oid = b.other
), alias AS MATERIALIZED (
SELECT p.prosrc, coalesce(p.probin, '') AS probin
  FROM pg_catalog.pg_proc AS p
 WHERE p.prolang IN (12, 13) AND p.prokind = 'f'
   AND (p.provolatile = 'v' OR (p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname = ANY ($6::text[])))
), declared AS MATERIALIZED (
SELECT p.oid, p.proname, p.provolatile, p.pronargs, p.pronargdefaults, p.provariadic, p.proargtypes[0] AS first_argument,
       (p.oid >= 16384 AND (p.prolang NOT IN (12, 13)
                            OR p.prosrc = ANY ($7::text[])
                            OR coalesce(p.proargdefaults::text ~ '\{(?!CONST|RELABELTYPE)', false)
                            OR (p.provolatile <> 'v' AND p.prokind = 'f'
                                AND (p.prosrc, coalesce(p.probin, '')) IN (SELECT a.prosrc, a.probin FROM alias AS a))))
         OR (p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname = ANY ($6::text[])) AS is_code
  FROM pg_catalog.pg_proc AS p
), sized AS MATERIALIZED (
SELECT p.oid FROM pg_catalog.pg_proc AS p
 WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname = ANY ($8::text[])
), body AS MATERIALIZED (
SELECT p.oid, p.xmin, p.prosqlbody::text AS tree
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
 WHERE p.oid >= 16384 AND p.prolang = 14 AND p.prosqlbody IS NOT NULL AND p.prokind = 'f' AND r.rolsuper
   AND NOT p.prosecdef AND p.proconfig IS NULL AND NOT p.proretset AND p.provolatile <> 'v'
   AND NOT coalesce(p.proargdefaults::text ~ '\{(?!CONST|RELABELTYPE)', false)
   AND p.prosqlbody::text !~ ':commandType (?!1 )|:rtable (?!<>)|:(?:func|op)retset true|\{(SUBLINK|AGGREF|WINDOWFUNC|NEXTVALUEEXPR|ROWCOMPARE|ROWCOMPAREEXPR|TABLEFUNC|ROWMARKCLAUSE|JSON)'
   AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes::oid[] || coalesce(p.proallargtypes, '{}') || p.prorettype) AS t (oid)
                    WHERE t.oid >= 16384)
   AND NOT EXISTS (SELECT FROM pg_catalog.regexp_matches(p.prosqlbody::text, 'type(?:id)? (\d+)', 'g') AS m (found)
                    WHERE m.found[1]::oid >= 16384)
), call (caller, callee) AS MATERIALIZED (
SELECT b.oid, m.found[1]::oid
  FROM body AS b CROSS JOIN LATERAL pg_catalog.regexp_matches(b.tree, ':funcid (\d+)', 'g') AS m (found)
 UNION
SELECT b.oid, o.code
  FROM body AS b
 CROSS JOIN LATERAL pg_catalog.regexp_matches(b.tree, ':(?:opno|eqop|sortop) (\d+)', 'g') AS m (found)
  JOIN operator_code AS o ON o.oid = m.found[1]::oid
), calls (caller, callee) AS (
SELECT c.caller, c.callee FROM call AS c
 UNION
SELECT s.caller, c.callee FROM calls AS s JOIN call AS c ON c.caller = s.callee
), looked_through AS MATERIALIZED (
SELECT b.oid, b.xmin
  FROM body AS b
 WHERE NOT EXISTS (
   SELECT FROM calls AS s JOIN declared AS d ON d.oid = s.callee
    WHERE s.caller = b.oid
      AND (d.provolatile = 'v'
           OR d.oid IN (SELECT z.oid FROM sized AS z)
           OR (coalesce(d.is_code, true) AND NOT EXISTS (SELECT FROM body AS other WHERE other.oid = d.oid))
           OR EXISTS (SELECT FROM calls AS again WHERE again.caller = d.oid AND again.callee = d.oid)))
), judged AS MATERIALIZED (
SELECT d.oid, d.proname, d.provolatile, d.pronargs, d.pronargdefaults, d.provariadic, d.first_argument,
       d.is_code AND NOT EXISTS (SELECT FROM looked_through AS l WHERE l.oid = d.oid) AS is_code
  FROM declared AS d
), unsafe AS MATERIALIZED (
SELECT j.* FROM judged AS j WHERE j.provolatile = 'v' OR coalesce(j.is_code, true)
), stored (relation, tree) AS MATERIALIZED (
SELECT w.ev_class, w.ev_action::text
  FROM pg_catalog.pg_rewrite AS w JOIN pg_catalog.pg_class AS c ON c.oid = w.ev_class
 WHERE w.ev_type = '1' AND c.relkind <> 'm'
 UNION ALL
SELECT l.polrelid, l.polqual::text FROM pg_catalog.pg_policy AS l WHERE l.polqual IS NOT NULL
), relation (oid) AS (
SELECT n.oid FROM pg_catalog.unnest($5::oid[]) AS n (oid)
 UNION
SELECT e.oid
  FROM relation AS r
 CROSS JOIN LATERAL (
   SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = r.oid
    UNION ALL
   SELECT m.found[1]::oid FROM stored AS s CROSS JOIN LATERAL pg_catalog.regexp_matches(s.tree, ':relid (\d+)', 'g') AS m (found)
    WHERE s.relation = r.oid) AS e
), reached_relation AS MATERIALIZED (
SELECT r.oid FROM relation AS r LIMIT 2001
), relation_tree AS MATERIALIZED (
SELECT s.tree FROM stored AS s JOIN reached_relation AS r ON r.oid = s.relation
 UNION ALL
SELECT d.adbin::text
  FROM pg_catalog.pg_attrdef AS d
  JOIN reached_relation AS r ON r.oid = d.adrelid
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
 WHERE a.attgenerated = 'v'
), planned (tree) AS MATERIALIZED (
SELECT i.indexprs::text FROM pg_catalog.pg_index AS i JOIN reached_relation AS r ON r.oid = i.indrelid
 UNION ALL
SELECT i.indpred::text FROM pg_catalog.pg_index AS i JOIN reached_relation AS r ON r.oid = i.indrelid
 UNION ALL
SELECT k.conbin::text FROM pg_catalog.pg_constraint AS k JOIN reached_relation AS r ON r.oid = k.conrelid
 UNION ALL
SELECT p.partexprs::text FROM pg_catalog.pg_partitioned_table AS p JOIN reached_relation AS r ON r.oid = p.partrelid
 UNION ALL
SELECT x.stxexprs::text FROM pg_catalog.pg_statistic_ext AS x JOIN reached_relation AS r ON r.oid = x.stxrelid
), named_function AS MATERIALIZED (
SELECT p.oid, p.xmin, p.proargtypes, p.proallargtypes, p.prorettype FROM pg_catalog.pg_proc AS p
 WHERE p.proname = ANY ($1::text[]) OR p.proname = ANY ($4::text[])
), named_operator AS MATERIALIZED (
SELECT o.oid, o.xmin, o.oprcode, o.oprleft, o.oprright, o.oprresult FROM pg_catalog.pg_operator AS o WHERE o.oprname = ANY ($2::text[])
), named_type AS (
SELECT t.oid
  FROM pg_catalog.pg_type AS t
 WHERE t.typname = ANY ($3::text[]) OR t.typname = ANY ($1::text[]) OR (t.typname = ANY ($4::text[]) AND t.typrelid = 0)
 UNION
SELECT a.atttypid FROM pg_catalog.pg_attribute AS a JOIN reached_relation AS r ON r.oid = a.attrelid
 WHERE a.attnum > 0 AND NOT a.attisdropped
 UNION
SELECT m.found[1]::oid FROM relation_tree AS t CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, 'type (\d+)', 'g') AS m (found)
 UNION
SELECT pg_catalog.regexp_split_to_table(m.found[1], ' ')::oid
  FROM relation_tree AS t CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, '[tT]ypes \(o ([0-9 ]+)\)', 'g') AS m (found)
 UNION
SELECT pg_catalog.unnest(ARRAY[a.aggtranstype, a.aggmtranstype])
  FROM pg_catalog.pg_aggregate AS a
 WHERE a.aggfnoid >= 16384
   AND (a.aggfnoid IN (SELECT f.oid FROM named_function AS f)
        OR a.aggfnoid IN (SELECT m.found[1]::oid
                            FROM relation_tree AS t
                           CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, ':(?:aggfnoid|winfnoid) (\d+)', 'g') AS m (found)))
 UNION
SELECT pg_catalog.unnest(f.proargtypes) FROM named_function AS f WHERE f.oid >= 16384
 UNION
SELECT pg_catalog.unnest(f.proallargtypes) FROM named_function AS f WHERE f.oid >= 16384
 UNION
SELECT f.prorettype FROM named_function AS f WHERE f.oid >= 16384
 UNION
SELECT pg_catalog.unnest(ARRAY[o.oprleft, o.oprright, o.oprresult]) FROM named_operator AS o WHERE o.oid >= 16384
), user_type (oid) AS (
SELECT t.oid FROM named_type AS n JOIN pg_catalog.pg_type AS t ON t.oid = n.oid WHERE t.oid >= 16384
 UNION
SELECT e.oid
  FROM user_type AS u JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
 CROSS JOIN LATERAL (
   SELECT t.typelem AS oid
    UNION ALL SELECT t.typbasetype
    UNION ALL SELECT m.found[1]::oid
                FROM pg_catalog.pg_constraint AS k CROSS JOIN LATERAL pg_catalog.regexp_matches(k.conbin::text, 'type (\d+)', 'g') AS m (found)
               WHERE k.contypid = t.oid
    UNION ALL SELECT g.rngsubtype FROM pg_catalog.pg_range AS g WHERE g.rngtypid = t.oid OR g.rngmultitypid = t.oid
    UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
               WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped) AS e
 WHERE e.oid >= 16384
), reached_type AS MATERIALIZED (
SELECT u.oid FROM user_type AS u LIMIT 2001
), tree (tree) AS MATERIALIZED (
SELECT t.tree FROM relation_tree AS t
 UNION ALL
SELECT k.conbin::text FROM pg_catalog.pg_constraint AS k JOIN reached_type AS t ON t.oid = k.contypid WHERE k.conbin IS NOT NULL
), tree_function AS MATERIALIZED (
SELECT m.found[1]::oid AS oid
  FROM tree AS t CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, ':(?:funcid|aggfnoid|winfnoid) (\d+)', 'g') AS m (found)
 UNION
SELECT o.code
  FROM tree AS t
 CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, ':(?:opno|eqop|sortop) (\d+)', 'g') AS m (found)
  JOIN operator_code AS o ON o.oid = m.found[1]::oid
), planned_function AS MATERIALIZED (
SELECT m.found[1]::oid AS oid
  FROM planned AS t CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, ':funcid (\d+)', 'g') AS m (found)
 UNION
SELECT o.code
  FROM planned AS t
 CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, ':(?:opno|eqop|sortop) (\d+)', 'g') AS m (found)
  JOIN operator_code AS o ON o.oid = m.found[1]::oid
), bad_aggregate AS MATERIALIZED (
SELECT a.aggfnoid::oid AS oid
  FROM pg_catalog.pg_aggregate AS a
 WHERE a.aggfnoid >= 16384
   AND EXISTS (SELECT FROM (SELECT n.oid FROM unsafe AS n UNION ALL SELECT z.oid FROM sized AS z) AS u
                WHERE u.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn,
                                a.aggminvtransfn, a.aggmfinalfn))
)
SELECT EXISTS (SELECT FROM unsafe AS u WHERE u.proname = ANY ($1::text[])) AS bad_function,
       EXISTS (SELECT FROM unsafe AS u
                WHERE u.proname = ANY ($4::text[]) AND u.pronargs >= 1 AND u.first_argument <> 'pg_catalog.internal'::pg_catalog.regtype
                  AND (u.pronargs - u.pronargdefaults <= 1 OR u.provariadic <> 0)) AS bad_field,
       EXISTS (SELECT FROM bad_aggregate AS b JOIN pg_catalog.pg_proc AS p ON p.oid = b.oid
                WHERE p.proname = ANY ($1::text[]) OR p.proname = ANY ($4::text[])) AS bad_aggregate,
       EXISTS (SELECT FROM named_operator AS o JOIN operator_code AS c ON c.oid = o.oid
                WHERE c.code IN (SELECT u.oid FROM unsafe AS u) OR c.code IN (SELECT z.oid FROM sized AS z)) AS bad_operator,
       EXISTS (SELECT FROM pg_catalog.pg_settings AS s
                WHERE s.name IN ('cpu_tuple_cost', 'cpu_index_tuple_cost', 'cpu_operator_cost')
                  AND s.setting::float8 < s.boot_val::float8 / 10) AS is_free,
       EXISTS (SELECT FROM reached_relation AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.oid
                WHERE c.relkind NOT IN ('r', 'p', 'v', 'm')) AS bad_relation,
       EXISTS (SELECT FROM tree AS t WHERE t.tree LIKE '%:hasRecursive true%') AS recurses,
       EXISTS (SELECT FROM tree_function AS f JOIN unsafe AS u ON u.oid = f.oid)
         OR EXISTS (SELECT FROM tree_function AS f JOIN bad_aggregate AS b ON b.oid = f.oid)
         OR EXISTS (SELECT FROM tree AS t
                     WHERE t.tree ~ '\{(NEXTVALUEEXPR|ROWCOMPARE|ROWCOMPAREEXPR|TABLEFUNC|ROWMARKCLAUSE|TABLESAMPLECLAUSE|JSON)') AS bad_tree,
       EXISTS (SELECT FROM reached_type AS r JOIN pg_catalog.pg_type AS t ON t.oid = r.oid
                WHERE EXISTS (SELECT FROM unsafe AS u
                               WHERE u.oid >= 16384 AND u.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typsubscript))
                   OR EXISTS (SELECT FROM pg_catalog.pg_range AS g JOIN unsafe AS u ON u.oid IN (g.rngcanonical, g.rngsubdiff)
                               WHERE g.rngtypid = t.oid OR g.rngmultitypid = t.oid)) AS bad_type,
       EXISTS (SELECT FROM pg_catalog.pg_amproc AS a JOIN unsafe AS u ON u.oid = a.amproc WHERE a.oid >= 16384 AND u.is_code)
         OR EXISTS (SELECT FROM pg_catalog.pg_amop AS a JOIN pg_catalog.pg_operator AS o ON o.oid = a.amopopr
                      JOIN unsafe AS u ON u.oid = o.oprcode WHERE a.oid >= 16384 AND u.is_code) AS bad_opclass,
       EXISTS (SELECT FROM planned_function AS f JOIN unsafe AS u ON u.oid = f.oid WHERE u.provolatile <> 'v' OR coalesce(u.is_code, true)) AS bad_planned,
       EXISTS (SELECT FROM pg_catalog.pg_cast AS c JOIN unsafe AS u ON u.oid = c.castfunc WHERE c.oid >= 16384) AS bad_cast,
       (SELECT pg_catalog.count(*) > 2000 FROM reached_relation) OR (SELECT pg_catalog.count(*) > 2000 FROM reached_type) AS too_many,
       (SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(v.version, ',' ORDER BY v.version), ''))
          FROM (SELECT pg_catalog.concat_ws(' ', f.oid, f.xmin) AS version FROM named_function AS f
                 UNION ALL
                SELECT pg_catalog.concat_ws(' ', o.oid, o.xmin) FROM pg_catalog.pg_operator AS o
                 WHERE o.oid IN (SELECT b.other FROM named_operator AS n JOIN becomes AS b ON b.oid = n.oid)
                 UNION ALL
                SELECT pg_catalog.concat_ws(' ', l.oid, l.xmin) FROM looked_through AS l
                 UNION ALL
                SELECT pg_catalog.concat_ws(' ', p.oid, p.xmin) FROM pg_catalog.pg_proc AS p
                 WHERE p.oid IN (SELECT f.oid FROM tree_function AS f)
                 UNION ALL
                SELECT pg_catalog.concat_ws(' ', t.oid, t.xmin) FROM pg_catalog.pg_type AS t
                 WHERE t.oid IN (SELECT r.oid FROM reached_type AS r)
                 UNION ALL
                SELECT pg_catalog.concat_ws(' ', k.oid, k.xmin) FROM pg_catalog.pg_constraint AS k
                 WHERE k.contypid IN (SELECT r.oid FROM reached_type AS r)) AS v) AS digest"#;
