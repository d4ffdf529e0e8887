//! A restart of the server, as `pg_ctl restart` does it.

use std::io::Write as _;
use std::process::ChildStdin;
use std::time::Instant;

use crate::{Cluster, ClusterError, START_TIMEOUT};

/// How the server goes down before it comes back: the modes of `pg_ctl` that do not wait for sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Sessions are ended, and the server shuts down in order.
    Fast,
    /// All processes end at once, and the server recovers when it starts.
    Immediate,
}

impl Shutdown {
    /// The signal that `pg_ctl` sends for it.
    fn signal(self) -> &'static str {
        match self {
            Self::Fast => "INT",
            Self::Immediate => "QUIT",
        }
    }
}

impl Cluster {
    /// Restarts the server, and waits until it accepts connections again.
    ///
    /// # Errors
    /// When it does not come back: then with its log.
    pub fn restart(&self, shutdown: Shutdown) -> Result<(), ClusterError> {
        let before = self.postmaster();
        let told = match &self.supervisor.stdin {
            Some(supervisor) => {
                let mut supervisor: &ChildStdin = supervisor;
                writeln!(supervisor, "{}", shutdown.signal())
            }
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        told.map_err(|source| ClusterError::Io {
            what: "restarting the server".to_owned(),
            source,
        })?;
        let deadline = Instant::now() + START_TIMEOUT;
        // The server that goes down may accept a last connection.
        while self.postmaster().is_none_or(|pid| Some(pid) == before) && Instant::now() < deadline {
            std::thread::sleep(crate::POLL);
        }
        let log = std::fs::read_to_string(self.server_log()).unwrap_or_default();
        self.wait_until_ready(log.len())
    }

    /// The process of the server, as its data folder says it.
    fn postmaster(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.data_dir().join("postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }
}
