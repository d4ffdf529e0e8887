use pg_logstats_sdk::testkit::{self, ReportedStep, generate};
use pg_logstats_sdk::{
    Attribution, Confidence, ErrorClass, Evidence, FindingKind, Priority, QueryFamily, StatementKind, TempFileGroup,
};

use super::{ANALYZE, BLOCKS, COUNTERS, EXPLAIN, SETTINGS, STATISTICS, evidence, group, triage};

const GIB: u64 = 1 << 30;
const HOUR_US: i64 = 3_600_000_000;

/// The score of a group of so many bytes, in logs of so many hours.
fn score(total_bytes: u64, max_bytes: u64, hours: i64) -> f64 {
    let group = TempFileGroup {
        total_bytes,
        max_bytes,
        ..group(1)
    };
    let evidence = testkit::evidence().family(testkit::family(1)).temp_files(group).build();
    let window = evidence.window.map(|(start, _)| (start, start + hours * HOUR_US));
    triage(&Evidence { window, ..evidence }).findings[0].score
}

fn error(sqlstate: &str) -> ErrorClass {
    ErrorClass {
        sqlstate: Some(sqlstate.to_owned()),
        ..testkit::error_class(1)
    }
}

#[test]
fn a_group_is_told_with_its_statement_and_what_there_is_to_see() {
    let family = QueryFamily {
        has_sample: true,
        ..testkit::family(1)
    };
    let report = triage(&testkit::evidence().family(family).temp_files(group(1)).build());
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::TempFile);
    assert_eq!(finding.subject.as_deref(), Some("tf_0000000000000001"));
    assert_eq!(
        finding.title,
        "tf_0000000000000001: 1.0 GiB of temporary files, 100.0 % of all that are in the evidence"
    );
    assert_eq!(
        finding.reason,
        "written by qf_0000000000000001; files: 10, the largest of 200.0 MiB; 1.0 GiB in an hour"
    );
    assert_eq!(finding.reason_codes, ["temp_file_volume", "dominates_temp_files"]);
    assert_eq!(finding.evidence, ["qf_0000000000000001"]);
    assert!((finding.score - 0.2).abs() < 1e-9, "{}", finding.score);
    for action in [EXPLAIN, ANALYZE, COUNTERS, BLOCKS, SETTINGS, STATISTICS] {
        assert_eq!(report.offered(action).count(), 1, "{action}");
    }
    let run = report.offered(ANALYZE).next().unwrap();
    assert_eq!((run.priority, run.judgement_required), (Priority::Optional, true));
    assert_eq!(run.findings, [0]);
}

#[test]
fn bytes_in_an_hour_and_the_largest_file_decide() {
    assert!((score(4 * GIB, 1, 1) - 0.5).abs() < 1e-9);
    assert!((score(96 * GIB, 1, 24) - 0.5).abs() < 1e-9, "the same rate over a day");
    assert!((score(8 * GIB, 8 * GIB, 24) - 0.5).abs() < 1e-9, "one large file");
    assert!(score(100 * GIB, 40 * GIB, 1) >= 0.8);
    // A day's few small files are nothing to do anything about.
    assert!(score(GIB, 100 << 20, 24) <= 0.2);
}

#[test]
fn a_healthy_server_alarms_nobody() {
    let small = |n| TempFileGroup {
        total_bytes: 500 << 20,
        max_bytes: 60 << 20,
        ..group(n)
    };
    let evidence = (1..=5).fold(testkit::evidence(), |evidence, n| {
        evidence.family(testkit::family(n)).temp_files(small(n))
    });
    for finding in triage(&evidence.build()).findings {
        assert!(finding.score <= 0.2, "{}", finding.score);
    }
}

#[test]
fn more_and_larger_files_never_weigh_less() {
    let mut before = 0.0;
    for bytes in [0, 1, GIB, 2 * GIB, 100 * GIB, u64::MAX] {
        assert!(score(bytes, 1, 1) >= before);
        before = score(bytes, 1, 1);
    }
    let mut before = 0.0;
    for bytes in [0, 1, GIB, 8 * GIB, 100 * GIB, u64::MAX] {
        assert!(score(GIB, bytes, 1) >= before);
        before = score(GIB, bytes, 1);
    }
    let mut before = 1.0;
    for hours in [1, 2, 24, 24 * 365] {
        assert!(score(100 * GIB, 1, hours) <= before);
        before = score(100 * GIB, 1, hours);
    }
}

