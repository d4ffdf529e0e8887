//! One family after the other: what the baseline has of it, what is tested, and what is said.

use std::collections::HashMap;

use super::significance::{Counted, corrected, exceeds, is_more_frequent, parts_per_trillion, proportion};
use super::thresholds::{
    ABSENT_SHARE_BP, BURST_US, FALSE_DISCOVERY_RATE, MIN_EXECUTIONS, P95_DELTA_US, P95_PERCENT, SHARE_DELTA_BP,
    SHARE_PERCENT, SURE_CHANCE_PPT, SURE_EXECUTIONS,
};
use super::{Confidence, Doubt, Figures, Reason, Regression, Side};
use crate::durations::Durations;
use crate::ledger::{Families, Measured, mean};
use crate::redaction::REDACTED;

/// A whole, in hundredths of a per cent.
const WHOLE_BP: u64 = 10_000;

/// The two sides as a whole.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) target: Side,
    pub(super) baseline: Side,
    pub(super) logging_differs: bool,
    pub(super) baseline_is_folded: bool,
}

/// The families of the baseline, to be looked up.
#[derive(Debug)]
pub(super) struct Known<'b> {
    by_key: HashMap<u64, Measured<'b>>,
    by_statement: HashMap<&'b str, Vec<Measured<'b>>>,
}

impl<'b> Known<'b> {
    pub(super) fn new(baseline: &'b Families) -> Self {
        let mut known = Self {
            by_key: HashMap::new(),
            by_statement: HashMap::new(),
        };
        for family in baseline.measured() {
            known.by_key.insert(family.family.key, family);
            let named_alike = known.by_statement.entry(&family.family.statement).or_default();
            named_alike.push(family);
        }
        known
    }

    /// The same statement in the same database, as far as the logs tell it, by others. A statement that was cut or removed may be another
    /// one.
    fn by_others(&self, family: &Measured<'_>) -> Vec<&Measured<'b>> {
        let statement = &family.family.statement;
        let database = &family.family.dimensions.database;
        let is_same = |other: &&Measured<'b>| {
            let others = &other.family.dimensions.database;
            other.count > 0 && (others == database || others.is_none() || database.is_none())
        };
        let alike = self.by_statement.get(statement.as_str()).map(Vec::as_slice);
        let is_whole = !statement.ends_with('…') && statement != REDACTED;
        let alike = alike.filter(|_| is_whole).unwrap_or_default();
        alike.iter().filter(is_same).collect()
    }
}

/// A family's executions on one side.
#[derive(Debug)]
struct Executions {
    figures: Figures,
    /// In the buckets of a histogram.
    durations: Vec<(u64, u32)>,
    incomplete: bool,
    is_burst: bool,
}

impl Executions {
    fn of(family: &Measured<'_>) -> Self {
        Self::new(family, family.durations)
    }

    fn new(family: &Measured<'_>, durations: &Durations) -> Self {
        let percentiles = durations.percentiles([50, 95, 99]);
        let [p50_duration_us, p95_duration_us, p99_duration_us] = percentiles.map(|us| us.min(family.max_us));
        Self {
            figures: Figures {
                execution_count: family.count,
                total_duration_us: family.total_us,
                mean_duration_us: mean(family.total_us, family.count),
                p50_duration_us,
                p95_duration_us,
                p99_duration_us,
                max_duration_us: family.max_us,
            },
            durations: durations.bucketed(),
            incomplete: family.incomplete,
            is_burst: family
                .seen
                .is_none_or(|(first, last)| last.saturating_sub(first) < BURST_US),
        }
    }

