//! PostgreSQL log bytes to [`evidence::Evidence`].
//!
//! ```text
//! Source ─► Reader ─► Block ─► Layout::parse ─► Entry ─► Worker ─► Findings ─► Ledger ─► Part ─► Evidence
//!           one thread at a time   └──────── every thread ────────┘   in order of the blocks
//! ```
//!
//! **In**: files, folders and streams that the caller opened ([`Source`]); no path is opened here. Formats (stderr with any
//! `log_line_prefix`, csvlog, jsonlog), compression, archives and envelopes are told from the bytes. **Out**: [`evidence::Evidence`] by [`analyse`].
//! **Trusted**: nothing in a log. Anyone who can reach the database can write log text: memory is bounded on any input, nothing
//! panics, and text cannot make entries where the format makes that decidable. **Can fail**: [`LogError`]; what can be analysed
//! in part is, and the evidence's `unparsed` and `limitations` say what is missing.

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

mod account;
mod analysis;
mod bytes;
pub mod compare;
mod durations;
mod entry;
mod envelope;
mod error;
mod events;
pub mod evidence;
mod foreign;
mod format;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod instant;
mod interner;
mod ledger;
mod limitations;
mod marks;
mod message;
pub mod normalise;
mod observation;
mod part;
pub mod prefix;
mod reader;
mod redaction;
mod severity;
mod shapes;
mod source;
mod worker;

pub use analysis::{Options, Progress, analyse, reduce};
pub use compare::compare;
pub use error::{LogError, NoLog};
pub use part::{Common, Counted, Overlap, Part, PartError};
pub use redaction::{REDACTED, Redaction, RedactionError, TextClass};
pub use source::Source;
