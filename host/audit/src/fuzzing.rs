//! What the fuzz targets need and nobody else: inner parts under a feature of their own. No contract.

use crate::cosignature::CosignatureError;
use crate::edge::Edge;
use crate::entry::Entry;
use crate::journal::{FRAMES_START, Found, Frame, Header, Place, find_frame};
use crate::keys::{SignError, Signer};
use crate::merkle::leaf_hash;
use crate::note::{Checkpoint, RawNote, parse_signature_lines, signature_line};
use crate::proof::InclusionProof;
use crate::vkey::WitnessKey;
use crate::{Digest, TlogProof, cosignature, note};

/// The signed note for a log of this size and root.
///
/// # Errors
/// When the signer cannot sign.
pub fn sign_checkpoint(signer: &dyn Signer, origin: &str, size: u64, root: &Digest) -> Result<String, SignError> {
    note::sign_checkpoint(signer, origin, size, root)
}

/// The line by which a witness cosigns a note.
///
/// # Errors
/// When the note has not the form of one, or the signer cannot sign.
pub fn cosign(
    signer: &dyn Signer,
    witness: &WitnessKey,
    note: &str,
    timestamp_s: u64,
) -> Result<String, CosignatureError> {
    cosignature::cosign(signer, witness, &RawNote::parse(note.as_bytes())?, timestamp_s)
}

/// A note as it is written from what was read of it; `None` when it is none.
#[must_use]
pub fn print_note(note: &[u8]) -> Option<String> {
    let raw = RawNote::parse(note).ok()?;
    Some(format!("{}\n{}", raw.text, print_lines(&raw.signatures)))
}

/// Signature lines as they are written from what was read of them; `None` when they are none.
#[must_use]
pub fn print_signature_lines(lines: &str) -> Option<String> {
    Some(print_lines(&parse_signature_lines(lines).ok()?))
}

fn print_lines(lines: &[note::SignatureLine<'_>]) -> String {
    let printed = lines
        .iter()
        .map(|line| signature_line(line.name, line.key_hash, &line.signature));
    printed.collect()
}

/// Root of the log of these entries, of which there are fewer than a tile has.
#[must_use]
pub fn root(entries: &[Entry]) -> Digest {
    edge(entries).root()
}

/// The proof that the entry at `index` stands among these, under a checkpoint of all of them.
#[must_use]
pub fn prove(entries: &[Entry], index: u64, checkpoint: &Checkpoint) -> Option<TlogProof> {
    let entry = entries.get(usize::try_from(index).ok()?)?;
    let inclusion = InclusionProof::from_tiles(&mut &edge(entries), index, checkpoint.size).ok()?;
    Some(TlogProof::new(entry, inclusion, checkpoint))
}

fn edge(entries: &[Entry]) -> Edge {
    let mut edge = Edge::default();
    for entry in entries {
        edge.push_hash(leaf_hash(entry.to_text().as_bytes()), |_, _| {});
    }
    edge
}

/// One append in a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFrame {
    /// The signed checkpoint with its entry.
    pub note: String,
    /// Its entry.
    pub leaf: String,
    /// Bytes of its DSSE file.
    pub record: Vec<u8>,
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The generation of the header that counts.
    pub generation: u64,
    /// The checkpoint of its base.
    pub base: String,
    /// The frames that are whole, in order.
    pub frames: Vec<JournalFrame>,
    /// What is left of the record of a frame behind them that is not.
    pub torn: Option<Vec<u8>>,
}

/// The bytes of a journal; `None` when the base does not fit into its header, or a frame is too long.
#[must_use]
pub fn write_journal(generation: u64, base: &str, frames: &[JournalFrame]) -> Option<Vec<u8>> {
    let header = Header {
        generation,
        salt: "0123456789abcdef".repeat(2),
        boot_id: Some("start-1".to_owned()),
        base: base.to_owned(),
    };
    let mut bytes = vec![0; usize::try_from(FRAMES_START).ok()?];
    let block = header.to_block()?;
    let at = usize::try_from(header.offset()).ok()?;
    bytes.get_mut(at..at.checked_add(block.len())?)?.copy_from_slice(&block);
    let mut place = header.first();
    for frame in frames {
        let (frame, after) = Frame::from(frame).to_bytes(place).ok()?;
        bytes.extend(frame);
        place = after;
    }
    Some(bytes)
}

/// Reads a journal; `None` when neither of its headers is whole.
///
/// # Panics
/// When a frame or a header that was read is not written with the bytes that were read.
#[must_use]
pub fn read_journal(bytes: &[u8]) -> Option<Journal> {
    let read = |offset: u64, limit_bytes: usize| {
        let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..));
        let rest = rest.unwrap_or_default();
        rest.get(..limit_bytes).unwrap_or(rest).to_vec()
    };
    let header = Header::newest(&read(0, usize::try_from(FRAMES_START).ok()?))?;
    let block = header.to_block()?;
    assert_eq!(read(header.offset(), block.len()), block, "another header is written");
    let mut journal = Journal {
        generation: header.generation,
        base: header.base.clone(),
        frames: Vec::new(),
        torn: None,
    };
    let mut edge = Edge::default();
    let mut place = header.first();
    loop {
        match find_frame(place, |offset, limit_bytes| Ok(read(offset, limit_bytes))).ok()? {
            Found::Frame(frame, after) => {
                assert_frame(&frame, place, after, &read);
                // Whether it is an entry with its record is up to whoever wrote it.
                let _refused_or_joined = frame.join(&mut edge);
                journal.frames.push(frame.into());
                place = after;
            }
            Found::Torn(torn) => {
                journal.torn = Some(torn.record);
                return Some(journal);
            }
            Found::End => return Some(journal),
        }
    }
}

/// A frame is written with the bytes that it was read from; what stands behind it in its last block is nobody's.
fn assert_frame(frame: &Frame, place: Place, after: Place, read: &dyn Fn(u64, usize) -> Vec<u8>) {
    let Ok((written, written_after)) = frame.to_bytes(place) else {
        return;
    };
    assert_eq!(written_after, after, "the next frame stands elsewhere");
    let end = written.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let found = read(place.offset, end);
    assert!(written.get(..end) == Some(found.as_slice()), "another frame is written");
}

impl From<&JournalFrame> for Frame {
    fn from(frame: &JournalFrame) -> Self {
        let JournalFrame { note, leaf, record } = frame.clone();
        Self { note, leaf, record }
    }
}

impl From<Frame> for JournalFrame {
    fn from(frame: Frame) -> Self {
        let Frame { note, leaf, record } = frame;
        Self { note, leaf, record }
    }
}