    /// Several families as one.
    fn together(families: &[&Measured<'_>]) -> Option<Self> {
        let (first, rest) = families.split_first()?;
        let mut whole = **first;
        let mut durations = first.durations.clone();
        for family in rest {
            whole.incomplete |= family.incomplete;
            whole.count = whole.count.saturating_add(family.count);
            whole.total_us = whole.total_us.saturating_add(family.total_us);
            whole.max_us = whole.max_us.max(family.max_us);
            whole.seen = match (whole.seen, family.seen) {
                (Some((one, last)), Some((other, other_last))) => Some((one.min(other), last.max(other_last))),
                (one, other) => one.or(other),
            };
            durations.merge(family.durations);
        }
        Some(Self::new(&whole, &durations))
    }

    fn timed(&self) -> u64 {
        self.durations.iter().fold(0, |sum, (_, times)| sum + u64::from(*times))
    }

    /// How many lie in higher buckets than the one that begins at `us`.
    fn above(&self, us: u64) -> u64 {
        let above = self.durations.iter().filter(|(lowest, _)| *lowest > us);
        above.fold(0, |sum, (_, times)| sum + u64::from(*times))
    }

    /// The bucket that holds the `percent`th percentile by nearest rank, and how many rank above.
    fn percentile(&self, percent: u64) -> (u64, u64) {
        let timed = self.timed();
        let rank = (u128::from(timed) * u128::from(percent)).div_ceil(100);
        let rank = u64::try_from(rank).unwrap_or(u64::MAX).max(1);
        let mut seen = 0;
        let holds = |bucket: &&(u64, u32)| {
            seen += u64::from(bucket.1);
            seen >= rank
        };
        let bucket = self.durations.iter().find(holds).map_or(0, |(lowest, _)| *lowest);
        (bucket, timed.saturating_sub(rank))
    }
}

/// What the baseline has of a family of the target.
#[derive(Debug)]
enum Counterpart {
    Same(Executions),
    /// The same statement by other roles or applications.
    Renamed(Executions),
    Absent,
}

/// A family of the target with what the baseline has of it.
#[derive(Debug)]
pub(super) struct Candidate<'t> {
    pub(super) target: Measured<'t>,
    counterpart: Counterpart,
}

impl<'t> Candidate<'t> {
    pub(super) fn new(target: Measured<'t>, known: &Known<'_>) -> Self {
        let counterpart = match known.by_key.get(&target.family.key) {
            Some(family) => Counterpart::Same(Executions::of(family)),
            None => Executions::together(&known.by_others(&target)).map_or(Counterpart::Absent, Counterpart::Renamed),
        };
        Self { target, counterpart }
    }

    pub(super) fn is_common(&self) -> bool {
        self.baseline().is_some_and(|known| known.figures.execution_count > 0) && !self.is_renamed()
    }

    pub(super) fn is_renamed(&self) -> bool {
        matches!(self.counterpart, Counterpart::Renamed(_))
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self.counterpart, Counterpart::Absent)
    }

    pub(super) fn is_rare(&self) -> bool {
        self.target.count < MIN_EXECUTIONS
    }

    fn baseline(&self) -> Option<&Executions> {
        match &self.counterpart {
            Counterpart::Same(known) | Counterpart::Renamed(known) => Some(known),
            Counterpart::Absent => None,
        }
    }
}

/// A candidate that can be tested, and what it would be called if the tests hold.
#[derive(Debug)]
struct Suspect<'c> {
    candidate: &'c Candidate<'c>,
    target: Executions,
    p95_is_higher: bool,
    share_is_larger: bool,
    /// Positions among the chances.
    slower: Option<usize>,
    more_frequent: Option<usize>,
}

