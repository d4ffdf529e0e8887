use pg_logstats_sdk::testkit::{self, ReportedStep, SessionRow, session_row};
use pg_logstats_sdk::{Cell, Confidence, FindingKind, Outcome, Priority, Recommendation, Row, Setting};

use super::{DATABASES, HORIZON, PREPARED, SEQUENCES, SETTINGS, VACUUMS, assert_rises, interpret, rows};

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn holder(kind: &str, age: i64) -> Vec<(&'static str, Cell)> {
    vec![("holder", text(kind)), ("xid_age", Cell::Int(age))]
}

/// A session's row with further cells; the kit's own rows about sessions have none.
fn with(outcome: Outcome, cells: &[(&str, Cell)]) -> Outcome {
    let Outcome { columns, rows, .. } = &outcome;
    let set = |row: &Row| {
        let mut row = row.clone();
        for (column, cell) in cells {
            let position = columns.iter().position(|name| name == column).unwrap();
            row.cells[position] = cell.clone();
        }
        row
    };
    let rows = rows.iter().map(set).collect();
    Outcome { rows, ..outcome }
}

fn session(state: &'static str, age: i64) -> Outcome {
    let row = SessionRow {
        state: Some(state),
        ..session_row(7)
    };
    with(testkit::outcome(HORIZON).session(row).build(), &holder("session", age))
}

#[test]
fn a_recent_horizon_is_well() {
    interpret(&rows(HORIZON, &[])).assert_well("horizon_is_recent");
    let report = interpret(&rows(
        HORIZON,
        &[holder("session", 15_000_000), holder("replication_slot", 9)],
    ));
    report.assert_well("horizon_is_recent");
}

#[test]
fn an_idle_session_that_holds_the_horizon_may_be_ended_by_a_persons_decision() {
    let report = interpret(&session("idle in transaction", 150_000_000));
    let finding = &report.findings[0];
    assert_eq!(
        finding.title,
        "se_7 keeps all rows of the last 150,000,000 transactions"
    );
    assert_eq!(finding.subject.as_deref(), Some("se_7"));
    assert_eq!(
        finding.reason_codes,
        ["xid_age", "session_horizon", "idle_in_transaction"]
    );
    assert!((0.5..0.8).contains(&finding.score));
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::EndSession("se_7".to_owned()))
    );
    assert_eq!(report.prompts(), ["let a person decide whether to end se_7"]);
    assert_eq!(report.next_actions[0].priority, Priority::Required);
}

#[test]
fn a_session_that_works_is_not_to_be_ended() {
    let report = interpret(&session("active", 150_000_000));
    assert_eq!(report.insight_ids(), ["session_holds_horizon"]);
    assert_eq!(report.insights[0].recommendation, None);
    assert_eq!(
        report.findings[0].confidence,
        Confidence::Medium,
        "it may be a VACUUM, which holds nothing back"
    );
    assert_eq!(report.offered(VACUUMS).count(), 1);
    assert_eq!(report.prompts(), ["let a person decide how long se_7 may go on"]);
}

#[test]
fn slots_and_prepared_transactions_lead_further() {
    let report = interpret(&rows(
        HORIZON,
        &[
            holder("replication_slot", 300_000_000),
            holder("prepared_transaction", 200_000_000),
        ],
    ));
    assert_eq!(
        report.findings[0].title,
        "the slot in row 1 keeps rows of the last 300,000,000 transactions"
    );
    assert_eq!(report.findings[1].reason_codes, ["xid_age", "prepared_transaction"]);
    assert_eq!(report.insight_ids(), ["slot_holds_horizon"]);
    let workflow = ReportedStep::RunWorkflow("replication-lag".to_owned());
    assert!(report.next_actions.iter().any(|next| next.step == workflow));
    assert_eq!(report.offered(PREPARED).next().unwrap().priority, Priority::Required);
    assert_eq!(report.offered(DATABASES).count(), 1);
}

#[test]
fn hidden_sessions_are_no_good_news() {
    let report = interpret(&rows(HORIZON, &[vec![("is_hidden", Cell::Boolean(true))]]));
    assert!(report.insights.is_empty());
    assert_eq!(
        report.limitations,
        ["sessions that the server does not show to the role: 1"]
    );
}

