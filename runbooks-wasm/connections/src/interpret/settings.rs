//! The limits and time-outs of connections.

use pg_logstats_sdk::{Actions, Assessment, Confidence, Count, Insight, Outcome, Priority};

use crate::offers::{self, Ask};
use crate::{messages, words};

/// More at once than any server has processors for, many times over.
const HIGH: u64 = 500;

/// Judges the rows: a setting that is missing is unknown, never 0.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let number = |name: &str| outcome.setting_count(name);
    let pending = outcome.records();
    let pending = pending
        .filter(|row| row.boolean("is_pending_restart") == Some(true))
        .count() as u64;
    if pending > 0 {
        let (title, reason) = (messages::pending_title(), messages::pending_reason(Count(pending)));
        say(words::SETTING_PENDING_RESTART, title, reason, assessment);
    }
    // Whether it should be another than 0 the settings do not show, so there is no advice: the counts show it.
    if number("idle_in_transaction_session_timeout") == Some(0) {
        let (title, reason) = (messages::no_timeout_title(), messages::no_timeout_reason());
        say(words::NO_IDLE_IN_TRANSACTION_TIMEOUT, title, reason, assessment);
    }
    if let Some(max) = number("max_connections") {
        if max >= HIGH {
            let (title, reason) = (messages::high_title(Count(max)), messages::high_reason());
            say(words::MAX_CONNECTIONS_HIGH, title, reason, assessment);
            assessment.next_action(offers::ask(Ask::Pooler));
        }
        let reserved = ["superuser_reserved_connections", "reserved_connections"].map(number);
        let reserved = reserved.iter().flatten().fold(0_u64, |sum, n| sum.saturating_add(*n));
        let title = messages::settings_title(Count(max), Count(reserved));
        say(
            words::CONNECTION_SETTINGS_FOUND,
            title,
            messages::settings_found_reason(),
            assessment,
        );
    }
    let counts = offers::counts(actions);
    assessment.next_action(counts.map(|action| action.priority(Priority::Optional)));
}

fn say(
    id: pg_logstats_sdk::InsightId,
    title: pg_logstats_sdk::Message,
    reason: pg_logstats_sdk::Message,
    assessment: &mut Assessment,
) {
    assessment.insight(Insight::new(id, Confidence::High, title, reason));
}
