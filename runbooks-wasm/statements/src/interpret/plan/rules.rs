//! What makes a plan slow, each rule with its thresholds.

use pg_logstats_sdk::{Assessment, Confidence, Count, Insight, Outcome, PlanNode, Ratio, Recommendation};

use super::index;
use crate::{messages, words};

/// Insights of one rule, at most: the worst nodes.
const PER_RULE: usize = 3;
/// Rows that a scan must have thrown away.
const SCAN_REMOVED_ROWS: u64 = 10_000;
/// The largest part that a selective filter keeps.
const SCAN_KEPT: f64 = 0.05;
/// Estimated cost from which a scan is large: about 4 MB of rows of 100 bytes.
const SCAN_COST: f64 = 1_000.0;
/// Columns of a recommended index, at most: more seldom make it better.
const INDEX_COLUMNS: usize = 4;
/// Runs of a nested loop's inner side.
const INNER_RUNS: u64 = 10_000;
/// Estimated runs, when there are no actual ones.
const INNER_RUNS_ESTIMATED: f64 = 100_000.0;
/// The part of the join's time that its inner side must have taken.
const INNER_SHARE: f64 = 0.5;
/// Visits to the table by an index-only scan.
const HEAP_FETCHES: u64 = 1_000;

/// A sequential scan of which the filter keeps little.
struct Scan<'a> {
    node: &'a PlanNode,
    relation: &'a String,
    weight: u64,
    /// What it kept, and how often it ran; `None` where only estimates tell.
    seen: Option<(Ratio, Count)>,
}

/// A sequential scan over many rows of which the filter keeps few; an index, when the filter's columns are known and nothing that the
/// host learnt of the table speaks against it.
pub(super) fn selective_scan(outcome: &Outcome, assessment: &mut Assessment) {
    let mut found: Vec<Scan<'_>> = outcome.plan.iter().filter_map(scan).collect();
    found.sort_by_key(|scan| std::cmp::Reverse(scan.weight));
    for scan in found.into_iter().take(PER_RULE) {
        let judgement = index::judge(outcome, scan.node, scan.relation);
        let is_advised = judgement.as_ref().is_none_or(|judgement| judgement.is_worth_it);
        let advice = Recommendation::index(scan.relation, index_columns(scan.node)).filter(|_| is_advised);
        let is_blind = advice.is_some() && judgement.is_none();
        let insight = scan_insight(&scan, is_blind);
        assessment.insight(match advice {
            Some(advice) => insight.recommend(advice),
            None => insight,
        });
        if let Some(judgement) = judgement {
            assessment.insight(judgement.insight);
        }
    }
}

/// The columns that an index on the columns of the node's filter would have.
pub(super) fn index_columns(node: &PlanNode) -> &[String] {
    node.filter_columns.get(..INDEX_COLUMNS).unwrap_or(&node.filter_columns)
}

fn scan(node: &PlanNode) -> Option<Scan<'_>> {
    let relation = node
        .relation
        .as_ref()
        .filter(|_| node.node_type.ends_with("Seq Scan"))?;
    let (weight, seen) = match (node.times_run(), node.rows_removed_by_filter) {
        (Some(runs), Some(removed)) => {
            let kept = node.actual_rows.filter(|rows| rows.is_finite() && *rows >= 0.0)?;
            let kept = kept / (kept + removed as f64).max(1.0);
            if removed < SCAN_REMOVED_ROWS || kept > SCAN_KEPT {
                return None;
            }
            (removed, Some((Ratio::new(kept)?, Count(runs))))
        }
        // It ran, and its filter removed nothing.
        (Some(_), None) => return None,
        (None, _) => {
            // `rows * 10 <= cost` also means that the scan itself, not what is done with its rows, is what costs.
            let is_selective = node.total_cost >= SCAN_COST && node.plan_rows * 10.0 <= node.total_cost;
            if !is_selective || node.filter_columns.is_empty() {
                return None;
            }
            (node.total_cost as u64, None)
        }
    };
    Some(Scan {
        node,
        relation,
        weight,
        seen,
    })
}

