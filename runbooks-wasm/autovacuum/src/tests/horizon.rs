//! Whoever keeps dead rows is found by what the logs tell of them, however few transactions ago he began.

use pg_logstats_sdk::testkit::{self, Report};
use pg_logstats_sdk::{AutovacuumGroup, AutovacuumRun, Cell, Confidence, Outcome, Recommendation};

use crate::Autovacuum;

const XMIN: &str = "wraparound.pg_stat_activity.oldest_xmin";

/// A table of which runs had to leave up to 500,000 dead rows of 600,000, and the one that the log tells most of had to leave `kept`.
fn held(kept: u64) -> AutovacuumGroup {
    let group = testkit::autovacuum(1);
    AutovacuumGroup {
        max_tuples_dead_not_removable: 500_000,
        longest: Some(AutovacuumRun {
            at: group.first_seen + 60_000_000,
            tuples_dead_not_removable: Some(kept),
            ..group.longest.unwrap()
        }),
        ..group
    }
}

type Row = (&'static str, Option<i32>, &'static str, Option<i64>, i64);

/// Rows of holders: which, its pid, its state, since when, and how many transactions ago.
fn holders(rows: &[Row]) -> Outcome {
    let add = |outcome: testkit::OutcomeBuilder, (holder, pid, state, since, age): &Row| {
        outcome.row(&[
            ("holder", Cell::Text((*holder).to_owned())),
            ("pid", pid.map_or(Cell::Null, |pid| Cell::Int(pid.into()))),
            ("state", Cell::Text((*state).to_owned())),
            ("xact_start", since.map_or(Cell::Null, Cell::At)),
            ("xid_age", Cell::Int(*age)),
        ])
    };
    let mut outcome = rows.iter().fold(testkit::outcome(XMIN), add).build();
    for (row, (holder, pid, ..)) in outcome.rows.iter_mut().zip(rows) {
        row.subject = pid.filter(|_| *holder == "session").map(testkit::session);
    }
    outcome
}

fn judge(group: AutovacuumGroup, rows: &[Row]) -> Report {
    let evidence = testkit::evidence().autovacuum(group).build();
    testkit::interpret(&Autovacuum, &evidence, &holders(rows)).unwrap()
}

const IDLE: &str = "idle in transaction";

#[test]
fn an_idle_session_of_few_transactions_that_was_there_when_rows_had_to_stay_is_the_cause() {
    let group = held(400_000);
    let since = group.first_seen;
    let report = judge(group.clone(), &[("session", Some(7), IDLE, Some(since), 114)]);
    assert_eq!(report.insight_ids(), ["horizon_held_by_idle_session"]);
    let insight = &report.insights[0];
    assert_eq!(insight.confidence, Confidence::High);
    assert_eq!(
        insight.reason,
        "it began before autovacuum had to leave dead rows in rl_table_1, up to 500,000; what died since then stays as long as it is open, \
         in any table"
    );
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::EndSession("se_7".to_owned()))
    );
    // It began after the run that is known best, and before the last one.
    let later = group.last_seen - 1;
    let report = judge(group.clone(), &[("session", Some(7), IDLE, Some(later), 114)]);
    assert_eq!(report.insights[0].confidence, Confidence::Medium);
    // A run that left little proves little.
    let report = judge(held(1_000), &[("session", Some(7), IDLE, Some(since), 114)]);
    assert_eq!(report.insights[0].confidence, Confidence::Medium);
}

#[test]
fn who_came_later_and_who_keeps_nothing_is_not_blamed() {
    let group = held(400_000);
    let after = group.last_seen + 1;
    let report = judge(group, &[("session", Some(7), IDLE, Some(after), 114)]);
    assert_eq!(report.insight_ids(), ["horizon_young"]);
    let clean = testkit::autovacuum(1);
    let since = clean.first_seen;
    let report = judge(clean, &[("session", Some(7), IDLE, Some(since), 114)]);
    assert_eq!(report.insight_ids(), ["horizon_young"]);
    // A standby's sender moves on; that it is young says that it did.
    let report = judge(held(400_000), &[("session", Some(7), "active", None, 114)]);
    assert_eq!(report.insight_ids(), ["horizon_young"]);
}

#[test]
fn who_is_in_another_database_kept_nothing_here() {
    let group = held(400_000);
    let rows: [Row; 2] = [
        ("session", Some(7), IDLE, Some(group.first_seen), 3_000_000),
        ("session", Some(8), IDLE, Some(group.first_seen + 5), 114),
    ];
    let mut outcome = holders(&rows);
    let column = outcome
        .columns
        .iter()
        .position(|column| column == "holds_here")
        .unwrap();
    for (row, is_here) in outcome.rows.iter_mut().zip([false, true]) {
        row.cells[column] = Cell::Boolean(is_here);
    }
    let evidence = testkit::evidence().autovacuum(group).build();
    let report = testkit::interpret(&Autovacuum, &evidence, &outcome).unwrap();
    assert_eq!(report.insight_ids(), ["horizon_held_by_idle_session"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::EndSession("se_8".to_owned()))
    );
    assert_eq!(
        report.limitations,
        ["sessions and prepared transactions of other databases, which keep old rows there and not here: 1"]
    );
}

#[test]
fn of_equal_ages_the_transaction_that_began_first_is_the_cause() {
    let group = held(400_000);
    let since = group.first_seen;
    let report = judge(
        group,
        &[
            ("session", Some(3), "active", Some(since + 9), 114),
            ("session", Some(7), IDLE, Some(since), 114),
            ("session", Some(9), IDLE, Some(since + 5), 114),
        ],
    );
    assert_eq!(report.insight_ids(), ["horizon_held_by_idle_session"]);
    assert!(
        report.insights[0].title.starts_with("se_7 "),
        "{}",
        report.insights[0].title
    );
}

#[test]
fn slots_that_nobody_uses_and_prepared_transactions_keep_rows_as_well() {
    let group = held(400_000);
    let since = group.first_seen;
    let report = judge(group.clone(), &[("replication_slot", None, "", None, 114)]);
    assert_eq!(report.insight_ids(), ["horizon_held_by_slot"]);
    assert_eq!(report.offered("replication.pg_replication_slots.state").count(), 1);
    let report = judge(group.clone(), &[("replication_slot", Some(8), "", None, 114)]);
    assert_eq!(report.insight_ids(), ["horizon_young"], "its standby moves on");
    let report = judge(group, &[("prepared_transaction", None, "", Some(since), 114)]);
    assert_eq!(report.insight_ids(), ["horizon_held_by_prepared_transaction"]);
    assert!(
        report.insights[0].reason.contains("up to 500,000"),
        "{}",
        report.insights[0].reason
    );
}
