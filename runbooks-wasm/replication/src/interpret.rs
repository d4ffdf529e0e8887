//! Phase 2: what the server's own figures say.

mod settings;
mod slots;
mod standbys;

use pg_logstats_sdk::{
    Action, Actions, Assessment, Confidence, Count, Evidence, Finding, FindingKind, Insight, InsightId, Message,
    NextAction, Outcome, OutcomeStatus, no_answer,
};

use crate::{messages, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[
    words::STANDBYS_KEEP_UP,
    words::NO_STANDBY,
    words::RECEIVER_WELL,
    words::NO_RECEIVER,
    words::SLOTS_WELL,
    words::SETTINGS_UNREMARKABLE,
];

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let did = |action: Action| outcome.action == action.as_str();
    if !outcome.has_result() {
        no_answer::judge(outcome, messages::failed_reason(), &mut assessment);
    } else if did(words::LAG) {
        standbys::lag(outcome, actions, &mut assessment);
    } else if did(words::RECEIVER) {
        standbys::receiver(evidence, outcome, actions, &mut assessment);
    } else if did(words::SLOTS) {
        slots::judge(outcome, actions, &mut assessment);
    } else if did(words::SETTINGS) {
        settings::judge(evidence, outcome, actions, &mut assessment);
    } else {
        assessment.limitation(messages::unknown_action());
    }
    if outcome.has_result() {
        nothing_found(outcome, &mut assessment);
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated(Count::of(&outcome.rows)));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_done()));
    }
    assessment
}

/// That nothing was found is a finding too, in the words of what was looked for.
fn nothing_found(outcome: &Outcome, assessment: &mut Assessment) {
    let is_nothing = |insight: &Insight| NOTHING.iter().any(|nothing| nothing.as_str() == insight.id);
    if !assessment.findings.is_empty() || !assessment.insights.iter().all(is_nothing) {
        return;
    }
    let (title, reason) = match assessment.insights.last() {
        Some(insight) => (insight.title.clone(), insight.reason.clone()),
        None => (
            messages::nothing_in_outcome_title(),
            messages::nothing_in_outcome_reason(Count::of(&outcome.rows)),
        ),
    };
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::Medium));
}

/// An insight of high confidence with neither evidence nor advice.
fn say(id: InsightId, title: Message, reason: Message, assessment: &mut Assessment) {
    assessment.insight(Insight::new(id, Confidence::High, title, reason));
}
