//! Looking at a server: one session, one message per sample.
//!
//! **In**: a target. **Out**: samples, or why there are none. **Trusted**: numbers and flags only; the server's own words for states and
//! waits are compared with ours, and no text is kept.

mod look;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::judge::{SAMPLES, judge};
use super::verdict::{Reason, ReasonCode, Verdict};
use super::{Input, Thresholds};
use crate::db::Target;
use crate::db::failure::Failure;
use crate::db::session::{self, Timeouts};
use crate::time::now_us;
use crate::words::OutcomeStatus;

/// Time between two samples: long enough that a statement of a few milliseconds is seen once, short enough that nobody waits.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(20);

/// A probe that takes longer tells enough: the server is not well.
const TIMEOUTS: Timeouts = Timeouts {
    statement_ms: 2_000,
    lock_ms: 200,
    idle_in_transaction_ms: 10_000,
};

/// What one look at the sessions showed. Counts are of client backends, ours left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// `max_connections`.
    pub max_connections: u32,
    /// Of those, kept for superusers and other reserved roles.
    pub reserved_connections: u32,
    /// Client connections.
    pub connections: u32,
    /// Sessions that run a statement.
    pub active: u32,
    /// Of those, waiting for a lock.
    pub lock_waiters: u32,
    /// Of those, waiting for IO.
    pub io_waiters: u32,
    /// Of those, waiting for an LWLock.
    pub lwlock_waiters: u32,
    /// Age of the longest running statement.
    pub longest_statement_ms: u64,
    /// Age of the longest open transaction.
    pub longest_transaction_ms: u64,
    /// Sessions idle in a transaction.
    pub idle_in_transaction: u32,
    /// How long the longest of them has been idle.
    pub idle_in_transaction_ms: u64,
    /// Depth of the tree of blocked sessions: 1 is one session behind another.
    pub blocked_depth: u32,
    /// Replication lag, where there is replication: of this standby, or of the slowest standby of this primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_lag_ms: Option<u64>,
    /// How long this look took, as seen from here.
    pub latency_us: u64,
    /// The role may not see what some session does.
    pub activity_hidden: bool,
    /// `track_activities` is off for some session.
    pub activity_not_tracked: bool,
}

impl Sample {
    /// The value of an input, none when it does not apply.
    pub fn value(&self, input: Input, cores: u32) -> Option<f64> {
        let count = |n: u32| f64::from(n);
        let per_core = |n: u32| f64::from(n) / f64::from(cores.max(1));
        let usable = self.max_connections.saturating_sub(self.reserved_connections).max(1);
        #[expect(clippy::cast_precision_loss, reason = "2^53 ms are 285,000 years")]
        let ms = |n: u64| n as f64;
        Some(match input {
            Input::ConnectionsRatio => count(self.connections) / count(usable),
            Input::ActiveRatio => count(self.active) / count(self.max_connections.max(1)),
            Input::ActivePerCore => per_core(self.active),
            Input::LockWaiters => count(self.lock_waiters),
            Input::IoWaitersPerCore => per_core(self.io_waiters),
            Input::LwlockWaitersPerCore => per_core(self.lwlock_waiters),
            Input::LongestStatementMs => ms(self.longest_statement_ms),
            Input::LongestTransactionMs => ms(self.longest_transaction_ms),
            Input::IdleInTransaction => count(self.idle_in_transaction),
            Input::IdleInTransactionMs => ms(self.idle_in_transaction_ms),
            Input::BlockedDepth => count(self.blocked_depth),
            Input::ReplicationLagMs => ms(self.replication_lag_ms?),
            Input::ProbeLatencyMs => ms(self.latency_us) / 1_000.0,
        })
    }
}

/// Takes the verdict on a database: three samples over a session of its own.
pub async fn probe(target: &Target, thresholds: &Thresholds) -> Verdict {
    let mut samples = Vec::with_capacity(SAMPLES);
    match take(target, &mut samples).await {
        Ok(()) => judge(&samples, thresholds, now_us()),
        Err(failure) => Verdict::unknown(reason(&failure), thresholds, samples, now_us()),
    }
}

async fn take(target: &Target, samples: &mut Vec<Sample>) -> Result<(), Failure> {
    let mut sampler = Sampler::open(target).await?;
    for number in 0..SAMPLES {
        if number > 0 {
            tokio::time::sleep(SAMPLE_INTERVAL).await;
        }
        samples.push(sampler.sample(&[]).await?);
    }
    sampler.close().await;
    Ok(())
}

fn reason(failure: &Failure) -> Reason {
    let code = if failure.sqlstate.as_deref() == Some("53300") {
        ReasonCode::NoConnectionLeft
    } else {
        ReasonCode::Unreachable
    };
    Reason::without_input(code, failure.detail.clone())
}

/// A session that takes samples. It asks nothing else of the server, which would cost it more than the samples do.
#[derive(Debug)]
pub(crate) struct Sampler {
    connection: PgConnection,
    /// What goes before the next sample: all that the session sets, then [`LOOK_AGAIN`].
    before: String,
}

/// The server keeps the sessions that a transaction saw first; this makes it look again.
const LOOK_AGAIN: &str = "SELECT pg_stat_clear_snapshot(); ";

impl Sampler {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Result<Self, Failure> {
        Ok(Self {
            connection: session::connect(target).await?,
            before: session::opening(TIMEOUTS),
        })
    }

    /// Looks once, leaving out this session and the backends `our_pids`.
    pub(crate) async fn sample(&mut self, our_pids: &[i32]) -> Result<Sample, Failure> {
        self.sample_within(our_pids, Duration::MAX).await
    }

    /// [`Self::sample`] for who cannot wait for longer than `limit`. After an error nothing is asked over this connection any more: the
    /// answer may still come.
    pub(crate) async fn sample_within(&mut self, our_pids: &[i32], limit: Duration) -> Result<Sample, Failure> {
        let limit = limit.min(Duration::from_millis(TIMEOUTS.statement_ms.into()) + session::GRACE);
        let before = std::mem::replace(&mut self.before, LOOK_AGAIN.to_owned());
        let sql = format!("{before}{}", look::LOOK);
        let started = Instant::now();
        let asked = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection);
        let rows = match tokio::time::timeout(limit, asked).await {
            Ok(rows) => rows.map_err(|e| Failure::running(&e))?,
            Err(_) => return Err(Failure::no_answer("the probe", limit.as_millis())),
        };
        let latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        look::read(&rows, our_pids, latency_us).ok_or_else(|| {
            Failure::new(
                OutcomeStatus::Failed,
                "the server's answer to the probe is not understood",
            )
        })
    }

    /// The connection, for whoever has to cancel something while no other can be made.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Says goodbye; the server rolls back by itself.
    pub(crate) async fn close(self) {
        let _ = tokio::time::timeout(session::GRACE, self.connection.close()).await;
    }
}
