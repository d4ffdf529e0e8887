//! Why a command of an author's gave no reply. The author is to blame, or the author's tools; each error says what to do next.

use std::path::Path;

use crate::ambient::OpenError;
use crate::runbook::RunbookError;
use crate::untrusted::Untrusted;

/// Why a command of an author's gave no reply.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A name that no runbook can have.
    #[error("`{name}` cannot be the name of a runbook: {reason}")]
    Name {
        /// As it was typed.
        name: String,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// A folder that is not empty.
    #[error("the folder `{folder}` is there already and is not empty; name another one with --path")]
    NotEmpty {
        /// Where.
        folder: String,
    },
    /// The SDK is not where it was looked for.
    #[error("there is no pg-logstats-sdk in `{place}`; name the folder `guest-sdk` of pg-logstats' sources with --sdk")]
    NoSdk {
        /// Where.
        place: String,
    },
    /// A folder that holds no runbook.
    #[error("there is no runbook in `{folder}`: {reason}")]
    NotAProject {
        /// Where.
        folder: String,
        /// What is missing.
        reason: String,
    },
    /// A file of a project is not what it should be.
    #[error("`{file}`: {reason}")]
    File {
        /// Which.
        file: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A tool could not be started.
    #[error("cannot run `{tool}`: {source}; {remedy}")]
    Tool {
        /// Which.
        tool: String,
        /// Why.
        source: std::io::Error,
        /// How to get it.
        remedy: &'static str,
    },
    /// A tool was started and failed; its messages are on standard error.
    #[error("`{tool}` failed; its messages are above")]
    ToolFailed {
        /// Which, with what it was asked.
        tool: String,
    },
    /// No component came of a crate.
    #[error(transparent)]
    Componentize(#[from] pg_logstats_componentize::Error),
    /// A component that does not load or describe itself as the contract asks.
    #[error("`{file}` is no runbook for this host: {source}")]
    Runbook {
        /// Which.
        file: String,
        /// Why.
        source: RunbookError,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// Read, write, …
        doing: &'static str,
        /// What.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A report whose record does not hold all that its runbook was given.
    #[error("the report `{report_id}` cannot be replayed: {lacks}")]
    NotRecorded {
        /// Which.
        report_id: String,
        /// What lacks, and why.
        lacks: String,
    },
}

impl AuthorError {
    /// Whether what was typed is at fault.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Usage(_) | Self::Name { .. } | Self::NotEmpty { .. } | Self::NoSdk { .. } | Self::NotAProject { .. }
        )
    }

    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { doing, path, source }
    }

    /// `reason` may quote what is in the file, and is escaped and cut.
    pub(super) fn file(file: &Path, reason: &str) -> Self {
        Self::File {
            file: file.display().to_string(),
            reason: Untrusted::capped(reason, 300).text().to_owned(),
        }
    }
}
