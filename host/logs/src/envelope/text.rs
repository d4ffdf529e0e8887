//! A text that the server wrote, put down as it would stand in a file of its own.

use super::Stamp;
use crate::bytes::{at, digits, from, line_end, slice, up_to};
use crate::severity::Label;

/// What the envelope tells of a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Head<'h> {
    /// RFC 3339; empty where the envelope does not tell.
    pub(super) at: &'h [u8],
    /// Digits, or empty.
    pub(super) process: &'h [u8],
}

/// Writes an entry: its first line, and the further ones with a tab, or as DETAIL and the like if they begin as the first does.
pub(super) fn entry(out: &mut Vec<u8>, stamp: Stamp, head: Head<'_>, text: &[u8]) {
    let text = text.trim_ascii_end();
    let first = slice(text, 0, line_end(text, 0));
    let mut position = 0;
    while position < text.len() {
        let end = line_end(text, position);
        let line = slice(text, position, end);
        if position == 0 {
            if !line.starts_with(b"\t") {
                stamped(out, stamp, head);
            }
        } else if goes_on(first, line) {
            stamped(out, stamp, head);
        } else if !line.starts_with(b"\t") {
            out.push(b'\t');
        }
        out.extend_from_slice(line);
        out.push(b'\n');
        position = end + 1;
    }
}

/// Writes a line that may be the head of an entry, or goes on with the one before: for certain if it has no label.
pub(super) fn line(out: &mut Vec<u8>, stamp: Stamp, head: Head<'_>, text: &[u8], may_be_head: bool) {
    let first = slice(text, 0, line_end(text, 0));
    if text.starts_with(b"\t") || (may_be_head && label(first).is_some()) {
        entry(out, stamp, head, text);
        return;
    }
    for line in text.trim_ascii_end().split(|byte| *byte == b'\n') {
        if !line.starts_with(b"\t") {
            out.push(b'\t');
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

/// Whether a line has the prefix of the first one, but for its numbers, and a label that goes on with an entry.
pub(super) fn goes_on(first: &[u8], line: &[u8]) -> bool {
    let (Some((_, first_place)), Some((kind, place))) = (label(first), label(line)) else {
        return false;
    };
    !matches!(kind, Label::Head(_)) && alike(slice(first, 0, first_place), slice(line, 0, place))
}

/// The first label in a line, and where it stands.
pub(super) fn label(line: &[u8]) -> Option<(Label, usize)> {
    let head = up_to(line, Label::MAX_POSITION);
    memchr::memmem::find_iter(head, b":  ").find_map(|colon| {
        let word = slice(head, 0, colon)
            .iter()
            .rposition(|byte| !byte.is_ascii_alphanumeric())
            .map_or(0, |last| last + 1);
        // A prefix may end in a number or a word of small letters.
        let capitals = slice(head, 0, colon)
            .iter()
            .rposition(|byte| !byte.is_ascii_uppercase())
            .map_or(0, |last| last + 1);
        [word, capitals]
            .into_iter()
            .find_map(|start| Label::read(from(head, start)).map(|(label, _)| (label, start)))
    })
}

/// Equal but for the numbers.
fn alike(one: &[u8], other: &[u8]) -> bool {
    let (mut mine, mut theirs) = (0, 0);
    loop {
        match (digits(one, mine), digits(other, theirs)) {
            (Some((_, end)), Some((_, other_end))) => (mine, theirs) = (end, other_end),
            (None, None) if mine >= one.len() && theirs >= other.len() => return true,
            (None, None) if mine < one.len() && at(one, mine) == at(other, theirs) => {
                mine += 1;
                theirs += 1;
            }
            _ => return false,
        }
    }
}

fn stamped(out: &mut Vec<u8>, stamp: Stamp, head: Head<'_>) {
    if stamp.time {
        time(out, head.at);
    }
    if stamp.process {
        let process: &[u8] = if head.process.is_empty() { b"0" } else { head.process };
        out.push(b'[');
        out.extend_from_slice(process);
        out.extend_from_slice(b"] ");
    }
}

/// `2026-11-23T05:04:31.054321+01:00` as the server writes it: `2026-11-23 05:04:31.054 +0100 `.
fn time(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(slice(text, 0, 10));
    out.push(b' ');
    out.extend_from_slice(slice(text, 11, 19));
    let mut zone = 19;
    let mut millis = *b"000";
    if at(text, 19) == b'.'
        && let Some((_, end)) = digits(text, 20)
    {
        for (place, digit) in millis.iter_mut().zip(slice(text, 20, end)) {
            *place = *digit;
        }
        zone = end;
    }
    out.push(b'.');
    out.extend_from_slice(&millis);
    out.push(b' ');
    let zone = from(text, zone);
    if zone.starts_with(b"Z") || zone.starts_with(b"z") || zone.is_empty() {
        out.extend_from_slice(b"UTC");
    } else {
        out.extend(zone.iter().filter(|byte| **byte != b':'));
    }
    out.push(b' ');
}

/// Reads RFC 3339: how long it is.
pub(super) fn rfc3339(bytes: &[u8]) -> Option<usize> {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = shape.iter().enumerate().all(|(place, kind)| match kind {
        b'd' => at(bytes, place).is_ascii_digit(),
        other => at(bytes, place) == *other,
    });
    if !fits {
        return None;
    }
    let mut end = shape.len();
    if at(bytes, end) == b'.' {
        end = digits(bytes, end + 1)?.1;
    }
    match at(bytes, end) {
        b'Z' => Some(end + 1),
        b'+' | b'-' => {
            let (_, hours) = digits(bytes, end + 1)?;
            match (hours - end - 1, at(bytes, hours)) {
                (4, _) => Some(hours),
                (2, b':') => digits(bytes, hours + 1).map(|(_, end)| end),
                _ => None,
            }
        }
        _ => None,
    }
}
