//! The gateway: what every verb shares.
//!
//! **In**: requests. **Out**: replies. Opening a gateway opens the workspace and its audit log, so that whatever is asked next can be
//! recorded; runbook engine and database runtime are made only by the verbs that need them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use pg_logstats_audit::{Log, Sealed, Signer};
use pg_logstats_logs::Redaction;

use crate::agent::LogAccess;
use crate::ambient::{self, OpenError};
use crate::approval::{ApprovalRequest, ApprovalScope};
use crate::audit::checkpoints;
use crate::audit::clock::{Clock, ClockStep, Reading};
use crate::budget::{Budget, Counted, Counter, Tally};
use crate::catalogue::{Catalogue, Pack};
use crate::config::{CheckpointExport, Config, DatabaseConfig, Rules};
use crate::db::Target;
use crate::db::dsn::{self, DsnSource, Environment, FileText, ProcessEnvironment};
use crate::error::GatewayError;
use crate::gate::{Circumstances, Live};
use crate::health::{self, Sharing, Verdict};
use crate::ids::{is_report_id, new_id};
use crate::keys::pem;
use crate::packs;
use crate::record::{FailureRecord, RECORD_VERSION, RecordBody, RecoveryRecord, ReportRecord, SealedRecord};
use crate::redaction;
use crate::report::{AuditRef, Refusal, SCHEMA_VERSION};
use crate::request::DatabaseChoice;
use crate::signer::{ExternalSigner, SignerConfig};
use crate::time::{now_us, rfc3339};
use crate::trust::{Keyring, SYSTEM_FOLDER, Trust, operators_folder};
use crate::untrusted::Untrusted;
use crate::workspace::Workspace;

/// Largest configuration file.
const CONFIG_BYTES: u64 = 1 << 20;

/// Variables that sqlx (`PgConnectOptions::new`) and rustls-native-certs read, as far as we do not set what they are about.
const DRIVERS_VARIABLES: [&str; 6] = [
    "PGOPTIONS",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// How a gateway is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The workspace; its default place when none.
    pub workspace: Option<PathBuf>,
    /// The configuration, which must be there; the default one, which need not, when none.
    pub config: Option<PathBuf>,
    /// The caller is an agent: everything comes from the operator's configuration, and neither of the above may be named.
    pub agent: bool,
    /// The operator's folder: default configuration, trust store, packs. For embedders and tests; no flag reaches it, because whoever
    /// calls the command must not choose whom it trusts. Its default place when none.
    pub operator: Option<PathBuf>,
    /// Tells people what went wrong and stops nothing: a checkpoint that could not be sent to where the operator wants it.
    pub warn: Option<fn(&str)>,
}

/// The gateway.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) workspace: Workspace,
    pub(crate) log: Log,
    pub(crate) config: Config,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) trust: Trust,
    /// The operator's folder.
    pub(crate) operator: Option<PathBuf>,
    pub(crate) log_access: LogAccess,
    is_agent: bool,
    config_path: Option<PathBuf>,
    /// The operator's own configuration, when another one was named: its rules hold as well.
    operators: Option<Config>,
    clock: Clock,
    /// How far this process has added the log up.
    counted: Mutex<Counted>,
    warn: Option<fn(&str)>,
}

/// A database, and what the operator says about it.
pub(crate) struct ChosenDatabase {
    pub(crate) target: Target,
    pub(crate) allow_privileged_role: bool,
    pub(crate) rules: Rules,
}

/// The configuration, and the workspace that goes with it.
struct Settings {
    config: Config,
    /// The operator's own, when another one was named.
    operators: Option<Config>,
    workspace: Option<PathBuf>,
}

impl OpenOptions {
    /// Where the workspace is; its default place when none. Reads the configuration in agent mode, and opens nothing.
    ///
    /// # Errors
    /// When the configuration does not load.
    pub fn workspace(&self) -> Result<Option<PathBuf>, GatewayError> {
        if !self.agent {
            return Ok(self.workspace.clone());
        }
        Ok(self.loaded()?.1.workspace)
    }

    /// What texts of logs the configuration keeps; none when it does not say. Opens nothing.
    ///
    /// # Errors
    /// When the configuration does not load.
    pub fn redaction(&self) -> Result<Option<Redaction>, GatewayError> {
        Ok(self.loaded()?.1.config.redaction)
    }

    /// The configuration, and the workspace, opened; its log is not.
    pub(crate) fn config_and_workspace(&self) -> Result<(Config, Workspace), GatewayError> {
        let (_, settings) = self.loaded()?;
        let workspace = Workspace::open(settings.workspace.as_deref())?;
        Ok((settings.config, workspace))
    }

