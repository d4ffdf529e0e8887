use pg_logstats_sdk::testkit::{self, Report};
use pg_logstats_sdk::{AutovacuumKind, Cell, FindingKind, Recommendation};

use super::{DATABASES, HORIZON, SETTINGS, TABLES, VACUUMS, assert_rises, interpret, rows};
use crate::Wraparound;

const LIMIT: i64 = 2_144_483_647;

fn database(xid_age: i64, multixact_age: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("xid_age", Cell::Int(xid_age)),
        ("autovacuum_freeze_max_age", Cell::Int(200_000_000)),
        ("xids_left", Cell::Int((LIMIT - xid_age).max(0))),
        ("multixact_age", Cell::Int(multixact_age)),
        ("autovacuum_multixact_freeze_max_age", Cell::Int(400_000_000)),
        ("multixacts_left", Cell::Int((LIMIT - multixact_age).max(0))),
    ]
}

fn table(xid_age: i64, toast_xid_age: i64, multixact_age: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("xid_age", Cell::Int(xid_age)),
        ("toast_xid_age", Cell::Int(toast_xid_age)),
        ("multixact_age", Cell::Int(multixact_age)),
        ("size_bytes", Cell::Int(1 << 30)),
    ]
}

#[test]
fn databases_that_autovacuum_keeps_young_are_well() {
    for (xids, multixacts) in [(1_000, 0), (199_000_000, 399_000_000), (240_000_000, 450_000_000)] {
        let report = interpret(&rows(DATABASES, &[database(xids, multixacts), database(3, 0)]));
        report.assert_well("databases_frozen_in_time");
    }
}

#[test]
fn a_database_that_is_not_frozen_in_time_is_found() {
    let report = interpret(&rows(
        DATABASES,
        &[database(1_072_241_824, 0), database(600_000_000, 0), database(1_000, 0)],
    ));
    assert_eq!(report.findings.len(), 2);
    let worst = &report.findings[0];
    assert_eq!(worst.kind, FindingKind::Wraparound);
    assert_eq!(worst.title, "the database in row 1 has used 50.0 % of its ids");
    assert_eq!(
        worst.reason,
        "its oldest transaction id is 1,072,241,824 transactions old; autovacuum is forced at 200,000,000"
    );
    assert_eq!(worst.reason_codes, ["xid_age", "freeze_overdue"]);
    assert!((worst.score - 0.8).abs() < 1e-6, "{}", worst.score);
    assert!((0.5..0.6).contains(&report.findings[1].score));
    assert_eq!(report.insight_ids(), ["database_near_wraparound"]);
    for action in [HORIZON, TABLES, VACUUMS, SETTINGS] {
        assert_eq!(report.offered(action).count(), 1, "{action}");
    }
    assert_eq!(report.prompts(), ["let a person look at the oldest database itself"]);
}

#[test]
fn multixacts_end_too() {
    let report = interpret(&rows(DATABASES, &[database(1_000, 1_700_000_000)]));
    let finding = &report.findings[0];
    assert_eq!(
        finding.reason_codes,
        ["multixact_age", "freeze_overdue", "failsafe_age"]
    );
    assert!(finding.score > 0.9);
}

#[test]
fn a_server_at_its_limit_is_the_worst_there_is() {
    let report = interpret(&rows(DATABASES, &[database(LIMIT + 5, 0)]));
    assert_eq!(report.findings[0].score, 1.0);
    assert!(report.findings[0].reason_codes.contains(&"limit_reached".to_owned()));
}

#[test]
fn a_freeze_age_that_was_raised_is_respected_up_to_half_of_the_limit() {
    let raised = |age: i64| {
        let mut row = database(age, 0);
        row[1] = ("autovacuum_freeze_max_age", Cell::Int(1_500_000_000));
        interpret(&rows(DATABASES, &[row])).worst_score()
    };
    assert!(raised(900_000_000) <= 0.2);
    assert!(raised(1_400_000_000) > 0.8);
}

#[test]
fn a_freeze_age_that_was_lowered_is_heard_as_much_earlier_and_never_louder_than_the_ids_that_are_left() {
    let lowered = |age: i64| {
        let mut row = database(age, 0);
        row[1] = ("autovacuum_freeze_max_age", Cell::Int(100_000));
        interpret(&rows(DATABASES, &[row]))
    };
    lowered(120_000).assert_well("databases_frozen_in_time");
    let late = lowered(310_000);
    assert_eq!(
        late.findings[0].title,
        "the oldest ids of the database in row 1 are at 310.0 % of the age that forces autovacuum"
    );
    assert_eq!(late.findings[0].reason_codes, ["xid_age", "freeze_overdue"]);
    assert!((0.5..0.6).contains(&late.worst_score()), "{}", late.worst_score());
    assert!(lowered(90_000_000).worst_score() < 0.8, "two billion are left");
    assert_rises(
        &[120_000, 130_000, 200_000, 310_000, 900_000, 500_000_000, 1_200_000_000],
        |age| lowered(age).worst_score(),
    );
}

