//! Cosignatures: what a witness says about a checkpoint (C2SP tlog-cosignature, ed25519, `cosignature/v1`).
//!
//! **In**: a checkpoint, and a signer or the keys of witnesses. **Out**: a signature line, or the [`Cosignature`]s that verify.
//! **Trusted**: only the keys handed in. **Can fail**: [`CosignatureError`].
//!
//! A witness states with its signature that, at that time, this was the largest tree it had seen of this log, and that it had
//! seen no other one that contradicts it. Signed is
//!
//! ```text
//! cosignature/v1
//! time <seconds since 1970>
//! <the text of the checkpoint, its three lines>
//! ```
//! and the signature line holds, after the key hash, the time as eight bytes, big-endian, and the 64 bytes of the signature.

use serde::Serialize;

use crate::keys::{KeyId, SignError, Signer};
use crate::note::{NoteError, RawNote, SignatureLine, parse_signature_lines, plain_text, signature_line};
use crate::vkey::{VkeyError, WitnessKey};

/// A witness's signature that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cosignature {
    /// The name of the witness, as its key has it.
    pub witness: String,
    /// The key that signed.
    pub key_id: KeyId,
    /// When it signed, by its clock, in seconds since the Unix epoch.
    pub timestamp_s: u64,
}

/// Why a cosignature cannot be made, or is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CosignatureError {
    /// The note cannot be taken apart.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A signature line names a witness we know, and is not by it.
    #[error("the cosignature of the witness `{witness}` does not verify: {what}")]
    Bad {
        /// The name of the witness.
        witness: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A time that no cosignature can have.
    #[error("{timestamp_s} seconds since 1970 is no time a cosignature can have (1 to 2^63 - 1): set the clock")]
    Time {
        /// The time.
        timestamp_s: u64,
    },
    /// The name cannot be that of a witness.
    #[error(transparent)]
    Key(#[from] VkeyError),
    /// The signer could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Cosigns a checkpoint, and gives the signature line with its line feed. **The caller has made sure** that it may: that the
/// log signed the checkpoint and that it contradicts nothing cosigned before, and has stored that durably
/// ([`crate::witness::Witness`] does).
pub(crate) fn cosign(
    signer: &dyn Signer,
    witness: &WitnessKey,
    note: &RawNote<'_>,
    timestamp_s: u64,
) -> Result<String, CosignatureError> {
    if !is_time(timestamp_s) {
        return Err(CosignatureError::Time { timestamp_s });
    }
    let signature = signer.sign(&message(timestamp_s, note.text))?;
    if !witness.public().verifies(&message(timestamp_s, note.text), &signature) {
        return Err(bad(witness, "the signer signed with another key than the witness's"));
    }
    let mut timed = timestamp_s.to_be_bytes().to_vec();
    timed.extend_from_slice(&signature);
    Ok(signature_line(witness.name(), witness.key_hash(), &timed))
}

/// The cosignatures of these witnesses on a note. Every line that names one of them must be by it, or none counts
/// (C2SP signed-note, "Signatures"); other lines are ignored. A witness that cosigned twice is there once, with the later time.
///
/// Says nothing about the note itself: who signed it for the log is [`crate::note::open_checkpoint`]'s business.
pub fn verify_cosignatures<'a>(
    note: &[u8],
    witnesses: impl IntoIterator<Item = &'a WitnessKey>,
) -> Result<Vec<Cosignature>, CosignatureError> {
    let raw = RawNote::parse(note)?;
    let mut found = Vec::new();
    for witness in witnesses {
        found.extend(verify_one(raw.text, &raw.signatures, witness)?);
    }
    Ok(found)
}

/// Adds to a note the lines of an answer that are cosignatures of `witness` on it, and gives the note with the newest of
/// them. All other lines of the note stay; lines of the answer by other keys are dropped (C2SP tlog-witness).
pub fn add_cosignature(
    note: &str,
    answer: &[u8],
    witness: &WitnessKey,
) -> Result<Option<(String, Cosignature)>, CosignatureError> {
    let raw = RawNote::parse(note.as_bytes())?;
    let lines = parse_signature_lines(plain_text(answer)?)?;
    let Some(cosignature) = verify_one(raw.text, &lines, witness)? else {
        return Ok(None);
    };
    let newest = lines
        .iter()
        .find(|line| is_by(line, witness) && timestamp(line).map(|(time, _)| time) == Some(cosignature.timestamp_s));
    let kept = raw.signatures.iter().filter(|line| !is_by(line, witness));
    let mut joined = format!("{}\n", raw.text);
    for line in kept.chain(newest) {
        joined.push_str(line.line);
        joined.push('\n');
    }
    // Not one line more than a reader of notes takes.
    RawNote::parse(joined.as_bytes())?;
    Ok(Some((joined, cosignature)))
}

fn verify_one(
    text: &str,
    lines: &[SignatureLine<'_>],
    witness: &WitnessKey,
) -> Result<Option<Cosignature>, CosignatureError> {
    let mut newest: Option<u64> = None;
    for line in lines.iter().filter(|line| is_by(line, witness)) {
        let (timestamp_s, signature) = timestamp(line).ok_or_else(|| bad(witness, "it is not 72 bytes long"))?;
        if !is_time(timestamp_s) {
            return Err(bad(witness, "its time is not within 1 to 2^63 - 1"));
        }
        if !witness.public().verifies(&message(timestamp_s, text), signature) {
            return Err(bad(witness, "checkpoint, time or signature was changed"));
        }
        newest = newest.max(Some(timestamp_s));
    }
    Ok(newest.map(|timestamp_s| Cosignature {
        witness: witness.name().to_owned(),
        key_id: witness.public().key_id().clone(),
        timestamp_s,
    }))
}

/// Whether a line names this key: by its name and its hash together, one of them alone says nothing.
fn is_by(line: &SignatureLine<'_>, witness: &WitnessKey) -> bool {
    line.name == witness.name() && line.key_hash == witness.key_hash()
}

/// The time and the signature of a line.
fn timestamp<'a>(line: &'a SignatureLine<'_>) -> Option<(u64, &'a [u8])> {
    let (time, signature) = line.signature.split_first_chunk()?;
    (signature.len() == 64).then_some((u64::from_be_bytes(*time), signature))
}

/// The largest is the specification's; zero is no time, and no witness may leave it out (C2SP tlog-witness).
fn is_time(timestamp_s: u64) -> bool {
    (1..=i64::MAX.unsigned_abs()).contains(&timestamp_s)
}

/// C2SP tlog-cosignature, "Ed25519 signed message".
fn message(timestamp_s: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {timestamp_s}\n{text}").into_bytes()
}

fn bad(witness: &WitnessKey, what: &'static str) -> CosignatureError {
    CosignatureError::Bad {
        witness: witness.name().to_owned(),
        what,
    }
}

#[cfg(test)]
mod tests;
