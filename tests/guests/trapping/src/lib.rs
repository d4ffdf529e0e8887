//! Traps, after a request that is then part of nothing.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

pg_logstats_sdk::actions! { TEMP_BLOCKS = "temp_file.pg_stat_statements.temp_blocks"; }

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("trapping", env!("CARGO_PKG_VERSION"), "hostile")
            .actions(ACTIONS)
            .build()
    }

    fn triage(&self, _evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let _ = actions.request(&TEMP_BLOCKS.request());
        std::process::abort()
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);
