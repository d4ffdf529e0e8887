//! What one thread remembers of the prefixes it read, so that most are told by two comparisons.
//!
//! The names in a session's prefix do not change from line to line. A *tail* is what stood from the first name to the end of the
//! label, together with what was read from it. It is remembered only if no byte behind it had a say in how it was read, so the
//! same bytes at the same place are read alike whatever follows.
//!
//! The *lead* is what stands before. Within a second it differs in a few digits only: of milliseconds, process ids and counters. The
//! last one is remembered with the places of these; where a line has the same bytes but for other digits there, every
//! field has the same place in it.

use super::Fields;
use crate::bytes::{digits, slice};
use crate::instant::{Clock, Stamp};
use crate::marks::{Chunk, low_bits};
use crate::severity::Label;

/// Tails remembered for one pid modulo [`SLOTS`]: its LOG and DETAIL lines alternate.
const WAYS: usize = 4;
const SLOTS: usize = 64;
/// Longest tail remembered.
const MAX_TAIL_BYTES: usize = 256;

/// The memory of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) clock: Clock,
    /// The prefix that the others are of.
    prefix: String,
    lead: Lead,
    tails: Vec<Tail>,
}

/// A lead that was read.
#[derive(Debug, Clone, Default)]
struct Lead {
    /// The line's first bytes.
    bytes: Chunk,
    /// How many of them are the lead; none is remembered where it is 0.
    len: usize,
    /// The bits of those that must be the same.
    fixed: u64,
    places: Places,
    fields: Fields<'static>,
}

/// Where in a lead digits stand that change from line to line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    /// The three digits of the instant's milliseconds.
    millis: Option<usize>,
    /// Where the process id begins and ends.
    pid: Option<(usize, usize)>,
    /// The bits of all of them, and of digits that tell nothing.
    bits: u64,
}

impl Places {
    /// Digits that tell nothing.
    pub(super) fn number(&mut self, start: usize, end: usize) {
        self.bits |= low_bits(end) & !low_bits(start);
    }

    /// The instant's milliseconds, if they are three digits.
    pub(super) fn millis(&mut self, start: usize, count: usize) {
        self.millis = (count == 3).then_some(start);
        if count == 3 {
            self.number(start, start + 3);
        }
    }

    /// The instant is told by something else.
    pub(super) fn no_millis(&mut self) {
        if let Some(start) = self.millis.take() {
            self.bits &= !(low_bits(start + 3) & !low_bits(start));
        }
    }

    /// The process id; one that was told before may not change then, as not all digits are one.
    pub(super) fn pid(&mut self, start: usize, end: usize) {
        if let Some((start, end)) = self.pid.replace((start, end)) {
            self.bits &= !(low_bits(end) & !low_bits(start));
        }
        self.number(start, end);
    }
}

/// A place in a line, from the start of the tail.
type Place = (u16, u16);

#[derive(Debug, Clone)]
pub(super) struct Tail {
    bytes: Box<[u8]>,
    /// The first of them, and their bits.
    head: Chunk,
    head_bits: u64,
    user: Place,
    database: Place,
    application: Place,
    query_id: i64,
    sqlstate: Option<[u8; 5]>,
    label: Label,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            // None.
            bytes: Box::default(),
            head: Chunk::default(),
            head_bits: 0,
            user: (0, 0),
            database: (0, 0),
            application: (0, 0),
            query_id: 0,
            sqlstate: None,
            label: Label::Aside,
        }
    }
}

impl Memory {
    /// Forgets what is of another prefix.
    pub(crate) fn begin(&mut self, prefix: &str) {
        if self.prefix != prefix || self.tails.is_empty() {
            prefix.clone_into(&mut self.prefix);
            self.lead.len = 0;
            self.tails.clear();
            self.tails.resize_with(SLOTS * WAYS, Tail::default);
        }
    }

