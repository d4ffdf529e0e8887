//! Findings to a part of the evidence: what depends on the order of the log.
//!
//! **In**: the findings of each block, in order. **Out**: a [`Part`]. **Trusted**: that blocks come in order. Memory is bounded
//! by stated caps; whatever a cap costs is told as a limitation. Nothing here depends on how the input was cut: observations are
//! entered one by one.

mod activity;
mod families;
mod given_up;
mod groups;
mod incidents;
mod pending;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::account::Clockwork;
use crate::evidence::{Attribution, Dimensions, SourceFile, SourceSummary, Window};
use crate::interner::Family;
use crate::message::DurationKind;
use crate::observation::{self, Findings, Kind, Observation, Process, Totals};
use crate::part::Part;
use crate::reader::Read;
use crate::severity::Severity;
use activity::Attributed;
pub(crate) use activity::{Activity, ActivityLists, NotDone, PlanSeen};
use families::Slot;
pub(crate) use families::{Families, MAX_QUERY_IDS_COUNTED, Measured, mean};
pub(crate) use groups::Group;
pub(crate) use incidents::{IncidentLists, Incidents};
use pending::{Pending, Waiting};
use sessions::Sessions;

/// Longest message of a plan that waits for its statement; of a longer one the tree is not kept.
const MAX_WAITING_PLAN_BYTES: usize = 64 * 1024;

/// All that was entered so far.
#[derive(Debug)]
pub(crate) struct Ledger {
    totals: Totals,
    /// By file: how many entries, and the instants of those that were counted.
    files: Vec<(u64, Option<Window>)>,
    /// By stream.
    clockworks: BTreeMap<usize, Clockwork>,
    families: Families,
    sessions: Sessions,
    incidents: Incidents,
    activity: Activity,
    pending: Pending,
}

/// The findings being entered, and where their families are in the ledger.
struct Page<'f> {
    findings: &'f Findings,
    slots: Vec<Option<Slot>>,
}

impl Page<'_> {
    fn family(&self, position: u32) -> Option<&Arc<Family>> {
        self.findings.used.families.get(position as usize)
    }

    fn names(&self, position: u32) -> Arc<Dimensions> {
        self.findings
            .used
            .names
            .get(position as usize)
            .map(Arc::clone)
            .unwrap_or_default()
    }
}

impl Ledger {
    pub(crate) fn new(max_families: usize) -> Self {
        Self {
            totals: Totals::default(),
            files: Vec::new(),
            clockworks: BTreeMap::new(),
            families: Families::new(max_families),
            sessions: Sessions::default(),
            incidents: Incidents::default(),
            activity: Activity::default(),
            pending: Pending::default(),
        }
    }

    /// Enters the findings of the next block.
    pub(crate) fn enter(&mut self, findings: &Findings) {
        self.totals.add(&findings.totals);
        if !findings.clockwork.is_empty() {
            let clockwork = self.clockworks.entry(findings.stream).or_default();
            clockwork.join(&findings.clockwork, findings.file);
        }
        if self.files.len() <= findings.file {
            self.files.resize(findings.file + 1, (0, None));
        }
        if let Some((entries, window)) = self.files.get_mut(findings.file) {
            *entries += findings.totals.entries;
            let here = findings.totals.window;
            *window = Window::both(*window, here.map(|(since_us, until_us)| Window { since_us, until_us }));
        }
        let slots = vec![None; findings.used.families.len()];
        let mut page = Page { findings, slots };
        for observation in &findings.observations {
            self.observe(&mut page, observation);
        }
    }

