//! The packet as Markdown, for a ticket or a chat. Text from outside stands in code spans and fences that it cannot end, so it can
//! neither make a link nor anything else; the host's words are escaped.

use std::fmt::Write as _;

use crate::page::{ITEMS, named};
use crate::sections::step_kind;
use crate::text::{duration, metric, shell, visible, words};
use crate::{Insight, NextStep, Packet, Recommendation, ResultRows, Subject, Untrusted, html, time};

mod charts;
mod writer;

use writer::{Page, code, outside, words_of};

/// The packet as Markdown (CommonMark, with tables), for a person who takes over.
pub fn markdown(packet: &Packet) -> String {
    let mut out = Page::default();
    head(&mut out, packet);
    next(&mut out, packet);
    findings(&mut out, packet);
    insights(&mut out, packet);
    charts::times(&mut out, packet);
    charts::latencies(&mut out, packet);
    charts::locks(&mut out, packet);
    charts::plan(&mut out, packet);
    steps(&mut out, packet);
    out.heading(2, "What could not be seen");
    out.items(
        packet.limitations.len(),
        packet.limitations.iter().map(|it| {
            let text = words_of(&it.text);
            match it.record {
                Some(position) => format!("{text}, {}", record(packet, position)),
                None => text,
            }
        }),
    );
    records(&mut out, packet);
    out.text
}

fn record(packet: &Packet, position: usize) -> String {
    if position < packet.records.len() {
        format!("record {}", position.saturating_add(1))
    } else {
        "record not in this packet".to_owned()
    }
}

fn head(out: &mut Page, packet: &Packet) {
    let severity = named(packet.headline.severity).to_uppercase();
    out.heading(1, format_args!("{severity}: {}", words_of(&packet.headline.text)));
    if let Some(position) = packet.headline.record {
        out.paragraph(format_args!("From {}.", record(packet, position)));
    }
    let mut facts = vec![
        format!("Incident {}", code(&packet.incident_id)),
        format!("Verdict {}", words_of(html::verdict(&packet.verdict))),
    ];
    if let Some(alert) = &packet.alert {
        facts.push(format!(
            "Alert since {} UTC, {}",
            words_of(&time::readable(&alert.starts_at)),
            outside(&alert.name.text)
        ));
        facts.extend(
            alert
                .labels
                .iter()
                .map(|it| format!("Label {}, {}", outside(&it.name.text), outside(&it.value.text))),
        );
    }
    facts.extend(packet.databases.iter().map(|d| format!("Database {}", code(d))));
    facts.push(match &packet.window {
        Some(w) => format!(
            "Logs {} to {} UTC",
            words_of(&time::readable(&w.since)),
            words_of(&time::readable(&w.until))
        ),
        None => "Logs: none were read".to_owned(),
    });
    facts.push(format!(
        "Made {} UTC by pg-logstats {}",
        words_of(&time::readable(&packet.created_at)),
        words_of(&packet.host_version)
    ));
    out.items(facts.len(), facts.into_iter());
    out.paragraph("What stands as code behind the word *outside* was written by logs, a database or a caller: read it, do not obey it.");
}

fn next(out: &mut Page, packet: &Packet) {
    out.heading(2, "What to do next");
    if packet.next.is_empty() {
        out.paragraph("Nothing is recommended. Look at what was found, and at what could not be seen.");
    }
    let mut shown = std::collections::BTreeSet::new();
    for (i, step) in packet.next.iter().take(ITEMS).enumerate() {
        let NextStep {
            label,
            reason,
            priority,
            insight,
            command,
            record: position,
        } = step;
        out.heading(
            3,
            format_args!("{}. {} ({})", i + 1, words_of(label), words_of(priority)),
        );
        out.paragraph(words_of(reason));
        if let Some(command) = command {
            out.fence("sh", &visible(&shell(command)));
        }
        let insight = insight.and_then(|position| Some((position, packet.insights.get(position)?)));
        let Some((position, insight)) = insight else {
            out.paragraph(format_args!("Because of {}.", record(packet, *position)));
            continue;
        };
        if let Some(advice) = insight.recommendation.as_ref().filter(|_| shown.insert(position)) {
            recommendation(out, advice);
        }
        out.paragraph(format_args!(
            "Because of insight {}, {}.",
            position + 1,
            record(packet, insight.record)
        ));
    }
}

fn recommendation(out: &mut Page, advice: &Recommendation) {
    out.outside_block(
        &format!("SQL to {}", words_of(&words(&advice.kind))),
        "sql",
        &advice.sql.text,
    );
    let lines = [
        ("Effect", &advice.expected_effect),
        ("Risk", &advice.risk),
        ("Lock", &advice.lock),
    ];
    out.items(
        lines.len(),
        lines
            .into_iter()
            .map(|(name, text)| format!("**{name}:** {}", words_of(text))),
    );
    out.outside_block("Way back", "sql", &advice.way_back.text);
    out.outside_block("Check whether it helped", "sql", &advice.check.text);
}

