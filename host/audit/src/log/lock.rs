//! The lock of the log: one writer at a time in all processes, in turn, and no wait without an end.
//!
//! **In**: the files `lock` and `queue`. **Out**: [`Locked`]. **Trusted**: that the operating system releases the lock of a
//! process that died. **Can fail**: [`AuditError::LockTimeout`], and opening the files.
//!
//! Only who holds `queue` may ask for `lock`. Without that, a process that appends one record after the other would take the
//! lock again before anybody else finds it free. Both are waited for in the kernel, which wakes exactly the next one and costs
//! the others no processor time, but has no timeout for that; so a thread of its own waits there, and is left behind when it
//! waits for too long or for a file that was replaced: it then ends as soon as it gets what nobody wants any more.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use super::{Log, State};
use crate::error::AuditError;
use crate::layout;

/// How often who waits for a file looks whether that is still the one in the folder.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Who may be in the log at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Others who only read.
    Shared,
    /// Nobody.
    Alone,
}

/// A lock on a file; dropping it releases the lock.
pub(super) struct Held {
    file: Arc<File>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let _closing_it_releases_it_too = self.file.unlock();
    }
}

/// The lock on the log; dropping it releases the lock.
pub(super) struct Locked {
    _held: Held,
}

/// The open lock files.
pub(super) struct LockFiles {
    lock: Arc<File>,
    queue: Arc<File>,
    waiter: Waiter,
}

/// The thread that waits for a lock, once one had to be waited for.
#[derive(Default)]
pub(super) struct Waiter {
    requests: Option<Sender<Request>>,
}

enum Request {
    /// The lock on the log, in turn.
    Lock(Line),
    /// That nobody holds the lock on a file alone any more.
    Release(Arc<File>, SyncSender<io::Result<()>>),
}

/// Somebody in line for the lock.
struct Line {
    /// The first place, if that is had already.
    turn: Option<Held>,
    queue: Arc<File>,
    lock: Arc<File>,
    access: Access,
    /// Nobody waits for the answer any more.
    given_up: Arc<AtomicBool>,
    answer: SyncSender<io::Result<Held>>,
}

impl LockFiles {
    /// Whether somebody waits for the lock, as far as can be told.
    pub(super) fn has_line(&self) -> bool {
        !matches!(Access::Alone.attempt(&self.queue), Ok(Some(_)))
    }
}

