//! How sure a difference is: exact tests of counts.
//!
//! Nothing but `+`, `-`, `*` and `/`, which give the same on every machine; `ln` and `exp` do not.

use super::thresholds::{DESIGN_EFFECT, MAX_EFFECTIVE};

/// Parts of one.
const TRILLION: f64 = 1e12;
/// More executions than this count as this many, so that every sum of two fits and every count is exact as a float.
const MOST: u64 = 1 << 52;
/// A probability beside which the likeliest one is as good as certain: what is less likely adds nothing to a sum of them.
const NEGLIGIBLE: f64 = 1e-30;

/// How many of how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) hits: u64,
    pub(super) of: u64,
}

/// The chance that durations which are not longer than the baseline's exceed one of its percentiles as often as the target's did.
///
/// `baseline.hits` is how many executions of the baseline rank above the percentile. Fisher's exact test: with a limit that is an
/// order statistic of the baseline, counting what exceeds it is inverse sampling, and has the same tail (the exceedance test of
/// Gumbel and von Schelling, 1950). Ties make it err on the safe side, because a target's execution exceeds only what it is longer than.
pub(super) fn exceeds(target: Counted, baseline: Counted) -> f64 {
    let effective = |of: u64| (of / DESIGN_EFFECT).min(MAX_EFFECTIVE);
    fisher(
        target.scaled_down(effective(target.of)),
        baseline.scaled_up(effective(baseline.of)),
    )
}

/// The chance that a family with the baseline's part of all executions has at least the target's (Fisher's exact test).
pub(super) fn is_more_frequent(target: Counted, baseline: Counted) -> f64 {
    // Many executions in all tell how rare a family is, so not they are limited but those of the family.
    let effective = |side: Counted| {
        let of = if side.hits / DESIGN_EFFECT <= MAX_EFFECTIVE {
            side.of / DESIGN_EFFECT
        } else {
            proportion(side.of, MAX_EFFECTIVE, side.hits)
        };
        of.min(MOST)
    };
    fisher(
        target.scaled_down(effective(target)),
        baseline.scaled_up(effective(baseline)),
    )
}

impl Counted {
    /// As if there had been `of`, the hits rounded down.
    fn scaled_down(self, of: u64) -> Self {
        Self {
            hits: proportion(self.hits, of, self.of),
            of,
        }
    }

    /// As if there had been `of`, the hits rounded up.
    fn scaled_up(self, of: u64) -> Self {
        let misses = proportion(self.of.saturating_sub(self.hits), of, self.of);
        Self {
            hits: of.saturating_sub(misses),
            of,
        }
    }
}

/// `n * numerator / denominator`, rounded down.
pub(super) fn proportion(n: u64, numerator: u64, denominator: u64) -> u64 {
    let scaled = u128::from(n) * u128::from(numerator) / u128::from(denominator.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// One-sided: the chance of at least `target.hits`, given all hits together.
fn fisher(target: Counted, baseline: Counted) -> f64 {
    let draws = target.hits + baseline.hits;
    hypergeometric_tail(target.hits, draws, target.of, target.of + baseline.of)
}

/// `P(H >= hits)`, where `H` counts the marked ones among `draws` of `total`, of which `marked` are.
///
/// Each weight follows from its neighbour's by one factor, beginning at the likeliest, so no logarithm is needed and nothing overflows.
fn hypergeometric_tail(hits: u64, draws: u64, marked: u64, total: u64) -> f64 {
    let unmarked = total - marked;
    let lowest = draws.saturating_sub(unmarked);
    let highest = draws.min(marked);
    if hits <= lowest {
        return 1.0;
    }
    let mode = u128::from(draws + 1) * u128::from(marked + 1) / u128::from(total + 2);
    let mode = u64::try_from(mode).unwrap_or(u64::MAX).clamp(lowest, highest);
    // `P(h + 1) / P(h)`.
    let step = |h: u64| float(marked - h) * float(draws - h) / (float(h + 1) * float(unmarked + h + 1 - draws));
    let mut sum = 1.0;
    let mut tail = if mode >= hits { 1.0 } else { 0.0 };
    let mut weight = 1.0;
    for h in mode..highest {
        weight *= step(h);
        if weight < NEGLIGIBLE {
            break;
        }
        sum += weight;
        if h + 1 >= hits {
            tail += weight;
        }
    }
    weight = 1.0;
    for h in (lowest..mode).rev() {
        weight /= step(h);
        if weight < NEGLIGIBLE {
            break;
        }
        sum += weight;
        if h >= hits {
            tail += weight;
        }
    }
    tail / sum
}

/// The chances corrected for their number (Benjamini and Hochberg): those of at most `q` are the ones to reject at a false discovery
/// rate of `q`. In the order given.
pub(super) fn corrected(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = chances.iter().copied().enumerate().collect();
    order.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let number = float(chances.len() as u64);
    let mut corrected = vec![1.0; chances.len()];
    let mut least = 1.0_f64;
    for (rank, (position, chance)) in order.into_iter().enumerate().rev() {
        least = least.min(chance * number / float(rank as u64 + 1));
        if let Some(slot) = corrected.get_mut(position) {
            *slot = least;
        }
    }
    corrected
}

/// In parts per trillion, rounded up to two digits; at least 1, because no count of executions makes anything certain.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a trillion"
)]
pub(super) fn parts_per_trillion(chance: f64) -> u64 {
    let ppt = ((chance * TRILLION).ceil() as u64).max(1);
    let mut unit = 1;
    while ppt / unit >= 100 {
        unit *= 10;
    }
    ppt.div_ceil(unit) * unit
}

