//! Phase 2: what an action's outcome means.

mod counts;
mod sessions;
mod settings;

use pg_logstats_runbook_statements::{self as statements, outcome};
use pg_logstats_sdk::{Action, Actions, Assessment, Evidence, Outcome};

use crate::{messages, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: Action| outcome.action == action.as_str();
    let mut assessment = outcome::judged(
        outcome,
        actions,
        messages::failed(),
        |actions, assessment| {
            if did(words::COUNTS) {
                counts::judge(outcome, actions, assessment);
            } else if did(words::SETTINGS) {
                settings::judge(outcome, actions, assessment);
            } else if did(words::SESSIONS) || did(statements::words::SESSION) || did(statements::words::BLOCKING) {
                sessions::judge(evidence, outcome, actions, assessment);
            } else {
                return false;
            }
            true
        },
        outcome::nothing_found,
    );
    outcome::say_if_cut(outcome, outcome::messages::truncated_counts, &mut assessment);
    outcome::close(&mut assessment);
    assessment
}
