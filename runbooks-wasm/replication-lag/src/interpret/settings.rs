//! Settings that decide how far a standby may be behind, and what it costs.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, CancelReason, Confidence, Count, DurationUs, Evidence, Insight, NextAction, Outcome,
    Recommendation, Setting,
};

use crate::{messages, offers, words};

/// `max_standby_streaming_delay` by default, in microseconds.
const DEFAULT_DELAY_US: f64 = 30e6;
/// What is recommended instead of none, or of one that cancels too much: five minutes, which a standby may be behind and still be of use.
const DELAY_US: u64 = 300_000_000;

pub(super) fn judge(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if let Some(delay) = outcome.setting("recovery_min_apply_delay").filter(|delay| *delay > 0.0) {
        let (title, reason) = (
            messages::on_purpose_title(DurationUs(delay as u64)),
            messages::on_purpose_reason(),
        );
        assessment.insight(Insight::new(words::DELAYED_ON_PURPOSE, Confidence::High, title, reason));
    }
    let cancelled = |wanted: &[CancelReason]| {
        let groups = evidence
            .cancellations
            .iter()
            .filter(|group| wanted.contains(&group.reason));
        groups.fold(0_u64, |sum, group| sum.saturating_add(group.count))
    };
    let snapshot = cancelled(&[CancelReason::ConflictSnapshot]);
    if snapshot > 0 && outcome.setting("hot_standby_feedback") == Some(0.0) {
        let (title, reason) = (messages::feedback_title(), messages::feedback_reason(Count(snapshot)));
        let insight = Insight::new(words::FEEDBACK_IS_OFF, Confidence::Medium, title, reason);
        assessment.insight(insight.recommend(Recommendation::parameter(Setting::HotStandbyFeedback, 1)));
        let (label, reason) = (messages::ask_feedback_label(), messages::ask_feedback_reason());
        assessment.next_action(NextAction::prompt_user(label, reason));
    }
    // Feedback does nothing for these: replay has to wait for the query, or cancel it.
    let others = cancelled(&[CancelReason::ConflictLock, CancelReason::ConflictBufferPin]);
    let delay = outcome.setting("max_standby_streaming_delay");
    let advice = || Recommendation::parameter(Setting::MaxStandbyStreamingDelay, DELAY_US);
    match delay {
        Some(delay) if delay < 0.0 => {
            let (title, reason) = (messages::forever_title(), messages::forever_reason());
            let insight = Insight::new(words::REPLAY_WAITS_FOREVER, Confidence::Medium, title, reason);
            assessment.insight(insight.recommend(advice()));
            ask_delay(assessment);
        }
        Some(delay) if delay <= DEFAULT_DELAY_US && others > 0 => {
            let (title, reason) = (
                messages::soon_title(DurationUs(delay as u64)),
                messages::soon_reason(Count(others)),
            );
            let insight = Insight::new(words::REPLAY_CANCELS_SOON, Confidence::Medium, title, reason);
            assessment.insight(insight.recommend(advice()));
            ask_delay(assessment);
        }
        _ => {}
    }
    if outcome.setting("max_slot_wal_keep_size").is_some_and(|size| size < 0.0) {
        // No bound is the default; whether one is needed, the slots show.
        assessment.next_action(offers::slots(actions));
    }
    if assessment.insights.is_empty() {
        match delay {
            Some(delay) => outcome::all_well(
                words::SETTINGS_UNREMARKABLE,
                Confidence::High,
                messages::settings_well_title(),
                messages::settings_well_reason(DurationUs(delay.max(0.0) as u64)),
                assessment,
            ),
            None => assessment.limitation(messages::delay_unknown()),
        }
    }
}

fn ask_delay(assessment: &mut Assessment) {
    let (label, reason) = (
        messages::ask_delay_label(DurationUs(DELAY_US)),
        messages::ask_delay_reason(),
    );
    assessment.next_action(NextAction::prompt_user(label, reason));
}
