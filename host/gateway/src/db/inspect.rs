//! What a server is set to, what it would need, and with which role it is asked.
//!
//! **In**: a target. **Out**: checks, each with its reason and exact remedy, and the script for the least role that works.
//! **Trusted**: nothing of the server's text: values of settings and names are [`Untrusted`] and stand in no reason or remedy.
//! **Can fail**: never; a server that cannot be asked is a failed check.

mod checks;
mod grants;
mod rights;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Row as _};

use super::dsn::Target;
use super::failure::Failure;
use super::session::{Facts, Session, Timeouts};
use crate::untrusted::Untrusted;
pub use rights::ExcessRight;

/// Timeouts of an inspection: a few catalogue reads.
const TIMEOUTS: Timeouts = Timeouts {
    statement_ms: 5_000,
    lock_ms: 500,
    idle_in_transaction_ms: 10_000,
};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Stable id, for example `server.log_lock_waits`.
    pub id: String,
    /// How it came out.
    pub status: CheckStatus,
    /// Why; ours.
    pub reason: String,
    /// What to do, exactly; ours. None when there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Nothing to do.
    Passed,
    /// Something is missing.
    Failed,
    /// Could not be looked at, or does not apply.
    Skipped,
}

/// What a server said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerInspection {
    /// `server_version_num`; none when the server did not answer.
    pub server_version_num: Option<u32>,
    /// The settings that were looked at. Untrusted: whoever may set them chose the text.
    pub settings: BTreeMap<String, Untrusted>,
    /// In a fixed order.
    pub checks: Vec<Check>,
    /// What gives the role rights that a diagnosis does not need (`role.least_privilege`): at most five of each right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excess_rights: Vec<ExcessRight>,
    /// SQL for a superuser to run in this database: makes the least role that works. Untrusted, because it holds names.
    pub grant_script: Option<Untrusted>,
}

impl ServerInspection {
    /// Whether the server answered.
    pub fn is_answered(&self) -> bool {
        self.server_version_num.is_some()
    }

    fn unreachable(failure: &Failure) -> Self {
        let remedy = "check the connection settings (--dsn, PG_LOGSTATS_DATABASE_URL or the configuration file), and that the server runs";
        Self {
            server_version_num: None,
            settings: BTreeMap::new(),
            checks: vec![checks::failed("server.reachable", failure.detail.clone(), remedy)],
            excess_rights: Vec::new(),
            grant_script: None,
        }
    }
}

/// What was read, for the checks and the script.
#[derive(Debug)]
struct Seen {
    facts: Facts,
    settings: BTreeMap<String, String>,
    role: Names,
    rights: Vec<ExcessRight>,
    statements: Statements,
}

/// Names, quoted by the server where SQL needs it.
#[derive(Debug)]
struct Names {
    role_quoted: String,
    database_quoted: String,
    extension_schema_usable: bool,
    /// Whether somebody could have the name of the extension's schema mean another one.
    extension_may_be_replaced: bool,
}

/// The state of pg_stat_statements.
#[derive(Debug, PartialEq, Eq)]
enum Statements {
    /// This database has no such extension.
    Missing,
    /// The extension is there and its library is not loaded.
    NotLoaded,
    /// The role may not read it.
    Forbidden,
    /// The extension is older than what the catalogue's SQL needs.
    TooOld,
    /// It answers.
    Readable,
    /// It failed in another way.
    Failed(String),
}

/// Looks at the server.
pub async fn inspect_server(target: &Target) -> ServerInspection {
    let mut session = match Session::open(target, TIMEOUTS).await {
        Ok(session) => session,
        Err(failure) => return ServerInspection::unreachable(&failure),
    };
    let seen = look(&mut session).await;
    session.close().await;
    match seen {
        Ok(seen) => ServerInspection {
            server_version_num: Some(seen.facts.server_version_num),
            checks: checks::all(&seen),
            grant_script: Some(Untrusted::capped(&grants::script(&seen), 8_000)),
            settings: seen
                .settings
                .iter()
                .map(|(name, value)| (name.clone(), Untrusted::capped(value, 500)))
                .collect(),
            excess_rights: seen.rights,
        },
        Err(failure) => ServerInspection::unreachable(&failure),
    }
}

async fn look(session: &mut Session) -> Result<Seen, Failure> {
    let facts = session.facts.clone();
    let rows = sqlx::query(SETTINGS)
        .fetch_all(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    let settings = rows
        .iter()
        .filter_map(|row| Some((row.try_get("name").ok()?, row.try_get("setting").ok()?)))
        .collect();
    let row = sqlx::query(NAMES)
        .fetch_one(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    let name = |column: &str| row.try_get::<String, _>(column).map_err(|e| Failure::running(&e));
    let role = Names {
        role_quoted: name("role_quoted")?,
        database_quoted: name("database_quoted")?,
        extension_schema_usable: row.try_get("extension_schema_usable").unwrap_or(false),
        extension_may_be_replaced: row
            .try_get("extension_may_be_replaced")
            .map_err(|e| Failure::running(&e))?,
    };
    let rights = rights::of(session).await?;
    // Last, because its failure ends the transaction.
    let statements = statements(session, &facts).await;
    Ok(Seen {
        facts,
        settings,
        role,
        rights,
        statements,
    })
}

async fn statements(session: &mut Session, facts: &Facts) -> Statements {
    let Some(schema) = &facts.pg_stat_statements_schema else {
        return Statements::Missing;
    };
    // `toplevel` came with 1.9, the version that goes with PostgreSQL 14.
    let sql =
        format!("SELECT count(*) FROM (SELECT s.toplevel FROM {schema}.pg_stat_statements(false) AS s LIMIT 1) AS one");
    match sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut session.connection).await {
        Ok(_) => Statements::Readable,
        Err(error) => match super::failure::sqlstate(&error) {
            Some("55000") => Statements::NotLoaded,
            Some("42501") => Statements::Forbidden,
            Some("42703" | "42883") => Statements::TooOld,
            _ => Statements::Failed(Failure::running(&error).detail),
        },
    }
}

const SETTINGS: &str = "
SELECT s.name, s.setting
  FROM pg_catalog.pg_settings AS s
 WHERE s.name IN ('compute_query_id', 'log_checkpoints', 'log_destination', 'log_duration', 'log_line_prefix', 'log_lock_waits',
                  'log_min_duration_statement', 'log_temp_files', 'logging_collector', 'track_activities', 'track_io_timing',
                  'track_activity_query_size')";

/// A schema's owner may give its name to another schema between any two statements, and functions of an extension are called by that name; a
/// superuser or the extension's own owner could do the same without. Since PostgreSQL 15 the schema `public` is the database owner's.
const NAMES: &str = "
SELECT quote_ident(session_user) AS role_quoted,
       quote_ident(current_database()) AS database_quoted,
       coalesce((SELECT has_schema_privilege(e.extnamespace, 'USAGE')
                   FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_stat_statements'), true) AS extension_schema_usable,
       coalesce((SELECT NOT r.rolsuper AND r.oid <> e.extowner
                   FROM pg_catalog.pg_extension AS e
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
                   JOIN pg_catalog.pg_roles AS o ON o.oid = n.nspowner
                   JOIN pg_catalog.pg_database AS b ON b.datname = pg_catalog.current_database()
                   JOIN pg_catalog.pg_roles AS r ON r.oid = CASE o.rolname WHEN 'pg_database_owner' THEN b.datdba ELSE o.oid END
                  WHERE e.extname = 'pg_stat_statements'), false) AS extension_may_be_replaced";
