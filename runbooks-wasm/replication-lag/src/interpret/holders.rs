//! What replay on this standby waits for, and the session whose end lets it go on.

use pg_logstats_runbook_statements::outcome;
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Insight, NextAction, Outcome, Priority, Recommendation, Record,
};

use crate::{messages, offers, words};

/// Why replay cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// For the end of transactions that see rows which it has to remove.
    Snapshot,
    /// For a lock.
    Lock,
    /// For a page that a query reads.
    Page,
    /// For temporary files in a tablespace that it has to remove.
    Tablespace,
    /// For what a later catalogue tells.
    Other,
}

fn wait(row: &Record<'_>) -> Option<Wait> {
    match row.text("replay_waits_for")? {
        "snapshot" => Some(Wait::Snapshot),
        "lock" => Some(Wait::Lock),
        "buffer_pin" => Some(Wait::Page),
        "tablespace" => Some(Wait::Tablespace),
        _ => Some(Wait::Other),
    }
}

pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let Some(first) = outcome.records().next() else {
        let (title, reason) = (messages::no_replay_title(), messages::no_replay_reason());
        outcome::all_well(words::NO_REPLAY, Confidence::High, title, reason, assessment);
        assessment.next_action(offers::standbys(actions));
        return;
    };
    if first.boolean("is_paused") == Some(true) {
        let (title, reason) = (messages::paused_title(), messages::paused_reason());
        assessment.insight(Insight::new(words::REPLAY_PAUSED, Confidence::High, title, reason));
        let (label, reason) = (messages::ask_resume_label(), messages::ask_resume_reason());
        assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
    }
    match wait(&first) {
        Some(wait) => held_up(outcome, wait, assessment),
        // The host says what it hides.
        None if first.boolean("is_hidden") == Some(true) => assessment.limitation(messages::waits_hidden()),
        None if assessment.insights.is_empty() => {
            let (title, reason) = (messages::replay_runs_title(), messages::replay_runs_reason());
            outcome::all_well(words::REPLAY_RUNS, Confidence::Medium, title, reason, assessment);
            assessment.next_action(offers::settings(actions));
        }
        None => {}
    }
}

fn held_up(outcome: &Outcome, wait: Wait, assessment: &mut Assessment) {
    // Each that has the lock holds replay up; of transactions the oldest, which comes first, and others only perhaps.
    let holder = match wait {
        Wait::Lock => outcome.records().find(|row| row.subject().is_some()),
        _ => outcome.records().next(),
    };
    match holder.and_then(|row| Some((row, row.subject()?))) {
        Some((row, session)) => {
            let others = outcome.records().filter(|row| row.cell("pid").is_some()).count();
            let others = Count((others as u64).saturating_sub(1));
            let (reason, confidence) = match wait {
                Wait::Lock => (messages::lock_reason(others), Confidence::High),
                _ if row.boolean("is_one_database") == Some(true) => (messages::rows_reason(others), Confidence::High),
                _ => (messages::rows_reason_databases(others), Confidence::Medium),
            };
            let title = messages::held_title(session);
            let insight = Insight::new(words::REPLAY_HELD_UP, confidence, title, reason).evidence(session);
            assessment.insight(insight.recommend(Recommendation::end(session)));
            let (label, reason) = (messages::ask_end_label(session), messages::ask_end_reason());
            assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
        }
        None => {
            let reason = match wait {
                Wait::Snapshot => messages::waits_rows_reason(),
                Wait::Lock => messages::waits_lock_reason(),
                Wait::Page => messages::waits_page_reason(),
                Wait::Tablespace => messages::waits_files_reason(),
                Wait::Other => messages::waits_other_reason(),
            };
            let title = messages::waits_title();
            assessment.insight(Insight::new(words::REPLAY_WAITS, Confidence::High, title, reason));
            let (label, reason) = (messages::ask_replay_label(), messages::ask_replay_reason());
            assessment.next_action(NextAction::prompt_user(label, reason));
        }
    }
    assessment.next_action(offers::queries());
}
