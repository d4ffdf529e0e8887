//! Phase 1: what to look at. The state of indexes is in no log, so none is judged.

use pg_logstats_sdk::{Actions, Assessment, Confidence, Finding, FindingKind, Priority};

use pg_logstats_sdk::Evidence;

use crate::{messages, offers, relations, words};

/// Tables of the logs that are looked at one by one.
const TABLES: usize = 4;

/// What there is to look at.
pub(crate) fn triage(evidence: &Evidence, actions: &mut dyn Actions) -> Assessment {
    let mut assessment = Assessment::new();
    let (title, reason) = (messages::not_looked_title(), messages::not_looked_reason());
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    let finding = assessment.finding(finding.code(words::NOT_LOOKED_AT).confidence(Confidence::Medium));
    let required = [
        offers::invalid(actions),
        offers::builds(actions),
        offers::constraints(actions),
    ];
    for offer in required {
        assessment.next_action(offer.map(|action| action.priority(Priority::Required).because(finding)));
    }
    for offer in [offers::unused(actions), offers::dead_rows(actions)] {
        assessment.next_action(offer.map(|action| action.because(finding)));
    }
    let tables = relations::all(evidence);
    for table in tables.iter().take(TABLES) {
        for offer in [offers::usage(actions, table), offers::bloat(actions, table)] {
            assessment.next_action(offer.map(|action| action.because(finding)));
        }
    }
    if tables.is_empty() {
        assessment.limitation(messages::no_tables());
    }
    assessment
}
