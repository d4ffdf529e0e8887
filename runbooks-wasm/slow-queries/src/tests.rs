//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

use pg_logstats_sdk::testkit::{self, EvidenceBuilder, Report, ReportedStep, generate};
use pg_logstats_sdk::{
    Cell, Confidence, Evidence, FindingKind, LockWait, OutcomeStatus, QueryFamily, Regression, RegressionDoubt,
    RegressionReason, Runbook,
};

use crate::SlowQueries;

const STATISTICS: &str = "query_family.pg_stat_statements.by_queryid";
const SESSIONS: &str = "query_family.pg_stat_activity.by_dimensions";
const EXPLAIN: &str = "query_family.explain";
const ANALYZE: &str = "query_family.explain_analyze";

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&SlowQueries, evidence).unwrap()
}

/// Families 1 to `n`, each of a second in all.
fn families(n: u64) -> EvidenceBuilder {
    (1..=n).fold(testkit::evidence(), |evidence, n| evidence.family(testkit::family(n)))
}

fn codes(report: &Report, finding: usize) -> Vec<&str> {
    report.findings[finding]
        .reason_codes
        .iter()
        .map(String::as_str)
        .collect()
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&SlowQueries, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    for seed in 0..100 {
        let evidence = generate::evidence(seed);
        let report = triage(&evidence);
        assert!(!report.findings.is_empty(), "evidence {seed}");
        assert!(!report.next_actions.is_empty(), "evidence {seed}");
        for action in &SlowQueries.describe().actions {
            let outcome = generate::outcome(seed, &evidence, action);
            let report = testkit::interpret(&SlowQueries, &evidence, &outcome).unwrap();
            assert!(
                !report.insights.is_empty() || !report.findings.is_empty(),
                "{action} {seed}"
            );
            assert!(!report.next_actions.is_empty(), "{action} {seed}");
        }
    }
}

#[test]
fn an_action_that_gave_no_answer_says_why_and_who_can_help() {
    let evidence = families(1).baseline().build();
    testkit::check_failures(&SlowQueries, &evidence, &[&evidence.families[0]], |outcome, report| {
        report.assert_not_offered_again(&outcome.action);
    })
    .unwrap();
}

#[test]
fn a_truncated_outcome_is_judged_and_its_sums_are_lower_bounds() {
    let evidence = families(1).baseline().build();
    let role = [
        ("calls", Cell::Int(10)),
        ("total_exec_ms", Cell::Float(100.0)),
        ("max_exec_ms", Cell::Float(20.0)),
        ("rows", Cell::Int(5)),
        ("shared_blks_hit", Cell::Int(0)),
        ("shared_blks_read", Cell::Int(0)),
        ("temp_blks_written", Cell::Int(0)),
    ];
    let outcome = testkit::outcome(STATISTICS)
        .about(&evidence.families[0])
        .row(&role)
        .row(&role)
        .status(OutcomeStatus::Truncated)
        .build();
    let report = testkit::interpret(&SlowQueries, &evidence, &outcome).unwrap();
    assert_eq!(report.insight_ids(), ["statistics_found"]);
    assert_eq!(
        report.insights[0].title,
        "the server counted 200.0 ms in all; executions: 20"
    );
    assert_eq!(
        report.limitations,
        ["there was more than the action may return, so counts are lower bounds; rows that were judged: 2"]
    );
    assert_eq!(
        report.offered(EXPLAIN).count(),
        1,
        "what else there is to see is offered"
    );
}

#[test]
fn a_slower_family_is_told_with_both_percentiles_and_looked_into() {
    let evidence = families(2)
        .baseline()
        .regression(testkit::regression(&testkit::family(2)))
        .build();
    let report = triage(&evidence);
    assert_eq!(report.findings.len(), 1);
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::SlowQueryRegression);
    assert_eq!(finding.subject.as_deref(), Some("qf_0000000000000002"));
    assert_eq!(
        finding.title,
        "qf_0000000000000002 got slower: 20.0 ms at the 95th percentile, 10.0 ms in the baseline"
    );
    assert_eq!(
        finding.reason,
        "executions: 100 of 10.0 ms on average, in the baseline 100 of 5.0 ms; excess time: 500.0 ms"
    );
    // Half a second of two.
    assert_eq!((finding.score, finding.confidence), (0.25, Confidence::High));
    assert_eq!(codes(&report, 0), ["p95_regressed"]);
    for action in [STATISTICS, SESSIONS, EXPLAIN, ANALYZE] {
        let offered: Vec<_> = report.offered(action).collect();
        assert_eq!(
            (offered.len(), offered[0].findings.as_slice()),
            (1, &[0][..]),
            "{action}"
        );
    }
    assert!(report.offered(ANALYZE).all(|next| next.judgement_required));
    let last = report.next_actions.last().unwrap();
    assert_eq!(last.step, ReportedStep::RunWorkflow("query-families".to_owned()));
    assert_eq!(report.limitations, [""; 0]);
}