    fn observe(&mut self, page: &mut Page<'_>, observation: &Observation) {
        let file = page.findings.stream;
        let texts = &page.findings.texts;
        match observation {
            Observation::Execution { us, statement } => {
                let text = (texts.get(statement.text), texts.get(statement.parameters));
                let times = self.family(page, statement.family).map_or(0, |stats| {
                    stats.execution(*us, statement.at_us, statement.query_id, text)
                });
                self.families.executed(*us, times);
                if !self.pending.is_empty()
                    && let Some(family) = page.family(statement.family).map(Arc::clone)
                {
                    self.resolve_pending(file, statement.pid, (statement.at_us, *us), &family);
                }
            }
            Observation::Preparation {
                us,
                family,
                query_id,
                at_us,
            } => {
                if let Some(stats) = self.family(page, *family) {
                    stats.prepared(*us, *at_us, *query_id);
                }
            }
            Observation::Logged { process, statement } => {
                if let Some(family) = page.family(statement.family) {
                    let text = (texts.get(statement.text), texts.get(statement.parameters));
                    self.sessions.logged(file, *process, family, statement.query_id, text);
                }
            }
            Observation::Bare {
                process,
                us,
                at_us,
                query_id,
            } => {
                let Some(logged) = process.and_then(|process| self.sessions.take_logged(file, process)) else {
                    self.totals.limitation("bare_duration");
                    return;
                };
                let query_id = if *query_id == 0 { logged.query_id } else { *query_id };
                let text = (logged.text.as_slice(), logged.parameters.as_slice());
                let slot = self.families.slot(&logged.family);
                let times = self
                    .families
                    .get(slot)
                    .map_or(0, |stats| stats.execution(*us, *at_us, query_id, text));
                self.families.executed(*us, times);
                if let Some(process) = process {
                    if !self.pending.is_empty() {
                        self.resolve_pending(file, process.pid, (*at_us, *us), &logged.family);
                    }
                    self.sessions.give_back(file, *process, logged);
                }
            }
            Observation::Ended { process } => self.ended(file, *process),
            Observation::Seen { process, names } => self.sessions.seen(file, *process, page.names(*names)),
            Observation::Waited(waited) => {
                let statement = self.statement_of(page, waited.family, Some(waited.process), waited.at_us);
                let names = page.names(waited.names);
                let unknown = self
                    .incidents
                    .waited(file, waited, statement, &names, &mut self.sessions);
                if let Some(number) = unknown {
                    self.wait(file, Some(waited.process), waited.at_us, Waiting::Wait { number });
                }
            }
            Observation::Deadlock(deadlock) => {
                let names = page.names(deadlock.names);
                let detail = texts.get(deadlock.detail);
                self.incidents
                    .deadlock(file, deadlock, detail, &names, &self.sessions, &mut self.families);
            }
            Observation::Error {
                process,
                class,
                family,
                at_us,
            } => {
                let statement = self.statement_of(page, *family, *process, *at_us);
                if let Some(stats) = family.and_then(|family| self.family(page, family)) {
                    stats.failed(*at_us);
                }
                if let Some(key) = page.findings.errors.get(*class as usize) {
                    self.incidents.error(key, statement, &page.names(key.names), *at_us);
                }
            }
            Observation::TempFile {
                process,
                family,
                names,
                bytes,
                at_us,
            } => {
                let statement = self.statement_of(page, *family, *process, *at_us);
                if let Some(stats) = family.and_then(|family| self.family(page, family)) {
                    stats.spilled(*bytes, *at_us);
                }
                let names = page.names(*names);
                if statement.is_some() {
                    self.incidents.temp_file(statement, &names, *bytes);
                } else {
                    let bytes = *bytes;
                    self.wait(file, *process, *at_us, Waiting::TempFile { names, bytes });
                }
            }
            Observation::Canceled {
                process,
                reason,
                family,
                names,
                at_us,
            } => {
                let statement = self.statement_of(page, *family, *process, *at_us);
                self.activity.canceled(*reason, statement, &page.names(*names), *at_us);
            }
            Observation::Plan {
                process,
                family,
                query_id,
                seen,
                message,
            } => {
                // Where only auto_explain logs, nothing else tells which statement of the server it is.
                if let Some(stats) = family.and_then(|family| self.family(page, family)) {
                    stats.explained(*query_id);
                }
                let statement = self.statement_of(page, *family, *process, seen.at_us);
                let message = texts.get(*message);
                match statement {
                    Some(statement) => self.activity.plan(statement, seen, message),
                    None => {
                        let fits = message.len() <= MAX_WAITING_PLAN_BYTES;
                        let message = if fits { message } else { b"" }.into();
                        let seen = *seen;
                        self.wait(file, *process, seen.at_us, Waiting::Plan { seen, message });
                    }
                }
            }
            Observation::Activity(activity) => self.act(page, file, activity),
        }
    }

