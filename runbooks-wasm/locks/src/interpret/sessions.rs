//! Sessions of a family, or one by pid: whether they wait for locks, or may hold them.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Evidence, Insight, InsightId, LiveSession, LockWait, Message,
    NextAction, Outcome, Priority, Session, SessionState, Wait,
};

use crate::{messages, offers, words};

/// Waiting sessions that the blocking tree is offered for.
const WAITERS: usize = 5;
/// Sessions of the log that are asked about once a holder turns out to be there still.
const WAITERS_OF_HOLDER: usize = 3;

/// Judges rows about sessions.
pub(super) fn judge(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let sessions = outcome.sessions();
    presence(&sessions, assessment);
    let held = waits_for(evidence, outcome);
    let waiters: Vec<&Session<'_>> = sessions.iter().filter(|s| s.waits_for_lock()).collect();
    let idle: Vec<&Session<'_>> = sessions
        .iter()
        .filter(|s| s.state == SessionState::IdleInTransaction)
        .collect();
    if sessions.is_empty() {
        let (title, reason) = (messages::gone_title(), messages::gone_reason());
        assessment.finding(outcome::nothing(title, reason, Confidence::Medium));
    } else if waiters.is_empty() && held.is_empty() && idle.is_empty() {
        // Of one that may hold locks it would say nothing that it does not wait.
        let (title, reason) = (
            messages::nobody_waits_title(),
            messages::nobody_waits_reason(Count::of(&sessions)),
        );
        let confidence = outcome::sure_of_nothing(outcome);
        outcome::all_well(words::NOBODY_WAITS, confidence, title, reason, assessment);
    }
    wait(
        Wait::TransactionLock,
        words::TRANSACTIONID_LOCK_WAIT,
        &waiters,
        assessment,
    );
    wait(Wait::Lock, words::LOCK_WAIT_DETECTED, &waiters, assessment);
    for subject in waiters.iter().filter_map(|waiter| waiter.subject).take(WAITERS) {
        let action = offers::blocking_live(actions, subject);
        assessment.next_action(action.map(|action| action.priority(Priority::Required)));
    }
    idle_in_transaction(&idle, !held.is_empty(), assessment);
    if !sessions.is_empty() {
        for (wait, holder) in &held {
            assessment.next_action(offers::blocking_behind(actions, &wait.waiter, *holder));
        }
    }
    if held.is_empty() && !idle.is_empty() {
        for other in others(evidence, &sessions) {
            assessment.next_action(offers::blocking_live(actions, other));
        }
    }
    if assessment.next_actions.is_empty() {
        let reason = if sessions.is_empty() {
            messages::stop_reason_over()
        } else {
            outcome::messages::stop_reason_done()
        };
        assessment.next_action(NextAction::stop(outcome::messages::stop_label(), reason));
    }
}

fn presence(sessions: &[Session<'_>], assessment: &mut Assessment) {
    let all: Vec<&Session<'_>> = sessions.iter().collect();
    let active: Vec<&Session<'_>> = sessions.iter().filter(|s| s.state == SessionState::Active).collect();
    let n = Count::of(sessions);
    let insight = match sessions {
        [] => about(
            words::NO_LIVE_MATCH_FOUND,
            messages::gone_title(),
            messages::gone_reason(),
            &all,
        ),
        [one] => {
            let title = one
                .subject
                .map_or_else(|| messages::matches_title(n), |s| messages::match_title(s));
            about(words::LIVE_MATCH_FOUND, title, messages::match_reason(), &all)
        }
        _ => {
            let reason = messages::matches_reason(Count::of(&active));
            about(
                words::MULTIPLE_MATCHING_SESSIONS,
                messages::matches_title(n),
                reason,
                &all,
            )
        }
    };
    assessment.insight(insight);
    if !active.is_empty() {
        let longest = active.iter().filter_map(|s| s.query_age_us).max().map(DurationUs);
        let reason = longest.map_or_else(messages::active_reason_unknown, messages::active_reason);
        let title = messages::active_title(Count::of(&active));
        assessment.insight(about(words::ACTIVE_SESSION_PRESENT, title, reason, &active));
    }
}

fn wait(kind: Wait, id: InsightId, waiters: &[&Session<'_>], assessment: &mut Assessment) {
    let waiting: Vec<&Session<'_>> = waiters.iter().copied().filter(|s| s.wait == kind).collect();
    if waiting.is_empty() {
        return;
    }
    let longest = waiting.iter().filter_map(|s| s.query_age_us).max().map(DurationUs);
    let n = Count::of(&waiting);
    let (title, reason) = match (kind, longest) {
        (Wait::TransactionLock, Some(us)) => (
            messages::transaction_wait_title(n),
            messages::transaction_wait_reason(us),
        ),
        (Wait::TransactionLock, None) => (
            messages::transaction_wait_title(n),
            messages::transaction_wait_reason_unknown(),
        ),
        (_, Some(us)) => (messages::lock_wait_title(n), messages::lock_wait_reason(us)),
        (_, None) => (messages::lock_wait_title(n), messages::lock_wait_reason_unknown()),
    };
    assessment.insight(about(id, title, reason, &waiting));
}

/// The waits of the log for the session that the action was about, and its id there.
fn waits_for<'a>(evidence: &'a Evidence, outcome: &Outcome) -> Vec<(&'a LockWait, &'a String)> {
    let holder = |wait: &'a LockWait| wait.holders.iter().find(|holder| outcome.subjects.contains(holder));
    let waits = evidence.lock_waits.iter();
    waits
        .filter_map(|wait| Some((wait, holder(wait)?)))
        .take(WAITERS_OF_HOLDER)
        .collect()
}

/// Sessions that earlier actions found live, the newest first, without those of this outcome.
fn others<'a>(evidence: &'a Evidence, sessions: &[Session<'_>]) -> Vec<&'a LiveSession> {
    let is_here = |id: &String| sessions.iter().any(|session| session.subject == Some(id));
    let live = evidence.live_sessions.iter().rev();
    live.filter(|session| !is_here(&session.id))
        .take(WAITERS_OF_HOLDER)
        .collect()
}

/// An idle session with an open transaction keeps its locks, but whether anyone waits for it now only the blocking tree of a
/// waiter shows: no session is to be ended from here.
fn idle_in_transaction(idle: &[&Session<'_>], is_holder: bool, assessment: &mut Assessment) {
    if idle.is_empty() {
        return;
    }
    let longest = idle.iter().filter_map(|s| s.state_age_us).max().map(DurationUs);
    let reason = match longest {
        Some(longest) if is_holder => messages::idle_reason_held(longest),
        Some(longest) => messages::idle_reason(longest),
        None => messages::idle_reason_unknown(),
    };
    let title = messages::idle_title(Count::of(idle));
    assessment.insight(about(words::IDLE_IN_TRANSACTION_SESSION, title, reason, idle));
}

fn about(id: InsightId, title: Message, reason: Message, sessions: &[&Session<'_>]) -> Insight {
    let insight = Insight::new(id, Confidence::High, title, reason);
    sessions
        .iter()
        .filter_map(|session| session.subject)
        .fold(insight, |insight, subject| insight.evidence(subject))
}
