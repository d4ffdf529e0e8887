//! The rows of the tree as a graph: who waits behind whom, for how long, and for what.

use std::collections::{BTreeMap, BTreeSet};

use pg_logstats_sdk::{LockMode, Outcome, Record, Session};

use crate::modes;

/// One row: `blocked` waits for the session `blocker`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge<'a> {
    /// The session that is waited for.
    pub(crate) blocker: Session<'a>,
    /// Pid of the one that waits.
    pub(crate) blocked: i64,
    /// What the blocker holds; none when it only stands ahead in the queue.
    pub(crate) held: Option<LockMode>,
    /// What is waited for.
    pub(crate) requested: LockMode,
    /// The server's word for the kind of lock.
    pub(crate) kind: Option<&'a str>,
    waited_us: Option<u64>,
    /// Whether no head is behind it: it is part of a circle, or waits for one.
    is_in_circle: bool,
}

/// All rows.
#[derive(Debug)]
pub(crate) struct Queue<'a> {
    edges: Vec<Edge<'a>>,
}

/// The time that some sessions have waited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waited {
    /// Together.
    pub(crate) total_us: u64,
    /// The longest; none when the server tells of none.
    pub(crate) longest_us: Option<u64>,
}

/// A session that waits for a strong lock, and those who would not wait without it.
#[derive(Debug)]
pub(crate) struct StrongWait<'a> {
    /// Its subject, where the server shows it.
    pub(crate) waiter: Option<&'a String>,
    /// What it waits for.
    pub(crate) mode: LockMode,
    /// The strongest of what it waits behind.
    pub(crate) held: LockMode,
    /// Those who wait for nothing but its turn, and that of the ones in line.
    pub(crate) behind: BTreeSet<i64>,
    /// Others that want as much, behind it and ahead of some of those: it would not help that it went alone.
    pub(crate) in_line: u64,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(outcome: &'a Outcome) -> Self {
        let edge = |record: Record<'a>| {
            let blocker = record.session();
            Some(Edge {
                blocked: blocker.blocked_pid?,
                held: record.text("held_mode").map(modes::parse),
                requested: record.text("requested_mode").map_or(LockMode::Unknown, modes::parse),
                kind: record.text("lock_type"),
                waited_us: record.duration_us("waited"),
                is_in_circle: blocker.depth.is_none(),
                blocker,
            })
        };
        Self {
            edges: outcome.records().filter_map(edge).collect(),
        }
    }

    /// Pids of all who wait.
    pub(crate) fn waiting(&self) -> BTreeSet<i64> {
        self.edges.iter().map(|edge| edge.blocked).collect()
    }

    /// Pids of those who wait behind `pid`, directly or one behind another; each once, so a circle ends.
    pub(crate) fn behind(&self, pid: i64) -> BTreeSet<i64> {
        let mut behind = BTreeSet::new();
        let mut pending = vec![pid];
        while let Some(pid) = pending.pop() {
            for edge in self.edges.iter().filter(|edge| edge.blocker.pid == Some(pid)) {
                if behind.insert(edge.blocked) {
                    pending.push(edge.blocked);
                }
            }
        }
        behind
    }

    /// How long `pids` have waited, each counted once.
    pub(crate) fn waited(&self, pids: &BTreeSet<i64>) -> Waited {
        let mut by_pid: BTreeMap<i64, u64> = BTreeMap::new();
        for edge in self.edges.iter().filter(|edge| pids.contains(&edge.blocked)) {
            if let Some(us) = edge.waited_us {
                let longest = by_pid.entry(edge.blocked).or_default();
                *longest = us.max(*longest);
            }
        }
        Waited {
            total_us: by_pid.values().fold(0, |sum, us| sum.saturating_add(*us)),
            longest_us: by_pid.values().copied().max(),
        }
    }

    /// What `pid` holds that others wait for.
    pub(crate) fn holds(&self, pid: i64, mode: LockMode) -> bool {
        let mut edges = self.edges.iter();
        edges.any(|edge| edge.blocker.pid == Some(pid) && edge.held == Some(mode))
    }

    /// Sessions of circles, and of queues that end in one, by pid, with their subjects where there are any.
    pub(crate) fn in_circles(&self) -> (BTreeSet<i64>, Vec<&'a String>) {
        let edges = self.edges.iter().filter(|edge| edge.is_in_circle);
        let subjects = edges.clone().filter_map(|edge| edge.blocker.subject);
        (edges.clone().map(|edge| edge.blocked).collect(), subjects.collect())
    }

    /// How many sessions wait for each kind of lock, by the kind of their first row.
    pub(crate) fn kinds(&self) -> BTreeMap<Kind, u64> {
        let mut by_pid: BTreeMap<i64, Kind> = BTreeMap::new();
        for edge in &self.edges {
            by_pid.entry(edge.blocked).or_insert_with(|| Kind::of(edge.kind));
        }
        let mut kinds = BTreeMap::new();
        for kind in by_pid.into_values() {
            *kinds.entry(kind).or_default() += 1;
        }
        kinds
    }

    /// Sessions that wait for a lock on a table behind a weaker one, and make others wait whom that weaker one would let pass: an
    /// `ALTER TABLE` behind a long `SELECT`. The one who loses most comes first.
    pub(crate) fn strong_waits(&self) -> Vec<StrongWait<'a>> {
        let mut found: Vec<StrongWait<'a>> = self.waiting().iter().filter_map(|&pid| self.strong_wait(pid)).collect();
        found.sort_by_key(|strong| std::cmp::Reverse(self.waited(&strong.behind).total_us));
        found
    }

    fn strong_wait(&self, pid: i64) -> Option<StrongWait<'a>> {
        let of = |blocked: i64| self.edges.iter().filter(move |edge| edge.blocked == blocked);
        // The first in line waits for what is held, and for nobody's turn.
        let held: Vec<LockMode> = of(pid).map(|edge| edge.held).collect::<Option<_>>()?;
        let mode = of(pid).find(|edge| edge.kind == Some("relation"))?.requested;
        let strongest = *held.iter().max_by_key(|mode| **mode as u8)?;
        let passes = |edge: &Edge<'_>| {
            let free = |held: &LockMode| modes::conflict(edge.requested, *held) == Some(false);
            edge.held.is_none() && edge.kind == Some("relation") && held.iter().all(free)
        };
        let of_it = self.edges.iter().filter(|edge| edge.blocker.pid == Some(pid));
        let (behind, line): (Vec<&Edge<'_>>, Vec<&Edge<'_>>) = of_it.clone().partition(|edge| passes(edge));
        let line: BTreeSet<i64> = line.iter().map(|edge| edge.blocked).collect();
        let is_in_the_way = |blocker: i64| blocker == pid || line.contains(&blocker);
        // Only those who wait for nobody else would go on.
        let would_go_on =
            |blocked: i64| of(blocked).all(|edge| passes(edge) && edge.blocker.pid.is_some_and(is_in_the_way));
        let behind: BTreeSet<i64> = behind
            .iter()
            .map(|edge| edge.blocked)
            .filter(|&blocked| would_go_on(blocked))
            .collect();
        let blocks_them = |pid: &&i64| {
            let mut edges = self.edges.iter().filter(|edge| behind.contains(&edge.blocked));
            edges.any(|edge| edge.blocker.pid == Some(**pid))
        };
        let in_line = line.iter().filter(blocks_them).count() as u64;
        let waiter = of_it.clone().find_map(|edge| edge.blocker.subject);
        (!behind.is_empty()).then_some(StrongWait {
            waiter,
            mode,
            held: strongest,
            behind,
            in_line,
        })
    }
}

/// What a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A row, or the transaction that has changed it.
    Row,
    /// A table or index.
    Table,
    /// A lock that applications give a meaning.
    Advisory,
    /// Anything else.
    Other,
}

impl Kind {
    fn of(word: Option<&str>) -> Self {
        match word {
            Some("transactionid" | "tuple") => Self::Row,
            Some("relation") => Self::Table,
            Some("advisory") => Self::Advisory,
            _ => Self::Other,
        }
    }
}
