//! `log_destination = jsonlog` (from PostgreSQL 15): one object per line.
//!
//! The marks of a block ([`mark`]) lead from string to string of the lines that the server writes; what is written in another
//! way is walked byte by byte ([`fields`]).

use crate::bytes::{at, from, line_end, signed, slice};
use crate::entry::{Entry, MAX_ENTRY_BYTES, Sink, Span, Texts};
use crate::instant::Clock;
use crate::marks::{self, Marks, Positions};
use crate::prefix::session_id;
use crate::severity::Severity;

/// Deepest value that is skipped.
const MAX_DEPTH: u32 = 32;

/// Whether a line begins as an entry does.
pub(super) fn looks_like_head(line: &[u8]) -> bool {
    let position = blanks(line, 1);
    at(line, 0) == b'{' && slice(line, position, position + 11) == b"\"timestamp\""
}

/// See [`super::Layout::parse`].
pub(super) fn parse(texts: &mut Texts, clock: &mut Clock, sink: &mut impl Sink) {
    let mut marks = std::mem::take(&mut texts.marks);
    mark(&texts.block, &mut marks);
    let mut positions = marks.positions();
    let mut position = 0;
    while position < texts.block.len() {
        let start = position;
        let (found, end) = match plain_fields(&texts.block, start, &mut positions) {
            Some((found, end)) => (Some(found), end),
            None => {
                let end = line_end(&texts.block, start);
                positions.skip_over(end);
                (fields(slice(&texts.block, 0, end), start), end)
            }
        };
        position = end + 1;
        if end - start > MAX_ENTRY_BYTES {
            sink.unparsed("entry_too_long", start..position, texts);
            continue;
        }
        match found.map(|found| entry(texts, &found, clock)) {
            Some(Ok(entry)) => sink.entry(&entry, texts),
            Some(Err(reason)) => sink.unparsed(reason, start..position, texts),
            None if slice(&texts.block, start, end).trim_ascii().is_empty() => {}
            // The last line of a file that was cut.
            None if end == texts.block.len() => sink.unparsed("truncated_json", start..position, texts),
            None => sink.unparsed("invalid_json", start..position, texts),
        }
    }
    texts.marks = marks;
}

/// Marks line ends, the quotes around strings, and the backslashes that escape something.
fn mark(bytes: &[u8], marks: &mut Marks) {
    marks.clear();
    marks.reserve(bytes.len());
    // The lowest bit: the first byte of the next chunk is escaped.
    let mut carried = 0;
    for (chunk, _) in marks::chunks(bytes) {
        let mut slashes = chunk.bits_of(b'\\') & !carried;
        let mut escaped = std::mem::take(&mut carried);
        let mut escaping = 0;
        while slashes != 0 {
            let slash = slashes & slashes.wrapping_neg();
            escaping |= slash;
            escaped |= slash << 1;
            carried = slash >> 63;
            slashes &= !(slash | slash << 1);
        }
        marks.push((chunk.bits_of(b'"') & !escaped) | escaping | chunk.bits_of(b'\n'));
    }
}

/// Reads the object of one line as the server writes it, from mark to mark: its fields, and where the line ends. None for any
/// other line, also for objects that are written in another way.
#[inline]
fn plain_fields(block: &[u8], start: usize, marks: &mut Positions<'_>) -> Option<(Found, usize)> {
    let mut found = Found::default();
    let mut position = start;
    let mut before = b'{';
    loop {
        if at(block, position) != before {
            return None;
        }
        before = b',';
        let key = marked_string(block, position + 1, marks)?;
        if at(block, key.end + 1) != b':' {
            return None;
        }
        position = key.end + 2;
        let key = slice(block, key.start, key.end);
        if at(block, position) == b'"' {
            let value = marked_string(block, position, marks)?;
            position = value.end + 1;
            if let Some(place) = found.place(key) {
                *place = value;
            }
        } else {
            let value;
            (value, position) = signed(block, position)?;
            found.number(key, value);
        }
        if at(block, position) == b'}' {
            let end = marks.next()?;
            return (end == position + 1 && at(block, end) == b'\n').then_some((found, end));
        }
    }
}

/// The string that begins at `start`, which is the next mark.
#[inline(always)]
fn marked_string(block: &[u8], start: usize, marks: &mut Positions<'_>) -> Option<Text> {
    if marks.next()? != start || at(block, start) != b'"' {
        return None;
    }
    let mut escaped = false;
    loop {
        let end = marks.next()?;
        match at(block, end) {
            b'"' => {
                return Some(Text {
                    start: start + 1,
                    end,
                    escaped,
                });
            }
            b'\\' => escaped = true,
            _ => return None,
        }
    }
}

/// A string between its quotes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Text {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

/// The fields that are used.
#[derive(Debug, Default)]
struct Found {
    timestamp: Text,
    severity: Text,
    sqlstate: Text,
    session_id: Text,
    user: Text,
    database: Text,
    application: Text,
    message: Text,
    detail: Text,
    context: Text,
    statement: Text,
    pid: Option<i64>,
    query_id: i64,
}

