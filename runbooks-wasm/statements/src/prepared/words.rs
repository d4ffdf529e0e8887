//! The insight about a prepared transaction.

pg_logstats_sdk::insights! {
    /// It has to be ended.
    PREPARED_TO_END = "prepared_transaction_to_end";
}
