//! The runbook `connection-pressure`: how near the server is to its limit of connections, who has them, and what they do.
//!
//! **In**: rows of the actions in `words`; of the evidence only ids. **Out**: a finding for the share of the limit that is used, and
//! for sessions that are idle in a transaction or wait for locks; insights about who has the connections and what is reserved.
//! **Trusted**: numbers and ids; of texts only PostgreSQL's own words, and roles as far as one is another. **Can fail**: never; what
//! cannot be judged is said as a limitation.

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

use pg_logstats_runbook_statements::{activity, live, outcome, words as shared};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionPressure;

pg_logstats_sdk::export!(ConnectionPressure);

impl Runbook for ConnectionPressure {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("connection-pressure", env!("CARGO_PKG_VERSION"), "connection-pressure")
            .actions(words::ACTIONS)
            .workflows(activity::words::WORKFLOWS)
            .workflows(words::WORKFLOWS)
            .reason_codes(shared::REASON_CODES)
            .reason_codes(live::words::REASON_CODES)
            .reason_codes(activity::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(activity::words::INSIGHTS)
            .insights(words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(live::messages::templates())
            .messages(activity::messages::templates())
            .messages(messages::templates())
            .build()
    }

    fn triage(&self, evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(triage::triage(evidence, actions))
    }

    fn interpret(&self, _: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(interpret::interpret(outcome, actions))
    }
}
