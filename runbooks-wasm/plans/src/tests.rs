//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod interpret;
mod triage;

use pg_logstats_sdk::testkit::{self, MostOffers, ReportedStep, generate};
use pg_logstats_sdk::{OutcomeStatus, Runbook};

use crate::Plans;

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&Plans, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 22,
        interpret: 24,
    };
    testkit::check_answers(&Plans, 0..100, most, |_| {}).unwrap();
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
    testkit::check_failures(&Plans, &evidence, &[], |_, _| {}).unwrap();
}

#[test]
fn an_action_that_was_cut_short_is_said_to_be() {
    let evidence = testkit::evidence().build();
    for action in Plans.describe().actions {
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
