//! The journal: the one file that an append waits for.
//!
//! **In**: an open file, the place and the chain value where the next frame stands. **Out**: headers and frames that are
//! whole. **Trusted**: nothing. A whole frame is what somebody wrote to its end, and no more: the caller verifies the
//! checkpoint in it, and compares its record with its leaf. **Can fail**: the file layer; what is not whole is not an error.
//!
//! ```text
//! block 0, 1   headers of even and of odd generations; the higher one that is whole counts
//! block 2 …    frames, each from the beginning of a block of 4,096 bytes on, the rest of its last block zero
//! ```
//! A *generation* begins at a signed size, the *base*, whose files are all durable. Its header is text:
//!
//! ```text
//! pg-logstats audit journal v1
//! generation 7
//! salt <32 hex digits, random>
//! boot <boot id, or ->
//! <the checkpoint of the base, a signed note>
//! sha256 <SHA-256 of the lines before, 64 hex digits>
//! ```
//! A frame is, numbers being big-endian:
//!
//! ```text
//! "pglsfrm1", length of the note (4 bytes), of the leaf (4), of the record (8)
//! chain value of the header or frame before (32), SHA-256 of all else in this frame (32), which is its own chain value
//! the checkpoint with this entry, the leaf, the bytes of the record's DSSE file
//! ```
//! The header's chain value is its SHA-256, salt included. So a frame counts only behind the very frames it was written
//! behind: what an earlier generation left further back, or the torn end of a longer frame, never does. No block holds two
//! frames, so writing one never touches a sector of another that is durable already. The file is made with all its bytes
//! written as zeros, and is used again from its beginning in each generation: `fdatasync` then has data to write and no
//! metadata, which on ext4 spares the commit of the file system's own journal. A frame too long for the file makes it grow.

use std::fs::File;
use std::io;

use crate::digest::Digest;
use crate::edge::{Edge, TreeFile};
use crate::entry::Entry;
use crate::files::FileLayer;
use crate::layout;
use crate::note::MAX_CHECKPOINT_BYTES;
use crate::snapshot::MAX_RECORD_BYTES;

/// Unit of place in the journal: the page of the kernel, and no smaller than a sector of any disk.
pub(crate) const BLOCK_BYTES: u64 = 4096;
/// Where the frames begin.
pub(crate) const FRAMES_START: u64 = 2 * BLOCK_BYTES;
/// Length of a journal: some 250 records of the usual size between two trims.
pub(crate) const JOURNAL_BYTES: u64 = 1024 * 1024;

const HEADER_VERSION: &str = "pg-logstats audit journal v1";
const MAGIC: &[u8; 8] = b"pglsfrm1";
/// Bytes of a frame before its note.
const FRAME_HEAD_BYTES: usize = 88;
/// Of these, those before its own digest.
const FRAME_SIGNED_BYTES: usize = 56;
const MAX_LEAF_BYTES: u64 = u16::MAX as u64;
/// What is read of a frame at first, which is all of most frames.
const FIRST_READ_BYTES: usize = BLOCK_BYTES as usize;

/// The beginning of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) generation: u64,
    /// 32 hex digits.
    pub(crate) salt: String,
    /// Which start of the machine the files were written under.
    pub(crate) boot_id: Option<String>,
    /// The signed checkpoint of the base.
    pub(crate) base: String,
}

/// One append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The signed checkpoint with its entry.
    pub(crate) note: String,
    /// Its entry.
    pub(crate) leaf: String,
    /// Bytes of its DSSE file.
    pub(crate) record: Vec<u8>,
}

/// Where the next frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Bytes from the beginning of the file.
    pub(crate) offset: u64,
    /// Chain value of what stands before it.
    pub(crate) chain: Digest,
}

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A whole frame, and the place behind it.
    Frame(Frame, Place),
    /// A frame that was begun at this place and not written to its end.
    Torn(Torn),
    /// Nothing of this generation.
    End,
}

/// What is left of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Torn {
    /// Its leaf, if that is whole.
    pub(crate) entry: Option<Entry>,
    /// What stands where its record was to be.
    pub(crate) record: Vec<u8>,
}

impl Header {
    /// The block of this header; `None` when the note is too long for it.
    pub(crate) fn to_block(&self) -> Option<Vec<u8>> {
        let mut block = format!("{}sha256 {}\n", self.text(), self.digest()).into_bytes();
        let room = usize::try_from(BLOCK_BYTES).ok()?;
        (block.len() <= room).then(|| {
            block.resize(room, 0);
            block
        })
    }

    fn text(&self) -> String {
        let Self {
            generation,
            salt,
            boot_id,
            base,
        } = self;
        let boot = boot_id.as_deref().unwrap_or("-");
        format!("{HEADER_VERSION}\ngeneration {generation}\nsalt {salt}\nboot {boot}\n{base}")
    }

    fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }

    /// Reads a header; `None` unless it is whole.
    fn parse(block: &[u8]) -> Option<Self> {
        let end = block.iter().position(|byte| *byte == 0).unwrap_or(block.len());
        let text = std::str::from_utf8(block.get(..end)?).ok()?;
        let (text, digest) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let digest = Digest::from_hex(digest.strip_prefix("sha256 ")?)?;
        let mut rest = text;
        let mut line = |name: &str| {
            let (line, after) = rest.split_once('\n')?;
            rest = after;
            line.strip_prefix(name)
        };
        if line(HEADER_VERSION) != Some("") {
            return None;
        }
        let header = Self {
            generation: line("generation ")?.parse().ok()?,
            salt: line("salt ")?.to_owned(),
            boot_id: Some(line("boot ")?).filter(|boot| *boot != "-").map(str::to_owned),
            base: format!("{rest}\n"),
        };
        let whole = header.digest() == digest && header.to_block().as_deref() == Some(block);
        whole.then_some(header)
    }

    /// [`read_header`] of the bytes in which the headers stand.
    pub(crate) fn newest(blocks: &[u8]) -> Option<Self> {
        let headers = blocks.chunks(FIRST_READ_BYTES).zip(0..).filter_map(|(block, slot)| {
            let header = Self::parse(block)?;
            (header.generation % 2 == slot).then_some(header)
        });
        headers.max_by_key(|header| header.generation)
    }

    /// Where its block stands.
    pub(crate) fn offset(&self) -> u64 {
        self.generation % 2 * BLOCK_BYTES
    }

    /// Where its first frame stands.
    pub(crate) fn first(&self) -> Place {
        Place {
            offset: FRAMES_START,
            chain: self.digest(),
        }
    }
}

/// The header that counts; `None` when neither is whole.
pub(crate) fn read_header(files: &dyn FileLayer, file: &File) -> io::Result<Option<Header>> {
    read_headers(files, file).map(|blocks| Header::newest(&blocks))
}

/// The bytes in which the headers stand.
pub(crate) fn read_headers(files: &dyn FileLayer, file: &File) -> io::Result<Vec<u8>> {
    files.read_at(file, 0, usize::try_from(FRAMES_START).unwrap_or(0))
}

/// Whether files that the journal covers may not be on the disk though they can be read, or the other way round: after the
/// machine was started anew, or a file could not be made durable.
pub(crate) fn is_suspect(files: &dyn FileLayer, header: &Header) -> bool {
    let here = files.boot_id();
    here.is_none() || here != header.boot_id || files.stat(layout::SUSPECT).is_ok()
}

/// Writes the frame at a place, and says where the next one stands. Not durable yet.
pub(crate) fn write_frame(files: &dyn FileLayer, file: &File, at: Place, frame: &Frame) -> io::Result<Place> {
    let (bytes, after) = frame.to_bytes(at)?;
    files.write_at(file, at.offset, &bytes)?;
    Ok(after)
}

/// Takes away what stands at a place, so that it is no frame of this generation, whole or torn.
pub(crate) fn erase(files: &dyn FileLayer, file: &File, at: Place) -> io::Result<()> {
    files.write_at(file, at.offset, &[0; MAGIC.len()])
}

/// What stands at a place.
pub(crate) fn read_frame(files: &dyn FileLayer, file: &File, at: Place) -> io::Result<Found> {
    find_frame(at, |offset, limit_bytes| files.read_at(file, offset, limit_bytes))
}

/// [`read_frame`] from wherever the bytes are.
pub(crate) fn find_frame(at: Place, mut read_at: impl FnMut(u64, usize) -> io::Result<Vec<u8>>) -> io::Result<Found> {
    let mut bytes = read_at(at.offset, FIRST_READ_BYTES)?;
    let Some(lengths) = Lengths::of(&bytes, at.chain) else {
        return Ok(Found::End);
    };
    let total = lengths.total();
    if let Some(missing) = total.checked_sub(bytes.len()).filter(|missing| *missing > 0) {
        let offset = at.offset.saturating_add(bytes.len() as u64);
        bytes.extend(read_at(offset, missing)?);
    }
    bytes.truncate(total);
    Ok(match Frame::parse(&bytes, lengths) {
        Some((frame, chain)) => Found::Frame(
            frame,
            Place {
                offset: at.offset.saturating_add(padded(total as u64)),
                chain,
            },
        ),
        None => Found::Torn(Torn::parse(&bytes, lengths)),
    })
}

/// Lengths of the three parts of a frame.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    note: usize,
    leaf: usize,
    record: usize,
}

