//! Who holds the connections now.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Finding, FindingKind, Insight, Message, Outcome, OutcomeStatus,
    Priority, Ratio, Recommendation, Record, SessionState, Setting,
};

use crate::offers::{self, Ask};
use crate::{messages, scores, words};

/// From this share of `max_connections` on there is no room for a burst.
const NEAR: f64 = 0.8;
/// From this share on it matters what the connections do.
const WELL_USED: f64 = 0.5;
/// One group with less is one of several.
const MOST: f64 = 0.5;
/// Fewer connections say nothing about pools.
const FEW: u64 = 10;
/// Five minutes in a transaction without a statement are no pause of a program that works.
pub(super) const LONG_IDLE_US: u64 = 300_000_000;

/// Sums over the rows.
#[derive(Debug, Default)]
struct Sums {
    used: u64,
    active: u64,
    idle: u64,
    in_transaction: u64,
    longest_idle_us: Option<u64>,
    waiting: u64,
    max: Option<u64>,
    /// The most of one database, role and application, over all states.
    most: u64,
}

impl Sums {
    fn of(outcome: &Outcome) -> Self {
        let mut sums = Self::default();
        let mut holders: Vec<([Option<&str>; 3], u64)> = Vec::new();
        for row in outcome.records() {
            let n = row.count("connections").unwrap_or(0);
            sums.add(&row, n);
            let who = ["database", "user", "application_name"].map(|column| row.text(column));
            match holders.iter_mut().find(|(known, _)| *known == who) {
                Some((_, held)) => *held = held.saturating_add(n),
                None => holders.push((who, n)),
            }
        }
        sums.most = holders.iter().map(|(_, n)| *n).max().unwrap_or(0);
        sums
    }

    fn add(&mut self, row: &Record<'_>, n: u64) {
        let more = |sum: &mut u64, n: u64| *sum = sum.saturating_add(n);
        more(&mut self.used, n);
        match row.session().state {
            SessionState::Active => more(&mut self.active, n),
            SessionState::Idle => more(&mut self.idle, n),
            SessionState::IdleInTransaction => {
                more(&mut self.in_transaction, n);
                self.longest_idle_us = self.longest_idle_us.max(row.duration_us("longest_in_state"));
            }
            SessionState::Unknown => {}
        }
        more(&mut self.waiting, row.count("waiting_for_locks").unwrap_or(0));
        self.max = self.max.max(row.count("max_connections").filter(|max| *max > 0));
    }
}

/// Judges the rows.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let sums = Sums::of(outcome);
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::no_rows_title(), messages::no_rows_reason());
        assessment.insight(Insight::new(
            words::CONNECTIONS_WITHIN_LIMIT,
            Confidence::High,
            title,
            reason,
        ));
        return;
    }
    // First, so that `nothing found` speaks of the room there is, which is the last insight then.
    one_group(&sums, assessment);
    lock_waiters(&sums, assessment);
    idle_in_transaction(&sums, assessment);
    let is_whole = outcome.status == OutcomeStatus::Ok;
    room(&sums, is_whole, actions, assessment);
}

/// How much of `max_connections` is taken, and whether by connections that do nothing.
fn room(sums: &Sums, is_whole: bool, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(max) = sums.max else {
        assessment.limitation(messages::no_max());
        return;
    };
    let share = Ratio::of(sums.used, max);
    let (used, limit) = (Count(sums.used), Count(max));
    let reason = messages::near_limit_reason(Count(sums.active), Count(sums.idle), Count(sums.in_transaction));
    if share.value() >= WELL_USED && sums.used >= FEW && sums.idle >= sums.used.div_ceil(2) {
        let idle = Ratio::of(sums.idle, sums.used);
        let title = messages::mostly_idle_title(idle, Count(sums.idle));
        let insight = Insight::new(
            words::CONNECTIONS_MOSTLY_IDLE,
            Confidence::High,
            title,
            messages::mostly_idle_reason(),
        );
        assessment.insight(insight);
        assessment.next_action(offers::ask(Ask::Pooler));
    }
    if share.value() < NEAR {
        let title = messages::within_limit_title(share, used, limit);
        // With rows left out there may be more than were counted.
        let confidence = if is_whole { Confidence::High } else { Confidence::Low };
        let insight = Insight::new(words::CONNECTIONS_WITHIN_LIMIT, confidence, title, reason);
        assessment.insight(insight);
        return;
    }
    let title = messages::near_limit_title(share, used, limit);
    let insight = Insight::new(
        words::CONNECTIONS_NEAR_LIMIT,
        Confidence::High,
        title.clone(),
        reason.clone(),
    );
    assessment.insight(insight);
    found(words::NEAR_LIMIT, title, reason, room_score(share), assessment);
    let settings = offers::settings(actions);
    assessment.next_action(settings.map(|action| action.priority(Priority::Recommended)));
    if sums.active >= sums.used.div_ceil(2) {
        assessment.next_action(offers::families());
    }
}

