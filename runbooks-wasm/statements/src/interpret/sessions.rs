//! Live sessions: whether they are there, what they do and what they wait for.

use pg_logstats_sdk::{
    Actions, Assessment, BlockingTree, Confidence, Count, DurationUs, Insight, InsightId, Message, NextAction, Outcome,
    Priority, Session, SessionState, Wait,
};

use crate::{messages, offers, words};

/// Waiting sessions that the blocking tree is offered for.
const WAITERS: usize = 5;

/// Sessions of a family, of an error class, or one by pid.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let sessions = outcome.sessions();
    let active: Vec<&Session<'_>> = sessions.iter().filter(|s| s.state == SessionState::Active).collect();
    matches(&sessions, active.len(), assessment);
    if !active.is_empty() {
        let title = messages::active_title(Count::of(&active));
        let reason = longest(&active).map_or_else(messages::active_reason_unknown, messages::active_reason);
        assessment.insight(about(words::ACTIVE_SESSION_PRESENT, title, reason, &active));
    }
    waits(&sessions, assessment);
    let waiters: Vec<&Session<'_>> = sessions.iter().filter(|s| s.waits_for_lock()).collect();
    for subject in waiters.iter().filter_map(|waiter| waiter.subject).take(WAITERS) {
        assessment.next_action(offers::blocking(actions, subject));
    }
    if !waiters.is_empty() {
        assessment.next_action(to_locks());
    }
}

/// The blockers of one session.
pub(super) fn judge_blocking(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let tree = BlockingTree::new(outcome);
    if outcome.rows.is_empty() {
        assessment.insight(Insight::new(
            words::NO_BLOCKER_FOUND,
            Confidence::High,
            messages::no_blocker_title(),
            messages::no_blocker_reason(),
        ));
        return;
    }
    let waiting = Count(tree.waiting_count);
    for head in &tree.heads {
        let Some(subject) = head.subject else { continue };
        // Its own rows were cut: the head is behind it.
        if head.waits_for_lock() {
            let (title, reason) = (messages::cut_title(subject, waiting), messages::cut_reason());
            let insight = Insight::new(words::LOCK_QUEUE_CUT, Confidence::Medium, title, reason);
            assessment.insight(insight.evidence(subject));
            assessment.next_action(offers::blocking(actions, subject));
            continue;
        }
        let (title, reason) = (
            messages::head_title(subject, waiting),
            messages::head_reason(Count(tree.depth)),
        );
        let insight = Insight::new(words::LOCK_QUEUE_HEAD, Confidence::High, title, reason);
        assessment.insight(insight.evidence(subject));
        assessment.next_action(offers::session(actions, subject));
    }
    let idle: Vec<&Session<'_>> = tree
        .heads
        .iter()
        .filter(|s| s.state == SessionState::IdleInTransaction)
        .collect();
    idle_in_transaction(&idle, assessment);
    assessment.next_action(to_locks());
    if let Some(blocked) = outcome.subjects.first() {
        let (label, reason) = (messages::ask_blocked_label(blocked), messages::ask_blocked_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
}

fn matches(sessions: &[Session<'_>], active: usize, assessment: &mut Assessment) {
    let all: Vec<&Session<'_>> = sessions.iter().collect();
    let n = Count::of(sessions);
    let insight = match sessions {
        [] => Insight::new(
            words::NO_LIVE_MATCH_FOUND,
            Confidence::High,
            messages::no_match_title(),
            messages::no_match_reason(),
        ),
        [one] => match one.subject {
            Some(subject) => about(
                words::LIVE_MATCH_FOUND,
                messages::match_title(subject),
                messages::match_reason(),
                &all,
            ),
            None => about(
                words::LIVE_MATCH_FOUND,
                messages::matches_title(n),
                messages::match_reason(),
                &all,
            ),
        },
        _ => {
            let reason = messages::matches_reason(n, Count(active as u64));
            about(
                words::MULTIPLE_MATCHING_SESSIONS,
                messages::matches_title(n),
                reason,
                &all,
            )
        }
    };
    assessment.insight(insight);
}

fn waits(sessions: &[Session<'_>], assessment: &mut Assessment) {
    let waiting = |wait: Wait| sessions.iter().filter(move |s| s.wait == wait).collect::<Vec<_>>();
    let for_transaction = waiting(Wait::TransactionLock);
    if !for_transaction.is_empty() {
        let title = messages::transaction_wait_title(Count::of(&for_transaction));
        let reason = longest(&for_transaction).map_or_else(
            messages::transaction_wait_reason_unknown,
            messages::transaction_wait_reason,
        );
        assessment.insight(about(words::TRANSACTIONID_LOCK_WAIT, title, reason, &for_transaction));
    }
    let for_lock = waiting(Wait::Lock);
    if !for_lock.is_empty() {
        let title = messages::lock_wait_title(Count::of(&for_lock));
        let reason = longest(&for_lock).map_or_else(messages::lock_wait_reason_unknown, messages::lock_wait_reason);
        assessment.insight(about(words::LOCK_WAIT_DETECTED, title, reason, &for_lock));
    }
    let for_io = waiting(Wait::Io);
    if !for_io.is_empty() {
        let title = messages::io_wait_title(Count::of(&for_io));
        assessment.insight(about(
            words::IO_WAIT_DETECTED,
            title,
            messages::io_wait_reason(),
            &for_io,
        ));
    }
    // A session between transactions waits for its client by its nature: that is no wait.
    let mut for_client = waiting(Wait::Client);
    for_client.retain(|s| s.state == SessionState::Active || s.state == SessionState::IdleInTransaction);
    if !for_client.is_empty() {
        let title = messages::client_wait_title(Count::of(&for_client));
        assessment.insight(about(
            words::CLIENT_WAIT_DETECTED,
            title,
            messages::client_wait_reason(),
            &for_client,
        ));
    }
    let idle: Vec<&Session<'_>> = sessions
        .iter()
        .filter(|s| s.state == SessionState::IdleInTransaction)
        .collect();
    idle_in_transaction(&idle, assessment);
}

fn idle_in_transaction(idle: &[&Session<'_>], assessment: &mut Assessment) {
    if idle.is_empty() {
        return;
    }
    let longest = idle.iter().filter_map(|s| s.state_age_us).max().map(DurationUs);
    let title = messages::idle_tx_title(Count::of(idle));
    let reason = longest.map_or_else(messages::idle_tx_reason_unknown, messages::idle_tx_reason);
    assessment.insight(about(words::IDLE_IN_TRANSACTION_SESSION, title, reason, idle));
}

fn about(id: InsightId, title: Message, reason: Message, sessions: &[&Session<'_>]) -> Insight {
    let insight = Insight::new(id, Confidence::High, title, reason);
    sessions
        .iter()
        .filter_map(|session| session.subject)
        .fold(insight, |insight, subject| insight.evidence(subject))
}

fn longest(sessions: &[&Session<'_>]) -> Option<DurationUs> {
    sessions
        .iter()
        .filter_map(|session| session.query_age_us)
        .max()
        .map(DurationUs)
}

fn to_locks() -> NextAction {
    NextAction::run_workflow(words::LOCKS, messages::locks_label(), messages::locks_reason_live())
        .priority(Priority::Recommended)
}
