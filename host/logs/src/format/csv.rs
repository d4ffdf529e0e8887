//! `log_destination = csvlog`: 23 columns, 24 from PostgreSQL 13, 26 from 14.
//!
//! A record ends at a line end outside quotes, so nothing that a client sends can begin a record. A record with a quote where
//! none can be (a file cut in the middle and appended to) is dropped, and reading goes on at the next line that looks like the
//! start of one.
//!
//! The reader has to know what is quoted to end a block where a record ends, so it marks the ends of all fields while it looks
//! ([`mark`]), and the parser goes from mark to mark. A block with a quote where none can be has no marks, and is walked.

use std::ops::Range;

use super::{Skipped, unknown_severity};
use crate::bytes::{at, digits, from, line_end, slice};
use crate::entry::{Entry, MAX_ENTRY_BYTES, Sink, Span, Texts};
use crate::instant::Clock;
use crate::marks::{self, Marks};
use crate::prefix::session_id;
use crate::severity::Severity;

/// Where in a record something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// At the start of a field, or in one without quotes.
    #[default]
    Plain,
    Quoted,
    /// Behind a quote that ends the field or begins a doubled one.
    Quote,
}

/// One step over the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A record ends before this position.
    Record(usize),
    /// No record; the next one may begin here.
    Broken(usize),
    /// No record, and no start of another one in sight.
    Lost,
    /// The end came first.
    Incomplete,
}

/// Whether a line begins as a record does: a timestamp and a comma.
fn looks_like_head(line: &[u8], clock: &mut Clock) -> bool {
    clock.read(line, 0, true).is_some_and(|(_, end)| at(line, end) == b',')
}

/// Whether the bytes begin with a record, or with one that is longer than what is there.
pub(super) fn looks_like_record(bytes: &[u8], clock: &mut Clock) -> bool {
    if !looks_like_head(crate::bytes::up_to(bytes, 64), clock) {
        return false;
    }
    match step(bytes, 0) {
        Step::Record(end) => split(bytes, 0, end).is_ok_and(|columns| columns.count >= 23),
        Step::Broken(_) | Step::Lost | Step::Incomplete => true,
    }
}

/// The end of the last whole record; `marks` get the ends of all fields, or nothing where the bytes have to be walked.
pub(super) fn cut(bytes: &[u8], marks: &mut Marks) -> usize {
    if let Some(end) = mark(bytes, marks) {
        return end;
    }
    marks.clear();
    let mut position = 0;
    while let Step::Record(end) | Step::Broken(end) = step(bytes, position) {
        position = end;
    }
    position
}

/// Marks the commas and line ends outside quotes: the end of the last whole record, or none if a quote or a carriage return
/// stands where [`step`] and [`split`] would not go on as if nothing were.
fn mark(bytes: &[u8], marks: &mut Marks) -> Option<usize> {
    marks.clear();
    marks.reserve(bytes.len());
    let mut end = 0;
    let mut position = 0;
    // What the chunk before leaves: all bits if it ends in quotes, and the lowest bit for what its last byte was.
    let (mut quoted, mut may_open, mut closed, mut returned) = (0, 1, 0, 0);
    for (chunk, there) in marks::chunks(bytes) {
        let quotes = chunk.bits_of(b'"');
        let commas = chunk.bits_of(b',');
        let newlines = chunk.bits_of(b'\n');
        let returns = chunk.bits_of(b'\r');
        // From each opening quote up to before the one that closes; a doubled quote closes and opens.
        let inside = marks::parity(quotes) ^ quoted;
        quoted = if inside >> 63 == 1 { u64::MAX } else { 0 };
        let ends = commas | newlines;
        let opening = quotes & inside;
        let closing = quotes & !inside;
        let returning = returns & !inside;
        let misplaced = (opening & !((ends | quotes) << 1 | may_open))
            | ((closing << 1 | closed) & there & !(ends | quotes | returns))
            | ((returning << 1 | returned) & there & !newlines);
        may_open = (ends | quotes) >> 63;
        closed = closing >> 63;
        returned = returning >> 63;
        marks.push(ends & !inside);
        let records = newlines & !inside;
        if records != 0 {
            end = position + 64 - records.leading_zeros() as usize;
        }
        position += 64;
        if misplaced != 0 {
            return None;
        }
    }
    Some(end)
}

