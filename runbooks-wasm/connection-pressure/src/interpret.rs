//! Phase 2: how near the limit is, who has the connections, and what they do.

mod counts;
mod sessions;
mod settings;

use pg_logstats_runbook_statements::live;
use pg_logstats_sdk::{Action, Actions, Assessment, Outcome};

use crate::{offers, words};

/// Judges an outcome.
pub(crate) fn interpret(outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: Action| outcome.action == action.as_str();
    live::frame(outcome, actions, |actions, assessment| {
        if did(words::COUNTS) {
            counts::judge(outcome, assessment);
            assessment.next_action(offers::settings(actions));
        } else if did(words::SETTINGS) {
            settings::judge(outcome, assessment);
            assessment.next_action(offers::counts(actions));
        } else if did(words::SESSIONS) {
            sessions::judge(outcome, assessment);
        } else {
            return false;
        }
        true
    })
}
