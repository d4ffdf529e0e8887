//! Autovacuum: what its workers did, skipped and gave up.
//!
//! **In**: message and CONTEXT. **Out**: the table and the figures. **Can fail**: another wording is none of these. A table's name is the
//! client's text and may hold any of the words around it, and so may an index's: where the words behind a name stand twice, none of it
//! is believed. A name with dots cannot be taken apart and is kept whole. Wording: PostgreSQL 10 to 18, `vacuumlazy.c`, `analyze.c`,
//! `autovacuum.c`, `vacuum.c`.

use crate::bytes::{counted, digits, from, labelled, line_end, slice, split_once, up_to};
use crate::evidence::{MaintenanceKind, MaintenanceRun, TableName};

/// Longer than three names and the figures of a table with some dozens of indexes.
const MAX_BYTES: usize = 16 * 1024;
/// Longest name kept: three of the server's, with dots.
const MAX_NAME_BYTES: usize = 3 * 64;

/// A run that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) table: TableName,
    pub(crate) kind: MaintenanceKind,
    pub(crate) run: MaintenanceRun,
}

/// Reads `automatic vacuum of table "db.schema.table": index scans: 1 …` and `automatic analyze of table "…" …`.
pub(crate) fn done(message: &[u8], at_us: i64) -> Option<Done> {
    let text = up_to(message, MAX_BYTES);
    let rest = text.strip_prefix(b"automatic ")?;
    let quote = memchr::memmem::find(rest, b" of table \"")?;
    let what = slice(rest, 0, quote);
    let rest = from(rest, quote + 11);
    let (kind, name, figures) = match what {
        b"vacuum"
        | b"aggressive vacuum"
        | b"vacuum to prevent wraparound"
        | b"aggressive vacuum to prevent wraparound" => {
            let (name, figures) = split_once(rest, b"\": index scans: ")?;
            (MaintenanceKind::Vacuum, name, figures)
        }
        // The figures were on one line up to PostgreSQL 13.
        b"analyze" => {
            let (name, figures) = split_once(rest, b"\" system usage: ").or_else(|| split_once(rest, b"\"\n"))?;
            (MaintenanceKind::Analyze, name, figures)
        }
        _ => return None,
    };
    let mut run = figures_of(figures, at_us)?;
    if kind == MaintenanceKind::Vacuum {
        run.index_scans = digits(figures, 0).map(|(scans, _)| scans);
    }
    let holds = |word: &[u8]| memchr::memmem::find(what, word).is_some();
    run.aggressive = holds(b"aggressive");
    run.to_prevent_wraparound = holds(b"to prevent wraparound");
    let table = table_name(name);
    Some(Done { table, kind, run })
}

fn figures_of(figures: &[u8], at_us: i64) -> Option<MaintenanceRun> {
    let line = |label: &[u8]| {
        let begins_line = |place: &usize| *place == 0 || slice(figures, place - 1, *place) == b"\n";
        let start = memchr::memmem::find_iter(figures, label).find(begins_line)?;
        Some(slice(figures, start, line_end(figures, start)))
    };
    let count = |label: &[u8], word: &str| line(label).and_then(|line| counted(line, word));
    let usage = line(b"system usage: ").unwrap_or_else(|| slice(figures, 0, line_end(figures, 0)));
    let usage = |label: &str| labelled(usage, label, 6);
    Some(MaintenanceRun {
        elapsed_us: usage("elapsed: ")?,
        at_us,
        pages_removed: count(b"pages: ", " removed"),
        pages_remaining: count(b"pages: ", " remain"),
        pages_scanned: count(b"pages: ", " scanned"),
        tuples_removed: count(b"tuples: ", " removed"),
        tuples_remaining: count(b"tuples: ", " remain"),
        tuples_dead_not_removable: count(b"tuples: ", " are dead but not yet removable"),
        buffers_hit: count(b"buffer usage: ", " hits"),
        // The word was `misses` up to PostgreSQL 17.
        buffers_missed: count(b"buffer usage: ", " misses").or_else(|| count(b"buffer usage: ", " reads")),
        buffers_dirtied: count(b"buffer usage: ", " dirtied"),
        wal_records: count(b"WAL usage: ", " records"),
        wal_full_page_images: count(b"WAL usage: ", " full page images"),
        wal_bytes: count(b"WAL usage: ", " bytes"),
        user_us: usage("user: "),
        system_us: usage("system: "),
        ..MaintenanceRun::default()
    })
}

/// The table of `canceling autovacuum task`, which stands in CONTEXT: `automatic vacuum of table "…"`, behind what the worker was at.
pub(crate) fn canceled(context: &[u8]) -> Option<(TableName, MaintenanceKind)> {
    let context = up_to(context, MAX_BYTES);
    let kinds = [
        (&b"automatic vacuum of table \""[..], MaintenanceKind::Vacuum),
        (&b"automatic analyze of table \""[..], MaintenanceKind::Analyze),
    ];
    kinds.into_iter().find_map(|(label, kind)| {
        let begins_line = |place: &usize| *place == 0 || slice(context, place - 1, *place) == b"\n";
        let start = memchr::memmem::find_iter(context, label).find(begins_line)?;
        let name = from(context, start + label.len())
            .trim_ascii_end()
            .strip_suffix(b"\"")?;
        let is_one = memchr::memmem::find(name, label).is_none();
        is_one.then(|| (table_name(name), kind))
    })
}

/// The table of `skipping vacuum of "t" --- lock not available`, which is named without its schema.
pub(crate) fn skipped(message: &[u8]) -> Option<(TableName, MaintenanceKind)> {
    let text = up_to(message, MAX_BYTES);
    let (rest, kind) = match text.strip_prefix(b"skipping vacuum of \"") {
        Some(rest) => (rest, MaintenanceKind::Vacuum),
        None => (text.strip_prefix(b"skipping analyze of \"")?, MaintenanceKind::Analyze),
    };
    let (name, _) = split_once(rest, b"\" --- lock not available")?;
    Some((unqualified(name), kind))
}

/// `db.schema.table`, if that is how it can be read.
fn table_name(name: &[u8]) -> TableName {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let parts: Vec<&[u8]> = up_to(name, MAX_NAME_BYTES).split(|byte| *byte == b'.').collect();
    match parts.as_slice() {
        [database, schema, table] if parts.iter().all(|part| !part.is_empty()) => TableName {
            database: Some(text(database)),
            schema: Some(text(schema)),
            table: text(table),
        },
        _ => unqualified(name),
    }
}

fn unqualified(name: &[u8]) -> TableName {
    TableName {
        table: String::from_utf8_lossy(up_to(name, MAX_NAME_BYTES)).into_owned(),
        ..TableName::default()
    }
}

#[cfg(test)]
mod tests;
