//! EXPLAIN's JSON to plan nodes.
//!
//! **In**: the text of `EXPLAIN (FORMAT JSON)`. **Out**: [`PlanNode`]s, parents before children. **Trusted**: nothing: node types are
//! checked to be words, figures to be numbers, and from conditions every value is removed. Output lists, which hold expressions of
//! the statement, are never read. **Can fail**: when it is not such a text, or larger than the limits here.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::statement::{Scanned, compared_columns, without_values};
use crate::outcome::{PlanNode, RelationName};

/// Most nodes of a plan; one with more tells a reader nothing.
const MAX_NODES: usize = 2_000;
/// Longest condition, in characters.
const MAX_CONDITION_CHARS: usize = 1_000;

/// A plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) nodes: Vec<PlanNode>,
    /// The planner's cost of the whole.
    pub(super) total_cost: f64,
    /// The query id that the server gives the statement, where it computes them.
    pub(super) query_id: Option<i64>,
}

/// Why a text is no plan; ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlanError {
    #[error("the server's plan is not understood, or nested too deeply")]
    NotAPlan,
    #[error("the plan has more than {MAX_NODES} nodes")]
    TooManyNodes,
}

/// The members of a plan node whose text is a condition or a key.
const CONDITIONS: [&str; 16] = [
    "Filter",
    "Join Filter",
    "Index Cond",
    "Recheck Cond",
    "Hash Cond",
    "Merge Cond",
    "TID Cond",
    "One-Time Filter",
    "Order By",
    "Sort Key",
    "Presorted Key",
    "Group Key",
    "Cache Key",
    "Run Condition",
    "Conflict Filter",
    "Function Call",
];

/// Reads the text.
pub(super) fn read(json: &str) -> Result<Plan, PlanError> {
    let value: Value = serde_json::from_str(json).map_err(|_| PlanError::NotAPlan)?;
    let whole = value.get(0).and_then(Value::as_object).ok_or(PlanError::NotAPlan)?;
    let root = whole
        .get("Plan")
        .and_then(Value::as_object)
        .ok_or(PlanError::NotAPlan)?;
    let mut nodes = Vec::new();
    add(root, None, &mut nodes)?;
    let total_cost = nodes.first().map(|n| n.total_cost).ok_or(PlanError::NotAPlan)?;
    // Nodes are not timed one by one, which would slow the statement down; the whole is.
    if let (Some(first), Some(ms)) = (nodes.first_mut(), number(whole, "Execution Time")) {
        first.total_us = Some(whole_number(ms * 1_000.0));
    }
    let query_id = whole.get("Query Identifier").and_then(Value::as_i64);
    Ok(Plan {
        nodes,
        total_cost,
        query_id,
    })
}

/// Adds the node and all below it. Recursion is as deep as the JSON parser allows: 128 levels, two for each node.
fn add(node: &Map<String, Value>, parent: Option<u32>, nodes: &mut Vec<PlanNode>) -> Result<(), PlanError> {
    if nodes.len() >= MAX_NODES {
        return Err(PlanError::TooManyNodes);
    }
    let position = u32::try_from(nodes.len()).map_err(|_| PlanError::TooManyNodes)?;
    nodes.push(read_node(node, parent)?);
    for child in node
        .get("Plans")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        add(child.as_object().ok_or(PlanError::NotAPlan)?, Some(position), nodes)?;
    }
    Ok(())
}

