//! Sources to blocks: pieces of one file that begin and end where entries do.
//!
//! **In**: sources. **Out**: blocks of about [`BLOCK_BYTES`], in order. One thread at a time reads; the work on a block is done
//! by whoever took it. **Trusted**: nothing: an entry that does not end is cut after [`MAX_ENTRY_BYTES`], and the rest is
//! dropped while it is read, so memory does not depend on the input.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::bytes::{escaped, from, line_end, slice};
use crate::entry::MAX_ENTRY_BYTES;
use crate::error::LogError;
use crate::evidence::{Format, SourceFile};
use crate::format::{self, Layout, SkipState, Skipped};
use crate::prefix::{self, Prefix};
use crate::source::{Input, Source};

/// Bytes read at a time: small enough to stay in the cache between reading and parsing.
pub(crate) const BLOCK_BYTES: usize = 1024 * 1024;
/// How far the start of a file is searched for something that is an entry.
const SAMPLE_BYTES: usize = 256 * 1024;

/// A piece of a file.
#[derive(Debug)]
pub(crate) struct Block {
    /// Counts blocks over all files.
    pub(crate) sequence: u64,
    /// Which file, in the order they were read.
    pub(crate) file: usize,
    pub(crate) layout: Arc<Layout>,
    pub(crate) bytes: Vec<u8>,
    /// No other block of the file follows.
    pub(crate) ends_file: bool,
}

/// What reading found besides blocks.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) limitations: Vec<(&'static str, u64)>,
    pub(crate) unparsed: Vec<(&'static str, u64)>,
}

/// Reads sources one after the other.
pub(crate) struct Reader {
    sources: std::vec::IntoIter<Source>,
    prefix: Option<Prefix>,
    block_bytes: usize,
    counter: Arc<AtomicU64>,
    current: Option<Open>,
    sequence: u64,
    pub(crate) read: Read,
}

struct Open {
    input: Input,
    path: String,
    layout: Arc<Layout>,
    /// Read already, and part of the next block.
    carry: Vec<u8>,
    at_end: bool,
}

impl Reader {
    pub(crate) fn new(
        sources: Vec<Source>,
        prefix: Option<Prefix>,
        block_bytes: usize,
        counter: Arc<AtomicU64>,
    ) -> Self {
        Self {
            sources: sources.into_iter(),
            prefix,
            block_bytes: block_bytes.max(1),
            counter,
            current: None,
            sequence: 0,
            read: Read::default(),
        }
    }

