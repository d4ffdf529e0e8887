//! Where the bytes stand that give a text its structure: one bit for each byte, made 64 bytes at a time.
//!
//! A short text between two such bytes is reached from bit to bit, in a few instructions, where searching for each would cost a
//! call. The comparisons are those of the processor's vectors ([`wide`]); everything else is integers.

use wide::u8x16;

/// 64 bytes.
///
/// The quarters are spelt out below: the compiler does not unroll loops over them before it decides what stays in registers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chunk([u8x16; 4]);

impl Chunk {
    #[inline(always)]
    pub(crate) fn of(bytes: &[u8; 64]) -> Self {
        let ([first, second, third, fourth], _) = bytes.as_chunks::<16>() else {
            return Self::default();
        };
        Self([
            u8x16::new(*first),
            u8x16::new(*second),
            u8x16::new(*third),
            u8x16::new(*fourth),
        ])
    }

    /// The bits of the bytes that are this one, the first byte's lowest.
    #[inline(always)]
    pub(crate) fn bits_of(&self, byte: u8) -> u64 {
        self.same_bits(&Self([u8x16::splat(byte); 4]))
    }

    /// The bits of the bytes that are the same in both.
    #[inline(always)]
    pub(crate) fn same_bits(&self, other: &Self) -> u64 {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        let bits = |one: u8x16, other: u8x16| u64::from(one.simd_eq(other).to_bitmask());
        bits(a, e) | bits(b, f) << 16 | bits(c, g) << 32 | bits(d, h) << 48
    }

    /// The bits of the bytes that are decimal digits.
    #[inline(always)]
    pub(crate) fn digit_bits(&self) -> u64 {
        let [a, b, c, d] = self.0;
        let clamp = |vector: u8x16| vector.max(u8x16::splat(b'0')).min(u8x16::splat(b'9'));
        self.same_bits(&Self([clamp(a), clamp(b), clamp(c), clamp(d)]))
    }
}

/// Each 64 bytes, and which of them are there; the last ones are filled up with NUL.
#[inline(always)]
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = (Chunk, u64)> {
    let (chunks, rest) = bytes.as_chunks::<64>();
    let mut last = [0; 64];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    let last = (!rest.is_empty()).then(|| (Chunk::of(&last), low_bits(rest.len())));
    chunks.iter().map(|chunk| (Chunk::of(chunk), u64::MAX)).chain(last)
}

/// For each bit, whether it or an odd number of bits below are set: from quotes to what they enclose (and the opening quote).
#[inline(always)]
pub(crate) fn parity(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

/// The lowest bits, so many of them.
#[inline(always)]
pub(crate) fn low_bits(count: usize) -> u64 {
    if count < 64 { (1 << count) - 1 } else { u64::MAX }
}

/// The set bits of all chunks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    words: Vec<u64>,
}

impl Marks {
    pub(crate) fn clear(&mut self) {
        self.words.clear();
    }

    /// Makes room for the bits of so many bytes.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.words.reserve(bytes.div_ceil(64));
    }

    /// Adds the bits of the next 64 bytes.
    #[inline(always)]
    pub(crate) fn push(&mut self, word: u64) {
        self.words.push(word);
    }

    /// The positions, ascending.
    pub(crate) fn positions(&self) -> Positions<'_> {
        Positions {
            words: self.words.iter(),
            word: 0,
            end: 0,
        }
    }
}

/// Positions of marks, ascending.
#[derive(Debug, Clone)]
pub(crate) struct Positions<'m> {
    words: std::slice::Iter<'m, u64>,
    /// What is left of the current word.
    word: u64,
    /// Where the current word ends.
    end: usize,
}

impl Positions<'_> {
    /// Goes on behind `position`.
    pub(crate) fn skip_over(&mut self, position: usize) {
        loop {
            let mut ahead = self.clone();
            if ahead.next().is_none_or(|next| next > position) {
                return;
            }
            *self = ahead;
        }
    }
}

impl Iterator for Positions<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            self.word = *self.words.next()?;
            self.end += 64;
        }
        let position = self.end - 64 + self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn marks_stand_where_the_byte_does(bytes in prop::collection::vec(prop::sample::select(b"ab\0".to_vec()), 0..300)) {
            for wanted in [b'a', 0] {
                let mut marks = Marks::default();
                for (chunk, there) in chunks(&bytes) {
                    marks.push(chunk.bits_of(wanted) & there);
                }
                let expected: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] == wanted).collect();
                prop_assert_eq!(marks.positions().collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn digits_and_same_bytes_are_told(one in any::<[u8; 32]>(), other in any::<[u8; 32]>()) {
            let whole = |first: [u8; 32], second: [u8; 32]| -> [u8; 64] { [first, second].concat().try_into().unwrap() };
            let (mine, theirs) = (whole(one, other), whole(one, one));
            let bits = |is: &dyn Fn(usize) -> bool| (0..64).filter(|place| is(*place)).fold(0, |word, place| word | 1 << place);
            let (chunk, like) = (Chunk::of(&mine), Chunk::of(&theirs));
            prop_assert_eq!(chunk.digit_bits(), bits(&|place| mine[place].is_ascii_digit()));
            prop_assert_eq!(chunk.same_bits(&like), bits(&|place| mine[place] == theirs[place]));
        }

        #[test]
        fn parity_is_of_the_bits_up_to_each(bits in any::<u64>()) {
            let expected = (0..64).filter(|place| (bits << (63 - place)).count_ones() % 2 == 1);
            prop_assert_eq!(parity(bits), expected.fold(0, |word, place| word | 1 << place));
        }
    }
}
