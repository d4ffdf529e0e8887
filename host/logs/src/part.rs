//! A part of the evidence: what one host's logs came to, so that parts can be merged and triaged together.
//!
//! **In**: a closed ledger, or a file that [`Part::write`] made. **Out**: [`Evidence`], or such a file. Merging parts gives exactly
//! what one analysis of all their sources, in the same order, would have given, as long as no cap was reached; where one was,
//! the limitations say so. **Trusted**: a ledger. A file is not: it may come from any host, so every rule that a ledger keeps is
//! checked before it is used. **Can fail**: [`PartError`], which names the field.

mod counted;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account::MAX_SHAPE_BYTES;
use crate::durations::FEW;
use crate::evidence::{
    Dimensions, Evidence, MAX_CHECKPOINTS, MAX_JUMPS, MAX_PLAN_NODES, MAX_SAMPLE_BYTES, MAX_UNPARSED_SAMPLES, Sample,
    SourceSummary, StatementKind, Window,
};
use crate::interner::{Family, MAX_STATEMENT_BYTES};
use crate::ledger::{Activity, ActivityLists, Families, Group, IncidentLists, Incidents, MAX_QUERY_IDS_COUNTED};
use crate::limitations;
use crate::normalise::{normalise, query_family_id};
use crate::redaction::{REDACTED, Redaction, TextClass};
use crate::source::place::Place;
use crate::source::{Input, Source, beginning};
pub use counted::{Common, Counted, Overlap};

/// The `format` of a part's file.
pub(crate) const PART_FORMAT: &str = "pg-logstats evidence part";
/// The version of a part's file that is written, and the only one that is read.
pub(crate) const PART_VERSION: u32 = 1;
/// Longest file that is read, after decompression.
const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;
/// Most items of one list in a file.
const MAX_ITEMS: usize = 200_000;
/// Enough of a file to know that it is a part's.
const HEAD_BYTES: usize = 256;
/// Longest name of a role, database or application in a file.
const MAX_NAME_BYTES: usize = 1_024;

/// What some logs came to, before it is ranked and cut.
#[derive(Debug, Clone)]
pub struct Part {
    pub(crate) window: Option<Window>,
    pub(crate) source: SourceSummary,
    /// By code.
    pub(crate) limitations: BTreeMap<String, u64>,
    pub(crate) families: Families,
    pub(crate) incidents: Incidents,
    pub(crate) activity: Activity,
    /// The exports that it was merged of.
    pub(crate) exports: Vec<Export>,
}

/// One export to a file, told by a number that no other one has: two servers may have logged the same, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// `ex_` and 26 characters.
    pub(crate) id: String,
    /// Its first file, as it was named where it was exported.
    pub(crate) path: String,
    /// How many files.
    pub(crate) files: u64,
}

/// Why a part's file was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PartError {
    /// The operating system refused.
    #[error("cannot read `{path}`: {source}; check that the file is there and readable")]
    Read {
        /// As the user named it.
        path: String,
        /// Its words.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the evidence: {source}")]
    Write {
        /// The words of the operating system.
        source: std::io::Error,
    },
    /// Not JSON of the expected shape.
    #[error(
        "`{path}` is no evidence file: {source}; give files that `pg-logstats evidence export` of the same version wrote"
    )]
    Json {
        /// As the user named it.
        path: String,
        /// What and where, by line and column.
        source: serde_json::Error,
    },
    /// Another format or version.
    #[error(
        "`{path}` has version {version} of the evidence format, and this program reads version {PART_VERSION}; export it again with this version"
    )]
    Version {
        /// As the user named it.
        path: String,
        /// As the file says.
        version: u32,
    },
    /// The file is longer than any that is read.
    #[error("`{path}` is longer than {MAX_FILE_BYTES} bytes; export shorter windows with --since and --until")]
    TooLong {
        /// As the user named it.
        path: String,
    },
    /// A field breaks a rule that every exported file keeps.
    #[error("`{path}` is damaged or was changed: `{field}` {why}; export it again")]
    Broken {
        /// As the user named it.
        path: String,
        /// Which one.
        field: String,
        /// The rule.
        why: String,
    },
}

