//! `run-sql`: an action of a sealed report to a new sealed report.
//!
//! The flow, stage by stage: verified parent → offer → values of the evidence → fresh verdict → gate → durable intent → SQL →
//! outcome → runbook → report → sealed record. Nothing is taken over from the parent but what is evaluated again here.

use std::sync::Arc;

use pg_logstats_audit::AuditError;
use sha2::{Digest as _, Sha256};

use crate::approval::{ApprovalScope, Place};
use crate::budget::Reserved;
use crate::catalogue::{Action, ActionKind, BoundParameter, BoundValue};
use crate::config::Rules;
use crate::db::{self, ExecutionGuard};
use crate::error::GatewayError;
use crate::gate::{
    ApprovedAction, Decision, DurableIntent, Live, Permit, Run, approve, choose, intent_id, record_intent,
};
use crate::gateway::{ChosenDatabase, Gateway, RefusalDraft};
use crate::health::{self, Sharing, Verdict};
use crate::ids::unique_part;
use crate::interrupt;
use crate::judge::{self, Judgement, OutcomeInput, TrustedComponent, judge};
use crate::outcome::{ActionOutcome, OUTCOME_VERSION, RecordedOutcome};
use crate::record::{IntentRecord, OutcomeRecord, RecordBody, ReportRecord, SealedRecord};
use crate::report::{
    ActionContext, AnalysisWindow, AuditRef, Baseline, Budget, Limitation, Offer, OutcomeView, Report, SCHEMA_VERSION,
    SourceSummary,
};
use crate::request::RunSqlRequest;
use crate::runbook::requests::OfferedParameter;
use crate::runbook::{LoadedRunbook, RunbookError};
use crate::snapshot::EvidenceSnapshot;
use crate::subjects::{Subject, Subjects};
use crate::time::{now_us, rfc3339};
use crate::triage::{assemble, operating_mode, verdict_fields};
use crate::unfinished;
use crate::words::{ActionStatus, ActionType, OutcomeStatus, Risk};
use crate::workspace::WorkspaceError;

/// Said of an approval that has had its run.
const USED: &str = "the approval has been used; each is for one run, whatever came of it. Have it approved again";

/// An action of a verified report with the values that it will run with.
struct Chosen {
    parent: ReportRecord,
    snapshot: EvidenceSnapshot,
    offer: Offer,
    action: Arc<Action>,
    bound: Vec<BoundParameter>,
    subject_ids: Vec<String>,
    component: TrustedComponent,
}

/// An action that ran.
struct Ran {
    outcome: ActionOutcome,
    intent_index: u64,
    intent_record_id: String,
    verdict: Verdict,
}

impl Gateway {
    /// Runs an action of a sealed report. The intent is durable before anything is sent; the new report is sealed before it is
    /// returned.
    ///
    /// # Errors
    /// [`GatewayError::Refused`] when the action may not run, which is recorded; any other when it could not be decided or sealed.
    pub fn run_sql(&self, request: &RunSqlRequest) -> Result<Report, GatewayError> {
        let result = self.run_sql_unrecorded(request);
        if let Err(error) = &result {
            self.note_failure(
                "run-sql",
                &[request.triage_report.clone(), request.action_id.clone()],
                error,
            );
        }
        result
    }

