//! The host's side of `wit/`, generated.

#![allow(missing_docs, reason = "generated from wit/, where everything is documented")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "runbook",
});
