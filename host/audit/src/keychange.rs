//! The keys of a log over its life: which one was in force at which entry.
//!
//! **In**: the records of the kind [`KIND`] in a log, and the keys that a reader trusts. **Out**: a `KeyChain`. **Trusted**: only those
//! keys, and what follows from them. **Can fail**: nothing; a change that proves nothing changes nothing, and its record fails
//! verification like any other that is not what its entry says.
//!
//! A log begins with one key. A *rotation* is a record that both keys have signed: whoever trusts one of the two learns the other from it,
//! so an auditor who has any key of the chain has them all, the first as well as the newest. From the next entry on the new key alone
//! counts, for records and for checkpoints. A key that is known to have been in wrong hands is *declared compromised* from an index on,
//! by a record under a later key.
//!
//! The chain is found before anything else is verified, because the newest key is needed for the checkpoint. That is sound: every record
//! that the chain stands on carries signatures which are checked here, and is compared with its entry, and its entry with the signed
//! root, when the whole is verified afterwards. What no chain can tell is a fork by somebody who holds an *old* key from a log whose
//! auditor knows only that old key; an earlier checkpoint, or a witness, does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::dsse::{self, Envelope};
use crate::edge::RawEdge;
use crate::entry::{Entry, MAX_BUNDLE_BYTES, split_bundle};
use crate::files::FileLayer;
use crate::keys::{KeyId, PublicKey, TrustedKeys};
use crate::layout;
use crate::merkle::TILE_WIDTH;
use crate::snapshot::MAX_RECORD_BYTES;

/// Kind of the records that change the log's own key.
pub const KIND: &str = "log_key";

/// A change of the log's own key: the member `body.detail` of the record's payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum KeyChange {
    /// From the next entry on another key signs. The record has the signatures of both.
    Rotated {
        /// Id of the key that signed until now.
        from: String,
        /// That key, as SPKI PEM.
        from_public_key: String,
        /// Id of the key that signs from now on.
        to: String,
        /// That key, as SPKI PEM.
        to_public_key: String,
        /// Why, for people.
        reason: String,
    },
    /// What stands under a key proves nothing from an index on.
    Compromised {
        /// Id of the key.
        key_id: String,
        /// The first entry that is not to be relied on.
        since_index: u64,
        /// Why, for people.
        reason: String,
    },
}

impl std::fmt::Display for KeyChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rotated { from, to, reason, .. } => {
                write!(f, "gives the log the key {to} in place of {from}: {reason}")
            }
            Self::Compromised {
                key_id,
                since_index,
                reason,
            } => write!(
                f,
                "declares the key {key_id} compromised from index {since_index} on: {reason}"
            ),
        }
    }
}

/// What the payload of such a record has, among other members.
#[derive(Deserialize)]
struct Payload {
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    detail: KeyChange,
}

impl KeyChange {
    /// The change that a payload states.
    pub fn of_payload(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Payload>(payload).ok().map(|it| it.body.detail)
    }
}

/// When a key was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyPeriod {
    /// The key.
    pub key_id: KeyId,
    /// The first entry under it.
    pub first_index: u64,
    /// The last entry under it: the record of its rotation. None for the key that is in force.
    pub last_index: Option<u64>,
    /// The first entry under it that is not to be relied on, if it was declared compromised.
    pub compromised_since: Option<u64>,
}

/// The keys of a log, as far as they follow from those that a reader trusts.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyChain {
    /// What counts where no rotation is known.
    trusted: TrustedKeys,
    /// In the order of the log; empty without a rotation.
    links: Vec<Link>,
    /// By the key.
    compromised: BTreeMap<KeyId, u64>,
}

/// A rotation whose two signatures verify.
#[derive(Debug, Clone)]
struct Link {
    index: u64,
    from: TrustedKeys,
    to: TrustedKeys,
}

