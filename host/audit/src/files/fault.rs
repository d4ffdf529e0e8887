//! A file layer for tests: it stops at a chosen operation, fails there, or loses what was not made durable.
//!
//! What a power loss leaves is any subset of what was done since it was last made durable, each taken by its own: a name that
//! was made, moved, exchanged or removed; a folder; the bytes of a new file, which may be all there, cut off or zeros; each sector of
//! 512 bytes of a write into a file that is there. So the newer change may survive and the older one not.

use std::fs::File;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::Dir;

use super::{DirFiles, FileLayer, Listed, SECTOR_BYTES, Stat};
use crate::layout;

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the operation: everything from then on fails, and changes nothing.
    Kill,
    /// The process dies in the middle of it: half of what it writes is written.
    Tear,
    /// The machine loses power before it: as `Kill`, and what was not made durable is lost where the mask says so (bit 0 is
    /// the newest change).
    PowerLoss(u64),
    /// There is no space from then on: whatever makes a file or writes fails, removing and renaming work.
    DiskFull,
    /// This operation fails, later ones work.
    FailOnce,
}

/// The layer. Only operations that change something are counted.
pub(crate) struct FaultyFiles {
    inner: DirFiles,
    fault: Fault,
    at: u64,
    boot_id: Option<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: u64,
    journal_syncs: u64,
    dead: bool,
    /// Changes that are not durable yet, and how to take them back. With each the folder, for a name, or the file.
    volatile: Vec<(Kept, Undo)>,
}

/// What makes a change durable.
#[derive(PartialEq, Eq)]
enum Kept {
    /// `sync_dir` of this folder.
    Folder(String),
    /// `sync_files` of this file.
    File(String),
    /// `sync_data` of the open file; there is only one, the journal.
    Journal,
}

enum Undo {
    /// The name was new.
    Remove(String),
    /// The folder was new.
    RemoveFolder(String),
    /// The bytes were new.
    Spoil(String),
    /// The file held this before it was written over.
    Rewrite(String, Vec<u8>),
    /// The journal held this at the offset before.
    Overwrite(u64, Vec<u8>),
    /// The journal had this length and, behind where it was cut off, these bytes.
    Lengthen(u64, Vec<u8>),
    /// The name held this before.
    Restore(String, Vec<u8>, u32),
    /// A rename: take `to` back to what it held, and `from` to what was moved.
    Unrename {
        from: (String, Vec<u8>, u32),
        to: (String, Option<(Vec<u8>, u32)>),
    },
    /// Two files had each other's name, and held this.
    Exchange([(String, Vec<u8>, u32); 2]),
}

/// The files of two names change places, and with them what is not durable of their bytes.
fn swap_files(volatile: &mut [(Kept, Undo)], one: &str, other: &str) {
    for (kept, undo) in volatile {
        let Kept::File(path) = kept else { continue };
        let now = match path.as_str() {
            path if path == one => other,
            path if path == other => one,
            _ => continue,
        };
        goes_to(now, kept, undo);
    }
}

/// A file has this name now, and so has what is not durable of its bytes.
fn goes_to(now: &str, kept: &mut Kept, undo: &mut Undo) {
    *kept = Kept::File(now.to_owned());
    if let Undo::Spoil(path) | Undo::Rewrite(path, _) = undo {
        now.clone_into(path);
    }
}

impl FaultyFiles {
    pub(crate) fn new(dir: Dir, fault: Fault, at: u64) -> Self {
        let inner = DirFiles::new(dir);
        Self {
            boot_id: inner.boot_id(),
            inner,
            fault,
            at,
            state: Mutex::default(),
        }
    }

    /// The layer of a machine that was started anew, each time another start.
    pub(crate) fn after_a_start(self) -> Self {
        static STARTS: AtomicU64 = AtomicU64::new(0);
        let boot_id = Some(format!("start-{}", STARTS.fetch_add(1, Ordering::Relaxed)));
        Self { boot_id, ..self }
    }

    /// Whether the chosen operation was reached.
    pub(crate) fn fired(&self) -> bool {
        self.state.lock().unwrap().done > self.at
    }

    /// How often the journal was made durable.
    pub(crate) fn journal_syncs(&self) -> u64 {
        self.state.lock().unwrap().journal_syncs
    }