    /// Enters what no statement is behind.
    fn act(&mut self, page: &Page<'_>, stream: usize, activity: &observation::Activity) {
        use observation::Activity as Seen;
        match activity {
            Seen::CheckpointStarting(causes) => self.activity.checkpoint_starting(stream, causes),
            Seen::Checkpoint(checkpoint) => self.activity.checkpoint(stream, checkpoint.clone()),
            Seen::CheckpointsTooFrequent(interval_s) => self.activity.checkpoints_too_frequent(*interval_s),
            Seen::Maintained(done) => self.activity.maintained(done.clone()),
            Seen::NotMaintained {
                table,
                kind,
                what,
                at_us,
            } => self.activity.not_maintained(table.clone(), *kind, *what, *at_us),
            Seen::Connection {
                event,
                names,
                session_us,
                at_us,
            } => self
                .activity
                .connection(event, &page.names(*names), *session_us, *at_us),
            Seen::Client {
                host,
                session_us,
                at_us,
            } => self.activity.client(host, *session_us, *at_us),
        }
    }

    /// The statement of an event: the one that its entry names, or the one that its session logged and that is not over.
    fn statement_of(
        &mut self,
        page: &mut Page<'_>,
        stated: Option<u32>,
        process: Option<Process>,
        at_us: i64,
    ) -> Option<Attributed> {
        if let Some(key) = self.point_at(page, stated) {
            return Some((key, Attribution::Stated));
        }
        let running = self.sessions.running(page.findings.stream, process?)?;
        self.list(&running, at_us);
        Some((running.key, Attribution::Running))
    }

    /// An event points at the family: it is listed, whether it took any time or not.
    fn list(&mut self, family: &Arc<Family>, at_us: i64) {
        let slot = self.families.slot(family);
        if let Some(stats) = self.families.get(slot) {
            stats.pointed_at(at_us);
        }
    }

    /// Lets an event wait for its session's next duration.
    fn wait(&mut self, stream: usize, process: Option<Process>, at_us: i64, event: Waiting) {
        let overdue = match process {
            Some(process) => self.pending.add(stream, process.pid, at_us, event),
            None => vec![event],
        };
        for event in overdue {
            self.attribute(None, event);
        }
    }

    /// The process logged a duration: what waited for it lies within, or has no statement.
    #[cold]
    fn resolve_pending(&mut self, stream: usize, pid: i32, (end_us, us): (i64, u64), family: &Arc<Family>) {
        for (is_within, event) in self.pending.within(stream, pid, end_us, us) {
            if is_within {
                self.list(family, end_us);
            }
            self.attribute(is_within.then_some((family.key, Attribution::Within)), event);
        }
    }

    /// What the process was at is over.
    fn ended(&mut self, stream: usize, process: Process) {
        self.sessions.ended(stream, process);
        if !self.pending.is_empty() {
            for event in self.pending.of_process(stream, process.pid) {
                self.attribute(None, event);
            }
        }
    }

    /// Enters an event that waited, with its statement or without.
    fn attribute(&mut self, statement: Option<Attributed>, event: Waiting) {
        match (event, statement) {
            (Waiting::Wait { number }, Some(statement)) => self.incidents.waited_in(number, statement),
            (Waiting::Wait { .. }, None) => {}
            (Waiting::TempFile { names, bytes }, statement) => self.incidents.temp_file(statement, &names, bytes),
            (Waiting::Plan { seen, message }, Some(statement)) => self.activity.plan(statement, &seen, &message),
            (Waiting::Plan { .. }, None) => self.totals.limitation("plans_without_statement"),
        }
    }

