use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{CancelReason, CancellationGroup, Evidence, FindingKind, Priority};

use crate::Replication;

const SETTINGS: &str = "replication.pg_settings.relevant";
const RECEIVER: &str = "replication.pg_stat_wal_receiver.state";
const SLOTS: &str = "replication.pg_replication_slots.state";
const LAG: &str = "replication.pg_stat_replication.lag";

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&Replication, evidence).unwrap()
}

fn conflicts(n: u64, count: u64) -> CancellationGroup {
    CancellationGroup {
        count,
        ..testkit::cancellation(n, CancelReason::ConflictSnapshot)
    }
}

/// All within a minute.
fn at_once(group: CancellationGroup) -> CancellationGroup {
    CancellationGroup {
        last_seen: group.first_seen + 60_000_000,
        ..group
    }
}

#[test]
fn a_healthy_server_gives_no_score_above_a_fifth() {
    let quiet = triage(&testkit::evidence().build());
    assert_eq!(quiet.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(quiet.findings[0].score, 0.0);
    assert!(quiet.limitations[0].contains("does not log"));
    assert_eq!(quiet.offered(LAG).next().unwrap().priority, Priority::Optional);
    assert_eq!(quiet.offered(SLOTS).count(), 1);

    let usual = testkit::evidence()
        .cancellation(conflicts(1, 1))
        .cancellation(testkit::cancellation(2, CancelReason::StatementTimeout))
        .event("standby_streaming_interrupted", 1)
        .event("standby_streaming_started", 1)
        .event("wal_archive_command_failed", 1)
        .build();
    let report = triage(&usual);
    assert_eq!(report.findings.len(), 3, "a timeout is no conflict");
    assert!(report.findings.iter().all(|f| f.score <= 0.2), "{:?}", report.findings);
}

#[test]
fn conflicts_of_one_reason_are_one_finding_about_the_largest_group() {
    let family = testkit::family(1);
    let known = CancellationGroup {
        family: Some(family.id.clone()),
        ..conflicts(2, 200)
    };
    let evidence = testkit::evidence()
        .family(family)
        .cancellation(conflicts(1, 100))
        .cancellation(known)
        .cancellation(testkit::cancellation(3, CancelReason::ConflictLock))
        .build();
    let report = triage(&evidence);
    assert_eq!(report.findings.len(), 2);
    let first = &report.findings[0];
    assert_eq!(
        (first.kind, first.subject.as_deref()),
        (FindingKind::Cancellation, Some("ca_0000000000000002"))
    );
    assert!(
        first
            .title
            .starts_with("replay on the standby cancelled 300 statements or sessions: ")
    );
    assert_eq!(first.reason_codes, ["standby_conflict", "statements_known"]);
    assert_eq!(
        first.evidence,
        ["qf_0000000000000001", "ca_0000000000000001", "ca_0000000000000002"]
    );
    assert!(first.score > 0.85, "{}", first.score);
    assert!((0.1..0.3).contains(&report.findings[1].score));
    let settings = report.offered(SETTINGS).next().unwrap();
    assert_eq!(
        (settings.priority, settings.findings.as_slice()),
        (Priority::Required, &[0, 1][..])
    );
    let to_families = ReportedStep::RunWorkflow("query-families".to_owned());
    assert_eq!(
        report
            .next_actions
            .iter()
            .filter(|next| next.step == to_families)
            .count(),
        1
    );
}

#[test]
fn a_burst_counts_more_than_the_same_number_over_the_hour() {
    let score = |group| {
        triage(&testkit::evidence().cancellation(group).build())
            .findings
            .remove(0)
    };
    let (slow, burst) = (score(conflicts(1, 20)), score(at_once(conflicts(1, 20))));
    assert!(burst.score > slow.score);
    assert_eq!(burst.reason_codes, ["standby_conflict", "conflict_burst"]);
    assert_eq!(slow.reason_codes, ["standby_conflict"]);
}

#[test]
fn streaming_that_does_not_come_back_is_worth_a_look() {
    let evidence = testkit::evidence()
        .event("standby_streaming_interrupted", 2)
        .event("standby_streaming_stopped", 1)
        .build();
    let report = triage(&evidence);
    let first = &report.findings[0];
    assert_eq!(
        first.title,
        "streaming from the primary broke off or was stopped 3 times"
    );
    assert_eq!(first.reason_codes, ["streaming_interrupted", "streaming_not_resumed"]);
    assert_eq!(first.score, 0.5);
    assert_eq!(report.offered(RECEIVER).next().unwrap().priority, Priority::Required);
}

#[test]
fn a_lost_timeline_and_failed_archiving_go_to_a_person() {
    let evidence = testkit::evidence()
        .event("standby_invalid_timeline", 4)
        .event("wal_archive_command_failed", 180)
        .build();
    let report = triage(&evidence);
    assert!(report.findings[0].score > 0.9 && report.findings[1].score == 0.9);
    assert_eq!(report.findings[0].reason_codes, ["archiving_failed"]);
    assert_eq!(report.findings[1].reason_codes, ["invalid_timeline"]);
    assert!(
        report.findings[0].reason.starts_with("3.0 per minute"),
        "{}",
        report.findings[0].reason
    );
    assert!(!report.prompts().is_empty());
    assert_eq!(report.offered(SLOTS).next().unwrap().priority, Priority::Required);
}

#[test]
fn worse_figures_never_lower_a_score() {
    let makes: [fn(u64) -> Evidence; 4] = [
        |n| testkit::evidence().cancellation(conflicts(1, n)).build(),
        |n| testkit::evidence().cancellation(at_once(conflicts(1, n))).build(),
        |n| testkit::evidence().event("standby_streaming_interrupted", n).build(),
        |n| testkit::evidence().event("wal_archive_command_failed", n).build(),
    ];
    for (position, make) in makes.iter().enumerate() {
        let mut last = 0.0;
        for n in [1, 2, 3, 10, 100, 10_000, u64::MAX] {
            let now = triage(&make(n)).findings[0].score;
            assert!(now >= last, "{position}: {now} < {last} at {n}");
            last = now;
        }
        assert!(last > 0.9, "{position}");
    }
}