impl KeyChain {
    /// The chain of `trusted` keys through the `changes` of a log.
    pub(crate) fn new(trusted: &TrustedKeys, changes: &[FoundChange]) -> Self {
        let rotations: Vec<Link> = changes.iter().filter_map(FoundChange::rotation).collect();
        let known = |keys: &TrustedKeys| keys.iter().any(|key| trusted.iter().any(|it| it == key));
        // Around the first rotation that has a key of ours, as far as each ends where the next begins.
        let links = rotations
            .iter()
            .position(|it| known(&it.from) || known(&it.to))
            .map(|anchor| {
                let mut links: Vec<Link> = rotations.get(anchor..=anchor).unwrap_or_default().to_vec();
                for earlier in rotations.get(..anchor).unwrap_or_default().iter().rev() {
                    if links.first().is_some_and(|first| first.from == earlier.to) {
                        links.insert(0, earlier.clone());
                    }
                }
                for later in rotations.get(anchor + 1..).unwrap_or_default() {
                    if links.last().is_some_and(|last| last.to == later.from) {
                        links.push(later.clone());
                    }
                }
                links
            });
        let mut chain = Self {
            trusted: trusted.clone(),
            links: links.unwrap_or_default(),
            compromised: BTreeMap::new(),
        };
        for change in changes {
            if let Some((key_id, since)) = chain.declaration(change) {
                let known = chain.compromised.entry(key_id).or_insert(since);
                *known = since.min(*known);
            }
        }
        chain
    }

    /// A declaration counts under the key in force, unless that is the one that it is about.
    fn declaration(&self, change: &FoundChange) -> Option<(KeyId, u64)> {
        let KeyChange::Compromised {
            key_id, since_index, ..
        } = &change.change
        else {
            return None;
        };
        let opened = dsse::open(&change.envelope, self.at(change.index)).ok()?;
        let about = self.all().find(|key| key.key_id().as_str() == key_id)?.key_id();
        (!opened.signers.contains(about)).then(|| (about.clone(), *since_index))
    }

    /// Every key of the chain, and those that the reader trusts anyway.
    pub(crate) fn every_key(&self) -> TrustedKeys {
        TrustedKeys::new(self.all().cloned())
    }

    fn all(&self) -> impl Iterator<Item = &PublicKey> {
        let linked = self.links.iter().flat_map(|it| it.from.iter().chain(it.to.iter()));
        self.trusted.iter().chain(linked)
    }

    /// The keys that count for the record at `index`.
    pub(crate) fn at(&self, index: u64) -> &TrustedKeys {
        match self.links.iter().find(|it| index <= it.index) {
            Some(link) => &link.from,
            None => self.newest(),
        }
    }

    /// The keys that count for the newest checkpoint.
    pub(crate) fn newest(&self) -> &TrustedKeys {
        self.links.last().map_or(&self.trusted, |last| &last.to)
    }

    /// The index from which on `key_id` proves nothing.
    pub(crate) fn compromised_since(&self, key_id: &KeyId) -> Option<u64> {
        self.compromised.get(key_id).copied()
    }

    /// The keys one after the other. `newest` signed the checkpoint.
    pub(crate) fn periods(&self, newest: &[KeyId]) -> Vec<KeyPeriod> {
        let mut periods = Vec::new();
        let mut first_index = 0;
        let mut add = |key_id: &KeyId, last_index: Option<u64>| {
            periods.push(KeyPeriod {
                key_id: key_id.clone(),
                first_index,
                last_index,
                compromised_since: self.compromised_since(key_id),
            });
            first_index = last_index.map_or(first_index, |last| last + 1);
        };
        for link in &self.links {
            link.from.iter().for_each(|key| add(key.key_id(), Some(link.index)));
        }
        newest.iter().for_each(|key_id| add(key_id, None));
        periods
    }
}

/// A record of the kind [`KIND`], as it lies there; of its entry nothing is verified yet.
#[derive(Debug, Clone)]
pub(crate) struct FoundChange {
    index: u64,
    change: KeyChange,
    envelope: Envelope,
}

impl FoundChange {
    fn of_file(file: &[u8], index: u64) -> Option<Self> {
        let envelope = Envelope::parse(file).ok()?;
        let payload = envelope.unverified_payload().ok()?;
        Some(Self {
            index,
            change: KeyChange::of_payload(&payload)?,
            envelope,
        })
    }

    /// The place of its record.
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    /// The link that a rotation makes, if both keys signed it.
    fn rotation(&self) -> Option<Link> {
        let KeyChange::Rotated {
            from,
            from_public_key,
            to,
            to_public_key,
            ..
        } = &self.change
        else {
            return None;
        };
        let key = |pem: &str, id: &str| PublicKey::from_pem(pem).ok().filter(|key| key.key_id().as_str() == id);
        let (old, new) = (key(from_public_key, from)?, key(to_public_key, to)?);
        let opened = dsse::open(&self.envelope, &TrustedKeys::new([old.clone(), new.clone()])).ok()?;
        (opened.signers.len() == 2).then(|| Link {
            index: self.index,
            from: old.into(),
            to: new.into(),
        })
    }
}

