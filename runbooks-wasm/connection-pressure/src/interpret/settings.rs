//! Settings: what is reserved, and what ends an idle session.

use pg_logstats_sdk::{Assessment, Confidence, Count, Insight, InsightId, Message, Outcome, Ratio};

use crate::{messages, words};

/// A share of reserved slots that is more than administration needs: 3 of 100 is what the server starts with.
const MUCH_RESERVED: f64 = 0.2;

/// Judges rows about settings. They are choices, not faults, so none is a finding.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let insight = |id: InsightId, title: Message, reason: Message| Insight::new(id, Confidence::High, title, reason);
    if let Some(max) = outcome.setting_count("max_connections").filter(|&max| max > 0) {
        let superuser = outcome.setting_count("superuser_reserved_connections").unwrap_or(0);
        // PostgreSQL 16 has it.
        let roles = outcome.setting_count("reserved_connections").unwrap_or(0);
        let reserved = superuser.saturating_add(roles);
        let share = Ratio::of(reserved, max);
        let reason = if share.value() >= MUCH_RESERVED {
            messages::reserved_many_reason(share)
        } else {
            messages::reserved_reason(Count(superuser), Count(roles))
        };
        let title = messages::reserved_title(Count(reserved), Count(max));
        assessment.insight(insight(words::RESERVED_SLOTS, title, reason));
    }
    let pending = outcome
        .records()
        .filter(|record| record.boolean("is_pending_restart") == Some(true))
        .count() as u64;
    if pending > 0 {
        let (title, reason) = (messages::restart_title(Count(pending)), messages::restart_reason());
        assessment.insight(insight(words::SETTING_NEEDS_RESTART, title, reason));
    }
    if outcome.setting_count("idle_in_transaction_session_timeout") == Some(0) {
        let (title, reason) = (messages::no_idle_limit_title(), messages::no_idle_limit_reason());
        assessment.insight(insight(words::NO_IDLE_LIMIT, title, reason));
    }
}
