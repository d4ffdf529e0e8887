//! The words of the manifest, with those of the blocking tree.

pub(crate) use pg_logstats_runbook_statements::tree::words::{NOBODY_WAITS, SESSION};

pg_logstats_sdk::actions! {
    /// Who blocks a session, who blocks those, and so on.
    BLOCKING = "running_query.blocking.by_pid";
    /// Sessions of the database, role and application of a statement that waited.
    FAMILY_SESSIONS = "query_family.pg_stat_activity.by_dimensions";
}

pg_logstats_sdk::workflows! {
    /// Which statements took the time.
    QUERY_FAMILIES = "query-families";
}

pg_logstats_sdk::reason_codes! {
    /// Sessions waited for a lock that this one held.
    HELD_LOCK = "held_lock";
    /// It held others up and waited for nobody.
    QUEUE_HEAD = "queue_head";
    /// It held others up while it waited itself.
    QUEUE_MIDDLE = "queue_middle";
    /// The log does not name the holder.
    HOLDER_UNKNOWN = "holder_unknown";
    /// The log does not say that the lock was acquired in the end.
    NOT_ACQUIRED = "not_acquired";
    /// The lock conflicts with reading.
    ACCESS_EXCLUSIVE = "access_exclusive";
    /// Several sessions queued for the same lock.
    LONG_QUEUE = "long_queue";
    /// The server cancelled a transaction to end a cycle of waits.
    DEADLOCK = "deadlock";
    /// The same statements deadlocked more than once.
    REPEATED_DEADLOCK = "repeated_deadlock";
    /// A session that an action found live.
    LIVE_SESSION = "live_session";
    /// There was nothing to find.
    NOTHING_FOUND = "nothing_found";
}

pg_logstats_sdk::insights! {
    /// A session waits for the end of another transaction.
    TRANSACTIONID_LOCK_WAIT = "transactionid_lock_wait";
    /// A session waits for another lock.
    LOCK_WAIT_DETECTED = "lock_wait_detected";
    /// A session is idle in a transaction.
    IDLE_IN_TRANSACTION_SESSION = "idle_in_transaction_session";
    /// The session is there.
    LIVE_MATCH_FOUND = "live_match_found";
    /// Several are.
    MULTIPLE_MATCHING_SESSIONS = "multiple_matching_sessions";
    /// The session runs a statement right now.
    ACTIVE_SESSION_PRESENT = "active_session_present";
    /// The session is gone.
    NO_LIVE_MATCH_FOUND = "no_live_match_found";
}
