use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{
    AutovacuumGroup, AutovacuumRun, Cell, Evidence, FindingKind, Outcome, Recommendation, SetParameter, Setting,
    VacuumRelation,
};

use crate::Autovacuum;

fn group() -> AutovacuumGroup {
    testkit::autovacuum(1)
}

fn judge_with(group: AutovacuumGroup, outcome: &Outcome) -> Report {
    let evidence: Evidence = testkit::evidence().autovacuum(group).build();
    testkit::interpret(&Autovacuum, &evidence, outcome).unwrap()
}

fn judge(action: &str, rows: &[&[(&str, Cell)]]) -> Report {
    let outcome = testkit::outcome(action).about(&group().table);
    let outcome = rows.iter().fold(outcome, |outcome, row| outcome.row(row));
    judge_with(group(), &outcome.build())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn parameter(report: &Report, insight: &str) -> Option<(Setting, u64)> {
    match report.insight(insight)?.recommendation {
        Some(Recommendation::SetParameter(SetParameter { setting, value })) => Some((setting, value)),
        _ => None,
    }
}

const TABLE: &str = "relation.pg_stat_all_tables.statistics";
const XMIN: &str = "wraparound.pg_stat_activity.oldest_xmin";

#[test]
fn a_table_of_dead_rows_is_to_be_vacuumed_unless_something_keeps_them() {
    let row: &[(&str, Cell)] = &[
        ("n_live_tup", Cell::Int(600_000)),
        ("n_dead_tup", Cell::Int(400_000)),
        ("last_autovacuum", Cell::At(1_767_323_045_000_000)),
    ];
    let report = judge(TABLE, &[row]);
    assert_eq!(report.insight_ids(), ["many_dead_rows"]);
    assert_eq!(report.insights[0].title, "40.0 % of the rows of rl_table_1 are dead");
    let vacuum = VacuumRelation {
        relation: "rl_table_1".to_owned(),
        freeze: false,
    };
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::VacuumRelation(vacuum))
    );
    assert!(!report.prompts().is_empty());

    let held = AutovacuumGroup {
        max_tuples_dead_not_removable: 390_000,
        ..group()
    };
    let outcome = testkit::outcome(TABLE).about(&held.table).row(row).build();
    let report = judge_with(held, &outcome);
    assert_eq!(report.insights[0].recommendation, None);
    assert_eq!(report.offered(XMIN).count(), 1);
}

