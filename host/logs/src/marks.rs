//! Where the bytes stand that give a text its structure: one bit for each byte, made 64 bytes at a time.
//!
//! A short text between two such bytes is reached from bit to bit, in a few instructions, where searching for each would cost a
//! call. The comparisons are those of the processor's vectors ([`wide`]); everything else is integers.

use wide::u8x16;

/// 64 bytes.
pub(crate) struct Chunk([u8x16; 4]);

impl Chunk {
    #[inline(always)]
    fn of(bytes: &[u8; 64]) -> Self {
        let (quarters, _) = bytes.as_chunks::<16>();
        let mut vectors = [u8x16::default(); 4];
        for (vector, quarter) in vectors.iter_mut().zip(quarters) {
            *vector = u8x16::from(*quarter);
        }
        Self(vectors)
    }

    /// The bits of the bytes that are this one, the first byte's lowest.
    #[inline(always)]
    pub(crate) fn bits_of(&self, byte: u8) -> u64 {
        let wanted = u8x16::splat(byte);
        let [first, second, third, fourth] = self.0.map(|vector| u64::from(vector.simd_eq(wanted).to_bitmask()));
        first | second << 16 | third << 32 | fourth << 48
    }
}

/// Calls `see` with each 64 bytes and which of them are there, until it refuses; the last ones are filled up with NUL.
#[inline(always)]
pub(crate) fn chunks(bytes: &[u8], mut see: impl FnMut(Chunk, u64) -> bool) {
    let (chunks, rest) = bytes.as_chunks::<64>();
    for chunk in chunks {
        if !see(Chunk::of(chunk), u64::MAX) {
            return;
        }
    }
    if !rest.is_empty() {
        let mut last = [0; 64];
        for (place, byte) in last.iter_mut().zip(rest) {
            *place = *byte;
        }
        see(Chunk::of(&last), (1 << rest.len()) - 1);
    }
}

/// For each bit, whether it or an odd number of bits below are set: from quotes to what they enclose (and the opening quote).
#[inline(always)]
pub(crate) fn parity(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
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
                chunks(&bytes, |chunk, there| {
                    marks.push(chunk.bits_of(wanted) & there);
                    true
                });
                let expected: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] == wanted).collect();
                prop_assert_eq!(marks.positions().collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn parity_is_of_the_bits_up_to_each(bits in any::<u64>()) {
            let expected = (0..64).filter(|place| (bits << (63 - place)).count_ones() % 2 == 1);
            prop_assert_eq!(parity(bits), expected.fold(0, |word, place| word | 1 << place));
        }
    }
}
