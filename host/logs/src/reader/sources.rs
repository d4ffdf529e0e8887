//! One source after the other: opened, told what it is, given its stream; an archive is the sources in it.
//!
//! An archive that can be read at any place is ordered as a folder is, and nothing in it is told twice: one that is stored plainly
//! in a file, or one that unpacked is no longer than [`MAX_ARCHIVE_BYTES`], and is taken into memory. Any other one is read as it
//! comes: to decompress it once for each file would take time without bound, and to keep it space without bound. What cannot be
//! told then is said.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use super::opening::{self, Opened, Opening, Survey};
use super::{Open, Reader};
use crate::error::{LogError, NoLog};
use crate::format::Layout;
use crate::source::order::{self, MemberIs, Members};
use crate::source::place::Place;
use crate::source::tar::{self, Archive};
use crate::source::{Input, OpenSource, Source};

/// Most files of one archive: what is told of each is kept.
const MAX_MEMBERS: usize = 20_000;
/// Longest archive that is taken into memory: what a person sends when asked for the logs of a day.
const MAX_ARCHIVE_BYTES: usize = 64 * 1024 * 1024;

/// An archive that is read as it comes, whose members are the next sources.
pub(super) struct OpenArchive {
    name: String,
    archive: Arc<Mutex<Archive>>,
    /// The file that it is read from, if it is one.
    place: Option<Place>,
    members: Members,
    count: usize,
}

impl Reader {
    /// The next member of the archive that is being read, or the next source.
    pub(super) fn next_source(&mut self) -> Result<Option<Source>, LogError> {
        let Some(open) = self.archive.as_mut() else {
            return Ok(self.sources.pop_front());
        };
        if open.count >= MAX_MEMBERS {
            self.limitation("archive_members_dropped");
            self.archive = None;
            return Ok(self.sources.pop_front());
        }
        open.count += 1;
        let member = tar::next_member(&open.archive).map_err(|source| LogError::Read {
            path: open.name.clone(),
            source,
        })?;
        if let Some(member) = member {
            let name = format!("{}!{}", open.name, member.name);
            return Ok(Some(Source::member(name, &open.name, member.bytes)));
        }
        self.close_archive();
        Ok(self.sources.pop_front())
    }

    fn close_archive(&mut self) {
        let Some(open) = self.archive.take() else { return };
        let archive = open.archive.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = archive.input_broken() {
            self.read.broken(why);
        } else if archive.broken {
            self.read.broken("truncated_archive");
        }
        if let (Some(input), Some(place)) = (archive.input(), &open.place)
            && input.was_cut(place)
        {
            self.limitation("cut_while_read");
        }
    }

    /// Ends the source that is being read.
    pub(super) fn close(&mut self) {
        let Some(open) = self.current.take() else { return };
        self.read.unparsed.extend(open.input.dropped());
        if let Some(why) = open.input.broken() {
            self.read.broken(why);
        }
        if open.place.as_ref().is_some_and(|place| open.input.was_cut(place)) {
            self.limitation("cut_while_read");
        }
        if let Some(archive) = self.archive.as_mut() {
            archive.members.ended(open.stream, open.last_us());
        }
    }

    fn limitation(&mut self, code: &'static str) {
        self.read.limitations.push((code, 1));
    }

