//! Phase 2: what an action returned.

mod builds;
mod constraints;
mod indexes;
mod invalid;
mod tables;
mod unused;

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{Actions, Assessment, Confidence, Evidence, Outcome};

use crate::{messages, relations, words};

/// How sure it is that all is well: as far as this database and its counters tell.
const ALL_WELL: Confidence = Confidence::Medium;

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    outcome::frame(
        outcome,
        actions,
        messages::failed_reason(),
        |actions, assessment| {
            if did(words::INVALID) {
                invalid::judge(outcome, actions, assessment);
            } else if did(words::CONSTRAINTS) {
                constraints::judge(outcome, assessment);
            } else if did(words::BUILDS) {
                builds::judge(outcome, actions, assessment);
            } else if did(words::UNUSED) {
                unused::judge(outcome, assessment);
            } else if did(words::DEAD_ROWS) {
                tables::judge_dead_rows(outcome, assessment);
            } else if did(words::USAGE) || did(words::BLOAT) || did(words::STATISTICS) {
                judge_table(evidence, outcome, actions, assessment);
            } else {
                return false;
            }
            true
        },
        outcome::nothing_to_judge,
    )
}

/// What is about one table: none of its rows means that it is not in this database.
fn judge_table(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(table) = relations::bound(evidence, outcome) else {
        assessment.limitation(messages::table_unknown());
        return;
    };
    let did = |action: pg_logstats_sdk::Action| outcome.action == action.as_str();
    if outcome.rows.is_empty() {
        let (title, reason) = (messages::not_here_title(table), messages::not_here_reason());
        outcome::all_well(words::TABLE_NOT_HERE, ALL_WELL, title, reason, assessment);
    } else if did(words::USAGE) {
        indexes::judge(table, outcome, assessment);
    } else if did(words::BLOAT) {
        tables::judge_bloat(table, outcome, actions, assessment);
    } else {
        tables::judge_statistics(table, outcome, actions, assessment);
    }
}
