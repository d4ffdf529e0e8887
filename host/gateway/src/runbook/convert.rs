//! The host's evidence and outcomes in the guest's types.
//!
//! Facts go over as they are; names become subject ids. The order of the lists is the order in which a runbook is to look.

use std::collections::{BTreeMap, BTreeSet};

use pg_logstats_logs::compare::{self, Comparison};
use pg_logstats_logs::evidence::{self as logs, Confidence};

use super::bindings::pg_logstats::runbook::types as wit;
use super::contract::WitVersion;
use super::limits::EVIDENCE_PER_KIND;
use crate::objects::Object;
use crate::outcome::{ActionOutcome, Cell, PlanNode};
use crate::snapshot::EvidenceSnapshot;
use crate::subjects::{
    application_id, column_id, database_id, plan_node_id, relation_id, relation_oid_id, sequence_id, session_id,
    session_key_id, user_id,
};
use crate::words::OutcomeStatus;

mod activity;

/// The evidence as a runbook gets it.
pub fn evidence(snapshot: &EvidenceSnapshot) -> wit::Evidence {
    let log = snapshot.log.as_ref();
    wit::Evidence {
        window: log.and_then(|l| l.window).map(|w| (w.since_us, w.until_us)),
        total_duration_us: log.map_or(0, |l| l.total_duration_us),
        total_executions: log.map_or(0, |l| l.total_executions),
        family_count: log.map_or(0, |l| l.family_count),
        families: log.map(|l| l.families.iter().map(family).collect()).unwrap_or_default(),
        baseline: snapshot.comparison.as_ref().map(baseline),
        lock_waits: top(log.map(|l| l.lock_waits.as_slice()), lock_wait),
        deadlocks: top(log.map(|l| l.deadlocks.as_slice()), deadlock),
        errors: log.map(errors).unwrap_or_default(),
        temp_files: top(log.map(|l| l.temp_files.as_slice()), temp_file_group),
        checkpoints: activity::checkpoints(log.map(|l| &l.checkpoints)),
        autovacuum: top(log.map(|l| l.maintenance.as_slice()), activity::autovacuum_group),
        connections: top(log.map(|l| l.connections.as_slice()), activity::connection_group),
        clients: top(log.map(|l| l.clients.as_slice()), activity::client_group),
        cancellations: top(log.map(|l| l.cancellations.as_slice()), activity::cancellation_group),
        plans: top(log.map(|l| l.plans.as_slice()), activity::plan_group),
        events: log.map(|l| event_counts(&l.source.events)).unwrap_or_default(),
        live_sessions: snapshot
            .live
            .sessions
            .iter()
            .map(|s| wit::LiveSession {
                id: session_key_id(s.key),
                dimensions: dimensions(&s.dimensions),
            })
            .collect(),
        live_columns: snapshot
            .live
            .columns
            .iter()
            .map(|it| wit::LiveColumn {
                id: column_id(&it.relation, &it.column),
                relation: relation_id(&it.relation),
            })
            .collect(),
    }
}

/// The outcome as a runbook gets it.
///
/// 0.1.0 knows rows about sessions, and columns of filters.
pub fn outcome(version: WitVersion, action_id: &str, subjects: &[String], outcome: &ActionOutcome) -> wit::Outcome {
    let is_later = version >= WitVersion::V0_2_0;
    wit::Outcome {
        action: action_id.to_owned(),
        subjects: subjects.to_vec(),
        status: status(outcome.status),
        columns: outcome.columns.clone(),
        rows: outcome
            .rows
            .iter()
            .map(|row| wit::Row {
                cells: row.cells.iter().map(cell).collect(),
                subject: row
                    .session
                    .map(session_key_id)
                    .or_else(|| row.sequence.as_ref().filter(|_| is_later).map(sequence_id))
                    .or_else(|| row.object.as_ref().filter(|_| is_later).map(Object::id)),
            })
            .collect(),
        plan: outcome
            .plan
            .iter()
            .enumerate()
            .map(|(position, node)| plan_node(is_later, position, node))
            .collect(),
        duration_us: outcome.duration_us,
    }
}

