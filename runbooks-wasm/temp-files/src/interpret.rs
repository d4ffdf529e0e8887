//! Phase 2: what an action's outcome means.

use pg_logstats_runbook_statements as statements;
use pg_logstats_runbook_statements::temp_files;
use pg_logstats_sdk::{Actions, Assessment, Evidence, InsightId, Outcome, TempFileGroup};

use crate::{offers, settings, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[
    temp_files::words::NO_TEMP_FILES_FOUND,
    words::TEMP_SETTINGS_UNREMARKABLE,
];

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let is_bound = |id: &String| outcome.subjects.contains(id);
    let group = evidence.temp_files.iter().find(|group| is_bound(&group.id));
    // The family among the bound subjects, or that of the bound group.
    let bound = evidence.families.iter().find(|family| is_bound(&family.id));
    let family = bound.or_else(|| evidence.family(group?.family.as_deref()?));
    let dimensions = family
        .map(|family| &family.dimensions)
        .or(group.map(|group| &group.dimensions));
    let role = dimensions.and_then(|dimensions| dimensions.user.as_ref());
    statements::frame(
        outcome,
        actions,
        NOTHING,
        |actions, assessment| {
            if outcome.action == words::TEMP_SETTINGS.as_str() {
                settings::judge(evidence, outcome, assessment);
            } else if !statements::judge_figures(evidence, outcome, assessment)
                && !temp_files::judge(outcome, role, actions, assessment)
            {
                statements::judge(outcome, role, actions, assessment);
            }
        },
        |actions, assessment| match (group, family) {
            (Some(group), _) => look_further(outcome, group, actions, assessment),
            (None, Some(family)) => statements::look_further(outcome, family, actions, assessment),
            (None, None) => {}
        },
    )
}

/// The plan of the group's statement, and what work_mem the server gives it.
fn look_further(outcome: &Outcome, group: &TempFileGroup, actions: &mut dyn Actions, assessment: &mut Assessment) {
    temp_files::look_further(outcome, group, actions, assessment);
    if outcome.action != words::TEMP_SETTINGS.as_str() {
        assessment.next_action(offers::settings(actions));
    }
}
