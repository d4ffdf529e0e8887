//! Advice about single replication slots, in SQL that the host writes: only where the row tells all that makes it right.
//!
//! A runbook that uses it lists its [`messages`] and [`words`] in its own descriptor. It is a person's decision, so the prompts stay beside it.

pub mod messages;
#[cfg(test)]
mod tests;
pub mod words;

use pg_logstats_sdk::{Assessment, Bytes, Confidence, DurationUs, Insight, Recommendation, Record};

use crate::outcome;

/// Rows that are advised on in one answer, the worst first.
const ROWS: usize = 3;
/// How long a slot has to be idle, where the server tells: a standby that restarts, or whose network fails for a while, comes back.
const IDLE_US: u64 = 3_600_000_000;

/// That slots are to be dropped which nobody uses; `rows` with their positions, the worst first.
pub fn drop_slots<'a>(rows: impl IntoIterator<Item = (usize, Record<'a>)>, assessment: &mut Assessment) {
    let advice = rows.into_iter().filter_map(|(position, row)| drop_slot(position, &row));
    for insight in advice.take(ROWS) {
        assessment.insight(insight);
    }
}

fn drop_slot(position: usize, row: &Record<'_>) -> Option<Insight> {
    let is = |column, value| row.boolean(column) == Some(value);
    // A temporary one goes with its session, and a copy of a primary's with that one.
    let is_ours = is("is_active", false) && is("is_temporary", false) && !is("is_synced", true);
    let slot = row.subject().filter(|_| is_ours)?;
    let is_lost = row.text("wal_status") == Some("lost")
        || row.cell("invalidation_reason").is_some()
        || is("is_conflicting", true);
    let (confidence, reason) = match (row.duration_us("inactive_for"), row.count("retained_bytes")) {
        _ if is_lost => (Confidence::High, messages::drop_slot_lost_reason()),
        (Some(idle), _) if idle < IDLE_US => return None,
        (Some(idle), Some(kept)) => {
            let reason = messages::drop_slot_idle_reason(DurationUs(idle), Bytes(kept));
            (Confidence::Medium, reason)
        }
        (Some(idle), None) => (
            Confidence::Medium,
            messages::drop_slot_idle_rows_reason(DurationUs(idle)),
        ),
        // Before PostgreSQL 17 nobody knows for how long.
        (None, Some(kept)) => (Confidence::Low, messages::drop_slot_unknown_reason(Bytes(kept))),
        (None, None) => (Confidence::Low, messages::drop_slot_unknown_rows_reason()),
    };
    let title = messages::drop_slot_title(outcome::number(position));
    let insight = Insight::new(words::SLOT_TO_DROP, confidence, title, reason);
    Some(insight.evidence(slot).recommend(Recommendation::drop_slot(slot)))
}
