//! Phase 2: what an action returned.

mod ages;
mod autovacuum;
mod horizon;
mod sequences;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{Actions, Assessment, Evidence, Outcome};

use crate::{messages, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    outcome::frame(
        outcome,
        actions,
        messages::failed_reason(),
        |actions, assessment| {
            if did(words::DATABASES) {
                ages::judge_databases(outcome, actions, assessment);
            } else if did(words::TABLES) {
                ages::judge_tables(evidence, outcome, actions, assessment);
            } else if did(words::HORIZON) {
                horizon::judge(outcome, actions, assessment);
            } else if did(words::PREPARED) {
                horizon::judge_prepared(outcome, actions, assessment);
            } else if did(words::SEQUENCES) {
                sequences::judge(outcome, assessment);
            } else if did(words::VACUUMS) {
                autovacuum::judge_running(outcome, actions, assessment);
            } else if did(words::SETTINGS) {
                autovacuum::judge_settings(outcome, actions, assessment);
            } else {
                return false;
            }
            true
        },
        outcome::nothing_to_judge,
    )
}
