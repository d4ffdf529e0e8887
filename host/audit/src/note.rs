//! Checkpoints: the signed statement of how large the log is and what its root is (C2SP tlog-checkpoint, signed-note).
//!
//! **In**: a root to sign, or the text of a checkpoint with the keys the reader trusts. **Out**: that text, or the
//! [`Checkpoint`] it makes sure of. **Trusted**: only the keys handed in. **Can fail**: [`NoteError`].
//!
//! ```text
//! origin of the log
//! size in decimal
//! root in base64
//!
//! — origin of the log base64(key hash ‖ signature)
//! ```
//! The signature covers everything up to and with the line feed after the root. Numbers and base64 must be canonical.
//! Further signature lines, of witnesses for example, may follow; those of unknown keys are ignored. Extension lines, which
//! tlog-checkpoint allows and advises against, are refused: no log of ours has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::digest::Digest;
use crate::keys::{KeyId, SignError, Signer, TrustedKeys, Verifier};

/// Largest checkpoint that is read.
pub(crate) const MAX_CHECKPOINT_BYTES: u64 = 64 * 1024;
/// Most signature lines that are looked at.
const MAX_SIGNATURES: usize = 64;

/// The size and the root of a log that a signature by a trusted key stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Merkle root over them.
    pub root: Digest,
    /// The trusted keys that signed. Never empty.
    pub signers: Vec<KeyId>,
    /// The whole signed note, to be kept, mailed or published as it stands.
    pub note: String,
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text does not have the form of a checkpoint.
    #[error("it is not a signed checkpoint: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is a checkpoint of another log.
    #[error("it is of the log `{found}`, and this is the log `{expected}`")]
    Origin {
        /// The origin in the checkpoint.
        found: String,
        /// The origin expected.
        expected: String,
    },
    /// No signature by a trusted key.
    #[error("it has no signature by a trusted key ({trusted}): it was changed, or another key signed it")]
    Untrusted {
        /// Ids of the trusted keys.
        trusted: String,
    },
    /// A signature that names a trusted key is not by that key.
    #[error("its signature by key `{key_id}` does not verify: size, root or signature was changed")]
    BadSignature {
        /// The key it names.
        key_id: KeyId,
    },
}

/// Whether a text can be the origin of a log: it is also the key name in signature lines, which has no spaces and no `+`.
pub fn is_origin(origin: &str) -> bool {
    origin.len() <= 255 && is_key_name(origin)
}

/// Whether a text can be the name of a key in a signature line (C2SP signed-note, "Format").
pub(crate) fn is_key_name(name: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && !name.chars().any(forbidden)
}

/// The size that a checkpoint states, whoever signed it: to know what to read before it can be verified.
pub(crate) fn claimed_size(note: &[u8]) -> Option<u64> {
    claimed(note).map(|(size, _)| size)
}

/// The size and the root that a checkpoint states, whoever signed it.
pub(crate) fn claimed(note: &[u8]) -> Option<(u64, Digest)> {
    let body = RawNote::parse(note).ok()?.body().ok()?;
    Some((body.size, body.root))
}

/// The signed note for a log of this size and root.
pub(crate) fn sign_checkpoint(
    signer: &dyn Signer,
    origin: &str,
    size: u64,
    root: &Digest,
) -> Result<String, SignError> {
    let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.0));
    let signature = signer.sign(text.as_bytes())?;
    let line = signature_line(origin, signer.public().note_key_hash(origin), &signature);
    Ok(format!("{text}\n{line}"))
}

/// Reads a checkpoint and believes it only when a trusted key signed it for this origin.
pub fn open_checkpoint(note: &[u8], origin: &str, keys: &TrustedKeys) -> Result<Checkpoint, NoteError> {
    open_one_of_many(note, origin, keys, &mut Verifier::default())
}

/// [`open_checkpoint`] for who opens many checkpoints by few keys, and keeps the verifier from one to the next.
pub(crate) fn open_one_of_many(
    note: &[u8],
    origin: &str,
    keys: &TrustedKeys,
    verifier: &mut Verifier,
) -> Result<Checkpoint, NoteError> {
    let raw = RawNote::parse(note)?;
    let body = raw.body()?;
    if body.origin != origin {
        return Err(NoteError::Origin {
            found: body.origin.chars().take(255).collect(),
            expected: origin.to_owned(),
        });
    }
    let signers = verify_signatures(&raw, origin, keys, verifier)?;
    Ok(Checkpoint {
        origin: origin.to_owned(),
        size: body.size,
        root: body.root,
        signers,
        note: raw.note.to_owned(),
    })
}

/// A signed note taken apart (C2SP signed-note, "Format"). Nothing in it is verified.
#[derive(Debug)]
pub(crate) struct RawNote<'a> {
    /// The whole of it.
    pub(crate) note: &'a str,
    /// What is signed, with its last line feed.
    pub(crate) text: &'a str,
    /// At least one.
    pub(crate) signatures: Vec<SignatureLine<'a>>,
}

