//! Returns more bytes than the host copies out, in a message that it did not even declare.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Message, Outcome, Runbook};

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("giant-output", env!("CARGO_PKG_VERSION"), "hostile").build()
    }

    fn triage(&self, _evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let mut assessment = Assessment::new();
        let id = "a".repeat(24 << 20);
        assessment.limitations.push(Message { id, values: Vec::new() });
        Ok(assessment)
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);
