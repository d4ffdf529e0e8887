//! What a message says: durations, logged statements, parameters, temporary files, templates of errors.
//!
//! **In**: the text of one message, hostile. **Out**: typed values that point into it. **Can fail**: a text that does not have
//! the exact form is something else, never a guess.

mod identified;
mod template;

use crate::bytes::{at, digits, from, slice};
pub(crate) use identified::{identified, is_parsing_error};
pub(crate) use template::template;

/// The kind of a `duration:` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DurationKind {
    Statement,
    Execute,
    Parse,
    Bind,
    /// `log_duration`: no statement.
    Bare,
    /// auto_explain: repeats a duration.
    Plan,
}

impl DurationKind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Statement,
        Self::Execute,
        Self::Parse,
        Self::Bind,
        Self::Bare,
        Self::Plan,
    ];

    /// Its name in the evidence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::Execute => "execute",
            Self::Parse => "parse",
            Self::Bind => "bind",
            Self::Bare => "bare",
            Self::Plan => "plan",
        }
    }
}

/// A `duration:` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Duration {
    pub(crate) us: u64,
    pub(crate) kind: DurationKind,
    /// Where the statement begins in the message.
    pub(crate) statement_start: usize,
}

/// Reads `duration: 1.234 ms`, alone or with `  statement: …`, `  execute name: …`, `  parse …`, `  bind …`, `  plan:`.
#[inline]
pub(crate) fn duration(message: &[u8]) -> Option<Duration> {
    let rest = message.strip_prefix(b"duration: ")?;
    let (whole, dot) = digits(rest, 0)?;
    let (thousandths, end) = digits(rest, dot + 1)?;
    if at(rest, dot) != b'.' || end - dot != 4 {
        return None;
    }
    let tail = from(rest, end).strip_prefix(b" ms")?;
    let us = whole.checked_mul(1_000)?.checked_add(thousandths)?;
    if tail.is_empty() {
        return Some(Duration {
            us,
            kind: DurationKind::Bare,
            statement_start: message.len(),
        });
    }
    let tail = tail.strip_prefix(b"  ")?;
    let (kind, skip) = if tail.starts_with(b"plan:\n") {
        (DurationKind::Plan, tail.len())
    } else {
        logged(tail)?
    };
    Some(Duration {
        us,
        kind,
        statement_start: message.len() - tail.len() + skip,
    })
}

/// Reads `statement: `, `execute name: `, `parse name: `, `bind name: `: the kind and where the statement begins.
#[inline]
pub(crate) fn logged(text: &[u8]) -> Option<(DurationKind, usize)> {
    if text.starts_with(b"statement: ") {
        return Some((DurationKind::Statement, 11));
    }
    let kind = if text.starts_with(b"execute ") {
        DurationKind::Execute
    } else if text.starts_with(b"parse ") {
        DurationKind::Parse
    } else if text.starts_with(b"bind ") {
        DurationKind::Bind
    } else {
        return None;
    };
    // Names of statements and portals are clients' text; the first colon ends them.
    let colon = memchr::memchr(b':', text)?;
    (at(text, colon + 1) == b' ').then_some((kind, colon + 2))
}

/// Reads the size in `temporary file: path "…", size 123`.
pub(crate) fn temporary_file(message: &[u8]) -> Option<u64> {
    let rest = message.strip_prefix(b"temporary file: path \"")?;
    let size = memchr::memmem::rfind(rest, b"\", size ")?;
    let (bytes, end) = digits(rest, size + 8)?;
    from(rest, end).trim_ascii().is_empty().then_some(bytes)
}

/// The part of a DETAIL that holds bind values, if that is what it is.
pub(crate) fn parameters_start(detail: &[u8]) -> Option<usize> {
    // `Parameters:` from PostgreSQL 16.
    let start = "parameters: ".len();
    slice(detail, 0, start)
        .eq_ignore_ascii_case(b"parameters: ")
        .then_some(start)
}

/// Reads `$1 = '…', $2 = NULL`; none when it is not whole.
pub(crate) fn parameters(text: &[u8]) -> Option<Vec<Option<String>>> {
    let mut values = Vec::new();
    let mut position = 0;
    loop {
        let (number, end) = digits(text, position + 1)?;
        if at(text, position) != b'$' || usize::try_from(number).ok()? != values.len() + 1 {
            return None;
        }
        let rest = from(text, end).strip_prefix(b" = ")?;
        position = end + 3;
        if rest.starts_with(b"NULL") {
            values.push(None);
            position += 4;
        } else {
            let (value, length) = quoted(rest)?;
            values.push(Some(value));
            position += length;
        }
        match from(text, position) {
            [] => return Some(values),
            [b',', b' ', ..] => position += 2,
            _ => return None,
        }
    }
}

