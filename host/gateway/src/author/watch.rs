//! What a project's files look like, to be compared with what they look like later.
//!
//! **In**: the folder of a project. **Out**: [`State`]: the names, sizes and times of its files, but for what tools write. **Can fail**:
//! silently; a file that comes and goes while it is looked at is a change, and seen at the next look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders that tools write to.
const GENERATED: [&str; 4] = ["target", "node_modules", "__pycache__", "build"];
/// Deeper than any project; ends a walk round a loop of links.
const DEPTH: usize = 16;

/// What the files of a project look like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl State {
    /// Of the project in `folder`.
    pub fn of(folder: &Path) -> Self {
        let mut state = Self::default();
        state.walk(folder, DEPTH);
        state
    }

    fn walk(&mut self, folder: &Path, depth: usize) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || GENERATED.contains(&name.as_ref()) {
                continue;
            }
            let Ok(metadata) = entry.path().metadata() else {
                continue;
            };
            if metadata.is_dir() {
                if depth > 0 {
                    self.walk(&entry.path(), depth - 1);
                }
            } else {
                self.0.insert(entry.path(), (metadata.len(), metadata.modified().ok()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_source_is_seen_and_what_tools_write_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("src/lib.rs", "one");
        let first = State::of(folder.path());
        write("target/release/out", "x");
        write(".git/index", "x");
        assert_eq!(State::of(folder.path()), first);
        write("src/lib.rs", "three");
        let second = State::of(folder.path());
        assert_ne!(second, first);
        std::fs::remove_file(folder.path().join("src/lib.rs")).unwrap();
        assert_ne!(State::of(folder.path()), second);
    }
}
