//! Puts a report's parts together from what a runbook said and what the host knows.

use serde::{Deserialize, Serialize};

use crate::catalogue::{BoundParameter, BoundValue, Catalogue};
use crate::gate::{Circumstances, decide, written};
use crate::runbook::assessment::{CheckedAssessment, CheckedFinding, CheckedInsight, CheckedNextAction, CheckedStep};
use crate::runbook::requests::{Answer, Denial, OfferedParameter, RequestLog};
use crate::subjects::Subjects;
use crate::untrusted::Untrusted;
use crate::words::{ActionStatus, ActionType, FindingKind, Priority};

use super::views::{counted, facts, subject};
use super::{ActionParameter, Command, Finding, Insight, Limitation, NextAction, ParameterValue, Survey};

/// What the next actions of a report depend on.
#[derive(Debug, Clone, Copy)]
pub struct ActionContext<'a> {
    /// The report that they stand in.
    pub report_id: &'a str,
    /// What every command begins with: the program, and `--agent` in agent mode.
    pub program: &'static [&'static str],
    /// Arguments that every command needs to find the same workspace and configuration.
    pub common_args: &'a [String],
    /// What decides.
    pub circumstances: Circumstances<'a>,
    /// The actions.
    pub catalogue: &'a Catalogue,
}

/// The parts of a report that come from a runbook.
#[derive(Debug, Clone, Default)]
pub struct Assembly {
    /// By rank.
    pub findings: Vec<Finding>,
    /// From an outcome.
    pub insights: Vec<Insight>,
    /// With their status now.
    pub next_actions: Vec<NextAction>,
    /// What the `run_sql` actions among them would bind; sealed with the report.
    pub offers: Vec<Offer>,
    /// What could not be told.
    pub limitations: Vec<Limitation>,
}

/// What an action of a report would bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The action's id in the report.
    pub action_id: String,
    /// The catalogue action.
    pub target_id: String,
    /// Its parameters, by subject, with the values that the evidence offers.
    pub parameters: Vec<OfferedParameter>,
}

impl Assembly {
    /// Adds the host's facts to `assessment`. At most `max_findings` findings are kept, with what belongs to them.
    pub fn new(
        assessment: &CheckedAssessment,
        requests: &RequestLog,
        subjects: &Subjects,
        context: &ActionContext<'_>,
        max_findings: usize,
    ) -> Self {
        let findings: Vec<Finding> = assessment
            .findings
            .iter()
            .take(max_findings)
            .enumerate()
            .map(|(i, f)| finding(i, f, subjects))
            .collect();
        let mut limitations: Vec<Limitation> = assessment
            .limitations
            .iter()
            .map(|message| Limitation {
                code: "runbook".to_owned(),
                message: message.clone(),
                count: None,
            })
            .collect();
        if assessment.findings.len() > findings.len() {
            let left_out = (assessment.findings.len() - findings.len()) as u64;
            limitations.push(Limitation {
                code: "findings_left_out".to_owned(),
                message: format!(
                    "{} of lower rank left out; --limit shows more",
                    counted(left_out, "finding")
                ),
                count: Some(left_out),
            });
        }
        limitations.extend(refused_requests(requests));
        let (next_actions, offers) = next_actions(&assessment.next_actions, requests, context, findings.len());
        Self {
            insights: assessment.insights.iter().map(|i| insight(i, subjects)).collect(),
            next_actions,
            offers,
            findings,
            limitations,
        }
    }
}

fn finding(position: usize, checked: &CheckedFinding, subjects: &Subjects) -> Finding {
    let facts = checked
        .subject
        .as_deref()
        .map(|id| facts(id, subjects))
        .unwrap_or_default();
    let mut finding = Finding {
        finding_id: finding_id(position),
        kind: checked.kind,
        rank: u32::try_from(position + 1).unwrap_or(u32::MAX),
        title: checked.title.clone(),
        reason: checked.reason.clone(),
        reason_codes: checked.reason_codes.clone(),
        score: checked.score,
        confidence: checked.confidence,
        metrics: facts.metrics,
        evidence: checked.evidence.iter().filter_map(|id| subject(id, subjects)).collect(),
        regression: None,
        query_family: facts.query_family,
        error_class: facts.error_class,
        lock_wait: facts.lock_wait,
        deadlock: facts.deadlock,
        temp_file: facts.temp_file,
        checkpoint: facts.activity.checkpoint,
        autovacuum: facts.activity.autovacuum,
        connection: facts.activity.connection,
        client: facts.activity.client,
        cancellation: facts.activity.cancellation,
        logged_plan: facts.activity.logged_plan,
        subject: facts.other,
    };
    if checked.kind == FindingKind::SlowQueryRegression {
        finding.tell_regression(checked.subject.as_deref(), subjects);
    }
    finding
}

