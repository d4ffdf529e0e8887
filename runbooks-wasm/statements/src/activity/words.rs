//! The words of the manifest that come with counted connections.

pg_logstats_sdk::workflows! {
    /// Who blocks whom now.
    LOCK_TREE = "lock-tree";
}

pg_logstats_sdk::reason_codes! {
    /// Sessions do nothing in an open transaction.
    IDLE_IN_TRANSACTION = "idle_in_transaction";
    /// Sessions wait for locks.
    WAITING_FOR_LOCKS = "waiting_for_locks";
}

pg_logstats_sdk::insights! {
    /// Sessions hold a transaction open and do nothing.
    IDLE_IN_TRANSACTION_SESSION = "idle_in_transaction_session";
}
