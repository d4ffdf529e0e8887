use pg_logstats_sdk::testkit;
use pg_logstats_sdk::{
    Attribution, CancelReason, CancellationGroup, Confidence, FindingKind, Recommendation, SetParameter, Setting,
};

use super::{SESSIONS, class, has_workflow, triage};

fn group(reason: CancelReason, count: u64) -> CancellationGroup {
    CancellationGroup {
        count,
        ..testkit::cancellation(1, reason)
    }
}

#[test]
fn cancellations_are_findings_with_their_reason() {
    let report = triage(
        &testkit::evidence()
            .cancellation(group(CancelReason::StatementTimeout, 60))
            .build(),
    );
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::Cancellation);
    assert_eq!(finding.subject.as_deref(), Some("ca_0000000000000001"));
    assert_eq!(finding.reason_codes, ["statement_cancelled"]);
    assert!((finding.score - 0.3).abs() < 1e-9, "{}", finding.score);
    assert_eq!(report.offered(SESSIONS).count(), 1);
    assert!(has_workflow(&report, "query-families"));
}

#[test]
fn the_statement_that_timed_out_is_looked_into() {
    let timed_out = CancellationGroup {
        family: Some(testkit::family(1).id),
        attribution: Some(Attribution::Within),
        ..group(CancelReason::StatementTimeout, 600)
    };
    let dangling = CancellationGroup {
        id: "ca_2".to_owned(),
        family: Some(testkit::family(9).id),
        ..timed_out.clone()
    };
    let evidence = testkit::evidence()
        .family(testkit::family(1))
        .cancellation(timed_out)
        .cancellation(dangling);
    let report = triage(&evidence.build());
    assert_eq!(report.findings[0].evidence, ["qf_0000000000000001"]);
    assert_eq!(report.findings[0].confidence, Confidence::Medium, "it was concluded");
    assert_eq!(report.offered("query_family.explain").count(), 1);
    assert_eq!(report.offered("query_family.pg_stat_statements.by_queryid").count(), 1);
    // A few, as every day: nothing to look into.
    let few = triage(
        &testkit::evidence()
            .cancellation(group(CancelReason::UserRequest, 5))
            .build(),
    );
    assert!(few.requests.is_empty());
}

#[test]
fn each_reason_leads_to_its_cause() {
    let of = |reason| triage(&testkit::evidence().cancellation(group(reason, 100)).build());
    for reason in [
        CancelReason::ConflictSnapshot,
        CancelReason::ConflictLock,
        CancelReason::ConflictBufferPin,
        CancelReason::ConflictTablespace,
        CancelReason::ConflictDatabase,
        CancelReason::ConflictDeadlock,
        CancelReason::ConflictLogicalSlot,
        CancelReason::ConflictOther,
    ] {
        let report = of(reason);
        assert!(has_workflow(&report, "replication"), "{reason:?}");
        assert_eq!(report.findings[0].reason_codes, ["replication_conflict"]);
    }
    assert!(has_workflow(&of(CancelReason::LockTimeout), "locks"));
    assert_eq!(
        of(CancelReason::IdleInTransactionTimeout).prompts(),
        ["ask why the application leaves transactions or sessions of ca_0000000000000001 open"]
    );
    let idle = of(CancelReason::IdleSessionTimeout);
    assert!(idle.findings[0].score <= 0.1, "the time-out does what it is there for");
    assert_eq!(idle.findings[0].reason_codes, ["session_terminated"]);
}

#[test]
fn an_error_that_a_cancellation_tells_of_is_not_told_twice() {
    let both = testkit::evidence()
        .error_class(class("57014", 10))
        .cancellation(group(CancelReason::StatementTimeout, 10));
    let kinds = |evidence: testkit::EvidenceBuilder| {
        let findings = triage(&evidence.build()).findings;
        findings.iter().map(|finding| finding.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(both), [FindingKind::Cancellation]);
    // Of more errors than cancellations some are something else: NOWAIT.
    let more = testkit::evidence()
        .error_class(class("55P03", 11))
        .cancellation(group(CancelReason::LockTimeout, 10));
    assert_eq!(kinds(more).len(), 2);
    let elsewhere = testkit::evidence()
        .error_class(class("57014", 10))
        .cancellation(CancellationGroup {
            dimensions: testkit::dimensions("other", "app", "web"),
            ..group(CancelReason::StatementTimeout, 10)
        });
    assert_eq!(kinds(elsewhere).len(), 2);
}

#[test]
fn lock_timeouts_without_a_named_holder_want_log_lock_waits() {
    let evidence = testkit::evidence().cancellation(group(CancelReason::LockTimeout, 3));
    let report = triage(&evidence.clone().build());
    assert_eq!(report.insight_ids(), ["lock_holders_not_logged"]);
    assert_eq!(
        report.insights[0].recommendation,
        Some(Recommendation::SetParameter(SetParameter {
            setting: Setting::LogLockWaits,
            value: 1
        }))
    );
    assert_eq!(report.prompts(), ["let a person decide on log_lock_waits"]);
    let named = triage(&evidence.lock_wait(testkit::lock_wait(1, 7, &[8])).build());
    assert!(named.insights.is_empty());
    let other = triage(
        &testkit::evidence()
            .cancellation(group(CancelReason::StatementTimeout, 3))
            .build(),
    );
    assert!(other.insights.is_empty());
}

#[test]
fn more_cancellations_never_weigh_less() {
    for reason in [
        CancelReason::StatementTimeout,
        CancelReason::ConflictLogicalSlot,
        CancelReason::IdleSessionTimeout,
    ] {
        let mut before = 0.0;
        for count in [0, 1, 29, 30, 1_000, u64::MAX] {
            let score = triage(&testkit::evidence().cancellation(group(reason, count)).build()).findings[0].score;
            assert!(score >= before, "{reason:?} {count}");
            before = score;
        }
    }
}
