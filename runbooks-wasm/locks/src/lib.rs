//! The runbook `locks`: who waited for whom, on what and how long, who deadlocked, and who holds the others up now.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: a finding for each holder of locks with the waits that it
//! caused, directly or behind one another, the one who caused most first; a finding for each kind of deadlock; insights from the
//! blocking tree. **Trusted**: numbers and ids. The text in the evidence is never read. **Can fail**: never; what cannot be
//! judged is said as a limitation.

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

use pg_logstats_runbook_statements::{outcome, tree};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Locks;

pg_logstats_sdk::export!(Locks);

impl Runbook for Locks {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("locks", env!("CARGO_PKG_VERSION"), "locks")
            .actions(words::ACTIONS)
            .actions(tree::words::ACTIONS)
            .workflows(words::WORKFLOWS)
            .reason_codes(words::REASON_CODES)
            .insights(words::INSIGHTS)
            .insights(tree::words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(tree::messages::templates())
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
