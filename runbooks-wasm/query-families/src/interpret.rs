//! Phase 2: what an action's outcome means.

use pg_logstats_runbook_statements as statements;
use pg_logstats_runbook_statements::temp_files;
use pg_logstats_sdk::{Actions, Assessment, Evidence, Outcome};

use crate::words;

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let is_bound = |id: &String| outcome.subjects.contains(id);
    let group = evidence.temp_files.iter().find(|group| is_bound(&group.id));
    // The family among the bound subjects, or that of the bound group of temporary files.
    let bound = evidence.families.iter().find(|family| is_bound(&family.id));
    let family = bound.or_else(|| evidence.family(group?.family.as_deref()?));
    let dimensions = family
        .map(|family| &family.dimensions)
        .or(group.map(|group| &group.dimensions));
    let role = dimensions.and_then(|dimensions| dimensions.user.as_ref());
    statements::frame(
        outcome,
        actions,
        temp_files::NOTHING,
        |actions, assessment| judge(evidence, outcome, role, actions, assessment),
        |actions, assessment| match (group, family) {
            (Some(group), _) => temp_files::look_further(outcome, group, actions, assessment),
            (None, Some(family)) => statements::look_further(outcome, family, actions, assessment),
            (None, None) => {}
        },
    )
}

fn judge(
    evidence: &Evidence,
    outcome: &Outcome,
    role: Option<&String>,
    actions: &mut dyn Actions,
    assessment: &mut Assessment,
) {
    if outcome.action == words::ERROR_SESSIONS.as_str() {
        statements::judge_sessions(outcome, actions, assessment);
    } else if !statements::judge_figures(evidence, outcome, assessment)
        && !temp_files::judge(outcome, role, actions, assessment)
    {
        statements::judge(outcome, role, actions, assessment);
    }
}