impl Access {
    /// The lock on the file, if it is to be had now.
    pub(super) fn attempt(self, file: &Arc<File>) -> io::Result<Option<Held>> {
        let attempt = match self {
            Self::Shared => file.try_lock_shared(),
            Self::Alone => file.try_lock(),
        };
        match attempt {
            Ok(()) => Ok(Some(Held { file: Arc::clone(file) })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Waiter {
    /// Has the thread wait until nobody holds the lock on a file alone.
    pub(super) fn release(&mut self, file: &Arc<File>) -> io::Result<Receiver<io::Result<()>>> {
        let (answer, answered) = sync_channel(1);
        self.ask(Request::Release(Arc::clone(file), answer)).map(|()| answered)
    }

    /// Asks the thread; it is started when there is none.
    fn ask(&mut self, request: Request) -> io::Result<()> {
        let request = match &self.requests {
            Some(waiter) => match waiter.send(request) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.0,
            },
            None => request,
        };
        let (waiter, requests) = channel();
        std::thread::Builder::new()
            .name("audit-lock".to_owned())
            .spawn(move || wait_for_each(&requests))?;
        // If the thread ended already, the answer never comes, which tells.
        let _answered_or_not = waiter.send(request);
        self.requests = Some(waiter);
        Ok(())
    }
}

fn wait_for_each(requests: &Receiver<Request>) {
    while let Ok(request) = requests.recv() {
        // Left behind: what nobody takes is dropped, and so released.
        let taken = match request {
            Request::Lock(line) => line.wait(),
            // Shared, so that all who wait go on at once, and for no longer than that takes.
            Request::Release(file, answer) => {
                let released = file.lock_shared().and_then(|()| file.unlock());
                answer.send(released).is_ok()
            }
        };
        if !taken {
            return;
        }
    }
}

impl Line {
    /// Waits for the first place and then for the lock, and says whether somebody took it.
    fn wait(self) -> bool {
        let Self {
            turn,
            queue,
            lock,
            access,
            given_up,
            answer,
        } = self;
        let turn = match turn {
            Some(turn) => Ok(turn),
            None => queue.lock().map(|()| Held { file: queue }),
        };
        let held = turn.and_then(|turn| {
            // Before the lock is waited for, so that who gave up does not keep others from it.
            if given_up.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            match access {
                Access::Shared => lock.lock_shared()?,
                Access::Alone => lock.lock()?,
            }
            let held = Held { file: lock };
            drop(turn);
            Ok(held)
        });
        answer.send(held).is_ok()
    }
}

impl Log {
    /// Takes the lock, waiting in line for it.
    pub(super) fn lock(&self, state: &mut State, access: Access) -> Result<Locked, AuditError> {
        let start = Instant::now();
        loop {
            let mut files = self.lock_files(state.locks.take())?;
            // A lock on a file that was replaced protects nothing. Of `queue` it is seen by whoever has to wait.
            if let Some(held) = self.lock_in_turn(&mut files, access, start)?
                && self.is_there(layout::LOCK, &files.lock)?
            {
                state.locks = Some(files);
                return Ok(Locked { _held: held });
            }
            // One of the files was replaced meanwhile: they are opened again.
        }
    }

    /// The lock on the open files; `None` when others have their names by now.
    fn lock_in_turn(&self, files: &mut LockFiles, access: Access, start: Instant) -> Result<Option<Held>, AuditError> {
        let failed = |error| AuditError::io("lock", layout::LOCK, error);
        let turn = Access::Alone
            .attempt(&files.queue)
            .map_err(|error| AuditError::io("lock", layout::QUEUE, error))?;
        if turn.is_some()
            && let Some(held) = access.attempt(&files.lock).map_err(failed)?
        {
            return Ok(Some(held));
        }
        let given_up = Arc::new(AtomicBool::new(false));
        let (answer, answered) = sync_channel(1);
        let line = Line {
            turn,
            queue: Arc::clone(&files.queue),
            lock: Arc::clone(&files.lock),
            access,
            given_up: Arc::clone(&given_up),
            answer,
        };
        files.waiter.ask(Request::Lock(line)).map_err(failed)?;
        let held = loop {
            let left = self.lock_timeout.saturating_sub(start.elapsed());
            match answered.recv_timeout(left.min(LOOK_AGAIN)) {
                Ok(held) => break held.map(Some).map_err(failed),
                Err(RecvTimeoutError::Disconnected) => break Ok(None),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => break Err(timed_out(start)),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let queue = self.is_there(layout::QUEUE, &files.queue);
            match queue.and_then(|there| Ok(there && self.is_there(layout::LOCK, &files.lock)?)) {
                Ok(true) => {}
                Ok(false) => break Ok(None),
                Err(error) => break Err(error),
            }
        };
        if !matches!(held, Ok(Some(_))) {
            // The thread may have the first place and still wait for the lock: it shall not keep others from it.
            given_up.store(true, Ordering::SeqCst);
            let _closing_it_releases_it_too = files.queue.unlock();
        }
        held
    }

    fn lock_files(&self, known: Option<LockFiles>) -> Result<LockFiles, AuditError> {
        if let Some(files) = known {
            return Ok(files);
        }
        let open = |path| {
            let file = self.files.open_lock(path);
            file.map(Arc::new).map_err(|error| AuditError::io("lock", path, error))
        };
        Ok(LockFiles {
            queue: open(layout::QUEUE)?,
            lock: open(layout::LOCK)?,
            waiter: Waiter::default(),
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
