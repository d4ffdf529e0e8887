//! The records: each against its entry, and the folder against all entries.

use std::io;

use super::{VerifyReport, list};
use crate::dsse::DsseError;
use crate::edge::RawEdge;
use crate::entry::{Entry, MAX_BUNDLE_BYTES, split_bundle};
use crate::error::AuditError;
use crate::files::{FileLayer, is_not_plain};
use crate::keychange::{KIND, KeyChain, states_no_rotation};
use crate::keys::{KeyId, Verifier};
use crate::layout::{self, RECORD_MODE};
use crate::merkle::TILE_WIDTH;
use crate::snapshot::{MAX_RECORD_BYTES, RecordError, check_one_of_many};

/// What the walk over the entries leaves for the walk over the folder.
pub(super) struct Present {
    /// Record files that were there for an entry.
    pub(super) files: u64,
    /// The partial bundle as it was read at the start.
    pub(super) edge_bundle: Vec<u8>,
}

/// What else is wrong when a record that changes the log's key is.
const LINK: &str = "it is of a change of the log's key: if it gave the log another one, the keys before and behind it do not lead to each other; \
                    put the record back from a copy, and verify again";
const STRANGERS: &str = "stand under a key to which those that are trusted do not lead, or a stranger sealed them";

/// The records in the order of the log, each compared with its entry.
pub(super) struct Records<'a> {
    files: &'a dyn FileLayer,
    chain: &'a KeyChain,
    verifier: Verifier,
    /// Record files that were there for an entry.
    present: u64,
    /// The last ones, as far as no trusted key signed them: there may be as many as the log has, so they are told in one line.
    strangers: Option<Strangers>,
}

/// Records that are whole, and that no trusted key signed.
struct Strangers {
    first: u64,
    last: u64,
    /// Of the first.
    id: String,
    path: String,
    what: String,
}

impl<'a> Records<'a> {
    pub(super) fn new(files: &'a dyn FileLayer, chain: &'a KeyChain) -> Self {
        Self {
            files,
            chain,
            verifier: Verifier::default(),
            present: 0,
            strangers: None,
        }
    }

    /// Compares the next record with its entry.
    pub(super) fn check(&mut self, index: u64, entry: &Entry, report: &mut VerifyReport) {
        let path = layout::record(&entry.id, index);
        let at = Some((index, Some(entry.id.as_str())));
        let what = match self.check_file(&path, index, entry, report) {
            Err(RecordError::Untrusted(error)) => return self.add_stranger(index, entry, path, &error, report),
            Err(RecordError::Changed(what)) if entry.kind == KIND => Some(format!("{what}; {LINK}")),
            Err(RecordError::Changed(what)) => Some(what),
            Ok(signers) => {
                report.records += 1;
                let since = |key| self.chain.compromised_since(key).filter(|since| index >= *since);
                let since = signers.iter().map(since).min().flatten();
                for signer in signers {
                    *report.records_by_key.entry(signer).or_default() += 1;
                }
                since.map(|since| {
                    format!("the record proves nothing: it stands under a key that was declared compromised from index {since} on")
                })
            }
        };
        self.tell_strangers(report);
        if let Some(what) = what {
            report.problem(at, &path, what);
        }
    }

    /// The trusted keys that signed it.
    fn check_file(
        &mut self,
        path: &str,
        index: u64,
        entry: &Entry,
        report: &mut VerifyReport,
    ) -> Result<Vec<KeyId>, RecordError> {
        let read = self.files.read_and_stat(path, MAX_RECORD_BYTES);
        let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        self.present += u64::from(!read.as_ref().err().is_some_and(is_missing));
        let (stat, bytes) = read.map_err(|error| {
            RecordError::Changed(if is_missing(&error) {
                "the record is missing: its entry is in the log and its file is not there".to_owned()
            } else if is_not_plain(&error) {
                "a link or another thing that is no plain file stands in place of the record".to_owned()
            } else {
                format!("the record cannot be read: {error}")
            })
        })?;
        if stat.mode != RECORD_MODE {
            report.note(
                path,
                format!("the mode is {:04o}, it was written with {RECORD_MODE:04o}", stat.mode),
            );
        }
        match check_one_of_many(&bytes, entry, self.chain.at(index), &mut self.verifier) {
            Ok(_) if entry.kind == KIND && states_no_rotation(&bytes) => {
                let what = "the rotation that the record states is not signed by both of its keys";
                Err(RecordError::Changed(what.to_owned()))
            }
            Ok((_, signers)) => Ok(signers),
            Err(RecordError::Changed(what)) => Err(RecordError::Changed(format!("the record was changed: {what}"))),
            Err(untrusted) => Err(untrusted),
        }
    }

