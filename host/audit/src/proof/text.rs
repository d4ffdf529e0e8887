//! The proof as a file, `.tlog-proof` (C2SP tlog-proof): one file that with a public key says that a record stands in the log.
//!
//! **In**: the entry, its inclusion proof and a checkpoint; or the text with the keys the reader trusts. **Out**: the text; or
//! a [`ProvenEntry`], which nothing else makes. **Trusted**: only the keys and the policy handed in. **Can fail**:
//! [`UnprovenError`].
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <the text of the entry, in base64>
//! index 41
//! <hash in base64>
//! …
//!
//! <the checkpoint, with any cosignatures>
//! ```
//! The specification leaves it to the application how the leaf is had. Here it is the extra data: the entry is a few lines
//! that hold the SHA-256 of the record's file, so the proof alone says which record stands at which place, and together with
//! that file everything about it. The extra data is not signed, and need not be: its hash is where the proof starts, and
//! another text leads to another root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{InclusionProof, MAX_HASHES, ProofError};
use crate::cosignature::Cosignature;
use crate::entry::Entry;
use crate::keys::{KeyId, TrustedKeys};
use crate::merkle::leaf_hash;
use crate::note::{
    Checkpoint, MAX_CHECKPOINT_BYTES, NoteError, open_checkpoint, parse_decimal, parse_hash, plain_text,
};
use crate::policy::{Policy, WitnessedError};
use crate::snapshot::check_record;

/// First line of every proof.
const VERSION: &str = "c2sp.org/tlog-proof@v1";
/// Largest proof that is read: a checkpoint, the hashes, and room for the entry.
pub const MAX_PROOF_BYTES: u64 = MAX_CHECKPOINT_BYTES + 16 * 1024;

/// A proof as it stands in a file. Nothing in it is verified: see [`TlogProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The leaf of the log: the text of the entry.
    leaf: Vec<u8>,
    /// The place of the entry.
    index: u64,
    /// The hashes from the leaf's sibling up.
    hashes: Vec<crate::Digest>,
    /// The checkpoint, as it was signed.
    note: String,
}

