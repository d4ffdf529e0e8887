//! The words of the manifest, beside those about counted connections.

pg_logstats_sdk::actions! {
    /// Connections by database, role, application and state.
    COUNTS = "connection_pressure.pg_stat_activity.counts";
    /// Settings that matter for connections.
    SETTINGS = "connection_pressure.pg_settings.relevant";
    /// Sessions of a database, role and application.
    SESSIONS = "error_class.pg_stat_activity.by_dimensions";
}

pg_logstats_sdk::workflows! {
    /// What runs now.
    RUNNING_QUERIES = "running-queries";
    /// Connections as the logs tell of them.
    CONNECTIONS = "connections";
}

pg_logstats_sdk::reason_codes! {
    /// Much of max_connections is used.
    CONNECTION_LIMIT_NEAR = "connection_limit_near";
    /// All of it is used.
    CONNECTION_LIMIT_REACHED = "connection_limit_reached";
    /// Most connections are idle.
    MOSTLY_IDLE = "mostly_idle";
    /// One role has most connections.
    ONE_ROLE = "one_role";
}

pg_logstats_sdk::insights! {
    /// What share of max_connections is used.
    CONNECTION_SHARE = "connection_share";
    /// Many connections, and most of them idle.
    IDLE_CONNECTIONS = "idle_connections";
    /// One of several roles has most connections.
    ONE_ROLE_HOLDS_MOST = "one_role_holds_most";
    /// Slots that only some roles can use.
    RESERVED_SLOTS = "reserved_slots";
    /// A setting waits for a restart.
    SETTING_NEEDS_RESTART = "setting_needs_restart";
    /// Nothing ends a session that is idle in its transaction.
    NO_IDLE_LIMIT = "no_idle_limit";
    /// Sessions that match.
    SESSIONS_FOUND = "sessions_found";
    /// None does.
    NO_SESSION_FOUND = "no_session_found";
}
