use super::*;
use crate::budget::{DayBudget, RateBudget};
use crate::catalogue::{BoundValue, Catalogue};
use crate::health::Thresholds;
use crate::policy::{CapLimits, Hours};
use crate::words::VerdictLevel::{Busy, Clear, Saturated, Unknown};

const NOW_US: i64 = 1_000_000_000;

fn verdict(level: VerdictLevel, taken_at_us: i64) -> Verdict {
    let value = serde_json::json!({
        "level": level, "reasons": [], "inputs": {}, "thresholds": Thresholds::default(), "samples": [],
        "taken_at_us": taken_at_us, "ttl_ms": 5_000,
    });
    serde_json::from_value(value).unwrap()
}

fn budget() -> Budget {
    Budget {
        actions_limit: 10,
        database_ms_limit: 100_000,
        bytes_limit: 4 << 20,
        explain_analyze_limit: 3,
        day: Some(DayBudget {
            resets_at: "2026-11-26T00:00:00Z".to_owned(),
            actions_limit: 20,
            database_ms_limit: 200_000,
            bytes_limit: 8 << 20,
            explain_analyze_limit: 5,
            ..DayBudget::default()
        }),
        rate: Some(RateBudget {
            actions_per_minute_limit: 4,
            ..RateBudget::default()
        }),
        ..Budget::default()
    }
}

fn status(id: &str, bound: &[BoundParameter], policy: &Policy, budget: &Budget, live: Live<'_>) -> ActionStatus {
    decision(id, bound, policy, budget, live).status
}

fn decision(id: &str, bound: &[BoundParameter], policy: &Policy, budget: &Budget, live: Live<'_>) -> Decision {
    let action = Catalogue::builtin().unwrap().get(id).unwrap();
    let decision = decide(
        action,
        bound,
        None,
        &Circumstances {
            policy,
            budget,
            live,
            login_role: Some("triage"),
            now_us: NOW_US,
        },
    );
    assert!(!decision.reason.is_empty());
    decision
}

const SAFE: &str = "query_family.explain";
const BOUNDED: &str = "query_family.explain_analyze";
const ESSENTIAL: &str = "running_query.blocking.by_pid";

#[test]
fn the_verdict_decides_as_the_table_says() {
    for (level, safe, bounded, essential) in [
        (Clear, true, true, true),
        (Busy, true, false, true),
        (Saturated, false, false, true),
        (Unknown, false, false, false),
    ] {
        let verdict = verdict(level, NOW_US);
        for (id, allowed) in [(SAFE, safe), (BOUNDED, bounded), (ESSENTIAL, essential)] {
            let expected = if allowed {
                ActionStatus::Allowed
            } else {
                ActionStatus::BlockedByVerdict
            };
            let got = status(id, &[], &Policy::default(), &budget(), Live::Judged(&verdict));
            assert_eq!(got, expected, "{id} under {level}");
        }
    }
}

#[test]
fn a_verdict_that_is_old_or_of_the_future_counts_as_unknown() {
    for taken_at_us in [NOW_US - 5_000_001, NOW_US + 1] {
        let verdict = verdict(Clear, taken_at_us);
        let got = status(ESSENTIAL, &[], &Policy::default(), &budget(), Live::Judged(&verdict));
        assert_eq!(got, ActionStatus::BlockedByVerdict);
    }
    let last = verdict(Clear, NOW_US - 5_000_000);
    assert_eq!(
        status(SAFE, &[], &Policy::default(), &budget(), Live::Judged(&last)),
        ActionStatus::Allowed
    );
}

#[test]
fn no_database_blocks_everything_by_mode() {
    for action in Catalogue::builtin().unwrap().iter() {
        assert_eq!(
            status(&action.id, &[], &Policy::default(), &budget(), Live::NoDatabase),
            ActionStatus::BlockedByMode
        );
    }
}

