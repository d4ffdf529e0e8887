//! Settings that say what ends a wait or a forgotten transaction, and what is logged of it.

use pg_logstats_sdk::{Assessment, Confidence, Insight, InsightId, Message, Outcome, Recommendation, Setting};

use crate::{messages, words};

/// Judges rows about settings. They are choices, not faults, so none is a finding; only that the logs are blind comes with advice.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let insight = |id: InsightId, title: Message, reason: Message| Insight::new(id, Confidence::High, title, reason);
    if outcome.setting_text("log_lock_waits") == Some("off") {
        let (title, reason) = (messages::not_logged_title(), messages::not_logged_reason());
        let not_logged = insight(words::LOCK_WAITS_NOT_LOGGED, title, reason);
        assessment.insight(not_logged.recommend(Recommendation::parameter(Setting::LogLockWaits, 1)));
    }
    let is_zero = |name| outcome.setting_count(name) == Some(0);
    if is_zero("idle_in_transaction_session_timeout") {
        let (title, reason) = (messages::no_idle_limit_title(), messages::no_idle_limit_reason());
        assessment.insight(insight(words::NO_IDLE_LIMIT, title, reason));
    }
    if is_zero("lock_timeout") {
        let (title, reason) = (messages::no_lock_timeout_title(), messages::no_lock_timeout_reason());
        assessment.insight(insight(words::NO_LOCK_TIMEOUT, title, reason));
    }
}
