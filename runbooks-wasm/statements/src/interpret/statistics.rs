//! What pg_stat_statements counted for one statement: a row for each role.

use pg_logstats_sdk::{Assessment, Confidence, Count, DurationUs, Insight, Outcome, Ratio, Record};

use crate::outcome::about_bound;
use crate::{messages, words};

/// How far the slowest execution must be from the mean.
const UNEVEN_FACTOR: u64 = 10;
/// Below this the slowest execution bothers nobody, in microseconds.
const UNEVEN_MAX_US: u64 = 100_000;
/// Share of blocks from outside shared buffers that is worth a word.
const OUTSIDE_CACHE_SHARE: f64 = 0.1;
/// Below this many blocks the share says nothing.
const OUTSIDE_CACHE_BLOCKS: u64 = 1_000;

#[derive(Default)]
struct Totals {
    calls: u64,
    total_us: u64,
    max_us: u64,
    rows: u64,
    hit: u64,
    read: u64,
    temp_written: u64,
}

/// Adds the roles' rows up and says what they show.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::no_statistics_title(), messages::no_statistics_reason());
        let insight = Insight::new(words::NO_STATISTICS_FOUND, Confidence::High, title, reason);
        assessment.insight(about_bound(insight, outcome));
        return;
    }
    match outcome.records().try_fold(Totals::default(), Totals::with) {
        Some(totals) => {
            for insight in shown(&totals) {
                assessment.insight(about_bound(insight, outcome));
            }
        }
        None => assessment.limitation(messages::unexpected_result()),
    }
}

impl Totals {
    /// `None` when the row has not what is to be added.
    fn with(self, row: Record<'_>) -> Option<Self> {
        Some(Self {
            calls: self.calls.saturating_add(row.count("calls")?),
            total_us: self.total_us.saturating_add(row.milliseconds("total_exec_ms")?),
            max_us: self.max_us.max(row.milliseconds("max_exec_ms")?),
            rows: self.rows.saturating_add(row.count("rows")?),
            hit: self.hit.saturating_add(row.count("shared_blks_hit")?),
            read: self.read.saturating_add(row.count("shared_blks_read")?),
            temp_written: self.temp_written.saturating_add(row.count("temp_blks_written")?),
        })
    }
}

fn shown(totals: &Totals) -> Vec<Insight> {
    let mean_us = totals.total_us / totals.calls.max(1);
    let mut shown = vec![Insight::new(
        words::STATISTICS_FOUND,
        Confidence::High,
        messages::statistics_title(DurationUs(totals.total_us), Count(totals.calls)),
        messages::statistics_found_reason(DurationUs(mean_us), DurationUs(totals.max_us), Count(totals.rows)),
    )];
    if totals.max_us >= UNEVEN_MAX_US && totals.max_us / UNEVEN_FACTOR >= mean_us {
        shown.push(Insight::new(
            words::UNEVEN_EXECUTION_TIME,
            Confidence::Medium,
            messages::uneven_title(DurationUs(totals.max_us), DurationUs(mean_us)),
            messages::uneven_reason(),
        ));
    }
    let touched = totals.read.saturating_add(totals.hit);
    let outside = Ratio::of(totals.read, touched);
    if touched >= OUTSIDE_CACHE_BLOCKS && outside.value() >= OUTSIDE_CACHE_SHARE {
        shown.push(Insight::new(
            words::BLOCKS_READ_FROM_OUTSIDE_CACHE,
            Confidence::Medium,
            messages::outside_cache_title(outside),
            messages::outside_cache_reason(Count(totals.read), Count(totals.hit)),
        ));
    }
    if totals.temp_written > 0 {
        shown.push(Insight::new(
            words::STATEMENTS_WRITING_TEMP_BLOCKS,
            Confidence::High,
            messages::writes_temp_title(Count(totals.temp_written)),
            messages::writes_temp_reason(Count(totals.calls)),
        ));
    }
    shown
}
