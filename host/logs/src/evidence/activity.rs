//! What the server's own processes and its connections did: checkpoints, autovacuum, sessions, cancellations, plans.
//!
//! Every text documented as *untrusted* was written by whoever can reach the database. Fields are none where the server's version does
//! not tell them. Units as in [`crate::evidence`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Dimensions;

/// How the statement of an event was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The entry itself names it: a STATEMENT line, the `query` column, a plan's query text.
    Stated,
    /// The session had logged it (`log_statement`), and nothing of the session since ended it.
    Running,
    /// The session logged its duration next, and the event lies within that time.
    Within,
}

/// How sure a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name says it")]
pub enum Confidence {
    High,
    Medium,
    Low,
}

impl Attribution {
    /// What the log says is sure. What is concluded from the order of a session's entries is not: the statement may have been run by another
    /// one (a function, a cursor), and only the outer one is logged.
    #[must_use]
    pub fn confidence(self) -> Confidence {
        match self {
            Self::Stated => Confidence::High,
            Self::Running | Self::Within => Confidence::Medium,
        }
    }
}

/// Why a checkpoint began (`checkpoint starting: …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointCause {
    /// The server was being shut down.
    Shutdown,
    /// Recovery had ended.
    EndOfRecovery,
    /// As fast as possible: `CHECKPOINT`, a base backup, `CREATE DATABASE`. PostgreSQL's word is `immediate`, or `fast`.
    Immediate,
    /// Although nothing was written.
    Force,
    /// Somebody waited for it.
    Wait,
    /// `max_wal_size` was about to be reached.
    Wal,
    /// `checkpoint_timeout` was over.
    Time,
    /// With the pages of unlogged tables.
    FlushAll,
    /// A word of a later version.
    Other,
}

/// Checkpoint of a primary, or restartpoint of a standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name is the server's word")]
pub enum CheckpointKind {
    Checkpoint,
    Restartpoint,
}

/// One `checkpoint complete` or `restartpoint complete`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// From its first write to the end.
    pub total_us: u64,
    /// When it was complete.
    pub at_us: i64,
    /// Of a primary or a standby.
    pub kind: CheckpointKind,
    /// As its `starting` line told; empty where there was none.
    pub causes: Vec<CheckpointCause>,
    /// Shared buffers written.
    pub buffers_written: u64,
    /// SLRU buffers written (PostgreSQL 18).
    pub slru_buffers_written: Option<u64>,
    /// WAL files created.
    pub wal_files_added: u64,
    /// WAL files deleted.
    pub wal_files_removed: u64,
    /// WAL files renamed for use again.
    pub wal_files_recycled: u64,
    /// Time in writing.
    pub write_us: u64,
    /// Time in `fsync`.
    pub sync_us: u64,
    /// Files synced.
    pub files_synced: u64,
    /// The longest `fsync`.
    pub longest_sync_us: u64,
    /// WAL between this and the one before.
    pub distance_bytes: u64,
    /// The server's moving average of it.
    pub estimate_bytes: u64,
}

/// All checkpoints and restartpoints. Sums are exact; `longest` is capped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checkpoints {
    /// `checkpoint complete`.
    pub checkpoint_count: u64,
    /// `restartpoint complete`.
    pub restartpoint_count: u64,
    /// How many began for each cause; one may have several.
    pub causes: BTreeMap<CheckpointCause, u64>,
    /// Sum of shared buffers written.
    pub buffers_written: u64,
    /// Sum of WAL files created: more than are recycled means that WAL grows.
    pub wal_files_added: u64,
    /// Sum.
    pub wal_files_removed: u64,
    /// Sum.
    pub wal_files_recycled: u64,
    /// Sum.
    pub write_us: u64,
    /// Sum.
    pub sync_us: u64,
    /// Sum.
    pub total_us: u64,
    /// The longest `fsync` of all.
    pub longest_sync_us: u64,
    /// `checkpoints are occurring too frequently`.
    pub too_frequent_count: u64,
    /// The shortest distance that such a warning told, in seconds.
    pub shortest_interval_s: Option<u64>,
    /// The longest ones, longest first; ties latest first, then by the rest. At most [`MAX_CHECKPOINTS`].
    pub longest: Vec<Checkpoint>,
}

/// Most checkpoints kept one by one.
pub const MAX_CHECKPOINTS: usize = 500;

