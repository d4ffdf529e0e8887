//! How far wraparound is.

use pg_logstats_sdk::{Confidence, Count, Finding, FindingKind, Insight, NextAction, Outcome, Priority, Ratio, Record};

use super::nothing;
use crate::offers::Desk;
use crate::{messages, words};

/// A score from which an age is more than usual.
const NEAR: f64 = 0.2;
/// A score from which a person is told at once.
const ACT_NOW: f64 = 0.8;
/// Twice the default of `autovacuum_freeze_max_age`: autovacuum has not kept up with a table of that age.
const OLD_TABLE: u64 = 400_000_000;
/// Ids that there are; the server keeps back the last of them.
const ALL_IDS: u64 = 2_144_483_647;

/// How old the oldest id is, how many are left, and the age at which autovacuum is forced.
struct Age {
    age: u64,
    left: u64,
    forced_at: u64,
}

impl Age {
    fn read(row: &Record<'_>, age: &str, left: &str, forced_at: &str) -> Option<Self> {
        Some(Self {
            age: row.count(age)?,
            left: row.count(left)?,
            forced_at: row.count(forced_at)?,
        })
    }

    /// The square root of the way gone from the age that forces autovacuum to the end of all ids: 0 while autovacuum has not even to
    /// begin, one half at 700 million with the default of 200, 0.85 at the age from which the server itself makes haste.
    fn score(&self) -> f64 {
        let way = self.age.saturating_add(self.left).saturating_sub(self.forced_at);
        let gone = self.age.saturating_sub(self.forced_at).min(way);
        Ratio::of(gone, way).value().sqrt()
    }
}

/// The databases.
pub(super) fn databases(outcome: &Outcome, desk: &mut Desk<'_>) {
    let xids = |row: &Record<'_>| Age::read(row, "xid_age", "xids_left", "autovacuum_freeze_max_age");
    let multixacts = |row: &Record<'_>| {
        Age::read(
            row,
            "multixact_age",
            "multixacts_left",
            "autovacuum_multixact_freeze_max_age",
        )
    };
    let ages = outcome
        .records()
        .flat_map(|row| [xids(&row), multixacts(&row)])
        .flatten();
    let Some(worst) = ages.max_by(|a, b| a.score().total_cmp(&b.score()).then(a.age.cmp(&b.age))) else {
        desk.assessment.limitation(messages::unexpected_result());
        return;
    };
    let score = worst.score();
    if score <= NEAR {
        let (title, reason) = (
            messages::far_title(Count(worst.age)),
            messages::far_reason(Count(worst.left)),
        );
        nothing(desk, words::WRAPAROUND_FAR, title, reason);
        return;
    }
    let way = Ratio::new(score * score).unwrap_or(Ratio::of(1, 1));
    let title = messages::near_title(Count(worst.age));
    let reason = messages::near_reason(Count(worst.left), way);
    near(desk, score, title, reason);
    desk.offer(words::OLDEST_TABLES, None, Priority::Required);
    desk.offer(words::OLDEST_XMIN, None, Priority::Required);
    desk.offer(words::PROGRESS, None, Priority::Recommended);
}

/// The tables with the oldest ids; none can be named.
pub(super) fn tables(outcome: &Outcome, desk: &mut Desk<'_>) {
    let age_of = |row: Record<'_>| {
        let ages = ["xid_age", "toast_xid_age", "multixact_age", "toast_multixact_age"].map(|column| row.count(column));
        ages.into_iter().flatten().max()
    };
    let ages: Vec<u64> = outcome.records().filter_map(age_of).collect();
    let Some(worst) = ages.iter().copied().max() else {
        return;
    };
    let old = ages.iter().filter(|age| **age >= OLD_TABLE).count();
    let title = messages::oldest_table_title(Count(worst));
    let reason = messages::oldest_table_reason(Count(u64::try_from(old).unwrap_or(u64::MAX)));
    if old == 0 {
        nothing(desk, words::WRAPAROUND_FAR, title, reason);
        return;
    }
    let age = Age {
        age: worst,
        left: ALL_IDS.saturating_sub(worst),
        forced_at: OLD_TABLE / 2,
    };
    near(desk, age.score(), title, reason);
    desk.offer(words::OLDEST_XMIN, None, Priority::Required);
    desk.offer(words::PROGRESS, None, Priority::Recommended);
}

fn near(desk: &mut Desk<'_>, score: f64, title: pg_logstats_sdk::Message, reason: pg_logstats_sdk::Message) {
    let insight = Insight::new(words::WRAPAROUND_NEAR, Confidence::High, title.clone(), reason.clone());
    desk.assessment.insight(insight);
    let finding = Finding::new(FindingKind::Wraparound, title, reason)
        .score(score)
        .confidence(Confidence::High);
    let finding = desk.assessment.finding(finding);
    if score >= ACT_NOW {
        let (label, reason) = (
            messages::decide_wraparound_label(),
            messages::decide_wraparound_reason(),
        );
        let tell = NextAction::prompt_user(label, reason).priority(Priority::Required);
        desk.step(tell.because(finding));
    }
}