/// How many tests there were, and the regressions in no order.
pub(super) fn judge(candidates: &[Candidate<'_>], totals: &Totals) -> (u64, Vec<Regression>) {
    let mut chances = Vec::new();
    let frequent_enough = candidates.iter().filter(|candidate| !candidate.is_rare());
    let suspects: Vec<Suspect<'_>> = frequent_enough
        .map(|candidate| Suspect::new(candidate, totals, &mut chances))
        .collect();
    let corrected = corrected(&chances);
    let regressions = suspects
        .iter()
        .filter_map(|suspect| suspect.regression(&corrected, totals));
    (chances.len() as u64, regressions.collect())
}

impl<'c> Suspect<'c> {
    /// Tests a candidate. What is too small to be called a regression is counted as a test, and its chance as certain, so that the
    /// number of tests does not depend on what they are about.
    fn new(candidate: &'c Candidate<'c>, totals: &Totals, chances: &mut Vec<f64>) -> Self {
        let target = Executions::of(&candidate.target);
        let baseline = candidate.baseline();
        let mut suspect = Self {
            p95_is_higher: baseline.is_some_and(|known| p95_is_higher(&target.figures, &known.figures)),
            share_is_larger: !candidate.is_renamed() && share_is_larger(&candidate.target, baseline, totals),
            slower: None,
            more_frequent: None,
            candidate,
            target,
        };
        let mut test = |matters: bool, chance: &dyn Fn() -> f64| {
            chances.push(if matters { chance() } else { 1.0 });
            Some(chances.len() - 1)
        };
        if let Some(known) = baseline.filter(|known| known.timed() >= MIN_EXECUTIONS) {
            let matters = suspect.p95_is_higher || suspect.share_is_larger;
            suspect.slower = test(matters, &|| chance_of_slower(&suspect.target, known));
        }
        if !candidate.is_renamed() && totals.baseline.execution_count > 0 {
            let side = |hits: u64, side: &Side| Counted {
                hits,
                of: side.execution_count.max(hits),
            };
            let hits = baseline.map_or(0, |known| known.figures.execution_count);
            let (ours, theirs) = (
                side(candidate.target.count, &totals.target),
                side(hits, &totals.baseline),
            );
            suspect.more_frequent = test(suspect.share_is_larger, &|| is_more_frequent(ours, theirs));
        }
        suspect
    }

    fn regression(&self, chances: &[f64], totals: &Totals) -> Option<Regression> {
        let held = |test: Option<usize>| {
            let chance = chances.get(test?).copied()?;
            (chance <= FALSE_DISCOVERY_RATE).then_some(chance)
        };
        let (slower, more_frequent) = (held(self.slower), held(self.more_frequent));
        let is_absent = self.candidate.is_absent();
        let larger = slower.or(more_frequent).is_some() && self.share_is_larger;
        let reasons: Vec<Reason> = [
            (is_absent && larger, Reason::AbsentInBaseline),
            (slower.is_some() && self.p95_is_higher, Reason::P95Regressed),
            (!is_absent && larger, Reason::ContributionIncreased),
        ]
        .into_iter()
        .filter_map(|(holds, reason)| holds.then_some(reason))
        .collect();
        if reasons.is_empty() {
            return None;
        }
        let chance = match (slower, more_frequent) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other)?,
        };
        let chance_ppt = parts_per_trillion(chance);
        let doubts = self.doubts(totals);
        let baseline = self.candidate.baseline().map(|known| known.figures);
        Some(Regression {
            family: format!("qf_{:016x}", self.candidate.target.family.key),
            confidence: self.confidence(chance_ppt, &doubts),
            excess_duration_us: self.excess_us(&reasons, totals),
            reasons,
            doubts,
            target: self.target.figures,
            baseline,
            under_other_names: self.candidate.is_renamed(),
            chance_ppt,
        })
    }

    fn doubts(&self, totals: &Totals) -> Vec<Doubt> {
        let known = self.candidate.baseline();
        let either = |is: fn(&Executions) -> bool| is(&self.target) || known.is_some_and(is);
        [
            (either(|side| side.is_burst), Doubt::Burst),
            (either(|side| side.incomplete), Doubt::Incomplete),
            (known.is_none() && totals.baseline_is_folded, Doubt::BaselineIncomplete),
            (totals.logging_differs, Doubt::LoggingDiffers),
        ]
        .into_iter()
        .filter_map(|(holds, doubt)| holds.then_some(doubt))
        .collect()
    }

    fn confidence(&self, chance_ppt: u64, doubts: &[Doubt]) -> Confidence {
        let executions = self.candidate.baseline().map_or(u64::MAX, Executions::timed);
        let many = executions.min(self.target.timed()) >= SURE_EXECUTIONS;
        match doubts {
            [] if many && chance_ppt <= SURE_CHANCE_PPT => Confidence::High,
            [] | [Doubt::Burst] => Confidence::Medium,
            _ => Confidence::Low,
        }
    }

    /// What it took beyond the mean, or beyond the share, that it has in the baseline: the larger of those that got worse.
    fn excess_us(&self, reasons: &[Reason], totals: &Totals) -> u64 {
        let took = self.target.figures.total_duration_us;
        let Some(known) = self.candidate.baseline() else {
            return took;
        };
        let known = &known.figures;
        let at_that_mean = proportion(
            known.total_duration_us,
            self.target.figures.execution_count,
            known.execution_count,
        );
        let at_that_share = proportion(
            known.total_duration_us,
            totals.target.total_duration_us,
            totals.baseline.total_duration_us,
        );
        let expected = |reason: &Reason| match reason {
            Reason::AbsentInBaseline => 0,
            Reason::P95Regressed => at_that_mean,
            Reason::ContributionIncreased => at_that_share,
        };
        took.saturating_sub(reasons.iter().map(expected).min().unwrap_or(took))
    }
}

