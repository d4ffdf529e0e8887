//! How long statements usually run here, as far as the logs tell.

use pg_logstats_runbook_statements::scores;
use pg_logstats_sdk::Evidence;

/// Executions in the logs from which they tell what is usual.
const TELLING: u64 = 100;
/// How many times as long as the longest of them a statement has to run to be far beyond.
const FAR: u64 = 60;
/// What weighs one half at least, however short all others are: five minutes. [`scores::running`] has the most.
const LEAST_HALF_US: u64 = 5 * 60_000_000;
/// Where [`scores::running`] is one half.
const MOST_HALF_US: u64 = 30 * 60_000_000;

/// What is usual.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usual {
    /// The longest execution in the logs; none where they have too few.
    pub(super) longest_us: Option<u64>,
    /// How many they have.
    pub(super) executions: u64,
}

impl Usual {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let executions = evidence.total_executions;
        let longest_us = evidence.families.iter().map(|family| family.max_duration_us).max();
        Self {
            longest_us: longest_us.filter(|us| executions >= TELLING && *us > 0),
            executions,
        }
    }

    /// How bad it is that a statement runs for so long: half an hour is one half, less where nothing in the logs took long.
    pub(super) fn score(self, us: u64) -> f64 {
        match self.longest_us {
            Some(longest) => {
                let half = longest.saturating_mul(FAR).clamp(LEAST_HALF_US, MOST_HALF_US);
                scores::saturating(us, half)
            }
            None => scores::running(us),
        }
    }

    /// The longest execution in the logs, where a statement that runs for so long is far beyond it.
    pub(super) fn exceeded_by(self, us: u64) -> Option<u64> {
        self.longest_us.filter(|longest| us >= longest.saturating_mul(FAR))
    }
}