    fn run_sql_unrecorded(&self, request: &RunSqlRequest) -> Result<Report, GatewayError> {
        let chosen = self.choose_action(request)?;
        let database = self.database(&request.database)?;
        let Some(database) = database else {
            let budget = self.budget(&self.tally()?, Some(&chosen.parent.report.incident_id), None);
            let circumstances = self.circumstances(None, &budget, Live::NoDatabase);
            let mut decision = approve(&chosen.action, chosen.bound.clone(), None, None, &circumstances)
                .err()
                .ok_or_else(|| GatewayError::Internal("an action was approved without a database".to_owned()))?;
            if decision.needs_approval {
                decision
                    .reason
                    .push_str("; first name the database with --database, as an approval is for one database");
            }
            return Err(self.refuse_decision(&chosen, request, decision, None, budget, None));
        };
        let policy = &database.rules.policy;
        let needs_approval = policy.needs_approval(&chosen.action, chosen.action.risk(&chosen.bound));
        let scope = needs_approval.then(|| self.scope(&chosen, &database));
        let permit = self.permit(&chosen, request, scope.as_ref())?;
        // Held until the outcome is sealed: what one action counts, no other can count at the same time.
        let busy = |what: &str| {
            let reason = format!("another action is running {what}; try again when it has ended");
            let mut draft = self.draft(&chosen, request, "busy", reason);
            draft.status = Some(ActionStatus::BlockedByBudget);
            self.refuse(draft)
        };
        let Some(_single_flight) = self.workspace.lock_database(&database.target.target_id())? else {
            return Err(busy("on this database"));
        };
        let Some(_incident) = self.workspace.lock_incident(&chosen.parent.report.incident_id)? else {
            return Err(busy("for this incident"));
        };
        // Code is made ready while the server works; nothing of it runs before there is an outcome to judge.
        let (ran, loaded) = std::thread::scope(|threads| {
            let loading = threads.spawn(|| judge::load(&chosen.component, &self.workspace));
            let ran = self.decide_and_run(&chosen, request, &database, permit, scope);
            let loaded = loading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (ran, loaded)
        });
        self.report_outcome(request, chosen, ran?, loaded, &database)
    }

