//! What the server's own processes and its connections did, in the guest's types.

use pg_logstats_logs::evidence as logs;

use super::super::bindings::pg_logstats::runbook::types as wit;
use super::super::limits::EVIDENCE_PER_KIND;
use super::{attribution, dimensions, event_counts};
use crate::subjects::{checkpoint_id, database_id, index_id, logged_relation, relation_id, table_id};

pub(super) fn checkpoints(c: Option<&logs::Checkpoints>) -> wit::Checkpoints {
    let none = logs::Checkpoints::default();
    let c = c.unwrap_or(&none);
    let cause_count = |(&cause, &count): (&logs::CheckpointCause, &u64)| wit::CauseCount {
        cause: checkpoint_cause(cause),
        count,
    };
    let longest = c.longest.iter().take(EVIDENCE_PER_KIND).enumerate();
    wit::Checkpoints {
        checkpoint_count: c.checkpoint_count,
        restartpoint_count: c.restartpoint_count,
        causes: c.causes.iter().map(cause_count).collect(),
        buffers_written: c.buffers_written,
        wal_files_added: c.wal_files_added,
        wal_files_removed: c.wal_files_removed,
        wal_files_recycled: c.wal_files_recycled,
        write_us: c.write_us,
        sync_us: c.sync_us,
        total_us: c.total_us,
        longest_sync_us: c.longest_sync_us,
        too_frequent_count: c.too_frequent_count,
        shortest_interval_us: c.shortest_interval_s.map(|s| s.saturating_mul(1_000_000)),
        longest: longest.map(|(position, c)| checkpoint(position, c)).collect(),
    }
}

fn checkpoint(position: usize, c: &logs::Checkpoint) -> wit::Checkpoint {
    wit::Checkpoint {
        id: checkpoint_id(position),
        kind: match c.kind {
            logs::CheckpointKind::Checkpoint => wit::CheckpointKind::Checkpoint,
            logs::CheckpointKind::Restartpoint => wit::CheckpointKind::Restartpoint,
        },
        causes: c.causes.iter().copied().map(checkpoint_cause).collect(),
        at: c.at_us,
        total_us: c.total_us,
        write_us: c.write_us,
        sync_us: c.sync_us,
        longest_sync_us: c.longest_sync_us,
        files_synced: c.files_synced,
        buffers_written: c.buffers_written,
        slru_buffers_written: c.slru_buffers_written,
        wal_files_added: c.wal_files_added,
        wal_files_removed: c.wal_files_removed,
        wal_files_recycled: c.wal_files_recycled,
        distance_bytes: c.distance_bytes,
        estimate_bytes: c.estimate_bytes,
    }
}

fn checkpoint_cause(cause: logs::CheckpointCause) -> wit::CheckpointCause {
    match cause {
        logs::CheckpointCause::Shutdown => wit::CheckpointCause::Shutdown,
        logs::CheckpointCause::EndOfRecovery => wit::CheckpointCause::EndOfRecovery,
        logs::CheckpointCause::Immediate => wit::CheckpointCause::Immediate,
        logs::CheckpointCause::Force => wit::CheckpointCause::Force,
        logs::CheckpointCause::Wait => wit::CheckpointCause::Wait,
        logs::CheckpointCause::Wal => wit::CheckpointCause::Wal,
        logs::CheckpointCause::Time => wit::CheckpointCause::Time,
        logs::CheckpointCause::FlushAll => wit::CheckpointCause::FlushAll,
        logs::CheckpointCause::Other => wit::CheckpointCause::Other,
    }
}

pub(super) fn autovacuum_group(g: &logs::MaintenanceGroup) -> wit::AutovacuumGroup {
    wit::AutovacuumGroup {
        id: g.id.clone(),
        table: table_id(&g.table),
        database: g.table.database.as_deref().map(database_id),
        kind: match g.kind {
            logs::MaintenanceKind::Vacuum => wit::AutovacuumKind::Vacuum,
            logs::MaintenanceKind::Analyze => wit::AutovacuumKind::Analyze,
        },
        run_count: g.run_count,
        aggressive_count: g.aggressive_count,
        to_prevent_wraparound_count: g.to_prevent_wraparound_count,
        canceled_count: g.canceled_count,
        skipped_count: g.skipped_count,
        total_elapsed_us: g.total_elapsed_us,
        tuples_removed: g.tuples_removed,
        max_tuples_dead_not_removable: g.max_tuples_dead_not_removable,
        wal_bytes: g.wal_bytes,
        longest: g.longest.as_ref().map(autovacuum_run),
        first_seen: g.first_seen_us,
        last_seen: g.last_seen_us,
    }
}

