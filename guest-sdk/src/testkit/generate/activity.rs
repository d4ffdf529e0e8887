//! What the server's own processes and its connections did, made from a number.

use super::super::evidence::{
    autovacuum, cancellation, checkpoint, client, connection, family, logged_plan, logged_plan_node,
};
use super::{EVIDENCE_PER_KIND, Numbers, an_attributed_family, an_attribution, list, some_dimensions};
use crate::{
    AutovacuumGroup, AutovacuumKind, AutovacuumRun, CancelReason, CancellationGroup, CauseCount, Checkpoint,
    CheckpointCause, CheckpointKind, Checkpoints, ClientGroup, ConnectionGroup, EventCount, LoggedPlanNode, PlanGroup,
};

/// Sums that need not be those of the ones listed: the host lists the longest only.
pub(super) fn checkpoints(numbers: &mut Numbers) -> Checkpoints {
    Checkpoints {
        checkpoint_count: numbers.usual(),
        restartpoint_count: numbers.usual(),
        causes: causes(numbers)
            .into_iter()
            .map(|cause| CauseCount {
                cause,
                count: numbers.usual(),
            })
            .collect(),
        buffers_written: numbers.usual(),
        wal_files_added: numbers.usual(),
        wal_files_removed: numbers.usual(),
        wal_files_recycled: numbers.usual(),
        write_us: numbers.extreme(),
        sync_us: numbers.extreme(),
        total_us: numbers.extreme(),
        longest_sync_us: numbers.extreme(),
        too_frequent_count: numbers.usual(),
        shortest_interval_us: numbers.maybe(Numbers::extreme),
        longest: list(numbers, EVIDENCE_PER_KIND, a_checkpoint),
    }
}

/// Each at most once, in the order of the contract.
fn causes(numbers: &mut Numbers) -> Vec<CheckpointCause> {
    const ALL: [CheckpointCause; 9] = [
        CheckpointCause::Shutdown,
        CheckpointCause::EndOfRecovery,
        CheckpointCause::Immediate,
        CheckpointCause::Force,
        CheckpointCause::Wait,
        CheckpointCause::Wal,
        CheckpointCause::Time,
        CheckpointCause::FlushAll,
        CheckpointCause::Other,
    ];
    ALL.into_iter().filter(|_| numbers.one_in(3)).collect()
}

fn a_checkpoint(numbers: &mut Numbers, n: u64) -> Checkpoint {
    Checkpoint {
        kind: if numbers.one_in(4) {
            CheckpointKind::Restartpoint
        } else {
            CheckpointKind::Checkpoint
        },
        causes: causes(numbers),
        at: numbers.extreme() as i64,
        total_us: numbers.extreme(),
        write_us: numbers.extreme(),
        sync_us: numbers.extreme(),
        longest_sync_us: numbers.extreme(),
        files_synced: numbers.usual(),
        buffers_written: numbers.usual(),
        slru_buffers_written: numbers.maybe(Numbers::usual),
        wal_files_added: numbers.usual(),
        wal_files_removed: numbers.usual(),
        wal_files_recycled: numbers.usual(),
        distance_bytes: numbers.extreme(),
        estimate_bytes: numbers.extreme(),
        ..checkpoint(n)
    }
}

pub(super) fn an_autovacuum_group(numbers: &mut Numbers, n: u64) -> AutovacuumGroup {
    AutovacuumGroup {
        table: format!("rl_table_{}", numbers.below(40)),
        database: numbers.maybe(|n| format!("db_{}", n.below(3))),
        kind: if numbers.one_in(3) {
            AutovacuumKind::Analyze
        } else {
            AutovacuumKind::Vacuum
        },
        run_count: numbers.usual(),
        aggressive_count: numbers.usual(),
        to_prevent_wraparound_count: numbers.usual(),
        canceled_count: numbers.usual(),
        skipped_count: numbers.usual(),
        total_elapsed_us: numbers.extreme(),
        tuples_removed: numbers.extreme(),
        max_tuples_dead_not_removable: numbers.extreme(),
        wal_bytes: numbers.extreme(),
        longest: numbers.maybe(an_autovacuum_run),
        first_seen: numbers.extreme() as i64,
        last_seen: numbers.extreme() as i64,
        ..autovacuum(n)
    }
}

fn an_autovacuum_run(numbers: &mut Numbers) -> AutovacuumRun {
    AutovacuumRun {
        at: numbers.extreme() as i64,
        elapsed_us: numbers.extreme(),
        aggressive: numbers.one_in(4),
        to_prevent_wraparound: numbers.one_in(4),
        index_scans: numbers.maybe(|n| n.below(4)),
        pages_removed: numbers.maybe(Numbers::usual),
        pages_remaining: numbers.maybe(Numbers::usual),
        pages_scanned: numbers.maybe(Numbers::usual),
        tuples_removed: numbers.maybe(Numbers::usual),
        tuples_remaining: numbers.maybe(Numbers::usual),
        tuples_dead_not_removable: numbers.maybe(Numbers::extreme),
        buffers_hit: numbers.maybe(Numbers::usual),
        buffers_missed: numbers.maybe(Numbers::usual),
        buffers_dirtied: numbers.maybe(Numbers::usual),
        wal_records: numbers.maybe(Numbers::usual),
        wal_full_page_images: numbers.maybe(Numbers::usual),
        wal_bytes: numbers.maybe(Numbers::extreme),
        user_us: numbers.maybe(Numbers::usual),
        system_us: numbers.maybe(Numbers::usual),
    }
}

