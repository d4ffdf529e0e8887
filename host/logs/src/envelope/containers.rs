//! What container runtimes and operators write: CRI, Docker's json-file, CloudNativePG.

use super::object::{Value, member, members};
use super::text::rfc3339;
use super::{MAX_PIECE_BYTES, Out, Unwrap, most_lines};
use crate::bytes::{at, from, slice};

/// `2026-11-23T05:04:31.054321987Z stderr F text`: kubelet's files. `P` marks a part of a line.
#[derive(Debug, Default)]
pub(super) struct Cri {
    /// A line of stdout and one of stderr that are not whole yet.
    parts: [Vec<u8>; 2],
    too_long: [bool; 2],
}

/// Which of the two streams, whether the line ends here, and the text.
fn cri(line: &[u8]) -> Option<(usize, bool, &[u8])> {
    let rest = from(line, rfc3339(line)?);
    let (stream, rest) = match rest.strip_prefix(b" stdout ") {
        Some(rest) => (0, rest),
        None => (1, rest.strip_prefix(b" stderr ")?),
    };
    // `F` or `P`, perhaps with further tags.
    let tag = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
    let is_whole = match at(rest, 0) {
        b'F' => true,
        b'P' => false,
        _ => return None,
    };
    (tag <= 16).then(|| (stream, is_whole, from(rest, tag + 1)))
}

pub(super) fn is_cri_sample(sample: &[u8]) -> bool {
    most_lines(sample, |line| cri(line).is_some())
}

impl Unwrap for Cri {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        let Some((stream, is_whole, text)) = cri(piece) else {
            out.drop("invalid_envelope");
            return;
        };
        let (Some(part), Some(too_long)) = (self.parts.get_mut(stream), self.too_long.get_mut(stream)) else {
            return;
        };
        if part.len() + text.len() > MAX_PIECE_BYTES {
            *too_long = true;
            part.clear();
        }
        if !*too_long {
            part.extend_from_slice(text);
        }
        if is_whole {
            if std::mem::take(too_long) {
                out.drop("entry_too_long");
            } else {
                out.bytes.append(part);
                out.bytes.push(b'\n');
            }
        }
    }

    fn finish(&mut self, out: &mut Out) {
        for part in &mut self.parts {
            if !part.is_empty() {
                out.bytes.append(part);
                out.bytes.push(b'\n');
            }
        }
    }
}

/// `{"log":"text\n","stream":"stderr","time":"…"}`: a text without a line end is a part of a line.
#[derive(Debug, Default)]
pub(super) struct Docker {
    parts: [Vec<u8>; 2],
    too_long: [bool; 2],
}

impl Unwrap for Docker {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        let Some(text) = member(piece, b"log").and_then(Value::text) else {
            out.drop("invalid_envelope");
            return;
        };
        let is_error = member(piece, b"stream") == Some(Value::Text(b"stderr"));
        let stream = usize::from(is_error);
        let (Some(part), Some(too_long)) = (self.parts.get_mut(stream), self.too_long.get_mut(stream)) else {
            return;
        };
        if part.len() + text.len() > MAX_PIECE_BYTES {
            *too_long = true;
            part.clear();
        }
        if !*too_long {
            part.extend_from_slice(&text);
        }
        if text.ends_with(b"\n") {
            if std::mem::take(too_long) {
                out.drop("entry_too_long");
            }
            out.bytes.append(part);
        }
    }

    fn finish(&mut self, out: &mut Out) {
        for part in &mut self.parts {
            if !part.is_empty() {
                out.bytes.append(part);
                out.bytes.push(b'\n');
            }
        }
    }
}

/// `{"level":"info","logger":"postgres","msg":"record","record":{…}}`: the columns of csvlog by name, which are put down as
/// jsonlog.
#[derive(Debug)]
pub(super) struct CloudNativePg;

/// Columns that are used, and their keys in jsonlog. The first is what jsonlog begins with.
const COLUMNS: [(&[u8], &str); 13] = [
    (b"log_time", "timestamp"),
    (b"user_name", "user"),
    (b"database_name", "dbname"),
    (b"process_id", "pid"),
    (b"session_id", "session_id"),
    (b"error_severity", "error_severity"),
    (b"sql_state_code", "state_code"),
    (b"message", "message"),
    (b"detail", "detail"),
    (b"query", "statement"),
    (b"application_name", "application_name"),
    (b"backend_type", "backend_type"),
    (b"query_id", "query_id"),
];

impl Unwrap for CloudNativePg {
    fn piece(&mut self, piece: &[u8], out: &mut Out) {
        if piece.trim_ascii().is_empty() {
            return;
        }
        let mut logger: &[u8] = b"";
        let mut record: &[u8] = b"";
        let read = members(piece, &mut |key, value| match key {
            b"logger" => logger = value.raw(),
            b"record" => record = value.raw(),
            _ => {}
        });
        if read.is_none() {
            out.drop("invalid_envelope");
            return;
        }
        let mut values: [Option<Value<'_>>; COLUMNS.len()] = [None; COLUMNS.len()];
        let read = members(record, &mut |key, value| {
            let place = COLUMNS.iter().position(|column| column.0 == key);
            if let Some(place) = place.and_then(|place| values.get_mut(place)) {
                *place = Some(value);
            }
        });
        // The operator's own lines, and what the server wrote before its collector began.
        if read.is_none() || logger != b"postgres" || values.first().is_none_or(Option::is_none) {
            out.drop(match logger {
                b"pgbouncer" => "pgbouncer_line",
                _ => "other_program",
            });
            return;
        }
        let mut separator = b'{';
        for ((_, key), value) in COLUMNS.iter().zip(values) {
            let Some(value) = value.filter(|value| !value.raw().is_empty()) else {
                continue;
            };
            let is_number = matches!(*key, "pid" | "query_id");
            if is_number && crate::bytes::signed(value.raw(), 0).is_none_or(|(_, end)| end < value.raw().len()) {
                continue;
            }
            out.bytes.push(separator);
            separator = b',';
            out.bytes.extend_from_slice(b"\"");
            out.bytes.extend_from_slice(key.as_bytes());
            out.bytes.extend_from_slice(b"\":");
            match value {
                Value::Text(raw) if !is_number => {
                    out.bytes.push(b'"');
                    out.bytes.extend_from_slice(raw);
                    out.bytes.push(b'"');
                }
                value => out.bytes.extend_from_slice(slice(value.raw(), 0, value.raw().len())),
            }
        }
        out.bytes.extend_from_slice(b"}\n");
    }
}
