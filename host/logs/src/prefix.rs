//! `log_line_prefix`: compiled from its text, or detected from a log.
//!
//! **In**: the setting as `SHOW log_line_prefix` gives it, and lines. **Out**: the fields in front of a message. **Trusted**:
//! nothing in a line; names are taken as they stand between the literal parts of the prefix. **Can fail**: a line that does not
//! match is no head of an entry; matching one line is bounded by `MAX_STEPS`.

mod detect;
mod memory;

pub use detect::detect;
pub(crate) use memory::Memory;
use memory::Places;

use crate::bytes::{at, digits, from, hexadecimal, signed, slice, trim, up_to};
use crate::error::LogError;
use crate::instant::{Clock, Stamp};
use crate::severity::Label;

/// Longest prefix accepted; the server's own setting files do not hold a longer line.
const MAX_PREFIX_BYTES: usize = 1_024;
/// Longest value of a text escape (names are cut to 63 bytes by the server, host names to 255).
const MAX_TEXT_BYTES: usize = 320;
/// Most positions tried for one line: a hostile application name must not make matching quadratic.
const MAX_STEPS: u32 = 4_096;
/// Longest name of a role, database or application that the server keeps (`NAMEDATALEN` - 1).
const MAX_NAME_BYTES: usize = 63;

/// A compiled `log_line_prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    text: String,
    elements: Vec<Element>,
    /// How many elements stand before the first that has no form of its own.
    lead: usize,
    /// Whether the lead ends in a literal, so that no byte behind it has a say in it.
    lead_is_closed: bool,
    /// Whether what follows the lead is a function of its bytes alone, apart from the lead.
    tail_is_pure: bool,
    /// How far behind the lead a label can stand.
    reach: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    Literal(Box<[u8]>),
    Field(Field, i16),
    /// `%q`: processes that are no session stop here.
    SessionOnly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Application,
    User,
    Database,
    /// `%r`, `%h`, `%L`, `%b`, `%i`: text that is not used.
    Text,
    Pid,
    LeaderPid,
    Time,
    TimeMillis,
    TimeEpoch,
    SessionStart,
    SessionId,
    SqlState,
    QueryId,
    /// `%l`, `%x`: a number that is not used.
    Number,
    VirtualTransaction,
}

impl Element {
    /// The most bytes that a line has for it.
    fn max_bytes(&self) -> usize {
        match self {
            Self::Literal(literal) => literal.len(),
            Self::Field(field, padding) => {
                let own = if field.is_name() {
                    MAX_NAME_BYTES
                } else if *field == Field::Text {
                    MAX_TEXT_BYTES
                } else {
                    // `2026-11-23 05:04:31.054 Europe/Somewhere`
                    64
                };
                own.max(usize::from(padding.unsigned_abs()))
            }
            Self::SessionOnly => 0,
        }
    }
}

impl Field {
    /// A name that a client chooses.
    fn is_name(self) -> bool {
        matches!(self, Self::Application | Self::User | Self::Database)
    }

    /// Ends where the rest of the prefix matches.
    fn is_text(self) -> bool {
        matches!(self, Self::Application | Self::User | Self::Database | Self::Text)
    }

    /// Told by more than one escape, so that what another one read before matters.
    fn is_process_or_time(self) -> bool {
        matches!(
            self,
            Self::Pid | Self::Time | Self::TimeMillis | Self::TimeEpoch | Self::SessionStart | Self::SessionId
        )
    }
}

/// What the prefix of one line tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fields<'a> {
    pub(crate) at: Option<Stamp>,
    pub(crate) pid: Option<i32>,
    pub(crate) start_us: Option<i64>,
    pub(crate) user: &'a [u8],
    pub(crate) database: &'a [u8],
    pub(crate) application: &'a [u8],
    pub(crate) query_id: i64,
    pub(crate) sqlstate: Option<[u8; 5]>,
}

/// A line that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matched<'a> {
    pub(crate) fields: Fields<'a>,
    pub(crate) label: Label,
    /// Where the message begins.
    pub(crate) text_start: usize,
}

