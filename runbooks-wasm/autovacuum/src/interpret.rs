//! Phase 2: what the server's counters say.

mod horizon;
mod tables;
mod workers;
mod wraparound;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{Action, Actions, Assessment, Confidence, Evidence, Insight, InsightId, Message, Outcome};

use crate::offers::Desk;
use crate::{messages, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[
    words::SETTINGS_UNREMARKABLE,
    words::TABLE_CLEAN,
    words::TABLES_IN_BOUNDS,
    words::TABLE_COMPACT,
    words::WRAPAROUND_FAR,
    words::XMIN_YOUNG,
    words::PREPARED_NONE,
    words::SLOTS_YOUNG,
    words::VACUUM_NOT_RUNNING,
];

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    outcome::frame(
        outcome,
        actions,
        messages::failed_reason(),
        |actions, assessment| judge(evidence, outcome, &mut Desk::new(actions, assessment)),
        |outcome, assessment| outcome::only_nothing(outcome, NOTHING, assessment),
    )
}

/// Whether it knows the action.
fn judge(evidence: &Evidence, outcome: &Outcome, desk: &mut Desk<'_>) -> bool {
    let did = |action: Action| outcome.action == action.as_str();
    if did(words::TABLE) {
        tables::statistics(evidence, outcome, desk);
    } else if did(words::BLOAT) {
        tables::bloat(evidence, outcome, desk);
    } else if did(words::MOST_DEAD) {
        tables::most_dead(outcome, desk);
    } else if did(words::AGES) {
        wraparound::databases(outcome, desk);
    } else if did(words::OLDEST_TABLES) {
        wraparound::tables(outcome, desk);
    } else if did(words::OLDEST_XMIN) {
        horizon::holders(evidence, outcome, desk);
    } else if did(words::PREPARED) {
        horizon::prepared(outcome, desk);
    } else if did(words::SLOTS) {
        horizon::slots(outcome, desk);
    } else if did(words::PROGRESS) {
        workers::running(outcome, desk);
    } else if did(words::SETTINGS) {
        workers::settings(evidence, outcome, desk);
    } else {
        return false;
    }
    true
}

/// Adds an insight that says that there is nothing.
fn nothing(desk: &mut Desk<'_>, id: InsightId, title: Message, reason: Message) {
    desk.assessment
        .insight(Insight::new(id, Confidence::High, title, reason));
}
