//! EXPLAIN of the statement that the server itself holds for a query id.
//!
//! **In**: a query id. **Out**: the generic plan. **Trusted**: nothing of the text: it is parsed, has to be one statement that can be
//! planned, and goes to the server written out from its tree, in a message that can hold one statement only.
//! **Can fail**: with `unavailable` where the server holds no such text or cannot plan it without values.
//!
//! Plain EXPLAIN runs nothing of the statement. But planning it estimates, and to estimate the planner may call functions that are
//! declared immutable or stable; a function that lies about that runs. So it does for everybody who sends the statement.
//!
//! Names in the statement are looked up along the search path of the role that ran it, as far as the server's settings tell.

#[cfg(test)]
mod tests;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _, ValueRef as _};

use super::failure::Failure;
use super::index_facts::{self, Planned, Replan};
use super::plan::{self, Plan};
use super::session::Session;
use super::statement::{Kind, MAX_STATEMENT_BYTES, Statement};
use crate::catalogue::{Action, BoundParameter};
use crate::outcome::Row;
use crate::words::OutcomeStatus;

/// The statement that the server holds, with who ran it most.
#[derive(Debug)]
pub(super) struct HeldStatement {
    pub(super) statement: Statement,
    role: Option<String>,
}

fn unavailable(detail: impl Into<String>) -> Failure {
    Failure::new(OutcomeStatus::Unavailable, detail)
}

/// Looks the text up with the action's SQL and parses it.
pub(super) async fn held_statement(
    session: &mut Session,
    action: &Action,
    bound: &[BoundParameter],
) -> Result<HeldStatement, Failure> {
    let sql = super::execute::query_sql(action, &session.facts)?;
    let query = super::execute::bind_query(sqlx::query(AssertSqlSafe(sql)), action, bound)?;
    let row = query
        .fetch_optional(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    let text = row
        .as_ref()
        .and_then(|row| row.try_get::<Option<String>, _>("query").ok().flatten());
    let Some(text) = text else {
        return Err(if session.facts.reads_all_stats {
            unavailable(
                "the server holds no statement of this query id in this database; it may have been evicted or reset",
            )
        } else {
            Failure::new(
                OutcomeStatus::InsufficientPrivilege,
                "the server hides other roles' statements from this role; grant it pg_read_all_stats",
            )
        });
    };
    if text.chars().count() > MAX_STATEMENT_BYTES {
        return Err(unavailable(
            "the server's text of the statement is too long to be explained",
        ));
    }
    let statement = Statement::parse_held(&text)
        .map_err(|e| unavailable(format!("the server's text of the statement cannot be explained: {e}")))?;
    let role = row.and_then(|row| row.try_get::<Option<String>, _>("role").ok().flatten());
    Ok(HeldStatement { statement, role })
}

/// The search path that the statement's role has in this database: its own setting for the database, its own, the database's, the
/// server's. To be asked while the session's own path is in force: whoever chooses a path chooses what an operator in it means.
pub(super) async fn search_path_of(session: &mut Session, held: &HeldStatement) -> Result<String, Failure> {
    sqlx::query_scalar(SEARCH_PATH)
        .bind(held.role.as_deref())
        .fetch_one(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))
}

/// Makes names mean what they mean to the statement's role. While this is in force nothing of ours may be sent that has an operator
/// or a name without its schema.
pub(super) async fn use_search_path(connection: &mut PgConnection, path: &str) -> Result<(), Failure> {
    let set = sqlx::query("SELECT pg_catalog.set_config('search_path', $1, true)").bind(path);
    set.execute(connection)
        .await
        .map(|_| ())
        .map_err(|e| Failure::running(&e))
}

/// Explains the held statement, and asks what indexes its plan may lack.
pub(super) async fn run(
    session: &mut Session,
    action: &Action,
    bound: &[BoundParameter],
) -> Result<Explained, Failure> {
    let held = held_statement(session, action, bound).await?;
    let path = search_path_of(session, &held).await?;
    use_search_path(&mut session.connection, &path).await?;
    let statement = &held.statement;
    let json = without_values(session, statement, action.caps.max_bytes)
        .await
        .map_err(|failure| in_terms_of_explain(failure, statement.kind()))?;
    let replan = Replan {
        statement,
        search_path: &path,
        planned: Planned::Generic,
    };
    with_index_facts(session, action, &json, &replan).await
}

/// The plan of `json`, and what indexes it may lack.
pub(super) async fn with_index_facts(
    session: &mut Session,
    action: &Action,
    json: &str,
    replan: &Replan<'_>,
) -> Result<Explained, Failure> {
    let plan = plan::read(json).map_err(|e| Failure::new(OutcomeStatus::Failed, e.to_string()))?;
    let index_facts = index_facts::of(session, action, &plan, replan).await;
    Ok(Explained {
        plan,
        bytes: json.len() as u64,
        index_facts,
    })
}

/// A plan, and what was learnt about indexes that it may lack.
pub(super) struct Explained {
    pub(super) plan: Plan,
    /// Bytes of the plan's text.
    pub(super) bytes: u64,
    /// Rows of the action; a failure is no reason to withhold the plan.
    pub(super) index_facts: Result<Vec<Row>, Failure>,
}