fn finding_id(position: usize) -> String {
    format!("f_{:02}", position + 1)
}

fn insight(checked: &CheckedInsight, subjects: &Subjects) -> Insight {
    Insight {
        insight_id: checked.id.clone(),
        title: checked.title.clone(),
        reason: checked.reason.clone(),
        confidence: checked.confidence,
        evidence: checked.evidence.iter().filter_map(|id| subject(id, subjects)).collect(),
        recommendation: checked
            .recommendation
            .as_ref()
            .and_then(|r| super::recommend::render(r, subjects)),
    }
}

/// The next actions with their status under `context`, and what each `run_sql` among them would bind: those of the runbook in its order, then the ones that it asked for and could
/// not have. Actions that follow only from findings that are not shown are left out with them.
fn next_actions(
    checked: &[CheckedNextAction],
    requests: &RequestLog,
    context: &ActionContext<'_>,
    shown_findings: usize,
) -> (Vec<NextAction>, Vec<Offer>) {
    let shown = |action: &&CheckedNextAction| {
        action.findings.is_empty() || action.findings.iter().any(|&f| (f as usize) < shown_findings)
    };
    let mut actions: Vec<NextAction> = Vec::new();
    let mut offers: Vec<Offer> = Vec::new();
    for action in checked.iter().filter(shown) {
        let id = action_id(actions.len());
        if let CheckedStep::RunSql { ticket } = action.step
            && let Some((target, parameters)) = requests.offer(ticket)
        {
            offers.push(Offer {
                action_id: id.clone(),
                target_id: target.to_owned(),
                parameters: parameters.to_vec(),
            });
        }
        actions.extend(offered(&id, action, requests, context, shown_findings));
    }
    for (denial, target, subject) in omitted(requests) {
        let id = action_id(actions.len());
        actions.push(omitted_action(&id, denial, target, subject, context));
    }
    (actions, offers)
}

/// The id of the action at `position` of a report.
fn action_id(position: usize) -> String {
    format!("act_{:02}", position + 1)
}

fn offered(
    action_id: &str,
    checked: &CheckedNextAction,
    requests: &RequestLog,
    context: &ActionContext<'_>,
    shown_findings: usize,
) -> Option<NextAction> {
    let mut action = NextAction {
        action_id: action_id.to_owned(),
        action_type: ActionType::Stop,
        label: checked.label.clone(),
        status: ActionStatus::Allowed,
        status_reason: "nothing has to be run".to_owned(),
        priority: checked.priority,
        judgement_required: checked.judgement_required,
        reason: checked.reason.clone(),
        target_id: None,
        parameters: Vec::new(),
        risk: None,
        action_class: None,
        command: None,
        survey: None,
        findings: checked
            .findings
            .iter()
            .filter(|&&f| (f as usize) < shown_findings)
            .map(|&f| finding_id(f as usize))
            .collect(),
    };
    match &checked.step {
        CheckedStep::RunSql { ticket } => {
            let (target, parameters) = requests.offer(*ticket)?;
            fill_run_sql(&mut action, target, parameters, context)?;
        }
        CheckedStep::RunWorkflow { workflow } => {
            action.action_type = ActionType::RunWorkflow;
            action.target_id = Some(workflow.clone());
            action.status_reason = "it reads the evidence of this report and needs no database".to_owned();
            action.command = Some(command(
                &["triage", workflow, "--parent-report", context.report_id],
                context,
            ));
        }
        CheckedStep::PromptUser => {
            action.action_type = ActionType::PromptUser;
            action.status_reason = "it waits for a person".to_owned();
            action.survey = Some(Survey {
                question: checked.label.clone(),
                answers: ["done", "declined", "need more evidence"].map(str::to_owned).to_vec(),
            });
        }
        CheckedStep::Stop => {}
    }
    Some(action)
}

