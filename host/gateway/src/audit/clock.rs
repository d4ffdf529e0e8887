//! Clock steps: where the wall clock that dates the records was set.
//!
//! **In**: the clocks of the record before, and the machine's now. **Out**: by how much the wall clock jumped. **Trusted**:
//! `CLOCK_BOOTTIME`, which nobody sets (clock_gettime(2)). **Can fail**: nothing.
//!
//! Between two records that were made since the machine was started every step shows, forwards and backwards, whichever processes made
//! them. Over a start, and on another machine, only a step back does: time that passed and time that was skipped look alike. The order of
//! the records is their index in any case.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The id of this run of the machine (random(4)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Steps below this are the slewing of a time service, or two processes that waited for each other.
const LEAST_STEP_US: i64 = 1_000_000;

/// The wall clock was set since the record before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// By how much, in microseconds; negative when it was set back.
    pub step_us: i64,
}

/// Where a record stands in a run of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uptime {
    /// Which run it is: eight bytes, in hex, of the SHA-256 of the id that the kernel draws at its start.
    pub boot: String,
    /// Microseconds since that start, suspended time included.
    pub us: i64,
}

/// A reading of both clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Microseconds since the Unix epoch.
    pub(crate) wall_us: i64,
    /// None where the kernel does not name its run.
    pub(crate) uptime: Option<Uptime>,
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
            uptime: boot_id().map(|boot_id| Uptime {
                boot: boot_id.to_owned(),
                us: i64::try_from(boot.as_micros()).unwrap_or(i64::MAX),
            }),
        }
    }

    /// By how much the wall clock was set since `before`, in microseconds.
    fn step_since(&self, before: &Self) -> i64 {
        let passed_us = self.wall_us.saturating_sub(before.wall_us);
        match (&self.uptime, &before.uptime) {
            (Some(now), Some(then)) if now.boot == then.boot => {
                passed_us.saturating_sub(now.us.saturating_sub(then.us))
            }
            _ => passed_us.min(0),
        }
    }
}

fn boot_id() -> Option<&'static str> {
    static ID: OnceLock<Option<String>> = OnceLock::new();
    let read = || {
        let id = std::fs::read_to_string(BOOT_ID).ok()?;
        let digest = crate::hex(&Sha256::digest(id.trim()));
        digest.get(..16).map(str::to_owned)
    };
    ID.get_or_init(read).as_deref()
}

/// What the next record's time is compared with.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Mutex<Option<Reading>>,
}

impl Clock {
    /// The step that `now` shows. `before` reads the clocks of the newest record of the log, and is asked once in each process.
    pub(crate) fn step(&self, now: &Reading, before: impl FnOnce() -> Option<Reading>) -> Option<ClockStep> {
        let last = self.last.lock().ok()?.replace(now.clone());
        let step_us = last.or_else(before).map_or(0, |last| now.step_since(&last));
        (step_us.abs() >= LEAST_STEP_US).then_some(ClockStep { step_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    fn at(wall_s: i64, boot_s: i64) -> Reading {
        of("one", wall_s, boot_s)
    }

    fn of(boot: &str, wall_s: i64, boot_s: i64) -> Reading {
        Reading {
            wall_us: wall_s * S,
            uptime: Some(Uptime {
                boot: boot.to_owned(),
                us: boot_s * S,
            }),
        }
    }

    #[test]
    fn a_step_shows_in_one_process_both_ways() {
        let clock = Clock::default();
        let step = |reading| clock.step(&reading, || None).map(|it| it.step_us / S);
        assert_eq!(step(at(1_000, 10)), None, "the first record of a log");
        assert_eq!(step(at(1_100, 110)), None);
        assert_eq!(step(at(1_050, 120)), Some(-60));
        assert_eq!(step(at(4_650, 121)), Some(3_599));
        assert_eq!(step(at(4_651, 122)), None);
    }

    #[test]
    fn between_processes_a_step_shows_both_ways_while_the_machine_runs() {
        let step = |before: Reading| {
            let step = Clock::default().step(&at(10_000, 5_000), || Some(before));
            step.map(|it| it.step_us / S)
        };
        assert_eq!(step(at(9_000, 4_000)), None, "time passed");
        assert_eq!(
            step(at(10_001, 5_001)),
            None,
            "two processes that waited for each other"
        );
        assert_eq!(step(at(6_400, 4_000)), Some(2_600));
        // Set back by an hour, and two hours later nothing is dated before anything.
        assert_eq!(step(at(6_400, -2_200)), Some(-3_600));
    }

    #[test]
    fn over_a_start_of_the_machine_a_step_back_shows() {
        let step = |before: Reading| {
            let step = Clock::default().step(&at(1_000, 5), || Some(before));
            step.map(|it| it.step_us / S)
        };
        assert_eq!(step(of("before", 1_060, 90_000)), Some(-60));
        assert_eq!(step(of("before", 1_000, 90_000)), None);
        assert_eq!(step(of("before", 1, 90_000)), None);
        let of_an_earlier_build = Reading {
            wall_us: 1_060 * S,
            uptime: None,
        };
        assert_eq!(step(of_an_earlier_build), Some(-60));
    }

    #[test]
    fn both_clocks_go_on() {
        let first = Reading::now();
        std::thread::sleep(Duration::from_millis(5));
        let second = Reading::now();
        assert!(first.wall_us > 1_700_000_000 * S);
        let (first, second) = (first.uptime.unwrap(), second.uptime.unwrap());
        assert_eq!((&first.boot, first.boot.len()), (&second.boot, 16));
        assert!(second.us - first.us >= 5_000);
    }
}
