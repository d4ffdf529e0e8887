//! `log_destination = stderr`: lines that begin with `log_line_prefix`.
//!
//! A *head* line has prefix and severity. Its message goes on in lines that begin with a tab, and the entry in lines with the
//! same prefix and DETAIL, HINT, CONTEXT, QUERY, STATEMENT or LOCATION. The server puts a tab before every further line of a
//! text, so a line without one that matches the prefix was written by the server itself. Any other line is foreign, and ends the
//! entry: a forged DETAIL behind it is not joined.
//!
//! Names are the one text of a client that the server writes without a tab. A name with a line end in it *tears* the prefix: the
//! line ends inside a name, and what follows may look like any line. So an entry that begins where such a name could reach is not
//! believed. A name without a line end can still hold what looks like the rest of the prefix: a line that can be read in two
//! ways is not believed either.

use super::{SkipState, Skipped};
use crate::bytes::{at, digits, from, line_end, slice};
use crate::entry::{Entry, MAX_ENTRY_BYTES, Sink, Span, Texts};
use crate::marks::{Chunk, low_bits};
use crate::prefix::{Matched, Memory, Prefix};
use crate::severity::{Label, Severity};

/// A line is classified when it is whole, or when this much of it is there.
const CLASSIFIED_BYTES: usize = 8 * 1024;

/// How far behind a torn prefix an entry can begin inside a name: two names of 63 bytes and what is between them.
const SUSPECT_BYTES: usize = 256;

/// The last line start where an entry or a foreign line begins.
pub(super) fn cut(prefix: &Prefix, bytes: &[u8]) -> usize {
    let mut memory = Memory::default();
    let mut end = bytes.len();
    while let Some(newline) = memchr::memrchr(b'\n', slice(bytes, 0, end)) {
        let start = newline + 1;
        let whole = end < bytes.len() || bytes.len() - start >= CLASSIFIED_BYTES;
        if whole
            && start < bytes.len()
            && begins_block(prefix, from(bytes, start), &mut memory)
            && !is_suspect(prefix, bytes, start, &mut memory)
        {
            return start;
        }
        end = newline;
    }
    0
}

/// Whether a torn prefix stands so near before `start` that what is there must be judged with it. A torn prefix itself need not.
fn is_suspect(prefix: &Prefix, bytes: &[u8], start: usize, memory: &mut Memory) -> bool {
    let mut is_torn = |start: usize| {
        let line = from(bytes, start);
        at(line, 0) != b'\t' && prefix.read(line, memory).is_none() && prefix.is_torn(line)
    };
    let nearest = start.saturating_sub(SUSPECT_BYTES);
    let mut end = start;
    while end > nearest {
        // `end` is the start of a line, so the byte before it ends the line that is looked at.
        let before = memchr::memrchr(b'\n', slice(bytes, 0, end - 1)).map_or(0, |newline| newline + 1);
        if is_torn(before) {
            return !is_torn(start);
        }
        end = before;
    }
    false
}

/// See [`super::Layout::skip`].
pub(super) fn skip(prefix: &Prefix, bytes: &[u8], at_end: bool, state: &mut SkipState) -> Skipped {
    let mut memory = Memory::default();
    let mut start = 0;
    if !state.at_line_start {
        match memchr::memchr(b'\n', bytes) {
            Some(newline) => start = newline + 1,
            None => return Skipped::Drop(bytes.len()),
        }
    }
    state.at_line_start = true;
    while start < bytes.len() {
        let end = line_end(bytes, start);
        if end == bytes.len() && !at_end && end - start < CLASSIFIED_BYTES {
            return Skipped::Drop(start);
        }
        if begins_block(prefix, from(bytes, start), &mut memory) {
            return Skipped::Until(start);
        }
        if end == bytes.len() {
            state.at_line_start = false;
            return Skipped::Drop(end);
        }
        start = end + 1;
    }
    Skipped::Drop(bytes.len())
}

fn begins_block(prefix: &Prefix, line: &[u8], memory: &mut Memory) -> bool {
    at(line, 0) != b'\t'
        && prefix
            .read(line, memory)
            .is_none_or(|matched| matches!(matched.label, Label::Head(_)))
}

/// What a line is that does not begin with a tab, where its text begins and where it ends.
#[derive(Clone, Copy)]
enum Line {
    /// The head of an entry.
    Head {
        text_start: usize,
        end: usize,
    },
    /// A further part of an entry of the process.
    Part {
        label: Label,
        pid: Option<i32>,
        text_start: usize,
        end: usize,
    },
    /// Can be read in more than one way.
    Ambiguous,
    Foreign,
}

