use proptest::prelude::*;

use super::*;
use crate::health::{HealthConfig, Limit, ThresholdError, allows};
use crate::words::Risk;

/// A healthy server.
fn calm() -> Sample {
    Sample {
        max_connections: 100,
        reserved_connections: 3,
        connections: 5,
        active: 1,
        latency_us: 900,
        ..Sample::default()
    }
}

fn level(samples: &[Sample]) -> VerdictLevel {
    judge(samples, &Thresholds::default(), 0).level
}

/// The model: written from the documentation, input by input, without the tables that `judge` uses. Two of three samples have to
/// reach a limit.
fn model(samples: &[Sample; 3], cores: u32) -> VerdictLevel {
    if samples.iter().any(|s| s.activity_hidden || s.activity_not_tracked) {
        return VerdictLevel::Unknown;
    }
    let two_of_three = |reached: &dyn Fn(&Sample) -> bool| samples.iter().filter(|s| reached(s)).count() >= 2;
    let cores = f64::from(cores);
    let usable = |s: &Sample| f64::from(s.max_connections - s.reserved_connections);
    let saturated: [&dyn Fn(&Sample) -> bool; 10] = [
        &|s| f64::from(s.connections) / usable(s) >= 0.95,
        &|s| f64::from(s.active) / f64::from(s.max_connections) >= 0.9,
        &|s| f64::from(s.active) / cores >= 4.0,
        &|s| s.lock_waiters >= 10,
        &|s| f64::from(s.io_waiters) / cores >= 6.0,
        &|s| f64::from(s.lwlock_waiters) / cores >= 4.0,
        &|s| s.idle_in_transaction >= 40,
        &|s| s.blocked_depth >= 5,
        &|s| s.replication_lag_ms.is_some_and(|ms| ms >= 60_000),
        &|s| s.latency_us >= 1_500_000,
    ];
    let busy: [&dyn Fn(&Sample) -> bool; 13] = [
        &|s| f64::from(s.connections) / usable(s) >= 0.8,
        &|s| f64::from(s.active) / f64::from(s.max_connections) >= 0.5,
        &|s| f64::from(s.active) / cores >= 2.0,
        &|s| s.lock_waiters >= 2,
        &|s| f64::from(s.io_waiters) / cores >= 2.0,
        &|s| f64::from(s.lwlock_waiters) / cores >= 1.0,
        &|s| s.longest_statement_ms >= 120_000,
        &|s| s.longest_transaction_ms >= 600_000,
        &|s| s.idle_in_transaction >= 10,
        &|s| s.idle_in_transaction_ms >= 60_000,
        &|s| s.blocked_depth >= 2,
        &|s| s.replication_lag_ms.is_some_and(|ms| ms >= 10_000),
        &|s| s.latency_us >= 250_000,
    ];
    if saturated.iter().any(|r| two_of_three(*r)) {
        VerdictLevel::Saturated
    } else if busy.iter().any(|r| two_of_three(*r)) {
        VerdictLevel::Busy
    } else {
        VerdictLevel::Clear
    }
}

/// Mostly calm values, so that all verdicts occur, with each input sometimes around its limits.
fn any_sample() -> impl Strategy<Value = Sample> {
    let rarely = |values: std::ops::Range<u32>| prop_oneof![9 => 0..1_u32, 1 => values];
    let rarely_ms = |limit: u64| prop_oneof![9 => 0..limit / 2, 1 => limit / 2..limit * 4];
    (
        (50..200_u32, 0..5_u32, 0..1_000_u32),
        (0..6_u32, rarely(0..120), rarely(0..14), rarely(0..30), rarely(0..20)),
        (
            rarely_ms(120_000),
            rarely_ms(600_000),
            rarely(0..45),
            rarely_ms(60_000),
            rarely(0..7),
        ),
        (
            proptest::option::of(rarely_ms(20_000)),
            rarely_ms(600_000),
            prop_oneof![200 => Just((false, false)), 1 => any::<(bool, bool)>()],
        ),
    )
        .prop_map(
            |(
                (max, reserved, permille),
                (few, many, locks, io, lwlock),
                (statement, transaction, idle, idle_ms, depth),
                (lag, latency_us, (hidden, untracked)),
            )| Sample {
                max_connections: max,
                reserved_connections: reserved,
                connections: (max - reserved) * permille.min(1_000) / 1_100,
                active: few.max(many),
                lock_waiters: locks,
                io_waiters: io,
                lwlock_waiters: lwlock,
                longest_statement_ms: statement,
                longest_transaction_ms: transaction,
                idle_in_transaction: idle,
                idle_in_transaction_ms: idle_ms,
                blocked_depth: depth,
                replication_lag_ms: lag,
                latency_us,
                activity_hidden: hidden,
                activity_not_tracked: untracked,
            },
        )
}

