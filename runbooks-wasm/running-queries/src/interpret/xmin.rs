//! What keeps vacuum from removing old rows.

use pg_logstats_runbook_statements::outcome::held_here;
use pg_logstats_runbook_statements::{activity, live, scores, tree};
use pg_logstats_sdk::{
    Actions, Assessment, Confidence, Count, Finding, FindingKind, FindingRef, Insight, Message, NextAction, Outcome,
    Priority, Recommendation, Record, SessionState,
};

use crate::{messages, offers, words};

/// Holders that are told one by one.
const HOLDERS: usize = 5;
/// A score from which the end of an idle holder may be recommended: two and a half million transactions.
const PRESSING: f64 = 0.2;
/// A score from which it is worth a look how near the limit of transaction ids is.
const OLD: f64 = 0.5;

/// What holds back vacuum.
#[derive(Debug, Clone, Copy)]
struct Holder<'a> {
    kind: Kind<'a>,
    age: u64,
    /// When it began; the end of time where the server does not tell.
    since: i64,
    state: SessionState,
}

#[derive(Debug, Clone, Copy)]
enum Kind<'a> {
    Session(&'a String),
    Hidden,
    Slot,
    Prepared,
}

/// Judges the rows.
pub(super) fn judge(outcome: &Outcome, actions: &mut dyn Actions, assessment: &mut Assessment) {
    // Of another database: vacuum here waits for none of them, and what they keep there is that database's to look at.
    let here = held_here(outcome, messages::xmin_elsewhere, assessment);
    if here.is_empty() {
        let (title, reason) = (messages::xmin_free_title(), messages::xmin_free_reason());
        let id = words::XMIN_HORIZON_FREE;
        assessment.insight(Insight::new(id, Confidence::High, title, reason));
        return;
    }
    let mut holders: Vec<Holder<'_>> = here.iter().filter_map(holder).collect();
    // The server has them by age; a row whose age it hides is at no place. Who began while an older transaction was open has the same age as that
    // one, and is not to blame.
    holders.sort_by_key(|holder| (std::cmp::Reverse(holder.age), holder.since));
    held(&here, &holders, assessment);
    let next = holders.get(1).map(|holder| holder.age);
    for (place, holder) in holders.iter().take(HOLDERS).enumerate() {
        let score = scores::xid_age(holder.age);
        if score < live::FLOOR {
            break;
        }
        let finding = assessment.finding(finding(holder).score(score));
        // To end another one than the oldest would help nothing.
        let is_oldest = place == 0;
        match holder.kind {
            Kind::Session(session) => {
                if holder.state == SessionState::IdleInTransaction {
                    if is_oldest && score >= PRESSING {
                        end(session, next, finding, assessment);
                    }
                } else if is_oldest {
                    let (label, reason) = (
                        tree::messages::decide_wait_label(session),
                        tree::messages::decide_wait_reason(),
                    );
                    assessment.next_action(NextAction::prompt_user(label, reason).because(finding));
                }
                let look = offers::session(actions, session);
                assessment.next_action(look.map(|action| action.because(finding)));
            }
            Kind::Hidden => once(assessment, hidden().because(finding)),
            Kind::Slot => {
                let (label, reason) = (messages::replication_label(), messages::replication_reason());
                let look = NextAction::run_workflow(words::REPLICATION_LAG, label, reason);
                once(assessment, look.because(finding));
            }
            Kind::Prepared => once(assessment, tree::decide_prepared().because(finding)),
        }
        if is_oldest && score >= OLD {
            let reason = messages::wraparound_reason(Count(holder.age));
            let look = NextAction::run_workflow(words::WRAPAROUND, messages::wraparound_label(), reason);
            assessment.next_action(look.because(finding));
        }
    }
}

fn holder<'a>(record: &Record<'a>) -> Option<Holder<'a>> {
    let kind = match (record.text("holder"), record.subject()) {
        (Some("replication_slot"), _) => Kind::Slot,
        (Some("prepared_transaction"), _) => Kind::Prepared,
        (_, Some(session)) => Kind::Session(session),
        _ => Kind::Hidden,
    };
    Some(Holder {
        kind,
        age: record.count("xid_age")?,
        since: record.at("xact_start").unwrap_or(i64::MAX),
        state: record.session().state,
    })
}

fn finding(holder: &Holder<'_>) -> Finding {
    let age = Count(holder.age);
    let title = match holder.kind {
        Kind::Session(session) => messages::xmin_session_title(session, age),
        Kind::Hidden => messages::xmin_hidden_title(age),
        Kind::Slot => messages::xmin_slot_title(age),
        Kind::Prepared => messages::xmin_prepared_title(age),
    };
    let finding = Finding::new(FindingKind::Wraparound, title, reason(holder))
        .code(words::HOLDS_BACK_VACUUM)
        .confidence(Confidence::High);
    match holder.kind {
        Kind::Session(session) if holder.state == SessionState::IdleInTransaction => {
            let finding = finding.about(session).evidence(session);
            finding.code(activity::words::IDLE_IN_TRANSACTION)
        }
        Kind::Session(session) => finding.about(session).evidence(session),
        Kind::Hidden => finding.code(words::HIDDEN_SESSION),
        Kind::Slot => finding.code(words::REPLICATION_SLOT),
        Kind::Prepared => finding.code(words::PREPARED_TRANSACTION),
    }
}

fn reason(holder: &Holder<'_>) -> Message {
    match (holder.kind, holder.state) {
        (Kind::Session(_), SessionState::IdleInTransaction) => messages::xmin_idle_reason(),
        (Kind::Session(_), SessionState::Active) => messages::xmin_active_reason(),
        _ => messages::xmin_other_reason(),
    }
}

fn held(here: &[Record<'_>], holders: &[Holder<'_>], assessment: &mut Assessment) {
    let title = messages::xmin_held_title(Count::of(here));
    let reason = holders
        .first()
        .map_or_else(messages::xmin_held_reason_unknown, |oldest| {
            messages::xmin_held_reason(Count(oldest.age))
        });
    let insight = Insight::new(words::XMIN_HORIZON_HELD, Confidence::High, title, reason);
    let sessions = here.iter().filter_map(Record::subject);
    assessment.insight(sessions.fold(insight, |insight, session| insight.evidence(session)));
}

/// The oldest, which does nothing. Always a person's decision.
fn end(session: &String, next: Option<u64>, finding: FindingRef, assessment: &mut Assessment) {
    let title = messages::session_holds_vacuum_title(session);
    let reason = next.map_or_else(messages::xmin_only_reason, |age| messages::xmin_next_reason(Count(age)));
    let insight = Insight::new(
        activity::words::IDLE_IN_TRANSACTION_SESSION,
        Confidence::High,
        title,
        reason,
    );
    assessment.insight(insight.evidence(session).recommend(Recommendation::end(session)));
    let (label, reason) = (messages::decide_xmin_label(session), messages::decide_xmin_reason());
    let decide = NextAction::prompt_user(label, reason).priority(Priority::Required);
    assessment.next_action(decide.because(finding));
}

fn hidden() -> NextAction {
    NextAction::prompt_user(
        messages::decide_xmin_hidden_label(),
        messages::decide_xmin_hidden_reason(),
    )
}

/// Adds `action`; where the same is there for an earlier finding, that one follows from both.
fn once(assessment: &mut Assessment, action: NextAction) {
    let same = |known: &&mut NextAction| known.step == action.step && known.label == action.label;
    match assessment.next_actions.iter_mut().find(same) {
        Some(known) => known.findings.extend(action.findings),
        None => assessment.next_action(action),
    }
}
