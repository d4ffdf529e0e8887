//! What one thread remembers of the prefixes it read, so that most are told by one comparison.
//!
//! The names in a session's prefix do not change from line to line. A *tail* is what stood from the first name to the end of the
//! label, together with what was read from it. It is remembered only if no byte behind it had a say in how it was read, so the
//! same bytes at the same place are read alike whatever follows.

use super::Fields;
use crate::bytes::slice;
use crate::instant::Clock;
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
    /// The prefix whose tails these are.
    prefix: String,
    tails: Vec<Tail>,
}

/// A place in a line, from the start of the tail.
type Place = (u16, u16);

#[derive(Debug, Clone)]
pub(super) struct Tail {
    bytes: Box<[u8]>,
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
    /// Forgets the tails of another prefix.
    pub(crate) fn begin(&mut self, prefix: &str) {
        if self.prefix != prefix || self.tails.is_empty() {
            prefix.clone_into(&mut self.prefix);
            self.tails.clear();
            self.tails.resize_with(SLOTS * WAYS, Tail::default);
        }
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
        let way = ways
            .iter()
            .position(|tail| !tail.bytes.is_empty() && here.starts_with(&tail.bytes))?;
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
        let tail = Tail {
            bytes: bytes.into(),
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
