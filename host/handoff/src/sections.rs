//! The parts of the page that are read: what to do, what was found, what was done, and on which records it stands.

use crate::markup::Markup;
use crate::page::{ITEMS, entry, link, outside, outside_block, record_link, severity_badge, subject};
use crate::text::{duration, metric, plural, shell, words};
use crate::{Finding, Insight, NextStep, Packet, Recommendation, Record, ResultRows, Step, StepKind, time};

fn more(m: &mut Markup, all: usize) {
    if all > ITEMS {
        let rest = plural(all - ITEMS, "entry", "entries");
        m.line(
            "p",
            &[("class", "note")],
            &format!("Not shown: {rest} more. They are in the packet’s JSON."),
        );
    }
}

fn none(m: &mut Markup, text: &str) {
    m.line("p", &[("class", "note")], text);
}

/// The step that has an insight's recommendation, by its position.
fn step_of(packet: &Packet, insight: usize) -> Option<usize> {
    packet.next.iter().take(ITEMS).position(|n| n.insight == Some(insight))
}

pub(crate) fn next(m: &mut Markup, packet: &Packet) {
    if packet.next.is_empty() {
        none(
            m,
            "Nothing is recommended. Look at what was found, and at what could not be seen.",
        );
        return;
    }
    m.el("ol", &[("class", "cards")], |m| {
        for (i, step) in packet.next.iter().take(ITEMS).enumerate() {
            let id = format!("next-{}", i + 1);
            m.el("li", &[("id", &id)], |m| todo(m, packet, i, step));
        }
    });
    more(m, packet.next.len());
}

fn todo(m: &mut Markup, packet: &Packet, position: usize, step: &NextStep) {
    m.el("h3", &[], |m| {
        m.text(&format!("{}. {} ", position + 1, step.label));
        let class = if step.priority == "required" {
            "badge critical"
        } else {
            "badge"
        };
        m.line("span", &[("class", class)], &step.priority);
    });
    m.line("p", &[], &step.reason);
    if let Some(command) = &step.command {
        m.line("p", &[("class", "label")], "Command");
        m.el("pre", &[("tabindex", "0")], |m| m.line("code", &[], &shell(command)));
    }
    let Some((i, insight)) = step.insight.and_then(|i| Some((i, packet.insights.get(i)?))) else {
        m.el("p", &[("class", "proof")], |m| {
            m.text("Because of ");
            record_link(m, packet, step.record);
        });
        return;
    };
    // Two steps may name the same insight: the first shows the advice, the other says where it is.
    match (&insight.recommendation, step_of(packet, i)) {
        (Some(advice), Some(first)) if first == position => recommendation(m, advice),
        (Some(_), Some(first)) => {
            m.el("p", &[], |m| {
                link(
                    m,
                    &format!("next-{}", first + 1),
                    &format!("The SQL is under point {}", first + 1),
                )
            });
        }
        _ => {}
    }
    m.el("p", &[("class", "proof")], |m| {
        m.text("Because of ");
        if i < ITEMS {
            link(m, &format!("insight-{}", i + 1), &format!("insight {}", i + 1));
            m.text(", ");
        }
        record_link(m, packet, insight.record);
    });
}

fn recommendation(m: &mut Markup, advice: &Recommendation) {
    outside_block(m, &format!("SQL to {}", words(&advice.kind)), &advice.sql.text);
    m.el("dl", &[("class", "advice")], |m| {
        entry(m, "Effect", |m| m.text(&advice.expected_effect));
        entry(m, "Risk", |m| m.text(&advice.risk));
        entry(m, "Lock", |m| m.text(&advice.lock));
    });
    outside_block(m, "Way back", &advice.way_back.text);
    outside_block(m, "Check whether it helped", &advice.check.text);
}

