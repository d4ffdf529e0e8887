//! The order in which the files of one folder are read, and which of them are one log.
//!
//! **In**: sources. **Out**: the same, by folder in order of their first entries, each with the number of its stream ([`plan`]),
//! without those that would tell the same entries a second time. **Trusted**: names and the beginnings and ends of files, for
//! this only: whatever they say, each file is read at most once. **Can fail**: nothing; a file that cannot be looked at keeps
//! its place, and reading it says why.
//!
//! A log directory holds: a file per day or hour, the older ones compressed, perhaps numbered by logrotate; the same stem with
//! `.log`, `.csv` and `.json` when the collector writes several destinations; links to the newest file; `current_logfiles`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sha2::{Digest, Sha256};

use super::{Input, Source};
use crate::bytes::{from, line_end, up_to};
use crate::evidence::Format;
use crate::prefix::Prefix;
use crate::reader::opening::{self, Opened, Opening};

/// How much of the end of a file is searched for its last entry.
const TAIL_BYTES: u64 = 64 * 1024;
/// Files that begin with the same bytes are copies; what is shorter is one only if it has the same name, too.
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
    first_us: Option<i64>,
    /// None for a file that would have to be decompressed to its end.
    last_us: Option<i64>,
    beginning: [u8; 32],
    beginning_bytes: usize,
    compressed: bool,
}

/// Orders the sources folder by folder. Files named one by one count as their folder's.
pub(crate) fn plan(sources: Vec<Source>, prefix: Option<&Prefix>) -> Plan {
    let mut folders: Vec<(String, Vec<Source>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources {
        let folder = Name::of(&source.name).folder.to_owned();
        let place = *places.entry(folder.clone()).or_insert(folders.len());
        match folders.get_mut(place) {
            Some((_, sources)) => sources.push(source),
            None => folders.push((folder, vec![source])),
        }
    }
    let mut plan = Plan {
        sources: Vec::new(),
        limitations: Vec::new(),
    };
    let mut streams = Streams::default();
    for (_, mut sources) in folders {
        if sources.len() < 2 {
            plan.sources.append(&mut sources);
            continue;
        }
        let mut files: Vec<(Source, Option<Seen>)> = sources
            .into_iter()
            .filter(|source| !(source.is_found && Name::of(&source.name).file == "current_logfiles"))
            .map(|mut source| {
                let seen = source.look(|file| Seen::of(file, prefix)).flatten();
                (source, seen)
            })
            .collect();
        set_aside(&mut files, "duplicate_file", is_copy, &mut plan.limitations);
        set_aside(&mut files, "duplicate_destination", tells_less, &mut plan.limitations);
        // Files that could not be looked at keep their order, before the others.
        files.sort_by(|(one, one_seen), (other, other_seen)| {
            let first = |seen: &Option<Seen>| seen.as_ref().and_then(|seen| seen.first_us);
            (first(one_seen), &one.name).cmp(&(first(other_seen), &other.name))
        });
        streams.forget();
        for (mut source, seen) in files {
            source.stream = seen.map(|seen| streams.of(&source.name, &seen));
            plan.sources.push(source);
        }
    }
    plan
}

/// Drops each file for which another one of the folder stands.
fn set_aside(
    files: &mut Vec<(Source, Option<Seen>)>,
    code: &'static str,
    stands_for: impl Fn(&(Name<'_>, &Seen), &(Name<'_>, &Seen)) -> bool,
    limitations: &mut Vec<(&'static str, u64)>,
) {
    let known: Vec<Option<(Name<'_>, &Seen)>> = files
        .iter()
        .map(|(source, seen)| seen.as_ref().map(|seen| (Name::of(&source.name), seen)))
        .collect();
    let mut keep = vec![true; files.len()];
    for (place, file) in known.iter().enumerate() {
        let Some(file) = file else { continue };
        // The relation is an order, so what another one stands for stands for nothing else.
        let others = known.iter().flatten();
        if others
            .filter(|other| other.0 != file.0)
            .any(|other| stands_for(other, file))
        {
            if let Some(keep) = keep.get_mut(place) {
                *keep = false;
            }
            limitations.push((code, 1));
        }
    }
    let mut keep = keep.into_iter();
    files.retain(|_| keep.next().unwrap_or(true));
}

/// `file` begins with the same bytes as `other`, which is as long at least: a link, or a file that was compressed and kept.
fn is_copy(other: &(Name<'_>, &Seen), file: &(Name<'_>, &Seen)) -> bool {
    let (other_name, other) = other;
    let (file_name, file) = file;
    let rank = |name: &Name<'_>, seen: &Seen| (!seen.compressed, seen.last_us, std::cmp::Reverse(name.file.to_owned()));
    other.beginning == file.beginning
        && file.first_us.is_some()
        && (file.beginning_bytes >= COPY_BYTES || file_name.stem() == other_name.stem())
        && rank(other_name, other) > rank(file_name, file)
}

/// `file` is another destination of what `other` tells with more facts.
fn tells_less(other: &(Name<'_>, &Seen), file: &(Name<'_>, &Seen)) -> bool {
    let facts = |seen: &Seen| match seen.format {
        Format::Stderr => 0,
        Format::Csv => 1,
        Format::Json => 2,
    };
    let (other_name, other) = other;
    let (file_name, file) = file;
    facts(other) > facts(file) && other_name.stem() == file_name.stem() && same_time(other, file)
}

/// Whether two files are about the same time, as far as is known. The collector's stderr file holds some first lines even where
/// all else goes elsewhere: these are before what the other file tells.
fn same_time(one: &Seen, other: &Seen) -> bool {
    let (Some(one_first), Some(other_first)) = (one.first_us, other.first_us) else {
        return true;
    };
    let (Some(one_last), Some(other_last)) = (one.last_us, other.last_us) else {
        return one_first.abs_diff(other_first) < MAX_ROTATION_US.unsigned_abs();
    };
    let common = one_last.min(other_last).saturating_sub(one_first.max(other_first));
    let shorter = one_last
        .saturating_sub(one_first)
        .min(other_last.saturating_sub(other_first));
    common >= 0 && common.saturating_mul(2) >= shorter
}

impl Seen {
    fn of(mut file: File, prefix: Option<&Prefix>) -> Option<Self> {
        let start = file.stream_position().ok()?;
        let input = Input::open(Box::new(file.try_clone().ok()?), Arc::new(AtomicU64::new(0))).ok()?;
        let Ok(Opening::Log(opened)) = opening::open(input, prefix, "", true) else {
            return None;
        };
        let compressed = opened.input.compression.is_some();
        let beginning = up_to(&opened.sample, COPY_BYTES);
        let is_plain = !compressed && opened.input.envelopes().is_empty();
        Some(Self {
            format: opened.layout.format(),
            first_us: opened.first_us(),
            last_us: is_plain.then(|| last_us(&mut file, start, &opened)).flatten(),
            beginning: Sha256::digest(beginning).into(),
            beginning_bytes: beginning.len(),
            compressed,
        })
    }
}

/// The instant of the last entry of a file that is stored as it was written.
fn last_us(file: &mut File, start: u64, opened: &Opened) -> Option<i64> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let from_us = end.saturating_sub(TAIL_BYTES).max(start);
    file.seek(SeekFrom::Start(from_us)).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail).ok()?;
    let whole = if from_us > start { line_end(&tail, 0) + 1 } else { 0 };
    opening::instants(&opened.layout, from(&tail, whole)).map(|(_, last)| last)
}

/// A file's name in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name<'n> {
    folder: &'n str,
    file: &'n str,
}

