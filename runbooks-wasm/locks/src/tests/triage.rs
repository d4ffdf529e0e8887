use pg_logstats_sdk::testkit::{self, Report, ReportedStep};
use pg_logstats_sdk::{Evidence, FindingKind, LockMode, LockTarget, LockWait, Priority};

use crate::Locks;

const BLOCKING: &str = "running_query.blocking.by_pid";
const SESSION: &str = "running_query.pg_stat_activity.by_pid";
const SESSIONS: &str = "query_family.pg_stat_activity.by_dimensions";

fn triage(evidence: &Evidence) -> Report {
    testkit::triage(&Locks, evidence).unwrap()
}

fn bound<'a>(report: &'a Report, action: &'a str, parameter: &str) -> Vec<&'a str> {
    report
        .requested(action)
        .filter_map(|request| request.bound(parameter))
        .collect()
}

#[test]
fn the_holder_behind_whom_most_is_waited_comes_first() {
    // 10 holds up 11 and 12; 11 holds up 13 meanwhile.
    let evidence = testkit::evidence()
        .lock_wait(LockWait {
            waited_us: 60_000_000,
            ..testkit::lock_wait(1, 13, &[11])
        })
        .lock_wait(LockWait {
            waited_us: 30_000_000,
            acquired: false,
            ..testkit::lock_wait(2, 11, &[10])
        })
        .lock_wait(LockWait {
            waited_us: 10_000_000,
            ..testkit::lock_wait(3, 12, &[10])
        })
        .build();
    let report = triage(&evidence);
    let titles: Vec<_> = report.findings.iter().map(|f| f.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "se_10 held up others in 3 waits, 100.00 s in all",
            "se_13 waited 60.00 s for se_11",
            "se_12 waited 10.00 s for se_10",
        ]
    );
    let head = &report.findings[0];
    assert_eq!(head.kind, FindingKind::LockWait);
    assert_eq!(head.subject.as_deref(), Some("lw_0000000000000002"));
    assert_eq!(
        head.reason,
        "the longest: se_11 waited 30.00 s for ShareLock on a transaction, so for a row that it has changed"
    );
    assert_eq!(head.reason_codes, ["held_lock", "queue_head", "not_acquired"]);
    assert_eq!(report.findings[1].reason_codes, ["held_lock", "queue_middle"]);
    assert!(head.evidence.contains(&"se_10".to_owned()) && head.evidence.contains(&"se_12".to_owned()));
    assert_eq!(bound(&report, BLOCKING, "pid"), ["se_11", "se_13"]);
    assert_eq!(bound(&report, SESSION, "pid"), ["se_10", "se_11"]);
    let urgent = report.offered(BLOCKING).next().unwrap();
    assert_eq!(
        (urgent.priority, urgent.findings.as_slice()),
        (Priority::Required, [0].as_slice())
    );
    assert_eq!(
        urgent.reason,
        "it waited 30.00 s for a lock; the tree shows who holds it up now"
    );
}

#[test]
fn the_reason_says_what_was_locked() {
    let on = |target| {
        let wait = LockWait {
            target,
            mode: LockMode::AccessExclusive,
            queue_length: 4,
            ..testkit::lock_wait(1, 7, &[8])
        };
        triage(&testkit::evidence().lock_wait(wait).build()).findings.remove(0)
    };
    let relation = on(LockTarget::Relation("rl_1_5".to_owned()));
    assert_eq!(
        relation.reason,
        "the longest: se_7 waited 5.00 s for AccessExclusiveLock on rl_1_5"
    );
    assert_eq!(
        relation.reason_codes,
        ["held_lock", "queue_head", "access_exclusive", "long_queue"]
    );
    let row = on(LockTarget::Tuple("rl_1_5".to_owned()));
    assert_eq!(
        row.reason,
        "the longest: se_7 waited 5.00 s for AccessExclusiveLock on a row of rl_1_5"
    );
    let other = on(LockTarget::Other);
    assert_eq!(
        other.reason,
        "the longest: se_7 waited 5.00 s for AccessExclusiveLock on something that is no table"
    );
}

#[test]
fn waits_without_a_known_holder_are_told_together() {
    let evidence = testkit::evidence()
        .lock_wait(testkit::lock_wait(1, 7, &[]))
        .lock_wait(testkit::lock_wait(2, 8, &[]))
        .build();
    let report = triage(&evidence);
    assert_eq!(
        report.findings[0].title,
        "the log does not name who held the lock; waits: 2, 10.00 s in all"
    );
    assert_eq!(report.findings[0].reason_codes, ["holder_unknown"]);
    assert_eq!(
        (bound(&report, BLOCKING, "pid"), bound(&report, SESSION, "pid").len()),
        (vec!["se_7"], 0)
    );
}

