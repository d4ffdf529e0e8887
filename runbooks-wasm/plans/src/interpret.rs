//! Phase 2: plans that were asked for, and what the server knows of their tables.

mod correlated;
mod tables;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Action, Actions, Assessment, Evidence, InsightId, Outcome, PlanGroup, QueryFamily};

use crate::{offers, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[words::TABLE_UNREMARKABLE, words::INDEXES_FOUND, words::COLUMNS_KNOWN];

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let is_bound = |id: &String| outcome.subjects.contains(id);
    let group: Option<&PlanGroup> = evidence.plans.iter().find(|group| is_bound(&group.id));
    // The family among the bound subjects, or that of the bound group of plans.
    let bound: Option<&QueryFamily> = evidence.families.iter().find(|family| is_bound(&family.id));
    let family = bound.or_else(|| evidence.family(&group?.family));
    let role = family.and_then(|family| family.dimensions.user.as_ref());
    // Only what a plan of the logs reads is a table of ours; other subjects may be of any kind.
    let mut nodes = evidence.plans.iter().flat_map(|group| &group.slowest_plan);
    let relation = nodes.find_map(|node| node.relation.as_ref().filter(|relation| is_bound(relation)));
    statements::frame(
        outcome,
        actions,
        NOTHING,
        |actions, assessment| judge(outcome, role, relation, actions, assessment),
        |actions, assessment| match (family, relation) {
            (Some(family), _) => statements::look_further(outcome, family, actions, assessment),
            (None, Some(relation)) => look_further(outcome, relation, actions, assessment),
            (None, None) => {}
        },
    )
}

fn judge(
    outcome: &Outcome,
    role: Option<&String>,
    relation: Option<&String>,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let did = |action: Action| outcome.action == action.as_str();
    if did(words::INDEXES) {
        tables::indexes(outcome, assessment);
    } else if did(words::TABLE) || did(words::COLUMNS) {
        let Some(relation) = relation else { return };
        if did(words::TABLE) {
            tables::statistics(outcome, relation, assessment);
        } else {
            tables::columns(outcome, relation, assessment);
        }
    } else {
        statements::judge(outcome, role, actions, assessment);
        correlated::judge(outcome, assessment);
    }
}

/// What else there is to see of a table.
fn look_further(outcome: &Outcome, relation: &String, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let did = |action: Action| outcome.action == action.as_str();
    if did(words::TABLE) {
        assessment.next_action(offers::indexes(actions, relation));
        assessment.next_action(offers::columns(actions, relation));
    } else if did(words::COLUMNS) {
        assessment.next_action(offers::table(actions, relation));
    }
}
