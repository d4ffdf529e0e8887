//! The runbook `replication`: statements that replay cancelled, streaming that broke off, archiving that fails, standbys that lag, and
//! slots that keep WAL.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: findings from cancellations and the server's events, ranked by
//! score; insights from the server's own figures of lag, slots and settings, with what each way out costs. **Trusted**: numbers, ids,
//! the host's event names. Names of standbys and slots are never read. **Can fail**: never; what cannot be judged is said as a limitation.

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

mod conflicts;
mod interpret;
mod messages;
mod offers;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements::{outcome, slots};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Replication;

pg_logstats_sdk::export!(Replication);

impl Runbook for Replication {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("replication", env!("CARGO_PKG_VERSION"), "replication")
            .actions(words::ACTIONS)
            .workflows(words::WORKFLOWS)
            .reason_codes(words::REASON_CODES)
            .insights(words::INSIGHTS)
            .insights(slots::words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(slots::messages::templates())
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
