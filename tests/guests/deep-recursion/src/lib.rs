//! Recurses without end: the host's stack must not be the one that gives way.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("deep-recursion", env!("CARGO_PKG_VERSION"), "hostile").build()
    }

    fn triage(&self, evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let depth = descend(evidence.total_executions);
        let mut assessment = Assessment::new();
        if depth == 0 {
            assessment.findings.clear();
        }
        Ok(assessment)
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);

/// Not a tail call: the sum waits for the call below it.
fn descend(depth: u64) -> u64 {
    let below = if std::hint::black_box(depth) == u64::MAX {
        0
    } else {
        descend(depth.wrapping_add(1))
    };
    std::hint::black_box(below).wrapping_add(depth)
}
