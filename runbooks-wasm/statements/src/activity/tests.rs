#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use pg_logstats_sdk::Cell;
use pg_logstats_sdk::testkit;

use super::*;

fn row(user: &str, state: &str, connections: i64, longest_us: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("user", Cell::Text(user.to_owned())),
        ("state", Cell::Text(state.to_owned())),
        ("connections", Cell::Int(connections)),
        ("waiting_for_locks", Cell::Int(1)),
        ("longest_in_state", Cell::DurationUs(longest_us)),
        ("longest_transaction", Cell::DurationUs(2 * longest_us)),
        ("max_connections", Cell::Int(100)),
    ]
}

fn activity(rows: &[Vec<(&'static str, Cell)>]) -> Activity {
    let outcome = testkit::outcome("connection_pressure.pg_stat_activity.counts");
    Activity::new(&rows.iter().fold(outcome, |outcome, row| outcome.row(row)).build())
}

#[test]
fn rows_add_up_by_state_and_role() {
    let activity = activity(&[
        row("app", "idle", 40, 5_000_000),
        row("app", "idle", 2, 9_000_000),
        row("batch", "idle in transaction (aborted)", 3, 1_000_000),
        row("app", "active", 4, 2_000_000),
        row("", "disabled", 1, 1),
    ]);
    let idle = InState {
        connections: 42,
        longest_us: Some(9_000_000),
        longest_transaction_us: Some(18_000_000),
    };
    assert_eq!((activity.idle, activity.connections), (idle, 50));
    assert_eq!(
        (activity.active.connections, activity.idle_in_transaction.connections),
        (4, 3)
    );
    assert_eq!((activity.roles, activity.most_of_one_role), (3, 46));
    assert_eq!((activity.waiting, activity.max_connections), (5, Some(100)));
}

#[test]
fn what_the_server_does_not_tell_is_none() {
    let nothing = activity(&[]);
    assert_eq!(nothing, Activity::default());
    assert!(nothing.idle_finding().is_none() && nothing.waiting_finding().is_none());
}

#[test]
fn a_pause_between_two_statements_is_no_finding_and_a_longer_one_scores_more() {
    let score = |us| {
        activity(&[row("app", "idle in transaction", 1, us)])
            .idle_finding()
            .map(|f| f.score)
    };
    assert_eq!(score(2_000_000), None);
    assert_eq!(score(300_000_000), Some(0.5));
    assert!(score(1_200_000_000) > Some(0.79));
}
