//! What slots keep, for whom, and how long it may grow.

use std::cmp::Reverse;

use pg_logstats_runbook_statements::{outcome, slots as advice};
use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, Count, Finding, FindingKind, Insight, NextAction, Outcome, Priority,
    Recommendation, Record, Setting,
};

use crate::{messages, offers, severity, words};

const GIB: u64 = 1 << 30;
/// The least bound that is recommended: a standby may be away for the time of a restart or a network's trouble.
const LEAST_BOUND: u64 = 16 * GIB;

/// Whether a slot is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// Its WAL is there.
    Kept,
    /// Its WAL may go at the next checkpoint.
    AtRisk,
    /// It was given up, or its WAL is gone.
    Lost,
}

/// What a row tells.
struct Slot<'a> {
    row: Record<'a>,
    position: usize,
    is_active: bool,
    kept: Option<u64>,
    hold: Hold,
    /// `max_slot_wal_keep_size` is unlimited, as far as the row tells.
    is_unbounded: bool,
    /// Transactions of which it keeps rows.
    old_rows: Option<u64>,
}

impl<'a> Slot<'a> {
    fn new(position: usize, row: &Record<'a>) -> Self {
        let hold = match row.text("wal_status") {
            _ if row.cell("invalidation_reason").is_some() || row.boolean("is_conflicting") == Some(true) => Hold::Lost,
            Some("lost") => Hold::Lost,
            Some("unreserved") => Hold::AtRisk,
            _ => Hold::Kept,
        };
        Self {
            row: *row,
            position,
            // A row without this figure is not taken for one that nobody uses.
            is_active: row.boolean("is_active") != Some(false),
            kept: row.count("retained_bytes"),
            hold,
            // The server tells what is left until the bound, for every slot that is not lost, if there is a bound.
            is_unbounded: hold != Hold::Lost && row.cell("wal_status").is_some() && row.int("safe_wal_bytes").is_none(),
            old_rows: row.count("xmin_age").max(row.count("catalog_xmin_age")),
        }
    }

    fn score(&self) -> f64 {
        let kept = match (self.is_active, self.hold) {
            // What a lost slot once kept is gone already.
            (_, Hold::Lost) => return severity::SLOT_LOST,
            (true, _) => self.kept.map_or(0.0, severity::of_bytes),
            (false, _) => self.kept.map_or(0.0, severity::of_kept),
        };
        if self.hold == Hold::AtRisk {
            kept.max(severity::SLOT_AT_RISK)
        } else {
            kept
        }
    }

    fn finding(&self) -> Finding {
        let (row, kept) = (outcome::number(self.position), Bytes(self.kept.unwrap_or(0)));
        let (title, reason) = match (self.hold, self.is_active) {
            (Hold::Lost, _) => (messages::lost_title(row), messages::lost_reason()),
            (Hold::AtRisk, _) => (messages::at_risk_title(row, kept), messages::at_risk_reason()),
            (Hold::Kept, false) => (messages::inactive_title(row, kept), messages::inactive_reason()),
            (Hold::Kept, true) => (messages::active_title(row, kept), messages::active_reason()),
        };
        let finding = Finding::new(FindingKind::Replication, title, reason);
        let mut finding = finding
            .score(self.score())
            .confidence(Confidence::High)
            .code(if self.is_active {
                words::ACTIVE_SLOT
            } else {
                words::INACTIVE_SLOT
            });
        let codes = [
            (self.hold == Hold::Lost, words::SLOT_LOST),
            (self.hold == Hold::AtRisk, words::SLOT_AT_RISK),
            (self.is_unbounded, words::UNBOUNDED),
        ];
        for (_, code) in codes.into_iter().filter(|(applies, _)| *applies) {
            finding = finding.code(code);
        }
        match self.row.subject() {
            Some(slot) => finding.about(slot),
            None => finding,
        }
    }
}

pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let slots: Vec<Slot<'_>> = outcome
        .records()
        .enumerate()
        .map(|(position, row)| Slot::new(position, &row))
        .collect();
    let bad: Vec<&Slot<'_>> = slots.iter().filter(|slot| slot.score() > severity::LOW).collect();
    outcome::worst_first(bad.iter().map(|slot| slot.finding()).collect(), assessment);

    let idle: Vec<&&Slot<'_>> = bad
        .iter()
        .filter(|slot| !slot.is_active && slot.hold != Hold::Lost)
        .collect();
    if !idle.is_empty() {
        let kept = idle.iter().filter_map(|slot| slot.kept).max().unwrap_or(0);
        let (title, reason) = (
            messages::idle_slots_title(Count::of(&idle)),
            messages::idle_slots_reason(Bytes(kept)),
        );
        assessment.insight(Insight::new(words::SLOTS_KEEP_WAL, Confidence::High, title, reason));
        let (label, reason) = (messages::ask_drop_label(Count::of(&idle)), messages::ask_drop_reason());
        assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
    }
    unbounded(&slots, &bad, assessment);
    let lost = bad.iter().filter(|slot| slot.hold == Hold::Lost).count() as u64;
    if lost > 0 {
        let (title, reason) = (messages::lost_slots_title(Count(lost)), messages::lost_reason());
        assessment.insight(Insight::new(words::SLOTS_LOST, Confidence::High, title, reason));
        let (label, reason) = (messages::ask_lost_label(Count(lost)), messages::ask_lost_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
    // Those that keep old rows do harm, however little WAL they keep.
    let keeps_rows = |slot: &&Slot<'_>| slot.old_rows.is_some_and(|age| age > severity::OLD_ROWS);
    let mut harmful: Vec<&Slot<'_>> = slots
        .iter()
        .filter(|slot| slot.score() > severity::LOW || keeps_rows(slot))
        .collect();
    harmful.sort_by_key(|slot| Reverse((slot.score() * 1e6) as u64));
    advice::drop_slots(harmful.iter().map(|slot| (slot.position, slot.row)), assessment);
    let oldest = slots.iter().filter_map(|slot| slot.old_rows).max();
    if let Some(age) = oldest.filter(|age| *age > severity::OLD_ROWS) {
        let (title, reason) = (messages::old_rows_title(Count(age)), messages::old_rows_reason());
        assessment.insight(Insight::new(words::SLOTS_KEEP_ROWS, Confidence::High, title, reason));
        let (label, reason) = (messages::wraparound_label(), messages::wraparound_why());
        assessment.next_action(NextAction::run_workflow(words::WRAPAROUND, label, reason));
    }
    if !bad.is_empty() {
        assessment.next_action(offers::standbys(actions));
        assessment.next_action(offers::settings(actions));
        assessment.next_action(offers::logs());
    } else if assessment.insights.is_empty() {
        let kept = slots.iter().filter_map(|slot| slot.kept).max().unwrap_or(0);
        let (title, reason) = (
            messages::slots_well_title(Count::of(&slots)),
            messages::slots_well_reason(Bytes(kept)),
        );
        outcome::all_well(words::SLOTS_UNREMARKABLE, Confidence::High, title, reason, assessment);
    }
}

/// A bound for what slots keep, where a slot that nobody uses shows that one is needed. It is twice of what the fullest slot keeps now,
/// so that it takes nothing from any slot at once.
fn unbounded(slots: &[Slot<'_>], bad: &[&Slot<'_>], assessment: &mut Assessment) {
    if !bad.iter().any(|slot| slot.is_unbounded && !slot.is_active) {
        return;
    }
    let most = slots.iter().filter_map(|slot| slot.kept).max().unwrap_or(0);
    let bound = most
        .saturating_mul(2)
        .div_ceil(GIB)
        .saturating_mul(GIB)
        .max(LEAST_BOUND);
    let (title, reason) = (messages::unbounded_title(), messages::unbounded_reason(Bytes(most)));
    let insight = Insight::new(words::SLOTS_UNBOUNDED, Confidence::High, title, reason);
    assessment.insight(insight.recommend(Recommendation::parameter(Setting::MaxSlotWalKeepSize, bound)));
    let (label, reason) = (messages::ask_bound_label(Bytes(bound)), messages::ask_bound_reason());
    assessment.next_action(NextAction::prompt_user(label, reason));
}
