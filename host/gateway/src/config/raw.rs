//! The configuration as it is written: every word that there is, and the check that none loosens a rule.
//!
//! **In**: deserialised TOML, in which an unknown word is an error. **Out**: [`Config`]. **Can fail**: with the place and the field.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use pg_logstats_logs::{Redaction, RedactionError, TextClass};
use serde::Deserialize;
use toml::Spanned;

use super::{AuditConfig, CheckpointExport, Config, DatabaseConfig, Rules};
use crate::agent::AgentConfig;
use crate::budget::{BudgetLimits, Limits};
use crate::catalogue::{Action, Caps, Catalogue};
use crate::db::MAX_EXPLAIN_ANALYZE_COST;
use crate::health::{HealthConfig, Thresholds};
use crate::listed;
use crate::policy::{CapLimits, Hours, Policy};
use crate::signer::{DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS, SignerConfig, Way};
use crate::words::Risk;

/// What is wrong, and where it begins in the text.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) at: Option<usize>,
    pub(super) what: String,
}

impl Problem {
    fn at<T>(spanned: &Spanned<T>, what: impl Into<String>) -> Self {
        Self {
            at: Some(spanned.span().start),
            what: what.into(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    default_database: Option<Spanned<String>>,
    databases: BTreeMap<String, RawDatabase>,
    policy: RawPolicy,
    budget: RawBudget,
    health: HealthConfig,
    agent: RawAgent,
    audit: RawAudit,
    redaction: RawRedaction,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDatabase {
    url: String,
    #[serde(default)]
    allow_privileged_role: bool,
    #[serde(default)]
    policy: Option<Spanned<RawPolicy>>,
    #[serde(default)]
    budget: RawBudget,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawPolicy {
    max_risk: Option<Spanned<Risk>>,
    enabled_actions: Option<Vec<Spanned<String>>>,
    disabled_actions: Vec<Spanned<String>>,
    require_approval: Vec<Spanned<String>>,
    explain_analyze: Option<bool>,
    explain_analyze_max_cost: Option<Spanned<f64>>,
    role: Option<Spanned<String>>,
    hours: Option<Spanned<RawHours>>,
    caps: RawCaps,
    action_caps: BTreeMap<Spanned<String>, RawCaps>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHours {
    time_zone: String,
    windows: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawCaps {
    max_rows: Option<Spanned<u32>>,
    max_bytes: Option<Spanned<u64>>,
    statement_timeout_ms: Option<Spanned<u32>>,
    lock_timeout_ms: Option<Spanned<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawBudget {
    actions: Option<Spanned<u64>>,
    database_ms: Option<Spanned<u64>>,
    bytes: Option<Spanned<u64>>,
    explain_analyze: Option<Spanned<u64>>,
    actions_per_minute: Option<Spanned<u64>>,
    day: RawLimits,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    actions: Option<Spanned<u64>>,
    database_ms: Option<Spanned<u64>>,
    bytes: Option<Spanned<u64>>,
    explain_analyze: Option<Spanned<u64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawAgent {
    workspace: Option<Spanned<PathBuf>>,
    log_folders: Vec<Spanned<PathBuf>>,
    output_folders: Vec<Spanned<PathBuf>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawRedaction {
    keep: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawAudit {
    signer: Option<Spanned<RawSigner>>,
    previous_signer: Option<Spanned<RawSigner>>,
    export: RawExport,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSigner {
    public_key: PathBuf,
    command: Option<Vec<String>>,
    socket: Option<PathBuf>,
    timeout_ms: Option<Spanned<u64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawExport {
    file: Option<Spanned<PathBuf>>,
    syslog: Option<Spanned<PathBuf>>,
    command: Option<Spanned<Vec<String>>>,
}

impl RawConfig {
    /// The configuration, if every value makes sense and none loosens a rule.
    pub(super) fn check(self, catalogue: &Catalogue) -> Result<Config, Problem> {
        let thresholds = Thresholds::stricter(&self.health).map_err(|e| Problem {
            at: None,
            what: e.to_string(),
        })?;
        let rules = Rules {
            policy: self.policy.check(catalogue)?,
            budget: self.budget.check()?,
        };
        let mut databases = BTreeMap::new();
        for (name, raw) in self.databases {
            let database = raw.check(&rules, catalogue)?;
            databases.insert(name, database);
        }
        if let Some(name) = self
            .default_database
            .as_ref()
            .filter(|name| !databases.contains_key(name.get_ref()))
        {
            return Err(Problem::at(
                name,
                format!(
                    "`default_database` is `{}`, which `databases` does not have; it has: {}",
                    name.get_ref(),
                    listed(databases.keys())
                ),
            ));
        }
        Ok(Config {
            default_database: self.default_database.map(Spanned::into_inner),
            databases,
            rules,
            thresholds,
            agent: self.agent.check()?,
            audit: self.audit.check()?,
            redaction: self.redaction.check()?,
        })
    }
}

impl RawRedaction {
    fn check(self) -> Result<Option<Redaction>, Problem> {
        let Some(words) = self.keep else { return Ok(None) };
        let mut kept = Vec::new();
        for word in words {
            let problem = |e: RedactionError| Problem::at(&word, format!("`redaction.keep`: {e}"));
            let class: TextClass = word.get_ref().parse().map_err(problem)?;
            Redaction::keeping([class]).map_err(problem)?;
            kept.push(class);
        }
        // Each was looked at.
        Ok(Redaction::keeping(kept).ok())
    }
}

impl RawDatabase {
    fn check(self, common: &Rules, catalogue: &Catalogue) -> Result<DatabaseConfig, Problem> {
        let policy = match self.policy {
            None => common.policy.clone(),
            Some(spanned) => {
                let at = Some(spanned.span().start);
                let own = spanned.into_inner().check(catalogue)?;
                common.policy.and(&own).map_err(|what| Problem { at, what })?
            }
        };
        Ok(DatabaseConfig {
            url: self.url,
            allow_privileged_role: self.allow_privileged_role,
            rules: Rules {
                policy,
                budget: common.budget.and(self.budget.check()?),
            },
        })
    }
}

impl RawPolicy {
    fn check(self, catalogue: &Catalogue) -> Result<Policy, Problem> {
        let default = Policy::default();
        if let Some(risk) = self.max_risk.as_ref().filter(|risk| *risk.get_ref() > default.max_risk) {
            return Err(Problem::at(
                risk,
                format!("`max_risk` is `{}`; it may be `safe` or `bounded`", risk.get_ref()),
            ));
        }
        if let Some(cost) = self
            .explain_analyze_max_cost
            .as_ref()
            .filter(|cost| !(0.0..=MAX_EXPLAIN_ANALYZE_COST).contains(cost.get_ref()))
        {
            return Err(Problem::at(
                cost,
                format!("`explain_analyze_max_cost` may be 0 to {MAX_EXPLAIN_ANALYZE_COST}"),
            ));
        }
        if let Some(role) = self.role.as_ref().filter(|role| role.get_ref().is_empty()) {
            return Err(Problem::at(
                role,
                "`role` is empty; name the login role, or leave it out",
            ));
        }
        let mut hours = Vec::new();
        if let Some(raw) = &self.hours {
            let written = raw.get_ref();
            let parsed = Hours::parse(&written.time_zone, &written.windows);
            hours.push(parsed.map_err(|what| Problem::at(raw, format!("`hours`: {what}")))?);
        }
        let mut action_caps = BTreeMap::new();
        for (id, caps) in &self.action_caps {
            let action = known(id, "action_caps", catalogue)?;
            let limits = caps.check(MostCaps::from(&action.caps), &format!("of `{}`", action.id))?;
            action_caps.insert(action.id.clone(), limits);
        }
        Ok(Policy {
            max_risk: self.max_risk.map_or(default.max_risk, Spanned::into_inner),
            enabled_actions: match &self.enabled_actions {
                Some(ids) => Some(known_set(ids, "enabled_actions", catalogue)?),
                None => None,
            },
            disabled_actions: known_set(&self.disabled_actions, "disabled_actions", catalogue)?,
            require_approval: known_set(&self.require_approval, "require_approval", catalogue)?,
            explain_analyze: self.explain_analyze.unwrap_or(default.explain_analyze),
            explain_analyze_max_cost: self
                .explain_analyze_max_cost
                .map_or(default.explain_analyze_max_cost, Spanned::into_inner),
            role: self.role.map(Spanned::into_inner),
            hours,
            caps: self.caps.check(highest(catalogue), "of any action")?,
            action_caps,
        })
    }
}

fn known<'c>(id: &Spanned<String>, word: &str, catalogue: &'c Catalogue) -> Result<&'c Action, Problem> {
    catalogue
        .get(id.get_ref())
        .map(|action| action.as_ref())
        .ok_or_else(|| {
            Problem::at(
                id,
                format!(
                    "`{word}` names `{}`, which is no action of the catalogue; it has: {}",
                    crate::untrusted::escape_control(id.get_ref()),
                    listed(catalogue.iter().map(|action| &action.id))
                ),
            )
        })
}

fn known_set(ids: &[Spanned<String>], word: &str, catalogue: &Catalogue) -> Result<BTreeSet<String>, Problem> {
    ids.iter()
        .map(|id| known(id, word, catalogue).map(|action| action.id.clone()))
        .collect()
}

/// The highest of each cap in the catalogue.
fn highest(catalogue: &Catalogue) -> MostCaps {
    let mut highest = MostCaps::default();
    for caps in catalogue.iter().map(|action| &action.caps) {
        highest.rows = highest.rows.max(caps.max_rows);
        highest.bytes = highest.bytes.max(caps.max_bytes);
        highest.statement_ms = highest.statement_ms.max(caps.statement_timeout_ms);
        highest.lock_ms = highest.lock_ms.max(caps.lock_timeout_ms);
    }
    highest
}

/// What caps may be lowered from.
#[derive(Debug, Clone, Copy, Default)]
struct MostCaps {
    rows: u32,
    bytes: u64,
    statement_ms: u32,
    lock_ms: u32,
}

impl From<&Caps> for MostCaps {
    fn from(caps: &Caps) -> Self {
        Self {
            rows: caps.max_rows,
            bytes: caps.max_bytes,
            statement_ms: caps.statement_timeout_ms,
            lock_ms: caps.lock_timeout_ms,
        }
    }
}

impl RawCaps {
    /// `of`: whose caps `most` are, for the error.
    fn check(&self, most: MostCaps, of: &str) -> Result<CapLimits, Problem> {
        Ok(CapLimits {
            max_rows: cap(self.max_rows.as_ref(), "max_rows", most.rows, of)?,
            max_bytes: cap(self.max_bytes.as_ref(), "max_bytes", most.bytes, of)?,
            statement_timeout_ms: cap(
                self.statement_timeout_ms.as_ref(),
                "statement_timeout_ms",
                most.statement_ms,
                of,
            )?,
            lock_timeout_ms: cap(self.lock_timeout_ms.as_ref(), "lock_timeout_ms", most.lock_ms, of)?,
        })
    }
}

/// A cap from 1 to `most`: 0 would be no timeout to PostgreSQL, and no row at all; an action is switched off by other words.
fn cap<T>(given: Option<&Spanned<T>>, word: &str, most: T, of: &str) -> Result<Option<T>, Problem>
where
    T: Copy + Ord + From<u8> + std::fmt::Display,
{
    let Some(given) = given else { return Ok(None) };
    let value = *given.get_ref();
    if value < T::from(1) || value > most {
        let what = format!("`{word}` is {value}; it may be lowered from that {of}, {most}, to 1, not raised");
        return Err(Problem::at(given, what));
    }
    Ok(Some(value))
}

impl RawBudget {
    fn check(&self) -> Result<BudgetLimits, Problem> {
        let most = BudgetLimits::default();
        let incident = RawLimitsRef {
            actions: self.actions.as_ref(),
            database_ms: self.database_ms.as_ref(),
            bytes: self.bytes.as_ref(),
            explain_analyze: self.explain_analyze.as_ref(),
        };
        let day = RawLimitsRef {
            actions: self.day.actions.as_ref(),
            database_ms: self.day.database_ms.as_ref(),
            bytes: self.day.bytes.as_ref(),
            explain_analyze: self.day.explain_analyze.as_ref(),
        };
        Ok(BudgetLimits {
            incident: incident.check("budget", most.incident)?,
            day: day.check("budget.day", most.day)?,
            actions_per_minute: limit(
                self.actions_per_minute.as_ref(),
                "budget.actions_per_minute",
                most.actions_per_minute,
            )?,
        })
    }
}

/// The limits of one span.
struct RawLimitsRef<'a> {
    actions: Option<&'a Spanned<u64>>,
    database_ms: Option<&'a Spanned<u64>>,
    bytes: Option<&'a Spanned<u64>>,
    explain_analyze: Option<&'a Spanned<u64>>,
}

impl RawLimitsRef<'_> {
    fn check(&self, table: &str, most: Limits) -> Result<Limits, Problem> {
        let word = |word: &str| format!("{table}.{word}");
        Ok(Limits {
            actions: limit(self.actions, &word("actions"), most.actions)?,
            database_ms: limit(self.database_ms, &word("database_ms"), most.database_ms)?,
            bytes: limit(self.bytes, &word("bytes"), most.bytes)?,
            explain_analyze: limit(self.explain_analyze, &word("explain_analyze"), most.explain_analyze)?,
        })
    }
}

fn limit(given: Option<&Spanned<u64>>, word: &str, most: u64) -> Result<u64, Problem> {
    match given {
        None => Ok(most),
        Some(given) if *given.get_ref() <= most => Ok(*given.get_ref()),
        Some(given) => Err(Problem::at(
            given,
            format!(
                "`{word}` is {}; it may be lowered from {most}, not raised",
                given.get_ref()
            ),
        )),
    }
}

impl RawAgent {
    fn check(self) -> Result<AgentConfig, Problem> {
        let paths = [
            ("workspace", self.workspace.iter().collect::<Vec<_>>()),
            ("log_folders", self.log_folders.iter().collect()),
            ("output_folders", self.output_folders.iter().collect()),
        ];
        for (word, paths) in paths {
            for path in paths {
                from_the_root(path.get_ref()).map_err(|what| Problem::at(path, format!("`agent.{word}`: {what}")))?;
            }
        }
        let folders = |paths: Vec<Spanned<PathBuf>>| paths.into_iter().map(Spanned::into_inner).collect();
        Ok(AgentConfig {
            workspace: self.workspace.map(Spanned::into_inner),
            log_folders: folders(self.log_folders),
            output_folders: folders(self.output_folders),
        })
    }
}

/// A path means the same wherever a command is started.
fn from_the_root(path: &std::path::Path) -> Result<(), String> {
    match path.is_absolute() {
        true => Ok(()),
        false => Err(format!(
            "`{}` is a different place wherever the command is started; write it from the root (`/…`)",
            path.display()
        )),
    }
}

impl RawAudit {
    fn check(self) -> Result<AuditConfig, Problem> {
        let signer = |raw: Option<Spanned<RawSigner>>| raw.map(|it| check_signer(&it)).transpose();
        let RawExport { file, syslog, command } = self.export;
        for (word, path) in [("file", &file), ("syslog", &syslog)] {
            if let Some(path) = path {
                from_the_root(path.get_ref())
                    .map_err(|what| Problem::at(path, format!("`audit.export.{word}`: {what}")))?;
            }
        }
        if let Some(empty) = command.as_ref().filter(|command| command.get_ref().is_empty()) {
            return Err(Problem::at(empty, "`audit.export.command` needs a program"));
        }
        Ok(AuditConfig {
            signer: signer(self.signer)?,
            previous_signer: signer(self.previous_signer)?,
            export: CheckpointExport {
                file: file.map(Spanned::into_inner),
                syslog: syslog.map(Spanned::into_inner),
                command: command.map(Spanned::into_inner),
            },
        })
    }
}

fn check_signer(spanned: &Spanned<RawSigner>) -> Result<SignerConfig, Problem> {
    let raw = spanned.get_ref();
    let bad = |what: String| Problem::at(spanned, format!("`audit.signer`: {what}"));
    from_the_root(&raw.public_key).map_err(bad)?;
    let way = match (&raw.command, &raw.socket) {
        (Some(command), None) if !command.is_empty() => Way::Command(command.clone()),
        (None, Some(socket)) => {
            from_the_root(socket).map_err(bad)?;
            Way::Socket(socket.clone())
        }
        _ => {
            return Err(bad(
                "it needs `command` (a program and its arguments) or `socket` (a path), and not both".to_owned(),
            ));
        }
    };
    let timeout_ms = raw.timeout_ms.as_ref().map_or(DEFAULT_TIMEOUT_MS, |ms| *ms.get_ref());
    match &raw.timeout_ms {
        Some(at) if !(1..=MAX_TIMEOUT_MS).contains(&timeout_ms) => Err(Problem::at(
            at,
            format!("`audit.signer.timeout_ms` is {timeout_ms}; it may be 1 to {MAX_TIMEOUT_MS}"),
        )),
        _ => Ok(SignerConfig {
            public_key: raw.public_key.clone(),
            way,
            timeout: Duration::from_millis(timeout_ms),
        }),
    }
}
