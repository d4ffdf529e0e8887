//! `log_destination = stderr`: lines that begin with `log_line_prefix`.
//!
//! A *head* line has prefix and severity. Its message goes on in lines that begin with a tab, and the entry in lines with the
//! same prefix and DETAIL, HINT, CONTEXT, QUERY, STATEMENT or LOCATION. The server puts a tab before every further line of a
//! text, so a line without one that matches the prefix was written by the server itself. Any other line is foreign, and ends the
//! entry: a forged DETAIL behind it is not joined.

use super::{SkipState, Skipped};
use crate::bytes::{at, digits, from, line_end, slice};
use crate::entry::{Entry, MAX_ENTRY_BYTES, Sink, Span, Texts};
use crate::instant::Clock;
use crate::prefix::{Matched, Prefix};
use crate::severity::{Label, Severity};

/// A line is classified when it is whole, or when this much of it is there.
const CLASSIFIED_BYTES: usize = 8 * 1024;

/// The last line start where an entry or a foreign line begins.
pub(super) fn cut(prefix: &Prefix, bytes: &[u8]) -> usize {
    let mut clock = Clock::default();
    let mut end = bytes.len();
    while let Some(newline) = memchr::memrchr(b'\n', slice(bytes, 0, end)) {
        let start = newline + 1;
        let whole = end < bytes.len() || bytes.len() - start >= CLASSIFIED_BYTES;
        if whole && start < bytes.len() && begins_block(prefix, from(bytes, start), &mut clock) {
            return start;
        }
        end = newline;
    }
    0
}

/// See [`super::Layout::skip`].
pub(super) fn skip(prefix: &Prefix, bytes: &[u8], at_end: bool, state: &mut SkipState) -> Skipped {
    let mut clock = Clock::default();
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
        if begins_block(prefix, from(bytes, start), &mut clock) {
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

fn begins_block(prefix: &Prefix, line: &[u8], clock: &mut Clock) -> bool {
    at(line, 0) != b'\t'
        && prefix
            .read(line, clock)
            .is_none_or(|matched| matches!(matched.label, Label::Head(_)))
}

/// See [`super::Layout::parse`].
pub(super) fn parse(prefix: &Prefix, texts: &mut Texts, clock: &mut Clock, sink: &mut impl Sink) {
    let mut position = 0;
    let mut orphans = false;
    while position < texts.block.len() {
        let here = from(&texts.block, position);
        if at(here, 0) == b'\t' {
            if !std::mem::replace(&mut orphans, true) {
                sink.unparsed("continuation_without_entry");
            }
            position = line_end(&texts.block, position) + 1;
            continue;
        }
        match prefix.read(here, clock) {
            Some(matched) => match matched.label {
                Label::Head(severity) => {
                    let head = spans(&matched, texts, position);
                    let (entry, end) = entry(prefix, texts, clock, position, severity, &head);
                    sink.entry(&entry, texts);
                    position = end;
                    orphans = false;
                }
                _ => {
                    sink.unparsed("detail_without_entry");
                    position = line_end(&texts.block, position) + 1;
                    orphans = true;
                }
            },
            None => {
                sink.unparsed("prefix_mismatch");
                position = line_end(&texts.block, position) + 1;
                // Its own further lines belong to it.
                orphans = true;
            }
        }
    }
}

/// The entry's fields, and where its message begins.
fn spans(matched: &Matched<'_>, texts: &Texts, line_start: usize) -> (Entry, usize) {
    let fields = &matched.fields;
    let entry = Entry {
        at: fields.at,
        pid: fields.pid,
        start_us: fields.start_us,
        sqlstate: fields.sqlstate,
        query_id: fields.query_id,
        user: texts.span_of(fields.user),
        database: texts.span_of(fields.database),
        application: texts.span_of(fields.application),
        ..Entry::new(Severity::Log)
    };
    (entry, line_start + matched.text_start)
}

fn entry(
    prefix: &Prefix,
    texts: &mut Texts,
    clock: &mut Clock,
    start: usize,
    severity: Severity,
    head: &(Entry, usize),
) -> (Entry, usize) {
    let limit = start.saturating_add(MAX_ENTRY_BYTES);
    let mut entry = Entry { severity, ..head.0 };
    let mut position;
    (entry.message, position) = section(texts, head.1, limit);
    tidy(&mut entry, texts);
    // What is logged with most entries is one line: look for more only where the next line is no head.
    while position < texts.block.len() && position < limit {
        let Some(matched) = prefix.read(from(&texts.block, position), clock) else {
            break;
        };
        let of_another = matched.fields.pid != entry.pid;
        if matches!(matched.label, Label::Head(_)) || of_another {
            break;
        }
        let label = matched.label;
        let text_start = position + matched.text_start;
        let (text, end) = section(texts, text_start, limit);
        position = end;
        match label {
            Label::Detail if entry.detail.is_empty() => entry.detail = text,
            Label::Statement if entry.statement.is_empty() => entry.statement = text,
            _ => {}
        }
    }
    if position > limit {
        entry.truncated = true;
    }
    while position > limit && position < texts.block.len() {
        let here = from(&texts.block, position);
        if begins_block(prefix, here, clock) {
            break;
        }
        position = line_end(&texts.block, position) + 1;
    }
    (entry, position)
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

/// A text from `start` to the end of its last continuation line, and where the next line begins.
fn section(texts: &mut Texts, start: usize, limit: usize) -> (Span, usize) {
    let first_end = line_end(&texts.block, start);
    let mut end = first_end;
    while at(&texts.block, end + 1) == b'\t' && end < texts.block.len() {
        end = line_end(&texts.block, end + 1);
    }
    let stop = end.min(limit);
    if end == first_end {
        let carriage_return = stop > start && at(&texts.block, stop - 1) == b'\r';
        return (texts.in_block(start, stop - usize::from(carriage_return)), end + 1);
    }
    let text = texts.add(|block, arena| {
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
    });
    (text, end + 1)
}

/// Whether the sample begins with the head of an entry.
pub(crate) fn begins_with_entry(prefix: &Prefix, sample: &[u8]) -> bool {
    let matched = prefix.read(sample, &mut Clock::default());
    matched.is_some_and(|matched| matches!(matched.label, Label::Head(_)))
}

/// Whether a line of the sample is the head of an entry.
pub(crate) fn has_entry(prefix: &Prefix, sample: &[u8]) -> bool {
    let mut clock = Clock::default();
    let mut start = 0;
    while start < sample.len() {
        let here = from(sample, start);
        if prefix
            .read(here, &mut clock)
            .is_some_and(|matched| matches!(matched.label, Label::Head(_)))
        {
            return true;
        }
        start = line_end(sample, start) + 1;
    }
    false
}
