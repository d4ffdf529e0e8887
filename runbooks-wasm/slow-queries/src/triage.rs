//! Phase 1: what got worse, or what is slow.

mod regressions;
mod slowest;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, FindingRef, NextAction,
    Priority, QueryFamily, Ratio,
};

use crate::{messages, words};

/// Families that actions are requested for.
const TOP: usize = 10;
/// The share of all statement time, of what ran too seldom to be compared, that is worth a word.
const RARE_SHARE: f64 = 0.1;

/// A finding and the family that it is about.
type Candidate<'a> = (Finding, &'a QueryFamily);

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut candidates = match &evidence.baseline {
        Some(baseline) => regressions::candidates(evidence, baseline),
        None => slowest::candidates(evidence),
    };
    // Stable, so that equals stay in the order of the host.
    candidates.sort_by(|(one, _), (other, _)| other.score.total_cmp(&one.score));
    let mut assessment = Assessment::new();
    if candidates.is_empty() {
        assessment.finding(nothing_found(evidence));
    }
    let scores: Vec<f64> = candidates.iter().map(|(finding, _)| finding.score).collect();
    let pending: Vec<(FindingRef, &QueryFamily)> = candidates
        .into_iter()
        .map(|(finding, family)| (assessment.finding(finding), family))
        .collect();
    assessment.next_action(to_locks(evidence, &pending));
    for ((finding, family), score) in pending.iter().zip(scores).take(TOP) {
        for action in statements::offers::all(actions, family, score).into_iter().flatten() {
            assessment.next_action(action.because(*finding));
        }
    }
    if evidence.families.is_empty() {
        let label = statements::outcome::messages::stop_label();
        assessment.next_action(NextAction::stop(label, messages::stop_reason_nothing()));
    } else {
        let (label, reason) = (messages::families_label(), messages::families_reason());
        let families = NextAction::run_workflow(words::QUERY_FAMILIES, label, reason);
        assessment.next_action(families.priority(Priority::Optional));
    }
    limitations(evidence, &mut assessment);
    assessment
}

/// How much a finding of this confidence counts.
fn weight(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::High => 1.0,
        Confidence::Medium => 0.7,
        Confidence::Low => 0.4,
    }
}

/// Adds what else the log tells of the family, because it may be why it is slow.
fn with_other_trouble(finding: Finding, family: &QueryFamily, evidence: &Evidence) -> Finding {
    let codes = [
        (waits_of(evidence, family).0 > 0, words::WAITED_FOR_LOCKS),
        (family.temp_bytes > 0, words::WRITES_TEMP_FILES),
        (family.error_count > 0, words::HAS_ERRORS),
    ];
    let applying = codes.into_iter().filter(|(applies, _)| *applies);
    applying.fold(finding, |finding, (_, code)| finding.code(code))
}

/// How many lock waits and deadlocks the log tells of a family, and the longest wait in microseconds.
fn waits_of(evidence: &Evidence, family: &QueryFamily) -> (u64, u64) {
    let is_its = |other: &Option<String>| other.as_ref() == Some(&family.id);
    let waits = evidence.lock_waits.iter().filter(|wait| is_its(&wait.family));
    let (count, longest) = waits.fold((0, 0), |(count, longest), wait| {
        (count + 1, wait.waited_us.max(longest))
    });
    let edges = |deadlock: &&pg_logstats_sdk::Deadlock| deadlock.edges.iter().any(|edge| is_its(&edge.family));
    (count + evidence.deadlocks.iter().filter(edges).count() as u64, longest)
}

/// Where a statement of the findings waited for locks, it may not be the statement that is slow.
fn to_locks(evidence: &Evidence, pending: &[(FindingRef, &QueryFamily)]) -> Option<NextAction> {
    let (mut waits, mut longest) = (0, 0);
    let mut because = Vec::new();
    for (finding, family) in pending {
        let (count, waited_us) = waits_of(evidence, family);
        if count > 0 {
            waits += count;
            longest = waited_us.max(longest);
            because.push(*finding);
        }
    }
    if because.is_empty() {
        return None;
    }
    let label = statements::messages::locks_label();
    let reason = messages::locks_reason(Count(waits), DurationUs(longest));
    let action = NextAction::run_workflow(statements::words::LOCKS, label, reason);
    Some(because.into_iter().fold(action, NextAction::because))
}

/// That nothing got worse is an answer, as sure as there was something to compare.
fn nothing_found(evidence: &Evidence) -> Finding {
    let (title, reason, confidence) = match &evidence.baseline {
        Some(baseline) => {
            let executions = Count(baseline.total_executions);
            let reason = messages::nothing_worse_reason(Count(baseline.common_family_count), executions);
            let rare = Ratio::of(baseline.rare_duration_us, evidence.total_duration_us);
            let confidence = match baseline.common_family_count {
                0 => Confidence::Low,
                _ if rare.value() >= RARE_SHARE => Confidence::Medium,
                _ => Confidence::High,
            };
            (messages::nothing_worse_title(), reason, confidence)
        }
        None => {
            let reason = messages::no_statement_reason(Count(evidence.total_executions));
            (messages::no_statement_title(), reason, Confidence::Low)
        }
    };
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    finding.code(statements::words::NOTHING_FOUND).confidence(confidence)
}

fn limitations(evidence: &Evidence, assessment: &mut Assessment) {
    statements::limitations(evidence, assessment);
    let Some(baseline) = &evidence.baseline else {
        assessment.limitation(messages::no_baseline());
        return;
    };
    let rare = Ratio::of(baseline.rare_duration_us, evidence.total_duration_us);
    if rare.value() >= RARE_SHARE {
        assessment.limitation(messages::rare_left_out(Count(baseline.rare_family_count), rare));
    }
}
