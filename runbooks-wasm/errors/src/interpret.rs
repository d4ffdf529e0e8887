//! Phase 2: what an action's outcome means.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Actions, Assessment, Evidence, Outcome};

use crate::words;

/// Judges an outcome: sessions of those who met an error, or what `pg_logstats_runbook_statements` knows about statements and sessions.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    if outcome.action != words::ERROR_SESSIONS.as_str() {
        return statements::interpret(evidence, outcome, actions);
    }
    statements::frame(
        outcome,
        actions,
        &[],
        |actions, assessment| statements::judge_sessions(outcome, actions, assessment),
        |_, _| {},
    )
}
