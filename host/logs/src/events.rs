//! Events by the start of their message: one table, widened by adding a line.
//!
//! Wording is PostgreSQL's English one (`lc_messages = C`), which the server's translators take as key and which therefore
//! changes seldom. Where it did change, both wordings stand here, with the version.

pub(crate) mod cancellation;
pub(crate) mod checkpoint;
pub(crate) mod connection;
pub(crate) mod locks;
pub(crate) mod maintenance;
pub(crate) mod plan;

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
    /// The versions of PostgreSQL with this wording, of those that are read (10 to 18): `10-14`, or `15-` where it still is.
    #[cfg_attr(not(test), expect(dead_code, reason = "for those who read the table, and its tests"))]
    versions: &'static str,
}

const fn row(at: At, versions: &'static str, start: &'static str, holds: &'static str, event: &'static str) -> Matcher {
    Matcher {
        at,
        start,
        holds,
        event,
        versions,
    }
}

/// The first that matches counts.
#[rustfmt::skip]
static MATCHERS: &[Matcher] = &[
    // Server.
    row(At::Log, "10-", "database system is ready to accept", "", "server_start"),
    row(At::Log, "10-", "database system was interrupted", "", "server_start_recovering"),
    row(At::Log, "10-", "database system was not properly shut down", "", "server_start_recovering"),
    row(At::Log, "10-", "database system is shut down", "", "server_shutdown"),
    row(At::Log, "10-", "received smart shutdown request", "", "server_shutdown_requested"),
    row(At::Log, "10-", "received fast shutdown request", "", "server_shutdown_requested"),
    row(At::Log, "10-", "received immediate shutdown request", "", "server_shutdown_requested"),
    row(At::Log, "10-", "received SIGHUP, reloading", "", "server_reload"),
    row(At::Log, "10-", "background worker \"", "\" (PID ", "server_process_exited"),
    row(At::Log, "10-", "", ") was terminated by signal ", "server_crashed"),
    row(At::Log, "10-", "", ") exited with exit code ", "server_process_exited"),
    row(At::Log, "10-", "terminating any other active server processes", "", "server_crash_restart"),
    row(At::Log, "10-", "all server processes terminated; reinitializing", "", "server_crash_restart"),
    row(At::Problem, "10-", "terminating connection because of crash of another server process", "", "server_crash_restart"),
    row(At::Problem, "10-", "out of memory", "", "server_out_of_memory"),
    row(At::Problem, "10-", "page verification failed", "", "server_invalid_checksum"),
    row(At::Problem, "10-", "invalid page in block", "", "server_invalid_checksum"),
    row(At::Problem, "17-", "checksum verification failure", "", "server_invalid_checksum"),
    row(At::Log, "10-", "temporary file: path ", "", "temp_file_created"),
    // Connections.
    row(At::Log, "10-", "connection received: ", "", "connection_received"),
    row(At::Log, "10-", "connection authorized: ", "", "connection_authorized"),
    row(At::Log, "10-", "replication connection authorized: ", "", "connection_authorized"),
    row(At::Log, "14-", "connection authenticated: ", "", "connection_authenticated"),
    row(At::Log, "18-", "connection ready: setup total=", "", "connection_ready"),
    row(At::Log, "10-", "disconnection: ", "", "connection_disconnected"),
    row(At::Log, "10-", "could not receive data from client", "", "connection_client_failed_to_connect"),
    row(At::Log, "10-", "incomplete startup packet", "", "connection_client_failed_to_connect"),
    row(At::Log, "10-", "unexpected EOF on client connection with an open transaction", "", "connection_lost_open_tx"),
    row(At::Log, "10-", "unexpected EOF on client connection", "", "connection_lost"),
    row(At::Log, "10-", "could not send data to client", "", "connection_lost"),
    row(At::Any, "10-", "connection to client lost", "", "connection_lost"),
    row(At::Problem, "10-", "terminating connection due to idle-in-transaction timeout", "", "connection_terminated_idle_in_transaction"),
    row(At::Problem, "14-", "terminating connection due to idle-session timeout", "", "connection_terminated_idle_session"),
    row(At::Problem, "17-", "terminating connection due to transaction timeout", "", "connection_terminated_transaction_timeout"),
    row(At::Problem, "10-", "terminating connection due to conflict with recovery", "", "standby_connection_terminated"),
    row(At::Problem, "10-", "terminating connection", "", "connection_terminated"),
    row(At::Problem, "10-", "sorry, too many clients already", "", "connection_out_of_connections"),
    row(At::Problem, "10-", "remaining connection slots are reserved", "", "connection_out_of_connections"),
    row(At::Problem, "10-", "number of requested standby connections exceeds max_wal_senders", "", "connection_out_of_connections"),
    row(At::Problem, "10-", "too many connections for role", "", "connection_too_many_role"),
    row(At::Problem, "10-", "too many connections for database", "", "connection_too_many_database"),
    row(At::Problem, "10-", "password authentication failed", "", "connection_rejected"),
    row(At::Problem, "10-", "no pg_hba.conf entry", "", "connection_rejected"),
    row(At::Problem, "10-", "pg_hba.conf rejects", "", "connection_rejected"),
    row(At::Problem, "10-", "", " authentication failed for user ", "connection_rejected"),
    row(At::Log, "10-", "could not accept SSL connection", "", "connection_ssl_failed"),
    row(At::Any, "10-", "unsupported frontend protocol", "", "connection_protocol"),
    row(At::Any, "10-", "invalid length of startup packet", "", "connection_protocol"),
    // Checkpoints.
    row(At::Log, "10-", "checkpoint starting: ", "", "checkpoint_starting"),
    row(At::Log, "10-", "checkpoint complete: ", "", "checkpoint_complete"),
    row(At::Log, "10-", "checkpoints are occurring too frequently", "", "checkpoint_too_frequent"),
    row(At::Log, "10-", "restartpoint starting: ", "", "restartpoint_starting"),
    row(At::Log, "10-", "restartpoint complete: ", "", "restartpoint_complete"),
    // Write-ahead log.
    row(At::Log, "10-", "invalid record length at", "", "wal_invalid_record_length"),
    row(At::Log, "10-", "redo starts at", "", "wal_redo"),
    row(At::Log, "10-", "redo done at", "", "wal_redo"),
    row(At::Log, "10-", "last completed transaction was at", "", "wal_redo"),
    row(At::Any, "10-", "archive command failed", "", "wal_archive_command_failed"),
    row(At::Any, "10-", "archive command was terminated by signal", "", "wal_archive_command_failed"),
    row(At::Any, "10-14", "archiving transaction log file", "", "wal_archive_command_failed"),
    row(At::Any, "10-", "archiving write-ahead log file", "", "wal_archive_command_failed"),
    row(At::Any, "10-14", "pg_stop_backup complete", "", "wal_base_backup_complete"),
    row(At::Any, "15-", "pg_backup_stop complete", "", "wal_base_backup_complete"),
    // Vacuum.
    row(At::Log, "10-", "automatic vacuum of table", "", "autovacuum_completed"),
    row(At::Log, "10-", "automatic aggressive vacuum", "", "autovacuum_aggressive_completed"),
    row(At::Log, "12-", "automatic vacuum to prevent wraparound of table", "", "autovacuum_aggressive_completed"),
    row(At::Log, "10-", "automatic analyze of table", "", "autoanalyze_completed"),
    row(At::Problem, "10-", "canceling autovacuum task", "", "autovacuum_cancel"),
    row(At::Any, "10-", "skipping vacuum of", "lock not available", "autovacuum_skipped_lock"),
    row(At::Any, "10-", "skipping analyze of", "lock not available", "autovacuum_skipped_lock"),
    row(At::Problem, "10-", "database ", "must be vacuumed within", "wraparound_warning"),
    row(At::Problem, "10-", "database ", "must be vacuumed before", "wraparound_warning"),
    row(At::Problem, "10-", "database is not accepting commands", "", "wraparound_error"),
    // Locks.
    row(At::Log, "10-", "process ", " still waiting for ", "lock_waiting"),
    row(At::Log, "10-", "process ", " avoided deadlock for ", "deadlock_avoided"),
    row(At::Log, "10-", "process ", " detected deadlock while waiting for ", "deadlock_waiting"),
    row(At::Log, "10-", "process ", " acquired ", "lock_acquired"),
    row(At::Problem, "10-", "deadlock detected", "", "deadlock_detected"),
    row(At::Problem, "10-", "canceling statement due to lock timeout", "", "lock_timeout"),
    row(At::Problem, "10-", "could not obtain lock on", "", "lock_not_available"),
    // Statements.
    row(At::Problem, "10-", "canceling statement due to statement timeout", "", "statement_canceled_timeout"),
    row(At::Problem, "10-", "canceling statement due to user request", "", "statement_canceled_user"),
    row(At::Problem, "10-", "canceling statement due to conflict with recovery", "", "standby_statement_canceled"),
    row(At::Problem, "10-", "new row violates row-level security policy", "", "application_row_level_security"),
    // Standby.
    row(At::Log, "10-", "started streaming WAL", "", "standby_streaming_started"),
    row(At::Problem, "10-", "could not receive data from WAL stream", "", "standby_streaming_interrupted"),
    row(At::Problem, "10-", "terminating walreceiver", "", "standby_streaming_stopped"),
    row(At::Log, "10-", "replication terminated by primary server", "", "standby_streaming_stopped"),
    row(At::Any, "10-", "requested timeline ", " is not a child", "standby_invalid_timeline"),
    row(At::Any, "10-", "highest timeline ", " of the primary is behind", "standby_invalid_timeline"),
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
    let found = MATCHERS.iter().find(|matcher| matcher.matches(severity, message));
    found.map(|matcher| matcher.event)
}

