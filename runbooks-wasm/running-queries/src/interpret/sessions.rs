//! Sessions, of a family or one by pid: what runs for long, what they wait for, who does nothing in a transaction.

use pg_logstats_runbook_statements::{activity, live, scores};
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, DurationUs, Evidence, Finding, FindingKind, Insight, Message, NextAction,
    Outcome, Priority, Recommendation, Record, Session, SessionState, Wait,
};

use super::usual::Usual;

use crate::{messages, offers, words};

/// Sessions that are told one by one.
const SESSIONS: usize = 5;

/// What is remarkable about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// It waits for a lock; how long its statement runs.
    Lock(u64),
    /// Its statement runs for long.
    Statement(u64),
    /// Its transaction is open for longer than its statement runs.
    Transaction(u64),
    /// It does nothing in its transaction.
    Idle(u64),
}

impl Trouble {
    /// By how long it lasts; a wait for a lock by how long it may have lasted, for a statement may have worked before it waited.
    fn score(self, usual: Usual) -> f64 {
        match self {
            Self::Lock(us) => scores::waited(us),
            Self::Statement(us) => usual.score(us),
            Self::Transaction(us) => scores::running(us),
            Self::Idle(us) => scores::idle_in_transaction(us),
        }
    }
}

/// The server tells the ages of a statement and of its transaction one after the other: so close together, both began at one moment.
const ONE_MOMENT_US: u64 = 1_000_000;

/// A score from which the end of a statement may be recommended.
const PRESSING: f64 = 0.2;

