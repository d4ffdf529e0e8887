//! Blocks to findings: the part that every thread does alone.
//!
//! **In**: a block. **Out**: [`Findings`]. **Trusted**: nothing; each entry is judged by its own fields. An entry that has a
//! statement of its own (a STATEMENT line, the `query` column) was not written by the server's duration logging, which hides
//! it: `RAISE LOG 'duration: …'` counts as what it is.

use std::ops::Range;

use hashbrown::HashMap;

use crate::bytes::slice;
use crate::entry::{Entry, Sink, Span, Texts};
use crate::events::{self, cancellation, checkpoint, connection, locks, maintenance, plan};
use crate::evidence::PlanFormat;
use crate::foreign;
use crate::interner::{Again, Interner, NamesId};
use crate::ledger::{NotDone, PlanSeen};
use crate::message::{self, DurationKind, Raised};
use crate::observation::{Activity, Deadlocked, ErrorKey, Findings, Kind, Observation, Process, Statement, Waited};
use crate::prefix::Memory;
use crate::reader::Block;
use crate::severity::Severity;

/// Entries outside are counted and set aside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) since_us: Option<i64>,
    pub(crate) until_us: Option<i64>,
}

/// Processes whose names were told in this block already, by the low bits of their pid.
const SEEN_SLOTS: usize = 256;

/// The memory of one thread.
#[derive(Debug)]
pub(crate) struct Worker {
    window: Window,
    interner: Interner,
    memory: Memory,
    seen: Vec<Option<(Process, NamesId)>>,
    error_ids: HashMap<ErrorKey, u32>,
    findings: Findings,
}

impl Worker {
    pub(crate) fn new(window: Window) -> Self {
        Self {
            window,
            interner: Interner::default(),
            memory: Memory::default(),
            seen: vec![None; SEEN_SLOTS],
            error_ids: HashMap::new(),
            findings: Findings::default(),
        }
    }

    /// Works through one block. `recycled` lends its memory.
    pub(crate) fn block(&mut self, block: Block, mut recycled: Findings) -> Findings {
        self.seen.fill(None);
        self.error_ids.clear();
        recycled.observations.clear();
        recycled.errors.clear();
        recycled.texts.arena.clear();
        self.findings = Findings {
            file: block.file,
            offset: block.offset,
            stream: block.stream,
            observations: recycled.observations,
            errors: recycled.errors,
            ..Findings::default()
        };
        let mut texts = Texts {
            block: block.bytes,
            arena: recycled.texts.arena,
            marks: block.marks,
            ends_file: block.ends_file,
        };
        self.interner.next_block();
        let mut memory = std::mem::take(&mut self.memory);
        block.layout.parse(&mut texts, &mut memory, self);
        self.memory = memory;
        let mut findings = std::mem::take(&mut self.findings);
        findings.texts = texts;
        findings.used = std::mem::take(&mut self.interner.used);
        findings
    }
}

impl Sink for Worker {
    #[inline]
    fn entry(&mut self, entry: &Entry, texts: &Texts) {
        let totals = &mut self.findings.totals;
        totals.entries += 1;
        if let Some(stamp) = entry.at {
            let outside = self.window.since_us.is_some_and(|since_us| stamp.at_us < since_us)
                || self.window.until_us.is_some_and(|until_us| stamp.at_us > until_us);
            if outside {
                totals.outside_window += 1;
                totals.kind(Kind::OutsideWindow);
                return;
            }
            totals.saw(stamp.at_us);
            self.findings.clockwork.tick(stamp.at_us, self.findings.file);
            if !stamp.certain {
                totals.limitation("timezone_uncertain");
            }
        }
        if entry.truncated {
            totals.limitation("entry_truncated");
        }
        if let Some(count) = totals.severities.get_mut(entry.severity as usize) {
            *count += 1;
        }
        let process = entry.pid.map(|pid| Process {
            pid,
            start_us: entry.start_us,
        });
        let names = self.interner.names(
            entry.pid.unwrap_or(0),
            texts.get(entry.database),
            texts.get(entry.user),
            texts.get(entry.application),
        );
        let facts = Facts {
            process,
            names,
            at_us: entry.at.map_or(0, |stamp| stamp.at_us),
            raised: message::raised(texts.get(entry.context)),
        };
        if let Some(process) = process {
            self.tell_names(process, names);
        }
        let kind = if entry.severity == Severity::Log {
            self.log(entry, texts, &facts)
        } else {
            self.problem(entry, texts, &facts)
        };
        self.findings.totals.kind(kind);
    }

