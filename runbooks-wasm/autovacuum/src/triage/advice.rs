//! Advice that the log alone proves.

use pg_logstats_sdk::{
    Assessment, AutovacuumGroup, AutovacuumKind, Bytes, Confidence, Count, DurationUs, Evidence, Insight, NextAction,
    Recommendation, Setting,
};

use super::tables::late_share;
use crate::{messages, words};

/// Tables that advice is given for, each.
const TABLES: usize = 3;
/// The shortest window whose silence means that autovacuum is not logged.
const SILENT_US: u64 = 3_600_000_000;
/// What is logged then: runs of more than ten seconds.
pub(crate) const LOGGED_RUN_US: u64 = 10_000_000;
/// What one dead row takes in a worker's memory before PostgreSQL 17; later servers take less.
const BYTES_PER_DEAD_ROW: u64 = 6;
/// The default of `maintenance_work_mem`: less was hardly set.
const LEAST_MEMORY: u64 = 64 << 20;
/// A worker of a server before 17 uses no more.
const MOST_MEMORY: u64 = 1 << 30;
/// Dead rows that a table is to have when autovacuum comes.
const DEAD_ROWS_WANTED: u64 = 500_000;

/// Memory for index passes, the scale factor of tables that are visited too late, and logging where there is none.
pub(super) fn insights(evidence: &Evidence, assessment: &mut Assessment) {
    let before = assessment.insights.len();
    memory(evidence, assessment);
    let late = evidence.autovacuum.iter().filter_map(late_insight).take(TABLES);
    late.for_each(|insight| assessment.insight(insight));
    if assessment.insights.len() > before {
        let (label, reason) = (messages::decide_setting_label(), messages::decide_setting_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
    not_logged(evidence, assessment);
}

/// One insight, by the run with the most dead rows: the setting is the whole server's.
pub(crate) fn memory(evidence: &Evidence, assessment: &mut Assessment) {
    let runs = evidence.autovacuum.iter().filter_map(|group| {
        let run = group.longest.as_ref()?;
        let passes = run.index_scans.filter(|&passes| passes > 1)?;
        Some((group, passes, run.tuples_removed.filter(|&rows| rows > 0)?))
    });
    let Some((group, passes, rows)) = runs.max_by_key(|(_, _, rows)| *rows) else {
        return;
    };
    let memory = memory_for(rows.saturating_mul(BYTES_PER_DEAD_ROW));
    let title = messages::memory_title(&group.table, Count(passes));
    let reason = messages::memory_reason(Count(rows), Bytes(memory));
    let insight = Insight::new(words::MEMORY_TOO_SMALL, Confidence::Medium, title, reason)
        .evidence(group)
        .recommend(Recommendation::parameter(Setting::AutovacuumWorkMem, memory));
    assessment.insight(insight);
}

/// A power of two that holds `bytes`, within what is sane.
pub(crate) fn memory_for(bytes: u64) -> u64 {
    let rounded = bytes.checked_next_power_of_two().unwrap_or(MOST_MEMORY);
    rounded.clamp(LEAST_MEMORY, MOST_MEMORY)
}

/// Where dead rows had to stay, coming sooner would not help.
fn late_insight(group: &AutovacuumGroup) -> Option<Insight> {
    let run = group.longest.as_ref()?;
    let (removed, share) = late_share(run)?;
    if group.kind != AutovacuumKind::Vacuum || group.max_tuples_dead_not_removable > removed {
        return None;
    }
    let title = messages::seldom_title(&group.table);
    let reason = messages::seldom_reason(share, Count(removed));
    let rows = removed.saturating_add(run.tuples_remaining.unwrap_or(0));
    let insight = Insight::new(words::TOO_SELDOM, Confidence::Medium, title, reason)
        .evidence(group)
        .recommend(Recommendation::autovacuum(&group.table, scale_factor(rows)));
    Some(insight)
}

/// The share of dead rows, in thousandths, that is half a million of `rows`; between 1 and 10 %.
pub(crate) fn scale_factor(rows: u64) -> u32 {
    let thousandths = DEAD_ROWS_WANTED.saturating_mul(1_000) / rows.max(1);
    u32::try_from(thousandths.clamp(10, 100)).unwrap_or(100)
}

fn not_logged(evidence: &Evidence, assessment: &mut Assessment) {
    let Some((first, last)) = evidence.window.filter(|_| evidence.autovacuum.is_empty()) else {
        return;
    };
    let window = u64::try_from(last.saturating_sub(first)).unwrap_or(0);
    if window < SILENT_US {
        return;
    }
    let reason = messages::not_logged_reason(DurationUs(window));
    let insight = Insight::new(words::NOT_LOGGED, Confidence::Low, messages::not_logged_title(), reason);
    assessment.insight(insight.recommend(Recommendation::parameter(
        Setting::LogAutovacuumMinDuration,
        LOGGED_RUN_US,
    )));
}
