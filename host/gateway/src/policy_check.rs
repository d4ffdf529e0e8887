//! `policy check`: what each action of the catalogue would do under the operator's rules, and why. No connection is made.
//!
//! **In**: the name of a database of the configuration. **Out**: [`PolicyCheck`]. The answers come from the functions that decide when an
//! action runs (`gate/decision.rs`); only the verdict is left open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budget::{Budget, Reserved};
use crate::catalogue::{Action, BoundParameter, BoundValue};
use crate::error::GatewayError;
use crate::gate::{Circumstances, Live, blocked_by_rules, risk_of_run};
use crate::gateway::{ChosenDatabase, Gateway};
use crate::health::allows;
use crate::policy::{Hours, Openness, Policy, openness};
use crate::redaction::RedactionCheck;
use crate::report::SCHEMA_VERSION;
use crate::request::PolicyCheckRequest;
use crate::time::rfc3339;
use crate::words::{ActionClass, ActionStatus, Risk, VerdictLevel};

/// What may run, and why not the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyCheck {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Whether these are the rules of agent mode.
    pub agent_mode: bool,
    /// Host, port, database and login role of the connection; no secret. None: no database is configured.
    pub database: Option<String>,
    /// SHA-256 of the rules, in hex, as intent records have it.
    pub policy_digest: String,
    /// What is kept of logs.
    pub redaction: RedactionCheck,
    /// The login role that the policy requires.
    pub required_role: Option<String>,
    /// Whether the connection logs in as that role; none when no role is required.
    pub role_matches: Option<bool>,
    /// When actions may run; none: always.
    pub hours: Option<HoursCheck>,
    /// What a new incident may use, and what is used of the database today and within the last minute.
    pub budget: Budget,
    /// Folders that agents may read logs in; only in agent mode.
    pub log_folders: Vec<String>,
    /// Folders that agents may make evidence files in; only in agent mode.
    pub output_folders: Vec<String>,
    /// All of the catalogue, by id.
    pub actions: Vec<ActionCheck>,
}

/// The hours of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursCheck {
    /// As the operator wrote them; all of them have to be open.
    pub windows: Vec<String>,
    /// Whether they are.
    pub open: bool,
    /// When they will be, RFC 3339; none when they are.
    pub opens_at: Option<String>,
}

/// What one action would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionCheck {
    /// The catalogue action.
    pub target_id: String,
    /// A few words.
    pub title: String,
    /// What it reads.
    pub action_class: ActionClass,
    /// `allowed`, or what blocks it whatever the verdict.
    pub status: ActionStatus,
    /// Why, and what would unblock it.
    pub status_reason: String,
    /// Its risk, at most.
    pub risk: Risk,
    /// The worst verdict under which it runs; none when it is blocked.
    pub allowed_up_to: Option<VerdictLevel>,
    /// The same when every parameter that lowers the risk is bound; none when no parameter does.
    pub narrowed: Option<NarrowedCheck>,
    /// Its caps with those of the policy.
    pub caps: CapsView,
}

/// An action with the parameters that lower its risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NarrowedCheck {
    /// The risk then.
    pub risk: Risk,
    /// As [`ActionCheck::status`].
    pub status: ActionStatus,
    /// As [`ActionCheck::allowed_up_to`].
    pub allowed_up_to: Option<VerdictLevel>,
}

/// Caps that are in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapsView {
    /// Most rows.
    pub max_rows: u32,
    /// Most bytes of all rows, or of the plan.
    pub max_bytes: u64,
    /// `statement_timeout`.
    pub statement_timeout_ms: u32,
    /// `lock_timeout`.
    pub lock_timeout_ms: u32,
    /// Milliseconds of database time that it may cost at most, which count until its outcome is known.
    pub reserved_database_ms: u64,
}