    fn add_stranger(&mut self, index: u64, entry: &Entry, path: String, error: &DsseError, report: &mut VerifyReport) {
        match &mut self.strangers {
            Some(strangers) if strangers.last.checked_add(1) == Some(index) => strangers.last = index,
            _ => {
                self.tell_strangers(report);
                self.strangers = Some(Strangers {
                    first: index,
                    last: index,
                    id: entry.id.clone(),
                    path,
                    what: error.to_string(),
                });
            }
        }
    }

    fn tell_strangers(&mut self, report: &mut VerifyReport) {
        let Some(it) = self.strangers.take() else { return };
        if it.first == it.last {
            report.problem(
                Some((it.first, Some(&it.id))),
                &it.path,
                format!("{}; such records {STRANGERS}", it.what),
            );
        } else {
            let what = format!(
                "no signature by a trusted key on the records {} to {}: they {STRANGERS}",
                it.first, it.last
            );
            report.problem(None, layout::RECORDS, what);
        }
    }

    /// After the last one.
    pub(super) fn end(mut self, edge: &RawEdge, report: &mut VerifyReport) -> Present {
        self.tell_strangers(report);
        let bundle = edge.bundle.as_ref().and_then(|read| read.as_ref().ok());
        Present {
            files: self.present,
            edge_bundle: bundle.cloned().unwrap_or_default(),
        }
    }
}

/// Looks for record files that no entry names, and for ids that two entries have.
pub(super) fn check_folder(
    files: &dyn FileLayer,
    size: u64,
    newest_size: u64,
    present: Present,
    report: &mut VerifyReport,
) -> Result<(), AuditError> {
    let mut named = 0;
    for shard in list(files, layout::RECORDS)? {
        let folder = format!("{}/{}", layout::RECORDS, shard.name);
        if !shard.is_dir {
            report.problem(None, &folder, "not a folder of records: a link or a stray file");
            continue;
        }
        let mut previous: Option<(String, u64)> = None;
        for file in list(files, &folder)? {
            let path = format!("{folder}/{}", file.name);
            let Some((id, index)) = layout::parse_record_name(&file.name).filter(|(id, _)| layout::shard(id) == folder)
            else {
                report.problem(None, &path, "no record of this log has this name in this folder");
                continue;
            };
            if index >= size {
                if index >= newest_size {
                    report.note(
                        &path,
                        "its append did not finish: no checkpoint covers it, nobody was told of it",
                    );
                }
                continue;
            }
            named += 1;
            // Names are sorted, so the files of one id are neighbours.
            if let Some((_, earlier)) = previous.filter(|(earlier, _)| earlier == id) {
                report.problem(
                    Some((index, Some(id))),
                    &path,
                    format!("a second record has the id of the one at index {earlier}"),
                );
            }
            previous = Some((id.to_owned(), index));
        }
    }
    if named > present.files {
        name_strays(files, size, &present, report)?;
    }
    Ok(())
}

/// There are more files than entries: look at each one's entry. Slow, and only for a trail that fails anyway.
fn name_strays(
    files: &dyn FileLayer,
    size: u64,
    present: &Present,
    report: &mut VerifyReport,
) -> Result<(), AuditError> {
    for shard in list(files, layout::RECORDS)? {
        let folder = format!("{}/{}", layout::RECORDS, shard.name);
        if !shard.is_dir {
            continue;
        }
        for file in list(files, &folder)? {
            let Some((id, index)) = layout::parse_record_name(&file.name).filter(|(_, index)| *index < size) else {
                continue;
            };
            let n = index / TILE_WIDTH;
            let bundle = if n == size / TILE_WIDTH {
                present.edge_bundle.clone()
            } else {
                files
                    .read(&layout::bundle(n, TILE_WIDTH), MAX_BUNDLE_BYTES)
                    .unwrap_or_default()
            };
            let position = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
            let entry = split_bundle(&bundle).nth(position).flatten().and_then(Entry::parse);
            if entry.is_none_or(|entry| entry.id != id) {
                let what = "no entry names this record: the file was added or renamed, or its entry was changed";
                report.problem(Some((index, Some(id))), &format!("{folder}/{}", file.name), what);
            }
        }
    }
    Ok(())
}

/// Leftovers of appends that did not finish.
pub(super) fn note_leftovers(files: &dyn FileLayer, report: &mut VerifyReport) -> Result<(), AuditError> {
    let leftovers = [
        (
            layout::STAGING,
            "a temporary file: an append is under way, or was cut short and the next one clears it away",
        ),
        (
            layout::UNACKNOWLEDGED,
            "the record of an append that was cut short: nobody was told that it was recorded",
        ),
    ];
    for (folder, what) in leftovers {
        for file in list(files, folder)? {
            let path = format!("{folder}/{}", file.name);
            // Not of one append, but kept for the next.
            if file.is_dir || !layout::SPARES.contains(&path.as_str()) {
                report.note(&path, what);
            }
        }
    }
    Ok(())
}
