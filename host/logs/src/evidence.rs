//! What the logs show: the one product of this crate.
//!
//! **In**: nothing; these are plain types. **Out**: [`Evidence`], made by [`crate::analyse`], read by the gateway.
//! **Trusted**: numbers, instants, ids and enums. Every `String` documented as *untrusted* was written by whoever can reach the
//! database; the gateway escapes and caps it before it is shown.
//!
//! Units: durations are integer microseconds, sizes bytes, instants microseconds since the Unix epoch, UTC. Maps are ordered
//! and lists sorted, so that the same input gives the same bytes whatever the number of threads.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::account;
use crate::redaction::{REDACTED, TextClass};

mod activity;

pub use activity::{
    Attribution, CancelReason, CancellationGroup, Checkpoint, CheckpointCause, CheckpointKind, Checkpoints,
    ClientGroup, Confidence, ConnectionGroup, LoggedPlan, LoggedPlanNode, MAX_CHECKPOINTS, MAX_PLAN_NODES,
    MAX_PLAN_TREES, MaintenanceGroup, MaintenanceKind, MaintenanceRun, PlanFormat, PlanGroup, TableName,
};

/// All that one analysis found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// First and last instant of the entries that were counted, after `--since`/`--until`.
    pub window: Option<Window>,
    /// What was read, and the totals that anyone can check against theirs.
    pub source: SourceSummary,
    /// Sum over all families, also those that `families` no longer lists.
    pub total_duration_us: u64,
    /// Executions over all families.
    pub total_executions: u64,
    /// Number of distinct families in the input; where some were folded, up to 1 % less, because a filter of fixed size tells which
    /// of them had been seen.
    pub family_count: u64,
    /// Families by total duration, largest first; ties by id.
    pub families: Vec<QueryFamily>,
    /// Lock waits, longest first; ties by instant, waiter's pid, mode and target, then id.
    pub lock_waits: Vec<LockWait>,
    /// Deadlocks in order of time; ties by the victim's pid and the edges, then id.
    pub deadlocks: Vec<Deadlock>,
    /// Error classes by count, largest first; ties by id.
    pub errors: Vec<ErrorClass>,
    /// Temporary files by total bytes, largest first; ties by id.
    pub temp_files: Vec<TempFileGroup>,
    /// Checkpoints and restartpoints (`log_checkpoints`).
    #[serde(default)]
    pub checkpoints: Checkpoints,
    /// Autovacuum by table (`log_autovacuum_min_duration`), by total time, largest first; ties by id.
    #[serde(default)]
    pub maintenance: Vec<MaintenanceGroup>,
    /// Connections by dimensions, by number of events, largest first; ties by id.
    #[serde(default)]
    pub connections: Vec<ConnectionGroup>,
    /// Connections by host, by number received or else disconnected, largest first; ties by id.
    #[serde(default)]
    pub clients: Vec<ClientGroup>,
    /// Cancelled statements and ended sessions by count, largest first; ties by id.
    #[serde(default)]
    pub cancellations: Vec<CancellationGroup>,
    /// Plans of auto_explain by the slowest execution, slowest first; ties by id.
    #[serde(default)]
    pub plans: Vec<PlanGroup>,
    /// What the input could not tell, for example bare durations that no statement could be found for. English, ours, no log text.
    pub limitations: Vec<Limitation>,
}

/// A closed interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First instant.
    pub since_us: i64,
    /// Last instant.
    pub until_us: i64,
}

impl Window {
    /// The shortest one that holds both.
    pub(crate) fn both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(Self {
                since_us: one.since_us.min(other.since_us),
                until_us: one.until_us.max(other.until_us),
            }),
            (one, other) => one.or(other),
        }
    }
}

/// A thing that the input could not tell, by a stable code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Limitation {
    /// Stable code, lower-case words joined by `_`.
    pub code: String,
    /// How often it happened.
    pub count: u64,
    /// One sentence of ours: what is missing and what to do.
    pub message: String,
}