#[test]
fn a_wait_for_two_holders_is_told_once_besides() {
    let evidence = testkit::evidence()
        .lock_wait(LockWait {
            waited_us: 9_000_000,
            ..testkit::lock_wait(1, 7, &[8, 9])
        })
        .lock_wait(testkit::lock_wait(2, 6, &[8, 9]))
        .build();
    let report = triage(&evidence);
    let about_second = report
        .findings
        .iter()
        .filter(|f| f.subject.as_deref() == Some("lw_0000000000000002"))
        .count();
    assert_eq!((report.findings.len(), about_second), (3, 1));
}

#[test]
fn sessions_like_the_waiter_are_those_of_its_family_or_of_the_wait() {
    let family = pg_logstats_sdk::QueryFamily {
        dimensions: testkit::dimensions("shop", "app", "batch"),
        ..testkit::family(1)
    };
    let known = LockWait {
        family: Some(family.id.clone()),
        ..testkit::lock_wait(1, 7, &[8])
    };
    let dangling = LockWait {
        family: Some(testkit::family(9).id),
        ..testkit::lock_wait(2, 9, &[10])
    };
    let evidence = testkit::evidence()
        .family(family)
        .lock_wait(known)
        .lock_wait(dangling)
        .build();
    let report = triage(&evidence);
    let subjects = bound(&report, SESSIONS, "database");
    assert_eq!(subjects, ["lw_0000000000000002", "qf_0000000000000001"]);
    let workflow = ReportedStep::RunWorkflow("query-families".to_owned());
    assert!(report.next_actions.iter().any(|next| next.step == workflow));
}

#[test]
fn the_same_is_asked_once_for_all_findings_that_want_it() {
    // One waiter, two holders, one application.
    let evidence = testkit::evidence()
        .lock_wait(testkit::lock_wait(1, 7, &[8]))
        .lock_wait(testkit::lock_wait(2, 7, &[9]))
        .build();
    let report = triage(&evidence);
    assert_eq!(bound(&report, BLOCKING, "pid"), ["se_7"]);
    assert_eq!(report.offered(BLOCKING).next().unwrap().findings, [0, 1]);
    assert_eq!(report.requested(SESSIONS).count(), 1);
    assert_eq!(bound(&report, SESSION, "pid").len(), 2);
}

#[test]
fn a_deadlock_of_two_tells_who_wanted_what() {
    let mut deadlock = testkit::deadlock(1, &[(7, 8), (8, 7)]);
    deadlock.edges[1].mode = LockMode::Exclusive;
    let report = triage(&testkit::evidence().deadlock(deadlock).build());
    let finding = &report.findings[0];
    assert_eq!(finding.kind, FindingKind::Deadlock);
    assert_eq!(finding.title, "2 sessions deadlocked and the server cancelled se_7");
    assert_eq!(
        finding.reason,
        "se_7 waited for ShareLock that se_8 held, which waited for ExclusiveLock that the first held"
    );
    let order = report
        .next_actions
        .iter()
        .find(|next| next.step == ReportedStep::PromptUser)
        .unwrap();
    assert_eq!(
        order.label,
        "have the statements of dl_0000000000000001 take their locks in one order"
    );
}

#[test]
fn deadlocks_of_the_same_statements_are_told_together() {
    let of_family = |n, at| {
        let mut deadlock = testkit::deadlock(n, &[(7, 8), (8, 9), (9, 7)]);
        deadlock
            .edges
            .iter_mut()
            .for_each(|edge| edge.family = Some(testkit::family(1).id));
        pg_logstats_sdk::Deadlock { at, ..deadlock }
    };
    let evidence = testkit::evidence()
        .family(testkit::family(1))
        .deadlock(of_family(2, 20))
        .deadlock(of_family(1, 10))
        .deadlock(testkit::deadlock(3, &[]))
        .build();
    let report = triage(&evidence);
    assert_eq!(
        report.findings[0].title,
        "2 deadlocks of the same statements; the server last cancelled se_7"
    );
    assert_eq!(report.findings[0].subject.as_deref(), Some("dl_0000000000000002"));
    assert_eq!(report.findings[0].reason, "length of the circle of waits: 3");
    assert_eq!(report.findings[0].reason_codes, ["deadlock", "repeated_deadlock"]);
    assert_eq!(report.findings[1].reason, "the log does not tell who waited for whom");
    assert_eq!(bound(&report, SESSIONS, "user"), ["qf_0000000000000001"]);
}

#[test]
fn live_sessions_are_asked_about_the_newest_first() {
    let report = triage(&testkit::evidence().live_session(21).live_session(22).build());
    assert_eq!(bound(&report, BLOCKING, "pid"), ["se_22", "se_21"]);
    assert_eq!(bound(&report, SESSION, "pid"), ["se_22", "se_21"]);
    assert_eq!(report.findings[0].reason_codes, ["live_session"]);
}

#[test]
fn nothing_found_is_a_finding() {
    let report = triage(&testkit::evidence().build());
    assert_eq!(report.findings[0].kind, FindingKind::NothingFound);
    assert_eq!(report.next_actions[0].step, ReportedStep::Stop);
    assert_eq!(
        report.limitations,
        ["lock waits are logged only with log_lock_waits on, and only when they last longer than deadlock_timeout"]
    );
}
