//! Connections by what they do: the longest statement and transaction, and how many wait.

use pg_logstats_runbook_statements::activity::{self, Activity, InState};
use pg_logstats_runbook_statements::{live, scores};
use pg_logstats_sdk::{Actions, Assessment, Confidence, Count, DurationUs, Finding, FindingKind, Insight, Outcome};

use crate::{messages, offers, words};

/// Judges the counts. Which sessions they are, other actions show.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let counted = Activity::new(outcome);
    let mut findings: Vec<Finding> = Vec::new();
    let lock_waits = counted.waiting_finding();
    findings.extend(counted.idle_finding());
    findings.extend(long_statement(&counted.active));
    findings.extend(long_transaction(&counted));
    findings.extend(lock_waits);
    live::rank(&mut findings);
    for finding in findings {
        let is_lock_wait = finding.kind == FindingKind::LockWait;
        let finding = assessment.finding(finding);
        if is_lock_wait {
            assessment.next_action(activity::to_lock_tree(finding));
        }
    }
    let title = messages::states_title(Count(counted.connections));
    let reason = messages::states_reason(
        Count(counted.active.connections),
        Count(counted.idle.connections),
        Count(counted.idle_in_transaction.connections),
        Count(counted.waiting),
    );
    let id = words::CONNECTIONS_BY_STATE;
    assessment.insight(Insight::new(id, Confidence::High, title, reason));
    counted.idle_insight(assessment);
    assessment.next_action(offers::oldest_xmin(actions));
    for offer in offers::maintenance(actions) {
        assessment.next_action(offer);
    }
}

/// A session becomes active with its statement, so how long it is in that state is how long the statement runs.
fn long_statement(active: &InState) -> Option<Finding> {
    let longest = active.longest_us?;
    let score = scores::running(longest);
    (active.connections > 0 && score >= live::FLOOR).then(|| {
        let title = messages::long_statement_title(DurationUs(longest));
        let reason = messages::long_statement_reason(Count(active.connections));
        Finding::new(FindingKind::QueryFamily, title, reason)
            .code(words::LONG_STATEMENT)
            .score(score)
            .confidence(Confidence::High)
    })
}

/// A transaction that has been open for longer than the statement in it runs, or the pause in it lasts.
fn long_transaction(counted: &Activity) -> Option<Finding> {
    let states = [counted.active, counted.idle_in_transaction];
    let longest = states.iter().filter_map(|state| state.longest_transaction_us).max()?;
    let told = states.iter().filter_map(|state| state.longest_us).max();
    let score = scores::running(longest);
    (score >= live::FLOOR && told < Some(longest)).then(|| {
        let title = messages::long_transaction_title(DurationUs(longest));
        Finding::new(FindingKind::QueryFamily, title, messages::long_transaction_reason())
            .code(words::LONG_TRANSACTION)
            .score(score)
            .confidence(Confidence::High)
    })
}