/// See [`super::Layout::skip`].
pub(super) fn skip(bytes: &[u8], state: &mut super::SkipState) -> Skipped {
    let mut place = state.csv;
    let mut position = 0;
    while position < bytes.len() {
        (place, position) = match place {
            Place::Quoted => match memchr::memchr(b'"', from(bytes, position)) {
                Some(quote) => (Place::Quote, position + quote + 1),
                None => (Place::Quoted, bytes.len()),
            },
            Place::Quote if at(bytes, position) == b'"' => (Place::Quoted, position + 1),
            Place::Quote => (Place::Plain, position),
            Place::Plain => match memchr::memchr2(b'"', b'\n', from(bytes, position)) {
                Some(found) if at(bytes, position + found) == b'\n' => return Skipped::Until(position + found + 1),
                Some(quote) => (Place::Quoted, position + quote + 1),
                None => (Place::Plain, bytes.len()),
            },
        };
    }
    state.csv = place;
    Skipped::Drop(bytes.len())
}

/// The place that the first `bytes` of a record lead to.
pub(crate) fn place_after(bytes: &[u8]) -> Place {
    let mut state = super::SkipState::default();
    match skip(bytes, &mut state) {
        Skipped::Drop(_) => state.csv,
        Skipped::Until(_) => Place::Plain,
    }
}

/// Walks over the record that begins at `start`.
#[inline]
fn step(bytes: &[u8], start: usize) -> Step {
    let mut position = start;
    loop {
        let rest = from(bytes, position);
        let Some(found) = memchr::memchr2(b'"', b'\n', rest) else {
            return Step::Incomplete;
        };
        let place = position + found;
        if at(bytes, place) == b'\n' {
            return Step::Record(place + 1);
        }
        // A quote begins a field.
        if place > start && at(bytes, place - 1) != b',' {
            return resync(bytes, start);
        }
        let Some(end) = quoted_end(bytes, place + 1) else {
            return Step::Incomplete;
        };
        match bytes.get(end) {
            Some(b',') => position = end + 1,
            Some(b'\n') => return Step::Record(end + 1),
            Some(b'\r') => position = end,
            Some(_) => return resync(bytes, start),
            None => return Step::Incomplete,
        }
    }
}

/// The position behind the closing quote.
#[inline]
fn quoted_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    loop {
        let quote = position + memchr::memchr(b'"', from(bytes, position))?;
        if at(bytes, quote + 1) != b'"' {
            return Some(quote + 1);
        }
        position = quote + 2;
    }
}

/// The next line after `start` that looks like the start of a record.
#[cold]
fn resync(bytes: &[u8], start: usize) -> Step {
    let mut clock = Clock::default();
    let mut position = start;
    loop {
        let end = line_end(bytes, position);
        if end >= bytes.len() {
            return Step::Lost;
        }
        position = end + 1;
        if bytes.len() - position < 64 && memchr::memchr(b'\n', from(bytes, position)).is_none() {
            return Step::Lost;
        }
        if looks_like_head(from(bytes, position), &mut clock) {
            return Step::Broken(position);
        }
    }
}

/// See [`super::Layout::parse`].
pub(super) fn parse(texts: &mut Texts, clock: &mut Clock, sink: &mut impl Sink) {
    let marks = std::mem::take(&mut texts.marks);
    let marked = parse_marked(texts, &marks, clock, sink);
    texts.marks = marks;
    let mut position = marked;
    while position < texts.block.len() {
        let end = match step(&texts.block, position) {
            Step::Record(end) => end,
            Step::Broken(end) => {
                sink.unparsed("invalid_csv_record", position..end, texts);
                position = end;
                continue;
            }
            Step::Incomplete if texts.ends_file || texts.block.len() - position > MAX_ENTRY_BYTES => texts.block.len(),
            // The next record begins behind the block, so this one was broken, wherever its quotes would have led: the byte
            // that shows it may be in a later block, and further broken ones may stand between.
            Step::Lost | Step::Incomplete => {
                let next = match resync(&texts.block, position) {
                    Step::Broken(next) if !texts.ends_file => next,
                    _ => texts.block.len(),
                };
                sink.unparsed("invalid_csv_record", position..next, texts);
                position = next;
                continue;
            }
        };
        let start = std::mem::replace(&mut position, end);
        let columns = split(&texts.block, start, end);
        record(texts, start..end, columns, clock, sink);
    }
}

/// Hands the records whose fields are marked to the sink; the end of the last one.
fn parse_marked(texts: &mut Texts, marks: &Marks, clock: &mut Clock, sink: &mut impl Sink) -> usize {
    let mut columns = Columns::default();
    let mut start = 0;
    let mut field = 0;
    for end in marks.positions() {
        let next = end + 1;
        let is_last = match texts.block.get(end) {
            Some(byte) => *byte == b'\n',
            // The block ends before what was looked at does.
            None => break,
        };
        let has_return = is_last && end > field && at(&texts.block, end - 1) == b'\r';
        columns.push(field, end - usize::from(has_return));
        field = next;
        if is_last {
            record(texts, start..next, Ok(columns), clock, sink);
            columns.count = 0;
            start = next;
        }
    }
    start
}

