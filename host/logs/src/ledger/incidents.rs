//! Lock waits, deadlocks, error classes and temporary files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::families::Families;
use super::sessions::Sessions;
use crate::bytes::slice;
use crate::evidence::{
    Deadlock, DeadlockEdge, Dimensions, ErrorClass, LockMode, LockTarget, LockWait, SessionRef, TempFileGroup,
};
use crate::interner::Family;
use crate::normalise::{Normaliser, digest, names};
use crate::observation::{Deadlocked, ErrorKey, Waited};

/// Most lock waits kept, the longest ones.
const MAX_LOCK_WAITS: usize = 10_000;
/// Most deadlocks, error classes and groups of temporary files kept, the first ones.
const MAX_DEADLOCKS: usize = 10_000;
const MAX_ERROR_CLASSES: usize = 10_000;
const MAX_TEMP_FILE_GROUPS: usize = 10_000;
/// Statements in a deadlock's DETAIL are cut to `track_activity_query_size`, by default this many bytes with the NUL.
const CUT_STATEMENT_BYTES: usize = 1_023;

/// All of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incidents {
    waits: BTreeMap<u64, LockWait>,
    next_wait: u64,
    waits_dropped: u64,
    deadlocks: Vec<Deadlock>,
    deadlocks_dropped: u64,
    errors: HashMap<u64, ErrorClass>,
    errors_dropped: u64,
    temp_files: HashMap<u64, TempFileGroup>,
    temp_files_dropped: u64,
    normaliser: Normaliser,
}

/// The lists of the evidence, and what did not fit in them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentLists {
    pub(crate) lock_waits: Vec<LockWait>,
    pub(crate) deadlocks: Vec<Deadlock>,
    pub(crate) errors: Vec<ErrorClass>,
    pub(crate) temp_files: Vec<TempFileGroup>,
    /// By code of the limitation.
    pub(crate) dropped: BTreeMap<String, u64>,
}

impl Incidents {
    /// A line of `log_lock_waits`: the first of a wait, or one that goes on with it.
    pub(super) fn waited(
        &mut self,
        file: usize,
        waited: &Waited,
        family: Option<u64>,
        dimensions: &Arc<Dimensions>,
        sessions: &mut Sessions,
    ) {
        let wait = &waited.wait;
        let open = sessions.open_wait(file, waited.process, wait.mode, wait.target);
        let known = open.filter(|number| self.waits.contains_key(number));
        let number = known.unwrap_or(self.next_wait);
        let holders = wait.holders.iter().map(|pid| sessions.resolve(file, *pid));
        let entry = self.waits.entry(number).or_insert_with(|| LockWait {
            id: String::new(),
            waiter: sessions.resolve(file, waited.process.pid),
            holders: Vec::new(),
            queue: Vec::new(),
            mode: wait.mode,
            target: wait.target,
            family: None,
            waited_us: 0,
            acquired: false,
            dimensions: (**dimensions).clone(),
            at_us: waited.at_us,
        });
        // The first line that names holders names those that were waited for.
        if entry.holders.is_empty() {
            entry.holders = holders.collect();
            entry.queue.clone_from(&wait.queue);
        }
        entry.waited_us = entry.waited_us.max(wait.waited_us);
        entry.acquired |= wait.acquired;
        if entry.family.is_none() {
            entry.family = family.map(|key| format!("qf_{key:016x}"));
        }
        if known.is_none() {
            self.next_wait += 1;
        }
        sessions.set_wait(file, waited.process, (wait.mode, wait.target, number), wait.acquired);
        if self.waits.len() > 2 * MAX_LOCK_WAITS {
            self.drop_short_waits();
        }
    }

    fn drop_short_waits(&mut self) {
        let mut order: Vec<(u64, u64)> = self
            .waits
            .iter()
            .map(|(number, wait)| (wait.waited_us, *number))
            .collect();
        order.sort_unstable_by_key(|(waited_us, number)| (std::cmp::Reverse(*waited_us), *number));
        for (_, number) in order.iter().skip(MAX_LOCK_WAITS) {
            self.waits.remove(number);
            self.waits_dropped += 1;
        }
    }

