//! Parts made of durations by hand, and of drawn ones.

mod chance;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::thresholds::MIN_EXECUTIONS;
use super::*;
use crate::durations::{Durations, FEW};
use crate::evidence::{Dimensions, StatementKind};
use crate::interner::Family;
use crate::ledger::Incidents;
use crate::normalise::{family_key, query_family_id};
use crate::part::FamilyPart;

/// 2026-11-23T05:00:00Z, and an hour.
const START_US: i64 = 1_795_410_000_000_000;
const HOUR_US: i64 = 3_600_000_000;
const MS: u64 = 1_000;

/// One family of a part to be made.
#[derive(Debug, Clone)]
struct Made {
    statement: String,
    dimensions: Dimensions,
    durations: Vec<u64>,
    incomplete: bool,
    seen: (i64, i64),
}

fn names(user: &str) -> Dimensions {
    Dimensions {
        database: Some("shop".to_owned()),
        user: Some(user.to_owned()),
        application: Some("web".to_owned()),
    }
}

fn made(statement: &str, durations: Vec<u64>) -> Made {
    Made {
        statement: statement.to_owned(),
        dimensions: names("app"),
        durations,
        incomplete: false,
        seen: (START_US, START_US + HOUR_US),
    }
}

/// `n` durations spread evenly from half of `us` to one and a half of it.
fn around(us: u64, n: u64) -> Vec<u64> {
    (0..n).map(|i| us / 2 + us * i / n).collect()
}

fn id(made: &Made) -> String {
    query_family_id(&made.statement, &made.dimensions)
}

fn part_at(start_us: i64, families: &[Made]) -> Part {
    let mut all = Families::new(20_000);
    let (mut total_us, mut executions) = (0, 0);
    for made in families {
        let mut sketch = Durations::default();
        made.durations.iter().for_each(|us| sketch.record(*us));
        let sum = made.durations.iter().sum::<u64>();
        total_us += sum;
        executions += made.durations.len() as u64;
        let file = FamilyPart {
            id: id(made),
            dimensions: made.dimensions.clone(),
            statement: made.statement.clone(),
            kind: StatementKind::Select,
            incomplete: made.incomplete,
            query_ids: Vec::new(),
            sample: None,
            sample_us: 0,
            execution_count: made.durations.len() as u64,
            total_duration_us: sum,
            max_duration_us: made.durations.iter().copied().max().unwrap_or(0),
            durations_exact: made.durations.len() <= FEW,
            durations: sketch.counts(),
            parse_bind_duration_us: 0,
            temp_bytes: 0,
            temp_file_count: 0,
            error_count: 0,
            seen: Some(made.seen),
        };
        let family = Family {
            key: family_key(&made.statement, &made.dimensions),
            statement: made.statement.clone(),
            kind: StatementKind::Select,
            dimensions: Arc::new(made.dimensions.clone()),
        };
        all.insert(file, family);
    }
    all.set_totals(total_us, executions, 0);
    Part {
        window: Some(Window {
            since_us: start_us,
            until_us: start_us + HOUR_US,
        }),
        source: SourceSummary::default(),
        limitations: BTreeMap::new(),
        families: all,
        incidents: Incidents::default(),
        activity: Default::default(),
        exports: Vec::new(),
    }
}

/// The target, a day after the baseline.
fn target(families: &[Made]) -> Part {
    part_at(START_US, families)
}

fn baseline(families: &[Made]) -> Part {
    part_at(START_US - 24 * HOUR_US, families)
}

fn compared(now: &[Made], then: &[Made]) -> Comparison {
    compare(&mut target(now), baseline(then), &Redaction::least())
}

fn codes(limitations: &[Limitation]) -> Vec<&str> {
    limitations.iter().map(|limitation| limitation.code.as_str()).collect()
}

