//! One statement to its normal form, the heart of a query family.
//!
//! **In**: SQL as a client sent it or as the log truncated it, any bytes. **Out**: comments gone, literals and placeholders as
//! `?`, white space and letter case canonical, `IN`, `ARRAY` and `VALUES` lists of equal elements as one element, passwords
//! nowhere. **Trusted**: nothing. **Can fail**: nothing; what is no SQL still has a normal form.
//!
//! The normal form is a normal form: normalising it again changes nothing.
//!
//! No value of a statement is in its normal form, however it is spelt and wherever the log cut it:
//! - A literal ends where the server's lexer ends it (`lexer.rs`), with all that continues it and all that touches it.
//! - A backslash before a quote ends a string or not by `standard_conforming_strings`, which the log does not tell. What either
//!   reading shows may be text of a literal in the other, so the normal form ends there. The exception is `ESCAPE '\'`.
//! - A value without quotes is known by its place, and where only a string may stand anything else ends the normal form
//!   (`places.rs`).
//! - Where quotes are not what they seem (the statement ends inside of them, `'it's'`), the normal form ends with the first string:
//!   what stands behind may be the inside of one.
//!
//! What the server reads as a name is one: `"secret"` and `secret` in `WHERE a = "secret" OR a = secret` are columns.

mod lexer;
mod places;
mod words;

use sha2::{Digest, Sha256};

use crate::evidence::{Dimensions, StatementKind};
pub(crate) use lexer::{Lexer, Token};
use places::{Places, Seen, Verdict};
use words::Word;

/// Deepest nesting in which lists are collapsed; deeper text is kept as it is.
const MAX_DEPTH: usize = 64;

/// A statement in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised {
    /// The text. Untrusted.
    pub statement: String,
    /// By its first word.
    pub kind: StatementKind,
}

/// Brings a statement to its normal form.
///
/// ```
/// let simple = pg_logstats_logs::normalise::normalise(b"SELECT * FROM Orders -- mine\n WHERE id IN (1, 2, 3);");
/// let extended = pg_logstats_logs::normalise::normalise(b"select * from orders where id in ($1)");
/// assert_eq!(simple.statement, "select * from orders where id in (?)");
/// assert_eq!(simple, extended);
/// ```
#[must_use]
pub fn normalise(sql: &[u8]) -> Normalised {
    let mut normaliser = Normaliser::default();
    let outcome = normaliser.run(sql);
    Normalised {
        statement: String::from_utf8_lossy(normaliser.text()).into_owned(),
        kind: outcome.kind,
    }
}

/// The id of a query family: `qf_` and the first 8 bytes of SHA-256 over the parts, each with its length in front, so that no two
/// lists of parts are the same bytes.
///
/// ```
/// use pg_logstats_logs::{evidence::Dimensions, normalise::query_family_id};
/// let shop = Dimensions { database: Some("shop".to_owned()), ..Dimensions::default() };
/// assert_ne!(query_family_id("select ?", &Dimensions::default()), query_family_id("select ?", &shop));
/// ```
#[must_use]
pub fn query_family_id(statement: &str, dimensions: &Dimensions) -> String {
    format!("qf_{:016x}", family_key(statement, dimensions))
}

/// The number in a family's id.
pub(crate) fn family_key(statement: &str, dimensions: &Dimensions) -> u64 {
    let mut parts = vec![Some(statement)];
    parts.extend(names(dimensions));
    digest("pg-logstats query family v1", &parts)
}

/// Database, user and application, in that order.
pub(crate) fn names(dimensions: &Dimensions) -> [Option<&str>; 3] {
    [
        dimensions.database.as_deref(),
        dimensions.user.as_deref(),
        dimensions.application.as_deref(),
    ]
}

/// The first 8 bytes of SHA-256 over a domain and parts that are there or not.
pub(crate) fn digest(domain: &str, parts: &[Option<&str>]) -> u64 {
    let mut hash = Sha256::new();
    hash.update((domain.len() as u64).to_be_bytes());
    hash.update(domain.as_bytes());
    for part in parts {
        match part {
            None => hash.update([0]),
            Some(text) => {
                hash.update([1]);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
        }
    }
    hash.finalize()
        .iter()
        .take(8)
        .fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

/// What a run found besides the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) kind: StatementKind,
    /// A literal was replaced: another statement may have the same normal form.
    pub(crate) has_literals: bool,
    /// `$1`: the statement cannot be run without its parameters.
    pub(crate) has_placeholders: bool,
    /// All of it was read, and it is one statement.
    pub(crate) is_whole: bool,
}

/// What stands left of the token being written; decides spaces and what a minus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Start,
    /// A name, or a word after which a parenthesis is an argument list.
    Name,
    /// A word after which an expression begins.
    Keyword,
    Literal,
    Operator,
    Open,
    Close,
    Comma,
    Dot,
    Cast,
    Semicolon,
}

