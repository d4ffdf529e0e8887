//! Lock waits, deadlocks, error classes and temporary files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::activity::Attributed;
use super::families::Families;
use super::groups::{Group, Groups, cover, widen};
use super::sessions::Sessions;
use crate::bytes::slice;
use crate::evidence::{
    Attribution, Deadlock, DeadlockEdge, Dimensions, ErrorClass, ErrorStatement, LockMode, LockTarget, LockWait,
    MAX_ERROR_STATEMENTS, SessionRef, TempFileGroup,
};
use crate::interner::Family;
use crate::message;
use crate::normalise::{Normaliser, digest, names};
use crate::observation::{Deadlocked, ErrorKey, Waited};

/// Most lock waits kept, the longest ones.
const MAX_LOCK_WAITS: usize = 10_000;
/// Most deadlocks kept, the first ones.
const MAX_DEADLOCKS: usize = 10_000;
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
    errors: Groups<ErrorClass>,
    temp_files: Groups<TempFileGroup>,
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
    /// A line of `log_lock_waits`: the first of a wait, or one that goes on with it. The wait's number, if its statement is not known yet.
    pub(super) fn waited(
        &mut self,
        file: usize,
        waited: &Waited,
        statement: Option<Attributed>,
        dimensions: &Arc<Dimensions>,
        sessions: &mut Sessions,
    ) -> Option<u64> {
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
            attribution: None,
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
        if let Some((key, attribution)) = statement {
            attribute(entry, key, attribution);
        }
        let is_unknown = entry.family.is_none();
        if known.is_none() {
            self.next_wait += 1;
        }
        sessions.set_wait(file, waited.process, (wait.mode, wait.target, number), wait.acquired);
        if self.waits.len() > 2 * MAX_LOCK_WAITS {
            self.drop_short_waits();
        }
        is_unknown.then_some(number)
    }

    /// The statement of a wait was found.
    pub(super) fn waited_in(&mut self, number: u64, (key, attribution): Attributed) {
        if let Some(wait) = self.waits.get_mut(&number) {
            attribute(wait, key, attribution);
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
    pub(super) fn error(
        &mut self,
        key: &ErrorKey,
        statement: Option<Attributed>,
        dimensions: &Arc<Dimensions>,
        at_us: i64,
    ) {
        let sqlstate = key.sqlstate.as_ref().and_then(|state| std::str::from_utf8(state).ok());
        let id = class_digest(key.severity.name(), sqlstate, &key.message, dimensions);
        let class = self.errors.of_one(id, || ErrorClass {
            id: class_id(id),
            severity: key.severity.name().to_owned(),
            sqlstate: sqlstate.map(str::to_owned),
            message: key.message.clone(),
            dimensions: (**dimensions).clone(),
            count: 0,
            statements: Vec::new(),
            first_seen_us: at_us,
            last_seen_us: at_us,
        });
        let Some(class) = class else { return };
        class.count += 1;
        widen(&mut class.first_seen_us, &mut class.last_seen_us, at_us);
        if let Some((key, attribution)) = statement {
            let family = format!("qf_{key:016x}");
            add_statement(
                &mut class.statements,
                ErrorStatement {
                    family,
                    attribution,
                    count: 1,
                },
            );
        }
    }

    /// A temporary file.
    pub(super) fn temp_file(&mut self, statement: Option<Attributed>, dimensions: &Arc<Dimensions>, bytes: u64) {
        let family = statement.map(|(key, _)| format!("qf_{key:016x}"));
        let attribution = statement.map(|(_, attribution)| attribution);
        let mut parts = vec![family.as_deref()];
        parts.extend(names(dimensions));
        let id = digest("pg-logstats temporary files v1", &parts);
        let group = self.temp_files.of_one(id, || TempFileGroup {
            id: format!("tf_{id:016x}"),
            family,
            attribution,
            dimensions: (**dimensions).clone(),
            count: 0,
            total_bytes: 0,
            max_bytes: 0,
        });
        let Some(group) = group else { return };
        // The group is as sure as the least sure of its files.
        group.attribution = group.attribution.max(attribution);
        group.count += 1;
        group.total_bytes = group.total_bytes.saturating_add(bytes);
        group.max_bytes = group.max_bytes.max(bytes);
    }

    /// Takes the words that are not the server's out of the errors' messages.
    pub(crate) fn keep_server_words(&mut self) {
        self.errors.regroup(|class| {
            class.message = message::identified(&class.message, class.sqlstate.as_deref());
            let key = class_digest(
                &class.severity,
                class.sqlstate.as_deref(),
                &class.message,
                &class.dimensions,
            );
            class.id = class_id(key);
            key
        });
    }

    /// What the caps cost, by code of the limitation.
    fn dropped(&self) -> [(&'static str, u64); 4] {
        let waits = self.waits.len().saturating_sub(MAX_LOCK_WAITS) as u64;
        [
            ("lock_waits_dropped", self.waits_dropped + waits),
            ("deadlocks_dropped", self.deadlocks_dropped),
            ("errors_dropped", self.errors.dropped()),
            ("temp_files_dropped", self.temp_files.dropped()),
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
        self.errors.merge(other.errors);
        self.temp_files.merge(other.temp_files);
    }

    /// From a part's file.
    pub(crate) fn from_lists(lists: IncidentLists) -> Self {
        let dropped = |code: &str| lists.dropped.get(code).copied().unwrap_or(0);
        Self {
            waits_dropped: dropped("lock_waits_dropped"),
            deadlocks_dropped: dropped("deadlocks_dropped"),
            next_wait: lists.lock_waits.len() as u64,
            waits: (0..).zip(lists.lock_waits).collect(),
            deadlocks: lists.deadlocks,
            errors: Groups::from_list(lists.errors, dropped("errors_dropped")),
            temp_files: Groups::from_list(lists.temp_files, dropped("temp_files_dropped")),
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
        let mut errors = self.errors.into_list(Group::count);
        for class in &mut errors {
            class
                .statements
                .sort_by(|one, other| (other.count, &one.family).cmp(&(one.count, &other.family)));
        }
        IncidentLists {
            lock_waits,
            deadlocks,
            errors,
            temp_files: self.temp_files.into_list(|group| group.total_bytes),
            dropped,
        }
    }
}

/// The first statement that is known for a wait stays.
fn attribute(wait: &mut LockWait, key: u64, attribution: Attribution) {
    if wait.family.is_none() {
        wait.family = Some(format!("qf_{key:016x}"));
        wait.attribution = Some(attribution);
    }
}

fn add_statement(statements: &mut Vec<ErrorStatement>, statement: ErrorStatement) {
    if let Some(known) = statements.iter_mut().find(|known| known.family == statement.family) {
        known.count = known.count.saturating_add(statement.count);
        known.attribution = known.attribution.max(statement.attribution);
    } else if statements.len() < MAX_ERROR_STATEMENTS {
        statements.push(statement);
    }
}

impl Group for ErrorClass {
    fn id(&self) -> &str {
        &self.id
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn absorb(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        let seen = (other.first_seen_us, other.last_seen_us);
        cover(&mut self.first_seen_us, &mut self.last_seen_us, seen);
        for statement in other.statements {
            add_statement(&mut self.statements, statement);
        }
    }
}

impl Group for TempFileGroup {
    fn id(&self) -> &str {
        &self.id
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn absorb(&mut self, other: Self) {
        self.attribution = self.attribution.max(other.attribution);
        self.count = self.count.saturating_add(other.count);
        self.total_bytes = self.total_bytes.saturating_add(other.total_bytes);
        self.max_bytes = self.max_bytes.max(other.max_bytes);
    }
}

fn class_digest(severity: &str, sqlstate: Option<&str>, message: &str, dimensions: &Dimensions) -> u64 {
    let mut parts = vec![Some(severity), sqlstate, Some(message)];
    parts.extend(names(dimensions));
    digest("pg-logstats error class v1", &parts)
}

fn class_id(key: u64) -> String {
    format!("ec_{key:016x}")
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
