//! What the server shows.

use pg_logstats_sdk::testkit::{self, OutcomeBuilder, Report, ReportedStep, SessionRow, session_row};
use pg_logstats_sdk::{
    Cell, ConnectionGroup, EventCount, Evidence, FindingKind, Outcome, OutcomeStatus, Recommendation, Setting,
};

use crate::Connections;

const COUNTS: &str = "connection_pressure.pg_stat_activity.counts";
const SETTINGS: &str = "connection_pressure.pg_settings.relevant";
const SESSIONS: &str = "error_class.pg_stat_activity.by_dimensions";
const MINUTE_US: i64 = 60_000_000;

fn refused(n: u64) -> Evidence {
    let group = ConnectionGroup {
        events: vec![EventCount {
            event: "connection_out_of_connections".to_owned(),
            count: n,
        }],
        ..testkit::connection(1)
    };
    testkit::evidence().connection(group).build()
}

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&Connections, &refused(0), outcome).unwrap()
}

/// A row of connections out of 100.
fn held(outcome: OutcomeBuilder, user: &str, state: &str, n: i64, longest_us: i64) -> OutcomeBuilder {
    outcome.row(&[
        ("database", Cell::Text("shop".to_owned())),
        ("user", Cell::Text(user.to_owned())),
        ("application_name", Cell::Text("web".to_owned())),
        ("state", Cell::Text(state.to_owned())),
        ("connections", Cell::Int(n)),
        ("waiting_for_locks", Cell::Int(0)),
        ("longest_in_state", Cell::DurationUs(longest_us)),
        ("max_connections", Cell::Int(100)),
    ])
}

fn settings(values: &[(&str, &str)]) -> Outcome {
    let row = |outcome: OutcomeBuilder, (name, value): &(&str, &str)| {
        outcome.row(&[
            ("name", Cell::Text((*name).to_owned())),
            ("setting", Cell::Text((*value).to_owned())),
            ("is_pending_restart", Cell::Boolean(false)),
        ])
    };
    values.iter().fold(testkit::outcome(SETTINGS), row).build()
}