fn read_node(node: &Map<String, Value>, parent: Option<u32>) -> Result<PlanNode, PlanError> {
    let text = |key: &str| node.get(key).and_then(Value::as_str);
    let count = |key: &str| number(node, key).map(whole_number);
    let loops = count("Actual Loops");
    // The server prints rows as the mean of the loops.
    #[expect(clippy::cast_precision_loss, reason = "2^53 loops are not reached")]
    let over_loops = |key: &str| Some(number(node, key)? * loops.unwrap_or(1) as f64);
    let relation = text("Relation Name").map(|name| RelationName {
        schema: text("Schema").map(str::to_owned),
        name: name.to_owned(),
    });
    let alias = text("Alias").or_else(|| text("Relation Name"));
    let node_type = text("Node Type").filter(|t| is_words(t)).ok_or(PlanError::NotAPlan)?;
    let scan = Scanned {
        alias,
        // A join is a condition of the join, not of a sequential scan below it.
        is_for_outer_rows: node_type.ends_with("Seq Scan"),
    };
    let compared_in = |key: &str| match (&relation, text(key)) {
        (Some(_), Some(condition)) => compared_columns(condition, scan),
        _ => Vec::new(),
    };
    let filter_columns = compared_in("Filter");
    let mut index_columns = compared_in("Index Cond");
    for column in compared_in("Recheck Cond") {
        if !index_columns.contains(&column) {
            index_columns.push(column);
        }
    }
    Ok(PlanNode {
        parent,
        node_type: node_type.to_owned(),
        relation,
        filter_columns,
        index_columns,
        conditions: CONDITIONS
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), condition(node.get(*key)?))))
            .collect(),
        total_cost: number(node, "Total Cost").unwrap_or(0.0),
        plan_rows: number(node, "Plan Rows").unwrap_or(0.0),
        actual_rows: over_loops("Actual Rows"),
        loops,
        total_us: over_loops("Actual Total Time").map(|ms| whole_number(ms * 1_000.0)),
        rows_removed_by_filter: over_loops("Rows Removed by Filter").map(whole_number),
        heap_fetches: count("Heap Fetches"),
        shared_hit_blocks: count("Shared Hit Blocks"),
        shared_read_blocks: count("Shared Read Blocks"),
        temp_read_blocks: count("Temp Read Blocks"),
        temp_written_blocks: count("Temp Written Blocks"),
        disk_bytes: disk_bytes(node),
    })
}

/// What a sort, hash aggregate or materialisation wrote to disk, its parallel workers included.
fn disk_bytes(node: &Map<String, Value>) -> Option<u64> {
    let of = |node: &Map<String, Value>| -> Option<u64> {
        let on_disk = |kind: &str| node.get(kind).and_then(Value::as_str) == Some("Disk");
        let kb = if on_disk("Sort Space Type") {
            number(node, "Sort Space Used")?
        } else if on_disk("Storage") {
            number(node, "Maximum Storage")?
        } else {
            number(node, "Disk Usage").filter(|kb| *kb > 0.0)?
        };
        Some(whole_number(kb * 1024.0))
    };
    let workers = node
        .get("Workers")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let parts: Vec<u64> = of(node)
        .into_iter()
        .chain(workers.iter().filter_map(Value::as_object).filter_map(of))
        .collect();
    (!parts.is_empty()).then(|| parts.iter().fold(0, |sum: u64, part| sum.saturating_add(*part)))
}

/// A condition, or a list of keys, without values.
fn condition(value: &Value) -> String {
    let shown = match value {
        Value::String(text) => without_values(text),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .map(without_values)
            .collect::<Vec<_>>()
            .join(", "),
        _ => "?".to_owned(),
    };
    if shown.chars().count() <= MAX_CONDITION_CHARS {
        shown
    } else {
        shown.chars().take(MAX_CONDITION_CHARS).chain(['…']).collect()
    }
}

/// A figure, if it is one that means anything.
fn number(node: &Map<String, Value>, key: &str) -> Option<f64> {
    node.get(key)
        .and_then(Value::as_f64)
        .filter(|n| n.is_finite() && *n >= 0.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "finite and at least 0; `as` saturates"
)]
fn whole_number(n: f64) -> u64 {
    n.round() as u64
}

/// `Seq Scan`, `Bitmap Heap Scan`, …
fn is_words(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b' ' || b == b'-')
}
