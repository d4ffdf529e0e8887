//! Phase 2: what an action's outcome means.

mod temp_files;

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{Action, Actions, Assessment, Evidence, InsightId, Outcome, TempFileGroup};

use crate::{offers, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[words::NO_TEMP_FILES_FOUND];

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
        NOTHING,
        |actions, assessment| judge(outcome, role, actions, assessment),
        |actions, assessment| match (group, family) {
            (Some(group), _) => look_further(outcome, group, actions, assessment),
            (None, Some(family)) => statements::look_further(outcome, family, actions, assessment),
            (None, None) => {}
        },
    )
}

fn judge(outcome: &Outcome, role: Option<&String>, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let did = |action: Action| outcome.action == action.as_str();
    if did(words::ERROR_SESSIONS) {
        statements::judge_sessions(outcome, actions, assessment);
    } else if did(words::TEMP_EXPLAIN) || did(words::TEMP_EXPLAIN_ANALYZE) {
        statements::judge_plan(outcome, role, assessment);
    } else if did(words::TEMP_COUNTERS) {
        temp_files::judge_counters(outcome, assessment);
    } else if did(words::TEMP_BLOCKS) {
        temp_files::judge_blocks(outcome, assessment);
    } else {
        statements::judge(outcome, role, actions, assessment);
    }
}

/// What else there is to see of a group of temporary files, where this action did not show it.
fn look_further(outcome: &Outcome, group: &TempFileGroup, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let did = |action: Action| outcome.action == action.as_str();
    let ran = did(words::TEMP_EXPLAIN_ANALYZE);
    if !ran && outcome.plan.is_empty() && !did(words::TEMP_EXPLAIN) {
        assessment.next_action(offers::temp_explain(actions, group));
    }
    if !ran {
        assessment.next_action(offers::temp_explain_analyze(actions, group));
    }
    if !did(words::TEMP_BLOCKS) {
        assessment.next_action(offers::temp_blocks(actions));
    }
}
