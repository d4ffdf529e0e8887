use pg_logstats_sdk::testkit::ReportedStep;
use pg_logstats_sdk::{Cell, Confidence, FindingKind, Recommendation};

use super::{BLOAT, DEAD_ROWS, GIB, MIB, STATISTICS, TABLE, USAGE, about_table, assert_rises, interpret, rows};

fn bloat(ratio: f64, bytes: i64, missing: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("columns", Cell::Int(3)),
        ("columns_without_statistics", Cell::Int(missing)),
        ("bloat_bytes", Cell::Int(bytes)),
        ("bloat_ratio", Cell::Float(ratio)),
        ("is_hidden", Cell::Boolean(false)),
    ]
}

#[test]
fn a_table_with_room_for_updates_is_well() {
    for (ratio, bytes) in [(0.2, 200 * GIB), (0.9, 10 * MIB), (0.0, 0)] {
        let report = interpret(&about_table(BLOAT, &[bloat(ratio, bytes, 0)]));
        report.assert_well("table_not_bloated");
    }
}

#[test]
fn a_bloated_table_leads_to_its_statistics_and_a_person() {
    let report = interpret(&about_table(BLOAT, &[bloat(0.8, 40 * GIB, 0)]));
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::Autovacuum);
    assert_eq!(
        finding.title,
        "rl_1_5 is empty to 80.0 % by estimate, which are 40.0 GiB"
    );
    assert_eq!(finding.subject.as_deref(), Some(TABLE));
    assert!((0.7..0.8).contains(&finding.score));
    assert_eq!(report.insight_ids(), ["table_bloated"]);
    assert_eq!(report.insights[0].recommendation, None, "a VACUUM gives nothing back");
    let asked = report.requested(STATISTICS).next().unwrap();
    assert_eq!(asked.bound("relation"), Some(TABLE));
    assert_eq!(
        report.prompts(),
        ["let a person decide whether rl_1_5 should be rewritten"]
    );
}

#[test]
fn an_estimate_without_statistics_asks_for_them_first() {
    let report = interpret(&about_table(BLOAT, &[bloat(0.8, 40 * GIB, 3)]));
    assert_eq!(report.findings[0].confidence, Confidence::Low);
    assert_eq!(report.findings[0].reason_codes, ["bloated_table", "statistics_missing"]);
    assert_eq!(report.insight_ids(), ["columns_not_analyzed", "table_bloated"]);
    assert_eq!(report.insights[0].title, "3 columns of rl_1_5 were never analysed");
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::AnalyzeRelation(TABLE.to_owned()))
    );
    let just_added = interpret(&about_table(BLOAT, &[bloat(0.1, 40 * MIB, 1)]));
    assert_eq!(just_added.insight_ids(), ["columns_not_analyzed"]);
    assert_eq!(just_added.insights[0].confidence, Confidence::Low);
    assert_eq!((just_added.recommendations(), just_added.prompts().len()), (0, 0));
    let hidden = interpret(&about_table(BLOAT, &[vec![("is_hidden", Cell::Boolean(true))]]));
    assert!(hidden.insights.is_empty());
    assert_eq!(hidden.limitations.len(), 1);
}

#[test]
fn a_table_of_another_database_is_told() {
    for action in [USAGE, BLOAT, STATISTICS] {
        interpret(&about_table(action, &[])).assert_well("table_not_here");
    }
}

fn statistics(live: i64, dead: i64, size: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("n_live_tup", Cell::Int(live)),
        ("n_dead_tup", Cell::Int(dead)),
        ("n_mod_since_analyze", Cell::Int(10)),
        ("seq_scan", Cell::Int(5)),
        ("seq_tup_read", Cell::Int(500)),
        ("size_bytes", Cell::Int(size)),
    ]
}

#[test]
fn a_table_that_is_looked_after_is_well() {
    for row in [
        statistics(1_000_000, 100_000, GIB),
        statistics(10, 1_000, MIB),
        statistics(0, 0, 0),
    ] {
        interpret(&about_table(STATISTICS, &[row])).assert_well("table_unremarkable");
    }
}