    #[cold]
    fn unparsed(&mut self, reason: &'static str, piece: Range<usize>, texts: &Texts) {
        let offset = self.findings.offset.saturating_add(piece.start as u64);
        let bytes = slice(&texts.block, piece.start, piece.end.min(texts.block.len()));
        let totals = &mut self.findings.totals;
        totals.unparsed.enter(reason, self.findings.file, offset, bytes);
        // The reasons that something can be done about on the server.
        match reason {
            "localized_messages" => totals.limitation(reason),
            "torn_prefix" | "behind_torn_prefix" | "ambiguous_prefix" => totals.limitation("forged_entry"),
            _ => {}
        }
    }
}

/// What every observation needs.
#[derive(Debug, Clone, Copy)]
struct Facts {
    process: Option<Process>,
    names: NamesId,
    at_us: i64,
    raised: Raised,
}

impl Worker {
    /// Tells the ledger once per block which names a process has.
    #[inline]
    fn tell_names(&mut self, process: Process, names: NamesId) {
        let slot = process.pid.unsigned_abs() as usize % SEEN_SLOTS;
        let Some(slot) = self.seen.get_mut(slot) else { return };
        if *slot != Some((process, names)) {
            *slot = Some((process, names));
            let names = self.interner.use_names(names);
            self.findings.observations.push(Observation::Seen { process, names });
        }
    }

    #[inline]
    fn log(&mut self, entry: &Entry, texts: &Texts, facts: &Facts) -> Kind {
        let message = texts.get(entry.message);
        let hidden_statement = entry.statement.is_empty();
        if let Some(duration) = message::duration(message) {
            if !hidden_statement || facts.raised.is_a_functions(false) {
                self.findings.totals.limitation("forged_duration");
                return Kind::Forged;
            }
            self.findings.totals.duration(duration.kind, duration.us);
            self.duration(entry, texts, facts, &duration);
            return Kind::Duration;
        }
        if hidden_statement
            && !facts.raised.is_a_functions(false)
            && let Some((DurationKind::Statement | DurationKind::Execute, start)) = message::logged(message)
        {
            if let Some(process) = facts.process {
                let statement = self.statement(entry, texts, facts, entry.message.skip(start));
                self.findings
                    .observations
                    .push(Observation::Logged { process, statement });
            }
            return Kind::Statement;
        }
        self.event(entry, texts, facts)
    }

    fn duration(&mut self, entry: &Entry, texts: &Texts, facts: &Facts, duration: &message::Duration) {
        let us = duration.us;
        let text = entry.message.skip(duration.statement_start);
        let observation = match duration.kind {
            DurationKind::Statement | DurationKind::Execute => Observation::Execution {
                us,
                statement: self.statement(entry, texts, facts, text),
            },
            DurationKind::Parse | DurationKind::Bind => {
                let family = self.interner.family(texts.get(text), facts.names).family;
                Observation::Preparation {
                    us,
                    family,
                    query_id: entry.query_id,
                    at_us: facts.at_us,
                }
            }
            DurationKind::Bare => Observation::Bare {
                process: facts.process,
                us,
                at_us: facts.at_us,
                query_id: entry.query_id,
            },
            DurationKind::Plan => self.plan(entry, texts, facts, duration.us),
        };
        self.findings.observations.push(observation);
    }

    /// A plan: its query text is its statement, where that can be told.
    #[cold]
    fn plan(&mut self, entry: &Entry, texts: &Texts, facts: &Facts, duration_us: u64) -> Observation {
        let message = texts.get(entry.message);
        let (format, query) = plan::head(message).unwrap_or((PlanFormat::Text, None));
        let query = query.filter(|query| !query.is_empty());
        Observation::Plan {
            process: facts.process,
            family: query.map(|query| self.interner.family(&query, facts.names).family),
            query_id: entry.query_id,
            seen: PlanSeen {
                at_us: facts.at_us,
                duration_us,
                format,
            },
            message: entry.message,
        }
    }

