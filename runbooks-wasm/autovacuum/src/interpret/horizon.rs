//! What keeps dead rows from being removed: sessions, standbys, slots, prepared transactions.

use std::cmp::Reverse;

use pg_logstats_runbook_statements::outcome::held_here;
use pg_logstats_runbook_statements::{prepared as prepared_advice, slots as slot_advice};
use pg_logstats_sdk::{
    AutovacuumGroup, Confidence, Count, DurationUs, Evidence, Insight, InsightId, Message, NextAction, Outcome,
    Priority, Recommendation, Record,
};

use super::nothing;
use crate::offers::Desk;
use crate::triage::tables::{is_held, is_held_run};
use crate::{messages, words};

/// Transactions that a holder is behind from which it does harm.
const OLD: u64 = 1_000_000;
/// Holders that are told, the oldest first.
const HOLDERS: usize = 5;
/// How long a prepared transaction may be open: its second phase should follow at once.
const PREPARED_US: u64 = 600_000_000;

/// Dead rows of the logs that a holder kept: it was there when autovacuum had to leave them. However few transactions it is behind, it does harm.
#[derive(Clone, Copy)]
struct Kept<'a> {
    group: &'a AutovacuumGroup,
    /// High where the run that the log tells most of is one of those that had to leave rows.
    confidence: Confidence,
}

impl Kept<'_> {
    fn rows(&self) -> Count {
        Count(self.group.max_tuples_dead_not_removable)
    }
}

/// What somebody who was there from `since` on kept, if the logs tell of it: the table with the most such rows.
fn kept_since(evidence: &Evidence, since: i64) -> Option<Kept<'_>> {
    let groups = evidence
        .autovacuum
        .iter()
        .filter(|group| since <= group.last_seen && is_held(group));
    let group = groups.max_by_key(|group| group.max_tuples_dead_not_removable)?;
    let run = group.longest.as_ref();
    let is_proven = run.is_some_and(|run| since <= run.at && is_held_run(run));
    let confidence = if is_proven {
        Confidence::High
    } else {
        Confidence::Medium
    };
    Some(Kept { group, confidence })
}

/// What the holder in `row` kept. A standby's sender has no beginning, and moves on; a slot that nobody uses has none, and does not.
fn kept_by<'a>(evidence: &'a Evidence, row: &Record<'_>) -> Option<Kept<'a>> {
    let is_idle_slot = is(row, "replication_slot") && row.cell("pid").is_none();
    let since = row.at("xact_start").or(is_idle_slot.then_some(i64::MIN))?;
    kept_since(evidence, since)
}

fn is(row: &Record<'_>, holder: &str) -> bool {
    row.text("holder") == Some(holder)
}