/// What an open bracket holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Anything,
    /// `IN (…)` or `ARRAY[…]`: equal neighbours are collapsed.
    List,
    /// One row of `VALUES`.
    Row,
}

#[derive(Debug, Clone, Copy)]
struct Bracket {
    holds: Holds,
    /// Where the current element begins in the output.
    element: usize,
    /// The element before it.
    previous: Option<(usize, usize)>,
    /// `VALUES` stood directly in this bracket: where its rows go, and the row before.
    rows: Option<Option<(usize, usize)>>,
}

impl Bracket {
    fn new(holds: Holds, element: usize) -> Self {
        Self {
            holds,
            element,
            previous: None,
            rows: None,
        }
    }
}

/// Reusable state, so that the hot path allocates nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Normaliser {
    out: Vec<u8>,
    brackets: Vec<Bracket>,
    /// Brackets beyond [`MAX_DEPTH`].
    deeper: usize,
}

impl Normaliser {
    /// The normal form that the last run made.
    pub(crate) fn text(&self) -> &[u8] {
        &self.out
    }

    /// Writes a name as text. What is none is replaced here, after the lexer has seen the bytes themselves: what they quote depends
    /// on them.
    #[inline]
    fn write_name(&mut self, name: &[u8]) {
        if name.is_ascii() {
            self.out.extend_from_slice(name);
        } else {
            self.out.extend_from_slice(String::from_utf8_lossy(name).as_bytes());
        }
    }

    /// Normalises one statement.
    pub(crate) fn run(&mut self, sql: &[u8]) -> Outcome {
        self.out.clear();
        self.brackets.clear();
        self.brackets.push(Bracket::new(Holds::Anything, 0));
        self.deeper = 0;
        let mut run = Run {
            n: self,
            left: Left::Start,
            last_word: Word::Name,
            sign: None,
            behind: Behind::Other,
            first_string: 0,
            first_kind: None,
            semicolon: usize::MAX,
            places: Places::default(),
            kind: KindFinder::default(),
            has_literals: false,
            has_placeholders: false,
        };
        let mut lexer = Lexer::new(sql.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sql));
        let mut is_whole = true;
        while let Some(token) = lexer.next_token() {
            if !run.token(token) {
                is_whole = false;
                break;
            }
        }
        let semicolon = run.semicolon;
        let mut outcome = Outcome {
            kind: run.kind.kind(),
            has_literals: run.has_literals,
            has_placeholders: run.has_placeholders,
            is_whole,
        };
        while matches!(self.out.last(), Some(b';' | b' ')) {
            self.out.pop();
        }
        outcome.is_whole &= semicolon >= self.out.len();
        outcome
    }
}

/// What the token before was, as far as a string matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Other,
    String,
    /// A string, with a word directly behind its quote.
    Glued,
}

/// The state of one run.
struct Run<'n> {
    n: &'n mut Normaliser,
    left: Left,
    last_word: Word,
    /// Length of the output and what stood left, before a sign that may belong to a number.
    sign: Option<(usize, Left)>,
    behind: Behind,
    /// Length of the output behind the first string, or 0.
    first_string: usize,
    /// The kind as far as it was known there.
    first_kind: Option<StatementKind>,
    /// Length of the output before the first semicolon.
    semicolon: usize,
    places: Places,
    kind: KindFinder,
    has_literals: bool,
    has_placeholders: bool,
}

