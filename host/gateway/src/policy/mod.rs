//! The operator's rules for what may run, for all databases or for one.
//!
//! **In**: `[policy]` and `[databases.NAME.policy]` of the configuration, checked by [`crate::config`]. **Out**: one [`Policy`] for each
//! database. **Trusted**: the operator, to be stricter than the catalogue; no word here can allow what the defaults do not.
//! **Can fail**: two policies that leave nothing open together.

mod caps;
mod hours;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use caps::CapLimits;
pub use hours::{Hours, Openness, openness};

use crate::catalogue::Action;
use crate::db::MAX_EXPLAIN_ANALYZE_COST;
use crate::words::Risk;

/// What may run.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The highest risk that may run: `safe` or `bounded`.
    pub max_risk: Risk,
    /// The only actions that may run; none: all of the catalogue.
    pub enabled_actions: Option<BTreeSet<String>>,
    /// Catalogue actions that are switched off.
    pub disabled_actions: BTreeSet<String>,
    /// Actions that run only with a person's signed approval.
    pub require_approval: BTreeSet<String>,
    /// Whether EXPLAIN ANALYZE may run.
    pub explain_analyze: bool,
    /// Highest estimated cost of a statement that EXPLAIN ANALYZE may run, in the planner's units; the default is also the most.
    pub explain_analyze_max_cost: f64,
    /// The login role that has to be used; none: any that passes the checks of every role.
    pub role: Option<String>,
    /// When actions may run: all of them have to be open.
    pub hours: Vec<Hours>,
    /// Caps of every action.
    pub caps: CapLimits,
    /// Caps of single actions.
    pub action_caps: BTreeMap<String, CapLimits>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_risk: Risk::Bounded,
            enabled_actions: None,
            disabled_actions: BTreeSet::new(),
            require_approval: BTreeSet::new(),
            explain_analyze: true,
            explain_analyze_max_cost: MAX_EXPLAIN_ANALYZE_COST,
            role: None,
            hours: Vec::new(),
            caps: CapLimits::default(),
            action_caps: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Both policies at once: of each word the stricter one.
    ///
    /// # Errors
    /// When nothing could ever run under both.
    pub fn and(&self, other: &Self) -> Result<Self, String> {
        let role = match (&self.role, &other.role) {
            (Some(one), Some(two)) if one != two => {
                return Err(format!(
                    "`role` is `{}` here and `{}` in `[policy]`; a connection has one",
                    two.escape_debug(),
                    one.escape_debug()
                ));
            }
            (one, two) => two.clone().or_else(|| one.clone()),
        };
        let hours: Vec<Hours> = self.hours.iter().chain(&other.hours).cloned().collect();
        if openness(&hours, 0) == Openness::Never {
            return Err("`hours` are never open together with those of `[policy]`".to_owned());
        }
        let enabled_actions = match (&self.enabled_actions, &other.enabled_actions) {
            (Some(one), Some(two)) => Some(one & two),
            (one, two) => one.clone().or_else(|| two.clone()),
        };
        let mut action_caps = self.action_caps.clone();
        for (id, caps) in &other.action_caps {
            let merged = action_caps.get(id).copied().unwrap_or_default().and(*caps);
            action_caps.insert(id.clone(), merged);
        }
        Ok(Self {
            max_risk: self.max_risk.min(other.max_risk),
            enabled_actions,
            disabled_actions: &self.disabled_actions | &other.disabled_actions,
            require_approval: &self.require_approval | &other.require_approval,
            explain_analyze: self.explain_analyze && other.explain_analyze,
            explain_analyze_max_cost: self.explain_analyze_max_cost.min(other.explain_analyze_max_cost),
            role,
            hours,
            caps: self.caps.and(other.caps),
            action_caps,
        })
    }

    /// Whether `action` with that risk runs only with a person's signed approval.
    pub fn needs_approval(&self, action: &Action, risk: Risk) -> bool {
        risk == Risk::RequiresHumanApproval || self.require_approval.contains(&action.id)
    }

    /// The action with this policy's caps, which is what runs.
    pub fn capped(&self, action: &Arc<Action>) -> Arc<Action> {
        let limits = self
            .action_caps
            .get(&action.id)
            .copied()
            .unwrap_or_default()
            .and(self.caps);
        if limits == CapLimits::default() {
            return Arc::clone(action);
        }
        let mut capped = Action::clone(action);
        limits.apply(&mut capped.caps);
        Arc::new(capped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn of_two_policies_the_stricter_word_holds_whichever_comes_first() {
        let caps = CapLimits {
            max_rows: Some(5),
            ..CapLimits::default()
        };
        let daily = Hours::parse("UTC", &["daily 08:00-18:00".to_owned()]).unwrap();
        let strict = Policy {
            max_risk: Risk::Safe,
            enabled_actions: Some(set(&["a", "b"])),
            disabled_actions: set(&["c"]),
            require_approval: set(&["f"]),
            explain_analyze: false,
            explain_analyze_max_cost: 10.0,
            role: Some("triage".to_owned()),
            hours: vec![daily],
            caps,
            action_caps: [("a".to_owned(), caps)].into(),
        };
        assert_eq!(Policy::default().and(&strict).unwrap(), strict);
        assert_eq!(strict.and(&Policy::default()).unwrap(), strict);
        let other = Policy {
            enabled_actions: Some(set(&["b", "d"])),
            disabled_actions: set(&["e"]),
            require_approval: set(&["g"]),
            ..Policy::default()
        };
        let both = strict.and(&other).unwrap();
        assert_eq!(both.enabled_actions, Some(set(&["b"])));
        assert_eq!(both.disabled_actions, set(&["c", "e"]));
        assert_eq!(both.require_approval, set(&["f", "g"]));
        let role = Policy {
            role: Some("other".to_owned()),
            ..Policy::default()
        };
        assert!(strict.and(&role).unwrap_err().contains("a connection has one"));
        let night = Policy {
            hours: vec![Hours::parse("UTC", &["daily 20:00-22:00".to_owned()]).unwrap()],
            ..Policy::default()
        };
        assert!(strict.and(&night).unwrap_err().contains("never open together"));
    }

    #[test]
    fn caps_lower_and_never_raise_what_the_catalogue_has() {
        let action = Catalogue::builtin().unwrap().get("query_family.explain").unwrap();
        let policy = Policy {
            caps: CapLimits {
                statement_timeout_ms: Some(700),
                max_bytes: Some(u64::MAX),
                ..CapLimits::default()
            },
            action_caps: [(
                action.id.clone(),
                CapLimits {
                    lock_timeout_ms: Some(50),
                    ..CapLimits::default()
                },
            )]
            .into(),
            ..Policy::default()
        };
        let capped = policy.capped(action);
        assert_eq!(capped.caps.statement_timeout_ms, 700);
        assert_eq!(capped.caps.saturated.statement_timeout_ms, 700, "1000 in the catalogue");
        assert_eq!(capped.caps.lock_timeout_ms, 50);
        assert_eq!(capped.caps.saturated.lock_timeout_ms, 50);
        assert_eq!(capped.caps.max_bytes, action.caps.max_bytes);
        let other = Catalogue::builtin().unwrap().get("temp_file.explain").unwrap();
        assert_eq!(policy.capped(other).caps.lock_timeout_ms, other.caps.lock_timeout_ms);
    }
}