#[test]
fn what_is_new_and_what_takes_more_of_the_time_are_told_as_such() {
    let larger = Regression {
        reasons: vec![RegressionReason::ContributionIncreased],
        under_other_names: true,
        excess_duration_us: 100_000,
        ..testkit::regression(&testkit::family(2))
    };
    let evidence = families(2)
        .baseline()
        .regression(testkit::absent(&testkit::family(1)))
        .regression(larger)
        .build();
    let report = triage(&evidence);
    let titles: Vec<_> = report.findings.iter().map(|finding| finding.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "qf_0000000000000001 is not in the baseline and took 50.0 % of all statement time",
            "qf_0000000000000002 took 50.0 % of all statement time, 25.0 % in the baseline",
        ]
    );
    assert_eq!(
        report.findings[0].reason,
        "100 executions took 1.00 s in all: 10.0 ms on average, 20.0 ms at the 95th percentile, 40.0 ms at most"
    );
    assert_eq!(codes(&report, 0), ["absent_in_baseline"]);
    assert_eq!(codes(&report, 1), ["contribution_increased", "under_other_names"]);
}

#[test]
fn what_costs_most_comes_first_unless_it_is_less_sure() {
    let of = |n, excess_duration_us, confidence| Regression {
        excess_duration_us,
        confidence,
        ..testkit::regression(&testkit::family(n))
    };
    // In this order by the host: the first costs more, and is in doubt.
    let evidence = families(3)
        .baseline()
        .regression(of(1, 900_000, Confidence::Low))
        .regression(of(2, 800_000, Confidence::Medium))
        .regression(of(3, 600_000, Confidence::High))
        .build();
    let report = triage(&evidence);
    let order: Vec<_> = report
        .findings
        .iter()
        .map(|it| it.subject.as_deref().unwrap())
        .collect();
    assert_eq!(
        order,
        ["qf_0000000000000003", "qf_0000000000000002", "qf_0000000000000001"]
    );
    assert!(report.findings.is_sorted_by(|one, other| one.score >= other.score));
}

#[test]
fn doubts_are_codes() {
    let doubtful = |doubts: &[RegressionDoubt]| {
        let regression = Regression {
            doubts: doubts.to_vec(),
            confidence: Confidence::Low,
            ..testkit::regression(&testkit::family(1))
        };
        let report = triage(&families(1).baseline().regression(regression).build());
        assert_eq!(report.findings[0].confidence, Confidence::Low);
        codes(&report, 0)[1..].join(" ")
    };
    assert_eq!(doubtful(&[RegressionDoubt::Burst]), "burst");
    assert_eq!(doubtful(&[RegressionDoubt::BaselineIncomplete]), "incomplete_figures");
    assert_eq!(
        doubtful(&[RegressionDoubt::Incomplete, RegressionDoubt::LoggingDiffers]),
        "incomplete_figures logging_differs"
    );
}

#[test]
fn a_family_that_waited_for_locks_leads_to_the_locks_runbook() {
    let wait = |n: u64| LockWait {
        family: Some(testkit::family(n).id),
        ..testkit::lock_wait(n, 7, &[8])
    };
    let worse = families(2)
        .baseline()
        .regression(testkit::regression(&testkit::family(2)));
    let report = triage(&worse.clone().lock_wait(wait(2)).build());
    let first = &report.next_actions[0];
    assert_eq!(first.step, ReportedStep::RunWorkflow("locks".to_owned()));
    assert_eq!(first.findings, [0]);
    assert_eq!(
        first.reason,
        "statements of these findings waited for locks; waits and deadlocks in the logs: 1, the longest wait of 5.00 s"
    );
    assert_eq!(codes(&report, 0), ["p95_regressed", "waited_for_locks"]);
    let mut cycle = testkit::deadlock(1, &[(7, 8), (8, 7)]);
    cycle.edges[1].family = Some(testkit::family(2).id);
    let report = triage(&worse.clone().deadlock(cycle).build());
    assert_eq!(
        report.next_actions[0].step,
        ReportedStep::RunWorkflow("locks".to_owned())
    );
    // Waits of a family that did not get worse are no reason.
    let report = triage(&worse.lock_wait(wait(1)).build());
    assert!(
        report
            .next_actions
            .iter()
            .all(|next| next.step != ReportedStep::RunWorkflow("locks".to_owned()))
    );
}

#[test]
fn the_ten_worst_are_looked_into() {
    let evidence = (1..=12).fold(families(12).baseline(), |evidence, n| {
        evidence.regression(testkit::regression(&testkit::family(n)))
    });
    let report = triage(&evidence.build());
    assert_eq!(report.findings.len(), 12);
    for action in [STATISTICS, SESSIONS, EXPLAIN, ANALYZE] {
        assert_eq!(report.offered(action).count(), 10, "{action}");
    }
}