    /// Begins a source: decompression, envelope, format and prefix. None if there is nothing to read in it.
    pub(super) fn open(&mut self, source: Source) -> Result<Option<Open>, LogError> {
        let (path, is_found, is_member, stream) =
            (source.name.clone(), source.is_found, source.is_member, source.stream);
        let failed = |source| LogError::Read {
            path: path.clone(),
            source,
        };
        let OpenSource {
            bytes,
            place,
            is_in_memory,
        } = match source.open() {
            Ok(opened) => opened,
            // Rotated or compressed since the folder was listed.
            Err(error) if is_found && error.kind() == std::io::ErrorKind::NotFound => {
                self.limitation("file_vanished");
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        if let Some(place) = place.as_ref().filter(|_| !is_member)
            && tar::is_archive_at(place).map_err(failed)?
        {
            self.expand(&path, place, false)?;
            return Ok(None);
        }
        let counter = if is_in_memory {
            Arc::new(AtomicU64::new(0))
        } else {
            Arc::clone(&self.counter)
        };
        let input = Input::open(bytes, counter).map_err(failed)?;
        let opened = match opening::open(input, self.prefix.as_ref(), &path, !is_member) {
            Ok(Opening::Log(opened)) => opened,
            Ok(Opening::Archive { input, sample }) => {
                self.open_archive(path, input, sample, place)?;
                return Ok(None);
            }
            Ok(Opening::Empty { input }) => {
                self.limitation("empty_file");
                self.read.files.push(opening::source_file(path, &input));
                if let Some(why) = input.broken() {
                    self.read.broken(why);
                }
                return Ok(None);
            }
            Err(error) => {
                let Some(reason) = no_log(&error).filter(|_| is_found) else {
                    return Err(error);
                };
                self.limitation(reason.code());
                return Ok(None);
            }
        };
        let survey = opened.survey();
        let Some(stream) = self.stream_of(stream, &path, &opened, &survey) else {
            return Ok(None);
        };
        Ok(Some(self.begin(path, stream, opened, survey, place)))
    }

    /// Enters a file into the account.
    fn begin(&mut self, path: String, stream: usize, opened: Opened, survey: Survey, place: Option<Place>) -> Open {
        let mut file = opening::source_file(path.clone(), &opened.input);
        file.format = Some(opened.layout.format());
        file.stream = Some(stream);
        file.beginning = survey.beginning;
        if let Layout::Stderr(prefix) = &opened.layout {
            file.log_line_prefix = Some(prefix.as_str().to_owned());
            let lacks = [
                ("prefix_without_time", prefix.has_time()),
                ("prefix_without_process", prefix.has_process()),
                ("prefix_without_names", prefix.has_dimensions()),
                ("prefix_begins_with_name", !prefix.begins_with_name()),
            ];
            let lacks = lacks.iter().filter(|(_, has)| !has);
            self.read.limitations.extend(lacks.map(|(code, _)| (*code, 1)));
        }
        self.read.files.push(file);
        Open {
            input: opened.input,
            place,
            path,
            stream,
            layout: Arc::new(opened.layout),
            carry: opened.sample,
            at_end: false,
            offset: opened.offset,
            dropped: 0,
            tail: self.archive.as_ref().map(|_| Vec::new()),
        }
    }

    /// The stream of a source: the one that was planned, that of an archive's members before it, or a new one; none for a member
    /// that tells what another one told.
    fn stream_of(&mut self, planned: Option<usize>, path: &str, opened: &Opened, survey: &Survey) -> Option<usize> {
        if planned.is_some() {
            return planned;
        }
        let Some(archive) = self.archive.as_mut() else {
            self.next_stream += 1;
            return Some(self.next_stream - 1);
        };
        match archive.members.next(path, opened.layout.format(), survey) {
            MemberIs::Next { stream, in_order } => {
                self.next_stream = self.next_stream.max(stream + 1);
                if !in_order {
                    self.limitation("archive_out_of_order");
                }
                Some(stream)
            }
            MemberIs::Told(code) => {
                self.limitation(code);
                None
            }
        }
    }

    /// Begins an archive that cannot be read at any place where it is. Its first bytes were read.
    fn open_archive(
        &mut self,
        name: String,
        mut input: Input,
        mut sample: Vec<u8>,
        place: Option<Place>,
    ) -> Result<(), LogError> {
        let missing = MAX_ARCHIVE_BYTES.saturating_sub(sample.len());
        let read = input.read(&mut sample, missing).map_err(|source| LogError::Read {
            path: name.clone(),
            source,
        })?;
        if read < missing {
            if let Some(why) = input.broken() {
                self.read.broken(why);
            }
            sample.shrink_to_fit();
            return self.expand(&name, &Place::of_memory(sample), input.broken().is_some());
        }
        self.archive = Some(OpenArchive {
            members: Members::new(&name, self.next_stream),
            archive: Archive::new(sample, input),
            place,
            name,
            count: 0,
        });
        Ok(())
    }

    /// Puts the files of an archive in order, as those of a folder, before the next source. `is_cut`: that it ends early was said.
    fn expand(&mut self, name: &str, place: &Place, is_cut: bool) -> Result<(), LogError> {
        let contents = tar::contents(place, MAX_MEMBERS).map_err(|source| LogError::Read {
            path: name.to_owned(),
            source,
        })?;
        if contents.has_more {
            self.limitation("archive_members_dropped");
        }
        if contents.broken && !is_cut {
            self.read.broken("truncated_archive");
        }
        let members = contents.members.into_iter();
        let sources = members.map(|(member, place)| Source::part(format!("{name}!{member}"), name, place));
        let plan = order::plan(sources.collect(), self.prefix.as_ref())?;
        self.read.limitations.extend(plan.limitations);
        let base = self.next_stream;
        for mut source in plan.sources.into_iter().rev() {
            source.stream = source.stream.map(|stream| base + stream);
            self.next_stream = self.next_stream.max(source.stream.map_or(0, |stream| stream + 1));
            self.sources.push_front(source);
        }
        Ok(())
    }
}

/// What a file is that is no log, of which nothing more has to be said where it was found among others.
fn no_log(error: &LogError) -> Option<NoLog> {
    match error {
        LogError::NotALog { reason, .. } => Some(*reason),
        // With the prefix that was given it is none, and there is none that it would be one with.
        LogError::PrefixMismatch { detected: None, .. } => Some(NoLog::Other),
        _ => None,
    }
}