    /// A deadlock; each edge's statement is looked up among the families of the process that ran it.
    pub(super) fn deadlock(
        &mut self,
        file: usize,
        found: &Deadlocked,
        detail: &[u8],
        dimensions: &Arc<Dimensions>,
        sessions: &Sessions,
        families: &mut Families,
    ) {
        if self.deadlocks.len() >= MAX_DEADLOCKS {
            self.deadlocks_dropped += 1;
            return;
        }
        let edges = found.edges.iter().map(|edge| {
            let statement = edge.statement.map(|(start, end)| slice(detail, start, end));
            let statement = statement.filter(|text| text.len() < CUT_STATEMENT_BYTES);
            let names = if edge.waiter == found.process.pid {
                Some(Arc::clone(dimensions))
            } else {
                sessions.names(file, edge.waiter)
            };
            let family = statement.zip(names).map(|(statement, names)| {
                let outcome = self.normaliser.run(statement);
                let family = Arc::new(Family::new(self.normaliser.text(), outcome.kind, &names));
                let slot = families.slot(&family);
                if let Some(stats) = families.get(slot) {
                    stats.pointed_at(found.at_us);
                }
                format!("qf_{:016x}", family.key)
            });
            DeadlockEdge {
                waiter: sessions.resolve(file, edge.waiter),
                holder: sessions.resolve(file, edge.holder),
                mode: edge.mode,
                target: edge.target,
                family,
            }
        });
        let edges = edges.collect();
        self.deadlocks.push(Deadlock {
            id: String::new(),
            victim: sessions.resolve(file, found.process.pid),
            edges,
            dimensions: (**dimensions).clone(),
            at_us: found.at_us,
        });
    }

    /// An error.
    pub(super) fn error(&mut self, key: &ErrorKey, dimensions: &Arc<Dimensions>, at_us: i64) {
        let sqlstate = key.sqlstate.as_ref().and_then(|state| std::str::from_utf8(state).ok());
        let mut parts = vec![Some(key.severity.name()), sqlstate, Some(key.message.as_str())];
        parts.extend(names(dimensions));
        let id = digest("pg-logstats error class v1", &parts);
        if self.errors.len() >= MAX_ERROR_CLASSES && !self.errors.contains_key(&id) {
            self.errors_dropped += 1;
            return;
        }
        let class = self.errors.entry(id).or_insert_with(|| ErrorClass {
            id: format!("ec_{id:016x}"),
            severity: key.severity.name().to_owned(),
            sqlstate: sqlstate.map(str::to_owned),
            message: key.message.clone(),
            dimensions: (**dimensions).clone(),
            count: 0,
            first_seen_us: at_us,
            last_seen_us: at_us,
        });
        class.count += 1;
        class.first_seen_us = class.first_seen_us.min(at_us);
        class.last_seen_us = class.last_seen_us.max(at_us);
    }

    /// A temporary file.
    pub(super) fn temp_file(&mut self, family: Option<u64>, dimensions: &Arc<Dimensions>, bytes: u64) {
        let family = family.map(|key| format!("qf_{key:016x}"));
        let mut parts = vec![family.as_deref()];
        parts.extend(names(dimensions));
        let id = digest("pg-logstats temporary files v1", &parts);
        if self.temp_files.len() >= MAX_TEMP_FILE_GROUPS && !self.temp_files.contains_key(&id) {
            self.temp_files_dropped += 1;
            return;
        }
        let group = self.temp_files.entry(id).or_insert_with(|| TempFileGroup {
            id: format!("tf_{id:016x}"),
            family,
            dimensions: (**dimensions).clone(),
            count: 0,
            total_bytes: 0,
            max_bytes: 0,
        });
        group.count += 1;
        group.total_bytes = group.total_bytes.saturating_add(bytes);
        group.max_bytes = group.max_bytes.max(bytes);
    }

