//! `triage`: logs to a sealed report.
//!
//! The flow, stage by stage: log bytes → evidence → snapshot → runbook → checked assessment → report → sealed record.

use std::path::Path;

use pg_logstats_builtin::Builtin;
use pg_logstats_logs::Progress;

use crate::alert::{ALERT_BYTES, Alert, AlertView};
use crate::ambient;
use crate::baseline;
use crate::error::GatewayError;
use crate::evidence_files;
use crate::gate::Live;
use crate::gateway::{ChosenDatabase, Gateway, ParentError, RefusalDraft};
use crate::health::{Sharing, Verdict};
use crate::judge::{Grounds, Judgement, TrustedComponent, judge, load};
use crate::record::{RecordBody, ReportRecord};
use crate::report::{
    ActionContext, AnalysisWindow, Assembly, AuditRef, Baseline, Budget, Limitation, Report, SCHEMA_VERSION,
    SourceSummary,
};
use crate::request::{RunbookChoice, TriageRequest};
use crate::runbook::{LoadedRunbook, limits};
use crate::snapshot::EvidenceSnapshot;
use crate::time::{now_us, rfc3339};
use crate::trust::installed::{self, Entry, Installed};
use crate::trust::{RunbookTrustError, bundle};
use crate::words::{OperatingMode, VerdictLevel};

/// Where a triage gets its evidence, and the incident that it belongs to.
struct Ground {
    snapshot: EvidenceSnapshot,
    source_kind: &'static str,
    incident_id: String,
    parent_report_id: Option<String>,
    /// The alert that started the incident.
    alert: Option<AlertView>,
}

