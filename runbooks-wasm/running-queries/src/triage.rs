//! Phase 1: what to look at. Nothing is judged: the logs are other runbooks'.

use pg_logstats_runbook_statements::live;
use pg_logstats_sdk::{Actions, Assessment, Evidence, NextAction, Priority};

use crate::offers;

/// Sessions that earlier actions found live, the newest first, that are asked about.
const SESSIONS: usize = 4;
/// Families of the logs whose sessions are asked about.
const FAMILIES: usize = 2;

/// Offers what shows what runs.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let finding = assessment.finding(live::not_looked_yet());
    let mut offers: Vec<NextAction> = [
        offers::longest(actions),
        offers::counts(actions),
        offers::oldest_xmin(actions),
    ]
    .into_iter()
    .flatten()
    .map(|action| action.priority(Priority::Required))
    .collect();
    for session in evidence.live_sessions.iter().rev().take(SESSIONS) {
        offers.extend(offers::session(actions, session));
    }
    for family in evidence.families.iter().take(FAMILIES) {
        offers.extend(offers::sessions(actions, family, &family.dimensions));
    }
    offers.extend(offers::maintenance(actions));
    for offer in offers {
        assessment.next_action(offer.because(finding));
    }
    assessment
}
