//! The file layer: every access of the log to the disk is one of these few operations.
//!
//! **In**: paths relative to one folder, `/` between names. **Out**: bytes and `std::io` errors. **Trusted**: the folder
//! handle. Links are never followed, only plain files are read, and nothing outside the folder can be named. **Can fail**:
//! everything, with the operating system's error.
//!
//! The trait is the seam at which tests put a layer that fails, tears or stops at a chosen operation.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use cap_std::fs::{Permissions, PermissionsExt as _};

mod errors;
mod sync;

use crate::layout::{self, TREE_MODE};
pub(crate) use errors::{is_no_space, is_not_plain};
use errors::{not_a_folder, not_plain, too_large};
use sync::sync_each;

/// What a disk writes whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// Name, kind and permissions of something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its name; one that is not UTF-8 is shown with replacement characters, and so is never one of ours.
    pub(crate) name: String,
    /// Whether it is a folder.
    pub(crate) is_dir: bool,
}

/// What a plain file is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Permission bits.
    pub(crate) mode: u32,
}

impl Stat {
    fn of(metadata: &Metadata) -> Self {
        Self {
            mode: metadata.mode() & 0o7777,
        }
    }
}

/// The operations of the log on its folder.
pub(crate) trait FileLayer: Send + Sync {
    /// The bytes of a plain file of at most `limit_bytes`.
    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Vec<u8>>;
    /// What the plain file is like.
    fn stat(&self, path: &str) -> io::Result<Stat>;
    /// Both at once.
    fn read_and_stat(&self, path: &str, limit_bytes: u64) -> io::Result<(Stat, Vec<u8>)> {
        Ok((self.stat(path)?, self.read(path, limit_bytes)?))
    }
    /// The contents of a folder in order of name; an absent folder is empty.
    fn list(&self, path: &str) -> io::Result<Vec<Listed>>;
    /// Those names in a folder that begin so, in any order; an absent folder has none.
    fn names(&self, path: &str, beginning: &str) -> io::Result<Vec<String>> {
        let listed = self.list(path)?.into_iter().map(|listed| listed.name);
        Ok(listed.filter(|name| name.starts_with(beginning)).collect())
    }
    /// Makes a new file with these bytes and this mode, durable up to its name. A file of that name is an error.
    fn create(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()>;
    /// Makes a new file with these bytes and this mode, neither of which is durable yet. A file of that name is an error.
    fn write_new(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()>;
    /// Writes over a file of the tree, so that it has these bytes and no others. Not at once for who reads it meanwhile, and not
    /// durable. `false`, and nothing is done, unless a plain file of that name is there, of so many bytes at least and not more than
    /// it is to have, with the mode of such a file and no second name by which somebody may keep what it holds.
    fn overwrite(&self, path: &str, bytes: &[u8], least_bytes: u64) -> io::Result<bool>;
    /// Makes the bytes of plain files durable, not their names.
    fn sync_files(&self, paths: &[String]) -> io::Result<()>;
    /// Gives a file a second name. A file of that name is an error.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;
    /// Renames a file, replacing what has that name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Gives each of two files the name of the other, at once.
    fn exchange(&self, one: &str, other: &str) -> io::Result<()>;
    /// Puts a file in the place of one whose bytes nobody needs any more, both of them plain files, and neither change durable.
    /// What is cut short may leave the older file under the name `from`.
    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        // Whoever renames a file over another makes ext4 write its bytes out at once (`auto_da_alloc`), which may take longer than
        // all else in an append. Exchanged names say the same at every moment.
        if self.exchange(from, to).is_err() {
            // There is none to replace, or the file system cannot.
            return self.rename(from, to);
        }
        self.remove(from).or_else(|error| {
            self.exchange(from, to)?;
            Err(error)
        })
    }
    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_dir(&self, path: &str) -> io::Result<()>;
    /// Makes a folder if it is absent, and says whether it was.
    fn make_dir(&self, path: &str) -> io::Result<bool>;
    /// Makes the names in a folder durable. The empty path is the folder of the layer itself.
    fn sync_dir(&self, path: &str) -> io::Result<()>;
    /// [`FileLayer::sync_dir`] of several folders.
    fn sync_dirs(&self, paths: &[String]) -> io::Result<()>;
    /// Opens a file to lock it, making it if it is absent.
    fn open_lock(&self, path: &str) -> io::Result<File>;
    /// Opens a plain file that is there, to read and to write it in place.
    fn open_existing(&self, path: &str) -> io::Result<File>;
    /// Opens a plain file that is there, to read it.
    fn open_to_read(&self, path: &str) -> io::Result<File>;
    /// Bytes of an open file from an offset on: fewer than `limit_bytes` only at its end.
    fn read_at(&self, file: &File, offset: u64, limit_bytes: usize) -> io::Result<Vec<u8>>;
    /// Writes all bytes to an open file at an offset. Not durable yet.
    fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes the bytes and the length of an open file durable (`fdatasync`).
    fn sync_data(&self, file: &File) -> io::Result<()>;
    /// Cuts an open file off.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;
    /// Whether `path` still names the file that is open.
    fn is_same_file(&self, path: &str, file: &File) -> io::Result<bool>;
    /// What is the same until the machine starts anew, and with it what the operating system holds in memory; `None` where
    /// that cannot be known.
    fn boot_id(&self) -> Option<String>;
}

/// The real layer.
pub(crate) struct DirFiles {
    dir: Dir,
}

/// Mode of the folders: readable for whoever the parent folder lets in, writable for the owner.
const FOLDER_MODE: u32 = 0o755;
/// Mode of the lock file.
const LOCK_MODE: u32 = 0o600;
/// Names of a folder that are read at once: far more than the longest.
const LISTING_BYTES: usize = 32 * 1024;
/// Where Linux says which start of the machine this is. The one file that is not in the folder of the layer: it is the
/// kernel's word and not a file that anybody writes.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// A boot id is a UUID; what is longer is none.
const MAX_BOOT_ID_BYTES: usize = 64;

impl DirFiles {
    pub(crate) fn new(dir: Dir) -> Self {
        Self { dir }
    }

