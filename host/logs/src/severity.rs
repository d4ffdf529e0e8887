//! The word in front of a message.

/// Severity of an entry, as PostgreSQL writes it without translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Severity {
    Debug,
    Info,
    Notice,
    Warning,
    Log,
    Error,
    Fatal,
    Panic,
}

impl Severity {
    /// All of them, in the order of their discriminants.
    pub(crate) const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Log,
        Self::Error,
        Self::Fatal,
        Self::Panic,
    ];

    /// As logged; the five levels of DEBUG are one.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
            Self::Log => "LOG",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
            Self::Panic => "PANIC",
        }
    }

    /// Whether a statement ended in it.
    pub(crate) fn is_error(self) -> bool {
        matches!(self, Self::Error | Self::Fatal | Self::Panic)
    }

    /// The severity of the word.
    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"LOG" => Self::Log,
            b"ERROR" => Self::Error,
            b"FATAL" => Self::Fatal,
            b"PANIC" => Self::Panic,
            b"WARNING" => Self::Warning,
            b"NOTICE" => Self::Notice,
            b"INFO" => Self::Info,
            b"DEBUG" | b"DEBUG1" | b"DEBUG2" | b"DEBUG3" | b"DEBUG4" | b"DEBUG5" => Self::Debug,
            _ => return None,
        })
    }
}

/// What a prefixed line of the stderr format is: the head of an entry, or a further part of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Head(Severity),
    Detail,
    Statement,
    Context,
    /// HINT, QUERY, LOCATION, BACKTRACE: known, not used.
    Aside,
}

impl Label {
    /// One that stands further right in a line belongs to the message.
    pub(crate) const MAX_POSITION: usize = 400;
    /// How far [`Label::read`] looks at most.
    pub(crate) const MAX_BYTES: usize = 14;

    /// Reads `WORD:  ` at the start: the label and its length.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        // The usual word first.
        if bytes.starts_with(b"LOG:  ") {
            return Some((Self::Head(Severity::Log), 6));
        }
        let window = crate::bytes::up_to(bytes, 12);
        let colon = memchr::memchr(b':', window)?;
        if !crate::bytes::from(bytes, colon).starts_with(b":  ") {
            return None;
        }
        let word = crate::bytes::slice(bytes, 0, colon);
        let label = match word {
            b"DETAIL" => Self::Detail,
            b"STATEMENT" => Self::Statement,
            b"CONTEXT" => Self::Context,
            b"HINT" | b"QUERY" | b"LOCATION" | b"BACKTRACE" => Self::Aside,
            _ => Self::Head(Severity::parse(word)?),
        };
        Some((label, colon + 3))
    }
}
