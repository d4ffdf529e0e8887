//! Sources to blocks: pieces of one file that begin and end where entries do.
//!
//! **In**: sources. **Out**: blocks of about [`BLOCK_BYTES`], in order. One thread at a time reads; the work on a block is done
//! by whoever took it. **Trusted**: nothing: an entry that does not end is cut after [`MAX_ENTRY_BYTES`], and the rest is
//! dropped while it is read, so memory does not depend on the input.

pub(crate) mod opening;
mod sources;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::bytes::{from, line_end, slice};
use crate::entry::MAX_ENTRY_BYTES;
use crate::error::LogError;
use crate::evidence::SourceFile;
use crate::format::{self, Layout, SkipState, Skipped};
use crate::marks::Marks;
use crate::prefix::Prefix;
use crate::source::order::TAIL_BYTES;
use crate::source::place::Place;
use crate::source::{Input, Source};
use sources::OpenArchive;

/// Bytes read at a time: small enough to stay in the cache between reading and parsing.
pub(crate) const BLOCK_BYTES: usize = 1024 * 1024;

/// A piece of a file.
#[derive(Debug)]
pub(crate) struct Block {
    /// Counts blocks over all files.
    pub(crate) sequence: u64,
    /// Which file, in the order they were read.
    pub(crate) file: usize,
    /// Which server's log, as far as the files tell: files of one folder and one format are one.
    pub(crate) stream: usize,
    pub(crate) layout: Arc<Layout>,
    /// Where in the file, after decompression and unwrapping.
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    /// See [`Layout::cut`].
    pub(crate) marks: Marks,
    /// No other block of the file follows.
    pub(crate) ends_file: bool,
}

/// What reading found besides blocks.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) limitations: Vec<(&'static str, u64)>,
    pub(crate) unparsed: Vec<(&'static str, u64)>,
    /// Bytes of overlong entries that were not looked at.
    pub(crate) bytes_dropped: u64,
}

/// Reads sources one after the other.
pub(crate) struct Reader {
    sources: VecDeque<Source>,
    prefix: Option<Prefix>,
    block_bytes: usize,
    counter: Arc<AtomicU64>,
    current: Option<Open>,
    archive: Option<OpenArchive>,
    /// The next stream that has no number yet.
    next_stream: usize,
    sequence: u64,
    pub(crate) read: Read,
}

struct Open {
    input: Input,
    /// The file that it is read from, if it is one.
    place: Option<Place>,
    path: String,
    stream: usize,
    layout: Arc<Layout>,
    /// Read already, and part of the next block.
    carry: Vec<u8>,
    at_end: bool,
    /// Where the next block begins.
    offset: u64,
    /// Bytes behind the block that was filled last that belong to none.
    dropped: u64,
    /// The last bytes so far, of a member of an archive that is read as it comes.
    tail: Option<Vec<u8>>,
}

impl Reader {
    pub(crate) fn new(
        sources: Vec<Source>,
        prefix: Option<Prefix>,
        block_bytes: usize,
        counter: Arc<AtomicU64>,
    ) -> Self {
        let numbered = sources.iter().filter_map(|source| source.stream).max();
        Self {
            next_stream: numbered.map_or(0, |last| last + 1),
            sources: sources.into(),
            prefix,
            block_bytes: block_bytes.max(1),
            counter,
            current: None,
            archive: None,
            sequence: 0,
            read: Read::default(),
        }
    }

    /// The next block in the memory of `buffer` and `marks`; none at the end of the last source.
    pub(crate) fn next_block(&mut self, mut buffer: Vec<u8>, mut marks: Marks) -> Result<Option<Block>, LogError> {
        loop {
            if self.current.is_none() {
                let Some(source) = self.next_source()? else {
                    return Ok(None);
                };
                self.current = self.open(source)?;
                continue;
            }
            let block_bytes = self.block_bytes;
            let Some(open) = self.current.as_mut() else { continue };
            open.fill(&mut buffer, &mut marks, block_bytes)?;
            if buffer.is_empty() {
                self.close();
                continue;
            }
            open.keep_tail(&buffer);
            let layout = Arc::clone(&open.layout);
            let ends_file = open.at_end && open.carry.is_empty();
            let sequence = self.sequence;
            self.sequence += 1;
            let offset = open.offset;
            let dropped = std::mem::take(&mut open.dropped);
            open.offset += buffer.len() as u64 + dropped;
            self.read.bytes_dropped += dropped;
            if let Some(file) = self.read.files.last_mut() {
                file.bytes = open.offset;
                file.truncated_tail = ends_file && buffer.last() != Some(&b'\n');
            }
            let file = self.read.files.len().saturating_sub(1);
            return Ok(Some(Block {
                sequence,
                file,
                stream: open.stream,
                layout,
                offset,
                bytes: buffer,
                marks,
                ends_file,
            }));
        }
    }
}

