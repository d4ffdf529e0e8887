//! What is removed when the process is interrupted or told to end.
//!
//! **In**: the name of a file that is not whole yet. **Out**: nothing; at Ctrl-C or SIGTERM the file is removed and the process ends
//! with 130 or 143, as a shell would say it. **Can fail**: silently. Where no signal can be waited for, a signal ends the process as
//! it always does, and the file stays behind.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A file that goes when the process is interrupted, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Interruptible {
    /// None when it is kept or gone.
    path: Arc<Mutex<Option<PathBuf>>>,
    /// Dropped with this: nothing is to be waited for any more.
    _done: Option<oneshot::Sender<()>>,
}

impl Interruptible {
    pub(crate) fn new(path: PathBuf) -> Self {
        let path = Arc::new(Mutex::new(Some(path)));
        let (done, is_done) = oneshot::channel();
        let waits = wait(Arc::clone(&path), is_done);
        Self {
            path,
            _done: waits.ok().map(|()| done),
        }
    }

    /// Does what makes the file one that is kept. A signal meanwhile waits, and finds nothing to remove.
    pub(crate) fn keep(&self, make: impl FnOnce(&Path) -> std::io::Result<()>) -> std::io::Result<()> {
        let mut held = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = held.as_ref() {
            make(path)?;
        }
        *held = None;
        Ok(())
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Mutex<Option<PathBuf>>) {
    if let Some(path) = path.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // Where that fails it stays, and is in the way of nothing.
        let _ = std::fs::remove_file(path);
    }
}

/// Waits for a signal on a thread of its own: the others may be in the middle of a read that never ends.
fn wait(path: Arc<Mutex<Option<PathBuf>>>, is_done: oneshot::Receiver<()>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let wait = move || {
        let code = runtime.block_on(async {
            tokio::select! {
                Some(()) = interrupt.recv() => Some(130),
                Some(()) = terminate.recv() => Some(143),
                _ = is_done => None,
            }
        });
        if let Some(code) = code {
            remove(&path);
            std::process::exit(code);
        }
    };
    let thread = std::thread::Builder::new().name("interrupt".to_owned());
    thread.spawn(wait).map(|_| ())
}
