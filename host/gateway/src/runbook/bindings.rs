//! The host's side of `wit/`, generated: the version that the host thinks in, and beside it those that it also serves.

#![allow(missing_docs, reason = "generated from wit/, where everything is documented")]

wasmtime::component::bindgen!({
    path: "../../wit/0.2.0",
    world: "runbook",
    // A request past a limit ends the run rather than getting an answer.
    imports: { default: trappable },
});

/// Version 0.1.0. Its types are in [`super::v0_1_0`], most of them the ones above; that the sizes are those of the WIT is checked when
/// this is compiled, that every field is, when a component is instantiated.
pub(crate) mod v0_1_0 {
    wasmtime::component::bindgen!({
        path: "../../wit/0.1.0",
        world: "runbook",
        with: { "pg-logstats:runbook/types": crate::runbook::v0_1_0::types },
        imports: { default: trappable },
    });
}
