//! `log_destination = csvlog`: 23 columns, 24 from PostgreSQL 13, 26 from 14.
//!
//! A record ends at a line end outside quotes, so nothing that a client sends can begin a record. A record with a quote where
//! none can be (a file cut in the middle and appended to) is dropped, and reading goes on at the next line that looks like the
//! start of one.

use super::{Skipped, unknown_severity};
use crate::bytes::{at, digits, from, line_end, slice};
use crate::entry::{Entry, MAX_ENTRY_BYTES, Sink, Span, Texts};
use crate::instant::Clock;
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
        Step::Record(end) => split(bytes, 0, end, &mut [Column::default(); 26]).is_ok_and(|count| count >= 23),
        Step::Broken(_) | Step::Lost | Step::Incomplete => true,
    }
}

/// The end of the last whole record.
pub(super) fn cut(bytes: &[u8]) -> usize {
    let mut position = 0;
    while let Step::Record(end) | Step::Broken(end) = step(bytes, position) {
        position = end;
    }
    position
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
        let Some((end, _)) = quoted_end(bytes, place + 1) else {
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

/// The position behind the closing quote, and whether quotes inside were doubled.
#[inline]
fn quoted_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut position = start;
    let mut doubled = false;
    loop {
        let quote = position + memchr::memchr(b'"', from(bytes, position))?;
        if at(bytes, quote + 1) != b'"' {
            return Some((quote + 1, doubled));
        }
        doubled = true;
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
    let mut position = 0;
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
        let start = position;
        position = end;
        if end - start > MAX_ENTRY_BYTES {
            sink.unparsed("entry_too_long", start..end, texts);
            continue;
        }
        if slice(&texts.block, start, end).trim_ascii().is_empty() {
            continue;
        }
        match record(texts, start, end, clock) {
            Ok(entry) => sink.entry(&entry, texts),
            Err(reason) => sink.unparsed(reason, start..end, texts),
        }
    }
}

/// One field: its span as it stands between the quotes, and whether quotes are doubled in it.
#[derive(Debug, Clone, Copy, Default)]
struct Column {
    start: usize,
    end: usize,
    doubled: bool,
}

fn record(texts: &mut Texts, start: usize, end: usize, clock: &mut Clock) -> Result<Entry, &'static str> {
    let mut columns = [Column::default(); 26];
    let count = split(&texts.block, start, end, &mut columns)?;
    if !(23..=26).contains(&count) {
        return Err("csv_columns");
    }
    let column = |index: usize| columns.get(index).copied().unwrap_or_default();
    let raw = |index: usize| slice(&texts.block, column(index).start, column(index).end);
    let at = Some(clock.read(raw(0), 0, true).ok_or("csv_timestamp")?.0);
    let severity = Severity::parse(raw(11)).ok_or_else(|| unknown_severity(raw(11)))?;
    let mut entry = Entry {
        at,
        ..Entry::new(severity)
    };
    entry.pid = digits(raw(3), 0).and_then(|(pid, _)| i32::try_from(pid).ok());
    entry.start_us = session_id(raw(5), 0).map(|(start_us, _, _)| start_us);
    entry.sqlstate = raw(12).try_into().ok();
    entry.query_id = if count == 26 {
        crate::bytes::signed(raw(25), 0).map_or(0, |(id, _)| id)
    } else {
        0
    };
    entry.user = text(texts, column(1));
    entry.database = text(texts, column(2));
    entry.message = text(texts, column(13));
    entry.detail = text(texts, column(14));
    entry.context = text(texts, column(18));
    entry.statement = text(texts, column(19));
    // A process without a session has the name of the one that started it, which `%a` does not tell.
    if !(entry.user.is_empty() && entry.database.is_empty()) {
        entry.application = text(texts, column(22));
    }
    Ok(entry)
}

fn text(texts: &mut Texts, column: Column) -> Span {
    if !column.doubled {
        return texts.in_block(column.start, column.end);
    }
    texts.add(|block, arena| {
        let mut rest = slice(block, column.start, column.end);
        while let Some(quote) = memchr::memchr(b'"', rest) {
            arena.extend_from_slice(slice(rest, 0, quote + 1));
            rest = from(rest, quote + 2);
        }
        arena.extend_from_slice(rest);
    })
}

/// Splits a record; the number of its columns.
fn split(bytes: &[u8], start: usize, end: usize, columns: &mut [Column; 26]) -> Result<usize, &'static str> {
    let record = slice(bytes, 0, end);
    let mut position = start;
    let mut count = 0;
    loop {
        let (column, next) = if at(record, position) == b'"' {
            let (close, doubled) = quoted_end(record, position + 1).ok_or("truncated_csv_record")?;
            (
                Column {
                    start: position + 1,
                    end: close - 1,
                    doubled,
                },
                close,
            )
        } else {
            let rest = from(record, position);
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b',' | b'\n' | b'\r'))
                .unwrap_or(rest.len());
            (
                Column {
                    start: position,
                    end: position + length,
                    doubled: false,
                },
                position + length,
            )
        };
        if let Some(place) = columns.get_mut(count) {
            *place = column;
        }
        count += 1;
        match record.get(next) {
            Some(b',') => position = next + 1,
            Some(b'\n' | b'\r') => return Ok(count),
            // The last record of a file that was cut, unless it is whole but for its line end.
            None if count >= 23 => return Ok(count),
            None => return Err("truncated_csv_record"),
            Some(_) => return Err("invalid_csv_record"),
        }
    }
}
