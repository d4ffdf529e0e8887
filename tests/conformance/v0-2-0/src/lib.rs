//! The conformance runbook, built for version 0.2.0 of the contract with bindings of its own, so that it stays when the SDK goes on.

#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    dead_code,
    unused_imports,
    unused_macros,
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes_without_reason,
    reason = "generated from wit/"
)]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit/0.2.0", world: "runbook" });
}

include!("../../guest.rs");

/// What version 0.2.0 added.
fn lists_of_this_version(evidence: &Evidence) -> Vec<List> {
    let checkpoints = &evidence.checkpoints;
    let statements: Vec<_> = evidence
        .errors
        .iter()
        .flat_map(|class| class.statements.iter())
        .collect();
    let tables: Vec<_> = evidence.autovacuum.iter().map(|group| &group.table).collect();
    let nodes: Vec<_> = evidence
        .plans
        .iter()
        .flat_map(|group| group.slowest_plan.iter())
        .collect();
    let nothing: &[(); 0] = &[];
    vec![
        List::new("checkpoints", FindingKind::Checkpoint, &checkpoints.longest, |it| {
            Some(&it.id)
        }),
        List::new("checkpoint_sums", FindingKind::Checkpoint, &[checkpoints], |_| None),
        List::new("autovacuum", FindingKind::Autovacuum, &evidence.autovacuum, |it| {
            Some(&it.id)
        }),
        List::new("tables", FindingKind::Wraparound, &tables, |it| Some(*it)),
        List::new(
            "connections",
            FindingKind::ConnectionPressure,
            &evidence.connections,
            |it| Some(&it.id),
        ),
        List::new("clients", FindingKind::ConnectionPressure, &evidence.clients, |it| {
            Some(&it.id)
        }),
        List::new(
            "cancellations",
            FindingKind::Cancellation,
            &evidence.cancellations,
            |it| Some(&it.id),
        ),
        List::new("error_statements", FindingKind::ErrorBurst, &statements, |it| {
            Some(&it.family)
        }),
        List::new("plans", FindingKind::Plan, &evidence.plans, |it| Some(&it.id)),
        List::new("plan_relations", FindingKind::Plan, &nodes, |it| it.relation.as_ref()),
        List::new("plan_indexes", FindingKind::Plan, &nodes, |it| it.index.as_ref()),
        List::new("replication", FindingKind::Replication, nothing, |_| None),
    ]
}

/// What version 0.2.0 added.
fn values_of_this_version() -> Vec<(types::ValueKind, types::Value)> {
    vec![
        (ValueKind::Rate, Value::Rate(0.5)),
        (
            ValueKind::CheckpointCause,
            Value::CheckpointCause(types::CheckpointCause::Wal),
        ),
        (
            ValueKind::CancelReason,
            Value::CancelReason(types::CancelReason::ConflictSnapshot),
        ),
    ]
}

/// No evidence at all.
fn nothing() -> Evidence {
    Evidence {
        window: None,
        total_duration_us: 0,
        total_executions: 0,
        family_count: 0,
        families: Vec::new(),
        baseline: None,
        lock_waits: Vec::new(),
        deadlocks: Vec::new(),
        errors: Vec::new(),
        temp_files: Vec::new(),
        checkpoints: types::Checkpoints {
            checkpoint_count: 0,
            restartpoint_count: 0,
            causes: Vec::new(),
            buffers_written: 0,
            wal_files_added: 0,
            wal_files_removed: 0,
            wal_files_recycled: 0,
            write_us: 0,
            sync_us: 0,
            total_us: 0,
            longest_sync_us: 0,
            too_frequent_count: 0,
            shortest_interval_us: None,
            longest: Vec::new(),
        },
        autovacuum: Vec::new(),
        connections: Vec::new(),
        clients: Vec::new(),
        cancellations: Vec::new(),
        plans: Vec::new(),
        events: Vec::new(),
        live_sessions: Vec::new(),
        live_columns: Vec::new(),
    }
}
