//! Phase 1: what the logs tell of lock waits and deadlocks.

mod deadlocks;
mod holders;

use std::collections::BTreeMap;

use pg_logstats_runbook_statements::{outcome, scores};
use pg_logstats_sdk::{
    Action, Actions, Assessment, Confidence, Dimensions, DurationUs, Evidence, Finding, FindingKind, FindingRef,
    LockTarget, LockWait, Message, NextAction, Priority, Subject,
};

use crate::{messages, offers, words};
use deadlocks::DeadlockGroup;
use holders::HolderGroup;

/// Holders, and live sessions, that actions are requested for, each.
const TOP: usize = 10;
/// Waits of one holder, besides the longest, that become findings of their own.
const WAITS_PER_HOLDER: usize = 5;
/// Holders that become findings.
const HOLDERS: usize = 20;
/// Kinds of deadlocks that become findings.
const DEADLOCKS: usize = 20;

/// What a finding is about, as far as actions need to know.
enum About<'a> {
    Holder(HolderGroup<'a>),
    Wait,
    Deadlocks(DeadlockGroup<'a>),
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut candidates: Vec<(Finding, About<'_>)> = Vec::new();
    for group in holders::groups(evidence).into_iter().take(HOLDERS) {
        let others: Vec<Finding> = group
            .waits
            .iter()
            .skip(1)
            .take(WAITS_PER_HOLDER)
            .map(|w| wait_finding(w))
            .collect();
        candidates.push((group.finding(), About::Holder(group)));
        candidates.extend(others.into_iter().map(|finding| (finding, About::Wait)));
    }
    for group in deadlocks::groups(evidence).into_iter().take(DEADLOCKS) {
        candidates.push((group.finding(), About::Deadlocks(group)));
    }
    // A wait with two holders is told once. Stable, so that equals stay in the order found: queue heads first.
    candidates.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));

    let mut assessment = Assessment::new();
    let mut pending: Vec<(FindingRef, About<'_>)> = Vec::new();
    for (finding, about) in candidates {
        let is_told = matches!(about, About::Wait) && assessment.findings.iter().any(|f| f.subject == finding.subject);
        if !is_told {
            pending.push((assessment.finding(finding), about));
        }
    }
    let mut desk = Desk::new(actions, &mut assessment);
    let mut holders_left = TOP;
    for (finding, about) in &pending {
        match about {
            About::Holder(group) if holders_left > 0 => {
                holders_left -= 1;
                request_for_holder(evidence, group, *finding, &mut desk);
            }
            About::Deadlocks(group) => request_for_deadlock(evidence, group, *finding, &mut desk),
            About::Holder(_) | About::Wait => {}
        }
    }
    live_sessions(evidence, &mut desk);
    finish(evidence, !pending.is_empty(), &mut assessment);
    assessment
}

fn request_for_holder(evidence: &Evidence, group: &HolderGroup<'_>, finding: FindingRef, desk: &mut Desk<'_>) {
    // A session that may still wait tells more than one that got its lock.
    let Some(wait) = group.waits.iter().find(|wait| !wait.acquired).or(group.waits.first()) else {
        return;
    };
    let urgency = if wait.acquired {
        Priority::Recommended
    } else {
        Priority::Required
    };
    desk.offer(finding, words::BLOCKING, &wait.waiter, |actions| {
        offers::blocking(actions, &wait.waiter, wait.waited_us).map(|action| action.priority(urgency))
    });
    if let Some(holder) = group.holder {
        desk.offer(finding, words::SESSION, holder, |actions| {
            offers::holder(actions, holder)
        });
    }
    // Sessions like the waiter: those of its statement's family, or of the wait itself when the log does not tell the family.
    match wait.family.as_deref().and_then(|id| evidence.family(id)) {
        Some(family) => desk.offer_sessions_like(finding, family, &family.dimensions),
        None => desk.offer_sessions_like(finding, *wait, &wait.dimensions),
    }
}

fn request_for_deadlock(evidence: &Evidence, group: &DeadlockGroup<'_>, finding: FindingRef, desk: &mut Desk<'_>) {
    let Some(deadlock) = group.last() else { return };
    let order = NextAction::prompt_user(messages::order_label(deadlock), messages::order_reason());
    desk.assessment.next_action(order.because(finding));
    for edge in &deadlock.edges {
        if let Some(family) = edge.family.as_deref().and_then(|id| evidence.family(id)) {
            desk.offer_sessions_like(finding, family, &family.dimensions);
        }
    }
}

/// The newest sessions that earlier actions found live.
fn live_sessions(evidence: &Evidence, desk: &mut Desk<'_>) {
    for session in evidence.live_sessions.iter().rev().take(TOP) {
        let (title, reason) = (messages::live_title(session), messages::live_reason());
        let finding = Finding::new(FindingKind::LockWait, title, reason);
        let finding = desk
            .assessment
            .finding(finding.about(session).code(words::LIVE_SESSION));
        desk.offer(finding, words::BLOCKING, session, |actions| {
            offers::blocking_live(actions, session)
        });
        desk.offer(finding, words::SESSION, session, |actions| {
            offers::live_session(actions, session)
        });
    }
}

/// Offers each action about a subject once: a further finding that wants it is added to the first offer.
struct Desk<'a> {
    actions: &'a mut dyn Actions,
    assessment: &'a mut Assessment,
    /// Positions among the next actions; none for what the host denied.
    offered: BTreeMap<(Action, String), Option<usize>>,
}

