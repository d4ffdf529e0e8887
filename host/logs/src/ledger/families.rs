//! Query families with their statistics, at most as many as asked for.
//!
//! What is given up for lack of room is what took the least time so far. A family that comes back afterwards is marked: every
//! family without the mark has exact figures.

use std::sync::Arc;

use hashbrown::HashMap;

use super::given_up::GivenUp;
use crate::durations::{Durations, FEW};
use crate::evidence::{MAX_QUERY_IDS, MAX_SAMPLE_BYTES, QueryFamily, Sample, StatementKind};
use crate::interner::Family;
use crate::message;
use crate::part::FamilyPart;
use crate::redaction::REDACTED;

/// Most bytes of statements and samples that all families may hold together.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Most query ids counted for one family; more than one or two mean a plan cache or a schema change.
pub(crate) const MAX_QUERY_IDS_COUNTED: usize = 64;
/// What a histogram of durations takes, about: from 1 µs to some seconds.
const HISTOGRAM_BYTES: usize = 8 * 1024;

/// Where a family stands, until families are folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    generation: u32,
    index: u32,
}

/// All families.
#[derive(Debug, Clone)]
pub(crate) struct Families {
    max: usize,
    max_bytes: usize,
    stats: Vec<Stats>,
    by_key: HashMap<u64, u32>,
    bytes: usize,
    generation: u32,
    duration_us: u64,
    executions: u64,
    /// Families that were given up because there were too many, and did not come back.
    folded: u64,
    given_up: GivenUp,
}

/// What a comparison needs of a family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured<'f> {
    pub(crate) family: &'f Family,
    pub(crate) incomplete: bool,
    pub(crate) count: u64,
    pub(crate) total_us: u64,
    pub(crate) max_us: u64,
    pub(crate) durations: &'f Durations,
    pub(crate) seen: Option<(i64, i64)>,
}

/// One family's statistics.
#[derive(Debug, Clone)]
pub(super) struct Stats {
    family: Arc<Family>,
    /// It was given up before, so its figures lack what it did then.
    incomplete: bool,
    query_ids: Vec<(i64, u64)>,
    sample: Option<Box<Sample>>,
    sample_us: u64,
    count: u64,
    total_us: u64,
    max_us: u64,
    durations: Durations,
    preparation_us: u64,
    temp_bytes: u64,
    temp_files: u64,
    errors: u64,
    seen: Option<(i64, i64)>,
}

