//! The runbook `temp-files`: which statements write temporary files, how much, and whether more memory would spare it.
//!
//! **In**: evidence, and outcomes of the actions in `words`. **Out**: a finding for each group of temporary files, scored by bytes in an hour
//! and by its largest file; one for each error that says that the disk or `temp_file_limit` was reached; insights from plans, counters and
//! settings. **Trusted**: numbers and ids. The text in the evidence is never read. **Can fail**: never; what cannot be judged is said as a
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

mod interpret;
mod messages;
mod offers;
mod settings;
#[cfg(test)]
mod tests;
mod triage;
mod words;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Outcome, Runbook, no_answer};

/// The runbook.
#[derive(Debug, Clone, Copy)]
pub struct TempFiles;

pg_logstats_sdk::export!(TempFiles);

impl Runbook for TempFiles {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("temp-files", env!("CARGO_PKG_VERSION"), "temp-files")
            .actions(statements::words::ACTIONS)
            .actions(statements::temp_files::words::ACTIONS)
            .actions(words::ACTIONS)
            .workflows(statements::words::WORKFLOWS)
            .workflows(words::WORKFLOWS)
            .reason_codes(statements::words::REASON_CODES)
            .reason_codes(words::REASON_CODES)
            .insights(statements::words::INSIGHTS)
            .insights(statements::words::plan::INSIGHTS)
            .insights(statements::temp_files::words::INSIGHTS)
            .insights(words::INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .messages(statements::messages::templates())
            .messages(statements::temp_files::messages::templates())
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
