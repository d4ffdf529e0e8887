//! Puts the text of a logged statement where the id of a title's message belongs.

use pg_logstats_sdk::{
    Actions, Assessment, Descriptor, Evidence, Failure, Finding, FindingKind, Message, Outcome, Runbook,
};

pg_logstats_sdk::messages! {
    harmless() => "a harmless title";
}

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("smuggle-title", env!("CARGO_PKG_VERSION"), "hostile")
            .messages(templates())
            .build()
    }

    fn triage(&self, evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let mut assessment = Assessment::new();
        let title = Message {
            id: log_text(evidence),
            values: Vec::new(),
        };
        assessment.finding(Finding::new(FindingKind::QueryFamily, title, harmless()));
        Ok(assessment)
    }

    fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }
}

pg_logstats_sdk::export!(Guest);

/// What the log says, which must not be what the report says.
fn log_text(evidence: &Evidence) -> String {
    evidence.families.first().map_or_else(
        || "SELECT 'nothing was logged'".to_owned(),
        |family| family.statement.clone(),
    )
}
