//! The script for the least role that works.

use super::{Seen, Statements};

/// The role that is proposed when the one in use has rights that it should not have.
const PROPOSED_ROLE: &str = "logstats_reader";

/// SQL for a superuser, in the inspected database. Every name is one that the server has quoted, or ours.
pub(super) fn script(seen: &Seen) -> String {
    let make_role = !seen.facts.powers.is_empty();
    let role = if make_role {
        PROPOSED_ROLE
    } else {
        &seen.role.role_quoted
    };
    let mut script = vec!["-- Run as a superuser in this database.".to_owned()];
    if make_role {
        script.push(format!(
            "CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 8;"
        ));
        script.push(format!("-- Then, in psql: \\password {role}"));
    }
    script.push(format!(
        "GRANT CONNECT ON DATABASE {} TO {role};",
        seen.role.database_quoted
    ));
    script.push("-- Sessions, waits and statement texts of all roles; no table's rows.".to_owned());
    script.push(format!("GRANT pg_read_all_stats TO {role};"));
    script.push("-- What a statement of the role may write to temporary files; EXPLAIN ANALYZE sorts and joins as the application does.".to_owned());
    script.push(format!("ALTER ROLE {role} SET temp_file_limit = '1GB';"));
    if seen.statements == Statements::Missing {
        script.push("CREATE EXTENSION IF NOT EXISTS pg_stat_statements;".to_owned());
    }
    if let Some(schema) = &seen.facts.pg_stat_statements_schema
        && (!seen.role.extension_schema_usable || seen.statements == Statements::Forbidden || make_role)
    {
        script.push(format!("GRANT USAGE ON SCHEMA {schema} TO {role};"));
        script.push(format!(
            "GRANT EXECUTE ON FUNCTION {schema}.pg_stat_statements(boolean) TO {role};"
        ));
    }
    script.push("-- Only for EXPLAIN, which needs the right to read what the statement reads; for figures of columns and estimates of bloat, which the".to_owned());
    script.push("-- server shows of readable columns only; and for sequences near their end. Per schema instead, if you prefer (for sequences: SELECT".to_owned());
    script.push("-- ON ALL SEQUENCES IN SCHEMA). `pg-logstats catalog show` says what each action needs:".to_owned());
    script.push(format!("-- GRANT pg_read_all_data TO {role};"));
    script.join("\n") + "\n"
}
