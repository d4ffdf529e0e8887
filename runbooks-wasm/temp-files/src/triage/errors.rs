//! Errors that say that there was no room for temporary files, or that they met a limit.

use pg_logstats_sdk::{Bytes, Confidence, Count, ErrorClass, Evidence, Finding, FindingKind};

use super::{About, Candidate};
use crate::{messages, words};

/// A full disk ends statements of all sessions, and WAL that has no room stops the server.
const FULL_SCORE: f64 = 0.85;
/// A limit did what it is for: the statement that met it failed.
const LIMIT_SCORE: f64 = 0.5;
/// Classes that are told; the errors runbook tells all.
const MOST: usize = 5;

/// Whether the class is about a full disk (`disk_full`).
pub(super) fn is_full(class: &ErrorClass) -> bool {
    class.sqlstate.as_deref() == Some("53100")
}

/// Whether it is about a limit of the configuration (`configuration_limit_exceeded`), of which `temp_file_limit` is the usual one.
fn is_limit(class: &ErrorClass) -> bool {
    class.sqlstate.as_deref() == Some("53400")
}

/// Full disks first, then limits. None without temporary files: then the cause is elsewhere.
pub(super) fn candidates(evidence: &Evidence) -> Vec<Candidate<'_>> {
    let full = evidence.errors.iter().filter(|class| is_full(class));
    let limits = evidence.errors.iter().filter(|class| is_limit(class));
    let candidate = |class| Candidate {
        finding: finding(evidence, class),
        about: About::Error(class),
    };
    full.chain(limits).take(MOST).map(candidate).collect()
}

fn finding(evidence: &Evidence, class: &ErrorClass) -> Finding {
    let groups = evidence.temp_files.iter();
    let bytes = groups
        .clone()
        .fold(0, |sum: u64, group| sum.saturating_add(group.total_bytes));
    let largest = groups.map(|group| group.max_bytes).max().unwrap_or(0);
    let reason = messages::error_reason(Bytes(bytes), Bytes(largest));
    let n = Count(class.count);
    let (title, score, code) = if is_full(class) {
        (messages::full_title(class, n), FULL_SCORE, words::DISK_FULL)
    } else {
        (messages::limit_title(class, n), LIMIT_SCORE, words::LIMIT_REACHED)
    };
    let finding = Finding::new(FindingKind::ErrorClass, title, reason)
        .about(class)
        .score(score)
        // That it happened is certain; that temporary files are the cause is not.
        .confidence(Confidence::Medium)
        .code(code);
    let failed = class.statements.iter();
    let failed = failed.filter_map(|statement| evidence.family(&statement.family));
    failed.fold(finding, |finding, family| finding.evidence(family))
}
