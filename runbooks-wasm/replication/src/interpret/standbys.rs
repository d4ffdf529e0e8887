//! How far standbys are behind, as the primary and as the standby sees it.

use pg_logstats_runbook_statements::scores::saturating;
use pg_logstats_sdk::{
    Actions, Assessment, Bytes, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, Insight, NextAction,
    Outcome, Priority, Ratio, Record,
};

use super::say;
use crate::{conflicts, messages, offers, words};

/// WAL still to replay from which a standby is far behind.
const FAR_BYTES: u64 = 1 << 30;
/// Age of what it replays from which it is.
const FAR_US: u64 = 60_000_000;
/// WAL to replay that scores one half.
const HALF_BYTES: u64 = 4 << 30;
/// Age that scores one half.
const HALF_US: u64 = 300_000_000;
/// The part of the lag that lies at one place, from which that place is the cause.
const CAUSE: f64 = 0.5;
/// Standbys that are told, the farthest behind first.
const STANDBYS: usize = 5;

/// One standby.
struct Standby<'a> {
    row: Record<'a>,
    /// WAL to replay; none where the standby has not said what it has.
    bytes: Option<u64>,
    /// None while nothing is written, and until the standby confirmed something.
    lag_us: Option<u64>,
}

impl Standby<'_> {
    /// `b / (b + 4 GiB)` or `t / (t + 5 min)`, whichever is more.
    fn score(&self) -> f64 {
        let of = |figure: Option<u64>, half| figure.map_or(0.0, |figure| saturating(figure, half));
        of(self.bytes, HALF_BYTES).max(of(self.lag_us, HALF_US))
    }

    fn is_far(&self) -> bool {
        self.bytes.is_some_and(|bytes| bytes >= FAR_BYTES) || self.lag_us.is_some_and(|lag| lag >= FAR_US)
    }

    fn is_unknown(&self) -> bool {
        self.bytes.is_none() && self.lag_us.is_none()
    }
}

/// The standbys of this server.
pub(super) fn lag(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    // A base backup streams, too, and replays nothing.
    let standbys = outcome.records().filter(|row| row.text("state") != Some("backup"));
    let standbys = standbys.map(|row| Standby {
        row,
        bytes: row.count("replay_lag_bytes"),
        lag_us: row.duration_us("replay_lag"),
    });
    let mut standbys: Vec<Standby<'_>> = standbys.collect();
    if standbys.is_empty() {
        say(
            words::NO_STANDBY,
            messages::no_standby_title(),
            messages::no_standby_reason(),
            assessment,
        );
        offers::offer(words::SLOTS, None, Priority::Recommended, actions, assessment);
        return;
    }
    standbys.sort_by(|a, b| b.score().total_cmp(&a.score()));
    let unknown = standbys.iter().filter(|standby| standby.is_unknown()).count();
    if unknown > 0 {
        assessment.limitation(messages::unknown_lags(Count(unknown as u64)));
    }
    let far = standbys.iter().filter(|standby| standby.is_far()).count();
    let Some(first) = standbys.first().filter(|_| far > 0) else {
        if unknown > 0 {
            return;
        }
        let most = standbys.iter().filter_map(|standby| standby.bytes).max().unwrap_or(0);
        let (title, reason) = (
            messages::keep_up_title(Count::of(&standbys)),
            messages::keep_up_reason(Bytes(most)),
        );
        say(words::STANDBYS_KEEP_UP, title, reason, assessment);
        return;
    };
    let n = Count(u64::try_from(far).unwrap_or(u64::MAX));
    let finding = Finding::new(
        FindingKind::Replication,
        messages::lag_title(n),
        first
            .bytes
            .map(Bytes)
            .map_or_else(messages::lag_reason_unknown, messages::lag_reason),
    );
    let finding = finding
        .code(words::STANDBY_LAGS)
        .score(first.score())
        .confidence(Confidence::High);
    let finding = match first.row.subject() {
        Some(session) => finding.about(session),
        None => finding,
    };
    let finding = assessment.finding(finding);
    for standby in standbys.iter().filter(|standby| standby.is_far()).take(STANDBYS) {
        behind(standby, assessment);
    }
    for action in [words::SLOTS, words::SETTINGS] {
        offers::offer(action, Some(finding), Priority::Recommended, actions, assessment);
    }
}

