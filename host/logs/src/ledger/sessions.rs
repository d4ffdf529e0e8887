//! What the server's processes did last, as far as later entries need it. A bounded number of processes is remembered.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::evidence::{Dimensions, LockMode, LockTarget, SessionRef, StatementKind};
use crate::interner::Family;
use crate::observation::Process;

/// Most processes remembered; the server's own limit is `max_connections`.
const MAX_SESSIONS: usize = 8 * 1024;
/// Longest statement kept while its duration is awaited.
const MAX_TEXT_BYTES: usize = 4 * 1024;
/// Most lock waits of one process that are not over.
const MAX_OPEN_WAITS: usize = 8;

/// The processes, by file and pid.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_pid: HashMap<(usize, i32), Session>,
    clock: u64,
}

#[derive(Debug, Default)]
struct Session {
    start_us: Option<i64>,
    names: Arc<Dimensions>,
    logged: Option<Logged>,
    /// A query was among what it logged, so that is not only what changes things (`log_statement = mod`): nothing it runs is missing.
    logs_all: bool,
    waits: Vec<(LockMode, LockTarget, u64)>,
    used: u64,
}

/// A statement whose duration may follow.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) family: Arc<Family>,
    pub(super) query_id: i64,
    pub(super) text: Vec<u8>,
    pub(super) parameters: Vec<u8>,
    awaited: bool,
}

impl Sessions {
    fn session(&mut self, file: usize, process: Process) -> &mut Session {
        self.clock += 1;
        if self.by_pid.len() >= MAX_SESSIONS && !self.by_pid.contains_key(&(file, process.pid)) {
            self.forget_older_half();
        }
        let session = self.by_pid.entry((file, process.pid)).or_default();
        session.used = self.clock;
        if process.start_us.is_some() && session.start_us != process.start_us {
            // The pid was given to another process.
            if session.start_us.is_some() {
                session.logged = None;
                session.logs_all = false;
                session.waits.clear();
            }
            session.start_us = process.start_us;
        }
        session
    }

    fn forget_older_half(&mut self) {
        let mut uses: Vec<u64> = self.by_pid.values().map(|session| session.used).collect();
        let middle = uses.len() / 2;
        let (_, median, _) = uses.select_nth_unstable(middle);
        let median = *median;
        self.by_pid.retain(|_, session| session.used > median);
    }

    /// A process has these names.
    pub(super) fn seen(&mut self, file: usize, process: Process, names: Arc<Dimensions>) {
        self.session(file, process).names = names;
    }

    /// What the process logged before is over.
    pub(super) fn ended(&mut self, file: usize, process: Process) {
        if let Some(logged) = self.session(file, process).logged.as_mut() {
            logged.awaited = false;
        }
    }

    /// A process logged a statement without duration.
    pub(super) fn logged(
        &mut self,
        file: usize,
        process: Process,
        family: &Arc<Family>,
        query_id: i64,
        (text, parameters): (&[u8], &[u8]),
    ) {
        let session = self.session(file, process);
        session.logs_all |= family.kind == StatementKind::Select;
        let fits = text.len() + parameters.len() <= MAX_TEXT_BYTES;
        let (text, parameters) = if fits { (text, parameters) } else { (&b""[..], &b""[..]) };
        match session.logged.as_mut() {
            Some(logged) => {
                logged.family = Arc::clone(family);
                logged.query_id = query_id;
                logged.text.clear();
                logged.text.extend_from_slice(text);
                logged.parameters.clear();
                logged.parameters.extend_from_slice(parameters);
                logged.awaited = true;
            }
            None => {
                session.logged = Some(Logged {
                    family: Arc::clone(family),
                    query_id,
                    text: text.to_vec(),
                    parameters: parameters.to_vec(),
                    awaited: true,
                });
            }
        }
    }

    /// The statement that the process logged and that is not over.
    pub(super) fn running(&mut self, file: usize, process: Process) -> Option<Arc<Family>> {
        let session = self.session(file, process);
        let logged = session
            .logged
            .as_ref()
            .filter(|logged| logged.awaited && session.logs_all)?;
        Some(Arc::clone(&logged.family))
    }

    /// The statement that a bare duration of the process belongs to; each has one duration.
    pub(super) fn take_logged(&mut self, file: usize, process: Process) -> Option<Logged> {
        self.session(file, process).logged.take_if(|logged| logged.awaited)
    }

    /// Returns the memory of a statement whose duration was found.
    pub(super) fn give_back(&mut self, file: usize, process: Process, mut logged: Logged) {
        logged.awaited = false;
        self.session(file, process).logged = Some(logged);
    }

    /// The process as the evidence names it, with its start if any entry told it.
    pub(super) fn resolve(&self, file: usize, pid: i32) -> SessionRef {
        SessionRef {
            pid,
            start_us: self.by_pid.get(&(file, pid)).and_then(|session| session.start_us),
        }
    }

    /// The names of a process.
    pub(super) fn names(&self, file: usize, pid: i32) -> Option<Arc<Dimensions>> {
        self.by_pid.get(&(file, pid)).map(|session| Arc::clone(&session.names))
    }

    /// The number of the wait of this process for this lock that is not over.
    pub(super) fn open_wait(
        &mut self,
        file: usize,
        process: Process,
        mode: LockMode,
        target: LockTarget,
    ) -> Option<u64> {
        let session = self.session(file, process);
        session
            .waits
            .iter()
            .find(|wait| wait.0 == mode && wait.1 == target)
            .map(|wait| wait.2)
    }

    /// Remembers or forgets a wait.
    pub(super) fn set_wait(&mut self, file: usize, process: Process, wait: (LockMode, LockTarget, u64), over: bool) {
        let session = self.session(file, process);
        session.waits.retain(|known| known.2 != wait.2);
        if !over {
            if session.waits.len() >= MAX_OPEN_WAITS {
                session.waits.remove(0);
            }
            session.waits.push(wait);
        }
    }
}
