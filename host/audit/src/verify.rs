//! Verification of a whole trail, offline, with public keys alone.
//!
//! **In**: a folder, the keys the reader trusts (or some of their chain, see [`crate::keychange`]), the origin expected. **Out**: a [`VerifyReport`] that names each record or
//! file that fails, and how. **Trusted**: only the keys. **Can fail**: [`AuditError`] when the folder cannot be read at all
//! or holds no log; whatever was tampered with is a [`Problem`] in the report and not an error.
//!
//! What is checked: the checkpoint's form, origin and signature; every entry against its hash tile, every tile against the
//! ones above it, all of them against the signed root; every record file against its entry (SHA-256, signature, payload
//! type); that the folder holds exactly the records the entries name; and that its other tiles and bundles, which no checkpoint
//! needs, have names of tiles and contradict nothing (`verify/tiles.rs`). Where an entry and a tile disagree, the level above
//! decides which of the two was changed.
//!
//! Without a checkpoint that a trusted key signed nothing counts, and the trail fails. Because a record of a change of the log's key may be
//! what was spoiled, the files are still compared with each other and with what that checkpoint states, so that the report names it.
//!
//! Memory does not grow with the log: two bundles, one tile per level, one record, the names of one shard or of one folder of tiles
//! and those above it, and at most [`MAX_LISTED`] problems and notes are held. No lock is taken, so a trail on read-only media can be verified, and a live
//! one while it grows: it is verified as of the checkpoint that stood when verification began. What a dead process left in the
//! journal is a note, and no problem, if the next start can make a whole log of it (`verify/journal.rs`).

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use cap_std::fs::Dir;
use serde::Serialize;

use crate::digest::Digest;
use crate::edge::RawEdge;
use crate::error::AuditError;
use crate::files::{DirFiles, FileLayer, Listed};
use crate::keychange::{ChangeScan, KeyChain, KeyPeriod};
use crate::keys::{KeyId, TrustedKeys};
use crate::layout;
use crate::log::{COSIGNED, COSIGNED_NEW};
use crate::note::{Checkpoint, NoteError, claimed, claimed_size, open_checkpoint};
use crate::snapshot::{read_note, without_checkpoint};

mod journal;
mod records;
mod tiles;
mod tree;

/// Problems and notes that a report lists; further ones are only counted.
pub const MAX_LISTED: usize = 1_000;

/// What a problem with the checkpoint means for all others.
const UNSIGNED: &str = "no change of the log's key leads from the trusted keys to that of this checkpoint, so nothing in this trail is proven; \
                        the files were compared with each other and with what it states, to tell which of them to look at";

/// How often the edge of a growing log is read again.
const EDGE_ATTEMPTS: u32 = 50;

/// A thing that makes the trail fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The record's place in the log, where it is about a record.
    pub index: Option<u64>,
    /// The record's id, where that is known.
    pub id: Option<String>,
    /// The file, relative to the folder of the log.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// A thing worth knowing that does not make the trail fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The file, relative to the folder of the log.
    pub file: String,
    /// What there is to know.
    pub what: String,
}

/// What verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The checkpoint, if it verified; without it nothing else counts.
    pub checkpoint: Option<Checkpoint>,
    /// Entries that lead to the signed root or whose disagreement is listed.
    pub entries: u64,
    /// Records whose digest, signature and type hold.
    pub records: u64,
    /// How many records stand under which key.
    pub records_by_key: BTreeMap<KeyId, u64>,
    /// The keys of the log, one after the other; more than one after a rotation.
    pub keys: Vec<KeyPeriod>,
    /// These keys themselves, and those that the reader trusts anyway.
    #[serde(skip)]
    pub key_chain: TrustedKeys,
    /// What fails, up to [`MAX_LISTED`].
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problem_count: u64,
    /// What is worth knowing, up to [`MAX_LISTED`].
    pub notes: Vec<Note>,
    /// How many notes there are.
    pub note_count: u64,
}

impl VerifyReport {
    /// Whether the trail verifies as a whole.
    pub fn is_verified(&self) -> bool {
        self.problem_count == 0 && self.checkpoint.is_some()
    }

    fn problem(&mut self, at: Option<(u64, Option<&str>)>, file: &str, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < MAX_LISTED {
            let index = at.map(|(index, _)| index);
            let id = at.and_then(|(_, id)| id).map(str::to_owned);
            self.problems.push(Problem {
                index,
                id,
                file: file.to_owned(),
                what: what.into(),
            });
        }
    }

    fn note(&mut self, file: &str, what: impl Into<String>) {
        self.note_count += 1;
        if self.notes.len() < MAX_LISTED {
            self.notes.push(Note {
                file: file.to_owned(),
                what: what.into(),
            });
        }
    }
}

/// Verifies the trail in a folder.
pub fn verify(dir: &Dir, keys: &TrustedKeys, origin: &str) -> Result<VerifyReport, AuditError> {
    let dir = dir.try_clone().map_err(|error| AuditError::io("open", ".", error))?;
    verify_layer(&DirFiles::new(dir), keys, origin)
}

