//! The one place that opens paths of the outside: workspace, configuration, logs, runbook files, public keys.
//!
//! **In**: paths that the person who started the process named. **Out**: open files and capability directories; from here on
//! everything goes through those. **Can fail**: with [`OpenError`], which names the path and says what to do.

mod new_file;

use std::fs::{File, Metadata};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
pub use new_file::NewFile;

/// Why something could not be opened; whoever named the path is to blame.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not there.
    #[error("no such {what}: `{path}`; check the spelling")]
    Missing {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// Not allowed.
    #[error("no permission to open the {what} `{path}`; run as a user who may, or change its mode")]
    Permission {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// Larger than it may be.
    #[error("the {what} `{path}` is larger than {limit} bytes; it cannot be one")]
    TooLarge {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
        /// The most that it may have.
        limit: u64,
    },
    /// There already.
    #[error("the {what} `{path}` is there already and is not overwritten; name another one")]
    Exists {
        /// What was to be made.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// Another process is at it.
    #[error("the {what} `{path}` is being written by another command; wait for it, or name another one")]
    Busy {
        /// What was to be made.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// Neither file nor folder.
    #[error("the {what} `{path}` is neither a file nor a folder")]
    WrongType {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// Not in a folder that the operator opened to agents.
    #[error("the {what} `{path}` is in no folder that the operator opened to agents; these are: {allowed}")]
    Outside {
        /// What was looked for.
        what: &'static str,
        /// As it was named.
        path: String,
        /// The folders.
        allowed: String,
    },
    /// Others than the operator may change it.
    #[error(
        "the {what} `{path}` can be changed by others than root and the user that pg-logstats runs as, so agents may not run under it; chown and chmod go-w it"
    )]
    Unsafe {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// Others can change it, or read a secret in it.
    #[error("the {what} is refused: `{path}` {reason}")]
    Exposed {
        /// What was looked for.
        what: &'static str,
        /// The file or folder at fault.
        path: String,
        /// Who can do what, and the remedy.
        reason: String,
    },
    /// Anything else.
    #[error("cannot open the {what} `{path}`: {source}")]
    Io {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

impl OpenError {
    pub(crate) fn new(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        let path = path.display().to_string();
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::Missing { what, path },
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { what, path }
            }
            _ => Self::Io { what, path, source },
        }
    }
}

/// A log as it was named.
#[derive(Debug)]
pub enum LogInput {
    /// A file.
    File(File),
    /// A folder.
    Folder(Dir),
    /// `-`.
    Stdin,
}

/// Opens the log `path`.
///
/// # Errors
/// When it cannot be opened or is neither file nor folder.
pub fn open_log(path: &str) -> Result<LogInput, OpenError> {
    const WHAT: &str = "log";
    if path == "-" {
        return Ok(LogInput::Stdin);
    }
    let path = Path::new(path);
    let metadata = std::fs::metadata(path).map_err(|e| OpenError::new(WHAT, path, e))?;
    if metadata.is_dir() {
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(|e| OpenError::new(WHAT, path, e))?;
        return Ok(LogInput::Folder(dir));
    }
    // Pipes are fine (`<(zcat …)`); sockets and devices that are no logs fail when they are read.
    let file = File::open(path).map_err(|e| OpenError::new(WHAT, path, e))?;
    Ok(LogInput::File(file))
}

/// Whether two names are of one log: the same text, or the same file or folder by whatever path.
pub fn is_same(one: &str, other: &str) -> bool {
    let identity = |path: &str| {
        std::fs::metadata(path)
            .map(|metadata| (metadata.dev(), metadata.ino()))
            .ok()
    };
    one == other || (one != "-" && other != "-" && identity(one).is_some_and(|id| identity(other) == Some(id)))
}

/// Opens the folder `path`, made when it is missing, for its owner alone.
///
/// # Errors
/// When it cannot be made or opened.
pub fn open_or_create_folder(path: &Path, what: &'static str) -> Result<Dir, OpenError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| OpenError::new(what, path, e))?;
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|e| OpenError::new(what, path, e))
}

/// Opens the folder `path`, which must be there.
///
/// # Errors
/// When it cannot be opened.
pub fn open_folder(path: &Path, what: &'static str) -> Result<Dir, OpenError> {
    Dir::open_ambient_dir(path, ambient_authority()).map_err(|e| OpenError::new(what, path, e))
}

/// Opens the folder `path` of what the operator decides: it belongs to us or to root, and nobody else can write to it.
///
/// # Errors
/// When it is missing, or others could have written to it.
pub fn open_operators_folder(path: &Path, what: &'static str) -> Result<Dir, OpenError> {
    let dir = open_folder(path, what)?;
    let file = dir
        .try_clone()
        .map_err(|e| OpenError::new(what, path, e))?
        .into_std_file();
    let metadata = file.metadata().map_err(|e| OpenError::new(what, path, e))?;
    not_writable_by_others(&metadata, path, what)?;
    Ok(dir)
}

/// Makes the folder `path` of what the operator decides, if it is missing: for everybody to read.
///
/// # Errors
/// When it cannot be made.
pub fn create_operators_folder(path: &Path, what: &'static str) -> Result<(), OpenError> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    // What lies above it may hold passwords, and is the operator's to open.
    if let Some(parent) = path.parent() {
        open_or_create_folder(parent, what)?;
    }
    let made = match std::fs::DirBuilder::new().mode(0o755).create(path) {
        // Whatever the umask says.
        Ok(()) => std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)),
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(error),
    };
    made.map_err(|e| OpenError::new(what, path, e))
}

