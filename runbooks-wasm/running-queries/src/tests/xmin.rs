//! What holds back vacuum.

use pg_logstats_sdk::Recommendation;

use super::*;

const OLDEST_XMIN: &str = "wraparound.pg_stat_activity.oldest_xmin";
const SESSION: &str = "running_query.pg_stat_activity.by_pid";
const MILLION: i64 = 1_000_000;

/// Holders: what it is, its pid if it is a session that the server shows, its state, its age.
fn held(rows: &[(&str, Option<i32>, &str, i64)]) -> Report {
    let mut outcome = testkit::outcome(OLDEST_XMIN);
    for (holder, _, state, age) in rows {
        let state = if state.is_empty() { Cell::Null } else { text(state) };
        outcome = outcome.row(&[("holder", text(holder)), ("state", state), ("xid_age", Cell::Int(*age))]);
    }
    let mut outcome = outcome.build();
    for (row, (_, pid, _, _)) in outcome.rows.iter_mut().zip(rows) {
        row.subject = pid.map(testkit::session);
    }
    interpret(&outcome)
}

const IDLE: &str = "idle in transaction";

#[test]
fn young_snapshots_are_calm() {
    let report = held(&[("session", Some(7), "active", 1_000), ("session", Some(8), IDLE, 20)]);
    report.assert_calm();
    assert_eq!(report.insight_ids(), ["xmin_horizon_held"]);
    assert_eq!(report.insights[0].reason, "the oldest is 1,000 transactions old");
    let free = held(&[]);
    assert_eq!(free.insight_ids(), ["xmin_horizon_free"]);
    free.assert_calm();
}

/// A session of another database is older, and vacuum here does not wait for it.
#[test]
fn who_is_in_another_database_is_not_blamed() {
    let row = |age, holds_here| {
        [
            ("holder", text("session")),
            ("state", text(IDLE)),
            ("xid_age", Cell::Int(age)),
            ("holds_here", Cell::Boolean(holds_here)),
        ]
    };
    let judge = |ages: &[(i64, bool)]| {
        let add =
            |outcome: testkit::OutcomeBuilder, (age, holds_here): &(i64, bool)| outcome.row(&row(*age, *holds_here));
        let mut outcome = ages.iter().fold(testkit::outcome(OLDEST_XMIN), add).build();
        for (pid, row) in (7..).zip(&mut outcome.rows) {
            row.subject = Some(testkit::session(pid));
        }
        interpret(&outcome)
    };
    let report = judge(&[(50 * MILLION, false), (10 * MILLION, true)]);
    assert_eq!(
        report.titles(),
        ["se_8 keeps vacuum from removing what 10,000,000 transactions left behind"]
    );
    assert_eq!(
        report.insights.last().unwrap().recommendation,
        Some(Recommendation::EndSession("se_8".to_owned()))
    );
    assert_eq!(
        report.limitations,
        ["sessions and prepared transactions of other databases, which hold back vacuum there and not here: 1"]
    );
    let free = judge(&[(50 * MILLION, false)]);
    assert_eq!(free.insight_ids(), ["xmin_horizon_free"]);
    assert_eq!(free.limitations.len(), 1);
    free.assert_calm();
}

#[test]
fn the_oldest_that_does_nothing_may_be_ended_by_a_persons_decision() {
    let report = held(&[
        ("session", Some(7), IDLE, 10 * MILLION),
        ("session", Some(8), IDLE, 5 * MILLION),
    ]);
    assert_eq!(
        report.titles(),
        [
            "se_7 keeps vacuum from removing what 10,000,000 transactions left behind",
            "se_8 keeps vacuum from removing what 5,000,000 transactions left behind"
        ]
    );
    let first = &report.findings[0];
    assert_eq!((first.kind, first.score), (FindingKind::Wraparound, 0.5));
    assert_eq!(first.reason_codes, ["holds_back_vacuum", "idle_in_transaction"]);
    assert_eq!(report.recommendations(), 1, "ending the second would help nothing");
    assert_eq!(
        report.insights[1].recommendation,
        Some(Recommendation::EndSession("se_7".to_owned()))
    );
    assert_eq!(
        report.insights[1].reason,
        "it is the oldest and does nothing; without it vacuum would be held back by what is 5,000,000 transactions old"
    );
    let decide = &report.next_actions[0];
    assert_eq!(
        (decide.label.as_str(), decide.priority),
        ("let a person decide whether to end se_7", Priority::Required)
    );
    assert_eq!(report.workflows(), ["wraparound"]);
    assert_eq!(report.requested(SESSION).count(), 2);
}

#[test]
fn one_that_works_or_is_not_that_old_is_not_to_be_ended() {
    let works = held(&[("session", Some(7), "active", 10 * MILLION)]);
    assert_eq!(works.recommendations(), 0);
    assert_eq!(works.labels()[0], "let a person decide what to do about se_7");
    let young = held(&[("session", Some(7), IDLE, 2 * MILLION)]);
    assert_eq!((young.findings.len(), young.recommendations()), (1, 0));
    assert!(young.findings[0].score < 0.2);
}

#[test]
fn slots_prepared_transactions_and_hidden_sessions_are_for_others() {
    let report = held(&[
        ("replication_slot", None, "", 9 * MILLION),
        ("prepared_transaction", None, "", 8 * MILLION),
        ("prepared_transaction", None, "", 7 * MILLION),
        ("session", None, "", 6 * MILLION),
    ]);
    let codes: Vec<_> = report
        .findings
        .iter()
        .map(|finding| finding.reason_codes[1].as_str())
        .collect();
    assert_eq!(
        codes,
        [
            "replication_slot",
            "prepared_transaction",
            "prepared_transaction",
            "hidden_session"
        ]
    );
    assert_eq!(report.workflows(), ["replication-lag"]);
    let prepared = report
        .next_actions
        .iter()
        .find(|next| next.label.contains("prepared transaction"));
    assert_eq!(prepared.unwrap().findings, [1, 2], "asked once");
    assert_eq!(report.recommendations(), 0);
}

#[test]
fn older_never_scores_less() {
    let mut last = 0.0;
    for age in (0..40).map(|n| 1_i64 << n) {
        let score = held(&[("session", Some(7), IDLE, age)]).findings[0].score;
        assert!(score >= last, "{age}");
        last = score;
    }
    assert!(last > 0.8);
}

#[test]
fn of_equal_ages_the_transaction_that_began_first_is_the_oldest() {
    let row = |state: &str, since: i64| {
        [
            ("holder", text("session")),
            ("state", text(state)),
            ("xact_start", Cell::At(since)),
            ("xid_age", Cell::Int(10 * MILLION)),
        ]
    };
    // Who runs while an older transaction is open has that one's age.
    let mut outcome = testkit::outcome(OLDEST_XMIN)
        .row(&row("active", 9))
        .row(&row(IDLE, 5))
        .build();
    for (row, pid) in outcome.rows.iter_mut().zip([3, 7]) {
        row.subject = Some(testkit::session(pid));
    }
    let report = interpret(&outcome);
    assert!(
        report.findings[0].title.starts_with("se_7 "),
        "{}",
        report.findings[0].title
    );
    assert_eq!(
        report.insights[1].recommendation,
        Some(Recommendation::EndSession("se_7".to_owned()))
    );
}