pub(super) fn a_connection_group(numbers: &mut Numbers, n: u64) -> ConnectionGroup {
    let event = |numbers: &mut Numbers, _| EventCount {
        event: numbers
            .one_of(&[
                "connection_authorized",
                "connection_authorized",
                "connection_disconnected",
                "connection_lost",
                "connection_out_of_connections",
                "connection_rejected",
                "of_a_later_host",
            ])
            .to_owned(),
        count: numbers.usual(),
    };
    ConnectionGroup {
        dimensions: some_dimensions(numbers),
        events: list(numbers, 7, event),
        session_count: numbers.usual(),
        total_session_us: numbers.extreme(),
        max_session_us: numbers.extreme(),
        first_seen: numbers.extreme() as i64,
        last_seen: numbers.extreme() as i64,
        ..connection(n)
    }
}

pub(super) fn a_client_group(numbers: &mut Numbers, n: u64) -> ClientGroup {
    ClientGroup {
        is_local: numbers.one_in(3),
        received_count: numbers.usual(),
        disconnected_count: numbers.usual(),
        total_session_us: numbers.extreme(),
        first_seen: numbers.extreme() as i64,
        last_seen: numbers.extreme() as i64,
        ..client(n)
    }
}

pub(super) fn a_cancellation_group(numbers: &mut Numbers, n: u64) -> CancellationGroup {
    const REASONS: [CancelReason; 15] = [
        CancelReason::StatementTimeout,
        CancelReason::LockTimeout,
        CancelReason::UserRequest,
        CancelReason::IdleInTransactionTimeout,
        CancelReason::IdleSessionTimeout,
        CancelReason::TransactionTimeout,
        CancelReason::Terminated,
        CancelReason::ConflictSnapshot,
        CancelReason::ConflictLock,
        CancelReason::ConflictBufferPin,
        CancelReason::ConflictTablespace,
        CancelReason::ConflictDatabase,
        CancelReason::ConflictDeadlock,
        CancelReason::ConflictLogicalSlot,
        CancelReason::ConflictOther,
    ];
    let position = usize::try_from(numbers.below(15)).unwrap_or(0);
    let reason = REASONS.get(position).copied().unwrap_or(CancelReason::UserRequest);
    let (family, attribution) = an_attributed_family(numbers);
    CancellationGroup {
        family,
        attribution,
        dimensions: some_dimensions(numbers),
        count: numbers.usual(),
        first_seen: numbers.extreme() as i64,
        last_seen: numbers.extreme() as i64,
        ..cancellation(n, reason)
    }
}

/// One for a family at most, which the evidence may or may not have.
pub(super) fn plans(numbers: &mut Numbers) -> Vec<PlanGroup> {
    let mut plans = Vec::new();
    for n in 0..EVIDENCE_PER_KIND * 2 {
        if numbers.one_in(6) {
            plans.push(PlanGroup {
                attribution: an_attribution(numbers),
                count: numbers.usual(),
                slowest_at: numbers.extreme() as i64,
                slowest_duration_us: numbers.extreme(),
                ..logged_plan(&family(n), list(numbers, 12, a_logged_plan_node))
            });
        }
    }
    plans
}

fn a_logged_plan_node(numbers: &mut Numbers, n: u64) -> LoggedPlanNode {
    let node_type = numbers.one_of(&[
        "Seq Scan",
        "Sort",
        "Nested Loop",
        "Index Scan",
        "Limit",
        "Hash Join",
        "Of A Later Server",
    ]);
    let parent = if n == 0 {
        None
    } else {
        u32::try_from(numbers.below(n)).ok()
    };
    LoggedPlanNode {
        relation: numbers.maybe(|n| format!("rl_plan_{}", n.below(5))),
        index: numbers.maybe(|n| format!("ix_{}", n.below(5))),
        has_filter: numbers.one_in(2),
        has_index_condition: numbers.one_in(2),
        total_cost: numbers.maybe(Numbers::float),
        plan_rows: numbers.maybe(Numbers::float),
        actual_rows: numbers.maybe(Numbers::float),
        loops: numbers.maybe(Numbers::usual),
        total_us: numbers.maybe(Numbers::extreme),
        rows_removed_by_filter: numbers.maybe(Numbers::usual),
        disk_bytes: numbers.maybe(Numbers::extreme),
        temp_written_blocks: numbers.maybe(Numbers::extreme),
        ..logged_plan_node(parent, node_type)
    }
}