/// A value in single quotes, doubled inside: its text and the bytes it took.
fn quoted(text: &[u8]) -> Option<(String, usize)> {
    if at(text, 0) != b'\'' {
        return None;
    }
    let mut value = Vec::new();
    let mut position = 1;
    loop {
        let quote = position + memchr::memchr(b'\'', from(text, position))?;
        value.extend_from_slice(slice(text, position, quote));
        if at(text, quote + 1) != b'\'' {
            return Some((String::from_utf8_lossy(&value).into_owned(), quote + 1));
        }
        value.push(b'\'');
        position = quote + 2;
    }
}

/// Whether a function's author chose what an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raised {
    /// Not as far as can be told: with `log_error_verbosity = terse` nothing tells, nor does what PL/Tcl logs.
    No,
    /// PL/Perl or PL/Python logged it, or the server did while it did something for such a function besides executing a statement.
    Perhaps,
    /// PL/pgSQL's RAISE did.
    Yes,
}

impl Raised {
    /// Whether the entry says whatever its author wants; `may_be_the_servers` as far as all else tells.
    pub(crate) fn is_a_functions(self, may_be_the_servers: bool) -> bool {
        match self {
            Self::No => false,
            Self::Perhaps => !may_be_the_servers,
            Self::Yes => true,
        }
    }
}

/// The innermost line of CONTEXT tells. A name in quotes may have a line end.
pub(crate) fn raised(context: &[u8]) -> Raised {
    if context.is_empty() {
        return Raised::No;
    }
    let mut in_quotes = false;
    let end = context.iter().position(|&byte| {
        in_quotes ^= byte == b'"';
        byte == b'\n' && !in_quotes
    });
    let innermost = slice(context, 0, end.unwrap_or(context.len()));
    if innermost.starts_with(b"PL/pgSQL function ") && innermost.ends_with(b" at RAISE") {
        return Raised::Yes;
    }
    // An anonymous block has no name: `PL/Perl anonymous code block`.
    match innermost.starts_with(b"PL/Perl ") || innermost.starts_with(b"PL/Python ") {
        true => Raised::Perhaps,
        false => Raised::No,
    }
}

/// What stands in statements beside passwords and keys, in lower case.
const BESIDE_CREDENTIALS: [&[u8]; 10] = [
    b"passw",
    b"pwd",
    b"pgpass",
    b"private key",
    b"token",
    b"pgp_sym",
    b"pgp_pub",
    b"crypt",
    b"hmac",
    b"://",
];

/// Whether a value in `text` may be a password or a key, by what stands beside it: a guess on the safe side, for text that is kept with its values.
pub(crate) fn may_hold_credential(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    BESIDE_CREDENTIALS
        .iter()
        .any(|word| memchr::memmem::find(&lower, word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u64, DurationKind, &str)> {
        duration(text.as_bytes()).map(|found| (found.us, found.kind, text.get(found.statement_start..).unwrap()))
    }

    #[test]
    fn durations_are_exact_microseconds() {
        assert_eq!(read("duration: 1234.567 ms"), Some((1_234_567, DurationKind::Bare, "")));
        assert_eq!(
            read("duration: 0.042 ms  statement: SELECT 1"),
            Some((42, DurationKind::Statement, "SELECT 1"))
        );
        assert_eq!(read("duration: 0.1 ms"), None);
        assert_eq!(read("duration: 99999999999999999999.000 ms"), None);
        assert_eq!(read("duration: 1.000 ms "), None);
        assert_eq!(read("a duration: 1.000 ms"), None);
    }

    #[test]
    fn the_extended_protocol_names_its_statements() {
        assert_eq!(
            read("duration: 1.000 ms  execute P_1: SELECT $1"),
            Some((1_000, DurationKind::Execute, "SELECT $1"))
        );
        assert_eq!(
            read("duration: 1.000 ms  parse <unnamed>: SELECT 1"),
            Some((1_000, DurationKind::Parse, "SELECT 1"))
        );
        assert_eq!(
            read("duration: 1.000 ms  bind s/p: SELECT 1"),
            Some((1_000, DurationKind::Bind, "SELECT 1"))
        );
        assert_eq!(
            read("duration: 1.000 ms  execute fetch from c: SELECT 1"),
            Some((1_000, DurationKind::Execute, "SELECT 1"))
        );
        assert_eq!(
            read("duration: 1.000 ms  plan:\nQuery Text: x").map(|found| found.1),
            Some(DurationKind::Plan)
        );
    }

    #[test]
    fn parameters_are_read_whole_or_not_at_all() {
        let read = |text: &str| parameters(text.as_bytes());
        assert_eq!(
            read("$1 = '10078', $2 = NULL, $3 = 'it''s, $4 = ''x'''"),
            Some(vec![Some("10078".to_owned()), None, Some("it's, $4 = 'x'".to_owned())])
        );
        for broken in ["", "$1 = '1", "$2 = '1'", "$1 = 1", "$1 = '1',", "$1 = '1' and more"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    #[test]
    fn temporary_files_tell_their_size_at_the_end() {
        assert_eq!(
            temporary_file(br#"temporary file: path "base/pgsql_tmp/pgsql_tmp1.0", size 8314880"#),
            Some(8_314_880)
        );
        assert_eq!(temporary_file(br#"temporary file: path "a", size 5 or so"#), None);
    }
}
