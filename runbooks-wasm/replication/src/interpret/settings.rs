//! The settings, with the conflicts that the logs tell of.

use pg_logstats_sdk::{
    Actions, Assessment, CancelReason, CancellationGroup, Confidence, Count, DurationUs, Evidence, Insight, NextAction,
    Outcome, Priority, Recommendation, Setting,
};

use super::say;
use crate::{conflicts, messages, offers, words};

/// Cancellations from which a setting is worth its price.
const CONFLICTS: u64 = 5;
/// How much longer replay is to wait, and at most how long: the standby may be as far behind.
const LONGER: u64 = 4;
const LONGEST_US: u64 = 900_000_000;
/// Conflicts that waiting longer prevents.
const WAITING_HELPS: [CancelReason; 4] = [
    CancelReason::ConflictSnapshot,
    CancelReason::ConflictLock,
    CancelReason::ConflictBufferPin,
    CancelReason::ConflictOther,
];

pub(super) fn judge(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let text = |name: &str| outcome.setting_text(name);
    let number = |name: &str| text(name).and_then(|setting| setting.parse::<i64>().ok());
    let snapshots = conflicts::count(evidence, &[CancelReason::ConflictSnapshot]);
    let is_feedback_off = text("hot_standby_feedback") == Some("off");
    if is_feedback_off && snapshots >= CONFLICTS {
        let title = messages::feedback_title(Count(snapshots));
        let insight = Insight::new(
            words::FEEDBACK_OFF,
            Confidence::Medium,
            title,
            messages::feedback_reason(),
        );
        let insight = with_groups(insight, evidence, &[CancelReason::ConflictSnapshot]);
        assessment.insight(insight.recommend(Recommendation::parameter(Setting::HotStandbyFeedback, 1)));
        decide(assessment);
    }
    // What feedback prevents needs no delay; where it is on, conflicts over rows are those that it did not.
    let reasons = if is_feedback_off {
        &WAITING_HELPS[1..]
    } else {
        &WAITING_HELPS[..]
    };
    let others = conflicts::count(evidence, reasons);
    let delay = number("max_standby_streaming_delay").and_then(|ms| u64::try_from(ms).ok());
    if let Some(delay_us) = delay.map(|ms| ms.saturating_mul(1_000)) {
        let longer = delay_us.saturating_mul(LONGER).clamp(30_000_000, LONGEST_US);
        if others >= CONFLICTS && longer > delay_us {
            let title = messages::delay_title(Count(others), DurationUs(delay_us));
            let reason = messages::delay_reason(DurationUs(longer));
            let insight = Insight::new(words::DELAY_SHORT, Confidence::Medium, title, reason);
            let insight = with_groups(insight, evidence, reasons);
            let setting = Recommendation::parameter(Setting::MaxStandbyStreamingDelay, longer);
            assessment.insight(insight.recommend(setting));
            decide(assessment);
        }
    }
    if number("max_slot_wal_keep_size").is_some_and(|size| size < 0) {
        let (title, reason) = (messages::unbounded_title(), messages::unbounded_reason());
        say(words::SLOTS_UNBOUNDED, title, reason, assessment);
        offers::offer(words::SLOTS, None, Priority::Recommended, actions, assessment);
    }
    if assessment.insights.is_empty() {
        let reason = messages::usual_reason(Count::of(&outcome.rows));
        say(
            words::SETTINGS_UNREMARKABLE,
            messages::usual_title(),
            reason,
            assessment,
        );
    }
}

fn with_groups(insight: Insight, evidence: &Evidence, reasons: &[CancelReason]) -> Insight {
    let is_one = |group: &&CancellationGroup| reasons.contains(&group.reason);
    let groups = evidence.cancellations.iter().filter(is_one);
    groups.fold(insight, |insight, group| insight.evidence(group))
}

fn decide(assessment: &mut Assessment) {
    let (label, reason) = (messages::decide_setting_label(), messages::decide_setting_reason());
    offers::step(NextAction::prompt_user(label, reason), assessment);
}
