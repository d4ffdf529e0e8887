//! What can be asked of a [`Gateway`](crate::Gateway): plain types, the seam behind which a service can stand later.

use serde::{Deserialize, Serialize};

use crate::alert::Alert;

/// Which database.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseChoice {
    /// A connection URL or keyword string. May hold a password: never shown.
    pub dsn: Option<String>,
    /// A name in the configuration.
    pub name: Option<String>,
}

impl std::fmt::Debug for DatabaseChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseChoice")
            .field("name", &self.name)
            .field("has_dsn", &self.dsn.is_some())
            .finish()
    }
}

/// Which runbook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunbookChoice {
    /// The built-in runbook for this workflow.
    Workflow(String),
    /// A component file.
    File(String),
}

/// Judge logs, or the evidence of an earlier report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriageRequest {
    /// Who judges.
    pub runbook: RunbookChoice,
    /// What is judged. No logs: the evidence of `parent_report`.
    pub input: LogChoice,
    /// What the logs are compared with, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineChoice>,
    /// The report that this follows from; its incident goes on.
    pub parent_report: Option<String>,
    /// Most findings in the report.
    pub limit: usize,
    /// The database that actions would run on; none is needed where there are logs.
    pub database: DatabaseChoice,
    /// The alert that it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Alert>,
}

impl TriageRequest {
    /// Of `input` by `runbook`, in an incident of its own, without a database; ten findings.
    pub fn new(runbook: RunbookChoice, input: LogChoice) -> Self {
        Self {
            runbook,
            input,
            baseline: None,
            parent_report: None,
            limit: 10,
            database: DatabaseChoice::default(),
            alert: None,
        }
    }
}

/// Run an action of a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSqlRequest {
    /// Id of the report.
    pub triage_report: String,
    /// Id of the action in it.
    pub action_id: String,
    /// Choices among the offered values.
    pub parameters: Vec<(String, String)>,
    /// A person's approval, by its id in the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Most findings in the report.
    pub limit: usize,
    /// Where to run it.
    pub database: DatabaseChoice,
}

/// Logs or evidence files of a better time; they are read as the target's are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BaselineChoice {
    /// Files, folders, `-`; evidence files.
    pub logs: Vec<String>,
    /// RFC 3339, or how long ago (`25h`).
    pub since: Option<String>,
    /// RFC 3339, or how long ago (`24h`).
    pub until: Option<String>,
}

/// Read logs, evidence files or both.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogChoice {
    /// Files, folders, `-`; evidence files, which are told by their first bytes.
    pub logs: Vec<String>,
    /// The server's `log_line_prefix`; detected when not given.
    pub log_line_prefix: Option<String>,
    /// RFC 3339, or how long ago (`2h`).
    pub since: Option<String>,
    /// RFC 3339, or how long ago (`30m`).
    pub until: Option<String>,
    /// Threads for reading logs; 0: one for each core.
    pub threads: usize,
    /// Count entries that several of them hold once for each, instead of refusing.
    pub allow_overlap: bool,
    /// They are a baseline: what is wrong is told by the flags of it.
    pub is_baseline: bool,
}

impl LogChoice {
    /// The flag that `word` (`since`, `until`) is given by.
    pub fn flag(&self, word: &str) -> String {
        let kind = if self.is_baseline { "baseline-" } else { "" };
        format!("--{kind}{word}")
    }
}

/// Decide the operating mode.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InspectRequest {
    /// Files, folders, `-`.
    pub logs: Vec<String>,
    /// The server's `log_line_prefix`; detected when not given.
    pub log_line_prefix: Option<String>,
    /// The server to look at.
    pub database: DatabaseChoice,
}

/// Take the verdict.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthRequest {
    /// Of which server.
    pub database: DatabaseChoice,
}

/// Say what may run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyCheckRequest {
    /// On which database.
    pub database: DatabaseChoice,
}
