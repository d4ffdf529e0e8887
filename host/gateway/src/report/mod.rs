//! The report: what an agent reads, and what is sealed.
//!
//! **In**: checked assessments, verdicts, outcomes, evidence. **Out**: [`Report`], schema version 1. **Trusted**: every plain string
//! here is ours, or built from a trusted runbook's templates; text from logs and databases is [`Untrusted`].
//!
//! The JSON Schema in `docs/schema/` is generated from these types.

mod activity;
mod assemble;
mod baseline;
mod recommend;
mod views;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use activity::{
    AutovacuumView, CancellationView, CheckpointView, ClientView, ConnectionView, LoggedPlanNodeView, LoggedPlanView,
};
pub use assemble::{ActionContext, Assembly, Offer};
pub use baseline::{Baseline, RegressionView};
pub(crate) use views::word;
pub use views::{
    CellView, DeadlockView, ErrorClassView, LockWaitView, OutcomeView, PlanNodeView, QueryFamilyView, RowView,
    SubjectView, TempFileView,
};

use crate::alert::AlertView;
use crate::approval::ApprovalRequest;
pub use crate::budget::{Budget, DayBudget, RateBudget};
use crate::health::Verdict;
pub use crate::runbook::Usage;
use crate::untrusted::Untrusted;
use crate::words::{
    ActionClass, ActionStatus, ActionType, Confidence, FindingKind, OperatingMode, Priority, Risk, VerdictLevel,
};

/// Version of this form. It changes when a reader of the old form could misread the new one.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of a triage or of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `rp_` and an id; `--triage-report` takes it.
    pub report_id: String,
    /// The report that this one follows from.
    pub parent_report_id: Option<String>,
    /// `in_` and an id; the same for all that follows from one first triage.
    pub incident_id: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// The runbook's workflow.
    pub workflow: String,
    /// What the gateway had to work with.
    pub operating_mode: OperatingMode,
    /// What could not be told, and why.
    pub limitations: Vec<Limitation>,
    /// The host's judgement of the database; `unknown` when no database was asked.
    pub verdict: VerdictLevel,
    /// Why, one sentence each.
    pub verdict_reasons: Vec<String>,
    /// The verdict with every input and threshold; none when no database was asked.
    pub health: Option<Verdict>,
    /// First and last instant of the entries that were counted.
    pub analysis_window: Option<AnalysisWindow>,
    /// What was read.
    pub source_summary: SourceSummary,
    /// The alert that started the incident, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertView>,
    /// What it was compared with; none without `--baseline`.
    pub baseline: Option<Baseline>,
    /// What is worth attention, by rank.
    pub findings: Vec<Finding>,
    /// What an action's result means.
    pub insights: Vec<Insight>,
    /// What could be done next; blocked actions stay in the list.
    pub next_actions: Vec<NextAction>,
    /// What the action returned, in the report of an action.
    pub outcome: Option<OutcomeView>,
    /// What the incident has used of its budget.
    pub budget: Budget,
    /// Who judged.
    pub runbook: RunbookInfo,
    /// Where the report stands in the audit log.
    pub audit: AuditRef,
}

/// Something that could not be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limitation {
    /// Stable code.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// How often, where that means something.
    pub count: Option<u64>,
}

/// A closed interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisWindow {
    /// RFC 3339, UTC.
    pub since: String,
    /// RFC 3339, UTC.
    pub until: String,
}

