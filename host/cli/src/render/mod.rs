//! Results as text for people. Everything printed here was escaped when the report was made; see the gateway's `untrusted`.

mod catalog;
mod policy;
mod report;
mod runbook;

use std::fmt::Write as _;

use pg_logstats_gateway::approvals::ApprovalView;
use pg_logstats_gateway::audit::export::NamedRunbook;
use pg_logstats_gateway::audit::log_key::LogKeyChange;
use pg_logstats_gateway::audit::witness::Cosigned;
use pg_logstats_gateway::audit::{
    AuditEntry, AuditExport, Erasure, ExportVerification, ProvenRecord, TimelineEvent, Verification,
};
use pg_logstats_gateway::keys::KeyView;
use pg_logstats_gateway::packs::PackView;
use pg_logstats_gateway::report::Refusal;
use pg_logstats_gateway::runbooks::{RevocationView, RunbookView};
use pg_logstats_gateway::trust::keyring::TrustedKeyView;
use pg_logstats_gateway::{HealthReport, Inspection, RunbookUsageList, TrustedRunbook};
use serde::Serialize;

pub(crate) use catalog::{action, actions};
pub(crate) use policy::policy_check;
pub(crate) use report::report;
pub(crate) use runbook::{build, explanation, project, recording, replay, test};

/// Writing to a String cannot fail; this macro says so once.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($arg:tt)*) => {{ let _ = writeln!($out, $($arg)*); }};
}
pub(crate) use line;

pub(crate) fn refusal(r: &Refusal) -> String {
    let mut out = String::new();
    line!(out, "REFUSED  {}", r.reason);
    if let Some(target) = &r.target_id {
        line!(out, "  action   {target}");
    }
    if let Some(status) = r.status {
        line!(out, "  status   {status}");
    }
    if let Some(health) = &r.health {
        line!(out, "  verdict  {}", health.level);
        for reason in &health.reasons {
            line!(out, "           {reason}");
        }
    }
    if r.approval_request.is_some() {
        line!(
            out,
            "  approval a person can approve it: print this with --format json into a file, and give that to `pg-logstats approve`"
        );
    }
    line!(
        out,
        "  record   {} (index {} of the audit log)",
        r.refusal_id,
        r.audit.index
    );
    out
}

pub(crate) fn inspection(i: &Inspection) -> String {
    let mut out = String::new();
    line!(out, "operating mode  {}", i.operating_mode);
    line!(out);
    for check in &i.checks {
        line!(
            out,
            "{:8} {:32} {}",
            format!("{:?}", check.status).to_lowercase(),
            check.id,
            check.reason
        );
        if let Some(remedy) = &check.remedy {
            line!(out, "         → {remedy}");
        }
    }
    if let Some(server) = i.server.as_ref().filter(|server| !server.excess_rights.is_empty()) {
        line!(out, "\nWhat the role has too many rights from:\n");
        for found in &server.excess_rights {
            line!(out, "    {:20} {}", found.right, found.from.text());
        }
    }
    if let Some(script) = i.server.as_ref().and_then(|s| s.grant_script.as_ref()) {
        line!(out, "\nThe least role that works:\n");
        for text in script.text().lines() {
            line!(out, "    {text}");
        }
    }
    out
}

pub(crate) fn health(h: &HealthReport) -> String {
    let mut out = String::new();
    line!(out, "{}  {}", h.verdict, h.database);
    for reason in &h.verdict_reasons {
        line!(out, "  {reason}");
    }
    line!(out);
    out.push_str(&fields("inputs", &h.health.inputs));
    out.push_str(&fields("thresholds", &h.health.thresholds));
    out
}