impl Families {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: max.max(1),
            max_bytes: MAX_BYTES,
            stats: Vec::new(),
            by_key: HashMap::new(),
            bytes: 0,
            generation: 0,
            duration_us: 0,
            executions: 0,
            folded: 0,
            given_up: GivenUp::default(),
        }
    }

    /// Counts an execution towards the totals, which hold whatever is folded. `times` is how often its family ran so far.
    #[inline]
    pub(super) fn executed(&mut self, us: u64, times: u64) {
        self.duration_us = self.duration_us.saturating_add(us);
        self.executions += 1;
        if times == FEW as u64 + 1 {
            self.bytes += HISTOGRAM_BYTES;
        }
    }

    /// Duration and number of all executions.
    pub(crate) fn total(&self) -> (u64, u64) {
        (self.duration_us, self.executions)
    }

    /// How many families there were.
    pub(crate) fn count(&self) -> u64 {
        self.stats.len() as u64 + self.folded
    }

    /// How many of them are not listed.
    pub(crate) fn folded(&self) -> u64 {
        self.folded
    }

    /// How many listed ones have figures that lack something.
    pub(crate) fn incomplete(&self) -> u64 {
        self.stats.iter().filter(|stats| stats.incomplete).count() as u64
    }

    #[inline]
    pub(super) fn is_current(&self, slot: Slot) -> bool {
        slot.generation == self.generation
    }

    #[inline]
    pub(super) fn get(&mut self, slot: Slot) -> Option<&mut Stats> {
        if slot.generation != self.generation {
            return None;
        }
        self.stats.get_mut(slot.index as usize)
    }

    /// The place of a family, a new one if need be.
    pub(super) fn slot(&mut self, family: &Arc<Family>) -> Slot {
        if let Some(index) = self.by_key.get(&family.key) {
            return Slot {
                generation: self.generation,
                index: *index,
            };
        }
        if self.stats.len() >= self.max.saturating_add(self.max / 4) || self.bytes > self.max_bytes {
            self.fold();
        }
        let index = u32::try_from(self.stats.len()).unwrap_or(u32::MAX);
        // A sample may be as long as the statement; counted as if it were there.
        self.bytes += 2 * family.statement.len() + size_of::<Stats>();
        let mut stats = Stats::new(Arc::clone(family));
        if self.given_up.may_hold(family.key) {
            stats.incomplete = true;
            if self.given_up.is_known() {
                self.folded = self.folded.saturating_sub(1);
            }
        }
        self.stats.push(stats);
        self.by_key.insert(family.key, index);
        Slot {
            generation: self.generation,
            index,
        }
    }

    /// Gives up the families with the least total duration.
    fn fold(&mut self) {
        self.stats.sort_by_key(Stats::rank);
        let mut kept = 0;
        let mut bytes = 0;
        for stats in self.stats.iter().take(self.max) {
            let size = stats.heap_bytes();
            if kept > 0 && bytes + size > self.max_bytes / 2 {
                break;
            }
            bytes += size;
            kept += 1;
        }
        for stats in self.stats.drain(kept..) {
            self.folded += 1;
            self.given_up.insert(stats.family.key);
        }
        self.bytes = bytes;
        self.generation = self.generation.wrapping_add(1);
        self.index();
    }

    /// The families by total duration.
    pub(crate) fn finish(mut self) -> Vec<QueryFamily> {
        self.settle();
        self.stats.into_iter().map(Stats::finish).collect()
    }

    /// Folds down to the maximum, so that counts told from now on are final, and puts the largest first.
    pub(crate) fn settle(&mut self) {
        if self.stats.len() > self.max {
            self.fold();
        }
        self.stats.sort_by_key(Stats::rank);
        self.generation = self.generation.wrapping_add(1);
        self.index();
    }

    fn index(&mut self) {
        self.by_key.clear();
        for (index, stats) in self.stats.iter().enumerate() {
            self.by_key
                .insert(stats.family.key, u32::try_from(index).unwrap_or(u32::MAX));
        }
    }

    /// Adds the families of a later part.
    pub(crate) fn merge(&mut self, other: Self) {
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
        self.executions = self.executions.saturating_add(other.executions);
        // What one part gave up may be what the other kept.
        for stats in &mut self.stats {
            let key = stats.family.key;
            stats.incomplete |= other.given_up.may_hold(key) && !other.by_key.contains_key(&key);
        }
        self.folded = self.folded.saturating_add(other.folded);
        for stats in other.stats {
            let slot = self.slot(&stats.family);
            if let Some(known) = self.get(slot) {
                known.merge(stats);
            }
        }
        self.given_up.merge(other.given_up);
    }

    /// What a part's file says of each family.
    pub(crate) fn parts(&self) -> impl Iterator<Item = FamilyPart> {
        self.stats.iter().map(Stats::part)
    }

    /// What was measured of each family; in a total order once [settled](Self::settle).
    pub(crate) fn measured(&self) -> impl Iterator<Item = Measured<'_>> {
        self.stats.iter().map(Stats::measured)
    }

    /// Forgets the samples.
    pub(crate) fn remove_samples(&mut self) {
        for stats in &mut self.stats {
            stats.sample = None;
            stats.sample_us = 0;
        }
    }

    /// Forgets the statements; families stay what they are by their ids.
    pub(crate) fn remove_statements(&mut self) {
        for stats in &mut self.stats {
            let Family {
                key, kind, dimensions, ..
            } = &*stats.family;
            stats.family = Arc::new(Family {
                key: *key,
                statement: REDACTED.to_owned(),
                kind: *kind,
                dimensions: Arc::clone(dimensions),
            });
        }
    }

    /// Takes a family of a part's file, which was checked.
    pub(crate) fn insert(&mut self, part: FamilyPart, family: Family) {
        let slot = self.slot(&Arc::new(family));
        if let Some(stats) = self.get(slot) {
            stats.take(part);
        }
    }

    /// Sets what a part's file says of all families together.
    pub(crate) fn set_totals(&mut self, duration_us: u64, executions: u64, folded: u64) {
        self.duration_us = duration_us;
        self.executions = executions;
        self.folded = folded;
        if folded > 0 {
            self.given_up.insert_any();
        }
    }
}