impl Matcher {
    fn matches(&self, severity: Severity, message: &[u8]) -> bool {
        let looks = match self.at {
            At::Log => severity == Severity::Log,
            At::Problem => severity.is_error() || severity == Severity::Warning,
            At::Any => true,
        };
        let holds = || memchr::memmem::find(crate::bytes::up_to(message, MAX_SEARCHED_BYTES), self.holds.as_bytes());
        looks && message.starts_with(self.start.as_bytes()) && (self.holds.is_empty() || holds().is_some())
    }
}

/// The rest by the class of the SQLSTATE.
static CLASSES: &[(&[u8], &str)] = &[
    (b"08", "connection_exception"),
    (b"0A", "application_feature_not_supported"),
    (b"21", "application_cardinality"),
    (b"22", "application_data_exception"),
    (b"23", "constraint_other"),
    (b"25", "application_transaction_state"),
    (b"28", "connection_rejected"),
    (b"34", "application_cursor"),
    (b"3D", "connection_unknown_database"),
    (b"3F", "application_missing_schema"),
    (b"40", "application_rollback"),
    (b"42", "application_syntax_or_access"),
    (b"53", "server_insufficient_resources"),
    (b"54", "application_program_limit"),
    (b"55", "application_object_state"),
    (b"57", "server_operator_intervention"),
    (b"58", "server_system_error"),
    (b"HV", "application_foreign_data"),
    (b"P0", "application_raised"),
    (b"XX", "server_internal_error"),
];

