//! The runbook `running-queries`: what runs for long on the server now, what it waits for, and who is idle in a transaction.
//!
//! **In**: rows of the actions in `words`; of the evidence only ids. **Out**: findings about long statements and transactions, sessions
//! idle in one, what holds back vacuum, and who holds others up; the end of a session is recommended only for one that does nothing, and
//! that holds others up or is the oldest to hold back vacuum, and for one that only reads and runs far beyond anything in the logs. **Trusted**: numbers and ids; of texts only PostgreSQL's own words. **Can
//! fail**: never; what cannot be judged is said as a limitation.

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

use pg_logstats_runbook_statements::{activity, live, outcome, tree, words as shared};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct RunningQueries;

pg_logstats_sdk::export!(RunningQueries);

impl Runbook for RunningQueries {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("running-queries", env!("CARGO_PKG_VERSION"), "running-queries")
            .actions(words::ACTIONS)
            .actions(tree::words::ACTIONS)
            .workflows(activity::words::WORKFLOWS)
            .workflows(words::WORKFLOWS)
            .reason_codes(shared::REASON_CODES)
            .reason_codes(live::words::REASON_CODES)
            .reason_codes(activity::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(activity::words::INSIGHTS)
            .insights(tree::words::INSIGHTS)
            .insights(words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(live::messages::templates())
            .messages(activity::messages::templates())
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