pub(crate) fn findings(m: &mut Markup, packet: &Packet) {
    if packet.findings.is_empty() {
        none(m, "Nothing was found.");
        return;
    }
    m.el("ol", &[("class", "cards")], |m| {
        for (i, finding) in packet.findings.iter().take(ITEMS).enumerate() {
            let id = format!("finding-{}", i + 1);
            m.el("li", &[("id", &id)], |m| one_finding(m, packet, finding));
        }
    });
    more(m, packet.findings.len());
}

fn one_finding(m: &mut Markup, packet: &Packet, finding: &Finding) {
    m.el("h3", &[], |m| {
        severity_badge(m, finding.severity);
        m.text(&format!(" {}", finding.title));
    });
    m.line("p", &[], &finding.reason);
    if let Some(it) = &finding.subject {
        m.el("p", &[], |m| subject(m, it));
    }
    if !finding.metrics.is_empty() {
        m.el("dl", &[("class", "metrics")], |m| {
            for (name, value) in finding.metrics.iter().take(ITEMS) {
                let (name, value) = metric(name, *value);
                entry(m, &name, |m| m.text(&value));
            }
        });
    }
    m.el("p", &[("class", "proof")], |m| {
        m.text(&format!(
            "{} · score {:.2} · confidence {} · ",
            words(&finding.kind),
            finding.score,
            finding.confidence
        ));
        record_link(m, packet, finding.record);
        rows_link(m, packet, finding.record);
    });
}

/// The step whose rows stand on a record, by its position.
fn step_with_rows(packet: &Packet, record: usize) -> Option<usize> {
    let has_rows = |step: &Step| step.record == record && step.result.is_some();
    packet.steps.iter().take(ITEMS).position(has_rows)
}

/// To the rows that are meant where a sentence says "row 3".
fn rows_link(m: &mut Markup, packet: &Packet, record: usize) {
    if let Some(step) = step_with_rows(packet, record) {
        m.text(", ");
        link(m, &format!("step-{}", step + 1), "its rows");
    }
}

pub(crate) fn insights(m: &mut Markup, packet: &Packet) {
    if packet.insights.is_empty() {
        none(m, "Nothing followed from what was done.");
        return;
    }
    m.el("ol", &[("class", "cards")], |m| {
        for (i, insight) in packet.insights.iter().take(ITEMS).enumerate() {
            let id = format!("insight-{}", i + 1);
            m.el("li", &[("id", &id)], |m| one_insight(m, packet, i, insight));
        }
    });
    more(m, packet.insights.len());
}

fn one_insight(m: &mut Markup, packet: &Packet, position: usize, insight: &Insight) {
    m.line("h3", &[], &format!("⚑ {}. {}", position + 1, insight.title));
    m.line("p", &[], &insight.reason);
    if !insight.evidence.is_empty() {
        m.line("p", &[("class", "label")], "Seen in");
        m.el("ul", &[], |m| {
            for it in insight.evidence.iter().take(ITEMS) {
                m.el("li", &[], |m| subject(m, it));
            }
        });
    }
    match (&insight.recommendation, step_of(packet, position)) {
        (Some(_), Some(step)) => {
            m.el("p", &[], |m| {
                m.text("What to do: ");
                link(m, &format!("next-{}", step + 1), &format!("point {}", step + 1));
            });
        }
        (Some(advice), None) => recommendation(m, advice),
        (None, _) => {}
    }
    m.el("p", &[("class", "proof")], |m| {
        m.line("span", &[("class", "id")], &insight.id);
        m.text(&format!(" · confidence {} · ", insight.confidence));
        record_link(m, packet, insight.record);
        rows_link(m, packet, insight.record);
    });
}

/// A step's kind: a sign, and a word.
pub(crate) fn step_kind(kind: StepKind) -> (&'static str, &'static str) {
    match kind {
        StepKind::Triage => ("◆", "judged"),
        StepKind::Intent => ("▷", "began"),
        StepKind::Outcome => ("✓", "done"),
        StepKind::Refusal => ("✕", "refused"),
        StepKind::Failure => ("!", "failed"),
        StepKind::Other => ("·", "recorded"),
    }
}

