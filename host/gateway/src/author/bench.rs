//! A component in the engine, as a triage runs it, but with all that it said and used to look at.
//!
//! **In**: the bytes of any component. **Out**: its checked descriptor, and [`Ran`] for each call. **Trusted**: nothing of it; it has no
//! database and nothing it says is sealed. **Can fail**: with [`RunbookError`], the runbook being to blame.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::catalogue::Catalogue;
use crate::judge::{OutcomeInput, Run, described};
use crate::outcome::RecordedOutcome;
use crate::runbook::bindings::pg_logstats::runbook::types as wit;
use crate::runbook::requests::{Answer, RequestLog};
use crate::runbook::{CheckedAssessment, CheckedDescriptor, LoadedRunbook, RunbookEngine, RunbookError, WitVersion};
use crate::snapshot::EvidenceSnapshot;
use crate::subjects::Subjects;

/// A component that describes itself as the contract asks.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) digest: [u8; 32],
    pub(super) descriptor: Arc<CheckedDescriptor>,
    loaded: LoadedRunbook,
}

/// What one call came to.
#[derive(Debug)]
pub(super) struct Ran {
    /// What it said, or why it said nothing.
    pub(super) conclusion: Result<CheckedAssessment, RunbookError>,
    /// As a record has them: none when the call itself failed.
    pub(super) requests: RequestLog,
    /// Fuel of the call; 0 when it failed.
    pub(super) fuel: u64,
    /// The declared words that it used.
    pub(super) used: Used,
}

/// Words of a descriptor that were used.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) actions: BTreeSet<String>,
    pub(super) workflows: BTreeSet<String>,
    pub(super) messages: BTreeSet<String>,
    pub(super) insights: BTreeSet<String>,
    pub(super) reason_codes: BTreeSet<String>,
}

impl Used {
    pub(super) fn absorb(&mut self, other: Self) {
        self.actions.extend(other.actions);
        self.workflows.extend(other.workflows);
        self.messages.extend(other.messages);
        self.insights.extend(other.insights);
        self.reason_codes.extend(other.reason_codes);
    }

    fn note(&mut self, raw: &wit::Assessment) {
        let mut said: Vec<&wit::Message> = raw.limitations.iter().collect();
        for finding in &raw.findings {
            said.extend([&finding.title, &finding.reason]);
            self.reason_codes.extend(finding.reason_codes.iter().cloned());
        }
        for insight in &raw.insights {
            said.extend([&insight.title, &insight.reason]);
            self.insights.insert(insight.id.clone());
        }
        for action in &raw.next_actions {
            said.extend([&action.label, &action.reason]);
            if let wit::Step::RunWorkflow(workflow) = &action.step {
                self.workflows.insert(workflow.clone());
            }
        }
        self.messages.extend(said.into_iter().map(|message| message.id.clone()));
    }
}

impl Bench {
    /// Loads `component` and asks it for its descriptor.
    pub(super) fn load(component: &[u8]) -> Result<Self, RunbookError> {
        let digest: [u8; 32] = Sha256::digest(component).into();
        let loaded = RunbookEngine::new()?.load(component, &digest, None)?;
        let descriptor = described(&loaded).0?;
        Ok(Self {
            digest,
            descriptor,
            loaded,
        })
    }

    /// The version of the contract that it was built for.
    pub(super) fn wit_version(&self) -> WitVersion {
        self.loaded.wit_version()
    }

    /// Its digest, as reports have it.
    pub(super) fn digest(&self) -> String {
        format!("sha256:{}", crate::hex(&self.digest))
    }

    /// Runs it on evidence, and on an outcome where there is one.
    pub(super) fn run(
        &self,
        catalogue: &Arc<Catalogue>,
        snapshot: &EvidenceSnapshot,
        evidence_digest: &str,
        outcome: Option<&RecordedOutcome>,
    ) -> Ran {
        let plan = outcome.map(|it| it.outcome.plan.as_slice()).unwrap_or_default();
        let subjects = Arc::new(Subjects::of(self.wit_version(), snapshot, plan));
        let run = Run {
            digest: &self.digest,
            descriptor: &self.descriptor,
            subjects: &subjects,
            catalogue,
            snapshot,
            evidence_digest,
            outcome: outcome.map(|it| OutcomeInput {
                target_id: &it.target_id,
                subjects: &it.subjects,
                outcome: &it.outcome,
            }),
        };
        let mut used = Used::default();
        let called = run.call(&self.loaded);
        match called.answer {
            Ok(assessment) => {
                used.note(&assessment);
                used.actions.extend(asked_for(&called.requests));
                Ran {
                    conclusion: run.check(&assessment, &called.requests),
                    requests: called.requests,
                    fuel: called.usage.fuel,
                    used,
                }
            }
            Err(error) => {
                if let RunbookError::GaveUp(sentence) = &error {
                    used.messages.extend(self.descriptor.messages_that_fit(sentence));
                }
                Ran {
                    conclusion: Err(error),
                    requests: RequestLog::default(),
                    fuel: 0,
                    used,
                }
            }
        }
    }
}

/// The phase of a run: the second one where there is an outcome.
pub(super) fn phase(outcome: Option<&RecordedOutcome>) -> String {
    match outcome {
        None => "triage".to_owned(),
        Some(_) => "interpret".to_owned(),
    }
}

/// The actions of the catalogue that were asked for, whatever the answer.
fn asked_for(requests: &RequestLog) -> impl Iterator<Item = String> {
    requests.entries.iter().filter_map(|entry| match &entry.answer {
        Answer::Offered { action_id, .. } => Some(action_id.clone()),
        Answer::Denied { action_id, .. } => action_id.clone(),
    })
}