#[test]
fn a_clean_table_is_nothing_and_old_statistics_are_something() {
    let clean: &[(&str, Cell)] = &[
        ("n_live_tup", Cell::Int(1_000_000)),
        ("n_dead_tup", Cell::Int(100_000)),
        ("n_mod_since_analyze", Cell::Int(10_000)),
    ];
    let report = judge(TABLE, &[clean]);
    assert_eq!(report.insight_ids(), ["table_clean"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    let changed: &[(&str, Cell)] = &[
        ("n_live_tup", Cell::Int(1_000_000)),
        ("n_dead_tup", Cell::Int(0)),
        ("n_mod_since_analyze", Cell::Int(700_000)),
    ];
    let report = judge(TABLE, &[changed]);
    assert_eq!(report.insight_ids(), ["table_statistics_old"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::AnalyzeRelation("rl_table_1".to_owned()))
    );
}

#[test]
fn empty_room_is_told_by_how_much_it_is() {
    let row = |empty: i64| {
        [
            ("bloat_bytes", Cell::Int(empty)),
            ("size_bytes", Cell::Int(1 << 30)),
            ("columns_without_statistics", Cell::Int(0)),
            ("estimated_rows", Cell::Float(5e6)),
        ]
    };
    let report = judge("relation.pg_stats.bloat_estimate", &[&row(700 << 20)]);
    assert_eq!(report.insight_ids(), ["table_bloated"]);
    assert!(
        matches!(&report.insights[0].recommendation, Some(Recommendation::SetAutovacuum(set))
        if set.scale_factor_thousandths == 100)
    );
    let report = judge("relation.pg_stats.bloat_estimate", &[&row(100 << 20)]);
    assert_eq!(report.insight_ids(), ["table_compact"]);
}

#[test]
fn tables_far_over_their_threshold_are_counted() {
    let row = |dead: i64, enabled: bool| {
        [
            ("n_live_tup", Cell::Int(1_000_000)),
            ("n_dead_tup", Cell::Int(dead)),
            ("vacuum_threshold", Cell::Float(200_050.0)),
            ("is_autovacuum_enabled", Cell::Boolean(enabled)),
        ]
    };
    let action = "autovacuum.pg_stat_all_tables.most_dead";
    let report = judge(
        action,
        &[&row(1_000_000, true), &row(900_000, false), &row(250_000, true)],
    );
    assert_eq!(
        report.insight_ids(),
        ["tables_overdue", "autovacuum_disabled_for_tables"]
    );
    assert!(report.insights[0].title.ends_with(": 2; the first has 50.0 % dead"));
    assert_eq!(report.offered(XMIN).count(), 1);
    let report = judge(action, &[&row(250_000, true)]);
    assert_eq!(report.insight_ids(), ["tables_in_bounds"]);
}

#[test]
fn the_age_of_a_database_is_a_score() {
    let score = |age: i64| {
        let row: &[(&str, Cell)] = &[
            ("xid_age", Cell::Int(age)),
            ("xids_left", Cell::Int(2_144_483_647 - age)),
            ("autovacuum_freeze_max_age", Cell::Int(200_000_000)),
        ];
        let report = judge("wraparound.pg_database.ages", &[row]);
        (
            report.findings[0].kind,
            report.findings[0].score,
            !report.prompts().is_empty(),
        )
    };
    assert_eq!(score(205_000_000), (FindingKind::NothingFound, 0.0, false));
    let (kind, middle, asked) = score(700_000_000);
    assert_eq!((kind, asked), (FindingKind::Wraparound, false));
    assert!((0.45..0.55).contains(&middle), "{middle}");
    let (_, high, asked) = score(1_600_000_000);
    assert!(high > 0.8 && asked, "{high}");
    assert!(score(2_100_000_000).1 > high);
}

#[test]
fn old_tables_lead_to_what_keeps_them_old() {
    let action = "wraparound.pg_class.oldest_tables";
    let report = judge(
        action,
        &[&[("xid_age", Cell::Int(10)), ("toast_xid_age", Cell::Int(900_000_000))]],
    );
    assert_eq!(report.insight_ids(), ["wraparound_near"]);
    assert_eq!(report.offered(XMIN).count(), 1);
    let report = judge(action, &[&[("xid_age", Cell::Int(210_000_000))]]);
    assert_eq!(report.insight_ids(), ["wraparound_far"]);
}

/// A holder of the horizon; a session has its subject.
fn holder(outcome: testkit::OutcomeBuilder, cells: &[(&str, Cell)], pid: i32) -> Outcome {
    let mut outcome = outcome.row(cells).build();
    outcome.rows[0].subject = (pid > 0).then(|| testkit::session(pid));
    outcome
}

#[test]
fn each_holder_of_the_horizon_has_its_remedy() {
    let xid_age = ("xid_age", Cell::Int(50_000_000));
    let started = ("xact_start", Cell::At(1));
    let session = ("holder", text("session"));
    let idle = [
        session.clone(),
        ("state", text("idle in transaction")),
        started.clone(),
        xid_age.clone(),
    ];
    let report = judge_with(group(), &holder(testkit::outcome(XMIN), &idle, 7));
    assert_eq!(report.insight_ids(), ["horizon_held_by_idle_session"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::EndSession("se_7".to_owned()))
    );
    assert!(!report.prompts().is_empty());

    let busy = [session.clone(), ("state", text("active")), started, xid_age.clone()];
    let report = judge_with(group(), &holder(testkit::outcome(XMIN), &busy, 7));
    assert_eq!(report.insight_ids(), ["horizon_held_by_busy_session"]);
    assert_eq!(report.insights[0].recommendation, None);

    let sender = [session, ("state", text("active")), xid_age.clone()];
    let report = judge_with(group(), &holder(testkit::outcome(XMIN), &sender, 7));
    assert_eq!(report.insight_ids(), ["horizon_held_by_standby"]);
    assert_eq!(
        report.next_actions[0].step,
        ReportedStep::RunWorkflow("replication".to_owned())
    );

    let slot = [("holder", text("replication_slot")), xid_age.clone()];
    let report = judge_with(group(), &holder(testkit::outcome(XMIN), &slot, 0));
    assert_eq!(report.insight_ids(), ["horizon_held_by_slot"]);
    assert_eq!(report.offered("replication.pg_replication_slots.state").count(), 1);

    let prepared = [("holder", text("prepared_transaction")), xid_age];
    let report = judge_with(group(), &holder(testkit::outcome(XMIN), &prepared, 0));
    assert_eq!(report.insight_ids(), ["horizon_held_by_prepared_transaction"]);
    assert!(!report.prompts().is_empty());

    let young = [("holder", text("session")), ("xid_age", Cell::Int(500))];
    let report = judge_with(group(), &holder(testkit::outcome(XMIN), &young, 7));
    assert_eq!(report.insight_ids(), ["horizon_young"]);
}

#[test]
fn hidden_sessions_are_said_to_be_hidden() {
    let report = judge(
        XMIN,
        &[&[("holder", text("session")), ("is_hidden", Cell::Boolean(true))]],
    );
    assert_eq!(report.insight_ids(), ["horizon_young"]);
    assert_eq!(report.limitations.len(), 1);
}

#[test]
fn prepared_transactions_and_slots_that_are_old_go_to_a_person() {
    let action = "prepared_transaction.pg_prepared_xacts.open";
    let report = judge(action, &[&[("age", Cell::DurationUs(86_400_000_000))]]);
    assert_eq!(report.insight_ids(), ["prepared_transactions_old"]);
    assert!(!report.prompts().is_empty());
    let report = judge(action, &[&[("age", Cell::DurationUs(1_000_000))]]);
    assert_eq!(report.insight_ids(), ["prepared_transactions_none_old"]);
    assert!(report.prompts().is_empty());

    let action = "replication.pg_replication_slots.state";
    let old: &[(&str, Cell)] = &[
        ("is_active", Cell::Boolean(false)),
        ("catalog_xmin_age", Cell::Int(9_000_000)),
    ];
    let report = judge(action, &[old]);
    assert_eq!(report.insight_ids(), ["horizon_held_by_slot"]);
    assert!(!report.prompts().is_empty());
    let report = judge(
        action,
        &[&[("is_active", Cell::Boolean(true)), ("xmin_age", Cell::Int(9))]],
    );
    assert_eq!(report.insight_ids(), ["slots_keep_no_old_rows"]);
}

#[test]
fn a_running_vacuum_shows_its_memory_and_its_sleep() {
    let action = "progress.pg_stat_progress_vacuum.running";
    let report = judge(
        action,
        &[&[
            ("is_autovacuum", Cell::Boolean(true)),
            ("index_vacuum_count", Cell::Int(3)),
            ("max_dead_bytes", Cell::Int(64 << 20)),
            ("delay_ms", Cell::Float(3_000_000.0)),
            ("running", Cell::DurationUs(3_600_000_000)),
        ]],
    );
    assert_eq!(
        report.insight_ids(),
        ["vacuum_running", "memory_too_small", "vacuum_sleeps"]
    );
    assert_eq!(
        parameter(&report, "memory_too_small"),
        Some((Setting::AutovacuumWorkMem, 256 << 20))
    );
    assert_eq!(report.offered("autovacuum.pg_settings.relevant").count(), 1);
    let report = judge(action, &[]);
    assert_eq!(report.insight_ids(), ["vacuum_not_running"]);
}

fn settings(rows: &[(&str, &str)]) -> Outcome {
    let outcome = testkit::outcome("autovacuum.pg_settings.relevant");
    let add = |outcome: testkit::OutcomeBuilder, (name, value): &(&str, &str)| {
        outcome.row(&[("name", text(name)), ("setting", text(value))])
    };
    rows.iter().fold(outcome, add).build()
}

#[test]
fn the_cost_limit_is_raised_only_for_a_run_that_it_held_back() {
    let defaults = settings(&[
        ("autovacuum", "on"),
        ("autovacuum_vacuum_cost_delay", "2"),
        ("autovacuum_vacuum_cost_limit", "-1"),
        ("vacuum_cost_limit", "200"),
        ("log_autovacuum_min_duration", "600000"),
    ]);
    let slow = |dirtied: u64| AutovacuumGroup {
        longest: Some(AutovacuumRun {
            elapsed_us: 3_600_000_000,
            buffers_dirtied: Some(dirtied),
            ..group().longest.unwrap()
        }),
        ..group()
    };
    // 100,000 a second is what the defaults allow: 16 million pages made dirty are 320 million of 360.
    let report = judge_with(slow(16_000_000), &defaults);
    assert_eq!(report.insight_ids(), ["autovacuum_throttled"]);
    assert_eq!(
        parameter(&report, "autovacuum_throttled"),
        Some((Setting::AutovacuumVacuumCostLimit, 800))
    );
    assert!(!report.prompts().is_empty());
    let report = judge_with(slow(1_000_000), &defaults);
    assert_eq!(report.insight_ids(), ["autovacuum_settings_unremarkable"]);
}

#[test]
fn what_is_switched_off_is_told() {
    let off = settings(&[("autovacuum", "off"), ("log_autovacuum_min_duration", "-1")]);
    let report = judge_with(group(), &off);
    assert_eq!(report.insight_ids(), ["autovacuum_off", "autovacuum_not_logged"]);
    assert!(!report.prompts().is_empty());
}

#[test]
fn what_keeps_old_rows_without_a_session_gets_its_sql() {
    let advised = |outcome: testkit::OutcomeBuilder| -> Vec<Recommendation> {
        let report = judge_with(group(), &outcome.build());
        let insights = report.insights.iter();
        insights.filter_map(|insight| insight.recommendation.clone()).collect()
    };
    let prepared = |seconds: i64| {
        [
            ("age", Cell::DurationUs(seconds * 1_000_000)),
            ("xid_age", Cell::Int(5)),
        ]
    };
    let outcome = testkit::outcome("prepared_transaction.pg_prepared_xacts.open");
    assert_eq!(
        advised(outcome.object(1, &prepared(86_400)).object(2, &prepared(20))),
        [Recommendation::RollbackPrepared("pt_1".to_owned())]
    );
    let slot = |xids: i64| {
        [
            ("is_active", Cell::Boolean(false)),
            ("is_temporary", Cell::Boolean(false)),
            ("catalog_xmin_age", Cell::Int(xids)),
        ]
    };
    let outcome = testkit::outcome("replication.pg_replication_slots.state");
    let outcome = outcome
        .object(1, &slot(5))
        .object(2, &slot(5_000_000))
        .object(3, &slot(9_000_000));
    let expected = ["sl_3", "sl_2"].map(|slot| Recommendation::DropReplicationSlot(slot.to_owned()));
    assert_eq!(advised(outcome), expected, "the oldest first, and no young one");
}
