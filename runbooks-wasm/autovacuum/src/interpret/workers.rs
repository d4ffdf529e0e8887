//! Running vacuums, and the settings that workers go by.

use pg_logstats_sdk::{
    AutovacuumRun, Bytes, Confidence, Count, DurationUs, Evidence, Insight, NextAction, Outcome, Priority, Ratio,
    Recommendation, Record, Setting,
};

use super::nothing;
use crate::offers::Desk;
use crate::triage::advice;
use crate::{messages, words};

/// The part of its time that a vacuum sleeps from which the cost limit is what makes it slow.
const SLEEPING: f64 = 0.5;
/// A run that is worth speeding up.
const LONG_RUN_US: u64 = 600_000_000;
/// The part of the speed that the cost limit allows from which a run was held back by it, and not by the disk.
const AT_LIMIT: f64 = 0.5;
/// What more than the limit allows is none of its doing: the run had other settings.
const OVER_LIMIT: f64 = 1.5;
/// Costs of a page found, read and made dirty: `vacuum_cost_page_*`, which hardly anybody sets.
const COSTS: [u64; 3] = [1, 2, 20];
/// How much more the workers are to get.
const FASTER: u64 = 4;
/// The largest limit that the server takes.
const MOST_LIMIT: u64 = 10_000;

/// Vacuums that run now.
pub(super) fn running(outcome: &Outcome, desk: &mut Desk<'_>) {
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::not_running_title(), messages::not_running_reason());
        nothing(desk, words::VACUUM_NOT_RUNNING, title, reason);
        return;
    }
    let longest = outcome.records().filter_map(|row| row.duration_us("running")).max();
    let reason = longest
        .map(DurationUs)
        .map_or_else(messages::running_reason_unknown, messages::running_reason);
    let title = messages::running_title(Count::of(&outcome.rows));
    let insight = Insight::new(words::VACUUM_RUNNING, Confidence::High, title, reason);
    let subjects: Vec<&String> = outcome.records().filter_map(|row| row.subject()).collect();
    desk.assessment.insight(
        subjects
            .into_iter()
            .fold(insight, |insight, subject| insight.evidence(subject)),
    );

    let passes = outcome
        .records()
        .filter_map(|row| Some((row, row.count("index_vacuum_count")?)));
    // The first pass begins when the memory is full, or at the end; only the second proves that it was full.
    if let Some((row, passes)) = passes
        .max_by_key(|(_, passes)| *passes)
        .filter(|(_, passes)| *passes > 1)
    {
        index_passes(&row, passes, desk);
    }
    let sleeps = outcome.records().filter_map(|row| {
        let (asleep, running) = (row.milliseconds("delay_ms")?, row.duration_us("running")?);
        (running >= LONG_RUN_US).then(|| (Ratio::of(asleep.min(running), running), running))
    });
    let most = sleeps.max_by(|(a, _), (b, _)| a.value().total_cmp(&b.value()));
    if let Some((share, running)) = most.filter(|(share, _)| share.value() >= SLEEPING) {
        let (title, reason) = (
            messages::sleeps_title(share),
            messages::sleeps_reason(DurationUs(running)),
        );
        desk.assessment
            .insight(Insight::new(words::VACUUM_SLEEPS, Confidence::High, title, reason));
        desk.offer(words::SETTINGS, None, Priority::Required);
    }
}

fn index_passes(row: &Record<'_>, passes: u64, desk: &mut Desk<'_>) {
    let title = row.subject().map_or_else(
        || messages::passes_title_unknown(Count(passes)),
        |session| messages::passes_title(session, Count(passes)),
    );
    let memory = row.count("max_dead_bytes").filter(|&bytes| bytes > 0);
    let reason = memory
        .map(Bytes)
        .map_or_else(messages::passes_reason_unknown, messages::passes_reason);
    let mut insight = Insight::new(words::MEMORY_TOO_SMALL, Confidence::High, title, reason);
    if let Some(session) = row.subject() {
        insight = insight.evidence(session);
    }
    if let (Some(memory), Some(true)) = (memory, row.boolean("is_autovacuum")) {
        // Each pass emptied it once.
        let wanted = advice::memory_for(memory.saturating_mul(passes.saturating_add(1)));
        if wanted > memory {
            insight = insight.recommend(Recommendation::parameter(Setting::AutovacuumWorkMem, wanted));
            decide(desk);
        }
    }
    desk.assessment.insight(insight);
    desk.offer(words::SETTINGS, None, Priority::Recommended);
}

