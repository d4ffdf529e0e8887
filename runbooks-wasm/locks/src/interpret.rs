//! Phase 2: who holds whom up now.

mod sessions;
mod tree;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{Actions, Assessment, Evidence, Outcome};

use crate::{messages, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    let mut assessment = outcome::judged(
        outcome,
        actions,
        messages::failed_reason(),
        |actions, assessment| {
            if did(words::BLOCKING) {
                tree::judge(outcome, actions, assessment);
            } else if did(words::SESSION) || did(words::FAMILY_SESSIONS) {
                sessions::judge(evidence, outcome, actions, assessment);
            } else {
                return false;
            }
            true
        },
        |outcome, assessment| outcome::only_nothing(outcome, &[], assessment),
    );
    outcome::say_if_cut(outcome, outcome::messages::truncated_counts, &mut assessment);
    outcome::close(&mut assessment);
    assessment
}
