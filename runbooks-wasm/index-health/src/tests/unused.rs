use pg_logstats_sdk::testkit::ReportedStep;
use pg_logstats_sdk::{Cell, Confidence};

use super::{GIB, MIB, assert_rises, interpret, rows};

pub(super) const UNUSED: &str = "relation.pg_stat_all_indexes.unused";

fn unused(size: i64, is_standby: bool) -> Vec<(&'static str, Cell)> {
    vec![
        ("size_bytes", Cell::Int(size)),
        ("rows_written", Cell::Int(1_000)),
        ("counted_since", Cell::At(1_767_225_600_000_000)),
        ("is_standby", Cell::Boolean(is_standby)),
    ]
}

#[test]
fn unused_indexes_of_the_whole_database_are_added_up_and_a_person_decides() {
    let report = interpret(&rows(UNUSED, &[unused(3 * GIB, false), unused(GIB, false)]));
    assert_eq!(report.findings.len(), 1);
    assert_eq!(
        report.findings[0].title,
        "large indexes that no scan used: 2, 4.0 GiB in all"
    );
    assert!(
        report.findings[0].reason.contains("2026-01-01"),
        "{}",
        report.findings[0].reason
    );
    assert_eq!(report.findings[0].reason_codes, ["unused_index"]);
    assert_eq!(report.findings[0].confidence, Confidence::Medium);
    assert_eq!(report.insight_ids(), ["unused_indexes"]);
    // No SQL about all of them: which to drop is told row by row, where the row has what it takes.
    assert!(report.insights[0].recommendation.is_none());
    assert_eq!(
        report.prompts(),
        ["let a person decide which of the unused indexes to drop; how many: 2"]
    );
    assert!(report.limitations.is_empty());
}

#[test]
fn on_a_standby_it_is_less_sure_and_says_why() {
    let report = interpret(&rows(UNUSED, &[unused(4 * GIB, true)]));
    assert_eq!(report.findings[0].confidence, Confidence::Low);
    assert!(
        report.limitations[0].contains("the primary may use"),
        "{:?}",
        report.limitations
    );
}

#[test]
fn a_few_megabytes_are_an_insight_and_no_finding_and_more_is_worse() {
    let report = interpret(&rows(UNUSED, &[unused(5 * MIB, false)]));
    assert_eq!(
        (report.worst_score(), report.insight_ids()),
        (0.0, vec!["unused_indexes"])
    );
    assert_rises(&[MIB, GIB, 8 * GIB], |size| {
        interpret(&rows(UNUSED, &[unused(size, false)])).worst_score()
    });
}

#[test]
fn none_is_well_and_a_row_without_a_size_is_no_answer() {
    interpret(&rows(UNUSED, &[])).assert_well("indexes_earn_their_keep");
    let report = interpret(&rows(UNUSED, &[vec![("is_standby", Cell::Boolean(false))]]));
    assert!(report.insight_ids().is_empty() && report.limitations.len() == 1);
    assert!(report.next_actions.iter().all(|next| next.step == ReportedStep::Stop));
}
