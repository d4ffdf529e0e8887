//! The runbook `errors`: which errors there were, how many at a time and since when, and what the server cancelled.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: a finding for each error class and each kind of cancellation, scored by
//! what its SQLSTATE stands for and how often it came; what to look at next, or whom to ask. **Trusted**: numbers, ids, severity and SQLSTATE.
//! The text in the evidence is never read. **Can fail**: never; what cannot be judged is said as a limitation.

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
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Errors;

pg_logstats_sdk::export!(Errors);

impl Runbook for Errors {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("errors", env!("CARGO_PKG_VERSION"), "errors")
            .actions(statements::words::ACTIONS)
            .actions(words::ACTIONS)
            .workflows(statements::words::WORKFLOWS)
            .workflows(words::WORKFLOWS)
            .reason_codes(statements::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(statements::words::INSIGHTS)
            .insights(statements::words::plan::INSIGHTS)
            .insights(words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(statements::messages::templates())
            .messages(no_answer::templates())
            .messages(statements::outcome::messages::templates())
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
