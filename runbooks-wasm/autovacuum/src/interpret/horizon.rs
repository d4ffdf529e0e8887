//! What keeps dead rows from being removed: sessions, standbys, slots, prepared transactions.

use pg_logstats_sdk::{
    Confidence, Count, DurationUs, Insight, InsightId, Message, NextAction, Outcome, Priority, Recommendation, Record,
};

use super::nothing;
use crate::offers::Desk;
use crate::{messages, words};

/// Transactions that a holder is behind from which it does harm.
const OLD: u64 = 1_000_000;
/// Holders that are told, the oldest first.
const HOLDERS: usize = 5;
/// How long a prepared transaction may be open: its second phase should follow at once.
const PREPARED_US: u64 = 600_000_000;

/// Everything that holds back the horizon, oldest first.
pub(super) fn holders(outcome: &Outcome, desk: &mut Desk<'_>) {
    let hidden = outcome
        .records()
        .filter(|row| row.boolean("is_hidden") == Some(true))
        .count();
    if hidden > 0 {
        let n = Count(u64::try_from(hidden).unwrap_or(u64::MAX));
        desk.assessment.limitation(messages::hidden_rows(n));
    }
    let ages = outcome.records().filter_map(|row| Some((row, row.count("xid_age")?)));
    let mut ages: Vec<(Record<'_>, u64)> = ages.collect();
    // As the catalogue orders them; but a first row that is not the oldest would be an error that goes unseen.
    ages.sort_by_key(|(_, age)| std::cmp::Reverse(*age));
    let oldest = ages.first().map_or(0, |(_, age)| *age);
    if oldest < OLD {
        nothing(
            desk,
            words::XMIN_YOUNG,
            messages::young_title(),
            messages::young_reason(Count(oldest)),
        );
        return;
    }
    let old: Vec<&(Record<'_>, u64)> = ages.iter().filter(|(_, age)| *age >= OLD).collect();
    let is = |row: &Record<'_>, holder: &str| row.text("holder") == Some(holder);
    let slots = old.iter().filter(|(row, _)| is(row, "replication_slot")).count();
    for (row, age) in old.iter().take(HOLDERS) {
        let age = Count(*age);
        if is(row, "replication_slot") {
            let reason = messages::slot_reason(Count(u64::try_from(slots).unwrap_or(u64::MAX)));
            say_once(desk, words::XMIN_SLOT, messages::slot_title(age), reason);
            desk.offer(words::SLOTS, None, Priority::Required);
        } else if is(row, "prepared_transaction") {
            let (title, reason) = (messages::prepared_holds_title(age), messages::prepared_holds_reason());
            say_once(desk, words::XMIN_PREPARED, title, reason);
            decide_prepared(desk);
            desk.offer(words::PREPARED, None, Priority::Required);
        } else {
            session(row, age, desk);
        }
    }
}

fn session(row: &Record<'_>, age: Count, desk: &mut Desk<'_>) {
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
    let insight = |id, title, reason| Insight::new(id, Confidence::High, title, reason).evidence(subject);
    let is_idle = row
        .text("state")
        .is_some_and(|state| state.starts_with("idle in transaction"));
    if is_idle {
        let (title, reason) = (messages::idle_title(subject, age), messages::idle_reason());
        let idle = insight(words::XMIN_IDLE_SESSION, title, reason).recommend(Recommendation::end(subject));
        desk.assessment.insight(idle);
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
