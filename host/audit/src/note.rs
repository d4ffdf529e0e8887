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
//! Further signature lines, of witnesses for example, may follow; those of unknown keys are ignored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::digest::Digest;
use crate::keys::{KeyId, SignError, Signer, TrustedKeys};

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
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !origin.is_empty() && origin.len() <= 255 && !origin.chars().any(forbidden)
}

/// The size that a checkpoint states, whoever signed it: to know what to read before it can be verified.
pub(crate) fn claimed_size(note: &[u8]) -> Option<u64> {
    let note = std::str::from_utf8(note).ok()?;
    let (_, size, _) = parse_text(split(note).ok()?.0).ok()?;
    Some(size)
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
    let mut named = signer.public().note_key_hash(origin).to_vec();
    named.extend_from_slice(&signature);
    Ok(format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(named)))
}

/// Reads a checkpoint and believes it only when a trusted key signed it for this origin.
pub fn open_checkpoint(note: &[u8], origin: &str, keys: &TrustedKeys) -> Result<Checkpoint, NoteError> {
    let note = std::str::from_utf8(note).map_err(|_| malformed("it is not UTF-8 text"))?;
    if note.chars().any(|c| c.is_control() && c != '\n') {
        return Err(malformed("it contains control characters"));
    }
    let (text, signatures) = split(note)?;
    let (found, size, root) = parse_text(text)?;
    if found != origin {
        let found = found.chars().take(255).collect();
        return Err(NoteError::Origin {
            found,
            expected: origin.to_owned(),
        });
    }
    let signers = verify_signatures(text, signatures, origin, keys)?;
    Ok(Checkpoint {
        origin: origin.to_owned(),
        size,
        root,
        signers,
        note: note.to_owned(),
    })
}

/// The signed text with its line feed, and the signature lines.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    let Some(blank) = note.rfind("\n\n") else {
        return Err(malformed("no blank line stands before the signatures"));
    };
    let (text, rest) = note.split_at(blank + 1);
    let signatures = rest.strip_prefix('\n').unwrap_or(rest);
    if signatures.is_empty() || !signatures.ends_with('\n') {
        return Err(malformed("the last signature line does not end"));
    }
    Ok((text, signatures))
}

fn parse_text(text: &str) -> Result<(&str, u64, Digest), NoteError> {
    let mut lines = text.split('\n');
    let (Some(origin), Some(size), Some(root), Some(""), None) =
        (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(malformed("it needs exactly the lines origin, size and root"));
    };
    if !is_origin(origin) {
        return Err(malformed("its origin is empty or has spaces"));
    }
    let size_is_canonical =
        !size.is_empty() && size.bytes().all(|digit| digit.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
    let size = size.parse::<u64>().ok().filter(|_| size_is_canonical);
    let size = size.ok_or(malformed("its size is no canonical decimal number"))?;
    let root = STANDARD
        .decode(root)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let root = root.ok_or(malformed("its root is not 32 bytes in canonical base64"))?;
    Ok((origin, size, Digest(root)))
}

fn verify_signatures(text: &str, lines: &str, origin: &str, keys: &TrustedKeys) -> Result<Vec<KeyId>, NoteError> {
    let mut signers: Vec<KeyId> = Vec::new();
    for (at, line) in lines.trim_end_matches('\n').split('\n').enumerate() {
        if at >= MAX_SIGNATURES {
            return Err(malformed("it has too many signature lines"));
        }
        let signature = line.strip_prefix("\u{2014} ").and_then(|line| line.split_once(' '));
        let (name, encoded) = signature.ok_or(malformed("a signature line is not `— name base64`"))?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| malformed("a signature is not canonical base64"))?;
        let (hash, signature) = bytes.split_at_checked(4).ok_or(malformed("a signature is too short"))?;
        let named = keys
            .iter()
            .find(|key| name == origin && key.note_key_hash(name) == hash);
        if let Some(key) = named {
            if !key.verifies(text.as_bytes(), signature) {
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

fn malformed(reason: &'static str) -> NoteError {
    NoteError::Malformed { reason }
}

#[cfg(test)]
mod tests;
