use pg_logstats_sdk::testkit::{self, Report, ReportedStep, plan_node};
use pg_logstats_sdk::{
    Cell, Confidence, CreateIndex, CreateStatistics, Outcome, PlanNode, Priority, Recommendation, SetStatisticsTarget,
    SetWorkMem, VacuumRelation,
};

use super::{evidence, interpret};

fn plan(action: &str, nodes: Vec<PlanNode>) -> Outcome {
    testkit::outcome(action)
        .about(&evidence().families[0])
        .plan(nodes)
        .build()
}

fn analyzed(nodes: Vec<PlanNode>) -> Report {
    interpret(&plan("query_family.explain_analyze", nodes))
}

/// A node that ran once and returned as many rows as expected.
fn ran(n: usize, parent: Option<u32>, node_type: &str, rows: f64) -> PlanNode {
    PlanNode {
        parent,
        plan_rows: rows,
        actual_rows: Some(rows),
        loops: Some(1),
        total_us: Some(1_000),
        ..plan_node(n, node_type)
    }
}

fn on(relation: &str, columns: &[&str], node: PlanNode) -> PlanNode {
    let filter_columns = columns.iter().map(|column| (*column).to_owned()).collect();
    PlanNode {
        relation: Some(relation.to_owned()),
        filter_columns,
        ..node
    }
}

fn index(relation: &str, columns: &[&str]) -> Recommendation {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Recommendation::CreateIndex(CreateIndex {
        relation: relation.to_owned(),
        columns,
    })
}

#[test]
fn a_scan_that_throws_nearly_all_rows_away_wants_an_index_on_its_filter() {
    let scan = PlanNode {
        rows_removed_by_filter: Some(99_990),
        ..ran(0, None, "Seq Scan", 10.0)
    };
    let report = analyzed(vec![on("rl_orders", &["cl_a", "cl_b"], scan.clone())]);
    assert_eq!(
        report.insight_ids(),
        ["query_plan_no_disk_spill", "selective_sequential_scan"]
    );
    let insight = &report.insights[1];
    assert_eq!(
        insight.title,
        "a sequential scan of rl_orders read 99,990 rows for nothing"
    );
    // The plan alone tells nothing of the table.
    assert_eq!(insight.confidence, Confidence::Medium);
    assert_eq!(
        insight.reason,
        "its filter keeps 0.0 % of what it reads; runs: 1; not looked at: which indexes the table has, how often it is written, how large it is"
    );
    assert_eq!(insight.recommendation, Some(index("rl_orders", &["cl_a", "cl_b"])));
    assert_eq!(insight.evidence, ["pn_0", "rl_orders"]);
    assert_eq!(
        report.next_actions[0].label,
        "let a person decide on an index on rl_orders"
    );
    assert_eq!(report.next_actions[0].step, ReportedStep::PromptUser);

    let unknown_columns = analyzed(vec![on("rl_orders", &[], scan.clone())]);
    assert_eq!(unknown_columns.insights[1].recommendation, None);
    assert_eq!(
        (
            unknown_columns.insights[1].confidence,
            unknown_columns.insights[1].reason.as_str()
        ),
        (Confidence::High, "its filter keeps 0.0 % of what it reads; runs: 1"),
        "the scan is as sure as before where no index follows"
    );
    let many_columns = analyzed(vec![on("rl_orders", &["a", "b", "c", "d", "e"], scan.clone())]);
    assert_eq!(
        many_columns.insights[1].recommendation,
        Some(index("rl_orders", &["a", "b", "c", "d"]))
    );
    let keeps_half = PlanNode {
        actual_rows: Some(99_990.0),
        plan_rows: 99_990.0,
        ..scan
    };
    assert_eq!(
        analyzed(vec![on("rl_orders", &["a"], keeps_half)]).insight_ids(),
        ["query_plan_no_disk_spill", "plan_unremarkable"]
    );
}