fn fill_run_sql(
    action: &mut NextAction,
    target: &str,
    parameters: &[OfferedParameter],
    context: &ActionContext<'_>,
) -> Option<()> {
    let catalogued = context.catalogue.get(target)?;
    let bound: Vec<BoundParameter> = parameters
        .iter()
        .filter_map(|p| {
            Some(BoundParameter {
                name: p.name.clone(),
                value: p.values.first()?.clone(),
            })
        })
        .collect();
    let decision = decide(catalogued, &bound, None, &context.circumstances);
    action.action_type = ActionType::RunSql;
    action.status = decision.status;
    action.status_reason = decision.reason;
    action.target_id = Some(target.to_owned());
    action.risk = Some(catalogued.risk(&bound));
    action.action_class = Some(catalogued.class);
    action.command = Some(command(
        &[
            "run-sql",
            "--triage-report",
            context.report_id,
            "--action-id",
            &action.action_id,
        ],
        context,
    ));
    action.parameters = parameters
        .iter()
        .filter_map(|offered| {
            let description = catalogued
                .parameters
                .iter()
                .find(|p| p.name == offered.name)?
                .description
                .clone();
            let shown: Vec<ParameterValue> = offered.values.iter().map(shown_value).collect();
            Some(ActionParameter {
                name: offered.name.clone(),
                description,
                subject_id: offered.subject.clone(),
                value: shown.first()?.clone(),
                choices: if shown.len() > 1 { shown } else { Vec::new() },
            })
        })
        .collect();
    Some(())
}

fn shown_value(value: &BoundValue) -> ParameterValue {
    match value {
        BoundValue::Text { value } => ParameterValue::Text(Untrusted::capped(value, 200)),
        BoundValue::RelationName { .. } => ParameterValue::Text(Untrusted::capped(&written(value), 200)),
        other => ParameterValue::Plain(written(other)),
    }
}

fn command(words: &[&str], context: &ActionContext<'_>) -> Command {
    let mut argv: Vec<String> = context.program.iter().map(|word| (*word).to_owned()).collect();
    argv.extend(words.iter().map(|w| (*w).to_owned()));
    argv.extend(context.common_args.iter().cloned());
    Command { argv }
}

/// Requests that an honest runbook could not have, once for each action and reason.
fn omitted(requests: &RequestLog) -> Vec<(Denial, String, Option<String>)> {
    let mut omitted: Vec<(Denial, String, Option<String>)> = Vec::new();
    for entry in &requests.entries {
        let Answer::Denied {
            denial,
            action_id: Some(action_id),
            subject,
        } = &entry.answer
        else {
            continue;
        };
        let is_omission = matches!(denial, Denial::NotEnoughContext | Denial::UnsupportedTarget);
        if is_omission && !omitted.iter().any(|(d, a, _)| d == denial && a == action_id) {
            omitted.push((*denial, action_id.clone(), subject.clone()));
        }
    }
    omitted
}

fn omitted_action(
    action_id: &str,
    denial: Denial,
    target: String,
    subject: Option<String>,
    context: &ActionContext<'_>,
) -> NextAction {
    let (status, status_reason) = match denial {
        Denial::UnsupportedTarget => (
            ActionStatus::OmittedUnsupportedTarget,
            "the statement is of a kind that it cannot handle; no setting changes that".to_owned(),
        ),
        _ => (
            ActionStatus::OmittedNotEnoughContext,
            "the log does not tell what it would bind; log query ids (compute_query_id = on and %Q in log_line_prefix, csvlog or \
             jsonlog), and database, user and application name (%d %u %a)"
                .to_owned(),
        ),
    };
    let catalogued = context.catalogue.get(&target);
    NextAction {
        action_id: action_id.to_owned(),
        action_type: ActionType::RunSql,
        label: catalogued.map(|a| a.title.clone()).unwrap_or_default(),
        status,
        status_reason,
        priority: Priority::Optional,
        judgement_required: false,
        reason: match subject {
            Some(subject) => format!("the runbook wanted it for {subject}, and perhaps for others"),
            None => "the runbook wanted it".to_owned(),
        },
        target_id: Some(target),
        parameters: Vec::new(),
        risk: None,
        action_class: catalogued.map(|a| a.class),
        command: None,
        survey: None,
        findings: Vec::new(),
    }
}

/// Requests that no honest runbook makes.
fn refused_requests(requests: &RequestLog) -> Vec<Limitation> {
    let mut refused: Vec<(Denial, u64)> = Vec::new();
    for entry in &requests.entries {
        let Answer::Denied { denial, .. } = &entry.answer else {
            continue;
        };
        if denial.is_ordinary() {
            continue;
        }
        match refused.iter_mut().find(|(d, _)| d == denial) {
            Some((_, count)) => *count += 1,
            None => refused.push((*denial, 1)),
        }
    }
    refused
        .into_iter()
        .map(|(denial, count)| Limitation {
            code: "request_refused".to_owned(),
            message: format!(
                "the runbook asked for what it may not have ({}); the host refused",
                denial.as_str()
            ),
            count: Some(count),
        })
        .collect()
}
