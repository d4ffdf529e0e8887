//! A client session that stays open.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::ClusterError;

/// Printed by `psql` after each statement, so that its end can be seen.
const MARKER: &str = "--end-of-statement--";

/// A `psql` that stays open; ends when dropped, and its transaction with it.
#[derive(Debug)]
pub struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub(crate) fn open(mut psql: Command) -> Result<Self, ClusterError> {
        let io = |source| ClusterError::Io {
            what: "psql".to_owned(),
            source,
        };
        let mut child = psql
            .args(["-X", "-q", "-A", "-t"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(io)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io(std::io::Error::other("no pipes")));
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Runs SQL, waits for its end, and returns what it prints. A statement that fails prints nothing.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn run(&mut self, sql: &str) -> Result<String, ClusterError> {
        self.start(sql)?;
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).map_err(|source| ClusterError::Io {
                what: "psql".to_owned(),
                source,
            })?;
            if read == 0 {
                return Err(ClusterError::Failed {
                    program: "psql".to_owned(),
                    output: "the session has ended".to_owned(),
                });
            }
            if line.trim_end() == MARKER {
                return Ok(printed.trim_end().to_owned());
            }
            printed.push_str(&line);
        }
    }

    /// Sends SQL and does not wait for it. A session is good for one such statement, as its last.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn start(&mut self, sql: &str) -> Result<(), ClusterError> {
        writeln!(self.input, "{sql}\n;\n\\echo {MARKER}")
            .and_then(|()| self.input.flush())
            .map_err(|source| ClusterError::Io {
                what: "psql".to_owned(),
                source,
            })
    }

    /// The process id of the server process.
    ///
    /// # Errors
    /// When the session has ended.
    pub fn pid(&mut self) -> Result<i32, ClusterError> {
        let printed = self.run("SELECT pg_catalog.pg_backend_pid()")?;
        printed.parse().map_err(|_| ClusterError::Failed {
            program: "psql".to_owned(),
            output: printed,
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
