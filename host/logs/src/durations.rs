//! Durations to percentiles, within [`crate::evidence::PERCENTILE_RELATIVE_ERROR`].
//!
//! Up to [`FEW`] durations are kept as they are, and their percentiles are exact; more go into an HdrHistogram of two significant
//! digits, whose buckets are at most 1/128 of their value wide. Both depend on what was recorded and not on the order, and
//! merging two gives what recording everything in one would have given. Integer arithmetic only, so percentiles are the same
//! on every machine.
//!
//! Most families run a few times; a histogram of several kilobytes for each of a hundred thousand would not fit.

use hdrhistogram::Histogram;

/// Durations kept one by one.
pub(crate) const FEW: usize = 32;
/// Significant decimal digits of the histogram.
const DIGITS: u8 = 2;
/// Bits of a duration that tell its bucket: what [`DIGITS`] digits need.
const BUCKET_BITS: u32 = 8;
/// Longer durations (a hundred years) count as this long, in percentiles only.
const MAX_US: u64 = 1 << 52;

/// Durations in microseconds.
#[derive(Debug, Clone)]
pub(crate) enum Durations {
    /// In no order.
    Few(Vec<u64>),
    /// Counts saturate.
    Many(Box<Histogram<u32>>),
}

impl Default for Durations {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Durations {
    /// Records one duration.
    #[inline]
    pub(crate) fn record(&mut self, us: u64) {
        match self {
            Self::Few(values) if values.len() < FEW => values.push(us),
            Self::Few(_) => {
                self.spill();
                self.record(us);
            }
            Self::Many(histogram) => count(histogram, us, 1),
        }
    }

    /// Adds all that another holds.
    pub(crate) fn merge(&mut self, other: &Self) {
        match other {
            Self::Few(values) => values.iter().for_each(|us| self.record(*us)),
            Self::Many(theirs) => {
                for (us, times) in buckets(theirs) {
                    self.record_times(us, times);
                }
            }
        }
    }

    /// Records one duration several times, into the histogram.
    pub(crate) fn record_times(&mut self, us: u64, times: u32) {
        self.spill();
        if let Self::Many(histogram) = self {
            count(histogram, us, times);
        }
    }

    /// Moves to a histogram.
    #[cold]
    fn spill(&mut self) {
        let Self::Few(values) = self else { return };
        let Ok(mut histogram) = Histogram::<u32>::new_with_bounds(1, 2, DIGITS) else {
            return;
        };
        histogram.auto(true);
        for us in values.iter() {
            count(&mut histogram, *us, 1);
        }
        *self = Self::Many(Box::new(histogram));
    }

    /// The durations at the quantiles `percents`/100 by nearest rank; 0 when there are none. `percents` ascends.
    pub(crate) fn percentiles<const N: usize>(&self, percents: [u64; N]) -> [u64; N] {
        let mut found = [0; N];
        let ranks = |total: u64| {
            percents.map(|percent| {
                let rank = u128::from(total).saturating_mul(u128::from(percent)).div_ceil(100);
                u64::try_from(rank).unwrap_or(u64::MAX).max(1)
            })
        };
        match self {
            Self::Few(values) => {
                let mut values = values.clone();
                values.sort_unstable();
                for (found, rank) in found.iter_mut().zip(ranks(values.len() as u64)) {
                    let place = usize::try_from(rank - 1).unwrap_or(usize::MAX);
                    *found = values.get(place).copied().unwrap_or(0);
                }
            }
            Self::Many(histogram) => {
                let mut wanted = found.iter_mut().zip(ranks(histogram.len())).peekable();
                let mut seen = 0;
                for (us, times) in buckets(histogram) {
                    seen += u64::from(times);
                    while let Some((found, _)) = wanted.next_if(|(_, rank)| seen >= *rank) {
                        *found = histogram.median_equivalent(us);
                    }
                }
            }
        }
        found
    }

    /// Each bucket's lowest duration and count, ascending; for few durations, the durations themselves.
    pub(crate) fn counts(&self) -> Vec<(u64, u32)> {
        match self {
            Self::Few(values) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.into_iter().map(|us| (us, 1)).collect()
            }
            Self::Many(histogram) => buckets(histogram).collect(),
        }
    }

