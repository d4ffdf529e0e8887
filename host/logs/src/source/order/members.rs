//! The members of an archive that is read as it comes: which of them tell what others told, and which go on with each other.
//!
//! What comes later in the archive is not known yet, so the first one that tells something is read, and what begins before a
//! file that came before it goes on with none.

use std::collections::{BTreeMap, BTreeSet};

use super::{Name, Streams, Time, same_time};
use crate::evidence::Format;
use crate::reader::opening::Survey;

/// The members so far.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// What was named.
    root: String,
    /// By folder, stem and rotation: what told it.
    told: BTreeMap<[String; 3], Vec<(Format, Time)>>,
    beginnings: BTreeSet<(Format, String)>,
    streams: Streams,
    /// The number of the archive's first stream.
    first_stream: usize,
    current: Option<[String; 3]>,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberIs {
    /// The next of the stream with this number.
    Next {
        /// Which one.
        stream: usize,
        /// No file that came before begins later.
        in_order: bool,
    },
    /// Told already; the limitation that says so.
    Told(&'static str),
}

impl Members {
    pub(crate) fn new(archive: &str, first_stream: usize) -> Self {
        Self {
            root: format!("{archive}!"),
            first_stream,
            ..Self::default()
        }
    }

    /// What the next member is.
    pub(crate) fn next(&mut self, path: &str, format: Format, survey: &Survey) -> MemberIs {
        let name = Name::below(&self.root, path);
        let time = Time {
            first_us: survey.ends.map(|ends| ends.0),
            last_us: None,
        };
        if let Some(beginning) = &survey.beginning
            && !self.beginnings.insert((format, beginning.clone()))
        {
            return MemberIs::Told("duplicate_file");
        }
        let (stem, rotation) = name.stem();
        let key = [name.folder, stem, rotation].map(str::to_owned);
        let told = self.told.entry(key.clone()).or_default();
        if told
            .iter()
            .any(|(other, known)| *other != format && same_time(*known, time))
        {
            return MemberIs::Told("duplicate_destination");
        }
        told.push((format, time));
        self.current = Some(key);
        let (stream, in_order) = self.streams.of(name, format, time);
        MemberIs::Next {
            stream: self.first_stream.saturating_add(stream),
            in_order,
        }
    }

    /// The member was read; the instant of its last entry.
    pub(crate) fn ended(&mut self, stream: usize, last_us: Option<i64>) {
        let told = self.current.take().and_then(|key| self.told.get_mut(&key));
        if let Some((_, time)) = told.and_then(|told| told.last_mut()) {
            time.last_us = last_us;
        }
        let mut open = self.streams.open.values_mut().flatten();
        if let Some(open) = open.find(|open| self.first_stream.saturating_add(open.number) == stream) {
            open.file.last_us = last_us;
        }
    }
}
