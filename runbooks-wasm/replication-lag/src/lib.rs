//! The runbook `replication-lag`: how far standbys and subscribers are behind, and what the server keeps for them.
//!
//! **In**: outcomes of the actions in `words`; it judges no logs, but for conflicts of queries with replay that they tell of. **Out**: a
//! finding for each standby that is behind and each slot that keeps much or is lost, worst first; insights with where the lag is and what
//! bounds it. **Trusted**: numbers and ids, and the server's own words; names are never read. **Can fail**: never; what cannot be judged is
//! said as a limitation.

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

use pg_logstats_runbook_statements::{outcome, slots};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct ReplicationLag;

pg_logstats_sdk::export!(ReplicationLag);

impl Runbook for ReplicationLag {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("replication-lag", env!("CARGO_PKG_VERSION"), "replication-lag")
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
