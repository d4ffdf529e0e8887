//! What the sample can reach on the server, by the server's own catalogue.
//!
//! **In**: the names in the sample's tree. **Out**: nothing, when all that they can mean is harmless. **Trusted**: the system
//! catalogues, and built-in functions that they say are not volatile, but for those in [`BUILTINS_THAT_DO_MORE`].
//!
//! A name is not resolved the way the server does it; that would be a second parser's opinion. Everything that it *could* mean has to
//! be harmless: every function, aggregate, operator and type of that name in any schema. Views, row security policies and domain
//! checks are resolved by oid, out of the trees that the server stores, down to the tables. So it refuses more than it must.
//!
//! Harmless is a function that is not declared volatile, and that is built in or written in C: what a SQL or PL function does, its
//! declaration does not tell. Triggers do not fire on SELECT.
//!
//! Further: no foreign table, not as a partition or child either; no sequence; no user-defined type whose input, output or comparison
//! functions are not harmless; no user-defined cast with such a function anywhere in the database, because casts apply by themselves.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::db::failure::Failure;
use crate::db::statement::{Name, TreeFacts};
use crate::words::OutcomeStatus;

/// Built-in functions that are not volatile and yet read tables by name, run a type's input function by name, or assign a
/// transaction id.
const BUILTINS_THAT_DO_MORE: [&str; 15] = [
    "table_to_xml",
    "table_to_xmlschema",
    "table_to_xml_and_xmlschema",
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "schema_to_xml",
    "schema_to_xmlschema",
    "schema_to_xml_and_xmlschema",
    "database_to_xml",
    "database_to_xmlschema",
    "database_to_xml_and_xmlschema",
    "txid_current",
    "pg_current_xact_id",
    "pg_input_is_valid",
];

/// Refuses when something is reachable that is not harmless.
pub(super) async fn check(connection: &mut PgConnection, facts: &TreeFacts) -> Result<(), Failure> {
    let names = |set: &std::collections::BTreeSet<Name>| set.iter().map(|n| n.name.clone()).collect::<Vec<_>>();
    let relations: Vec<String> = facts.relations.iter().map(quoted).collect();
    let mut denied: Vec<&str> = BUILTINS_THAT_DO_MORE.to_vec();
    denied.push("pg_input_error_info");
    let fields: Vec<String> = facts.fields.iter().cloned().collect();
    let row = sqlx::query(REACHABLE)
        .bind(names(&facts.functions))
        .bind(names(&facts.operators))
        .bind(names(&facts.types))
        .bind(fields)
        .bind(relations)
        .bind(denied)
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
    Ok(())
}

/// Columns of [`REACHABLE`], with what they mean.
const FINDINGS: [(&str, &str); 9] = [
    (
        "bad_function",
        "a function with a name that it uses is volatile, or is written in SQL or a procedural language",
    ),
    (
        "bad_field",
        "a column that it names could be a call of a function that is volatile or written in SQL or a procedural language",
    ),
    (
        "bad_aggregate",
        "an aggregate with a name that it uses has a function that is volatile or written in SQL or a procedural language",
    ),
    (
        "bad_operator",
        "an operator that it uses has a function that is volatile or written in SQL or a procedural language",
    ),
    (
        "bad_relation",
        "it reads a foreign table or a sequence, or a table that has a foreign table as a partition or child",
    ),
    (
        "bad_tree",
        "a view, row security policy or domain check behind it uses something that is volatile, locks rows, or is written in SQL or a procedural language",
    ),
    (
        "bad_type",
        "a type behind it has functions that are volatile or written in SQL or a procedural language",
    ),
    (
        "bad_cast",
        "the database has a cast whose function is volatile or written in SQL or a procedural language",
    ),
    ("too_many", "more than 2,000 relations or types are behind it"),
];

/// A relation's name for `to_regclass`.
fn quoted(name: &Name) -> String {
    let quote = |part: &str| format!("\"{}\"", part.replace('"', "\"\""));
    match &name.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(&name.name)),
        None => quote(&name.name),
    }
}

