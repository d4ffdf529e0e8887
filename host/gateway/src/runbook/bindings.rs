//! The host's side of `wit/`, generated.

#![allow(missing_docs, reason = "generated from wit/, where everything is documented")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "runbook",
    // A request past a limit ends the run rather than getting an answer.
    imports: { default: trappable },
});
