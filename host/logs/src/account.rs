//! The account of what was read: what every byte was taken for, and how the clock went.
//!
//! **In**: the pieces of blocks that are no entries, and the instants of those that are. **Out**: [`Unparsed`] by reason,
//! [`ClockJump`]s and [`Gap`]s. **Trusted**: nothing; a sample is shown by its shape, because a line that could not be read may
//! hold anything.

use std::collections::BTreeMap;

use crate::evidence::{ClockJump, Gap, MAX_JUMPS, MAX_UNPARSED_SAMPLES, Unparsed, UnparsedSample};

/// An entry that is this much older than the one before it shows that the clock was set back. The server writes an entry within
/// milliseconds of its instant; seconds are those of a stalled disk.
pub(crate) const JUMP_US: i64 = 10_000_000;
/// Silence as long as this is told: twice the default `checkpoint_timeout`, and checkpoints are logged from PostgreSQL 15 on.
pub(crate) const GAP_US: i64 = 600_000_000;
/// Longest shape of a sample.
pub(crate) const MAX_SHAPE_BYTES: usize = 120;

/// Pieces of one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pieces {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    /// The first ones: the number of the file, the place in it, the shape.
    samples: Vec<(usize, u64, String)>,
}

/// Pieces by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnparsedPieces(BTreeMap<&'static str, Pieces>);

impl UnparsedPieces {
    /// Counts one piece, which begins at `offset` of the file.
    #[cold]
    pub(crate) fn enter(&mut self, reason: &'static str, file: usize, offset: u64, piece: &[u8]) {
        let pieces = self.0.entry(reason).or_default();
        pieces.count += 1;
        pieces.bytes = pieces.bytes.saturating_add(piece.len() as u64);
        if pieces.samples.len() < MAX_UNPARSED_SAMPLES {
            pieces.samples.push((file, offset, shape(piece)));
        }
    }

    /// Counts pieces of which only the number is known.
    pub(crate) fn count(&mut self, reason: &'static str, count: u64) {
        self.0.entry(reason).or_default().count += count;
    }

    /// Adds what a later block had.
    pub(crate) fn add(&mut self, other: &Self) {
        for (reason, theirs) in &other.0 {
            let mine = self.0.entry(reason).or_default();
            mine.count += theirs.count;
            mine.bytes = mine.bytes.saturating_add(theirs.bytes);
            let free = MAX_UNPARSED_SAMPLES.saturating_sub(mine.samples.len());
            mine.samples.extend(theirs.samples.iter().take(free).cloned());
        }
    }

    /// With the names of the files.
    pub(crate) fn finish(self, path_of: impl Fn(usize) -> String) -> BTreeMap<String, Unparsed> {
        let finish = |pieces: Pieces| Unparsed {
            count: pieces.count,
            bytes: pieces.bytes,
            samples: pieces
                .samples
                .into_iter()
                .map(|(file, offset, shape)| UnparsedSample {
                    path: path_of(file),
                    offset,
                    shape,
                })
                .collect(),
        };
        self.0
            .into_iter()
            .map(|(reason, pieces)| (reason.to_owned(), finish(pieces)))
            .collect()
    }
}

/// Words of the server and its helpers that a sample shows as they are.
const WORDS: &[&str] = &[
    "backtrace",
    "context",
    "debug",
    "detail",
    "duration",
    "error",
    "fatal",
    "hint",
    "info",
    "location",
    "log",
    "notice",
    "panic",
    "parameters",
    "query",
    "statement",
    "utc",
    "warning",
];

/// What a line looks like: its first line, letters as `x` and digits as `9`, but for the words that logs are made of.
pub(crate) fn shape(piece: &[u8]) -> String {
    let line = crate::bytes::slice(piece, 0, crate::bytes::line_end(piece, 0).min(4 * MAX_SHAPE_BYTES));
    let line = String::from_utf8_lossy(line);
    let mut shape = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, shape: &mut String| {
        if WORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok() {
            shape.push_str(word);
        } else {
            shape.extend(word.chars().map(|_| 'x'));
        }
        word.clear();
    };
    for character in line.chars() {
        if character.is_alphabetic() {
            word.push(character);
            continue;
        }
        flush(&mut word, &mut shape);
        shape.push(match character {
            character if character.is_numeric() => '9',
            ' '..='~' => character,
            _ => '?',
        });
    }
    flush(&mut word, &mut shape);
    // ASCII, so a character is a byte.
    if shape.len() > MAX_SHAPE_BYTES {
        shape.truncate(MAX_SHAPE_BYTES - 3);
        shape.push_str("...");
    }
    shape
}

/// How the clock went in a run of entries, so that runs can be joined one behind the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Clockwork {
    ends: Option<(i64, i64)>,
    jumps: Steps,
    gaps: Steps,
}

/// Steps of the clock from one entry to the next, the largest ones with the number of the file of the second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    count: u64,
    largest: Vec<(i64, i64, usize)>,
}

impl Steps {
    fn enter(&mut self, step: (i64, i64, usize)) {
        self.count += 1;
        self.largest.push(step);
        self.settle();
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.largest.extend_from_slice(&other.largest);
        self.settle();
    }

