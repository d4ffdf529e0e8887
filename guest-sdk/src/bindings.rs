//! What wit-bindgen generates from `wit/`: the only module with `unsafe` code, and none of it is written by hand.
//!
//! A runbook needs nothing of this: the crate's root has the types under their own names. It is public because what
//! [`export!`](crate::export) generates in the runbook's crate refers to it.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::allow_attributes_without_reason,
    reason = "generated from wit/, where every type is documented"
)]

wit_bindgen::generate!({
    path: "../wit/0.2.0",
    world: "runbook",
    additional_derives: [PartialEq],
    export_macro_name: "export_component",
    pub_export_macro: true,
    default_bindings_module: "pg_logstats_sdk::bindings",
    runtime_path: "::pg_logstats_sdk::bindings::runtime",
});

#[doc(hidden)]
pub use wit_bindgen::rt as runtime;
