//! What must hold for drawn workloads: noise is no regression, a change is one, and units do not matter.
//!
//! Seeds are fixed, so a test that passes always does.

use proptest::prelude::*;

use super::*;
use crate::compare::judge::chance_of_slower_for_tests as chance_of_slower;

/// SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let (one, other) = (1.0 - self.unit(), self.unit());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    /// `n` durations around `us`; with a spread of 1, the 95th percentile is five times the median.
    fn lognormal(&mut self, us: f64, spread: f64, n: u64) -> Vec<u64> {
        (0..n).map(|_| (us * (spread * self.normal()).exp()) as u64).collect()
    }
}

/// Families of one workload: what each takes, how it is spread, how often it runs.
struct Workload {
    kinds: Vec<(f64, f64, u64)>,
}

impl Workload {
    fn new(numbers: &mut Numbers, families: usize, most: u64) -> Self {
        let kind = |numbers: &mut Numbers| {
            (
                500.0 * (2.0 * numbers.normal()).exp(),
                0.2 + 1.3 * numbers.unit(),
                numbers.between(10, most),
            )
        };
        Self {
            kinds: (0..families).map(|_| kind(numbers)).collect(),
        }
    }

    /// One run of it; how often each family runs differs by its root, as in arrivals by chance.
    fn run(&self, numbers: &mut Numbers) -> Vec<Made> {
        let family = |(n, (us, spread, times)): (usize, &(f64, f64, u64))| {
            let times = (*times as f64 + (*times as f64).sqrt() * numbers.normal()).max(1.0) as u64;
            made(&format!("select c{n} from t"), numbers.lognormal(*us, *spread, times))
        };
        self.kinds.iter().enumerate().map(family).collect()
    }
}

#[test]
fn noise_of_ten_thousand_families_is_no_regression() {
    let found = |seed: u64| {
        let numbers = &mut Numbers(seed);
        let workload = Workload::new(numbers, 10_000, 80);
        let (now, then) = (workload.run(numbers), workload.run(numbers));
        compared(&now, &then).regressions
    };
    for seed in 0..10 {
        assert_eq!(found(seed), [], "seed {seed}");
    }
}

#[test]
fn noise_of_few_families_with_large_shares_is_no_regression() {
    let mut wrong = 0;
    for seed in 0..2_000 {
        let numbers = &mut Numbers(seed);
        let workload = Workload::new(numbers, 8, 200);
        let (now, then) = (workload.run(numbers), workload.run(numbers));
        wrong += u32::from(!compared(&now, &then).regressions.is_empty());
    }
    // One in a hundred is what is promised.
    assert!(wrong < 20, "{wrong} of 2000");
}

#[test]
fn a_doubled_family_is_found_among_ten_thousand() {
    for (seed, spread) in [(1, 0.3), (2, 0.6), (3, 1.0)] {
        let numbers = &mut Numbers(seed);
        let workload = Workload::new(numbers, 10_000, 30);
        let (mut now, mut then) = (workload.run(numbers), workload.run(numbers));
        then.push(made("select slower", numbers.lognormal(20_000.0, spread, 500)));
        now.push(made("select slower", numbers.lognormal(40_000.0, spread, 500)));
        let regressions = compared(&now, &then).regressions;
        assert_eq!(regressions.len(), 1, "spread {spread}");
        assert_eq!(regressions[0].family, id(now.last().unwrap()));
        assert_eq!(regressions[0].reasons[0], Reason::P95Regressed);
    }
}

#[test]
fn a_tenth_of_executions_that_became_slow_is_found() {
    let numbers = &mut Numbers(1);
    let mut slow = numbers.lognormal(10_000.0, 0.2, 450);
    slow.extend(numbers.lognormal(100_000.0, 0.2, 50));
    let then = [
        made("select a", numbers.lognormal(10_000.0, 0.2, 500)),
        made("select b", numbers.lognormal(10_000.0, 0.2, 500)),
    ];
    let now = [made("select a", slow), then[1].clone()];
    assert_eq!(compared(&now, &then).regressions[0].reasons[0], Reason::P95Regressed);
}

/// How often the test of two sides, that differ by chance alone, gives at most `limit`.
fn rejected(limit: f64, runs: u64, mut draw: impl FnMut(&mut Numbers) -> Vec<u64>) -> f64 {
    let numbers = &mut Numbers(7);
    let wrong = (0..runs)
        .filter(|_| {
            let (now, then) = (draw(numbers), draw(numbers));
            chance_of_slower(&now, &then) <= limit
        })
        .count();
    wrong as f64 / runs as f64
}

#[test]
fn a_chance_of_one_in_a_hundred_is_met_less_often() {
    for n in [20, 33, 100, 400] {
        let found = rejected(0.01, 20_000, |numbers| numbers.lognormal(20_000.0, 1.0, n));
        assert!(found <= 0.01, "{n} executions: {found}");
        // All of two or three lengths.
        let found = rejected(0.01, 20_000, |numbers| {
            (0..n).map(|_| 100 * numbers.between(1, 3)).collect()
        });
        assert!(found <= 0.01, "{n} executions with ties: {found}");
    }
}

