//! `auto_explain.log_format = text`.
//!
//! ```text
//! Query Text: SELECT …
//! Limit  (cost=0.29..8.31 rows=1 width=8) (actual time=0.010..0.011 rows=1 loops=1)
//!   ->  Index Scan using t_pkey on public.t  (cost=…) (actual …)
//!         Index Cond: (id = 5)
//! ```

use super::{condition, is_node_type, name};
use crate::bytes::{at, decimal, digits, from, labelled, line_end, slice};
use crate::evidence::{LoggedPlanNode, MAX_PLAN_NODES};

/// The query text: between its label and the root, when there is one root.
pub(super) fn query(message: &[u8], start: usize) -> Option<&[u8]> {
    let begin = start + from(message, start).starts_with(b"Query Text: ").then_some(12)?;
    let root = root(message, begin)?;
    let mut end = root.saturating_sub(1);
    // PostgreSQL 16: the values are logged between the two.
    if let Some(parameters) = memchr::memmem::rfind(slice(message, begin, end), b"\nQuery Parameters: ") {
        end = begin + parameters;
    }
    Some(slice(message, begin, end))
}

/// Where the only root begins.
fn root(message: &[u8], start: usize) -> Option<usize> {
    // The query text's own first line is no root, whatever it says.
    let mut position = line_end(message, start) + 1;
    let mut found = None;
    while position < message.len() {
        let end = line_end(message, position);
        if head(slice(message, position, end)).is_some() && at(message, position) != b' ' {
            if found.is_some() {
                return None;
            }
            found = Some(position);
        }
        position = end + 1;
    }
    found
}

/// Node type, relation and index of `Index Scan using i on t  (cost=…`, and where the figures begin.
fn head(line: &[u8]) -> Option<(LoggedPlanNode, usize)> {
    let figures = memchr::memmem::find(line, b"  (cost=").or_else(|| memchr::memmem::find(line, b" (actual "))?;
    let words = std::str::from_utf8(slice(line, 0, figures)).ok()?.trim_end();
    let (words, relation) = match words.split_once(" on ") {
        Some((words, relation)) => (words, Some(relation)),
        None => (words, None),
    };
    let (node_type, index) = match words.split_once(" using ") {
        Some((node_type, index)) => (node_type, Some(index)),
        None => (words, None),
    };
    // What a bitmap index scan is on is the index.
    let (relation, index) = if node_type == "Bitmap Index Scan" {
        (None, relation)
    } else {
        (relation, index)
    };
    // An alias may stand behind.
    let first_name = |text: &str| {
        let end = if text.starts_with('"') {
            text.rfind('"').map(|quote| quote + 1)
        } else {
            text.find(' ')
        };
        let first = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        name(first.trim_matches('"'))
    };
    is_node_type(node_type).then(|| {
        let node = LoggedPlanNode {
            parent: None,
            node_type: node_type.to_owned(),
            relation: relation.map(first_name).filter(|name| !name.is_empty()),
            index: index.map(first_name).filter(|name| !name.is_empty()),
            total_cost: None,
            plan_rows: None,
            actual_rows: None,
            loops: None,
            total_us: None,
            rows_removed_by_filter: None,
            filter: None,
            index_condition: None,
            disk_bytes: None,
            temp_written_blocks: None,
        };
        (node, figures)
    })
}

/// The nodes; none when values or the query text imitate some.
pub(super) fn nodes(message: &[u8], start: usize) -> Option<Vec<LoggedPlanNode>> {
    let mut nodes: Vec<LoggedPlanNode> = Vec::new();
    // Indentation of the open nodes, with their positions.
    let mut open: Vec<(usize, u32)> = Vec::new();
    let mut position = root(message, start)?;
    while position < message.len() && nodes.len() < MAX_PLAN_NODES {
        let end = line_end(message, position);
        let line = slice(message, position, end);
        position = end + 1;
        if line.iter().filter(|byte| **byte == b'\'').count() % 2 == 1 {
            return None;
        }
        let indentation = line.iter().take_while(|byte| **byte == b' ').count();
        let text = from(line, indentation);
        let arrow = text.strip_prefix(b"->  ");
        let is_root = nodes.is_empty();
        match arrow.or(is_root.then_some(text)).and_then(head) {
            Some((mut node, figures)) => {
                read_figures(&mut node, from(arrow.unwrap_or(text), figures))?;
                while open.last().is_some_and(|(other, _)| !is_root && *other >= indentation) {
                    open.pop();
                }
                node.parent = open.last().map(|(_, parent)| *parent);
                if node.parent.is_none() && !is_root {
                    return None;
                }
                open.push((indentation, u32::try_from(nodes.len()).ok()?));
                nodes.push(node);
            }
            // `Planning:`, `JIT:`, `Settings:`, a trigger's times: nothing of a node stands behind.
            None if indentation == 0 => break,
            None => property(nodes.last_mut()?, text),
        }
    }
    Some(nodes)
}

/// `(cost=0.29..8.31 rows=1 width=8) (actual time=0.010..0.011 rows=1.00 loops=1)`.
fn read_figures(node: &mut LoggedPlanNode, text: &[u8]) -> Option<()> {
    let actual = memchr::memmem::find(text, b"(actual ").unwrap_or(text.len());
    let (planned, actual) = (slice(text, 0, actual), from(text, actual));
    // As the server writes them, with two places at most.
    let float = |text: &[u8], label: &str| labelled(text, label, 2).map(|hundredths| hundredths as f64 / 100.0);
    node.plan_rows = float(planned, " rows=");
    node.total_cost = float(planned, "..");
    node.actual_rows = float(actual, " rows=").or_else(|| float(actual, "(actual rows="));
    node.loops = labelled(actual, " loops=", 0);
    if let Some(time) = memchr::memmem::find(actual, b"time=") {
        let dots = memchr::memmem::find(from(actual, time), b"..")?;
        node.total_us = decimal(actual, time + dots + 2, 3).map(|(us, _)| us);
    }
    Some(())
}

fn property(node: &mut LoggedPlanNode, line: &[u8]) {
    let value = |label: &[u8]| line.strip_prefix(label);
    if let Some(text) = value(b"Filter: ") {
        node.filter = condition(text);
    } else if let Some(text) = value(b"Index Cond: ") {
        node.index_condition = condition(text);
    } else if let Some(text) = value(b"Rows Removed by Filter: ") {
        node.rows_removed_by_filter = digits(text, 0).map(|(rows, _)| rows);
    } else if line.starts_with(b"Sort Method: ") {
        node.disk_bytes = labelled(line, "Disk: ", 0).map(|kilobytes| kilobytes.saturating_mul(1_024));
    } else if line.starts_with(b"Batches: ")
        || line.starts_with(b"Buckets: ")
        || line.starts_with(b"Planned Partitions: ")
    {
        let disk_bytes = labelled(line, "Disk Usage: ", 0).map(|kilobytes| kilobytes.saturating_mul(1_024));
        node.disk_bytes = disk_bytes.or(node.disk_bytes);
    } else if let Some(text) = value(b"Buffers: ") {
        let temporary = memchr::memmem::find(text, b"temp ").map(|place| from(text, place));
        node.temp_written_blocks = temporary.and_then(|text| labelled(text, "written=", 0));
    }
}
