//! Phase 1: what the logs tell of replication, ranked.
//!
//! Scores are products of how often in an hour and how often in all (`n / (n + half)` each), so that single events stay low.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_runbook_statements::scores::{confidence, saturating};
use pg_logstats_sdk::{
    Action, Actions, Assessment, CancelReason, Confidence, Count, Evidence, Finding, FindingKind, NextAction, Priority,
    Rate,
};

use crate::{conflicts, messages, offers, words};

const HOUR_US: f64 = 3_600e6;
/// The shortest time that a rate is taken over: what happened at one time did not happen so often in an hour.
const LEAST_SPAN_US: u64 = 600_000_000;
/// Conflicts in an hour that score one half.
const HALF_CONFLICTS: f64 = 30.0;
/// Conflicts in all that score one half of that: one or two are nothing to act upon.
const HALF_CONFLICTS_IN_ALL: u64 = 3;
/// Conflicts from which they can be a burst.
const BURST: u64 = 10;
/// Interruptions in an hour that score one half.
const HALF_INTERRUPTIONS: f64 = 6.0;
/// And in all: a restart of the primary makes one.
const HALF_INTERRUPTIONS_IN_ALL: u64 = 2;
/// Interruptions from which none that is mended is a standby that has stopped.
const NOT_RESUMED: u64 = 3;
/// The score of a standby that has stopped, at least: worth a look today.
const NOT_RESUMED_SCORE: f64 = 0.5;
/// A standby that cannot follow is none.
const TIMELINE_SCORE: f64 = 0.9;
/// Failures of archiving in an hour that score one half; the archiver tries three times a minute.
const HALF_FAILURES: f64 = 12.0;
/// And in all, for logs that are much longer than the trouble.
const HALF_FAILURES_IN_ALL: u64 = 20;

/// What shows more, the most telling first.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Conflicts,
    Streaming,
    Timeline,
    Archive,
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut found: Vec<(Finding, Trouble)> = Vec::new();
    for reason in conflicts::REASONS {
        found.extend(conflict(evidence, reason).map(|finding| (finding, Trouble::Conflicts)));
    }
    found.extend(streaming(evidence).map(|finding| (finding, Trouble::Streaming)));
    found.extend(timeline(evidence).map(|finding| (finding, Trouble::Timeline)));
    found.extend(archive(evidence).map(|finding| (finding, Trouble::Archive)));
    // Stable, so that equals stay in the order above.
    found.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));

    let mut assessment = Assessment::new();
    let is_empty = found.is_empty();
    if is_empty {
        let (title, reason) = (messages::nothing_title(), messages::nothing_reason());
        let nothing = Finding::new(FindingKind::NothingFound, title, reason);
        assessment.finding(nothing.code(words::NOTHING_FOUND).confidence(Confidence::Medium));
    }
    for (finding, trouble) in found {
        let finding = assessment.finding(finding);
        let look_at: &[Action] = match trouble {
            Trouble::Conflicts => &[words::SETTINGS, words::RECEIVER],
            Trouble::Streaming => &[words::RECEIVER, words::SETTINGS],
            Trouble::Timeline => &[words::RECEIVER],
            Trouble::Archive => &[words::SLOTS],
        };
        for (position, action) in look_at.iter().enumerate() {
            let priority = if position == 0 {
                Priority::Required
            } else {
                Priority::Recommended
            };
            offers::offer(*action, Some(finding), priority, actions, &mut assessment);
        }
        let next = match trouble {
            Trouble::Conflicts if !evidence.families.is_empty() => {
                let (label, reason) = (messages::families_label(), messages::families_reason());
                NextAction::run_workflow(words::QUERY_FAMILIES, label, reason).priority(Priority::Optional)
            }
            Trouble::Conflicts | Trouble::Streaming => continue,
            Trouble::Timeline => {
                NextAction::prompt_user(messages::decide_timeline_label(), messages::decide_timeline_reason())
                    .priority(Priority::Required)
            }
            Trouble::Archive => {
                NextAction::prompt_user(messages::decide_archive_label(), messages::decide_archive_reason())
                    .priority(Priority::Required)
            }
        };
        offers::step(next.because(finding), &mut assessment);
    }
    // What no log shows: lag and what slots keep.
    for action in [words::LAG, words::SLOTS] {
        let priority = if is_empty {
            Priority::Optional
        } else {
            Priority::Recommended
        };
        offers::offer(action, None, priority, actions, &mut assessment);
    }
    if evidence.window.is_none() {
        assessment.limitation(messages::no_logs());
    } else {
        assessment.limitation(messages::lag_not_logged());
    }
    outcome::close(&mut assessment);
    assessment
}

