//! What an index would meet on the columns that a plan's scans filter by.
//!
//! **In**: a plan that was read, and how to plan its statement again. **Out**: a row for each scan of a table that is large, reads all of
//! it and filters by columns: indexes that are there, distinct values, writes, size; and with the extension hypopg the cost of the
//! same statement if there were the index. **Trusted**: that functions of the extension hypopg are what they are called; a superuser
//! installed them. **Can fail**: like any query. A plan is worth having without this, so whoever asks goes on without it.
//!
//! A hypothetical index is an entry in the memory of this one session; it is dropped again, and the session ends with the action.

#[cfg(test)]
mod tests;

use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Row as _};

use super::execute::decode_row;
use super::explain;
use super::failure::Failure;
use super::plan::{self, Plan};
use super::session::Session;
use super::statement::Statement;
use crate::catalogue::Action;
use crate::outcome::{Cell, PlanNode, RelationName, Row, quoted};
use crate::words::OutcomeStatus;

/// Cost of a scan, in the planner's units, from which an index is worth a question: some tens of blocks.
const LEAST_COST: f64 = 50.0;
/// Columns of an index, at most; more seldom make it better.
const MOST_COLUMNS: usize = 4;

/// How the statement was planned, so that it can be planned again.
pub(super) enum Planned<'a> {
    /// Without its values.
    Generic,
    /// With these arguments of EXECUTE.
    With(&'a str),
}

/// What plans a statement again.
pub(super) struct Replan<'a> {
    pub(super) statement: &'a Statement,
    pub(super) search_path: &'a str,
    pub(super) planned: Planned<'a>,
}

/// A scan that an index could replace.
struct Candidate<'a> {
    position: usize,
    schema: &'a str,
    relation: &'a RelationName,
    columns: &'a [String],
}

