//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_runbook_statements::activity::words::LOCK_TREE;
use pg_logstats_runbook_statements::tree;
use pg_logstats_sdk::{Action, Actions, Dimensions, FindingRef, Message, NextAction, Priority, Subject};

use crate::{messages, words};

/// Connections by who has them and what they do.
pub(crate) fn counts(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::counts_label(), messages::counts_offer_reason());
    NextAction::offer(actions, &words::COUNTS.request(), label, reason)
}

/// The sessions whose transactions are oldest.
pub(crate) fn longest(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::longest_label(), messages::longest_offer_reason());
    NextAction::offer(actions, &words::LONGEST.request(), label, reason)
}

/// What holds back vacuum.
pub(crate) fn oldest_xmin(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::xmin_label(), messages::xmin_offer_reason());
    NextAction::offer(actions, &words::OLDEST_XMIN.request(), label, reason)
}

/// Work on tables and indexes that lasts long.
pub(crate) fn maintenance(actions: &mut dyn Actions) -> Vec<NextAction> {
    let all: [(Action, Message); 3] = [
        (words::INDEX_BUILDS, messages::index_builds_label()),
        (words::REWRITES, messages::rewrites_label()),
        (words::VACUUMS, messages::vacuums_label()),
    ];
    let offers = all.into_iter().filter_map(|(action, label)| {
        NextAction::offer(actions, &action.request(), label, messages::maintenance_offer_reason())
    });
    offers.map(|action| action.priority(Priority::Optional)).collect()
}

/// Sessions like those of `target`, which has `dimensions`.
pub(crate) fn sessions(actions: &mut dyn Actions, target: &dyn Subject, dimensions: &Dimensions) -> Option<NextAction> {
    let request = words::SESSIONS.request().bind_dimensions(target, dimensions);
    let (label, reason) = (messages::sessions_label(target), messages::sessions_offer_reason());
    NextAction::offer(actions, &request, label, reason).map(|action| action.priority(Priority::Optional))
}

/// One session.
pub(crate) fn session(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::SESSION.request().bind("pid", session);
    let (label, reason) = (tree::messages::session_label(session), messages::session_offer_reason());
    NextAction::offer(actions, &request, label, reason)
}

/// Who blocks a session.
pub(crate) fn blocking(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::BLOCKING.request().bind("pid", session);
    let (label, reason) = (messages::blocking_label(session), messages::blocking_offer_reason());
    NextAction::offer(actions, &request, label, reason).map(|action| action.priority(Priority::Required))
}

/// Whether anyone waits for a session that is at something for long.
pub(crate) fn to_lock_tree(finding: FindingRef) -> NextAction {
    let label = messages::lock_tree_label_behind();
    NextAction::run_workflow(LOCK_TREE, label, messages::lock_tree_reason_behind()).because(finding)
}
