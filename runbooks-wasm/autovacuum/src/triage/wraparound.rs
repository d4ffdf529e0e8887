//! Wraparound, by the server's own warnings.

use pg_logstats_sdk::{Confidence, Count, Evidence, Finding, FindingKind};

use super::{Candidate, Cause};
use crate::{messages, words};

/// A score from which a person is told at once.
pub(super) const ACT_NOW: f64 = 0.8;
/// A server that refuses statements is down for whoever writes.
const REFUSED: f64 = 1.0;
/// The server warns when 40 million ids are left: hours to days on a busy server.
const WARNED: f64 = 0.9;

/// At most one finding each for refusals and warnings.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let count_of = |name: &str| {
        let named = evidence.events.iter().filter(|event| event.event == name);
        named.fold(0_u64, |sum, event| sum.saturating_add(event.count))
    };
    let (refused, warned) = (count_of("wraparound_error"), count_of("wraparound_warning"));
    let mut candidates = Vec::new();
    let mut add = |finding: Finding, score: f64| {
        candidates.push(Candidate {
            finding: finding.score(score).confidence(Confidence::High),
            cause: Cause::Age,
            group: None,
        });
    };
    if refused > 0 {
        let (title, reason) = (messages::refused_title(Count(refused)), messages::refused_reason());
        add(
            Finding::new(FindingKind::Wraparound, title, reason).code(words::WRAPAROUND_REFUSED),
            REFUSED,
        );
    }
    if warned > 0 {
        let (title, reason) = (messages::warned_title(Count(warned)), messages::warned_reason());
        add(
            Finding::new(FindingKind::Wraparound, title, reason).code(words::WRAPAROUND_WARNED),
            WARNED,
        );
    }
    candidates
}
