//! The words of the manifest, with those of the blocking tree.

pub(crate) use pg_logstats_runbook_statements::tree::words::SESSION;

pg_logstats_sdk::actions! {
    /// Who blocks whom, all of it.
    TREE = "lock_wait.pg_locks.tree";
    /// Prepared transactions: they hold locks without a session.
    PREPARED = "prepared_transaction.pg_prepared_xacts.open";
    /// Settings that matter for locks and waiting.
    SETTINGS = "lock_wait.pg_settings.relevant";
}

pg_logstats_sdk::workflows! {
    /// What runs now.
    RUNNING_QUERIES = "running-queries";
    /// Who waited for whom, as the logs tell.
    LOCKS = "locks";
}

pg_logstats_sdk::reason_codes! {
    /// It holds others up and waits for nobody.
    QUEUE_HEAD = "queue_head";
    /// It is idle in its transaction.
    IDLE_IN_TRANSACTION = "idle_in_transaction";
    /// It is a prepared transaction.
    PREPARED_TRANSACTION = "prepared_transaction";
    /// The server hides the session.
    HIDDEN_SESSION = "hidden_session";
    /// It holds a lock that conflicts with reading.
    ACCESS_EXCLUSIVE = "access_exclusive";
    /// Several sessions wait.
    LONG_QUEUE = "long_queue";
    /// It waits for a strong lock, and others wait for nothing but its turn.
    STRONG_LOCK_QUEUE = "strong_lock_queue";
    /// Sessions wait for each other in a circle.
    LOCK_CYCLE = "lock_cycle";
}

pg_logstats_sdk::insights! {
    /// A session waits for a strong lock, and others wait for nothing but its turn.
    STRONG_LOCK_WAITS = "strong_lock_waits";
    /// What the waiting sessions wait for.
    WAITS_BY_KIND_OF_LOCK = "waits_by_kind_of_lock";
    /// Prepared transactions are open.
    PREPARED_TRANSACTIONS_OPEN = "prepared_transactions_open";
    /// None is.
    NO_PREPARED_TRANSACTION = "no_prepared_transaction";
    /// The server does not log lock waits.
    LOCK_WAITS_NOT_LOGGED = "lock_waits_not_logged";
    /// Nothing limits how long a session may hold its locks and do nothing.
    NO_IDLE_LIMIT = "no_idle_limit";
    /// Nothing limits how long a statement waits for a lock.
    NO_LOCK_TIMEOUT = "no_lock_timeout";
    /// The session that was asked about.
    SESSION_FOUND = "session_found";
    /// It is gone.
    SESSION_GONE = "session_gone";
}
