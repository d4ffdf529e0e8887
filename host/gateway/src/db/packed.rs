//! SQL of catalogue packs: what it may hold, and what it may mean on a server.
//!
//! **In**: a pack's statement, with the types of its arguments. **Out**: nothing, when it may run; or the reason why not. **Trusted**:
//! libpg_query's tree, and the lists below. The pack's signature says who wrote it, not that it is harmless. **Can fail**: with a
//! sentence for the pack's author, or on the server with a [`Failure`].
//!
//! A pack reads what PostgreSQL tells about itself, as the built-in actions do: listed views and tables of `pg_catalog` and
//! pg_stat_statements, through listed functions. What is not listed is refused: a new function of a new version is unknown until
//! somebody has thought about it. Rows of users' tables, statement texts, connection strings and values of data are out of reach.
//!
//! Names are looked up by the server in `pg_catalog` (the session pins `search_path`). Before a statement of a pack runs, the server's
//! own catalogue has to confirm of every function of each name that it is built in and not volatile, but for those that are listed
//! with a reason ([`check_on_server`]).

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use super::analyze::conditions::{self, ConditionError};
use super::failure::Failure;
use super::statement::{Statement, TreeFacts};
use crate::catalogue::PG_STAT_STATEMENTS_SCHEMA;
use crate::words::OutcomeStatus;

/// Stands for the extension's schema while a statement is checked.
const EXTENSION_SCHEMA: &str = "pg_logstats_extension_schema";

/// What a pack may read in `pg_catalog`.
const RELATIONS: [&str; 62] = [
    "pg_am",
    "pg_attribute",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_database",
    "pg_depend",
    "pg_extension",
    "pg_index",
    "pg_inherits",
    "pg_locks",
    "pg_namespace",
    "pg_partitioned_table",
    "pg_prepared_xacts",
    "pg_publication",
    "pg_replication_slots",
    "pg_roles",
    "pg_sequence",
    "pg_sequences",
    "pg_settings",
    "pg_stat_activity",
    "pg_stat_all_indexes",
    "pg_stat_all_tables",
    "pg_stat_archiver",
    "pg_stat_bgwriter",
    "pg_stat_checkpointer",
    "pg_stat_database",
    "pg_stat_database_conflicts",
    "pg_stat_io",
    "pg_stat_progress_analyze",
    "pg_stat_progress_basebackup",
    "pg_stat_progress_cluster",
    "pg_stat_progress_copy",
    "pg_stat_progress_create_index",
    "pg_stat_progress_vacuum",
    "pg_stat_recovery_prefetch",
    "pg_stat_replication",
    "pg_stat_replication_slots",
    "pg_stat_slru",
    "pg_stat_subscription_stats",
    "pg_stat_sys_indexes",
    "pg_stat_sys_tables",
    "pg_stat_user_functions",
    "pg_stat_user_indexes",
    "pg_stat_user_tables",
    "pg_stat_wal",
    "pg_stat_xact_all_tables",
    "pg_stat_xact_sys_tables",
    "pg_stat_xact_user_tables",
    "pg_statio_all_indexes",
    "pg_statio_all_sequences",
    "pg_statio_all_tables",
    "pg_statio_sys_indexes",
    "pg_statio_sys_tables",
    "pg_statio_user_indexes",
    "pg_statio_user_sequences",
    "pg_statio_user_tables",
    "pg_tables",
    "pg_tablespace",
    "pg_timezone_abbrevs",
    "pg_trigger",
    "pg_type",
];

/// Columns of those that hold statement texts, connection strings, settings of roles, or values of data.
const FORBIDDEN_COLUMNS: [&str; 13] = [
    "attmissingval",
    "conbin",
    "conninfo",
    "indexprs",
    "indpred",
    "partexprs",
    "query",
    "relpartbound",
    "rolconfig",
    "rolpassword",
    "statement",
    "tgargs",
    "tgqual",
];