/// A verdict in one line: when, what, why, and the inputs that tell most of a server at a glance.
pub(crate) fn health_line(h: &HealthReport) -> String {
    let at = h.created_at.get(11..19).unwrap_or(&h.created_at);
    let latest = h.health.samples.last();
    let load = latest.map_or(String::new(), |s| {
        format!(
            "  connections {}/{}, active {}, lock waits {}, idle in transaction {}",
            s.connections, s.max_connections, s.active, s.lock_waiters, s.idle_in_transaction
        )
    });
    let why = match h.verdict_reasons.as_slice() {
        [] => String::new(),
        reasons => format!("  {}", reasons.join("; ")),
    };
    format!("{at}Z  {:9}{load}{why}", h.verdict)
}

/// The fields of a flat struct, one a line.
fn fields<T: Serialize>(title: &str, value: &T) -> String {
    let mut out = format!("{title}\n");
    if let Ok(serde_json::Value::Object(map)) = serde_json::to_value(value) {
        for (name, value) in map {
            line!(out, "  {name:40} {value}");
        }
    }
    out
}

pub(crate) fn verification(v: &Verification) -> String {
    let mut out = String::new();
    line!(out, "{}", if v.verified { "VERIFIED" } else { "NOT VERIFIED" });
    line!(out, "  records   {}", v.records);
    line!(out, "  entries   {}", v.entries);
    if let Some(root) = &v.root {
        line!(out, "  root      {root}");
    }
    for (key, records) in &v.records_by_key {
        line!(out, "  key       {key} ({records} records)");
    }
    if v.keys.len() > 1 || v.keys.iter().any(|it| it.compromised_since.is_some()) {
        for period in &v.keys {
            let last = period
                .last_index
                .map_or_else(|| "now".to_owned(), |last| last.to_string());
            let since = period.compromised_since;
            let since = since.map_or_else(String::new, |since| format!(", COMPROMISED from index {since} on"));
            line!(
                out,
                "  in force  {} from index {} to {last}{since}",
                period.key_id,
                period.first_index
            );
        }
    }
    if let Some(since) = &v.since {
        line!(
            out,
            "  since     {} entries, {} added, root {}",
            since.size,
            since.added,
            since.root
        );
    }
    for problem in &v.problems {
        line!(out, "  PROBLEM   {problem}");
    }
    if v.problem_count > v.problems.len() as u64 {
        line!(
            out,
            "  PROBLEM   and {} more",
            v.problem_count - v.problems.len() as u64
        );
    }
    for note in &v.notes {
        line!(out, "  note      {note}");
    }
    out
}

pub(crate) fn audit_list(entries: &Vec<AuditEntry>) -> String {
    let mut out = String::new();
    for e in entries {
        line!(
            out,
            "{:>6}  {}  {:9}  {}  {}",
            e.index,
            e.created_at,
            e.kind,
            e.record_id,
            e.incident_id.as_deref().unwrap_or("-")
        );
    }
    out
}

pub(crate) fn timeline(events: &Vec<TimelineEvent>) -> String {
    let mut out = String::new();
    for e in events {
        line!(out, "{}  {:>6}  {}: {}", e.at, e.index, e.who, e.what);
    }
    out
}

pub(crate) fn proven(p: &ProvenRecord) -> String {
    let mut out = String::new();
    line!(out, "PROVEN");
    line!(
        out,
        "  record     {} ({}), index {} of {}",
        p.record_id,
        p.kind,
        p.index,
        p.tree_size
    );
    line!(out, "  created    {}", p.created_at);
    line!(out, "  incident   {}", p.incident_id.as_deref().unwrap_or("-"));
    line!(out, "  sha256     {}", p.sha256);
    line!(out, "  root       {}", p.root);
    line!(out, "  log's key  {}", p.checkpoint_keys.join(", "));
    if !p.witnesses.is_empty() {
        line!(out, "  witnesses  {}", p.witnesses.join(", "));
    }
    if let Some(keys) = &p.record_keys {
        line!(out, "  the file is that record, signed by {}", keys.join(", "));
    }
    out
}