impl<'n> Name<'n> {
    fn of(path: &'n str) -> Self {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        Self { folder, file }
    }

    /// What the destinations of one rotation have in common: `pg.log.1.gz` and `pg.csv.1` give `pg` and `1`.
    fn stem(self) -> (&'n str, &'n str) {
        let mut name = self.file;
        for compression in [".gz", ".zst", ".xz", ".bz2", ".lz4", ".Z"] {
            name = name.strip_suffix(compression).unwrap_or(name);
        }
        // `.1` and `-20261123` are logrotate's.
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (before, rotation) = name.split_at_checked(name.len() - digits).unwrap_or((name, ""));
        let with_destination = before.strip_suffix(['.', '-']).unwrap_or(before);
        for destination in [".log", ".csv", ".json"] {
            if let Some(stem) = with_destination.strip_suffix(destination) {
                return (stem, rotation);
            }
        }
        (name, "")
    }

    /// The words of a name without what changes from one rotation to the next.
    fn words(self) -> String {
        const CHANGING: [&str; 19] = [
            "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
            "sep", "oct", "nov", "dec",
        ];
        let stem = self.stem().0.to_lowercase();
        let words = stem.split(|c: char| !c.is_alphabetic());
        let words = words.filter(|word| !word.is_empty() && !CHANGING.contains(word));
        words.collect::<Vec<_>>().join("-")
    }
}

/// A stream's number, and the last entry of the file that was last.
type OpenStream = (usize, Option<i64>);

/// The streams of one folder.
#[derive(Debug, Default)]
struct Streams {
    count: usize,
    /// By format and words of the name.
    open: BTreeMap<(Format, String), Vec<OpenStream>>,
}

impl Streams {
    fn forget(&mut self) {
        self.open.clear();
    }

    /// The stream that a file goes on with: the first one that is not still going on when the file begins.
    fn of(&mut self, path: &str, seen: &Seen) -> usize {
        let words = Name::of(path).words();
        let open = self.open.entry((seen.format, words)).or_default();
        let is_over = |last_us: Option<i64>| match (last_us, seen.first_us) {
            (Some(last_us), Some(first_us)) => last_us.saturating_sub(first_us) <= MAX_DISORDER_US,
            _ => true,
        };
        if let Some(stream) = open.iter_mut().find(|stream| is_over(stream.1)) {
            stream.1 = seen.last_us;
            return stream.0;
        }
        let stream = self.count;
        self.count += 1;
        open.push((stream, seen.last_us));
        stream
    }
}

/// The members of an archive so far. They come in the archive's order, whatever their time.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// The format in which each stem was told first, and since when.
    told: BTreeMap<(String, String, String), (Format, Option<i64>)>,
    /// The number of a stream and the beginning of its last file.
    streams: BTreeMap<(String, Format, String), (usize, Option<i64>)>,
}

impl Members {
    /// The stream that a member goes on with, which is `fresh` if it goes on with none; none if another destination told it.
    pub(crate) fn stream(&mut self, path: &str, opened: &Opened, fresh: usize) -> Option<usize> {
        let name = Name::of(path);
        let (stem, rotation) = name.stem();
        let (format, first_us) = (opened.layout.format(), opened.first_us());
        let key = (name.folder.to_owned(), stem.to_owned(), rotation.to_owned());
        let told = *self.told.entry(key).or_insert((format, first_us));
        let near = match (told.1, first_us) {
            (Some(one), Some(other)) => one.abs_diff(other) < MAX_ROTATION_US.unsigned_abs(),
            _ => true,
        };
        if told.0 != format && near {
            return None;
        }
        let key = (name.folder.to_owned(), format, name.words());
        let stream = self.streams.entry(key).or_insert((fresh, first_us));
        if stream.1 > first_us {
            // Not in order of time: what was open in the file before is not open here.
            stream.0 = fresh;
        }
        stream.1 = first_us;
        Some(stream.0)
    }
}

#[cfg(test)]
mod tests;
