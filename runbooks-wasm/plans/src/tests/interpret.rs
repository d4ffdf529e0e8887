use pg_logstats_sdk::testkit::{self, Report};
use pg_logstats_sdk::{Cell, CreateStatistics, Evidence, FindingKind, LoggedPlanNode, PlanNode, Recommendation};

use crate::Plans;

const ANALYZE: &str = "query_family.explain_analyze";
const TABLE: &str = "relation.pg_stat_all_tables.statistics";
const INDEXES: &str = "relation.pg_stat_all_indexes.usage";
const COLUMNS: &str = "relation.pg_stats.columns";

/// A family with a plan that reads the table `rl_orders`.
fn evidence() -> Evidence {
    let family = testkit::family(1);
    let node = LoggedPlanNode {
        relation: Some("rl_orders".to_owned()),
        ..testkit::logged_plan_node(None, "Seq Scan")
    };
    let plan = testkit::logged_plan(&family, [node]);
    testkit::evidence().family(family).logged_plan(plan).build()
}

fn judge(action: &str, rows: &[&[(&str, Cell)]]) -> Report {
    let outcome = testkit::outcome(action).about(&"rl_orders".to_owned());
    let outcome = rows.iter().fold(outcome, |outcome, row| outcome.row(row));
    testkit::interpret(&Plans, &evidence(), &outcome.build()).unwrap()
}

fn judge_plan(nodes: impl IntoIterator<Item = PlanNode>) -> Report {
    let evidence = evidence();
    let outcome = testkit::outcome(ANALYZE)
        .about(&evidence.families[0])
        .plan(nodes)
        .build();
    testkit::interpret(&Plans, &evidence, &outcome).unwrap()
}

fn filtered(columns: usize, planned: f64, actual: f64) -> PlanNode {
    PlanNode {
        relation: Some("rl_orders".to_owned()),
        filter_columns: (0..columns).map(|n| format!("cl_{n}")).collect(),
        plan_rows: planned,
        actual_rows: Some(actual),
        loops: Some(1),
        ..testkit::plan_node(0, "Index Scan")
    }
}

#[test]
fn two_columns_and_too_low_an_estimate_ask_for_statistics() {
    let report = judge_plan([filtered(2, 100.0, 50_000.0)]);
    assert!(
        report.insight_ids().contains(&"row_estimate_off"),
        "{:?}",
        report.insight_ids()
    );
    let insight = report.insight("columns_correlated").unwrap();
    assert_eq!(
        insight.title,
        "rows of rl_orders that match were 500 times as many as the planner thought"
    );
    let statistics = CreateStatistics {
        relation: "rl_orders".to_owned(),
        columns: vec!["cl_0".to_owned(), "cl_1".to_owned()],
    };
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::CreateStatistics(statistics))
    );
    assert!(!report.prompts().is_empty());
}

#[test]
fn one_column_too_high_an_estimate_or_few_rows_do_not() {
    for node in [
        filtered(1, 100.0, 50_000.0),
        filtered(2, 50_000.0, 100.0),
        filtered(2, 10_000.0, 50_000.0),
        filtered(2, 1.0, 500.0),
    ] {
        let report = judge_plan([node]);
        assert_eq!(report.insight("columns_correlated"), None, "{:?}", report.insight_ids());
    }
}

