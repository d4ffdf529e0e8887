//! Loading the catalogue's files.
//!
//! **In**: TOML text. **Out**: checked [`Action`]s. **Trusted**: nothing is assumed of a file; each rule that the rest of the
//! gateway relies on is checked here. **Can fail**: with the file and the field.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{
    Action, ActionKind, Caps, Catalogue, Column, Facet, PG_STAT_STATEMENTS_SCHEMA, Parameter, Privileges, RowObject,
    RowSequence, RowSession, Statement,
};
use crate::words::{ActionClass, Risk};

/// The file name and the text of one action.
macro_rules! action {
    ($id:literal) => {
        (concat!($id, ".toml"), include_str!(concat!("actions/", $id, ".toml")))
    };
}

/// The files of the catalogue. A file that is missing here is not part of the binary, which a test checks.
pub(super) const FILES: &[(&str, &str)] = &[
    action!("autovacuum.pg_settings.relevant"),
    action!("autovacuum.pg_stat_all_tables.most_dead"),
    action!("checkpoint.pg_settings.relevant"),
    action!("checkpoint.pg_stat_checkpointer.counters"),
    action!("checkpoint.pg_stat_io.counters"),
    action!("checkpoint.pg_stat_wal.counters"),
    action!("connection_pressure.pg_settings.relevant"),
    action!("connection_pressure.pg_stat_activity.counts"),
    action!("error_class.pg_stat_activity.by_dimensions"),
    action!("lock_wait.pg_locks.tree"),
    action!("lock_wait.pg_settings.relevant"),
    action!("prepared_transaction.pg_prepared_xacts.open"),
    action!("progress.pg_stat_progress_analyze.running"),
    action!("progress.pg_stat_progress_basebackup.running"),
    action!("progress.pg_stat_progress_cluster.running"),
    action!("progress.pg_stat_progress_copy.running"),
    action!("progress.pg_stat_progress_create_index.running"),
    action!("progress.pg_stat_progress_vacuum.running"),
    action!("query_family.explain"),
    action!("query_family.explain_analyze"),
    action!("query_family.pg_settings.relevant"),
    action!("query_family.pg_stat_activity.by_dimensions"),
    action!("query_family.pg_stat_statements.by_queryid"),
    action!("relation.pg_constraint.not_validated"),
    action!("relation.pg_index.invalid"),
    action!("relation.pg_stat_all_indexes.unused"),
    action!("relation.pg_stat_all_indexes.usage"),
    action!("relation.pg_stat_all_tables.statistics"),
    action!("relation.pg_stats.bloat_estimate"),
    action!("relation.pg_stats.columns"),
    action!("replication.pg_replication_slots.state"),
    action!("replication.pg_settings.relevant"),
    action!("replication.pg_stat_activity.replay_holders"),
    action!("replication.pg_stat_replication.lag"),
    action!("replication.pg_stat_wal_receiver.state"),
    action!("running_query.blocking.by_pid"),
    action!("running_query.pg_stat_activity.by_pid"),
    action!("running_query.pg_stat_activity.longest"),
    action!("sequence.pg_sequence.near_end"),
    action!("temp_file.explain"),
    action!("temp_file.explain_analyze"),
    action!("temp_file.pg_settings.relevant"),
    action!("temp_file.pg_stat_database.temp_counters"),
    action!("temp_file.pg_stat_statements.temp_blocks"),
    action!("wraparound.pg_class.oldest_tables"),
    action!("wraparound.pg_database.ages"),
    action!("wraparound.pg_stat_activity.oldest_xmin"),
];

/// Longest statement that an action may let run, whatever its file says.
const MAX_STATEMENT_TIMEOUT_MS: u32 = 60_000;
/// Most rows that an action may return, whatever its file says.
const MAX_ROWS: u32 = 1_000;
/// Most bytes that an action may return, whatever its file says.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A file of the catalogue is wrong; whoever wrote it is to blame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// Not TOML, an unknown or missing field, or a value of the wrong type.
    #[error("catalogue file `{file}` does not parse: {reason}")]
    Syntax {
        /// File name.
        file: String,
        /// The parser's words.
        reason: String,
    },
    /// Two parts of the file contradict each other, or a limit is exceeded.
    #[error("catalogue file `{file}`, field `{field}`: {reason}")]
    Inconsistent {
        /// File name.
        file: String,
        /// Field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Two files have one id.
    #[error("catalogue file `{file}`: the id `{id}` is taken by another file")]
    Duplicate {
        /// File name.
        file: String,
        /// The id.
        id: String,
    },
}

/// What each EXPLAIN asks besides, about indexes that its plan may lack.
const INDEX_FACTS: (&str, &str) = ("index_facts.toml", include_str!("index_facts.toml"));

