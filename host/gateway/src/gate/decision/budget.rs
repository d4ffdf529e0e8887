//! Whether the budget has room for an action, at the most that it can cost.

use super::Decision;
use crate::budget::{Budget, Reserved};
use crate::catalogue::{Action, ActionKind};
use crate::words::ActionStatus;

/// One limit, what was used of it, and what the action adds at most.
struct Line<'a> {
    /// `the incident` or `this database today`.
    whose: &'a str,
    unit: &'a str,
    /// As the configuration writes it.
    word: &'a str,
    used: u64,
    limit: u64,
    adds: u64,
    /// What to do when there is no room.
    then: &'a str,
}

impl Line<'_> {
    fn blocked(&self) -> Option<Decision> {
        let Self {
            whose,
            unit,
            word,
            used,
            limit,
            adds,
            then,
        } = *self;
        // A limit that was lowered below what was used stops only what adds to it.
        if adds == 0 || used.saturating_add(adds) <= limit {
            return None;
        }
        let what = if used >= limit {
            format!("{whose} has used its {limit} {unit} ({used} of {limit}, `{word}`)")
        } else {
            format!("it may cost {adds} {unit}, and {whose} has {used} of {limit} used (`{word}`)")
        };
        Some(Decision::new(ActionStatus::BlockedByBudget, format!("{what}; {then}")))
    }
}

/// The first limit without room for `action`, the most lasting one first: an incident's budget never frees up, a day's does at midnight.
pub(super) fn blocked(action: &Action, reserved: Reserved, budget: &Budget) -> Option<Decision> {
    let analyzes = u64::from(action.kind == ActionKind::ExplainAnalyze);
    let incident = |unit, word, used, limit, adds| Line {
        whose: "the incident",
        unit,
        word,
        used,
        limit,
        adds,
        then: "that does not free up: hand over to a DBA",
    };
    [
        incident(
            "actions",
            "budget.actions",
            budget.actions_used,
            budget.actions_limit,
            1,
        ),
        incident(
            "EXPLAIN ANALYZE",
            "budget.explain_analyze",
            budget.explain_analyze_used,
            budget.explain_analyze_limit,
            analyzes,
        ),
        incident(
            "ms of database time",
            "budget.database_ms",
            budget.database_ms_used,
            budget.database_ms_limit,
            reserved.database_ms,
        ),
        incident(
            "bytes of results",
            "budget.bytes",
            budget.bytes_used,
            budget.bytes_limit,
            reserved.bytes,
        ),
    ]
    .iter()
    .find_map(Line::blocked)
    .or_else(|| blocked_today(analyzes, reserved, budget))
    .or_else(|| blocked_by_rate(budget))
}

fn blocked_today(analyzes: u64, reserved: Reserved, budget: &Budget) -> Option<Decision> {
    let day = budget.day.as_ref()?;
    let then = format!("it frees up at {}, or hand over to a DBA", day.resets_at);
    let today = |unit, word, used, limit, adds| Line {
        whose: "this database today",
        unit,
        word,
        used,
        limit,
        adds,
        then: &then,
    };
    [
        today("actions", "budget.day.actions", day.actions_used, day.actions_limit, 1),
        today(
            "EXPLAIN ANALYZE",
            "budget.day.explain_analyze",
            day.explain_analyze_used,
            day.explain_analyze_limit,
            analyzes,
        ),
        today(
            "ms of database time",
            "budget.day.database_ms",
            day.database_ms_used,
            day.database_ms_limit,
            reserved.database_ms,
        ),
        today(
            "bytes of results",
            "budget.day.bytes",
            day.bytes_used,
            day.bytes_limit,
            reserved.bytes,
        ),
    ]
    .iter()
    .find_map(Line::blocked)
}

fn blocked_by_rate(budget: &Budget) -> Option<Decision> {
    let rate = budget.rate.as_ref()?;
    let (used, limit) = (rate.actions_last_minute, rate.actions_per_minute_limit);
    if used < limit {
        return None;
    }
    let then = match &rate.frees_up_at {
        Some(at) => format!("the next one may begin at {at}"),
        None => "hand over to a DBA".to_owned(),
    };
    Some(Decision::new(
        ActionStatus::BlockedByBudget,
        format!(
            "{used} of {limit} actions on this database began within the last minute (`budget.actions_per_minute`); {then}"
        ),
    ))
}
