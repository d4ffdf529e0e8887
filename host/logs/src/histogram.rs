//! Durations to percentiles, within [`crate::evidence::PERCENTILE_RELATIVE_ERROR`].
//!
//! A log-linear histogram (the scheme of HdrHistogram): below 128 µs every value has its own bucket, above that each power of two
//! is cut into 64, so a bucket is at most 1/64 of its value wide and its middle at most 0.8 % off. Integer arithmetic only, so
//! the same durations give the same percentiles on every machine and in any order.
//!
//! Not a library: hdrhistogram and sketches-ddsketch keep dense arrays of several kilobytes per histogram, which a hundred
//! thousand query families cannot afford. Here a family that ran once costs eight bytes.

/// Values with a bucket of their own.
const EXACT: u64 = 128;
/// Buckets per power of two above [`EXACT`].
const BUCKETS_PER_OCTAVE: u64 = 64;

/// Counts by bucket, ordered by bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    buckets: Vec<(u16, u32)>,
    /// Position of the bucket hit last: durations of one family cluster.
    last: usize,
}

impl Histogram {
    /// Counts one value.
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        let bucket = bucket_of(value);
        if let Some(entry) = self.buckets.get_mut(self.last)
            && entry.0 == bucket
        {
            entry.1 = entry.1.saturating_add(1);
            return;
        }
        self.last = match self.buckets.binary_search_by_key(&bucket, |entry| entry.0) {
            Ok(found) => {
                if let Some(entry) = self.buckets.get_mut(found) {
                    entry.1 = entry.1.saturating_add(1);
                }
                found
            }
            Err(place) => {
                self.buckets.insert(place, (bucket, 1));
                place
            }
        };
    }

    /// The value at quantile `percent`/100 by nearest rank; 0 when empty.
    pub(crate) fn percentile(&self, percent: u64) -> u64 {
        let total: u64 = self.buckets.iter().map(|entry| u64::from(entry.1)).sum();
        let rank = u128::from(total)
            .saturating_mul(u128::from(percent))
            .div_ceil(100)
            .max(1);
        let mut seen: u128 = 0;
        for (bucket, count) in &self.buckets {
            seen += u128::from(*count);
            if seen >= rank {
                return middle_of(*bucket);
            }
        }
        0
    }
}

#[inline]
fn bucket_of(value: u64) -> u16 {
    if value < EXACT {
        return u16::try_from(value).unwrap_or(u16::MAX);
    }
    let octave = u64::from(value.ilog2());
    // 64..128: the seven leading bits.
    let leading = value >> (octave - 6);
    u16::try_from((octave - 6) * BUCKETS_PER_OCTAVE + leading).unwrap_or(u16::MAX)
}

fn middle_of(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < EXACT {
        return bucket;
    }
    let shift = bucket / BUCKETS_PER_OCTAVE - 1;
    let leading = bucket % BUCKETS_PER_OCTAVE + BUCKETS_PER_OCTAVE;
    let low = leading << shift;
    low + ((1u64 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::PERCENTILE_RELATIVE_ERROR;

    proptest! {
        #[test]
        fn a_bucket_is_within_the_stated_error(value in any::<u64>()) {
            let error = middle_of(bucket_of(value)).abs_diff(value) as f64;
            prop_assert!(error <= PERCENTILE_RELATIVE_ERROR * value as f64);
        }

        #[test]
        fn percentiles_are_within_the_stated_error_of_the_exact_ones(mut values in prop::collection::vec(0u64..10_000_000_000, 1..400)) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.record(*value));
            values.sort_unstable();
            for percent in [50usize, 95, 99] {
                let exact = values[(values.len() * percent).div_ceil(100) - 1];
                let error = histogram.percentile(percent as u64).abs_diff(exact) as f64;
                prop_assert!(error <= PERCENTILE_RELATIVE_ERROR * exact as f64);
            }
        }

        #[test]
        fn order_does_not_matter(values in prop::collection::vec(any::<u64>(), 0..100)) {
            let (mut forward, mut backward) = (Histogram::default(), Histogram::default());
            values.iter().for_each(|value| forward.record(*value));
            values.iter().rev().for_each(|value| backward.record(*value));
            prop_assert_eq!(forward.buckets, backward.buckets);
        }
    }
}
