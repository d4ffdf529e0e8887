//! How evidence, outcomes and subjects are shown: the host's own facts, with every outside text wrapped.

use std::collections::BTreeMap;

use pg_logstats_logs::evidence as logs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::activity::{self, ActivityFacts};
use super::{
    AnalysisWindow, ClockJump, DurationTotal, Gap, Metric, SourceFile, SourceSummary, Unparsed, UnparsedSample,
};
use crate::outcome::{ActionOutcome, Cell, PlanNode, RelationName};
use crate::runbook::descriptor::grouped;
use crate::subjects::{Subject, Subjects, plan_node_id, session_id, session_key_id};
use crate::time::rfc3339;
use crate::untrusted::{Untrusted, escape_control};
use crate::words::OutcomeStatus;

/// Microseconds as milliseconds; exact to the microsecond below three centuries.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 microseconds, 285 years")]
pub(super) fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

/// Database, user and application name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DimensionsView {
    /// Database name.
    pub database: Option<Untrusted>,
    /// Role name.
    pub user: Option<Untrusted>,
    /// Application name.
    pub application_name: Option<Untrusted>,
}

impl From<&logs::Dimensions> for DimensionsView {
    fn from(d: &logs::Dimensions) -> Self {
        let wrap = |text: &Option<String>| text.as_deref().map(|t| Untrusted::capped(t, 200));
        Self {
            database: wrap(&d.database),
            user: wrap(&d.user),
            application_name: wrap(&d.application),
        }
    }
}

/// A subject in a list of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectView {
    /// Its id.
    pub subject_id: String,
    /// Its kind.
    pub kind: String,
    /// Name or statement.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<Untrusted>,
    /// For sessions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<SessionView>,
    /// For plan nodes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan_node: Option<PlanNodeView>,
}

/// A server process serving one client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionView {
    /// Its subject id.
    pub session_id: String,
    /// Process id.
    pub pid: i32,
    /// RFC 3339, where known.
    pub started_at: Option<String>,
    /// Who.
    pub dimensions: DimensionsView,
}

impl SessionView {
    fn new(pid: i32, start_us: Option<i64>, dimensions: &logs::Dimensions) -> Self {
        Self {
            session_id: session_id(pid, start_us),
            pid,
            started_at: start_us.map(rfc3339),
            dimensions: dimensions.into(),
        }
    }

    /// The session `reference`, with the dimensions that its subject has.
    fn of(reference: logs::SessionRef, subjects: &Subjects) -> Self {
        let id = session_id(reference.pid, reference.start_us);
        let known = subjects
            .get(&id)
            .and_then(Subject::dimensions)
            .cloned()
            .unwrap_or_default();
        Self::new(reference.pid, reference.start_us, &known)
    }
}

/// A query family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryFamilyView {
    /// `qf_` and 16 hex digits.
    pub query_family_id: String,
    /// Normalised: no comments, no literals.
    pub statement: Untrusted,
    /// `select`, `insert`, …
    pub statement_kind: String,
    /// Who ran it.
    pub dimensions: DimensionsView,
    /// The server's query ids, as strings.
    pub query_ids: Vec<String>,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// The snake-case word that serde gives a unit variant.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

impl From<&logs::QueryFamily> for QueryFamilyView {
    fn from(f: &logs::QueryFamily) -> Self {
        Self {
            query_family_id: f.id.clone(),
            statement: Untrusted::new(&f.statement),
            statement_kind: word(&f.kind),
            dimensions: (&f.dimensions).into(),
            query_ids: f.query_ids.iter().map(i64::to_string).collect(),
            first_seen: rfc3339(f.first_seen_us),
            last_seen: rfc3339(f.last_seen_us),
        }
    }
}

/// An error class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorClassView {
    /// Its id.
    pub error_class_id: String,
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// Where the log tells.
    pub sqlstate: Option<String>,
    /// With literals taken out.
    pub message: Untrusted,
    /// Who.
    pub dimensions: DimensionsView,
    /// The statements that failed with it, most often first; at most 16.
    pub statements: Vec<ErrorStatementView>,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// What was locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "oids and transaction ids as PostgreSQL logs them")]