fn behind(standby: &Standby<'_>, assessment: &mut Assessment) {
    let row = &standby.row;
    let reason = standby
        .lag_us
        .map(DurationUs)
        .map_or_else(messages::behind_reason_unknown, messages::behind_reason);
    let about = |insight: Insight| match row.subject() {
        Some(session) => insight.evidence(session),
        None => insight,
    };
    let title = match (row.subject(), standby.bytes.map(Bytes)) {
        (Some(session), Some(bytes)) => messages::behind_title(session, bytes),
        (Some(session), None) => messages::behind_title_time(session),
        (None, Some(bytes)) => messages::behind_title_unknown(bytes),
        (None, None) => messages::behind_title_time_unknown(),
    };
    assessment.insight(about(Insight::new(
        words::STANDBY_BEHIND,
        Confidence::High,
        title,
        reason,
    )));
    // Of what is not known there are no shares.
    let all = standby.bytes.unwrap_or(0);
    let share = |part: u64| Ratio::of(part.min(all), all);
    if let Some(unsent) = row
        .count("sent_lag_bytes")
        .filter(|&bytes| share(bytes).value() >= CAUSE)
    {
        let (title, reason) = (
            messages::sending_title(Bytes(unsent)),
            messages::sending_reason(share(unsent)),
        );
        assessment.insight(about(Insight::new(
            words::LAG_IN_SENDING,
            Confidence::Medium,
            title,
            reason,
        )));
    }
    let waiting = row.count("flush_lag_bytes").map(|flush| all.saturating_sub(flush));
    if let Some(waiting) = waiting.filter(|&bytes| share(bytes).value() >= CAUSE) {
        let (title, reason) = (
            messages::replay_title(Bytes(waiting)),
            messages::replay_reason(share(waiting)),
        );
        assessment.insight(about(Insight::new(
            words::LAG_IN_REPLAY,
            Confidence::Medium,
            title,
            reason,
        )));
    }
    if matches!(row.text("sync_state"), Some("sync" | "quorum")) {
        let (title, reason) = (messages::synchronous_title(), messages::synchronous_reason());
        assessment.insight(about(Insight::new(
            words::LAG_OF_SYNCHRONOUS,
            Confidence::Medium,
            title,
            reason,
        )));
    }
    if let Some(session) = row.subject() {
        let (label, reason) = (messages::decide_lag_label(session), messages::decide_lag_reason());
        offers::step(NextAction::prompt_user(label, reason), assessment);
    }
}

/// The receiver of this standby.
pub(super) fn receiver(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(row) = outcome.records().next() else {
        let (ended, _) = conflicts::streaming(evidence);
        let reason = if ended > 0 {
            messages::no_receiver_reason_broken(Count(ended))
        } else {
            messages::no_receiver_reason()
        };
        say(words::NO_RECEIVER, messages::no_receiver_title(), reason, assessment);
        if ended > 0 {
            ask_about_streaming(assessment);
        }
        offers::offer(words::LAG, None, Priority::Recommended, actions, assessment);
        return;
    };
    let is_streaming = row.text("status").map(|status| status == "streaming");
    if is_streaming == Some(false) {
        let (title, reason) = (messages::not_streaming_title(), messages::not_streaming_reason());
        say(words::RECEIVER_NOT_STREAMING, title, reason, assessment);
        ask_about_streaming(assessment);
    }
    let Some(left) = row.count("unreplayed_bytes") else {
        return;
    };
    if left >= FAR_BYTES {
        let (title, reason) = (
            messages::receiver_behind_title(Bytes(left)),
            messages::receiver_behind_reason(),
        );
        say(words::RECEIVER_BEHIND, title.clone(), reason.clone(), assessment);
        let finding = Finding::new(FindingKind::Replication, title, reason)
            .code(words::STANDBY_LAGS)
            .score(saturating(left, HALF_BYTES))
            .confidence(Confidence::High);
        let finding = assessment.finding(finding);
        offers::offer(
            words::SETTINGS,
            Some(finding),
            Priority::Recommended,
            actions,
            assessment,
        );
    } else if is_streaming == Some(true) {
        let reason = messages::receiver_well_reason(Bytes(left));
        say(
            words::RECEIVER_WELL,
            messages::receiver_well_title(),
            reason,
            assessment,
        );
    }
}

fn ask_about_streaming(assessment: &mut Assessment) {
    let (label, reason) = (messages::decide_streaming_label(), messages::decide_streaming_reason());
    offers::step(NextAction::prompt_user(label, reason), assessment);
}