pub(crate) fn steps(m: &mut Markup, packet: &Packet) {
    if packet.steps.is_empty() {
        none(m, "Nothing was done, and nothing was refused.");
        return;
    }
    m.el("ol", &[("class", "steps")], |m| {
        for (i, step) in packet.steps.iter().take(ITEMS).enumerate() {
            let class = match step.kind {
                StepKind::Refusal | StepKind::Failure => "step denied",
                _ => "step",
            };
            let id = format!("step-{}", i + 1);
            m.el("li", &[("id", &id), ("class", class)], |m| one_step(m, packet, step));
        }
    });
    more(m, packet.steps.len());
}

fn one_step(m: &mut Markup, packet: &Packet, step: &Step) {
    let (sign, word) = step_kind(step.kind);
    m.el("p", &[("class", "row-head")], |m| {
        m.line("time", &[("datetime", &step.at)], &time::readable(&step.at));
        m.text(" ");
        m.el(
            "span",
            &[(
                "class",
                if word == "refused" || word == "failed" {
                    "badge high"
                } else {
                    "badge"
                },
            )],
            |m| {
                m.line("span", &[("aria-hidden", "true")], &format!("{sign} "));
                m.text(word);
            },
        );
        m.text(" ");
        m.line("strong", &[], &step.title);
        m.text(&format!(" · {}", words(&step.status)));
        if let Some(us) = step.duration_us {
            m.text(&format!(" · {} of the database", duration(us)));
        }
        m.text(" · ");
        record_link(m, packet, step.record);
    });
    if !step.detail.is_empty() {
        m.line("p", &[], &step.detail);
    }
    if let Some(requested) = &step.requested {
        m.el("p", &[], |m| {
            m.text("asked for: ");
            outside(m, &requested.text);
        });
    }
    if let Some(result) = &step.result {
        rows(m, result);
    }
}

/// Rows with their numbers, by which the text names them.
fn rows(m: &mut Markup, result: &ResultRows) {
    m.el("details", &[], |m| {
        m.line("summary", &[], &plural(result.rows.len(), "row", "rows"));
        m.el("div", &[("class", "scroll"), ("tabindex", "0")], |m| {
            m.el("table", &[], |m| {
                m.el("thead", &[], |m| {
                    m.el("tr", &[], |m| {
                        m.line("th", &[("scope", "col")], "row");
                        for column in &result.columns {
                            m.line("th", &[("scope", "col")], column);
                        }
                    });
                });
                m.el("tbody", &[], |m| {
                    for (i, cells) in result.rows.iter().enumerate() {
                        m.el("tr", &[], |m| {
                            m.line("th", &[("scope", "row")], &(i + 1).to_string());
                            for cell in cells {
                                m.el("td", &[], |m| match cell {
                                    Some(text) => outside(m, &text.text),
                                    None => m.line("span", &[("class", "note")], "NULL"),
                                });
                            }
                        });
                    }
                });
            });
        });
        if result.more > 0 {
            let rest = plural(result.more, "row", "rows");
            m.line(
                "p",
                &[("class", "note")],
                &format!("Not shown: {rest} more. They are in the record."),
            );
        }
    });
}

pub(crate) fn limits(m: &mut Markup, packet: &Packet) {
    if packet.limitations.is_empty() {
        none(m, "Nothing is known to be missing.");
        return;
    }
    m.el("ul", &[], |m| {
        for limitation in packet.limitations.iter().take(ITEMS) {
            m.el("li", &[], |m| {
                m.text(&limitation.text);
                if let Some(record) = limitation.record {
                    m.text(" · ");
                    record_link(m, packet, record);
                }
            });
        }
    });
    more(m, packet.limitations.len());
}

