//! What connection settings may read of the process's surroundings: variables and three sorts of files.

use std::io;
use std::path::Path;

/// Longest service or password file that is read.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A file's text, and whether others than its owner may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileText {
    /// The text.
    pub text: String,
    /// Whether group or others have any access.
    pub open_to_others: bool,
}

/// Variables and files, so that a test can give its own.
pub trait Environment {
    /// The variable, when set and UTF-8.
    fn var(&self, name: &str) -> Option<String>;

    /// The file's text.
    ///
    /// # Errors
    /// When it cannot be read, is no regular file, is larger than a mebibyte, or is not UTF-8.
    fn read(&self, path: &Path) -> io::Result<FileText>;

    /// Whether something is there.
    fn exists(&self, path: &Path) -> bool;
}

/// The process's own.
#[derive(Debug, Clone, Copy)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn read(&self, path: &Path) -> io::Result<FileText> {
        use std::io::Read as _;
        use std::os::unix::fs::MetadataExt as _;

        // Looked at before it is opened: opening a FIFO would wait for a writer.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        let mut text = String::new();
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "larger than a mebibyte"));
        }
        Ok(FileText {
            text,
            open_to_others: metadata.mode() & 0o077 != 0,
        })
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
}
