//! The threads of one process that append to one [`super::Log`]: one of them commits for all.
//!
//! **In**: who begins to seal a record and who has sealed it. **Out**: the lead, for one thread at a time. **Trusted**: nothing; whoever
//! leads makes durable and publishes what is there, whatever this says. **Can fail**: nothing.
//!
//! Threads that were served together come back together, with the next record of each. Whoever of them has sealed first would lead for
//! itself alone, and all others wait for that before their turn: every second commit would be for one record. So a leader waits for those
//! who are at it, at most as long as the last commit took; a record whose signer is slow therefore keeps nobody for long.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::commit::Group;

/// Who of the threads does what.
#[derive(Default)]
pub(super) struct Threads {
    inner: Mutex<Inner>,
    /// The lead is free.
    free: Condvar,
    /// Nobody seals.
    sealed: Condvar,
}

#[derive(Default)]
struct Inner {
    /// Of the last leader.
    group: Option<Group>,
    is_led: bool,
    /// Threads that are sealing a record.
    sealing: usize,
    /// How long the last commit took.
    commit_time: Duration,
}

/// A thread is sealing a record until this is dropped.
pub(super) struct Sealing<'a> {
    threads: &'a Threads,
}

/// A thread commits for all of the process until this is dropped.
pub(super) struct Lead<'a> {
    threads: &'a Threads,
    pub(super) group: Option<Group>,
}

impl Threads {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This thread begins to seal a record.
    pub(super) fn seal(&self) -> Sealing<'_> {
        self.inner().sealing += 1;
        Sealing { threads: self }
    }

    /// The lead, once no other thread has it; `None` if `is_served` by then.
    pub(super) fn lead(&self, is_served: impl Fn() -> bool) -> Option<Lead<'_>> {
        let mut inner = self.inner();
        loop {
            if is_served() {
                return None;
            }
            if !inner.is_led {
                inner.is_led = true;
                let group = inner.group.take();
                return Some(Lead { threads: self, group });
            }
            inner = self.free.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Sealing<'_> {
    fn drop(&mut self) {
        let mut inner = self.threads.inner();
        inner.sealing -= 1;
        if inner.sealing == 0 && inner.is_led {
            self.threads.sealed.notify_one();
        }
    }
}

impl Lead<'_> {
    /// Waits until no thread is sealing, for as long as the last commit took.
    pub(super) fn wait_for_others(&self) {
        let inner = self.threads.inner();
        let limit = inner.commit_time;
        let _sealed_or_not = self
            .threads
            .sealed
            .wait_timeout_while(inner, limit, |inner| inner.sealing > 0);
    }

    /// How long this commit took.
    pub(super) fn took(&self, time: Duration) {
        self.threads.inner().commit_time = time;
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut inner = self.threads.inner();
        inner.group = self.group.take();
        inner.is_led = false;
        drop(inner);
        self.threads.free.notify_all();
    }
}

#[cfg(test)]
mod tests;
