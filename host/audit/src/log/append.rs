//! Appending: steps J1 to J3 of the protocol in [`crate::log`], and the order of the others.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::de::IgnoredAny;

use super::lock::Access;
use super::threads::Sealing;
use super::tip::{Pending, Tip};
use super::{Locked, Log, State};
use crate::digest::Digest;
use crate::dsse;
use crate::entry::{Entry, is_id, is_kind, payload_type};
use crate::error::AuditError;
use crate::journal::{self, FRAMES_START, Frame};
use crate::keys::Signer;
use crate::layout;
use crate::note::Checkpoint;
use crate::snapshot::{MAX_PAYLOAD_BYTES, record_indexes};

/// A record to append.
#[derive(Debug, Clone, Copy)]
pub struct NewRecord<'a> {
    /// Its id, see [`is_id`]; no other record of the log may have it.
    pub id: &'a str,
    /// Its kind, see [`is_kind`].
    pub kind: &'a str,
    /// The id of the incident it belongs to.
    pub incident: Option<&'a str>,
    /// When it was made, in microseconds since the Unix epoch.
    pub created_us: i64,
    /// What is sealed: JSON.
    pub payload: &'a [u8],
}

/// Where a record is going to stand, for a payload that says so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Its index in the log.
    pub index: u64,
    /// Root of the log before it, over `index` entries.
    pub previous_root: Digest,
}

/// The receipt of a durable append.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// Index of the record.
    pub index: u64,
    /// Entries in the log with it.
    pub tree_size: u64,
    /// Root of the log with it.
    pub root: Digest,
    /// SHA-256 of the record's DSSE file.
    pub record_digest: Digest,
}

/// Kind, id, incident and time of a record.
type Header<'a> = (&'a str, &'a str, Option<&'a str>, i64);

/// A sealed record.
struct Made {
    entry: Entry,
    /// The text of the entry.
    leaf: String,
    /// Bytes of its DSSE file.
    record: Vec<u8>,
}

/// Which record goes into a frame, and the lock under which it is written.
struct Writing<'a> {
    id: &'a str,
    /// Who signs from the next record on.
    successor: Option<&'a dyn Signer>,
    locked: &'a Locked,
}

impl Log {
    /// Seals a record and appends it. It is durable when this returns. When this fails, nobody was told of it: it is not in
    /// the log, or, after [`AuditError::NotDurable`] and [`AuditError::Unpublished`], it may be there or come there.
    pub fn append(&self, record: &NewRecord<'_>) -> Result<Sealed, AuditError> {
        let NewRecord {
            id,
            kind,
            incident,
            created_us,
            payload,
        } = *record;
        // Sealed before the lock is asked for: what it says does not depend on where it is going to stand.
        let header = (kind, id, incident, created_us);
        check_header(kind, id, incident)?;
        let sealing = self.threads.seal();
        let made = self.make(header, payload, None)?;
        self.append_made(header, |_| Ok(made), None, sealing)
    }

    /// [`Log::append`] for a payload that needs to know where it is going to stand. `payload` is called under the lock of
    /// the log, once, and must not use the log.
    pub fn append_with(
        &self,
        kind: &str,
        id: &str,
        incident: Option<&str>,
        created_us: i64,
        payload: impl FnOnce(Placement) -> Result<Vec<u8>, serde_json::Error>,
    ) -> Result<Sealed, AuditError> {
        self.append_placed((kind, id, incident, created_us), payload, None)
    }

    /// The record that gives the log another key: signed by the key in force and by `successor`, under the first checkpoint of
    /// `successor` alone. This log must have been opened with `successor` among the trusted keys. Afterwards it appends nothing any
    /// more: open it anew, under the new key. `payload` is a [`crate::KeyChange::Rotated`], as [`crate::keychange`] says.
    pub fn rotate(
        &self,
        successor: &dyn Signer,
        id: &str,
        created_us: i64,
        payload: impl FnOnce(Placement) -> Result<Vec<u8>, serde_json::Error>,
    ) -> Result<Sealed, AuditError> {
        self.append_placed((crate::keychange::KIND, id, None, created_us), payload, Some(successor))
    }

    fn append_placed(
        &self,
        header: Header<'_>,
        payload: impl FnOnce(Placement) -> Result<Vec<u8>, serde_json::Error>,
        successor: Option<&dyn Signer>,
    ) -> Result<Sealed, AuditError> {
        let (kind, id, incident, _) = header;
        check_header(kind, id, incident)?;
        let make = |placement| {
            let payload =
                payload(placement).map_err(|error| bad_record(id, format!("its payload has no JSON form: {error}")))?;
            self.make(header, &payload, successor)
        };
        self.append_made(header, make, successor, self.threads.seal())
    }

    fn append_made(
        &self,
        (_, id, ..): Header<'_>,
        make: impl FnOnce(Placement) -> Result<Made, AuditError>,
        successor: Option<&dyn Signer>,
        sealing: Sealing<'_>,
    ) -> Result<Sealed, AuditError> {
        let (sealed, journal) = {
            let mut state = self.state();
            self.refuse_after_failure()?;
            let locked = self.lock(&mut state, Access::Alone)?;
            let (published, mut tip) = self.follow(&mut state, &locked)?;
            // What is durable already, of a thread that waits for the lock or could not publish: now, or nothing more.
            let durable = self.durable.load(Ordering::Acquire).min(tip.edge.size());
            if durable > published.size {
                let published = self.current_with(&mut state, Some(&mut tip))?;
                state.snapshot = Some(self.publish(&published, &mut tip, durable, &locked)?);
            }
            let writing = Writing {
                id,
                successor,
                locked: &locked,
            };
            let sealed = self.seal_into_journal(&mut state, &mut tip, writing, make);
            let journal = Arc::clone(&tip.file);
            state.tip = Some(tip);
            (sealed?, journal)
        };
        drop(sealing);
        self.commit(&journal, sealed.tree_size, |error| {
            AuditError::unpublished(id, sealed.index, error)
        })?;
        Ok(sealed)
    }

