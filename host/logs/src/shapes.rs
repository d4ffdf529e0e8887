//! Statements that differ in their literals only, told without lexing them.
//!
//! A shape is a statement that was lexed once, cut at its numbers and strings: what is left are fixed pieces. Another statement
//! that has the same pieces, and digits or a string without backslashes in each gap, is the same sequence of tokens up to the
//! values of its literals, and the normal form does not depend on those. So it has the same normal form, which need not be made
//! again. Everything that could make tokens come out otherwise (a letter behind digits, an escape) does not match, and is lexed;
//! literals of other forms are fixed pieces.

use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;

use crate::bytes::{at, from, slice, up_to};
use crate::normalise::{Lexer, Token};

/// Longest statement that gets a shape.
const MAX_STATEMENT_BYTES: usize = 16 * 1024;
/// Bytes of a statement that choose its bucket, up to the first digit or quote.
const KEY_BYTES: usize = 32;
/// Buckets, and shapes in each: the one used last is tried first, the one unused longest makes room.
const BUCKETS: usize = 4 * 1024;
const WAYS: usize = 4;
const EMPTY: u32 = u32::MAX;

/// What stands behind a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// `12` or `12.5`.
    Number,
    /// What stands between two quotes; the quotes belong to the pieces.
    String,
    /// Nothing: the statement ends.
    End,
}

/// The fixed pieces of a statement.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// All pieces, one behind the other.
    text: Box<[u8]>,
    /// The length of each, and what follows it.
    pieces: Box<[(u32, Gap)]>,
}

impl Shape {
    /// The shape of a statement.
    fn of(sql: &[u8]) -> Option<Self> {
        let mut text = Vec::new();
        let mut pieces = Vec::new();
        let mut fixed = 0;
        let mut lexer = Lexer::new(sql);
        loop {
            let before = lexer.position();
            let Some(token) = lexer.next_token() else { break };
            let found = match token {
                Token::Number => number(sql, before, lexer.position()).map(|place| (place, Gap::Number)),
                Token::String { .. } => string(sql, before, lexer.position()).map(|place| (place, Gap::String)),
                _ => None,
            };
            let Some(((start, end), gap)) = found else { continue };
            let piece = slice(sql, fixed, start);
            text.extend_from_slice(piece);
            pieces.push((u32::try_from(piece.len()).ok()?, gap));
            fixed = end;
        }
        let piece = slice(sql, fixed, sql.len());
        text.extend_from_slice(piece);
        pieces.push((u32::try_from(piece.len()).ok()?, Gap::End));
        Some(Self {
            text: text.into_boxed_slice(),
            pieces: pieces.into_boxed_slice(),
        })
    }

    /// Whether the statement has the same tokens, up to the values of literals.
    #[inline]
    fn matches(&self, sql: &[u8]) -> bool {
        let mut text: &[u8] = &self.text;
        let mut rest = sql;
        for (length, gap) in &self.pieces {
            let Some((piece, further)) = text.split_at_checked(*length as usize) else {
                return false;
            };
            text = further;
            match rest.strip_prefix(piece) {
                Some(behind) => rest = behind,
                None => return false,
            }
            let length = match gap {
                Gap::Number => digits_and_fraction(rest),
                Gap::String => until_quote(rest),
                Gap::End => return rest.is_empty(),
            };
            match length.and_then(|length| rest.get(length..)) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        false
    }
}

/// The length of `12` or `12.5` at the start.
#[inline]
fn digits_and_fraction(bytes: &[u8]) -> Option<usize> {
    let digits = |start: usize| {
        let mut end = start;
        while at(bytes, end).is_ascii_digit() {
            end += 1;
        }
        end
    };
    let whole = digits(0);
    if whole == 0 || at(bytes, whole) != b'.' {
        return (whole > 0).then_some(whole);
    }
    let fraction = digits(whole + 1);
    (fraction > whole + 1).then_some(fraction)
}

/// The length up to the quote that ends a string; none if an escape or the end comes first.
#[inline]
fn until_quote(bytes: &[u8]) -> Option<usize> {
    let mut position = 0;
    loop {
        position += memchr::memchr2(b'\'', b'\\', from(bytes, position))?;
        if at(bytes, position) != b'\'' {
            return None;
        }
        if at(bytes, position + 1) != b'\'' {
            return Some(position);
        }
        position += 2;
    }
}

/// The place of a number's digits, if it has the plain form and no byte behind it that another number would go on with.
fn number(sql: &[u8], before: usize, end: usize) -> Option<(usize, usize)> {
    let mut start = end;
    while start > before && matches!(at(sql, start - 1), b'0'..=b'9' | b'.') {
        start -= 1;
    }
    let begins_here = start == before || at(sql, start - 1).is_ascii_whitespace();
    let is_plain = digits_and_fraction(slice(sql, start, end)) == Some(end - start);
    let next = at(sql, end);
    let goes_on = next.is_ascii_alphanumeric() || matches!(next, b'_' | b'.' | b'$' | 0x80..);
    (begins_here && is_plain && !goes_on).then_some((start, end))
}

/// The place between a string's quotes, if nothing in it is escaped.
fn string(sql: &[u8], before: usize, end: usize) -> Option<(usize, usize)> {
    let mut open = before;
    while at(sql, open).is_ascii_whitespace() {
        open += 1;
    }
    while matches!(at(sql, open) | 0x20, b'e' | b'b' | b'x' | b'n' | b'u' | b'&') && at(sql, open) != b'\'' {
        open += 1;
    }
    let close = end.checked_sub(1)?;
    let is_plain =
        at(sql, open) == b'\'' && until_quote(from(sql, open + 1)).is_some_and(|length| open + 1 + length == close);
    is_plain.then_some((open + 1, close))
}

/// Shapes with what was found out about each, a fixed number of them.
#[derive(Debug)]
pub(crate) struct Shapes<T> {
    hasher: DefaultHashBuilder,
    buckets: Vec<[u32; WAYS]>,
    entries: Vec<(Shape, T)>,
}

impl<T> Default for Shapes<T> {
    fn default() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            buckets: vec![[EMPTY; WAYS]; BUCKETS],
            entries: Vec::new(),
        }
    }
}

