//! Phase 2: what an action's outcome means.

mod plan;
mod sessions;
mod statistics;
mod temp_files;

use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, Insight, InsightId, Message,
    NextAction, Outcome, OutcomeStatus, QueryFamily, TempFileGroup,
};

use crate::{messages, offers, words};

/// Insights that say that there is nothing.
const NOTHING: &[InsightId] = &[
    words::NO_LIVE_MATCH_FOUND,
    words::NO_BLOCKER_FOUND,
    words::NO_STATISTICS_FOUND,
    words::NO_TEMP_FILES_FOUND,
    words::QUERY_PLAN_NO_DISK_SPILL,
    words::PLAN_UNREMARKABLE,
];

/// What the action was about.
struct Context<'a> {
    outcome: &'a Outcome,
    /// The family among the bound subjects, or that of the bound group of temporary files.
    family: Option<&'a QueryFamily>,
    /// The group of temporary files among the bound subjects.
    group: Option<&'a TempFileGroup>,
}

impl Context<'_> {
    fn did(&self, action: pg_logstats_sdk::Action) -> bool {
        self.outcome.action == action.as_str()
    }
}

/// Judges an outcome.
pub(crate) fn interpret(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Assessment {
    let group = evidence
        .temp_files
        .iter()
        .find(|group| outcome.subjects.contains(&group.id));
    let family = evidence
        .families
        .iter()
        .find(|family| outcome.subjects.contains(&family.id))
        .or_else(|| evidence.family(group?.family.as_deref()?));
    let context = Context { outcome, family, group };
    let mut assessment = Assessment::new();
    if outcome.has_result() {
        judge(&context, actions, &mut assessment);
        nothing_found(&context, &mut assessment);
    } else {
        no_result(&context, &mut assessment);
    }
    if outcome.status == OutcomeStatus::Truncated {
        assessment.limitation(messages::truncated(Count::of(&outcome.rows)));
    }
    follow_ups(&context, actions, &mut assessment);
    if assessment.next_actions.is_empty() {
        assessment.next_action(NextAction::stop(messages::stop_label(), messages::stop_reason_done()));
    }
    assessment
}

fn judge(context: &Context<'_>, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let by = |known: &[pg_logstats_sdk::Action]| known.iter().any(|action| context.did(*action));
    if by(&[words::STATISTICS]) {
        statistics::judge(context.outcome, assessment);
    } else if by(&[words::FAMILY_SESSIONS, words::ERROR_SESSIONS, words::SESSION]) {
        sessions::judge(context.outcome, actions, assessment);
    } else if by(&[words::BLOCKING]) {
        sessions::judge_blocking(context.outcome, actions, assessment);
    } else if by(&[
        words::EXPLAIN,
        words::EXPLAIN_ANALYZE,
        words::TEMP_EXPLAIN,
        words::TEMP_EXPLAIN_ANALYZE,
    ]) {
        plan::judge(context, assessment);
    } else if by(&[words::TEMP_COUNTERS]) {
        temp_files::judge_counters(context.outcome, assessment);
    } else if by(&[words::TEMP_BLOCKS]) {
        temp_files::judge_blocks(context.outcome, assessment);
    }
}

/// What else there is to see of the same family or group, where this action did not show it.
fn follow_ups(context: &Context<'_>, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let has_plan = !context.outcome.plan.is_empty();
    if let Some(group) = context.group {
        let ran = context.did(words::TEMP_EXPLAIN_ANALYZE);
        if !ran && !has_plan && !context.did(words::TEMP_EXPLAIN) {
            assessment.next_action(offers::temp_explain(actions, group));
        }
        if !ran {
            assessment.next_action(offers::temp_explain_analyze(actions, group));
        }
        if !context.did(words::TEMP_BLOCKS) {
            assessment.next_action(offers::temp_blocks(actions));
        }
        return;
    }
    let Some(family) = context.family else { return };
    if context.did(words::EXPLAIN_ANALYZE) {
        return;
    }
    if !context.did(words::EXPLAIN) {
        assessment.next_action(offers::explain(actions, family));
        if !context.did(words::STATISTICS) {
            assessment.next_action(offers::statistics(actions, family));
        }
    }
    assessment.next_action(offers::explain_analyze(actions, family));
}

/// An action that gave no answer: why, and who can help.
fn no_result(context: &Context<'_>, assessment: &mut Assessment) {
    let after = DurationUs(context.outcome.duration_us);
    let mut say = |id: InsightId, title: Message, reason: Message, ask: Option<(Message, Message)>| {
        assessment.insight(Insight::new(id, Confidence::High, title, reason));
        assessment.next_action(ask.map(|(label, reason)| NextAction::prompt_user(label, reason)));
    };
    match context.outcome.status {
        OutcomeStatus::Ok | OutcomeStatus::Truncated => {}
        OutcomeStatus::TimedOut => {
            say(
                words::ACTION_TIMED_OUT,
                messages::timed_out_title(),
                messages::timed_out_reason(after),
                None,
            );
        }
        OutcomeStatus::Cancelled => {
            say(
                words::ACTION_CANCELLED,
                messages::cancelled_title(),
                messages::cancelled_reason(after),
                None,
            );
        }
        OutcomeStatus::InsufficientPrivilege => say(
            words::ACTION_NOT_PERMITTED,
            messages::not_permitted_title(),
            messages::not_permitted_reason(),
            Some((messages::ask_permission_label(), messages::ask_permission_reason())),
        ),
        OutcomeStatus::Unavailable => say(
            words::ACTION_UNAVAILABLE,
            messages::unavailable_title(),
            messages::unavailable_reason(),
            Some((messages::ask_available_label(), messages::ask_available_reason())),
        ),
        OutcomeStatus::Failed => say(
            words::ACTION_FAILED,
            messages::failed_title(),
            messages::failed_reason(),
            Some((messages::ask_failed_label(), messages::ask_failed_reason())),
        ),
    }
}

/// That nothing was found is a finding too: in the words of what was looked for, if there was anything to look at.
fn nothing_found(context: &Context<'_>, assessment: &mut Assessment) {
    let is_nothing = |insight: &Insight| NOTHING.iter().any(|nothing| nothing.as_str() == insight.id);
    if !assessment.insights.iter().all(is_nothing) {
        return;
    }
    let (title, reason) = match assessment.insights.last() {
        Some(insight) => (insight.title.clone(), insight.reason.clone()),
        None => (
            messages::nothing_in_outcome_title(),
            messages::nothing_in_outcome_reason(Count::of(&context.outcome.rows)),
        ),
    };
    let finding = Finding::new(FindingKind::NothingFound, title, reason);
    assessment.finding(finding.code(words::NOTHING_FOUND).confidence(Confidence::Medium));
}
