//! PostgreSQL's lexical rules (documentation, "Lexical Structure"), as far as they decide where a token ends.

use super::words::is_keyword;
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
        /// A word or a number ends where the opening quote stands.
        behind_word: bool,
        /// A word or a number begins where the closing quote stands.
        before_word: bool,
    },
    /// A string that ends elsewhere with `standard_conforming_strings` off. There is no next token.
    Ambiguous,
    /// The statement ends inside of a string, a quoted name or a comment. There is no next token.
    Cut {
        comment: bool,
    },
    /// A brace or a backslash, which is no SQL.
    Stray,
    /// With the letters that stand directly behind it.
    Number,
    /// `$1`, likewise.
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

const ESCAPE: &[u8] = b"escape";

pub(crate) struct Lexer<'a> {
    sql: &'a [u8],
    position: usize,
    /// Behind the last word `ESCAPE`.
    escape: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(sql: &'a [u8]) -> Self {
        Self {
            sql,
            position: 0,
            escape: usize::MAX,
        }
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
                Class::Quote => self.string(start, true),
                Class::DoubleQuote => self.name(start),
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
                (b'e', b'\'') => {
                    self.position += 1;
                    return self.escape_string();
                }
                (b'b' | b'x' | b'n', b'\'') => {
                    self.position += 1;
                    return self.string(self.position - 1, false);
                }
                (b'u', b'&') if at(self.sql, self.position + 1) == b'\'' => {
                    self.position += 2;
                    return self.string(self.position - 1, false);
                }
                (b'u', b'&') if at(self.sql, self.position + 1) == b'"' => {
                    self.position += 2;
                    return self.name(start);
                }
                _ => {}
            }
        }
        let word = slice(self.sql, start, self.position);
        if word.len() == ESCAPE.len() && word.eq_ignore_ascii_case(ESCAPE) {
            self.escape = self.position;
        }
        Token::Word(word)
    }

    /// A string whose quote at `open` was read, and in which a backslash is a character like any other.
    #[inline]
    fn string(&mut self, open: usize, plain: bool) -> Token<'a> {
        let sql = self.sql;
        loop {
            let Some(found) = memchr::memchr(b'\'', from(sql, self.position)) else {
                return self.cut();
            };
            let quote = self.position + found;
            if at(sql, quote - 1) == b'\\' && self.is_ambiguous(open, quote) {
                self.position = sql.len();
                return Token::Ambiguous;
            }
            self.position = quote + 1;
            if at(sql, quote + 1) != b'\'' {
                return Token::String {
                    plain,
                    behind_word: plain && open > 0 && is_of_word(at(sql, open - 1)),
                    before_word: is_of_word(at(sql, quote + 1)),
                };
            }
            self.position = quote + 2;
        }
    }

    /// Whether the quote behind a backslash ends the string that opened at `open` or not by a setting that the log does not tell.
    #[cold]
    fn is_ambiguous(&self, open: usize, quote: usize) -> bool {
        let body = slice(self.sql, open + 1, quote);
        let backslashes = body.iter().rev().take_while(|byte| **byte == b'\\').count();
        backslashes % 2 == 1 && !(body.len() == 1 && self.is_escape_character(open, quote + 1))
    }

    /// Whether `'\'` is the operand of `ESCAPE`, which takes one character at most: the server refuses the other reading, in which the
    /// string goes on. Object mappers write it a lot.
    fn is_escape_character(&self, open: usize, end: usize) -> bool {
        let mut between = Lexer {
            sql: slice(self.sql, 0, open),
            position: self.escape,
            escape: usize::MAX,
        };
        let ends = match at(self.sql, end) {
            b')' | b',' | b';' => true,
            b'-' | b'/' => matches!(slice(self.sql, end, end + 2), b"--" | b"/*"),
            next => end == self.sql.len() || next.is_ascii_whitespace(),
        };
        self.escape <= open && between.next_token().is_none() && ends
    }

    /// `E'…'`, whose first quote was read, with the parts that go on in further lines.
    fn escape_string(&mut self) -> Token<'a> {
        let sql = self.sql;
        loop {
            let Some(found) = memchr::memchr2(b'\'', b'\\', from(sql, self.position)) else {
                return self.cut();
            };
            let found = self.position + found;
            if at(sql, found) == b'\\' || at(sql, found + 1) == b'\'' {
                self.position = (found + 2).min(sql.len());
                continue;
            }
            self.position = found + 1;
            match continuation(sql, self.position) {
                Some(next) => self.position = next,
                None => {
                    return Token::String {
                        plain: false,
                        behind_word: false,
                        before_word: is_of_word(at(sql, self.position)),
                    };
                }
            }
        }
    }

    /// A quoted name that begins at `start` and whose quote was read.
    #[inline]
    fn name(&mut self, start: usize) -> Token<'a> {
        let sql = self.sql;
        loop {
            let Some(found) = memchr::memchr(b'"', from(sql, self.position)) else {
                return self.cut();
            };
            self.position += found + 1;
            if at(sql, self.position) != b'"' {
                return Token::Quoted(slice(sql, start, self.position));
            }
            self.position += 1;
        }
    }

    #[cold]
    fn cut(&mut self) -> Token<'a> {
        self.position = self.sql.len();
        Token::Cut { comment: false }
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
            self.position = behind_junk(sql, position);
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
        self.position = behind_junk(sql, position);
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
            self.position = behind_junk(sql, position);
            return Token::Placeholder;
        }
        while is_of_word(at(sql, position)) {
            position += 1;
        }
        if at(sql, position) != b'$' {
            if position > start + 1 && position == sql.len() {
                return self.cut();
            }
            return Token::Operator(slice(sql, start, start + 1));
        }
        let tag = slice(sql, start, position + 1);
        let body = position + 1;
        let Some(found) = memchr::memmem::find(from(sql, body), tag) else {
            return self.cut();
        };
        self.position = body + found + tag.len();
        Token::String {
            plain: false,
            behind_word: false,
            before_word: false,
        }
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
                let end = comment_end(sql, start + 2);
                self.position = end.unwrap_or(sql.len());
                return end.is_none().then_some(Token::Cut { comment: true });
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
            b'{' | b'}' | b'\\' => Token::Stray,
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