/// The format of a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text with `log_line_prefix`.
    Stderr,
    /// `log_destination = csvlog`.
    Csv,
    /// `log_destination = jsonlog`.
    Json,
}

/// How a file was compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each name is that of the tool")]
pub enum Compression {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Lz4,
}

/// What the server's lines were wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// Lines of syslog or of the journal, as a file.
    Syslog,
    /// Log files of Kubernetes' container runtimes.
    Cri,
    /// Docker's json-file driver.
    Docker,
    /// CloudNativePG.
    Cloudnativepg,
    /// Google Cloud Logging, exported.
    GoogleCloud,
    /// Azure Monitor, exported.
    Azure,
    /// Amazon CloudWatch Logs, exported.
    Cloudwatch,
}

/// One input file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// As the user named it (`-` for standard input).
    pub path: String,
    /// None for an empty file.
    pub format: Option<Format>,
    /// The `log_line_prefix` that was given or detected (stderr only).
    pub log_line_prefix: Option<String>,
    /// How it was compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// What its lines were wrapped in, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub envelopes: Vec<Envelope>,
    /// Files of one number are one server's log, one after the other; none for an empty file.
    #[serde(default)]
    pub stream: Option<usize>,
    /// By which the log is told wherever it lies: 32 hex digits of a digest of the instants, processes and severities of its first
    /// entries; none if there were too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beginning: Option<String>,
    /// First and last instant of the entries of it that were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Bytes after decompression and unwrapping.
    pub bytes: u64,
    /// Entries found.
    pub entries: u64,
    /// The last line has no end: the file was cut there, or its last entry was still being written.
    #[serde(default)]
    pub truncated_tail: bool,
}

/// Pieces of input that are no entry, of one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unparsed {
    /// How many.
    pub count: u64,
    /// Their bytes; 0 for what was dropped with an envelope.
    pub bytes: u64,
    /// The first ones, at most [`MAX_UNPARSED_SAMPLES`].
    pub samples: Vec<UnparsedSample>,
}

/// A piece of input that is no entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnparsedSample {
    /// The file, as the user named it.
    pub path: String,
    /// Where it begins, in bytes after decompression and unwrapping.
    pub offset: u64,
    /// Its first line: letters as `x` and digits as `9`, but for the words that logs are made of.
    pub shape: String,
}

/// The clock was set back between two entries of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockJump {
    /// The file of the second entry, as the user named it.
    pub path: String,
    /// Instant of the first entry.
    pub from_us: i64,
    /// Instant of the second one, earlier by 10 s at least.
    pub to_us: i64,
}

/// Silence between two entries of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The file of the second entry, as the user named it.
    pub path: String,
    /// Instant of the first entry.
    pub since_us: i64,
    /// Instant of the second one, later by 10 min at least.
    pub until_us: i64,
}

