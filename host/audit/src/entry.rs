//! Entries: the leaves of the log, and the bundles in which they are stored.
//!
//! **In**: what a record is about and the digest of its file. **Out**: the leaf text, and back. **Trusted**: nothing; a
//! bundle that was read is compared with the signed root by the caller. **Can fail**: reading what is not canonical.
//!
//! ```text
//! pg-logstats audit entry v1
//! kind run_sql_intent
//! id in_7k2m
//! incident inc_04d1
//! created_us 1766448000000000
//! payload_type application/vnd.pg-logstats.run_sql_intent+json
//! sha256 <SHA-256 of the bytes of the record's DSSE file, 64 lower-case hex digits>
//! ```
//! Every line ends with a line feed; `incident -` says that the record belongs to none. One entry has one spelling: the
//! reader writes what it read again and compares.
//!
//! A bundle is a file of up to 256 entries, each after its length as two bytes, big-endian (C2SP tlog-tiles).

use serde::Serialize;

use crate::digest::Digest;
use crate::merkle::TILE_WIDTH;

/// First line of every entry.
pub const ENTRY_VERSION: &str = "pg-logstats audit entry v1";
/// Largest bundle: no entry of ours comes near its share of this.
pub(crate) const MAX_BUNDLE_BYTES: u64 = TILE_WIDTH * 1024;

/// What an entry of the log says about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What kind of record it is, for example `run_sql_intent`.
    pub kind: String,
    /// The id of the record, unique in the log.
    pub id: String,
    /// The incident the record belongs to.
    pub incident: Option<String>,
    /// When the record was made, by the clock of the machine, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// Media type of the payload.
    pub payload_type: String,
    /// SHA-256 of the bytes of the record's DSSE file.
    pub digest: Digest,
}

impl Entry {
    /// The leaf text.
    pub fn to_text(&self) -> String {
        format!(
            "{ENTRY_VERSION}\nkind {}\nid {}\nincident {}\ncreated_us {}\npayload_type {}\nsha256 {}\n",
            self.kind,
            self.id,
            self.incident.as_deref().unwrap_or("-"),
            self.created_us,
            self.payload_type,
            self.digest
        )
    }

    /// Reads a leaf; `None` unless it is canonical.
    pub fn parse(leaf: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(leaf).ok()?;
        let mut lines = text.split('\n');
        if lines.next()? != ENTRY_VERSION {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let entry = Self {
            kind: field("kind")?.to_owned(),
            id: field("id")?.to_owned(),
            incident: Some(field("incident")?)
                .filter(|incident| *incident != "-")
                .map(str::to_owned),
            created_us: field("created_us")?.parse().ok()?,
            payload_type: field("payload_type")?.to_owned(),
            digest: Digest::from_hex(field("sha256")?)?,
        };
        let valid = is_kind(&entry.kind)
            && is_id(&entry.id)
            && entry.incident.as_deref().is_none_or(is_id)
            && entry.payload_type == payload_type(&entry.kind)
            && entry.to_text() == text;
        valid.then_some(entry)
    }
}

/// Whether a text is an id: two to four letters, `_`, one to forty digits and letters, all lower case. So it is never a path.
pub fn is_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(prefix, rest)| {
        (2..=4).contains(&prefix.len())
            && prefix.bytes().all(|c| c.is_ascii_lowercase())
            && (1..=40).contains(&rest.len())
            && rest.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

/// Whether a text is a kind: one to forty lower-case letters, digits and `_`, beginning with a letter.
pub fn is_kind(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

/// Media type of the records of a kind.
pub fn payload_type(kind: &str) -> String {
    format!("application/vnd.pg-logstats.{kind}+json")
}

/// Adds an entry to a bundle.
pub(crate) fn push_to_bundle(bundle: &mut Vec<u8>, leaf: &str) -> bool {
    let Ok(length) = u16::try_from(leaf.len()) else {
        return false;
    };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf.as_bytes());
    true
}

/// The leaves of a bundle; a `None` ends it where the bundle is cut short.
pub(crate) fn split_bundle(bundle: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = Some(bundle);
    std::iter::from_fn(move || {
        let bytes = rest.take().filter(|bytes| !bytes.is_empty())?;
        let leaf = bytes.split_first_chunk::<2>().and_then(|(length, after)| {
            let (leaf, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = Some(after);
            Some(leaf)
        });
        Some(leaf)
    })
}

#[cfg(test)]
mod tests;
