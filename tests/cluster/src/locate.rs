//! Finding the server's programs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with `initdb` and `postgres`: `PG_BIN`, `pg_config --bindir`, Debian's folders (newest first), `PATH`.
pub(crate) fn server_bin() -> Option<PathBuf> {
    let from_env = std::env::var_os("PG_BIN").map(PathBuf::from);
    from_env
        .into_iter()
        .chain(pg_config())
        .chain(debian())
        .chain(path())
        .find(|dir| has_server(dir))
}

/// The same for one major version; `None` when it is not there.
pub(crate) fn server_bin_of(major: u32) -> Option<PathBuf> {
    let known = crate::VERSIONS.iter().find(|(known, _)| *known == major);
    known.map(|(_, dir)| PathBuf::from(dir)).filter(|dir| has_server(dir))
}

fn has_server(dir: &Path) -> bool {
    dir.join("initdb").is_file() && dir.join("postgres").is_file()
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end()))
}

fn debian() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, dir)| dir).collect()
}

fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}
