//! The runbook on outcomes by hand and generated; the kit checks every rule of the host.

mod counts;
mod sessions;
mod xmin;

use pg_logstats_sdk::testkit::{self, Report, ReportedStep, generate};
use pg_logstats_sdk::{Cell, FindingKind, Outcome, OutcomeStatus, Priority, Runbook};

use crate::RunningQueries;

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&RunningQueries, &testkit::evidence().build(), outcome).unwrap()
}

fn insights(report: &Report) -> Vec<&str> {
    report.insights.iter().map(|insight| insight.id.as_str()).collect()
}

fn titles(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.title.as_str()).collect()
}

fn workflows(report: &Report) -> Vec<&str> {
    let steps = report.next_actions.iter().map(|next| &next.step);
    steps
        .filter_map(|step| match step {
            ReportedStep::RunWorkflow(workflow) => Some(workflow.as_str()),
            _ => None,
        })
        .collect()
}

fn labels(report: &Report) -> Vec<&str> {
    report.next_actions.iter().map(|next| next.label.as_str()).collect()
}

fn recommends(report: &Report) -> usize {
    let insights = report.insights.iter();
    insights.filter(|insight| insight.recommendation.is_some()).count()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// Nothing found: one finding of score 0 and no advice.
fn assert_calm(report: &Report) {
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound, "{report:?}");
    assert_eq!((report.findings.len(), report.findings[0].score), (1, 0.0));
    assert_eq!(recommends(report), 0, "{report:?}");
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&RunningQueries, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    for seed in 0..100 {
        let evidence = generate::evidence(seed);
        let report = testkit::triage(&RunningQueries, &evidence).unwrap();
        assert_eq!(report.findings.len(), 1, "evidence {seed}");
        assert!(
            !report.next_actions.is_empty() && report.next_actions.len() <= 20,
            "evidence {seed}"
        );
        for action in RunningQueries.describe().actions {
            let outcome = generate::outcome(seed, &evidence, &action);
            let report = testkit::interpret(&RunningQueries, &evidence, &outcome).unwrap();
            assert!(
                !report.insights.is_empty() || !report.findings.is_empty(),
                "{action} {seed}"
            );
            assert!(!report.next_actions.is_empty(), "{action} {seed}");
            assert!(
                report.next_actions.len() <= 24,
                "{action} {seed}: {}",
                report.next_actions.len()
            );
            for (place, request) in report.requests.iter().enumerate() {
                let again =
                    report.requests.iter().skip(place + 1).any(|other| {
                        other.request == request.request && other.answer.is_ok() && request.answer.is_ok()
                    });
                assert!(!again || outcome.rows.len() > 1, "{action} {seed}: asked twice");
            }
        }
    }
}

#[test]
fn without_logs_it_offers_what_needs_no_subject() {
    let report = testkit::triage(&RunningQueries, &testkit::evidence().build()).unwrap();
    assert_eq!(titles(&report), ["the server has not been looked at yet"]);
    assert_eq!(report.findings[0].reason_codes, ["not_looked_yet"]);
    assert_calm(&report);
    assert!(report.next_actions.iter().all(|next| next.findings == [0]));
    let required = report
        .next_actions
        .iter()
        .filter(|next| next.priority == Priority::Required);
    assert_eq!(required.count(), 3);
}

#[test]
fn an_action_that_gave_no_answer_says_why() {
    let cases = [
        (OutcomeStatus::TimedOut, "action_timed_out", ReportedStep::Stop),
        (OutcomeStatus::Cancelled, "action_cancelled", ReportedStep::Stop),
        (
            OutcomeStatus::InsufficientPrivilege,
            "action_not_permitted",
            ReportedStep::PromptUser,
        ),
        (
            OutcomeStatus::Unavailable,
            "action_unavailable",
            ReportedStep::PromptUser,
        ),
        (OutcomeStatus::Failed, "action_failed", ReportedStep::PromptUser),
    ];
    for action in RunningQueries.describe().actions {
        for (status, insight, step) in cases.clone() {
            let report = interpret(&testkit::outcome(&action).status(status).build());
            assert_eq!(insights(&report), [insight], "{action}");
            assert!(report.findings.is_empty(), "{action}");
            assert_eq!(report.next_actions[0].step, step, "{action} {status:?}");
        }
    }
}

#[test]
fn an_action_without_rows_is_calm_and_a_foreign_one_a_limitation() {
    for action in RunningQueries.describe().actions {
        assert_calm(&interpret(&testkit::outcome(&action).build()));
    }
    let report = interpret(&testkit::outcome("query_family.explain").build());
    assert_eq!(
        report.limitations,
        ["this runbook does not know how to judge that action"]
    );
    assert_calm(&report);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}