/// Everything that holds back the horizon, oldest first.
pub(super) fn holders(evidence: &Evidence, outcome: &Outcome, desk: &mut Desk<'_>) {
    let here = held_here(outcome, messages::held_elsewhere, desk.assessment);
    let hidden = here.iter().filter(|row| row.boolean("is_hidden") == Some(true)).count();
    if hidden > 0 {
        let n = Count(u64::try_from(hidden).unwrap_or(u64::MAX));
        desk.assessment.limitation(messages::hidden_rows(n));
    }
    let ages = here.into_iter().filter_map(|row| {
        let age = row.count("xid_age")?;
        Some((row, age))
    });
    let mut ages: Vec<(Record<'_>, u64)> = ages.collect();
    // As the catalogue orders them; but a first row that is not the oldest would be an error that goes unseen. Who began while an older transaction
    // was open has the same age as that one, and is not to blame.
    ages.sort_by_key(|(row, age)| (Reverse(*age), row.at("xact_start").unwrap_or(i64::MAX)));
    let oldest = ages.first().map_or(0, |(_, age)| *age);
    // To end another one than the oldest would free nothing.
    let kept = ages.first().and_then(|(row, _)| kept_by(evidence, row));
    if oldest < OLD && kept.is_none() {
        nothing(
            desk,
            words::XMIN_YOUNG,
            messages::young_title(),
            messages::young_reason(Count(oldest)),
        );
        return;
    }
    let old = ages.iter().enumerate();
    let old = old.filter(|(place, (_, age))| *age >= OLD || *place == 0);
    let old: Vec<&(Record<'_>, u64)> = old.map(|(_, holder)| holder).collect();
    let slots = old.iter().filter(|(row, _)| is(row, "replication_slot")).count();
    for (place, (row, age)) in old.iter().take(HOLDERS).enumerate() {
        let (age, kept) = (Count(*age), kept.filter(|_| place == 0));
        let logged = kept.map(|kept| messages::kept_reason_logged(&kept.group.table, kept.rows()));
        if is(row, "replication_slot") {
            let reason =
                logged.unwrap_or_else(|| messages::slot_reason(Count(u64::try_from(slots).unwrap_or(u64::MAX))));
            say_once(desk, words::XMIN_SLOT, messages::slot_title(age), reason);
            desk.offer(words::SLOTS, None, Priority::Required);
        } else if is(row, "prepared_transaction") {
            let (title, reason) = (
                messages::prepared_holds_title(age),
                logged.unwrap_or_else(messages::prepared_holds_reason),
            );
            say_once(desk, words::XMIN_PREPARED, title, reason);
            decide_prepared(desk);
            desk.offer(words::PREPARED, None, Priority::Required);
        } else {
            session(row, age, kept, desk);
        }
    }
}

fn session(row: &Record<'_>, age: Count, kept: Option<Kept<'_>>, desk: &mut Desk<'_>) {
    let Some(subject) = row.subject() else {
        let (title, reason) = (messages::hidden_session_title(age), messages::hidden_session_reason());
        desk.assessment.insight(Insight::new(
            words::XMIN_BUSY_SESSION,
            Confidence::Medium,
            title,
            reason,
        ));
        return;
    };
    let confidence = kept.map_or(Confidence::High, |kept| kept.confidence);
    let insight = |id, title, reason| {
        let insight = Insight::new(id, confidence, title, reason).evidence(subject);
        match kept {
            Some(kept) => insight.evidence(kept.group),
            None => insight,
        }
    };
    let is_idle = row
        .text("state")
        .is_some_and(|state| state.starts_with("idle in transaction"));
    if is_idle {
        let reason = kept.map_or_else(messages::idle_reason, |kept| {
            messages::idle_reason_logged(&kept.group.table, kept.rows())
        });
        let idle = insight(words::XMIN_IDLE_SESSION, messages::idle_title(subject, age), reason);
        desk.assessment.insight(idle.recommend(Recommendation::end(subject)));
        let (label, reason) = (messages::decide_end_label(subject), messages::decide_end_reason());
        desk.step(NextAction::prompt_user(label, reason));
    } else if row.at("xact_start").is_none() {
        // Only the sender of a standby with feedback has a horizon and no transaction.
        let (title, reason) = (messages::standby_title(subject, age), messages::standby_reason());
        desk.assessment.insight(insight(words::XMIN_STANDBY, title, reason));
        to_replication(desk);
    } else {
        let (title, reason) = (messages::busy_title(subject, age), messages::busy_reason());
        desk.assessment
            .insight(insight(words::XMIN_BUSY_SESSION, title, reason));
        let (label, reason) = (messages::decide_busy_label(subject), messages::decide_busy_reason());
        desk.step(NextAction::prompt_user(label, reason));
    }
}

/// Prepared transactions, oldest first.
pub(super) fn prepared(outcome: &Outcome, desk: &mut Desk<'_>) {
    let ages = outcome.records().filter_map(|row| row.duration_us("age"));
    let old: Vec<u64> = ages.filter(|age| *age >= PREPARED_US).collect();
    let Some(oldest) = old.iter().copied().max() else {
        let reason = messages::prepared_none_reason(Count::of(&outcome.rows));
        nothing(desk, words::PREPARED_NONE, messages::prepared_none_title(), reason);
        return;
    };
    let title = messages::prepared_old_title(Count::of(&old), DurationUs(oldest));
    let insight = Insight::new(
        words::PREPARED_OLD,
        Confidence::High,
        title,
        messages::prepared_old_reason(),
    );
    desk.assessment.insight(insight);
    // The oldest come first.
    let is_old = |row: &Record<'_>| row.duration_us("age").is_some_and(|age| age >= PREPARED_US);
    let rows = outcome.records().enumerate().filter(|(_, row)| is_old(row));
    prepared_advice::roll_back(rows, desk.assessment);
    decide_prepared(desk);
}

/// Slots: only whether they keep old rows; the WAL that they keep is another runbook's.
pub(super) fn slots(outcome: &Outcome, desk: &mut Desk<'_>) {
    let age_of = |row: &Record<'_>| row.count("xmin_age").max(row.count("catalog_xmin_age"));
    let old = outcome
        .records()
        .filter_map(|row| Some((row, age_of(&row).filter(|age| *age >= OLD)?)));
    let old: Vec<(Record<'_>, u64)> = old.collect();
    let Some(oldest) = old.iter().map(|(_, age)| *age).max() else {
        let reason = messages::slots_young_reason(Count::of(&outcome.rows));
        nothing(desk, words::SLOTS_YOUNG, messages::slots_young_title(), reason);
        return;
    };
    let inactive = old
        .iter()
        .filter(|(row, _)| row.boolean("is_active") == Some(false))
        .count();
    let reason = if inactive > 0 {
        messages::slot_inactive_reason(Count(u64::try_from(inactive).unwrap_or(u64::MAX)))
    } else {
        messages::slot_reason(Count::of(&old))
    };
    say_once(desk, words::XMIN_SLOT, messages::slot_title(Count(oldest)), reason);
    if inactive > 0 {
        let is_old = |row: &Record<'_>| age_of(row).is_some_and(|age| age >= OLD);
        let mut rows: Vec<(usize, Record<'_>)> = outcome.records().enumerate().filter(|(_, row)| is_old(row)).collect();
        rows.sort_by_key(|(_, row)| Reverse(age_of(row)));
        slot_advice::drop_slots(rows, desk.assessment);
        let (label, reason) = (messages::decide_slot_label(), messages::decide_slot_reason());
        desk.step(NextAction::prompt_user(label, reason));
    }
    to_replication(desk);
}

/// The oldest of each kind speaks for the others.
fn say_once(desk: &mut Desk<'_>, id: InsightId, title: Message, reason: Message) {
    if desk.assessment.insights.iter().all(|insight| insight.id != id.as_str()) {
        desk.assessment
            .insight(Insight::new(id, Confidence::High, title, reason));
    }
}

fn decide_prepared(desk: &mut Desk<'_>) {
    let (label, reason) = (messages::decide_prepared_label(), messages::decide_prepared_reason());
    desk.step(NextAction::prompt_user(label, reason));
}

fn to_replication(desk: &mut Desk<'_>) {
    let (label, reason) = (messages::replication_label(), messages::replication_reason());
    desk.step(NextAction::run_workflow(words::REPLICATION, label, reason));
}
