//! What keeps old rows and old ids: sessions, slots, prepared transactions.

use pg_logstats_runbook_statements::{outcome, prepared as advice};
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Finding, FindingKind, Insight, Message, NextAction, Outcome,
    Priority, Recommendation, Record, SessionState,
};

use crate::{messages, offers, severity, words};

/// Sessions for which a person is asked, one by one.
const SESSIONS: usize = 5;

pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let rows: Vec<Record<'_>> = outcome.records().collect();
    let hidden = rows.iter().filter(|row| row.boolean("is_hidden") == Some(true)).count();
    if hidden > 0 {
        assessment.limitation(messages::hidden_rows(Count(hidden as u64)));
    }
    let unknown = rows.iter().filter(|row| row.count("xid_age").is_none()).count();
    outcome::without_figures(unknown.saturating_sub(hidden), assessment);

    let aged = || {
        rows.iter()
            .enumerate()
            .filter_map(|(position, row)| Some((position, row, row.count("xid_age")?)))
    };
    let holders = || aged().filter(|(_, _, age)| severity::of_horizon(*age) > severity::LOW);
    let findings = holders()
        .map(|(position, row, age)| finding(position, row, age))
        .collect();
    let (mut sessions, mut slots, mut prepared) = (0, 0, 0);
    for (position, row, age) in holders() {
        match row.text("holder") {
            Some("session") => {
                sessions += 1;
                if sessions <= SESSIONS {
                    session(row, age, assessment);
                }
            }
            Some("replication_slot") => {
                slots += 1;
                if slots == 1 {
                    slot(position, age, assessment);
                }
            }
            Some("prepared_transaction") => prepared += 1,
            _ => {}
        }
    }
    if outcome::worst_first(findings, assessment) == 0 {
        if unknown == 0 {
            let oldest = aged().map(|(_, _, age)| age).max().unwrap_or(0);
            let (title, reason) = (
                messages::horizon_well_title(Count(oldest)),
                messages::horizon_well_reason(Count::of(&rows)),
            );
            outcome::all_well(words::HORIZON_IS_RECENT, Confidence::High, title, reason, assessment);
        }
        return;
    }
    if prepared > 0 {
        assessment.next_action(offers::prepared(actions).map(|action| action.priority(Priority::Required)));
    }
    assessment.next_action(offers::databases(actions));
    if sessions > 0 {
        // Whether vacuums are at it, for nothing while these go on.
        assessment.next_action(offers::vacuums(actions));
        let (label, reason) = (messages::locks_label(), messages::locks_why());
        let locks = NextAction::run_workflow(words::LOCKS, label, reason);
        assessment.next_action(locks.priority(Priority::Optional));
    }
}

fn is_idle(row: &Record<'_>) -> bool {
    row.session().state == SessionState::IdleInTransaction
}

fn finding(position: usize, row: &Record<'_>, age: u64) -> Finding {
    let (row_number, held) = (outcome::number(position), Count(age));
    let (title, code) = match row.text("holder") {
        Some("replication_slot") => (messages::slot_title(row_number, held), Some(words::SLOT_HORIZON)),
        Some("prepared_transaction") => (
            messages::prepared_holds_title(row_number, held),
            Some(words::PREPARED_TRANSACTION),
        ),
        Some("session") => {
            let title = match row.subject() {
                Some(subject) => messages::session_title(subject, held),
                None => messages::unnamed_session_title(row_number, held),
            };
            (title, Some(words::SESSION_HORIZON))
        }
        _ => (messages::unnamed_holder_title(row_number, held), None),
    };
    // A VACUUM that waits for its table shows a horizon, too, and holds nothing back; the row does not tell one from other work.
    let is_sure = is_idle(row) || row.text("holder") != Some("session");
    let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
    let mut finding = Finding::new(FindingKind::Wraparound, title, messages::holder_reason())
        .score(severity::of_horizon(age))
        .confidence(confidence)
        .code(words::XID_AGE);
    for code in code
        .into_iter()
        .chain(is_idle(row).then_some(words::IDLE_IN_TRANSACTION))
    {
        finding = finding.code(code);
    }
    match row.subject() {
        Some(subject) => finding.about(subject),
        None => finding,
    }
}