#[test]
fn dead_rows_get_a_vacuum_or_an_earlier_autovacuum() {
    let dead = |last: Option<i64>, size| {
        let mut row = statistics(1_000_000, 3_000_000, size);
        row.extend(last.map(|at| ("last_autovacuum", Cell::At(at))));
        interpret(&about_table(STATISTICS, &[row]))
    };
    let never = dead(None, 40 * GIB);
    assert_eq!(
        never.findings[0].title,
        "of rl_1_5, 75.0 % of the rows are dead: 3,000,000"
    );
    assert!(never.findings[0].score > 0.5);
    assert_eq!(never.insight_ids(), ["table_has_dead_rows"]);
    let vacuum = Recommendation::vacuum(&TABLE.to_owned(), false);
    assert_eq!(never.insights[0].recommendation, Some(vacuum.clone()));
    let workflow = ReportedStep::RunWorkflow("autovacuum".to_owned());
    assert!(never.next_actions.iter().any(|next| next.step == workflow));
    let late = dead(Some(1), 40 * GIB);
    assert_eq!(
        late.insights[0].recommendation,
        Some(Recommendation::autovacuum(&TABLE.to_owned(), 20))
    );
    assert_eq!(dead(Some(1), MIB).insights[0].recommendation, Some(vacuum));
}

#[test]
fn old_figures_and_scans_of_all_are_told() {
    let mut row = statistics(10_000_000, 0, 40 * GIB);
    row[2] = ("n_mod_since_analyze", Cell::Int(3_000_000));
    row[3] = ("seq_scan", Cell::Int(1_000));
    row[4] = ("seq_tup_read", Cell::Int(10_000_000_000));
    let report = interpret(&about_table(STATISTICS, &[row]));
    assert_eq!(report.insight_ids(), ["planner_figures_old", "table_read_whole"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::AnalyzeRelation(TABLE.to_owned()))
    );
    assert_eq!(
        report.insights[1].reason.split(';').next(),
        Some("rows read each time: 10,000,000")
    );
    let workflow = ReportedStep::RunWorkflow("query-families".to_owned());
    assert!(report.next_actions.iter().any(|next| next.step == workflow));
    assert_eq!(report.offered(USAGE).count(), 1);
}

fn table(dead: i64, threshold: f64, size: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("n_live_tup", Cell::Int(1_000_000)),
        ("n_dead_tup", Cell::Int(dead)),
        ("vacuum_threshold", Cell::Float(threshold)),
        ("is_autovacuum_enabled", Cell::Boolean(true)),
        ("size_bytes", Cell::Int(size)),
    ]
}

#[test]
fn dead_rows_that_are_due_to_be_removed_are_well() {
    interpret(&rows(DEAD_ROWS, &[])).assert_well("dead_rows_removed_in_time");
    let due = table(240_000, 200_050.0, 100 * GIB);
    interpret(&rows(DEAD_ROWS, &[due])).assert_well("dead_rows_removed_in_time");
}

#[test]
fn dead_rows_that_pile_up_lead_to_autovacuum() {
    let mut off = table(2_000_000, 200_050.0, 100 * GIB);
    off[3] = ("is_autovacuum_enabled", Cell::Boolean(false));
    let report = interpret(&rows(DEAD_ROWS, &[table(1_000_000, 200_050.0, 100 * GIB), off]));
    assert_eq!(
        report.findings[0].title,
        "the table in row 2 has 2,000,000 dead rows, 66.7 % of all"
    );
    assert_eq!(
        report.findings[0].reason_codes,
        ["dead_rows_overdue", "autovacuum_disabled"]
    );
    assert!(
        report
            .findings
            .iter()
            .all(|finding| (0.4..0.8).contains(&finding.score))
    );
    assert_eq!(report.insight_ids(), ["dead_rows_pile_up"]);
    let workflow = ReportedStep::RunWorkflow("autovacuum".to_owned());
    assert_eq!(report.next_actions[0].step, workflow);
}

#[test]
fn more_is_never_less_bad() {
    let steps: Vec<i64> = (0..100).collect();
    let of = |row| interpret(&about_table(BLOAT, &[row])).worst_score();
    assert_rises(&steps, |gib| of(bloat(0.9, gib * GIB, 0)));
    assert_rises(&steps, |percent| of(bloat(percent as f64 / 100.0, 90 * GIB, 0)));
    assert_rises(&steps, |n| {
        interpret(&rows(DEAD_ROWS, &[table(n * 100_000, 200_050.0, 90 * GIB)])).worst_score()
    });
    assert_rises(&steps, |n| {
        interpret(&about_table(
            STATISTICS,
            &[statistics(1_000_000, n * 100_000, 90 * GIB)],
        ))
        .worst_score()
    });
}
