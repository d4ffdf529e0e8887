//! Phase 2: what an action's outcome means.

mod counts;
mod sessions;
mod settings;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Action, Actions, Assessment, Confidence, Count, Evidence, Finding, FindingKind, Message, NextAction, Outcome,
    OutcomeStatus, no_answer,
};

use crate::{messages, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let did = |action: Action| outcome.action == action.as_str();
    if !outcome.has_result() {
        no_answer::judge(outcome, messages::failed(), &mut assessment);
    } else if did(words::COUNTS) {
        counts::judge(outcome, actions, &mut assessment);
    } else if did(words::SETTINGS) {
        settings::judge(outcome, actions, &mut assessment);
    } else if did(words::SESSIONS) || did(statements::words::SESSION) || did(statements::words::BLOCKING) {
        sessions::judge(evidence, outcome, actions, &mut assessment);
    } else {
        assessment.limitation(messages::unknown_action());
    }
    if outcome.has_result() && assessment.findings.is_empty() {
        nothing_found(outcome, &mut assessment);
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated_rows(Count::of(&outcome.rows)));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(
            statements::messages::stop_label(),
            statements::messages::stop_reason_done(),
        ));
    }
    assessment
}

/// That nothing was found is a finding too: in the words of what was looked for, if there was anything to look at.
fn nothing_found(outcome: &Outcome, assessment: &mut Assessment) {
    let (title, reason): (Message, Message) = match assessment.insights.last() {
        Some(insight) => (insight.title.clone(), insight.reason.clone()),
        None => (
            statements::messages::nothing_in_outcome_title(),
            statements::messages::nothing_in_outcome_reason(Count::of(&outcome.rows)),
        ),
    };
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    let finding = finding.code(statements::words::NOTHING_FOUND);
    assessment.finding(finding.confidence(Confidence::Medium));
}