/// Advice that follows from the plan alone `is_blind`: of an index that is there, of writes and of the table's size it knows nothing, so that it is
/// less sure than the scan.
fn scan_insight(scan: &Scan<'_>, is_blind: bool) -> Insight {
    let (node, relation) = (scan.node, scan.relation);
    let (confidence, title, reason) = match scan.seen {
        Some((kept, runs)) => {
            let title = messages::scan_title(relation, Count(scan.weight));
            if is_blind {
                (Confidence::Medium, title, messages::scan_reason_blind(kept, runs))
            } else {
                (Confidence::High, title, messages::scan_reason(kept, runs))
            }
        }
        None => {
            let rows = Count(node.plan_rows.max(0.0) as u64);
            let reason = if is_blind {
                messages::scan_estimate_reason_blind(rows)
            } else {
                messages::scan_estimate_reason(rows)
            };
            (Confidence::Low, messages::scan_estimate_title(relation), reason)
        }
    };
    Insight::new(words::SELECTIVE_SEQUENTIAL_SCAN, confidence, title, reason)
        .evidence(node)
        .evidence(relation)
}

/// A nested loop whose inner side runs very often and takes the time.
pub(super) fn nested_loop(outcome: &Outcome, assessment: &mut Assessment) {
    let joins = outcome
        .plan
        .iter()
        .enumerate()
        .filter(|(_, node)| node.node_type == "Nested Loop");
    let mut found: Vec<(u64, Insight)> = joins
        .filter_map(|(position, join)| nested_loop_insight(outcome, position, join))
        .collect();
    found.sort_by_key(|(runs, _)| std::cmp::Reverse(*runs));
    found
        .into_iter()
        .take(PER_RULE)
        .for_each(|(_, insight)| assessment.insight(insight));
}

fn nested_loop_insight(outcome: &Outcome, position: usize, join: &PlanNode) -> Option<(u64, Insight)> {
    let mut children = outcome.children_of(position);
    let (outer, inner) = (children.next()?, children.next()?);
    let Some(runs) = inner.times_run() else {
        let is_estimate = outer.times_run().is_none() && join.times_run().is_none();
        if !is_estimate || outer.plan_rows.is_nan() || outer.plan_rows < INNER_RUNS_ESTIMATED {
            return None;
        }
        let runs = outer.plan_rows as u64;
        let title = messages::nested_estimate_title(join, Count(runs));
        let reason = messages::nested_reason_unknown();
        let insight = Insight::new(words::NESTED_LOOP_OVER_MANY_ROWS, Confidence::Low, title, reason);
        return Some((runs, insight.evidence(join).evidence(inner)));
    };
    if runs < INNER_RUNS {
        return None;
    }
    let share = match (inner.total_us, join.total_us) {
        (Some(inner_us), Some(join_us)) if join_us > 0 => Some(Ratio::of(inner_us.min(join_us), join_us)),
        _ => None,
    };
    if share.is_some_and(|share| share.value() < INNER_SHARE) {
        return None;
    }
    let reason = share.map_or_else(messages::nested_reason_unknown, messages::nested_reason);
    let title = messages::nested_title(join, Count(runs));
    let insight = Insight::new(words::NESTED_LOOP_OVER_MANY_ROWS, Confidence::Medium, title, reason);
    Some((runs, insight.evidence(join).evidence(inner)))
}

/// An index-only scan that had to look at the table after all. VACUUM marks the pages that spare it the look, unless an old transaction keeps it from
/// that, which a plan does not show: so the advice is less sure than what was counted.
pub(super) fn heap_fetches(outcome: &Outcome, assessment: &mut Assessment) {
    let scans = outcome.plan.iter();
    let mut found: Vec<(u64, &PlanNode, &String)> = scans
        .filter_map(|node| Some((node.heap_fetches?, node, node.relation.as_ref()?)))
        .filter(|(fetches, node, _)| {
            // Some fetches are usual on a table that is written to.
            *fetches >= HEAP_FETCHES && (*fetches as f64) >= node.actual_rows.unwrap_or(0.0) / 10.0
        })
        .collect();
    // A table of many partitions has a scan for each.
    found.sort_by_key(|(fetches, ..)| std::cmp::Reverse(*fetches));
    for (fetches, node, relation) in found.into_iter().take(PER_RULE) {
        let (title, reason) = (messages::heap_title(relation, Count(fetches)), messages::heap_reason());
        let insight = Insight::new(words::INDEX_ONLY_SCAN_HEAP_FETCHES, Confidence::Medium, title, reason)
            .evidence(node)
            .evidence(relation);
        assessment.insight(insight.recommend(Recommendation::vacuum(relation, false)));
    }
}