    /// Reads a lead that is the last one but for some digits: its fields, and where it ends.
    #[inline]
    pub(super) fn recall_lead<'a>(&self, line: &'a [u8]) -> Option<(Fields<'a>, usize)> {
        let known = &self.lead;
        let here = Chunk::of(line.first_chunk::<64>()?);
        let is_like = !here.same_bits(&known.bytes) & known.fixed == 0 && !here.digit_bits() & known.places.bits == 0;
        if known.len == 0 || !is_like {
            return None;
        }
        let mut fields = known.fields;
        if let (Some(start), Some(stamp)) = (known.places.millis, fields.at.as_mut()) {
            let (millis, _) = digits(slice(line, start, start + 3), 0)?;
            stamp.at_us += i64::try_from(millis).ok()? * 1_000;
        }
        if let Some((start, end)) = known.places.pid {
            let (pid, _) = digits(slice(line, start, end), 0)?;
            fields.pid = Some(i32::try_from(pid).ok()?);
        }
        Some((fields, known.len))
    }

    /// Remembers a lead, which ends in a literal: so nothing behind it had a say in it.
    pub(super) fn learn_lead(&mut self, line: &[u8], len: usize, fields: &Fields<'_>, places: Places) {
        self.lead.len = 0;
        let Some(first) = line.first_chunk::<64>().filter(|_| len <= 64 && !self.tails.is_empty()) else {
            return;
        };
        let mut at = fields.at;
        if let (Some(start), Some(Stamp { at_us, .. })) = (places.millis, at.as_mut()) {
            let Some((millis, _)) = digits(slice(line, start, start + 3), 0) else {
                return;
            };
            *at_us -= i64::try_from(millis).unwrap_or(0) * 1_000;
        }
        self.lead = Lead {
            bytes: Chunk::of(first),
            len,
            fixed: low_bits(len) & !places.bits,
            places,
            fields: Fields {
                at,
                pid: fields.pid,
                start_us: fields.start_us,
                query_id: fields.query_id,
                sqlstate: fields.sqlstate,
                ..Fields::default()
            },
        };
    }

    #[inline]
    fn ways(&mut self, pid: Option<i32>) -> &mut [Tail] {
        let slot = pid.unwrap_or(0).unsigned_abs() as usize % SLOTS;
        self.tails.get_mut(slot * WAYS..(slot + 1) * WAYS).unwrap_or_default()
    }

    /// Reads a tail that is known: its fields, its label and where it ends.
    #[inline]
    pub(super) fn recall<'a>(
        &mut self,
        line: &'a [u8],
        start: usize,
        fields: &mut Fields<'a>,
    ) -> Option<(Label, usize)> {
        let here = line.get(start..)?;
        let ways = self.ways(fields.pid);
        let way = match here.first_chunk::<64>() {
            Some(first) => {
                let first = Chunk::of(first);
                let begins_alike = |tail: &Tail| !first.same_bits(&tail.head) & tail.head_bits == 0;
                let goes_on_alike = |tail: &Tail| tail.bytes.len() <= 64 || here.starts_with(&tail.bytes);
                ways.iter()
                    .position(|tail| !tail.bytes.is_empty() && begins_alike(tail) && goes_on_alike(tail))?
            }
            None => ways
                .iter()
                .position(|tail| !tail.bytes.is_empty() && here.starts_with(&tail.bytes))?,
        };
        let tail = ways.get(way)?;
        let part = |(from, to): Place| slice(here, usize::from(from), usize::from(to));
        fields.user = part(tail.user);
        fields.database = part(tail.database);
        fields.application = part(tail.application);
        fields.query_id = tail.query_id;
        fields.sqlstate = tail.sqlstate;
        Some((tail.label, start + tail.bytes.len()))
    }

    /// Remembers a tail in place of the one remembered longest.
    pub(super) fn learn(&mut self, line: &[u8], (start, end): (usize, usize), fields: &Fields<'_>, label: Label) {
        let bytes = slice(line, start, end);
        if self.tails.is_empty() || bytes.is_empty() || bytes.len() > MAX_TAIL_BYTES {
            return;
        }
        let place = |part: &[u8]| {
            if part.is_empty() {
                return Some((0, 0));
            }
            let from = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
            let place = (
                u16::try_from(from).ok()?,
                u16::try_from(from.wrapping_add(part.len())).ok()?,
            );
            (usize::from(place.1) <= bytes.len()).then_some(place)
        };
        let places = (place(fields.user), place(fields.database), place(fields.application));
        let (Some(user), Some(database), Some(application)) = places else {
            return;
        };
        let mut head = [0; 64];
        for (place, byte) in head.iter_mut().zip(bytes) {
            *place = *byte;
        }
        let tail = Tail {
            bytes: bytes.into(),
            head: Chunk::of(&head),
            head_bits: low_bits(bytes.len()),
            user,
            database,
            application,
            query_id: fields.query_id,
            sqlstate: fields.sqlstate,
            label,
        };
        let ways = self.ways(fields.pid);
        ways.rotate_right(1);
        if let [first, ..] = ways {
            *first = tail;
        }
    }
}
