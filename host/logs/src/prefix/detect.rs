//! The prefix of a log that nobody told us.
//!
//! Each head line proposes a template: what has a form of its own (timestamps, session ids, addresses, numbers in brackets)
//! becomes its escape, `user=`-like keys name what follows, the rest goes by position. The template that explains most lines
//! wins; the usual prefixes of distributions and clouds are proposed too.

use std::collections::BTreeSet;

use super::{Memory, Prefix, session_id};
use crate::bytes::{at, digits, from, line_end, signed, slice, up_to};
use crate::instant::Clock;
use crate::severity::Label;

/// Lines looked at.
const MAX_LINES: usize = 400;
/// Templates compared.
const MAX_TEMPLATES: usize = 64;
/// A number this long is a query id: 64 bits of a hash.
const MIN_QUERY_ID_BYTES: usize = 14;

const USUAL: [&str; 24] = [
    "%m [%p] ",
    "%m [%p] %q%u@%d ",
    "%m [%p] %q%u@%d/%a ",
    "%t [%p] ",
    "%t [%p]: ",
    "%t [%p] %q%u@%d ",
    "%t [%p-%l] %q%u@%d ",
    "%m [%p-%l] %q%u@%d ",
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%t-%c-",
    "%m %d %u [%p]: [%l-1] ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] db=%d,user=%u ",
    "%m [%p]: [%l-1] db=%d,user=%u,app=%a,client=%h ",
    "%m [%p] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%x] user=%u,db=%d,app=%a,client=%r ",
    "%m [%p] %u@%d %a: ",
    "%m|%u|%d|%r|%p|%a|",
    "%m %u@%d %p %s ",
    "< %m > ",
];

/// Finds the `log_line_prefix` that explains most head lines of a sample, if it explains at least half of them.
///
/// ```
/// let sample = b"2026-11-23 05:04:31.054 UTC [7] app@shop web: LOG:  duration: 1.5 ms  statement: SELECT 1\n";
/// let found = pg_logstats_logs::prefix::detect(sample).expect("a prefix");
/// assert_eq!(found.as_str(), "%m [%p] %u@%d %a: ");
/// ```
#[must_use]
pub fn detect(sample: &[u8]) -> Option<Prefix> {
    let lines = head_lines(sample);
    let mut templates: BTreeSet<String> = USUAL.iter().map(|text| (*text).to_owned()).collect();
    for (line, label) in &lines {
        if templates.len() >= MAX_TEMPLATES {
            break;
        }
        let template = template(slice(line, 0, *label));
        templates.extend(with_session_stop(&template));
        templates.insert(template);
    }
    let (prefix, matches) = best_of(templates, &lines)?;
    let prefix = as_distributed(prefix);
    (matches > 0 && matches * 2 >= lines.len()).then_some(prefix)
}

/// A sample without background processes shows no `%q`; a usual prefix that is the same but for it is assumed.
fn as_distributed(prefix: Prefix) -> Prefix {
    if USUAL.contains(&prefix.as_str()) {
        return prefix;
    }
    let usual = USUAL
        .iter()
        .find(|usual| usual.contains("%q") && usual.replace("%q", "") == prefix.as_str());
    usual.and_then(|usual| Prefix::compile(usual).ok()).unwrap_or(prefix)
}

/// Lines with a label that do not continue another, and where the label stands.
fn head_lines(sample: &[u8]) -> Vec<(&[u8], usize)> {
    let mut lines = Vec::new();
    let mut position = 0;
    while position < sample.len() && lines.len() < MAX_LINES {
        let end = line_end(sample, position);
        let line = slice(sample, position, end);
        position = end + 1;
        if line.starts_with(b"\t") {
            continue;
        }
        let head = up_to(line, Label::MAX_POSITION);
        let found = memchr::memmem::find_iter(head, b":  ").find_map(|colon| {
            let word = head
                .get(..colon)?
                .iter()
                .rposition(|byte| !byte.is_ascii_alphanumeric())
                .map_or(0, |last| last + 1);
            Label::read(from(line, word)).map(|_| word)
        });
        if let Some(label) = found {
            lines.push((line, label));
        }
    }
    lines
}

/// How well a template explains the lines: in how many names look like names, how many match, and what a match says. Names first:
/// what stands before them can be taken for a part of one, and then more lines match, forged ones too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    plain_names: usize,
    matches: usize,
    without_stop: bool,
    weight: isize,
}

