//! Advice about single prepared transactions, in SQL that the host writes: only where the row tells all that makes it right.
//!
//! A runbook that uses it lists its [`messages`] and [`words`] in its own descriptor. It is a person's decision, so the prompts stay beside it.

pub mod messages;
#[cfg(test)]
mod tests;
pub mod words;

use pg_logstats_sdk::{Assessment, Confidence, Count, DurationUs, Insight, Recommendation, Record};

use crate::outcome;

/// Rows that are advised on in one answer, the worst first.
const ROWS: usize = 3;

/// That prepared transactions are to be ended; `rows` with their positions, the worst first.
pub fn roll_back<'a>(rows: impl IntoIterator<Item = (usize, Record<'a>)>, assessment: &mut Assessment) {
    let advice = rows.into_iter().filter_map(|(position, row)| {
        let transaction = row.subject()?;
        let title = messages::end_prepared_title(outcome::number(position));
        let reason = match (row.duration_us("age"), row.count("xid_age")) {
            (Some(open), Some(xids)) => messages::end_prepared_reason(DurationUs(open), Count(xids)),
            _ => messages::end_prepared_unknown_reason(),
        };
        // That it is forgotten is likely; which of the two ends is right, no server knows.
        let insight = Insight::new(words::PREPARED_TO_END, Confidence::Medium, title, reason);
        Some(
            insight
                .evidence(transaction)
                .recommend(Recommendation::roll_back(transaction)),
        )
    });
    for insight in advice.take(ROWS) {
        assessment.insight(insight);
    }
}
