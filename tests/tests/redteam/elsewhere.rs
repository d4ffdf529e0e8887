//! What went wrong in comparable systems. Each row runs the thing itself here; the suites of single crates go further.

use pg_logstats_test_cluster::Cluster;
use pg_logstats_tests::{Lab, action, argv};
use serde_json::Value;

use crate::range::{config, logged, offered, run, server, triage};
use crate::statements::{Expect, HOSTILE};

/// What a row works with: a server, a laboratory on it, a report of a plain statement.
struct Ground {
    cluster: Cluster,
    lab: Lab,
    config: String,
    report: Value,
}

/// What happened elsewhere, and what shows that it does not happen here.
const ROWS: &[(&str, fn(&Ground))] = &[
    ("a stacked statement ended the READ ONLY transaction", stacked),
    (
        "a function in FROM passed an allow-list that looked at calls only",
        function_in_from,
    ),
    (
        "EXPLAIN and concatenation let a second statement through",
        concatenation,
    ),
    (
        "READ ONLY does not stop SET, sleep, locks, signals, dblink, programs, spellings",
        read_only_is_not_enough,
    ),
    (
        "EXPLAIN ANALYZE leaked data by timing, EXPLAIN leaked statistics",
        can_be_switched_off,
    ),
    ("text in a log line told the agent what to do", text_is_no_instruction),
    (
        "a missing verdict skipped the policy; a stored `allowed` was believed; any file was a report",
        all_is_decided_again,
    ),
    (
        "the verdict counted idle clients and background workers",
        idle_clients_do_not_count,
    ),
    (
        "normalised SQL with `?` was sent to EXPLAIN and always failed",
        server_held_text,
    ),
    ("refusals were not recorded", refusals_are_records),
    ("receipts without a chain: deletion went unnoticed", deletion_is_noticed),
    ("a verifier accepted forged proofs", forgery_is_noticed),
    ("policy words that enforcement never read", unknown_words_do_not_load),
    ("queryid as a JSON number lost its low digits", query_ids_are_strings),
];

#[test]
fn what_failed_elsewhere_does_not_fail_here() {
    let cluster = server();
    cluster.psql_as("app", "shop", crate::statements::COMMON).unwrap();
    let mut failed = Vec::new();
    for (what, check) in ROWS {
        let lab = Lab::new();
        let config = config(&lab, &cluster_dsn(&cluster), "");
        let logged = logged(&cluster, &lab, "SELECT name FROM item WHERE id = 7", |text| text);
        let report = triage(&lab, &config, &logged);
        let ground = Ground {
            cluster: take(&cluster),
            lab,
            config,
            report,
        };
        let _ = (&ground.config, what);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&ground))).is_err() {
            failed.push(*what);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
