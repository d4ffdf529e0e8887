//! The blocking tree of one session.

use pg_logstats_runbook_statements::{outcome, tree};
use pg_logstats_sdk::{Actions, Assessment, BlockingTree, Count, NextAction, Outcome, Priority};

use crate::{messages, words};

/// Judges the rows of the blocking tree.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    if outcome.rows.is_empty() {
        tree::nobody_waits(messages::nobody_title(), messages::nobody_reason(), assessment);
        assessment.next_action(NextAction::stop(
            outcome::messages::stop_label(),
            messages::stop_reason_over(),
        ));
        return;
    }
    let blocking = BlockingTree::new(outcome);
    let waiting = Count(blocking.waiting_count);
    tree::judge(&tree::heads(&blocking), blocking.depth, waiting, actions, assessment);
    if blocking.is_cycle {
        let sessions = outcome.rows.iter().filter_map(|row| row.subject.as_ref());
        tree::judge_cycle(waiting, sessions, assessment);
    }
    let families = NextAction::run_workflow(
        words::QUERY_FAMILIES,
        messages::families_label(),
        messages::families_reason(),
    );
    assessment.next_action(families.priority(Priority::Optional));
}
