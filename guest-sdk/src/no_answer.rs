//! An outcome that is no answer: it ran out of time, was cancelled, was not permitted, was not possible, or failed.
//!
//! A runbook that uses [`judge`] lists [`INSIGHTS`] and [`templates`] in its descriptor, because the descriptor is the manifest.

use crate::{Assessment, Confidence, DurationUs, Insight, InsightId, Message, NextAction, Outcome, OutcomeStatus};

crate::insights! {
    /// The action ran out of time.
    ACTION_TIMED_OUT = "action_timed_out";
    /// The host cancelled the action.
    ACTION_CANCELLED = "action_cancelled";
    /// The role may not do it.
    ACTION_NOT_PERMITTED = "action_not_permitted";
    /// The server has not what the action needs.
    ACTION_UNAVAILABLE = "action_unavailable";
    /// The action failed.
    ACTION_FAILED = "action_failed";
}

crate::messages! {
    timed_out_title() => "the action ran out of time";
    timed_out_reason(after: duration) => "the server cancelled it after {after}, so it shows nothing";
    cancelled_title() => "the host cancelled the action";
    cancelled_reason(after: duration) =>
        "the verdict on the server changed after {after}; it can run again when the verdict allows it";
    not_permitted_title() => "the role may not do this";
    not_permitted_reason() => "the server refused it for want of a privilege";
    ask_permission_label() => "ask for the missing right";
    ask_permission_reason() => "`pg-logstats inspect` prints the statements that grant the least role that works";
    unavailable_title() => "the action was not possible";
    unavailable_reason() =>
        "the server lacks what it needs, or the statement does not meet its conditions; the outcome says which";
    ask_available_label() => "show a person why the action was not possible";
    ask_available_reason() =>
        "the outcome says why; `pg-logstats inspect` says what the server lacks, and how to get it";
    failed_title() => "the action failed";
    ask_failed_label() => "show the failed action to a person";
    ask_failed_reason() => "the report has the server's error code";
}

/// Says why the action gave no answer, and who can help; nothing when it gave one. `failed_reason` says what a failed one does not
/// show, in words of the runbook's.
pub fn judge(outcome: &Outcome, failed_reason: Message, assessment: &mut Assessment) {
    let after = DurationUs(outcome.duration_us);
    let mut say = |id: InsightId, title: Message, reason: Message, ask: Option<(Message, Message)>| {
        assessment.insight(Insight::new(id, Confidence::High, title, reason));
        assessment.next_action(ask.map(|(label, reason)| NextAction::prompt_user(label, reason)));
    };
    match outcome.status {
        OutcomeStatus::Ok | OutcomeStatus::Truncated => {}
        OutcomeStatus::TimedOut => say(ACTION_TIMED_OUT, timed_out_title(), timed_out_reason(after), None),
        OutcomeStatus::Cancelled => say(ACTION_CANCELLED, cancelled_title(), cancelled_reason(after), None),
        OutcomeStatus::InsufficientPrivilege => say(
            ACTION_NOT_PERMITTED,
            not_permitted_title(),
            not_permitted_reason(),
            Some((ask_permission_label(), ask_permission_reason())),
        ),
        OutcomeStatus::Unavailable => say(
            ACTION_UNAVAILABLE,
            unavailable_title(),
            unavailable_reason(),
            Some((ask_available_label(), ask_available_reason())),
        ),
        OutcomeStatus::Failed => say(
            ACTION_FAILED,
            failed_title(),
            failed_reason,
            Some((ask_failed_label(), ask_failed_reason())),
        ),
    }
}