    /// Seals a record.
    fn make(
        &self,
        (kind, id, incident, created_us): Header<'_>,
        payload: &[u8],
        successor: Option<&dyn Signer>,
    ) -> Result<Made, AuditError> {
        check_payload(payload).map_err(|what| bad_record(id, what))?;
        let mut envelope = dsse::seal(self.signer.as_ref(), &payload_type(kind), payload)?;
        if let Some(successor) = successor {
            dsse::countersign(&mut envelope, successor)?;
        }
        // A signer that is not ours may be wrong; what it signed must verify before anybody relies on it.
        dsse::open_one_of_many(&envelope, &self.trusted, &mut self.verifier())?;
        let record = envelope.to_bytes()?;
        let entry = Entry {
            kind: kind.to_owned(),
            id: id.to_owned(),
            incident: incident.map(str::to_owned),
            created_us,
            payload_type: payload_type(kind),
            digest: Digest::of(&record),
        };
        let leaf = entry.to_text();
        Ok(Made { entry, leaf, record })
    }

    /// J3: seals the record behind the tip, unless it is sealed already, and writes its frame.
    fn seal_into_journal(
        &self,
        state: &mut State,
        tip: &mut Tip,
        Writing { id, successor, locked }: Writing<'_>,
        make: impl FnOnce(Placement) -> Result<Made, AuditError>,
    ) -> Result<Sealed, AuditError> {
        self.check_in_force(&tip.checkpoint)?;
        if let Some(index) = self.index_of(state, tip, id)? {
            return Err(AuditError::DuplicateId {
                id: id.to_owned(),
                index,
            });
        }
        let index = tip.edge.size();
        let placement = Placement {
            index,
            previous_root: tip.checkpoint.root,
        };
        let Made { entry, leaf, record } = make(placement)?;
        let mut edge = tip.edge.clone();
        edge.push(&leaf)
            .ok_or_else(|| bad_record(id, "its entry is too long".to_owned()))?;
        let signer = successor.unwrap_or(self.signer.as_ref());
        let checkpoint = self.sign_checkpoint(signer, edge.size(), &edge.root())?;
        let sealed = Sealed {
            index,
            tree_size: edge.size(),
            root: checkpoint.root,
            record_digest: entry.digest,
        };

        let note = checkpoint.note.clone();
        let frame = Frame { note, leaf, record };
        let end = tip.place.offset.saturating_add(frame.room());
        if end > self.journal_bytes && tip.place.offset > FRAMES_START {
            let published = self.current_with(state, Some(tip))?;
            state.snapshot = Some(self.trim(&published, tip, locked)?);
        }
        let files = self.files.as_ref();
        let after = journal::write_frame(files, &tip.file, tip.place, &frame).map_err(|error| {
            // Its content is still with the caller.
            let _next_writer_finds_it_torn = journal::erase(files, &tip.file, tip.place);
            AuditError::io("write", layout::JOURNAL, error)
        })?;
        tip.pending.push_back(Pending {
            index,
            entry,
            root: checkpoint.root,
            own: Some(checkpoint.clone()),
            place: tip.place,
        });
        (tip.edge, tip.checkpoint, tip.place) = (edge, checkpoint, after);
        self.written.store(sealed.tree_size, Ordering::Release);
        Ok(sealed)
    }

    /// Whoever signs must be who signed before, or else the trail ends where the key changed without a word.
    fn check_in_force(&self, newest: &Checkpoint) -> Result<(), AuditError> {
        match newest.signers.contains(self.signer.key_id()) {
            true => Ok(()),
            false => Err(AuditError::OtherKey {
                in_force: newest
                    .signers
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
                ours: self.signer.key_id().clone(),
            }),
        }
    }

    /// The index of the record with this id, published or not.
    fn index_of(&self, state: &mut State, tip: &mut Tip, id: &str) -> Result<Option<u64>, AuditError> {
        if let Some(frame) = tip.pending.iter().find(|frame| frame.entry.id == id) {
            return Ok(Some(frame.index));
        }
        for index in record_indexes(self.files.as_ref(), id)? {
            let published = self.current_with(state, Some(tip))?;
            if published.has(self.files.as_ref(), id, index)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

fn bad_record(id: &str, what: String) -> AuditError {
    AuditError::BadRecord {
        id: id.to_owned(),
        what,
    }
}

fn check_header(kind: &str, id: &str, incident: Option<&str>) -> Result<(), AuditError> {
    for id in std::iter::once(id).chain(incident) {
        if !is_id(id) {
            return Err(AuditError::BadId { id: id.to_owned() });
        }
    }
    if !is_kind(kind) {
        let what = format!(
            "`{}` is not a kind: up to 40 lower-case letters, digits and `_`",
            kind.escape_debug()
        );
        return Err(bad_record(id, what));
    }
    Ok(())
}

fn check_payload(payload: &[u8]) -> Result<(), String> {
    if payload.len() as u64 > MAX_PAYLOAD_BYTES {
        return Err(format!(
            "its payload has {} bytes, at most {MAX_PAYLOAD_BYTES} are allowed",
            payload.len()
        ));
    }
    let json: Result<IgnoredAny, _> = serde_json::from_slice(payload);
    json.map(|_| ())
        .map_err(|error| format!("its payload is not JSON: {error}"))
}

#[cfg(test)]
mod tests;
