//! Phase 2: who holds whom up now.

mod sessions;
mod tree;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, Insight, InsightId, Message,
    NextAction, Outcome, OutcomeStatus,
};

use crate::{messages, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    if !outcome.has_result() {
        no_result(outcome, &mut assessment);
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

/// An action that gave no answer: why, and who can help.
fn no_result(outcome: &Outcome, assessment: &mut Assessment) {
    let after = DurationUs(outcome.duration_us);
    let mut say = |id: InsightId, title: Message, reason: Message, ask: Option<(Message, Message)>| {
        assessment.insight(Insight::new(id, Confidence::High, title, reason));
        assessment.next_action(ask.map(|(label, reason)| NextAction::prompt_user(label, reason)));
    };
    match outcome.status {
        OutcomeStatus::Ok | OutcomeStatus::Truncated => {}
        OutcomeStatus::TimedOut => {
            say(
                words::ACTION_TIMED_OUT,
                messages::timed_out_title(),
                messages::timed_out_reason(after),
                None,
            );
        }
        OutcomeStatus::Cancelled => {
            say(
                words::ACTION_CANCELLED,
                messages::cancelled_title(),
                messages::cancelled_reason(after),
                None,
            );
        }
        OutcomeStatus::InsufficientPrivilege => say(
            words::ACTION_NOT_PERMITTED,
            messages::not_permitted_title(),
            messages::not_permitted_reason(),
            Some((messages::ask_permission_label(), messages::ask_permission_reason())),
        ),
        OutcomeStatus::Unavailable => say(
            words::ACTION_UNAVAILABLE,
            messages::unavailable_title(),
            messages::unavailable_reason(),
            Some((messages::ask_available_label(), messages::ask_available_reason())),
        ),
        OutcomeStatus::Failed => say(
            words::ACTION_FAILED,
            messages::failed_title(),
            messages::failed_reason(),
            Some((messages::ask_failed_label(), messages::ask_failed_reason())),
        ),
    }
}