impl Run<'_> {
    /// Writes one token; false ends the run.
    #[inline]
    fn token(&mut self, token: Token<'_>) -> bool {
        let behind = std::mem::replace(&mut self.behind, Behind::Other);
        let sign = self.sign.take();
        let token = match token {
            Token::Quoted(text) => words::without_quotes(text).map_or(token, Token::Word),
            other => other,
        };
        if !self.kind.found && !matches!(token, Token::Word(_) | Token::Open(_) | Token::Semicolon) {
            self.kind.see_no_word();
        }
        if behind == Behind::Glued && !matches!(token, Token::Word(text) if words::is_keyword(text)) {
            return self.misquoted();
        }
        if self.places.are_watched()
            && let Some(goes_on) = self.place(token)
        {
            return goes_on;
        }
        match token {
            Token::Word(text) => return self.word(text),
            Token::Quoted(text) => {
                self.space(false);
                self.n.write_name(text);
                self.left = Left::Name;
                self.last_word = Word::Name;
            }
            Token::String {
                plain,
                behind_word,
                before_word,
            } => {
                if behind_word && self.first_string > 0 && !self.ends_in_type() {
                    return self.misquoted();
                }
                // `'a' 'b'` over two lines is one literal.
                if !(behind == Behind::String && plain) {
                    self.literal();
                }
                self.saw_string(before_word);
            }
            Token::Number => {
                if let Some((length, left)) = sign {
                    self.n.out.truncate(length);
                    self.left = left;
                }
                self.literal();
            }
            Token::Placeholder => {
                self.has_placeholders = true;
                self.mark();
            }
            Token::Operator(text) => self.operator(text),
            Token::Open(byte) => self.open(byte),
            Token::Close(byte) => self.close(byte),
            Token::Comma => self.comma(),
            Token::Semicolon => {
                self.semicolon = self.semicolon.min(self.n.out.len());
                self.n.out.push(b';');
                self.left = Left::Semicolon;
            }
            Token::Dot => {
                // Two dots would be one operator.
                if self.left == Left::Dot {
                    self.n.out.push(b' ');
                }
                self.n.out.push(b'.');
                self.left = Left::Dot;
            }
            Token::Cast => {
                if self.left == Left::Operator && self.n.out.last() == Some(&b':') {
                    self.n.out.push(b' ');
                }
                self.n.out.extend_from_slice(b"::");
                self.left = Left::Cast;
            }
            Token::Ambiguous => return self.hide(),
            Token::Stray | Token::Cut { comment: false } => return self.misquoted(),
            Token::Cut { comment: true } => {
                if self.first_string > 0 {
                    self.misquoted();
                }
                return false;
            }
        }
        true
    }

    #[inline]
    fn saw_string(&mut self, before_word: bool) {
        self.behind = if before_word { Behind::Glued } else { Behind::String };
        if self.first_string == 0 {
            self.first_string = self.n.out.len();
            self.first_kind = self.kind.kind;
        }
    }

    /// Shows a token to those who know the places of values. None: it is written as everywhere.
    #[cold]
    fn place(&mut self, token: Token<'_>) -> Option<bool> {
        let seen = match token {
            Token::Word(text) => Seen::Word(text),
            Token::Quoted(_) => Seen::Name,
            Token::String { .. } | Token::Number | Token::Placeholder | Token::Operator(b"?") => Seen::Value,
            Token::Operator(b"=") => Seen::Equals,
            Token::Operator(b"-" | b"+") => Seen::Sign,
            Token::Operator(_) | Token::Cast => Seen::Other,
            Token::Open(_) => Seen::Open,
            Token::Close(_) => Seen::Close,
            Token::Comma => Seen::Comma,
            Token::Semicolon => Seen::Semicolon,
            Token::Dot => Seen::Dot,
            // Whatever the place, the normal form ends here.
            Token::Ambiguous | Token::Stray | Token::Cut { .. } => return None,
        };
        match self.places.see(seen, self.depth()) {
            Verdict::Show => return None,
            Verdict::Mask => self.literal(),
            Verdict::Drop => self.has_literals = true,
            Verdict::Password => {
                self.space(false);
                self.n.out.extend_from_slice(b"password");
                self.left = Left::Name;
                return Some(self.hide());
            }
            Verdict::Hide => return Some(self.hide()),
            Verdict::End => {
                self.has_literals = true;
                return Some(false);
            }
        }
        if let Token::String { before_word, .. } = token {
            self.saw_string(before_word);
        }
        Some(true)
    }

    /// Brackets that are open.
    #[inline]
    fn depth(&self) -> usize {
        self.n.brackets.len() + self.n.deeper
    }

    /// Ends the run with a mark in place of all that follows.
    #[cold]
    fn hide(&mut self) -> bool {
        self.has_literals = true;
        if self.left != Left::Literal {
            self.mark();
        }
        false
    }

    /// Ends the run where quotes are not what they seem: what stands behind the first string may be the inside of a literal.
    #[cold]
    fn misquoted(&mut self) -> bool {
        if self.first_string == 0 {
            return self.hide();
        }
        self.n.out.truncate(self.first_string);
        // Two statements of one normal form are of one kind.
        self.kind.kind = self.first_kind;
        false
    }

    /// Whether the word before a quote can be a type, as in `date'2026-01-01'`, or a keyword.
    #[cold]
    fn ends_in_type(&self) -> bool {
        let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = self.n.out.iter().rev().take_while(|byte| is_of_word(byte)).count();
        let word = self
            .n
            .out
            .len()
            .checked_sub(length)
            .and_then(|start| self.n.out.get(start..));
        self.left != Left::Literal && word.is_some_and(words::may_touch_string)
    }

    /// A space before the next token, where the two tokens want one.
    #[inline]
    fn space(&mut self, hugs_name: bool) {
        let none = match self.left {
            Left::Start | Left::Open | Left::Dot | Left::Cast => true,
            Left::Name | Left::Close => hugs_name,
            _ => false,
        };
        if !none {
            self.n.out.push(b' ');
        }
    }

    #[inline]
    fn literal(&mut self) {
        self.has_literals = true;
        self.mark();
    }

    /// Writes the mark of a literal.
    #[inline]
    fn mark(&mut self) {
        self.space(false);
        self.n.out.push(b'?');
        self.left = Left::Literal;
    }

    fn word(&mut self, text: &[u8]) -> bool {
        let is_ascii = text.is_ascii();
        if !is_ascii && words::has_typography(text) {
            return self.misquoted();
        }
        let before = self.n.out.len();
        let left = self.left;
        self.space(false);
        let start = self.n.out.len();
        if is_ascii {
            self.n.out.extend_from_slice(text);
        } else {
            self.n.write_name(text);
        }
        let Some(written) = self.n.out.get_mut(start..) else {
            return true;
        };
        written.make_ascii_lowercase();
        let word = if left == Left::Dot {
            Word::Name
        } else {
            Word::of(written)
        };
        self.left = if word.begins_expression() {
            Left::Keyword
        } else {
            Left::Name
        };
        if word == Word::Constant && matches!(left, Left::Operator | Left::Comma | Left::Open) {
            // From here on it is what its mark would be: no word.
            if !self.kind.found {
                self.kind.see_no_word();
            }
            self.n.out.truncate(before);
            self.left = left;
            self.literal();
            return true;
        }
        self.last_word = word;
        match word {
            Word::Name | Word::Keyword => {}
            Word::Utility if matches!(left, Left::Start | Left::Semicolon) => {
                let depth = self.n.brackets.len() + self.n.deeper;
                self.places.begin(written, depth);
            }
            Word::Create | Word::Alter => self.places.begin_definition(word == Word::Alter, self.depth()),
            Word::Values => {
                if let Some(bracket) = self.n.brackets.last_mut() {
                    bracket.rows = Some(None);
                    bracket.holds = Holds::Anything;
                }
            }
            Word::Select | Word::With => {
                if let Some(bracket) = self.n.brackets.last_mut() {
                    bracket.holds = Holds::Anything;
                }
            }
            _ => {}
        }
        if !self.kind.found {
            self.kind.see(word, self.depth());
        }
        true
    }

    fn operator(&mut self, text: &[u8]) {
        if text == b"?" {
            // A literal that was normalised already, or jsonb's operator: no way to tell, and no need.
            self.mark();
            return;
        }
        let before = (self.n.out.len(), self.left);
        if self.left == Left::Dot && text == b".." {
            self.n.out.push(b' ');
        }
        self.space(false);
        // The server's lexer reads both as one.
        let text: &[u8] = if text == b"!=" { b"<>" } else { text };
        self.n.out.extend_from_slice(text);
        let unary = matches!(
            self.left,
            Left::Start | Left::Keyword | Left::Operator | Left::Open | Left::Comma | Left::Semicolon
        );
        if unary && matches!(text, b"-" | b"+") {
            self.sign = Some(before);
        }
        self.left = Left::Operator;
    }

    fn open(&mut self, byte: u8) {
        let after_word = matches!(self.left, Left::Name | Left::Keyword);
        let in_values = self.left == Left::Comma || (after_word && self.last_word == Word::Values);
        let parent = self.n.brackets.last().copied();
        let holds = match (byte, parent) {
            (b'(', Some(Bracket { rows: Some(_), .. })) if in_values && self.n.deeper == 0 => Holds::Row,
            (b'(', _) if after_word && self.last_word == Word::In => Holds::List,
            (b'[', _) if after_word && self.last_word == Word::Array => Holds::List,
            (b'[', Some(Bracket { holds: Holds::List, .. })) if matches!(self.left, Left::Open | Left::Comma) => {
                Holds::List
            }
            _ => Holds::Anything,
        };
        // `f(`, `a[`, but `in (`.
        self.space(true);
        if byte == b'[' && self.n.out.last() == Some(&b' ') && !matches!(self.left, Left::Comma) {
            self.n.out.pop();
        }
        let start = self.n.out.len();
        self.n.out.push(byte);
        self.left = Left::Open;
        if self.n.brackets.len() >= MAX_DEPTH {
            self.n.deeper += 1;
            return;
        }
        let element = if holds == Holds::Row { start } else { start + 1 };
        self.n.brackets.push(Bracket::new(holds, element));
    }

    fn close(&mut self, byte: u8) {
        if self.n.deeper > 0 {
            self.n.deeper -= 1;
        } else if self.n.brackets.len() > 1
            && let Some(bracket) = self.n.brackets.pop()
        {
            if bracket.holds == Holds::List {
                self.collapse(bracket.element, bracket.previous);
            }
            self.n.out.push(byte);
            self.left = Left::Close;
            if bracket.holds == Holds::Row {
                self.row(bracket.element);
            }
            return;
        }
        self.n.out.push(byte);
        self.left = Left::Close;
    }

    /// A row of `VALUES` ended: a repetition of the row before is dropped.
    fn row(&mut self, start: usize) {
        let previous = self.n.brackets.last().and_then(|parent| parent.rows).flatten();
        let kept = self.collapse(start, previous);
        if let Some(parent) = self.n.brackets.last_mut() {
            parent.rows = Some(Some(kept));
        }
    }

    fn comma(&mut self) {
        if self.n.deeper == 0
            && let Some(bracket) = self.n.brackets.last().copied()
            && bracket.holds == Holds::List
        {
            let kept = self.collapse(bracket.element, bracket.previous);
            let next = self.n.out.len() + 1;
            if let Some(bracket) = self.n.brackets.last_mut() {
                bracket.previous = Some(kept);
                bracket.element = next;
            }
        }
        self.n.out.push(b',');
        self.left = Left::Comma;
    }

    /// Drops the element that begins at `start` if it equals the one before: the place of the one that stays.
    fn collapse(&mut self, start: usize, previous: Option<(usize, usize)>) -> (usize, usize) {
        let out = &mut self.n.out;
        let start = start + usize::from(out.get(start) == Some(&b' '));
        if let Some((from, to)) = previous
            && out.get(from..to) == out.get(start..)
        {
            out.truncate(to);
            // The mark of the first string may be gone; the one that it repeated is not.
            self.first_string = self.first_string.min(to);
            return (from, to);
        }
        (start, out.len())
    }
}

/// The kind by the first word, or by the first verb after the queries of `WITH`.
#[derive(Debug, Default)]
struct KindFinder {
    found: bool,
    kind: Option<StatementKind>,
    /// Depth at which `WITH` stood.
    with_depth: Option<usize>,
}

impl KindFinder {
    fn see(&mut self, word: Word, depth: usize) {
        match self.with_depth {
            None if word == Word::With => self.with_depth = Some(depth),
            None => {
                self.kind = Some(word.kind());
                self.found = true;
            }
            Some(with_depth) => {
                let kind = word.kind();
                if depth == with_depth && !matches!(kind, StatementKind::Utility | StatementKind::Other) {
                    self.kind = Some(kind);
                    self.found = true;
                }
            }
        }
    }

    /// The statement begins with something else.
    fn see_no_word(&mut self) {
        self.found = self.with_depth.is_none();
    }

    fn kind(&self) -> StatementKind {
        self.kind.unwrap_or(StatementKind::Other)
    }
}

#[cfg(test)]
mod tests;
