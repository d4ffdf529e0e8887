//! Columns that the planner takes for independent, and that are not.

use pg_logstats_sdk::{Assessment, Confidence, Count, Insight, NextAction, Outcome, PlanNode, Recommendation};

use crate::{messages, words};

/// How far too low an estimate must be.
const FACTOR: f64 = 10.0;
/// Rows that a node must have returned each time for that to matter.
const ROWS: f64 = 1_000.0;

/// The node whose estimate is farthest too low, of those whose filter has two or more columns: the planner multiplies what each lets
/// through. One column alone, or too high an estimate, has other causes.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let low = outcome.plan.iter().filter_map(too_low);
    let Some((node, factor, actual)) = low.max_by(|(_, a, _), (_, b, _)| a.total_cmp(b)) else {
        return;
    };
    let Some(relation) = &node.relation else { return };
    let Some(statistics) = Recommendation::statistics(relation, &node.filter_columns) else {
        return;
    };
    // A cast of a float saturates.
    let count = |rows: f64| Count(rows.round() as u64);
    let title = messages::correlated_title(relation, count(factor));
    let reason = messages::correlated_reason(Count::of(&node.filter_columns), count(node.plan_rows), count(actual));
    let insight = Insight::new(words::COLUMNS_CORRELATED, Confidence::Medium, title, reason)
        .evidence(node)
        .evidence(relation)
        .recommend(statistics);
    assessment.insight(insight);
    let (label, reason) = (
        messages::decide_statistics_label(relation),
        messages::decide_statistics_reason(),
    );
    assessment.next_action(NextAction::prompt_user(label, reason));
}

fn too_low(node: &PlanNode) -> Option<(&PlanNode, f64, f64)> {
    let actual = node.actual_rows_per_loop().filter(|rows| *rows >= ROWS)?;
    let planned = node.plan_rows;
    if !planned.is_finite() || planned < 0.0 || node.filter_columns.len() < 2 {
        return None;
    }
    let factor = actual / planned.max(1.0);
    (factor >= FACTOR).then_some((node, factor, actual))
}