/// Tells what the line at `start` is; the fields of a head go into `entry`.
#[inline]
fn line(prefix: &Prefix, texts: &Texts, start: usize, memory: &mut Memory, entry: &mut Entry) -> Line {
    let here = from(&texts.block, start);
    let Some(matched) = prefix.read(here, memory) else {
        return Line::Foreign;
    };
    let text_start = start + matched.text_start;
    let (length, is_doubtful) = rest_of_line(from(here, matched.text_start), prefix.reach());
    if is_doubtful && prefix.has_another_reading(here, matched.text_start) {
        return Line::Ambiguous;
    }
    let end = text_start + length;
    match matched.label {
        Label::Head(severity) => {
            head(&matched, texts, severity, entry);
            Line::Head { text_start, end }
        }
        label => Line::Part {
            label,
            pid: matched.fields.pid,
            text_start,
            end,
        },
    }
}

/// How long the line is that goes on with `rest`, and whether it has what ends a label within the first `reach` bytes. Both are
/// looked for at once, 64 bytes at a time, as most lines end there.
#[inline]
fn rest_of_line(rest: &[u8], reach: usize) -> (usize, bool) {
    let ends_label = |colon: usize| from(rest, colon).starts_with(b":  ");
    let mut position = 0;
    while position < reach
        && let Some(chunk) = from(rest, position).first_chunk::<64>().map(Chunk::of)
    {
        let newlines = chunk.bits_of(b'\n');
        let before_newline = newlines.wrapping_sub(1) & !newlines;
        let mut colons = chunk.bits_of(b':') & before_newline & low_bits(reach - position);
        while colons != 0 {
            if ends_label(position + colons.trailing_zeros() as usize) {
                return (line_end(rest, position), true);
            }
            colons &= colons - 1;
        }
        if newlines != 0 {
            return (position + newlines.trailing_zeros() as usize, false);
        }
        position += 64;
    }
    let end = line_end(rest, position);
    let in_reach = slice(rest, position, end.min(reach));
    let is_doubtful = memchr::memchr_iter(b':', in_reach).any(|colon| ends_label(position + colon));
    (end, is_doubtful)
}

/// See [`super::Layout::parse`].
pub(super) fn parse(prefix: &Prefix, texts: &mut Texts, memory: &mut Memory, sink: &mut impl Sink) {
    memory.begin(prefix.as_str());
    let mut position = 0;
    let mut suspect_until = 0;
    let (mut entry, mut next_entry) = (Entry::new(Severity::Log), Entry::new(Severity::Log));
    // The line at `position`, if it was looked at already; the fields of a head are in `next_entry` then.
    let mut known = None;
    while position < texts.block.len() {
        let start = position;
        if at(&texts.block, start) == b'\t' {
            position = lines_end(&texts.block, start);
            sink.unparsed("continuation_without_entry", start..position, texts);
            continue;
        }
        let found = match known.take() {
            Some(line) => {
                std::mem::swap(&mut entry, &mut next_entry);
                line
            }
            None => line(prefix, texts, start, memory, &mut entry),
        };
        let reason = match found {
            Line::Head { text_start, end } => {
                entry.message = section(
                    texts,
                    (text_start, end),
                    start.saturating_add(MAX_ENTRY_BYTES),
                    &mut position,
                );
                known = further_parts(
                    prefix,
                    texts,
                    memory,
                    (start, &mut position),
                    (&mut entry, &mut next_entry),
                );
                if start >= suspect_until {
                    sink.entry(&entry, texts);
                } else {
                    sink.unparsed("behind_torn_prefix", start..position, texts);
                }
                continue;
            }
            Line::Part { .. } => "detail_without_entry",
            Line::Ambiguous => "ambiguous_prefix",
            Line::Foreign => {
                let foreign = from(&texts.block, start);
                let is_torn = prefix.is_torn(foreign);
                if is_torn {
                    suspect_until = line_end(&texts.block, start) + 1 + SUSPECT_BYTES;
                }
                match crate::foreign::reason(foreign) {
                    "prefix_mismatch" if is_torn => "torn_prefix",
                    reason => reason,
                }
            }
        };
        // Its own further lines belong to it.
        position = lines_end(&texts.block, start);
        sink.unparsed(reason, start..position, texts);
    }
}

/// The end of a line and the further lines that belong to it.
fn lines_end(block: &[u8], start: usize) -> usize {
    let mut end = line_end(block, start) + 1;
    while at(block, end) == b'\t' {
        end = line_end(block, end) + 1;
    }
    end.min(block.len())
}

/// Fills an entry with what its head tells.
#[inline]
fn head(matched: &Matched<'_>, texts: &Texts, severity: Severity, entry: &mut Entry) {
    let fields = &matched.fields;
    *entry = Entry {
        at: fields.at,
        pid: fields.pid,
        start_us: fields.start_us,
        sqlstate: fields.sqlstate,
        query_id: fields.query_id,
        user: texts.span_of(fields.user),
        database: texts.span_of(fields.database),
        application: texts.span_of(fields.application),
        ..Entry::new(severity)
    };
}

