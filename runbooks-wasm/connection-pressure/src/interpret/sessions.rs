//! Sessions of those that the logs tell most connections of.

use pg_logstats_runbook_statements::{activity, live, scores};
use pg_logstats_sdk::{
    Assessment, Confidence, Count, DurationUs, Finding, FindingKind, Insight, Outcome, Session, SessionState,
};

use crate::{messages, offers, words};

/// Judges rows about sessions: whether they do anything, or wait.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let sessions = outcome.sessions();
    let in_state = |state| sessions.iter().filter(move |session| session.state == state);
    if sessions.is_empty() {
        let (title, reason) = (messages::none_title(), messages::none_reason());
        assessment.insight(Insight::new(words::NO_SESSION_FOUND, Confidence::High, title, reason));
        return;
    }
    let count = |state| Count(in_state(state).count() as u64);
    let reason = messages::found_reason(count(SessionState::Active), count(SessionState::IdleInTransaction));
    let title = messages::found_title(Count::of(&sessions));
    assessment.insight(about(
        Insight::new(words::SESSIONS_FOUND, Confidence::High, title, reason),
        sessions.iter(),
    ));
    let longest = in_state(SessionState::IdleInTransaction)
        .filter_map(|session| session.state_age_us)
        .max();
    let score = scores::idle_in_transaction(longest.unwrap_or(0));
    if let Some(longest) = longest.filter(|_| score >= live::FLOOR) {
        let title = messages::old_idle_title(count(SessionState::IdleInTransaction));
        let reason = messages::old_idle_reason(DurationUs(longest));
        let id = activity::words::IDLE_IN_TRANSACTION_SESSION;
        let insight = Insight::new(id, Confidence::High, title.clone(), reason.clone());
        assessment.insight(about(insight, in_state(SessionState::IdleInTransaction)));
        let finding = Finding::new(FindingKind::ConnectionPressure, title, reason)
            .code(activity::words::IDLE_IN_TRANSACTION)
            .score(score)
            .confidence(Confidence::High);
        let finding = assessment.finding(finding);
        assessment.next_action(offers::to_running_queries().because(finding));
    }
    let waiting = sessions.iter().filter(|session| session.waits_for_lock()).count() as u64;
    if waiting > 0 {
        let title = activity::messages::waiting_title(Count(waiting));
        let finding = Finding::new(FindingKind::LockWait, title, activity::messages::waiting_reason())
            .code(activity::words::WAITING_FOR_LOCKS)
            .score(scores::waiting(waiting))
            .confidence(Confidence::Medium);
        let finding = assessment.finding(finding);
        assessment.next_action(activity::to_lock_tree(finding));
    }
}

fn about<'a>(insight: Insight, sessions: impl Iterator<Item = &'a Session<'a>>) -> Insight {
    let subjects = sessions.filter_map(|session| session.subject);
    subjects.fold(insight, |insight, subject| insight.evidence(subject))
}