pub enum LockTargetView {
    Relation {
        relation: u32,
        database: u32,
    },
    Tuple {
        relation: u32,
        database: u32,
    },
    Transaction {
        /// A string in JSON.
        #[serde(with = "crate::decimal")]
        #[schemars(with = "String")]
        xid: u64,
    },
    Other,
}

impl From<logs::LockTarget> for LockTargetView {
    fn from(t: logs::LockTarget) -> Self {
        match t {
            logs::LockTarget::Relation { relation, database } => Self::Relation { relation, database },
            logs::LockTarget::Tuple { relation, database } => Self::Tuple { relation, database },
            logs::LockTarget::Transaction { xid } => Self::Transaction { xid },
            logs::LockTarget::Other => Self::Other,
        }
    }
}

/// How the statement of an event is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributionView {
    /// `stated`: the log's entry names it. `running`: the session had logged it, and it was not over. `within`: the session logged its
    /// duration next, and the event lies within that time.
    pub by: String,
    /// `high` for what is stated, `medium` for what is concluded.
    pub confidence: String,
}

impl From<logs::Attribution> for AttributionView {
    fn from(attribution: logs::Attribution) -> Self {
        Self {
            by: word(&attribution),
            confidence: word(&attribution.confidence()),
        }
    }
}

/// A statement that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorStatementView {
    /// Which one.
    pub query_family_id: String,
    /// How that is known.
    pub attribution: AttributionView,
    /// How often.
    pub count: u64,
}

impl From<&logs::ErrorStatement> for ErrorStatementView {
    fn from(statement: &logs::ErrorStatement) -> Self {
        Self {
            query_family_id: statement.family.clone(),
            attribution: statement.attribution.into(),
            count: statement.count,
        }
    }
}

/// A wait for a lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockWaitView {
    /// Its id.
    pub lock_wait_id: String,
    /// Who waited.
    pub waiter: SessionView,
    /// For whom.
    pub holders: Vec<SessionView>,
    /// Pids of the wait queue, in order.
    pub queue: Vec<i32>,
    /// `access_share`, …
    pub mode: String,
    /// On what.
    pub target: LockTargetView,
    /// The waiter's statement.
    pub query_family_id: Option<String>,
    /// How that is known.
    pub attribution: Option<AttributionView>,
    /// Whether it got the lock in the end, as far as the log tells.
    pub acquired: bool,
    /// RFC 3339.
    pub at: String,
}

/// One edge of a deadlock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlockEdgeView {
    /// Who waits.
    pub waiter: SessionView,
    /// For whom.
    pub holder: SessionView,
    /// `access_share`, …
    pub mode: String,
    /// On what.
    pub target: LockTargetView,
    /// The waiter's statement.
    pub query_family_id: Option<String>,
}

/// A deadlock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlockView {
    /// Its id.
    pub deadlock_id: String,
    /// Whose transaction was cancelled.
    pub victim: SessionView,
    /// The cycle.
    pub edges: Vec<DeadlockEdgeView>,
    /// RFC 3339.
    pub at: String,
}

/// Temporary files of one family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TempFileView {
    /// Its id.
    pub temp_file_id: String,
    /// Whose statement.
    pub query_family: Option<QueryFamilyView>,
    /// How that is known.
    pub attribution: Option<AttributionView>,
    /// Who.
    pub dimensions: DimensionsView,
}

/// What a finding shows of its subject.
#[derive(Default)]
pub(super) struct SubjectFacts {
    pub(super) metrics: BTreeMap<String, Metric>,
    pub(super) query_family: Option<QueryFamilyView>,
    pub(super) error_class: Option<ErrorClassView>,
    pub(super) lock_wait: Option<LockWaitView>,
    pub(super) deadlock: Option<DeadlockView>,
    pub(super) temp_file: Option<TempFileView>,
    pub(super) activity: ActivityFacts,
    pub(super) other: Option<SubjectView>,
}

