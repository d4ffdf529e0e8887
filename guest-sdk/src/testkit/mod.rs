//! Tests of a runbook's logic with plain `cargo test`: no WebAssembly, no database, no host.
//!
//! **In**: a [`Runbook`], evidence and outcomes, made by hand ([`evidence`], [`family`], [`outcome`], …) or [generated](generate).
//! **Out**: a [`Report`] with the sentences as the host would write them, and every request with its answer. **Can fail**: with
//! [`TestError`], when the runbook broke a rule that the host enforces: an undeclared word, a subject that the evidence does not
//! have, a surplus value, a ticket of another run, a limit; or when two runs of the same input differ.
//!
//! The kit has the rules, the limits and the catalogue of the host of the same version. Two things are stricter here than there: a
//! request that no honest runbook makes (an undeclared action, an unknown parameter or subject) ends the test, where the host
//! denies it and puts a limitation into the report; and each call is made twice.
//!
//! ```
//! use pg_logstats_sdk::{
//!     Actions, Assessment, Descriptor, Evidence, Failure, Finding, FindingKind, NextAction, Outcome, Ratio, Runbook, testkit,
//! };
//!
//! mod messages {
//!     pg_logstats_sdk::messages! {
//!         title(family: subject, share: ratio) => "{family} took {share} of all statement time";
//!         reason() => "no other family took more";
//!         label(family: subject) => "look up the statistics of {family}";
//!         why() => "the server counts every execution";
//!     }
//! }
//! pg_logstats_sdk::actions! { STATISTICS = "query_family.pg_stat_statements.by_queryid"; }
//!
//! struct Slowest;
//!
//! impl Runbook for Slowest {
//!     fn describe(&self) -> Descriptor {
//!         Descriptor::builder("slowest", "0.1.0", "slowest").actions(ACTIONS).messages(messages::templates()).build()
//!     }
//!
//!     fn triage(&self, evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
//!         let mut assessment = Assessment::new();
//!         if let Some(family) = evidence.families.first() {
//!             let share = Ratio::of(family.total_duration_us, evidence.total_duration_us);
//!             let finding = Finding::new(FindingKind::QueryFamily, messages::title(family, share), messages::reason());
//!             let finding = assessment.finding(finding.about(family).score(share.value()));
//!             let request = STATISTICS.request().bind("queryid", family);
//!             let action = NextAction::offer(actions, &request, messages::label(family), messages::why());
//!             assessment.next_action(action.map(|action| action.because(finding)));
//!         }
//!         Ok(assessment)
//!     }
//!
//!     fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
//!         Ok(Assessment::new())
//!     }
//! }
//!
//! let evidence = testkit::evidence().family(testkit::family(1)).build();
//! let report = testkit::triage(&Slowest, &evidence)?;
//! assert_eq!(report.findings[0].title, "qf_0000000000000001 took 100.0 % of all statement time");
//! assert_eq!(report.requested("query_family.pg_stat_statements.by_queryid").count(), 1);
//! testkit::check(&Slowest, 0..100)?;
//! # Ok::<(), testkit::TestError>(())
//! ```

mod assessment;
mod battery;
mod catalogue;
mod descriptor;
mod evidence;
pub mod generate;
mod host;
mod outcome;
mod render;
mod subjects;

use std::fmt;
use std::ops::Range;

pub use assessment::{Report, ReportedAction, ReportedFinding, ReportedInsight, ReportedStep};
pub use battery::{Answer, MostOffers, check_answers, check_failures};
pub use evidence::{
    EvidenceBuilder, absent, autovacuum, cancellation, checkpoint, client, connection, deadlock, dimensions,
    error_class, evidence, family, lock_wait, logged_plan, logged_plan_node, regression, session, temp_files,
};
pub use host::{RecordingActions, Request};
pub use outcome::{OutcomeBuilder, SessionRow, outcome, plan_node, row_subject, session_row};

use crate::{
    Assessment, Denial, Descriptor, Dimensions, Evidence, Failure, LiveColumn, LiveSession, Outcome, OutcomeStatus,
    Runbook,
};
use descriptor::CheckedDescriptor;
use subjects::Subjects;

/// What is wrong with a runbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestError {
    /// It broke a rule that the host enforces.
    Breach(String),
    /// It gave up: its failure's sentence.
    GaveUp(String),
    /// Two calls with the same input had different results.
    NotDeterministic(String),
    /// It keeps the rules, and leaves whoever reads it without help.
    Unhelpful(String),
}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Breach(what) => write!(f, "the runbook breaks the contract: {what}"),
            Self::GaveUp(message) => write!(f, "the runbook gave up: {message}"),
            Self::NotDeterministic(what) => write!(f, "two runs of the same input differ: {what}"),
            Self::Unhelpful(what) => write!(f, "the runbook helps nobody: {what}"),
        }
    }
}

impl std::error::Error for TestError {}

impl TestError {
    fn breach(what: impl Into<String>) -> Self {
        Self::Breach(what.into())
    }

    fn during(self, what: &str) -> Self {
        match self {
            Self::Breach(why) => Self::Breach(format!("{why} ({what})")),
            Self::GaveUp(why) => Self::GaveUp(format!("{why} ({what})")),
            Self::NotDeterministic(why) => Self::NotDeterministic(format!("{why} ({what})")),
            Self::Unhelpful(why) => Self::Unhelpful(format!("{why} ({what})")),
        }
    }
}

