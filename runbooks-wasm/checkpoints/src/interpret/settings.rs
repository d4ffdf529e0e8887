//! The settings, against the WAL that the logs measured.

use pg_logstats_sdk::{
    Assessment, Bytes, CheckpointCause, Confidence, DurationUs, Evidence, Insight, InsightId, Message, NextAction,
    Outcome, Priority, Ratio, Recommendation, Setting,
};

use super::found;
use crate::{measure, messages, scores, words};

/// The rows by name. A setting that is missing, or no number, is unknown and never 0.
struct Settings<'a>(&'a Outcome);

impl Settings<'_> {
    /// A whole number of the setting's own unit, and that unit.
    fn whole(&self, name: &str) -> Option<(u64, &str)> {
        Some((self.0.setting_count(name)?, self.0.setting_unit(name)?))
    }

    fn bytes(&self, name: &str) -> Option<u64> {
        let (value, unit) = self.whole(name)?;
        let unit: u64 = match unit {
            "B" => 1,
            "kB" => 1 << 10,
            "8kB" => 8 << 10,
            "MB" => 1 << 20,
            "16MB" => 16 << 20,
            "GB" => 1 << 30,
            _ => return None,
        };
        value.checked_mul(unit)
    }

    fn duration_us(&self, name: &str) -> Option<u64> {
        let (value, unit) = self.whole(name)?;
        let unit: u64 = match unit {
            "ms" => 1_000,
            "s" => 1_000_000,
            "min" => 60_000_000,
            _ => return None,
        };
        value.checked_mul(unit)
    }

    /// Between 0 and 1.
    fn share(&self, name: &str) -> Option<Ratio> {
        let value = self.0.setting_text(name)?.parse::<f64>().ok()?;
        Ratio::new(value).filter(|share| (0.0..=1.0).contains(&share.value()))
    }

    fn is_off(&self, name: &str) -> bool {
        self.0.setting_text(name) == Some("off")
    }
}

/// Judges the rows.
pub(super) fn judge(evidence: &Evidence, outcome: &Outcome, assessment: &mut Assessment) {
    let settings = Settings(outcome);
    safety(&settings, assessment);
    if settings.is_off("log_checkpoints") {
        let (title, reason) = (messages::log_off_title(), messages::log_off_reason());
        let insight = Insight::new(words::LOG_CHECKPOINTS_OFF, Confidence::High, title, reason);
        assessment.insight(insight.recommend(Recommendation::parameter(Setting::LogCheckpoints, 1)));
    }
    let target = settings.share("checkpoint_completion_target");
    if let Some(target) = target.filter(|target| target.value() < 0.5) {
        let (title, reason) = (messages::target_title(target), messages::target_reason());
        say(
            words::COMPLETION_TARGET_LOW,
            Confidence::High,
            title,
            reason,
            assessment,
        );
    }
    let sizes = settings
        .bytes("max_wal_size")
        .zip(settings.duration_us("checkpoint_timeout"));
    if let Some((size, timeout)) = sizes {
        let reason = target.map_or_else(messages::settings_found_reason_unknown, messages::settings_found_reason);
        let title = messages::settings_title(Bytes(size), DurationUs(timeout));
        say(
            words::CHECKPOINT_SETTINGS_FOUND,
            Confidence::High,
            title,
            reason,
            assessment,
        );
        wal_size(evidence, size, timeout, target, assessment);
    }
}

/// What may cost data: 0.9 for `fsync`, 0.7 for pages, whatever else is well.
fn safety(settings: &Settings<'_>, assessment: &mut Assessment) {
    let before = assessment.findings.len();
    if settings.is_off("fsync") {
        let (title, reason) = (messages::fsync_title(), messages::fsync_reason());
        say(
            words::FSYNC_OFF,
            Confidence::High,
            title.clone(),
            reason.clone(),
            assessment,
        );
        found(words::NOT_CRASH_SAFE, title, reason, 0.9, assessment);
    }
    if settings.is_off("full_page_writes") {
        let (title, reason) = (messages::pages_off_title(), messages::pages_off_reason());
        say(
            words::FULL_PAGE_WRITES_OFF,
            Confidence::High,
            title.clone(),
            reason.clone(),
            assessment,
        );
        found(words::NOT_CRASH_SAFE, title, reason, 0.7, assessment);
    }
    if assessment.findings.len() > before {
        let ask = NextAction::prompt_user(messages::safe_label(), messages::safe_reason());
        assessment.next_action(ask.priority(Priority::Required));
    }
}

