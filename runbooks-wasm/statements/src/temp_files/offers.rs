//! Every request about temporary files, with the words that go with it.

use pg_logstats_sdk::{Actions, NextAction, Subject};

use super::{messages, words};
use crate::messages as shared;

/// The plan of the statement of a group of temporary files.
pub fn explain(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_EXPLAIN.request().bind("queryid", group);
    NextAction::offer(
        actions,
        &request,
        shared::explain_label(group),
        shared::explain_reason(),
    )
}

/// That plan with a real run.
pub fn explain_analyze(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_EXPLAIN_ANALYZE
        .request()
        .bind("queryid", group)
        .bind("sample", group);
    crate::offers::run(actions, &request, group)
}

/// The database's counters of temporary files.
pub fn counters(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_COUNTERS.request().bind("database", group);
    NextAction::offer(
        actions,
        &request,
        messages::temp_counters_label(group),
        messages::temp_counters_reason(),
    )
}

/// The statements that write temporary blocks.
pub fn blocks(actions: &mut dyn Actions) -> Option<NextAction> {
    let request = words::TEMP_BLOCKS.request();
    NextAction::offer(
        actions,
        &request,
        messages::temp_blocks_label(),
        messages::temp_blocks_reason(),
    )
}