/// Adds the further parts to the entry that begins at `start` and whose message is read up to `position`, which moves to the
/// next line; that one is told if it was looked at.
#[inline]
fn further_parts(
    prefix: &Prefix,
    texts: &mut Texts,
    memory: &mut Memory,
    (start, position): (usize, &mut usize),
    (entry, next_entry): (&mut Entry, &mut Entry),
) -> Option<Line> {
    let limit = start.saturating_add(MAX_ENTRY_BYTES);
    tidy(entry, texts);
    let mut next = None;
    while *position < texts.block.len() && *position < limit {
        match line(prefix, texts, *position, memory, next_entry) {
            Line::Part {
                label,
                pid,
                text_start,
                end,
            } if pid == entry.pid => {
                let text = section(texts, (text_start, end), limit, position);
                match label {
                    Label::Detail if entry.detail.is_empty() => entry.detail = text,
                    Label::Statement if entry.statement.is_empty() => entry.statement = text,
                    Label::Context if entry.context.is_empty() => entry.context = text,
                    _ => {}
                }
            }
            other => {
                next = Some(other);
                break;
            }
        }
    }
    if *position > limit {
        entry.truncated = true;
    }
    while *position > limit && *position < texts.block.len() {
        let here = from(&texts.block, *position);
        if begins_block(prefix, here, memory) {
            break;
        }
        *position = line_end(&texts.block, *position) + 1;
    }
    next
}

/// Takes off what this format alone writes around a message: `42P01: ` in front (`log_error_verbosity = verbose`) and
/// ` at character 15` behind.
fn tidy(entry: &mut Entry, texts: &Texts) {
    let message = texts.get(entry.message);
    if entry.severity == Severity::Log {
        if message.starts_with(b"00000: ") {
            entry.sqlstate = Some(*b"00000");
            entry.message = entry.message.skip(7);
        }
        return;
    }
    let code: Option<[u8; 5]> = slice(message, 0, 5).try_into().ok();
    if let Some(code) = code
        && slice(message, 5, 7) == b": "
        && entry.sqlstate.is_none_or(|known| known == code)
        && (code.first().is_some_and(u8::is_ascii_digit) || matches!(slice(&code, 0, 2), b"XX" | b"P0" | b"HV" | b"F0"))
        && code
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    {
        entry.sqlstate = Some(code);
        entry.message = entry.message.skip(7);
    }
    let message = texts.get(entry.message);
    if let Some(place) = memchr::memmem::rfind(message, b" at character ")
        && digits(message, place + 14).is_some_and(|(_, end)| end == message.len())
    {
        entry.message = entry.message.up_to(place);
    }
}

/// A text that begins on a line from `start` to `first_end`, up to the end of its last continuation line; `next` becomes where the
/// line after that begins.
#[inline]
fn section(texts: &mut Texts, (start, first_end): (usize, usize), limit: usize, next: &mut usize) -> Span {
    let mut end = first_end;
    while at(&texts.block, end + 1) == b'\t' && end < texts.block.len() {
        end = line_end(&texts.block, end + 1);
    }
    *next = end + 1;
    let stop = end.min(limit);
    if end == first_end {
        let carriage_return = stop > start && at(&texts.block, stop - 1) == b'\r';
        return texts.in_block(start, stop - usize::from(carriage_return));
    }
    texts.add(|block, arena| {
        let text = slice(block, start, stop);
        let mut rest = text;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            arena.extend_from_slice(slice(rest, 0, newline));
            if arena.last() == Some(&b'\r') {
                arena.pop();
            }
            arena.push(b'\n');
            rest = from(rest, newline + 1);
            rest = rest.strip_prefix(b"\t").unwrap_or(rest);
        }
        arena.extend_from_slice(rest);
    })
}

/// Whether the sample begins with the head of an entry.
pub(crate) fn begins_with_entry(prefix: &Prefix, sample: &[u8]) -> bool {
    let matched = prefix.read(sample, &mut Memory::default());
    matched.is_some_and(|matched| matches!(matched.label, Label::Head(_)))
}

/// Whether a line of the sample is the head of an entry.
pub(crate) fn has_entry(prefix: &Prefix, sample: &[u8]) -> bool {
    let mut memory = Memory::default();
    let mut start = 0;
    while start < sample.len() {
        let here = from(sample, start);
        if prefix
            .read(here, &mut memory)
            .is_some_and(|matched| matches!(matched.label, Label::Head(_)))
        {
            return true;
        }
        start = line_end(sample, start) + 1;
    }
    false
}
