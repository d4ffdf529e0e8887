//! The runbook `lock-tree`: who blocks whom on the server now, all of it.
//!
//! **In**: rows of the actions in `words`; of the evidence only the ids of sessions. **Out**: a finding for each session at the head of a
//! queue, the one behind whom most time is waited first; one for each that only stands in the way because it waits for a strong lock
//! itself; insights from the tree. **Trusted**: numbers and ids; of texts only PostgreSQL's own words. **Can fail**: never; what cannot
//! be judged is said as a limitation.

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
mod modes;
mod offers;
mod queue;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements::{live, outcome, prepared, tree, words as shared};
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct LockTree;

pg_logstats_sdk::export!(LockTree);

impl Runbook for LockTree {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("lock-tree", env!("CARGO_PKG_VERSION"), "lock-tree")
            .actions(words::ACTIONS)
            .actions(tree::words::ACTIONS)
            .workflows(words::WORKFLOWS)
            .reason_codes(shared::REASON_CODES)
            .reason_codes(live::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(words::INSIGHTS)
            .insights(tree::words::INSIGHTS)
            .insights(prepared::words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(no_answer::templates())
            .messages(outcome::messages::templates())
            .messages(live::messages::templates())
            .messages(tree::messages::templates())
            .messages(prepared::messages::templates())
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
