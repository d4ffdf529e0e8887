//! Why the server cancelled a statement or ended a session.
//!
//! Wording: PostgreSQL 10 to 18, `ProcessInterrupts` and `errdetail_recovery_conflict` of `postgres.c`.

use crate::evidence::CancelReason;

/// DETAIL of a conflict with recovery, by its start.
static CONFLICTS: &[(&[u8], CancelReason)] = &[
    (
        b"User query might have needed to see row versions",
        CancelReason::ConflictSnapshot,
    ),
    (
        b"User was holding a relation lock for too long",
        CancelReason::ConflictLock,
    ),
    (
        b"User was holding shared buffer pin for too long",
        CancelReason::ConflictBufferPin,
    ),
    (
        b"User was or might have been using tablespace",
        CancelReason::ConflictTablespace,
    ),
    (
        b"User was connected to a database that must be dropped",
        CancelReason::ConflictDatabase,
    ),
    (
        b"User transaction caused buffer deadlock with recovery",
        CancelReason::ConflictDeadlock,
    ),
    (
        b"User was using a logical replication slot that must be invalidated",
        CancelReason::ConflictLogicalSlot,
    ),
];

/// The reason that an event's name and its DETAIL tell; none for an event that is no cancellation.
pub(crate) fn reason(event: &str, detail: &[u8]) -> Option<CancelReason> {
    Some(match event {
        "statement_canceled_timeout" => CancelReason::StatementTimeout,
        "statement_canceled_user" => CancelReason::UserRequest,
        "lock_timeout" => CancelReason::LockTimeout,
        "connection_terminated_idle_in_transaction" => CancelReason::IdleInTransactionTimeout,
        "connection_terminated_idle_session" => CancelReason::IdleSessionTimeout,
        "connection_terminated_transaction_timeout" => CancelReason::TransactionTimeout,
        "connection_terminated" => CancelReason::Terminated,
        "standby_statement_canceled" | "standby_connection_terminated" => CONFLICTS
            .iter()
            .find(|(start, _)| detail.starts_with(start))
            .map_or(CancelReason::ConflictOther, |(_, reason)| *reason),
        _ => return None,
    })
}

/// Whether the session that it ended ran no statement.
pub(crate) fn is_idle(reason: CancelReason) -> bool {
    matches!(
        reason,
        CancelReason::IdleInTransactionTimeout | CancelReason::IdleSessionTimeout
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_told_by_their_detail() {
        let why = |detail: &str| reason("standby_statement_canceled", detail.as_bytes());
        assert_eq!(
            why("User query might have needed to see row versions that must be removed."),
            Some(CancelReason::ConflictSnapshot)
        );
        assert_eq!(
            why("User was holding a relation lock for too long."),
            Some(CancelReason::ConflictLock)
        );
        assert_eq!(why(""), Some(CancelReason::ConflictOther));
        assert_eq!(reason("lock_timeout", b""), Some(CancelReason::LockTimeout));
        assert_eq!(reason("deadlock_detected", b""), None);
    }
}