    /// The statistics of a family of the page.
    #[inline]
    fn family(&mut self, page: &mut Page<'_>, position: u32) -> Option<&mut families::Stats> {
        let known = page.slots.get(position as usize).copied().flatten();
        let slot = match known {
            Some(slot) if self.families.is_current(slot) => slot,
            _ => {
                let slot = self.families.slot(page.findings.used.families.get(position as usize)?);
                *page.slots.get_mut(position as usize)? = Some(slot);
                slot
            }
        };
        self.families.get(slot)
    }

    /// The key of a family that an incident points at; the family is listed then, too.
    fn point_at(&mut self, page: &mut Page<'_>, position: Option<u32>) -> Option<u64> {
        let position = position?;
        self.family(page, position)?;
        page.family(position).map(|family| family.key)
    }

    /// Closes the ledger: what the processes were in the middle of is forgotten.
    pub(crate) fn close(mut self, read: Read) -> Part {
        for event in self.pending.rest() {
            self.attribute(None, event);
        }
        for (reason, count) in read.unparsed {
            self.totals.unparsed.count(reason, count);
        }
        for (code, count) in read.limitations {
            *self.totals.limitations.entry(code).or_default() += count;
        }
        let mut files = read.files;
        for (file, (entries, window)) in files.iter_mut().zip(&self.files) {
            file.entries = *entries;
            file.window = *window;
        }
        let mut clockwork = Clockwork::default();
        for stream in self.clockworks.values() {
            clockwork.beside(stream);
        }
        let window = self.totals.window;
        let source = summary(files, &mut self.totals, clockwork, read.bytes_dropped);
        Part {
            window: window.map(|(since_us, until_us)| Window { since_us, until_us }),
            source,
            limitations: owned(&self.totals.limitations),
            families: self.families,
            incidents: self.incidents,
            activity: self.activity,
            exports: Vec::new(),
        }
    }
}

fn owned(map: &BTreeMap<&'static str, u64>) -> BTreeMap<String, u64> {
    map.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

fn summary(files: Vec<SourceFile>, totals: &mut Totals, clockwork: Clockwork, bytes_dropped: u64) -> SourceSummary {
    let path_of = |file: usize| files.get(file).map(|file| file.path.clone()).unwrap_or_default();
    let unparsed = std::mem::take(&mut totals.unparsed).finish(path_of);
    let (clock_jump_count, clock_jumps, gap_count, gaps) = clockwork.finish(path_of);
    if clock_jump_count > 0 {
        *totals.limitations.entry("clock_jumps").or_default() += clock_jump_count;
    }
    let kinds = Kind::ALL.into_iter().zip(totals.kinds);
    let durations = DurationKind::ALL.into_iter().zip(totals.durations);
    let severities = Severity::ALL.into_iter().zip(totals.severities);
    SourceSummary {
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
        entries_scanned: totals.entries,
        entries_outside_window: totals.outside_window,
        entries_by_kind: kinds
            .filter(|(_, count)| *count > 0)
            .map(|((_, name), count)| (name.to_owned(), count))
            .collect(),
        entries_unparsed: unparsed.values().map(|pieces| pieces.count).sum(),
        unparsed,
        bytes_dropped,
        clock_jump_count,
        clock_jumps,
        gap_count,
        gaps,
        durations: durations
            .filter(|(_, total)| total.count > 0)
            .map(|(kind, total)| (kind.name().to_owned(), total))
            .collect(),
        events: owned(&totals.events),
        sqlstates: totals
            .sqlstates
            .iter()
            .map(|(key, count)| (state_name(*key), *count))
            .collect(),
        severities: severities
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| (severity.name().to_owned(), count))
            .collect(),
        redacted: BTreeSet::new(),
    }
}

fn state_name((severity, state): (Severity, Option<[u8; 5]>)) -> String {
    let state = state
        .as_ref()
        .and_then(|state| std::str::from_utf8(state).ok())
        .unwrap_or("?");
    format!("{} {state}", severity.name())
}
