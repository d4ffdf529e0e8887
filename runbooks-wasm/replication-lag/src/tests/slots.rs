use pg_logstats_sdk::testkit::{self, ReportedStep};
use pg_logstats_sdk::{Cell, FindingKind, Recommendation, Setting};

use super::{GIB, MIB, SETTINGS, SLOTS, STANDBYS, assert_rises, interpret, rows, text};

fn slot(is_active: bool, kept: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("is_active", Cell::Boolean(is_active)),
        ("retained_bytes", Cell::Int(kept)),
        ("wal_status", text("reserved")),
        ("safe_wal_bytes", Cell::Int(100 * GIB)),
        ("xmin_age", Cell::Int(500)),
    ]
}

#[test]
fn slots_that_keep_little_are_well() {
    interpret(&rows(SLOTS, &[])).assert_well("slots_unremarkable");
    let report = interpret(&rows(SLOTS, &[slot(true, 200 * MIB), slot(false, 100 * MIB)]));
    report.assert_well("slots_unremarkable");
}

#[test]
fn a_slot_that_keeps_wal_for_nobody_is_found() {
    let report = interpret(&rows(SLOTS, &[slot(false, 32 * GIB), slot(true, MIB)]));
    assert_eq!(report.findings.len(), 1);
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::Replication);
    assert_eq!(finding.title, "the slot in row 1 keeps 32.0 GiB of WAL for nobody");
    assert_eq!(finding.reason_codes, ["inactive_slot"]);
    assert!((finding.score - 0.8).abs() < 1e-9);
    assert_eq!(report.insight_ids(), ["slots_keep_wal"]);
    assert_eq!(
        report.insights[0].recommendation, None,
        "there is a bound, and dropping is a person's decision"
    );
    assert_eq!(
        report.prompts(),
        ["let a person bring the users of the slots back, or drop the slots; how many: 1"]
    );
    for action in [STANDBYS, SETTINGS] {
        assert_eq!(report.offered(action).count(), 1, "{action}");
    }
}

#[test]
fn a_bound_is_recommended_that_takes_nothing_from_any_slot() {
    let unbounded = |is_active, kept| {
        let mut row = slot(is_active, kept);
        row[3] = ("safe_wal_bytes", Cell::Null);
        row
    };
    let report = interpret(&rows(
        SLOTS,
        &[unbounded(true, 40 * GIB + 1), unbounded(false, 30 * GIB)],
    ));
    assert_eq!(report.insight_ids(), ["slots_keep_wal", "slots_unbounded"]);
    assert_eq!(
        report.insights[1].recommendation,
        Some(Recommendation::parameter(Setting::MaxSlotWalKeepSize, 81 << 30))
    );
    assert!(report.findings[0].reason_codes.contains(&"unbounded".to_owned()));
    let small = interpret(&rows(SLOTS, &[unbounded(false, GIB)]));
    assert_eq!(
        small.insights[1].recommendation,
        Some(Recommendation::parameter(Setting::MaxSlotWalKeepSize, 16 << 30))
    );
    let used = interpret(&rows(SLOTS, &[unbounded(true, 40 * GIB)]));
    assert!(used.insights.iter().all(|insight| insight.recommendation.is_none()));
    interpret(&rows(SLOTS, &[unbounded(false, MIB)])).assert_well("slots_unremarkable");
}

#[test]
fn slots_that_are_lost_or_about_to_be_are_found() {
    let with = |column, cell| {
        let mut row = slot(false, MIB);
        row.retain(|(name, _)| *name != column);
        row.push((column, cell));
        interpret(&rows(SLOTS, &[row]))
    };
    for (column, cell) in [
        ("wal_status", text("lost")),
        ("invalidation_reason", text("rows_removed")),
        ("is_conflicting", Cell::Boolean(true)),
    ] {
        let report = with(column, cell);
        assert_eq!(
            report.findings[0].reason_codes,
            ["inactive_slot", "slot_lost"],
            "{column}"
        );
        assert_eq!(report.findings[0].score, 0.6);
        assert_eq!(report.insight_ids(), ["slots_lost"]);
    }
    let report = with("wal_status", text("unreserved"));
    assert_eq!(report.findings[0].reason_codes, ["inactive_slot", "slot_at_risk"]);
    assert_eq!(report.findings[0].score, 0.8);
}

#[test]
fn old_rows_lead_to_wraparound() {
    let mut row = slot(true, MIB);
    row.push(("catalog_xmin_age", Cell::Int(90_000_000)));
    let report = interpret(&rows(SLOTS, &[row]));
    assert_eq!(report.insight_ids(), ["slots_keep_rows"]);
    let workflow = ReportedStep::RunWorkflow("wraparound".to_owned());
    assert!(report.next_actions.iter().any(|next| next.step == workflow));
}

#[test]
fn more_is_never_less_bad() {
    let sizes: Vec<i64> = (0..300).collect();
    for is_active in [true, false] {
        assert_rises(&sizes, |gib| {
            interpret(&rows(SLOTS, &[slot(is_active, gib * GIB)])).worst_score()
        });
    }
}

#[test]
fn slots_that_nobody_uses_get_their_sql_the_worst_first() {
    let idle = |kept| {
        let mut row = slot(false, kept);
        row.push(("is_temporary", Cell::Boolean(false)));
        row
    };
    let mut keeps_rows = idle(0);
    keeps_rows.push(("catalog_xmin_age", Cell::Int(90_000_000)));
    let outcome = testkit::outcome(SLOTS)
        .object(1, &slot(true, 90 * GIB))
        .object(2, &idle(MIB))
        .object(3, &keeps_rows)
        .object(4, &idle(9 * GIB))
        .object(5, &idle(32 * GIB))
        .build();
    let report = interpret(&outcome);
    let insights = report.insights.iter();
    let dropped: Vec<_> = insights
        .filter_map(|insight| match &insight.recommendation {
            Some(Recommendation::DropReplicationSlot(slot)) => Some(slot.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(dropped, ["sl_5", "sl_4", "sl_3"]);
    let of_idle = report.findings.iter().find(|finding| finding.title.contains("row 5"));
    assert_eq!(of_idle.and_then(|finding| finding.subject.as_deref()), Some("sl_5"));
    assert!(report.prompts().iter().any(|prompt| prompt.contains("drop the slots")));
}