/// The host's facts about the subject `id`.
pub(super) fn facts(id: &str, subjects: &Subjects) -> SubjectFacts {
    let mut facts = SubjectFacts::default();
    match subjects.get(id) {
        Some(Subject::QueryFamily(family)) => {
            facts.metrics = family_metrics(family);
            facts.query_family = Some(family.as_ref().into());
        }
        Some(Subject::ErrorClass(class)) => {
            facts.metrics = [("count".to_owned(), Metric::Count(class.count))].into();
            facts.error_class = Some(ErrorClassView {
                error_class_id: class.id.clone(),
                severity: sanitised(&class.severity),
                sqlstate: class.sqlstate.as_deref().map(sanitised),
                message: Untrusted::new(&class.message),
                dimensions: (&class.dimensions).into(),
                statements: class.statements.iter().map(Into::into).collect(),
                first_seen: rfc3339(class.first_seen_us),
                last_seen: rfc3339(class.last_seen_us),
            });
        }
        Some(Subject::LockWait(wait)) => {
            facts.metrics = [
                ("waited_ms".to_owned(), Metric::Number(ms(wait.waited_us))),
                ("queue_length".to_owned(), Metric::Count(wait.queue.len() as u64)),
            ]
            .into();
            facts.lock_wait = Some(lock_wait(wait, subjects));
        }
        Some(Subject::Deadlock(deadlock)) => {
            facts.metrics = [("sessions".to_owned(), Metric::Count(deadlock.edges.len() as u64))].into();
            facts.deadlock = Some(self::deadlock(deadlock, subjects));
        }
        Some(Subject::TempFileGroup { group, family }) => {
            facts.metrics = [
                ("file_count".to_owned(), Metric::Count(group.count)),
                ("total_bytes".to_owned(), Metric::Count(group.total_bytes)),
                ("max_bytes".to_owned(), Metric::Count(group.max_bytes)),
            ]
            .into();
            facts.temp_file = Some(TempFileView {
                temp_file_id: group.id.clone(),
                query_family: family.as_deref().map(Into::into),
                attribution: group.attribution.map(Into::into),
                dimensions: (&group.dimensions).into(),
            });
        }
        Some(known) => match activity::facts(id, known) {
            Some((metrics, activity)) => (facts.metrics, facts.activity) = (metrics, activity),
            None => facts.other = subject(id, subjects),
        },
        None => {}
    }
    facts
}

fn family_metrics(f: &logs::QueryFamily) -> BTreeMap<String, Metric> {
    let counts = [
        ("execution_count", f.execution_count),
        ("error_count", f.error_count),
        ("temp_file_count", f.temp_file_count),
        ("temp_bytes", f.temp_bytes),
    ];
    let durations = [
        ("total_duration_ms", f.total_duration_us),
        ("mean_duration_ms", f.mean_duration_us),
        ("p50_duration_ms", f.p50_duration_us),
        ("p95_duration_ms", f.p95_duration_us),
        ("p99_duration_ms", f.p99_duration_us),
        ("max_duration_ms", f.max_duration_us),
        ("parse_bind_duration_ms", f.parse_bind_duration_us),
    ];
    let counts = counts.into_iter().map(|(name, n)| (name.to_owned(), Metric::Count(n)));
    counts
        .chain(
            durations
                .into_iter()
                .map(|(name, us)| (name.to_owned(), Metric::Number(ms(us)))),
        )
        .collect()
}

fn lock_wait(wait: &logs::LockWait, subjects: &Subjects) -> LockWaitView {
    LockWaitView {
        lock_wait_id: wait.id.clone(),
        waiter: SessionView::of(wait.waiter, subjects),
        holders: wait.holders.iter().map(|h| SessionView::of(*h, subjects)).collect(),
        queue: wait.queue.clone(),
        mode: word(&wait.mode),
        target: wait.target.into(),
        query_family_id: wait.family.clone(),
        attribution: wait.attribution.map(Into::into),
        acquired: wait.acquired,
        at: rfc3339(wait.at_us),
    }
}

