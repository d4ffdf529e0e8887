//! The gateway: what every verb shares.
//!
//! **In**: requests. **Out**: replies. Opening a gateway opens the workspace and its audit log, so that whatever is asked next can be
//! recorded; runbook engine and database runtime are made only by the verbs that need them.

use std::path::PathBuf;

use jiff::Timestamp;
use pg_logstats_audit::{Log, Sealed};

use crate::ambient;
use crate::catalogue::Catalogue;
use crate::config::{Config, DatabaseConfig};
use crate::db::Target;
use crate::db::dsn::{self, DsnSource, Environment, FileText, ProcessEnvironment};
use crate::error::GatewayError;
use crate::health::{self, Sharing, Verdict};
use crate::ids::{is_report_id, new_id};
use crate::record::{FailureRecord, RECORD_VERSION, RecordBody, RecoveryRecord, ReportRecord, SealedRecord};
use crate::report::{AuditRef, Budget, Refusal, SCHEMA_VERSION};
use crate::request::DatabaseChoice;
use crate::time::{now_us, rfc3339};
use crate::trust::Trust;
use crate::untrusted::Untrusted;
use crate::workspace::Workspace;

/// Largest configuration file.
const CONFIG_BYTES: u64 = 1 << 20;

/// How a gateway is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The workspace; its default place when none.
    pub workspace: Option<PathBuf>,
    /// The configuration, which must be there; the default one, which need not, when none.
    pub config: Option<PathBuf>,
}

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) workspace: Workspace,
    pub(crate) log: Log,
    pub(crate) config: Config,
    pub(crate) catalogue: &'static Catalogue,
    pub(crate) trust: Trust,
    config_path: Option<PathBuf>,
}

/// A database, and what the operator says about it.
pub(crate) struct ChosenDatabase {
    pub(crate) target: Target,
    pub(crate) allow_privileged_role: bool,
}

impl Gateway {
    /// Opens workspace, audit log and configuration.
    ///
    /// # Errors
    /// When one of them cannot be used; then nothing is done.
    pub fn open(options: &OpenOptions, trust: Trust) -> Result<Self, GatewayError> {
        let catalogue = Catalogue::builtin().map_err(|e| GatewayError::Internal(e.to_string()))?;
        let config = load_config(options, catalogue)?;
        let workspace = Workspace::open(options.workspace.as_deref())?;
        let log = workspace.audit_log()?;
        let gateway = Self {
            workspace,
            log,
            config,
            catalogue,
            trust,
            config_path: options.config.clone(),
        };
        gateway.note_recovery()?;
        Ok(gateway)
    }

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The audit log.
    pub fn audit_log(&self) -> &Log {
        &self.log
    }

    /// Seals `body(index)` under a new id, durably.
    pub(crate) fn seal(
        &self,
        id: &str,
        kind: &str,
        incident: Option<&str>,
        body: impl FnOnce(u64) -> RecordBody,
    ) -> Result<Sealed, GatewayError> {
        let created_us = now_us();
        let sealed = self.log.append_with(kind, id, incident, created_us, |placement| {
            serde_json::to_vec(&SealedRecord {
                record_version: RECORD_VERSION,
                record_id: id.to_owned(),
                index: placement.index,
                created_at: rfc3339(created_us),
                host_version: env!("CARGO_PKG_VERSION").to_owned(),
                body: body(placement.index),
            })
        })?;
        Ok(sealed)
    }

    /// A new id with `prefix`.
    pub(crate) fn new_id(prefix: &str) -> Result<String, GatewayError> {
        new_id(prefix, now_us())
            .map_err(|e| GatewayError::Internal(format!("the operating system gives no random bytes: {e}")))
    }

    /// The sealed report `report_id`, its signature, digest and place in the log verified.
    pub(crate) fn parent(&self, report_id: &str) -> Result<ReportRecord, ParentError> {
        if !is_report_id(report_id) {
            return Err(ParentError::Unknown(
                "a report is named by its id (`rp_…`), as its `report_id` says; a path or another text is not accepted"
                    .to_owned(),
            ));
        }
        let record = self.log.read(report_id).map_err(|error| match error {
            pg_logstats_audit::AuditError::UnknownId { .. } => ParentError::Unknown(
                "no such report in this workspace's audit log; `pg-logstats audit list` shows what there is".to_owned(),
            ),
            error => ParentError::Other(error.into()),
        })?;
        let sealed: SealedRecord = serde_json::from_slice(&record.payload).map_err(|e| {
            ParentError::Unknown(format!("the report was sealed by another version of pg-logstats ({e})"))
        })?;
        match sealed.body {
            RecordBody::Triage(report) => Ok(*report),
            RecordBody::Outcome(outcome) => Ok(outcome.result),
            _ => Err(ParentError::Unknown("the record of that id is no report".to_owned())),
        }
    }

