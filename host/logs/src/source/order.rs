//! The order in which the files of one folder or archive are read, and which of them are one log.
//!
//! **In**: sources. **Out**: the same, by folder in order of their first entries, each with the number of its stream ([`plan`]),
//! without those that would tell the same entries a second time. **Trusted**: names and the beginnings and ends of files, for
//! this only: whatever they say, each file is read at most once. **Can fail**: a file of a folder that may not be read.
//!
//! A log directory holds: a file per day or hour, the older ones compressed, perhaps numbered by logrotate; the same stem with
//! `.log`, `.csv` and `.json` when the collector writes several destinations; links to the newest file; `current_logfiles`; an
//! `archive`. Exports hold a folder for each day, or for each pod.

mod members;
mod name;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sha2::{Digest, Sha256};

use super::place::Place;
use super::{Input, Source};
use crate::bytes::{from, line_end, up_to};
use crate::error::LogError;
use crate::evidence::Format;
use crate::prefix::Prefix;
use crate::reader::opening::{self, Opened, Opening};
pub(crate) use members::{MemberIs, Members};
use name::Name;

/// How much of the end of a file is searched for its last entry.
pub(crate) const TAIL_BYTES: usize = 64 * 1024;
/// Files of one stem whose first bytes are the same are copies, even if there is too little in them to tell a log by.
const COPY_BYTES: usize = 2 * 1024;
/// Entries of two files of one log may be this much out of order.
const MAX_DISORDER_US: i64 = 60 * 1_000_000;
/// Files of one name that begin further apart are not of one rotation.
const MAX_ROTATION_US: i64 = 24 * 3_600 * 1_000_000;

/// Sources in the order to be read.
pub(crate) struct Plan {
    pub(crate) sources: Vec<Source>,
    /// What was set aside, and why.
    pub(crate) limitations: Vec<(&'static str, u64)>,
}

/// What a look at a file told.
#[derive(Debug, Clone)]
struct Seen {
    format: Format,
    time: Time,
    beginning: Option<String>,
    first_bytes: [u8; 32],
    compressed: bool,
    /// Stored as it was written.
    is_plain: bool,
}

/// The instants of the first and the last entry of a file, as far as they are known. The last one is not where the file would have
/// to be decompressed to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) first_us: Option<i64>,
    pub(crate) last_us: Option<i64>,
}

/// A source, and what a look at it told.
type Looked = (Source, Option<Seen>);

/// Orders the sources folder by folder. Files named one by one count as their folder's.
pub(crate) fn plan(sources: Vec<Source>, prefix: Option<&Prefix>) -> Result<Plan, LogError> {
    let mut plan = Plan {
        sources: Vec::new(),
        limitations: Vec::new(),
    };
    let mut streams = Streams::default();
    for mut sources in by_root(sources, &mut plan.limitations) {
        if sources.len() < 2 {
            plan.sources.append(&mut sources);
            continue;
        }
        let mut files = Vec::new();
        for source in sources {
            if source.is_found && Name::of(&source).file == "current_logfiles" {
                continue;
            }
            let seen = look(&source, prefix)?;
            files.push((source, seen));
        }
        let told = &mut plan.limitations;
        set_aside(&mut files, "duplicate_file", by_beginning, is_copy, told);
        set_aside(&mut files, "duplicate_destination", by_stem, tells_less, told);
        // Files that could not be looked at keep their order, before the others.
        files.sort_by(|(one, one_seen), (other, other_seen)| {
            let first = |seen: &Option<Seen>| seen.as_ref().and_then(|seen| seen.time.first_us);
            (first(one_seen), &one.name).cmp(&(first(other_seen), &other.name))
        });
        streams.forget();
        for (mut source, seen) in files {
            source.stream = seen.map(|seen| streams.of(Name::of(&source), seen.format, seen.time).0);
            plan.sources.push(source);
        }
    }
    Ok(plan)
}