fn best_of(templates: impl IntoIterator<Item = String>, lines: &[(&[u8], usize)]) -> Option<(Prefix, usize)> {
    let mut memory = Memory::default();
    let mut best: Option<(Prefix, Rank)> = None;
    for text in templates {
        let Ok(prefix) = Prefix::compile(&text) else { continue };
        let mut rank = Rank {
            matches: 0,
            plain_names: 0,
            without_stop: !text.contains("%q"),
            weight: prefix.weight(),
        };
        for matched in lines.iter().filter_map(|(line, _)| prefix.read(line, &mut memory)) {
            let odd = |name: &[u8]| name.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'=');
            rank.matches += 1;
            rank.plain_names += usize::from(!odd(matched.fields.user) && !odd(matched.fields.database));
        }
        if best.as_ref().is_none_or(|(_, known)| rank > *known) {
            best = Some((prefix, rank));
        }
    }
    best.map(|(prefix, rank)| (prefix, rank.matches))
}

/// Background processes print no more than what stands before `%q`, which comes before the first name of a session.
fn with_session_stop(template: &str) -> Option<String> {
    let place = ["%u", "%d", "%a", "%r", "%h"]
        .iter()
        .filter_map(|escape| template.find(escape))
        .min()?;
    // With its key: `user=%u`.
    let (before, _) = template.split_at_checked(place)?;
    let start = before.rfind(' ').map_or(0, |space| space + 1);
    (start > 0).then(|| {
        format!(
            "{}%q{}",
            template.get(..start).unwrap_or_default(),
            template.get(start..).unwrap_or_default()
        )
    })
}

/// Proposes a template for what stands before a label.
fn template(head: &[u8]) -> String {
    let mut writer = Writer::default();
    let mut position = 0;
    while position < head.len() {
        position = match writer.shaped(head, position) {
            Some(end) => end,
            None => writer.word_or_literal(head, position),
        };
    }
    writer.out
}

#[derive(Default)]
struct Writer {
    out: String,
    clock: Clock,
}

impl Writer {
    fn uses(&self, escape: &str) -> bool {
        self.out.contains(escape)
    }

    /// The key right before: `user=` gives `user`.
    fn key(&self) -> Option<&str> {
        let text = self
            .out
            .strip_suffix(['=', ':'])
            .or_else(|| self.out.strip_suffix("= "))?;
        let start = text
            .rfind(|c: char| !c.is_ascii_alphabetic() && c != '_')
            .map_or(0, |place| place + 1);
        text.get(start..).filter(|key| !key.is_empty())
    }

