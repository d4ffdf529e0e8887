//! The host's side of requests, in memory.

use std::borrow::Cow;
use std::fmt;

use super::TestError;
use super::catalogue::{self, Kind};
use super::descriptor::CheckedDescriptor;
use super::subjects::{Offers, Subjects};
use crate::{ActionRequest, Actions, Denial, Descriptor, Evidence, Outcome, StatementKind, Ticket};

/// Requests that one run may make.
pub(super) const REQUESTS: usize = 256;

/// A request and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What was asked for.
    pub request: ActionRequest,
    /// The number of the ticket, or why there is none.
    pub answer: Result<u64, Denial>,
}

impl Request {
    /// The subject that fills `parameter`.
    pub fn bound(&self, parameter: &str) -> Option<&str> {
        self.request
            .bindings
            .iter()
            .find(|binding| binding.parameter == parameter)
            .map(|b| b.subject.as_str())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.request.action)?;
        for (position, binding) in self.request.bindings.iter().enumerate() {
            let before = if position == 0 { " with" } else { "," };
            write!(f, "{before} `{}` from `{}`", binding.parameter, binding.subject)?;
        }
        match self.answer {
            Ok(ticket) => write!(f, ": ticket {ticket}"),
            Err(denial) => write!(f, ": {}", denial.name()),
        }
    }
}

/// Answers requests as the host does, and keeps them.
#[derive(Debug, Clone)]
pub struct RecordingActions<'a> {
    descriptor: Cow<'a, CheckedDescriptor>,
    subjects: Cow<'a, Subjects>,
    requests: Vec<Request>,
}

impl<'a> RecordingActions<'a> {
    /// For calling a method of a runbook directly; [`triage`](super::triage) and [`interpret`](super::interpret) make their own,
    /// and check what the runbook returns as well.
    ///
    /// # Errors
    /// When the descriptor breaks a rule.
    pub fn for_run(descriptor: &Descriptor, evidence: &Evidence, outcome: Option<&Outcome>) -> Result<Self, TestError> {
        let descriptor = Cow::Owned(CheckedDescriptor::new(descriptor)?);
        Ok(Self {
            descriptor,
            subjects: Cow::Owned(Subjects::new(evidence, outcome)),
            requests: Vec::new(),
        })
    }

    pub(super) fn new(descriptor: &'a CheckedDescriptor, subjects: &'a Subjects) -> Self {
        let (descriptor, subjects) = (Cow::Borrowed(descriptor), Cow::Borrowed(subjects));
        Self {
            descriptor,
            subjects,
            requests: Vec::new(),
        }
    }

    /// The requests so far.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    pub(super) fn into_requests(self) -> Vec<Request> {
        self.requests
    }

    fn answer(&self, request: &ActionRequest) -> Result<(), Denial> {
        let action = catalogue::action(&request.action).ok_or(Denial::UnknownAction)?;
        if !self.descriptor.declares_action(action.id) {
            return Err(Denial::UndeclaredAction);
        }
        let mut bound: Vec<&str> = Vec::new();
        let mut missing_fact = false;
        for binding in &request.bindings {
            let parameter = action
                .parameters
                .iter()
                .find(|parameter| parameter.name == binding.parameter && !bound.contains(&parameter.name))
                .ok_or(Denial::UnknownParameter)?;
            let offers = self
                .subjects
                .offers(&binding.subject, parameter.facet)
                .ok_or(Denial::UnknownSubject)?;
            if !supports(action.kind, self.subjects.statement(&binding.subject)) {
                return Err(Denial::UnsupportedTarget);
            }
            match offers {
                Offers::Value => bound.push(parameter.name),
                Offers::Nothing => missing_fact |= parameter.required,
                Offers::WrongKind => return Err(Denial::WrongSubjectKind),
            }
        }
        let required_missing = action.parameters.iter().any(|p| p.required && !bound.contains(&p.name));
        let none_of = !action.at_least_one_of.is_empty() && bound.iter().all(|b| !action.at_least_one_of.contains(b));
        if missing_fact || required_missing || none_of {
            return Err(Denial::NotEnoughContext);
        }
        Ok(())
    }
}

impl Actions for RecordingActions<'_> {
    fn request(&mut self, request: &ActionRequest) -> Result<Ticket, Denial> {
        if self.requests.len() >= REQUESTS {
            return Err(Denial::TooManyRequests);
        }
        // Not the position, so that a guessed ticket is not taken for an issued one.
        let number = 0x7e57_0000_0000_0001_u64.wrapping_add((self.requests.len() as u64).wrapping_mul(0x9e37_79b9));
        let answer = self.answer(request).map(|()| number);
        self.requests.push(Request {
            request: request.clone(),
            answer,
        });
        answer.map(Ticket::issued)
    }
}

/// EXPLAIN explains what the planner plans; EXPLAIN ANALYZE runs, so only what reads.
fn supports(kind: Kind, statement: Option<StatementKind>) -> bool {
    match (kind, statement) {
        (Kind::Query, _) | (_, None) => true,
        (Kind::Explain, Some(statement)) => !matches!(statement, StatementKind::Utility | StatementKind::Other),
        (Kind::ExplainAnalyze, Some(statement)) => statement == StatementKind::Select,
    }
}