#[test]
fn a_plan_without_faults_is_nothing() {
    let report = judge_plan([filtered(2, 10.0, 12.0)]);
    assert_eq!(report.insight_ids(), ["query_plan_no_disk_spill", "plan_unremarkable"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
}

#[test]
fn a_table_is_judged_by_its_age_and_how_it_is_read() {
    let row = |changed: i64, scans: i64, read: i64, by_index: i64| {
        [
            ("n_live_tup", Cell::Int(1_000_000)),
            ("n_mod_since_analyze", Cell::Int(changed)),
            ("seq_scan", Cell::Int(scans)),
            ("seq_tup_read", Cell::Int(read)),
            ("idx_scan", Cell::Int(by_index)),
        ]
    };
    let report = judge(TABLE, &[&row(600_000, 500, 500_000_000, 3)]);
    assert_eq!(
        report.insight_ids(),
        ["table_statistics_old", "table_mostly_read_whole"]
    );
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::AnalyzeRelation("rl_orders".to_owned()))
    );
    assert!(!report.prompts().is_empty());
    let report = judge(TABLE, &[&row(100, 500, 500_000_000, 90_000)]);
    assert_eq!(report.insight_ids(), ["table_unremarkable"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    let report = judge(TABLE, &[&[("n_live_tup", Cell::Int(5))]]);
    assert!(report.insight_ids().is_empty());
    assert_eq!(report.limitations.len(), 1);
}

#[test]
fn indexes_are_counted_and_broken_ones_told() {
    let row = |valid: bool, scans: i64| [("is_valid", Cell::Boolean(valid)), ("idx_scan", Cell::Int(scans))];
    let report = judge(INDEXES, &[&row(true, 9), &row(true, 0)]);
    assert_eq!(report.insight_ids(), ["indexes_found"]);
    assert_eq!(report.insights[0].reason, "the server counted scans of 1 of them");
    let report = judge(INDEXES, &[&row(true, 9), &row(false, 0)]);
    assert_eq!(report.insight_ids(), ["index_invalid"]);
    assert!(!report.prompts().is_empty());
    assert_eq!(judge(INDEXES, &[]).insight_ids(), ["table_without_index"]);
}

/// A plan without values, and what the host learnt of the table beside it.
#[test]
fn an_index_for_a_scan_is_advised_with_what_speaks_for_it() {
    let scan = PlanNode {
        relation: Some("rl_orders".to_owned()),
        filter_columns: vec!["cl_0".to_owned()],
        total_cost: 20_000.0,
        plan_rows: 30.0,
        ..testkit::plan_node(0, "Seq Scan")
    };
    let facts = [
        ("node", Cell::Int(0)),
        ("column_count", Cell::Int(1)),
        ("covered_columns", Cell::Int(0)),
        ("is_there_invalid", Cell::Boolean(false)),
        ("indexes", Cell::Int(1)),
        ("table_rows", Cell::Int(60_000)),
        ("size_bytes", Cell::Int(8 << 20)),
        ("distinct_values", Cell::Float(2_000.0)),
        ("rows_written", Cell::Int(60_000)),
        ("rows_scanned", Cell::Int(180_000_000)),
        ("cost", Cell::Float(20_000.0)),
    ];
    let evidence = evidence();
    let outcome = testkit::outcome("query_family.explain").about(&evidence.families[0]);
    let outcome = outcome.plan([scan]).row(&facts).build();
    let report = testkit::interpret(&Plans, &evidence, &outcome).unwrap();
    assert_eq!(report.insight_ids(), ["selective_sequential_scan", "index_not_there"]);
    assert!(matches!(
        report.insights[0].recommendation,
        Some(Recommendation::CreateIndex(_))
    ));
}

#[test]
fn columns_that_were_never_analysed_are_told() {
    let known: &[(&str, Cell)] = &[("n_distinct", Cell::Float(-1.0)), ("null_frac", Cell::Float(0.0))];
    let unknown: &[(&str, Cell)] = &[("position", Cell::Int(1))];
    let hidden: &[(&str, Cell)] = &[("is_hidden", Cell::Boolean(true))];
    let report = judge(COLUMNS, &[unknown, unknown, hidden]);
    assert_eq!(report.insight_ids(), ["columns_without_statistics"]);
    assert_eq!(report.limitations, ["columns whose figures the role may not see: 1"]);
    assert!(!report.prompts().is_empty());
    let report = judge(COLUMNS, &[known, known, unknown]);
    assert_eq!(report.insight_ids(), ["columns_with_statistics"]);
}

#[test]
fn after_an_estimate_a_run_is_offered_and_after_a_run_nothing() {
    let evidence = evidence();
    let report = |action: &str| {
        let outcome = testkit::outcome(action).about(&evidence.families[0]);
        let outcome = outcome.plan([testkit::plan_node(0, "Index Scan")]).build();
        testkit::interpret(&Plans, &evidence, &outcome).unwrap()
    };
    let estimate = report("query_family.explain");
    assert_eq!(estimate.offered(ANALYZE).count(), 1);
    assert!(estimate.next_actions[0].judgement_required);
    assert!(report(ANALYZE).requests.is_empty());
}
