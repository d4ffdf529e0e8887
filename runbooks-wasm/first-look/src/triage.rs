//! The troubles by rank, and where to go on.

use pg_logstats_sdk::{
    Assessment, Confidence, Count, Evidence, Finding, FindingKind, Message, NextAction, Priority, Ratio, Workflow,
};

use crate::looks::{self, Trouble};
use crate::{messages, words};

/// Below it a trouble is not worth a line.
const FLOOR: f64 = 0.05;
/// From it on, the runbook is required.
const PRESSING: f64 = 0.5;
/// From it on, it is recommended.
const LOW: f64 = 0.2;

/// Runbooks that ask the server itself, the most telling first.
const LIVE: [(Workflow, fn() -> Message); 6] = [
    (words::CONNECTION_PRESSURE, messages::live_connections),
    (words::LOCK_TREE, messages::live_locks),
    (words::RUNNING_QUERIES, messages::live_queries),
    (words::REPLICATION_LAG, messages::live_replication),
    (words::WRAPAROUND, messages::live_wraparound),
    (words::INDEX_HEALTH, messages::live_indexes),
];

/// Judges the evidence.
pub(crate) fn triage(evidence: &Evidence) -> Assessment {
    let mut assessment = Assessment::new();
    if evidence.window.is_none() {
        no_logs(&mut assessment);
        return assessment;
    }
    let mut troubles = looks::all(evidence);
    troubles.retain(|trouble| trouble.finding.score >= FLOOR);
    // Stable, so that equals stay in the order of the looks.
    troubles.sort_by(|one, other| other.finding.score.total_cmp(&one.finding.score));
    let is_quiet = troubles.iter().all(|trouble| trouble.finding.score < LOW);
    if troubles.is_empty() {
        assessment.finding(nothing(evidence));
    }
    for trouble in troubles {
        follow_up(trouble, &mut assessment);
    }
    also(evidence, is_quiet, &mut assessment);
    // Stable: troubles stay by rank.
    assessment.next_actions.sort_by_key(|action| match action.priority {
        Priority::Required => 0,
        Priority::Recommended => 1,
        Priority::Optional => 2,
    });
    limitations(evidence, &mut assessment);
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason()));
    }
    assessment
}

/// Adds a trouble, and its runbook; one that is there already has a further reason.
fn follow_up(Trouble { finding, workflow }: Trouble, assessment: &mut Assessment) {
    let score = finding.score;
    let finding = assessment.finding(finding);
    if let Some(action) = assessment
        .next_actions
        .iter_mut()
        .find(|action| takes(action, workflow))
    {
        *action = action.clone().because(finding);
        return;
    }
    let rank = Count::of(&assessment.findings);
    let priority = match score {
        PRESSING.. => Priority::Required,
        LOW.. => Priority::Recommended,
        _ => Priority::Optional,
    };
    let reason = messages::next_reason(Ratio::new(score).unwrap_or(Ratio::of(0, 1)));
    let action = NextAction::run_workflow(workflow, messages::next_label(rank), reason);
    assessment.next_action(action.priority(priority).because(finding));
}

fn takes(action: &NextAction, workflow: Workflow) -> bool {
    matches!(&action.step, pg_logstats_sdk::Step::RunWorkflow(taken) if taken == workflow.as_str())
}

/// Where there is more to see, whatever the trouble. What is going on now, and what no log tells (ages of transaction ids, sequences, indexes), is all
/// that is left where the logs are quiet.
fn also(evidence: &Evidence, is_quiet: bool, assessment: &mut Assessment) {
    let mut offer = |workflow, label, reason, priority| {
        if !assessment.next_actions.iter().any(|action| takes(action, workflow)) {
            let action = NextAction::run_workflow(workflow, label, reason);
            assessment.next_action(action.priority(priority));
        }
    };
    if !evidence.families.is_empty() {
        offer(
            words::QUERY_FAMILIES,
            messages::families_label(),
            messages::families_reason(),
            Priority::Optional,
        );
    }
    if !evidence.plans.is_empty() {
        let reason = messages::plans_reason(Count::of(&evidence.plans));
        offer(words::PLANS, messages::plans_label(), reason, Priority::Optional);
    }
    let live = if is_quiet {
        Priority::Recommended
    } else {
        Priority::Optional
    };
    for (workflow, reason) in LIVE {
        offer(workflow, messages::live_label(), reason(), live);
    }
}

fn nothing(evidence: &Evidence) -> Finding {
    let reason = messages::nothing_reason(Count(evidence.total_executions), Count::of(&evidence.errors));
    Finding::new(FindingKind::NothingFound, messages::nothing_title(), reason)
        .code(words::NOTHING_FOUND)
        .confidence(if evidence.total_executions > 0 {
            Confidence::High
        } else {
            Confidence::Low
        })
}

fn no_logs(assessment: &mut Assessment) {
    let finding = Finding::new(
        FindingKind::NothingFound,
        messages::no_logs_title(),
        messages::no_logs_reason(),
    );
    let finding = assessment.finding(finding.code(words::NO_LOGS));
    for (position, (workflow, reason)) in LIVE.into_iter().enumerate() {
        let action = NextAction::run_workflow(workflow, messages::live_label(), reason());
        let priority = match position {
            0..=2 => Priority::Required,
            _ => Priority::Recommended,
        };
        assessment.next_action(action.priority(priority).because(finding));
    }
}

/// What the settings of the server kept out of the logs.
fn limitations(evidence: &Evidence, assessment: &mut Assessment) {
    if evidence.lock_waits.is_empty() {
        assessment.limitation(messages::no_lock_waits_logged());
    }
    let checkpoints = &evidence.checkpoints;
    if checkpoints.checkpoint_count == 0 && checkpoints.restartpoint_count == 0 {
        assessment.limitation(messages::no_checkpoints_logged());
    }
    if evidence.total_executions == 0 {
        assessment.limitation(messages::no_durations_logged());
    }
}