    #[inline]
    fn statement(&mut self, entry: &Entry, texts: &Texts, facts: &Facts, text: Span) -> Statement {
        let found = self.interner.family(texts.get(text), facts.names);
        let parameters = match message::parameters_start(texts.get(entry.detail)) {
            Some(start) => entry.detail.skip(start),
            None => Span::default(),
        };
        let runnable = !entry.truncated
            && match found.again {
                Again::Yes => true,
                Again::WithParameters => !parameters.is_empty(),
                Again::No => false,
            };
        Statement {
            family: found.family,
            pid: entry.pid.unwrap_or(0),
            at_us: facts.at_us,
            query_id: entry.query_id,
            text: if runnable { text } else { Span::default() },
            parameters,
        }
    }

    /// An entry of severity LOG that is neither duration nor statement.
    fn event(&mut self, entry: &Entry, texts: &Texts, facts: &Facts) -> Kind {
        let message = texts.get(entry.message);
        let Some(event) = events::by_message(entry.severity, message) else {
            if foreign::is_translated_message(message) {
                self.findings.totals.limitation("localized_messages");
            }
            return Kind::Other;
        };
        let statement = texts.get(entry.statement);
        // Only a session has a statement or a user: this one raised text that looks like another process's message. So may autovacuum, which calls
        // functions of whoever owns the index that it reads. A cursor of PL/Perl in a session may well have needed a temporary file.
        let may_be_the_servers = !statement.is_empty() && !events::is_of_server_process(event);
        if facts.raised.is_a_functions(may_be_the_servers)
            || (!statement.is_empty() && !events::may_have_statement(event))
            || (!entry.user.is_empty() && events::is_of_server_process(event))
        {
            self.findings.totals.limitation("forged_event");
            return Kind::Forged;
        }
        *self.findings.totals.events.entry(event).or_default() += 1;
        let family = (!statement.is_empty()).then(|| self.interner.family(statement, facts.names).family);
        match event {
            "temp_file_created" => {
                if let Some(bytes) = message::temporary_file(message) {
                    let names = self.interner.use_names(facts.names);
                    let (process, at_us) = (facts.process, facts.at_us);
                    self.findings.observations.push(Observation::TempFile {
                        process,
                        family,
                        names,
                        bytes,
                        at_us,
                    });
                }
            }
            "lock_waiting" | "lock_acquired" => {
                if let (Some(process), Some(wait)) = (facts.process, locks::wait(message, texts.get(entry.detail))) {
                    let names = self.interner.use_names(facts.names);
                    let waited = Waited {
                        process,
                        names,
                        family,
                        at_us: facts.at_us,
                        wait,
                    };
                    self.findings.observations.push(Observation::Waited(Box::new(waited)));
                }
            }
            _ if event.starts_with("connection_") => self.connection(event, entry, texts, facts),
            "autovacuum_skipped_lock" => self.not_maintained(event, entry, texts, facts),
            _ => self.server(event, message, facts),
        }
        Kind::Event
    }

    fn act(&mut self, activity: Activity) {
        self.findings
            .observations
            .push(Observation::Activity(Box::new(activity)));
    }

    /// What a process of the server itself tells.
    fn server(&mut self, event: &str, message: &[u8], facts: &Facts) {
        let at_us = facts.at_us;
        let activity = match event {
            "checkpoint_starting" | "restartpoint_starting" => {
                Some(Activity::CheckpointStarting(checkpoint::starting(message)))
            }
            "checkpoint_complete" | "restartpoint_complete" => {
                checkpoint::complete(message, at_us).map(Activity::Checkpoint)
            }
            "checkpoint_too_frequent" => Some(Activity::CheckpointsTooFrequent(checkpoint::too_frequent(message))),
            "autovacuum_completed" | "autovacuum_aggressive_completed" | "autoanalyze_completed" => {
                maintenance::done(message, at_us).map(Activity::Maintained)
            }
            _ => None,
        };
        if let Some(activity) = activity {
            self.act(activity);
        }
    }

    /// An event of a connection. The prefix tells whose it is, or else the message.
    fn connection(&mut self, event: &'static str, entry: &Entry, texts: &Texts, facts: &Facts) {
        let message = texts.get(entry.message);
        let at_us = facts.at_us;
        let mut names = facts.names;
        let mut session_us = None;
        let mut host = connection::received(message);
        if let Some(ended) = connection::ended(message) {
            session_us = Some(ended.session_us);
            host = ended.host;
            if entry.user.is_empty() && entry.database.is_empty() {
                names = self
                    .interner
                    .names(entry.pid.unwrap_or(0), ended.database, ended.user, b"");
            }
        }
        if let Some(host) = host {
            let host = String::from_utf8_lossy(host).into_owned();
            self.act(Activity::Client {
                host,
                session_us,
                at_us,
            });
        }
        // What a server process says before it knows who is there tells of a host only.
        if event != "connection_received" {
            let names = self.interner.use_names(names);
            self.act(Activity::Connection {
                event,
                names,
                session_us,
                at_us,
            });
        }
        if let Some(process) = facts.process
            && matches!(
                event,
                "connection_received" | "connection_authorized" | "connection_disconnected"
            )
        {
            self.findings.observations.push(Observation::Ended { process });
        }
    }