/// The settings, with what the logs show of how they work.
pub(super) fn settings(evidence: &Evidence, outcome: &Outcome, desk: &mut Desk<'_>) {
    let text = |name: &str| outcome.setting_text(name);
    let number = |name: &str| {
        text(name)
            .and_then(|setting| setting.parse::<f64>().ok())
            .filter(|n| n.is_finite())
    };
    let is_off = |name: &str| text(name) == Some("off");
    let before = desk.assessment.insights.len();
    if is_off("autovacuum") || is_off("track_counts") {
        let insight = Insight::new(
            words::SWITCHED_OFF,
            Confidence::High,
            messages::off_title(),
            messages::off_reason(),
        );
        desk.assessment.insight(insight);
        let (label, reason) = (messages::decide_off_label(), messages::decide_off_reason());
        desk.step(NextAction::prompt_user(label, reason).priority(Priority::Required));
        desk.offer(words::AGES, None, Priority::Recommended);
    }
    advice::memory(evidence, desk.assessment);
    // -1 stands for the setting of a vacuum that a session asks for.
    let or = |name: &str, other: &str| number(name).filter(|n| *n >= 0.0).or_else(|| number(other));
    let limit = or("autovacuum_vacuum_cost_limit", "vacuum_cost_limit").filter(|n| *n >= 1.0);
    let delay_ms = or("autovacuum_vacuum_cost_delay", "vacuum_cost_delay").filter(|n| *n > 0.0);
    if let (Some(limit), Some(delay_ms)) = (limit, delay_ms) {
        throttled(evidence, limit, delay_ms, desk);
    }
    if desk.assessment.insights.len() > before && !is_off("autovacuum") {
        decide(desk);
    }
    if number("log_autovacuum_min_duration").is_some_and(|n| n < 0.0) {
        let (title, reason) = (messages::not_logged_title(), messages::not_logged_setting_reason());
        let insight = Insight::new(words::NOT_LOGGED, Confidence::High, title, reason);
        let logged = Recommendation::parameter(Setting::LogAutovacuumMinDuration, advice::LOGGED_RUN_US);
        desk.assessment.insight(insight.recommend(logged));
        decide(desk);
    }
    if desk.assessment.insights.len() == before {
        let reason = messages::usual_settings_reason(Count::of(&outcome.rows));
        nothing(
            desk,
            words::SETTINGS_UNREMARKABLE,
            messages::usual_settings_title(),
            reason,
        );
    }
}

/// The longest run went about as fast as the cost limit lets one go, so it slept for it.
fn throttled(evidence: &Evidence, limit: f64, delay_ms: f64, desk: &mut Desk<'_>) {
    let longest = evidence
        .autovacuum
        .iter()
        .filter_map(|group| Some((group, group.longest.as_ref()?)));
    let Some((group, run)) = longest.max_by_key(|(_, run)| run.elapsed_us) else {
        return;
    };
    let allowed_per_us = limit / (delay_ms * 1e3);
    let Some(cost) = cost_of(run).filter(|_| run.elapsed_us >= LONG_RUN_US) else {
        return;
    };
    let share = cost as f64 / run.elapsed_us as f64 / allowed_per_us;
    let wanted = (limit as u64).saturating_mul(FASTER).min(MOST_LIMIT);
    let Some(ratio) = Ratio::new(share).filter(|_| (AT_LIMIT..=OVER_LIMIT).contains(&share)) else {
        return;
    };
    let title = messages::throttled_title(ratio);
    let reason = messages::throttled_reason(DurationUs(run.elapsed_us), Count(limit as u64));
    let mut insight = Insight::new(words::THROTTLED, Confidence::Medium, title, reason).evidence(group);
    if wanted > limit as u64 {
        insight = insight.recommend(Recommendation::parameter(Setting::AutovacuumVacuumCostLimit, wanted));
    }
    desk.assessment.insight(insight);
}

fn cost_of(run: &AutovacuumRun) -> Option<u64> {
    let pages = [run.buffers_hit?, run.buffers_missed?, run.buffers_dirtied?];
    let costs = pages
        .into_iter()
        .zip(COSTS)
        .map(|(pages, cost)| pages.saturating_mul(cost));
    Some(costs.fold(0, u64::saturating_add))
}

fn decide(desk: &mut Desk<'_>) {
    let (label, reason) = (messages::decide_setting_label(), messages::decide_setting_reason());
    desk.step(NextAction::prompt_user(label, reason));
}