pub(crate) fn cosigned(c: &Cosigned) -> String {
    let mut out = String::new();
    line!(
        out,
        "{}  checkpoint of {} entries",
        if c.quorum { "COSIGNED" } else { "NOT ENOUGH" },
        c.size
    );
    for witness in &c.witnesses {
        let said = witness.problem.as_deref().unwrap_or("cosigned");
        line!(out, "  {:20} {said}", witness.name);
    }
    if let Some(missing) = &c.missing {
        line!(out, "  {missing}");
    }
    out
}

pub(crate) fn log_key(c: &LogKeyChange) -> String {
    let what = match (&c.successor, c.since_index) {
        (Some(successor), _) => format!("the log's key is {successor} now, in place of {}", c.key_id),
        (None, since) => format!(
            "the key {} is declared compromised from index {} on",
            c.key_id,
            since.unwrap_or_default()
        ),
    };
    format!("{what} (record {}, index {})\n", c.record_id, c.audit.index)
}

pub(crate) fn audit_export(e: &AuditExport) -> String {
    let mut out = String::new();
    let all = if e.complete { "all" } else { "chosen" };
    line!(
        out,
        "exported   {} records ({all}) of {} to {}",
        e.records,
        e.tree_size,
        e.file
    );
    line!(out, "  root     {}", e.root);
    named_runbooks(&mut out, &e.runbooks);
    out
}

pub(crate) fn export_verification(v: &ExportVerification) -> String {
    let mut out = String::new();
    line!(out, "{}", if v.verified { "VERIFIED" } else { "NOT VERIFIED" });
    let of = v.tree_size.map_or_else(String::new, |size| format!(" of {size}"));
    let all = if v.complete { ", the whole log" } else { "" };
    line!(out, "  records  {}{of}{all}", v.records);
    if let Some(root) = &v.root {
        line!(out, "  root     {root}");
    }
    for (key, records) in &v.records_by_key {
        line!(out, "  key      {key} ({records} records)");
    }
    if !v.witnesses.is_empty() {
        line!(out, "  seen by  {}", v.witnesses.join(", "));
    }
    named_runbooks(&mut out, &v.runbooks);
    for problem in &v.problems {
        line!(out, "  PROBLEM  {problem}");
    }
    let more = v.problem_count - v.problems.len() as u64;
    if more > 0 {
        line!(out, "  PROBLEM  and {more} more");
    }
    out
}

fn named_runbooks(out: &mut String, runbooks: &[NamedRunbook]) {
    for r in runbooks {
        let name = r.name.as_deref().unwrap_or("-");
        let version = r.version.as_deref().unwrap_or("-");
        line!(out, "  runbook  {} {name} {version} ({} records)", r.sha256, r.records);
    }
}

pub(crate) fn erasure(e: &Erasure) -> String {
    format!(
        "erased  {} (record {}, index {})\n",
        e.evidence_digest, e.record_id, e.audit.index
    )
}

pub(crate) fn runbooks(runbooks: &Vec<TrustedRunbook>) -> String {
    let mut out = String::new();
    for r in runbooks {
        let version = r.version.as_deref().unwrap_or("-");
        let state = if r.trusted { "trusted" } else { "NOT TRUSTED" };
        line!(
            out,
            "{:20} {:20} {:10} {:12} {}",
            r.workflow,
            r.name,
            version,
            state,
            r.signers.join(", ")
        );
        line!(out, "{:20} {}  {}", "", r.digest, r.wit.as_deref().unwrap_or_default());
        if let Some(reason) = &r.reason {
            line!(out, "{:20} {reason}", "");
        }
    }
    out
}

/// Several things, a line between them.
pub(crate) fn each<T>(things: &[T], one: impl Fn(&T) -> String) -> String {
    things.iter().map(one).collect::<Vec<_>>().join("\n")
}