/// An entry that stands in a log, at a checkpoint that a trusted key signed. Only [`TlogProof::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenEntry {
    /// Its place in the log.
    pub index: u64,
    /// What it says.
    pub entry: Entry,
    /// The checkpoint that vouches for it.
    pub checkpoint: Checkpoint,
    /// The cosignatures of the policy's witnesses, empty without a policy.
    pub cosignatures: Vec<Cosignature>,
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnprovenError {
    /// The text does not have the form.
    #[error("line {line} of the proof: {reason}; make a new one with `pg-logstats audit prove ID`")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The checkpoint in it is not believed.
    #[error("the checkpoint in the proof: {0}")]
    Checkpoint(#[from] NoteError),
    /// The checkpoint does not do what the policy asks for.
    #[error("the checkpoint in the proof: {0}")]
    Witnesses(#[from] WitnessedError),
    /// The hashes do not lead from the entry to the signed root.
    #[error("the entry in the proof is not in the log of the checkpoint: {0}")]
    Hashes(#[from] ProofError),
    /// The entry is in the log, and is none that this version knows.
    #[error(
        "the leaf in the proof is no entry of the form `{}`; a newer version may read it",
        crate::entry::ENTRY_VERSION
    )]
    UnknownEntry,
    /// The record handed in is not the one that the entry names.
    #[error("the proof is about record `{id}`, and the file is not that record: {what}")]
    Record {
        /// The id of the proven record.
        id: String,
        /// What is wrong with the file.
        what: String,
    },
}

impl TlogProof {
    /// Puts a proof together.
    pub(crate) fn new(entry: &Entry, inclusion: InclusionProof, checkpoint: &Checkpoint) -> Self {
        Self {
            leaf: entry.to_text().into_bytes(),
            index: inclusion.index,
            hashes: inclusion.hashes,
            note: checkpoint.note.clone(),
        }
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{VERSION}\nextra {}\nindex {}\n",
            STANDARD.encode(&self.leaf),
            self.index
        );
        for hash in &self.hashes {
            text.push_str(&STANDARD.encode(hash.0));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    /// Reads a proof. One proof has one spelling.
    pub fn parse(proof: &[u8]) -> Result<Self, UnprovenError> {
        if proof.len() as u64 > MAX_PROOF_BYTES {
            return Err(malformed(1, "the file is too large to be a proof"));
        }
        let text = plain_text(proof)?;
        let mut rest = text;
        let mut number = 0;
        let mut next = |missing: &'static str| {
            number += 1;
            let (line, after) = rest.split_once('\n').ok_or(malformed(number, missing))?;
            rest = after;
            Ok::<_, UnprovenError>((number, line))
        };
        let (number, version) = next("the file ends")?;
        if version != VERSION {
            return Err(malformed(number, "it is not `c2sp.org/tlog-proof@v1`"));
        }
        let (number, extra) = next("the line `extra` is missing")?;
        let extra = extra
            .strip_prefix("extra ")
            .ok_or(malformed(number, "it is not `extra base64`, which holds the entry"))?;
        let leaf = STANDARD
            .decode(extra)
            .map_err(|_| malformed(number, "the entry is not canonical base64"))?;
        let (number, index) = next("the line `index` is missing")?;
        let index = index.strip_prefix("index ").and_then(parse_decimal);
        let index = index.ok_or(malformed(number, "it is not `index` and a canonical decimal number"))?;
        let mut hashes = Vec::new();
        loop {
            let (number, line) = next("the empty line before the checkpoint is missing")?;
            if line.is_empty() {
                break;
            }
            if hashes.len() == MAX_HASHES {
                return Err(malformed(number, "there are more hashes than any log needs"));
            }
            hashes.push(parse_hash(line).ok_or(malformed(number, "it is not 32 bytes in canonical base64"))?);
        }
        Ok(Self {
            leaf,
            index,
            hashes,
            note: rest.to_owned(),
        })
    }

    /// The checkpoint in it, of which nothing is verified.
    pub fn unverified_checkpoint(&self) -> &str {
        &self.note
    }

    /// Verifies the proof: a trusted key signed the checkpoint for this log, the policy's quorum cosigned it (where there is
    /// a policy), and the entry stands at its place in that log (C2SP tlog-proof, "Verifying a tlog proof").
    pub fn verify(
        &self,
        origin: &str,
        keys: &TrustedKeys,
        policy: Option<&Policy>,
    ) -> Result<ProvenEntry, UnprovenError> {
        let note = self.note.as_bytes();
        let (checkpoint, cosignatures) = match policy {
            Some(policy) => policy.open(note, origin, keys)?.into_parts(),
            None => (open_checkpoint(note, origin, keys)?, Vec::new()),
        };
        let inclusion = InclusionProof {
            index: self.index,
            tree_size: checkpoint.size,
            hashes: self.hashes.clone(),
        };
        inclusion.verify(&leaf_hash(&self.leaf), &checkpoint.root)?;
        let entry = Entry::parse(&self.leaf).ok_or(UnprovenError::UnknownEntry)?;
        Ok(ProvenEntry {
            index: self.index,
            entry,
            checkpoint,
            cosignatures,
        })
    }
}

impl ProvenEntry {
    /// Whether these bytes are the record's file: its SHA-256 is the one of the entry, and a trusted key signed it. Gives
    /// the payload and the keys that signed.
    pub fn open_record(&self, record: &[u8], keys: &TrustedKeys) -> Result<(Vec<u8>, Vec<KeyId>), UnprovenError> {
        check_record(record, &self.entry, keys).map_err(|what| UnprovenError::Record {
            id: self.entry.id.clone(),
            what,
        })
    }
}

fn malformed(line: usize, reason: &'static str) -> UnprovenError {
    UnprovenError::Malformed { line, reason }
}