/// Whether the 95th percentile is higher by enough to matter.
fn p95_is_higher(target: &Figures, baseline: &Figures) -> bool {
    let (ours, theirs) = (target.p95_duration_us, baseline.p95_duration_us);
    ours.saturating_sub(theirs) >= P95_DELTA_US
        && u128::from(ours) * 100 >= u128::from(theirs) * u128::from(P95_PERCENT)
}

/// Whether the share of all statement time is larger by enough to matter, even without the slowest execution of the target: one
/// execution makes no regression.
fn share_is_larger(target: &Measured<'_>, baseline: Option<&Executions>, totals: &Totals) -> bool {
    let ours = proportion(
        target.total_us.saturating_sub(target.max_us),
        WHOLE_BP,
        totals.target.total_duration_us,
    );
    let Some(known) = baseline else {
        return ours >= ABSENT_SHARE_BP;
    };
    let theirs = proportion(
        known.figures.total_duration_us,
        WHOLE_BP,
        totals.baseline.total_duration_us,
    );
    ours.saturating_sub(theirs) >= SHARE_DELTA_BP
        && u128::from(ours) * 100 >= u128::from(theirs) * u128::from(SHARE_PERCENT)
}

/// The chance that executions as long as the baseline's exceed its median, or its 95th percentile, as often as the target's did. The
/// first finds what made all slower, the second what made some slower; twice the smaller pays for looking twice (Bonferroni).
fn chance_of_slower(target: &Executions, baseline: &Executions) -> f64 {
    let chance = |percent: u64| {
        let (bucket, above) = baseline.percentile(percent);
        let ours = Counted {
            hits: target.above(bucket),
            of: target.timed(),
        };
        let theirs = Counted {
            hits: above,
            of: baseline.timed(),
        };
        exceeds(ours, theirs)
    };
    (2.0 * chance(50).min(chance(95))).min(1.0)
}

/// The same of durations as they are.
#[cfg(test)]
pub(super) fn chance_of_slower_for_tests(target: &[u64], baseline: &[u64]) -> f64 {
    let executions = |all: &[u64]| {
        let mut durations = Durations::default();
        all.iter().for_each(|us| durations.record(*us));
        Executions {
            figures: Figures::default(),
            durations: durations.bucketed(),
            incomplete: false,
            is_burst: false,
        }
    };
    chance_of_slower(&executions(target), &executions(baseline))
}
