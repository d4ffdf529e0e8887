//! What to do next about a finding: where its cause is, or who has to decide.

use pg_logstats_runbook_statements as statements;
use pg_logstats_sdk::{
    CancelReason, CancellationGroup, ErrorClass, Evidence, FindingRef, Message, NextAction, Priority,
};

use super::category::{Category, is_conflict};
use super::pace::Pace;
use crate::offers::Desk;
use crate::{messages, words};

/// A cancellation below this is worth no look at its statement.
const WORTH_A_LOOK: f64 = 0.1;
/// Fewer could be somebody at a prompt.
const OF_OTHER_CODE: u64 = 20;

/// The next actions about an error class.
pub(super) fn after_class(
    evidence: &Evidence,
    class: &ErrorClass,
    category: Category,
    pace: Pace,
    finding: FindingRef,
    desk: &mut Desk<'_>,
) {
    let ask = |label: Message, reason: Message| NextAction::prompt_user(label, reason);
    let required = |label, reason| ask(label, reason).priority(Priority::Required);
    match category {
        Category::Damage => {
            desk.add(
                required(messages::ask_damage_label(class), messages::ask_damage_reason()),
                finding,
            );
            // `undefined_file` is also what a standby gets that asks for WAL which is gone.
            if class.sqlstate.as_deref() == Some("58P01") {
                let (label, reason) = (messages::replication_label(), messages::replication_reason_wal());
                desk.workflow(words::REPLICATION, label, reason, finding);
            }
        }
        Category::Panic | Category::Crash => desk.add(
            required(messages::ask_crash_label(class), messages::ask_crash_reason()),
            finding,
        ),
        Category::DiskFull => {
            desk.add(
                required(messages::ask_disk_label(class), messages::ask_disk_reason()),
                finding,
            );
            temp_files(evidence, finding, desk);
        }
        Category::Memory => {
            desk.add(
                required(messages::ask_memory_label(class), messages::ask_memory_reason()),
                finding,
            );
            connections(finding, desk);
        }
        Category::Resources => temp_files(evidence, finding, desk),
        Category::Connections => connections(finding, desk),
        Category::Internal => desk.add(
            ask(messages::ask_internal_label(class), messages::ask_internal_reason()),
            finding,
        ),
        Category::Sequence => {
            let (label, reason) = (messages::sequence_label(), messages::sequence_reason());
            desk.workflow(words::WRAPAROUND, label, reason, finding);
        }
        Category::Deadlock | Category::Lock => locks(finding, desk),
        Category::Cancelled => families(finding, desk),
        Category::Serialization => desk.add(
            ask(messages::ask_retry_label(class), messages::ask_retry_reason()),
            finding,
        ),
        Category::Access if pace.is_burst => desk.add(
            ask(messages::ask_access_label(class), messages::ask_access_reason()),
            finding,
        ),
        Category::Access
        | Category::Statement
        | Category::Constraint
        | Category::Data
        | Category::Lost
        | Category::Ended
        | Category::NotReady
        | Category::Other => {
            // Code that names what is not there never worked, so something was changed, however short the logs are.
            if pace.is_sudden() || is_of_other_code(class) {
                let reason = messages::ask_change_reason(pace.first());
                desk.add(ask(messages::ask_change_label(class), reason), finding);
            }
        }
    }
    // Who could not get in has no session to look at.
    if !matches!(category, Category::Access | Category::NotReady | Category::Crash) {
        desk.sessions(class, &class.dimensions, finding);
    }
}

/// Whether many statements named a column, table, function, schema or type that is not there (class 42 of the SQLSTATEs).
fn is_of_other_code(class: &ErrorClass) -> bool {
    let names_nothing = |it: &str| ["42703", "42P01", "42883", "3F000", "42704"].contains(&it);
    class.count >= OF_OTHER_CODE && class.sqlstate.as_deref().is_some_and(names_nothing)
}

/// The next actions about a cancellation that scores `score`.
pub(super) fn after_cancellation(
    evidence: &Evidence,
    group: &CancellationGroup,
    score: f64,
    finding: FindingRef,
    desk: &mut Desk<'_>,
) {
    match group.reason {
        reason if is_conflict(reason) => desk.workflow(
            words::REPLICATION,
            messages::replication_label(),
            messages::replication_reason(),
            finding,
        ),
        CancelReason::LockTimeout => locks(finding, desk),
        CancelReason::IdleInTransactionTimeout | CancelReason::TransactionTimeout if score >= WORTH_A_LOOK => {
            let (label, reason) = (messages::ask_idle_label(group), messages::ask_idle_reason());
            desk.add(NextAction::prompt_user(label, reason), finding);
        }
        CancelReason::StatementTimeout | CancelReason::UserRequest if score >= WORTH_A_LOOK => {
            if let Some(family) = group.family.as_deref().and_then(|id| evidence.family(id)) {
                desk.family(family, finding);
            }
            families(finding, desk);
        }
        _ => {}
    }
    if score >= WORTH_A_LOOK {
        desk.sessions(group, &group.dimensions, finding);
    }
}

fn locks(finding: FindingRef, desk: &mut Desk<'_>) {
    desk.workflow(
        statements::words::LOCKS,
        statements::messages::locks_label(),
        messages::locks_reason(),
        finding,
    );
}

fn connections(finding: FindingRef, desk: &mut Desk<'_>) {
    let (label, reason) = (messages::connections_label(), messages::connections_reason());
    desk.workflow(words::CONNECTIONS, label, reason, finding);
}

fn families(finding: FindingRef, desk: &mut Desk<'_>) {
    let (label, reason) = (messages::families_label(), messages::families_reason());
    desk.workflow(words::QUERY_FAMILIES, label, reason, finding);
}

/// Temporary files, if there are any.
fn temp_files(evidence: &Evidence, finding: FindingRef, desk: &mut Desk<'_>) {
    if !evidence.temp_files.is_empty() {
        let (label, reason) = (messages::temp_files_label(), messages::temp_files_reason());
        desk.workflow(words::TEMP_FILES, label, reason, finding);
    }
}
