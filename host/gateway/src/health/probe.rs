//! Looking at a server: one session, one query per sample.
//!
//! **In**: a target. **Out**: samples, or why there are none. **Trusted**: numbers and flags only; no text of the server is read.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

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

/// What one look at `pg_stat_activity` showed. Counts are of client backends, ours left out.
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
    /// What the session sets, until it has gone with the first sample.
    opening: String,
}

impl Sampler {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Result<Self, Failure> {
        Ok(Self {
            connection: session::connect(target).await?,
            opening: session::opening(TIMEOUTS),
        })
    }

    /// Looks once, leaving out this session and the backends `our_pids`.
    pub(crate) async fn sample(&mut self, our_pids: &[i32]) -> Result<Sample, Failure> {
        let limit = Duration::from_millis(TIMEOUTS.statement_ms.into()) + session::GRACE;
        let ours: Vec<String> = our_pids.iter().map(ToString::to_string).collect();
        // The only variable part are numbers of ours.
        let sql = format!(
            "{}SELECT pg_stat_clear_snapshot(); {}",
            std::mem::take(&mut self.opening),
            SAMPLE.replace("{ours}", &format!("{{{}}}", ours.join(",")))
        );
        let started = Instant::now();
        let asked = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection);
        let rows = match tokio::time::timeout(limit, asked).await {
            Ok(rows) => rows.map_err(|e| Failure::running(&e))?,
            Err(_) => return Err(Failure::no_answer("the probe", limit.as_millis())),
        };
        let latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        rows.last().and_then(|row| read(row, latency_us)).ok_or_else(|| {
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

fn read(row: &PgRow, latency_us: u64) -> Option<Sample> {
    let number = |name: &str| row.try_get::<i64, _>(name).ok();
    let count = |name: &str| number(name).and_then(|n| u32::try_from(n).ok());
    let ms = |name: &str| number(name).and_then(|n| u64::try_from(n).ok());
    Some(Sample {
        max_connections: count("max_connections")?,
        reserved_connections: count("reserved_connections")?,
        connections: count("connections")?,
        active: count("active")?,
        lock_waiters: count("lock_waiters")?,
        io_waiters: count("io_waiters")?,
        lwlock_waiters: count("lwlock_waiters")?,
        longest_statement_ms: ms("longest_statement_ms")?,
        longest_transaction_ms: ms("longest_transaction_ms")?,
        idle_in_transaction: count("idle_in_transaction")?,
        idle_in_transaction_ms: ms("idle_in_transaction_ms")?,
        blocked_depth: count("blocked_depth")?,
        replication_lag_ms: row
            .try_get::<Option<i64>, _>("replication_lag_ms")
            .ok()?
            .and_then(|n| u64::try_from(n).ok()),
        latency_us,
        activity_hidden: row.try_get("activity_hidden").ok()?,
        activity_not_tracked: row.try_get("activity_not_tracked").ok()?,
    })
}

/// One look. A server process that the role may not see has no `backend_type`; it can be a client, so it hides activity.
///
/// `pg_blocking_pids` stops the lock manager for a moment, so at most 32 waiting sessions are asked about, longest waiting first.
/// The depth is that of the longest chain, at most 16, so that a cycle ends.
///
/// A standby's lag is the age of the last replayed transaction, but only while something waits to be replayed: an idle primary
/// makes no lag.
const SAMPLE: &str = "
WITH RECURSIVE seen AS MATERIALIZED (
SELECT a.pid, a.backend_type, a.state, a.wait_event_type, a.state_change,
       (extract(epoch FROM clock_timestamp() - a.query_start) * 1000)::int8 AS statement_ms,
       (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::int8 AS transaction_ms,
       (extract(epoch FROM clock_timestamp() - a.state_change) * 1000)::int8 AS state_ms
  FROM pg_stat_activity AS a
 WHERE a.pid <> pg_backend_pid() AND a.pid <> ALL ('{ours}'::int4[])
), client AS MATERIALIZED (
SELECT s.*, s.state IN ('active', 'fastpath function call') AS is_active FROM seen AS s WHERE s.backend_type = 'client backend'
), waiting AS MATERIALIZED (
SELECT c.pid FROM client AS c WHERE c.is_active AND c.wait_event_type = 'Lock' ORDER BY c.state_change, c.pid LIMIT 32
), edge AS MATERIALIZED (
SELECT DISTINCT w.pid AS blocked, b.pid AS blocker FROM waiting AS w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (pid)
), chain (pid, depth) AS (
SELECT e.blocked, 1 FROM edge AS e
 UNION
SELECT e.blocked, c.depth + 1 FROM chain AS c JOIN edge AS e ON e.blocker = c.pid WHERE c.depth < 16
)
SELECT current_setting('max_connections')::int8 AS max_connections,
       current_setting('superuser_reserved_connections')::int8
         + coalesce(current_setting('reserved_connections', true)::int8, 0) AS reserved_connections,
       count(*) AS connections,
       count(*) FILTER (WHERE c.is_active) AS active,
       count(*) FILTER (WHERE c.is_active AND c.wait_event_type = 'Lock') AS lock_waiters,
       count(*) FILTER (WHERE c.is_active AND c.wait_event_type = 'IO') AS io_waiters,
       count(*) FILTER (WHERE c.is_active AND c.wait_event_type = 'LWLock') AS lwlock_waiters,
       greatest(coalesce(max(c.statement_ms) FILTER (WHERE c.is_active), 0), 0) AS longest_statement_ms,
       greatest(coalesce(max(c.transaction_ms), 0), 0) AS longest_transaction_ms,
       count(*) FILTER (WHERE c.state LIKE 'idle in transaction%') AS idle_in_transaction,
       greatest(coalesce(max(c.state_ms) FILTER (WHERE c.state LIKE 'idle in transaction%'), 0), 0) AS idle_in_transaction_ms,
       coalesce((SELECT max(chain.depth) FROM chain), 0)::int8 AS blocked_depth,
       (extract(epoch FROM CASE
          WHEN NOT pg_is_in_recovery() THEN (SELECT max(r.replay_lag) FROM pg_stat_replication AS r)
          WHEN pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
            THEN greatest(clock_timestamp() - pg_last_xact_replay_timestamp(), interval '0')
        END) * 1000)::int8 AS replication_lag_ms,
       (SELECT EXISTS (SELECT FROM seen AS s WHERE s.backend_type IS NULL)) AS activity_hidden,
       coalesce(bool_or(c.state = 'disabled'), false) AS activity_not_tracked
  FROM client AS c";
