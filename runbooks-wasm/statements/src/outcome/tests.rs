#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{Cell, Descriptor, Evidence, Failure, Runbook};

use super::*;

mod sayings {
    pg_logstats_sdk::messages! {
        failed() => "it shows nothing about tests";
        row(row: count) => "row {row} is bad";
        well(rows: count) => "all is well: {rows}";
        why() => "because";
    }
}

pg_logstats_sdk::actions! { DATABASES = "wraparound.pg_database.ages"; }
pg_logstats_sdk::insights! {
    WELL = "well";
    NOTED = "noted";
}

/// Each row whose `xid_age` is not 0 is bad, the more the higher; of one without there are no figures.
struct Bad;

impl Runbook for Bad {
    fn describe(&self) -> Descriptor {
        Descriptor::builder("bad", "0.1.0", "bad")
            .actions(ACTIONS)
            .insights(INSIGHTS)
            .insights(no_answer::INSIGHTS)
            .reason_codes(&[crate::words::NOTHING_FOUND])
            .messages(no_answer::templates())
            .messages(messages::templates())
            .messages(sayings::templates())
            .build()
    }

    fn triage(&self, _: &Evidence, _: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(Assessment::new())
    }

    fn interpret(&self, _: &Evidence, outcome: &Outcome, actions: &mut dyn Actions) -> Result<Assessment, Failure> {
        Ok(frame(
            outcome,
            actions,
            sayings::failed(),
            |_, assessment| {
                if outcome.action != DATABASES.as_str() {
                    return false;
                }
                let ages = || outcome.records().enumerate().map(|(n, row)| (n, row.count("xid_age")));
                without_figures(ages().filter(|(_, age)| age.is_none()).count(), assessment);
                let bad = ages().filter_map(|(n, age)| Some((n, age.filter(|&age| age > 0)?)));
                let finding = |(n, age): (usize, u64)| {
                    Finding::new(FindingKind::Wraparound, sayings::row(number(n)), sayings::why())
                        .score(age as f64 / 100.0)
                };
                if worst_first(bad.map(finding).collect(), assessment) == 0 && !outcome.rows.is_empty() {
                    let title = sayings::well(Count::of(&outcome.rows));
                    all_well(WELL, Confidence::High, title, sayings::why(), assessment);
                }
                true
            },
            nothing_to_judge,
        ))
    }
}

fn interpret(action: &str, status: OutcomeStatus, ages: impl IntoIterator<Item = Cell>) -> Report {
    let made = testkit::outcome(action).status(status);
    let made = ages.into_iter().fold(made, |made, age| made.row(&[("xid_age", age)]));
    testkit::interpret(&Bad, &testkit::evidence().build(), &made.build()).unwrap()
}

#[test]
fn the_worst_rows_come_first_and_the_others_are_counted() {
    let ages = (1..=12).map(Cell::Int).chain([Cell::Null]);
    let report = interpret(DATABASES.as_str(), OutcomeStatus::Truncated, ages);
    assert_eq!(report.findings.len(), 10);
    assert_eq!(report.titles()[..2], ["row 12 is bad", "row 11 is bad"]);
    assert_eq!(
        report.limitations,
        [
            "rows without the figures that are judged here: 1",
            "further rows that stand out, and are not told one by one: 2",
            "there was more than the action may return; rows that were judged: 13",
        ]
    );
    let equals = interpret(DATABASES.as_str(), OutcomeStatus::Ok, [1, 2, 1, 2].map(Cell::Int));
    let in_order = ["row 2 is bad", "row 4 is bad", "row 1 is bad", "row 3 is bad"];
    assert_eq!(equals.titles(), in_order);
    assert_eq!(equals.limitations, [""; 0]);
}

#[test]
fn that_there_is_nothing_is_said_once() {
    let well = interpret(DATABASES.as_str(), OutcomeStatus::Ok, [Cell::Int(0)]);
    assert_eq!(well.titles(), ["all is well: 1"]);
    assert!(well.insight("well").is_some());
    assert_eq!(well.next_actions[0].step, ReportedStep::Stop);
    let silent = interpret(DATABASES.as_str(), OutcomeStatus::Ok, []);
    assert_eq!(silent.titles(), ["the action showed nothing that can be judged"]);
    let foreign = interpret("query_family.explain", OutcomeStatus::Ok, []);
    assert_eq!(
        foreign.limitations,
        ["this runbook does not know how to judge that action"]
    );
    assert_eq!(foreign.findings[0].kind, FindingKind::NothingFound);
    let failed = interpret(DATABASES.as_str(), OutcomeStatus::Failed, []);
    assert!(failed.findings.is_empty());
    assert_eq!(failed.insights[0].reason, "it shows nothing about tests");
}

#[test]
fn nothing_is_found_in_the_words_of_the_last_insight_and_beside_no_other() {
    let outcome = testkit::outcome(DATABASES.as_str()).build();
    let made = |ids: &[InsightId]| {
        let mut assessment = Assessment::new();
        for (n, id) in ids.iter().enumerate() {
            assessment.insight(Insight::new(
                *id,
                Confidence::High,
                sayings::row(number(n)),
                sayings::why(),
            ));
        }
        only_nothing(&outcome, &[WELL], &mut assessment);
        assessment.findings
    };
    assert_eq!(made(&[])[0].title, messages::nothing_in_outcome_title());
    let found = made(&[WELL, WELL]);
    assert_eq!((found.len(), &found[0].title), (1, &sayings::row(Count(2))));
    assert_eq!(made(&[WELL, NOTED]).len(), 0);
}

#[test]
fn nothing_is_found_where_nothing_else_was() {
    let outcome = testkit::outcome(DATABASES.as_str()).build();
    let mut assessment = Assessment::new();
    assessment.finding(Finding::new(FindingKind::Wraparound, sayings::why(), sayings::why()));
    only_nothing(&outcome, &[], &mut assessment);
    nothing_found(&outcome, &mut assessment);
    nothing_to_judge(&outcome, &mut assessment);
    assert_eq!(assessment.findings.len(), 1);
}
