//! One session that was at the head of a queue.

use pg_logstats_sdk::{Actions, Assessment, Confidence, DurationUs, Insight, Outcome, SessionState};

use crate::{messages, offers, words};

/// Judges the row about a session: what it does now. Whether others still wait for it only the tree shows.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let sessions = outcome.sessions();
    let Some(session) = sessions.first() else {
        let (title, reason) = (messages::gone_title(), messages::gone_reason());
        assessment.insight(Insight::new(words::SESSION_GONE, Confidence::High, title, reason));
        assessment.next_action(offers::tree(actions));
        return;
    };
    let reason = match (session.state, session.query_age_us, session.state_age_us) {
        (SessionState::Active, Some(us), _) => messages::session_active_reason(DurationUs(us)),
        (SessionState::IdleInTransaction, _, Some(us)) => messages::session_idle_reason(DurationUs(us)),
        _ => messages::session_other_reason(),
    };
    let title = session.subject.map_or_else(messages::session_hidden_title, |subject| {
        messages::session_title(subject)
    });
    let insight = Insight::new(words::SESSION_FOUND, Confidence::High, title, reason);
    assessment.insight(match session.subject {
        Some(subject) => insight.evidence(subject),
        None => insight,
    });
    assessment.next_action(offers::tree(actions));
}
