//! Where log bytes come from: files and streams that the caller opened, and folders that it handed over.
//!
//! **In**: open handles; nothing here opens a path of its own. **Out**: [`Source`]s, decompressed while they are read. **Can
//! fail**: reading; what a compressed stream held up to an error is kept.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::Dir;

use crate::error::LogError;

/// Compressed input is told by its first bytes.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// One log to read.
pub struct Source {
    pub(crate) name: String,
    pub(crate) input: Box<dyn Read + Send>,
    /// Bytes to read, where that is known.
    pub(crate) len: Option<u64>,
    /// Found in a folder: set aside, instead of refused, if it is no log.
    pub(crate) from_folder: bool,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Source")
            .field("name", &self.name)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// A file that the caller opened, read from where it stands. `name` is how the user named it.
    #[must_use]
    pub fn file(name: String, file: File) -> Self {
        let len = file
            .metadata()
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|metadata| metadata.len());
        Self {
            name,
            input: Box::new(file),
            len,
            from_folder: false,
        }
    }

    /// Anything else, for example standard input (named `-`).
    #[must_use]
    pub fn stream(name: String, input: Box<dyn Read + Send>) -> Self {
        Self {
            name,
            input,
            len: None,
            from_folder: false,
        }
    }

    /// The plain files of a folder by name, without descending; links are followed inside the folder only. Files that turn out
    /// to be no logs are set aside by [`crate::analyse`], which says so.
    ///
    /// # Errors
    /// [`LogError::Read`] when the folder or a file in it cannot be read, [`LogError::EmptyFolder`] when there is no file.
    pub fn in_dir(name: &str, dir: &Dir) -> Result<Vec<Self>, LogError> {
        let mut sources = Vec::new();
        let failed = |path: &str, source: io::Error| LogError::Read {
            path: path.to_owned(),
            source,
        };
        for entry in dir.entries().map_err(|error| failed(name, error))? {
            let entry = entry.map_err(|error| failed(name, error))?;
            let file_name = entry.file_name();
            let path = format!("{}/{}", name.trim_end_matches('/'), file_name.to_string_lossy());
            // Resolved inside the folder: a link that leads out of it is no file of it.
            let Ok(metadata) = dir.metadata(&file_name) else {
                continue;
            };
            if !metadata.is_file() {
                continue;
            }
            let file = dir.open(&file_name).map_err(|error| failed(&path, error))?;
            sources.push(Self {
                from_folder: true,
                ..Self::file(path, file.into_std())
            });
        }
        if sources.is_empty() {
            return Err(LogError::EmptyFolder { path: name.to_owned() });
        }
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(sources)
    }
}

/// A source being read: counted, decompressed.
pub(crate) struct Input {
    bytes: Box<dyn Read + Send>,
    compressed: bool,
    /// The compressed stream broke off here.
    pub(crate) broken: bool,
}

impl Input {
    /// Begins to read; `read` counts what comes from the disk.
    pub(crate) fn open(source: Box<dyn Read + Send>, read: Arc<AtomicU64>) -> io::Result<Self> {
        let mut counted = Counted { input: source, read };
        let mut magic = Vec::with_capacity(4);
        counted.by_ref().take(4).read_to_end(&mut magic)?;
        let is_gzip = magic.starts_with(GZIP_MAGIC);
        let is_zstd = magic.starts_with(ZSTD_MAGIC);
        let whole = io::Cursor::new(magic).chain(counted);
        let bytes: Box<dyn Read + Send> = if is_gzip {
            Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(
                64 * 1024,
                whole,
            )))
        } else if is_zstd {
            Box::new(zstd::stream::read::Decoder::new(whole)?)
        } else {
            Box::new(whole)
        };
        Ok(Self {
            bytes,
            compressed: is_gzip || is_zstd,
            broken: false,
        })
    }

    /// Appends up to `count` bytes; fewer only at the end.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<usize> {
        if self.broken {
            return Ok(0);
        }
        let before = buffer.len();
        buffer.reserve(count);
        let result = self.bytes.by_ref().take(count as u64).read_to_end(buffer);
        match result {
            Ok(read) => Ok(read),
            // What was decompressed before the error is in the buffer already.
            Err(_) if self.compressed => {
                self.broken = true;
                Ok(buffer.len() - before)
            }
            Err(error) => Err(error),
        }
    }
}

struct Counted {
    input: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
