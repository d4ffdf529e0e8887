//! What a thread found in one block: totals that add up in any order, and observations in the order of the log.
//!
//! Whatever depends on order (a bare duration and the statement before it, the slowest execution's sample, which families are
//! kept) is decided when observations are entered into the [`crate::ledger::Ledger`], one block after the other. So the result
//! is the same for any number of threads and any place where the input is cut.

use std::collections::BTreeMap;

use crate::account::{Clockwork, UnparsedPieces};
use crate::entry::{Span, Texts};
use crate::events::locks::{Edge, Wait};
use crate::events::maintenance::Done;
use crate::evidence::{CancelReason, Checkpoint, CheckpointCause, DurationTotal, MaintenanceKind, TableName};
use crate::interner::Used;
use crate::ledger::{NotDone, PlanSeen};
use crate::message::DurationKind;
use crate::severity::Severity;

/// A server process as an entry names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) start_us: Option<i64>,
}

/// One execution's statement, and where its text is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) family: u32,
    /// 0 where the log does not tell.
    pub(crate) pid: i32,
    pub(crate) at_us: i64,
    pub(crate) query_id: i64,
    /// The text; empty when it cannot be run again.
    pub(crate) text: Span,
    pub(crate) parameters: Span,
}

/// Something that the ledger enters in order.
#[derive(Debug)]
pub(crate) enum Observation {
    /// A duration with its statement.
    Execution {
        us: u64,
        statement: Statement,
    },
    /// Time of parse or bind.
    Preparation {
        us: u64,
        family: u32,
        query_id: i64,
        at_us: i64,
    },
    /// A statement without duration (`log_statement`).
    Logged {
        process: Process,
        statement: Statement,
    },
    /// A duration without statement.
    Bare {
        process: Option<Process>,
        us: u64,
        at_us: i64,
        query_id: i64,
    },
    /// Nothing that the process logged before belongs to what it logs now.
    Ended {
        process: Process,
    },
    /// The process exists and has these names.
    Seen {
        process: Process,
        names: u32,
    },
    /// `log_lock_waits`.
    Waited(Box<Waited>),
    Deadlock(Box<Deadlocked>),
    Error {
        process: Option<Process>,
        class: u32,
        family: Option<u32>,
        at_us: i64,
    },
    TempFile {
        process: Option<Process>,
        family: Option<u32>,
        names: u32,
        bytes: u64,
        at_us: i64,
    },
    Canceled {
        process: Option<Process>,
        reason: CancelReason,
        family: Option<u32>,
        names: u32,
        at_us: i64,
    },
    /// A plan of auto_explain, with its message.
    Plan {
        process: Option<Process>,
        family: Option<u32>,
        query_id: i64,
        seen: PlanSeen,
        message: Span,
    },
    /// What no statement is behind.
    Activity(Box<Activity>),
}

/// What the server's own processes and its connections do.
#[derive(Debug)]
pub(crate) enum Activity {
    CheckpointStarting(Vec<CheckpointCause>),
    Checkpoint(Checkpoint),
    /// With the distance of the last two, where the message tells it.
    CheckpointsTooFrequent(Option<u64>),
    Maintained(Done),
    NotMaintained {
        table: TableName,
        kind: MaintenanceKind,
        what: NotDone,
        at_us: i64,
    },
    /// An event of a connection.
    Connection {
        event: &'static str,
        names: u32,
        session_us: Option<u64>,
        at_us: i64,
    },
    /// A host that connected, or, with the duration, was disconnected.
    Client {
        host: String,
        session_us: Option<u64>,
        at_us: i64,
    },
}

/// A lock wait.
#[derive(Debug)]
pub(crate) struct Waited {
    pub(crate) process: Process,
    pub(crate) names: u32,
    pub(crate) family: Option<u32>,
    pub(crate) at_us: i64,
    pub(crate) wait: Wait,
}

