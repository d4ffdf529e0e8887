//! The whole tree: its heads, those who only stand in the way, circles.

use std::collections::BTreeSet;

use pg_logstats_runbook_statements::{live, scores, tree};
use pg_logstats_sdk::{
    Actions, Assessment, BlockingTree, Confidence, Count, DurationUs, Finding, FindingKind, FindingRef, Insight,
    LockMode, Message, NextAction, Outcome, Priority, ReasonCode, Recommendation, Session, SessionState,
};

use crate::queue::{Kind, Queue, StrongWait, Waited};
use crate::{messages, offers, words};

/// Heads that are told, those behind whom most time is waited.
const HEADS: usize = 6;
/// Sessions that stand in the way that are told.
const STRONG_WAITS: usize = 3;
/// Sessions that wait from which a queue is long.
const LONG_QUEUE: usize = 3;
/// A score from which the end of an idle holder may be recommended: a quarter of a minute of waiting.
const PRESSING: f64 = 0.2;
/// Waiting sessions that the action asks the server about.
const SESSIONS_ASKED: u64 = 64;

/// What a finding is about.
enum Source<'a> {
    Head(Session<'a>, usize, bool),
    Strong(StrongWait<'a>),
    Circle,
}

/// Judges the rows of the tree.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let queue = Queue::new(outcome);
    let waiting = queue.waiting();
    if outcome.rows.is_empty() {
        tree::nobody_waits(messages::nobody_title(), messages::nobody_reason(), assessment);
    }
    if waiting.is_empty() {
        return;
    }
    let blocking = BlockingTree::new(outcome);
    let mut found: Vec<(Finding, Source<'_>)> = heads(&queue, &blocking);
    let strong = queue.strong_waits().into_iter().take(STRONG_WAITS);
    found.extend(strong.map(|strong| (strong_finding(&queue, &strong), Source::Strong(strong))));
    let (in_circles, circle) = queue.in_circles();
    if !in_circles.is_empty() {
        found.push((circle_finding(&queue, &in_circles), Source::Circle));
    }
    // Stable: of equals, a head comes before those in its queue.
    found.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));

    let (mut heads, mut strong, mut of_circle) = (Vec::new(), Vec::new(), None);
    for (finding, source) in found {
        let finding = assessment.finding(finding);
        match source {
            Source::Head(session, behind, may_be_ended) => heads.push(tree::Head {
                session,
                waiting: Count(behind as u64),
                may_be_ended,
                finding: Some(finding),
            }),
            Source::Strong(wait) => strong.push((wait, finding)),
            Source::Circle => of_circle = Some(finding),
        }
    }
    let waiting = Count(waiting.len() as u64);
    tree::judge(&heads, blocking.depth, waiting, actions, assessment);
    for (wait, finding) in &strong {
        strong_wait(&queue, wait, *finding, assessment);
    }
    if let Some(finding) = of_circle {
        tree::judge_cycle(Count(in_circles.len() as u64), circle.into_iter(), assessment);
        let (label, reason) = (messages::decide_circle_label(), messages::decide_circle_reason());
        assessment.next_action(NextAction::prompt_user(label, reason).because(finding));
    }
    kinds(&queue, waiting, assessment);
    let prepared = heads.iter().find(|head| head.session.pid == Some(0));
    if let Some(finding) = prepared.and_then(|head| head.finding) {
        let offer = offers::prepared(actions);
        assessment.next_action(offer.map(|action| action.priority(Priority::Required).because(finding)));
    }
    let active = heads.iter().find(|head| head.session.state == SessionState::Active);
    if let Some(finding) = active.and_then(|head| head.finding) {
        let (label, reason) = (messages::queries_label(), messages::queries_reason());
        assessment.next_action(NextAction::run_workflow(words::RUNNING_QUERIES, label, reason).because(finding));
    }
    assessment.next_action(offers::settings(actions));
    if waiting.0 >= SESSIONS_ASKED {
        assessment.limitation(messages::tree_is_cut(Count(SESSIONS_ASKED)));
    }
}

/// The heads behind whom most time is waited. The time is that of all who wait behind one, as in the findings of the runbook `locks`.
fn heads<'a>(queue: &Queue<'_>, blocking: &BlockingTree<'a>) -> Vec<(Finding, Source<'a>)> {
    let one = |session: &Session<'a>| {
        let behind = session.pid.map(|pid| queue.behind(pid)).unwrap_or_default();
        let waited = queue.waited(&behind);
        let score = waited_score(waited, behind.len());
        let idle = scores::idle_in_transaction(session.state_age_us.unwrap_or(0));
        let finding = head_finding(queue, session, &behind, waited).score(score);
        let source = Source::Head(*session, behind.len(), score >= PRESSING || idle >= PRESSING);
        (finding, source)
    };
    let mut heads: Vec<_> = blocking.heads.iter().map(one).collect();
    heads.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));
    heads.truncate(HEADS);
    heads
}

/// By the time that was waited; where the server tells of none, by how many wait.
fn waited_score(waited: Waited, sessions: usize) -> f64 {
    match waited.longest_us {
        Some(_) => scores::waited(waited.total_us),
        None => scores::waiting(sessions as u64),
    }
}

