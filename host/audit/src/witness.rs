//! Witnesses: somebody else who has seen how large the log was, and never cosigns two logs under one name (C2SP tlog-witness,
//! `add-checkpoint`).
//!
//! **In**: the body of a request. **Out**: an [`Answer`] with its HTTP status; and on the log's side [`AddCheckpoint`], the
//! request, and what it takes from an answer. **Trusted**: the witness's own folder and key, and the keys of the logs it is
//! told to witness. **Can fail**: [`Answer`] and [`SubmitError`]. The transport is the caller's: bytes in, status and bytes out.
//!
//! ```text
//! old <size the witness cosigned last>
//! <consistency proof, one hash in base64 per line>
//!
//! <the checkpoint, as the log signed it>
//! ```

use crate::cosignature::{Cosignature, CosignatureError, add_cosignature};
use crate::note::{MAX_CHECKPOINT_BYTES, NoteError, RawNote, malformed, parse_decimal, parse_hash, plain_text};
use crate::proof::ConsistencyProof;
use crate::vkey::WitnessKey;

mod serve;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub use serve::{Answer, Witness, WitnessError};

/// Most lines of a proof in a request.
const MAX_PROOF_LINES: usize = 63;
/// Largest request that is read: the checkpoint, and 63 hashes with room to spare.
pub const MAX_REQUEST_BYTES: u64 = MAX_CHECKPOINT_BYTES + 4 * 1024;
/// Content type of the answer that states a size.
const SIZE_TYPE: &str = "text/x.tlog.size";

/// The request: cosign this checkpoint, which continues the one of `old_size` entries. Nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    proof: ConsistencyProof,
    note: String,
}

/// What the log makes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The witness cosigned.
    Cosigned {
        /// The note handed in, with the cosignature added.
        note: String,
        /// The cosignature, verified.
        cosignature: Cosignature,
    },
    /// The witness cosigned last at another size: ask again with a request that begins there.
    Knows {
        /// That size.
        size: u64,
    },
}

/// Why a witness's answer gives no cosignature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// There is no answer.
    #[error("the witness did not answer: {reason}")]
    Transport {
        /// What the transport says.
        reason: String,
    },
    /// The witness refuses.
    #[error("the witness answered with status {status}{}: {said}", meaning(.status))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says, shortened.
        said: String,
    },
    /// The witness has cosigned more of this log than there is.
    #[error(
        "the witness has cosigned {size} entries of this log, and it has {ours}: the log was cut or rolled back, or another copy of it goes on elsewhere"
    )]
    Ahead {
        /// What the witness has cosigned.
        size: u64,
        /// What there is.
        ours: u64,
    },
    /// Each request was based on a size that was out of date when it arrived.
    #[error("the witness cosigned another checkpoint of this log before each of {attempts} requests: try again later")]
    Moving {
        /// How many were made.
        attempts: u32,
    },
    /// The answer has no signature by this witness.
    #[error("the answer has no cosignature by the key `{witness}`: the policy has another key than the witness uses")]
    OtherKey {
        /// The key in the policy.
        witness: String,
    },
    /// The cosignature does not verify.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
}

impl AddCheckpoint {
    /// Puts a request together.
    pub(crate) fn new(proof: ConsistencyProof, note: &str) -> Self {
        Self {
            proof,
            note: note.to_owned(),
        }
    }

    /// The body of the request.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = format!("old {}\n", self.proof.old_size);
        for hash in &self.proof.hashes {
            body.push_str(&STANDARD.encode(hash.0));
            body.push('\n');
        }
        body.push('\n');
        body.push_str(&self.note);
        body.into_bytes()
    }

    /// Reads the body of a request.
    pub fn parse(body: &[u8]) -> Result<Self, NoteError> {
        if body.len() as u64 > MAX_REQUEST_BYTES {
            return Err(malformed("the request is too large"));
        }
        let text = plain_text(body)?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(malformed("no blank line stands before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix("old "));
        let old_size = old_size
            .and_then(parse_decimal)
            .ok_or(malformed("the first line is not `old` and a canonical decimal number"))?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == MAX_PROOF_LINES {
                return Err(malformed("the proof has more than 63 lines"));
            }
            hashes.push(parse_hash(line).ok_or(malformed("a line of the proof is not 32 bytes in canonical base64"))?);
        }
        let new_size = RawNote::parse(note.as_bytes())?.body()?.size;
        Ok(Self {
            proof: ConsistencyProof {
                old_size,
                new_size,
                hashes,
            },
            note: note.to_owned(),
        })
    }

    /// The size that the request begins with.
    pub fn old_size(&self) -> u64 {
        self.proof.old_size
    }

    /// Takes the answer of `witness` to this request. `note` is the checkpoint of the request with the cosignatures of other
    /// witnesses that came before; the one that comes now is verified and added to it.
    pub fn accept(&self, note: &str, witness: &WitnessKey, status: u16, body: &[u8]) -> Result<Accepted, SubmitError> {
        match status {
            200 => match add_cosignature(note, body, witness)? {
                Some((note, cosignature)) => Ok(Accepted::Cosigned { note, cosignature }),
                None => Err(SubmitError::OtherKey {
                    witness: witness.to_string(),
                }),
            },
            409 => stated_size(body)
                .filter(|size| *size != self.proof.old_size)
                .map(|size| Accepted::Knows { size })
                .ok_or_else(|| refused(status, body)),
            _ => Err(refused(status, body)),
        }
    }
}

/// The size in an answer 409: a decimal number and a line feed, and nothing else.
fn stated_size(body: &[u8]) -> Option<u64> {
    std::str::from_utf8(body)
        .ok()?
        .strip_suffix('\n')
        .and_then(parse_decimal)
}

fn refused(status: u16, body: &[u8]) -> SubmitError {
    let said: String = String::from_utf8_lossy(body)
        .trim()
        .chars()
        .take(200)
        .flat_map(char::escape_debug)
        .collect();
    SubmitError::Refused {
        status,
        said: if said.is_empty() { "nothing".to_owned() } else { said },
    }
}

/// What the specification says a status means.
fn meaning(status: &u16) -> &'static str {
    match status {
        400 => " (it cannot read the request)",
        403 => " (no signature by a key it trusts for this log)",
        404 => " (it does not know this log: its operator must add the log's key)",
        409 => " (it has seen another log of this name)",
        422 => " (the log does not continue what it has seen)",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
