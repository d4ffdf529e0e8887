//! Phase 2: who holds whom up now.

mod sessions;
mod tree;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Evidence, Finding, FindingKind, NextAction, Outcome, OutcomeStatus,
    no_answer,
};

use crate::{messages, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    if !outcome.has_result() {
        no_answer::judge(outcome, messages::failed_reason(), &mut assessment);
    } else if did(words::BLOCKING) {
        tree::judge(outcome, actions, &mut assessment);
    } else if did(words::SESSION) || did(words::FAMILY_SESSIONS) {
        sessions::judge(evidence, outcome, actions, &mut assessment);
    } else {
        assessment.limitation(messages::unknown_action());
    }
    if assessment.insights.is_empty() {
        let rows = Count::of(&outcome.rows);
        let (title, reason) = (
            messages::nothing_in_outcome_title(),
            messages::nothing_in_outcome_reason(rows),
        );
        let finding = Finding::new(FindingKind::NothingFound, title, reason);
        assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::Medium));
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated(Count::of(&outcome.rows)));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_done()));
    }
    assessment
}