/// One family in a part's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FamilyPart {
    pub(crate) id: String,
    pub(crate) dimensions: Dimensions,
    pub(crate) statement: String,
    pub(crate) kind: StatementKind,
    pub(crate) incomplete: bool,
    /// With how often each was logged. Strings: 64-bit numbers do not survive every JSON reader.
    pub(crate) query_ids: Vec<(String, u64)>,
    pub(crate) sample: Option<Sample>,
    pub(crate) sample_us: u64,
    pub(crate) execution_count: u64,
    pub(crate) total_duration_us: u64,
    pub(crate) max_duration_us: u64,
    /// Whether `durations` are the durations themselves, or the lowest ones of a histogram's buckets.
    pub(crate) durations_exact: bool,
    /// Ascending, each with how often it was counted.
    pub(crate) durations: Vec<(u64, u32)>,
    pub(crate) parse_bind_duration_us: u64,
    pub(crate) temp_bytes: u64,
    pub(crate) temp_file_count: u64,
    pub(crate) error_count: u64,
    /// First and last.
    pub(crate) seen: Option<(i64, i64)>,
}

/// A part's file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartFile {
    format: String,
    version: u32,
    exports: Vec<Export>,
    window: Option<Window>,
    source: SourceSummary,
    limitations: BTreeMap<String, u64>,
    total_duration_us: u64,
    total_executions: u64,
    families_folded: u64,
    families: Vec<FamilyPart>,
    incidents: IncidentLists,
    #[serde(default)]
    activity: ActivityLists,
}