#[test]
fn an_estimated_plan_is_judged_with_less_confidence_and_leads_to_a_run() {
    let scan = PlanNode {
        total_cost: 20_000.0,
        plan_rows: 5.0,
        ..plan_node(0, "Seq Scan")
    };
    let report = interpret(&plan(
        "query_family.explain",
        vec![on("rl_orders", &["cl_a"], scan.clone())],
    ));
    assert_eq!(report.insight_ids(), ["selective_sequential_scan"]);
    assert_eq!(report.insights[0].confidence, Confidence::Low);
    assert_eq!(report.insights[0].recommendation, Some(index("rl_orders", &["cl_a"])));
    assert!(report.insights[0].reason.contains("; not looked at: which indexes"));
    assert!(
        report
            .offered("query_family.explain_analyze")
            .all(|next| next.judgement_required)
    );
    assert_eq!(report.offered("query_family.explain_analyze").count(), 1);
    // Without a filter it has to read all: no index helps.
    let unfiltered = interpret(&plan("query_family.explain", vec![on("rl_orders", &[], scan)]));
    assert_eq!(unfiltered.insight_ids(), ["plan_unremarkable"]);
}

#[test]
fn a_spill_wants_work_mem_for_the_role_unless_no_setting_is_sane() {
    let sort = PlanNode {
        disk_bytes: Some(20 << 20),
        temp_read_blocks: Some(100),
        temp_written_blocks: Some(200),
        ..ran(0, None, "Sort", 10.0)
    };
    let report = analyzed(vec![sort.clone()]);
    assert_eq!(
        report.insight_ids(),
        ["query_plan_disk_spill_detected", "explain_analyze_temp_buffers"]
    );
    assert_eq!(report.insights[0].title, "a sort or hash wrote 20.0 MiB to disk");
    let work_mem = Recommendation::SetWorkMem(SetWorkMem {
        user: "us_app".to_owned(),
        bytes: 64 << 20,
    });
    assert_eq!(report.insights[0].recommendation, Some(work_mem));
    assert_eq!(report.insights[1].reason, "read: 100, written: 200");
    let huge = analyzed(vec![PlanNode {
        disk_bytes: Some(10 << 30),
        ..sort.clone()
    }]);
    assert_eq!(huge.insights[0].recommendation, None);
    let temp = interpret(
        &testkit::outcome("temp_file.explain_analyze")
            .about(&evidence().temp_files[0])
            .plan([sort])
            .build(),
    );
    assert_eq!(
        temp.insight_ids(),
        ["query_plan_disk_spill_detected", "explain_analyze_temp_buffers"]
    );
}

#[test]
fn temporary_blocks_are_shown_at_the_node_that_moved_them() {
    let blocks = |node| PlanNode {
        temp_written_blocks: Some(9),
        ..node
    };
    let report = analyzed(vec![
        blocks(ran(0, None, "Limit", 10.0)),
        blocks(ran(1, Some(0), "Sort", 10.0)),
        ran(2, Some(1), "Index Scan", 10.0),
    ]);
    assert_eq!(
        report.insight("explain_analyze_temp_buffers").unwrap().evidence,
        ["pn_1"]
    );
}

#[test]
fn a_wrong_estimate_is_told_at_the_scan_where_it_began() {
    let join = PlanNode {
        plan_rows: 10.0,
        ..ran(0, None, "Hash Join", 5_000_000.0)
    };
    let scan = PlanNode {
        plan_rows: 100.0,
        ..ran(1, Some(0), "Index Scan", 50_000.0)
    };
    let report = analyzed(vec![join, on("rl_orders", &[], scan)]);
    let insight = report.insight("row_estimate_off").unwrap();
    assert_eq!(insight.title, "the planner was wrong by a factor of 500 at pn_1");
    assert_eq!(insight.reason, "rows expected each time: 100, returned: 50,000");
    assert_eq!(insight.evidence, ["pn_1", "pn_0"]);
    assert_eq!(
        insight.recommendation,
        Some(Recommendation::AnalyzeRelation("rl_orders".to_owned()))
    );
}

const TABLE: &str = "relation.pg_stat_all_tables.statistics";