#[test]
fn every_word_of_the_policy_changes_something() {
    let clear = verdict(Clear, NOW_US);
    let live = Live::Judged(&clear);
    let safe_only = Policy {
        max_risk: Risk::Safe,
        ..Policy::default()
    };
    assert_eq!(
        status(BOUNDED, &[], &safe_only, &budget(), live),
        ActionStatus::BlockedByPolicy
    );
    assert_eq!(status(SAFE, &[], &safe_only, &budget(), live), ActionStatus::Allowed);
    let disabled = Policy {
        disabled_actions: [SAFE.to_owned()].into(),
        ..Policy::default()
    };
    assert_eq!(
        status(SAFE, &[], &disabled, &budget(), live),
        ActionStatus::BlockedByConfig
    );
    let no_analyze = Policy {
        explain_analyze: false,
        ..Policy::default()
    };
    assert_eq!(
        status(BOUNDED, &[], &no_analyze, &budget(), live),
        ActionStatus::BlockedByConfig
    );
    assert_eq!(status(SAFE, &[], &no_analyze, &budget(), live), ActionStatus::Allowed);
}

#[test]
fn only_actions_that_are_switched_on_run_where_some_are() {
    let clear = verdict(Clear, NOW_US);
    let policy = Policy {
        enabled_actions: Some([SAFE.to_owned()].into()),
        ..Policy::default()
    };
    let decided = |id| decision(id, &[], &policy, &budget(), Live::Judged(&clear));
    assert_eq!(decided(SAFE).status, ActionStatus::Allowed);
    assert_eq!(decided(ESSENTIAL).status, ActionStatus::BlockedByConfig);
    assert!(decided(ESSENTIAL).reason.contains("policy.enabled_actions"));
}

#[test]
fn another_login_role_than_the_policy_requires_is_blocked() {
    let clear = verdict(Clear, NOW_US);
    for (role, allowed) in [("triage", true), ("Triage", false), ("postgres", false)] {
        let policy = Policy {
            role: Some(role.to_owned()),
            ..Policy::default()
        };
        let decided = decision(ESSENTIAL, &[], &policy, &budget(), Live::Judged(&clear));
        assert_eq!(decided.is_allowed(), allowed, "{role}");
        if !allowed {
            assert_eq!(decided.status, ActionStatus::BlockedByPolicy);
            assert!(decided.reason.contains("policy.role"), "{}", decided.reason);
        }
    }
}

#[test]
fn outside_the_hours_nothing_runs_and_the_reason_says_when_they_open() {
    // NOW_US is 1970-01-01 00:16:40, a Thursday.
    let clear = verdict(Clear, NOW_US);
    let with = |window: &str| Policy {
        hours: vec![Hours::parse("UTC", &[window.to_owned()]).unwrap()],
        ..Policy::default()
    };
    let decided = |window| decision(ESSENTIAL, &[], &with(window), &budget(), Live::Judged(&clear));
    assert!(decided("thu 00:00-01:00").is_allowed());
    assert!(decided("wed 23:00-01:00").is_allowed(), "over midnight");
    let closed = decided("mon-fri 08:00-18:00");
    assert_eq!(closed.status, ActionStatus::BlockedByPolicy);
    for word in [
        "policy.hours",
        "mon-fri 08:00-18:00 (UTC)",
        "open at 1970-01-01T08:00:00Z",
    ] {
        assert!(closed.reason.contains(word), "{}", closed.reason);
    }
}

