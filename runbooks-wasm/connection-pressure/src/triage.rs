//! Phase 1: what to look at. Nothing is judged: the logs are another runbook's.

use pg_logstats_runbook_statements::live;
use pg_logstats_sdk::{Actions, Assessment, Evidence, NextAction, Priority};

use crate::{messages, offers, words};

/// Groups of connections in the logs whose sessions are offered.
const GROUPS: usize = 2;

/// Offers what shows the connections.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let finding = assessment.finding(live::not_looked_yet());
    let mut offers = vec![offers::counts(actions), offers::settings(actions)];
    for group in evidence.connections.iter().take(GROUPS) {
        offers.push(offers::sessions(actions, group));
    }
    for offer in offers.into_iter().flatten() {
        assessment.next_action(offer.because(finding));
    }
    if !evidence.connections.is_empty() {
        let (label, reason) = (messages::connections_label(), messages::connections_reason());
        let connections = NextAction::run_workflow(words::CONNECTIONS, label, reason);
        assessment.next_action(connections.priority(Priority::Optional));
    }
    assessment
}