/// Most samples kept of the pieces of one reason.
pub const MAX_UNPARSED_SAMPLES: usize = 3;
/// Most clock jumps and most gaps kept.
pub const MAX_JUMPS: usize = 16;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSummary {
    /// Files in the order they were read.
    pub files: Vec<SourceFile>,
    /// Bytes after decompression and unwrapping, over all files.
    pub bytes: u64,
    /// Entries read, those outside the window included.
    pub entries_scanned: u64,
    /// Entries that `--since`/`--until` set aside.
    pub entries_outside_window: u64,
    /// Entries by what they were taken for; adds up to `entries_scanned`. `duration`, `statement` (logged without a duration),
    /// `event`, `error`, `notice` (WARNING and below), `other` (LOG that is none of these), `forged` (raised text that imitates
    /// the server), `outside_window`.
    pub entries_by_kind: BTreeMap<String, u64>,
    /// Pieces of input that are no entry; `unparsed` adds up to it.
    pub entries_unparsed: u64,
    /// Why, by stable code (`prefix_mismatch`, `truncated_csv_record`, `invalid_json`, …). What of `bytes` is not counted here
    /// or in `bytes_dropped` belongs to entries (or to blank lines between them).
    pub unparsed: BTreeMap<String, Unparsed>,
    /// Bytes of entries longer than 4 MiB behind what was looked at.
    pub bytes_dropped: u64,
    /// How often the clock was set back by 10 s or more.
    pub clock_jump_count: u64,
    /// The largest ones, largest first; ties by instant. At most [`MAX_JUMPS`].
    pub clock_jumps: Vec<ClockJump>,
    /// How often a server logged nothing for 10 min or more.
    pub gap_count: u64,
    /// The longest ones, longest first; ties by instant. At most [`MAX_JUMPS`].
    pub gaps: Vec<Gap>,
    /// `duration:` lines by kind: `statement`, `execute`, `parse`, `bind`, `bare` (log_duration), `plan` (auto_explain).
    pub durations: BTreeMap<String, DurationTotal>,
    /// Events by name, for example `checkpoint_complete`.
    pub events: BTreeMap<String, u64>,
    /// Errors by severity and SQLSTATE, for example `ERROR 42P01`; `ERROR ?` where the log does not tell the SQLSTATE.
    pub sqlstates: BTreeMap<String, u64>,
    /// Entries by severity as logged.
    pub severities: BTreeMap<String, u64>,
    /// The classes of text that were removed; of parts that were merged, those that were removed from any.
    #[serde(default)]
    pub redacted: BTreeSet<TextClass>,
}

impl SourceSummary {
    /// Forgets the names of files.
    pub(crate) fn remove_paths(&mut self) {
        let files = self.files.iter_mut().map(|file| &mut file.path);
        let samples = self.unparsed.values_mut().flat_map(|pieces| &mut pieces.samples);
        let paths = files
            .chain(samples.map(|sample| &mut sample.path))
            .chain(self.clock_jumps.iter_mut().map(|jump| &mut jump.path))
            .chain(self.gaps.iter_mut().map(|gap| &mut gap.path));
        paths.for_each(|path| REDACTED.clone_into(path));
    }

    /// Adds what a later part read.
    pub(crate) fn merge(&mut self, other: Self) {
        // Files of two parts are never one stream.
        let streams = self.files.iter().filter_map(|file| file.stream).max();
        let fresh = streams.map_or(0, |last| last.saturating_add(1));
        self.files.extend(other.files.into_iter().map(|mut file| {
            file.stream = file.stream.map(|stream| stream.saturating_add(fresh));
            file
        }));
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.entries_scanned = self.entries_scanned.saturating_add(other.entries_scanned);
        self.entries_outside_window = self.entries_outside_window.saturating_add(other.entries_outside_window);
        self.entries_unparsed = self.entries_unparsed.saturating_add(other.entries_unparsed);
        for (kind, total) in other.durations {
            let known = self.durations.entry(kind).or_default();
            known.count = known.count.saturating_add(total.count);
            known.total_us = known.total_us.saturating_add(total.total_us);
        }
        for (reason, theirs) in other.unparsed {
            let mine = self.unparsed.entry(reason).or_default();
            mine.count = mine.count.saturating_add(theirs.count);
            mine.bytes = mine.bytes.saturating_add(theirs.bytes);
            let free = MAX_UNPARSED_SAMPLES.saturating_sub(mine.samples.len());
            mine.samples.extend(theirs.samples.into_iter().take(free));
        }
        self.bytes_dropped = self.bytes_dropped.saturating_add(other.bytes_dropped);
        self.clock_jump_count = self.clock_jump_count.saturating_add(other.clock_jump_count);
        self.clock_jumps.extend(other.clock_jumps);
        account::rank_jumps(&mut self.clock_jumps);
        self.gap_count = self.gap_count.saturating_add(other.gap_count);
        self.gaps.extend(other.gaps);
        account::rank_gaps(&mut self.gaps);
        crate::part::add_counts(&mut self.entries_by_kind, other.entries_by_kind);
        crate::part::add_counts(&mut self.events, other.events);
        crate::part::add_counts(&mut self.sqlstates, other.sqlstates);
        crate::part::add_counts(&mut self.severities, other.severities);
        self.redacted.extend(other.redacted);
    }
}

