use pg_logstats_sdk::testkit::{self, ReportedStep, session_row};
use pg_logstats_sdk::{Cell, FindingKind, Outcome, Priority};

use super::{GIB, HOLDERS, MIB, RECEIVER, SETTINGS, SLOTS, STANDBYS, assert_rises, interpret, rows, text};

/// Bytes behind in sending, writing, flushing and replay, and time behind.
fn standby(bytes: [i64; 4], lag_us: Option<i64>) -> Vec<(&'static str, Cell)> {
    let [sent, written, flushed, replayed] = bytes;
    vec![
        ("state", text("streaming")),
        ("sync_state", text("async")),
        ("sent_lag_bytes", Cell::Int(sent)),
        ("write_lag_bytes", Cell::Int(written)),
        ("flush_lag_bytes", Cell::Int(flushed)),
        ("replay_lag_bytes", Cell::Int(replayed)),
        ("replay_lag", lag_us.map_or(Cell::Null, Cell::DurationUs)),
    ]
}

#[test]
fn standbys_that_follow_are_well() {
    let report = interpret(&rows(
        STANDBYS,
        &[
            standby([0, 0, 0, 100 * MIB], Some(4_000_000)),
            standby([0, 0, 0, 0], None),
            vec![("state", text("backup"))],
        ],
    ));
    report.assert_well("standbys_follow");
    assert_eq!(report.insights[0].reason, "the last one is 100.0 MiB behind");
}

#[test]
fn a_lag_in_time_that_is_not_known_is_said_and_is_not_none() {
    let follows = |lag_us| interpret(&rows(STANDBYS, &[standby([0, 0, 0, MIB], lag_us)]));
    let report = follows(None);
    assert_eq!(report.insight_ids(), ["standbys_follow"]);
    assert_eq!(
        report.limitations,
        ["standbys that have something left to replay, by bytes little, and whose lag in time is not known: 1"]
    );
    // What is known, and what has nothing left to replay, leaves nothing to say.
    assert!(follows(Some(0)).limitations.is_empty());
    let idle = interpret(&rows(STANDBYS, &[standby([0; 4], None)]));
    idle.assert_well("standbys_follow");
    assert!(idle.limitations.is_empty());
}

#[test]
fn a_server_without_standbys_is_well_and_its_slots_are_offered() {
    let report = interpret(&rows(STANDBYS, &[]));
    report.assert_well("no_standby_streams");
    assert_eq!(report.offered(SLOTS).count(), 1);
}

#[test]
fn a_standby_held_up_in_replay_is_for_a_look_from_inside() {
    let outcome = testkit::outcome(STANDBYS).session(session_row(9)).build();
    let mut cells = outcome.rows[0].cells.clone();
    for (column, cell) in standby([0, MIB, 2 * MIB, 8 * GIB], Some(600_000_000)) {
        cells[outcome.columns.iter().position(|name| name == column).unwrap()] = cell;
    }
    let mut row = outcome.rows[0].clone();
    row.cells = cells;
    let report = interpret(&Outcome {
        rows: vec![row],
        ..outcome
    });
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::Replication);
    assert_eq!(finding.title, "the standby in row 1 is 10.0 min and 8.0 GiB behind");
    assert_eq!(finding.subject.as_deref(), Some("se_9"));
    assert_eq!(finding.reason_codes, ["lag_time", "lag_bytes"]);
    assert!((0.5..0.8).contains(&finding.score));
    assert_eq!(report.insight_ids(), ["lag_in_replay"]);
    assert_eq!(report.insights[0].evidence, ["se_9"]);
    assert_eq!(report.prompts(), ["let a person run this runbook on the standby"]);
    assert_eq!(report.offered(SLOTS).count(), 1);
}

#[test]
fn the_place_of_the_lag_decides_what_to_do() {
    let at = |bytes| interpret(&rows(STANDBYS, &[standby(bytes, Some(0))]));
    let sending = at([7 * GIB, 8 * GIB, 8 * GIB, 8 * GIB]);
    assert_eq!(sending.findings[0].title, "the standby in row 1 is 8.0 GiB behind");
    assert_eq!(sending.insight_ids(), ["lag_in_sending"]);
    assert_eq!(sending.prompts(), ["let a person look at the network and the sender"]);
    let workflow = ReportedStep::RunWorkflow("checkpoints".to_owned());
    assert!(sending.next_actions.iter().any(|next| next.step == workflow));
    let writing = at([0, 0, 8 * GIB, 8 * GIB]);
    assert_eq!(writing.insight_ids(), ["lag_in_writing"]);
    assert_eq!(writing.prompts(), ["let a person look at the standby's disk"]);
}