    /// The database of `choice`: the flag first, then the environment, then the configuration; none when none is named anywhere.
    pub(crate) fn database(&self, choice: &DatabaseChoice) -> Result<Option<ChosenDatabase>, GatewayError> {
        if choice.dsn.is_some() && choice.name.is_some() {
            return Err(GatewayError::Usage("give --dsn or --database, not both".to_owned()));
        }
        let configured: Option<&DatabaseConfig> = self.config.database(choice.name.as_deref())?;
        let flag = choice.dsn.as_deref();
        let url = configured.map(|c| c.url.as_str());
        let found = match choice.name {
            // A database named on the command line goes before the environment.
            Some(_) => dsn::resolve_in(flag, url, &WithoutDatabaseUrl(ProcessEnvironment))?,
            None => dsn::resolve(flag, url)?,
        };
        let Some(target) = found else { return Ok(None) };
        // The operator's word for a database holds for connections that the operator's file describes.
        let allow_privileged_role =
            target.origin() == DsnSource::Config && configured.is_some_and(|c| c.allow_privileged_role);
        Ok(Some(ChosenDatabase {
            target,
            allow_privileged_role,
        }))
    }

    /// The verdict on `target`, taken by this process or another one.
    pub(crate) fn verdict(&self, target: &Target, sharing: Sharing) -> Result<Verdict, GatewayError> {
        Self::block_on(health::verdict(
            &self.workspace,
            target,
            &self.config.thresholds,
            sharing,
        ))
    }

    /// Runs `future` on a small runtime of its own.
    pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, GatewayError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| GatewayError::Internal(format!("no runtime for the network: {e}")))?;
        Ok(runtime.block_on(future))
    }

    /// Arguments that a command needs to find this workspace, configuration and database.
    pub(crate) fn common_args(&self, database: &DatabaseChoice) -> Vec<String> {
        let mut args = Vec::new();
        if !self.workspace.is_default() {
            args.extend(["--workspace".to_owned(), self.workspace.path().display().to_string()]);
        }
        if let Some(config) = &self.config_path {
            let config = std::path::absolute(config).unwrap_or_else(|_| config.clone());
            args.extend(["--config".to_owned(), config.display().to_string()]);
        }
        if let Some(name) = &database.name {
            args.extend(["--database".to_owned(), name.clone()]);
        }
        args
    }

    /// Seals a refusal and returns it as the error that it is.
    pub(crate) fn refuse(&self, refusal: RefusalDraft) -> GatewayError {
        let sealed = Self::new_id("rf").and_then(|refusal_id| {
            let mut refusal = Refusal {
                schema_version: SCHEMA_VERSION,
                refusal_id: refusal_id.clone(),
                incident_id: refusal.incident_id,
                parent_report_id: refusal.parent_report_id,
                created_at: Timestamp::now().to_string(),
                requested: refusal.requested,
                target_id: refusal.target_id,
                status: refusal.status,
                code: refusal.code.to_owned(),
                reason: refusal.reason,
                health: refusal.health,
                budget: refusal.budget,
                audit: AuditRef {
                    index: 0,
                    root: String::new(),
                },
            };
            let incident = refusal.incident_id.clone();
            let mut body = refusal.clone();
            let sealed = self.seal(&refusal_id, "refusal", incident.as_deref(), |index| {
                body.audit.index = index;
                RecordBody::Refusal(Box::new(body))
            })?;
            refusal.audit = AuditRef {
                index: sealed.index,
                root: sealed.root.to_string(),
            };
            Ok(refusal)
        });
        match sealed {
            Ok(refusal) => GatewayError::Refused(Box::new(refusal)),
            // Still refused, and the reason why it could not be recorded is what has to be mended first.
            Err(error) => error,
        }
    }

    /// Seals that `verb` failed with `error`. A refusal is sealed already, and a workspace that fails cannot hold a record.
    pub(crate) fn note_failure(&self, verb: &str, requested: &[String], error: &GatewayError) {
        if matches!(error, GatewayError::Refused(_) | GatewayError::Workspace(_)) {
            return;
        }
        let record = FailureRecord {
            verb: verb.to_owned(),
            requested: requested.iter().take(20).map(|r| Untrusted::capped(r, 300)).collect(),
            message: Untrusted::capped(&error.to_string(), 500),
        };
        // The command fails with its own error, whether or not this can be written.
        let _ = Self::new_id("fl").and_then(|id| self.seal(&id, "failure", None, |_| RecordBody::Failure(record)));
    }

    /// What `incident` has used, counted from the audit log.
    pub(crate) fn budget(&self, incident: &str) -> Result<Budget, GatewayError> {
        let limits = self.config.budget;
        let mut budget = Budget {
            actions_limit: limits.actions,
            database_ms_limit: limits.database_ms,
            bytes_limit: limits.bytes,
            ..Budget::default()
        };
        let mut database_us = 0;
        for entry in self.log.entries()? {
            let entry = entry?.entry;
            if entry.incident.as_deref() != Some(incident) {
                continue;
            }
            match entry.kind.as_str() {
                // An intent without an outcome is an action too: it may have run.
                "intent" => budget.actions_used += 1,
                "outcome" => {
                    let record = self.log.read(&entry.id)?;
                    let sealed: SealedRecord = serde_json::from_slice(&record.payload)
                        .map_err(|e| GatewayError::Internal(format!("record `{}` does not load: {e}", entry.id)))?;
                    if let RecordBody::Outcome(outcome) = sealed.body {
                        database_us += outcome.duration_us;
                        budget.bytes_used += outcome.bytes;
                    }
                }
                _ => {}
            }
        }
        budget.database_ms_used = u64::div_ceil(database_us, 1_000);
        Ok(budget)
    }

    fn note_recovery(&self) -> Result<(), GatewayError> {
        let recovered = self.log.take_recovered();
        if recovered.is_empty() {
            return Ok(());
        }
        let unacknowledged = recovered.into_iter().map(|r| r.file).collect();
        let id = Self::new_id("rc")?;
        self.seal(&id, "recovery", None, |_| {
            RecordBody::Recovery(RecoveryRecord { unacknowledged })
        })?;
        Ok(())
    }
}