    /// The catalogue with the installed packs, and the settings, which are held to it.
    fn loaded(&self) -> Result<(Catalogue, Settings), GatewayError> {
        let (_, catalogue) = packs::installed(self.operators_folder().as_deref())?;
        let settings = self.settings(&catalogue)?;
        Ok((catalogue, settings))
    }

    /// The operator's folder; none when there is no home directory either.
    pub(crate) fn operators_folder(&self) -> Option<PathBuf> {
        self.operator.clone().or_else(operators_folder)
    }

    fn settings(&self, catalogue: &Catalogue) -> Result<Settings, GatewayError> {
        if self.agent && (self.workspace.is_some() || self.config.is_some()) {
            return Err(GatewayError::Usage(
                "in agent mode workspace and configuration are the operator's; leave --workspace and --config out"
                    .to_owned(),
            ));
        }
        let own = operators_config(self, catalogue)?;
        let (config, operators) = match &self.config {
            None => (own, None),
            Some(path) => {
                let bytes = ambient::read_file(path, CONFIGURATION, CONFIG_BYTES)?;
                let named = parse_config(path, bytes, catalogue)?;
                (named.under(&own)?, Some(own))
            }
        };
        let workspace = match self.agent {
            // The default place is where XDG_DATA_HOME says, so the caller would choose the log that his budgets are counted from.
            true => Some(config.agent.workspace.clone().ok_or_else(no_agent_workspace)?),
            false => self.workspace.clone(),
        };
        Ok(Settings {
            config,
            operators,
            workspace,
        })
    }
}

impl Gateway {
    /// Opens workspace, audit log and configuration.
    ///
    /// # Errors
    /// When one of them cannot be used; then nothing is done.
    pub fn open(options: &OpenOptions, trust: Trust) -> Result<Self, GatewayError> {
        let (catalogue, settings) = options.loaded()?;
        Self::open_with(options, trust, catalogue, settings)
    }

    /// [`Self::open`] for who mends what does not count any more: installed packs that do not verify are not there. Nothing but a change of
    /// keys, of packs, or a revocation may be done with it, because this is not the catalogue that the operator installed.
    ///
    /// # Errors
    /// As [`Self::open`], but for such packs.
    pub fn open_to_mend(options: &OpenOptions, trust: Trust) -> Result<Self, GatewayError> {
        Self::open_sound(options, trust, None)
    }

    /// [`Self::open_to_mend`] for who installs the pack `joining`, which is there already.
    pub(crate) fn open_to_install(options: &OpenOptions, trust: Trust, joining: Pack) -> Result<Self, GatewayError> {
        Self::open_sound(options, trust, Some(joining))
    }

    fn open_sound(options: &OpenOptions, trust: Trust, joining: Option<Pack>) -> Result<Self, GatewayError> {
        let catalogue = packs::sound(options.operators_folder().as_deref(), joining)?;
        let settings = options.settings(&catalogue)?;
        Self::open_with(options, trust, catalogue, settings)
    }

    fn open_with(
        options: &OpenOptions,
        trust: Trust,
        catalogue: Catalogue,
        settings: Settings,
    ) -> Result<Self, GatewayError> {
        let Settings {
            config,
            operators,
            workspace,
        } = settings;
        let log_access = match options.agent {
            true => LogAccess::within(&config.agent.log_folders)?,
            false => LogAccess::Anywhere,
        };
        let workspace = Workspace::open(workspace.as_deref())?;
        let log = workspace.audit_log(signer_of(&workspace, &config)?)?;
        let gateway = Self {
            workspace,
            log,
            config,
            catalogue: Arc::new(catalogue),
            trust,
            operator: options.operators_folder(),
            log_access,
            is_agent: options.agent,
            config_path: options.config.clone(),
            operators,
            clock: Clock::default(),
            counted: Mutex::default(),
            warn: options.warn,
        };
        gateway.note_recovery()?;
        Ok(gateway)
    }

    /// Whose signatures count now: read each time, so that what was taken away counts no more in a process that runs on.
    pub(crate) fn keyring(&self) -> Result<Keyring, GatewayError> {
        Ok(Keyring::load(self.operator.as_deref())?)
    }

    /// Whether the caller is an agent.
    pub fn is_agent(&self) -> bool {
        self.is_agent
    }

