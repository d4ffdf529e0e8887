//! On evidence by hand and on generated evidence; the kit checks every rule of the host.

use pg_logstats_sdk::testkit::{self, Report, ReportedStep, generate};
use pg_logstats_sdk::{ErrorClass, Evidence, FindingKind, PlanGroup, Priority, QueryFamily};

use crate::FirstLook;

const HOUR_US: i64 = 3_600_000_000;

/// An hour of a server that does its work.
fn healthy() -> Evidence {
    let quick = QueryFamily {
        execution_count: 3_000_000,
        total_duration_us: 3_000_000_000,
        mean_duration_us: 1_000,
        p50_duration_us: 900,
        p95_duration_us: 2_000,
        p99_duration_us: 9_000,
        max_duration_us: 80_000,
        ..testkit::family(1)
    };
    testkit::evidence().family(quick).build()
}

/// A class of so many errors within so long.
fn errors(count: u64, span_us: i64) -> ErrorClass {
    let class = testkit::error_class(1);
    ErrorClass {
        count,
        last_seen: class.first_seen + span_us,
        ..class
    }
}

fn count(evidence: &mut Evidence, event: &str, count: u64) {
    evidence.events.push(pg_logstats_sdk::EventCount {
        event: event.to_owned(),
        count,
    });
}

fn judged(evidence: &Evidence) -> Report {
    testkit::triage(&FirstLook, evidence).unwrap()
}

/// The workflow of each next action, with its priority.
fn ways(evidence: &Evidence) -> Vec<(String, Priority)> {
    let report = judged(evidence);
    let way = |action: &testkit::ReportedAction| match &action.step {
        ReportedStep::RunWorkflow(workflow) => Some((workflow.clone(), action.priority)),
        _ => None,
    };
    report.next_actions.iter().filter_map(way).collect()
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&FirstLook, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    for seed in 0..200 {
        let report = judged(&generate::evidence(seed));
        assert!(!report.findings.is_empty() && !report.next_actions.is_empty(), "{seed}");
        let scores: Vec<f64> = report.findings.iter().map(|finding| finding.score).collect();
        assert!(scores.is_sorted_by(|one, other| one >= other), "{seed}: {scores:?}");
    }
}

#[test]
fn a_server_that_does_its_work_raises_no_alarm() {
    let report = judged(&healthy());
    assert!(report.findings.iter().all(|finding| finding.score < 0.2), "{report:#?}");
    assert_eq!(
        ways(&healthy()).last(),
        Some(&("query-families".to_owned(), Priority::Optional))
    );
    // Some errors, refused logins and time-outs are everyday life.
    let mut usual = healthy();
    count(&mut usual, "connection_rejected", 5);
    count(&mut usual, "connection_received", 90);
    usual.errors.push(errors(15, HOUR_US / 2));
    let report = judged(&usual);
    assert!(report.findings.iter().all(|finding| finding.score < 0.2), "{report:#?}");
}

#[test]
fn each_trouble_is_ranked_first_when_it_is_the_only_one_and_leads_to_its_runbook() {
    let cases: [(&str, u64, FindingKind, &str); 10] = [
        ("server_invalid_checksum", 1, FindingKind::ErrorClass, "errors"),
        ("server_crashed", 1, FindingKind::ErrorClass, "errors"),
        (
            "connection_out_of_connections",
            40,
            FindingKind::ConnectionPressure,
            "connections",
        ),
        (
            "connection_rejected",
            400,
            FindingKind::ConnectionPressure,
            "connections",
        ),
        ("connection_lost", 400, FindingKind::ConnectionPressure, "connections"),
        (
            "connection_received",
            360_000,
            FindingKind::ConnectionPressure,
            "connections",
        ),
        ("wraparound_warning", 1, FindingKind::Wraparound, "autovacuum"),
        (
            "wal_archive_command_failed",
            12,
            FindingKind::Replication,
            "replication",
        ),
        (
            "standby_statement_canceled",
            12,
            FindingKind::Replication,
            "replication",
        ),
        (
            "standby_streaming_interrupted",
            12,
            FindingKind::Replication,
            "replication",
        ),
    ];
    for (event, times, kind, workflow) in cases {
        let mut evidence = healthy();
        count(&mut evidence, event, times);
        let report = judged(&evidence);
        assert_eq!(report.findings[0].kind, kind, "{event}");
        assert!(report.findings[0].score > 0.5, "{event}: {}", report.findings[0].score);
        assert_eq!(ways(&evidence)[0], (workflow.to_owned(), Priority::Required), "{event}");
        // More of it is no better.
        count(&mut evidence, event, times);
        assert!(
            judged(&evidence).findings[0].score >= report.findings[0].score,
            "{event}"
        );
    }
}

