//! What all runbooks share that judge a server as it is now: they read no logs.
//!
//! A runbook that uses it lists its [`words`] and [`messages`] in its own descriptor, and those of `no_answer`.

pub mod messages;
pub mod words;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Finding, FindingKind, NextAction, Outcome, OutcomeStatus, no_answer,
};

/// A score from which something is a finding: what is less is no more than the server's everyday.
pub const FLOOR: f64 = 0.1;

/// Phase 1: nothing has been looked at.
pub fn not_looked_yet() -> Finding {
    let (title, reason) = (messages::not_looked_title(), messages::not_looked_reason());
    Finding::new(FindingKind::NothingFound, title, reason)
        .code(words::NOT_LOOKED_YET)
        .confidence(Confidence::Medium)
}

/// Phase 2: what `judge` finds in an outcome that has a result, or why there is nothing to judge; then the end, if nothing goes on.
/// `judge` says whether it knows the action.
pub fn frame(
    outcome: &Outcome,
    actions: &mut dyn Actions,
    judge: impl FnOnce(&mut dyn Actions, &mut Assessment) -> bool,
) -> Assessment {
    let mut assessment = Assessment::new();
    if outcome.has_result() {
        if !judge(actions, &mut assessment) {
            assessment.limitation(messages::unknown_action());
        }
        if assessment.findings.is_empty() {
            let (title, reason) = match assessment.insights.first() {
                Some(insight) => (messages::nothing_alarming_title(), insight.title.clone()),
                None => (
                    messages::nothing_in_rows_title(),
                    messages::nothing_in_rows_reason(Count::of(&outcome.rows)),
                ),
            };
            let finding = Finding::new(FindingKind::NothingFound, title, reason);
            let finding = finding.code(crate::words::NOTHING_FOUND).confidence(Confidence::Medium);
            assessment.finding(finding);
        }
    } else {
        no_answer::judge(outcome, messages::failed_reason(), &mut assessment);
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated(Count::of(&outcome.rows)));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_done()));
    }
    assessment
}

/// Ranks the findings, the highest score first; only before anything refers to one.
pub fn rank(findings: &mut [Finding]) {
    findings.sort_by(|a, b| b.score.total_cmp(&a.score));
}
