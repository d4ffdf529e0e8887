//! Statements and names to families, with nothing allocated for what was seen before.
//!
//! A statement is looked up by its shape first ([`crate::shapes`]), then as it stands, which finds statements without literals;
//! otherwise it is normalised into reused memory and looked up by its normal form. Both compare bytes, so no two families are ever taken for one. The memory
//! is bounded: what is full is forgotten, which costs time and changes no result.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::bytes::{same, up_to};
use crate::evidence::{Dimensions, StatementKind};
use crate::normalise::{Normaliser, Outcome, family_key};
use crate::shapes::Shapes;

/// Longest normal form kept; the id is made of the whole.
pub(crate) const MAX_STATEMENT_BYTES: usize = 32 * 1024;
/// Most families remembered by one thread, and most bytes of their texts.
const MAX_FAMILIES: usize = 32 * 1024;
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most sets of names remembered by one thread.
const MAX_NAMES: usize = 8 * 1024;
/// Most shapes learnt for one family (spelling, lists of several lengths): a statement that is never written alike is not worth one.
const MAX_SHAPES_PER_FAMILY: u8 = 8;
/// Sets of names whose family a shape remembers.
const NAMES_PER_SHAPE: usize = 4;
/// Processes, and statements without literals, that are told by one comparison if they were the last of their slot.
const NAMES_SLOTS: usize = 64;
const STATEMENT_SLOTS: usize = 256;
/// Longest name kept; the server cuts them to 63 bytes.
const MAX_NAME_BYTES: usize = 256;

/// A query family: what its id is made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Family {
    /// The number in its id.
    pub(crate) key: u64,
    pub(crate) statement: String,
    pub(crate) kind: StatementKind,
    pub(crate) dimensions: Arc<Dimensions>,
}

impl Family {
    /// The family of a normal form.
    pub(crate) fn new(normal_form: &[u8], kind: StatementKind, dimensions: &Arc<Dimensions>) -> Self {
        let mut statement = String::from_utf8_lossy(normal_form).into_owned();
        let key = family_key(&statement, dimensions);
        if statement.len() > MAX_STATEMENT_BYTES {
            statement.truncate(statement.floor_char_boundary(MAX_STATEMENT_BYTES));
            statement.push('…');
        }
        Self {
            key,
            statement,
            kind,
            dimensions: Arc::clone(dimensions),
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.statement.len()
    }
}

/// Position of a set of names in the interner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NamesId(u32);

/// Whether a statement can be run again as it was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Yes,
    WithParameters,
    /// It is cut, several, or not read to its end: its sample would hold what the normal form does not account for.
    No,
}

impl Again {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome { is_whole: false, .. } => Self::No,
            Outcome {
                has_placeholders: true, ..
            } => Self::WithParameters,
            _ => Self::Yes,
        }
    }
}

/// A statement that was looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Position in [`Used::families`].
    pub(crate) family: u32,
    pub(crate) again: Again,
}

/// What one block refers to, in the order of first use.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub(crate) families: Vec<Arc<Family>>,
    pub(crate) names: Vec<Arc<Dimensions>>,
}

#[derive(Debug)]
struct Known {
    names: NamesId,
    hash: u64,
    normal_form: Box<[u8]>,
    family: Arc<Family>,
    mark: Mark,
    /// Shapes that were learnt for it.
    shapes: u8,
}

/// What the last process had whose pid has the same low bits.
#[derive(Debug)]
struct LastNames {
    database: Box<[u8]>,
    user: Box<[u8]>,
    application: Box<[u8]>,
    id: NamesId,
}

#[derive(Debug)]
struct KnownNames {
    dimensions: Arc<Dimensions>,
    mark: Mark,
}

/// When something was used last: in which block, and its position in [`Used`].
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    block: u64,
    position: u32,
}

/// A statement as it stands, without literals.
#[derive(Debug)]
struct Verbatim {
    names: NamesId,
    hash: u64,
    statement: Box<[u8]>,
    known: u32,
    again: Again,
}

/// What a shape's statements are: the family for each of the sets of names that ran them last.
#[derive(Debug)]
struct Shaped {
    again: Again,
    families: [(NamesId, u32); NAMES_PER_SHAPE],
}

impl Shaped {
    #[inline]
    fn family(&self, names: NamesId) -> Option<u32> {
        self.families.iter().find(|known| known.0 == names).map(|known| known.1)
    }

    fn remember(&mut self, names: NamesId, known: u32) {
        self.families.rotate_right(1);
        let [first, ..] = &mut self.families;
        *first = (names, known);
    }
}

