//! Phase 2: who holds whom up.

mod prepared;
mod session;
mod settings;
mod tree;

use pg_logstats_runbook_statements::live;
use pg_logstats_sdk::{Action, Actions, Assessment, Outcome};

use crate::words;

/// Judges an outcome.
pub(crate) fn interpret(outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: Action| outcome.action == action.as_str();
    live::frame(outcome, actions, |actions, assessment| {
        if did(words::TREE) {
            tree::judge(outcome, actions, assessment);
        } else if did(words::PREPARED) {
            prepared::judge(outcome, assessment);
        } else if did(words::SETTINGS) {
            settings::judge(outcome, assessment);
        } else if did(words::SESSION) {
            session::judge(outcome, actions, assessment);
        } else {
            return false;
        }
        true
    })
}
