//! One finding for each table and cause.
//!
//! Scores are products of how often or how much (`n / (n + half)`) and how large a part, so that few events, or events that do no harm
//! to most runs, stay low.

use pg_logstats_runbook_statements::scores::{confidence, saturating};
use pg_logstats_sdk::{
    AutovacuumGroup, AutovacuumKind, AutovacuumRun, Count, DurationUs, Evidence, Finding, FindingKind, Ratio,
};

use super::{Candidate, Cause, REMARKABLE};
use crate::{messages, words};

/// Attempts that failed and score one half, when none succeeded.
const HALF_FAILED: u64 = 10;
/// Rows that one run removed from which it can have come too late.
const LATE_ROWS: u64 = 100_000;
/// The part of a table's rows that were dead. By default autovacuum comes at one sixth.
const LATE_SHARE: f64 = 0.4;
/// Removed rows that score one half of their share.
const HALF_LATE_ROWS: u64 = 1_000_000;
/// Dead rows that had to stay from which it is told: some always do.
pub(crate) const HELD_ROWS: u64 = 1_000;
/// Dead rows that had to stay and score one half, whatever the size of the table.
const HALF_HELD_ROWS: u64 = 1_000_000;
/// The same for a table of dead rows only.
const HALF_HELD_ROWS_OF_SMALL: u64 = 100_000;
/// A run from which it is told as long.
const LONG_RUN_US: u64 = 600_000_000;
/// A run that scores one half: an hour.
const HALF_LONG_US: u64 = 3_600_000_000;
/// Index passes beyond the first that score one quarter.
const HALF_PASSES: u64 = 4;
/// A run in which passes over the indexes begin to matter.
const HALF_PASSES_US: u64 = 60_000_000;
/// Forced runs that score one tenth: they are as designed, and only a hint.
const HALF_FORCED: u64 = 10;

/// Findings in the order of the evidence.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut candidates = Vec::new();
    for group in &evidence.autovacuum {
        let found = [
            (Cause::Locks, gave_way(group)),
            (Cause::Locks, skipped(group)),
            (Cause::Late, late(group)),
            (Cause::Held, held(group)),
            (Cause::Slow, long(group)),
            (Cause::Age, forced(group)),
        ];
        for (cause, finding) in found {
            candidates.extend(finding.map(|finding| Candidate {
                finding,
                cause,
                group: Some(group),
            }));
        }
    }
    candidates
}

/// `n / (n + 10) * (1 + n / attempts) / 2`: one half at ten attempts that failed and none that did not.
fn failed_score(failed: u64, runs: u64) -> f64 {
    let share = Ratio::of(failed, failed.saturating_add(runs)).value();
    saturating(failed, HALF_FAILED) * (1.0 + share) / 2.0
}

fn gave_way(group: &AutovacuumGroup) -> Option<Finding> {
    let n = group.canceled_count;
    let share = Ratio::of(n, n.saturating_add(group.run_count));
    let title = messages::gave_way_title(&group.table, Count(n));
    let reason = messages::gave_way_reason(share, Count(group.run_count));
    let finding = Finding::new(FindingKind::Autovacuum, title, reason).code(words::GAVE_WAY);
    (n > 0).then(|| locked(finding, group, n))
}

fn skipped(group: &AutovacuumGroup) -> Option<Finding> {
    let n = group.skipped_count;
    let share = Ratio::of(n, n.saturating_add(group.run_count));
    let title = messages::skipped_title(&group.table, Count(n));
    let reason = messages::skipped_reason(share, Count(group.run_count));
    let finding = Finding::new(FindingKind::Autovacuum, title, reason).code(words::SKIPPED_LOCKED);
    (n > 0).then(|| locked(finding, group, n))
}

fn locked(finding: Finding, group: &AutovacuumGroup, n: u64) -> Finding {
    let finding = about(finding, group)
        .score(failed_score(n, group.run_count))
        .confidence(confidence(n));
    if group.run_count == 0 {
        finding.code(words::NEVER_FINISHED)
    } else {
        finding
    }
}

/// The longest run removed a large part of the table: it had been due long before. The score is that part, times
/// `rows / (rows + 1 million)`.
fn late(group: &AutovacuumGroup) -> Option<Finding> {
    let (removed, share) = late_share(group.longest.as_ref()?)?;
    let title = messages::late_title(share, &group.table);
    let reason = messages::late_reason(Count(removed), Count(group.run_count));
    let finding = Finding::new(FindingKind::Autovacuum, title, reason)
        .code(words::COMES_TOO_LATE)
        .score(share.value() * saturating(removed, HALF_LATE_ROWS))
        .confidence(confidence(group.run_count));
    Some(about(finding, group))
}