#[test]
fn nothing_has_changed_where_nothing_has() {
    let same = [
        made("select a", around(10 * MS, 500)),
        made("select b", around(90 * MS, 30)),
    ];
    let comparison = compared(&same, &same);
    assert_eq!(comparison.regressions, []);
    assert_eq!(
        (
            comparison.common_families,
            comparison.absent_families,
            comparison.renamed_families
        ),
        (2, 0, 0)
    );
    assert_eq!(comparison.tests, 4);
    assert_eq!(comparison.limitations, []);
    assert_eq!(comparison.baseline.execution_count, 530);
}

#[test]
fn a_doubled_p95_is_a_regression_with_the_figures_of_both_sides() {
    let then = [
        made("select a", around(10 * MS, 500)),
        made("select b", around(90 * MS, 500)),
    ];
    let now = [
        made("select a", around(20 * MS, 500)),
        made("select b", around(90 * MS, 500)),
    ];
    let comparison = compared(&now, &then);
    assert_eq!(comparison.regressions.len(), 1);
    let found = &comparison.regressions[0];
    assert_eq!(found.family, id(&now[0]));
    // From 10 % of all time to 18.2 %.
    assert_eq!(found.reasons, [Reason::P95Regressed, Reason::ContributionIncreased]);
    assert_eq!((found.confidence, found.doubts.len()), (Confidence::High, 0));
    let known = found.baseline.unwrap();
    assert_eq!((found.target.execution_count, known.execution_count), (500, 500));
    assert!(found.target.p95_duration_us.abs_diff(2 * known.p95_duration_us) <= known.p95_duration_us / 50);
    assert_eq!(
        found.excess_duration_us,
        found.target.total_duration_us - known.total_duration_us
    );
    assert!(found.chance_ppt <= 10, "{}", found.chance_ppt);
}

#[test]
fn what_is_absent_in_the_baseline_is_told_when_it_takes_time() {
    let then = [made("select a", around(10 * MS, 2_000))];
    let now = |n| {
        [
            then[0].clone(),
            made("select new", around(10 * MS, n)),
            made("select rare", around(900 * MS, 3)),
        ]
    };
    let comparison = compared(&now(200), &then);
    let found = &comparison.regressions[0];
    assert_eq!(comparison.regressions.len(), 1);
    assert_eq!(found.reasons, [Reason::AbsentInBaseline]);
    assert_eq!((found.baseline, found.under_other_names), (None, false));
    assert_eq!(found.excess_duration_us, found.target.total_duration_us);
    assert_eq!(found.confidence, Confidence::High);
    assert_eq!((comparison.absent_families, comparison.rare_families), (2, 1));
    // Less than a hundredth of the time.
    assert_eq!(
        compared(&[then[0].clone(), made("select new", around(MS, 100))], &then).regressions,
        []
    );
}

#[test]
fn a_baseline_with_few_executions_cannot_show_that_something_is_absent() {
    let then = [made("select a", around(10 * MS, 40))];
    let now = [
        made("select a", around(10 * MS, 2_000)),
        made("select new", around(10 * MS, 100)),
    ];
    // At the target's rate the baseline would have two of it, and could well have none.
    assert_eq!(compared(&now, &then).regressions, []);
}

#[test]
fn three_executions_make_no_regression() {
    for n in 1..MIN_EXECUTIONS {
        let then = [
            made("select a", around(10 * MS, 500)),
            made("select b", around(10 * MS, 500)),
        ];
        let now = [
            made("select a", around(10_000 * MS, n)),
            made("select b", around(10 * MS, 500)),
            made("select new", around(10_000 * MS, n)),
        ];
        let comparison = compared(&now, &then);
        assert_eq!(comparison.regressions, [], "{n}");
        assert_eq!(comparison.limitations, []);
        assert_eq!(comparison.rare_families, 2);
        let rare = now[0].durations.iter().chain(&now[2].durations);
        assert_eq!(comparison.rare_duration_us, rare.sum::<u64>());
    }
    // Three in the baseline say nothing about its percentiles either.
    let then = [
        made("select a", around(10 * MS, 3)),
        made("select b", around(10 * MS, 500)),
    ];
    let now = [
        made("select a", around(20 * MS, 20)),
        made("select b", around(10 * MS, 500)),
    ];
    assert_eq!(compared(&now, &then).regressions, []);
}

