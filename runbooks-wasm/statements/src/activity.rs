//! Connections counted by database, role, application and state (`connection_pressure.pg_stat_activity.counts`): the totals, and what
//! they say whoever looks.
//!
//! A runbook that uses it lists its [`words`] and [`messages`] in its own descriptor.

pub mod messages;
#[cfg(test)]
mod tests;
pub mod words;

use std::collections::BTreeMap;

use pg_logstats_sdk::{
    Assessment, Confidence, Count, DurationUs, Finding, FindingKind, FindingRef, Insight, NextAction, Outcome,
    Priority, Recommendation, SessionState, Setting,
};

use crate::{live, scores};

/// What is recommended as `idle_in_transaction_session_timeout`: five minutes, where [`scores::idle_in_transaction`] is one half.
const IDLE_LIMIT_US: u64 = 5 * 60_000_000;

/// The connections in one state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InState {
    /// How many.
    pub connections: u64,
    /// How long the longest is in that state.
    pub longest_us: Option<u64>,
    /// How long the longest of their transactions is open.
    pub longest_transaction_us: Option<u64>,
}

/// All rows together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// All client connections.
    pub connections: u64,
    /// Those that run a statement.
    pub active: InState,
    /// Those between transactions.
    pub idle: InState,
    /// Those that do nothing in an open transaction.
    pub idle_in_transaction: InState,
    /// Those that wait for a lock.
    pub waiting: u64,
    /// What the server takes at most.
    pub max_connections: Option<u64>,
    /// How many roles have connections.
    pub roles: u64,
    /// Connections of the role that has most.
    pub most_of_one_role: u64,
}

impl Activity {
    /// Adds up the rows of `outcome`. A group whose count is unknown counts for nothing.
    pub fn new(outcome: &Outcome) -> Self {
        let mut activity = Self::default();
        // Names are compared with each other and with nothing else.
        let mut by_role: BTreeMap<&str, u64> = BTreeMap::new();
        for record in outcome.records() {
            let connections = record.count("connections").unwrap_or(0);
            activity.connections = activity.connections.saturating_add(connections);
            let waiting = record.count("waiting_for_locks").unwrap_or(0);
            activity.waiting = activity.waiting.saturating_add(waiting);
            activity.max_connections = activity.max_connections.or(record.count("max_connections"));
            if let Some(role) = record.text("user") {
                let sum = by_role.entry(role).or_default();
                *sum = sum.saturating_add(connections);
            }
            let state = match record.session().state {
                SessionState::Active => &mut activity.active,
                SessionState::IdleInTransaction => &mut activity.idle_in_transaction,
                SessionState::Idle => &mut activity.idle,
                SessionState::Unknown => continue,
            };
            state.connections = state.connections.saturating_add(connections);
            state.longest_us = state.longest_us.max(record.duration_us("longest_in_state"));
            state.longest_transaction_us = state
                .longest_transaction_us
                .max(record.duration_us("longest_transaction"));
        }
        activity.roles = by_role.len() as u64;
        activity.most_of_one_role = by_role.values().copied().max().unwrap_or(0);
        activity
    }

    /// The finding about sessions that do nothing in an open transaction; none where it is the usual pause between two statements.
    pub fn idle_finding(&self) -> Option<Finding> {
        let idle = self.idle_in_transaction;
        let longest_us = idle.longest_us?;
        let score = scores::idle_in_transaction(longest_us);
        if idle.connections == 0 || score < live::FLOOR {
            return None;
        }
        let title = messages::idle_in_transaction_title(Count(idle.connections));
        let reason = messages::idle_in_transaction_reason(DurationUs(longest_us));
        let finding = Finding::new(FindingKind::ConnectionPressure, title, reason);
        let finding = finding.code(words::IDLE_IN_TRANSACTION).score(score);
        Some(finding.confidence(Confidence::High))
    }

    /// The finding about sessions that wait for locks.
    pub fn waiting_finding(&self) -> Option<Finding> {
        (self.waiting > 0).then(|| {
            let title = messages::waiting_title(Count(self.waiting));
            let finding = Finding::new(FindingKind::LockWait, title, messages::waiting_reason());
            let finding = finding.code(words::WAITING_FOR_LOCKS);
            finding
                .score(scores::waiting(self.waiting))
                .confidence(Confidence::Medium)
        })
    }

    /// The insight about sessions that do nothing in an open transaction. A limit is recommended where one has been idle for twice as
    /// long: then none is in force for it that is as low.
    pub fn idle_insight(&self, assessment: &mut Assessment) {
        let idle = self.idle_in_transaction;
        if idle.connections == 0 {
            return;
        }
        let title = messages::idle_in_transaction_title(Count(idle.connections));
        let reason = idle.longest_us.map_or_else(messages::idle_unknown_reason, |us| {
            messages::idle_in_transaction_reason(DurationUs(us))
        });
        let id = words::IDLE_IN_TRANSACTION_SESSION;
        let mut insight = Insight::new(id, Confidence::High, title, reason);
        if idle.longest_us.is_some_and(|us| us >= 2 * IDLE_LIMIT_US) {
            let limit = Recommendation::parameter(Setting::IdleInTransactionSessionTimeout, IDLE_LIMIT_US);
            insight = insight.recommend(limit);
        }
        assessment.insight(insight);
    }
}

/// Sends to the runbook that shows who holds up those who wait.
pub fn to_lock_tree(finding: FindingRef) -> NextAction {
    let (label, reason) = (messages::lock_tree_label(), messages::lock_tree_reason());
    NextAction::run_workflow(words::LOCK_TREE, label, reason)
        .priority(Priority::Required)
        .because(finding)
}