#[test]
fn more_is_never_less_bad() {
    let ages: Vec<i64> = (0..=2_200).step_by(10).map(|million| million * 1_000_000).collect();
    assert_rises(&ages, |age| {
        interpret(&rows(HORIZON, &[holder("session", age)])).worst_score()
    });
    let hours: Vec<i64> = (0..1_000).step_by(3).collect();
    assert_rises(&hours, |hours| {
        interpret(&rows(PREPARED, &[prepared(hours * 3_600, 1)])).worst_score()
    });
    let shares: Vec<i64> = (0..=100).collect();
    assert_rises(&shares, |percent| {
        interpret(&rows(SEQUENCES, &[sequence(percent as f64 / 100.0, false)])).worst_score()
    });
}

fn prepared(seconds: i64, xid_age: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("age", Cell::DurationUs(seconds * 1_000_000)),
        ("xid_age", Cell::Int(xid_age)),
    ]
}

#[test]
fn prepared_transactions_in_flight_are_well_and_forgotten_ones_are_not() {
    interpret(&rows(PREPARED, &[])).assert_well("no_old_prepared_transaction");
    interpret(&rows(PREPARED, &[prepared(20, 9_000)])).assert_well("no_old_prepared_transaction");
    let report = interpret(&rows(PREPARED, &[prepared(43_200, 9_000), prepared(20, 400_000_000)]));
    let rows: Vec<_> = report.findings.iter().map(|finding| finding.title.as_str()).collect();
    assert_eq!(
        rows,
        [
            "the prepared transaction in row 2 has been open for 20.00 s",
            "the prepared transaction in row 1 has been open for 12.0 h",
        ]
    );
    assert!((report.findings[1].score - 0.5).abs() < 1e-9);
    assert_eq!(report.insight_ids(), ["prepared_transaction_open"]);
    assert_eq!(
        report.prompts(),
        ["let a person commit or roll back the prepared transactions; how many: 2"]
    );
}

fn sequence(used: f64, is_cycled: bool) -> Vec<(&'static str, Cell)> {
    vec![
        ("used_ratio", Cell::Float(used)),
        ("is_cycled", Cell::Boolean(is_cycled)),
        ("remaining", Cell::Int(1_000)),
        ("sequences_read", Cell::Int(500)),
        ("sequences_total", Cell::Int(700)),
    ]
}

#[test]
fn sequences_with_room_are_well() {
    interpret(&rows(SEQUENCES, &[])).assert_well("sequences_have_room");
    let report = interpret(&rows(SEQUENCES, &[sequence(0.99, true), sequence(0.7, false)]));
    report.assert_well("sequences_have_room");
    assert_eq!(
        report.limitations,
        ["sequences that were read: 500 of 700, those of the smallest range first"]
    );
}

#[test]
fn a_sequence_near_its_end_is_for_a_person() {
    let report = interpret(&rows(SEQUENCES, &[sequence(0.95, false), sequence(0.1, false)]));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].kind, FindingKind::Wraparound);
    assert_eq!(report.findings[0].title, "the sequence in row 1 is used up to 95.0 %");
    assert_eq!(report.findings[0].reason, "values left: 1,000");
    assert!((report.findings[0].score - 0.85).abs() < 1e-9);
    assert_eq!(
        report.prompts(),
        ["let a person make room for the sequences; how many: 1"]
    );
    let hidden = interpret(&rows(SEQUENCES, &[vec![("is_hidden", Cell::Boolean(true))]]));
    assert_eq!(hidden.limitations, ["sequences that the role may not read: 1"]);
}

#[test]
fn a_sequence_that_can_be_named_is_to_be_extended() {
    let outcome = testkit::outcome(SEQUENCES)
        .sequence(1, &sequence(0.999, false))
        .sequence(2, &sequence(0.3, false))
        .build();
    let report = interpret(&outcome);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].title, "the sequence sq_1 is used up to 99.9 %");
    assert_eq!(report.findings[0].subject.as_deref(), Some("sq_1"));
    assert_eq!(report.insight_ids(), ["sequence_ends", "sequence_to_extend"]);
    assert_eq!(
        report.insights[1].recommendation,
        Some(Recommendation::ExtendSequence("sq_1".to_owned()))
    );
}

