use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{
    CancelReason, CancellationGroup, Cell, Evidence, FindingKind, Outcome, Recommendation, SetParameter, Setting,
};

use crate::Replication;

const LAG: &str = "replication.pg_stat_replication.lag";
const RECEIVER: &str = "replication.pg_stat_wal_receiver.state";
const SLOTS: &str = "replication.pg_replication_slots.state";

fn judge_with(evidence: &Evidence, outcome: &Outcome) -> Report {
    testkit::interpret(&Replication, evidence, outcome).unwrap()
}

fn judge(action: &str, rows: &[&[(&str, Cell)]]) -> Report {
    let outcome = testkit::outcome(action);
    let outcome = rows.iter().fold(outcome, |outcome, row| outcome.row(row));
    judge_with(&testkit::evidence().build(), &outcome.build())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn parameter(report: &Report, insight: &str) -> Option<(Setting, u64)> {
    match report.insight(insight)?.recommendation {
        Some(Recommendation::SetParameter(SetParameter { setting, value })) => Some((setting, value)),
        _ => None,
    }
}

fn standby(bytes: i64, flush: i64, lag_us: i64, sync: &str) -> Vec<(&'static str, Cell)> {
    vec![
        ("sync_state", text(sync)),
        ("sent_lag_bytes", Cell::Int(flush)),
        ("flush_lag_bytes", Cell::Int(flush)),
        ("replay_lag_bytes", Cell::Int(bytes)),
        ("replay_lag", Cell::DurationUs(lag_us)),
    ]
}

#[test]
fn a_standby_that_lags_is_told_with_the_place_where_the_wal_waits() {
    let mut outcome = testkit::outcome(LAG)
        .row(&standby(12 << 30, 1 << 20, 600_000_000, "sync"))
        .build();
    outcome.rows[0].subject = Some(testkit::session(7));
    let report = judge_with(&testkit::evidence().build(), &outcome);
    assert_eq!(
        report.insight_ids(),
        ["standby_behind", "lag_in_replay", "lag_of_synchronous_standby"]
    );
    assert_eq!(
        report.insights[0].title,
        "the standby behind se_7 has 12.0 GiB of WAL to replay"
    );
    let first = &report.findings[0];
    assert_eq!(
        (first.kind, first.subject.as_deref()),
        (FindingKind::Replication, Some("se_7"))
    );
    assert_eq!(first.score, 0.75);
    assert!(!report.prompts().is_empty());
    assert_eq!(report.offered(SLOTS).count(), 1);

    let report = judge(LAG, &[&standby(2 << 30, 2 << 30, 1_000, "async")]);
    assert_eq!(report.insight_ids(), ["standby_behind", "lag_in_sending"]);
    assert!((0.3..0.4).contains(&report.findings[0].score));
}

#[test]
fn standbys_that_keep_up_and_none_are_nothing() {
    let report = judge(LAG, &[&standby(16 << 20, 0, 2_000_000, "async")]);
    assert_eq!(report.insight_ids(), ["standbys_keep_up"]);
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    let report = judge(LAG, &[]);
    assert_eq!(report.insight_ids(), ["no_standby_streams"]);
    assert_eq!(report.offered(SLOTS).count(), 1);
}

#[test]
fn a_lag_that_is_not_known_is_no_good_news() {
    let unknown = vec![
        ("state", text("startup")),
        ("replay_lag_bytes", Cell::Null),
        ("replay_lag", Cell::Null),
    ];
    let report = judge(LAG, &[&standby(16 << 20, 0, 2_000_000, "async"), &unknown]);
    assert_eq!(report.insight("standbys_keep_up"), None);
    assert_eq!(
        report.limitations,
        ["standbys of which the server shows neither bytes nor a time of lag: 1"]
    );
    // Bytes alone are enough, and so is time.
    let bytes = [("replay_lag_bytes", Cell::Int(16 << 20)), ("replay_lag", Cell::Null)];
    assert_eq!(judge(LAG, &[&bytes]).insight_ids(), ["standbys_keep_up"]);
    let time = [
        ("replay_lag_bytes", Cell::Null),
        ("replay_lag", Cell::DurationUs(600_000_000)),
    ];
    let report = judge(LAG, &[&time]);
    assert_eq!(report.insight_ids(), ["standby_behind"]);
    assert_eq!(report.insights[0].title, "a standby replays late");
    // A base backup streams, and is no standby.
    let report = judge(LAG, &[&[("state", text("backup"))]]);
    assert_eq!(report.insight_ids(), ["no_standby_streams"]);
}

#[test]
fn a_receiver_is_judged_by_its_state_and_what_is_left() {
    let row = |status: &str, left: i64| [("status", text(status)), ("unreplayed_bytes", Cell::Int(left))];
    assert_eq!(
        judge(RECEIVER, &[&row("streaming", 100)]).insight_ids(),
        ["receiver_keeps_up"]
    );
    let report = judge(RECEIVER, &[&row("streaming", 4 << 30)]);
    assert_eq!(report.insight_ids(), ["receiver_not_replayed"]);
    assert_eq!(report.findings[0].score, 0.5);
    let report = judge(RECEIVER, &[&row("waiting", 100)]);
    assert_eq!(report.insight_ids(), ["receiver_not_streaming"]);
    assert!(!report.prompts().is_empty());
}

#[test]
fn no_receiver_is_a_problem_only_where_streaming_ended() {
    let none = testkit::outcome(RECEIVER).build();
    let report = judge_with(&testkit::evidence().build(), &none);
    assert_eq!(report.insight_ids(), ["no_wal_receiver"]);
    assert!(report.prompts().is_empty());
    let evidence = testkit::evidence().event("standby_streaming_interrupted", 2).build();
    let report = judge_with(&evidence, &none);
    assert!(report.insights[0].reason.contains("ended 2 times"));
    assert!(!report.prompts().is_empty());
}

fn slot(kept: i64, active: bool, status: &str) -> Vec<(&'static str, Cell)> {
    vec![
        ("retained_bytes", Cell::Int(kept)),
        ("is_active", Cell::Boolean(active)),
        ("wal_status", text(status)),
    ]
}

#[test]
fn an_unused_slot_without_a_limit_gives_one_above_what_it_keeps() {
    let report = judge(
        SLOTS,
        &[&slot(40 << 30, false, "extended"), &slot(16 << 20, true, "reserved")],
    );
    assert_eq!(report.insight_ids(), ["inactive_slot_keeps_wal"]);
    assert_eq!(
        parameter(&report, "inactive_slot_keeps_wal"),
        Some((Setting::MaxSlotWalKeepSize, 64 << 30))
    );
    assert!(report.findings[0].score > 0.8);
    assert!(!report.prompts().is_empty());
    // With a limit there is nothing to recommend.
    let mut limited = slot(40 << 30, false, "extended");
    limited.push(("safe_wal_bytes", Cell::Int(1 << 30)));
    let report = judge(SLOTS, &[&limited]);
    assert_eq!(parameter(&report, "inactive_slot_keeps_wal"), None);
    assert_eq!(report.insight_ids(), ["inactive_slot_keeps_wal"]);
}

#[test]
fn slots_that_are_lost_behind_or_keep_rows_are_told_apart() {
    let report = judge(SLOTS, &[&slot(0, false, "lost")]);
    assert_eq!(report.insight_ids(), ["slot_lost"]);
    assert_eq!(report.findings[0].score, 0.7);
    let report = judge(SLOTS, &[&slot(8 << 30, true, "extended")]);
    assert_eq!(report.insight_ids(), ["slot_far_behind"]);
    assert_eq!(report.findings[0].score, 0.5);
    assert_eq!(report.offered(LAG).count(), 1);
    let mut rows = slot(1 << 20, true, "reserved");
    rows.push(("catalog_xmin_age", Cell::Int(30_000_000)));
    let report = judge(SLOTS, &[&rows]);
    assert_eq!(report.insight_ids(), ["slot_keeps_old_rows"]);
    let to_autovacuum = ReportedStep::RunWorkflow("autovacuum".to_owned());
    assert!(report.next_actions.iter().any(|next| next.step == to_autovacuum));
    let report = judge(SLOTS, &[&slot(16 << 20, true, "reserved")]);
    assert_eq!(report.insight_ids(), ["slots_keep_little"]);
    assert_eq!(judge(SLOTS, &[]).insight_ids(), ["slots_keep_little"]);
}

fn settings(rows: &[(&str, &str)]) -> Outcome {
    let outcome = testkit::outcome("replication.pg_settings.relevant");
    let add = |outcome: testkit::OutcomeBuilder, (name, value): &(&str, &str)| {
        outcome.row(&[("name", text(name)), ("setting", text(value))])
    };
    rows.iter().fold(outcome, add).build()
}

fn evidence(reason: CancelReason, count: u64) -> Evidence {
    let group = CancellationGroup {
        count,
        ..testkit::cancellation(1, reason)
    };
    testkit::evidence().cancellation(group).build()
}

#[test]
fn feedback_is_for_rows_and_a_longer_delay_for_the_rest() {
    let off = settings(&[
        ("hot_standby_feedback", "off"),
        ("max_standby_streaming_delay", "30000"),
    ]);
    let report = judge_with(&evidence(CancelReason::ConflictSnapshot, 50), &off);
    assert_eq!(report.insight_ids(), ["feedback_off_with_conflicts"]);
    assert_eq!(
        parameter(&report, "feedback_off_with_conflicts"),
        Some((Setting::HotStandbyFeedback, 1))
    );
    assert!(report.insights[0].reason.contains("the price is"));
    assert!(!report.prompts().is_empty());

    let report = judge_with(&evidence(CancelReason::ConflictLock, 50), &off);
    assert_eq!(report.insight_ids(), ["delay_short_for_conflicts"]);
    assert_eq!(
        parameter(&report, "delay_short_for_conflicts"),
        Some((Setting::MaxStandbyStreamingDelay, 120_000_000))
    );
    assert!(report.insights[0].reason.contains("the price is"));

    let on = settings(&[("hot_standby_feedback", "on"), ("max_standby_streaming_delay", "30000")]);
    let report = judge_with(&evidence(CancelReason::ConflictSnapshot, 50), &on);
    assert_eq!(report.insight_ids(), ["delay_short_for_conflicts"]);
}

#[test]
fn without_conflicts_no_setting_is_to_be_changed() {
    let off = settings(&[
        ("hot_standby_feedback", "off"),
        ("max_standby_streaming_delay", "30000"),
    ]);
    for evidence in [
        testkit::evidence().build(),
        evidence(CancelReason::ConflictSnapshot, 2),
        evidence(CancelReason::ConflictDatabase, 50),
    ] {
        assert_eq!(
            judge_with(&evidence, &off).insight_ids(),
            ["replication_settings_unremarkable"]
        );
    }
    // Waiting for ever, or long already, cannot be made longer.
    for delay in ["-1", "900000"] {
        let long = settings(&[("hot_standby_feedback", "on"), ("max_standby_streaming_delay", delay)]);
        let report = judge_with(&evidence(CancelReason::ConflictLock, 50), &long);
        assert_eq!(report.insight_ids(), ["replication_settings_unremarkable"]);
    }
    let unbounded = settings(&[("max_slot_wal_keep_size", "-1")]);
    let report = judge_with(&testkit::evidence().build(), &unbounded);
    assert_eq!(report.insight_ids(), ["slots_unbounded"]);
    assert_eq!(report.offered(SLOTS).count(), 1);
}

#[test]
fn a_slot_that_nobody_uses_gets_its_sql_where_it_does_harm() {
    let slot = |kept, active, status| {
        let mut row = slot(kept, active, status);
        row.push(("is_temporary", Cell::Boolean(false)));
        row
    };
    let mut keeps_rows = slot(0, false, "reserved");
    keeps_rows.push(("xmin_age", Cell::Int(9_000_000)));
    let outcome = testkit::outcome(SLOTS)
        .object(1, &slot(40 << 30, true, "extended"))
        .object(2, &slot(30 << 30, false, "extended"))
        .object(3, &slot(16 << 20, false, "reserved"))
        .object(4, &keeps_rows)
        .object(5, &slot(0, false, "lost"))
        .build();
    let report = judge_with(&testkit::evidence().build(), &outcome);
    let insights = report.insights.iter();
    let dropped: Vec<_> = insights
        .filter_map(|insight| match &insight.recommendation {
            Some(Recommendation::DropReplicationSlot(slot)) => Some(slot.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(dropped, ["sl_2", "sl_4", "sl_5"]);
    assert!(!report.prompts().is_empty());
}
