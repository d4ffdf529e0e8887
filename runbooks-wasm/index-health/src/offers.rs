//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{Actions, NextAction, Subject};

use crate::{messages, words};

pub(crate) fn invalid(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::invalid_label(), messages::invalid_why());
    NextAction::offer(actions, &words::INVALID.request(), label, reason)
}

pub(crate) fn constraints(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::constraints_label(), messages::constraints_why());
    NextAction::offer(actions, &words::CONSTRAINTS.request(), label, reason)
}

pub(crate) fn builds(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::builds_label(), messages::builds_why());
    NextAction::offer(actions, &words::BUILDS.request(), label, reason)
}

pub(crate) fn dead_rows(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::dead_rows_label(), messages::dead_rows_why());
    NextAction::offer(actions, &words::DEAD_ROWS.request(), label, reason)
}

pub(crate) fn unused(actions: &mut dyn Actions) -> Option<NextAction> {
    let (label, reason) = (messages::unused_label(), messages::unused_why());
    NextAction::offer(actions, &words::UNUSED.request(), label, reason)
}

pub(crate) fn usage(actions: &mut dyn Actions, table: &dyn Subject) -> Option<NextAction> {
    let request = words::USAGE.request().bind("relation", table);
    NextAction::offer(actions, &request, messages::usage_label(table), messages::usage_why())
}

pub(crate) fn bloat(actions: &mut dyn Actions, table: &dyn Subject) -> Option<NextAction> {
    let request = words::BLOAT.request().bind("relation", table);
    NextAction::offer(actions, &request, messages::bloat_label(table), messages::bloat_why())
}

pub(crate) fn statistics(actions: &mut dyn Actions, table: &dyn Subject) -> Option<NextAction> {
    let request = words::STATISTICS.request().bind("relation", table);
    let (label, reason) = (messages::statistics_label(table), messages::statistics_why());
    NextAction::offer(actions, &request, label, reason)
}
