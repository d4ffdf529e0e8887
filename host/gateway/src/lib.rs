//! The triage gateway: catalogue, trust, runbook engine, gate, SQL, workspace.
//!
//! **In**: requests ([`request`]) of a command line, later of a service. **Out**: reports, refusals, verdicts. **Trusted**: the operator's
//! configuration and this binary; not agents, runbooks, logs or databases. [`Gateway`] is the only way in; `triage.rs` and
//! `run_sql.rs` are the only files that name all the stages of the flow.

#![deny(unsafe_code)]
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

pub mod agent;
pub mod alert;
pub mod ambient;
pub mod approval;
pub mod approvals;
pub mod audit;
mod authentic;
pub mod author;
pub mod baseline;
pub mod budget;
pub mod catalogue;
pub mod config;
pub mod db;
pub mod decimal;
mod error;
pub mod evidence_files;
pub mod gate;
mod gateway;
pub mod handoff;
pub mod health;
pub mod ids;
mod inspect;
mod interrupt;
mod judge;
pub mod keys;
mod names;
pub mod objects;
pub mod outcome;
pub mod packs;
pub mod policy;
mod policy_check;
mod program;
pub mod record;
pub mod redaction;
pub mod report;
pub mod request;
mod run_sql;
pub mod runbook;
mod runbook_usage;
pub mod runbooks;
pub mod signer;
pub mod snapshot;
pub mod subjects;
pub mod time;
mod triage;
pub mod trust;
mod unfinished;
pub mod untrusted;
pub mod words;
pub mod workspace;

pub use error::{ExitCode, GatewayError};
pub use gateway::{Gateway, OpenOptions};
pub use inspect::{HealthReport, Inspection};
pub use pg_logstats_logs::Progress;
pub use policy_check::{ActionCheck, CapsView, HoursCheck, NarrowedCheck, PolicyCheck};
pub use runbook_usage::{RunbookUsage, RunbookUsageList, Spread};
pub use runbooks::TrustedRunbook;
pub use unfinished::UnfinishedAction;

/// Names in backticks, as a list in a sentence; `none` for none.
pub(crate) fn listed<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