/// The sources by what was named, without those that are a file which another of them is already.
fn by_root(sources: Vec<Source>, limitations: &mut Vec<(&'static str, u64)>) -> Vec<Vec<Source>> {
    let mut roots: Vec<Vec<Source>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    // What a link leads to goes before the link: its name says more.
    let files: BTreeSet<_> = sources
        .iter()
        .filter(|source| !source.is_link)
        .filter_map(|source| source.id)
        .collect();
    let mut taken = BTreeSet::new();
    for mut source in sources {
        limitations.append(&mut source.notes);
        if let Some(id) = source.id
            && ((source.is_link && files.contains(&id)) || !taken.insert(id))
        {
            limitations.push(("duplicate_file", 1));
            continue;
        }
        let place = *places.entry(source.root.clone()).or_insert(roots.len());
        match roots.get_mut(place) {
            Some(sources) => sources.push(source),
            None => roots.push(vec![source]),
        }
    }
    roots
}

/// What a look at the file tells; none if it is no log, or none that can be looked at.
fn look(source: &Source, prefix: Option<&Prefix>) -> Result<Option<Seen>, LogError> {
    match source.look() {
        Ok(place) => Ok(place.and_then(|place| Seen::of(&place, prefix, !source.is_member))),
        // Better now than after all the others were read.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(LogError::Unreadable {
            folder: source.root.clone(),
            path: source.name.clone(),
            source: error,
        }),
        Err(_) => Ok(None),
    }
}

/// A file that was looked at.
struct Known<'f> {
    /// Among the others.
    place: usize,
    source: &'f Source,
    name: Name<'f>,
    seen: &'f Seen,
}

/// Drops each file for which another one stands, of those that `alike` gives the same key.
fn set_aside(
    files: &mut Vec<Looked>,
    code: &'static str,
    alike: impl Fn(&Known<'_>) -> Vec<u8>,
    stands_for: impl Fn(&Known<'_>, &Known<'_>) -> bool,
    limitations: &mut Vec<(&'static str, u64)>,
) {
    let mut groups: BTreeMap<Vec<u8>, Vec<Known<'_>>> = BTreeMap::new();
    for (place, (source, seen)) in files.iter().enumerate() {
        let Some(seen) = seen else { continue };
        let name = Name::of(source);
        let known = Known {
            place,
            source,
            name,
            seen,
        };
        groups.entry(alike(&known)).or_default().push(known);
    }
    let mut dropped = BTreeSet::new();
    for group in groups.values().filter(|group| group.len() > 1) {
        // The relation is an order, so what another one stands for stands for nothing else.
        let is_dropped = |file: &&Known<'_>| {
            let mut others = group.iter().filter(|other| other.place != file.place);
            others.any(|other| stands_for(other, file))
        };
        dropped.extend(group.iter().filter(is_dropped).map(|file| file.place));
    }
    limitations.extend(dropped.iter().map(|_| (code, 1)));
    let mut place = 0..;
    files.retain(|_| place.next().is_none_or(|place| !dropped.contains(&place)));
}

/// The same for files that begin alike: as logs, or, where there is too little of a log to tell, byte by byte and with one stem.
fn by_beginning(file: &Known<'_>) -> Vec<u8> {
    match &file.seen.beginning {
        Some(beginning) => format!("{:?} {beginning}", file.seen.format).into_bytes(),
        None => {
            let mut key = by_stem(file);
            key.extend_from_slice(&file.seen.first_bytes);
            key
        }
    }
}

/// The same for the destinations of one rotation.
fn by_stem(file: &Known<'_>) -> Vec<u8> {
    let (stem, rotation) = file.name.stem();
    [file.name.folder, stem, rotation].join("\0").into_bytes()
}

/// `file` is a copy of `other`, which is as long at least: one that was compressed and kept, or copied. Where a log was copied and
/// both went on (a data directory, taken over to another server), neither is.
fn is_copy(other: &Known<'_>, file: &Known<'_>) -> bool {
    let rank = |known: &Known<'_>| {
        let name = (known.name.folder.to_owned(), known.name.file.to_owned());
        (
            !known.seen.compressed,
            known.seen.time.last_us,
            std::cmp::Reverse(name),
            known.place,
        )
    };
    file.seen.time.first_us.is_some() && rank(other) > rank(file) && ends_in(other, file).unwrap_or(true)
}

/// Whether the end of `file` stands in `other` at the same place; none if that cannot be seen.
fn ends_in(other: &Known<'_>, file: &Known<'_>) -> Option<bool> {
    if !(file.seen.is_plain && other.seen.is_plain) {
        return None;
    }
    let (file, other) = (file.source.look().ok()??, other.source.look().ok()??);
    let start = file.len().ok()?.saturating_sub(COPY_BYTES as u64);
    let end = file.bytes(start, COPY_BYTES).ok()?;
    Some(other.bytes(start, end.len()).ok()? == end)
}

