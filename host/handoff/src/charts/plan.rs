//! The plan: a row for each node, with its share of the time (or of the cost, if it was not executed) as a bar.

use super::latency::rounded;
use super::{figure, fill, indent, left_out, source, strip, table};
use crate::markup::Markup;
use crate::page::{ITEMS, link, outside};
use crate::text::{duration, number, share};
use crate::tree::{self, Place};
use crate::{Packet, PlanNode};

const ROWS: usize = 80;
/// Estimates that are this many times off are worth a badge.
const OFF: f64 = 10.0;

/// What a bar is a share of.
struct Weights {
    /// Of each node with all below it.
    whole: Vec<f64>,
    /// Of each node alone.
    own: Vec<f64>,
    all: f64,
    of_time: bool,
}

impl Weights {
    fn of(nodes: &[PlanNode]) -> Self {
        let of_time = nodes.iter().any(|n| n.total_us.is_some());
        let weight = |n: &PlanNode| {
            let value = if of_time {
                n.total_us.unwrap_or(0) as f64
            } else {
                n.total_cost
            };
            if value.is_finite() { value.max(0.0) } else { 0.0 }
        };
        let whole: Vec<f64> = nodes.iter().map(weight).collect();
        let mut own = whole.clone();
        for (i, node) in nodes.iter().enumerate() {
            if let Some(up) = node.parent.filter(|p| *p < i).and_then(|p| own.get_mut(p)) {
                *up = (*up - whole.get(i).copied().unwrap_or(0.0)).max(0.0);
            }
        }
        let all = whole.iter().copied().fold(0.0, f64::max);
        Self {
            whole,
            own,
            all,
            of_time,
        }
    }

    fn share(&self, of: &[f64], index: usize) -> f64 {
        if self.all > 0.0 {
            of.get(index).copied().unwrap_or(0.0) / self.all
        } else {
            0.0
        }
    }
}

/// The tree; nothing if no plan was looked at.
pub(crate) fn plan(m: &mut Markup, packet: &Packet) {
    let nodes = &packet.plan;
    if nodes.is_empty() {
        return;
    }
    let parents: Vec<Option<usize>> = nodes.iter().map(|n| n.parent).collect();
    let places = tree::order(&parents, false);
    let weights = Weights::of(nodes);
    let what = if weights.of_time { "time" } else { "estimated cost" };
    let caption = format!(
        "A bar is the node’s share of the {what}: dark its own, light with all below it. Figures are over all loops."
    );
    figure(m, "chart-plan", "The plan that was looked at last", &caption, |m| {
        m.el("ol", &[("class", "tree")], |m| {
            for place in places.iter().take(ROWS) {
                if let Some(node) = nodes.get(place.index) {
                    row(m, packet, &weights, node, place);
                }
            }
        });
        left_out(m, ROWS, places.len(), "node");
        figures(m, nodes, &places);
        source(m, packet, packet.sources.plan);
    });
}

fn row(m: &mut Markup, packet: &Packet, weights: &Weights, node: &PlanNode, place: &Place) {
    let named: Vec<usize> = node
        .insights
        .iter()
        .copied()
        .filter(|i| *i < packet.insights.len().min(ITEMS))
        .collect();
    let mut class = indent(place.depth);
    if !named.is_empty() {
        class.push_str(" named");
    }
    m.el("li", &[("class", &class)], |m| {
        m.el("p", &[("class", "row-head")], |m| {
            m.line("strong", &[], &node.node_type);
            if let Some(relation) = &node.relation {
                m.text(" on ");
                outside(m, &relation.text);
            }
            if let Some((badge, _)) = estimate(node) {
                m.text(" ");
                m.line("span", &[("class", "badge high")], &badge);
            }
            for insight in &named {
                m.text(" ");
                link(
                    m,
                    &format!("insight-{}", insight + 1),
                    &format!("⚑ insight {}", insight + 1),
                );
            }
            if place.depth > super::DEEPEST {
                m.text(&format!(" · level {}", place.depth + 1));
            }
        });
        let (own, whole) = (
            weights.share(&weights.own, place.index),
            weights.share(&weights.whole, place.index),
        );
        let part = share(own);
        let mut said = match node.total_us {
            Some(us) => format!("{}, {part} of the time in itself", duration(us)),
            None if weights.of_time => "never executed".to_owned(),
            None => format!("cost {}, {part} of it its own", number(node.total_cost)),
        };
        said.push_str(&format!(" · {}", rows(node)));
        if let Some(removed) = node.rows_removed_by_filter.filter(|n| *n > 0) {
            said.push_str(&format!(" · its filter threw away {} rows", number(removed as f64)));
        }
        m.line("p", &[("class", "note")], &said);
        strip(m, 12, &format!("{}: {part} in itself", node.node_type), &said, |m| {
            fill(m, "track", 3, 6, 1.0);
            fill(m, "whole", 1, 10, whole);
            fill(m, "own", 1, 10, own);
        });
    });
}

fn rows(node: &PlanNode) -> String {
    match node.actual_rows {
        Some(1.0) => format!("1 row, {} estimated", number(node.plan_rows)),
        Some(actual) => format!("{} rows, {} estimated", number(actual), number(node.plan_rows)),
        None => format!("{} rows estimated", number(node.plan_rows)),
    }
}

/// How far the estimate is off, if it is: in words, and as a ratio.
fn estimate(node: &PlanNode) -> Option<(String, f64)> {
    let actual = node.actual_rows.filter(|n| n.is_finite())?.max(1.0);
    let planned = if node.plan_rows.is_finite() {
        node.plan_rows.max(1.0)
    } else {
        return None;
    };
    let (ratio, word) = if actual >= planned {
        (actual / planned, "few")
    } else {
        (planned / actual, "many")
    };
    (ratio >= OFF).then(|| {
        (
            format!("estimated {} times too {word} rows", number(rounded(ratio))),
            ratio,
        )
    })
}

fn figures(m: &mut Markup, nodes: &[PlanNode], places: &[Place]) {
    let columns = [
        "#Level",
        "Node",
        "Relation",
        "#Time",
        "#Cost",
        "#Rows",
        "#Estimated",
        "#Thrown away",
    ];
    table(m, "The plan", &columns, |m| {
        for place in places.iter().take(ROWS) {
            let Some(node) = nodes.get(place.index) else { continue };
            m.el("tr", &[], |m| {
                m.line("td", &[("class", "n")], &(place.depth + 1).to_string());
                m.line("td", &[], &node.node_type);
                m.el("td", &[], |m| node.relation.iter().for_each(|r| outside(m, &r.text)));
                m.line("td", &[("class", "n")], &node.total_us.map_or("–".to_owned(), duration));
                m.line("td", &[("class", "n")], &number(node.total_cost));
                m.line(
                    "td",
                    &[("class", "n")],
                    &node.actual_rows.map_or("–".to_owned(), number),
                );
                m.line("td", &[("class", "n")], &number(node.plan_rows));
                m.line(
                    "td",
                    &[("class", "n")],
                    &node.rows_removed_by_filter.map_or("–".to_owned(), |n| number(n as f64)),
                );
            });
        }
    });
}