fn deadlock(deadlock: &logs::Deadlock, subjects: &Subjects) -> DeadlockView {
    let edge = |e: &logs::DeadlockEdge| DeadlockEdgeView {
        waiter: SessionView::of(e.waiter, subjects),
        holder: SessionView::of(e.holder, subjects),
        mode: word(&e.mode),
        target: e.target.into(),
        query_family_id: e.family.clone(),
    };
    DeadlockView {
        deadlock_id: deadlock.id.clone(),
        victim: SessionView::of(deadlock.victim, subjects),
        edges: deadlock.edges.iter().map(edge).collect(),
        at: rfc3339(deadlock.at_us),
    }
}

/// `schema.name`, as people write it.
pub(super) fn relation_text(relation: &RelationName) -> String {
    match &relation.schema {
        Some(schema) => format!("{schema}.{}", relation.name),
        None => relation.name.clone(),
    }
}

/// The subject `id` for a list of evidence.
pub(super) fn subject(id: &str, subjects: &Subjects) -> Option<SubjectView> {
    let subject = subjects.get(id)?;
    let text = match subject {
        Subject::QueryFamily(family) => Some(Untrusted::capped(&family.statement, 300)),
        Subject::RelationOid { database, relation } => {
            Some(Untrusted::new(&format!("relation {relation} of database {database}")))
        }
        Subject::RelationName(relation) => Some(Untrusted::new(&relation_text(relation))),
        Subject::Table(table) => Some(Untrusted::new(&activity::table_text(table))),
        Subject::AutovacuumGroup(group) => Some(Untrusted::new(&activity::table_text(&group.table))),
        Subject::ClientGroup(group) => Some(Untrusted::capped(&group.host, 200)),
        Subject::CancellationGroup { family, .. } | Subject::PlanGroup { family, .. } => {
            family.as_ref().map(|family| Untrusted::capped(&family.statement, 300))
        }
        Subject::Index(name) | Subject::Database(name) | Subject::User(name) | Subject::Application(name) => {
            Some(Untrusted::capped(name, 200))
        }
        Subject::ErrorClass(class) => Some(Untrusted::capped(&class.message, 300)),
        Subject::Sequence(sequence) => Some(Untrusted::new(&relation_text(&sequence.name))),
        Subject::Object(object) => Some(Untrusted::capped(&object.text(), 300)),
        Subject::Column { relation, column } => Some(Untrusted::new(&format!("{}.{column}", relation_text(relation)))),
        _ => None,
    };
    let session = match subject {
        Subject::Session {
            pid,
            start_us,
            dimensions,
        } => Some(SessionView::new(*pid, *start_us, dimensions)),
        _ => None,
    };
    let plan_node = match subject {
        Subject::PlanNode(node) => Some(PlanNodeView::new(id.to_owned(), node)),
        _ => None,
    };
    Some(SubjectView {
        subject_id: id.to_owned(),
        kind: subject.kind().as_str().to_owned(),
        text,
        session,
        plan_node,
    })
}

/// What an action returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeView {
    /// The action of the parent report.
    pub action_id: String,
    /// The catalogue action.
    pub target_id: String,
    /// How it ended.
    pub status: OutcomeStatus,
    /// The server's code for a failure.
    pub sqlstate: Option<String>,
    /// What failed or was cut.
    pub detail: Option<String>,
    /// Column names.
    pub columns: Vec<String>,
    /// At most the action's cap.
    pub rows: Vec<RowView>,
    /// For EXPLAIN: parents before children.
    pub plan: Vec<PlanNodeView>,
    /// As the client saw it.
    pub duration_ms: f64,
    /// Of the result.
    pub bytes: u64,
    /// Index of the intent record in the audit log.
    pub intent_index: u64,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowView {
    /// In the order of the columns.
    pub cells: Vec<CellView>,
    /// Subject id of the session that the row is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session_id: Option<String>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CellView {
    /// NULL.
    Null,
    /// true or false.
    Boolean(bool),
    /// An integer that a JSON number holds.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A duration.
    Duration {
        /// In milliseconds.
        duration_ms: f64,
    },
    /// An instant.
    At {
        /// RFC 3339.
        at: String,
    },
    /// Text of the database.
    Text(Untrusted),
}

