//! The runbook `index-health`: which indexes and constraints are not what they should be, and how much room tables waste.
//!
//! **In**: outcomes of the actions in `words`; it judges no logs, but looks at the tables that they name. **Out**: findings for invalid,
//! unused and redundant indexes, for constraints that are not validated, for builds that wait, and for bloat, worst first; insights with
//! what a person can do. **Trusted**: numbers and ids, and the server's own words. Names are never said; lists of columns are compared with
//! each other, and a lie there only costs a wrong suspicion: advice compares their numbers. **Can fail**: never; what cannot be judged is said as a limitation.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test may panic"
    )
)]

mod advice;
mod interpret;
mod messages;
mod offers;
mod relations;
mod severity;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct IndexHealth;

pg_logstats_sdk::export!(IndexHealth);

impl Runbook for IndexHealth {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("index-health", env!("CARGO_PKG_VERSION"), "index-health")
            .actions(words::ACTIONS)
            .workflows(words::WORKFLOWS)
            .reason_codes(words::REASON_CODES)
            .insights(words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(messages::templates())
            .build()
    }

    fn triage(&self, evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(triage::triage(evidence, actions))
    }

    fn interpret(
        &self,
        evidence: &Evidence,
        outcome: &Outcome,
        actions: &mut dyn Actions,
    ) -> Result<Assessment, Failure> {
        Ok(interpret::interpret(evidence, outcome, actions))
    }
}
