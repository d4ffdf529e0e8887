//! Every request of the runbook, with the words that go with it, besides those of `pg_logstats_runbook_statements`.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, ErrorClass, NextAction, Subject};

use crate::{messages, words};

/// The live sessions of whoever met an error.
pub(crate) fn error_sessions(actions: &mut dyn Actions, class: &ErrorClass) -> Option<NextAction> {
    let request = words::ERROR_SESSIONS
        .request()
        .bind_dimensions(class, &class.dimensions);
    NextAction::offer(
        actions,
        &request,
        statements::messages::sessions_label(class),
        messages::error_sessions_reason(),
    )
}

/// The plan of the statement of a group of temporary files.
pub(crate) fn temp_explain(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_EXPLAIN.request().bind("queryid", group);
    NextAction::offer(
        actions,
        &request,
        statements::messages::explain_label(group),
        statements::messages::explain_reason(),
    )
}

/// That plan with a real run.
pub(crate) fn temp_explain_analyze(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_EXPLAIN_ANALYZE
        .request()
        .bind("queryid", group)
        .bind("sample", group);
    statements::offers::run(actions, &request, group)
}

/// The database's counters of temporary files.
pub(crate) fn temp_counters(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_COUNTERS.request().bind("database", group);
    NextAction::offer(
        actions,
        &request,
        messages::temp_counters_label(group),
        messages::temp_counters_reason(),
    )
}

/// The statements that write temporary blocks.
pub(crate) fn temp_blocks(actions: &mut dyn Actions) -> Option<NextAction> {
    let request = words::TEMP_BLOCKS.request();
    NextAction::offer(
        actions,
        &request,
        messages::temp_blocks_label(),
        messages::temp_blocks_reason(),
    )
}
