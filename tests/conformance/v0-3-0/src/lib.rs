//! A runbook of a later host: it is built for version 0.3.0 of the contract, which this host does not serve.

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
    wit_bindgen::generate!({ path: "wit", world: "runbook" });
}

use bindings::pg_logstats::runbook::{actions, types};

/// The runbook.
pub struct Component;

impl bindings::Guest for Component {
    fn triage(evidence: types::Evidence) -> types::Assessment {
        types::Assessment {
            score: actions::forecast(evidence.family_count),
        }
    }
}

#[cfg(target_arch = "wasm32")]
bindings::export!(Component with_types_in bindings);

/// Natively it is only checked to be one.
#[cfg(not(target_arch = "wasm32"))]
const _: fn() = || {
    fn is_guest<G: bindings::Guest>() {}
    is_guest::<Component>();
};
