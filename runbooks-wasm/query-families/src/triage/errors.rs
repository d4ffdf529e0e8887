//! Error classes by their part of all that was executed or failed, as families by their part of all time; and by what they ended.

use pg_logstats_runbook_statements::scores::{self, confidence};
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
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for class in &evidence.errors {
        candidates.push(Candidate {
            finding: finding(class, all),
            // Once is enough: nothing else went on.
            part: if class.severity == "PANIC" {
                1.0
            } else {
                Ratio::of(class.count, all).value()
            },
            offers: Offers::Error(class),
        });
    }
    // Stable: equals stay in the host's order, by count.
    candidates.sort_by(|a, b| b.part.total_cmp(&a.part));
    candidates.truncate(TOP);
    candidates
}

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
        .score(scores::errors(class.count))
        .confidence(confidence(class.count))
        .code(words::FREQUENT_ERROR);
    match class.severity.as_str() {
        "PANIC" => finding.code(words::SERVER_PANIC).score(1.0),
        "FATAL" => finding.code(words::SESSION_ENDED),
        _ => finding,
    }
}
