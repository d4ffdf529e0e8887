//! Archives of tar: gnu, ustar and pax, read as they stream by, or at any place where that can be done.
//!
//! **In**: the bytes of an archive, decompressed. **Out**: its regular files, one after the other, each as a stream
//! ([`next_member`]), or all of them with their places ([`contents`]). **Trusted**:
//! nothing: a member's path is a name to show and is never opened; a name is kept up to [`MAX_NAME_BYTES`], a header that says
//! more about itself up to [`MAX_EXTENSION_BYTES`]. **Can fail**: a header that is none, or the end in the middle of a member,
//! ends the archive; what came before was read.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::Input;
use super::place::Place;
use crate::bytes::{at, digits, from, slice, up_to};

/// Size of a header, and what members are padded to.
const RECORD_BYTES: usize = 512;
/// Longest name kept.
const MAX_NAME_BYTES: usize = 4 * 1024;
/// Longest header about the next member that is looked at.
const MAX_EXTENSION_BYTES: u64 = 64 * 1024;

/// An archive being read. Its members borrow it one at a time.
pub(crate) struct Archive {
    bytes: Stored,
    /// Bytes of the current member, and of its padding, that are still to come.
    left: u64,
    padding: u64,
    ended: bool,
    /// The archive ended in the middle, or in something that is no header.
    pub(crate) broken: bool,
}

/// Where the bytes of an archive come from.
enum Stored {
    Stream {
        /// Read already, and how much of that was taken.
        head: Vec<u8>,
        head_taken: usize,
        input: Box<Input>,
    },
    Place {
        place: Place,
        position: u64,
        len: u64,
    },
}

/// What a header says.
struct Header {
    kind: u8,
    size: u64,
    name: Vec<u8>,
}

/// One regular file of an archive.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) bytes: MemberBytes,
}

/// The regular files of an archive.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) members: Vec<(String, Place)>,
    /// The archive ended in the middle, or in something that is no header.
    pub(crate) broken: bool,
    /// There are more than were asked for.
    pub(crate) has_more: bool,
}

/// The bytes of a member, as long as the archive stands there.
pub(crate) struct MemberBytes(Arc<Mutex<Archive>>);

/// Whether the bytes begin with the header of an archive.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    // Archives older than ustar have no magic, but nothing where others say more.
    let record = slice(bytes, 0, RECORD_BYTES);
    let is_ustar = slice(record, 257, 262) == b"ustar";
    let is_older = || {
        [257..329, 345..RECORD_BYTES]
            .into_iter()
            .all(|part| slice(record, part.start, part.end).iter().all(|byte| *byte == 0))
    };
    (is_ustar || is_older()) && header(record).is_some()
}

/// The same of what stands at a place.
///
/// # Errors
/// Reading failed.
pub(crate) fn is_archive_at(place: &Place) -> io::Result<bool> {
    Ok(is_archive(&place.bytes(0, RECORD_BYTES)?))
}

impl Archive {
    /// An archive whose first bytes were read already.
    pub(crate) fn new(head: Vec<u8>, input: Input) -> Arc<Mutex<Self>> {
        let input = Box::new(input);
        Arc::new(Mutex::new(Self::of(Stored::Stream {
            head,
            head_taken: 0,
            input,
        })))
    }

    fn of(bytes: Stored) -> Self {
        Self {
            bytes,
            left: 0,
            padding: 0,
            ended: false,
            broken: false,
        }
    }

