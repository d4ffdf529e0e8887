//! The beginning of a log, by which the same log is told wherever it lies and however it is stored.
//!
//! **In**: its first entries. **Out**: a digest of their instants, processes and severities, if there are enough of them that no
//! two servers have them in common: the fewest that are enough, so that a log has the same beginning after it has grown.
//! **Trusted**: nothing; whoever can write a log can give it the beginning of another one.
//!
//! Instants and not bytes: compressed, in an envelope or as csv, it is the same log; and a digest of statements could be used to
//! try values. Two servers that were started by one command, and have the same process ids in their containers, agree for some
//! seconds in their first lines, but not to the millisecond.

use sha2::{Digest as _, Sha256};

use crate::entry::Entry;

/// What makes a beginning that is no accident: three milliseconds, or eight seconds.
const ENOUGH: u32 = 8;
/// Worth of an instant that has a fraction of a second.
const FINE: u32 = 3;
/// Worth of one that has none.
const COARSE: u32 = 1;
/// So many entries are enough, whatever their instants: the processes are in them.
const ENOUGH_ENTRIES: u32 = 64;
/// Bytes of the digest that are kept.
const DIGEST_BYTES: usize = 16;

/// Reads entries up to the end of the beginning.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    hasher: Sha256,
    worth: u32,
    entries: u32,
    last_us: Option<i64>,
}

impl Beginning {
    /// The next entry.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        let Some(stamp) = entry.at.filter(|_| !self.is_enough()) else {
            return;
        };
        if self.last_us != Some(stamp.at_us) {
            let is_fine = stamp.at_us.rem_euclid(1_000_000) != 0;
            self.worth += if is_fine { FINE } else { COARSE };
        }
        self.last_us = Some(stamp.at_us);
        self.entries += 1;
        self.hasher.update(stamp.at_us.to_be_bytes());
        self.hasher.update(entry.pid.unwrap_or(0).to_be_bytes());
        self.hasher.update(entry.severity.name());
    }

    fn is_enough(&self) -> bool {
        self.worth >= ENOUGH || self.entries >= ENOUGH_ENTRIES
    }

    /// In hexadecimal; none if there was too little.
    pub(crate) fn digest(self) -> Option<String> {
        if !self.is_enough() {
            return None;
        }
        let digest = self.hasher.finalize();
        Some(
            digest
                .iter()
                .take(DIGEST_BYTES)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }
}

/// Whether a text has the form of one.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == 2 * DIGEST_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