/// The descriptor of `runbook`, checked as the host checks it.
///
/// # Errors
/// The first rule that it breaks.
pub fn describe(runbook: &dyn Runbook) -> Result<Descriptor, TestError> {
    let descriptor = runbook.describe();
    if descriptor != runbook.describe() {
        return Err(TestError::NotDeterministic("the descriptor".to_owned()));
    }
    CheckedDescriptor::new(&descriptor)?;
    Ok(descriptor)
}

/// Phase 1 on `evidence`, checked as the host checks it.
///
/// # Errors
/// The first rule that the runbook breaks, or its failure.
pub fn triage(runbook: &dyn Runbook, evidence: &Evidence) -> Result<Report, TestError> {
    Kit::new(runbook)?.triage(evidence)
}

/// Phase 2 on `evidence` and `outcome`, checked as the host checks it.
///
/// As in the host, the sessions of the outcome's rows are among the `live-sessions` that the runbook sees.
///
/// # Errors
/// The first rule that the runbook breaks, or its failure.
pub fn interpret(runbook: &dyn Runbook, evidence: &Evidence, outcome: &Outcome) -> Result<Report, TestError> {
    Kit::new(runbook)?.interpret(evidence, outcome)
}

/// Runs `runbook` on generated evidence, one for each seed: triage, then the interpretation of every action that it declares,
/// with results and failures of all kinds.
///
/// # Errors
/// The first rule that the runbook breaks, or its failure, with the seed that shows it.
pub fn check(runbook: &dyn Runbook, seeds: Range<u64>) -> Result<(), TestError> {
    let kit = Kit::new(runbook)?;
    let actions = runbook.describe().actions;
    for seed in seeds {
        let evidence = generate::evidence(seed);
        kit.triage(&evidence)
            .map_err(|error| error.during(&format!("triage of evidence {seed}")))?;
        for action in &actions {
            let outcome = generate::outcome(seed, &evidence, action);
            for status in [outcome.status, OutcomeStatus::Ok] {
                let outcome = Outcome {
                    status,
                    ..outcome.clone()
                };
                kit.interpret(&evidence, &outcome).map_err(|error| {
                    error.during(&format!(
                        "interpretation of `{action}` with evidence and outcome {seed}, {status:?}"
                    ))
                })?;
            }
        }
    }
    Ok(())
}

/// A runbook and its checked descriptor.
struct Kit<'a> {
    runbook: &'a dyn Runbook,
    descriptor: CheckedDescriptor,
}

impl<'a> Kit<'a> {
    fn new(runbook: &'a dyn Runbook) -> Result<Self, TestError> {
        Ok(Self {
            runbook,
            descriptor: CheckedDescriptor::new(&describe(runbook)?)?,
        })
    }

    fn triage(&self, evidence: &Evidence) -> Result<Report, TestError> {
        let subjects = Subjects::new(evidence, None);
        self.run(&subjects, |actions| self.runbook.triage(evidence, actions))
    }

    fn interpret(&self, evidence: &Evidence, outcome: &Outcome) -> Result<Report, TestError> {
        let mut evidence = evidence.clone();
        let of_sessions = outcome
            .rows
            .iter()
            .filter(|_| subjects::kind_of_rows(outcome) == subjects::Kind::Session);
        for id in of_sessions.filter_map(|row| row.subject.as_ref()) {
            evidence.live_sessions.retain(|session| session.id != *id);
            let dimensions = Dimensions {
                database: None,
                user: None,
                application: None,
            };
            evidence.live_sessions.push(LiveSession {
                id: id.clone(),
                dimensions,
            });
        }
        for node in &outcome.plan {
            for (id, relation) in node.filter_columns.iter().zip(node.relation.iter().cycle()) {
                evidence.live_columns.retain(|column| column.id != *id);
                evidence.live_columns.push(LiveColumn {
                    id: id.clone(),
                    relation: relation.clone(),
                });
            }
        }
        let subjects = Subjects::new(&evidence, Some(outcome));
        self.run(&subjects, |actions| self.runbook.interpret(&evidence, outcome, actions))
    }

    /// Two runs, compared and checked.
    fn run(
        &self,
        subjects: &Subjects,
        call: impl Fn(&mut RecordingActions<'_>) -> Result<Assessment, Failure>,
    ) -> Result<Report, TestError> {
        let once = || {
            let mut actions = RecordingActions::new(&self.descriptor, subjects);
            let result = call(&mut actions);
            (result, actions.into_requests())
        };
        let (result, requests) = once();
        let again = once();
        // The text decides, because a number that is none does not equal itself.
        if again != (result.clone(), requests.clone()) && format!("{again:?}") != format!("{:?}", (&result, &requests))
        {
            return Err(TestError::NotDeterministic("the assessment or the requests".to_owned()));
        }
        let mistake = |request: &&Request| request.answer.is_err_and(|denial| !is_ordinary(denial));
        if let Some(request) = requests.iter().find(mistake) {
            return Err(TestError::breach(format!(
                "the host would refuse the request {request}"
            )));
        }
        match result {
            Ok(assessment) => assessment::check(&assessment, &self.descriptor, requests, subjects),
            Err(failure) => Err(TestError::GaveUp(self.descriptor.render(&failure.message, subjects)?)),
        }
    }
}

/// Whether an honest runbook can meet it.
fn is_ordinary(denial: Denial) -> bool {
    matches!(
        denial,
        Denial::NotEnoughContext | Denial::UnsupportedTarget | Denial::TooManyRequests
    )
}

#[cfg(test)]
mod tests;
