//! Who reads, writes and syncs (PostgreSQL 16 and later).

use pg_logstats_sdk::{
    Assessment, Confidence, Count, DurationUs, Evidence, Insight, Outcome, Recommendation, Record, Setting,
};

use super::{counters, found};
use crate::{messages, offers, scores, words};

/// From this mean of one `fsync` on the storage is worth a word.
const SLOW_FSYNC_US: u64 = 100_000;
/// Fewer syncs prove nothing.
const FEW_SYNCS: u64 = 100;

/// Judges the rows.
pub(super) fn judge(evidence: &Evidence, outcome: &Outcome, assessment: &mut Assessment) {
    let rows: Vec<Record<'_>> = outcome.records().collect();
    if rows.is_empty() {
        return;
    }
    let sum = |backend: Option<&str>, column: &str| {
        // Relations through the usual buffers only: bulk writes and vacuum have rings that their own process writes.
        let usual = rows.iter().filter(|row| {
            row.text("object") == Some("relation")
                && row.text("context") == Some("normal")
                && backend.is_none_or(|backend| row.text("backend_type") == Some(backend))
        });
        usual.fold(0_u64, |sum, row| sum.saturating_add(row.count(column).unwrap_or(0)))
    };
    counters::backends_sync(sum(Some("client backend"), "fsyncs"), assessment);
    let is_checkpointer =
        |row: &&Record<'_>| row.text("backend_type") == Some("checkpointer") && row.text("object") == Some("relation");
    let checkpointer = || rows.iter().filter(is_checkpointer);
    let syncs = checkpointer().fold(0_u64, |n, row| n.saturating_add(row.count("fsyncs").unwrap_or(0)));
    let sync_us = checkpointer().fold(0_u64, |us, row| {
        us.saturating_add(row.milliseconds("fsync_ms").unwrap_or(0))
    });
    if syncs > 0 && sync_us == 0 {
        timing_off(evidence, syncs, assessment);
    } else if syncs >= FEW_SYNCS && sync_us / syncs >= SLOW_FSYNC_US {
        slow_sync(syncs, sync_us / syncs, assessment);
    }
    let (own, all) = (sum(Some("client backend"), "writes"), sum(None, "writes"));
    counters::backends_write(own, all, assessment);
}

/// Times are worth their cost only where a long sync in the logs wants them.
fn timing_off(evidence: &Evidence, syncs: u64, assessment: &mut Assessment) {
    let (title, reason) = (messages::timing_off_title(), messages::timing_off_reason(Count(syncs)));
    let insight = Insight::new(words::IO_TIMING_OFF, Confidence::High, title, reason);
    assessment.insight(if evidence.checkpoints.longest_sync_us >= 1_000_000 {
        insight.recommend(Recommendation::parameter(Setting::TrackIoTiming, 1))
    } else {
        insight
    });
}

/// `m / (m + 1 s)` with `m` the mean of one `fsync`: as a mean, a second is as bad as ten for the longest.
fn slow_sync(syncs: u64, mean_us: u64, assessment: &mut Assessment) {
    let (title, reason) = (
        messages::sync_one_title(DurationUs(mean_us)),
        messages::sync_one_reason(Count(syncs)),
    );
    assessment.insight(Insight::new(
        words::CHECKPOINT_SYNC_SLOW,
        Confidence::High,
        title.clone(),
        reason.clone(),
    ));
    let score = scores::saturating(mean_us as f64, 1e6);
    found(words::LONG_SYNC, title, reason, score, assessment);
    assessment.next_action(offers::storage());
}
