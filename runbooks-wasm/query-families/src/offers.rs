//! Every request of the runbook, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{ActionRequest, Actions, ErrorClass, NextAction, Priority, QueryFamily, StatementKind, Subject};

use crate::{messages, words};

/// The server's statistics of a family.
pub(crate) fn statistics(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
    let request = words::STATISTICS.request().bind("queryid", family);
    NextAction::offer(
        actions,
        &request,
        messages::statistics_label(family),
        messages::statistics_reason(),
    )
}

/// The live sessions of whoever ran a family.
pub(crate) fn family_sessions(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
    let request = words::FAMILY_SESSIONS
        .request()
        .bind_dimensions(family, &family.dimensions);
    NextAction::offer(
        actions,
        &request,
        messages::sessions_label(family),
        messages::sessions_reason(),
    )
}

/// The live sessions of whoever met an error.
pub(crate) fn error_sessions(actions: &mut dyn Actions, class: &ErrorClass) -> Option<NextAction> {
    let request = words::ERROR_SESSIONS
        .request()
        .bind_dimensions(class, &class.dimensions);
    NextAction::offer(
        actions,
        &request,
        messages::sessions_label(class),
        messages::error_sessions_reason(),
    )
}

/// A family's plan.
pub(crate) fn explain(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
    let request = words::EXPLAIN.request().bind("queryid", family);
    NextAction::offer(
        actions,
        &request,
        messages::explain_label(family),
        messages::explain_reason(),
    )
}

/// A family's plan with a real run, for what only reads.
pub(crate) fn explain_analyze(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
    if family.kind != StatementKind::Select {
        return None;
    }
    let request = words::EXPLAIN_ANALYZE
        .request()
        .bind("queryid", family)
        .bind("sample", family);
    run(actions, &request, family)
}

/// The plan of the statement of a group of temporary files.
pub(crate) fn temp_explain(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_EXPLAIN.request().bind("queryid", group);
    NextAction::offer(
        actions,
        &request,
        messages::explain_label(group),
        messages::explain_reason(),
    )
}

/// That plan with a real run.
pub(crate) fn temp_explain_analyze(actions: &mut dyn Actions, group: &dyn Subject) -> Option<NextAction> {
    let request = words::TEMP_EXPLAIN_ANALYZE
        .request()
        .bind("queryid", group)
        .bind("sample", group);
    run(actions, &request, group)
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

/// One session.
pub(crate) fn session(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::SESSION.request().bind("pid", session);
    NextAction::offer(
        actions,
        &request,
        messages::session_label(session),
        messages::session_reason(),
    )
}

/// Who blocks a session that waits for a lock.
pub(crate) fn blocking(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::BLOCKING.request().bind("pid", session);
    NextAction::offer(
        actions,
        &request,
        messages::blocking_label(session),
        messages::blocking_reason(),
    )
    .map(|action| action.priority(Priority::Required))
}

fn run(actions: &mut dyn Actions, request: &ActionRequest, target: &dyn Subject) -> Option<NextAction> {
    NextAction::offer(
        actions,
        request,
        messages::analyze_label(target),
        messages::analyze_reason(),
    )
    .map(|action| action.priority(Priority::Optional).judgement_required())
}
