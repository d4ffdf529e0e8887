//! Every shared request, with the words that go with it.
//!
//! A request that the host denies gives `None`: the host lists itself what it left out, and why.

use pg_logstats_sdk::{ActionRequest, Actions, NextAction, Priority, QueryFamily, StatementKind, Subject};

use crate::{messages, words};

/// The server's statistics of a family.
pub fn statistics(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
    let request = words::STATISTICS.request().bind("queryid", family);
    NextAction::offer(
        actions,
        &request,
        messages::statistics_label(family),
        messages::statistics_reason(),
    )
}

/// The live sessions of whoever ran a family.
pub fn family_sessions(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
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

/// A family's plan.
pub fn explain(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
    let request = words::EXPLAIN.request().bind("queryid", family);
    NextAction::offer(
        actions,
        &request,
        messages::explain_label(family),
        messages::explain_reason(),
    )
}

/// A family's plan with a real run, for what only reads.
pub fn explain_analyze(actions: &mut dyn Actions, family: &QueryFamily) -> Option<NextAction> {
    if family.kind != StatementKind::Select {
        return None;
    }
    let request = words::EXPLAIN_ANALYZE
        .request()
        .bind("queryid", family)
        .bind("sample", family);
    run(actions, &request, family)
}

/// How old the planner's figures of a column are: those of its table.
pub fn figures(actions: &mut dyn Actions, column: &dyn Subject) -> Option<NextAction> {
    let request = words::TABLE.request().bind("relation", column);
    NextAction::offer(
        actions,
        &request,
        messages::figures_label(column),
        messages::figures_reason(),
    )
    .map(|action| action.priority(Priority::Required))
}

/// One session.
pub fn session(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::SESSION.request().bind("pid", session);
    NextAction::offer(
        actions,
        &request,
        messages::session_label(session),
        messages::session_reason(),
    )
}

/// Who blocks a session that waits for a lock.
pub fn blocking(actions: &mut dyn Actions, session: &dyn Subject) -> Option<NextAction> {
    let request = words::BLOCKING.request().bind("pid", session);
    NextAction::offer(
        actions,
        &request,
        messages::blocking_label(session),
        messages::blocking_reason(),
    )
    .map(|action| action.priority(Priority::Required))
}

/// A plan with a real run: for an agent to weigh up.
pub fn run(actions: &mut dyn Actions, request: &ActionRequest, target: &dyn Subject) -> Option<NextAction> {
    NextAction::offer(
        actions,
        request,
        messages::analyze_label(target),
        messages::analyze_reason(),
    )
    .map(|action| action.priority(Priority::Optional).judgement_required())
}

/// A score below which a family is everyday life, and what there is to see of it can wait.
const LOW: f64 = 0.2;

/// All that there is to see of a family, in the order of what it costs. Of one that is bad, as its finding's `score` says, a real run is
/// recommended as well: nothing else shows why.
pub fn all(actions: &mut dyn Actions, family: &QueryFamily, score: f64) -> Vec<Option<NextAction>> {
    let priority = if score < LOW {
        Priority::Optional
    } else {
        Priority::Recommended
    };
    let offers = [
        statistics(actions, family),
        family_sessions(actions, family),
        explain(actions, family),
        explain_analyze(actions, family),
    ];
    offers
        .into_iter()
        .map(|offer| offer.map(|action| action.priority(priority)))
        .collect()
}