impl Gateway {
    /// Says what may run on a database of the configuration.
    ///
    /// # Errors
    /// When there is no such database, or the audit log cannot be counted.
    pub fn policy_check(&self, request: &PolicyCheckRequest) -> Result<PolicyCheck, GatewayError> {
        let database = self.database(&request.database)?;
        let database = database.as_ref();
        let budget = self.budget(&self.tally()?, None, database);
        let rules = self.rules(database);
        let now = self.circumstances(database, &budget, Live::NoDatabase);
        let folders = |folders: &[std::path::PathBuf]| match self.is_agent() {
            true => folders.iter().map(|f| f.display().to_string()).collect(),
            false => Vec::new(),
        };
        Ok(PolicyCheck {
            schema_version: SCHEMA_VERSION,
            created_at: rfc3339(now.now_us),
            agent_mode: self.is_agent(),
            database: database.map(|chosen| chosen.target.to_string()),
            policy_digest: self.policy_digest(rules),
            redaction: (&self.config.redaction()).into(),
            required_role: rules.policy.role.clone(),
            role_matches: role_matches(&rules.policy, database),
            hours: hours(&rules.policy.hours, now.now_us),
            log_folders: folders(&self.config.agent.log_folders),
            output_folders: folders(&self.config.agent.output_folders),
            actions: self.catalogue.iter().map(|action| check(action, &now)).collect(),
            budget: budget.clone(),
        })
    }
}

fn role_matches(policy: &Policy, database: Option<&ChosenDatabase>) -> Option<bool> {
    let required = policy.role.as_deref()?;
    Some(database?.target.user() == required)
}

fn hours(hours: &[Hours], now_us: i64) -> Option<HoursCheck> {
    if hours.is_empty() {
        return None;
    }
    let openness = openness(hours, now_us);
    Some(HoursCheck {
        windows: hours.iter().map(ToString::to_string).collect(),
        open: openness == Openness::Open,
        opens_at: match openness {
            Openness::OpensAt(at_us) => Some(rfc3339(at_us)),
            Openness::Open | Openness::Never => None,
        },
    })
}

fn check(action: &std::sync::Arc<Action>, now: &Circumstances<'_>) -> ActionCheck {
    let (status, status_reason, allowed_up_to) = at_risk(action, action.highest_risk(), now);
    let lowest = action.risk(&all_bound(action));
    let narrowed = (lowest != action.highest_risk()).then(|| {
        let (status, _, allowed_up_to) = at_risk(action, lowest, now);
        NarrowedCheck {
            risk: lowest,
            status,
            allowed_up_to,
        }
    });
    let caps = &now.policy.capped(action).caps;
    ActionCheck {
        target_id: action.id.clone(),
        title: action.title.clone(),
        action_class: action.class,
        status,
        status_reason,
        risk: action.highest_risk(),
        allowed_up_to,
        narrowed,
        caps: CapsView {
            max_rows: caps.max_rows,
            max_bytes: caps.max_bytes,
            statement_timeout_ms: caps.statement_timeout_ms,
            lock_timeout_ms: caps.lock_timeout_ms,
            reserved_database_ms: Reserved::of(caps, VerdictLevel::Clear).database_ms,
        },
    }
}

/// Under which verdict at worst the action would run with that risk.
fn at_risk(
    action: &std::sync::Arc<Action>,
    risk: Risk,
    now: &Circumstances<'_>,
) -> (ActionStatus, String, Option<VerdictLevel>) {
    if let Some(blocked) = blocked_by_rules(action, risk, false, VerdictLevel::Clear, now) {
        return (blocked.status, blocked.reason, None);
    }
    let worst = [VerdictLevel::Saturated, VerdictLevel::Busy, VerdictLevel::Clear]
        .into_iter()
        .find(|level| allows(*level, risk_of_run(risk), action.essential));
    match worst {
        Some(level) => (
            ActionStatus::Allowed,
            format!("policy and budget allow it, while the verdict is `{level}` or better"),
            Some(level),
        ),
        None => (
            ActionStatus::BlockedByVerdict,
            format!("no verdict allows an action whose risk is `{risk}`"),
            None,
        ),
    }
}

/// Every parameter bound to something: only their names matter for the risk.
fn all_bound(action: &Action) -> Vec<BoundParameter> {
    let bound = |name: &String| BoundParameter {
        name: name.clone(),
        value: BoundValue::Text { value: String::new() },
    };
    action.parameters.iter().map(|p| bound(&p.name)).collect()
}
