//! Constraints that hold for new rows only, or for none.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Assessment, Confidence, Count, Finding, FindingKind, Insight, Message, NextAction, Outcome, Record,
};

use super::ALL_WELL;
use crate::{advice, messages, severity, words};

/// The title of a finding about so many.
type Title = fn(Count) -> Message;

/// The kinds that the catalogue tells apart, with the sentence for each.
const KINDS: [(&str, Title); 3] = [
    ("foreign_key", messages::foreign_keys_title),
    ("check", messages::checks_title),
    ("not_null", messages::not_nulls_title),
];

pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::validated_title(), messages::validated_reason());
        outcome::all_well(words::CONSTRAINTS_VALIDATED, ALL_WELL, title, reason, assessment);
        return;
    }
    let is_enforced = |row: &Record<'_>| row.boolean("is_enforced") != Some(false);
    let kind = |row: &Record<'_>| {
        KINDS
            .iter()
            .position(|(word, _)| row.text("constraint_type") == Some(word))
    };
    let mut findings = Vec::new();
    let mut add = |n: u64, title: Title| {
        if n > 0 {
            let finding = Finding::new(FindingKind::Plan, title(Count(n)), messages::not_validated_reason());
            let finding = finding.score(severity::of_constraints(n)).confidence(Confidence::High);
            findings.push(finding.code(words::CONSTRAINT_NOT_VALIDATED));
        }
    };
    let of_kind = |wanted: Option<usize>| {
        let rows = outcome.records().filter(is_enforced);
        rows.filter(|row| kind(row) == wanted).count() as u64
    };
    for (position, (_, title)) in KINDS.iter().enumerate() {
        add(of_kind(Some(position)), *title);
    }
    add(of_kind(None), messages::others_title);
    let not_enforced = outcome.records().filter(|row| !is_enforced(row)).count() as u64;
    if not_enforced > 0 {
        let title = messages::not_enforced_title(Count(not_enforced));
        let finding = Finding::new(FindingKind::Plan, title, messages::not_enforced_reason());
        let finding = finding.score(severity::NOT_ENFORCED).confidence(Confidence::High);
        findings.push(finding.code(words::CONSTRAINT_NOT_ENFORCED));
    }
    outcome::worst_first(findings, assessment);
    let open = Count(outcome.records().filter(is_enforced).count() as u64);
    let title = messages::open_title(open, Count(not_enforced));
    let insight = Insight::new(
        words::CONSTRAINTS_OPEN,
        Confidence::High,
        title,
        messages::open_reason(),
    );
    assessment.insight(insight);
    let rank = |row: &Record<'_>| kind(row).unwrap_or(KINDS.len());
    advice::of_constraints(outcome, rank, assessment);
    if open.0 > 0 {
        let (label, reason) = (messages::ask_validate_label(open), messages::ask_validate_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
}