/// The conflicts of one reason: `r / (r + 30)` of their rate in an hour while they went on, times `n / (n + 3)`.
fn conflict(evidence: &Evidence, reason: CancelReason) -> Option<Finding> {
    let groups = conflicts::groups(evidence, reason);
    let most = groups.iter().copied().max_by_key(|group| group.count)?;
    let n = conflicts::count(evidence, &[reason]);
    let first = groups.iter().map(|group| group.first_seen).min()?;
    let last = groups.iter().map(|group| group.last_seen).max()?;
    let span = conflicts::span_us(first, last);
    let per_hour = per_hour(n, span.max(LEAST_SPAN_US));
    let title = messages::conflict_title(Count(n), reason);
    let kinds = Count::of(&groups);
    let why = match Rate::of(n, span) {
        Some(rate) => messages::conflict_reason(rate, kinds),
        None => messages::conflict_reason_once(kinds),
    };
    let mut finding = Finding::new(FindingKind::Cancellation, title, why)
        .about(most)
        .code(words::STANDBY_CONFLICT)
        .score(per_hour / (per_hour + HALF_CONFLICTS) * saturating(n, HALF_CONFLICTS_IN_ALL))
        .confidence(confidence(n));
    if n >= BURST && window_us(evidence).is_some_and(|window| span < window / 10) {
        finding = finding.code(words::CONFLICT_BURST);
    }
    let families = groups
        .iter()
        .filter_map(|group| evidence.family(group.family.as_deref()?));
    let families: Vec<_> = families.collect();
    if !families.is_empty() {
        finding = finding.code(words::STATEMENTS_KNOWN);
    }
    finding = families
        .into_iter()
        .fold(finding, |finding, family| finding.evidence(family));
    Some(
        groups
            .into_iter()
            .fold(finding, |finding, group| finding.evidence(group)),
    )
}

/// `r / (r + 6)` of the rate in an hour, times `n / (n + 2)`; at least one half when three or more ended and none began.
fn streaming(evidence: &Evidence) -> Option<Finding> {
    let (ended, started) = conflicts::streaming(evidence);
    if ended == 0 {
        return None;
    }
    let rate = per_hour(ended, window_us(evidence).unwrap_or(0).max(LEAST_SPAN_US));
    let score = rate / (rate + HALF_INTERRUPTIONS) * saturating(ended, HALF_INTERRUPTIONS_IN_ALL);
    let title = messages::interrupted_title(Count(ended));
    let finding = Finding::new(
        FindingKind::Replication,
        title,
        messages::interrupted_reason(Count(started)),
    )
    .code(words::STREAMING_INTERRUPTED)
    .confidence(confidence(ended));
    Some(if ended >= NOT_RESUMED && started == 0 {
        finding
            .code(words::STREAMING_NOT_RESUMED)
            .score(score.max(NOT_RESUMED_SCORE))
    } else {
        finding.score(score)
    })
}

fn timeline(evidence: &Evidence) -> Option<Finding> {
    let n = conflicts::events(evidence, "standby_invalid_timeline");
    let finding = Finding::new(
        FindingKind::Replication,
        messages::timeline_title(Count(n)),
        messages::timeline_reason(),
    );
    (n > 0).then(|| {
        finding
            .code(words::INVALID_TIMELINE)
            .score(TIMELINE_SCORE)
            .confidence(Confidence::High)
    })
}

/// `r / (r + 12)` of the rate in an hour, times `n / (n + 2)`; or half of `n / (n + 20)`, if that is more, because the logs may be much
/// longer than the trouble.
fn archive(evidence: &Evidence) -> Option<Finding> {
    let n = conflicts::events(evidence, "wal_archive_command_failed");
    if n == 0 {
        return None;
    }
    let window = window_us(evidence);
    let rate = per_hour(n, window.unwrap_or(0).max(LEAST_SPAN_US));
    let by_rate = rate / (rate + HALF_FAILURES) * saturating(n, HALF_INTERRUPTIONS_IN_ALL);
    let reason = window
        .and_then(|window| Rate::of(n, window))
        .map_or_else(messages::archive_reason_unknown, messages::archive_reason);
    let finding = Finding::new(FindingKind::Replication, messages::archive_title(Count(n)), reason)
        .code(words::ARCHIVING_FAILED)
        .score(by_rate.max(0.5 * saturating(n, HALF_FAILURES_IN_ALL)))
        .confidence(Confidence::High);
    Some(finding)
}

fn per_hour(n: u64, span_us: u64) -> f64 {
    n as f64 / (span_us as f64 / HOUR_US)
}

fn window_us(evidence: &Evidence) -> Option<u64> {
    evidence.window.map(|(first, last)| conflicts::span_us(first, last))
}
