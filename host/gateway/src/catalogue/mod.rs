//! The catalogue: every action that the gateway can run against a database, as data.
//!
//! **In**: the TOML files in `actions/`, one per action, compiled into the binary. **Out**: [`Action`]s by id.
//! **Trusted**: the files are reviewed with the code; unknown fields and inconsistent actions do not load. No SQL comes from
//! anywhere else.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::words::{ActionClass, Risk};

/// Which fact of a subject fills a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A query family's sample statement with its values, for EXPLAIN ANALYZE only. No SQL argument.
    Sample,
}

/// A parameter of an action.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
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
