//! Phase 2: what the server's own figures say.

mod settings;
mod slots;
mod standbys;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{Action, Actions, Assessment, Confidence, Evidence, Insight, InsightId, Message, Outcome};

use crate::{messages, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[
    words::STANDBYS_KEEP_UP,
    words::NO_STANDBY,
    words::RECEIVER_WELL,
    words::NO_RECEIVER,
    words::SLOTS_WELL,
    words::SETTINGS_UNREMARKABLE,
];

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: Action| outcome.action == action.as_str();
    outcome::frame(
        outcome,
        actions,
        messages::failed_reason(),
        |actions, assessment| {
            if did(words::LAG) {
                standbys::lag(outcome, actions, assessment);
            } else if did(words::RECEIVER) {
                standbys::receiver(evidence, outcome, actions, assessment);
            } else if did(words::SLOTS) {
                slots::judge(outcome, actions, assessment);
            } else if did(words::SETTINGS) {
                settings::judge(evidence, outcome, actions, assessment);
            } else {
                return false;
            }
            true
        },
        |outcome, assessment| outcome::only_nothing(outcome, NOTHING, assessment),
    )
}

/// An insight of high confidence with neither evidence nor advice.
fn say(id: InsightId, title: Message, reason: Message, assessment: &mut Assessment) {
    assessment.insight(Insight::new(id, Confidence::High, title, reason));
}
