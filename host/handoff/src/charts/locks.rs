//! Who waited for whom: a row for each session, under the one that it waited for, with how long as a bar.

use super::{figure, fill, indent, left_out, source, strip, table};
use crate::markup::Markup;
use crate::page::outside;
use crate::text::{duration, plural};
use crate::tree::{self, Place};
use crate::{LockNode, Packet};

const ROWS: usize = 60;

/// The tree; nothing if nobody waited.
pub(crate) fn locks(m: &mut Markup, packet: &Packet) {
    let nodes = &packet.lock_tree;
    if nodes.is_empty() {
        return;
    }
    let parents: Vec<Option<usize>> = nodes.iter().map(|n| n.parent).collect();
    let places = tree::order(&parents, true);
    let longest = nodes.iter().filter_map(|n| n.waited_us).max().unwrap_or(0);
    let caption = "Whoever is indented waits for the one above. The widest branch comes first; a bar is how long a session waited.";
    figure(m, "chart-locks", "Who waited for whom", caption, |m| {
        m.el("ol", &[("class", "tree")], |m| {
            for place in places.iter().take(ROWS) {
                if let Some(node) = nodes.get(place.index) {
                    session(m, nodes, node, place, longest);
                }
            }
        });
        left_out(m, ROWS, places.len(), "session");
        figures(m, nodes, &places);
        source(m, packet, packet.sources.lock_tree);
    });
}

fn session(m: &mut Markup, nodes: &[LockNode], node: &LockNode, place: &Place, longest: u64) {
    m.el("li", &[("class", &indent(place.depth))], |m| {
        m.el("p", &[("class", "row-head")], |m| {
            m.line("strong", &[], &node.session);
            if place.below > 0 {
                m.text(" ");
                let class = if place.depth == 0 {
                    "badge critical"
                } else {
                    "badge high"
                };
                m.line(
                    "span",
                    &[("class", class)],
                    &format!("blocks {}", plural(place.below, "session", "sessions")),
                );
            }
            if let Some(waited) = node.waited_us {
                m.text(" waited ");
                m.line("strong", &[], &duration(waited));
                m.text(" ·");
            }
            if let Some(state) = &node.state {
                m.text(&format!(" {state}"));
            }
            if let Some(above) = above(nodes, place) {
                m.text(&format!(" · waits for {above}"));
            }
            if let Some(mode) = &node.mode {
                m.text(&format!(" · wants {mode}"));
            }
            if let Some(relation) = &node.relation {
                m.text(" on ");
                outside(m, &relation.text);
            }
            if place.depth > super::DEEPEST {
                m.text(&format!(" · level {}", place.depth + 1));
            }
        });
        if let Some(statement) = &node.statement {
            m.el("p", &[("class", "statement")], |m| outside(m, &statement.text));
        }
        if let Some(waited) = node.waited_us {
            let said = format!("{} waited {}", node.session, duration(waited));
            strip(
                m,
                10,
                &said,
                &format!("the longest wait was {}", duration(longest)),
                |m| {
                    fill(m, "track", 2, 6, 1.0);
                    fill(m, "wait", 0, 10, waited as f64 / longest.max(1) as f64);
                },
            );
        }
    });
}

/// The session that it waits for. At the top stands who waits for nobody.
fn above<'a>(nodes: &'a [LockNode], place: &Place) -> Option<&'a str> {
    if place.depth == 0 {
        return None;
    }
    let parent = nodes.get(place.index)?.parent?;
    nodes.get(parent).map(|n| n.session.as_str())
}

fn figures(m: &mut Markup, nodes: &[LockNode], places: &[Place]) {
    let columns = [
        "Session",
        "Waits for",
        "State",
        "Wants",
        "Relation",
        "#Waited",
        "#Blocks",
        "Statement",
    ];
    table(m, "Who waited for whom", &columns, |m| {
        for place in places.iter().take(ROWS) {
            let Some(node) = nodes.get(place.index) else { continue };
            m.el("tr", &[], |m| {
                m.line("td", &[], &node.session);
                m.line("td", &[], above(nodes, place).unwrap_or("nobody"));
                m.line("td", &[], node.state.as_deref().unwrap_or("–"));
                m.line("td", &[], node.mode.as_deref().unwrap_or("–"));
                m.el("td", &[], |m| node.relation.iter().for_each(|r| outside(m, &r.text)));
                m.line(
                    "td",
                    &[("class", "n")],
                    &node.waited_us.map_or("–".to_owned(), duration),
                );
                m.line("td", &[("class", "n")], &place.below.to_string());
                m.el("td", &[], |m| node.statement.iter().for_each(|s| outside(m, &s.text)));
            });
        }
    });
}