/// Integers beyond this do not survive as JSON numbers everywhere.
const MAX_SAFE_INTEGER: u64 = 1 << 53;

impl From<&Cell> for CellView {
    #[expect(clippy::cast_precision_loss, reason = "durations are far below 2^53 microseconds")]
    fn from(cell: &Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Boolean(b) => Self::Boolean(*b),
            Cell::Int(n) if n.unsigned_abs() <= MAX_SAFE_INTEGER => Self::Int(*n),
            Cell::Int(n) => Self::Text(Untrusted::new(&n.to_string())),
            Cell::Float(f) if f.is_finite() => Self::Float(*f),
            Cell::Float(_) => Self::Null,
            Cell::Text(text) => Self::Text(Untrusted::capped(text, 500)),
            Cell::DurationUs(us) => Self::Duration {
                duration_ms: *us as f64 / 1_000.0,
            },
            Cell::At(us) => Self::At { at: rfc3339(*us) },
        }
    }
}

/// One node of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each field is the plan's own, see EXPLAIN (FORMAT JSON) in PostgreSQL's documentation"
)]
pub struct PlanNodeView {
    pub node_id: String,
    /// Position of the parent in the plan.
    pub parent: Option<u32>,
    pub node_type: String,
    pub relation: Option<Untrusted>,
    /// Filters, conditions and keys, every value removed.
    pub conditions: BTreeMap<String, Untrusted>,
    pub total_cost: f64,
    pub plan_rows: f64,
    pub actual_rows: Option<f64>,
    pub loops: Option<u64>,
    pub total_ms: Option<f64>,
    pub rows_removed_by_filter: Option<u64>,
    pub heap_fetches: Option<u64>,
    pub shared_hit_blocks: Option<u64>,
    pub shared_read_blocks: Option<u64>,
    pub temp_read_blocks: Option<u64>,
    pub temp_written_blocks: Option<u64>,
    pub disk_bytes: Option<u64>,
}

impl PlanNodeView {
    fn new(node_id: String, n: &PlanNode) -> Self {
        Self {
            node_id,
            parent: n.parent,
            node_type: sanitised(&n.node_type),
            relation: n.relation.as_ref().map(|r| Untrusted::new(&relation_text(r))),
            conditions: n
                .conditions
                .iter()
                .map(|(name, text)| (sanitised(name), Untrusted::capped(text, 500)))
                .collect(),
            total_cost: n.total_cost,
            plan_rows: n.plan_rows,
            actual_rows: n.actual_rows,
            loops: n.loops,
            total_ms: n.total_us.map(ms),
            rows_removed_by_filter: n.rows_removed_by_filter,
            heap_fetches: n.heap_fetches,
            shared_hit_blocks: n.shared_hit_blocks,
            shared_read_blocks: n.shared_read_blocks,
            temp_read_blocks: n.temp_read_blocks,
            temp_written_blocks: n.temp_written_blocks,
            disk_bytes: n.disk_bytes,
        }
    }
}

impl OutcomeView {
    /// `outcome` of the action `target_id`, which the parent report called `action_id`.
    pub fn new(action_id: &str, target_id: &str, intent_index: u64, outcome: &ActionOutcome) -> Self {
        Self {
            action_id: action_id.to_owned(),
            target_id: target_id.to_owned(),
            status: outcome.status,
            sqlstate: outcome.sqlstate.as_deref().map(sanitised),
            detail: outcome.detail.clone(),
            columns: outcome.columns.clone(),
            rows: outcome
                .rows
                .iter()
                .map(|row| RowView {
                    cells: row.cells.iter().map(Into::into).collect(),
                    session_id: row.session.map(session_key_id),
                })
                .collect(),
            plan: outcome
                .plan
                .iter()
                .enumerate()
                .map(|(position, node)| PlanNodeView::new(plan_node_id(position), node))
                .collect(),
            duration_ms: ms(outcome.duration_us),
            bytes: outcome.bytes,
            intent_index,
        }
    }
}

