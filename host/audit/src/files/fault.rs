//! A file layer for tests: it stops at a chosen operation, fails there, or loses what was not made durable.

use std::fs::File;
use std::io;
use std::sync::Mutex;

use cap_std::fs::Dir;

use super::{DirFiles, FileLayer, Listed, Stat};
use crate::layout;

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the operation: everything from then on fails, and changes nothing.
    Kill,
    /// The process dies in the middle of it: a file is created half-written.
    Tear,
    /// The machine loses power before it: as `Kill`, and names that were not made durable are lost, those whose turn in
    /// the mask is 1 (bit 0 is the newest).
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
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: u64,
    dead: bool,
    /// Changes of names that are not durable yet, and how to take them back.
    volatile: Vec<(String, Undo)>,
}

enum Undo {
    /// The name was new.
    Remove(String),
    /// The name held this before.
    Restore(String, Vec<u8>, u32),
    /// A rename: take `to` back to what it held, and `from` to what was moved.
    Unrename {
        from: (String, Vec<u8>, u32),
        to: (String, Option<(Vec<u8>, u32)>),
    },
}

impl FaultyFiles {
    pub(crate) fn new(dir: Dir, fault: Fault, at: u64) -> Self {
        Self {
            inner: DirFiles::new(dir),
            fault,
            at,
            state: Mutex::default(),
        }
    }

    /// Whether the chosen operation was reached.
    pub(crate) fn fired(&self) -> bool {
        self.state.lock().unwrap().done > self.at
    }

    fn change(
        &self,
        operation: impl FnOnce() -> io::Result<()>,
        grows: bool,
        undo: Option<(String, Undo)>,
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
        for (turn, (_, undo)) in state.volatile.drain(..).rev().enumerate() {
            if mask >> (turn % 64) & 1 == 0 {
                continue;
            }
            match undo {
                Undo::Remove(path) => drop(self.inner.remove(&path)),
                Undo::Restore(path, bytes, mode) => self.put(&path, &bytes, mode),
                Undo::Unrename { from, to } => {
                    drop(self.inner.remove(&to.0));
                    if let Some((bytes, mode)) = to.1 {
                        self.put(&to.0, &bytes, mode);
                    }
                    self.put(&from.0, &from.1, from.2);
                }
            }
        }
    }

    fn put(&self, path: &str, bytes: &[u8], mode: u32) {
        drop(self.inner.remove(path));
        drop(self.inner.create(path, bytes, mode));
    }

    fn held(&self, path: &str) -> Option<(Vec<u8>, u32)> {
        let bytes = self.inner.read(path, u64::MAX - 1).ok()?;
        Some((bytes, self.inner.stat(path).ok()?.mode))
    }
}

impl FileLayer for FaultyFiles {
    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Vec<u8>> {
        if self.state.lock().unwrap().dead {
            return Err(io::Error::other("the process is dead"));
        }
        self.inner.read(path, limit_bytes)
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        self.inner.stat(path)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Listed>> {
        if self.state.lock().unwrap().dead {
            return Err(io::Error::other("the process is dead"));
        }
        self.inner.list(path)
    }

    fn create(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let undo = (layout::parent(path).to_owned(), Undo::Remove(path.to_owned()));
        let created = self.change(|| self.inner.create(path, bytes, mode), true, Some(undo));
        let torn = self.fault == Fault::Tear || self.fault == Fault::DiskFull;
        if created.is_err() && torn && self.state.lock().unwrap().done == self.at + 1 {
            drop(self.inner.create(path, &bytes[..bytes.len() / 2], mode));
        }
        created
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let undo = (layout::parent(to).to_owned(), Undo::Remove(to.to_owned()));
        self.change(|| self.inner.link(from, to), true, Some(undo))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let undo = self.held(from).map(|(bytes, mode)| {
            let from = (from.to_owned(), bytes, mode);
            (
                layout::parent(to).to_owned(),
                Undo::Unrename {
                    from,
                    to: (to.to_owned(), self.held(to)),
                },
            )
        });
        self.change(|| self.inner.rename(from, to), false, undo)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let undo = self.held(path).map(|(bytes, mode)| {
            (
                layout::parent(path).to_owned(),
                Undo::Restore(path.to_owned(), bytes, mode),
            )
        });
        self.change(|| self.inner.remove(path), false, undo)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.remove_dir(path), false, None)
    }

    fn make_dir(&self, path: &str) -> io::Result<bool> {
        if self.inner.dir.is_dir(path) {
            return Ok(false);
        }
        let mut made = false;
        self.change(|| self.inner.make_dir(path).map(|new| made = new), true, None)?;
        Ok(made)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.sync_dir(path), false, None)?;
        self.state.lock().unwrap().volatile.retain(|(folder, _)| folder != path);
        Ok(())
    }

    fn open_lock(&self, path: &str) -> io::Result<File> {
        self.inner.open_lock(path)
    }

    fn is_same_file(&self, path: &str, file: &File) -> io::Result<bool> {
        self.inner.is_same_file(path, file)
    }
}