impl<T> Shapes<T> {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.buckets.fill([EMPTY; WAYS]);
        self.entries.clear();
    }

    /// What is known of the statement's shape.
    #[inline]
    pub(crate) fn find(&mut self, sql: &[u8]) -> Option<&mut T> {
        let bucket = self.bucket_of(sql);
        let ways = self.buckets.get_mut(bucket)?;
        let entries = &self.entries;
        let matches = |index: &u32| {
            entries
                .get(*index as usize)
                .is_some_and(|(shape, _)| shape.matches(sql))
        };
        let way = ways.iter().position(matches)?;
        if way > 0 {
            ways.swap(way, way - 1);
        }
        let index = *ways.get(way.saturating_sub(1))?;
        self.entries.get_mut(index as usize).map(|(_, known)| known)
    }

    /// Learns the shape of a statement that has none yet, if it can have one; tells how many bytes it takes.
    pub(crate) fn learn(&mut self, sql: &[u8], known: T) -> usize {
        if sql.len() > MAX_STATEMENT_BYTES {
            return 0;
        }
        let Some(shape) = Shape::of(sql) else { return 0 };
        let bytes = shape.text.len() + size_of_val(&*shape.pieces);
        let bucket = self.bucket_of(sql);
        let Some(ways) = self.buckets.get_mut(bucket) else {
            return 0;
        };
        ways.rotate_right(1);
        let [first, ..] = ways;
        match self.entries.get_mut(*first as usize) {
            Some(entry) => *entry = (shape, known),
            None => {
                *first = u32::try_from(self.entries.len()).unwrap_or(EMPTY);
                self.entries.push((shape, known));
            }
        }
        bytes
    }

    #[inline]
    fn bucket_of(&self, sql: &[u8]) -> usize {
        let head = up_to(sql, KEY_BYTES);
        let hash = self.hasher.hash_one(up_to(head, first_digit_or_quote(head)));
        usize::try_from(hash).unwrap_or(0) % BUCKETS
    }
}

