//! The runbook on outcomes by hand and generated; the kit checks every rule of the host.

mod counts;
mod sessions;
mod xmin;

use pg_logstats_runbook_statements::live::battery;
use pg_logstats_sdk::testkit::{self, MostOffers, Report, ReportedStep};
use pg_logstats_sdk::{Cell, FindingKind, Outcome, Priority};

use crate::RunningQueries;

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&RunningQueries, &testkit::evidence().build(), outcome).unwrap()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&RunningQueries, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 20,
        interpret: 24,
    };
    battery::every_answer_helps(&RunningQueries, 0..100, most).unwrap();
}

#[test]
fn without_logs_it_offers_what_needs_no_subject() {
    battery::offers_what_needs_no_subject(&RunningQueries, 3).unwrap();
}

#[test]
fn an_action_that_gave_no_answer_says_why() {
    let evidence = testkit::evidence().build();
    testkit::check_failures(&RunningQueries, &evidence, &[], |_, report| {
        report.assert_left_to_a_person_or_stopped();
    })
    .unwrap();
}

#[test]
fn an_action_without_rows_is_calm_and_a_foreign_one_a_limitation() {
    battery::is_calm_without_rows(&RunningQueries).unwrap();
}