#[test]
fn caps_of_the_policy_are_the_caps_of_what_is_approved() {
    let clear = verdict(Clear, NOW_US);
    let action = Catalogue::builtin().unwrap().get(BOUNDED).unwrap();
    let caps = CapLimits {
        max_bytes: Some(7),
        statement_timeout_ms: Some(300),
        lock_timeout_ms: Some(20),
        ..CapLimits::default()
    };
    let policy = Policy {
        caps,
        ..Policy::default()
    };
    let budget = budget();
    let now = Circumstances {
        policy: &policy,
        budget: &budget,
        live: Live::Judged(&clear),
        login_role: None,
        now_us: NOW_US,
    };
    let approved = crate::gate::approve(action, Vec::new(), None, None, &now).unwrap();
    assert_eq!(approved.action().caps.max_bytes, 7);
    assert_eq!(approved.action().caps.statement_timeout_ms, 300);
    assert_eq!(approved.action().caps.lock_timeout_ms, 20);
    assert_eq!(approved.action().caps.saturated.statement_timeout_ms, 300);
    assert_eq!(
        approved.action().digest,
        action.digest,
        "the entry of the catalogue is the same"
    );
}

/// The budget with one figure of it changed.
fn changed(change: impl FnOnce(&mut Budget)) -> Budget {
    let mut budget = budget();
    change(&mut budget);
    budget
}

fn today(change: impl FnOnce(&mut DayBudget)) -> Budget {
    changed(|b| change(b.day.as_mut().unwrap()))
}

#[test]
fn every_part_of_the_budget_blocks_when_it_is_used_up_and_says_which() {
    let clear = verdict(Clear, NOW_US);
    let live = Live::Judged(&clear);
    let action = Catalogue::builtin().unwrap().get(BOUNDED).unwrap();
    let most = Reserved::of(&action.caps, Clear);
    let (ms, bytes) = (most.database_ms, most.bytes);
    // What fits to the last bit, and what no longer does.
    let cases: [(&str, Budget, Budget); 8] = [
        (
            "budget.actions",
            changed(|b| b.actions_used = 9),
            changed(|b| b.actions_used = 10),
        ),
        (
            "budget.explain_analyze",
            changed(|b| b.explain_analyze_used = 2),
            changed(|b| b.explain_analyze_used = 3),
        ),
        (
            "budget.database_ms",
            changed(|b| b.database_ms_used = 100_000 - ms),
            changed(|b| b.database_ms_used = 100_001 - ms),
        ),
        (
            "budget.bytes",
            changed(|b| b.bytes_used = (4 << 20) - bytes),
            changed(|b| b.bytes_used = (4 << 20) + 1 - bytes),
        ),
        (
            "budget.day.actions",
            today(|d| d.actions_used = 19),
            today(|d| d.actions_used = 20),
        ),
        (
            "budget.day.explain_analyze",
            today(|d| d.explain_analyze_used = 4),
            today(|d| d.explain_analyze_used = 5),
        ),
        (
            "budget.day.database_ms",
            today(|d| d.database_ms_used = 200_000 - ms),
            today(|d| d.database_ms_used = 200_001 - ms),
        ),
        (
            "budget.day.bytes",
            today(|d| d.bytes_used = (8 << 20) - bytes),
            today(|d| d.bytes_used = (8 << 20) + 1 - bytes),
        ),
    ];
    for (word, fits, full) in &cases {
        assert_eq!(
            status(BOUNDED, &[], &Policy::default(), fits, live),
            ActionStatus::Allowed,
            "{word}"
        );
        let blocked = decision(BOUNDED, &[], &Policy::default(), full, live);
        assert_eq!(blocked.status, ActionStatus::BlockedByBudget, "{word}");
        assert!(
            blocked.reason.contains(&format!("`{word}`")),
            "{word}: {}",
            blocked.reason
        );
        let frees_up = blocked.reason.contains("frees up at 2026-11-26T00:00:00Z");
        assert_eq!(frees_up, word.contains("day"), "{}", blocked.reason);
    }
    // What adds nothing to a limit is not stopped by it.
    let (_, _, full) = &cases[1];
    assert_eq!(status(SAFE, &[], &Policy::default(), full, live), ActionStatus::Allowed);
}

