use pg_logstats_sdk::testkit;
use pg_logstats_sdk::{Assessment, Cell, Confidence, Recommendation};

use super::roll_back;

const PREPARED: &str = "prepared_transaction.pg_prepared_xacts.open";

#[test]
fn the_first_three_are_advised_on_and_none_is_sure() {
    let cells = [("age", Cell::DurationUs(7_200_000_000)), ("xid_age", Cell::Int(9))];
    let outcome = (1..=4).fold(testkit::outcome(PREPARED), |builder, n| builder.object(n, &cells));
    let outcome = outcome.row(&cells).build();
    let mut assessment = Assessment::new();
    roll_back(outcome.records().enumerate(), &mut assessment);
    let advice: Vec<_> = assessment
        .insights
        .iter()
        .map(|insight| (insight.recommendation.clone(), insight.confidence))
        .collect();
    let expected = ["pt_1", "pt_2", "pt_3"].map(|id| {
        let advice = Recommendation::RollbackPrepared(id.to_owned());
        (Some(advice), Confidence::Medium)
    });
    assert_eq!(advice, expected);
}

#[test]
fn a_row_without_a_name_gets_no_advice() {
    let outcome = testkit::outcome(PREPARED).row(&[("age", Cell::DurationUs(1))]).build();
    let mut assessment = Assessment::new();
    roll_back(outcome.records().enumerate(), &mut assessment);
    assert!(assessment.insights.is_empty());
}
