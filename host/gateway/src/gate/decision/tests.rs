use super::*;
use crate::catalogue::{BoundValue, Catalogue};
use crate::health::Thresholds;
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
        database_ms_limit: 1_000,
        bytes_limit: 1_000,
        ..Budget::default()
    }
}

fn status(id: &str, bound: &[BoundParameter], policy: &Policy, budget: &Budget, live: Live<'_>) -> ActionStatus {
    let action = Catalogue::builtin().unwrap().get(id).unwrap();
    let decision = decide(
        action,
        bound,
        &Circumstances {
            policy,
            budget,
            live,
            now_us: NOW_US,
        },
    );
    assert!(!decision.reason.is_empty());
    decision.status
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
fn every_part_of_the_budget_blocks_when_it_is_used_up() {
    let clear = verdict(Clear, NOW_US);
    let live = Live::Judged(&clear);
    for used_up in [
        Budget {
            actions_used: 10,
            ..budget()
        },
        Budget {
            database_ms_used: 1_000,
            ..budget()
        },
        Budget {
            bytes_used: 1_000,
            ..budget()
        },
    ] {
        assert_eq!(
            status(ESSENTIAL, &[], &Policy::default(), &used_up, live),
            ActionStatus::BlockedByBudget
        );
    }
    let almost = Budget {
        actions_used: 9,
        database_ms_used: 999,
        bytes_used: 999,
        ..budget()
    };
    assert_eq!(
        status(SAFE, &[], &Policy::default(), &almost, live),
        ActionStatus::Allowed
    );
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
