//! The template of an error message: its words without its values.
//!
//! **In**: a message, hostile: it quotes what clients sent, and a function may have raised it. **Out**: the message with `?` for what
//! is quoted, for numbers, and for what stands where values do.
//!
//! A quoted value may hold quotes itself, and nothing in a message tells which quote ends it. What the server writes behind a quote
//! does: it consists of words of its own messages (`" of relation "`, `" does not exist"`), and [`WORDS`] has those. So a value ends at
//! the first quote with such a word, or nothing, behind it; without one it goes on to the end. From the first value on every other
//! word is `?` as well, be it a name, a type or the rest of a value. So is what follows a colon or a line end, where messages put
//! values without quotes.
//!
//! What can get through of a value is therefore a word of the server's own messages, which says nothing. In front of the first quote
//! and colon all words are kept: they are the server's, or those of whoever wrote the function that raised the message; a value that
//! such a function puts between them without quotes looks like any other word.

use std::sync::LazyLock;

use hashbrown::HashSet;

use crate::bytes::up_to;

/// Longest template kept.
const MAX_TEMPLATE_BYTES: usize = 512;

/// Words that the server's messages have behind a quoted part or a colon, more than once (PostgreSQL 15), with types and causes that
/// the operating system gives.
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("words.txt").split_ascii_whitespace().collect());

