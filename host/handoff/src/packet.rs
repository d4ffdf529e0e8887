//! What is in a packet. The JSON form is a contract: `docs/schema/handoff.v1.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the packet.
pub const PACKET_VERSION: u32 = 1;

/// Text that somebody outside wrote, escaped and capped by the host; `{"untrusted": true, "text": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Untrusted {
    /// Always true.
    #[schemars(extend("const" = true))]
    pub untrusted: bool,
    /// The text.
    pub text: String,
}

impl Untrusted {
    /// Marks `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            untrusted: true,
            text: text.into(),
        }
    }
}

/// An incident, for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// [`PACKET_VERSION`].
    pub schema_version: u32,
    /// The incident.
    pub incident_id: String,
    /// When the packet was made, RFC 3339, UTC.
    pub created_at: String,
    /// Version of the host that made it.
    pub host_version: String,
    /// The databases that were looked at: host, port, name and role; no secret.
    pub databases: Vec<String>,
    /// First and last instant of the logs, if there were any.
    pub window: Option<Window>,
    /// The alert that began it, if one did.
    pub alert: Option<Alert>,
    /// The verdict of the newest report: `clear`, `busy`, `saturated` or `unknown`.
    pub verdict: String,
    /// The most important finding in one sentence of the host's, and how bad it is.
    pub headline: Headline,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What followed from what was done, the surest with a recommendation first.
    pub insights: Vec<Insight>,
    /// Everything that was asked, done and refused, in the order of the records.
    pub steps: Vec<Step>,
    /// What a person should do next, in order.
    pub next: Vec<NextStep>,
    /// What the evidence could not show.
    pub limitations: Vec<Limitation>,
    /// Things with a time, for the time line.
    pub marks: Vec<Mark>,
    /// The statements with the most time, for the chart of latencies.
    pub latencies: Vec<Latency>,
    /// Who waited for whom; empty when nobody did. Parents before children.
    pub lock_tree: Vec<LockNode>,
    /// The plan that was looked at last; empty when there was none. Parents before children.
    pub plan: Vec<PlanNode>,
    /// On which records the charts stand.
    #[serde(default)]
    pub sources: Sources,
    /// The records that all of this stands on.
    pub records: Vec<Record>,
    /// The log's checkpoint under which the proofs stand, as it was signed.
    pub checkpoint: String,
    /// SHA-256 of the log's public key, in hex.
    pub key_id: String,
}

/// On which record each chart stands, by its position in `records`; none where there is no such chart. Marks of the time line have each its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Of `latencies`.
    pub latencies: Option<usize>,
    /// Of `lock_tree`.
    pub lock_tree: Option<usize>,
    /// Of `plan`.
    pub plan: Option<usize>,
}

/// A span of time, RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First instant.
    pub since: String,
    /// Last instant.
    pub until: String,
}

/// The alert that began the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Its name.
    pub name: Untrusted,
    /// When it began, RFC 3339, UTC.
    pub starts_at: String,
    /// Its labels.
    pub labels: Vec<Label>,
}

/// A label of an alert: whoever sends alerts chooses both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Its name.
    pub name: Untrusted,
    /// Its value.
    pub value: Untrusted,
}

/// Something that the evidence could not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limitation {
    /// What.
    pub text: String,
    /// The record that says so, by its position in `records`; none when it is one of this packet.
    pub record: Option<usize>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Score below 0.2: everyday life.
    Low,
    /// Below 0.5.
    Medium,
    /// Below 0.8: look at it today.
    High,
    /// Act now.
    Critical,
}

impl Severity {
    /// The severity of a finding's score.
    pub fn of(score: f64) -> Self {
        match score {
            0.8.. => Self::Critical,
            0.5.. => Self::High,
            0.2.. => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headline {
    /// One sentence.
    pub text: String,
    /// How bad.
    pub severity: Severity,
    /// The record that it stands on, by its position in `records`; none when nothing was found.
    pub record: Option<usize>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What it is about: `lock_wait`, `error_burst`, ….
    pub kind: String,
    /// One sentence.
    pub title: String,
    /// Why it matters.
    pub reason: String,
    /// 0 to 1.
    pub score: f64,
    /// Of the score.
    pub severity: Severity,
    /// `high`, `medium` or `low`.
    pub confidence: String,
    /// What it is about, as the host knows it: an id, and a text where there is one.
    pub subject: Option<Subject>,
    /// The host's own figures; the unit is in the name.
    pub metrics: BTreeMap<String, f64>,
    /// The record that has it, by its position in `records`.
    pub record: usize,
}

/// What something is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its id in the evidence.
    pub id: String,
    /// `query_family`, `session`, `relation`, ….
    pub kind: String,
    /// What it is: a statement without values, a name.
    pub text: Option<Untrusted>,
}

/// What followed from an action's result, or from the logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Insight {
    /// Its stable id.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// Why.
    pub reason: String,
    /// `high`, `medium` or `low`.
    pub confidence: String,
    /// What shows it: nodes of a plan, sessions, statements, ….
    pub evidence: Vec<Subject>,
    /// Advice for the person.
    pub recommendation: Option<Recommendation>,
    /// The record that has it, by its position in `records`.
    pub record: usize,
}

/// Advice for a person. An agent cannot run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// `create_index`, `set_parameter`, ….
    pub kind: String,
    /// SQL as a person would type it.
    pub sql: Untrusted,
    /// What it should change.
    pub expected_effect: String,
    /// What it can break.
    pub risk: String,
    /// Which lock it takes, and for how long.
    pub lock: String,
    /// How to take it back.
    pub way_back: Untrusted,
    /// How to see whether it helped.
    pub check: Untrusted,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Logs or evidence were judged.
    Triage,
    /// An action was about to run; the outcome is a step of its own.
    Intent,
    /// An action ran.
    Outcome,
    /// Something was asked for and refused.
    Refusal,
    /// A command failed.
    Failure,
    /// Anything else that was recorded.
    Other,
}

