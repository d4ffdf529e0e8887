//! Query families with their statistics, at most as many as asked for.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::evidence::{MAX_QUERY_IDS, MAX_SAMPLE_BYTES, QueryFamily, Sample, StatementKind};
use crate::histogram::Histogram;
use crate::interner::Family;
use crate::message;

/// Most bytes of statements and samples that all families may hold together.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Most query ids counted for one family; more than one or two mean a plan cache or a schema change.
const MAX_QUERY_IDS_COUNTED: usize = 64;

/// Where a family stands, until families are folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    generation: u32,
    index: u32,
}

/// All families.
#[derive(Debug)]
pub(super) struct Families {
    max: usize,
    max_bytes: usize,
    stats: Vec<Stats>,
    by_key: HashMap<u64, u32>,
    bytes: usize,
    generation: u32,
    duration_us: u64,
    executions: u64,
    /// Families that were given up because there were too many.
    pub(super) folded: u64,
}

/// One family's statistics.
#[derive(Debug)]
pub(super) struct Stats {
    family: Arc<Family>,
    query_ids: Vec<(i64, u64)>,
    sample: Option<Box<Sample>>,
    sample_us: u64,
    count: u64,
    total_us: u64,
    max_us: u64,
    histogram: Histogram,
    preparation_us: u64,
    temp_bytes: u64,
    temp_files: u64,
    errors: u64,
    seen: Option<(i64, i64)>,
}

impl Families {
    pub(super) fn new(max: usize) -> Self {
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
        }
    }

    /// Counts an execution towards the totals, which hold whatever is folded.
    #[inline]
    pub(super) fn executed(&mut self, us: u64) {
        self.duration_us = self.duration_us.saturating_add(us);
        self.executions += 1;
    }

    pub(super) fn total(&self) -> (u64, u64) {
        (self.duration_us, self.executions)
    }

    pub(super) fn count(&self) -> u64 {
        self.stats.len() as u64 + self.folded
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
        self.stats.push(Stats::new(Arc::clone(family)));
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
        self.folded += (self.stats.len() - kept) as u64;
        self.stats.truncate(kept);
        self.bytes = bytes;
        self.generation = self.generation.wrapping_add(1);
        self.by_key.clear();
        for (index, stats) in self.stats.iter().enumerate() {
            self.by_key
                .insert(stats.family.key, u32::try_from(index).unwrap_or(u32::MAX));
        }
    }

    /// The families by total duration.
    pub(super) fn finish(mut self) -> Vec<QueryFamily> {
        if self.stats.len() > self.max {
            self.fold();
        }
        self.stats.sort_by_key(Stats::rank);
        self.stats.into_iter().map(Stats::finish).collect()
    }

    /// Folds down to the maximum, so that counts told from now on are final.
    pub(super) fn settle(&mut self) {
        if self.stats.len() > self.max {
            self.fold();
        }
    }
}

impl Stats {
    fn new(family: Arc<Family>) -> Self {
        Self {
            family,
            query_ids: Vec::new(),
            sample: None,
            sample_us: 0,
            count: 0,
            total_us: 0,
            max_us: 0,
            histogram: Histogram::default(),
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
            + size_of::<Self>()
    }

    /// Enters one execution; `text` is its statement and parameters as logged.
    #[inline]
    pub(super) fn execution(&mut self, us: u64, at_us: i64, query_id: i64, text: (&[u8], &[u8])) {
        self.count += 1;
        self.total_us = self.total_us.saturating_add(us);
        self.max_us = self.max_us.max(us);
        self.histogram.record(us);
        self.saw(at_us);
        self.query_id(query_id);
        if us > self.sample_us || self.sample.is_none() {
            self.take_sample(us, text);
        }
    }

    pub(super) fn prepared(&mut self, us: u64, at_us: i64, query_id: i64) {
        self.preparation_us = self.preparation_us.saturating_add(us);
        self.saw(at_us);
        self.query_id(query_id);
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
        if query_id == 0 {
            return;
        }
        if let Some(known) = self.query_ids.iter_mut().find(|known| known.0 == query_id) {
            known.1 += 1;
        } else if self.query_ids.len() < MAX_QUERY_IDS_COUNTED {
            self.query_ids.push((query_id, 1));
        }
    }

    fn take_sample(&mut self, us: u64, (statement, parameters): (&[u8], &[u8])) {
        let explainable = matches!(
            self.family.kind,
            StatementKind::Select
                | StatementKind::Insert
                | StatementKind::Update
                | StatementKind::Delete
                | StatementKind::Merge
        );
        if !explainable || statement.is_empty() || statement.len() + parameters.len() > MAX_SAMPLE_BYTES {
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
        let percentile = |percent| self.histogram.percentile(percent).min(self.max_us);
        QueryFamily {
            id: format!("qf_{:016x}", self.family.key),
            dimensions: (*self.family.dimensions).clone(),
            statement: self.family.statement.clone(),
            kind: self.family.kind,
            query_ids: self.query_ids.iter().take(MAX_QUERY_IDS).map(|(id, _)| *id).collect(),
            execution_count: self.count,
            total_duration_us: self.total_us,
            mean_duration_us: mean(self.total_us, self.count),
            p50_duration_us: percentile(50),
            p95_duration_us: percentile(95),
            p99_duration_us: percentile(99),
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
fn mean(total: u64, count: u64) -> u64 {
    match count {
        0 => 0,
        count => total / count + u64::from(total % count >= count.div_ceil(2)),
    }
}
