//! The catalogue: every action that the gateway can run against a database, as data.
//!
//! **In**: the TOML files in `actions/`, one per action, compiled into the binary; and packs that the operator installed ([`pack`]).
//! **Out**: [`Action`]s by id. **Trusted**: the files of this binary are reviewed with the code; those of packs are signed, and held
//! to stricter rules. Unknown fields and inconsistent actions do not load. No SQL comes from anywhere else.

mod load;
mod objects;
pub mod pack;
#[cfg(test)]
mod tests;
pub mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use load::CatalogueError;
pub use objects::RowObject;
pub use pack::{Pack, PackError, PackInfo};

use crate::words::{ActionClass, Risk};

/// Stands in an action's SQL for the quoted schema of the extension, which a server may have installed anywhere.
pub const PG_STAT_STATEMENTS_SCHEMA: &str = "{pg_stat_statements}";

/// One action: what it needs, what it reads, what it may cost. Only this module can make one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Action {
    /// Id, as runbooks and the command line name it.
    pub id: String,
    /// A few words for people.
    pub title: String,
    /// What it reads and why it may, for whoever reviews it; one line for each paragraph.
    pub description: String,
    /// What it reads.
    pub class: ActionClass,
    /// Whether it may still run under `saturated`.
    pub essential: bool,
    /// How it is run.
    pub kind: ActionKind,
    /// Parameters, in the order of their SQL arguments.
    pub parameters: Vec<Parameter>,
    /// At least one of these optional parameters has to be bound; empty: no such rule.
    pub at_least_one_of: Vec<String>,
    /// Columns of the rows, in order. The rows of an EXPLAIN are about indexes that its plan may lack.
    pub columns: Vec<Column>,
    /// Which columns say what session a row is about.
    pub row_session: Option<RowSession>,
    /// Which columns say what sequence a row is about.
    pub row_sequence: Option<RowSequence>,
    /// Which columns say what index, constraint, slot or prepared transaction a row is about.
    pub row_object: Option<RowObject>,
    /// The boolean column that is true where the server hid from the role what the row is about.
    pub row_hidden: Option<String>,
    /// Limits.
    pub caps: Caps,
    /// The least that the role needs.
    pub privileges: Privileges,
    /// SHA-256 of the action's file, and of that about indexes for an EXPLAIN, in hex: intent records name it.
    pub digest: String,
    /// The pack that it comes from; none: this binary.
    pub pack: Option<PackInfo>,
    risk: Risk,
    risk_when_bound: BTreeMap<String, Risk>,
    statements: Vec<Statement>,
    index_facts_sql: Option<String>,
}

impl Action {
    /// Whether it comes from a pack that the operator installed.
    pub fn is_packed(&self) -> bool {
        self.pack.is_some()
    }

    /// A copy with other SQL and risk, for tests of [`crate::db`].
    #[cfg(test)]
    pub(crate) fn with_sql_for_test(&self, sql: &str, risk: Risk) -> Self {
        let mut copy = self.clone();
        copy.risk = risk;
        copy.risk_when_bound.clear();
        copy.statements = vec![Statement {
            min_version: 0,
            max_version: None,
            sql: sql.to_owned(),
        }];
        copy
    }

    /// The action's risk with these parameters bound: the least that a bound parameter brings, else the action's own.
    pub fn risk(&self, bound: &[BoundParameter]) -> Risk {
        bound
            .iter()
            .filter_map(|b| self.risk_when_bound.get(&b.name))
            .copied()
            .fold(self.risk, Risk::min)
    }

    /// The risk with nothing bound, which no binding exceeds.
    pub fn highest_risk(&self) -> Risk {
        self.risk
    }

    /// The parameter called `name`.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// Its statements, by the versions of the server that each is for.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Of an EXPLAIN: what it asks about an index that its plan may lack; gives [`Action::columns`].
    pub fn index_facts_sql(&self) -> Option<&str> {
        self.index_facts_sql.as_deref()
    }

    /// The oldest `server_version_num` that it has SQL for.
    pub fn first_version(&self) -> u32 {
        self.statements.iter().map(|s| s.min_version).min().unwrap_or(u32::MAX)
    }

    /// The SQL for a server version (`server_version_num`), with [`PG_STAT_STATEMENTS_SCHEMA`] not yet filled in.
    pub(crate) fn sql(&self, server_version_num: u32) -> Option<&str> {
        let fits = |s: &&Statement| {
            s.min_version <= server_version_num && s.max_version.is_none_or(|max| server_version_num <= max)
        };
        self.statements.iter().find(fits).map(|s| s.sql.as_str())
    }
}