/// Whether a byte goes on with a word and begins no string.
#[inline(always)]
fn is_of_word(byte: u8) -> bool {
    matches!(class(byte), Class::Letter | Class::Digit)
}

/// The position behind letters that stand directly behind a number. The server refuses them from version 15 on, and reads a name
/// before; a keyword is what was meant in `1and`.
#[inline]
fn behind_junk(sql: &[u8], position: usize) -> usize {
    if class(at(sql, position)) != Class::Letter {
        return position;
    }
    let rest = from(sql, position);
    let length = rest
        .iter()
        .position(|byte| !continues_word(*byte))
        .unwrap_or(rest.len());
    match is_keyword(slice(rest, 0, length)) {
        true => position,
        false => position + length,
    }
}

/// Where a string goes on: behind its next quote, if a line end and nothing but blanks and comments to the end of a line stand
/// between.
fn continuation(sql: &[u8], mut position: usize) -> Option<usize> {
    let mut lines = 0;
    loop {
        match at(sql, position) {
            b'\n' | b'\r' => lines += 1,
            b' ' | b'\t' | 0x0b | 0x0c => {}
            b'-' if at(sql, position + 1) == b'-' => {
                position += memchr::memchr2(b'\n', b'\r', from(sql, position))?;
                continue;
            }
            b'\'' if lines > 0 => return Some(position + 1),
            _ => return None,
        }
        position += 1;
    }
}

/// The position behind a comment that nests, if it ends.
fn comment_end(sql: &[u8], start: usize) -> Option<usize> {
    let mut depth = 1usize;
    let mut position = start;
    while let Some(found) = memchr::memchr2(b'*', b'/', from(sql, position)) {
        position += found;
        match (at(sql, position), at(sql, position + 1)) {
            (b'*', b'/') => {
                depth -= 1;
                position += 2;
                if depth == 0 {
                    return Some(position);
                }
            }
            (b'/', b'*') => {
                depth += 1;
                position += 2;
            }
            _ => position += 1,
        }
    }
    None
}