    /// Why the compressed stream that the archive comes in ended before its end.
    pub(crate) fn input_broken(&self) -> Option<&'static str> {
        match &self.bytes {
            Stored::Stream { input, .. } => input.broken(),
            Stored::Place { .. } => None,
        }
    }

    /// The input, if the archive is read as it comes.
    pub(crate) fn input(&self) -> Option<&Input> {
        match &self.bytes {
            Stored::Stream { input, .. } => Some(input),
            Stored::Place { .. } => None,
        }
    }

    /// Takes up to `count` bytes.
    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        match &mut self.bytes {
            Stored::Stream {
                head,
                head_taken,
                input,
            } => {
                let end = head_taken.saturating_add(count).min(head.len());
                let mut taken = slice(head, *head_taken, end).to_vec();
                *head_taken = end;
                if taken.len() < count {
                    *head = Vec::new();
                    *head_taken = 0;
                    let missing = count - taken.len();
                    input.read(&mut taken, missing)?;
                }
                Ok(taken)
            }
            Stored::Place { place, position, .. } => {
                let taken = place.bytes(*position, count)?;
                *position += taken.len() as u64;
                Ok(taken)
            }
        }
    }

    /// Drops up to `count` bytes; how many there were.
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        if let Stored::Place { position, len, .. } = &mut self.bytes {
            let skipped = count.min(len.saturating_sub(*position));
            *position += skipped;
            return Ok(skipped);
        }
        let mut left = count;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(64 * 1024);
            let skipped = self.take(wanted)?.len();
            left -= skipped as u64;
            if skipped < wanted {
                break;
            }
        }
        Ok(count - left)
    }

    /// Drops the rest of the current member.
    fn skip_rest(&mut self) -> io::Result<()> {
        let left = std::mem::take(&mut self.left).saturating_add(std::mem::take(&mut self.padding));
        if self.skip(left)? < left {
            self.fail();
        }
        Ok(())
    }

    fn fail(&mut self) {
        self.broken = true;
        self.ended = true;
        self.left = 0;
        self.padding = 0;
    }

    /// The header of the next regular file, which is then the current member.
    fn next_header(&mut self) -> io::Result<Option<Header>> {
        let mut long_name: Option<Vec<u8>> = None;
        let mut long_size: Option<u64> = None;
        loop {
            self.skip_rest()?;
            if self.ended {
                return Ok(None);
            }
            let record = self.take(RECORD_BYTES)?;
            if record.iter().all(|byte| *byte == 0) && (record.len() == RECORD_BYTES || record.is_empty()) {
                // The end, with or without the records of zeros that mark it.
                self.ended = true;
                return Ok(None);
            }
            let Some(mut found) = header(&record) else {
                self.fail();
                return Ok(None);
            };
            self.left = found.size;
            self.padding = found.size.wrapping_neg() % RECORD_BYTES as u64;
            match found.kind {
                // gnu: the name of the next member.
                b'L' => long_name = self.extension()?.map(|text| until_nul(&text).to_vec()),
                // pax: facts about the next member.
                b'x' => {
                    let text = self.extension()?.unwrap_or_default();
                    long_name = pax(&text, b"path").map(<[u8]>::to_vec).or(long_name);
                    long_size = pax(&text, b"size")
                        .and_then(|size| digits(size, 0))
                        .map(|(size, _)| size)
                        .or(long_size);
                }
                // A file of its own, contiguous or not; what older archives call so ends in `/` if it is a folder.
                b'0' | 0 | b'7' => {
                    if let Some(size) = long_size.take() {
                        self.left = size;
                        self.padding = size.wrapping_neg() % RECORD_BYTES as u64;
                    }
                    found.name = long_name.take().unwrap_or(found.name);
                    if !found.name.ends_with(b"/") {
                        return Ok(Some(found));
                    }
                }
                // Folders, links, devices, sparse files, facts about all members: passed over.
                _ => (long_name, long_size) = (None, None),
            }
        }
    }

    /// The text of a header about the next member; none if it is too long to be one.
    fn extension(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.left > MAX_EXTENSION_BYTES {
            return Ok(None);
        }
        let length = usize::try_from(self.left).unwrap_or(0);
        let text = self.take(length)?;
        if text.len() < length {
            self.fail();
            return Ok(None);
        }
        self.left = 0;
        Ok(Some(text))
    }
}

