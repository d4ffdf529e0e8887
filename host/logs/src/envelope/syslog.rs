//! Lines of syslog as rsyslog, syslog-ng or the journal put them into a file.
//!
//! The server writes an entry as several messages: one for each line, and more for lines above 900 bytes, marked `[7-2]` (entry,
//! part) or `[2]` (`syslog_sequence_numbers = off`). Those of several processes interleave. The head is that of RFC 3164, which
//! has no year and no time zone and so tells no instant; the same with RFC 3339 time; or RFC 5424.

use std::collections::VecDeque;

use super::text::{self, Head, rfc3339};
use super::{MAX_PIECE_BYTES, Out, Stamp, Unwrap, most_lines};
use crate::bytes::{at, digits, from, line_end, slice, up_to};

/// The server cuts lines after this many bytes at most, and a few less inside a character.
const CHUNK_BYTES: usize = 900;
/// An entry is over when none of this many lines went on with it.
const MAX_LAG: u64 = 128;
/// Bytes of entries that are not over.
const MAX_OPEN_BYTES: usize = 2 * MAX_PIECE_BYTES;
/// Most names of the server learnt from a sample.
const MAX_IDENTS: usize = 8;

/// One line in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line<'l> {
    /// RFC 3339, or empty.
    at: &'l [u8],
    ident: &'l [u8],
    process: &'l [u8],
    text: &'l [u8],
}

/// What the server writes in front of a part of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// The number of the entry, where it is told.
    sequence: Option<u64>,
    part: u64,
}

pub(super) struct Syslog {
    stamp: Stamp,
    /// Names that the server logs under (`syslog_ident`).
    idents: Vec<Vec<u8>>,
    /// In the order of their first parts.
    open: VecDeque<Entry>,
    open_bytes: usize,
    lines: u64,
}

/// An entry that may go on.
struct Entry {
    at: Vec<u8>,
    process: Vec<u8>,
    sequence: Option<u64>,
    text: Vec<u8>,
    last_part_bytes: usize,
    last_line: u64,
    over: bool,
    too_long: bool,
}

/// Whether a sample is made of lines of syslog, of which some may be the server's.
pub(super) fn is_sample(sample: &[u8]) -> bool {
    most_lines(sample, |line| read(line).is_some()) && !idents(sample).is_empty()
}

/// What the heads tell, as far as those of the server all do.
pub(super) fn tells(sample: &[u8]) -> Stamp {
    let idents = idents(sample);
    let lines = sample.split(|byte| *byte == b'\n').filter_map(read);
    let mut lines = lines
        .filter(|line| idents.iter().any(|known| known == line.ident))
        .peekable();
    let any = lines.peek().is_some();
    lines.fold(
        Stamp {
            time: any,
            process: any,
        },
        |stamp, line| Stamp {
            time: stamp.time && !line.at.is_empty(),
            process: stamp.process && !line.process.is_empty(),
        },
    )
}

/// The names under which something like an entry of the server was logged.
fn idents(sample: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut position = 0;
    while position < sample.len() && found.len() < MAX_IDENTS {
        let end = line_end(sample, position);
        let line = read(slice(sample, position, end));
        position = end + 1;
        if let Some(line) = line
            && (text::label(line.text).is_some() || line.ident == b"postgres")
            && !found.iter().any(|known| known == line.ident)
        {
            found.push(line.ident.to_vec());
        }
    }
    found
}

