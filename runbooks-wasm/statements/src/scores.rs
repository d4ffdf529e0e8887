//! Scores and confidence, alike in all findings so that they can be compared: from one half on somebody should look today, below 0.2 it is
//! everyday life. A server that does its work has a statement that takes most of the time, so a share says what to look at first, and nothing of how
//! bad it is.

use pg_logstats_sdk::{Confidence, Evidence, PlanGroup, QueryFamily};

/// Sessions that a statement keeps busy, all the time, for one half.
const HALF_SESSIONS: f64 = 0.33;
/// The 95th percentile for one half: a person notices.
const HALF_P95_US: u64 = 200_000;
/// Errors of a class for one half of what errors can be, which is less than the most: applications check constraints by trying.
const HALF_ERRORS: u64 = 200;
const MOST_OF_ERRORS: f64 = 0.8;
/// Bytes of temporary files in a second, all the time, for one half; and in all.
const HALF_TEMP_RATE: f64 = (1 << 20) as f64;
const HALF_TEMP_BYTES: u64 = 10 << 30;

/// How long the logs cover, in microseconds; at least a second.
pub fn window_us(evidence: &Evidence) -> u64 {
    let (first, last) = evidence.window.unwrap_or_default();
    last.saturating_sub(first).unsigned_abs().max(1_000_000)
}

/// How bad it is that a statement takes what it takes: it keeps sessions busy *and* is slow.
pub fn statement(family: &QueryFamily, window_us: u64) -> f64 {
    busy_and_slow(family.total_duration_us, family.p95_duration_us, window_us)
}

/// The same of a statement of which nothing but plans is logged: at least that, for all that is known is its slowest execution.
pub fn logged_plan(group: &PlanGroup, window_us: u64) -> f64 {
    busy_and_slow(group.slowest_duration_us, group.slowest_duration_us, window_us)
}

fn busy_and_slow(total_us: u64, typical_us: u64, window_us: u64) -> f64 {
    let sessions = total_us as f64 / window_us.max(1) as f64;
    sessions / (sessions + HALF_SESSIONS) * saturating(typical_us, HALF_P95_US)
}

/// How bad so many errors of one class are.
pub fn errors(count: u64) -> f64 {
    MOST_OF_ERRORS * saturating(count, HALF_ERRORS)
}

/// How bad so many bytes of temporary files are.
pub fn temp_files(bytes: u64, window_us: u64) -> f64 {
    let rate = bytes as f64 / (window_us.max(1) as f64 / 1e6);
    (rate / (rate + HALF_TEMP_RATE)).max(saturating(bytes, HALF_TEMP_BYTES))
}

/// `n / (n + half)`: 0 for nothing, one half at `half`, towards 1 without end. It makes amounts of different things comparable.
pub fn saturating(n: u64, half: u64) -> f64 {
    let n = n as f64;
    n / (n + half as f64)
}

/// How sure a statement about `n` events is.
pub fn confidence(n: u64) -> Confidence {
    match n {
        100.. => Confidence::High,
        10.. => Confidence::Medium,
        _ => Confidence::Low,
    }
}

/// Time that sessions waited for locks: one half at a minute.
pub fn waited(us: u64) -> f64 {
    saturating(us, 60_000_000)
}

/// A session that does nothing in an open transaction: one half at five minutes. Its client has forgotten it by then, and it keeps its
/// locks and its snapshot. The usual pause between two statements of a transaction is far below.
pub fn idle_in_transaction(us: u64) -> f64 {
    saturating(us, 5 * 60_000_000)
}

/// A statement or transaction that runs: one half at half an hour. Reports and index builds take minutes by their nature.
pub fn running(us: u64) -> f64 {
    saturating(us, 30 * 60_000_000)
}

/// Sessions that wait for locks at one moment, where nothing tells for how long: one half at five. One alone is gone the next moment.
pub fn waiting(sessions: u64) -> f64 {
    saturating(sessions, 5)
}

/// Transactions since the oldest snapshot that vacuum has to respect: one half at ten million. That is a twentieth of what autovacuum
/// freezes tables at by default, and many dead rows in any table that is written to.
pub fn xid_age(transactions: u64) -> f64 {
    saturating(transactions, 10_000_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "one half is exact")]

    use super::*;

    #[test]
    fn one_half_is_where_the_comments_say() {
        assert_eq!(waited(60_000_000), 0.5);
        assert_eq!(idle_in_transaction(300_000_000), 0.5);
        assert_eq!(running(1_800_000_000), 0.5);
        assert_eq!(waiting(5), 0.5);
        assert_eq!(xid_age(10_000_000), 0.5);
    }

    #[test]
    fn scores_grow_and_stay_below_one() {
        for score in [waited, idle_in_transaction, running, waiting, xid_age] {
            let mut last = 0.0;
            for n in (0..63).map(|shift| 1u64 << shift).chain([u64::MAX]) {
                let now = score(n);
                assert!(now >= last && now <= 1.0, "{n}");
                last = now;
            }
            assert_eq!(score(0), 0.0);
        }
    }
}