fn waited_reason(waited: Waited) -> Message {
    waited
        .longest_us
        .map_or_else(messages::waited_reason_unknown, |longest| {
            messages::waited_reason(DurationUs(waited.total_us), DurationUs(longest))
        })
}

fn confidence(waited: Waited) -> Confidence {
    if waited.longest_us.is_some() {
        Confidence::High
    } else {
        Confidence::Medium
    }
}

fn head_finding(queue: &Queue<'_>, session: &Session<'_>, behind: &BTreeSet<i64>, waited: Waited) -> Finding {
    let n = Count(behind.len() as u64);
    let is_prepared = session.subject.is_none() && session.pid == Some(0);
    let title = match session.subject {
        Some(subject) => messages::holder_title(subject, n),
        None if is_prepared => messages::prepared_holder_title(n),
        None => messages::hidden_holder_title(n),
    };
    let mut finding = Finding::new(FindingKind::LockWait, title, waited_reason(waited)).confidence(confidence(waited));
    if let Some(subject) = session.subject {
        finding = finding.about(subject).evidence(subject);
    }
    let holds = |mode| session.pid.is_some_and(|pid| queue.holds(pid, mode));
    let codes: [(bool, ReasonCode); 6] = [
        (!session.waits_for_lock(), words::QUEUE_HEAD),
        (
            session.state == SessionState::IdleInTransaction,
            words::IDLE_IN_TRANSACTION,
        ),
        (is_prepared, words::PREPARED_TRANSACTION),
        (session.subject.is_none() && !is_prepared, words::HIDDEN_SESSION),
        (holds(LockMode::AccessExclusive), words::ACCESS_EXCLUSIVE),
        (behind.len() >= LONG_QUEUE, words::LONG_QUEUE),
    ];
    let applying = codes.into_iter().filter(|(applies, _)| *applies);
    applying.fold(finding, |finding, (_, code)| finding.code(code))
}

fn strong_finding(queue: &Queue<'_>, strong: &StrongWait<'_>) -> Finding {
    let waited = queue.waited(&strong.behind);
    let (title, reason) = strong_words(strong, waited);
    let finding = Finding::new(FindingKind::LockWait, title, reason)
        .code(words::STRONG_LOCK_QUEUE)
        .score(waited_score(waited, strong.behind.len()))
        .confidence(confidence(waited));
    match strong.waiter {
        Some(waiter) => finding.about(waiter).evidence(waiter),
        None => finding.code(words::HIDDEN_SESSION),
    }
}

fn strong_words(strong: &StrongWait<'_>, waited: Waited) -> (Message, Message) {
    let n = Count(strong.behind.len() as u64);
    let title = match strong.waiter {
        Some(waiter) => messages::strong_title(waiter, strong.mode, n),
        None => messages::strong_hidden_title(strong.mode, n),
    };
    (title, messages::strong_reason(strong.held, DurationUs(waited.total_us)))
}

/// Who only stands in the way loses nothing that it holds: its end helps at once, and the holder may go on. Still a person's decision,
/// for its transaction may have done something before.
fn strong_wait(queue: &Queue<'_>, strong: &StrongWait<'_>, finding: FindingRef, assessment: &mut Assessment) {
    let waited = queue.waited(&strong.behind);
    let (title, reason) = strong_words(strong, waited);
    let insight = Insight::new(words::STRONG_LOCK_WAITS, confidence(waited), title, reason);
    let is_pressing = waited_score(waited, strong.behind.len()) >= PRESSING;
    let (insight, decide) = match strong.waiter {
        Some(waiter) => {
            let insight = insight.evidence(waiter);
            // Alone, it would only make room for the next in line.
            let helps = strong.in_line == 0;
            let insight = if is_pressing && helps {
                insight.recommend(Recommendation::end(waiter))
            } else {
                insight
            };
            let reason = if helps {
                messages::decide_strong_reason()
            } else {
                messages::decide_line_reason(Count(strong.in_line))
            };
            let label = messages::decide_strong_label(waiter);
            (insight, NextAction::prompt_user(label, reason))
        }
        None => {
            let label = messages::decide_strong_hidden_label();
            let decide = NextAction::prompt_user(label, messages::decide_strong_hidden_reason());
            (insight, decide)
        }
    };
    assessment.insight(insight);
    if is_pressing {
        assessment.next_action(decide.because(finding));
    }
}

/// The server ends a circle of locks itself, so it counts for what was waited in it.
fn circle_finding(queue: &Queue<'_>, pids: &BTreeSet<i64>) -> Finding {
    let waited = queue.waited(pids);
    let title = messages::circle_title(Count(pids.len() as u64));
    Finding::new(FindingKind::Deadlock, title, waited_reason(waited))
        .code(words::LOCK_CYCLE)
        .score(waited_score(waited, pids.len()).max(live::FLOOR))
        .confidence(confidence(waited))
}

fn kinds(queue: &Queue<'_>, waiting: Count, assessment: &mut Assessment) {
    let kinds = queue.kinds();
    let of = |kind| Count(kinds.get(&kind).copied().unwrap_or(0));
    let reason = messages::kinds_reason(of(Kind::Row), of(Kind::Table), of(Kind::Advisory), of(Kind::Other));
    let title = messages::kinds_title(waiting);
    assessment.insight(Insight::new(
        words::WAITS_BY_KIND_OF_LOCK,
        Confidence::High,
        title,
        reason,
    ));
}
