//! What every runbook of a live server is tested for: each function is the body of a test.

use std::ops::Range;

use pg_logstats_sdk::testkit::{self, MostOffers, ReportedStep, TestError};
use pg_logstats_sdk::{Priority, Runbook};

/// Every answer helps, phase 1 finds nothing but that nothing was looked at, and phase 2 asks for nothing twice unless its rows are about several.
///
/// # Errors
/// As [`testkit::check_answers`].
///
/// # Panics
/// Where an answer is another one.
pub fn every_answer_helps(runbook: &dyn Runbook, seeds: Range<u64>, most: MostOffers) -> Result<(), TestError> {
    testkit::check_answers(runbook, seeds, most, |answer| {
        let (seed, report) = (answer.seed, answer.report);
        let Some(outcome) = answer.outcome else {
            assert_eq!(report.findings.len(), 1, "evidence {seed}");
            return;
        };
        for (place, request) in report.requests.iter().enumerate() {
            let again = report
                .requests
                .iter()
                .skip(place + 1)
                .any(|other| other.request == request.request && other.answer.is_ok() && request.answer.is_ok());
            assert!(
                !again || outcome.rows.len() > 1,
                "{} {seed}: asked twice",
                outcome.action
            );
        }
    })
}

/// Without logs it offers what needs no subject, `required` of it as required.
///
/// # Errors
/// As [`testkit::triage`](testkit::triage()).
///
/// # Panics
/// Where it offers or says something else.
pub fn offers_what_needs_no_subject(runbook: &dyn Runbook, required: usize) -> Result<(), TestError> {
    let report = testkit::triage(runbook, &testkit::evidence().build())?;
    assert_eq!(report.titles(), ["the server has not been looked at yet"]);
    let codes = report.findings.iter().map(|finding| finding.reason_codes.as_slice());
    assert!(codes.eq([["not_looked_yet"]]), "{report:?}");
    report.assert_calm();
    assert!(report.next_actions.iter().all(|next| next.findings == [0]));
    let offers = report.next_actions.iter();
    let offers = offers.filter(|next| next.priority == Priority::Required);
    assert_eq!(offers.count(), required);
    Ok(())
}

/// No rows of any action alarm, and of an action that is not its own it says that it does not know it.
///
/// # Errors
/// As [`testkit::interpret`](testkit::interpret()).
///
/// # Panics
/// Where it says something else.
pub fn is_calm_without_rows(runbook: &dyn Runbook) -> Result<(), TestError> {
    let evidence = testkit::evidence().build();
    for action in runbook.describe().actions {
        testkit::interpret(runbook, &evidence, &testkit::outcome(&action).build())?.assert_calm();
    }
    let report = testkit::interpret(runbook, &evidence, &testkit::outcome("query_family.explain").build())?;
    assert_eq!(
        report.limitations,
        ["this runbook does not know how to judge that action"]
    );
    report.assert_calm();
    let first = report.next_actions.first().map(|next| &next.step);
    assert_eq!(first, Some(&ReportedStep::Stop));
    Ok(())
}