fn event_counts(events: &BTreeMap<String, u64>) -> Vec<wit::EventCount> {
    let count = |(event, &count): (&String, &u64)| wit::EventCount {
        event: event.clone(),
        count,
    };
    events.iter().map(count).collect()
}

fn top<T, W>(items: Option<&[T]>, convert: impl Fn(&T) -> W) -> Vec<W> {
    items
        .unwrap_or_default()
        .iter()
        .take(EVIDENCE_PER_KIND)
        .map(convert)
        .collect()
}

fn dimensions(d: &logs::Dimensions) -> wit::Dimensions {
    wit::Dimensions {
        database: d.database.as_deref().map(database_id),
        user: d.user.as_deref().map(user_id),
        application: d.application.as_deref().map(application_id),
    }
}

fn family(f: &logs::QueryFamily) -> wit::QueryFamily {
    wit::QueryFamily {
        id: f.id.clone(),
        dimensions: dimensions(&f.dimensions),
        statement: f.statement.clone(),
        kind: match f.kind {
            logs::StatementKind::Select => wit::StatementKind::Select,
            logs::StatementKind::Insert => wit::StatementKind::Insert,
            logs::StatementKind::Update => wit::StatementKind::Update,
            logs::StatementKind::Delete => wit::StatementKind::Delete,
            logs::StatementKind::Merge => wit::StatementKind::Merge,
            logs::StatementKind::Utility => wit::StatementKind::Utility,
            logs::StatementKind::Other => wit::StatementKind::Other,
        },
        incomplete: f.incomplete,
        query_id_count: u32::try_from(f.query_ids.len()).unwrap_or(u32::MAX),
        has_sample: f.sample.is_some(),
        execution_count: f.execution_count,
        total_duration_us: f.total_duration_us,
        mean_duration_us: f.mean_duration_us,
        p50_duration_us: f.p50_duration_us,
        p95_duration_us: f.p95_duration_us,
        p99_duration_us: f.p99_duration_us,
        max_duration_us: f.max_duration_us,
        parse_bind_duration_us: f.parse_bind_duration_us,
        temp_bytes: f.temp_bytes,
        temp_file_count: f.temp_file_count,
        error_count: f.error_count,
        first_seen: f.first_seen_us,
        last_seen: f.last_seen_us,
    }
}

fn baseline(c: &Comparison) -> wit::Baseline {
    wit::Baseline {
        window: c.baseline.window.map(|w| (w.since_us, w.until_us)),
        total_duration_us: c.baseline.total_duration_us,
        total_executions: c.baseline.execution_count,
        family_count: c.baseline.family_count,
        common_family_count: c.common_families,
        renamed_family_count: c.renamed_families,
        absent_family_count: c.absent_families,
        rare_family_count: c.rare_families,
        rare_duration_us: c.rare_duration_us,
        regressions: c.regressions.iter().map(regression).collect(),
        regressions_dropped: c.regressions_dropped,
    }
}

fn regression(r: &compare::Regression) -> wit::Regression {
    let reason = |reason: &compare::Reason| match reason {
        compare::Reason::AbsentInBaseline => wit::RegressionReason::AbsentInBaseline,
        compare::Reason::P95Regressed => wit::RegressionReason::P95Regressed,
        compare::Reason::ContributionIncreased => wit::RegressionReason::ContributionIncreased,
    };
    let doubt = |doubt: &compare::Doubt| match doubt {
        compare::Doubt::Burst => wit::RegressionDoubt::Burst,
        compare::Doubt::Incomplete => wit::RegressionDoubt::Incomplete,
        compare::Doubt::BaselineIncomplete => wit::RegressionDoubt::BaselineIncomplete,
        compare::Doubt::LoggingDiffers => wit::RegressionDoubt::LoggingDiffers,
    };
    wit::Regression {
        family: r.family.clone(),
        reasons: r.reasons.iter().map(reason).collect(),
        doubts: r.doubts.iter().map(doubt).collect(),
        confidence: match r.confidence {
            Confidence::High => wit::Confidence::High,
            Confidence::Medium => wit::Confidence::Medium,
            Confidence::Low => wit::Confidence::Low,
        },
        baseline: r.baseline.as_ref().map(figures),
        under_other_names: r.under_other_names,
        excess_duration_us: r.excess_duration_us,
        p_value: r.chance(),
    }
}