#[expect(clippy::cast_precision_loss, reason = "counts of executions are far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(hits: u64, of: u64) -> Counted {
        Counted { hits, of }
    }

    /// By brute force over all subsets' counts, in integers.
    fn exact(hits: u64, draws: u64, marked: u64, total: u64) -> f64 {
        let choose = |n: u64, k: u64| (0..k).fold(1u128, |c, i| c * u128::from(n - i) / u128::from(i + 1));
        let ways = |h: u64| match draws - h <= total - marked {
            true => choose(marked, h) * choose(total - marked, draws - h),
            false => 0,
        };
        let sum = |from: u64| (from..=draws.min(marked)).map(ways).sum::<u128>() as f64;
        sum(hits) / sum(0)
    }

    #[test]
    fn tails_are_those_of_counting() {
        for total in 1..22 {
            for marked in 0..=total {
                for draws in 0..=total {
                    for hits in 0..=draws.min(marked) {
                        let (found, right) = (
                            hypergeometric_tail(hits, draws, marked, total),
                            exact(hits, draws, marked, total),
                        );
                        assert!(
                            (found - right).abs() <= 1e-12,
                            "{hits} {draws} {marked} {total}: {found} {right}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_known_table() {
        // Fisher's tea: all four cups right.
        assert!((fisher(counted(4, 4), counted(0, 4)) - 1.0 / 70.0).abs() < 1e-15);
        // Summed over the tables in integers of any length.
        assert!((fisher(counted(40, 100), counted(20, 100)) - 0.001_595_908_412_964_382).abs() < 1e-14);
    }

    #[test]
    fn large_counts_neither_overflow_nor_take_long() {
        assert!(fisher(counted(1_000, 500_000_000_000), counted(1_000, 500_000_000_000)) > 0.4);
        assert!(fisher(counted(1_000, 1_000), counted(0, 1_000)) < 1e-100);
        assert!(is_more_frequent(counted(u64::MAX, u64::MAX), counted(3, u64::MAX)) < 1e-100);
        assert!(is_more_frequent(counted(3, u64::MAX), counted(3, u64::MAX)) > 0.1);
        assert!(exceeds(counted(500_000, 10_000_000), counted(500_000, 10_000_000)) > 0.4);
    }

    #[test]
    fn few_executions_are_never_sure() {
        // All three of the target exceed all but one of a thousand.
        assert!(exceeds(counted(3, 3), counted(50, 1_000)) > 0.05);
        assert!(is_more_frequent(counted(3, 1_000), counted(0, 1_000)) > 0.4);
    }

    #[test]
    fn corrections_are_those_of_the_paper() {
        // Benjamini and Hochberg 1995, section 3.2: at a rate of 0.05 the first four of fifteen are rejected.
        let chances = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let rejected = |found: &[f64]| found.iter().filter(|chance| **chance <= 0.05).count();
        assert_eq!(rejected(&corrected(&chances)), 4);
        let mut reversed = chances;
        reversed.reverse();
        let mut back = corrected(&reversed);
        back.reverse();
        assert_eq!(back, corrected(&chances));
        assert!(corrected(&[]).is_empty());
    }

    #[test]
    fn chances_are_shown_with_two_digits_and_never_as_none() {
        assert_eq!(parts_per_trillion(0.0), 1);
        assert_eq!(parts_per_trillion(3.14159e-8), 32_000);
        assert_eq!(parts_per_trillion(1.0), 1_000_000_000_000);
    }
}