/// A deadlock; the statements of its edges are in `detail`.
#[derive(Debug)]
pub(crate) struct Deadlocked {
    pub(crate) process: Process,
    pub(crate) names: u32,
    pub(crate) at_us: i64,
    pub(crate) edges: Vec<Edge>,
    pub(crate) detail: Span,
}

/// What makes errors alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ErrorKey {
    pub(crate) severity: Severity,
    pub(crate) sqlstate: Option<[u8; 5]>,
    pub(crate) message: String,
    pub(crate) names: u32,
}

/// What an entry was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Duration,
    Statement,
    Event,
    Error,
    Notice,
    Other,
    Forged,
    OutsideWindow,
}

impl Kind {
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::Duration, "duration"),
        (Self::Statement, "statement"),
        (Self::Event, "event"),
        (Self::Error, "error"),
        (Self::Notice, "notice"),
        (Self::Other, "other"),
        (Self::Forged, "forged"),
        (Self::OutsideWindow, "outside_window"),
    ];
}

/// Sums that do not depend on order.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) entries: u64,
    pub(crate) outside_window: u64,
    pub(crate) kinds: [u64; Kind::ALL.len()],
    pub(crate) unparsed: UnparsedPieces,
    pub(crate) durations: [DurationTotal; 6],
    pub(crate) events: BTreeMap<&'static str, u64>,
    pub(crate) sqlstates: BTreeMap<(Severity, Option<[u8; 5]>), u64>,
    pub(crate) severities: [u64; 8],
    pub(crate) limitations: BTreeMap<&'static str, u64>,
    pub(crate) window: Option<(i64, i64)>,
}

impl Totals {
    /// Adds another part.
    pub(crate) fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.outside_window += other.outside_window;
        for (mine, theirs) in self.kinds.iter_mut().zip(&other.kinds) {
            *mine += theirs;
        }
        self.unparsed.add(&other.unparsed);
        for (mine, theirs) in self.durations.iter_mut().zip(&other.durations) {
            mine.count += theirs.count;
            mine.total_us = mine.total_us.saturating_add(theirs.total_us);
        }
        merge(&mut self.events, &other.events);
        for (key, count) in &other.sqlstates {
            *self.sqlstates.entry(*key).or_default() += count;
        }
        for (mine, theirs) in self.severities.iter_mut().zip(&other.severities) {
            *mine += theirs;
        }
        merge(&mut self.limitations, &other.limitations);
        if let Some((first, last)) = other.window {
            self.saw(first);
            self.saw(last);
        }
    }

    /// Widens the window.
    #[inline]
    pub(crate) fn saw(&mut self, at_us: i64) {
        let (first, last) = self.window.unwrap_or((at_us, at_us));
        self.window = Some((first.min(at_us), last.max(at_us)));
    }

    /// Counts a duration.
    #[inline]
    pub(crate) fn duration(&mut self, kind: DurationKind, us: u64) {
        if let Some(total) = self.durations.get_mut(kind as usize) {
            total.count += 1;
            total.total_us = total.total_us.saturating_add(us);
        }
    }

    /// Counts an entry as what it was taken for.
    #[inline]
    pub(crate) fn kind(&mut self, kind: Kind) {
        if let Some(count) = self.kinds.get_mut(kind as usize) {
            *count += 1;
        }
    }

    /// Counts something that the evidence must tell.
    pub(crate) fn limitation(&mut self, code: &'static str) {
        *self.limitations.entry(code).or_default() += 1;
    }
}

fn merge(into: &mut BTreeMap<&'static str, u64>, from: &BTreeMap<&'static str, u64>) {
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

/// All that was found in one block, with the bytes that the observations point into.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) file: usize,
    /// Where in the file the block begins.
    pub(crate) offset: u64,
    pub(crate) stream: usize,
    pub(crate) totals: Totals,
    pub(crate) clockwork: Clockwork,
    pub(crate) observations: Vec<Observation>,
    pub(crate) errors: Vec<ErrorKey>,
    pub(crate) used: Used,
    pub(crate) texts: Texts,
}