#[test]
fn older_is_never_less_bad() {
    let ages: Vec<i64> = (0..=2_200).step_by(25).map(|million| million * 1_000_000).collect();
    assert_rises(&ages, |age| {
        interpret(&rows(DATABASES, &[database(age, 0)])).worst_score()
    });
    assert_rises(&ages, |age| {
        interpret(&rows(DATABASES, &[database(0, age)])).worst_score()
    });
    assert_rises(&ages, |age| interpret(&rows(TABLES, &[table(age, 0, 0)])).worst_score());
}

#[test]
fn tables_that_are_young_are_well() {
    let report = interpret(&rows(TABLES, &[table(200_000_000, 190_000_000, 400_000_000)]));
    report.assert_well("tables_frozen_in_time");
}

#[test]
fn old_tables_are_for_a_person_after_the_horizon() {
    let report = interpret(&rows(
        TABLES,
        &[table(10, 900_000_000, 0), table(500_000_000, 0, 0), table(5, 5, 5)],
    ));
    let titles: Vec<_> = report.findings.iter().map(|finding| finding.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "the table in row 1 holds ids that use up 42.0 % of the limit",
            "the table in row 2 holds ids that use up 23.3 % of the limit",
        ]
    );
    assert_eq!(
        report.findings[0].reason_codes,
        ["xid_age", "freeze_overdue", "never_vacuumed"]
    );
    assert_eq!(report.insight_ids(), ["tables_to_freeze"]);
    assert_eq!(report.insights[0].recommendation, None, "no row has a subject");
    assert_eq!(report.offered(HORIZON).count(), 1);
    assert_eq!(
        report.prompts(),
        ["let a person run VACUUM (FREEZE) on the oldest tables; how many: 2"]
    );
}

#[test]
fn a_table_is_judged_by_the_age_at_which_autovacuum_is_forced_for_it() {
    let judged = |cells: &[(&'static str, i64)]| {
        let cells = cells.iter().map(|(column, age)| (*column, Cell::Int(*age)));
        interpret(&rows(TABLES, &[cells.collect()]))
    };
    let is_well = |report: &Report| report.insight_ids() == ["tables_frozen_in_time"];
    // What the server's default would call overdue is in time where the setting was raised.
    assert!(!is_well(&judged(&[("xid_age", 400_000_000)])));
    assert!(is_well(&judged(&[
        ("xid_age", 400_000_000),
        ("freeze_max_age", 500_000_000)
    ])));
    // Multixacts of the TOAST table have their own.
    let toast = |forced| {
        judged(&[
            ("xid_age", 1_000),
            ("toast_multixact_age", 600_000_000),
            ("multixact_freeze_max_age", 900_000_000),
            ("toast_multixact_freeze_max_age", forced),
        ])
    };
    assert!(is_well(&toast(700_000_000)));
    let report = toast(300_000_000);
    assert_eq!(
        report.findings[0].reason,
        "its oldest multixact id is 600,000,000 multixacts old; autovacuum is forced at 300,000,000; size of the table: 0 B"
    );
    assert_eq!(
        report.findings[0].reason_codes[..2],
        ["multixact_age", "freeze_overdue"]
    );
}

#[test]
fn a_table_of_the_logs_that_vacuum_is_kept_out_of_is_named() {
    let mut kept_out = testkit::autovacuum(1);
    kept_out.kind = AutovacuumKind::Vacuum;
    kept_out.run_count = 1;
    kept_out.canceled_count = 5;
    let mut fine = testkit::autovacuum(2);
    fine.kind = AutovacuumKind::Vacuum;
    fine.run_count = 9;
    fine.canceled_count = 5;
    let evidence = testkit::evidence()
        .autovacuum(kept_out.clone())
        .autovacuum(fine)
        .build();
    let old = rows(TABLES, &[table(900_000_000, 0, 0)]);
    let report = testkit::interpret(&Wraparound, &evidence, &old).unwrap();
    assert_eq!(report.insight_ids(), ["tables_to_freeze", "vacuum_kept_out"]);
    assert_eq!(
        report.insights[1].recommendation,
        Some(Recommendation::vacuum(&kept_out.table, true))
    );
    let young = rows(TABLES, &[table(9_000, 0, 0)]);
    let report = testkit::interpret(&Wraparound, &evidence, &young).unwrap();
    report.assert_well("tables_frozen_in_time");
}

#[test]
fn rows_without_ages_are_no_good_news() {
    let report = interpret(&rows(DATABASES, &[vec![("xids_left", Cell::Int(5))]]));
    assert!(report.insights.is_empty());
    assert_eq!(report.limitations, ["rows without the figures that are judged here: 1"]);
}
