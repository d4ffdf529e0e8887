//! Events that do not name their statement, until the session's next duration tells whether it was that one.
//!
//! A session runs one statement at a time, and what it logs while it runs stands before the statement's duration. So an event belongs to the
//! next duration of its session if it lies within that time. The window is bounded: by the session's next duration, its end or error, and by
//! the number of events that wait. What finds no statement has none; nothing is guessed.

use std::sync::Arc;

use hashbrown::HashMap;

use super::activity::PlanSeen;
use crate::evidence::Dimensions;

/// Most events of one process that wait.
const MAX_PER_PROCESS: usize = 64;
/// Most processes with events that wait.
const MAX_PROCESSES: usize = 1_024;
/// Instants are cut to milliseconds, and the duration was taken a little before its entry was written.
const SLACK_US: i64 = 2_000;
/// Where `log_line_prefix` has `%t`, instants are cut to seconds.
const SLACK_OF_SECONDS_US: i64 = 1_000_000;

/// An event whose statement is not known.
#[derive(Debug)]
pub(super) enum Waiting {
    /// A lock wait, by its number.
    Wait { number: u64 },
    /// A temporary file.
    TempFile { names: Arc<Dimensions>, bytes: u64 },
    /// A plan, with its message.
    Plan { seen: PlanSeen, message: Box<[u8]> },
}

/// The events that wait, by stream and pid.
#[derive(Debug, Default)]
pub(super) struct Pending {
    by_process: HashMap<(usize, i32), Vec<(i64, Waiting)>>,
}

impl Pending {
    /// Whether nothing waits: the usual case, told at no cost.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.by_process.is_empty()
    }

    /// Lets an event wait. Gives back what has to go without a statement, for lack of room.
    pub(super) fn add(&mut self, stream: usize, pid: i32, at_us: i64, event: Waiting) -> Vec<Waiting> {
        let is_new = !self.by_process.contains_key(&(stream, pid));
        if at_us == 0 || (is_new && self.by_process.len() >= MAX_PROCESSES) {
            return vec![event];
        }
        let events = self.by_process.entry((stream, pid)).or_default();
        let overdue = if events.len() >= MAX_PER_PROCESS {
            Some(events.remove(0).1)
        } else {
            None
        };
        events.push((at_us, event));
        overdue.into_iter().collect()
    }

    /// What waited for a process's duration: each with whether it lies within the time that ended at `end_us`.
    pub(super) fn within(&mut self, stream: usize, pid: i32, end_us: i64, us: u64) -> Vec<(bool, Waiting)> {
        let events = self.by_process.remove(&(stream, pid)).unwrap_or_default();
        let duration_us = i64::try_from(us).unwrap_or(i64::MAX);
        events
            .into_iter()
            .map(|(at_us, event)| {
                let in_seconds = [at_us, end_us].iter().all(|instant| instant % 1_000_000 == 0);
                let slack_us = if in_seconds { SLACK_OF_SECONDS_US } else { SLACK_US };
                let begin_us = end_us.saturating_sub(duration_us).saturating_sub(slack_us);
                ((begin_us..=end_us.saturating_add(slack_us)).contains(&at_us), event)
            })
            .collect()
    }

    /// What a process leaves when its statement ended otherwise.
    pub(super) fn of_process(&mut self, stream: usize, pid: i32) -> Vec<Waiting> {
        let events = self.by_process.remove(&(stream, pid)).unwrap_or_default();
        events.into_iter().map(|(_, event)| event).collect()
    }

    /// All that still waits.
    pub(super) fn rest(&mut self) -> Vec<Waiting> {
        let mut processes: Vec<_> = std::mem::take(&mut self.by_process).into_iter().collect();
        processes.sort_unstable_by_key(|(process, _)| *process);
        let events = processes.into_iter().flat_map(|(_, events)| events);
        events.map(|(_, event)| event).collect()
    }
}
