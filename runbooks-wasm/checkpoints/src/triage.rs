//! Phase 1: what the logs tell of checkpoints.

mod findings;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Action, Actions, Assessment, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, FindingRef, Insight,
    NextAction, Priority, Recommendation, Setting, StatementKind,
};

use crate::{measure, messages, offers, words};
use findings::{Candidate, Wants};

/// What scores less is what every server has, and is left out.
const REPORTED: f64 = 0.1;
/// Nothing needs to be done about what scores less.
const LOW: f64 = 0.2;
/// In less than this no checkpoint need have come: the longest usual `checkpoint_timeout`.
const LONG_LOGS_US: u64 = 3_600_000_000;

/// Which part of what a finding wants.
type IsWanted = fn(&Wants) -> bool;

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut candidates = findings::candidates(evidence);
    candidates.retain(|candidate| candidate.finding.score >= REPORTED);
    // Stable, so that equals stay in the order of their kinds.
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));
    let mut assessment = Assessment::new();
    let mut pending: Vec<(FindingRef, Candidate)> = Vec::new();
    for candidate in candidates {
        pending.push((assessment.finding(candidate.finding.clone()), candidate));
    }
    let n = measure::count(evidence);
    if pending.is_empty() {
        let reason = messages::nothing_reason(Count(n));
        let finding = Finding::new(FindingKind::NothingFound, messages::nothing_title(), reason);
        let confidence = if n > 0 { Confidence::High } else { Confidence::Medium };
        assessment.finding(finding.code(words::NOTHING_FOUND).confidence(confidence));
    }
    pending.retain(|(_, candidate)| candidate.finding.score >= LOW);
    request(evidence, &pending, actions, &mut assessment);
    limitations(evidence, &mut assessment);
    if pending.is_empty() && evidence.window.is_some() {
        let reason = messages::stop_reason_nothing();
        assessment.next_action(NextAction::stop(outcome::messages::stop_label(), reason));
    }
    outcome::close(&mut assessment);
    assessment
}

/// Each action once, for all findings that want it; without logs, what the server tells by itself.
fn request(
    evidence: &Evidence,
    pending: &[(FindingRef, Candidate)],
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let is_blind = evidence.window.is_none();
    let looks: [(Action, IsWanted); 4] = [
        (words::SETTINGS, |wants| wants.settings),
        (words::COUNTERS, |wants| wants.counters),
        (words::WAL, |wants| wants.wal),
        (words::IO, |wants| wants.io),
    ];
    for (action, is_wanted) in looks {
        let wanted: Vec<&(FindingRef, Candidate)> = pending.iter().filter(|(_, c)| is_wanted(&c.wants)).collect();
        let is_first = action == words::SETTINGS || action == words::COUNTERS;
        let is_urgent = action == words::SETTINGS && wanted.iter().any(|(_, c)| c.finding.score >= 0.5);
        let priority = if is_urgent || (is_blind && is_first) {
            Priority::Required
        } else if wanted.is_empty() {
            Priority::Optional
        } else {
            Priority::Recommended
        };
        // The counters have more than the logs even where these show nothing.
        if !wanted.is_empty() || is_blind || action == words::COUNTERS {
            let offer = offers::look(actions, action).map(|offer| offer.priority(priority));
            assessment.next_action(offer.map(|offer| because(offer, &wanted)));
        }
    }
    let asks: [(NextAction, IsWanted); 3] = [
        (offers::storage(), |wants| wants.storage),
        (
            NextAction::prompt_user(messages::asker_label(), messages::asker_reason()),
            |wants| wants.asker,
        ),
        (offers::families(), |wants| wants.families),
    ];
    for (action, is_wanted) in asks {
        let wanted: Vec<&(FindingRef, Candidate)> = pending.iter().filter(|(_, c)| is_wanted(&c.wants)).collect();
        if !wanted.is_empty() {
            assessment.next_action(because(action, &wanted));
        }
    }
}

fn because(action: NextAction, findings: &[&(FindingRef, Candidate)]) -> NextAction {
    let findings = findings.iter().map(|(finding, _)| *finding);
    findings.fold(action, NextAction::because)
}

/// What the logs could not show. A server that changes data for an hour makes checkpoints, so that their absence is the setting's.
fn limitations(evidence: &Evidence, assessment: &mut Assessment) {
    let all = &evidence.checkpoints;
    if evidence.window.is_none() {
        assessment.limitation(messages::no_logs());
        return;
    }
    if all.checkpoint_count == 0 && all.restartpoint_count > 0 {
        assessment.limitation(messages::standby_only());
    }
    if measure::count(evidence) > 0 {
        return;
    }
    assessment.limitation(messages::not_logged());
    let is_write = |kind| {
        matches!(
            kind,
            StatementKind::Insert | StatementKind::Update | StatementKind::Delete | StatementKind::Merge
        )
    };
    let writes = evidence.families.iter().filter(|family| is_write(family.kind));
    let writes = writes.fold(0_u64, |sum, family| sum.saturating_add(family.execution_count));
    let window = measure::window_us(evidence).unwrap_or(0);
    if writes > 0 && window >= LONG_LOGS_US {
        let reason = messages::not_logged_reason(DurationUs(window), Count(writes));
        let title = messages::not_logged_title();
        let insight = Insight::new(words::CHECKPOINTS_NOT_LOGGED, Confidence::High, title, reason);
        assessment.insight(insight.recommend(Recommendation::parameter(Setting::LogCheckpoints, 1)));
    }
}
