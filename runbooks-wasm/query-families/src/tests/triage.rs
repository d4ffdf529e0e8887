use pg_logstats_sdk::testkit::{self, ReportedStep};
use pg_logstats_sdk::{Confidence, FindingKind, QueryFamily, StatementKind, TempFileGroup};

use crate::QueryFamilies;

const STATISTICS: &str = "query_family.pg_stat_statements.by_queryid";
const SESSIONS: &str = "query_family.pg_stat_activity.by_dimensions";
const EXPLAIN: &str = "query_family.explain";
const ANALYZE: &str = "query_family.explain_analyze";

fn family(n: u64, total_us: u64) -> QueryFamily {
    QueryFamily {
        total_duration_us: total_us,
        ..testkit::family(n)
    }
}

#[test]
fn families_are_ranked_by_their_share_of_all_time() {
    // Not in this order in the evidence: the host may add families that a temporary file refers to.
    let evidence = testkit::evidence()
        .family(family(1, 1_000_000))
        .family(family(2, 3_000_000))
        .build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    let ranked: Vec<_> = report.findings.iter().map(|f| f.title.as_str()).collect();
    assert_eq!(
        ranked,
        [
            "qf_0000000000000002 took 75.0 % of all statement time",
            "qf_0000000000000001 took 25.0 % of all statement time",
        ]
    );
    // Most of the time of a server that is idle is nothing to worry about.
    assert!(
        report.findings.iter().all(|finding| finding.score < 0.01),
        "{:?}",
        report.findings
    );
    let first = &report.findings[0];
    assert_eq!(
        first.reason,
        "100 executions took 3.00 s in all: 10.0 ms on average, 20.0 ms at the 95th percentile, 40.0 ms at most"
    );
    assert_eq!(first.subject.as_deref(), Some("qf_0000000000000002"));
    assert_eq!(
        (first.kind, first.confidence),
        (FindingKind::QueryFamily, Confidence::High)
    );
    assert_eq!(first.reason_codes, ["top_total_time", "dominates_total_time"]);
}

#[test]
fn a_statement_is_bad_when_it_is_slow_and_keeps_sessions_busy() {
    let score = |total_us, p95_duration_us| {
        let family = QueryFamily {
            p95_duration_us,
            ..family(1, total_us)
        };
        let evidence = testkit::evidence().family(family).build();
        testkit::triage(&QueryFamilies, &evidence).unwrap().findings[0].score
    };
    // In an hour: two sessions all the time, and half an hour of one.
    assert!(score(7_200_000_000, 2_000) < 0.2, "quick, and often");
    assert!(score(1_000_000, 5_000_000) < 0.2, "slow, and seldom");
    assert!(score(1_800_000_000, 1_500_000) > 0.5);
    assert!(score(7_200_000_000, 5_000_000) > 0.8);
}

#[test]
fn codes_say_what_is_remarkable_about_a_family() {
    let slow = QueryFamily {
        execution_count: 3,
        mean_duration_us: 2_000_000,
        p50_duration_us: 100_000,
        p99_duration_us: 9_000_000,
        parse_bind_duration_us: 9_000_000,
        temp_bytes: 1,
        error_count: 1,
        ..family(1, 6_000_000)
    };
    let many = QueryFamily {
        execution_count: 50_000,
        mean_duration_us: 200,
        ..family(2, 10_000_000)
    };
    let evidence = testkit::evidence().family(slow).family(many).build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    assert_eq!(
        report.findings[0].reason_codes,
        ["top_total_time", "dominates_total_time", "many_executions"]
    );
    assert_eq!(
        report.findings[1].reason_codes,
        [
            "top_total_time",
            "slow_on_average",
            "long_tail",
            "parse_bind_heavy",
            "writes_temp_files",
            "has_errors"
        ]
    );
    assert_eq!(report.findings[1].confidence, Confidence::Low);
}

