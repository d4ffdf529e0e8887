//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{Action, Actions, NextAction, Priority};

use crate::{messages, words};

/// An action of the runbook; none of them needs a subject.
pub(crate) fn look(actions: &mut dyn Actions, action: Action) -> Option<NextAction> {
    let (label, reason) = if action == words::COUNTERS {
        (messages::counters_label(), messages::counters_reason())
    } else if action == words::WAL {
        (messages::wal_label(), messages::wal_offer_reason())
    } else if action == words::IO {
        (messages::io_label(), messages::io_reason())
    } else {
        (messages::settings_label(), messages::settings_reason())
    };
    NextAction::offer(actions, &action.request(), label, reason)
}

/// Which statements write so much.
pub(crate) fn families() -> NextAction {
    let (label, reason) = (messages::families_label(), messages::families_reason());
    NextAction::run_workflow(words::QUERY_FAMILIES, label, reason).priority(Priority::Optional)
}

/// The storage is a person's business.
pub(crate) fn storage() -> NextAction {
    NextAction::prompt_user(messages::storage_label(), messages::storage_reason())
}
