//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_runbook_statements::tree::messages as tree_messages;
pub(crate) use pg_logstats_runbook_statements::tree::offer_holder as holder;
use pg_logstats_sdk::{Actions, Dimensions, DurationUs, NextAction, Priority, Subject};

use crate::{messages, words};

/// Who blocks a session that waited, as the log tells.
pub(crate) fn blocking(actions: &mut dyn Actions, waiter: &dyn Subject, waited_us: u64) -> Option<NextAction> {
    let request = words::BLOCKING.request().bind("pid", waiter);
    let reason = messages::blocking_reason(DurationUs(waited_us));
    NextAction::offer(actions, &request, messages::blocking_label(waiter), reason)
}

/// Who blocks a live session.
pub(crate) fn blocking_live(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::BLOCKING.request().bind("pid", session);
    NextAction::offer(
        actions,
        &request,
        messages::blocking_label(session),
        messages::blocking_reason_live(),
    )
}

/// Who blocks a session that waited for `holder`, as the log tells, now that `holder` was found live.
pub(crate) fn blocking_behind(
    actions: &mut dyn Actions,
    waiter: &dyn Subject,
    holder: &dyn Subject,
) -> Option<NextAction> {
    let request = words::BLOCKING.request().bind("pid", waiter);
    let reason = messages::blocking_reason_behind(holder);
    NextAction::offer(actions, &request, messages::blocking_label(waiter), reason)
}

/// A live session.
pub(crate) fn live_session(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::SESSION.request().bind("pid", session);
    NextAction::offer(
        actions,
        &request,
        tree_messages::session_label(session),
        messages::session_reason_live(),
    )
    .map(|action| action.priority(Priority::Optional))
}

/// Sessions of the same database, role and application as `target`, which has `dimensions`.
pub(crate) fn sessions_like(
    actions: &mut dyn Actions,
    target: &dyn Subject,
    dimensions: &Dimensions,
) -> Option<NextAction> {
    let request = words::FAMILY_SESSIONS.request().bind_dimensions(target, dimensions);
    NextAction::offer(
        actions,
        &request,
        messages::family_label(target),
        messages::family_reason(),
    )
    .map(|action| action.priority(Priority::Optional))
}
