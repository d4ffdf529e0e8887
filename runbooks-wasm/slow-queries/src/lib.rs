//! The runbook `slow-queries`: which statements are new, slower, or take a larger part of the time than in a baseline.
//!
//! **In**: evidence, with the host's comparison where a baseline was given; outcomes of the actions in `pg_logstats_runbook_statements`.
//! **Out**: a finding for each family that got worse, by what it costs and how sure it is; without a baseline, the slowest families.
//! **Trusted**: numbers and ids. The text in the evidence is never read. **Can fail**: never; what cannot be judged is said as a
//! limitation.

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

mod messages;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct SlowQueries;

pg_logstats_sdk::export!(SlowQueries);

impl Runbook for SlowQueries {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("slow-queries", env!("CARGO_PKG_VERSION"), "slow-queries")
            .actions(statements::words::ACTIONS)
            .workflows(statements::words::WORKFLOWS)
            .workflows(words::WORKFLOWS)
            .reason_codes(statements::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(statements::words::INSIGHTS)
            .insights(statements::words::plan::INSIGHTS)
            .messages(statements::messages::templates())
            .insights(no_answer::INSIGHTS)
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
        Ok(statements::interpret(evidence, outcome, actions))
    }
}