/// The event that an error is by its SQLSTATE, or by the class of it.
pub(crate) fn by_state(state: [u8; 5]) -> Option<&'static str> {
    let known = STATES.iter().find(|(code, _)| *code == state);
    let class = || CLASSES.iter().find(|(class, _)| state.starts_with(class));
    known.or_else(class).map(|(_, event)| *event)
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

/// Whether a process of the server logs it that serves no client, so that an entry with a user cannot be it.
pub(crate) fn is_of_server_process(event: &str) -> bool {
    const PREFIXES: [&str; 7] = [
        "server_",
        "checkpoint_",
        "restartpoint_",
        "autovacuum_completed",
        "autovacuum_aggressive",
        "autoanalyze_",
        "standby_streaming_started",
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
        // Text that a function raised and that only speaks of such a thing.
        assert_eq!(by_message(Severity::Log, b"job 7 was terminated by signal 9"), None);
        assert_eq!(by_state(*b"23ZZZ"), Some("constraint_other"));
        assert_eq!((by_state(*b"00000"), by_state(*b"ZZ001")), (None, None));
        assert_eq!(by_state(*b"23505"), Some("constraint_unique"));
    }

    #[test]
    fn messages_of_all_versions_are_known() {
        use Severity::{Error, Fatal, Log, Panic, Warning};
        for (severity, message, event) in [
            (Log, "received fast shutdown request", "server_shutdown_requested"),
            (
                Log,
                "archiver process (PID 71) exited with exit code 1",
                "server_process_exited",
            ),
            (
                Log,
                "background worker \"logical replication launcher\" (PID 71) exited with exit code 1",
                "server_process_exited",
            ),
            (
                Log,
                "startup process (PID 71) was terminated by signal 6: Aborted",
                "server_crashed",
            ),
            (
                Log,
                "all server processes terminated; reinitializing",
                "server_crash_restart",
            ),
            (
                Warning,
                "terminating connection because of crash of another server process",
                "server_crash_restart",
            ),
            (Panic, "out of memory", "server_out_of_memory"),
            (
                Log,
                "connection ready: setup total=4.1 ms, fork=0.5 ms, authentication=0.9 ms",
                "connection_ready",
            ),
            (
                Fatal,
                "terminating connection due to administrator command",
                "connection_terminated",
            ),
            (
                Fatal,
                "terminating connection due to idle-in-transaction timeout",
                "connection_terminated_idle_in_transaction",
            ),
            (
                Fatal,
                "terminating connection due to idle-session timeout",
                "connection_terminated_idle_session",
            ),
            (
                Fatal,
                "terminating connection due to transaction timeout",
                "connection_terminated_transaction_timeout",
            ),
            (
                Fatal,
                "remaining connection slots are reserved for roles with the SUPERUSER attribute",
                "connection_out_of_connections",
            ),
            (
                Fatal,
                "remaining connection slots are reserved for non-replication superuser connections",
                "connection_out_of_connections",
            ),
            (
                Fatal,
                "Ident authentication failed for user \"bob\"",
                "connection_rejected",
            ),
            (
                Log,
                "automatic aggressive vacuum to prevent wraparound of table \"a.b.c\": index scans: 0",
                "autovacuum_aggressive_completed",
            ),
            (
                Log,
                "automatic vacuum to prevent wraparound of table \"a.b.c\": index scans: 0",
                "autovacuum_aggressive_completed",
            ),
            (
                Warning,
                "database \"shop\" must be vacuumed within 10985967 transactions",
                "wraparound_warning",
            ),
            (
                Warning,
                "database \"shop\" must be vacuumed before 39985967 more MultiXactIds are used",
                "wraparound_warning",
            ),
            (
                Error,
                "database is not accepting commands to avoid wraparound data loss in database \"shop\"",
                "wraparound_error",
            ),
            (
                Error,
                "database is not accepting commands that assign new transaction IDs to avoid wraparound data loss in database \"shop\"",
                "wraparound_error",
            ),
            (
                Log,
                "archive command failed with exit code 1",
                "wal_archive_command_failed",
            ),
            (
                Warning,
                "archiving write-ahead log file \"000000010000000000000001\" failed too many times, will try again later",
                "wal_archive_command_failed",
            ),
            (
                Error,
                "new row violates row-level security policy for table \"t\"",
                "application_row_level_security",
            ),
            (
                Fatal,
                "could not receive data from WAL stream: server closed the connection unexpectedly",
                "standby_streaming_interrupted",
            ),
        ] {
            assert_eq!(by_message(severity, message.as_bytes()), Some(event), "{message}");
        }
    }

    #[test]
    fn every_row_can_match_and_says_in_which_versions() {
        for (index, row) in MATCHERS.iter().enumerate() {
            let (first, last) = row.versions.split_once('-').unwrap();
            let first: u32 = first.parse().unwrap();
            let last = if last.is_empty() { 18 } else { last.parse().unwrap() };
            assert!((10..=last).contains(&first) && last <= 18, "{}", row.versions);
            let message = format!("{}{}", row.start, row.holds);
            let severity = if row.at == At::Log {
                Severity::Log
            } else {
                Severity::Error
            };
            let found = MATCHERS
                .iter()
                .position(|row| row.matches(severity, message.as_bytes()));
            assert_eq!(found, Some(index), "another row counts before: {message}");
        }
    }

    #[test]
    fn names_are_snake_case() {
        let names = MATCHERS
            .iter()
            .map(|matcher| matcher.event)
            .chain(STATES.iter().chain(CLASSES).map(|state| state.1));
        for name in names {
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{name}"
            );
        }
    }
}