#[test]
fn one_execution_of_many_makes_no_contribution() {
    let then = [
        made("select a", around(10 * MS, 500)),
        made("select b", around(10 * MS, 500)),
    ];
    let mut now = [made("select a", around(10 * MS, 800)), then[1].clone()];
    now[0].durations.push(600_000 * MS);
    assert_eq!(compared(&now, &then).regressions, []);
}

#[test]
fn more_executions_of_the_same_length_are_a_larger_contribution_unless_all_grew() {
    let then = [
        made("select a", around(10 * MS, 500)),
        made("select b", around(10 * MS, 5_000)),
    ];
    let now = [
        made("select a", around(10 * MS, 5_000)),
        made("select b", around(10 * MS, 5_000)),
    ];
    let comparison = compared(&now, &then);
    let found = &comparison.regressions[0];
    assert_eq!(
        (comparison.regressions.len(), found.reasons.as_slice()),
        (1, &[Reason::ContributionIncreased][..])
    );
    // One eleventh of the time was its share.
    let expected = comparison.target.total_duration_us / 11;
    assert!((found.target.total_duration_us - found.excess_duration_us).abs_diff(expected) < expected / 100);
    let both = [
        made("select a", around(10 * MS, 5_000)),
        made("select b", around(10 * MS, 50_000)),
    ];
    assert_eq!(compared(&both, &then).regressions, []);
}

#[test]
fn a_family_under_new_names_is_not_new() {
    let then = [
        made("select a", around(10 * MS, 500)),
        made("select b", around(10 * MS, 500)),
    ];
    let named = |user: &str, us: u64| Made {
        dimensions: names(user),
        ..made("select a", around(us, 300))
    };
    let comparison = compared(&[named("pod-2", 10 * MS), then[1].clone()], &then);
    assert_eq!(comparison.regressions, []);
    assert_eq!((comparison.renamed_families, comparison.absent_families), (1, 0));
    // Slower, it is a regression all the same, and says what it was compared with: all others together.
    let mut more = then.to_vec();
    more.push(named("pod-1", 10 * MS));
    let comparison = compared(&[named("pod-2", 40 * MS), then[1].clone()], &more);
    let found = &comparison.regressions[0];
    assert_eq!(
        (found.reasons.as_slice(), found.under_other_names),
        (&[Reason::P95Regressed][..], true)
    );
    assert_eq!(found.baseline.unwrap().execution_count, 800);
    // In another database it is another statement.
    let mut elsewhere = named("app", 10 * MS);
    elsewhere.dimensions.database = Some("other".to_owned());
    let comparison = compared(&[elsewhere.clone(), then[1].clone()], &then);
    assert_eq!(comparison.regressions[0].reasons, [Reason::AbsentInBaseline]);
    // A log that does not tell the database may be of any.
    elsewhere.dimensions.database = None;
    assert_eq!(
        compared(&[elsewhere.clone(), then[1].clone()], &then).renamed_families,
        1
    );
}

