//! Every request of the runbook, with the words that go with it. None binds anything.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{Action, Actions, Message, NextAction, Priority};

use crate::{messages, words};

fn offer(actions: &mut dyn Actions, action: Action, label: Message, reason: Message) -> Option<NextAction> {
    NextAction::offer(actions, &action.request(), label, reason)
}

pub(crate) fn databases(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::databases_label(), messages::databases_why());
    offer(actions, words::DATABASES, label, reason).map(|action| action.priority(Priority::Required))
}

pub(crate) fn tables(actions: &mut dyn Actions) -> Option<NextAction> {
    offer(actions, words::TABLES, messages::tables_label(), messages::tables_why())
}

pub(crate) fn horizon(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::horizon_label(), messages::horizon_why());
    offer(actions, words::HORIZON, label, reason).map(|action| action.priority(Priority::Required))
}

pub(crate) fn prepared(actions: &mut dyn Actions) -> Option<NextAction> {
    offer(
        actions,
        words::PREPARED,
        messages::prepared_label(),
        messages::prepared_why(),
    )
}

pub(crate) fn sequences(actions: &mut dyn Actions) -> Option<NextAction> {
    offer(
        actions,
        words::SEQUENCES,
        messages::sequences_label(),
        messages::sequences_why(),
    )
}

pub(crate) fn vacuums(actions: &mut dyn Actions) -> Option<NextAction> {
    offer(
        actions,
        words::VACUUMS,
        messages::vacuums_label(),
        messages::vacuums_why(),
    )
}

pub(crate) fn settings(actions: &mut dyn Actions) -> Option<NextAction> {
    offer(
        actions,
        words::SETTINGS,
        messages::settings_label(),
        messages::settings_why(),
    )
}