#[test]
fn how_the_statement_is_known_decides_how_sure_it_is() {
    let of = |attribution, known: bool| {
        let group = TempFileGroup {
            attribution,
            count: 1_000,
            total_bytes: GIB,
            max_bytes: 2 * GIB,
            ..group(if known { 1 } else { 9 })
        };
        let report = triage(&testkit::evidence().family(testkit::family(1)).temp_files(group).build());
        (report.findings[0].clone(), report)
    };
    let (stated, _) = of(Some(Attribution::Stated), true);
    assert_eq!(stated.confidence, Confidence::High);
    assert_eq!(
        stated.reason_codes,
        [
            "temp_file_volume",
            "dominates_temp_files",
            "large_temp_file",
            "many_small_temp_files"
        ]
    );
    let (concluded, _) = of(Some(Attribution::Running), true);
    assert_eq!(concluded.confidence, Confidence::Medium);
    assert!(concluded.reason_codes.contains(&"statement_concluded".to_owned()));
    assert!(concluded.reason.contains("as the order of the log's entries suggests"));
    // A family that the host does not list cannot be named.
    let (dangling, report) = of(Some(Attribution::Stated), false);
    assert!(dangling.reason_codes.contains(&"statement_unknown".to_owned()));
    assert!(dangling.evidence.is_empty());
    assert_eq!(
        (report.requested(EXPLAIN).count(), report.offered(COUNTERS).count()),
        (0, 1)
    );
}

#[test]
fn only_what_reads_and_is_whole_is_to_be_run() {
    for (kind, has_sample) in [(StatementKind::Insert, true), (StatementKind::Select, false)] {
        let family = QueryFamily {
            kind,
            has_sample,
            ..testkit::family(1)
        };
        let report = triage(&testkit::evidence().family(family).temp_files(group(1)).build());
        assert_eq!(report.offered(EXPLAIN).count(), 1);
        assert_eq!(report.requested(ANALYZE).count(), 0);
    }
}

#[test]
fn one_database_is_looked_at_once_and_the_top_groups_only() {
    let evidence = (1..=8).fold(testkit::evidence(), |evidence, n| {
        evidence.family(testkit::family(n)).temp_files(group(n))
    });
    let report = triage(&evidence.build());
    assert_eq!(report.findings.len(), 8);
    assert_eq!(
        (report.offered(COUNTERS).count(), report.offered(EXPLAIN).count()),
        (1, 4)
    );
    assert_eq!(
        report.limitations,
        ["the logs have only files of log_temp_files and larger, so sums are lower bounds"]
    );
}

#[test]
fn a_full_disk_is_to_be_acted_on() {
    let full = Evidence {
        errors: vec![error("53400"), error("53100")],
        ..evidence()
    };
    let report = triage(&Evidence {
        errors: full
            .errors
            .iter()
            .enumerate()
            .map(|(n, class)| ErrorClass {
                id: format!("ec_{n}"),
                ..class.clone()
            })
            .collect(),
        ..full
    });
    let first = &report.findings[0];
    assert_eq!(
        (first.kind, first.subject.as_deref()),
        (FindingKind::ErrorClass, Some("ec_1"))
    );
    assert!(first.score >= 0.8);
    assert_eq!(first.reason_codes, ["disk_full"]);
    assert_eq!(
        first.reason,
        "temporary files of 1.0 GiB in all, the largest of 200.0 MiB, are in the same logs"
    );
    assert_eq!(report.findings[1].reason_codes, ["limit_reached"]);
    assert!((report.findings[1].score - 0.5).abs() < 1e-9);
    assert_eq!(
        report.next_actions[0].step,
        ReportedStep::RunWorkflow("errors".to_owned())
    );
    assert_eq!(report.prompts(), ["let a person make room on the disk: ec_1"]);
    // Without temporary files the cause is elsewhere.
    let elsewhere = triage(&testkit::evidence().error_class(error("53100")).build());
    assert_eq!(elsewhere.findings[0].kind, FindingKind::NothingFound);
}

#[test]
fn nothing_found_is_a_finding_and_the_server_can_tell_whether_it_is_true() {
    let report = triage(
        &testkit::evidence()
            .family(testkit::family(1))
            .family(testkit::family(2))
            .build(),
    );
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.findings[0].confidence, Confidence::Low);
    assert!(report.findings[0].score.abs() < f64::EPSILON);
    assert!(report.limitations[0].contains("log_temp_files"));
    for action in [COUNTERS, SETTINGS, BLOCKS] {
        assert_eq!(report.offered(action).count(), 1, "{action}");
    }
}

#[test]
fn the_worst_is_first() {
    for seed in 0..50 {
        let report = triage(&generate::evidence(seed));
        let scores: Vec<f64> = report.findings.iter().map(|f| -f.score).collect();
        assert!(scores.is_sorted(), "evidence {seed}");
    }
}

#[test]
fn a_long_list_is_cut_and_said_to_be() {
    let many = (1..=60).fold(testkit::evidence(), |evidence, n| {
        evidence.temp_files(testkit::temp_files(n))
    });
    let report = triage(&many.build());
    assert_eq!(report.findings.len(), 40);
    assert!(
        report
            .limitations
            .contains(&"20 more groups of temporary files weigh less and are not told".to_owned())
    );
}