/// What is read first, whatever else the file holds.
#[derive(Debug, Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl Part {
    /// Adds a later part: sources are listed in the order of merging, and where a tie is broken by what came first, this part did.
    pub fn merge(&mut self, other: Self) {
        self.window = Window::both(self.window, other.window);
        self.source.merge(other.source);
        add_counts(&mut self.limitations, other.limitations);
        self.families.merge(other.families);
        self.incidents.merge(other.incidents);
        self.activity.merge(other.activity);
        self.exports.extend(other.exports);
    }

    /// Makes all that the part holds one export, by an id that no other one has (`ex_` and 26 digits or letters).
    pub fn set_export(&mut self, id: &str) {
        let files = &self.source.files;
        self.exports = vec![Export {
            id: id.to_owned(),
            path: files.first().map(|file| file.path.clone()).unwrap_or_default(),
            files: files.len() as u64,
        }];
    }

    /// Says that entries are counted more than once, because the caller wants it so: of so many logs.
    pub fn tell_overlaps(&mut self, logs: u64) {
        add_counts(
            &mut self.limitations,
            BTreeMap::from([("sources_overlap".to_owned(), logs)]),
        );
    }

    /// Ranks and cuts what may be kept.
    #[must_use]
    pub fn evidence(mut self, redaction: &Redaction) -> Evidence {
        self.redact(redaction);
        self.families.settle();
        let mut counts = self.limitations;
        for (code, count) in [
            ("families_folded", self.families.folded()),
            ("families_incomplete", self.families.incomplete()),
        ] {
            if count > 0 {
                *counts.entry(code.to_owned()).or_default() += count;
            }
        }
        let incidents = self.incidents.finish();
        add_counts(&mut counts, incidents.dropped);
        let activity = self.activity.finish();
        add_counts(&mut counts, activity.dropped);
        let (total_duration_us, total_executions) = self.families.total();
        Evidence {
            window: self.window,
            source: self.source,
            total_duration_us,
            total_executions,
            family_count: self.families.count(),
            families: self.families.finish(),
            lock_waits: incidents.lock_waits,
            deadlocks: incidents.deadlocks,
            errors: incidents.errors,
            temp_files: incidents.temp_files,
            checkpoints: activity.checkpoints,
            maintenance: activity.maintenance,
            connections: activity.connections,
            clients: activity.clients,
            cancellations: activity.cancellations,
            plans: activity.plans,
            limitations: limitations::list(&counts),
        }
    }

    /// Removes all texts that are not to be kept.
    fn redact(&mut self, redaction: &Redaction) {
        for class in redaction.removed() {
            match class {
                TextClass::StatementText => {
                    self.families.remove_statements();
                    self.activity.remove_conditions();
                }
                TextClass::StatementParameter => self.families.remove_samples(),
                TextClass::Ops => {
                    self.source.remove_paths();
                    self.activity.remove_hosts();
                    for export in &mut self.exports {
                        REDACTED.clone_into(&mut export.path);
                    }
                }
                TextClass::Unidentified => self.incidents.keep_server_words(),
                // Neither normal forms nor templates hold them.
                TextClass::Credential | TextClass::ParsingError | TextClass::TableData => {}
            }
            self.source.redacted.insert(class);
        }
    }

    /// Writes what may be kept of the part as one line of JSON.
    ///
    /// # Errors
    /// [`PartError::Write`].
    pub fn write(&self, redaction: &Redaction, out: &mut dyn Write) -> Result<(), PartError> {
        let mut part = self.clone();
        part.redact(redaction);
        let (total_duration_us, total_executions) = part.families.total();
        part.families.settle();
        let file = PartFile {
            format: PART_FORMAT.to_owned(),
            version: PART_VERSION,
            exports: part.exports,
            window: part.window,
            source: part.source,
            limitations: part.limitations,
            total_duration_us,
            total_executions,
            families_folded: part.families.folded(),
            families: part.families.parts().collect(),
            incidents: part.incidents.finish(),
            activity: part.activity.finish(),
        };
        serde_json::to_writer(&mut *out, &file)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush())
            .map_err(|source| PartError::Write { source })
    }

    /// Whether a source is a part's file, by its first bytes, compressed or not. Nothing is taken from it; of what can be read only
    /// once (standard input, a pipe) that cannot be known, and the answer is no.
    pub fn is_file(source: &Source) -> bool {
        let begins_as_part = |place: Place| -> std::io::Result<bool> {
            let mut input = Input::open(Box::new(place.reader()), Arc::new(AtomicU64::new(0)))?;
            let mut head = Vec::new();
            input.read(&mut head, HEAD_BYTES)?;
            Ok(begins_as_part(&head))
        };
        let place = source.look().ok().flatten();
        place.is_some_and(|place| begins_as_part(place).unwrap_or(false))
    }

    /// [`Part::read`] of a source.
    ///
    /// # Errors
    /// [`PartError`], all but [`PartError::Write`].
    pub fn from_source(source: Source, max_families: usize) -> Result<Self, PartError> {
        let path = source.name.clone();
        let notes = source.notes.clone();
        let input = source.open().map_err(|source| PartError::Read {
            path: path.clone(),
            source,
        })?;
        let mut part = Self::read(&path, input.bytes, max_families)?;
        let notes = notes.into_iter().map(|(code, count)| (code.to_owned(), count));
        add_counts(&mut part.limitations, notes.collect());
        Ok(part)
    }

    /// Reads what [`Part::write`] wrote, compressed or not, and checks it. `path` is how the user named it; `max_families` as in
    /// [`crate::Options`].
    ///
    /// # Errors
    /// [`PartError`], all but [`PartError::Write`].
    pub fn read(path: &str, input: Box<dyn Read + Send>, max_families: usize) -> Result<Self, PartError> {
        let failed = |source| PartError::Read {
            path: path.to_owned(),
            source,
        };
        let mut opened = Input::open(input, Arc::new(AtomicU64::new(0))).map_err(failed)?;
        let mut bytes = Vec::new();
        let limit = usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX);
        opened.read(&mut bytes, limit).map_err(failed)?;
        if bytes.len() >= limit {
            return Err(PartError::TooLong { path: path.to_owned() });
        }
        let broken_json = |source| PartError::Json {
            path: path.to_owned(),
            source,
        };
        let head: Head = serde_json::from_slice(&bytes).map_err(broken_json)?;
        let check = Check { path };
        check.that(head.format == PART_FORMAT, "format", "is not that of an evidence file")?;
        if head.version != PART_VERSION {
            return Err(PartError::Version {
                path: path.to_owned(),
                version: head.version,
            });
        }
        let file: PartFile = serde_json::from_slice(&bytes).map_err(broken_json)?;
        drop(bytes);
        check.file(&file)?;
        let mut families = Families::new(max_families);
        for part in file.families {
            let family = family_of(&part);
            families.insert(part, family);
        }
        families.set_totals(file.total_duration_us, file.total_executions, file.families_folded);
        Ok(Self {
            window: file.window,
            source: file.source,
            limitations: file.limitations,
            families,
            incidents: Incidents::from_lists(file.incidents),
            activity: Activity::from_lists(file.activity),
            exports: file.exports,
        })
    }
}

