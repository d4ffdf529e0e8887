//! The one import of a runbook: requests for actions of the catalogue.
//!
//! **In**: an action id and bindings of subjects, from a guest. **Out**: tickets and denials, and the log of both. **Trusted**:
//! nothing of the request; a value is bound only if it is a fact of a subject of this run.

use std::sync::Arc;

use pg_logstats_logs::evidence::StatementKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bindings::pg_logstats::runbook::{actions, types as wit};
use super::bindings::v0_1_0::pg_logstats::runbook::actions as actions_v0_1_0;
use super::descriptor::{CheckedDescriptor, KnowsSubjects};
use super::engine::RunState;
use super::limits;
use super::usage::HandedOver as _;
use crate::catalogue::{Action, ActionKind, BoundValue, Catalogue};
use crate::subjects::{Subject, Subjects};
use crate::untrusted::Untrusted;

/// Why the host did not offer a requested action; the words of the WIT's `denial`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented in wit/0.2.0/types.wit")]
pub enum Denial {
    UnknownAction,
    UndeclaredAction,
    UnknownParameter,
    UnknownSubject,
    WrongSubjectKind,
    NotEnoughContext,
    UnsupportedTarget,
    TooManyRequests,
}

impl Denial {
    fn to_wit(self) -> wit::Denial {
        match self {
            Self::UnknownAction => wit::Denial::UnknownAction,
            Self::UndeclaredAction => wit::Denial::UndeclaredAction,
            Self::UnknownParameter => wit::Denial::UnknownParameter,
            Self::UnknownSubject => wit::Denial::UnknownSubject,
            Self::WrongSubjectKind => wit::Denial::WrongSubjectKind,
            Self::NotEnoughContext => wit::Denial::NotEnoughContext,
            Self::UnsupportedTarget => wit::Denial::UnsupportedTarget,
            Self::TooManyRequests => wit::Denial::TooManyRequests,
        }
    }

    /// Whether an honest runbook can meet it; any other means that the runbook asked for what it must not.
    pub fn is_ordinary(self) -> bool {
        matches!(
            self,
            Self::NotEnoughContext | Self::UnsupportedTarget | Self::TooManyRequests
        )
    }

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAction => "unknown_action",
            Self::UndeclaredAction => "undeclared_action",
            Self::UnknownParameter => "unknown_parameter",
            Self::UnknownSubject => "unknown_subject",
            Self::WrongSubjectKind => "wrong_subject_kind",
            Self::NotEnoughContext => "not_enough_context",
            Self::UnsupportedTarget => "unsupported_target",
            Self::TooManyRequests => "too_many_requests",
        }
    }
}

/// A parameter with the values that the evidence offers for it, the preferred first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferedParameter {
    /// The parameter's name.
    pub name: String,
    /// Id of the subject that fills it.
    pub subject: String,
    /// At least one.
    pub values: Vec<BoundValue>,
}

/// A request as it was made, and the host's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestEntry {
    /// The action asked for; the guest's text.
    pub action: Untrusted,
    /// Parameter and subject of each binding; the guest's text.
    pub bindings: Vec<(Untrusted, Untrusted)>,
    /// What came of it.
    pub answer: Answer,
}

/// The host's answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The action may be offered to the agent.
    Offered {
        /// Stands for it in the assessment. A string in JSON.
        #[serde(with = "crate::decimal")]
        ticket: u64,
        /// The catalogue action.
        action_id: String,
        /// Its parameters in the catalogue's order; absent optional ones are missing.
        parameters: Vec<OfferedParameter>,
    },
    /// It may not.
    Denied {
        /// Why.
        denial: Denial,
        /// The catalogue action, when there is one.
        action_id: Option<String>,
        /// The first subject that was known among the bindings.
        subject: Option<String>,
    },
}

/// All requests of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLog {
    /// In the order they were made.
    pub entries: Vec<RequestEntry>,
}

impl RequestLog {
    /// The offer that `ticket` stands for.
    pub fn offer(&self, ticket: u64) -> Option<(&str, &[OfferedParameter])> {
        self.entries.iter().find_map(|entry| match &entry.answer {
            Answer::Offered {
                ticket: issued,
                action_id,
                parameters,
            } if *issued == ticket => Some((action_id.as_str(), parameters.as_slice())),
            _ => None,
        })
    }
}

/// Knows no subject: for messages that may not name one.
pub(super) struct NoSubjects;

impl KnowsSubjects for NoSubjects {
    fn knows(&self, _id: &str) -> bool {
        false
    }
}

impl KnowsSubjects for Subjects {
    fn knows(&self, id: &str) -> bool {
        self.get(id).is_some()
    }
}

/// The host's side of one run.
#[derive(Debug)]
pub struct ActionHost {
    descriptor: Arc<CheckedDescriptor>,
    subjects: Arc<Subjects>,
    catalogue: Arc<Catalogue>,
    /// Makes this run's tickets differ from any other run's, and the same when the run is replayed.
    seed: [u8; 32],
    log: RequestLog,
}

impl ActionHost {
    /// A host for one call. `seed` is the digest of what makes the run what it is: component, phase and input.
    pub fn new(
        descriptor: Arc<CheckedDescriptor>,
        subjects: Arc<Subjects>,
        catalogue: Arc<Catalogue>,
        seed: [u8; 32],
    ) -> Self {
        Self {
            descriptor,
            subjects,
            catalogue,
            seed,
            log: RequestLog::default(),
        }
    }