impl Lengths {
    /// The lengths that a frame behind `chain` states; `None` when no such frame begins here.
    fn of(bytes: &[u8], chain: Digest) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (note, rest) = rest.split_first_chunk::<4>()?;
        let (leaf, rest) = rest.split_first_chunk::<4>()?;
        let (record, rest) = rest.split_first_chunk::<8>()?;
        let (before, _) = rest.split_first_chunk::<32>()?;
        let (note, leaf): (u64, u64) = (u32::from_be_bytes(*note).into(), u32::from_be_bytes(*leaf).into());
        let record = u64::from_be_bytes(*record);
        let possible = magic == MAGIC
            && *before == chain.0
            && note <= MAX_CHECKPOINT_BYTES
            && leaf <= MAX_LEAF_BYTES
            && record <= MAX_RECORD_BYTES;
        possible.then_some(())?;
        Some(Self {
            note: usize::try_from(note).ok()?,
            leaf: usize::try_from(leaf).ok()?,
            record: usize::try_from(record).ok()?,
        })
    }

    fn total(self) -> usize {
        FRAME_HEAD_BYTES + self.note + self.leaf + self.record
    }
}

impl Frame {
    /// Blocks that this frame takes, in bytes.
    pub(crate) fn room(&self) -> u64 {
        padded((FRAME_HEAD_BYTES + self.note.len() + self.leaf.len() + self.record.len()) as u64)
    }

    /// Adds the entry of this frame to a tree, if it is an entry and the frame holds its record. The files are those it fills.
    pub(crate) fn join(&self, edge: &mut Edge) -> Result<(Entry, Vec<TreeFile>), String> {
        let index = edge.size();
        let entry = Entry::parse(self.leaf.as_bytes()).filter(|entry| entry.digest == Digest::of(&self.record));
        let entry = entry.ok_or_else(|| format!("its frame for entry {index} does not hold that entry's record"))?;
        match edge.push(&self.leaf) {
            Some(full) => Ok((entry, full)),
            None => Err(format!("its frame for entry {index} holds an entry that is too long")),
        }
    }

    /// The frame for a place, and the place behind it.
    pub(crate) fn to_bytes(&self, at: Place) -> io::Result<(Vec<u8>, Place)> {
        let too_long = |_| io::Error::other("a part of the frame is too long");
        let mut bytes = Vec::with_capacity(usize::try_from(self.room()).unwrap_or(0));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&u32::try_from(self.note.len()).map_err(too_long)?.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(self.leaf.len()).map_err(too_long)?.to_be_bytes());
        bytes.extend_from_slice(&(self.record.len() as u64).to_be_bytes());
        bytes.extend_from_slice(&at.chain.0);
        let chain = Digest::of_parts(&[&bytes, self.note.as_bytes(), self.leaf.as_bytes(), &self.record]);
        bytes.extend_from_slice(&chain.0);
        bytes.extend_from_slice(self.note.as_bytes());
        bytes.extend_from_slice(self.leaf.as_bytes());
        bytes.extend_from_slice(&self.record);
        bytes.resize(usize::try_from(self.room()).unwrap_or(bytes.len()), 0);
        let offset = at.offset.saturating_add(bytes.len() as u64);
        Ok((bytes, Place { offset, chain }))
    }

    /// The frame with its chain value; `None` unless it is whole.
    fn parse(bytes: &[u8], lengths: Lengths) -> Option<(Self, Digest)> {
        let (head, rest) = bytes.split_at_checked(FRAME_SIGNED_BYTES)?;
        let (chain, body) = rest.split_first_chunk::<32>()?;
        let (note, rest) = body.split_at_checked(lengths.note)?;
        let (leaf, record) = rest.split_at_checked(lengths.leaf)?;
        if record.len() != lengths.record || Digest::of_parts(&[head, body]).0 != *chain {
            return None;
        }
        let frame = Self {
            note: std::str::from_utf8(note).ok()?.to_owned(),
            leaf: std::str::from_utf8(leaf).ok()?.to_owned(),
            record: record.to_vec(),
        };
        Some((frame, Digest(*chain)))
    }
}

impl Torn {
    fn parse(bytes: &[u8], lengths: Lengths) -> Self {
        let leaf_at = FRAME_HEAD_BYTES + lengths.note;
        let record_at = leaf_at + lengths.leaf;
        let entry = bytes.get(leaf_at..record_at).and_then(Entry::parse);
        let record = bytes.get(record_at..).unwrap_or_default().to_vec();
        Self { entry, record }
    }
}

/// A length rounded up to whole blocks.
fn padded(length: u64) -> u64 {
    length.next_multiple_of(BLOCK_BYTES)
}

#[cfg(test)]
mod tests;