/// A word that should be short and plain because the server writes it; anything else in it is dropped.
pub(super) fn sanitised(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '?' | '.'))
        .take(60)
        .collect()
}

/// Counts with plain keys; keys that are not what this crate's logs give are added up under `other`.
fn plain_counts(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut plain = BTreeMap::new();
    for (key, count) in counts {
        let kept = if sanitised(key) == *key {
            key.clone()
        } else {
            "other".to_owned()
        };
        *plain.entry(kept).or_insert(0) += count;
    }
    plain
}

impl SourceSummary {
    /// What `evidence` says of its sources; `kind` says where the evidence came from.
    pub fn new(kind: &str, evidence: Option<&logs::Evidence>) -> Self {
        let Some(evidence) = evidence else {
            return Self {
                kind: kind.to_owned(),
                ..Self::default()
            };
        };
        Self::of(kind, &evidence.source, evidence.family_count)
    }

    /// The same of a source by itself.
    pub(super) fn of(kind: &str, source: &logs::SourceSummary, query_families: u64) -> Self {
        Self {
            kind: kind.to_owned(),
            files: source
                .files
                .iter()
                .map(|f| SourceFile {
                    path: escape_control(&f.path).into_owned(),
                    format: f.format.map(|format| word(&format)),
                    log_line_prefix: f.log_line_prefix.clone(),
                    compression: f.compression.map(|compression| word(&compression)),
                    envelopes: f.envelopes.iter().map(word).collect(),
                    stream: f.stream.map(|stream| stream as u64),
                    bytes: f.bytes,
                    entries: f.entries,
                    truncated_tail: f.truncated_tail,
                })
                .collect(),
            bytes: source.bytes,
            entries_scanned: source.entries_scanned,
            entries_outside_window: source.entries_outside_window,
            entries_unparsed: source.entries_unparsed,
            entries_by_kind: plain_counts(&source.entries_by_kind),
            unparsed: source
                .unparsed
                .iter()
                .map(|(reason, pieces)| (sanitised(reason), pieces.into()))
                .collect(),
            bytes_dropped: source.bytes_dropped,
            clock_jump_count: source.clock_jump_count,
            clock_jumps: source.clock_jumps.iter().map(Into::into).collect(),
            gap_count: source.gap_count,
            gaps: source.gaps.iter().map(Into::into).collect(),
            durations: source
                .durations
                .iter()
                .map(|(kind, d)| {
                    (
                        sanitised(kind),
                        DurationTotal {
                            count: d.count,
                            total_ms: ms(d.total_us),
                        },
                    )
                })
                .collect(),
            events: plain_counts(&source.events),
            sqlstates: plain_counts(&source.sqlstates),
            severities: plain_counts(&source.severities),
            query_families,
            redacted: source.redacted.iter().map(|class| class.name().to_owned()).collect(),
        }
    }
}

impl From<&logs::Unparsed> for Unparsed {
    fn from(pieces: &logs::Unparsed) -> Self {
        let samples = pieces.samples.iter().map(|sample| UnparsedSample {
            path: escape_control(&sample.path).into_owned(),
            offset: sample.offset,
            shape: escape_control(&sample.shape).into_owned(),
        });
        Self {
            count: pieces.count,
            bytes: pieces.bytes,
            samples: samples.collect(),
        }
    }
}

impl From<&logs::ClockJump> for ClockJump {
    fn from(jump: &logs::ClockJump) -> Self {
        Self {
            path: escape_control(&jump.path).into_owned(),
            from: rfc3339(jump.from_us),
            to: rfc3339(jump.to_us),
        }
    }
}

impl From<&logs::Gap> for Gap {
    fn from(gap: &logs::Gap) -> Self {
        Self {
            path: escape_control(&gap.path).into_owned(),
            since: rfc3339(gap.since_us),
            until: rfc3339(gap.until_us),
        }
    }
}

impl AnalysisWindow {
    /// The window in RFC 3339.
    pub fn new(window: logs::Window) -> Self {
        Self {
            since: rfc3339(window.since_us),
            until: rfc3339(window.until_us),
        }
    }
}

/// A count in words of ours, for messages.
pub(super) fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}