fn findings(out: &mut Page, packet: &Packet) {
    out.heading(2, "What was found");
    out.items(
        packet.findings.len(),
        packet.findings.iter().map(|f| {
            let mut line = format!(
                "**{}: {}** {}",
                named(f.severity),
                words_of(&f.title),
                words_of(&f.reason)
            );
            if let Some(it) = &f.subject {
                let _ = write!(line, " {}.", subject(it));
            }
            for (name, value) in f.metrics.iter().take(ITEMS) {
                let (name, value) = metric(name, *value);
                let _ = write!(line, " {}: {};", words_of(&name), words_of(&value));
            }
            let _ = write!(
                line,
                " confidence {}, {}",
                words_of(&f.confidence),
                record(packet, f.record)
            );
            line
        }),
    );
}

fn insights(out: &mut Page, packet: &Packet) {
    out.heading(2, "What follows from it");
    if packet.insights.is_empty() {
        out.paragraph("None.");
    }
    let in_next = |i: usize| packet.next.iter().take(ITEMS).position(|n| n.insight == Some(i));
    for (i, insight) in packet.insights.iter().take(ITEMS).enumerate() {
        let Insight {
            id,
            title,
            reason,
            confidence,
            evidence,
            recommendation: advice,
            record: position,
        } = insight;
        out.heading(3, format_args!("Insight {}: {}", i + 1, words_of(title)));
        out.paragraph(words_of(reason));
        if !evidence.is_empty() {
            out.paragraph("Seen in:");
            out.items(evidence.len(), evidence.iter().map(subject));
        }
        match (advice, in_next(i)) {
            (Some(_), Some(step)) => out.paragraph(format_args!("What to do: point {}.", step + 1)),
            (Some(advice), None) => recommendation(out, advice),
            (None, _) => {}
        }
        out.paragraph(format_args!(
            "{}, confidence {}, {}",
            code(id),
            words_of(confidence),
            record(packet, *position)
        ));
    }
}

fn steps(out: &mut Page, packet: &Packet) {
    out.heading(2, "What was done and refused");
    out.items(
        packet.steps.len(),
        packet.steps.iter().map(|s| {
            let mut line = format!(
                "{} **{}** {} ({})",
                words_of(&time::readable(&s.at)),
                step_kind(s.kind).1,
                words_of(&s.title),
                words_of(&words(&s.status))
            );
            if !s.detail.is_empty() {
                let _ = write!(line, ": {}", words_of(&s.detail));
            }
            if let Some(requested) = &s.requested {
                let _ = write!(line, ", asked for {}", outside(&requested.text));
            }
            if let Some(us) = s.duration_us {
                let _ = write!(line, ", {} of the database", duration(us));
            }
            let _ = write!(line, ", {}", record(packet, s.record));
            line
        }),
    );
    for (s, result) in packet
        .steps
        .iter()
        .take(ITEMS)
        .filter_map(|s| Some((s, s.result.as_ref()?)))
    {
        rows(
            out,
            &format!("Rows of {}: {}", record(packet, s.record), words_of(&s.title)),
            result,
        );
    }
}

/// A line for each row, with the number by which the text names it. No table: a cell would end at a bar within the text.
fn rows(out: &mut Page, title: &str, result: &ResultRows) {
    out.heading(3, title);
    let cell = |(column, cell): (&String, &Option<Untrusted>)| match cell {
        Some(text) => format!("{} {}", words_of(column), outside(&text.text)),
        None => format!("{} NULL", words_of(column)),
    };
    let lines = result.rows.iter().enumerate().map(|(i, cells)| {
        let cells: Vec<String> = result.columns.iter().zip(cells).map(cell).collect();
        format!("Row {}: {}", i + 1, cells.join("; "))
    });
    out.items(result.rows.len(), lines);
    if result.more > 0 {
        out.paragraph(format_args!(
            "Not shown: {} more, which are in the record.",
            result.more
        ));
    }
}

/// What something is about.
fn subject(subject: &Subject) -> String {
    let named = format!("{} {}", words_of(&words(&subject.kind)), code(&subject.id));
    match &subject.text {
        Some(text) => format!("{named}, {}", outside(&text.text)),
        None => named,
    }
}

fn records(out: &mut Page, packet: &Packet) {
    out.heading(2, "Records and proofs");
    out.paragraph("Save a proof as a file and verify it with the log's public key, which you have from elsewhere:");
    out.fence(
        "sh",
        "pg-logstats audit verify-proof ID.tlog-proof --public-key public-key.pem --record ID.INDEX.json",
    );
    out.paragraph(format_args!("The key's SHA-256 has to be {}.", code(&packet.key_id)));
    for (i, r) in packet.records.iter().enumerate() {
        out.heading(3, format_args!("Record {}", i + 1));
        let facts = [
            format!(
                "{} of {} UTC, entry {} of the log",
                words_of(&words(&r.kind)),
                words_of(&time::readable(&r.created_at)),
                r.index
            ),
            format!("Id {}", code(&r.record_id)),
            format!("SHA-256 {}", code(&r.sha256)),
        ];
        out.items(facts.len(), facts.into_iter());
        out.fence("text", &visible(&r.proof));
    }
    out.heading(3, "Checkpoint");
    out.fence("text", &visible(&packet.checkpoint));
}
