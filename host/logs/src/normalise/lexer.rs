//! PostgreSQL's lexical rules (documentation, "Lexical Structure"), as far as they decide where a token ends.

use crate::bytes::{at, from, slice};

/// A token; white space and comments are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Unquoted, as written.
    Word(&'a [u8]),
    /// With its quotes, and `U&` in front if it was there.
    Quoted(&'a [u8]),
    /// `'…'`, `E'…'`, `U&'…'`, `B'…'`, `X'…'`, `N'…'`, `$tag$…$tag$`.
    String {
        /// No letter in front: it may continue the string before.
        plain: bool,
    },
    Number,
    /// `$1`
    Placeholder,
    Operator(&'a [u8]),
    Open(u8),
    Close(u8),
    Comma,
    Semicolon,
    Dot,
    Cast,
}

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    Space,
    Letter,
    Digit,
    Operator,
    Quote,
    DoubleQuote,
    Dollar,
    Punctuation,
}

const CLASSES: [Class; 256] = classes();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which would refuse an index out of range"
)]
const fn classes() -> [Class; 256] {
    let mut table = [Class::Punctuation; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let value = byte as u8;
        table[byte] = match value {
            0..=b' ' | 0x7f => Class::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xff => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=' | b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|'
            | b'`' | b'?' => Class::Operator,
            b'\'' => Class::Quote,
            b'"' => Class::DoubleQuote,
            b'$' => Class::Dollar,
            _ => Class::Punctuation,
        };
        byte += 1;
    }
    table
}

#[inline(always)]
fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Punctuation)
}

#[inline(always)]
fn continues_word(byte: u8) -> bool {
    matches!(class(byte), Class::Letter | Class::Digit | Class::Dollar)
}