/// A scan of which so many rows came and so few were expected.
fn misjudged(columns: &[&str]) -> PlanNode {
    let scan = PlanNode {
        plan_rows: 100.0,
        ..ran(0, None, "Bitmap Heap Scan", 50_000.0)
    };
    on("rl_orders", columns, scan)
}

#[test]
fn columns_that_are_compared_together_need_statistics_of_their_own() {
    let report = analyzed(vec![misjudged(&["cl_a", "cl_b"])]);
    assert_eq!(report.insight("row_estimate_off").unwrap().recommendation, None);
    assert_eq!(
        report.insight("columns_correlated").unwrap().recommendation,
        Some(Recommendation::CreateStatistics(CreateStatistics {
            relation: "rl_orders".to_owned(),
            columns: vec!["cl_a".to_owned(), "cl_b".to_owned()],
        }))
    );
    assert_eq!(report.requested(TABLE).count(), 0);
}

#[test]
fn one_column_that_is_misjudged_is_asked_for_the_age_of_its_figures() {
    let report = analyzed(vec![misjudged(&["cl_a"])]);
    assert_eq!(report.insight("row_estimate_off").unwrap().recommendation, None);
    let offered = report.offered(TABLE).next().unwrap();
    assert_eq!(offered.priority, Priority::Required);
}

#[test]
fn old_figures_need_analyze_and_new_ones_a_closer_look() {
    let advice = |changed: i64, analysed: bool, column: &str| {
        let evidence = testkit::evidence().live_column("cl_a", "rl_orders").build();
        let mut cells = vec![
            ("n_live_tup", Cell::Int(1_000)),
            ("n_mod_since_analyze", Cell::Int(changed)),
        ];
        cells.extend(analysed.then_some(("last_autoanalyze", Cell::At(1))));
        let outcome = testkit::outcome(TABLE).about(&column.to_owned()).row(&cells).build();
        let report = testkit::interpret(&crate::QueryFamilies, &evidence, &outcome).unwrap();
        report
            .insights
            .first()
            .map(|it| (it.id.clone(), it.recommendation.clone().unwrap()))
    };
    let analyze = Some((
        "column_figures_old".to_owned(),
        Recommendation::AnalyzeRelation("rl_orders".to_owned()),
    ));
    assert_eq!(advice(101, true, "cl_a"), analyze);
    assert_eq!(advice(0, false, "cl_a"), analyze, "nobody knows of an ANALYZE");
    let closer = SetStatisticsTarget {
        column: "cl_a".to_owned(),
        target: 1_000,
    };
    assert_eq!(
        advice(100, true, "cl_a"),
        Some((
            "column_figures_coarse".to_owned(),
            Recommendation::SetStatisticsTarget(closer)
        ))
    );
    assert_eq!(advice(0, false, "cl_other"), None, "no column of this incident");
}

#[test]
fn estimates_count_for_each_loop_and_not_below_a_limit() {
    // 10,000 rows in 1,000 loops: ten each, as expected.
    let inner = PlanNode {
        plan_rows: 10.0,
        loops: Some(1_000),
        ..ran(0, None, "Index Scan", 10_000.0)
    };
    assert!(analyzed(vec![inner]).insight("row_estimate_off").is_none());
    let stopped = PlanNode {
        plan_rows: 1_000_000.0,
        ..ran(1, Some(0), "Index Scan", 10.0)
    };
    assert!(
        analyzed(vec![ran(0, None, "Limit", 10.0), stopped.clone()])
            .insight("row_estimate_off")
            .is_none()
    );
    assert!(
        analyzed(vec![ran(0, None, "Sort", 10.0), stopped])
            .insight("row_estimate_off")
            .is_some()
    );
    let small = PlanNode {
        plan_rows: 1.0,
        ..ran(0, None, "Index Scan", 50.0)
    };
    assert!(
        analyzed(vec![small]).insight("row_estimate_off").is_none(),
        "too few rows to matter"
    );
}