    /// The same with durations kept one by one put into the buckets that a histogram would have, so that few and many can be compared.
    pub(crate) fn bucketed(&self) -> Vec<(u64, u32)> {
        let mut buckets: Vec<(u64, u32)> = Vec::new();
        for (us, times) in self.counts() {
            let lowest = lowest_of_bucket(us);
            match buckets.last_mut() {
                Some((last, count)) if *last == lowest => *count = count.saturating_add(times),
                _ => buckets.push((lowest, times)),
            }
        }
        buckets
    }

    /// Whether the durations are kept one by one.
    pub(crate) fn is_exact(&self) -> bool {
        matches!(self, Self::Few(_))
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Few(values) => values.capacity() * size_of::<u64>(),
            Self::Many(histogram) => size_of::<Histogram<u32>>() + histogram.distinct_values() * size_of::<u32>(),
        }
    }
}

/// Counts into the histogram, which grows to hold any duration below [`MAX_US`].
#[inline]
fn count(histogram: &mut Histogram<u32>, us: u64, times: u32) {
    let counted = histogram.record_n(us.min(MAX_US), times);
    debug_assert!(counted.is_ok(), "a histogram that resizes holds every duration");
}

/// The lowest duration of the bucket that holds this one: what its first eight bits say.
fn lowest_of_bucket(us: u64) -> u64 {
    let us = us.min(MAX_US);
    let shift = (u64::BITS - us.leading_zeros()).saturating_sub(BUCKET_BITS);
    us >> shift << shift
}

/// Each bucket that counted something: its lowest value, and how often.
fn buckets(histogram: &Histogram<u32>) -> impl Iterator<Item = (u64, u32)> {
    histogram.iter_recorded().map(|step| {
        let lowest = histogram.lowest_equivalent(step.value_iterated_to());
        (lowest, step.count_at_value())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::PERCENTILE_RELATIVE_ERROR;

    fn of(values: &[u64]) -> Durations {
        let mut durations = Durations::default();
        values.iter().for_each(|value| durations.record(*value));
        durations
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        let value = prop_oneof![0u64..200, 0u64..10_000_000_000, any::<u64>()];
        prop::collection::vec(value, 0..200)
    }

    #[test]
    fn none_is_zero_and_few_are_exact() {
        assert_eq!(of(&[]).percentiles([50, 95, 99]), [0, 0, 0]);
        assert_eq!(of(&[123_457]).percentiles([50, 95, 99]), [123_457; 3]);
        assert_eq!(of(&[4, 1, 3, 2]).percentiles([50, 75, 76]), [2, 3, 4]);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_the_stated_error_of_the_exact_ones(mut values in prop::collection::vec(0u64..10_000_000_000, 1..400)) {
            let found = of(&values).percentiles([50, 95, 99]);
            values.sort_unstable();
            for (percent, found) in [50usize, 95, 99].into_iter().zip(found) {
                let exact = values[(values.len() * percent).div_ceil(100) - 1];
                let error = found.abs_diff(exact) as f64;
                prop_assert!(error <= PERCENTILE_RELATIVE_ERROR * exact as f64, "{found} for {exact}");
            }
        }

        #[test]
        fn buckets_are_those_of_the_histogram(values in values()) {
            let mut many = of(&values);
            many.spill();
            prop_assert_eq!(of(&values).bucketed(), many.counts());
            prop_assert_eq!(many.bucketed(), many.counts());
        }

        #[test]
        fn merging_parts_gives_the_whole(one in values(), other in values()) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            let mut reverse = of(&other);
            reverse.merge(&of(&one));
            let whole = of(&[one, other].concat());
            prop_assert_eq!(merged.is_exact(), whole.is_exact());
            prop_assert_eq!(merged.counts(), whole.counts());
            prop_assert_eq!(reverse.counts(), whole.counts());
            let percents = [1, 50, 95, 99, 100];
            prop_assert_eq!(merged.percentiles(percents), whole.percentiles(percents));
        }
    }
}