#[test]
fn the_rate_blocks_until_the_instant_that_it_names() {
    let clear = verdict(Clear, NOW_US);
    let rate = |used| {
        changed(|b| {
            b.rate = Some(RateBudget {
                actions_last_minute: used,
                actions_per_minute_limit: 4,
                frees_up_at: (used >= 4).then(|| "2026-11-25T10:00:07Z".to_owned()),
            });
        })
    };
    let decided = |used| decision(ESSENTIAL, &[], &Policy::default(), &rate(used), Live::Judged(&clear));
    assert!(decided(3).is_allowed());
    let blocked = decided(4);
    assert_eq!(blocked.status, ActionStatus::BlockedByBudget);
    for word in ["4 of 4", "`budget.actions_per_minute`", "2026-11-25T10:00:07Z"] {
        assert!(blocked.reason.contains(word), "{}", blocked.reason);
    }
}

#[test]
fn an_application_name_makes_the_session_search_safe() {
    let busy = verdict(Busy, NOW_US);
    let live = Live::Judged(&busy);
    let id = "query_family.pg_stat_activity.by_dimensions";
    let bind = |name: &str| BoundParameter {
        name: name.to_owned(),
        value: BoundValue::Text { value: "x".to_owned() },
    };
    assert_eq!(
        status(id, &[bind("database")], &Policy::default(), &budget(), live),
        ActionStatus::BlockedByVerdict
    );
    let narrowed = [bind("database"), bind("application_name")];
    assert_eq!(
        status(id, &narrowed, &Policy::default(), &budget(), live),
        ActionStatus::Allowed
    );
}

#[test]
fn the_operator_may_ask_for_an_approval_and_only_that_is_said_to_be_missing() {
    let clear = verdict(Clear, NOW_US);
    let asking = Policy {
        require_approval: [BOUNDED.to_owned()].into(),
        ..Policy::default()
    };
    let action = |id| Catalogue::builtin().unwrap().get(id).unwrap();
    let decision = |id, policy: &Policy| {
        let budget = budget();
        let now = Circumstances {
            policy,
            budget: &budget,
            live: Live::Judged(&clear),
            login_role: None,
            now_us: NOW_US,
        };
        decide(action(id), &[], None, &now)
    };
    let blocked = decision(BOUNDED, &asking);
    assert_eq!(blocked.status, ActionStatus::BlockedByPolicy);
    assert!(blocked.needs_approval && blocked.reason.contains("`pg-logstats approve`"));
    assert!(decision(SAFE, &asking).is_allowed());
    // Where something more lasting stands in the way, no approval is asked for.
    for policy in [
        Policy {
            max_risk: Risk::Safe,
            ..asking.clone()
        },
        Policy {
            disabled_actions: [BOUNDED.to_owned()].into(),
            ..asking.clone()
        },
        Policy {
            explain_analyze: false,
            ..asking
        },
    ] {
        let blocked = decision(BOUNDED, &policy);
        assert!(!blocked.is_allowed() && !blocked.needs_approval, "{policy:?}");
    }
}

#[test]
fn what_a_person_has_to_approve_is_otherwise_bounded() {
    let action = Catalogue::builtin().unwrap().get(SAFE).unwrap();
    let action = Arc::new(action.with_sql_for_test("SELECT 1", Risk::RequiresHumanApproval));
    let decision = |policy: &Policy| {
        let (clear, budget) = (verdict(Clear, NOW_US), budget());
        let now = Circumstances {
            policy,
            budget: &budget,
            live: Live::Judged(&clear),
            login_role: None,
            now_us: NOW_US,
        };
        decide(&action, &[], None, &now)
    };
    assert!(decision(&Policy::default()).needs_approval);
    let safe_only = Policy {
        max_risk: Risk::Safe,
        ..Policy::default()
    };
    assert!(!decision(&safe_only).needs_approval, "no approval lifts `max_risk`");
    assert_eq!(risk_of_run(Risk::RequiresHumanApproval), Risk::Bounded);
    assert_eq!(risk_of_run(Risk::Expensive), Risk::Expensive);
}