/// A column of an action's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name, as reports and runbooks use it.
    pub name: String,
    /// Type; the SQL type that goes with it is in [`ColumnType`].
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether people who can reach the database choose the text (names); all other text is the server's own words.
    #[serde(default)]
    pub untrusted: bool,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// `boolean`.
    Boolean,
    /// `int2`, `int4`, `int8`, `oid`.
    Int,
    /// `float4`, `float8`.
    Float,
    /// `text`, `varchar`, `name`.
    Text,
    /// `int8`, in microseconds.
    DurationUs,
    /// `timestamptz`.
    At,
}

impl ColumnType {
    /// The word used in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Float => "float",
            Self::Text => "text",
            Self::DurationUs => "duration_us",
            Self::At => "at",
        }
    }
}

impl std::fmt::Display for ColumnType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The columns that tell which session a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowSession {
    /// Column with the process id.
    pub pid: String,
    /// Column with its start; a row where it is NULL is about no session.
    pub backend_start: String,
}

/// The columns that tell which sequence a row is about, and which column takes its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowSequence {
    /// Column with its schema.
    pub schema: String,
    /// Column with its name; a row where one of the two is NULL is about no sequence.
    pub sequence: String,
    /// Column with the schema of the table that it belongs to.
    pub owner_schema: String,
    /// Column with that table's name.
    pub owner_table: String,
    /// Column with the name of the column; where one of the four is NULL, it belongs to none.
    pub owner_column: String,
    /// Column with that column's type, as `format_type` writes it.
    pub owner_type: String,
}

impl RowSequence {
    /// All of them.
    fn columns(&self) -> [&str; 6] {
        [
            &self.schema,
            &self.sequence,
            &self.owner_schema,
            &self.owner_table,
            &self.owner_column,
            &self.owner_type,
        ]
    }
}

/// Limits of one action; each is set on the server or enforced while rows stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// Most rows.
    pub max_rows: u32,
    /// Most bytes of all rows (or of the plan) together.
    pub max_bytes: u64,
    /// `statement_timeout`.
    pub statement_timeout_ms: u32,
    /// `lock_timeout`.
    pub lock_timeout_ms: u32,
    /// `idle_in_transaction_session_timeout`.
    pub idle_in_transaction_session_timeout_ms: u32,
    /// The tighter ones under `saturated`.
    pub saturated: SaturatedCaps,
}

/// Timeouts under `saturated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaturatedCaps {
    /// `statement_timeout`.
    pub statement_timeout_ms: u32,
    /// `lock_timeout`.
    pub lock_timeout_ms: u32,
}

/// The least that a role needs for an action, besides CONNECT.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Privileges {
    /// Predefined roles to be a member of.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Extensions that the database must have.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Whether SELECT on the relations that the action is about is needed; their rows are never read.
    #[serde(default)]
    pub select_on_relations: bool,
    /// Whether SELECT on sequences is needed; their values are never told.
    #[serde(default)]
    pub select_on_sequences: bool,
}

impl Privileges {
    /// Whether SELECT on anything is needed.
    pub fn selects(&self) -> bool {
        self.select_on_relations || self.select_on_sequences
    }

    /// What the server hides from a role without these privileges, and what to grant.
    pub(crate) fn lack(&self) -> &'static str {
        if self.select_on_sequences {
            "the server hides sequences that this role may not read; grant it SELECT on them"
        } else if self.select_on_relations {
            "the server hides what it knows of columns that this role may not read; grant it SELECT on the relation, or pg_read_all_data"
        } else {
            "the server hides other roles' sessions and statements from this role; grant it pg_read_all_stats"
        }
    }
}

/// SQL for a range of server versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// First `server_version_num`.
    pub min_version: u32,
    /// Last one; absent: all later ones.
    pub max_version: Option<u32>,
    /// The SQL, with [`PG_STAT_STATEMENTS_SCHEMA`] not yet filled in.
    pub sql: String,
}

/// All actions by id: those of this binary, and those of installed packs.
#[derive(Debug, Clone)]
pub struct Catalogue {
    actions: BTreeMap<String, Arc<Action>>,
}

