//! Findings to a part of the evidence: what depends on the order of the log.
//!
//! **In**: the findings of each block, in order. **Out**: a [`Part`]. **Trusted**: that blocks come in order. Memory is bounded
//! by stated caps; whatever a cap costs is told as a limitation. Nothing here depends on how the input was cut: observations are
//! entered one by one.

mod families;
mod given_up;
mod incidents;
mod sessions;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::account::Clockwork;
use crate::evidence::{Dimensions, SourceFile, SourceSummary, Window};
use crate::interner::Family;
use crate::message::DurationKind;
use crate::observation::{Findings, Kind, Observation, Totals};
use crate::part::Part;
use crate::reader::Read;
use crate::severity::Severity;
use families::Slot;
pub(crate) use families::{Families, MAX_QUERY_IDS_COUNTED, Measured, mean};
pub(crate) use incidents::{IncidentLists, Incidents};
use sessions::Sessions;

/// All that was entered so far.
#[derive(Debug)]
pub(crate) struct Ledger {
    totals: Totals,
    entries_by_file: Vec<u64>,
    /// By stream.
    clockworks: BTreeMap<usize, Clockwork>,
    families: Families,
    sessions: Sessions,
    incidents: Incidents,
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
            entries_by_file: Vec::new(),
            clockworks: BTreeMap::new(),
            families: Families::new(max_families),
            sessions: Sessions::default(),
            incidents: Incidents::default(),
        }
    }

    /// Enters the findings of the next block.
    pub(crate) fn enter(&mut self, findings: &Findings) {
        self.totals.add(&findings.totals);
        if !findings.clockwork.is_empty() {
            let clockwork = self.clockworks.entry(findings.stream).or_default();
            clockwork.join(&findings.clockwork, findings.file);
        }
        if self.entries_by_file.len() <= findings.file {
            self.entries_by_file.resize(findings.file + 1, 0);
        }
        if let Some(entries) = self.entries_by_file.get_mut(findings.file) {
            *entries += findings.totals.entries;
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
                    self.sessions.give_back(file, *process, logged);
                }
            }
            Observation::Ended { process } => self.sessions.ended(file, *process),
            Observation::Seen { process, names } => self.sessions.seen(file, *process, page.names(*names)),
            Observation::Waited(waited) => {
                let family = self.point_at(page, waited.family);
                let names = page.names(waited.names);
                self.incidents.waited(file, waited, family, &names, &mut self.sessions);
            }
            Observation::Deadlock(deadlock) => {
                let names = page.names(deadlock.names);
                let detail = texts.get(deadlock.detail);
                self.incidents
                    .deadlock(file, deadlock, detail, &names, &self.sessions, &mut self.families);
            }
            Observation::Error { class, family, at_us } => {
                if let Some(stats) = family.and_then(|family| self.family(page, family)) {
                    stats.failed(*at_us);
                }
                if let Some(key) = page.findings.errors.get(*class as usize) {
                    self.incidents.error(key, &page.names(key.names), *at_us);
                }
            }
            Observation::TempFile {
                family,
                names,
                bytes,
                at_us,
            } => {
                let key = self.point_at(page, *family);
                if let Some(stats) = family.and_then(|family| self.family(page, family)) {
                    stats.spilled(*bytes, *at_us);
                }
                self.incidents.temp_file(key, &page.names(*names), *bytes);
            }
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
        for (reason, count) in read.unparsed {
            self.totals.unparsed.count(reason, count);
        }
        for (code, count) in read.limitations {
            *self.totals.limitations.entry(code).or_default() += count;
        }
        let mut files = read.files;
        for (file, entries) in files.iter_mut().zip(&self.entries_by_file) {
            file.entries = *entries;
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
    }
}

fn state_name((severity, state): (Severity, Option<[u8; 5]>)) -> String {
    let state = state
        .as_ref()
        .and_then(|state| std::str::from_utf8(state).ok())
        .unwrap_or("?");
    format!("{} {state}", severity.name())
}
