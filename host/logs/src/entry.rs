//! One entry of a log, the same for the three formats.
//!
//! Texts are spans of the block that was read, or of an arena where a text had to be put together (continuation lines) or
//! unescaped; so an entry is a plain value and the usual entry copies nothing.

use std::ops::Range;

use crate::instant::Stamp;
use crate::marks::Marks;
use crate::severity::Severity;

/// Longest entry that is looked at whole. What follows is dropped and counted: memory must not depend on what a client sends.
pub(crate) const MAX_ENTRY_BYTES: usize = 4 * 1024 * 1024;

/// A text in [`Texts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
    in_arena: bool,
}

impl Span {
    /// Whether there is nothing.
    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The first `len` bytes of the text.
    pub(crate) fn up_to(self, len: usize) -> Self {
        Self {
            len: u32::try_from(len).unwrap_or(u32::MAX).min(self.len),
            ..self
        }
    }

    /// The text without its first `count` bytes.
    pub(crate) fn skip(self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(self.len);
        Self {
            start: self.start.saturating_add(count),
            len: self.len - count,
            ..self
        }
    }
}

/// The bytes of one block, and what was made from them.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) block: Vec<u8>,
    pub(crate) arena: Vec<u8>,
    /// Where in the block the bytes stand that give it its structure, as its format has it.
    pub(crate) marks: Marks,
    /// The file ends with this block: what is not whole was cut, and is not just broken.
    pub(crate) ends_file: bool,
}

impl Texts {
    /// The bytes of a span.
    #[inline]
    pub(crate) fn get(&self, span: Span) -> &[u8] {
        let bytes = if span.in_arena { &self.arena } else { &self.block };
        let start = span.start as usize;
        bytes.get(start..start + span.len as usize).unwrap_or_default()
    }

    /// The span of `block[start..end]`.
    #[inline]
    pub(crate) fn in_block(&self, start: usize, end: usize) -> Span {
        let end = end.min(self.block.len());
        span(start.min(end), end, false)
    }

    /// The span of a part of the block.
    #[inline]
    pub(crate) fn span_of(&self, part: &[u8]) -> Span {
        let start = (part.as_ptr() as usize).wrapping_sub(self.block.as_ptr() as usize);
        if start <= self.block.len() {
            self.in_block(start, start + part.len())
        } else {
            Span::default()
        }
    }

    /// Appends what `write` adds to the arena.
    #[inline]
    pub(crate) fn add(&mut self, write: impl FnOnce(&[u8], &mut Vec<u8>)) -> Span {
        let start = self.arena.len();
        write(&self.block, &mut self.arena);
        span(start, self.arena.len(), true)
    }
}

fn span(start: usize, end: usize, in_arena: bool) -> Span {
    let start = u32::try_from(start).unwrap_or(u32::MAX);
    let end = u32::try_from(end).unwrap_or(u32::MAX);
    Span {
        start,
        len: end.saturating_sub(start),
        in_arena,
    }
}

/// One entry with its further lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) at: Option<Stamp>,
    pub(crate) pid: Option<i32>,
    pub(crate) start_us: Option<i64>,
    pub(crate) severity: Severity,
    pub(crate) sqlstate: Option<[u8; 5]>,
    pub(crate) query_id: i64,
    pub(crate) user: Span,
    pub(crate) database: Span,
    pub(crate) application: Span,
    pub(crate) message: Span,
    pub(crate) detail: Span,
    /// What the process was at (CONTEXT line, `context` column).
    pub(crate) context: Span,
    /// The statement that the entry is about (STATEMENT line, `query` column).
    pub(crate) statement: Span,
    /// Longer than [`MAX_ENTRY_BYTES`].
    pub(crate) truncated: bool,
}

impl Entry {
    /// An entry of which only the severity is known.
    pub(crate) fn new(severity: Severity) -> Self {
        Self {
            at: None,
            pid: None,
            start_us: None,
            severity,
            sqlstate: None,
            query_id: 0,
            user: Span::default(),
            database: Span::default(),
            application: Span::default(),
            message: Span::default(),
            detail: Span::default(),
            context: Span::default(),
            statement: Span::default(),
            truncated: false,
        }
    }
}

/// Takes what a format's reader finds in a block.
pub(crate) trait Sink {
    /// One entry.
    fn entry(&mut self, entry: &Entry, texts: &Texts);
    /// A piece of the block that is no entry.
    fn unparsed(&mut self, reason: &'static str, piece: Range<usize>, texts: &Texts);
}
