//! Phase 1: what the logs show, ranked.

mod errors;
mod families;
mod temp_files;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, NextAction, Priority,
};

use crate::{messages, offers};

/// Families, groups of temporary files and error classes that actions are requested for, each.
const TOP: usize = 10;

/// A finding and what to offer because of it.
struct Candidate<'a> {
    finding: Finding,
    /// What part of all it is: the rank. The score says how bad it is.
    part: f64,
    offers: Offers<'a>,
}

/// What a finding is about, as far as actions need to know.
enum Offers<'a> {
    Nothing,
    /// With the finding's score.
    Family(&'a pg_logstats_sdk::QueryFamily, f64),
    TempFiles {
        group: &'a pg_logstats_sdk::TempFileGroup,
        counters: bool,
    },
    Error(&'a pg_logstats_sdk::ErrorClass),
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut candidates = families::candidates(evidence);
    candidates.extend(temp_files::candidates(evidence));
    candidates.extend(errors::candidates(evidence));
    // Stable, so that equals stay in the order of their kinds.
    candidates.sort_by(|a, b| b.part.total_cmp(&a.part));
    show_best_of(FindingKind::TempFile, &mut candidates);
    show_best_of(FindingKind::ErrorClass, &mut candidates);

    let mut assessment = Assessment::new();
    if candidates.is_empty() {
        assessment.finding(nothing_found(evidence));
    }
    let mut pending = Vec::with_capacity(candidates.len());
    for Candidate { finding, offers, .. } in candidates {
        pending.push((assessment.finding(finding), offers));
    }
    if let Some(action) = to_locks(evidence) {
        assessment.next_action(action);
    }
    let has_temp_files = !evidence.temp_files.is_empty();
    for (finding, offers) in pending {
        for action in requested(actions, &offers) {
            assessment.next_action(action.because(finding));
        }
    }
    if has_temp_files {
        assessment.next_action(statements::temp_files::offers::blocks(actions));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(
            statements::outcome::messages::stop_label(),
            messages::stop_reason_nothing(),
        ));
    }
    limitations(evidence, &mut assessment);
    assessment
}

/// Many families of about the same share would push everything else out of sight: the best of another kind is among the first
/// [`TOP`], as many as a report shows unless told otherwise.
fn show_best_of(kind: FindingKind, candidates: &mut [Candidate<'_>]) {
    let best = candidates.iter().position(|candidate| candidate.finding.kind == kind);
    let mut shown = candidates.iter().take(TOP);
    let last_family = shown.rposition(|candidate| candidate.finding.kind == FindingKind::QueryFamily);
    let (Some(best), Some(last_family)) = (best.filter(|&best| best >= TOP), last_family) else {
        return;
    };
    // The last family that is shown makes room: what else is shown moves up, not out.
    if let Some(shown) = candidates.get_mut(last_family..TOP) {
        shown.rotate_left(1);
    }
    if let Some(moved) = candidates.get_mut(TOP - 1..=best) {
        moved.rotate_right(1);
    }
}

fn requested(actions: &mut dyn Actions, offers: &Offers<'_>) -> Vec<NextAction> {
    let offered = match offers {
        Offers::Nothing => vec![],
        Offers::Family(family, score) => statements::offers::all(actions, family, *score),
        Offers::TempFiles { group, counters } => vec![
            statements::temp_files::offers::explain(actions, group),
            statements::temp_files::offers::explain_analyze(actions, group),
            if *counters {
                statements::temp_files::offers::counters(actions, group)
            } else {
                None
            },
        ],
        Offers::Error(class) => {
            let action = offers::error_sessions(actions, class);
            vec![action.map(|action| action.priority(Priority::Optional))]
        }
    };
    offered.into_iter().flatten().collect()
}

/// Lock waits and deadlocks are another runbook's business.
fn to_locks(evidence: &Evidence) -> Option<NextAction> {
    if evidence.lock_waits.is_empty() && evidence.deadlocks.is_empty() {
        return None;
    }
    let longest = evidence.lock_waits.iter().map(|wait| wait.waited_us).max().unwrap_or(0);
    let reason = messages::locks_reason(
        Count::of(&evidence.lock_waits),
        DurationUs(longest),
        Count::of(&evidence.deadlocks),
    );
    Some(NextAction::run_workflow(
        statements::words::LOCKS,
        statements::messages::locks_label(),
        reason,
    ))
}

fn nothing_found(evidence: &Evidence) -> Finding {
    let reason = messages::nothing_reason(Count(evidence.total_executions), Count::of(&evidence.errors));
    Finding::new(FindingKind::NothingFound, messages::nothing_title(), reason)
        .code(statements::words::NOTHING_FOUND)
        .confidence(if evidence.total_executions > 0 {
            Confidence::High
        } else {
            Confidence::Low
        })
}

fn limitations(evidence: &Evidence, assessment: &mut Assessment) {
    statements::limitations(evidence, assessment);
    let left_out = evidence.family_count.saturating_sub(evidence.families.len() as u64);
    if left_out > 0 {
        assessment.limitation(messages::families_left_out(
            Count(left_out),
            Count(evidence.family_count),
        ));
    }
}