/// An error message without its values.
pub(crate) fn template(message: &[u8]) -> String {
    let message = String::from_utf8_lossy(up_to(message, 4 * MAX_TEMPLATE_BYTES));
    let mut writer = Writer::default();
    let mut rest: &str = &message;
    while let Some(first) = rest.chars().next()
        && writer.out.len() < MAX_TEMPLATE_BYTES
    {
        let length = if first.is_whitespace() || first.is_control() {
            writer.space(first);
            first.len_utf8()
        } else if is_quote(first) {
            writer.quoted(first, rest)
        } else {
            writer.word(rest, word_length(rest))
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    let mut out = writer.out;
    out.truncate(out.floor_char_boundary(MAX_TEMPLATE_BYTES));
    out
}

/// The length of the word at the start: up to a blank or a quote.
fn word_length(text: &str) -> usize {
    let mut before = ' ';
    for (position, character) in text.char_indices() {
        let ends = character.is_whitespace()
            || character.is_control()
            || (is_quote(character) && !is_apostrophe(before, text.get(position..).unwrap_or_default()));
        if ends && position > 0 {
            return position;
        }
        before = character;
    }
    text.len()
}

/// Whether the quote at the start of the text is one in a word, as in `can't` and `server's`.
fn is_apostrophe(before: char, text: &str) -> bool {
    let mut behind = text.chars();
    let quote = behind.next();
    if !before.is_alphanumeric() || !matches!(quote, Some('\'' | '\u{2019}' | '\u{fffd}')) {
        return false;
    }
    // In another encoding it is any letter.
    let most = if quote == Some('\u{fffd}') { usize::MAX } else { 2 };
    let letters = behind.clone().take(3).take_while(|next| next.is_alphabetic()).count();
    let ends = behind
        .nth(letters)
        .is_none_or(|next| !is_quote(next) && !next.is_alphanumeric());
    (1..=most).contains(&letters) && (ends || most > 2)
}

/// Quotes of messages in any language. What is no UTF-8 counts as one: it is in the encodings where `«` is a single byte.
fn is_quote(character: char) -> bool {
    matches!(
        character,
        '"' | '\'' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{300c}'..='\u{300f}' | '\u{fffd}'
    )
}

/// Whether a quote can end what another one began.
fn is_closing(open: char, close: char) -> bool {
    match open {
        '"' => close == '"',
        '\'' => close == '\'',
        '`' => matches!(close, '`' | '\''),
        _ => is_quote(close) && !close.is_ascii(),
    }
}

/// Whether a text goes on as the server's own words do behind a value.
fn is_wording(text: &str) -> bool {
    let is_punctuation = |byte: &u8| matches!(byte, b',' | b'.' | b':' | b';' | b')' | b']' | b'?' | b'!');
    let punctuation = text.bytes().take(4).take_while(is_punctuation).count();
    let words = text.get(punctuation..).unwrap_or_default();
    if words.is_empty() {
        return true;
    }
    let word = words.trim_start_matches(|character: char| character.is_whitespace() || character == '(');
    // A word that touches the quote is the rest of the value.
    if word.len() == words.len() {
        return false;
    }
    let first = word.get(..word_length(word)).unwrap_or(word);
    // As in `server at "db" (10.0.0.1), port 5432 failed`.
    let is_address = words.starts_with(" (") && first.starts_with(|first: char| first.is_ascii_digit());
    is_address || is_known(bare(first).1)
}

/// A word's punctuation in front, the word, and the punctuation behind.
pub(super) fn bare(word: &str) -> (&str, &str, &str) {
    let core = word.trim_start_matches(['(', '[', '<']);
    let (before, _) = word.split_at(word.len() - core.len());
    let inner = core.trim_end_matches([',', '.', ':', ';', ')', ']', '[', '>', '?', '!']);
    let (inner, behind) = core.split_at(inner.len());
    (before, inner, behind)
}

/// Whether it is one of [`WORDS`], or some of them put together.
fn is_known(word: &str) -> bool {
    let known = |part: &str| WORDS.contains(part);
    let contraction = |part: &str| {
        let stem = part.strip_suffix("'t").or_else(|| part.strip_suffix("'s"));
        stem.is_some_and(known)
    };
    !word.is_empty() && word.split(['-', '/']).all(|part| known(part) || contraction(part))
}

/// Writes a template.
#[derive(Debug, Default)]
struct Writer {
    out: String,
    /// A value may have begun: only known words are written.
    is_strict: bool,
}

impl Writer {
    fn space(&mut self, space: char) {
        self.is_strict |= matches!(space, '\n' | '\r');
        if !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    /// Writes what the quote at the start began; gives its length with both quotes.
    fn quoted(&mut self, open: char, text: &str) -> usize {
        self.is_strict = true;
        let close = text.char_indices().skip(1).find_map(|(position, close)| {
            let end = position + close.len_utf8();
            let closes = is_closing(open, close) && text.get(end..).is_some_and(is_wording);
            closes.then_some((close, end))
        });
        let (close, end) = close.unwrap_or((open, text.len()));
        self.out.extend([open, '?', close]);
        end
    }

    /// Writes the word of this length at the start; gives the length of all that it stood for.
    fn word(&mut self, text: &str, length: usize) -> usize {
        let word = text.get(..length).unwrap_or(text);
        if let Some(equals) = word.find('=')
            && let start = equals + 1
            && text
                .get(start..)
                .is_some_and(|value| !value.starts_with(char::is_whitespace) && !value.is_empty())
        {
            let (name, _) = word.split_at(equals);
            self.name_or_word(name);
            self.is_strict = true;
            return self.assigned(text, start, length);
        }
        self.name_or_word(word);
        self.is_strict |= word.ends_with([':', '=']);
        length
    }

    fn name_or_word(&mut self, word: &str) {
        if self.is_strict {
            self.strict(word);
        } else {
            self.free(word);
        }
    }

    /// The value of `Key (a)=(secret) already exists` or `password=secret`, which begins at `start`; gives where it ends.
    fn assigned(&mut self, text: &str, start: usize, length: usize) -> usize {
        let value = text.get(start..).unwrap_or_default();
        if value.starts_with('(') {
            self.out.push_str("=(?)");
            let mut closes = memchr::memchr_iter(b')', value.as_bytes());
            let ends = |behind: &str| !behind.starts_with(')') && is_wording(behind);
            let close = closes.find(|position| value.get(position + 1..).is_some_and(ends));
            return close.map_or(text.len(), |position| start + position + 1);
        }
        self.out.push('=');
        if start < length {
            self.out.push('?');
        }
        length
    }

    /// Where a value may stand.
    fn strict(&mut self, word: &str) {
        let (before, inner, behind) = bare(word);
        if inner.is_empty() || is_known(inner) || is_sign(word) {
            self.out.push_str(word);
            return;
        }
        // Any number of them is one.
        if !(before.is_empty() && self.out.ends_with("? ")) {
            self.out.push_str(before);
            self.out.push('?');
        } else {
            self.out.pop();
        }
        self.out.push_str(behind);
    }

    /// Where the words are whose message it is.
    fn free(&mut self, word: &str) {
        if word.contains("://") || word.trim_matches('@').contains('@') {
            self.out.push('?');
            return;
        }
        let mut characters = word.chars().peekable();
        let mut before = ' ';
        while let Some(character) = characters.next() {
            if !character.is_ascii_digit() || before.is_alphanumeric() || before == '_' {
                self.out.push(character);
                before = character;
                continue;
            }
            self.out.push('?');
            before = '?';
            while let Some(next) = characters.peek().copied() {
                let joins = matches!(next, '.' | ':' | '/') && {
                    let mut ahead = characters.clone();
                    ahead.next();
                    ahead.next().is_some_and(|digit| digit.is_ascii_digit())
                };
                if !next.is_ascii_alphanumeric() && !joins {
                    break;
                }
                characters.next();
            }
        }
    }
}

/// Operators, as in `operator does not exist: integer = text`.
fn is_sign(word: &str) -> bool {
    matches!(
        word,
        "=" | "<" | ">" | "<>" | "<=" | ">=" | "+" | "-" | "*" | "/" | "%" | "||" | "~" | "->" | "->>" | "@>"
    )
}

#[cfg(test)]
mod tests;
