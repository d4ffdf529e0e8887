//! WAL since the statistics were reset.

use pg_logstats_sdk::{Assessment, Bytes, Confidence, Count, DurationUs, Insight, NextAction, Outcome, Ratio, Record};

use super::found;
use crate::{messages, scores, words};

/// A full page image has the page without its empty middle, so this is the most.
const PAGE_BYTES: u64 = 8_192;
/// From this share on they are most of the WAL.
const DOMINANT: f64 = 0.5;
/// Less WAL proves nothing.
const LITTLE_BYTES: u64 = 1 << 30;
/// From this share of the writes on the buffers are too small, if there are as many.
const OFTEN_FULL: f64 = 0.1;
const FEW: u64 = 1_000;
/// From this mean on each commit waits for the disk.
const SLOW_SYNC_US: u64 = 10_000;

/// Judges the one row.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let Some(row) = outcome.records().next() else { return };
    buffers(&row, assessment);
    syncs(&row, assessment);
    volume(&row, assessment);
}

/// `s − ½` with `s` the share of full pages, at most: it costs disk and replication, and a longer time between checkpoints lessens it.
fn volume(row: &Record<'_>, assessment: &mut Assessment) {
    let Some(bytes) = row.count("bytes") else { return };
    let images = row.count("full_page_images");
    let share = images.map(|n| Ratio::of(n.saturating_mul(PAGE_BYTES).min(bytes), bytes));
    let dominant = images.zip(share.filter(|share| share.value() >= DOMINANT && bytes >= LITTLE_BYTES));
    let Some((images, share)) = dominant else {
        let records = Count(row.count("records").unwrap_or(0));
        let reason = share.map_or_else(messages::counted_reason_unknown, messages::counted_reason);
        let title = messages::counted_title(Bytes(bytes), records);
        assessment.insight(Insight::new(words::WAL_COUNTED, Confidence::High, title, reason));
        return;
    };
    let (title, reason) = (
        messages::pages_title(share),
        messages::pages_reason(Count(images), Bytes(bytes)),
    );
    assessment.insight(Insight::new(
        words::FULL_PAGE_IMAGES_DOMINATE,
        Confidence::Medium,
        title.clone(),
        reason.clone(),
    ));
    found(words::FULL_PAGES, title, reason, share.value() - 0.5, assessment);
}

fn buffers(row: &Record<'_>, assessment: &mut Assessment) {
    let (Some(full), Some(writes)) = (row.count("buffers_full"), row.count("writes")) else {
        return;
    };
    let share = Ratio::of(full, writes);
    if full < FEW || share.value() < OFTEN_FULL {
        return;
    }
    let (title, reason) = (messages::full_title(Count(full)), messages::full_reason(share));
    assessment.insight(Insight::new(words::WAL_BUFFERS_FULL, Confidence::High, title, reason));
    let ask = NextAction::prompt_user(messages::buffers_label(), messages::buffers_reason());
    assessment.next_action(ask);
}

/// `m / (m + 50 ms)` with `m` the mean: every commit waits that long.
fn syncs(row: &Record<'_>, assessment: &mut Assessment) {
    let (Some(n), Some(us)) = (row.count("syncs"), row.milliseconds("sync_ms")) else {
        return;
    };
    let Some(mean) = us.checked_div(n).filter(|mean| n >= FEW && *mean >= SLOW_SYNC_US) else {
        return;
    };
    let (title, reason) = (
        messages::wal_sync_title(DurationUs(mean)),
        messages::wal_sync_reason(Count(n)),
    );
    assessment.insight(Insight::new(
        words::WAL_SYNC_SLOW,
        Confidence::High,
        title.clone(),
        reason.clone(),
    ));
    let score = scores::saturating(mean as f64, 50_000.0);
    found(words::LONG_SYNC, title, reason, score, assessment);
    assessment.next_action(crate::offers::storage());
}
