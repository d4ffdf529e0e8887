//! Every request of the runbook, with the words that go with it, besides those of `pg_logstats_runbook_statements`.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, NextAction, PlanGroup, Subject};

use crate::{messages, words};

/// How a table is read, and how old the planner's figures are.
pub(crate) fn table(actions: &mut dyn Actions, relation: &dyn Subject) -> Option<NextAction> {
    let request = words::TABLE.request().bind("relation", relation);
    NextAction::offer(
        actions,
        &request,
        messages::table_label(relation),
        messages::table_reason(),
    )
}

/// The indexes of a table.
pub(crate) fn indexes(actions: &mut dyn Actions, relation: &dyn Subject) -> Option<NextAction> {
    let request = words::INDEXES.request().bind("relation", relation);
    NextAction::offer(
        actions,
        &request,
        messages::indexes_label(relation),
        messages::indexes_reason(),
    )
}

/// The planner's figures of a table's columns.
pub(crate) fn columns(actions: &mut dyn Actions, relation: &dyn Subject) -> Option<NextAction> {
    let request = words::COLUMNS.request().bind("relation", relation);
    NextAction::offer(
        actions,
        &request,
        messages::columns_label(relation),
        messages::columns_reason(),
    )
}

/// The plan of a group whose family the evidence does not have.
pub(crate) fn explain(actions: &mut dyn Actions, group: &PlanGroup) -> Option<NextAction> {
    let request = statements::words::EXPLAIN.request().bind("queryid", group);
    NextAction::offer(
        actions,
        &request,
        statements::messages::explain_label(group),
        statements::messages::explain_reason(),
    )
}
