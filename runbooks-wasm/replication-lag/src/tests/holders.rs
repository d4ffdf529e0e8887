//! What replay waits for.

use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{Cell, Confidence, Outcome, Priority, Recommendation};

use super::{HOLDERS, SETTINGS, STANDBYS, interpret, text};

/// Replay waits for `wait`, and these sessions are listed, of which the server hides those without a pid.
fn waiting(wait: &str, is_one_database: bool, sessions: &[Option<i32>]) -> Outcome {
    let row = |pid: &Option<i32>| {
        vec![
            ("replay_waits_for", text(wait)),
            ("is_paused", Cell::Boolean(false)),
            ("pid", Cell::Int(i64::from(pid.unwrap_or(1)))),
            ("is_one_database", Cell::Boolean(is_one_database)),
        ]
    };
    let rows: Vec<_> = sessions.iter().map(row).collect();
    let mut outcome = testkit::outcome(HOLDERS).rows(&rows).build();
    for (row, pid) in outcome.rows.iter_mut().zip(sessions) {
        row.subject = pid.map(testkit::session);
    }
    outcome
}

/// Replay waits for nobody that is listed.
fn alone(wait: Option<&str>, is_paused: bool) -> Report {
    let row = [
        ("replay_waits_for", wait.map_or(Cell::Null, text)),
        ("is_paused", Cell::Boolean(is_paused)),
    ];
    interpret(&testkit::outcome(HOLDERS).row(&row).build())
}

fn leads_to_running_queries(report: &Report) -> bool {
    let step = ReportedStep::RunWorkflow("running-queries".to_owned());
    report.next_actions.iter().any(|next| next.step == step)
}

#[test]
fn the_oldest_transaction_holds_replay_up_and_a_person_may_end_it() {
    let report = interpret(&waiting("snapshot", true, &[Some(7), Some(8), Some(9)]));
    assert_eq!(report.insight_ids(), ["replay_held_up"]);
    let insight = &report.insights[0];
    assert_eq!(insight.title, "se_7 holds replay up");
    assert_eq!(
        insight.reason,
        "its transaction sees the oldest rows, and replay has to remove some; sessions that see others, and may be next: 2"
    );
    assert_eq!(insight.confidence, Confidence::High);
    assert_eq!(insight.evidence, ["se_7"]);
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::EndSession("se_7".to_owned()))
    );
    assert_eq!(report.prompts(), ["let a person decide whether to end se_7"]);
    assert_eq!(report.next_actions[0].priority, Priority::Required);
    assert!(leads_to_running_queries(&report));
}

#[test]
fn of_several_databases_nobody_knows_in_which_replay_waits() {
    let report = interpret(&waiting("snapshot", false, &[Some(7), Some(8)]));
    assert_eq!(report.insight_ids(), ["replay_held_up"]);
    assert_eq!(report.insights[0].confidence, Confidence::Medium);
    assert!(report.insights[0].reason.contains("does not name"));
}

/// To end a younger one would help nothing, and whoever has the lock is to blame whether the others show or not.
#[test]
fn where_the_oldest_is_hidden_no_other_is_blamed() {
    let report = interpret(&waiting("snapshot", true, &[None, Some(8)]));
    assert_eq!(report.insight_ids(), ["replay_waits"]);
    assert_eq!(report.insights[0].recommendation, None);
    assert_eq!(report.prompts(), ["let a person look at the standby's longest queries"]);
    let report = interpret(&waiting("lock", false, &[None, Some(8)]));
    assert_eq!(report.insights[0].title, "se_8 holds replay up");
    assert_eq!(
        report.insights[0].reason,
        "it has a lock that replay needs; others that have it, too: 1"
    );
    assert_eq!(report.insights[0].confidence, Confidence::High);
}

#[test]
fn what_the_server_does_not_show_is_left_to_a_person() {
    let reasons: Vec<String> = ["snapshot", "lock", "buffer_pin", "tablespace", "patience"]
        .iter()
        .map(|wait| {
            let report = alone(Some(wait), false);
            assert_eq!(report.insight_ids(), ["replay_waits"], "{wait}");
            assert!(report.insights[0].recommendation.is_none());
            assert_eq!(report.prompts(), ["let a person look at the standby's longest queries"]);
            assert!(leads_to_running_queries(&report));
            report.insights[0].reason.clone()
        })
        .collect();
    for (part, reason) in ["sees rows", "a lock", "a page", "temporary files"]
        .iter()
        .zip(&reasons)
    {
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn replay_that_somebody_paused_needs_somebody_to_go_on() {
    let report = alone(None, true);
    assert_eq!(report.insight_ids(), ["replay_paused"]);
    assert_eq!(
        report.prompts(),
        ["let a person decide whether replay goes on (pg_wal_replay_resume)"]
    );
    // It waited for a session when it was paused.
    let both = alone(Some("lock"), true);
    assert_eq!(both.insight_ids(), ["replay_paused", "replay_waits"]);
}

#[test]
fn what_is_hidden_is_no_good_news() {
    let row = [("is_hidden", Cell::Boolean(true)), ("is_paused", Cell::Boolean(false))];
    let report = interpret(&testkit::outcome(HOLDERS).row(&row).build());
    assert!(report.insights.is_empty());
    assert_eq!(
        report.limitations,
        ["the server does not show this role what replay waits for"]
    );
}

#[test]
fn replay_that_waits_for_nobody_is_well_and_none_is_no_fault() {
    let runs = alone(None, false);
    runs.assert_well("replay_runs");
    assert_eq!(runs.offered(SETTINGS).count(), 1);
    let primary = interpret(&testkit::outcome(HOLDERS).build());
    primary.assert_well("no_replay");
    assert_eq!(primary.offered(STANDBYS).count(), 1);
}
