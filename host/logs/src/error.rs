//! Why an analysis stopped.

use thiserror::Error;

/// Every reason to give no evidence at all. What can be analysed in part is analysed, and told in the evidence's limitations.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// Nothing in the file is a log entry.
    #[error("`{path}` is not a PostgreSQL log: {why}; {remedy}")]
    NotALog {
        /// As the user named it.
        path: String,
        /// What it is, as far as that is known.
        reason: NoLog,
        /// What was found instead.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// The prefix that was given is not the file's.
    #[error("{}", prefix_mismatch(path, prefix, first_line, detected.as_deref()))]
    PrefixMismatch {
        /// As the user named it.
        path: String,
        /// As given.
        prefix: String,
        /// Start of the first line, escaped.
        first_line: String,
        /// A prefix that would match.
        detected: Option<String>,
    },
    /// The prefix that was given is none.
    #[error("`{prefix}` is no log_line_prefix: {why}; copy the output of `SHOW log_line_prefix`")]
    Prefix {
        /// As given.
        prefix: String,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system refused.
    #[error("cannot read `{path}`: {source}; check that the file is still there and readable, and try again")]
    Read {
        /// As the user named it.
        path: String,
        /// Its words.
        source: std::io::Error,
    },
    /// A file or folder in a folder that was named may not be read. What the others tell would look like all there is.
    #[error(
        "cannot read `{path}` in the folder `{folder}`: {source}; run as a user who may, or name the files that are to be read"
    )]
    Unreadable {
        /// As the user named it.
        folder: String,
        /// What is in it.
        path: String,
        /// The words of the operating system.
        source: std::io::Error,
    },
    /// A folder without a single log.
    #[error("no PostgreSQL log in the folder `{path}`: name the server's log_directory, or the files themselves")]
    EmptyFolder {
        /// As the user named it.
        path: String,
    },
    /// An archive without a single log.
    #[error("no PostgreSQL log in the archive `{path}`: make it of the files of the server's log_directory")]
    EmptyArchive {
        /// As the user named it.
        path: String,
    },
    /// A worker thread could not be started.
    #[error("cannot start a thread: {source}; ask for fewer threads")]
    Thread {
        /// The operating system's words.
        source: std::io::Error,
    },
}

/// What a file that is no log of PostgreSQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoLog {
    /// A log of pgBouncer.
    PgBouncer,
    /// A log of Patroni.
    Patroni,
    /// A log whose messages are translated.
    Localized,
    /// Something else.
    Other,
}

impl NoLog {
    /// The limitation that says so when a folder holds such a file.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::PgBouncer => "pgbouncer_log",
            Self::Patroni => "patroni_log",
            Self::Localized => "localized_messages",
            Self::Other => "not_a_log",
        }
    }
}

fn prefix_mismatch(path: &str, prefix: &str, first_line: &str, detected: Option<&str>) -> String {
    let remedy = match detected {
        Some(found) => format!("`{found}` would match: give that, or none and let it be detected"),
        None => "copy the output of `SHOW log_line_prefix` of the server that wrote it".to_owned(),
    };
    format!(
        "log_line_prefix `{prefix}` matches no line of `{path}`, whose first one looks like `{first_line}`, with `x` for letters and `9` for digits; {remedy}"
    )
}
