//! Phase 2: what an action returned.

mod holders;
mod receiver;
mod settings;
mod slots;
mod standbys;

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
            if did(words::STANDBYS) {
                standbys::judge(outcome, actions, assessment);
            } else if did(words::SLOTS) {
                slots::judge(outcome, actions, assessment);
            } else if did(words::RECEIVER) {
                receiver::judge(outcome, actions, assessment);
            } else if did(words::HOLDERS) {
                holders::judge(outcome, actions, assessment);
            } else if did(words::SETTINGS) {
                settings::judge(evidence, outcome, actions, assessment);
            } else {
                return false;
            }
            true
        },
        outcome::nothing_to_judge,
    )
}
