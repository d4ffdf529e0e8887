//! Indexes that are being built, and what they wait for.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Finding, FindingKind, Insight, NextAction, Outcome, Priority,
    Record,
};

use super::ALL_WELL;
use crate::{messages, offers, severity, words};

/// Transactions that the build has to wait for yet.
fn waits_for(row: &Record<'_>) -> Option<u64> {
    let left = row.count("lockers_total")?.saturating_sub(row.count("lockers_done")?);
    (left > 0).then_some(left)
}

pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::no_build_title(), messages::no_build_reason());
        outcome::all_well(words::NO_INDEX_BUILD, ALL_WELL, title, reason, assessment);
        assessment.next_action(offers::invalid(actions));
        return;
    }
    let title = messages::builds_title(Count::of(&outcome.rows));
    let reason = match outcome.records().filter_map(|row| row.duration_us("running")).max() {
        Some(longest) => messages::builds_reason(DurationUs(longest)),
        None => messages::builds_reason_unknown(),
    };
    let insight = Insight::new(words::INDEX_BUILDS_RUNNING, Confidence::High, title, reason);
    let sessions = outcome.rows.iter().filter_map(|row| row.subject.as_ref());
    assessment.insight(sessions.fold(insight, |insight, session| insight.evidence(session)));

    let waiting: Vec<(usize, Record<'_>, u64)> = outcome
        .records()
        .enumerate()
        .filter_map(|(position, row)| Some((position, row, waits_for(&row)?)))
        .collect();
    let mut findings = Vec::new();
    for (position, row, left) in &waiting {
        let running = row.duration_us("running").unwrap_or(0);
        let score = severity::of_waiting_build(running);
        if score > severity::LOW {
            let title = messages::build_waits_title(outcome::number(*position), Count(*left));
            let reason = messages::build_waits_reason(DurationUs(running));
            let finding = Finding::new(FindingKind::LockWait, title, reason).score(score);
            let finding = finding.confidence(Confidence::High).code(words::BUILD_WAITS);
            findings.push(match row.subject() {
                Some(session) => finding.about(session),
                None => finding,
            });
        }
    }
    outcome::worst_first(findings, assessment);
    if !waiting.is_empty() {
        let title = messages::waiting_title(Count::of(&waiting));
        let reason = messages::waiting_reason();
        let insight = Insight::new(words::INDEX_BUILD_WAITS, Confidence::High, title, reason);
        let sessions = waiting.iter().filter_map(|(_, row, _)| row.subject());
        assessment.insight(sessions.fold(insight, |insight, session| insight.evidence(session)));
        // The sessions of the rows are live ones from now on, so that runbook can ask who blocks them.
        let locks = NextAction::run_workflow(words::LOCKS, messages::locks_label(), messages::locks_why());
        let priority = if assessment.findings.is_empty() {
            Priority::Optional
        } else {
            Priority::Required
        };
        assessment.next_action(locks.priority(priority));
    }
}
