//! What was used, added up record by record.
//!
//! **In**: intents and outcomes of the audit log, in its order. **Out**: sums by incident, and by database and day. **Trusted**: the
//! records, which were verified. **Can fail**: never; sums stop at the largest number instead of going over it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MINUTE_US, day_of};
use crate::catalogue::Caps;
use crate::db::GRACE_MS;
use crate::time::rfc3339;
use crate::unfinished::UnfinishedAction;
use crate::words::VerdictLevel;

/// The most that an action can cost; sealed with its intent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserved {
    /// Milliseconds: its `statement_timeout`, and how long the client waits for the server to keep it.
    pub database_ms: u64,
    /// Bytes of its result.
    pub bytes: u64,
}

impl Reserved {
    /// For an action with these caps under that verdict.
    pub fn of(caps: &Caps, level: VerdictLevel) -> Self {
        let statement_ms = if level == VerdictLevel::Saturated {
            caps.saturated.statement_timeout_ms
        } else {
            caps.statement_timeout_ms
        };
        Self {
            database_ms: u64::from(statement_ms) + GRACE_MS,
            bytes: caps.max_bytes,
        }
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Actions.
    pub actions: u64,
    /// Microseconds that statements took.
    pub database_us: u64,
    /// Bytes of results.
    pub bytes: u64,
    /// Actions that were EXPLAIN ANALYZE.
    pub explain_analyze: u64,
}

impl Sums {
    /// Milliseconds, rounded up: a budget is used up rather than nearly so.
    pub fn database_ms(self) -> u64 {
        self.database_us.div_ceil(1_000)
    }

    fn cost(&mut self, database_us: u64, bytes: u64) {
        self.database_us = self.database_us.saturating_add(database_us);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// An action whose outcome is not in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    /// Its index in the log.
    index: u64,
    at_us: i64,
    incident: String,
    database_id: String,
    day: i64,
    reserved: Reserved,
}

/// An intent, as far as it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun<'a> {
    pub(super) record_id: &'a str,
    pub(super) index: u64,
    pub(super) at_us: i64,
    pub(super) incident: &'a str,
    pub(super) database_id: &'a str,
    pub(super) reserved: Reserved,
    pub(super) is_explain_analyze: bool,
}

/// Sums over a log from its beginning to some entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    incidents: BTreeMap<String, Sums>,
    /// By database, then by day.
    days: BTreeMap<String, BTreeMap<i64, Sums>>,
    /// By the intent's record id.
    open: BTreeMap<String, Open>,
    /// When the latest actions on each database began, in the order of the log.
    latest: BTreeMap<String, Vec<i64>>,
}

impl Tally {
    /// Counts an intent: an action, at the most that it can cost.
    pub(super) fn begin(&mut self, begun: Begun<'_>) {
        let open = Open {
            index: begun.index,
            at_us: begun.at_us,
            incident: begun.incident.to_owned(),
            database_id: begun.database_id.to_owned(),
            day: day_of(begun.at_us),
            reserved: begun.reserved,
        };
        for sums in self.sums_of(&open) {
            sums.actions += 1;
            sums.explain_analyze += u64::from(begun.is_explain_analyze);
        }
        let latest = self.latest.entry(begun.database_id.to_owned()).or_default();
        latest.retain(|at| is_within_a_minute(*at, begun.at_us));
        latest.push(begun.at_us);
        self.open.insert(begun.record_id.to_owned(), open);
    }

    /// Counts the outcome of the intent `record_id`: what it did cost takes the place of what it could. Another outcome of the same
    /// intent changes nothing.
    pub fn settle(&mut self, record_id: &str, database_us: u64, bytes: u64) {
        let Some(open) = self.open.remove(record_id) else {
            return;
        };
        for sums in self.sums_of(&open) {
            sums.cost(database_us, bytes);
        }
    }

    /// What `incident` has used.
    pub fn incident(&self, incident: &str) -> Sums {
        let mut sums = self.incidents.get(incident).copied().unwrap_or_default();
        self.add_open(&mut sums, |open| open.incident == incident);
        sums
    }

    /// What was used of a database on a day.
    pub(super) fn day(&self, database_id: &str, day: i64) -> Sums {
        let days = self.days.get(database_id);
        let mut sums = days.and_then(|days| days.get(&day)).copied().unwrap_or_default();
        self.add_open(&mut sums, |open| open.database_id == database_id && open.day == day);
        sums
    }

    /// When the actions on a database began that began within 60 seconds of `now_us`, oldest first. Those that a clock set back since put
    /// into the near future count too.
    pub(super) fn last_minute(&self, database_id: &str, now_us: i64) -> Vec<i64> {
        let latest = self.latest.get(database_id).map(Vec::as_slice).unwrap_or_default();
        let mut begun: Vec<i64> = latest
            .iter()
            .copied()
            .filter(|at| is_within_a_minute(*at, now_us))
            .collect();
        begun.sort_unstable();
        begun
    }

    /// The intents that no outcome settled, in the order of the log.
    pub fn unfinished(&self) -> Vec<UnfinishedAction> {
        let open = self.open.iter();
        let mut unfinished: Vec<_> = open
            .map(|(id, open)| UnfinishedAction {
                intent_record_id: id.clone(),
                index: open.index,
                incident_id: open.incident.clone(),
                created_at: rfc3339(open.at_us),
            })
            .collect();
        unfinished.sort_by_key(|action| action.index);
        unfinished
    }