/// Functions that the server declares not volatile.
const FUNCTIONS: [&str; 96] = [
    "abs",
    "age",
    "array_agg",
    "array_length",
    "array_position",
    "array_to_string",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "btrim",
    "cardinality",
    "ceil",
    "ceiling",
    "char_length",
    "concat",
    "concat_ws",
    "count",
    "cume_dist",
    "current_database",
    "date_bin",
    "date_part",
    "date_trunc",
    "dense_rank",
    "div",
    "every",
    "exp",
    "extract",
    "first_value",
    "floor",
    "format_type",
    "initcap",
    "isfinite",
    "lag",
    "last_value",
    "lead",
    "left",
    "length",
    "ln",
    "log",
    "lower",
    "ltrim",
    "make_interval",
    "max",
    "min",
    "mod",
    "mode",
    "mxid_age",
    "now",
    "nth_value",
    "ntile",
    "octet_length",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "pg_backend_pid",
    "pg_conf_load_time",
    "pg_encoding_to_char",
    "pg_get_userbyid",
    "pg_index_has_property",
    "pg_my_temp_schema",
    "pg_postmaster_start_time",
    "pg_size_bytes",
    "pg_size_pretty",
    "pg_table_is_visible",
    "pg_wal_lsn_diff",
    "position",
    "power",
    "quote_ident",
    "rank",
    "regexp_replace",
    "replace",
    "right",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "split_part",
    "sqrt",
    "starts_with",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "strpos",
    "substr",
    "substring",
    "sum",
    "timezone",
    "to_char",
    "to_timestamp",
    "trunc",
    "unnest",
    "upper",
    "variance",
];

/// Functions that the server declares volatile, and why a pack may call them all the same.
const VOLATILE_FUNCTIONS: [(&str, &str); 15] = [
    ("clock_timestamp", "reads the clock"),
    ("pg_blocking_pids", "reads the table of locks"),
    ("pg_safe_snapshot_blocking_pids", "reads the table of locks"),
    (
        "pg_column_size",
        "looks at a value that is there; declared volatile by some versions",
    ),
    ("pg_current_wal_insert_lsn", "reads a position"),
    ("pg_current_wal_lsn", "reads a position"),
    ("pg_database_size", "adds up the sizes of files"),
    ("pg_indexes_size", "adds up the sizes of files"),
    ("pg_is_in_recovery", "reads a flag"),
    ("pg_last_wal_receive_lsn", "reads a position"),
    ("pg_last_wal_replay_lsn", "reads a position"),
    ("pg_last_xact_replay_timestamp", "reads a time"),
    ("pg_relation_size", "adds up the sizes of files"),
    ("pg_table_size", "adds up the sizes of files"),
    ("pg_total_relation_size", "adds up the sizes of files"),
];

/// What a statement is checked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// Types of `$1`, `$2`, …
    pub(crate) arguments: &'a [&'a str],
    /// Columns of the rows.
    pub(crate) columns: usize,
    /// Most rows; the statement may ask for one more, so that the host sees that there are more.
    pub(crate) max_rows: u32,
}

/// What a statement costs, as far as its form tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// As much as what it reads.
    AsRead,
    /// It can go on by itself: recursion, or files to look at.
    OpenEnded,
}

/// Checks a statement's form.
///
/// # Errors
/// With what is wrong, for the pack's author.
pub(crate) fn check(sql: &str, expected: Expected<'_>) -> Result<Cost, String> {
    let sql = sql.replace(PG_STAT_STATEMENTS_SCHEMA, EXTENSION_SCHEMA);
    let statement = Statement::parse(&sql).map_err(|e| e.to_string())?;
    let facts = statement.facts();
    conditions::check(&statement, &facts, &[]).map_err(in_words)?;
    check_names(&facts)?;
    let tree = statement.tree();
    let mut seen = Seen::default();
    seen.walk(&tree);
    seen.check(&facts)?;
    check_arguments(&seen, expected.arguments)?;
    check_shape(&tree, expected)?;
    let is_open_ended = facts.is_recursive
        || facts.functions.iter().any(|it| {
            VOLATILE_FUNCTIONS
                .iter()
                .any(|(name, _)| *name == it.name && name.ends_with("_size"))
        });
    Ok(if is_open_ended { Cost::OpenEnded } else { Cost::AsRead })
}

