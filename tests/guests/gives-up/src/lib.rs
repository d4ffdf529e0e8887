//! Not hostile, only helpless: gives up with a message of its descriptor.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

pg_logstats_sdk::messages! { gives_up() => "this runbook cannot judge any log"; }

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("gives-up", env!("CARGO_PKG_VERSION"), "hostile")
            .messages(templates())
            .build()
    }

    fn triage(&self, _evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Err(Failure::new(gives_up()))
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);
