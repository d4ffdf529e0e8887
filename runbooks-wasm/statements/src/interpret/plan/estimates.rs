//! Estimates that are far off: what the planner does not know, and what helps.
//!
//! Columns that it takes for independent need statistics of their own. One column alone needs ANALYZE where its figures are old, and a closer
//! ANALYZE where they are new: which of the two, the age of the figures tells, so that is asked first.

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Evidence, Insight, LiveColumn, Outcome, PlanNode, Recommendation,
};

use crate::{messages, offers, words};

/// How wrong an estimate must be.
const MISESTIMATE: f64 = 10.0;
/// The larger of estimated and actual rows must be this large for the error to matter.
const MISESTIMATE_ROWS: f64 = 1_000.0;
/// Statistics target of a column whose figures are too coarse: ten times the server's default.
const TARGET: u32 = 1_000;
/// The part of a table's rows that may change before its figures are old: where autovacuum analyses it by default.
const OLD_SHARE: u64 = 10;

/// An estimate off by ten times or more. Errors grow upwards, so scans come before what is built on them.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let correlated = correlated(outcome);
    misestimate(outcome, correlated.as_ref().map(|(node, _)| *node), actions, assessment);
    if let Some((_, insight)) = correlated {
        assessment.insight(insight);
    }
}

fn misestimate(
    outcome: &Outcome,
    correlated: Option<&PlanNode>,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    let mut off: Vec<(&PlanNode, f64)> = outcome
        .plan
        .iter()
        .filter_map(|node| Some((node, node.misestimate()?)))
        .filter(|(node, factor)| *factor >= MISESTIMATE && matters(node) && !may_have_stopped_early(outcome, node))
        .collect();
    off.sort_by(|(a, a_factor), (b, b_factor)| {
        b.relation
            .is_some()
            .cmp(&a.relation.is_some())
            .then(b_factor.total_cmp(a_factor))
    });
    let Some((node, factor)) = off.first() else { return };
    let actual = node.actual_rows_per_loop().unwrap_or(0.0);
    let mut insight = Insight::new(
        words::ROW_ESTIMATE_OFF,
        Confidence::High,
        messages::estimate_title(Count(*factor as u64), *node),
        messages::estimate_reason(Count(node.plan_rows.round() as u64), Count(actual.round() as u64)),
    );
    for (node, _) in &off {
        insight = insight.evidence(*node);
    }
    let is_correlated = correlated.is_some_and(|other| other.relation == node.relation);
    let figures = match node.filter_columns.as_slice() {
        [column] => offers::figures(actions, column),
        _ => None,
    };
    match (&node.relation, figures) {
        (_, Some(figures)) => assessment.next_action(figures),
        (Some(relation), None) if !is_correlated => insight = insight.recommend(Recommendation::analyze(relation)),
        _ => {}
    }
    assessment.insight(insight);
}

/// The node whose estimate is farthest too low, of those whose condition has two or more columns: the planner multiplies what each lets
/// through. One column alone, or too high an estimate, has other causes.
fn correlated(outcome: &Outcome) -> Option<(&PlanNode, Insight)> {
    let low = outcome.plan.iter().filter_map(too_low);
    let (node, factor, actual) = low.max_by(|(_, a, _), (_, b, _)| a.total_cmp(b))?;
    let relation = node.relation.as_ref()?;
    let statistics = Recommendation::statistics(relation, &node.filter_columns)?;
    // A cast of a float saturates.
    let count = |rows: f64| Count(rows.round() as u64);
    let title = messages::correlated_title(relation, count(factor));
    let columns = Count::of(&node.filter_columns);
    let reason = messages::correlated_reason(columns, count(node.plan_rows), count(actual));
    let insight = Insight::new(words::COLUMNS_CORRELATED, Confidence::Medium, title, reason)
        .evidence(node)
        .evidence(relation);
    Some((node, insight.recommend(statistics)))
}

fn too_low(node: &PlanNode) -> Option<(&PlanNode, f64, f64)> {
    let actual = node.actual_rows_per_loop().filter(|rows| *rows >= MISESTIMATE_ROWS)?;
    let planned = node.plan_rows;
    if !planned.is_finite() || planned < 0.0 || node.filter_columns.len() < 2 {
        return None;
    }
    let factor = actual / planned.max(1.0);
    (factor >= MISESTIMATE).then_some((node, factor, actual))
}

/// The age of the figures of a column that a plan misjudged; says nothing where no column was asked about.
pub(in super::super) fn judge_figures(evidence: &Evidence, outcome: &Outcome, assessment: &mut Assessment) {
    let is_bound = |column: &&LiveColumn| outcome.subjects.contains(&column.id);
    let Some(column) = evidence.live_columns.iter().find(is_bound) else {
        return;
    };
    let Some(row) = outcome.records().next() else { return };
    let rows = row.count("n_live_tup").unwrap_or(0);
    let changed = row.count("n_mod_since_analyze").unwrap_or(0);
    let analysed = row.at("last_analyze").or(row.at("last_autoanalyze"));
    let insight = if analysed.is_none() || changed > rows / OLD_SHARE {
        let reason = match analysed {
            None => messages::never_analysed_reason(),
            Some(_) => messages::old_figures_reason(Count(changed), Count(rows)),
        };
        let title = messages::old_figures_title(&column.id);
        Insight::new(words::COLUMN_FIGURES_OLD, Confidence::High, title, reason)
            .recommend(Recommendation::analyze(&column.relation))
    } else {
        let title = messages::coarse_title(&column.id);
        let reason = messages::coarse_reason(Count(changed), Count(rows));
        Insight::new(words::COLUMN_FIGURES_COARSE, Confidence::Medium, title, reason)
            .recommend(Recommendation::statistics_target(&column.id, TARGET))
    };
    assessment.insight(insight.evidence(&column.id).evidence(&column.relation));
}

fn matters(node: &PlanNode) -> bool {
    node.actual_rows_per_loop()
        .is_some_and(|actual| actual.max(node.plan_rows) >= MISESTIMATE_ROWS)
}

/// Fewer rows than expected are no error below a node that stops when it has enough.
fn may_have_stopped_early(outcome: &Outcome, node: &PlanNode) -> bool {
    if node
        .actual_rows_per_loop()
        .is_some_and(|actual| actual >= node.plan_rows)
    {
        return false;
    }
    let mut above = outcome.parent_of(node);
    // No plan is deeper than it has nodes; a cycle in what we are given ends here.
    for _ in 0..outcome.plan.len() {
        let Some(parent) = above else { return false };
        if matches!(parent.node_type.as_str(), "Limit" | "Merge Join") {
            return true;
        }
        above = outcome.parent_of(parent);
    }
    false
}
