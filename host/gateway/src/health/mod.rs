//! Whether the database is well enough to be looked at: the verdict.
//!
//! **In**: samples of what client backends do, over one connection of our own ([`probe`]). **Out**: a [`Verdict`] with every input,
//! limit and reason. **Trusted**: the limits; the samples are numbers and flags, no text. **Can fail**: never; what cannot be
//! judged is `unknown`, and `unknown` denies.
//!
//! [`judge`] is a pure function: the same samples and limits give the same verdict. Each input's value is the middle one of its
//! samples, so one blip of three neither makes nor hides a verdict, and a worse sample never makes the verdict better.
//!
//! Only client backends count: no background workers, no idle `ClientRead` (an idle session waits for its client, not for the
//! server), and not the sessions that this run itself has open. Another run's sessions count like any client's, because the name
//! they go by is one that anybody can take.

mod judge;
mod probe;
mod shared;
mod thresholds;
mod verdict;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use judge::judge;
pub(crate) use probe::Sampler;
pub use probe::{Sample, probe};
pub use shared::{Sharing, forget, verdict};
pub use thresholds::{DEFAULT_CORES, HealthConfig, Limit, ThresholdError, Thresholds};
pub use verdict::{MIN_VERDICT_TTL_MS, Reason, ReasonCode, VERDICT_TTL_MS, Verdict};

use crate::words::{Risk, VerdictLevel};

/// What the verdict looks at, over client backends only and never counting ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Client connections as a share of `max_connections` less the reserved ones.
    ConnectionsRatio,
    /// Active sessions as a share of `max_connections`.
    ActiveRatio,
    /// Active sessions per core.
    ActivePerCore,
    /// Sessions that wait for a lock.
    LockWaiters,
    /// Sessions that wait for IO, per core.
    IoWaitersPerCore,
    /// Sessions that wait for an LWLock, per core.
    LwlockWaitersPerCore,
    /// Age of the longest running statement.
    LongestStatementMs,
    /// Age of the longest open transaction.
    LongestTransactionMs,
    /// Sessions idle in a transaction.
    IdleInTransaction,
    /// How long the longest of them has been idle.
    IdleInTransactionMs,
    /// Depth of the tree of blocked sessions.
    BlockedDepth,
    /// Replication lag: of this standby, or of the slowest standby of this primary.
    ReplicationLagMs,
    /// How long the probe itself took.
    ProbeLatencyMs,
}

impl Input {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::ConnectionsRatio,
        Self::ActiveRatio,
        Self::ActivePerCore,
        Self::LockWaiters,
        Self::IoWaitersPerCore,
        Self::LwlockWaitersPerCore,
        Self::LongestStatementMs,
        Self::LongestTransactionMs,
        Self::IdleInTransaction,
        Self::IdleInTransactionMs,
        Self::BlockedDepth,
        Self::ReplicationLagMs,
        Self::ProbeLatencyMs,
    ];

    /// The spelling in JSON and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionsRatio => "connections_ratio",
            Self::ActiveRatio => "active_ratio",
            Self::ActivePerCore => "active_per_core",
            Self::LockWaiters => "lock_waiters",
            Self::IoWaitersPerCore => "io_waiters_per_core",
            Self::LwlockWaitersPerCore => "lwlock_waiters_per_core",
            Self::LongestStatementMs => "longest_statement_ms",
            Self::LongestTransactionMs => "longest_transaction_ms",
            Self::IdleInTransaction => "idle_in_transaction",
            Self::IdleInTransactionMs => "idle_in_transaction_ms",
            Self::BlockedDepth => "blocked_depth",
            Self::ReplicationLagMs => "replication_lag_ms",
            Self::ProbeLatencyMs => "probe_latency_ms",
        }
    }

    /// The default limit, and where it comes from.
    pub fn default_limit(self) -> Limit {
        let (busy, saturated) = match self {
            // Above 80 % a burst of reconnects exhausts the rest; at 95 % clients are about to be refused.
            Self::ConnectionsRatio => (0.80, Some(0.95)),
            // Active sessions are the ones that compete; half of all allowed at once is past any sizing rule.
            Self::ActiveRatio => (0.50, Some(0.90)),
            // PostgreSQL's own rule of thumb for the best throughput is about (2 × cores) active sessions; at twice that, more
            // work only queues.
            Self::ActivePerCore => (2.0, Some(4.0)),
            // Two sessions at once in three samples are a queue, not a brush; ten are a pile-up. (Comparable tools alarm at two.)
            Self::LockWaiters => (2.0, Some(10.0)),
            // More than two sessions per core waiting for IO: the storage is the bottleneck, and an extra read makes it worse.
            Self::IoWaitersPerCore => (2.0, Some(6.0)),
            // LWLock waits are short by design: one per core at every sample is contention.
            Self::LwlockWaitersPerCore => (1.0, Some(4.0)),
            // 120 s as in comparable tools. A long report alone is no saturation.
            Self::LongestStatementMs => (120_000.0, None),
            // Ten minutes hold back vacuum noticeably on a busy table.
            Self::LongestTransactionMs => (600_000.0, None),
            // A pool shows a few between two statements at any instant; the age below tells the bad ones.
            Self::IdleInTransaction => (10.0, Some(40.0)),
            // A minute without a statement inside a transaction: the application has lost it.
            Self::IdleInTransactionMs => (60_000.0, None),
            // Depth 1 is one session behind another; 2 is a chain; 5 is a pile-up that grows.
            Self::BlockedDepth => (2.0, Some(5.0)),
            // Ten seconds are visible to users of a standby; a minute endangers failover and slots.
            Self::ReplicationLagMs => (10_000.0, Some(60_000.0)),
            // The probe reads memory only: a quarter second means that the server hardly gets to run.
            Self::ProbeLatencyMs => (250.0, Some(1_500.0)),
        };
        Limit { busy, saturated }
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether an action may run under a verdict.
pub fn allows(level: VerdictLevel, risk: Risk, essential: bool) -> bool {
    match level {
        VerdictLevel::Clear => matches!(risk, Risk::Safe | Risk::Bounded),
        VerdictLevel::Busy => risk == Risk::Safe,
        VerdictLevel::Saturated => essential && risk == Risk::Safe,
        VerdictLevel::Unknown => false,
    }
}
