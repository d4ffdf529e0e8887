//! The runbook on outcomes by hand and on generated ones; the kit checks every rule of the host.

mod advice;
mod indexes;
mod tables;
mod unused;

use pg_logstats_sdk::testkit::{self, MostOffers, Report, ReportedStep, generate};
use pg_logstats_sdk::{Cell, Evidence, FindingKind, LockTarget, LockWait, Outcome, OutcomeStatus, Priority};

use crate::IndexHealth;

const INVALID: &str = "relation.pg_index.invalid";
const CONSTRAINTS: &str = "relation.pg_constraint.not_validated";
const BUILDS: &str = "progress.pg_stat_progress_create_index.running";
const DEAD_ROWS: &str = "autovacuum.pg_stat_all_tables.most_dead";
const USAGE: &str = "relation.pg_stat_all_indexes.usage";
const BLOAT: &str = "relation.pg_stats.bloat_estimate";
const STATISTICS: &str = "relation.pg_stat_all_tables.statistics";

/// The table that the evidence names.
const TABLE: &str = "rl_1_5";
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// Logs in which somebody waited for a table.
fn evidence() -> Evidence {
    let wait = LockWait {
        target: LockTarget::Relation(TABLE.to_owned()),
        ..testkit::lock_wait(1, 7, &[8])
    };
    testkit::evidence().lock_wait(wait).build()
}

/// Rows about that table.
fn about_table(action: &str, rows: &[Vec<(&str, Cell)>]) -> Outcome {
    testkit::outcome(action).about(&TABLE.to_owned()).rows(rows).build()
}

/// The scores of `figures` never fall.
fn assert_rises<T: Copy>(figures: &[T], score: impl Fn(T) -> f64) {
    let scores: Vec<f64> = figures.iter().map(|figure| score(*figure)).collect();
    assert!(scores.is_sorted() && scores[0] < scores[scores.len() - 1], "{scores:?}");
}

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&IndexHealth, &evidence(), outcome).unwrap()
}

fn rows(action: &str, rows: &[Vec<(&str, Cell)>]) -> Outcome {
    testkit::outcome(action).rows(rows).build()
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&IndexHealth, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 20,
        interpret: 20,
    };
    testkit::check_answers(&IndexHealth, 0..100, most, |answer| {
        let offers = answer.report.next_actions.iter();
        let offers = offers.filter(|next| matches!(next.step, ReportedStep::RunSql(_)));
        let is_asked_in_vain = answer.report.requests.len() != offers.count();
        assert!(answer.outcome.is_none() || !is_asked_in_vain, "{}", answer.seed);
    })
    .unwrap();
}

#[test]
fn triage_offers_what_there_is_to_look_at_and_judges_nothing() {
    let empty = testkit::evidence().build();
    for evidence in [&empty, &evidence(), &generate::evidence(7)] {
        let report = testkit::triage(&IndexHealth, evidence).unwrap();
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
        assert_eq!(report.findings[0].reason_codes, ["not_looked_at"]);
        for action in [INVALID, BUILDS, CONSTRAINTS] {
            let offers: Vec<_> = report.offered(action).collect();
            assert_eq!(offers.len(), 1, "{action}");
            assert_eq!(
                (offers[0].priority, offers[0].findings.as_slice()),
                (Priority::Required, [0].as_slice())
            );
        }
        assert_eq!(report.offered(DEAD_ROWS).count(), 1);
        assert_eq!(report.offered(unused::UNUSED).count(), 1);
        assert!(report.next_actions.len() <= 13);
    }
    let report = testkit::triage(&IndexHealth, &evidence()).unwrap();
    for action in [USAGE, BLOAT] {
        let bound: Vec<_> = report
            .requested(action)
            .map(|request| request.bound("relation"))
            .collect();
        assert_eq!(bound, [Some(TABLE)]);
    }
    assert!(report.limitations.is_empty());
    assert_eq!(testkit::triage(&IndexHealth, &empty).unwrap().limitations.len(), 1);
}

#[test]
fn a_table_of_the_logs_whose_database_is_unknown_is_not_asked_for() {
    let mut group = testkit::autovacuum(1);
    group.database = None;
    let evidence = testkit::evidence()
        .autovacuum(group)
        .autovacuum(testkit::autovacuum(2))
        .build();
    let report = testkit::triage(&IndexHealth, &evidence).unwrap();
    let bound: Vec<_> = report
        .requested(USAGE)
        .map(|request| request.bound("relation"))
        .collect();
    assert_eq!(bound, [Some(evidence.autovacuum[1].table.as_str())]);
}

#[test]
fn an_action_that_gave_no_answer_says_why() {
    let evidence = evidence();
    testkit::check_failures(&IndexHealth, &evidence, &[], |_, report| {
        assert_eq!(report.next_actions.len(), 1)
    })
    .unwrap();
}

#[test]
fn what_was_cut_and_what_is_unknown_is_said() {
    let cut = testkit::outcome(INVALID)
        .status(OutcomeStatus::Truncated)
        .row(&[("size_bytes", Cell::Int(1))])
        .build();
    assert_eq!(
        interpret(&cut).limitations,
        ["there was more than the action may return; rows that were judged: 1"]
    );
    let foreign = interpret(&testkit::outcome("query_family.explain").build());
    assert_eq!(
        foreign.limitations,
        ["this runbook does not know how to judge that action"]
    );
    assert_eq!(foreign.findings[0].kind, FindingKind::NothingFound);
    let unknown = interpret(&rows(BLOAT, &[vec![("bloat_ratio", Cell::Float(0.9))]]));
    assert_eq!(
        unknown.limitations,
        ["the evidence does not have the table that the action was about"]
    );
}
