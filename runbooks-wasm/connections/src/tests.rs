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
        if answer.outcome.is_none() {
            answer.report.assert_no_step_twice();
        }
    })
    .unwrap();
}