    fn settle(&mut self) {
        if self.largest.len() > MAX_JUMPS {
            self.largest.sort_by_key(|step| order(step.0, step.1));
            self.largest.truncate(MAX_JUMPS);
        }
    }
}

/// Largest first; ties by instant.
fn order(from_us: i64, to_us: i64) -> (std::cmp::Reverse<u64>, i64) {
    (std::cmp::Reverse(from_us.abs_diff(to_us)), from_us)
}

impl Clockwork {
    /// The instant of the next entry.
    #[inline]
    pub(crate) fn tick(&mut self, at_us: i64, file: usize) {
        let Some((_, last)) = self.ends.as_mut() else {
            self.ends = Some((at_us, at_us));
            return;
        };
        let before = std::mem::replace(last, at_us);
        let step = at_us.saturating_sub(before);
        if !(-JUMP_US < step && step < GAP_US) {
            self.stepped((before, at_us, file));
        }
    }

    #[cold]
    fn stepped(&mut self, step: (i64, i64, usize)) {
        let steps = if step.1 < step.0 {
            &mut self.jumps
        } else {
            &mut self.gaps
        };
        steps.enter(step);
    }

    /// Whether nothing ticked.
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// Joins a run that follows this one and begins in `file`.
    pub(crate) fn join(&mut self, next: &Self, file: usize) {
        let Some((first, last)) = next.ends else { return };
        self.tick(first, file);
        if let Some(ends) = self.ends.as_mut() {
            ends.1 = last;
        }
        self.jumps.add(&next.jumps);
        self.gaps.add(&next.gaps);
    }

    /// Adds a run of another server.
    pub(crate) fn beside(&mut self, other: &Self) {
        self.jumps.add(&other.jumps);
        self.gaps.add(&other.gaps);
    }

    /// How often the clock went back, and where most; how often there was silence, and where longest.
    pub(crate) fn finish(self, path_of: impl Fn(usize) -> String) -> (u64, Vec<ClockJump>, u64, Vec<Gap>) {
        let jumps = self.jumps.largest.iter().map(|(from_us, to_us, file)| ClockJump {
            path: path_of(*file),
            from_us: *from_us,
            to_us: *to_us,
        });
        let gaps = self.gaps.largest.iter().map(|(since_us, until_us, file)| Gap {
            path: path_of(*file),
            since_us: *since_us,
            until_us: *until_us,
        });
        let (mut jumps, mut gaps): (Vec<_>, Vec<_>) = (jumps.collect(), gaps.collect());
        rank_jumps(&mut jumps);
        rank_gaps(&mut gaps);
        (self.jumps.count, jumps, self.gaps.count, gaps)
    }
}

/// Puts jumps in order and keeps the largest.
pub(crate) fn rank_jumps(jumps: &mut Vec<ClockJump>) {
    rank(jumps, |jump| (jump.from_us, jump.to_us, jump.path.as_str()));
}

/// Puts gaps in order and keeps the longest.
pub(crate) fn rank_gaps(gaps: &mut Vec<Gap>) {
    rank(gaps, |gap| (gap.since_us, gap.until_us, gap.path.as_str()));
}

/// Puts steps of the clock, each with its ends and its file, in order and keeps the largest.
fn rank<T>(steps: &mut Vec<T>, parts: impl Fn(&T) -> (i64, i64, &str)) {
    steps.sort_by(|one, other| {
        let (from_us, to_us, path) = parts(one);
        let (other_from_us, other_to_us, other_path) = parts(other);
        let one = (order(from_us, to_us), path);
        one.cmp(&(order(other_from_us, other_to_us), other_path))
    });
    steps.truncate(MAX_JUMPS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_shows_the_shape_and_no_word_of_a_client() {
        let shown = shape("2026-11-23 LOG:  user=bob pässword='s3cret'\nsecond".as_bytes());
        assert_eq!(shown, "9999-99-99 LOG:  xxxx=xxx xxxxxxxx='x9xxxx'");
        assert!(WORDS.is_sorted());
        assert_eq!(shape(&[b'a'; 1_000]).len(), MAX_SHAPE_BYTES);
        assert_eq!(shape(b"\xff\x00"), "??");
    }

    #[test]
    fn runs_joined_are_the_whole_run() {
        let hour = 3_600_000_000;
        let instants = [
            0,
            5,
            3,
            hour,
            hour - JUMP_US,
            hour - JUMP_US + 1,
            3 * hour,
            0,
            GAP_US,
            2 * GAP_US - 1,
        ];
        let mut whole = Clockwork::default();
        for at_us in instants {
            whole.tick(at_us, 0);
        }
        assert_eq!((whole.jumps.count, whole.gaps.count), (2, 3));
        for cut in 0..=instants.len() {
            let (mut one, mut other) = (Clockwork::default(), Clockwork::default());
            let (first, second) = instants.split_at(cut);
            first.iter().for_each(|at_us| one.tick(*at_us, 0));
            second.iter().for_each(|at_us| other.tick(*at_us, 0));
            one.join(&other, 0);
            assert_eq!(one.finish(|_| String::new()), whole.clone().finish(|_| String::new()));
        }
    }
}
