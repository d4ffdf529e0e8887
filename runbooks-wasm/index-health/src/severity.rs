//! How bad it is, in one place, so that indexes, constraints and tables compare.

use pg_logstats_sdk::Record;

/// From this score on there is a finding; below it, the figures are those of a database that is looked after.
pub(crate) const LOW: f64 = 0.2;

const GIB: f64 = 1_073_741_824.0;

/// 0 for nothing, one half at a GiB, towards 1 without end: what memory and backups of an ordinary server notice.
fn mass(bytes: u64) -> f64 {
    bytes as f64 / (bytes as f64 + GIB)
}

/// An invalid index. One that is ready is kept up by every write and used by no query: worse than one that only takes room. A unique one
/// ensures nothing for the rows from before. The size says how much is lost by it, and how long it takes to build anew.
pub(crate) fn of_invalid(is_ready: bool, is_unique: bool, bytes: u64) -> f64 {
    let base = if is_ready { 0.45 } else { 0.3 };
    let unique = if is_unique { 0.1 } else { 0.0 };
    base + unique + 0.3 * mass(bytes)
}

/// The same of a row.
pub(crate) fn of_invalid_row(row: &Record<'_>) -> f64 {
    let is = |column| row.boolean(column) == Some(true);
    let size = row.count("size_bytes").unwrap_or(0);
    of_invalid(is("is_ready") && is("is_live"), is("is_unique"), size)
}

/// Constraints of one kind that are not validated: the planner does not rely on them, and rows from before may break them. It is
/// often half of a migration that was never finished; never a matter of hours.
pub(crate) fn of_constraints(n: u64) -> f64 {
    0.25 + 0.25 * n as f64 / (n as f64 + 10.0)
}

/// Constraints that somebody chose not to enforce: worth knowing, no more.
pub(crate) const NOT_ENFORCED: f64 = 0.1;

/// A build that waits for other transactions: half an hour is worth a look soon, for so long every write keeps an index up that is
/// not used, and vacuum cannot take the table.
pub(crate) fn of_waiting_build(running_us: u64) -> f64 {
    let minutes = running_us as f64 / 60e6;
    0.8 * minutes / (minutes + 30.0)
}

/// Indexes that cost room, memory and writes for nothing. Never "act now": dropping one that is needed is worse than keeping it.
pub(crate) fn of_waste(bytes: u64) -> f64 {
    0.7 * mass(bytes)
}

/// A table that is `ratio` empty, which are `bytes`. A fifth is what updates need to find room, whatever the size; four fifths of many
/// GiB make each scan five times as long ("worth a look today").
pub(crate) fn of_bloat(ratio: f64, bytes: u64) -> f64 {
    0.8 * (1.2 * ratio.clamp(0.0, 1.0)).min(1.0) * mass(bytes)
}