fn figures(f: &compare::Figures) -> wit::Figures {
    wit::Figures {
        execution_count: f.execution_count,
        total_duration_us: f.total_duration_us,
        mean_duration_us: f.mean_duration_us,
        p50_duration_us: f.p50_duration_us,
        p95_duration_us: f.p95_duration_us,
        p99_duration_us: f.p99_duration_us,
        max_duration_us: f.max_duration_us,
    }
}

fn session(s: logs::SessionRef) -> String {
    session_id(s.pid, s.start_us)
}

fn mode(m: logs::LockMode) -> wit::LockMode {
    match m {
        logs::LockMode::AccessShare => wit::LockMode::AccessShare,
        logs::LockMode::RowShare => wit::LockMode::RowShare,
        logs::LockMode::RowExclusive => wit::LockMode::RowExclusive,
        logs::LockMode::ShareUpdateExclusive => wit::LockMode::ShareUpdateExclusive,
        logs::LockMode::Share => wit::LockMode::Share,
        logs::LockMode::ShareRowExclusive => wit::LockMode::ShareRowExclusive,
        logs::LockMode::Exclusive => wit::LockMode::Exclusive,
        logs::LockMode::AccessExclusive => wit::LockMode::AccessExclusive,
        logs::LockMode::Unknown => wit::LockMode::Unknown,
    }
}

fn target(t: logs::LockTarget) -> wit::LockTarget {
    match t {
        logs::LockTarget::Relation { relation, database } => {
            wit::LockTarget::Relation(relation_oid_id(database, relation))
        }
        logs::LockTarget::Tuple { relation, database } => wit::LockTarget::Tuple(relation_oid_id(database, relation)),
        logs::LockTarget::Transaction { .. } => wit::LockTarget::Transaction,
        logs::LockTarget::Other => wit::LockTarget::Other,
    }
}

fn attribution(a: logs::Attribution) -> wit::Attribution {
    match a {
        logs::Attribution::Stated => wit::Attribution::Stated,
        logs::Attribution::Running => wit::Attribution::Running,
        logs::Attribution::Within => wit::Attribution::Within,
    }
}

fn lock_wait(w: &logs::LockWait) -> wit::LockWait {
    wit::LockWait {
        id: w.id.clone(),
        waiter: session(w.waiter),
        holders: w.holders.iter().copied().map(session).collect(),
        queue_length: u32::try_from(w.queue.len()).unwrap_or(u32::MAX),
        mode: mode(w.mode),
        target: target(w.target),
        family: w.family.clone(),
        attribution: w.attribution.map(attribution),
        waited_us: w.waited_us,
        acquired: w.acquired,
        dimensions: dimensions(&w.dimensions),
        at: w.at_us,
    }
}

fn deadlock(d: &logs::Deadlock) -> wit::Deadlock {
    wit::Deadlock {
        id: d.id.clone(),
        victim: session(d.victim),
        edges: d
            .edges
            .iter()
            .map(|e| wit::DeadlockEdge {
                waiter: session(e.waiter),
                holder: session(e.holder),
                mode: mode(e.mode),
                target: target(e.target),
                family: e.family.clone(),
            })
            .collect(),
        dimensions: dimensions(&d.dimensions),
        at: d.at_us,
    }
}

