//! The packet as Markdown, for a ticket or a chat. Text from outside stands in code spans and fences that it cannot end, so it can
//! neither make a link nor anything else; the host's words are escaped.

use std::fmt::{Display, Write as _};

use crate::page::{ITEMS, named};
use crate::sections::step_kind;
use crate::text::{block, count, duration, inline, metric, number, shell, words};
use crate::tree;
use crate::{Insight, NextStep, Packet, Recommendation, html, time};

/// Deeper entries of a tree are indented no further.
const DEEPEST: usize = 12;

/// The packet as Markdown (CommonMark, with tables), for a person who takes over.
pub fn markdown(packet: &Packet) -> String {
    let mut out = Page::default();
    head(&mut out, packet);
    next(&mut out, packet);
    findings(&mut out, packet);
    insights(&mut out, packet);
    times(&mut out, packet);
    latencies(&mut out, packet);
    locks(&mut out, packet);
    plan(&mut out, packet);
    steps(&mut out, packet);
    out.heading(2, "What could not be seen");
    out.items(
        packet.limitations.len(),
        packet.limitations.iter().map(|text| words_of(text)),
    );
    records(&mut out, packet);
    out.text
}

/// Text that is being written. Blocks are apart by an empty line.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: impl Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn paragraph(&mut self, text: impl Display) {
        self.line(text);
        self.text.push('\n');
    }

    fn heading(&mut self, level: usize, text: impl Display) {
        self.paragraph(format_args!("{} {text}", "#".repeat(level)));
    }

    /// A list of one line each, or a word that there is nothing.
    fn items(&mut self, all: usize, items: impl Iterator<Item = String>) {
        for item in items.take(ITEMS) {
            self.line(format_args!("- {item}"));
        }
        if all > ITEMS {
            self.line(format_args!(
                "- {} more are in the packet's JSON.",
                count((all - ITEMS) as u64)
            ));
        }
        if all == 0 {
            self.line("None.");
        }
        self.text.push('\n');
    }

    /// A block of text from outside or of ours, in a fence that is longer than any in it.
    fn fence(&mut self, language: &str, text: &str) {
        let fence = "`".repeat(longest_run(text).max(2) + 1);
        self.line(format_args!("{fence}{language}"));
        self.line(text.trim_end_matches('\n'));
        self.paragraph(fence);
    }

    fn outside_block(&mut self, label: &str, language: &str, text: &str) {
        self.paragraph(format_args!("{label} (text from outside):"));
        let (kept, left_out) = block(text);
        self.fence(language, &kept);
        if left_out > 0 {
            self.paragraph(format_args!(
                "Cut off here: {} more characters. Do not run it as it stands.",
                count(left_out as u64)
            ));
        }
    }

    fn row(&mut self, cells: &[&str]) {
        self.line(format_args!("| {} |", cells.join(" | ")));
    }

    fn table_head(&mut self, columns: &[&str]) {
        self.row(columns);
        self.row(&vec!["---"; columns.len()]);
    }
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A text of the host's: what would be Markdown is escaped.
fn words_of(text: &str) -> String {
    let text = inline(text);
    let mut out = String::with_capacity(text.len() + 8);
    let number_at_start = text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    for (at, c) in text.char_indices() {
        let begins_a_block = match c {
            '-' | '+' | '=' => at == 0,
            '.' | ')' => at > 0 && at == text.len() - number_at_start,
            _ => false,
        };
        // `://` and `www.` would be links where addresses are linked by themselves.
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at..).unwrap_or_default();
        let would_be_a_link = after.starts_with("://") || (c == '.' && before.to_ascii_lowercase().ends_with("www"));
        if begins_a_block || would_be_a_link || "\\`*_{}[]<>#|~&!$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A text as code: nothing in it is Markdown, and it cannot end the span.
fn code(text: &str) -> String {
    let text = inline(text);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A text from outside within a line.
fn outside(text: &str) -> String {
    format!("outside: {}", code(text))
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
                .map(|(name, value)| format!("Label {}, {}", code(name), outside(&value.text))),
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
        } = step;
        out.heading(
            3,
            format_args!("{}. {} ({})", i + 1, words_of(label), words_of(priority)),
        );
        out.paragraph(words_of(reason));
        if let Some(command) = command {
            out.fence("sh", &crate::text::visible(&shell(command)));
        }
        let insight = insight.and_then(|position| Some((position, packet.insights.get(position)?)));
        if let Some((position, insight)) = insight {
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
            if let Some(subject) = &f.subject {
                let _ = write!(line, " {} {}", words_of(&words(&subject.kind)), code(&subject.id));
                if let Some(text) = &subject.text {
                    let _ = write!(line, ", {}", outside(&text.text));
                }
                line.push('.');
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
            recommendation: advice,
            record: position,
        } = insight;
        out.heading(3, format_args!("Insight {}: {}", i + 1, words_of(title)));
        out.paragraph(words_of(reason));
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

fn times(out: &mut Page, packet: &Packet) {
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

fn latencies(out: &mut Page, packet: &Packet) {
    if packet.latencies.is_empty() {
        return;
    }
    out.heading(2, "How long statements took");
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

fn locks(out: &mut Page, packet: &Packet) {
    if packet.lock_tree.is_empty() {
        return;
    }
    out.heading(2, "Who waited for whom");
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

fn plan(out: &mut Page, packet: &Packet) {
    if packet.plan.is_empty() {
        return;
    }
    out.heading(2, "The plan that was looked at last");
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
        out.fence("text", &crate::text::visible(&r.proof));
    }
    out.heading(3, "Checkpoint");
    out.fence("text", &crate::text::visible(&packet.checkpoint));
}