fn session(row: &Record<'_>, age: u64, assessment: &mut Assessment) {
    let Some(subject) = row.subject() else { return };
    let title = messages::session_title(subject, Count(age));
    let insight = |confidence, reason: Message| {
        Insight::new(words::SESSION_HOLDS_HORIZON, confidence, title, reason).evidence(subject)
    };
    let decide = if is_idle(row) {
        // It does nothing, and what it keeps grows: the one case in which ending is worth a thought.
        let insight = insight(Confidence::High, messages::idle_session_reason());
        assessment.insight(insight.recommend(Recommendation::end(subject)));
        let decide = NextAction::prompt_user(messages::decide_idle_label(subject), messages::decide_idle_reason());
        decide.priority(Priority::Required)
    } else {
        assessment.insight(insight(Confidence::Medium, messages::busy_session_reason()));
        NextAction::prompt_user(messages::decide_busy_label(subject), messages::decide_busy_reason())
    };
    assessment.next_action(decide);
}

fn slot(position: usize, age: u64, assessment: &mut Assessment) {
    let title = messages::slot_title(outcome::number(position), Count(age));
    let insight = Insight::new(
        words::SLOT_HOLDS_HORIZON,
        Confidence::High,
        title,
        messages::slot_reason(),
    );
    assessment.insight(insight);
    let (label, reason) = (messages::replication_label(), messages::replication_why());
    let workflow = NextAction::run_workflow(words::REPLICATION_LAG, label, reason);
    assessment.next_action(workflow.priority(Priority::Required));
}

pub(super) fn judge_prepared(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let rows: Vec<(Option<u64>, Option<u64>)> = outcome
        .records()
        .map(|row| (row.count("xid_age"), row.duration_us("age")))
        .collect();
    let unknown = rows
        .iter()
        .filter(|(age, open)| age.is_none() && open.is_none())
        .count();
    outcome::without_figures(unknown, assessment);
    let mut findings = Vec::new();
    let (mut longest, mut oldest) = (0, 0);
    for ((position, &(age, open)), record) in rows.iter().enumerate().zip(outcome.records()) {
        longest = longest.max(open.unwrap_or(0));
        oldest = oldest.max(age.unwrap_or(0));
        let score = severity::of_prepared(age, open);
        if score > severity::LOW {
            let row = outcome::number(position);
            let title = match open {
                Some(open) => messages::prepared_title(row, DurationUs(open)),
                None => messages::prepared_title_unknown(row),
            };
            let reason = match age {
                Some(age) => messages::prepared_reason(Count(age)),
                None => messages::prepared_reason_unknown(),
            };
            let finding = Finding::new(FindingKind::Wraparound, title, reason);
            let finding = finding.score(score).confidence(Confidence::High);
            let finding = finding.code(words::PREPARED_TRANSACTION);
            findings.push(match record.subject() {
                Some(transaction) => finding.about(transaction),
                None => finding,
            });
        }
    }
    let n = Count(outcome::worst_first(findings, assessment) as u64);
    if n.0 == 0 {
        if unknown == 0 {
            let (title, reason) = (
                messages::prepared_well_title(),
                messages::prepared_well_reason(Count::of(&rows), DurationUs(longest)),
            );
            outcome::all_well(
                words::NO_OLD_PREPARED_TRANSACTION,
                Confidence::High,
                title,
                reason,
                assessment,
            );
        }
        return;
    }
    let (title, reason) = (
        messages::prepared_open_title(n),
        messages::prepared_open_reason(DurationUs(longest), Count(oldest)),
    );
    let insight = Insight::new(words::PREPARED_TRANSACTION_OPEN, Confidence::High, title, reason);
    assessment.insight(insight);
    // The oldest come first.
    let is_old = |row: &Record<'_>| severity::of_prepared(row.count("xid_age"), row.duration_us("age")) > severity::LOW;
    advice::roll_back(outcome.records().enumerate().filter(|(_, row)| is_old(row)), assessment);
    let (label, reason) = (messages::decide_prepared_label(n), messages::decide_prepared_reason());
    assessment.next_action(NextAction::prompt_user(label, reason).priority(Priority::Required));
    assessment.next_action(offers::databases(actions));
}
