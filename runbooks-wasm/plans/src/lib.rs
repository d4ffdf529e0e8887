//! The runbook `plans`: what made the statements slow whose plans auto_explain logged.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: one finding for each family whose slowest plan has a fault (a scan
//! for few rows, a wrong estimate, a spill, a nested loop over many rows), ranked by score; insights from plans that were asked for
//! and from what the server knows of their tables. **Trusted**: numbers, ids, node types. The text in the evidence is never read.
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

mod faults;
mod interpret;
mod messages;
mod offers;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Action, Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct Plans;

pg_logstats_sdk::export!(Plans);

/// Of the shared actions those about plans and tables: it asks for no other, so it declares no other.
const PLAN_ACTIONS: &[Action] = &[
    statements::words::EXPLAIN,
    statements::words::EXPLAIN_ANALYZE,
    statements::words::TABLE,
];

impl Runbook for Plans {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("plans", env!("CARGO_PKG_VERSION"), "plans")
            .actions(PLAN_ACTIONS)
            .actions(words::ACTIONS)
            .workflows(words::WORKFLOWS)
            .reason_codes(statements::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(statements::words::plan::INSIGHTS)
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
