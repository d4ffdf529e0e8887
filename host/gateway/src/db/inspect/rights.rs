//! What gives a role the rights that it should not have, by name.
//!
//! **In**: a session whose role has such rights. **Out**: the objects and the roles that they come from, a few of each kind. **Trusted**: nothing; names are
//! [`Untrusted`]. **Can fail**: as the server does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::db::failure::Failure;
use crate::db::session::Session;
use crate::names;
use crate::untrusted::Untrusted;

/// Longest name that is shown, in bytes: a schema, a table and a column, each quoted.
const NAME_BYTES: usize = 400;

/// Where a right comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcessRight {
    /// Which right: `superuser`, `createrole`, `createdb`, `replication` and `predefined_role` come from a role that the role is or can become;
    /// `owns_relation`, `writes_relation`, `writes_column`, `creates_in_schema` and `creates_in_database` from an object.
    pub right: String,
    /// That role or object, quoted as in SQL.
    pub from: Untrusted,
}

/// At most five of each right that the role has.
pub(super) async fn of(session: &mut Session) -> Result<Vec<ExcessRight>, Failure> {
    let rights: Vec<&str> = session.facts.powers.iter().map(|power| power.code()).collect();
    if rights.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(RIGHTS)
        .bind(rights)
        .fetch_all(&mut session.connection)
        .await
        .map_err(|e| Failure::running(&e))?;
    let right = |row: &sqlx::postgres::PgRow| {
        let origin: Vec<String> = row.try_get("origin")?;
        let quoted: Vec<String> = origin.iter().map(|name| names::identifier(name)).collect();
        Ok::<_, sqlx::Error>(ExcessRight {
            right: row.try_get("power")?,
            from: Untrusted::capped(&quoted.join("."), NAME_BYTES),
        })
    };
    let found: Result<Vec<_>, _> = rows.iter().map(right).collect();
    found.map_err(|e| Failure::running(&e))
}

/// The conditions are those of the session's opening, which asks whether there is any.
const RIGHTS: &str = "
SELECT numbered.power, numbered.origin
  FROM (
    SELECT found.power, found.origin, row_number() OVER (PARTITION BY found.power ORDER BY found.origin COLLATE \"C\") AS n
      FROM (
        SELECT a.power, ARRAY[r.rolname::text] AS origin
          FROM pg_catalog.pg_roles AS r
         CROSS JOIN LATERAL (VALUES ('superuser', r.rolsuper),
                                    ('createrole', r.rolcreaterole),
                                    ('createdb', r.rolcreatedb),
                                    ('replication', r.rolreplication),
                                    ('predefined_role',
                                     r.rolname IN ('pg_write_all_data', 'pg_maintain', 'pg_execute_server_program', 'pg_read_server_files',
                                                   'pg_write_server_files', 'pg_signal_backend', 'pg_signal_autovacuum_worker',
                                                   'pg_create_subscription', 'pg_checkpoint'))) AS a (power, has)
         WHERE a.has AND pg_has_role(r.oid, 'MEMBER')
        UNION ALL
        SELECT 'owns_relation', ARRAY[n.nspname::text, c.relname::text]
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
           AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_temp\\_%'
           AND pg_has_role(c.relowner, 'MEMBER')
        UNION ALL
        SELECT DISTINCT 'writes_relation', ARRAY[n.nspname::text, c.relname::text]
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL aclexplode(c.relacl) AS a
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
           AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND (a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'MAINTAIN')
                OR (c.relkind = 'S' AND a.privilege_type = 'USAGE'))
           AND (a.grantee = 0 OR pg_has_role(a.grantee, 'MEMBER'))
        UNION ALL
        SELECT DISTINCT 'writes_column', ARRAY[n.nspname::text, c.relname::text, t.attname::text]
          FROM pg_catalog.pg_attribute AS t
          JOIN pg_catalog.pg_class AS c ON c.oid = t.attrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL aclexplode(t.attacl) AS a
         WHERE t.attrelid >= 16384
           AND a.privilege_type IN ('INSERT', 'UPDATE')
           AND (a.grantee = 0 OR pg_has_role(a.grantee, 'MEMBER'))
        UNION ALL
        SELECT 'creates_in_schema', ARRAY[n.nspname::text]
          FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
           AND (pg_has_role(n.nspowner, 'MEMBER')
                OR EXISTS (SELECT FROM aclexplode(n.nspacl) AS a
                            WHERE a.privilege_type = 'CREATE'
                              AND ((a.grantee = 0 AND n.nspname <> 'public')
                                   OR (a.grantee <> 0 AND pg_has_role(a.grantee, 'MEMBER')))))
        UNION ALL
        SELECT 'creates_in_database', ARRAY[current_database()::text]
      ) AS found
     WHERE found.power = ANY ($1)
  ) AS numbered
 WHERE numbered.n <= 5
 ORDER BY array_position($1, numbered.power), numbered.n";
