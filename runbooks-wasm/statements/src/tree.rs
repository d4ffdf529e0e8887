//! The blocking tree: its heads, how deep it is, and what can be done about each head.
//!
//! A runbook that uses it lists its [`words`] and [`messages`] in its own descriptor.

pub mod messages;
pub mod words;

use pg_logstats_sdk::{
    Actions, Assessment, BlockingTree, Confidence, Count, DurationUs, FindingRef, Insight, Message, NextAction,
    Priority, Recommendation, Session, SessionState, Subject,
};

use crate::outcome;

/// Heads that are told one by one.
pub const HEADS: usize = 10;

/// A session that holds others up and, as far as the rows tell, waits for nobody.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The session; pid 0 without a subject is a prepared transaction.
    pub session: Session<'a>,
    /// Sessions that wait.
    pub waiting: Count,
    /// Whether its end may be recommended if it is idle: not where the wait may be over in a moment.
    pub may_be_ended: bool,
    /// The finding about it, which the next actions follow from.
    pub finding: Option<FindingRef>,
}

/// Judges heads, and how deep the tree is below them; `waiting` sessions wait in all.
pub fn judge(heads: &[Head<'_>], depth: u64, waiting: Count, actions: &mut dyn Actions, assessment: &mut Assessment) {
    for head in heads.iter().take(HEADS) {
        judge_head(head, actions, assessment);
    }
    if depth > 1 {
        let (title, reason) = (messages::chain_title(Count(depth)), messages::chain_reason(waiting));
        assessment.insight(Insight::new(words::LOCK_CHAIN, Confidence::High, title, reason));
    }
}

/// Sessions that wait for each other in a circle.
pub fn judge_cycle<'a>(waiting: Count, sessions: impl Iterator<Item = &'a String>, assessment: &mut Assessment) {
    let (title, reason) = (messages::cycle_title(waiting), messages::cycle_reason());
    let insight = Insight::new(words::LOCK_CYCLE, Confidence::High, title, reason);
    assessment.insight(sessions.fold(insight, |insight, session| insight.evidence(session)));
}

/// That nobody waits is a finding too. The descriptor has to list [`NOTHING_FOUND`](crate::words::NOTHING_FOUND).
pub fn nobody_waits(title: Message, reason: Message, assessment: &mut Assessment) {
    outcome::all_well(words::NOBODY_WAITS, Confidence::High, title, reason, assessment);
}

/// The heads of `tree`, each with all who wait in it: enough where the tree is that of one session.
pub fn heads<'a>(tree: &BlockingTree<'a>) -> Vec<Head<'a>> {
    let heads = tree.heads.iter().map(|session| Head {
        session: *session,
        waiting: Count(tree.waiting_count),
        may_be_ended: true,
        finding: None,
    });
    heads.collect()
}

/// A session that holds or held others up.
pub fn offer_holder(actions: &mut dyn Actions, holder: &dyn Subject) -> Option<NextAction> {
    let request = words::SESSION.request().bind("pid", holder);
    let (label, reason) = (messages::session_label(holder), messages::session_reason_holder());
    NextAction::offer(actions, &request, label, reason)
}

/// Only COMMIT PREPARED or ROLLBACK PREPARED helps, and only a person knows which.
pub fn decide_prepared() -> NextAction {
    NextAction::prompt_user(messages::decide_prepared_label(), messages::decide_prepared_reason())
}

fn judge_head(head: &Head<'_>, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let because = |action: NextAction| match head.finding {
        Some(finding) => action.because(finding),
        None => action,
    };
    let hidden = || NextAction::prompt_user(messages::decide_hidden_label(), messages::decide_hidden_reason());
    let session = &head.session;
    let Some(subject) = session.subject else {
        if session.pid == Some(0) {
            prepared_transaction(head.waiting, assessment);
            assessment.next_action(because(decide_prepared()));
        } else {
            assessment.next_action(because(hidden()));
        }
        return;
    };
    // Rows that were cut, or sessions that the action did not ask about: the head is behind it.
    if session.waits_for_lock() {
        let (title, reason) = (messages::cut_title(subject, head.waiting), messages::cut_reason());
        assessment.insight(Insight::new(words::LOCK_QUEUE_CUT, Confidence::Medium, title, reason).evidence(subject));
        assessment.next_action(offer_holder(actions, subject).map(because));
        return;
    }
    let (title, reason) = (messages::head_title(subject, head.waiting), messages::head_reason());
    assessment.insight(Insight::new(words::LOCK_QUEUE_HEAD, Confidence::High, title, reason).evidence(subject));
    let decide = match session.state {
        SessionState::IdleInTransaction => idle_holder(head, subject, assessment),
        SessionState::Active => {
            let reason = session
                .query_age_us
                .map_or_else(messages::active_holder_reason_unknown, |us| {
                    messages::active_holder_reason(DurationUs(us))
                });
            let title = messages::active_holder_title(subject);
            assessment.insight(Insight::new(words::ACTIVE_HOLDER, Confidence::High, title, reason).evidence(subject));
            let (label, reason) = (messages::decide_wait_label(subject), messages::decide_wait_reason());
            Some(NextAction::prompt_user(label, reason))
        }
        SessionState::Idle | SessionState::Unknown => Some(hidden()),
    };
    let is_decided = decide.is_some();
    assessment.next_action(decide.map(because));
    // Of an idle one there is no more to see than this.
    if session.state != SessionState::IdleInTransaction || !is_decided {
        assessment.next_action(offer_holder(actions, subject).map(because));
    }
}

/// The one case in which ending a session is worth a thought: it does nothing, and others wait for it.
fn idle_holder(head: &Head<'_>, subject: &String, assessment: &mut Assessment) -> Option<NextAction> {
    let (reason, decide) = match head.session.state_age_us.map(DurationUs) {
        Some(idle) => (messages::idle_holder_reason(idle), messages::decide_end_reason(idle)),
        None => (
            messages::idle_holder_reason_unknown(),
            messages::decide_end_reason_unknown(),
        ),
    };
    let title = messages::idle_holder_title(subject);
    let id = words::IDLE_IN_TRANSACTION_HOLDER;
    let insight = Insight::new(id, Confidence::High, title, reason).evidence(subject);
    if !head.may_be_ended {
        assessment.insight(insight);
        return None;
    }
    assessment.insight(insight.recommend(Recommendation::end(subject)));
    let decide = NextAction::prompt_user(messages::decide_end_label(subject), decide);
    Some(decide.priority(Priority::Required))
}

fn prepared_transaction(waiting: Count, assessment: &mut Assessment) {
    let (title, reason) = (messages::prepared_title(waiting), messages::prepared_reason());
    let insight = Insight::new(words::PREPARED_TRANSACTION_HOLDER, Confidence::High, title, reason);
    assessment.insight(insight);
}