/// The rows of an EXPLAIN, as their file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexFactsFile {
    sql: String,
    columns: Vec<Column>,
}

/// An action as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionFile {
    id: String,
    title: String,
    risk: Risk,
    #[serde(default)]
    risk_when_bound: BTreeMap<String, Risk>,
    class: ActionClass,
    essential: bool,
    kind: ActionKind,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    at_least_one_of: Vec<String>,
    #[serde(default)]
    columns: Vec<Column>,
    row_session: Option<RowSession>,
    row_sequence: Option<RowSequence>,
    row_object: Option<RowObject>,
    row_hidden: Option<String>,
    caps: Caps,
    privileges: Privileges,
    statements: Vec<Statement>,
}

pub(super) fn builtin() -> Result<Catalogue, CatalogueError> {
    load(FILES)
}

pub(super) fn load(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
    let mut actions = BTreeMap::new();
    // The rest of the start waits for this, and each command starts anew.
    let parsed: Vec<_> = std::thread::scope(|threads| {
        let (one, other) = files.split_at(files.len() / 2);
        let parse_all = |files: &[(&str, &str)]| files.iter().map(|(file, text)| parse(file, text)).collect::<Vec<_>>();
        let other = threads.spawn(move || parse_all(other));
        let mut parsed = parse_all(one);
        parsed.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        parsed
    });
    for ((file, _), action) in files.iter().zip(parsed) {
        let action = action?;
        let id = action.id.clone();
        if actions.insert(id.clone(), Arc::new(action)).is_some() {
            return Err(CatalogueError::Duplicate {
                file: (*file).to_owned(),
                id,
            });
        }
    }
    Ok(Catalogue { actions })
}

pub(super) fn parse(file: &str, text: &str) -> Result<Action, CatalogueError> {
    let mut read: ActionFile = toml::from_str(text).map_err(|e| CatalogueError::Syntax {
        file: file.to_owned(),
        reason: e.to_string().trim_end().to_owned(),
    })?;
    let inconsistent = |(field, reason): (&'static str, String)| CatalogueError::Inconsistent {
        file: file.to_owned(),
        field,
        reason,
    };
    let mut description = head_comment(text);
    let mut digest = Sha256::new_with_prefix(text);
    let mut index_facts_sql = None;
    check_identity(file, &read).map_err(inconsistent)?;
    check_description(text).map_err(inconsistent)?;
    check_parameters(&read).map_err(inconsistent)?;
    rows::check(&read).map_err(inconsistent)?;
    check_caps(&read).map_err(inconsistent)?;
    check_statements(&read).map_err(inconsistent)?;
    if read.kind != ActionKind::Query {
        let (file, text) = INDEX_FACTS;
        let facts: IndexFactsFile = toml::from_str(text).map_err(|e| CatalogueError::Syntax {
            file: file.to_owned(),
            reason: e.to_string().trim_end().to_owned(),
        })?;
        description = format!("{description}\n{}", head_comment(text));
        digest.update(text);
        index_facts_sql = Some(facts.sql);
        read.columns = facts.columns;
    }
    Ok(Action {
        digest: crate::hex(&digest.finalize()),
        description,
        id: read.id,
        title: read.title,
        class: read.class,
        essential: read.essential,
        kind: read.kind,
        parameters: read.parameters,
        at_least_one_of: read.at_least_one_of,
        columns: read.columns,
        row_session: read.row_session,
        row_sequence: read.row_sequence,
        row_object: read.row_object,
        row_hidden: read.row_hidden,
        caps: read.caps,
        privileges: read.privileges,
        risk: read.risk,
        risk_when_bound: read.risk_when_bound,
        pack: None,
        statements: read.statements,
        index_facts_sql,
    })
}