/// The memory of one thread.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    hasher: DefaultHashBuilder,
    normaliser: Normaliser,
    known: Vec<Known>,
    by_form: HashTable<u32>,
    verbatims: Vec<Verbatim>,
    verbatim: HashTable<u32>,
    /// The statements without literals that were found last, by [`statement_slot`].
    last_statements: Vec<u32>,
    shapes: Shapes<Shaped>,
    bytes: usize,
    names: Vec<KnownNames>,
    names_by_text: HashMap<Box<[u8]>, NamesId>,
    /// By the low bits of the pid.
    last_names: Vec<Option<LastNames>>,
    scratch: Vec<u8>,
    block: u64,
    pub(crate) used: Used,
}

impl Interner {
    /// Begins a block: hands out what the one before used.
    pub(crate) fn next_block(&mut self) -> Used {
        self.block += 1;
        if self.known.len() > MAX_FAMILIES || self.bytes > MAX_BYTES || self.names.len() > MAX_NAMES {
            self.forget();
        }
        std::mem::take(&mut self.used)
    }

    fn forget(&mut self) {
        self.known.clear();
        self.by_form.clear();
        self.verbatim.clear();
        self.shapes.clear();
        self.bytes = 0;
        self.names.clear();
        self.names_by_text.clear();
        self.last_names.clear();
        self.last_statements.clear();
        self.verbatims.clear();
    }

    /// The id of a set of names as the log writes them, for a process: those of a process hardly ever change.
    #[inline]
    pub(crate) fn names(&mut self, pid: i32, database: &[u8], user: &[u8], application: &[u8]) -> NamesId {
        let slot = pid.unsigned_abs() as usize % NAMES_SLOTS;
        if let Some(Some(last)) = self.last_names.get(slot)
            && same(&last.database, database)
            && same(&last.user, user)
            && same(&last.application, application)
        {
            return last.id;
        }
        self.other_names(slot, database, user, application)
    }

    #[inline(never)]
    fn other_names(&mut self, slot: usize, database: &[u8], user: &[u8], application: &[u8]) -> NamesId {
        self.scratch.clear();
        for name in [database, user, application] {
            let name = up_to(name, MAX_NAME_BYTES);
            self.scratch.extend_from_slice(name);
            // No UTF-8 text holds this byte; where a name does, two sets may look alike to nobody but their author.
            self.scratch.push(0xff);
        }
        let id = match self.names_by_text.get(self.scratch.as_slice()) {
            Some(id) => *id,
            None => self.learn_names(database, user, application),
        };
        if self.last_names.is_empty() {
            self.last_names.resize_with(NAMES_SLOTS, || None);
        }
        let is_short = [database, user, application]
            .iter()
            .all(|name| name.len() <= MAX_NAME_BYTES);
        if let Some(last) = self.last_names.get_mut(slot).filter(|_| is_short) {
            *last = Some(LastNames {
                database: database.into(),
                user: user.into(),
                application: application.into(),
                id,
            });
        }
        id
    }

    #[cold]
    fn learn_names(&mut self, database: &[u8], user: &[u8], application: &[u8]) -> NamesId {
        let name = |text: &[u8]| {
            let text = up_to(text, MAX_NAME_BYTES);
            let told = !text.is_empty() && text != b"[unknown]";
            told.then(|| String::from_utf8_lossy(text).into_owned())
        };
        let dimensions = Dimensions {
            database: name(database),
            user: name(user),
            application: name(application),
        };
        let id = NamesId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(KnownNames {
            dimensions: Arc::new(dimensions),
            mark: Mark::default(),
        });
        self.names_by_text.insert(self.scratch.clone().into_boxed_slice(), id);
        id
    }

    /// The position of a set of names in [`Used::names`].
    pub(crate) fn use_names(&mut self, id: NamesId) -> u32 {
        let Some(known) = self.names.get_mut(id.0 as usize) else {
            return u32::MAX;
        };
        if known.mark.block != self.block {
            known.mark = Mark {
                block: self.block,
                position: next(self.used.names.len()),
            };
            self.used.names.push(Arc::clone(&known.dimensions));
        }
        known.mark.position
    }

