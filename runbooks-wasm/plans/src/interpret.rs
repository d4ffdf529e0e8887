//! Phase 2: plans that were asked for, and what the server knows of their tables.

mod tables;

use pg_logstats_runbook_statements as statements;
use pg_logstats_runbook_statements::words::{EXPLAIN, EXPLAIN_ANALYZE};
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
        |actions, assessment| judge(evidence, outcome, (role, relation), actions, assessment),
        |actions, assessment| match (family, relation) {
            // A plan that was run shows all that there is to see of the statement.
            (Some(family), _) if did(outcome, EXPLAIN) => {
                assessment.next_action(statements::offers::explain_analyze(actions, family));
            }
            (_, Some(relation)) => look_further(outcome, relation, actions, assessment),
            _ => {}
        },
    )
}

fn did(outcome: &Outcome, action: Action) -> bool {
    outcome.action == action.as_str()
}

fn judge(
    evidence: &Evidence,
    outcome: &Outcome,
    (role, relation): (Option<&String>, Option<&String>),
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    if did(outcome, words::INDEXES) {
        tables::indexes(outcome, assessment);
    } else if did(outcome, EXPLAIN) || did(outcome, EXPLAIN_ANALYZE) {
        statements::judge_plan(outcome, role, actions, assessment);
    } else if let Some(relation) = relation {
        if did(outcome, words::TABLE) {
            tables::statistics(outcome, relation, assessment);
        } else if did(outcome, words::COLUMNS) {
            tables::columns(outcome, relation, assessment);
        }
    } else {
        statements::judge_figures(evidence, outcome, assessment);
    }
}

/// What else there is to see of a table.
fn look_further(outcome: &Outcome, relation: &String, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if did(outcome, words::TABLE) {
        assessment.next_action(offers::indexes(actions, relation));
        assessment.next_action(offers::columns(actions, relation));
    } else if did(outcome, words::COLUMNS) {
        assessment.next_action(offers::table(actions, relation));
    }
}
