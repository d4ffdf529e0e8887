//! Phase 2: what an action's outcome means.

mod counters;
mod io;
mod settings;
mod wal;

use pg_logstats_sdk::{
    Action, Actions, Assessment, Confidence, Count, Evidence, Finding, FindingKind, Message, NextAction, Outcome,
    OutcomeStatus, ReasonCode, no_answer,
};

use crate::{messages, offers, words};

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let did = |action: Action| outcome.action == action.as_str();
    if !outcome.has_result() {
        no_answer::judge(outcome, messages::failed_reason(), &mut assessment);
    } else if did(words::COUNTERS) {
        counters::judge(outcome, &mut assessment);
        look_on(&[words::SETTINGS, words::WAL], actions, &mut assessment);
    } else if did(words::WAL) {
        wal::judge(outcome, &mut assessment);
        look_on(&[words::SETTINGS], actions, &mut assessment);
    } else if did(words::IO) {
        io::judge(evidence, outcome, &mut assessment);
    } else if did(words::SETTINGS) {
        settings::judge(evidence, outcome, &mut assessment);
    } else {
        assessment.limitation(messages::unknown_action());
    }
    if outcome.has_result() && assessment.findings.is_empty() {
        nothing_found(outcome, &mut assessment);
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated(Count::of(&outcome.rows)));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_done()));
    }
    assessment
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

/// That nothing was found is a finding too: in the words of what was looked for, if there was anything to look at.
fn nothing_found(outcome: &Outcome, assessment: &mut Assessment) {
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
