//! Whether an action may run, as a pure function of what is known now.
//!
//! **In**: the action with its values, policy, budget, verdict. **Out**: a [`Decision`]. The same function fills a report's
//! `next_actions` and `policy check`, and, with fresh inputs, decides at run time; a stored status is never read.

mod budget;

use std::sync::Arc;

use crate::budget::{Budget, Reserved};
use crate::catalogue::{Action, ActionKind, BoundParameter};
use crate::gate::Permit;
use crate::health::{Verdict, allows};
use crate::policy::{Openness, Policy, openness};
use crate::time::rfc3339;
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
    /// What was used.
    pub budget: &'a Budget,
    /// The database.
    pub live: Live<'a>,
    /// The role that the connection logs in as; none without a database.
    pub login_role: Option<&'a str>,
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
    /// A person's approval is what is missing; nothing else of the policy stands in the way.
    pub needs_approval: bool,
}

impl Decision {
    fn new(status: ActionStatus, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
            needs_approval: false,
        }
    }

    /// Whether the action may run.
    pub fn is_allowed(&self) -> bool {
        self.status == ActionStatus::Allowed
    }
}

/// Decides on `action` with the values `bound`, and a person's approval where there is one. The first rule that blocks is the answer,
/// the most lasting rule first.
pub fn decide(
    action: &Arc<Action>,
    bound: &[BoundParameter],
    permit: Option<&Permit>,
    now: &Circumstances<'_>,
) -> Decision {
    let risk = action.risk(bound);
    let level = match now.live {
        Live::NoDatabase => VerdictLevel::Unknown,
        Live::Judged(verdict) => verdict.level,
    };
    let is_approved = permit.is_some_and(|it| it.covers(action, bound, now.now_us));
    blocked_by_rules(action, risk, is_approved, level, now)
        .or_else(|| verdict(action, risk_of_run(risk), now))
        .unwrap_or_else(|| {
            Decision::new(
                ActionStatus::Allowed,
                "policy, budget and verdict allow it; all are checked again when it runs",
            )
        })
}

/// What of the rules blocks an action of that risk, whatever the verdict; `level` tells which timeouts it would run with, `is_approved`
/// whether a person has approved this run.
pub fn blocked_by_rules(
    action: &Arc<Action>,
    risk: Risk,
    is_approved: bool,
    level: VerdictLevel,
    now: &Circumstances<'_>,
) -> Option<Decision> {
    config(action, now.policy)
        .or_else(|| policy(risk_of_run(risk), now))
        .or_else(|| approval(action, risk, is_approved, now.policy))
        .or_else(|| {
            let reserved = Reserved::of(&now.policy.capped(action).caps, level);
            budget::blocked(action, reserved, now.budget)
        })
}

fn config(action: &Action, policy: &Policy) -> Option<Decision> {
    let blocked = |reason: &str| Some(Decision::new(ActionStatus::BlockedByConfig, reason));
    if policy.disabled_actions.contains(action.id.as_str()) {
        return blocked("the operator switched this action off (`policy.disabled_actions`)");
    }
    if policy
        .enabled_actions
        .as_ref()
        .is_some_and(|enabled| !enabled.contains(action.id.as_str()))
    {
        return blocked("it is not among the actions that the operator switched on (`policy.enabled_actions`)");
    }
    if action.kind == ActionKind::ExplainAnalyze && !policy.explain_analyze {
        return blocked("the operator switched EXPLAIN ANALYZE off (`policy.explain_analyze`)");
    }
    None
}

/// What a person has to approve is otherwise a bounded action: an approval lifts no other rule.
pub(crate) fn risk_of_run(risk: Risk) -> Risk {
    match risk {
        Risk::RequiresHumanApproval => Risk::Bounded,
        other => other,
    }
}

fn approval(action: &Action, risk: Risk, is_approved: bool, policy: &Policy) -> Option<Decision> {
    if is_approved || !policy.needs_approval(action, risk) {
        return None;
    }
    let mut decision = Decision::new(
        ActionStatus::BlockedByPolicy,
        "it needs a person's signed approval: run the command, give the refusal that it prints to a DBA for `pg-logstats approve`, then \
         run the command again with `--approval` and the id that he gives you",
    );
    decision.needs_approval = true;
    Some(decision)
}

fn policy(risk: Risk, now: &Circumstances<'_>) -> Option<Decision> {
    let blocked = |reason: String| Some(Decision::new(ActionStatus::BlockedByPolicy, reason));
    let policy = now.policy;
    if risk > policy.max_risk {
        return blocked(format!(
            "its risk is `{risk}` and the policy allows up to `{}` (`policy.max_risk`)",
            policy.max_risk
        ));
    }
    if let (Some(required), Some(role)) = (policy.role.as_deref(), now.login_role)
        && required != role
    {
        return blocked(
            "the connection logs in as another role than the policy requires (`policy.role`); `pg-logstats policy check` shows which"
                .to_owned(),
        );
    }
    let hours = || {
        let written: Vec<String> = policy.hours.iter().map(ToString::to_string).collect();
        written.join("; and ")
    };
    match openness(&policy.hours, now.now_us) {
        Openness::Open => None,
        Openness::OpensAt(at_us) => blocked(format!(
            "it is outside the hours of the policy, {} (`policy.hours`); they open at {}",
            hours(),
            rfc3339(at_us)
        )),
        Openness::Never => blocked(format!(
            "the hours of the policy never open: {} (`policy.hours`)",
            hours()
        )),
    }
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