    /// What the caps cost, by code of the limitation.
    fn dropped(&self) -> [(&'static str, u64); 4] {
        let waits = self.waits.len().saturating_sub(MAX_LOCK_WAITS) as u64;
        [
            ("lock_waits_dropped", self.waits_dropped + waits),
            ("deadlocks_dropped", self.deadlocks_dropped),
            ("errors_dropped", self.errors_dropped),
            ("temp_files_dropped", self.temp_files_dropped),
        ]
    }

    /// Adds what a later part found.
    pub(crate) fn merge(&mut self, other: Self) {
        for wait in other.waits.into_values() {
            self.waits.insert(self.next_wait, wait);
            self.next_wait += 1;
            if self.waits.len() > 2 * MAX_LOCK_WAITS {
                self.drop_short_waits();
            }
        }
        self.waits_dropped += other.waits_dropped;
        self.deadlocks_dropped += other.deadlocks_dropped;
        for deadlock in other.deadlocks {
            if self.deadlocks.len() < MAX_DEADLOCKS {
                self.deadlocks.push(deadlock);
            } else {
                self.deadlocks_dropped += 1;
            }
        }
        self.errors_dropped += other.errors_dropped;
        for (id, class) in other.errors {
            if let Some(known) = self.errors.get_mut(&id) {
                known.count = known.count.saturating_add(class.count);
                known.first_seen_us = known.first_seen_us.min(class.first_seen_us);
                known.last_seen_us = known.last_seen_us.max(class.last_seen_us);
            } else if self.errors.len() < MAX_ERROR_CLASSES {
                self.errors.insert(id, class);
            } else {
                self.errors_dropped = self.errors_dropped.saturating_add(class.count);
            }
        }
        self.temp_files_dropped += other.temp_files_dropped;
        for (id, group) in other.temp_files {
            if let Some(known) = self.temp_files.get_mut(&id) {
                known.count = known.count.saturating_add(group.count);
                known.total_bytes = known.total_bytes.saturating_add(group.total_bytes);
                known.max_bytes = known.max_bytes.max(group.max_bytes);
            } else if self.temp_files.len() < MAX_TEMP_FILE_GROUPS {
                self.temp_files.insert(id, group);
            } else {
                self.temp_files_dropped = self.temp_files_dropped.saturating_add(group.count);
            }
        }
    }

    /// From a part's file.
    pub(crate) fn from_lists(lists: IncidentLists) -> Self {
        let dropped = |code: &str| lists.dropped.get(code).copied().unwrap_or(0);
        let key = |id: &str| id.get(3..).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        Self {
            waits_dropped: dropped("lock_waits_dropped"),
            deadlocks_dropped: dropped("deadlocks_dropped"),
            errors_dropped: dropped("errors_dropped"),
            temp_files_dropped: dropped("temp_files_dropped"),
            next_wait: lists.lock_waits.len() as u64,
            waits: (0..).zip(lists.lock_waits).collect(),
            deadlocks: lists.deadlocks,
            errors: lists
                .errors
                .into_iter()
                .filter_map(|class| Some((key(&class.id)?, class)))
                .collect(),
            temp_files: lists
                .temp_files
                .into_iter()
                .filter_map(|group| Some((key(&group.id)?, group)))
                .collect(),
            normaliser: Normaliser::default(),
        }
    }

    /// The lists in the order of the evidence, with their ids.
    pub(crate) fn finish(self) -> IncidentLists {
        let dropped = self.dropped().into_iter().filter(|(_, count)| *count > 0);
        let dropped = dropped.map(|(code, count)| (code.to_owned(), count)).collect();
        let mut ids = BTreeSet::new();
        let mut lock_waits: Vec<LockWait> = self.waits.into_values().collect();
        lock_waits.iter_mut().for_each(|wait| wait.id.clear());
        lock_waits.sort();
        for wait in &mut lock_waits {
            let id = wait_digest(wait.at_us, wait.waiter, wait.mode, wait.target);
            wait.id = format!("lw_{:016x}", unique(&mut ids, id));
        }
        // By what every format tells; when a session began, and with it the id, only some do.
        lock_waits.sort_by_cached_key(|wait| {
            let what = (wait.at_us, wait.waiter.pid, wait.mode, wait.target);
            (std::cmp::Reverse(wait.waited_us), what, wait.id.clone())
        });
        lock_waits.truncate(MAX_LOCK_WAITS);
        let mut deadlocks = self.deadlocks;
        deadlocks.iter_mut().for_each(|deadlock| deadlock.id.clear());
        deadlocks.sort();
        ids.clear();
        for deadlock in &mut deadlocks {
            let edges: Vec<String> = deadlock.edges.iter().map(|edge| format!("{:?}", edge.target)).collect();
            let parts = [
                Some(deadlock.at_us.to_string()),
                Some(deadlock.victim.pid.to_string()),
                deadlock.victim.start_us.map(|start_us| start_us.to_string()),
                Some(edges.join(";")),
            ];
            let parts: Vec<Option<&str>> = parts.iter().map(Option::as_deref).collect();
            deadlock.id = format!(
                "dl_{:016x}",
                unique(&mut ids, digest("pg-logstats deadlock v1", &parts))
            );
        }
        deadlocks.sort_by_cached_key(|deadlock| {
            let edge = |edge: &DeadlockEdge| (edge.waiter.pid, edge.holder.pid, edge.mode, edge.target);
            let edges: Vec<_> = deadlock.edges.iter().map(edge).collect();
            (deadlock.at_us, deadlock.victim.pid, edges, deadlock.id.clone())
        });
        let mut errors: Vec<ErrorClass> = self.errors.into_values().collect();
        errors.sort_by(|one, other| (other.count, &one.id).cmp(&(one.count, &other.id)));
        let mut temp_files: Vec<TempFileGroup> = self.temp_files.into_values().collect();
        temp_files.sort_by(|one, other| (other.total_bytes, &one.id).cmp(&(one.total_bytes, &other.id)));
        IncidentLists {
            lock_waits,
            deadlocks,
            errors,
            temp_files,
            dropped,
        }
    }
}

fn wait_digest(at_us: i64, waiter: SessionRef, mode: LockMode, target: LockTarget) -> u64 {
    let parts = [
        Some(at_us.to_string()),
        Some(waiter.pid.to_string()),
        waiter.start_us.map(|start_us| start_us.to_string()),
        Some(format!("{mode:?} {target:?}")),
    ];
    let parts: Vec<Option<&str>> = parts.iter().map(Option::as_deref).collect();
    digest("pg-logstats lock wait v1", &parts)
}

/// The id, or the next free one: the same log may have been given twice.
fn unique(ids: &mut BTreeSet<u64>, mut id: u64) -> u64 {
    while !ids.insert(id) {
        id = id.wrapping_add(1);
    }
    id
}
