//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod interpret;
mod triage;

use pg_logstats_sdk::testkit::{self, Report, generate};
use pg_logstats_sdk::{Evidence, Runbook};

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
    let descriptor = Connections.describe();
    for seed in 0..100 {
        let evidence = generate::evidence(seed);
        let report = triage(&evidence);
        assert!(
            !report.findings.is_empty() && !report.next_actions.is_empty(),
            "evidence {seed}"
        );
        assert!(report.next_actions.len() <= 20, "evidence {seed}");
        for (position, next) in report.next_actions.iter().enumerate() {
            let others = &report.next_actions[position + 1..];
            assert!(
                others
                    .iter()
                    .all(|other| other.step != next.step || other.label != next.label),
                "evidence {seed}"
            );
        }
        for action in &descriptor.actions {
            let outcome = generate::outcome(seed, &evidence, action);
            let report = testkit::interpret(&Connections, &evidence, &outcome).unwrap();
            assert!(
                !report.insights.is_empty() || !report.findings.is_empty(),
                "{action} {seed}"
            );
            assert!(!report.next_actions.is_empty(), "{action} {seed}");
        }
    }
}
