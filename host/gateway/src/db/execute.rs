//! One approved action against a server, from connecting to the last row.
//!
//! **In**: the gate's two proofs, by value. **Out**: an [`ActionOutcome`], whatever happens. **Trusted**: the catalogue's SQL.
//! Values only ever become bind arguments. **Can fail**: never; what goes wrong is the outcome's status and detail, in our words.
//!
//! While a bounded action runs, a second connection keeps taking the verdict, and cancels the action on the server when the
//! verdict leaves `clear`. A [`CancelToken`] does the same by hand. When the future is dropped or the process killed, the server
//! notices the closed connection by itself (see [`super::session`]).

mod cancel;
mod query;
#[cfg(test)]
mod tests;
mod watchdog;

use std::time::{Duration, Instant};

pub use cancel::CancelToken;
pub(super) use query::{bind as bind_query, decode as decode_row, sql as query_sql};

use super::analyze;
use super::dsn::Target;
use super::explain;
use super::failure::Failure;
use super::session::{Session, Timeouts};
use crate::catalogue::{Action, ActionKind};
use crate::gate::{ApprovedAction, DurableIntent};
use crate::health::{Thresholds, allows};
use crate::outcome::{ActionOutcome, PlanNode, Row};
use crate::words::{OutcomeStatus, Risk, VerdictLevel};
use watchdog::Watchdog;

/// Under what conditions an action may go on.
#[derive(Debug, Clone)]
pub struct ExecutionGuard {
    /// The verdict that the gate just saw; under `saturated` timeouts are tighter.
    pub verdict: VerdictLevel,
    /// What the watchdog judges with.
    pub thresholds: Thresholds,
    /// The operator accepts a role that could write.
    pub allow_privileged_role: bool,
    /// The login role that the operator's policy requires.
    pub required_role: Option<String>,
    /// Highest estimated cost of a statement that EXPLAIN ANALYZE may run, in the planner's units.
    pub max_explain_analyze_cost: f64,
    /// Stops the action.
    pub cancel: CancelToken,
}

impl ExecutionGuard {
    /// The strictest guard under that verdict: default thresholds, no privileged role.
    pub fn new(verdict: VerdictLevel) -> Self {
        Self {
            verdict,
            thresholds: Thresholds::default(),
            allow_privileged_role: false,
            required_role: None,
            max_explain_analyze_cost: crate::db::MAX_EXPLAIN_ANALYZE_COST,
            cancel: CancelToken::new(),
        }
    }
}

/// What a run brought, before it is an outcome.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<Row>,
    plan: Vec<PlanNode>,
    bytes: u64,
    truncated: bool,
    detail: Option<String>,
}

/// Runs the action. The intent is consumed with it: one intent, one run.
pub async fn execute(
    target: &Target,
    approved: ApprovedAction,
    intent: DurableIntent,
    guard: &ExecutionGuard,
) -> ActionOutcome {
    let mut clock = Clock::default();
    let result = run(target, &approved, guard, &mut clock).await;
    // From here on nothing can be sent for this intent any more.
    drop(intent);
    outcome(approved.action(), result, clock.elapsed())
}

async fn run(
    target: &Target,
    approved: &ApprovedAction,
    guard: &ExecutionGuard,
    clock: &mut Clock,
) -> Result<Found, Failure> {
    let action = approved.action();
    let risk = approved.risk();
    if !allows(guard.verdict, risk, action.essential) {
        let detail = format!("a {risk} action may not run under the verdict `{}`", guard.verdict);
        return Err(Failure::new(OutcomeStatus::Failed, detail));
    }
    let timeouts = timeouts(action, guard.verdict);
    let mut session = tokio::select! {
        session = Session::open(target, timeouts) => session?,
        () = guard.cancel.cancelled() => return Err(cancelled_by_hand()),
    };
    session.check(guard.allow_privileged_role)?;
    session.check_role(guard.required_role.as_deref())?;
    let pid = session.facts.pid;
    let mut watchdog = match risk {
        Risk::Safe => None,
        Risk::Bounded | Risk::Expensive | Risk::RequiresHumanApproval => Some(Watchdog::open(target, pid).await?),
    };
    clock.start();
    let limit = Duration::from_millis(timeouts.statement_ms.into()) + super::session::GRACE;
    let ended = tokio::select! {
        result = run_kind(&mut session, approved, guard) => result,
        reason = interrupted(watchdog.as_mut(), guard, limit) => {
            cancel::on_server(target, pid, watchdog.as_mut()).await;
            Err(reason)
        }
    };
    clock.stop();
    let is_over = session.close().await || cancel::end(target, pid, watchdog.as_mut()).await;
    if let Some(watchdog) = watchdog {
        watchdog.close().await;
    }
    ended.map_err(|failure| match is_over {
        true => in_terms_of_timeouts(failure, clock.elapsed(), timeouts),
        false => may_still_run(failure, pid),
    })
}

