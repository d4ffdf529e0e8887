//! Who blocks one session.

use pg_logstats_runbook_statements::{activity, scores, tree};
use pg_logstats_sdk::{
    Actions, Assessment, BlockingTree, Confidence, Count, Finding, FindingKind, Outcome, Session, SessionState,
};

use crate::{messages, offers, words};

/// A score from which the end of an idle holder may be recommended: two that wait, or more than a minute of doing nothing.
const PRESSING: f64 = 0.2;

/// Judges the rows of the blocking tree. They do not tell how long was waited, so a head is scored by how many wait, or by how long it
/// has been idle, if that is more.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        tree::nobody_waits(messages::nobody_title(), messages::nobody_reason(), assessment);
        return;
    }
    let blocking = BlockingTree::new(outcome);
    let waiting = Count(blocking.waiting_count);
    let mut heads = tree::heads(&blocking);
    heads.truncate(tree::HEADS);
    // Stable: of equals, the one nearer to the session asked about comes first.
    heads.sort_by(|a, b| score(&b.session, waiting).total_cmp(&score(&a.session, waiting)));
    for head in &mut heads {
        head.may_be_ended = score(&head.session, waiting) >= PRESSING;
        head.finding = Some(assessment.finding(finding(&head.session, waiting)));
    }
    tree::judge(&heads, blocking.depth, waiting, actions, assessment);
    // The rows were cut before the head of the queue.
    for head in heads.iter().filter(|head| head.session.waits_for_lock()) {
        let look = head
            .session
            .subject
            .and_then(|subject| offers::blocking(actions, subject));
        let look = look.and_then(|look| Some(look.because(head.finding?)));
        assessment.next_action(look);
    }
    if blocking.is_cycle {
        let (title, reason) = (
            messages::circle_finding_title(waiting),
            messages::circle_finding_reason(),
        );
        let finding = Finding::new(FindingKind::Deadlock, title, reason);
        let finding = finding.score(scores::waiting(waiting.0)).confidence(Confidence::High);
        assessment.finding(finding);
        let sessions = outcome.rows.iter().filter_map(|row| row.subject.as_ref());
        tree::judge_cycle(waiting, sessions, assessment);
    }
    if let Some(finding) = heads.first().and_then(|head| head.finding) {
        assessment.next_action(activity::to_lock_tree(finding));
    }
}

fn score(head: &Session<'_>, waiting: Count) -> f64 {
    let idle = match head.state {
        SessionState::IdleInTransaction => scores::idle_in_transaction(head.state_age_us.unwrap_or(0)),
        _ => 0.0,
    };
    scores::waiting(waiting.0).max(idle)
}

fn finding(head: &Session<'_>, waiting: Count) -> Finding {
    let is_prepared = head.subject.is_none() && head.pid == Some(0);
    let title = match head.subject {
        Some(subject) => messages::holder_title(subject, waiting),
        None if is_prepared => messages::prepared_holder_title(waiting),
        None => messages::hidden_holder_title(waiting),
    };
    let finding = if head.waits_for_lock() {
        Finding::new(FindingKind::LockWait, title, tree::messages::cut_reason()).confidence(Confidence::Medium)
    } else {
        let finding = Finding::new(FindingKind::LockWait, title, messages::holder_reason());
        finding.code(words::QUEUE_HEAD).confidence(Confidence::High)
    };
    let finding = finding.score(score(head, waiting));
    let finding = match head.subject {
        Some(subject) => finding.about(subject).evidence(subject),
        None if is_prepared => finding.code(words::PREPARED_TRANSACTION),
        None => finding.code(words::HIDDEN_SESSION),
    };
    if head.state == SessionState::IdleInTransaction {
        finding.code(activity::words::IDLE_IN_TRANSACTION)
    } else {
        finding
    }
}
