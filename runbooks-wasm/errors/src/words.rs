//! The words of the manifest, besides those of `pg_logstats_runbook_statements`.

pg_logstats_sdk::actions! {
    /// Sessions of the database, role and application that met an error or a cancellation.
    ERROR_SESSIONS = "error_class.pg_stat_activity.by_dimensions";
}

pg_logstats_sdk::workflows! {
    /// Who connects, and how many.
    CONNECTIONS = "connections";
    /// Standbys and slots.
    REPLICATION = "replication";
    /// Ages of transaction ids, and sequences.
    WRAPAROUND = "wraparound";
    /// Which statements take the time.
    QUERY_FAMILIES = "query-families";
    /// Which statements spill to disk.
    TEMP_FILES = "temp-files";
}

pg_logstats_sdk::reason_codes! {
    /// Files of the database are damaged or missing, or cannot be read or written.
    DATA_DAMAGED = "data_damaged";
    /// It took the server down.
    SERVER_PANIC = "server_panic";
    /// Another server process crashed, and all sessions ended.
    SERVER_CRASHED = "server_crashed";
    /// The disk is full.
    DISK_FULL = "disk_full";
    /// Memory ran out.
    OUT_OF_MEMORY = "out_of_memory";
    /// A limit of the configuration was reached.
    OUT_OF_RESOURCES = "out_of_resources";
    /// There was no room for another connection.
    OUT_OF_CONNECTIONS = "out_of_connections";
    /// The server met something that cannot be.
    INTERNAL_ERROR = "internal_error";
    /// A statement was cancelled.
    STATEMENT_CANCELLED = "statement_cancelled";
    /// A session was ended by the server or an operator.
    SESSION_TERMINATED = "session_terminated";
    /// The server was starting up or shutting down.
    NOT_ACCEPTING = "not_accepting_connections";
    /// Transactions waited for each other.
    DEADLOCK = "deadlock";
    /// Transactions could not be made to look as if one came after the other.
    SERIALIZATION_FAILURE = "serialization_failure";
    /// A lock was not to be had in time.
    LOCK_NOT_AVAILABLE = "lock_not_available";
    /// A constraint refused a row.
    CONSTRAINT_VIOLATION = "constraint_violation";
    /// A sequence has no values left.
    SEQUENCE_EXHAUSTED = "sequence_exhausted";
    /// Somebody was not let in, or had no right.
    ACCESS_REFUSED = "access_refused";
    /// A statement that does not fit the schema, or is none.
    INVALID_STATEMENT = "invalid_statement";
    /// A connection was lost.
    CONNECTION_LOST = "connection_lost";
    /// A value that cannot be stored or computed.
    INVALID_DATA = "invalid_data";
    /// None of these.
    OTHER_ERROR = "other_error";
    /// The log does not tell the SQLSTATE.
    SQLSTATE_UNKNOWN = "sqlstate_unknown";
    /// It ended a session.
    SESSION_ENDED = "session_ended";
    /// Many in a short time.
    BURST = "error_burst";
    /// There was none in the first half of the logs.
    NEW_IN_WINDOW = "new_in_window";
    /// Replay on a standby stood against it.
    REPLICATION_CONFLICT = "replication_conflict";
}

pg_logstats_sdk::insights! {
    /// Statements gave up waiting for locks, and the log does not tell who held them.
    LOCK_HOLDERS_NOT_LOGGED = "lock_holders_not_logged";
}
