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
/// Most bytes of plans' messages that wait, all together; of further ones the tree is not kept.
const MAX_PLAN_BYTES: usize = 4 * 1024 * 1024;
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
    /// Of plans' messages.
    plan_bytes: usize,
}

impl Pending {
    /// Whether nothing waits: the usual case, told at no cost.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.by_process.is_empty()
    }

    /// Lets an event wait. Gives back what has to go without a statement, for lack of room.
    pub(super) fn add(&mut self, stream: usize, pid: i32, at_us: i64, mut event: Waiting) -> Vec<Waiting> {
        let is_new = !self.by_process.contains_key(&(stream, pid));
        if at_us == 0 || (is_new && self.by_process.len() >= MAX_PROCESSES) {
            return vec![event];
        }
        if let Waiting::Plan { message, .. } = &mut event {
            if self.plan_bytes.saturating_add(message.len()) > MAX_PLAN_BYTES {
                *message = Box::default();
            }
            self.plan_bytes += message.len();
        }
        let events = self.by_process.entry((stream, pid)).or_default();
        let is_full = events.len() >= MAX_PER_PROCESS;
        let overdue = is_full.then(|| events.remove(0));
        events.push((at_us, event));
        self.leave(overdue.into_iter().collect())
            .map(|(_, event)| event)
            .collect()
    }

    /// What waited for a process's duration: each with whether it lies within the time that ended at `end_us`.
    pub(super) fn within(&mut self, stream: usize, pid: i32, end_us: i64, us: u64) -> Vec<(bool, Waiting)> {
        let events = self.by_process.remove(&(stream, pid)).unwrap_or_default();
        let duration_us = i64::try_from(us).unwrap_or(i64::MAX);
        self.leave(events)
            .map(|(at_us, event)| {
                let in_seconds = [at_us, end_us].iter().all(|instant| instant % 1_000_000 == 0);
                let slack_us = if in_seconds { SLACK_OF_SECONDS_US } else { SLACK_US };
                let begin_us = end_us.saturating_sub(duration_us).saturating_sub(slack_us);
                let is_within = (begin_us..=end_us.saturating_add(slack_us)).contains(&at_us);
                (is_within, event)
            })
            .collect()
    }

    /// What a process leaves when its statement ended otherwise.
    pub(super) fn of_process(&mut self, stream: usize, pid: i32) -> Vec<Waiting> {
        let events = self.by_process.remove(&(stream, pid)).unwrap_or_default();
        self.leave(events).map(|(_, event)| event).collect()
    }

    /// All that still waits.
    pub(super) fn rest(&mut self) -> Vec<Waiting> {
        let mut processes: Vec<_> = std::mem::take(&mut self.by_process).into_iter().collect();
        processes.sort_unstable_by_key(|(process, _)| *process);
        let events = processes.into_iter().flat_map(|(_, events)| events);
        self.leave(events.collect()).map(|(_, event)| event).collect()
    }

    /// Events that wait no longer make room.
    fn leave(&mut self, events: Vec<(i64, Waiting)>) -> impl Iterator<Item = (i64, Waiting)> + use<> {
        for (_, event) in &events {
            if let Waiting::Plan { message, .. } = event {
                self.plan_bytes = self.plan_bytes.saturating_sub(message.len());
            }
        }
        events.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::PlanFormat;

    fn plan(bytes: usize) -> Waiting {
        let seen = PlanSeen {
            at_us: 1,
            duration_us: 1,
            format: PlanFormat::Text,
        };
        let message = vec![b'x'; bytes].into();
        Waiting::Plan { seen, message }
    }

    fn bytes(events: &[Waiting]) -> usize {
        let plans = events.iter().map(|event| match event {
            Waiting::Plan { message, .. } => message.len(),
            _ => 0,
        });
        plans.sum()
    }

    #[test]
    fn plans_that_wait_are_bounded_whoever_logs_them() {
        let mut pending = Pending::default();
        let mut gone = Vec::new();
        for pid in 0..200 {
            for _ in 0..2 * MAX_PER_PROCESS {
                gone.extend(pending.add(0, pid, 1, plan(64 * 1024)));
            }
        }
        assert_eq!(gone.len(), 200 * MAX_PER_PROCESS);
        let rest = pending.rest();
        assert_eq!(rest.len(), 200 * MAX_PER_PROCESS);
        assert!(bytes(&rest) <= MAX_PLAN_BYTES && bytes(&rest) > 0, "{}", bytes(&rest));
        // What left made room.
        assert_eq!((pending.plan_bytes, pending.is_empty()), (0, true));
        assert!(pending.add(0, 1, 1, plan(MAX_PLAN_BYTES)).is_empty());
        assert_eq!(bytes(&pending.of_process(0, 1)), MAX_PLAN_BYTES);
    }

    #[test]
    fn what_lies_within_a_duration_belongs_to_it() {
        let mut pending = Pending::default();
        let at =
            |pending: &mut Pending, at_us| assert!(pending.add(0, 7, at_us, Waiting::Wait { number: 1 }).is_empty());
        for at_us in [1_000_000_500, 1_000_400_000, 1_000_500_000, 1_000_900_000] {
            at(&mut pending, at_us);
        }
        // From 1,000.3 s to 1,000.5 s.
        let found = pending.within(0, 7, 1_000_500_000, 200_000);
        let within: Vec<bool> = found.into_iter().map(|(is_within, _)| is_within).collect();
        assert_eq!(within, [false, true, true, false]);
        // With %t, all instants are whole seconds.
        at(&mut pending, 1_000_000_000);
        let found = pending.within(0, 7, 1_001_000_000, 500_000);
        assert!(found.iter().all(|(is_within, _)| *is_within));
        assert!(pending.within(0, 7, 1_001_000_000, 500_000).is_empty());
        // Without an instant nothing can be concluded.
        assert_eq!(pending.add(0, 7, 0, Waiting::Wait { number: 1 }).len(), 1);
    }
}
