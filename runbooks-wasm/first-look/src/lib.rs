//! The runbook `first-look`: what to look at first, whatever it is, and which runbook goes on from there.
//!
//! **In**: evidence. **Out**: at most one finding for each kind of trouble that the evidence shows, the worst first, and the runbooks to take
//! next in that order, with reasons. It asks for no action: the runbooks that it names do. **Trusted**: numbers and ids, SQLSTATEs and the host's
//! names of events. The text in the evidence is never read. **Can fail**: never; without logs it names the runbooks that look at a live server.

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

mod looks;
mod messages;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct FirstLook;

pg_logstats_sdk::export!(FirstLook);

impl Runbook for FirstLook {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("first-look", env!("CARGO_PKG_VERSION"), "auto")
            .workflows(words::WORKFLOWS)
            .reason_codes(words::REASON_CODES)
            .messages(messages::templates())
            .build()
    }

    fn triage(&self, evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(triage::triage(evidence))
    }

    /// It offers no action, so none comes back; whatever it was, the evidence is judged again.
    fn interpret(
        &self,
        evidence: &Evidence,
        _outcome: &Outcome,
        _actions: &mut dyn Actions,
    ) -> Result<Assessment, Failure> {
        Ok(triage::triage(evidence))
    }
}