/// Count and exact sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurationTotal {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub total_us: u64,
}

/// Who ran something. Untrusted text; none where the log does not tell (`[unknown]` and the empty string count as not told).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimensions {
    /// Database name.
    pub database: Option<String>,
    /// Role name.
    pub user: Option<String>,
    /// `application_name`.
    pub application: Option<String>,
}

/// `SELECT`, `INSERT`, … by the first word after comments and `WITH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name is its SQL keyword")]
pub enum StatementKind {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    /// Everything that is planned by no planner: DDL, SET, COPY, transaction control, …
    Utility,
    /// Not recognised.
    Other,
}

/// All executions of one normalised statement with the same dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryFamily {
    /// `qf_` and 16 hex digits: the first 8 bytes of SHA-256 over the normalised statement and the dimensions (see `family.rs`).
    pub id: String,
    /// Who ran it.
    pub dimensions: Dimensions,
    /// Comments removed, literals as `?`. Untrusted.
    pub statement: String,
    /// By its first word.
    pub kind: StatementKind,
    /// It was given up for lack of room and came back: its figures lack what it did before, so they are lower bounds.
    #[serde(default)]
    pub incomplete: bool,
    /// Server query ids logged for it (`%Q`, csv, json), by count, then value; at most [`MAX_QUERY_IDS`]. 0 is never listed.
    pub query_ids: Vec<i64>,
    /// One statement as logged, with its values, no longer than [`MAX_SAMPLE_BYTES`]; the slowest execution's. Untrusted, and
    /// holds data: never shown, used for EXPLAIN ANALYZE only. None when parameters were used and not logged.
    pub sample: Option<Sample>,
    /// `statement` and `execute` durations, and bare durations joined to their statement.
    pub execution_count: u64,
    /// Exact sum.
    pub total_duration_us: u64,
    /// `total / count`, rounded half up.
    pub mean_duration_us: u64,
    /// Median, within [`PERCENTILE_RELATIVE_ERROR`].
    pub p50_duration_us: u64,
    /// 95th percentile, within [`PERCENTILE_RELATIVE_ERROR`].
    pub p95_duration_us: u64,
    /// 99th percentile, within [`PERCENTILE_RELATIVE_ERROR`].
    pub p99_duration_us: u64,
    /// Exact maximum.
    pub max_duration_us: u64,
    /// `parse` and `bind` durations, which `total_duration_us` does not contain.
    pub parse_bind_duration_us: u64,
    /// Temporary file bytes whose entry names this statement.
    pub temp_bytes: u64,
    /// Temporary files whose entry names this statement.
    pub temp_file_count: u64,
    /// Errors whose STATEMENT is this one.
    pub error_count: u64,
    /// First execution.
    pub first_seen_us: i64,
    /// Last execution.
    pub last_seen_us: i64,
}

/// One logged statement with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The statement as logged. Untrusted.
    pub statement: String,
    /// Bind values in order as logged (`DETAIL: parameters: $1 = '…'`), None for NULL. Empty for a simple statement. Untrusted.
    pub parameters: Vec<Option<String>>,
}

/// Most server query ids kept for one family.
pub const MAX_QUERY_IDS: usize = 8;
/// Longest sample statement kept; a longer one cannot be explained.
pub const MAX_SAMPLE_BYTES: usize = 64 * 1024;
/// Largest relative error of the percentiles.
pub const PERCENTILE_RELATIVE_ERROR: f64 = 0.01;

/// A server process serving one client: a pid and its start, so that a reused pid is another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionRef {
    /// Process id.
    pub pid: i32,
    /// Start in microseconds, where the log tells (`%s`, `%c` to the second, csv and json to the second).
    pub start_us: Option<i64>,
}