#[test]
fn also_where_executions_come_in_bursts() {
    // Five to a burst, with a correlation of one quarter within it: what the design effect stands for.
    let bursts = |numbers: &mut Numbers| {
        let mut all = Vec::new();
        for _ in 0..60 {
            let shared = 0.5 * numbers.normal();
            all.extend((0..5).map(|_| (20_000.0 * (shared + 0.75_f64.sqrt() * numbers.normal()).exp()) as u64));
        }
        all
    };
    let found = rejected(0.01, 20_000, bursts);
    assert!(found <= 0.01, "{found}");
}

fn durations() -> impl Strategy<Value = Vec<u64>> {
    // Of about one length or of several, so that sides differ now and then by more than chance.
    let length = prop::sample::select(vec![1_000u64, 8_000, 64_000]);
    let one = |us: u64| prop_oneof![4 => us / 2..us * 3 / 2, 1 => 256u64..2_000_000];
    length.prop_flat_map(move |us| prop::collection::vec(one(us), 1..120))
}

fn workload() -> impl Strategy<Value = Vec<Made>> {
    let family = (0u8..6, 0u8..3, durations()).prop_map(|(statement, user, durations)| Made {
        dimensions: names(&format!("user{user}")),
        ..made(&format!("select c{statement} from t"), durations)
    });
    prop::collection::vec(family, 0..8).prop_map(|mut all| {
        all.sort_by_key(id);
        all.dedup_by_key(|it| id(it));
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_holds_of_every_comparison(now in workload(), then in workload()) {
        let comparison = compared(&now, &then);
        for found in &comparison.regressions {
            prop_assert!(!found.reasons.is_empty() && found.target.execution_count >= MIN_EXECUTIONS);
            prop_assert!(found.excess_duration_us <= found.target.total_duration_us);
            prop_assert!((1..=10_000_000_000).contains(&found.chance_ppt), "{}", found.chance_ppt);
            let absent = found.reasons.contains(&Reason::AbsentInBaseline);
            prop_assert_eq!(absent, found.baseline.is_none());
            if let (true, Some(known)) = (found.reasons.contains(&Reason::P95Regressed), found.baseline) {
                prop_assert!(known.execution_count >= MIN_EXECUTIONS);
                prop_assert!(found.target.p95_duration_us * 2 >= known.p95_duration_us * 3);
            }
        }
        // The other way round, none of them is slower.
        let back = compared(&then, &now);
        for found in comparison.regressions.iter().filter(|it| it.reasons.contains(&Reason::P95Regressed) && !it.under_other_names) {
            let other = back.regressions.iter().find(|it| it.family == found.family);
            prop_assert!(other.is_none_or(|it| !it.reasons.contains(&Reason::P95Regressed)));
        }
        prop_assert_eq!(compared(&now, &now).regressions, []);
        let text = serde_json::to_string(&comparison).unwrap();
        prop_assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), comparison);
    }

    #[test]
    fn parts_merged_give_what_the_whole_gives(one in workload(), other in workload(), then in workload(), later in workload()) {
        let together = |one: Part, other: Part| {
            let mut whole = one;
            whole.merge(other);
            whole
        };
        let stepwise = compare(&mut together(target(&one), target(&other)), together(baseline(&then), baseline(&later)), &Redaction::least());
        let reverse = compare(&mut together(target(&other), target(&one)), together(baseline(&later), baseline(&then)), &Redaction::least());
        let all = |one: &[Made], other: &[Made]| {
            let mut all = one.to_vec();
            for made in other {
                match all.iter_mut().find(|it| id(it) == id(made)) {
                    Some(known) => known.durations.extend(&made.durations),
                    None => all.push(made.clone()),
                }
            }
            all
        };
        let whole = compared(&all(&one, &other), &all(&then, &later));
        prop_assert_eq!(&stepwise, &whole);
        prop_assert_eq!(&reverse, &whole);
    }

    #[test]
    fn units_do_not_matter(now in workload(), then in workload(), bits in 0u32..12) {
        // Long enough for the differences that are told to be more than the least.
        let longer = |all: &[Made], bits: u32| -> Vec<Made> {
            let scaled = |made: &Made| Made {
                durations: made.durations.iter().map(|us| us << bits).collect(),
                ..made.clone()
            };
            all.iter().map(scaled).collect()
        };
        let said = |bits: u32| {
            let comparison = compared(&longer(&now, bits), &longer(&then, bits));
            let said = |it: &Regression| (it.family.clone(), it.reasons.clone(), it.chance_ppt);
            comparison.regressions.iter().map(said).collect::<Vec<_>>()
        };
        let least = 6;
        prop_assert_eq!(said(least), said(least + bits));
    }
}
