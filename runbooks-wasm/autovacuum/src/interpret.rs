//! Phase 2: what the server's counters say.

mod horizon;
mod tables;
mod workers;
mod wraparound;

use pg_logstats_sdk::{
    Action, Actions, Assessment, Confidence, Count, Evidence, Finding, FindingKind, Insight, InsightId, Message,
    NextAction, Outcome, OutcomeStatus, no_answer,
};

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
    let mut assessment = Assessment::new();
    if outcome.has_result() {
        judge(evidence, outcome, &mut Desk::new(actions, &mut assessment));
        nothing_found(outcome, &mut assessment);
    } else {
        no_answer::judge(outcome, messages::failed_reason(), &mut assessment);
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated(Count::of(&outcome.rows)));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_done()));
    }
    assessment
}

fn judge(evidence: &Evidence, outcome: &Outcome, desk: &mut Desk<'_>) {
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
        desk.assessment.limitation(messages::unknown_action());
    }
}

/// That nothing was found is a finding too, in the words of what was looked for.
fn nothing_found(outcome: &Outcome, assessment: &mut Assessment) {
    let is_nothing = |insight: &Insight| NOTHING.iter().any(|nothing| nothing.as_str() == insight.id);
    if !assessment.findings.is_empty() || !assessment.insights.iter().all(is_nothing) {
        return;
    }
    let (title, reason) = match assessment.insights.last() {
        Some(insight) => (insight.title.clone(), insight.reason.clone()),
        None => (
            messages::nothing_in_outcome_title(),
            messages::nothing_in_outcome_reason(Count::of(&outcome.rows)),
        ),
    };
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::Medium));
}

/// Adds an insight that says that there is nothing.
fn nothing(desk: &mut Desk<'_>, id: InsightId, title: Message, reason: Message) {
    desk.assessment
        .insight(Insight::new(id, Confidence::High, title, reason));
}
