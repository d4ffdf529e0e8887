//! Where log bytes come from: files and streams that the caller opened, and folders that it handed over.
//!
//! **In**: open handles; nothing here opens a path of its own. **Out**: [`Source`]s, decompressed and unwrapped while they are
//! read. **Can fail**: reading; what a compressed stream held up to an error is kept.

mod compression;
pub(crate) mod order;
pub(crate) mod tar;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::Dir;

use crate::bytes::up_to;
use crate::envelope::{Found, Layer, Stamp};
use crate::error::LogError;
use crate::evidence::{Compression, Envelope};

/// Bytes that envelopes are taken off at a time.
const LAYER_BYTES: usize = 256 * 1024;

/// One log to read.
pub struct Source {
    pub(crate) name: String,
    origin: Origin,
    /// Bytes to read, where that is known.
    pub(crate) len: Option<u64>,
    /// Found in a folder or an archive: set aside, instead of refused, if it is no log.
    pub(crate) is_found: bool,
    /// Sources of one number are the log of one server, one after the other.
    pub(crate) stream: Option<usize>,
}

enum Origin {
    Stream(Box<dyn Read + Send>),
    File(File),
    /// Opened when its turn comes: a folder may hold more files than a process may open.
    InDir(Arc<Dir>, OsString),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Source")
            .field("name", &self.name)
            .field("len", &self.len)
            .field("stream", &self.stream)
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
            len,
            ..Self::new(name, Origin::File(file))
        }
    }

    /// Anything else, for example standard input (named `-`).
    #[must_use]
    pub fn stream(name: String, input: Box<dyn Read + Send>) -> Self {
        Self::new(name, Origin::Stream(input))
    }

    /// The plain files of a folder, without descending; links are followed inside the folder only. Files that turn out to be no
    /// logs are set aside by [`crate::analyse`], which reads the others in order of time and says what it set aside.
    ///
    /// # Errors
    /// [`LogError::Read`] when the folder cannot be read, [`LogError::EmptyFolder`] when there is no file.
    pub fn in_dir(name: &str, dir: &Dir) -> Result<Vec<Self>, LogError> {
        let mut sources = Vec::new();
        let failed = |source: io::Error| LogError::Read {
            path: name.to_owned(),
            source,
        };
        let dir = Arc::new(dir.try_clone().map_err(failed)?);
        for entry in dir.entries().map_err(failed)? {
            let file_name = entry.map_err(failed)?.file_name();
            let path = format!("{}/{}", name.trim_end_matches('/'), file_name.to_string_lossy());
            // Resolved inside the folder: a link that leads out of it is no file of it.
            let Ok(metadata) = dir.metadata(&file_name) else {
                continue;
            };
            if !metadata.is_file() {
                continue;
            }
            sources.push(Self {
                is_found: true,
                len: Some(metadata.len()),
                ..Self::new(path, Origin::InDir(Arc::clone(&dir), file_name))
            });
        }
        if sources.is_empty() {
            return Err(LogError::EmptyFolder { path: name.to_owned() });
        }
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(sources)
    }

    /// How it is named in the evidence.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A file of an archive.
    pub(crate) fn member(name: String, bytes: tar::MemberBytes) -> Self {
        Self {
            is_found: true,
            ..Self::new(name, Origin::Stream(Box::new(bytes)))
        }
    }

    fn new(name: String, origin: Origin) -> Self {
        Self {
            name,
            origin,
            len: None,
            is_found: false,
            stream: None,
        }
    }

    /// Shows the file to `see` and leaves it as it was; none where a look would take bytes away.
    pub(crate) fn look<T>(&mut self, see: impl FnOnce(File) -> T) -> Option<T> {
        match &mut self.origin {
            Origin::Stream(_) => None,
            Origin::File(file) => {
                file.metadata().ok().filter(std::fs::Metadata::is_file)?;
                let start = file.stream_position().ok()?;
                let seen = see(file.try_clone().ok()?);
                file.seek(io::SeekFrom::Start(start)).ok()?;
                Some(seen)
            }
            Origin::InDir(dir, name) => dir.open(&*name).ok().map(|file| see(file.into_std())),
        }
    }

    /// The bytes as they are stored.
    pub(crate) fn open(self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self.origin {
            Origin::Stream(input) => input,
            Origin::File(file) => Box::new(file),
            Origin::InDir(dir, name) => Box::new(dir.open(name)?.into_std()),
        })
    }
}

