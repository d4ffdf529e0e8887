//! Work on tables and indexes that lasts long by its nature.

use pg_logstats_sdk::{Assessment, Confidence, Count, DurationUs, Insight, Outcome};

use crate::{messages, words};

/// Judges rows about progress. How long it takes is no fault, so it is no finding.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::no_maintenance_title(), messages::no_maintenance_reason());
        let id = words::NO_MAINTENANCE_RUNNING;
        assessment.insight(Insight::new(id, Confidence::High, title, reason));
        return;
    }
    let longest = outcome
        .records()
        .filter_map(|record| record.duration_us("running"))
        .max();
    let reason = longest.map_or_else(messages::maintenance_reason_unknown, |us| {
        messages::maintenance_reason(DurationUs(us))
    });
    let title = messages::maintenance_title(Count::of(&outcome.rows));
    let insight = Insight::new(words::MAINTENANCE_RUNNING, Confidence::High, title, reason);
    let sessions = outcome.rows.iter().filter_map(|row| row.subject.as_ref());
    assessment.insight(sessions.fold(insight, |insight, session| insight.evidence(session)));
}