/// Whether `max_wal_size` lets checkpoints wait for their time.
///
/// The server begins one when about `max_wal_size / (1 + checkpoint_completion_target)` of WAL was written since the last (`CalculateCheckpointSegments`
/// in xlog.c; the documentation, "WAL Configuration", calls `max_wal_size` a soft limit and says that WAL is kept from one checkpoint to the
/// next). So that the WAL `w` of one `checkpoint_timeout` does not reach that, it takes `w · (1 + target)`, and a quarter on top because load varies.
/// It is rounded up to whole gibibytes, and only advised where checkpoints did begin for WAL and the result is more than what is set.
fn wal_size(evidence: &Evidence, size: u64, timeout_us: u64, target: Option<Ratio>, assessment: &mut Assessment) {
    let Some((wal, confidence)) = measure::wal_per_timeout(evidence, timeout_us) else {
        assessment.limitation(messages::unmeasured());
        return;
    };
    // The default since PostgreSQL 14, and on the safe side.
    let target = target.or(Ratio::new(0.9));
    let spread = target.map_or(0.9, Ratio::value);
    let Some(needed) = needed_bytes(wal, spread) else {
        assessment.limitation(messages::unmeasured());
        return;
    };
    let by_wal = measure::caused_by(evidence, CheckpointCause::Wal);
    let warned = evidence.checkpoints.too_frequent_count;
    let is_small = needed > size && (by_wal > 0 || warned > 0);
    let Some(target) = target.filter(|_| is_small) else {
        let reason = messages::suffices_reason(Bytes(wal), DurationUs(timeout_us));
        let title = messages::suffices_title(Bytes(size));
        say(words::MAX_WAL_SIZE_SUFFICES, confidence, title, reason, assessment);
        return;
    };
    let title = messages::small_title(Bytes(size), Bytes(needed));
    let reason = messages::small_reason(Bytes(wal), DurationUs(timeout_us), target);
    let insight = Insight::new(words::MAX_WAL_SIZE_SMALL, confidence, title.clone(), reason.clone());
    assessment.insight(insight.recommend(Recommendation::parameter(Setting::MaxWalSize, needed)));
    found(
        words::REQUESTED_BY_WAL,
        title,
        reason,
        small_score(needed, size),
        assessment,
    );
    let ask = NextAction::prompt_user(messages::size_label(Bytes(needed)), messages::size_reason());
    assessment.next_action(ask);
}

/// None where it is more than anybody can set: the figures are wrong then.
fn needed_bytes(wal: u64, target: f64) -> Option<u64> {
    const GIB: u64 = 1 << 30;
    /// A pebibyte: beyond it, the sum is nonsense.
    const MOST: f64 = (1_u64 << 50) as f64;
    let bytes = wal as f64 * (1.0 + target) * 1.25;
    (bytes <= MOST).then(|| (bytes as u64).div_ceil(GIB).saturating_mul(GIB))
}

/// `0.8 · f / (f + 2)` with `f` how many times more is needed than is set, beyond once: three times as much is 0.4, nine times 0.64.
fn small_score(needed: u64, size: u64) -> f64 {
    0.8 * scores::saturating(needed as f64 / size.max(1) as f64 - 1.0, 2.0)
}

fn say(id: InsightId, confidence: Confidence, title: Message, reason: Message, assessment: &mut Assessment) {
    assessment.insight(Insight::new(id, confidence, title, reason));
}
