//! Stopping an action: the token that asks for it, and the cancellation on the server.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::watch;

use super::watchdog::Watchdog;
use crate::db::dsn::Target;
use crate::db::session;

/// How long a cancellation may take before the closed connection has to do.
const CANCEL_TIMEOUT: Duration = Duration::from_millis(800);

/// How much of that the watchdog's connection gets, before another one is tried.
const WATCHDOG_TIMEOUT: Duration = Duration::from_millis(300);

/// How long ending a backend may take, over a connection of its own if need be.
const END_TIMEOUT: Duration = Duration::from_millis(1_600);

/// Asks a running action to stop; clones ask for the same.
#[derive(Debug, Clone)]
pub struct CancelToken {
    sender: Arc<watch::Sender<bool>>,
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl CancelToken {
    /// A token that nobody has used yet.
    pub fn new() -> Self {
        Self {
            sender: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Asks the action to stop. For ever: a used token stops the next action at once.
    pub fn cancel(&self) {
        self.sender.send_replace(true);
    }

    /// Waits until [`Self::cancel`] was called.
    pub(crate) async fn cancelled(&self) {
        // The sender lives as long as `self`, so this ends by the value alone.
        let _ = self.sender.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}

/// Cancels what the backend `pid` of ours is running. When that fails, the caller closes the action's connection, and the server notices that
/// within a quarter of a second.
pub(super) async fn on_server(target: &Target, pid: i32, watchdog: Option<&mut Watchdog>) {
    let patience = (WATCHDOG_TIMEOUT, CANCEL_TIMEOUT);
    let _closing_does = tell(target, CANCEL, pid, watchdog, patience).await;
}

/// Ends the backend `pid` of ours, which heeds no cancellation: a function that the planner calls can trap one, but not this. Tells whether the
/// server says that it is gone.
pub(super) async fn end(target: &Target, pid: i32, watchdog: Option<&mut Watchdog>) -> bool {
    tell(target, END, pid, watchdog, (CANCEL_TIMEOUT, END_TIMEOUT)).await
}

/// Every role may do both to its own backends. One that is gone already has ended.
const CANCEL: &str = "SELECT pg_catalog.pg_cancel_backend($1)";
const END: &str =
    "SELECT pg_catalog.pg_terminate_backend(a.pid, 500) FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = $1";

/// Has the server do `sql` to the backend `pid`: over the watchdog's connection, which is there even when the server takes no new one, else, or
/// when that is silent for the first time of `patience`, over one of its own; all within the second.
async fn tell(
    target: &Target,
    sql: &'static str,
    pid: i32,
    watchdog: Option<&mut Watchdog>,
    (watchdogs, all): (Duration, Duration),
) -> bool {
    let told = async {
        if let Some(connection) = watchdog.and_then(Watchdog::connection)
            && let Ok(true) = tokio::time::timeout(watchdogs, send(connection, sql, pid)).await
        {
            return true;
        }
        let Ok(mut connection) = session::connect(target).await else {
            return false;
        };
        let is_done = send(&mut connection, sql, pid).await;
        let _ = connection.close().await;
        is_done
    };
    tokio::time::timeout(all, told).await.unwrap_or(false)
}

async fn send(connection: &mut PgConnection, sql: &'static str, pid: i32) -> bool {
    let sent = sqlx::query_scalar::<_, bool>(sql).bind(pid).fetch_optional(connection);
    sent.await.is_ok_and(|done| done.unwrap_or(true))
}