#[test]
fn a_synchronous_standby_slows_commits_before_it_is_behind() {
    let mut row = standby([0, 0, 0, MIB], Some(2_000_000));
    row[1] = ("sync_state", text("sync"));
    row.push(("flush_lag", Cell::DurationUs(1_000_000)));
    let report = interpret(&rows(STANDBYS, &[row.clone()]));
    assert!((report.findings[0].score - 0.5).abs() < 1e-9);
    assert_eq!(report.findings[0].reason_codes, ["synchronous"]);
    assert!(report.insight_ids().contains(&"commits_wait"));
    row[1] = ("sync_state", text("potential"));
    interpret(&rows(STANDBYS, &[row])).assert_well("standbys_follow");
}

#[test]
fn the_worst_comes_first_and_the_rest_is_counted() {
    let many: Vec<_> = (1..=14).map(|n| standby([0, 0, 0, n * GIB], None)).collect();
    let report = interpret(&rows(STANDBYS, &many));
    assert_eq!(report.findings.len(), 10);
    assert_eq!(report.findings[0].title, "the standby in row 14 is 14.0 GiB behind");
    assert_eq!(
        report.limitations,
        ["further rows that stand out, and are not told one by one: 4"]
    );
}

#[test]
fn further_behind_is_never_less_bad() {
    let seconds: Vec<i64> = (0..8_000).step_by(20).collect();
    assert_rises(&seconds, |seconds| {
        interpret(&rows(STANDBYS, &[standby([0; 4], Some(seconds * 1_000_000))])).worst_score()
    });
    let sizes: Vec<i64> = (0..300).collect();
    assert_rises(&sizes, |gib| {
        interpret(&rows(STANDBYS, &[standby([0, 0, 0, gib * GIB], None)])).worst_score()
    });
    assert_rises(&sizes, |gib| {
        interpret(&rows(RECEIVER, &[receiver(gib * GIB, 0)])).worst_score()
    });
}

#[test]
fn rows_without_figures_are_no_good_news() {
    let report = interpret(&rows(STANDBYS, &[vec![("state", text("streaming"))]]));
    assert!(report.insights.is_empty());
    assert_eq!(report.limitations, ["rows without the figures that are judged here: 1"]);
}

fn receiver(unreplayed: i64, behind_s: i64) -> Vec<(&'static str, Cell)> {
    vec![
        ("status", text("streaming")),
        ("unreplayed_bytes", Cell::Int(unreplayed)),
        ("last_replayed_at", Cell::At(1_000_000_000)),
        ("last_message_received", Cell::At(1_000_000_000 + behind_s * 1_000_000)),
    ]
}

#[test]
fn a_standby_that_follows_is_well_also_while_its_primary_is_idle() {
    interpret(&rows(RECEIVER, &[receiver(40 * MIB, 3)])).assert_well("receiver_follows");
    interpret(&rows(RECEIVER, &[receiver(500, 90_000)])).assert_well("receiver_follows");
}

#[test]
fn a_standby_that_does_not_replay_leads_to_the_settings() {
    let report = interpret(&rows(RECEIVER, &[receiver(8 * MIB, 1_800)]));
    assert_eq!(
        report.findings[0].title,
        "this standby has received 8.0 MiB that it has not replayed"
    );
    assert!((report.findings[0].score - 0.8).abs() < 1e-9);
    assert_eq!(report.findings[0].reason_codes, ["unreplayed"]);
    assert_eq!(report.insight_ids(), ["replay_behind"]);
    assert_eq!(report.offered(SETTINGS).next().unwrap().priority, Priority::Required);
    assert_eq!(report.offered(HOLDERS).next().unwrap().priority, Priority::Required);
    assert!(report.prompts().is_empty());
}

#[test]
fn a_receiver_that_does_not_stream_is_found_and_none_is_no_fault() {
    let mut row = receiver(0, 0);
    row[0] = ("status", text("restarting"));
    let report = interpret(&rows(RECEIVER, &[row]));
    assert_eq!(report.findings[0].reason_codes, ["not_streaming"]);
    assert_eq!(report.findings[0].score, 0.5);
    assert_eq!(report.prompts(), ["let a person look at the connection to the primary"]);
    let report = interpret(&rows(RECEIVER, &[]));
    report.assert_well("no_receiver");
    assert_eq!(report.offered(STANDBYS).count(), 1);
    assert_eq!(report.offered(HOLDERS).count(), 1);
}
