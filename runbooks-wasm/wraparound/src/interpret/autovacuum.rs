//! Whether vacuum is at it, and what slows it.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Finding, FindingKind, Insight, NextAction, Outcome, Priority,
    Ratio, Recommendation, Setting,
};

use crate::{messages, offers, words};

/// The share of its time that a vacuum sleeps from which it is throttled.
const MOST_OF_THE_TIME: f64 = 0.5;
/// `autovacuum_vacuum_cost_delay` by default, in microseconds.
const DEFAULT_DELAY_US: f64 = 2_000.0;
/// `vacuum_cost_limit` by default.
const DEFAULT_LIMIT: f64 = 200.0;
/// A rate below this share of the default one is a slow one.
const SLOW: f64 = 0.5;
/// The most that `autovacuum_vacuum_cost_limit` takes.
const MOST_LIMIT: f64 = 10_000.0;
/// Without autovacuum all that is left are the forced runs against wraparound: it works, and late.
const AUTOVACUUM_OFF: f64 = 0.7;

pub(super) fn judge_running(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        outcome::all_well(
            words::NO_VACUUM_RUNNING,
            Confidence::High,
            messages::no_vacuum_title(),
            messages::no_vacuum_reason(),
            assessment,
        );
        assessment.next_action(offers::settings(actions));
        return;
    }
    let own = outcome
        .records()
        .filter(|row| row.boolean("is_autovacuum") == Some(true))
        .count();
    let longest = outcome.records().filter_map(|row| row.duration_us("running")).max();
    let title = messages::running_title(Count::of(&outcome.rows), Count(own as u64));
    let reason = match longest {
        Some(longest) => messages::running_reason(DurationUs(longest)),
        None => messages::running_reason_unknown(),
    };
    let insight = Insight::new(words::VACUUM_RUNNING, Confidence::High, title, reason);
    let sessions = outcome.rows.iter().filter_map(|row| row.subject.as_ref());
    assessment.insight(sessions.fold(insight, |insight, session| insight.evidence(session)));
    let asleep = outcome.records().filter_map(|row| {
        let slept = row.milliseconds("delay_ms")?;
        let running = row.duration_us("running").filter(|running| *running > 0)?;
        Some((slept.min(running), running))
    });
    let share = |(slept, running): &(u64, u64)| Ratio::of(*slept, *running).value();
    let worst = asleep.max_by(|a, b| share(a).total_cmp(&share(b)));
    if let Some((slept, running)) = worst.filter(|worst| share(worst) >= MOST_OF_THE_TIME) {
        let (title, reason) = (
            messages::asleep_title(Ratio::of(slept, running)),
            messages::asleep_reason(DurationUs(slept), DurationUs(running)),
        );
        assessment.insight(Insight::new(words::VACUUM_THROTTLED, Confidence::High, title, reason));
        assessment.next_action(offers::settings(actions).map(|action| action.priority(Priority::Required)));
    }
}

pub(super) fn judge_settings(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let setting = |name| outcome.setting(name);
    let is_off = |name| setting(name) == Some(0.0);
    if is_off("autovacuum") || is_off("track_counts") {
        let (title, reason) = (messages::off_title(), messages::off_reason());
        let finding = Finding::new(FindingKind::Autovacuum, title.clone(), reason.clone());
        let finding = finding
            .code(words::AUTOVACUUM_OFF)
            .score(AUTOVACUUM_OFF)
            .confidence(Confidence::High);
        let finding = assessment.finding(finding);
        assessment.insight(Insight::new(
            words::AUTOVACUUM_DISABLED,
            Confidence::High,
            title,
            reason,
        ));
        let ask = NextAction::prompt_user(messages::ask_on_label(), messages::ask_on_reason());
        assessment.next_action(ask.priority(Priority::Required).because(finding));
        assessment.next_action(offers::databases(actions));
    }
    if let Some((delay_us, limit)) = cost(outcome) {
        let rate = (limit / delay_us) / (DEFAULT_LIMIT / DEFAULT_DELAY_US);
        if let Some(ratio) = Ratio::new(rate).filter(|_| rate < SLOW) {
            // The limit that makes up for the delay: as fast as a server with the defaults.
            let value = (DEFAULT_LIMIT * delay_us / DEFAULT_DELAY_US)
                .clamp(limit, MOST_LIMIT)
                .round() as u64;
            let (title, reason) = (
                messages::slowed_title(ratio),
                messages::slowed_reason(DurationUs(delay_us as u64), Count(limit as u64)),
            );
            let insight = Insight::new(words::AUTOVACUUM_SLOWED, Confidence::High, title, reason);
            let advice = Recommendation::parameter(Setting::AutovacuumVacuumCostLimit, value);
            assessment.insight(insight.recommend(advice));
            assessment.next_action(NextAction::prompt_user(
                messages::ask_limit_label(Count(value)),
                messages::ask_limit_reason(),
            ));
        }
    }
    let known = ["autovacuum", "track_counts"]
        .into_iter()
        .all(|name| setting(name).is_some());
    if assessment.insights.is_empty() && known {
        outcome::all_well(
            words::SETTINGS_UNREMARKABLE,
            Confidence::High,
            messages::settings_well_title(),
            messages::settings_well_reason(),
            assessment,
        );
    }
}

/// The delay of autovacuum in microseconds and its cost limit, as they take effect; none when it does not sleep or the rows do not tell.
fn cost(outcome: &Outcome) -> Option<(f64, f64)> {
    let effective = |own: &str, shared: &str| match outcome.setting(own)? {
        // -1: as for VACUUM.
        value if value < 0.0 => outcome.setting(shared),
        value => Some(value),
    };
    let delay = effective("autovacuum_vacuum_cost_delay", "vacuum_cost_delay")?;
    let limit = effective("autovacuum_vacuum_cost_limit", "vacuum_cost_limit")?;
    (delay > 0.0 && (1.0..=MOST_LIMIT).contains(&limit)).then_some((delay, limit))
}