/// The most columns that a record has.
const MAX_COLUMNS: usize = 26;

/// Where the fields of a record begin and end, with their quotes.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    count: usize,
    places: [(usize, usize); MAX_COLUMNS],
}

impl Columns {
    #[inline(always)]
    fn push(&mut self, start: usize, end: usize) {
        if let Some(place) = self.places.get_mut(self.count) {
            *place = (start, end);
        }
        self.count += 1;
    }

    /// What a field says: where it stands, without the quotes around it.
    #[inline(always)]
    fn place(&self, block: &[u8], index: usize) -> (usize, usize) {
        let (start, end) = self.places.get(index).copied().unwrap_or_default();
        let quote = usize::from(end > start && at(block, start) == b'"');
        (start + quote, end - quote)
    }
}

/// Hands one record to the sink, or says why it is none.
#[inline]
fn record(
    texts: &mut Texts,
    piece: Range<usize>,
    columns: Result<Columns, &'static str>,
    clock: &mut Clock,
    sink: &mut impl Sink,
) {
    if piece.len() > MAX_ENTRY_BYTES {
        sink.unparsed("entry_too_long", piece, texts);
        return;
    }
    let entry = columns.and_then(|columns| entry(texts, &columns, clock));
    match entry {
        Ok(entry) => sink.entry(&entry, texts),
        Err(_) if slice(&texts.block, piece.start, piece.end).trim_ascii().is_empty() => {}
        Err(reason) => sink.unparsed(reason, piece, texts),
    }
}

#[inline]
fn entry(texts: &mut Texts, columns: &Columns, clock: &mut Clock) -> Result<Entry, &'static str> {
    if !(23..=MAX_COLUMNS).contains(&columns.count) {
        return Err("csv_columns");
    }
    let raw = |index: usize| {
        let (start, end) = columns.place(&texts.block, index);
        slice(&texts.block, start, end)
    };
    let at = Some(clock.read(raw(0), 0, true).ok_or("csv_timestamp")?.0);
    let severity = Severity::parse(raw(11)).ok_or_else(|| unknown_severity(raw(11)))?;
    let mut entry = Entry {
        at,
        ..Entry::new(severity)
    };
    entry.pid = digits(raw(3), 0).and_then(|(pid, _)| i32::try_from(pid).ok());
    entry.start_us = session_id(raw(5), 0).map(|(start_us, _, _)| start_us);
    entry.sqlstate = raw(12).try_into().ok();
    entry.query_id = if columns.count == MAX_COLUMNS {
        crate::bytes::signed(raw(25), 0).map_or(0, |(id, _)| id)
    } else {
        0
    };
    let mut text = |index: usize| {
        let place = columns.place(&texts.block, index);
        text(texts, place)
    };
    entry.user = text(1);
    entry.database = text(2);
    entry.message = text(13);
    entry.detail = text(14);
    entry.context = text(18);
    entry.statement = text(19);
    // A process without a session has the name of the one that started it, which `%a` does not tell.
    if !(entry.user.is_empty() && entry.database.is_empty()) {
        entry.application = text(22);
    }
    Ok(entry)
}

/// The text of a field; what quotes it has are doubled.
#[inline]
fn text(texts: &mut Texts, (start, end): (usize, usize)) -> Span {
    if memchr::memchr(b'"', slice(&texts.block, start, end)).is_none() {
        return texts.in_block(start, end);
    }
    texts.add(|block, arena| {
        let mut rest = slice(block, start, end);
        while let Some(quote) = memchr::memchr(b'"', rest) {
            arena.extend_from_slice(slice(rest, 0, quote + 1));
            rest = from(rest, quote + 2);
        }
        arena.extend_from_slice(rest);
    })
}

/// Splits a record.
fn split(bytes: &[u8], start: usize, end: usize) -> Result<Columns, &'static str> {
    let record = slice(bytes, 0, end);
    let mut columns = Columns::default();
    let mut position = start;
    loop {
        let end = if at(record, position) == b'"' {
            quoted_end(record, position + 1).ok_or("truncated_csv_record")?
        } else {
            let rest = from(record, position);
            let ends = |byte: &u8| matches!(byte, b',' | b'\n' | b'\r');
            position + rest.iter().position(ends).unwrap_or(rest.len())
        };
        columns.push(position, end);
        match record.get(end) {
            Some(b',') => position = end + 1,
            Some(b'\n' | b'\r') => return Ok(columns),
            // The last record of a file that was cut, unless it is whole but for its line end.
            None if columns.count >= 23 => return Ok(columns),
            None => return Err("truncated_csv_record"),
            Some(_) => return Err("invalid_csv_record"),
        }
    }
}