/// Checks on the server that the names of a statement mean what they mean to us.
pub(super) async fn check_on_server(connection: &mut PgConnection, sql: &str) -> Result<(), Failure> {
    let refused = |detail: &str| Failure::new(OutcomeStatus::Unavailable, detail);
    let statement = Statement::parse(sql).map_err(|e| refused(&format!("the pack's SQL cannot be run: {e}")))?;
    let facts = statement.facts();
    let names = |set: &BTreeSet<super::statement::Name>| set.iter().map(|n| n.name.clone()).collect::<Vec<_>>();
    let exempt: Vec<&str> = VOLATILE_FUNCTIONS.iter().map(|(name, _)| *name).collect();
    let row = sqlx::query(MEANING)
        .bind(names(&facts.functions))
        .bind(exempt)
        .bind(names(&facts.operators))
        .bind(names(&facts.types))
        .bind(names(&facts.relations))
        .fetch_one(connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    for (column, what) in [
        ("is_volatile", "a function that it calls is volatile on this server"),
        (
            "is_foreign",
            "somebody has put a function, operator, type or relation of a name that it uses into pg_catalog",
        ),
    ] {
        // An answer that cannot be read counts as a yes.
        if row.try_get::<bool, _>(column).unwrap_or(true) {
            return Err(refused(&format!("the pack's SQL may not be run here: {what}")));
        }
    }
    Ok(())
}

/// $1 functions, $2 functions that may be volatile, $3 operators, $4 types, $5 relations. 16384 is the first oid of an object that a
/// user made.
const MEANING: &str = "
SELECT EXISTS (SELECT FROM pg_catalog.pg_proc AS p
                WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname::text = ANY ($1::text[])
                  AND p.provolatile = 'v' AND p.proname::text <> ALL ($2::text[])) AS is_volatile,
       EXISTS (SELECT FROM pg_catalog.pg_proc AS p
                WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname::text = ANY ($1::text[])
                  AND p.oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_operator AS o
                WHERE o.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace AND o.oprname::text = ANY ($3::text[])
                  AND o.oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_type AS t
                WHERE t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.typname::text = ANY ($4::text[])
                  AND t.oid >= 16384)
    OR EXISTS (SELECT FROM pg_catalog.pg_class AS c
                WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relname::text = ANY ($5::text[])
                  AND c.oid >= 16384) AS is_foreign";

fn in_words(error: ConditionError) -> String {
    match error {
        ConditionError::NotASelect => "is no SELECT",
        ConditionError::Writes => "has a common table expression that writes",
        ConditionError::LocksRows => "locks rows (FOR UPDATE or FOR SHARE)",
        ConditionError::Creates => "creates a table (INTO)",
        ConditionError::MakesLargeValues => "makes a value of unknown or great size (repeat, lpad, rpad, array_fill)",
        ConditionError::UnknownKind => "uses SQL that a pack may not use",
    }
    .to_owned()
}

fn check_names(facts: &TreeFacts) -> Result<(), String> {
    let is_ours = |schema: &Option<String>| schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
    for function in &facts.functions {
        let name = function.name.as_str();
        let is_listed = FUNCTIONS.contains(&name) || VOLATILE_FUNCTIONS.iter().any(|(listed, _)| *listed == name);
        if !is_ours(&function.schema) || !is_listed {
            return Err(format!(
                "calls `{name}`, which is none of the functions that a pack may call"
            ));
        }
    }
    if let Some(operator) = facts.operators.iter().find(|it| !is_ours(&it.schema)) {
        return Err(format!(
            "uses the operator `{}` of another schema than pg_catalog",
            operator.name
        ));
    }
    if let Some(of_type) = facts.types.iter().find(|it| !is_ours(&it.schema)) {
        return Err(format!(
            "uses the type `{}` of another schema than pg_catalog",
            of_type.name
        ));
    }
    for relation in &facts.relations {
        let name = relation.name.as_str();
        let may_be_read = match relation.schema.as_deref() {
            None => facts.ctes.contains(name),
            Some("pg_catalog") => RELATIONS.contains(&name),
            Some(EXTENSION_SCHEMA) => matches!(name, "pg_stat_statements" | "pg_stat_statements_info"),
            Some(_) => false,
        };
        if !may_be_read {
            return Err(format!(
                "reads `{name}`; a pack may read the views and tables of pg_catalog that describe the server, written with their schema"
            ));
        }
    }
    if let Some(column) = facts.fields.iter().find(|it| FORBIDDEN_COLUMNS.contains(&it.as_str())) {
        return Err(format!(
            "names the column `{column}`, which may hold values of data or secrets"
        ));
    }
    Ok(())
}

/// What a walk over the tree finds beyond [`TreeFacts`].
#[derive(Debug, Default)]
struct Seen {
    /// Arguments with the types that they are cast to.
    arguments: Vec<(u64, Option<String>)>,
    star: bool,
    renames_columns: bool,
    /// Names of things in FROM, and of common table expressions.
    row_names: BTreeSet<String>,
    /// Column references of one word.
    single_words: BTreeSet<String>,
}

impl Seen {
    fn walk(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(fields) => {
                for (key, inner) in fields {
                    if key == "TypeCast"
                        && let Some(number) = inner.pointer("/arg/node/ParamRef/number").and_then(Value::as_u64)
                    {
                        self.arguments.push((number, plain_type(inner.get("type_name"))));
                        continue;
                    }
                    self.note(key, inner);
                    self.walk(inner);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn note(&mut self, key: &str, inner: &Value) {
        let text = |field: &str| inner.get(field).and_then(Value::as_str).map(str::to_owned);
        match key {
            "ParamRef" => {
                let number = inner.get("number").and_then(Value::as_u64).unwrap_or_default();
                self.arguments.push((number, None));
            }
            "AStar" => self.star = true,
            "alias" | "Alias" => {
                self.row_names.extend(text("aliasname"));
                let names = inner.get("colnames").and_then(Value::as_array);
                self.renames_columns |= names.is_some_and(|it| !it.is_empty());
            }
            "CommonTableExpr" => self.row_names.extend(text("ctename")),
            "RangeVar" | "relation" => self.row_names.extend(text("relname")),
            "ColumnRef" => {
                if let Some([only]) = inner.get("fields").and_then(Value::as_array).map(Vec::as_slice) {
                    let word = only.pointer("/node/String/sval").and_then(Value::as_str);
                    self.single_words.extend(word.map(str::to_owned));
                }
            }
            _ => {}
        }
    }

    /// A whole row would bring columns that may not be named.
    fn check(&self, _facts: &TreeFacts) -> Result<(), String> {
        if self.star {
            return Err("uses `*`; name the columns".to_owned());
        }
        if self.renames_columns {
            return Err("gives columns of FROM other names; name them in the SELECT list".to_owned());
        }
        match self.single_words.intersection(&self.row_names).next() {
            Some(row) => Err(format!(
                "uses the whole row `{row}`, or a column called as something in FROM; qualify columns"
            )),
            None => Ok(()),
        }
    }
}

fn check_arguments(seen: &Seen, types: &[&str]) -> Result<(), String> {
    let mut used = BTreeSet::new();
    for (number, cast) in &seen.arguments {
        let expected = usize::try_from(*number)
            .ok()
            .and_then(|number| types.get(number.checked_sub(1)?))
            .ok_or_else(|| format!("uses `${number}`, which no parameter fills"))?;
        if cast.as_deref() != Some(*expected) {
            return Err(format!(
                "has to write `${number}` as `${number}::{expected}` everywhere"
            ));
        }
        used.insert(*number);
    }
    match (1..).zip(types).find(|(number, _)| !used.contains(number)) {
        Some((number, _)) => Err(format!("does not use `${number}`, which a parameter fills")),
        None => Ok(()),
    }
}

/// The name of a type of pg_catalog without modifiers.
fn plain_type(type_name: Option<&Value>) -> Option<String> {
    let type_name = type_name?;
    let has = |field: &str| {
        type_name
            .get(field)
            .and_then(Value::as_array)
            .is_some_and(|it| !it.is_empty())
    };
    if has("typmods") || has("array_bounds") {
        return None;
    }
    let names: Vec<&str> = type_name
        .get("names")?
        .as_array()?
        .iter()
        .filter_map(|it| it.pointer("/node/String/sval").and_then(Value::as_str))
        .collect();
    match names.as_slice() {
        [name] | ["pg_catalog", name] => Some((*name).to_owned()),
        _ => None,
    }
}

/// As many columns as the action says, and a LIMIT that its cap allows for.
fn check_shape(tree: &Value, expected: Expected<'_>) -> Result<(), String> {
    let select = tree
        .pointer("/stmts/0/stmt/node/SelectStmt")
        .ok_or_else(|| "is no SELECT".to_owned())?;
    let limit = select
        .pointer("/limit_count/node/AConst/val/Ival/ival")
        .and_then(Value::as_u64);
    let most = u64::from(expected.max_rows) + 1;
    if limit.is_none_or(|limit| limit > most) {
        return Err(format!(
            "needs a LIMIT of at most {most}, one more than `caps.max_rows`"
        ));
    }
    let mut first = select;
    while let Some(left) = first.get("larg").filter(|it| !it.is_null()) {
        first = left;
    }
    let columns = first.get("target_list").and_then(Value::as_array).map_or(0, Vec::len);
    if columns != expected.columns {
        return Err(format!(
            "selects {columns} columns, and `columns` lists {}",
            expected.columns
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