/// Bundles in a row that may be missing before a log counts as shorter than it says: a size is a number that anybody can write.
const MISSING_BUNDLES: u32 = 1_000;

/// The keys of a log, for who has its records without the log: as in [`verify`](mod@crate::verify), whoever trusts one of them has them all.
#[derive(Debug, Clone)]
pub struct KeyHistory(KeyChain);

impl KeyHistory {
    /// The keys that follow from `trusted` and from the `files` of records of the kind [`KIND`], each with its index, in the order of the
    /// log. A file that proves nothing changes nothing.
    pub fn new<'a>(trusted: &TrustedKeys, files: impl IntoIterator<Item = (u64, &'a [u8])>) -> Self {
        let found = files
            .into_iter()
            .filter_map(|(index, file)| FoundChange::of_file(file, index));
        Self(KeyChain::new(trusted, &found.collect::<Vec<_>>()))
    }

    /// Whether the file of a record states a change of the log's key; nobody vouches for it.
    pub fn is_change(file: &[u8]) -> bool {
        FoundChange::of_file(file, 0).is_some()
    }

    /// The keys that count for the record at `index`.
    pub fn at(&self, index: u64) -> &TrustedKeys {
        self.0.at(index)
    }

    /// The keys that count for the newest checkpoint.
    pub fn newest(&self) -> &TrustedKeys {
        self.0.newest()
    }

    /// The index from which on `key_id` proves nothing, if it was declared compromised.
    pub fn compromised_since(&self, key_id: &KeyId) -> Option<u64> {
        self.0.compromised_since(key_id)
    }
}

/// Looks through the entries of a log for changes of its key, and goes on where it was when the log has grown.
#[derive(Debug, Default)]
pub(crate) struct ChangeScan {
    /// Full bundles that were looked through.
    bundles: u64,
    found: Vec<FoundChange>,
}

impl ChangeScan {
    /// The changes in a log of the size of `edge`, which nobody vouches for yet. A bundle that cannot be read has none: that it cannot be
    /// read is told elsewhere.
    pub(crate) fn changes(&mut self, files: &dyn FileLayer, edge: &RawEdge) -> Vec<FoundChange> {
        let mut missing = 0;
        while self.bundles < edge.size / TILE_WIDTH && missing < MISSING_BUNDLES {
            match files.read(&layout::bundle(self.bundles, TILE_WIDTH), MAX_BUNDLE_BYTES) {
                Ok(bytes) => {
                    self.found.extend(changes_in(files, &bytes, self.bundles * TILE_WIDTH));
                    missing = 0;
                }
                Err(_) => missing += 1,
            }
            self.bundles += 1;
        }
        let mut changes = self.found.clone();
        if let Some(Ok(bytes)) = &edge.bundle {
            let start = edge.size - edge.size % TILE_WIDTH;
            changes.extend(changes_in(files, bytes, start));
        }
        changes
    }
}

fn changes_in(files: &dyn FileLayer, bundle: &[u8], start: u64) -> Vec<FoundChange> {
    let header = format!("{}\nkind {KIND}\n", crate::entry::ENTRY_VERSION);
    // Nobody vouches for `start`, which may be the last number there is.
    let changes = split_bundle(bundle).zip(0..).filter_map(|(leaf, at)| {
        let entry = leaf
            .filter(|leaf| leaf.starts_with(header.as_bytes()))
            .and_then(Entry::parse)?;
        let index = start.checked_add(at)?;
        let record = files.read(&layout::record(&entry.id, index), MAX_RECORD_BYTES).ok()?;
        change_in(&entry, index, &record)
    });
    changes.collect()
}

/// The change that a record states, if it is of that kind and its entry's.
pub(crate) fn change_in(entry: &Entry, index: u64, record: &[u8]) -> Option<FoundChange> {
    if entry.kind != KIND || Digest::of(record) != entry.digest {
        return None;
    }
    FoundChange::of_file(record, index)
}

/// Whether the file of a record states a rotation that is none, because not both keys signed it or they are not those that it names.
pub(crate) fn states_no_rotation(file: &[u8]) -> bool {
    FoundChange::of_file(file, 0)
        .is_some_and(|found| matches!(found.change, KeyChange::Rotated { .. }) && found.rotation().is_none())
}

#[cfg(test)]
mod tests;
