//! One connection, made for one purpose and thrown away: read only, with timeouts, its role known.
//!
//! **In**: a [`Target`] and timeouts. **Out**: a session inside a `READ ONLY` transaction that nobody ever commits, and what the
//! server said of itself and of the role. **Trusted**: nothing of the answers but their types. **Can fail**: as [`Failure`] says.
//!
//! Connecting takes one round trip more than the driver's own: everything is set and asked in one simple query. Its only variable
//! parts are numbers.
//!
//! The session asks the server to look every quarter of a second whether its client is still there
//! (`client_connection_check_interval`). So a query ends on the server however this process ends, a kill included.

#[cfg(test)]
mod tests;

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::dsn::Target;
use super::failure::Failure;
use crate::words::OutcomeStatus;

/// What every session of ours calls itself.
pub(crate) const APPLICATION_NAME: &str = "pg-logstats";

/// First and last supported major version.
pub const SUPPORTED_MAJOR_VERSIONS: std::ops::RangeInclusive<u32> = 14..=18;

/// How long the server's answer may be late, over its own timeout, before the client gives up on it.
pub(crate) const GRACE: Duration = Duration::from_millis(super::GRACE_MS);

/// Server-side timeouts of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub(crate) statement_ms: u32,
    pub(crate) lock_ms: u32,
    pub(crate) idle_in_transaction_ms: u32,
}

/// Something that a role can do and that the gateway's role must not be able to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Power {
    Superuser,
    CreateRole,
    CreateDatabase,
    Replication,
    PredefinedRole,
    OwnsRelation,
    WritesRelation,
    WritesColumn,
    CreatesInSchema,
    CreatesInDatabase,
}

impl Power {
    const ALL: [Self; 10] = [
        Self::Superuser,
        Self::CreateRole,
        Self::CreateDatabase,
        Self::Replication,
        Self::PredefinedRole,
        Self::OwnsRelation,
        Self::WritesRelation,
        Self::WritesColumn,
        Self::CreatesInSchema,
        Self::CreatesInDatabase,
    ];

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::CreateRole => "createrole",
            Self::CreateDatabase => "createdb",
            Self::Replication => "replication",
            Self::PredefinedRole => "predefined_role",
            Self::OwnsRelation => "owns_relation",
            Self::WritesRelation => "writes_relation",
            Self::WritesColumn => "writes_column",
            Self::CreatesInSchema => "creates_in_schema",
            Self::CreatesInDatabase => "creates_in_database",
        }
    }

    /// What the role can do, to follow "the role".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Superuser => "is or can become a superuser",
            Self::CreateRole => "can create roles",
            Self::CreateDatabase => "can create databases",
            Self::Replication => "can start replication",
            Self::PredefinedRole => {
                "is a member of a predefined role that writes, maintains, reads server files, runs programs or signals others' sessions"
            }
            Self::OwnsRelation => "owns a table, view or sequence",
            Self::WritesRelation => "can write to a table or sequence, by a grant to it or to PUBLIC",
            Self::WritesColumn => "can write to a column",
            Self::CreatesInSchema => "can create objects in a schema",
            Self::CreatesInDatabase => "can create schemas in the database",
        }
    }
}

/// What the server said when the session began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) server_version_num: u32,
    pub(crate) pid: i32,
    /// The name of the database that it is in, which a pooler may have chosen.
    pub(crate) database: String,
    /// The quoted schema of pg_stat_statements, when this database has the extension.
    pub(crate) pg_stat_statements_schema: Option<String>,
    /// Whether the role sees other roles' sessions and statements.
    pub(crate) reads_all_stats: bool,
    /// What the role can do and should not be able to.
    pub(crate) powers: Vec<Power>,
    /// Whose rights the session has: the login role, whatever it was set to become.
    pub(crate) role: String,
}

/// A connection inside its read-only transaction.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: PgConnection,
    pub(crate) facts: Facts,
}

