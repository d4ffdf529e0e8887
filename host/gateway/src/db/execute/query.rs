//! Actions with SQL of their own: one prepared statement, typed arguments, rows under caps.

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Row as _};

use super::Found;
use crate::catalogue::{Action, BoundParameter, BoundValue, Facet, PG_STAT_STATEMENTS_SCHEMA};
use crate::db::failure::Failure;
use crate::db::packed;
use crate::db::session::{Facts, Session};
use crate::db::sqltypes::{self, InstantUs};
use crate::gate::ApprovedAction;
use crate::outcome::{Cell, RelationName, Row, Sequence, SequenceOwner, SessionKey};
use crate::words::OutcomeStatus;

/// Runs the action's statement and reads its rows up to the caps.
pub(super) async fn run(session: &mut Session, approved: &ApprovedAction) -> Result<Found, Failure> {
    let action = approved.action();
    let sql = sql(action, &session.facts)?;
    if action.is_packed() {
        packed::check_on_server(&mut session.connection, &sql).await?;
    }
    in_its_database(approved.parameters(), &session.facts.database)?;
    let query = bind(sqlx::query(AssertSqlSafe(sql)), action, approved.parameters())?;
    let reads_all_stats = session.facts.reads_all_stats;
    let found = read(query, action, session).await?;
    explain_hidden_rows(action, found, reads_all_stats)
}

/// The action's SQL for this server.
pub(in crate::db) fn sql(action: &Action, facts: &Facts) -> Result<String, Failure> {
    let version = facts.server_version_num;
    let sql = action.sql(version).ok_or_else(|| {
        let detail = format!(
            "the action needs PostgreSQL {} or later, and the server is PostgreSQL {}",
            action.first_version() / 10_000,
            version / 10_000
        );
        Failure::new(OutcomeStatus::Unavailable, detail)
    })?;
    if !sql.contains(PG_STAT_STATEMENTS_SCHEMA) {
        return Ok(sql.to_owned());
    }
    let schema = facts.pg_stat_statements_schema.as_deref().ok_or_else(|| {
        Failure::new(
            OutcomeStatus::Unavailable,
            "this database has not the extension pg_stat_statements; `inspect` prints how to add it",
        )
    })?;
    // An identifier that the server itself has quoted; the catalogue's SQL has no other variable part.
    Ok(sql.replace(PG_STAT_STATEMENTS_SCHEMA, schema))
}

type PgQuery<'q> = Query<'q, Postgres, PgArguments>;

/// Binds the parameters in the action's order; an absent optional one is NULL.
pub(in crate::db) fn bind<'q>(
    query: PgQuery<'q>,
    action: &Action,
    bound: &'q [BoundParameter],
) -> Result<PgQuery<'q>, Failure> {
    let mut query = query;
    for parameter in &action.parameters {
        let value = bound.iter().find(|b| b.name == parameter.name).map(|b| &b.value);
        if value.is_none() && parameter.required {
            return Err(unbindable(&parameter.name));
        }
        query = match (parameter.facet, value) {
            (Facet::QueryId, Some(BoundValue::QueryId { value })) => query.bind(*value),
            (Facet::QueryId, None) => query.bind(None::<i64>),
            (Facet::Database | Facet::User | Facet::ApplicationName, Some(BoundValue::Text { value })) => {
                query.bind(value.as_str())
            }
            (Facet::Database | Facet::User | Facet::ApplicationName, None) => query.bind(None::<&str>),
            (Facet::Session, Some(BoundValue::Session { pid, backend_start_us })) => {
                query.bind(*pid).bind(backend_start_us.map(InstantUs))
            }
            (Facet::Session, None) => query.bind(None::<i32>).bind(None::<InstantUs>),
            (Facet::Relation, Some(BoundValue::RelationOid { database, relation })) => query
                .bind(i64::from(*relation))
                .bind(i64::from(*database))
                .bind(None::<&str>)
                .bind(None::<&str>),
            (Facet::Relation, Some(BoundValue::RelationName { schema, name, .. })) => query
                .bind(None::<i64>)
                .bind(None::<i64>)
                .bind(schema.as_str())
                .bind(name.as_str()),
            (Facet::Relation, None) => query
                .bind(None::<i64>)
                .bind(None::<i64>)
                .bind(None::<&str>)
                .bind(None::<&str>),
            (Facet::Sample, _) => query,
            (_, Some(_)) => return Err(unbindable(&parameter.name)),
        };
    }
    Ok(query)
}

/// A name that a log gives with its database means nothing in another one. (An oid's database the catalogue's SQL compares.)
fn in_its_database(bound: &[BoundParameter], here: &str) -> Result<(), Failure> {
    let elsewhere = |parameter: &BoundParameter| matches!(&parameter.value, BoundValue::RelationName { database: Some(named), .. } if named != here);
    if bound.iter().any(elsewhere) {
        return Err(Failure::new(
            OutcomeStatus::Unavailable,
            "the log names the table in another database than the one that was asked; name that database for the action",
        ));
    }
    Ok(())
}

/// The gate makes sure that this cannot happen; if it does, nothing runs.
fn unbindable(parameter: &str) -> Failure {
    Failure::new(
        OutcomeStatus::Failed,
        format!("the parameter `{parameter}` is not bound, or not to a value of its kind"),
    )
}

