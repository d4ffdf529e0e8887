//! Connections by who has them and what they do.

use pg_logstats_runbook_statements::activity::{self, Activity};
use pg_logstats_runbook_statements::live;
use pg_logstats_sdk::{
    Assessment, Confidence, Count, Finding, FindingKind, FindingRef, Insight, NextAction, Outcome, OutcomeStatus,
    Priority, Ratio,
};

use crate::{messages, offers, words};

/// Connections from which their being idle, or one role's, is worth a word however many the server takes.
const MANY: u64 = 20;
/// A share from which most are idle, or one role's.
const MOST: f64 = 0.75;

/// Judges the counts.
pub(super) fn judge(outcome: &Outcome, assessment: &mut Assessment) {
    let counted = Activity::new(outcome);
    let mut findings: Vec<(Finding, Topic)> = Vec::new();
    let is_complete = outcome.status == OutcomeStatus::Ok;
    if let Some(finding) = limit_finding(&counted, is_complete) {
        findings.push((finding, Topic::Limit));
    }
    findings.extend(
        counted
            .idle_finding()
            .map(|finding| (finding, Topic::IdleInTransaction)),
    );
    findings.extend(counted.waiting_finding().map(|finding| (finding, Topic::Waiting)));
    findings.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));

    share(&counted, assessment);
    // Where there is room, it harms nobody that connections are idle, or one role's.
    let is_near = findings.iter().any(|(_, topic)| *topic == Topic::Limit);
    let idle = is_near && idle(&counted, assessment);
    if is_near {
        one_role(&counted, assessment);
    }
    counted.idle_insight(assessment);
    for (finding, topic) in findings {
        let finding = assessment.finding(finding);
        assessment.next_action(next(topic, finding));
        if topic == Topic::IdleInTransaction {
            assessment.next_action(offers::to_running_queries().because(finding));
        }
        if topic == Topic::Limit && idle {
            let reason = messages::decide_pool_reason(Count(counted.idle.connections));
            let pool = NextAction::prompt_user(messages::decide_pool_label(), reason);
            assessment.next_action(pool.because(finding));
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Limit,
    IdleInTransaction,
    Waiting,
}

fn next(topic: Topic, finding: FindingRef) -> NextAction {
    let action = match topic {
        Topic::Waiting => return activity::to_lock_tree(finding),
        Topic::Limit => {
            let (label, reason) = (messages::decide_limit_label(), messages::decide_limit_reason());
            NextAction::prompt_user(label, reason).priority(Priority::Required)
        }
        Topic::IdleInTransaction => {
            NextAction::prompt_user(messages::decide_idle_label(), messages::decide_idle_reason())
        }
    };
    action.because(finding)
}

/// Twice the share beyond one half: 0 at half of the limit, 0.5 at three quarters, 0.8 at nine tenths, 1 when no slot is left. Half of
/// the slots free are plenty for a server whose clients keep their connections; the last tenth goes in one deployment.
fn limit_score(used: Ratio) -> f64 {
    2.0 * (used.value() - 0.5)
}

fn limit_finding(counted: &Activity, is_complete: bool) -> Option<Finding> {
    let max = counted.max_connections.filter(|&max| max > 0)?;
    let used = Ratio::of(counted.connections, max);
    let score = limit_score(used);
    if score < live::FLOOR {
        return None;
    }
    let finding = Finding::new(
        FindingKind::ConnectionPressure,
        messages::share_title(used),
        states(counted, max),
    );
    let is_reached = counted.connections >= max;
    let finding = finding.score(score).code(if is_reached {
        words::CONNECTION_LIMIT_REACHED
    } else {
        words::CONNECTION_LIMIT_NEAR
    });
    let finding = if is_mostly_idle(counted) {
        finding.code(words::MOSTLY_IDLE)
    } else {
        finding
    };
    let finding = if is_one_roles(counted) {
        finding.code(words::ONE_ROLE)
    } else {
        finding
    };
    // Of too many groups only the largest were counted: it may be worse.
    Some(finding.confidence(if is_complete {
        Confidence::High
    } else {
        Confidence::Medium
    }))
}

fn states(counted: &Activity, max: u64) -> pg_logstats_sdk::Message {
    messages::share_reason(
        Count(counted.connections),
        Count(max),
        Count(counted.active.connections),
        Count(counted.idle.connections),
        Count(counted.idle_in_transaction.connections),
    )
}

fn share(counted: &Activity, assessment: &mut Assessment) {
    let (title, reason) = match counted.max_connections.filter(|&max| max > 0) {
        _ if counted.connections == 0 => (messages::no_connections_title(), messages::no_connections_reason()),
        Some(max) => (
            messages::share_title(Ratio::of(counted.connections, max)),
            states(counted, max),
        ),
        None => {
            assessment.limitation(messages::limit_unknown());
            let reason = messages::counted_reason(
                Count(counted.active.connections),
                Count(counted.idle.connections),
                Count(counted.idle_in_transaction.connections),
            );
            (messages::counted_title(Count(counted.connections)), reason)
        }
    };
    assessment.insight(Insight::new(words::CONNECTION_SHARE, Confidence::High, title, reason));
}

fn is_mostly_idle(counted: &Activity) -> bool {
    counted.connections >= MANY && Ratio::of(counted.idle.connections, counted.connections).value() >= MOST
}

fn is_one_roles(counted: &Activity) -> bool {
    let most = Ratio::of(counted.most_of_one_role, counted.connections);
    counted.connections >= MANY && counted.roles > 1 && most.value() >= MOST
}

fn idle(counted: &Activity, assessment: &mut Assessment) -> bool {
    let is_idle = is_mostly_idle(counted);
    if is_idle {
        let title = messages::idle_title(Ratio::of(counted.idle.connections, counted.connections));
        let reason = messages::idle_reason(Count(counted.idle.connections), Count(counted.active.connections));
        assessment.insight(Insight::new(words::IDLE_CONNECTIONS, Confidence::Medium, title, reason));
    }
    is_idle
}

fn one_role(counted: &Activity, assessment: &mut Assessment) {
    if is_one_roles(counted) {
        let title = messages::role_title(Ratio::of(counted.most_of_one_role, counted.connections));
        let reason = messages::role_reason(Count(counted.most_of_one_role), Count(counted.roles));
        let id = words::ONE_ROLE_HOLDS_MOST;
        assessment.insight(Insight::new(id, Confidence::High, title, reason));
    }
}
