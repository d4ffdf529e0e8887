//! The charts of the page: captions are HTML, so that they wrap, and what is drawn is SVG that is as wide as the page. All lengths
//! along an axis are percentages: nothing has to be scaled, and texts keep their size on a telephone.

mod latency;
mod locks;
mod plan;
mod timeline;

use crate::markup::Markup;
use crate::page::record_link;
use crate::text::plural;
use crate::{Packet, Severity};

pub(crate) use latency::latency;
pub(crate) use locks::locks;
pub(crate) use plan::plan;
pub(crate) use timeline::timeline;

/// Where along the axis `share` of 0 to 1 lies: a little is kept free at both ends, so that no mark is cut off.
fn along(share: f64) -> f64 {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    1.5 + share * 97.0
}

fn percent(value: f64) -> String {
    format!("{value:.2}%")
}

/// A chart, its heading and what to know before one looks at it.
fn figure(m: &mut Markup, id: &'static str, heading: &str, caption: &str, inner: impl FnOnce(&mut Markup)) {
    m.el("figure", &[("id", id), ("class", "chart")], |m| {
        m.el("figcaption", &[], |m| {
            m.line("h3", &[], heading);
            m.line("p", &[], caption);
        });
        inner(m);
    });
}

/// The record that a chart stands on.
fn source(m: &mut Markup, packet: &Packet, record: Option<usize>) {
    if let Some(record) = record {
        m.el("p", &[("class", "proof")], |m| {
            m.text("Stands on ");
            record_link(m, packet, record);
        });
    }
}

/// A drawing as wide as the page, `height` pixels high. `title` is read out by screen readers; `description` says what is seen.
fn strip(m: &mut Markup, height: u32, title: &str, description: &str, inner: impl FnOnce(&mut Markup)) {
    let attributes = [
        ("class", "strip"),
        ("width", "100%"),
        ("height", &height.to_string()),
        ("role", "img"),
    ];
    m.el("svg", &attributes, |m| {
        m.line("title", &[], title);
        m.line("desc", &[], description);
        inner(m);
    });
}

/// A horizontal bar from `start` to `end`, shares of the whole width.
fn bar(m: &mut Markup, class: &'static str, y: u32, height: u32, start: f64, end: f64) {
    let (start, end) = (along(start), along(end));
    m.void(
        "rect",
        &[
            ("class", class),
            ("x", &percent(start)),
            ("y", &y.to_string()),
            ("width", &percent((end - start).max(0.35))),
            ("height", &height.to_string()),
            ("rx", "2"),
        ],
    );
}

/// A bar from the left edge, `share` of the whole width: for a tree, whose bars stand under texts and on no axis.
fn fill(m: &mut Markup, class: &'static str, y: u32, height: u32, share: f64) {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    m.void(
        "rect",
        &[
            ("class", class),
            ("x", "0"),
            ("y", &y.to_string()),
            ("width", &percent(share * 100.0)),
            ("height", &height.to_string()),
            ("rx", "2"),
        ],
    );
}

/// A vertical line at `share`.
fn vertical(m: &mut Markup, class: &'static str, share: f64, top: u32, bottom: u32) {
    let x = percent(along(share));
    m.void(
        "line",
        &[
            ("class", class),
            ("x1", &x),
            ("x2", &x),
            ("y1", &top.to_string()),
            ("y2", &bottom.to_string()),
        ],
    );
}

/// The line of an axis's labels. `ticks` are shares and labels.
fn axis(m: &mut Markup, title: &str, ticks: &[(f64, String)]) {
    let labels: Vec<&str> = ticks.iter().map(|(_, label)| label.as_str()).collect();
    strip(m, 20, title, &labels.join(", "), |m| {
        for (share, label) in ticks {
            let anchor = match share {
                ..0.08 => "start",
                0.92.. => "end",
                _ => "middle",
            };
            let x = percent(along(*share));
            m.line(
                "text",
                &[("class", "tick"), ("x", &x), ("y", "14"), ("text-anchor", anchor)],
                label,
            );
        }
    });
}

/// A chart's figures in a table: for who does not see the chart, and for who wants them exactly. A column of numbers is named with
/// `#` before it.
fn table(m: &mut Markup, name: &str, columns: &[&str], rows: impl FnOnce(&mut Markup)) {
    m.el("details", &[("class", "figures")], |m| {
        m.line("summary", &[], &format!("{name}: the figures as a table"));
        let label = format!("{name}, a table that can be scrolled");
        m.el(
            "div",
            &[
                ("class", "scroll"),
                ("role", "region"),
                ("tabindex", "0"),
                ("aria-label", &label),
            ],
            |m| {
                m.el("table", &[], |m| {
                    m.line("caption", &[("class", "unseen")], name);
                    m.el("thead", &[], |m| {
                        m.el("tr", &[], |m| {
                            for column in columns {
                                // Above numbers, which stand on the right.
                                match column.strip_prefix('#') {
                                    Some(name) => m.line("th", &[("scope", "col"), ("class", "n")], name),
                                    None => m.line("th", &[("scope", "col")], column),
                                }
                            }
                        });
                    });
                    m.el("tbody", &[], rows);
                });
            },
        );
    });
}

/// Says that not everything is shown, if so.
fn left_out(m: &mut Markup, shown: usize, all: usize, what: &str) {
    if all > shown {
        let rest = plural(all - shown, what, &format!("{what}s"));
        m.line(
            "p",
            &[("class", "note")],
            &format!("Not shown: {rest} more. They are in the packet’s JSON."),
        );
    }
}

/// The class that gives a mark its colour.
fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// How deep a row of a tree is indented. Deeper ones stand under one another, and their level is said.
const DEEPEST: usize = 8;

fn indent(depth: usize) -> String {
    format!("node depth-{}", depth.min(DEEPEST))
}
