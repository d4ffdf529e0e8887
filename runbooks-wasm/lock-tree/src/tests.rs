//! The runbook on outcomes by hand and generated; the kit checks every rule of the host.

mod rows;
mod tree;

use pg_logstats_sdk::testkit::{self, MostOffers, Report, ReportedStep};
use pg_logstats_sdk::{Cell, FindingKind, Outcome, OutcomeStatus, Priority, Runbook};

use crate::LockTree;

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&LockTree, &testkit::evidence().build(), outcome).unwrap()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&LockTree, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 20,
        interpret: 24,
    };
    testkit::check_answers(&LockTree, 0..100, most, |answer| {
        let (seed, report) = (answer.seed, answer.report);
        let Some(outcome) = answer.outcome else {
            assert_eq!(report.findings.len(), 1, "evidence {seed}");
            return;
        };
        for (place, request) in report.requests.iter().enumerate() {
            let again = report
                .requests
                .iter()
                .skip(place + 1)
                .any(|other| other.request == request.request && other.answer.is_ok() && request.answer.is_ok());
            assert!(
                !again || outcome.rows.len() > 1,
                "{} {seed}: asked twice",
                outcome.action
            );
        }
    })
    .unwrap();
}

#[test]
fn without_logs_it_offers_what_needs_no_subject() {
    let report = testkit::triage(&LockTree, &testkit::evidence().build()).unwrap();
    assert_eq!(report.titles(), ["the server has not been looked at yet"]);
    assert_eq!(report.findings[0].reason_codes, ["not_looked_yet"]);
    report.assert_calm();
    assert!(report.next_actions.iter().all(|next| next.findings == [0]));
    let required = report
        .next_actions
        .iter()
        .filter(|next| next.priority == Priority::Required);
    assert_eq!(required.count(), 1);
}

#[test]
fn an_action_that_gave_no_answer_says_why() {
    let evidence = testkit::evidence().build();
    testkit::check_failures(&LockTree, &evidence, &[], |_, report| {
        let is_asked = !report.prompts().is_empty();
        let step = if is_asked {
            ReportedStep::PromptUser
        } else {
            ReportedStep::Stop
        };
        assert_eq!(report.next_actions[0].step, step);
    })
    .unwrap();
}

#[test]
fn an_action_without_rows_is_calm_and_a_foreign_one_a_limitation() {
    for action in LockTree.describe().actions {
        interpret(&testkit::outcome(&action).build()).assert_calm();
    }
    let report = interpret(&testkit::outcome("query_family.explain").build());
    assert_eq!(
        report.limitations,
        ["this runbook does not know how to judge that action"]
    );
    report.assert_calm();
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}