pub(crate) struct Lexer<'a> {
    sql: &'a [u8],
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(sql: &'a [u8]) -> Self {
        Self { sql, position: 0 }
    }

    /// Behind the token that was read last.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    #[inline]
    pub(crate) fn next_token(&mut self) -> Option<Token<'a>> {
        loop {
            let start = self.position;
            let byte = *self.sql.get(start)?;
            self.position = start + 1;
            return Some(match class(byte) {
                Class::Space => continue,
                Class::Letter => self.word(start, byte),
                Class::Digit => self.number(start),
                Class::Quote => self.quoted(b'\'', false, true),
                Class::DoubleQuote => {
                    self.skip_quoted(b'"', false);
                    Token::Quoted(slice(self.sql, start, self.position))
                }
                Class::Dollar => self.dollar(start),
                Class::Operator => match self.operator(start, byte) {
                    Some(token) => token,
                    None => continue,
                },
                Class::Punctuation => self.punctuation(start, byte),
            });
        }
    }

    #[inline]
    fn word(&mut self, start: usize, first: u8) -> Token<'a> {
        let rest = from(self.sql, start + 1);
        let length = rest
            .iter()
            .position(|byte| !continues_word(*byte))
            .unwrap_or(rest.len());
        self.position = start + 1 + length;
        let next = at(self.sql, self.position);
        if length == 0 {
            match (first | 0x20, next) {
                (b'e', b'\'') => return self.prefixed_string(true),
                (b'b' | b'x' | b'n', b'\'') => return self.prefixed_string(false),
                (b'u', b'&') if at(self.sql, self.position + 1) == b'\'' => {
                    self.position += 1;
                    return self.prefixed_string(false);
                }
                (b'u', b'&') if at(self.sql, self.position + 1) == b'"' => {
                    self.position += 2;
                    self.skip_quoted(b'"', false);
                    return Token::Quoted(slice(self.sql, start, self.position));
                }
                _ => {}
            }
        }
        Token::Word(slice(self.sql, start, self.position))
    }

    fn prefixed_string(&mut self, escapes: bool) -> Token<'a> {
        self.position += 1;
        self.quoted(b'\'', escapes, false)
    }

    #[inline]
    fn quoted(&mut self, quote: u8, escapes: bool, plain: bool) -> Token<'a> {
        self.skip_quoted(quote, escapes);
        Token::String { plain }
    }

    /// Moves behind the closing quote, or to the end of a cut statement.
    #[inline]
    fn skip_quoted(&mut self, quote: u8, escapes: bool) {
        loop {
            let rest = from(self.sql, self.position);
            let found = if escapes {
                memchr::memchr2(quote, b'\\', rest)
            } else {
                memchr::memchr(quote, rest)
            };
            let Some(found) = found else {
                self.position = self.sql.len();
                return;
            };
            if at(rest, found) == b'\\' || at(rest, found + 1) == quote {
                self.position = (self.position + found + 2).min(self.sql.len());
                continue;
            }
            self.position += found + 1;
            return;
        }
    }

    /// `12`, `1_000`, `1.5`, `1e-3`, `0x1F`; the first digit, or the dot before it, was read.
    fn number(&mut self, start: usize) -> Token<'a> {
        let sql = self.sql;
        let mut position = start;
        let radix = matches!(at(sql, start + 1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B') && at(sql, start) == b'0';
        if radix && at(sql, start + 2).is_ascii_hexdigit() {
            position += 2;
            while at(sql, position).is_ascii_hexdigit() || at(sql, position) == b'_' {
                position += 1;
            }
            self.position = position;
            return Token::Number;
        }
        let digits = |mut position: usize| {
            while at(sql, position).is_ascii_digit()
                || (at(sql, position) == b'_' && at(sql, position + 1).is_ascii_digit())
            {
                position += 1;
            }
            position
        };
        position = digits(position);
        // `1..10` is a range of two numbers.
        if at(sql, position) == b'.' && at(sql, position + 1) != b'.' {
            position = digits(position + 1);
        }
        if at(sql, position) | 0x20 == b'e' {
            let sign = usize::from(matches!(at(sql, position + 1), b'+' | b'-'));
            if at(sql, position + 1 + sign).is_ascii_digit() {
                position = digits(position + 1 + sign);
            }
        }
        self.position = position;
        Token::Number
    }

    /// `$1`, `$tag$…$tag$`, or a stray dollar sign.
    fn dollar(&mut self, start: usize) -> Token<'a> {
        let sql = self.sql;
        let mut position = start + 1;
        if at(sql, position).is_ascii_digit() {
            while at(sql, position).is_ascii_digit() {
                position += 1;
            }
            self.position = position;
            return Token::Placeholder;
        }
        while matches!(class(at(sql, position)), Class::Letter | Class::Digit) {
            position += 1;
        }
        if at(sql, position) != b'$' {
            return Token::Operator(slice(sql, start, start + 1));
        }
        let tag = slice(sql, start, position + 1);
        let body = position + 1;
        self.position = match memchr::memmem::find(from(sql, body), tag) {
            Some(found) => body + found + tag.len(),
            None => sql.len(),
        };
        Token::String { plain: false }
    }

    /// An operator, or nothing for a comment.
    #[inline]
    fn operator(&mut self, start: usize, first: u8) -> Option<Token<'a>> {
        let sql = self.sql;
        match (first, at(sql, start + 1)) {
            (b'-', b'-') => {
                let rest = from(sql, start);
                self.position = start + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                return None;
            }
            (b'/', b'*') => {
                self.position = comment_end(sql, start + 2);
                return None;
            }
            _ => {}
        }
        let mut end = start + 1;
        let mut special = is_special(first);
        while class(at(sql, end)) == Class::Operator && end < sql.len() {
            let byte = at(sql, end);
            if matches!((byte, at(sql, end + 1)), (b'-', b'-') | (b'/', b'*')) {
                break;
            }
            special |= is_special(byte);
            end += 1;
        }
        // A name without one of the special characters cannot end in a sign: `<-1` is `<` and `-1`.
        while !special && end - start > 1 && matches!(at(sql, end - 1), b'+' | b'-') {
            end -= 1;
        }
        self.position = end;
        Some(Token::Operator(slice(sql, start, end)))
    }

    #[inline]
    fn punctuation(&mut self, start: usize, byte: u8) -> Token<'a> {
        let next = at(self.sql, start + 1);
        match byte {
            b'(' | b'[' => Token::Open(byte),
            b')' | b']' => Token::Close(byte),
            b',' => Token::Comma,
            b';' => Token::Semicolon,
            b'.' if next == b'.' => {
                self.position = start + 2;
                Token::Operator(b"..")
            }
            b'.' if next.is_ascii_digit() => self.number(start),
            b'.' => Token::Dot,
            b':' if next == b':' => {
                self.position = start + 2;
                Token::Cast
            }
            b':' if next == b'=' => {
                self.position = start + 2;
                Token::Operator(b":=")
            }
            _ => Token::Operator(slice(self.sql, start, start + 1)),
        }
    }
}

fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|' | b'`' | b'?'
    )
}

/// The position behind a comment that nests, or the end.
fn comment_end(sql: &[u8], start: usize) -> usize {
    let mut depth = 1usize;
    let mut position = start;
    while let Some(found) = memchr::memchr2(b'*', b'/', from(sql, position)) {
        position += found;
        match (at(sql, position), at(sql, position + 1)) {
            (b'*', b'/') => {
                depth -= 1;
                position += 2;
                if depth == 0 {
                    return position;
                }
            }
            (b'/', b'*') => {
                depth += 1;
                position += 2;
            }
            _ => position += 1,
        }
    }
    sql.len()
}
