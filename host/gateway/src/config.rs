//! The operator's configuration file.
//!
//! **In**: the text of `config.toml`. **Out**: [`Config`]. **Trusted**: yes, it is the operator's; yet it can make the rules stricter
//! only, never looser. **Can fail**: an unknown word, a looser value, a database that is named and not there; the error says
//! which and what is allowed. A configuration that does not load stops the command: nothing runs under rules that were not read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::catalogue::Catalogue;
use crate::db::MAX_EXPLAIN_ANALYZE_COST;
use crate::health::{HealthConfig, Thresholds};
use crate::words::Risk;

/// Why the configuration does not load; the operator is to blame.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or a word that this version does not know.
    #[error("configuration `{file}` does not load: {cause}")]
    Syntax {
        /// The file.
        file: String,
        /// Line, column and reason.
        cause: String,
    },
    /// A value that would make a rule looser, or makes no sense.
    #[error("configuration `{file}`: {problem}")]
    Value {
        /// The file.
        file: String,
        /// Which field, and what is allowed.
        problem: String,
    },
    /// `--database` names none of them.
    #[error("no database `{name}` in the configuration; it has: {known}")]
    UnknownDatabase {
        /// As typed.
        name: String,
        /// The names that there are.
        known: String,
    },
}

/// The configuration, checked.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Used when no database is named.
    pub default_database: Option<String>,
    /// By name.
    pub databases: BTreeMap<String, DatabaseConfig>,
    /// What may run.
    pub policy: Policy,
    /// What an incident may use.
    pub budget: BudgetLimits,
    /// Health thresholds, as strict as the defaults or stricter.
    pub thresholds: Thresholds,
}

/// One database.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Connection URL or keyword string. May hold a password: never shown.
    pub url: String,
    /// Whether a login role that is a superuser or can write is accepted.
    #[serde(default)]
    pub allow_privileged_role: bool,
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("allow_privileged_role", &self.allow_privileged_role)
            .finish_non_exhaustive()
    }
}

/// What may run at all.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The highest risk that may run: `safe` or `bounded`.
    pub max_risk: Risk,
    /// Catalogue actions that are switched off.
    pub disabled_actions: BTreeSet<String>,
    /// Whether EXPLAIN ANALYZE may run.
    pub explain_analyze: bool,
    /// Highest estimated cost of a statement that EXPLAIN ANALYZE may run, in the planner's units; the default is also the most.
    pub explain_analyze_max_cost: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_risk: Risk::Bounded,
            disabled_actions: BTreeSet::new(),
            explain_analyze: true,
            explain_analyze_max_cost: MAX_EXPLAIN_ANALYZE_COST,
        }
    }
}

/// What one incident may use; the defaults are also the most that a configuration may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetLimits {
    /// Actions, failed ones included.
    pub actions: u64,
    /// Milliseconds that statements took.
    pub database_ms: u64,
    /// Bytes of results.
    pub bytes: u64,
}

impl Default for BudgetLimits {
    fn default() -> Self {
        // About an hour's diligent work of a person on one incident; the statements' time is what one of them may cost at most, twice.
        Self {
            actions: 60,
            database_ms: 120_000,
            bytes: 8 << 20,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    default_database: Option<String>,
    databases: BTreeMap<String, DatabaseConfig>,
    policy: Policy,
    budget: BudgetLimits,
    health: HealthConfig,
}

impl Config {
    /// Reads the configuration `text` of `file`.
    ///
    /// # Errors
    /// When a word is unknown or a value would make a rule looser.
    pub fn parse(file: &str, text: &str, catalogue: &Catalogue) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(|e| ConfigError::Syntax {
            file: file.to_owned(),
            cause: without_source(&e, text),
        })?;
        let value_error = |problem: String| ConfigError::Value {
            file: file.to_owned(),
            problem,
        };
        let thresholds = Thresholds::stricter(&raw.health).map_err(|e| value_error(e.to_string()))?;
        let config = Self {
            default_database: raw.default_database,
            databases: raw.databases,
            policy: raw.policy,
            budget: raw.budget,
            thresholds,
        };
        config.check(catalogue).map_err(value_error)?;
        Ok(config)
    }

    /// The database `name`, or the default one when none is named; none when there is neither.
    ///
    /// # Errors
    /// When `name` is not in the configuration.
    pub fn database(&self, name: Option<&str>) -> Result<Option<&DatabaseConfig>, ConfigError> {
        let Some(name) = name.or(self.default_database.as_deref()) else {
            return Ok(None);
        };
        self.databases
            .get(name)
            .map(Some)
            .ok_or_else(|| ConfigError::UnknownDatabase {
                name: name.to_owned(),
                known: match self.databases.len() {
                    0 => "none".to_owned(),
                    _ => self
                        .databases
                        .keys()
                        .map(|k| format!("`{k}`"))
                        .collect::<Vec<_>>()
                        .join(", "),
                },
            })
    }

    fn check(&self, catalogue: &Catalogue) -> Result<(), String> {
        if self.policy.max_risk > Risk::Bounded {
            return Err(format!(
                "`policy.max_risk` is `{}`; it may be `safe` or `bounded`",
                self.policy.max_risk
            ));
        }
        if let Some(unknown) = self
            .policy
            .disabled_actions
            .iter()
            .find(|id| catalogue.get(id).is_none())
        {
            return Err(format!(
                "`policy.disabled_actions` names `{unknown}`, which is no action of the catalogue"
            ));
        }
        if !(0.0..=MAX_EXPLAIN_ANALYZE_COST).contains(&self.policy.explain_analyze_max_cost) {
            return Err(format!(
                "`policy.explain_analyze_max_cost` may be 0 to {MAX_EXPLAIN_ANALYZE_COST}"
            ));
        }
        let most = BudgetLimits::default();
        for (field, value, most) in [
            ("actions", self.budget.actions, most.actions),
            ("database_ms", self.budget.database_ms, most.database_ms),
            ("bytes", self.budget.bytes, most.bytes),
        ] {
            if value > most {
                return Err(format!(
                    "`budget.{field}` is {value}; it may be lowered from {most}, not raised"
                ));
            }
        }
        if let Some(name) = self
            .default_database
            .as_ref()
            .filter(|name| !self.databases.contains_key(*name))
        {
            return Err(format!(
                "`default_database` is `{name}`, which `databases` does not have"
            ));
        }
        Ok(())
    }
}

/// The error without the line of source that toml shows with it: that line may hold a password.
fn without_source(error: &toml::de::Error, text: &str) -> String {
    let line = error
        .span()
        .map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    match line {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}