#[test]
fn each_of_the_top_ten_families_is_looked_into() {
    let evidence = (1..=12).fold(testkit::evidence(), |evidence, n| {
        evidence.family(family(n, 1_000 * (20 - n)))
    });
    let report = testkit::triage(&QueryFamilies, &evidence.build()).unwrap();
    assert_eq!(report.findings.len(), 12);
    for action in [STATISTICS, SESSIONS, EXPLAIN, ANALYZE] {
        assert_eq!(report.offered(action).count(), 10, "{action}");
    }
    let statistics = report.requested(STATISTICS).next().unwrap();
    assert_eq!(statistics.bound("queryid"), Some("qf_0000000000000001"));
    let analyze = report.requested(ANALYZE).next().unwrap();
    assert_eq!(
        (analyze.bound("queryid"), analyze.bound("sample")),
        (Some("qf_0000000000000001"), Some("qf_0000000000000001"))
    );
    assert!(report.offered(ANALYZE).all(|next| next.judgement_required));
    // Each follows from the finding of its family.
    assert_eq!(
        report
            .offered(STATISTICS)
            .map(|next| next.findings.clone())
            .collect::<Vec<_>>(),
        (0..10).map(|n| vec![n]).collect::<Vec<_>>()
    );
}

#[test]
fn only_dimensions_that_the_family_has_are_bound() {
    let partly = QueryFamily {
        dimensions: testkit::dimensions("shop", "", ""),
        ..family(1, 5)
    };
    let nowhere = QueryFamily {
        dimensions: testkit::dimensions("", "", ""),
        ..family(2, 4)
    };
    let evidence = testkit::evidence().family(partly).family(nowhere).build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    let requests: Vec<_> = report.requested(SESSIONS).collect();
    assert_eq!(
        (requests[0].bound("database"), requests[0].bound("user")),
        (Some("qf_0000000000000001"), None)
    );
    // The host tells the agent what is missing.
    assert!(requests[1].request.bindings.is_empty() && requests[1].answer.is_err());
    assert_eq!(report.offered(SESSIONS).count(), 1);
}

#[test]
fn what_cannot_be_done_is_asked_for_and_left_to_the_host_to_tell() {
    let unnamed = QueryFamily {
        query_id_count: 0,
        ..family(1, 5)
    };
    let evidence = testkit::evidence().family(unnamed).build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    assert_eq!(
        (report.requested(STATISTICS).count(), report.offered(STATISTICS).count()),
        (1, 0)
    );
    assert_eq!(
        (report.requested(EXPLAIN).count(), report.offered(EXPLAIN).count()),
        (1, 0)
    );
}

#[test]
fn only_what_reads_is_to_be_run() {
    let update = QueryFamily {
        kind: StatementKind::Update,
        ..family(1, 5)
    };
    let report = testkit::triage(&QueryFamilies, &testkit::evidence().family(update).build()).unwrap();
    assert_eq!(
        (report.offered(EXPLAIN).count(), report.requested(ANALYZE).count()),
        (1, 0)
    );
}

#[test]
fn temporary_files_are_findings_with_their_own_actions() {
    let known = TempFileGroup {
        family: Some(testkit::family(1).id),
        ..testkit::temp_files(1)
    };
    let unknown = TempFileGroup {
        total_bytes: 1 << 20,
        max_bytes: 1 << 20,
        count: 1,
        ..testkit::temp_files(2)
    };
    let dangling = TempFileGroup {
        family: Some(testkit::family(9).id),
        total_bytes: 5,
        ..testkit::temp_files(3)
    };
    let evidence = testkit::evidence()
        .family(family(1, 1))
        .temp_files(known)
        .temp_files(unknown)
        .temp_files(dangling)
        .build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    let temp: Vec<_> = report
        .findings
        .iter()
        .filter(|f| f.kind == FindingKind::TempFile)
        .collect();
    assert_eq!(temp[0].title, "tf_0000000000000001: 1.0 GiB of temporary files");
    assert_eq!(
        temp[0].reason,
        "written by qf_0000000000000001; number of files: 10, the largest of 200.0 MiB"
    );
    // A gibibyte in an hour.
    assert!((temp[0].score - 0.22).abs() < 0.01, "{}", temp[0].score);
    assert_eq!(temp[0].confidence, Confidence::Medium);
    assert_eq!(temp[0].evidence, ["qf_0000000000000001"]);
    assert_eq!(
        temp[1].reason,
        "the log does not tell by which statement; number of files: 1, the largest of 1.0 MiB"
    );
    assert_eq!(temp[2].reason_codes, ["temp_file_volume", "statement_unknown"]);
    assert_eq!(report.offered("temp_file.explain").count(), 1);
    assert_eq!(report.offered("temp_file.explain_analyze").count(), 1);
    // One database, one look at its counters.
    assert_eq!(report.requested("temp_file.pg_stat_database.temp_counters").count(), 1);
    assert_eq!(report.offered("temp_file.pg_stat_statements.temp_blocks").count(), 1);
}

