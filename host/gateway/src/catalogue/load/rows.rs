//! What an action's rows are: their columns, what they are about, and which of them the server hid.

use std::collections::BTreeSet;

use super::{ActionFile, Fault, is_word};
use crate::catalogue::{ActionKind, Column, ColumnType};

/// Checks the columns of an action, and what they say of its rows.
pub(super) fn check(read: &ActionFile) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for column in &read.columns {
        if !is_word(&column.name) || !names.insert(column.name.as_str()) {
            return Err(("columns", format!("`{}` is no new lower-case word", column.name)));
        }
    }
    if read.columns.is_empty() == (read.kind == ActionKind::Query) {
        let reason = "a query has columns, and those of an EXPLAIN are in a file of their own";
        return Err(("columns", reason.to_owned()));
    }
    if let Some(session) = &read.row_session {
        let is = |name: &str, wanted| read.columns.iter().any(|c| c.name == name && c.column_type == wanted);
        if !is(&session.pid, ColumnType::Int) || !is(&session.backend_start, ColumnType::At) {
            return Err(("row_session", "has to name an int and an at column".to_owned()));
        }
    }
    if let Some(sequence) = &read.row_sequence {
        let is_text = |name: &&str| {
            read.columns
                .iter()
                .any(|c| c.name == **name && c.column_type == ColumnType::Text)
        };
        if !sequence.columns().iter().all(is_text) {
            return Err(("row_sequence", "has to name text columns".to_owned()));
        }
    }
    if read
        .row_object
        .as_ref()
        .is_some_and(|object| !object.fits(&read.columns))
    {
        let reason = "has to name text columns, and a boolean one as `is_partitioned`";
        return Err(("row_object", reason.to_owned()));
    }
    // A row has one subject.
    let kinds = [
        read.row_session.is_some(),
        read.row_sequence.is_some(),
        read.row_object.is_some(),
    ];
    if kinds.into_iter().filter(|is_there| *is_there).count() > 1 {
        let reason = "a row is about one thing: one of row_session, row_sequence and row_object";
        return Err(("row_object", reason.to_owned()));
    }
    check_hidden_rows(read)
}

fn check_hidden_rows(read: &ActionFile) -> Result<(), Fault> {
    let Some(hidden) = &read.row_hidden else {
        // Without such a column nobody could tell what the role may not read from what is not there.
        return if read.kind == ActionKind::Query && read.privileges.selects() {
            Err((
                "row_hidden",
                "an action that needs SELECT has to say in a column which rows the server hides".to_owned(),
            ))
        } else {
            Ok(())
        };
    };
    let is_boolean = |c: &Column| c.name == *hidden && c.column_type == ColumnType::Boolean;
    if !read.columns.iter().any(is_boolean) {
        return Err(("row_hidden", "has to name a boolean column".to_owned()));
    }
    if read.privileges.roles.is_empty() && !read.privileges.selects() {
        return Err((
            "row_hidden",
            "nothing is hidden where no privilege is needed".to_owned(),
        ));
    }
    Ok(())
}
