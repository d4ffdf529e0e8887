//! What can go wrong with the log. In: the cause. Out: one variant per cause, and a message that says what to do next.

use std::io;

use crate::digest::Digest;
use crate::dsse::DsseError;
use crate::files;
use crate::keys::SignError;
use crate::note::NoteError;
use crate::policy::WitnessedError;

/// Why the audit log did not do what was asked. Paths are relative to the folder of the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// Another process held the lock for too long.
    #[error(
        "the lock file `{file}` of the audit log was held by another process for {waited_ms} ms: try again, or find the holder with `lslocks`"
    )]
    LockTimeout {
        /// The lock file.
        file: &'static str,
        /// How long we waited.
        waited_ms: u64,
    },
    /// The operating system does not let us.
    #[error(
        "no permission to {doing} `{path}` in the audit log ({source}): run as the owner of the workspace, or give that user write permission, on a file system that is not read-only"
    )]
    Permission {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// No room on the disk, in the quota, or within the file size limit.
    #[error(
        "no space left to {doing} `{path}` in the audit log ({source}): nothing was recorded; free some space and try again"
    )]
    NoSpace {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Something other than a plain file or folder stands in a place of ours.
    #[error("cannot {doing} `{path}` in the audit log: it is a link or no plain file; put the original back")]
    NotPlain {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: String,
    },
    /// Any other failure of a file operation.
    #[error("cannot {doing} `{path}` in the audit log: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The origin cannot name a log.
    #[error(
        "`{origin}` cannot be the origin of an audit log: it must be 1 to 255 bytes without spaces and without `+`"
    )]
    BadOrigin {
        /// What was given.
        origin: String,
    },
    /// The checkpoint belongs to another log.
    #[error(
        "the file `checkpoint` is of the audit log `{found}` and not of `{expected}`: use the workspace it belongs to, or ask for it by its own origin"
    )]
    OriginMismatch {
        /// The origin in the checkpoint.
        found: String,
        /// The origin asked for.
        expected: String,
    },
    /// The checkpoint is not signed by a key we trust, or no checkpoint at all.
    #[error(
        "the file `checkpoint` of the audit log does not verify: {0}; restore the checkpoint or the key, do not start a new log in its place"
    )]
    Checkpoint(NoteError),
    /// The log has contents and no checkpoint.
    #[error(
        "the file `checkpoint` of the audit log is missing though `{found}` is there: restore it from a copy, do not start a new log in its place"
    )]
    CheckpointMissing {
        /// What shows that the log is not new.
        found: String,
    },
    /// The folder holds no log.
    #[error("there is no audit log in this folder: it has no file `checkpoint`; name the right workspace")]
    NoLog,
    /// Tiles or entries do not have the root that the checkpoint states.
    #[error("the audit log was changed: {what} (`{path}`); run `pg-logstats audit verify` for the whole picture")]
    Tampered {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The log is smaller than a checkpoint says it was, or than what was asked for.
    #[error(
        "the log has {size} entries and not {asked}: if an earlier checkpoint states {asked}, the log was cut or rolled back, or is a copy of an earlier day"
    )]
    Beyond {
        /// The size asked for.
        asked: u64,
        /// The size of the log.
        size: u64,
    },
    /// A checkpoint that our key signed is not of this log.
    #[error(
        "the first {size} entries have the root {computed} and the checkpoint states {stated}: the log was rewritten since, or the checkpoint is of a log that forked off; keep both, they are the proof"
    )]
    Fork {
        /// The size that the checkpoint states.
        size: u64,
        /// The root of these entries here.
        computed: Digest,
        /// The root that the checkpoint states.
        stated: Digest,
    },
    /// The record came after the checkpoint under which it was to be proven.
    #[error(
        "record `{id}` is entry {index}, and the checkpoint covers {size} entries: take a newer checkpoint, or have the newest one cosigned first"
    )]
    NotYetIn {
        /// Its id.
        id: String,
        /// Its index.
        index: u64,
        /// The size that the checkpoint states.
        size: u64,
    },
    /// The cosigned checkpoint does not do.
    #[error(
        "the cosigned checkpoint (file `cosigned`) does not verify: {0}; remove the file and have the checkpoint cosigned again"
    )]
    Cosigned(WitnessedError),
    /// A record is not what its entry says.
    #[error("record `{id}` (index {index}) was changed: {what}; run `pg-logstats audit verify` for the whole picture")]
    RecordTampered {
        /// Its id.
        id: String,
        /// Its index.
        index: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The log has no record of this id.
    #[error("no record `{id}` in the audit log; `pg-logstats audit list` shows those there are")]
    UnknownId {
        /// What was asked for.
        id: String,
    },
    /// The text is no id, a path for example.
    #[error("`{}` is not the id of a record: an id is two to four letters, `_`, and up to 40 digits and letters, all lower case; paths are not accepted", shown(.id))]
    BadId {
        /// What was given.
        id: String,
    },
    /// The log already has a record of this id.
    #[error("the audit log already has a record `{id}` (index {index}): a record needs a new id")]
    DuplicateId {
        /// The id.
        id: String,
        /// Where it stands.
        index: u64,
    },
    /// A record that cannot be recorded as it is.
    #[error("the record `{id}` cannot be recorded: {what}")]
    BadRecord {
        /// Its id.
        id: String,
        /// What is wrong with it.
        what: String,
    },
    /// The log stands under another key than the one that was to sign.
    #[error(
        "the audit log stands under the key `{in_force}`, and this process signs with `{ours}`: a log gets another key by `pg-logstats audit rotate-key`, and processes that run on are started anew then"
    )]
    OtherKey {
        /// The keys of the newest checkpoint.
        in_force: String,
        /// Our key.
        ours: crate::keys::KeyId,
    },
    /// The journal could not be made durable: what was written to it since may be lost, whatever a second try says.
    #[error(
        "the journal of the audit log could not be made durable ({reason}): the record was not acknowledged, and this process records nothing more; check the disk and the kernel's messages, then start it again"
    )]
    NotDurable {
        /// What the operating system says.
        reason: String,
    },
    /// The record is durable in the journal, and could not be written to its place.
    #[error(
        "the record `{id}` (index {index}) is durable in the journal of the audit log, and not yet in the log's own files: {reason}; remove the cause, and the next append or start writes it there. It counts as recorded: do not record it again"
    )]
    Unpublished {
        /// Its id.
        id: String,
        /// Its index.
        index: u64,
        /// Why it could not be written.
        reason: String,
    },
    /// The operating system has no random numbers.
    #[error("no random numbers for the journal of the audit log: {reason}")]
    Random {
        /// What the operating system says.
        reason: String,
    },
    /// The envelope could not be made.
    #[error("the record could not be sealed: {0}")]
    Seal(#[from] DsseError),
    /// The checkpoint could not be signed.
    #[error("the checkpoint could not be signed: {0}")]
    Sign(#[from] SignError),
}

impl AuditError {
    /// A record that could not be written to its place.
    pub(crate) fn unpublished(id: &str, index: u64, cause: &Self) -> Self {
        let reason = match cause {
            // Its own message says that nothing was recorded.
            Self::NoSpace { doing, path, source } => format!("no space left to {doing} `{path}` ({source})"),
            other => other.to_string(),
        };
        let id = id.to_owned();
        Self::Unpublished { id, index, reason }
    }

    /// Sorts a failed file operation.
    pub(crate) fn io(doing: &'static str, path: &str, source: io::Error) -> Self {
        let path = path.to_owned();
        if files::is_no_space(&source) {
            return Self::NoSpace { doing, path, source };
        }
        if files::is_not_plain(&source) {
            return Self::NotPlain { doing, path };
        }
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { doing, path, source }
            }
            _ => Self::Io { doing, path, source },
        }
    }
}

impl From<NoteError> for AuditError {
    fn from(error: NoteError) -> Self {
        match error {
            NoteError::Origin { found, expected } => Self::OriginMismatch { found, expected },
            other => Self::Checkpoint(other),
        }
    }
}

/// What a stranger typed: shortened and escaped.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