/// $1 functions, $2 operators, $3 types, $4 fields, $5 relations (quoted), $6 built-in functions that do more.
///
/// 12 and 13 are the languages `internal` and `c`; 16384 is the first oid of an object that a user made. A stored tree is searched as
/// text: what looks like a reference and is none makes a refusal more, and a string in it cannot hide one. `opfuncid` is left out
/// because the server does not trust it either: it looks `opno` up. A name that means no relation is a common table expression.
const REACHABLE: &str = r#"
WITH RECURSIVE unsafe AS MATERIALIZED (
SELECT p.oid, p.proname, p.pronargs, p.proargtypes[0] AS first_argument
  FROM pg_catalog.pg_proc AS p
 WHERE p.provolatile = 'v'
    OR (p.oid >= 16384 AND p.prolang NOT IN (12, 13))
    OR (p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname = ANY ($6::text[]))
), stored (relation, tree) AS MATERIALIZED (
SELECT w.ev_class, w.ev_action::text FROM pg_catalog.pg_rewrite AS w WHERE w.ev_type = '1'
 UNION ALL
SELECT l.polrelid, l.polqual::text FROM pg_catalog.pg_policy AS l WHERE l.polqual IS NOT NULL
), relation (oid) AS (
SELECT c.oid FROM pg_catalog.unnest($5::text[]) AS n (name) JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(n.name)
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
), named_type AS (
SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.typname = ANY ($3::text[]) OR t.typname = ANY ($1::text[])
 UNION
SELECT a.atttypid FROM pg_catalog.pg_attribute AS a JOIN reached_relation AS r ON r.oid = a.attrelid
 WHERE a.attnum > 0 AND NOT a.attisdropped
 UNION
SELECT m.found[1]::oid FROM relation_tree AS t CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, 'type (\d+)', 'g') AS m (found)
), user_type (oid) AS (
SELECT t.oid FROM named_type AS n JOIN pg_catalog.pg_type AS t ON t.oid = n.oid WHERE t.oid >= 16384
 UNION
SELECT e.oid
  FROM user_type AS u JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
 CROSS JOIN LATERAL (
   SELECT t.typelem AS oid
    UNION ALL SELECT t.typbasetype
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
SELECT o.oprcode::oid
  FROM tree AS t
 CROSS JOIN LATERAL pg_catalog.regexp_matches(t.tree, ':(?:opno|eqop|sortop) (\d+)', 'g') AS m (found)
  JOIN pg_catalog.pg_operator AS o ON o.oid = m.found[1]::oid
), bad_aggregate AS MATERIALIZED (
SELECT a.aggfnoid::oid AS oid
  FROM pg_catalog.pg_aggregate AS a
 WHERE a.aggfnoid >= 16384
   AND EXISTS (SELECT FROM unsafe AS u
                WHERE u.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn,
                                a.aggminvtransfn, a.aggmfinalfn))
)
SELECT EXISTS (SELECT FROM unsafe AS u WHERE u.proname = ANY ($1::text[])) AS bad_function,
       EXISTS (SELECT FROM unsafe AS u JOIN pg_catalog.pg_type AS t ON t.oid = u.first_argument
                WHERE u.pronargs >= 1 AND t.typtype IN ('c', 'p') AND u.proname = ANY ($4::text[])) AS bad_field,
       EXISTS (SELECT FROM bad_aggregate AS b JOIN pg_catalog.pg_proc AS p ON p.oid = b.oid
                WHERE p.proname = ANY ($1::text[])) AS bad_aggregate,
       EXISTS (SELECT FROM pg_catalog.pg_operator AS o JOIN unsafe AS u ON u.oid = o.oprcode
                WHERE o.oprname = ANY ($2::text[])) AS bad_operator,
       EXISTS (SELECT FROM reached_relation AS r JOIN pg_catalog.pg_class AS c ON c.oid = r.oid
                WHERE c.relkind NOT IN ('r', 'p', 'v', 'm')) AS bad_relation,
       EXISTS (SELECT FROM tree_function AS f JOIN unsafe AS u ON u.oid = f.oid)
         OR EXISTS (SELECT FROM tree_function AS f JOIN bad_aggregate AS b ON b.oid = f.oid)
         OR EXISTS (SELECT FROM tree AS t
                     WHERE t.tree ~ '\{(NEXTVALUEEXPR|ROWCOMPARE|ROWCOMPAREEXPR|TABLEFUNC|ROWMARKCLAUSE|TABLESAMPLECLAUSE|JSON)') AS bad_tree,
       EXISTS (SELECT FROM reached_type AS r JOIN pg_catalog.pg_type AS t ON t.oid = r.oid
                WHERE EXISTS (SELECT FROM unsafe AS u
                               WHERE u.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typsubscript))
                   OR EXISTS (SELECT FROM pg_catalog.pg_range AS g JOIN unsafe AS u ON u.oid IN (g.rngcanonical, g.rngsubdiff)
                               WHERE g.rngtypid = t.oid OR g.rngmultitypid = t.oid)
                   OR EXISTS (SELECT FROM pg_catalog.pg_amproc AS a JOIN unsafe AS u ON u.oid = a.amproc
                               WHERE a.amproclefttype = t.oid OR a.amprocrighttype = t.oid)
                   OR EXISTS (SELECT FROM pg_catalog.pg_amop AS a JOIN pg_catalog.pg_operator AS o ON o.oid = a.amopopr
                                JOIN unsafe AS u ON u.oid = o.oprcode
                               WHERE a.amoplefttype = t.oid OR a.amoprighttype = t.oid)) AS bad_type,
       EXISTS (SELECT FROM pg_catalog.pg_cast AS c JOIN unsafe AS u ON u.oid = c.castfunc WHERE c.oid >= 16384) AS bad_cast,
       (SELECT pg_catalog.count(*) > 2000 FROM reached_relation) OR (SELECT pg_catalog.count(*) > 2000 FROM reached_type) AS too_many"#;
