//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{Actions, NextAction, Priority};

use crate::{messages, words};

/// The tree.
pub(crate) fn tree(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::tree_label(), messages::tree_reason());
    NextAction::offer(actions, &words::TREE.request(), label, reason).map(|action| action.priority(Priority::Required))
}

/// Prepared transactions.
pub(crate) fn prepared(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::prepared_label(), messages::prepared_offer_reason());
    NextAction::offer(actions, &words::PREPARED.request(), label, reason)
}

/// Settings.
pub(crate) fn settings(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::settings_label(), messages::settings_reason());
    NextAction::offer(actions, &words::SETTINGS.request(), label, reason)
        .map(|action| action.priority(Priority::Optional))
}
