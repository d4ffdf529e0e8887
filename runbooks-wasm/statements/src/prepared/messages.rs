//! All that can be said about single prepared transactions.

pg_logstats_sdk::messages! {
    end_prepared_title(row: count) => "the prepared transaction in row {row} has to be rolled back or committed";
    end_prepared_reason(open: duration, xids: count) =>
        "open for {open} and {xids} transactions old, without a session; only its transaction manager knows which of the two is right";
    end_prepared_unknown_reason() => "it has no session; only its transaction manager knows which of the two is right";
}
