//! The checks, one small function each.

use super::{Check, CheckStatus, Seen, Statements};
use crate::db::session::SUPPORTED_MAJOR_VERSIONS;

pub(super) fn failed(id: &str, reason: impl Into<String>, remedy: &str) -> Check {
    Check {
        id: id.to_owned(),
        status: CheckStatus::Failed,
        reason: reason.into(),
        remedy: Some(remedy.to_owned()),
    }
}

fn passed(id: &str, reason: impl Into<String>) -> Check {
    Check {
        id: id.to_owned(),
        status: CheckStatus::Passed,
        reason: reason.into(),
        remedy: None,
    }
}

fn skipped(id: &str, reason: impl Into<String>) -> Check {
    Check {
        id: id.to_owned(),
        status: CheckStatus::Skipped,
        reason: reason.into(),
        remedy: None,
    }
}

/// All of them, in order.
pub(super) fn all(seen: &Seen) -> Vec<Check> {
    vec![
        passed("server.reachable", "the server answers"),
        version(seen),
        durations(seen),
        line_prefix(seen),
        destination(seen),
        switch(
            seen,
            "log_lock_waits",
            "waits for locks are logged",
            "waits for locks are not logged",
        ),
        temp_files(seen),
        switch(
            seen,
            "log_checkpoints",
            "checkpoints are logged",
            "checkpoints are not logged",
        ),
        query_ids(seen),
        switch(
            seen,
            "track_activities",
            "sessions tell what they do",
            "sessions do not tell what they do, so no verdict can be taken",
        ),
        switch(
            seen,
            "track_io_timing",
            "IO times are measured",
            "IO times are not measured, so plans and statistics lack them",
        ),
        statements(seen),
        stats_role(seen),
        least_privilege(seen),
    ]
}

fn setting<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    seen.settings.get(name).map(String::as_str)
}

fn version(seen: &Seen) -> Check {
    let id = "server.version";
    let major = seen.facts.server_version_num / 10_000;
    let (oldest, newest) = (SUPPORTED_MAJOR_VERSIONS.start(), SUPPORTED_MAJOR_VERSIONS.end());
    if major < *oldest {
        failed(
            id,
            format!("PostgreSQL {major}; no action runs on versions before {oldest}"),
            "upgrade the server",
        )
    } else if major > *newest {
        failed(
            id,
            format!(
                "PostgreSQL {major}; versions {oldest} to {newest} are tested, actions may be unavailable on this one"
            ),
            "use a release of pg-logstats that is tested with this version",
        )
    } else {
        passed(id, format!("PostgreSQL {major} is supported"))
    }
}

/// A boolean setting that a reload switches on.
fn switch(seen: &Seen, name: &str, on: &str, off: &str) -> Check {
    let id = format!("server.{name}");
    match setting(seen, name) {
        Some("on") => passed(&id, on),
        Some(_) => failed(
            &id,
            off,
            &format!("ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"),
        ),
        None => skipped(&id, "the server does not show the setting"),
    }
}

fn durations(seen: &Seen) -> Check {
    let id = "server.log_min_duration_statement";
    match setting(seen, "log_min_duration_statement") {
        None => skipped(id, "the server does not show the setting"),
        Some("-1") => failed(
            id,
            "slow statements are not logged, so there are no query families",
            "ALTER SYSTEM SET log_min_duration_statement = '250ms'; SELECT pg_reload_conf();",
        ),
        Some(_) => passed(id, "slow statements are logged with their durations"),
    }
}

/// The escapes that the log has to have, and what for; one of each group is enough.
const PREFIX_NEEDS: [(&[&str], &str); 7] = [
    (&["%m", "%t", "%n"], "%m (time)"),
    (&["%p", "%c"], "%p (process id)"),
    (&["%u"], "%u (role)"),
    (&["%d"], "%d (database)"),
    (&["%a"], "%a (application name)"),
    (&["%e"], "%e (SQLSTATE)"),
    (&["%Q"], "%Q (query id)"),
];

fn line_prefix(seen: &Seen) -> Check {
    let id = "server.log_line_prefix";
    let (Some(prefix), Some(destination)) = (setting(seen, "log_line_prefix"), setting(seen, "log_destination")) else {
        return skipped(id, "the server does not show the setting");
    };
    if !destination.split(',').any(|d| matches!(d.trim(), "stderr" | "syslog")) {
        return skipped(id, "csvlog and jsonlog have every field, whatever the prefix");
    }
    let missing: Vec<&str> = PREFIX_NEEDS
        .iter()
        .filter(|(escapes, _)| !escapes.iter().any(|e| has_escape(prefix, e)))
        .map(|(_, what)| *what)
        .collect();
    if missing.is_empty() {
        return passed(
            id,
            "the prefix has time, process, role, database, application, SQLSTATE and query id",
        );
    }
    failed(
        id,
        format!("the prefix lacks {}", missing.join(", ")),
        "ALTER SYSTEM SET log_line_prefix = '%m [%p] %Q %e %q%u@%d %a: '; SELECT pg_reload_conf();",
    )
}

