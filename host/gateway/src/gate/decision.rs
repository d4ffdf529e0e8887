//! Whether an action may run, as a pure function of what is known now.
//!
//! **In**: the action with its values, policy, budget, verdict. **Out**: a [`Decision`]. The same function fills a report's
//! `next_actions` and, with fresh inputs, decides at run time; a stored status is never read.

use crate::catalogue::{Action, ActionKind, BoundParameter};
use crate::config::Policy;
use crate::health::{Verdict, allows};
use crate::report::Budget;
use crate::words::{ActionStatus, Risk, VerdictLevel};

/// What is known of the database.
#[derive(Debug, Clone, Copy)]
pub enum Live<'a> {
    /// No database is configured, or none was asked.
    NoDatabase,
    /// A verdict was taken.
    Judged(&'a Verdict),
}

/// Everything that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The operator's rules.
    pub policy: &'a Policy,
    /// What the incident has used.
    pub budget: &'a Budget,
    /// The database.
    pub live: Live<'a>,
    /// Now, in microseconds.
    pub now_us: i64,
}

/// A decision with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub status: ActionStatus,
    /// Why, and for a refusal what would unblock it.
    pub reason: String,
}

impl Decision {
    fn new(status: ActionStatus, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
        }
    }

    /// Whether the action may run.
    pub fn is_allowed(&self) -> bool {
        self.status == ActionStatus::Allowed
    }
}

/// Decides on `action` with the values `bound`. The first rule that blocks is the answer, the most lasting rule first.
pub fn decide(action: &Action, bound: &[BoundParameter], now: &Circumstances<'_>) -> Decision {
    let risk = action.risk(bound);
    config(action, now.policy)
        .or_else(|| policy(risk, now.policy))
        .or_else(|| budget(now.budget))
        .or_else(|| verdict(action, risk, now))
        .unwrap_or_else(|| {
            Decision::new(
                ActionStatus::Allowed,
                "policy, budget and verdict allow it; all are checked again when it runs",
            )
        })
}

fn config(action: &Action, policy: &Policy) -> Option<Decision> {
    if policy.disabled_actions.contains(action.id.as_str()) {
        return Some(Decision::new(
            ActionStatus::BlockedByConfig,
            "the operator switched this action off (`policy.disabled_actions`)",
        ));
    }
    if action.kind == ActionKind::ExplainAnalyze && !policy.explain_analyze {
        return Some(Decision::new(
            ActionStatus::BlockedByConfig,
            "the operator switched EXPLAIN ANALYZE off (`policy.explain_analyze`)",
        ));
    }
    None
}

fn policy(risk: Risk, policy: &Policy) -> Option<Decision> {
    if risk == Risk::RequiresHumanApproval {
        return Some(Decision::new(
            ActionStatus::BlockedByPolicy,
            "it needs a person's signed approval; ask a DBA to run it",
        ));
    }
    if risk > policy.max_risk {
        return Some(Decision::new(
            ActionStatus::BlockedByPolicy,
            format!(
                "its risk is `{risk}` and the policy allows up to `{}` (`policy.max_risk`)",
                policy.max_risk
            ),
        ));
    }
    None
}

fn budget(budget: &Budget) -> Option<Decision> {
    let used_up = if budget.actions_used >= budget.actions_limit {
        format!("the incident has used its {} actions", budget.actions_limit)
    } else if budget.database_ms_used >= budget.database_ms_limit {
        format!(
            "the incident has used its {} ms of database time",
            budget.database_ms_limit
        )
    } else if budget.bytes_used >= budget.bytes_limit {
        format!("the incident has used its {} bytes of results", budget.bytes_limit)
    } else {
        return None;
    };
    Some(Decision::new(
        ActionStatus::BlockedByBudget,
        format!("{used_up}; hand over to a DBA, or start a new triage"),
    ))
}

fn verdict(action: &Action, risk: Risk, now: &Circumstances<'_>) -> Option<Decision> {
    let verdict = match now.live {
        Live::NoDatabase => {
            return Some(Decision::new(
                ActionStatus::BlockedByMode,
                "no database is configured; set PG_LOGSTATS_DATABASE_URL or name one with --database",
            ));
        }
        Live::Judged(verdict) => verdict,
    };
    let level = if verdict.is_fresh(now.now_us) {
        verdict.level
    } else {
        VerdictLevel::Unknown
    };
    if allows(level, risk, action.essential) {
        return None;
    }
    let unblock = match level {
        VerdictLevel::Unknown if level != verdict.level => {
            "the verdict is too old; it is taken again when the action runs"
        }
        VerdictLevel::Unknown => "see verdict_reasons for why it could not be judged",
        VerdictLevel::Saturated => "wait until the load falls; only essential reads may run",
        _ => "wait until the verdict is `clear`",
    };
    Some(Decision::new(
        ActionStatus::BlockedByVerdict,
        format!("the verdict is `{level}` and the action's risk is `{risk}`; {unblock}"),
    ))
}

#[cfg(test)]
mod tests;
