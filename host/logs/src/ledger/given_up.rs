//! Which families were given up for lack of room: a Bloom filter of fixed size.
//!
//! A family that comes back is known by it and said to be incomplete, so that every other family's figures are exact. A filter
//! errs on one side: now and then a family that was never given up is said to be incomplete too.

/// Bits of the filter: 16 MiB, which keeps errors below one in a hundred up to fourteen million families.
const BITS: u64 = 1 << 27;
/// Bits set for one family.
const PROBES: u64 = 7;

/// The families that were given up; holds no memory before the first.
#[derive(Debug, Clone, Default)]
pub(super) struct GivenUp {
    words: Vec<u64>,
    /// Some were, and which is not known: a part's file does not say.
    any: bool,
}

impl GivenUp {
    /// Remembers a family by its key.
    pub(super) fn insert(&mut self, key: u64) {
        if self.words.is_empty() {
            self.words = vec![0; usize::try_from(BITS / 64).unwrap_or(0)];
        }
        for (word, bit) in places(key) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Any family may be among them.
    pub(super) fn insert_any(&mut self) {
        self.any = true;
    }

    /// Adds those of another part.
    pub(super) fn merge(&mut self, other: Self) {
        self.any |= other.any;
        if self.words.is_empty() {
            self.words = other.words;
        } else {
            for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
                *mine |= theirs;
            }
        }
    }

    /// Whether it is known which they are.
    pub(super) fn is_known(&self) -> bool {
        !self.any
    }

    /// Whether a family may be among them.
    pub(super) fn may_hold(&self, key: u64) -> bool {
        let bits_are_set = || places(key).all(|(word, bit)| self.words.get(word).is_some_and(|word| word & bit != 0));
        self.any || (!self.words.is_empty() && bits_are_set())
    }
}

/// The bits of a key. Keys are digests, so their halves are as good as two hash functions (Kirsch and Mitzenmacher, 2006).
fn places(key: u64) -> impl Iterator<Item = (usize, u64)> {
    let step = (key >> 32) | 1;
    (0..PROBES).map(move |probe| {
        let bit = key.wrapping_add(step.wrapping_mul(probe).wrapping_mul(0x9e37_79b9)) % BITS;
        (usize::try_from(bit / 64).unwrap_or(0), 1 << (bit % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::digest;

    fn key(number: u32) -> u64 {
        digest("test", &[Some(&number.to_string())])
    }

    #[test]
    fn what_was_given_up_is_known_and_little_else() {
        let mut given_up = GivenUp::default();
        assert!(!given_up.may_hold(key(0)));
        (0..200_000).for_each(|number| given_up.insert(key(number)));
        assert!((0..200_000).all(|number| given_up.may_hold(key(number))));
        let wrong = (200_000..400_000)
            .filter(|number| given_up.may_hold(key(*number)))
            .count();
        assert!(wrong < 20, "{wrong} of 200000");
    }
}
