//! Events by the start of their message: one table, widened by adding a line.
//!
//! Wording is PostgreSQL's English one (`lc_messages = C`), which the server's translators take as key and which therefore
//! changes seldom. Where it did change, both wordings stand here, with the version.

use crate::severity::Severity;

/// Which severities a matcher looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// LOG only.
    Log,
    /// WARNING, ERROR, FATAL or PANIC.
    Problem,
    Any,
}

struct Matcher {
    at: At,
    /// The message begins with it.
    start: &'static str,
    /// And holds this somewhere behind.
    holds: &'static str,
    event: &'static str,
}

const fn starts(at: At, start: &'static str, event: &'static str) -> Matcher {
    Matcher {
        at,
        start,
        holds: "",
        event,
    }
}

const fn holds(at: At, start: &'static str, holds: &'static str, event: &'static str) -> Matcher {
    Matcher {
        at,
        start,
        holds,
        event,
    }
}

/// The first that matches counts.
static MATCHERS: &[Matcher] = &[
    // Server.
    starts(At::Log, "database system is ready to accept", "server_start"),
    starts(At::Log, "database system was interrupted", "server_start_recovering"),
    starts(
        At::Log,
        "database system was not properly shut down",
        "server_start_recovering",
    ),
    starts(At::Log, "database system is shut down", "server_shutdown"),
    starts(At::Log, "received SIGHUP, reloading", "server_reload"),
    holds(At::Log, "", "was terminated by signal", "server_crashed"),
    holds(At::Log, "", " exited with exit code ", "server_process_exited"),
    starts(At::Problem, "out of memory", "server_out_of_memory"),
    starts(At::Problem, "page verification failed", "server_invalid_checksum"),
    starts(At::Problem, "invalid page in block", "server_invalid_checksum"),
    starts(At::Log, "temporary file: path ", "temp_file_created"),
    // Connections.
    starts(At::Log, "connection received: ", "connection_received"),
    starts(At::Log, "connection authorized: ", "connection_authorized"),
    starts(At::Log, "replication connection authorized: ", "connection_authorized"),
    starts(At::Log, "connection authenticated: ", "connection_authenticated"),
    starts(At::Log, "disconnection: ", "connection_disconnected"),
    starts(
        At::Log,
        "could not receive data from client",
        "connection_client_failed_to_connect",
    ),
    starts(
        At::Log,
        "incomplete startup packet",
        "connection_client_failed_to_connect",
    ),
    starts(
        At::Log,
        "unexpected EOF on client connection with an open transaction",
        "connection_lost_open_tx",
    ),
    starts(At::Log, "unexpected EOF on client connection", "connection_lost"),
    starts(At::Log, "could not send data to client", "connection_lost"),
    starts(At::Any, "connection to client lost", "connection_lost"),
    starts(
        At::Problem,
        "terminating connection due to administrator command",
        "connection_terminated",
    ),
    starts(At::Problem, "terminating connection", "connection_terminated"),
    starts(
        At::Problem,
        "sorry, too many clients already",
        "connection_out_of_connections",
    ),
    starts(
        At::Problem,
        "remaining connection slots are reserved",
        "connection_out_of_connections",
    ),
    starts(At::Problem, "too many connections for role", "connection_too_many_role"),
    starts(
        At::Problem,
        "too many connections for database",
        "connection_too_many_database",
    ),
    starts(At::Problem, "password authentication failed", "connection_rejected"),
    starts(At::Problem, "no pg_hba.conf entry", "connection_rejected"),
    starts(At::Problem, "pg_hba.conf rejects", "connection_rejected"),
    holds(At::Problem, "", "authentication failed for user", "connection_rejected"),
    starts(At::Log, "could not accept SSL connection", "connection_ssl_failed"),
    starts(At::Problem, "unsupported frontend protocol", "connection_protocol"),
    starts(At::Problem, "invalid length of startup packet", "connection_protocol"),
    starts(At::Log, "invalid length of startup packet", "connection_protocol"),
    // Checkpoints.
    starts(At::Log, "checkpoint starting: ", "checkpoint_starting"),
    starts(At::Log, "checkpoint complete: ", "checkpoint_complete"),
    starts(
        At::Log,
        "checkpoints are occurring too frequently",
        "checkpoint_too_frequent",
    ),
    starts(At::Log, "restartpoint starting: ", "restartpoint_starting"),
    starts(At::Log, "restartpoint complete: ", "restartpoint_complete"),
    // Write-ahead log.
    starts(At::Log, "invalid record length at", "wal_invalid_record_length"),
    starts(At::Log, "redo starts at", "wal_redo"),
    starts(At::Log, "redo done at", "wal_redo"),
    starts(At::Log, "last completed transaction was at", "wal_redo"),
    starts(At::Any, "archive command failed", "wal_archive_command_failed"),
    starts(At::Any, "archiving write-ahead log file", "wal_archive_command_failed"),
    holds(At::Any, "pg_stop_backup complete", "", "wal_base_backup_complete"),
    holds(At::Any, "pg_backup_stop complete", "", "wal_base_backup_complete"),
    // Vacuum.
    starts(At::Log, "automatic vacuum of table", "autovacuum_completed"),
    starts(
        At::Log,
        "automatic aggressive vacuum",
        "autovacuum_aggressive_completed",
    ),
    starts(At::Log, "automatic analyze of table", "autoanalyze_completed"),
    starts(At::Problem, "canceling autovacuum task", "autovacuum_cancel"),
    holds(
        At::Any,
        "skipping vacuum of",
        "lock not available",
        "autovacuum_skipped_lock",
    ),
    holds(
        At::Any,
        "skipping analyze of",
        "lock not available",
        "autovacuum_skipped_lock",
    ),
    holds(
        At::Problem,
        "database ",
        "must be vacuumed within",
        "wraparound_warning",
    ),
    starts(At::Problem, "database is not accepting commands", "wraparound_error"),
    // Locks.
    holds(At::Log, "process ", " still waiting for ", "lock_waiting"),
    holds(At::Log, "process ", " avoided deadlock for ", "deadlock_avoided"),
    holds(
        At::Log,
        "process ",
        " detected deadlock while waiting for ",
        "deadlock_waiting",
    ),
    holds(At::Log, "process ", " acquired ", "lock_acquired"),
    starts(At::Problem, "deadlock detected", "deadlock_detected"),
    starts(At::Problem, "canceling statement due to lock timeout", "lock_timeout"),
    starts(At::Problem, "could not obtain lock on", "lock_not_available"),
    // Statements.
    starts(
        At::Problem,
        "canceling statement due to statement timeout",
        "statement_canceled_timeout",
    ),
    starts(
        At::Problem,
        "canceling statement due to user request",
        "statement_canceled_user",
    ),
    starts(
        At::Problem,
        "canceling statement due to conflict with recovery",
        "standby_statement_canceled",
    ),
    // Standby.
    starts(At::Log, "started streaming WAL", "standby_streaming_started"),
    starts(
        At::Problem,
        "could not receive data from WAL stream",
        "standby_streaming_interrupted",
    ),
    starts(At::Problem, "terminating walreceiver", "standby_streaming_stopped"),
    starts(
        At::Log,
        "replication terminated by primary server",
        "standby_streaming_stopped",
    ),
    holds(
        At::Any,
        "requested timeline ",
        " is not a child",
        "standby_invalid_timeline",
    ),
    holds(
        At::Any,
        "highest timeline ",
        " of the primary is behind",
        "standby_invalid_timeline",
    ),
];