/// The server neither cancelled the statement nor ended its process.
fn may_still_run(failure: Failure, pid: i32) -> Failure {
    let detail = format!(
        "{}; it may still run on the server, in process {pid}: look there (pg_stat_activity), and end it",
        failure.detail
    );
    Failure { detail, ..failure }
}

/// Waits for a reason to stop the action: the verdict, the operator, or a server that does not keep its own timeout.
async fn interrupted(watchdog: Option<&mut Watchdog>, guard: &ExecutionGuard, limit: Duration) -> Failure {
    let verdict = async {
        match watchdog {
            Some(watchdog) => watchdog.wait_until_not_clear(&guard.thresholds).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        failure = verdict => failure,
        () = guard.cancel.cancelled() => cancelled_by_hand(),
        () = tokio::time::sleep(limit) => Failure::no_answer("the statement", limit.as_millis()),
    }
}

async fn run_kind(session: &mut Session, approved: &ApprovedAction, guard: &ExecutionGuard) -> Result<Found, Failure> {
    let explained = match approved.action().kind {
        ActionKind::Query => return query::run(session, approved).await,
        ActionKind::Explain => explain::run(session, approved.action(), approved.parameters()).await?,
        ActionKind::ExplainAnalyze => analyze::run(session, approved, guard.max_explain_analyze_cost).await?,
    };
    let (rows, detail) = match explained.index_facts {
        Ok(rows) => (rows, None),
        Err(failure) => (
            Vec::new(),
            Some(format!("what an index would change is not known: {}", failure.detail)),
        ),
    };
    Ok(Found {
        rows,
        plan: explained.plan.nodes,
        bytes: explained.bytes,
        detail,
        ..Found::default()
    })
}

fn timeouts(action: &Action, level: VerdictLevel) -> Timeouts {
    let caps = &action.caps;
    let (statement_ms, lock_ms) = if level == VerdictLevel::Saturated {
        (caps.saturated.statement_timeout_ms, caps.saturated.lock_timeout_ms)
    } else {
        (caps.statement_timeout_ms, caps.lock_timeout_ms)
    };
    Timeouts {
        statement_ms,
        lock_ms,
        idle_in_transaction_ms: caps.idle_in_transaction_session_timeout_ms,
    }
}

fn cancelled_by_hand() -> Failure {
    Failure::new(
        OutcomeStatus::Cancelled,
        "the action was interrupted; its query was cancelled on the server",
    )
}

/// The server reports its own timeout as a cancellation; the clock tells which it was.
fn in_terms_of_timeouts(failure: Failure, elapsed: Duration, timeouts: Timeouts) -> Failure {
    let timed_out =
        failure.sqlstate.as_deref() == Some("57014") && elapsed >= Duration::from_millis(timeouts.statement_ms.into());
    if !timed_out {
        return failure;
    }
    let detail = format!(
        "the statement took longer than the action's statement_timeout of {} ms",
        timeouts.statement_ms
    );
    Failure {
        status: OutcomeStatus::TimedOut,
        detail,
        ..failure
    }
}

fn outcome(action: &Action, result: Result<Found, Failure>, duration: Duration) -> ActionOutcome {
    let duration_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let columns = action.columns.iter().map(|c| c.name.clone()).collect();
    match result {
        Ok(found) => ActionOutcome {
            status: if found.truncated {
                OutcomeStatus::Truncated
            } else {
                OutcomeStatus::Ok
            },
            sqlstate: None,
            detail: found.detail,
            columns,
            rows: found.rows,
            plan: found.plan,
            duration_us,
            bytes: found.bytes,
        },
        Err(failure) => ActionOutcome {
            status: failure.status,
            sqlstate: failure.sqlstate,
            detail: Some(failure.detail),
            columns,
            rows: Vec::new(),
            plan: Vec::new(),
            duration_us,
            bytes: 0,
        },
    }
}

/// How long the statement took, connecting left out.
#[derive(Debug, Default)]
struct Clock {
    started: Option<Instant>,
    stopped: Option<Instant>,
}

impl Clock {
    fn start(&mut self) {
        self.started = Some(Instant::now());
    }

    fn stop(&mut self) {
        self.stopped = Some(Instant::now());
    }

    fn elapsed(&self) -> Duration {
        match (self.started, self.stopped) {
            (Some(started), Some(stopped)) => stopped.duration_since(started),
            (Some(started), None) => started.elapsed(),
            (None, _) => Duration::ZERO,
        }
    }
}
