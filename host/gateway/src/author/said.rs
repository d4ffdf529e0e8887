//! What a runbook said, in a form that two builds of it can be compared by.
//!
//! **In**: a checked assessment and its requests. **Out**: the same without tickets, which differ with every build because they are
//! derived from the component's digest: a `run_sql` is named by its action and by what it binds. **Trusted**: it was checked before.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::runbook::CheckedAssessment;
use crate::runbook::assessment::{CheckedFinding, CheckedInsight, CheckedStep};
use crate::runbook::requests::{Answer, RequestLog};
use crate::words::Priority;

/// What a runbook said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// In order of rank.
    pub findings: Vec<CheckedFinding>,
    /// Conclusions from an outcome.
    pub insights: Vec<CheckedInsight>,
    /// What could be done next.
    pub next_actions: Vec<SaidAction>,
    /// What the evidence could not show.
    pub limitations: Vec<String>,
    /// What it asked for and the host did not offer.
    pub denied: Vec<DeniedRequest>,
}

/// A next action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaidAction {
    /// What it does.
    pub step: SaidStep,
    /// For the agent.
    pub label: String,
    /// Why.
    pub reason: String,
    /// How important it is.
    pub priority: Priority,
    /// Whether somebody has to judge.
    pub judgement_required: bool,
    /// Positions in `findings`.
    pub findings: Vec<u32>,
}

/// What a next action does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum SaidStep {
    /// Run an action of the catalogue.
    RunSql {
        /// Which.
        action_id: String,
        /// Parameters, and the subjects that fill them.
        bindings: BTreeMap<String, String>,
    },
    /// Take another runbook.
    RunWorkflow {
        /// Which.
        workflow: String,
    },
    /// Hand over to a person.
    PromptUser,
    /// Nothing more to do.
    Stop,
}

/// A request that the host did not offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeniedRequest {
    /// The action, where the catalogue has it.
    pub action_id: Option<String>,
    /// What it was about, where the evidence has it.
    pub subject: Option<String>,
    /// Why.
    pub denial: String,
}

impl Said {
    /// Of an assessment and the requests that it was made with.
    pub fn new(assessment: &CheckedAssessment, requests: &RequestLog) -> Self {
        let step = |step: &CheckedStep| match step {
            CheckedStep::RunSql { ticket } => {
                let (action_id, parameters) = requests.offer(*ticket).unwrap_or_default();
                SaidStep::RunSql {
                    action_id: action_id.to_owned(),
                    bindings: parameters.iter().map(|p| (p.name.clone(), p.subject.clone())).collect(),
                }
            }
            CheckedStep::RunWorkflow { workflow } => SaidStep::RunWorkflow {
                workflow: workflow.clone(),
            },
            CheckedStep::PromptUser => SaidStep::PromptUser,
            CheckedStep::Stop => SaidStep::Stop,
        };
        let action = |action: &crate::runbook::assessment::CheckedNextAction| SaidAction {
            step: step(&action.step),
            label: action.label.clone(),
            reason: action.reason.clone(),
            priority: action.priority,
            judgement_required: action.judgement_required,
            findings: action.findings.clone(),
        };
        Self {
            findings: assessment.findings.clone(),
            insights: assessment.insights.clone(),
            next_actions: assessment.next_actions.iter().map(action).collect(),
            limitations: assessment.limitations.clone(),
            denied: denied(requests),
        }
    }
}

fn denied(requests: &RequestLog) -> Vec<DeniedRequest> {
    let denied = requests.entries.iter().filter_map(|entry| match &entry.answer {
        Answer::Denied {
            denial,
            action_id,
            subject,
        } => Some(DeniedRequest {
            action_id: action_id.clone(),
            subject: subject.clone(),
            denial: denial.as_str().to_owned(),
        }),
        Answer::Offered { .. } => None,
    });
    denied.collect()
}
