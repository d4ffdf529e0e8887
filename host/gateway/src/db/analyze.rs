//! EXPLAIN ANALYZE of a logged statement: it runs, so everything is checked first.
//!
//! **In**: a query id and the sample statement with its values, both out of the evidence. **Out**: the plan with what really happened.
//! **Trusted**: nothing of the sample, which anyone who can reach the database could have written into the log.
//! **Can fail**: with the first condition that does not hold.
//!
//! The conditions, in order; what is decided here without the server comes first:
//! 1. the sample is exactly one SELECT for libpg_query, of kinds of nodes that are known ([`conditions`]): no INTO, no row lock, no
//!    data-modifying common table expression;
//! 2. the server holds a statement of the bound query id in this database, and the two have one fingerprint, relation and schema
//!    names included: the database really ran it;
//! 3. nothing that it can reach is volatile, or defined by users in a language that can hide what it does ([`reachable`]). Asked before
//!    the server analyses it, because analysing `'{1}'::some_type[]` already runs the type's checks;
//! 4. the server analyses it (PREPARE), which locks its views and tables, whatever their names mean meanwhile, so that neither their columns
//!    nor their definitions nor their policies change until the end, and the third condition still holds for all that is locked;
//! 5. its plan, made with its values, has the query id that was bound, no node that reads foreign tables, locks or writes, and costs
//!    no more than the limit;
//! 6. the verdict stays `clear` while it runs, which [`super::execute`] watches;
//! 7. the third condition holds when it has ended, and what ran has the query id that was bound. The server has no lock on functions,
//!    operators, domains, and what an index or statistics object adds to a table: one that was changed between the last look and the run has
//!    run, and is told, unless its owner has undone the change by then (`docs/security.md`).
//!
//! What is asked about indexes that the plan may lack ([`super::index_facts`]) plans the sample again, and runs nothing of it; where that was
//! asked, there is a look after it.
//!
//! The transaction is read only throughout, so that a mistake in all of this still writes nothing.
//!
//! The statement is sent as written out from its tree, in a message that holds one statement only; its values are quoted literals
//! of EXECUTE. Nodes are not timed one by one (`TIMING OFF`): that can make a statement take several times as long, and what a
//! single node took says more of the data than of the plan.

pub(super) mod conditions;
mod reachable;
#[cfg(test)]
mod tests;

use reachable::Watch;

use super::explain::{self, Explained, HeldStatement, PREPARED};
use super::failure::Failure;
use super::index_facts::{Planned, Replan};
use super::plan::{self, Plan};
use super::session::Session;
use super::statement::{Kind, Statement};
use crate::catalogue::{BoundParameter, BoundValue, Facet};
use crate::gate::ApprovedAction;
use crate::words::OutcomeStatus;

/// Nodes of a plan that do more than read local tables and compute.
const FORBIDDEN_NODES: [&str; 6] = [
    "Foreign Scan",
    "Custom Scan",
    "ModifyTable",
    "LockRows",
    "Table Function Scan",
    "Sample Scan",
];

/// The planner takes ten times the first rows for all that may follow (set_cte_pathlist), so the limit of the cost says nothing.
const RECURSIVE: &str = "the sample is recursive (WITH RECURSIVE), so neither its rows nor what they take can be estimated; it may not be run, \
                         and EXPLAIN shows its plan";
const CHANGED_BEFORE: &str = "the sample was not run: something that it can reach was changed while it was checked";

const CHANGED_MEANWHILE: &str = "the sample ran, and a function, operator or type that it can reach was changed meanwhile: what ran may not \
                                 be what was checked, so its plan is not shown; find out who changed it";

fn refused(detail: impl Into<String>) -> Failure {
    Failure::new(OutcomeStatus::Unavailable, detail)
}

