//! The three formats: where an entry ends, and what it says.
//!
//! Each format has two halves that must agree: `cut` and `skip` for the one thread that reads, which only look for places where
//! a block may end; and `parse` for the threads that work on whole blocks. A block begins where an entry begins, so entries
//! come out the same wherever the input is cut.

pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod stderr;

use crate::bytes::{from, line_end, up_to};
use crate::entry::{Sink, Texts};
use crate::evidence::Format;
use crate::instant::Clock;
use crate::marks::Marks;
use crate::prefix::{Memory, Prefix};

/// The format of one file, with what is needed to read it.
#[derive(Debug, Clone)]
pub(crate) enum Layout {
    Stderr(Prefix),
    Csv,
    Json,
}

/// Where input that belongs to an overlong entry ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// The next entry begins here.
    Until(usize),
    /// Drop this many bytes and read on.
    Drop(usize),
}

impl Layout {
    /// The format's name in the evidence.
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::Stderr(_) => Format::Stderr,
            Self::Csv => Format::Csv,
            Self::Json => Format::Json,
        }
    }

    /// The last place after the start of `bytes` where a block may end; 0 if there is none. What had to be found out for it goes
    /// into `marks`, for the parser.
    pub(crate) fn cut(&self, bytes: &[u8], marks: &mut Marks) -> usize {
        match self {
            Self::Stderr(prefix) => stderr::cut(prefix, bytes),
            Self::Csv => csv::cut(bytes, marks),
            Self::Json => memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1),
        }
    }

    /// Looks for the end of an overlong entry; `state` carries over from call to call.
    pub(crate) fn skip(&self, bytes: &[u8], at_end: bool, state: &mut SkipState) -> Skipped {
        match self {
            Self::Stderr(prefix) => stderr::skip(prefix, bytes, at_end, state),
            Self::Csv => csv::skip(bytes, state),
            Self::Json => match memchr::memchr(b'\n', bytes) {
                Some(newline) => Skipped::Until(newline + 1),
                None => Skipped::Drop(bytes.len()),
            },
        }
    }

    /// Hands every entry of a block to the sink.
    pub(crate) fn parse(&self, texts: &mut Texts, memory: &mut Memory, sink: &mut impl Sink) {
        match self {
            Self::Stderr(prefix) => stderr::parse(prefix, texts, memory, sink),
            Self::Csv => csv::parse(texts, &mut memory.clock, sink),
            Self::Json => json::parse(texts, &mut memory.clock, sink),
        }
    }
}

/// Why an entry with this severity is none.
#[cold]
fn unknown_severity(word: &[u8]) -> &'static str {
    if crate::foreign::is_translated_severity(word) {
        "localized_messages"
    } else {
        "unknown_severity"
    }
}

/// What [`Layout::skip`] remembers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SkipState {
    /// The bytes begin at the start of a line.
    pub(crate) at_line_start: bool,
    /// csv: where in a record the bytes begin.
    pub(crate) csv: csv::Place,
}

/// Tells csv and json by the first line that begins like an entry of theirs.
///
/// Only line starts count: in stderr logs the lines of a client's text begin with a tab, and a csv log's first line is a record's.
pub(crate) fn of_sample(sample: &[u8]) -> Option<Format> {
    let mut clock = Clock::default();
    let mut position = 0;
    for _ in 0..64 {
        let line = from(sample, position);
        if json::looks_like_head(up_to(line, 256)) {
            return Some(Format::Json);
        }
        if csv::looks_like_record(line, &mut clock) {
            return Some(Format::Csv);
        }
        position = line_end(sample, position) + 1;
    }
    None
}
