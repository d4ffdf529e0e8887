//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod interpret;
mod triage;

use pg_logstats_sdk::testkit::{self, Report, ReportedStep, generate};
use pg_logstats_sdk::{OutcomeStatus, Runbook};

use crate::Plans;

fn insights(report: &Report) -> Vec<&str> {
    report.insights.iter().map(|insight| insight.id.as_str()).collect()
}

fn asks(report: &Report) -> bool {
    report
        .next_actions
        .iter()
        .any(|next| next.step == ReportedStep::PromptUser)
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&Plans, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let descriptor = Plans.describe();
    for seed in 0..100 {
        let evidence = generate::evidence(seed);
        let report = testkit::triage(&Plans, &evidence).unwrap();
        assert!(!report.findings.is_empty(), "evidence {seed}");
        assert!((1..=22).contains(&report.next_actions.len()), "evidence {seed}");
        for action in &descriptor.actions {
            let outcome = generate::outcome(seed, &evidence, action);
            let report = testkit::interpret(&Plans, &evidence, &outcome).unwrap();
            assert!(
                !report.insights.is_empty() || !report.findings.is_empty(),
                "{action} {seed}"
            );
            assert!(!report.next_actions.is_empty(), "{action} {seed}");
        }
    }
}

#[test]
fn no_action_is_offered_twice_about_the_same() {
    for seed in 0..100 {
        let report = testkit::triage(&Plans, &generate::evidence(seed)).unwrap();
        let mut offered: Vec<String> = Vec::new();
        for next in &report.next_actions {
            if let ReportedStep::RunSql(request) = &next.step {
                let request = format!("{request:?}");
                assert!(!offered.contains(&request), "evidence {seed}: {request}");
                offered.push(request);
            }
        }
    }
}

#[test]
fn an_action_that_gave_no_answer_says_why() {
    let evidence = testkit::evidence().build();
    for action in Plans.describe().actions {
        for (status, insight) in [
            (OutcomeStatus::TimedOut, "action_timed_out"),
            (OutcomeStatus::Cancelled, "action_cancelled"),
            (OutcomeStatus::InsufficientPrivilege, "action_not_permitted"),
            (OutcomeStatus::Unavailable, "action_unavailable"),
            (OutcomeStatus::Failed, "action_failed"),
        ] {
            let outcome = testkit::outcome(&action).status(status).build();
            let report = testkit::interpret(&Plans, &evidence, &outcome).unwrap();
            assert_eq!(insights(&report), [insight], "{action}");
        }
        let truncated = testkit::outcome(&action).status(OutcomeStatus::Truncated).build();
        let report = testkit::interpret(&Plans, &evidence, &truncated).unwrap();
        assert!(
            report.limitations.iter().any(|l| l.starts_with("there was more than")),
            "{action}"
        );
    }
}

#[test]
fn an_unknown_action_is_a_finding_of_nothing() {
    let outcome = testkit::outcome("index.usage").build();
    let report = testkit::interpret(&Plans, &testkit::evidence().build(), &outcome).unwrap();
    assert_eq!(report.findings[0].kind, pg_logstats_sdk::FindingKind::NothingFound);
    assert_eq!(report.findings[0].score, 0.0);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}
