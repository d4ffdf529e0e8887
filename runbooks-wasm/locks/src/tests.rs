//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod interpret;
mod triage;

use pg_logstats_sdk::testkit::{self, MostOffers};

use crate::Locks;

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&Locks, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: usize::MAX,
        interpret: usize::MAX,
    };
    testkit::check_answers(&Locks, 0..100, most, |_| {}).unwrap();
}
