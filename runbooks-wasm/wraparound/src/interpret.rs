//! Phase 2: what an action returned.

mod ages;
mod autovacuum;
mod horizon;
mod sequences;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Evidence, Finding, FindingKind, Insight, InsightId, Message, NextAction,
    Outcome, OutcomeStatus, no_answer,
};

use crate::{messages, words};

/// Rows of one outcome that become findings, worst first.
const FINDINGS: usize = 10;

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    if !outcome.has_result() {
        no_answer::judge(outcome, messages::failed_reason(), &mut assessment);
    } else if did(words::DATABASES) {
        ages::judge_databases(outcome, actions, &mut assessment);
    } else if did(words::TABLES) {
        ages::judge_tables(evidence, outcome, actions, &mut assessment);
    } else if did(words::HORIZON) {
        horizon::judge(outcome, actions, &mut assessment);
    } else if did(words::PREPARED) {
        horizon::judge_prepared(outcome, actions, &mut assessment);
    } else if did(words::SEQUENCES) {
        sequences::judge(outcome, &mut assessment);
    } else if did(words::VACUUMS) {
        autovacuum::judge_running(outcome, actions, &mut assessment);
    } else if did(words::SETTINGS) {
        autovacuum::judge_settings(outcome, actions, &mut assessment);
    } else {
        assessment.limitation(messages::unknown_action());
    }
    if assessment.insights.is_empty() && assessment.findings.is_empty() {
        let rows = Count::of(&outcome.rows);
        let (title, reason) = (messages::nothing_title(), messages::nothing_reason(rows));
        let finding = Finding::new(FindingKind::NothingFound, title, reason);
        assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::Low));
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated(Count::of(&outcome.rows)));
    }
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason()));
    }
    assessment
}

/// Puts the worst of `findings` into the assessment; of equals, in the order of the rows. How many there are.
fn worst_first(mut findings: Vec<Finding>, assessment: &mut Assessment) -> usize {
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

/// That all is well, as an insight and as a finding.
fn all_well(id: InsightId, title: Message, reason: Message, assessment: &mut Assessment) {
    assessment.insight(Insight::new(id, Confidence::High, title.clone(), reason.clone()));
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::High));
}

/// The number of a row, counted from 1 as the report shows it.
fn number(position: usize) -> Count {
    Count(position as u64 + 1)
}

/// Says how many rows had not the figures that are judged.
fn without_figures(rows: usize, assessment: &mut Assessment) {
    if rows > 0 {
        assessment.limitation(messages::rows_without_figures(Count(rows as u64)));
    }
}
