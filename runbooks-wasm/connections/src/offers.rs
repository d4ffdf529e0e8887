//! Every request of the runbook, with the words that go with it, and what only a person can decide.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, ConnectionGroup, NextAction, Priority};

use crate::{messages, words};

/// What a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Pooler,
    Limit,
    Password,
    Guessing,
    Network,
}

/// Connections by who and state.
pub(crate) fn counts(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::counts_label(), messages::counts_reason());
    NextAction::offer(actions, &words::COUNTS.request(), label, reason)
}

/// Limits and time-outs.
pub(crate) fn settings(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::settings_label(), messages::settings_reason());
    NextAction::offer(actions, &words::SETTINGS.request(), label, reason)
}

/// The live sessions of a group.
pub(crate) fn sessions(actions: &mut dyn Actions, group: &ConnectionGroup) -> Option<NextAction> {
    let request = words::SESSIONS.request().bind_dimensions(group, &group.dimensions);
    let (label, reason) = (messages::group_sessions_label(group), messages::group_sessions_reason());
    NextAction::offer(actions, &request, label, reason).map(|action| action.priority(Priority::Optional))
}

/// Who waits for whom.
pub(crate) fn locks() -> NextAction {
    let (label, reason) = (statements::messages::locks_label(), messages::locks_reason());
    NextAction::run_workflow(statements::words::LOCKS, label, reason)
}

/// Which statements take the time.
pub(crate) fn families() -> NextAction {
    let (label, reason) = (messages::families_label(), messages::families_reason());
    NextAction::run_workflow(words::QUERY_FAMILIES, label, reason).priority(Priority::Optional)
}

/// A person's decision.
pub(crate) fn ask(what: Ask) -> NextAction {
    let (label, reason) = match what {
        Ask::Pooler => (messages::pooler_label(), messages::pooler_reason()),
        Ask::Limit => (messages::limit_label(), messages::limit_reason()),
        Ask::Password => (messages::password_label(), messages::password_reason()),
        Ask::Guessing => (messages::guessing_label(), messages::guessing_reason()),
        Ask::Network => (messages::network_label(), messages::network_reason()),
    };
    NextAction::prompt_user(label, reason)
}
