//! Phase 1: errors and cancellations, ranked.

mod cancellations;
mod category;
mod classes;
mod next;
mod pace;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    Actions, Assessment, CancelReason, CancellationGroup, Confidence, Count, ErrorClass, Evidence, Finding,
    FindingKind, Insight, NextAction, Recommendation, Setting,
};

use crate::offers::Desk;
use crate::{messages, words};
use category::Category;
use pace::Pace;

/// Findings at most.
const MOST: usize = 40;
/// Findings that actions are looked for.
const TOP: usize = 8;

/// A finding and what it is about.
struct Candidate<'a> {
    finding: Finding,
    pace: Pace,
    about: About<'a>,
}

/// What a finding is about, as far as actions need to know.
enum About<'a> {
    Class(&'a ErrorClass, Category),
    Cancellation(&'a CancellationGroup),
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut candidates = classes::candidates(evidence);
    candidates.extend(cancellations::candidates(evidence));
    // Stable: equals stay in the host's order, by count.
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));

    let mut assessment = Assessment::new();
    let mut desk = Desk::new(actions);
    let left_out = candidates.len().saturating_sub(MOST) as u64;
    for (position, candidate) in candidates.into_iter().take(MOST).enumerate() {
        let Candidate { finding, pace, about } = candidate;
        let score = finding.score;
        let finding = assessment.finding(finding);
        if position < TOP {
            match about {
                About::Class(class, category) => next::after_class(evidence, class, category, pace, finding, &mut desk),
                About::Cancellation(group) => next::after_cancellation(evidence, group, score, finding, &mut desk),
            }
        }
    }
    desk.into(&mut assessment);
    if assessment.findings.is_empty() {
        assessment.finding(nothing_found(evidence));
        assessment.limitation(messages::nothing_limitation());
    }
    lock_holders(evidence, &mut assessment);
    limitations(evidence, left_out, &mut assessment);
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(
            statements::outcome::messages::stop_label(),
            messages::stop_reason_nothing(),
        ));
    }
    assessment
}

fn nothing_found(evidence: &Evidence) -> Finding {
    let reason = messages::nothing_reason(Count(evidence.total_executions));
    Finding::new(FindingKind::NothingFound, messages::nothing_title(), reason)
        .code(statements::words::NOTHING_FOUND)
        .confidence(if evidence.window.is_some() {
            Confidence::Medium
        } else {
            Confidence::Low
        })
}

/// Statements that gave up waiting for a lock, in logs that name no holder: the log alone proves that `log_lock_waits` is missed, for
/// with it each of them that waited longer than `deadlock_timeout` would have a line.
fn lock_holders(evidence: &Evidence, assessment: &mut Assessment) {
    let timed_out = evidence
        .cancellations
        .iter()
        .filter(|group| group.reason == CancelReason::LockTimeout);
    let n = timed_out
        .clone()
        .fold(0, |sum: u64, group| sum.saturating_add(group.count));
    if n == 0 || !evidence.lock_waits.is_empty() {
        return;
    }
    let insight = Insight::new(
        words::LOCK_HOLDERS_NOT_LOGGED,
        Confidence::Medium,
        messages::holders_title(Count(n)),
        messages::holders_reason(),
    )
    .recommend(Recommendation::parameter(Setting::LogLockWaits, 1));
    assessment.insight(timed_out.fold(insight, |insight, group| insight.evidence(group)));
    assessment.next_action(NextAction::prompt_user(
        messages::ask_logging_label(),
        messages::ask_logging_reason(),
    ));
}

fn limitations(evidence: &Evidence, left_out: u64, assessment: &mut Assessment) {
    if evidence.window.is_none() {
        assessment.limitation(statements::messages::no_logs());
    }
    let unknown = evidence.errors.iter().filter(|class| class.sqlstate.is_none()).count() as u64;
    if unknown > 0 {
        assessment.limitation(messages::no_sqlstate(Count(unknown), Count::of(&evidence.errors)));
    }
    if !evidence.errors.is_empty() && evidence.errors.iter().all(|class| class.statements.is_empty()) {
        assessment.limitation(messages::no_statements());
    }
    if left_out > 0 {
        assessment.limitation(messages::left_out(Count(left_out)));
    }
}
