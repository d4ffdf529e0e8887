//! Phase 2: what runs for long, waits, or does nothing in a transaction.

mod blocking;
mod counts;
mod maintenance;
mod sessions;
mod usual;
mod xmin;

use pg_logstats_runbook_statements::live;
use pg_logstats_runbook_statements::outcome::sure_of_nothing;
use pg_logstats_sdk::{Action, Actions, Assessment, Evidence, Finding, FindingKind, Outcome};

use crate::words;

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: Action| outcome.action == action.as_str();
    let mut assessment = live::frame(outcome, actions, |actions, assessment| {
        if did(words::COUNTS) {
            counts::judge(outcome, actions, assessment);
        } else if did(words::OLDEST_XMIN) {
            xmin::judge(outcome, actions, assessment);
        } else if did(words::LONGEST) || did(words::SESSIONS) || did(words::SESSION) {
            sessions::judge(evidence, outcome, actions, assessment);
        } else if did(words::BLOCKING) {
            blocking::judge(outcome, actions, assessment);
        } else if did(words::INDEX_BUILDS) || did(words::REWRITES) || did(words::VACUUMS) {
            maintenance::judge(outcome, assessment);
        } else {
            return false;
        }
        true
    });
    // These are the newest connections, and one that is older may run for longer.
    if did(words::SESSIONS) {
        let nothing = |finding: &&mut Finding| finding.kind == FindingKind::NothingFound;
        for finding in assessment.findings.iter_mut().filter(nothing) {
            finding.confidence = sure_of_nothing(outcome);
        }
    }
    assessment
}