    fn change(
        &self,
        operation: impl FnOnce() -> io::Result<()>,
        grows: bool,
        undo: Vec<(Kept, Undo)>,
    ) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        if state.dead {
            return Err(io::Error::other("the process is dead"));
        }
        state.done += 1;
        let now = state.done == self.at + 1;
        let since = state.done > self.at;
        match self.fault {
            Fault::Kill | Fault::Tear if now => {
                state.dead = true;
                return Err(io::Error::other("killed"));
            }
            Fault::PowerLoss(mask) if now => {
                state.dead = true;
                self.lose(&mut state, mask);
                return Err(io::Error::other("no power"));
            }
            Fault::DiskFull if since && grows => return Err(io::ErrorKind::StorageFull.into()),
            Fault::FailOnce if now => return Err(io::Error::other("a fault")),
            _ => {}
        }
        operation()?;
        state.volatile.extend(undo);
        Ok(())
    }

    /// The machine loses power now.
    pub(crate) fn lose_power(&self, mask: u64) {
        let mut state = self.state.lock().unwrap();
        if !state.dead {
            state.dead = true;
            self.lose(&mut state, mask);
        }
    }

    fn lose(&self, state: &mut State, mask: u64) {
        let mut volatile = std::mem::take(&mut state.volatile);
        for turn in 0..volatile.len() {
            let Some((_, undo)) = volatile.pop() else { return };
            // Sectors and ways to spoil differ from turn to turn, and with the mask.
            let chance = (mask ^ turn as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
            if let Undo::Overwrite(offset, before) = undo {
                self.lose_sectors(offset, &before, if mask == u64::MAX { u64::MAX } else { chance });
                continue;
            }
            if mask >> (turn % 64) & 1 == 0 {
                match undo {
                    // The bytes are gone with their name.
                    Undo::Restore(path, ..) => volatile.retain(|(kept, _)| *kept != Kept::File(path.clone())),
                    // Names that were exchanged are there.
                    Undo::Exchange(held) => volatile.retain(
                        |(_, undo)| !matches!(undo, Undo::Remove(made) if held.iter().any(|(path, ..)| path == made)),
                    ),
                    _ => {}
                }
                continue;
            }
            match undo {
                Undo::Remove(path) => drop(self.inner.remove(&path)),
                Undo::RemoveFolder(path) => drop(self.inner.dir.remove_dir_all(&path)),
                Undo::Spoil(path) => self.spoil(&path, chance),
                Undo::Rewrite(path, before) => self.lose_rewrite(&path, &before, chance),
                Undo::Restore(path, bytes, mode) => self.put(&path, &bytes, mode),
                Undo::Overwrite(..) => {}
                Undo::Lengthen(length, bytes) => {
                    let file = self.inner.open_existing(layout::JOURNAL).unwrap();
                    let at = length - bytes.len() as u64;
                    self.inner.write_at(&file, at, &bytes).unwrap();
                }
                Undo::Unrename { from, to } => {
                    drop(self.inner.remove(&to.0));
                    if let Some((bytes, mode)) = to.1 {
                        self.put(&to.0, &bytes, mode);
                    }
                    self.put(&from.0, &from.1, from.2);
                }
                Undo::Exchange(held) => {
                    // A name that was removed since is gone, whichever file had it.
                    for (path, bytes, mode) in held.iter().filter(|(path, ..)| self.held(path).is_some()) {
                        self.put(path, bytes, *mode);
                    }
                    let [(one, ..), (other, ..)] = held;
                    swap_files(&mut volatile, &one, &other);
                }
            }
        }
    }

    /// Takes back the sectors of a write whose bit is 1.
    fn lose_sectors(&self, offset: u64, before: &[u8], lost: u64) {
        let file = self.inner.open_existing(layout::JOURNAL).unwrap();
        for (at, sector) in before.chunks(SECTOR_BYTES).enumerate() {
            if lost >> (at % 64) & 1 == 1 {
                let offset = offset + (at * SECTOR_BYTES) as u64;
                self.inner.write_at(&file, offset, sector).unwrap();
            }
        }
    }

    /// What is left of a file whose name survived and whose bytes did not.
    fn spoil(&self, path: &str, chance: u64) {
        if let Some((mut bytes, mode)) = self.held(path) {
            match chance % 4 {
                0 => bytes.clear(),
                1 => bytes.truncate(bytes.len() / 2),
                2 => bytes.fill(0),
                _ => bytes.iter_mut().skip(SECTOR_BYTES).for_each(|byte| *byte = 0),
            }
            self.put(path, &bytes, mode);
        }
    }

    /// What is left of a file that was written over, and whose length and sectors the disk takes one by one: each is the newer or what
    /// was there before.
    fn lose_rewrite(&self, path: &str, before: &[u8], chance: u64) {
        let Some((now, mode)) = self.held(path) else { return };
        let is_kept = |bit: usize| chance >> (bit % 64) & 1 == 1;
        let mut left = before.to_vec();
        left.resize(now.len().max(before.len()), 0);
        let sectors = left.chunks_mut(SECTOR_BYTES).zip(now.chunks(SECTOR_BYTES));
        for (_, (sector, newer)) in sectors.enumerate().filter(|(at, _)| is_kept(at + 1)) {
            sector[..newer.len()].copy_from_slice(newer);
        }
        left.truncate(if is_kept(0) { now.len() } else { before.len() });
        self.put(path, &left, mode);
    }

    fn put(&self, path: &str, bytes: &[u8], mode: u32) {
        drop(self.inner.remove(path));
        drop(self.inner.create(path, bytes, mode));
    }

    fn put_new(&self, path: &str, bytes: &[u8], mode: u32, undo: Vec<(Kept, Undo)>) -> io::Result<()> {
        // Never durable before it is there.
        let created = self.change(|| self.inner.write_new(path, bytes, mode), true, undo);
        if created.is_err() && self.tears_now() {
            drop(self.inner.write_new(path, &bytes[..bytes.len() / 2], mode));
        }
        created
    }

    fn tears_now(&self) -> bool {
        let torn = self.fault == Fault::Tear || self.fault == Fault::DiskFull;
        torn && self.state.lock().unwrap().done == self.at + 1
    }

    /// What was durable with this is so now.
    fn keep(&self, durable: &Kept) {
        self.state.lock().unwrap().volatile.retain(|(kept, _)| kept != durable);
    }

    fn alive(&self) -> io::Result<()> {
        if self.state.lock().unwrap().dead {
            return Err(io::Error::other("the process is dead"));
        }
        Ok(())
    }

    fn held(&self, path: &str) -> Option<(Vec<u8>, u32)> {
        let bytes = self.inner.read(path, u64::MAX - 1).ok()?;
        Some((bytes, self.inner.stat(path).ok()?.mode))
    }
}

