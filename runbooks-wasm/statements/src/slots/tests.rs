use pg_logstats_sdk::testkit;
use pg_logstats_sdk::{Assessment, Cell, Confidence, Outcome, Recommendation};

use super::drop_slots;

const SLOTS: &str = "replication.pg_replication_slots.state";
const HOUR_US: i64 = 3_600_000_000;

fn idle(inactive_for: Cell) -> Vec<(&'static str, Cell)> {
    vec![
        ("is_active", Cell::Boolean(false)),
        ("is_temporary", Cell::Boolean(false)),
        ("retained_bytes", Cell::Int(1 << 30)),
        ("wal_status", Cell::Text("reserved".to_owned())),
        ("inactive_for", inactive_for),
        ("is_synced", Cell::Boolean(false)),
    ]
}

fn outcome(rows: &[Vec<(&str, Cell)>]) -> Outcome {
    let numbered = (1_u64..).zip(rows);
    let builder = numbered.fold(testkit::outcome(SLOTS), |builder, (n, row)| builder.object(n, row));
    builder.build()
}

/// The subject and the confidence of each advice.
fn advice(rows: &[Vec<(&str, Cell)>]) -> Vec<(String, Confidence)> {
    let outcome = outcome(rows);
    let mut assessment = Assessment::new();
    drop_slots(outcome.records().enumerate(), &mut assessment);
    let slot = |recommendation: &Option<Recommendation>| match recommendation {
        Some(Recommendation::DropReplicationSlot(slot)) => slot.clone(),
        other => format!("{other:?}"),
    };
    let insights = assessment.insights.iter();
    insights
        .map(|insight| {
            assert_eq!(insight.evidence, [slot(&insight.recommendation)]);
            (slot(&insight.recommendation), insight.confidence)
        })
        .collect()
}

fn with(mut row: Vec<(&'static str, Cell)>, column: &'static str, cell: Cell) -> Vec<(&'static str, Cell)> {
    row.retain(|(name, _)| *name != column);
    row.push((column, cell));
    row
}

#[test]
fn how_sure_it_is_follows_from_how_long_it_is_idle() {
    let sl_1 = |confidence| vec![("sl_1".to_owned(), confidence)];
    assert_eq!(advice(&[idle(Cell::DurationUs(HOUR_US))]), sl_1(Confidence::Medium));
    assert_eq!(advice(&[idle(Cell::DurationUs(HOUR_US - 1))]), [], "it may come back");
    assert_eq!(
        advice(&[idle(Cell::Null)]),
        sl_1(Confidence::Low),
        "before PostgreSQL 17"
    );
}

#[test]
fn what_somebody_uses_or_what_goes_by_itself_is_never_advised_on() {
    let row = || idle(Cell::DurationUs(100 * HOUR_US));
    for (column, cell) in [
        ("is_active", Cell::Boolean(true)),
        ("is_active", Cell::Null),
        ("is_temporary", Cell::Boolean(true)),
        ("is_temporary", Cell::Null),
        ("is_synced", Cell::Boolean(true)),
    ] {
        assert_eq!(advice(&[with(row(), column, cell.clone())]), [], "{column} {cell:?}");
    }
    let nameless = testkit::outcome(SLOTS).row(&row()).build();
    let mut assessment = Assessment::new();
    drop_slots(nameless.records().enumerate(), &mut assessment);
    assert!(assessment.insights.is_empty());
}

#[test]
fn a_lost_one_is_sure_however_short_it_is_idle() {
    for (column, cell) in [
        ("wal_status", Cell::Text("lost".to_owned())),
        ("invalidation_reason", Cell::Text("wal_removed".to_owned())),
        ("is_conflicting", Cell::Boolean(true)),
    ] {
        let row = with(idle(Cell::DurationUs(1)), column, cell);
        assert_eq!(advice(&[row]), [("sl_1".to_owned(), Confidence::High)], "{column}");
    }
}

#[test]
fn no_more_than_three_and_in_the_order_given() {
    let rows = vec![idle(Cell::DurationUs(HOUR_US)); 5];
    let slots: Vec<String> = advice(&rows).into_iter().map(|(slot, _)| slot).collect();
    assert_eq!(slots, ["sl_1", "sl_2", "sl_3"]);
}