/// Asks about each of the most expensive scans of `plan`, as many as the action may have rows. The session's search path is its own
/// afterwards.
pub(super) async fn of(
    session: &mut Session,
    action: &Action,
    plan: &Plan,
    replan: &Replan<'_>,
) -> Result<Vec<Row>, Failure> {
    let candidates = candidates(&plan.nodes, action.caps.max_rows as usize);
    let mut rows = Vec::with_capacity(candidates.len());
    if candidates.is_empty() {
        return Ok(rows);
    }
    explain::use_search_path(&mut session.connection, super::session::SEARCH_PATH).await?;
    let hypopg = hypopg_schema(session).await?;
    for candidate in candidates {
        let Some(mut row) = facts(session, action, &candidate, plan.total_cost).await? else {
            continue;
        };
        if let Some(schema) = &hypopg {
            let (bytes, cost) = hypothetically(session, action, &candidate, schema, replan).await?;
            set(action, &mut row, "hypothetical_cost", Cell::Float(cost));
            set(action, &mut row, "hypothetical_bytes", Cell::Int(bytes));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn candidates(nodes: &[PlanNode], most: usize) -> Vec<Candidate<'_>> {
    let mut scans: Vec<(usize, &PlanNode)> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.node_type.ends_with("Seq Scan") && node.total_cost >= LEAST_COST)
        .collect();
    scans.sort_by(|(_, a), (_, b)| b.total_cost.total_cmp(&a.total_cost));
    let mut found: Vec<Candidate<'_>> = Vec::new();
    for (position, node) in scans {
        let columns = node.filter_columns.get(..MOST_COLUMNS).unwrap_or(&node.filter_columns);
        let Some((relation, schema)) = node.relation.as_ref().and_then(|r| Some((r, r.schema.as_deref()?))) else {
            continue;
        };
        let is_new = !found.iter().any(|c| c.relation == relation && c.columns == columns);
        if is_new && !columns.is_empty() && found.len() < most {
            found.push(Candidate {
                position,
                schema,
                relation,
                columns,
            });
        }
    }
    found
}

/// None where the scan is not of a table.
async fn facts(
    session: &mut Session,
    action: &Action,
    candidate: &Candidate<'_>,
    cost: f64,
) -> Result<Option<Row>, Failure> {
    let Some(sql) = action.index_facts_sql() else {
        return Ok(None);
    };
    let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .bind(i32::try_from(candidate.position).unwrap_or(i32::MAX))
        .bind(cost)
        .bind(candidate.schema)
        .bind(&candidate.relation.name)
        .bind(candidate.columns)
        .fetch_optional(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    row.map(|row| Ok(decode_row(&row, action)?.0)).transpose()
}

/// The quoted schema of the extension's functions, if the role may call them.
async fn hypopg_schema(session: &mut Session) -> Result<Option<String>, Failure> {
    sqlx::query_scalar(HYPOPG)
        .fetch_optional(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))
}

/// Bytes of the index, and the cost of the whole statement with it.
async fn hypothetically(
    session: &mut Session,
    action: &Action,
    candidate: &Candidate<'_>,
    schema: &str,
    replan: &Replan<'_>,
) -> Result<(i64, f64), Failure> {
    let columns: Vec<String> = candidate.columns.iter().map(|column| quoted(column)).collect();
    let definition = format!(
        "CREATE INDEX ON {} ({})",
        candidate.relation.quoted(),
        columns.join(", ")
    );
    let made = format!(
        "SELECT h.indexrelid, {schema}.hypopg_relation_size(h.indexrelid) AS bytes FROM {schema}.hypopg_create_index($1::text) AS h"
    );
    let made = sqlx::query(AssertSqlSafe(made))
        .bind(definition)
        .fetch_one(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    let (index, bytes): (Oid, i64) = (
        made.try_get("indexrelid").map_err(|e| Failure::running(&e))?,
        made.try_get("bytes").map_err(|e| Failure::running(&e))?,
    );
    let cost = again(session, action, replan).await?;
    explain::use_search_path(&mut session.connection, super::session::SEARCH_PATH).await?;
    sqlx::query(AssertSqlSafe(format!("SELECT {schema}.hypopg_drop_index($1)")))
        .bind(index)
        .execute(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    Ok((bytes, cost))
}

/// A prepared statement keeps its plan, and does not know that there is an index now.
async fn again(session: &mut Session, action: &Action, replan: &Replan<'_>) -> Result<f64, Failure> {
    explain::command(&mut session.connection, format!("DEALLOCATE {}", explain::PREPARED)).await?;
    explain::use_search_path(&mut session.connection, replan.search_path).await?;
    let json = match replan.planned {
        Planned::Generic => explain::without_values(session, replan.statement, action.caps.max_bytes).await?,
        Planned::With(arguments) => {
            explain::prepare(&mut session.connection, replan.statement).await?;
            let sql = format!(
                "EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE {}{arguments}",
                explain::PREPARED
            );
            explain::plan_json(&mut session.connection, &sql, action.caps.max_bytes).await?
        }
    };
    let plan = plan::read(&json).map_err(|e| Failure::new(OutcomeStatus::Failed, e.to_string()))?;
    Ok(plan.total_cost)
}

fn set(action: &Action, row: &mut Row, column: &str, value: Cell) {
    let position = action.columns.iter().position(|c| c.name == column);
    if let Some(cell) = position.and_then(|at| row.cells.get_mut(at)) {
        *cell = value;
    }
}

/// Only C functions that belong to the extension: nobody but a superuser makes those.
const HYPOPG: &str = "
SELECT pg_catalog.quote_ident(n.nspname)
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid AND d.deptype = 'e'
   AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
  JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang AND l.lanname = 'c'
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_roles AS o ON o.oid = n.nspowner
  JOIN pg_catalog.pg_database AS b ON b.datname = pg_catalog.current_database()
  JOIN pg_catalog.pg_roles AS r
    ON r.oid = CASE o.rolname WHEN 'pg_database_owner' THEN b.datdba ELSE o.oid END AND (r.rolsuper OR r.oid = e.extowner)
 WHERE e.extname = 'hypopg'
   AND p.proname IN ('hypopg_create_index', 'hypopg_relation_size', 'hypopg_drop_index')
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
   AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
 GROUP BY n.nspname
HAVING pg_catalog.count(*) = 3";