/// Besides the crash itself the server logs that it ends the others, that it begins anew, and a line for each session.
#[test]
fn a_crash_is_one_however_many_sessions_it_takes_along() {
    let title = |crashed: u64, ended: u64| {
        let mut evidence = healthy();
        count(&mut evidence, "server_crashed", crashed);
        count(&mut evidence, "server_crash_restart", ended);
        judged(&evidence).findings[0].title.clone()
    };
    for (crashed, ended, told) in [(1, 102, 1), (2, 204, 2), (1, 0, 1), (0, 100, 1)] {
        let title = title(crashed, ended);
        assert!(title.contains(&format!(": {told} crashes,")), "{title}");
    }
}

#[test]
fn a_slow_statement_counts_by_the_sessions_that_it_keeps_busy() {
    let slow = QueryFamily {
        execution_count: 4_000,
        total_duration_us: 3_200_000_000,
        mean_duration_us: 800_000,
        p50_duration_us: 750_000,
        p95_duration_us: 1_500_000,
        p99_duration_us: 2_000_000,
        max_duration_us: 3_000_000,
        ..testkit::family(2)
    };
    let quick = healthy().families.remove(0);
    let evidence = testkit::evidence().family(slow).family(quick).build();
    let report = judged(&evidence);
    assert_eq!(report.findings[0].subject.as_deref(), Some("qf_0000000000000002"));
    assert!(report.findings[0].score > 0.5);
    assert_eq!(ways(&evidence)[0].0, "query-families");
}

#[test]
fn a_statement_whose_time_only_auto_explain_logs_leads_to_its_plan() {
    let family = QueryFamily {
        execution_count: 0,
        total_duration_us: 0,
        mean_duration_us: 0,
        p50_duration_us: 0,
        p95_duration_us: 0,
        p99_duration_us: 0,
        max_duration_us: 0,
        ..testkit::family(2)
    };
    let group = |slowest_duration_us| PlanGroup {
        count: 40,
        slowest_duration_us,
        ..testkit::logged_plan(&family, [])
    };
    let evidence = |slowest_us| {
        let mut evidence = healthy();
        evidence.families.push(family.clone());
        evidence.plans.push(group(slowest_us));
        evidence
    };
    let worst = evidence(1_800_000_000);
    let report = judged(&worst);
    assert_eq!(report.findings[0].kind, FindingKind::Plan);
    assert_eq!(report.findings[0].subject.as_deref(), Some(worst.plans[0].id.as_str()));
    assert!(report.findings[0].score > 0.5);
    assert_eq!(ways(&worst)[0], ("plans".to_owned(), Priority::Required));
    let score = |slowest_us| {
        let report = judged(&evidence(slowest_us));
        let found = report.findings.iter().find(|finding| finding.kind == FindingKind::Plan);
        found.map_or(0.0, |finding| finding.score)
    };
    assert!(score(3_000_000) < 0.2, "one in an hour is no trouble");
    // Where its times are logged, they say more, and the plan is no trouble beside them.
    let mut timed = evidence(1_800_000_000);
    let last = timed.families.last_mut().unwrap();
    (last.execution_count, last.total_duration_us) = (40, 1_800_000_000);
    assert!(
        judged(&timed)
            .findings
            .iter()
            .all(|finding| finding.kind != FindingKind::Plan)
    );
}

