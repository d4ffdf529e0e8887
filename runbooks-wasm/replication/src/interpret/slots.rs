//! What replication slots keep.

use pg_logstats_runbook_statements::scores::saturating;
use pg_logstats_runbook_statements::slots as advice;
use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, Count, Finding, FindingKind, Insight, NextAction, Outcome, Priority,
    Recommendation, Record, Setting,
};

use super::say;
use crate::{messages, offers, words};

/// WAL that a slot keeps from which it is much.
const MUCH: u64 = 1 << 30;
/// WAL that scores one half.
const HALF: u64 = 8 << 30;
/// The score of a slot that is lost or about to be: what used it does not replicate, and nobody may have noticed.
const LOST: f64 = 0.7;
/// Transactions that a slot may be behind before it hinders vacuum.
const OLD_ROWS: u64 = 1_000_000;
/// The smallest and the largest limit that is recommended.
const LIMITS: (u64, u64) = (4 << 30, 1 << 40);

fn kept(row: &Record<'_>) -> u64 {
    row.count("retained_bytes").unwrap_or(0)
}

/// Transactions of which it keeps rows.
fn old_rows(row: &Record<'_>) -> Option<u64> {
    row.count("xmin_age").max(row.count("catalog_xmin_age"))
}

fn is_lost(row: &Record<'_>) -> bool {
    matches!(row.text("wal_status"), Some("lost" | "unreserved"))
        || row.boolean("is_conflicting") == Some(true)
        || row.text("invalidation_reason").is_some()
}

/// Slots, those that keep most first.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let rows: Vec<Record<'_>> = outcome.records().collect();
    let (lost, alive): (Vec<&Record<'_>>, Vec<&Record<'_>>) = rows.iter().partition(|row| is_lost(row));
    let large = alive.into_iter().filter(|row| kept(row) >= MUCH);
    let (unused, used): (Vec<&Record<'_>>, Vec<&Record<'_>>) =
        large.partition(|row| row.boolean("is_active") == Some(false));
    let most = |rows: &[&Record<'_>]| rows.iter().map(|row| kept(row)).max().unwrap_or(0);
    let troubled = lost.len() + unused.len() + used.len();
    if troubled > 0 {
        let largest = most(&lost).max(most(&unused)).max(most(&used));
        let by_bytes = saturating(most(&unused).max(most(&used)), HALF);
        let score = if lost.is_empty() { by_bytes } else { by_bytes.max(LOST) };
        let n = Count(u64::try_from(troubled).unwrap_or(u64::MAX));
        let (title, reason) = (messages::slot_title(n), messages::slot_reason(Bytes(largest)));
        let finding = Finding::new(FindingKind::Replication, title, reason);
        assessment.finding(
            finding
                .code(words::SLOT_RETAINS_WAL)
                .score(score)
                .confidence(Confidence::High),
        );
    }
    if !unused.is_empty() {
        inactive(&unused, most(&unused), assessment);
    }
    if !lost.is_empty() {
        let title = messages::lost_title(Count::of(&lost));
        say(words::SLOT_LOST, title, messages::lost_reason(), assessment);
        let (label, reason) = (messages::decide_lost_label(), messages::decide_lost_reason());
        offers::step(NextAction::prompt_user(label, reason), assessment);
    }
    if !used.is_empty() {
        let title = messages::slot_behind_title(Bytes(most(&used)));
        let reason = messages::slot_behind_reason(Count::of(&used));
        say(words::SLOT_BEHIND, title, reason, assessment);
        offers::offer(words::LAG, None, Priority::Required, actions, assessment);
    }
    // The catalogue orders them by what they keep; those that are lost keep nothing any more, and do no more harm.
    let keeps_rows = |row: &Record<'_>| old_rows(row).is_some_and(|age| age >= OLD_ROWS);
    let is_harmful = |row: &Record<'_>| is_lost(row) || kept(row) >= MUCH || keeps_rows(row);
    let harmful = outcome.records().enumerate().filter(|(_, row)| is_harmful(row));
    advice::drop_slots(harmful, assessment);
    let ages = rows.iter().filter_map(old_rows);
    let oldest = ages.max().filter(|age| *age >= OLD_ROWS);
    if let Some(age) = oldest {
        let title = messages::rows_title(Count(age));
        say(words::SLOT_KEEPS_ROWS, title, messages::rows_reason(), assessment);
        let (label, reason) = (messages::autovacuum_label(), messages::autovacuum_reason());
        offers::step(NextAction::run_workflow(words::AUTOVACUUM, label, reason), assessment);
    }
    if troubled == 0 && oldest.is_none() {
        let all: Vec<&Record<'_>> = rows.iter().collect();
        let (title, reason) = (
            messages::slots_well_title(Count::of(&rows)),
            messages::slots_well_reason(Bytes(most(&all))),
        );
        say(words::SLOTS_WELL, title, reason, assessment);
    }
}

/// Slots that nobody uses. A limit is recommended only where there is none, and above what is kept now, so that setting it loses no
/// slot at once.
fn inactive(unused: &[&Record<'_>], most: u64, assessment: &mut Assessment) {
    let is_unbounded = |row: &&Record<'_>| {
        row.cell("safe_wal_bytes").is_none() && matches!(row.text("wal_status"), Some("reserved" | "extended"))
    };
    let limit = most
        .checked_add(1)
        .and_then(u64::checked_next_power_of_two)
        .map(|limit| limit.max(LIMITS.0))
        .filter(|limit| *limit <= LIMITS.1 && unused.iter().any(is_unbounded));
    let reason = limit
        .map(Bytes)
        .map_or_else(messages::keeps_reason, messages::keeps_reason_limit);
    let title = messages::keeps_title(Count::of(unused), Bytes(most));
    let mut insight = Insight::new(words::SLOT_KEEPS_WAL, Confidence::High, title, reason);
    if let Some(limit) = limit {
        insight = insight.recommend(Recommendation::parameter(Setting::MaxSlotWalKeepSize, limit));
    }
    assessment.insight(insight);
    let (label, reason) = (messages::decide_slot_label(), messages::decide_slot_reason());
    offers::step(NextAction::prompt_user(label, reason), assessment);
    if limit.is_some() {
        let (label, reason) = (messages::decide_limit_label(), messages::decide_limit_reason());
        offers::step(NextAction::prompt_user(label, reason), assessment);
    }
}
