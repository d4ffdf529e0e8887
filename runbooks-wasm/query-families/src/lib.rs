//! The runbook `query-families`: which statements took the time, which failed, which spilled to disk, and what to look at next.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: findings ranked by score, where a family's score is its
//! share of all statement time; insights read from columns by name and from plans node by node. **Trusted**: numbers and ids. The
//! text in the evidence is never read. **Can fail**: never; what cannot be judged is said as a limitation.

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

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct QueryFamilies;

pg_logstats_sdk::export!(QueryFamilies);

impl Runbook for QueryFamilies {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("query-families", env!("CARGO_PKG_VERSION"), "query-families")
            .actions(statements::words::ACTIONS)
            .actions(words::ACTIONS)
            .actions(statements::temp_files::words::ACTIONS)
            .workflows(statements::words::WORKFLOWS)
            .reason_codes(statements::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(statements::words::INSIGHTS)
            .insights(statements::words::plan::INSIGHTS)
            .insights(statements::temp_files::words::INSIGHTS)
            .messages(statements::messages::templates())
            .messages(statements::temp_files::messages::templates())
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
        Ok(interpret::interpret(evidence, outcome, actions))
    }
}
