use pg_logstats_sdk::testkit::{self, generate};
use pg_logstats_sdk::{
    Attribution, Confidence, ErrorClass, ErrorStatement, Evidence, FindingKind, Priority, TempFileGroup,
};

use super::{MINUTE_US, SESSIONS, class, found, has_workflow, triage};

fn start() -> i64 {
    testkit::error_class(1).first_seen
}

/// `count` errors within `minutes` from the minute `from` on.
fn within(class: ErrorClass, from: i64, minutes: i64) -> ErrorClass {
    ErrorClass {
        first_seen: start() + from * MINUTE_US,
        last_seen: start() + (from + minutes) * MINUTE_US,
        ..class
    }
}

#[test]
fn damaged_files_are_to_be_acted_on_with_the_first() {
    for sqlstate in ["XX001", "XX002", "58P01", "58030"] {
        let finding = found(class(sqlstate, 1));
        assert!(finding.score >= 0.9, "{sqlstate}");
        assert_eq!(finding.confidence, Confidence::High);
        assert_eq!(finding.reason_codes, ["data_damaged"]);
        assert_eq!(finding.subject.as_deref(), Some("ec_0000000000000001"));
    }
    let report = triage(&testkit::evidence().error_class(class("XX001", 1)).build());
    assert_eq!(
        report.findings[0].title,
        "ec_0000000000000001: files are damaged, missing or unreadable; times logged: 1"
    );
    assert_eq!(report.findings[0].reason, "at 2026-01-02T03:04:05Z");
    let first = &report.next_actions[0];
    assert_eq!((first.priority, first.judgement_required), (Priority::Required, true));
    assert_eq!(report.prompts(), ["show ec_0000000000000001 to a person at once"]);
}

#[test]
fn a_sequence_without_values_leads_to_where_it_is_shown() {
    let report = triage(&testkit::evidence().error_class(class("2200H", 1)).build());
    assert!(has_workflow(&report, "wraparound"), "{report:#?}");
}

#[test]
fn what_an_error_stands_for_decides_what_it_weighs() {
    let bands = [
        ("57P02", "server_crashed", 0.8..1.0),
        ("53100", "disk_full", 0.8..1.0),
        ("53200", "out_of_memory", 0.6..0.9),
        ("53300", "out_of_connections", 0.4..0.8),
        ("53400", "out_of_resources", 0.4..0.8),
        ("XX000", "internal_error", 0.4..0.8),
        ("58000", "internal_error", 0.4..0.8),
        ("2200H", "sequence_exhausted", 0.7..0.95),
        ("40P01", "deadlock", 0.3..0.7),
        ("55P03", "lock_not_available", 0.05..0.2),
        ("57014", "statement_cancelled", 0.05..0.2),
        ("57P01", "session_terminated", 0.05..0.2),
        ("25P03", "session_terminated", 0.05..0.2),
        ("57P03", "not_accepting_connections", 0.05..0.2),
        ("42703", "invalid_statement", 0.05..0.2),
        ("40001", "serialization_failure", 0.0..0.2),
        ("42501", "access_refused", 0.0..0.2),
        ("28P01", "access_refused", 0.0..0.2),
        ("08006", "connection_lost", 0.0..0.2),
        ("23505", "constraint_violation", 0.0..0.1),
        ("22012", "invalid_data", 0.0..0.1),
        ("54000", "invalid_data", 0.0..0.1),
        ("P0001", "other_error", 0.0..0.1),
    ];
    for (sqlstate, code, band) in bands {
        let finding = found(class(sqlstate, 10));
        assert_eq!(finding.reason_codes, [code], "{sqlstate}");
        assert!(band.contains(&finding.score), "{sqlstate} {}", finding.score);
        assert_eq!(finding.kind, FindingKind::ErrorClass);
    }
}

