//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod interpret;
mod settings;
mod triage;

use pg_logstats_sdk::Runbook;
use pg_logstats_sdk::testkit::{self, generate};

use crate::Checkpoints;

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&Checkpoints, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let descriptor = Checkpoints.describe();
    for seed in 0..100 {
        let evidence = generate::evidence(seed);
        let report = testkit::triage(&Checkpoints, &evidence).unwrap();
        assert!(
            !report.findings.is_empty() && !report.next_actions.is_empty(),
            "evidence {seed}"
        );
        for (position, next) in report.next_actions.iter().enumerate() {
            let others = &report.next_actions[position + 1..];
            let is_same = |other: &&testkit::ReportedAction| other.step == next.step && other.label == next.label;
            assert_eq!(others.iter().find(is_same), None, "evidence {seed}");
        }
        for action in &descriptor.actions {
            let outcome = generate::outcome(seed, &evidence, action);
            let report = testkit::interpret(&Checkpoints, &evidence, &outcome).unwrap();
            assert!(
                !report.insights.is_empty() || !report.findings.is_empty(),
                "{action} {seed}"
            );
            assert!(!report.next_actions.is_empty(), "{action} {seed}");
        }
    }
}