/// Only statements that the runbook was given: many fail that are not among the top.
fn errors(log: &logs::Evidence) -> Vec<wit::ErrorClass> {
    let families: BTreeSet<&str> = log.families.iter().map(|family| family.id.as_str()).collect();
    top(Some(&log.errors), |class| error_class(class, &families))
}

fn error_class(e: &logs::ErrorClass, families: &BTreeSet<&str>) -> wit::ErrorClass {
    let statement = |s: &logs::ErrorStatement| wit::ErrorStatement {
        family: s.family.clone(),
        attribution: attribution(s.attribution),
        count: s.count,
    };
    let listed = e.statements.iter().filter(|s| families.contains(s.family.as_str()));
    wit::ErrorClass {
        id: e.id.clone(),
        severity: e.severity.clone(),
        sqlstate: e.sqlstate.clone(),
        message: e.message.clone(),
        dimensions: dimensions(&e.dimensions),
        count: e.count,
        statements: listed.map(statement).collect(),
        first_seen: e.first_seen_us,
        last_seen: e.last_seen_us,
    }
}

fn temp_file_group(t: &logs::TempFileGroup) -> wit::TempFileGroup {
    wit::TempFileGroup {
        id: t.id.clone(),
        family: t.family.clone(),
        attribution: t.attribution.map(attribution),
        dimensions: dimensions(&t.dimensions),
        count: t.count,
        total_bytes: t.total_bytes,
        max_bytes: t.max_bytes,
    }
}

fn status(s: OutcomeStatus) -> wit::OutcomeStatus {
    match s {
        OutcomeStatus::Ok => wit::OutcomeStatus::Ok,
        OutcomeStatus::Truncated => wit::OutcomeStatus::Truncated,
        OutcomeStatus::TimedOut => wit::OutcomeStatus::TimedOut,
        OutcomeStatus::Cancelled => wit::OutcomeStatus::Cancelled,
        OutcomeStatus::InsufficientPrivilege => wit::OutcomeStatus::InsufficientPrivilege,
        OutcomeStatus::Unavailable => wit::OutcomeStatus::Unavailable,
        OutcomeStatus::Failed => wit::OutcomeStatus::Failed,
    }
}

fn cell(c: &Cell) -> wit::Cell {
    match c {
        Cell::Null => wit::Cell::Null,
        Cell::Boolean(b) => wit::Cell::Boolean(*b),
        Cell::Int(i) => wit::Cell::Int(*i),
        Cell::Float(f) => wit::Cell::Float(*f),
        Cell::Text(t) => wit::Cell::Text(t.clone()),
        Cell::DurationUs(us) => wit::Cell::DurationUs(*us),
        Cell::At(us) => wit::Cell::At(*us),
    }
}

fn plan_node(is_later: bool, position: usize, n: &PlanNode) -> wit::PlanNode {
    let columns = n
        .compared_columns()
        .filter(|column| is_later || n.filter_columns.contains(column));
    wit::PlanNode {
        id: plan_node_id(position),
        parent: n.parent,
        node_type: n.node_type.clone(),
        relation: n.relation.as_ref().map(relation_id),
        filter_columns: n
            .relation
            .as_ref()
            .map(|relation| columns.map(|column| column_id(relation, column)).collect())
            .unwrap_or_default(),
        total_cost: n.total_cost,
        plan_rows: n.plan_rows,
        actual_rows: n.actual_rows,
        loops: n.loops,
        total_us: n.total_us,
        rows_removed_by_filter: n.rows_removed_by_filter,
        heap_fetches: n.heap_fetches,
        shared_hit_blocks: n.shared_hit_blocks,
        shared_read_blocks: n.shared_read_blocks,
        temp_read_blocks: n.temp_read_blocks,
        temp_written_blocks: n.temp_written_blocks,
        disk_bytes: n.disk_bytes,
    }
}
