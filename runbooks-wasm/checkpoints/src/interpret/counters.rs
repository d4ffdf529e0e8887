//! Checkpoints and who wrote buffers, since the statistics were reset.

use pg_logstats_sdk::{Assessment, Confidence, Count, DurationUs, Insight, Outcome, Ratio, Record};

use super::found;
use crate::{messages, offers, scores, words};

/// From this mean on syncing is worth a word.
const SLOW_SYNC_US: u64 = 1_000_000;
/// From this share on sessions write in the checkpointer's place.
pub(super) const BACKENDS: f64 = 0.3;
/// Fewer buffers, 80 MB, prove nothing: one load or one index build that writes its own is no habit.
const FEW_BUFFERS: u64 = 10_000;

/// Judges the one row.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let Some(row) = outcome.records().next() else { return };
    requested(&row, assessment);
    syncing(&row, assessment);
    if let Some(n) = row.count("buffers_backend_fsync") {
        backends_sync(n, assessment);
    }
    // Since PostgreSQL 17 it is NULL here, and pg_stat_io has it.
    if let Some(n) = row.count("buffers_backend") {
        let others = ["buffers_checkpoint", "buffers_clean"].map(|column| row.count(column).unwrap_or(0));
        let all = others.iter().fold(n, |sum, others| sum.saturating_add(*others));
        backends_write(n, all, assessment);
    }
}

/// Timed and requested ones: of a standby, its restartpoints.
fn counts(row: &Record<'_>) -> Option<(u64, u64)> {
    let pair = |timed: &str, requested: &str| Some((row.count(timed)?, row.count(requested)?));
    let own = pair("checkpoints_timed", "checkpoints_requested");
    let standby = pair("restartpoints_timed", "restartpoints_requested");
    let sum = |pair: &Option<(u64, u64)>| pair.map_or(0, |(timed, requested)| timed.saturating_add(requested));
    if sum(&standby) > sum(&own) { standby } else { own }
}

/// `0.7 · s · r / (r + 20)`, with `s` the share of requested ones and `r` their number. The counters tell of no rate, and of no reason (a
/// backup counts like a full WAL), so that it is less than what the logs prove.
fn requested(row: &Record<'_>, assessment: &mut Assessment) {
    let Some((timed, requested)) = counts(row) else { return };
    let share = Ratio::of(requested, timed.saturating_add(requested));
    if requested == 0 || share.value() < 0.5 {
        let (title, reason) = (
            messages::timed_title(Count(timed)),
            messages::timed_reason(Count(requested)),
        );
        let insight = Insight::new(words::CHECKPOINTS_MOSTLY_TIMED, Confidence::High, title, reason);
        assessment.insight(insight);
        return;
    }
    let title = messages::requested_title(share, Count(requested));
    let reason = messages::requested_reason(Count(timed));
    assessment.insight(Insight::new(
        words::CHECKPOINTS_MOSTLY_REQUESTED,
        scores::confidence(requested),
        title.clone(),
        reason.clone(),
    ));
    let score = 0.7 * share.value() * scores::saturating(requested as f64, 20.0);
    found(words::REQUESTED_BY_WAL, title, reason, score, assessment);
}

/// `m / (m + 10 s)` with `m` the mean: as for one long `fsync` in the logs.
fn syncing(row: &Record<'_>, assessment: &mut Assessment) {
    let (Some((timed, requested)), Some(sync)) = (counts(row), row.milliseconds("sync_ms")) else {
        return;
    };
    let Some(mean) = sync
        .checked_div(timed.saturating_add(requested))
        .filter(|us| *us >= SLOW_SYNC_US)
    else {
        return;
    };
    let all = sync.saturating_add(row.milliseconds("write_ms").unwrap_or(0));
    let title = messages::sync_mean_title(DurationUs(mean));
    let reason = messages::sync_mean_reason(Ratio::of(sync, all));
    assessment.insight(Insight::new(
        words::CHECKPOINT_SYNC_SLOW,
        Confidence::High,
        title.clone(),
        reason.clone(),
    ));
    let score = scores::saturating(mean as f64, 10e6);
    found(words::LONG_SYNC, title, reason, score, assessment);
    assessment.next_action(offers::storage());
}

/// `0.3 + 0.6 · n / (n + 100)`: the first one already says that the checkpointer's queue was full, which should never be.
pub(super) fn backends_sync(n: u64, assessment: &mut Assessment) {
    if n == 0 {
        return;
    }
    let (title, reason) = (
        messages::backends_sync_title(Count(n)),
        messages::backends_sync_reason(),
    );
    assessment.insight(Insight::new(
        words::BACKENDS_SYNC_FILES,
        Confidence::High,
        title.clone(),
        reason.clone(),
    ));
    let score = 0.3 + 0.6 * scores::saturating(n as f64, 100.0);
    found(words::BACKENDS_SYNC, title, reason, score, assessment);
}

/// `0.6 · s²` with `s` the share that sessions wrote: a third is 0.07, nine tenths are 0.49. It slows sessions down and breaks nothing.
pub(super) fn backends_write(n: u64, all: u64, assessment: &mut Assessment) {
    let share = Ratio::of(n, all);
    if all < FEW_BUFFERS || share.value() < BACKENDS {
        let reason = messages::left_reason(share);
        let insight = Insight::new(
            words::WRITES_LEFT_TO_CHECKPOINTER,
            Confidence::Medium,
            messages::left_title(),
            reason,
        );
        assessment.insight(insight);
        return;
    }
    let title = messages::backends_write_title(share);
    let reason = messages::backends_write_reason(Count(n), Count(all));
    assessment.insight(Insight::new(
        words::BACKENDS_WRITE_BUFFERS,
        Confidence::Medium,
        title.clone(),
        reason.clone(),
    ));
    let score = 0.6 * share.value() * share.value();
    found(words::BACKENDS_WRITE, title, reason, score, assessment);
}
