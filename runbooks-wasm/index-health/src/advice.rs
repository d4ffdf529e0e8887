//! Advice about single indexes and constraints, in SQL that the host writes: only where the row tells all that makes it right.
//!
//! What a row does not tell is never taken for a "no". A person decides in any case, so the prompts stay.

use std::cmp::Reverse;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Assessment, Bytes, Confidence, Count, DurationUs, Insight, Message, Outcome, Recommendation, Record,
};

use crate::{messages, severity, words};

/// Rows that are advised on in one answer, the worst first.
pub(crate) const ROWS: usize = 3;
/// How long counters have to have counted before "no scan" says something: what runs once a month was there by then.
const COUNTED_US: u64 = 30 * 86_400_000_000;

/// What a row is about, if a person made it: the server's own, and those of a session's temporary tables, are in schemas named `pg_…`.
pub(crate) fn subject<'a>(row: &Record<'a>) -> Option<&'a String> {
    let schema = row.text("schema")?;
    row.subject().filter(|_| !schema.starts_with("pg_"))
}

/// The same of an index that may be dropped alone: not of a partition, whose index goes with that of the whole table.
fn droppable<'a>(row: &Record<'a>) -> Option<&'a String> {
    subject(row).filter(|_| row.boolean("is_partition") == Some(false))
}

/// The same of one that no scan used, with how long that was counted: here, on the primary, and long enough.
pub(crate) fn unused<'a>(row: &Record<'a>) -> Option<(&'a String, u64)> {
    let counted = row.duration_us("counted_for").filter(|us| *us >= COUNTED_US)?;
    let index = droppable(row).filter(|_| row.boolean("is_standby") == Some(false))?;
    Some((index, counted))
}

/// The same of one whose columns are the first of `other`, by their numbers: names can be chosen so that they look like several. Both index them
/// in the usual way.
pub(crate) fn begins<'a>(row: &Record<'a>, other: &Record<'_>) -> Option<&'a String> {
    let is_usual = [row, other]
        .iter()
        .all(|row| row.boolean("has_default_order") == Some(true));
    let rest = other.text("key_numbers")?.strip_prefix(row.text("key_numbers")?)?;
    droppable(row).filter(|_| is_usual && (rest.is_empty() || rest.starts_with(' ')))
}

/// That the index in the row at `position` is to be dropped.
pub(crate) fn to_drop(
    position: usize,
    row: &Record<'_>,
    index: &String,
    confidence: Confidence,
    reason: Message,
) -> Insight {
    let size = Bytes(row.count("size_bytes").unwrap_or(0));
    let title = messages::drop_title(outcome::number(position), size);
    let insight = Insight::new(words::INDEX_TO_DROP, confidence, title, reason);
    insight.evidence(index).recommend(Recommendation::drop_index(index))
}

/// That no scan used it.
pub(crate) fn unused_reason(counted_us: u64) -> Message {
    messages::drop_unused_reason(DurationUs(counted_us))
}

/// Whether a REINDEX CONCURRENTLY gave the index that name: its own, with `_ccnew` or `_ccold`, and a number where that was taken (PostgreSQL,
/// REINDEX). The one is the copy that was never finished, the other what it replaced; both are to be dropped.
fn is_leftover(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    name.ends_with("_ccnew") || name.ends_with("_ccold")
}

/// What to do with indexes that are not valid, and that nobody is at.
pub(crate) fn of_invalid(outcome: &Outcome, assessment: &mut Assessment) {
    let mut rows: Vec<(usize, Record<'_>)> = outcome.records().enumerate().collect();
    rows.sort_by_key(|(_, row)| Reverse((severity::of_invalid_row(row) * 1e6) as u64));
    let advice = rows.iter().filter_map(|(position, row)| invalid(*position, row));
    for insight in advice.take(ROWS) {
        assessment.insight(insight);
    }
}

fn invalid(position: usize, row: &Record<'_>) -> Option<Insight> {
    let is = |column, value| row.boolean(column) == Some(value);
    let index = subject(row).filter(|_| is("is_being_changed", false) && is("is_partitioned", false))?;
    let is_half_dropped = is("is_live", false);
    if is_half_dropped || is_leftover(row.text("index")?) {
        let reason = match is_half_dropped {
            true => messages::drop_half_dropped_reason(),
            false => messages::drop_leftover_reason(),
        };
        let index = droppable(row).filter(|_| is("serves_constraint", false))?;
        return Some(to_drop(position, row, index, Confidence::High, reason));
    }
    let scans = row.count("idx_scan").filter(|scans| *scans > 0);
    let (confidence, reason) = match scans {
        _ if is("is_unique", true) || is("serves_constraint", true) => {
            (Confidence::High, messages::rebuild_unique_reason())
        }
        Some(scans) => (Confidence::High, messages::rebuild_used_reason(Count(scans))),
        None => (Confidence::Low, messages::rebuild_wanted_reason()),
    };
    let title = messages::rebuild_title(outcome::number(position));
    let insight = Insight::new(words::INDEX_TO_REBUILD, confidence, title, reason);
    Some(insight.evidence(index).recommend(Recommendation::rebuild_index(index)))
}

/// Constraints that only need to be looked at once, in the order of `kind`.
pub(crate) fn of_constraints(outcome: &Outcome, kind: impl Fn(&Record<'_>) -> usize, assessment: &mut Assessment) {
    let mut rows: Vec<(usize, Record<'_>)> = outcome.records().enumerate().collect();
    rows.sort_by_key(|(_, row)| kind(row));
    let is_open =
        |row: &Record<'_>| row.boolean("is_enforced") == Some(true) && row.boolean("is_validated") == Some(false);
    let open = rows.iter().filter(|(_, row)| is_open(row));
    let advice = open.filter_map(|(position, row)| {
        let constraint = subject(row)?;
        let (title, reason) = (
            messages::validate_title(outcome::number(*position)),
            messages::validate_reason(),
        );
        let insight = Insight::new(words::CONSTRAINT_TO_VALIDATE, Confidence::High, title, reason);
        Some(
            insight
                .evidence(constraint)
                .recommend(Recommendation::validate(constraint)),
        )
    });
    for insight in advice.take(ROWS) {
        assessment.insight(insight);
    }
}
