//! Folders of what the operator installed: packs and runbooks, each by the digest of what names it, and an index of them.
//!
//! **In**: bytes that were verified. **Out**: the same bytes; whoever reads them verifies them again. **Trusted**: the index, because it and
//! its folder belong to us or to root and nobody else can write there, which is looked at whenever a file is read. **Can fail**: with
//! [`StoreError`].
//!
//! ```text
//! FOLDER/installed.json    what is installed as which digest; replaced in one step, so that a thing is installed whole or not at all
//! FOLDER/<sha256>/         the files of a thing; never changed
//! FOLDER/lock              held while something is installed or removed
//! ```
//!
//! Nothing in it is secret, and an operator who is not the user that pg-logstats runs as installs for that user: so all can read it.

use std::cmp::Ordering;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;
use semver::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ambient::{self, OpenError};
use crate::untrusted::escape_control;
use crate::workspace::write_durably_for_all;

/// The index.
pub(crate) const INDEX: &str = "installed.json";
/// Largest index: some thousand things.
const INDEX_BYTES: u64 = 1 << 20;

/// Why a folder of installed things cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened, or others could have written to it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file operation failed.
    #[error("cannot {doing} `{file}`: {source}")]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file, below the operator's folder.
        file: String,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file that has to be there is not.
    #[error("`{file}` is missing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file is larger than such a file ever is.
    #[error("`{file}` has more than {limit} bytes, which no such file has")]
    TooLarge {
        /// The file.
        file: String,
        /// The most.
        limit: u64,
    },
    /// The index makes no sense.
    #[error(
        "`{file}` does not load: {reason}; restore it from a copy; who removes it has to install everything again, and which versions were here is \
         forgotten"
    )]
    Index {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// No place for it.
    #[error("there is no home directory for the configuration folder; set XDG_CONFIG_HOME or HOME")]
    NoFolder,
}

/// A folder of installed things.
pub(crate) struct Store {
    dir: Dir,
    folder: &'static str,
}

impl Store {
    /// `folder` of the operator's folder, if it is there.
    pub(crate) fn open(operator: Option<&Path>, folder: &'static str) -> Result<Option<Self>, StoreError> {
        match operator.map(|it| ambient::open_operators_folder(&it.join(folder), folder)) {
            None | Some(Err(OpenError::Missing { .. })) => Ok(None),
            Some(dir) => Ok(Some(Self { dir: dir?, folder })),
        }
    }

    /// The same, made when it is missing.
    pub(crate) fn open_or_create(operator: Option<&Path>, folder: &'static str) -> Result<Self, StoreError> {
        let path: PathBuf = operator.ok_or(StoreError::NoFolder)?.join(folder);
        ambient::create_operators_folder(&path, folder)?;
        Ok(Self {
            dir: ambient::open_operators_folder(&path, folder)?,
            folder,
        })
    }

