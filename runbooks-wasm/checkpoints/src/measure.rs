//! What the logs measured of checkpoints and WAL.

use pg_logstats_sdk::{CheckpointCause, Confidence, Evidence};

/// Checkpoints and restartpoints that began for `cause`.
pub(crate) fn caused_by(evidence: &Evidence, cause: CheckpointCause) -> u64 {
    let named = evidence.checkpoints.causes.iter().filter(|count| count.cause == cause);
    named.fold(0, |sum, count| sum.saturating_add(count.count))
}

/// Checkpoints and restartpoints.
pub(crate) fn count(evidence: &Evidence) -> u64 {
    let all = &evidence.checkpoints;
    all.checkpoint_count.saturating_add(all.restartpoint_count)
}

/// How often the host's event `name` happened.
pub(crate) fn event(evidence: &Evidence, name: &str) -> u64 {
    let named = evidence.events.iter().filter(|event| event.event == name);
    named.fold(0, |sum, event| sum.saturating_add(event.count))
}

/// The length of the logs.
pub(crate) fn window_us(evidence: &Evidence) -> Option<u64> {
    let (first, last) = evidence.window?;
    u64::try_from(last.saturating_sub(first)).ok().filter(|us| *us > 0)
}

/// The most WAL that was written in one `checkpoint_timeout`, and how sure that is.
///
/// Where all checkpoints are listed: the most that those completed within one timeout had between them and the ones before, so that bursts count.
/// Else, with the longest only, their mean distance times how many there are in one timeout; none when the logs have no length.
pub(crate) fn wal_per_timeout(evidence: &Evidence, timeout_us: u64) -> Option<(u64, Confidence)> {
    let listed = &evidence.checkpoints.longest;
    let n = count(evidence);
    if listed.is_empty() || timeout_us == 0 {
        return None;
    }
    if listed.len() as u64 == n {
        let in_timeout = |end: i64| {
            let within = listed.iter().filter(|one| {
                let age = end.saturating_sub(one.at);
                u64::try_from(age).is_ok_and(|age| age < timeout_us)
            });
            within.fold(0_u64, |sum, one| sum.saturating_add(one.distance_bytes))
        };
        let most = listed.iter().map(|one| in_timeout(one.at)).max().unwrap_or(0);
        return Some((most, crate::scores::confidence(n)));
    }
    let sum = listed.iter().fold(0.0, |sum, one| sum + one.distance_bytes as f64);
    let mean = sum / listed.len() as f64;
    let per_timeout = n as f64 * (timeout_us as f64 / window_us(evidence)? as f64);
    // A cast of a float saturates.
    Some(((mean * per_timeout) as u64, Confidence::Low))
}
