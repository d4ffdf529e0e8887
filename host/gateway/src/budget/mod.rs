//! What may be used of a database: by an incident, in a day, in a minute.
//!
//! **In**: the operator's limits and what the audit log says was used. **Out**: the [`Budget`] that a report shows and that the gate
//! decides by. **Trusted**: the verified log, and nothing else: a report's figures are never read. **Can fail**: reading the log;
//! then nothing runs.
//!
//! An action counts from its intent on, at the most that it could cost; when its outcome is in the log, at what it did cost. So an action
//! whose process died counts at its most for ever.

mod counter;
mod tally;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use counter::{Counted, Counter};
pub use tally::{Reserved, Sums, Tally};

use crate::time::rfc3339;

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;
/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

/// Limits of one span: an incident, or a day of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Actions, failed ones included.
    pub actions: u64,
    /// Milliseconds that statements took.
    pub database_ms: u64,
    /// Bytes of results.
    pub bytes: u64,
    /// Actions that are EXPLAIN ANALYZE.
    pub explain_analyze: u64,
}

/// All limits; the defaults are also the most that a configuration may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Of one incident.
    pub incident: Limits,
    /// Of one database in one day (UTC), over all incidents.
    pub day: Limits,
    /// Actions on one database within any 60 seconds.
    pub actions_per_minute: u64,
}

impl Default for BudgetLimits {
    fn default() -> Self {
        Self {
            // About an hour's diligent work of a person on one incident. The statements' time is what the longest of them may cost at
            // most, nearly twice.
            incident: Limits {
                actions: 60,
                database_ms: 120_000,
                bytes: 8 << 20,
                explain_analyze: 10,
            },
            // A bad day: ten such incidents, and twenty minutes of one backend's time.
            day: Limits {
                actions: 600,
                database_ms: 1_200_000,
                bytes: 80 << 20,
                explain_analyze: 50,
            },
            // Faster than anybody reads reports; slow enough that a loop gone wild is noticed before it has cost much.
            actions_per_minute: 30,
        }
    }
}

impl Limits {
    fn and(self, other: Self) -> Self {
        Self {
            actions: self.actions.min(other.actions),
            database_ms: self.database_ms.min(other.database_ms),
            bytes: self.bytes.min(other.bytes),
            explain_analyze: self.explain_analyze.min(other.explain_analyze),
        }
    }
}

impl BudgetLimits {
    /// Of each limit the lower one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            incident: self.incident.and(other.incident),
            day: self.day.and(other.day),
            actions_per_minute: self.actions_per_minute.min(other.actions_per_minute),
        }
    }
}

/// What the incident may use and has used; and the same of the database it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Actions run, failed ones included.
    pub actions_used: u64,
    /// Actions that may run.
    pub actions_limit: u64,
    /// Milliseconds that statements took; of actions without an outcome, the most that they could take.
    pub database_ms_used: u64,
    /// Milliseconds that they may take.
    pub database_ms_limit: u64,
    /// Bytes of results; of actions without an outcome, the most that they could have.
    pub bytes_used: u64,
    /// Bytes that results may have.
    pub bytes_limit: u64,
    /// Actions that were EXPLAIN ANALYZE.
    pub explain_analyze_used: u64,
    /// Such actions that may run.
    pub explain_analyze_limit: u64,
    /// Of the database, over all incidents of the day; none without a database.
    pub day: Option<DayBudget>,
    /// Of the database, within 60 seconds; none without a database.
    pub rate: Option<RateBudget>,
}

/// What may be used and was used of one database in one day, whatever the incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DayBudget {
    /// When the next day begins (00:00 UTC), RFC 3339.
    pub resets_at: String,
    /// As in the incident's.
    pub actions_used: u64,
    /// As in the incident's.
    pub actions_limit: u64,
    /// As in the incident's.
    pub database_ms_used: u64,
    /// As in the incident's.
    pub database_ms_limit: u64,
    /// As in the incident's.
    pub bytes_used: u64,
    /// As in the incident's.
    pub bytes_limit: u64,
    /// As in the incident's.
    pub explain_analyze_used: u64,
    /// As in the incident's.
    pub explain_analyze_limit: u64,
}

/// How fast actions may follow one another on one database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateBudget {
    /// Actions that began within the last 60 seconds.
    pub actions_last_minute: u64,
    /// Actions that may begin within 60 seconds.
    pub actions_per_minute_limit: u64,
    /// When the next one may begin, RFC 3339; none when it may now.
    pub frees_up_at: Option<String>,
}

impl Budget {
    /// What is left of `limits` at `now_us`, for `incident` (none: one that has not begun) on `database_id`.
    pub fn new(
        tally: &Tally,
        limits: &BudgetLimits,
        incident: Option<&str>,
        database_id: Option<&str>,
        now_us: i64,
    ) -> Self {
        let used = incident.map(|id| tally.incident(id)).unwrap_or_default();
        let limit = limits.incident;
        Self {
            actions_used: used.actions,
            actions_limit: limit.actions,
            database_ms_used: used.database_ms(),
            database_ms_limit: limit.database_ms,
            bytes_used: used.bytes,
            bytes_limit: limit.bytes,
            explain_analyze_used: used.explain_analyze,
            explain_analyze_limit: limit.explain_analyze,
            day: database_id.map(|id| DayBudget::new(tally.day(id, day_of(now_us)), limits.day, now_us)),
            rate: database_id.map(|id| RateBudget::new(&tally.last_minute(id, now_us), limits.actions_per_minute)),
        }
    }
}

impl DayBudget {
    fn new(used: Sums, limit: Limits, now_us: i64) -> Self {
        Self {
            resets_at: rfc3339((day_of(now_us) + 1).saturating_mul(DAY_US)),
            actions_used: used.actions,
            actions_limit: limit.actions,
            database_ms_used: used.database_ms(),
            database_ms_limit: limit.database_ms,
            bytes_used: used.bytes,
            bytes_limit: limit.bytes,
            explain_analyze_used: used.explain_analyze,
            explain_analyze_limit: limit.explain_analyze,
        }
    }
}

impl RateBudget {
    /// `begun`: when the actions of the last minute began, oldest first.
    fn new(begun: &[i64], limit: u64) -> Self {
        let count = begun.len() as u64;
        // One more may begin when so many have left the window that fewer than the limit are in it.
        let leaving = count.checked_sub(limit).and_then(|n| usize::try_from(n).ok());
        let frees_up_at = leaving.and_then(|n| begun.get(n)).map(|at| rfc3339(at + MINUTE_US));
        Self {
            actions_last_minute: count,
            actions_per_minute_limit: limit,
            frees_up_at,
        }
    }
}

/// The day of an instant, in days since 1970-01-01 UTC.
fn day_of(at_us: i64) -> i64 {
    at_us.div_euclid(DAY_US)
}
