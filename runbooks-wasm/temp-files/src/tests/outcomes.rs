use pg_logstats_sdk::testkit::{self, ReportedStep, plan_node};
use pg_logstats_sdk::{Cell, OutcomeStatus, PlanNode, Recommendation, SetWorkMem};

use super::{ANALYZE, BLOCKS, COUNTERS, EXPLAIN, SETTINGS, evidence, interpret};
use crate::TempFiles;

/// A sort that ran, and wrote so many bytes to disk.
fn sort(disk_bytes: Option<u64>) -> PlanNode {
    PlanNode {
        actual_rows: Some(10.0),
        loops: Some(1),
        total_us: Some(1_000),
        disk_bytes,
        ..plan_node(0, "Sort")
    }
}

#[test]
fn a_spill_wants_work_mem_for_the_role() {
    let outcome = testkit::outcome(ANALYZE)
        .about(&evidence().temp_files[0])
        .plan([sort(Some(20 << 20))]);
    let report = interpret(&outcome.build());
    assert_eq!(report.insight_ids(), ["query_plan_disk_spill_detected"]);
    let user = evidence().families[0].dimensions.user.clone().unwrap();
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::SetWorkMem(SetWorkMem { user, bytes: 64 << 20 }))
    );
    assert_eq!(report.prompts(), ["let a person decide on more work_mem for the role"]);
    assert_eq!(
        (report.offered(BLOCKS).count(), report.offered(SETTINGS).count()),
        (1, 1)
    );
    assert_eq!(report.requested(ANALYZE).count(), 0);
    let fits = testkit::outcome(ANALYZE)
        .about(&evidence().temp_files[0])
        .plan([sort(None)]);
    let report = interpret(&fits.build());
    assert_eq!(report.insight_ids(), ["query_plan_no_disk_spill", "plan_unremarkable"]);
    assert!(report.insights.iter().all(|insight| insight.recommendation.is_none()));
}

#[test]
fn a_plan_that_did_not_run_cannot_tell_of_spills() {
    let outcome = testkit::outcome(EXPLAIN)
        .about(&evidence().temp_files[0])
        .plan([plan_node(0, "Sort")]);
    let report = interpret(&outcome.build());
    assert_eq!(report.insight_ids(), ["plan_unremarkable"]);
    assert_eq!(report.insights[0].confidence, pg_logstats_sdk::Confidence::Low);
    assert_eq!(report.requested(EXPLAIN).count(), 0);
}

#[test]
fn counters_tell_what_the_log_does_not() {
    let counters = |files, bytes| {
        testkit::outcome(COUNTERS)
            .about(&evidence().temp_files[0])
            .row(&[("temp_files", Cell::Int(files)), ("temp_bytes", Cell::Int(bytes))])
            .build()
    };
    let report = interpret(&counters(7, 1 << 30));
    assert_eq!(report.insight_ids(), ["temp_files_volume_detected"]);
    assert_eq!(
        report.insights[0].title,
        "the database wrote 1.0 GiB of temporary files"
    );
    assert_eq!(report.insights[0].evidence, [evidence().temp_files[0].id.as_str()]);
    assert_eq!(interpret(&counters(0, 0)).insight_ids(), ["no_temp_files_found"]);
}

#[test]
fn statements_that_write_blocks_are_counted() {
    let row = |n| [("temp_blks_written", Cell::Int(n))];
    let report = interpret(&testkit::outcome(BLOCKS).row(&row(3)).row(&row(1)).build());
    assert_eq!(report.insight_ids(), ["statements_writing_temp_blocks"]);
    assert_eq!(
        report.insights[0].reason,
        "the first of them wrote 75.0 % of all; blocks in all: 4"
    );
    let none = interpret(&testkit::outcome(BLOCKS).build());
    assert_eq!(none.insight_ids(), ["no_temp_files_found"]);
    assert_eq!(none.next_actions[0].step, ReportedStep::Stop);
}

#[test]
fn an_action_that_gave_no_answer_says_why_and_who_can_help() {
    let evidence = evidence();
    testkit::check_failures(&TempFiles, &evidence, &[&evidence.temp_files[0]], |outcome, report| {
        report.assert_not_offered_again(&outcome.action);
    })
    .unwrap();
}

#[test]
fn a_truncated_outcome_is_judged_and_said_to_be_one() {
    let outcome = testkit::outcome(BLOCKS)
        .row(&[("temp_blks_written", Cell::Int(3))])
        .status(OutcomeStatus::Truncated);
    let report = interpret(&outcome.build());
    assert_eq!(report.insight_ids(), ["statements_writing_temp_blocks"]);
    assert_eq!(
        report.limitations,
        ["there was more than the action may return, so counts are lower bounds; rows that were judged: 1"]
    );
}