/// What was read; anyone can check these totals against theirs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSummary {
    /// `logs`, `parent_report` (the evidence sealed with it) or `none`.
    pub kind: String,
    /// In the order they were read.
    pub files: Vec<SourceFile>,
    /// Bytes after decompression.
    pub bytes: u64,
    /// Entries read.
    pub entries_scanned: u64,
    /// Entries outside `--since`/`--until`.
    pub entries_outside_window: u64,
    /// Entries by what they were taken for (`duration`, `statement`, `event`, `error`, `notice`, `other`, `forged`,
    /// `outside_window`); adds up to `entries_scanned`.
    pub entries_by_kind: BTreeMap<String, u64>,
    /// Pieces of input that are no entry.
    pub entries_unparsed: u64,
    /// Why, by code; adds up to `entries_unparsed`.
    pub unparsed: BTreeMap<String, Unparsed>,
    /// Bytes of entries longer than 4 MiB behind what was looked at.
    pub bytes_dropped: u64,
    /// How often the clock was set back by 10 s or more between two entries of one server.
    pub clock_jump_count: u64,
    /// The largest ones.
    pub clock_jumps: Vec<ClockJump>,
    /// How often a server logged nothing for 10 min or more.
    pub gap_count: u64,
    /// The longest ones.
    pub gaps: Vec<Gap>,
    /// `duration:` lines by kind (`statement`, `execute`, `parse`, `bind`, `bare`, `plan`).
    pub durations: BTreeMap<String, DurationTotal>,
    /// Events by name.
    pub events: BTreeMap<String, u64>,
    /// Errors by severity and SQLSTATE.
    pub sqlstates: BTreeMap<String, u64>,
    /// Entries by severity.
    pub severities: BTreeMap<String, u64>,
    /// Distinct query families.
    pub query_families: u64,
    /// Classes of text that were removed before anything was written: what a report lacks of them is not what the log lacked.
    pub redacted: Vec<String>,
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// As the caller named it.
    pub path: String,
    /// `stderr`, `csv` or `json`; none for an empty file.
    pub format: Option<String>,
    /// Given or detected (stderr only).
    pub log_line_prefix: Option<String>,
    /// `gzip`, `zstd`, `xz`, `bzip2` or `lz4`; none for a file that is not compressed.
    pub compression: Option<String>,
    /// What its lines were wrapped in, outermost first: `syslog`, `cri`, `docker`, `cloudnativepg`, `google_cloud`, `azure`,
    /// `cloudwatch`.
    pub envelopes: Vec<String>,
    /// Files of one number are one server's log; none for an empty file.
    pub stream: Option<u64>,
    /// Bytes after decompression and unwrapping.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
    /// The last line has no end: the file was cut, or its last entry was still being written.
    pub truncated_tail: bool,
}

/// Pieces of input that are no entry, of one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unparsed {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first ones, at most three.
    pub samples: Vec<UnparsedSample>,
}

/// A piece of input that is no entry: where it is, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnparsedSample {
    /// The file, as the caller named it.
    pub path: String,
    /// Where it begins, in bytes after decompression and unwrapping.
    pub offset: u64,
    /// Its first line: letters as `x` and digits as `9`, but for the words that logs are made of.
    pub shape: String,
}

/// The clock was set back between two entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockJump {
    /// The file of the second entry.
    pub path: String,
    /// Time of the first entry, RFC 3339.
    pub from: String,
    /// Time of the second one.
    pub to: String,
}

/// Silence between two entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The file of the second entry.
    pub path: String,
    /// Time of the first entry, RFC 3339.
    pub since: String,
    /// Time of the second one.
    pub until: String,
}

/// Count and exact sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurationTotal {
    /// How many.
    pub count: u64,
    /// Their sum in milliseconds, exact to the microsecond.
    pub total_ms: f64,
}

/// A measured number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Metric {
    /// A count.
    Count(u64),
    /// Anything else; the unit is in the name.
    Number(f64),
}

/// Something worth attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// `f_01`, …, within the report.
    pub finding_id: String,
    /// What it is about.
    pub kind: FindingKind,
    /// 1 is first.
    pub rank: u32,
    /// One sentence.
    pub title: String,
    /// Why it matters.
    pub reason: String,
    /// Why, for programs.
    pub reason_codes: Vec<String>,
    /// 0 to 1.
    pub score: f64,
    /// How sure.
    pub confidence: Confidence,
    /// The host's own figures for the subject.
    pub metrics: BTreeMap<String, Metric>,
    /// What supports it.
    pub evidence: Vec<SubjectView>,
    /// For findings of kind `slow_query_regression`: how the family got worse since the baseline. The figures are in `metrics`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub regression: Option<RegressionView>,
    /// The subject, for findings about a query family.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub query_family: Option<QueryFamilyView>,
    /// The subject, for findings about an error class.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_class: Option<ErrorClassView>,
    /// The subject, for findings about a lock wait.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lock_wait: Option<LockWaitView>,
    /// The subject, for findings about a deadlock.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deadlock: Option<DeadlockView>,
    /// The subject, for findings about temporary files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temp_file: Option<TempFileView>,
    /// The subject, for findings about a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checkpoint: Option<CheckpointView>,
    /// The subject, for findings about autovacuum on a table.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub autovacuum: Option<AutovacuumView>,
    /// The subject, for findings about connections of somebody.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection: Option<ConnectionView>,
    /// The subject, for findings about connections from a host.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<ClientView>,
    /// The subject, for findings about cancelled statements and ended sessions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cancellation: Option<CancellationView>,
    /// The subject, for findings about the plans that a log has of a family.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub logged_plan: Option<LoggedPlanView>,
    /// The subject, for findings about anything else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<SubjectView>,
}

/// A conclusion from an action's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Insight {
    /// Stable id.
    pub insight_id: String,
    /// One sentence.
    pub title: String,
    /// Why.
    pub reason: String,
    /// How sure.
    pub confidence: Confidence,
    /// The rows and plan nodes that show it.
    pub evidence: Vec<SubjectView>,
    /// Advice for a person.
    pub recommendation: Option<Recommendation>,
}

