//! Prepared transactions: they hold locks without a session.

use pg_logstats_runbook_statements::{live, prepared as advice, scores, tree};
use pg_logstats_sdk::{Assessment, Confidence, Count, DurationUs, Finding, FindingKind, Insight, Outcome, Record};

use crate::{messages, words};

/// Judges rows about prepared transactions. One does nothing in an open transaction, so it is scored like a session that is idle in one, or by
/// what it keeps vacuum from removing, if that is more.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::none_prepared_title(), messages::none_prepared_reason());
        let id = words::NO_PREPARED_TRANSACTION;
        assessment.insight(Insight::new(id, Confidence::High, title, reason));
        return;
    }
    let oldest = outcome.records().filter_map(|record| record.duration_us("age")).max();
    let xids = outcome.records().filter_map(|record| record.count("xid_age")).max();
    let title = messages::prepared_open_title(Count::of(&outcome.rows));
    let reason = oldest.map_or_else(messages::prepared_open_reason_unknown, |us| {
        messages::prepared_open_reason(DurationUs(us))
    });
    let id = words::PREPARED_TRANSACTIONS_OPEN;
    assessment.insight(Insight::new(id, Confidence::High, title.clone(), reason.clone()));
    let score = scores::idle_in_transaction(oldest.unwrap_or(0)).max(scores::xid_age(xids.unwrap_or(0)));
    // A coordinator prepares and commits in the same second: that is no finding.
    if score >= live::FLOOR {
        let finding = Finding::new(FindingKind::LockWait, title, reason);
        let finding = finding.code(words::PREPARED_TRANSACTION).score(score);
        let finding = assessment.finding(finding.confidence(Confidence::High));
        let score = |row: &Record<'_>| {
            scores::idle_in_transaction(row.duration_us("age").unwrap_or(0))
                .max(scores::xid_age(row.count("xid_age").unwrap_or(0)))
        };
        let rows = outcome.records().enumerate();
        advice::roll_back(rows.filter(|(_, row)| score(row) >= live::FLOOR), assessment);
        assessment.next_action(tree::decide_prepared().because(finding));
    }
}
