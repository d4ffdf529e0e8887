//! The audit trail: records sealed with DSSE, in a C2SP tiled transparency log with signed checkpoints.
//!
//! **In**: records as JSON, a [`keys::Signer`], a folder handle. **Out**: receipts that a record is durable, verified
//! records, and a report on the whole trail that needs nothing but a public key. **Trusted**: the keys that the caller
//! names, and nothing that lies in the folder. **Can fail**: [`AuditError`], [`keys::KeyError`], [`dsse::DsseError`].
//!
//! Read in this order: [`dsse`] (one record), [`entry`] (what the log says about it), [`merkle`] (the tree over the
//! entries), [`note`] (the signed checkpoint), [`keychange`] (whose key it is), [`log`] (how an append survives a crash),
//! [`verify`](mod@verify) (what an auditor runs).
//! Then what others hold against us: [`proof`] (one record, or growth), [`since`] (an earlier checkpoint), [`cosignature`],
//! [`policy`] and [`witness`] (somebody else has seen it).
//! Hashing, tiles, notes and envelopes are implemented here, so that they can be read here; the tests check the output
//! with implementations that are not ours.
//!
//! Nothing here opens a path by itself: the caller hands in a [`cap_std::fs::Dir`], and no link is followed. The kernel's boot
//! id is the one exception (`files.rs`).
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test may panic"
    )
)]

pub mod cosignature;
pub mod digest;
pub mod dsse;
mod edge;
pub mod entry;
mod error;
mod files;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod journal;
pub mod keychange;
pub mod keys;
mod layout;
pub mod log;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod proof;
pub mod since;
mod snapshot;
pub mod verify;
pub mod vkey;
pub mod witness;

pub use cosignature::Cosignature;
pub use digest::Digest;
pub use entry::Entry;
pub use error::AuditError;
pub use keychange::{KeyChange, KeyHistory, KeyPeriod};
pub use keys::{FileKey, KeyId, PrivateKey, PublicKey, Signer, TrustedKeys};
pub use log::{Collected, Log, LogOptions, NewRecord, Placement, Recovered, Sealed, prove};
pub use note::Checkpoint;
pub use policy::{Policy, Witnessed};
pub use proof::{ConsistencyProof, InclusionProof, ProvenEntry, TlogProof};
pub use since::{Growth, verify_since};
pub use snapshot::{Entries, IndexedEntry, MAX_PAYLOAD_BYTES, VerifiedRecord};
pub use verify::{Note, Problem, VerifyReport, verify};
pub use vkey::{LogKey, WitnessKey};
pub use witness::{AddCheckpoint, Answer, Witness};