/// A signature line taken apart. Nothing in it is verified.
#[derive(Debug)]
pub(crate) struct SignatureLine<'a> {
    /// The line without its line feed.
    pub(crate) line: &'a str,
    /// Name of the key.
    pub(crate) name: &'a str,
    /// The four bytes that name the key together with `name`.
    pub(crate) key_hash: [u8; 4],
    /// What follows them.
    pub(crate) signature: Vec<u8>,
}

/// The lines of a checkpoint that are signed. Nothing in it is verified.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub(crate) origin: &'a str,
    pub(crate) size: u64,
    pub(crate) root: Digest,
}

impl<'a> RawNote<'a> {
    /// Takes a note apart. A single malformed line makes the whole note malformed.
    pub(crate) fn parse(note: &'a [u8]) -> Result<Self, NoteError> {
        if note.len() as u64 > MAX_CHECKPOINT_BYTES {
            return Err(malformed("it is too large"));
        }
        let note = plain_text(note)?;
        // The last empty line stands before the signatures; the text may have empty lines of its own.
        let Some(blank) = note.rfind("\n\n") else {
            return Err(malformed("no blank line stands before the signatures"));
        };
        let (text, rest) = note.split_at(blank + 1);
        let signatures = parse_signature_lines(rest.strip_prefix('\n').unwrap_or(rest))?;
        Ok(Self { note, text, signatures })
    }

    /// The text as that of a checkpoint (C2SP tlog-checkpoint, "Note text").
    pub(crate) fn body(&self) -> Result<Body<'a>, NoteError> {
        let mut lines = self.text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed("it needs exactly the lines origin, size and root"));
        };
        if !is_origin(origin) {
            return Err(malformed("its origin is empty or has spaces"));
        }
        let size = parse_decimal(size).ok_or(malformed("its size is no canonical decimal number"))?;
        let root = parse_hash(root).ok_or(malformed("its root is not 32 bytes in canonical base64"))?;
        Ok(Body { origin, size, root })
    }
}

/// Text as signed notes have it: UTF-8 without control characters other than line feeds.
pub(crate) fn plain_text(bytes: &[u8]) -> Result<&str, NoteError> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8 text"))?;
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(malformed("it contains control characters"));
    }
    Ok(text)
}

/// One or more signature lines, the last one with its line feed.
pub(crate) fn parse_signature_lines(lines: &str) -> Result<Vec<SignatureLine<'_>>, NoteError> {
    let lines = lines
        .strip_suffix('\n')
        .ok_or(malformed("the last signature line does not end"))?;
    let mut parsed = Vec::new();
    for line in lines.split('\n') {
        if parsed.len() >= MAX_SIGNATURES {
            return Err(malformed("it has too many signature lines"));
        }
        let signature = line.strip_prefix("\u{2014} ").and_then(|line| line.split_once(' '));
        let (name, encoded) = signature
            .filter(|(name, _)| is_key_name(name))
            .ok_or(malformed("a signature line is not `\u{2014} name base64`"))?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| malformed("a signature is not canonical base64"))?;
        let (key_hash, signature) = bytes.split_first_chunk().ok_or(malformed("a signature is too short"))?;
        parsed.push(SignatureLine {
            line,
            name,
            key_hash: *key_hash,
            signature: signature.to_vec(),
        });
    }
    Ok(parsed)
}

/// A signature line with its line feed.
pub(crate) fn signature_line(name: &str, key_hash: [u8; 4], signature: &[u8]) -> String {
    let mut named = key_hash.to_vec();
    named.extend_from_slice(signature);
    format!("\u{2014} {name} {}\n", STANDARD.encode(named))
}

/// A decimal number without sign and leading zeros, as all the texts of tlog have them.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let canonical =
        !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

/// A hash in canonical base64, as roots and proofs have them.
pub(crate) fn parse_hash(text: &str) -> Option<Digest> {
    let bytes = STANDARD.decode(text).ok()?;
    bytes.try_into().ok().map(Digest)
}

fn verify_signatures(
    raw: &RawNote<'_>,
    origin: &str,
    keys: &TrustedKeys,
    verifier: &mut Verifier,
) -> Result<Vec<KeyId>, NoteError> {
    let mut signers: Vec<KeyId> = Vec::new();
    for line in &raw.signatures {
        let named = keys
            .iter()
            .find(|key| line.name == origin && key.note_key_hash(origin) == line.key_hash);
        if let Some(key) = named {
            if !verifier.verifies(key, raw.text.as_bytes(), &line.signature) {
                return Err(NoteError::BadSignature {
                    key_id: key.key_id().clone(),
                });
            }
            if signers.contains(key.key_id()) {
                return Err(malformed("one key signed twice"));
            }
            signers.push(key.key_id().clone());
        }
    }
    if signers.is_empty() {
        let trusted: Vec<&str> = keys.iter().map(|key| key.key_id().as_str()).collect();
        return Err(NoteError::Untrusted {
            trusted: trusted.join(", "),
        });
    }
    Ok(signers)
}

pub(crate) fn malformed(reason: &'static str) -> NoteError {
    NoteError::Malformed { reason }
}

#[cfg(test)]
mod tests;