/// What an autovacuum worker did to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name is the server's word")]
pub enum MaintenanceKind {
    Vacuum,
    Analyze,
}

/// A table as the log names it. Untrusted. Names with dots cannot be taken apart; then `table` has it all.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableName {
    /// Its database.
    pub database: Option<String>,
    /// Its schema.
    pub schema: Option<String>,
    /// Its name.
    pub table: String,
}

/// One run of an autovacuum worker on one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintenanceRun {
    /// From start to end.
    pub elapsed_us: u64,
    /// When it was over.
    pub at_us: i64,
    /// It looked at every page that was not frozen.
    pub aggressive: bool,
    /// Wraparound was near: it could not be cancelled by others' locks.
    pub to_prevent_wraparound: bool,
    /// How often each index was gone through; more than once says that `autovacuum_work_mem` was too small for the dead tuples.
    pub index_scans: Option<u64>,
    /// Pages given back at the table's end.
    pub pages_removed: Option<u64>,
    /// Pages of the table afterwards.
    pub pages_remaining: Option<u64>,
    /// Pages looked at (PostgreSQL 15).
    pub pages_scanned: Option<u64>,
    /// Dead tuples removed.
    pub tuples_removed: Option<u64>,
    /// Tuples left.
    pub tuples_remaining: Option<u64>,
    /// Dead tuples that some transaction, slot or standby could still see.
    pub tuples_dead_not_removable: Option<u64>,
    /// Shared buffers found.
    pub buffers_hit: Option<u64>,
    /// Shared buffers read.
    pub buffers_missed: Option<u64>,
    /// Shared buffers made dirty.
    pub buffers_dirtied: Option<u64>,
    /// WAL records (PostgreSQL 13).
    pub wal_records: Option<u64>,
    /// Whole pages in WAL.
    pub wal_full_page_images: Option<u64>,
    /// Bytes of WAL.
    pub wal_bytes: Option<u64>,
    /// Processor time of the worker in user mode.
    pub user_us: Option<u64>,
    /// Processor time of the worker in the kernel.
    pub system_us: Option<u64>,
}

/// Autovacuum on one table. Sums are exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceGroup {
    /// `mt_` and 16 hex digits: table and kind.
    pub id: String,
    /// Which table.
    pub table: TableName,
    /// Vacuum or analyze.
    pub kind: MaintenanceKind,
    /// Runs that came to their end.
    pub run_count: u64,
    /// Of these, aggressive ones.
    pub aggressive_count: u64,
    /// Of these, ones to prevent wraparound.
    pub to_prevent_wraparound_count: u64,
    /// Runs that gave way to a session that wanted a lock (`canceling autovacuum task`).
    pub canceled_count: u64,
    /// Runs that did not begin because the table was locked.
    pub skipped_count: u64,
    /// Sum.
    pub total_elapsed_us: u64,
    /// Sum.
    pub tuples_removed: u64,
    /// The most that one run had to leave.
    pub max_tuples_dead_not_removable: u64,
    /// Sum.
    pub wal_bytes: u64,
    /// The longest run.
    pub longest: Option<MaintenanceRun>,
    /// First entry about it.
    pub first_seen_us: i64,
    /// Last entry about it.
    pub last_seen_us: i64,
}

/// Connections of one set of dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionGroup {
    /// `cn_` and 16 hex digits.
    pub id: String,
    /// Who.
    pub dimensions: Dimensions,
    /// By event: `connection_authorized`, `connection_rejected`, `connection_lost`, …
    pub events: BTreeMap<String, u64>,
    /// Sessions whose end was logged with their duration (`log_disconnections`).
    pub session_count: u64,
    /// How long they were connected, summed.
    pub total_session_us: u64,
    /// The longest.
    pub max_session_us: u64,
    /// First entry about them.
    pub first_seen_us: i64,
    /// Last entry about them.
    pub last_seen_us: i64,
}

/// Connections from one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientGroup {
    /// `ch_` and 16 hex digits.
    pub id: String,
    /// Address or name as logged, `[local]` for a Unix socket. Untrusted.
    pub host: String,
    /// `connection received`.
    pub received_count: u64,
    /// `disconnection`.
    pub disconnected_count: u64,
    /// How long they were connected, summed.
    pub total_session_us: u64,
    /// First entry about it.
    pub first_seen_us: i64,
    /// Last entry about it.
    pub last_seen_us: i64,
}

