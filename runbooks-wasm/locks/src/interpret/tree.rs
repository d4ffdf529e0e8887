//! The blocking tree of one session.

use pg_logstats_runbook_statements::{outcome, tree};
use pg_logstats_sdk::{Actions, Assessment, BlockingTree, Count, NextAction, Outcome, Priority};

use crate::{messages, offers, words};

/// Sessions that the blocking tree behind them is offered for.
const BEHIND: usize = 5;

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
    let heads = tree::heads(&blocking);
    tree::judge(&heads, blocking.depth, waiting, actions, assessment);
    // The rows were cut before the head of the queue.
    let cut = heads.iter().filter(|head| head.session.waits_for_lock());
    for subject in cut.filter_map(|head| head.session.subject).take(BEHIND) {
        let action = offers::blocking_live(actions, subject);
        assessment.next_action(action.map(|action| action.priority(Priority::Required)));
    }
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
