//! Rows about sessions: what the catalogue's `*.pg_stat_activity.*` and `running_query.*` actions return.

use crate::{Outcome, Record};

/// What a session is doing, by pg_stat_activity's `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// It runs a statement.
    Active,
    /// It has a transaction open and waits for its client; locks stay held.
    IdleInTransaction,
    /// Between transactions.
    Idle,
    /// Anything else, or hidden from the role that looked.
    Unknown,
}

/// What a session waits for, by pg_stat_activity's `wait_event_type` and `wait_event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// For nothing.
    None,
    /// For the end of another transaction, the usual form of waiting for a row.
    TransactionLock,
    /// For another heavyweight lock.
    Lock,
    /// For reading or writing files.
    Io,
    /// For its client.
    Client,
    /// For something else.
    Other,
}

/// One row about a session.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// Its subject; `None` where the server did not show its start.
    pub subject: Option<&'a String>,
    /// Process id; 0 stands for a prepared transaction.
    pub pid: Option<i64>,
    /// What it is doing.
    pub state: SessionState,
    /// What it waits for.
    pub wait: Wait,
    /// How long it is in this state.
    pub state_age_us: Option<u64>,
    /// How long its statement runs.
    pub query_age_us: Option<u64>,
    /// `running_query.blocking.by_pid`: the session that waits for this one.
    pub blocked_pid: Option<i64>,
    /// `running_query.blocking.by_pid`: 1 for those that the session asked about waits for, 2 for those that these wait for, ….
    pub depth: Option<u64>,
}

impl Session<'_> {
    /// Whether it waits for a lock of any kind.
    pub fn waits_for_lock(&self) -> bool {
        matches!(self.wait, Wait::TransactionLock | Wait::Lock)
    }
}

impl<'a> Record<'a> {
    /// The row read as one about a session.
    pub fn session(&self) -> Session<'a> {
        Session {
            subject: self.subject(),
            pid: self.int("pid"),
            state: match self.text("state") {
                Some("active" | "fastpath function call") => SessionState::Active,
                Some("idle in transaction" | "idle in transaction (aborted)") => SessionState::IdleInTransaction,
                Some("idle") => SessionState::Idle,
                _ => SessionState::Unknown,
            },
            wait: match (self.text("wait_event_type"), self.text("wait_event")) {
                (None, _) => Wait::None,
                (Some("Lock"), Some("transactionid")) => Wait::TransactionLock,
                (Some("Lock"), _) => Wait::Lock,
                (Some("IO"), _) => Wait::Io,
                (Some("Client"), _) => Wait::Client,
                _ => Wait::Other,
            },
            state_age_us: self.duration_us("state_age"),
            query_age_us: self.duration_us("query_age"),
            blocked_pid: self.int("blocked_pid"),
            depth: self.count("depth"),
        }
    }
}

impl Outcome {
    /// The rows read as sessions.
    pub fn sessions(&self) -> Vec<Session<'_>> {
        self.records().map(|record| record.session()).collect()
    }
}

/// Who blocks whom: the rows of `running_query.blocking.by_pid`, one for each edge.
#[derive(Debug, Clone)]
pub struct BlockingTree<'a> {
    /// Sessions that hold others up and wait for nobody that the rows tell of, each once, in the order of the rows. Empty when nobody
    /// waits, or in a cycle. One that [waits for a lock](Session::waits_for_lock) is no head: the rows that lead on from it were cut.
    pub heads: Vec<Session<'a>>,
    /// How many sessions are waiting.
    pub waiting_count: u64,
    /// Length of the longest chain from the session asked about to a head; 0 when it waits for nobody.
    pub depth: u64,
    /// Whether there are edges, but nobody at the head: a deadlock that the server has not broken yet.
    pub is_cycle: bool,
}

impl<'a> BlockingTree<'a> {
    /// Reads the rows of `outcome`.
    pub fn new(outcome: &'a Outcome) -> Self {
        let edges = outcome.sessions();
        let mut waiting: Vec<i64> = edges.iter().filter_map(|edge| edge.blocked_pid).collect();
        waiting.sort_unstable();
        waiting.dedup();
        let mut heads: Vec<Session<'a>> = Vec::new();
        for edge in &edges {
            let is_head = edge.pid.is_some_and(|pid| waiting.binary_search(&pid).is_err());
            if is_head && heads.iter().all(|head| head.pid != edge.pid) {
                heads.push(*edge);
            }
        }
        Self {
            is_cycle: !edges.is_empty() && heads.is_empty(),
            heads,
            waiting_count: waiting.len() as u64,
            depth: edges.iter().filter_map(|edge| edge.depth).max().unwrap_or(0),
        }
    }
}