/// Why a statement was cancelled or a session ended by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// `statement_timeout`.
    StatementTimeout,
    /// `lock_timeout`.
    LockTimeout,
    /// `pg_cancel_backend`, Ctrl-C, a driver's time-out.
    UserRequest,
    /// `idle_in_transaction_session_timeout`.
    IdleInTransactionTimeout,
    /// `idle_session_timeout`.
    IdleSessionTimeout,
    /// `transaction_timeout`.
    TransactionTimeout,
    /// `pg_terminate_backend`, shutdown.
    Terminated,
    /// A standby had to replay what removes rows that the statement could see.
    ConflictSnapshot,
    /// A standby had to replay a lock.
    ConflictLock,
    /// A standby had to clean a page that the statement had pinned.
    ConflictBufferPin,
    /// A standby had to replay a tablespace's end.
    ConflictTablespace,
    /// A standby had to replay a database's end.
    ConflictDatabase,
    /// A standby and its sessions waited for each other.
    ConflictDeadlock,
    /// A standby had to do away with a logical slot.
    ConflictLogicalSlot,
    /// A standby's conflict of which DETAIL tells nothing known.
    ConflictOther,
}

/// Cancellations of one reason, statement and set of dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancellationGroup {
    /// `ca_` and 16 hex digits.
    pub id: String,
    /// Why.
    pub reason: CancelReason,
    /// What was running.
    pub family: Option<String>,
    /// How that is known.
    pub attribution: Option<Attribution>,
    /// Who.
    pub dimensions: Dimensions,
    /// How many.
    pub count: u64,
    /// First.
    pub first_seen_us: i64,
    /// Last.
    pub last_seen_us: i64,
}

/// The form of a plan in the log (`auto_explain.log_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each name is the server's word")]
pub enum PlanFormat {
    Text,
    Json,
    /// Not read.
    Xml,
    /// Not read.
    Yaml,
}

/// One node of a logged plan. Figures are per loop, as the server writes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedPlanNode {
    /// Position of the parent among the nodes; none for the root.
    pub parent: Option<u32>,
    /// `Seq Scan`, `Hash Join`, …: the server's words, letters, spaces and `-` only.
    pub node_type: String,
    /// What it reads, without schema unless `VERBOSE`. Untrusted.
    pub relation: Option<String>,
    /// The index it uses. Untrusted.
    pub index: Option<String>,
    /// Estimated cost of all rows, in the planner's units.
    pub total_cost: Option<f64>,
    /// Estimated rows.
    pub plan_rows: Option<f64>,
    /// Rows (`auto_explain.log_analyze`).
    pub actual_rows: Option<f64>,
    /// How often it ran.
    pub loops: Option<u64>,
    /// Time to the last row (`auto_explain.log_timing`).
    pub total_us: Option<u64>,
    /// Rows that its filter did not let pass.
    pub rows_removed_by_filter: Option<u64>,
    /// Its filter with values as `?`. Untrusted.
    pub filter: Option<String>,
    /// Its index condition with values as `?`. Untrusted.
    pub index_condition: Option<String>,
    /// What a sort or hash wrote to disk.
    pub disk_bytes: Option<u64>,
    /// Blocks of temporary files written.
    pub temp_written_blocks: Option<u64>,
}

/// The plan of one execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedPlan {
    /// When it was over.
    pub at_us: i64,
    /// The execution's duration, which the statement's own entry counts.
    pub duration_us: u64,
    /// As it was logged.
    pub format: PlanFormat,
    /// Parents before children; at most [`MAX_PLAN_NODES`]. Empty when the plan could not be told from text around it, or is not among
    /// those that are kept.
    pub nodes: Vec<LoggedPlanNode>,
}

/// Most nodes kept of one plan.
pub const MAX_PLAN_NODES: usize = 100;
/// Most families whose slowest plan is kept with its nodes.
pub const MAX_PLAN_TREES: usize = 250;

/// Plans of one family (`auto_explain`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanGroup {
    /// `pl_` and 16 hex digits, those of the family.
    pub id: String,
    /// Whose plans they are.
    pub family: String,
    /// How that is known.
    pub attribution: Attribution,
    /// How many.
    pub count: u64,
    /// The slowest execution's; its nodes are kept for the [`MAX_PLAN_TREES`] families with the slowest ones.
    pub slowest: LoggedPlan,
}
