//! One table's dead rows and empty room, and the tables with most dead rows.

use pg_logstats_sdk::{
    At, AutovacuumGroup, Bytes, Confidence, Count, Evidence, Insight, NextAction, Outcome, Priority, Ratio,
    Recommendation,
};

use super::nothing;
use crate::offers::Desk;
use crate::triage::advice::scale_factor;
use crate::triage::tables::HELD_ROWS;
use crate::{messages, words};

/// Dead rows from which a table can have many.
const DEAD_ROWS: u64 = 10_000;
/// The part of its rows that are dead then: more than autovacuum's default of one sixth leaves.
const DEAD_SHARE: f64 = 0.25;
/// The part of its rows that changed from which the planner's figures are old; the default of autovacuum is a tenth.
const CHANGED_SHARE: f64 = 0.5;
/// Empty room from which a table is bloated.
const BLOAT_BYTES: u64 = 256 << 20;
/// And the part of the table that it is.
const BLOAT_SHARE: f64 = 0.5;
/// How far over its threshold a table must be: a worker may be on its way.
const OVERDUE: f64 = 2.0;

/// The table that the action was about: its own subject, or its group's.
fn group_of<'a>(evidence: &'a Evidence, outcome: &Outcome) -> Option<&'a AutovacuumGroup> {
    let is_bound =
        |group: &&AutovacuumGroup| outcome.subjects.contains(&group.table) || outcome.subjects.contains(&group.id);
    // The vacuum's group tells more than the analysis' of the same table.
    let mut groups: Vec<&AutovacuumGroup> = evidence.autovacuum.iter().filter(is_bound).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.max_tuples_dead_not_removable));
    groups.first().copied()
}

/// The counters of one table.
pub(super) fn statistics(evidence: &Evidence, outcome: &Outcome, desk: &mut Desk<'_>) {
    let (Some(group), Some(row)) = (group_of(evidence, outcome), outcome.records().next()) else {
        return;
    };
    let (Some(live), Some(dead)) = (row.count("n_live_tup"), row.count("n_dead_tup")) else {
        desk.assessment.limitation(messages::unexpected_result());
        return;
    };
    let rows = live.saturating_add(dead);
    let share = Ratio::of(dead, rows);
    let table = &group.table;
    let changed = row.count("n_mod_since_analyze").unwrap_or(0);
    let changed_share = Ratio::of(changed, live.max(1));
    let is_dirty = dead >= DEAD_ROWS && share.value() >= DEAD_SHARE;
    if is_dirty {
        let kept = group.max_tuples_dead_not_removable;
        let is_held = kept >= HELD_ROWS && kept >= dead / 2;
        let reason = match row.at("last_autovacuum") {
            _ if is_held => messages::dead_reason_held(Count(dead), Count(kept)),
            Some(at) => messages::dead_reason(Count(dead), At(at)),
            None => messages::dead_reason_never(Count(dead)),
        };
        let title = messages::dead_title(share, table);
        let insight = Insight::new(words::DEAD_ROWS, Confidence::High, title, reason).evidence(table);
        if is_held {
            desk.assessment.insight(insight);
            desk.offer(words::OLDEST_XMIN, None, Priority::Required);
        } else {
            desk.assessment
                .insight(insight.recommend(Recommendation::vacuum(table, false)));
            let (label, reason) = (messages::decide_table_label(table), messages::decide_table_reason());
            desk.step(NextAction::prompt_user(label, reason));
            desk.offer(words::PROGRESS, None, Priority::Recommended);
            desk.offer(words::OLDEST_XMIN, None, Priority::Recommended);
        }
        desk.bloat(table, None);
    }
    if changed >= DEAD_ROWS && changed_share.value() >= CHANGED_SHARE {
        let title = messages::old_statistics_title(table, changed_share);
        let reason = messages::old_statistics_reason(Count(changed));
        let insight = Insight::new(words::STATISTICS_OLD, Confidence::High, title, reason)
            .evidence(table)
            .recommend(Recommendation::analyze(table));
        desk.assessment.insight(insight);
    } else if !is_dirty {
        let (title, reason) = (messages::clean_title(share, table), messages::clean_reason(Count(dead)));
        nothing(desk, words::TABLE_CLEAN, title, reason);
    }
}