#[test]
fn doubts_lower_the_confidence() {
    let then = [
        made("select a", around(10 * MS, 500)),
        made("select b", around(10 * MS, 500)),
    ];
    let now = [made("select a", around(40 * MS, 500)), then[1].clone()];
    let judged = |now: &[Made], then: &[Made]| {
        let found = compared(now, then).regressions[0].clone();
        (found.confidence, found.doubts)
    };
    assert_eq!(judged(&now, &then), (Confidence::High, vec![]));
    let burst = |all: &[Made; 2]| {
        let mut all = all.clone();
        all[0].seen.1 = START_US + 59_000_000;
        all
    };
    assert_eq!(judged(&burst(&now), &then), (Confidence::Medium, vec![Doubt::Burst]));
    assert_eq!(judged(&now, &burst(&then)), (Confidence::Medium, vec![Doubt::Burst]));
    let mut lacking = then.clone();
    lacking[0].incomplete = true;
    assert_eq!(judged(&now, &lacking), (Confidence::Low, vec![Doubt::Incomplete]));
    let fewer = [made("select a", around(40 * MS, 99)), then[1].clone()];
    assert_eq!(judged(&fewer, &then), (Confidence::Medium, vec![]));
}

#[test]
fn a_baseline_that_gave_families_up_may_have_known_what_seems_absent() {
    let then = [made("select a", around(10 * MS, 500))];
    let now = [
        made("select a", around(40 * MS, 500)),
        made("select new", around(10 * MS, 500)),
    ];
    let mut cut = baseline(&then);
    let (total_us, executions) = cut.families.total();
    cut.families.set_totals(total_us, executions, 7);
    let comparison = compare(&mut target(&now), cut, &Redaction::least());
    assert_eq!(codes(&comparison.limitations), ["baseline_families_folded"]);
    assert_eq!(codes(&comparison.baseline_limitations), ["families_folded"]);
    let doubts: Vec<_> = comparison
        .regressions
        .iter()
        .map(|it| (it.reasons[0], it.confidence))
        .collect();
    assert_eq!(
        doubts,
        [
            (Reason::P95Regressed, Confidence::High),
            (Reason::AbsentInBaseline, Confidence::Low)
        ]
    );
}

#[test]
fn logs_of_different_settings_are_told() {
    let then = [
        made("select a", around(500 * MS, 500)),
        made("select b", around(900 * MS, 500)),
    ];
    let mut now = then.to_vec();
    now.push(made("select c", around(60 * MS, 4_000)));
    let comparison = compared(&now, &then);
    assert_eq!(codes(&comparison.limitations), ["baseline_logging_differs"]);
    let found = &comparison.regressions[0];
    assert_eq!(
        (found.reasons[0], found.confidence),
        (Reason::AbsentInBaseline, Confidence::Low)
    );
    assert_eq!(found.doubts, [Doubt::LoggingDiffers]);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let some = [made("select a", around(10 * MS, 500))];
    assert_eq!(codes(&compared(&some, &[]).limitations), ["baseline_without_durations"]);
    let other = [made("select b", around(10 * MS, 500))];
    let comparison = compared(&some, &other);
    assert_eq!(codes(&comparison.limitations), ["baseline_nothing_in_common"]);
    assert!(comparison.limitations.iter().all(|it| !it.message.is_empty()));
    let overlapping = compare(
        &mut target(&some),
        part_at(START_US - HOUR_US / 2, &some),
        &Redaction::least(),
    );
    assert_eq!(codes(&overlapping.limitations), ["baseline_overlaps"]);
    assert_eq!(compared(&[], &some).regressions, []);
}

#[test]
fn the_worst_come_first_and_what_is_cut_is_told() {
    let statement = |n: usize| format!("select c{n:03} from t");
    let then: Vec<Made> = (0..150).map(|n| made(&statement(n), around(10 * MS, 60))).collect();
    let now: Vec<Made> = (0..150)
        .map(|n| made(&statement(n), around((30 + n as u64) * MS, 60)))
        .collect();
    let comparison = compared(&now, &then);
    assert_eq!(
        (comparison.regressions.len(), comparison.regressions_dropped),
        (MAX_REGRESSIONS, 50)
    );
    assert_eq!(codes(&comparison.limitations), ["regressions_dropped"]);
    assert_eq!(comparison.regressions[0].family, id(&now[149]));
    assert!(
        comparison
            .regressions
            .is_sorted_by_key(|it| std::cmp::Reverse(it.excess_duration_us))
    );
}