impl Read {
    /// Input ended before its end.
    fn broken(&mut self, why: &'static str) {
        self.unparsed.push((why, 1));
        self.limitations.push((why, 1));
    }
}

impl Open {
    /// Keeps what may be the end of the file.
    fn keep_tail(&mut self, block: &[u8]) {
        let Some(tail) = self.tail.as_mut() else { return };
        tail.extend_from_slice(from(block, block.len().saturating_sub(TAIL_BYTES)));
        // Now and then, so that little is moved.
        if tail.len() > 2 * TAIL_BYTES {
            tail.drain(..tail.len() - TAIL_BYTES);
        }
    }

    /// The instant of the last entry of what was read.
    fn last_us(&self) -> Option<i64> {
        let tail = self.tail.as_ref()?;
        let start = tail.len().saturating_sub(TAIL_BYTES);
        let whole = if self.offset > TAIL_BYTES as u64 {
            line_end(tail, start) + 1
        } else {
            start
        };
        opening::survey(&self.layout, from(tail, whole)).ends.map(|ends| ends.1)
    }

    /// Fills the buffer with the next block; empty at the end.
    fn fill(&mut self, buffer: &mut Vec<u8>, marks: &mut Marks, block_bytes: usize) -> Result<(), LogError> {
        buffer.clear();
        marks.clear();
        buffer.append(&mut self.carry);
        let mut wanted = block_bytes;
        loop {
            self.read_to(buffer, wanted)?;
            let cut = if buffer.len() > wanted || !self.at_end {
                self.layout.cut(buffer, marks)
            } else {
                0
            };
            if cut > 0 {
                self.carry.extend_from_slice(from(buffer, cut));
                buffer.truncate(cut);
                return Ok(());
            }
            if buffer.len() > MAX_ENTRY_BYTES {
                return self.skip(buffer);
            }
            if self.at_end {
                return Ok(());
            }
            wanted = buffer.len().saturating_add(block_bytes.max(64 * 1024));
        }
    }

    /// Reads until the buffer holds `wanted` bytes or the source ends.
    fn read_to(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<(), LogError> {
        let missing = wanted.saturating_sub(buffer.len());
        if missing == 0 || self.at_end {
            return Ok(());
        }
        let failed = |source| LogError::Read {
            path: self.path.clone(),
            source,
        };
        let read = self.input.read(buffer, missing).map_err(failed)?;
        self.at_end = read < missing;
        Ok(())
    }

    /// The buffer begins with an entry that is too long: keeps its start, and drops what follows up to the next entry.
    fn skip(&mut self, buffer: &mut Vec<u8>) -> Result<(), LogError> {
        // One byte more than is looked at, so that the parser sees that there was more.
        let kept = MAX_ENTRY_BYTES + 1;
        let mut state = SkipState {
            at_line_start: slice(buffer, kept - 1, kept) == b"\n",
            csv: format::csv::place_after(slice(buffer, 0, kept)),
        };
        let mut rest = from(buffer, kept).to_vec();
        buffer.truncate(kept);
        loop {
            match self.layout.skip(&rest, self.at_end, &mut state) {
                Skipped::Until(next) => {
                    self.dropped += rest.drain(..next.min(rest.len())).len() as u64;
                    self.carry = rest;
                    return Ok(());
                }
                Skipped::Drop(count) => {
                    self.dropped += rest.drain(..count.min(rest.len())).len() as u64;
                }
            }
            if self.at_end {
                self.dropped += rest.len() as u64;
                return Ok(());
            }
            let wanted = rest.len() + BLOCK_BYTES;
            self.read_to(&mut rest, wanted)?;
        }
    }
}