impl Syslog {
    pub(super) fn new(stamp: Stamp, sample: &[u8]) -> Self {
        Self {
            stamp,
            idents: idents(sample),
            open: VecDeque::new(),
            open_bytes: 0,
            lines: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Goes on with an entry, or begins one.
    fn part(&mut self, line: &Line<'_>, mark: Option<Mark>, text: &[u8], out: &mut Out) {
        let goes_on = match mark {
            Some(mark) => mark.part > 1,
            None => text.starts_with(b"\t") || text.starts_with(b"#011"),
        };
        let known = self.open.iter_mut().rev().find(|entry| entry.process == line.process);
        if let Some(entry) = known.filter(|entry| goes_on && !entry.over)
            && mark.is_none_or(|mark| mark.sequence == entry.sequence)
        {
            entry.last_line = self.lines;
            self.open_bytes += entry.add(text, mark.is_some());
            return;
        }
        if goes_on && text::label(text).is_none() {
            out.drop("incomplete_envelope");
            return;
        }
        for entry in self.open.iter_mut().filter(|entry| entry.process == line.process) {
            entry.over = true;
        }
        let mut entry = Entry {
            at: line.at.to_vec(),
            process: line.process.to_vec(),
            sequence: mark.and_then(|mark| mark.sequence),
            text: Vec::new(),
            last_part_bytes: 0,
            last_line: self.lines,
            over: false,
            too_long: false,
        };
        self.open_bytes += entry.add(text, mark.is_some());
        self.open.push_back(entry);
    }

    /// Writes the entries that are over, in order.
    fn settle(&mut self, out: &mut Out, all: bool) {
        while let Some(first) = self.open.front() {
            let is_over =
                all || first.over || self.lines - first.last_line > MAX_LAG || self.open_bytes > MAX_OPEN_BYTES;
            if !is_over {
                break;
            }
            let Some(entry) = self.open.pop_front() else { break };
            self.open_bytes = self.open_bytes.saturating_sub(entry.text.len());
            if entry.too_long {
                out.drop("entry_too_long");
                continue;
            }
            let head = Head {
                at: &entry.at,
                process: &entry.process,
            };
            text::entry(&mut out.bytes, self.stamp, head, &entry.text);
        }
    }
}

impl Unwrap for Syslog {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        if piece.trim_ascii().is_empty() {
            return;
        }
        self.lines += 1;
        match read(piece) {
            None => out.drop("invalid_envelope"),
            Some(line) if !self.idents.iter().any(|known| known == line.ident) => out.drop(match line.ident {
                b"pgbouncer" => "pgbouncer_line",
                b"patroni" => "patroni_line",
                _ => "other_program",
            }),
            Some(line) => {
                let (mark, text) = marked(line.text);
                // The server itself never leaves a line end in a part, but the relay may in one that has no mark.
                let text = unescaped(text, mark.is_none());
                self.part(&line, mark, &text, out);
            }
        }
        self.settle(out, false);
    }

    fn finish(&mut self, out: &mut Out) {
        self.settle(out, true);
    }
}

impl Entry {
    /// Appends a part; how many bytes that is.
    fn add(&mut self, part: &[u8], is_marked: bool) -> usize {
        let before = self.text.len();
        if before + part.len() > MAX_PIECE_BYTES {
            self.too_long = true;
        }
        if self.too_long {
            return 0;
        }
        // A line that was cut goes on with the blank where it was cut, or was too long a word to be cut at one. A line of the
        // text begins with a tab, one of the entry with the prefix.
        let was_cut = self.last_part_bytes + 8 >= CHUNK_BYTES;
        let begins_line = part.starts_with(b"\t") || !(part.starts_with(b" ") || was_cut);
        if before > 0 && (begins_line || !is_marked) {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(part);
        self.last_part_bytes = part.len();
        self.text.len() - before
    }
}

/// Reads `[7-2] ` or `[2] `.
fn marked(text: &[u8]) -> (Option<Mark>, &[u8]) {
    let mark = || {
        let rest = text.strip_prefix(b"[")?;
        let (first, end) = digits(rest, 0)?;
        let (mark, end) = match at(rest, end) {
            b'-' => {
                let (part, end) = digits(rest, end + 1)?;
                let sequence = Some(first);
                (Mark { sequence, part }, end)
            }
            _ => (
                Mark {
                    sequence: None,
                    part: first,
                },
                end,
            ),
        };
        let rest = from(rest, end).strip_prefix(b"]")?;
        // An empty part may have lost its blank.
        let rest = rest.strip_prefix(b" ").or(rest.is_empty().then_some(rest))?;
        Some((mark, rest))
    };
    match mark() {
        Some((mark, rest)) => (Some(mark), rest),
        None => (None, text),
    }
}

/// `#011` is a tab: control characters as relays write them. Line ends only where they may be.
fn unescaped(text: &[u8], line_ends: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(mark) = memchr::memchr(b'#', rest) {
        let code = slice(rest, mark + 1, mark + 4);
        let value = code.iter().try_fold(0u32, |value, byte| match byte {
            b'0'..=b'7' => Some(value * 8 + u32::from(byte - b'0')),
            _ => None,
        });
        let byte = match value.filter(|_| code.len() == 3) {
            Some(10 | 13) if !line_ends => None,
            Some(value @ (0..32 | 127)) => u8::try_from(value).ok(),
            _ => None,
        };
        out.extend_from_slice(slice(rest, 0, mark));
        out.push(byte.unwrap_or(b'#'));
        rest = from(rest, mark + if byte.is_some() { 4 } else { 1 });
    }
    out.extend_from_slice(rest);
    out
}

/// Reads the head of a line.
fn read(line: &[u8]) -> Option<Line<'_>> {
    let (priority, rest) = priority(line);
    if let Some(rest) = rest.strip_prefix(b"1 ").filter(|_| priority) {
        return rfc5424(rest);
    }
    if let Some(end) = rfc3339(rest) {
        let at = slice(rest, 0, end);
        return tagged(at, from(rest, end).strip_prefix(b" ")?);
    }
    tagged(b"", after_rfc3164_time(rest)?)
}

/// `<134>`.
fn priority(line: &[u8]) -> (bool, &[u8]) {
    let Some(rest) = line.strip_prefix(b"<") else {
        return (false, line);
    };
    match digits(rest, 0) {
        Some((_, end)) if end <= 3 && at(rest, end) == b'>' => (true, from(rest, end + 1)),
        _ => (false, line),
    }
}

/// `Nov 23 05:04:31 `: what follows.
fn after_rfc3164_time(line: &[u8]) -> Option<&[u8]> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = slice(line, 0, 3);
    let known = MONTHS.chunks_exact(3).any(|name| name == month);
    let day = |place| at(line, place) == b' ' || at(line, place).is_ascii_digit();
    let time = slice(line, 7, 15);
    let shape = time.iter().enumerate().all(|(place, byte)| match place {
        2 | 5 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let fits = known && at(line, 3) == b' ' && day(4) && day(5) && at(line, 6) == b' ' && time.len() == 8 && shape;
    fits.then(|| from(line, 15).strip_prefix(b" ")).flatten()
}

/// `host ident[42]: text`; the host may be missing.
fn tagged<'l>(at_text: &'l [u8], rest: &'l [u8]) -> Option<Line<'l>> {
    let window = up_to(rest, 512);
    let colon = memchr::memmem::find(window, b": ").or_else(|| window.strip_suffix(b":").map(<[u8]>::len))?;
    let head = slice(rest, 0, colon);
    let tag = match head.iter().rposition(|byte| *byte == b' ') {
        Some(space) => from(head, space + 1),
        None => head,
    };
    let (ident, process) = match memchr::memchr(b'[', tag) {
        Some(open) => (slice(tag, 0, open), from(tag, open + 1).strip_suffix(b"]")?),
        None => (tag, &b""[..]),
    };
    let is_head = head.iter().filter(|byte| **byte == b' ').count() <= 1 && !ident.is_empty();
    let process = if process.iter().all(u8::is_ascii_digit) {
        process
    } else {
        b""
    };
    is_head.then(|| Line {
        at: at_text,
        ident,
        process,
        text: from(rest, colon + 2),
    })
}

/// What follows `<134>1 `: `time host ident process id data text`.
fn rfc5424(rest: &[u8]) -> Option<Line<'_>> {
    let mut rest = rest;
    let mut word = || {
        let end = memchr::memchr(b' ', rest)?;
        let word = slice(rest, 0, end);
        rest = from(rest, end + 1);
        Some(word)
    };
    let (time, _host, ident, process, _id) = (word()?, word()?, word()?, word()?, word()?);
    if !(time == b"-" || rfc3339(time) == Some(time.len())) {
        return None;
    }
    let text = after_data(rest)?;
    let text = text.strip_prefix(b" ").unwrap_or(text);
    Some(Line {
        at: if time == b"-" { b"" } else { time },
        ident,
        process: if process.iter().all(u8::is_ascii_digit) {
            process
        } else {
            b""
        },
        text: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
    })
}

/// What follows `-` or `[id name="value"]…`.
fn after_data(rest: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = rest.strip_prefix(b"-") {
        return Some(rest);
    }
    let mut position = 0;
    while at(rest, position) == b'[' {
        let mut quoted = false;
        loop {
            position += 1;
            match rest.get(position)? {
                b'\\' if quoted => position += 1,
                b'"' => quoted = !quoted,
                b']' if !quoted => break,
                _ => {}
            }
        }
        position += 1;
    }
    (position > 0).then(|| from(rest, position))
}