/// Something that was asked, done or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it was.
    pub kind: StepKind,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// One line of the host's.
    pub title: String,
    /// `ok`, `refused`, `timed_out`, …: for an outcome its status, for a refusal its code.
    pub status: String,
    /// More about it: why it was refused, what it cost.
    pub detail: String,
    /// What the caller typed, where that matters.
    pub requested: Option<Untrusted>,
    /// Microseconds that the database spent on it.
    pub duration_us: Option<u64>,
    /// What an action returned, of which findings and insights name the rows by their number; none when it is a plan.
    pub result: Option<ResultRows>,
    /// Its record, by its position in `records`.
    pub record: usize,
}

/// Rows that an action returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultRows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The first rows, each with a cell for each column; none where the server has NULL.
    pub rows: Vec<Vec<Option<Untrusted>>>,
    /// Rows that are in the record and not here.
    pub more: usize,
}

/// What a person should do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextStep {
    /// One line.
    pub label: String,
    /// Why.
    pub reason: String,
    /// `required`, `recommended` or `optional`.
    pub priority: String,
    /// The insight whose recommendation it is, by its position in `insights`.
    pub insight: Option<usize>,
    /// A command for it, where there is one.
    pub command: Option<Vec<String>>,
    /// The record that it stands on, by its position in `records`.
    pub record: usize,
}

/// Something with a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Which line it stands on: `locks`, `errors`, `checkpoints`, `autovacuum`, `actions`, `alert`, ….
    pub lane: String,
    /// When it began: microseconds since 1970-01-01T00:00:00Z.
    pub from_us: i64,
    /// When it ended; the same for an instant.
    pub to_us: i64,
    /// A few words of the host's.
    pub label: String,
    /// How bad.
    pub severity: Severity,
    /// Its record, by its position in `records`.
    pub record: Option<usize>,
}

/// Latency of one statement, microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The family's id.
    pub id: String,
    /// The statement without values.
    pub statement: Untrusted,
    /// Executions.
    pub execution_count: u64,
    /// Sum.
    pub total_us: u64,
    /// Median.
    pub p50_us: u64,
    /// 95th percentile.
    pub p95_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// Maximum.
    pub max_us: u64,
    /// 95th percentile of the baseline.
    pub baseline_p95_us: Option<u64>,
}

/// A session in a tree of lock waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockNode {
    /// Whom it waits for, by its position in the list; none for one who waits for nobody.
    pub parent: Option<usize>,
    /// `pid 4711`, or an id.
    pub session: String,
    /// `active`, `idle in transaction`, …, where known.
    pub state: Option<String>,
    /// The mode of the lock that it waits for.
    pub mode: Option<String>,
    /// The relation.
    pub relation: Option<Untrusted>,
    /// The statement without values.
    pub statement: Option<Untrusted>,
    /// How long it waited.
    pub waited_us: Option<u64>,
}

/// A node of a plan. Figures are totals over all loops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanNode {
    /// By its position in the list.
    pub parent: Option<usize>,
    /// `Seq Scan`, ….
    pub node_type: String,
    /// What it reads.
    pub relation: Option<Untrusted>,
    /// Estimated rows.
    pub plan_rows: f64,
    /// Rows.
    pub actual_rows: Option<f64>,
    /// Estimated cost, in the planner's units.
    pub total_cost: f64,
    /// Time to its last row.
    pub total_us: Option<u64>,
    /// Rows that its filter threw away.
    pub rows_removed_by_filter: Option<u64>,
    /// The insights that it shows, by their positions in `insights`.
    pub insights: Vec<usize>,
}

/// A record of the audit log, and that it stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its id.
    pub record_id: String,
    /// Its place in the log.
    pub index: u64,
    /// `triage`, `intent`, ….
    pub kind: String,
    /// When it was made, RFC 3339, UTC.
    pub created_at: String,
    /// SHA-256 of its file, in hex.
    pub sha256: String,
    /// That it stands in the log: a `.tlog-proof` (C2SP tlog-proof).
    pub proof: String,
}
