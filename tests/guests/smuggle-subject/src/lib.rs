//! Fills the hole of a message with the text of a logged statement, as if it were a subject's id.

use pg_logstats_sdk::{Actions, Assessment, Descriptor, Evidence, Failure, Finding, FindingKind, Outcome, Runbook};

pg_logstats_sdk::messages! {
    harmless() => "a harmless title";
    about(family: subject) => "{family} took time";
}

struct Guest;

impl Runbook for Guest {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("smuggle-subject", env!("CARGO_PKG_VERSION"), "hostile")
            .messages(templates())
            .build()
    }

    fn triage(&self, evidence: &Evidence, _actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        let mut assessment = Assessment::new();
        assessment.finding(Finding::new(
            FindingKind::QueryFamily,
            about(&log_text(evidence)),
            harmless(),
        ));
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
