//! A new file that is whole or not there.
//!
//! **In**: the name of a file that is not there. **Out**: a file to write to, under a hidden name beside it, which gets the name when
//! it is whole and durable; a file of that name that appeared meanwhile is not replaced. **Trusted**: nobody else who may write
//! to the folder: what stands under the hidden name is used only if it is a plain file of ours with no other name. **Can fail**:
//! [`OpenError`]; then nothing is left.
//!
//! A process that is killed leaves the hidden file behind. Nobody has its lock then, and the next one that writes a file of the
//! same name takes it over.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::OpenError;
use crate::interrupt::Interruptible;

/// How often another process may give the hidden name away between our opening and our locking it.
const MAX_ATTEMPTS: usize = 16;

/// A file that is being written.
#[derive(Debug)]
pub struct NewFile {
    what: &'static str,
    path: PathBuf,
    /// The hidden name, as long as it is there. Dropped before the lock is.
    hidden: Interruptible,
    /// Locked as long as it is open.
    file: File,
}

impl NewFile {
    /// Begins the file `path`, which must not be there, for its owner alone. Until it is [named](Self::name), an interrupt or a
    /// request to terminate removes it and ends the process.
    ///
    /// # Errors
    /// When it is there, cannot be made, or is being written by another process.
    pub fn begin(path: &Path, what: &'static str) -> Result<Self, OpenError> {
        let shown = || path.display().to_string();
        let Some(name) = path.file_name() else {
            return Err(OpenError::WrongType { what, path: shown() });
        };
        let exists = || OpenError::Exists { what, path: shown() };
        if path.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let mut hidden_name = std::ffi::OsString::from(".");
        hidden_name.push(name);
        hidden_name.push(".partial");
        let hidden = path.with_file_name(hidden_name);
        let file = lock(&hidden, path, what)?;
        // Another process may have finished it since.
        if path.symlink_metadata().is_ok() {
            let _ = std::fs::remove_file(&hidden);
            return Err(exists());
        }
        Ok(Self {
            what,
            path: path.to_owned(),
            hidden: Interruptible::new(hidden),
            file,
        })
    }

    /// Where to write.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives the file its name, durably.
    ///
    /// # Errors
    /// When it cannot be made durable, or a file of that name is there by now.
    pub fn name(self) -> Result<(), OpenError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenError::Exists {
                what: self.what,
                path: self.path.display().to_string(),
            },
            _ => OpenError::new(self.what, &self.path, error),
        };
        self.file.sync_all().map_err(failed)?;
        self.hidden.keep(|hidden| move_to(hidden, &self.path)).map_err(failed)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let synced = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        match synced {
            // Some file systems cannot do that.
            Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(failed(error)),
            _ => Ok(()),
        }
    }
}

/// Opens and locks the hidden file, empty and ours.
fn lock(hidden: &Path, path: &Path, what: &'static str) -> Result<File, OpenError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing {
            what: "folder",
            path: path.parent().unwrap_or(Path::new("")).display().to_string(),
        },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => OpenError::new(what, path, error),
        // Something is wrong with what stands there.
        _ => OpenError::new(what, hidden, error),
    };
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(flags.bits().cast_signed());
    for _ in 0..MAX_ATTEMPTS {
        let file = options.open(hidden).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(OpenError::Busy {
                    what,
                    path: path.display().to_string(),
                });
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let metadata = file.metadata().map_err(failed)?;
        let is_ours =
            metadata.is_file() && metadata.nlink() <= 1 && metadata.uid() == rustix::process::geteuid().as_raw();
        if !is_ours {
            return Err(OpenError::Exists {
                what: "file",
                path: hidden.display().to_string(),
            });
        }
        // The process that had the lock may have given the file its name, or removed it.
        let is_there = hidden
            .symlink_metadata()
            .is_ok_and(|named| (named.dev(), named.ino()) == (metadata.dev(), metadata.ino()));
        if is_there {
            let private = std::fs::Permissions::from_mode(0o600);
            file.set_permissions(private).map_err(failed)?;
            file.set_len(0).map_err(failed)?;
            return Ok(file);
        }
    }
    Err(OpenError::Busy {
        what,
        path: path.display().to_string(),
    })
}

/// Renames a file without replacing another one.
fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot do that (NFS), and can link.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            std::fs::hard_link(from, to)?;
            std::fs::remove_file(from)
        }
        moved => Ok(moved?),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let new = NewFile::begin(&path, "file").unwrap();
        new.file().write_all(b"half").unwrap();
        assert_eq!(names(folder.path()), [".a.json.partial"]);
        let busy = NewFile::begin(&path, "file").unwrap_err();
        assert!(matches!(busy, OpenError::Busy { .. }), "{busy}");
        new.file().write_all(b" and half").unwrap();
        new.name().unwrap();
        assert_eq!(names(folder.path()), ["a.json"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"half and half");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let again = NewFile::begin(&path, "file").unwrap_err();
        assert!(matches!(again, OpenError::Exists { .. }), "{again}");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn what_is_not_named_is_gone_and_what_was_left_behind_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        drop(NewFile::begin(&path, "file").unwrap());
        assert!(names(folder.path()).is_empty());
        // As a killed process leaves it, its mode as somebody changed it.
        let hidden = folder.path().join(".a.json.partial");
        std::fs::write(&hidden, b"the first half of something longer").unwrap();
        std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o644)).unwrap();
        let new = NewFile::begin(&path, "file").unwrap();
        new.file().write_all(b"all").unwrap();
        new.name().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"all");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_appeared_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let new = NewFile::begin(&path, "file").unwrap();
        std::fs::write(&path, b"theirs").unwrap();
        let error = new.name().unwrap_err();
        assert!(matches!(error, OpenError::Exists { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn what_stands_under_the_hidden_name_and_is_not_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let hidden = folder.path().join(".a.json.partial");
        let precious = folder.path().join("precious");
        std::fs::write(&precious, b"precious").unwrap();
        std::fs::hard_link(&precious, &hidden).unwrap();
        let error = NewFile::begin(&path, "file").unwrap_err();
        assert!(error.to_string().contains(".a.json.partial"), "{error}");
        std::fs::remove_file(&hidden).unwrap();
        std::os::unix::fs::symlink(&precious, &hidden).unwrap();
        NewFile::begin(&path, "file").unwrap_err();
        std::fs::remove_file(&hidden).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &hidden, rustix::fs::Mode::RWXU).unwrap();
        NewFile::begin(&path, "file").unwrap_err();
        assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
        let nowhere = NewFile::begin(&folder.path().join("no/a.json"), "file").unwrap_err();
        assert!(
            matches!(nowhere, OpenError::Missing { what: "folder", .. }),
            "{nowhere}"
        );
    }
}