/// Whether bytes begin as a part's file does.
pub(crate) fn begins_as_part(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let rest = bytes.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let rest = rest
        .and_then(|rest| rest.strip_prefix(b"\"format\""))
        .map(<[u8]>::trim_ascii_start);
    let rest = rest
        .and_then(|rest| rest.strip_prefix(b":"))
        .map(<[u8]>::trim_ascii_start);
    rest.and_then(|rest| rest.strip_prefix(b"\""))
        .is_some_and(|rest| rest.starts_with(PART_FORMAT.as_bytes()))
}

/// Adds up counts by key.
pub(crate) fn add_counts(into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>) {
    for (key, count) in from {
        let known = into.entry(key).or_default();
        *known = known.saturating_add(count);
    }
}

fn family_of(part: &FamilyPart) -> Family {
    Family {
        key: hex_of(&part.id, "qf_").unwrap_or(0),
        statement: part.statement.clone(),
        kind: part.kind,
        dimensions: Arc::new(part.dimensions.clone()),
    }
}

/// The number in an id with this prefix.
fn hex_of(id: &str, prefix: &str) -> Option<u64> {
    let digits = id.strip_prefix(prefix)?;
    let well_formed = digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    well_formed.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

fn ids<G: Group>(groups: &[G]) -> Vec<&str> {
    groups.iter().map(Group::id).collect()
}

/// The rules of a part's file.
struct Check<'p> {
    path: &'p str,
}

