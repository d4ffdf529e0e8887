//! Write runbooks for pg-logstats.
//!
//! A runbook judges what PostgreSQL's logs show, asks for actions of the host's catalogue, and judges what they returned. It is a
//! WebAssembly component that imports one function and nothing else; with this crate it is a struct with three methods and
//! one macro line, and its logic is tested natively with `cargo test`, see [`testkit`].

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
mod outcome;
mod runbook;
mod session;
mod subject;
#[cfg(not(target_arch = "wasm32"))]
pub mod testkit;
#[doc(hidden)]
pub mod words;

pub use assessment::{FindingRef, LIST_LIMIT};
pub use bindings::pg_logstats::runbook::types::{
    ActionRequest, Assessment, Binding, Cell, Confidence, CreateIndex, Deadlock, DeadlockEdge, Denial, Descriptor,
    Dimensions, ErrorClass, EventCount, Evidence, Failure, Finding, FindingKind, Insight, LiveSession, LockMode,
    LockTarget, LockWait, Message, MessageTemplate, NextAction, Outcome, OutcomeStatus, PlanNode, Priority,
    QueryFamily, Recommendation, Row, SetWorkMem, StatementKind, Step, TempFileGroup, Value, ValueKind,
};
pub use descriptor::DescriptorBuilder;
pub use message::{At, Bytes, Count, DurationUs, Hole, Ratio};
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