pub(crate) fn verify_layer(
    files: &dyn FileLayer,
    keys: &TrustedKeys,
    origin: &str,
) -> Result<VerifyReport, AuditError> {
    let mut report = VerifyReport::default();
    let mut scan = ChangeScan::default();
    // The journal may begin under one key and end under the next one.
    let changes = match note_of(files) {
        Ok(note) => scan.changes(files, &edge_of(files, &note)),
        // What is wrong with it is told below.
        Err(_) => Vec::new(),
    };
    let restored = journal::look(files, keys, changes, origin, &mut report);
    let files: &dyn FileLayer = match &restored {
        Some(restored) => {
            // Some of what was looked through is another file now.
            scan = ChangeScan::default();
            restored
        }
        None => files,
    };
    let Some(Start {
        stated,
        checkpoint,
        edge,
        chain,
    }) = start(files, keys, origin, &mut scan, &mut report)?
    else {
        return Ok(report);
    };
    let size = stated.size;
    let present = tree::check(files, &chain, &stated, &edge, &mut report);
    let newest_size = match checkpoint {
        Some(checkpoint) => {
            report.entries = size;
            report.keys = chain.periods(&checkpoint.signers);
            report.key_chain = chain.every_key();
            report.checkpoint = Some(checkpoint);
            newest_size(files, keys, origin, size, &mut scan, &mut report)?
        }
        None => {
            // What was found tells which file to look at. Nothing of it counts.
            (report.records, report.records_by_key) = (0, BTreeMap::new());
            size
        }
    };
    tiles::check_folder(files, &edge, newest_size, &mut report)?;
    records::check_folder(files, size, newest_size, present, &mut report)?;
    records::note_leftovers(files, &mut report)?;
    note_strangers(files, &mut report)?;
    Ok(report)
}

/// What the entries are compared with.
struct Stated {
    size: u64,
    root: Digest,
}

/// What verification stands on.
struct Start {
    stated: Stated,
    /// The checkpoint that says so, if a trusted key signed it.
    checkpoint: Option<Checkpoint>,
    edge: RawEdge,
    chain: KeyChain,
}

/// The edge that goes with a checkpoint, and the chain of keys up to it.
fn chain_at(files: &dyn FileLayer, keys: &TrustedKeys, note: &[u8], scan: &mut ChangeScan) -> (RawEdge, KeyChain) {
    let edge = edge_of(files, note);
    let chain = KeyChain::new(keys, &scan.changes(files, &edge));
    (edge, chain)
}

/// The edge that goes with a checkpoint, of which nothing is verified yet.
fn edge_of(files: &dyn FileLayer, note: &[u8]) -> RawEdge {
    RawEdge::read(files, claimed_size(note).unwrap_or(0))
}

/// The checkpoint and the edge that belongs to it; `None` after a problem that leaves nothing to compare with.
fn start(
    files: &dyn FileLayer,
    keys: &TrustedKeys,
    origin: &str,
    scan: &mut ChangeScan,
    report: &mut VerifyReport,
) -> Result<Option<Start>, AuditError> {
    let mut attempt = 0;
    loop {
        let note = note_of(files)?;
        let (edge, chain) = chain_at(files, keys, &note, scan);
        let opened = open_checkpoint(&note, origin, chain.newest());
        if let Err(NoteError::Origin { found, expected }) = opened {
            return Err(AuditError::OriginMismatch { found, expected });
        }
        // An append may have replaced the edge after the checkpoint was read.
        if edge.is_whole() || attempt == EDGE_ATTEMPTS || note_of(files)? == note {
            let (stated, checkpoint) = match opened {
                Ok(checkpoint) => (Some((checkpoint.size, checkpoint.root)), Some(checkpoint)),
                // It may be whole, and a record that would lead to its key spoiled: which one, the walk tells.
                Err(error @ NoteError::Untrusted { .. }) => {
                    report.problem(None, layout::CHECKPOINT, format!("{error}; {UNSIGNED}"));
                    (claimed(&note), None)
                }
                Err(error) => {
                    report.problem(None, layout::CHECKPOINT, error.to_string());
                    (None, None)
                }
            };
            return Ok(stated.map(|(size, root)| Start {
                stated: Stated { size, root },
                checkpoint,
                edge,
                chain,
            }));
        }
        attempt += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Size of the log now: a record beyond the checkpoint verified is fine if a later one covers it.
fn newest_size(
    files: &dyn FileLayer,
    keys: &TrustedKeys,
    origin: &str,
    size: u64,
    scan: &mut ChangeScan,
    report: &mut VerifyReport,
) -> Result<u64, AuditError> {
    let note = note_of(files)?;
    let (_, chain) = chain_at(files, keys, &note, scan);
    match open_checkpoint(&note, origin, chain.newest()) {
        Ok(checkpoint) => Ok(checkpoint.size.max(size)),
        Err(error) => {
            report.problem(
                None,
                layout::CHECKPOINT,
                format!("it was replaced meanwhile, and {error}"),
            );
            Ok(size)
        }
    }
}

/// Names in the folder of the log that no log gives: nobody reads such a file.
fn note_strangers(files: &dyn FileLayer, report: &mut VerifyReport) -> Result<(), AuditError> {
    let ours = [layout::TOP.as_slice(), &[COSIGNED, COSIGNED_NEW]].concat();
    for listed in list(files, ".")? {
        if !ours.contains(&listed.name.as_str()) {
            report.note(&listed.name, "no file of a log has this name");
        }
    }
    Ok(())
}

fn list(files: &dyn FileLayer, folder: &str) -> Result<Vec<Listed>, AuditError> {
    let listed = files.list(folder);
    listed.map_err(|error| AuditError::io("list", folder, error))
}

fn note_of(files: &dyn FileLayer) -> Result<Vec<u8>, AuditError> {
    match read_note(files) {
        Ok(note) => Ok(note),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(without_checkpoint(files)?),
        Err(error) => Err(AuditError::io("read", layout::CHECKPOINT, error)),
    }
}

/// Short form of a digest for a message about two of them.
fn differs(found: &Digest, expected: &Digest) -> String {
    format!("it has {found} where {expected} belongs")
}

#[cfg(test)]
mod tests;
