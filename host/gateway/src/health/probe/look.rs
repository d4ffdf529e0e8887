//! What one look asks of the server, and what the rows of its answer come to.
//!
//! The server is asked for what it has, and counting is done here: a session that has just begun has empty caches, and each view,
//! type, operator and aggregate costs it more than reading the sessions does (`benches/README.md`). Rows are those of the functions that
//! `pg_stat_activity` and `pg_stat_replication` are made of.

use sqlx::postgres::PgRow;
use sqlx::{Column as _, Row as _};

use super::Sample;

/// One look, three statements in one message. The first column's name says what a row is about.
///
/// `pg_blocking_pids` stops the lock manager for a moment, so at most 32 waiting sessions are asked about, longest waiting first.
///
/// The server comes last, so that nothing began after its time.
pub(super) const LOOK: &str = "
WITH a AS MATERIALIZED (
SELECT s.pid, s.backend_type, s.state, s.wait_event_type, s.xact_start, s.query_start, s.state_change
  FROM pg_stat_get_activity(NULL) AS s
)
SELECT a.pid AS session,
       a.backend_type,
       a.state,
       a.wait_event_type,
       date_part('epoch', a.xact_start) AS xact_start_s,
       date_part('epoch', a.query_start) AS query_start_s,
       date_part('epoch', a.state_change) AS state_change_s,
       CASE WHEN a.pid = ANY (ARRAY(SELECT w.pid
                                      FROM a AS w
                                     WHERE w.backend_type = 'client backend' AND w.wait_event_type = 'Lock'
                                     ORDER BY w.state_change
                                     LIMIT 32))
            THEN pg_blocking_pids(a.pid)
       END AS blockers
  FROM a;
SELECT date_part('epoch', r.replay_lag) AS standby
  FROM pg_stat_get_wal_senders() AS r;
SELECT date_part('epoch', clock_timestamp()) AS server,
       pg_backend_pid() AS pid,
       current_setting('max_connections') AS max_connections,
       current_setting('superuser_reserved_connections') AS superuser_reserved_connections,
       current_setting('reserved_connections', true) AS reserved_connections,
       pg_is_in_recovery() AS is_in_recovery,
       pg_last_wal_receive_lsn() AS received,
       pg_last_wal_replay_lsn() AS replayed,
       date_part('epoch', pg_last_xact_replay_timestamp()) AS replayed_s";

/// What the rows come to, leaving out the backends `ours` and the one that answered. None when they are not understood.
pub(super) fn read(rows: &[PgRow], ours: &[i32], latency_us: u64) -> Option<Sample> {
    let about = |what: &'static str| {
        rows.iter()
            .filter(move |row| row.columns().first().is_some_and(|c| c.name() == what))
    };
    let server = Server::read(about("server").next()?)?;
    let standby_lags = about("standby").map(|row| seconds(row, "standby"));
    let mut sample = Sample {
        max_connections: server.max_connections,
        reserved_connections: server.reserved_connections,
        replication_lag_ms: server.replication_lag_ms(standby_lags.collect::<Option<_>>()?),
        latency_us,
        ..Sample::default()
    };
    let mut waits_for = Vec::new();
    for row in about("session") {
        let session = Session::read(row)?;
        if session.pid != server.pid && !ours.contains(&session.pid) {
            session.count(&mut sample, server.now_s);
            if let (true, Some(blockers)) = (session.waits_for("Lock"), session.blockers) {
                waits_for.push((session.pid, blockers));
            }
        }
    }
    sample.blocked_depth = blocked_depth(waits_for);
    Some(sample)
}

/// The server itself.
struct Server {
    now_s: f64,
    /// The backend that answers.
    pid: i32,
    max_connections: u32,
    reserved_connections: u32,
    is_in_recovery: bool,
    /// Something was received that is not replayed.
    waits_for_replay: bool,
    replayed_s: Option<f64>,
}