/// The entry that an object is, or why it is none.
#[inline]
fn entry(texts: &mut Texts, found: &Found, clock: &mut Clock) -> Result<Entry, &'static str> {
    let raw = |text: Text| slice(&texts.block, text.start, text.end);
    let (stamp, _) = clock.read(raw(found.timestamp), 0, true).ok_or("json_timestamp")?;
    let severity = raw(found.severity);
    let severity = Severity::parse(severity).ok_or_else(|| super::unknown_severity(severity))?;
    let mut entry = Entry {
        at: Some(stamp),
        query_id: found.query_id,
        ..Entry::new(severity)
    };
    entry.pid = found.pid.and_then(|pid| i32::try_from(pid).ok());
    entry.start_us = session_id(raw(found.session_id), 0).map(|(start_us, _, _)| start_us);
    // `00000` is left out by the server.
    entry.sqlstate = Some(raw(found.sqlstate).try_into().unwrap_or(*b"00000"));
    entry.user = text(texts, found.user);
    entry.database = text(texts, found.database);
    // A process without a session has the name of the one that started it, which `%a` does not tell.
    if !(entry.user.is_empty() && entry.database.is_empty()) {
        entry.application = text(texts, found.application);
    }
    entry.message = text(texts, found.message);
    entry.detail = text(texts, found.detail);
    entry.context = text(texts, found.context);
    entry.statement = text(texts, found.statement);
    Ok(entry)
}

/// Reads one object; none if it is not one.
fn fields(line: &[u8], start: usize) -> Option<Found> {
    let mut found = Found::default();
    let mut position = blanks(line, start);
    if at(line, position) != b'{' {
        return None;
    }
    position = blanks(line, position + 1);
    loop {
        let (key, after) = string(line, position)?;
        position = blanks(line, after);
        if at(line, position) != b':' {
            return None;
        }
        position = blanks(line, position + 1);
        let key = slice(line, key.start, key.end);
        if at(line, position) == b'"' {
            let (value, after) = string(line, position)?;
            position = after;
            if let Some(place) = found.place(key) {
                *place = value;
            }
        } else if let Some((value, after)) = signed(line, position) {
            found.number(key, value);
            position = skip_value(line, after - 1, 0).unwrap_or(after).max(after);
        } else {
            position = skip_value(line, position, 0)?;
        }
        position = blanks(line, position);
        match at(line, position) {
            b',' => position = blanks(line, position + 1),
            b'}' => {
                let rest = from(line, position + 1);
                return rest.trim_ascii().is_empty().then_some(found);
            }
            _ => return None,
        }
    }
}

impl Found {
    /// Where the string with this key goes.
    #[inline]
    fn place(&mut self, key: &[u8]) -> Option<&mut Text> {
        // Most keys are told by their length.
        Some(match key.len() {
            4 if key == b"user" => &mut self.user,
            6 if key == b"dbname" => &mut self.database,
            6 if key == b"detail" => &mut self.detail,
            7 if key == b"context" => &mut self.context,
            7 if key == b"message" => &mut self.message,
            9 if key == b"timestamp" => &mut self.timestamp,
            9 if key == b"statement" => &mut self.statement,
            10 if key == b"state_code" => &mut self.sqlstate,
            10 if key == b"session_id" => &mut self.session_id,
            14 if key == b"error_severity" => &mut self.severity,
            16 if key == b"application_name" => &mut self.application,
            _ => return None,
        })
    }

    #[inline]
    fn number(&mut self, key: &[u8], value: i64) {
        match key {
            b"pid" => self.pid = Some(value),
            b"query_id" => self.query_id = value,
            _ => {}
        }
    }
}

#[inline]
pub(crate) fn blanks(line: &[u8], start: usize) -> usize {
    let mut position = start;
    while matches!(at(line, position), b' ' | b'\t' | b'\r') {
        position += 1;
    }
    position
}

/// The string that begins at `start`, and the position behind it.
#[inline]
pub(crate) fn string(line: &[u8], start: usize) -> Option<(Text, usize)> {
    if at(line, start) != b'"' {
        return None;
    }
    let mut position = start + 1;
    let mut escaped = false;
    loop {
        position += memchr::memchr2(b'"', b'\\', from(line, position))?;
        if at(line, position) == b'"' {
            return Some((
                Text {
                    start: start + 1,
                    end: position,
                    escaped,
                },
                position + 1,
            ));
        }
        escaped = true;
        position += 2;
    }
}

/// The position behind any value.
pub(crate) fn skip_value(line: &[u8], start: usize, depth: u32) -> Option<usize> {
    match at(line, start) {
        b'"' => string(line, start).map(|(_, end)| end),
        open @ (b'{' | b'[') if depth < MAX_DEPTH => {
            let close = if open == b'{' { b'}' } else { b']' };
            let mut position = blanks(line, start + 1);
            while at(line, position) != close {
                position = match at(line, position) {
                    b',' | b':' => position + 1,
                    _ => skip_value(line, position, depth + 1)?,
                };
                position = blanks(line, position);
            }
            Some(position + 1)
        }
        _ => {
            let rest = from(line, start);
            let is_scalar = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            let length = rest.iter().position(|byte| !is_scalar(byte)).unwrap_or(rest.len());
            (length > 0).then_some(start + length)
        }
    }
}

fn text(texts: &mut Texts, text: Text) -> Span {
    if !text.escaped {
        return texts.in_block(text.start, text.end);
    }
    texts.add(|block, arena| unescape(slice(block, text.start, text.end), arena))
}

pub(crate) fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(slice(rest, 0, backslash));
        let mut length = 2;
        match at(rest, backslash + 1) {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => {
                let (character, used) = unicode(from(rest, backslash));
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                length = used;
            }
            other => out.push(other),
        }
        rest = from(rest, backslash + length);
    }
    out.extend_from_slice(rest);
}

/// `\u0041` or a pair of surrogates: the character and the bytes it took.
fn unicode(text: &[u8]) -> (char, usize) {
    let unit = |start: usize| -> Option<u32> {
        let digits = slice(text, start + 2, start + 6);
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else {
        return (char::REPLACEMENT_CHARACTER, 2);
    };
    if (0xd800..0xdc00).contains(&first)
        && slice(text, 6, 8) == b"\\u"
        && let Some(second @ 0xdc00..0xe000) = unit(6)
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}
