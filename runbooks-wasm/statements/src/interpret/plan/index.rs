//! Whether an index on the columns of a scan's filter is worth having: from what the host learnt of the table beside the plan.

use pg_logstats_sdk::{Bytes, Confidence, Count, Insight, InsightId, Message, Outcome, PlanNode, Record};

use super::rules::index_columns;
use crate::{messages, words};

/// The part of the statement's cost at most that has to be left with an index.
const GAIN: f64 = 0.5;
/// A run that reads less of a table is none that an index has to spare, whatever part of it: at the planner's default costs about 1,000, half of them
/// for 512 blocks (`seq_page_cost`), half for some 80 rows in each (`cpu_tuple_cost`, `cpu_operator_cost`), as where only estimates tell that a
/// scan is large. Those are a few milliseconds. 8 MB, below which the server thinks no parallel scan worth its while
/// (`min_parallel_table_scan_size`), would be too much: some ten milliseconds are, a hundred times a second, all that a processor can do.
const SMALL_BYTES: u64 = 4 << 20;
/// What the planner thinks dearer is no matter of size, the narrowest rows allowed for: the condition is dear.
const SMALL_COST: f64 = 2_000.0;

/// What speaks for an index, or against it.
pub(super) struct Judgement {
    pub(super) insight: Insight,
    pub(super) is_worth_it: bool,
}

/// `None` where the host learnt nothing of it.
pub(super) fn judge(outcome: &Outcome, node: &PlanNode, relation: &String) -> Option<Judgement> {
    let facts = facts_of(outcome, node)?;
    let (id, is_worth_it, title, reason) = weigh(&facts, outcome, node, relation)?;
    // What follows from counters since whenever they were reset, or from how often a statement may run, is less certain than what is in the
    // catalogue, or what the planner says.
    let is_certain = ![
        words::INDEX_COSTS_MORE,
        words::INDEX_OF_SMALL_TABLE,
        words::INDEX_NOT_THERE,
    ]
    .contains(&id);
    let confidence = if is_certain {
        Confidence::High
    } else {
        Confidence::Medium
    };
    let insight = Insight::new(id, confidence, title, reason)
        .evidence(node)
        .evidence(relation);
    Some(Judgement { insight, is_worth_it })
}

/// The host asks once for scans of the same table and columns.
fn facts_of<'a>(outcome: &'a Outcome, node: &PlanNode) -> Option<Record<'a>> {
    outcome.records().find(|record| {
        let position = record.count("node").and_then(|n| usize::try_from(n).ok());
        let asked = position.and_then(|position| outcome.plan.get(position));
        asked.is_some_and(|asked| asked.relation == node.relation && index_columns(asked) == index_columns(node))
    })
}

fn weigh(
    facts: &Record<'_>,
    outcome: &Outcome,
    node: &PlanNode,
    relation: &String,
) -> Option<(InsightId, bool, Message, Message)> {
    let (wanted, covered) = (facts.count("column_count")?, facts.count("covered_columns")?);
    if covered >= wanted {
        return Some((
            words::INDEX_ALREADY_THERE,
            false,
            messages::index_there_title(relation),
            messages::index_there_reason(Count(facts.count("indexes")?)),
        ));
    }
    if facts.boolean("is_there_invalid")? {
        return Some((
            words::INDEX_THERE_INVALID,
            false,
            messages::index_invalid_title(relation),
            messages::index_invalid_reason(),
        ));
    }
    if let (Some(before), Some(after)) = (facts.float("cost"), facts.float("hypothetical_cost"))
        && !is_gain(before, after)
    {
        return Some((
            words::INDEX_WITHOUT_GAIN,
            false,
            messages::index_no_gain_title(relation),
            messages::index_no_gain_reason(whole(before), whole(after)),
        ));
    }
    let (written, scanned) = (facts.count("rows_written")?, facts.count("rows_scanned")?);
    // A row costs more to write into an index than to pass in a scan, so here the index cannot pay.
    if scanned < written {
        return Some((
            words::INDEX_COSTS_MORE,
            false,
            messages::index_writes_title(relation),
            messages::index_writes_reason(Count(written), Count(scanned)),
        ));
    }
    if let (Some(size), Some(read)) = (size(facts), bytes_read(facts, outcome, node))
        && read < SMALL_BYTES
        && node.total_cost < SMALL_COST
    {
        return Some((
            words::INDEX_OF_SMALL_TABLE,
            false,
            messages::index_small_title(relation),
            messages::index_small_reason(Bytes(size), Bytes(read), Count(scanned)),
        ));
    }
    for_it(facts, relation, Count(written), Count(scanned))
}

fn for_it(
    facts: &Record<'_>,
    relation: &String,
    written: Count,
    scanned: Count,
) -> Option<(InsightId, bool, Message, Message)> {
    let size = size(facts).map(Bytes);
    if let (Some(before), Some(after)) = (facts.float("cost"), facts.float("hypothetical_cost")) {
        let (before, after) = (whole(before), whole(after));
        let bytes = Bytes(facts.count("hypothetical_bytes")?);
        let reason = match size {
            Some(size) => messages::index_gain_reason(before, after, bytes, size),
            None => messages::index_gain_reason_unanalysed(before, after, bytes),
        };
        let title = messages::index_gain_title(relation);
        return Some((words::INDEX_WITH_GAIN, true, title, reason));
    }
    let distinct = facts.float("distinct_values").map(whole);
    let reason = match (distinct, facts.count("table_rows").map(Count), size) {
        (Some(distinct), Some(rows), Some(size)) => {
            messages::index_facts_reason(distinct, rows, size, written, scanned)
        }
        (None, Some(rows), Some(size)) => messages::index_facts_reason_unseen(rows, size, written, scanned),
        _ => messages::index_facts_reason_unanalysed(written, scanned),
    };
    let title = messages::index_facts_title(relation);
    Some((words::INDEX_NOT_THERE, true, title, reason))
}

/// Of the table; `None` before it was analysed with rows in it.
fn size(facts: &Record<'_>) -> Option<u64> {
    facts.count("size_bytes").filter(|bytes| *bytes > 0)
}

/// What all runs of the scan read, by the rows that they saw: the table may have grown since it was analysed, and the inner side of a loop reads a
/// small one again and again. `None` for a plan that did not run.
fn bytes_read(facts: &Record<'_>, outcome: &Outcome, node: &PlanNode) -> Option<u64> {
    let in_table = facts.count("table_rows").filter(|rows| *rows > 0)?;
    let bytes = size(facts)? as f64 * (rows_seen(outcome, node)? / in_table as f64);
    // A cast of a float saturates.
    (bytes.is_finite() && bytes >= 0.0).then_some(bytes as u64)
}

/// With those of the scans beside it: a partition is small where the table is not.
fn rows_seen(outcome: &Outcome, node: &PlanNode) -> Option<f64> {
    let seen = |node: &PlanNode| {
        node.times_run()?;
        Some(node.actual_rows? + node.rows_removed_by_filter.unwrap_or(0) as f64)
    };
    let own = seen(node)?;
    let is_part = outcome
        .parent_of(node)
        .is_some_and(|parent| parent.node_type.ends_with("Append"));
    if !is_part {
        return Some(own);
    }
    let beside = outcome
        .plan
        .iter()
        .filter(|other| other.parent == node.parent && other.node_type.ends_with("Seq Scan"));
    Some(beside.filter_map(seen).sum())
}

fn is_gain(before: f64, after: f64) -> bool {
    after <= before * GAIN
}

fn whole(figure: f64) -> Count {
    Count(figure.max(0.0).round() as u64)
}
