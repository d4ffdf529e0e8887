//! The catalogue as text.

use std::fmt::Write as _;

use pg_logstats_gateway::catalogue::view::{ActionView, CatalogList};
use pg_logstats_gateway::catalogue::{Column, Parameter, Statement};

use super::line;

pub(crate) fn actions(list: &CatalogList) -> String {
    let mut out = String::new();
    let width = list.actions.iter().map(|a| a.id.len()).max().unwrap_or_default();
    for a in &list.actions {
        let mut notes = a.parameters.clone();
        if a.essential {
            notes.push("[essential]".to_owned());
        }
        if a.since_postgresql > 14 {
            notes.push(format!("[from PostgreSQL {}]", a.since_postgresql));
        }
        let row = format!("{:width$}  {:8} {}  {}", a.id, a.risk, a.title, notes.join(" "));
        line!(out, "{}", row.trim_end());
    }
    out
}

pub(crate) fn action(a: &ActionView) -> String {
    let mut out = String::new();
    line!(out, "{}  {}", a.id, a.title);
    line!(out);
    for paragraph in a.description.lines() {
        line!(out, "{paragraph}");
    }
    line!(out);
    let lower = a
        .risk_when_bound
        .iter()
        .map(|(name, risk)| format!("; `{risk}` with {name}"));
    line!(out, "risk        {}{}", a.risk, lower.collect::<String>());
    line!(out, "class       {}", a.class);
    line!(out, "essential   {}", if a.essential { "yes" } else { "no" });
    line!(out, "role needs  {}", needs(a));
    line!(
        out,
        "caps        {} rows, {} bytes, statement_timeout {} ms ({} ms when saturated), lock_timeout {} ms ({} ms)",
        a.caps.max_rows,
        a.caps.max_bytes,
        a.caps.statement_timeout_ms,
        a.caps.saturated.statement_timeout_ms,
        a.caps.lock_timeout_ms,
        a.caps.saturated.lock_timeout_ms
    );
    line!(out, "file        sha256:{}", a.digest);
    a.parameters.iter().for_each(|p| parameter(&mut out, p));
    if !a.at_least_one_of.is_empty() {
        line!(out, "            at least one of {}", a.at_least_one_of.join(", "));
    }
    a.columns.iter().for_each(|c| column(&mut out, c));
    a.statements.iter().for_each(|s| statement(&mut out, s));
    if let Some(sql) = &a.index_facts_sql {
        line!(out);
        line!(out, "About an index that the plan may lack");
        indented(&mut out, sql);
    }
    out
}

/// What the role needs, in words.
fn needs(a: &ActionView) -> String {
    let p = &a.privileges;
    let mut needs = vec!["CONNECT".to_owned()];
    needs.extend(p.roles.iter().cloned());
    needs.extend(p.extensions.iter().map(|e| format!("extension {e}")));
    if p.select_on_relations {
        needs.push("SELECT on the relations that it is about".to_owned());
    }
    if p.select_on_sequences {
        needs.push("SELECT on sequences".to_owned());
    }
    needs.join(", ")
}

fn parameter(out: &mut String, p: &Parameter) {
    let optional = if p.required { "" } else { " (optional)" };
    line!(out, "parameter   {:18} {}{optional}", p.name, p.description);
}

fn column(out: &mut String, c: &Column) {
    let untrusted = if c.untrusted { " (untrusted)" } else { "" };
    line!(out, "column      {:32} {}{untrusted}", c.name, c.column_type);
}

fn statement(out: &mut String, s: &Statement) {
    let until = s.max_version.map(|max| format!(" to {}", max / 10_000));
    line!(out);
    line!(
        out,
        "PostgreSQL {}{}",
        s.min_version / 10_000,
        until.unwrap_or_else(|| " and later".to_owned())
    );
    indented(out, &s.sql);
}

fn indented(out: &mut String, sql: &str) {
    line!(out);
    for text in sql.trim().lines() {
        line!(out, "    {text}");
    }
}
