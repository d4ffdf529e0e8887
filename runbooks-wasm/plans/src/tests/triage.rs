use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{
    Attribution, Confidence, Evidence, FindingKind, LoggedPlanNode, PlanGroup, QueryFamily, Recommendation, SetWorkMem,
};

use crate::Plans;

const EXPLAIN: &str = "query_family.explain";
const ANALYZE: &str = "query_family.explain_analyze";
const TABLE: &str = "relation.pg_stat_all_tables.statistics";

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&Plans, evidence).unwrap()
}

/// A family that takes `total_us`, and in its slowest execution nine seconds.
fn family(n: u64, total_us: u64) -> QueryFamily {
    QueryFamily {
        total_duration_us: total_us,
        max_duration_us: 9_000_000,
        ..testkit::family(n)
    }
}

fn node(parent: Option<u32>, node_type: &str, rows: f64, loops: u64) -> LoggedPlanNode {
    LoggedPlanNode {
        plan_rows: Some(rows),
        actual_rows: Some(rows),
        loops: Some(loops),
        ..testkit::logged_plan_node(parent, node_type)
    }
}

fn scan(rows: f64, removed: u64, loops: u64) -> LoggedPlanNode {
    LoggedPlanNode {
        relation: Some("rl_orders".to_owned()),
        has_filter: true,
        rows_removed_by_filter: Some(removed),
        ..node(None, "Seq Scan", rows, loops)
    }
}

/// One family with this plan that takes all the time.
fn of_plan(nodes: impl IntoIterator<Item = LoggedPlanNode>) -> Report {
    let family = family(1, 90_000_000);
    let plan = testkit::logged_plan(&family, nodes);
    triage(&testkit::evidence().family(family).logged_plan(plan).build())
}

#[test]
fn a_scan_for_few_rows_counts_all_its_loops() {
    let report = of_plan([scan(10.0, 5_000, 4)]);
    let first = &report.findings[0];
    assert_eq!(
        first.title,
        "qf_0000000000000001 read 20,000 rows of rl_orders for nothing"
    );
    assert_eq!(
        (first.kind, first.subject.as_deref()),
        (FindingKind::Plan, Some("pl_0000000000000001"))
    );
    assert_eq!(first.reason_codes, ["selective_scan", "large_share_of_time"]);
    assert_eq!((first.score, first.confidence), (0.9, Confidence::Medium));
    assert_eq!(first.evidence, ["qf_0000000000000001", "rl_orders"]);
    assert_eq!(report.offered(EXPLAIN).count(), 1);
    assert_eq!(report.offered(ANALYZE).count(), 1);
    // The log names no schema: it is asked for and denied, and the host says so.
    assert_eq!(report.requested(TABLE).count(), 1);
    assert_eq!(report.offered(TABLE).count(), 0);
}

#[test]
fn a_table_that_autovacuum_names_can_be_looked_up() {
    let family = family(1, 90_000_000);
    let group = testkit::autovacuum(1);
    let known = LoggedPlanNode {
        relation: Some(group.table.clone()),
        ..scan(1.0, 90_000, 1)
    };
    let plan = testkit::logged_plan(&family, [known]);
    let evidence = testkit::evidence()
        .family(family)
        .autovacuum(group)
        .logged_plan(plan)
        .build();
    let report = triage(&evidence);
    for action in [TABLE, "relation.pg_stat_all_indexes.usage", "relation.pg_stats.columns"] {
        assert_eq!(report.offered(action).count(), 1, "{action}");
    }
}

#[test]
fn a_spill_gives_the_role_the_memory_that_holds_it() {
    let sort = LoggedPlanNode {
        disk_bytes: Some(100 << 20),
        ..node(None, "Sort", 10.0, 1)
    };
    let report = of_plan([sort]);
    assert_eq!(
        report.findings[0].title,
        "qf_0000000000000001 wrote 100.0 MiB of a sort or hash to disk"
    );
    assert_eq!(report.findings[0].reason_codes, ["disk_spill", "large_share_of_time"]);
    assert_eq!(report.insight_ids(), ["logged_plan_spilled"]);
    let memory = SetWorkMem {
        user: "us_app".to_owned(),
        bytes: 256 << 20,
    };
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::SetWorkMem(memory))
    );
    assert!(!report.prompts().is_empty());
    let blocks = LoggedPlanNode {
        temp_written_blocks: Some(5),
        ..node(None, "Hash Join", 10.0, 1)
    };
    let report = of_plan([blocks]);
    assert_eq!(report.findings[0].title, "qf_0000000000000001 wrote 5 temporary blocks");
    assert!(report.insights.is_empty());
}