/// Lock modes of PostgreSQL, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name is the server's word")]
pub enum LockMode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
    /// The log's word is none of them.
    Unknown,
}

/// What was locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LockTarget {
    /// A relation.
    Relation {
        /// Its oid.
        relation: u32,
        /// The database's oid.
        database: u32,
    },
    /// A tuple or page of a relation.
    Tuple {
        /// The relation's oid.
        relation: u32,
        /// The database's oid.
        database: u32,
    },
    /// The end of a transaction, the usual form of waiting for a row.
    Transaction {
        /// Its id.
        xid: u64,
    },
    /// Advisory, object, virtual transaction, …
    Other,
}

/// One wait for a lock (`log_lock_waits`): `still waiting` and `acquired` lines of one session and one lock joined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockWait {
    /// `lw_` and 16 hex digits, stable for the same log.
    pub id: String,
    /// Who waited.
    pub waiter: SessionRef,
    /// Who held, as DETAIL names them. The start of each is resolved from the same log where possible.
    pub holders: Vec<SessionRef>,
    /// The wait queue as logged, in order.
    pub queue: Vec<i32>,
    /// Mode asked for.
    pub mode: LockMode,
    /// On what.
    pub target: LockTarget,
    /// Id of the family that waited.
    pub family: Option<String>,
    /// How that is known.
    #[serde(default)]
    pub attribution: Option<Attribution>,
    /// Longest wait logged.
    pub waited_us: u64,
    /// Whether an `acquired` line followed.
    pub acquired: bool,
    /// Who waited, by name.
    pub dimensions: Dimensions,
    /// Instant of the first line.
    pub at_us: i64,
}

/// One edge of a deadlock's cycle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlockEdge {
    /// Who waits.
    pub waiter: SessionRef,
    /// For whom.
    pub holder: SessionRef,
    /// Mode asked for.
    pub mode: LockMode,
    /// On what.
    pub target: LockTarget,
    /// Id of the family of the waiter's statement, as DETAIL gives it.
    pub family: Option<String>,
}

/// One `deadlock detected`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlock {
    /// `dl_` and 16 hex digits, stable for the same log.
    pub id: String,
    /// Whose transaction was cancelled.
    pub victim: SessionRef,
    /// The cycle.
    pub edges: Vec<DeadlockEdge>,
    /// The victim's dimensions.
    pub dimensions: Dimensions,
    /// When.
    pub at_us: i64,
}

/// Errors of one severity, SQLSTATE and message template, for one set of dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorClass {
    /// `ec_` and 16 hex digits.
    pub id: String,
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// Where the log tells.
    pub sqlstate: Option<String>,
    /// Quoted parts, numbers and other values as `?`. Untrusted.
    pub message: String,
    /// Who.
    pub dimensions: Dimensions,
    /// How many.
    pub count: u64,
    /// The statements that failed with it, by count, largest first; ties by id. At most [`MAX_ERROR_STATEMENTS`], the first ones.
    #[serde(default)]
    pub statements: Vec<ErrorStatement>,
    /// First.
    pub first_seen_us: i64,
    /// Last.
    pub last_seen_us: i64,
}

/// A statement that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorStatement {
    /// Id of its family.
    pub family: String,
    /// How that is known.
    pub attribution: Attribution,
    /// How often.
    pub count: u64,
}

/// Most statements kept of one error class.
pub const MAX_ERROR_STATEMENTS: usize = 16;

/// Temporary files of one family and one set of dimensions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TempFileGroup {
    /// `tf_` and 16 hex digits.
    pub id: String,
    /// The family whose statements wrote them.
    pub family: Option<String>,
    /// How that is known.
    #[serde(default)]
    pub attribution: Option<Attribution>,
    /// Who.
    pub dimensions: Dimensions,
    /// How many files.
    pub count: u64,
    /// Sum.
    pub total_bytes: u64,
    /// Largest.
    pub max_bytes: u64,
}