impl Gateway {
    /// Judges logs, or the evidence of an earlier report, by a runbook. The report is sealed before it is returned; a runbook that
    /// fails gives a sealed report that says so.
    ///
    /// # Errors
    /// When there is nothing to judge, or the report cannot be sealed.
    pub fn triage(
        &self,
        request: &TriageRequest,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Report, GatewayError> {
        let result = self.or_refused(self.triage_unrecorded(request, progress));
        if let Err(error) = &result {
            let mut requested = request.input.logs.clone();
            let baseline = request.baseline.iter().flat_map(|baseline| &baseline.logs);
            requested.extend(baseline.map(|log| format!("--baseline {log}")));
            requested.insert(0, format!("{:?}", request.runbook));
            self.note_failure("triage", &requested, error);
        }
        result
    }

    fn triage_unrecorded(
        &self,
        request: &TriageRequest,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Report, GatewayError> {
        self.component(&request.runbook)?;
        let database = self.database(&request.database)?;
        let ground = self.ground(request, database.is_some(), progress)?;
        // Logs may take their time to be read, and what was revoked or replaced meanwhile does not run.
        let component = self.component(&request.runbook)?;
        let evidence_digest = self.workspace.put_evidence(&ground.snapshot)?;
        let judgement = judge(
            &component,
            load(&component, &self.workspace),
            &self.catalogue,
            &ground.snapshot,
            &evidence_digest,
            None,
        );
        let verdict = match &database {
            Some(chosen) => Some(self.verdict(&chosen.target, Sharing::WhileFresh)?),
            None => None,
        };
        let draft = ReportDraft {
            ground: &ground,
            judgement: &judgement,
            verdict: verdict.as_ref(),
            database: database.as_ref(),
            budget: self.budget(&self.tally()?, Some(&ground.incident_id), database.as_ref()),
            limit: request.limit,
            common_args: self.common_args(&request.database),
        };
        let (mut report, assembly) = draft.build(self, &Self::new_id("rp")?);
        let record = ReportRecord {
            report: report.clone(),
            evidence_digest,
            assessment: judgement.assessment,
            requests: judgement.requests,
            offers: assembly.offers,
        };
        let sealed = self.seal(&report.report_id, "triage", Some(&report.incident_id), |index| {
            let mut record = record;
            record.report.audit.index = index;
            RecordBody::Triage(Box::new(record))
        })?;
        report.audit = AuditRef {
            index: sealed.index,
            root: sealed.root.to_string(),
        };
        Ok(report)
    }

    /// The alert in `file`, or in standard input for `-`; an agent hands it over by standard input.
    ///
    /// # Errors
    /// When it cannot be read or is none.
    pub fn alert(&self, file: &str) -> Result<Alert, GatewayError> {
        let json = if file == "-" {
            ambient::read_stdin("alert", ALERT_BYTES)?
        } else {
            self.not_for_agents("--alert FILE", "hand the alert over by standard input (`--alert -`)")?;
            ambient::read_file(Path::new(file), "alert", ALERT_BYTES)?
        };
        Alert::parse(&json).map_err(|error| GatewayError::Usage(format!("--alert: {error}")))
    }

    /// `request` with what `alert` suggests, wherever the caller chose nothing: the database, the window, and, if `runbook` is none, the runbook.
    ///
    /// # Errors
    /// When the installed runbooks cannot be read.
    pub fn with_alert(
        &self,
        mut request: TriageRequest,
        runbook: Option<RunbookChoice>,
        alert: Alert,
    ) -> Result<TriageRequest, GatewayError> {
        let (since, until) = alert.window();
        let input = &mut request.input;
        if input.since.is_none() && input.until.is_none() && !input.logs.is_empty() {
            input.since = Some(since);
            input.until = Some(until);
        }
        let database = &mut request.database;
        if database.name.is_none() && database.dsn.is_none() {
            let names = self.config.databases.keys().map(String::as_str);
            database.name = alert.database(names).map(str::to_owned);
        }
        request.runbook = match runbook {
            Some(chosen) => chosen,
            None => {
                let installed = self.installed()?;
                let is_known = |workflow: &str| {
                    installed.find(workflow).is_some()
                        || pg_logstats_builtin::all().iter().any(|it| it.workflow == workflow)
                };
                let has_logs = !request.input.logs.is_empty();
                RunbookChoice::Workflow(alert.workflow(has_logs, is_known).to_owned())
            }
        };
        request.alert = Some(alert);
        Ok(request)
    }

    /// The runbook that `choice` names, ready to be called, if somebody vouches for it now: what `triage` does before it calls it.
    ///
    /// # Errors
    /// When nobody vouches for it, or it cannot be loaded.
    pub fn load_runbook(&self, choice: &RunbookChoice) -> Result<LoadedRunbook, GatewayError> {
        let component = self.component(choice)?;
        Ok(load(&component, &self.workspace).map_err(RunbookTrustError::from)?)
    }

    /// The component that `choice` names, if somebody vouches for it now.
    pub(crate) fn component(&self, choice: &RunbookChoice) -> Result<TrustedComponent, GatewayError> {
        match choice {
            RunbookChoice::Workflow(workflow) => self.component_for(workflow, &self.installed()?),
            RunbookChoice::File(path) => {
                self.not_for_agents(
                    "--runbook",
                    "name the workflow of a runbook that the operator installed",
                )?;
                let bytes = ambient::read_file(Path::new(path), "runbook", limits::COMPONENT_BYTES)?;
                let digest = sha256(&bytes);
                let installed = self.installed()?;
                if self.trust.signers(&digest).is_some() {
                    return self.vouched_by_digest(&installed, bytes.into(), digest, "unknown");
                }
                self.vouched_by_signature(&installed, bytes, digest, Path::new(path))
            }
        }
    }

    /// An installed runbook goes before the built-in one for the same workflow: the operator chose it. One that is installed and not
    /// trusted any more is refused; the built-in one would be another than the operator chose.
    fn component_for(&self, workflow: &str, installed: &Installed) -> Result<TrustedComponent, GatewayError> {
        if let Some((name, entry)) = installed.find(workflow) {
            return self.installed_component(installed, name, entry);
        }
        let known = pg_logstats_builtin::all();
        let found = known.iter().find(|b| b.workflow == workflow || b.name == workflow);
        let builtin = found.ok_or_else(|| {
            let installed = installed.iter().map(|(_, entry)| entry.workflow.as_str());
            GatewayError::Usage(format!(
                "no runbook for the workflow `{}`; there are: {}. A log of that name is written with its folder, `./` for this one",
                crate::untrusted::escape_control(workflow),
                crate::listed(known.iter().map(|b| b.workflow).chain(installed))
            ))
        })?;
        self.builtin_component(installed, builtin)
    }

    pub(crate) fn builtin_component(
        &self,
        installed: &Installed,
        builtin: &Builtin,
    ) -> Result<TrustedComponent, GatewayError> {
        // The digest of what will run, not the one that stands beside it.
        let digest = sha256(builtin.component);
        self.vouched_by_digest(installed, builtin.component.into(), digest, builtin.workflow)
    }

    /// The installed runbook `name`, if its signatures meet the rules now.
    pub(crate) fn installed_component(
        &self,
        installed: &Installed,
        name: &str,
        entry: &Entry,
    ) -> Result<TrustedComponent, GatewayError> {
        let vouched = (|| {
            installed.check_not_revoked(&entry.sha256)?;
            let envelope = installed.envelope(name, entry)?;
            let vouched = installed::vouch(&entry.sha256, &envelope, &self.keyring()?, &self.catalogue, now_us())?;
            Ok::<_, GatewayError>((vouched, installed.component(name, entry)?))
        })();
        let (vouched, (bytes, digest)) = vouched.map_err(|error| self.untrusted(&entry.sha256, error))?;
        Ok(TrustedComponent {
            digest,
            bytes: bytes.into(),
            signers: vouched.names(),
            workflow_hint: entry.workflow.clone(),
            grounds: Grounds::Signed(Box::new(vouched.manifest)),
        })
    }

    fn vouched_by_digest(
        &self,
        installed: &Installed,
        bytes: std::borrow::Cow<'static, [u8]>,
        digest: [u8; 32],
        workflow_hint: &str,
    ) -> Result<TrustedComponent, GatewayError> {
        let hex = crate::hex(&digest);
        let not_revoked = installed.check_not_revoked(&hex);
        not_revoked.map_err(|error| self.untrusted(&hex, error.into()))?;
        let signers = self.trust.signers(&digest).map(<[String]>::to_vec).unwrap_or_default();
        Ok(TrustedComponent {
            bytes,
            digest,
            signers,
            workflow_hint: workflow_hint.to_owned(),
            grounds: Grounds::Digest,
        })
    }

    /// The component of `file`, if the signatures beside it meet the rules, and it is no older than what was installed of it.
    fn vouched_by_signature(
        &self,
        installed: &Installed,
        bytes: Vec<u8>,
        digest: [u8; 32],
        file: &Path,
    ) -> Result<TrustedComponent, GatewayError> {
        let hex = crate::hex(&digest);
        let vouched = (|| {
            installed.check_not_revoked(&hex)?;
            let envelope = match ambient::read_file(&bundle::signatures_of(file), "signature", bundle::ENVELOPE_BYTES) {
                // Installed from elsewhere, perhaps.
                Err(ambient::OpenError::Missing { .. }) => match installed.by_digest(&hex) {
                    Some((name, entry)) => installed.envelope(name, entry)?,
                    None => return Ok(None),
                },
                envelope => envelope?,
            };
            let vouched = installed::vouch(&hex, &envelope, &self.keyring()?, &self.catalogue, now_us())?;
            installed.check_not_older(&vouched.manifest, &hex)?;
            Ok::<_, GatewayError>(Some(vouched))
        })();
        let Some(vouched) = vouched.map_err(|error| self.untrusted(&hex, error))? else {
            let named = format!("sha256:{hex}");
            return Err(self.refuse(RefusalDraft::new(
                "untrusted_runbook",
                &named,
                format!(
                    "nobody vouches for the runbook {named}: it is neither built in nor installed, and has no signatures beside it; \
                     `pg-logstats runbook sign` makes them"
                ),
            )));
        };
        Ok(TrustedComponent {
            bytes: bytes.into(),
            digest,
            signers: vouched.names(),
            workflow_hint: vouched.manifest.workflow.clone(),
            grounds: Grounds::Signed(Box::new(vouched.manifest)),
        })
    }

    /// Whether `component`, built in or installed, may still run, however long ago it was loaded.
    ///
    /// # Errors
    /// When it was revoked, or does not meet the rules any more.
    pub(crate) fn check_still_trusted(&self, component: &TrustedComponent) -> Result<(), GatewayError> {
        let hex = crate::hex(&component.digest);
        let trusted = (|| {
            let installed = self.installed()?;
            installed.check_not_revoked(&hex)?;
            if let Grounds::Signed(manifest) = &component.grounds {
                let (name, entry) = installed.installed(&manifest.name, &hex)?;
                let envelope = installed.envelope(name, entry)?;
                installed::vouch(&hex, &envelope, &self.keyring()?, &self.catalogue, now_us())?;
            }
            Ok::<_, GatewayError>(())
        })();
        trusted.map_err(|error| self.untrusted(&hex, error))
    }

    /// The refusal of a runbook that is not trusted; an error of this host stays one.
    fn untrusted(&self, sha256: &str, error: GatewayError) -> GatewayError {
        let code = match &error {
            GatewayError::RunbookTrust(error) if error.is_tampering() => "unverified",
            GatewayError::RunbookTrust(RunbookTrustError::Revoked { .. }) => "revoked_runbook",
            GatewayError::RunbookTrust(error) if error.is_denied() => "untrusted_runbook",
            _ => return error,
        };
        self.refuse(RefusalDraft::new(code, &format!("sha256:{sha256}"), error.to_string()))
    }

    fn ground(
        &self,
        request: &TriageRequest,
        has_database: bool,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Ground, GatewayError> {
        let alert = request.alert.as_ref().map(Alert::view);
        let parent = match &request.parent_report {
            Some(id) => Some(
                self.parent(id)
                    .map_err(|error| self.parent_refused(id, "--parent-report", error))?,
            ),
            None => None,
        };
        if request.input.logs.is_empty() {
            if request.baseline.is_some() {
                return Err(GatewayError::Usage(
                    "--baseline compares logs, and none are named; the evidence of a report keeps the comparison that it was made with"
                        .to_owned(),
                ));
            }
            let Some(parent) = parent else {
                if !has_database {
                    return Err(GatewayError::Usage(
                        "nothing to judge: name log files or folders, `-` for standard input, or --parent-report; or a database, for a \
                         runbook that looks at the server itself (--database, --dsn)"
                            .to_owned(),
                    ));
                }
                return Ok(Ground {
                    snapshot: EvidenceSnapshot::of_no_logs(),
                    source_kind: "none",
                    incident_id: Self::new_id("in")?,
                    parent_report_id: None,
                    alert,
                });
            };
            return Ok(Ground {
                snapshot: self.workspace.evidence(&parent.evidence_digest)?,
                source_kind: "parent_report",
                incident_id: parent.report.incident_id,
                parent_report_id: Some(parent.report.report_id),
                alert: alert.or(parent.report.alert),
            });
        }
        let snapshot = self.snapshot(request, progress)?;
        let (incident_id, parent_report_id, earlier) = match parent {
            Some(parent) => {
                let report = parent.report;
                (report.incident_id, Some(report.report_id), report.alert)
            }
            None => (Self::new_id("in")?, None, None),
        };
        Ok(Ground {
            snapshot,
            source_kind: "logs",
            incident_id,
            parent_report_id,
            alert: alert.or(earlier),
        })
    }

    /// What the logs show, against the baseline if there is one.
    fn snapshot(
        &self,
        request: &TriageRequest,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<EvidenceSnapshot, GatewayError> {
        let access = &self.log_access;
        let redaction = self.config.redaction();
        let Some(choice) = &request.baseline else {
            let part = evidence_files::reduce(&request.input, access, progress)?;
            return Ok(EvidenceSnapshot::from_logs(part.evidence(&redaction), None));
        };
        // Before they are compared by what they lead to.
        for name in request.input.logs.iter().chain(&choice.logs) {
            access.check(name)?;
        }
        baseline::check(&request.input, choice)?;
        let mut target = evidence_files::reduce(&request.input, access, progress)?;
        let baseline = baseline::reduce(&request.input, choice, access, progress)?;
        let comparison = pg_logstats_logs::compare(&mut target, baseline, &redaction);
        Ok(EvidenceSnapshot::from_logs(
            target.evidence(&redaction),
            Some(comparison),
        ))
    }

    /// The error of a report that cannot be followed: recorded as a refusal, unless this host could not read its own log.
    pub(crate) fn parent_refused(&self, id: &str, flag: &str, error: ParentError) -> GatewayError {
        match error {
            ParentError::Unknown(reason) => {
                self.refuse(RefusalDraft::new("unknown_report", &format!("{flag} {id}"), reason))
            }
            ParentError::Other(error) => error,
        }
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

/// What a triage report is made of.
struct ReportDraft<'a> {
    ground: &'a Ground,
    judgement: &'a Judgement,
    verdict: Option<&'a Verdict>,
    database: Option<&'a ChosenDatabase>,
    budget: Budget,
    limit: usize,
    common_args: Vec<String>,
}

impl ReportDraft<'_> {
    fn build(self, gateway: &Gateway, report_id: &str) -> (Report, Assembly) {
        let live = self.verdict.map_or(Live::NoDatabase, Live::Judged);
        let circumstances = gateway.circumstances(self.database, &self.budget, live);
        let now_us = circumstances.now_us;
        let context = ActionContext {
            report_id,
            common_args: &self.common_args,
            circumstances,
            program: gateway.program(),
            catalogue: &gateway.catalogue,
        };
        let assembly = assemble(self.judgement, &context, self.limit);
        let log = self.ground.snapshot.log.as_ref();
        let mut limitations: Vec<Limitation> = log
            .map(|l| l.limitations.iter().map(Into::into).collect())
            .unwrap_or_default();
        let comparison = self.ground.snapshot.comparison.as_ref();
        limitations.extend(comparison.into_iter().flat_map(|it| &it.limitations).map(Into::into));
        limitations.extend(assembly.limitations.iter().cloned());
        let (verdict, verdict_reasons) = verdict_fields(self.verdict);
        let report = Report {
            schema_version: SCHEMA_VERSION,
            report_id: report_id.to_owned(),
            parent_report_id: self.ground.parent_report_id.clone(),
            incident_id: self.ground.incident_id.clone(),
            created_at: rfc3339(now_us),
            workflow: self.judgement.workflow.clone(),
            operating_mode: operating_mode(log.is_some(), self.verdict),
            limitations,
            verdict,
            verdict_reasons,
            health: self.verdict.cloned(),
            analysis_window: log.and_then(|l| l.window).map(AnalysisWindow::new),
            source_summary: SourceSummary::new(self.ground.source_kind, log),
            alert: self.ground.alert.clone(),
            baseline: comparison.map(|it| Baseline::new(self.ground.source_kind, it)),
            findings: assembly.findings.clone(),
            insights: assembly.insights.clone(),
            next_actions: assembly.next_actions.clone(),
            outcome: None,
            budget: self.budget,
            runbook: self.judgement.info.clone(),
            audit: AuditRef {
                index: 0,
                root: String::new(),
            },
        };
        (report, assembly)
    }
}

/// The parts that a runbook gave; none of them when it failed.
pub(crate) fn assemble(judgement: &Judgement, context: &ActionContext<'_>, limit: usize) -> Assembly {
    match &judgement.assessment {
        Some(assessment) => Assembly::new(assessment, &judgement.requests, &judgement.subjects, context, limit),
        None => Assembly::default(),
    }
}

/// The verdict and its reasons as a report has them.
pub(crate) fn verdict_fields(verdict: Option<&Verdict>) -> (VerdictLevel, Vec<String>) {
    match verdict {
        Some(verdict) => (verdict.level, verdict.reasons.iter().map(ToString::to_string).collect()),
        None => (VerdictLevel::Unknown, vec!["no database was asked".to_owned()]),
    }
}

/// What there was to work with. A server that does not answer counts as none.
pub(crate) fn operating_mode(has_logs: bool, verdict: Option<&Verdict>) -> OperatingMode {
    let is_live = verdict.is_some_and(Verdict::is_answered);
    match (has_logs, is_live) {
        (true, true) => OperatingMode::LogBackedAndLive,
        (true, false) => OperatingMode::LogBackedOnly,
        (false, true) => OperatingMode::LiveOnly,
        (false, false) => OperatingMode::Unready,
    }
}

impl From<&pg_logstats_logs::evidence::Limitation> for Limitation {
    fn from(limitation: &pg_logstats_logs::evidence::Limitation) -> Self {
        Self {
            code: limitation.code.clone(),
            message: limitation.message.clone(),
            count: Some(limitation.count),
        }
    }
}