#[test]
fn loops_and_wrong_estimates_are_told() {
    let nested = [
        node(None, "Nested Loop", 50_000.0, 1),
        node(Some(0), "Index Scan", 50_000.0, 1),
        node(Some(0), "Index Scan", 1.0, 50_000),
    ];
    let report = of_plan(nested);
    assert_eq!(report.findings[0].reason_codes, ["nested_loop", "large_share_of_time"]);
    assert!(report.findings[0].title.ends_with("nested loop 50,000 times"));

    let off = LoggedPlanNode {
        plan_rows: Some(10.0),
        ..node(None, "Index Scan", 20_000.0, 1)
    };
    let report = of_plan([off.clone()]);
    assert_eq!(report.findings[0].reason_codes, ["estimate_off", "large_share_of_time"]);
    assert_eq!(
        report.findings[0].title,
        "the planner was wrong by a factor of 2,000 for qf_0000000000000001"
    );
    // Below a Limit fewer rows than expected are no error; more are.
    let limit = node(None, "Limit", 10.0, 1);
    let stopped = LoggedPlanNode {
        parent: Some(0),
        plan_rows: Some(1e6),
        ..node(None, "Index Scan", 10.0, 1)
    };
    assert_eq!(
        of_plan([limit.clone(), stopped]).findings[0].kind,
        FindingKind::NothingFound
    );
    let under = LoggedPlanNode { parent: Some(0), ..off };
    assert_eq!(of_plan([limit, under]).findings[0].kind, FindingKind::Plan);
}

#[test]
fn a_healthy_server_gives_no_score_above_a_fifth() {
    // No faults, however slow.
    let report = of_plan([scan(90_000.0, 10_000, 1)]);
    assert_eq!(
        (report.findings[0].kind, report.findings[0].score),
        (FindingKind::NothingFound, 0.0)
    );
    assert!(matches!(report.next_actions[0].step, ReportedStep::Stop));
    assert!(report.limitations.is_empty());

    // A fault that takes 20 ms of each minute, and one of a family beside which others matter.
    let fast = QueryFamily {
        max_duration_us: 20_000,
        ..family(1, 1_200_000)
    };
    let plan = testkit::logged_plan(&fast, [scan(10.0, 90_000, 1)]);
    let report = triage(&testkit::evidence().family(fast).logged_plan(plan).build());
    assert!(report.findings[0].score < 0.1, "{}", report.findings[0].score);
    let small = family(1, 9_000_000);
    let plan = testkit::logged_plan(&small, [scan(10.0, 90_000, 1)]);
    let evidence = testkit::evidence()
        .family(small)
        .family(family(2, 91_000_000))
        .logged_plan(plan);
    let report = triage(&evidence.build());
    assert!(report.findings[0].score < 0.1, "{}", report.findings[0].score);
}

#[test]
fn logs_without_plans_say_how_to_get_some() {
    let evidence = testkit::evidence().family(testkit::family(1)).build();
    let report = triage(&evidence);
    assert_eq!(report.findings[0].title, "the logs have no plans");
    assert!(report.limitations[0].contains("auto_explain"));
    let families = ReportedStep::RunWorkflow("query-families".to_owned());
    assert_eq!(report.next_actions[0].step, families);
}

