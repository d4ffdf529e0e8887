//! What is wrong with a runbook that keeps the contract: words that it declares and does not use, and conclusions without a reason.
//!
//! **In**: a descriptor, what all runs used, what each said. **Out**: [`Problem`]s. A descriptor is the manifest that people vouch for:
//! an action in it that is never asked for is a permission that nobody needs, and a message that is never said was never read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::Used;
use super::said::Said;
use crate::catalogue::Catalogue;
use crate::runbook::CheckedDescriptor;

/// Something that keeps a runbook from passing its test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// A stable word for it.
    pub code: String,
    /// The fixture that shows it; none when it is about all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixture: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            fixture: None,
            message: message.into(),
        }
    }

    pub(super) fn of(fixture: &str, code: &str, message: impl Into<String>) -> Self {
        Self {
            fixture: Some(fixture.to_owned()),
            ..Self::new(code, message)
        }
    }
}

/// Words that are declared and that the catalogue does not know, or no run used.
pub(super) fn unused(descriptor: &CheckedDescriptor, catalogue: &Catalogue, used: &Used) -> Vec<Problem> {
    let mut problems = Vec::new();
    for action in descriptor.actions() {
        if catalogue.get(action).is_none() {
            problems.push(Problem::new(
                "unknown_action",
                format!("the descriptor lists the action `{action}`, which this host's catalogue does not have; `pg-logstats catalog list` shows what there is"),
            ));
        } else if !used.actions.contains(action) {
            problems.push(Problem::new(
                "action_never_requested",
                format!("the descriptor lists the action `{action}`, and no fixture makes the runbook ask for it; add a fixture that does, or leave it out of the descriptor"),
            ));
        }
    }
    let mut never = |code: &str, what: &str, verb: &str, word: &str| {
        problems.push(Problem::new(
            code,
            format!("the descriptor lists the {what} `{word}`, and no fixture makes the runbook {verb}; add a fixture that does, or leave it out of the descriptor"),
        ));
    };
    for (id, _) in descriptor.messages().filter(|(id, _)| !used.messages.contains(*id)) {
        never("message_never_used", "message", "say it", id);
    }
    for id in descriptor.insights().filter(|id| !used.insights.contains(*id)) {
        never("insight_never_used", "insight", "give it", id);
    }
    for code in descriptor
        .reason_codes()
        .filter(|code| !used.reason_codes.contains(*code))
    {
        never("reason_code_never_used", "reason code", "give it", code);
    }
    for workflow in descriptor.workflows().filter(|it| !used.workflows.contains(*it)) {
        never("workflow_never_used", "workflow", "send the agent there", workflow);
    }
    problems
}

/// Findings, insights and next actions of `fixture` that say nothing of why.
pub(super) fn without_reason(fixture: &str, said: &Said) -> Vec<Problem> {
    let findings = said.findings.iter().map(|it| ("finding", &it.title, &it.reason));
    let insights = said.insights.iter().map(|it| ("insight", &it.title, &it.reason));
    let actions = said
        .next_actions
        .iter()
        .map(|it| ("next action", &it.label, &it.reason));
    let is_none = |reason: &str, title: &str| reason.trim().is_empty() || reason.trim() == title.trim();
    findings
        .chain(insights)
        .chain(actions)
        .filter(|(_, title, reason)| is_none(reason, title))
        .map(|(what, title, _)| {
            Problem::of(
                fixture,
                "no_reason",
                format!("the {what} `{title}` has no reason of its own; say how that is known"),
            )
        })
        .collect()
}

/// What was asked for that an honest runbook does not ask for.
pub(super) fn mistaken_requests(fixture: &str, requests: &crate::runbook::requests::RequestLog) -> Vec<Problem> {
    use crate::runbook::requests::Answer;
    let mistakes = requests.entries.iter().filter_map(|entry| match &entry.answer {
        Answer::Denied { denial, .. } if !denial.is_ordinary() => Some((entry.action.text(), denial)),
        _ => None,
    });
    let mut problems: Vec<Problem> = mistakes
        .map(|(action, denial)| {
            Problem::of(
                fixture,
                "request_refused",
                format!(
                    "the host refuses the request of `{action}`: {}; `pg-logstats catalog show` says what the action binds, and the \
                     descriptor has to list it",
                    denial.as_str()
                ),
            )
        })
        .collect();
    problems.dedup();
    problems
}
