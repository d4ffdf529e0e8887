//! The runbook on outcomes by hand and on generated ones; the kit checks every rule of the host.

mod holders;
mod settings;
mod slots;
mod standbys;

use pg_logstats_sdk::testkit::{self, MostOffers, Report, ReportedStep, generate};
use pg_logstats_sdk::{Cell, FindingKind, Outcome, OutcomeStatus, Priority};

use crate::ReplicationLag;

const STANDBYS: &str = "replication.pg_stat_replication.lag";
const SLOTS: &str = "replication.pg_replication_slots.state";
const RECEIVER: &str = "replication.pg_stat_wal_receiver.state";
const HOLDERS: &str = "replication.pg_stat_activity.replay_holders";
const SETTINGS: &str = "replication.pg_settings.relevant";

const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn interpret(outcome: &Outcome) -> Report {
    testkit::interpret(&ReplicationLag, &testkit::evidence().build(), outcome).unwrap()
}

fn rows(action: &str, rows: &[Vec<(&str, Cell)>]) -> Outcome {
    testkit::outcome(action).rows(rows).build()
}

/// The scores of `figures` never fall, and the first is low and the last high.
fn assert_rises<T: Copy>(figures: &[T], score: impl Fn(T) -> f64) {
    let scores: Vec<f64> = figures.iter().map(|figure| score(*figure)).collect();
    assert!(scores.is_sorted(), "{scores:?}");
    assert!(scores[0] <= 0.2 && scores[scores.len() - 1] >= 0.8, "{scores:?}");
}

#[test]
fn nothing_that_the_host_may_hand_over_breaks_it() {
    testkit::check(&ReplicationLag, 0..400).unwrap();
}

#[test]
fn every_answer_says_something_and_where_to_go() {
    let most = MostOffers {
        triage: 20,
        interpret: 20,
    };
    testkit::check_answers(&ReplicationLag, 0..100, most, |answer| {
        let offers = answer.report.next_actions.iter();
        let offers = offers.filter(|next| matches!(next.step, ReportedStep::RunSql(_)));
        let is_asked_in_vain = answer.report.requests.len() != offers.count();
        assert!(answer.outcome.is_none() || !is_asked_in_vain, "{}", answer.seed);
    })
    .unwrap();
}

#[test]
fn triage_offers_what_there_is_to_look_at_and_judges_nothing() {
    for evidence in [testkit::evidence().build(), generate::evidence(7)] {
        let report = testkit::triage(&ReplicationLag, &evidence).unwrap();
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
        assert_eq!(report.findings[0].reason_codes, ["not_looked_at"]);
        for action in [STANDBYS, SLOTS, RECEIVER] {
            let offers: Vec<_> = report.offered(action).collect();
            assert_eq!(offers.len(), 1, "{action}");
            assert_eq!(
                (offers[0].priority, offers[0].findings.as_slice()),
                (Priority::Required, [0].as_slice())
            );
        }
        assert_eq!(report.offered(SETTINGS).count(), 1);
    }
}

#[test]
fn an_action_that_gave_no_answer_says_why() {
    let evidence = testkit::evidence().build();
    testkit::check_failures(&ReplicationLag, &evidence, &[], |_, report| {
        assert_eq!(report.next_actions.len(), 1)
    })
    .unwrap();
}

#[test]
fn what_was_cut_and_what_is_unknown_is_said() {
    let cut = testkit::outcome(SLOTS)
        .status(OutcomeStatus::Truncated)
        .row(&[("retained_bytes", Cell::Int(1))])
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
}
