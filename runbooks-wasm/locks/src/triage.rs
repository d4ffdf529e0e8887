//! Phase 1: what the logs tell of lock waits and deadlocks.

mod deadlocks;
mod holders;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Evidence, Finding, FindingKind, FindingRef, LockTarget, LockWait, Message,
    NextAction, Priority,
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
    let mut holders_left = TOP;
    for (finding, about) in &pending {
        match about {
            About::Holder(_) if holders_left == 0 => {}
            About::Holder(group) => {
                holders_left -= 1;
                request_for_holder(evidence, group, *finding, actions, &mut assessment);
            }
            About::Deadlocks(group) => request_for_deadlock(evidence, group, *finding, actions, &mut assessment),
            About::Wait => {}
        }
    }
    finish(evidence, actions, &mut assessment);
    assessment
}

fn request_for_holder(
    evidence: &Evidence,
    group: &HolderGroup<'_>,
    finding: FindingRef,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    // A session that may still wait tells more than one that got its lock.
    let Some(wait) = group.waits.iter().find(|wait| !wait.acquired).or(group.waits.first()) else {
        return;
    };
    let urgency = if wait.acquired {
        Priority::Recommended
    } else {
        Priority::Required
    };
    let offered = [
        offers::blocking(actions, &wait.waiter, wait.waited_us).map(|action| action.priority(urgency)),
        group.holder.and_then(|holder| offers::holder(actions, holder)),
        like_waiter(evidence, wait, actions),
    ];
    for action in offered.into_iter().flatten() {
        assessment.next_action(action.because(finding));
    }
}

/// Sessions like the waiter: those of its statement's family, or of the wait itself when the log does not tell the family.
fn like_waiter(evidence: &Evidence, wait: &LockWait, actions: &mut dyn Actions) -> Option<NextAction> {
    match wait.family.as_deref().and_then(|id| evidence.family(id)) {
        Some(family) => offers::sessions_like(actions, family, &family.dimensions),
        None => offers::sessions_like(actions, wait, &wait.dimensions),
    }
}

fn request_for_deadlock(
    evidence: &Evidence,
    group: &DeadlockGroup<'_>,
    finding: FindingRef,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let Some(deadlock) = group.last() else { return };
    let order = NextAction::prompt_user(messages::order_label(deadlock), messages::order_reason());
    assessment.next_action(order.because(finding));
    let families = deadlock
        .edges
        .iter()
        .filter_map(|edge| evidence.family(edge.family.as_deref()?));
    let mut known = Vec::new();
    for family in families {
        if !known.contains(&&family.dimensions) {
            known.push(&family.dimensions);
            let action = offers::sessions_like(actions, family, &family.dimensions);
            assessment.next_action(action.map(|action| action.because(finding)));
        }
    }
}

/// Live sessions, the way to the other runbook, and the end.
fn finish(evidence: &Evidence, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let has_log_findings = !assessment.findings.is_empty();
    for session in evidence.live_sessions.iter().rev().take(TOP) {
        let finding = Finding::new(
            FindingKind::LockWait,
            messages::live_title(session),
            messages::live_reason(),
        )
        .about(session)
        .code(words::LIVE_SESSION);
        let finding = assessment.finding(finding);
        for action in [
            offers::blocking_live(actions, session),
            offers::live_session(actions, session),
        ] {
            assessment.next_action(action.map(|action| action.because(finding)));
        }
    }
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
            messages::stop_label(),
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
        .score(waited_score(wait.waited_us))
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
    let waited = pg_logstats_sdk::DurationUs(wait.waited_us);
    match wait.holders.first() {
        Some(holder) => messages::wait_title(&wait.waiter, waited, holder),
        None => messages::unknown_holder_title(pg_logstats_sdk::Count(1), waited),
    }
}

/// `t / (t + 1 min)`: one half at a minute of waiting, towards 1 without end.
fn waited_score(waited_us: u64) -> f64 {
    let waited = waited_us as f64;
    waited / (waited + 60e6)
}
