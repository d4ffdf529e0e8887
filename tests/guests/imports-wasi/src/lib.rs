//! Imports WASI beside the runbook's own interface, as a runbook built for another target would. It must never be instantiated.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "generated from wit/"
)]
mod wasi {
    wit_bindgen::generate!({ path: "wit", world: "needs-environment" });
}

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("imports-wasi", env!("CARGO_PKG_VERSION"), "hostile").build()
    }

    fn triage(&self, _evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let mut assessment = Assessment::new();
        if read_environment() > 0 {
            assessment.findings.clear();
        }
        Ok(assessment)
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);

/// How many variables the host's environment has.
#[cfg(target_arch = "wasm32")]
fn read_environment() -> usize {
    wasi::wasi::cli::environment::get_environment().len()
}

#[cfg(not(target_arch = "wasm32"))]
fn read_environment() -> usize {
    0
}