/// The generic plan's text; prepares the statement under [`PREPARED`].
pub(super) async fn without_values(
    session: &mut Session,
    statement: &Statement,
    max_bytes: u64,
) -> Result<String, Failure> {
    if session.facts.server_version_num >= 160_000 {
        generic_plan(&mut session.connection, statement, max_bytes).await
    } else {
        prepared_plan(&mut session.connection, statement, max_bytes).await
    }
}

/// From PostgreSQL 16 on. In the extended protocol the statement's parameters would have to be bound, with types that we cannot know; in
/// the simple one they stay open. That one would also take a second statement in the same text, so the server is asked first to prepare
/// it, which it does with exactly one.
async fn generic_plan(connection: &mut PgConnection, statement: &Statement, max_bytes: u64) -> Result<String, Failure> {
    prepare(connection, statement).await?;
    let sql = format!("EXPLAIN (GENERIC_PLAN, FORMAT JSON, VERBOSE) {}", statement.sql());
    let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await;
    json_of(&row.map_err(|e| Failure::running(&e))?, max_bytes)
}

/// Before PostgreSQL 16: a prepared statement whose parameters the server types, planned without looking at their values.
async fn prepared_plan(
    connection: &mut PgConnection,
    statement: &Statement,
    max_bytes: u64,
) -> Result<String, Failure> {
    prepare(connection, statement).await?;
    command(connection, "SET LOCAL plan_cache_mode = force_generic_plan".to_owned()).await?;
    let nulls = vec!["NULL"; statement.parameter_count()].join(", ");
    let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    plan_json(
        connection,
        &format!("EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE {PREPARED}{arguments}"),
        max_bytes,
    )
    .await
}

/// The name of the one prepared statement of a session.
pub(super) const PREPARED: &str = "pg_logstats_statement";

/// Prepares the statement under [`PREPARED`]: the server analyses it, and runs and plans nothing.
pub(super) async fn prepare(connection: &mut PgConnection, statement: &Statement) -> Result<(), Failure> {
    command(connection, format!("PREPARE {PREPARED} AS {}", statement.sql())).await
}

/// Sends one command in the extended protocol, which refuses a second one in the same text.
pub(super) async fn command(connection: &mut PgConnection, sql: String) -> Result<(), Failure> {
    sqlx::query(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|e| Failure::running(&e))
}

/// Runs an EXPLAIN and returns its JSON.
pub(super) async fn plan_json(connection: &mut PgConnection, sql: &str, max_bytes: u64) -> Result<String, Failure> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    let row = query.fetch_one(connection).await.map_err(|e| Failure::running(&e))?;
    json_of(&row, max_bytes)
}

fn json_of(row: &PgRow, max_bytes: u64) -> Result<String, Failure> {
    let value = row.try_get_raw(0).map_err(|e| Failure::running(&e))?;
    let not_understood = || Failure::new(OutcomeStatus::Failed, "the server's plan is not understood");
    if value.is_null() {
        return Err(not_understood());
    }
    let json = value.as_str().map_err(|_| not_understood())?;
    if json.len() as u64 > max_bytes {
        let detail =
            format!("the plan has more bytes than the action's cap of {max_bytes}; a part of a plan tells nothing");
        return Err(Failure::new(OutcomeStatus::Truncated, detail));
    }
    Ok(json.to_owned())
}

/// The server's refusals to plan, with what they mean here.
fn in_terms_of_explain(failure: Failure, kind: Kind) -> Failure {
    let (status, detail) = match failure.sqlstate.as_deref() {
        Some("42501") if kind == Kind::Write => (
            OutcomeStatus::InsufficientPrivilege,
            "EXPLAIN needs the rights of the statement itself, and this one writes: a role that only reads cannot explain it",
        ),
        Some("42501") => (
            OutcomeStatus::InsufficientPrivilege,
            "EXPLAIN needs the right to read what the statement reads; `inspect` prints the GRANT",
        ),
        Some("42P18" | "42P02" | "42804" | "22P02" | "42725" | "42883") => (
            OutcomeStatus::Unavailable,
            "the server cannot plan the statement without its values: the type of a parameter cannot be told",
        ),
        Some("42601") => (
            OutcomeStatus::Unavailable,
            "the server's own text of the statement does not parse, because a parameter stands where only a literal may",
        ),
        Some("42P01" | "42703" | "3F000") => (
            OutcomeStatus::Unavailable,
            "the statement's relation or column is not found: it was dropped, or the application sets a search_path of its own",
        ),
        _ => return failure,
    };
    Failure {
        status,
        detail: detail.to_owned(),
        ..failure
    }
}

/// `$1` is the role's name; `"$user"` in the setting means it.
const SEARCH_PATH: &str = "
SELECT pg_catalog.replace(p.path, '\"$user\"', pg_catalog.quote_ident(coalesce($1::text, 'public')))
  FROM (SELECT coalesce(
          (SELECT pg_catalog.substr(c.entry, pg_catalog.length('search_path=') + 1)
             FROM pg_catalog.pg_db_role_setting AS s
             LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
             LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
            CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (entry)
            WHERE c.entry LIKE 'search\\_path=%'
              AND (s.setrole = 0 OR r.rolname = $1::text)
              AND (s.setdatabase = 0 OR d.datname = pg_catalog.current_database())
            ORDER BY (s.setrole <> 0) DESC, (s.setdatabase <> 0) DESC
            LIMIT 1),
          (SELECT g.reset_val FROM pg_catalog.pg_settings AS g WHERE g.name = 'search_path')) AS path) AS p";
