//! Sessions of a group, or one by pid: as the shared judgement has it, and whether one keeps a connection for nothing.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Evidence, Insight, NextAction, Outcome, Recommendation,
    SessionState,
};

use super::counts::LONG_IDLE_US;
use crate::{messages, triage, words};

/// Sessions that a person is asked about.
const ENDS: usize = 3;

/// Judges rows about sessions.
pub(super) fn judge(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    statements::judge(outcome, None, actions, assessment);
    if outcome.action == words::SESSIONS.as_str() {
        statements::judge_sessions(outcome, actions, assessment);
    }
    if outcome.action == statements::words::BLOCKING.as_str() {
        return;
    }
    // To end a session is worth a thought only where others found no connection.
    let refused = triage::refused_count(evidence);
    if refused == 0 {
        return;
    }
    let mut idle: Vec<(&String, u64)> = outcome
        .sessions()
        .iter()
        .filter(|session| session.state == SessionState::IdleInTransaction)
        .filter_map(|session| Some((session.subject?, session.state_age_us?)))
        .filter(|(_, us)| *us >= LONG_IDLE_US)
        .collect();
    idle.sort_by_key(|(_, us)| std::cmp::Reverse(*us));
    for (session, us) in idle.into_iter().take(ENDS) {
        let title = messages::idle_holder_title(session);
        let reason = messages::idle_holder_reason(DurationUs(us), Count(refused));
        let insight = Insight::new(words::IDLE_SESSION_HOLDS_CONNECTION, Confidence::High, title, reason);
        assessment.insight(insight.evidence(session).recommend(Recommendation::end(session)));
        let (label, reason) = (messages::end_label(session), messages::end_reason(DurationUs(us)));
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
}