impl Server {
    fn read(row: &PgRow) -> Option<Self> {
        // Unchecked: a position in the log has a type of its own, and is compared as the text that the server sends.
        let text = |name: &str| row.try_get_unchecked::<Option<&str>, _>(name).ok();
        let reserved = [
            text("superuser_reserved_connections")??,
            // New with PostgreSQL 16.
            text("reserved_connections")?.unwrap_or("0"),
        ];
        Some(Self {
            now_s: seconds(row, "server")??,
            pid: row.try_get("pid").ok()?,
            max_connections: text("max_connections")??.parse().ok()?,
            reserved_connections: reserved
                .iter()
                .try_fold(0u32, |sum, n| sum.checked_add(n.parse().ok()?))?,
            is_in_recovery: row.try_get("is_in_recovery").ok()?,
            waits_for_replay: text("received")? != text("replayed")?,
            replayed_s: seconds(row, "replayed_s")?,
        })
    }

    /// A standby's lag is the age of the last replayed transaction, but only while something waits to be replayed: an idle primary
    /// makes no lag. A primary's is that of its slowest standby, as far as they said.
    fn replication_lag_ms(&self, standby_lags: Vec<Option<f64>>) -> Option<u64> {
        if self.is_in_recovery {
            let since = self.replayed_s.filter(|_| self.waits_for_replay)?;
            return Some(milliseconds(self.now_s - since));
        }
        standby_lags.into_iter().flatten().map(milliseconds).max()
    }
}

/// One of the server's processes.
struct Session<'r> {
    pid: i32,
    /// None where the role may not see it; it can be a client, so it hides activity.
    backend_type: Option<&'r str>,
    state: &'r str,
    wait_event_type: &'r str,
    xact_start_s: Option<f64>,
    query_start_s: Option<f64>,
    state_change_s: Option<f64>,
    /// Who blocks it, where that was asked.
    blockers: Option<Vec<i32>>,
}

impl<'r> Session<'r> {
    fn read(row: &'r PgRow) -> Option<Self> {
        let word = |name: &str| row.try_get::<Option<&str>, _>(name).ok();
        Some(Self {
            pid: row.try_get("session").ok()?,
            backend_type: word("backend_type")?,
            state: word("state")?.unwrap_or_default(),
            wait_event_type: word("wait_event_type")?.unwrap_or_default(),
            xact_start_s: seconds(row, "xact_start_s")?,
            query_start_s: seconds(row, "query_start_s")?,
            state_change_s: seconds(row, "state_change_s")?,
            blockers: row.try_get("blockers").ok()?,
        })
    }

    fn is_active(&self) -> bool {
        self.backend_type == Some("client backend") && matches!(self.state, "active" | "fastpath function call")
    }

    /// It runs a statement, and waits for something of that type.
    fn waits_for(&self, wait_event_type: &str) -> bool {
        self.is_active() && self.wait_event_type == wait_event_type
    }

    fn count(&self, sample: &mut Sample, now_s: f64) {
        let age_ms = |start_s: Option<f64>| start_s.map_or(0, |start_s| milliseconds(now_s - start_s));
        let longer = |longest: &mut u64, start_s| *longest = age_ms(start_s).max(*longest);
        if self.backend_type.is_none() {
            sample.activity_hidden = true;
        }
        if self.backend_type != Some("client backend") {
            return;
        }
        sample.connections += 1;
        longer(&mut sample.longest_transaction_ms, self.xact_start_s);
        sample.lock_waiters += u32::from(self.waits_for("Lock"));
        sample.io_waiters += u32::from(self.waits_for("IO"));
        sample.lwlock_waiters += u32::from(self.waits_for("LWLock"));
        match self.state {
            "idle in transaction" | "idle in transaction (aborted)" => {
                sample.idle_in_transaction += 1;
                longer(&mut sample.idle_in_transaction_ms, self.state_change_s);
            }
            "disabled" => sample.activity_not_tracked = true,
            _ if self.is_active() => {
                sample.active += 1;
                longer(&mut sample.longest_statement_ms, self.query_start_s);
            }
            _ => {}
        }
    }
}

/// Outer: it cannot be read. Inner: it is NULL.
#[expect(clippy::option_option, reason = "the one is an error, the other a value")]
fn seconds(row: &PgRow, name: &str) -> Option<Option<f64>> {
    row.try_get(name).ok()
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
pub(super) const MAX_BLOCKED_DEPTH: u32 = 16;

/// The longest chain of sessions that wait for each other: of the pids of sessions that wait, each with the pids that it waits for.
pub(super) fn blocked_depth(mut waits_for: Vec<(i32, Vec<i32>)>) -> u32 {
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
    depth
}