/// Judges rows about sessions.
pub(super) fn judge(evidence: &Evidence, outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    let usual = Usual::of(evidence);
    let sessions = outcome.sessions();
    present(&sessions, assessment);
    waits(&sessions, assessment);
    let mut found: Vec<(Session<'_>, Trouble)> = outcome
        .records()
        .filter_map(|record| Some((record.session(), trouble(&record)?)))
        .filter(|(_, trouble)| trouble.score(usual) >= live::FLOOR)
        .collect();
    // Stable: of equals, the rows' order.
    found.sort_by(|(_, a), (_, b)| b.score(usual).total_cmp(&a.score(usual)));
    long(&found, usual, assessment);
    let runaways = runaways(outcome, usual, assessment);
    let mut first_that_holds = None;
    for (session, trouble) in found.iter().take(SESSIONS) {
        let finding = assessment.finding(finding(session, *trouble, usual));
        let next = match (trouble, session.subject) {
            (Trouble::Lock(_), Some(subject)) => offers::blocking(actions, subject),
            (Trouble::Lock(_), None) => Some(activity::to_lock_tree(finding)),
            (Trouble::Statement(_) | Trouble::Transaction(_), Some(subject))
                if session.state == SessionState::Active =>
            {
                let (label, reason) = (messages::decide_long_label(subject), messages::decide_long_reason());
                let priority = match runaways.contains(subject) {
                    true => Priority::Recommended,
                    false => Priority::Optional,
                };
                Some(NextAction::prompt_user(label, reason).priority(priority))
            }
            _ => None,
        };
        assessment.next_action(next.map(|action| action.because(finding)));
        if !matches!(trouble, Trouble::Lock(_)) {
            first_that_holds = first_that_holds.or(Some(finding));
        }
    }
    // Whether it harms anyone decides what is to be done, and that is seen elsewhere.
    if let Some(finding) = first_that_holds {
        assessment.next_action(offers::to_lock_tree(finding));
        let look = offers::oldest_xmin(actions);
        assessment.next_action(look.map(|action| action.because(finding)));
    }
}

fn trouble(record: &Record<'_>) -> Option<Trouble> {
    let session = record.session();
    match session.state {
        SessionState::IdleInTransaction => session.state_age_us.map(Trouble::Idle),
        SessionState::Active => {
            let running = session.query_age_us?;
            if session.waits_for_lock() {
                return Some(Trouble::Lock(running));
            }
            match open_for(record, running) {
                Some(open) if open > running.saturating_add(ONE_MOMENT_US) => Some(Trouble::Transaction(open)),
                _ => Some(Trouble::Statement(running)),
            }
        }
        SessionState::Idle | SessionState::Unknown => None,
    }
}

/// How long the transaction is open, where the action says it; else the statement's start and age tell what time it is for the server.
fn open_for(record: &Record<'_>, running_us: u64) -> Option<u64> {
    if let Some(open_us) = record.duration_us("transaction_age") {
        return Some(open_us);
    }
    let before = record.at("query_start")?.checked_sub(record.at("xact_start")?)?;
    running_us.checked_add(u64::try_from(before).ok()?)
}

fn finding(session: &Session<'_>, trouble: Trouble, usual: Usual) -> Finding {
    let (title, reason) = match (trouble, session.subject) {
        (Trouble::Lock(us), Some(subject)) => (
            messages::session_lock_title(subject, DurationUs(us)),
            messages::session_lock_reason(),
        ),
        (Trouble::Lock(us), None) => (
            messages::hidden_lock_title(DurationUs(us)),
            messages::session_lock_reason(),
        ),
        (Trouble::Statement(us), Some(subject)) => (
            messages::session_long_title(subject, DurationUs(us)),
            waits_for(session.wait),
        ),
        (Trouble::Statement(us), None) => (messages::hidden_long_title(DurationUs(us)), waits_for(session.wait)),
        (Trouble::Transaction(us), Some(subject)) => (
            messages::session_transaction_title(subject, DurationUs(us)),
            messages::long_transaction_reason(),
        ),
        (Trouble::Transaction(us), None) => (
            messages::long_transaction_title(DurationUs(us)),
            messages::long_transaction_reason(),
        ),
        (Trouble::Idle(us), Some(subject)) => (
            messages::session_idle_title(subject, DurationUs(us)),
            messages::session_idle_reason(),
        ),
        (Trouble::Idle(us), None) => (
            messages::hidden_idle_title(DurationUs(us)),
            messages::session_idle_reason(),
        ),
    };
    let (kind, code, confidence) = match trouble {
        Trouble::Lock(_) => (
            FindingKind::LockWait,
            activity::words::WAITING_FOR_LOCKS,
            Confidence::Medium,
        ),
        Trouble::Statement(_) => (FindingKind::QueryFamily, words::LONG_STATEMENT, Confidence::High),
        Trouble::Transaction(_) => (FindingKind::QueryFamily, words::LONG_TRANSACTION, Confidence::High),
        Trouble::Idle(_) => (
            FindingKind::ConnectionPressure,
            activity::words::IDLE_IN_TRANSACTION,
            Confidence::High,
        ),
    };
    let finding = Finding::new(kind, title, reason).code(code).confidence(confidence);
    let finding = finding.score(trouble.score(usual));
    match session.subject {
        Some(subject) => finding.about(subject).evidence(subject),
        None => finding.code(words::HIDDEN_SESSION),
    }
}

fn waits_for(wait: Wait) -> Message {
    match wait {
        Wait::None => messages::session_long_reason_working(),
        Wait::Io => messages::session_long_reason_files(),
        Wait::Client => messages::session_long_reason_client(),
        Wait::TransactionLock | Wait::Lock => messages::session_lock_reason(),
        Wait::Other => messages::session_long_reason_other(),
    }
}

fn present(sessions: &[Session<'_>], assessment: &mut Assessment) {
    if sessions.is_empty() {
        let (title, reason) = (messages::none_title(), messages::none_reason());
        assessment.insight(Insight::new(words::NO_SESSION_FOUND, Confidence::High, title, reason));
        return;
    }
    let count = |state| Count(sessions.iter().filter(|session| session.state == state).count() as u64);
    let reason = messages::found_reason(count(SessionState::Active), count(SessionState::IdleInTransaction));
    let title = messages::found_title(Count::of(sessions));
    let insight = Insight::new(words::SESSIONS_FOUND, Confidence::High, title, reason);
    assessment.insight(about(insight, sessions.iter()));
}

fn waits(sessions: &[Session<'_>], assessment: &mut Assessment) {
    let active: Vec<&Session<'_>> = sessions
        .iter()
        .filter(|session| session.state == SessionState::Active)
        .collect();
    if active.is_empty() {
        return;
    }
    let count = |wait| active.iter().filter(|session| session.wait == wait).count() as u64;
    let reason = messages::waits_reason(
        Count(count(Wait::None)),
        Count(count(Wait::Lock) + count(Wait::TransactionLock)),
        Count(count(Wait::Io)),
        Count(count(Wait::Client)),
        Count(count(Wait::Other)),
    );
    let title = messages::waits_title(Count::of(&active));
    let insight = Insight::new(words::WAITS_BY_TYPE, Confidence::High, title, reason);
    assessment.insight(about(insight, active.into_iter()));
}

fn long(found: &[(Session<'_>, Trouble)], usual: Usual, assessment: &mut Assessment) {
    let running = found.iter().filter_map(|(session, trouble)| match trouble {
        Trouble::Statement(_) | Trouble::Transaction(_) => Some((session, session.query_age_us?)),
        Trouble::Lock(_) | Trouble::Idle(_) => None,
    });
    let long: Vec<(&Session<'_>, u64)> = running.filter(|(_, us)| usual.score(*us) >= live::FLOOR).collect();
    let Some(longest) = long.iter().map(|(_, us)| *us).max() else {
        return;
    };
    let (title, reason) = (
        messages::long_title(Count::of(&long)),
        messages::long_reason(DurationUs(longest)),
    );
    let insight = Insight::new(words::LONG_RUNNING, Confidence::High, title, reason);
    assessment.insight(about(insight, long.into_iter().map(|(session, _)| session)));
}

/// Statements that only read, and run far beyond anything in the logs: their end costs nothing but their result, which a person has to weigh
/// up. Who waits for a lock or for its client is no such statement. The subjects of their sessions.
fn runaways(outcome: &Outcome, usual: Usual, assessment: &mut Assessment) -> Vec<String> {
    let mut ended = Vec::new();
    let readers = outcome
        .records()
        .filter(|record| record.boolean("is_query") == Some(true));
    for record in readers {
        let session = record.session();
        let (Some(subject), Some(Trouble::Statement(us))) = (session.subject, trouble(&record)) else {
            continue;
        };
        let Some(longest) = usual.exceeded_by(us).filter(|_| usual.score(us) >= PRESSING) else {
            continue;
        };
        if session.wait == Wait::Client || ended.len() >= SESSIONS {
            continue;
        }
        let title = messages::runaway_title(subject, DurationUs(us));
        let reason = messages::runaway_reason(Count(usual.executions), DurationUs(longest));
        let insight = Insight::new(words::RUNAWAY_STATEMENT, Confidence::High, title, reason);
        assessment.insight(insight.evidence(subject).recommend(Recommendation::end(subject)));
        ended.push(subject.to_owned());
    }
    ended
}

fn about<'a>(insight: Insight, sessions: impl Iterator<Item = &'a Session<'a>>) -> Insight {
    let subjects = sessions.filter_map(|session| session.subject);
    subjects.fold(insight, |insight, subject| insight.evidence(subject))
}