#[test]
fn plans_with_estimates_only_or_not_kept_are_limitations() {
    let family = family(1, 90_000_000);
    let estimates = testkit::logged_plan(&family, [testkit::logged_plan_node(None, "Seq Scan")]);
    let lost = PlanGroup {
        id: "pl_lost".to_owned(),
        ..testkit::logged_plan(&family, [])
    };
    let evidence = testkit::evidence()
        .family(family)
        .logged_plan(estimates)
        .logged_plan(lost);
    let report = triage(&evidence.build());
    assert_eq!(report.limitations.len(), 2);
    assert!(report.limitations[1].contains("auto_explain.log_analyze"));
}

#[test]
fn a_family_that_was_given_up_is_not_named() {
    let gone = family(9, 90_000_000);
    let plan = testkit::logged_plan(&gone, [scan(10.0, 90_000, 1)]);
    let evidence = testkit::evidence()
        .family(family(1, 90_000_000))
        .logged_plan(plan)
        .build();
    let first = triage(&evidence).findings.remove(0);
    assert!(first.title.starts_with("pl_0000000000000009 read "));
    assert_eq!(first.reason_codes, ["selective_scan", "family_unknown"]);
    assert!(first.score < 0.2);
}

#[test]
fn what_is_concluded_from_the_order_of_entries_is_not_sure() {
    let family = family(1, 90_000_000);
    let sure = |attribution| {
        let plan = PlanGroup {
            attribution,
            count: 1_000,
            ..testkit::logged_plan(&family, [scan(10.0, 90_000, 1)])
        };
        let evidence = testkit::evidence().family(family.clone()).logged_plan(plan).build();
        triage(&evidence).findings[0].confidence
    };
    assert_eq!(sure(Attribution::Stated), Confidence::High);
    assert_eq!(sure(Attribution::Running), Confidence::Medium);
}

#[test]
fn worse_figures_never_lower_a_score() {
    let score = |total: u64, slowest: u64| {
        let family = family(1, total);
        let plan = PlanGroup {
            slowest_duration_us: slowest,
            ..testkit::logged_plan(&family, [scan(10.0, 90_000, 1)])
        };
        let others = testkit::family(2);
        let evidence = testkit::evidence()
            .family(family)
            .family(others)
            .logged_plan(plan)
            .build();
        triage(&evidence).findings[0].score
    };
    let steps = [0, 1_000, 100_000, 1_000_000, 60_000_000, 3_600_000_000, u64::MAX / 2];
    for fixed in steps {
        for pair in steps.windows(2) {
            assert!(score(pair[0], fixed) <= score(pair[1], fixed), "{pair:?} {fixed}");
            assert!(score(fixed, pair[0]) <= score(fixed, pair[1]), "{pair:?} {fixed}");
        }
    }
    assert!(score(3_600_000_000, 60_000_000) > 0.9);
}

#[test]
fn where_only_auto_explain_logs_its_slowest_executions_are_the_time() {
    let of = |n, total_us, slowest_us| {
        let family = family(n, total_us);
        let plan = PlanGroup {
            slowest_duration_us: slowest_us,
            ..testkit::logged_plan(&family, [scan(10.0, 5_000_000, 1)])
        };
        (family, plan)
    };
    let report = |all: [(QueryFamily, PlanGroup); 2]| {
        let evidence = all.into_iter().fold(testkit::evidence(), |evidence, (family, plan)| {
            evidence.family(family).logged_plan(plan)
        });
        triage(&evidence.build())
    };
    // Nothing but plans: three quarters of what is known, and three seconds.
    let alone = report([of(1, 0, 3_000_000), of(2, 0, 1_000_000)]);
    let scores: Vec<f64> = alone.findings.iter().map(|finding| finding.score).collect();
    assert!(
        (scores[0] - 0.75 * 0.75).abs() < 0.01 && (scores[1] - 0.25 * 0.5).abs() < 0.01,
        "{scores:?}"
    );
    // Beside a family whose statements are logged: its time is known whole, of the other the slowest execution.
    let beside = report([of(1, 0, 3_000_000), of(2, 27_000_000, 1_000_000)]);
    let of_plans = beside
        .findings
        .iter()
        .find(|finding| finding.subject.as_deref() == Some("pl_0000000000000001"));
    let score = of_plans.unwrap().score;
    assert!((score - 0.1 * 0.75).abs() < 0.01, "{score}");
}