/// Reads the file `path`, which may have at most `limit` bytes.
///
/// # Errors
/// When it cannot be read or is larger.
pub fn read_file(path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, OpenError> {
    let (file, _) = open_file(path, what)?;
    read_at_most(file, path, what, limit)
}

/// The same of standard input.
///
/// # Errors
/// When it cannot be read, or is larger.
pub fn read_stdin(what: &'static str, limit: u64) -> Result<Vec<u8>, OpenError> {
    read_at_most(std::io::stdin().lock(), Path::new("-"), what, limit)
}

/// The same of a file that nobody but root and this process's user owns or may write to. Whoever can replace it by another one, by
/// owning its folder, is not looked for: that is the same question about each folder above it.
///
/// # Errors
/// When it cannot be read, is larger, or others could have written it.
pub fn read_owned_file(path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, OpenError> {
    let (file, metadata) = open_file(path, what)?;
    if !is_ours(&metadata) || is_writable_by_others(&metadata) {
        return Err(OpenError::Unsafe {
            what,
            path: path.display().to_string(),
        });
    }
    read_at_most(file, path, what, limit)
}

fn open_file(path: &Path, what: &'static str) -> Result<(File, Metadata), OpenError> {
    let file = File::open(path).map_err(|e| OpenError::new(what, path, e))?;
    let metadata = file.metadata().map_err(|e| OpenError::new(what, path, e))?;
    if metadata.is_dir() {
        return Err(OpenError::WrongType {
            what,
            path: path.display().to_string(),
        });
    }
    Ok((file, metadata))
}

/// Writes the new file `path` with `bytes`, whole or not at all, for its owner alone.
///
/// # Errors
/// When it is there already or cannot be written.
pub fn write_new_file(path: &Path, what: &'static str, bytes: &[u8]) -> Result<(), OpenError> {
    let new = NewFile::begin(path, what)?;
    new.file().write_all(bytes).map_err(|source| OpenError::Io {
        what,
        path: path.display().to_string(),
        source,
    })?;
    new.name()
}

/// Writes `bytes` to the file `path`, in place of an older one: readers see the old one or the whole new one.
///
/// # Errors
/// When it cannot be written.
pub fn replace_file(path: &Path, what: &'static str, bytes: &[u8]) -> Result<(), OpenError> {
    let failed = |source: std::io::Error| OpenError::Io {
        what,
        path: path.display().to_string(),
        source,
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| failed(std::io::Error::other("its name is no UTF-8")))?;
    let dir = open_folder(folder.unwrap_or(Path::new(".")), what)?;
    crate::workspace::write_durably_for_all(&dir, name, bytes).map_err(failed)
}

/// Reads a file that decides what is trusted: it and its folder belong to us or to root, and nobody else can write to them. No
/// link is followed.
///
/// # Errors
/// When it cannot be read, is larger than `limit`, or others could have written it.
pub fn read_operators_file(path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let of_folder = std::fs::metadata(folder).map_err(|e| OpenError::new(what, path, e))?;
    not_writable_by_others(&of_folder, folder, what)?;
    let file = open_plain(path, what)?;
    let metadata = file.metadata().map_err(|e| OpenError::new(what, path, e))?;
    not_writable_by_others(&metadata, path, what)?;
    read_at_most(file, path, what, limit)
}

/// Reads a file with a secret in it: it belongs to us or to root, and nobody else can read it. No link is followed.
///
/// # Errors
/// When it cannot be read, is larger than `limit`, or others can read it.
pub fn read_secret_file(path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, OpenError> {
    let file = open_plain(path, what)?;
    let metadata = file.metadata().map_err(|e| OpenError::new(what, path, e))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(OpenError::Exposed {
            what,
            path: path.display().to_string(),
            reason: format!(
                "has mode {mode:04o}, so others can read it; if nobody did, run `chmod 600` on it, else make a new one"
            ),
        });
    }
    owned_by_us(&metadata, path, what)?;
    read_at_most(file, path, what, limit)
}

/// Opens a plain file, following no link at its end and waiting for no pipe.
fn open_plain(path: &Path, what: &'static str) -> Result<File, OpenError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(|e| OpenError::new(what, path, e))?;
    let metadata = file.metadata().map_err(|e| OpenError::new(what, path, e))?;
    if metadata.is_file() {
        Ok(file)
    } else {
        Err(OpenError::Exposed {
            what,
            path: path.display().to_string(),
            reason: "is no plain file; put the file itself there".to_owned(),
        })
    }
}

/// Refuses what belongs to neither us nor root, or what others can write to.
pub(crate) fn not_writable_by_others(metadata: &Metadata, path: &Path, what: &'static str) -> Result<(), OpenError> {
    owned_by_us(metadata, path, what)?;
    if !is_writable_by_others(metadata) {
        return Ok(());
    }
    let mode = metadata.mode() & 0o7777;
    Err(OpenError::Exposed {
        what,
        path: path.display().to_string(),
        reason: format!("has mode {mode:04o}, so others can write to it; look through it, then run `chmod go-w` on it"),
    })
}

fn is_writable_by_others(metadata: &Metadata) -> bool {
    metadata.mode() & 0o022 != 0
}

/// Whether root or this process's user owns it.
fn is_ours(metadata: &Metadata) -> bool {
    [0, rustix::process::geteuid().as_raw()].contains(&metadata.uid())
}

fn owned_by_us(metadata: &Metadata, path: &Path, what: &'static str) -> Result<(), OpenError> {
    if is_ours(metadata) {
        return Ok(());
    }
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    Err(OpenError::Exposed {
        what,
        path: path.display().to_string(),
        reason: format!("belongs to user id {owner}, and this process runs as {us}; it has to be ours or root's"),
    })
}

fn read_at_most(file: impl std::io::Read, path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| OpenError::new(what, path, e))?;
    if bytes.len() as u64 > limit {
        return Err(OpenError::TooLarge {
            what,
            path: path.display().to_string(),
            limit,
        });
    }
    Ok(bytes)
}

/// `$XDG_DATA_HOME/pg-logstats`, or its default below the home directory.
pub fn default_workspace() -> Option<PathBuf> {
    xdg("XDG_DATA_HOME", ".local/share")
}

/// `$XDG_CONFIG_HOME/pg-logstats/config.toml`, or its default below the home directory.
pub fn default_config() -> Option<PathBuf> {
    xdg("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml"))
}

fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    // The XDG specification: a relative path is to be ignored.
    let named = std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|p| p.is_absolute());
    named
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(below_home)))
        .map(|p| p.join("pg-logstats"))
}