async fn read(query: PgQuery<'_>, action: &Action, session: &mut Session) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut stream = query.fetch(&mut session.connection);
    while let Some(row) = stream.try_next().await.map_err(|e| Failure::running(&e))? {
        if found.rows.len() as u64 >= u64::from(action.caps.max_rows) {
            found.truncated = true;
            found.detail = Some(format!(
                "there are more rows than the action's cap of {}",
                action.caps.max_rows
            ));
            break;
        }
        let (row, bytes) = decode(&row, action)?;
        found.bytes = found.bytes.saturating_add(bytes);
        if found.bytes > action.caps.max_bytes {
            found.truncated = true;
            found.detail = Some(format!(
                "the rows have more bytes than the action's cap of {}",
                action.caps.max_bytes
            ));
            break;
        }
        found.rows.push(row);
    }
    Ok(found)
}

/// A row under the action's columns, and its bytes.
pub(in crate::db) fn decode(row: &PgRow, action: &Action) -> Result<(Row, u64), Failure> {
    let mismatch = |name: &str| {
        let detail = format!("the server's value for column `{name}` is not of the catalogue's type");
        Failure::new(OutcomeStatus::Failed, detail)
    };
    let names = row.columns().iter().map(sqlx::Column::name);
    if !names.eq(action.columns.iter().map(|c| c.name.as_str())) {
        return Err(Failure::new(
            OutcomeStatus::Failed,
            "the server's columns are not the catalogue's",
        ));
    }
    let mut cells = Vec::with_capacity(action.columns.len());
    let mut bytes = 0_u64;
    for (index, column) in action.columns.iter().enumerate() {
        let (cell, size) =
            sqltypes::cell(row, index, column.column_type).map_err(|sqltypes::Mismatch| mismatch(&column.name))?;
        bytes = bytes.saturating_add(size);
        cells.push(cell);
    }
    let session = row_session(action, &cells);
    let sequence = row_sequence(action, &cells);
    let object = action
        .row_object
        .as_ref()
        .and_then(|columns| columns.of(|name| cell_of(action, &cells, name)));
    Ok((
        Row {
            cells,
            session,
            sequence,
            object,
        },
        bytes,
    ))
}

fn cell_of<'c>(action: &Action, cells: &'c [Cell], name: &str) -> Option<&'c Cell> {
    let position = action.columns.iter().position(|column| column.name == name)?;
    cells.get(position)
}

/// Types of columns that hold fewer values than bigint, as `format_type` writes them.
const NARROW: [&str; 2] = ["smallint", "integer"];

fn row_sequence(action: &Action, cells: &[Cell]) -> Option<Sequence> {
    let columns = action.row_sequence.as_ref()?;
    let text = |name: &str| match cell_of(action, cells, name) {
        Some(Cell::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let relation = |schema: &str, name: &str| {
        Some(RelationName {
            schema: Some(text(schema)?),
            name: text(name)?,
        })
    };
    let owner = || {
        Some(SequenceOwner {
            relation: relation(&columns.owner_schema, &columns.owner_table)?,
            column: text(&columns.owner_column)?,
            is_narrow: NARROW.contains(&text(&columns.owner_type)?.as_str()),
        })
    };
    Some(Sequence {
        name: relation(&columns.schema, &columns.sequence)?,
        owner: owner(),
    })
}

fn row_session(action: &Action, cells: &[Cell]) -> Option<SessionKey> {
    let columns = action.row_session.as_ref()?;
    let cell = |name: &str| cell_of(action, cells, name);
    match (cell(&columns.pid)?, cell(&columns.backend_start)?) {
        (Cell::Int(pid), Cell::At(backend_start_us)) => Some(SessionKey {
            pid: i32::try_from(*pid).ok()?,
            backend_start_us: *backend_start_us,
        }),
        _ => None,
    }
}

/// What the server hides from the role is said, and never shown as nothing.
///
/// Where an action has a column that tells which rows are hidden, that column decides. Elsewhere: without pg_read_all_stats the
/// server hides other roles' sessions and statements. It shows `<insufficient privilege>` for texts and NULL for the rest, the query
/// id and the kind of backend included, so that the catalogue's SQL leaves those rows out. No row then does not mean that there is
/// nothing.
fn explain_hidden_rows(action: &Action, found: Found, reads_all_stats: bool) -> Result<Found, Failure> {
    let row_count = found.rows.len();
    let hidden_count = match &action.row_hidden {
        Some(column) => found.rows.iter().filter(|row| is_hidden(action, row, column)).count(),
        None => 0,
    };
    let needs_stats = action.privileges.roles.iter().any(|r| r == "pg_read_all_stats");
    let all_hidden = match &action.row_hidden {
        Some(_) => row_count > 0 && hidden_count == row_count,
        None => needs_stats && !reads_all_stats && row_count == 0,
    };
    if all_hidden {
        return Err(Failure::new(
            OutcomeStatus::InsufficientPrivilege,
            format!("{}, which `inspect` prints the script for", action.privileges.lack()),
        ));
    }
    let partly = if hidden_count > 0 {
        format!(
            "{hidden_count} of {row_count} rows are hidden: {}",
            action.privileges.lack()
        )
    } else if action.row_hidden.is_none() && needs_stats && !reads_all_stats {
        "only this role's own sessions and statements are visible to it; grant it pg_read_all_stats to see the others"
            .to_owned()
    } else {
        return Ok(found);
    };
    let detail = Some(match &found.detail {
        Some(detail) => format!("{detail}; {partly}"),
        None => partly,
    });
    Ok(Found { detail, ..found })
}

fn is_hidden(action: &Action, row: &Row, column: &str) -> bool {
    cell_of(action, &row.cells, column) == Some(&Cell::Boolean(true))
}
