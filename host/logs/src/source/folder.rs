//! The files of a folder that was handed over, and of the folders in it.
//!
//! **In**: an open folder. **Out**: its plain files as [`Source`]s, in order of name, with a note of what was passed over.
//! **Trusted**: nothing: folders are entered up to [`MAX_DEPTH`] deep and [`MAX_FILES`] files are taken; links are followed to
//! files inside the folder only, and to no folder. **Can fail**: a folder that may not be read. A part of the logs would look
//! like all of them.
//!
//! Exports of clouds and operators put logs into folders by day or by pod, logrotate's `olddir` puts the old ones into one. Names
//! that begin with a dot are passed over, as a shell does: they are snapshots, editors' copies and files that are still being
//! transferred or written.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, FileType};

use super::place::FileId;
use super::{Origin, Source};
use crate::error::LogError;

/// How deep folders are entered: `year=2026/month=11/day=23/hour=05/` below the name of a cluster and of a pod.
const MAX_DEPTH: usize = 8;
/// Most files taken: what is told of each is kept.
const MAX_FILES: usize = 50_000;
/// Made by the file system, for its owner alone.
const LOST_AND_FOUND: &str = "lost+found";

/// A walk through a folder.
struct Walk<'d> {
    /// As the user named it, without a slash at the end.
    name: &'d str,
    dir: Arc<Dir>,
    found: Vec<Source>,
    links: u64,
    too_deep: u64,
    vanished: u64,
    too_many: bool,
}

/// See [`Source::in_dir`].
pub(super) fn sources(name: &str, dir: &Dir) -> Result<Vec<Source>, LogError> {
    let dir = dir.try_clone().map_err(|source| LogError::Read {
        path: name.to_owned(),
        source,
    })?;
    let mut walk = Walk {
        name: name.trim_end_matches('/'),
        dir: Arc::new(dir),
        found: Vec::new(),
        links: 0,
        too_deep: 0,
        vanished: 0,
        too_many: false,
    };
    walk.folder(Path::new("."), 0)?;
    let notes = [
        ("link_not_followed", walk.links),
        ("folder_too_deep", walk.too_deep),
        ("file_vanished", walk.vanished),
        ("folder_files_dropped", u64::from(walk.too_many)),
    ];
    let mut found = walk.found;
    let Some(first) = found.first_mut() else {
        return Err(LogError::EmptyFolder { path: name.to_owned() });
    };
    first.notes.extend(notes.into_iter().filter(|(_, count)| *count > 0));
    Ok(found)
}

impl Walk<'_> {
    /// Takes the files of a folder, and those of the folders in it.
    fn folder(&mut self, path: &Path, depth: usize) -> Result<(), LogError> {
        let listed = match self.list(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth > 0 => {
                self.vanished += 1;
                return Ok(());
            }
            listed => listed.map_err(|source| self.unreadable(path, source))?,
        };
        // Of a data directory, only the folders that logs are in by default.
        let is_data = listed.iter().any(|(name, _)| name == "PG_VERSION");
        for (name, kind) in listed {
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            if is_hidden || (kind.is_dir() && name == LOST_AND_FOUND) {
                continue;
            }
            let entry = path.join(&name);
            if !kind.is_dir() {
                self.file(entry, kind);
            } else if is_data && name != "log" && name != "pg_log" {
                continue;
            } else if depth >= MAX_DEPTH {
                self.too_deep += 1;
            } else {
                self.folder(&entry, depth + 1)?;
            }
            if self.too_many {
                break;
            }
        }
        Ok(())
    }

    /// What is in a folder, by name.
    fn list(&self, path: &Path) -> io::Result<Vec<(OsString, FileType)>> {
        let mut listed = Vec::new();
        for entry in self.dir.read_dir(path)? {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) => listed.push((entry.file_name(), kind)),
                // Removed since.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        listed.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(listed)
    }

    fn file(&mut self, path: PathBuf, kind: FileType) {
        // Resolved inside the folder: a link that leads out of it is no file of it.
        let metadata = match self.dir.metadata(&path) {
            Ok(metadata) => metadata,
            Err(_) if kind.is_symlink() => {
                self.links += 1;
                return;
            }
            Err(_) => {
                self.vanished += 1;
                return;
            }
        };
        // A link to a folder inside: its files are found where they are. Pipes and sockets are no logs.
        if !metadata.is_file() {
            return;
        }
        if self.found.len() >= MAX_FILES {
            self.too_many = true;
            return;
        }
        self.found.push(Source {
            is_found: true,
            is_link: kind.is_symlink(),
            root: self.name.to_owned(),
            len: Some(metadata.len()),
            id: Some(FileId::in_dir(&metadata)),
            ..Source::new(self.named(&path), Origin::InDir(Arc::clone(&self.dir), path))
        });
    }

    /// A path as the user would name it.
    fn named(&self, path: &Path) -> String {
        let path = path.strip_prefix(".").unwrap_or(path);
        if path.as_os_str().is_empty() {
            return self.name.to_owned();
        }
        format!("{}/{}", self.name, path.to_string_lossy())
    }

    fn unreadable(&self, path: &Path, source: io::Error) -> LogError {
        LogError::Unreadable {
            folder: self.name.to_owned(),
            path: self.named(path),
            source,
        }
    }
}