#[test]
fn errors_at_once_outrank_the_same_number_over_the_day() {
    let score = |span_us| {
        let mut evidence = healthy();
        evidence.errors.push(errors(120, span_us));
        let report = judged(&evidence);
        (report.findings[0].score, report.findings[0].kind)
    };
    let (burst, over_time) = (score(60_000_000), score(HOUR_US - 1));
    assert_eq!(
        (burst.1, over_time.1),
        (FindingKind::ErrorBurst, FindingKind::ErrorClass)
    );
    assert!(burst.0 > 0.5 && over_time.0 < burst.0, "{burst:?} {over_time:?}");
}

#[test]
fn without_logs_the_server_itself_is_asked() {
    let mut evidence = testkit::evidence().build();
    evidence.window = None;
    let report = judged(&evidence);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    let ways: Vec<String> = ways(&evidence).into_iter().map(|(workflow, _)| workflow).collect();
    assert_eq!(ways, LIVE);
}

const LIVE: [&str; 6] = [
    "connection-pressure",
    "lock-tree",
    "running-queries",
    "replication-lag",
    "wraparound",
    "index-health",
];

#[test]
fn what_no_log_tells_is_offered_too_and_recommended_where_the_logs_are_quiet() {
    let live = |evidence: &Evidence| -> Vec<(String, Priority)> {
        let ways = ways(evidence).into_iter();
        ways.filter(|(workflow, _)| LIVE.contains(&workflow.as_str())).collect()
    };
    let all = |priority: Priority| LIVE.map(|workflow| (workflow.to_owned(), priority));
    assert_eq!(live(&healthy()), all(Priority::Recommended));
    assert_eq!(ways(&healthy())[..LIVE.len()], all(Priority::Recommended));
    let mut troubled = healthy();
    count(&mut troubled, "connection_out_of_connections", 40);
    assert_eq!(live(&troubled), all(Priority::Optional));
    assert_eq!(ways(&troubled)[0].0, "connections");
}

#[test]
fn waits_that_had_not_ended_with_the_logs_count_whatever_was_logged_of_them() {
    let mut evidence = healthy();
    let (first, last) = evidence.window.unwrap();
    let wait = |n: u64, at: i64, acquired: bool| pg_logstats_sdk::LockWait {
        waited_us: 200_000,
        at,
        acquired,
        ..testkit::lock_wait(n, 100, &[200])
    };
    evidence.lock_waits = (0..6).map(|n| wait(n, last - 5_000_000, false)).collect();
    let stuck = judged(&evidence);
    assert_eq!(stuck.findings[0].kind, FindingKind::LockWait);
    assert!(stuck.findings[0].score > 0.6, "{}", stuck.findings[0].score);
    evidence.lock_waits = (0..6).map(|n| wait(n, last - 5_000_000, true)).collect();
    assert!(judged(&evidence).findings[0].score < 0.2, "they ended");
    evidence.lock_waits = (0..6).map(|n| wait(n, first, false)).collect();
    assert!(judged(&evidence).findings[0].score < 0.2, "an hour ago");
}

#[test]
fn a_sequence_without_values_is_near_the_top_with_its_first_error() {
    let mut evidence = healthy();
    evidence.errors.push(ErrorClass {
        sqlstate: Some("2200H".to_owned()),
        ..errors(1, 0)
    });
    let report = judged(&evidence);
    assert_eq!(report.findings[0].kind, FindingKind::Wraparound);
    assert!(report.findings[0].score >= 0.8);
    assert_eq!(ways(&evidence)[0], ("wraparound".to_owned(), Priority::Required));
}
