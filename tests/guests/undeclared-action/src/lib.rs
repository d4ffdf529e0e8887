//! Asks for an action that the catalogue has and its own descriptor does not list.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

pg_logstats_sdk::actions! {
    /// Declared to the compiler, not to the host.
    TEMP_BLOCKS = "temp_file.pg_stat_statements.temp_blocks";
}

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("undeclared-action", env!("CARGO_PKG_VERSION"), "hostile").build()
    }

    fn triage(&self, _evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let _ = actions.request(&TEMP_BLOCKS.request());
        Ok(Assessment::new())
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);
