//! Indexes that queries do not use because they are not valid.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, Count, Finding, FindingKind, Insight, NextAction, Outcome, Priority, Record,
};

use super::ALL_WELL;
use crate::{advice, messages, offers, severity, words};

pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::valid_title(), messages::valid_reason());
        outcome::all_well(words::INDEXES_VALID, ALL_WELL, title, reason, assessment);
        return;
    }
    let findings: Vec<Finding> = outcome
        .records()
        .enumerate()
        .map(|(position, row)| finding(position, &row))
        .collect();
    let n = Count(outcome::worst_first(findings, assessment) as u64);
    let sizes = outcome.records().filter_map(|row| row.count("size_bytes"));
    let reason = messages::not_valid_reason(Bytes(sizes.fold(0, u64::saturating_add)));
    let title = messages::not_valid_title(n);
    assessment.insight(Insight::new(words::INDEXES_NOT_VALID, Confidence::High, title, reason));
    advice::of_invalid(outcome, assessment);
    // One that is being built now looks the same.
    assessment.next_action(offers::builds(actions).map(|action| action.priority(Priority::Required)));
    let (label, reason) = (messages::ask_invalid_label(n), messages::ask_invalid_reason());
    assessment.next_action(NextAction::prompt_user(label, reason));
}

fn finding(position: usize, row: &Record<'_>) -> Finding {
    let is = |column| row.boolean(column) == Some(true);
    let (is_ready, is_unique, is_partitioned) =
        (is("is_ready") && is("is_live"), is("is_unique"), is("is_partitioned"));
    let size = row.count("size_bytes").unwrap_or(0);
    let is_busy = row.boolean("is_being_changed");
    let title = match is_busy {
        Some(true) => messages::invalid_busy_title(outcome::number(position)),
        _ => messages::invalid_title(outcome::number(position), Bytes(size)),
    };
    let reason = match (is_partitioned, is_ready) {
        _ if is_busy == Some(true) => messages::busy_reason(),
        (true, _) => messages::partitioned_reason(),
        (false, true) => messages::ready_reason(),
        (false, false) => messages::not_ready_reason(),
    };
    // It may be one that is being built at the moment.
    let confidence = match is_busy {
        Some(true) => Confidence::Low,
        Some(false) => Confidence::High,
        None => Confidence::Medium,
    };
    let finding = Finding::new(FindingKind::Plan, title, reason).confidence(confidence);
    let mut finding = finding.score(severity::of_invalid_row(row)).code(words::INVALID_INDEX);
    let codes = [
        (is_ready && !is_partitioned, words::KEPT_UP_FOR_NOTHING),
        (is_unique, words::UNIQUE_NOT_ENSURED),
        (is_partitioned, words::PARTITIONED_INDEX),
    ];
    for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
        finding = finding.code(code);
    }
    match row.subject() {
        Some(index) => finding.about(index),
        None => finding,
    }
}
