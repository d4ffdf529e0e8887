//! Appending: steps A3 to A8 of the protocol in [`crate::log`].

use std::fs::File;
use std::io;
use std::sync::Arc;

use serde::Serialize;
use serde::de::IgnoredAny;

use super::{Locked, Log, State, recovery};
use crate::digest::Digest;
use crate::dsse;
use crate::edge::TreeFile;
use crate::entry::{Entry, is_id, is_kind, payload_type};
use crate::error::AuditError;
use crate::files::FileLayer;
use crate::layout;
use crate::note::sign_checkpoint;
use crate::snapshot::{MAX_PAYLOAD_BYTES, Snapshot, record_indexes};

/// Mode of a record: nobody writes to it again.
pub(crate) const RECORD_MODE: u32 = 0o444;
/// Mode of tiles and checkpoints.
const TREE_MODE: u32 = 0o644;

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

impl Log {
    /// Seals a record and appends it. It is durable when this returns; when this fails, it is not in the log.
    pub fn append(&self, record: &NewRecord<'_>) -> Result<Sealed, AuditError> {
        let NewRecord {
            id,
            kind,
            incident,
            created_us,
            payload,
        } = *record;
        self.append_with(kind, id, incident, created_us, |_| Ok(payload.to_vec()))
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
        check_header(kind, id, incident)?;
        let mut state = self.state();
        let locked = self.lock(File::try_lock)?;
        let before = self.settle(&mut state, &locked)?;
        let files = self.files.as_ref();
        if let Some(index) = self.index_of(&before, id)? {
            return Err(AuditError::DuplicateId {
                id: id.to_owned(),
                index,
            });
        }

        let index = before.checkpoint.size;
        let bad = |what: String| AuditError::BadRecord {
            id: id.to_owned(),
            what,
        };
        let payload = payload(Placement {
            index,
            previous_root: before.checkpoint.root,
        })
        .map_err(|error| bad(format!("its payload has no JSON form: {error}")))?;
        check_payload(&payload).map_err(bad)?;
        let envelope = dsse::seal(self.signer.as_ref(), &payload_type(kind), &payload)?;
        // A signer that is not ours may be wrong; what it signed must verify before anybody relies on it.
        dsse::open(&envelope, &self.trusted)?;
        let bytes = envelope.to_bytes()?;
        let entry = Entry {
            kind: kind.to_owned(),
            id: id.to_owned(),
            incident: incident.map(str::to_owned),
            created_us,
            payload_type: payload_type(kind),
            digest: Digest::of(&bytes),
        };

        stage(files, &entry, index, &bytes)?;
        match self.commit(&mut state, &before, &entry, &locked) {
            Ok(sealed) => Ok(sealed),
            Err(error) => {
                // Best effort: what cannot be cleared now is cleared by whoever takes the lock next.
                state.snapshot = None;
                if let Ok(now) = self.current(&mut state) {
                    let _moved_aside = recovery::recover(files, &now, &locked);
                }
                Err(error)
            }
        }
    }

    /// Steps A4 to A8, for a record that is staged.
    fn commit(
        &self,
        state: &mut State,
        before: &Snapshot,
        entry: &Entry,
        _locked: &Locked,
    ) -> Result<Sealed, AuditError> {
        let files = self.files.as_ref();
        let index = before.checkpoint.size;
        publish_record(files, &entry.id, index)?;

        let mut edge = before.edge.clone();
        let too_long = || AuditError::BadRecord {
            id: entry.id.clone(),
            what: "its entry is too long".to_owned(),
        };
        let written = edge.push(&entry.to_text()).ok_or_else(too_long)?;
        for file in &written {
            publish_tree_file(files, file)?;
        }

        let root = edge.root();
        let note = sign_checkpoint(self.signer.as_ref(), &self.origin, edge.size(), &root)?;
        let checkpoint = self.believe(&note)?;
        publish_checkpoint(files, &note)?;

        let sealed = Sealed {
            index,
            tree_size: edge.size(),
            root,
            record_digest: entry.digest,
        };
        state.snapshot = Some(Arc::new(Snapshot { checkpoint, edge }));
        clean_up(files, &entry.id, index, &written);
        Ok(sealed)
    }

    fn index_of(&self, snapshot: &Snapshot, id: &str) -> Result<Option<u64>, AuditError> {
        for index in record_indexes(self.files.as_ref(), id)? {
            if snapshot.has(self.files.as_ref(), id, index)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
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
        return Err(AuditError::BadRecord {
            id: id.to_owned(),
            what,
        });
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

/// A3. A file that could not be completed is taken away again: its content is still with the caller.
fn stage(files: &dyn FileLayer, entry: &Entry, index: u64, bytes: &[u8]) -> Result<(), AuditError> {
    let path = format!("{}/{}", layout::STAGING, layout::record_name(&entry.id, index));
    let staged = files
        .create(&path, bytes, RECORD_MODE)
        .and_then(|()| files.sync_dir(layout::STAGING));
    staged.map_err(|error| {
        let _may_not_exist = files.remove(&path);
        AuditError::io("write", &path, error)
    })
}

/// A4.
fn publish_record(files: &dyn FileLayer, id: &str, index: u64) -> Result<(), AuditError> {
    let path = layout::record(id, index);
    let staged = format!("{}/{}", layout::STAGING, layout::record_name(id, index));
    make_parents(files, &path)
        .and_then(|()| files.link(&staged, &path))
        .and_then(|()| files.sync_dir(layout::parent(&path)))
        .map_err(|error| AuditError::io("write", &path, error))
}

/// A5.
fn publish_tree_file(files: &dyn FileLayer, file: &TreeFile) -> Result<(), AuditError> {
    let failed = |error| AuditError::io("write", &file.path, error);
    files
        .create(layout::STAGED_TILE, &file.bytes, TREE_MODE)
        .map_err(failed)?;
    let renamed = match files.rename(layout::STAGED_TILE, &file.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_parents(files, &file.path).and_then(|()| files.rename(layout::STAGED_TILE, &file.path))
        }
        other => other,
    };
    renamed
        .and_then(|()| files.sync_dir(layout::parent(&file.path)))
        .map_err(failed)
}

/// A6 and A7: the signed note is whole and durable under another name before it becomes the checkpoint.
pub(crate) fn publish_checkpoint(files: &dyn FileLayer, note: &str) -> Result<(), AuditError> {
    files
        .create(layout::STAGED_CHECKPOINT, note.as_bytes(), TREE_MODE)
        .and_then(|()| files.rename(layout::STAGED_CHECKPOINT, layout::CHECKPOINT))
        .and_then(|()| files.sync_dir(""))
        .map_err(|error| AuditError::io("write", layout::CHECKPOINT, error))
}

/// A8. The record is committed: what cannot be removed now is left for recovery, and is no failure of this append.
fn clean_up(files: &dyn FileLayer, id: &str, index: u64, written: &[TreeFile]) {
    for file in written {
        if let Some(narrower) = &file.supersedes {
            let _left_for_recovery = files.remove(narrower);
            if !file.path.contains(".p/") {
                let _left_for_recovery = files.remove_dir(layout::parent(narrower));
            }
        }
    }
    let _left_for_recovery = files.remove(&format!("{}/{}", layout::STAGING, layout::record_name(id, index)));
}

/// Makes the folders above a file, each durable before something is put into it.
fn make_parents(files: &dyn FileLayer, path: &str) -> io::Result<()> {
    for folder in layout::parents(path) {
        if files.make_dir(folder)? {
            files.sync_dir(layout::parent(folder))?;
        }
    }
    Ok(())
}
