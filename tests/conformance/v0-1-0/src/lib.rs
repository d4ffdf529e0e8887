//! The conformance runbook, built for version 0.1.0 of the contract with bindings of its own: the SDK has left that version.

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
    wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "runbook" });
}

include!("../../guest.rs");

/// Version 0.1.0 has the lists that every version has, and no other.
fn lists_of_this_version(_: &types::Evidence) -> Vec<List> {
    Vec::new()
}

/// Version 0.1.0 has the kinds of values that every version has, and no other.
fn values_of_this_version() -> Vec<(types::ValueKind, types::Value)> {
    Vec::new()
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
        events: Vec::new(),
        live_sessions: Vec::new(),
    }
}