pub(crate) fn records(m: &mut Markup, packet: &Packet) {
    m.el("p", &[], |m| {
        m.text("Every statement above stands in the record that it names, and each record proves its place in the audit log; what names none is a note of this page’s own. Save a proof as a file and verify it with the log’s public key, which you have from elsewhere:");
    });
    m.el("pre", &[("tabindex", "0")], |m| {
        m.line(
            "code",
            &[],
            "pg-logstats audit verify-proof ID.tlog-proof --public-key public-key.pem --record ID.INDEX.json",
        );
    });
    m.el("p", &[], |m| {
        m.text("The key’s SHA-256 has to be ");
        m.line("code", &[("class", "id")], &packet.key_id);
    });
    if packet.records.is_empty() {
        none(m, "There are no records.");
    }
    let uses = uses(packet);
    for (i, record) in packet.records.iter().enumerate() {
        one_record(m, i, record, uses.get(i).map(Vec::as_slice).unwrap_or_default());
    }
    m.el("details", &[], |m| {
        m.line("summary", &[], "The checkpoint under which the proofs stand");
        m.el("pre", &[("tabindex", "0")], |m| m.line("code", &[], &packet.checkpoint));
    });
}

/// What stands on each record: ids of this page, and what they are called.
fn uses(packet: &Packet) -> Vec<Vec<(String, String)>> {
    let mut uses: Vec<Vec<(String, String)>> = vec![Vec::new(); packet.records.len()];
    let mut add = |kind: &str, position: usize, record: usize| {
        if let Some(list) = uses.get_mut(record) {
            let number = position + 1;
            list.push((format!("{kind}-{number}"), format!("{kind} {number}")));
        }
    };
    let shown = packet.next.iter().take(ITEMS).enumerate();
    // One with an insight stands on the insight's.
    shown
        .filter(|(_, n)| n.insight.is_none())
        .for_each(|(i, n)| add("next", i, n.record));
    packet
        .findings
        .iter()
        .take(ITEMS)
        .enumerate()
        .for_each(|(i, f)| add("finding", i, f.record));
    packet
        .insights
        .iter()
        .take(ITEMS)
        .enumerate()
        .for_each(|(i, n)| add("insight", i, n.record));
    packet
        .steps
        .iter()
        .take(ITEMS)
        .enumerate()
        .for_each(|(i, s)| add("step", i, s.record));
    let charts = [
        ("latency", packet.latencies.is_empty(), packet.sources.latencies),
        ("locks", packet.lock_tree.is_empty(), packet.sources.lock_tree),
        ("plan", packet.plan.is_empty(), packet.sources.plan),
    ];
    for (name, is_empty, record) in charts {
        if let Some(list) = record.filter(|_| !is_empty).and_then(|record| uses.get_mut(record)) {
            list.push((format!("chart-{name}"), format!("chart of {name}")));
        }
    }
    uses
}

fn one_record(m: &mut Markup, position: usize, record: &Record, uses: &[(String, String)]) {
    let number = position + 1;
    let id = format!("record-{number}");
    m.el("details", &[("id", &id), ("class", "record")], |m| {
        m.el("summary", &[], |m| {
            m.line("strong", &[], &format!("Record {number}"));
            m.text(&format!(
                " {} · {} UTC · entry {} of the log",
                words(&record.kind),
                time::readable(&record.created_at),
                record.index
            ));
        });
        m.el("dl", &[("class", "facts")], |m| {
            entry(m, "Id", |m| m.line("code", &[("class", "id")], &record.record_id));
            entry(m, "SHA-256", |m| m.line("code", &[("class", "id")], &record.sha256));
            entry(m, "Stands behind", |m| {
                if uses.is_empty() {
                    m.text("nothing above");
                }
                for (i, (id, name)) in uses.iter().enumerate() {
                    m.text(if i == 0 { "" } else { ", " });
                    link(m, id, name);
                }
            });
            entry(m, "Verify", |m| {
                let command = [
                    "pg-logstats",
                    "audit",
                    "verify-proof",
                    &format!("{}.tlog-proof", record.record_id),
                    "--public-key",
                    "public-key.pem",
                ]
                .map(str::to_owned);
                m.line("code", &[], &shell(&command));
            });
        });
        m.line("p", &[("class", "label")], "Proof");
        m.el("pre", &[("tabindex", "0")], |m| m.line("code", &[], &record.proof));
    });
}
