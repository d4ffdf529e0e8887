//! When it happened: a lane for each kind of event, one for the actions, and the alert across all of them.

use std::cmp::Reverse;

use super::{along, axis, bar, colour, figure, left_out, percent, strip, table, vertical};
use crate::markup::Markup;
use crate::page::{named, record_link};
use crate::text::{count, duration, plural, words};
use crate::{Mark, Packet, Severity, time};

const LANES: usize = 12;
const TABLE_ROWS: usize = 200;
/// Marks that are nearer to one another than this share of the axis are drawn as one.
const NEAR: f64 = 0.012;
const HEIGHT: u32 = 30;

/// The axis.
struct Scale {
    from: i64,
    to: i64,
}

impl Scale {
    /// From the first to the last instant that anything in the packet has.
    fn of(packet: &Packet) -> Option<Self> {
        let window = packet.window.iter().flat_map(|w| [&w.since, &w.until]);
        let alert = packet.alert.iter().map(|a| &a.starts_at);
        let texts = window.chain(alert).filter_map(|text| time::parse(text));
        let all: Vec<i64> = packet
            .marks
            .iter()
            .flat_map(|m| [m.from_us, m.to_us])
            .chain(texts)
            .collect();
        let (from, to) = (*all.iter().min()?, *all.iter().max()?);
        // A single instant stands in the middle of a minute.
        Some(if from == to {
            Self {
                from: from.saturating_sub(30_000_000),
                to: to.saturating_add(30_000_000),
            }
        } else {
            Self { from, to }
        })
    }

    fn share(&self, at: i64) -> f64 {
        let span = i128::from(self.to) - i128::from(self.from);
        (i128::from(at) - i128::from(self.from)) as f64 / span.max(1) as f64
    }
}

/// Marks that are drawn as one.
struct Drawn<'a> {
    from_us: i64,
    to_us: i64,
    severity: Severity,
    label: &'a str,
    count: usize,
}

impl Drawn<'_> {
    fn title(&self) -> String {
        let label = &self.label;
        let what = match self.count {
            1 => (*label).to_owned(),
            n => format!("{} marks, the first: {label}", count(n as u64)),
        };
        format!("{what} ({}, {})", when(self.from_us, self.to_us), named(self.severity))
    }
}

fn when(from: i64, to: i64) -> String {
    if to > from {
        format!("{}, for {}", time::clock(from), duration(to.abs_diff(from)))
    } else {
        time::clock(from)
    }
}

/// Merges what would be drawn over one another, but never marks that are not equally bad: the worst has to be seen.
fn merged<'a>(marks: &[&'a Mark], scale: &Scale) -> Vec<Drawn<'a>> {
    let mut out: Vec<Drawn<'a>> = Vec::new();
    // A later row is drawn above an earlier one.
    for severity in [Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
        let mut these: Vec<&&Mark> = marks.iter().filter(|m| m.severity == severity).collect();
        these.sort_by_key(|m| (m.from_us, m.to_us));
        let start = out.len();
        for mark in these {
            let last = out.get_mut(start..).and_then(<[_]>::last_mut);
            match last {
                Some(last) if scale.share(mark.from_us) - scale.share(last.to_us) < NEAR => {
                    last.to_us = last.to_us.max(mark.to_us);
                    last.count += 1;
                }
                _ => out.push(Drawn {
                    from_us: mark.from_us,
                    to_us: mark.to_us.max(mark.from_us),
                    severity,
                    label: &mark.label,
                    count: 1,
                }),
            }
        }
    }
    out
}

/// The lanes: the alert's first, the actions' last; between them the worst first, then by when they begin.
fn lanes(packet: &Packet) -> Vec<(&str, Vec<&Mark>)> {
    let mut lanes: Vec<(&str, Vec<&Mark>)> = Vec::new();
    let mut place: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for mark in &packet.marks {
        let at = *place.entry(&mark.lane).or_insert(lanes.len());
        if at == lanes.len() {
            lanes.push((&mark.lane, Vec::new()));
        }
        if let Some((_, marks)) = lanes.get_mut(at) {
            marks.push(mark);
        }
    }
    let first = |marks: &[&Mark]| marks.iter().map(|m| m.from_us).min();
    let worst = |marks: &[&Mark]| Reverse(marks.iter().map(|m| m.severity).max());
    lanes.sort_by_key(|(name, marks)| (*name != "alert", *name == "actions", worst(marks), first(marks)));
    lanes
}

/// The time line; nothing if there are no marks.
pub(crate) fn timeline(m: &mut Markup, packet: &Packet) {
    let Some(scale) = Scale::of(packet) else { return };
    if packet.marks.is_empty() {
        return;
    }
    let ticks: Vec<(f64, String)> = time::ticks(scale.from, scale.to, 5)
        .into_iter()
        .map(|(at, label)| (scale.share(at), label))
        .collect();
    let alert = packet.alert.as_ref().and_then(|a| time::parse(&a.starts_at));
    let mut caption = format!("{} to {} UTC.", time::instant(scale.from), time::instant(scale.to));
    if packet.window.is_some() {
        caption.push_str(" Shaded: what the logs cover.");
    }
    if let Some(at) = alert {
        caption.push_str(&format!(" Dashed line: the alert began at {}.", time::clock(at)));
    }
    let lanes = lanes(packet);
    figure(m, "chart-time", "When it happened", &caption, |m| {
        legend(m);
        axis(m, "Time, UTC", &ticks);
        for (name, marks) in lanes.iter().take(LANES) {
            lane(m, packet, &scale, &ticks, alert, name, marks);
        }
        axis(m, "Time, UTC", &ticks);
        left_out(m, LANES, lanes.len(), "lane");
        figures(m, packet);
    });
}

