//! The records: each against its entry, and the folder against all entries.

use std::io;

use super::{VerifyReport, list};
use crate::edge::RawEdge;
use crate::entry::{Entry, MAX_BUNDLE_BYTES, split_bundle};
use crate::error::AuditError;
use crate::files::{FileLayer, is_not_plain};
use crate::keychange::KeyChain;
use crate::keys::Verifier;
use crate::layout::{self, RECORD_MODE};
use crate::merkle::TILE_WIDTH;
use crate::snapshot::{MAX_RECORD_BYTES, check_one_of_many};

/// What the walk over the entries leaves for the walk over the folder.
pub(super) struct Present {
    /// Record files that were there for an entry.
    pub(super) files: u64,
    /// The partial bundle as it was read at the start.
    pub(super) edge_bundle: Vec<u8>,
}

/// Compares one record with its entry. Says whether its file is there.
pub(super) fn check_one(
    files: &dyn FileLayer,
    chain: &KeyChain,
    index: u64,
    entry: &Entry,
    verifier: &mut Verifier,
    report: &mut VerifyReport,
) -> bool {
    let path = layout::record(&entry.id, index);
    let at = Some((index, Some(entry.id.as_str())));
    let (stat, bytes) = match files.read_and_stat(&path, MAX_RECORD_BYTES) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.problem(
                at,
                &path,
                "the record is missing: its entry is in the log and its file is not there",
            );
            return false;
        }
        Err(error) if is_not_plain(&error) => {
            report.problem(
                at,
                &path,
                "a link or another thing that is no plain file stands in place of the record",
            );
            return true;
        }
        Err(error) => {
            report.problem(at, &path, format!("the record cannot be read: {error}"));
            return true;
        }
    };
    if stat.mode != RECORD_MODE {
        report.note(
            &path,
            format!("the mode is {:04o}, it was written with {RECORD_MODE:04o}", stat.mode),
        );
    }
    match check_one_of_many(&bytes, entry, chain.at(index), verifier) {
        Ok((_, signers)) => {
            report.records += 1;
            let since = |key| chain.compromised_since(key).filter(|since| index >= *since);
            if let Some(since) = signers.iter().map(since).min().flatten() {
                let what = format!(
                    "the record proves nothing: it stands under a key that was declared compromised from index {since} on"
                );
                report.problem(at, &path, what);
            }
            for signer in signers {
                *report.records_by_key.entry(signer).or_default() += 1;
            }
        }
        Err(what) => report.problem(at, &path, format!("the record was changed: {what}")),
    }
    true
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
            report.note(&format!("{folder}/{}", file.name), what);
        }
    }
    Ok(())
}

/// The bytes of the partial bundle, for [`Present`].
pub(super) fn edge_bundle(edge: &RawEdge) -> Vec<u8> {
    edge.bundle
        .as_ref()
        .and_then(|read| read.as_ref().ok())
        .cloned()
        .unwrap_or_default()
}
