//! What an action against the database returned, before a runbook or a report sees it.
//!
//! **In**: rows and plans that [`crate::db`] read, under caps. **Out**: plain data for the runbook engine, the report and the
//! evidence snapshot. **Trusted**: nothing in a [`Cell::Text`]; column names, statuses and node types are ours or checked.

use serde::{Deserialize, Serialize};

use crate::objects::Object;
use crate::words::OutcomeStatus;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Cell {
    /// NULL.
    Null,
    /// boolean.
    Boolean(bool),
    /// Any integer that fits.
    Int(i64),
    /// double precision.
    Float(f64),
    /// Text; untrusted.
    Text(String),
    /// An interval, in microseconds.
    DurationUs(i64),
    /// timestamptz, in microseconds since the Unix epoch.
    At(i64),
}

/// A session on the server: a pid and its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// Process id.
    pub pid: i32,
    /// `backend_start`, in microseconds since the Unix epoch.
    pub backend_start_us: i64,
}

/// One row, in the order of the action's columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// As many as there are columns.
    pub cells: Vec<Cell>,
    /// The session that the row is about, for actions whose rows are sessions.
    pub session: Option<SessionKey>,
    /// The sequence that it is about, for actions whose rows are sequences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// The index, constraint, slot or prepared transaction that it is about, for actions whose rows are those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
}

/// A sequence, and the column that takes its values, as a row tells them. Names are untrusted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// Its name, with its schema.
    pub name: RelationName,
    /// The column that it belongs to; none where it belongs to none.
    pub owner: Option<SequenceOwner>,
}

/// The column that a sequence belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceOwner {
    /// Its table, with its schema.
    pub relation: RelationName,
    /// Its name.
    pub column: String,
    /// Its type holds fewer values than bigint.
    pub is_narrow: bool,
}

/// A relation as a plan names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RelationName {
    /// Schema, untrusted.
    pub schema: Option<String>,
    /// Name, untrusted.
    pub name: String,
}

impl RelationName {
    /// The name as SQL writes it, with its schema where that is known.
    pub(crate) fn quoted(&self) -> String {
        qualified(self.schema.as_deref(), &self.name)
    }
}

/// The name of something in a schema as SQL writes it.
pub(crate) fn qualified(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(name)),
        None => quoted(name),
    }
}

/// A name as SQL writes it: always quoted, quotes doubled.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// One node of a plan; actual figures are totals over all loops.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each field is the plan's own, see EXPLAIN (FORMAT JSON) in PostgreSQL's documentation; units are in the names"
)]
pub struct PlanNode {
    pub parent: Option<u32>,
    pub node_type: String,
    pub relation: Option<RelationName>,
    /// Columns of `relation` that the filter compares with a constant or a parameter, in the order of an index that could be searched
    /// by them. To a sequential scan in a subquery, a column of a row outside is one, too. Untrusted text.
    pub filter_columns: Vec<String>,
    /// The same of the conditions of its index. Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub index_columns: Vec<String>,
    /// Filter, conditions and keys with every value removed, for people. Untrusted text.
    pub conditions: Vec<(String, String)>,
    pub total_cost: f64,
    pub plan_rows: f64,
    pub actual_rows: Option<f64>,
    pub loops: Option<u64>,
    pub total_us: Option<u64>,
    pub rows_removed_by_filter: Option<u64>,
    pub heap_fetches: Option<u64>,
    pub shared_hit_blocks: Option<u64>,
    pub shared_read_blocks: Option<u64>,
    pub temp_read_blocks: Option<u64>,
    pub temp_written_blocks: Option<u64>,
    pub disk_bytes: Option<u64>,
}

impl PlanNode {
    /// All columns that are compared with a constant or a parameter, each once: those of the filter first.
    pub fn compared_columns(&self) -> impl Iterator<Item = &String> {
        let is_new = |column: &&String| !self.filter_columns.contains(column);
        self.filter_columns
            .iter()
            .chain(self.index_columns.iter().filter(is_new))
    }
}

/// What an action returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionOutcome {
    /// How it ended.
    pub status: OutcomeStatus,
    /// SQLSTATE of the failure, when the server gave one.
    pub sqlstate: Option<String>,
    /// What failed or was cut, in our words; holds no text of the server.
    pub detail: Option<String>,
    /// Column names of the catalogue action.
    pub columns: Vec<String>,
    /// At most the action's row cap.
    pub rows: Vec<Row>,
    /// For EXPLAIN actions: the plan, parents before children.
    pub plan: Vec<PlanNode>,
    /// Wall-clock time of the statement as the client saw it.
    pub duration_us: u64,
    /// Bytes of the result before any cap cut it.
    pub bytes: u64,
}

/// Version of the stored form of [`RecordedOutcome`].
pub const OUTCOME_VERSION: u32 = 1;

/// What an action returned, as it is kept beside the evidence: all of it that a runbook was given, so that its conclusions can be
/// replayed. It can be erased like the evidence, without breaking a proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedOutcome {
    /// [`OUTCOME_VERSION`].
    pub outcome_version: u32,
    /// The catalogue action.
    pub target_id: String,
    /// Ids of the subjects that were bound, in the order of the action's parameters.
    pub subjects: Vec<String>,
    /// What it returned.
    pub outcome: ActionOutcome,
}
