//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod interpret;
mod triage;

use pg_logstats_sdk::Evidence;
use pg_logstats_sdk::testkit::{self, MostOffers, Report};

use crate::Connections;

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&Connections, evidence).unwrap()
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&Connections, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 20,
        interpret: 24,
    };
    testkit::check_answers(&Connections, 0..100, most, |answer| {
        let steps = &answer.report.next_actions;
        for (position, next) in steps.iter().enumerate() {
            let is_same = |other: &testkit::ReportedAction| other.step == next.step && other.label == next.label;
            let is_twice = steps.iter().skip(position + 1).any(is_same);
            assert!(answer.outcome.is_some() || !is_twice, "evidence {}", answer.seed);
        }
    })
    .unwrap();
}
