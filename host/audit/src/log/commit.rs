//! Group commit: what this and other processes wrote becomes durable and published together. Steps J4 and J5 of
//! [`crate::log`].
//!
//! **In**: the journal, and the size with the frame that was written. **Out**: nothing; then the frame is durable and the
//! checkpoint states it. **Trusted**: a checkpoint that a trusted key signed, for it never states what is not durable.
//! **Can fail**: [`AuditError`]; a failed sync is for good.
//!
//! Who gets the file `sync` leads: it sees how far the journal goes, makes that durable and publishes it, for all. The others
//! wait until it is done, and then read in the checkpoint whether their frame was among it; if not, one of them leads next.
//! The mark that a leader leaves is the checkpoint itself and nothing beside it: it is signed, and after a crash or on another
//! machine it is worth what it is worth without this. So the file `sync` only saves work. Whoever cannot have it, because its
//! holder hangs for example, does its own. Which thread of a process asks for it, [`Threads`] settles.

use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::lock::{Access, Held, LockFiles, Waiter};
use super::threads::Lead;
use super::{Log, State};
use crate::error::AuditError;
use crate::journal::Found;
use crate::layout;
use crate::note::{self, Checkpoint, MAX_CHECKPOINT_BYTES, NoteError};

/// Checkpoints that are remembered as verified: one's own, that of the newest frame, and the published one.
const REMEMBERED: usize = 4;

/// The file by which processes choose who leads, open.
pub(super) struct Group {
    sync: Arc<File>,
    waiter: Waiter,
}

/// What comes of asking for `sync`.
enum Turn {
    /// This process leads until it drops this.
    Leads(Held),
    /// Somebody led meanwhile.
    Again,
    /// The file cannot be had.
    Alone,
}

impl Log {
    /// J4 and J5 for a frame that was written, by this thread or by whoever leads. `unpublished` is what an error is called after
    /// J4.
    pub(super) fn commit(
        &self,
        journal: &Arc<File>,
        size: u64,
        unpublished: impl FnOnce(&AuditError) -> AuditError,
    ) -> Result<(), AuditError> {
        let start = Instant::now();
        loop {
            let lead = self.threads.lead(|| self.published.load(Ordering::Acquire) >= size);
            // Also what failed while this waited.
            self.refuse_after_failure()?;
            // Another thread may have led for this one.
            let Some(mut lead) = lead else { return Ok(()) };
            let turn = self.turn(&mut lead, start);
            // Or another process just now.
            if self.is_published(size) {
                return Ok(());
            }
            // The lead ends when this is dropped.
            let _held = match turn {
                Turn::Leads(held) => Some(held),
                Turn::Again => continue,
                Turn::Alone => None,
            };
            lead.wait_for_others();
            let begun = Instant::now();
            let written = self.look(journal).map_or(size, |written| written.max(size));
            self.make_durable(journal, written)?;
            let published = self.publish_written(written).map_err(|error| unpublished(&error));
            lead.took(begun.elapsed());
            return published;
        }
    }

    /// Whether the checkpoint in the folder states so many entries. What is wrong with it, publishing says.
    fn is_published(&self, size: u64) -> bool {
        let Ok(note) = self.files.read(layout::CHECKPOINT, MAX_CHECKPOINT_BYTES) else {
            return false;
        };
        let stated = self.open_note(&note).map_or(0, |checkpoint| checkpoint.size);
        self.published.fetch_max(stated, Ordering::AcqRel);
        stated >= size
    }

    /// The right to lead, or the end of somebody else's lead.
    fn turn(&self, lead: &mut Lead<'_>, start: Instant) -> Turn {
        let asked = self.turn_or_error(&mut lead.group, start);
        if matches!(asked, Err(_) | Ok(Turn::Alone)) {
            // A thread that waits for what never comes is left behind with it.
            lead.group = None;
        }
        asked.unwrap_or(Turn::Alone)
    }

    fn turn_or_error(&self, group: &mut Option<Group>, start: Instant) -> io::Result<Turn> {
        let there = match group.take() {
            Some(known) if self.files.is_same_file(layout::SYNC, &known.sync)? => known,
            _ => Group {
                sync: Arc::new(self.files.open_lock(layout::SYNC)?),
                waiter: Waiter::default(),
            },
        };
        let Group { sync, waiter } = group.insert(there);
        if let Some(held) = Access::Alone.attempt(sync)? {
            return Ok(Turn::Leads(held));
        }
        let answer = waiter.release(sync)?;
        let left = self.lock_timeout.saturating_sub(start.elapsed());
        match answer.recv_timeout(left) {
            Ok(released) => released.map(|()| Turn::Again),
            Err(_) => Ok(Turn::Alone),
        }
    }

    /// How far the journal goes once those are done who were in line for the lock before: all of them are served together.
    /// `None` when there is no more to be found, or that is not to be found out, or it is another file by now.
    fn look(&self, journal: &Arc<File>) -> Option<u64> {
        let mut state = self.state();
        if self.is_alone(&state) {
            return None;
        }
        let locked = self.lock(&mut state, Access::Alone).ok()?;
        let (_, tip) = self.follow(&mut state, &locked).ok()?;
        let written = Arc::ptr_eq(&tip.file, journal).then(|| tip.edge.size());
        state.tip = Some(tip);
        written
    }

    /// Whether nobody is in line for the lock and no frame stands behind the newest that this process knows: then there is
    /// nothing to look for. Only a guess, without the lock: who is overlooked leads next.
    fn is_alone(&self, state: &State) -> bool {
        let in_line = state.locks.as_ref().is_none_or(LockFiles::has_line);
        let known = state.tip.as_ref();
        !in_line && known.is_some_and(|tip| matches!(tip.next_frame(self.files.as_ref()), Ok(Found::End)))
    }

    /// Makes the journal durable, which holds so many entries at least, unless that is known.
    pub(super) fn make_durable(&self, journal: &File, size: u64) -> Result<(), AuditError> {
        let _alone = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        // The operating system tells one thread only that it failed.
        self.refuse_after_failure()?;
        if self.durable.load(Ordering::Acquire) >= size {
            return Ok(());
        }
        let written = self.written.load(Ordering::Acquire).max(size);
        if let Err(error) = self.files.sync_data(journal) {
            self.failed.store(true, Ordering::Release);
            return Err(AuditError::NotDurable {
                reason: error.to_string(),
            });
        }
        self.durable.fetch_max(written, Ordering::AcqRel);
        Ok(())
    }

    pub(super) fn refuse_after_failure(&self) -> Result<(), AuditError> {
        if self.failed.load(Ordering::Acquire) {
            return Err(AuditError::NotDurable {
                reason: "an earlier attempt of this process failed".to_owned(),
            });
        }
        Ok(())
    }

    /// A checkpoint of this log, verified; the same bytes are not verified again.
    pub(super) fn open_note(&self, note: &[u8]) -> Result<Checkpoint, NoteError> {
        let verified = || self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = verified().iter().find(|known| known.note.as_bytes() == note) {
            return Ok(known.clone());
        }
        let checkpoint = note::open_one_of_many(note, &self.origin, &self.trusted, &mut self.verifier())?;
        let mut verified = verified();
        verified.truncate(REMEMBERED - 1);
        verified.push_front(checkpoint.clone());
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests;
