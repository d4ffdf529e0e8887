//! Agent mode: what a caller may name when the caller is an agent.
//!
//! **In**: `[agent]` of the configuration, and paths that an agent named. **Out**: open logs, and places to write. **Trusted**: the
//! operator's folders, by the handles that were opened on them; no path of an agent's. **Can fail**: for everything that is not in one
//! of them, with the same words whether it is there or not.
//!
//! A path is compared by its text, then opened below the folder's handle, where no link and no `..` leads out of it. So there is nothing to
//! check first and use later.

use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::ambient::{LogInput, OpenError};

/// The variable that switches agent mode on.
pub const AGENT_VARIABLE: &str = "PG_LOGSTATS_AGENT";

/// What the operator allows agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentConfig {
    /// The workspace; its default place when none.
    pub workspace: Option<PathBuf>,
    /// Folders in which logs and evidence files may be read.
    pub log_folders: Vec<PathBuf>,
    /// Folders in which evidence files may be made.
    pub output_folders: Vec<PathBuf>,
}

/// Whether the environment asks for agent mode. Anything but nothing and `0` does: a value that is not understood is no way out.
pub fn is_in_environment() -> bool {
    std::env::var_os(AGENT_VARIABLE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Which logs may be opened.
#[derive(Debug)]
pub enum LogAccess {
    /// All that the operating system lets the process open: a person named them.
    Anywhere,
    /// Those in these folders: an agent named them.
    Within(Vec<AllowedFolder>),
}

/// A folder of the operator's, opened.
#[derive(Debug)]
pub struct AllowedFolder {
    /// As the operator wrote it, and where that leads.
    names: [PathBuf; 2],
    dir: Dir,
}

impl AllowedFolder {
    fn open(path: &Path) -> Result<Self, OpenError> {
        const WHAT: &str = "folder of the configuration";
        let resolved = std::fs::canonicalize(path).map_err(|e| OpenError::new(WHAT, path, e))?;
        let dir =
            Dir::open_ambient_dir(&resolved, ambient_authority()).map_err(|e| OpenError::new(WHAT, &resolved, e))?;
        Ok(Self {
            names: [path.to_owned(), resolved],
            dir,
        })
    }

    /// What `path` is below this folder, by its text.
    fn below<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        self.names.iter().find_map(|name| path.strip_prefix(name).ok())
    }
}

impl LogAccess {
    /// To the operator's folders, each of which must be there.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn within(folders: &[PathBuf]) -> Result<Self, OpenError> {
        let folders: Result<Vec<_>, _> = folders.iter().map(|f| AllowedFolder::open(f)).collect();
        folders.map(Self::Within)
    }

    /// Whether the log `name` could be opened, for as much as is allowed.
    ///
    /// # Errors
    /// As [`Self::open`], in agent mode.
    pub fn check(&self, name: &str) -> Result<(), OpenError> {
        match self {
            Self::Anywhere => Ok(()),
            Self::Within(_) => self.open(name).map(|_| ()),
        }
    }

    /// Opens the log `name`.
    ///
    /// # Errors
    /// When it cannot be opened, or is not in a folder that is allowed.
    pub fn open(&self, name: &str) -> Result<LogInput, OpenError> {
        const WHAT: &str = "log";
        let Self::Within(folders) = self else {
            return crate::ambient::open_log(name);
        };
        let path = plain_path(name);
        let found = path.as_deref().and_then(|path| {
            let folder = folders.iter().find_map(|folder| Some((folder, folder.below(path)?)));
            folder.map(|(folder, rest)| (folder, rest.to_owned()))
        });
        let Some((folder, rest)) = found else {
            return Err(outside(WHAT, name, folders));
        };
        if rest.as_os_str().is_empty() {
            let dir = folder.dir.try_clone();
            return dir
                .map(LogInput::Folder)
                .map_err(|e| OpenError::new(WHAT, Path::new(name), e));
        }
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => OpenError::new(WHAT, Path::new(name), error),
            // A link that leads out of the folder is refused by the same error as a file that may not be read.
            _ if leads_out(&folder.dir, &rest) => outside(WHAT, name, folders),
            _ => OpenError::new(WHAT, Path::new(name), error),
        };
        let metadata = folder.dir.metadata(&rest).map_err(failed)?;
        if metadata.is_dir() {
            return folder.dir.open_dir(&rest).map(LogInput::Folder).map_err(failed);
        }
        // Opening a pipe would wait for whoever writes to it.
        if !metadata.is_file() {
            return Err(OpenError::WrongType {
                what: WHAT,
                path: name.to_owned(),
            });
        }
        let file = folder.dir.open(&rest).map_err(failed)?;
        Ok(LogInput::File(file.into_std()))
    }
}

/// Where an agent may make the new file `path`: directly in one of `folders`, by the name of the real folder.
///
/// # Errors
/// When it is anywhere else.
pub fn output_in(folders: &[PathBuf], path: &Path) -> Result<PathBuf, OpenError> {
    const WHAT: &str = "new file";
    let named = path.to_string_lossy();
    let folders: Result<Vec<_>, _> = folders.iter().map(|f| AllowedFolder::open(f)).collect();
    let folders = folders?;
    let plain = plain_path(&named);
    let found = plain.as_deref().and_then(|plain| {
        let name = plain.file_name()?;
        let parent = plain.parent()?;
        let folder = folders.iter().find(|folder| folder.names.iter().any(|n| n == parent))?;
        let [_, resolved] = &folder.names;
        Some(resolved.join(name))
    });
    found.ok_or_else(|| outside(WHAT, &named, &folders))
}

