//! Trimming: what the journal covers becomes durable in files of its own, and the journal begins anew. Steps T1 to T4 of
//! [`crate::log`].
//!
//! **In**: the published snapshot and the tip. **Out**: a generation without frames. **Trusted**: nothing that is not verified
//! on the way. **Can fail**: [`AuditError`]; then the earlier generation stands.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::publish::{remove_if_there, remove_spares};
use super::recovery::remove_superfluous;
use super::tip::Tip;
use super::{Locked, Log};
use crate::digest::Digest;
use crate::edge::{edge_paths, full_paths};
use crate::error::AuditError;
use crate::journal::{BLOCK_BYTES, Header};
use crate::layout;
use crate::snapshot::Snapshot;

/// Mode of the journal: who may read the records may read it.
const JOURNAL_MODE: u32 = 0o644;
const SALT_BYTES: usize = 16;

impl Log {
    /// Makes the journal of a log of this size, whose files are all durable. It is whole before it has its name.
    pub(super) fn make_journal(&self, size: u64, root: &Digest, _locked: &Locked) -> Result<(), AuditError> {
        let files = self.files.as_ref();
        let header = self.header(0, size, root)?;
        let block = block_of(&header)?;
        // Written, and not only reserved: see `journal.rs`.
        let length = self.journal_bytes.max(2 * BLOCK_BYTES);
        let mut bytes = block;
        bytes.resize(usize::try_from(length).unwrap_or(0), 0);
        remove_if_there(files, layout::STAGED_JOURNAL)
            .and_then(|()| files.create(layout::STAGED_JOURNAL, &bytes, JOURNAL_MODE))
            .and_then(|()| files.rename(layout::STAGED_JOURNAL, layout::JOURNAL))
            .and_then(|()| files.sync_dir(""))
            .map_err(|error| AuditError::io("write", layout::JOURNAL, error))
    }

    /// T1 to T4. Afterwards the tip has no frames, and the whole log is published.
    pub(super) fn trim(
        &self,
        published: &Arc<Snapshot>,
        tip: &mut Tip,
        locked: &Locked,
    ) -> Result<Arc<Snapshot>, AuditError> {
        if self.files.stat(layout::SUSPECT).is_ok() {
            // Whoever failed was told, and nobody else would be: T2 could pass over what is lost.
            return Err(AuditError::NotDurable {
                reason: "an attempt of another process failed".to_owned(),
            });
        }
        // T1: nothing is published that is not durable.
        let mut now = Arc::clone(published);
        let size = tip.edge.size();
        if size > now.checkpoint.size {
            self.make_durable(&tip.file, size)?;
            now = self.publish(published, tip, size, locked)?;
        }
        self.start_anew(&now, tip, locked)?;
        Ok(now)
    }

    /// T2 to T4, for a log that is published as far as the journal goes.
    pub(super) fn start_anew(&self, now: &Arc<Snapshot>, tip: &mut Tip, _locked: &Locked) -> Result<(), AuditError> {
        let files = self.files.as_ref();
        let size = now.checkpoint.size;
        // T2. A power loss must not leave a checkpoint from before the new base, and the disk may have one in this file.
        remove_spares(files, &[layout::STAGED_CHECKPOINT])?;
        let (paths, folders) = self.covered(now, tip.base)?;
        let synced = files.sync_files(&paths).and_then(|()| files.sync_dirs(&folders));
        if let Err(error) = synced {
            return Err(self.suspect(error));
        }
        // T3
        let header = self.header(tip.header.generation.saturating_add(1), size, &now.checkpoint.root)?;
        let block = block_of(&header)?;
        let written = {
            let _alone = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
            let written = files
                .write_at(&tip.file, header.offset(), &block)
                .and_then(|()| files.sync_data(&tip.file));
            // Told to one thread only: the others must know before they try.
            self.failed.fetch_or(written.is_err(), Ordering::AcqRel);
            written
        };
        if let Err(error) = written {
            return Err(self.suspect(error));
        }
        self.durable.fetch_max(size, Ordering::AcqRel);
        // T4
        remove_superfluous(files, tip.base, size, &[size]);
        if tip.place.offset > self.journal_bytes {
            let _only_longer_than_it_needs_to_be = files.truncate(&tip.file, self.journal_bytes);
        }
        *tip = Tip {
            file: Arc::clone(&tip.file),
            base: size,
            checkpoint: now.checkpoint.clone(),
            edge: now.edge.clone(),
            place: header.first(),
            header,
            // Read afresh, and compared with what was verified, the next time.
            headers: Vec::new(),
            pending: Default::default(),
        };
        Ok(())
    }

    /// After a file could not be made durable: the operating system may show bytes that the disk does not have, and say so
    /// only once. This process goes no further, and the next start writes everything anew that the journal covers.
    fn suspect(&self, error: std::io::Error) -> AuditError {
        self.failed.store(true, Ordering::Release);
        let files = self.files.as_ref();
        let _also_refused_by_the_others = files
            .create(layout::SUSPECT, &[], JOURNAL_MODE)
            .and_then(|()| files.sync_dir(layout::STAGING));
        AuditError::NotDurable {
            reason: error.to_string(),
        }
    }

    /// The files that entries from `base` on wrote, and the folders in which these have their names.
    fn covered(&self, now: &Arc<Snapshot>, base: u64) -> Result<(Vec<String>, Vec<String>), AuditError> {
        let size = now.checkpoint.size;
        let mut paths = [edge_paths(size), full_paths(base, size)].concat();
        for found in now.entries(self.files.as_ref(), base) {
            let found = found?;
            paths.push(layout::record(&found.entry.id, found.index));
        }
        paths.push(layout::CHECKPOINT.to_owned());
        let folders: BTreeSet<&str> = paths
            .iter()
            .flat_map(|path| layout::parents(path).chain([""]))
            .collect();
        let folders = folders.into_iter().map(str::to_owned).collect();
        Ok((paths, folders))
    }

    fn header(&self, generation: u64, size: u64, root: &Digest) -> Result<Header, AuditError> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|error| AuditError::Random {
            reason: error.to_string(),
        })?;
        Ok(Header {
            generation,
            salt: salt.iter().map(|byte| format!("{byte:02x}")).collect(),
            boot_id: self.files.boot_id(),
            base: self.sign_checkpoint(self.signer.as_ref(), size, root)?.note,
        })
    }
}

pub(super) fn block_of(header: &Header) -> Result<Vec<u8>, AuditError> {
    header.to_block().ok_or_else(|| AuditError::BadOrigin {
        origin: "the origin, with which a checkpoint does not fit into a block of the journal,".to_owned(),
    })
}
