//! The indexes of one table: those that nothing uses, and those that others make superfluous.

use std::cmp::Reverse;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Assessment, Bytes, Confidence, Count, Finding, FindingKind, Insight, InsightId, Message, NextAction, Outcome,
    ReasonCode, Record,
};

use super::ALL_WELL;
use crate::{advice, messages, severity, words};

/// How the catalogue shows an expression: two of them may be different, so their indexes are not compared.
const EXPRESSION: &str = "(expression)";

/// What a row tells. What it does not tell is never taken for a "no".
struct Index<'a> {
    position: usize,
    method: Option<&'a str>,
    key: Option<&'a str>,
    included: Option<&'a str>,
    is_whole: bool,
    is_valid: bool,
    /// Whether it ensures something, or may.
    is_needed: bool,
    scans: Option<u64>,
    bytes: u64,
    row: Record<'a>,
}

impl<'a> Index<'a> {
    fn new(position: usize, row: &Record<'a>) -> Self {
        let is_no = |column| row.boolean(column) == Some(false);
        Self {
            position,
            method: row.text("method"),
            key: row.text("key_columns").filter(|key| !key.contains(EXPRESSION)),
            included: row.text("included_columns"),
            is_whole: is_no("is_partial"),
            is_valid: row.boolean("is_valid") == Some(true),
            is_needed: !(is_no("is_unique") && is_no("is_primary") && is_no("serves_constraint")),
            scans: row.count("idx_scan"),
            bytes: row.count("size_bytes").unwrap_or(0),
            row: *row,
        }
    }

    /// That it can be dropped because no scan used it, with its size.
    fn unused_advice(&self) -> Option<(u64, Insight)> {
        let (index, counted) = advice::unused(&self.row)?;
        let reason = advice::unused_reason(counted);
        let insight = advice::to_drop(self.position, &self.row, index, Confidence::Medium, reason);
        Some((self.bytes, insight))
    }

    /// The same because `other` does what it does.
    fn redundant_advice(&self, other: &Self) -> Option<(u64, Insight)> {
        let index = advice::begins(&self.row, &other.row)?;
        let reason = messages::drop_redundant_reason();
        let insight = advice::to_drop(self.position, &self.row, index, Confidence::Medium, reason);
        Some((self.bytes, insight))
    }

    fn is_unused(&self) -> bool {
        self.is_valid && !self.is_needed && self.scans == Some(0)
    }

    /// Whether `other` finds all that this one finds: it has the same columns, or begins with them. Of two that are alike the first stays.
    fn is_made_superfluous_by(&self, other: &Self) -> bool {
        let (Some(key), Some(others)) = (self.key, other.key) else {
            return false;
        };
        let comparable = self.position != other.position
            && !self.is_needed
            && self.included.is_none()
            && [self, other].iter().all(|index| index.is_whole && index.is_valid)
            && self.method.is_some()
            && self.method == other.method;
        let is_alike = key == others && (other.is_needed || other.included.is_some() || other.position < self.position);
        let begins = others.strip_prefix(key).is_some_and(|rest| rest.starts_with(", "));
        // Only a btree finds by its first columns as well as by all.
        comparable && (is_alike || (begins && self.method == Some("btree")))
    }
}

pub(super) fn judge(table: &String, outcome: &Outcome, assessment: &mut Assessment) {
    let indexes: Vec<Index<'_>> = outcome
        .records()
        .enumerate()
        .map(|(position, row)| Index::new(position, &row))
        .collect();
    let is_superfluous = |index: &&Index<'_>| indexes.iter().any(|other| index.is_made_superfluous_by(other));
    let redundant: Vec<&Index<'_>> = indexes.iter().filter(is_superfluous).collect();
    let unused: Vec<&Index<'_>> = indexes.iter().filter(|index| index.is_unused()).collect();
    // Where no index was ever used, the counters may just have been reset.
    let is_counted = indexes.iter().any(|index| index.scans.is_some_and(|scans| scans > 0));
    let confidence = if is_counted {
        Confidence::Medium
    } else {
        Confidence::Low
    };
    let mut findings = Vec::new();
    findings.extend(waste(
        table,
        &unused,
        confidence,
        words::UNUSED_INDEX,
        messages::unused_reason(),
    ));
    findings.extend(waste(
        table,
        &redundant,
        Confidence::Medium,
        words::REDUNDANT_INDEX,
        messages::redundant_reason(),
    ));
    outcome::worst_first(findings, assessment);
    let insight = |id: InsightId, confidence, title: Message, reason: Message| {
        Insight::new(id, confidence, title, reason).evidence(table)
    };
    if !unused.is_empty() {
        let title = messages::unused_title(Count::of(&unused), table, size(&unused));
        let reason = messages::unused_reason();
        assessment.insight(insight(words::UNUSED_INDEXES, confidence, title, reason));
    }
    if !redundant.is_empty() {
        let title = messages::redundant_title(Count::of(&redundant), table, size(&redundant));
        let reason = messages::redundant_reason();
        assessment.insight(insight(words::REDUNDANT_INDEXES, Confidence::Medium, title, reason));
    }
    if assessment.insights.is_empty() {
        let (title, reason) = (
            messages::indexes_well_title(table),
            messages::indexes_well_reason(Count::of(&indexes)),
        );
        outcome::all_well(words::INDEXES_EARN_THEIR_KEEP, ALL_WELL, title, reason, assessment);
    }
    let mut dropped: Vec<(u64, Insight)> = Vec::new();
    if !assessment
        .findings
        .iter()
        .all(|finding| finding.kind == FindingKind::NothingFound)
    {
        if is_counted {
            unused.iter().for_each(|index| dropped.extend(index.unused_advice()));
        }
        let others: Vec<&Index<'_>> = redundant.iter().filter(|index| !index.is_unused()).copied().collect();
        // What makes it superfluous has to stay, whatever of this a person follows.
        let stays = |other: &Index<'_>| !other.is_unused() && !redundant.iter().any(|it| it.position == other.position);
        for index in others {
            let mut covers = indexes.iter().filter(|other| index.is_made_superfluous_by(other));
            dropped.extend(covers.find_map(|other| stays(other).then(|| index.redundant_advice(other))?));
        }
        dropped.sort_by_key(|(bytes, _)| Reverse(*bytes));
        for (_, insight) in dropped.into_iter().take(advice::ROWS) {
            assessment.insight(insight.evidence(table));
        }
        let (label, reason) = (messages::ask_drop_label(table), messages::ask_drop_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
}

fn size(indexes: &[&Index<'_>]) -> Bytes {
    Bytes(indexes.iter().fold(0, |sum, index| sum.saturating_add(index.bytes)))
}

/// The finding about indexes that are for nothing, if they are large enough to matter.
fn waste(
    table: &String,
    indexes: &[&Index<'_>],
    confidence: Confidence,
    code: ReasonCode,
    reason: Message,
) -> Option<Finding> {
    let bytes = size(indexes);
    let score = severity::of_waste(bytes.0);
    let title = match code {
        words::UNUSED_INDEX => messages::unused_title(Count::of(indexes), table, bytes),
        _ => messages::redundant_title(Count::of(indexes), table, bytes),
    };
    let finding = Finding::new(FindingKind::Plan, title, reason).about(table).score(score);
    (score > severity::LOW).then(|| finding.confidence(confidence).code(code))
}