    /// What autovacuum could not do.
    fn not_maintained(&mut self, event: &str, entry: &Entry, texts: &Texts, facts: &Facts) {
        // A session's own VACUUM says the same of itself.
        if !entry.user.is_empty() {
            return;
        }
        let (found, what) = match event {
            "autovacuum_cancel" => (maintenance::canceled(texts.get(entry.context)), NotDone::Canceled),
            "autovacuum_skipped_lock" => (maintenance::skipped(texts.get(entry.message)), NotDone::Skipped),
            _ => return,
        };
        if let Some((table, kind)) = found {
            let at_us = facts.at_us;
            self.act(Activity::NotMaintained {
                table,
                kind,
                what,
                at_us,
            });
        }
    }

    /// An entry of another severity.
    fn problem(&mut self, entry: &Entry, texts: &Texts, facts: &Facts) -> Kind {
        let message = texts.get(entry.message);
        let event = events::by_message(entry.severity, message);
        let known_state = entry.sqlstate.filter(|_| entry.severity.is_error());
        let told = event.or_else(|| known_state.and_then(events::by_state));
        // What a function raised is an error all the same, and no event of the server.
        let may_be_the_servers = entry.severity.is_error() && !entry.statement.is_empty();
        let is_raised = facts.raised.is_a_functions(may_be_the_servers);
        if is_raised && told.is_some() {
            self.findings.totals.limitation("forged_event");
        }
        let (event, told) = if is_raised { (None, None) } else { (event, told) };
        if let Some(event) = told {
            *self.findings.totals.events.entry(event).or_default() += 1;
            if event.starts_with("connection_") && entry.severity.is_error() {
                self.connection(event, entry, texts, facts);
            }
            self.not_maintained(event, entry, texts, facts);
        }
        if !entry.severity.is_error() {
            return Kind::Notice;
        }
        *self
            .findings
            .totals
            .sqlstates
            .entry((entry.severity, entry.sqlstate))
            .or_default() += 1;
        // What the parser could not read is no statement: it may be a password that was typed at a prompt.
        let is_unread = message::is_parsing_error(message, entry.sqlstate.as_ref());
        let statement = texts.get(entry.statement);
        let family = (!statement.is_empty() && !is_unread).then(|| self.interner.family(statement, facts.names).family);
        let names = self.interner.use_names(facts.names);
        if let Some(reason) = event.and_then(|event| cancellation::reason(event, texts.get(entry.detail))) {
            self.findings.observations.push(Observation::Canceled {
                process: facts.process,
                reason,
                family,
                names,
                at_us: facts.at_us,
            });
        }
        if event == Some("deadlock_detected")
            && let Some(process) = facts.process
        {
            let edges = locks::deadlock(texts.get(entry.detail));
            let deadlock = Deadlocked {
                process,
                names,
                at_us: facts.at_us,
                edges,
                detail: entry.detail,
            };
            self.findings
                .observations
                .push(Observation::Deadlock(Box::new(deadlock)));
        }
        let key = ErrorKey {
            severity: entry.severity,
            sqlstate: entry.sqlstate,
            message: message::template(message),
            names,
        };
        let class = self.error_class(key);
        self.findings.observations.push(Observation::Error {
            process: facts.process.filter(|_| !is_unread),
            class,
            family,
            at_us: facts.at_us,
        });
        if let Some(process) = facts.process {
            self.findings.observations.push(Observation::Ended { process });
        }
        Kind::Error
    }

    fn error_class(&mut self, key: ErrorKey) -> u32 {
        if let Some(known) = self.error_ids.get(&key) {
            return *known;
        }
        let id = u32::try_from(self.findings.errors.len()).unwrap_or(u32::MAX);
        self.findings.errors.push(key.clone());
        self.error_ids.insert(key, id);
        id
    }
}
