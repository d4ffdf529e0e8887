//! Everything that talks to a PostgreSQL server.
//!
//! **In**: a [`Target`], and for an action the gate's proofs. **Out**: outcomes and inspections, as plain data.
//! **Trusted**: the catalogue's SQL. Nothing that a server sends reaches a field of ours other than as typed, capped data.
//! **Can fail**: only while the connection's settings are read ([`DsnError`]); whatever a server does becomes a status.
//!
//! - [`dsn`]: where the server is and how to get in.
//! - [`session`]: one connection, read only, with timeouts, its role checked.
//! - [`inspect`]: what the server is set to, and what it would need.
//! - [`execute`](mod@execute): one approved action, start to end, with its watchdog.

#[cfg(test)]
mod actions;
mod analyze;
pub mod dsn;
pub mod execute;
mod explain;
pub mod failure;
mod index_facts;
pub mod inspect;
pub(crate) mod packed;
mod plan;
pub mod session;
mod sqltypes;
mod statement;
#[cfg(test)]
pub(crate) mod test_server;

pub use dsn::{DsnError, Target, resolve};
pub use execute::{CancelToken, ExecutionGuard, execute};
pub use inspect::{Check, CheckStatus, ServerInspection, inspect_server};

/// How long the server's answer may be late, over its own timeout, before the client gives up on it: milliseconds.
pub const GRACE_MS: u64 = 1_500;

/// The planner's cost up to which EXPLAIN ANALYZE may run a statement, unless the operator sets a lower one. With PostgreSQL's
/// default costs that is about 100,000 pages read in order, a second or two of work.
pub const MAX_EXPLAIN_ANALYZE_COST: f64 = 100_000.0;