impl Session {
    /// Connects, begins the transaction, sets the timeouts, and asks what has to be known.
    pub(crate) async fn open(target: &Target, timeouts: Timeouts) -> Result<Self, Failure> {
        let mut connection = connect(target).await?;
        let limit = Duration::from_millis(timeouts.statement_ms.into()) + GRACE;
        let asked = tokio::time::timeout(
            limit,
            sqlx::raw_sql(AssertSqlSafe(format!("{}{FACTS}", opening(timeouts)))).fetch_all(&mut connection),
        );
        let rows = match asked.await {
            Ok(rows) => rows.map_err(|e| Failure::running(&e))?,
            Err(_) => return Err(Failure::no_answer("the session's opening", limit.as_millis())),
        };
        let facts = rows.last().and_then(|row| facts(row).ok()).ok_or_else(|| {
            Failure::new(
                OutcomeStatus::Failed,
                "the server's answer about itself is not understood; is it PostgreSQL?",
            )
        })?;
        Ok(Self { connection, facts })
    }

    /// Refuses a server that is too old, and a role that could do harm unless the operator allows it.
    pub(crate) fn check(&self, allow_privileged_role: bool) -> Result<(), Failure> {
        let major = self.facts.server_version_num / 10_000;
        if major < *SUPPORTED_MAJOR_VERSIONS.start() {
            let oldest = SUPPORTED_MAJOR_VERSIONS.start();
            let detail = format!("the server is PostgreSQL {major}; the oldest that is supported is {oldest}");
            return Err(Failure::new(OutcomeStatus::Unavailable, detail));
        }
        if self.facts.powers.is_empty() || allow_privileged_role {
            return Ok(());
        }
        let can: Vec<&str> = self.facts.powers.iter().map(|p| p.words()).collect();
        Err(Failure::new(
            OutcomeStatus::Failed,
            format!(
                "the role has more rights than a diagnosis needs: it {}; `inspect` names what they come from; use the role that it prints the \
                 script for, or set `allow_privileged_role` in the configuration",
                can.join(", and ")
            ),
        ))
    }

    /// Refuses any login role but the one that the operator's policy names. The gate compares the role that the connection asks for;
    /// this is the one that the server gave, which a pooler or a user name map may have changed.
    pub(crate) fn check_role(&self, required: Option<&str>) -> Result<(), Failure> {
        match required {
            Some(required) if required != self.facts.role => Err(Failure::new(
                OutcomeStatus::Failed,
                "the server gave the session another role than the one that the policy requires (`policy.role`); look at poolers and \
                 pg_ident.conf on the way to it",
            )),
            _ => Ok(()),
        }
    }

    /// Rolls back and says goodbye; tells whether the server heeded that. A session that just vanishes is rolled back too, once the server
    /// gets to it.
    pub(crate) async fn close(mut self) -> bool {
        let goodbye = async {
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await;
            let _ = self.connection.close().await;
        };
        tokio::time::timeout(GRACE, goodbye).await.is_ok()
    }
}

/// Connects within the target's time.
pub(crate) async fn connect(target: &Target) -> Result<PgConnection, Failure> {
    if let Some((option, path)) = target.unreadable_tls_file() {
        let detail = format!("the file of option `{option}` cannot be read: `{}`", path.display());
        return Err(Failure::new(OutcomeStatus::Failed, detail));
    }
    let options = target.connect_options().disable_statement_logging();
    match tokio::time::timeout(target.connect_timeout(), options.connect()).await {
        Ok(connected) => connected.map_err(|e| Failure::connecting(&e)),
        Err(_) => Err(Failure::no_answer(
            "connecting to the server",
            target.connect_timeout().as_millis(),
        )),
    }
}

/// The path in force for all SQL of ours.
pub(super) const SEARCH_PATH: &str = "pg_catalog, pg_temp";

/// All that a session sets, to go before the first question in one simple query.
pub(crate) fn opening(timeouts: Timeouts) -> String {
    let Timeouts {
        statement_ms,
        lock_ms,
        idle_in_transaction_ms,
    } = timeouts;
    format!(
        "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY;
         SET LOCAL ROLE NONE;
         SET LOCAL search_path = {SEARCH_PATH};
         SET LOCAL statement_timeout = {statement_ms};
         SET LOCAL lock_timeout = {lock_ms};
         SET LOCAL idle_in_transaction_session_timeout = {idle_in_transaction_ms};
         SET LOCAL standard_conforming_strings = on;
         SELECT pg_catalog.set_config('client_connection_check_interval', '250', true)
          WHERE pg_catalog.strpos(pg_catalog.version(), 'linux') > 0;
         "
    )
}

