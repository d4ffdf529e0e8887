//! The archives that are changed: of trails that the command makes, as at a user's.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the archive.
    pub path: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// The export of a trail.
pub struct Trail {
    /// Where the trail is.
    pub folder: tempfile::TempDir,
    /// The archive, not compressed.
    pub archive: Vec<u8>,
    /// A file with the newest key of the log.
    pub key: PathBuf,
}

impl Trail {
    /// Makes a trail, of two keys if it is to be a long one, and exports it.
    pub fn make(long: bool) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .expect("there is room");
        let log = pg_logstats_tests::fixture("shop.log");
        let log = log.to_str().expect("a path is text");
        let run = |arguments: &[&str]| run(folder.path(), arguments);
        run(&["triage", "locks", log]);
        if long {
            run(&["audit", "rotate-key", "--reason", "yearly"]);
            run(&["triage", "query-families", log]);
            run(&["triage", "locks", log]);
        }
        let key = folder.path().join("key.pem");
        std::fs::write(&key, run(&["audit", "public-key"])).expect("there is room");
        let archive = folder.path().join("trail.tar");
        run(&["audit", "export", "--output", archive.to_str().expect("a path is text")]);
        Self {
            archive: std::fs::read(archive).expect("it was made"),
            key,
            folder,
        }
    }
}

/// What the command beside this program prints.
fn run(home: &Path, arguments: &[&str]) -> Vec<u8> {
    let program = std::env::current_exe()
        .expect("a program has a path")
        .with_file_name("pg-logstats");
    let output = Command::new(&program)
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("PG_LOGSTATS_WORKSPACE", home.join("workspace"))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The files of an archive.
pub fn files_of(archive: &[u8]) -> std::io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.push(File { path, content });
    }
    Ok(files)
}

/// An archive of files.
pub fn archive_of(files: &[File]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for File { path, content } in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o444);
        // A path that no archive can have is left out.
        let _ = builder.append_data(&mut header, path, content.as_slice());
    }
    builder.into_inner().expect("memory takes it")
}
