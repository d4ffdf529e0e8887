//! A part of evidence against a baseline: which query families are new, slower, or take a larger part of the time.
//!
//! **In**: two [`Part`]s, the target and the baseline. **Out**: a [`Comparison`], a pure function of the two: the same whatever the
//! number of threads, and however the parts were merged. **Trusted**: numbers; statements and names are compared and not shown.
//! **Can fail**: never; what the two cannot tell is said in the limitations and doubts.
//!
//! A difference counts when it is large enough and sure enough; [`thresholds`] has the rules. Times are compared as shares of all statement
//! time, so the two windows need not be of one length.

mod judge;
mod significance;
pub mod thresholds;

use serde::{Deserialize, Serialize};

use crate::evidence::{Confidence, Limitation, SourceSummary, Window};
use crate::ledger::Families;
use crate::part::Part;
use crate::redaction::Redaction;
use judge::{Candidate, Known, Totals};
use thresholds::{LOGGING_EXECUTIONS, LOGGING_FACTOR, LOGGING_FLOOR_US, MAX_REGRESSIONS};

/// What became of a workload since the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// What is judged.
    pub target: Side,
    /// What it is compared with.
    pub baseline: Side,
    /// What was read for the baseline.
    pub baseline_source: SourceSummary,
    /// What the baseline's input could not tell.
    pub baseline_limitations: Vec<Limitation>,
    /// Families with executions on both sides.
    pub common_families: u64,
    /// Families of the target that the baseline has under other roles or applications only.
    pub renamed_families: u64,
    /// Families of the target that the baseline does not have.
    pub absent_families: u64,
    /// Families of the target that ran too seldom to be judged: fewer than [`thresholds::MIN_EXECUTIONS`] times.
    pub rare_families: u64,
    /// What these took.
    pub rare_duration_us: u64,
    /// How many differences were tested; the chances are corrected for it.
    pub tests: u64,
    /// The most excess time first; ties by family id.
    pub regressions: Vec<Regression>,
    /// Regressions with less excess time that were cut, because more than [`MAX_REGRESSIONS`] were found.
    pub regressions_dropped: u64,
    /// What the comparison cannot tell.
    pub limitations: Vec<Limitation>,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// First and last instant.
    pub window: Option<Window>,
    /// Executions of all families.
    pub execution_count: u64,
    /// What they took.
    pub total_duration_us: u64,
    /// Distinct families.
    pub family_count: u64,
}

/// A family of the target that got worse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// The family's id.
    pub family: String,
    /// What got worse; at least one, in this order.
    pub reasons: Vec<Reason>,
    /// Why it may not be so after all, beyond chance.
    pub doubts: Vec<Doubt>,
    /// How sure it is, doubts included.
    pub confidence: Confidence,
    /// The family in the target.
    pub target: Figures,
    /// The family in the baseline; none when it is absent there.
    pub baseline: Option<Figures>,
    /// `baseline` is of the same statement in the same database, run by other roles or applications.
    pub under_other_names: bool,
    /// What the family took beyond what it would have taken as in the baseline.
    pub excess_duration_us: u64,
    /// The chance to see as large a difference where there is none, corrected for the number of tests: in parts per trillion, rounded
    /// up to two digits.
    pub chance_ppt: u64,
}

impl Regression {
    /// The chance to see as large a difference where there is none, corrected for the number of tests.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most a trillion")]
    pub fn chance(&self) -> f64 {
        self.chance_ppt as f64 / 1e12
    }
}

/// What got worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The baseline has no execution of it.
    AbsentInBaseline,
    /// Its 95th percentile is higher.
    P95Regressed,
    /// Its share of all statement time is larger.
    ContributionIncreased,
}

/// Why a regression may be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// All executions of one side lie within a minute: whatever slowed one may have slowed all.
    Burst,
    /// A side gave the family up for lack of room and met it again, so its figures lack something.
    Incomplete,
    /// The baseline gave up families for lack of room; this one may have been among them.
    BaselineIncomplete,
    /// The two logs seem to have been written with different settings of `log_min_duration_statement`.
    LoggingDiffers,
}

/// What one side measured of a family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Executions.
    pub execution_count: u64,
    /// Exact sum.
    pub total_duration_us: u64,
    /// Rounded half up.
    pub mean_duration_us: u64,
    /// Median.
    pub p50_duration_us: u64,
    /// 95th percentile.
    pub p95_duration_us: u64,
    /// 99th percentile.
    pub p99_duration_us: u64,
    /// Exact maximum.
    pub max_duration_us: u64,
}