/// A field and what is wrong with it.
type Fault = (&'static str, String);

fn check_identity(file: &str, read: &ActionFile) -> Result<(), Fault> {
    let expected = file.strip_suffix(".toml").unwrap_or(file);
    if read.id != expected {
        return Err(("id", format!("is `{}`, but the file is called `{file}`", read.id)));
    }
    if read.title.is_empty() || read.title.contains(char::is_control) {
        return Err(("title", "has to be one line".to_owned()));
    }
    let kind_fits = match read.class {
        ActionClass::ExplainWithoutAnalyze => read.kind == ActionKind::Explain,
        ActionClass::ExplainAnalyze => read.kind == ActionKind::ExplainAnalyze,
        ActionClass::SystemCatalogReads | ActionClass::BoundedActivityQueries | ActionClass::StatsViewReads => {
            read.kind == ActionKind::Query
        }
    };
    if !kind_fits {
        return Err(("kind", format!("does not go with class `{}`", read.class)));
    }
    if read.essential && read.risk != Risk::Safe {
        return Err(("essential", "only a safe action can be essential".to_owned()));
    }
    if read.kind == ActionKind::ExplainAnalyze && read.risk == Risk::Safe {
        return Err(("risk", "running a statement is not safe".to_owned()));
    }
    Ok(())
}

/// The comment that a file begins with, as paragraphs of one line each: what whoever reviews the action is told.
fn head_comment(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim);
    let mut paragraphs = vec![String::new()];
    for line in lines {
        match paragraphs.last_mut() {
            Some(paragraph) if !line.is_empty() => {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.join("\n")
}

fn check_description(text: &str) -> Result<(), Fault> {
    if head_comment(text).trim().is_empty() {
        let reason = "the file has to begin with a comment that says what the action reads, and why it may";
        return Err(("description", reason.to_owned()));
    }
    Ok(())
}

fn check_parameters(read: &ActionFile) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for parameter in &read.parameters {
        if !is_word(&parameter.name) || !names.insert(parameter.name.as_str()) {
            return Err(("parameters", format!("`{}` is no new lower-case word", parameter.name)));
        }
        if parameter.description.is_empty() {
            return Err(("parameters", format!("`{}` has no description", parameter.name)));
        }
        if (parameter.facet == Facet::Sample) != (read.kind == ActionKind::ExplainAnalyze && parameter.name == "sample")
        {
            return Err((
                "parameters",
                "a sample goes with `explain_analyze` only, and is called `sample`".to_owned(),
            ));
        }
    }
    for name in read.at_least_one_of.iter().chain(read.risk_when_bound.keys()) {
        if !read.parameters.iter().any(|p| p.name == *name && !p.required) {
            return Err(("at_least_one_of", format!("`{name}` is no optional parameter")));
        }
    }
    if read.risk_when_bound.values().any(|risk| *risk > read.risk) {
        return Err(("risk_when_bound", "a bound parameter cannot raise the risk".to_owned()));
    }
    let has = |facet| read.parameters.iter().any(|p| p.facet == facet && p.required);
    match read.kind {
        ActionKind::Query => Ok(()),
        ActionKind::Explain if has(Facet::QueryId) => Ok(()),
        ActionKind::ExplainAnalyze if has(Facet::QueryId) && has(Facet::Sample) => Ok(()),
        ActionKind::Explain | ActionKind::ExplainAnalyze => Err((
            "parameters",
            "EXPLAIN needs a query id, and with ANALYZE a sample".to_owned(),
        )),
    }
}

fn check_caps(read: &ActionFile) -> Result<(), Fault> {
    let caps = &read.caps;
    let range = |what: &'static str, value: u64, max: u64| {
        if value == 0 || value > max {
            Err(("caps", format!("`{what}` is {value}, not 1 to {max}")))
        } else {
            Ok(())
        }
    };
    range("max_rows", caps.max_rows.into(), MAX_ROWS.into())?;
    range("max_bytes", caps.max_bytes, MAX_BYTES)?;
    range(
        "statement_timeout_ms",
        caps.statement_timeout_ms.into(),
        MAX_STATEMENT_TIMEOUT_MS.into(),
    )?;
    // Statements of 1 to 60 s are no reason to wait longer than a second for a lock.
    range("lock_timeout_ms", caps.lock_timeout_ms.into(), 1_000)?;
    let idle_max = u64::from(MAX_STATEMENT_TIMEOUT_MS) * 2;
    range(
        "idle_in_transaction_session_timeout_ms",
        caps.idle_in_transaction_session_timeout_ms.into(),
        idle_max,
    )?;
    range(
        "saturated.statement_timeout_ms",
        caps.saturated.statement_timeout_ms.into(),
        caps.statement_timeout_ms.into(),
    )?;
    range(
        "saturated.lock_timeout_ms",
        caps.saturated.lock_timeout_ms.into(),
        caps.lock_timeout_ms.into(),
    )
}

fn check_statements(read: &ActionFile) -> Result<(), Fault> {
    let mut next_version = 0;
    for statement in &read.statements {
        if statement.min_version < next_version || statement.max_version.is_some_and(|max| max < statement.min_version)
        {
            return Err(("statements", "version ranges overlap or are out of order".to_owned()));
        }
        next_version = statement.max_version.map_or(u32::MAX, |max| max.saturating_add(1));
        let needs_extension = statement.sql.contains(PG_STAT_STATEMENTS_SCHEMA);
        if needs_extension != read.privileges.extensions.iter().any(|e| e == "pg_stat_statements") {
            return Err((
                "privileges",
                "`pg_stat_statements` is read and not listed, or listed and not read".to_owned(),
            ));
        }
    }
    if read.statements.is_empty() {
        return Err(("statements", "there is none".to_owned()));
    }
    Ok(())
}

/// Lower-case letters, digits and `_`, as names in JSON, TOML and on the command line.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
