//! The catalogue's SQL, held to its own rules: by PostgreSQL's parser, and on a real server of each version.

mod crowd;
mod frontend;
mod standby;
mod versions;

use std::collections::BTreeSet;

use super::statement::{Kind, Name, Statement};
use crate::catalogue::{Action, Catalogue, PG_STAT_STATEMENTS_SCHEMA};

/// Stands for the schema of pg_stat_statements while a statement is parsed.
const EXTENSION_SCHEMA: &str = "pg_stat_statements_schema";

/// Functions that the server calls volatile and that the catalogue uses, each with the reason why it may.
const VOLATILE: &[(&str, &str)] = &[
    (
        "clock_timestamp",
        "the time now; an age by now() would lag behind the statement",
    ),
    ("pg_blocking_pids", "reads the lock table"),
    ("pg_current_wal_lsn", "reads a position in memory"),
    (
        "pg_is_in_recovery",
        "reads a flag in memory; other functions fail on the wrong kind of server",
    ),
    ("pg_is_wal_replay_paused", "reads a flag in memory"),
    ("pg_last_wal_replay_lsn", "reads a position in memory"),
    ("pg_last_xact_replay_timestamp", "reads a time in memory"),
    (
        "pg_sequence_last_value",
        "reads a sequence without advancing it; asked for sequences that the role may read, and for a bounded number",
    ),
    ("pg_stat_statements", "reads the extension's counters"),
];

/// Columns of the catalogue that hold, or can hold, values of user data or texts of statements.
const DATA: &[&str] = &[
    "most_common_vals",
    "most_common_elems",
    "histogram_bounds",
    "elem_count_histogram",
    "most_common_freqs",
    "range_length_histogram",
    "range_bounds_histogram",
    "stavalues1",
    "indexprs",
    "adbin",
    "conbin",
    "prosrc",
    "last_value",
    "subconninfo",
    "conninfo",
    "client_addr",
    "client_hostname",
];

/// Functions that print definitions, which can hold values, or that reach outside the catalogue.
const DATA_FUNCTIONS: &[&str] = &[
    "pg_get_indexdef",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_viewdef",
    "pg_relation_size",
    "pg_table_size",
    "query_to_xml",
];

fn every_statement() -> Vec<(&'static Action, Statement)> {
    let mut parsed = Vec::new();
    for action in Catalogue::builtin().unwrap().iter() {
        for statement in action.statements() {
            let sql = statement.sql.replace(PG_STAT_STATEMENTS_SCHEMA, EXTENSION_SCHEMA);
            let statement = Statement::parse(&sql).unwrap_or_else(|e| panic!("{}: {e}", action.id));
            parsed.push((action.as_ref(), statement));
        }
        if let Some(sql) = action.index_facts_sql() {
            parsed.push((action.as_ref(), Statement::parse(sql).unwrap()));
        }
    }
    parsed
}

#[test]
fn every_statement_is_one_select_of_catalogue_relations_only() {
    for (action, statement) in every_statement() {
        let facts = statement.facts();
        assert_eq!(statement.kind(), Kind::Select, "{}", action.id);
        assert!(!facts.has_into && !facts.locks_rows, "{}", action.id);
        for relation in &facts.relations {
            let is_ours = match relation.schema.as_deref() {
                Some("pg_catalog") => relation.name.starts_with("pg_"),
                Some(_) => false,
                None => facts.ctes.contains(&relation.name),
            };
            assert!(is_ours, "{}: {relation:?}", action.id);
        }
        for function in &facts.functions {
            let is_ours = match function.schema.as_deref() {
                Some("pg_catalog") => true,
                Some(EXTENSION_SCHEMA) => function.name == "pg_stat_statements",
                _ => false,
            };
            assert!(is_ours, "{}: {function:?} is not qualified", action.id);
        }
    }
}

#[test]
fn no_statement_can_see_a_value_of_user_data() {
    for (action, statement) in every_statement() {
        let facts = statement.facts();
        for column in DATA {
            assert!(!facts.fields.contains(*column), "{} reads `{column}`", action.id);
        }
        for function in DATA_FUNCTIONS {
            assert!(
                facts.functions.iter().all(|f| f.name != *function),
                "{} calls `{function}`",
                action.id
            );
        }
        assert!(
            !facts.relations.iter().any(|r| r.name == "pg_statistic"),
            "{}",
            action.id
        );
        // `p.*` would read what nobody listed; a star is allowed of our own CTEs alone, whose columns are listed.
        assert!(!statement.sql().contains("pg_stats.*"), "{}", action.id);
    }
}

#[test]
fn every_volatile_function_of_the_list_is_used() {
    let used: BTreeSet<String> = functions().into_iter().map(|f| f.name).collect();
    for (name, reason) in VOLATILE {
        assert!(
            used.contains(*name) && !reason.is_empty(),
            "`{name}` is not used any more"
        );
    }
}

/// All functions that the catalogue names.
fn functions() -> BTreeSet<Name> {
    every_statement()
        .into_iter()
        .flat_map(|(_, s)| s.facts().functions)
        .collect()
}