fn facts(row: &sqlx::postgres::PgRow) -> Result<Facts, sqlx::Error> {
    let version: i32 = row.try_get("server_version_num")?;
    let powers: String = row.try_get("powers")?;
    Ok(Facts {
        server_version_num: u32::try_from(version).unwrap_or(0),
        pid: row.try_get("pid")?,
        database: row.try_get("database")?,
        pg_stat_statements_schema: row.try_get("pg_stat_statements_schema")?,
        reads_all_stats: row.try_get("reads_all_stats")?,
        role: row.try_get("role")?,
        powers: Power::ALL
            .into_iter()
            .filter(|p| powers.split(',').any(|code| code == p.code()))
            .collect(),
    })
}

/// Facts about the server and the role. Membership counts whether it is inherited or not, because SET ROLE would reach it.
///
/// Not counted: TEMPORARY on the database (PUBLIC has it by default, and a read-only transaction makes use of it for nothing that
/// lasts), and PUBLIC's CREATE on the schema `public`, the default before PostgreSQL 15, which would condemn every role.
const FACTS: &str = "
SELECT pg_catalog.current_setting('server_version_num')::int4 AS server_version_num,
       pg_catalog.pg_backend_pid() AS pid,
       pg_catalog.current_database()::text AS database,
       current_user::text AS role,
       (SELECT pg_catalog.quote_ident(n.nspname)
          FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
         WHERE e.extname = 'pg_stat_statements') AS pg_stat_statements_schema,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all_stats,
       CASE WHEN me.superuser THEN 'superuser' ELSE pg_catalog.concat_ws(',',
         CASE WHEN me.createrole THEN 'createrole' END,
         CASE WHEN me.createdb THEN 'createdb' END,
         CASE WHEN me.replication THEN 'replication' END,
         CASE WHEN me.predefined THEN 'predefined_role' END,
         CASE WHEN EXISTS (
           SELECT FROM pg_catalog.pg_class AS c
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
              AND c.relnamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace AS n
                                          WHERE n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname LIKE 'pg\\_temp\\_%')
              AND c.relowner IN (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE pg_catalog.pg_has_role(r.oid, 'MEMBER')))
           THEN 'owns_relation' END,
         CASE WHEN EXISTS (
           SELECT FROM pg_catalog.pg_class AS c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
            WHERE c.relacl IS NOT NULL
              AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
              AND c.relnamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace AS n
                                          WHERE n.nspname IN ('pg_catalog', 'information_schema'))
              AND (a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'MAINTAIN')
                   OR (c.relkind = 'S' AND a.privilege_type = 'USAGE'))
              AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'MEMBER')))
           THEN 'writes_relation' END,
         CASE WHEN EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS t CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS a
            WHERE t.attacl IS NOT NULL
              AND t.attrelid >= 16384
              AND a.privilege_type IN ('INSERT', 'UPDATE')
              AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'MEMBER')))
           THEN 'writes_column' END,
         CASE WHEN EXISTS (
           SELECT FROM pg_catalog.pg_namespace AS n
            WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
              AND (pg_catalog.pg_has_role(n.nspowner, 'MEMBER')
                   OR EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) AS a
                               WHERE a.privilege_type = 'CREATE'
                                 AND ((a.grantee = 0 AND n.nspname <> 'public')
                                      OR (a.grantee <> 0 AND pg_catalog.pg_has_role(a.grantee, 'MEMBER'))))))
           THEN 'creates_in_schema' END,
         CASE WHEN pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') THEN 'creates_in_database' END)
       END AS powers
  FROM (SELECT bool_or(r.rolsuper) AS superuser,
               bool_or(r.rolcreaterole) AS createrole,
               bool_or(r.rolcreatedb) AS createdb,
               bool_or(r.rolreplication) AS replication,
               bool_or(r.rolname IN ('pg_write_all_data', 'pg_maintain', 'pg_execute_server_program', 'pg_read_server_files',
                                     'pg_write_server_files', 'pg_signal_backend', 'pg_signal_autovacuum_worker',
                                     'pg_create_subscription', 'pg_checkpoint')) AS predefined
          FROM pg_catalog.pg_roles AS r
         WHERE pg_catalog.pg_has_role(r.oid, 'MEMBER')) AS me";
