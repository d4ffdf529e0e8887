//! `policy check` as text.

use std::fmt::Write as _;

use pg_logstats_gateway::PolicyCheck;
use pg_logstats_gateway::report::Budget;

use super::line;

pub(crate) fn policy_check(p: &PolicyCheck) -> String {
    let mut out = String::new();
    line!(
        out,
        "database  {}",
        p.database.as_deref().unwrap_or("none is configured")
    );
    line!(out, "mode      {}", if p.agent_mode { "agent" } else { "person" });
    match (&p.required_role, p.role_matches) {
        (None, _) => line!(out, "role      any that passes the checks of every role"),
        (Some(role), Some(false)) => line!(out, "role      `{role}`, and the connection has ANOTHER one"),
        (Some(role), _) => line!(out, "role      `{role}`"),
    }
    match &p.hours {
        None => line!(out, "hours     always"),
        Some(hours) => {
            let state = match &hours.opens_at {
                None if hours.open => "open now".to_owned(),
                None => "CLOSED for ever".to_owned(),
                Some(at) => format!("CLOSED until {at}"),
            };
            line!(out, "hours     {}: {state}", hours.windows.join("; and "));
        }
    }
    if p.agent_mode {
        line!(out, "logs      {}", listed(&p.log_folders));
        line!(out, "outputs   {}", listed(&p.output_folders));
    }
    line!(out, "policy    {}", p.policy_digest);
    line!(out, "keeps     {}", listed(&p.redaction.kept));
    line!(
        out,
        "removes   {} ({})",
        listed(&p.redaction.removed),
        p.redaction.digest
    );
    line!(out);
    budget(&mut out, &p.budget);
    line!(out);
    for action in &p.actions {
        let up_to = |level: Option<_>, status| match level {
            Some(level) => format!("up to `{level}`"),
            None => format!("{status}"),
        };
        line!(
            out,
            "{:48} {:8} {}",
            action.target_id,
            action.risk,
            up_to(action.allowed_up_to, action.status)
        );
        if let Some(narrowed) = &action.narrowed {
            line!(
                out,
                "{:48} {:8} {}",
                "  with the parameters that narrow it",
                narrowed.risk,
                up_to(narrowed.allowed_up_to, narrowed.status)
            );
        }
        if action.allowed_up_to.is_none() {
            line!(out, "    {}", action.status_reason);
        }
        let caps = &action.caps;
        line!(
            out,
            "    {} rows, {} bytes, statement {} ms, lock {} ms; may cost {} ms",
            caps.max_rows,
            caps.max_bytes,
            caps.statement_timeout_ms,
            caps.lock_timeout_ms,
            caps.reserved_database_ms
        );
    }
    out
}

fn listed(folders: &[String]) -> String {
    if folders.is_empty() {
        "none".to_owned()
    } else {
        folders.join(", ")
    }
}

fn budget(out: &mut String, b: &Budget) {
    line!(
        out,
        "incident  {} actions ({} EXPLAIN ANALYZE), {} ms, {} bytes",
        b.actions_limit,
        b.explain_analyze_limit,
        b.database_ms_limit,
        b.bytes_limit
    );
    if let Some(day) = &b.day {
        line!(
            out,
            "today     {} of {} actions ({} of {} EXPLAIN ANALYZE), {} of {} ms, {} of {} bytes; begins anew at {}",
            day.actions_used,
            day.actions_limit,
            day.explain_analyze_used,
            day.explain_analyze_limit,
            day.database_ms_used,
            day.database_ms_limit,
            day.bytes_used,
            day.bytes_limit,
            day.resets_at
        );
    }
    if let Some(rate) = &b.rate {
        line!(
            out,
            "minute    {} of {} actions",
            rate.actions_last_minute,
            rate.actions_per_minute_limit
        );
    }
}
