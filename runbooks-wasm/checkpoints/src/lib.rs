//! The runbook `checkpoints`: whether checkpoints come too often, take long to sync, write more WAL than is recycled, or are asked for.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: findings out of the sums of all checkpoints; insights from the server's
//! counters and settings, and a size for `max_wal_size` from the WAL that was measured. **Trusted**: numbers, ids, causes. The text in the
//! evidence is never read. **Can fail**: never; what cannot be judged is said as a limitation.

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
mod measure;
mod messages;
mod offers;
mod scores;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Checkpoints;

pg_logstats_sdk::export!(Checkpoints);

impl Runbook for Checkpoints {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("checkpoints", env!("CARGO_PKG_VERSION"), "checkpoints")
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
