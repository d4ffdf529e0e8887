//! Write runbooks for pg-logstats.
//!
//! A runbook judges what PostgreSQL's logs show, asks for actions of the host's catalogue, and judges what they returned. It is a
//! WebAssembly component that imports one function and nothing else; with this crate it is a struct with three methods and
//! one macro line, and its logic is tested natively with `cargo test`, see [`testkit`].
//!
//! **In**: [`Evidence`] and [`Outcome`]s, which the host hands over by value. **Out**: an [`Assessment`]. **Trusted**: numbers, ids
//! and enums; every text in the evidence was written by whoever can reach the database, and there is no way to say it. **Can fail**:
//! a runbook may give up with a [`Failure`]; one that breaks a rule of the contract ends its run.
//!
//! ```
//! use pg_logstats_sdk::{
//!     Actions, Assessment, Confidence, Count, Descriptor, Evidence, Failure, Finding, FindingKind, NextAction, Outcome, Runbook,
//! };
//!
//! // 1. All that it can ever say. A text that does not name its holes does not compile.
//! mod messages {
//!     pg_logstats_sdk::messages! {
//!         waits(n: count) => "lock waits in the logs: {n}";
//!         longest(waiter: subject, waited: duration) => "{waiter} waited longest: {waited}";
//!         look(session: subject) => "look at who blocks {session}";
//!         why() => "the tree shows who holds it up now";
//!     }
//! }
//!
//! // 2. All that it can ever ask for.
//! pg_logstats_sdk::actions! { BLOCKING = "running_query.blocking.by_pid"; }
//!
//! struct Waits;
//!
//! impl Runbook for Waits {
//!     fn describe(&self) -> Descriptor {
//!         Descriptor::builder("waits", env!("CARGO_PKG_VERSION"), "waits")
//!             .actions(ACTIONS)
//!             .messages(messages::templates())
//!             .build()
//!     }
//!
//!     // 3. What the logs show. Things are pointed at: the host adds their facts.
//!     fn triage(&self, evidence: &Evidence, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
//!         let mut assessment = Assessment::new();
//!         if let Some(wait) = evidence.lock_waits.iter().max_by_key(|wait| wait.waited_us) {
//!             let title = messages::waits(Count::of(&evidence.lock_waits));
//!             let reason = messages::longest(&wait.waiter, pg_logstats_sdk::DurationUs(wait.waited_us));
//!             let finding = Finding::new(FindingKind::LockWait, title, reason).about(wait).confidence(Confidence::High);
//!             let finding = assessment.finding(finding);
//!             let request = BLOCKING.request().bind("pid", &wait.waiter);
//!             let look = NextAction::offer(actions, &request, messages::look(&wait.waiter), messages::why());
//!             assessment.next_action(look.map(|action| action.because(finding)));
//!         }
//!         Ok(assessment)
//!     }
//!
//!     // 4. What an action returned.
//!     fn interpret(&self, _: &Evidence, _: &Outcome, _: &mut dyn Actions) -> Result<Assessment, Failure> {
//!         Ok(Assessment::new())
//!     }
//! }
//!
//! pg_logstats_sdk::export!(Waits);
//! ```
//!
//! | to | there is |
//! |---|---|
//! | declare sentences | [`messages!`], with holes of [`Count`], [`DurationUs`], [`Bytes`], [`Ratio`], [`Rate`], [`At`], words of the contract ([`LockMode`], …) and any [`Subject`] |
//! | declare words | [`actions!`], [`reason_codes!`], [`insights!`], [`workflows!`] |
//! | ask for an action | [`NextAction::offer`] |
//! | read rows by column | [`Outcome::records`], [`Outcome::sessions`], [`BlockingTree`], [`Outcome::setting`] |
//! | make a score of a figure | [`score::along`] |
//! | read plans | [`Outcome::plan`](Outcome), [`Outcome::children_of`], [`PlanNode::misestimate`] |
//! | say why there is no answer | [`no_answer::judge`] |
//! | conclude | [`Finding`], [`Insight`], [`Recommendation`] |
//! | test | [`testkit::triage`](testkit::triage()), [`testkit::interpret`](testkit::interpret()), [`testkit::check`](testkit::check()) |
//!
//! The guide for authors, `docs/runbook-authors.md`, says what a runbook should and should not conclude, and how to build one.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test may panic"
    )
)]

// The generated code names this crate from inside and from runbooks alike.
extern crate self as pg_logstats_sdk;

mod assessment;
pub mod bindings;
mod descriptor;
#[doc(hidden)]
pub mod message;
pub mod no_answer;
mod outcome;
mod runbook;
pub mod score;
mod session;
mod setting;
mod subject;
#[cfg(not(target_arch = "wasm32"))]
pub mod testkit;
#[doc(hidden)]
pub mod words;

pub use assessment::{FindingRef, LIST_LIMIT};
pub use bindings::pg_logstats::runbook::types::{
    ActionRequest, Assessment, Attribution, AutovacuumGroup, AutovacuumKind, AutovacuumRun, Baseline, Binding,
    CancelReason, CancellationGroup, CauseCount, Cell, Checkpoint, CheckpointCause, CheckpointKind, Checkpoints,
    ClientGroup, Confidence, ConnectionGroup, CreateIndex, CreateStatistics, Deadlock, DeadlockEdge, Denial,
    Descriptor, Dimensions, ErrorClass, ErrorStatement, EventCount, Evidence, Failure, Figures, Finding, FindingKind,
    Insight, LiveColumn, LiveSession, LockMode, LockTarget, LockWait, LoggedPlanNode, Message, MessageTemplate,
    NextAction, Outcome, OutcomeStatus, PlanGroup, PlanNode, Priority, QueryFamily, Recommendation, Regression,
    RegressionDoubt, RegressionReason, Row, SetAutovacuum, SetParameter, SetStatisticsTarget, SetWorkMem, Setting,
    StatementKind, Step, TempFileGroup, VacuumRelation, Value, ValueKind,
};
pub use descriptor::DescriptorBuilder;
pub use message::{At, Bytes, Count, DurationUs, Hole, Rate, Ratio};
pub use outcome::Record;
#[doc(hidden)]
pub use runbook::HostActions;
pub use runbook::{Actions, Runbook, Ticket};
pub use session::{BlockingTree, Session, SessionState, Wait};
pub use subject::Subject;
pub use words::{Action, InsightId, ReasonCode, Workflow};

/// Compiles and runs the code of the authors' guide.
#[cfg(doctest)]
#[doc = include_str!("../../docs/runbook-authors.md")]
struct AuthorsGuide;
