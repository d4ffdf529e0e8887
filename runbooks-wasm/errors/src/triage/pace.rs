//! When events came, and how many at a time.

use pg_logstats_sdk::{At, DurationUs, Evidence, Message, Rate};

use crate::messages;

const MINUTE_US: u64 = 60_000_000;
const HOUR_US: u64 = 60 * MINUTE_US;
/// Fewer events are no burst.
const BURST_COUNT: u64 = 30;
/// Fewer events are not told as new: something rare may be seen for the first time at any moment.
const NEW_COUNT: u64 = 10;
/// A burst is over within this part of the logs.
const BURST_PART: u64 = 6;
/// In shorter logs everything happens within a short time. Nor can a rate against the rest of them tell: of an error the evidence has how many there
/// were, the first and the last, and not how many in each minute. A sixth of a few minutes is as long as one round of any job that comes every few
/// minutes, each round of which would be a burst in the log that holds only one.
const BURST_WINDOW_US: u64 = 10 * MINUTE_US;
/// The rate of a burst is that of this time at least: a single statement of many failing rows is no lasting trouble.
const BURST_LEAST_US: u64 = 5 * MINUTE_US;

/// How a number of events is spread over the logs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    count: u64,
    first: i64,
    last: i64,
    /// Length of the logs, if they tell.
    window_us: Option<u64>,
    /// Many in a short time.
    pub(super) is_burst: bool,
    /// None in the first half of the logs. Only logs of an hour and more can tell.
    pub(super) is_new: bool,
}

impl Pace {
    pub(super) fn new(evidence: &Evidence, count: u64, first: i64, last: i64) -> Self {
        let window = evidence.window.filter(|(start, end)| end > start);
        let window_us = window.map(|(start, end)| end.abs_diff(start));
        let span = span_us(first, last);
        let is_burst =
            count >= BURST_COUNT && window_us.is_some_and(|us| us >= BURST_WINDOW_US && span <= us / BURST_PART);
        let is_new = count >= NEW_COUNT
            && window.is_some_and(|(start, end)| {
                let length = end.abs_diff(start);
                length >= HOUR_US && (start..=end).contains(&first) && first.abs_diff(start) >= length / 2
            });
        Self {
            count,
            first,
            last,
            window_us,
            is_burst,
            is_new,
        }
    }

    /// Whether it did not go on all along.
    pub(super) fn is_sudden(self) -> bool {
        self.is_burst || self.is_new
    }

    /// Events in an hour while they came. Logs that are shorter than an hour, or tell no times, count as one hour: what a few minutes
    /// had is no rate of hours.
    pub(super) fn per_hour(self) -> f64 {
        let over = |us: u64| self.count as f64 * (HOUR_US as f64 / us.max(1) as f64);
        let all = over(self.window_us.unwrap_or(HOUR_US).max(HOUR_US));
        let burst = if self.is_burst {
            over(span_us(self.first, self.last).max(BURST_LEAST_US))
        } else {
            0.0
        };
        let since = if self.is_new {
            over(span_us(self.first, self.last).max(HOUR_US))
        } else {
            0.0
        };
        all.max(burst).max(since)
    }

    pub(super) fn first(self) -> At {
        At(self.first)
    }

    pub(super) fn reason(self) -> Message {
        let Some(window_us) = self.window_us else {
            return messages::timeless_reason();
        };
        if self.count <= 1 {
            return messages::once_reason(self.first());
        }
        if self.is_burst {
            let span = DurationUs(span_us(self.first, self.last));
            return messages::burst_reason(span, self.first(), DurationUs(window_us));
        }
        let since = Rate::of(self.count, span_us(self.first, self.last)).filter(|_| self.is_new);
        match (since, Rate::of(self.count, window_us)) {
            (Some(rate), _) => messages::new_reason(self.first(), rate),
            (None, Some(rate)) => messages::steady_reason(self.first(), At(self.last), rate),
            (None, None) => messages::timeless_reason(),
        }
    }
}

/// 0 when the order is broken.
fn span_us(first: i64, last: i64) -> u64 {
    if last > first { last.abs_diff(first) } else { 0 }
}
