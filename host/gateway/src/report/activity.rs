//! How findings about the server's own processes and its connections are shown: the host's own facts, every outside text wrapped.

use std::collections::BTreeMap;

use pg_logstats_logs::evidence as logs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Metric;
use super::views::{AttributionView, DimensionsView, ms, relation_text, sanitised, word};
use crate::subjects::{Subject, table_relation};
use crate::time::rfc3339;
use crate::untrusted::Untrusted;

/// A checkpoint or restartpoint. Its figures are in `metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointView {
    /// Its id.
    pub checkpoint_id: String,
    /// `checkpoint` or `restartpoint`.
    pub kind: String,
    /// Why it began: `time`, `wal`, …
    pub causes: Vec<String>,
    /// When it was complete, RFC 3339.
    pub at: String,
}

/// Autovacuum on one table. Its figures are in `metrics`; those that begin with `longest_` are of the longest run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutovacuumView {
    /// Its id.
    pub autovacuum_id: String,
    /// `vacuum` or `analyze`.
    pub kind: String,
    /// Schema and name, as far as the log tells.
    pub table: Untrusted,
    /// Its database, where the log tells.
    pub database: Option<Untrusted>,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// Connections of one set of dimensions. Their figures are in `metrics`, one for each event among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionView {
    /// Its id.
    pub connection_id: String,
    /// Who.
    pub dimensions: DimensionsView,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// Connections from one host. Their figures are in `metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientView {
    /// Its id.
    pub client_id: String,
    /// Address or name, `[local]` for a Unix socket.
    pub host: Untrusted,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// Cancelled statements, or sessions that the server ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancellationView {
    /// Its id.
    pub cancellation_id: String,
    /// `statement_timeout`, `user_request`, `conflict_snapshot`, …
    pub reason: String,
    /// What was running, where the log tells.
    pub query_family_id: Option<String>,
    /// How that is known.
    pub attribution: Option<AttributionView>,
    /// Who.
    pub dimensions: DimensionsView,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
}

/// The plans that the log has of a family (auto_explain), with the slowest execution's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoggedPlanView {
    /// Its id.
    pub logged_plan_id: String,
    /// Whose.
    pub query_family_id: String,
    /// How that is known.
    pub attribution: AttributionView,
    /// When the slowest execution was over, RFC 3339.
    pub at: String,
    /// Its plan, parents before children; empty when it could not be read, or was not kept.
    pub nodes: Vec<LoggedPlanNodeView>,
}

/// One node of a logged plan. Figures are for one loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each field is the plan's own, see EXPLAIN in PostgreSQL's documentation"
)]
pub struct LoggedPlanNodeView {
    /// Position of the parent in the list.
    pub parent: Option<u32>,
    pub node_type: String,
    pub relation: Option<Untrusted>,
    pub index: Option<Untrusted>,
    /// Values as `?`.
    pub filter: Option<Untrusted>,
    /// Values as `?`.
    pub index_condition: Option<Untrusted>,
    pub total_cost: Option<f64>,
    pub plan_rows: Option<f64>,
    pub actual_rows: Option<f64>,
    pub loops: Option<u64>,
    pub total_ms: Option<f64>,
    pub rows_removed_by_filter: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub temp_written_blocks: Option<u64>,
}

/// What a finding shows of such a subject; one of them.
#[derive(Default)]
pub(super) struct ActivityFacts {
    pub(super) checkpoint: Option<CheckpointView>,
    pub(super) autovacuum: Option<AutovacuumView>,
    pub(super) connection: Option<ConnectionView>,
    pub(super) client: Option<ClientView>,
    pub(super) cancellation: Option<CancellationView>,
    pub(super) logged_plan: Option<LoggedPlanView>,
}

type Metrics = BTreeMap<String, Metric>;

/// The host's facts about `subject`, whose id is `id`; none when it is of another kind.
pub(super) fn facts(id: &str, subject: &Subject) -> Option<(Metrics, ActivityFacts)> {
    let none = ActivityFacts::default();
    Some(match subject {
        Subject::Checkpoint(checkpoint) => (
            checkpoint_metrics(checkpoint),
            ActivityFacts {
                checkpoint: Some(CheckpointView {
                    checkpoint_id: id.to_owned(),
                    kind: word(&checkpoint.kind),
                    causes: checkpoint.causes.iter().map(word).collect(),
                    at: rfc3339(checkpoint.at_us),
                }),
                ..none
            },
        ),
        Subject::AutovacuumGroup(group) => (
            autovacuum_metrics(group),
            ActivityFacts {
                autovacuum: Some(AutovacuumView {
                    autovacuum_id: id.to_owned(),
                    kind: word(&group.kind),
                    table: Untrusted::new(&relation_text(&table_relation(&group.table))),
                    database: group.table.database.as_deref().map(Untrusted::new),
                    first_seen: rfc3339(group.first_seen_us),
                    last_seen: rfc3339(group.last_seen_us),
                }),
                ..none
            },
        ),
        Subject::ConnectionGroup(group) => (
            connection_metrics(group),
            ActivityFacts {
                connection: Some(ConnectionView {
                    connection_id: id.to_owned(),
                    dimensions: (&group.dimensions).into(),
                    first_seen: rfc3339(group.first_seen_us),
                    last_seen: rfc3339(group.last_seen_us),
                }),
                ..none
            },
        ),
        Subject::ClientGroup(group) => (
            metrics(
                &[
                    ("received_count", Some(group.received_count)),
                    ("disconnected_count", Some(group.disconnected_count)),
                ],
                &[("total_session_ms", Some(group.total_session_us))],
            ),
            ActivityFacts {
                client: Some(ClientView {
                    client_id: id.to_owned(),
                    host: Untrusted::capped(&group.host, 200),
                    first_seen: rfc3339(group.first_seen_us),
                    last_seen: rfc3339(group.last_seen_us),
                }),
                ..none
            },
        ),
        Subject::CancellationGroup { group, .. } => (
            metrics(&[("count", Some(group.count))], &[]),
            ActivityFacts {
                cancellation: Some(CancellationView {
                    cancellation_id: id.to_owned(),
                    reason: word(&group.reason),
                    query_family_id: group.family.clone(),
                    attribution: group.attribution.map(Into::into),
                    dimensions: (&group.dimensions).into(),
                    first_seen: rfc3339(group.first_seen_us),
                    last_seen: rfc3339(group.last_seen_us),
                }),
                ..none
            },
        ),
        Subject::PlanGroup { group, .. } => (
            metrics(
                &[("count", Some(group.count))],
                &[("slowest_duration_ms", Some(group.slowest.duration_us))],
            ),
            ActivityFacts {
                logged_plan: Some(LoggedPlanView {
                    logged_plan_id: id.to_owned(),
                    query_family_id: group.family.clone(),
                    attribution: group.attribution.into(),
                    at: rfc3339(group.slowest.at_us),
                    nodes: group.slowest.nodes.iter().map(Into::into).collect(),
                }),
                ..none
            },
        ),
        _ => return None,
    })
}