impl FileLayer for FaultyFiles {
    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Vec<u8>> {
        self.alive()?;
        self.inner.read(path, limit_bytes)
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        self.inner.stat(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Listed>> {
        self.alive()?;
        self.inner.list(path)
    }

    fn create(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let undo = vec![(in_folder(path), Undo::Remove(path.to_owned()))];
        self.put_new(path, bytes, mode, undo)?;
        self.keep(&Kept::File(path.to_owned()));
        Ok(())
    }

    fn write_new(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let spoil = (Kept::File(path.to_owned()), Undo::Spoil(path.to_owned()));
        let undo = vec![(in_folder(path), Undo::Remove(path.to_owned())), spoil];
        self.put_new(path, bytes, mode, undo)
    }

    fn overwrite(&self, path: &str, bytes: &[u8], least_bytes: u64) -> io::Result<bool> {
        self.alive()?;
        let Some((before, _)) = self.held(path) else {
            return Ok(false);
        };
        let mut is_written = false;
        let write = || {
            self.inner
                .overwrite(path, bytes, least_bytes)
                .map(|over| is_written = over)
        };
        let done = self.change(write, bytes.len() > before.len(), Vec::new());
        if done.is_err() && self.tears_now() {
            let file = self.inner.open_existing(path)?;
            self.inner.write_at(&file, 0, &bytes[..bytes.len() / 2])?;
        }
        done?;
        if is_written {
            let undo = (Kept::File(path.to_owned()), Undo::Rewrite(path.to_owned(), before));
            self.state.lock().unwrap().volatile.push(undo);
        }
        Ok(is_written)
    }

    fn sync_files(&self, paths: &[String]) -> io::Result<()> {
        for path in paths {
            self.change(|| self.inner.sync_files(std::slice::from_ref(path)), false, Vec::new())?;
            self.keep(&Kept::File(path.clone()));
        }
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let undo = vec![(in_folder(to), Undo::Remove(to.to_owned()))];
        self.change(|| self.inner.link(from, to), true, undo)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let undo = self.held(from).map(|(bytes, mode)| {
            let from = (from.to_owned(), bytes, mode);
            let to = (to.to_owned(), self.held(to));
            (in_folder(&to.0), Undo::Unrename { from, to })
        });
        self.change(|| self.inner.rename(from, to), false, undo.into_iter().collect())?;
        // The bytes go with the file; what was said of those it replaced is void.
        let mut state = self.state.lock().unwrap();
        let replaced = Kept::File(to.to_owned());
        state.volatile.retain(|(kept, _)| *kept != replaced);
        for (kept, undo) in &mut state.volatile {
            if *kept == Kept::File(from.to_owned()) {
                goes_to(to, kept, undo);
            }
        }
        Ok(())
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        let held = |path: &str| self.held(path).map(|(bytes, mode)| (path.to_owned(), bytes, mode));
        let (Some(first), Some(second)) = (held(one), held(other)) else {
            self.alive()?;
            return self.inner.exchange(one, other);
        };
        let undo = vec![(in_folder(other), Undo::Exchange([first, second]))];
        self.change(|| self.inner.exchange(one, other), false, undo)?;
        swap_files(&mut self.state.lock().unwrap().volatile, one, other);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let undo = self.held(path).map(|(bytes, mode)| {
            let undo = Undo::Restore(path.to_owned(), bytes, mode);
            (in_folder(path), undo)
        });
        self.change(|| self.inner.remove(path), false, undo.into_iter().collect())
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.remove_dir(path), false, Vec::new())
    }

    fn make_dir(&self, path: &str) -> io::Result<bool> {
        if self.inner.dir.is_dir(path) {
            return Ok(false);
        }
        let mut made = false;
        let undo = vec![(in_folder(path), Undo::RemoveFolder(path.to_owned()))];
        self.change(|| self.inner.make_dir(path).map(|new| made = new), true, undo)?;
        Ok(made)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.sync_dir(path), false, Vec::new())?;
        self.keep(&Kept::Folder(path.to_owned()));
        Ok(())
    }

