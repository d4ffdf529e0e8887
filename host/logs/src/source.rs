//! Where log bytes come from: files and streams that the caller opened, and folders that it handed over.
//!
//! **In**: open handles; nothing here opens a path of its own. **Out**: [`Source`]s, decompressed and unwrapped while they are
//! read. **Can fail**: reading; what a compressed stream held up to an error is kept.

pub(crate) mod beginning;
mod compression;
mod folder;
mod input;
pub(crate) mod order;
pub(crate) mod place;
pub(crate) mod tar;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};

use crate::error::LogError;
pub(crate) use input::Input;
use place::{FileId, Place};

/// One log to read.
pub struct Source {
    pub(crate) name: String,
    origin: Origin,
    /// Bytes to read, where that is known.
    pub(crate) len: Option<u64>,
    /// Found in a folder or an archive: set aside, instead of refused, if it is no log.
    pub(crate) is_found: bool,
    /// In an archive, where no other archive is looked for.
    pub(crate) is_member: bool,
    /// Found under a name that is a link to it.
    is_link: bool,
    /// What was named, if this was found in it: an archive (with a `!`), a folder. Else the folder of the file itself.
    root: String,
    /// Which file it is.
    id: Option<FileId>,
    /// Sources of one number are the log of one server, one after the other.
    pub(crate) stream: Option<usize>,
    /// What could not be found where this was found, and why.
    pub(crate) notes: Vec<(&'static str, u64)>,
}

enum Origin {
    Stream(Box<dyn Read + Send>),
    File(File),
    /// Opened when its turn comes: a folder may hold more files than a process may open.
    InDir(Arc<Dir>, PathBuf),
    /// A part of an archive that can be read at any place.
    Part(Place),
}

/// A source that was opened.
pub(crate) struct OpenSource {
    /// As they are stored.
    pub(crate) bytes: Box<dyn Read + Send>,
    /// The same for reading at any place, where that can be done.
    pub(crate) place: Option<Place>,
    /// Reading it reads what was counted before.
    pub(crate) is_in_memory: bool,
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
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file);
        Self {
            len: metadata.as_ref().map(std::fs::Metadata::len),
            id: metadata.as_ref().map(FileId::of),
            ..Self::new(name, Origin::File(file))
        }
    }

    /// Anything else, for example standard input (named `-`).
    #[must_use]
    pub fn stream(name: String, input: Box<dyn Read + Send>) -> Self {
        Self::new(name, Origin::Stream(input))
    }

    /// The plain files of a folder and of the folders in it; links are followed to files inside the folder only. Files that turn
    /// out to be no logs are set aside by [`crate::analyse`], which reads the others in order of time and says what it set aside.
    ///
    /// # Errors
    /// [`LogError::Unreadable`] when the folder or one in it cannot be read, [`LogError::EmptyFolder`] when there is no file.
    pub fn in_dir(name: &str, dir: &Dir) -> Result<Vec<Self>, LogError> {
        folder::sources(name, dir)
    }

    /// How it is named in the evidence.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was named, if this was found in it.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// A file of an archive that is read as it comes.
    pub(crate) fn member(name: String, archive: &str, bytes: tar::MemberBytes) -> Self {
        Self {
            is_found: true,
            is_member: true,
            root: format!("{archive}!"),
            ..Self::new(name, Origin::Stream(Box::new(bytes)))
        }
    }

    /// A file of an archive that can be read at any place.
    pub(crate) fn part(name: String, archive: &str, place: Place) -> Self {
        Self {
            is_found: true,
            is_member: true,
            root: format!("{archive}!"),
            ..Self::new(name, Origin::Part(place))
        }
    }

    fn new(name: String, origin: Origin) -> Self {
        Self {
            root: name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned(),
            name,
            origin,
            len: None,
            is_found: false,
            is_member: false,
            is_link: false,
            id: None,
            stream: None,
            notes: Vec::new(),
        }
    }

    /// The bytes as they are stored, to be looked at without taking any; none where a look would take them away.
    ///
    /// # Errors
    /// A file of a folder cannot be opened.
    pub(crate) fn look(&self) -> io::Result<Option<Place>> {
        match &self.origin {
            Origin::Stream(_) => Ok(None),
            Origin::File(file) => Ok(Place::of_file(file)),
            Origin::InDir(dir, path) => Ok(Place::of_file(&open_listed(dir, path, self.id)?)),
            Origin::Part(place) => Ok(Some(place.clone())),
        }
    }

    pub(crate) fn open(self) -> io::Result<OpenSource> {
        let in_file = |file: File| OpenSource {
            place: Place::of_file(&file),
            bytes: Box::new(file),
            is_in_memory: false,
        };
        Ok(match self.origin {
            Origin::Stream(bytes) => OpenSource {
                bytes,
                place: None,
                is_in_memory: false,
            },
            Origin::File(file) => in_file(file),
            Origin::InDir(dir, path) => in_file(open_listed(&dir, &path, self.id)?),
            Origin::Part(place) => OpenSource {
                bytes: Box::new(place.reader()),
                is_in_memory: !place.is_file(),
                place: Some(place),
            },
        })
    }
}

/// Opens a file of a folder, if it is the one that was listed: a name that was given away since may lead to a file that is
/// listed under another one.
fn open_listed(dir: &Dir, path: &Path, listed: Option<FileId>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Non-blocking, so that a pipe in place of a file is no wait.
    options
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = dir.open_with(path, &options)?.into_std();
    let id = FileId::of(&file.metadata()?);
    match listed {
        Some(listed) if listed != id => Err(io::ErrorKind::NotFound.into()),
        _ => Ok(file),
    }
}
