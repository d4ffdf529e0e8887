//! Error classes by how often they happened, and by what they ended.

use pg_logstats_sdk::{At, Count, ErrorClass, Evidence, Finding, FindingKind};

use super::{Candidate, Offers, TOP, confidence, saturating};
use crate::{messages, words};

/// Errors of one class that score one half.
const HALF_SCORE_ERRORS: u64 = 1_000;
/// Sessions ended (`FATAL`) that score one half.
const HALF_SCORE_FATAL: u64 = 100;

/// One finding for each of the top classes.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let mut classes: Vec<&ErrorClass> = evidence.errors.iter().collect();
    // Stable: equals stay in the host's order, by count.
    classes.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let candidate = |class| Candidate {
        finding: finding(class),
        offers: Offers::Error(class),
    };
    classes.into_iter().take(TOP).map(candidate).collect()
}

fn score(class: &ErrorClass) -> f64 {
    match class.severity.as_str() {
        "PANIC" => 1.0,
        "FATAL" => saturating(class.count, HALF_SCORE_FATAL),
        _ => saturating(class.count, HALF_SCORE_ERRORS),
    }
}

fn finding(class: &ErrorClass) -> Finding {
    let reason = messages::error_reason(Count(class.count), At(class.first_seen), At(class.last_seen));
    let finding = Finding::new(
        FindingKind::ErrorClass,
        messages::error_title(class, Count(class.count)),
        reason,
    )
    .about(class)
    .score(score(class))
    .confidence(confidence(class.count))
    .code(words::FREQUENT_ERROR);
    match class.severity.as_str() {
        "PANIC" => finding.code(words::SERVER_PANIC),
        "FATAL" => finding.code(words::SESSION_ENDED),
        _ => finding,
    }
}
