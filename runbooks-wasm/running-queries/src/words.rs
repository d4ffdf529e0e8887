//! The words of the manifest, beside those of the blocking tree and of counted connections.

pub(crate) use pg_logstats_runbook_statements::tree::words::SESSION;

pg_logstats_sdk::actions! {
    /// Connections by who has them and what they do.
    COUNTS = "connection_pressure.pg_stat_activity.counts";
    /// What keeps vacuum from removing old rows.
    OLDEST_XMIN = "wraparound.pg_stat_activity.oldest_xmin";
    /// The sessions whose transactions are oldest.
    LONGEST = "running_query.pg_stat_activity.longest";
    /// Sessions of a database, role and application.
    SESSIONS = "query_family.pg_stat_activity.by_dimensions";
    /// Who blocks a session, who blocks those, and so on.
    BLOCKING = "running_query.blocking.by_pid";
    /// Index builds.
    INDEX_BUILDS = "progress.pg_stat_progress_create_index.running";
    /// `CLUSTER` and `VACUUM FULL`.
    REWRITES = "progress.pg_stat_progress_cluster.running";
    /// Vacuum.
    VACUUMS = "progress.pg_stat_progress_vacuum.running";
}

pg_logstats_sdk::workflows! {
    /// Replication slots and standbys.
    REPLICATION_LAG = "replication-lag";
    /// The age of the oldest transaction ids.
    WRAPAROUND = "wraparound";
}

pg_logstats_sdk::reason_codes! {
    /// A statement has been running for long.
    LONG_STATEMENT = "long_statement";
    /// A transaction has been open for long.
    LONG_TRANSACTION = "long_transaction";
    /// It keeps vacuum from removing rows.
    HOLDS_BACK_VACUUM = "holds_back_vacuum";
    /// It holds others up and waits for nobody.
    QUEUE_HEAD = "queue_head";
    /// It is a prepared transaction.
    PREPARED_TRANSACTION = "prepared_transaction";
    /// It is a replication slot.
    REPLICATION_SLOT = "replication_slot";
    /// The server hides the session.
    HIDDEN_SESSION = "hidden_session";
}

pg_logstats_sdk::insights! {
    /// What all connections do.
    CONNECTIONS_BY_STATE = "connections_by_state";
    /// Sessions that match.
    SESSIONS_FOUND = "sessions_found";
    /// None does.
    NO_SESSION_FOUND = "no_session_found";
    /// What the sessions that run a statement wait for.
    WAITS_BY_TYPE = "waits_by_type";
    /// Statements that have been running for long.
    LONG_RUNNING = "long_running";
    /// One that only reads, and runs far beyond anything in the logs.
    RUNAWAY_STATEMENT = "runaway_statement";
    /// What holds back vacuum.
    XMIN_HORIZON_HELD = "xmin_horizon_held";
    /// Nothing does.
    XMIN_HORIZON_FREE = "xmin_horizon_free";
    /// Work on a table or index is going on.
    MAINTENANCE_RUNNING = "maintenance_running";
    /// None is.
    NO_MAINTENANCE_RUNNING = "no_maintenance_running";
}