impl Check<'_> {
    fn that(&self, holds: bool, field: &str, why: &str) -> Result<(), PartError> {
        if holds {
            return Ok(());
        }
        Err(PartError::Broken {
            path: self.path.to_owned(),
            field: crate::bytes::escaped(field.as_bytes(), 80),
            why: why.to_owned(),
        })
    }

    fn file(&self, file: &PartFile) -> Result<(), PartError> {
        let window = file.window.is_none_or(|window| window.since_us <= window.until_us);
        self.that(window, "window", "ends before it begins")?;
        self.source(&file.source)?;
        self.exports(&file.exports)?;
        let dropped = file.incidents.dropped.keys().chain(file.activity.dropped.keys());
        for code in file.limitations.keys().chain(dropped) {
            self.that(
                limitations::is_known(code),
                "limitations",
                "has a code that does not exist",
            )?;
        }
        self.that(file.families.len() <= MAX_ITEMS, "families", "is too long")?;
        let mut ids = BTreeSet::new();
        let (mut duration_us, mut executions) = (0u64, 0u64);
        for (index, family) in file.families.iter().enumerate() {
            let is_removed = family.statement == REDACTED && file.source.redacted.contains(&TextClass::StatementText);
            self.family(family, is_removed, &format!("families[{index}]"))?;
            let is_new = ids.insert(family.id.as_str());
            self.that(is_new, &format!("families[{index}].id"), "was there before")?;
            duration_us = duration_us.saturating_add(family.total_duration_us);
            executions = executions.saturating_add(family.execution_count);
        }
        let lists_all = file.families_folded == 0 && file.families.iter().all(|family| !family.incomplete);
        let adds_up = |sum: u64, total: u64| if lists_all { sum == total } else { sum <= total };
        self.that(
            adds_up(duration_us, file.total_duration_us),
            "total_duration_us",
            "is not what its families add up to",
        )?;
        self.that(
            adds_up(executions, file.total_executions),
            "total_executions",
            "is not what its families add up to",
        )?;
        self.activity(&file.activity)?;
        self.incidents(&file.incidents)
    }

    fn exports(&self, exports: &[Export]) -> Result<(), PartError> {
        self.that(exports.len() <= MAX_ITEMS, "exports", "is too long")?;
        let is_id = |id: &str| {
            let digits = id.strip_prefix("ex_").unwrap_or_default();
            digits.len() == 26 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z'))
        };
        let ids = exports.iter().all(|export| is_id(&export.id));
        self.that(ids, "exports", "has an id that is none")
    }

    fn source(&self, source: &SourceSummary) -> Result<(), PartError> {
        self.that(source.files.len() <= MAX_ITEMS, "source.files", "is too long")?;
        let mut beginnings = source.files.iter().filter_map(|file| file.beginning.as_ref());
        let are_digests = beginnings.all(|text| beginning::is_digest(text));
        self.that(are_digests, "source.files", "has a beginning that is none")?;
        let mut windows = source.files.iter().filter_map(|file| file.window);
        let are_windows = windows.all(|window| window.since_us <= window.until_us);
        self.that(are_windows, "source.files", "has a window that ends before it begins")?;
        let jumps = source.clock_jumps.len().max(source.gaps.len());
        self.that(jumps <= MAX_JUMPS, "source.clock_jumps", "or gaps is too long")?;
        let counted = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
        self.that(
            counted(&mut source.entries_by_kind.values().copied()) == source.entries_scanned,
            "source.entries_by_kind",
            "does not add up to `entries_scanned`",
        )?;
        self.that(
            counted(&mut source.unparsed.values().map(|pieces| pieces.count)) == source.entries_unparsed,
            "source.unparsed",
            "does not add up to `entries_unparsed`",
        )?;
        let is_shape =
            |shape: &str| shape.len() <= MAX_SHAPE_BYTES && shape.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let samples_fit = source.unparsed.values().all(|pieces| {
            pieces.samples.len() <= MAX_UNPARSED_SAMPLES && pieces.samples.iter().all(|sample| is_shape(&sample.shape))
        });
        self.that(samples_fit, "source.unparsed", "has a sample that is none, or too many")
    }

    fn family(&self, family: &FamilyPart, is_removed: bool, field: &str) -> Result<(), PartError> {
        let named = |name: &str| format!("{field}.{name}");
        self.dimensions(&family.dimensions, field)?;
        let was_cut = family.statement.len() > MAX_STATEMENT_BYTES && family.statement.ends_with('…');
        if was_cut || is_removed {
            self.that(hex_of(&family.id, "qf_").is_some(), &named("id"), "is none of a family")?;
            self.that(
                family.statement.len() <= MAX_STATEMENT_BYTES + '…'.len_utf8(),
                &named("statement"),
                "is too long",
            )?;
        } else {
            let normal = normalise(family.statement.as_bytes());
            let is_normal = normal.statement == family.statement && normal.kind == family.kind;
            self.that(is_normal, &named("statement"), "is not in normal form")?;
            let id = query_family_id(&family.statement, &family.dimensions);
            self.that(id == family.id, &named("id"), "is not that of its statement and names")?;
        }
        let query_ids = family.query_ids.len() <= MAX_QUERY_IDS_COUNTED
            && family
                .query_ids
                .iter()
                .all(|(id, _)| id.parse::<i64>().is_ok_and(|id| id != 0));
        self.that(query_ids, &named("query_ids"), "has one that is none, or too many")?;
        let sample_bytes = family.sample.as_ref().map_or(0, |sample| {
            let parameters = sample.parameters.iter().flatten().map(String::len);
            sample.statement.len() + parameters.sum::<usize>()
        });
        self.that(sample_bytes <= 2 * MAX_SAMPLE_BYTES, &named("sample"), "is too long")?;
        self.that(
            family.seen.is_none_or(|(first, last)| first <= last),
            &named("seen"),
            "ends before it begins",
        )?;
        self.durations(family, &named("durations"))
    }

    fn durations(&self, family: &FamilyPart, field: &str) -> Result<(), PartError> {
        let counted = || family.durations.iter().map(|(_, times)| u64::from(*times));
        let saturated = family.durations.iter().any(|(_, times)| *times == u32::MAX);
        let adds_up = saturated || counted().sum::<u64>() == family.execution_count;
        self.that(adds_up, field, "does not count as many as `execution_count`")?;
        if family.durations_exact {
            let few = family.durations.len() <= FEW && counted().all(|times| times == 1);
            self.that(few, field, "has more than are kept one by one")?;
            let sum = family
                .durations
                .iter()
                .fold(0u64, |sum, (us, _)| sum.saturating_add(*us));
            self.that(
                sum == family.total_duration_us,
                field,
                "does not add up to `total_duration_us`",
            )?;
        } else {
            let ascends = family
                .durations
                .windows(2)
                .all(|pair| matches!(pair, [(one, _), (other, _)] if one < other));
            self.that(ascends && family.durations.len() <= MAX_ITEMS, field, "is not in order")?;
        }
        let largest = family.durations.last().map_or(0, |(us, _)| *us);
        self.that(
            largest <= family.max_duration_us,
            field,
            "is longer than `max_duration_us`",
        )
    }

    fn incidents(&self, lists: &IncidentLists) -> Result<(), PartError> {
        let lengths = [
            lists.lock_waits.len(),
            lists.deadlocks.len(),
            lists.errors.len(),
            lists.temp_files.len(),
        ];
        self.that(lengths.iter().all(|len| *len <= MAX_ITEMS), "incidents", "is too long")?;
        let families = lists.lock_waits.iter().filter_map(|wait| wait.family.as_ref());
        let families = families.chain(lists.temp_files.iter().filter_map(|group| group.family.as_ref()));
        let edges = lists.deadlocks.iter().flat_map(|deadlock| &deadlock.edges);
        for id in families.chain(edges.filter_map(|edge| edge.family.as_ref())) {
            self.that(
                hex_of(id, "qf_").is_some(),
                "incidents",
                "refers to a family by what is no id",
            )?;
        }
        for class in &lists.errors {
            self.that(
                hex_of(&class.id, "ec_").is_some(),
                "incidents.errors",
                "has an id that is none",
            )?;
            self.dimensions(&class.dimensions, "incidents.errors")?;
        }
        for group in &lists.temp_files {
            self.that(
                hex_of(&group.id, "tf_").is_some(),
                "incidents.temp_files",
                "has an id that is none",
            )?;
            self.dimensions(&group.dimensions, "incidents.temp_files")?;
        }
        Ok(())
    }

    fn activity(&self, lists: &ActivityLists) -> Result<(), PartError> {
        self.that(
            lists.checkpoints.longest.len() <= MAX_CHECKPOINTS,
            "activity.checkpoints",
            "is too long",
        )?;
        let ids = [
            ("maintenance", "mt_", ids(&lists.maintenance)),
            ("connections", "cn_", ids(&lists.connections)),
            ("clients", "ch_", ids(&lists.clients)),
            ("cancellations", "ca_", ids(&lists.cancellations)),
            ("plans", "pl_", ids(&lists.plans)),
        ];
        for (list, prefix, ids) in ids {
            let field = format!("activity.{list}");
            self.that(ids.len() <= MAX_ITEMS, &field, "is too long")?;
            let well_formed = ids.iter().all(|id| hex_of(id, prefix).is_some());
            self.that(well_formed, &field, "has an id that is none")?;
        }
        let dimensions = lists.connections.iter().map(|group| &group.dimensions);
        for dimensions in dimensions.chain(lists.cancellations.iter().map(|group| &group.dimensions)) {
            self.dimensions(dimensions, "activity")?;
        }
        let families = lists.cancellations.iter().filter_map(|group| group.family.as_deref());
        for id in families.chain(lists.plans.iter().map(|group| group.family.as_str())) {
            let is_id = hex_of(id, "qf_").is_some();
            self.that(is_id, "activity", "refers to a family by what is no id")?;
        }
        for group in &lists.plans {
            let nodes = &group.slowest.nodes;
            let is_tree = (0..).zip(nodes).all(|(position, node)| match node.parent {
                Some(parent) => parent < position,
                None => position == 0,
            });
            let is_plan = is_tree && nodes.len() <= MAX_PLAN_NODES;
            self.that(is_plan, "activity.plans", "has a plan that is no tree, or too large")?;
        }
        Ok(())
    }

    fn dimensions(&self, dimensions: &Dimensions, field: &str) -> Result<(), PartError> {
        let names = crate::normalise::names(dimensions);
        let short = names
            .iter()
            .flatten()
            .all(|name| name.len() <= MAX_NAME_BYTES && !name.is_empty());
        self.that(
            short,
            &format!("{field}.dimensions"),
            "has a name that is empty or too long",
        )
    }
}

#[cfg(test)]
mod tests;
