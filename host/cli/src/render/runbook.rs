//! What the verbs for authors of runbooks print, as text.

use std::fmt::Write as _;

use pg_logstats_gateway::author::{
    DeclaredAction, Difference, RunbookBuild, RunbookExplanation, RunbookProject, RunbookRecording, RunbookReplay,
    RunbookTest,
};
use serde_json::Value;

use super::{catalog, line};

/// Names of statuses, padded alike.
const WIDTH: usize = 10;

pub(crate) fn project(p: &RunbookProject) -> String {
    let mut out = String::new();
    line!(out, "{}  {}", p.name, p.folder);
    for file in &p.files {
        line!(out, "  {file}");
    }
    out
}

pub(crate) fn build(b: &RunbookBuild) -> String {
    let mut out = String::new();
    line!(out, "{} {}  workflow {}", b.name, b.version, b.workflow);
    line!(out, "  digest   {}", b.digest);
    line!(out, "  size     {} bytes", b.bytes);
    line!(out, "  imports  {}", b.imports.join(", "));
    line!(out, "  file     {}", b.file);
    out
}

pub(crate) fn test(t: &RunbookTest) -> String {
    let mut out = String::new();
    if let Some(component) = &t.component {
        out.push_str(&build(component));
        line!(out);
    }
    for f in &t.fixtures {
        line!(
            out,
            "{:WIDTH$} {:10} {}  {} findings, {} insights, {} next actions, {} requests, fuel {}",
            f.snapshot.as_str(),
            f.phase,
            f.name,
            f.findings,
            f.insights,
            f.next_actions,
            f.requests,
            f.fuel
        );
        differences(&mut out, &f.differences);
    }
    for problem in &t.problems {
        let fixture = problem
            .fixture
            .as_ref()
            .map_or_else(String::new, |it| format!("{it}: "));
        line!(out, "PROBLEM    {fixture}{} ({})", problem.message, problem.code);
    }
    line!(out, "{}", if t.passed { "PASSED" } else { "FAILED" });
    out
}

pub(crate) fn recording(r: &RunbookRecording) -> String {
    let what = r.target_id.as_ref().map_or_else(
        || "evidence".to_owned(),
        |action| format!("evidence, and the outcome of {action}"),
    );
    format!("{}  {what} of {}\n", r.file, r.report_id)
}

pub(crate) fn replay(r: &RunbookReplay) -> String {
    let mut out = String::new();
    let verdict = match (r.same_component, r.identical) {
        (true, true) => "IDENTICAL",
        (true, false) => "NOT IDENTICAL",
        (false, _) if r.differences.is_empty() => "ANOTHER COMPONENT, THE SAME CONCLUSIONS",
        (false, _) => "ANOTHER COMPONENT, OTHER CONCLUSIONS",
    };
    line!(out, "{verdict}  {} of {}", r.phase, r.report_id);
    line!(
        out,
        "  recorded  {}, by pg-logstats {}",
        r.recorded_digest,
        r.recorded_host_version
    );
    line!(out, "  replayed  {}", r.digest);
    differences(&mut out, &r.differences);
    out
}

fn differences(out: &mut String, differences: &[Difference]) {
    for d in differences {
        line!(out, "  {:8} {} {}", d.change.as_str(), d.part, d.item);
        let sides = [("-", &d.before), ("+", &d.after)];
        for (sign, side) in sides.into_iter().filter(|(_, side)| !side.is_null()) {
            match side {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        line!(out, "    {sign} {name}: {value}");
                    }
                }
                other => line!(out, "    {sign} {other}"),
            }
        }
    }
}

pub(crate) fn explanation(e: &RunbookExplanation) -> String {
    let mut out = String::new();
    line!(out, "{} {}", e.name, e.version);
    line!(out, "  workflow  {}", e.workflow);
    line!(out, "  digest    {}", e.digest);
    line!(out, "  size      {} bytes", e.bytes);
    line!(out, "  contract  {}", e.wit_version.as_deref().unwrap_or("none"));
    line!(out, "  imports   {}", e.imports.join(", "));
    for signer in &e.unverified_signers {
        line!(out, "  signed    {} (not verified here)", signer.text());
    }
    words(&mut out, "workflows that it may send the agent to", &e.workflows);
    words(&mut out, "insights", &e.insights);
    words(&mut out, "reason codes", &e.reason_codes);
    line!(out, "\nall that it can say");
    for message in &e.messages {
        line!(out, "  {:28} {}", message.id, message.text.text());
    }
    match e.actions.len() {
        0 => line!(out, "\nit can request no action"),
        n => line!(out, "\nall that it can request: {n} actions"),
    }
    e.actions.iter().for_each(|it| declared(&mut out, it));
    out
}

fn words(out: &mut String, title: &str, words: &[String]) {
    if !words.is_empty() {
        line!(out, "\n{title}\n  {}", words.join(", "));
    }
}

fn declared(out: &mut String, declared: &DeclaredAction) {
    line!(out, "\n{}", "-".repeat(80));
    match &declared.catalogue {
        Some(action) => out.push_str(&catalog::action(action)),
        None => line!(out, "{}  not in this host's catalogue: it is refused", declared.id),
    }
}