impl Prefix {
    /// Compiles the text of the setting. Unknown escapes are empty, as they are for the server.
    ///
    /// # Errors
    /// [`LogError::Prefix`] when it is too long or holds a line end.
    pub fn compile(text: &str) -> Result<Self, LogError> {
        let refuse = |why: &str| LogError::Prefix {
            prefix: crate::bytes::escaped(text.as_bytes(), 120),
            why: why.to_owned(),
        };
        if text.len() > MAX_PREFIX_BYTES {
            return Err(refuse("it is longer than 1024 bytes"));
        }
        if text.contains(['\n', '\r']) {
            return Err(refuse("it contains a line end"));
        }
        let elements = compile(text.as_bytes());
        let has_own_form = |element: &Element| match element {
            Element::Literal(_) => true,
            Element::Field(field, _) => !field.is_text(),
            Element::SessionOnly => false,
        };
        let lead = elements.iter().take_while(|element| has_own_form(element)).count();
        let lead_is_closed = matches!(elements.get(..lead), Some([.., Element::Literal(_)]));
        let of_lead = |element: &Element| matches!(element, Element::Field(field, _) if field.is_process_or_time());
        let tail_is_pure = !elements.iter().skip(lead).any(of_lead);
        let reach = elements.iter().skip(lead).map(Element::max_bytes).sum();
        Ok(Self {
            text: text.to_owned(),
            elements,
            lead,
            lead_is_closed,
            tail_is_pure,
            reach,
        })
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether entries carry an instant.
    pub(crate) fn has_time(&self) -> bool {
        self.has(|field| matches!(field, Field::Time | Field::TimeMillis | Field::TimeEpoch))
    }

    /// Whether entries tell their process.
    pub(crate) fn has_process(&self) -> bool {
        self.has(|field| matches!(field, Field::Pid | Field::SessionId))
    }

    /// Whether entries tell database, user and application.
    pub(crate) fn has_dimensions(&self) -> bool {
        self.has(|field| field == Field::User)
            && self.has(|field| field == Field::Database)
            && self.has(|field| field == Field::Application)
    }

    fn has(&self, wanted: impl Fn(Field) -> bool) -> bool {
        self.elements
            .iter()
            .any(|element| matches!(element, Element::Field(field, _) if wanted(*field)))
    }

    /// How far behind the start of a message a label can stand in another reading of the line.
    pub(crate) fn reach(&self) -> usize {
        self.reach
    }

    /// Whether the line that matched could be read in another way, with a label further back: a name may hold what looks like the
    /// rest of the prefix and a label, and who reads the line cannot know where the name ends.
    #[cold]
    pub(crate) fn has_another_reading(&self, line: &[u8], text_start: usize) -> bool {
        let mut clock = Clock::default();
        let mut matcher = Matcher {
            beyond: text_start,
            // What ends it is looked for in the same window.
            longest_name: MAX_NAME_BYTES + 1,
            wanted: Names {
                application: self.has(|field| field == Field::Application),
                user: self.has(|field| field == Field::User),
                database: self.has(|field| field == Field::Database),
            },
            ..Matcher::new(line, &mut clock)
        };
        let Some((lead, tail)) = self.elements.split_at_checked(self.lead) else {
            return false;
        };
        let Some(start) = matcher.lead(lead) else { return false };
        matcher.step(tail, start).is_some() || matcher.steps > MAX_STEPS
    }

    /// Whether the line, which did not match, is a prefix that ends in the middle of a name. The server writes a name as it is, so
    /// a line end in one tears the prefix, and what follows is the client's text without a tab before it.
    #[cold]
    pub(crate) fn is_torn(&self, line: &[u8]) -> bool {
        if !self.has(Field::is_name) || self.begins_with_name() {
            return false;
        }
        let mut clock = Clock::default();
        let lead = self.elements.get(..self.lead).unwrap_or_default();
        let end = Matcher::new(line, &mut clock).lead(lead);
        end.is_some_and(|end| crate::bytes::line_end(line, 0).saturating_sub(end) <= self.reach)
    }

    /// Whether a name is the first that a line tells, so that a torn prefix looks like any other line.
    pub(crate) fn begins_with_name(&self) -> bool {
        let mut lead = self.elements.iter().take(self.lead);
        self.has(Field::is_name) && !lead.any(|element| matches!(element, Element::Field(..)))
    }

    /// How much a match says: fields and punctuation, and much less if words of a line were taken for a part of the prefix.
    fn weight(&self) -> isize {
        let weight = |element: &Element| match element {
            Element::Literal(literal) => literal_weight(literal),
            Element::Field(..) => 2,
            Element::SessionOnly => 0,
        };
        self.elements.iter().map(weight).sum()
    }

    /// Matches the line that begins at the start of `bytes`; only its first line is looked at.
    #[inline]
    pub(crate) fn read<'a>(&self, bytes: &'a [u8], memory: &mut Memory) -> Option<Matched<'a>> {
        let (lead, tail) = self.elements.split_at_checked(self.lead)?;
        let (mut fields, start) = match memory.recall_lead(bytes) {
            Some(known) => known,
            None => self.read_lead(bytes, lead, memory)?,
        };
        let (label, text_start) = match memory.recall(bytes, start, &mut fields) {
            Some(known) if self.tail_is_pure => known,
            _ => {
                let found = self.read_tail(bytes, start, tail, memory, fields)?;
                fields = found.0;
                found.1
            }
        };
        Some(Matched {
            fields,
            label,
            text_start,
        })
    }

    fn read_lead<'a>(&self, bytes: &'a [u8], lead: &[Element], memory: &mut Memory) -> Option<(Fields<'a>, usize)> {
        let mut matcher = Matcher::new(bytes, &mut memory.clock);
        let end = matcher.lead(lead)?;
        let (fields, places) = (matcher.fields, matcher.places);
        if self.lead_is_closed {
            memory.learn_lead(bytes, end, &fields, places);
        }
        Some((fields, end))
    }

    fn read_tail<'a>(
        &self,
        bytes: &'a [u8],
        start: usize,
        tail: &[Element],
        memory: &mut Memory,
        fields: Fields<'a>,
    ) -> Option<(Fields<'a>, (Label, usize))> {
        let mut matcher = Matcher {
            fields,
            furthest: start,
            ..Matcher::new(bytes, &mut memory.clock)
        };
        let (label, end) = matcher.step(tail, start)?;
        let (fields, furthest) = (matcher.fields, matcher.furthest);
        if self.tail_is_pure && furthest <= end {
            memory.learn(bytes, (start, end), &fields, label);
        }
        Some((fields, (label, end)))
    }
}