    /// The action that the request names, and what it would bind: looked up in the verified parent, bound again from the evidence.
    fn choose_action(&self, request: &RunSqlRequest) -> Result<Chosen, GatewayError> {
        let parent = self
            .parent(&request.triage_report)
            .map_err(|error| self.parent_refused(&request.triage_report, "--triage-report", error))?;
        let refuse = |code: &'static str, reason: String| {
            let mut draft = RefusalDraft::new(code, &requested(request), reason);
            draft.incident_id = Some(parent.report.incident_id.clone());
            draft.parent_report_id = Some(parent.report.report_id.clone());
            self.refuse(draft)
        };
        let offer = find_offer(&parent, &request.action_id).map_err(|reason| refuse("unknown_action", reason))?;
        let action = self.catalogue.get(&offer.target_id).ok_or_else(|| {
            refuse(
                "unknown_action",
                format!("this host's catalogue has no action `{}` any more", offer.target_id),
            )
        })?;
        let snapshot = self.workspace.evidence(&parent.evidence_digest)?;
        let subjects = Subjects::new(&snapshot, &[]);
        let offered = bind_again(action, offer, &subjects).ok_or_else(|| {
            refuse(
                "not_in_evidence",
                "the evidence no longer has what the action would bind".to_owned(),
            )
        })?;
        let bound =
            choose(&offered, &request.parameters).map_err(|e| refuse("parameter_not_offered", e.to_string()))?;
        let component = self.component_of(&parent.report)?;
        let subject_ids = offered.iter().map(|o| o.subject.clone()).collect();
        Ok(Chosen {
            offer: offer.clone(),
            action: Arc::clone(action),
            bound,
            subject_ids,
            snapshot,
            component,
            parent,
        })
    }

    /// The runbook that made `report`: it must still be here, and still be trusted.
    fn component_of(&self, report: &Report) -> Result<TrustedComponent, GatewayError> {
        let installed = self.installed()?;
        let sha256 = report.runbook.digest.strip_prefix("sha256:").unwrap_or_default();
        if let Some((name, entry)) = installed.by_digest(sha256) {
            return self.installed_component(&installed, name, entry);
        }
        let builtin = pg_logstats_builtin::all()
            .iter()
            .find(|builtin| crate::hex(&builtin.digest) == sha256);
        match builtin {
            Some(builtin) => self.builtin_component(&installed, builtin),
            None => Err(self.refuse(RefusalDraft::new(
                "untrusted_runbook",
                &report.runbook.digest,
                "the runbook of that report is not built in, and not installed (any more); run a new triage",
            ))),
        }
    }

    fn decide_and_run(
        &self,
        chosen: &Chosen,
        request: &RunSqlRequest,
        database: &ChosenDatabase,
        permit: Option<Permit>,
        scope: Option<ApprovalScope>,
    ) -> Result<Ran, GatewayError> {
        Self::block_on(async {
            let sharing = match chosen.action.risk(&chosen.bound) {
                Risk::Safe if scope.is_none() => Sharing::JustNow,
                Risk::Safe | Risk::Bounded | Risk::Expensive | Risk::RequiresHumanApproval => Sharing::SinceAsked,
            };
            let (target, thresholds) = (&database.target, &self.config.thresholds);
            let verdict = health::verdict(&self.workspace, target, thresholds, sharing).await;
            let incident = Some(chosen.parent.report.incident_id.as_str());
            let budget = self.budget(&self.tally()?, incident, Some(database));
            let sample = chosen.sample();
            let circumstances = self.circumstances(Some(database), &budget, Live::Judged(&verdict));
            let approved =
                approve(&chosen.action, chosen.bound.clone(), sample, permit, &circumstances).map_err(|decision| {
                    let verdict = Some(verdict.clone());
                    self.refuse_decision(chosen, request, decision, verdict, budget.clone(), scope)
                })?;
            // A revocation that came meanwhile counts for this action already.
            self.check_still_trusted(&chosen.component)?;
            let (approved, intent) = self
                .write_intent(chosen, approved, &verdict, budget, database)
                .map_err(|error| self.used_meanwhile(chosen, request, error))?;
            let intent_index = intent.index();
            let intent_record_id = intent.record_id().to_owned();
            let guard = ExecutionGuard {
                thresholds: self.config.thresholds.clone(),
                allow_privileged_role: database.allow_privileged_role,
                required_role: database.rules.policy.role.clone(),
                max_explain_analyze_cost: database.rules.policy.explain_analyze_max_cost,
                ..ExecutionGuard::new(verdict.level)
            };
            let outcome = run_until_interrupted(target, approved, intent, &guard).await;
            if matches!(
                outcome.status,
                OutcomeStatus::TimedOut | OutcomeStatus::Cancelled | OutcomeStatus::Failed
            ) {
                // A timeout or a cancellation says more of the database than a verdict of before.
                health::forget(&self.workspace, target, thresholds);
            }
            Ok(Ran {
                outcome,
                intent_index,
                intent_record_id,
                verdict,
            })
        })?
    }

    fn write_intent(
        &self,
        chosen: &Chosen,
        approved: ApprovedAction,
        verdict: &Verdict,
        budget: Budget,
        database: &ChosenDatabase,
    ) -> Result<(ApprovedAction, DurableIntent), GatewayError> {
        // There can be one record of an id, so there can be one run of an approval, whoever else is at it.
        let record_id = match approved.permit() {
            Some(permit) => permit.intent_id(),
            None => Self::new_id("it")?,
        };
        let report = &chosen.parent.report;
        record_intent(approved, |approved| {
            let intent = IntentRecord {
                parent_report_id: report.report_id.clone(),
                action_id: chosen.offer.action_id.clone(),
                target_id: approved.action().id.clone(),
                action_digest: approved.action().digest.clone(),
                parameters: approved.parameters().to_vec(),
                risk: approved.action().risk(approved.parameters()),
                action_class: approved.action().class,
                reserved: Reserved::of(&approved.action().caps, verdict.level),
                database: database.target.to_string(),
                database_id: database.target.target_id(),
                verdict: verdict.clone(),
                policy_digest: self.policy_digest(&database.rules),
                budget,
                runbook_digest: report.runbook.digest.clone(),
                approver: approved.permit().map_or_else(|| "policy".to_owned(), Permit::approver),
                approval: approved.permit().map(|permit| permit.envelope().clone()),
            };
            let sealed = self.seal(&record_id, "intent", Some(&report.incident_id), |_| {
                RecordBody::Intent(Box::new(intent))
            })?;
            Ok((sealed.index, record_id.clone()))
        })
    }

    /// SHA-256 of the rules that are in force, in hex.
    pub(crate) fn policy_digest(&self, rules: &Rules) -> String {
        let rules = format!("{:?} {:?} {:?}", rules.policy, rules.budget, self.config.thresholds);
        crate::hex(&Sha256::digest(rules.as_bytes()))
    }

    fn report_outcome(
        &self,
        request: &RunSqlRequest,
        chosen: Chosen,
        ran: Ran,
        loaded: Result<LoadedRunbook, RunbookError>,
        database: &ChosenDatabase,
    ) -> Result<Report, GatewayError> {
        let mut snapshot = chosen.snapshot;
        snapshot.absorb(&ran.outcome);
        let evidence_digest = self.workspace.put_evidence(&snapshot)?;
        let recorded = RecordedOutcome {
            outcome_version: OUTCOME_VERSION,
            target_id: chosen.action.id.clone(),
            subjects: chosen.subject_ids.clone(),
            outcome: ran.outcome.clone(),
        };
        let outcome_digest = self.workspace.put_outcome(&recorded)?;
        let input = OutcomeInput {
            target_id: &chosen.action.id,
            subjects: &chosen.subject_ids,
            outcome: &ran.outcome,
        };
        let judgement = judge(
            &chosen.component,
            loaded,
            &self.catalogue,
            &snapshot,
            &evidence_digest,
            Some(input),
        );
        let parent = &chosen.parent.report;
        let report_id = Self::new_id("rp")?;
        let mut tally = self.tally()?;
        // The outcome record that this report goes into is not in the log yet.
        tally.settle(&ran.intent_record_id, ran.outcome.duration_us, ran.outcome.bytes);
        let budget = self.budget(&tally, Some(&parent.incident_id), Some(database));
        let common_args = self.common_args(&request.database);
        let context = ActionContext {
            report_id: &report_id,
            program: self.program(),
            common_args: &common_args,
            circumstances: self.circumstances(Some(database), &budget, Live::Judged(&ran.verdict)),
            catalogue: &self.catalogue,
        };
        let assembly = assemble(&judgement, &context, request.limit);
        let mut limitations = assembly.limitations.clone();
        limitations.extend(unfinished::limitations(&tally, &parent.incident_id));
        let outcome = OutcomeView::new(
            &chosen.offer.action_id,
            &chosen.action.id,
            ran.intent_index,
            &ran.outcome,
        );
        let mut report = outcome_report(
            &report_id,
            parent,
            &snapshot,
            &judgement,
            &ran.verdict,
            budget.clone(),
            limitations,
        );
        report.findings.clone_from(&assembly.findings);
        report.insights.clone_from(&assembly.insights);
        report.next_actions.clone_from(&assembly.next_actions);
        report.outcome = Some(outcome);
        let record = OutcomeRecord {
            intent_record_id: ran.intent_record_id,
            duration_us: ran.outcome.duration_us,
            bytes: ran.outcome.bytes,
            outcome_digest: Some(outcome_digest),
            result: ReportRecord {
                report: report.clone(),
                evidence_digest,
                assessment: judgement.assessment,
                requests: judgement.requests,
                offers: assembly.offers,
            },
        };
        let sealed = self.seal(&report_id, "outcome", Some(&report.incident_id), |index| {
            let mut record = record;
            record.result.report.audit.index = index;
            RecordBody::Outcome(Box::new(record))
        })?;
        report.audit = AuditRef {
            index: sealed.index,
            root: sealed.root.to_string(),
        };
        Ok(report)
    }

    /// What a person would approve: this action with these values on this database, for this report.
    fn scope(&self, chosen: &Chosen, database: &ChosenDatabase) -> ApprovalScope {
        let report = &chosen.parent.report;
        let place = Place {
            incident_id: &report.incident_id,
            parent_report_id: &report.report_id,
            action_id: &chosen.offer.action_id,
            evidence_digest: &chosen.parent.evidence_digest,
            runbook_digest: &report.runbook.digest,
            database: &database.target.to_string(),
            database_id: &database.target.target_id(),
        };
        let subjects = Subjects::new(&chosen.snapshot, &[]);
        let family = chosen.subject_ids.iter().find_map(|id| subjects.get(id)?.family());
        let sample_of = family.map(|family| family.statement.as_str());
        // With the caps that it will have: a person approves what will run.
        let action = database.rules.policy.capped(&chosen.action);
        ApprovalScope::new(&action, &chosen.bound, place, sample_of)
    }

    /// The approval that the request names, verified for what is about to run; none when it names none. `scope` is what a person would
    /// have to approve; none when nobody has to.
    fn permit(
        &self,
        chosen: &Chosen,
        request: &RunSqlRequest,
        scope: Option<&ApprovalScope>,
    ) -> Result<Option<Permit>, GatewayError> {
        let Some(id) = &request.approval else {
            return Ok(None);
        };
        let refuse = |code: &'static str, reason: String| {
            let mut draft = self.draft(chosen, request, code, reason);
            draft.status = Some(ActionStatus::BlockedByPolicy);
            Err(self.refuse(draft))
        };
        let Some(scope) = scope else {
            return refuse(
                "approval_not_needed",
                "the action needs no approval; run it without --approval, so that none is used up".to_owned(),
            );
        };
        let unknown = || {
            "no such approval in this workspace; an approval is named by its id (`ap_…`), and `pg-logstats approvals list` shows what \
             there is"
                .to_owned()
        };
        if unique_part("ap", id).is_none() {
            return refuse("approval_unknown", unknown());
        }
        let Some(bytes) = self.workspace.approval(id)? else {
            return refuse("approval_unknown", unknown());
        };
        let run = Run {
            action: &chosen.action,
            bound: &chosen.bound,
            scope,
        };
        let permit = match Permit::verify(&bytes, id, run, &self.keyring()?, now_us()) {
            Ok(permit) => permit,
            Err(error) => return refuse(error.code(), error.to_string()),
        };
        if !self.asked_for(&permit)? {
            return refuse(
                "approval_request_unknown",
                "the approval answers a request that this workspace's audit log does not have; have this run approved"
                    .to_owned(),
            );
        }
        if self.approval_is_used(id)? {
            return refuse("approval_used", USED.to_owned());
        }
        Ok(Some(permit))
    }

    /// Whether the request that was approved is one of ours, and for the same.
    fn asked_for(&self, permit: &Permit) -> Result<bool, GatewayError> {
        let record = match self.log.read(permit.request_id()) {
            Ok(record) => record,
            Err(AuditError::UnknownId { .. } | AuditError::BadId { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let sealed: Result<SealedRecord, _> = serde_json::from_slice(&record.payload);
        Ok(match sealed.map(|sealed| sealed.body) {
            Ok(RecordBody::Refusal(refusal)) => refusal
                .approval_request
                .is_some_and(|request| request.scope == *permit.scope()),
            _ => false,
        })
    }

    /// Whether the intent that uses the approval up is in the log.
    pub(crate) fn approval_is_used(&self, approval_id: &str) -> Result<bool, GatewayError> {
        match self.log.read(&intent_id(approval_id)) {
            Ok(_) => Ok(true),
            Err(AuditError::UnknownId { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Another process has used the approval since it was looked at: the log has no room for a second intent of its id.
    fn used_meanwhile(&self, chosen: &Chosen, request: &RunSqlRequest, error: GatewayError) -> GatewayError {
        if !matches!(
            &error,
            GatewayError::Workspace(WorkspaceError::Audit(AuditError::DuplicateId { .. }))
        ) {
            return error;
        }
        let mut draft = self.draft(chosen, request, "approval_used", USED);
        draft.status = Some(ActionStatus::BlockedByPolicy);
        self.refuse(draft)
    }

    fn draft(
        &self,
        chosen: &Chosen,
        request: &RunSqlRequest,
        code: &'static str,
        reason: impl Into<String>,
    ) -> RefusalDraft {
        let mut draft = RefusalDraft::new(code, &requested(request), reason);
        draft.incident_id = Some(chosen.parent.report.incident_id.clone());
        draft.parent_report_id = Some(chosen.parent.report.report_id.clone());
        draft.target_id = Some(chosen.action.id.clone());
        draft
    }

    fn refuse_decision(
        &self,
        chosen: &Chosen,
        request: &RunSqlRequest,
        decision: Decision,
        verdict: Option<Verdict>,
        budget: Budget,
        scope: Option<ApprovalScope>,
    ) -> GatewayError {
        let code = if decision.needs_approval {
            "approval_required"
        } else {
            "not_allowed"
        };
        let mut draft = self.draft(chosen, request, code, decision.reason);
        draft.approval = scope.filter(|_| decision.needs_approval).map(Box::new);
        draft.status = Some(decision.status);
        draft.health = verdict;
        draft.budget = Some(budget);
        self.refuse(draft)
    }
}

/// Runs the action; a signal that asks the process to end cancels it on the server, and the outcome record says so.
async fn run_until_interrupted(
    target: &db::Target,
    approved: ApprovedAction,
    intent: DurableIntent,
    guard: &ExecutionGuard,
) -> ActionOutcome {
    let cancel = guard.cancel.clone();
    let interrupt = tokio::spawn(interrupt::asked_to_end(move || cancel.cancel()));
    let outcome = db::execute(target, approved, intent, guard).await;
    interrupt.abort();
    outcome
}

impl Chosen {
    /// The sample statement that is bound, for EXPLAIN ANALYZE.
    fn sample(&self) -> Option<pg_logstats_logs::evidence::Sample> {
        if self.action.kind != ActionKind::ExplainAnalyze {
            return None;
        }
        let digest = self.bound.iter().find_map(|b| match &b.value {
            BoundValue::Sample { sha256 } => Some(sha256),
            _ => None,
        })?;
        let subjects = Subjects::new(&self.snapshot, &[]);
        let found = self
            .subject_ids
            .iter()
            .filter_map(|id| subjects.get(id))
            .find_map(Subject::sample)?;
        (crate::subjects::sample_digest(found) == *digest).then(|| found.clone())
    }
}

fn requested(request: &RunSqlRequest) -> String {
    let names: Vec<&str> = request.parameters.iter().map(|(name, _)| name.as_str()).collect();
    format!(
        "run-sql --triage-report {} --action-id {} {}{}",
        request.triage_report,
        request.action_id,
        names.join(" "),
        request
            .approval
            .as_ref()
            .map_or_else(String::new, |id| format!(" --approval {id}"))
    )
}

/// What the action `action_id` of `parent` would bind; or why there is no such thing.
fn find_offer<'a>(parent: &'a ReportRecord, action_id: &str) -> Result<&'a Offer, String> {
    if let Some(offer) = parent.offers.iter().find(|o| o.action_id == action_id) {
        return Ok(offer);
    }
    match parent.report.next_actions.iter().find(|a| a.action_id == action_id) {
        Some(action) if action.action_type == ActionType::RunSql => {
            Err(format!("the action is {}: {}", action.status, action.status_reason))
        }
        Some(action) => Err(format!(
            "the action is a {}, not a run_sql; see its command in the report",
            action.action_type
        )),
        None => {
            let known = crate::listed(parent.offers.iter().map(|o| &o.action_id));
            Err(format!(
                "the report has no action of that id; its run_sql actions are: {known}"
            ))
        }
    }
}

/// The offer's parameters with values read again from the evidence; none when a subject or a fact is gone.
fn bind_again(action: &Action, offer: &Offer, subjects: &Subjects) -> Option<Vec<OfferedParameter>> {
    offer
        .parameters
        .iter()
        .map(|sealed| {
            let parameter = action.parameter(&sealed.name)?;
            let values = subjects.get(&sealed.subject)?.values(parameter.facet)?;
            let is_same = values == sealed.values && !values.is_empty();
            is_same.then(|| OfferedParameter {
                values,
                ..sealed.clone()
            })
        })
        .collect()
}

fn outcome_report(
    report_id: &str,
    parent: &Report,
    snapshot: &EvidenceSnapshot,
    judgement: &Judgement,
    verdict: &Verdict,
    budget: Budget,
    limitations: Vec<Limitation>,
) -> Report {
    let log = snapshot.log.as_ref();
    let (level, verdict_reasons) = verdict_fields(Some(verdict));
    Report {
        schema_version: SCHEMA_VERSION,
        report_id: report_id.to_owned(),
        parent_report_id: Some(parent.report_id.clone()),
        incident_id: parent.incident_id.clone(),
        created_at: rfc3339(now_us()),
        workflow: judgement.workflow.clone(),
        operating_mode: operating_mode(log.is_some(), Some(verdict)),
        limitations,
        verdict: level,
        verdict_reasons,
        health: Some(verdict.clone()),
        analysis_window: log.and_then(|l| l.window).map(AnalysisWindow::new),
        source_summary: SourceSummary::new("parent_report", log),
        alert: parent.alert.clone(),
        baseline: snapshot
            .comparison
            .as_ref()
            .map(|it| Baseline::new("parent_report", it)),
        findings: Vec::new(),
        insights: Vec::new(),
        next_actions: Vec::new(),
        outcome: None,
        budget,
        runbook: judgement.info.clone(),
        audit: AuditRef {
            index: 0,
            root: String::new(),
        },
    }
}

#[cfg(test)]
mod tests;
