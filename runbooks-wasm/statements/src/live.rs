//! What all runbooks share that judge a server as it is now: they read no logs.
//!
//! A runbook that uses it lists its [`words`] and [`messages`] in its own descriptor, and what [`outcome`] wants to be listed.

#[cfg(not(target_arch = "wasm32"))]
pub mod battery;
pub mod messages;
pub mod words;

use pg_logstats_sdk::{Actions, Assessment, Confidence, Finding, FindingKind, Outcome};

use crate::outcome;

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
    let mut assessment = outcome::judged(
        outcome,
        actions,
        messages::failed_reason(),
        judge,
        |outcome, assessment| match assessment.insights.first() {
            Some(insight) if assessment.findings.is_empty() => {
                let (title, reason) = (messages::nothing_alarming_title(), insight.title.clone());
                assessment.finding(outcome::nothing(title, reason, Confidence::Medium));
            }
            _ => outcome::nothing_found(outcome, assessment),
        },
    );
    outcome::say_if_cut(outcome, outcome::messages::truncated_counts, &mut assessment);
    outcome::close(&mut assessment);
    assessment
}

/// Ranks the findings, the highest score first; only before anything refers to one.
pub fn rank(findings: &mut [Finding]) {
    findings.sort_by(|a, b| b.score.total_cmp(&a.score));
}
