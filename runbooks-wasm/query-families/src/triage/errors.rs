//! Error classes by how often they happened, and by what they ended.

use pg_logstats_runbook_statements::scores::confidence;
use pg_logstats_sdk::{At, Count, ErrorClass, Evidence, Finding, FindingKind, Ratio};

use super::{Candidate, Offers, TOP};
use crate::{messages, words};

/// One finding for each of the top classes.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let errors = evidence
        .errors
        .iter()
        .fold(0, |sum: u64, class| sum.saturating_add(class.count));
    let all = evidence.total_executions.saturating_add(errors);
    let candidate = |class| Candidate {
        finding: finding(class, all),
        offers: Offers::Error(class),
    };
    let mut candidates: Vec<Candidate<'_>> = evidence.errors.iter().map(candidate).collect();
    // Stable: equals stay in the host's order, by count.
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));
    candidates.truncate(TOP);
    candidates
}

/// A class weighs as its part of all that was executed or failed, as a family does as its part of all time.
fn finding(class: &ErrorClass, all: u64) -> Finding {
    let share = Ratio::of(class.count, all);
    let (title, reason) = match class.count {
        1 => (
            messages::error_title_once(class),
            messages::error_reason_once(At(class.first_seen), share),
        ),
        n => (
            messages::error_title(class, Count(n)),
            messages::error_reason(At(class.first_seen), At(class.last_seen), share),
        ),
    };
    let finding = Finding::new(FindingKind::ErrorClass, title, reason)
        .about(class)
        .score(share.value())
        .confidence(confidence(class.count))
        .code(words::FREQUENT_ERROR);
    match class.severity.as_str() {
        // Once is enough: nothing else went on.
        "PANIC" => finding.code(words::SERVER_PANIC).score(1.0),
        "FATAL" => finding.code(words::SESSION_ENDED),
        _ => finding,
    }
}
