//! Exports of the logging services of clouds: Google Cloud, Azure Monitor, Amazon CloudWatch.

use std::collections::BTreeMap;

use super::object::{Value, member, members, on_one_line};
use super::split::{Pieces, Split};
use super::text::{self, Head, rfc3339};
use super::{Out, Stamp, Unwrap, most_lines};
use crate::bytes::{at, from, line_end, slice};
use crate::severity::{Label, Severity};

/// Cloud SQL and AlloyDB: `{"textPayload":"…","timestamp":"…","logName":"…postgres.log",…}`. The text is one line that the server
/// wrote, or a whole entry; older ones have no time in it. Some exports have lost the tab before the further lines of a text: a
/// line is a head only if it has a label and begins as heads do, and goes on with the entry before it otherwise.
#[derive(Debug)]
pub(super) struct Google {
    stamp: Stamp,
    /// What heads begin with, as far as the sample tells.
    begins_with: Option<Kind>,
}

/// What a head begins with: the digits of a time, a letter, or something of its own (`[`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Digit,
    Letter,
    Other(u8),
}

impl Kind {
    fn of(line: &[u8]) -> Self {
        match at(line, 0) {
            b'0'..=b'9' => Self::Digit,
            byte if byte.is_ascii_alphabetic() => Self::Letter,
            byte => Self::Other(byte),
        }
    }
}

/// What an object of Google's tells.
#[derive(Default)]
struct GoogleEntry<'o> {
    text: Option<Vec<u8>>,
    log: &'o [u8],
    at: &'o [u8],
}

impl<'o> GoogleEntry<'o> {
    fn read(object: &'o [u8]) -> Option<Self> {
        let mut entry = Self::default();
        members(object, &mut |key, value| match key {
            b"textPayload" => entry.text = value.text(),
            b"logName" => entry.log = value.raw(),
            b"timestamp" => entry.at = value.raw(),
            _ => {}
        })?;
        Some(entry)
    }
}

impl Google {
    pub(super) fn new(stamp: Stamp, pieces: Pieces, sample: &[u8]) -> Self {
        /// How many heads begin with what.
        #[derive(Default)]
        struct Heads(BTreeMap<Kind, u32>);
        impl Unwrap for Heads {
            fn piece(&mut self, piece: &[u8], _: &mut Out) {
                let object = on_one_line(piece);
                let text = GoogleEntry::read(&object).and_then(|entry| entry.text);
                let Some(text) = text else { return };
                let first = slice(&text, 0, line_end(&text, 0));
                if let Some((Label::Head(_), _)) = text::label(first) {
                    *self.0.entry(Kind::of(first)).or_default() += 1;
                }
            }
        }
        let mut heads = Heads::default();
        Split::new(pieces).feed(sample, &mut heads, &mut Out::default());
        let most = heads.0.into_iter().max_by_key(|(_, count)| *count);
        Self {
            stamp,
            begins_with: most.map(|(kind, _)| kind),
        }
    }
}

impl Unwrap for Google {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        let object = on_one_line(piece);
        let Some(entry) = GoogleEntry::read(&object) else {
            out.drop("invalid_envelope");
            return;
        };
        let is_server = entry.log.is_empty() || memchr::memmem::find(entry.log, b"postgres").is_some();
        match entry.text {
            Some(text) if is_server => {
                let head = Head {
                    at: known_time(entry.at),
                    process: b"",
                };
                let may_be_head = self.begins_with.is_none_or(|kind| kind == Kind::of(&text));
                text::line(&mut out.bytes, self.stamp, head, &text, may_be_head);
            }
            _ => out.drop("other_program"),
        }
    }
}

fn known_time(at: &[u8]) -> &[u8] {
    if rfc3339(at) == Some(at.len()) { at } else { b"" }
}

/// Flexible server: `{"properties":{"message":"prefixLOG:  …","detail":"…","errorLevel":"LOG",…},"category":"PostgreSQLLogs"}`.
#[derive(Debug)]
pub(super) struct Azure {
    pub(super) stamp: Stamp,
}