/// Checks, then runs.
pub(super) async fn run(session: &mut Session, approved: &ApprovedAction, max_cost: f64) -> Result<Explained, Failure> {
    let action = approved.action();
    let sample = approved
        .sample()
        .ok_or_else(|| refused("the evidence has no sample statement"))?;
    let statement =
        Statement::parse(&sample.statement).map_err(|e| refused(format!("the sample cannot be run: {e}")))?;
    let facts = statement.facts();
    conditions::check(&statement, &facts, &sample.parameters).map_err(|e| refused(e.to_string()))?;
    if facts.is_recursive {
        return Err(refused(RECURSIVE));
    }
    if statement.parameter_count() != sample.parameters.len() {
        return Err(refused(
            "the log does not hold the values of all the sample's parameters",
        ));
    }

    let held = explain::held_statement(session, action, approved.parameters()).await?;
    check_same(&statement, &held)?;
    let path = explain::search_path_of(session, &held).await?;
    let (mut watch, before) = Watch::begin(&mut session.connection, &facts, &path).await?;
    explain::prepare(&mut session.connection, &statement)
        .await
        .map_err(not_prepared)?;
    let prepared = watch.again(&mut session.connection).await?;
    if prepared != before {
        return Err(refused(CHANGED_BEFORE));
    }

    let arguments = arguments(&sample.parameters);
    let execute = format!("EXECUTE {PREPARED}{arguments}");
    let max_bytes = action.caps.max_bytes;
    let estimate = explain::plan_json(
        &mut session.connection,
        &format!("EXPLAIN (FORMAT JSON, VERBOSE) {execute}"),
        max_bytes,
    )
    .await?;
    let estimate = plan::read(&estimate).map_err(|e| Failure::new(OutcomeStatus::Failed, e.to_string()))?;
    let bound = query_id(approved.parameters(), approved);
    check_plan(&estimate, bound, max_cost)?;

    let analyze = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY ON, FORMAT JSON, VERBOSE) {execute}");
    let json = explain::plan_json(&mut session.connection, &analyze, max_bytes).await?;
    let after = watch.again(&mut session.connection).await;
    // The server analyses a statement anew when something that it uses was changed.
    let ran = plan::read(&json).ok().and_then(|plan| plan.query_id);
    if ran.is_none() || ran != bound || after.as_ref().ok() != Some(&prepared) {
        return Err(Failure::new(OutcomeStatus::Failed, CHANGED_MEANWHILE));
    }
    let replan = Replan {
        statement: &statement,
        search_path: &path,
        planned: Planned::With(&arguments),
    };
    let explained = explain::with_index_facts(session, action, &json, &replan).await?;
    // To be planned again, it was analysed again. A question that failed has ended the transaction, and its answer is not shown.
    if explained.index_facts.as_ref().map_or(true, Vec::is_empty) {
        return Ok(explained);
    }
    match watch.once_more(&mut session.connection).await {
        Ok(last) if last == prepared => Ok(explained),
        _ => Err(Failure::new(OutcomeStatus::Failed, CHANGED_MEANWHILE)),
    }
}

/// The server holds a SELECT with the sample's fingerprint.
fn check_same(sample: &Statement, held: &HeldStatement) -> Result<(), Failure> {
    if held.statement.kind() != Kind::Select {
        return Err(refused("the server's statement of this query id is no SELECT"));
    }
    match (sample.fingerprint(), held.statement.fingerprint()) {
        (Some(sample), Some(held)) if sample == held => Ok(()),
        _ => Err(refused(
            "the sample is not the statement that the server holds for this query id",
        )),
    }
}

fn not_prepared(failure: Failure) -> Failure {
    match failure.sqlstate.as_deref() {
        Some("42P01" | "42703" | "3F000" | "42883" | "42P18") => Failure {
            status: OutcomeStatus::Unavailable,
            detail: "the server cannot analyse the sample: something that it names was dropped, or the application sets a search_path \
                     of its own"
                .to_owned(),
            ..failure
        },
        _ => failure,
    }
}

fn check_plan(plan: &Plan, query_id: Option<i64>, max_cost: f64) -> Result<(), Failure> {
    match (query_id, plan.query_id) {
        (Some(bound), Some(planned)) if bound == planned => {}
        (_, None) => {
            return Err(refused(
                "the server gives the sample no query id to compare; set compute_query_id to `auto` or `on` for this role",
            ));
        }
        _ => {
            return Err(refused(
                "the server gives the sample another query id than the one that was bound: it would run another statement",
            ));
        }
    }
    if plan
        .nodes
        .iter()
        .any(|n| FORBIDDEN_NODES.contains(&n.node_type.as_str()))
    {
        return Err(refused(
            "the sample's plan reads a foreign table, locks rows, or uses a node that only an extension knows",
        ));
    }
    // Written so that a cost that is no number is over the limit.
    let within = plan.total_cost <= max_cost;
    if !within {
        let cost = plan.total_cost.round();
        return Err(refused(format!(
            "the planner's cost of the sample is {cost}, over the limit of {max_cost}"
        )));
    }
    Ok(())
}

fn query_id(bound: &[BoundParameter], approved: &ApprovedAction) -> Option<i64> {
    let name = &approved
        .action()
        .parameters
        .iter()
        .find(|p| p.facet == Facet::QueryId)?
        .name;
    match bound.iter().find(|b| b.name == *name)?.value {
        BoundValue::QueryId { value } => Some(value),
        _ => None,
    }
}

/// The sample's values as literals: `standard_conforming_strings` is on, so a doubled quote is all that a literal needs.
fn arguments(values: &[Option<String>]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let literal = |value: &Option<String>| match value {
        Some(text) => format!("'{}'", text.replace('\'', "''")),
        None => "NULL".to_owned(),
    };
    format!("({})", values.iter().map(literal).collect::<Vec<_>>().join(", "))
}