    fn named(&self) -> Option<&'static str> {
        let key = self.key()?.to_ascii_lowercase();
        let escape = match key.as_str() {
            "user" | "usr" | "u" | "username" | "role" => "%u",
            "db" | "database" | "d" | "dbname" => "%d",
            "app" | "application" | "a" | "appname" | "application_name" => "%a",
            "client" | "remote" | "r" | "from" => "%r",
            "host" | "h" | "ip" => "%h",
            "pid" | "p" | "process" => "%p",
            "line" | "l" | "lineno" | "line_num" => "%l",
            "session" | "sess" | "sid" | "c" => "%c",
            "sqlstate" | "state" | "e" | "code" | "error" | "err" => "%e",
            "tx" | "txid" | "xid" | "x" | "trx" => "%x",
            "vxid" | "v" | "vtx" => "%v",
            "cmd" | "command" | "tag" | "i" => "%i",
            "qid" | "query_id" | "queryid" | "q" => "%Q",
            "backend" | "backend_type" | "type" | "b" => "%b",
            _ => return None,
        };
        (!self.uses(escape)).then_some(escape)
    }

    /// Something that has a form of its own.
    fn shaped(&mut self, head: &[u8], start: usize) -> Option<usize> {
        let here = from(head, start);
        let before = start.checked_sub(1).map_or(b' ', |place| at(head, place));
        // The server quotes nothing: what follows a quote is a part of a name.
        if before.is_ascii_alphanumeric() || matches!(before, b'_' | b'"' | b'\'') {
            return None;
        }
        if let Some((_, end)) = self.clock.read(head, start, true) {
            self.out.push_str("%m");
            return Some(end);
        }
        if let Some((_, end)) = self.clock.read(head, start, false) {
            self.out
                .push_str(if self.uses("%m") || self.uses("%t") || self.uses("%n") {
                    "%s"
                } else {
                    "%t"
                });
            return Some(end);
        }
        if let Some((escape, length)) = address(here) {
            self.out.push_str(escape);
            return Some(start + length);
        }
        if let Some((second, dot)) = digits(head, start)
            && dot - start == 10
            && second > 900_000_000
            && at(head, dot) == b'.'
            && let Some((_, end)) = digits(head, dot + 1)
            && end - dot == 4
        {
            self.out.push_str("%n");
            return Some(end);
        }
        if let Some((start_us, _, end)) = session_id(head, start)
            && start_us > 900_000_000_000_000
            && !at(head, end).is_ascii_alphanumeric()
        {
            self.out.push_str("%c");
            return Some(end);
        }
        self.number(head, start)
    }

    fn number(&mut self, head: &[u8], start: usize) -> Option<usize> {
        let (_, end) = signed(head, start)?;
        if end - start >= MIN_QUERY_ID_BYTES && !self.uses("%Q") {
            self.out.push_str("%Q");
            return Some(end);
        }
        let is_query_id = self.named() == Some("%Q");
        if at(head, start) == b'-' && !is_query_id {
            return None;
        }
        if at(head, end) == b'/'
            && let Some((_, end)) = digits(head, end + 1)
        {
            self.out.push_str("%v");
            return Some(end);
        }
        if at(head, end).is_ascii_alphanumeric() || at(head, end) == b'_' {
            return None;
        }
        if let Some(escape) = self.named() {
            self.out.push_str(escape);
            return Some(end);
        }
        // `%c[3]`: the pid is in the session id already.
        let in_session_id = self.uses("%c") && self.out.ends_with('[');
        // `[3-1]`: the line number and a constant for syslog's sake.
        if self.out.ends_with("%l-") {
            self.out
                .push_str(std::str::from_utf8(slice(head, start, end)).unwrap_or_default());
            return Some(end);
        }
        let is_state = slice(head, start, end) == b"00000" && !self.uses("%e");
        let escape = if is_state {
            "%e"
        } else if !(self.uses("%p") || in_session_id) {
            "%p"
        } else if !self.uses("%l") {
            "%l"
        } else if !self.uses("%x") {
            "%x"
        } else {
            "%Q"
        };
        self.out.push_str(escape);
        Some(end)
    }

    /// `bob@shop`, and `@` of a background process.
    fn user_at_database(&mut self, head: &[u8], start: usize) -> Option<usize> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"@[](){}<>,;|=/".contains(byte);
        let rest = from(head, start);
        let length = rest.iter().position(ends)?;
        if self.uses("%u") || at(rest, length) != b'@' {
            return None;
        }
        self.out.push_str("%u@%d");
        let mut end = start + length + 1;
        while end < head.len() && is_word(at(head, end)) {
            end += 1;
        }
        Some(end)
    }

    fn word_or_literal(&mut self, head: &[u8], start: usize) -> usize {
        let mut end = start;
        while is_word(at(head, end)) && end < head.len() {
            end += 1;
        }
        let next = at(head, end);
        if let Some(escape) = self.named()
            && (end > start || [b',', b' ', b';', b'|', b']'].contains(&next))
        {
            self.out.push_str(escape);
            return end.max(start);
        }
        if let Some(after) = self.user_at_database(head, start) {
            return after;
        }
        if end == start {
            let byte = at(head, start);
            self.out.push_str(if byte == b'%' { "%%" } else { "" });
            if byte != b'%' {
                let width = from(head, start)
                    .utf8_chunks()
                    .next()
                    .and_then(|chunk| chunk.valid().chars().next());
                if let Some(character) = width {
                    self.out.push(character);
                    return start + character.len_utf8();
                }
            }
            return start + 1;
        }
        // `user=`: a key, not a value.
        let is_key = next == b'=' || (next == b':' && at(head, end + 1) != b' ' && self.out.is_empty());
        let escape = ["%u", "%d", "%a"].into_iter().find(|escape| !self.uses(escape));
        match escape {
            Some(escape) if !is_key => self.out.push_str(escape),
            _ => self
                .out
                .push_str(&String::from_utf8_lossy(slice(head, start, end)).replace('%', "%%")),
        }
        end
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || byte == b'_' || byte == b'-' || byte == b'.'
}

/// `[local]`, `10.0.0.1`, `10.0.0.1(5432)`, `::1(5432)`.
fn address(bytes: &[u8]) -> Option<(&'static str, usize)> {
    if bytes.starts_with(b"[local]") {
        return Some(("%r", 7));
    }
    let mut end = 0;
    while end < 46 && (at(bytes, end).is_ascii_hexdigit() || matches!(at(bytes, end), b'.' | b':')) {
        end += 1;
    }
    let text = slice(bytes, 0, end);
    // `10.0.0.1:` may be followed by a literal colon.
    let text = text
        .strip_suffix(b":")
        .filter(|text| !text.ends_with(b":"))
        .unwrap_or(text);
    std::str::from_utf8(text).ok()?.parse::<std::net::IpAddr>().ok()?;
    let end = text.len();
    if at(bytes, end) == b'('
        && let Some((_, close)) = digits(bytes, end + 1)
        && at(bytes, close) == b')'
    {
        return Some(("%r", close + 1));
    }
    Some(("%h", end))
}
