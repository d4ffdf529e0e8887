//! The runbook `connections`: who was refused, rejected or lost, who connects too often, and what holds the connections now.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: findings about exhaustion, storms, short sessions, failed logins, lost
//! connections and handshakes that failed; insights from the connections and settings of the server. **Trusted**: numbers, ids, names of
//! events and SQLSTATEs. The text in the evidence is never read. **Can fail**: never; what cannot be judged is said as a limitation.

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
mod scores;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Connections;

pg_logstats_sdk::export!(Connections);

impl Runbook for Connections {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("connections", env!("CARGO_PKG_VERSION"), "connections")
            .actions(words::ACTIONS)
            // What the shared judgement of sessions offers.
            .actions(&[statements::words::SESSION, statements::words::BLOCKING])
            .workflows(statements::words::WORKFLOWS)
            .workflows(words::WORKFLOWS)
            .reason_codes(statements::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(statements::words::INSIGHTS)
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