/// Whether the prefix has the escape, padding (`%-10u`) allowed for, `%%` not counted.
fn has_escape(prefix: &str, escape: &str) -> bool {
    let mut chars = prefix.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            continue;
        }
        let letter = chars.find(|c| *c != '-' && !c.is_ascii_digit());
        if letter.is_some_and(|l| escape.ends_with(l)) {
            return true;
        }
    }
    false
}

fn destination(seen: &Seen) -> Check {
    let id = "server.log_destination";
    let Some(destination) = setting(seen, "log_destination") else {
        return skipped(id, "the server does not show the setting");
    };
    let needs_collector = destination.split(',').any(|d| matches!(d.trim(), "csvlog" | "jsonlog"));
    if needs_collector && setting(seen, "logging_collector") != Some("on") {
        return failed(
            id,
            "csvlog and jsonlog are written by the logging collector only, which is off",
            "ALTER SYSTEM SET logging_collector = on; then restart the server",
        );
    }
    if destination.trim().is_empty() {
        return failed(
            id,
            "the log goes nowhere",
            "ALTER SYSTEM SET log_destination = 'jsonlog'; SELECT pg_reload_conf();",
        );
    }
    passed(id, "the log is written in a format that can be read")
}

fn temp_files(seen: &Seen) -> Check {
    let id = "server.log_temp_files";
    match setting(seen, "log_temp_files") {
        None => skipped(id, "the server does not show the setting"),
        Some("-1") => failed(
            id,
            "temporary files are not logged",
            "ALTER SYSTEM SET log_temp_files = '1MB'; SELECT pg_reload_conf();",
        ),
        Some(_) => passed(id, "temporary files are logged"),
    }
}

fn query_ids(seen: &Seen) -> Check {
    let id = "server.compute_query_id";
    let loaded = !matches!(seen.statements, Statements::Missing | Statements::NotLoaded);
    match setting(seen, "compute_query_id") {
        None => skipped(id, "the server does not show the setting"),
        Some("auto") if loaded => passed(id, "query ids are computed, because pg_stat_statements is loaded"),
        Some("auto" | "off") => failed(
            id,
            "query ids are not computed, so statements of the log cannot be looked up on the server",
            "ALTER SYSTEM SET compute_query_id = on; SELECT pg_reload_conf();",
        ),
        Some(_) => passed(id, "query ids are computed"),
    }
}

fn statements(seen: &Seen) -> Check {
    let id = "server.pg_stat_statements";
    let preload = "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'; (keep the libraries that are listed there), then \
                   restart the server";
    match &seen.statements {
        Statements::Readable if seen.role.extension_may_be_replaced => passed(
            id,
            "the extension is loaded and readable; the owner of its schema (of `public`: the database's owner) is no superuser and could put functions \
             of his own in its place, which would run with this role's rights: who does not trust him that far moves it, with ALTER EXTENSION \
             pg_stat_statements SET SCHEMA, to a schema of a superuser's",
        ),
        Statements::Readable => passed(id, "the extension is loaded and readable"),
        Statements::Missing => failed(
            id,
            "this database has not the extension",
            "CREATE EXTENSION pg_stat_statements; in this database, with pg_stat_statements in shared_preload_libraries",
        ),
        Statements::NotLoaded => failed(id, "the extension is there, but its library is not loaded", preload),
        Statements::Forbidden => failed(id, "the role may not read it", "run the grant script"),
        Statements::TooOld => failed(
            id,
            "the extension's version is older than the server",
            "ALTER EXTENSION pg_stat_statements UPDATE; in this database",
        ),
        Statements::Failed(detail) => failed(id, detail.clone(), "look into the server's log"),
    }
}

fn stats_role(seen: &Seen) -> Check {
    let id = "role.reads_all_stats";
    if seen.facts.reads_all_stats {
        passed(id, "the role sees other roles' sessions and statements")
    } else {
        failed(
            id,
            "the server hides other roles' sessions and statements from the role",
            "run the grant script",
        )
    }
}

fn least_privilege(seen: &Seen) -> Check {
    let id = "role.least_privilege";
    if seen.facts.powers.is_empty() {
        return passed(id, "the role cannot write, create or signal anything");
    }
    let can: Vec<&str> = seen.facts.powers.iter().map(|p| p.words()).collect();
    failed(
        id,
        format!("the role {}; no action runs with it", can.join(", and ")),
        "use the role that the grant script makes, or set `allow_privileged_role` in the configuration; what PUBLIC may do, every role may: revoke that \
         from what `excess_rights` names",
    )
}