    pub(super) fn descriptor(&self) -> Arc<CheckedDescriptor> {
        Arc::clone(&self.descriptor)
    }

    pub(super) fn into_log(self) -> RequestLog {
        self.log
    }

    fn answer(&mut self, request: &wit::ActionRequest) -> Result<u64, Denial> {
        // Past the limit nothing is kept, so that the log is bounded.
        if self.log.entries.len() >= limits::REQUESTS {
            return Err(Denial::TooManyRequests);
        }
        let offered = self.offer(request);
        let known_action = self.catalogue.get(&request.action).map(|a| a.id.clone());
        let answer = match &offered {
            Ok(parameters) => Answer::Offered {
                ticket: self.ticket(),
                action_id: known_action.unwrap_or_default(),
                parameters: parameters.clone(),
            },
            Err(denial) => Answer::Denied {
                denial: *denial,
                action_id: known_action,
                subject: request
                    .bindings
                    .iter()
                    .map(|b| &b.subject)
                    .find(|id| self.subjects.get(id).is_some())
                    .cloned(),
            },
        };
        let result = match &answer {
            Answer::Offered { ticket, .. } => Ok(*ticket),
            Answer::Denied { denial, .. } => Err(*denial),
        };
        let quote = |text: &str| Untrusted::capped(text, 120);
        self.log.entries.push(RequestEntry {
            action: quote(&request.action),
            bindings: request
                .bindings
                .iter()
                .take(limits::SMALL_LIST)
                .map(|b| (quote(&b.parameter), quote(&b.subject)))
                .collect(),
            answer,
        });
        result
    }

    fn offer(&self, request: &wit::ActionRequest) -> Result<Vec<OfferedParameter>, Denial> {
        let action = self.catalogue.get(&request.action).ok_or(Denial::UnknownAction)?;
        if !self.descriptor.declares_action(&request.action) {
            return Err(Denial::UndeclaredAction);
        }
        let mut offered: Vec<OfferedParameter> = Vec::new();
        let mut missing_fact = false;
        for binding in &request.bindings {
            let parameter = action
                .parameters
                .iter()
                .find(|p| p.name == binding.parameter)
                .filter(|p| offered.iter().all(|o| o.name != p.name))
                .ok_or(Denial::UnknownParameter)?;
            let subject = self.subjects.get(&binding.subject).ok_or(Denial::UnknownSubject)?;
            check_target(action, subject)?;
            let values = subject.values(parameter.facet).ok_or(Denial::WrongSubjectKind)?;
            if values.is_empty() {
                missing_fact |= parameter.required;
                continue;
            }
            offered.push(OfferedParameter {
                name: parameter.name.clone(),
                subject: binding.subject.clone(),
                values,
            });
        }
        let required_missing = action
            .parameters
            .iter()
            .any(|p| p.required && offered.iter().all(|o| o.name != p.name));
        if missing_fact || required_missing || !has_enough(action, &offered) {
            return Err(Denial::NotEnoughContext);
        }
        offered.sort_by_key(|o| action.parameters.iter().position(|p| p.name == o.name));
        Ok(offered)
    }

    fn ticket(&self) -> u64 {
        let mut hash = Sha256::new();
        hash.update(b"pg-logstats ticket v1\0");
        hash.update(self.seed);
        hash.update((self.log.entries.len() as u64).to_le_bytes());
        let digest = hash.finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |ticket, byte| (ticket << 8) | u64::from(*byte))
    }
}

/// Whether one of the parameters is there of which the action needs at least one.
fn has_enough(action: &Action, offered: &[OfferedParameter]) -> bool {
    action.at_least_one_of.is_empty() || offered.iter().any(|o| action.at_least_one_of.contains(&o.name))
}

/// EXPLAIN explains what the planner plans; EXPLAIN ANALYZE runs, so only what reads.
fn check_target(action: &Action, subject: &Subject) -> Result<(), Denial> {
    let Some(family) = subject.family() else { return Ok(()) };
    let plannable = !matches!(family.kind, StatementKind::Utility | StatementKind::Other);
    let supported = match action.kind {
        ActionKind::Query => true,
        ActionKind::Explain => plannable,
        ActionKind::ExplainAnalyze => family.kind == StatementKind::Select,
    };
    if supported {
        Ok(())
    } else {
        Err(Denial::UnsupportedTarget)
    }
}

impl actions::Host for RunState {
    fn request(&mut self, request: wit::ActionRequest) -> wasmtime::Result<Result<wit::Ticket, wit::Denial>> {
        self.meter.host_called(request.bytes())?;
        // `describe` has no host: a descriptor that depends on answers would be no manifest.
        let Some(host) = &mut self.host else {
            return Ok(Err(wit::Denial::TooManyRequests));
        };
        Ok(host.answer(&request).map_err(Denial::to_wit))
    }
}

/// A request is the same in every version.
impl actions_v0_1_0::Host for RunState {
    fn request(&mut self, request: wit::ActionRequest) -> wasmtime::Result<Result<wit::Ticket, wit::Denial>> {
        actions::Host::request(self, request)
    }
}

impl wit::Host for RunState {}

#[cfg(test)]
mod tests;