fn vacuum(running_s: i64, slept_ms: f64) -> Outcome {
    let cells = [
        ("is_autovacuum", Cell::Boolean(true)),
        ("running", Cell::DurationUs(running_s * 1_000_000)),
        ("delay_ms", Cell::Float(slept_ms)),
    ];
    with(testkit::outcome(VACUUMS).session(session_row(9)).build(), &cells)
}

#[test]
fn running_vacuums_are_told_and_those_that_sleep_lead_to_the_settings() {
    interpret(&rows(VACUUMS, &[])).assert_well("no_vacuum_running");
    let report = interpret(&vacuum(100, 10_000.0));
    assert_eq!(report.insight_ids(), ["vacuum_running"]);
    assert_eq!(report.insights[0].evidence, ["se_9"]);
    assert!(report.findings.is_empty());
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
    let report = interpret(&vacuum(100, 80_000.0));
    assert_eq!(report.insight_ids(), ["vacuum_running", "vacuum_throttled"]);
    assert_eq!(report.insights[1].title, "a vacuum has slept for 80.0 % of its time");
    assert_eq!(report.offered(SETTINGS).next().unwrap().priority, Priority::Required);
}

fn settings(changes: &[(&str, &str)]) -> Outcome {
    let defaults = [
        ("autovacuum", "on", ""),
        ("track_counts", "on", ""),
        ("autovacuum_vacuum_cost_delay", "2", "ms"),
        ("autovacuum_vacuum_cost_limit", "-1", ""),
        ("vacuum_cost_delay", "0", "ms"),
        ("vacuum_cost_limit", "200", ""),
    ];
    let rows_of = defaults.map(|(name, value, unit)| {
        let changed = changes.iter().find(|(changed, _)| *changed == name);
        let value = changed.map_or(value, |(_, value)| *value);
        vec![("name", text(name)), ("setting", text(value)), ("unit", text(unit))]
    });
    rows(SETTINGS, &rows_of)
}

#[test]
fn the_default_settings_are_well() {
    interpret(&settings(&[])).assert_well("settings_unremarkable");
    let not_slowed = settings(&[("autovacuum_vacuum_cost_delay", "-1")]);
    interpret(&not_slowed).assert_well("settings_unremarkable");
    assert!(
        interpret(&rows(SETTINGS, &[])).insights.is_empty(),
        "no rows are no good news"
    );
}

#[test]
fn autovacuum_that_is_off_is_found() {
    for name in ["autovacuum", "track_counts"] {
        let report = interpret(&settings(&[(name, "off")]));
        assert_eq!(report.findings[0].kind, FindingKind::Autovacuum);
        assert!((0.5..0.8).contains(&report.findings[0].score));
        assert_eq!(report.insight_ids(), ["autovacuum_disabled"]);
        assert_eq!(report.prompts(), ["let a person turn autovacuum and track_counts on"]);
    }
}

#[test]
fn autovacuum_that_was_slowed_gets_the_limit_that_makes_up_for_it() {
    let report = interpret(&settings(&[("autovacuum_vacuum_cost_delay", "20")]));
    assert_eq!(report.insight_ids(), ["autovacuum_slowed"]);
    assert_eq!(
        report.insights[0].title,
        "autovacuum may work at 10.0 % of the server's default rate"
    );
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::parameter(Setting::AutovacuumVacuumCostLimit, 2_000))
    );
    let made_up_for = settings(&[
        ("autovacuum_vacuum_cost_delay", "20"),
        ("autovacuum_vacuum_cost_limit", "2000"),
    ]);
    interpret(&made_up_for).assert_well("settings_unremarkable");
}

#[test]
fn forgotten_prepared_transactions_get_their_sql_and_a_person_decides() {
    let outcome = testkit::outcome(PREPARED)
        .object(1, &prepared(43_200, 9_000))
        .object(2, &prepared(20, 9_000))
        .build();
    let report = interpret(&outcome);
    let advised: Vec<_> = report
        .insights
        .iter()
        .filter_map(|insight| insight.recommendation.clone())
        .collect();
    assert_eq!(advised, [Recommendation::RollbackPrepared("pt_1".to_owned())]);
    assert_eq!(report.findings[0].subject.as_deref(), Some("pt_1"));
    assert_eq!(report.prompts().len(), 1);
}