    /// Refuses what an agent may not name, when the caller is one; the refusal is recorded.
    ///
    /// # Errors
    /// [`GatewayError::Refused`] in agent mode.
    pub fn not_for_agents(&self, what: &str, reason: &str) -> Result<(), GatewayError> {
        if !self.is_agent {
            return Ok(());
        }
        Err(self.refuse(RefusalDraft::new(
            "agent_mode",
            what,
            format!("{what} is not for agents: {reason}"),
        )))
    }

    /// Records an agent's attempt to open what is in none of its folders, as the refusal that it is.
    pub(crate) fn or_refused<T>(&self, result: Result<T, GatewayError>) -> Result<T, GatewayError> {
        match result {
            // The path is the agent's text: it stands in `requested`, and not in the reason.
            Err(GatewayError::Open(OpenError::Outside { what, path, allowed })) => {
                let reason = format!(
                    "the {what} is in no folder that the operator opened to agents; these are: {allowed} (`agent` in the configuration)"
                );
                Err(self.refuse(RefusalDraft::new("agent_mode", &path, reason)))
            }
            other => other,
        }
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
        let moment = Moment::now(&self.clock, &self.log, &self.config);
        let created_us = moment.created_us();
        let sealed = self.log.append_with(kind, id, incident, created_us, |placement| {
            sealed_payload(id, placement.index, moment, body(placement.index))
        })?;
        send_checkpoint(&self.log, &self.config.audit.export, self.warn);
        Ok(sealed)
    }

    /// The key of the log in the form that policies of witnesses take (C2SP signed-note), and a line end.
    pub fn vkey(&self) -> String {
        format!("{}\n", self.log.public_key().vkey(self.log.origin()))
    }

    /// The public key of the log, as SPKI PEM.
    ///
    /// # Errors
    /// When it has no such form.
    pub fn public_key_pem(&self) -> Result<String, GatewayError> {
        pem(self.log.public_key())
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
    /// For agents only the configuration counts, and nothing of the environment is read.
    pub(crate) fn database(&self, choice: &DatabaseChoice) -> Result<Option<ChosenDatabase>, GatewayError> {
        if choice.dsn.is_some() {
            self.not_for_agents(
                "--dsn",
                "name a database of the operator's configuration with --database",
            )?;
            if choice.name.is_some() {
                return Err(GatewayError::Usage("give --dsn or --database, not both".to_owned()));
            }
        }
        let configured = self.config.database(choice.name.as_deref())?;
        let flag = choice.dsn.as_deref();
        let url = configured.map(|(_, database)| database.url.as_str());
        let found = match choice.name {
            _ if self.is_agent => match url {
                Some(_) => {
                    self.refuse_drivers_variables()?;
                    dsn::resolve_in(None, url, &NoEnvironment)?
                }
                None => None,
            },
            // A database named on the command line goes before the environment.
            Some(_) => dsn::resolve_in(flag, url, &WithoutDatabaseUrl(ProcessEnvironment))?,
            None => dsn::resolve(flag, url)?,
        };
        let Some(target) = found else { return Ok(None) };
        let is_configured = target.origin() == DsnSource::Config;
        let configured = configured.filter(|_| is_configured);
        Ok(Some(ChosenDatabase {
            // The operator's word for a database holds for connections that the operator's file describes; the operator's rules hold
            // for that database however it was reached.
            allow_privileged_role: configured.is_some_and(|(_, database)| database.allow_privileged_role),
            rules: self.rules_for(configured.map(|(_, database)| database), &target)?,
            target,
        }))
    }

    /// What the driver and its TLS read by themselves, whatever the operator wrote, is no agent's to say: whose certificates count, and what the
    /// session begins with.
    fn refuse_drivers_variables(&self) -> Result<(), GatewayError> {
        let set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match DRIVERS_VARIABLES.iter().find(set) {
            None => Ok(()),
            Some(name) => Err(self.refuse(RefusalDraft::new(
                "agent_mode",
                name,
                format!("{name} is set, which the connection to the database would heed; run the command without it"),
            ))),
        }
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

    /// The rules for `target`, reached by its name as `configured` or by other means. When a configuration was named, those of the
    /// operator's own hold as well.
    fn rules_for(&self, configured: Option<&DatabaseConfig>, target: &Target) -> Result<Rules, GatewayError> {
        let rules = match configured {
            Some(database) => database.rules.clone(),
            None => Self::rules_of(&self.config, target)?,
        };
        let Some(operators) = &self.operators else {
            return Ok(rules);
        };
        rules.and(&Self::rules_of(operators, target)?).map_err(|what| {
            GatewayError::Usage(format!(
                "nothing could run under both the named configuration and the operator's own: {what}; leave --config out"
            ))
        })
    }

    /// The rules for a database that was not reached by its name: those of the configured ones that it is, the strictest of each word. A
    /// configured database whose own connection string makes no sense cannot be told to be this one.
    fn rules_of(config: &Config, target: &Target) -> Result<Rules, GatewayError> {
        let mut rules = config.rules.clone();
        for (name, database) in &config.databases {
            let environment = WithoutDatabaseUrl(ProcessEnvironment);
            let is_this = dsn::resolve_in(None, Some(&database.url), &environment)
                .is_ok_and(|known| known.is_some_and(|known| known.target_id() == target.target_id()));
            if !is_this {
                continue;
            }
            rules.policy = rules.policy.and(&database.rules.policy).map_err(|what| {
                GatewayError::Usage(format!(
                    "the configuration has this database under several names, and nothing could run under the policies of all of them: \
                     `databases.{name}.policy`: {what}; name one with --database"
                ))
            })?;
            rules.budget = rules.budget.and(database.rules.budget);
        }
        Ok(rules)
    }

    /// Runs `future` on a small runtime of its own.
    pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, GatewayError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| GatewayError::Internal(format!("no runtime for the network: {e}")))?;
        Ok(runtime.block_on(future))
    }

