//! Sources to blocks: pieces of one file that begin and end where entries do.
//!
//! **In**: sources. **Out**: blocks of about [`BLOCK_BYTES`], in order. One thread at a time reads; the work on a block is done
//! by whoever took it. **Trusted**: nothing: an entry that does not end is cut after [`MAX_ENTRY_BYTES`], and the rest is
//! dropped while it is read, so memory does not depend on the input.

pub(crate) mod opening;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bytes::{from, slice};
use crate::entry::MAX_ENTRY_BYTES;
use crate::error::LogError;
use crate::evidence::SourceFile;
use crate::format::{self, Layout, SkipState, Skipped};
use crate::marks::Marks;
use crate::prefix::Prefix;
use crate::source::order;
use crate::source::tar::{self, Archive};
use crate::source::{Input, Source};
use opening::Opening;

/// Bytes read at a time: small enough to stay in the cache between reading and parsing.
pub(crate) const BLOCK_BYTES: usize = 1024 * 1024;
/// Most files of one archive: what is told of each is kept.
const MAX_MEMBERS: usize = 20_000;

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
    sources: std::vec::IntoIter<Source>,
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
}

/// An archive whose members are the next sources.
struct OpenArchive {
    name: String,
    archive: Arc<Mutex<Archive>>,
    members: order::Members,
    count: usize,
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
            sources: sources.into_iter(),
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

    /// The next member of the archive that is being read, or the next source.
    fn next_source(&mut self) -> Result<Option<Source>, LogError> {
        let Some(open) = self.archive.as_mut() else {
            return Ok(self.sources.next());
        };
        if open.count >= MAX_MEMBERS {
            self.read.limitations.push(("archive_members_dropped", 1));
            self.archive = None;
            return Ok(self.sources.next());
        }
        open.count += 1;
        let member = tar::next_member(&open.archive).map_err(|source| LogError::Read {
            path: open.name.clone(),
            source,
        })?;
        if let Some(member) = member {
            let name = format!("{}!{}", open.name, member.name);
            return Ok(Some(Source::member(name, member.bytes)));
        }
        let Some(open) = self.archive.take() else {
            return Ok(None);
        };
        let archive = open.archive.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = archive.input_broken() {
            self.read.broken(why);
        } else if archive.broken {
            self.read.broken("truncated_archive");
        }
        drop(archive);
        Ok(self.sources.next())
    }

    fn close(&mut self) {
        let Some(open) = self.current.take() else { return };
        self.read.unparsed.extend(open.input.dropped());
        if let Some(why) = open.input.broken() {
            self.read.broken(why);
        }
    }

    /// Begins a source: decompression, envelope, format and prefix.
    fn open(&mut self, source: Source) -> Result<Option<Open>, LogError> {
        let (path, is_found, stream) = (source.name.clone(), source.is_found, source.stream);
        let failed = |source| LogError::Read {
            path: path.clone(),
            source,
        };
        let counter = Arc::clone(&self.counter);
        let bytes = match source.open() {
            Ok(bytes) => bytes,
            // Rotated or compressed since the folder was listed.
            Err(error) if is_found && error.kind() == std::io::ErrorKind::NotFound => {
                self.read.limitations.push(("file_vanished", 1));
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        let input = Input::open(bytes, counter).map_err(failed)?;
        let opened = match opening::open(input, self.prefix.as_ref(), &path, self.archive.is_none()) {
            Ok(Opening::Log(opened)) => opened,
            Ok(Opening::Archive { input, sample }) => {
                self.archive = Some(OpenArchive {
                    name: path,
                    archive: Archive::new(sample, input),
                    members: order::Members::default(),
                    count: 0,
                });
                return Ok(None);
            }
            Ok(Opening::Empty { input }) => {
                self.read.limitations.push(("empty_file", 1));
                self.read.files.push(opening::source_file(path, &input));
                if let Some(why) = input.broken() {
                    self.read.broken(why);
                }
                return Ok(None);
            }
            Err(LogError::NotALog { reason, .. }) if is_found => {
                self.read.limitations.push((reason.code(), 1));
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let stream = match (stream, self.archive.as_mut()) {
            (Some(stream), _) => stream,
            (None, None) => self.new_stream(),
            (None, Some(_)) => match self.stream_of_member(&path, &opened) {
                Some(stream) => stream,
                None => {
                    self.read.limitations.push(("duplicate_destination", 1));
                    return Ok(None);
                }
            },
        };
        let mut file = opening::source_file(path.clone(), &opened.input);
        file.format = Some(opened.layout.format());
        file.stream = Some(stream);
        if let Layout::Stderr(prefix) = &opened.layout {
            file.log_line_prefix = Some(prefix.as_str().to_owned());
            let lacks = [
                ("prefix_without_time", prefix.has_time()),
                ("prefix_without_process", prefix.has_process()),
                ("prefix_without_names", prefix.has_dimensions()),
                ("prefix_begins_with_name", !prefix.begins_with_name()),
            ];
            let lacks = lacks.iter().filter(|(_, has)| !has);
            self.read.limitations.extend(lacks.map(|(code, _)| (*code, 1)));
        }
        self.read.files.push(file);
        Ok(Some(Open {
            input: opened.input,
            path,
            stream,
            layout: Arc::new(opened.layout),
            carry: opened.sample,
            at_end: false,
            offset: opened.offset,
            dropped: 0,
        }))
    }

    fn new_stream(&mut self) -> usize {
        let stream = self.next_stream;
        self.next_stream += 1;
        stream
    }

    /// The stream that a member of the archive goes on with, or a new one; none if the archive told the same already.
    fn stream_of_member(&mut self, path: &str, opened: &opening::Opened) -> Option<usize> {
        let fresh = self.next_stream;
        let stream = self.archive.as_mut()?.members.stream(path, opened, fresh)?;
        self.next_stream = self.next_stream.max(stream + 1);
        Some(stream)
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
