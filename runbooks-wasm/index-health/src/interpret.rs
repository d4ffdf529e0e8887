//! Phase 2: what an action returned.

mod builds;
mod constraints;
mod indexes;
mod invalid;
mod tables;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Evidence, Finding, FindingKind, Insight, InsightId, Message, NextAction,
    Outcome, OutcomeStatus, no_answer,
};

use crate::{messages, relations, words};

/// Rows of one outcome that become findings, worst first.
const FINDINGS: usize = 10;

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    if !outcome.has_result() {
        no_answer::judge(outcome, messages::failed_reason(), &mut assessment);
    } else if did(words::INVALID) {
        invalid::judge(outcome, actions, &mut assessment);
    } else if did(words::CONSTRAINTS) {
        constraints::judge(outcome, &mut assessment);
    } else if did(words::BUILDS) {
        builds::judge(outcome, actions, &mut assessment);
    } else if did(words::DEAD_ROWS) {
        tables::judge_dead_rows(outcome, &mut assessment);
    } else if did(words::USAGE) || did(words::BLOAT) || did(words::STATISTICS) {
        judge_table(evidence, outcome, actions, &mut assessment);
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

/// What is about one table: none of its rows means that it is not in this database.
fn judge_table(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(table) = relations::bound(evidence, outcome) else {
        assessment.limitation(messages::table_unknown());
        return;
    };
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::not_here_title(table), messages::not_here_reason());
        all_well(words::TABLE_NOT_HERE, title, reason, assessment);
    } else if did(words::USAGE) {
        indexes::judge(table, outcome, assessment);
    } else if did(words::BLOAT) {
        tables::judge_bloat(table, outcome, actions, assessment);
    } else {
        tables::judge_statistics(table, outcome, actions, assessment);
    }
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

/// That all is well, as an insight and as a finding: as far as this database and its counters tell.
fn all_well(id: InsightId, title: Message, reason: Message, assessment: &mut Assessment) {
    assessment.insight(Insight::new(id, Confidence::Medium, title.clone(), reason.clone()));
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::Medium));
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
