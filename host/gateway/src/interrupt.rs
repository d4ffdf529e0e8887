//! What happens when the process is interrupted or told to end.
//!
//! **In**: the name of a file that is not whole yet, or what stops an action. **Out**: nothing; at Ctrl-C or SIGTERM the file is removed
//! and the process ends with 130 or 143, as a shell would say it; an action is stopped and the process goes on to record that.
//! **Can fail**: silently. Where no signal can be waited for, a signal ends the process as it always does: the file stays behind, the
//! server ends the statement of a client that is gone, and the intent stays without an outcome.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Calls `stop` at the first Ctrl-C, SIGTERM or SIGHUP. All three are waited for from this call on; from then on none of them
/// ends the process, so that the outcome can still be sealed.
pub(crate) fn asked_to_end(stop: impl FnOnce()) -> impl Future<Output = ()> {
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    // A process under `nohup` was told that a hangup is nothing to it.
    let hangup = (!is_hangup_ignored()).then(|| signal(SignalKind::hangup()));
    async move {
        let came = async |waited: Option<std::io::Result<tokio::signal::unix::Signal>>| {
            if let Some(Ok(mut signal)) = waited
                && signal.recv().await.is_some()
            {
                return;
            }
            std::future::pending().await
        };
        tokio::select! {
            () = came(Some(interrupt)) => {}
            () = came(Some(terminate)) => {}
            () = came(hangup) => {}
        }
        stop();
    }
}

/// Whether this process inherited that SIGHUP is ignored; `false` where `/proc` does not tell.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores_hangup(&status)
}

/// `SigIgn` is a mask in hex; SIGHUP is signal 1, its lowest bit.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

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

#[cfg(test)]
mod tests {
    use super::ignores_hangup;

    #[test]
    fn a_hangup_that_is_ignored_is_the_lowest_bit_of_the_mask() {
        assert!(ignores_hangup("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hangup(
            "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n"
        ));
        assert!(!ignores_hangup("") && !ignores_hangup("SigIgn:\tno mask"));
    }
}