    fn sync_dirs(&self, paths: &[String]) -> io::Result<()> {
        paths.iter().try_for_each(|path| self.sync_dir(path))
    }

    fn open_lock(&self, path: &str) -> io::Result<File> {
        self.inner.open_lock(path)
    }

    fn open_existing(&self, path: &str) -> io::Result<File> {
        self.alive()?;
        self.inner.open_existing(path)
    }

    fn open_to_read(&self, path: &str) -> io::Result<File> {
        self.alive()?;
        self.inner.open_to_read(path)
    }

    fn read_at(&self, file: &File, offset: u64, limit_bytes: usize) -> io::Result<Vec<u8>> {
        self.alive()?;
        self.inner.read_at(file, offset, limit_bytes)
    }

    fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut before = self.inner.read_at(file, offset, bytes.len())?;
        let grows = before.len() < bytes.len();
        before.resize(bytes.len(), 0);
        let undo = vec![(Kept::Journal, Undo::Overwrite(offset, before))];
        let written = self.change(|| self.inner.write_at(file, offset, bytes), grows, undo);
        if written.is_err() && self.tears_now() {
            self.inner.write_at(file, offset, &bytes[..bytes.len() / 2])?;
        }
        written
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        self.change(|| self.inner.sync_data(file), false, Vec::new())?;
        self.state.lock().unwrap().journal_syncs += 1;
        self.keep(&Kept::Journal);
        Ok(())
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        let behind = self.inner.read_at(file, length, usize::MAX >> 16).unwrap_or_default();
        let undo = vec![(Kept::Journal, Undo::Lengthen(length + behind.len() as u64, behind))];
        self.change(|| self.inner.truncate(file, length), false, undo)
    }

    fn is_same_file(&self, path: &str, file: &File) -> io::Result<bool> {
        self.inner.is_same_file(path, file)
    }

    fn boot_id(&self) -> Option<String> {
        self.boot_id.clone()
    }
}

fn in_folder(path: &str) -> Kept {
    Kept::Folder(layout::parent(path).to_owned())
}