/// Punctuation counts for, words count against, unless they are keys (`user=`).
fn literal_weight(literal: &[u8]) -> isize {
    let mut weight = 0;
    let mut word = 0;
    for byte in literal {
        if byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80 {
            word += 1;
        } else {
            weight += if *byte == b'=' || *byte == b':' {
                1 + word
            } else {
                1 - 8 * word
            };
            word = 0;
        }
    }
    weight - 8 * word
}

fn compile(text: &[u8]) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut literal: Vec<u8> = Vec::new();
    let mut position = 0;
    while position < text.len() {
        let byte = at(text, position);
        position += 1;
        if byte != b'%' {
            literal.push(byte);
            continue;
        }
        let (padding, after) = padding(text, position);
        position = after + 1;
        let element = match at(text, after) {
            b'%' => {
                literal.push(b'%');
                continue;
            }
            b'q' => Element::SessionOnly,
            letter => match field(letter) {
                Some(field) => Element::Field(field, padding),
                None => continue,
            },
        };
        if !literal.is_empty() {
            elements.push(Element::Literal(std::mem::take(&mut literal).into_boxed_slice()));
        }
        elements.push(element);
    }
    if !literal.is_empty() {
        elements.push(Element::Literal(literal.into_boxed_slice()));
    }
    elements
}

/// Reads `-10` of `%-10u`: the padding and the position of the letter.
fn padding(text: &[u8], start: usize) -> (i16, usize) {
    match signed(text, start) {
        Some((value, end)) => (i16::try_from(value.clamp(-512, 512)).unwrap_or(0), end),
        None => (0, start),
    }
}

fn field(letter: u8) -> Option<Field> {
    Some(match letter {
        b'a' => Field::Application,
        b'u' => Field::User,
        b'd' => Field::Database,
        b'r' | b'h' | b'L' | b'b' | b'i' => Field::Text,
        b'p' => Field::Pid,
        b'P' => Field::LeaderPid,
        b't' => Field::Time,
        b'm' => Field::TimeMillis,
        b'n' => Field::TimeEpoch,
        b's' => Field::SessionStart,
        b'c' => Field::SessionId,
        b'e' => Field::SqlState,
        b'Q' => Field::QueryId,
        b'l' | b'x' => Field::Number,
        b'v' => Field::VirtualTransaction,
        _ => return None,
    })
}

