//! The server's counters of temporary files, and the statements that write them.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Assessment, Bytes, Confidence, Count, Insight, Outcome, Ratio};

use crate::{messages, words};

/// The counters of one database.
pub(super) fn judge_counters(outcome: &Outcome, assessment: &mut Assessment) {
    let Some(record) = outcome.records().next() else { return };
    let (Some(files), Some(bytes)) = (record.count("temp_files"), record.count("temp_bytes")) else {
        assessment.limitation(statements::messages::unexpected_result());
        return;
    };
    if files == 0 && bytes == 0 {
        assessment.insight(Insight::new(
            words::NO_TEMP_FILES_FOUND,
            Confidence::High,
            messages::no_temp_title(),
            messages::no_temp_reason(),
        ));
        return;
    }
    let reason = match record.at("stats_reset") {
        Some(since) => messages::temp_volume_reason_since(pg_logstats_sdk::At(since), Count(files)),
        None => messages::temp_volume_reason(Count(files)),
    };
    let title = messages::temp_volume_title(Bytes(bytes));
    assessment.insight(Insight::new(
        words::TEMP_FILES_VOLUME_DETECTED,
        Confidence::High,
        title,
        reason,
    ));
}

/// The statements that write temporary blocks, most first.
pub(super) fn judge_blocks(outcome: &Outcome, assessment: &mut Assessment) {
    let written: Vec<u64> = outcome
        .records()
        .filter_map(|record| record.count("temp_blks_written"))
        .filter(|&n| n > 0)
        .collect();
    if written.is_empty() {
        if !outcome.rows.is_empty() {
            assessment.limitation(statements::messages::unexpected_result());
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
        statements::words::STATEMENTS_WRITING_TEMP_BLOCKS,
        Confidence::High,
        messages::temp_writers_title(Count::of(&written)),
        messages::temp_writers_reason(Ratio::of(first, total), Count(total)),
    ));
}
