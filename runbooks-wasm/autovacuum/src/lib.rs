//! The runbook `autovacuum`: which tables autovacuum does not keep clean, what stops it, and how far wraparound is.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: one finding for each table and cause (it gave way to locks, it was
//! skipped, it came too late, dead rows had to stay, it took long), ranked by score; wraparound by the server's own warnings;
//! insights with advice from the server's counters. **Trusted**: numbers, ids, the host's event names. Names of tables are never read.
//! **Can fail**: never; what cannot be judged is said as a limitation.

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

use pg_logstats_runbook_statements::{outcome, prepared, slots};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Autovacuum;

pg_logstats_sdk::export!(Autovacuum);

impl Runbook for Autovacuum {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("autovacuum", env!("CARGO_PKG_VERSION"), "autovacuum")
            .actions(words::ACTIONS)
            .workflows(words::WORKFLOWS)
            .reason_codes(words::REASON_CODES)
            .insights(words::INSIGHTS)
            .insights(prepared::words::INSIGHTS)
            .insights(slots::words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(prepared::messages::templates())
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