impl<'a> Desk<'a> {
    fn new(actions: &'a mut dyn Actions, assessment: &'a mut Assessment) -> Self {
        Self {
            actions,
            assessment,
            offered: BTreeMap::new(),
        }
    }

    fn offer(
        &mut self,
        finding: FindingRef,
        action: Action,
        about: &dyn Subject,
        request: impl FnOnce(&mut dyn Actions) -> Option<NextAction>,
    ) {
        self.offer_once(finding, (action, about.subject_id().to_owned()), request);
    }

    /// By their dimensions, so that two statements of one application are looked for once.
    fn offer_sessions_like(&mut self, finding: FindingRef, target: &dyn Subject, dimensions: &Dimensions) {
        let ids = [&dimensions.database, &dimensions.user, &dimensions.application];
        let key = ids.map(|id| id.as_deref().unwrap_or_default()).join(" ");
        self.offer_once(finding, (words::FAMILY_SESSIONS, key), |actions| {
            offers::sessions_like(actions, target, dimensions)
        });
    }

    fn offer_once(
        &mut self,
        finding: FindingRef,
        key: (Action, String),
        request: impl FnOnce(&mut dyn Actions) -> Option<NextAction>,
    ) {
        let known = self.offered.get(&key).copied();
        let position = known.unwrap_or_else(|| {
            let action = request(self.actions)?;
            self.assessment.next_action(action);
            self.assessment.next_actions.len().checked_sub(1)
        });
        self.offered.insert(key, position);
        if let Some(action) = position.and_then(|position| self.assessment.next_actions.get_mut(position)) {
            *action = action.clone().because(finding);
        }
    }
}

/// What is said when there was nothing, the way to the other runbook, and the end.
fn finish(evidence: &Evidence, has_log_findings: bool, assessment: &mut Assessment) {
    if assessment.findings.is_empty() {
        let finding = Finding::new(
            FindingKind::NothingFound,
            messages::nothing_title(),
            messages::nothing_reason(),
        );
        assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::Medium));
    }
    if evidence.window.is_none() {
        assessment.limitation(messages::no_logs());
    } else if evidence.lock_waits.is_empty() {
        assessment.limitation(messages::no_lock_waits_logged());
    }
    if has_log_findings && !evidence.families.is_empty() {
        let families = NextAction::run_workflow(
            words::QUERY_FAMILIES,
            messages::families_label(),
            messages::families_reason(),
        );
        assessment.next_action(families.priority(Priority::Optional));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(
            outcome::messages::stop_label(),
            messages::stop_reason_nothing(),
        ));
    }
}

/// One wait: who, for whom, on what, how long.
fn wait_finding(wait: &LockWait) -> Finding {
    let queue = wait.queue_length.into();
    let reason = match &wait.target {
        LockTarget::Relation(relation) => messages::wait_on_relation(wait.mode, relation, queue),
        LockTarget::Tuple(relation) => messages::wait_on_row(wait.mode, relation, queue),
        LockTarget::Transaction => messages::wait_on_transaction(wait.mode, queue),
        LockTarget::Other => messages::wait_on_other(wait.mode, queue),
    };
    let finding = Finding::new(FindingKind::LockWait, wait_title(wait), reason)
        .about(wait)
        .score(scores::waited(wait.waited_us))
        .confidence(Confidence::High)
        .evidence(&wait.waiter);
    holders::with_codes(
        wait.holders
            .iter()
            .fold(finding, |finding, holder| finding.evidence(holder)),
        wait,
    )
}

fn wait_title(wait: &LockWait) -> Message {
    let waited = DurationUs(wait.waited_us);
    match wait.holders.first() {
        Some(holder) => messages::wait_title(&wait.waiter, waited, holder),
        None => messages::wait_title_unknown(&wait.waiter, waited),
    }
}