/// The process's environment, in which nobody set `PG_LOGSTATS_DATABASE_URL`.
struct WithoutDatabaseUrl(ProcessEnvironment);

impl Environment for WithoutDatabaseUrl {
    fn var(&self, name: &str) -> Option<String> {
        if name == "PG_LOGSTATS_DATABASE_URL" {
            None
        } else {
            self.0.var(name)
        }
    }

    fn read(&self, path: &std::path::Path) -> std::io::Result<FileText> {
        self.0.read(path)
    }

    fn exists(&self, path: &std::path::Path) -> bool {
        self.0.exists(path)
    }
}

/// A refusal before it has an id and a place in the log.
#[derive(Debug)]
pub(crate) struct RefusalDraft {
    pub(crate) incident_id: Option<String>,
    pub(crate) parent_report_id: Option<String>,
    pub(crate) requested: Untrusted,
    pub(crate) target_id: Option<String>,
    pub(crate) status: Option<crate::words::ActionStatus>,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    pub(crate) health: Option<crate::health::Verdict>,
    pub(crate) budget: Option<Budget>,
}

impl RefusalDraft {
    /// A refusal of `requested`, for `reason`, with the stable `code`.
    pub(crate) fn new(code: &'static str, requested: &str, reason: impl Into<String>) -> Self {
        Self {
            incident_id: None,
            parent_report_id: None,
            requested: Untrusted::capped(requested, 300),
            target_id: None,
            status: None,
            code,
            reason: reason.into(),
            health: None,
            budget: None,
        }
    }
}

/// Why a parent report cannot be followed.
#[derive(Debug)]
pub(crate) enum ParentError {
    /// There is no such report; the sentence says what to do.
    Unknown(String),
    /// It is there and cannot be read or does not verify.
    Other(GatewayError),
}

fn load_config(options: &OpenOptions, catalogue: &Catalogue) -> Result<Config, GatewayError> {
    const WHAT: &str = "configuration";
    let (path, text) = match &options.config {
        Some(path) => {
            let bytes = ambient::read_file(path, WHAT, CONFIG_BYTES)?;
            (path.clone(), Some(String::from_utf8_lossy(&bytes).into_owned()))
        }
        None => match ambient::default_config() {
            Some(path) => {
                let text = ambient::read_optional_text(&path, WHAT, CONFIG_BYTES)?;
                (path, text)
            }
            None => return Ok(Config::default()),
        },
    };
    match text {
        Some(text) => Ok(Config::parse(&path.display().to_string(), &text, catalogue)?),
        None => Ok(Config::default()),
    }
}
