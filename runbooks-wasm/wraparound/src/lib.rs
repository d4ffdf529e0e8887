//! The runbook `wraparound`: how near the counters that end are to their ends, and what keeps them from being set back.
//!
//! **In**: outcomes of the actions in `words`; it judges no logs. **Out**: a finding for each database, table, holder of an old
//! horizon, prepared transaction and sequence that is too far, worst first; insights with what a person can do. **Trusted**: numbers
//! and ids, and the server's own words; names are never read. **Can fail**: never; what cannot be judged is said as a limitation.

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

mod interpret;
mod messages;
mod offers;
mod severity;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements::{outcome, prepared};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Wraparound;

pg_logstats_sdk::export!(Wraparound);

impl Runbook for Wraparound {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("wraparound", env!("CARGO_PKG_VERSION"), "wraparound")
            .actions(words::ACTIONS)
            .workflows(words::WORKFLOWS)
            .reason_codes(words::REASON_CODES)
            .insights(words::INSIGHTS)
            .insights(prepared::words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(prepared::messages::templates())
            .messages(messages::templates())
            .build()
    }

    fn triage(&self, _: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(triage::triage(actions))
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
