//! The members of a JSON object, as they stand in its bytes; and which service an object is of.

use super::split::Pieces;
use super::{Found, MAX_LINES};
use crate::bytes::{at, from, line_end, slice, up_to};
use crate::evidence::Envelope;
use crate::format::json;

/// A value as it stands in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'o> {
    /// Between the quotes, escapes as they are.
    Text(&'o [u8]),
    /// Anything else.
    Other(&'o [u8]),
}

impl<'o> Value<'o> {
    /// The text, unescaped.
    pub(super) fn text(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(raw) => {
                let mut text = Vec::with_capacity(raw.len());
                json::unescape(raw, &mut text);
                Some(text)
            }
            Self::Other(_) => None,
        }
    }

    /// A text or a number as it stands.
    pub(super) fn raw(self) -> &'o [u8] {
        match self {
            Self::Text(raw) | Self::Other(raw) => raw,
        }
    }
}

/// Shows each member of an object to `visit`; none if it is not one.
pub(super) fn members<'o>(object: &'o [u8], visit: &mut dyn FnMut(&'o [u8], Value<'o>)) -> Option<()> {
    let mut position = json::blanks(object, 0);
    if at(object, position) != b'{' {
        return None;
    }
    position = json::blanks(object, position + 1);
    if at(object, position) == b'}' {
        return Some(());
    }
    loop {
        let (key, after) = json::string(object, position)?;
        position = json::blanks(object, after);
        if at(object, position) != b':' {
            return None;
        }
        position = json::blanks(object, position + 1);
        let (value, end) = if at(object, position) == b'"' {
            let (text, end) = json::string(object, position)?;
            (Value::Text(slice(object, text.start, text.end)), end)
        } else {
            let end = json::skip_value(object, position, 0)?;
            (Value::Other(slice(object, position, end)), end)
        };
        visit(slice(object, key.start, key.end), value);
        position = json::blanks(object, end);
        match at(object, position) {
            b',' => position = json::blanks(object, position + 1),
            b'}' => return Some(()),
            _ => return None,
        }
    }
}

/// The member of an object with this key.
pub(super) fn member<'o>(object: &'o [u8], wanted: &[u8]) -> Option<Value<'o>> {
    let mut found = None;
    members(object, &mut |key, value| {
        if key == wanted {
            found = Some(value);
        }
    })?;
    found
}

/// An object without line ends between its members, so that it is one line.
pub(super) fn on_one_line(object: &[u8]) -> Vec<u8> {
    let blank = |byte: &u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte };
    object.iter().map(blank).collect()
}

/// Tells the envelope of a sample that is made of objects.
pub(super) fn of_sample(sample: &[u8]) -> Option<Found> {
    let text = sample.trim_ascii_start();
    let array = text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    let wrapped = ["events", "records", "value"].iter().find_map(|key| {
        let text = text.strip_prefix(b"{")?.trim_ascii_start();
        let text = text.strip_prefix(format!("\"{key}\"").as_bytes())?.trim_ascii_start();
        let text = text.strip_prefix(b":")?.trim_ascii_start();
        Some(text.strip_prefix(b"[")?.trim_ascii_start())
    });
    let (pieces, mut rest) = match (wrapped, array) {
        (Some(rest), _) => (Pieces::ObjectsInside, rest),
        (None, Some(rest)) => (Pieces::Objects, rest),
        (None, None) => (Pieces::Objects, text),
    };
    // The first objects may be of others: an operator's own lines, an audit's.
    for _ in 0..MAX_LINES {
        if at(rest, 0) == b'{' {
            let end = match json::skip_value(&on_one_line(up_to(rest, 64 * 1024)), 0, 0) {
                Some(end) => end,
                None => line_end(rest, 0),
            };
            let object = on_one_line(slice(rest, 0, end));
            if let Some(envelope) = of_object(&object) {
                let by_line = matches!(envelope, Envelope::Docker | Envelope::Cloudnativepg);
                let pieces = if by_line { Pieces::Lines } else { pieces };
                return Some(Found { envelope, pieces });
            }
            rest = from(rest, end);
        } else {
            rest = from(rest, line_end(rest, 0) + 1);
        }
        let next = rest
            .iter()
            .position(|byte| !matches!(byte, b',' | b' ' | b'\n' | b'\r' | b'\t'))?;
        rest = from(rest, next);
        // A log of the server's own is none of these.
        if at(text, 0) != b'{' && array.is_none() {
            return None;
        }
    }
    None
}

fn of_object(object: &[u8]) -> Option<Envelope> {
    let has = |key: &[u8]| member(object, key);
    if has(b"textPayload").is_some()
        && (has(b"logName").is_some() || has(b"resource").is_some() || has(b"insertId").is_some())
    {
        return Some(Envelope::GoogleCloud);
    }
    if let Some(Value::Other(record)) = has(b"record")
        && has(b"logger").is_some()
        && member(record, b"error_severity").is_some()
    {
        return Some(Envelope::Cloudnativepg);
    }
    if let Some(Value::Other(properties)) = has(b"properties")
        && member(properties, b"message").is_some()
        && (member(properties, b"errorLevel").is_some() || has(b"category").is_some())
    {
        return Some(Envelope::Azure);
    }
    if let (Some(Value::Text(_)), Some(Value::Text(_)), Some(_)) = (has(b"log"), has(b"time"), has(b"stream")) {
        return Some(Envelope::Docker);
    }
    if let (Some(Value::Text(_)), Some(Value::Other(_)), Some(_)) = (
        has(b"message"),
        has(b"timestamp"),
        has(b"ingestionTime").or(has(b"logStreamName")).or(has(b"eventId")),
    ) {
        return Some(Envelope::Cloudwatch);
    }
    None
}
