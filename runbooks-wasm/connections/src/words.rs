//! The words of the manifest, besides those of `pg_logstats_runbook_statements`.

pg_logstats_sdk::actions! {
    /// Connections by who and state.
    COUNTS = "connection_pressure.pg_stat_activity.counts";
    /// Limits and time-outs of connections.
    SETTINGS = "connection_pressure.pg_settings.relevant";
    /// Sessions of a group's database, role and application.
    SESSIONS = "error_class.pg_stat_activity.by_dimensions";
}

pg_logstats_sdk::workflows! {
    /// Which statements took the time.
    QUERY_FAMILIES = "query-families";
}

pg_logstats_sdk::reason_codes! {
    /// The server had no connection left.
    OUT_OF_CONNECTIONS = "out_of_connections";
    /// The SQLSTATE tells of a limit, the wording not of which.
    LIMIT_UNKNOWN = "limit_unknown";
    /// A role's own limit.
    ROLE_LIMIT = "role_limit";
    /// A database's own limit.
    DATABASE_LIMIT = "database_limit";
    /// Many connections in a short time.
    CONNECTION_STORM = "connection_storm";
    /// Many sessions that ended at once.
    SHORT_SESSIONS = "short_sessions";
    /// Logins that the server refused.
    LOGIN_REJECTED = "login_rejected";
    /// Many of them in a short time.
    REJECTED_IN_A_BURST = "rejected_in_a_burst";
    /// Nearly all of them of one login.
    ONE_LOGIN = "one_login";
    /// Of many logins.
    MANY_LOGINS = "many_logins";
    /// One host has many connections whose end was not logged.
    ONE_HOST = "one_host";
    /// The client went away.
    CONNECTION_LOST = "connection_lost";
    /// It left a transaction open.
    TRANSACTION_LOST = "transaction_lost";
    /// TLS could not be agreed on.
    SSL_FAILED = "ssl_failed";
    /// What came was not PostgreSQL's protocol.
    PROTOCOL_FAILED = "protocol_failed";
    /// The connection ended before it had begun.
    STARTUP_FAILED = "startup_failed";
    /// There is no such database.
    UNKNOWN_DATABASE = "unknown_database";
    /// The server's connections are nearly all taken.
    NEAR_LIMIT = "near_limit";
    /// Transactions are open and nothing happens in them.
    IDLE_IN_TRANSACTION = "idle_in_transaction";
    /// Sessions wait for locks.
    LOCK_WAITERS = "lock_waiters";
}

pg_logstats_sdk::insights! {
    /// Refusals without connections in the log.
    CONNECTIONS_NOT_LOGGED = "connections_not_logged";
    /// Most of `max_connections` is in use.
    CONNECTIONS_NEAR_LIMIT = "connections_near_limit";
    /// There is room.
    CONNECTIONS_WITHIN_LIMIT = "connections_within_limit";
    /// Most connections do nothing.
    CONNECTIONS_MOSTLY_IDLE = "connections_mostly_idle";
    /// Some hold a transaction open and do nothing.
    IDLE_IN_TRANSACTION_SESSIONS = "idle_in_transaction_sessions";
    /// One database, role and application has most of them.
    ONE_GROUP_HOLDS_MOST = "one_group_holds_most";
    /// Some wait for locks.
    SESSIONS_WAIT_FOR_LOCKS = "sessions_wait_for_locks";
    /// The limits.
    CONNECTION_SETTINGS_FOUND = "connection_settings_found";
    /// More connections are allowed than a server can serve at once.
    MAX_CONNECTIONS_HIGH = "max_connections_high";
    /// A limit that waits for a restart.
    SETTING_PENDING_RESTART = "setting_pending_restart";
    /// Nothing ends a transaction that does nothing.
    NO_IDLE_IN_TRANSACTION_TIMEOUT = "no_idle_in_transaction_timeout";
    /// A session that does nothing in a transaction while others are refused.
    IDLE_SESSION_HOLDS_CONNECTION = "idle_session_holds_connection";
}