fn autovacuum_run(r: &logs::MaintenanceRun) -> wit::AutovacuumRun {
    wit::AutovacuumRun {
        at: r.at_us,
        elapsed_us: r.elapsed_us,
        aggressive: r.aggressive,
        to_prevent_wraparound: r.to_prevent_wraparound,
        index_scans: r.index_scans,
        pages_removed: r.pages_removed,
        pages_remaining: r.pages_remaining,
        pages_scanned: r.pages_scanned,
        tuples_removed: r.tuples_removed,
        tuples_remaining: r.tuples_remaining,
        tuples_dead_not_removable: r.tuples_dead_not_removable,
        buffers_hit: r.buffers_hit,
        buffers_missed: r.buffers_missed,
        buffers_dirtied: r.buffers_dirtied,
        wal_records: r.wal_records,
        wal_full_page_images: r.wal_full_page_images,
        wal_bytes: r.wal_bytes,
        user_us: r.user_us,
        system_us: r.system_us,
    }
}

pub(super) fn connection_group(g: &logs::ConnectionGroup) -> wit::ConnectionGroup {
    wit::ConnectionGroup {
        id: g.id.clone(),
        dimensions: dimensions(&g.dimensions),
        events: event_counts(&g.events),
        session_count: g.session_count,
        total_session_us: g.total_session_us,
        max_session_us: g.max_session_us,
        first_seen: g.first_seen_us,
        last_seen: g.last_seen_us,
    }
}

pub(super) fn client_group(g: &logs::ClientGroup) -> wit::ClientGroup {
    wit::ClientGroup {
        id: g.id.clone(),
        is_local: g.host == "[local]",
        received_count: g.received_count,
        disconnected_count: g.disconnected_count,
        total_session_us: g.total_session_us,
        first_seen: g.first_seen_us,
        last_seen: g.last_seen_us,
    }
}

pub(super) fn cancellation_group(g: &logs::CancellationGroup) -> wit::CancellationGroup {
    wit::CancellationGroup {
        id: g.id.clone(),
        reason: cancel_reason(g.reason),
        family: g.family.clone(),
        attribution: g.attribution.map(attribution),
        dimensions: dimensions(&g.dimensions),
        count: g.count,
        first_seen: g.first_seen_us,
        last_seen: g.last_seen_us,
    }
}

fn cancel_reason(reason: logs::CancelReason) -> wit::CancelReason {
    match reason {
        logs::CancelReason::StatementTimeout => wit::CancelReason::StatementTimeout,
        logs::CancelReason::LockTimeout => wit::CancelReason::LockTimeout,
        logs::CancelReason::UserRequest => wit::CancelReason::UserRequest,
        logs::CancelReason::IdleInTransactionTimeout => wit::CancelReason::IdleInTransactionTimeout,
        logs::CancelReason::IdleSessionTimeout => wit::CancelReason::IdleSessionTimeout,
        logs::CancelReason::TransactionTimeout => wit::CancelReason::TransactionTimeout,
        logs::CancelReason::Terminated => wit::CancelReason::Terminated,
        logs::CancelReason::ConflictSnapshot => wit::CancelReason::ConflictSnapshot,
        logs::CancelReason::ConflictLock => wit::CancelReason::ConflictLock,
        logs::CancelReason::ConflictBufferPin => wit::CancelReason::ConflictBufferPin,
        logs::CancelReason::ConflictTablespace => wit::CancelReason::ConflictTablespace,
        logs::CancelReason::ConflictDatabase => wit::CancelReason::ConflictDatabase,
        logs::CancelReason::ConflictDeadlock => wit::CancelReason::ConflictDeadlock,
        logs::CancelReason::ConflictLogicalSlot => wit::CancelReason::ConflictLogicalSlot,
        logs::CancelReason::ConflictOther => wit::CancelReason::ConflictOther,
    }
}

pub(super) fn plan_group(g: &logs::PlanGroup) -> wit::PlanGroup {
    wit::PlanGroup {
        id: g.id.clone(),
        family: g.family.clone(),
        attribution: attribution(g.attribution),
        count: g.count,
        slowest_at: g.slowest.at_us,
        slowest_duration_us: g.slowest.duration_us,
        slowest_plan: g.slowest.nodes.iter().map(logged_plan_node).collect(),
    }
}

fn logged_plan_node(n: &logs::LoggedPlanNode) -> wit::LoggedPlanNode {
    wit::LoggedPlanNode {
        parent: n.parent,
        node_type: n.node_type.clone(),
        relation: n.relation.as_deref().map(|name| relation_id(&logged_relation(name))),
        index: n.index.as_deref().map(index_id),
        has_filter: n.filter.is_some(),
        has_index_condition: n.index_condition.is_some(),
        total_cost: n.total_cost,
        plan_rows: n.plan_rows,
        actual_rows: n.actual_rows,
        loops: n.loops,
        total_us: n.total_us,
        rows_removed_by_filter: n.rows_removed_by_filter,
        disk_bytes: n.disk_bytes,
        temp_written_blocks: n.temp_written_blocks,
    }
}
