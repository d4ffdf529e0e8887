//! The page: one file, without scripts, that fetches nothing. Its policy allows its own style and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::markup::Markup;
use crate::page::{entry, named, outside, record_link, severity_badge};
use crate::text::inline;
use crate::{Packet, charts, sections, time};

const STYLE: &str = include_str!("style.css");

/// The sections, by their ids.
const SECTIONS: [(&str, &str); 7] = [
    ("next", "What to do next"),
    ("findings", "What was found"),
    ("insights", "What follows from it"),
    ("charts", "Charts"),
    ("steps", "What was done and refused"),
    ("limits", "What could not be seen"),
    ("records", "Records and proofs"),
];

/// What a browser may do with the page: use this one style.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// The packet as one page of HTML for a person who takes over. It needs no network and no script; texts from outside are escaped and marked.
pub fn html(packet: &Packet) -> String {
    let mut m = Markup::default();
    m.verbatim("<!doctype html>\n");
    m.el("html", &[("lang", "en")], |m| {
        m.el("head", &[], |m| head(m, packet));
        m.el("body", &[], |m| {
            m.line("a", &[("class", "skip"), ("href", "#next")], "Go to what to do next");
            m.el("header", &[], |m| header(m, packet));
            m.el("nav", &[("aria-label", "Sections")], navigation);
            m.el("main", &[], |m| body(m, packet));
            m.el("footer", &[], |m| footer(m, packet));
        });
    });
    m.finish()
}

fn head(m: &mut Markup, packet: &Packet) {
    m.void("meta", &[("charset", "utf-8")]);
    m.void(
        "meta",
        &[("http-equiv", "Content-Security-Policy"), ("content", &policy())],
    );
    m.void("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    m.void(
        "meta",
        &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")],
    );
    m.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    m.void("meta", &[("name", "robots"), ("content", "noindex, nofollow")]);
    let title = format!(
        "{}: {} – incident {}",
        named(packet.headline.severity),
        packet.headline.text,
        packet.incident_id
    );
    m.line("title", &[], &inline(&title));
    m.el("style", &[], |m| m.verbatim(STYLE));
}

fn header(m: &mut Markup, packet: &Packet) {
    m.el("p", &[("class", "over")], |m| {
        severity_badge(m, packet.headline.severity);
        m.text(&format!(" Incident {}", packet.incident_id));
    });
    m.line("h1", &[], &packet.headline.text);
    if let Some(record) = packet.headline.record {
        m.el("p", &[("class", "proof")], |m| {
            m.text("From ");
            record_link(m, packet, record);
        });
    }
    m.el("dl", &[("class", "facts")], |m| {
        entry(m, "Verdict", |m| m.text(verdict(&packet.verdict)));
        if let Some(alert) = &packet.alert {
            entry(m, "Alert", |m| {
                outside(m, &alert.name.text);
                m.text(&format!(" since {} UTC", time::readable(&alert.starts_at)));
                for label in &alert.labels {
                    m.text(" · ");
                    outside(m, &label.name.text);
                    m.text(" ");
                    outside(m, &label.value.text);
                }
            });
        }
        for database in &packet.databases {
            entry(m, "Database", |m| m.text(database));
        }
        entry(m, "Logs", |m| match &packet.window {
            Some(w) => m.text(&format!(
                "{} to {} UTC",
                time::readable(&w.since),
                time::readable(&w.until)
            )),
            None => m.text("none were read"),
        });
        entry(m, "Made", |m| {
            m.text(&format!("{} UTC", time::readable(&packet.created_at)))
        });
    });
}

/// The verdict in a few words.
pub(crate) fn verdict(word: &str) -> &str {
    match word {
        "clear" => "clear: the server has room",
        "busy" => "busy: work is done, slower than usual",
        "saturated" => "saturated: work is waiting",
        "unknown" => "unknown: the evidence does not say",
        other => other,
    }
}

fn navigation(m: &mut Markup) {
    m.el("ul", &[], |m| {
        for (id, name) in SECTIONS {
            m.el("li", &[], |m| crate::page::link(m, id, name));
        }
    });
}

fn body(m: &mut Markup, packet: &Packet) {
    for (id, name) in SECTIONS {
        let heading = format!("{id}-heading");
        m.el("section", &[("id", id), ("aria-labelledby", &heading)], |m| {
            m.line("h2", &[("id", &heading)], name);
            match id {
                "next" => sections::next(m, packet),
                "findings" => sections::findings(m, packet),
                "insights" => sections::insights(m, packet),
                "charts" => draw(m, packet),
                "steps" => sections::steps(m, packet),
                "limits" => sections::limits(m, packet),
                _ => sections::records(m, packet),
            }
        });
    }
}

fn draw(m: &mut Markup, packet: &Packet) {
    charts::timeline(m, packet);
    charts::latency(m, packet);
    charts::locks(m, packet);
    charts::plan(m, packet);
    if packet.marks.is_empty() && packet.latencies.is_empty() && packet.lock_tree.is_empty() && packet.plan.is_empty() {
        m.line(
            "p",
            &[],
            "Nothing to draw: the evidence has no times, statements, lock waits or plan.",
        );
    }
}

fn footer(m: &mut Markup, packet: &Packet) {
    m.el("p", &[], |m| {
        m.text(&format!(
            "Made by pg-logstats {} from verified records. Times are UTC. Text in a dashed frame, like ",
            packet.host_version
        ));
        outside(m, "this");
        m.text(", was written by somebody outside: read it, do not obey it.");
    });
}
