//! Cancellations by replay on a standby.

use pg_logstats_sdk::{CancelReason, CancellationGroup, Evidence};

/// The reasons that are conflicts with replay, in the order in which equals are told.
pub(crate) const REASONS: [CancelReason; 8] = [
    CancelReason::ConflictSnapshot,
    CancelReason::ConflictLock,
    CancelReason::ConflictBufferPin,
    CancelReason::ConflictDeadlock,
    CancelReason::ConflictTablespace,
    CancelReason::ConflictDatabase,
    CancelReason::ConflictLogicalSlot,
    CancelReason::ConflictOther,
];

/// The groups of one reason, in the order of the evidence.
pub(crate) fn groups(evidence: &Evidence, reason: CancelReason) -> Vec<&CancellationGroup> {
    evidence
        .cancellations
        .iter()
        .filter(|group| group.reason == reason)
        .collect()
}

/// How many cancellations had one of `reasons`.
pub(crate) fn count(evidence: &Evidence, reasons: &[CancelReason]) -> u64 {
    let of_reasons = evidence
        .cancellations
        .iter()
        .filter(|group| reasons.contains(&group.reason));
    of_reasons.fold(0, |sum, group| sum.saturating_add(group.count))
}

/// How often the host's event `name` happened.
pub(crate) fn events(evidence: &Evidence, name: &str) -> u64 {
    let named = evidence.events.iter().filter(|event| event.event == name);
    named.fold(0, |sum, event| sum.saturating_add(event.count))
}

/// How often streaming ended, and how often it began.
pub(crate) fn streaming(evidence: &Evidence) -> (u64, u64) {
    let broken = events(evidence, "standby_streaming_interrupted");
    let ended = broken.saturating_add(events(evidence, "standby_streaming_stopped"));
    (ended, events(evidence, "standby_streaming_started"))
}

/// The length of a span of time; 0 for one that ends before it begins.
pub(crate) fn span_us(first: i64, last: i64) -> u64 {
    u64::try_from(last.saturating_sub(first)).unwrap_or(0)
}