/// How bad a level is; `unknown` is the worst, because it denies everything.
fn badness(level: VerdictLevel) -> u8 {
    match level {
        VerdictLevel::Clear => 0,
        VerdictLevel::Busy => 1,
        VerdictLevel::Saturated => 2,
        VerdictLevel::Unknown => 3,
    }
}

/// A copy in which input number `which` is worse by `by`.
fn worse(sample: &Sample, which: usize, by: u32) -> Sample {
    let mut s = *sample;
    let by_ms = u64::from(by) * 10_000;
    match which {
        0 => s.connections += by,
        1 => s.active += by,
        2 => s.lock_waiters += by,
        3 => s.io_waiters += by,
        4 => s.lwlock_waiters += by,
        5 => s.longest_statement_ms += by_ms,
        6 => s.longest_transaction_ms += by_ms,
        7 => s.idle_in_transaction += by,
        8 => s.idle_in_transaction_ms += by_ms,
        9 => s.blocked_depth += by,
        10 => s.replication_lag_ms = Some(s.replication_lag_ms.unwrap_or(0) + by_ms),
        11 => s.latency_us += by_ms * 10,
        12 => s.activity_hidden = true,
        _ => s.activity_not_tracked = true,
    }
    s
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn agrees_with_the_model(samples in proptest::array::uniform3(any_sample()), cores in 1..64_u32) {
        let thresholds = Thresholds { cores, ..Thresholds::default() };
        prop_assert_eq!(judge(&samples, &thresholds, 0).level, model(&samples, cores));
    }

    #[test]
    fn a_worse_sample_never_makes_a_better_verdict(
        samples in proptest::array::uniform3(any_sample()), which in 0..14_usize, at in 0..3_usize, by in 1..200_u32,
    ) {
        let mut worsened = samples;
        worsened[at] = worse(&samples[at], which, by);
        prop_assert!(badness(level(&worsened)) >= badness(level(&samples)));
    }

    #[test]
    fn the_order_of_samples_does_not_matter(samples in proptest::array::uniform3(any_sample())) {
        let [a, b, c] = samples;
        prop_assert_eq!(level(&[a, b, c]), level(&[c, a, b]));
        prop_assert_eq!(level(&[a, b, c]), level(&[b, a, c]));
    }

    /// Stricter limits never make a better verdict, and looser ones do not load.
    #[test]
    fn configuration_only_makes_it_stricter(
        samples in proptest::array::uniform3(any_sample()), which in 0..Input::ALL.len(), busy in 0.0..3.0_f64, saturated in proptest::option::of(0.0..3.0_f64),
    ) {
        let input = Input::ALL[which];
        let default = input.default_limit();
        let given = Limit { busy: default.busy * busy, saturated: saturated.map(|s| default.saturated.unwrap_or(default.busy) * s) };
        let config = HealthConfig { limits: [(input, given)].into(), ..HealthConfig::default() };
        match Thresholds::stricter(&config) {
            Ok(thresholds) => {
                prop_assert!(given.busy <= default.busy);
                let before = badness(level(&samples));
                prop_assert!(badness(judge(&samples, &thresholds, 0).level) >= before);
            }
            Err(ThresholdError::Looser { limit, .. }) => {
                prop_assert!(limit.starts_with(input.as_str()));
                prop_assert!(given.busy > default.busy || given.saturated > default.saturated);
            }
            Err(ThresholdError::Invalid { .. }) => prop_assert!(given.saturated.is_some_and(|s| s < given.busy)),
            Err(ThresholdError::Cores(_) | ThresholdError::TimeToLive(_)) => prop_assert!(false),
        }
    }
}

#[test]
fn one_blip_of_three_is_no_verdict_and_two_are() {
    let blip = Sample {
        lock_waiters: 50,
        blocked_depth: 9,
        latency_us: 2_000_000,
        ..calm()
    };
    assert_eq!(level(&[calm(), blip, calm()]), VerdictLevel::Clear);
    assert_eq!(level(&[blip, calm(), blip]), VerdictLevel::Saturated);
}

#[test]
fn every_reason_names_input_value_and_limit() {
    let bad = Sample {
        lock_waiters: 3,
        connections: 96,
        ..calm()
    };
    let verdict = judge(&[bad; 3], &Thresholds::default(), 7);
    assert_eq!((verdict.level, verdict.taken_at_us), (VerdictLevel::Saturated, 7));
    let words: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "connections_ratio is 0.99; from 0.95 on the database counts as saturated",
            "lock_waiters is 3; from 2 on the database counts as busy",
        ]
    );
    assert_eq!(verdict.inputs[&Input::LockWaiters], 3.0);
    assert_eq!(
        verdict.inputs.len(),
        Input::ALL.len() - 1,
        "replication lag does not apply"
    );
    assert_eq!(verdict.thresholds.limits.len(), Input::ALL.len());
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["reasons"][1]["input"], "lock_waiters");
    assert_eq!(json["thresholds"]["limits"]["lock_waiters"]["saturated"], 10.0);
    let back: Verdict = serde_json::from_value(json).unwrap();
    assert_eq!(back, verdict);
}

