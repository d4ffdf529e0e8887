//! One verdict for all processes that ask at the same time.
//!
//! **In**: a workspace, a database, limits. **Out**: a [`Verdict`] that this process or another one took. **Trusted**: a stored verdict
//! that this host's key authenticates, for this database, this role and these very limits, while its time to live lasts.
//! **Can fail**: never; where nothing can be shared, the database is asked.
//!
//! Whoever asks first looks, and the others wait for what it sees: a hundred agents that wake at one alarm are one probe, not a
//! hundred. Only `clear` is also taken over by who comes later: whatever denies is looked into again as soon as somebody asks, because
//! the reason may be gone.

use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::probe::probe;
use super::{Thresholds, Verdict};
use crate::authentic::Authentic;
use crate::db::Target;
use crate::time::now_us;
use crate::words::VerdictLevel;
use crate::workspace::Workspace;

/// How long to wait for another process's look before taking one's own: longer than a healthy server takes, and less than a person's
/// patience.
const PATIENCE: Duration = Duration::from_secs(5);

/// A safe action costs the server less than the three looks of a verdict, and load that matters does not rise and fall within this.
const JUST_NOW_US: i64 = 1_000_000;

/// How often to see whether it is there.
const INTERVAL: Duration = Duration::from_millis(10);

/// How old a verdict of another process may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// If it is `clear`, as old as its time to live: for what is decided again later.
    WhileFresh,
    /// If it is `clear`, taken within the last second: for safe actions one after the other.
    JustNow,
    /// Taken since this process asked: for what costs the database something.
    SinceAsked,
}

impl Sharing {
    /// How long before the question a `clear` verdict may have been taken.
    fn age_us(self) -> i64 {
        match self {
            Self::WhileFresh => i64::MAX,
            Self::JustNow => JUST_NOW_US,
            Self::SinceAsked => 0,
        }
    }
}

/// The verdict on `target`, by a look of this process or of another one.
pub async fn verdict(workspace: &Workspace, target: &Target, thresholds: &Thresholds, sharing: Sharing) -> Verdict {
    let asked_us = now_us();
    let shared = Shared::new(workspace, target, thresholds);
    let usable = || shared.stored().filter(|stored| is_usable(stored, sharing, asked_us));
    if let Some(stored) = usable() {
        return stored;
    }
    let deadline = Instant::now() + PATIENCE;
    let lock = loop {
        match workspace.lock_verdict(&shared.name) {
            Ok(Some(lock)) => break Some(lock),
            Ok(None) if Instant::now() < deadline => tokio::time::sleep(INTERVAL).await,
            // Somebody looks for too long, or nobody can lock: what is shared is a saving, and no reason to go without a verdict.
            Ok(None) | Err(_) => break None,
        }
    };
    if let Some(stored) = usable() {
        return stored;
    }
    let verdict = probe(target, thresholds).await;
    shared.store(&verdict);
    drop(lock);
    verdict
}

/// Forgets the verdict on `target`: something showed that it does not hold any more.
pub fn forget(workspace: &Workspace, target: &Target, thresholds: &Thresholds) {
    let shared = Shared::new(workspace, target, thresholds);
    shared.files.forget(&shared.name);
}

/// What is stored may be used for what was asked at `asked_us`.
fn is_usable(stored: &Verdict, sharing: Sharing, asked_us: i64) -> bool {
    let is_within = |age_us: i64| stored.taken_at_us.saturating_add(age_us) >= asked_us;
    stored.is_fresh(now_us()) && (is_within(0) || stored.level == VerdictLevel::Clear && is_within(sharing.age_us()))
}

/// Where verdicts on one database by one set of limits are kept.
struct Shared<'a> {
    files: Authentic<'a>,
    name: String,
}

impl<'a> Shared<'a> {
    fn new(workspace: &'a Workspace, target: &Target, thresholds: &Thresholds) -> Self {
        // With the role, because roles see different things. The debug form of limits is their content; it only has to differ where
        // they do.
        let what = format!("{target}\0{thresholds:?}");
        Self {
            files: Authentic::new(workspace, "pg-logstats verdict v1"),
            name: format!("{}.verdict", crate::hex(&Sha256::digest(what.as_bytes()))),
        }
    }

    fn stored(&self) -> Option<Verdict> {
        serde_json::from_slice(&self.files.read(&self.name)?).ok()
    }

    fn store(&self, verdict: &Verdict) {
        if let Ok(json) = serde_json::to_vec(verdict) {
            self.files.write(&self.name, &json);
        }
    }
}

#[cfg(test)]
mod tests;