pub(crate) fn runbook(r: &RunbookView) -> String {
    let mut out = String::new();
    line!(
        out,
        "{} {}  {}",
        r.name,
        r.version,
        if r.trusted { "TRUSTED" } else { "NOT TRUSTED" }
    );
    if let Some(reason) = &r.reason {
        line!(out, "  why      {reason}");
    }
    line!(out, "  digest   {}", r.digest);
    line!(out, "  workflow {}, built for {}", r.workflow, r.wit);
    line!(out, "  risk     at most {}", r.risk_ceiling);
    for action in &r.actions {
        line!(out, "  may ask  {action}");
    }
    for signer in &r.signers {
        let name = signer.name.as_deref().unwrap_or("somebody unknown here");
        let roles: Vec<_> = signer.roles.iter().map(ToString::to_string).collect();
        let problem = signer.problem.as_ref().map_or(String::new(), |it| format!(": {it}"));
        line!(
            out,
            "  signed   {name} ({}), key {}{problem}",
            roles.join(", "),
            signer.key_id
        );
    }
    out
}

pub(crate) fn revocation(r: &RevocationView) -> String {
    format!(
        "REVOKED  {}\n  why    {}\n  when   {}\n",
        r.digest, r.reason, r.revoked_at
    )
}

pub(crate) fn trusted_keys(keys: &Vec<TrustedKeyView>) -> String {
    let mut out = String::new();
    for key in keys {
        let roles: Vec<_> = key.roles.iter().map(ToString::to_string).collect();
        line!(
            out,
            "{:20} {:10} {}",
            key.name,
            if key.counts { "counts" } else { "DOES NOT" },
            roles.join(", ")
        );
        line!(out, "{:20} {}", "", key.key_id);
        for (what, at) in [
            ("from", &key.not_before),
            ("until", &key.not_after),
            ("revoked", &key.revoked_at),
        ] {
            if let Some(at) = at {
                line!(out, "{:20} {what} {at}", "");
            }
        }
    }
    out
}

pub(crate) fn runbook_usage(list: &RunbookUsageList) -> String {
    let mut out = String::new();
    for r in &list.runbooks {
        line!(out, "{} {}  {}", r.name, r.version, r.digest);
        let failed: u64 = r.failures.values().sum();
        let codes: Vec<String> = r.failures.iter().map(|(code, n)| format!("{code} {n}")).collect();
        let codes = if codes.is_empty() {
            String::new()
        } else {
            format!(": {}", codes.join(", "))
        };
        line!(out, "  runs               {}, of which failed {failed}{codes}", r.runs);
        let figures = [
            ("fuel", r.fuel),
            ("requests", r.requests),
            ("host calls", r.host_calls),
            ("peak memory, bytes", r.peak_memory_bytes),
            ("output, bytes", r.output_bytes),
            ("wall time, µs", r.wall_time_us),
        ];
        for (name, spread) in figures {
            line!(out, "  {name:18} median {}, at most {}", spread.median, spread.max);
        }
    }
    out
}

pub(crate) fn key(k: &KeyView) -> String {
    format!("key id  {}\n{}", k.key_id, k.public_key)
}

pub(crate) fn approval(a: &ApprovalView) -> String {
    let mut out = String::new();
    line!(out, "{}  {}", a.approval_id, a.status.to_uppercase());
    line!(out, "  action   {}", a.target_id);
    line!(out, "  on       {}", a.database);
    line!(out, "  for      {}, request {}", a.incident_id, a.request_id);
    line!(out, "  by key   {}", a.approver_key_id);
    line!(out, "  valid    {} to {}", a.issued_at, a.expires_at);
    out
}

pub(crate) fn approvals(approvals: &[ApprovalView]) -> String {
    approvals.iter().map(approval).collect()
}

pub(crate) fn pack(p: &PackView) -> String {
    let mut out = String::new();
    line!(out, "{} {}", p.name, p.version);
    for action in &p.actions {
        line!(out, "  {action}");
    }
    if !p.signer.is_empty() {
        line!(out, "  signed by {}", p.signer);
    }
    out
}

pub(crate) fn json_text(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
