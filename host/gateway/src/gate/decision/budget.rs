//! Whether the budget has room for an action, at the most that it can cost.

use super::Decision;
use crate::budget::{Budget, DayBudget, Reserved};
use crate::catalogue::{Action, ActionKind};
use crate::words::ActionStatus;

/// What is counted: its unit, and its word in the configuration.
const COUNTED: [(&str, &str); 4] = [
    ("actions", "actions"),
    ("EXPLAIN ANALYZE", "explain_analyze"),
    ("ms of database time", "database_ms"),
    ("bytes of results", "bytes"),
];

/// The limits of an incident or a day; figures in the order of [`COUNTED`].
struct Span<'a> {
    /// `the incident` or `this database today`.
    whose: &'a str,
    /// The table of the configuration.
    table: &'a str,
    /// What was used, and the limit.
    used: [(u64, u64); 4],
    /// What to do when there is no room.
    then: &'a str,
}

impl Span<'_> {
    /// The first limit without room for what is added.
    fn blocked(&self, added: [u64; 4]) -> Option<Decision> {
        let Self {
            whose,
            table,
            used,
            then,
        } = self;
        let lines = COUNTED.into_iter().zip(used).zip(added);
        let reason = lines.into_iter().find_map(|(((unit, word), &(used, limit)), adds)| {
            // A limit that was lowered below what was used stops only what adds to it.
            if adds == 0 || used.saturating_add(adds) <= limit {
                return None;
            }
            Some(if used >= limit {
                format!("{whose} has used its {limit} {unit} ({used} of {limit}, `{table}.{word}`)")
            } else {
                format!("it may cost {adds} {unit}, and {whose} has {used} of {limit} used (`{table}.{word}`)")
            })
        })?;
        Some(Decision::new(
            ActionStatus::BlockedByBudget,
            format!("{reason}; {then}"),
        ))
    }
}

/// The first limit without room for `action`, the most lasting one first: an incident's budget never frees up, a day's does at midnight.
pub(super) fn blocked(action: &Action, reserved: Reserved, budget: &Budget) -> Option<Decision> {
    let analyzes = u64::from(action.kind == ActionKind::ExplainAnalyze);
    let added = [1, analyzes, reserved.database_ms, reserved.bytes];
    let incident = Span {
        whose: "the incident",
        table: "budget",
        used: [
            (budget.actions_used, budget.actions_limit),
            (budget.explain_analyze_used, budget.explain_analyze_limit),
            (budget.database_ms_used, budget.database_ms_limit),
            (budget.bytes_used, budget.bytes_limit),
        ],
        then: "that does not free up: hand over to a DBA",
    };
    incident
        .blocked(added)
        .or_else(|| blocked_today(added, budget.day.as_ref()?))
        .or_else(|| blocked_by_rate(budget))
}

fn blocked_today(added: [u64; 4], day: &DayBudget) -> Option<Decision> {
    let today = Span {
        whose: "this database today",
        table: "budget.day",
        used: [
            (day.actions_used, day.actions_limit),
            (day.explain_analyze_used, day.explain_analyze_limit),
            (day.database_ms_used, day.database_ms_limit),
            (day.bytes_used, day.bytes_limit),
        ],
        then: &format!("it frees up at {}, or hand over to a DBA", day.resets_at),
    };
    today.blocked(added)
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
