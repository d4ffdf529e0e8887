//! What the server knows of a table that a plan reads.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Assessment, Confidence, Count, Insight, InsightId, Message, NextAction, Outcome, Ratio, Recommendation,
};

use crate::{messages, words};

/// Changes from which the planner's figures can be old.
const CHANGES: u64 = 10_000;
/// And the part of the rows that they are; autovacuum's default is a tenth.
const CHANGED_SHARE: f64 = 0.5;
/// Rows of one scan from which it is worth an index.
const WHOLE_ROWS: u64 = 10_000;
/// Scans from which a table is read so often.
const WHOLE_SCANS: u64 = 100;

/// The counters of the table.
pub(super) fn statistics(outcome: &Outcome, relation: &String, assessment: &mut Assessment) {
    let Some(row) = outcome.records().next() else { return };
    let before = assessment.insights.len();
    let changed = row.count("n_mod_since_analyze").unwrap_or(0);
    if let Some(live) = row.count("n_live_tup") {
        let share = Ratio::of(changed, live.max(1));
        if changed >= CHANGES && share.value() >= CHANGED_SHARE {
            let (title, reason) = (
                messages::old_title(share, relation),
                messages::old_reason(Count(changed)),
            );
            analyze(words::STATISTICS_OLD, title, reason, relation, assessment);
        }
    }
    let (scans, rows) = (row.count("seq_scan"), row.count("seq_tup_read"));
    let by_index = row.count("idx_scan").unwrap_or(0);
    let (Some(scans), Some(rows)) = (scans, rows) else {
        if assessment.insights.len() == before {
            assessment.limitation(statements::messages::unexpected_result());
        }
        return;
    };
    let each = rows / scans.max(1);
    if scans >= WHOLE_SCANS && each >= WHOLE_ROWS && scans >= by_index {
        let title = messages::whole_title(relation, Count(scans));
        let reason = messages::whole_reason(Count(each), Count(by_index));
        let insight = Insight::new(words::TABLE_READ_WHOLE, Confidence::High, title, reason);
        assessment.insight(insight.evidence(relation));
    } else if assessment.insights.len() == before {
        let title = messages::table_title(relation);
        let reason = messages::table_usual_reason(Count(scans), Count(by_index));
        assessment.insight(Insight::new(
            words::TABLE_UNREMARKABLE,
            Confidence::Medium,
            title,
            reason,
        ));
    }
}

/// The indexes of the table; none of them can be named.
pub(super) fn indexes(outcome: &Outcome, assessment: &mut Assessment) {
    let all = Count::of(&outcome.rows);
    let count_of = |is: &dyn Fn(&pg_logstats_sdk::Record<'_>) -> bool| {
        Count(outcome.records().filter(|row| is(row)).fold(0, |n, _| n + 1))
    };
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::no_index_title(), messages::no_index_reason());
        assessment.insight(Insight::new(words::INDEX_NONE, Confidence::Medium, title, reason));
        return;
    }
    let invalid = count_of(&|row| row.boolean("is_valid") == Some(false));
    if invalid.0 > 0 {
        let (title, reason) = (messages::invalid_title(invalid), messages::invalid_reason(all));
        assessment.insight(Insight::new(words::INDEX_INVALID, Confidence::High, title, reason));
        let (label, reason) = (messages::decide_invalid_label(), messages::decide_invalid_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
        return;
    }
    let used = count_of(&|row| row.count("idx_scan").is_some_and(|scans| scans > 0));
    let (title, reason) = (messages::indexes_title(all), messages::indexes_found_reason(used));
    assessment.insight(Insight::new(words::INDEXES_FOUND, Confidence::High, title, reason));
}

/// The columns of the table.
pub(super) fn columns(outcome: &Outcome, relation: &String, assessment: &mut Assessment) {
    let (mut all, mut hidden, mut unknown) = (0_u64, 0_u64, 0_u64);
    for row in outcome.records() {
        all += 1;
        if row.boolean("is_hidden") == Some(true) {
            hidden += 1;
        } else if row.cell("n_distinct").is_none() && row.cell("null_frac").is_none() {
            unknown += 1;
        }
    }
    if hidden > 0 {
        assessment.limitation(messages::hidden_columns(Count(hidden)));
    }
    if all == hidden {
        return;
    }
    // One column of an unusual type has no figures for ever; most of them, and the table was never analysed.
    if unknown > all / 2 {
        let title = messages::unknown_title(relation, Count(unknown));
        analyze(
            words::COLUMNS_UNKNOWN,
            title,
            messages::unknown_reason(Count(all)),
            relation,
            assessment,
        );
    } else {
        let title = messages::known_title(relation);
        let insight = Insight::new(
            words::COLUMNS_KNOWN,
            Confidence::High,
            title,
            messages::known_reason(Count(all)),
        );
        assessment.insight(insight);
    }
}

fn analyze(id: InsightId, title: Message, reason: Message, relation: &String, assessment: &mut Assessment) {
    let insight = Insight::new(id, Confidence::High, title, reason).evidence(relation);
    assessment.insight(insight.recommend(Recommendation::analyze(relation)));
    let (label, reason) = (
        statements::messages::decide_analyze_label(relation),
        statements::messages::decide_analyze_reason(),
    );
    assessment.next_action(NextAction::prompt_user(label, reason));
}