/// Compares `target` with `baseline`. What is said of the sources of `baseline` keeps what `redaction` keeps.
///
/// ```
/// use pg_logstats_logs::compare::Reason;
/// use pg_logstats_logs::{Options, Redaction, Source, compare, reduce};
///
/// let log = |ms: u64| {
///     let line = |n: u64| format!("2026-11-23 05:{:02}:00.000 UTC [7] app@shop web: LOG:  duration: {}.000 ms  statement: SELECT 1\n", n % 60, ms + n % 7);
///     (0..500).map(line).collect::<String>().into_bytes()
/// };
/// let part = |ms| {
///     let source = Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(log(ms))));
///     reduce(vec![source], &Options::default(), &|_| {})
/// };
/// let comparison = compare(&mut part(40)?, part(10)?, &Redaction::default());
/// assert_eq!(comparison.regressions[0].reasons, [Reason::P95Regressed]);
/// assert!(compare(&mut part(10)?, part(10)?, &Redaction::default()).regressions.is_empty());
/// # Ok::<(), pg_logstats_logs::LogError>(())
/// ```
#[must_use]
pub fn compare(target: &mut Part, mut baseline: Part, redaction: &Redaction) -> Comparison {
    target.families.settle();
    baseline.families.settle();
    let totals = Totals {
        target: side(target),
        baseline: side(&baseline),
        logging_differs: logging_differs(&target.families, &baseline.families),
        baseline_is_folded: baseline.families.folded() > 0,
    };
    let known = Known::new(&baseline.families);
    let ran = target.families.measured().filter(|family| family.count > 0);
    let candidates: Vec<Candidate<'_>> = ran.map(|family| Candidate::new(family, &known)).collect();
    let rare = candidates.iter().filter(|candidate| candidate.is_rare());
    let (tests, mut regressions) = judge::judge(&candidates, &totals);
    regressions.sort_by(|one, other| {
        let excess = other.excess_duration_us.cmp(&one.excess_duration_us);
        excess.then_with(|| one.family.cmp(&other.family))
    });
    let regressions_dropped = regressions.len().saturating_sub(MAX_REGRESSIONS) as u64;
    regressions.truncate(MAX_REGRESSIONS);
    let count = |is: &dyn Fn(&Candidate<'_>) -> bool| candidates.iter().filter(|it| is(it)).count() as u64;
    let mut comparison = Comparison {
        target: totals.target,
        baseline: totals.baseline,
        common_families: count(&|it| it.is_common()),
        renamed_families: count(&|it| it.is_renamed()),
        absent_families: count(&|it| it.is_absent()),
        rare_families: count(&|it| it.is_rare()),
        rare_duration_us: rare.fold(0, |sum, candidate| sum.saturating_add(candidate.target.total_us)),
        tests,
        regressions,
        regressions_dropped,
        limitations: Vec::new(),
        baseline_source: SourceSummary::default(),
        baseline_limitations: Vec::new(),
    };
    comparison.limitations = limitations(&comparison, &totals);
    let baseline = baseline.evidence(redaction);
    comparison.baseline_source = baseline.source;
    comparison.baseline_limitations = baseline.limitations;
    comparison
}

fn side(part: &Part) -> Side {
    let (total_duration_us, execution_count) = part.families.total();
    Side {
        window: part.window,
        execution_count,
        total_duration_us,
        family_count: part.families.count(),
    }
}

/// Whether the shortest durations of the two tell of different settings of what is logged.
fn logging_differs(target: &Families, baseline: &Families) -> bool {
    let shortest = |families: &Families| {
        let first = |durations: Vec<(u64, u32)>| durations.first().map(|(us, _)| *us);
        families
            .measured()
            .filter_map(|family| first(family.durations.counts()))
            .min()
    };
    let enough = |families: &Families| families.total().1 >= LOGGING_EXECUTIONS;
    if !enough(target) || !enough(baseline) {
        return false;
    }
    let (Some(one), Some(other)) = (shortest(target), shortest(baseline)) else {
        return false;
    };
    let longer = one.max(other);
    longer >= LOGGING_FLOOR_US && longer / LOGGING_FACTOR >= one.min(other)
}

fn limitations(comparison: &Comparison, totals: &Totals) -> Vec<Limitation> {
    let (target, baseline) = (&comparison.target, &comparison.baseline);
    let any = |holds: bool| u64::from(holds);
    let ran = baseline.execution_count > 0;
    let nothing_in_common = comparison.common_families + comparison.renamed_families == 0;
    let overlap = match (target.window, baseline.window) {
        (Some(one), Some(other)) => one.since_us <= other.until_us && other.since_us <= one.until_us,
        _ => false,
    };
    let told = [
        (
            "baseline_without_durations",
            any(!ran),
            "the baseline has no statement durations, so nothing could be compared: set log_min_duration_statement before it \
             is logged, or check its window",
        ),
        (
            "baseline_nothing_in_common",
            any(ran && target.execution_count > 0 && nothing_in_common),
            "no statement of the target is in the baseline; check that it is of the same application, and that \
             log_line_prefix tells the database in both or in neither",
        ),
        (
            "baseline_overlaps",
            any(overlap),
            "the windows of target and baseline overlap, so what is in both may hide a regression; narrow them with --since \
             and --baseline-until",
        ),
        (
            "baseline_logging_differs",
            any(totals.logging_differs),
            "target and baseline seem to be logged with different log_min_duration_statement, so neither shares nor \
             percentiles can be compared well",
        ),
        (
            "baseline_families_folded",
            any(totals.baseline_is_folded),
            "the baseline gave up query families with little total time, so one that seems to be absent there may have been \
             one of them; narrow it with --baseline-since and --baseline-until",
        ),
        (
            "regressions_dropped",
            comparison.regressions_dropped,
            "more regressions than are kept; those with the most excess time are",
        ),
    ];
    let told = told.into_iter().filter(|(_, count, _)| *count > 0);
    told.map(|(code, count, message)| Limitation {
        code: code.to_owned(),
        count,
        message: message.to_owned(),
    })
    .collect()
}

#[cfg(test)]
mod tests;
