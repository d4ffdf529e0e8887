//! Keeps taking the verdict while a bounded action runs.
//!
//! **In**: the pid of the action's backend, which does not count. **Out**: the reason to stop, as soon as there is one.
//! **Can fail**: then that is the reason to stop; an action whose effect nobody can see does not go on. A server that does not answer
//! is not waited for: see [`longest_look`].

use std::time::Duration;

use sqlx::postgres::PgConnection;

use crate::db::dsn::Target;
use crate::db::failure::Failure;
use crate::health::{Input, Sample, Sampler, Thresholds, judge};
use crate::time::now_us;
use crate::words::{OutcomeStatus, VerdictLevel};

/// Time between two looks. Three make a verdict, so an action is stopped within about half a second of the load that it causes.
const INTERVAL: Duration = Duration::from_millis(150);

/// How many looks a verdict is made of.
const WINDOW: usize = 3;

/// How long a look may take: twice the latency from which on the database counts as busy, half a second unless the operator is
/// stricter. Two looks of that latency would be such a verdict, so one that takes as long as both tells no less.
fn longest_look(thresholds: &Thresholds) -> Duration {
    let ms = 2.0 * thresholds.limit(Input::ProbeLatencyMs).busy;
    Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or(Duration::MAX)
}

/// A second connection that looks at the server.
#[derive(Debug)]
pub(super) struct Watchdog {
    sampler: Sampler,
    /// The latest looks, oldest first.
    window: Vec<Sample>,
    pid: i32,
    /// Its last look brought an answer.
    answers: bool,
}

impl Watchdog {
    /// Connects; an action that cannot be watched does not begin.
    pub(super) async fn open(target: &Target, pid: i32) -> Result<Self, Failure> {
        match Sampler::open(target).await {
            Ok(sampler) => Ok(Self {
                sampler,
                window: Vec::with_capacity(WINDOW),
                pid,
                answers: true,
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
        let limit = longest_look(thresholds);
        loop {
            let sample = match self.sampler.sample_within(&[self.pid], limit).await {
                Ok(sample) => sample,
                Err(failure) => {
                    self.answers = false;
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

    /// The connection, to cancel the action over, unless it has gone silent.
    pub(super) fn connection(&mut self) -> Option<&mut PgConnection> {
        self.answers.then(|| self.sampler.connection())
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        self.sampler.close().await;
    }
}