impl Unwrap for Azure {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        let object = on_one_line(piece);
        let (mut properties, mut category, mut at): (&[u8], &[u8], &[u8]) = (b"", b"", b"");
        let read = members(&object, &mut |key, value| match key {
            b"properties" => properties = value.raw(),
            b"category" => category = value.raw(),
            b"time" => at = value.raw(),
            _ => {}
        });
        if read.is_none() {
            out.drop("invalid_envelope");
            return;
        }
        let mut found = AzureEntry::default();
        let read = members(properties, &mut |key, value| match key {
            b"message" => found.message = value.text(),
            b"detail" => found.detail = value.text(),
            b"statement" | b"query" => found.statement = value.text(),
            b"errorLevel" => found.level = value.raw(),
            b"sqlerrcode" => found.state = value.raw(),
            b"processId" => found.process = value.raw(),
            _ => {}
        });
        let is_server = category.is_empty() || category == b"PostgreSQLLogs";
        match (read, found.message.take()) {
            (Some(()), Some(message)) if is_server => {
                let process = if found.process.iter().all(u8::is_ascii_digit) {
                    found.process
                } else {
                    b""
                };
                let head = Head {
                    at: known_time(at),
                    process,
                };
                found.write(&mut out.bytes, self.stamp, head, &message);
            }
            _ => out.drop("other_program"),
        }
    }
}

#[derive(Debug, Default)]
struct AzureEntry<'o> {
    message: Option<Vec<u8>>,
    detail: Option<Vec<u8>>,
    statement: Option<Vec<u8>>,
    level: &'o [u8],
    state: &'o [u8],
    process: &'o [u8],
}

impl AzureEntry<'_> {
    fn write(&self, out: &mut Vec<u8>, stamp: Stamp, head: Head<'_>, message: &[u8]) {
        let first = slice(message, 0, line_end(message, 0));
        let (prefix, said) = match text::label(first) {
            // What follows the label and its two blanks.
            Some((_, place)) => {
                let label_end =
                    memchr::memmem::find(from(first, place), b":  ").map_or(first.len(), |colon| place + colon + 3);
                (slice(message, 0, place), from(message, label_end))
            }
            None => (&b""[..], message),
        };
        let level = match text::label(first) {
            Some((Label::Head(severity), _)) => severity.name().as_bytes(),
            Some(_) => {
                // DETAIL or STATEMENT in an object of its own.
                text::entry(out, stamp, head, message);
                return;
            }
            None => self.level,
        };
        let mut line = [prefix, level, b":  "].concat();
        let is_error = Severity::parse(level).is_some_and(Severity::is_error);
        if is_error && self.state.len() == 5 && self.state.iter().all(u8::is_ascii_alphanumeric) {
            // As `log_error_verbosity = verbose` writes it.
            line.extend_from_slice(self.state);
            line.extend_from_slice(b": ");
        }
        line.extend_from_slice(said);
        text::entry(out, stamp, head, &line);
        for (label, text) in [
            (&b"DETAIL:  "[..], &self.detail),
            (&b"STATEMENT:  "[..], &self.statement),
        ] {
            if let Some(text) = text.as_ref().filter(|text| !text.trim_ascii().is_empty()) {
                text::entry(out, stamp, head, &[prefix, label, text].concat());
            }
        }
    }
}

/// RDS and Aurora, by `filter-log-events` or `get-log-events`: `{"events":[{"timestamp":1795410000000,"message":"…"},…]}`.
#[derive(Debug)]
pub(super) struct CloudWatch {
    pub(super) stamp: Stamp,
}

impl Unwrap for CloudWatch {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        let object = on_one_line(piece);
        let Some(message) = member(&object, b"message").and_then(Value::text) else {
            out.drop("invalid_envelope");
            return;
        };
        // The prefix of RDS cannot lack the time.
        let stamp = Stamp {
            time: false,
            ..self.stamp
        };
        text::entry(&mut out.bytes, stamp, Head::default(), &message);
    }
}

/// The same, exported to a file or tailed: `2026-11-23T05:04:31.000Z 2026-11-23 05:04:31 UTC:…`; further lines are as they were.
#[derive(Debug)]
pub(super) struct Tailed;

/// The text behind the time of arrival, if it begins with a time of its own.
fn tailed(line: &[u8]) -> Option<&[u8]> {
    let end = rfc3339(line)?;
    let text = from(line, end).strip_prefix(b" ")?;
    let begins_with_time = at(text, 4) == b'-' && at(text, 7) == b'-' && at(text, 10) == b' ' && at(text, 13) == b':';
    begins_with_time.then_some(text)
}

pub(super) fn is_tailed_sample(sample: &[u8]) -> bool {
    most_lines(sample, |line| tailed(line).is_some() || line.starts_with(b"\t"))
        && tailed(slice(sample, 0, line_end(sample, 0))).is_some()
}

impl Unwrap for Tailed {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        // A line of a text stands as it was written, with its tab.
        let text = tailed(piece).unwrap_or(piece);
        out.bytes.extend_from_slice(text);
        out.bytes.push(b'\n');
    }
}