/// Rows that a run removed, and what part of all they were, when that is too large a part.
pub(crate) fn late_share(run: &AutovacuumRun) -> Option<(u64, Ratio)> {
    let removed = run.tuples_removed?;
    let share = Ratio::of(removed, removed.saturating_add(run.tuples_remaining?));
    (removed >= LATE_ROWS && share.value() >= LATE_SHARE).then_some((removed, share))
}

/// How bad it is that `rows` dead rows had to stay: `rows / (rows + 1 million)`, or for a table that is mostly dead rows its part of
/// `rows / (rows + 100,000)`, whichever is more.
fn held_score(rows: u64, run: Option<&AutovacuumRun>) -> f64 {
    // Rows that remain contain the dead ones that do.
    let share = run.and_then(|run| {
        let kept = run.tuples_dead_not_removable?;
        Some(Ratio::of(kept, run.tuples_remaining?.max(kept)).value())
    });
    let of_small = share.unwrap_or(0.0) * saturating(rows, HALF_HELD_ROWS_OF_SMALL);
    saturating(rows, HALF_HELD_ROWS).max(of_small)
}

/// Whether dead rows had to stay in such numbers that whoever kept them is to be looked for.
pub(crate) fn is_held(group: &AutovacuumGroup) -> bool {
    let rows = group.max_tuples_dead_not_removable;
    group.kind == AutovacuumKind::Vacuum && held_score(rows, group.longest.as_ref()) > REMARKABLE
}

/// The same of one run.
pub(crate) fn is_held_run(run: &AutovacuumRun) -> bool {
    let rows = run.tuples_dead_not_removable;
    rows.is_some_and(|rows| held_score(rows, Some(run)) > REMARKABLE)
}

fn held(group: &AutovacuumGroup) -> Option<Finding> {
    let rows = group.max_tuples_dead_not_removable;
    if rows < HELD_ROWS || group.kind != AutovacuumKind::Vacuum {
        return None;
    }
    let title = messages::held_title(Count(rows), &group.table);
    let finding = Finding::new(
        FindingKind::Autovacuum,
        title,
        messages::held_reason(Count(group.run_count)),
    )
    .code(words::DEAD_ROWS_NOT_REMOVABLE)
    .score(held_score(rows, group.longest.as_ref()))
    .confidence(confidence(group.run_count));
    Some(about(finding, group))
}

/// `t / (t + 1 h)`, and of what is left to 1 up to a half for passes over the indexes beyond the first.
fn long(group: &AutovacuumGroup) -> Option<Finding> {
    let run = group.longest.as_ref()?;
    let passes = run.index_scans.unwrap_or(0);
    if run.elapsed_us < LONG_RUN_US && passes < 2 {
        return None;
    }
    let by_time = saturating(run.elapsed_us, HALF_LONG_US);
    let by_passes =
        0.5 * saturating(passes.saturating_sub(1), HALF_PASSES) * saturating(run.elapsed_us, HALF_PASSES_US);
    let title = messages::long_title(&group.table, DurationUs(run.elapsed_us));
    let reason = if passes > 1 {
        messages::long_passes_reason(Count(passes))
    } else {
        messages::long_reason(Count(group.run_count), DurationUs(group.total_elapsed_us))
    };
    let mut finding = Finding::new(FindingKind::Autovacuum, title, reason)
        .score(by_time + (1.0 - by_time) * by_passes)
        .confidence(confidence(group.run_count));
    if run.elapsed_us >= LONG_RUN_US {
        finding = finding.code(words::LONG_RUN);
    }
    if passes > 1 {
        finding = finding.code(words::SEVERAL_INDEX_PASSES);
    }
    Some(about(finding, group))
}

/// Runs that the age of transaction ids forced. They are as designed, so the score stays below a fifth.
fn forced(group: &AutovacuumGroup) -> Option<Finding> {
    let n = group.to_prevent_wraparound_count;
    if n == 0 {
        return None;
    }
    let title = messages::forced_title(&group.table, Count(n));
    let finding = Finding::new(FindingKind::Wraparound, title, messages::forced_reason())
        .code(words::FORCED_BY_AGE)
        .score(0.2 * saturating(n, HALF_FORCED))
        .confidence(confidence(n));
    Some(about(finding, group))
}

fn about(finding: Finding, group: &AutovacuumGroup) -> Finding {
    finding.about(group).evidence(&group.table)
}