struct Matcher<'a, 'c> {
    bytes: &'a [u8],
    clock: &'c mut Clock,
    steps: u32,
    fields: Fields<'a>,
    /// Where digits stand that change.
    places: Places,
    /// Behind the last byte that had a say.
    furthest: usize,
    /// The message must begin behind this.
    beyond: usize,
    longest_name: usize,
    /// Which names are not empty.
    told: Names,
    /// Which names the prefix has; it is no match if some of them are told and others are not.
    wanted: Names,
}

/// One thing for each name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Names {
    application: bool,
    user: bool,
    database: bool,
}

impl<'a, 'c> Matcher<'a, 'c> {
    #[inline]
    fn new(bytes: &'a [u8], clock: &'c mut Clock) -> Self {
        Self {
            bytes,
            clock,
            steps: 0,
            fields: Fields::default(),
            places: Places::default(),
            furthest: 0,
            beyond: 0,
            longest_name: MAX_TEXT_BYTES,
            told: Names::default(),
            wanted: Names::default(),
        }
    }

    /// Reads elements that have a form of their own: where they end.
    #[inline]
    fn lead(&mut self, elements: &[Element]) -> Option<usize> {
        let mut position = 0;
        for element in elements {
            position = match element {
                Element::Literal(literal) => {
                    from(self.bytes, position).starts_with(literal).then_some(())?;
                    position + literal.len()
                }
                Element::Field(field, padding) => self.token(*field, *padding, position)?,
                Element::SessionOnly => return None,
            };
        }
        Some(position)
    }

    /// A session has all names (`[unknown]` at least), a process without one has none.
    #[inline]
    fn names_go_together(&self) -> bool {
        let none = Names::default();
        self.wanted == none || self.told == none || self.told == self.wanted
    }

    fn saw(&mut self, end: usize) {
        self.furthest = self.furthest.max(end);
    }