    /// Waits until nobody else changes it.
    pub(crate) fn lock(&self) -> Result<std::fs::File, StoreError> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).mode(0o600);
        let file = self
            .dir
            .open_with("lock", &options)
            .map_err(self.failed("write", "lock"))?;
        let file = file.into_std();
        file.lock().map_err(self.failed("write", "lock"))?;
        Ok(file)
    }

    /// The index; nothing is installed when there is none.
    pub(crate) fn index<T: DeserializeOwned + Default>(&self) -> Result<T, StoreError> {
        match self.read(INDEX, INDEX_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| self.bad_index(e.to_string())),
            Err(StoreError::Missing { .. }) => Ok(T::default()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn write_index<T: Serialize>(&self, index: &T) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(index).map_err(|e| self.bad_index(e.to_string()))?;
        write_durably_for_all(&self.dir, INDEX, &bytes).map_err(self.failed("write", INDEX))
    }

    /// What is wrong with the index.
    pub(crate) fn bad_index(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Index {
            file: format!("{}/{INDEX}", self.folder),
            reason: reason.into(),
        }
    }

    /// The files of a thing, each durable. Until the index names them, nobody reads them.
    pub(crate) fn put<'a>(
        &self,
        digest: &str,
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<(), StoreError> {
        let mut builder = DirBuilder::new();
        builder.mode(0o755);
        match self.dir.create_dir_with(digest, &builder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(self.failed("write", digest)(error));
            }
            _ => {}
        }
        let dir = self.dir.open_dir(digest).map_err(self.failed("read", digest))?;
        // Whatever the umask says. A capability directory is opened for its path alone, and has no mode to set.
        let opened = self.dir.open(digest).map(cap_std::fs::File::into_std);
        opened
            .and_then(|folder| folder.set_permissions(std::fs::Permissions::from_mode(0o755)))
            .map_err(self.failed("write", digest))?;
        for (name, bytes) in files {
            write_durably_for_all(&dir, name, bytes).map_err(self.failed("write", name))?;
        }
        Ok(())
    }

    /// Puts `bytes` into the file `name` of the folder itself.
    pub(crate) fn put_file(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        write_durably_for_all(&self.dir, name, bytes).map_err(self.failed("write", name))
    }

    /// The file `name` of the folder itself, if it is there.
    pub(crate) fn file(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match self.read(name, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes files that nobody reads any more; what cannot be removed does no harm.
    pub(crate) fn forget(&self, digest: &str) {
        let _left_behind = self.dir.remove_dir_all(digest);
    }

    /// The file `name` of the folder, or `SHA256/NAME` of a thing in it, if nobody but root and us could have written it.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
        self.read_ours(name, limit)
            .map_err(|error| error.in_folder(self.folder))
    }

    fn read_ours(&self, name: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
        let file = open_plain(&self.dir, name)?;
        let metadata = file.metadata().map_err(failed("read", name))?;
        ambient::not_writable_by_others(&metadata, &Path::new(self.folder).join(name), self.folder)?;
        read_at_most(file, name, limit)
    }

    fn failed(&self, doing: &'static str, file: &str) -> impl Fn(std::io::Error) -> StoreError + use<> {
        failed(doing, &format!("{}/{file}", self.folder))
    }
}

impl StoreError {
    fn in_folder(mut self, folder: &str) -> Self {
        if let Self::Io { file, .. } | Self::Missing { file } | Self::TooLarge { file, .. } = &mut self {
            *file = format!("{folder}/{file}");
        }
        self
    }
}

/// How a version would go behind what was here.
pub(crate) enum StepBack<'a> {
    /// A higher one was.
    Older,
    /// Something else was, with this digest, under the same version.
    Other(&'a str),
}

/// Whether `version` of what has `digest` goes behind the `highest` that ever was here; `known` is the digest of that, where that is known.
pub(crate) fn step_back<'a>(
    version: &Version,
    digest: &str,
    highest: &Version,
    known: Option<&'a str>,
) -> Option<StepBack<'a>> {
    match version.cmp(highest) {
        Ordering::Less => Some(StepBack::Older),
        Ordering::Equal => known.filter(|known| *known != digest).map(StepBack::Other),
        Ordering::Greater => None,
    }
}

/// Whether `text` is a SHA-256 in hex.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The plain file `name` of `dir`, if it has at most `limit` bytes.
pub(crate) fn read(dir: &Dir, name: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
    read_at_most(open_plain(dir, name)?, name, limit)
}

/// Opens the plain file `name` of `dir`, waiting for no pipe.
fn open_plain(dir: &Dir, name: &str) -> Result<std::fs::File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let file = match dir.open_with(name, &options) {
        Ok(file) => file.into_std(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::Missing {
                file: escape_control(name).into_owned(),
            });
        }
        Err(error) => return Err(failed("read", name)(error)),
    };
    match file.metadata().map_err(failed("read", name))?.is_file() {
        true => Ok(file),
        false => Err(failed("read", name)(std::io::Error::other(
            "it is no plain file; put the file itself there",
        ))),
    }
}

fn read_at_most(file: std::fs::File, name: &str, limit: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed("read", name))?;
    if bytes.len() as u64 > limit {
        return Err(StoreError::TooLarge {
            file: escape_control(name).into_owned(),
            limit,
        });
    }
    Ok(bytes)
}

pub(crate) fn failed(doing: &'static str, file: &str) -> impl Fn(std::io::Error) -> StoreError + use<> {
    let file = escape_control(file).into_owned();
    move |source| StoreError::Io {
        doing,
        file: file.clone(),
        source,
    }
}