/// Position of the first digit or quote, or the length: eight bytes at a time.
#[inline]
fn first_digit_or_quote(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let spread = |byte: u8| u64::from_le_bytes([byte; 8]);
    let (chunks, _) = bytes.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        // The high bit of each byte: set where it is no digit, and where it is no quote. Sums stay within their byte.
        let digit = word ^ spread(b'0');
        let no_digit = ((digit & LOW) + spread(0x80 - 10)) | digit;
        let quote = word ^ spread(b'\'');
        let no_quote = ((quote & LOW) + LOW) | quote;
        let found = !(no_digit & no_quote) & !LOW;
        if found != 0 {
            return index * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let rest = chunks.len() * 8;
    let is_one = |byte: &u8| byte.is_ascii_digit() || *byte == b'\'';
    let behind = bytes.iter().skip(rest).position(is_one);
    behind.map_or(bytes.len(), |position| rest + position)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::normalise::normalise;

    #[test]
    fn literals_may_differ_and_nothing_else() {
        let shape = Shape::of(b"SELECT a1, 'x' FROM t WHERE b = 17 AND c IN (1.5, -2)").unwrap();
        for same in [
            "SELECT a1, '' FROM t WHERE b = 0 AND c IN (10, -22.25)",
            "SELECT a1, 'O''x''' FROM t WHERE b = 0 AND c IN (1, -2)",
            "SELECT a1, 'O;--\n/*' FROM t WHERE b = 0 AND c IN (1, -2)",
        ] {
            assert!(shape.matches(same.as_bytes()), "{same}");
        }
        for other in [
            "SELECT a2, 'x' FROM t WHERE b = 17 AND c IN (1.5, -2)",
            "SELECT a1, 'x'' FROM t WHERE b = 17 AND c IN (1.5, -2)",
            "SELECT a1, 'x\\' FROM t WHERE b = 17 AND c IN (1.5, -2)",
            "SELECT a1, 'x' FROM t WHERE b = 0x7 AND c IN (1.5, -2)",
            "SELECT a1, 'x' FROM t WHERE b = 17. AND c IN (1.5, -2)",
            "SELECT a1, 'x' FROM t WHERE b = 17 AND c IN (1.5, -2)--",
            "SELECT a1, 'x' FROM t WHERE b = 17 AND c IN (1.5, -2",
            "SELECT a1, 'x' FROM t WHERE b = 1e7 AND c IN (1.5, -2)",
            "SELECT a1, 'x",
        ] {
            assert!(!shape.matches(other.as_bytes()), "{other}");
        }
        let odd = "SELECT 1e5, .5, $$x 1$$, E'a\\'1', 7";
        let shape = Shape::of(odd.as_bytes()).unwrap();
        assert!(shape.matches(odd.replace('7', "12").as_bytes()));
        for (old, new) in [("1e5", "1e6"), (".5", ".6"), ("x 1", "x 2"), ("'1'", "'2'")] {
            assert!(!shape.matches(odd.replace(old, new).as_bytes()), "{new}");
        }
    }

    /// Pieces of SQL that are awkward next to a literal.
    fn piece() -> impl Strategy<Value = String> {
        let fixed = prop::sample::select(vec![
            "select ",
            " from t1 ",
            "(",
            ")",
            ", ",
            "-",
            "- ",
            "+",
            "/* 'c' 7 */",
            "-- c 9\n",
            "a1",
            "\"q'1\"",
            "E",
            "U&",
            "N",
            "$1",
            "$",
            ".",
            "..",
            "e",
            "x",
            "_",
            "::",
            ":",
            "=",
            " null",
            "null",
            "in (",
            "values (",
            "password ",
            "create role ",
            "\n",
            "\\",
            "'",
            "''",
            "''''",
            ";",
            "[",
            "array[",
            "é",
        ]);
        prop_oneof![
            3 => fixed.prop_map(str::to_owned),
            2 => (0u32..200).prop_map(|number| number.to_string()),
            1 => (0u32..20, 0u32..20).prop_map(|(whole, part)| format!("{whole}.{part}")),
            2 => "[a-z0-9 ;\\-]{0,5}".prop_map(|text| format!("'{text}'")),
        ]
    }

    /// Another statement: literals replaced here and there, as text, without regard to where they stand.
    fn vary(sql: &str, digits: &str, text: &str) -> String {
        let mut out = String::new();
        let mut characters = sql.chars().peekable();
        while let Some(character) = characters.next() {
            if character.is_ascii_digit() {
                while characters.next_if(char::is_ascii_digit).is_some() {}
                out.push_str(digits);
            } else {
                out.push(character);
                if character == '\'' {
                    out.push_str(text);
                }
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_matches_a_shape_has_its_normal_form(
            pieces in prop::collection::vec(piece(), 1..14),
            digits in prop_oneof![Just("5".to_owned()), Just("123.4".to_owned()), Just("0".to_owned()), "[0-9.ex_]{1,4}"],
            text in prop_oneof![Just(String::new()), "[a-z'\\\\ 1]{0,4}"],
        ) {
            let sql = pieces.concat();
            if let Some(shape) = Shape::of(sql.as_bytes()) {
                prop_assert!(shape.matches(sql.as_bytes()));
                for other in [vary(&sql, &digits, &text), vary(&sql, &digits, ""), vary(&sql, "7", &text)] {
                    if shape.matches(other.as_bytes()) {
                        prop_assert_eq!(normalise(other.as_bytes()), normalise(sql.as_bytes()), "{:?} {:?}", sql, other);
                    }
                }
            }
        }

        #[test]
        fn the_first_digit_or_quote_is_found(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x26u8..0x3b], 0..40)) {
            let expected = bytes.iter().position(|byte| byte.is_ascii_digit() || *byte == b'\'').unwrap_or(bytes.len());
            prop_assert_eq!(first_digit_or_quote(&bytes), expected);
        }
    }
}