#[test]
fn a_nested_loop_over_many_rows_is_told_when_its_inner_side_takes_the_time() {
    let nodes = |inner_us| {
        vec![
            PlanNode {
                total_us: Some(1_000_000),
                ..ran(0, None, "Nested Loop", 20_000.0)
            },
            ran(1, Some(0), "Seq Scan", 20_000.0),
            PlanNode {
                loops: Some(20_000),
                plan_rows: 1.0,
                total_us: Some(inner_us),
                ..ran(2, Some(0), "Index Scan", 20_000.0)
            },
        ]
    };
    let report = analyzed(nodes(900_000));
    let insight = report.insight("nested_loop_over_many_rows").unwrap();
    assert_eq!(insight.title, "the inner side of pn_0 ran 20,000 times");
    assert_eq!(insight.reason, "90.0 % of the join's time passed there");
    assert_eq!(insight.evidence, ["pn_0", "pn_2"]);
    assert!(analyzed(nodes(100_000)).insight("nested_loop_over_many_rows").is_none());
    let estimated = vec![
        plan_node(0, "Nested Loop"),
        PlanNode {
            parent: Some(0),
            plan_rows: 200_000.0,
            ..plan_node(1, "Seq Scan")
        },
        PlanNode {
            parent: Some(0),
            ..plan_node(2, "Index Scan")
        },
    ];
    let report = interpret(&plan("query_family.explain", estimated));
    assert_eq!(
        report.insights[0].title,
        "the inner side of pn_0 is expected to run 200,000 times"
    );
    assert_eq!(report.insights[0].confidence, Confidence::Low);
}

#[test]
fn an_index_only_scan_that_visits_the_table_is_told() {
    let scan = |fetches| {
        let node = PlanNode {
            heap_fetches: Some(fetches),
            ..ran(0, None, "Index Only Scan", 20_000.0)
        };
        analyzed(vec![on("rl_orders", &[], node)])
    };
    let report = scan(15_000);
    assert_eq!(
        report.insight_ids(),
        ["query_plan_no_disk_spill", "index_only_scan_heap_fetches"]
    );
    assert_eq!(
        report.insights[1].title,
        "an index-only scan visited rl_orders 15,000 times"
    );
    assert_eq!(
        report.insights[1].recommendation,
        Some(Recommendation::VacuumRelation(VacuumRelation {
            relation: "rl_orders".to_owned(),
            freeze: false,
        }))
    );
    assert_eq!(report.insights[1].confidence, Confidence::Medium);
    assert_eq!(report.prompts(), ["let a person run VACUUM on rl_orders"]);
    assert!(
        scan(1_500).insight("index_only_scan_heap_fetches").is_none(),
        "less than a tenth of the rows"
    );
}

#[test]
fn of_many_partitions_the_worst_are_told() {
    let scans = (0..150).map(|n: usize| {
        let node = PlanNode {
            heap_fetches: Some(10_000 + n as u64),
            ..ran(n, (n > 0).then_some(0), "Index Only Scan", 20_000.0)
        };
        on(&format!("rl_{n}"), &[], node)
    });
    let report = analyzed(scans.collect());
    let told: Vec<_> = report
        .insights
        .iter()
        .filter(|insight| insight.id == "index_only_scan_heap_fetches")
        .map(|insight| insight.evidence[1].as_str())
        .collect();
    assert_eq!(told, ["rl_149", "rl_148", "rl_147"]);
}

#[test]
fn a_plan_action_without_a_plan_is_told() {
    let report = interpret(&plan("query_family.explain", vec![]));
    assert_eq!(report.findings[0].kind, pg_logstats_sdk::FindingKind::NothingFound);
    assert_eq!(report.limitations.len(), 1);
}

#[test]
fn a_run_that_shows_nothing_ends_the_search() {
    let report = analyzed(vec![ran(0, None, "Index Scan", 10.0)]);
    assert_eq!(report.insight_ids(), ["query_plan_no_disk_spill", "plan_unremarkable"]);
    assert_eq!(report.findings[0].title, "nothing in the plan stands out");
    assert_eq!(report.next_actions.len(), 1);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}

/// A scan of 100,000 rows that keeps ten.
fn wasteful(n: usize, parent: Option<u32>) -> PlanNode {
    let scan = PlanNode {
        rows_removed_by_filter: Some(99_990),
        ..ran(n, parent, "Seq Scan", 10.0)
    };
    on("rl_orders", &["cl_a", "cl_b"], scan)
}

