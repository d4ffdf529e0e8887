//! Large indexes of the whole database that no scan used.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Assessment, At, Bytes, Confidence, Count, Finding, FindingKind, Insight, NextAction, Outcome, Record,
};

use super::ALL_WELL;
use crate::{advice, messages, severity, words};

pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let sizes: Vec<u64> = outcome.records().filter_map(|row| row.count("size_bytes")).collect();
    outcome::without_figures(outcome.rows.len() - sizes.len(), assessment);
    if sizes.is_empty() {
        if outcome.rows.is_empty() {
            let (title, reason) = (messages::none_unused_title(), messages::none_unused_reason());
            outcome::all_well(words::INDEXES_EARN_THEIR_KEEP, ALL_WELL, title, reason, assessment);
        }
        return;
    }
    // All rows are of one server and one database.
    let first: Option<Record<'_>> = outcome.records().next();
    let is_standby = first.as_ref().and_then(|row| row.boolean("is_standby")) != Some(false);
    let since = first.as_ref().and_then(|row| row.at("counted_since"));
    let bytes = Bytes(sizes.iter().fold(0, |sum: u64, size| sum.saturating_add(*size)));
    let title = messages::unused_all_title(Count::of(&sizes), bytes);
    let reason = since.map_or_else(messages::unused_reason, |at| messages::unused_all_reason(At(at)));
    let confidence = if is_standby {
        Confidence::Low
    } else {
        Confidence::Medium
    };
    if is_standby {
        assessment.limitation(messages::unused_on_standby());
    }
    let score = severity::of_waste(bytes.0);
    if score > severity::LOW {
        let finding = Finding::new(FindingKind::Plan, title.clone(), reason.clone());
        assessment.finding(finding.score(score).confidence(confidence).code(words::UNUSED_INDEX));
    }
    assessment.insight(Insight::new(words::UNUSED_INDEXES, confidence, title, reason));
    // The largest come first.
    let to_drop = outcome.records().enumerate().filter_map(|(position, row)| {
        let (index, counted) = advice::unused(&row)?;
        let reason = advice::unused_reason(counted);
        Some(advice::to_drop(position, &row, index, Confidence::Medium, reason))
    });
    for insight in to_drop.take(advice::ROWS) {
        assessment.insight(insight);
    }
    let (label, reason) = (
        messages::ask_drop_all_label(Count::of(&sizes)),
        messages::ask_drop_reason(),
    );
    assessment.next_action(NextAction::prompt_user(label, reason));
}
