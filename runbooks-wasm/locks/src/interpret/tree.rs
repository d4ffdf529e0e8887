//! The blocking tree: its heads, how deep it is, and what can be done about each head.

use pg_logstats_sdk::{
    Actions, Assessment, BlockingTree, Confidence, Count, DurationUs, Finding, FindingKind, Insight, NextAction,
    Outcome, Priority, Recommendation, Session, SessionState,
};

use crate::{messages, offers, words};

/// Heads that are told one by one.
const HEADS: usize = 10;

/// Judges the rows of the blocking tree.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        nobody_waits(assessment);
        return;
    }
    let tree = BlockingTree::new(outcome);
    let waiting = Count(tree.waiting_count);
    for head in tree.heads.iter().take(HEADS) {
        judge_head(head, waiting, actions, assessment);
    }
    if tree.depth > 1 {
        let (title, reason) = (
            messages::chain_title(Count(tree.depth)),
            messages::chain_reason(waiting),
        );
        assessment.insight(Insight::new(words::LOCK_CHAIN, Confidence::High, title, reason));
    }
    if tree.is_cycle {
        let (title, reason) = (messages::cycle_title(waiting), messages::cycle_reason());
        let insight = Insight::new(words::LOCK_CYCLE, Confidence::High, title, reason);
        let sessions = outcome.rows.iter().filter_map(|row| row.subject.as_ref());
        assessment.insight(sessions.fold(insight, |insight, session| insight.evidence(session)));
    }
    let families = NextAction::run_workflow(
        words::QUERY_FAMILIES,
        messages::families_label(),
        messages::families_reason(),
    );
    assessment.next_action(families.priority(Priority::Optional));
}

fn nobody_waits(assessment: &mut Assessment) {
    let (title, reason) = (messages::nobody_title(), messages::nobody_reason());
    assessment.insight(Insight::new(
        words::NOBODY_WAITS,
        Confidence::High,
        title.clone(),
        reason.clone(),
    ));
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::High));
    assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_over()));
}

fn judge_head(head: &Session<'_>, waiting: Count, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(subject) = head.subject else {
        if head.pid == Some(0) {
            prepared_transaction(waiting, assessment);
        } else {
            let (label, reason) = (messages::decide_hidden_label(), messages::decide_hidden_reason());
            assessment.next_action(NextAction::prompt_user(label, reason));
        }
        return;
    };
    let (title, reason) = (messages::head_title(subject, waiting), messages::head_reason());
    assessment.insight(Insight::new(words::LOCK_QUEUE_HEAD, Confidence::High, title, reason).evidence(subject));
    match head.state {
        SessionState::IdleInTransaction => idle_holder(head, subject, assessment),
        SessionState::Active => {
            let reason = head
                .query_age_us
                .map_or_else(messages::active_holder_reason_unknown, |us| {
                    messages::active_holder_reason(DurationUs(us))
                });
            let title = messages::active_holder_title(subject);
            assessment.insight(Insight::new(words::ACTIVE_HOLDER, Confidence::High, title, reason).evidence(subject));
            let (label, reason) = (messages::decide_wait_label(subject), messages::decide_wait_reason());
            assessment.next_action(NextAction::prompt_user(label, reason));
        }
        SessionState::Idle | SessionState::Unknown => {
            let (label, reason) = (messages::decide_hidden_label(), messages::decide_hidden_reason());
            assessment.next_action(NextAction::prompt_user(label, reason));
        }
    }
    // Of an idle one there is no more to see than this.
    if head.state != SessionState::IdleInTransaction {
        assessment.next_action(offers::holder(actions, subject));
    }
}

/// The one case in which ending a session is worth a thought: it does nothing, and others wait for it.
fn idle_holder(head: &Session<'_>, subject: &String, assessment: &mut Assessment) {
    let idle = head.state_age_us.map(DurationUs);
    let (reason, decide) = match idle {
        Some(idle) => (messages::idle_holder_reason(idle), messages::decide_end_reason(idle)),
        None => (
            messages::idle_holder_reason_unknown(),
            messages::decide_end_reason_unknown(),
        ),
    };
    let title = messages::idle_holder_title(subject);
    let insight = Insight::new(words::IDLE_IN_TRANSACTION_HOLDER, Confidence::High, title, reason);
    assessment.insight(insight.evidence(subject).recommend(Recommendation::end(subject)));
    let decide = NextAction::prompt_user(messages::decide_end_label(subject), decide);
    assessment.next_action(decide.priority(Priority::Required));
}

fn prepared_transaction(waiting: Count, assessment: &mut Assessment) {
    let (title, reason) = (messages::prepared_title(waiting), messages::prepared_reason());
    assessment.insight(Insight::new(
        words::PREPARED_TRANSACTION_HOLDER,
        Confidence::High,
        title,
        reason,
    ));
    let (label, reason) = (messages::decide_prepared_label(), messages::decide_prepared_reason());
    assessment.next_action(NextAction::prompt_user(label, reason));
}