impl Stats {
    fn new(family: Arc<Family>) -> Self {
        Self {
            family,
            incomplete: false,
            query_ids: Vec::new(),
            sample: None,
            sample_us: 0,
            count: 0,
            total_us: 0,
            max_us: 0,
            durations: Durations::default(),
            preparation_us: 0,
            temp_bytes: 0,
            temp_files: 0,
            errors: 0,
            seen: None,
        }
    }

    fn rank(&self) -> (std::cmp::Reverse<u64>, u64) {
        (std::cmp::Reverse(self.total_us), self.family.key)
    }

    fn heap_bytes(&self) -> usize {
        let sample = self.sample.as_ref().map_or(0, |sample| sample.statement.len());
        self.family
            .statement
            .len()
            .saturating_mul(2)
            .max(self.family.statement.len() + sample)
            + self.durations.heap_bytes()
            + size_of::<Self>()
    }

    /// Enters one execution; `text` is its statement and parameters as logged. Gives how many there are now.
    #[inline]
    pub(super) fn execution(&mut self, us: u64, at_us: i64, query_id: i64, text: (&[u8], &[u8])) -> u64 {
        self.count += 1;
        self.total_us = self.total_us.saturating_add(us);
        self.max_us = self.max_us.max(us);
        self.durations.record(us);
        self.saw(at_us);
        self.query_id(query_id);
        if us > self.sample_us || self.sample.is_none() {
            self.take_sample(us, text);
        }
        self.count
    }

    /// Adds what a later part says of the same family.
    fn merge(&mut self, other: Self) {
        for (id, count) in other.query_ids {
            self.count_query_id(id, count);
        }
        if other.sample.is_some() && (self.sample.is_none() || other.sample_us > self.sample_us) {
            self.sample = other.sample;
            self.sample_us = other.sample_us;
        }
        self.incomplete |= other.incomplete;
        self.count = self.count.saturating_add(other.count);
        self.total_us = self.total_us.saturating_add(other.total_us);
        self.max_us = self.max_us.max(other.max_us);
        self.durations.merge(&other.durations);
        self.preparation_us = self.preparation_us.saturating_add(other.preparation_us);
        self.temp_bytes = self.temp_bytes.saturating_add(other.temp_bytes);
        self.temp_files = self.temp_files.saturating_add(other.temp_files);
        self.errors = self.errors.saturating_add(other.errors);
        if let Some((first, last)) = other.seen {
            self.saw(first);
            self.saw(last);
        }
    }

    fn part(&self) -> FamilyPart {
        FamilyPart {
            id: format!("qf_{:016x}", self.family.key),
            dimensions: (*self.family.dimensions).clone(),
            statement: self.family.statement.clone(),
            kind: self.family.kind,
            incomplete: self.incomplete,
            query_ids: self
                .query_ids
                .iter()
                .map(|(id, count)| (id.to_string(), *count))
                .collect(),
            sample: self.sample.as_deref().cloned(),
            sample_us: self.sample_us,
            execution_count: self.count,
            total_duration_us: self.total_us,
            max_duration_us: self.max_us,
            durations_exact: self.durations.is_exact(),
            durations: self.durations.counts(),
            parse_bind_duration_us: self.preparation_us,
            temp_bytes: self.temp_bytes,
            temp_file_count: self.temp_files,
            error_count: self.errors,
            seen: self.seen,
        }
    }