/// Errors by SQLSTATE, where the log tells it: independent of wording.
static STATES: &[(&[u8], &str)] = &[
    (b"23505", "constraint_unique"),
    (b"23503", "constraint_foreign_key"),
    (b"23502", "constraint_not_null"),
    (b"23514", "constraint_check"),
    (b"23P01", "constraint_exclusion"),
    (b"42601", "application_syntax"),
    (b"42P01", "application_missing_relation"),
    (b"42703", "application_missing_column"),
    (b"42883", "application_missing_function"),
    (b"42501", "application_permission_denied"),
    (b"25P02", "application_transaction_aborted"),
    (b"22012", "application_division_by_zero"),
    (b"22001", "application_value_too_long"),
    (b"22003", "application_out_of_range"),
    (b"22P02", "application_invalid_input"),
    (b"40001", "application_serialization"),
    (b"42P07", "application_already_exists"),
    (b"42710", "application_already_exists"),
];

/// The event that a message without duration is, if it is one.
pub(crate) fn by_message(severity: Severity, message: &[u8]) -> Option<&'static str> {
    let found = MATCHERS.iter().find(|matcher| {
        let looks = match matcher.at {
            At::Log => severity == Severity::Log,
            At::Problem => severity.is_error() || severity == Severity::Warning,
            At::Any => true,
        };
        looks
            && message.starts_with(matcher.start.as_bytes())
            && (matcher.holds.is_empty()
                || memchr::memmem::find(
                    crate::bytes::up_to(message, MAX_SEARCHED_BYTES),
                    matcher.holds.as_bytes(),
                )
                .is_some())
    });
    found.map(|matcher| matcher.event)
}

/// The event that an error is by its SQLSTATE.
pub(crate) fn by_state(state: [u8; 5]) -> Option<&'static str> {
    STATES.iter().find(|(code, _)| *code == state).map(|(_, event)| *event)
}

/// Whether a session logs it while it runs a statement; other events come from the server's own processes.
pub(crate) fn may_have_statement(event: &str) -> bool {
    const PREFIXES: [&str; 6] = [
        "temp_file",
        "lock_",
        "deadlock_",
        "connection_lost",
        "statement_",
        "autovacuum_skipped",
    ];
    PREFIXES.iter().any(|prefix| event.starts_with(prefix))
}

/// How much of a long message is searched.
const MAX_SEARCHED_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_and_start_decide() {
        assert_eq!(
            by_message(Severity::Log, b"checkpoint complete: wrote 5 buffers"),
            Some("checkpoint_complete")
        );
        assert_eq!(
            by_message(Severity::Error, b"deadlock detected"),
            Some("deadlock_detected")
        );
        assert_eq!(by_message(Severity::Log, b"deadlock detected"), None);
        assert_eq!(
            by_message(
                Severity::Log,
                b"server process (PID 7) was terminated by signal 9: Killed"
            ),
            Some("server_crashed")
        );
        assert_eq!(by_message(Severity::Log, b"x checkpoint complete: "), None);
        assert_eq!(by_state(*b"23505"), Some("constraint_unique"));
    }

    #[test]
    fn names_are_snake_case() {
        let names = MATCHERS
            .iter()
            .map(|matcher| matcher.event)
            .chain(STATES.iter().map(|state| state.1));
        for name in names {
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{name}"
            );
        }
    }
}