#[test]
fn too_few_or_blind_samples_are_unknown() {
    assert_eq!(level(&[]), VerdictLevel::Unknown);
    assert_eq!(level(&[calm(), calm()]), VerdictLevel::Unknown);
    let hidden = Sample {
        activity_hidden: true,
        ..calm()
    };
    let verdict = judge(&[calm(), hidden, calm()], &Thresholds::default(), 0);
    assert_eq!(verdict.level, VerdictLevel::Unknown);
    assert!(verdict.reasons[0].to_string().contains("grant it pg_read_all_stats"));
}

#[test]
fn a_verdict_ages_and_none_is_from_the_future() {
    let verdict = judge(&[calm(); 3], &Thresholds::default(), 1_000_000);
    assert!(verdict.is_fresh(1_000_000) && verdict.is_fresh(6_000_000));
    assert!(!verdict.is_fresh(6_000_001) && !verdict.is_fresh(999_999));
    assert!(!verdict.is_fresh(i64::MAX) && !verdict.is_fresh(i64::MIN));
}

#[test]
fn what_may_run_is_the_documented_table() {
    use Risk::{Bounded, Expensive, RequiresHumanApproval, Safe};
    use VerdictLevel::{Busy, Clear, Saturated, Unknown};
    let allowed = [
        (Clear, Safe, false),
        (Clear, Safe, true),
        (Clear, Bounded, false),
        (Clear, Bounded, true),
        (Busy, Safe, false),
        (Busy, Safe, true),
        (Saturated, Safe, true),
    ];
    for level in [Clear, Busy, Saturated, Unknown] {
        for risk in [Safe, Bounded, Expensive, RequiresHumanApproval] {
            for essential in [false, true] {
                assert_eq!(
                    allows(level, risk, essential),
                    allowed.contains(&(level, risk, essential)),
                    "{level} {risk} {essential}"
                );
            }
        }
    }
}

#[test]
fn looser_and_senseless_limits_are_refused_by_name() {
    let given = |text: &str| {
        toml::from_str::<HealthConfig>(text)
            .map_err(|e| e.to_string())
            .and_then(|c| Thresholds::stricter(&c).map_err(|e| e.to_string()))
    };
    for (text, words) in [
        (
            "[limits.lock_waiters]\nbusy = 3",
            "health limit `lock_waiters.busy`: `3` is looser than the default `2`",
        ),
        (
            "[limits.lock_waiters]\nbusy = 1\nsaturated = 11",
            "`lock_waiters.saturated`: `11` is looser",
        ),
        (
            "[limits.lock_waiters]\nbusy = -1",
            "`lock_waiters.busy` has to be a number",
        ),
        (
            "[limits.lock_waiters]\nbusy = nan",
            "`lock_waiters.busy` has to be a number",
        ),
        (
            "[limits.lock_waiters]\nbusy = 2\nsaturated = 1",
            "`lock_waiters.saturated` has to be a number",
        ),
        ("[limits.lock_waiterz]\nbusy = 1", "unknown variant `lock_waiterz`"),
        ("[limits.lock_waiters]\nbusy = 1\nsafe = 1", "unknown field `safe`"),
        ("coars = 3", "unknown field `coars`"),
        ("cores = 0", "`cores` is `0`"),
        ("ttl_ms = 5001", "`ttl_ms` is `5001`; it has to be from 500 to 5000"),
        ("ttl_ms = 0", "`ttl_ms` is `0`"),
    ] {
        let error = given(text).unwrap_err();
        assert!(error.contains(words), "expected `{words}` in: {error}");
    }
    let thresholds = given(
        "cores = 16\n[limits.longest_statement_ms]\nbusy = 1000\nsaturated = 5000\n[limits.lock_waiters]\nbusy = 1",
    )
    .unwrap();
    assert_eq!((thresholds.cores, thresholds.ttl_ms), (16, 5_000));
    let thresholds_of_less = given("ttl_ms = 700").unwrap();
    let verdict = judge(&[calm(), calm(), calm()], &thresholds_of_less, 0);
    assert!(verdict.is_fresh(700_000) && !verdict.is_fresh(700_001));
    assert_eq!(
        thresholds.limit(Input::LongestStatementMs),
        Limit {
            busy: 1_000.0,
            saturated: Some(5_000.0)
        }
    );
    assert_eq!(
        thresholds.limit(Input::LockWaiters),
        Limit {
            busy: 1.0,
            saturated: Some(10.0)
        }
    );
}
