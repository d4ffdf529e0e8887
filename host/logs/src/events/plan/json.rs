//! `auto_explain.log_format = json`.

use serde::Deserialize;

use super::{condition, is_node_type, name};
use crate::evidence::{LoggedPlanNode, MAX_PLAN_NODES};

/// Deepest tree; serde_json itself stops at 128 levels, of which a node takes two.
const MAX_DEPTH: usize = 48;

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "Query Text")]
    query_text: Option<String>,
}

#[derive(Deserialize)]
struct Tree {
    #[serde(rename = "Plan")]
    plan: Option<Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "Node Type")]
    node_type: String,
    #[serde(rename = "Relation Name")]
    relation: Option<String>,
    #[serde(rename = "Index Name")]
    index: Option<String>,
    #[serde(rename = "Total Cost")]
    total_cost: Option<f64>,
    #[serde(rename = "Plan Rows")]
    plan_rows: Option<f64>,
    #[serde(rename = "Actual Rows")]
    actual_rows: Option<f64>,
    /// Written as a float by PostgreSQL 10 to 18.
    #[serde(rename = "Actual Loops")]
    loops: Option<f64>,
    #[serde(rename = "Actual Total Time")]
    total_ms: Option<f64>,
    #[serde(rename = "Rows Removed by Filter")]
    rows_removed_by_filter: Option<f64>,
    #[serde(rename = "Filter")]
    filter: Option<String>,
    #[serde(rename = "Index Cond")]
    index_condition: Option<String>,
    #[serde(rename = "Sort Space Type")]
    sort_space_type: Option<String>,
    #[serde(rename = "Sort Space Used")]
    sort_space_kilobytes: Option<u64>,
    /// A hash's or an aggregate's.
    #[serde(rename = "Disk Usage")]
    disk_kilobytes: Option<u64>,
    #[serde(rename = "Temp Written Blocks")]
    temp_written_blocks: Option<u64>,
    #[serde(rename = "Plans", default)]
    plans: Vec<Node>,
}

/// The query text of a plan. The tree is passed over: few are kept.
pub(super) fn query(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Head>(body).ok()?.query_text
}

pub(super) fn nodes(body: &[u8]) -> Vec<LoggedPlanNode> {
    let mut nodes = Vec::new();
    if let Ok(Tree { plan: Some(root) }) = serde_json::from_slice(body) {
        add(root, None, 0, &mut nodes);
    }
    nodes
}

fn add(node: Node, parent: Option<u32>, depth: usize, nodes: &mut Vec<LoggedPlanNode>) {
    if nodes.len() >= MAX_PLAN_NODES || depth > MAX_DEPTH || !is_node_type(&node.node_type) {
        return;
    }
    let position = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let children = node.plans;
    let on_disk = node.sort_space_type.as_deref() == Some("Disk");
    let disk_kilobytes = node.disk_kilobytes.or(node.sort_space_kilobytes.filter(|_| on_disk));
    nodes.push(LoggedPlanNode {
        parent,
        node_type: node.node_type,
        relation: node.relation.as_deref().map(name),
        index: node.index.as_deref().map(name),
        total_cost: node.total_cost,
        plan_rows: node.plan_rows,
        actual_rows: node.actual_rows,
        loops: node.loops.map(whole),
        total_us: node.total_ms.map(|ms| whole(ms * 1_000.0)),
        rows_removed_by_filter: node.rows_removed_by_filter.map(whole),
        filter: node.filter.as_deref().and_then(|text| condition(text.as_bytes())),
        index_condition: node
            .index_condition
            .as_deref()
            .and_then(|text| condition(text.as_bytes())),
        disk_bytes: disk_kilobytes
            .filter(|size| *size > 0)
            .map(|size| size.saturating_mul(1_024)),
        temp_written_blocks: node.temp_written_blocks,
    });
    for child in children {
        add(child, Some(position), depth + 1, nodes);
    }
}

/// Rounds; what is no number of that range is the nearest end of it.
fn whole(number: f64) -> u64 {
    number.round() as u64
}
