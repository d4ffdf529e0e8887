//! The operator's configuration file.
//!
//! **In**: the text of `config.toml`. **Out**: [`Config`]. **Trusted**: yes, it is the operator's; yet it can make the rules stricter
//! only, never looser. **Can fail**: an unknown word, a looser value, a database that is named and not there; the error says
//! where, which, and what is allowed. A configuration that does not load stops the command: nothing runs under rules that were not
//! read.

mod raw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use pg_logstats_logs::Redaction;

use crate::agent::AgentConfig;
use crate::budget::BudgetLimits;
use crate::catalogue::Catalogue;
use crate::health::Thresholds;
use crate::policy::Policy;
use crate::signer::SignerConfig;

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
        /// Which line and field, and what is allowed.
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
    /// What holds for all databases, and for those that are not in the configuration.
    pub rules: Rules,
    /// Health thresholds, as strict as the defaults or stricter.
    pub thresholds: Thresholds,
    /// What agents may name.
    pub agent: AgentConfig,
    /// Who holds the audit log's key, and where its checkpoints go.
    pub audit: AuditConfig,
    /// What texts of logs are kept; none when the configuration does not say.
    pub redaction: Option<Redaction>,
}

/// The audit log of the operator's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditConfig {
    /// Who signs; the key file of the workspace when none.
    pub signer: Option<SignerConfig>,
    /// Who signed before, for the rotation from one external signer to the next.
    pub previous_signer: Option<SignerConfig>,
    /// Where each new checkpoint goes.
    pub export: CheckpointExport,
}

/// Where each new checkpoint goes, out of reach of whoever could change the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointExport {
    /// Appended to this file.
    pub file: Option<PathBuf>,
    /// As one line, to the system's log behind this socket, `/dev/log` for example.
    pub syslog: Option<PathBuf>,
    /// To the standard input of this program.
    pub command: Option<Vec<String>>,
}

/// What holds for actions on a database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// What may run.
    pub policy: Policy,
    /// How much.
    pub budget: BudgetLimits,
}

impl Rules {
    /// Both at once: of each word the stricter one.
    ///
    /// # Errors
    /// When nothing could ever run under both.
    pub fn and(&self, other: &Self) -> Result<Self, String> {
        Ok(Self {
            policy: self.policy.and(&other.policy)?,
            budget: self.budget.and(other.budget),
        })
    }
}

/// One database.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// Connection URL or keyword string. May hold a password: never shown.
    pub url: String,
    /// Whether a login role that is a superuser or can write is accepted.
    pub allow_privileged_role: bool,
    /// Its own rules together with those for all.
    pub rules: Rules,
}

impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("allow_privileged_role", &self.allow_privileged_role)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Reads the configuration `text` of `file`.
    ///
    /// # Errors
    /// When a word is unknown or a value would make a rule looser.
    pub fn parse(file: &str, text: &str, catalogue: &Catalogue) -> Result<Self, ConfigError> {
        let raw: raw::RawConfig = toml::from_str(text).map_err(|e| ConfigError::Syntax {
            file: file.to_owned(),
            cause: without_source(&e, text),
        })?;
        raw.check(catalogue).map_err(|problem| ConfigError::Value {
            file: file.to_owned(),
            problem: match problem.at {
                Some(at) => format!("line {}: {}", line_of(text, at), without_dsn(problem.what)),
                None => without_dsn(problem.what),
            },
        })
    }

    /// This configuration under that of the operator too: nothing but stricter. Whoever names a configuration may make the operator's
    /// rules stricter, and must not get rid of them by it. What the operator says about the audit log is the last word.
    ///
    /// # Errors
    /// When nothing could run under both.
    pub fn under(mut self, operators: &Self) -> Result<Self, ConfigError> {
        let failed = |problem: String| ConfigError::Value {
            file: "the operator's together with the named one".to_owned(),
            problem,
        };
        self.rules = self.rules.and(&operators.rules).map_err(failed)?;
        for database in self.databases.values_mut() {
            database.rules = database.rules.and(&operators.rules).map_err(failed)?;
        }
        self.thresholds = self.thresholds.and(&operators.thresholds);
        self.redaction = match (self.redaction, &operators.redaction) {
            (Some(named), Some(operators)) => Some(named.and(operators)),
            (named, operators) => named.or_else(|| operators.clone()),
        };
        if operators.audit != AuditConfig::default() {
            self.audit.clone_from(&operators.audit);
        }
        Ok(self)
    }

    /// What texts of logs are kept.
    pub fn redaction(&self) -> Redaction {
        self.redaction.clone().unwrap_or_default()
    }

    /// The database `name`, or the default one when none is named, with its name; none when there is neither.
    ///
    /// # Errors
    /// When `name` is not in the configuration.
    pub fn database(&self, name: Option<&str>) -> Result<Option<(&str, &DatabaseConfig)>, ConfigError> {
        let Some(name) = name.or(self.default_database.as_deref()) else {
            return Ok(None);
        };
        self.databases
            .get_key_value(name)
            .map(|(name, database)| Some((name.as_str(), database)))
            .ok_or_else(|| ConfigError::UnknownDatabase {
                name: crate::untrusted::escape_control(name).into_owned(),
                known: crate::listed(self.databases.keys()),
            })
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// The error with its line, and without the source that toml shows with it, and the value that serde does: either may hold a password.
pub(crate) fn without_source(error: &toml::de::Error, text: &str) -> String {
    let message = without_values(error.message());
    match error.span() {
        Some(span) => format!("line {}: {message}", line_of(text, span.start)),
        None => message,
    }
}

/// A message of ours, cut where it quotes what may be a DSN.
fn without_dsn(message: String) -> String {
    let found = ["://", "password="].iter().filter_map(|sign| message.find(sign)).min();
    let quoted = found.and_then(|at| message.get(..at)?.rfind('`'));
    match quoted.and_then(|at| message.get(..at)) {
        Some(before) => format!("{before}`…`"),
        None => message,
    }
}

/// Longest name that is shown where it was not known.
const MAX_SHOWN_NAME: usize = 40;

/// A message of serde's, such as ``invalid type: string "…", expected a map``, without what it found, but for names.
fn without_values(message: &str) -> String {
    let (found, expected) = match message.rsplit_once(", expected ") {
        Some((found, expected)) => (found, format!(", expected {expected}")),
        None => (message, String::new()),
    };
    for invalid in ["invalid type: ", "invalid value: "] {
        if let Some(found) = found.strip_prefix(invalid) {
            let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
            return format!("{invalid}{kind}{expected}");
        }
    }
    // What stands between the first and the last quote is what was written there.
    let quotes: Vec<usize> = found.match_indices(['"', '`']).map(|(at, _)| at).collect();
    let (Some(first), Some(last)) = (quotes.first(), quotes.last()) else {
        return message.to_owned();
    };
    let name = found.get(first + 1..*last).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.is_empty() && name.len() <= MAX_SHOWN_NAME && name.chars().all(is_plain) {
        return message.to_owned();
    }
    let before = found.get(..*first).unwrap_or_default();
    let after = found.get(last + 1..).unwrap_or_default();
    format!("{before}`…`{after}{expected}")
}
