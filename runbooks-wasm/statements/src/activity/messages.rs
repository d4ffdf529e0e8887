//! All that can be said about counted connections.

pg_logstats_sdk::messages! {
    idle_in_transaction_title(n: count) => "sessions that are idle in a transaction: {n}";
    idle_in_transaction_reason(longest: duration) =>
        "the longest has done nothing for {longest}, and keeps its locks and its snapshot";
    idle_unknown_reason() => "they keep their locks and their snapshots; the server does not show since when";
    waiting_title(n: count) => "sessions that wait for a lock now: {n}";
    waiting_reason() => "each waits for what another session has locked";
    lock_tree_label() => "take the lock-tree runbook";
    lock_tree_reason() => "it shows who holds the locks that the others wait for";
}