/// A source being read: counted, decompressed, unwrapped.
pub(crate) struct Input {
    bytes: Box<dyn Read + Send>,
    /// Envelopes to be taken off, outermost first.
    layers: Vec<Layer>,
    /// There is nothing more for the layers.
    layers_ended: bool,
    /// How it was compressed.
    pub(crate) compression: Option<Compression>,
    /// The compressed stream broke off here, and why.
    broken: Option<&'static str>,
    /// What comes from the disk is counted here. Bytes that are decompressed count where the decoder takes them.
    count: Arc<AtomicU64>,
}

impl Input {
    /// Begins to read; `count` is of what comes from the disk.
    pub(crate) fn open(mut source: Box<dyn Read + Send>, count: Arc<AtomicU64>) -> io::Result<Self> {
        let mut magic = Vec::with_capacity(compression::MAGIC_BYTES);
        source
            .by_ref()
            .take(compression::MAGIC_BYTES as u64)
            .read_to_end(&mut magic)?;
        let compression = compression::of_magic(&magic);
        let bytes = match compression {
            Some(compression) => {
                count.fetch_add(magic.len() as u64, Ordering::Relaxed);
                let rest = Counted {
                    input: source,
                    count: Arc::clone(&count),
                };
                compression::decoder(compression, io::Cursor::new(magic).chain(rest))?
            }
            // Not through a reader of ours: only those of the standard library fill memory that was not cleared before.
            None => Box::new(io::Cursor::new(magic).chain(source)),
        };
        Ok(Self {
            bytes,
            layers: Vec::new(),
            layers_ended: false,
            compression,
            broken: None,
            count,
        })
    }

    /// Takes another envelope off what is still to be read and off `sample`, which was read already and is read again.
    pub(crate) fn unwrap(&mut self, found: Found, stamp: Stamp, sample: &[u8]) {
        let mut layer = Layer::new(found, stamp, sample);
        layer.feed(sample);
        if self.layers_ended {
            layer.finish();
        }
        self.layers.push(layer);
    }

    /// Appends up to `count` bytes; fewer only at the end.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<usize> {
        if self.layers.is_empty() {
            return self.read_stored(buffer, count);
        }
        let mut missing = count;
        loop {
            if let Some(last) = self.layers.last_mut() {
                let ready = up_to(last.ready(), missing);
                let taken = ready.len();
                buffer.extend_from_slice(ready);
                last.take(taken);
                missing -= taken;
            }
            if missing == 0 || self.layers_ended {
                return Ok(count - missing);
            }
            self.feed_layers()?;
        }
    }

    /// Reads some more and sends it through the envelopes.
    fn feed_layers(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.layers_ended = self.read_stored(&mut bytes, LAYER_BYTES)? < LAYER_BYTES;
        let ended = self.layers_ended;
        let mut layers = self.layers.iter_mut();
        while let Some(layer) = layers.next() {
            layer.feed(&bytes);
            if ended {
                layer.finish();
            }
            if layers.len() > 0 {
                bytes.clear();
                bytes.extend_from_slice(layer.ready());
                layer.take(bytes.len());
            }
        }
        Ok(())
    }

    /// Bytes as they were before they were compressed.
    fn read_stored(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<usize> {
        if self.broken.is_some() {
            return Ok(0);
        }
        let before = buffer.len();
        buffer.reserve(count);
        let result = self.bytes.by_ref().take(count as u64).read_to_end(buffer);
        if self.compression.is_none() {
            self.count.fetch_add((buffer.len() - before) as u64, Ordering::Relaxed);
        }
        match result {
            Ok(read) => Ok(read),
            // What was decompressed before the error is in the buffer already.
            Err(error) if self.compression.is_some() => {
                self.broken = Some(compression::why_broken(&error));
                Ok(buffer.len() - before)
            }
            Err(error) => Err(error),
        }
    }

    /// What was unwrapped, outermost first.
    pub(crate) fn envelopes(&self) -> Vec<Envelope> {
        self.layers.iter().map(|layer| layer.envelope).collect()
    }

    /// What the envelopes held that could not be unwrapped, by reason.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.layers.iter().flat_map(Layer::dropped)
    }

    /// Why the compressed stream ended before its end, as a limitation.
    pub(crate) fn broken(&self) -> Option<&'static str> {
        self.broken
    }
}

struct Counted {
    input: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
