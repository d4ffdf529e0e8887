//! Temporary files: the actions that look into them, the server's counters, and the statements that write them.
//!
//! A runbook that uses it lists its [`words`] and [`messages`] besides those of the crate.

pub mod messages;
pub mod offers;
pub mod words;

use pg_logstats_sdk::{
    Action, Actions, Assessment, Bytes, Confidence, Count, Insight, InsightId, Outcome, Ratio, TempFileGroup,
};

use crate::outcome::about_bound;
use crate::{judge_plan, messages as shared};

/// Insights that say that there is nothing.
pub const NOTHING: &[InsightId] = &[words::NO_TEMP_FILES_FOUND];

/// Judges the result of an action in [`words`], and says whether it was one. `role` ran the statement, as far as the evidence tells.
pub fn judge(outcome: &Outcome, role: Option<&String>, actions: &mut dyn Actions, assessment: &mut Assessment) -> bool {
    let did = |action: Action| outcome.action == action.as_str();
    if did(words::TEMP_EXPLAIN) || did(words::TEMP_EXPLAIN_ANALYZE) {
        judge_plan(outcome, role, actions, assessment);
    } else if did(words::TEMP_COUNTERS) {
        judge_counters(outcome, assessment);
    } else if did(words::TEMP_BLOCKS) {
        judge_blocks(outcome, assessment);
    } else {
        return false;
    }
    true
}

/// What else there is to see of a group of temporary files, where this action did not show it.
pub fn look_further(outcome: &Outcome, group: &TempFileGroup, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let did = |action: Action| outcome.action == action.as_str();
    let ran = did(words::TEMP_EXPLAIN_ANALYZE);
    if !ran && outcome.plan.is_empty() && !did(words::TEMP_EXPLAIN) {
        assessment.next_action(offers::explain(actions, group));
    }
    if !ran {
        assessment.next_action(offers::explain_analyze(actions, group));
    }
    if !did(words::TEMP_BLOCKS) {
        assessment.next_action(offers::blocks(actions));
    }
}

/// The counters of one database.
fn judge_counters(outcome: &Outcome, assessment: &mut Assessment) {
    let Some(record) = outcome.records().next() else { return };
    let (Some(files), Some(bytes)) = (record.count("temp_files"), record.count("temp_bytes")) else {
        assessment.limitation(shared::unexpected_result());
        return;
    };
    if files == 0 && bytes == 0 {
        let (title, reason) = (messages::no_temp_title(), messages::no_temp_reason());
        let insight = Insight::new(words::NO_TEMP_FILES_FOUND, Confidence::High, title, reason);
        assessment.insight(about_bound(insight, outcome));
        return;
    }
    let reason = match record.at("stats_reset") {
        Some(since) => messages::temp_volume_reason_since(pg_logstats_sdk::At(since), Count(files)),
        None => messages::temp_volume_reason(Count(files)),
    };
    let title = messages::temp_volume_title(Bytes(bytes));
    let insight = Insight::new(words::TEMP_FILES_VOLUME_DETECTED, Confidence::High, title, reason);
    assessment.insight(about_bound(insight, outcome));
}

/// The statements that write temporary blocks, most first. Of the whole database, and its rows have no subjects: there is none to be evidence.
fn judge_blocks(outcome: &Outcome, assessment: &mut Assessment) {
    let written: Vec<u64> = outcome
        .records()
        .filter_map(|record| record.count("temp_blks_written"))
        .filter(|&n| n > 0)
        .collect();
    if written.is_empty() {
        if !outcome.rows.is_empty() {
            assessment.limitation(shared::unexpected_result());
            return;
        }
        assessment.insight(Insight::new(
            words::NO_TEMP_FILES_FOUND,
            Confidence::Medium,
            messages::no_temp_writers_title(),
            messages::no_temp_writers_reason(),
        ));
        return;
    }
    let total = written.iter().fold(0u64, |sum, &n| sum.saturating_add(n));
    let first = written.iter().max().copied().unwrap_or(0);
    assessment.insight(Insight::new(
        crate::words::STATEMENTS_WRITING_TEMP_BLOCKS,
        Confidence::High,
        messages::temp_writers_title(Count::of(&written)),
        messages::temp_writers_reason(Ratio::of(first, total), Count(total)),
    ));
}
