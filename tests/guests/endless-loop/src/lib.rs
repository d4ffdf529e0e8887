//! Never ends, and does nothing that a limit on memory or output would notice.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("endless-loop", env!("CARGO_PKG_VERSION"), "hostile").build()
    }

    fn triage(&self, _evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let mut turns = 0_u64;
        loop {
            turns = std::hint::black_box(turns.wrapping_add(1));
        }
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);
