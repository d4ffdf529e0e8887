//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod cancellations;
mod classes;
mod outcomes;

use pg_logstats_sdk::testkit::{self, MostOffers, Report, ReportedFinding, ReportedStep, generate};
use pg_logstats_sdk::{ErrorClass, Evidence, FindingKind};

use crate::Errors;

const SESSIONS: &str = "error_class.pg_stat_activity.by_dimensions";
const MINUTE_US: i64 = 60_000_000;

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&Errors, evidence).unwrap()
}

fn has_workflow(report: &Report, workflow: &str) -> bool {
    let step = ReportedStep::RunWorkflow(workflow.to_owned());
    report.next_actions.iter().any(|next| next.step == step)
}

/// A class, number 1, of this SQLSTATE, spread over the whole hour.
fn class(sqlstate: &str, count: u64) -> ErrorClass {
    ErrorClass {
        sqlstate: Some(sqlstate.to_owned()),
        count,
        ..testkit::error_class(1)
    }
}

/// The one finding about `class`.
fn found(class: ErrorClass) -> ReportedFinding {
    let report = triage(&testkit::evidence().error_class(class).build());
    assert_eq!(report.findings.len(), 1);
    report.findings[0].clone()
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&Errors, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 21,
        interpret: 24,
    };
    testkit::check_answers(&Errors, 0..100, most, |_| {}).unwrap();
}

#[test]
fn no_action_is_offered_twice_with_the_same_bindings() {
    for seed in 0..200 {
        let report = triage(&generate::evidence(seed));
        for (position, request) in report.requests.iter().enumerate() {
            let again = report.requests[position + 1..]
                .iter()
                .any(|other| other.request == request.request);
            assert!(!again, "evidence {seed}: {request}");
        }
    }
}

#[test]
fn nothing_found_is_a_finding_and_what_the_log_may_lack_is_told() {
    let report = triage(&testkit::evidence().build());
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert!(report.findings[0].score.abs() < f64::EPSILON);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
    assert!(report.limitations[0].contains("log_min_messages"));
}

#[test]
fn a_healthy_server_alarms_nobody() {
    let evidence = testkit::evidence()
        .error_class(ErrorClass {
            id: "ec_1".to_owned(),
            ..class("23505", 100)
        })
        .error_class(ErrorClass {
            id: "ec_2".to_owned(),
            ..class("42601", 12)
        })
        .error_class(ErrorClass {
            id: "ec_3".to_owned(),
            severity: "FATAL".to_owned(),
            ..class("28P01", 12)
        })
        .error_class(ErrorClass {
            id: "ec_4".to_owned(),
            ..class("40001", 20)
        })
        .error_class(ErrorClass {
            id: "ec_5".to_owned(),
            ..class("22012", 50)
        })
        .cancellation(testkit::cancellation(1, pg_logstats_sdk::CancelReason::UserRequest))
        .cancellation(testkit::cancellation(
            2,
            pg_logstats_sdk::CancelReason::StatementTimeout,
        ))
        .cancellation(testkit::cancellation(
            3,
            pg_logstats_sdk::CancelReason::IdleSessionTimeout,
        ))
        .build();
    for finding in triage(&evidence).findings {
        assert!(finding.score <= 0.2, "{} {}", finding.title, finding.score);
    }
}