/// `((s − ½) · 2)²` with `s` the share that is taken: 0.36 at 80 %, 0.64 at 90 %, 1 when nobody can connect any more.
fn room_score(share: Ratio) -> f64 {
    let above = ((share.value() - 0.5) * 2.0).clamp(0.0, 1.0);
    above * above
}

/// Transactions that are open and in which nothing happens. The time-out follows from what was seen: a session that has been idle for longer shows
/// that none as short is in force for it, so that the advice never makes one longer.
fn idle_in_transaction(sums: &Sums, assessment: &mut Assessment) {
    if sums.in_transaction == 0 {
        return;
    }
    let n = Count(sums.in_transaction);
    let title = messages::open_tx_title(n);
    let long = sums.longest_idle_us.filter(|us| *us >= LONG_IDLE_US);
    let reason = match (long, sums.longest_idle_us) {
        (Some(us), _) => messages::open_tx_reason(DurationUs(us)),
        (None, Some(us)) => messages::open_tx_short_reason(DurationUs(us)),
        (None, None) => messages::open_tx_unknown_reason(),
    };
    let insight = Insight::new(
        words::IDLE_IN_TRANSACTION_SESSIONS,
        Confidence::High,
        title.clone(),
        reason.clone(),
    );
    let Some(us) = long else {
        assessment.insight(insight);
        return;
    };
    let timeout = Recommendation::parameter(Setting::IdleInTransactionSessionTimeout, LONG_IDLE_US);
    assessment.insight(insight.recommend(timeout));
    found(words::IDLE_IN_TRANSACTION, title, reason, idle_score(us), assessment);
    assessment.next_action(offers::locks().priority(Priority::Optional));
}

/// `t / (t + 15 min)`: a quarter at five minutes, 0.8 at an hour, in which a table that changes often has bloated.
fn idle_score(us: u64) -> f64 {
    scores::saturating(us as f64, 900e6)
}

/// `n / (n + 10)`: ten that wait are a queue worth a look, forty are an outage.
fn lock_waiters(sums: &Sums, assessment: &mut Assessment) {
    if sums.waiting == 0 {
        return;
    }
    let (title, reason) = (
        messages::lock_waiters_title(Count(sums.waiting)),
        messages::lock_waiters_reason(Count(sums.active)),
    );
    let insight = Insight::new(
        words::SESSIONS_WAIT_FOR_LOCKS,
        Confidence::High,
        title.clone(),
        reason.clone(),
    );
    assessment.insight(insight);
    let score = statements::scores::saturating(sums.waiting, 10);
    found(words::LOCK_WAITERS, title, reason, score, assessment);
    assessment.next_action(offers::locks().priority(Priority::Required));
}

fn one_group(sums: &Sums, assessment: &mut Assessment) {
    let share = Ratio::of(sums.most, sums.used);
    if sums.most < FEW || share.value() < MOST {
        return;
    }
    let title = messages::most_title(share, Count(sums.most));
    let insight = Insight::new(
        words::ONE_GROUP_HOLDS_MOST,
        Confidence::High,
        title,
        messages::most_reason(),
    );
    assessment.insight(insight);
}

fn found(code: pg_logstats_sdk::ReasonCode, title: Message, reason: Message, score: f64, assessment: &mut Assessment) {
    let finding = Finding::new(FindingKind::ConnectionPressure, title, reason);
    let finding = finding.code(code).score(score).confidence(Confidence::High);
    // The rank is the order: the findings of one outcome are few.
    let place = assessment
        .findings
        .partition_point(|known| known.score >= finding.score);
    assessment.findings.insert(place, finding);
}