/// What the host learnt of a table that a scan reads.
fn facts<'a>(more: &[(&'a str, Cell)]) -> Vec<(&'a str, Cell)> {
    let mut facts = vec![
        ("node", Cell::Int(0)),
        ("column_count", Cell::Int(2)),
        ("covered_columns", Cell::Int(1)),
        ("is_there_invalid", Cell::Boolean(false)),
        ("indexes", Cell::Int(3)),
        ("table_rows", Cell::Int(100_000)),
        ("size_bytes", Cell::Int(40 << 20)),
        ("distinct_values", Cell::Float(20_000.4)),
        ("rows_written", Cell::Int(100_000)),
        ("rows_scanned", Cell::Int(900_000)),
        ("cost", Cell::Float(2_000.0)),
    ];
    facts.retain(|(column, _)| !more.iter().any(|(other, _)| other == column));
    facts.extend_from_slice(more);
    facts
}

fn judged(nodes: Vec<PlanNode>, more: &[(&str, Cell)]) -> Report {
    let outcome = testkit::outcome("query_family.explain_analyze").about(&evidence().families[0]);
    interpret(&outcome.plan(nodes).row(&facts(more)).build())
}

/// What follows from facts of the table that node 0 scans: the insight about the index, and whether one is recommended.
fn with_facts(more: &[(&str, Cell)]) -> (Vec<String>, bool) {
    let report = judged(vec![wasteful(0, None)], more);
    let is_recommended = report.insights.iter().any(|insight| insight.recommendation.is_some());
    assert!(report.insight_ids().contains(&"selective_sequential_scan"));
    let about = report
        .insights
        .iter()
        .filter(|insight| insight.id.starts_with("index_"));
    (
        about
            .map(|insight| format!("{}: {}", insight.id, insight.reason))
            .collect(),
        is_recommended,
    )
}

#[test]
fn an_index_is_recommended_with_what_the_table_says_for_it() {
    assert_eq!(
        with_facts(&[]),
        (
            vec![
                "index_not_there: distinct values of these columns: 20,000, rows: 100,000 in 40.0 MiB, which the build of one reads; since the \
                 counters began, rows written: 100,000, read by whole scans: 900,000"
                    .to_owned()
            ],
            true
        )
    );
    let hypothetical = [
        ("hypothetical_cost", Cell::Float(8.4)),
        ("hypothetical_bytes", Cell::Int(3 << 20)),
    ];
    assert_eq!(
        with_facts(&hypothetical),
        (
            vec![
                "index_with_gain: the planner was asked: its cost is 2,000 without, and 8 with a hypothetical one, which would take about 3.0 MiB; \
                 its build reads the table of 40.0 MiB"
                    .to_owned()
            ],
            true
        )
    );
    let report = judged(vec![wasteful(0, None)], &[]);
    let scan = report.insight("selective_sequential_scan").unwrap();
    assert_eq!(scan.confidence, Confidence::High);
    assert!(!scan.reason.contains("not looked at"), "{}", scan.reason);
}

#[test]
fn scans_of_one_table_by_the_same_columns_share_what_is_known_of_it() {
    let nodes = vec![ran(0, None, "Append", 20.0), wasteful(1, Some(0)), wasteful(2, Some(0))];
    let report = judged(nodes, &[("node", Cell::Int(1)), ("covered_columns", Cell::Int(2))]);
    assert_eq!(report.recommendations(), 0, "{report:#?}");
    let there = report.insights.iter().filter(|it| it.id == "index_already_there");
    assert_eq!(there.count(), 2);
}