    /// What every command of a report begins with.
    pub(crate) fn program(&self) -> &'static [&'static str] {
        // In front, so that a rule for who may run what (sudoers) can ask for it.
        match self.is_agent {
            true => &["pg-logstats", "--agent"],
            false => &["pg-logstats"],
        }
    }

    /// Arguments that a command needs to find this workspace, configuration and database.
    pub(crate) fn common_args(&self, database: &DatabaseChoice) -> Vec<String> {
        let mut args = Vec::new();
        if !self.is_agent && !self.workspace.is_default() {
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
                approval_request: refusal.approval.map(|scope| ApprovalRequest {
                    schema_version: SCHEMA_VERSION,
                    request_id: refusal_id.clone(),
                    created_at: Timestamp::now().to_string(),
                    scope: *scope,
                }),
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

    /// What was used, counted from the audit log.
    pub(crate) fn tally(&self) -> Result<Tally, GatewayError> {
        let mut counted = self.counted.lock().unwrap_or_else(|poisoned| {
            // It may hold half of an action.
            let mut counted = PoisonError::into_inner(poisoned);
            *counted = Counted::default();
            counted
        });
        let counter = Counter::new(&self.log, &self.workspace);
        Ok(counter.count_on(&mut counted)?.clone())
    }

    /// The rules for `database`, or those for all without one.
    pub(crate) fn rules<'a>(&'a self, database: Option<&'a ChosenDatabase>) -> &'a Rules {
        database.map_or(&self.config.rules, |database| &database.rules)
    }

    /// What a decision about an action on `database` depends on now; without one, by the rules for all.
    pub(crate) fn circumstances<'a>(
        &'a self,
        database: Option<&'a ChosenDatabase>,
        budget: &'a Budget,
        live: Live<'a>,
    ) -> Circumstances<'a> {
        Circumstances {
            policy: &self.rules(database).policy,
            budget,
            live,
            login_role: database.map(|chosen| chosen.target.user()),
            now_us: now_us(),
        }
    }

    /// What `incident` (none: one that has not begun) and `database` have used, of `tally`.
    pub(crate) fn budget(&self, tally: &Tally, incident: Option<&str>, database: Option<&ChosenDatabase>) -> Budget {
        let id = database.map(|database| database.target.target_id());
        Budget::new(tally, &self.rules(database).budget, incident, id.as_deref(), now_us())
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

/// Sends the newest checkpoint of `log` wherever the operator wants it.
pub(crate) fn send_checkpoint(log: &Log, export: &CheckpointExport, warn: Option<fn(&str)>) {
    if *export == CheckpointExport::default() {
        return;
    }
    let failed = match log.checkpoint() {
        Ok(checkpoint) => checkpoints::send(export, &checkpoint.note),
        Err(error) => vec![error.to_string()],
    };
    if let Some(warn) = warn {
        for reason in failed {
            warn(&format!(
                "a checkpoint was not sent: {reason}; its record is in the log, and the next checkpoint covers it"
            ));
        }
    }
}

/// The clocks of the newest record of `log`; of one that does not load, only when it was made.
fn newest_reading(log: &Log) -> Option<Reading> {
    let size = log.checkpoint().ok()?.size;
    let newest = log.entries_from(size.checked_sub(1)?).ok()?.next()?.ok()?;
    let record = log.read(&newest.entry.id).ok();
    let sealed: Option<SealedRecord> = record.and_then(|record| serde_json::from_slice(&record.payload).ok());
    Some(Reading {
        wall_us: newest.entry.created_us,
        uptime: sealed.and_then(|sealed| sealed.uptime),
    })
}

/// What a record says of the moment at which it is made.
pub(crate) struct Moment {
    reading: Reading,
    clock_step: Option<ClockStep>,
    redaction_digest: String,
}

impl Moment {
    /// Now, with the step that shows since the last record: that of `clock`, or else the newest one of `log`.
    pub(crate) fn now(clock: &Clock, log: &Log, config: &Config) -> Self {
        let reading = Reading::now();
        Self {
            clock_step: clock.step(&reading, || newest_reading(log)),
            reading,
            redaction_digest: redaction::digest(&config.redaction()),
        }
    }

    /// Microseconds since the Unix epoch.
    pub(crate) fn created_us(&self) -> i64 {
        self.reading.wall_us
    }
}

/// The payload of a record.
pub(crate) fn sealed_payload(
    id: &str,
    index: u64,
    moment: Moment,
    body: RecordBody,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&SealedRecord {
        record_version: RECORD_VERSION,
        record_id: id.to_owned(),
        index,
        created_at: rfc3339(moment.created_us()),
        host_version: env!("CARGO_PKG_VERSION").to_owned(),
        clock_step: moment.clock_step,
        uptime: moment.reading.uptime,
        redaction_digest: Some(moment.redaction_digest),
        body,
    })
}

