//! Phase 1: what to look at. Logs do not tell ages, so none are judged.

use pg_logstats_sdk::{Actions, Assessment, Confidence, Finding, FindingKind, Priority};

use crate::{messages, offers, words};

/// What there is to look at.
pub(crate) fn triage(actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let (title, reason) = (messages::not_looked_title(), messages::not_looked_reason());
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    let finding = assessment.finding(finding.code(words::NOT_LOOKED_AT).confidence(Confidence::Medium));
    let required = [
        offers::databases(actions),
        offers::tables(actions),
        offers::horizon(actions),
        offers::prepared(actions),
        offers::sequences(actions),
    ];
    for offer in required {
        assessment.next_action(offer.map(|action| action.priority(Priority::Required).because(finding)));
    }
    for offer in [offers::vacuums(actions), offers::settings(actions)] {
        assessment.next_action(offer.map(|action| action.priority(Priority::Optional).because(finding)));
    }
    assessment
}
