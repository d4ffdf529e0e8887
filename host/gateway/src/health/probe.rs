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
        let limit = Duration::from_millis(TIMEOUTS.statement_ms.into()) + session::GRACE;
        let ours: Vec<String> = our_pids.iter().map(ToString::to_string).collect();
        // The only variable part are numbers of ours.
        let sql = format!(
            "{}{}",
            std::mem::replace(&mut self.before, LOOK_AGAIN.to_owned()),
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
    let count = |name: &str| row.try_get::<i64, _>(name).ok().and_then(|n| u32::try_from(n).ok());
    let setting = |name: &str| row.try_get::<Option<String>, _>(name).ok();
    let ms = |name: &str| row.try_get::<Option<f64>, _>(name).ok();
    Some(Sample {
        max_connections: setting("max_connections")??.parse().ok()?,
        reserved_connections: [
            setting("superuser_reserved_connections")??,
            // New with PostgreSQL 16.
            setting("reserved_connections")?.unwrap_or_else(|| "0".to_owned()),
        ]
        .iter()
        .try_fold(0u32, |sum, n| sum.checked_add(n.parse().ok()?))?,
        connections: count("connections")?,
        active: count("active")?,
        lock_waiters: count("lock_waiters")?,
        io_waiters: count("io_waiters")?,
        lwlock_waiters: count("lwlock_waiters")?,
        longest_statement_ms: milliseconds(ms("longest_statement_s")?.unwrap_or_default()),
        longest_transaction_ms: milliseconds(ms("longest_transaction_s")?.unwrap_or_default()),
        idle_in_transaction: count("idle_in_transaction")?,
        idle_in_transaction_ms: milliseconds(ms("idle_in_transaction_s")?.unwrap_or_default()),
        blocked_depth: blocked_depth(&row.try_get::<Option<String>, _>("waiting").ok()?.unwrap_or_default())?,
        replication_lag_ms: ms("replication_lag_s")?.map(milliseconds),
        latency_us,
        activity_hidden: row.try_get::<Option<bool>, _>("activity_hidden").ok()?.unwrap_or(false),
        activity_not_tracked: row
            .try_get::<Option<bool>, _>("activity_not_tracked")
            .ok()?
            .unwrap_or(false),
    })
}

/// The server's clock may have been set back meanwhile.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates, and NaN is 0"
)]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}

/// The deepest that a chain of blocked sessions is followed. It ends a cycle, which PostgreSQL itself ends after `deadlock_timeout`.
const MAX_BLOCKED_DEPTH: u32 = 16;

/// The longest chain of sessions that wait for each other. `waiting` has a word for each session that waits: its pid, and the pids
/// that it waits for. None when it is something else.
fn blocked_depth(waiting: &str) -> Option<u32> {
    let mut waits_for: Vec<(i32, Vec<i32>)> = Vec::new();
    for word in waiting.split_ascii_whitespace() {
        let mut pids = word.split(',').map(str::parse);
        let waiter = pids.next()?.ok()?;
        waits_for.push((waiter, pids.collect::<Result<_, _>>().ok()?));
    }
    waits_for.retain(|(_, blockers)| !blockers.is_empty());
    let mut level: Vec<i32> = waits_for.iter().map(|(waiter, _)| *waiter).collect();
    let mut depth = 0;
    while !level.is_empty() && depth < MAX_BLOCKED_DEPTH {
        depth += 1;
        let behind = waits_for
            .iter()
            .filter(|(_, blockers)| blockers.iter().any(|pid| level.contains(pid)));
        level = behind.map(|(waiter, _)| *waiter).collect();
    }
    Some(depth)
}

/// One look. It reads the functions that `pg_stat_activity` and `pg_stat_replication` are made of, and leaves to us what needs no
/// server: a session that has just begun has empty caches, and each view, type and operator costs it more than reading the sessions
/// does (`benches/README.md`).
///
/// A server process that the role may not see has no `backend_type`; it can be a client, so it hides activity.
///
/// `pg_blocking_pids` stops the lock manager for a moment, so at most 32 waiting sessions are asked about, longest waiting first.
///
/// A standby's lag is the age of the last replayed transaction, but only while something waits to be replayed: an idle primary
/// makes no lag.
const SAMPLE: &str = "
SELECT current_setting('max_connections') AS max_connections,
       current_setting('superuser_reserved_connections') AS superuser_reserved_connections,
       current_setting('reserved_connections', true) AS reserved_connections,
       count(*) FILTER (WHERE s.is_client) AS connections,
       count(*) FILTER (WHERE s.is_active) AS active,
       count(*) FILTER (WHERE s.is_active AND s.wait_event_type = 'Lock') AS lock_waiters,
       count(*) FILTER (WHERE s.is_active AND s.wait_event_type = 'IO') AS io_waiters,
       count(*) FILTER (WHERE s.is_active AND s.wait_event_type = 'LWLock') AS lwlock_waiters,
       date_part('epoch', clock_timestamp() - min(s.query_start) FILTER (WHERE s.is_active)) AS longest_statement_s,
       date_part('epoch', clock_timestamp() - min(s.xact_start) FILTER (WHERE s.is_client)) AS longest_transaction_s,
       count(*) FILTER (WHERE s.is_idle_in_transaction) AS idle_in_transaction,
       date_part('epoch', clock_timestamp() - min(s.state_change) FILTER (WHERE s.is_idle_in_transaction)) AS idle_in_transaction_s,
       (SELECT string_agg(concat_ws(',', w.pid, array_to_string(pg_blocking_pids(w.pid), ',')), ' ')
          FROM unnest((array_agg(s.pid ORDER BY s.state_change, s.pid)
                         FILTER (WHERE s.is_active AND s.wait_event_type = 'Lock'))[:32]) AS w (pid)) AS waiting,
       date_part('epoch', CASE
         WHEN NOT pg_is_in_recovery() THEN (SELECT max(r.replay_lag) FROM pg_stat_get_wal_senders() AS r)
         WHEN pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
           THEN clock_timestamp() - pg_last_xact_replay_timestamp()
       END) AS replication_lag_s,
       bool_or(s.backend_type IS NULL) AS activity_hidden,
       bool_or(s.is_client AND s.state = 'disabled') AS activity_not_tracked
  FROM (SELECT a.*, a.backend_type = 'client backend' AS is_client,
               a.backend_type = 'client backend' AND a.state IN ('active', 'fastpath function call') AS is_active,
               a.backend_type = 'client backend'
                 AND a.state IN ('idle in transaction', 'idle in transaction (aborted)') AS is_idle_in_transaction
          FROM pg_stat_get_activity(NULL) AS a
         WHERE a.pid <> pg_backend_pid() AND a.pid <> ALL ('{ours}'::int4[])) AS s";
