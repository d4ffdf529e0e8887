//! The frame of phase 2: what every judgement of an outcome has, whatever is judged.
//!
//! A runbook that uses it lists its [`messages`] in its own descriptor, those of `no_answer`, and the reason code
//! [`NOTHING_FOUND`](crate::words::NOTHING_FOUND).

pub mod messages;
#[cfg(test)]
mod tests;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Finding, FindingKind, Insight, InsightId, Message, NextAction, Outcome,
    OutcomeStatus, Record, no_answer,
};

/// Rows of one outcome that become findings, worst first.
const FINDINGS: usize = 10;

/// The rows of `wraparound.pg_stat_activity.oldest_xmin` that hold back this database. `elsewhere` says how many there are that are in another one, and
/// do not.
pub fn held_here<'o>(
    outcome: &'o Outcome,
    elsewhere: fn(Count) -> Message,
    assessment: &mut Assessment,
) -> Vec<Record<'o>> {
    let holds_here = |row: &Record<'_>| row.boolean("holds_here") != Some(false);
    let (here, others): (Vec<Record<'_>>, Vec<Record<'_>>) = outcome.records().partition(holds_here);
    if !others.is_empty() {
        assessment.limitation(elsewhere(Count::of(&others)));
    }
    here
}

/// A whole judgement: what [`judged`] says, that there was more, and the end.
pub fn frame(
    outcome: &Outcome,
    actions: &mut dyn Actions,
    failed_reason: Message,
    judge: impl FnOnce(&mut dyn Actions, &mut Assessment) -> bool,
    nothing: impl FnOnce(&Outcome, &mut Assessment),
) -> Assessment {
    let mut assessment = judged(outcome, actions, failed_reason, judge, nothing);
    say_if_cut(outcome, messages::truncated, &mut assessment);
    close(&mut assessment);
    assessment
}

/// What `judge` finds in an outcome that has a result, and what `nothing` says after it: [`nothing_to_judge`], [`nothing_found`] or
/// [`only_nothing`]. `judge` says whether it knows the action. Without a result, why there is nothing to judge: `failed_reason` is
/// what a failed action does not show.
pub fn judged(
    outcome: &Outcome,
    actions: &mut dyn Actions,
    failed_reason: Message,
    judge: impl FnOnce(&mut dyn Actions, &mut Assessment) -> bool,
    nothing: impl FnOnce(&Outcome, &mut Assessment),
) -> Assessment {
    let mut assessment = Assessment::new();
    if outcome.has_result() {
        if !judge(actions, &mut assessment) {
            assessment.limitation(messages::unknown_action());
        }
        nothing(outcome, &mut assessment);
    } else {
        no_answer::judge(outcome, failed_reason, &mut assessment);
    }
    assessment
}

/// Says that there was more than the action may return: [`messages::truncated`], or [`messages::truncated_counts`] where rows are added up.
pub fn say_if_cut(outcome: &Outcome, words: fn(Count) -> Message, assessment: &mut Assessment) {
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(words(Count::of(&outcome.rows)));
    }
}

/// The end, if nothing goes on.
pub fn close(assessment: &mut Assessment) {
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_done()));
    }
}

/// The finding that there is nothing.
pub fn nothing(title: Message, reason: Message, confidence: Confidence) -> Finding {
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    finding.code(crate::words::NOTHING_FOUND).confidence(confidence)
}

/// With what the action was asked about as the evidence.
pub(crate) fn about_bound(insight: Insight, outcome: &Outcome) -> Insight {
    let bound = outcome.subjects.iter();
    bound.fold(insight, |insight, subject| insight.evidence(subject))
}

/// Where every judgement says something of what it looked at: if it did not, the rows told nothing.
pub fn nothing_to_judge(outcome: &Outcome, assessment: &mut Assessment) {
    if assessment.insights.is_empty() && assessment.findings.is_empty() {
        let rows = Count::of(&outcome.rows);
        let (title, reason) = (
            messages::nothing_to_judge_title(),
            messages::nothing_to_judge_reason(rows),
        );
        assessment.finding(nothing(title, reason, Confidence::Low));
    }
}

/// That nothing was found is a finding too: in the words of what was looked for, if there was anything to look at.
pub fn nothing_found(outcome: &Outcome, assessment: &mut Assessment) {
    if !assessment.findings.is_empty() {
        return;
    }
    let (title, reason) = match assessment.insights.last() {
        Some(insight) => (insight.title.clone(), insight.reason.clone()),
        None => (
            messages::nothing_in_outcome_title(),
            messages::nothing_in_outcome_reason(Count::of(&outcome.rows)),
        ),
    };
    assessment.finding(nothing(title, reason, Confidence::Medium));
}

/// How sure it is that there is nothing, where the rows come in an order that says nothing of how bad they are: it may be in those that were cut.
pub fn sure_of_nothing(outcome: &Outcome) -> Confidence {
    if outcome.status == OutcomeStatus::Truncated {
        Confidence::Low
    } else {
        Confidence::Medium
    }
}

/// [`nothing_found`], unless there is an insight that is not among `ids`: those that say that there is nothing.
pub fn only_nothing(outcome: &Outcome, ids: &[InsightId], assessment: &mut Assessment) {
    let is_nothing = |insight: &Insight| ids.iter().any(|id| id.as_str() == insight.id);
    if assessment.insights.iter().all(is_nothing) {
        nothing_found(outcome, assessment);
    }
}

/// That all is well, as an insight and as a finding.
pub fn all_well(id: InsightId, confidence: Confidence, title: Message, reason: Message, assessment: &mut Assessment) {
    assessment.insight(Insight::new(id, confidence, title.clone(), reason.clone()));
    assessment.finding(nothing(title, reason, confidence));
}

/// Puts the worst of `findings` into the assessment; of equals, in the order of the rows. How many there are.
pub fn worst_first(mut findings: Vec<Finding>, assessment: &mut Assessment) -> usize {
    findings.sort_by(|a, b| b.score.total_cmp(&a.score));
    let all = findings.len();
    for finding in findings.into_iter().take(FINDINGS) {
        assessment.finding(finding);
    }
    if all > FINDINGS {
        assessment.limitation(messages::more_rows(Count((all - FINDINGS) as u64)));
    }
    all
}

/// The number of a row, counted from 1 as the report shows it.
pub fn number(position: usize) -> Count {
    Count(position as u64 + 1)
}

/// Says how many rows had not the figures that are judged.
pub fn without_figures(rows: usize, assessment: &mut Assessment) {
    if rows > 0 {
        assessment.limitation(messages::rows_without_figures(Count(rows as u64)));
    }
}
