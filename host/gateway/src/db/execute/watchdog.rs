//! Keeps taking the verdict while a bounded action runs.
//!
//! **In**: the pid of the action's backend, which does not count. **Out**: the reason to stop, as soon as there is one.
//! **Can fail**: then that is the reason to stop; an action whose effect nobody can see does not go on.

use std::time::Duration;

use sqlx::postgres::PgConnection;

use crate::db::dsn::Target;
use crate::db::failure::Failure;
use crate::health::{Sample, Sampler, Thresholds, judge};
use crate::time::now_us;
use crate::words::{OutcomeStatus, VerdictLevel};

/// Time between two looks. Three make a verdict, so an action is stopped within about half a second of the load that it causes.
const INTERVAL: Duration = Duration::from_millis(150);

/// How many looks a verdict is made of.
const WINDOW: usize = 3;

/// A second connection that looks at the server.
#[derive(Debug)]
pub(super) struct Watchdog {
    sampler: Sampler,
    /// The latest looks, oldest first.
    window: Vec<Sample>,
    pid: i32,
}

impl Watchdog {
    /// Connects; an action that cannot be watched does not begin.
    pub(super) async fn open(target: &Target, pid: i32) -> Result<Self, Failure> {
        match Sampler::open(target).await {
            Ok(sampler) => Ok(Self {
                sampler,
                window: Vec::with_capacity(WINDOW),
                pid,
            }),
            Err(failure) => Err(Failure {
                detail: format!(
                    "the action was not begun, because nothing could watch over it: {}",
                    failure.detail
                ),
                ..failure
            }),
        }
    }

    /// Looks again and again; returns when the verdict is no longer `clear`.
    pub(super) async fn wait_until_not_clear(&mut self, thresholds: &Thresholds) -> Failure {
        loop {
            let sample = match self.sampler.sample(&[self.pid]).await {
                Ok(sample) => sample,
                Err(failure) => {
                    let detail = format!(
                        "the action was cancelled, because the verdict could not be taken: {}",
                        failure.detail
                    );
                    return Failure::new(OutcomeStatus::Cancelled, detail);
                }
            };
            if self.window.len() == WINDOW {
                self.window.remove(0);
            }
            self.window.push(sample);
            if self.window.len() == WINDOW {
                let verdict = judge(&self.window, thresholds, now_us());
                if verdict.level != VerdictLevel::Clear {
                    let why: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
                    let detail = format!(
                        "the action was cancelled, because the verdict became `{}` while it ran: {}",
                        verdict.level,
                        why.join("; ")
                    );
                    return Failure::new(OutcomeStatus::Cancelled, detail);
                }
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// The connection, to cancel the action over.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.sampler.connection()
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        self.sampler.close().await;
    }
}