#[test]
fn errors_are_ranked_by_their_part_of_what_was_done_and_a_panic_first() {
    let class = |n, severity: &str, count| pg_logstats_sdk::ErrorClass {
        severity: severity.to_owned(),
        count,
        ..testkit::error_class(n)
    };
    let evidence = testkit::evidence()
        .family(family(1, 1))
        .error_class(class(1, "ERROR", 500))
        .error_class(class(2, "FATAL", 399))
        .error_class(class(3, "PANIC", 1))
        .build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    let errors: Vec<_> = report
        .findings
        .iter()
        .filter(|f| f.kind == FindingKind::ErrorClass)
        .collect();
    let codes: Vec<_> = errors.iter().map(|f| f.reason_codes.join(" ")).collect();
    assert_eq!(
        codes,
        [
            "frequent_error server_panic",
            "frequent_error",
            "frequent_error session_ended"
        ]
    );
    // 100 executions, 900 errors.
    let scores: Vec<_> = errors.iter().map(|f| (f.score * 100.0).round()).collect();
    assert_eq!(scores, [100.0, 57.0, 53.0]);
    assert_eq!(errors[1].title, "ec_0000000000000001: an error logged 500 times");
    assert!(
        errors[1]
            .reason
            .ends_with("50.0 % of all timed executions and errors together")
    );
    assert_eq!(errors[0].title, "ec_0000000000000003: an error logged once");
    assert_eq!(report.offered("error_class.pg_stat_activity.by_dimensions").count(), 3);
}

#[test]
fn many_families_do_not_hide_the_worst_error_and_the_worst_temporary_files() {
    let families = (1..=30).fold(testkit::evidence(), |evidence, n| evidence.family(family(n, 1_000_000)));
    let evidence = families
        .error_class(testkit::error_class(1))
        .error_class(testkit::error_class(2))
        .temp_files(TempFileGroup {
            total_bytes: 1,
            ..testkit::temp_files(1)
        })
        .build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    let kinds: Vec<_> = report.findings.iter().map(|f| f.kind).collect();
    assert!(kinds[..8].iter().all(|kind| *kind == FindingKind::QueryFamily));
    assert_eq!(kinds[8..10], [FindingKind::TempFile, FindingKind::ErrorClass]);
    assert_eq!(kinds.len(), 33);
    // The families keep their order around them.
    let families: Vec<_> = report
        .findings
        .iter()
        .filter(|f| f.kind == FindingKind::QueryFamily)
        .collect();
    assert!(families.is_sorted_by_key(|f| f.subject.clone()));
}

#[test]
fn one_execution_is_told_as_one() {
    let once = QueryFamily {
        execution_count: 1,
        ..family(1, 2_000_000)
    };
    let report = testkit::triage(&QueryFamilies, &testkit::evidence().family(once).build()).unwrap();
    assert_eq!(report.findings[0].reason, "one execution took 2.00 s");
}

#[test]
fn lock_trouble_is_handed_to_the_locks_runbook() {
    let evidence = testkit::evidence()
        .family(family(1, 1))
        .lock_wait(testkit::lock_wait(1, 7, &[8]))
        .deadlock(testkit::deadlock(1, &[(7, 8), (8, 7)]))
        .build();
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    let first = &report.next_actions[0];
    assert_eq!(first.step, ReportedStep::RunWorkflow("locks".to_owned()));
    assert_eq!(
        first.reason,
        "lock waits in the logs: 1, the longest of 5.00 s; deadlocks: 1"
    );
}

#[test]
fn nothing_found_is_a_finding() {
    let report = testkit::triage(&QueryFamilies, &testkit::evidence().build()).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
    assert_eq!(
        report.limitations,
        ["no statement durations in the logs: set log_min_duration_statement to see which statements take the time"]
    );
    let live_only = pg_logstats_sdk::Evidence {
        window: None,
        ..testkit::evidence().build()
    };
    let report = testkit::triage(&QueryFamilies, &live_only).unwrap();
    assert_eq!(
        report.limitations,
        ["no entry of the logs had a time, so there is nothing to judge"]
    );
}

#[test]
fn families_that_are_not_shown_are_told() {
    let evidence = pg_logstats_sdk::Evidence {
        family_count: 130,
        ..testkit::evidence().family(family(1, 1)).build()
    };
    let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
    assert_eq!(
        report.limitations,
        ["129 of 130 families are not in the evidence, because others took more time"]
    );
}