/// `file` is another destination of what `other` tells with more facts.
fn tells_less(other: &Known<'_>, file: &Known<'_>) -> bool {
    let facts = |known: &Known<'_>| match known.seen.format {
        Format::Stderr => 0,
        Format::Csv => 1,
        Format::Json => 2,
    };
    facts(other) > facts(file) && same_time(other.seen.time, file.seen.time)
}

/// Whether two files are about the same time, as far as is known. The collector's stderr file holds some first lines even where
/// all else goes elsewhere: these are before what the other file tells.
fn same_time(one: Time, other: Time) -> bool {
    let (Some(one_first), Some(other_first)) = (one.first_us, other.first_us) else {
        return true;
    };
    let is_over = |last_us: Option<i64>, next_us: i64| last_us.is_some_and(|last_us| last_us < next_us);
    if is_over(one.last_us, other_first) || is_over(other.last_us, one_first) {
        return false;
    }
    let (Some(one_last), Some(other_last)) = (one.last_us, other.last_us) else {
        return one_first.abs_diff(other_first) < MAX_ROTATION_US.unsigned_abs();
    };
    let common = one_last.min(other_last).saturating_sub(one_first.max(other_first));
    let shorter = one_last
        .saturating_sub(one_first)
        .min(other_last.saturating_sub(other_first));
    common.saturating_mul(2) >= shorter
}

impl Seen {
    fn of(place: &Place, prefix: Option<&Prefix>, archives: bool) -> Option<Self> {
        let input = Input::open(Box::new(place.reader()), Arc::new(AtomicU64::new(0))).ok()?;
        let Ok(Opening::Log(opened)) = opening::open(input, prefix, "", archives) else {
            return None;
        };
        let compressed = opened.input.compression.is_some();
        let survey = opened.survey();
        let is_plain = !compressed && opened.input.envelopes().is_empty();
        Some(Self {
            format: opened.layout.format(),
            time: Time {
                first_us: survey.ends.map(|ends| ends.0),
                last_us: is_plain.then(|| last_us(place, &opened)).flatten(),
            },
            beginning: survey.beginning,
            first_bytes: Sha256::digest(up_to(&opened.sample, COPY_BYTES)).into(),
            compressed,
            is_plain,
        })
    }
}

/// The instant of the last entry of a file that is stored as it was written.
fn last_us(place: &Place, opened: &Opened) -> Option<i64> {
    let start = place.len().ok()?.saturating_sub(TAIL_BYTES as u64);
    let tail = place.bytes(start, TAIL_BYTES).ok()?;
    let whole = if start > 0 { line_end(&tail, 0) + 1 } else { 0 };
    opening::survey(&opened.layout, from(&tail, whole))
        .ends
        .map(|ends| ends.1)
}

/// A stream, and the file that was its last.
#[derive(Debug)]
struct OpenStream {
    number: usize,
    file: Time,
}

/// The streams of one folder.
#[derive(Debug, Default)]
struct Streams {
    count: usize,
    /// By format, folder and words of the name.
    open: BTreeMap<(Format, String, String), Vec<OpenStream>>,
}

impl Streams {
    fn forget(&mut self) {
        self.open.clear();
    }

    /// The stream that a file goes on with: the first one that is not still going on when the file begins. And whether the file
    /// comes in the order of time.
    fn of(&mut self, name: Name<'_>, format: Format, file: Time) -> (usize, bool) {
        let open = self.open.entry((format, name.place(), name.words())).or_default();
        let is_over = |before: Time| match (before.last_us, file.first_us) {
            (Some(last_us), Some(first_us)) => last_us.saturating_sub(first_us) <= MAX_DISORDER_US,
            _ => before.first_us <= file.first_us,
        };
        let in_order = open.iter().all(|stream| stream.file.first_us <= file.first_us);
        if let Some(stream) = open.iter_mut().find(|stream| is_over(stream.file)) {
            stream.file = file;
            return (stream.number, in_order);
        }
        let number = self.count;
        self.count += 1;
        open.push(OpenStream { number, file });
        (number, in_order)
    }
}

#[cfg(test)]
mod tests;
