//! Every request of the runbook, with the words that go with it. None binds anything.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{Actions, NextAction, Priority};

use crate::{messages, words};

pub(crate) fn standbys(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::standbys_label(), messages::standbys_why());
    NextAction::offer(actions, &words::STANDBYS.request(), label, reason)
}

pub(crate) fn slots(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::slots_label(), messages::slots_why());
    NextAction::offer(actions, &words::SLOTS.request(), label, reason)
}

pub(crate) fn receiver(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::receiver_label(), messages::receiver_why());
    NextAction::offer(actions, &words::RECEIVER.request(), label, reason)
}

pub(crate) fn settings(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::settings_label(), messages::settings_why());
    NextAction::offer(actions, &words::SETTINGS.request(), label, reason)
}

pub(crate) fn holders(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::holders_label(), messages::holders_why());
    NextAction::offer(actions, &words::HOLDERS.request(), label, reason)
}

/// What a standby's queries do.
pub(crate) fn queries() -> NextAction {
    let (label, reason) = (messages::queries_label(), messages::queries_why());
    NextAction::run_workflow(words::RUNNING_QUERIES, label, reason).priority(Priority::Optional)
}

/// What the logs tell.
pub(crate) fn logs() -> NextAction {
    let (label, reason) = (messages::logs_label(), messages::logs_why());
    NextAction::run_workflow(words::REPLICATION, label, reason).priority(Priority::Optional)
}