#[test]
fn a_panic_is_graver_than_its_sqlstate_and_a_session_dearer_than_a_statement() {
    let of = |severity: &str| {
        found(ErrorClass {
            severity: severity.to_owned(),
            ..class("42601", 10)
        })
    };
    assert_eq!(of("PANIC").reason_codes, ["server_panic"]);
    assert!(of("PANIC").score >= 0.9);
    assert!(of("FATAL").score > of("ERROR").score);
    assert_eq!(of("FATAL").reason_codes, ["invalid_statement", "session_ended"]);
}

#[test]
fn many_in_a_short_time_are_a_burst() {
    let report = triage(
        &testkit::evidence()
            .error_class(within(class("42703", 300), 5, 5))
            .build(),
    );
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::ErrorBurst);
    assert_eq!(finding.reason_codes, ["invalid_statement", "error_burst"]);
    assert_eq!(
        finding.reason,
        "all within 5.0 min from 2026-01-02T03:09:05Z on, in logs of 60.0 min"
    );
    let spread = found(class("42703", 300));
    assert_eq!(spread.kind, FindingKind::ErrorClass);
    assert!(
        finding.score > spread.score && finding.score >= 0.5,
        "{}",
        finding.score
    );
    assert_eq!(
        report.prompts(),
        ["ask what was changed when ec_0000000000000001 began"]
    );
    assert!(report.next_actions[0].reason.contains("2026-01-02T03:09:05Z"));
    // Too few, or in logs of a few minutes, where all is within a short time.
    assert_eq!(found(within(class("42703", 29), 5, 5)).kind, FindingKind::ErrorClass);
    let short = Evidence {
        window: Some((start(), start() + 5 * MINUTE_US)),
        ..testkit::evidence()
            .error_class(within(class("42703", 300), 0, 0))
            .build()
    };
    assert_eq!(triage(&short).findings[0].kind, FindingKind::ErrorClass);
}

#[test]
fn what_began_in_the_second_half_is_new() {
    let finding = found(within(class("42703", 20), 35, 20));
    assert_eq!(finding.kind, FindingKind::ErrorBurst);
    assert_eq!(finding.reason_codes, ["invalid_statement", "new_in_window"]);
    assert_eq!(
        finding.reason,
        "none before 2026-01-02T03:39:05Z, in the second half of the logs, and 1.0 per minute from then to the last"
    );
    assert!(found(within(class("42703", 20), 20, 20)).kind == FindingKind::ErrorClass);
    assert!(found(within(class("42703", 9), 35, 20)).kind == FindingKind::ErrorClass);
}