fn lane(
    m: &mut Markup,
    packet: &Packet,
    scale: &Scale,
    ticks: &[(f64, String)],
    alert: Option<i64>,
    name: &str,
    marks: &[&Mark],
) {
    let drawn = merged(marks, scale);
    m.el("div", &[("class", "row")], |m| {
        m.el("p", &[("class", "row-head")], |m| {
            m.line("strong", &[], &words(name));
            m.text(&format!(" {}", plural(marks.len(), "mark", "marks")));
            let worst = marks
                .iter()
                .max_by_key(|m| (m.severity, m.to_us.saturating_sub(m.from_us)));
            if let Some(worst) = worst {
                let kind = if marks.len() > 1 { "worst: " } else { "" };
                m.text(&format!(
                    " · {kind}{} at {}",
                    worst.label,
                    when(worst.from_us, worst.to_us)
                ));
                if let Some(record) = worst.record {
                    m.text(" ");
                    record_link(m, packet, record);
                }
            }
        });
        let title = format!("{}: {}", words(name), plural(marks.len(), "mark", "marks"));
        let seen: Vec<String> = drawn.iter().rev().take(5).map(Drawn::title).collect();
        strip(m, HEIGHT, &title, &seen.join("; "), |m| {
            background(m, packet, scale);
            for (share, _) in ticks {
                vertical(m, "grid", *share, 0, HEIGHT);
            }
            for drawn in &drawn {
                mark(m, scale, drawn);
            }
            // Above the marks: what began before it and what after it is what one looks for.
            if let Some(at) = alert {
                vertical(m, "alert", scale.share(at), 0, HEIGHT);
            }
        });
    });
}

fn background(m: &mut Markup, packet: &Packet, scale: &Scale) {
    let edges = packet
        .window
        .as_ref()
        .and_then(|w| Some((time::parse(&w.since)?, time::parse(&w.until)?)));
    if let Some((since, until)) = edges {
        bar(m, "window", 0, HEIGHT, scale.share(since), scale.share(until));
    }
}

fn mark(m: &mut Markup, scale: &Scale, drawn: &Drawn<'_>) {
    let (from, to) = (scale.share(drawn.from_us), scale.share(drawn.to_us));
    let class = colour(drawn.severity);
    m.el("g", &[], |m| {
        m.line("title", &[], &drawn.title());
        if to - from < NEAR / 2.0 {
            let x = percent(along((from + to) / 2.0));
            m.el("svg", &[("x", &x), ("y", "15"), ("overflow", "visible")], |m| {
                m.void("path", &[("class", class), ("d", shape(drawn.severity))]);
            });
        } else {
            let height = thickness(drawn.severity);
            bar(m, class, (HEIGHT - height) / 2, height, from, to);
        }
    });
}

/// How bad it is shows in the form as well: the worse, the larger, and the worst two have corners.
fn shape(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "M-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0z",
        Severity::Medium => "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
        Severity::High => "M0 -8L7 0L0 8L-7 0z",
        Severity::Critical => "M0 -12L10 9L-10 9z",
    }
}

fn thickness(severity: Severity) -> u32 {
    match severity {
        Severity::Low => 4,
        Severity::Medium => 10,
        Severity::High => 16,
        Severity::Critical => 24,
    }
}

fn legend(m: &mut Markup) {
    m.el("p", &[("class", "legend")], |m| {
        for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
            m.el("span", &[], |m| {
                m.el(
                    "svg",
                    &[("width", "22"), ("height", "24"), ("aria-hidden", "true")],
                    |m| {
                        m.el("svg", &[("x", "11"), ("y", "13"), ("overflow", "visible")], |m| {
                            m.void("path", &[("class", colour(severity)), ("d", shape(severity))]);
                        });
                    },
                );
                m.text(named(severity));
            });
        }
        m.line(
            "span",
            &[],
            "The worse, the larger. Bars have a duration; what lies close together is drawn as one.",
        );
    });
}

fn figures(m: &mut Markup, packet: &Packet) {
    let mut marks: Vec<&Mark> = packet.marks.iter().collect();
    marks.sort_by_key(|m| (m.from_us, m.to_us));
    table(
        m,
        "When it happened",
        &["From (UTC)", "For", "Lane", "What", "Severity", "Record"],
        |m| {
            for mark in marks.iter().take(TABLE_ROWS) {
                m.el("tr", &[], |m| {
                    m.line("td", &[], &time::instant(mark.from_us));
                    let lasted = mark.to_us.saturating_sub(mark.from_us);
                    m.line(
                        "td",
                        &[],
                        &u64::try_from(lasted)
                            .ok()
                            .filter(|us| *us > 0)
                            .map_or("–".to_owned(), duration),
                    );
                    m.line("td", &[], &words(&mark.lane));
                    m.line("td", &[], &mark.label);
                    m.line("td", &[], named(mark.severity));
                    m.el("td", &[], |m| {
                        if let Some(record) = mark.record {
                            record_link(m, packet, record);
                        }
                    });
                });
            }
        },
    );
    left_out(m, TABLE_ROWS, marks.len(), "mark");
}