    /// The family of a statement.
    #[inline]
    pub(crate) fn family(&mut self, statement: &[u8], names: NamesId) -> Found {
        let slot = statement_slot(statement);
        let last = self.last_statements.get(slot);
        if let Some(last) = last.and_then(|last| self.verbatims.get(*last as usize))
            && last.names == names
            && *last.statement == *statement
        {
            let (known, again) = (last.known, last.again);
            return Found {
                family: self.use_family(known),
                again,
            };
        }
        let shaped = self.shapes.find(statement);
        if let Some(shaped) = &shaped
            && let Some(known) = shaped.family(names)
        {
            let again = shaped.again;
            return Found {
                family: self.use_family(known),
                again,
            };
        }
        let has_shape = shaped.is_some();
        let hash = self.hasher.hash_one((names.0, statement));
        let verbatims = &self.verbatims;
        let same = |position: &u32| {
            verbatims
                .get(*position as usize)
                .is_some_and(|entry| entry.hash == hash && entry.names == names && *entry.statement == *statement)
        };
        if !has_shape
            && let Some(position) = self.verbatim.find(hash, same)
            && let Some(entry) = verbatims.get(*position as usize)
        {
            let (known, again) = (entry.known, entry.again);
            if self.last_statements.is_empty() {
                self.last_statements.resize(STATEMENT_SLOTS, u32::MAX);
            }
            if let Some(last) = self.last_statements.get_mut(slot) {
                *last = *position;
            }
            return Found {
                family: self.use_family(known),
                again,
            };
        }
        let outcome = self.normaliser.run(statement);
        let known = self.by_form(outcome, names);
        if has_shape {
            if let Some(shaped) = self.shapes.find(statement) {
                shaped.remember(names, known);
            }
        } else {
            self.learn_statement(statement, hash, outcome, (names, known));
        }
        Found {
            family: self.use_family(known),
            again: Again::of(outcome),
        }
    }

    /// Remembers a statement: as it stands, or by its shape where it has literals.
    #[cold]
    fn learn_statement(&mut self, statement: &[u8], hash: u64, outcome: Outcome, (names, known): (NamesId, u32)) {
        let again = Again::of(outcome);
        if outcome.has_literals {
            let Some(family) = self.known.get_mut(known as usize) else {
                return;
            };
            if family.shapes < MAX_SHAPES_PER_FAMILY {
                family.shapes += 1;
                let families = [(names, known); NAMES_PER_SHAPE];
                let shaped = Shaped { again, families };
                self.bytes += self.shapes.learn(statement, shaped);
            }
            return;
        }
        self.bytes += statement.len();
        let entry = Verbatim {
            names,
            hash,
            statement: statement.into(),
            known,
            again,
        };
        let position = next(self.verbatims.len());
        self.verbatims.push(entry);
        let verbatims = &self.verbatims;
        self.verbatim.insert_unique(hash, position, |position| {
            verbatims.get(*position as usize).map_or(0, |entry| entry.hash)
        });
    }

    /// The family whose normal form the normaliser holds.
    #[inline]
    fn by_form(&mut self, outcome: Outcome, names: NamesId) -> u32 {
        let form = self.normaliser.text();
        let hash = self.hasher.hash_one((names.0, form));
        let known = &self.known;
        let same = |position: &u32| {
            known
                .get(*position as usize)
                .is_some_and(|entry| entry.hash == hash && entry.names == names && *entry.normal_form == *form)
        };
        match self.by_form.find(hash, same) {
            Some(position) => *position,
            None => self.learn_family(outcome.kind, names, hash),
        }
    }

    #[cold]
    fn learn_family(&mut self, kind: StatementKind, names: NamesId, hash: u64) -> u32 {
        let form = self.normaliser.text();
        let dimensions = match self.names.get(names.0 as usize) {
            Some(known) => Arc::clone(&known.dimensions),
            None => Arc::default(),
        };
        let family = Arc::new(Family::new(form, kind, &dimensions));
        self.bytes += form.len() + family.heap_bytes();
        let position = next(self.known.len());
        self.known.push(Known {
            names,
            hash,
            normal_form: form.into(),
            family,
            mark: Mark::default(),
            shapes: 0,
        });
        let known = &self.known;
        self.by_form.insert_unique(hash, position, |position| {
            known.get(*position as usize).map_or(0, |entry| entry.hash)
        });
        position
    }

    #[inline]
    fn use_family(&mut self, position: u32) -> u32 {
        let Some(known) = self.known.get_mut(position as usize) else {
            return u32::MAX;
        };
        if known.mark.block != self.block {
            known.mark = Mark {
                block: self.block,
                position: next(self.used.families.len()),
            };
            self.used.families.push(Arc::clone(&known.family));
        }
        known.mark.position
    }
}

/// Where a statement is looked for first, by its length and the words at its ends.
#[inline]
fn statement_slot(statement: &[u8]) -> usize {
    let word = |eight: Option<&[u8; 8]>| eight.map_or(0, |eight| u64::from_le_bytes(*eight));
    let ends = word(statement.first_chunk()).rotate_left(32) ^ word(statement.last_chunk());
    let mixed = (ends ^ statement.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % STATEMENT_SLOTS
}

fn next(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