/// `database.schema.table`, as far as the log tells.
pub(super) fn table_text(table: &logs::TableName) -> String {
    let relation = relation_text(&table_relation(table));
    match &table.database {
        Some(database) => format!("{database}.{relation}"),
        None => relation,
    }
}

/// Figures by name: counts, then microseconds shown as milliseconds. What is not known is not there.
fn metrics(counts: &[(&str, Option<u64>)], durations: &[(&str, Option<u64>)]) -> Metrics {
    let counts = counts
        .iter()
        .filter_map(|(name, n)| n.map(|n| ((*name).to_owned(), Metric::Count(n))));
    let durations = durations
        .iter()
        .filter_map(|(name, us)| us.map(|us| ((*name).to_owned(), Metric::Number(ms(us)))));
    counts.chain(durations).collect()
}

fn checkpoint_metrics(c: &logs::Checkpoint) -> Metrics {
    metrics(
        &[
            ("buffers_written", Some(c.buffers_written)),
            ("slru_buffers_written", c.slru_buffers_written),
            ("wal_files_added", Some(c.wal_files_added)),
            ("wal_files_removed", Some(c.wal_files_removed)),
            ("wal_files_recycled", Some(c.wal_files_recycled)),
            ("files_synced", Some(c.files_synced)),
            ("distance_bytes", Some(c.distance_bytes)),
            ("estimate_bytes", Some(c.estimate_bytes)),
        ],
        &[
            ("total_ms", Some(c.total_us)),
            ("write_ms", Some(c.write_us)),
            ("sync_ms", Some(c.sync_us)),
            ("longest_sync_ms", Some(c.longest_sync_us)),
        ],
    )
}

fn autovacuum_metrics(g: &logs::MaintenanceGroup) -> Metrics {
    let longest = g.longest.as_ref();
    let of_longest = |figure: fn(&logs::MaintenanceRun) -> Option<u64>| longest.and_then(figure);
    metrics(
        &[
            ("run_count", Some(g.run_count)),
            ("aggressive_count", Some(g.aggressive_count)),
            ("to_prevent_wraparound_count", Some(g.to_prevent_wraparound_count)),
            ("canceled_count", Some(g.canceled_count)),
            ("skipped_count", Some(g.skipped_count)),
            ("tuples_removed", Some(g.tuples_removed)),
            ("max_tuples_dead_not_removable", Some(g.max_tuples_dead_not_removable)),
            ("wal_bytes", Some(g.wal_bytes)),
            ("longest_index_scans", of_longest(|run| run.index_scans)),
            ("longest_pages_scanned", of_longest(|run| run.pages_scanned)),
            ("longest_pages_remaining", of_longest(|run| run.pages_remaining)),
            ("longest_tuples_remaining", of_longest(|run| run.tuples_remaining)),
        ],
        &[
            ("total_elapsed_ms", Some(g.total_elapsed_us)),
            ("longest_elapsed_ms", longest.map(|run| run.elapsed_us)),
        ],
    )
}

fn connection_metrics(g: &logs::ConnectionGroup) -> Metrics {
    let mut all = metrics(
        &[("session_count", Some(g.session_count))],
        &[
            ("total_session_ms", Some(g.total_session_us)),
            ("max_session_ms", Some(g.max_session_us)),
        ],
    );
    let events = g.events.iter();
    all.extend(events.map(|(event, &count)| (sanitised(event), Metric::Count(count))));
    all
}

impl From<&logs::LoggedPlanNode> for LoggedPlanNodeView {
    fn from(n: &logs::LoggedPlanNode) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(|text| Untrusted::capped(text, 500));
        Self {
            parent: n.parent,
            node_type: sanitised(&n.node_type),
            relation: text(&n.relation),
            index: text(&n.index),
            filter: text(&n.filter),
            index_condition: text(&n.index_condition),
            total_cost: n.total_cost,
            plan_rows: n.plan_rows,
            actual_rows: n.actual_rows,
            loops: n.loops,
            total_ms: n.total_us.map(ms),
            rows_removed_by_filter: n.rows_removed_by_filter,
            disk_bytes: n.disk_bytes,
            temp_written_blocks: n.temp_written_blocks,
        }
    }
}