#[test]
fn more_of_the_same_never_weighs_less() {
    for sqlstate in ["XX001", "53300", "40P01", "42703", "23505", "57014", "P0001"] {
        for (from, minutes) in [(0, 60), (5, 5), (35, 20), (59, 1)] {
            let mut before = 0.0;
            for count in [0, 1, 2, 9, 10, 11, 29, 30, 31, 100, 10_000, u64::MAX] {
                let score = found(within(class(sqlstate, count), from, minutes)).score;
                assert!(score >= before, "{sqlstate} {from} {count}: {score} < {before}");
                before = score;
            }
        }
    }
    // Nor does the same number in less time.
    let mut before = 0.0;
    for minutes in [60, 30, 11, 10, 9, 5, 1, 0] {
        let score = found(within(class("42703", 100), 0, minutes)).score;
        assert!(score >= before, "{minutes}");
        before = score;
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
fn other_runbooks_are_named_where_the_cause_is() {
    let of = |sqlstate| triage(&testkit::evidence().error_class(class(sqlstate, 10)).build());
    assert!(
        has_workflow(&of("58P01"), "replication"),
        "WAL that a standby needed is missing"
    );
    assert!(!has_workflow(&of("XX001"), "replication"));
    assert!(has_workflow(&of("53300"), "connections"));
    assert!(has_workflow(&of("40P01"), "locks"));
    assert!(has_workflow(&of("55P03"), "locks"));
    assert!(has_workflow(&of("57014"), "query-families"));
    assert!(!has_workflow(&of("53100"), "temp-files"), "there are none");
    let report = triage(
        &testkit::evidence()
            .error_class(class("53100", 10))
            .temp_files(TempFileGroup {
                ..testkit::temp_files(1)
            })
            .build(),
    );
    assert!(has_workflow(&report, "temp-files"));
    assert_eq!(
        report.prompts(),
        ["let a person make room on the disk: ec_0000000000000001"]
    );
    let report = of("53200");
    assert_eq!(
        report.prompts(),
        ["let a person look at the memory of the machine: ec_0000000000000001"]
    );
    assert!(has_workflow(&report, "connections"));
    assert_eq!(of("XX000").prompts(), ["show ec_0000000000000001 to a person"]);
    assert_eq!(
        of("40001").prompts(),
        ["ask whether the application retries the transactions of ec_0000000000000001"]
    );
    assert!(of("28P01").prompts().is_empty());
    let guessing = triage(
        &testkit::evidence()
            .error_class(within(class("28P01", 500), 5, 5))
            .build(),
    );
    assert_eq!(
        guessing.prompts(),
        ["ask who tries to connect with what: ec_0000000000000001"]
    );
}

#[test]
fn sessions_are_looked_at_once_for_the_same_application() {
    let other = ErrorClass {
        id: "ec_2".to_owned(),
        ..class("42703", 20)
    };
    let elsewhere = ErrorClass {
        id: "ec_3".to_owned(),
        dimensions: testkit::dimensions("shop", "app", "batch"),
        ..class("42703", 5)
    };
    let evidence = testkit::evidence()
        .error_class(class("42P01", 10))
        .error_class(other)
        .error_class(elsewhere);
    let report = triage(&evidence.build());
    assert_eq!(report.offered(SESSIONS).count(), 2);
    let refused = triage(&testkit::evidence().error_class(class("28P01", 10)).build());
    assert_eq!(refused.requested(SESSIONS).count(), 0);
}

#[test]
fn statements_that_failed_are_evidence_if_the_host_lists_them() {
    let failed = |family: String| ErrorStatement {
        family,
        attribution: Attribution::Stated,
        count: 5,
    };
    let class = ErrorClass {
        statements: vec![failed(testkit::family(1).id), failed(testkit::family(9).id)],
        ..class("42703", 10)
    };
    let report = triage(
        &testkit::evidence()
            .family(testkit::family(1))
            .error_class(class)
            .build(),
    );
    assert_eq!(report.findings[0].evidence, ["qf_0000000000000001"]);
    assert!(report.limitations.is_empty());
}

#[test]
fn what_the_log_does_not_tell_is_a_limitation() {
    let unknown = ErrorClass {
        sqlstate: None,
        ..class("", 1_000)
    };
    let report = triage(&testkit::evidence().error_class(unknown.clone()).build());
    assert_eq!(report.findings[0].reason_codes, ["other_error", "sqlstate_unknown"]);
    assert_eq!(report.findings[0].confidence, Confidence::Low);
    assert!(report.limitations[0].starts_with("1 of 1 kinds of errors have no SQLSTATE: add %e"));
    assert!(report.limitations[1].contains("log_min_error_statement"));
    let timeless = Evidence {
        window: None,
        ..testkit::evidence().error_class(class("42703", 1_000)).build()
    };
    let report = triage(&timeless);
    assert_eq!(
        report.findings[0].reason,
        "the logs do not tell over which time, so there is no rate"
    );
    assert_eq!(report.findings[0].kind, FindingKind::ErrorClass);
}

#[test]
fn a_long_list_is_cut_and_said_to_be() {
    let many = (1..=60).fold(testkit::evidence(), |evidence, n| {
        evidence.error_class(ErrorClass {
            count: n,
            ..testkit::error_class(n)
        })
    });
    let report = triage(&many.build());
    assert_eq!(report.findings.len(), 40);
    assert!(
        report
            .limitations
            .contains(&"20 more kinds of errors and cancellations weigh less and are not told".to_owned())
    );
}
