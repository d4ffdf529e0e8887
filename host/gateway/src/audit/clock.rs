//! Clock steps: where the wall clock that dates the records was set.
//!
//! **In**: the time of the record before, and this process's two clocks. **Out**: by how much the wall clock jumped. **Trusted**:
//! `CLOCK_BOOTTIME`, which nobody sets (clock_gettime(2)). **Can fail**: nothing.
//!
//! Between two records of one process every step shows, forwards and backwards. Between processes only a step back does: time that
//! passed and time that was skipped look alike. The order of the records is their index in any case.

use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Steps below this are the slewing of a time service, or two processes that waited for each other.
const LEAST_STEP_US: i64 = 1_000_000;

/// The wall clock was set since the record before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// By how much, in microseconds; negative when it was set back.
    pub step_us: i64,
}

/// A reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Microseconds since the Unix epoch.
    pub(crate) wall_us: i64,
    /// Microseconds since the machine was started, suspended time included.
    pub(crate) boot_us: i64,
}

impl Reading {
    pub(crate) fn now() -> Self {
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let boot = Duration::new(
            u64::try_from(boot.tv_sec).unwrap_or_default(),
            u32::try_from(boot.tv_nsec).unwrap_or_default(),
        );
        Self {
            wall_us: crate::time::now_us(),
            boot_us: i64::try_from(boot.as_micros()).unwrap_or(i64::MAX),
        }
    }
}

/// What the next record's time is compared with.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Mutex<Option<Reading>>,
}

impl Clock {
    /// The step that `now` shows. `before` is the time of the newest record of the log, asked for once in each process.
    pub(crate) fn step(&self, now: Reading, before: impl FnOnce() -> Option<i64>) -> Option<ClockStep> {
        let last = self.last.lock().ok()?.replace(now);
        let step_us = match last {
            Some(last) => (now.wall_us - last.wall_us) - (now.boot_us - last.boot_us),
            None => before().map_or(0, |before| (now.wall_us - before).min(0)),
        };
        (step_us.abs() >= LEAST_STEP_US).then_some(ClockStep { step_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    fn at(wall_s: i64, boot_s: i64) -> Reading {
        Reading {
            wall_us: wall_s * S,
            boot_us: boot_s * S,
        }
    }

    #[test]
    fn a_step_shows_in_one_process_both_ways() {
        let clock = Clock::default();
        let step = |reading, before: Option<i64>| clock.step(reading, || before).map(|it| it.step_us / S);
        assert_eq!(step(at(1_000, 10), Some(990 * S)), None, "time passed");
        assert_eq!(step(at(1_100, 110), None), None);
        assert_eq!(step(at(1_050, 120), None), Some(-60));
        assert_eq!(step(at(4_650, 121), None), Some(3_599));
        assert_eq!(step(at(4_651, 122), None), None);
    }

    #[test]
    fn between_processes_a_step_back_shows() {
        let step = |before: i64| {
            Clock::default()
                .step(at(1_000, 5), || Some(before))
                .map(|it| it.step_us)
        };
        assert_eq!(step(1_060 * S), Some(-60 * S));
        assert_eq!(
            step(1_000 * S + S / 2),
            None,
            "two processes that waited for each other"
        );
        assert_eq!(step(1), None);
        assert_eq!(
            Clock::default().step(at(1_000, 5), || None),
            None,
            "the first record of a log"
        );
    }

    #[test]
    fn both_clocks_go_on() {
        let first = Reading::now();
        std::thread::sleep(Duration::from_millis(5));
        let second = Reading::now();
        assert!(second.boot_us - first.boot_us >= 5_000 && first.wall_us > 1_700_000_000 * S);
    }
}