/// The regular files of an archive that can be read at any place, at most so many.
///
/// # Errors
/// Reading failed.
pub(crate) fn contents(place: &Place, most: usize) -> io::Result<Contents> {
    let len = place.len()?;
    let mut archive = Archive::of(Stored::Place {
        place: place.clone(),
        position: 0,
        len,
    });
    let mut contents = Contents::default();
    while let Some(header) = archive.next_header()? {
        if contents.members.len() >= most {
            contents.has_more = true;
            break;
        }
        if let Stored::Place { position, .. } = &archive.bytes {
            contents
                .members
                .push((shown(&header), place.part(*position, archive.left)));
        }
    }
    contents.broken = archive.broken;
    Ok(contents)
}

/// The name of a member.
fn shown(header: &Header) -> String {
    String::from_utf8_lossy(up_to(&header.name, MAX_NAME_BYTES)).into_owned()
}

/// Goes on to the next regular file.
///
/// # Errors
/// Reading failed.
pub(crate) fn next_member(archive: &Arc<Mutex<Archive>>) -> io::Result<Option<Member>> {
    let header = archive.lock().unwrap_or_else(PoisonError::into_inner).next_header()?;
    Ok(header.map(|header| Member {
        name: shown(&header),
        bytes: MemberBytes(Arc::clone(archive)),
    }))
}

impl Read for MemberBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut archive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = usize::try_from(archive.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let taken = archive.take(wanted)?;
        if let Some(place) = buffer.get_mut(..taken.len()) {
            place.copy_from_slice(&taken);
        }
        archive.left -= taken.len() as u64;
        if taken.len() < wanted {
            archive.fail();
        }
        Ok(taken.len())
    }
}

/// Reads a header; none if its checksum is not its own.
fn header(record: &[u8]) -> Option<Header> {
    if record.len() != RECORD_BYTES {
        return None;
    }
    let expected = octal(slice(record, 148, 156))?;
    let sum: u64 = record
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            if (148..156).contains(&place) {
                32
            } else {
                u64::from(*byte)
            }
        })
        .sum();
    if sum != expected {
        return None;
    }
    let mut name = until_nul(slice(record, 0, 100)).to_vec();
    // Only ustar has the first part of a long name there; gnu has times.
    let prefix = until_nul(slice(record, 345, 500));
    if slice(record, 257, 263) == b"ustar\0" && !prefix.is_empty() {
        name = [prefix, b"/", &name].concat();
    }
    Some(Header {
        kind: at(record, 156),
        size: octal(slice(record, 124, 136))?,
        name,
    })
}

/// A number in octal digits between blanks, or, if it begins with a byte above 127, in binary.
fn octal(field: &[u8]) -> Option<u64> {
    if at(field, 0) == 0x80 {
        let (zeros, number) = field.split_at_checked(field.len().checked_sub(8)?)?;
        let is_small = from(zeros, 1).iter().all(|byte| *byte == 0);
        return is_small.then(|| number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    let text = until_nul(field).trim_ascii();
    text.iter().try_fold(0u64, |value, byte| match byte {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn until_nul(field: &[u8]) -> &[u8] {
    let length = memchr::memchr(0, field).unwrap_or(field.len());
    slice(field, 0, length)
}

/// The last value of a key in lines of `length key=value`.
fn pax<'t>(text: &'t [u8], key: &[u8]) -> Option<&'t [u8]> {
    let mut rest = text;
    let mut found = None;
    while let Some((length, blank)) = digits(rest, 0) {
        let length = usize::try_from(length).ok()?;
        let line = slice(rest, blank + 1, length.checked_sub(1)?);
        if let Some(value) = line.strip_prefix(key).and_then(|line| line.strip_prefix(b"=")) {
            found = Some(value);
        }
        if length <= blank || length > rest.len() {
            break;
        }
        rest = from(rest, length);
    }
    found
}

#[cfg(test)]
mod tests;
