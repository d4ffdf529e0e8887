//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{Actions, ConnectionGroup, NextAction, Priority};

use crate::{messages, words};

/// Connections by who has them and what they do.
pub(crate) fn counts(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::counts_label(), messages::counts_reason());
    NextAction::offer(actions, &words::COUNTS.request(), label, reason)
        .map(|action| action.priority(Priority::Required))
}

/// Settings.
pub(crate) fn settings(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::settings_label(), messages::settings_reason());
    NextAction::offer(actions, &words::SETTINGS.request(), label, reason)
}

/// Sessions of those that the logs tell most connections of.
pub(crate) fn sessions(actions: &mut dyn Actions, group: &ConnectionGroup) -> Option<NextAction> {
    let request = words::SESSIONS.request().bind_dimensions(group, &group.dimensions);
    let (label, reason) = (messages::sessions_label(group), messages::sessions_reason());
    NextAction::offer(actions, &request, label, reason).map(|action| action.priority(Priority::Optional))
}

/// The runbook about what runs now.
pub(crate) fn to_running_queries() -> NextAction {
    NextAction::run_workflow(
        words::RUNNING_QUERIES,
        messages::queries_label(),
        messages::queries_reason(),
    )
}