/// Advice for a person. An agent cannot run it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// `create_index`, `set_work_mem`, `analyze_relation`, `end_session`, `vacuum_relation`, `set_autovacuum`, `create_statistics`,
    /// `set_parameter`, `set_statistics_target`, `extend_sequence`, `drop_index`, `rebuild_index`, `validate_constraint`, `drop_replication_slot`
    /// or `rollback_prepared`.
    pub kind: String,
    /// The SQL as a person would type it. It holds names of the database, so it is untrusted: read it before use.
    pub sql: Untrusted,
    /// What it should change.
    pub expected_effect: String,
    /// What it can break.
    pub risk: String,
    /// Which lock it takes, and for how long.
    pub lock: String,
    /// How to take it back.
    pub way_back: Untrusted,
    /// How to see afterwards whether it helped.
    pub check: Untrusted,
}

/// What could be done next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextAction {
    /// `act_01`, …, within the report; `--action-id` takes it.
    pub action_id: String,
    /// What it is.
    pub action_type: ActionType,
    /// One line.
    pub label: String,
    /// Whether it may run, as of this report.
    pub status: ActionStatus,
    /// Why, and for a blocked action what would unblock it.
    pub status_reason: String,
    /// How much it is wanted.
    pub priority: Priority,
    /// Whether to weigh it up first.
    pub judgement_required: bool,
    /// Why it is offered.
    pub reason: String,
    /// The catalogue action or the workflow.
    pub target_id: Option<String>,
    /// What would be bound.
    pub parameters: Vec<ActionParameter>,
    /// For `run_sql`.
    pub risk: Option<Risk>,
    /// For `run_sql`.
    pub action_class: Option<ActionClass>,
    /// Runs as it stands; none when there is nothing to run.
    pub command: Option<Command>,
    /// For `prompt_user`: what to ask.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub survey: Option<Survey>,
    /// Ids of the findings that it follows from.
    pub findings: Vec<String>,
}

/// A parameter of an offered action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionParameter {
    /// Its name, for `--parameter NAME=VALUE`.
    pub name: String,
    /// What it means.
    pub description: String,
    /// The subject that fills it.
    pub subject_id: String,
    /// The value that is bound when none is named.
    pub value: ParameterValue,
    /// All values that may be named, when there is a choice.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub choices: Vec<ParameterValue>,
}

/// A value as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParameterValue {
    /// Ours: a query id, a pid with its start, a digest.
    Plain(String),
    /// A name of the database.
    Text(Untrusted),
}

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Program and arguments, not for a shell.
    pub argv: Vec<String>,
}

/// A question for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// The question.
    pub question: String,
    /// The answers that make sense.
    pub answers: Vec<String>,
}

/// Which runbook judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookInfo {
    /// Name.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// `sha256:` and the component's digest.
    pub digest: String,
    /// Who vouches for it: `builtin`, or key names.
    pub signers: Vec<String>,
    /// The version of `pg-logstats:runbook` that it was built for; none when it could not be told. Absent in records of hosts that
    /// served one version only, 0.1.0.
    #[serde(default)]
    pub wit_version: Option<String>,
    /// What its run used.
    pub usage: Usage,
    /// Why it gave no assessment, when it failed.
    pub failure: Option<RunbookFailure>,
}

/// Why a runbook gave no assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunbookFailure {
    /// Stable code.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// Where a record stands in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRef {
    /// Its index.
    pub index: u64,
    /// Root of the tree with this record as its last, in hex. Empty in the sealed record, which cannot hold it.
    pub root: String,
}

/// A refusal, printed instead of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `rf_` and an id.
    pub refusal_id: String,
    /// The incident, when the report that was named is known.
    pub incident_id: Option<String>,
    /// The report that was named, when it is known.
    pub parent_report_id: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// What was asked for, as typed.
    pub requested: Untrusted,
    /// The catalogue action, when it is known.
    pub target_id: Option<String>,
    /// The action's status now, for an action of a report.
    pub status: Option<ActionStatus>,
    /// Stable code of the reason.
    pub code: String,
    /// Why, and what would unblock it.
    pub reason: String,
    /// The verdict, when one was taken.
    pub health: Option<Verdict>,
    /// What the incident has used of its budget, when there is one.
    pub budget: Option<Budget>,
    /// What to give to a person for `pg-logstats approve`, when an approval is what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_request: Option<ApprovalRequest>,
    /// Where the refusal stands in the audit log.
    pub audit: AuditRef,
}
