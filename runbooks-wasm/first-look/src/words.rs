//! The words of the manifest.

pg_logstats_sdk::workflows! {
    /// Errors by class.
    ERRORS = "errors";
    /// Who waited for whom.
    LOCKS = "locks";
    /// What took the time.
    QUERY_FAMILIES = "query-families";
    /// What got slower.
    SLOW_QUERIES = "slow-queries";
    /// What spilled to disk.
    TEMP_FILES = "temp-files";
    /// Connections in the logs.
    CONNECTIONS = "connections";
    /// Checkpoints and WAL.
    CHECKPOINTS = "checkpoints";
    /// Autovacuum in the logs.
    AUTOVACUUM = "autovacuum";
    /// Standbys, archive and conflicts.
    REPLICATION = "replication";
    /// Plans that auto_explain logged.
    PLANS = "plans";
    /// Connections right now.
    CONNECTION_PRESSURE = "connection-pressure";
    /// Locks right now.
    LOCK_TREE = "lock-tree";
    /// Statements right now.
    RUNNING_QUERIES = "running-queries";
    /// Standbys and slots right now.
    REPLICATION_LAG = "replication-lag";
    /// Ages of transaction ids.
    WRAPAROUND = "wraparound";
    /// Indexes.
    INDEX_HEALTH = "index-health";
}

pg_logstats_sdk::reason_codes! {
    /// The server crashed, ran out of memory, or found damaged data.
    SERVER_DAMAGED = "server_damaged";
    /// A sequence has no values left.
    SEQUENCE_EXHAUSTED = "sequence_exhausted";
    /// Many errors of one class.
    MANY_ERRORS = "many_errors";
    /// They came all at once.
    ERROR_BURST = "error_burst";
    /// Sessions waited for locks.
    LOCK_WAITS = "lock_waits";
    /// Transactions were cancelled to end a cycle of waits.
    DEADLOCKS = "deadlocks";
    /// A slow statement keeps the server busy.
    SLOW_STATEMENT = "slow_statement";
    /// Statements got worse since the baseline.
    REGRESSIONS = "regressions";
    /// Sorts and hashes spilled to disk.
    TEMP_FILES_WRITTEN = "temp_files_written";
    /// There were no connections left.
    CONNECTIONS_EXHAUSTED = "connections_exhausted";
    /// Connections were refused.
    CONNECTIONS_REJECTED = "connections_rejected";
    /// Connections broke.
    CONNECTIONS_LOST = "connections_lost";
    /// Clients connect all the time.
    CONNECTION_STORM = "connection_storm";
    /// Checkpoints follow each other too fast.
    CHECKPOINTS_TOO_FREQUENT = "checkpoints_too_frequent";
    /// Writing to disk took long.
    SLOW_SYNC = "slow_sync";
    /// Transaction ids run out.
    WRAPAROUND_NEAR = "wraparound_near";
    /// Autovacuum does not get to its end, or cannot remove what is dead.
    AUTOVACUUM_HELD_UP = "autovacuum_held_up";
    /// Replay on a standby cancelled statements.
    RECOVERY_CONFLICTS = "recovery_conflicts";
    /// WAL was not archived.
    ARCHIVE_FAILED = "archive_failed";
    /// A standby lost its primary.
    STREAMING_INTERRUPTED = "streaming_interrupted";
    /// The server cancelled statements or ended sessions.
    STATEMENTS_CANCELLED = "statements_cancelled";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
    /// There were no logs to look at.
    NO_LOGS = "no_logs";
}
