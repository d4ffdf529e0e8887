//! The runbook on evidence by hand and on generated evidence; the kit checks every rule of the host.

mod plans;
mod sessions;
mod triage;

use pg_logstats_sdk::testkit::{self, Report, ReportedStep, generate};
use pg_logstats_sdk::{Evidence, Outcome, OutcomeStatus, Runbook};

use crate::QueryFamilies;

/// One family, number 1, and a group of temporary files of it.
fn evidence() -> Evidence {
    let family = testkit::family(1);
    let group = pg_logstats_sdk::TempFileGroup {
        family: Some(family.id.clone()),
        ..testkit::temp_files(1)
    };
    testkit::evidence().family(family).temp_files(group).build()
}

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&QueryFamilies, &evidence(), outcome).unwrap()
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&QueryFamilies, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let descriptor = QueryFamilies.describe();
    for seed in 0..100 {
        let evidence = generate::evidence(seed);
        let report = testkit::triage(&QueryFamilies, &evidence).unwrap();
        assert!(!report.findings.is_empty(), "evidence {seed}");
        assert!(
            !report.next_actions.is_empty() || !report.requests.is_empty(),
            "evidence {seed}"
        );
        for action in &descriptor.actions {
            let outcome = generate::outcome(seed, &evidence, action);
            let report = testkit::interpret(&QueryFamilies, &evidence, &outcome).unwrap();
            assert!(
                !report.insights.is_empty() || !report.findings.is_empty(),
                "{action} {seed}"
            );
            assert!(!report.next_actions.is_empty(), "{action} {seed}");
        }
    }
}

#[test]
fn an_action_that_gave_no_answer_says_why_and_who_can_help() {
    let evidence = evidence();
    testkit::check_failures(
        &QueryFamilies,
        &evidence,
        &[&evidence.families[0]],
        |outcome, report| {
            report.assert_not_offered_again(&outcome.action);
        },
    )
    .unwrap();
}

#[test]
fn an_action_that_it_does_not_know_is_a_finding_of_nothing() {
    let report = interpret(&testkit::outcome("index.usage.by_relation").build());
    assert_eq!(report.findings[0].kind, pg_logstats_sdk::FindingKind::NothingFound);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn a_truncated_outcome_is_judged_and_said_to_be_one() {
    let outcome = testkit::outcome("temp_file.pg_stat_statements.temp_blocks")
        .row(&[("temp_blks_written", pg_logstats_sdk::Cell::Int(3))])
        .row(&[("temp_blks_written", pg_logstats_sdk::Cell::Int(1))])
        .status(OutcomeStatus::Truncated)
        .build();
    let report = interpret(&outcome);
    assert_eq!(report.insight_ids(), ["statements_writing_temp_blocks"]);
    assert_eq!(
        report.insights[0].reason,
        "the first of them wrote 75.0 % of all; blocks in all: 4"
    );
    assert_eq!(
        report.limitations,
        ["there was more than the action may return, so counts are lower bounds; rows that were judged: 2"]
    );
}