#[test]
fn a_small_table_needs_no_index_unless_much_of_it_is_read() {
    let small = [("size_bytes", Cell::Int(3 << 20))];
    assert_eq!(
        with_facts(&small),
        (
            vec![
                "index_of_small_table: its size is 3.0 MiB, and such scans of one execution read 3.0 MiB: a matter of milliseconds, which counts only \
                 where the statement runs all the time; rows read by whole scans since the counters began: 900,000"
                    .to_owned()
            ],
            false
        )
    );
    let hypothetical = [
        small[0].clone(),
        ("hypothetical_cost", Cell::Float(8.4)),
        ("hypothetical_bytes", Cell::Int(1 << 20)),
    ];
    assert!(!with_facts(&hypothetical).1, "half of next to nothing is nothing");
    assert!(with_facts(&[("size_bytes", Cell::Int(4 << 20))]).1);
    // It has grown since it was analysed, or its size is not known.
    assert!(with_facts(&[small[0].clone(), ("table_rows", Cell::Int(10_000))]).1);
    assert!(with_facts(&[("size_bytes", Cell::Int(0))]).1);

    let is_advised = |nodes| judged(nodes, &small).recommendations() > 0;
    let again = PlanNode {
        loops: Some(50),
        rows_removed_by_filter: Some(50 * 99_990),
        ..wasteful(0, None)
    };
    assert!(
        is_advised(vec![again]),
        "the inner side of a loop reads it again and again"
    );
    let dear = PlanNode {
        total_cost: 9_000.0,
        ..wasteful(0, None)
    };
    assert!(is_advised(vec![dear]), "its condition is what costs");
    let partition = |n: usize| PlanNode {
        relation: Some(format!("rl_{n}")),
        ..wasteful(n, Some(0))
    };
    let partitions = vec![ran(0, None, "Append", 20.0), partition(1), partition(2)];
    let report = judged(partitions, &[small[0].clone(), ("node", Cell::Int(1))]);
    let parts = report.insights.iter().filter(|it| it.id == "selective_sequential_scan");
    let advised: Vec<_> = parts
        .filter(|it| it.recommendation.is_some())
        .map(|it| it.confidence)
        .collect();
    // The facts of one partition are not those of the other.
    assert_eq!(
        advised,
        [Confidence::High, Confidence::Medium],
        "a partition is small where the table is not"
    );
}

#[test]
fn no_index_is_recommended_where_the_table_speaks_against_it() {
    let against = |more: &[(&str, Cell)]| {
        let (said, is_recommended) = with_facts(more);
        assert!(!is_recommended, "{said:?}");
        assert_eq!(said.len(), 1);
        said[0].split(':').next().unwrap_or_default().to_owned()
    };
    assert_eq!(against(&[("covered_columns", Cell::Int(2))]), "index_already_there");
    assert_eq!(
        against(&[("is_there_invalid", Cell::Boolean(true))]),
        "index_there_invalid"
    );
    assert_eq!(
        against(&[("hypothetical_cost", Cell::Float(1_500.0))]),
        "index_without_gain"
    );
    assert_eq!(against(&[("rows_scanned", Cell::Int(99_999))]), "index_costs_more");
}

#[test]
fn what_the_host_could_not_learn_speaks_neither_for_nor_against() {
    let (said, is_recommended) = with_facts(&[("distinct_values", Cell::Null)]);
    assert!(is_recommended);
    assert!(
        said[0].starts_with("index_not_there: how many values these columns have is not known"),
        "{said:?}"
    );
    let (said, is_recommended) = with_facts(&[("table_rows", Cell::Null), ("size_bytes", Cell::Int(0))]);
    assert!(is_recommended);
    assert!(
        said[0].starts_with("index_not_there: the table was not analysed since it has rows"),
        "{said:?}"
    );
    assert_eq!(with_facts(&[("node", Cell::Int(7))]), (Vec::new(), true));
    let report = judged(vec![wasteful(0, None)], &[("node", Cell::Int(7))]);
    let scan = report.insight("selective_sequential_scan").unwrap();
    assert_eq!(scan.confidence, Confidence::Medium, "facts of something else are none");
    // A cost that is no number is none.
    let (said, is_recommended) = with_facts(&[("hypothetical_cost", Cell::Float(f64::NAN))]);
    assert!(is_recommended && said[0].starts_with("index_not_there"), "{said:?}");
    assert_eq!(with_facts(&[("covered_columns", Cell::Null)]), (Vec::new(), true));
}