impl Catalogue {
    /// The catalogue that this binary carries.
    ///
    /// # Errors
    /// When a built-in file is inconsistent, which the tests of this crate exclude.
    pub fn builtin() -> Result<&'static Self, CatalogueError> {
        static BUILTIN: OnceLock<Result<Catalogue, CatalogueError>> = OnceLock::new();
        BUILTIN.get_or_init(load::builtin).as_ref().map_err(Clone::clone)
    }

    /// This catalogue with the actions of `packs`, whose ids were checked not to be those of this one or of each other.
    ///
    /// # Errors
    /// When an id is taken.
    pub fn with_packs(&self, packs: Vec<Pack>) -> Result<Self, CatalogueError> {
        let mut merged = self.clone();
        for action in packs.into_iter().flat_map(Pack::into_actions) {
            let id = action.id.clone();
            if merged.actions.insert(id.clone(), Arc::new(action)).is_some() {
                return Err(CatalogueError::Duplicate {
                    file: format!("{id}.toml"),
                    id,
                });
            }
        }
        Ok(merged)
    }

    /// The action with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Action>> {
        self.actions.get(id)
    }

    /// All actions, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Action>> {
        self.actions.values()
    }
}

/// Which fact of a subject fills a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// A query family's server query id. Argument: `int8`.
    QueryId,
    /// The database name of a subject's dimensions. Argument: `text`.
    Database,
    /// The role name of a subject's dimensions. Argument: `text`.
    User,
    /// The application name of a subject's dimensions. Argument: `text`.
    ApplicationName,
    /// A session. Two arguments: pid `int4`, backend start `timestamptz` (NULL when the evidence does not tell it).
    Session,
    /// A table, index or the like. Four arguments: its oid and its database's oid, both `int8`, when a log named it; its schema and
    /// name, both `text`, when a plan did. The other two are NULL.
    Relation,
    /// A query family's sample statement with its values, for EXPLAIN ANALYZE only. No SQL argument.
    Sample,
}

impl Facet {
    /// Types of the SQL arguments that it fills.
    pub(crate) fn argument_types(self) -> &'static [&'static str] {
        match self {
            Self::QueryId => &["int8"],
            Self::Database | Self::User | Self::ApplicationName => &["text"],
            Self::Session => &["int4", "timestamptz"],
            Self::Relation => &["int8", "int8", "text", "text"],
            Self::Sample => &[],
        }
    }
}

/// A parameter of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name, as requests and `--parameter` use it.
    pub name: String,
    /// What fills it.
    pub facet: Facet,
    /// Whether the action can run without; an absent optional parameter is bound as NULL.
    pub required: bool,
    /// One line for people.
    pub description: String,
}

/// How the action is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Its own SQL.
    Query,
    /// EXPLAIN of the statement that the server holds for the bound query id.
    Explain,
    /// EXPLAIN (ANALYZE, BUFFERS) of the bound sample, under the conditions in [`crate::db`].
    ExplainAnalyze,
}

/// A value bound to a parameter, out of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BoundValue {
    /// For [`Facet::QueryId`]; a string in JSON, because 64 bits do not survive as a JSON number.
    QueryId {
        /// The id.
        #[serde(with = "decimal_string")]
        value: i64,
    },
    /// For the dimension facets. Untrusted text, which only ever becomes a bind argument.
    Text {
        /// The text.
        value: String,
    },
    /// For [`Facet::Session`].
    Session {
        /// Process id.
        pid: i32,
        /// Start, where known.
        backend_start_us: Option<i64>,
    },
    /// For [`Facet::Relation`], as a log names it. Oids mean something in that database only; the catalogue's SQL looks.
    RelationOid {
        /// Oid of the database; 0 for a relation that all databases share.
        database: u32,
        /// Oid of the relation.
        relation: u32,
    },
    /// For [`Facet::Relation`], as a plan or a log names it. Untrusted text, which only ever becomes a bind argument.
    RelationName {
        /// Its database, where a log names it; the action runs in no other. None for what the database in hand showed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        database: Option<String>,
        /// Its schema.
        schema: String,
        /// Its name.
        name: String,
    },
    /// For [`Facet::Sample`]: the SHA-256 of the sample; the text itself stays in the evidence.
    Sample {
        /// Hex digits.
        sha256: String,
    },
}

/// 64-bit numbers as JSON strings.
mod decimal_string {
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundParameter {
    /// The parameter's name.
    pub name: String,
    /// Its value.
    pub value: BoundValue,
}