/// The path from the root, when it has no `..` and is no standard input.
fn plain_path(name: &str) -> Option<PathBuf> {
    let path = std::path::absolute(name).ok().filter(|_| name != "-")?;
    let is_plain = path.components().all(|c| !matches!(c, Component::ParentDir));
    is_plain.then_some(path)
}

/// Whether a link on the way leads out of the folder.
fn leads_out(dir: &Dir, rest: &Path) -> bool {
    let mut so_far = PathBuf::new();
    rest.components().any(|component| {
        so_far.push(component);
        let is_link = dir.symlink_metadata(&so_far).is_ok_and(|m| m.file_type().is_symlink());
        is_link && dir.metadata(&so_far).is_err()
    })
}

fn outside(what: &'static str, name: &str, folders: &[AllowedFolder]) -> OpenError {
    let names = folders
        .iter()
        .map(|AllowedFolder { names: [name, _], .. }| name.display());
    OpenError::Outside {
        what,
        path: crate::untrusted::escape_control(name).into_owned(),
        allowed: crate::listed(names),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(path: &Path, text: &str) -> String {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn is_outside<T: std::fmt::Debug>(result: Result<T, OpenError>) -> bool {
        matches!(result, Err(OpenError::Outside { .. }))
    }

    #[test]
    fn nothing_outside_the_folders_is_opened_by_whatever_path() {
        let lab = tempfile::tempdir().unwrap();
        let root = lab.path().canonicalize().unwrap();
        let allowed = root.join("logs");
        let inside = write(&allowed.join("day/a.log"), "inside");
        let secret = write(&root.join("secret.log"), "secret");
        write(&root.join("logs-of-others/b.log"), "others");
        symlink(&secret, allowed.join("absolute.log")).unwrap();
        symlink("../secret.log", allowed.join("relative.log")).unwrap();
        symlink("..", allowed.join("up")).unwrap();
        symlink("day/a.log", allowed.join("current.log")).unwrap();
        symlink("/no/such/file", allowed.join("dangling.log")).unwrap();
        let access = LogAccess::within(std::slice::from_ref(&allowed)).unwrap();
        let path = |rest: &str| allowed.join(rest).to_str().unwrap().to_owned();

        assert!(matches!(access.open(&inside), Ok(LogInput::File(_))));
        assert!(
            matches!(access.open(&path("current.log")), Ok(LogInput::File(_))),
            "a link inside"
        );
        assert!(matches!(access.open(&path("")), Ok(LogInput::Folder(_))));
        assert!(matches!(access.open(&path("day")), Ok(LogInput::Folder(_))));
        assert!(matches!(
            access.open(&path("day/none.log")),
            Err(OpenError::Missing { .. })
        ));
        for name in [
            secret.clone(),
            "-".to_owned(),
            "/etc/hostname".to_owned(),
            "/no/such/file".to_owned(),
            "/proc/self/environ".to_owned(),
            root.join("logs-of-others/b.log").to_str().unwrap().to_owned(),
            path("../secret.log"),
            path("day/../../secret.log"),
            path("absolute.log"),
            path("relative.log"),
            path("dangling.log"),
            path("up"),
            path("up/secret.log"),
        ] {
            assert!(is_outside(access.open(&name)), "{name}: {:?}", access.open(&name));
        }
        assert!(
            is_outside(LogAccess::within(&[]).unwrap().open(&inside)),
            "no folder, no log"
        );
        assert!(
            LogAccess::within(&[root.join("none")]).is_err(),
            "a folder that is not there"
        );
    }

    #[test]
    fn a_folder_that_is_a_link_is_known_by_both_its_names() {
        let lab = tempfile::tempdir().unwrap();
        let root = lab.path().canonicalize().unwrap();
        let real = write(&root.join("data/pg/a.log"), "x");
        symlink(root.join("data/pg"), root.join("logs")).unwrap();
        let access = LogAccess::within(&[root.join("logs")]).unwrap();
        assert!(access.open(&real).is_ok());
        assert!(access.open(root.join("logs/a.log").to_str().unwrap()).is_ok());
        // What the link leads to later is another folder, and not the operator's.
        std::fs::remove_file(root.join("logs")).unwrap();
        symlink(root.join("elsewhere"), root.join("logs")).unwrap();
        write(&root.join("elsewhere/b.log"), "y");
        assert!(access.open(root.join("logs/b.log").to_str().unwrap()).is_err());
        assert!(access.open(root.join("logs/a.log").to_str().unwrap()).is_ok());
    }

    #[test]
    fn a_pipe_is_no_log() {
        let lab = tempfile::tempdir().unwrap();
        let pipe = lab.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let access = LogAccess::within(&[lab.path().to_owned()]).unwrap();
        let opened = access.open(pipe.to_str().unwrap());
        assert!(matches!(opened, Err(OpenError::WrongType { .. })), "{opened:?}");
    }

    #[test]
    fn new_files_are_made_directly_in_the_folders() {
        let lab = tempfile::tempdir().unwrap();
        let root = lab.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("out/sub")).unwrap();
        symlink("/tmp", root.join("out/tmp")).unwrap();
        symlink(root.join("out"), root.join("link")).unwrap();
        let folders = [root.join("link")];
        assert_eq!(
            output_in(&folders, &root.join("link/a.json")).unwrap(),
            root.join("out/a.json")
        );
        assert_eq!(
            output_in(&folders, &root.join("out/a.json")).unwrap(),
            root.join("out/a.json")
        );
        for wrong in ["a.json", "out/sub/a.json", "out/tmp/a.json", "out/../a.json", "out/.."] {
            assert!(is_outside(output_in(&folders, &root.join(wrong))), "{wrong}");
        }
        assert!(is_outside(output_in(&[], &root.join("out/a.json"))));
    }
}
