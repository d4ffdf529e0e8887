//! Phase 2: what an action's outcome means.

mod counters;
mod io;
mod settings;
mod wal;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Action, Actions, Assessment, Confidence, Evidence, Finding, FindingKind, Message, Outcome, ReasonCode,
};

use crate::{messages, offers, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: Action| outcome.action == action.as_str();
    outcome::frame(
        outcome,
        actions,
        messages::failed_reason(),
        |actions, assessment| {
            if did(words::COUNTERS) {
                counters::judge(outcome, assessment);
                look_on(&[words::SETTINGS, words::WAL], actions, assessment);
            } else if did(words::WAL) {
                wal::judge(outcome, assessment);
                look_on(&[words::SETTINGS], actions, assessment);
            } else if did(words::IO) {
                io::judge(evidence, outcome, assessment);
            } else if did(words::SETTINGS) {
                settings::judge(evidence, outcome, assessment);
            } else {
                return false;
            }
            true
        },
        outcome::nothing_found,
    )
}

/// What else to look at, when there was something.
fn look_on(next: &[Action], actions: &mut dyn Actions, assessment: &mut Assessment) {
    if assessment.findings.is_empty() {
        return;
    }
    for action in next {
        assessment.next_action(offers::look(actions, *action));
    }
}

/// A finding at its rank; what scores less than a tenth is what every server has.
fn found(code: ReasonCode, title: Message, reason: Message, score: f64, assessment: &mut Assessment) {
    if score < 0.1 {
        return;
    }
    let finding = Finding::new(FindingKind::Checkpoint, title, reason).code(code);
    // The counters run since they were reset, perhaps for months: they tell of now only in part.
    let finding = finding.score(score).confidence(Confidence::Medium);
    let place = assessment
        .findings
        .partition_point(|known| known.score >= finding.score);
    assessment.findings.insert(place, finding);
}