    fn measured(&self) -> Measured<'_> {
        Measured {
            family: &self.family,
            incomplete: self.incomplete,
            count: self.count,
            total_us: self.total_us,
            max_us: self.max_us,
            durations: &self.durations,
            seen: self.seen,
        }
    }

    fn take(&mut self, part: FamilyPart) {
        self.incomplete = part.incomplete;
        for (id, count) in &part.query_ids {
            self.count_query_id(id.parse().unwrap_or(0), *count);
        }
        self.sample = part.sample.map(Box::new);
        self.sample_us = part.sample_us;
        self.count = part.execution_count;
        self.total_us = part.total_duration_us;
        self.max_us = part.max_duration_us;
        for (us, times) in part.durations {
            if part.durations_exact {
                self.durations.record(us);
            } else {
                self.durations.record_times(us, times);
            }
        }
        self.preparation_us = part.parse_bind_duration_us;
        self.temp_bytes = part.temp_bytes;
        self.temp_files = part.temp_file_count;
        self.errors = part.error_count;
        self.seen = part.seen;
    }

    pub(super) fn prepared(&mut self, us: u64, at_us: i64, query_id: i64) {
        self.preparation_us = self.preparation_us.saturating_add(us);
        self.saw(at_us);
        self.query_id(query_id);
    }

    /// A plan of it was logged. Its execution is counted by its duration, if that is logged, too.
    pub(super) fn explained(&mut self, query_id: i64) {
        self.count_query_id(query_id, 0);
    }

    pub(super) fn failed(&mut self, at_us: i64) {
        self.errors += 1;
        self.saw(at_us);
    }

    /// An incident names this family.
    pub(super) fn pointed_at(&mut self, at_us: i64) {
        self.saw(at_us);
    }

    pub(super) fn spilled(&mut self, bytes: u64, at_us: i64) {
        self.temp_files += 1;
        self.temp_bytes = self.temp_bytes.saturating_add(bytes);
        self.saw(at_us);
    }

    #[inline]
    fn saw(&mut self, at_us: i64) {
        let (first, last) = self.seen.unwrap_or((at_us, at_us));
        self.seen = Some((first.min(at_us), last.max(at_us)));
    }

    #[inline]
    fn query_id(&mut self, query_id: i64) {
        self.count_query_id(query_id, 1);
    }

    #[inline]
    fn count_query_id(&mut self, query_id: i64, times: u64) {
        if query_id == 0 {
            return;
        }
        if let Some(known) = self.query_ids.iter_mut().find(|known| known.0 == query_id) {
            known.1 = known.1.saturating_add(times);
        } else if self.query_ids.len() < MAX_QUERY_IDS_COUNTED {
            self.query_ids.push((query_id, times));
        }
    }

    fn take_sample(&mut self, us: u64, (statement, parameters): (&[u8], &[u8])) {
        // A sample holds values, so there is none where nothing could use it: EXPLAIN ANALYZE runs a SELECT only.
        if self.family.kind != StatementKind::Select
            || statement.is_empty()
            || statement.len() + parameters.len() > MAX_SAMPLE_BYTES
            || message::may_hold_credential(statement)
            || message::may_hold_credential(parameters)
        {
            return;
        }
        let parameters = match parameters {
            [] => Vec::new(),
            text => match message::parameters(text) {
                Some(values) => values,
                None => return,
            },
        };
        let statement = String::from_utf8_lossy(statement).into_owned();
        self.sample = Some(Box::new(Sample { statement, parameters }));
        self.sample_us = us;
    }

    fn finish(mut self) -> QueryFamily {
        self.query_ids
            .sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
        let (first_seen_us, last_seen_us) = self.seen.unwrap_or_default();
        let percentiles = self.durations.percentiles([50, 95, 99]);
        let [p50_duration_us, p95_duration_us, p99_duration_us] = percentiles.map(|us| us.min(self.max_us));
        QueryFamily {
            id: format!("qf_{:016x}", self.family.key),
            dimensions: (*self.family.dimensions).clone(),
            statement: self.family.statement.clone(),
            kind: self.family.kind,
            incomplete: self.incomplete,
            query_ids: self.query_ids.iter().take(MAX_QUERY_IDS).map(|(id, _)| *id).collect(),
            execution_count: self.count,
            total_duration_us: self.total_us,
            mean_duration_us: mean(self.total_us, self.count),
            p50_duration_us,
            p95_duration_us,
            p99_duration_us,
            max_duration_us: self.max_us,
            parse_bind_duration_us: self.preparation_us,
            temp_bytes: self.temp_bytes,
            temp_file_count: self.temp_files,
            error_count: self.errors,
            first_seen_us,
            last_seen_us,
            sample: self.sample.map(|sample| *sample),
        }
    }
}

/// Rounded half up.
pub(crate) fn mean(total: u64, count: u64) -> u64 {
    match count {
        0 => 0,
        count => total / count + u64::from(total % count >= count.div_ceil(2)),
    }
}