    fn step(&mut self, elements: &[Element], position: usize) -> Option<(Label, usize)> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return None;
        }
        let Some((element, rest)) = elements.split_first() else {
            let found = Label::read(from(self.bytes, position));
            self.saw(position + found.map_or(Label::MAX_BYTES, |(_, length)| length));
            return found
                .map(|(label, length)| (label, position + length))
                .filter(|(_, end)| *end > self.beyond && self.names_go_together());
        };
        match element {
            Element::Literal(literal) => {
                self.saw(position + literal.len());
                if !from(self.bytes, position).starts_with(literal) {
                    return None;
                }
                self.step(rest, position + literal.len())
            }
            Element::SessionOnly => self.step(&[], position).or_else(|| self.step(rest, position)),
            Element::Field(field, padding) if field.is_text() => self.text(*field, *padding, rest, position),
            Element::Field(field, padding) => {
                let Some(end) = self.token(*field, *padding, position) else {
                    self.saw(usize::MAX);
                    return None;
                };
                // The byte behind ended it.
                self.saw(end + 1);
                self.step(rest, end)
            }
        }
    }

    /// A text field ends where the rest of the prefix matches, as early as possible.
    fn text(&mut self, field: Field, padding: i16, rest: &[Element], start: usize) -> Option<(Label, usize)> {
        let longest = match field.is_name() {
            true => self.longest_name.max(usize::from(padding.unsigned_abs())),
            false => MAX_TEXT_BYTES,
        };
        let window = up_to(from(self.bytes, start), longest);
        let window = slice(window, 0, crate::bytes::line_end(window, 0));
        let follows = match rest.first() {
            Some(Element::Literal(literal)) => literal.first().copied(),
            _ => None,
        };
        let mut length = 0;
        while length <= window.len() {
            if let Some(byte) = follows {
                match memchr::memchr(byte, from(window, length)) {
                    Some(found) => length += found,
                    None => {
                        self.saw(usize::MAX);
                        return None;
                    }
                }
            }
            let value = trim(slice(window, 0, length));
            self.named(field, value, length > 0);
            if let Some(found) = self.step(rest, start + length) {
                return Some(found);
            }
            // A later text field of a failed attempt may have overwritten nothing of ours: it comes after us again.
            length += 1;
        }
        self.saw(usize::MAX);
        None
    }

    fn named(&mut self, field: Field, value: &'a [u8], is_told: bool) {
        let (place, told) = match field {
            Field::Application => (&mut self.fields.application, &mut self.told.application),
            Field::User => (&mut self.fields.user, &mut self.told.user),
            Field::Database => (&mut self.fields.database, &mut self.told.database),
            _ => return,
        };
        *place = value;
        *told = is_told;
    }

    /// A field that ends by its own form: the position after it, padding included.
    fn token(&mut self, field: Field, padding: i16, start: usize) -> Option<usize> {
        let bytes = self.bytes;
        let width = usize::from(padding.unsigned_abs());
        let mut begin = start;
        while padding > 0 && begin < start + width && at(bytes, begin) == b' ' {
            begin += 1;
        }
        let mut end = self.value(field, begin)?;
        while padding < 0 && end < start + width && at(bytes, end) == b' ' {
            end += 1;
        }
        Some(end)
    }

    fn value(&mut self, field: Field, start: usize) -> Option<usize> {
        let bytes = self.bytes;
        match field {
            Field::Pid => {
                let (pid, end) = digits(bytes, start)?;
                self.fields.pid = Some(i32::try_from(pid).ok()?);
                self.places.pid(start, end);
                Some(end)
            }
            Field::LeaderPid => Some(digits(bytes, start).map_or(start, |(_, end)| end)),
            Field::Number => {
                let (_, end) = digits(bytes, start)?;
                self.places.number(start, end);
                Some(end)
            }
            Field::Time | Field::TimeMillis => {
                let (stamp, end) = self.clock.read(bytes, start, field == Field::TimeMillis)?;
                // `%m` and `%t` may both be there: the finer one counts.
                if field == Field::TimeMillis || self.fields.at.is_none() {
                    self.fields.at = Some(stamp);
                }
                if field == Field::TimeMillis {
                    let count = if at(bytes, start + 23) == b' ' { 3 } else { 6 };
                    self.places.millis(start + 20, count);
                }
                Some(end)
            }
            Field::TimeEpoch => {
                let (second, dot) = digits(bytes, start)?;
                let (millis, end) = digits(bytes, dot + 1)?;
                if at(bytes, dot) != b'.' || end - dot != 4 {
                    return None;
                }
                let at_us = i64::try_from(second.checked_mul(1_000)?.checked_add(millis)?)
                    .ok()?
                    .checked_mul(1_000)?;
                self.fields.at = Some(Stamp { at_us, certain: true });
                self.places.no_millis();
                Some(end)
            }
            Field::SessionStart => {
                let (stamp, end) = self.clock.read(bytes, start, false)?;
                self.fields.start_us = Some(stamp.at_us);
                Some(end)
            }
            Field::SessionId => {
                let (start_us, pid, end) = session_id(bytes, start)?;
                self.fields.start_us = self.fields.start_us.or(Some(start_us));
                self.fields.pid = self.fields.pid.or(Some(pid));
                Some(end)
            }
            Field::SqlState => {
                let text = slice(bytes, start, start + 5);
                let code: [u8; 5] = text.try_into().ok()?;
                code.iter().all(u8::is_ascii_alphanumeric).then_some(())?;
                self.fields.sqlstate = Some(code);
                Some(start + 5)
            }
            Field::QueryId => {
                let (id, end) = signed(bytes, start)?;
                self.fields.query_id = id;
                Some(end)
            }
            Field::VirtualTransaction => {
                // `3/17`, or nothing outside a transaction's process.
                let Some((_, slash)) = digits(bytes, start) else {
                    return Some(start);
                };
                if at(bytes, slash) != b'/' {
                    return Some(start);
                }
                digits(bytes, slash + 1).map(|(_, end)| end)
            }
            Field::Application | Field::User | Field::Database | Field::Text => None,
        }
    }
}

/// Reads `6b03c95f.927`: start of the session, pid, position after it.
pub(crate) fn session_id(bytes: &[u8], start: usize) -> Option<(i64, i32, usize)> {
    let (second, dot) = hexadecimal(bytes, start)?;
    if at(bytes, dot) != b'.' {
        return None;
    }
    let (pid, end) = hexadecimal(bytes, dot + 1)?;
    Some((
        i64::try_from(second).ok()?.checked_mul(1_000_000)?,
        i32::try_from(pid).ok()?,
        end,
    ))
}

#[cfg(test)]
mod tests;
