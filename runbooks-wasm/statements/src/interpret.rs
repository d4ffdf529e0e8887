//! Phase 2: what an action's outcome means.

mod plan;
mod sessions;
mod statistics;

use pg_logstats_sdk::{Action, Actions, Assessment, Evidence, InsightId, Outcome, QueryFamily};

pub use plan::{judge as judge_plan, work_mem_for};

use crate::{messages, offers, outcome, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[
    words::NO_LIVE_MATCH_FOUND,
    words::NO_BLOCKER_FOUND,
    words::NO_STATISTICS_FOUND,
    words::QUERY_PLAN_NO_DISK_SPILL,
    words::PLAN_UNREMARKABLE,
];

/// Judges an outcome of the actions in [`words`].
pub fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let is_bound = |family: &&QueryFamily| outcome.subjects.contains(&family.id);
    let family = evidence.families.iter().find(is_bound);
    let role = family.and_then(|family| family.dimensions.user.as_ref());
    frame(
        outcome,
        actions,
        &[],
        |actions, assessment| {
            if !judge_figures(evidence, outcome, assessment) {
                judge(outcome, role, actions, assessment);
            }
        },
        |actions, assessment| {
            if let Some(family) = family {
                look_further(outcome, family, actions, assessment);
            }
        },
    )
}

/// What every judgement of an outcome has: what `judge` finds, or why there is nothing to judge; then what `look_further` offers, or the
/// end. The insights `nothing`, and those of the kind here, say that there is nothing.
pub fn frame(
    outcome: &Outcome,
    actions: &mut dyn Actions,
    nothing: &[InsightId],
    judge: impl FnOnce(&mut dyn Actions, &mut Assessment),
    look_further: impl FnOnce(&mut dyn Actions, &mut Assessment),
) -> Assessment {
    let mut assessment = outcome::judged(
        outcome,
        actions,
        messages::failed_reason(),
        |actions, assessment| {
            judge(actions, assessment);
            true
        },
        |outcome, assessment| outcome::only_nothing(outcome, &[NOTHING, nothing].concat(), assessment),
    );
    // Sessions are counted, and what was counted for each role is added up.
    outcome::say_if_cut(outcome, outcome::messages::truncated_counts, &mut assessment);
    look_further(actions, &mut assessment);
    outcome::close(&mut assessment);
    assessment
}

/// Judges the result of an action in [`words`]; says nothing of another one. `role` ran the statement, as far as the evidence tells.
pub fn judge(outcome: &Outcome, role: Option<&String>, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let did = |action: Action| outcome.action == action.as_str();
    if did(words::STATISTICS) {
        statistics::judge(outcome, assessment);
    } else if did(words::FAMILY_SESSIONS) || did(words::SESSION) {
        judge_sessions(outcome, actions, assessment);
    } else if did(words::BLOCKING) {
        sessions::judge_blocking(outcome, actions, assessment);
    } else if did(words::EXPLAIN) || did(words::EXPLAIN_ANALYZE) {
        plan::judge(outcome, role, actions, assessment);
    }
}

/// Judges the age of the figures of a column that a plan misjudged, and says whether that was asked for.
pub fn judge_figures(evidence: &Evidence, outcome: &Outcome, assessment: &mut Assessment) -> bool {
    if outcome.action != words::TABLE.as_str() {
        return false;
    }
    plan::judge_figures(evidence, outcome, assessment);
    plan::decisions(assessment);
    true
}

/// Judges rows about sessions, whatever they were looked up by.
pub fn judge_sessions(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    sessions::judge(outcome, actions, assessment);
}

/// What else there is to see of a family, where this action did not show it.
pub fn look_further(outcome: &Outcome, family: &QueryFamily, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let did = |action: Action| outcome.action == action.as_str();
    if did(words::EXPLAIN_ANALYZE) {
        return;
    }
    if !did(words::EXPLAIN) {
        assessment.next_action(offers::explain(actions, family));
        if !did(words::STATISTICS) {
            assessment.next_action(offers::statistics(actions, family));
        }
    }
    assessment.next_action(offers::explain_analyze(actions, family));
}
