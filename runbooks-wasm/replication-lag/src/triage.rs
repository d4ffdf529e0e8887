//! Phase 1: what to look at. How far standbys are behind is in no log, so none is judged.

use pg_logstats_sdk::{Actions, Assessment, Confidence, Finding, FindingKind, Priority};

use crate::{messages, offers, words};

/// What there is to look at.
pub(crate) fn triage(actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let (title, reason) = (messages::not_looked_title(), messages::not_looked_reason());
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    let finding = assessment.finding(finding.code(words::NOT_LOOKED_AT).confidence(Confidence::Medium));
    let required = [
        offers::standbys(actions),
        offers::slots(actions),
        offers::receiver(actions),
    ];
    for offer in required {
        assessment.next_action(offer.map(|action| action.priority(Priority::Required).because(finding)));
    }
    assessment.next_action(offers::settings(actions).map(|action| action.because(finding)));
    assessment
}
