//! Connections by who has them and what they do.

use pg_logstats_sdk::{Confidence, Recommendation, Setting};

use super::*;

const COUNTS: &str = "connection_pressure.pg_stat_activity.counts";
const MINUTE: i64 = 60_000_000;

/// One row: connections of a role in a state, of 100 that the server takes.
#[derive(Clone, Copy)]
struct Group {
    user: &'static str,
    state: &'static str,
    connections: i64,
    longest_us: i64,
    waiting: i64,
}

fn group(user: &'static str, state: &'static str, connections: i64) -> Group {
    Group {
        user,
        state,
        connections,
        longest_us: 1_000_000,
        waiting: 0,
    }
}

fn outcome(groups: &[Group], max: i64, status: OutcomeStatus) -> Outcome {
    let builder = groups.iter().fold(testkit::outcome(COUNTS), |outcome, group| {
        outcome.row(&[
            ("user", text(group.user)),
            ("state", text(group.state)),
            ("connections", Cell::Int(group.connections)),
            ("waiting_for_locks", Cell::Int(group.waiting)),
            ("longest_in_state", Cell::DurationUs(group.longest_us)),
            ("max_connections", if max > 0 { Cell::Int(max) } else { Cell::Null }),
        ])
    });
    builder.status(status).build()
}

fn counts(groups: &[Group]) -> Report {
    interpret(&outcome(groups, 100, OutcomeStatus::Ok))
}

#[test]
fn a_server_with_room_is_calm() {
    let report = counts(&[
        group("app", "idle", 30),
        group("batch", "active", 4),
        group("app", "idle in transaction", 2),
    ]);
    report.assert_calm();
    assert_eq!(
        report.insight_ids(),
        ["connection_share", "idle_in_transaction_session"]
    );
    assert_eq!(report.insights[0].title, "36.0 % of max_connections is used");
    assert_eq!(
        report.insights[0].reason,
        "connections: 36 of 100; running: 4, idle: 30, idle in a transaction: 2"
    );
    let next = &report.next_actions[0];
    assert!(matches!(next.step, ReportedStep::RunSql(_)), "the settings");
    assert_eq!(report.next_actions.len(), 1);
}

#[test]
fn the_score_follows_the_share_that_is_used() {
    let score = |n| counts(&[group("app", "active", n)]).findings[0].score;
    assert!(score(60) <= 0.21, "{}", score(60));
    assert_eq!(score(75), 0.5);
    assert!((score(90) - 0.8).abs() < 1e-9);
    assert_eq!((score(100), score(140)), (1.0, 1.0));
    let mut last = 0.0;
    for n in 0..140 {
        let now = score(n);
        assert!(now >= last, "{n}");
        last = now;
    }
}

#[test]
fn idle_connections_near_the_limit_lead_to_a_pooler() {
    let report = counts(&[
        group("app", "idle", 80),
        group("app", "active", 5),
        group("ops", "active", 1),
    ]);
    let limit = &report.findings[0];
    assert_eq!(limit.title, "86.0 % of max_connections is used");
    assert_eq!(limit.kind, FindingKind::ConnectionPressure);
    assert_eq!(limit.reason_codes, ["connection_limit_near", "mostly_idle", "one_role"]);
    assert_eq!(limit.confidence, Confidence::High);
    assert_eq!(
        report.insight_ids(),
        ["connection_share", "idle_connections", "one_role_holds_most"]
    );
    assert_eq!(
        report.insights[2].reason,
        "connections of it: 85; roles that have connections: 2; the rows name it"
    );
    assert_eq!(
        report.labels()[..2],
        [
            "let a person free connections before the limit is reached",
            "let a person put a pooler before the server, or make the pools smaller"
        ]
    );
    assert!(report.next_actions[..2].iter().all(|next| next.findings == [0]));
    assert_eq!(report.recommendations(), 0);
}

#[test]
fn busy_connections_are_no_case_for_a_pooler_and_the_limit_can_be_reached() {
    let report = counts(&[group("app", "active", 100)]);
    assert_eq!(report.findings[0].reason_codes, ["connection_limit_reached"]);
    assert_eq!(report.insight_ids(), ["connection_share"]);
    assert!(report.labels().iter().all(|label| !label.contains("pooler")));
}

#[test]
fn too_many_groups_make_the_share_a_lower_bound() {
    let report = interpret(&outcome(&[group("app", "active", 80)], 100, OutcomeStatus::Truncated));
    assert_eq!(report.findings[0].confidence, Confidence::Medium);
    assert_eq!(report.limitations.len(), 1);
}

#[test]
fn a_forgotten_transaction_comes_with_a_limit_and_a_pause_without() {
    let idle = |longest_us| {
        counts(&[Group {
            longest_us,
            ..group("app", "idle in transaction", 3)
        }])
    };
    let report = idle(20 * MINUTE);
    assert_eq!(report.titles(), ["sessions that are idle in a transaction: 3"]);
    assert!((report.findings[0].score - 0.8).abs() < 1e-9);
    let limit = Recommendation::parameter(Setting::IdleInTransactionSessionTimeout, 300_000_000);
    assert_eq!(report.insights[1].recommendation, Some(limit));
    assert_eq!(report.workflows(), ["running-queries"]);
    assert_eq!(
        report.insights[1].reason,
        "the longest has done nothing for 20.0 min, and keeps its locks and its snapshot"
    );
    assert_eq!(idle(5 * MINUTE).recommendations(), 0, "a limit as low may be in force");
    idle(5_000_000).assert_calm();
}

#[test]
fn those_who_wait_for_locks_lead_to_the_tree() {
    let report = counts(&[Group {
        waiting: 5,
        ..group("app", "active", 8)
    }]);
    assert_eq!(report.titles(), ["sessions that wait for a lock now: 5"]);
    assert_eq!(report.findings[0].score, 0.5);
    assert_eq!(report.workflows(), ["lock-tree"]);
}

#[test]
fn the_worst_comes_first() {
    let report = counts(&[
        group("app", "active", 70),
        Group {
            longest_us: 60 * MINUTE,
            ..group("app", "idle in transaction", 1)
        },
    ]);
    let scores: Vec<f64> = report.findings.iter().map(|finding| finding.score).collect();
    assert_eq!(scores.len(), 2);
    assert!(scores[0] > scores[1]);
    assert_eq!(report.findings[0].reason_codes, ["idle_in_transaction"]);
}

#[test]
fn without_the_limit_there_is_no_share() {
    let report = interpret(&outcome(&[group("app", "active", 90)], 0, OutcomeStatus::Ok));
    report.assert_calm();
    assert_eq!(report.insights[0].title, "client connections: 90");
    assert_eq!(
        report.limitations,
        ["the outcome does not tell max_connections, so the share that is used is unknown"]
    );
}