/// Who signs the log of `workspace`.
fn signer_of(workspace: &Workspace, config: &Config) -> Result<Box<dyn Signer>, GatewayError> {
    match &config.audit.signer {
        Some(signer) => external(signer),
        None => Ok(Box::new(workspace.file_key()?)),
    }
}

/// A signer in another process.
pub(crate) fn external(config: &SignerConfig) -> Result<Box<dyn Signer>, GatewayError> {
    Ok(Box::new(ExternalSigner::new(config)?))
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

/// No variables; files that a connection string names are the operator's, and are read.
struct NoEnvironment;

impl Environment for NoEnvironment {
    fn var(&self, _name: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &std::path::Path) -> std::io::Result<FileText> {
        ProcessEnvironment.read(path)
    }

    fn exists(&self, path: &std::path::Path) -> bool {
        ProcessEnvironment.exists(path)
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
    /// What a person would have to approve, when that is what is missing.
    pub(crate) approval: Option<Box<ApprovalScope>>,
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
            approval: None,
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

const CONFIGURATION: &str = "configuration";

/// The operator's own configuration; agents may not go without one.
fn operators_config(options: &OpenOptions, catalogue: &Catalogue) -> Result<Config, GatewayError> {
    let path = options.operators_folder().map(|folder| folder.join("config.toml"));
    let read = if options.agent {
        ambient::read_owned_file
    } else {
        ambient::read_file
    };
    let found = match &path {
        Some(path) => match read(path, CONFIGURATION, CONFIG_BYTES) {
            Err(OpenError::Missing { .. }) => None,
            // What is there and cannot be read is no reason to go on without it.
            bytes => Some((path, bytes?)),
        },
        None => None,
    };
    let Some((path, bytes)) = found else {
        if options.agent {
            return Err(GatewayError::Usage(no_agent_config(path.as_deref())));
        }
        return Ok(Config::default());
    };
    parse_config(path, bytes, catalogue)
}

fn parse_config(path: &Path, bytes: Vec<u8>, catalogue: &Catalogue) -> Result<Config, GatewayError> {
    let file = path.display().to_string();
    let text = String::from_utf8(bytes)
        .map_err(|_| GatewayError::Usage(format!("configuration `{file}` is no UTF-8 text; write it anew")))?;
    Ok(Config::parse(&file, &text, catalogue)?)
}

fn no_agent_workspace() -> GatewayError {
    GatewayError::Usage(
        "agent mode needs `workspace` below `[agent]` of the operator's configuration: the log that budgets are counted from and records go to"
            .to_owned(),
    )
}

/// Without a configuration an agent would have neither folders nor databases, and the defaults are no operator's decision.
fn no_agent_config(own: Option<&Path>) -> String {
    let own = own.map_or_else(String::new, |path| format!(" or `{}`", path.display()));
    format!("agent mode needs the operator's configuration in `{SYSTEM_FOLDER}/config.toml`{own}, and there is none")
}
