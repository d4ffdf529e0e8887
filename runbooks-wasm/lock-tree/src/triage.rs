//! Phase 1: what to look at. Nothing is judged: the logs are another runbook's.

use pg_logstats_runbook_statements::live;
use pg_logstats_sdk::{Actions, Assessment, Evidence, NextAction, Priority};

use crate::{messages, offers, words};

/// Offers what shows the locks.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let finding = assessment.finding(live::not_looked_yet());
    let offers = [
        offers::tree(actions),
        offers::prepared(actions),
        offers::settings(actions),
    ];
    for offer in offers.into_iter().flatten() {
        assessment.next_action(offer.because(finding));
    }
    if !evidence.lock_waits.is_empty() || !evidence.deadlocks.is_empty() {
        let locks = NextAction::run_workflow(words::LOCKS, messages::locks_label(), messages::locks_reason());
        assessment.next_action(locks.priority(Priority::Optional));
    }
    assessment
}
