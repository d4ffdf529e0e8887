//! Phase 1: what the logs tell of autovacuum and wraparound, ranked.

pub(crate) mod advice;
pub(crate) mod tables;
mod wraparound;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, AutovacuumGroup, Confidence, Count, Evidence, Finding, FindingKind, NextAction, Priority,
};

use crate::offers::Desk;
use crate::{messages, words};

/// Findings about tables, at most.
const FINDINGS: usize = 40;
/// Findings that tables are looked up for.
const LOOKED_UP: usize = 6;
/// A score from which the offers for a finding are more than optional.
const REMARKABLE: f64 = 0.2;

/// Why a table is not kept clean, which decides what is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Sessions lock the table.
    Locks,
    /// Autovacuum comes too late.
    Late,
    /// Something still sees the dead rows.
    Held,
    /// Runs take long.
    Slow,
    /// Transaction ids are old.
    Age,
}

/// A finding and what it is about, as far as actions need to know.
struct Candidate<'a> {
    finding: Finding,
    cause: Cause,
    group: Option<&'a AutovacuumGroup>,
}

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut candidates = tables::candidates(evidence);
    // Stable, so that equals stay in the order of the evidence.
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));
    candidates.truncate(FINDINGS);
    candidates.extend(wraparound::candidates(evidence));
    candidates.sort_by(|a, b| b.finding.score.total_cmp(&a.finding.score));

    let mut assessment = Assessment::new();
    if candidates.is_empty() {
        assessment.finding(nothing_found(evidence));
    }
    let mut pending = Vec::with_capacity(candidates.len());
    for Candidate { finding, cause, group } in candidates {
        let score = finding.score;
        pending.push((assessment.finding(finding), cause, group, score));
    }
    let is_empty = pending.is_empty();
    let mut desk = Desk::new(actions, &mut assessment);
    for (position, (finding, cause, group, score)) in pending.into_iter().enumerate() {
        let because = Some(finding);
        let normal = if score > REMARKABLE {
            Priority::Recommended
        } else {
            Priority::Optional
        };
        for &action in look_at(cause) {
            let is_first = matches!(cause, Cause::Held | Cause::Age) && score > REMARKABLE;
            let urgent = is_first && look_at(cause).first() == Some(&action);
            desk.offer(action, because, if urgent { Priority::Required } else { normal });
        }
        if let Some(group) = group.filter(|_| position < LOOKED_UP) {
            desk.table(&group.table, because);
            if cause == Cause::Late {
                desk.bloat(&group.table, because);
            }
        }
        if cause == Cause::Locks && score > REMARKABLE {
            desk.locks(finding);
        }
        if cause == Cause::Age && score >= wraparound::ACT_NOW {
            let (label, reason) = (
                messages::decide_wraparound_label(),
                messages::decide_wraparound_reason(),
            );
            desk.step(
                NextAction::prompt_user(label, reason)
                    .priority(Priority::Required)
                    .because(finding),
            );
        }
    }
    if is_empty {
        // What the logs cannot show, the server can.
        desk.offer(words::MOST_DEAD, None, Priority::Optional);
        desk.offer(words::AGES, None, Priority::Optional);
    }
    advice::insights(evidence, &mut assessment);
    limitations(evidence, &mut assessment);
    outcome::close(&mut assessment);
    assessment
}

/// What shows more of a cause, the most telling first.
fn look_at(cause: Cause) -> &'static [pg_logstats_sdk::Action] {
    match cause {
        Cause::Locks => &[words::PROGRESS],
        Cause::Late => &[words::SETTINGS],
        Cause::Held => &[words::OLDEST_XMIN, words::PREPARED, words::SLOTS],
        Cause::Slow => &[words::SETTINGS, words::PROGRESS],
        Cause::Age => &[words::AGES, words::OLDEST_TABLES, words::OLDEST_XMIN],
    }
}

fn nothing_found(evidence: &Evidence) -> Finding {
    let (title, reason) = if evidence.autovacuum.is_empty() {
        (messages::nothing_logged_title(), messages::nothing_logged_reason())
    } else {
        (
            messages::nothing_title(),
            messages::nothing_reason(Count::of(&evidence.autovacuum)),
        )
    };
    Finding::new(FindingKind::NothingFound, title, reason)
        .code(words::NOTHING_FOUND)
        .confidence(if evidence.autovacuum.is_empty() {
            Confidence::Low
        } else {
            Confidence::Medium
        })
}

fn limitations(evidence: &Evidence, assessment: &mut Assessment) {
    if evidence.window.is_none() {
        assessment.limitation(messages::no_logs());
    } else if evidence.autovacuum.is_empty() {
        assessment.limitation(messages::not_logged());
    }
}
