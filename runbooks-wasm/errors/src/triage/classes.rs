//! Error classes by what they stand for and how many came at a time.

use pg_logstats_runbook_statements::scores::confidence;
use pg_logstats_sdk::{Confidence, ErrorClass, Evidence, Finding, FindingKind};

use super::category::{Category, of_cancellation};
use super::{About, Candidate, Pace};
use crate::words;

/// One for each class that no cancellation tells of.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let candidate = |class| {
        let category = Category::of(class);
        let pace = Pace::new(evidence, class.count, class.first_seen, class.last_seen);
        Candidate {
            finding: finding(evidence, class, category, pace),
            pace,
            about: About::Class(class, category),
        }
    };
    let untold = evidence.errors.iter().filter(|class| !is_told(evidence, class));
    untold.map(candidate).collect()
}

/// Whether the cancellations account for all errors with this SQLSTATE and these dimensions: they say more, and need not be told twice.
/// When they are fewer, something else has the same SQLSTATE (NOWAIT, for one), and which class that is cannot be known.
fn is_told(evidence: &Evidence, class: &ErrorClass) -> bool {
    let Some(sqlstate) = class.sqlstate.as_deref() else {
        return false;
    };
    let is_like =
        |other: &&ErrorClass| other.sqlstate.as_deref() == Some(sqlstate) && other.dimensions == class.dimensions;
    let errors = evidence.errors.iter().filter(is_like);
    let errors = errors.fold(0, |sum: u64, class| sum.saturating_add(class.count));
    let cancelled = evidence
        .cancellations
        .iter()
        .filter(|group| of_cancellation(group.reason).0 == sqlstate && group.dimensions == class.dimensions)
        .fold(0, |sum: u64, group| sum.saturating_add(group.count));
    cancelled > 0 && cancelled >= errors
}

fn finding(evidence: &Evidence, class: &ErrorClass, category: Category, pace: Pace) -> Finding {
    let is_fatal = class.severity == "FATAL";
    let weight = if is_fatal {
        category.weight().of_sessions()
    } else {
        category.weight()
    };
    let kind = if pace.is_sudden() {
        FindingKind::ErrorBurst
    } else {
        FindingKind::ErrorClass
    };
    // What is grave is certain with the first; of the rest, numbers tell.
    let sure = if weight.is_grave() {
        Confidence::High
    } else if class.sqlstate.is_none() {
        Confidence::Low
    } else {
        confidence(class.count)
    };
    let mut finding = Finding::new(kind, category.title(class), pace.reason())
        .about(class)
        .score(weight.score(pace.per_hour()))
        .confidence(sure)
        .code(category.code());
    let codes = [
        (class.sqlstate.is_none(), words::SQLSTATE_UNKNOWN),
        (is_fatal, words::SESSION_ENDED),
        (pace.is_burst, words::BURST),
        (pace.is_new, words::NEW_IN_WINDOW),
    ];
    for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
        finding = finding.code(code);
    }
    let failed = class.statements.iter();
    let failed = failed.filter_map(|statement| evidence.family(&statement.family));
    failed.fold(finding, |finding, family| finding.evidence(family))
}