/// How much of one table is empty.
pub(super) fn bloat(evidence: &Evidence, outcome: &Outcome, desk: &mut Desk<'_>) {
    let (Some(group), Some(row)) = (group_of(evidence, outcome), outcome.records().next()) else {
        return;
    };
    let figures = (row.count("bloat_bytes"), row.count("size_bytes"));
    let (Some(empty), Some(size)) = figures else {
        desk.assessment.limitation(messages::unexpected_result());
        return;
    };
    let (share, table) = (Ratio::of(empty, size), &group.table);
    let title = messages::bloat_title(share, table);
    if empty < BLOAT_BYTES || share.value() < BLOAT_SHARE {
        nothing(
            desk,
            words::TABLE_COMPACT,
            title,
            messages::compact_reason(Bytes(empty), Bytes(size)),
        );
        return;
    }
    // Without figures of each column the estimate is too high.
    let confidence = match row.count("columns_without_statistics") {
        Some(0) => Confidence::Medium,
        _ => Confidence::Low,
    };
    let reason = messages::bloated_reason(Bytes(empty), Bytes(size));
    let mut insight = Insight::new(words::TABLE_BLOATED, confidence, title, reason).evidence(table);
    let rows = row.float("estimated_rows").filter(|rows| *rows > 0.0);
    if let Some(rows) = rows.filter(|_| group.max_tuples_dead_not_removable < HELD_ROWS) {
        // So that it does not come back once it is gone.
        insight = insight.recommend(Recommendation::autovacuum(table, scale_factor(rows as u64)));
    }
    desk.assessment.insight(insight);
    let (label, reason) = (messages::decide_rewrite_label(table), messages::decide_rewrite_reason());
    desk.step(NextAction::prompt_user(label, reason));
    desk.table(table, None);
}

/// The tables with most dead rows: none of them can be named, but the rows are in the report.
pub(super) fn most_dead(outcome: &Outcome, desk: &mut Desk<'_>) {
    let mut overdue: Vec<(u64, Ratio, f64)> = Vec::new();
    let mut disabled = 0_u64;
    for row in outcome.records() {
        let (Some(dead), Some(threshold)) = (row.count("n_dead_tup"), row.float("vacuum_threshold")) else {
            continue;
        };
        if dead < DEAD_ROWS || (dead as f64) < OVERDUE * threshold {
            continue;
        }
        if row.boolean("is_autovacuum_enabled") == Some(false) {
            disabled += 1;
        }
        let rows = dead.saturating_add(row.count("n_live_tup").unwrap_or(0));
        overdue.push((dead, Ratio::of(dead, rows), threshold));
    }
    if let Some(&(dead, share, threshold)) = overdue.first() {
        let title = messages::overdue_title(Count::of(&overdue), share);
        let reason = messages::overdue_reason(Count(dead), Count(threshold.max(0.0) as u64));
        let insight = Insight::new(words::TABLES_OVERDUE, Confidence::High, title, reason);
        desk.assessment.insight(insight);
        let (label, reason) = (messages::decide_overdue_label(), messages::decide_overdue_reason());
        desk.step(NextAction::prompt_user(label, reason));
        desk.offer(words::OLDEST_XMIN, None, Priority::Required);
        desk.offer(words::PROGRESS, None, Priority::Recommended);
        desk.offer(words::SETTINGS, None, Priority::Recommended);
    } else {
        let (title, reason) = (
            messages::in_bounds_title(),
            messages::in_bounds_reason(Count::of(&outcome.rows)),
        );
        nothing(desk, words::TABLES_IN_BOUNDS, title, reason);
    }
    if disabled > 0 {
        let (title, reason) = (messages::disabled_title(Count(disabled)), messages::disabled_reason());
        desk.assessment
            .insight(Insight::new(words::TABLES_DISABLED, Confidence::High, title, reason));
        let (label, reason) = (messages::decide_disabled_label(), messages::decide_disabled_reason());
        desk.step(NextAction::prompt_user(label, reason));
    }
}