    /// The next block in `buffer`'s memory; none at the end of the last source.
    pub(crate) fn next_block(&mut self, mut buffer: Vec<u8>) -> Result<Option<Block>, LogError> {
        loop {
            if self.current.is_none() {
                let Some(source) = self.sources.next() else {
                    return Ok(None);
                };
                self.current = self.open(source)?;
                continue;
            }
            let block_bytes = self.block_bytes;
            let Some(open) = self.current.as_mut() else { continue };
            open.fill(&mut buffer, block_bytes)?;
            if buffer.is_empty() {
                self.close();
                continue;
            }
            let layout = Arc::clone(&open.layout);
            let ends_file = open.at_end && open.carry.is_empty();
            let sequence = self.sequence;
            self.sequence += 1;
            if let Some(file) = self.read.files.last_mut() {
                file.bytes += buffer.len() as u64;
            }
            let file = self.read.files.len().saturating_sub(1);
            return Ok(Some(Block {
                sequence,
                file,
                layout,
                bytes: buffer,
                ends_file,
            }));
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.current.take()
            && open.input.broken
        {
            self.read.unparsed.push(("truncated_compressed_stream", 1));
            self.read.limitations.push(("truncated_compressed_stream", 1));
        }
    }

    /// Begins a source: decompression, format and prefix.
    fn open(&mut self, source: Source) -> Result<Option<Open>, LogError> {
        let failed = |error| LogError::Read {
            path: source.name.clone(),
            source: error,
        };
        let mut input = Input::open(source.input, Arc::clone(&self.counter)).map_err(failed)?;
        let mut sample = Vec::new();
        input.read(&mut sample, SAMPLE_BYTES).map_err(failed)?;
        if sample.starts_with(b"\xef\xbb\xbf") {
            sample.drain(..3);
        }
        let mut file = SourceFile {
            path: source.name.clone(),
            format: None,
            log_line_prefix: None,
            bytes: 0,
            entries: 0,
        };
        if sample.trim_ascii().is_empty() && sample.len() < SAMPLE_BYTES {
            self.read.limitations.push(("empty_file", 1));
            self.read.files.push(file);
            if input.broken {
                self.read.unparsed.push(("truncated_compressed_stream", 1));
                self.read.limitations.push(("truncated_compressed_stream", 1));
            }
            return Ok(None);
        }
        let layout = match layout_of(&sample, self.prefix.as_ref(), &source.name) {
            Ok(layout) => layout,
            Err(LogError::NotALog { .. }) if source.from_folder => {
                self.read.limitations.push(("not_a_log", 1));
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        file.format = Some(layout.format());
        if let Layout::Stderr(prefix) = &layout {
            file.log_line_prefix = Some(prefix.as_str().to_owned());
            if !prefix.has_time() {
                self.read.limitations.push(("prefix_without_time", 1));
            }
            if !prefix.has_process() {
                self.read.limitations.push(("prefix_without_process", 1));
            }
            if !prefix.has_dimensions() {
                self.read.limitations.push(("prefix_without_names", 1));
            }
        }
        self.read.files.push(file);
        Ok(Some(Open {
            input,
            path: source.name,
            layout: Arc::new(layout),
            carry: sample,
            at_end: false,
        }))
    }
}

impl Open {
    /// Fills the buffer with the next block; empty at the end.
    fn fill(&mut self, buffer: &mut Vec<u8>, block_bytes: usize) -> Result<(), LogError> {
        buffer.clear();
        buffer.append(&mut self.carry);
        let mut wanted = block_bytes;
        loop {
            self.read_to(buffer, wanted)?;
            let cut = if buffer.len() > wanted || !self.at_end {
                self.layout.cut(buffer)
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
                    rest.drain(..next.min(rest.len()));
                    self.carry = rest;
                    return Ok(());
                }
                Skipped::Drop(count) => {
                    rest.drain(..count.min(rest.len()));
                }
            }
            if self.at_end {
                return Ok(());
            }
            let wanted = rest.len() + BLOCK_BYTES;
            self.read_to(&mut rest, wanted)?;
        }
    }
}

fn layout_of(sample: &[u8], given: Option<&Prefix>, path: &str) -> Result<Layout, LogError> {
    let given_fits = given.is_some_and(|given| format::stderr::begins_with_entry(given, sample));
    match format::of_sample(sample).filter(|_| !given_fits) {
        Some(Format::Csv) => return Ok(Layout::Csv),
        Some(Format::Json) => return Ok(Layout::Json),
        Some(Format::Stderr) | None => {}
    }
    if let Some(given) = given {
        if format::stderr::has_entry(given, sample) {
            return Ok(Layout::Stderr(given.clone()));
        }
        let first_line = escaped(slice(sample, 0, line_end(sample, 0)), 120);
        let detected = prefix::detect(sample).map(|prefix| prefix.as_str().to_owned());
        return Err(LogError::PrefixMismatch {
            path: path.to_owned(),
            prefix: given.as_str().to_owned(),
            first_line,
            detected,
        });
    }
    match prefix::detect(sample) {
        Some(prefix) => Ok(Layout::Stderr(prefix)),
        None => Err(not_a_log(sample, path)),
    }
}

fn not_a_log(sample: &[u8], path: &str) -> LogError {
    let first_line = escaped(slice(sample, 0, line_end(sample, 0)), 120);
    let (why, remedy) = if memchr::memchr(0, sample).is_some() {
        (
            "it is binary".to_owned(),
            "name the text, csv or json log that the server writes".to_owned(),
        )
    } else {
        (
            format!("nothing in its first lines is a log entry (it begins with `{first_line}`)"),
            "if it is one, give its `SHOW log_line_prefix` as --log-line-prefix; messages must be in English \
             (lc_messages = C)"
                .to_owned(),
        )
    };
    LogError::NotALog {
        path: path.to_owned(),
        why,
        remedy,
    }
}
