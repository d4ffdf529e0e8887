//! The lock of the log: one writer at a time in all processes, in turn, and no wait without an end.
//!
//! **In**: the files `lock` and `queue`. **Out**: [`Locked`]. **Trusted**: that the operating system releases the lock of a
//! process that died. **Can fail**: [`AuditError::LockTimeout`], and opening the files.
//!
//! Only who holds `queue` may ask for `lock`. Without that, a process that appends one record after the other would take the
//! lock again before anybody else finds it free. The first in line looks for the lock again and again, which is quick to see
//! that it is free, or that its file was replaced. All others wait for `queue`: the operating system wakes exactly the next
//! one, but it has no timeout for that; so a thread of its own waits there, and is left behind when it waits for too long: it
//! then ends as soon as it gets what nobody wants any more.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use super::{Log, State};
use crate::error::AuditError;
use crate::layout;

/// How often who waits for `queue` looks whether that is still the file in the folder.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long the first in line leaves the processor only to others that are ready: most holders are done by then.
const YIELDING: Duration = Duration::from_micros(300);
/// How long it sleeps between two looks after that.
const PAUSE: Duration = Duration::from_micros(100);

/// Who may be in the log at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Others who only read.
    Shared,
    /// Nobody.
    Alone,
}

/// The lock on the log; dropping it releases the lock.
pub(super) struct Locked {
    file: Arc<File>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _closing_it_releases_it_too = self.file.unlock();
    }
}

/// The first place in line; dropping it lets the next one come.
struct Turn {
    queue: Arc<File>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _closing_it_releases_it_too = self.queue.unlock();
    }
}

/// The open lock files, and the thread that waits in line once somebody had to wait.
pub(super) struct LockFiles {
    lock: Arc<File>,
    queue: Arc<File>,
    waiter: Option<Sender<Request>>,
}

type Request = SyncSender<io::Result<Turn>>;

impl Access {
    /// Whether the file is locked now.
    fn attempt(self, file: &File) -> io::Result<bool> {
        let attempt = match self {
            Self::Shared => file.try_lock_shared(),
            Self::Alone => file.try_lock(),
        };
        match attempt {
            Ok(()) => Ok(true),
            Err(std::fs::TryLockError::WouldBlock) => Ok(false),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl LockFiles {
    fn turn(&self) -> Turn {
        Turn {
            queue: Arc::clone(&self.queue),
        }
    }

    /// Sends the thread to wait in line; it is started when there is none.
    fn ask(&mut self) -> io::Result<Receiver<io::Result<Turn>>> {
        let (request, answer) = sync_channel(1);
        let request = match &self.waiter {
            Some(waiter) => match waiter.send(request) {
                Ok(()) => return Ok(answer),
                Err(unsent) => unsent.0,
            },
            None => request,
        };
        let (waiter, requests) = channel();
        let queue = Arc::clone(&self.queue);
        std::thread::Builder::new()
            .name("audit-lock".to_owned())
            .spawn(move || wait_in_line(&requests, &queue))?;
        // If the thread ended already, the answer never comes, which tells.
        let _answered_or_not = waiter.send(request);
        self.waiter = Some(waiter);
        Ok(answer)
    }
}

fn wait_in_line(requests: &Receiver<Request>, queue: &Arc<File>) {
    while let Ok(request) = requests.recv() {
        let turn = queue.lock().map(|()| Turn {
            queue: Arc::clone(queue),
        });
        // Left behind: what nobody takes is dropped, and so released.
        if request.send(turn).is_err() {
            return;
        }
    }
}

impl Log {
    /// Takes the lock, waiting in line for it.
    pub(super) fn lock(&self, state: &mut State, access: Access) -> Result<Locked, AuditError> {
        let start = Instant::now();
        loop {
            let mut files = self.lock_files(state.locks.take())?;
            if let Some(turn) = self.wait_in_line(&mut files, start)?
                && let Some(locked) = self.wait_for_lock(&files, access, start)?
            {
                drop(turn);
                state.locks = Some(files);
                return Ok(locked);
            }
            // A lock on a file that was replaced meanwhile protects nothing: the files are opened again.
        }
    }

    /// The first place in line; `None` when `queue` was replaced.
    fn wait_in_line(&self, files: &mut LockFiles, start: Instant) -> Result<Option<Turn>, AuditError> {
        let failed = |error| AuditError::io("lock", layout::QUEUE, error);
        let turn = if Access::Alone.attempt(&files.queue).map_err(failed)? {
            files.turn()
        } else {
            let answer = files.ask().map_err(failed)?;
            loop {
                let left = self.lock_timeout.saturating_sub(start.elapsed());
                match answer.recv_timeout(left.min(LOOK_AGAIN)) {
                    Ok(turn) => break turn.map_err(failed)?,
                    Err(RecvTimeoutError::Disconnected) => return Ok(None),
                    Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(timed_out(start)),
                    Err(RecvTimeoutError::Timeout) if self.is_there(layout::QUEUE, &files.queue)? => {}
                    Err(RecvTimeoutError::Timeout) => return Ok(None),
                }
            }
        };
        Ok(self.is_there(layout::QUEUE, &files.queue)?.then_some(turn))
    }

    /// The lock, for the first in line; `None` when `lock` was replaced.
    fn wait_for_lock(&self, files: &LockFiles, access: Access, start: Instant) -> Result<Option<Locked>, AuditError> {
        let began = Instant::now();
        loop {
            let got = access.attempt(&files.lock);
            if got.map_err(|error| AuditError::io("lock", layout::LOCK, error))? {
                let locked = Locked {
                    file: Arc::clone(&files.lock),
                };
                return Ok(self.is_there(layout::LOCK, &files.lock)?.then_some(locked));
            }
            if began.elapsed() < YIELDING {
                std::thread::yield_now();
                continue;
            }
            if start.elapsed() >= self.lock_timeout {
                return Err(timed_out(start));
            }
            if !self.is_there(layout::LOCK, &files.lock)? {
                return Ok(None);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn lock_files(&self, known: Option<LockFiles>) -> Result<LockFiles, AuditError> {
        if let Some(files) = known
            && self.is_there(layout::QUEUE, &files.queue)?
            && self.is_there(layout::LOCK, &files.lock)?
        {
            return Ok(files);
        }
        let open = |path| {
            let file = self.files.open_lock(path);
            file.map(Arc::new).map_err(|error| AuditError::io("lock", path, error))
        };
        Ok(LockFiles {
            queue: open(layout::QUEUE)?,
            lock: open(layout::LOCK)?,
            waiter: None,
        })
    }

    fn is_there(&self, path: &str, file: &File) -> Result<bool, AuditError> {
        let same = self.files.is_same_file(path, file);
        same.map_err(|error| AuditError::io("lock", path, error))
    }
}

fn timed_out(start: Instant) -> AuditError {
    AuditError::LockTimeout {
        file: layout::LOCK,
        waited_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