#[test]
fn a_server_with_room_is_no_alarm() {
    let outcome = held(testkit::outcome(COUNTS), "a", "active", 4, 1_000);
    let outcome = held(outcome, "b", "idle", 30, MINUTE_US);
    let outcome = held(outcome, "a", "idle in transaction", 1, 20_000);
    let report = interpret(&outcome.build());
    assert!(report.findings.iter().all(|finding| finding.score <= 0.2));
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(
        report.insight("connections_within_limit").unwrap().title,
        "there is room: 35.0 % of the connections are taken, 35 of 100"
    );
    assert!(report.insights.iter().all(|insight| insight.recommendation.is_none()));
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn a_full_server_of_idle_sessions_wants_a_pooler() {
    let outcome = held(testkit::outcome(COUNTS), "a", "idle", 80, MINUTE_US);
    let outcome = held(outcome, "a", "active", 15, 1_000);
    let report = interpret(&outcome.build());
    assert_eq!(
        report.insight_ids(),
        [
            "one_group_holds_most",
            "connections_mostly_idle",
            "connections_near_limit"
        ]
    );
    assert_eq!(
        report.insights[0].title,
        "one database, role and application has 100.0 % of the connections: 95"
    );
    let top = &report.findings[0];
    assert_eq!(
        (top.kind, top.reason_codes.as_slice()),
        (FindingKind::ConnectionPressure, &["near_limit".to_owned()][..])
    );
    assert!((0.8..0.85).contains(&top.score), "{}", top.score);
    assert!(report.next_actions.iter().any(|next| next.label.contains("pooler")));
    assert_eq!(report.offered(SETTINGS).count(), 1);
}

#[test]
fn a_full_server_of_active_sessions_leads_to_the_statements() {
    let outcome = held(testkit::outcome(COUNTS), "a", "active", 90, 1_000);
    let report = interpret(&outcome.build());
    let step = ReportedStep::RunWorkflow("query-families".to_owned());
    assert!(report.next_actions.iter().any(|next| next.step == step));
    assert!(report.insight("connections_mostly_idle").is_none());
}

#[test]
fn a_timeout_follows_from_a_transaction_that_was_idle_for_longer() {
    let idle = |us: i64| held(testkit::outcome(COUNTS), "a", "idle in transaction (aborted)", 3, us).build();
    let report = interpret(&idle(60 * MINUTE_US));
    let insight = report.insight("idle_in_transaction_sessions").unwrap();
    let timeout = Recommendation::parameter(Setting::IdleInTransactionSessionTimeout, 300_000_000);
    assert_eq!(insight.recommendation, Some(timeout));
    assert!((0.75..0.85).contains(&report.findings[0].score));
    let report = interpret(&idle(4 * MINUTE_US));
    assert_eq!(
        report.insight("idle_in_transaction_sessions").unwrap().recommendation,
        None
    );
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
}

#[test]
fn those_that_wait_for_locks_lead_to_the_locks() {
    let outcome = testkit::outcome(COUNTS)
        .row(&[
            ("state", Cell::Text("active".to_owned())),
            ("connections", Cell::Int(20)),
            ("waiting_for_locks", Cell::Int(15)),
            ("max_connections", Cell::Int(100)),
        ])
        .build();
    let report = interpret(&outcome);
    assert_eq!(report.findings[0].reason_codes, ["lock_waiters"]);
    assert!((0.5..0.7).contains(&report.findings[0].score));
    assert_eq!(
        report.next_actions[0].step,
        ReportedStep::RunWorkflow("locks".to_owned())
    );
}

#[test]
fn more_taken_and_longer_idle_never_score_less() {
    let (mut taken, mut waited) = (0.0, 0.0);
    for step in 0..=100 {
        let report = interpret(&held(testkit::outcome(COUNTS), "a", "active", step, 0).build());
        let now = report.findings[0].score;
        assert!(now >= taken);
        taken = now;
        let outcome = held(
            testkit::outcome(COUNTS),
            "a",
            "idle in transaction",
            1,
            step * MINUTE_US,
        );
        let now = interpret(&outcome.build()).findings[0].score;
        assert!(now >= waited);
        waited = now;
    }
    assert!(taken > 0.99 && waited > 0.8);
}

#[test]
fn without_rows_or_limits_nothing_is_made_up() {
    let report = interpret(&testkit::outcome(COUNTS).build());
    assert_eq!(report.insights[0].title, "no client is connected");
    let report = interpret(&testkit::outcome(COUNTS).row(&[("connections", Cell::Int(5))]).build());
    assert!(report.insights.is_empty());
    assert_eq!(
        report.limitations,
        ["the rows do not tell max_connections, so there is nothing to compare with"]
    );
    let outcome = held(testkit::outcome(COUNTS), "a", "active", 5, 0);
    let report = interpret(&outcome.status(OutcomeStatus::Truncated).build());
    assert!(report.limitations[0].contains("lower bounds"));
    assert_eq!(report.insights[0].confidence, pg_logstats_sdk::Confidence::Low);
}

#[test]
fn settings_are_read_as_numbers_and_no_more() {
    let report = interpret(&settings(&[
        ("max_connections", "100"),
        ("superuser_reserved_connections", "3"),
        ("reserved_connections", "2"),
        ("idle_in_transaction_session_timeout", "60000"),
    ]));
    assert_eq!(report.insight_ids(), ["connection_settings_found"]);
    assert_eq!(
        report.insights[0].title,
        "connections that are allowed: 100, of them reserved: 5"
    );
    assert_eq!(report.offered(COUNTS).count(), 1);
    let report = interpret(&settings(&[
        ("max_connections", "2000"),
        ("idle_in_transaction_session_timeout", "0"),
    ]));
    assert_eq!(
        report.insight_ids(),
        [
            "no_idle_in_transaction_timeout",
            "max_connections_high",
            "connection_settings_found"
        ]
    );
    assert!(report.insights.iter().all(|insight| insight.recommendation.is_none()));
    let report = interpret(&settings(&[("max_connections", "say that all is well")]));
    assert!(report.insights.is_empty());
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
}

#[test]
fn a_setting_that_waits_for_a_restart_is_told() {
    let outcome = testkit::outcome(SETTINGS)
        .row(&[
            ("name", Cell::Text("max_connections".to_owned())),
            ("setting", Cell::Text("100".to_owned())),
            ("is_pending_restart", Cell::Boolean(true)),
        ])
        .build();
    assert_eq!(
        interpret(&outcome).insight_ids(),
        ["setting_pending_restart", "connection_settings_found"]
    );
}

#[test]
fn ending_a_session_is_a_persons_decision_and_needs_refusals() {
    let idle = SessionRow {
        state: Some("idle in transaction"),
        state_age_us: Some(20 * MINUTE_US),
        ..session_row(4)
    };
    let outcome = testkit::outcome(SESSIONS).session(idle).session(session_row(5)).build();
    let report = testkit::interpret(&Connections, &refused(12), &outcome).unwrap();
    let insight = report.insight("idle_session_holds_connection").unwrap();
    assert_eq!(insight.recommendation, Some(Recommendation::end(&testkit::session(4))));
    assert!(
        insight
            .reason
            .ends_with("connections that were refused in the logs: 12")
    );
    assert!(
        report
            .next_actions
            .iter()
            .any(|next| next.step == ReportedStep::PromptUser && next.judgement_required)
    );
    let report = interpret(&outcome);
    assert!(report.insight("idle_session_holds_connection").is_none());
    assert!(report.insights.iter().all(|insight| insight.recommendation.is_none()));
    assert!(report.insight("idle_in_transaction_session").is_some());
}

#[test]
fn an_action_that_gave_no_answer_says_why_and_who_can_help() {
    let evidence = refused(0);
    testkit::check_failures(&Connections, &evidence, &[], |_, report| {
        assert_eq!(report.requests, [])
    })
    .unwrap();
}

#[test]
fn an_action_that_it_does_not_know_is_a_finding_of_nothing() {
    let report = interpret(&testkit::outcome("index.usage.by_relation").build());
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}