    pub(crate) fn read_with_metadata(&self, path: &str, limit_bytes: u64) -> io::Result<(Vec<u8>, Metadata)> {
        let (file, metadata) = self.open_plain(path)?;
        if metadata.len() > limit_bytes {
            return Err(too_large(path, limit_bytes));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit_bytes {
            return Err(too_large(path, limit_bytes));
        }
        Ok((bytes, metadata))
    }

    fn put_new(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<cap_std::fs::File> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(mode)
            .follow(FollowSymlinks::No);
        let mut file = self.dir.open_with(path, &options)?;
        // The process's umask may have narrowed the mode; auditors rely on it.
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Opens a plain file to read and write it.
    fn open_rw(&self, path: &str, options: &mut OpenOptions) -> io::Result<File> {
        options
            .read(true)
            .write(true)
            .follow(FollowSymlinks::No)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let file = self.dir.open_with(path, options)?;
        if !file.metadata()?.is_file() {
            return Err(not_plain(path));
        }
        Ok(file.into_std())
    }

    fn open_plain(&self, path: &str) -> io::Result<(cap_std::fs::File, Metadata)> {
        let mut options = OpenOptions::new();
        // Non-blocking, so that a pipe in place of a file is an error and not a wait.
        options
            .read(true)
            .follow(FollowSymlinks::No)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        let file = self.dir.open_with(path, &options)?;
        let metadata = file.metadata()?;
        if metadata.is_file() {
            Ok((file, metadata))
        } else {
            Err(not_plain(path))
        }
    }
}

impl FileLayer for DirFiles {
    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Vec<u8>> {
        self.read_with_metadata(path, limit_bytes).map(|(bytes, _)| bytes)
    }

    fn stat(&self, path: &str) -> io::Result<Stat> {
        let metadata = self.dir.symlink_metadata(path)?;
        if metadata.is_file() {
            Ok(Stat::of(&metadata))
        } else {
            Err(not_plain(path))
        }
    }

    fn read_and_stat(&self, path: &str, limit_bytes: u64) -> io::Result<(Stat, Vec<u8>)> {
        let (bytes, metadata) = self.read_with_metadata(path, limit_bytes)?;
        Ok((Stat::of(&metadata), bytes))
    }

    fn list(&self, path: &str) -> io::Result<Vec<Listed>> {
        let entries = match self.dir.read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut listed = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            listed.push(Listed {
                name,
                is_dir: entry.file_type()?.is_dir(),
            });
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    fn names(&self, path: &str, beginning: &str) -> io::Result<Vec<String>> {
        let folder = match self.dir.open(path) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        // Nothing is allocated for a name that is not asked for: a folder may have thousands.
        let mut buffer = Vec::with_capacity(LISTING_BYTES);
        let mut entries = rustix::fs::RawDir::new(&folder, buffer.spare_capacity_mut());
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(beginning.as_bytes()) {
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        Ok(names)
    }

    fn create(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        self.put_new(path, bytes, mode)?.sync_all()
    }

    fn write_new(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        self.put_new(path, bytes, mode).map(|_| ())
    }

    fn overwrite(&self, path: &str, bytes: &[u8], least_bytes: u64) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;

        // Whatever keeps it from being opened, who then makes a new file is told.
        let Ok(file) = self.open_rw(path, &mut OpenOptions::new()) else {
            return Ok(false);
        };
        let metadata = file.metadata()?;
        let is_ours_alone = metadata.nlink() == 1 && metadata.mode() & 0o7777 == TREE_MODE;
        if !is_ours_alone || !(least_bytes..=bytes.len() as u64).contains(&metadata.len()) {
            return Ok(false);
        }
        file.write_all_at(bytes, 0)?;
        Ok(true)
    }

    fn sync_files(&self, paths: &[String]) -> io::Result<()> {
        sync_each(paths, |path| self.open_plain(path)?.0.sync_all())
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.dir.hard_link(from, &self.dir, to)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.dir.rename(from, &self.dir, to)
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        let place = |path| {
            let folder = match layout::parent(path) {
                "" => self.dir.try_clone(),
                folder => self.dir.open_dir(folder),
            };
            Ok::<_, io::Error>((folder?, layout::name(path)))
        };
        let ((folder, name), (other_folder, other_name)) = (place(one)?, place(other)?);
        rustix::fs::renameat_with(
            folder,
            name,
            other_folder,
            other_name,
            rustix::fs::RenameFlags::EXCHANGE,
        )?;
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.dir.remove_file(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.dir.remove_dir(path)
    }

    fn make_dir(&self, path: &str) -> io::Result<bool> {
        let mut builder = DirBuilder::new();
        builder.mode(FOLDER_MODE);
        match self.dir.create_dir_with(path, &builder) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.dir.symlink_metadata(path)?.is_dir() {
                    Ok(false)
                } else {
                    Err(not_a_folder(path))
                }
            }
            Err(error) => Err(error),
        }
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let path = if path.is_empty() { "." } else { path };
        self.dir.open(path)?.sync_all()
    }

    fn sync_dirs(&self, paths: &[String]) -> io::Result<()> {
        sync_each(paths, |path| self.sync_dir(path))
    }

    fn open_lock(&self, path: &str) -> io::Result<File> {
        self.open_rw(path, OpenOptions::new().create(true).mode(LOCK_MODE))
    }

    fn open_existing(&self, path: &str) -> io::Result<File> {
        self.open_rw(path, &mut OpenOptions::new())
    }

    fn open_to_read(&self, path: &str) -> io::Result<File> {
        self.open_plain(path).map(|(file, _)| file.into_std())
    }

    fn read_at(&self, file: &File, offset: u64, limit_bytes: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; limit_bytes];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn boot_id(&self) -> Option<String> {
        let text = std::fs::read_to_string(BOOT_ID).ok()?;
        let id = text.trim_end();
        let plain = |c: u8| c.is_ascii_hexdigit() || c == b'-';
        (!id.is_empty() && id.len() <= MAX_BOOT_ID_BYTES && id.bytes().all(plain)).then(|| id.to_owned())
    }

    fn is_same_file(&self, path: &str, file: &File) -> io::Result<bool> {
        let named = match self.dir.symlink_metadata(path) {
            Ok(named) => named,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let open = std::os::unix::fs::MetadataExt::ino(&file.metadata()?);
        Ok(named.ino() == open)
    }
}

#[cfg(test)]
pub(crate) mod fault;
#[cfg(test)]
pub(crate) mod forward;
#[cfg(test)]
mod tests;
