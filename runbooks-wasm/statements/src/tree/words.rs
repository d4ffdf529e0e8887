//! The words of the manifest that come with the judgement of a blocking tree.

pg_logstats_sdk::actions! {
    /// One session.
    SESSION = "running_query.pg_stat_activity.by_pid";
}

pg_logstats_sdk::insights! {
    /// A session that holds others up and waits for nobody.
    LOCK_QUEUE_HEAD = "lock_queue_head";
    /// A session that holds others up and waits itself: for whom, the rows do not tell.
    LOCK_QUEUE_CUT = "lock_queue_cut";
    /// That session is idle in its transaction.
    IDLE_IN_TRANSACTION_HOLDER = "idle_in_transaction_holder";
    /// That session is running a statement.
    ACTIVE_HOLDER = "active_holder";
    /// A prepared transaction holds others up.
    PREPARED_TRANSACTION_HOLDER = "prepared_transaction_holder";
    /// Sessions wait for sessions that wait.
    LOCK_CHAIN = "lock_chain";
    /// Sessions wait for each other in a circle.
    LOCK_CYCLE = "lock_cycle";
    /// Nobody waits for a lock any more.
    NOBODY_WAITS = "nobody_waits";
}