    fn sums_of(&mut self, open: &Open) -> [&mut Sums; 2] {
        let days = self.days.entry(open.database_id.clone()).or_default();
        [
            self.incidents.entry(open.incident.clone()).or_default(),
            days.entry(open.day).or_default(),
        ]
    }

    fn add_open(&self, sums: &mut Sums, is_of: impl Fn(&Open) -> bool) {
        for open in self.open.values().filter(|open| is_of(open)) {
            sums.cost(open.reserved.database_ms.saturating_mul(1_000), open.reserved.bytes);
        }
    }
}

fn is_within_a_minute(at_us: i64, now_us: i64) -> bool {
    now_us.saturating_sub(at_us).saturating_abs() < MINUTE_US
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, BudgetLimits, DAY_US};
    use super::*;

    const NOON_US: i64 = 20_000 * DAY_US + DAY_US / 2;

    fn begun<'a>(record_id: &'a str, incident: &'a str, at_us: i64) -> Begun<'a> {
        Begun {
            record_id,
            index: 0,
            at_us,
            incident,
            database_id: "db_a",
            reserved: Reserved {
                database_ms: 3_500,
                bytes: 1_000,
            },
            is_explain_analyze: record_id.ends_with('x'),
        }
    }

    #[test]
    fn an_action_counts_at_its_most_until_its_outcome_is_known() {
        let mut tally = Tally::default();
        tally.begin(begun("it_1x", "in_1", NOON_US));
        let most = Sums {
            actions: 1,
            database_us: 3_500_000,
            bytes: 1_000,
            explain_analyze: 1,
        };
        assert_eq!(tally.incident("in_1"), most);
        assert_eq!(tally.day("db_a", 20_000), most);
        tally.settle("it_1x", 1_001, 7);
        let real = Sums {
            database_us: 1_001,
            bytes: 7,
            ..most
        };
        assert_eq!(tally.incident("in_1"), real);
        assert_eq!(tally.incident("in_1").database_ms(), 2, "rounded up");
        assert_eq!(tally.day("db_a", 20_000), real);
        tally.settle("it_1x", 9, 9);
        assert_eq!(tally.incident("in_1"), real, "once");
    }

    #[test]
    fn a_day_goes_over_incidents_and_a_new_incident_begins_at_nothing() {
        let mut tally = Tally::default();
        for (n, incident) in ["in_1", "in_2", "in_3"].into_iter().enumerate() {
            let id = format!("it_{n}");
            tally.begin(begun(&id, incident, NOON_US));
            tally.settle(&id, 1_000_000, 10);
        }
        let budget =
            |incident, database, now_us| Budget::new(&tally, &BudgetLimits::default(), incident, database, now_us);
        let fresh = budget(Some("in_new"), Some("db_a"), NOON_US);
        assert_eq!(fresh.actions_used, 0);
        let day = fresh.day.unwrap();
        assert_eq!((day.actions_used, day.database_ms_used, day.bytes_used), (3, 3_000, 30));
        assert_eq!(day.resets_at, "2024-10-05T00:00:00Z");
        assert_eq!(
            budget(None, Some("db_b"), NOON_US).day.unwrap().actions_used,
            0,
            "another database"
        );
        let tomorrow = budget(Some("in_1"), Some("db_a"), NOON_US + DAY_US);
        assert_eq!(tomorrow.day.unwrap().actions_used, 0);
        assert_eq!(tomorrow.actions_used, 1, "an incident has no midnight");
        assert_eq!(budget(None, None, NOON_US).day, None);
    }

    #[test]
    fn an_outcome_after_midnight_belongs_to_the_day_of_its_intent() {
        let mut tally = Tally::default();
        tally.begin(begun("it_1", "in_1", 20_001 * DAY_US - 1));
        tally.settle("it_1", 5_000, 1);
        assert_eq!(tally.day("db_a", 20_000).database_us, 5_000);
        assert_eq!(tally.day("db_a", 20_001), Sums::default());
    }

    #[test]
    fn the_rate_says_when_the_next_action_may_begin() {
        let mut tally = Tally::default();
        let second = 1_000_000;
        for n in 0..3 {
            tally.begin(begun(&format!("it_{n}"), "in_1", NOON_US + n * 10 * second));
        }
        let limits = BudgetLimits {
            actions_per_minute: 2,
            ..BudgetLimits::default()
        };
        let rate = |now_us| Budget::new(&tally, &limits, None, Some("db_a"), now_us).rate.unwrap();
        let full = rate(NOON_US + 30 * second);
        assert_eq!((full.actions_last_minute, full.actions_per_minute_limit), (3, 2));
        // The first two have to leave the window.
        assert_eq!(full.frees_up_at.as_deref(), Some("2024-10-04T12:01:10Z"));
        let free = rate(NOON_US + 70 * second);
        assert_eq!((free.actions_last_minute, free.frees_up_at), (1, None));
        assert_eq!(
            rate(NOON_US - 59 * second).actions_last_minute,
            1,
            "the clock was set back"
        );
    }

    #[test]
    fn what_is_kept_of_the_rate_is_one_minute() {
        let mut tally = Tally::default();
        for n in 0..1_000 {
            tally.begin(begun(&format!("it_{n}"), "in_1", NOON_US + n * 10_000_000));
        }
        assert!(tally.latest["db_a"].len() <= 7);
    }
}
