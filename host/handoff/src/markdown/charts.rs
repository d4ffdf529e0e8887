//! What the page draws, as lists, a table and trees of text.

use std::fmt::Write as _;

use super::record;
use super::writer::{Page, code, outside, words_of};
use crate::page::{ITEMS, named};
use crate::text::{count, duration, inline, number, words};
use crate::{Packet, time, tree};

/// Deeper entries of a tree are indented no further.
const DEEPEST: usize = 12;

pub(super) fn times(out: &mut Page, packet: &Packet) {
    if packet.marks.is_empty() {
        return;
    }
    out.heading(2, "When it happened");
    let mut marks: Vec<_> = packet.marks.iter().collect();
    marks.sort_by_key(|m| (m.from_us, m.to_us));
    out.items(
        marks.len(),
        marks.into_iter().map(|m| {
            let lasted = u64::try_from(m.to_us.saturating_sub(m.from_us))
                .ok()
                .filter(|us| *us > 0);
            format!(
                "{}{} {}: {} ({}{})",
                time::instant(m.from_us),
                lasted.map(|us| format!(" for {}", duration(us))).unwrap_or_default(),
                words_of(&words(&m.lane)),
                words_of(&m.label),
                named(m.severity),
                m.record.map(|r| format!(", {}", record(packet, r))).unwrap_or_default()
            )
        }),
    );
}

/// The record that a chart stands on.
fn source(out: &mut Page, packet: &Packet, position: Option<usize>) {
    if let Some(position) = position {
        out.paragraph(format_args!("Stands on {}.", record(packet, position)));
    }
}

pub(super) fn latencies(out: &mut Page, packet: &Packet) {
    if packet.latencies.is_empty() {
        return;
    }
    out.heading(2, "How long statements took");
    source(out, packet, packet.sources.latencies);
    out.table_head(&["", "executions", "total", "p50", "p95", "p99", "maximum", "usual p95"]);
    for (i, l) in packet.latencies.iter().take(ITEMS).enumerate() {
        let mut cells = vec![(i + 1).to_string(), count(l.execution_count)];
        cells.extend([l.total_us, l.p50_us, l.p95_us, l.p99_us, l.max_us].map(duration));
        cells.push(l.baseline_p95_us.map_or("–".to_owned(), duration));
        out.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    out.text.push('\n');
    // Not in the table: a cell would end at a bar within the text.
    for (i, l) in packet.latencies.iter().take(ITEMS).enumerate() {
        out.line(format_args!(
            "{}. {} {}",
            i + 1,
            code(&l.id),
            outside(&l.statement.text)
        ));
    }
    out.text.push('\n');
}

/// A tree as text, in a fence: texts from outside are in quotes.
fn tree(out: &mut Page, parents: &[Option<usize>], widest_first: bool, line: impl Fn(&tree::Place) -> String) {
    let places = tree::order(parents, widest_first);
    let mut text = String::new();
    for place in places.iter().take(ITEMS) {
        let indent = "   ".repeat(place.depth.saturating_sub(1).min(DEEPEST));
        let elbow = if place.depth > 0 { "└─ " } else { "" };
        let _ = writeln!(text, "{indent}{elbow}{}", inline(&line(place)));
    }
    if places.len() > ITEMS {
        let _ = writeln!(
            text,
            "{} more are in the packet's JSON.",
            count((places.len() - ITEMS) as u64)
        );
    }
    out.fence("text", &text);
}

pub(super) fn locks(out: &mut Page, packet: &Packet) {
    if packet.lock_tree.is_empty() {
        return;
    }
    out.heading(2, "Who waited for whom");
    source(out, packet, packet.sources.lock_tree);
    out.paragraph("Whoever is indented waits for the one above. What is in “quotes” is text from outside.");
    let parents: Vec<Option<usize>> = packet.lock_tree.iter().map(|n| n.parent).collect();
    tree(out, &parents, true, |place| {
        let Some(node) = packet.lock_tree.get(place.index) else {
            return String::new();
        };
        let mut line = node.session.clone();
        if place.below > 0 {
            let _ = write!(line, ", blocks {}", place.below);
        }
        for (before, text) in [(", ", &node.state), (", wants ", &node.mode)] {
            if let Some(text) = text {
                let _ = write!(line, "{before}{text}");
            }
        }
        if let Some(relation) = &node.relation {
            let _ = write!(line, " on “{}”", inline(&relation.text));
        }
        if let Some(us) = node.waited_us {
            let _ = write!(line, ", waited {}", duration(us));
        }
        if let Some(statement) = &node.statement {
            let _ = write!(line, ": “{}”", inline(&statement.text));
        }
        line
    });
}

pub(super) fn plan(out: &mut Page, packet: &Packet) {
    if packet.plan.is_empty() {
        return;
    }
    out.heading(2, "The plan that was looked at last");
    source(out, packet, packet.sources.plan);
    let parents: Vec<Option<usize>> = packet.plan.iter().map(|n| n.parent).collect();
    tree(out, &parents, false, |place| {
        let Some(node) = packet.plan.get(place.index) else {
            return String::new();
        };
        let mut line = node.node_type.clone();
        if let Some(relation) = &node.relation {
            let _ = write!(line, " on “{}”", inline(&relation.text));
        }
        let _ = write!(line, ", cost {}", number(node.total_cost));
        if let Some(us) = node.total_us {
            let _ = write!(line, ", {}", duration(us));
        }
        let actual = node.actual_rows.map_or("?".to_owned(), number);
        let _ = write!(line, ", rows {actual} of {} estimated", number(node.plan_rows));
        if let Some(removed) = node.rows_removed_by_filter.filter(|n| *n > 0) {
            let _ = write!(line, ", {} thrown away", count(removed));
        }
        for insight in node.insights.iter().filter(|i| **i < packet.insights.len()) {
            let _ = write!(line, ", insight {}", insight + 1);
        }
        line
    });
}