#[test]
fn that_nothing_got_worse_is_a_finding_as_sure_as_there_was_something_to_compare() {
    let report = triage(&families(2).baseline().build());
    assert_eq!(report.findings.len(), 1);
    let finding = &report.findings[0];
    assert_eq!(
        (finding.kind, finding.confidence),
        (FindingKind::NothingFound, Confidence::High)
    );
    assert_eq!(finding.title, "nothing got worse since the baseline");
    assert_eq!(
        finding.reason,
        "query families that both have: 2; executions in the baseline: 200"
    );
    assert_eq!(report.next_actions.len(), 1);
    assert_eq!(
        report.next_actions[0].step,
        ReportedStep::RunWorkflow("query-families".to_owned())
    );

    let mut rare = families(2).baseline().build();
    let baseline = rare.baseline.as_mut().unwrap();
    (baseline.rare_family_count, baseline.rare_duration_us) = (1, 500_000);
    let report = triage(&rare);
    assert_eq!(report.findings[0].confidence, Confidence::Medium);
    assert_eq!(
        report.limitations,
        ["query families that ran too seldom to be compared: 1; they took 25.0 % of all statement time"]
    );

    let nothing = triage(&testkit::evidence().baseline().build());
    assert_eq!(nothing.findings[0].confidence, Confidence::Low);
    assert_eq!(nothing.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn without_a_baseline_the_slowest_are_told_and_how_to_give_one() {
    let slow = |n, p95_duration_us, execution_count| QueryFamily {
        p95_duration_us,
        execution_count,
        max_duration_us: 3_000_000,
        ..testkit::family(n)
    };
    let evidence = testkit::evidence()
        .family(slow(1, 1_000_000, 500))
        .family(slow(2, 2_000_000, 500))
        .family(slow(3, 2_500_000, 3))
        .build();
    let report = triage(&evidence);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|it| (it.title.as_str(), it.confidence))
        .collect();
    assert_eq!(
        told,
        [
            (
                "qf_0000000000000002 took 2.00 s at the 95th percentile, 3.00 s at most",
                Confidence::High
            ),
            (
                "qf_0000000000000001 took 1.00 s at the 95th percentile, 3.00 s at most",
                Confidence::High
            ),
            (
                "qf_0000000000000003 took 2.50 s at the 95th percentile, 3.00 s at most",
                Confidence::Low
            ),
        ]
    );
    assert!(report.findings.iter().all(|it| it.kind == FindingKind::QueryFamily));
    assert_eq!(
        report.limitations,
        [
            "no baseline was given, so nothing is known to be slower than before: name logs of a better time with --baseline"
        ]
    );
    assert_eq!(report.offered(STATISTICS).count(), 3);
    let many = triage(&families(30).build());
    assert_eq!(many.findings.len(), 20);
}

#[test]
fn a_slow_statement_is_as_bad_as_the_sessions_that_it_keeps_busy() {
    let score = |execution_count: u64, each_us: u64| {
        let family = QueryFamily {
            execution_count,
            total_duration_us: execution_count * each_us,
            p50_duration_us: each_us,
            p95_duration_us: each_us,
            p99_duration_us: each_us,
            max_duration_us: each_us,
            ..testkit::family(1)
        };
        triage(&testkit::evidence().family(family).build()).findings[0].score
    };
    // In an hour: a load of two minutes, once; a report of ten seconds, now and then; a lookup that was quick once, all the time.
    assert!(score(1, 120_000_000) < 0.2);
    assert!(score(15, 10_000_000) < 0.2);
    assert!(score(1_000, 2_000_000) > 0.5);
    // A third of a session, and far slower than a person notices.
    assert!((score(594, 2_000_000) - 0.5 / 1.1).abs() < 1e-9);
}

#[test]
fn without_a_statement_there_is_nothing_to_say_but_why() {
    let report = triage(&testkit::evidence().build());
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
    assert_eq!(report.limitations.len(), 2);
}

#[test]
fn a_slow_plan_is_judged_and_leads_to_a_decision() {
    let evidence = families(1).baseline().build();
    let scan = pg_logstats_sdk::PlanNode {
        relation: Some("rl_orders".to_owned()),
        filter_columns: vec!["cl_customer".to_owned()],
        rows_removed_by_filter: Some(200_000),
        actual_rows: Some(40.0),
        plan_rows: 40.0,
        loops: Some(1),
        ..testkit::plan_node(0, "Seq Scan")
    };
    let outcome = testkit::outcome(ANALYZE)
        .about(&evidence.families[0])
        .plan([scan])
        .build();
    let report = testkit::interpret(&SlowQueries, &evidence, &outcome).unwrap();
    assert!(
        report
            .insight("selective_sequential_scan")
            .unwrap()
            .recommendation
            .is_some()
    );
    assert_eq!(report.next_actions[0].step, ReportedStep::PromptUser);
    assert_eq!(report.offered(STATISTICS).count(), 0, "a run has shown it all");
    let statistics = testkit::outcome(STATISTICS).about(&evidence.families[0]).build();
    let report = testkit::interpret(&SlowQueries, &evidence, &statistics).unwrap();
    assert_eq!(
        (report.offered(EXPLAIN).count(), report.offered(ANALYZE).count()),
        (1, 1)
    );
}
